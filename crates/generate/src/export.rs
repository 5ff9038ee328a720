//! Writes a partner's export in its own shape, and the mapping that reads it.

use cairn_question::Day;
use cairn_question::schema::age_band;

use crate::holding::{HeldOutcome, HeldStart, Holding, Record, Written};
use crate::partner::{Kind, Partner};
use crate::shape::{AreaCodes, Column, Field, FileShape, Rows, Shape};
use crate::spec::Spec;

/// The files of a partner's folder: its export, and `mapping.toml`.
pub(crate) fn files(partner: &Partner, holding: &Holding<'_>, spec: &Spec) -> Vec<(String, Vec<u8>)> {
    let export = partner.shape.files.iter().map(|file| {
        let writer = Writer { partner, spec, file };
        (file.name.to_owned(), writer.text(holding))
    });
    let mut files: Vec<(String, Vec<u8>)> = export.collect();
    files.push(("mapping.toml".to_owned(), mapping(partner, spec).into_bytes()));
    files
}

struct Writer<'a> {
    partner: &'a Partner,
    spec: &'a Spec,
    file: &'a FileShape,
}

/// What one row is of.
#[derive(Clone, Copy)]
struct Row<'a> {
    record: &'a Record<'a>,
    /// The start and its number, from 1.
    start: Option<(&'a HeldStart, usize)>,
}

impl Writer<'_> {
    fn text(&self, holding: &Holding<'_>) -> Vec<u8> {
        let delimiter = u8::try_from(self.partner.shape.delimiter).unwrap_or(b',');
        let mut csv = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
        // Writing to memory cannot fail, and every row has as many cells as the head.
        let _ = csv.write_record(self.file.columns.iter().map(|c| c.heading));
        for record in &holding.records {
            for row in self.rows(record) {
                let _ = csv.write_record(self.file.columns.iter().map(|c| self.cell(c, row)));
            }
        }
        csv.into_inner().unwrap_or_default()
    }

    fn rows<'a>(&self, record: &'a Record<'a>) -> Vec<Row<'a>> {
        let starts = record.starts.iter().zip(1..).map(|s| Row { record, start: Some(s) });
        match self.file.rows {
            Rows::People => vec![Row { record, start: None }],
            Rows::Wide | Rows::Starts | Rows::StartsAndOutcomes => starts.collect(),
            Rows::Outcomes => starts.filter(|r| r.outcome().is_some()).collect(),
        }
    }

    fn cell(&self, column: &Column, row: Row<'_>) -> String {
        let record = row.record;
        match column.field {
            Field::PersonId => record.local_id.clone(),
            Field::Nino => record.nino.value().cloned().unwrap_or_default(),
            Field::Birth => self.birth(record),
            Field::AgeBand => column.word(age_at_first_start(record)).to_owned(),
            Field::Gender => word(column, &record.gender),
            Field::Sex => word(column, &record.sex),
            Field::Condition => word(column, &record.condition),
            Field::Limits => word(column, &record.limits),
            Field::Council => self.council(&record.council),
            Field::Parental => word(column, &record.parental),
            Field::Ethnic => word(column, &record.ethnic),
            Field::Economic => word(column, &record.economic),
            Field::Objection => column.word(if record.objects { "yes" } else { "no" }).to_owned(),
            Field::DeliveryArea => self.area(&record.person.council).to_owned(),
            _ => row.start.map(|(start, n)| self.start_cell(column, record, start, n)).unwrap_or_default(),
        }
    }

    fn start_cell(&self, column: &Column, record: &Record<'_>, start: &HeldStart, number: usize) -> String {
        let outcome = start.outcome.as_ref();
        match column.field {
            Field::StartId => format!("{}-{number}", record.local_id),
            Field::StartNumber => number.to_string(),
            Field::StartDay => self.day(start.day),
            Field::EndDay => start.end.as_ref().map(|(day, _)| self.day(*day)).unwrap_or_default(),
            Field::EndReason => {
                start.end.as_ref().map(|(_, reason)| word(column, reason)).unwrap_or_default()
            }
            Field::Referral => word(column, &start.referral),
            Field::OutcomeId => format!("{}-{number}-O", record.local_id),
            _ => outcome.map(|o| self.outcome_cell(column, o)).unwrap_or_default(),
        }
    }

    fn outcome_cell(&self, column: &Column, outcome: &HeldOutcome) -> String {
        match column.field {
            Field::OutcomeKind => column.word(outcome.kind).to_owned(),
            Field::OutcomeDay => self.day(outcome.day),
            Field::Week(at) => column.word(status_written(outcome, at, self.spec.as_of)).to_owned(),
            Field::Hours => word(column, &outcome.hours),
            Field::Contract => word(column, &outcome.contract),
            _ => String::new(),
        }
    }

    fn day(&self, day: Day) -> String {
        day.date().format(self.partner.shape.date).to_string()
    }

    fn birth(&self, record: &Record<'_>) -> String {
        let form = self.partner.shape.birth;
        match &record.birth {
            Written::As(day) => day.date().format(form).to_string(),
            Written::Blank => String::new(),
            // A day that no calendar has, and where only months are written a month that no year has.
            Written::Slip if form.contains("%d") => {
                form.replace("%d", "31").replace("%m", "02").replace("%b", "Feb").replace("%Y", "1984")
            }
            Written::Slip => form.replace("%m", "19").replace("%Y", "1984"),
        }
    }

    fn council(&self, council: &Written<String>) -> String {
        match council {
            Written::As(code) => self.area(code).to_owned(),
            Written::Blank => String::new(),
            Written::Slip => SLIP.to_owned(),
        }
    }

    fn area<'a>(&self, code: &'a str) -> &'a str {
        if self.partner.shape.areas == AreaCodes::Current {
            return code;
        }
        REPLACED.iter().find(|(now, _)| *now == code).map_or(code, |(_, before)| before)
    }
}

