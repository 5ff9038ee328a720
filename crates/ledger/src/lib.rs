//! Keeps what was spent, asked and answered: durable, hash-chained, verifiable by anyone.
//!
//! One file, one writer. The privacy cost of a question is held on disk before anything is counted
//! ([`Ledger::reserve`]); the answer, the charge and the audit entry become durable in one transaction
//! ([`Ledger::settle`]), and the opening of a secure total likewise ([`Ledger::open_total`]). Time is an argument, amounts are integers, and a failed write refuses the question.

mod account;
mod audit;
mod audited;
mod chain;
mod checkpoint;
pub mod durable;
mod editions;
mod entry;
mod fault;
mod ledger;
mod opening;
mod price;
mod render;
mod replies;
mod reserve;
mod sticking;
#[cfg(test)]
mod testing;

pub use account::Account;
pub use audit::{Break, BreakKind, HEAD_TYPE, Head, History, Signature, Verified, verify_export};
pub use audited::{AuditedAnswer, witnesses_path};
pub use checkpoint::{Checkpoint, Held, Standing};
pub use editions::{AnsweredTable, Earlier};
pub use entry::{ENTRY_BYTES_MAX, Entry, EntryKind, NOTE_CHARS_MAX, SnapshotKey};
pub use fault::LedgerFault;
pub use ledger::{Ledger, Recall};
pub use opening::{Bound, KeptRecord, NotOpened, Opened, Opening, RECORD_BYTES_MAX, Repeat};
pub use price::{Answerable, Price, Priced};
pub use render::render;
pub use replies::REPLIES_PER_ANALYST_PER_DAY;
pub use reserve::{Debited, Denied, Reservation, Reserved, StoredAnswer};
/// The SQLite library, so that whoever opens a store with [`durable::open`] uses the same one.
pub use rusqlite;
pub use sticking::{Kind, Scope};
