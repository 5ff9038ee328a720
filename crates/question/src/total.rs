//! Secure totals: what is agreed about one before it is counted, what a partner says of its part, and what the coordinator publishes.

use serde::{Deserialize, Serialize};

use crate::answer::{AnswerV1, PrivacyStatement, SnapshotStatement, TableV1, TreatmentV1, Zeros};
use crate::breakdown::Breakdown;
use crate::combine::{CombinedV1, combine};
use crate::grid::Grid;
use crate::id::{Hash, PartnerId};
use crate::measure::Measure;
use crate::perturbations::Perturbations;
use crate::privacy::{Epsilon, GaussianLoss};
use crate::question::Question;
use crate::scaling::Scaling;

/// How a total is protected: one for all partners of it, since the noise that protects one partner's people is drawn by the others.
///
/// Complete: another one is another version of the protocol, and a node that does not know it takes no part ([`TotalTreatment::METHODS`]).
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "kebab-case", deny_unknown_fields)]
pub enum TotalTreatment {
    /// Each node's share of discrete Laplace noise, inside the mask.
    Dp {
        /// The loss of the whole table.
        epsilon: Epsilon,
        /// The most that one person adds at one partner, in all cells together (L1).
        sensitivity: u32,
    },
    /// Each node's share of discrete Gaussian noise on scaled counts, inside the mask; the coordinator divides by the factor again.
    DpGaussian {
        /// The loss of the whole table.
        loss: GaussianLoss,
        /// The most that one person adds at one partner, in all cells together (L1).
        sensitivity: u32,
        /// Δ₂², the square of the most that one person moves the table by at one partner, as a distance (L2): what the noise is made for.
        l2_squared: u64,
        /// What every partner multiplies its counts by: the manifest's scale.
        scaling: Scaling,
    },
    /// Each node's cells changed by the keys of their people, inside the mask; then threshold and rounding on the total, by the coordinator,
    /// which sees no exact one.
    CellKey {
        /// By which table of perturbations, at every node.
        table: Perturbations,
        /// Fewer people than this are withheld, of the changed total.
        min_people: u32,
        /// The rounding base.
        round_to: u32,
        /// Whether 0 is shown.
        zeros: Zeros,
    },
    /// Threshold and rounding on the total, by the coordinator, which sees exact totals.
    SuppressRound {
        /// Fewer people than this are withheld.
        min_people: u32,
        /// The rounding base.
        round_to: u32,
        /// Whether 0 is shown.
        zeros: Zeros,
        /// For each filter: it leaves out nobody at all partners together, or at least this many. 0: no such rule.
        min_cohort: u32,
        /// Most rows of one person in a cell at one partner: 1 where people are counted.
        rows_per_person: u32,
    },
    /// The randomised pattern of people counted once over all partners, each inside the mask.
    CountOnce {
        /// ε₀: the loss of one linkage key, whoever sees the opened pattern.
        epsilon: Epsilon,
        /// The most linkage keys that one person is recorded under: their loss is so many times ε₀.
        keys_per_person: u32,
        /// The pattern has 2 to this power of buckets: made for the people that public figures lead one to expect.
        buckets_power: u8,
        /// What makes the same person at two partners the same.
        linked_by: LinkedBy,
        /// Of a table of several cells, each with such a pattern: in how many of them one person is. Absent where there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        breakdown: Option<Breakdown>,
    },
}

/// What makes the same person at two partners the same: one for all partners of a count, since a person who is known by a number here and by a name
/// there would be two.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkedBy {
    /// The National Insurance number.
    Nino,
    /// Letters of the names and the date of birth: SLK-581 without sex.
    Slk,
}

impl LinkedBy {
    /// In a file or a question.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nino => "nino",
            Self::Slk => "slk",
        }
    }

    /// For readers.
    #[must_use]
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Nino => "National Insurance number",
            Self::Slk => "letters of the names and date of birth",
        }
    }
}

