//! Loading an export: every row checked, every problem reported by row and column, and a snapshot staged.

mod batches;
mod cells;
mod derive;
mod linking;
mod lookup;
mod resolve;
mod rows;
mod source;
mod take;

use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use cairn_question::Moment;

use crate::mapping::Mapping;
use crate::report::{Effect, Place, Problem, Report, RowProblems, Rule, Tally};
use crate::snapshot::{Head, LeftOut, Linkage, Manifest, Sealed, Snapshot, SourceFile, Store, StoreFault};
use linking::Linking;
use lookup::Lookups;
use rows::{Ids, TableRows, at};
use source::{Rows, SourceFault};
use take::Header;

/// A snapshot that was checked and written, and is not in force yet. Dropped without [`Staged::commit`], it leaves no trace.
#[must_use = "a staged load counts only once it is committed"]
pub struct Staged {
    sealed: Sealed,
    report: Report,
}

impl Staged {
    /// What was found on the way; nothing in it refuses the load.
    #[must_use]
    pub const fn report(&self) -> &Report {
        &self.report
    }

    /// What the snapshot will hold.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        self.sealed.manifest()
    }

    /// Puts the snapshot in force: all its tables at once.
    ///
    /// # Errors
    /// What the disk says; the last good snapshot then stays in force.
    pub fn commit(self) -> Result<Snapshot, StoreFault> {
        self.sealed.commit()
    }
}

impl fmt::Debug for Staged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Staged({:?})", self.sealed)
    }
}

/// Opens a file of the export by its name in the mapping.
pub type OpenFile<'a> = dyn Fn(&str) -> std::io::Result<Box<dyn Read>> + 'a;

/// Reads the files that `mapping` names in `source_dir`, checks every row, and stages a snapshot in `store`.
///
/// # Errors
/// The report, when anything in it refuses the load: a file or a column that is not there, more rejected rows than the
/// mapping allows, a full disk. Nothing is staged then, and the snapshot in force stays.
pub fn check_and_stage(
    store: &Store,
    mapping: &Mapping,
    source_dir: &Path,
    now: Moment,
) -> Result<Staged, Report> {
    let open = |file: &str| File::open(source_dir.join(file)).map(|f| Box::new(f) as Box<dyn Read>);
    check_and_stage_from(store, mapping, &open, now)
}

/// As [`check_and_stage`], reading the export through `open`.
///
/// # Errors
/// As for [`check_and_stage`].
pub fn check_and_stage_from(
    store: &Store,
    mapping: &Mapping,
    open: &OpenFile<'_>,
    now: Moment,
) -> Result<Staged, Report> {
    let mut loading = Loading::new(mapping);
    match store.left_out() {
        Ok(left_out) => loading.left_out = Some(left_out),
        Err(fault) => loading.refuse(&fault),
    }
    loading.read_all(open);
    if loading.refusals.is_empty() {
        loading.resolve();
    }
    let sealed = loading.check_limits().then(|| loading.write(store, now));
    if let Some(Err(fault)) = &sealed {
        loading.refuse(fault);
    }
    let report = loading.into_report();
    match sealed {
        Some(Ok(sealed)) => Ok(Staged { sealed, report }),
        _ => Err(report),
    }
}

/// A load under way.
struct Loading<'a> {
    mapping: &'a Mapping,
    lookups: Lookups,
    /// Ids of people who object. They are left out of everything, counts and reports too.
    objected: HashSet<Box<str>>,
    /// The same of people whom the store leaves out of every load; `None` where nobody could say who they are.
    left_out: Option<LeftOut>,
    persons: Ids,
    engagements: Ids,
    tables: Vec<TableRows>,
    linking: Option<Linking>,
    problems: RowProblems,
    refusals: Vec<Problem>,
    /// The export's files, in the order of the mapping; a problem names one by its place.
    files: Vec<String>,
    digests: Vec<SourceFile>,
}

