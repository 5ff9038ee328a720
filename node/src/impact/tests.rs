use super::*;
use crate::fixture::Folders;
use cairn_engine::Limits;
use cairn_policy::{File, Sources};

fn layers(folders: &Folders) -> Layers {
    let read =
        |name: &str| File::new(name, std::fs::read_to_string(folders.policy_dir().join(name)).unwrap());
    let (framework, policy) = (read("framework.toml"), read("policy.toml"));
    Layers::load(&Sources { framework, policy, brake: None }).unwrap()
}

/// One line a row of the tables by sex, on so many people, two in three of them women.
async fn check(people: usize, change: impl FnOnce(String) -> String, expected: &[&str]) -> Impact {
    let folders = Folders::new();
    folders.write_policy(change);
    folders.load(people, "2026-03-31");
    let snapshot = Store::open(folders.data_dir()).unwrap().current().unwrap().unwrap();
    let engine = Engine::new(Limits::default()).unwrap();
    let day = "2026-06-15".parse().unwrap();
    let impact = impact(&layers(&folders), &snapshot, &engine, day).await.unwrap();
    let by_sex = impact.rows.iter().filter(|r| r.characteristic == "sex" && r.area.is_none());
    let by_sex = by_sex.filter(|r| r.share.as_str().ends_with("-people"));
    let line = |r: &ImpactRow| {
        let CellShares { cells, with_somebody, withheld, error_per_mille } = r.cells;
        format!("{} {cells} {with_somebody} {withheld} {error_per_mille:?}", r.share)
    };
    assert_eq!(by_sex.map(line).collect::<Vec<_>>(), expected);
    assert!(!folders.path("ledger.sqlite").exists(), "the ledger is not touched");
    impact
}

#[tokio::test]
async fn small_groups_are_withheld_and_noise_withholds_nothing() {
    let plain = |share: &str, withheld: u32| format!("{share} 3 2 {withheld} None");
    // 40 women and 20 men; then 8 and 4: the men are withheld; then 4 and 2.
    for (people, withheld, noise) in [(60, 0, 346), (12, 1, 1_732), (6, 2, 3_465)] {
        let equalities = format!("equalities-people 3 2 0 Some({noise})");
        let expected = [plain("smf-people", withheld), equalities, plain("local-people", withheld)];
        let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
        check(people, |text| text, &expected).await;
    }
}

#[tokio::test]
async fn every_share_is_crossed_with_its_area_and_no_number_of_people_is_said() {
    let impact = check(
        12,
        |text| text,
        &["smf-people 3 2 1 None", "equalities-people 3 2 0 Some(1732)", "local-people 3 2 1 None"],
    )
    .await;
    let row = |share: &str, words: &str, area: Option<&str>| {
        let found = impact
            .rows
            .iter()
            .find(|r| r.share.as_str() == share && r.characteristic == words && r.area.as_deref() == area);
        found.unwrap_or_else(|| panic!("{share} {words} {area:?}")).cells
    };
    let crossed = row("smf-people", "sex", Some("council_code"));
    assert!(crossed.cells > 90 && crossed.withheld == 1, "{crossed:?}");
    row("smf-people", "age", None);
    row("equalities-people", "disability", Some("council_code"));
    assert!(impact.rows.iter().all(|r| !["race", "religion or belief"].contains(&r.characteristic.as_str())));
    let paper = impact.for_paper();
    assert_eq!((paper.as_of, paper.rows.len()), (impact.as_of, impact.rows.len()));
    let words: Vec<String> = impact.rows.iter().map(ImpactRow::words).collect();
    assert!(words.contains(&"sex, by council_code".to_owned()), "{words:?}");
    assert!(words.contains(&"sex; noise typically moves a cell by half or more".to_owned()), "{words:?}");
    // The export feeds no starts and no outcomes, and what leaves in a total only has no table of its own.
    let left_out: Vec<&str> = impact.left_out.iter().map(|s| s.as_str()).collect();
    assert!(["smf-starts", "national-people"].iter().all(|s| left_out.contains(s)), "{left_out:?}");
    assert!(impact.rows.iter().all(|r| !left_out.contains(&r.share.as_str())), "{left_out:?}");
}

#[tokio::test]
async fn a_total_is_left_out_since_its_own_table_never_leaves() {
    let total = |text: String| {
        text.replace("profile = \"sub-national-8-5\"", "profile = \"sub-national-8-5\"\nmin_partners = 3")
    };
    let impact = check(60, total, &["equalities-people 3 2 0 Some(346)"]).await;
    assert!(impact.left_out.iter().any(|s| s.as_str() == "smf-people"), "{:?}", impact.left_out);
}

#[tokio::test]
async fn the_policy_must_be_the_records_own() {
    let folders = Folders::new();
    folders.write_policy(|text| text);
    folders.load(6, "2026-03-31");
    let of_this = layers(&folders);
    folders.write_policy(|text| text.replace("= \"strathcarron-council\"", "= \"fife-council\""));
    let snapshot = Store::open(folders.data_dir()).unwrap().current().unwrap().unwrap();
    let engine = Engine::new(Limits::default()).unwrap();
    let day = of_this.in_force().0;
    let other = impact(&layers(&folders), &snapshot, &engine, day).await;
    assert!(matches!(other, Err(ImpactFault::OtherPartner { .. })), "{other:?}");
    assert!(impact(&of_this, &snapshot, &engine, day).await.is_ok());
}

#[test]
fn how_far_noise_moves_a_cell_does_not_say_how_many_are_in_it() {
    // ε = 0.2: half of all draws are within 3.47. So many people in a cell, and what the paper says of it.
    let check = |people: u64, by: &str| {
        assert_eq!(moved(3_466 / people), format!("; noise typically moves a cell by {by}"), "{people}");
    };
    let bands =
        [(1..=6, "half or more"), (7..=17, "20 to 50 %"), (18..=69, "5 to 20 %"), (70..=346, "1 to 5 %")];
    for (people, by) in bands {
        people.for_each(|n| check(n, by));
    }
    check(347, "less than 1 %");
    check(100_000, "less than 1 %");
}

#[test]
fn the_characteristics_are_columns_of_the_dictionary_each_once() {
    let names: Vec<String> = characteristics().into_iter().map(|(column, _)| column).collect();
    let columns = &Schema::smf().table("participants").unwrap().columns;
    for name in &names {
        assert!(columns.iter().any(|c| c.name == *name), "{name}");
        assert_eq!(names.iter().filter(|n| *n == name).count(), 1, "{name}");
    }
    assert!(names.len() > CHARACTERISTICS.len() + BESIDE.len());
}
