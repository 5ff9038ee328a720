//! Adds rows up, person by person, over the full grid: no hash table, one look at each row.
//!
//! Rows come in the order of persons, so that everything that concerns one person (each cell once, at most so many rows,
//! at most so many cells) is settled when the next person's first row comes.

use std::sync::Arc;

use arrow::array::{Array, Int64Array};
use cairn_question::{Measure, Schema, sabotage};
use cairn_release::{Bounds, Channel, CountPlan, Layout};

use self::chosen::{Chosen, Rank};
use crate::fault::EngineFault;
use crate::place;

mod chosen;

/// What is to be added up.
#[derive(Clone)]
pub(crate) struct TallyOf {
    layout: Layout,
    /// Least and most that a row's value adds, where a column is added up.
    clamp: Option<(u32, u32)>,
    bounds: Bounds,
    /// Which cells of a person count, where that is bounded.
    chosen: Option<Chosen>,
    /// The record key of each person, by number, where keys are added up.
    keys: Option<Arc<[u8]>>,
}

/// The counts so far.
pub(crate) struct Tally {
    of: TallyOf,
    cells: Vec<Cell>,
    /// The sum of each cell, where a column is added up.
    sums: Vec<u64>,
    /// The sum of the record keys of each cell, where keys are added up.
    keys: Vec<u64>,
    left_out: Vec<u64>,
    first: Option<u32>,
    last: Option<u32>,
    /// Where nothing concerns a person but the bound on cells: then each row is counted at once, and taken back where a person has
    /// too many cells. Few do, and the others cost hardly more than without a bound.
    capped: Option<Capped>,
    one: One,
}

/// Who was counted where, each cell of a person once, of those that may be in too many.
#[derive(Default)]
struct Capped {
    counted: Vec<(u32, u32)>,
    ranks: Vec<Rank>,
}

#[derive(Clone, Copy)]
struct Cell {
    people: u64,
    rows: u64,
    /// The last person that was counted here.
    seen: u32,
}

/// What is known of the person whose rows are coming.
#[derive(Default)]
struct One {
    rows_kept: u32,
    /// Has a row in some cell that passes every filter.
    passes: bool,
    /// Filters, one bit each, that alone keep some row of theirs out of a cell.
    alone: u32,
    /// What they have in each cell, where the number of cells is bounded.
    cells: Vec<Own>,
    ranks: Vec<Rank>,
}

/// Whose cells are settled: the last person's rows may go on.
enum Settle {
    All,
    AllButTheLast,
}

/// What one person has in one cell.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Own {
    cell: u32,
    rows: u64,
    sum: u64,
}

impl TallyOf {
    /// `keys`: the record key of each person of the snapshot, by number, where the plan adds keys up.
    pub(crate) fn new(plan: &CountPlan, keys: Option<Arc<[u8]>>) -> Self {
        let mut bounds = plan.bounds.clone();
        if plan.measure != Measure::People && one_row_a_person(&plan.dataset) {
            // The privacy cost takes the dictionary's word that a person has one row here; the count is held to it.
            bounds.rows_per_person = bounds.rows_per_person.or(Some(1));
        }
        let clamp = plan.summed.as_ref().map(|summed| (summed.least, summed.most));
        let bounds = sabotage!(bounds, NoGroupCap => Bounds { groups_per_person: None, ..bounds });
        Self::bounded(Layout::of(plan), clamp, bounds, keys)
    }

    fn bounded(layout: Layout, clamp: Option<(u32, u32)>, bounds: Bounds, keys: Option<Arc<[u8]>>) -> Self {
        let chosen = Chosen::new(&bounds, layout.cells());
        Self { layout, clamp, bounds, chosen, keys }
    }

    #[cfg(test)]
    pub(crate) fn of_people(cells: usize, bounds: Bounds) -> Self {
        Self::bounded(Layout::new(cells, &[Channel::People], 0), None, bounds, None)
    }

    /// How many numbers a finished tally has.
    pub(crate) fn numbers(&self) -> usize {
        self.layout.numbers()
    }

    pub(crate) const fn cells(&self) -> usize {
        self.layout.cells()
    }

    /// Nothing concerns a person but that each cell counts them once.
    fn is_plain(&self) -> bool {
        self.counts_cells_only() && self.chosen.is_none()
    }

    /// Nothing concerns a person but in which cells they are.
    fn counts_cells_only(&self) -> bool {
        let people_only = self.layout == Layout::new(self.cells(), &[Channel::People], 0);
        people_only && self.bounds.rows_per_person.is_none()
    }

    /// A person's record key; only people whose keys are all known are counted with them.
    fn key(&self, person: u32) -> u64 {
        self.keys.as_ref().and_then(|keys| keys.get(index(person))).copied().map_or(0, u64::from)
    }

    /// What a row adds to the sum of its cell: its own value, clamped. `None` where it has none: then it is not counted either.
    fn adds(&self, values: Option<&Int64Array>, at: usize) -> Option<u64> {
        let (Some(values), Some((least, most))) = (values, self.clamp) else { return Some(0) };
        let value = values.values().get(at).filter(|_| values.is_valid(at))?;
        let clamped = (*value).min(most.into()).max(least.into());
        // Whole numbers from 0 on, so it fits.
        u64::try_from(sabotage!(clamped, NoClamp => *value)).ok()
    }
}

