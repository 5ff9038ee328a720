//! Taking one row of the export into one table.

use std::collections::BTreeMap;
use std::io::Read as StdRead;

use cairn_question::form::nearest;
use cairn_question::schema::{Key, Kind};
use csv::StringRecord;

use super::Loading;
use super::cells::{self, Cell};
use super::rows::RowPlace;
use super::source::{Rows, SourceFault};
use crate::mapping::{
    By, Fill, NULL, NodeRule, ObjectionPlan, Read, Split, SplitBlank, TablePlan, TextCell, Value, When,
};
use crate::report::{Effect, Place, Problem, Rule};

/// Where one file has the columns that one table reads.
pub(super) struct Header {
    /// The table's place in the mapping.
    pub(super) table: usize,
    places: BTreeMap<String, usize>,
}

impl Header {
    /// The headers of all tables that the file feeds, or every column that is missing or stands twice.
    pub(super) fn find_all<'p>(
        file: &str,
        header: &[String],
        plans: impl Iterator<Item = (usize, &'p TablePlan)>,
        objection: Option<&ObjectionPlan>,
    ) -> Result<Vec<Self>, Vec<Problem>> {
        let (mut headers, mut problems) = (Vec::new(), BTreeMap::new());
        for (table, plan) in plans {
            let mut places = BTreeMap::new();
            let objects = objection.filter(|o| o.source == plan.source).map(|o| o.from.as_str());
            for name in plan.columns_read().into_keys().chain(objects) {
                match find(file, header, name) {
                    Ok(place) => drop(places.insert(name.to_owned(), place)),
                    Err(problem) => drop(problems.insert(name.to_owned(), *problem)),
                }
            }
            headers.push(Self { table, places });
        }
        if problems.is_empty() { Ok(headers) } else { Err(problems.into_values().collect()) }
    }

    fn cell<'c>(&self, cells: &'c StringRecord, column: &str) -> &'c str {
        self.places.get(column).and_then(|place| cells.get(*place)).unwrap_or_default().trim()
    }

    fn is_meant(&self, cells: &StringRecord, when: Option<&When>) -> bool {
        when.is_none_or(|when| {
            let cell = self.cell(cells, &when.column);
            when.is.iter().any(|word| word == cell)
        })
    }

    fn text(&self, cells: &StringRecord, plan: &TextCell) -> Result<String, Rule> {
        let TextCell { from, prefix, suffix, .. } = plan;
        cells::key(self.cell(cells, from)).map(|key| format!("{prefix}{key}{suffix}"))
    }
}

fn find(file: &str, header: &[String], name: &str) -> Result<usize, Box<Problem>> {
    let mut found = header.iter().enumerate().filter(|(_, h)| *h == name).map(|(place, _)| place);
    let problem = |code, says: String, help: String| {
        let mut problem = Problem::refusal(code, file, says, help);
        problem.column = Some(name.to_owned());
        Box::new(problem)
    };
    match (found.next(), found.next()) {
        (Some(place), None) => Ok(place),
        (Some(_), Some(_)) => Err(problem(
            "CL206",
            "the header names the column twice".to_owned(),
            "rename one of the two in the export".to_owned(),
        )),
        (None, _) => {
            let near = nearest(name, header.iter().cloned());
            let help = near.map_or_else(
                || "check the delimiter and the column's name in the mapping".to_owned(),
                |n| format!("did you mean `{n}`?"),
            );
            Err(problem("CL205", "the header has no such column".to_owned(), help))
        }
    }
}

