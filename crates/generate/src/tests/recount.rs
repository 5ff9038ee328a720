//! Counts an export through its mapping file. It knows the mapping language and the derivation rules of the data dictionary,
//! and nothing of the generator.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use chrono::{Datelike, NaiveDate};
use serde_json::{Value, json};

type Row = BTreeMap<String, String>;
type Counts = BTreeMap<String, u64>;

struct Mapping {
    doc: toml::Table,
    files: HashMap<String, Vec<Row>>,
    as_of: NaiveDate,
}

/// The counts of one partner's folder, under the names of its part of `truth.json`.
pub(super) fn partner(folder: &Path) -> Value {
    let mapping = Mapping::read(folder);
    let people = mapping.table("participants");
    let objects: BTreeSet<String> = people
        .iter()
        .filter(|p| p.get("statistics_objection").is_some_and(|o| o != "no"))
        .map(|p| p["local_person_id"].clone())
        .collect();
    let counted = |rows: Vec<Row>| -> Vec<Row> {
        rows.into_iter().filter(|r| !objects.contains(&r["local_person_id"])).collect()
    };
    let people = counted(people);
    let starts = counted(mapping.table("engagements"));
    let outcomes = counted(mapping.table("outcomes"));
    let mut first: HashMap<String, NaiveDate> = HashMap::new();
    for start in &starts {
        let day = date(&start["start_date"]);
        let known = first.entry(start["local_person_id"].clone()).or_insert(day);
        *known = day.min(*known);
    }
    let mut by: BTreeMap<&str, Counts> = BTreeMap::new();
    let mut both: BTreeMap<String, Counts> = BTreeMap::new();
    let mut up =
        |what: &'static str, key: &str| *by.entry(what).or_default().entry(key.to_owned()).or_default() += 1;
    for person in &people {
        let id = &person["local_person_id"];
        up("by_council", &person["council_code"]);
        let gender = person.get("gender").map_or("unknown", String::as_str);
        *both.entry(person["council_code"].clone()).or_default().entry(gender.to_owned()).or_default() += 1;
        up("by_disabled", disabled(&person["long_term_condition"], person.get("limits_activity")));
        for (what, column) in [("by_gender", "gender"), ("by_sex", "sex")] {
            if let Some(code) = person.get(column) {
                up(what, code);
            }
        }
        match person.get("age_band") {
            Some(band) => up("by_age_band", band),
            None => up("by_age_band", age(&person["birth_month"], first[id])),
        }
    }
    for start in &starts {
        up("starts_by_quarter", &quarter(date(&start["start_date"])));
        if start["end_date"] != "unknown" {
            up("ended_by_reason", &start["end_reason"]);
        }
    }
    let (cohort, due, worked) = cohorts(&starts, &outcomes, mapping.as_of);
    json!({
        "template": mapping.doc["template"].as_str().unwrap(),
        "objections": objects.len(),
        "people": people.len(),
        "starts": starts.len(),
        "returns": starts.iter().filter(|s| s["is_rejoin"] == "yes").count(),
        "outcomes": outcomes.len(),
        "by_council": by.get("by_council").cloned().unwrap_or_default(),
        "by_council_and_gender": both,
        "by_gender": by.get("by_gender").cloned().unwrap_or_default(),
        "by_sex": by.get("by_sex").cloned().unwrap_or_default(),
        "by_age_band": by.get("by_age_band").cloned().unwrap_or_default(),
        "by_disabled": by.get("by_disabled").cloned().unwrap_or_default(),
        "starts_by_quarter": by.get("starts_by_quarter").cloned().unwrap_or_default(),
        "people_starting_by_year": cohort,
        "due_by_year": due,
        "into_work_within_12m_by_year": worked,
        "people_into_work": outcomes.iter().filter(|o| into_work(o)).map(|o| &o["local_person_id"]).collect::<BTreeSet<_>>().len(),
        "follow_ups_by_year": follow_ups(&outcomes, mapping.as_of),
        "ended_by_reason": by.get("ended_by_reason").cloned().unwrap_or_default(),
    })
}

