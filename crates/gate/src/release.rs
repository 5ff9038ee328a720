//! Last steps: the counts are protected, the answer is kept, and only then does it leave.

use cairn_ledger::{AnsweredTable, Debited, Entry, EntryKind, Ledger, LedgerFault, Recall, SnapshotKey};
use cairn_policy::{Caps, Treatment};
use cairn_question::answer::{AnswerV1, PrivacyStatement, SnapshotStatement};
use cairn_question::{Moment, OutcomeV1, Refusal};
use cairn_release::edition::{Basis, NotTheBasis, held_against};
use cairn_release::released::check_shape;
use cairn_release::{Noise, RawTable, Released, Unreleased, release};
use std::fmt;

use crate::context::Context;
use crate::gate::Gate;
use crate::reserve::Counting;
use crate::stored::StoredTable;

/// A protected table that is not in the ledger yet, so that it may not leave yet.
#[must_use = "a table that is not replied with leaves its hold open until it lapses"]
pub struct Releasable {
    context: Box<Context>,
    released: Released,
    snapshot: SnapshotStatement,
    caps: Caps,
    /// What it was permitted under.
    treatment: Treatment,
    /// What the table was made from, for the ledger alone; `None` where it is noisy.
    basis: Option<Basis>,
}

/// A question whose counting or release came to nothing, with the hold that must be given up.
#[must_use = "a failed question must be replied to with `Gate::fail`"]
pub struct Failed {
    context: Box<Context>,
    debited: Debited,
    why: Why,
}

/// Why it came to nothing.
enum Why {
    /// Ours: a stable code is all that leaves.
    Fault(&'static str),
    /// The brake, or a policy exchanged meanwhile.
    Refusal(Box<Refusal>),
}

impl Counting {
    /// Counting broke: the engine's stable code, which is all that leaves.
    pub fn failed(self, code: &'static str) -> Failed {
        let (context, _, debited, ..) = self.into_parts();
        Failed { context, debited, why: Why::Fault(code) }
    }

    /// Counting was stopped by what [`Gate::still_permitted`] gave.
    pub fn stopped(self, refusal: Refusal) -> Failed {
        let (context, _, debited, ..) = self.into_parts();
        Failed { context, debited, why: Why::Refusal(Box::new(refusal)) }
    }
}

impl Failed {
    pub(crate) const fn fault(context: Box<Context>, debited: Debited, code: &'static str) -> Self {
        Self { context, debited, why: Why::Fault(code) }
    }

    pub(crate) fn refused(context: Box<Context>, debited: Debited, refusal: Refusal) -> Self {
        Self { context, debited, why: Why::Refusal(Box::new(refusal)) }
    }
}

impl Releasable {
    /// The table must not leave: [`Gate::still_releasable`] gave this. Nothing has left, so that the hold is given up.
    pub fn stopped(self, refusal: Refusal) -> Failed {
        let (debited, ..) = self.released.into_parts();
        Failed { context: self.context, debited, why: Why::Refusal(Box::new(refusal)) }
    }

    pub(crate) const fn context(&self) -> &Context {
        &self.context
    }

    pub(crate) const fn treatment(&self) -> &Treatment {
        &self.treatment
    }
}

impl Gate {
    /// Protects the counts. One debit, one release.
    ///
    /// A table without noise is made from counts that were held against those of the same table on other editions of the day, so that no
    /// two editions show the few people who came between ([`cairn_release::edition`]).
    ///
    /// # Errors
    /// [`Failed`], for [`Gate::fail`].
    pub fn release(
        &self,
        counting: Counting,
        raw: RawTable,
        noise: &mut dyn Noise,
    ) -> Result<Releasable, Failed> {
        if counting.is_total() {
            // Its own table leaves as no answer: it was permitted for a total alone.
            return Err(counting.failed(TOTAL_ONLY));
        }
        let (held, treatment) = (held(&counting, raw), counting.treatment().clone());
        let (context, terms, debited, snapshot, caps) = counting.into_parts();
        let (raw, basis) = match held {
            Ok(held) => held,
            Err(NotTheBasis) => return Err(Failed { context, debited, why: Why::Fault(UNREADABLE_BASIS) }),
        };
        match release(raw, &terms, debited, noise) {
            Ok(released) => Ok(Releasable { context, released, snapshot, caps, treatment, basis }),
            Err(Unreleased { fault, debited }) => {
                Err(Failed { context, debited, why: Why::Fault(fault.code()) })
            }
        }
    }

