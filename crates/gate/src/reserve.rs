//! Third step: the snapshot, the plan, and the cost held on disk before anything is counted.

use cairn_ledger::{
    Debited, Denied, Earlier, Kind, Ledger, LedgerFault, Reservation, Reserved, Scope, SnapshotKey,
};
use cairn_policy::{Caps, Method, Treatment, london_day};
use cairn_question::answer::{SnapshotStatement, TreatmentV1};
use cairn_question::{Day, Hash, Moment, Name, Question, QuestionId, Refusal, RuleBroken, Schema};
use cairn_release::{CountPlan, Kept, ReleaseFault, Terms, cost};
use std::fmt;

use crate::able::too_many;
use crate::context::Context;
use crate::gate::{Gate, Step};
use crate::permit::Permitted;
use crate::settings;
use crate::total::unfit;

/// What the gate must know of the snapshot that would be counted. No record, no count.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SnapshotFacts {
    /// The day the records stand for.
    pub as_of: Day,
    /// Its number at this partner, rising.
    pub edition: u32,
    /// The template vintages that its rows came from.
    pub templates: Vec<String>,
    /// What a lossy template mapping lost, column by column.
    pub notes: Vec<ColumnNote>,
    /// Whether later rows are expected.
    pub provisional: Provisional,
}

/// Whether later rows are expected in a snapshot.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Provisional {
    /// Yes: figures may be revised.
    Yes,
    /// No.
    No,
}

/// A note on one column, printed with every answer that uses it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ColumnNote {
    /// The table.
    pub table: String,
    /// The column.
    pub column: String,
    /// What is lost, in words.
    pub note: String,
}

/// A permitted question whose cost is held on disk: the engine may count its plan.
#[must_use = "a question that is neither released nor failed leaves its hold open until it lapses"]
pub struct Counting {
    context: Box<Context>,
    terms: Terms,
    debited: Debited,
    snapshot: SnapshotStatement,
    treatment: Treatment,
    earlier: Vec<Earlier>,
}

impl Counting {
    /// What the engine is to count.
    #[must_use]
    pub const fn plan(&self) -> &CountPlan {
        self.terms.plan()
    }

    /// After this moment nobody waits for the answer and the hold lapses.
    #[must_use]
    pub const fn deadline(&self) -> Moment {
        self.context.open.ask.expires_at
    }

    /// Whether its table goes into a secure total: [`Gate::seal`] takes it then, and [`Gate::release`] otherwise.
    #[must_use]
    pub const fn is_total(&self) -> bool {
        self.context.total.is_some()
    }

    /// Whether the engine is to name the people of the plan, and not to count them: [`Gate::seal_people`] takes these.
    #[must_use]
    pub const fn names_people(&self) -> bool {
        matches!(self.treatment.method, Method::CountOnce(_))
    }

    pub(crate) const fn context(&self) -> &Context {
        &self.context
    }

    /// What it was permitted under.
    pub(crate) const fn treatment(&self) -> &Treatment {
        &self.treatment
    }

    /// How the same question was answered on other editions of the same day.
    pub(crate) fn earlier(&self) -> &[Earlier] {
        &self.earlier
    }

    pub(crate) fn into_parts(self) -> (Box<Context>, Terms, Debited, SnapshotStatement, Caps) {
        (self.context, self.terms, self.debited, self.snapshot, self.treatment.caps)
    }
}