impl<'a> Row<'a> {
    fn outcome(&self) -> Option<&'a HeldOutcome> {
        self.start.and_then(|(start, _)| start.outcome.as_ref())
    }
}

fn word(column: &Column, written: &Written<&'static str>) -> String {
    match written {
        Written::As(code) => column.word(code).to_owned(),
        Written::Blank => String::new(),
        Written::Slip => SLIP.to_owned(),
    }
}

/// The age band at the first start here, from the month of birth as the node keeps it. The person's own birth: a partner that
/// writes bands asks for no date.
pub(crate) fn age_at_first_start(record: &Record<'_>) -> &'static str {
    band(record, Some(record.person.birth))
}

/// The band that a node derives.
pub(crate) fn band(record: &Record<'_>, birth: Option<Day>) -> &'static str {
    use chrono::Datelike;
    let month = birth.and_then(|b| b.date().with_day(1)).map(Day::from);
    let first = record.starts.first().map(|s| s.day);
    let years = month.zip(first).and_then(|(month, first)| month.years_until(first));
    years.map_or(cairn_question::schema::UNKNOWN, age_band)
}

/// The status a partner would write; a week that has not come is not due.
pub(crate) fn status_written(outcome: &HeldOutcome, week: usize, as_of: Day) -> &'static str {
    let weeks: i32 = [4, 13, 26, 52].get(week).copied().unwrap_or(52);
    if outcome.day.plus_days(weeks * 7) > as_of {
        return "not_due";
    }
    match outcome.is_into_work() {
        true => outcome.weeks.get(week).copied().unwrap_or("blank"),
        false => "blank",
    }
}

/// What stands in a cell that somebody filled in wrongly.
const SLIP: &str = "#N/A";

/// The four councils whose codes changed: the code now, and before.
const REPLACED: &[(&str, &str)] = &[
    ("S12000047", "S12000015"),
    ("S12000048", "S12000024"),
    ("S12000049", "S12000046"),
    ("S12000050", "S12000044"),
];

fn mapping(partner: &Partner, spec: &Spec) -> String {
    let shape = &partner.shape;
    let mut text = format!(
        "# Reads {}'s made-up export. docs/reference/mapping.md explains each key.\ncairn_mapping = 1\npartner = {:?}\nas_of = \"{}\"\ntemplate = {:?}\n",
        partner.id, partner.id, spec.as_of, shape.template
    );
    if shape.objection_column().is_none() {
        text.push_str(
            "objections = \"held-elsewhere\"\nconfirmed_by = \"information governance officer (made up)\"\n",
        );
    }
    for file in shape.files {
        text.push_str(&format!("\n[source.{}]\nfile = {:?}\n", source(file), file.name));
        if shape.delimiter != ',' {
            text.push_str(&format!("delimiter = {:?}\n", shape.delimiter.to_string()));
        }
    }
    for file in shape.files {
        for table in tables(file.rows) {
            text.push_str(&table_text(partner, shape, file, table));
        }
    }
    text
}

fn source(file: &FileShape) -> &str {
    file.name.split('.').next().unwrap_or(file.name)
}

fn tables(rows: Rows) -> &'static [&'static str] {
    match rows {
        Rows::Wide => &["participants", "engagements", "outcomes"],
        Rows::People => &["participants"],
        Rows::Starts => &["engagements"],
        Rows::StartsAndOutcomes => &["engagements", "outcomes"],
        Rows::Outcomes => &["outcomes"],
    }
}

