//! One table's Parquet files, written in the order of persons.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use arrow::array::{Array, RecordBatch, UInt32Array};
use arrow::datatypes::SchemaRef;
use cairn_question::Hash;
use cairn_question::schema::Table;
use parquet::arrow::ArrowWriter;

use super::disk::{Disk, DurableFile};
use super::fault::StoreFault;
use super::layout::{self, ENGAGEMENT_NO, PERSON_NO};
use super::manifest::{Part, TableEntry};

/// A table being written.
pub(super) struct TableWriter {
    name: String,
    arrow: SchemaRef,
    /// `None` for tables without persons: they have one part.
    persons_per_part: Option<u32>,
    dir: PathBuf,
    disk: Arc<dyn Disk>,
    open: Option<OpenPart>,
    entry: TableEntry,
    /// One past the greatest person so far.
    pub(super) persons: u32,
}

struct OpenPart {
    file: String,
    first_person: u32,
    rows: u64,
    writer: ArrowWriter<Sink>,
    failed: Failed,
}

/// The disk's own error, which the Parquet writer would turn into text.
type Failed = Arc<Mutex<Option<io::Error>>>;

/// Counts and digests what passes on its way to the disk.
struct Sink {
    file: Box<dyn DurableFile>,
    digest: ring::digest::Context,
    bytes: u64,
    failed: Failed,
}

impl TableWriter {
    pub(super) fn new(table: &Table, persons_per_part: u32, dir: &Path, disk: Arc<dyn Disk>) -> Self {
        Self {
            name: table.name.clone(),
            arrow: layout::arrow_schema(table),
            persons_per_part: table.person_key.as_ref().map(|_| persons_per_part),
            dir: dir.to_owned(),
            disk,
            open: None,
            entry: TableEntry { rows: 0, parts: Vec::new() },
            persons: 0,
        }
    }

    /// Adds rows after those that are there, splitting them at the boundaries of parts.
    pub(super) fn append(&mut self, batch: &RecordBatch) -> Result<(), StoreFault> {
        self.check(batch)?;
        let Some(per_part) = self.persons_per_part else { return self.write(0, batch) };
        let numbers = numbers(batch, PERSON_NO).ok_or_else(|| self.fault("there are no person numbers"))?;
        let mut start = 0;
        while let Some(rest) = numbers.values().get(start..).filter(|rest| !rest.is_empty()) {
            let part = rest.first().copied().unwrap_or_default() / per_part;
            let rows = rest.partition_point(|person| person / per_part == part);
            self.write(part, &batch.slice(start, rows))?;
            start += rows;
        }
        let last = numbers.values().last().map_or(0, |p| p.saturating_add(1));
        self.persons = self.persons.max(last);
        Ok(())
    }

    /// Closes the table, with an empty part wherever no person of it has a row.
    pub(super) fn finish(mut self, persons: u32) -> Result<TableEntry, StoreFault> {
        let parts = self.persons_per_part.map_or(1, |per_part| persons.div_ceil(per_part).max(1));
        self.advance_to(parts - 1)?;
        self.close()?;
        Ok(self.entry)
    }

    /// INVARIANT: rows come in the order of persons, and engagements in the order of their own numbers.
    fn check(&self, batch: &RecordBatch) -> Result<(), StoreFault> {
        if batch.schema_ref().fields() != self.arrow.fields() {
            return Err(self.fault("the columns are not the table's"));
        }
        if self.persons_per_part.is_some() {
            let persons = numbers(batch, PERSON_NO).map(UInt32Array::values);
            let sorted = persons.is_some_and(|p| p.is_sorted());
            let first = persons.and_then(|p| p.first().copied());
            if !sorted || first.is_some_and(|f| f.saturating_add(1) < self.persons) {
                return Err(self.fault("the rows are not in the order of persons"));
            }
        }
        if self.name == layout::ENGAGEMENTS {
            let numbers = numbers(batch, ENGAGEMENT_NO).map(UInt32Array::values);
            let dense = |n: &[u32]| n.iter().zip(self.entry.rows..).all(|(n, at)| u64::from(*n) == at);
            if !numbers.is_some_and(|n| dense(n)) {
                return Err(self.fault("engagements are not numbered by their place"));
            }
        }
        Ok(())
    }

