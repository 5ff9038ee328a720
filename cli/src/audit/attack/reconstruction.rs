//! Reconstruction: everything of everybody is known but one bit each, and the year's account of the shipped templates is spent on that bit.
//!
//! The tables are those that say most of one person: in the smallest cells that the policies give, over periods that differ only where nobody
//! started, so that each shows every person once more, under fresh noise and at full price.

use cairn_question::{AnswerV1, Cell, TreatmentV1};

use super::line::{Holds, Line};
use super::people::SIDES;
use super::secrets::{Group, Secrets, councils, mapping, quarter};
use super::stage::{Asker, Attacked, Reply, Scene, Session};
use super::statistics::{ALARM, Hits};
use crate::failure::Failure;
use crate::policy::FRAMEWORK;

/// A council and a charity, each under the template for its kind.
const TEMPLATES: [&str; 2] = [
    include_str!("../../../../policies/templates/council/policy.toml"),
    include_str!("../../../../policies/templates/charity/policy.toml"),
];

const ASKER: Asker = Asker { role: "equalities-analyst", purpose: "equalities" };

/// The charity's template gives each analyst five tables a day. How many analysts there are is a promise between organisations, which the attacker's
/// does not keep; the account is one for them all.
const ANALYSTS: usize = 6;

/// What release.md asks for: at most this share of the bits.
const SHARE_MOST: f64 = 0.6;

/// What is attacked.
pub(super) fn scene(secrets: &Secrets) -> Scene {
    Scene {
        framework: FRAMEWORK,
        policies: TEMPLATES.map(str::to_owned),
        exports: secrets.exports(),
        mapping,
        analysts: ANALYSTS,
        roles: &[ASKER.role],
        // Of the account, and asked again in its turn: the stored table then, at no further price.
        probe: (ASKER, questions().swap_remove(0)),
    }
}

/// The one line.
pub(super) async fn attack(secrets: &Secrets, attacked: &Attacked) -> Result<Line, Failure> {
    let mut analysts = Vec::new();
    for n in 0..ANALYSTS {
        analysts.push(Session::open_as(attacked, n).await?);
    }
    let mut tables: [Vec<Table>; 2] = [Vec::new(), Vec::new()];
    for (n, text) in questions().iter().enumerate() {
        let Some(analyst) = analysts.get_mut(n % ANALYSTS) else { break };
        let replies = analyst.ask(ASKER, text).await?;
        for (side, reply) in tables.iter_mut().zip(&replies) {
            side.extend(reply.table().and_then(Table::of));
        }
        if replies.iter().all(Reply::is_spent) {
            break;
        }
    }
    for analyst in analysts {
        analyst.close().await;
    }
    let guesses = SIDES
        .into_iter()
        .zip(&tables)
        .flat_map(|(side, tables)| secrets.groups(side).iter().map(|group| (group, readings(group, tables))));
    let score = Score::of(guesses);
    Ok(line(&score, tables.each_ref().map(Vec::len)))
}

fn line(score: &Score, tables: [usize; 2]) -> Line {
    let [left, right] = tables;
    let seen = format!(
        "{:.1} % of {} people, and {:.1} % of the {} who are alone in every cell, from {left} and {right} tables",
        score.all.percent(),
        score.all.of,
        score.alone.percent(),
        score.alone.of
    );
    let claim =
        "a year's account lets no more than 60 in 100 secret bits be guessed, alone in every cell or not";
    let holds = left > 0 && right > 0 && score.alone.least(ALARM) <= SHARE_MOST;
    Line::of("reconstruction", claim, seen, Holds::when(holds))
}

/// More than any account of a template pays for, no two equal.
fn questions() -> Vec<String> {
    let periods = [1, 2].into_iter().flat_map(|first| (27..41).map(move |last| (first, last)));
    let text = |(first, last)| {
        format!(
            "people in engagements by participants.disabled_eqa, participants.council_code, start_date@quarter from {} to {}",
            quarter(first),
            quarter(last)
        )
    };
    periods.map(text).collect()
}

