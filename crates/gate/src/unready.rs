//! Replies of a node that is not ready: without a policy nothing is decided, without records nothing is counted. Silence would look
//! like a node that is offline.

use cairn_ledger::Ledger;
use cairn_policy::Layers;
use cairn_question::answer::PolicyStatement;
use cairn_question::{Hash, Moment, OutcomeV1, Refusal};

use crate::context::Context;
use crate::gate::{Gate, Step};
use crate::permit::Permitted;
use crate::verify::Verified;

/// Why no policy is in force. Complete, not open: each has its own refusal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Without {
    /// None was accepted.
    Policy,
    /// None can be: the node knows no board whose approval would count.
    Board,
    /// The ledger was put back from a backup and lacks charges, so that under no policy there is an account to draw on.
    Charges,
}

impl Without {
    fn refusal(self) -> Refusal {
        match self {
            Self::Policy => Refusal::one("node.no-policy", "CN005", "no sharing policy is in force here"),
            Self::Board => {
                Refusal::one("node.no-board", "CN008", "no board is pinned here that could approve a policy")
            }
            Self::Charges => Refusal::one(
                "ledger.restored",
                "CA211",
                "the partner's ledger was put back from a backup and lacks charges; its operator must acknowledge that first",
            ),
        }
    }
}

impl Gate {
    /// The reply while no policy is in force, to a question verified like any other. It is in the audit and not remembered, so that the
    /// same question can be sent again. `None` for what is no question at all: close the stream.
    #[must_use]
    pub fn without_policy(
        &self,
        bytes: &[u8],
        why: Without,
        ledger: &mut Ledger,
        now: Moment,
    ) -> Option<Vec<u8>> {
        let none = PolicyStatement { id: "none".to_owned(), version: 0, hash: Hash::of(b"") };
        match self.verify_under(bytes, &none, ledger, now) {
            Step::On(verified) => Some(self.unready(&verified.into_context(), why.refusal(), ledger, now)),
            Step::Reply(reply) => Some(reply),
            Step::Unreadable => None,
        }
    }

    /// The reply to a permitted question while there are no records to count. In the audit and not remembered.
    #[must_use]
    pub fn without_snapshot(&self, permitted: Permitted, ledger: &mut Ledger, now: Moment) -> Vec<u8> {
        let (context, _) = permitted.into_parts();
        let refusal = Refusal::one("node.no-snapshot", "CN006", "no records are loaded here yet");
        self.unready(&context, refusal, ledger, now)
    }

    /// The reply to a question whose secure total this partner takes no part in: its manifest does not hold here, under this code, or the partner
    /// has no seat. In the audit and not remembered, since a roster or a framework may be on its way.
    #[must_use]
    pub fn without_total(
        &self,
        verified: Verified,
        layers: &Layers,
        (code, says): (&str, String),
        ledger: &mut Ledger,
        now: Moment,
    ) -> Vec<u8> {
        let mut context = verified.into_context();
        context.policy = layers.statement().clone();
        self.unready(&context, Refusal::one("total.manifest", code, says), ledger, now)
    }

    fn unready(&self, context: &Context, refusal: Refusal, ledger: &mut Ledger, now: Moment) -> Vec<u8> {
        let asked = context.asked();
        match ledger.note(&context.refused(&refusal), now) {
            Ok(()) => self.sign(asked, &context.policy, OutcomeV1::Refusal(refusal), now),
            Err(fault) => self.broken(asked, &context.policy, &fault, now),
        }
    }
}