fn table_text(partner: &Partner, shape: &Shape, file: &FileShape, table: &str) -> String {
    let heading = |field| file.columns.iter().find(|c| c.field == field).map(|c| c.heading);
    let mut text = format!("\n[table.{table}]\nsource = {:?}\n", source(file));
    let shared = tables(file.rows).len() > 1;
    if let (true, "participants", Some(number)) = (shared, table, heading(Field::StartNumber)) {
        text.push_str(&format!("when = {{ column = {number:?}, is = [\"1\"] }}\n"));
    }
    if let (true, "outcomes", Some(kind)) =
        (shared, table, file.columns.iter().find(|c| c.field == Field::OutcomeKind))
    {
        let words: Vec<String> = kind.words.iter().map(|(_, word)| format!("{word:?}")).collect();
        text.push_str(&format!("when = {{ column = {:?}, is = [{}] }}\n", kind.heading, words.join(", ")));
    }
    if let ("participants", Some(nino)) = (table, heading(Field::Nino)) {
        text.push_str(&format!("linkage = {{ nino = {nino:?}, made_up_numbers = true }}\n"));
    }
    text.push_str(&format!("\n[table.{table}.columns]\n"));
    for column in file.columns {
        if let Some(line) = column_text(shape, column, table) {
            text.push_str(&line);
        }
    }
    let start = heading(Field::StartId).unwrap_or_default();
    match table {
        "engagements" => {
            let area = heading(Field::DeliveryArea).map(|h| format!("{{ from = {h:?} }}"));
            let own = partner.areas.first().filter(|_| partner.kind == Kind::Council);
            let own = own.map(|code| format!("{{ value = {code:?} }}"));
            text.push_str(&format!(
                "lep_code = {}\ncharter_applies = {{ value = \"yes\" }}\n",
                area.or(own).unwrap_or_default()
            ));
        }
        "outcomes" if heading(Field::OutcomeId).is_none() => {
            text.push_str(&format!("outcome_id = {{ from = {start:?}, suffix = \"-O\" }}\n"));
        }
        _ => {}
    }
    text
}

/// One line of a table's columns; `None` where the column is not of that table.
fn column_text(shape: &Shape, column: &Column, table: &str) -> Option<String> {
    let name = match (table, column.field) {
        (_, Field::PersonId) => "local_person_id",
        ("participants", field) => participant_column(field)?,
        ("engagements", field) => engagement_column(field)?,
        (_, field) => outcome_column(field)?,
    };
    let from = format!("from = {:?}", column.heading);
    let more = match column.field {
        Field::Birth => format!(", date = {:?}", shape.birth),
        Field::StartDay | Field::EndDay | Field::OutcomeDay => format!(", date = {:?}", shape.date),
        Field::StartNumber => ", codes = { 1 = \"no\", 2 = \"yes\", 3 = \"yes\", 4 = \"yes\" }".to_owned(),
        _ => codes_text(column),
    };
    Some(format!("{name} = {{ {from}{more} }}\n"))
}

fn codes_text(column: &Column) -> String {
    let mut seen: Vec<&str> = Vec::new();
    let mut codes = Vec::new();
    for (code, word) in column.words {
        if !word.is_empty() && !seen.contains(word) {
            seen.push(word);
            codes.push(format!("{word:?} = {code:?}"));
        }
    }
    if codes.is_empty() { String::new() } else { format!(", codes = {{ {} }}", codes.join(", ")) }
}

fn participant_column(field: Field) -> Option<&'static str> {
    Some(match field {
        Field::Birth => "birth_month",
        Field::AgeBand => "age_band",
        Field::Gender => "gender",
        Field::Sex => "sex",
        Field::Condition => "long_term_condition",
        Field::Limits => "limits_activity",
        Field::Council => "council_code",
        Field::Parental => "parental_status",
        Field::Ethnic => "ethnic_group",
        Field::Economic => "economic_status_start",
        Field::Objection => "statistics_objection",
        _ => return None,
    })
}

fn engagement_column(field: Field) -> Option<&'static str> {
    Some(match field {
        Field::StartId => "engagement_id",
        Field::StartNumber => "is_rejoin",
        Field::StartDay => "start_date",
        Field::EndDay => "end_date",
        Field::EndReason => "end_reason",
        Field::Referral => "referral_source",
        _ => return None,
    })
}

fn outcome_column(field: Field) -> Option<&'static str> {
    Some(match field {
        Field::OutcomeId => "outcome_id",
        Field::StartId => "engagement_id",
        Field::OutcomeKind => "outcome_type",
        Field::OutcomeDay => "outcome_date",
        Field::Week(0) => "week4",
        Field::Week(1) => "week13",
        Field::Week(2) => "week26",
        Field::Week(3) => "week52",
        Field::Hours => "hours_band",
        Field::Contract => "contract",
        _ => return None,
    })
}