impl Gate {
    /// Fixes the snapshot and the plan, and holds cost, quota and release entry in the ledger.
    ///
    /// An equal question that was answered on this snapshot gets that table again: no new noise, no charge.
    pub fn reserve(
        &self,
        permitted: Permitted,
        facts: &SnapshotFacts,
        ledger: &mut Ledger,
        now: Moment,
    ) -> Step<Counting> {
        let (context, treatment) = permitted.into_parts();
        if let Err(refusal) = fits_snapshot(&context.open.ask.question, &treatment, facts) {
            return Step::Reply(self.refuse(&context, refusal, ledger, now));
        }
        let ask = &context.open.ask;
        let audited = match audited(&treatment, facts, ledger) {
            Ok(audited) => audited,
            Err(Damaged::Ledger(fault)) => {
                return Step::Reply(self.broken(context.asked(), &context.policy, &fault, now));
            }
            Err(Damaged::Kept) => return Step::Reply(self.fault(&context, UNREADABLE_AUDIT, ledger, now)),
        };
        let schema = Schema::smf();
        let counted = (facts.as_of, self.keys.cap);
        let terms = Terms::beside(ask.id, &ask.question, &treatment, schema, counted, &audited);
        let terms = match terms {
            Ok(terms) => terms,
            Err(ReleaseFault::TooMany(fault)) => {
                let refusal = Refusal { rules: vec![too_many(&treatment, fault)], nearest: None };
                return Step::Reply(self.refuse(&context, refusal, ledger, now));
            }
            Err(fault) => return Step::Reply(self.fault(&context, fault.code(), ledger, now)),
        };
        if let Some(broken) = context.total.as_ref().and_then(|total| unfit(total, &terms, &treatment)) {
            let refusal = Refusal { rules: vec![broken], nearest: None };
            return Step::Reply(self.refuse(&context, refusal, ledger, now));
        }
        let wanted = reservation(&context, &treatment, terms.statement(), facts, now);
        let earlier = match ledger.earlier(wanted.canonical, wanted.snapshot) {
            Ok(earlier) => earlier,
            Err(fault) => {
                return Step::Reply(self.broken(context.asked(), &context.policy, &fault, now));
            }
        };
        let mut snapshot = statement(facts, &terms);
        snapshot.notes.extend(revised(&earlier, &treatment, facts));
        let caps = treatment.caps;
        match ledger.reserve(&wanted, now) {
            Ok(Reserved::Debited(debited)) => {
                Step::On(Counting { context, terms, debited, snapshot, treatment, earlier })
            }
            Ok(Reserved::Stored(stored)) => {
                let grid = terms.grid();
                Step::Reply(self.repeat(&context, stored, grid, snapshot, caps, ledger, now))
            }
            Err(Denied::Refusal(refusal)) => Step::Reply(self.refuse(&context, refusal, ledger, now)),
            Err(Denied::Fault(fault)) => {
                Step::Reply(self.broken(context.asked(), &context.policy, &fault, now))
            }
        }
    }
}

/// The code of a table that cannot be audited beside those before it, since what was kept of one cannot be read.
const UNREADABLE_AUDIT: &str = "CN017";

enum Damaged {
    Ledger(LedgerFault),
    Kept,
}

/// The tables that were audited on the snapshot, where this one is to be too.
fn audited(treatment: &Treatment, facts: &SnapshotFacts, ledger: &Ledger) -> Result<Vec<Kept>, Damaged> {
    if treatment.method.audited().is_none() {
        return Ok(Vec::new());
    }
    let snapshot = SnapshotKey { as_of: facts.as_of, edition: facts.edition };
    let kept = ledger.audited(snapshot).map_err(Damaged::Ledger)?;
    kept.iter().map(|json| Kept::read(json).ok_or(Damaged::Kept)).collect()
}

/// Whether the snapshot is the one that the question means, and one that the policy lets be counted.
pub(crate) fn fits_snapshot(
    question: &Question,
    treatment: &Treatment,
    facts: &SnapshotFacts,
) -> Result<(), Refusal> {
    let rules: Vec<RuleBroken> =
        [other_day(question, facts), other_end(question, treatment, facts)].into_iter().flatten().collect();
    if rules.is_empty() { Ok(()) } else { Err(Refusal { rules, nearest: None }) }
}

/// A question may name the snapshot date that it means; frozen snapshots of other days are not counted again.
fn other_day(question: &Question, facts: &SnapshotFacts) -> Option<RuleBroken> {
    let meant = question.as_of.filter(|day| *day != facts.as_of)?;
    let says = format!("the records here stand for {}, you asked for {meant}", facts.as_of);
    Some(RuleBroken { rule: "snapshot.as-of".to_owned(), code: "CN003".to_owned(), says })
}

