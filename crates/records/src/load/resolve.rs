//! After every row was read: references, person numbers, order, and the columns that the node makes.

use cairn_question::Day;

use super::Loading;
use super::derive::{self, Overruled};
use super::rows::{Held, TableRows, at};
use crate::mapping::{By, Fill, NULL, NodeRule, TablePlan, Value};
use crate::report::{Effect, Place, Rule};
use crate::snapshot::{has_engagement_no, order_column};

impl Loading<'_> {
    /// Rejects rows without their person or start, numbers persons, orders rows, and makes the derived columns.
    pub(super) fn resolve(&mut self) {
        let mapping = self.mapping;
        for (index, plan) in mapping.tables.iter().enumerate() {
            self.check_references(index, plan);
        }
        let numbers = self.person_numbers();
        for (index, plan) in mapping.tables.iter().enumerate() {
            self.put_in_order(index, plan, &numbers);
        }
        for (index, plan) in mapping.tables.iter().enumerate() {
            self.check_dates(index, plan);
            self.check_bounds(index, plan);
            self.derive(index, plan);
        }
        self.check_date_forms();
    }

    fn check_references(&mut self, index: usize, plan: &TablePlan) {
        let above = plan.table.parent.as_ref().and_then(|p| self.find(&p.table));
        let person_of = above.map(|a| (a, plan.parent.is_some()));
        let alive: Vec<Option<Rule>> = match (self.tables.get(index), person_of) {
            (Some(table), Some((above, false))) => self.persons_present(table, above),
            (Some(table), Some((above, true))) => self.parents_present(table, above),
            (Some(table), None) => vec![None; table.held()],
            (None, _) => Vec::new(),
        };
        for (row, rule) in (0..).zip(&alive) {
            if let Some(rule) = *rule {
                let column = plan.parent.as_ref().filter(|_| rule == Rule::NoParent).or(plan.person.as_ref());
                let column = column.map(|c| (c.column, c.from.clone()));
                self.note_row(index, rule, Effect::RowRejected, column, row);
            }
        }
        if let Some(table) = self.tables.get_mut(index) {
            table.alive = alive.iter().map(Option::is_none).collect();
        }
    }

    /// For each row, whether its person is among the rows of the table above.
    fn persons_present(&self, table: &TableRows, above: usize) -> Vec<Option<Rule>> {
        let mut present = vec![false; self.persons.len()];
        for person in self.tables.get(above).into_iter().flat_map(|t| &t.persons) {
            set(&mut present, *person, true);
        }
        let rule = |person: &u32| (!at(&present, *person).unwrap_or(false)).then_some(Rule::NoPerson);
        table.persons.iter().map(rule).collect()
    }

    /// For each row, whether its engagement is there and of the same person.
    fn parents_present(&self, table: &TableRows, above: usize) -> Vec<Option<Rule>> {
        let Some(above) = self.tables.get(above) else { return Vec::new() };
        let row_of = above.by_engagement(self.engagements.len());
        let rule = |(engagement, person): (&u32, &u32)| match at(&row_of, *engagement) {
            Some(row) if row != NO_ROW && above.is_alive(row) => {
                (at(&above.persons, row) != Some(*person)).then_some(Rule::OtherPerson)
            }
            _ => Some(Rule::NoParent),
        };
        table.engagements.iter().zip(&table.persons).map(rule).collect()
    }

    /// Ranks persons by the bytes of their ids, over all rows that stay.
    fn person_numbers(&self) -> Vec<u32> {
        let mut stays = vec![false; self.persons.len()];
        for table in &self.tables {
            for (row, person) in (0..).zip(&table.persons) {
                if table.is_alive(row) {
                    set(&mut stays, *person, true);
                }
            }
        }
        let mut persons: Vec<u32> = (0..).zip(&stays).filter(|(_, s)| **s).map(|(p, _)| p).collect();
        persons.sort_unstable_by(|a, b| self.persons.name(*a).cmp(self.persons.name(*b)));
        let mut numbers = vec![NO_ROW; stays.len()];
        for (number, person) in (0..).zip(persons) {
            set(&mut numbers, person, number);
        }
        numbers
    }

    fn put_in_order(&mut self, index: usize, plan: &TablePlan, numbers: &[u32]) {
        let above = plan.parent.as_ref().and(plan.table.parent.as_ref()).and_then(|p| self.find(&p.table));
        let parent_no: Vec<u32> = match (self.tables.get(index), above.and_then(|a| self.tables.get(a))) {
            (Some(table), Some(above)) => {
                let row_of = above.by_engagement(self.engagements.len());
                let number = |e: &u32| at(&row_of, *e).and_then(|row| at(&above.engagement_no, row));
                table.engagements.iter().map(|e| number(e).unwrap_or(NO_ROW)).collect()
            }
            _ => Vec::new(),
        };
        let day = order_column(plan.table).and_then(|c| plan.fills.iter().position(|f| f.column == c.name));
        let Some(table) = self.tables.get_mut(index) else { return };
        table.parent_no = parent_no;
        table.person_no = table.persons.iter().map(|p| at(numbers, *p).unwrap_or(NO_ROW)).collect();
        let mut order: Vec<u32> = table.rows().filter(|row| table.is_alive(*row)).collect();
        let days = day.and_then(|d| table.columns.get(d));
        // The last key is the row's place in the export: the same export always makes the same snapshot.
        order.sort_unstable_by_key(|row| {
            (at(&table.person_no, *row), days.map_or(NULL, |d| d.get(*row)), *row)
        });
        if has_engagement_no(plan.table) && plan.parent.is_none() {
            table.engagement_no = vec![NO_ROW; table.held()];
            for (number, row) in (0..).zip(&order) {
                set(&mut table.engagement_no, *row, number);
            }
        }
        table.order = order;
    }

    /// Reports impossible orders and days after the snapshot; the rows stay as they are.
    fn check_dates(&mut self, index: usize, plan: &TablePlan) {
        let as_of: Value = self.mapping.as_of.epoch_days().into();
        let mut found = Vec::new();
        for (place, fill) in plan.fills.iter().enumerate() {
            let is_read = matches!(fill.by, By::Cell { .. }) && super::take::is_date(plan, fill.column);
            let Some(table) = self.tables.get(index).filter(|_| is_read) else { continue };
            let Some(days) = table.columns.get(place) else { continue };
            let starts = self.start_of(index, plan, fill);
            for row in table.order.iter().copied() {
                let day = days.get(row);
                if day == NULL {
                    continue;
                }
                if day > as_of {
                    found.push((fill, Rule::AfterSnapshot, row));
                }
                if starts.as_ref().is_some_and(|s| !s.agrees(day, at(&s.days, row).unwrap_or(NULL))) {
                    found.push((fill, Rule::DateOrder, row));
                }
            }
        }
        for (fill, rule, row) in found {
            self.note_row(index, rule, Effect::Kept, Some((fill.column, from(fill))), row);
        }
    }

    /// For each row, the start that its other dates are held against.
    fn start_of(&self, index: usize, plan: &TablePlan, fill: &Fill) -> Option<Starts> {
        let table = self.tables.get(index)?;
        match (plan.table.name.as_str(), fill.column) {
            ("participants", "birth_month") => {
                let firsts = self.first_starts();
                let days = table.persons.iter().map(|p| at(&firsts, *p).unwrap_or(NULL)).collect();
                Some(Starts { days, side: Side::Before })
            }
            (_, "referral_date") => Some(Starts { days: table.days(plan, "start_date"), side: Side::Before }),
            (_, "end_date" | "action_plan_date") => {
                Some(Starts { days: table.days(plan, "start_date"), side: Side::After })
            }
            ("outcomes", "outcome_date") => {
                Some(Starts { days: self.parent_starts(index), side: Side::After })
            }
            _ => None,
        }
    }

    fn check_bounds(&mut self, index: usize, plan: &TablePlan) {
        let Some(most) = plan.table.rows_per_person_max else { return };
        let Some(table) = self.tables.get(index) else { return };
        let (mut person, mut rows, mut beyond) = (None, 0, Vec::new());
        for row in &table.order {
            let of = at(&table.person_no, *row);
            rows = if of == person { rows + 1 } else { 1 };
            person = of;
            if rows > most {
                beyond.push(*row);
            }
        }
        let column = plan.person.as_ref().map(|p| (p.column, p.from.clone()));
        for row in beyond {
            self.note_row(index, Rule::TooManyRows, Effect::Kept, column.clone(), row);
        }
    }

    fn derive(&mut self, index: usize, plan: &TablePlan) {
        for (place, fill) in plan.fills.iter().enumerate() {
            match fill.by {
                By::Node(rule) => self.derive_by(index, plan, place, fill, rule),
                By::Cell { .. } => self.follow_up(index, plan, place, fill),
                By::Constant(_) | By::Flag => {}
            }
        }
    }

    fn derive_by(&mut self, index: usize, plan: &TablePlan, place: usize, fill: &Fill, rule: NodeRule) {
        let as_of = self.mapping.as_of;
        let Some(table) = self.tables.get(index) else { return };
        let words: Vec<&str> = match rule {
            // Made while the row was read: the linkage columns are not kept.
            NodeRule::LinkQuality => return,
            NodeRule::AgeBand => {
                let firsts = self.first_starts();
                let births = table.days(plan, "birth_month");
                let band = |(birth, person): (&Value, &u32)| {
                    derive::age_band_at(day(*birth), at(&firsts, *person).and_then(day))
                };
                births.iter().zip(&table.persons).map(band).collect()
            }
            NodeRule::DisabledEqa => {
                let (condition, limits) =
                    (table.words(plan, "long_term_condition"), table.words(plan, "limits_activity"));
                table.rows().map(|row| derive::disabled_eqa(condition(row), limits(row))).collect()
            }
            NodeRule::JobDue12m => {
                let due = |s: &Value| day(*s).map_or("not_due", |s| derive::job_due_12m(s, as_of));
                table.days(plan, "start_date").iter().map(due).collect()
            }
            NodeRule::Within12m => {
                let outcomes = table.days(plan, "outcome_date");
                let within = |(s, o): (&Value, &Value)| match (day(*s), day(*o)) {
                    (Some(start), Some(outcome)) => derive::within_12m(start, outcome),
                    _ => cairn_question::schema::UNKNOWN,
                };
                self.parent_starts(index).iter().zip(&outcomes).map(within).collect()
            }
        };
        let values: Vec<Value> = words.into_iter().map(|w| position(fill, w)).collect();
        self.set_column(index, place, &values);
    }

    /// Corrects a follow-up by the dates.
    fn follow_up(&mut self, index: usize, plan: &TablePlan, place: usize, fill: &Fill) {
        use cairn_question::schema::Derived;
        let derived = plan.table.column(fill.column).and_then(|c| c.derived);
        let weeks = derive::weeks(fill.column).filter(|_| derived == Some(Derived::FollowUp));
        let (Some(weeks), Some(table)) = (weeks, self.tables.get(index)) else { return };
        let as_of = self.mapping.as_of;
        let outcomes = table.days(plan, "outcome_date");
        let (values, overruled) = {
            let feed = table.words(plan, fill.column);
            let settle = |row: u32| {
                let outcome = at(&outcomes, row).and_then(day)?;
                Some(derive::follow_up(feed(row), outcome, weeks, as_of))
            };
            let settled: Vec<_> = table.rows().map(settle).collect();
            let value = |s: &Option<(&str, Overruled)>| s.map_or(NULL, |(word, _)| position(fill, word));
            let overruled = |row: &u32| matches!(at(&settled, *row).flatten(), Some((_, Overruled::Yes)));
            let overruled: Vec<u32> = table.order.iter().copied().filter(overruled).collect();
            (settled.iter().map(value).collect::<Vec<Value>>(), overruled)
        };
        for row in overruled {
            self.note_row(index, Rule::FollowUpOverruled, Effect::Kept, Some((fill.column, from(fill))), row);
        }
        self.set_column(index, place, &values);
    }

    fn set_column(&mut self, index: usize, place: usize, values: &[Value]) {
        let held = self.tables.get_mut(index).and_then(|t| t.columns.get_mut(place));
        if let Some(held) = held {
            (0..).zip(values).for_each(|(row, value)| held.set(row, *value));
        }
    }

    /// Each person's first start, by the number of first sight.
    fn first_starts(&self) -> Vec<Value> {
        let mut firsts = vec![NULL; self.persons.len()];
        let Some(index) = self.find("engagements") else { return firsts };
        let (Some(table), Some(plan)) = (self.tables.get(index), self.mapping.tables.get(index)) else {
            return firsts;
        };
        let days = table.days(plan, "start_date");
        // In the order of persons and days: the first row of a person is the first start.
        for row in table.order.iter().rev() {
            if let (Some(person), Some(start)) = (at(&table.persons, *row), at(&days, *row)) {
                set(&mut firsts, person, start);
            }
        }
        firsts
    }

    /// For each row of a table below engagements, its engagement's start.
    fn parent_starts(&self, index: usize) -> Vec<Value> {
        let above = self.find("engagements");
        let above = above.and_then(|a| Some((self.tables.get(a)?, self.mapping.tables.get(a)?)));
        let (Some(table), Some((above, plan))) = (self.tables.get(index), above) else { return Vec::new() };
        let (row_of, days) = (above.by_engagement(self.engagements.len()), above.days(plan, "start_date"));
        let start = |e: &u32| at(&row_of, *e).and_then(|row| at(&days, row)).unwrap_or(NULL);
        table.engagements.iter().map(start).collect()
    }

    /// A whole column without a day above 12 may have day and month the wrong way round.
    fn check_date_forms(&mut self) {
        let mut found = Vec::new();
        for (index, table) in self.tables.iter().enumerate() {
            for (column, (seen, above_12, file)) in &table.dates_seen {
                if *seen >= DATES_TO_TELL && !above_12 {
                    found.push((index, *column, *file));
                }
            }
        }
        found.sort_unstable();
        for (index, column, file) in found {
            let fill = self.mapping.tables.get(index).and_then(|p| p.fills.get(column));
            let Some(fill) = fill else { continue };
            let place = Place {
                rule: Rule::DayMonthOrder,
                effect: Effect::Kept,
                file,
                table: Some(index),
                column: Some(fill.column),
            };
            self.problems.add(place, Some(&from(fill)), 2);
        }
    }

    fn note_row(
        &mut self,
        index: usize,
        rule: Rule,
        effect: Effect,
        column: Option<(&'static str, String)>,
        row: u32,
    ) {
        let place = self.tables.get(index).and_then(|t| at(&t.places, row));
        let Some(place) = place else { return };
        let (column, from) = column.unzip();
        let at = Place { rule, effect, file: place.file.into(), table: Some(index), column };
        self.problems.add(at, from.as_deref(), place.row.into());
    }

    fn find(&self, table: &str) -> Option<usize> {
        self.mapping.tables.iter().position(|t| t.table.name == table)
    }
}

