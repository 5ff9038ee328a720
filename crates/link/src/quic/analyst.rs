//! An analyst's end.

use cairn_question::{PartnerId, QuestionId};

use crate::address::Address;
use crate::clock::Clock;
use crate::error::LinkError;
use crate::frame::Progress;
use crate::identity::AnalystIdentity;

/// An analyst's connection to the coordinator.
pub struct AnalystClient {}

/// What came back: nothing in it is verified yet.
#[derive(Clone)]
pub struct RoundResult {
    /// The partners' signed replies, each partner once, in the order in which they came.
    pub replies: Vec<(PartnerId, Vec<u8>)>,
    /// The signed coverage statement.
    pub coverage: Vec<u8>,
}

impl AnalystClient {
    /// Dials the coordinator.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn connect(
        identity: &AnalystIdentity,
        coordinator: &Address,
        clock: &Clock,
    ) -> Result<Self, LinkError> {
        let _ = (identity, clock);
        Err(LinkError::Unreachable { address: coordinator.to_string(), why: "nothing listens".to_owned() })
    }

    /// Sends a signed question and waits for the round's result; `on_progress` hears how it stands.
    ///
    /// # Errors
    /// [`LinkError::Declined`] with the coordinator's own code; [`LinkError::Lost`], after which [`Self::fetch`] gets the result
    /// of a question that was accepted.
    pub async fn ask(
        &self,
        ask: Vec<u8>,
        on_progress: impl FnMut(Progress) + Send,
    ) -> Result<RoundResult, LinkError> {
        let _ = (ask, on_progress);
        Err(LinkError::Lost { why: String::new() })
    }

    /// The result of an earlier question of the same analyst; waits if its round is still open.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn fetch(
        &self,
        question: QuestionId,
        on_progress: impl FnMut(Progress) + Send,
    ) -> Result<RoundResult, LinkError> {
        let _ = (question, on_progress);
        Err(LinkError::Lost { why: String::new() })
    }

    /// The federation's signed register.
    ///
    /// # Errors
    /// [`LinkError`].
    pub async fn register(&self) -> Result<Vec<u8>, LinkError> {
        Err(LinkError::Lost { why: String::new() })
    }

    /// Ends the connection and waits until the other end can know.
    pub async fn close(self) {}
}
