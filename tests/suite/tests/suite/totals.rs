//! Secure totals over a real federation: what everybody sees of one, what nobody sees, and what becomes of a partner that is gone.

use std::num::NonZeroU64;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cairn_question::Scaling;
use cairn_question::privacy::GaussianLoss;
use serde_json::Value;

use crate::answers::{combined, standings};
use crate::harness::federation::{EQUALITIES, EVERYDAY, Federation, Partner};
use crate::harness::people::{ANGUS, FIFE, people};
use crate::harness::program::{Done, wait_for};

/// Terms for a federation of six, of whom one may collude: four or more answer.
pub(crate) const SIX: [(&str, &str); 4] = [
    ("colluding_max       = 10", "colluding_max       = 1"),
    ("answering_min       = 22", "answering_min       = 4"),
    ("invited_min         = 32", "invited_min         = 6"),
    ("epsilon_max_per_table = 0.5", "epsilon_max_per_table = 2.5"),
];

/// Every table of the council policy leaves as a total only; that of people who start under Gaussian noise, so narrow that counts are scaled for it.
const TOTALS: [(&str, &str); 4] = [
    (
        "mechanism = \"discrete-laplace\"\nepsilon   = 0.1\ngroups_per_person = 2",
        "mechanism = \"discrete-gaussian\"\nepsilon   = 2.5\ngroups_per_person = 2",
    ),
    ("epsilon_per_year = 1.6", "epsilon_per_year = 4.0"),
    ("method  = \"suppress-round\"\n", "method  = \"suppress-round\"\nmin_partners = 3\n"),
    ("method    = \"dp\"\n", "method    = \"dp\"\nmin_partners = 3\n"),
];

/// Every table of the council policy leaves as a total only, as the shipped policy protects it.
pub(crate) const AS_SHIPPED: [(&str, &str); 2] = [
    ("method  = \"suppress-round\"\n", "method  = \"suppress-round\"\nmin_partners = 3\n"),
    ("method    = \"dp\"\n", "method    = \"dp\"\nmin_partners = 3\n"),
];

/// The shipped framework, whose totals are of thirty-two.
const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies/framework/framework.toml");

pub(crate) const PARTNERS: [&str; 6] = ["angus", "dundee", "fife", "moray", "orkney", "perth"];

/// Who has a seat once one has joined and one has left.
const SEATED: &str = "angus,dundee,fife,orkney,perth,stirling";

/// Three people of Angus at each, whom each would withhold, and twenty of Fife.
fn partner(id: &'static str) -> Partner {
    Partner {
        policy: TOTALS.to_vec(),
        framework: SIX.to_vec(),
        ..Partner::new(id, [people(&id[..2], 3, ANGUS, "F"), people(&id[1..3], 20, FIFE, "M")].concat())
    }
}

fn federation() -> Federation {
    Federation::start_with(&PARTNERS.map(partner), "round_deadline_s = 10\noffline_wait_s = 3")
}

/// Whatever was answered before: tests ask one thing many times.
pub(crate) fn total<'a>(protection: &'a str, framework: &'a str, who: &[&'a str]) -> Vec<&'a str> {
    [who, &["--again", "--total", protection, "--framework", framework]].concat()
}

#[test]
fn a_total_counts_what_every_partner_would_withhold_and_shows_no_partners_figure() {
    let mut federation = federation();
    let framework = federation.path("fife/policy/framework.toml").display().to_string();
    rounded_on_the_total(&federation, &framework);
    noise_of_all_together(&federation, &framework);
    bell_curve_of_all_together(&federation, &framework);
    nobody_gives_its_own_table(&federation);
    nobody_takes_another_number_of_colluders(&federation);
    a_partner_that_is_gone_is_not_in_it(&mut federation, &framework);
    a_partner_joins_and_one_leaves_and_nobody_restarts(&mut federation, &framework);
}

