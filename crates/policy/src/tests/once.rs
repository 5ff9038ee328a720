//! A policy that counts people once across partners.

use cairn_question::privacy::{Epsilon, NanoRho};
use cairn_question::{Day, Measure, Name, Question};

use super::*;
use crate::able::unable;
use crate::treatment::{CountOnce, Method, Treatment};
use crate::{Asker, decide};

fn changed(from: &str, to: &str) -> Sources {
    let mut sources = counting_once();
    let file = [&mut sources.policy, &mut sources.framework].into_iter().find(|f| f.text.contains(from));
    let file = file.unwrap_or_else(|| panic!("nothing to edit: {from}"));
    file.text = file.text.replacen(from, to, 1);
    sources
}

fn layers(sources: &Sources) -> Layers {
    Layers::load(sources).unwrap_or_else(|f| panic!("{}", render_all(&f, sources)))
}

fn question(text: &str) -> Question {
    let [role, purpose] = ["overlap-analyst", "smf-reporting"].map(|n| Name::new(n).unwrap());
    cairn_question::form::parse(text, &role, &purpose, Schema::smf()).unwrap()
}

fn answered(layers: &Layers, text: &str) -> Treatment {
    let day: Day = "2026-11-21".parse().unwrap();
    decide(layers, &question(text), Asker::Anyone, day).unwrap_or_else(|r| panic!("{r:?}"))
}

fn count(treatment: &Treatment) -> CountOnce {
    let Method::CountOnce(count) = treatment.method else { panic!("{:?}", treatment.method) };
    count
}

fn epsilon(millionths: u32) -> Epsilon {
    Epsilon::from_millionths(millionths).unwrap()
}

#[test]
fn the_policy_loads_and_its_board_is_told_what_it_chose() {
    let sources = counting_once();
    let found = check(&sources);
    let codes: Vec<&str> = found.iter().map(|f| f.code).collect();
    // The address is made up, a person under two keys counts twice, and two roles get people of one table under two treatments.
    assert_eq!(codes, ["CP108", "CP903", "CP420"], "{}", render_all(&found, &sources));
}

#[test]
fn a_count_is_treated_as_its_release_says_and_charged_to_an_account_of_its_own() {
    let layers = layers(&counting_once());
    let treatment = answered(&layers, "people");
    assert_eq!(treatment.share.as_str(), "people-once");
    assert_eq!(treatment.min_partners, 5);
    let expected = CountOnce {
        epsilon: epsilon(1_000_000),
        keys_per_person: 2,
        cells_per_person: 1,
        counts_per_year: 2,
        counts_lifetime: 8,
    };
    assert_eq!(count(&treatment), expected);
    // Two keys at ε₀ = 1 are a pure ε of 2: ρ = 2·tanh(1).
    assert_eq!(expected.person_epsilon(), epsilon(2_000_000));
    let loss = NanoRho::new(1_523_188_312);
    assert_eq!(treatment.method.loss(), Some(loss));
    assert_eq!(treatment.caps.per_year, NanoRho::new(2 * loss.nano()));
    assert_eq!(treatment.caps.lifetime, NanoRho::new(8 * loss.nano()));
    let tables = layers.caps();
    let starts = |c: crate::Caps| (c.year_starts_month, c.year_starts_day);
    assert_eq!(starts(treatment.caps), starts(tables));
    assert_ne!(treatment.caps.per_year, tables.per_year);
    // The account of tables pays for none of it.
    assert_eq!(layers.tables_bought(), []);
    assert_eq!(unable(&treatment, &question("people")), []);
}

#[test]
fn the_frameworks_ceilings_on_tables_say_nothing_of_counts() {
    let most = |text| changed("epsilon_max_per_table = 0.5 ", text);
    for sources in [most("epsilon_max_per_table = 0.000001 "), most("epsilon_max_per_table = 0.5 ")] {
        assert_eq!(count(&answered(&layers(&sources), "people")).epsilon, epsilon(1_000_000));
    }
}

#[test]
fn any_other_measure_and_a_breakdown_that_nobody_priced_is_what_the_program_cannot() {
    let treatment = answered(&layers(&counting_once()), "people");
    let rules = |treatment: &Treatment, question: &Question| {
        unable(treatment, question).into_iter().map(|u| u.rule).collect::<Vec<_>>()
    };
    let people = question("people");
    let rows = Question { measure: Measure::Rows, ..people.clone() };
    let method = "release.counted-once.method".to_owned();
    let partners = "release.counted-once.min_partners".to_owned();
    assert_eq!(rules(&treatment, &rows), [method.clone(), partners.clone()]);
    let unsaid = CountOnce { cells_per_person: CountOnce::UNSAID, ..count(&treatment) };
    let unpriced = Treatment { method: Method::CountOnce(unsaid), ..treatment.clone() };
    assert_eq!(rules(&unpriced, &question("people by sex")), [method]);
    assert!(rules(&treatment, &question("people by sex")).is_empty());
    assert_eq!(unpriced.method.loss(), Some(NanoRho::new(u64::MAX)), "and no account holds it");
    assert_eq!(rules(&Treatment { min_partners: 1, ..treatment }, &people), [partners]);
}

