//! Erasing people: the snapshot in force is written again without their rows, and every other edition's files are removed.

use std::collections::HashSet;
use std::fs::{self, File};
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, UInt32Array};
use arrow::compute::filter_record_batch;
use arrow::datatypes::UInt32Type;
use cairn_question::{Moment, Schema};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::fault::StoreFault;
use super::layout::{ENGAGEMENT_NO, ENGAGEMENTS, PERSON_NO};
use super::manifest::{Head, Manifest};
use super::store::{SNAPSHOTS, Snapshot, Store};

/// What an erasure came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Erased {
    /// How many of the named people had rows.
    pub people: usize,
    /// The edition in force afterwards; `None` where there is no snapshot.
    pub edition: Option<u32>,
}

/// Whom an erasure takes out, by number, ascending; and their engagements.
struct Gone {
    persons: Vec<u32>,
    engagements: Vec<u32>,
}

impl Store {
    /// Writes the snapshot in force again without the rows of these people, puts that edition in force, and removes every other edition's files.
    /// Where none of them has a row, the snapshot stays, and the other editions go all the same.
    ///
    /// A person is found by the id that the snapshot keeps. Nobody may read the store meanwhile: a running count would lose its files.
    ///
    /// # Errors
    /// As [`Store::current`] and [`super::Writer`]; the last good snapshot then stays in force.
    pub fn erase(&self, ids: &HashSet<&str>, now: Moment) -> Result<Erased, StoreFault> {
        let Some(snapshot) = self.current()? else { return Ok(Erased { people: 0, edition: None }) };
        let gone = Gone::find(&snapshot, ids)?;
        let people = gone.persons.len();
        let kept = if people == 0 { snapshot } else { self.write_without(&snapshot, &gone, now)? };
        let edition = kept.manifest().edition;
        self.remove_all_but(edition)?;
        Ok(Erased { people, edition: Some(edition) })
    }

    fn write_without(&self, snapshot: &Snapshot, gone: &Gone, now: Moment) -> Result<Snapshot, StoreFault> {
        let manifest = snapshot.manifest();
        let per_part = NonZeroU32::new(manifest.persons_per_part).unwrap_or(NonZeroU32::MIN);
        let mut writer = self.writer(head(manifest, now))?.persons_per_part(per_part);
        for table in manifest.tables.keys() {
            writer.table(table)?;
            for part in snapshot.parts(table) {
                each_batch(table, &part, |batch| match gone.leave_out(table, &batch)? {
                    rest if rest.num_rows() == 0 => Some(Ok(())),
                    rest => Some(writer.append(table, &rest)),
                })?;
            }
        }
        if let Some(linkage) = snapshot.linkage_if_open()? {
            writer.link(linkage.without(&gone.persons));
        }
        writer.commit()
    }

    /// The lock keeps a load from staging meanwhile.
    fn remove_all_but(&self, edition: u32) -> Result<(), StoreFault> {
        let doing = StoreFault::disk("remove the files of an earlier edition");
        let _lock = self.lock()?;
        let folder = self.dir.join(SNAPSHOTS);
        for entry in fs::read_dir(&folder).map_err(&doing)? {
            let entry = entry.map_err(&doing)?;
            if entry.path() != self.snapshot_dir(edition) {
                fs::remove_dir_all(entry.path()).map_err(&doing)?;
            }
        }
        self.remove_staged().map_err(&doing)?;
        self.disk.sync_dir(&folder).map_err(&doing)
    }
}