impl TableRows {
    /// The row of each engagement, by the number of first sight.
    fn by_engagement(&self, engagements: usize) -> Vec<u32> {
        let mut rows = vec![NO_ROW; engagements];
        for (row, engagement) in (0..).zip(&self.engagements) {
            set(&mut rows, *engagement, row);
        }
        rows
    }

    /// A date column, row by row; all missing where it is not fed.
    fn days(&self, plan: &TablePlan, column: &str) -> Vec<Value> {
        let held = self.held_by(plan, column).map(|(_, held)| held);
        self.rows().map(|row| held.map_or(NULL, |h| h.get(row))).collect()
    }

    /// A coded column's words; `unknown` where there is none.
    fn words<'a>(&'a self, plan: &'a TablePlan, column: &str) -> impl Fn(u32) -> &'a str {
        let found = self.held_by(plan, column);
        move |row| {
            let word = found.and_then(|(fill, held)| {
                fill.words.get(usize::try_from(held.get(row)).ok()?).map(String::as_str)
            });
            word.unwrap_or(cairn_question::schema::UNKNOWN)
        }
    }

    fn held_by<'a>(&'a self, plan: &'a TablePlan, column: &str) -> Option<(&'a Fill, &'a Held)> {
        let place = plan.fills.iter().position(|f| f.column == column)?;
        Some((plan.fills.get(place)?, self.columns.get(place)?))
    }
}