    fn write(&mut self, part: u32, batch: &RecordBatch) -> Result<(), StoreFault> {
        self.advance_to(part)?;
        let rows = u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        self.entry.rows = self.entry.rows.saturating_add(rows);
        let Some(open) = self.open.as_mut() else { return Ok(()) };
        open.rows = open.rows.saturating_add(rows);
        let written = open.writer.write(batch);
        let failed = Arc::clone(&open.failed);
        written.map_err(|_| self.encode_fault(&failed))
    }

    /// Makes part `part` the open one; those before it that are not there yet are written empty.
    fn advance_to(&mut self, part: u32) -> Result<(), StoreFault> {
        loop {
            let done = u32::try_from(self.entry.parts.len()).unwrap_or(u32::MAX);
            if self.open.is_some() && done >= part {
                return Ok(());
            }
            self.close()?;
            self.open_next()?;
        }
    }

    fn open_next(&mut self) -> Result<(), StoreFault> {
        let index = u32::try_from(self.entry.parts.len()).unwrap_or(u32::MAX);
        let file = format!("{}-{index:04}.parquet", self.name);
        let create = StoreFault::disk("create a part of the snapshot");
        let failed = Failed::default();
        let sink = Sink {
            file: self.disk.create(&self.dir.join(&file)).map_err(create)?,
            digest: ring::digest::Context::new(&ring::digest::SHA256),
            bytes: 0,
            failed: Arc::clone(&failed),
        };
        let properties = layout::parquet_properties(&self.arrow);
        let writer = ArrowWriter::try_new(sink, Arc::clone(&self.arrow), Some(properties))
            .map_err(|_| self.encode_fault(&failed))?;
        let first_person = self.persons_per_part.map_or(0, |per_part| index.saturating_mul(per_part));
        self.open = Some(OpenPart { file, first_person, rows: 0, writer, failed });
        Ok(())
    }

    fn close(&mut self) -> Result<(), StoreFault> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let OpenPart { file, first_person, rows, writer, failed } = open;
        let mut sink = writer.into_inner().map_err(|_| self.encode_fault(&failed))?;
        sink.file.sync().map_err(StoreFault::disk("make a part of the snapshot durable"))?;
        let sha256 = Hash::from_digest(&sink.digest.finish());
        self.entry.parts.push(Part { file, sha256, bytes: sink.bytes, first_person, rows });
        Ok(())
    }

    fn fault(&self, what: &'static str) -> StoreFault {
        StoreFault::layout(&self.name, what)
    }

    fn encode_fault(&self, failed: &Failed) -> StoreFault {
        match failed.lock().ok().and_then(|mut f| f.take()) {
            Some(cause) => StoreFault::disk("write a part of the snapshot")(cause),
            None => StoreFault::Encode { table: self.name.clone() },
        }
    }
}

fn numbers<'a>(batch: &'a RecordBatch, column: &str) -> Option<&'a UInt32Array> {
    let array = batch.column_by_name(column)?.as_any().downcast_ref::<UInt32Array>()?;
    (array.null_count() == 0).then_some(array)
}

impl Sink {
    fn kept<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|cause| {
            let kind = cause.kind();
            if let Ok(mut failed) = self.failed.lock() {
                *failed = Some(cause);
            }
            kind.into()
        })
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes);
        let n = self.kept(written)?;
        self.digest.update(bytes.get(..n).unwrap_or_default());
        self.bytes = self.bytes.saturating_add(u64::try_from(n).unwrap_or(u64::MAX));
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.file.flush();
        self.kept(flushed)
    }
}
