//! What an analyst's program takes from a coordinator: nothing on its word alone.
//!
//! Tables and refusals count under the partners' registered keys, and the sum is made again. "Offline" and "late" are
//! the coordinator's word, and are shown as that.

use std::collections::BTreeMap;

use cairn_link::RoundResult;
use cairn_question::answer::Expected;
use cairn_question::combine::{
    CombinedV1, CoverageV1, PartnerLine, PolicyLine, Standing, combine, standing_of,
};
use cairn_question::register::Register;
use cairn_question::{AskV1, Grid, Hash, OutcomeV1, PartnerId, ReplyV1, SealedV1, TableV1, TotalV1};

use crate::failure::Failure;
use crate::foreign::plain_reply;
use crate::once::Once;
use crate::show::Shown;

/// Checks the coverage statement, every reply's signature and the sum, and gives what may be shown.
///
/// # Errors
/// The first thing that does not hold; then nothing is shown.
pub(crate) fn verify(
    register: &Register,
    (ask, hash, wanted): (&AskV1, Hash, Wanted),
    grid: Grid,
    result: RoundResult,
) -> Result<Shown, Failure> {
    let coverage = open_coverage(register, ask, hash, &result.coverage)?;
    let replies = open_replies(register, ask, hash, &grid, &result)?;
    let partners =
        ask.partners.iter().map(|p| line(p, &coverage, &replies, wanted)).collect::<Result<Vec<_>, _>>()?;
    let answers: Vec<_> = replies
        .iter()
        .filter_map(|(partner, reply)| match &reply.outcome {
            OutcomeV1::Answer(answer) => Some((partner.clone(), (**answer).clone())),
            _ => None,
        })
        .collect();
    let refusals = replies.iter().filter_map(|(partner, reply)| match &reply.outcome {
        OutcomeV1::Refusal(refusal) => Some((partner.clone(), refusal.nearest.clone())),
        _ => None,
    });
    let refusals = refusals.collect();
    let sealed: Vec<(PartnerId, SealedV1)> = replies
        .iter()
        .filter_map(|(partner, reply)| match &reply.outcome {
            OutcomeV1::Sealed(sealed) => Some((partner.clone(), (**sealed).clone())),
            _ => None,
        })
        .collect();
    let combined = match &coverage.total {
        Some(total) if wanted == Wanted::Total => Some(total_of(total, &coverage, &sealed, &grid)?),
        _ => combine(&grid, answers.iter().map(|(_, a)| a)),
    };
    if combined != coverage.combined {
        return Err(Failure::not_verified(
            "CC206",
            "the coordinator's sum is not the sum of the signed tables; nothing is shown",
        ));
    }
    let once = coverage.total.as_ref().zip(combined.as_ref()).and_then(|(total, sum)| Once::of(total, sum));
    let combined = match once {
        Some(once) => combined.map(|sum| once.with_error(sum)),
        None => combined,
    };
    let coverage = CoverageV1 { partners, ..coverage };
    let (id, question) = (ask.id, ask.question.clone());
    Ok(Shown {
        id,
        question,
        grid,
        coverage,
        combined,
        answers,
        sealed,
        refusals,
        quantiles: Vec::new(),
        links: None,
    })
}

/// What the analyst asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Wanted {
    /// Each partner's own table.
    OwnTables,
    /// One total whose parts nobody sees.
    Total,
}

/// The published total, where every partner that signed its word signed it of this very total, and is in it. Its figures are the coordinator's: a partner's
/// receipt and an auditor hold it to them.
fn total_of(
    total: &TotalV1,
    coverage: &CoverageV1,
    sealed: &[(PartnerId, SealedV1)],
    grid: &Grid,
) -> Result<CombinedV1, Failure> {
    let wrong = |what: &str| Failure::not_verified("CC215", format!("the total {what}; nothing is shown"));
    if sealed.iter().any(|(_, word)| !total.is_of(word)) {
        return Err(wrong("is not the one that its partners signed"));
    }
    let (_, first) = sealed.first().ok_or_else(|| wrong("has no word of any of its partners"))?;
    let table = coverage.combined.as_ref().map(TableV1::of_sum).ok_or_else(|| wrong("has no table"))?;
    TotalV1::combined(table, first, grid).ok_or_else(|| wrong("has no table"))
}

