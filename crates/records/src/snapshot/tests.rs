use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{ArrayRef, AsArray, RecordBatch, UInt32Array, new_null_array};
use arrow::datatypes::{DataType, Int8Type, SchemaRef, UInt32Type};
use cairn_question::schema::{Kind, Table};
use cairn_question::{Day, Moment, PartnerId, Schema};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::disk::{Disk, DurableFile, RealDisk};
use super::*;

mod linkage;

fn head() -> Head {
    Head {
        partner: PartnerId::new("angus").unwrap(),
        as_of: Day::new(2026, 1, 1).unwrap(),
        templates: vec!["smf-2022".into()],
        notes: Vec::new(),
        loaded_at: Moment::from_unix_s(1_767_300_000),
        sources: Vec::new(),
        objections: Objections::HeldElsewhere { confirmed_by: "the data protection officer".into() },
    }
}

/// A batch with these persons; every other column has one fixed value.
fn rows(table: &str, persons: &[u32], first_engagement: u32) -> RecordBatch {
    let table = Schema::smf().table(table).unwrap();
    let schema = arrow_schema(table);
    let columns = schema.fields().iter().map(|f| match f.name().as_str() {
        PERSON_NO => Arc::new(UInt32Array::from(persons.to_vec())) as ArrayRef,
        ENGAGEMENT_NO => Arc::new(UInt32Array::from_iter_values((first_engagement..).take(persons.len()))),
        name => constant(table, name, f.data_type(), persons.len()),
    });
    let columns = columns.collect();
    RecordBatch::try_new(schema, columns).unwrap()
}

fn constant(table: &Table, name: &str, data_type: &DataType, rows: usize) -> ArrayRef {
    use arrow::array::{BooleanArray, Date32Array, Int8Array, Int64Array, StringArray};
    let column = table.column(name).unwrap();
    match column.kind {
        Kind::Code => {
            let mut values = code_values(Schema::smf(), column);
            values.extend(values.is_empty().then(|| "angus".to_owned()));
            code_array(&values, (0..rows).map(|_| Some(0))).unwrap()
        }
        Kind::NumberCode if column.nullable => new_null_array(data_type, rows),
        Kind::NumberCode => Arc::new(Int8Array::from(vec![1; rows])),
        Kind::YesNo => Arc::new(BooleanArray::from(vec![true; rows])),
        Kind::Date => Arc::new(Date32Array::from(vec![20_000; rows])),
        Kind::Whole { .. } => Arc::new(Int64Array::from(vec![1; rows])),
        Kind::Text | Kind::Sealed => Arc::new(StringArray::from(vec!["made up"; rows])),
    }
}

fn write_one(store: &Store, persons: u32) -> Result<Snapshot, StoreFault> {
    let mut writer = store.writer(head())?.persons_per_part(NonZeroU32::new(4).unwrap());
    let all: Vec<u32> = (0..persons).collect();
    writer.append("participants", &rows("participants", &all, 0))?;
    writer.append("engagements", &rows("engagements", &[1, 1, persons - 2], 0))?;
    writer.append("engagements", &rows("engagements", &[persons - 2], 3))?;
    writer.table("outcomes")?;
    writer.commit()
}

fn persons_of(path: &Path) -> (SchemaRef, Vec<u32>) {
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap()).unwrap();
    let schema = Arc::clone(reader.schema());
    let batches = reader.build().unwrap().map(Result::unwrap);
    let persons = batches.flat_map(|b| b.column(0).as_primitive::<UInt32Type>().values().to_vec());
    (schema, persons.collect())
}