/// Starts, and on which side of them a date must lie.
struct Starts {
    days: Vec<Value>,
    side: Side,
}

#[derive(Clone, Copy)]
enum Side {
    Before,
    After,
}

impl Starts {
    fn agrees(&self, day: Value, start: Value) -> bool {
        start == NULL
            || match self.side {
                Side::Before => day <= start,
                Side::After => day >= start,
            }
    }
}

fn from(fill: &Fill) -> String {
    match &fill.by {
        By::Cell { from, .. } => from.clone(),
        _ => String::new(),
    }
}

fn position(fill: &Fill, word: &str) -> Value {
    let place = fill.words.iter().position(|w| w == word);
    place.and_then(|p| Value::try_from(p).ok()).unwrap_or(NULL)
}

fn day(value: Value) -> Option<Day> {
    Day::from_epoch_days(i32::try_from(value).ok()?)
}

fn set<T: Copy>(values: &mut [T], place: u32, value: T) {
    let place = usize::try_from(place).unwrap_or(usize::MAX);
    values.get_mut(place).into_iter().for_each(|v| *v = value);
}

/// Stands for no row and no number.
const NO_ROW: u32 = u32::MAX;

/// Fewer dates than this tell nothing: of columns of 15 dates, 1 in a million has no day above 12 by chance.
const DATES_TO_TELL: u64 = 15;