/// A noisy table, and how wide its noise is.
struct Table {
    answer: AnswerV1,
    scale: f64,
}

impl Table {
    fn of(answer: &AnswerV1) -> Option<Self> {
        let TreatmentV1::Dp { epsilon, sensitivity, .. } = &answer.treatment else { return None };
        let scale = f64::from(*sensitivity) * 1e6 / f64::from(epsilon.millionths());
        Some(Self { answer: answer.clone(), scale })
    }

    /// What it shows of one council and quarter.
    fn reading(&self, council: &str, quarter: &str) -> Option<Reading> {
        let [disabled, councils, quarters] = self.answer.table.dimensions.as_slice() else { return None };
        let place = |codes: &[String], code: &str| codes.iter().position(|c| c == code);
        let (council, quarter) = (place(&councils.codes, council)?, place(&quarters.codes, quarter)?);
        let value = |whether: &str| {
            let row = place(&disabled.codes, whether)? * councils.codes.len() + council;
            let cell = self.answer.table.cells.get(row * quarters.codes.len() + quarter)?;
            if let Cell::Value(v) = cell { Some(*v) } else { None }
        };
        Some(Reading { disabled: value("yes")?, others: value("no")?, scale: self.scale })
    }
}

/// What all tables show of a group, quarter by quarter.
fn readings(group: &Group, tables: &[Table]) -> Vec<Reading> {
    let councils = councils();
    let council = councils.get(group.council).map_or("", String::as_str);
    let quarters = group.quarters.iter().map(|n| quarter(*n));
    quarters.flat_map(|q| tables.iter().filter_map(move |table| table.reading(council, &q))).collect()
}

/// Two noisy counts of one group: of those who are disabled, and of the others.
struct Reading {
    disabled: i64,
    others: i64,
    scale: f64,
}

/// Which guess is right more often, for each of a group of so many people: nothing tells them apart, so it is one guess for all.
///
/// Every number of disabled people is as likely as fair coins and the noise make it (Bayes). No other guess from these tables is right more often; least
/// squares would throw away half of what Laplace noise leaves to see.
fn guess(people: usize, readings: &[Reading]) -> bool {
    let whole = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let (mut ways, mut logs) = (0.0_f64, Vec::new());
    for disabled in 0..=people {
        let off = |r: &Reading| {
            let apart = r.disabled.abs_diff(whole(disabled)) + r.others.abs_diff(whole(people - disabled));
            // Exact up to 2⁵³, far beyond any noise.
            apart as f64 / r.scale
        };
        logs.push((disabled, ways - readings.iter().map(off).sum::<f64>()));
        // The next binomial coefficient.
        ways += (whole(people - disabled) as f64 / whole(disabled + 1) as f64).ln();
    }
    let most = logs.iter().map(|(_, log)| *log).fold(f64::NEG_INFINITY, f64::max);
    let beyond_half =
        |(disabled, log): &(usize, f64)| (2 * whole(*disabled) - whole(people)) as f64 * (log - most).exp();
    logs.iter().map(beyond_half).sum::<f64>() > 0.0
}

/// How many bits were guessed right.
struct Score {
    all: Hits,
    /// Of those who are alone in every cell.
    alone: Hits,
}

impl Score {
    fn of<'a>(groups: impl Iterator<Item = (&'a Group, Vec<Reading>)>) -> Self {
        let (mut all, mut alone) = (Vec::new(), Vec::new());
        for (group, readings) in groups {
            let guess = guess(group.disabled.len(), &readings);
            let right: Vec<bool> = group.disabled.iter().map(|bit| *bit == guess).collect();
            if let [right] = right.as_slice() {
                alone.push(*right);
            }
            all.extend(right);
        }
        Self { all: Hits::count(all.into_iter()), alone: Hits::count(alone.into_iter()) }
    }
}

#[cfg(test)]
mod tests;
