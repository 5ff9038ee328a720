//! What a question carries with it from its verification to its reply.

use cairn_ledger::{Entry, EntryKind};
use cairn_question::answer::PolicyStatement;
use cairn_question::{Hash, OpenAsk, QuestionId, Refusal, TotalTreatment};

/// A question's number and the hash of its signed bytes: what replies and the ledger know it by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Asked {
    pub(crate) id: QuestionId,
    pub(crate) hash: Hash,
}

/// A verified question and the policy that decides it.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) open: OpenAsk,
    pub(crate) policy: PolicyStatement,
    /// How the secure total is protected that the question was put as; `None` where each partner's own table is wanted.
    pub(crate) total: Option<TotalTreatment>,
}

impl Context {
    pub(crate) const fn asked(&self) -> Asked {
        Asked { id: self.open.ask.id, hash: self.open.hash }
    }

    /// An audit entry of this question: who asked what in which role, and which policy decided. Nothing of the records.
    pub(crate) fn entry(&self, kind: EntryKind) -> Entry {
        let (ask, credential) = (&self.open.ask, &self.open.credential);
        Entry {
            analyst: Some(credential.analyst.clone()),
            organisation: Some(credential.organisation.clone()),
            role: Some(credential.role.clone()),
            purpose: Some(ask.question.purpose.clone()),
            question: Some(cairn_question::form::print(&ask.question)),
            policy: Some(self.policy.clone()),
            ..self.asked().entry(kind)
        }
    }

    pub(crate) fn refused(&self, refusal: &Refusal) -> Entry {
        Entry { rules: refusal.rules.clone(), ..self.entry(EntryKind::QuestionRefused) }
    }

    pub(crate) fn failed(&self, code: &str) -> Entry {
        Entry { code: Some(code.to_owned()), ..self.entry(EntryKind::QuestionFailed) }
    }
}

impl Asked {
    pub(crate) fn entry(self, kind: EntryKind) -> Entry {
        Entry { question_id: Some(self.id), question_hash: Some(self.hash), ..Entry::new(kind) }
    }
}
