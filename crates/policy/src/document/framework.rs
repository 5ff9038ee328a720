use std::collections::{BTreeMap, BTreeSet};

use crate::document::{FloorDoc, FrameworkDoc, IndicatorDoc, Open, PartnerTables, Profile, SecureDoc, ZEROS};
use crate::finding::Faults;
use crate::floor;
use crate::read::{At, Section, VERSION_MAX, list_of, parse, shown};
use crate::treatment::Secondary;

/// Reads `framework.toml`.
pub(crate) fn read(faults: &Faults<'_>) -> Option<FrameworkDoc> {
    let tree = parse(faults)?;
    let root = Section::root(&tree, faults);
    root.format("cairn_framework");
    let head = root.section("framework");
    let doc = FrameworkDoc {
        id: head.as_ref().and_then(|h| h.name("id")),
        version: head.as_ref().and_then(|h| h.whole("version", 1..=VERSION_MAX)),
        floor: root.section("floor").and_then(read_floor),
        grains: grains(&root),
        open: opened(&root),
        purposes: purposes(&root),
        profiles: root
            .sections("profile")
            .into_iter()
            .filter_map(|(n, s)| Some((n.value, profile(s)?)))
            .collect(),
        secure: root.section_opt("secure").and_then(secure),
        indicators: root
            .sections("indicator")
            .into_iter()
            .filter_map(|(n, s)| Some((n.value, indicator(s)?)))
            .collect(),
    };
    if let Some(head) = head {
        head.finish();
    }
    root.finish();
    Some(doc)
}

fn read_floor(section: Section<'_>) -> Option<FloorDoc> {
    let min_people = section.whole("min_people", floor::MIN_PEOPLE..=1_000);
    let round_to = section.whole("round_to", 1..=100);
    let min_partners = section.whole("min_partners", floor::MIN_PARTNERS..=100);
    let max_group_columns = section.whole("max_group_columns", 1..=floor::GROUP_COLUMNS);
    // What the framework leaves unsaid, the built-in floor says.
    let max_filter_columns = section
        .whole_opt("max_filter_columns", 0..=floor::FILTER_COLUMNS)
        .unwrap_or_else(|| At::new(floor::FILTER_COLUMNS, section.span.clone()));
    let epsilon_max_per_table = section.millionths("epsilon_max_per_table");
    let epsilon_max_per_year = section.millionths("epsilon_max_per_year");
    let epsilon_max_lifetime = section.millionths("epsilon_max_lifetime");
    let delta_max = if section.has("delta_max") {
        section.delta("delta_max")
    } else {
        Some(At::new(floor::DELTA_MAX, section.span.clone()))
    };
    let lag_days = section.whole("lag_days", 0..=366);
    let max_valid_months = section.whole("max_valid_months", 1..=floor::VALID_MONTHS);
    let special_needs_method = section.texts("special_needs_method").map(|l| l.value).unwrap_or_default();
    let tables = [("own-role", PartnerTables::OwnRole), ("any-role", PartnerTables::AnyRole)];
    let partner_tables = section.word_opt("partner_tables", &tables);
    let finest = if section.has("finest") { section.pairs("finest") } else { None };
    for method in special_needs_method.iter().filter(|m| m.value != "dp") {
        let says = "special-category columns leave only by `dp`: the built-in floor";
        let rule = section.rule("special_needs_method");
        section.faults().error("CP302", &method.span, rule, says, "write [\"dp\"]");
    }
    section.finish();
    Some(FloorDoc {
        min_people: min_people?,
        round_to: round_to?,
        min_partners: min_partners?,
        max_group_columns: max_group_columns?,
        max_filter_columns,
        epsilon_max_per_table: epsilon_max_per_table?,
        epsilon_max_per_year: epsilon_max_per_year?,
        epsilon_max_lifetime: epsilon_max_lifetime?,
        delta_max: delta_max?,
        lag_days: lag_days?,
        max_valid_months: max_valid_months?,
        special_needs_method,
        partner_tables: partner_tables.map_or(PartnerTables::OwnRole, |t| t.value),
        finest: finest.map(|f| f.value).unwrap_or_default(),
    })
}

