//! kill −9 in the middle of questions: nothing is lost, nothing is said twice, nothing is charged twice.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cairn_link::{LinkError, RoundResult};
use cairn_question::combine::Standing;
use serde_json::Value;

use crate::harness::analyst::{Analyst, Signed, block_on};
use crate::harness::federation::{Federation, Partner};
use crate::harness::people::{ANGUS, FIFE, people};
use crate::harness::program::{PATIENCE, wait_for};

/// A loss so small that a year's account holds every question of the test.
const SMALL: &[(&str, &str)] = &[
    ("epsilon   = 0.1", "epsilon   = 0.01"),
    (
        "per_analyst = { tables_per_day = 20, tables_per_year = 60 }",
        "per_analyst = { tables_per_day = 500, tables_per_year = 2000 }",
    ),
];

/// How many times each service is killed.
const KILLS: usize = 3;

/// How many questions are under way while it is.
const AT_ONCE: usize = 4;

#[test]
fn kill_9_of_a_node_and_of_the_coordinator_lose_and_double_nothing() {
    let partner = |id, council, sex| Partner {
        policy: SMALL.to_vec(),
        ..Partner::new(id, people(id, 25, council, sex))
    };
    let partners = [partner("angus", ANGUS, "M"), partner("fife", FIFE, "F")];
    let mut federation = Federation::start_with(&partners, "round_deadline_s = 40");
    let analyst = Analyst::load(&federation, "analyst");
    let mut questions = questions(&analyst);

    let second = questions.split_off(questions.len() / 2);
    let mut results = under_fire(&analyst, questions, &mut federation, |federation| {
        federation.take_node("angus").kill_9();
        federation.start_node("angus");
    });
    let tally = each_question_ended_once(&analyst, &results);
    assert_eq!(
        tally.get(&("fife", "answered")),
        Some(&results.len()),
        "the other node answers on: {tally:?}"
    );
    assert!(tally.contains_key(&("angus", "answered")), "{tally:?}");
    results.extend(under_fire(&analyst, second, &mut federation, |federation| {
        federation.take_coordinator().kill_9();
        federation.start_coordinator();
    }));
    federation.wait_connected(&["angus", "fife"]);

    let tally = each_question_ended_once(&analyst, &results);
    for partner in ["angus", "fife"] {
        nothing_was_charged_twice(&federation, &analyst, partner, &results, &tally);
    }
    eprintln!("how {} questions ended: {tally:?}", results.len());
    results_can_be_fetched_again(&analyst, &results);
}

/// Questions that each cost something: none is another's equal.
fn questions(analyst: &Analyst) -> Vec<Signed> {
    let councils = [
        "S12000005",
        "S12000006",
        "S12000008",
        "S12000010",
        "S12000011",
        "S12000013",
        "S12000014",
        "S12000017",
    ];
    let axes = ["disabled", "age", "sex", "disabled, age", "disabled, sex", "age, sex"];
    let text = |(council, axis): (&str, &str)| format!("people by {axis} where council = {council}");
    let all = councils.iter().flat_map(|c| axes.iter().map(move |a| text((c, a))));
    let ask = |text: String| analyst.question(&text, "equalities-analyst", "equalities", &["angus", "fife"]);
    all.map(|text| analyst.sign(&ask(text))).collect()
}

/// Puts the questions, some at a time, while `kill` strikes at moments that nobody chose.
fn under_fire(
    analyst: &Analyst,
    questions: Vec<Signed>,
    federation: &mut Federation,
    kill: impl Fn(&mut Federation),
) -> Vec<(Signed, RoundResult)> {
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        let mut results = Vec::new();
        while let Some(signed) = questions.get(next.fetch_add(1, Ordering::Relaxed)) {
            results.push((signed.clone(), block_on(put_until_answered(analyst, signed))));
            done.fetch_add(1, Ordering::Relaxed);
        }
        results
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        for n in 1..=KILLS {
            // Some questions are behind and some ahead; how far the ones under way are, nobody knows.
            let after = questions.len() * n / (KILLS + 1);
            wait_for("questions to be answered", || (done.load(Ordering::Relaxed) >= after).then_some(()));
            kill(federation);
        }
        workers.into_iter().flat_map(|w| w.join().unwrap()).collect()
    })
}

