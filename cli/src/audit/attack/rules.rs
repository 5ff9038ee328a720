//! Attacks on rules: thresholds, cohorts, the account, repeated and rewritten questions, failures.

use cairn_policy::{Severity, check};
use cairn_question::Cell;
use cairn_question::combine::Standing;
use tokio::task::JoinSet;

use super::line::{Holds, Line};
use super::people::{Made, SIDES, TRACKED, codes};
use super::stage::{ATTACKER, Attacked, READER, Reply, Session, policy, sources};
use crate::failure::Failure;

/// The same columns with noise and with rounding, to one role: the two together would be worth more than either claims.
pub(super) fn mode_mixing() -> Line {
    let errors = |policy: &str| {
        let findings = check(&sources(policy));
        findings.iter().filter(|f| f.severity == Severity::Error).count()
    };
    let mixed = policy().replace("role     = \"reader\"", "role     = \"attacker\"");
    let (own, mixed) = (errors(policy()), errors(&mixed));
    let seen = format!("{own} errors in the gate's own policy, {mixed} in the mixed one");
    let claim = "no policy gives one role two treatments of the same columns";
    Line::of("mode-mixing", claim, seen, Holds::when(own == 0 && mixed > 0))
}

/// One question 20 times, and the same question in other words: fresh noise could be averaged away.
pub(super) async fn repeats(session: &mut Session) -> Result<Vec<Line>, Failure> {
    let first = session.ask(ATTACKER, REWRITINGS[0]).await?;
    let mut again = Vec::new();
    for _ in 0..REPEATS {
        again.push(session.ask(ATTACKER, REWRITINGS[0]).await?);
    }
    let mut rewritten = Vec::new();
    for text in REWRITINGS.iter().skip(1) {
        rewritten.push(session.ask(ATTACKER, text).await?);
    }
    Ok(vec![
        same_answers("averaging", "a repeated question gets the same table, uncharged", &first, &again),
        same_answers("rewriting", "an equal question gets the same table, uncharged", &first, &rewritten),
    ])
}

const REPEATS: usize = 20;

/// One question.
const REWRITINGS: [&str; 7] = [
    "people by gender where council = S12000047 and age band = 25_34 and care_experienced = no",
    "people by gender where age band = 25_34 and council = S12000047 and care_experienced = no",
    "people by gender where care_experienced = no and age band = 25_34 and council = S12000047",
    "people in participants by gender where care_experienced = no and council = S12000047 and age band = 25_34",
    "people in participants by participants.gender where council_code = S12000047 and age_band = 25_34 and care_experienced = no",
    "people by gender@code where age_band@code = 25_34 and care_experienced@code = no and council_code@code = S12000047",
    "people by gender where participants.council_code = Fife and participants.age_band = 25_34 and participants.care_experienced = no",
];

fn same_answers(attack: &'static str, claim: &str, first: &[Reply; 2], others: &[[Reply; 2]]) -> Line {
    let same = |one: &Reply, other: &Reply| {
        let (Some(one), Some(other)) = (one.table(), other.table()) else { return false };
        one.table == other.table && one.privacy.year_so_far == other.privacy.year_so_far
    };
    let all = others.iter().flat_map(|other| first.iter().zip(other));
    let equal = all.clone().filter(|(one, other)| same(one, other)).count();
    let asked = 2 * others.len();
    let seen = format!("{equal} of {asked} answers the same");
    Line::of(attack, claim, seen, Holds::when(equal == asked))
}

/// Counts at every height about the threshold: the shown ones must be those that the profile `sub-national-8-5` shows.
pub(super) async fn thresholds(made: &Made, session: &mut Session) -> Result<Line, Failure> {
    let replies = session.ask(READER, "people in participants by council_code, armed_forces").await?;
    let mut wrong = 0;
    let mut cells = 0;
    for (side, reply) in SIDES.into_iter().zip(&replies) {
        let truth = made.armed_by_council(side);
        let shown = reply.table().map(|a| a.table.cells.clone()).unwrap_or_default();
        wrong += truth.iter().zip(&shown).filter(|(n, cell)| published(**n) != **cell).count();
        wrong += truth.len().abs_diff(shown.len());
        cells += truth.len();
    }
    let seen = format!("{wrong} of {cells} cells other than the rule has them");
    let claim = "1 to 7 people are withheld, the rest are rounded to 5, and all cells stand in their place";
    Ok(Line::of("threshold", claim, seen, Holds::when(wrong == 0)))
}

