//! How a share's tables are protected, in figures that a board reads.

use cairn_question::privacy::{Epsilon, NanoRho};

use super::{Protection, Shown};
use crate::decimal;
use crate::explain::noise::{self, Draws, within};
use crate::layers::{Layers, Ready};
use crate::treatment::{Cells, Mechanism, Method, Secondary};

pub(super) fn protection(layers: &Layers, ready: &Ready, partners: u32) -> Protection {
    let plain = |cells: &Cells, shown: Shown| Protection::Plain {
        min_people: cells.min_people,
        zeros: cells.zeros,
        shown,
        secondary: cells.secondary == Secondary::Yes,
        dominance: cells.dominance.map(|d| (d.largest, d.max_percent)),
    };
    match &ready.method {
        Method::SuppressRound(cells) => plain(cells, Shown::Rounded(cells.round_to)),
        Method::SuppressAudit(cells) => plain(cells, Shown::Exact),
        Method::CellKey { table, cells } => plain(cells, Shown::Perturbed(table.clone(), cells.round_to)),
        Method::Dp { mechanism: Mechanism::Gaussian(loss), epsilon, groups_per_person } => {
            gaussian(layers, ready, partners, (loss.rho, *epsilon, *groups_per_person))
        }
        Method::Dp { mechanism: Mechanism::Laplace, epsilon, groups_per_person } => {
            let (epsilon, groups) = (epsilon.millionths(), *groups_per_person);
            let colluding = layers.framework.secure.as_ref().map_or(0, |s| s.colluding_max.value);
            let (here, national) = if ready.settings.min_partners > 1 {
                let shared = within(epsilon, groups, Draws::shared_by(partners, colluding));
                (shared, shared)
            } else {
                (within(epsilon, groups, Draws::ONE), within(epsilon, groups, Draws::own_of(partners)))
            };
            let (odds, epsilon) = (odds(epsilon), decimal::print(epsilon));
            Protection::Noise { epsilon, concentrated: None, odds, here, national }
        }
    }
}

fn gaussian(
    layers: &Layers,
    ready: &Ready,
    partners: u32,
    (rho, epsilon, groups): (NanoRho, Epsilon, u32),
) -> Protection {
    let colluding = layers.framework.secure.as_ref().map_or(0, |s| s.colluding_max.value);
    let within = |draws| noise::gaussian_within(rho.nano(), groups, draws);
    let (here, national) = if ready.settings.min_partners > 1 {
        let shared = within(Draws::shared_by(partners, colluding));
        (shared, shared)
    } else {
        (within(Draws::ONE), within(Draws::own_of(partners)))
    };
    let delta = layers.policy.budget.as_ref().map_or(0.0, |b| b.delta.value);
    Protection::Noise {
        epsilon: decimal::print(epsilon.millionths()),
        concentrated: Some((rho.to_string(), format!("{delta:e}"))),
        odds: odds(epsilon.millionths()),
        here,
        national,
    }
}

/// e^ε, rounded up to the next hundredth: what a table under ε can do to the odds of a guess (Dwork and Roth 2014, section 2.3).
pub(in crate::explain) fn odds(epsilon_millionths: u32) -> String {
    format!("{:.2}", ((f64::from(epsilon_millionths) / 1e6).exp() * 100.0).ceil() / 100.0)
}
