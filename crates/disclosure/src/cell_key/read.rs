//! Reading a table of perturbations that a board brings: CSV `pcv,ckey,pvalue`, the form of the ONS package.

use std::collections::BTreeMap;
use std::fmt;

use crate::cell_key::{COUNT_MAX, CYCLE_FROM, KEYS, PerturbationTable};

/// Most bytes of a table's file: the ONS package's 192,000 lines are 1.9 million.
pub const BYTES_MAX: usize = 8 << 20;

/// Most findings that are listed; a file with more is broken throughout.
const FINDINGS_MAX: usize = 50;

/// Largest change: a table that rounds to the nearest 1,000 has 500.
const CHANGE_MAX: u16 = 10_000;

/// How far the sum of a row's 256 changes may be from 0: one key's worth. 256 is no multiple of 3, say, so that a table whose
/// changes are −1 and 2 cannot come out even.
const SUM_MAX: i64 = 1;

/// Whether a table with this finding can be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Weight {
    /// It cannot.
    Fault,
    /// It can; who chose it should know.
    Warning,
}

/// Where in a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Field {
    /// The whole line.
    Line,
    /// The count.
    Pcv,
    /// The cell key.
    Ckey,
    /// The change.
    Pvalue,
}

/// One finding in a table's file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// A code with an entry in docs/reference/codes/ck.md.
    pub code: &'static str,
    /// Whether it stops the table from being used.
    pub weight: Weight,
    /// The line, from 1 on; the last one where something is missing.
    pub line: usize,
    /// The column.
    pub field: Field,
    /// What is wrong.
    pub says: String,
}

/// A table that was read, with its warnings.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reading {
    /// The table.
    pub table: PerturbationTable,
    /// All of weight [`Weight::Warning`].
    pub warnings: Vec<Finding>,
}

/// What a line says.
#[derive(Clone, Copy)]
struct Entry {
    change: i16,
    line: usize,
}

impl PerturbationTable {
    /// Reads a table: a header line `pcv,ckey,pvalue`, then one line for each count from 1 to the largest and each key from 0 to
    /// 255, in any order. Lines for count 0 may be there, with a change of 0.
    ///
    /// # Errors
    /// The faults, up to 50, each with its code, line and column: CK001 to CK008.
    pub fn read(text: &str) -> Result<Reading, Vec<Finding>> {
        if text.len() > BYTES_MAX {
            let says = format!("the file has {} bytes; at most {BYTES_MAX} are read", text.len());
            return Err(vec![fault("CK001", 1, Field::Line, says)]);
        }
        let mut faults = Vec::new();
        let entries = entries(text, &mut faults);
        let last = text.lines().count().max(1);
        let changes = whole(&entries, last, &mut faults);
        if !faults.is_empty() {
            faults.truncate(FINDINGS_MAX);
            return Err(faults);
        }
        let table = Self::from_checked(changes);
        Ok(Reading { warnings: warnings(&table, &entries), table })
    }
}

type Entries = BTreeMap<(usize, usize), Entry>;

fn entries(text: &str, faults: &mut Vec<Finding>) -> Entries {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines().zip(1_usize..);
    // R writes the header in quotes.
    let header = lines.next().map(|(l, _)| l.replace('"', ""));
    if header.as_deref() != Some("pcv,ckey,pvalue") {
        faults.push(fault("CK002", 1, Field::Line, "the header is not `pcv,ckey,pvalue`".to_owned()));
        return Entries::new();
    }
    let mut entries = Entries::new();
    for (text, line) in lines {
        if faults.len() >= FINDINGS_MAX {
            break;
        }
        match entry(text, line) {
            Ok((at, entry)) => {
                if let Some(first) = entries.insert(at, entry) {
                    let says = format!("pcv {} and ckey {} stand in line {} already", at.0, at.1, first.line);
                    faults.push(fault("CK005", line, Field::Line, says));
                }
            }
            Err(found) => faults.push(found),
        }
    }
    entries
}

fn entry(text: &str, line: usize) -> Result<((usize, usize), Entry), Finding> {
    let mut parts = text.split(',');
    let (Some(pcv), Some(ckey), Some(pvalue), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(fault("CK003", line, Field::Line, "a line has three values".to_owned()));
    };
    let count = up_to(COUNT_MAX, pcv, line, Field::Pcv)?;
    let key = up_to(KEYS - 1, ckey, line, Field::Ckey)?;
    let change = change(pvalue, line)?;
    if count == 0 && change != 0 {
        let says = format!("a count of 0 changes by {change}; nobody must stay nobody");
        return Err(fault("CK008", line, Field::Pvalue, says));
    }
    if change < 0 && usize::from(change.unsigned_abs()) > count {
        let says = format!("a count of {count} changes by {change}: it would be negative");
        return Err(fault("CK007", line, Field::Pvalue, says));
    }
    Ok(((count, key), Entry { change, line }))
}

