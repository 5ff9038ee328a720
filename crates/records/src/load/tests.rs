use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use cairn_question::Moment;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::*;
use crate::report::{PROBLEMS_MAX, ROWS_SHOWN};

const NOW: Moment = Moment::from_unix_s(1_767_300_000);

/// Participants and starts from `people.csv`, jobs from `jobs.csv`.
const MAPPING: &str = r#"
cairn_mapping = 1
partner = "angus"
as_of = "2026-01-01"
template = "smf-2022"
max_rejected_percent = 100

[source.people]
file = "people.csv"

[source.jobs]
file = "jobs.csv"

[table.participants]
source = "people"

[table.participants.columns]
local_person_id = { from = "id" }
birth_month = { from = "born", date = "%d/%m/%Y" }
gender = { from = "gender", codes = { M = "man", W = "woman" } }
highest_qual_scqf = { from = "scqf" }
children_under_16 = { from = "children" }
barriers = { from = "barriers", split = ";", codes = { bus = "transport", debt = "money_debt", "-" = "none" } }
statistics_objection = { from = "objects", codes = { Y = "yes", N = "no" } }

[table.engagements]
source = "people"

[table.engagements.columns]
engagement_id = { from = "id", suffix = "-1" }
local_person_id = { from = "id" }
lep_code = { value = "S12000041" }
start_date = { from = "start", date = "%Y-%m-%d" }
charter_applies = { value = "yes" }
is_rejoin = { value = "no" }

[table.outcomes]
source = "jobs"

[table.outcomes.columns]
outcome_id = { from = "job" }
engagement_id = { from = "id", suffix = "-1" }
local_person_id = { from = "person" }
outcome_type = { from = "kind" }
outcome_date = { from = "date", date = "%Y-%m-%d" }
week4 = { from = "w4" }
"#;

const PEOPLE: &str = "id,born,gender,scqf,children,barriers,objects,start\n";
const JOBS: &str = "job,id,person,kind,date,w4\n";

fn open<'a>(files: &'a BTreeMap<String, Vec<u8>>) -> impl Fn(&str) -> io::Result<Box<dyn Read>> + 'a {
    |name| {
        let bytes = files.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Cursor::new(bytes.clone())) as Box<dyn Read>)
    }
}

struct Loaded {
    _dir: tempfile::TempDir,
    staged: Result<Snapshot, Report>,
    report: Report,
}

fn load(mapping: &str, files: &[(&str, &[u8])]) -> Loaded {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let mapping = Mapping::parse("mapping.toml", mapping).unwrap_or_else(|r| panic!("{r}"));
    let files = files.iter().map(|(n, b)| ((*n).to_owned(), b.to_vec())).collect();
    match check_and_stage_from(&store, &mapping, &open(&files), NOW) {
        Ok(staged) => {
            let report = staged.report().clone();
            Loaded { _dir: dir, staged: Ok(staged.commit().unwrap()), report }
        }
        Err(report) => Loaded { _dir: dir, staged: Err(report.clone()), report },
    }
}

fn load_rows(people: &str, jobs: &str) -> Loaded {
    let (people, jobs) = (format!("{PEOPLE}{people}"), format!("{JOBS}{jobs}"));
    load(MAPPING, &[("people.csv", people.as_bytes()), ("jobs.csv", jobs.as_bytes())])
}

/// The problems as short lines: code, effect, place, count and rows.
fn lines(report: &Report) -> Vec<String> {
    let line = |p: &Problem| {
        let column = p.column.as_deref().unwrap_or("-");
        let table = p.table.as_deref().unwrap_or("-");
        format!("{} {} {}/{table}/{column} {}x {:?}", p.code, p.effect, p.file, p.count, p.rows)
    };
    report.problems.iter().map(line).collect()
}

fn check(people: &str, jobs: &str, expected: &[&str]) {
    let loaded = load_rows(people, jobs);
    assert_eq!(lines(&loaded.report), expected, "\n{}", loaded.report);
}

/// Every value of a column, in the order of the snapshot; `-` is NULL.
fn column(snapshot: &Snapshot, table: &str, name: &str) -> Vec<String> {
    let mut values = Vec::new();
    for batch in batches(snapshot, table) {
        let array = batch.column_by_name(name).unwrap();
        let options = FormatOptions::default().with_null("-");
        let format = ArrayFormatter::try_new(array, &options).unwrap();
        values.extend((0..array.len()).map(|i| format.value(i).to_string()));
    }
    values
}

