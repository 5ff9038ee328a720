//! The same seed gives the same bytes; totals come near the published ones; and the truth file agrees with a count made from
//! the exports alone, through the mapping files, by code that knows nothing of how they were made.

mod recount;

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use cairn_question::Day;

fn small(seed: u64) -> Spec {
    Spec { seed, people: 600, ..Spec::demo() }
}

/// Every file below a folder with its bytes.
fn bytes(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            files.extend(bytes(&path).into_iter().map(|(file, bytes)| (format!("{name}/{file}"), bytes)));
        } else {
            files.insert(name, fs::read(&path).unwrap());
        }
    }
    files
}

fn made(spec: &Spec) -> (tempfile::TempDir, Truth) {
    let folder = tempfile::tempdir().unwrap();
    let truth = generate(spec, folder.path()).unwrap();
    (folder, truth)
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let (first, second, other) = (made(&small(7)).0, made(&small(7)).0, made(&small(8)).0);
    assert!(bytes(first.path()) == bytes(second.path()));
    assert!(bytes(first.path()) != bytes(other.path()));
}

/// The hash of a small set, so that a change of the generator, or a machine that makes other bytes, shows.
#[test]
fn the_bytes_are_those_of_every_machine() {
    let (folder, _) = made(&small(1));
    let mut all = Vec::new();
    for (name, bytes) in bytes(folder.path()) {
        all.extend(name.as_bytes());
        all.extend(bytes);
    }
    insta::assert_snapshot!(cairn_question::Hash::of(&all).to_string());
}

#[test]
fn the_truth_is_what_the_exports_hold() {
    let (folder, truth) = made(&Spec { people: 3_000, ..Spec::demo() });
    for (partner, own) in &truth.partners {
        let counted = recount::partner(&folder.path().join(partner));
        let told = serde_json::to_value(own).unwrap();
        for (what, number) in counted.as_object().unwrap() {
            assert_eq!(number, &told[what], "{partner}: {what}");
        }
    }
    let numbers = truth.partners.keys().flat_map(|p| recount::numbers(&folder.path().join(p)));
    let numbers: std::collections::BTreeSet<String> = numbers.collect();
    assert_eq!(u64::try_from(numbers.len()).unwrap(), truth.all.people_with_number);
}

/// What a partner's node does with its export: every row loads, and the snapshot holds the rows that the truth has.
#[test]
fn every_export_loads_whole() {
    let (folder, truth) = made(&Spec { people: 2_000, ..Spec::demo() });
    let stores = tempfile::tempdir().unwrap();
    for (partner, own) in &truth.partners {
        let export = folder.path().join(partner);
        let text = fs::read_to_string(export.join("mapping.toml")).unwrap();
        let mapping = cairn_records::Mapping::parse("mapping.toml", &text)
            .unwrap_or_else(|r| panic!("{partner}: {:?}", r.problems));
        let store = cairn_records::Store::open(stores.path().join(partner)).unwrap();
        let now = cairn_question::Moment::from_unix_s(1_760_000_000);
        let staged = cairn_records::load::check_and_stage(&store, &mapping, &export, now)
            .unwrap_or_else(|r| panic!("{partner}: {:?}", r.problems));
        for problem in &staged.report().problems {
            assert_eq!(problem.effect, cairn_records::Effect::CellUnknown, "{partner}: {problem:?}");
        }
        let rows = |table: &str| staged.manifest().tables[table].rows;
        let held = (rows("participants"), rows("engagements"), rows("outcomes"));
        assert_eq!(held, (own.people, own.starts, own.outcomes), "{partner}");
    }
}

#[test]
fn people_and_returns_make_the_starts() {
    let (_folder, truth) = made(&Spec::demo());
    for (partner, own) in &truth.partners {
        assert_eq!(own.people + own.returns, own.starts, "{partner}");
    }
}

fn near(what: &str, got: u64, of: u64, per_1000: u64, within: u64) {
    let here = got * 1_000 / of;
    assert!(here.abs_diff(per_1000) <= within, "{what}: {here} in 1,000, not {per_1000} ± {within}");
}

