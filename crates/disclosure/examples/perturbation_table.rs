//! Makes a table of perturbations and prints it as CSV.
//!
//! `cargo run -p cairn-disclosure --example perturbation_table -- D V js [rows]`, with V in thousandths. The shipped table is
//! `3 2000 2`; with 750 rows it is in the form that the ONS package reads.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program: the table is its output")]

use cairn_disclosure::cell_key::{PerturbationTable, Shape};
use std::process::ExitCode;

fn main() -> ExitCode {
    let given: Vec<u32> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    match made(&given) {
        Ok(csv) => {
            print!("{csv}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(2)
        }
    }
}

fn made(given: &[u32]) -> Result<String, String> {
    let (&[change_max, variance, never_up_to, ref rows @ ..], 3..=4) = (given, given.len()) else {
        return Err("wanted: D, V in thousandths, js and, if you like, the number of rows".to_owned());
    };
    let byte = |n: u32| u8::try_from(n).unwrap_or(u8::MAX);
    let shape = Shape::new(byte(change_max), variance, byte(never_up_to)).map_err(|e| e.to_string())?;
    let table = shape.table().map_err(|e| e.to_string())?;
    for row in 1..=table.rows() as u64 {
        eprintln!("{}", line(&table, row));
    }
    let rows = rows.first().and_then(|rows| usize::try_from(*rows).ok());
    Ok(table.to_csv(rows.unwrap_or_else(|| table.rows())))
}

/// What a row is like: how many keys each change has, and the variance.
fn line(table: &PerturbationTable, row: u64) -> String {
    let (sum, squares) = table.sums(row).unwrap_or_default();
    let mut keys = std::collections::BTreeMap::<i16, u32>::new();
    for change in (0..256).filter_map(|key| table.change(row, key)) {
        *keys.entry(change).or_default() += 1;
    }
    let entropy: f64 = keys.values().map(|k| f64::from(*k) / 256.0).map(|p| -p * p.log2()).sum();
    format!("count {row}: sum {sum}, variance {squares}/256, entropy {entropy:.3} bits, keys {keys:?}")
}