impl Tally {
    pub(crate) fn new(of: TallyOf) -> Self {
        let cells = vec![Cell { people: 0, rows: 0, seen: NOBODY }; of.cells()];
        let sums = if of.layout.has(Channel::Sums) { vec![0; of.cells()] } else { Vec::new() };
        let keys = if of.layout.has(Channel::Keys) { vec![0; of.cells()] } else { Vec::new() };
        let left_out = vec![0; of.layout.filters()];
        let capped = of.chosen.as_ref().filter(|_| of.counts_cells_only()).map(|_| Capped::default());
        Self { of, cells, sums, keys, left_out, first: None, last: None, capped, one: One::default() }
    }

    /// Adds rows of persons, with the values of the column that is added up, if one is. A person's rows must stand together,
    /// and persons must rise.
    ///
    /// # Errors
    /// [`EngineFault::PersonOrder`] where they do not, [`EngineFault::Plan`] where values are missing or not wanted.
    pub(crate) fn add(
        &mut self,
        persons: &[u32],
        places: &[u32],
        values: Option<&Int64Array>,
    ) -> Result<(), EngineFault> {
        let rising = persons.is_sorted() && self.last <= persons.first().copied().or(self.last);
        if !rising || persons.last() == Some(&NOBODY) || persons.len() != places.len() {
            return Err(EngineFault::PersonOrder);
        }
        if values.map(Array::len) != self.of.clamp.map(|_| persons.len()) {
            return Err(EngineFault::Plan);
        }
        if self.of.is_plain() {
            self.add_plain(persons, places);
        } else if self.capped.is_some() {
            self.add_capped(persons, places);
            self.settle(Settle::AllButTheLast);
        } else {
            for (at, (person, place)) in persons.iter().zip(places).enumerate() {
                self.add_row(*person, *place, self.of.adds(values, at));
            }
        }
        self.first = self.first.or(persons.first().copied());
        self.last = persons.last().copied().or(self.last);
        Ok(())
    }

    /// Adds rows of a table without persons: each row stands for itself.
    pub(crate) fn add_unowned(&mut self, places: &[u32]) {
        self.capped = None;
        for place in places {
            self.one = One::default();
            self.take_row(NOBODY, *place, Some(0));
            self.close_person();
        }
    }

    /// The numbers so far, and the first and last person that they are of. The tally is then spent.
    pub(crate) fn finish(&mut self) -> (Vec<u64>, Option<(u32, u32)>) {
        self.close_person();
        let of = |channel| match channel {
            Channel::People => self.cells.iter().map(|c| c.people).collect(),
            Channel::Rows => self.cells.iter().map(|c| c.rows).collect(),
            Channel::Sums => self.sums.clone(),
            Channel::Keys => self.keys.clone(),
        };
        (self.of.layout.join(of, &self.left_out), self.first.zip(self.last))
    }