/// The profile's words in arithmetic of the attacker's own.
fn published(people: i64) -> Cell {
    match people {
        0 => Cell::Value(0),
        1..8 => Cell::Withheld,
        n => Cell::Value((n + 2) / 5 * 5),
    }
}

/// A table, and the same table without a few people: where both are shown, the difference is about the few.
pub(super) async fn tracker(session: &mut Session) -> Result<Line, Failure> {
    let replies =
        session.ask(READER, "people in participants by council_code where unpaid_carer = no").await?;
    let shown = |reply: &Reply| {
        let cells = reply.table().map(|a| a.table.cells.clone()).unwrap_or_default();
        cells.iter().filter(|c| **c != Cell::Withheld).count()
    };
    let (answered, shown) =
        (replies.iter().filter(|r| r.table().is_some()).count(), replies.iter().map(shown).sum::<usize>());
    let seen = format!("{shown} cells shown of a table that leaves out {TRACKED} people");
    let claim = "a filter that leaves out a few people shows nothing";
    Ok(Line::of("tracker", claim, seen, Holds::when(shown == 0 && answered == 2)))
}

/// More questions at once than the account has left.
pub(super) async fn race(attacked: &Attacked, session: &mut Session) -> Result<Line, Failure> {
    let before = session.ask(ATTACKER, REWRITINGS[0]).await?;
    let paid_for = before.each_ref().map(left);
    let racers = paid_for.into_iter().max().unwrap_or_default() + TOO_MANY;
    // Everybody has dialled in before anybody asks, so that the questions come together.
    let mut ready = Vec::new();
    for (_, council) in (0..racers).zip(codes("council_code")) {
        ready.push((Session::open(attacked).await?, format!("people by age band where council = {council}")));
    }
    let mut asked = JoinSet::new();
    for (mut own, text) in ready {
        asked.spawn(async move {
            let replies = own.ask(ATTACKER, &text).await;
            own.close().await;
            replies
        });
    }
    let mut answered = [0_u64; 2];
    while let Some(replies) = asked.join_next().await {
        let replies = replies.map_err(|_| Failure::new("CC503", "a racing question came to nothing"))??;
        for (count, reply) in answered.iter_mut().zip(&replies) {
            *count += u64::from(reply.table().is_some());
        }
    }
    let seen = format!("{answered:?} of {racers} answered, {paid_for:?} were left");
    let claim = "questions that race are answered only as far as the account goes";
    let holds = answered.iter().zip(&paid_for).all(|(n, left)| n == left && *left > 0);
    Ok(Line::of("ledger-race", claim, seen, Holds::when(holds)))
}

/// So many more than are paid for.
const TOO_MANY: u64 = 5;

/// How many tables of ε = 1 the account has left.
fn left(reply: &Reply) -> u64 {
    let privacy = reply.table().map(|a| &a.privacy);
    let left = privacy.map_or(0, |p| p.year_cap.nano().saturating_sub(p.year_so_far.nano()));
    left / RHO_OF_ONE
}

/// ρ = ε·tanh(ε/2) at ε = 1, in nano, rounded up: the attacker's own figure.
const RHO_OF_ONE: u64 = 462_117_158;

/// A question that breaks inside both nodes, whose records differ: what comes back must not.
pub(super) async fn failing(attacked: &Attacked, session: &mut Session) -> Result<Line, Failure> {
    let mut damaged = 0;
    for side in SIDES {
        for part in attacked.parts(side, "participants")? {
            damage(&part)?;
            damaged += 1;
        }
    }
    let replies = session.ask(READER, "people in participants by council_code").await?;
    let [left, right] = replies.each_ref().map(Reply::words);
    let fault = |reply: &Reply| matches!(reply, Reply::Other(Standing::Fault(_)));
    let holds = damaged >= 2 && left == right && replies.iter().all(fault);
    let seen = format!("{left} and {right}");
    let claim = "a failure says nothing about the records";
    Ok(Line::of("failing-question", claim, seen, Holds::when(holds)))
}

/// Cuts a file in half.
fn damage(part: &std::path::Path) -> Result<(), Failure> {
    let cannot = |_| Failure::new("CC104", format!("{} cannot be written", part.display()));
    let bytes = std::fs::read(part).map_err(cannot)?;
    let half = bytes.get(..bytes.len() / 2).unwrap_or_default();
    std::fs::remove_file(part).map_err(cannot)?;
    std::fs::write(part, half).map_err(cannot)
}