fn rounded_on_the_total(federation: &Federation, framework: &str) {
    let words = total("round=8,5", framework, EVERYDAY);
    let (code, answer) = federation.ask_json("people by council as of 2026-01-01", &words);
    assert_eq!(code, 0, "{answer:#}");
    assert_eq!(standings(&answer), PARTNERS.map(|p| format!("{p} answered")));
    // Six times three, which each would withhold, and six times twenty.
    assert_eq!(combined(&answer, ANGUS), r#"{"cell":20,"least":18,"most":22,"parts_withheld":0}"#);
    assert_eq!(combined(&answer, FIFE), r#"{"cell":120,"least":118,"most":122,"parts_withheld":0}"#);
    let usual = federation
        .ask_json("people by council as of 2026-01-01", &[EVERYDAY, &["--framework", framework]].concat());
    assert_eq!(usual.1["combined"], answer["combined"], "what is asked for when nobody says");
    assert_eq!(usual.1["coverage"]["total"]["treatment"]["min_people"], 8, "{:#}", usual.1);
    let published = &answer["coverage"]["total"];
    assert_eq!(published["partners"].as_array().unwrap().len(), 6);
    assert_eq!(published["colluding_max"], 1);
    assert!(answer["answers"].as_object().unwrap().is_empty(), "nobody gave a table of its own");
    for partner in PARTNERS {
        assert_eq!(answer["sealed"][partner]["opening"], published["opening"], "{partner}");
        assert!(answer["sealed"][partner].get("table").is_none());
    }
    an_auditor_recomputes(federation, "rounded", &answer, framework);
    what_was_changed_is_found(federation, "rounded", &answer);
    // The same partners again: another table of the same snapshot.
    let (code, again) = federation.ask_json("people as of 2026-01-01", &words);
    assert_eq!((code, &again["combined"]["cells"][0]["cell"]), (0, &Value::from(140)));
}

fn noise_of_all_together(federation: &Federation, framework: &str) {
    let words = total("dp=0.1", framework, EQUALITIES);
    let (code, answer) = federation.ask_json("people by disabled", &words);
    assert_eq!(code, 0, "{answer:#}");
    let treatment = &answer["coverage"]["total"]["treatment"];
    assert_eq!(treatment["method"], "dp");
    let within = treatment["plus_minus_95"].as_i64().unwrap();
    let cells = answer["combined"]["cells"].as_array().unwrap();
    // 138 people in all. Eight times the half-width is passed once in many millions of years.
    let sum: i64 = cells.iter().map(|cell| cell["cell"].as_i64().unwrap()).sum();
    let cells = i64::try_from(cells.len()).unwrap();
    assert!((sum - 138).abs() <= 8 * within * cells, "{sum} within {within}");
    an_auditor_recomputes(federation, "noisy", &answer, framework);
    let table = federation.ask("people by disabled", &words).out;
    assert!(table.contains("nobody sees the figures of any of the 6 partners"), "{table}");
}

/// Of people who start, each in up to two cells. The policy's ε is 2.5 at δ = 10⁻⁶.
fn bell_curve_of_all_together(federation: &Federation, framework: &str) {
    const STARTERS: &str = "people by disabled, year from 2024-25 to 2025-26";
    let loss = GaussianLoss::at("2.5".parse().unwrap(), 1_000_000).unwrap();
    let scaling = Scaling::least(loss.of_noise(), NonZeroU64::new(2).unwrap(), 5).unwrap();
    assert_eq!(scaling.factor(), 2, "five honest partners' shares are too narrow for unscaled counts");
    let words = total("gauss=2.5,2", framework, EQUALITIES);
    let (code, answer) = federation.ask_json(STARTERS, &words);
    assert_eq!(code, 0, "{answer:#}");
    let treatment = &answer["coverage"]["total"]["treatment"];
    assert_eq!((&treatment["method"], &treatment["mechanism"]), (&"dp".into(), &"discrete-gaussian".into()));
    let rho = loss.rho().nano();
    let said = serde_json::json!({"rho": rho, "l2_squared": 2, "delta_trillionths": 1_000_000});
    assert_eq!((&treatment["concentrated"], &treatment["epsilon"]), (&said, &2_500_000.into()));
    for partner in PARTNERS {
        assert_eq!(answer["sealed"][partner]["privacy"]["charged"], rho, "{partner}");
    }
    let within = treatment["plus_minus_95"].as_i64().unwrap();
    assert!((4..10).contains(&within), "1.96·√(1 ÷ ρ)·√(6/5) and a half: {within}");
    let cells = answer["combined"]["cells"].as_array().unwrap();
    let sum: i64 = cells.iter().map(|cell| cell["cell"].as_i64().unwrap()).sum();
    let cells = i64::try_from(cells.len()).unwrap();
    assert!((sum - 138).abs() <= 8 * within * cells, "{sum} within {within}");
    an_auditor_recomputes(federation, "bell", &answer, framework);
    let mut changed = answer.clone();
    let first = changed["combined"]["cells"][0]["cell"].as_i64().unwrap();
    changed["combined"]["cells"][0]["cell"] = (first + 1).into();
    write_json(federation, "changed.json", &changed);
    recompute(federation, "bell.transcript", "changed.json", &[]).exits(6).says("CC604");
    let table = federation.ask(STARTERS, &words).out.replace('\n', " ");
    for says in ["(ε = 2.5 at δ = 1e-6)", "The ε of several tables is what that sum is at δ"] {
        assert!(table.contains(says), "{table}");
    }
    // More than the policy's ρ, the other kind of noise, noise for one cell a person.
    for (protection, code) in [("gauss=2.6,2", "CN021"), ("dp=0.1,2", "CN021"), ("gauss=2.5", "CN022")] {
        federation.ask(STARTERS, &total(protection, framework, EQUALITIES)).exits(3).says(code);
    }
}

/// The transcript and the published answer as files, and the auditor's command on them.
fn recompute(federation: &Federation, transcript: &str, answer: &str, more: &[&str]) -> Done {
    let key = ["--federation-key", "identity/fife/federation.pub", "--answer", answer];
    federation.cairn(&[&["audit", "recompute", transcript], &key[..], more].concat())
}

fn hand_out(federation: &Federation, question: &str, file: &str) -> Done {
    let words = ["coordinator", "transcript", "--config", "coordinator/coordinator.toml"];
    federation.cairn(&[&words[..], &["--question", question, "--out", file]].concat())
}

fn write_json(federation: &Federation, file: &str, value: &Value) {
    std::fs::write(federation.path(file), value.to_string()).unwrap();
}

pub(crate) fn an_auditor_recomputes(federation: &Federation, name: &str, answer: &Value, framework: &str) {
    let (transcript, published) = (format!("{name}.transcript"), format!("{name}.json"));
    write_json(federation, &published, answer);
    // The coordinator runs.
    hand_out(federation, answer["id"].as_str().unwrap(), &transcript).exits(0);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = federation.path(&transcript).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    for more in [&["--framework", framework][..], &[]] {
        let done = recompute(federation, &transcript, &published, more).exits(0);
        let total = &answer["coverage"]["total"]["partners"];
        let names: Vec<&str> = total.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        let (many, names) = (names.len(), names.join(", "));
        done.says(&format!("the published figures are what {many} partners signed: {names}"));
    }
}

/// `rounded` was handed out and is borne out.
fn what_was_changed_is_found(federation: &Federation, rounded: &str, answer: &Value) {
    let (transcript, published) = (format!("{rounded}.transcript"), format!("{rounded}.json"));
    // One byte of the transcript: of a vector, of an opening, of its form; then the register, under another key.
    let check = |at: &dyn Fn(&[u8]) -> usize, code: &str| {
        let mut file: Value = serde_json::from_str(&federation.read(&transcript)).unwrap();
        let mut bytes = STANDARD.decode(file["transcript"].as_str().unwrap()).unwrap();
        let at = at(&bytes);
        bytes[at] ^= 1;
        file["transcript"] = STANDARD.encode(bytes).into();
        write_json(federation, "changed.transcript", &file);
        recompute(federation, "changed.transcript", &published, &[]).exits(6).says(code);
    };
    check(&first_vector, "CM212");
    check(&|bytes| bytes.len() - 1, "CM302");
    check(&|_| 0, "CM401");
    let other = ["--federation-key", "identity/fife/signing.pub", "--answer", &published];
    federation.cairn(&[&["audit", "recompute", &transcript], &other[..]].concat()).exits(6).says("CC201");
    // One figure of the answer, or of what the coordinator signed; what it says of itself; another answer.
    let check = |change: &dyn Fn(&mut Value), exit: i32, says: &str| {
        let mut changed = answer.clone();
        change(&mut changed);
        write_json(federation, "changed.json", &changed);
        recompute(federation, &transcript, "changed.json", &[]).exits(exit).says(says);
    };
    check(&|a| a["combined"]["cells"][0]["cell"] = 5.into(), 6, "CC604");
    check(&|a| a["coverage"]["combined"]["cells"][0]["cell"] = "c".into(), 6, "CC604");
    let swap =
        |a: &mut Value| a["coverage"]["total"]["transcript"] = a["coverage"]["total"]["opening"].clone();
    check(&swap, 6, "CC603");
    check(&|a| drop(a["coverage"]["total"]["partners"].as_array_mut().unwrap().pop()), 6, "CC603");
    check(&|a| drop(a.as_object_mut().unwrap().remove("coverage")), 5, "CC602");
    // The shipped framework is for thirty-two.
    recompute(federation, &transcript, &published, &["--framework", SHIPPED]).exits(6).says("CM115");
    hand_out(federation, &"0".repeat(64), "none.transcript").exits(1).says("CC117");
}

/// Where the first partner's vector begins: after version, attempt, manifest and set, each with its length before it.
fn first_vector(bytes: &[u8]) -> usize {
    let length =
        |at: usize| usize::try_from(u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())).unwrap();
    let members = 2 + 4 + length(2);
    members + 4 + length(members) + 4
}

/// Terms for a federation of four, of whom one may collude.
const FOUR: [(&str, &str); 3] = [
    ("colluding_max       = 10", "colluding_max       = 1"),
    ("answering_min       = 22", "answering_min       = 3"),
    ("invited_min         = 32", "invited_min         = 4"),
];

/// The plain tables of the council policy leave in totals only, of counts that every node has changed.
const CHANGED: (&str, &str) = (
    "method  = \"suppress-round\"\nprofile = \"sub-national-8-5\"",
    "method  = \"cell-key\"\nptable  = \"framework:d3-total\"\nmin_partners = 3\nprofile = \"census-cell-key\"",
);

/// Four partners with 4 women and 9 men of Angus, 30 women and 20 men of Fife each.
#[test]
fn a_total_of_counts_that_every_partner_changed_is_seen_exact_by_nobody() {
    const COUNCILS: [&str; 4] = ["angus", "dundee", "fife", "moray"];
    let records = |id: &'static str| {
        let groups = [(4, ANGUS, "F"), (9, ANGUS, "M"), (30, FIFE, "F"), (20, FIFE, "M")];
        let people = |(at, (count, council, sex)): (usize, (usize, &'static str, &'static str))| {
            people(&format!("{}{at}", &id[..2]), count, council, sex)
        };
        Partner {
            policy: vec![CHANGED],
            framework: FOUR.to_vec(),
            ..Partner::new(id, groups.into_iter().enumerate().flat_map(people).collect())
        }
    };
    let federation =
        Federation::start_with(&COUNCILS.map(records), "round_deadline_s = 10\noffline_wait_s = 3");
    let framework = federation.path("fife/policy/framework.toml").display().to_string();
    let words = total("cell-key=5,1", &framework, EVERYDAY);
    let cells = |text: &str| {
        let (code, answer) = federation.ask_json(text, &words);
        assert_eq!(code, 0, "{answer:#}");
        answer
    };
    let answer = cells("people by council, sex as of 2026-01-01");
    assert_eq!(standings(&answer), COUNCILS.map(|p| format!("{p} answered")));
    let off = &answer["coverage"]["total"]["treatment"]["total"];
    assert_eq!(off["partners"], 4);
    // √(4 · 514 ÷ 256).
    assert_eq!((&off["standard_error_thousandths"], &off["plus_minus_95"]), (&2_834.into(), &6.into()));
    // Each partner changes a count by at most 3. Those that nobody is in stay as they are.
    let shown: Vec<i64> =
        answer["combined"]["cells"].as_array().unwrap().iter().filter_map(|c| c["cell"].as_i64()).collect();
    let mut near: Vec<i64> = shown.iter().copied().filter(|n| *n != 0).collect();
    near.sort_unstable();
    assert_eq!(near.len(), 4, "{answer:#}");
    assert!(near.iter().zip([16, 36, 80, 120]).all(|(n, exact)| n.abs_diff(exact) <= 12), "{near:?}");
    an_auditor_recomputes(&federation, "changed-at-nodes", &answer, &framework);
    // The same people are changed alike whenever they are asked for.
    assert_eq!(cells("people by council, sex as of 2026-01-01")["combined"], answer["combined"]);
    // Nobody has the exact ones: that all of nine different groups came out unchanged has a chance below one in ten million.
    let figures = |text: &str| -> Vec<i64> {
        let all = cells(text)["combined"]["cells"].as_array().unwrap().clone();
        all.iter().filter_map(|c| c["cell"].as_i64()).filter(|n| *n != 0).collect()
    };
    let [councils, sexes, everybody] = ["people by council", "people by sex", "people"]
        .map(|text| figures(&format!("{text} as of 2026-01-01")));
    let unchanged = near == [16, 36, 80, 120]
        && (councils.iter().sum::<i64>(), sexes.iter().sum::<i64>(), everybody[0]) == (252, 252, 252);
    assert!(!unchanged, "{near:?} {councils:?} {sexes:?} {everybody:?}");
    let table = federation.ask("people by sex as of 2026-01-01", &words).out;
    for says in ["nobody sees an exact total", "the standard error of a cell is at most 2.834"] {
        assert!(table.replace('\n', " ").contains(says), "{table}");
    }
}

