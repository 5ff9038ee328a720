//! Files that a board and a duty officer change while the node runs.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cairn_question::OutcomeV1;

use crate::harness::analyst::{Analyst, Signed, block_on, rules};
use crate::harness::federation::{Federation, Partner, dated, now};
use crate::harness::people::{FIFE, people};
use crate::harness::program::{PATIENCE, wait_for};

const BRAKE: &str = "fife/policy/local-brake.toml";

/// A brake is in force within a second; a busy machine gets as much again.
const WITHIN: Duration = Duration::from_secs(2);

#[test]
fn the_brake_and_the_policy_are_taken_up_while_the_node_runs() {
    let mut federation = Federation::start(&[Partner::new("fife", people("F", 30, FIFE, "F"))]);
    let analyst = Analyst::load(&federation, "analyst");
    assert!(is_answer(&ask(&analyst)));
    the_brake_pauses_within_a_second(&federation, &analyst);
    a_broken_policy_leaves_the_one_before(&mut federation, &analyst);
    an_expired_policy_answers_nothing(&federation, &analyst);
}

fn the_brake_pauses_within_a_second(federation: &Federation, analyst: &Analyst) {
    let brake = |text: String| {
        text.replace("pause_all        = false", "pause_all = true")
            .replace(r#"reason           = """#, r#"reason = "a data breach""#)
    };
    federation.edit(BRAKE, brake);
    let written = Instant::now();
    let refused = wait_for("the brake", || {
        let begun = written.elapsed();
        let outcome = ask(analyst);
        assert!(!is_answer(&outcome) || begun < WITHIN, "answered {begun:?} after the brake was written");
        (!is_answer(&outcome)).then_some(outcome)
    });
    assert_eq!(rules(&refused), ["brake.pause_all"]);
    let OutcomeV1::Refusal(refusal) = refused else { unreachable!() };
    assert!(refusal.rules[0].says.contains("a data breach"), "{refusal:?}");
    federation.edit(BRAKE, |text| text.replace("pause_all = true", "pause_all = false"));
    wait_for("the brake to be released", || is_answer(&ask(analyst)).then_some(()));
}

fn a_broken_policy_leaves_the_one_before(federation: &mut Federation, analyst: &Analyst) {
    let good = federation.read("fife/policy/policy.toml");
    federation.edit("fife/policy/policy.toml", |text| text.replace("[budget]", "[budget]\nunknown_key = 1"));
    let turned_away = |entry: &serde_json::Value| entry["kind"] == "policy" && entry["code"] == "CN512";
    wait_for("the policy to be turned away", || {
        federation.audit("fife").iter().any(turned_away).then_some(())
    });
    assert!(is_answer(&ask(analyst)), "the policy before stays in force");
    // Also over a restart, since the node has its own copy.
    federation.take_node("fife").stop();
    federation.start_node("fife");
    federation.wait_connected(&["fife"]);
    assert!(is_answer(&ask(analyst)), "the policy before is in force after a restart");
    federation.edit("fife/policy/policy.toml", |_| good);
}

fn an_expired_policy_answers_nothing(federation: &Federation, analyst: &Analyst) {
    let today = now().day_utc();
    // It only ends earlier, so that one signature is enough.
    let over = |text| dated(text, today.plus_days(-60), today.plus_days(-2));
    federation.next_policy("fife", &["dpo"], over);
    let refused = wait_for("the expired policy", || Some(ask(analyst)).filter(|o| !is_answer(o)));
    assert_eq!(rules(&refused), ["policy.expires"]);
}

fn ask(analyst: &Analyst) -> OutcomeV1 {
    let signed = analyst.sign(&analyst.question(
        "people by council",
        "own-tables-analyst",
        "smf-reporting",
        &["fife"],
    ));
    let result = block_on(analyst.put(&signed.bytes)).unwrap();
    analyst.outcome(&signed, "fife", &result.replies[0].1)
}

const fn is_answer(outcome: &OutcomeV1) -> bool {
    matches!(outcome, OutcomeV1::Answer(_))
}

/// One count at a time, on one thread, so that questions wait for each other; and a loss so small that a year pays for all of them.
const ONE_AT_A_TIME: &str = "counts_at_once = 1\ncount_threads = 1\nmemory_mb = 512";
const SMALL: &[(&str, &str)] = &[
    ("epsilon   = 0.1", "epsilon   = 0.01"),
    (
        "per_analyst = { tables_per_day = 20, tables_per_year = 60 }",
        "per_analyst = { tables_per_day = 500, tables_per_year = 2000 }",
    ),
];

/// ε = 0.01 by tanh(ε/2), in nano-ρ and rounded up.
const COST: u64 = 50_000;

/// How many questions are under way at a time.
const AT_ONCE: usize = 8;

#[test]
fn a_brake_reaches_the_questions_that_are_under_way_and_charges_nothing_for_them() {
    let partner = Partner {
        policy: SMALL.to_vec(),
        config: ONE_AT_A_TIME,
        ..Partner::new("fife", people("F", 5_000, FIFE, "F"))
    };
    let mut federation = Federation::start(&[partner]);
    let analyst = Analyst::load(&federation, "analyst");
    let mut questions = noisy_questions().into_iter();
    let begun = Instant::now();
    let mut answered = 0;
    // At the moment of the brake, a quick machine may have answered all that came. Then again, with other questions.
    let stopped = loop {
        assert!(begun.elapsed() < PATIENCE, "no question is ever under way");
        let (outcomes, written) = pull_the_brake_under(&federation, &analyst, &mut questions);
        answered += outcomes.iter().filter(|o| is_answer(&o.outcome)).count() as u64;
        assert_eq!(charged(&federation), answered * COST, "an answer is charged, and nothing else");
        let stopped = stopped_under_way(&federation, &outcomes, written);
        release_the_brake(&federation, &analyst);
        if !stopped.is_empty() {
            break stopped;
        }
    };
    // The same node runs on. What was stopped is answered and charged when it is asked again, as a new question.
    assert!(!federation.has_ended("fife"));
    for text in &stopped {
        assert!(is_answer(&noisy(&analyst, text).outcome), "{text}");
    }
    assert_eq!(charged(&federation), (answered + stopped.len() as u64) * COST);
}

/// A question, when it was asked, and how it ended.
struct Asked {
    text: String,
    begun: Instant,
    signed: Signed,
    outcome: OutcomeV1,
}

/// Tables with noise, none another's equal.
fn noisy_questions() -> Vec<String> {
    let axes = ["disabled", "age", "sex", "disabled, age", "disabled, sex", "age, sex"];
    let councils = (5..=50).map(|n| format!("S120000{n:02}"));
    let texts = councils.flat_map(|c| axes.map(|axis| format!("people by {axis} where council = {c}")));
    let known = |text: &String| {
        let names = ["equalities-analyst", "equalities"].map(crate::harness::analyst::name);
        let schema = cairn_question::Schema::smf();
        cairn_question::form::parse(text, &names[0], &names[1], schema).is_ok()
    };
    texts.filter(known).collect()
}

fn noisy(analyst: &Analyst, text: &str) -> Asked {
    let begun = Instant::now();
    let ask = analyst.question(text, "equalities-analyst", "equalities", &["fife"]);
    let signed = analyst.sign(&ask);
    let result = block_on(analyst.put(&signed.bytes)).unwrap();
    let outcome = analyst.outcome(&signed, "fife", &result.replies[0].1);
    Asked { text: text.to_owned(), begun, signed, outcome }
}

/// Keeps the node at work, pulls the brake, and goes on asking until it is in force. Gives every question and the moment of the brake.
fn pull_the_brake_under(
    federation: &Federation,
    analyst: &Analyst,
    questions: &mut (impl Iterator<Item = String> + Send),
) -> (Vec<Asked>, Instant) {
    let (questions, braked) = (std::sync::Mutex::new(questions), AtomicBool::new(false));
    let next =
        || questions.lock().unwrap().next().expect("the brake comes into force before the questions end");
    let work = || {
        let mut asked = Vec::new();
        while !braked.load(Ordering::Relaxed) {
            asked.push(noisy(analyst, &next()));
            if asked.last().is_some_and(|a: &Asked| !is_answer(&a.outcome)) {
                braked.store(true, Ordering::Relaxed);
            }
        }
        asked
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        wait_for("questions to wait for each other", || {
            let (come, replied) = come_and_replied(&federation.read("fife.log"));
            (come.difference(&replied).count() >= AT_ONCE / 2).then_some(())
        });
        federation.edit(BRAKE, |text| text.replace("pause_all        = false", "pause_all = true"));
        let written = Instant::now();
        (workers.into_iter().flat_map(|w| w.join().unwrap()).collect(), written)
    })
}