#[test]
fn part_k_of_every_table_covers_the_same_persons() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert!(store.current().unwrap().is_none(), "nothing loaded, nothing in force");
    write_one(&store, 11).unwrap();

    let snapshot = store.current().unwrap().unwrap();
    assert_eq!(snapshot.manifest().persons, 11);
    assert_eq!(snapshot.manifest().edition, 1);
    let read = |table: &str| snapshot.parts(table).iter().map(|p| persons_of(p).1).collect::<Vec<_>>();
    assert_eq!(read("participants"), [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8, 9, 10]]);
    assert_eq!(read("engagements"), [vec![1, 1], vec![], vec![9, 9]]);
    assert_eq!(read("outcomes"), [vec![], vec![], Vec::<u32>::new()]);
    assert!(snapshot.parts("activities").is_empty(), "not fed is not held");
    let firsts: Vec<u32> =
        snapshot.manifest().tables["outcomes"].parts.iter().map(|p| p.first_person).collect();
    assert_eq!(firsts, [0, 4, 8]);
}

#[test]
fn the_files_keep_the_declared_types_and_hold_no_identifier_but_the_persons_own() {
    let dir = tempfile::tempdir().unwrap();
    let snapshot = write_one(&Store::open(dir.path()).unwrap(), 5).unwrap();
    for table in ["participants", "engagements"] {
        let (schema, _) = persons_of(&snapshot.parts(table)[0]);
        assert_eq!(schema.fields(), snapshot.arrow_schema(table).unwrap().fields(), "{table}");
    }
    for table in Schema::smf().tables() {
        let text = arrow_schema(table);
        let text: Vec<&str> = text
            .fields()
            .iter()
            .filter(|f| *f.data_type() == DataType::Utf8)
            .map(|f| f.name().as_str())
            .collect();
        let expected: &[&str] = match table.name.as_str() {
            "participants" => &["local_person_id"],
            "workforce_skills" => &["staff_id"],
            _ => &[],
        };
        assert_eq!(text, expected, "{}", table.name);
        assert!(arrow_schema(table).field_with_name("link_key").is_err());
    }
}

#[test]
fn a_dictionary_holds_the_codes_of_its_list_in_order() {
    let outcome = Schema::smf().table("outcomes").unwrap().column("week4").unwrap();
    let values = code_values(Schema::smf(), outcome);
    let array = code_array(&values, [Some(4), None, Some(0)]).unwrap();
    let array = array.as_dictionary::<Int8Type>();
    let words = array.downcast_dict::<arrow::array::StringArray>().unwrap();
    let words: Vec<Option<&str>> = words.into_iter().collect();
    assert_eq!(words, [Some("not_due"), None, Some("in_employment")]);
    assert!(code_array(&values, [Some(99)]).is_err());
}

#[test]
fn rows_out_of_order_or_in_another_form_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let check = |batches: &[RecordBatch], table: &str| {
        let mut writer = store.writer(head()).unwrap();
        let result = batches.iter().try_for_each(|b| writer.append(table, b));
        assert_eq!(result.unwrap_err().code(), "CL506");
    };
    check(&[rows("participants", &[3, 2], 0)], "participants");
    check(&[rows("participants", &[3, 4], 0), rows("participants", &[1], 0)], "participants");
    check(&[rows("engagements", &[3, 4], 1)], "engagements");
    check(&[rows("participants", &[3], 0)], "engagements");
    check(&[rows("participants", &[3], 0)], "no_such_table");
}

#[test]
fn one_load_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let first = store.writer(head()).unwrap();
    assert_eq!(store.writer(head()).unwrap_err().code(), "CL507");
    // A node that starts meanwhile leaves the load's files alone.
    Store::open(dir.path()).unwrap();
    assert!(dir.path().join("staged").exists());
    drop(first);
    assert!(!dir.path().join("staged").exists(), "a dropped load leaves no trace");
}

