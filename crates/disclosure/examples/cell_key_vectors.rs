//! Holds `cell-key` against tables that another program perturbed: the ONS package `cell-key-perturbation`.
//!
//! `cargo run -p cairn-disclosure --example cell_key_vectors -- FOLDER`. The folder holds `micro_*.csv` (records with keys),
//! `ptable_*.csv` (tables of perturbations) and `expect_*.csv` (what the package made of them). For each of the latter this prints
//! whether ours has the same bytes. The counts, keys and changes in those files are this program's own, from the records that it
//! reads; the library gives it the last column only.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program: the comparison is its output")]

use cairn_disclosure::Rule;
use cairn_disclosure::cell_key::{Keyed, PerturbationTable, RecordKey};
use cairn_question::answer::Zeros;
use cairn_question::{Cell, Dimension, Grid};
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

/// One file of expected results, and what it was made of.
struct Vector {
    expect: &'static str,
    micro: &'static str,
    table: &'static str,
    columns: &'static [&'static str],
    threshold: u32,
    blank: Blank,
}

/// What the file's maker blanked before the package ran.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Blank {
    Nothing,
    /// `var2` of the first 50 records: the missing category.
    Category,
    /// The keys of the first 100 records.
    Keys,
}

const NOISE: &str = "ptable_demo_noise_js2.csv";
const RULE: &str = "ptable_10_5_rule.csv";
const SMALL: &str = "micro_1000_keys255.csv";
const BIG: &str = "micro_big_6000.csv";

const VECTORS: &[Vector] = &[
    vector("expect_10_5_var1_by_var5_var8_thr10.csv", SMALL, RULE, &["var1", "var5", "var8"], 10),
    vector("expect_10_5_var1_var2_thr0.csv", SMALL, RULE, &["var1", "var2"], 0),
    vector("expect_10_5_var8_thr10.csv", SMALL, RULE, &["var8"], 10),
    vector("expect_noise_big_var1_thr0.csv", BIG, NOISE, &["var1"], 0),
    vector("expect_noise_big_var2_thr0.csv", BIG, NOISE, &["var2"], 0),
    vector("expect_noise_var1_by_var2_thr0.csv", SMALL, NOISE, &["var1", "var2"], 0),
    vector("expect_noise_var1_by_var5_var8_thr0.csv", SMALL, NOISE, &["var1", "var5", "var8"], 0),
    vector("expect_noise_var1_thr0.csv", SMALL, NOISE, &["var1"], 0),
    vector("expect_noise_var2_thr0.csv", SMALL, NOISE, &["var2"], 0),
    Vector {
        blank: Blank::Keys,
        ..vector("expect_missing_keys_var1_var2_thr10.csv", SMALL, NOISE, &["var1", "var2"], 10)
    },
    Vector {
        blank: Blank::Category,
        ..vector("expect_missing_category_var1_var2_thr0.csv", SMALL, NOISE, &["var1", "var2"], 0)
    },
];

const fn vector(
    expect: &'static str,
    micro: &'static str,
    table: &'static str,
    columns: &'static [&'static str],
    threshold: u32,
) -> Vector {
    Vector { expect, micro, table, columns, threshold, blank: Blank::Nothing }
}

/// A record: the codes asked for, and its key.
struct Record {
    codes: Vec<String>,
    key: Option<u8>,
}

fn main() -> ExitCode {
    let Some(folder) = std::env::args().nth(1) else {
        eprintln!("error: wanted: the folder with the vectors");
        return ExitCode::from(2);
    };
    match compare_all(Path::new(&folder)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(2)
        }
    }
}

/// Whether every file has our bytes, but for the missing category, where the package is known to err in its own way.
fn compare_all(folder: &Path) -> Result<bool, Box<dyn Error>> {
    let mut as_known = true;
    for table in [NOISE, RULE] {
        let warnings = PerturbationTable::read(&fs::read_to_string(folder.join(table))?)
            .map_or(0, |reading| reading.warnings.len());
        println!("{table}: {warnings} warnings");
    }
    for vector in VECTORS {
        let theirs = fs::read_to_string(folder.join(vector.expect))?.replace("\r\n", "\n");
        let ours = perturbed(vector, folder)?;
        let differing: Vec<(&str, &str)> =
            theirs.lines().zip(ours.lines()).filter(|(theirs, ours)| theirs != ours).collect();
        if theirs == ours {
            println!("same bytes        {} ({} cells)", vector.expect, ours.lines().count() - 1);
            continue;
        }
        let cells = ours.lines().count() - 1;
        println!("{} of {cells} rows differ  {}", differing.len(), vector.expect);
        for (theirs, ours) in &differing {
            println!("    theirs {theirs:24} ours {ours}");
        }
        // The known error: cells with a blank category, and they alone, have key 0 there.
        let known =
            |(theirs, _): &(&str, &str)| theirs.contains(",,") && theirs.split(',').nth(3) == Some("0");
        let same_length = theirs.lines().count() == ours.lines().count();
        as_known &= vector.blank == Blank::Category && same_length && differing.iter().all(known);
    }
    Ok(as_known)
}