fn batches(snapshot: &Snapshot, table: &str) -> Vec<RecordBatch> {
    let read = |path: PathBuf| {
        let file = File::open(path).unwrap();
        ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap().map(Result::unwrap)
    };
    snapshot.parts(table).into_iter().flat_map(read).collect()
}

#[test]
fn a_clean_export_becomes_numbered_sorted_tables() {
    let loaded = load_rows(
        "b,01/05/1990,W,5,2,bus; debt,N,2025-01-10\na,31/12/1960,M,,,-,N,2024-03-01\n",
        "j1,b,b,job_start,2025-02-01,in_employment\nj2,b,b,training,2025-01-20,\n",
    );
    assert_eq!(lines(&loaded.report), [""; 0]);
    let snapshot = loaded.staged.unwrap();
    let all = |table: &str, name: &str| column(&snapshot, table, name).join(" ");
    assert_eq!(all("participants", "local_person_id"), "a b");
    assert_eq!(all("participants", "person_no"), "0 1");
    assert_eq!(all("participants", "gender"), "man woman");
    assert_eq!(all("participants", "birth_month"), "1960-12-01 1990-05-01", "only the month is kept");
    assert_eq!(all("participants", "age_band"), "50_64 25_34");
    assert_eq!(all("participants", "highest_qual_scqf"), "- 5");
    assert_eq!(all("participants", "children_under_16"), "- 2");
    assert_eq!(all("participants", "barriers_transport"), "no yes");
    assert_eq!(all("participants", "barriers_esol"), "no no");
    assert_eq!(all("participants", "religion"), "unknown unknown", "what is not fed is unknown");
    assert_eq!(all("participants", "partner_id"), "angus angus");
    assert_eq!(all("participants", "template_version"), "smf-2022 smf-2022");
    assert_eq!(all("participants", "as_of"), "2026-01-01 2026-01-01");
    assert_eq!(all("participants", "statistics_objection"), "false false");
    assert_eq!(all("engagements", "engagement_no"), "0 1");
    assert_eq!(all("engagements", "job_due_12m"), "due not_due");
    assert_eq!(all("outcomes", "person_no"), "1 1");
    assert_eq!(all("outcomes", "engagement_no"), "1 1");
    assert_eq!(all("outcomes", "outcome_date"), "2025-01-20 2025-02-01", "oldest first");
    assert_eq!(all("outcomes", "week4"), "blank in_employment");
    assert_eq!(snapshot.manifest().persons, 2);
    assert_eq!(snapshot.manifest().sources.len(), 2);
    assert_eq!(
        snapshot.manifest().sources[1].sha256,
        cairn_question::Hash::of(
            format!("{PEOPLE}b,01/05/1990,W,5,2,bus; debt,N,2025-01-10\na,31/12/1960,M,,,-,N,2024-03-01\n")
                .as_bytes()
        )
    );
}

#[test]
fn people_who_object_or_say_nothing_are_in_no_count_and_no_report() {
    // c and d have bad cells in every column; the same people's jobs are bad too.
    let loaded = load_rows(
        "a,31/12/1960,M,,,-,N,2024-03-01\nc,x,x,x,x,x,Y,x\nd,x,x,x,x,x,,x\n",
        "j1,c,c,x,x,x\nj2,d,d,x,x,x\nj3,a,a,job_start,2024-04-01,\n",
    );
    assert_eq!(lines(&loaded.report), [""; 0]);
    let read: Vec<u64> = loaded.report.tables.iter().map(|t| t.read).collect();
    assert_eq!(read, [1, 1, 1]);
    assert_eq!(column(&loaded.staged.unwrap(), "participants", "local_person_id"), ["a"]);
    // A word that the mapping does not know is not taken for "no".
    check(
        "a,31/12/1960,M,,,-,N,2024-03-01\nc,31/12/1960,M,,,-,perhaps,2024-03-01\n",
        "",
        &["CL321 person left out people.csv/-/objects 1x [3]"],
    );
}

