//! The shapes of exports: file names, headings, code words and date forms, as differing systems have them. One declaration
//! makes both the files and the mapping that reads them.

mod councils;
mod others;
mod words;

use cairn_question::schema::UNKNOWN;

use crate::partner::Kind;
use councils::{CASEWORK, NUMBERED, SPREADSHEET, THREE_FILES, WORDED};
use others::{CHARITY, COLLEGE, FIRST_YEAR, HEALTH, NATIONAL};

/// How one partner's export looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// The template vintage.
    pub(crate) template: &'static str,
    /// `strftime` forms.
    pub(crate) date: &'static str,
    pub(crate) birth: &'static str,
    pub(crate) delimiter: char,
    pub(crate) areas: AreaCodes,
    pub(crate) files: &'static [FileShape],
}

/// Which council codes the export writes: four councils' codes changed, and intake accepts both.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AreaCodes {
    Current,
    Replaced,
}

/// One file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileShape {
    pub(crate) name: &'static str,
    pub(crate) rows: Rows,
    pub(crate) columns: &'static [Column],
}

/// What one row of a file is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Rows {
    /// A start, with its person and its outcome: the file feeds three tables.
    Wide,
    /// A person.
    People,
    /// A start.
    Starts,
    /// A start with its outcome: feeds two tables.
    StartsAndOutcomes,
    /// An outcome.
    Outcomes,
}

/// One column: its heading, what it holds, and the export's words where they are not the dictionary's codes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) heading: &'static str,
    pub(crate) field: Field,
    pub(crate) words: Words,
}

/// The dictionary's code and the export's word for it.
pub(crate) type Words = &'static [(&'static str, &'static str)];

/// What a column holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Field {
    PersonId,
    Nino,
    Birth,
    AgeBand,
    Gender,
    Sex,
    Condition,
    Limits,
    Council,
    Parental,
    Ethnic,
    Economic,
    Objection,
    StartId,
    /// 1 for the first start of a person in the export, 2 for the next.
    StartNumber,
    StartDay,
    EndDay,
    EndReason,
    Referral,
    DeliveryArea,
    OutcomeId,
    OutcomeKind,
    OutcomeDay,
    /// 0 to 3: 4, 13, 26 and 52 weeks.
    Week(usize),
    Hours,
    Contract,
}

/// The shape of a partner's export.
pub(crate) fn of(partner: &str, kind: Kind) -> Shape {
    match (partner, kind) {
        ("dundee-city", _) => CASEWORK,
        ("angus", _) => THREE_FILES,
        ("perth-and-kinross", _) => NUMBERED,
        ("fife", _) => WORDED,
        ("orkney-islands", _) => SPREADSHEET,
        (_, Kind::Council) => {
            let of = partner.bytes().map(u32::from).sum::<u32>() % 4;
            [CASEWORK, THREE_FILES, NUMBERED, WORDED]
                .get(usize::try_from(of).unwrap_or(0))
                .copied()
                .unwrap_or(CASEWORK)
        }
        (_, Kind::Charity) => CHARITY,
        (_, Kind::LoneParents) => FIRST_YEAR,
        (_, Kind::College) => COLLEGE,
        (_, Kind::HealthBoard) => HEALTH,
        (_, Kind::National) => NATIONAL,
    }
}

impl Shape {
    pub(crate) fn objection_column(&self) -> Option<&'static Column> {
        self.column(Field::Objection)
    }

    /// The first column that holds this.
    pub(crate) fn column(&self, field: Field) -> Option<&'static Column> {
        self.files.iter().flat_map(|f| f.columns).find(|c| c.field == field)
    }

    pub(crate) fn has_limits(&self) -> bool {
        self.column(Field::Limits).is_some()
    }
}

impl Column {
    /// The export's word for a code; blank for one that it has no word for.
    pub(crate) fn word(&self, code: &'static str) -> &'static str {
        let found = self.words.iter().find(|(c, _)| *c == code);
        match found {
            Some((_, word)) => word,
            None if self.words.iter().all(|(c, _)| *c == "blank") => code,
            None => "",
        }
    }

    /// What a code counts as once it has been written and read again: two codes with one word become the first, and a blank
    /// is unknown, or `blank` where the list has that code.
    pub(crate) fn read_again(&self, code: &'static str) -> &'static str {
        match self.word(code) {
            "" if matches!(self.field, Field::Week(_)) => "blank",
            "" => UNKNOWN,
            word => self.words.iter().find(|(_, w)| *w == word).map_or(code, |(c, _)| c),
        }
    }
}

const fn col(heading: &'static str, field: Field, words: Words) -> Column {
    Column { heading, field, words }
}