/// The numbers by which the mapping links people who do not object, each without the letter at its end.
pub(super) fn numbers(folder: &Path) -> BTreeSet<String> {
    let mapping = Mapping::read(folder);
    let table = mapping.doc["table"]["participants"].as_table().unwrap();
    let rows = mapping.rows("participants");
    let people = mapping.table("participants");
    let number = |row: &Row| row[table["linkage"]["nino"].as_str().unwrap()].clone();
    let here =
        people.iter().zip(rows).filter(|(p, _)| p.get("statistics_objection").is_none_or(|o| o == "no"));
    let numbers = here.map(|(_, row)| number(row)).filter(|number| !number.is_empty());
    numbers.map(|number| number[..number.len() - 1].to_owned()).collect()
}

impl Mapping {
    fn read(folder: &Path) -> Self {
        let doc: toml::Table = std::fs::read_to_string(folder.join("mapping.toml")).unwrap().parse().unwrap();
        let mut files = HashMap::new();
        for (name, source) in doc["source"].as_table().unwrap() {
            let delimiter = source.get("delimiter").map_or(b',', |d| d.as_str().unwrap().as_bytes()[0]);
            let file = folder.join(source["file"].as_str().unwrap());
            let mut csv = csv::ReaderBuilder::new().delimiter(delimiter).from_path(file).unwrap();
            let head = csv.headers().unwrap().clone();
            let row = |r: csv::StringRecord| {
                head.iter().map(str::to_owned).zip(r.iter().map(str::to_owned)).collect()
            };
            files.insert(name.clone(), csv.records().map(|r| row(r.unwrap())).collect());
        }
        let as_of = date(doc["as_of"].as_str().unwrap());
        Self { doc, files, as_of }
    }

    /// The rows of one table in the dictionary's columns and codes; what is blank or unreadable is `unknown`.
    fn table(&self, name: &str) -> Vec<Row> {
        let columns = self.doc["table"][name]["columns"].as_table().unwrap();
        let cells = |row: &Row| columns.iter().map(|(c, cell)| (c.clone(), read(c, cell, row))).collect();
        self.rows(name).into_iter().map(cells).collect()
    }

    /// The rows of the export that feed a table.
    fn rows(&self, name: &str) -> Vec<&Row> {
        let table = self.doc["table"][name].as_table().unwrap();
        let rows = &self.files[table["source"].as_str().unwrap()];
        let fits = |row: &&Row| {
            let Some(when) = table.get("when") else { return true };
            let cell = &row[when["column"].as_str().unwrap()];
            when["is"].as_array().unwrap().iter().any(|w| w.as_str() == Some(cell))
        };
        rows.iter().filter(fits).collect()
    }
}

fn read(column: &str, cell: &toml::Value, row: &Row) -> String {
    if let Some(value) = cell.get("value") {
        return value.as_str().unwrap().to_owned();
    }
    let text = &row[cell["from"].as_str().unwrap()];
    if let Some(suffix) = cell.get("suffix") {
        return format!("{text}{}", suffix.as_str().unwrap());
    }
    if column.starts_with("week") && text.is_empty() {
        return "blank".into();
    }
    if let Some(form) = cell.get("date") {
        let form = form.as_str().unwrap();
        let whole = if form.contains("%d") {
            (text.clone(), form.to_owned())
        } else {
            (format!("01/{text}"), format!("%d/{form}"))
        };
        return NaiveDate::parse_from_str(&whole.0, &whole.1).map_or("unknown".into(), |d| d.to_string());
    }
    let code = match cell.get("codes") {
        Some(codes) => codes.get(text).map(|c| c.as_str().unwrap().to_owned()),
        None => Some(text.clone()).filter(|t| !t.is_empty() && t != "#N/A"),
    };
    let code = code.unwrap_or_else(|| "unknown".into());
    match code.as_str() {
        "S12000015" => "S12000047".into(),
        "S12000024" => "S12000048".into(),
        "S12000046" => "S12000049".into(),
        "S12000044" => "S12000050".into(),
        _ => code,
    }
}

fn date(text: &str) -> NaiveDate {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").unwrap_or_else(|_| panic!("{text}"))
}

