//! The other last steps: the table goes into a secure total, masked, and only the ledger's record of it lets it open.

use cairn_ledger::{Debited, Entry, EntryKind, KeptRecord, Ledger, NotOpened, Opening, Repeat, SnapshotKey};
use cairn_policy::{Caps, Cells, Concentrated, CountOnce, Layers, Mechanism, Method, Treatment};
use cairn_question::answer::{PrivacyStatement, SnapshotStatement, Zeros};
use cairn_question::privacy::{Epsilon, GaussianLoss, trillionths};
use cairn_question::{
    Breakdown, Grid, Hash, Moment, Name, OutcomeV1, PartnerId, Refusal, RuleBroken, SealedV1, TotalTreatment,
};
use cairn_release::share::{HonestPartners, ShareFault, ShareNoise};
use cairn_release::{Part, RawPeople, RawTable, ReleaseFault, Terms, total};
use std::fmt;

use crate::context::Context;
use crate::gate::Gate;
use crate::release::{Failed, UNIT};
use crate::reserve::Counting;

/// A counted table that may go into one secure total, noise drawn anew for each attempt, and into nothing else.
#[must_use = "a part that is neither opened nor failed leaves its hold open until it lapses"]
pub struct Sealable {
    context: Box<Context>,
    terms: Terms,
    debited: Debited,
    snapshot: SnapshotStatement,
    caps: Caps,
    treatment: Treatment,
    part: Part,
    total: TotalTreatment,
}

/// The attempt that is to open, as the seal protocol has it.
#[derive(Clone, Copy)]
pub struct Opened<'a> {
    /// SHA-256 of the manifest's text.
    pub manifest: Hash,
    /// H₂ of the attempt.
    pub opening: Hash,
    /// The partners, in the order of their names.
    pub partners: &'a [PartnerId],
    /// Their node ids, rising.
    pub nodes: &'a [[u8; 16]],
    /// Of the partners, how many are sure to be honest.
    pub honest: HonestPartners,
    /// What opens: a secret until it is sent.
    pub record: &'a [u8],
    /// The round's deadline.
    pub deadline: Moment,
}

/// What keeping an opening came to.
pub enum Kept {
    /// It is on disk: the opening may be sent, and then the reply.
    Opened(KeptRecord, Vec<u8>),
    /// It was refused or broke, nothing was opened, and this is the whole reply.
    Reply(Vec<u8>),
}

impl Sealable {
    /// This partner's numbers for one attempt, with fresh noise of its share.
    ///
    /// # Errors
    /// [`ShareFault`], for [`Sealable::failed`].
    pub fn draw(&self, honest: HonestPartners, noise: &mut dyn ShareNoise) -> Result<Vec<i64>, ShareFault> {
        self.part.draw(honest, noise)
    }

    /// Who is to be counted once, by number in the snapshot; `None` for a table.
    #[must_use]
    pub const fn people(&self) -> Option<&RawPeople> {
        self.part.people()
    }

    /// Whether a total of so many partners, this one among them, is one that the policy lets the table be in. Ask it before the table is sealed:
    /// [`Gate::open_total`] asks it again.
    ///
    /// # Errors
    /// The refusal, for [`Sealable::stopped`].
    pub fn is_among(&self, partners: usize) -> Result<(), Refusal> {
        let least = self.treatment.min_partners;
        if u32::try_from(partners).is_ok_and(|partners| partners >= least) {
            return Ok(());
        }
        let rule = format!("release.{}.min_partners", self.treatment.release);
        let says = format!("this leaves in a total of at least {least} partners, and {partners} were ready");
        Err(Refusal::one(rule, "CN012", says))
    }

    /// The table that was counted.
    #[must_use]
    pub fn dataset(&self) -> Option<Name> {
        Name::new(&self.context.open.ask.question.dataset).ok()
    }

    /// The snapshot that was counted.
    #[must_use]
    pub const fn snapshot(&self) -> SnapshotKey {
        SnapshotKey { as_of: self.snapshot.as_of, edition: self.snapshot.edition }
    }

    /// It was not opened: a stable code is all that leaves.
    pub fn failed(self, code: &'static str) -> Failed {
        Failed::fault(self.context, self.debited, code)
    }

    /// It must not be opened: [`Gate::still_sealable`] gave this.
    pub fn stopped(self, refusal: Refusal) -> Failed {
        Failed::refused(self.context, self.debited, refusal)
    }