/// The file that the package would write, with our last column.
fn perturbed(vector: &Vector, folder: &Path) -> Result<String, Box<dyn Error>> {
    let reading = PerturbationTable::read(&fs::read_to_string(folder.join(vector.table))?);
    let table = reading.map_err(|faults| faults.first().map_or_else(String::new, ToString::to_string))?.table;
    let records = records(vector, &fs::read_to_string(folder.join(vector.micro))?)?;
    let grid = grid(vector, &records)?;
    let mut keyed = Keyed::over(&grid);
    let mut own = vec![(0_u64, 0_u64); grid.cells()];
    for record in &records {
        let codes: Vec<&str> = record.codes.iter().map(String::as_str).collect();
        let cell = grid.cell_of(&codes).ok_or("a code outside the grid")?;
        let key = record.key.unwrap_or_default();
        keyed.add(cell, RecordKey::stored(key))?;
        let (people, keys) = own.get_mut(cell).ok_or("a cell outside the grid")?;
        (*people, *keys) = (*people + 1, *keys + u64::from(key));
    }
    // The package blanks what is below its threshold, 0 among it; with threshold 0 it shows everything.
    let zeros = if vector.threshold == 0 { Zeros::Show } else { Zeros::Withhold };
    let shown = keyed.perturb(&table).release(&Rule::new(vector.threshold, 1, zeros)?, &[]);
    let mut csv = format!("{},pre_sdc_count,ckey,pcv,pvalue,count\n", vector.columns.join(","));
    for (cell, ((people, keys), shown)) in own.into_iter().zip(shown).enumerate() {
        let (row, key) = (table.row_of(people), keys % 256);
        let change = table.change(row, usize::try_from(key)?).ok_or("no such row")?;
        let count = if let Cell::Value(count) = shown { count.to_string() } else { String::new() };
        writeln!(csv, "{},{people},{key},{row},{change},{count}", grid.codes_of(cell).join(","))?;
    }
    Ok(csv)
}

fn records(vector: &Vector, text: &str) -> Result<Vec<Record>, Box<dyn Error>> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().ok_or("no header")?.split(',').collect();
    let place = |name: &str| header.iter().position(|h| *h == name).ok_or("a column is missing");
    let places: Vec<usize> = vector.columns.iter().map(|c| place(c)).collect::<Result<_, _>>()?;
    let record = |(at, line): (usize, &str)| {
        let values: Vec<&str> = line.split(',').collect();
        let code = |(column, place): (&&str, &usize)| {
            let blank = vector.blank == Blank::Category && at < 50 && *column == "var2";
            values.get(*place).filter(|_| !blank).map_or_else(String::new, |v| (*v).to_owned())
        };
        let codes = vector.columns.iter().zip(&places).map(code).collect();
        let blank = vector.blank == Blank::Keys && at < 100;
        let key = values.get(place("record_key")?).filter(|_| !blank).map(|k| k.parse()).transpose()?;
        Ok::<_, Box<dyn Error>>(Record { codes, key })
    };
    lines.enumerate().map(record).collect()
}

/// The grid of the codes that occur, numbers by size and blank last, as the package sorts them.
fn grid(vector: &Vector, records: &[Record]) -> Result<Grid, Box<dyn Error>> {
    let codes = |axis: usize| {
        let mut codes: Vec<String> = records.iter().filter_map(|r| r.codes.get(axis).cloned()).collect();
        codes.sort_by_key(|c| (c.is_empty(), c.parse::<u32>().unwrap_or_default(), c.clone()));
        codes.dedup();
        codes
    };
    let dimension = |(axis, column): (usize, &&str)| Dimension {
        column: (*column).to_owned(),
        grain: "code".to_owned(),
        codes: codes(axis),
    };
    Ok(Grid::new(vector.columns.iter().enumerate().map(dimension).collect())?)
}
