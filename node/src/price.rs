//! What questions would cost at this node, read beside it while it runs.

use cairn_gate::{Buyer, price as priced};
use cairn_ledger::{History, LedgerFault, Price};
use cairn_policy::Layers;
use cairn_question::{Moment, Question};
use cairn_records::{Store, StoreFault};

use crate::config::Config;
use crate::in_force::facts;

/// Why nothing is priced.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PriceFault {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerFault),
    /// The folder of snapshots.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// No records are loaded, so that it is not known what a question would be counted on.
    #[error("no records are loaded at this node, so nothing can be asked")]
    NoSnapshot,
}

impl PriceFault {
    /// Its stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Ledger(fault) => fault.code(),
            Self::Store(fault) => fault.code(),
            Self::NoSnapshot => "CN006",
        }
    }
}

/// Prices the questions in their order, on the snapshot in force. Reads only.
///
/// # Errors
/// [`PriceFault`].
pub fn price(
    config: &Config,
    layers: &Layers,
    questions: &[Question],
    buyer: Buyer<'_>,
    now: Moment,
) -> Result<Price, PriceFault> {
    let snapshot = Store::open(&config.data_dir)?.current()?.ok_or(PriceFault::NoSnapshot)?;
    let ledger = History::open(&config.ledger_path)?;
    let caps = layers.caps();
    let facts = facts(snapshot.manifest());
    Ok(priced(questions, buyer, layers, &facts, now, |wants| ledger.price(wants, &caps, now))?)
}

#[cfg(test)]
mod tests;