    pub(crate) const fn context(&self) -> &Context {
        &self.context
    }

    pub(crate) const fn treatment(&self) -> &Treatment {
        &self.treatment
    }
}

impl Gate {
    /// Takes a counted table as this partner's part of the total that its question was put as.
    ///
    /// # Errors
    /// [`Failed`], for [`Gate::fail`].
    pub fn seal(&self, counting: Counting, raw: &RawTable) -> Result<Sealable, Failed> {
        self.seal_part(counting, |terms, total| Part::of(raw, terms, total))
    }

    /// The same of a question of people counted once over all partners: who they are, by number in the snapshot.
    ///
    /// # Errors
    /// [`Failed`], for [`Gate::fail`].
    pub fn seal_people(&self, counting: Counting, people: RawPeople) -> Result<Sealable, Failed> {
        self.seal_part(counting, |terms, total| Part::of_people(people, terms, total))
    }

    fn seal_part(
        &self,
        counting: Counting,
        part: impl FnOnce(&Terms, &TotalTreatment) -> Result<Part, ReleaseFault>,
    ) -> Result<Sealable, Failed> {
        let treatment = counting.treatment().clone();
        let (context, terms, debited, snapshot, caps) = counting.into_parts();
        let Some(total) = context.total else { return Err(Failed::fault(context, debited, NO_TOTAL)) };
        match part(&terms, &total) {
            Ok(part) => Ok(Sealable { context, terms, debited, snapshot, caps, treatment, part, total }),
            Err(fault) => Err(Failed::fault(context, debited, fault.code())),
        }
    }

    /// Signs the partner's word, and makes the charge, the opening's record, the word and its audit entry durable in one transaction: only
    /// then may the opening be sent (R2), and only if the partners are those of every total without noise on these records (R6).
    #[must_use]
    pub fn open_total(
        &self,
        sealable: Sealable,
        opened: Opened<'_>,
        ledger: &mut Ledger,
        now: Moment,
    ) -> Kept {
        if let Err(refusal) = sealable.is_among(opened.partners.len()) {
            return Kept::Reply(self.fail(sealable.stopped(refusal), ledger, now));
        }
        let in_round = u16::try_from(opened.partners.len()).unwrap_or(u16::MAX);
        let statement = total::statement(&sealable.terms, &sealable.total, (in_round, opened.honest));
        let (dataset, snapshot_key) = (sealable.dataset(), sealable.snapshot());
        let (Ok(treatment), Some(dataset)) = (statement, dataset) else {
            return Kept::Reply(self.fail(sealable.failed(NO_TOTAL), ledger, now));
        };
        let Sealable { context, debited, snapshot, caps, total, .. } = sealable;
        let entry = Entry {
            treatment: Some(treatment.clone()),
            snapshot: Some(snapshot_key),
            ..context.entry(EntryKind::QuestionAnswered)
        };
        let privacy = PrivacyStatement {
            unit: UNIT.to_owned(),
            charged: debited.cost(),
            year_so_far: debited.year_so_far(),
            year_cap: caps.per_year,
        };
        let sealed = SealedV1 {
            manifest: opened.manifest,
            opening: opened.opening,
            partners: opened.partners.to_vec(),
            treatment,
            snapshot,
            privacy,
        };
        let reply = self.sign(context.asked(), &context.policy, OutcomeV1::Sealed(Box::new(sealed)), now);
        let opening = Opening {
            dataset: &dataset,
            snapshot: snapshot_key,
            repeat: if total.is_charged() { Repeat::Charged } else { Repeat::SamePartners },
            partners: opened.nodes,
            record: opened.record,
            deadline: opened.deadline,
        };
        match ledger.open_total(debited, opening, &reply, &entry, now) {
            Ok(record) => Kept::Opened(record, reply),
            Err(NotOpened::Refused { refusal, .. }) => {
                Kept::Reply(self.refuse(&context, refusal, ledger, now))
            }
            Err(NotOpened::Fault(fault)) => {
                Kept::Reply(self.broken(context.asked(), &context.policy, &fault, now))
            }
        }
    }
}

/// The code of a part that was asked of a question which is no total.
const NO_TOTAL: &str = "CT007";

