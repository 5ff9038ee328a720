//! Questions and parties that must not get through: each refused by its own rule, and nothing counted or charged.

use std::net::SocketAddr;
use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cairn_link::{Clock, CoordinatorIdentity, Event, LinkError, Listener, NodeHandle};
use cairn_question::{AskV1, OutcomeV1};
use serde_json::Value;

use crate::harness::analyst::{Analyst, Signed, block_on, name, question_id, rules};
use crate::harness::federation::{Federation, Partner, now};
use crate::harness::people::{FIFE, people};
use crate::harness::program::wait_for;

#[test]
fn what_is_not_a_question_of_this_federation_is_refused_by_its_own_rule() {
    let mut federation = Federation::start(&[Partner::new("fife", people("F", 30, FIFE, "F"))]);
    let elsewhere = Federation::set_up(&[Partner::new("fife", people("X", 30, FIFE, "F"))], "");
    let analyst = Analyst::load(&federation, "analyst");
    let replayed = a_replay_gets_the_same_bytes(&analyst);
    altered_and_unsigned_questions_are_refused(&analyst);
    the_coordinator_declines_what_it_can_tell(&analyst);
    issuers_that_nobody_pinned_vouch_for_nobody(&federation, &elsewhere);
    an_analyst_of_another_federation_is_not_let_in(&federation, &elsewhere);
    a_node_of_another_federation_is_not_let_in(&mut federation, &elsewhere);
    a_coordinator_cannot_make_a_node_answer(&mut federation, &analyst, &replayed);
    nothing_more_was_charged(&federation);
}

/// What the analyst asks under noise, so that a second charge would show.
fn noisy(analyst: &Analyst) -> AskV1 {
    analyst.question("people by disabled", "equalities-analyst", "equalities", &["fife"])
}

fn a_replay_gets_the_same_bytes(analyst: &Analyst) -> (Signed, Vec<u8>) {
    let signed = analyst.sign(&noisy(analyst));
    let first = block_on(analyst.put(&signed.bytes)).unwrap();
    let again = block_on(analyst.put(&signed.bytes)).unwrap();
    assert!(matches!(analyst.outcome(&signed, "fife", &first.replies[0].1), OutcomeV1::Answer(_)));
    assert_eq!(first.replies, again.replies);
    assert_eq!(first.coverage, again.coverage);
    (signed, first.replies[0].1.clone())
}

/// Signs a question, then changes the signed bytes.
fn changed(analyst: &Analyst, change: impl FnOnce(&mut Value)) -> Signed {
    let signed = analyst.sign(&noisy(analyst));
    let mut ask: Value = serde_json::from_slice(&signed.bytes).unwrap();
    change(&mut ask);
    let payload = STANDARD.decode(ask["question"]["payload"].as_str().unwrap()).unwrap();
    let hash = cairn_question::Hash::of(&payload);
    Signed { ask: serde_json::from_slice(&payload).unwrap(), hash, bytes: serde_json::to_vec(&ask).unwrap() }
}

fn altered(analyst: &Analyst) -> Signed {
    changed(analyst, |ask| {
        let payload = STANDARD.decode(ask["question"]["payload"].as_str().unwrap()).unwrap();
        let text = String::from_utf8(payload).unwrap().replace("disabled_eqa", "council_code");
        ask["question"]["payload"] = STANDARD.encode(text).into();
    })
}

fn unsigned(analyst: &Analyst) -> Signed {
    changed(analyst, |ask| ask["question"]["signatures"][0]["sig"] = STANDARD.encode([0; 64]).into())
}

fn altered_and_unsigned_questions_are_refused(analyst: &Analyst) {
    let bare = changed(analyst, |ask| ask["question"]["signatures"] = Value::Array(Vec::new()));
    for signed in [altered(analyst), unsigned(analyst), bare] {
        let result = block_on(analyst.put(&signed.bytes)).unwrap();
        assert_eq!(rules(&analyst.outcome(&signed, "fife", &result.replies[0].1)), ["verify.signature"]);
    }
}

