//! Why a document, a frame or a transcript was not accepted: each with its stable code.

/// Why something was not accepted. It depends on what came and on the agreed terms, never on a record.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// No symbols, or more bytes than one frame carries, or symbols of no width.
    #[error("a table of {symbols} symbols does not fit the layout")]
    Layout {
        /// How many symbols there are.
        symbols: usize,
    },
    /// A vector of another layout than the round's.
    #[error("the vector is of another layout than the round")]
    OtherLayout,
    /// A number that its word cannot hold.
    #[error("a value does not fit its word")]
    TooWide,
    /// The operating system gave no randomness, or an agreement failed.
    #[error("no fresh keys can be made")]
    NoRandomness,
    /// Not a node id or a set of nodes.
    #[error("not a set of nodes")]
    Members,
    /// The masks did not cancel: somebody sealed for another round.
    #[error("what opened is not a sum")]
    NotTheSum,
}

impl Refused {
    /// The stable code, with an entry in `docs/reference/codes/cm.md`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Layout { .. } => "CM001",
            Self::OtherLayout => "CM002",
            Self::TooWide => "CM003",
            Self::NoRandomness => "CM004",
            Self::Members => "CM005",
            Self::NotTheSum => "CM006",
        }
    }
}
