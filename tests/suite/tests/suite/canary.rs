//! A partner whose every field holds a marker: no marker ever leaves its own records, and a node that lets one out is caught.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use cairn_link::{Clock, Flights, Handler, NodeIdentity, NodeState, run_node};
use cairn_question::{Hash, Moment, OutcomeV1, Refusal, ReplyV1, SignedAsk};

use crate::harness::analyst::name;
use crate::harness::federation::{EQUALITIES, EVERYDAY, Federation, NAME, Partner, now};
use crate::harness::people::{ANGUS, people};
use crate::harness::program::{Done, wait_for};
use crate::harness::relay::Relay;
use crate::harness::search::{Piece, files, leaks};

/// What begins every marker: ids, names, addresses and codes of the partner's own; National Insurance numbers; data zones; days of
/// birth, start and outcome.
const MARKERS: &[&str] = &["ZQXJV", "JK77", "S010199", "1913-", "17/02/", "2019-05-", "2019-06-1"];

/// How many marked people there are.
const COUNT: usize = 40;

#[test]
fn no_marker_of_a_record_ever_leaves_and_a_node_that_leaks_is_caught() {
    let mut federation = Federation::set_up(
        &[canary_partner(), Partner { config: LOUD, ..Partner::new("angus", people("A", 30, ANGUS, "F")) }],
        LOUD,
    );
    federation.start_coordinator();
    loads_good_and_bad(&federation);
    federation.load("angus").exits(0);
    let hub = federation.path("hub-identity");
    let node = Relay::start(&hub, &federation.path("identity/fife"), &federation.address);
    let analyst = Relay::start(&hub, &federation.path("analyst"), &federation.address);
    federation.start_node("angus");
    federation.start_node_at("fife", &node.address.to_string());
    federation.wait_connected(&["angus", "fife"]);
    let through = analyst.address.to_string();
    questions_answered_and_refused(&federation, &through);
    questions_that_fail(&mut federation, &node, &through);
    the_partner_looks_at_itself(&federation);
    let evidence = evidence(&federation, &[("node", &node), ("analyst", &analyst)]);
    let frames = evidence.iter().filter(|p| p.from.contains("frames")).map(|p| p.bytes.len());
    assert!(frames.sum::<usize>() > 10_000, "frames were recorded");
    assert!(logged(&federation, "fife.log", "INFO") && logged(&federation, "coordinator.log", "DEBUG"));
    assert_eq!(leaks(MARKERS, &evidence), [""; 0]);
    every_marker_is_in_the_records(&federation);
    a_leaking_node_is_caught(&mut federation, &node, &analyst);
}

/// Every step is logged.
const LOUD: &str = "[log]\nlevel = \"debug\"";

fn logged(federation: &Federation, log: &str, level: &str) -> bool {
    federation.read(log).contains(level)
}

fn canary_partner() -> Partner {
    Partner { config: LOUD, ..Partner::new("fife", Vec::new()) }
}

/// Every field that is text holds a marker; every day is one that nobody else has; codes are the dictionary's, which everybody knows.
fn write_canary(folder: &Path) {
    let mut text = "id,nino,forename,surname,born,born_too,sex,zone,disabled,employer,note,started,job_start,job,job_id\n".to_owned();
    let mut staff = "staff,team,assessed,on\n".to_owned();
    for n in 0..COUNT {
        let (sex, day) = (if n % 4 == 0 { "M" } else { "F" }, n % 9 + 1);
        let job = if n % 2 == 0 { format!("yes,2019-06-1{day}") } else { "no,".to_owned() };
        writeln!(
            text,
            "ZQXJVp{n:04},JK77{n:04}C,ZQXJVf{n:04},ZQXJVs{n:04},1913-02-0{day},17/02/1913,{sex},S010199{n:02},Y,ZQXJVe{n:04} Ltd,ZQXJV was seen,2019-05-0{day},{job},ZQXJVj{n:04}"
        )
        .unwrap();
        writeln!(staff, "ZQXJVw{n:04},ZQXJVteam{},none,2019-05-0{day}", n % 3).unwrap();
    }
    let zones: String = (0..COUNT).map(|n| format!("S010199{n:02},{}\n", n % 5 + 1)).collect();
    std::fs::write(folder.join("people.csv"), text).unwrap();
    std::fs::write(folder.join("staff.csv"), staff).unwrap();
    std::fs::write(folder.join("zones.csv"), format!("DataZone,Quintile\n{zones}")).unwrap();
}

