//! Reads TOML into checked values with their places, reporting every fault instead of stopping at the first.
//!
//! Serde's `deny_unknown_fields` stops at one fault; this reader holds the same rule (what was not asked for is a
//! fault) and goes on.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};

use cairn_question::form::nearest;
use cairn_question::{Day, Name};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::decimal;
use crate::finding::Faults;
use crate::letters;

/// A value and where it stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) span: Range<usize>,
}

impl<T> At<T> {
    pub(crate) const fn new(value: T, span: Range<usize>) -> Self {
        Self { value, span }
    }
}

/// One table of a file. Every key must be asked for before [`Section::finish`].
pub(crate) struct Section<'a> {
    pub(crate) path: String,
    pub(crate) span: Range<usize>,
    table: &'a DeTable<'a>,
    faults: &'a Faults<'a>,
    asked: RefCell<BTreeSet<&'static str>>,
}

/// Longest file: a policy that is longer is too long to be read aloud.
pub(crate) const FILE_BYTES_MAX: usize = 256 * 1024;
/// Longest text in a file.
const TEXT_CHARS_MAX: usize = 2_000;
/// Most entries of one list or table.
const ENTRIES_MAX: usize = 400;
/// Highest version of a policy, a framework or a board. A version only rises, so a slip to the last number would be the last version.
pub(crate) const VERSION_MAX: u32 = 1_000_000;

/// The file's tree; faults in its form are reported, and what can still be read is returned.
pub(crate) fn parse<'a>(faults: &Faults<'a>) -> Option<Spanned<DeTable<'a>>> {
    let text = faults.text();
    if text.len() > FILE_BYTES_MAX {
        let says = format!("the file is longer than {} kB", FILE_BYTES_MAX / 1024);
        faults.error("CP002", &(0..0), "file", says, "a policy must be short enough to be read aloud");
        return None;
    }
    let (tree, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let says = format!("not TOML: {}", error.message().replace('\n', "; "));
        faults.error("CP001", &span, "file", says, "mend the line; https://toml.io shows the form");
    }
    Some(tree)
}

impl<'a> Section<'a> {
    pub(crate) fn root(tree: &'a Spanned<DeTable<'a>>, faults: &'a Faults<'a>) -> Self {
        Self::new(String::new(), 0..0, tree.get_ref(), faults)
    }

    const fn new(path: String, span: Range<usize>, table: &'a DeTable<'a>, faults: &'a Faults<'a>) -> Self {
        Self { path, span, table, faults, asked: RefCell::new(BTreeSet::new()) }
    }

    /// The same section under the name by which people know it.
    pub(crate) fn renamed(self, path: String) -> Self {
        Self { path, ..self }
    }

