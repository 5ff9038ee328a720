//! Lookup files: one value for another, such as a data zone's SIMD fifth.

use std::collections::HashMap;

use crate::mapping::Lookup;
use crate::report::Problem;

use super::OpenFile;
use super::source::Rows;

/// The lookup files of a mapping, read whole.
#[derive(Default)]
pub(super) struct Lookups(Vec<HashMap<Box<str>, i64>>);

impl Lookups {
    pub(super) fn read(lookups: &[Lookup], open: &OpenFile<'_>) -> Result<Self, Vec<Problem>> {
        let (mut read, mut problems) = (Vec::new(), Vec::new());
        for lookup in lookups {
            match read_one(lookup, open) {
                Some(map) => read.push(map),
                None => problems.push(Problem::refusal(
                    "CL210",
                    &lookup.file,
                    format!(
                        "not a UTF-8 CSV file with a key `{}` and a whole number `{}`",
                        lookup.key, lookup.value
                    ),
                    "check the file beside the export, and its column names in the mapping",
                )),
            }
        }
        if problems.is_empty() { Ok(Self(read)) } else { Err(problems) }
    }

    pub(super) fn find(&self, lookup: usize, key: &str) -> Option<i64> {
        self.0.get(lookup)?.get(key).copied()
    }
}

fn read_one(lookup: &Lookup, open: &OpenFile<'_>) -> Option<HashMap<Box<str>, i64>> {
    let mut rows = Rows::open(open(&lookup.file).ok()?, encoding_rs::UTF_8, b',').ok()?;
    let key = rows.header.iter().position(|h| *h == lookup.key)?;
    let value = rows.header.iter().position(|h| *h == lookup.value)?;
    let mut map = HashMap::new();
    while let Some((_, cells)) = rows.next().ok()? {
        map.insert(cells.get(key)?.trim().into(), cells.get(value)?.trim().parse().ok()?);
        if map.len() > LOOKUP_ROWS_MAX {
            return None;
        }
    }
    Some(map)
}

/// Most rows of a lookup: Scotland has 6,976 data zones and some 230,000 postcodes.
const LOOKUP_ROWS_MAX: usize = 500_000;