#[test]
fn a_breakdown_costs_a_person_for_each_cell_and_takes_it_from_the_same_account() {
    let layers = layers(&counting_by_sex());
    let (one, table) = (answered(&layers, "people"), answered(&layers, "people by sex"));
    assert_eq!((count(&one).cells_per_person, count(&table).cells_per_person), (1, 2));
    // Two keys in two cells at ε₀ = 1 are a pure ε of 4.
    assert_eq!(count(&one).person_epsilon(), epsilon(2_000_000));
    assert_eq!(count(&table).person_epsilon(), epsilon(4_000_000));
    assert_eq!(table.method.loss(), Some(epsilon(4_000_000).rho()));
    let year = NanoRho::new(4 * epsilon(2_000_000).rho().nano());
    assert_eq!((one.caps.per_year, table.caps.per_year), (year, year), "the account is not made for tables");
    assert!(table.method.loss().unwrap() < year);
    assert_eq!(unable(&table, &question("people by sex")), []);
    // A table of one cell is none, and of two nobody is in three.
    let three = CountOnce { cells_per_person: 3, ..count(&table) };
    assert_eq!([0, 1, 2, 3, 9].map(|cells| three.in_cells(cells).cells_per_person), [1, 1, 2, 3, 3]);
    let unsaid = CountOnce { cells_per_person: CountOnce::UNSAID, ..three };
    assert_eq!((unsaid.times_keys_and_cells(), unsaid.person_epsilon()), (None, Epsilon::MAX));
    assert_eq!(unsaid.in_one_cell().person_epsilon(), epsilon(2_000_000));
}

#[test]
fn what_can_never_happen_knows_a_table_from_a_figure() {
    let sources = counting_by_sex();
    let tried = |release: &str| {
        let text =
            format!("[[never]]\nname = \"never\"\nrole = \"overlap-analyst\"\nrelease = {{ {release} }}\n");
        let report =
            run_cases(&layers(&sources), &File::new("tests.toml", text)).unwrap_or_else(|f| panic!("{f:#?}"));
        report.never.iter().map(|n| n.violations).collect::<Vec<_>>()
    };
    // Half of the kinds are by sex: those cost a person up to ε = 4, the others 2.
    assert_eq!(tried("epsilon_over = 4.0"), [0]);
    assert_eq!(tried("epsilon_over = 3.999999"), [KINDS]);
    assert_eq!(tried("epsilon_over = 1.999999"), [2 * KINDS]);
}

#[test]
fn more_cells_are_charged_for_more_and_concern_tables_alone() {
    let mut more = counting_by_sex();
    let text = &mut more.framework.text;
    *text = text.replacen("cells_per_person_max = 2", "cells_per_person_max = 1", 1);
    let diff = crate::diff(Some(&layers(&counting_by_sex())), &layers(&more)).unwrap();
    let told = diff.changes.iter().map(|c| (c.rule.as_str(), c.direction)).collect::<Vec<_>>();
    assert_eq!(told, [("framework.secure.cells_per_person_max", crate::Direction::Unordered)]);
    assert_eq!((diff.weaker.count, diff.stronger.count, diff.otherwise.count), (0, 0, KINDS));
}

#[test]
fn its_board_is_told_what_a_table_of_counts_costs() {
    let joined = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let told = joined(crate::explain(&layers(&counting_by_sex())));
    for says in [
        "A table of such figures costs that for each cell that a person is in, up to ε = 4 to one in 2 cells",
        "people-once 4 8 4 times 54.60",
    ] {
        assert!(told.contains(says), "{says}: {told}");
    }
    assert!(!joined(crate::explain(&layers(&counting_once()))).contains("A table of such figures"));
}

#[test]
fn a_share_that_counts_once_narrows_by_special_columns_as_noise_may() {
    let base = layers(&counting_once());
    assert_eq!(answered(&base, "people where disabled = yes").share.as_str(), "people-once");
    let none = changed("special_needs_method  = [\"dp\"]", "special_needs_method  = []");
    let found = check(&none);
    assert!(found.iter().any(|f| f.code == "CP418" && f.rule.contains("people-once")), "{found:#?}");
}

