//! A million bad rows: the report and the memory are bounded, and nothing is published.

use std::io::Write as _;
use std::process::Stdio;

use crate::harness::federation::{Federation, Partner};
use crate::harness::people::{FIFE, people};

/// Rows of the two exports. Memory must not follow them.
const FEW: usize = 100_000;
const MANY: usize = 1_000_000;

#[test]
fn a_million_bad_rows_give_a_short_report_in_bounded_memory() {
    let federation = Federation::set_up(&[Partner::new("fife", people("F", 10, FIFE, "F"))], "");
    federation.load("fife").exits(0);
    let current = federation.read("fife/data/CURRENT");
    let (few_kb, _) = load_bad_rows(&federation, FEW);
    let (many_kb, report) = load_bad_rows(&federation, MANY);
    assert!(report.len() < 20_000, "a report of {} bytes", report.len());
    assert!(report.contains(&format!("{MANY} rows")), "{report}");
    assert!(many_kb < few_kb + 40_000, "{few_kb} kB for {FEW} rows, {many_kb} kB for {MANY}");
    assert_eq!(federation.read("fife/data/CURRENT"), current, "the snapshot in force stays");
}

/// Peak memory of the load in kB, and what it said.
fn load_bad_rows(federation: &Federation, rows: usize) -> (u64, String) {
    let path = federation.path("export/fife/people.csv");
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    file.write_all(b"id,born,sex,council,disabled,started,job_start,job\n").unwrap();
    // Everything in the row is wrong, and its key is missing.
    for _ in 0..rows {
        file.write_all(b",x,x,x,x,x,x,\n").unwrap();
    }
    file.into_inner().unwrap().sync_all().unwrap();
    let words = [
        "node",
        "load",
        "--node",
        "fife",
        "--mapping",
        "export/fife.toml",
        "--source",
        "export/fife",
        "--commit",
    ];
    let mut program = federation.command(&words);
    let mut child = program.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut peak_kb = 0;
    while child.try_wait().unwrap().is_none() {
        peak_kb = peak_kb.max(high_water_kb(child.id()).unwrap_or(0));
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", String::from_utf8_lossy(&output.stdout));
    (peak_kb, String::from_utf8(output.stdout).unwrap())
}

/// `VmHWM` of a process: the most memory that it has held so far.
fn high_water_kb(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