    /// Bytes held.
    pub(crate) const fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.cells.capacity() * size_of::<Cell>()
            + (self.sums.capacity() + self.keys.capacity() + self.left_out.capacity()) * size_of::<u64>()
            + self.one.cells.capacity() * size_of::<Own>()
            + self.one.ranks.capacity() * size_of::<Rank>()
            + match &self.capped {
                Some(capped) => capped.counted.capacity() * size_of::<(u32, u32)>(),
                None => 0,
            }
    }

    /// A place is a cell of the grid just when every axis has a code and no filter fails, so one look-up decides both.
    fn add_plain(&mut self, persons: &[u32], places: &[u32]) {
        for (person, place) in persons.iter().zip(places) {
            let at = usize::try_from(*place).unwrap_or(usize::MAX);
            if let Some(cell) = self.cells.get_mut(at) {
                cell.people += u64::from(cell.seen != *person);
                cell.seen = *person;
            }
        }
    }

    /// Counts each row as without a bound, and writes down who was counted where: without a branch, since who is new is not to be foreseen.
    fn add_capped(&mut self, persons: &[u32], places: &[u32]) {
        let Some(Capped { counted, .. }) = &mut self.capped else { return };
        let mut end = counted.len();
        counted.resize(end + persons.len(), (NOBODY, 0));
        for (person, place) in persons.iter().zip(places) {
            if let Some(cell) = self.cells.get_mut(index(*place))
                && let Some(next) = counted.get_mut(end)
            {
                let new = cell.seen != *person;
                cell.people += u64::from(new);
                cell.seen = *person;
                *next = (*person, *place);
                end += usize::from(new);
            }
        }
        counted.truncate(end);
    }

    /// Takes each person out of the cells that they have too many. The last person's rows may not be all there yet.
    fn settle(&mut self, settle: Settle) {
        let (Some(Capped { counted, ranks }), Some(chosen)) = (&mut self.capped, &self.of.chosen) else {
            return;
        };
        let open = match settle {
            Settle::All => counted.len(),
            Settle::AllButTheLast => {
                counted.partition_point(|(person, _)| Some(*person) < counted.last().map(|l| l.0))
            }
        };
        let (list, most) = (counted.get(..open).unwrap_or_default(), chosen.most());
        let mut at = 0;
        while let Some((person, _)) = list.get(at) {
            let has = |place: usize| list.get(place).is_some_and(|(other, _)| other == person);
            // Written in the order of persons: who is in too many cells stands so many places on as well.
            if !has(at.saturating_add(most)) {
                at += 1;
                continue;
            }
            let mut next = at + most + 1;
            while has(next) {
                next += 1;
            }
            let own = list.get(at..next).unwrap_or_default();
            let end = chosen.rank(own.iter().map(|(_, cell)| *cell), ranks);
            for (rank, cell) in ranks.iter() {
                if let Some(counted) = self.cells.get_mut(index(*cell)) {
                    counted.people -= u64::from((*rank, *cell) >= end);
                }
            }
            at = next;
        }
        counted.drain(..open);
    }

    fn add_row(&mut self, person: u32, place: u32, adds: Option<u64>) {
        if self.last != Some(person) {
            self.close_person();
            self.first = self.first.or(Some(person));
            self.last = Some(person);
        }
        self.take_row(person, place, adds);
    }

    /// Filters first, then the bound on rows, then cells: a row outside the grid still uses up the person's rows, so that a
    /// cell's count does not depend on which other cells were asked for. So does a row without a value, so that a sum is of the
    /// very rows that the same question counts.
    fn take_row(&mut self, person: u32, place: u32, adds: Option<u64>) {
        let cell = place::cell(place);
        match place::failed(place) {
            None => {}
            Some(0) => {
                self.one.passes |= cell.is_some();
                let most = self.of.bounds.rows_per_person.unwrap_or(u32::MAX);
                if self.one.rows_kept < most {
                    self.one.rows_kept += 1;
                    self.keep_row(person, cell, adds);
                }
            }
            Some(failed) if failed.is_power_of_two() && cell.is_some() => self.one.alone |= failed,
            Some(_) => {}
        }
    }

    fn keep_row(&mut self, person: u32, cell: Option<u32>, adds: Option<u64>) {
        let (Some(at), Some(adds)) = (cell, adds) else { return };
        if self.of.chosen.is_some() {
            self.one.cells.push(Own { cell: at, rows: 1, sum: adds });
        } else {
            let seen = self.cells.get(index(at)).map_or(NOBODY, |cell| cell.seen);
            let people = u64::from(seen != person || person == NOBODY);
            self.count(person, people, Own { cell: at, rows: 1, sum: adds });
        }
    }

    fn count(&mut self, person: u32, people: u64, own: Own) {
        if let Some(cell) = self.cells.get_mut(index(own.cell)) {
            cell.people += people;
            cell.rows += own.rows;
            cell.seen = person;
        }
        if let Some(keys) = self.keys.get_mut(index(own.cell)) {
            *keys = keys.saturating_add(people * self.of.key(person));
        }
        if let Some(sum) = self.sums.get_mut(index(own.cell)) {
            // A policy that could come near the end does not load; at the end, one person more still moves it no further.
            *sum = sum.saturating_add(own.sum);
        }
    }

    /// Counts the person whose rows are all there in the cells that were chosen.
    fn count_chosen(&mut self) {
        let Some(chosen) = &self.of.chosen else { return };
        let (mut cells, mut ranks) =
            (std::mem::take(&mut self.one.cells), std::mem::take(&mut self.one.ranks));
        merge_by_cell(&mut cells);
        let end = chosen.rank(cells.iter().map(|own| own.cell), &mut ranks);
        for (own, _) in cells.iter().zip(&ranks).filter(|(_, rank)| **rank < end) {
            self.count(NOBODY, 1, *own);
        }
        cells.clear();
        (self.one.cells, self.one.ranks) = (cells, ranks);
    }

    fn close_person(&mut self) {
        if self.capped.is_some() {
            self.settle(Settle::All);
            return;
        }
        if !self.one.passes {
            for (filter, left_out) in self.left_out.iter_mut().enumerate() {
                *left_out += u64::from(self.one.alone & (1 << filter) != 0);
            }
        }
        self.count_chosen();
        self.one.rows_kept = 0;
        self.one.passes = false;
        self.one.alone = 0;
    }
}

fn one_row_a_person(dataset: &str) -> bool {
    Schema::smf().table(dataset).is_some_and(|t| t.person_key.is_some() && t.rows_per_person_max.is_none())
}

/// Merges a person's rows by cell; cells rise.
fn merge_by_cell(cells: &mut Vec<Own>) {
    cells.sort_unstable();
    cells.dedup_by(|later, kept| {
        let same = later.cell == kept.cell;
        if same {
            kept.rows += later.rows;
            kept.sum = kept.sum.saturating_add(later.sum);
        }
        same
    });
}

fn index(cell: u32) -> usize {
    usize::try_from(cell).unwrap_or(usize::MAX)
}

/// The number that no person has: a snapshot numbers persons from 0, and holds fewer than this.
const NOBODY: u32 = u32::MAX;

#[cfg(test)]
mod tests;
