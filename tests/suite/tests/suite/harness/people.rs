//! Small exports, written by hand: a test knows every person.

use std::fmt::Write as _;
use std::path::Path;

/// One row of an export: one person with one start.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) id: String,
    /// `YYYY-MM-DD`.
    pub(crate) born: String,
    /// `F`, `M` or blank.
    pub(crate) sex: &'static str,
    /// A council's code, such as [`FIFE`].
    pub(crate) council: &'static str,
    /// `Y` or `N`: a long-term condition that limits a lot.
    pub(crate) disabled: &'static str,
    /// `YYYY-MM-DD`.
    pub(crate) started: String,
    /// The day of a job start, or blank.
    pub(crate) job: &'static str,
}

pub(crate) const ANGUS: &str = "S12000041";
pub(crate) const DUNDEE: &str = "S12000042";
pub(crate) const FIFE: &str = "S12000047";

/// `count` people alike, with ids from `prefix`.
pub(crate) fn people(prefix: &str, count: usize, council: &'static str, sex: &'static str) -> Vec<Person> {
    let person = |n| Person {
        id: format!("{prefix}{n:05}"),
        born: "1990-05-17".to_owned(),
        sex,
        council,
        disabled: "N",
        started: "2025-05-06".to_owned(),
        job: "",
    };
    (0..count).map(person).collect()
}

/// Writes `people.csv`.
pub(crate) fn write_export(folder: &Path, people: &[Person]) {
    let mut text = "id,born,sex,council,disabled,started,job_start,job\n".to_owned();
    for p in people {
        let Person { id, born, sex, council, disabled, started, job } = p;
        let job_start = if job.is_empty() { "no" } else { "yes" };
        writeln!(text, "{id},{born},{sex},{council},{disabled},{started},{job_start},{job}").unwrap();
    }
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("people.csv"), text).unwrap();
}

/// The mapping that reads `people.csv`.
pub(crate) fn mapping(partner: &str) -> String {
    MAPPING.replace("PARTNER", partner)
}

const MAPPING: &str = r#"
cairn_mapping = 1
partner = "PARTNER"
as_of = "2026-01-01"
template = "smf-2022"
objections = "held-elsewhere"
confirmed_by = "made-up records: nobody in them can object"

[source.people]
file = "people.csv"

[table.participants]
source = "people"

[table.participants.columns]
local_person_id = { from = "id" }
birth_month = { from = "born", date = "%Y-%m-%d" }
sex = { from = "sex", codes = { F = "female", M = "male" } }
long_term_condition = { from = "disabled", codes = { Y = "yes", N = "no" } }
limits_activity = { from = "disabled", codes = { Y = "a_lot", N = "not_at_all" } }
council_code = { from = "council" }

[table.engagements]
source = "people"

[table.engagements.columns]
engagement_id = { from = "id", suffix = "-e1" }
local_person_id = { from = "id" }
lep_code = { value = "S12000047" }
start_date = { from = "started", date = "%Y-%m-%d" }
charter_applies = { value = "yes" }
is_rejoin = { value = "no" }

[table.outcomes]
source = "people"
when = { column = "job_start", is = ["yes"] }

[table.outcomes.columns]
outcome_id = { from = "id", suffix = "-o1" }
engagement_id = { from = "id", suffix = "-e1" }
local_person_id = { from = "id" }
outcome_type = { value = "job_start" }
outcome_date = { from = "job", date = "%Y-%m-%d" }
"#;