impl<'a> Loading<'a> {
    fn new(mapping: &'a Mapping) -> Self {
        Self {
            mapping,
            lookups: Lookups::default(),
            objected: HashSet::new(),
            left_out: None,
            persons: Ids::default(),
            engagements: Ids::default(),
            tables: mapping.tables.iter().map(TableRows::new).collect(),
            linking: Linking::of(mapping),
            problems: RowProblems::default(),
            refusals: Vec::new(),
            files: mapping.sources.iter().flat_map(|s| s.files.clone()).collect(),
            digests: Vec::new(),
        }
    }

    fn refuse(&mut self, fault: &StoreFault) {
        let help = "docs/reference/codes/cl.md";
        let (code, says) = (fault.code(), fault.to_string());
        self.refusals.push(Problem::refusal(code, "the store of snapshots", says, help));
    }

    fn read_all(&mut self, open: &OpenFile<'_>) {
        match Lookups::read(&self.mapping.lookups, open) {
            Ok(lookups) => self.lookups = lookups,
            Err(problems) => self.refusals.extend(problems),
        }
        let mapping = self.mapping;
        if let Some(plan) = &mapping.objection {
            self.each_file(open, |loading, source, file, rows| {
                if source == plan.source { loading.read_objections(plan, file, rows) } else { Ok(()) }
            });
        }
        // What is wrong with a file is said once, by the pass that reads all of them.
        self.refusals.retain(|p| !p.code.starts_with("CL2") || p.code == "CL210");
        self.each_file(open, Self::read_file);
    }

    fn each_file(
        &mut self,
        open: &OpenFile<'_>,
        mut read: impl FnMut(&mut Self, usize, usize, &mut Rows<Box<dyn Read>>) -> Result<(), SourceFault>,
    ) {
        let mut file = 0;
        for (index, source) in self.mapping.sources.iter().enumerate() {
            for name in &source.files {
                let opened = open(name).map_err(|_| (SourceFault::Disk, 0));
                let rows = opened
                    .and_then(|raw| Rows::open(raw, source.encoding, source.delimiter).map_err(|f| (f, 1)));
                let done = rows.and_then(|mut rows| {
                    read(self, index, file, &mut rows).map_err(|fault| (fault, rows.last_row()))
                });
                if let Err((fault, row)) = done {
                    self.refusals.push(source_problem(fault, name, row, source.encoding.name()));
                }
                file += 1;
            }
        }
    }

    fn read_file(
        &mut self,
        source: usize,
        file: usize,
        rows: &mut Rows<Box<dyn Read>>,
    ) -> Result<(), SourceFault> {
        let mapping = self.mapping;
        let name = self.files.get(file).cloned().unwrap_or_default();
        let plans = || mapping.tables.iter().enumerate().filter(|(_, t)| t.source == source);
        let headers: Result<Vec<Header>, Vec<Problem>> =
            Header::find_all(&name, &rows.header, plans(), mapping.objection.as_ref());
        let headers = match headers {
            Ok(headers) => headers,
            Err(problems) => {
                self.refusals.extend(problems);
                return Ok(());
            }
        };
        let width = rows.header.len();
        while let Some((row, cells)) = rows.next()? {
            if cells.len() == width {
                headers.iter().for_each(|header| self.take(header, file, row, cells));
            } else {
                self.wrong_width(&headers, file, row);
            }
        }
        let (sha256, bytes) = rows.digest();
        self.digests.push(SourceFile { file: name, sha256, bytes });
        Ok(())
    }

    fn wrong_width(&mut self, headers: &[Header], file: usize, row: u64) {
        let place =
            Place { rule: Rule::CellCount, effect: Effect::RowRejected, file, table: None, column: None };
        self.problems.add(place, None, row);
        for header in headers {
            if let Some(table) = self.tables.get_mut(header.table) {
                table.read += 1;
            }
        }
    }