#[test]
fn people_whom_the_store_leaves_out_are_in_no_count_and_no_report_either() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.leave_out(["c"]).unwrap();
    let mapping = Mapping::parse("mapping.toml", MAPPING).unwrap_or_else(|r| panic!("{r}"));
    let people = format!("{PEOPLE}a,31/12/1960,M,,,-,N,2024-03-01\nc,x,x,x,x,x,N,x\n");
    let jobs = format!("{JOBS}j1,c,c,x,x,x\nj3,a,a,job_start,2024-04-01,\n");
    let files = [("people.csv", people), ("jobs.csv", jobs)];
    let files = files.map(|(name, text)| (name.to_owned(), text.into_bytes())).into();
    let staged = check_and_stage_from(&store, &mapping, &open(&files), NOW).unwrap();
    assert_eq!(lines(staged.report()), [""; 0]);
    assert_eq!(column(&staged.commit().unwrap(), "participants", "local_person_id"), ["a"]);

    std::fs::write(dir.path().join("LEFT_OUT"), "{").unwrap();
    let report = check_and_stage_from(&store, &mapping, &open(&files), NOW).unwrap_err();
    assert_eq!(report.problems.first().map(|p| p.code), Some("CL503"), "nobody is loaded on a guess");
}

#[test]
fn an_unreadable_optional_cell_is_unknown_and_an_unreadable_key_rejects_the_row() {
    check(
        "a,31/02/1960,X,99,many,bus;kite,N,2024-03-01\n,31/12/1960,M,,,-,N,2024-03-01\nb,1/1/1990,,,,,N,soon\n",
        "",
        &[
            "CL301 row left out people.csv/engagements/id 1x [3]",
            "CL301 row left out people.csv/participants/id 1x [3]",
            "CL306 row left out people.csv/engagements/start 1x [4]",
            "CL305 read as unknown people.csv/participants/barriers 1x [2]",
            "CL305 read as unknown people.csv/participants/gender 1x [2]",
            "CL305 read as unknown people.csv/participants/scqf 1x [2]",
            "CL306 read as unknown people.csv/participants/born 1x [2]",
            "CL308 read as unknown people.csv/participants/children 1x [2]",
        ],
    );
}

#[test]
fn what_a_spreadsheet_does_to_a_file_is_named() {
    check(
        "1.23E+05,32874,#REF!,3.0,9,,N,45352\n#N/A,31/12/1960,M,,,-,N,2024-03-01\nb,31/12/1960,M,,,-,N,2024-03-01\n",
        "",
        &[
            "CL302 row left out people.csv/engagements/id 1x [3]",
            "CL302 row left out people.csv/participants/id 1x [3]",
            "CL303 row left out people.csv/engagements/id 1x [2]",
            "CL303 row left out people.csv/participants/id 1x [2]",
            "CL307 row left out people.csv/engagements/start 1x [2]",
            "CL302 read as unknown people.csv/participants/gender 1x [2]",
            "CL307 read as unknown people.csv/participants/born 1x [2]",
            "CL309 kept people.csv/participants/children 1x [2]",
        ],
    );
}

#[test]
fn keys_and_references_are_checked_over_all_tables() {
    let good = "a,31/12/1960,M,,,-,N,2024-03-01\nb,31/12/1960,M,,,-,N,2024-03-01\n";
    check(
        &format!("{good}a,31/12/1970,W,,,-,N,2025-03-01\n"),
        "j1,a,a,job_start,2024-04-01,\nj1,b,b,job_start,2024-04-01,\nj3,z,z,job_start,2024-04-01,\nj4,a,b,job_start,2024-04-01,\n",
        &[
            "CL310 row left out jobs.csv/outcomes/job 1x [3]",
            "CL310 row left out people.csv/engagements/id 1x [4]",
            "CL310 row left out people.csv/participants/id 1x [4]",
            "CL312 row left out jobs.csv/outcomes/id 1x [4]",
            "CL313 row left out jobs.csv/outcomes/person 1x [5]",
        ],
    );
}

#[test]
fn dates_are_held_against_each_other_and_the_snapshot_day() {
    check(
        "a,31/12/2030,M,,,-,N,2024-03-01\nb,31/12/1990,M,,,-,N,2024-03-01\n",
        "j1,a,a,job_start,2024-02-01,not_due\nj2,b,b,job_start,2026-02-01,in_employment\n",
        &[
            "CL315 kept jobs.csv/outcomes/date 1x [2]",
            "CL315 kept people.csv/participants/born 1x [2]",
            "CL316 kept jobs.csv/outcomes/date 1x [3]",
            "CL316 kept people.csv/participants/born 1x [2]",
            "CL319 kept jobs.csv/outcomes/w4 2x [2, 3]",
        ],
    );
}

#[test]
fn more_rows_of_a_person_than_count_are_kept_and_reported() {
    let jobs: String = (1..=6).map(|n| format!("j{n},a,a,job_start,2024-0{}-01,\n", n + 3)).collect();
    check("a,31/12/1960,M,,,-,N,2024-03-01\n", &jobs, &["CL317 kept jobs.csv/outcomes/person 2x [6, 7]"]);
}