#[test]
fn any_changed_byte_or_missing_file_is_found_when_the_snapshot_is_opened() {
    let check = |damage: &dyn Fn(&Path), code: &str| {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        write_one(&store, 11).unwrap();
        damage(dir.path());
        let fault = store.current().unwrap_err();
        assert_eq!(fault.code(), code, "{fault}");
    };
    let part = "snapshots/000001/participants-0001.parquet";
    let manifest = "snapshots/000001/manifest.json";
    let flip = |path: &Path| {
        let mut bytes = fs::read(path).unwrap();
        bytes[20] ^= 1;
        fs::write(path, bytes).unwrap();
    };
    check(&|d| flip(&d.join(part)), "CL505");
    check(
        &|d| fs::OpenOptions::new().append(true).open(d.join(part)).unwrap().write_all(b"x").unwrap(),
        "CL505",
    );
    check(&|d| fs::remove_file(d.join(part)).unwrap(), "CL505");
    check(&|d| flip(&d.join(manifest)), "CL505");
    check(&|d| fs::remove_file(d.join(manifest)).unwrap(), "CL503");
    check(&|d| fs::write(d.join("CURRENT"), "one").unwrap(), "CL503");
    check(&|d| rewrite_manifest(d, "\"format\": 1", "\"format\": 3, \"new\": 1"), "CL504");
    check(&|d| rewrite_manifest(d, "participants-0001", "../participants-0001"), "CL505");
}

/// Changes the manifest and the pointer to it alike, as a newer program or a stranger might.
fn rewrite_manifest(dir: &Path, from: &str, to: &str) {
    let path = dir.join("snapshots/000001/manifest.json");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from));
    let text = text.replace(from, to);
    let hash = cairn_question::Hash::of(text.as_bytes());
    fs::write(path, text).unwrap();
    fs::write(dir.join("CURRENT"), format!("1 {hash}\n")).unwrap();
}

#[test]
fn old_editions_go_but_the_one_before_stays_for_running_questions() {
    let dir = tempfile::tempdir().unwrap();
    for edition in 1..=4 {
        let store = Store::open(dir.path()).unwrap();
        assert_eq!(write_one(&store, 5).unwrap().manifest().edition, edition);
    }
    Store::open(dir.path()).unwrap();
    let mut kept: Vec<_> =
        fs::read_dir(dir.path().join("snapshots")).unwrap().map(|e| e.unwrap().file_name()).collect();
    kept.sort();
    assert_eq!(kept, ["000003", "000004"]);
}

/// A disk that fails every change from the n-th on.
struct FailingDisk {
    left: Arc<AtomicUsize>,
    kind: io::ErrorKind,
}

struct FailingFile {
    file: Box<dyn DurableFile>,
    left: Arc<AtomicUsize>,
    kind: io::ErrorKind,
}

fn spend(left: &AtomicUsize, kind: io::ErrorKind) -> io::Result<()> {
    let before = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
    before.map(|_| ()).map_err(|_| kind.into())
}

impl Disk for FailingDisk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        spend(&self.left, self.kind)?;
        RealDisk.create_dir(path)
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn DurableFile>> {
        spend(&self.left, self.kind)?;
        let file = RealDisk.create(path)?;
        Ok(Box::new(FailingFile { file, left: Arc::clone(&self.left), kind: self.kind }))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        spend(&self.left, self.kind)?;
        RealDisk.rename(from, to)
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        spend(&self.left, self.kind)?;
        RealDisk.sync_dir(path)
    }
}

impl Write for FailingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        spend(&self.left, self.kind)?;
        self.file.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl DurableFile for FailingFile {
    fn sync(&mut self) -> io::Result<()> {
        spend(&self.left, self.kind)?;
        self.file.sync()
    }
}

/// A store whose disk is full after so many steps more, and how many of them are left.
fn filling_after(dir: &Path, steps: usize) -> (Store, Arc<AtomicUsize>) {
    let left = Arc::new(AtomicUsize::new(usize::MAX));
    let disk = FailingDisk { left: Arc::clone(&left), kind: io::ErrorKind::StorageFull };
    let store = Store::open_on(dir.to_owned(), Arc::new(disk)).unwrap();
    left.store(steps, Ordering::SeqCst);
    (store, left)
}

