//! Holding the ends of the partners' ledgers, and giving each to one more partner to keep, so that a backup that was put back is noticed,
//! also where this coordinator's own store was lost or put back with it.

use std::sync::Arc;

use cairn_link::NodeHandle;
use cairn_link::frame::LedgerEnd;
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
                Ok(held) => {
                    let turned_up = hub.turned_up(&partner).filter(|end| held.as_ref() != Some(end));
                    node.held(held);
                    node.register(hub.members().signed.clone());
                    if let Some(end) = turned_up {
                        node.held(Some(end));
                    }
                    hub.give_askings(&partner, &node);
                }
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
        let given_up = new.given_up.is_some();
        let replaces = move |before: &CheckpointV1| new.replaces(before) || new.head() == before.head();
        let hub = Arc::clone(self);
        tokio::spawn(async move {
            match hub.hold(&partner, bytes.clone(), replaces).await {
                Some(true) => {
                    if given_up {
                        tracing::debug!(%partner, "held, after a restore that was acknowledged");
                    }
                    hub.give_to_keep(LedgerEnd { partner, checkpoint: bytes });
                }
                Some(false) => {
                    tracing::warn!(%partner, code = "CO408", "a partner's ledger is behind the end that is held here");
                }
                None => {}
            }
        });
    }

    /// Takes the end of a partner's ledger that another partner has kept. The partner is told of it, whatever is held here: it compares them itself.
    pub(super) fn take_kept(self: &Arc<Self>, end: LedgerEnd) {
        let LedgerEnd { partner, checkpoint } = end;
        let Some(new) = self.open_checkpoint(&partner, &checkpoint) else {
            tracing::warn!(%partner, code = "CO407", "a checkpoint that was kept is none under the partner's registered key");
            return;
        };
        self.has_turned_up(&partner, checkpoint.clone());
        if let Some(node) = self.node(&partner) {
            node.held(Some(checkpoint.clone()));
        }
        let later = move |before: &CheckpointV1| new.entries > before.entries;
        let hub = Arc::clone(self);
        tokio::spawn(async move {
            if hub.hold(&partner, checkpoint, later).await == Some(true) {
                tracing::warn!(%partner, code = "CO409", "another partner has kept a later end than was held here");
            }
        });
    }

    /// Holds a checkpoint that was opened, where it `replaces` the one that is held. Whether it did; `None`, and a line in the log, where the store fails.
    async fn hold(
        self: &Arc<Self>,
        partner: &PartnerId,
        bytes: Vec<u8>,
        replaces: impl FnOnce(&CheckpointV1) -> bool + Send + 'static,
    ) -> Option<bool> {
        let (reader, whose, owner) = (Arc::clone(self), partner.clone(), partner.clone());
        // One that the key of today did not sign is of a key that the register gave up.
        let replaces = move |before: &[u8]| {
            reader.open_checkpoint(&whose, before).is_none_or(|before| replaces(&before))
        };
        match self.with_store(move |store| store.hold_checkpoint(&owner, &bytes, replaces)).await {
            Ok(held) => Some(held),
            Err(fault) => {
                tracing::error!(%partner, code = fault.code(), "a checkpoint could not be held");
                None
            }
        }
    }

    fn open_checkpoint(&self, partner: &PartnerId, bytes: &[u8]) -> Option<CheckpointV1> {
        let members = self.members();
        let entry = members.register.partner(partner)?;
        CheckpointV1::open(bytes, &entry.signing_key, self.federation(), partner)
    }
}