#[test]
fn a_column_of_days_up_to_12_may_have_day_and_month_the_wrong_way_round() {
    let people: String =
        (1..=20).map(|n| format!("p{n},0{}/11/1980,M,,,-,N,2024-03-01\n", n % 9 + 1)).collect();
    check(&people, "", &["CL322 kept people.csv/participants/born 1x [2]"]);
}

#[test]
fn rows_are_numbered_as_a_spreadsheet_numbers_them() {
    for end in ["\n", "\r\n"] {
        // Row 2 good; row 3 blank; row 4 has a line break in a cell; row 5 and 6 bad.
        let text =
            ["id,start,note", "a,2024-03-01,x", "", "b,2024-03-01,\"two\nlines\"", "c,x,", "d,2024-03-01"]
                .join(end);
        let mapping = MAPPING.replace(
            "statistics_objection = { from = \"objects\", codes = { Y = \"yes\", N = \"no\" } }\n",
            "",
        );
        let mapping = mapping.replace(
            "[source.people]",
            "objections = \"held-elsewhere\"\nconfirmed_by = \"DPO\"\n[source.people]",
        );
        let keep = |l: &&str| {
            !["birth_month", "gender", "highest", "children", "barriers"].iter().any(|n| l.starts_with(n))
        };
        let mapping: Vec<&str> = mapping.lines().filter(keep).collect();
        let loaded =
            load(&mapping.join("\n"), &[("people.csv", text.as_bytes()), ("jobs.csv", JOBS.as_bytes())]);
        assert_eq!(
            lines(&loaded.report),
            [
                "CL306 row left out people.csv/engagements/start 1x [5]",
                "CL314 row left out people.csv/-/- 1x [6]"
            ],
            "{end:?}\n{}",
            loaded.report
        );
    }
}

#[test]
fn what_is_wrong_with_a_file_is_said_before_any_row() {
    let check = |people: &[u8], expected: &str| {
        let loaded = load(MAPPING, &[("people.csv", people), ("jobs.csv", JOBS.as_bytes())]);
        let report = loaded.staged.unwrap_err();
        let found: Vec<String> = report
            .problems
            .iter()
            .map(|p| format!("{} {} {}", p.code, p.column.as_deref().unwrap_or("-"), p.help))
            .collect();
        assert!(found.iter().any(|f| f.contains(expected)), "{expected} in {found:?}");
    };
    check(b"", "CL207 - ");
    check(b"\xff\xfei\0d\0", "CL209 - ");
    check(b"i\0d\0,\0", "CL203 - ");
    check("id,born\ncaf\u{e9}".as_bytes().strip_suffix(b"\xa9").unwrap(), "CL202 - ");
    check(
        b"id,born,sex,gender,scqf,children,barriers,objects,started\n",
        "CL205 start did you mean `started`?",
    );
    check(b"id,born,gender,gender,scqf,children,barriers,objects,start\n", "CL206 gender ");
    let open_quote = format!("{PEOPLE}a,\"{}", "x".repeat(3 << 20));
    check(open_quote.as_bytes(), "CL204 - ");
    let loaded = load(MAPPING, &[("jobs.csv", JOBS.as_bytes())]);
    assert_eq!(lines(&loaded.report), ["CL201 refused people.csv/-/- 0x []"]);
    let loaded = load_rows("a,31/12/1960,M,,,-,Y,2024-03-01\n", "");
    assert_eq!(lines(&loaded.report), ["CL211 refused the export/-/- 0x []"]);
}

#[test]
fn declared_encodings_are_decoded() {
    let mapping =
        MAPPING.replace("file = \"people.csv\"", "file = \"people.csv\"\nencoding = \"windows-1252\"");
    let mapping = mapping.replace("M = \"man\"", "\"h\u{e9}\" = \"man\"");
    let people = [PEOPLE.as_bytes(), b"a,31/12/1960,h\xe9,,,-,N,2024-03-01\n"].concat();
    let loaded = load(&mapping, &[("people.csv", &people), ("jobs.csv", JOBS.as_bytes())]);
    assert_eq!(column(&loaded.staged.unwrap(), "participants", "gender"), ["man"]);
    // A UTF-8 mark is no part of the first column's name.
    let marked = format!("\u{feff}{PEOPLE}a,31/12/1960,M,,,-,N,2024-03-01\n");
    let loaded = load(MAPPING, &[("people.csv", marked.as_bytes()), ("jobs.csv", JOBS.as_bytes())]);
    assert_eq!(lines(&loaded.report), [""; 0]);
}

