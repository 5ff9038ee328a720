//! The rules that a row can break, each with its code, its words and the next step.

/// A rule that a row can break.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Rule {
    Blank,
    SheetError,
    Exponent,
    TooLong,
    NotInCodes,
    NotADate,
    DayNumber,
    NotWhole,
    OutOfBounds,
    Duplicate,
    NoPerson,
    NoParent,
    OtherPerson,
    CellCount,
    DateOrder,
    AfterSnapshot,
    TooManyRows,
    NotANino,
    FollowUpOverruled,
    NotInLookup,
    ObjectionUnread,
    DayMonthOrder,
    TooManyCodes,
}

impl Rule {
    /// Its stable code (docs/reference/codes/cl.md).
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Blank => "CL301",
            Self::SheetError => "CL302",
            Self::Exponent => "CL303",
            Self::TooLong => "CL304",
            Self::NotInCodes => "CL305",
            Self::NotADate => "CL306",
            Self::DayNumber => "CL307",
            Self::NotWhole => "CL308",
            Self::OutOfBounds => "CL309",
            Self::Duplicate => "CL310",
            Self::NoPerson => "CL311",
            Self::NoParent => "CL312",
            Self::OtherPerson => "CL313",
            Self::CellCount => "CL314",
            Self::DateOrder => "CL315",
            Self::AfterSnapshot => "CL316",
            Self::TooManyRows => "CL317",
            Self::NotANino => "CL318",
            Self::FollowUpOverruled => "CL319",
            Self::NotInLookup => "CL320",
            Self::ObjectionUnread => "CL321",
            Self::DayMonthOrder => "CL322",
            Self::TooManyCodes => "CL323",
        }
    }

    /// The rule, in words.
    pub(super) const fn says(self) -> &'static str {
        match self {
            Self::Blank => "a cell that every row needs is blank",
            Self::SheetError => "a spreadsheet error such as #REF! or #N/A stands in the cell",
            Self::Exponent => "a spreadsheet turned an id into a number such as 1.23E+05",
            Self::TooLong => "the cell is longer than its kind can be",
            Self::NotInCodes => "the value is not among the codes of the mapping",
            Self::NotADate => "not a day of the calendar in the declared form",
            Self::DayNumber => "a spreadsheet's day number stands where a date should",
            Self::NotWhole => "not a whole number",
            Self::OutOfBounds => {
                "the number lies outside the dictionary's bounds and was moved to the nearest"
            }
            Self::Duplicate => "the same key stands in an earlier row, which was kept",
            Self::NoPerson => "the row's person is not among the participants",
            Self::NoParent => "the row belongs to a start that is not there",
            Self::OtherPerson => "the row names another person than the start it belongs to",
            Self::CellCount => "the row has more or fewer cells than the header",
            Self::DateOrder => "two dates stand in an impossible order",
            Self::AfterSnapshot => "the date lies after the snapshot day",
            Self::TooManyRows => "one person has more rows than can count; the oldest count",
            Self::NotANino => "not in the form of a National Insurance number",
            Self::FollowUpOverruled => {
                "the follow-up's status cannot be true on the snapshot day; the dates decide"
            }
            Self::NotInLookup => "the value is not in the lookup file",
            Self::ObjectionUnread => "the objection cannot be read; the person was left out to be safe",
            Self::DayMonthOrder => {
                "no day above 12 in a whole column: day and month may be the wrong way round"
            }
            Self::TooManyCodes => "more than 120 different values in a column of local codes",
        }
    }

    /// The next step.
    pub(super) const fn help(self) -> &'static str {
        match self {
            Self::Blank => "fill it in the export",
            Self::SheetError => "correct the formula in the source, then export again",
            Self::Exponent => "format the column as text before typing or importing, then export again",
            Self::TooLong => "look for a missing quote or delimiter",
            Self::NotInCodes => "look at the rows and add the value to `codes`",
            Self::NotADate => "correct the date, or the form under `date` in the mapping",
            Self::DayNumber => "format the column as text or as YYYY-MM-DD, then export again",
            Self::NotWhole => "correct the cell",
            Self::OutOfBounds => "check the unit of the column",
            Self::Duplicate => {
                "export one row for each; `prefix` and `suffix` make keys of wide files distinct"
            }
            Self::NoPerson => "export the person too, or see why their row was left out",
            Self::NoParent => "export the start too, or see why its row was left out",
            Self::OtherPerson => "correct one of the two keys",
            Self::CellCount => "look for an unquoted delimiter or line break in the row",
            Self::DateOrder => "check both dates",
            Self::AfterSnapshot => "check the date, or `as_of` in the mapping",
            Self::TooManyRows => "check that the rows are different events",
            Self::NotANino => "correct it in the source; the person cannot be matched by it",
            Self::FollowUpOverruled => "check that `as_of` is the day of the export",
            Self::NotInLookup => "check the lookup's edition",
            Self::ObjectionUnread => "add the value to `codes` of `statistics_objection`",
            Self::DayMonthOrder => {
                "compare a few dates with the source, and correct the form under `date` if so"
            }
            Self::TooManyCodes => "map them to fewer by `codes`",
        }
    }
}