#[test]
fn a_disk_that_fills_at_any_step_leaves_the_last_good_snapshot_in_force() {
    let dir = tempfile::tempdir().unwrap();
    write_one(&Store::open(dir.path()).unwrap(), 5).unwrap();
    let mut failures = 0;
    for steps in 0.. {
        let (store, left) = filling_after(dir.path(), steps);
        let result = write_one(&store, 11);
        let current = Store::open(dir.path()).unwrap().current().unwrap().unwrap();
        match result {
            Ok(_) => {
                assert_eq!(current.manifest().persons, 11);
                break;
            }
            Err(fault) => {
                assert_eq!(fault.code(), "CL502", "{fault}");
                // The last step makes the new pointer's name durable: by then the new snapshot is whole and in force.
                let old = current.manifest().persons == 5;
                assert!(old || left.load(Ordering::SeqCst) == 0 && current.manifest().persons == 11);
                failures += usize::from(old);
                if !old {
                    break;
                }
            }
        }
        assert!(!dir.path().join("staged").exists());
    }
    assert!(failures > 30, "every create, write, sync and rename was made to fail: {failures}");
}

#[test]
fn a_disk_that_breaks_is_told_apart_from_a_full_one() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FailingDisk { left: Arc::new(AtomicUsize::new(9)), kind: io::ErrorKind::PermissionDenied };
    let store = Store::open_on(dir.path().to_owned(), Arc::new(disk)).unwrap();
    assert_eq!(write_one(&store, 11).unwrap_err().code(), "CL501");
}

/// The child of the test below: stages a snapshot, says so, and waits to be killed.
fn stage_and_wait(dir: &Path) -> ! {
    let store = Store::open(dir).unwrap();
    let mut writer = store.writer(head()).unwrap();
    writer.append("participants", &rows("participants", &[0, 1, 2], 0)).unwrap();
    let _sealed = writer.seal().unwrap();
    println!("sealed");
    loop {
        std::thread::park();
    }
}

#[test]
fn a_load_killed_between_stage_and_commit_leaves_the_last_good_snapshot() {
    const STAGE_IN: &str = "CAIRN_TEST_STAGE_IN";
    if let Some(dir) = std::env::var_os(STAGE_IN) {
        stage_and_wait(Path::new(&dir));
    }
    let dir = tempfile::tempdir().unwrap();
    write_one(&Store::open(dir.path()).unwrap(), 5).unwrap();
    let name = "snapshot::tests::a_load_killed_between_stage_and_commit_leaves_the_last_good_snapshot";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(STAGE_IN, dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.map(Result::unwrap).any(|line| line.contains("sealed")));
    assert!(dir.path().join("staged/manifest.json").exists());
    child.kill().unwrap();
    child.wait().unwrap();

    let store = Store::open(dir.path()).unwrap();
    assert_eq!(store.current().unwrap().unwrap().manifest().persons, 5);
    assert!(!dir.path().join("staged").exists());
}

impl Store {
    /// A store whose disk fails every change from the n-th on.
    pub(crate) fn open_failing(dir: PathBuf, steps: usize, kind: io::ErrorKind) -> Self {
        let disk = FailingDisk { left: Arc::new(AtomicUsize::new(steps)), kind };
        Self::open_on(dir, Arc::new(disk)).unwrap()
    }
}

/// Each person of a table's parts by id or, where it keeps none, by number; with the rows' engagement numbers where it has them.
fn held(snapshot: &Snapshot, table: &str) -> Vec<(u32, String)> {
    let read = |path: PathBuf| {
        let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap()).unwrap();
        reader.build().unwrap().map(Result::unwrap).collect::<Vec<_>>()
    };
    let row = |batch: &RecordBatch, row: usize| {
        let number = batch.column(0).as_primitive::<UInt32Type>().value(row);
        let text = match batch.column_by_name("local_person_id") {
            Some(ids) => ids.as_string::<i32>().value(row).to_owned(),
            None => {
                let engagement = batch.column_by_name(ENGAGEMENT_NO).unwrap();
                engagement.as_primitive::<UInt32Type>().value(row).to_string()
            }
        };
        (number, text)
    };
    let batches = snapshot.parts(table).into_iter().flat_map(read);
    batches.flat_map(|b| (0..b.num_rows()).map(|r| row(&b, r)).collect::<Vec<_>>()).collect()
}