/// Five partners, of whom the first exact total of the day was of four: the fifth is ready as well, and has no part in the next.
#[test]
fn who_is_ready_and_not_in_a_total_keeps_nobody_waiting() {
    const IN_IT: [&str; 4] = ["angus", "dundee", "fife", "moray"];
    let partners = [&IN_IT[..], &["orkney"]].concat();
    let partners: Vec<Partner> = partners
        .into_iter()
        .map(|id| Partner { policy: AS_SHIPPED.to_vec(), framework: FOUR.to_vec(), ..partner(id) })
        .collect();
    let federation = Federation::start_with(&partners, "round_deadline_s = 10\noffline_wait_s = 3");
    let framework = federation.path("fife/policy/framework.toml").display().to_string();
    let words = total("round=8,5", &framework, EVERYDAY);
    let four = IN_IT.join(",");
    let first = [&words[..], &["--partners", &four]].concat();
    federation.ask("people by council as of 2026-01-01", &first).exits(0);
    let begun = std::time::Instant::now();
    let (code, answer) = federation.ask_json("people by sex as of 2026-01-01", &words);
    assert_eq!(code, 4, "{answer:#}");
    assert_eq!(answer["coverage"]["total"]["partners"], serde_json::json!(IN_IT));
    assert_eq!(standings(&answer)[4], "orkney late");
    // Its manifest is good for two minutes, and it would wait until then.
    assert!(begun.elapsed().as_secs() < 90, "waited {} s", begun.elapsed().as_secs());
}

