use cairn_question::answer::PolicyStatement;
use cairn_question::card::PublicPolicy;
use proptest::prelude::*;

use super::*;
use crate::fixture::{Asked, Federation, NOW, answer, name, partner, refusal};

const DEADLINE_S: u64 = 60;
const WAIT_S: u64 = 3;

fn terms(federation: &Federation, asked: &Asked, patience: Patience) -> RoundTerms {
    RoundTerms {
        question_id: asked.ask.id,
        question_hash: asked.hash,
        federation: asked.ask.federation.clone(),
        register_version: 3,
        grid: asked.grid.clone(),
        partners: federation.partners.iter().map(|(id, key)| (id.clone(), key.verifying_key())).collect(),
        deadline: NOW.plus_s(DEADLINE_S),
        patience,
        total: None,
    }
}

/// Plays a script such as `0 on a; 0 on b; 1 yes a; 2 gone b; 5 end` and gives the standings. A line is: second, word,
/// partner. `end` asserts that the round is over then and not before; `told` that `a` and `b` need not be waited for, `untold` that they do.
fn check(script: &str, expected: &str) {
    check_with(Patience::Seconds(WAIT_S), script, expected);
}

fn check_with(patience: Patience, script: &str, expected: &str) {
    let federation = Federation::of(&["a", "b", "c"]);
    let asked = federation.ask(1, NOW.plus_s(600));
    let elsewhere = federation.ask(2, NOW.plus_s(600));
    let mut round = Round::open(terms(&federation, &asked, patience), NOW);
    let mut latest = std::collections::BTreeMap::new();
    for line in script.split(';') {
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = NOW.plus_s(words[0].parse().unwrap());
        let who = partner(words.get(2).copied().unwrap_or("a"));
        let reply = |asked: &Asked, outcome| federation.reply(asked, &who, outcome);
        let event = match words[1] {
            "on" => Event::Connected(who.clone()),
            "gone" => Event::Gone(latest.get(&who).cloned().unwrap()),
            "silent" => Event::Silent(latest.get(&who).cloned().unwrap()),
            "gone-old" => Event::Gone(Ask { partner: who.clone(), attempt: 1 }),
            "yes" => Event::Replied(who.clone(), reply(&asked, answer(&asked, 10))),
            "no" => Event::Replied(who.clone(), reply(&asked, refusal())),
            "fault" => Event::Replied(who.clone(), reply(&asked, OutcomeV1::Fault { code: "CE001".into() })),
            "junk" => Event::Replied(who.clone(), b"{}".to_vec()),
            "other" => Event::Replied(who.clone(), reply(&elsewhere, answer(&elsewhere, 10))),
            "forged" => {
                Event::Replied(who.clone(), Federation::of(&["a", "b", "c"]).reply(&asked, &who, refusal()))
            }
            "end" => {
                assert!(round.is_over(at), "not over: {script}");
                assert!(round.wake_at() <= at);
                continue;
            }
            "open" => {
                assert!(!round.is_over(at), "over: {script}");
                assert!(round.wake_at() > at);
                continue;
            }
            "told" | "untold" => {
                let said = round.have_settled(&[partner("a"), partner("b")]);
                assert_eq!(said, words[1] == "told", "{script}");
                continue;
            }
            other => panic!("no such word {other}"),
        };
        round.handle(event, at);
        while let Some(ask) = round.poll_ask() {
            latest.insert(ask.partner.clone(), ask);
        }
    }
    let closed = round.close(NOW.plus_s(DEADLINE_S), &BTreeMap::new(), None);
    let sum = closed.coverage.combined.as_ref().map(|c| c.cells[0].cell);
    let lines = closed.coverage.partners.iter().map(|line| match &line.standing {
        Standing::Refused(rules) => format!("refused:{}", rules[0].code),
        Standing::Fault(code) => format!("fault:{code}"),
        other => format!("{other:?}").to_lowercase(),
    });
    let sum = sum.map_or("none".into(), |cell| serde_json::to_string(&cell).unwrap());
    let got = format!("{} sum {sum}", lines.collect::<Vec<_>>().join(" "));
    assert_eq!(got, expected, "{script}");
}

#[test]
fn every_partner_gets_its_standing() {
    check(
        "0 on a; 0 on b; 0 on c; 1 yes a; 1 yes b; 1 open; 2 yes c; 2 end",
        "answered answered answered sum 30",
    );
    check(
        "0 on a; 0 on b; 0 on c; 1 yes a; 1 no b; 2 fault c; 2 end",
        "answered refused:CR001 fault:CE001 sum 10",
    );
    check("0 on a; 0 on b; 1 yes a; 1 yes b; 2 open; 3 end", "answered answered offline sum 20");
    check("0 on a; 0 on b; 1 yes a; 59 open; 60 end", "answered late offline sum 10");
    check(
        "0 on a; 0 on b; 0 on c; 1 junk a; 1 other b; 1 forged c; 1 end",
        "unverified unverified unverified sum none",
    );
    check("3 end", "offline offline offline sum none");
}

