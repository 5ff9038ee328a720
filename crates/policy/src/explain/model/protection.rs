//! How a share's tables are protected, in figures that a board reads.

use super::{Once, Protection, Shown};
use crate::decimal;
use crate::explain::noise::{self, Draws};
use crate::layers::{Layers, Ready};
use crate::treatment::{Cells, CountOnce, Mechanism, Method, Secondary};
use cairn_question::{ChangedTotalV1, Perturbations};

pub(super) fn protection(layers: &Layers, ready: &Ready, partners: u32) -> Protection {
    let plain = |cells: &Cells, shown: Shown| Protection::Plain {
        min_people: cells.min_people,
        zeros: cells.zeros,
        shown,
        secondary: cells.secondary == Secondary::Yes,
        // No audit is made of a total.
        audited: ready.settings.min_partners <= 1 && ready.method.audited().is_some(),
        dominance: cells.dominance.map(|d| (d.largest, d.max_percent)),
    };
    match &ready.method {
        Method::SuppressRound(cells) => plain(cells, Shown::Rounded(cells.round_to)),
        Method::SuppressAudit(cells) => plain(cells, Shown::Exact),
        Method::CellKey { table, cells } => plain(cells, Shown::Perturbed(table.clone(), cells.round_to)),
        Method::CountOnce(count) => Protection::Once(once(*count, ready)),
        Method::Dp { mechanism, epsilon, groups_per_person } => {
            let (here, national) = figures(layers, ready, partners, |draws| match mechanism {
                Mechanism::Laplace => noise::within(epsilon.millionths(), *groups_per_person, draws),
                Mechanism::Gaussian(loss) => {
                    // A total's shares are drawn for a billionth less than is charged.
                    let shared = u64::from(ready.settings.min_partners > 1);
                    noise::gaussian_within(loss.rho.nano().saturating_sub(shared), *groups_per_person, draws)
                }
            });
            let delta = layers.policy.budget.as_ref().map_or(0.0, |b| b.delta.value);
            let concentrated = match mechanism {
                Mechanism::Laplace => None,
                Mechanism::Gaussian(loss) => Some((loss.rho.to_string(), format!("{delta:e}"))),
            };
            let (odds, epsilon) = (odds(epsilon.millionths()), decimal::print(epsilon.millionths()));
            Protection::Noise { epsilon, concentrated, odds, here, national }
        }
    }
}

/// The odds are of what costs a person most: a table where the share has any, and else one figure.
fn once(count: CountOnce, ready: &Ready) -> Once {
    let (key, person) = (count.epsilon.millionths(), count.in_one_cell().person_epsilon().millionths());
    let table = Some(count).filter(|_| !ready.share.group_by.is_empty());
    let table = table.map(|count| (count.cells_per_person, count.person_epsilon().millionths()));
    Once {
        epsilon: decimal::print(key),
        keys: count.keys_per_person,
        person: decimal::print(person),
        odds: odds(table.map_or(person, |(_, epsilon)| epsilon)),
        broken_down: table.map(|(cells, epsilon)| (cells, decimal::print(epsilon))),
        counts: (count.counts_per_year, count.counts_lifetime),
        // Relative error by the formula of the estimate, for 32 partners of whom 10 may collude (docs/reference/people-counted-once.md).
        off_by: match key {
            ..1_000_000 => "more than 1 to 4 %",
            1_000_000..2_000_000 => "about 1 to 4 %",
            _ => "about 1 % or less",
        },
    }
}

/// How far off a total of so many partners is, each of which changes its own counts; `None` where they do not, or where no total is made.
pub(super) fn changed_total(ready: &Ready, partners: u32) -> Option<ChangedTotalV1> {
    let Method::CellKey { table, .. } = &ready.method else { return None };
    let table = Perturbations::named(table).filter(|_| ready.settings.min_partners > 1)?;
    Some(table.off_by(u16::try_from(partners).unwrap_or(u16::MAX)))
}

/// How far off what one question gives may be, and the national figure; `within` says it of so many draws.
fn figures(layers: &Layers, ready: &Ready, partners: u32, within: impl Fn(Draws) -> u64) -> (u64, u64) {
    if ready.settings.min_partners > 1 {
        let colluding = layers.framework.secure.as_ref().map_or(0, |s| s.colluding_max.value);
        let shared = within(Draws::shared_by(partners, colluding));
        (shared, shared)
    } else {
        (within(Draws::ONE), within(Draws::own_of(partners)))
    }
}

/// e^ε, rounded up to the next hundredth: what a table under ε can do to the odds of a guess (Dwork and Roth 2014, section 2.3).
pub(in crate::explain) fn odds(epsilon_millionths: u32) -> String {
    format!("{:.2}", ((f64::from(epsilon_millionths) / 1e6).exp() * 100.0).ceil() / 100.0)
}
