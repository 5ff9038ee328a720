//! Rows as they are held while loading: a few bytes a cell, by column.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::mapping::{By, NULL, TablePlan, Value};

/// Ids, each with a small number in the order of first sight.
#[derive(Default)]
pub(super) struct Ids {
    numbers: HashMap<Rc<str>, u32>,
    names: Vec<Rc<str>>,
}

impl Ids {
    pub(super) fn number(&mut self, id: &str) -> u32 {
        if let Some(number) = self.numbers.get(id) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        let id: Rc<str> = id.into();
        self.names.push(Rc::clone(&id));
        self.numbers.insert(id, number);
        number
    }

    pub(super) const fn len(&self) -> usize {
        self.names.len()
    }

    pub(super) fn name(&self, number: u32) -> &str {
        self.names.get(usize::try_from(number).unwrap_or(usize::MAX)).map_or("", |n| n)
    }
}

/// One table's rows.
pub(super) struct TableRows {
    /// Rows meant for the table, those of people who object left out.
    pub(super) read: u64,
    /// Each row's person; empty for tables without persons.
    pub(super) persons: Vec<u32>,
    /// Each row's engagement: its own in `engagements`, the one above in `activities` and `outcomes`; else empty.
    pub(super) engagements: Vec<u32>,
    /// Where each row came from.
    pub(super) places: Vec<RowPlace>,
    /// One for each fill of the plan.
    pub(super) columns: Vec<Held>,
    pub(super) keys: HashSet<Box<str>>,
    /// Which rows stay; set when references are resolved.
    pub(super) alive: Vec<bool>,
    /// The rows that stay, in the order of the snapshot.
    pub(super) order: Vec<u32>,
    /// Each engagement's place in that order, by row; for `engagements` only.
    pub(super) engagement_no: Vec<u32>,
    /// Each row's number in the snapshot of its engagement, by row; for `activities` and `outcomes`.
    pub(super) parent_no: Vec<u32>,
    /// Each row's number in the snapshot of its person, by row.
    pub(super) person_no: Vec<u32>,
    /// Words of local codes, by column.
    pub(super) local_words: HashMap<usize, Vec<String>>,
    /// For each date column that could be mistaken: dates read, and whether a day above 12 was among them.
    pub(super) dates_seen: HashMap<usize, (u64, bool, usize)>,
}

/// A file's place in the mapping and a row's number in it.
#[derive(Clone, Copy)]
pub(super) struct RowPlace {
    pub(super) file: u16,
    pub(super) row: u32,
}

/// The values of a column. [`NULL`] is kept as the least of each type.
pub(super) enum Held {
    /// The same in every row.
    Same(Value),
    /// Codes, small numbers, yes and no.
    Small(Vec<i8>),
    /// Days.
    Day(Vec<i32>),
    /// Whole numbers.
    Long(Vec<i64>),
}

impl Held {
    pub(super) fn push(&mut self, value: Value) {
        match self {
            Self::Same(_) => {}
            Self::Small(v) => v.push(i8::try_from(value).unwrap_or(i8::MIN)),
            Self::Day(v) => v.push(i32::try_from(value).unwrap_or(i32::MIN)),
            Self::Long(v) => v.push(value),
        }
    }

    pub(super) fn get(&self, row: u32) -> Value {
        match self {
            Self::Same(value) => *value,
            Self::Small(v) => at(v, row).map_or(NULL, |v| if v == i8::MIN { NULL } else { v.into() }),
            Self::Day(v) => at(v, row).map_or(NULL, |v| if v == i32::MIN { NULL } else { v.into() }),
            Self::Long(v) => at(v, row).unwrap_or(NULL),
        }
    }

    pub(super) fn set(&mut self, row: u32, value: Value) {
        let row = usize::try_from(row).unwrap_or(usize::MAX);
        match self {
            Self::Same(_) => {}
            Self::Small(v) => {
                v.get_mut(row).into_iter().for_each(|v| *v = i8::try_from(value).unwrap_or(i8::MIN))
            }
            Self::Day(v) => {
                v.get_mut(row).into_iter().for_each(|v| *v = i32::try_from(value).unwrap_or(i32::MIN))
            }
            Self::Long(v) => v.get_mut(row).into_iter().for_each(|v| *v = value),
        }
    }
}

impl TableRows {
    pub(super) fn new(plan: &TablePlan) -> Self {
        use cairn_question::schema::Kind;
        let kind = |name: &str| plan.table.column(name).map(|c| c.kind);
        let held = plan.fills.iter().map(|fill| match (&fill.by, kind(fill.column)) {
            (By::Constant(value), _) => Held::Same(*value),
            (_, Some(Kind::Date)) => Held::Day(Vec::new()),
            (_, Some(Kind::Whole { .. })) => Held::Long(Vec::new()),
            _ => Held::Small(Vec::new()),
        });
        Self {
            read: 0,
            persons: Vec::new(),
            engagements: Vec::new(),
            places: Vec::new(),
            columns: held.collect(),
            keys: HashSet::new(),
            alive: Vec::new(),
            order: Vec::new(),
            engagement_no: Vec::new(),
            parent_no: Vec::new(),
            person_no: Vec::new(),
            local_words: HashMap::new(),
            dates_seen: HashMap::new(),
        }
    }

    /// Rows that are held, before references are resolved.
    pub(super) const fn held(&self) -> usize {
        self.places.len()
    }

    /// Rows that stay.
    pub(super) fn kept(&self) -> u64 {
        u64::try_from(self.order.len()).unwrap_or(u64::MAX)
    }

    /// The numbers of all rows held.
    pub(super) fn rows(&self) -> impl Iterator<Item = u32> + use<> {
        0..u32::try_from(self.held()).unwrap_or(u32::MAX)
    }

    pub(super) fn is_alive(&self, row: u32) -> bool {
        at(&self.alive, row).unwrap_or(false)
    }
}

/// The value at a row's place.
pub(super) fn at<T: Clone>(values: &[T], row: u32) -> Option<T> {
    values.get(usize::try_from(row).unwrap_or(usize::MAX)).cloned()
}
