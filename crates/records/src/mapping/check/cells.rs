//! The cells of one table: how each stored column gets its values.

use std::collections::{BTreeMap, HashMap};

use cairn_question::form::nearest;
use cairn_question::schema::{Column, Derived, Kind, Table, UNKNOWN};

use super::super::document::CellDoc;
use super::super::{AS_OF, By, DateForm, Fill, NULL, NodeRule, Read, Split, SplitBlank, Value};
use super::{Check, Names, did_you_mean, short};
use crate::snapshot::{code_values, is_stored};

type Cells = BTreeMap<String, (usize, CellDoc)>;

impl Check<'_> {
    /// A fill for each stored column but the person's id, and the cells that are split into flags.
    pub(super) fn fills(
        &mut self,
        table: &'static Table,
        mut cells: Cells,
        names: &Names,
        at: usize,
        linked: bool,
    ) -> (Vec<Fill>, Vec<Split>) {
        let has_birth = cells.contains_key("birth_month");
        let stored = table.columns.iter().filter(|c| is_stored(table, c) && c.kind != Kind::Text);
        let mut fills = Vec::new();
        for column in stored {
            let doc = cells.remove(&column.name);
            let node = column.derived.and_then(|d| node_rule(d, doc.is_some(), has_birth));
            let by = match (doc, node) {
                (Some((at, _)), Some(_)) => {
                    self.made_by_node(column, at);
                    None
                }
                (Some((at, _)), None) if is_constant(column) => {
                    self.made_by_node(column, at);
                    None
                }
                (None, Some(NodeRule::LinkQuality)) if !linked => self.code(column, "none").map(By::Constant),
                (None, Some(rule)) => Some(By::Node(rule)),
                (None, None) => Some(self.unmapped(table, column, at)),
                (Some((at, doc)), None) => self.cell(table, column, at, doc, names),
            };
            let by = by.unwrap_or(By::Constant(NULL));
            let missing = column.nullable.then(|| self.missing(column));
            fills.push(Fill { column: &column.name, words: code_values(self.schema, column), by, missing });
        }
        let splits = self.splits(table, &mut cells, &mut fills);
        for (name, (at, _)) in cells {
            let says = format!("`{name}` is never stored: no question can read it");
            self.add(
                "CL113",
                at,
                says,
                "leave it out; linkage columns go under `linkage`, data zones under `lookup`",
            );
        }
        (fills, splits)
    }

    fn made_by_node(&mut self, column: &Column, at: usize) {
        let says = format!("`{}` is made by the node and never taken from an export", column.name);
        self.add("CL112", at, says, "leave it out");
    }

    /// What a column holds that no cell of the mapping speaks of.
    fn unmapped(&mut self, table: &Table, column: &'static Column, at: usize) -> By {
        match (column.name.as_str(), column.codes.as_deref()) {
            // The partner, the vintage and the snapshot day are the mapping's own; who objects is not in the snapshot.
            (_, Some("partner")) | ("statistics_objection", _) => By::Constant(0),
            (_, Some("template")) => {
                By::Constant(self.template.and_then(|t| self.code(column, &t.id)).unwrap_or(NULL))
            }
            ("as_of", _) => By::Constant(AS_OF),
            _ if column.nullable => By::Constant(self.missing(column)),
            _ => {
                self.required(table, &column.name, at);
                By::Constant(NULL)
            }
        }
    }

    fn cell(
        &mut self,
        table: &Table,
        column: &'static Column,
        at: usize,
        doc: CellDoc,
        names: &Names,
    ) -> Option<By> {
        let path = format!("{}.{}", table.name, column.name);
        if self.template.is_some_and(|t| t.lacks.contains(&path)) {
            let says = format!("this template did not collect `{path}`");
            self.add("CL114", at, says, "leave it out, or correct `template`");
        }
        let CellDoc { from, value, codes, blank, date, prefix, suffix, lookup, split } = doc;
        if prefix.is_some() || suffix.is_some() || split.is_some() || from.is_some() == value.is_some() {
            let says = format!(
                "column `{}` takes either `from` or `value`, and neither `prefix` nor `split`",
                column.name
            );
            self.add("CL108", at, says, "docs/reference/mapping.md shows each form");
            return None;
        }
        if let Some(word) = value {
            return self.constant(column, at, &word).map(By::Constant);
        }
        let read = match lookup {
            Some(lookup) => self.lookup(column, at, &lookup, names),
            None => self.read(column, at, codes, date),
        }?;
        let blank = match blank {
            Some(word) => Some(self.constant(column, at, &word)?),
            None => self.code(column, "blank"),
        };
        Some(By::Cell { from: from?, read, blank })
    }

    fn read(
        &mut self,
        column: &'static Column,
        at: usize,
        codes: Option<BTreeMap<String, String>>,
        date: Option<String>,
    ) -> Option<Read> {
        match column.kind {
            Kind::Date => self.date(column, at, codes.is_some(), date.as_deref()),
            _ if date.is_some() => self.not_for(column, at, "date"),
            Kind::Whole { .. } if codes.is_some() => self.not_for(column, at, "codes"),
            Kind::Whole { least, most } => Some(Read::Whole { least, most }),
            _ if column.derived == Some(Derived::SimdQuintile) => {
                self.not_for(column, at, "its own value; use `lookup`")
            }
            _ => self.codes(column, at, codes),
        }
    }

    fn not_for<T>(&mut self, column: &Column, at: usize, what: &str) -> Option<T> {
        let says = format!("column `{}` does not take {what}", column.name);
        self.add("CL108", at, says, "docs/reference/mapping.md shows each form");
        None
    }

    fn date(&mut self, column: &Column, at: usize, has_codes: bool, form: Option<&str>) -> Option<Read> {
        if has_codes {
            return self.not_for(column, at, "`codes`");
        }
        let month_only = MONTH_COLUMNS.contains(&column.name.as_str());
        let form = form.and_then(|f| DateForm::new(f, month_only));
        if form.is_none() {
            let says = format!("column `{}` needs its date form, with a four-digit year", column.name);
            self.add("CL111", at, says, "such as date = \"%d/%m/%Y\" or \"%Y-%m-%d\"");
        }
        form.map(Read::Day)
    }

    fn codes(
        &mut self,
        column: &'static Column,
        at: usize,
        codes: Option<BTreeMap<String, String>>,
    ) -> Option<Read> {
        let list = column.codes.as_deref().and_then(|id| self.schema.code_list(id));
        if list.is_some_and(|l| l.open.is_some()) {
            return if codes.is_some() { self.not_for(column, at, "`codes`") } else { Some(Read::LocalCode) };
        }
        let mut read = HashMap::new();
        let Some(codes) = codes else {
            for word in self.own_words(column) {
                let code = self.code(column, &word);
                read.extend(code.map(|c| (word, c)));
            }
            return Some(Read::Codes(read));
        };
        for (word, code) in codes {
            let code = self.constant(column, at, &code)?;
            read.insert(word.trim().to_owned(), code);
        }
        Some(Read::Codes(read))
    }

    /// The words that an export may use without any `codes`: the list's own, replaced ones, and the vintage's.
    fn own_words(&self, column: &Column) -> Vec<String> {
        let mut words = code_values(self.schema, column);
        if column.kind == Kind::YesNo {
            words.extend(["yes".to_owned(), "no".to_owned()]);
        }
        let list = column.codes.as_deref().and_then(|id| self.schema.code_list(id));
        words.extend(list.into_iter().flat_map(|l| l.aliases.keys().cloned()));
        words.extend(self.vintage(column).into_iter().flat_map(|codes| codes.keys().cloned()));
        words
    }

    fn vintage(&self, column: &Column) -> Option<&'static BTreeMap<String, String>> {
        let maps = &self.template?.maps;
        let of = |m: &&cairn_question::schema::TemplateMap| {
            m.column.split_once('.').is_some_and(|(_, name)| name == column.name)
        };
        maps.iter().find(of).map(|m| &m.codes)
    }

    /// The value of a code of the mapping; notes a problem where there is none.
    fn constant(&mut self, column: &Column, at: usize, word: &str) -> Option<Value> {
        let value = match column.kind {
            Kind::Date => word.parse::<cairn_question::Day>().ok().map(|d| d.epoch_days().into()),
            Kind::Whole { least, most } => word.parse().ok().filter(|n: &Value| (least..=most).contains(n)),
            _ => self.code(column, word),
        };
        if value.is_none() {
            let words = self.own_words(column);
            let near = nearest(word, words.iter().cloned());
            let help = near.map_or_else(
                || format!("`cairn schema show` lists the codes{}", first_few(&words)),
                |n| format!("did you mean `{n}`?"),
            );
            self.add("CL109", at, format!("column `{}` has no code `{}`", column.name, short(word)), help);
        }
        value
    }

    /// The stored value of a code of today, of the vintage, or a replaced one.
    fn code(&self, column: &Column, word: &str) -> Option<Value> {
        let today = self.vintage(column).and_then(|codes| codes.get(word)).map_or(word, String::as_str);
        let list = column.codes.as_deref().and_then(|id| self.schema.code_list(id));
        let today = list.and_then(|l| l.aliases.get(today)).map_or(today, String::as_str);
        match column.kind {
            Kind::YesNo => match today {
                "yes" => Some(1),
                "no" => Some(0),
                _ => None,
            },
            Kind::NumberCode => {
                let known = code_values(self.schema, column).iter().any(|c| c == today);
                today.parse().ok().filter(|_| known)
            }
            _ => {
                let place = code_values(self.schema, column).iter().position(|c| c == today)?;
                Value::try_from(place).ok()
            }
        }
    }

    fn missing(&self, column: &Column) -> Value {
        match column.kind {
            Kind::Code => self.code(column, UNKNOWN).unwrap_or(NULL),
            _ => NULL,
        }
    }

    fn lookup(&mut self, column: &Column, at: usize, name: &str, names: &Names) -> Option<Read> {
        let found = names.lookups.iter().position(|l| *l == name);
        if found.is_none() {
            let near = nearest(name, names.lookups.iter().map(|l| (*l).clone()));
            self.add("CL117", at, format!("there is no [lookup.{}]", short(name)), did_you_mean(near));
        }
        if column.kind != Kind::NumberCode {
            return self.not_for(column, at, "`lookup`");
        }
        let numbers: Vec<i64> =
            code_values(self.schema, column).iter().filter_map(|c| c.parse().ok()).collect();
        let (least, most) = (numbers.iter().min().copied()?, numbers.iter().max().copied()?);
        Some(Read::Lookup { lookup: found?, least, most })
    }

    /// Cells of several codes: `barriers = { from = "barriers", split = ";", codes = { … } }`.
    fn splits(&mut self, table: &'static Table, cells: &mut Cells, fills: &mut [Fill]) -> Vec<Split> {
        let mut splits = Vec::new();
        let names: std::collections::BTreeSet<&'static str> =
            table.columns.iter().filter_map(|c| c.flag_of.as_deref()).collect();
        for name in names {
            let Some((at, doc)) = cells.remove(name) else { continue };
            splits.extend(self.split(table, name, at, doc, fills));
        }
        splits
    }

    fn split(
        &mut self,
        table: &'static Table,
        name: &'static str,
        at: usize,
        doc: CellDoc,
        fills: &mut [Fill],
    ) -> Option<Split> {
        let CellDoc {
            from, value: None, codes, blank, date: None, lookup: None, split: Some(separator), ..
        } = doc
        else {
            let says = format!("`{name}` holds several codes: it takes `from`, `split`, `codes` and `blank`");
            self.add("CL108", at, says, "such as { from = \"barriers\", split = \";\" }");
            return None;
        };
        let blank = match blank.as_deref() {
            None | Some(UNKNOWN) => SplitBlank::Unknown,
            Some(NONE) => SplitBlank::No,
            Some(other) => {
                self.add("CL109", at, format!("blank = \"{}\"", short(other)), "`unknown` or `none`");
                return None;
            }
        };
        let flag = |c: &&Column| c.flag_of.as_deref() == Some(name);
        let flags: Vec<&Column> = table.columns.iter().filter(flag).collect();
        let code_of =
            |c: &Column| c.name.strip_prefix(name).and_then(|r| r.strip_prefix('_')).map(str::to_owned);
        let own: Vec<String> = flags.iter().filter_map(|c| code_of(c)).collect();
        let codes = codes.unwrap_or_else(|| own.iter().map(|c| (c.clone(), c.clone())).collect());
        let mut places = HashMap::new();
        for (word, code) in codes {
            let place = own.iter().position(|c| *c == code);
            if place.is_none() && code != NONE {
                let near = nearest(&code, own.iter().cloned());
                self.add("CL109", at, format!("`{name}` has no code `{}`", short(&code)), did_you_mean(near));
            }
            places.insert(word.trim().to_owned(), place);
        }
        let indices: Vec<usize> =
            flags.iter().filter_map(|c| fills.iter().position(|f| f.column == c.name)).collect();
        for index in &indices {
            fills.get_mut(*index).into_iter().for_each(|f| f.by = By::Flag);
        }
        Some(Split { from: from?, separator, column: name, codes: places, flags: indices, blank })
    }
}