fn release_the_brake(federation: &Federation, analyst: &Analyst) {
    federation.edit(BRAKE, |text| text.replace("pause_all = true", "pause_all        = false"));
    // A question that costs nothing.
    wait_for("the brake to be released", || is_answer(&ask(analyst)).then_some(()));
}

/// The questions that had come to the node before it took up the brake, and were refused after: by the brake's rule and no other.
/// What came later is not answered.
fn stopped_under_way(federation: &Federation, asked: &[Asked], written: Instant) -> Vec<String> {
    let log = federation.read("fife.log");
    let taken_up = log.rfind("the brake brake=\"set\"").expect("the node says that the brake is set");
    let (come, replied) = come_and_replied(&log[..taken_up]);
    let mut stopped = Vec::new();
    for a in asked {
        let id = a.signed.ask.id.to_string();
        if is_answer(&a.outcome) {
            assert!(come.contains(&id), "answered, and came after the brake was in force: {}", a.text);
            assert!(a.begun < written + WITHIN, "asked {:?} after the brake was written", a.begun - written);
            continue;
        }
        assert_eq!(rules(&a.outcome), ["brake.pause_all"], "{}", a.text);
        assert!(!replied.contains(&id), "{}", a.text);
        stopped.extend(come.contains(&id).then(|| a.text.clone()));
    }
    stopped
}

/// The questions that a log says have come, and those that it says are replied to.
fn come_and_replied(log: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let of = |says: &str| {
        let id = |line: &str| {
            let (_, from) = line.split_once(says)?.1.split_once("question=\"")?;
            Some(from.split_once('"')?.0.to_owned())
        };
        log.lines().filter_map(id).collect()
    };
    (of("a question has come"), of("a question is replied to"))
}

/// What is spent or held of the person's account, in nano-ρ, as the node's own officers read it.
fn charged(federation: &Federation) -> u64 {
    let out = federation.cairn(&["policy", "budget", "--node", "fife"]).exits(0).out;
    let (_, from) = out.split_once("ρ ").unwrap();
    from.split_once(' ').unwrap().0.replace('.', "").parse().unwrap()
}