#[test]
fn too_many_rejected_rows_refuse_the_load() {
    let mapping = MAPPING.replace("max_rejected_percent = 100", "");
    let rows = |bad: usize| {
        let good = (0..100 - bad).map(|n| format!("g{n},31/12/1960,M,,,-,N,2024-03-01\n"));
        let bad = (0..bad).map(|n| format!("b{n},31/12/1960,M,,,-,N,bad\n"));
        format!("{PEOPLE}{}", good.chain(bad).collect::<String>())
    };
    let load = |bad| load(&mapping, &[("people.csv", rows(bad).as_bytes()), ("jobs.csv", JOBS.as_bytes())]);
    assert!(load(5).staged.is_ok());
    let refused = load(6);
    assert_eq!(refused.staged.unwrap_err().problems[0].code, "CL401");
}

/// A CSV file made as it is read: nothing of it is ever held whole.
struct Endless {
    row: u64,
    rows: u64,
    line: Vec<u8>,
    make: fn(u64) -> String,
}

impl Read for Endless {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.line.len() < out.len() && self.row < self.rows {
            self.line.extend_from_slice((self.make)(self.row).as_bytes());
            self.row += 1;
        }
        let n = self.line.len().min(out.len());
        out[..n].copy_from_slice(&self.line[..n]);
        self.line.drain(..n);
        Ok(n)
    }
}

#[test]
fn a_quarter_of_a_million_bad_rows_cost_a_short_report_and_no_memory() {
    const ROWS: u64 = 250_000;
    fn people(row: u64) -> String {
        match row {
            0 => PEOPLE.to_owned(),
            n if n % 2 == 0 => {
                format!("#REF!,secret{n},secret{n},secret{n},secret{n},secret{n},N,secret{n}\n")
            }
            n => format!("secret{n},too,few\n"),
        }
    }
    let mapping = Mapping::parse("mapping.toml", MAPPING).unwrap();
    let open = |name: &str| -> io::Result<Box<dyn Read>> {
        let (rows, make): (u64, fn(u64) -> String) =
            if name == "people.csv" { (ROWS + 1, people) } else { (1, |_| JOBS.to_owned()) };
        Ok(Box::new(Endless { row: 0, rows, line: Vec::new(), make }))
    };
    let mut loading = Loading::new(&mapping);
    loading.read_all(&open);
    // What is held does not grow with bad rows: no row, no id, one entry for each rule and column.
    assert_eq!(loading.tables.iter().map(TableRows::held).sum::<usize>(), 0);
    assert_eq!(loading.persons.len() + loading.objected.len(), 0);
    assert!(loading.problems.len() < 20, "{}", loading.problems.len());

    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let report = check_and_stage_from(&store, &mapping, &open, NOW).unwrap_err();
    assert!(report.problems.len() <= PROBLEMS_MAX);
    assert!(report.problems.iter().all(|p| p.rows.len() <= ROWS_SHOWN));
    assert_eq!(report.problems.iter().map(|p| p.count).max(), Some(ROWS / 2));
    let text = report.to_string();
    assert!(text.len() < 10_000, "{}", text.len());
    assert!(!text.contains("secret"), "a report never shows a value");
    assert!(store.current().unwrap().is_none());
}

#[test]
fn no_value_of_a_record_is_in_any_report_or_debug() {
    let people = "canary1,canary2,canary3,canary4,canary5,canary6,canary7,canary8\na,canary9,canary10,canary11,canary12,canary13,N,canary14\n";
    let loaded = load_rows(people, "canary15,canary16,canary17,canary18,canary19,canary20\n");
    let shown = format!("{} {:?} {:?}", loaded.report, loaded.report, loaded.staged);
    assert!(!shown.contains("canary"), "{shown}");
    let good = load_rows("canary1,31/12/1960,M,,,-,N,2024-03-01\n", "");
    assert!(!format!("{:?} {}", good.staged, good.report).contains("canary"));
}

/// Participants by number and by name, and nothing else.
const LINKED: &str = r#"
cairn_mapping = 1
partner = "angus"
as_of = "2026-01-01"
template = "smf-2022"
max_rejected_percent = 100

[source.people]
file = "people.csv"

[table.participants]
source = "people"
linkage = { LINKAGE }

[table.participants.columns]
local_person_id = { from = "id" }
statistics_objection = { from = "objects", codes = { Y = "yes", N = "no" } }
"#;