impl Gone {
    fn find(snapshot: &Snapshot, ids: &HashSet<&str>) -> Result<Self, StoreFault> {
        let (mut persons, mut engagements) = (Vec::new(), Vec::new());
        for table in snapshot.manifest().tables.keys() {
            let Some(key) = id_column(table) else { continue };
            for part in snapshot.parts(table) {
                each_batch(table, &part, |batch| {
                    let names = batch.column_by_name(key)?.as_string_opt::<i32>()?;
                    let hit = |(name, number): (Option<&str>, &u32)| {
                        name.is_some_and(|n| ids.contains(n)).then_some(*number)
                    };
                    persons.extend(names.iter().zip(numbers(&batch, PERSON_NO)?.values()).filter_map(hit));
                    Some(Ok(()))
                })?;
            }
        }
        persons.sort_unstable();
        persons.dedup();
        for part in snapshot.parts(ENGAGEMENTS) {
            each_batch(ENGAGEMENTS, &part, |batch| {
                let pairs =
                    numbers(&batch, PERSON_NO)?.values().iter().zip(numbers(&batch, ENGAGEMENT_NO)?.values());
                let gone = pairs.filter(|(person, _)| persons.binary_search(person).is_ok());
                engagements.extend(gone.map(|(_, engagement)| *engagement));
                Some(Ok(()))
            })?;
        }
        Ok(Self { persons, engagements })
    }

    /// The rows of everybody else, with the numbers that they have without those who are gone.
    fn leave_out(&self, table: &str, batch: &RecordBatch) -> Option<RecordBatch> {
        if Schema::smf().table(table)?.person_key.is_none() {
            return Some(batch.clone());
        }
        let stays = |person: &u32| Some(self.persons.binary_search(person).is_err());
        let stays: BooleanArray = numbers(batch, PERSON_NO)?.values().iter().map(stays).collect();
        let rest = filter_record_batch(batch, &stays).ok()?;
        let columns = rest.schema_ref().fields().iter().zip(rest.columns());
        let columns = columns.map(|(field, column)| match field.name().as_str() {
            PERSON_NO => closed_up(column, &self.persons),
            ENGAGEMENT_NO => closed_up(column, &self.engagements),
            _ => Some(Arc::clone(column)),
        });
        RecordBatch::try_new(rest.schema(), columns.collect::<Option<_>>()?).ok()
    }
}

/// Each number less by how many of those before it are gone, so that they stay dense.
fn closed_up(column: &ArrayRef, gone: &[u32]) -> Option<ArrayRef> {
    let less = |number: &u32| {
        let before = gone.partition_point(|g| g < number);
        u32::try_from(before).ok().and_then(|before| number.checked_sub(before))
    };
    let numbers = column.as_primitive_opt::<UInt32Type>()?.values().iter().map(less);
    Some(Arc::new(UInt32Array::from(numbers.collect::<Option<Vec<_>>>()?)))
}

fn numbers<'a>(batch: &'a RecordBatch, column: &str) -> Option<&'a UInt32Array> {
    batch.column_by_name(column)?.as_primitive_opt::<UInt32Type>().filter(|n| n.null_count() == 0)
}

/// The column in which a table keeps its persons' ids, where it does.
fn id_column(table: &str) -> Option<&'static str> {
    let table = Schema::smf().table(table)?;
    let column = table.column(table.person_key.as_deref()?)?;
    super::is_stored(table, column).then_some(column.name.as_str())
}

/// Hands every batch of a part over; `None` from `each` is a column that is not what the layout says.
fn each_batch(
    table: &str,
    part: &Path,
    mut each: impl FnMut(RecordBatch) -> Option<Result<(), StoreFault>>,
) -> Result<(), StoreFault> {
    let file = File::open(part).map_err(StoreFault::disk("read a part of the snapshot"))?;
    let other = || StoreFault::layout(table, "a part is not of the snapshot's layout");
    // The reader's own words may quote a record, so they are not kept.
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|_| other())?;
    for batch in reader.with_batch_size(BATCH_ROWS).build().map_err(|_| other())? {
        each(batch.map_err(|_| other())?).ok_or_else(other)??;
    }
    Ok(())
}

fn head(manifest: &Manifest, now: Moment) -> Head {
    let Manifest { partner, as_of, templates, notes, sources, objections, .. } = manifest.clone();
    Head { partner, as_of, templates, notes, loaded_at: now, sources, objections }
}

/// Rows that are held in memory at a time: a few MiB of columns.
const BATCH_ROWS: usize = 65_536;
