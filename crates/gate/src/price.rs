//! What questions would cost and come to, before anybody asks them. Reads only: nothing is held, counted or logged.

use cairn_ledger::{Answerable, LedgerFault, Price, Priced, Reservation};
use cairn_policy::{Asker, Layers, Treatment, decide, london_day};
use cairn_question::privacy::NanoRho;
use cairn_question::{Moment, Name, Question, QuestionId, Refusal, RuleBroken, Schema};
use cairn_release::Terms;

use crate::able::able;
use crate::reserve::{SnapshotFacts, fits_snapshot, wanted};

/// Who would ask.
#[derive(Clone, Copy, Debug)]
pub struct Buyer<'a> {
    /// The analyst, whose quota and slice are drawn on.
    pub analyst: &'a Name,
    /// The issuer of the analyst's credential; `None` tries each question under the issuer that the policy names for its role.
    pub issuer: Option<&'a Name>,
}

/// Prices the questions in their order, as [`cairn_ledger::Ledger::price`] does, with what policy and snapshot refuse among the refusals.
///
/// `ledger` is its `price`, or that of a [`cairn_ledger::History`] beside a running node. How many partners are asked is not looked at.
///
/// # Errors
/// [`LedgerFault`] where the ledger cannot be read.
pub fn price(
    questions: &[Question],
    buyer: Buyer<'_>,
    layers: &Layers,
    facts: &SnapshotFacts,
    now: Moment,
    ledger: impl FnOnce(&[Reservation]) -> Result<Price, LedgerFault>,
) -> Result<Price, LedgerFault> {
    let judged = questions.iter().map(|question| judge(question, buyer, layers, facts, now));
    let judged: Vec<Result<Reservation, Vec<RuleBroken>>> = judged.collect();
    let wants: Vec<Reservation> = judged.iter().flatten().cloned().collect();
    let mut price = ledger(&wants)?;
    let mut priced = std::mem::take(&mut price.questions).into_iter();
    let all = judged.into_iter().map(|judged| match judged {
        Ok(_) => priced.next(),
        Err(rules) => Some(refused(rules)),
    });
    price.questions = all.collect::<Option<_>>().unwrap_or_default();
    Ok(price)
}

fn refused(rules: Vec<RuleBroken>) -> Priced {
    Priced {
        answerable: Answerable::Refused(rules),
        cost: NanoRho::ZERO,
        slice_left: None,
        tables_left_today: None,
    }
}

fn judge(
    question: &Question,
    buyer: Buyer<'_>,
    layers: &Layers,
    facts: &SnapshotFacts,
    now: Moment,
) -> Result<Reservation, Vec<RuleBroken>> {
    let rules = |refusal: Refusal| refusal.rules;
    let issuer = buyer.issuer.or_else(|| layers.role_issuer(&question.role));
    let asker = match issuer {
        Some(issuer) => Asker::Analyst { analyst: buyer.analyst, issuer },
        None => Asker::Anyone,
    };
    let treatment = decide(layers, question, asker, london_day(now)).map_err(rules)?;
    let unable = able(&treatment, question);
    if !unable.is_empty() {
        return Err(unable);
    }
    fits_snapshot(question, &treatment, facts).map_err(rules)?;
    let terms = terms(question, &treatment, facts)?;
    Ok(wanted(question, buyer.analyst, (&treatment, terms.statement()), facts, now))
}

/// The terms, for their statement: no count is made under them, so their key chooses nobody.
fn terms(
    question: &Question,
    treatment: &Treatment,
    facts: &SnapshotFacts,
) -> Result<Terms, Vec<RuleBroken>> {
    let nobody = QuestionId::from_bytes([0; 32]);
    Terms::new(nobody, question, treatment, Schema::smf(), facts.as_of, [0; 32]).map_err(|fault| {
        let rule = format!("release.{}", treatment.release);
        vec![RuleBroken { rule, code: fault.code().to_owned(), says: fault.to_string() }]
    })
}
