//! Which columns a snapshot holds, in which Arrow types.

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int8Array, StringArray};
use arrow::datatypes::{DataType, Field, Int8Type, Schema as ArrowSchema, SchemaRef};
use arrow::error::ArrowError;
use cairn_question::Schema;
use cairn_question::schema::{CODE_GRAIN, Column, Kind, Table};
use parquet::basic::{Compression, Encoding};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

/// The first column of every table that belongs to persons: the rank of the person's id over the whole snapshot.
pub const PERSON_NO: &str = "person_no";

/// The number of an engagement: its place in the order of `engagements`.
pub const ENGAGEMENT_NO: &str = "engagement_no";

/// Whether a snapshot holds the column. Linkage material never; of text only the person's own id, which an objection or
/// an erasure needs: no question can read text, so anything more would be kept for nothing.
#[must_use]
pub fn is_stored(table: &Table, column: &Column) -> bool {
    match column.kind {
        Kind::Sealed => false,
        Kind::Text => table.parent.is_none() && table.person_key.as_deref() == Some(column.name.as_str()),
        _ => true,
    }
}

/// The Arrow schema of a table's parts: the numbers first, then the stored columns in document order.
#[must_use]
pub fn arrow_schema(table: &Table) -> SchemaRef {
    let number = |name: &str| Field::new(name, DataType::UInt32, false);
    let mut fields = Vec::new();
    if table.person_key.is_some() {
        fields.push(number(PERSON_NO));
    }
    if has_engagement_no(table) {
        fields.push(number(ENGAGEMENT_NO));
    }
    let stored = table.columns.iter().filter(|c| is_stored(table, c));
    fields.extend(stored.map(|c| Field::new(&c.name, arrow_type(c.kind), c.nullable)));
    Arc::new(ArrowSchema::new(fields))
}

/// The column by which the rows of one person are ordered: the first date that every row has.
#[must_use]
pub fn order_column(table: &Table) -> Option<&Column> {
    table.columns.iter().find(|c| c.kind == Kind::Date && !c.nullable)
}

/// The dictionary of a coded column, in the order of its list. Empty for lists kept elsewhere (partners).
#[must_use]
pub fn code_values(schema: &Schema, column: &Column) -> Vec<String> {
    let list = column.codes.as_deref().and_then(|id| schema.code_list(id));
    list.and_then(|l| l.codes_at(CODE_GRAIN)).unwrap_or_default()
}

/// A coded column from positions in `values`; `None` is NULL.
///
/// # Errors
/// Arrow's, when a position lies outside `values`.
pub fn code_array(
    values: &[String],
    keys: impl IntoIterator<Item = Option<i8>>,
) -> Result<ArrayRef, ArrowError> {
    let dictionary = Arc::new(StringArray::from_iter_values(values));
    let array = DictionaryArray::<Int8Type>::try_new(Int8Array::from_iter(keys), dictionary)?;
    Ok(Arc::new(array))
}

pub(crate) fn has_engagement_no(table: &Table) -> bool {
    table.name == ENGAGEMENTS || table.parent.as_ref().is_some_and(|p| p.table == ENGAGEMENTS)
}

pub(crate) const ENGAGEMENTS: &str = "engagements";

const fn arrow_kind_is_plain(data_type: &DataType) -> bool {
    matches!(data_type, DataType::UInt32 | DataType::Date32)
}

fn arrow_type(kind: Kind) -> DataType {
    match kind {
        Kind::Code => DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8)),
        Kind::NumberCode => DataType::Int8,
        Kind::YesNo => DataType::Boolean,
        Kind::Date => DataType::Date32,
        Kind::Whole { .. } => DataType::Int64,
        Kind::Text | Kind::Sealed => DataType::Utf8,
    }
}

/// How a part is encoded. Numbers and days are plain and uncompressed: four bytes a row that a scan copies and does not
/// decode, on a disk that has room for them. Codes are dictionary pages of a few bits a row.
pub(crate) fn parquet_properties(schema: &ArrowSchema) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        // Whole-chunk bounds are enough to leave a row group out; page bounds cost a page index for each column.
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_offset_index_disabled(true)
        .set_created_by("cairn".to_owned());
    for field in schema.fields() {
        if arrow_kind_is_plain(field.data_type()) {
            let path = || ColumnPath::from(field.name().as_str());
            properties = properties
                .set_column_dictionary_enabled(path(), false)
                .set_column_encoding(path(), Encoding::PLAIN)
                .set_column_compression(path(), Compression::UNCOMPRESSED);
        }
    }
    properties.build()
}

/// Most rows of one row group: a part of the default size is one group of each table but `activities`.
const ROW_GROUP_ROWS: usize = 1 << 20;