    /// Signs the answer, and makes the charge, the answer and its audit entry durable in one transaction; only then gives the bytes to
    /// send. Where the ledger fails, the bytes are a signed fault and the table goes nowhere.
    #[must_use]
    pub fn reply(&self, releasable: Releasable, ledger: &mut Ledger, now: Moment) -> Vec<u8> {
        let Releasable { context, released, snapshot, caps, basis, .. } = releasable;
        let audited = released.audited().cloned();
        let (debited, table, treatment) = released.into_parts();
        let stored = StoredTable::of(&table, &treatment);
        let entry = Entry {
            treatment: Some(treatment.clone()),
            snapshot: Some(SnapshotKey { as_of: snapshot.as_of, edition: snapshot.edition }),
            cells: u32::try_from(table.cells.len()).ok(),
            ..context.entry(EntryKind::QuestionAnswered)
        };
        let privacy = PrivacyStatement {
            unit: UNIT.to_owned(),
            charged: debited.cost(),
            year_so_far: debited.year_so_far(),
            year_cap: caps.per_year,
        };
        let answer = AnswerV1 { table, treatment, snapshot, privacy };
        let reply = self.sign(context.asked(), &context.policy, OutcomeV1::Answer(Box::new(answer)), now);
        let kept = audited.as_ref().map(|audited| audited.kept.to_json());
        let (json, counts) = (stored.to_json(), basis.map(|basis| basis.to_json()).or(kept));
        let witnesses = audited.as_ref().and_then(|audited| audited.witnesses.as_deref());
        let table = AnsweredTable { json: &json, counts: counts.as_deref(), witnesses };
        match ledger.settle(debited, &reply, table, &entry, now) {
            Ok(()) => reply,
            Err(fault) => self.unsettled(&context, &fault, ledger, now),
        }
    }

    /// The same question may have come twice and been answered once, while this was counted: then that reply is given.
    fn unsettled(&self, context: &Context, fault: &LedgerFault, ledger: &Ledger, now: Moment) -> Vec<u8> {
        let asked = context.asked();
        let gone = matches!(fault, LedgerFault::HoldGone | LedgerFault::AlreadyReplied);
        match ledger.recall(asked.id, asked.hash) {
            Ok(Recall::Reply(reply)) if gone => reply,
            _ => self.broken(asked, &context.policy, fault, now),
        }
    }

    /// Gives the hold up and replies: a signed fault with its code, or the refusal under which counting was stopped.
    #[must_use]
    pub fn fail(&self, failed: Failed, ledger: &mut Ledger, now: Moment) -> Vec<u8> {
        let Failed { context, debited, why } = failed;
        let code = match why {
            // Keeping the refusal gives the hold up in the same transaction.
            Why::Refusal(refusal) => return self.refuse(&context, *refusal, ledger, now),
            Why::Fault(code) => code,
        };
        tracing::error!(question = %context.asked().id.short(), code, "a question failed");
        match ledger.abandon(debited, &context.failed(code), now) {
            Ok(()) => self.sign_fault(context.asked(), &context.policy, code, now),
            Err(fault) => self.broken(context.asked(), &context.policy, &fault, now),
        }
    }
}

/// The counts that a table without noise is made from, and the basis that a later edition is held against.
fn held(counting: &Counting, raw: RawTable) -> Result<(RawTable, Option<Basis>), NotTheBasis> {
    let method = &counting.treatment().method;
    // An audited table has no other edition of its day beside it: the ledger refuses one.
    let Some(cells) = method.cells().filter(|_| method.audited().is_none()) else { return Ok((raw, None)) };
    // Numbers that are not the plan's grid are the release's to refuse, under its own code.
    if check_shape(&raw, counting.plan()).is_err() {
        return Ok((raw, None));
    }
    let earlier = counting.earlier().iter().filter_map(|earlier| earlier.counts.as_deref());
    let earlier = earlier.map(Basis::read).collect::<Result<Vec<_>, _>>()?;
    let raw = held_against(raw, &earlier, counting.plan(), cells.min_people)?;
    let basis = Basis::of(&raw, counting.plan())?;
    Ok((raw, Some(basis)))
}

/// The code of a table that could not be held against an earlier edition.
const UNREADABLE_BASIS: &str = "CN014";

/// The code of a table that was permitted for a secure total, and was to leave by itself.
const TOTAL_ONLY: &str = "CN023";

/// The privacy unit in words.
pub(crate) const UNIT: &str = "all records of one person at this partner";

impl fmt::Debug for Releasable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Releasable({:?})", self.released)
    }
}

impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = match &self.why {
            Why::Fault(code) => code,
            Why::Refusal(_) => "refused",
        };
        write!(f, "Failed({}, {code})", self.context.asked().id.short())
    }
}