fn up_to(most: usize, text: &str, line: usize, field: Field) -> Result<usize, Finding> {
    let value = number(text, line, field)?;
    let says = || format!("`{field}` is {value}, and must be 0 to {most}");
    let within = usize::try_from(value).ok().filter(|value| *value <= most);
    within.ok_or_else(|| fault("CK004", line, field, says()))
}

fn change(text: &str, line: usize) -> Result<i16, Finding> {
    let value = number(text, line, Field::Pvalue)?;
    let says = || format!("`pvalue` is {value}, and must be -{CHANGE_MAX} to {CHANGE_MAX}");
    let within = i16::try_from(value).ok().filter(|value| value.unsigned_abs() <= CHANGE_MAX);
    within.ok_or_else(|| fault("CK004", line, Field::Pvalue, says()))
}

fn number(text: &str, line: usize, field: Field) -> Result<i64, Finding> {
    let says = || format!("`{field}` is not a whole number");
    text.trim().parse().map_err(|_| fault("CK003", line, field, says()))
}

/// Every count from 1 to the largest with every key; a fault for each that is missing.
fn whole(entries: &Entries, last: usize, faults: &mut Vec<Finding>) -> Vec<i16> {
    let rows = entries.keys().map(|(count, _)| *count).max().unwrap_or_default();
    if rows == 0 && faults.is_empty() {
        faults.push(fault("CK006", last, Field::Line, "there is no line for a count of 1".to_owned()));
    }
    // Where lines could not be read, what they would have said is not missing.
    let readable = faults.is_empty();
    let mut changes = Vec::with_capacity(rows * KEYS);
    for (count, key) in (1..=rows).flat_map(|count| (0..KEYS).map(move |key| (count, key))) {
        match entries.get(&(count, key)) {
            Some(entry) => changes.push(entry.change),
            None if readable && faults.len() < FINDINGS_MAX => {
                let says = format!("there is no line for pcv {count} and ckey {key}");
                faults.push(fault("CK006", last, Field::Line, says));
            }
            None => {}
        }
    }
    changes
}

/// Rows whose changes do not add up to 0: they make tables too high or too low on average.
fn warnings(table: &PerturbationTable, entries: &Entries) -> Vec<Finding> {
    let skewed = |row: usize| {
        let (sum, _) = table.sums(row as u64)?;
        let line = entries.get(&(row, 0))?.line;
        (sum.abs() > SUM_MAX).then(|| Finding {
            code: "CK009",
            weight: Weight::Warning,
            line,
            field: Field::Pvalue,
            says: format!("the changes of pcv {row} add up to {sum} over its {KEYS} keys, and not to 0"),
        })
    };
    let mut warnings: Vec<Finding> = (1..=table.rows()).filter_map(skewed).take(FINDINGS_MAX).collect();
    warnings.extend(unsteady_end(table, entries));
    warnings
}

/// A short table whose last two rows differ: the last one alone would serve every larger count, which is not what a table that
/// rounds means.
fn unsteady_end(table: &PerturbationTable, entries: &Entries) -> Option<Finding> {
    let (last, before) = (table.rows() as u64, table.rows().checked_sub(1)? as u64);
    let differs = |key: usize| table.change(last, key) != table.change(before, key);
    if table.rows() > CYCLE_FROM || before == 0 || !(0..KEYS).any(differs) {
        return None;
    }
    Some(Finding {
        code: "CK010",
        weight: Weight::Warning,
        line: entries.get(&(table.rows(), 0))?.line,
        field: Field::Pcv,
        says: format!("row {last} serves all larger counts, and differs from the row before it"),
    })
}

const fn fault(code: &'static str, line: usize, field: Field, says: String) -> Finding {
    Finding { code, weight: Weight::Fault, line, field, says }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Line => "line",
            Self::Pcv => "pcv",
            Self::Ckey => "ckey",
            Self::Pvalue => "pvalue",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: line {}, {}: {}", self.code, self.line, self.field, self.says)
    }
}

#[cfg(test)]
mod tests;
