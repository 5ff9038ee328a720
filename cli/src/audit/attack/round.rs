//! The rounds of the gate: attacks that share their questions are tried together.

use super::line::Line;
use super::people::Made;
use super::secrets::Secrets;
use super::stage::{Attacked, Session};
use super::{noise, reconstruction, rules, timing};
use crate::failure::Failure;

/// One round. In an order that matters: what needs the account comes before the race, which empties it, and records are damaged after
/// all that reads them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Round {
    Policies,
    Canaries,
    Floods,
    Sums,
    Repeats,
    Thresholds,
    Trackers,
    Times,
    Race,
    Failures,
    /// Of a federation of its own, under shipped templates.
    Reconstruction,
}

/// What is attacked, and what is true there.
pub(super) struct Against<'a> {
    pub(super) made: &'a Made,
    pub(super) secrets: &'a Secrets,
    pub(super) attacked: &'a Attacked,
    /// How many questions are timed at each partner.
    pub(super) timed: usize,
}

impl Round {
    pub(super) const ALL: [Self; 11] = [
        Self::Policies,
        Self::Canaries,
        Self::Floods,
        Self::Sums,
        Self::Repeats,
        Self::Thresholds,
        Self::Trackers,
        Self::Times,
        Self::Race,
        Self::Failures,
        Self::Reconstruction,
    ];

    /// What is being tried, in words.
    pub(super) const fn says(self) -> &'static str {
        match self {
            Self::Policies => "policies",
            Self::Canaries => "canaries",
            Self::Floods => "floods",
            Self::Sums => "sums",
            Self::Repeats => "repeats and rewritings",
            Self::Thresholds => "thresholds",
            Self::Trackers => "trackers",
            Self::Times => "times and sizes",
            Self::Race => "a race for the account",
            Self::Failures => "questions that fail",
            Self::Reconstruction => "a reconstruction",
        }
    }

    /// Its attacks: one line for each.
    pub(super) const fn attacks(self) -> &'static [&'static str] {
        match self {
            Self::Policies => &["mode-mixing"],
            Self::Canaries => &[
                "full-grid",
                "canary-table",
                "noise-fit",
                "noise-at-zero",
                "noise-of-partners",
                "noise-of-questions",
            ],
            Self::Floods => &["group-flood", "row-flood"],
            Self::Sums => &["sum-flood", "sum-width"],
            Self::Repeats => &["averaging", "rewriting"],
            Self::Thresholds => &["threshold"],
            Self::Trackers => &["tracker"],
            Self::Times => &["timing", "sizes"],
            Self::Race => &["ledger-race"],
            Self::Failures => &["failing-question"],
            Self::Reconstruction => &["reconstruction"],
        }
    }

    pub(super) async fn run(
        self,
        against: &Against<'_>,
        session: &mut Session,
    ) -> Result<Vec<Line>, Failure> {
        let Against { made, secrets, attacked, timed } = *against;
        Ok(match self {
            Self::Policies => vec![rules::mode_mixing()],
            Self::Canaries => noise::canaries(made, session).await?,
            Self::Floods => noise::floods(made, session).await?,
            Self::Sums => noise::sums(made, session).await?,
            Self::Repeats => rules::repeats(session).await?,
            Self::Thresholds => vec![rules::thresholds(made, session).await?],
            Self::Trackers => vec![rules::tracker(session).await?],
            Self::Times => timing::times_and_sizes(attacked, timed).await?.into(),
            Self::Race => vec![rules::race(attacked, session).await?],
            Self::Failures => vec![rules::failing(attacked, session).await?],
            Self::Reconstruction => vec![reconstruction::attack(secrets, attacked).await?],
        })
    }
}
