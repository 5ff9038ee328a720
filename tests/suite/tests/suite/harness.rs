//! What every test starts from.

pub(crate) mod analyst;
pub(crate) mod federation;
pub(crate) mod people;
pub(crate) mod program;
pub(crate) mod relay;
pub(crate) mod search;
