//! Checked rows into Arrow batches, in the order of the snapshot.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Int8Array, Int64Array, RecordBatch, StringArray, UInt32Array,
};
use cairn_question::schema::Kind;

use super::rows::{Held, Ids, TableRows, at};
use crate::mapping::{AS_OF, Fill, Mapping, NULL, TablePlan, Value};
use crate::snapshot::{ENGAGEMENT_NO, PERSON_NO, StoreFault, Writer, arrow_schema, code_array};

/// Writes one table's rows, some at a time.
pub(super) fn write(
    writer: &mut Writer,
    mapping: &Mapping,
    plan: &TablePlan,
    rows: &TableRows,
    persons: &Ids,
) -> Result<(), StoreFault> {
    let name = plan.table.name.as_str();
    writer.table(name)?;
    let batch = Batch { mapping, plan, rows, persons };
    for order in rows.order.chunks(BATCH_ROWS) {
        let batch = batch.of(order).ok_or_else(|| StoreFault::layout(name, "a column has no values"))?;
        writer.append(name, &batch)?;
    }
    Ok(())
}

struct Batch<'a> {
    mapping: &'a Mapping,
    plan: &'a TablePlan,
    rows: &'a TableRows,
    persons: &'a Ids,
}

impl Batch<'_> {
    fn of(&self, order: &[u32]) -> Option<RecordBatch> {
        let schema = arrow_schema(self.plan.table);
        let columns = schema.fields().iter().map(|field| self.column(field.name(), order));
        RecordBatch::try_new(Arc::clone(&schema), columns.collect::<Option<_>>()?).ok()
    }

    fn column(&self, name: &str, order: &[u32]) -> Option<ArrayRef> {
        let numbers = |values: &[u32]| -> Option<ArrayRef> {
            let numbers = order.iter().map(|row| at(values, *row)).collect::<Option<Vec<_>>>()?;
            Some(Arc::new(UInt32Array::from(numbers)))
        };
        match name {
            PERSON_NO => numbers(&self.rows.person_no),
            ENGAGEMENT_NO if self.plan.parent.is_some() => numbers(&self.rows.parent_no),
            ENGAGEMENT_NO => numbers(&self.rows.engagement_no),
            _ if self.plan.table.person_key.as_deref() == Some(name) => {
                let id = |row: &u32| at(&self.rows.persons, *row).map(|p| self.persons.name(p));
                Some(Arc::new(order.iter().map(id).collect::<StringArray>()))
            }
            _ => {
                let place = self.plan.fills.iter().position(|f| f.column == name)?;
                self.values(place, self.plan.fills.get(place)?, self.rows.columns.get(place)?, order)
            }
        }
    }

    fn values(&self, place: usize, fill: &Fill, held: &Held, order: &[u32]) -> Option<ArrayRef> {
        let values = order.iter().map(|row| Some(held.get(*row)).filter(|v| *v != NULL));
        let small = |v: Option<Value>| v.and_then(|v| i8::try_from(v).ok());
        Some(match self.plan.table.column(fill.column)?.kind {
            Kind::Code => code_array(&self.words(place, fill), values.map(small)).ok()?,
            Kind::NumberCode => Arc::new(values.map(small).collect::<Int8Array>()),
            Kind::YesNo => Arc::new(values.map(|v| v.map(|v| v == 1)).collect::<BooleanArray>()),
            Kind::Date => Arc::new(values.map(|v| v.and_then(|v| self.day(v))).collect::<Date32Array>()),
            Kind::Whole { .. } => Arc::new(values.collect::<Int64Array>()),
            Kind::Text | Kind::Sealed => return None,
        })
    }

    fn day(&self, value: Value) -> Option<i32> {
        if value == AS_OF { Some(self.mapping.as_of.epoch_days()) } else { i32::try_from(value).ok() }
    }

    /// The dictionary of a coded column: its list's, or the partner's own words, or the partner.
    fn words(&self, place: usize, fill: &Fill) -> Vec<String> {
        let local = self.rows.local_words.get(&place);
        match local {
            Some(words) => words.clone(),
            None if fill.words.is_empty() => vec![self.mapping.partner.as_str().to_owned()],
            None => fill.words.clone(),
        }
    }
}

/// Rows of one batch: a few MiB of columns.
const BATCH_ROWS: usize = 65_536;