/// A partner's signed word that its table is in one opened total, and in no other of this question.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedV1 {
    /// SHA-256 of the manifest's text.
    pub manifest: Hash,
    /// H₂ of the attempt that opened: stands for every partner's sealed vector.
    pub opening: Hash,
    /// The partners whose sum it is, in the order of their names.
    pub partners: Vec<PartnerId>,
    /// How the total is protected.
    pub treatment: TreatmentV1,
    /// The snapshot that this partner counted.
    pub snapshot: SnapshotStatement,
    /// What it cost this partner's people, and what their account stands at.
    pub privacy: PrivacyStatement,
}

/// A total whose parts nobody saw, as the coordinator published it. Its figures are those of the coverage statement's sum, which has one part.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TotalV1 {
    /// How it is protected: as every partner of it signed.
    pub treatment: TreatmentV1,
    /// The partners whose sum it is, in the order of their names.
    pub partners: Vec<PartnerId>,
    /// Of them, how many may collude without learning another's figure.
    pub colluding_max: u16,
    /// SHA-256 of the manifest's text.
    pub manifest: Hash,
    /// H₂ of the attempt that opened.
    pub opening: Hash,
    /// Stands for every vector, commitment and signature of the round: what an auditor recomputes the total from.
    pub transcript: Hash,
}

impl TotalTreatment {
    /// The `method` of each: whoever reads another one has an older program than whoever wrote it.
    pub const METHODS: [&str; 5] = ["dp", "dp-gaussian", "cell-key", "suppress-round", "count-once"];

    /// Whether its noise is fresh and charged each time.
    #[must_use]
    pub const fn is_charged(&self) -> bool {
        matches!(self, Self::Dp { .. } | Self::DpGaussian { .. } | Self::CountOnce { .. })
    }

    /// What every partner multiplies its counts by.
    #[must_use]
    pub const fn scaling(&self) -> Scaling {
        match self {
            Self::DpGaussian { scaling, .. } => *scaling,
            Self::Dp { .. } | Self::CellKey { .. } | Self::SuppressRound { .. } | Self::CountOnce { .. } => {
                Scaling::NONE
            }
        }
    }

    /// Whether its counts are scaled enough for the noise of so many honest partners to be what is claimed; without Gaussian noise there is nothing to scale.
    #[must_use]
    pub fn is_scaled_for(&self, honest: u16) -> bool {
        match self {
            Self::DpGaussian { loss, l2_squared, scaling, .. } => std::num::NonZeroU64::new(*l2_squared)
                .is_some_and(|l2_squared| scaling.is_enough(loss.of_noise(), l2_squared, honest)),
            Self::Dp { .. } | Self::CellKey { .. } | Self::SuppressRound { .. } | Self::CountOnce { .. } => {
                true
            }
        }
    }

    /// How many numbers each partner masks for a question of so many cells: its cells; without noise also, where rows are counted, the people
    /// behind them, and where cohorts are held, the people that each filter leaves out. `None` for people counted once, whose buckets are chosen.
    #[must_use]
    pub fn numbers(&self, question: &Question, cells: usize) -> Option<usize> {
        match self {
            Self::Dp { .. } | Self::DpGaussian { .. } | Self::CellKey { .. } => Some(cells),
            Self::SuppressRound { min_cohort, .. } => {
                let rows = if question.measure == Measure::People { 0 } else { cells };
                let filters = if *min_cohort == 0 { 0 } else { question.filter_by.len() };
                cells.checked_add(rows)?.checked_add(filters)
            }
            Self::CountOnce { .. } => None,
        }
    }
}

impl TotalV1 {
    /// Whether a partner's signed word is of this total: the same partners, opening, manifest and treatment.
    #[must_use]
    pub fn is_of(&self, sealed: &SealedV1) -> bool {
        (self.manifest, self.opening) == (sealed.manifest, sealed.opening)
            && self.partners == sealed.partners
            && self.treatment == sealed.treatment
    }