/// Loads people of four columns after their id and objection into a store that stays.
fn load_linked(linkage: &str, people: &str) -> (tempfile::TempDir, Snapshot) {
    let text = LINKED.replace("LINKAGE", linkage);
    let mapping = Mapping::parse("mapping.toml", &text).unwrap_or_else(|r| panic!("{r}"));
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let people = format!("id,objects,number,family,first,born\n{people}").into_bytes();
    let files = BTreeMap::from([("people.csv".to_owned(), people)]);
    let staged = check_and_stage_from(&store, &mapping, &open(&files), NOW).unwrap_or_else(|r| panic!("{r}"));
    let snapshot = staged.commit().unwrap();
    (dir, snapshot)
}

/// Each person's hash in one question, by id.
fn hashes(snapshot: &Snapshot) -> Vec<(String, Option<[u8; 32]>)> {
    let linkage = snapshot.linkage().unwrap().unwrap();
    let question = crate::QuestionKey::new([1; 32]);
    let ids = column(snapshot, "participants", "local_person_id");
    let hash = |person| linkage.hash(person, &question).map(|hash| *hash.as_bytes());
    ids.into_iter().zip(0..).map(|(id, person)| (id, hash(person))).collect()
}

const BY_NUMBER: &str = r#"nino = "number""#;
const BY_NAME: &str = r#"name = { family = "family", first = "first", born = "born", date = "%d/%m/%Y" }"#;

#[test]
fn the_same_person_in_two_differently_written_exports_has_the_same_hash() {
    let here = "p2,N,AB123456C,O'Neill,Núria,01/02/1970\np1,N,CE000001A,Smith,Jo,05/06/1980\n";
    let there = "9,N,ab 12 34 56,O NEILL,NURIA,01/02/1970\n8,N,AB123457D,Smyth,Jo,05/06/1980\n7,N,,,,\n";
    for linkage in [BY_NUMBER, BY_NAME] {
        let ((_kept, one), (_too, other)) = (load_linked(linkage, here), load_linked(linkage, there));
        let (one, other) = (hashes(&one), hashes(&other));
        // Persons are numbered by their ids: `p2` is the second here, `9` the last there.
        assert_eq!(one[1].0, "p2");
        assert_eq!((one[1].1.is_some(), one[1].1), (true, other[2].1), "{linkage}");
        assert_ne!(one[0].1, other[1].1, "{linkage}");
        assert_eq!(other[0], ("7".to_owned(), None), "{linkage}");
    }
}

#[test]
fn an_export_is_linked_by_one_method_however_a_record_is_written() {
    use crate::linkage::{Method, Prefixes};
    let people = "a,N,ZZ000001A,Smith,Jane,01/02/1970\nb,N,,Smith,June,01/02/1970\nc,N,AB123456C,#REF!,Jane,01/02/1970\n";
    let keyed = |linkage: &str| {
        let (_dir, snapshot) = load_linked(linkage, people);
        let method = snapshot.linkage().unwrap().unwrap().method();
        (
            method,
            hashes(&snapshot).into_iter().filter(|(_, h)| h.is_some()).map(|(id, _)| id).collect::<String>(),
        )
    };
    assert_eq!(keyed(BY_NUMBER), (Method::Nino(Prefixes::Issued), "c".to_owned()), "made up, and blank");
    let made_up = format!("{BY_NUMBER}, made_up_numbers = true");
    assert_eq!(keyed(&made_up), (Method::Nino(Prefixes::AndMadeUp), "ac".to_owned()));
    assert_eq!(keyed(BY_NAME), (Method::Slk, "ab".to_owned()), "a spreadsheet's error is no name");
    let both = format!("{BY_NUMBER}, {BY_NAME}");
    assert_eq!(keyed(&both).0, Method::Nino(Prefixes::Issued), "by number where there are numbers");
    assert_eq!(keyed(&format!("{both}, by = \"name\"")), keyed(BY_NAME), "unless the mapping says so");
    let (_dir, snapshot) = load_linked(r#"composite = ["family", "first", "born"]"#, people);
    assert!(snapshot.linkage().unwrap().is_none(), "columns without roles make no key");
}

#[test]
fn who_objects_or_is_left_out_twice_over_has_no_key_in_the_file() {
    let people = "d,N,AB000004A,,,\nc,Y,AB000003A,,,\nb,,AB000002A,,,\na,N,AB000001A,,,\na,N,AB000009A,,,\n";
    let (_dir, snapshot) = load_linked(BY_NUMBER, people);
    let linkage = snapshot.linkage().unwrap().unwrap();
    assert_eq!((linkage.persons(), linkage.with_key()), (2, 2));
    let only = load_linked(BY_NUMBER, "a,N,AB000001A,,,\nd,N,AB000004A,,,\n");
    assert_eq!(hashes(&snapshot), hashes(&only.1), "the duplicate row was rejected with its number");
}

#[test]
fn nothing_of_a_number_or_a_name_is_in_any_file_of_the_store_in_clear() {
    fn files(folder: &Path, into: &mut Vec<(PathBuf, Vec<u8>)>) {
        for entry in std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()) {
            if entry.is_dir() {
                files(&entry, into);
            } else {
                into.push((entry.clone(), std::fs::read(entry).unwrap()));
            }
        }
    }
    let people = (0..200).map(|n| format!("p{n},N,AB77{n:04}C,Zqxjvson,Zqxjva,17/02/1913\n"));
    let people: String = people.collect();
    for (linkage, key) in [(BY_NUMBER, &b"NAB77"[..]), (BY_NAME, b"SQXVQX1913")] {
        let (dir, snapshot) = load_linked(linkage, &people);
        assert_eq!(snapshot.linkage().unwrap().unwrap().with_key(), 200);
        let mut found = Vec::new();
        files(dir.path(), &mut found);
        assert!(found.iter().any(|(path, _)| path.ends_with("linkage.sealed")));
        for (path, bytes) in found {
            for marker in [key, b"AB77", b"Zqxjv", b"ZQXJV", b"QXVQX", b"19130217", b"17/02/1913"] {
                let is_there = bytes.windows(marker.len()).any(|w| w == marker);
                assert!(!is_there, "{} in {}", String::from_utf8_lossy(marker), path.display());
            }
        }
    }
}