/// A column that is the same in every row of a load.
fn is_constant(column: &Column) -> bool {
    matches!(column.codes.as_deref(), Some("partner" | "template")) || column.name == "as_of"
}

/// The rule by which the node makes a column, or `None` where it takes the feed's word and corrects it.
fn node_rule(derived: Derived, mapped: bool, has_birth: bool) -> Option<NodeRule> {
    match derived {
        // "sources that only have bands map them" (domain/data_dictionary, age_band).
        Derived::AgeBand => (has_birth || !mapped).then_some(NodeRule::AgeBand),
        Derived::DisabledEqa => Some(NodeRule::DisabledEqa),
        Derived::LinkQuality => Some(NodeRule::LinkQuality),
        Derived::JobDue12m => Some(NodeRule::JobDue12m),
        Derived::Within12m => Some(NodeRule::Within12m),
        // Read from cells: the fifth through a lookup, the follow-up corrected by the dates.
        Derived::SimdQuintile | Derived::FollowUp => None,
    }
}

fn first_few(words: &[String]) -> String {
    if words.is_empty() || words.len() > 13 { String::new() } else { format!(": {}", words.join(", ")) }
}

/// "None of them applies", in a cell of several codes.
const NONE: &str = "none";

/// Columns of which only the month is kept or asked.
const MONTH_COLUMNS: [&str; 3] = ["birth_month", "month", "quarter"];
