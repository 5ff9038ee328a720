//! Holding the ends of the partners' ledgers, so that a backup that was put back is noticed.

use std::sync::Arc;

use cairn_link::NodeHandle;
use cairn_question::{CheckpointV1, PartnerId};

use super::hub::Hub;

impl Hub {
    /// Tells a node that has connected which end of its ledger is held here; it takes up no question before. Where the store
    /// cannot be read it is told nothing, and dials again.
    pub(super) fn tell_held(self: &Arc<Self>, partner: PartnerId, node: NodeHandle) {
        let hub = Arc::clone(self);
        tokio::spawn(async move {
            let whose = partner.clone();
            match hub.with_store(move |store| store.checkpoint(&whose)).await {
                Ok(held) => node.held(held),
                Err(fault) => tracing::error!(%partner, code = fault.code(), "no checkpoint can be read"),
            }
        });
    }

    /// Takes the end of a partner's ledger, if the partner's registered key signed it and it takes the place of the one that is held.
    pub(super) fn take_checkpoint(self: &Arc<Self>, partner: PartnerId, bytes: Vec<u8>) {
        let Some(new) = self.open_checkpoint(&partner, &bytes) else {
            tracing::warn!(%partner, code = "CO407", "a checkpoint is none under the partner's registered key");
            return;
        };
        let hub = Arc::clone(self);
        tokio::spawn(async move {
            let (reader, whose, given_up) = (Arc::clone(&hub), partner.clone(), new.given_up.is_some());
            // One that the key of today did not sign is of a key that the register gave up.
            let replaces = move |before: &[u8]| {
                reader
                    .open_checkpoint(&whose, before)
                    .is_none_or(|before| new.replaces(&before) || new.head() == before.head())
            };
            let whose = partner.clone();
            match hub.with_store(move |store| store.hold_checkpoint(&whose, &bytes, replaces)).await {
                Ok(true) if given_up => {
                    tracing::debug!(%partner, "held, after a restore that was acknowledged")
                }
                Ok(true) => {}
                Ok(false) => {
                    tracing::warn!(%partner, code = "CO408", "a partner's ledger is behind the end that is held here");
                }
                Err(fault) => {
                    tracing::error!(%partner, code = fault.code(), "a checkpoint could not be held")
                }
            }
        });
    }

    fn open_checkpoint(&self, partner: &PartnerId, bytes: &[u8]) -> Option<CheckpointV1> {
        let members = self.members();
        let entry = members.register.partner(partner)?;
        CheckpointV1::open(bytes, &entry.signing_key, self.federation(), partner)
    }
}