fn open_coverage(register: &Register, ask: &AskV1, hash: Hash, bytes: &[u8]) -> Result<CoverageV1, Failure> {
    let wrong = |what: &str| Failure::not_verified("CC207", format!("the coverage statement {what}"));
    let entry = register.coordinator.as_ref().ok_or_else(|| wrong("has no registered coordinator"))?;
    let coverage = CoverageV1::open(bytes, &entry.signing_key)
        .ok_or_else(|| wrong("is not signed by the registered coordinator"))?;
    let ours = coverage.question_id == ask.id
        && coverage.question_hash == hash
        && coverage.federation == ask.federation;
    if !ours {
        return Err(wrong("is of another question"));
    }
    // Under another version other partners, or other keys, may be the ones that count.
    if coverage.register_version != register.version {
        return Err(wrong("is of another version of the register; ask again"));
    }
    Ok(coverage)
}

/// The replies whose signature holds. One that does not hold is left out, and its partner is then `Unverified`.
fn open_replies(
    register: &Register,
    ask: &AskV1,
    hash: Hash,
    grid: &Grid,
    result: &RoundResult,
) -> Result<BTreeMap<PartnerId, ReplyV1>, Failure> {
    let mut replies = BTreeMap::new();
    for (partner, bytes) in &result.replies {
        let Some(entry) = register.partner(partner).filter(|_| ask.partners.contains(partner)) else {
            return Err(Failure::not_verified(
                "CC208",
                format!("a reply from `{partner}`, which was not asked"),
            ));
        };
        let expected =
            Expected { question_id: ask.id, question_hash: hash, federation: &ask.federation, partner, grid };
        if let Ok(reply) = ReplyV1::open(bytes, &entry.signing_key, &expected) {
            replies.insert(partner.clone(), plain_reply(reply));
        }
    }
    Ok(replies)
}

/// How a partner stands: by its own signed reply, or else by the coordinator's word, which can never be "answered".
fn line(
    partner: &PartnerId,
    coverage: &CoverageV1,
    replies: &BTreeMap<PartnerId, ReplyV1>,
    wanted: Wanted,
) -> Result<PartnerLine, Failure> {
    let told = coverage.partners.iter().find(|l| l.partner == *partner);
    let standing = match (replies.get(partner), told.map(|l| &l.standing)) {
        (Some(reply), _) => standing_of(reply),
        (None, Some(word @ (Standing::Offline | Standing::Late | Standing::Unverified))) => word.clone(),
        // A total that did not open leaves no partner a reply: why is the coordinator's word.
        (None, Some(word @ Standing::Fault(_))) if wanted == Wanted::Total => word.clone(),
        (None, Some(_)) => {
            let says = format!(
                "the coordinator says that `{partner}` replied, and shows no reply that its registered key signed"
            );
            return Err(Failure::not_verified("CC210", says));
        }
        (None, None) => {
            return Err(Failure::not_verified(
                "CC211",
                format!("the coverage statement leaves out `{partner}`, which was asked"),
            ));
        }
    };
    let policy = replies.get(partner).and_then(|reply| {
        // Its id, version and hash are the partner's own words; its last day is the coordinator's, if it is of this very policy.
        let decided = PolicyLine::of(&reply.policy, None)?;
        let until =
            told.and_then(|l| l.policy.as_ref()).filter(|p| p.hash == decided.hash).and_then(|p| p.until);
        Some(PolicyLine { until, ..decided })
    });
    Ok(PartnerLine { partner: partner.clone(), standing, policy })
}

#[cfg(test)]
mod tests;
