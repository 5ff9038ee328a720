//! Marked records, and everything that can be made to break on them: no mark may come out.

use std::fs::{self, File};
use std::path::Path;
use std::sync::{Arc, Mutex};

use arrow::array::{ArrayRef, Int8Array, RecordBatch, StringArray, UInt32Array};
use arrow::datatypes::{Field as ArrowField, Schema as ArrowSchema};
use parquet::arrow::ArrowWriter;

use super::world::{Asked, Field, Made, Outcome, Person, Start, World, block_on, engine};
use crate::EngineFault;

/// What a person's cell holds; no word of ours.
const MARK: &str = "Zebedee";
/// The same, where only a number fits.
const NUMBER_MARK: u32 = 3_141_592_653;

fn made() -> Made {
    let outcome = Outcome { day: 19_800, kind: 1 };
    let start = Start {
        day: 19_750,
        end: None,
        lep: 1,
        referral: None,
        rejoin: false,
        outcomes: vec![outcome],
        activities: vec![],
    };
    let person = Person { known: true, sex: Some(1), simd: Some(2), starts: vec![start; 2] };
    Made::of(World { persons: vec![person; 4] }, 2)
}

/// Asks of a snapshot after `damage` was done to the second part of a table.
fn broken(table: &str, damage: impl Fn(&Path)) -> EngineFault {
    let made = made();
    damage(&made.snapshot.parts(table)[1]);
    let plan = Asked::people("outcomes", &[Field::Kind, Field::Lep, Field::Sex]).plan();
    block_on(engine(2).count(&made.snapshot, &plan)).unwrap_err()
}

/// A part with these columns in place of what was there.
fn replace(part: &Path, columns: Vec<(&str, ArrayRef)>) {
    let fields = columns.iter().map(|(name, a)| ArrowField::new(*name, a.data_type().clone(), true));
    let schema = Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>()));
    let arrays = columns.into_iter().map(|(_, a)| a).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(part).unwrap(), schema, None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn numbers(numbers: &[u32]) -> ArrayRef {
    Arc::new(UInt32Array::from(numbers.to_vec()))
}

fn coded(code: &str, rows: usize) -> ArrayRef {
    let keys = Int8Array::from(vec![0; rows]);
    let values = Arc::new(StringArray::from(vec![code]));
    Arc::new(arrow::array::DictionaryArray::try_new(keys, values).unwrap())
}

fn text(rows: usize) -> ArrayRef {
    Arc::new(StringArray::from(vec![MARK; rows]))
}

/// The faults that damage to a part of `outcomes` or `participants` provokes.
fn provoked() -> Vec<(EngineFault, EngineFault)> {
    let outcome = |persons: &[u32], starts: &[u32]| {
        let (persons, starts) = (persons.to_vec(), starts.to_vec());
        broken("outcomes", move |part| {
            replace(
                part,
                vec![
                    ("person_no", numbers(&persons)),
                    ("engagement_no", numbers(&starts)),
                    ("outcome_type", coded(MARK, persons.len())),
                ],
            );
        })
    };
    let cut = |at: fn(usize) -> usize| {
        move |part: &Path| {
            let whole = fs::read(part).unwrap();
            let mut marked = whole[..at(whole.len())].to_vec();
            marked.extend(MARK.as_bytes());
            fs::write(part, marked).unwrap();
        }
    };
    let scramble = |part: &Path| {
        let mut whole = fs::read(part).unwrap();
        let footer = whole.len() / 4;
        whole[4..footer].fill(0xA5);
        fs::write(part, whole).unwrap();
    };
    use EngineFault::{Absent, ColumnForm, Damaged, PersonOrder, Unreadable};
    vec![
        (broken("outcomes", |part| fs::remove_file(part).unwrap()), Unreadable),
        (broken("outcomes", cut(|n| n - 9)), Damaged),
        (broken("participants", cut(|n| n / 2)), Damaged),
        (broken("participants", scramble), Damaged),
        (broken("outcomes", |part| replace(part, vec![("person_no", text(1))])), ColumnForm),
        (
            broken("outcomes", |part| {
                replace(
                    part,
                    vec![
                        ("person_no", numbers(&[2])),
                        ("engagement_no", numbers(&[4])),
                        ("outcome_type", text(1)),
                    ],
                );
            }),
            ColumnForm,
        ),
        (broken("outcomes", |part| replace(part, vec![(MARK, text(1))])), Absent),
        (outcome(&[NUMBER_MARK, 2], &[4, 5]), PersonOrder),
        (outcome(&[0, 2], &[4, 5]), PersonOrder),
        (
            broken("participants", |part| {
                replace(part, vec![("person_no", numbers(&[2, 2])), ("sex", coded(MARK, 2))]);
            }),
            PersonOrder,
        ),
        (
            broken("participants", |part| {
                replace(part, vec![("person_no", numbers(&[2, NUMBER_MARK])), ("sex", coded(MARK, 2))]);
            }),
            EngineFault::Memory,
        ),
    ]
}

#[test]
fn no_error_and_no_log_line_holds_a_mark() {
    log::set_logger(&HEARD).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    for (at, (fault, expected)) in provoked().into_iter().enumerate() {
        assert_eq!(fault, expected, "case {at}");
        assert!(std::error::Error::source(&fault).is_none());
        assert_unmarked(&format!("{fault} {fault:?} {fault:#?} {}", fault.code()));
    }
    // A code that nobody knows is counted nowhere and said nowhere.
    let made = made();
    replace(
        &made.snapshot.parts("outcomes")[1],
        vec![
            ("person_no", numbers(&[2, NUMBER_MARK])),
            ("engagement_no", numbers(&[4, 5])),
            ("outcome_type", coded(MARK, 2)),
        ],
    );
    let plan = Asked::people("outcomes", &[Field::Kind]).plan();
    let table = block_on(engine(2).count(&made.snapshot, &plan)).unwrap();
    assert_eq!(table.counts().iter().sum::<u64>(), 2);
    assert_unmarked(&format!("{table:?}"));
    let lines = HEARD.0.lock().unwrap();
    assert!(!lines.is_empty(), "the log was listened to");
    lines.iter().for_each(|line| assert_unmarked(line));
}

fn assert_unmarked(text: &str) {
    assert!(!text.contains(MARK) && !text.contains(&NUMBER_MARK.to_string()), "a mark came out");
}

/// Every line of every crate, at every level: more than any node logs.
struct Heard(Mutex<Vec<String>>);

static HEARD: Heard = Heard(Mutex::new(Vec::new()));

impl log::Log for Heard {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.0.lock().unwrap().push(record.args().to_string());
    }

    fn flush(&self) {}
}

#[test]
fn every_fault_has_a_page_and_a_code_of_its_own() {
    let page = include_str!("../../../../docs/reference/codes/ce.md");
    for (at, fault) in (1..).zip(EngineFault::ALL) {
        assert_eq!(fault.code(), format!("CE{at:03}"));
        assert!(page.contains(&format!("## {}\n", fault.code())));
    }
}
