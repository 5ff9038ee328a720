use std::collections::BTreeSet;

use cairn_question::Name;
use cairn_question::privacy::Epsilon;
use cairn_question::schema::{Column, Table};

use super::{Condition, Never};
use crate::document::ZEROS;
use crate::layers::Layers;
use crate::read::{At, Section};
use crate::space::field::Place;
use crate::treatment::Secondary;

/// Reads one `[[never]]`. A name that is not the policy's or the dictionary's is reported: such a statement could not fail.
pub(crate) fn read(layers: &Layers, section: Section<'_>) -> Option<Never> {
    let name = section.text("name");
    let section = match &name {
        Some(name) => section.renamed(format!("never.{}", crate::read::shown(&name.value))),
        None => section,
    };
    let known = Known { layers, section: &section };
    let role = known.role();
    let purpose = known.purpose();
    let dataset = known.dataset();
    let uses_all = known.places("uses_all");
    let uses_any = known.places("uses_any");
    let release = section.section_opt("release").map(conditions);
    let says_something = ["role", "purpose", "dataset", "uses_all", "uses_any", "release"];
    if !says_something.iter().any(|key| section.has(key)) {
        says_nothing(&section, &section.span);
    }
    section.finish();
    Some(Never {
        name: name?.value,
        role,
        purpose,
        dataset,
        uses_all,
        uses_any,
        release: release.unwrap_or_default(),
    })
}

fn says_nothing(section: &Section<'_>, span: &std::ops::Range<usize>) {
    let says = "the statement does not say what never happens";
    let fix = "name a role, purpose, dataset, columns or a release; leave out lists that are empty";
    section.faults().error("CP502", span, section.path.clone(), says, fix);
}

/// The names that a statement may use.
struct Known<'a> {
    layers: &'a Layers,
    section: &'a Section<'a>,
}

impl Known<'_> {
    fn role(&self) -> Option<Name> {
        let role = self.section.has("role").then(|| self.section.name("role")).flatten()?;
        self.one_of("role", &role, self.layers.policy.roles.keys().cloned().collect())
    }

    fn purpose(&self) -> Option<Name> {
        let purpose = self.section.has("purpose").then(|| self.section.name("purpose")).flatten()?;
        let policy = self.layers.policy.purposes.keys();
        let every: BTreeSet<String> = policy.chain(&self.layers.framework.purposes).cloned().collect();
        self.one_of("purpose", &purpose, every)
    }

    fn one_of(&self, what: &'static str, name: &At<Name>, known: BTreeSet<String>) -> Option<Name> {
        if known.contains(name.value.as_str()) {
            return Some(name.value.clone());
        }
        self.unknown(what, name.value.as_str(), &name.span, what, known.into_iter().collect());
        None
    }

    fn dataset(&self) -> Option<String> {
        let dataset = self.section.text_opt("dataset")?;
        let known: Vec<String> = self.layers.policy.datasets.keys().cloned().collect();
        if known.contains(&dataset.value) {
            return Some(dataset.value);
        }
        self.unknown("dataset", &dataset.value, &dataset.span, "dataset", known);
        None
    }

    fn unknown(&self, what: &str, word: &str, span: &std::ops::Range<usize>, key: &str, known: Vec<String>) {
        let rule = self.section.rule(key);
        self.section.faults().unknown("CP501", what, word, span, rule, known.into_iter());
    }

    fn places(&self, key: &'static str) -> Vec<Place> {
        let Some(list) = self.section.texts_opt(key) else { return Vec::new() };
        if list.value.is_empty() {
            says_nothing(self.section, &list.span);
        }
        list.value.iter().filter_map(|text| self.place(key, text)).collect()
    }

    /// `column`, `table.column`, and either with `@grain`.
    fn place(&self, key: &'static str, text: &At<String>) -> Option<Place> {
        let (word, grain) = match text.value.split_once('@') {
            Some((word, grain)) => (word, Some(grain)),
            None => (text.value.as_str(), None),
        };
        let (table, column) = match word.split_once('.') {
            Some((table, column)) => (Some(table), column),
            None => (None, word),
        };
        let found: Vec<(&Table, &Column)> = self
            .layers
            .schema
            .tables()
            .filter(|t| table.is_none_or(|named| named == t.name))
            .filter_map(|t| Some((t, t.column(column)?)))
            .collect();
        if found.is_empty() {
            let every = |t: &Table| t.columns.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
            let known = self.layers.schema.tables().flat_map(every).collect();
            self.unknown("column", column, &text.span, key, known);
            return None;
        }
        let grains: BTreeSet<String> =
            found.iter().flat_map(|(_, c)| self.layers.schema.grains(c)).map(str::to_owned).collect();
        if let Some(grain) = grain.filter(|g| !grains.contains(*g)) {
            self.unknown("grain", grain, &text.span, key, grains.into_iter().collect());
            return None;
        }
        Some(Place {
            table: table.map(str::to_owned),
            column: column.to_owned(),
            grain: grain.map(str::to_owned),
        })
    }
}

const METHODS: [(&str, &str); 5] = [
    ("suppress-round", "suppress-round"),
    ("suppress-audit", "suppress-audit"),
    ("cell-key", "cell-key"),
    ("dp", "dp"),
    ("count-once", "count-once"),
];

fn conditions(section: Section<'_>) -> Vec<Condition> {
    if section.entries().is_empty() {
        says_nothing(&section, &section.span);
    }
    // A figure under 0, or an ε over the largest, could not be.
    let under = |key: &'static str| section.whole_opt(key, 1..=1_000_000).map(|n| n.value);
    let all = [
        section.word_opt("method", &METHODS).map(|w| Condition::Method(w.value)),
        section.word_opt("method_not", &METHODS).map(|w| Condition::MethodNot(w.value)),
        section.flag("noise").map(|f| Condition::Noise(f.value)),
        under("min_people_under").map(Condition::MinPeopleUnder),
        under("round_to_under").map(Condition::RoundToUnder),
        section
            .has("epsilon_over")
            .then(|| section.millionths("epsilon_over"))
            .flatten()
            .and_then(|e| Epsilon::from_millionths(e.value).ok())
            .map(Condition::EpsilonOver),
        under("min_partners_under").map(Condition::MinPartnersUnder),
        under("min_cohort_under").map(Condition::MinCohortUnder),
        section.word_opt("zeros", ZEROS).map(|z| Condition::Zeros(z.value)),
        section
            .flag("secondary")
            .map(|f| Condition::Secondary(if f.value { Secondary::Yes } else { Secondary::No })),
    ];
    section.finish();
    all.into_iter().flatten().collect()
}