impl Loading<'_> {
    /// Notes who objects, or says nothing, in one file. Both are left out.
    pub(super) fn read_objections(
        &mut self,
        plan: &ObjectionPlan,
        file: usize,
        rows: &mut Rows<Box<dyn StdRead>>,
    ) -> Result<(), SourceFault> {
        let names = [Some(&plan.from), Some(&plan.person.from), plan.when.as_ref().map(|w| &w.column)];
        let header = rows.header.clone();
        let place = |name: &String| Some((name.clone(), header.iter().position(|h| h == name)?));
        // A column that is not there is reported by the pass that reads everything.
        let places = names.into_iter().flatten().filter_map(place).collect();
        let width = header.len();
        let header = Header { table: 0, places };
        while let Some((row, cells)) = rows.next()? {
            // A row of the wrong width is rejected whole, by the pass that reads everything.
            let is_meant = cells.len() == width && header.is_meant(cells, plan.when.as_ref());
            let (true, Ok(person)) = (is_meant, header.text(cells, &plan.person)) else { continue };
            let cell = header.cell(cells, &plan.from);
            let objects = plan.codes.get(cell).copied();
            if objects.is_none() && !cell.is_empty() {
                let effect = Effect::PersonLeftOut;
                let place = Place { rule: Rule::ObjectionUnread, effect, file, table: None, column: None };
                self.problems.add(place, Some(&plan.from), row);
            }
            if objects.unwrap_or(true) {
                self.objected.insert(person.into());
            }
        }
        Ok(())
    }

    /// Takes a row into the table of `header`, or reports why not.
    pub(super) fn take(&mut self, header: &Header, file: usize, row: u64, cells: &StringRecord) {
        let mapping = self.mapping;
        let Some(plan) = mapping.tables.get(header.table) else { return };
        if !header.is_meant(cells, plan.when.as_ref()) {
            return;
        }
        let mut taking = Taking { header, cells, file, row, rejected: false, spoiled: None };
        let person = plan.person.as_ref().map(|p| (p, header.text(cells, p)));
        if let Some((_, Ok(id))) = &person
            && (self.objected.contains(id.as_str()) || self.left_out.as_ref().is_some_and(|l| l.holds(id)))
        {
            return;
        }
        if let Some(table) = self.tables.get_mut(header.table) {
            table.read += 1;
        }
        let person = person.map(|(p, id)| self.key(&mut taking, p, id));
        let parent = plan.parent.as_ref().map(|p| self.key(&mut taking, p, header.text(cells, p)));
        let own = plan.own.as_ref().map(|p| self.key(&mut taking, p, header.text(cells, p)));
        let mut values: Vec<Value> = plan.fills.iter().map(|f| self.fill(&mut taking, plan, f)).collect();
        for split in &plan.splits {
            self.split(&taking, plan, split, &mut values);
        }
        self.check_key(&mut taking, plan, person.as_deref(), own.as_deref(), &values);
        if !taking.rejected {
            let engagement = if plan.parent.is_some() { &parent } else { &own };
            self.keep(&taking, plan, person.as_deref(), engagement.as_deref(), &values);
        }
    }

    fn keep(
        &mut self,
        taking: &Taking<'_>,
        plan: &TablePlan,
        person: Option<&str>,
        engagement: Option<&str>,
        values: &[Value],
    ) {
        let person = person.map(|id| self.persons.number(id));
        let in_engagements = crate::snapshot::has_engagement_no(plan.table);
        let engagement = engagement.filter(|_| in_engagements).map(|id| self.engagements.number(id));
        let Some(table) = self.tables.get_mut(taking.header.table) else { return };
        if table.held() >= ROWS_MAX {
            return self.too_many_rows(plan);
        }
        table.persons.extend(person);
        table.engagements.extend(engagement);
        table.places.push(RowPlace {
            file: u16::try_from(taking.file).unwrap_or(u16::MAX),
            row: u32::try_from(taking.row).unwrap_or(u32::MAX),
        });
        for (held, value) in table.columns.iter_mut().zip(values) {
            held.push(*value);
        }
        let by = plan.linkage.as_ref().and_then(|linkage| linkage.by.as_ref());
        if let (Some(by), Some(linking)) = (by, self.linking.as_mut()) {
            linking.take(by, |column| taking.header.cell(taking.cells, column));
        }
    }

    fn too_many_rows(&mut self, plan: &TablePlan) {
        if !self.refusals.iter().any(|p| p.code == "CL208") {
            let says = format!("more than {ROWS_MAX} rows for {}", plan.table.name);
            let help = "load fewer years, or ask for a larger bound";
            self.refusals.push(Problem::refusal("CL208", "the export", says, help));
        }
    }

    /// A key's text; where there is none, the row is rejected.
    fn key(&mut self, taking: &mut Taking<'_>, plan: &TextCell, id: Result<String, Rule>) -> String {
        id.unwrap_or_else(|rule| {
            if taking.spoiled.as_ref() != Some(&plan.from) {
                self.reject(taking, rule, plan.column, Some(&plan.from));
                taking.spoiled = Some(plan.from.clone());
            }
            String::new()
        })
    }

    fn check_key(
        &mut self,
        taking: &mut Taking<'_>,
        plan: &TablePlan,
        person: Option<&str>,
        own: Option<&str>,
        values: &[Value],
    ) {
        if taking.rejected {
            return;
        }
        let is_primary = |name: &str| plan.table.column(name).is_some_and(|c| c.key == Some(Key::Primary));
        let person_is_key = plan.person.as_ref().is_some_and(|p| is_primary(p.column));
        let key = match (own, person.filter(|_| person_is_key)) {
            (Some(own), _) => own.to_owned(),
            (None, Some(person)) => person.to_owned(),
            (None, None) => {
                let of_key = plan.fills.iter().zip(values).filter(|(f, _)| is_primary(f.column));
                of_key.map(|(_, v)| format!("{v}/")).collect()
            }
        };
        let text = plan.own.as_ref().or(plan.person.as_ref().filter(|_| person_is_key));
        let table = self.tables.get_mut(taking.header.table);
        if !key.is_empty() && table.is_some_and(|t| !t.keys.insert(key.into())) {
            let column = text.map_or("", |t| t.column);
            self.reject(taking, Rule::Duplicate, column, text.map(|t| t.from.as_str()));
        }
    }

    fn fill(&mut self, taking: &mut Taking<'_>, plan: &TablePlan, fill: &Fill) -> Value {
        match &fill.by {
            By::Constant(_) | By::Flag => NULL,
            By::Node(NodeRule::LinkQuality) => self.link_quality(taking, plan, fill),
            By::Node(_) => NULL,
            By::Cell { from, read, blank } => {
                let cell = taking.header.cell(taking.cells, from);
                if cell.is_empty() {
                    return self.blank(taking, fill, from, *blank);
                }
                if let Read::LocalCode = read {
                    return self.local_code(taking, plan, fill, from, cell);
                }
                let found = cells::value(cell, read, &self.lookups);
                if let (Read::Day(form), Cell::Day(_, day)) = (read, &found)
                    && form.can_be_mistaken
                {
                    self.see_date(taking, plan, fill, *day);
                }
                self.settle(taking, fill, from, found)
            }
        }
    }

    fn blank(&mut self, taking: &mut Taking<'_>, fill: &Fill, from: &str, blank: Option<Value>) -> Value {
        match blank.or(fill.missing) {
            Some(value) => value,
            None => {
                self.reject(taking, Rule::Blank, fill.column, Some(from));
                NULL
            }
        }
    }

    fn settle(&mut self, taking: &mut Taking<'_>, fill: &Fill, from: &str, found: Cell) -> Value {
        match found {
            Cell::Is(value) | Cell::Day(value, _) => value,
            Cell::Clamped(value) => {
                self.note(taking, Rule::OutOfBounds, Effect::Kept, fill.column, Some(from));
                value
            }
            Cell::Unread(rule) => match fill.missing {
                Some(missing) => {
                    self.note(taking, rule, Effect::CellUnknown, fill.column, Some(from));
                    missing
                }
                None => {
                    self.reject(taking, rule, fill.column, Some(from));
                    NULL
                }
            },
        }
    }

    /// A code of a list that the partner keeps itself: as it stands, up to 120 different ones.
    fn local_code(
        &mut self,
        taking: &mut Taking<'_>,
        plan: &TablePlan,
        fill: &Fill,
        from: &str,
        cell: &str,
    ) -> Value {
        let column = plan.fills.iter().position(|f| f.column == fill.column).unwrap_or(usize::MAX);
        let word = match cells::key(cell) {
            Ok(word) => word,
            Err(rule) => return self.settle(taking, fill, from, Cell::Unread(rule)),
        };
        let Some(table) = self.tables.get_mut(taking.header.table) else { return NULL };
        let words = table.local_words.entry(column).or_default();
        let place = words.iter().position(|w| w == word).or_else(|| {
            (words.len() < LOCAL_CODES_MAX).then(|| {
                words.push(word.to_owned());
                words.len() - 1
            })
        });
        match place.and_then(|p| Value::try_from(p).ok()) {
            Some(place) => place,
            None => self.settle(taking, fill, from, Cell::Unread(Rule::TooManyCodes)),
        }
    }

    /// Which linkage key could be formed. The key itself goes into the sealed file only, once the row is kept.
    fn link_quality(&mut self, taking: &Taking<'_>, plan: &TablePlan, fill: &Fill) -> Value {
        let word = |word: &str| {
            let place = fill.words.iter().position(|w| w == word);
            place.and_then(|p| Value::try_from(p).ok()).unwrap_or(NULL)
        };
        let Some(linkage) = &plan.linkage else { return word("none") };
        let cell = |column: &String| taking.header.cell(taking.cells, column);
        if let Some(column) = &linkage.nino {
            let nino = cell(column);
            if cells::is_nino(nino) {
                return word("nino");
            }
            if !nino.is_empty() {
                self.note(taking, Rule::NotANino, Effect::Kept, fill.column, Some(column));
            }
        }
        let whole = |c: &String| !cell(c).is_empty() && !cells::is_sheet_error(cell(c));
        let composite = !linkage.composite.is_empty() && linkage.composite.iter().all(whole);
        word(if composite { "composite" } else { "none" })
    }

    fn split(&mut self, taking: &Taking<'_>, plan: &TablePlan, split: &Split, values: &mut [Value]) {
        let cell = taking.header.cell(taking.cells, &split.from);
        let words = cell.split(split.separator.as_str()).map(str::trim).filter(|w| !w.is_empty());
        let (mut named, mut unread) = (Vec::new(), false);
        for word in words {
            match split.codes.get(word) {
                Some(flag) => named.extend(*flag),
                None => unread = true,
            }
        }
        if unread {
            self.note(taking, Rule::NotInCodes, Effect::CellUnknown, split.column, Some(&split.from));
        }
        let unknown = unread || (cell.is_empty() && split.blank == SplitBlank::Unknown);
        for (flag, index) in split.flags.iter().enumerate() {
            let word = match () {
                () if named.contains(&flag) => "yes",
                () if unknown => "unknown",
                () => "no",
            };
            let words = plan.fills.get(*index).map(|f| f.words.as_slice()).unwrap_or_default();
            let place = words.iter().position(|w| w == word).and_then(|p| Value::try_from(p).ok());
            values.get_mut(*index).into_iter().for_each(|v| *v = place.unwrap_or(NULL));
        }
    }

    fn see_date(&mut self, taking: &Taking<'_>, plan: &TablePlan, fill: &Fill, day: u32) {
        let column = plan.fills.iter().position(|f| f.column == fill.column).unwrap_or(usize::MAX);
        let Some(table) = self.tables.get_mut(taking.header.table) else { return };
        let seen = table.dates_seen.entry(column).or_insert((0, false, taking.file));
        seen.0 += 1;
        // A month without its day counts as day 1 everywhere and can tell nothing.
        seen.1 |= day > 12;
    }

    fn reject(&mut self, taking: &mut Taking<'_>, rule: Rule, column: &'static str, from: Option<&str>) {
        taking.rejected = true;
        self.note(taking, rule, Effect::RowRejected, column, from);
    }

    fn note(
        &mut self,
        taking: &Taking<'_>,
        rule: Rule,
        effect: Effect,
        column: &'static str,
        from: Option<&str>,
    ) {
        let table = Some(taking.header.table);
        let place = Place { rule, effect, file: taking.file, table, column: Some(column) };
        self.problems.add(place, from, taking.row);
    }
}

/// One row on its way into one table.
struct Taking<'r> {
    header: &'r Header,
    cells: &'r StringRecord,
    file: usize,
    row: u64,
    rejected: bool,
    /// The export's column that spoiled a key: several keys may be made of it, and it is reported once.
    spoiled: Option<String>,
}

/// Whether a column holds days.
pub(super) fn is_date(plan: &TablePlan, column: &str) -> bool {
    plan.table.column(column).is_some_and(|c| c.kind == Kind::Date)
}

/// Most rows of one table: a hundred times Scotland's starts since 2019.
const ROWS_MAX: usize = 50_000_000;

/// Most codes of a local list: they fit a snapshot's Int8 keys.
const LOCAL_CODES_MAX: usize = 120;