const MAPPING: &str = r#"
cairn_mapping = 1
partner = "fife"
as_of = "2026-01-01"
template = "smf-2022"
objections = "held-elsewhere"
confirmed_by = "made-up records"

[source.people]
file = "people.csv"

[source.staff]
file = "staff.csv"

[lookup.simd]
file = "zones.csv"
key = "DataZone"
value = "Quintile"

[table.participants]
source = "people"
linkage = { nino = "nino", composite = ["forename", "surname", "born", "sex"] }

[table.participants.columns]
local_person_id = { from = "id" }
birth_month = { from = "born", date = "%Y-%m-%d" }
sex = { from = "sex", codes = { F = "female", M = "male" } }
long_term_condition = { from = "disabled", codes = { Y = "yes", N = "no" } }
limits_activity = { from = "disabled", codes = { Y = "a_lot", N = "not_at_all" } }
council_code = { value = "S12000047" }
simd_quintile = { from = "zone", lookup = "simd" }
simd_version = { value = "simd2020v2" }

[table.engagements]
source = "people"

[table.engagements.columns]
engagement_id = { from = "id", suffix = "-e1" }
local_person_id = { from = "id" }
lep_code = { value = "S12000047" }
start_date = { from = "started", date = "%Y-%m-%d" }
charter_applies = { value = "yes" }
is_rejoin = { value = "no" }

[table.outcomes]
source = "people"
when = { column = "job_start", is = ["yes"] }

[table.outcomes.columns]
outcome_id = { from = "job_id" }
engagement_id = { from = "id", suffix = "-e1" }
local_person_id = { from = "id" }
outcome_type = { value = "job_start" }
outcome_date = { from = "job", date = "%Y-%m-%d" }

[table.workforce_skills]
source = "staff"

[table.workforce_skills.columns]
staff_id = { from = "staff" }
directorate = { from = "team" }
assessed = { from = "assessed" }
updated = { from = "on", date = "%Y-%m-%d" }
"#;