/// The total of `a` and `b` has opened; `c` was ready too late.
#[test]
fn of_a_total_its_own_partners_are_waited_for_and_nobody_else() {
    check(
        "0 on a; 0 on b; 0 on c; 1 untold; 1 yes a; 1 untold; 2 yes b; 2 told; 2 open",
        "answered answered late sum 20",
    );
    check("0 on a; 0 on b; 1 yes a; 2 gone b; 4 untold; 4 yes b; 4 told", "answered answered offline sum 20");
}

#[test]
fn a_lost_connection_is_waited_for_and_asked_again() {
    check(
        "0 on a; 0 on b; 0 on c; 1 yes b; 1 yes c; 5 gone a; 7 open; 8 end",
        "offline answered answered sum 20",
    );
    check(
        "0 on a; 0 on b; 0 on c; 1 yes b; 1 yes c; 5 gone a; 7 on a; 9 open; 9 yes a; 9 end",
        "answered answered answered sum 30",
    );
    // The old connection ends after the new one began: the partner is still being asked.
    check(
        "0 on a; 0 on b; 0 on c; 1 yes b; 1 yes c; 5 on a; 6 gone-old a; 20 open; 60 end",
        "late answered answered sum 20",
    );
    // A reply counts whichever connection it came by.
    check(
        "0 on a; 0 on b; 0 on c; 1 yes b; 1 yes c; 2 gone a; 3 yes a; 3 end",
        "answered answered answered sum 30",
    );
}

#[test]
fn a_partner_that_ends_the_asking_without_a_reply_is_late_at_once() {
    check(
        "0 on a; 0 on b; 0 on c; 1 yes b; 1 yes c; 5 silent a; 5 end; 6 on a; 7 yes a",
        "late answered answered sum 20",
    );
}

#[test]
fn the_first_reply_counts_and_the_deadline_decides() {
    check(
        "0 on a; 0 on b; 0 on c; 1 yes a; 2 no a; 2 junk a; 3 gone a; 3 on a; 4 no b; 4 no c; 4 end",
        "answered refused:CR001 refused:CR001 sum 10",
    );
    check("0 on a; 61 yes a; 61 end", "late offline offline sum none");
}

#[test]
fn a_resumed_round_waits_for_everybody_until_the_deadline() {
    check_with(
        Patience::UntilDeadline,
        "3 open; 40 on a; 41 yes a; 59 open; 60 end",
        "answered offline offline sum 10",
    );
}

#[test]
fn a_partner_whose_connection_never_holds_is_offline_in_the_end() {
    let federation = Federation::of(&["a"]);
    let asked = federation.ask(1, NOW.plus_s(600));
    let mut round = Round::open(terms(&federation, &asked, Patience::Seconds(WAIT_S)), NOW);
    for _ in 0..100 {
        round.handle(Event::Connected(partner("a")), NOW);
        if let Some(ask) = round.poll_ask() {
            round.handle(Event::Gone(ask), NOW);
        }
    }
    assert!(round.poll_ask().is_none());
    assert!(round.is_over(NOW.plus_s(WAIT_S)));
    assert_eq!(round.close(NOW, &BTreeMap::new(), None).coverage.partners[0].standing, Standing::Offline);
}