fn nobody_gives_its_own_table(federation: &Federation) {
    let (code, answer) = federation.ask_json("people by council", EVERYDAY);
    assert_eq!(code, 3, "{answer:#}");
    let refused = &answer["coverage"]["partners"][0]["standing"]["refused"][0];
    assert_eq!(refused["code"], "CN019");
}

fn nobody_takes_another_number_of_colluders(federation: &Federation) {
    // Stricter than the partners' in t alone: of six, five must answer.
    let framework = federation.read("fife/policy/framework.toml");
    let framework = framework.replacen("colluding_max       = 1", "colluding_max       = 2", 1);
    let framework = framework.replacen("answering_min       = 4", "answering_min       = 5", 1);
    std::fs::write(federation.path("other-framework.toml"), framework).unwrap();
    let other = federation.path("other-framework.toml").display().to_string();
    let words = total("dp=0.1", &other, EQUALITIES);
    let (code, answer) = federation.ask_json("people by disabled", &words);
    assert_eq!(code, 3, "{answer:#}");
    for line in answer["coverage"]["partners"].as_array().unwrap() {
        assert_eq!(line["standing"]["refused"][0]["code"], "CM126", "{line:#}");
    }
    federation.ask("people by disabled", &words).exits(3).says("--framework FILE");
}