    pub(crate) fn rule(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(crate) fn faults(&self) -> &'a Faults<'a> {
        self.faults
    }

    /// Reports every key that was not asked for.
    pub(crate) fn finish(self) {
        let asked = self.asked.into_inner();
        for (key, _) in self.table.iter().filter(|(k, _)| !asked.contains(k.get_ref().as_ref())) {
            let word = shown(key.get_ref());
            let near = nearest(&word, asked.iter().map(|a| (*a).to_owned()));
            let says = format!("unknown key `{word}`");
            let rule = if self.path.is_empty() { word.clone() } else { format!("{}.{word}", self.path) };
            let fix = near.map_or_else(|| "delete it".to_owned(), |n| format!("did you mean `{n}`?"));
            self.faults.error("CP003", &key.span(), rule, says, fix);
        }
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        #[cfg(test)]
        asked::note(&self.path, key);
        self.table.contains_key(key)
    }

    fn get(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        #[cfg(test)]
        asked::note(&self.path, key);
        self.asked.borrow_mut().insert(key);
        self.table.get(key)
    }

    fn need(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        let found = self.get(key);
        if found.is_none() {
            let says = format!("`{key}` is missing");
            self.faults.error("CP004", &self.span, self.rule(key), says, format!("add `{key} = …`"));
        }
        found
    }

    fn wrong(&self, key: &str, span: &Range<usize>, expected: &str) {
        self.faults.error("CP005", span, self.rule(key), format!("`{key}` must be {expected}"), "correct it");
    }

    fn take<T>(
        &self,
        key: &'static str,
        value: Option<&'a Spanned<DeValue<'a>>>,
        expected: &str,
        read: impl FnOnce(&'a DeValue<'a>) -> Option<T>,
    ) -> Option<At<T>> {
        let value = value?;
        let read = read(value.get_ref());
        if read.is_none() {
            self.wrong(key, &value.span(), expected);
        }
        Some(At::new(read?, value.span()))
    }

    pub(crate) fn text(&self, key: &'static str) -> Option<At<String>> {
        let value = self.need(key);
        self.checked_text(key, value)
    }

    pub(crate) fn text_opt(&self, key: &'static str) -> Option<At<String>> {
        let value = self.get(key);
        self.checked_text(key, value)
    }

    /// A text that may be empty or absent.
    pub(crate) fn raw_text_opt(&self, key: &'static str) -> String {
        let value = self.get(key);
        let text = self.take(key, value, "a text in quotes", |v| v.as_str().map(str::to_owned));
        text.inspect(|text| self.plain(key, text))
            .map(|t| t.value.chars().take(TEXT_CHARS_MAX).map(crate::finding::plain).collect())
            .unwrap_or_default()
    }

    fn checked_text(&self, key: &'static str, value: Option<&'a Spanned<DeValue<'a>>>) -> Option<At<String>> {
        let text = self.take(key, value, "a text in quotes, not empty", |v| {
            v.as_str().filter(|t| !t.trim().is_empty()).map(str::to_owned)
        })?;
        if text.value.chars().count() > TEXT_CHARS_MAX {
            let says = format!("`{key}` is longer than {TEXT_CHARS_MAX} characters");
            self.faults.error("CP002", &text.span, self.rule(key), says, "shorten it");
        }
        self.plain(key, &text);
        Some(text)
    }

    /// One line, in letters that are what they look like.
    fn plain(&self, key: &str, text: &At<String>) {
        let error = |says: String, fix: &str| {
            self.faults.error("CP008", &text.span, self.rule(&shown(key)), says, fix);
        };
        if letters::breaks(&text.value) {
            let says = format!("`{}` holds a line break or another control character", shown(key));
            return error(says, "write it in one line: a page must show no line that is not its own");
        }
        // What the file's own text shows is reported for the file; an escape (`\u202E`) only shows here.
        let raw = self.faults.text().get(text.span.clone()).unwrap_or_default();
        if letters::hides(&text.value) && !letters::hides(raw) {
            let says = format!("`{}` holds a hidden character or letters that look like others", shown(key));
            error(says, "type it again with plain letters");
        }
    }

    pub(crate) fn name(&self, key: &'static str) -> Option<At<Name>> {
        let text = self.text(key)?;
        let name = self.as_name(&self.rule(key), &text)?;
        Some(At::new(name, text.span))
    }

    pub(crate) fn as_name(&self, rule: &str, text: &At<String>) -> Option<Name> {
        let name = Name::new(text.value.clone()).ok();
        if name.is_none() {
            let foreign = text.value.chars().find(|c| !c.is_ascii());
            let says = match foreign {
                Some(c) => format!("the name has a letter that is not a plain one (U+{:04X})", u32::from(c)),
                None => format!("`{}` is not a name", shown(&text.value)),
            };
            let fix = "a name is 1 to 64 of a-z, 0-9 and `-`";
            self.faults.error("CP007", &text.span, rule, says, fix);
        }
        name
    }

    pub(crate) fn whole(&self, key: &'static str, range: RangeInclusive<u32>) -> Option<At<u32>> {
        let value = self.need(key);
        self.take(key, value, &among(&range), |v| whole(v, &range))
    }

    pub(crate) fn whole_opt(&self, key: &'static str, range: RangeInclusive<u32>) -> Option<At<u32>> {
        let value = self.get(key);
        self.take(key, value, &among(&range), |v| whole(v, &range))
    }

    /// The format number on top of each file, 1; an old program refuses a new form.
    pub(crate) fn format(&self, key: &'static str) {
        if let Some(number) = self.whole(key, 0..=u32::MAX).filter(|n| n.value != 1) {
            let says = format!("format {} is not known to this program, which reads format 1", number.value);
            self.faults.error("CP006", &number.span, key, says, "install a newer program, or write format 1");
        }
    }

    /// A decimal in millionths, exactly.
    pub(crate) fn millionths(&self, key: &'static str) -> Option<At<u32>> {
        let value = self.need(key)?;
        let text = match value.get_ref() {
            DeValue::Float(f) => f.as_str().to_owned(),
            DeValue::Integer(i) if i.radix() == 10 => i.as_str().to_owned(),
            _ => String::new(),
        };
        let read = decimal::millionths(&text);
        if read.is_none() {
            let says = format!("`{key}` must be a number above 0, at most 1000, with at most 6 decimals");
            self.faults.error("CP010", &value.span(), self.rule(key), says, "write it as in 0.2");
        }
        Some(At::new(read?, value.span()))
    }

    /// δ: above 0 and below 1, exponent allowed.
    pub(crate) fn delta(&self, key: &'static str) -> Option<At<f64>> {
        let value = self.need(key);
        self.take(key, value, "above 0 and below 1, such as 1e-6", |v| {
            let delta: f64 = v.as_float()?.as_str().replace('_', "").parse().ok()?;
            (delta > 0.0 && delta < 1.0).then_some(delta)
        })
    }

    pub(crate) fn day(&self, key: &'static str) -> Option<At<Day>> {
        let value = self.need(key)?;
        let day = match value.get_ref() {
            DeValue::Datetime(d) if d.time.is_none() => {
                d.date.and_then(|d| Day::new(i32::from(d.year), u32::from(d.month), u32::from(d.day)))
            }
            _ => None,
        };
        if day.is_none() {
            let says = format!("`{key}` must be a day, such as 2026-04-01, without quotes");
            self.faults.error("CP009", &value.span(), self.rule(key), says, "write year-month-day");
        }
        Some(At::new(day?, value.span()))
    }

    pub(crate) fn day_opt(&self, key: &'static str) -> Option<At<Day>> {
        if self.has(key) { self.day(key) } else { None }
    }

    /// Least and most, two whole numbers in order: `[0, 60]`.
    pub(crate) fn bounds(&self, key: &'static str) -> Option<At<(u32, u32)>> {
        let value = self.get(key);
        self.take(key, value, "two whole numbers, least and most, such as [0, 60]", |v| {
            let [least, most] = v.as_array()?.get(..).filter(|a| a.len() == 2)? else { return None };
            let range = 0..=u32::MAX;
            let pair = (whole(least.get_ref(), &range)?, whole(most.get_ref(), &range)?);
            (pair.0 < pair.1).then_some(pair)
        })
    }

    pub(crate) fn flag(&self, key: &'static str) -> Option<At<bool>> {
        let value = self.get(key);
        self.take(key, value, "true or false", DeValue::as_bool)
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> Option<At<T>> {
        let value = self.need(key)?;
        self.one_of(key, value, words)
    }

    pub(crate) fn word_opt<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> Option<At<T>> {
        let value = self.get(key)?;
        self.one_of(key, value, words)
    }

    fn one_of<T: Copy>(&self, key: &str, value: &Spanned<DeValue<'a>>, words: &[(&str, T)]) -> Option<At<T>> {
        let text = value.get_ref().as_str().unwrap_or_default();
        let found = words.iter().find(|(w, _)| *w == text);
        if found.is_none() {
            let known: Vec<String> = words.iter().map(|(w, _)| format!("`{w}`")).collect();
            let says = format!("`{key}` must be {}", known.join(" or "));
            let near = nearest(text, words.iter().map(|(w, _)| (*w).to_owned()));
            let fix = near.map_or_else(|| "choose one".to_owned(), |n| format!("did you mean `{n}`?"));
            self.faults.error("CP005", &value.span(), self.rule(key), says, fix);
        }
        Some(At::new(found?.1, value.span()))
    }

    /// A list of texts; `None` where the key is absent or is no list.
    pub(crate) fn texts(&self, key: &'static str) -> Option<At<Vec<At<String>>>> {
        let value = self.need(key)?;
        self.text_list(key, value)
    }

    pub(crate) fn texts_opt(&self, key: &'static str) -> Option<At<Vec<At<String>>>> {
        let value = self.get(key)?;
        self.text_list(key, value)
    }

    fn text_list(&self, key: &str, value: &'a Spanned<DeValue<'a>>) -> Option<At<Vec<At<String>>>> {
        let items = value.get_ref().as_array().map(|a| {
            let text =
                |v: &'a Spanned<DeValue<'a>>| Some(At::new(v.get_ref().as_str()?.to_owned(), v.span()));
            a.iter().map(text).collect::<Option<Vec<_>>>()
        });
        let Some(Some(items)) = items else {
            self.wrong(key, &value.span(), "a list of texts");
            return None;
        };
        self.limit(key, &value.span(), items.len());
        items.iter().for_each(|item| self.plain(key, item));
        Some(At::new(items, value.span()))
    }

    /// A list of lists of texts; empty where absent.
    pub(crate) fn text_lists(&self, key: &'static str) -> Vec<At<Vec<At<String>>>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            self.wrong(key, &value.span(), "a list of lists");
            return Vec::new();
        };
        self.limit(key, &value.span(), items.len());
        items.iter().filter_map(|v| self.text_list(key, v)).collect()
    }

    /// The table under `key`.
    pub(crate) fn section(&self, key: &'static str) -> Option<Self> {
        let value = self.need(key)?;
        self.as_section(self.rule(key), value)
    }

    pub(crate) fn section_opt(&self, key: &'static str) -> Option<Self> {
        let value = self.get(key)?;
        self.as_section(self.rule(key), value)
    }

    /// The named tables under `key`: `[role.national-analyst]`.
    pub(crate) fn sections(&self, key: &'static str) -> Vec<(At<String>, Self)> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(section) = self.as_section(self.rule(key), value) else { return Vec::new() };
        let entries = section.entries();
        let named = |(name, v): (At<String>, &'a Spanned<DeValue<'a>>)| {
            let path = section.rule(&shown(&name.value));
            let inner = section.as_section(path, v)?;
            Some((name, inner))
        };
        entries.into_iter().filter_map(named).collect()
    }

    /// The tables of an array: `[[share]]`.
    pub(crate) fn array(&self, key: &'static str) -> Vec<Self> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            self.wrong(key, &value.span(), &format!("written as [[{key}]]"));
            return Vec::new();
        };
        self.limit(key, &value.span(), items.len());
        let rule = self.rule(key);
        // The rules between the entries try each with each: what is over the limit is not read.
        let read = items.iter().take(ENTRIES_MAX).enumerate();
        read.filter_map(|(n, v)| self.as_section(format!("{rule}[{n}]"), v)).collect()
    }