/// The project's folder.
fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn partition_demo() -> Vec<(String, Mapping)> {
    let folder = project().join("schemas/mappings/partition-demo");
    let mut mappings = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        mappings.push((
            name,
            Mapping::parse("mapping.toml", &text).unwrap_or_else(|r| panic!("{}: {r}", path.display())),
        ));
    }
    mappings
}

#[test]
fn the_ten_demonstration_mappings_read_a_file_of_their_shape() {
    let mappings = partition_demo();
    assert_eq!(mappings.len(), 10);
    let sample = std::fs::read(project().join("tests/data/records/partition-sample.csv")).unwrap();
    for (name, mapping) in mappings {
        assert_eq!(mapping.partner.as_str(), name);
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let open = |file: &str| -> io::Result<Box<dyn Read>> {
            assert_eq!(file, format!("{name}.csv"));
            Ok(Box::new(Cursor::new(sample.clone())))
        };
        let staged =
            check_and_stage_from(&store, &mapping, &open, NOW).unwrap_or_else(|r| panic!("{name}: {r}"));
        assert_eq!(
            lines(staged.report()),
            [
                format!("CL306 read as unknown {name}.csv/participants/dob 1x [3]"),
                format!("CL316 kept {name}.csv/outcomes/job_start_date 1x [5]"),
            ]
        );
        let snapshot = staged.commit().unwrap();
        let all = |table: &str, name: &str| column(&snapshot, table, name).join(" ");
        assert_eq!(all("participants", "local_person_id"), "MUP00001 MUP00002 MUP00003 MUP00004");
        assert_eq!(all("participants", "sex"), "female female male male");
        assert_eq!(
            all("participants", "gender"),
            "unknown unknown unknown unknown",
            "sex is never read as gender"
        );
        assert_eq!(
            all("participants", "council_code"),
            "S12000023 S12000047 S12000023 S12000041",
            "old codes become new"
        );
        assert_eq!(all("participants", "disabled_eqa"), "unknown no yes no");
        assert_eq!(
            all("participants", "age_band"),
            "unknown unknown 25_34 50_64",
            "15 at the start is no band"
        );
        assert_eq!(all("participants", "link_quality"), "none nino nino nino");
        assert_eq!(
            all("participants", "parental_status"),
            "lone_parent parent_in_couple not_parent not_parent"
        );
        assert_eq!(all("engagements", "start_date"), "2025-01-02 2025-01-01 2024-06-27 2023-01-05");
        assert_eq!(all("engagements", "job_due_12m"), "not_due due due due");
        assert_eq!(all("outcomes", "person_no"), "1 2 3");
        assert_eq!(all("outcomes", "engagement_no"), "1 2 3");
        assert_eq!(all("outcomes", "within_12m"), "yes yes no");
        assert_eq!(all("outcomes", "week4"), "not_due in_employment not_due");
        assert_eq!(all("outcomes", "week26"), "not_due unknown not_due");
    }
}