/// Holds how the question was put against how the policy lets it be answered, and gives the treatment that both make.
///
/// The noise that protects this partner's people is drawn by the others too, so what is agreed for all may protect more than this partner's
/// policy asks for, and never less.
pub(crate) fn put_as(
    treatment: Treatment,
    (total, grid): (Option<&TotalTreatment>, Option<&Grid>),
    layers: &Layers,
) -> Result<Treatment, RuleBroken> {
    let rule = format!("release.{}.min_partners", treatment.release);
    let broken = |code: &str, says: String| RuleBroken { rule: rule.clone(), code: code.to_owned(), says };
    let least = treatment.min_partners;
    match (least > 1, total) {
        (false, None) => Ok(treatment),
        (true, _) if layers.secure().is_none() => {
            let says = "this leaves as a secure total only, and the framework has no [secure] terms for one";
            Err(broken("CN018", says.to_owned()))
        }
        (true, None) => {
            let says = format!(
                "this leaves only in a secure total of at least {least} partners; ask for one (`cairn ask` without `--own-tables`)"
            );
            Err(broken("CN019", says))
        }
        (false, Some(_)) => {
            let says = "this leaves as this partner's own table; ask for it with `--own-tables`";
            Err(broken("CN020", says.to_owned()))
        }
        (true, Some(total)) => {
            let release = treatment.release.clone();
            agreed(treatment, total, grid).map_err(|(key, says)| RuleBroken {
                rule: format!("release.{release}.{key}"),
                code: "CN021".to_owned(),
                says,
            })
        }
    }
}

/// The treatment under the terms that all partners of the total agree on; or the rule of this partner that they fall short of.
fn agreed(
    mut treatment: Treatment,
    total: &TotalTreatment,
    grid: Option<&Grid>,
) -> Result<Treatment, (&'static str, String)> {
    let rows = treatment.rows_per_person.unwrap_or(1);
    let cohort = treatment.min_cohort;
    match (&mut treatment.method, total) {
        (
            Method::Dp { mechanism, epsilon, .. },
            TotalTreatment::Dp { .. } | TotalTreatment::DpGaussian { .. },
        ) => noisy((mechanism, epsilon), total)?,
        (
            Method::SuppressRound(cells),
            TotalTreatment::SuppressRound { min_people, round_to, zeros, min_cohort, rows_per_person },
        ) => {
            withheld_alike(cells, (*min_people, *round_to, *zeros))?;
            at_least("min_cohort", cohort, *min_cohort)?;
            at_least("rows_per_person", rows, *rows_per_person)?;
            treatment.min_cohort = *min_cohort;
        }
        (Method::CellKey { table, cells }, TotalTreatment::CellKey { .. }) => keyed(table, cells, total)?,
        (Method::CountOnce(own), TotalTreatment::CountOnce { .. }) => counted_once(own, total, grid)?,
        (method, _) => {
            return Err((
                "method",
                format!("protected by {}, and you asked for another protection", method.as_str()),
            ));
        }
    }
    Ok(treatment)
}

/// The same of people counted once: at no larger a loss for a key, and reckoned with as many keys of a person and as many cells of the question's table as may
/// be here.
fn counted_once(
    own: &mut CountOnce,
    total: &TotalTreatment,
    grid: Option<&Grid>,
) -> Result<(), (&'static str, String)> {
    let TotalTreatment::CountOnce { epsilon, keys_per_person, breakdown, .. } = total else { return Ok(()) };
    if *epsilon > own.epsilon {
        let says = format!("ε at most {} for one linkage key, you asked for {epsilon}", own.epsilon);
        return Err(("epsilon", says));
    }
    if *keys_per_person < own.keys_per_person {
        let says = format!(
            "a person may be recorded under {} keys here, and you reckoned with {keys_per_person}",
            own.keys_per_person
        );
        return Err(("keys_per_person", says));
    }
    let (cells, in_cells) = (Breakdown::cells_of(*breakdown), Breakdown::cells_per_person_of(*breakdown));
    if !grid.is_some_and(|grid| usize::try_from(cells).is_ok_and(|cells| cells == grid.cells())) {
        let says = format!("the question's table has other cells than the {cells} that you reckoned with");
        return Err(("cells_per_person", says));
    }
    if in_cells < own.in_cells(cells).cells_per_person {
        let says = format!(
            "a person may be in {} cells of this table, and you reckoned with {in_cells}",
            own.in_cells(cells).cells_per_person
        );
        return Err(("cells_per_person", says));
    }
    // The cost follows from what was asked for.
    (own.epsilon, own.keys_per_person, own.cells_per_person) = (*epsilon, *keys_per_person, in_cells);
    if own.times_keys_and_cells().is_none() {
        let says = format!(
            "{keys_per_person} keys in {in_cells} cells at ε {epsilon} are more than one person can lose"
        );
        return Err(("keys_per_person", says));
    }
    Ok(())
}