    /// Every key with its value: for tables whose keys are the document's own.
    pub(crate) fn entries(&self) -> Vec<(At<String>, &'a Spanned<DeValue<'a>>)> {
        self.limit("entries", &self.span, self.table.len());
        let entry = |(k, v): (&Spanned<std::borrow::Cow<'a, str>>, &'a Spanned<DeValue<'a>>)| {
            let key = At::new(k.get_ref().to_string(), k.span());
            self.plain(&key.value, &key);
            (key, v)
        };
        self.table.iter().map(entry).collect()
    }

    /// The tables under each key of this one.
    pub(crate) fn each(&self) -> Vec<(At<String>, Self)> {
        let inner = |(k, v): (At<String>, &'a Spanned<DeValue<'a>>)| {
            let section = self.as_section(self.rule(&shown(&k.value)), v)?;
            Some((k, section))
        };
        self.entries().into_iter().filter_map(inner).collect()
    }

    /// A table of column to text: `group_by = { sex = "code", "participants.sex" = "code" }`.
    pub(crate) fn pairs(&self, key: &'static str) -> Option<At<crate::document::Columns>> {
        let value = self.need(key)?;
        let section = self.as_section(self.rule(key), value)?;
        let mut pairs = Vec::new();
        for (k, v) in section.entries() {
            match v.get_ref() {
                DeValue::String(text) => pairs.push((k, At::new(text.to_string(), v.span()))),
                DeValue::Table(_) => {
                    let says = format!("`{}` needs quotes around the whole column name", shown(&k.value));
                    let fix = format!("write \"{}.…\" = \"…\"", shown(&k.value));
                    self.faults.error("CP005", &k.span, self.rule(key), says, fix);
                }
                _ => self.wrong(key, &v.span(), "columns, each with its grain in quotes"),
            }
        }
        pairs.sort_by_key(|(k, _)| k.span.start);
        Some(At::new(pairs, value.span()))
    }