#[test]
fn a_full_disk_is_in_the_report_and_the_last_good_snapshot_stays() {
    let loaded = load_rows("a,31/12/1960,M,,,-,N,2024-03-01\n", "");
    let dir = loaded._dir;
    let store = Store::open_failing(dir.path().to_owned(), 6, io::ErrorKind::StorageFull);
    let mapping = Mapping::parse("mapping.toml", MAPPING).unwrap();
    let people = format!("{PEOPLE}a,31/12/1960,M,,,-,N,2024-03-01\nb,31/12/1960,M,,,-,N,2024-03-01\n");
    let files = [("people.csv", people.as_str()), ("jobs.csv", JOBS)];
    let files = files.iter().map(|(n, t)| ((*n).to_owned(), t.as_bytes().to_vec())).collect();
    let report = check_and_stage_from(&store, &mapping, &open(&files), NOW).unwrap_err();
    assert_eq!(report.problems[0].code, "CL502", "{report}");
    let current = Store::open(dir.path()).unwrap().current().unwrap().unwrap();
    assert_eq!(current.manifest().persons, 1);
}

#[test]
fn a_lookup_turns_data_zones_into_fifths() {
    let mapping = MAPPING.replace(
        "gender = {",
        "simd_quintile = { from = \"zone\", lookup = \"simd\" }\nsimd_version = { value = \"simd2020v2\" }\ngender = {",
    ) + "\n[lookup.simd]\nfile = \"simd.csv\"\nkey = \"DataZone\"\nvalue = \"Quintile\"\n";
    let people = format!(
        "zone,{PEOPLE}S01000001,a,31/12/1960,M,,,-,N,2024-03-01\nS01999999,b,31/12/1960,M,,,-,N,2024-03-01\n"
    );
    let simd = "DataZone,Quintile\nS01000001,1\nS01000002,5\n";
    let files: [(&str, &[u8]); 3] =
        [("people.csv", people.as_bytes()), ("jobs.csv", JOBS.as_bytes()), ("simd.csv", simd.as_bytes())];
    let loaded = load(&mapping, &files);
    assert_eq!(lines(&loaded.report), ["CL320 read as unknown people.csv/participants/zone 1x [3]"]);
    let snapshot = loaded.staged.unwrap();
    assert_eq!(column(&snapshot, "participants", "simd_quintile"), ["1", "-"]);
    let batch = &batches(&snapshot, "participants")[0];
    assert_eq!(*batch.column_by_name("simd_quintile").unwrap().data_type(), DataType::Int8);
    assert!(batch.column_by_name("data_zone").is_none());
    assert!(
        batch
            .column_by_name("person_no")
            .unwrap()
            .as_primitive::<arrow::datatypes::UInt32Type>()
            .null_count()
            == 0
    );
    let loaded = load(&mapping, &files[..2]);
    assert_eq!(loaded.staged.unwrap_err().problems[0].code, "CL210");
}

#[test]
fn staff_and_participants_share_one_numbering() {
    let mapping = MAPPING.to_owned()
        + r#"
[source.staff]
file = "staff.csv"

[table.workforce_skills]
source = "staff"

[table.workforce_skills.columns]
staff_id = { from = "staff" }
directorate = { from = "team" }
assessed = { from = "assessed" }
updated = { from = "on", date = "%Y-%m-%d" }
"#;
    let people =
        format!("{PEOPLE}c,31/12/1960,M,,,-,N,2024-03-01\na,31/12/1960,M,,,-,N,2024-03-01\nz,,,,,,Y,\n");
    let staff = "staff,team,assessed,on\nb,north,none,2025-01-01\nc,south,initial,2025-01-01\nz,south,none,2025-01-01\n";
    let files: [(&str, &[u8]); 3] =
        [("people.csv", people.as_bytes()), ("jobs.csv", JOBS.as_bytes()), ("staff.csv", staff.as_bytes())];
    let loaded = load(&mapping, &files);
    let snapshot = loaded.staged.unwrap();
    assert_eq!(column(&snapshot, "participants", "person_no"), ["0", "2"]);
    assert_eq!(
        column(&snapshot, "workforce_skills", "person_no"),
        ["1", "2"],
        "who objects is left out here too"
    );
    assert_eq!(column(&snapshot, "workforce_skills", "directorate"), ["north", "south"]);
    assert_eq!(column(&snapshot, "workforce_skills", "employer_id"), ["angus", "angus"]);
}
