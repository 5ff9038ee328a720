//! The linkage secret on its way from its keeper to the other partners. It passes through here sealed: the coordinator has no key that opens it, and
//! keeps nothing of it on its disk.

use cairn_link::NodeHandle;
use cairn_link::frame::Handed;
use cairn_question::PartnerId;

use super::hub::Hub;

impl Hub {
    /// Passes a flight of the hand-over on: from whoever asks to the keeper, and from the keeper to whoever asked. Any other is left out.
    pub(super) fn pass_on(&self, from: &PartnerId, handed: Handed) {
        let Some(keeper) = self.keeper() else {
            tracing::debug!(%from, "the linkage secret has no keeper in the register");
            return;
        };
        match () {
            () if !self.has_seat(&handed.asker) => {
                tracing::warn!(%from, code = "CO410", "the linkage secret is asked for by or for a partner without a seat");
            }
            () if handed.asker == keeper => {
                tracing::warn!(%from, code = "CO410", "the keeper has the linkage secret and does not ask for it");
            }
            () if handed.asker == *from => {
                self.keep_asking(from, handed.document.clone());
                if let Some(node) = self.node(&keeper) {
                    node.linkage(handed);
                }
            }
            () if *from == keeper => {
                self.asking_is_answered(&handed.asker);
                // Whoever has gone meanwhile asks again when it is back.
                if let Some(node) = self.node(&handed.asker) {
                    node.linkage(handed);
                }
            }
            () => {
                tracing::warn!(%from, code = "CO410", "a partner that is not the keeper sends the linkage secret");
            }
        }
    }

    /// Gives the keeper, which has connected, what everybody asked with while it was away.
    pub(super) fn give_askings(&self, partner: &PartnerId, node: &NodeHandle) {
        if self.keeper().as_ref() == Some(partner) {
            self.askings().into_iter().for_each(|handed| node.linkage(handed));
        }
    }

    fn keeper(&self) -> Option<PartnerId> {
        self.members().register.linkage_keeper.clone()
    }

    fn has_seat(&self, partner: &PartnerId) -> bool {
        self.members().register.partner(partner).is_some_and(|entry| entry.seat.is_some())
    }
}
