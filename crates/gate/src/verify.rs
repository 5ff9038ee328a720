//! First step: who asks, under which signature, for whom, until when, and whether it came before.

use cairn_ledger::{Denied, EntryKind, Ledger, Recall};
use cairn_policy::Layers;
use cairn_question::answer::PolicyStatement;
use cairn_question::question::{ASK_TYPE, AskError};
use cairn_question::{Hash, Moment, OutcomeV1, QuestionId, Refusal, SignedAsk, TotalTreatment, VerifyingKey};
use std::sync::{Mutex, PoisonError};

use crate::context::{Asked, Context};
use crate::gate::{Gate, Step};
use crate::reply::{past_limit, unverified};
use crate::tally::{Log, Tally};

/// A question whose signature, credential, federation and time hold, that is for this partner, and that has no reply yet.
#[derive(Debug)]
#[must_use]
pub struct Verified(Box<Context>);

impl Verified {
    /// The key that signed the question: the one that a manifest of its total must be signed with.
    #[must_use]
    pub const fn analyst_key(&self) -> &VerifyingKey {
        &self.0.open.credential.key
    }

    /// The question's number, and the SHA-256 of its signed text.
    #[must_use]
    pub const fn question(&self) -> (QuestionId, Hash) {
        (self.0.open.ask.id, self.0.open.hash)
    }

    /// The same question, put as a secure total of this treatment: its manifest was held against the roster and the framework's terms.
    pub fn as_total(mut self, total: TotalTreatment) -> Self {
        self.0.total = Some(total);
        self
    }

    pub(crate) fn into_context(self) -> Box<Context> {
        self.0
    }
}

impl Gate {
    /// Verifies the exact bytes that came. The coordinator's word about who asks counts for nothing.
    ///
    /// A question that was replied to gets that reply again, byte for byte; any other is refused once its analyst had the day's replies
    /// ([`Ledger::may_reply`]). One whose signature does not hold is not remembered, since anybody could spoil a true question by sending
    /// a broken copy first. Neither of these refusals is kept, and they are logged only so many a minute.
    pub fn verify(&self, bytes: &[u8], layers: &Layers, ledger: &mut Ledger, now: Moment) -> Step<Verified> {
        self.verify_under(bytes, layers.statement(), ledger, now)
    }

    pub(crate) fn verify_under(
        &self,
        bytes: &[u8],
        policy: &PolicyStatement,
        ledger: &mut Ledger,
        now: Moment,
    ) -> Step<Verified> {
        let Ok(signed) = SignedAsk::parse(bytes) else { return self.unreadable(ledger, now) };
        let Some(asked) = peek(&signed) else { return self.unreadable(ledger, now) };
        match signed.open(&self.issuers, &self.federation, now) {
            Ok(open) => self.meant(Context { open, policy: policy.clone(), total: None }, ledger, now),
            Err(error) => Step::Reply(self.turn_away(asked, &error, policy, ledger, now)),
        }
    }

    fn meant(&self, context: Context, ledger: &mut Ledger, now: Moment) -> Step<Verified> {
        let asked = context.asked();
        let recall = match ledger.recall(asked.id, asked.hash) {
            Ok(Recall::Reply(reply)) => return Step::Reply(reply),
            Ok(recall) => recall,
            Err(fault) => return Step::Reply(self.broken(asked, &context.policy, &fault, now)),
        };
        match ledger.may_reply(&context.open.credential.analyst, now) {
            Ok(()) => self.unreplied(context, &recall, ledger, now),
            Err(Denied::Refusal(refusal)) => Step::Reply(self.over_limit(&context, refusal, ledger, now)),
            Err(Denied::Fault(fault)) => Step::Reply(self.broken(asked, &context.policy, &fault, now)),
        }
    }

    /// A question without a reply.
    fn unreplied(
        &self,
        context: Context,
        recall: &Recall,
        ledger: &mut Ledger,
        now: Moment,
    ) -> Step<Verified> {
        match recall {
            Recall::OtherHash => Step::Reply(self.refuse(&context, id_taken(), ledger, now)),
            _ if !context.open.ask.partners.contains(&self.partner) => {
                Step::Reply(self.refuse(&context, not_for(self), ledger, now))
            }
            // An open hold is a question that a crash cut off: reserving gives the same hold, and it is counted again.
            _ => Step::On(Verified(Box::new(context))),
        }
    }

    /// Past the day's limit: signed, but not remembered, and logged only so many times a minute and without the question's text, or else
    /// the refusals would fill the disk in place of what they refuse.
    fn over_limit(&self, context: &Context, refusal: Refusal, ledger: &mut Ledger, now: Moment) -> Vec<u8> {
        let asked = context.asked();
        if let Log::Write { unlogged } = count(&self.over_limit, now) {
            let entry = past_limit(context.refused(&refusal), unlogged);
            if let Err(fault) = ledger.note(&entry, now) {
                return self.broken(asked, &context.policy, &fault, now);
            }
        }
        self.sign(asked, &context.policy, OutcomeV1::Refusal(refusal), now)
    }

    fn turn_away(
        &self,
        asked: Asked,
        error: &AskError,
        policy: &PolicyStatement,
        ledger: &mut Ledger,
        now: Moment,
    ) -> Vec<u8> {
        let refusal = Refusal::one(error.rule(), error.code(), error.to_string());
        if let Log::Write { unlogged } = count(&self.unverified, now) {
            let entry = unverified(asked.entry(EntryKind::QuestionRefused), &refusal, unlogged);
            if let Err(fault) = ledger.note(&entry, now) {
                return self.broken(asked, policy, &fault, now);
            }
        }
        self.sign(asked, policy, OutcomeV1::Refusal(refusal), now)
    }

    fn unreadable(&self, ledger: &mut Ledger, now: Moment) -> Step<Verified> {
        if let Log::Write { unlogged } = count(&self.unverified, now) {
            let error = AskError::Malformed;
            let refusal = Refusal::one(error.rule(), error.code(), error.to_string());
            let entry = unverified(cairn_ledger::Entry::new(EntryKind::QuestionRefused), &refusal, unlogged);
            if let Err(fault) = ledger.note(&entry, now) {
                tracing::error!(code = fault.code(), %fault, "the ledger failed");
            }
        }
        Step::Unreadable
    }
}

fn count(tally: &Mutex<Tally>, now: Moment) -> Log {
    // A count that another thread left half done is still a count.
    tally.lock().unwrap_or_else(PoisonError::into_inner).count(now)
}

/// The number and hash that a question claims, unverified.
fn peek(signed: &SignedAsk) -> Option<Asked> {
    let payload = signed.question.payload_unverified(ASK_TYPE).ok()?;
    Some(Asked { id: signed.peek().ok()?.id, hash: Hash::of(&payload) })
}

fn not_for(gate: &Gate) -> Refusal {
    Refusal::one("verify.partner", "CN001", format!("the question is not for {}", gate.partner))
}

fn id_taken() -> Refusal {
    let says = "this question id came before with another question; every question needs an id of its own";
    Refusal::one("verify.replay", "CN002", says)
}
