//! The linkage secret, as the running node sees to it.

use super::Desk;
use crate::status::LinkageState;

impl Desk {
    /// Sees to it that the linkage secret of the roster in force is here, or asked for. Blocks.
    pub(crate) fn see_to_linkage(&self) {
        self.inner.linkage.look(&self.inner.seats, self.inner.clock.now());
    }

    /// Asks the keeper again, where that is due. Waits for nothing.
    pub(crate) fn remind_the_keeper(&self) {
        self.inner.linkage.remind(self.inner.clock.now());
    }

    /// How the linkage secret stands.
    pub(crate) fn linkage_state(&self) -> Option<LinkageState> {
        self.inner.linkage.state()
    }
}