#[track_caller]
fn declined(analyst: &Analyst, bytes: &[u8]) -> String {
    match block_on(analyst.put(bytes)) {
        Err(LinkError::Declined { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

fn expired(analyst: &Analyst) -> Signed {
    let asked_at = cairn_question::Moment::from_unix_s(now().unix_s() - 700);
    analyst.sign(&AskV1 { asked_at, expires_at: asked_at.plus_s(600), ..noisy(analyst) })
}

fn the_coordinator_declines_what_it_can_tell(analyst: &Analyst) {
    assert_eq!(declined(analyst, &expired(analyst).bytes), "CQ007");
    let elsewhere = analyst.sign(&AskV1 { federation: name("elsewhere"), ..noisy(analyst) });
    assert_eq!(declined(analyst, &elsewhere.bytes), "CQ004");
    let unknown_key = changed(analyst, |ask| ask["hurry"] = true.into());
    assert_eq!(declined(analyst, &unknown_key.bytes), "CQ001");
    assert_eq!(declined(analyst, b"people by council"), "CQ001");
    // The number of a question that was answered, for another one.
    let signed = analyst.sign(&noisy(analyst));
    block_on(analyst.put(&signed.bytes)).unwrap();
    let other = analyst.question("people by sex", "own-tables-analyst", "smf-reporting", &["fife"]);
    assert_eq!(declined(analyst, &analyst.sign(&AskV1 { id: signed.ask.id, ..other }).bytes), "CO203");
}

fn issuers_that_nobody_pinned_vouch_for_nobody(federation: &Federation, elsewhere: &Federation) {
    federation.make_analyst("mallory");
    let other = |issuer: &str| elsewhere.path(issuer).to_str().unwrap().to_owned();
    elsewhere.cairn(&["authority", "issuer", "authority", "--name", "nobody", "--out", "nobody"]).exits(0);
    // The same name as a pinned issuer with another key; and a name that is not pinned.
    for (issuer, rule) in [("issuer", "verify.credential"), ("nobody", "verify.issuer")] {
        let words = [
            "authority",
            "credential",
            &other(issuer),
            "--analyst",
            "mallory",
            "--role",
            "equalities-analyst",
        ];
        federation.cairn(&[&words[..], &["--organisation", "Nobody"]].concat()).exits(0);
        let mallory = Analyst::load(federation, "mallory");
        let signed = mallory.sign(&noisy(&mallory));
        let result = block_on(mallory.put(&signed.bytes)).unwrap();
        assert_eq!(rules(&mallory.outcome(&signed, "fife", &result.replies[0].1)), [rule]);
    }
    // Another analyst's question, word for word, under one's own connection.
    let analyst = Analyst::load(federation, "analyst");
    let mallory = Analyst::load(federation, "mallory");
    assert_eq!(declined(&mallory, &analyst.sign(&noisy(&analyst)).bytes), "CO101");
}

fn an_analyst_of_another_federation_is_not_let_in(federation: &Federation, elsewhere: &Federation) {
    let folder = elsewhere.path("analyst");
    let words = ["ask", "people by council", "--own-tables", "--as", folder.to_str().unwrap()];
    let done = federation.cairn(&[&words[..], &["--coordinator", &federation.address]].concat());
    assert_ne!(done.code, 0);
    assert!(done.err.contains("[CI"), "{done:?}");
}

fn a_node_of_another_federation_is_not_let_in(federation: &mut Federation, elsewhere: &Federation) {
    let config = elsewhere.read("fife/node.toml").replace("127.0.0.1:1", &federation.address);
    std::fs::write(elsewhere.path("fife/node.toml"), config).unwrap();
    let log = elsewhere.path("fife.log");
    let node =
        crate::harness::program::Running::start(elsewhere.command(&["node", "run", "--node", "fife"]), &log);
    // It does not take this coordinator for its own, and dials again and again.
    wait_for("the stranger to be told", || elsewhere.read("fife.log").contains("CI").then_some(()));
    node.kill_9();
    let signed = {
        let a = Analyst::load(federation, "analyst");
        let s = a.sign(&noisy(&a));
        (a, s)
    };
    let result = block_on(signed.0.put(&signed.1.bytes)).unwrap();
    assert!(
        matches!(signed.0.outcome(&signed.1, "fife", &result.replies[0].1), OutcomeV1::Answer(_)),
        "the partner's own node is still there"
    );
}

/// A coordinator of the suite's own, with the real one's identity and address, that sends the node whatever it likes.
fn a_coordinator_cannot_make_a_node_answer(
    federation: &mut Federation,
    analyst: &Analyst,
    replayed: &(Signed, Vec<u8>),
) {
    federation.take_coordinator().stop();
    let address: SocketAddr = federation.address.parse().unwrap();
    let identity = CoordinatorIdentity::load(&federation.path("hub-identity"), now()).unwrap();
    block_on(async {
        let mut listener = Listener::bind(&identity, address, &Clock::new(now)).unwrap();
        let node = node_up(&mut listener).await;
        let ask = async |signed: &Signed| {
            let reply = node.ask(signed.bytes.clone(), now().plus_s(60)).await.unwrap();
            analyst.outcome(signed, "fife", &reply)
        };
        let again = node.ask(replayed.0.bytes.clone(), now().plus_s(60)).await.unwrap();
        assert_eq!(again, replayed.1, "the node gives the same bytes again");
        assert_eq!(rules(&ask(&expired(analyst)).await), ["verify.expired"]);
        assert_eq!(rules(&ask(&altered(analyst)).await), ["verify.signature"]);
        assert_eq!(rules(&ask(&unsigned(analyst)).await), ["verify.signature"]);
        let later = now().plus_s(3_600);
        let future = AskV1 { asked_at: later, expires_at: later.plus_s(600), ..noisy(analyst) };
        assert_eq!(rules(&ask(&analyst.sign(&future)).await), ["verify.clock"]);
        let others = analyst.question("people by disabled", "equalities-analyst", "equalities", &["angus"]);
        assert_eq!(rules(&ask(&analyst.sign(&others)).await), ["verify.partner"]);
        // One credential for another role's question.
        let credential = analyst.identity.credential(&name("own-tables-analyst")).unwrap().clone();
        assert_eq!(rules(&ask(&analyst.sign_under(&noisy(analyst), credential)).await), ["verify.role"]);
        let taken = analyst.question("people by sex", "own-tables-analyst", "smf-reporting", &["fife"]);
        assert_eq!(
            rules(&ask(&analyst.sign(&AskV1 { id: replayed.0.ask.id, ..taken })).await),
            ["verify.replay"]
        );
        let elsewhere = AskV1 { federation: name("elsewhere"), id: question_id(), ..noisy(analyst) };
        let elsewhere = analyst.sign(&elsewhere);
        let reply = node.ask(elsewhere.bytes.clone(), now().plus_s(60)).await.unwrap();
        assert!(String::from_utf8_lossy(&decoded(&reply)).contains("verify.federation"));
        let nothing = node.ask(b"count everybody".to_vec(), now().plus_s(20)).await;
        assert!(nothing.is_ok_and(|reply| reply.is_empty()), "bytes that are no question get no reply");
        listener.close().await;
    });
}

/// The payload of a reply, unverified.
fn decoded(reply: &[u8]) -> Vec<u8> {
    let envelope: Value = serde_json::from_slice(reply).unwrap();
    STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap()
}

async fn node_up(listener: &mut Listener) -> NodeHandle {
    loop {
        let event = tokio::time::timeout(Duration::from_secs(60), listener.next()).await;
        if let Some(Event::NodeUp { node, .. }) = event.expect("the node dials again") {
            node.held(None);
            return node;
        }
    }
}

/// Of all of this, one table was counted and charged; equal questions got that one again.
fn nothing_more_was_charged(federation: &Federation) {
    let entries = federation.audit("fife");
    let costs: Vec<u64> = entries.iter().filter_map(|e| e["cost"].as_u64()).filter(|c| *c > 0).collect();
    assert_eq!(costs, [4_995_838]);
    let refused = entries.iter().filter(|e| e["kind"] == "question-refused").count();
    // Of what nobody could have signed, only so many a minute are written down (`cairn-gate`, `tally`).
    assert!(refused >= 8, "refusals are in the audit: {refused}");
}