#[test]
fn a_refusal_of_any_length_leaves_a_statement_that_fits() {
    let names: Vec<String> = (0..100).map(|n| format!("p{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let federation = Federation::of(&names);
    let asked = federation.ask(1, NOW.plus_s(600));
    let mut round = Round::open(terms(&federation, &asked, Patience::Seconds(WAIT_S)), NOW);
    for (id, _) in &federation.partners {
        let long =
            OutcomeV1::Refusal(cairn_question::Refusal::one("share.none", "CR001", "x".repeat(40_000)));
        round.handle(Event::Replied(id.clone(), federation.reply(&asked, id, long)), NOW);
    }
    let closed = round.close(NOW, &BTreeMap::new(), None);
    let bytes = closed.coverage.sign(&federation.coordinator).to_bytes();
    assert!(CoverageV1::open(&bytes, &federation.coordinator.verifying_key()).is_some());
    let Standing::Refused(rules) = &closed.coverage.partners[99].standing else { panic!("not refused") };
    assert_eq!((rules[0].code.as_str(), rules[0].says.as_str()), ("CR001", "see the signed reply"));
    assert_eq!(closed.replies.len(), 100);
}

#[test]
fn a_reply_longer_than_its_table_can_be_is_none() {
    let federation = Federation::of(&["a"]);
    let asked = federation.ask(1, NOW.plus_s(600));
    let mut round = Round::open(terms(&federation, &asked, Patience::Seconds(WAIT_S)), NOW);
    let long = OutcomeV1::Refusal(cairn_question::Refusal::one("share.none", "CR001", "x".repeat(80_000)));
    round.handle(Event::Replied(partner("a"), federation.reply(&asked, &partner("a"), long)), NOW);
    assert_eq!(round.close(NOW, &BTreeMap::new(), None).coverage.partners[0].standing, Standing::Unverified);
}

fn events() -> impl Strategy<Value = Vec<(u8, u8, u64)>> {
    proptest::collection::vec((0_u8..7, 0_u8..5, 0_u64..70), 0..60)
}

proptest! {
    #[test]
    fn any_order_loss_or_doubling_of_events_leaves_one_standing_each(
        partners in 1_usize..4, events in events(),
    ) {
        let names: Vec<&str> = ["a", "b", "c"].into_iter().take(partners).collect();
        let federation = Federation::of(&names);
        let asked = federation.ask(1, NOW.plus_s(600));
        let mut round = Round::open(terms(&federation, &asked, Patience::Seconds(WAIT_S)), NOW);
        // What the first reply in time was, as an independent model: 0 answer, 1 refusal, 2 junk.
        let mut first = std::collections::BTreeMap::new();
        for (kind, who, at) in events {
            // `d` and `e` were never asked.
            let who = partner(["a", "b", "c", "d", "e"][usize::from(who)]);
            let ours = names.contains(&who.as_str());
            let at = NOW.plus_s(at);
            let event = match kind {
                0 | 1 => Event::Connected(who.clone()),
                2 | 3 => Event::Gone(Ask { partner: who.clone(), attempt: kind - 1 }),
                _ => {
                    if ours && at <= NOW.plus_s(DEADLINE_S) {
                        first.entry(who.clone()).or_insert(kind);
                    }
                    let bytes = match kind {
                        4 if ours => federation.reply(&asked, &who, answer(&asked, 5)),
                        5 if ours => federation.reply(&asked, &who, refusal()),
                        _ => vec![0; 9],
                    };
                    Event::Replied(who.clone(), bytes)
                }
            };
            round.handle(event, at);
            while let Some(ask) = round.poll_ask() {
                prop_assert!(names.contains(&ask.partner.as_str()));
                prop_assert!(!first.contains_key(&ask.partner), "asked after it replied");
            }
            prop_assert!(round.wake_at() <= NOW.plus_s(DEADLINE_S));
        }
        prop_assert!(round.is_over(NOW.plus_s(DEADLINE_S)));
        let closed = round.close(NOW.plus_s(DEADLINE_S), &BTreeMap::new(), None);
        let lines = &closed.coverage.partners;
        let asked_names: Vec<&str> = lines.iter().map(|l| l.partner.as_str()).collect();
        prop_assert_eq!(&asked_names, &names);
        for line in lines {
            let expected = match first.get(&line.partner) {
                Some(4) => matches!(line.standing, Standing::Answered),
                Some(5) => matches!(line.standing, Standing::Refused(_)),
                Some(_) => matches!(line.standing, Standing::Unverified),
                None => matches!(line.standing, Standing::Offline | Standing::Late),
            };
            prop_assert!(expected, "{:?}", line);
        }
        let answered = i64::try_from(first.values().filter(|k| **k == 4).count()).unwrap();
        let verified = first.values().filter(|k| **k <= 5).count();
        prop_assert_eq!(closed.replies.len(), verified);
        let sum = closed.coverage.combined.map(|c| c.cells[0].cell);
        let expected = (answered > 0).then_some(cairn_question::Cell::Value(5 * answered));
        prop_assert_eq!(sum, expected);
    }
}

#[test]
fn a_line_names_the_policy_that_decided_and_its_last_day_where_the_card_is_of_it() {
    let federation = Federation::of(&["fife", "angus", "dundee"]);
    let asked = federation.ask(1, NOW.plus_s(600));
    let card = |id: &str, hash: &[u8]| {
        let until = "2027-03-31".parse().unwrap();
        let policy = PublicPolicy {
            statement: PolicyStatement { id: "p".into(), version: 1, hash: Hash::of(hash) },
            from: until,
            until,
            review_by: until,
            controller: String::new(),
            paused: false,
            shares: vec![],
            shares_left_out: 0,
        };
        let card = PolicyCard {
            cairn_policy_card: 1,
            federation: name("demo"),
            partner: partner(id),
            at: NOW,
            policy: Some(policy),
        };
        (partner(id), card)
    };
    let mut round = Round::open(terms(&federation, &asked, Patience::Seconds(WAIT_S)), NOW);
    for id in ["fife", "angus"] {
        let reply = federation.reply(&asked, &partner(id), answer(&asked, 10));
        round.handle(Event::Connected(partner(id)), NOW);
        round.handle(Event::Replied(partner(id), reply), NOW);
    }
    let cards = BTreeMap::from([card("fife", b"p"), card("angus", b"another"), card("dundee", b"p")]);
    let closed = round.close(NOW.plus_s(DEADLINE_S), &cards, None);
    let lines = closed.coverage.partners.iter().map(|line| {
        let policy = line.policy.as_ref().map(|p| (p.to_string(), p.until.map(|d| d.to_string())));
        (line.partner.to_string(), policy)
    });
    let until = Some("2027-03-31".to_owned());
    assert_eq!(
        lines.collect::<Vec<_>>(),
        [
            ("fife".to_owned(), Some(("p@1".to_owned(), until))),
            ("angus".to_owned(), Some(("p@1".to_owned(), None))),
            ("dundee".to_owned(), None),
        ]
    );
}
