//! Linkage keys on their way from the export into the snapshot's sealed file.

use cairn_question::Day;

use super::cells;
use super::rows::at;
use crate::linkage::{Identity, LinkageKey, Method};
use crate::mapping::{LinkedBy, Mapping};
use crate::snapshot::Linkage;

/// The keys of the rows of participants, in blocks that never move: what grows in one piece leaves unwiped copies behind.
pub(super) struct Linking {
    method: Method,
    blocks: Vec<Linkage>,
    rows: u32,
}

impl Linking {
    /// `None` where the mapping names nothing to link by.
    pub(super) fn of(mapping: &Mapping) -> Option<Self> {
        let by = mapping.tables.iter().find_map(|plan| plan.linkage.as_ref()?.by.as_ref())?;
        let method = match by {
            LinkedBy::Number { prefixes, .. } => Method::Nino(*prefixes),
            LinkedBy::Name { .. } => Method::Slk,
        };
        Some(Self { method, blocks: Vec::new(), rows: 0 })
    }

    /// Takes the next row, whose cells `cell` finds by the export's names of columns.
    pub(super) fn take<'c>(&mut self, by: &LinkedBy, cell: impl Fn(&str) -> &'c str) {
        let key = self.key(by, cell);
        let place = self.rows % BLOCK_ROWS;
        if place == 0 {
            self.blocks.push(Linkage::nobody(self.method, BLOCK_ROWS));
        }
        if let (Some(key), Some(block)) = (key, self.blocks.last_mut()) {
            block.set(place, &key);
        }
        self.rows = self.rows.saturating_add(1);
    }

    fn key<'c>(&self, by: &LinkedBy, cell: impl Fn(&str) -> &'c str) -> Option<LinkageKey> {
        // A spreadsheet's error is no name: `#REF!` has letters.
        let cell =
            |column: &str| Some(cell(column)).filter(|c| !cells::is_sheet_error(c)).unwrap_or_default();
        let nobody = Identity { nino: "", family_name: "", first_name: "", born: None };
        let of = match by {
            LinkedBy::Number { from, .. } => Identity { nino: cell(from), ..nobody },
            LinkedBy::Name { family, first, born, form } => {
                let born: Option<Day> = form.read(cell(born)).ok().map(|(day, _)| day);
                Identity { family_name: cell(family), first_name: cell(first), born, ..nobody }
            }
        };
        self.method.key(&of).ok()
    }

    /// The keys of the rows that stay, by the numbers of their persons.
    pub(super) fn by_person(self, rows: &[u32], person_no: &[u32], persons: u32) -> Linkage {
        let mut linkage = Linkage::nobody(self.method, persons);
        for row in rows {
            let block = self.blocks.get(usize::try_from(row / BLOCK_ROWS).unwrap_or(usize::MAX));
            if let (Some(person), Some(block)) = (at(person_no, *row), block) {
                linkage.take_over(person, block, row % BLOCK_ROWS);
            }
        }
        linkage
    }
}

/// Rows of one block: 56 KiB of keys.
const BLOCK_ROWS: u32 = 4_096;