    /// Refuses when more rows were rejected than the mapping allows; says whether the snapshot may be written.
    fn check_limits(&mut self) -> bool {
        let most = u64::from(self.mapping.max_rejected_percent);
        for (rows, plan) in self.tables.iter().zip(&self.mapping.tables) {
            let rejected = rows.read.saturating_sub(rows.kept());
            if self.refusals.is_empty() && rejected.saturating_mul(100) > most.saturating_mul(rows.read) {
                let mut problem = Problem::refusal(
                    "CL401",
                    "the export",
                    format!("more than {most} % of the rows were rejected"),
                    "correct what is listed here, or raise `max_rejected_percent` in the mapping",
                );
                problem.table = Some(plan.table.name.clone());
                self.refusals.push(problem);
            }
        }
        if self.refusals.is_empty() && self.tables.iter().all(|t| t.kept() == 0) {
            let says = "no row of the export feeds any table";
            let help = "check `when` and the rows listed here, and that not everybody objects";
            self.refusals.push(Problem::refusal("CL211", "the export", says, help));
        }
        self.refusals.is_empty()
    }

    fn write(&mut self, store: &Store, now: Moment) -> Result<Sealed, StoreFault> {
        let mapping = self.mapping;
        let mut writer = store.writer(Head {
            partner: mapping.partner.clone(),
            as_of: mapping.as_of,
            templates: vec![mapping.template.clone()],
            notes: mapping.notes.clone(),
            loaded_at: now,
            sources: std::mem::take(&mut self.digests),
            objections: mapping.objections.clone(),
        })?;
        for (plan, rows) in mapping.tables.iter().zip(&self.tables) {
            batches::write(&mut writer, mapping, plan, rows, &self.persons)?;
        }
        if let Some(linkage) = self.linkage() {
            writer.link(linkage);
        }
        writer.seal()
    }

    fn linkage(&mut self) -> Option<Linkage> {
        let participants = self.mapping.tables.iter().position(|plan| plan.linkage.is_some())?;
        let rows = self.tables.get(participants)?;
        Some(self.linking.take()?.by_person(&rows.order, &rows.person_no, self.numbered()))
    }

    /// How many persons have a number: rows come in the order of persons.
    fn numbered(&self) -> u32 {
        let last = |t: &TableRows| at(&t.person_no, *t.order.last()?);
        self.tables.iter().filter_map(last).max().map_or(0, |last| last.saturating_add(1))
    }

    fn into_report(self) -> Report {
        let names: Vec<&str> = self.mapping.tables().collect();
        let tally = |(name, rows): (&&str, &TableRows)| Tally {
            table: (*name).to_owned(),
            read: rows.read,
            kept: rows.kept(),
        };
        let tables = names.iter().zip(&self.tables).map(tally).collect();
        let mut problems = self.refusals;
        problems.extend(self.problems.into_problems(&self.files, &names));
        problems.sort();
        problems.truncate(crate::report::PROBLEMS_MAX);
        Report { problems, tables }
    }
}

fn source_problem(fault: SourceFault, file: &str, row: u64, encoding: &str) -> Problem {
    let after = format!("after row {row}");
    let (code, says, help) = match fault {
        SourceFault::Disk => {
            ("CL201", "the file cannot be opened or read".to_owned(), "check its name and permissions")
        }
        SourceFault::Encoding => (
            "CL202",
            format!("the text is not {encoding} {after}"),
            "declare the file's `encoding`, often windows-1252, or save it as CSV UTF-8",
        ),
        SourceFault::Nul => {
            ("CL203", format!("a zero byte {after}: not a text file, or UTF-16"), "save it as CSV UTF-8")
        }
        SourceFault::RowTooLong => (
            "CL204",
            format!("a row of more than 1 MiB {after}"),
            "look for a quote that is opened there and never closed",
        ),
        SourceFault::Empty => {
            ("CL207", "the file has no header".to_owned(), "export again, with column names")
        }
        SourceFault::Mark => (
            "CL209",
            format!("the file begins with the mark of another encoding than {encoding}"),
            "declare the file's `encoding`, such as utf-16le, or save it as CSV UTF-8",
        ),
    };
    Problem::refusal(code, file, says, help)
}

#[cfg(test)]
mod tests;