fn quarter(day: NaiveDate) -> String {
    format!("{}-Q{}", day.year(), day.month0() / 3 + 1)
}

fn year(day: NaiveDate) -> String {
    let from = if day.month() >= 4 { day.year() } else { day.year() - 1 };
    format!("{from}-{:02}", (from + 1) % 100)
}

fn disabled(condition: &str, limits: Option<&String>) -> &'static str {
    match (condition, limits.map_or("unknown", String::as_str)) {
        ("yes", "a_lot" | "a_little") => "yes",
        ("no", _) | (_, "not_at_all") => "no",
        _ => "unknown",
    }
}

fn age(birth: &str, first: NaiveDate) -> &'static str {
    if birth == "unknown" {
        return "unknown";
    }
    let birth = date(birth);
    let before = (first.month(), first.day()) < (birth.month(), 1);
    match first.year() - birth.year() - i32::from(before) {
        16..=19 => "16_19",
        20..=24 => "20_24",
        25..=34 => "25_34",
        35..=49 => "35_49",
        50..=64 => "50_64",
        65..=120 => "65_plus",
        _ => "unknown",
    }
}

fn into_work(outcome: &Row) -> bool {
    ["job_start", "self_employment", "modern_apprenticeship"].contains(&outcome["outcome_type"].as_str())
}

fn after_a_year(day: NaiveDate) -> NaiveDate {
    day.with_year(day.year() + 1).unwrap_or_else(|| NaiveDate::from_ymd_opt(day.year() + 1, 2, 28).unwrap())
}

/// People by year of start: all, those whose 12 months are over, and those of them who entered work within 12 months.
fn cohorts(starts: &[Row], outcomes: &[Row], as_of: NaiveDate) -> (Counts, Counts, Counts) {
    let works: HashMap<&String, NaiveDate> = outcomes
        .iter()
        .filter(|o| into_work(o))
        .map(|o| (&o["engagement_id"], date(&o["outcome_date"])))
        .collect();
    let mut sets: [BTreeMap<String, BTreeSet<&String>>; 3] = Default::default();
    for start in starts {
        let (day, person) = (date(&start["start_date"]), &start["local_person_id"]);
        let due = after_a_year(day) <= as_of;
        let worked = works.get(&start["engagement_id"]).is_some_and(|o| *o <= after_a_year(day));
        for (set, holds) in sets.iter_mut().zip([true, due, due && worked]) {
            if holds {
                set.entry(year(day)).or_default().insert(person);
            }
        }
    }
    let sizes = sets.map(|s| s.into_iter().map(|(y, people)| (y, people.len() as u64)).collect());
    let [all, due, worked] = sizes;
    (all, due, worked)
}

/// Who entered work in a year, and by week and status.
type Year<'a> = (BTreeSet<&'a String>, BTreeMap<&'a str, BTreeMap<String, BTreeSet<&'a String>>>);

fn follow_ups(outcomes: &[Row], as_of: NaiveDate) -> Value {
    let mut years: BTreeMap<String, Year<'_>> = BTreeMap::new();
    for outcome in outcomes.iter().filter(|o| into_work(o)) {
        let (day, person) = (date(&outcome["outcome_date"]), &outcome["local_person_id"]);
        let here = years.entry(year(day)).or_default();
        here.0.insert(person);
        for (week, weeks) in [("week4", 4), ("week13", 13), ("week26", 26), ("week52", 52)] {
            let come = day + chrono::Days::new(weeks * 7) <= as_of;
            let status = match outcome.get(week) {
                _ if !come => "not_due".to_owned(),
                Some(status) => status.clone(),
                None => "unknown".to_owned(),
            };
            here.1.entry(week).or_default().entry(status).or_default().insert(person);
        }
    }
    let count = |statuses: BTreeMap<String, BTreeSet<&String>>| -> Counts {
        statuses.into_iter().map(|(status, people)| (status, people.len() as u64)).collect()
    };
    years
        .into_iter()
        .map(|(year, (entered, weeks))| {
            let by_status: BTreeMap<&str, Counts> = weeks.into_iter().map(|(w, s)| (w, count(s))).collect();
            (year, json!({ "entered": entered.len(), "by_status": by_status }))
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}