/// A policy may say how often snapshots are made: tables of two days close together would show who came between.
fn other_end(question: &Question, treatment: &Treatment, facts: &SnapshotFacts) -> Option<RuleBroken> {
    let every = treatment.snapshot.filter(|every| !every.holds(facts.as_of))?;
    let says = format!(
        "the records here stand for {}, and the policy lets them be counted as they stand on the last day of a {} only",
        facts.as_of,
        every.as_str()
    );
    let rule = format!("dataset.{}.snapshot", question.dataset);
    Some(RuleBroken { rule, code: "CN011".to_owned(), says })
}

fn reservation(
    context: &Context,
    treatment: &Treatment,
    statement: &TreatmentV1,
    facts: &SnapshotFacts,
    now: Moment,
) -> Reservation {
    let asked = context.asked();
    let ask = &context.open.ask;
    Reservation {
        question_id: asked.id,
        question_hash: asked.hash,
        hold_until: ask.expires_at,
        ..wanted(&ask.question, &context.open.credential.analyst, (treatment, statement), facts, now)
    }
}

/// What a question wants of the ledger, whoever signs it: its number is all zeros, and it is held until now.
pub(crate) fn wanted(
    question: &Question,
    analyst: &Name,
    (treatment, statement): (&Treatment, &TreatmentV1),
    facts: &SnapshotFacts,
    now: Moment,
) -> Reservation {
    let (cost, pure_epsilon) = cost(treatment);
    // "The latest" and the same day by name are one question.
    let named = Question { as_of: Some(facts.as_of), ..question.clone() };
    Reservation {
        question_id: QuestionId::from_bytes([0; 32]),
        question_hash: Hash::from_bytes([0; 32]),
        canonical: named.canonical_hash(Schema::smf()),
        snapshot: SnapshotKey { as_of: facts.as_of, edition: facts.edition },
        treatment: settings::all(treatment, statement),
        scope: scope(question, treatment),
        settings: settings::unordered(treatment),
        analyst: analyst.clone(),
        share: treatment.share.clone(),
        cost,
        pure_epsilon,
        caps: treatment.caps,
        quota: treatment.quota,
        hold_until: now,
        day: london_day(now),
    }
}

/// The tables of the snapshot that this one stands beside.
fn scope(question: &Question, treatment: &Treatment) -> Scope {
    Scope {
        role: question.role.clone(),
        dataset: question.dataset.clone(),
        measure: question.measure.clone(),
        kind: match treatment.method {
            _ if treatment.method.audited().is_some() => Kind::Audit,
            Method::SuppressAudit(_) | Method::SuppressRound(_) | Method::CellKey { .. } => Kind::Cells,
            Method::Dp { .. } => Kind::Noise,
            Method::CountOnce(_) => Kind::Once,
        },
    }
}

/// The marker of a revised table. It says the rule and the editions, and nothing of the records: what changed is not told from what did not.
fn revised(earlier: &[Earlier], treatment: &Treatment, facts: &SnapshotFacts) -> Option<String> {
    let last = earlier.last()?.edition;
    let of = format!("revised: edition {} of {}, after edition {last}", facts.edition, facts.as_of);
    Some(match treatment.method.cells() {
        Some(cells) => {
            format!("{of}; a figure that changed by fewer than {} people stands as it was", cells.min_people)
        }
        None => format!("{of}, with noise of its own"),
    })
}

/// What the answer will say of the snapshot: of the notes, those on columns that are used.
fn statement(facts: &SnapshotFacts, terms: &Terms) -> SnapshotStatement {
    let on_used = |note: &&ColumnNote| {
        terms.used().iter().any(|path| path.table == note.table && path.column == note.column)
    };
    SnapshotStatement {
        as_of: facts.as_of,
        edition: facts.edition,
        templates: facts.templates.clone(),
        notes: facts.notes.iter().filter(on_used).map(|n| n.note.clone()).collect(),
        provisional: facts.provisional == Provisional::Yes,
    }
}

impl fmt::Debug for Counting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Counting({})", self.context.asked().id.short())
    }
}