    /// The sum of one part that a total is, so that it is read and ranged as any other. `of` is the signed word of any of its partners.
    #[must_use]
    pub fn combined(table: TableV1, of: &SealedV1, grid: &Grid) -> Option<CombinedV1> {
        combine(grid, [&Self::as_answer(table, of)])
    }

    /// A total's table as the one answer that it is to whatever reads answers. `of` as above.
    #[must_use]
    pub fn as_answer(table: TableV1, of: &SealedV1) -> AnswerV1 {
        let (treatment, snapshot, privacy) = (of.treatment.clone(), of.snapshot.clone(), of.privacy.clone());
        AnswerV1 { table, treatment, snapshot, privacy }
    }
}

impl TableV1 {
    /// The table of a sum's own cells.
    #[must_use]
    pub fn of_sum(sum: &CombinedV1) -> Self {
        let cells = sum.cells.iter().map(|cell| cell.cell).collect();
        Self { dimensions: sum.dimensions.clone(), cells, totals: Vec::new() }
    }

    /// SHA-256 of the table as a receipt names it.
    #[must_use]
    pub fn hash(&self) -> Hash {
        // Names, codes and numbers only: serde_json cannot fail on them.
        Hash::of(&serde_json::to_vec(self).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaussian(power: u8) -> TotalTreatment {
        let loss = GaussianLoss::at(Epsilon::MAX, 1_000_000).unwrap();
        let scaling = Scaling::of_power(power).unwrap();
        TotalTreatment::DpGaussian { loss, sensitivity: 2, l2_squared: 2, scaling }
    }

    /// The wire's words, which must not change: each is read as what was written, and every method is in the list.
    #[test]
    fn a_treatment_is_written_as_it_is_read() {
        let rho = GaussianLoss::at(Epsilon::MAX, 1_000_000).unwrap().rho().nano();
        let text = format!(
            r#"{{"method":"dp-gaussian","loss":{{"rho":{rho},"epsilon":10000000,"delta_trillionths":1000000}},"sensitivity":2,"l2_squared":2,"scaling":5}}"#
        );
        assert_eq!(serde_json::to_string(&gaussian(5)).unwrap(), text);
        assert_eq!(serde_json::from_str::<TotalTreatment>(&text).unwrap(), gaussian(5));
        for changed in [
            ("scaling\":5", "scaling\":17"),
            ("rho\":", "rho\":9"),
            ("dp-gaussian", "dp"),
            ("dp-gaussian", "gauss"),
        ] {
            let other = text.replace(changed.0, changed.1);
            assert_ne!(other, text);
            assert!(serde_json::from_str::<TotalTreatment>(&other).is_err(), "{other}");
        }
        let error = serde_json::from_str::<TotalTreatment>(r#"{"method":"other"}"#).unwrap_err().to_string();
        for method in TotalTreatment::METHODS {
            assert!(error.contains(&format!("`{method}`")), "{error}");
        }
        assert_eq!(error.matches('`').count(), 2 + 2 * TotalTreatment::METHODS.len(), "{error}");
    }

    #[test]
    fn gaussian_noise_alone_is_scaled_and_must_be() {
        assert_eq!(gaussian(5).scaling().factor(), 32);
        // ρ is about 1.54, Δ₂² 2: σ about .8. 16·σ/√16 is 3.2, 8·σ/√16 is 1.6, 8·σ/√4 is 3.2.
        assert!(gaussian(4).is_scaled_for(16));
        assert!(!gaussian(3).is_scaled_for(16));
        assert!(gaussian(3).is_scaled_for(4));
        let dp = TotalTreatment::Dp { epsilon: Epsilon::MAX, sensitivity: 1 };
        assert_eq!(dp.scaling(), Scaling::NONE);
        assert!(dp.is_scaled_for(u16::MAX));
        assert!(gaussian(0).is_charged());
    }
}