/// Sends the same signed bytes again for as long as the connection fails: they are one question, however often they come.
async fn put_until_answered(analyst: &Analyst, signed: &Signed) -> RoundResult {
    let begun = Instant::now();
    loop {
        match analyst.put(&signed.bytes).await {
            Ok(result) => return result,
            Err(LinkError::Declined { code, says }) => panic!("declined: {code} {says}"),
            Err(why) => assert!(begun.elapsed() < PATIENCE, "{why}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// By partner and standing, how many questions ended so.
type Tally = BTreeMap<(&'static str, &'static str), usize>;

fn each_question_ended_once(analyst: &Analyst, results: &[(Signed, RoundResult)]) -> Tally {
    let mut tally = Tally::new();
    for (signed, result) in results {
        let coverage = analyst.coverage(result);
        assert_eq!((coverage.question_id, coverage.question_hash), (signed.ask.id, signed.hash));
        let partners: Vec<&str> = coverage.partners.iter().map(|l| l.partner.as_str()).collect();
        assert_eq!(partners, ["angus", "fife"], "one line for each partner");
        for (line, partner) in coverage.partners.iter().zip(["angus", "fife"]) {
            let word = match &line.standing {
                Standing::Answered => "answered",
                Standing::Offline => "offline",
                Standing::Late => "late",
                other => panic!("{partner}: {other:?}"),
            };
            let replies = result.replies.iter().filter(|(p, _)| p.as_str() == partner).count();
            assert_eq!(replies, usize::from(word == "answered"), "{partner} {word}");
            *tally.entry((partner, word)).or_default() += 1;
        }
    }
    tally
}

fn nothing_was_charged_twice(
    federation: &Federation,
    analyst: &Analyst,
    partner: &str,
    results: &[(Signed, RoundResult)],
    tally: &Tally,
) {
    let entries = federation.audit(partner);
    let charges = |entry: &&Value| entry["kind"] == "question-answered";
    let mut charged: BTreeMap<String, usize> = BTreeMap::new();
    for entry in entries.iter().filter(charges) {
        assert_eq!(entry["cost"], COST, "{entry}");
        *charged.entry(entry["question_id"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert!(charged.values().all(|times| *times == 1), "{partner} charged a question twice: {charged:?}");
    let said = tally
        .iter()
        .filter(|((p, word), _)| *p == partner && *word == "answered")
        .map(|(_, n)| *n)
        .sum::<usize>();
    assert!(charged.len() >= said, "{partner}: {said} answers came, {} were charged", charged.len());
    // One question more: the account with it holds each question that was answered once, and at most one hold for each
    // that a crash cut off.
    let text = "people by age, council";
    let signed = analyst.sign(&analyst.question(text, "equalities-analyst", "equalities", &[partner]));
    block_on(put_until_answered(analyst, &signed));
    let entries = federation.audit(partner);
    let last = entries.iter().rfind(charges).unwrap();
    let (least, most) = (charged.len() as u64 + 1, results.len() as u64 + 1);
    let year = last["year_so_far"].as_u64().unwrap();
    assert!(
        (least * COST..=most * COST).contains(&year),
        "{partner}: {least} to {most} times {COST}, found {year}"
    );
}

/// ε = 0.01 by tanh(ε/2), in nano-ρ and rounded up.
const COST: u64 = 50_000;

fn results_can_be_fetched_again(analyst: &Analyst, results: &[(Signed, RoundResult)]) {
    block_on(async {
        let client = analyst.connect().await.unwrap();
        for (signed, first) in results {
            let again = client.fetch(signed.ask.id, |_| {}).await.unwrap();
            assert_eq!(again.coverage, first.coverage);
            assert_eq!(again.replies, first.replies);
        }
        client.close().await;
    });
}