fn a_partner_that_is_gone_is_not_in_it(federation: &mut Federation, framework: &str) {
    drop(federation.take_node("orkney"));
    let words = total("dp=0.1", framework, EQUALITIES);
    let (code, answer) = federation.ask_json("people by disabled", &words);
    assert_eq!(code, 4, "{answer:#}");
    // Killed, it said no farewell: the coordinator may not have noticed yet when the others have replied.
    assert!(["orkney offline", "orkney late"].contains(&standings(&answer)[4].as_str()), "{answer:#}");
    let partners = answer["coverage"]["total"]["partners"].as_array().unwrap();
    assert_eq!(partners.len(), 5);
    assert!(!partners.contains(&Value::from("orkney")));
    // Without noise the difference to the total of all six would be its own figure: there is none until it is back.
    let rounded = total("round=8,5", framework, EVERYDAY);
    let (code, answer) = federation.ask_json("people by sex as of 2026-01-01", &rounded);
    assert_eq!(code, 1, "{answer:#}");
    assert_eq!(answer["coverage"]["partners"][0]["standing"]["fault"], "CM305", "{answer:#}");
    federation.start_node("orkney");
    federation.wait_connected(&PARTNERS);
    let (code, answer) = federation.ask_json("people by sex as of 2026-01-01", &rounded);
    assert_eq!((code, answer["coverage"]["total"]["partners"].as_array().unwrap().len()), (0, 6));
}

