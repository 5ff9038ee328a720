//! What can go wrong while counting. Closed, and without a cause: the texts of Arrow and DataFusion quote records.

use datafusion::error::DataFusionError;

/// Why a snapshot was not counted. Our fault or the machine's, never the question's; complete, not open, because each kind
/// has its own page and its own next step.
///
/// It holds no text, no name and no `source()`: Arrow's and DataFusion's errors quote values, so nothing of them is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EngineFault {
    /// Counting needed more memory than the limit.
    #[error("counting needs more memory than the node allows")]
    Memory,
    /// Counting took longer than the limit.
    #[error("counting took longer than the node allows")]
    TimeLimit,
    /// A file of the snapshot is missing or cannot be read.
    #[error("a file of the snapshot is missing or cannot be read")]
    Unreadable,
    /// A file of the snapshot is not whole.
    #[error("a file of the snapshot is damaged")]
    Damaged,
    /// The snapshot has no such table or column.
    #[error("the snapshot has no table or column of that name")]
    Absent,
    /// A column is held in another form than the plan needs.
    #[error("a column of the snapshot is not held in the form that the schema gives it")]
    ColumnForm,
    /// Rows are not in the order of persons, a key stands twice, or a person's rows lie in two parts.
    #[error("the snapshot is not in the order of persons")]
    PersonOrder,
    /// The plan contradicts itself or is too wide.
    #[error("the plan does not fit its grid")]
    Plan,
    /// The physical plan could have torn one person's rows apart.
    #[error("the plan would not keep each person's rows together")]
    PlanShape,
    /// A person has no id in the snapshot, so no record key.
    #[error("the snapshot does not hold an id of each person")]
    NoPersonId,
    /// Anything else.
    #[error("counting failed inside the engine")]
    Internal,
}

impl EngineFault {
    /// Every kind, in the order of its codes.
    pub const ALL: [Self; 11] = [
        Self::Memory,
        Self::TimeLimit,
        Self::Unreadable,
        Self::Damaged,
        Self::Absent,
        Self::ColumnForm,
        Self::PersonOrder,
        Self::Plan,
        Self::PlanShape,
        Self::Internal,
        Self::NoPersonId,
    ];

    /// Its stable code (docs/reference/codes/ce.md).
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Memory => "CE001",
            Self::TimeLimit => "CE002",
            Self::Unreadable => "CE003",
            Self::Damaged => "CE004",
            Self::Absent => "CE005",
            Self::ColumnForm => "CE006",
            Self::PersonOrder => "CE007",
            Self::Plan => "CE008",
            Self::PlanShape => "CE009",
            Self::Internal => "CE010",
            Self::NoPersonId => "CE011",
        }
    }

    /// The kind of a DataFusion error; its text is dropped here and nowhere else.
    pub(crate) fn of(error: &DataFusionError) -> Self {
        match error {
            DataFusionError::External(cause) => {
                cause.downcast_ref::<Self>().copied().unwrap_or(Self::Internal)
            }
            DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => Self::of(inner),
            DataFusionError::Shared(inner) => Self::of(inner),
            DataFusionError::Collection(all) => all.first().map_or(Self::Internal, Self::of),
            DataFusionError::ResourcesExhausted(_) => Self::Memory,
            DataFusionError::ObjectStore(_) | DataFusionError::IoError(_) => Self::Unreadable,
            DataFusionError::ParquetError(_) | DataFusionError::ArrowError(..) => {
                Self::inside(error).unwrap_or(Self::Damaged)
            }
            DataFusionError::SchemaError(..) => Self::Absent,
            _ => Self::Internal,
        }
    }

    /// One of ours, travelling inside another's error.
    fn inside(error: &DataFusionError) -> Option<Self> {
        let mut at: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
        while let Some(cause) = at {
            if let Some(ours) = cause.downcast_ref::<Self>() {
                return Some(*ours);
            }
            if let Some(theirs) = cause.downcast_ref::<DataFusionError>() {
                return Some(Self::of(theirs));
            }
            at = cause.source();
        }
        None
    }
}

impl From<EngineFault> for DataFusionError {
    fn from(fault: EngineFault) -> Self {
        Self::External(Box::new(fault))
    }
}