/// The same of shared noise: of the same kind, since neither is the stricter, and of no larger loss.
fn noisy(
    (mechanism, epsilon): (&mut Mechanism, &mut Epsilon),
    total: &TotalTreatment,
) -> Result<(), (&'static str, String)> {
    match (&mut *mechanism, total) {
        (Mechanism::Laplace, TotalTreatment::Dp { epsilon: asked, .. }) if asked > epsilon => {
            Err(("epsilon", format!("a loss of at most ε {epsilon} for one table, you asked for {asked}")))
        }
        (Mechanism::Laplace, TotalTreatment::Dp { epsilon: asked, .. }) => {
            *epsilon = *asked;
            Ok(())
        }
        (Mechanism::Gaussian(own), TotalTreatment::DpGaussian { loss, .. }) => {
            concentrated(own, epsilon, *loss)
        }
        _ => {
            let says = format!("noise is {} here, you asked for the other kind", mechanism.as_str());
            Err(("mechanism", says))
        }
    }
}

/// The same of shared Gaussian noise. ρ is what is held and charged; ε is what it is at a δ that is not above the policy's own, so that readers are told
/// of no larger chance than the board was.
fn concentrated(
    own: &mut Concentrated,
    epsilon: &mut Epsilon,
    asked: GaussianLoss,
) -> Result<(), (&'static str, String)> {
    if asked.rho() > own.rho {
        let says = format!("a loss of at most ρ {} for one table, you asked for {}", own.rho, asked.rho());
        return Err(("epsilon", says));
    }
    if asked.delta_trillionths() > own.delta_trillionths {
        let [most, asked] = [own.delta_trillionths, asked.delta_trillionths()].map(trillionths);
        return Err(("epsilon", format!("its ε is at δ = {most} or less, yours at {asked}")));
    }
    *own = Concentrated { rho: asked.rho(), delta_trillionths: asked.delta_trillionths() };
    *epsilon = asked.epsilon();
    Ok(())
}

/// The same of counts that every node changes by the keys of its people: the same table of perturbations, and the rules on the total.
fn keyed(table: &str, cells: &mut Cells, total: &TotalTreatment) -> Result<(), (&'static str, String)> {
    let TotalTreatment::CellKey { table: asked, min_people, round_to, zeros } = total else { return Ok(()) };
    if asked.as_str() != table {
        return Err(("ptable", format!("changed by {table}, you asked for {}", asked.as_str())));
    }
    withheld_alike(cells, (*min_people, *round_to, *zeros))
}

/// The rules on small cells under those that all partners agree on: the same rounding, and no fewer withheld.
fn withheld_alike(
    cells: &mut Cells,
    (min_people, round_to, zeros): (u32, u32, Zeros),
) -> Result<(), (&'static str, String)> {
    at_least("min_people", cells.min_people, min_people)?;
    if round_to != cells.round_to {
        return Err(("round_to", format!("rounded to {}, you asked for {round_to}", cells.round_to)));
    }
    if cells.zeros == Zeros::Withhold && zeros == Zeros::Show {
        return Err(("zeros", "zeros are withheld, you asked for them".to_owned()));
    }
    (cells.min_people, cells.zeros) = (min_people, zeros);
    Ok(())
}

fn at_least(key: &'static str, least: u32, asked: u32) -> Result<(), (&'static str, String)> {
    if asked < least { Err((key, format!("at least {least}, you asked for {asked}"))) } else { Ok(()) }
}

/// The rule of this partner that the total's noise is not made for.
pub(crate) fn unfit(total: &TotalTreatment, terms: &Terms, treatment: &Treatment) -> Option<RuleBroken> {
    terms.fit_total(total).err()?;
    let says = "one person may add more to this table here than the total's noise is made for";
    let rule = format!("release.{}.method", treatment.release);
    Some(RuleBroken { rule, code: "CN022".to_owned(), says: says.to_owned() })
}

impl fmt::Debug for Sealable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealable({}, {:?})", self.context.asked().id.short(), self.part)
    }
}