/// Mistakes in a mapping: what was right, what stands there instead, and the exit code. Each turns every cell of a column into a
/// problem, or the file into one.
const MISTAKES: &[(&str, &str, i32)] = &[
    (r#"from = "born", date = "%Y-%m-%d""#, r#"from = "born_too", date = "%Y-%m-%d""#, 0),
    (r#"from = "born", date"#, r#"from = "forename", date"#, 0),
    (r#"codes = { F = "female", M = "male" }"#, r#"codes = { Q = "female" }"#, 0),
    (r#"nino = "nino""#, r#"nino = "surname""#, 0),
    (r#"{ from = "zone", lookup"#, r#"{ from = "note", lookup"#, 0),
    (r#"local_person_id = { from = "id" }"#, r#"local_person_id = { from = "note" }"#, 5),
    (r#"start_date = { from = "started""#, r#"start_date = { from = "employer""#, 5),
    (r#"{ from = "job_id" }"#, r#"{ from = "note" }"#, 5),
    (r#"outcome_date = { from = "job""#, r#"outcome_date = { from = "nino""#, 5),
    (r#"confirmed_by = "made-up records""#, r#"max_rejected = 3"#, 5),
    (r#"from = "employer_name""#, "", 5),
];

/// Texts put at the end of the export, each of which refuses the load.
const SPOILT: &[&[u8]] = &[
    b"\"ZQXJVp9998,JK779998C,and the quote is never closed",
    b"ZQXJVp9997,JK77\x009997C,ZQXJV\n",
    b"ZQXJVp9996,JK77\xff9996C,ZQXJV\n",
];

fn loads_good_and_bad(federation: &Federation) {
    let folder = federation.path("export/fife");
    write_canary(&folder);
    std::fs::write(federation.path("export/fife.toml"), MAPPING).unwrap();
    for (right, wrong, code) in MISTAKES {
        let mapping = if wrong.is_empty() {
            format!("{MAPPING}[table.participants.columns]\nlink_key = {{ {right} }}\n")
        } else {
            MAPPING.replacen(right, wrong, 1)
        };
        assert_ne!(mapping, MAPPING, "{right}");
        std::fs::write(federation.path("wrong.toml"), mapping).unwrap();
        let words = ["node", "load", "--node", "fife", "--mapping", "wrong.toml", "--source", "export/fife"];
        let done = federation.cairn(&words).exits(*code);
        assert!(done.out.contains("CL"), "{right}: {done:?}");
    }
    let good = std::fs::read(folder.join("people.csv")).unwrap();
    for spoilt in SPOILT {
        let long = if spoilt.contains(&b'"') { vec![b'x'; 2 << 20] } else { Vec::new() };
        std::fs::write(folder.join("people.csv"), [&good, *spoilt, &long].concat()).unwrap();
        federation.load("fife").exits(5).says("Nothing was loaded");
    }
    std::fs::write(folder.join("people.csv"), good).unwrap();
    federation.load("fife").exits(0);
}

fn ask(federation: &Federation, through: &str, question: &str, words: &[&str]) -> Done {
    federation.ask_through(through, question, words)
}

fn questions_answered_and_refused(federation: &Federation, through: &str) {
    for question in [
        "people by council",
        "people by sex, simd",
        "starts by quarter from 2019-Q2 to 2019-Q4",
        "people by council where outcome = job_start",
    ] {
        ask(federation, through, question, EVERYDAY).exits(0);
    }
    ask(federation, through, "people by disabled", EQUALITIES).exits(0);
    let json = [EQUALITIES, &["--format", "json"]].concat();
    ask(federation, through, "people by council, disabled", &json).exits(0);
    ask(federation, through, "people by benefit", EVERYDAY).exits(3);
    // A partner's own list is no list of the dictionary's: there is no such question.
    ask(federation, through, "people in workforce_skills by directorate", EVERYDAY).exits(1);
    ask(federation, through, "people in workforce_skills by assessed", EVERYDAY).exits(3);
    ask(
        federation,
        through,
        "people by council",
        &["--role", "own-tables-analyst", "--purpose", "elsewhere"],
    )
    .exits(3);
    let report = [
        "report",
        "--own-tables",
        "--period",
        "2019-20",
        "--indicators",
        "R1",
        "--as",
        "analyst",
        "--coordinator",
        through,
    ];
    assert!([0, 4].contains(&federation.cairn(&report).code));
}

fn questions_that_fail(federation: &mut Federation, node: &Relay, through: &str) {
    // A part of the snapshot in force is spoilt under the running node: the next count fails.
    let data = federation.path("fife/data");
    let spoil = |piece: &Piece| {
        let mut bytes = piece.bytes.clone();
        let middle = bytes.len() / 3..bytes.len() * 2 / 3;
        bytes[middle].iter_mut().for_each(|b| *b ^= 0x5a);
        std::fs::write(&piece.from, bytes).unwrap();
    };
    let parts: Vec<Piece> = files(&data).into_iter().filter(|p| p.from.ends_with(".parquet")).collect();
    assert!(!parts.is_empty(), "the snapshot has parts");
    parts.iter().for_each(spoil);
    for question in ["people by age, sex", "starts by council", "people by sex where outcome = job_start"] {
        ask(federation, through, question, EVERYDAY).exits(4).says("failed    fife: CE00");
    }
    // A node that starts on such a snapshot turns it away, and answers nothing.
    federation.take_node("fife").stop();
    federation.start_node_at("fife", &node.address.to_string());
    federation.wait_connected(&["angus", "fife"]);
    ask(federation, through, "people by age", EVERYDAY).exits(4);
    federation.cairn(&["node", "status", "--node", "fife"]);
    // A load puts a good one in its place; then the policy cannot be read.
    federation.load("fife").exits(0);
    wait_for("the new snapshot", || {
        (ask(federation, through, "people by age", EVERYDAY).code == 0).then_some(())
    });
    federation.take_node("fife").stop();
    federation.edit("fife/policy/policy.toml", |text| text.replace("[budget]", "[budgets]"));
    // Without its own copy the node has no policy then.
    std::fs::remove_file(federation.path("fife/policy-in-force.json")).unwrap();
    federation.start_node_at("fife", &node.address.to_string());
    federation.wait_connected(&["angus", "fife"]);
    ask(federation, through, "people by simd", EVERYDAY).exits(4);
    federation.edit("fife/policy/policy.toml", |text| text.replace("[budgets]", "[budget]"));
    wait_for("the policy", || {
        let done = ask(federation, through, "people by age, sex, simd", EVERYDAY);
        (!done.out.contains("refused   fife")).then_some(())
    });
}

fn the_partner_looks_at_itself(federation: &Federation) {
    federation.cairn(&["audit", "show", "fife/ledger.sqlite", "--last", "100"]).exits(0);
    assert!(federation.audit("fife").len() > 10);
    federation.cairn(&["policy", "explain", "fife/policy/policy.toml"]).exits(0);
    federation.cairn(&["node", "status", "--node", "fife"]).exits(0);
    federation.cairn(&["coordinator", "status", "--config", "coordinator/coordinator.toml"]).exits(0);
}

/// All that was said on a screen, written to a log, a ledger, an audit export or the coordinator's folder, and every byte of every
/// stream. Not the exports and the snapshots themselves: they are the records.
fn evidence(federation: &Federation, relays: &[(&str, &Relay)]) -> Vec<Piece> {
    let mut evidence: Vec<Piece> = Vec::new();
    for (n, said) in federation.said().into_iter().enumerate() {
        evidence.push(Piece::new(format!("output {n}"), said));
    }
    let records = [federation.path("export"), federation.path("fife/data")].map(|p| p.display().to_string());
    let written =
        files(federation.dir.path()).into_iter().filter(|p| !records.iter().any(|r| p.from.starts_with(r)));
    evidence.extend(written);
    for (whose, relay) in relays {
        let frames = relay.recorded().into_iter().enumerate();
        evidence.extend(frames.map(|(n, bytes)| Piece::new(format!("{whose} frames {n}"), bytes)));
    }
    evidence
}

/// The search would find them: the export holds every marker, and the snapshot those that it keeps.
fn every_marker_is_in_the_records(federation: &Federation) {
    let export = files(&federation.path("export/fife"));
    for marker in MARKERS {
        assert!(!leaks(&[marker], &export).is_empty(), "{marker}");
    }
    let kept = files(&federation.path("fife/data"));
    assert!(!leaks(&["ZQXJV"], &kept).is_empty());
    // A number is kept sealed only: not even the snapshot has it in clear.
    assert!(kept.iter().any(|piece| piece.from.ends_with("linkage.sealed")));
    assert!(leaks(&["JK77"], &kept).is_empty());
}

/// A partner's node spoilt on purpose: it puts the first person's id into the code of a fault, as a careless error text would.
struct Leaky {
    identity: Arc<NodeIdentity>,
    record: String,
}

impl Handler for Leaky {
    async fn answer(&self, ask: Vec<u8>, _deadline: Moment, _flights: Flights) -> Vec<u8> {
        let signed = SignedAsk::parse(&ask).unwrap();
        let payload = signed.question.payload_unverified(cairn_question::question::ASK_TYPE).unwrap();
        let policy = cairn_question::answer::PolicyStatement {
            id: "leaky".to_owned(),
            version: 1,
            hash: Hash::of(b"leaky"),
        };
        let reply = ReplyV1 {
            cairn_reply: 1,
            question_id: signed.peek().unwrap().id,
            question_hash: Hash::of(&payload),
            federation: name(NAME),
            partner: self.identity.partner().clone(),
            at: now(),
            policy,
            outcome: OutcomeV1::Refusal(Refusal::one(
                "leaky",
                "CR010",
                format!("cannot count {}", self.record),
            )),
        };
        reply.sign(self.identity.signing_key()).to_bytes()
    }
}

fn a_leaking_node_is_caught(federation: &mut Federation, node: &Relay, analyst: &Relay) {
    federation.take_node("fife").stop();
    federation.wait_connected(&["angus"]);
    let before = evidence(federation, &[("node", node), ("analyst", analyst)]).len();
    assert!(before > 0);
    let identity = Arc::new(NodeIdentity::load(&federation.path("identity/fife"), now()).unwrap());
    let line = federation.read("export/fife/people.csv").lines().nth(1).unwrap().to_owned();
    let record = line.split(',').next().unwrap().to_owned();
    let leaky = Arc::new(Leaky { identity: identity.clone(), record });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (state, _states) = tokio::sync::watch::channel(NodeState::Dialling);
    let at = cairn_link::Address::from(node.address);
    let running = run_node(identity, at, leaky, Clock::new(now), state, std::future::pending());
    let task = runtime.spawn(running);
    federation.wait_connected(&["angus", "fife"]);
    ask(federation, &analyst.address.to_string(), "people by simd, sex", EVERYDAY).exits(4);
    task.abort();
    let found = leaks(MARKERS, &evidence(federation, &[("node", node), ("analyst", analyst)]));
    for channel in ["node frames", "analyst frames", "rounds.sqlite", "output"] {
        assert!(found.iter().any(|f| f.contains(channel)), "not found in {channel}: {found:?}");
    }
}