/// Participants `a`, `b`… numbered in order, four to a part; engagements of these persons in order; an outcome of each engagement.
fn write_people(store: &Store, people: u32, engaged: &[u32]) -> Snapshot {
    let mut writer = store.writer(head()).unwrap().persons_per_part(NonZeroU32::new(4).unwrap());
    let all: Vec<u32> = (0..people).collect();
    let batch = rows("participants", &all, 0);
    let ids = arrow::array::StringArray::from_iter_values(
        all.iter().map(|p| char::from_u32(u32::from('a') + p).unwrap().to_string()),
    );
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns()).map(|(f, c)| {
        if f.name() == "local_person_id" { Arc::new(ids.clone()) as ArrayRef } else { Arc::clone(c) }
    });
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap();
    writer.append("participants", &batch).unwrap();
    writer.append("engagements", &rows("engagements", engaged, 0)).unwrap();
    writer.append("outcomes", &rows("outcomes", engaged, 0)).unwrap();
    writer.commit().unwrap()
}

fn numbered(rows: &[(u32, &str)]) -> Vec<(u32, String)> {
    rows.iter().map(|(number, text)| (*number, (*text).to_owned())).collect()
}

#[test]
fn who_is_erased_is_in_no_file_and_the_numbers_stay_dense() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    write_people(&store, 6, &[0, 1, 1, 3, 5]);
    write_people(&store, 6, &[0, 1, 1, 3, 5]);
    let erased = store.erase(&["b", "d", "nobody"].into(), head().loaded_at).unwrap();
    assert_eq!(erased, Erased { people: 2, edition: Some(3) });
    let kept = store.current().unwrap().unwrap();
    assert_eq!(kept.manifest().persons, 4);
    assert_eq!(held(&kept, "participants"), numbered(&[(0, "a"), (1, "c"), (2, "e"), (3, "f")]));
    assert_eq!(held(&kept, "engagements"), numbered(&[(0, "0"), (3, "1")]));
    assert_eq!(held(&kept, "outcomes"), numbered(&[(0, "0"), (3, "1")]));
    let editions = fs::read_dir(dir.path().join("snapshots")).unwrap().count();
    assert_eq!(editions, 1, "no other edition keeps them");

    // Nobody of these: the edition stays.
    let none = store.erase(&["b"].into(), head().loaded_at).unwrap();
    assert_eq!(none, Erased { people: 0, edition: Some(3) });
    let all = ["a", "c", "e", "f"].into();
    assert_eq!(store.erase(&all, head().loaded_at).unwrap(), Erased { people: 4, edition: Some(4) });
    assert_eq!(store.current().unwrap().unwrap().manifest().persons, 0);
    let empty = tempfile::tempdir().unwrap();
    let store = Store::open(empty.path()).unwrap();
    assert_eq!(store.erase(&all, head().loaded_at).unwrap(), Erased { people: 0, edition: None });
}

#[test]
fn who_objects_is_left_out_until_it_is_withdrawn_and_no_id_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    assert!(store.left_out().unwrap().is_empty());
    assert_eq!(store.leave_out(["ANNA-1", "BOB-2"]).unwrap(), 2);
    assert_eq!(store.leave_out(["BOB-2", "CAT-3"]).unwrap(), 1);
    assert_eq!(store.take_in_again(["ANNA-1", "DAN-4"]).unwrap(), 1);
    let left_out = Store::open(dir.path()).unwrap().left_out().unwrap();
    let who = ["ANNA-1", "BOB-2", "CAT-3", "DAN-4"].map(|id| left_out.holds(id));
    assert_eq!((who, left_out.len()), ([false, true, true, false], 2));
    let file = fs::read_to_string(dir.path().join("LEFT_OUT")).unwrap();
    assert!(!file.contains("BOB"), "a keyed hash is kept, and not the id");
    fs::write(dir.path().join("LEFT_OUT"), &file[..40]).unwrap();
    assert!(matches!(store.left_out(), Err(StoreFault::Unreadable { .. })), "nobody is loaded on a guess");
    assert!(matches!(store.leave_out(["EVE-5"]), Err(StoreFault::Unreadable { .. })));
}