    fn as_section(&self, path: String, value: &'a Spanned<DeValue<'a>>) -> Option<Self> {
        let Some(table) = value.get_ref().as_table() else {
            let says = format!("`{path}` must be a table");
            self.faults.error("CP005", &value.span(), path, says, "give it keys of its own");
            return None;
        };
        Some(Self::new(path, value.span(), table, self.faults))
    }

    fn limit(&self, key: &str, span: &Range<usize>, entries: usize) {
        if entries > ENTRIES_MAX {
            let says = format!("more than {ENTRIES_MAX} entries");
            self.faults.error("CP002", span, self.rule(key), says, "shorten it");
        }
    }
}

/// A list of texts inside a table whose keys are the document's own (`[grains]`).
pub(crate) fn list_of(value: &Spanned<DeValue<'_>>) -> Option<Vec<At<String>>> {
    let text = |v: &Spanned<DeValue<'_>>| Some(At::new(v.get_ref().as_str()?.to_owned(), v.span()));
    value.get_ref().as_array()?.iter().map(text).collect()
}

/// A word of a file as it may be shown back: short, and nothing hidden in it.
pub(crate) fn shown(word: &str) -> String {
    word.chars().take(80).map(crate::finding::plain).collect()
}

fn among(range: &RangeInclusive<u32>) -> String {
    format!("a whole number from {} to {}", range.start(), range.end())
}

fn whole(value: &DeValue<'_>, range: &RangeInclusive<u32>) -> Option<u32> {
    let integer = value.as_integer().filter(|i| i.radix() == 10)?;
    integer.as_str().parse().ok().filter(|n| range.contains(n))
}

/// Every key that this thread's readers asked for: what the editors' schema is held against.
#[cfg(test)]
pub(crate) mod asked {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    thread_local! {
        static ASKED: RefCell<BTreeSet<(String, String)>> = const { RefCell::new(BTreeSet::new()) };
    }

    pub(super) fn note(path: &str, key: &str) {
        ASKED.with_borrow_mut(|asked| asked.insert((path.to_owned(), key.to_owned())));
    }

    /// What was asked since the last time: the section's path and the key.
    pub(crate) fn take() -> BTreeSet<(String, String)> {
        ASKED.take()
    }
}
