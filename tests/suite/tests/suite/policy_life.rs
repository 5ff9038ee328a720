//! A federation of ten changes policy, brakes and expires while it runs.

use serde_json::Value;

use crate::harness::federation::{EVERYDAY, Federation, Partner, dated, now};
use crate::harness::people::{FIFE, people};
use crate::harness::program::wait_for;

/// Three made-up members who may loosen together.
const THREE: [&str; 3] = ["convener", "siro", "dpo"];

const PARTNERS: [&str; 10] = ["pa", "pb", "pc", "pd", "pe", "pf", "pg", "ph", "pi", "pj"];

#[test]
fn ten_nodes_change_policy_brake_and_expire_without_a_restart_and_each_refusal_names_its_rule() {
    let partners = PARTNERS.map(|id| Partner::new(id, people(id, 20, FIFE, "F")));
    let federation = Federation::start(&partners);
    let all_answered = || PARTNERS.map(|id| format!("{id} answered {id}-sharing@7"));
    assert_eq!(lines(&federation), all_answered());
    loosening_needs_its_quorum(&federation);
    tightening_needs_one(&federation);
    brake_and_expiry_refuse(&federation);
    let mut expected = all_answered().to_vec();
    expected[0] = "pa answered pa-sharing@8".to_owned();
    expected[1] = "pb answered pb-sharing@8".to_owned();
    expected[2] = "pc refused brake.pause_all pc-sharing@7".to_owned();
    expected[3] = "pd refused policy.expires pd-sharing@8".to_owned();
    wait_for("every change", || (lines(&federation) == expected).then_some(()));
    the_coordinator_shows_them(&federation);
}

fn loosening_needs_its_quorum(federation: &Federation) {
    let more = |text: String| text.replace("tables_per_day = 100", "tables_per_day = 200");
    federation.next_policy("pa", &["convener", "siro"], more);
    let turned_away = |entry: &Value| entry["kind"] == "policy" && entry["code"] == "CN528";
    wait_for("too few signatures to be turned away", || {
        let says = federation.cairn(&["node", "status", "--node", "pa"]).exits(0).out;
        says.contains("missing dpo").then_some(())
    });
    assert!(federation.audit("pa").iter().any(turned_away));
    assert_eq!(lines(federation)[0], "pa answered pa-sharing@7", "the one before stays");
    federation.approve("pa", &THREE);
    wait_for("enough signatures", || (lines(federation)[0] == "pa answered pa-sharing@8").then_some(()));
}

fn tightening_needs_one(federation: &Federation) {
    federation
        .next_policy("pb", &["dpo"], |text| text.replace("tables_per_day = 100", "tables_per_day = 99"));
    wait_for("a tightening", || (lines(federation)[1] == "pb answered pb-sharing@8").then_some(()));
}

fn brake_and_expiry_refuse(federation: &Federation) {
    let today = now().day_utc();
    federation.edit("pc/policy/local-brake.toml", |text| {
        text.replace("pause_all        = false", "pause_all = true")
    });
    federation.next_policy("pd", &["dpo"], |text| dated(text, today.plus_days(-60), today.plus_days(-2)));
}

fn the_coordinator_shows_them(federation: &Federation) {
    let shown = || -> Option<Vec<String>> {
        let status = federation.cairn(&["coordinator", "status", "--config", "coordinator/coordinator.toml"]);
        let status: Value = serde_json::from_str(&status.out).ok()?;
        let card = |card: &Value| {
            let policy = &card["policy"];
            let statement = &policy["statement"];
            format!(
                "{}@{} paused {}",
                statement["id"].as_str().unwrap(),
                statement["version"],
                policy["paused"]
            )
        };
        Some(status["policies"].as_array()?.iter().map(card).take(4).collect())
    };
    let expected = [
        "pa-sharing@8 paused false",
        "pb-sharing@8 paused false",
        "pc-sharing@7 paused true",
        "pd-sharing@8 paused false",
    ];
    wait_for("the cards", || (shown()? == expected).then_some(()));
}

/// `pa answered pa-sharing@7`: each partner's standing, its first rule where it refused, and the policy that decided.
fn lines(federation: &Federation) -> Vec<String> {
    let (_, answer) = federation.ask_json("people by council", EVERYDAY);
    let line = |line: &Value| {
        let standing = match &line["standing"] {
            Value::String(word) => word.clone(),
            other => format!("refused {}", other["refused"][0]["rule"].as_str().unwrap_or("?")),
        };
        let policy = &line["policy"];
        let decided = format!("{}@{}", policy["id"].as_str().unwrap_or("none"), policy["version"]);
        format!("{} {standing} {decided}", line["partner"].as_str().unwrap())
    };
    answer["coverage"]["partners"].as_array().unwrap().iter().map(line).collect()
}