#[test]
fn the_demo_comes_near_the_published_totals() {
    let (_folder, truth) = made(&Spec::demo());
    let all = &truth.all;
    assert_eq!(all.people_made_up, 8_000);
    assert!(all.people > 7_900, "{} people counted", all.people);
    // Dundee 3,133, Angus 1,273, Perth and Kinross 2,499, Fife 6,202 and Orkney 294 of 13,401.
    for (council, published) in [
        ("S12000042", 3_133),
        ("S12000041", 1_273),
        ("S12000048", 2_499),
        ("S12000047", 6_202),
        ("S12000023", 294),
    ] {
        near(council, all.by_council[council], all.people, published * 1_000 / 13_401, 6);
    }
    near("disabled", all.by_disabled["yes"], all.people, 175, 12);
    near("not disabled", all.by_disabled["no"], all.people, 686, 15);
    near("not known", all.by_disabled["unknown"], all.people, 139, 12);
    // 22 % of 17.5, 36 % of 68.6 and 30 % of 13.9 %.
    near("into work", all.people_into_work, all.people, 330, 30);
    let at_one = all.people_at_partners["1"];
    near("at more than one partner", all.people - at_one, all.people, 275, 75);
}

#[test]
fn follow_ups_come_near_the_published_shares() {
    let (_folder, truth) = made(&Spec::demo());
    let councils = ["dundee-city", "angus", "perth-and-kinross", "fife", "orkney-islands"];
    for (week, published) in [("week4", 569), ("week13", 415), ("week26", 365), ("week52", 256)] {
        let years = || councils.iter().flat_map(|c| truth.partners[*c].follow_ups_by_year.values());
        let sum = |wanted: &dyn Fn(&str) -> bool| -> u64 {
            years().flat_map(|y| &y.by_status[week]).filter(|(s, _)| wanted(s)).map(|(_, n)| n).sum()
        };
        let (due, in_work) = (sum(&|s| s != "not_due"), sum(&|s| s == "in_employment"));
        near(week, in_work, due, published, 60);
        let unheard = sum(&|s| matches!(s, "unknown" | "blank"));
        near("not known of the rest", unheard, due - in_work, 900, 30);
    }
}

#[test]
fn an_earlier_export_lacks_the_late_rows() {
    let before = made(&Spec { as_of: Day::new(2025, 6, 30).unwrap(), ..small(1) }).1;
    let after = made(&small(1)).1;
    let starts =
        |t: &Truth| -> u64 { t.partners.values().filter_map(|p| p.starts_by_quarter.get("2025-Q2")).sum() };
    let older =
        |t: &Truth| -> u64 { t.partners.values().filter_map(|p| p.starts_by_quarter.get("2024-Q2")).sum() };
    assert!(starts(&before) < starts(&after), "{} {}", starts(&before), starts(&after));
    assert_eq!(older(&before), older(&after));
}

#[test]
fn exports_have_three_vintages_objections_and_slips() {
    let (folder, truth) = made(&Spec::demo());
    let vintages: std::collections::BTreeSet<&str> =
        truth.partners.values().map(|p| p.template.as_str()).collect();
    assert_eq!(vintages.into_iter().collect::<Vec<_>>(), ["nolb-2020", "smf-2022", "year1"]);
    assert!(truth.partners.values().map(|p| p.objections).sum::<u64>() > 10);
    let fife = fs::read_to_string(folder.path().join("fife/participants_report.csv")).unwrap();
    assert!(fife.contains("31 Feb 1984") && fife.contains("#N/A") && fife.contains("S12000015"));
}

#[test]
fn some_partners_alone_can_be_made() {
    let partners = vec!["orkney-islands".to_owned(), "national-provider".to_owned()];
    let (folder, truth) = made(&Spec { people: 300, partners, ..Spec::demo() });
    assert_eq!(truth.partners.keys().collect::<Vec<_>>(), ["national-provider", "orkney-islands"]);
    assert!(folder.path().join("orkney-islands/mapping.toml").exists());
    // Residence may be written wrongly, never elsewhere.
    assert!(
        truth.partners["national-provider"].by_council.keys().all(|c| c == "S12000023" || c == "unknown")
    );
}

#[test]
fn all_of_scotland_has_every_council() {
    let spec = Spec { people: 5_000, ..Spec::full_scale() };
    let (_folder, truth) = made(&spec);
    assert_eq!(truth.partners.len(), 41);
    assert_eq!(truth.all.by_council.len(), 32);
}

fn refused(spec: &Spec, code: &str, says: &str) {
    let folder = tempfile::tempdir().unwrap();
    let error = generate(spec, folder.path()).unwrap_err();
    assert_eq!((error.code(), error.to_string().contains(says)), (code, true), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_wrong_spec_makes_nothing() {
    refused(&Spec { partners: vec!["dundee".into()], ..small(1) }, "CG201", "did you mean `dundee-city`?");
    refused(&Spec { people: 9, ..small(1) }, "CG202", "10 to 1,000,000");
    refused(&Spec { as_of: Day::new(2019, 1, 1).unwrap(), ..small(1) }, "CG202", "2019-07-01");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("here");
    fs::write(&file, "a file").unwrap();
    assert_eq!(generate(&small(1), &file).unwrap_err().code(), "CG203");
}
