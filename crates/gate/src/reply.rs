//! Signed replies, and the rule that a refusal is on disk before it leaves.

use cairn_ledger::{Checkpoint, Entry, Ledger, LedgerFault};
use cairn_question::answer::PolicyStatement;
use cairn_question::card::PublicPolicy;
use cairn_question::{CheckpointV1, Moment, OutcomeV1, PolicyCard, Refusal, ReplyV1};

use crate::context::{Asked, Context};
use crate::gate::Gate;

impl Gate {
    /// The signed bytes of a reply.
    pub(crate) fn sign(
        &self,
        asked: Asked,
        policy: &PolicyStatement,
        outcome: OutcomeV1,
        now: Moment,
    ) -> Vec<u8> {
        let reply = ReplyV1 {
            cairn_reply: 1,
            question_id: asked.id,
            question_hash: asked.hash,
            federation: self.federation.clone(),
            partner: self.partner.clone(),
            at: now,
            policy: policy.clone(),
            outcome,
        };
        reply.sign(&self.keys.signing).to_bytes()
    }

    /// The signed public part of the policy in force, for the coordinator; without one where nothing is in force.
    #[must_use]
    pub fn card(&self, policy: Option<PublicPolicy>, now: Moment) -> Vec<u8> {
        let card = PolicyCard {
            cairn_policy_card: 1,
            federation: self.federation.clone(),
            partner: self.partner.clone(),
            at: now,
            policy,
        };
        card.sign(&self.keys.signing).to_bytes()
    }

    /// The signed end of the ledger, for others to hold.
    #[must_use]
    pub fn checkpoint(&self, end: Checkpoint, now: Moment) -> Vec<u8> {
        let checkpoint = CheckpointV1 {
            cairn_checkpoint: 1,
            federation: self.federation.clone(),
            partner: self.partner.clone(),
            at: now,
            entries: end.head.entries,
            hash: end.head.hash,
            given_up: end.given_up,
        };
        checkpoint.sign(&self.keys.signing).to_bytes()
    }

    /// An end of the ledger that this very node signed; `None` for anything else.
    #[must_use]
    pub fn open_checkpoint(&self, bytes: &[u8]) -> Option<CheckpointV1> {
        CheckpointV1::open(bytes, &self.keys.signing.verifying_key(), &self.federation, &self.partner)
    }

    /// A refusal of a verified question: signed, in the audit, and remembered, or else a fault.
    pub(crate) fn refuse(
        &self,
        context: &Context,
        refusal: Refusal,
        ledger: &mut Ledger,
        now: Moment,
    ) -> Vec<u8> {
        let (asked, entry) = (context.asked(), context.refused(&refusal));
        let reply = self.sign(asked, &context.policy, OutcomeV1::Refusal(refusal), now);
        match ledger.refuse(asked.id, asked.hash, &reply, &entry, now) {
            Ok(()) => reply,
            Err(fault) => self.broken(asked, &context.policy, &fault, now),
        }
    }

    /// A fault before anything was held: in the audit if the ledger can, and not remembered, so that the question can be sent again.
    pub(crate) fn fault(
        &self,
        context: &Context,
        code: &'static str,
        ledger: &mut Ledger,
        now: Moment,
    ) -> Vec<u8> {
        tracing::error!(question = %context.asked().id.short(), code, "a question failed");
        match ledger.note(&context.failed(code), now) {
            Ok(()) => self.sign_fault(context.asked(), &context.policy, code, now),
            Err(fault) => self.broken(context.asked(), &context.policy, &fault, now),
        }
    }

    /// The ledger itself broke: nothing can be logged there, so the node's own log has the story and the reply the code.
    pub(crate) fn broken(
        &self,
        asked: Asked,
        policy: &PolicyStatement,
        fault: &LedgerFault,
        now: Moment,
    ) -> Vec<u8> {
        let cause = std::error::Error::source(fault).map(ToString::to_string);
        tracing::error!(question = %asked.id.short(), code = fault.code(), %fault, cause, "the ledger failed");
        self.sign_fault(asked, policy, fault.code(), now)
    }

    pub(crate) fn sign_fault(
        &self,
        asked: Asked,
        policy: &PolicyStatement,
        code: &str,
        now: Moment,
    ) -> Vec<u8> {
        self.sign(asked, policy, OutcomeV1::Fault { code: code.to_owned() }, now)
    }
}

/// The entry of a question that could not be verified, with how many before it had none.
pub(crate) fn unverified(entry: Entry, refusal: &Refusal, unlogged: u64) -> Entry {
    let note = (unlogged > 0).then(|| format!("unverified; {unlogged} more before it have no entry"));
    Entry { rules: refusal.rules.clone(), note: note.or_else(|| Some("unverified".to_owned())), ..entry }
}

/// The entry of a question past the day's limit: without its text, and with how many before it had none.
pub(crate) fn past_limit(entry: Entry, unlogged: u64) -> Entry {
    let note = (unlogged > 0).then(|| format!("not kept; {unlogged} more before it have no entry"));
    Entry { question: None, note: note.or_else(|| Some("not kept".to_owned())), ..entry }
}
