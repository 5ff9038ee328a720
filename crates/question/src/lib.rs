//! The words all parties share: questions, answers, refusals, coverage, codes and signatures.
//!
//! This crate is pure: no clock, file, socket or randomness beyond the signing key it is handed. Everything that
//! crosses a line of trust is parsed once here into a checked type, and every length has a limit ([`limits`]).

pub mod answer;
mod breakdown;
mod canonical;
pub mod card;
pub mod checkpoint;
pub mod combine;
pub mod credential;
pub mod day;
mod definition;
mod envelope;
pub mod form;
pub mod grid;
pub mod id;
pub mod limits;
pub mod measure;
pub mod padding;
mod perturbations;
pub mod privacy;
pub mod question;
pub mod refusal;
pub mod register;
#[cfg(feature = "sabotage")]
pub mod sabotage;
mod scaling;
pub mod schema;
pub mod total;

pub use answer::{AnswerV1, Cell, OutcomeV1, ReplyV1, TableV1, TreatmentV1};
pub use breakdown::{Breakdown, NotABreakdown};
pub use card::PolicyCard;
pub use checkpoint::CheckpointV1;
pub use credential::{Credential, IssuerPins};
pub use day::{Day, Moment, Period};
pub use envelope::{Envelope, Signature, SigningKey, VerifyingKey};
pub use grid::{Dimension, Grid, Place};
pub use id::{Hash, Name, PartnerId, QuestionId};
pub use measure::{Measure, MeasureError};
pub use perturbations::{ChangedTotalV1, Perturbations};
pub use question::{AskV1, Filter, GroupBy, OpenAsk, Question, SignedAsk};
pub use refusal::{Refusal, RuleBroken};
pub use scaling::{Scaling, ScalingOutOfRange};
pub use schema::Schema;
pub use total::{LinkedBy, SealedV1, TotalTreatment, TotalV1};

/// Where a test build breaks the program on purpose (docs/reference/attacks.md). In every other build it is the value, and nothing else.
#[cfg(not(feature = "sabotage"))]
#[macro_export]
macro_rules! sabotage {
    ($value:expr, $which:ident => $harm:expr) => {{ $value }};
}

/// The value, or the harm where this sabotage was chosen.
#[cfg(feature = "sabotage")]
#[macro_export]
macro_rules! sabotage {
    ($value:expr, $which:ident => $harm:expr) => {
        if $crate::sabotage::is($crate::sabotage::Sabotage::$which) { $harm } else { $value }
    };
}
