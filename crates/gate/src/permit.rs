//! Second step: what the policy says, before any record is read.

use cairn_ledger::Ledger;
use cairn_policy::{Asker, Layers, Treatment, decide, london_day};
use cairn_question::{Moment, PartnerId, Refusal, RuleBroken, Schema};
use std::collections::BTreeSet;

use crate::able::able;
use crate::context::Context;
use crate::gate::{Gate, Step};
use crate::release::Releasable;
use crate::reserve::Counting;
use crate::total::{Sealable, put_as};
use crate::verify::Verified;

/// A verified question that every layer of the policy permits, and how it must be answered.
#[derive(Debug)]
#[must_use]
pub struct Permitted {
    context: Box<Context>,
    treatment: Treatment,
}

impl Permitted {
    /// Whether its table is to be audited beside those before it, so that no other may be audited meanwhile.
    #[must_use]
    pub const fn is_audited(&self) -> bool {
        self.treatment.method.audited().is_some()
    }

    pub(crate) fn into_parts(self) -> (Box<Context>, Treatment) {
        (self.context, self.treatment)
    }
}

impl Gate {
    /// Decides under the layers in force, brake and issuers of roles included, on today's date in London. A refusal names every rule that
    /// fails.
    pub fn permit(
        &self,
        verified: Verified,
        layers: &Layers,
        ledger: &mut Ledger,
        now: Moment,
    ) -> Step<Permitted> {
        // The layers may have been exchanged since the question was verified: those that decide are the ones named.
        let mut context = verified.into_context();
        context.policy = layers.statement().clone();
        match verdict(&context, layers, now) {
            Ok(treatment) => Step::On(Permitted { context, treatment }),
            Err(refusal) => Step::Reply(self.refuse(&context, refusal, ledger, now)),
        }
    }

    /// Whether a question that is being counted is still permitted, and under the very treatment that it is counted under: asked
    /// again when the brake is pulled or a policy exchanged, and before the table leaves. A policy that only protects more reaches
    /// a count under way in this way.
    ///
    /// # Errors
    /// The refusal, for [`Counting::stopped`].
    pub fn still_permitted(&self, counting: &Counting, layers: &Layers, now: Moment) -> Result<(), Refusal> {
        still(counting.context(), counting.treatment(), layers, now)
    }

    /// The same of a table that is protected and waits to leave.
    ///
    /// # Errors
    /// The refusal, for [`Releasable::stopped`].
    pub fn still_releasable(
        &self,
        releasable: &Releasable,
        layers: &Layers,
        now: Moment,
    ) -> Result<(), Refusal> {
        still(releasable.context(), releasable.treatment(), layers, now)
    }

    /// The same of a table that waits to go into a secure total.
    ///
    /// # Errors
    /// The refusal, for [`Sealable::stopped`].
    pub fn still_sealable(&self, sealable: &Sealable, layers: &Layers, now: Moment) -> Result<(), Refusal> {
        still(sealable.context(), sealable.treatment(), layers, now)
    }
}

fn still(context: &Context, was: &Treatment, layers: &Layers, now: Moment) -> Result<(), Refusal> {
    let treatment = verdict(context, layers, now)?;
    if treatment == *was { Ok(()) } else { Err(changed(layers)) }
}

fn changed(layers: &Layers) -> Refusal {
    let version = layers.statement().version;
    let says =
        format!("version {version} of the policy came into force and answers this otherwise; ask again");
    Refusal::one("policy.changed", "CN007", says)
}

fn verdict(context: &Context, layers: &Layers, now: Moment) -> Result<Treatment, Refusal> {
    let credential = &context.open.credential;
    let asker = Asker::Analyst { analyst: &credential.analyst, issuer: &credential.issuer };
    let question = &context.open.ask.question;
    let treatment = decide(layers, question, asker, london_day(now))?;
    let mut rules = Vec::from_iter(too_few_partners(&treatment, &context.open.ask.partners));
    rules.extend(able(&treatment, question));
    let grid = question.grid(Schema::smf()).ok();
    let treatment = match put_as(treatment, (context.total.as_ref(), grid.as_ref()), layers) {
        Ok(treatment) => treatment,
        Err(broken) => {
            rules.push(broken);
            return Err(Refusal { rules, nearest: None });
        }
    };
    if rules.is_empty() { Ok(treatment) } else { Err(Refusal { rules, nearest: None }) }
}

/// A total over fewer partners than the policy says would show too much of each. How many answer is known only later, and can be
/// fewer; how many are asked is known here.
fn too_few_partners(treatment: &Treatment, partners: &[PartnerId]) -> Option<RuleBroken> {
    let asked = partners.iter().collect::<BTreeSet<_>>().len();
    let least = treatment.min_partners;
    if u32::try_from(asked).is_ok_and(|asked| asked < least) {
        let rule = format!("release.{}.min_partners", treatment.release);
        let says = format!("a question must be put to at least {least} partners, you asked {asked}");
        Some(RuleBroken { rule, code: "CN012".to_owned(), says })
    } else {
        None
    }
}