/// The terms of secure totals, each at least what hides one partner's figure among others.
fn secure(section: Section<'_>) -> Option<SecureDoc> {
    let colluding_max = section.whole("colluding_max", 1..=1_000);
    let answering_min = section.whole("answering_min", floor::MIN_PARTNERS..=1_000);
    let invited_min = section.whole("invited_min", floor::MIN_PARTNERS..=1_000);
    let keys_per_person_max = section.whole("keys_per_person_max", 1..=100);
    let cells_per_person_max = section.whole_opt("cells_per_person_max", 1..=100);
    let usual = section.text_opt("usual");
    section.finish();
    Some(SecureDoc {
        colluding_max: colluding_max?,
        answering_min: answering_min?,
        invited_min: invited_min?,
        keys_per_person_max: keys_per_person_max?,
        cells_per_person_max,
        usual,
    })
}

fn indicator(section: Section<'_>) -> Option<IndicatorDoc> {
    section.text("title");
    let questions = section.texts("questions");
    if let Some(none) = questions.as_ref().filter(|list| list.value.is_empty()) {
        let says = "an indicator without a question approves nothing";
        let fix = "write its questions, or take the indicator out";
        section.faults().error("CP220", &none.span, section.rule("questions"), says, fix);
    }
    let breakdowns = section.texts_opt("breakdowns").map(|l| l.value);
    let grain = |text: At<String>| {
        let known = ["quarter", "year"].into_iter().find(|g| *g == text.value);
        if known.is_none() {
            let says = format!("`{}` is no length of period", shown(&text.value));
            let fix = "write \"quarter\", \"year\" or both";
            section.faults().error("CP005", &text.span, section.rule("grains"), says, fix);
        }
        Some(At::new(known?, text.span))
    };
    let grains = section.texts_opt("grains").map(|l| l.value.into_iter().filter_map(grain).collect());
    let hash = section.text_opt("hash");
    let span = section.span.clone();
    section.finish();
    Some(IndicatorDoc {
        span,
        questions: questions?.value,
        breakdowns: breakdowns.unwrap_or_default(),
        grains: grains.unwrap_or_default(),
        hash,
    })
}

type Grains = BTreeMap<String, (std::ops::Range<usize>, Vec<crate::read::At<String>>)>;

fn grains(root: &Section<'_>) -> Grains {
    let Some(section) = root.section_opt("grains") else { return BTreeMap::new() };
    let mut grains = BTreeMap::new();
    for (column, value) in section.entries() {
        match list_of(value).filter(|l| !l.is_empty()) {
            Some(list) => {
                grains.insert(column.value, (column.span, list));
            }
            None => root.faults().error(
                "CP005",
                &value.span(),
                section.rule(&column.value),
                "grains are a list, coarse to fine",
                "write [\"year\", \"quarter\"]",
            ),
        }
    }
    grains
}

fn opened(root: &Section<'_>) -> BTreeMap<String, Open> {
    let open = |(name, section): (crate::read::At<String>, Section<'_>)| {
        let open = Open {
            span: name.span,
            group: section.texts("group").map(|l| l.value).unwrap_or_default(),
            filter: section.texts("filter").map(|l| l.value).unwrap_or_default(),
        };
        section.finish();
        (name.value, open)
    };
    root.sections("open").into_iter().map(open).collect()
}

fn purposes(root: &Section<'_>) -> BTreeSet<String> {
    let purpose = |(name, section): (crate::read::At<String>, Section<'_>)| {
        section.text("text");
        section.finish();
        name.value
    };
    root.sections("purpose").into_iter().map(purpose).collect()
}

fn profile(section: Section<'_>) -> Option<Profile> {
    let min_people = section.whole("min_people", floor::MIN_PEOPLE..=1_000);
    let round_to = section.whole("round_to", 1..=100);
    let zeros = section.word("zeros", ZEROS);
    // Noise has no threshold and no rounding, so no profile is of it.
    let words = ["suppress-round", "suppress-audit", "cell-key"].map(|word| (word, word));
    let method = section.word_opt("method", &words);
    let secondary = super::policy::secondary(&section);
    let dominance = section.section_opt("dominance").and_then(super::policy::dominance);
    section.finish();
    Some(Profile {
        method: method.map_or("suppress-round", |m| m.value),
        min_people: min_people?,
        round_to: round_to?,
        zeros: zeros?.value,
        secondary: secondary.map_or(Secondary::No, |s| s.value),
        dominance: dominance.map(|d| d.value),
    })
}