#[test]
fn beside_other_tables_of_the_same_people_it_is_a_warning() {
    let own = "role     = \"overlap-analyst\"";
    let of_one_role = "role     = \"national-analyst\"";
    // Another role; and one role, for another purpose.
    let mut other_purpose = changed(own, of_one_role);
    let text = &mut other_purpose.policy.text;
    *text = text.replacen(
        "[purpose.smf-reporting]",
        "[purpose.equalities]\ntext = \"Monitoring\"\nbasis = \"Equality Act 2010\"\n\n[purpose.smf-reporting]",
        1,
    );
    let at = text.find("id       = \"people-once\"").unwrap();
    let share = text.split_off(at).replacen("\"smf-reporting\"", "\"equalities\"", 1);
    text.push_str(&share);
    for beside in ["plain-table", "noisy"] {
        for sources in [counting_once(), other_purpose.clone()] {
            let mut sources = sources;
            let noisy = "[release.noisy]\nmethod = \"dp\"\nmechanism = \"discrete-laplace\"\nepsilon = 0.1\n\
                groups_per_person = 1\n\n[release.counted-once]";
            let text = &mut sources.policy.text;
            *text = text.replacen("[release.counted-once]", noisy, 1);
            *text = text.replacen("min_cohort = 8\n", "", 1);
            *text = text.replacen("release  = \"plain-table\"", &format!("release = \"{beside}\""), 1);
            let found = check(&sources);
            let told: Vec<Severity> =
                found.iter().filter(|f| f.code == "CP420").map(|f| f.severity).collect();
            assert_eq!(told, [Severity::Warning], "{}", render_all(&found, &sources));
            layers(&sources);
        }
    }
    // One role and one purpose would not know which of the two was asked for.
    let found = check(&changed(own, of_one_role));
    assert!(found.iter().any(|f| f.code == "CP409"), "{found:#?}");
}

#[test]
fn what_its_board_says_can_never_happen_is_tried_of_counts_too() {
    let sources = counting_once();
    let tried = |release: &str| {
        let text =
            format!("[[never]]\nname = \"never\"\nrole = \"overlap-analyst\"\nrelease = {{ {release} }}\n");
        let report =
            run_cases(&layers(&sources), &File::new("tests.toml", text)).unwrap_or_else(|f| panic!("{f:#?}"));
        report.never.iter().map(|n| n.violations).sum::<u64>()
    };
    // Under two keys a person loses ε = 2 in a count of ε₀ = 1.
    let holds = ["epsilon_over = 2.0", "method = \"dp\"", "noise = false", "min_partners_under = 5"];
    let fails =
        ["epsilon_over = 1.999999", "method = \"count-once\"", "noise = true", "min_partners_under = 6"];
    assert_eq!(holds.map(tried), [0; 4]);
    assert_eq!(fails.map(tried), [KINDS; 4]);
}

#[test]
fn its_boards_cases_may_expect_what_the_release_says() {
    let case = |release: &str| {
        let text = format!(
            "[[case]]\nname = \"once\"\nexpect = \"answer\"\nshare = \"people-once\"\nrelease = {{ {release} }}\nrequest = {{ role = \
             \"overlap-analyst\", purpose = \"smf-reporting\", dataset = \"participants\", answer = \"people\", group_by = {{}}, \
             filter_by = {{}} }}\n"
        );
        run_cases(&layers(&counting_once()), &File::new("tests.toml", text)).unwrap().failed.len()
    };
    let said = "method = \"count-once\", epsilon = 1.0, keys_per_person = 2, counts_per_year = 2, counts_lifetime = 8, min_partners = 5";
    assert_eq!(case(said), 0);
    assert_eq!(case("epsilon = 1.1"), 1);
}

#[test]
fn the_frameworks_own_statements_hold() {
    let report = run_shipped(&counting_once(), "framework/tests.toml");
    nothing_forbidden_is_answered("once", &report, 4);
}

#[test]
fn more_counts_and_a_larger_epsilon_protect_less() {
    use crate::Direction::{ProtectsLess, ProtectsMore, Unordered};
    let old = layers(&counting_once());
    let steps = [
        ("= 1.0 ", "= 1.1 ", "release.counted-once.epsilon", ProtectsLess),
        ("= 1.0 ", "= 0.9 ", "release.counted-once.epsilon", ProtectsMore),
        ("counts_per_year = 2", "counts_per_year = 3", "release.counted-once.counts_per_year", ProtectsLess),
        ("counts_per_year = 2", "counts_per_year = 1", "release.counted-once.counts_per_year", ProtectsMore),
        ("counts_lifetime = 8", "counts_lifetime = 9", "release.counted-once.counts_lifetime", ProtectsLess),
        ("counts_lifetime = 8", "counts_lifetime = 7", "release.counted-once.counts_lifetime", ProtectsMore),
        ("= 5 ", "= 6 ", "release.counted-once.min_partners", ProtectsMore),
        ("= 5 ", "= 4 ", "release.counted-once.min_partners", ProtectsLess),
        (
            "keys_per_person_max = 2",
            "keys_per_person_max = 3",
            "framework.secure.keys_per_person_max",
            Unordered,
        ),
    ];
    for (from, to, rule, direction) in steps {
        let diff = crate::diff(Some(&old), &layers(&changed(from, to))).unwrap();
        let told = diff.changes.iter().map(|c| (c.rule.as_str(), c.direction)).collect::<Vec<_>>();
        assert_eq!(told, [(rule, direction)], "{to}");
        let kinds = match direction {
            ProtectsLess => diff.weaker.count,
            ProtectsMore => diff.stronger.count,
            _ => diff.otherwise.count,
        };
        // Only the one share's kinds: with no filter, and with one of its two columns.
        assert_eq!(kinds, KINDS, "{to}");
        assert_eq!([diff.weaker.count, diff.stronger.count, diff.otherwise.count].iter().sum::<u64>(), KINDS);
    }
}

/// No filter; by council and its nation; by disability.
const KINDS: u64 = 4;