fn a_partner_joins_and_one_leaves_and_nobody_restarts(federation: &mut Federation, framework: &str) {
    let connections = |federation: &Federation| PARTNERS.map(|partner| federation.connections(partner));
    let before = connections(federation);
    federation.join(&partner("stirling"));
    let everyone = [&PARTNERS[..], &["stirling"]].concat();
    federation.wait_connected(&everyone);
    wait_for_the_register(federation, &everyone);
    noisy_total_of(federation, &total("dp=0.1", framework, EQUALITIES), &everyone);

    let withdrawn = federation.cairn(&["authority", "seat", "authority", "--id", "moray", "--withdraw"]);
    withdrawn.exits(0).says("no further one can be made");
    wait_for_the_register(federation, &everyone);
    let words = total("dp=0.1", framework, EQUALITIES);
    federation.ask("people by disabled", &words).exits(1).says("CC214").says("`moray`");
    noisy_total_of(
        federation,
        &[&words[..], &["--partners", SEATED]].concat(),
        &SEATED.split(',').collect::<Vec<_>>(),
    );
    // The first total without noise of that day was of `moray` too.
    let rounded = total("round=8,5", framework, EVERYDAY);
    let without = [&rounded[..], &["--partners", SEATED]].concat();
    federation.ask("people by sex as of 2026-01-01", &without).exits(3).says("CO106").says("`moray`");
    assert_eq!(connections(federation), before, "a node connected again");
    assert!(!everyone.iter().any(|partner| federation.has_ended(partner)));
}

/// Waits until every node has the register that the authority wrote last, from the coordinator.
fn wait_for_the_register(federation: &Federation, partners: &[&str]) {
    let newest = federation.read("authority/register.json");
    wait_for("every node to have the new register", || {
        let has = |partner: &&str| federation.read(&format!("identity/{partner}/register.json")) == newest;
        partners.iter().all(has).then_some(())
    });
}

fn noisy_total_of(federation: &Federation, words: &[&str], partners: &[&str]) {
    let (code, answer) = federation.ask_json("people by disabled", words);
    assert_eq!(code, 0, "{answer:#}");
    assert_eq!(answer["coverage"]["total"]["partners"], serde_json::json!(partners));
}
