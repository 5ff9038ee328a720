//! Questions that are refused: signed, in the audit, and remembered.

use cairn_gate::{Step, Without};
use cairn_ledger::{Entry, EntryKind, REPLIES_PER_ANALYST_PER_DAY, Recall};
use cairn_question::{PartnerId, SignedAsk};

use crate::world::{DISABLED, Draft, PEOPLE, World, key, layers, name};

/// Refused with these rules, logged once, and remembered byte for byte.
fn check(change: impl FnOnce(&mut World, &mut Draft), text: &str, rules: &str) {
    let mut world = World::new();
    let mut draft = world.draft(1, text);
    change(&mut world, &mut draft);
    let before = world.entries().len();
    let bytes = world.sign(&draft);
    let Step::Reply(reply) = world.count(&bytes) else { panic!("not refused: {rules}") };
    assert_eq!(world.outcome(&reply, &draft), rules);
    let entries = world.entries();
    assert_eq!(entries.len(), before + 1, "{rules}");
    let entry = entries.last().unwrap();
    let logged: Vec<String> = entry.rules.iter().map(|r| format!("{} {}", r.rule, r.code)).collect();
    assert_eq!(logged.join(", "), rules);
    assert_eq!(entry.question_id, Some(draft.ask.id));
    assert_eq!(world.account().1, 0, "nothing is held");
    // Remembered: the same bytes a second later get the very same reply, though it would be signed at another time.
    world.now = world.now.plus_s(1);
    assert!(matches!(world.count(&bytes), Step::Reply(again) if again == reply), "{rules}");
    assert_eq!(world.entries().len(), before + 1);
}

#[test]
fn the_policy_the_brake_and_the_snapshot_refuse() {
    check(|_, d| d.ask.partners = vec![PartnerId::new("fife").unwrap()], PEOPLE, "verify.partner CN001");
    check(|w, _| w.layers = layers(&[], Some("pause_all = true")), PEOPLE, "brake.pause_all CR003");
    check(
        |w, _| w.layers = layers(&[], Some("blocked_analysts = [\"a-analyst\"]")),
        PEOPLE,
        "brake.blocked_analysts CR005",
    );
    check(
        |_, d| d.credential.issuer = name("local-partnership"),
        PEOPLE,
        "role.own-tables-analyst.issuer CR006",
    );
    check(|_, d| d.ask.question.purpose = name("local-planning"), PEOPLE, "no-share CR010");
    check(|_, _| {}, "people by sex as of 2025-12-31", "snapshot.as-of CN003");
}

#[test]
fn a_snapshot_of_a_day_that_the_policy_does_not_name_is_refused() {
    let every = |word: &str| format!("[dataset.participants]\nsnapshot = \"{word}\"");
    let policy = |word: &str| layers(&[("[dataset.participants]", &every(word))], None);
    let of = |w: &mut World, word: &str, day: &str| {
        w.layers = policy(word);
        w.facts.as_of = day.parse().unwrap();
    };
    let rule = "dataset.participants.snapshot CN011";
    check(|w, _| of(w, "quarter", "2026-02-28"), PEOPLE, rule);
    check(|w, _| of(w, "month", "2026-02-27"), PEOPLE, rule);
    let both = format!("snapshot.as-of CN003, {rule}");
    check(|w, _| of(w, "month", "2026-02-27"), "people by sex as of 2025-12-31", &both);
    for (word, day) in [("quarter", "2026-03-31"), ("month", "2026-02-28")] {
        let mut world = World::new();
        of(&mut world, word, day);
        let draft = world.draft(1, PEOPLE);
        let reply = world.answer(&world.sign(&draft));
        assert_eq!(world.outcome(&reply, &draft), "answer", "{word} {day}");
    }
}

#[test]
fn a_total_is_asked_of_as_many_partners_as_the_policy_says() {
    let total = [("profile = \"sub-national-8-5\"", "profile = \"sub-national-8-5\"\nmin_partners = 3")];
    let ask = |w: &mut World, d: &mut Draft, others: &[&str]| {
        w.layers = layers(&total, None);
        d.ask.partners.extend(others.iter().map(|p| PartnerId::new(*p).unwrap()));
    };
    let (few, cannot) = ("release.plain-table.min_partners CN012", "release.plain-table.min_partners CN019");
    let too_few = format!("{few}, {cannot}");
    check(|w, d| ask(w, d, &[]), PEOPLE, &too_few);
    check(|w, d| ask(w, d, &["angus"]), PEOPLE, &too_few);
    // Enough, and refused all the same: nobody is given its own table where the board wrote a total.
    check(|w, d| ask(w, d, &["angus", "fife"]), PEOPLE, cannot);
}

#[test]
fn what_this_program_cannot_carry_out_is_refused_and_never_answered_otherwise() {
    let plain = "method  = \"suppress-round\"\nprofile = \"sub-national-8-5\"";
    // Rounded, it is audited (`audits.rs`); no audit knows of changed counts.
    let secondary =
        "method  = \"cell-key\"\nptable = \"framework:d3\"\nprofile = \"census-cell-key\"\nsecondary = true";
    check(
        |w, _| w.layers = layers(&[(plain, secondary)], None),
        PEOPLE,
        "release.plain-table.secondary CN010",
    );
    // Rows closed long ago and people whom the partner leaves out are left out: no refusal.
    let rules = "[dataset.engagements]\nkeep_years = 5\nopt_out = { via = \"participants\" }";
    let out = "[dataset.participants]\nopt_out = { column = \"sex\", share_only_if = [\"female\"] }";
    let below = "[dataset.outcomes]\nopt_out = { via = \"participants\" }";
    let mut world = World::new();
    let left_out =
        [("[dataset.engagements]", rules), ("[dataset.participants]", out), ("[dataset.outcomes]", below)];
    world.layers = layers(&left_out, None);
    let draft = world.draft(1, "people in engagements by lep_code");
    let Step::On(counting) = world.count(&world.sign(&draft)) else { panic!("refused") };
    let always = counting.plan().always.iter().map(|p| p.column.column.as_str());
    assert_eq!(always.collect::<Vec<_>>(), ["start_date", "end_date", "sex"]);
}

#[test]
fn a_policy_ends_at_midnight_in_london() {
    let mut world = World::new();
    world.layers = layers(&[("2027-01-31", "2026-06-01"), ("= 2027-03-31", "= 2026-06-15")], None);
    // 22:59 UTC on the 15th is 23:59 in London; a minute later it is the 16th there.
    world.now = cairn_question::Moment::from_unix_s(1_781_564_340);
    let draft = world.draft(1, PEOPLE);
    let reply = world.answer(&world.sign(&draft));
    assert_eq!(world.outcome(&reply, &draft), "answer");
    world.now = world.now.plus_s(61);
    let draft = world.draft(2, "people by council");
    let reply = world.answer(&world.sign(&draft));
    assert_eq!(world.outcome(&reply, &draft), "policy.expires CR002");
}

#[test]
fn the_account_the_quota_and_earlier_settings_refuse() {
    check(
        |w, _| w.layers = layers(&[("epsilon_per_year = 1.6", "epsilon_per_year = 0.3")], None),
        DISABLED,
        "budget.epsilon_per_year CA202",
    );
    let one_a_day = [("tables_per_day = 100", "tables_per_day = 1")];
    let answered = |w: &mut World| {
        let bytes = w.sign(&w.draft(9, "people by council"));
        w.answer(&bytes);
    };
    check(
        |w, _| {
            w.layers = layers(&one_a_day, None);
            answered(w);
        },
        PEOPLE,
        "share.smf-people.per_analyst.tables_per_day CA204",
    );
    check(
        |w, _| {
            let bytes = w.sign(&w.draft(9, PEOPLE));
            w.answer(&bytes);
            w.layers = layers(&[("profile = \"sub-national-8-5\"", "min_people = 10\nround_to = 5")], None);
        },
        PEOPLE,
        "ledger.settings-stick CA206",
    );
}

/// A threshold and a rounding base of the policy's own, where the shipped one names a profile.
const PROFILE: &str = "profile = \"sub-national-8-5\"";
const OWN: &str = "min_people = 15\nround_to = 5";

/// The two questions on one snapshot, the first under [`OWN`], the second under `changed` in its place, and the rest exchanged.
fn check_both(first: &str, second: &str, changed: &str, rest: (&str, &str), outcome: &str) {
    let mut world = World::new();
    world.layers = layers(&[(PROFILE, OWN)], None);
    let draft = world.draft(1, first);
    let reply = world.answer(&world.sign(&draft));
    assert_eq!(world.outcome(&reply, &draft), "answer", "{first}");
    world.layers = layers(&[(PROFILE, changed), rest], None);
    let draft = world.draft(2, second);
    let reply = world.answer(&world.sign(&draft));
    assert_eq!(world.outcome(&reply, &draft), outcome, "{second}");
    // On the next snapshot the changed settings are the first.
    (world.facts.edition, world.facts.as_of) = (2, "2026-04-30".parse().unwrap());
    let draft = world.draft(3, second);
    let reply = world.answer(&world.sign(&draft));
    assert_eq!(world.outcome(&reply, &draft), "answer", "{second}");
}

#[test]
fn release_settings_stick_to_every_table_of_an_answered_snapshot() {
    let ten = "min_people = 15\nround_to = 10";
    let table = "people by sex, age_band";
    let (same, stuck) = (("", ""), "ledger.settings-stick CA206");
    // The margins of a table, to the nearest 10 where the table was to the nearest 5.
    check_both(table, PEOPLE, ten, same, stuck);
    check_both(table, "people by council", &format!("{OWN}\nzeros = \"withhold\""), same, stuck);
    // A window that starts a day later is no stricter: the two tables differ by a day's people.
    let window =
        |day: &str| format!("window   = {{ column = \"start_date\", from = 2019-04-{day}, lag_days = 0 }}");
    let (first, later) = (window("01"), window("02"));
    let (one, other) = ("people in engagements by lep_code", "people in engagements by end_reason");
    check_both(one, other, OWN, (&first, &later), stuck);
    // A higher threshold is stricter, and holds at once.
    check_both(table, PEOPLE, "min_people = 20\nround_to = 5", same, "answer");
    // Another dataset, and a noisy table beside it, have settings of their own.
    check_both(table, one, ten, same, "answer");
    check_both(table, DISABLED, ten, same, "answer");
}

#[test]
fn an_id_that_came_with_another_question_is_refused_and_its_reply_stays() {
    let mut world = World::new();
    let first = world.draft(1, PEOPLE);
    let answered = world.answer(&world.sign(&first));
    let second = world.draft(1, "people by council");
    let Step::Reply(reply) = world.count(&world.sign(&second)) else { panic!("counted") };
    assert_eq!(world.outcome(&reply, &second), "verify.replay CN002");
    assert_eq!(world.audit(), "question-answered question-refused");
    assert_eq!(world.answer(&world.sign(&first)), answered);
}

/// Refused without being verified: logged, but not remembered.
fn check_unverified(change: impl FnOnce(&mut World, &mut Draft), rules: &str) {
    let mut world = World::new();
    let mut draft = world.draft(1, PEOPLE);
    change(&mut world, &mut draft);
    let Step::Reply(reply) = world.count(&world.sign(&draft)) else { panic!("not refused: {rules}") };
    assert_eq!(world.outcome(&reply, &draft), rules);
    let entry = &world.entries()[0];
    assert_eq!((entry.question_id, entry.note.as_deref()), (Some(draft.ask.id), Some("unverified")));
    // Who it claims to be from is not said, since nothing shows it.
    assert_eq!((&entry.analyst, &entry.question), (&None, &None));
}

#[test]
fn what_cannot_be_verified_is_refused_by_its_own_rule() {
    check_unverified(|w, _| w.issuer = key(), "verify.credential CQ002");
    check_unverified(|_, d| d.credential.issuer = name("somebody"), "verify.issuer CQ002");
    check_unverified(|w, d| d.credential.not_before = w.now.plus_s(60), "verify.credential-dates CQ002");
    check_unverified(|w, _| w.analyst = key(), "verify.signature CQ003");
    check_unverified(|_, d| d.ask.question.role = name("minister"), "verify.role CQ005");
    check_unverified(|w, d| d.ask.asked_at = w.now.plus_s(3_600), "verify.clock CQ006");
    check_unverified(|w, d| d.ask.expires_at = w.now.plus_s(90_000), "verify.expired CQ007");
}

#[test]
fn a_question_of_another_federation_is_refused() {
    let mut world = World::new();
    let mut draft = world.draft(1, PEOPLE);
    draft.ask.federation = name("elsewhere");
    let Step::Reply(_) = world.count(&world.sign(&draft)) else { panic!("not refused") };
    assert_eq!(world.entries()[0].rules[0].rule, "verify.federation");
}

#[test]
fn a_broken_copy_sent_first_does_not_spoil_the_true_question() {
    let mut world = World::new();
    let draft = world.draft(1, PEOPLE);
    let credential = draft.credential.sign(&world.issuer);
    let forged = SignedAsk::sign(&draft.ask, &key(), credential).to_bytes();
    let Step::Reply(reply) = world.count(&forged) else { panic!("not refused") };
    assert_eq!(world.outcome(&reply, &draft), "verify.signature CQ003");
    let reply = world.answer(&world.sign(&draft));
    assert_eq!(world.outcome(&reply, &draft), "answer");
}

#[test]
fn whoever_cannot_sign_cannot_fill_the_disk() {
    let mut world = World::new();
    let forger = key();
    for id in 0..100 {
        let draft = world.draft(id, PEOPLE);
        let bytes = SignedAsk::sign(&draft.ask, &forger, draft.credential.sign(&world.issuer)).to_bytes();
        let Step::Reply(reply) = world.count(&bytes) else { panic!("not refused") };
        assert_eq!(world.outcome(&reply, &draft), "verify.signature CQ003");
        assert!(matches!(world.count(b"{}"), Step::Unreadable));
    }
    assert_eq!(world.entries().len(), 6);
    world.now = world.now.plus_s(60);
    assert!(matches!(world.count(b"not a question"), Step::Unreadable));
    let last = world.entries().pop().unwrap();
    assert_eq!(last.note.as_deref(), Some("unverified; 194 more before it have no entry"));
    assert_eq!(last.rules[0].rule, "verify.form");
}

#[test]
fn past_the_days_limit_nothing_is_kept_and_earlier_replies_stay() {
    let mut world = World::new();
    let first = world.draft(1, PEOPLE);
    let answered = world.answer(&world.sign(&first));
    let refused = Entry { analyst: Some(name("a-analyst")), ..Entry::new(EntryKind::QuestionRefused) };
    for _ in 2..REPLIES_PER_ANALYST_PER_DAY {
        world.ledger.note(&refused, world.now).unwrap();
    }
    // The last of the day is a repeat: it counts like any other.
    let last = world.draft(2, PEOPLE);
    let repeated = world.answer(&world.sign(&last));
    assert_eq!(world.outcome(&repeated, &last), "answer");
    let written = u64::from(REPLIES_PER_ANALYST_PER_DAY);
    let after = |world: &World| world.ledger.entries(written, 1_000).unwrap();
    for id in 3..100 {
        // Equal to the first, new, and for another partner: it is all one.
        let mut draft = world.draft(id, if id % 2 == 0 { PEOPLE } else { "people by council" });
        if id % 3 == 0 {
            draft.ask.partners = vec![PartnerId::new("fife").unwrap()];
        }
        let Step::Reply(reply) = world.count(&world.sign(&draft)) else { panic!("not refused") };
        assert_eq!(world.outcome(&reply, &draft), "ledger.replies-per-day CA209");
        let signed = world.open(&reply, &draft);
        assert_eq!(world.ledger.recall(draft.ask.id, signed.question_hash).unwrap(), Recall::Unknown);
    }
    let logged = after(&world);
    assert_eq!(logged.len(), 6);
    assert_eq!((&logged[0].analyst, &logged[0].question), (&Some(name("a-analyst")), &None));
    // What was replied to is replied to again, and another analyst is not held up.
    assert_eq!(world.answer(&world.sign(&first)), answered);
    assert_eq!(world.answer(&world.sign(&last)), repeated);
    let mut other = world.draft(100, PEOPLE);
    other.credential.analyst = name("b-analyst");
    let reply = world.answer(&world.sign(&other));
    assert_eq!(world.outcome(&reply, &other), "answer");
    // The entry of the next minute says how many had none; the next day the same question has its answer.
    world.now = world.now.plus_s(60);
    let late = world.draft(101, "people by council");
    let bytes = world.sign(&late);
    let Step::Reply(_) = world.count(&bytes) else { panic!("not refused") };
    let note = after(&world).pop().unwrap().note;
    assert_eq!(note.as_deref(), Some("not kept; 91 more before it have no entry"));
    world.now = world.now.plus_s(86_400);
    let next = world.draft(101, "people by council");
    let reply = world.answer(&world.sign(&next));
    assert_eq!(world.outcome(&reply, &next), "answer");
}

#[test]
fn a_node_that_is_not_ready_says_so_and_answers_the_same_question_later() {
    let mut world = World::new();
    let draft = world.draft(1, PEOPLE);
    let bytes = world.sign(&draft);
    let reply = world.gate.without_policy(&bytes, Without::Policy, &mut world.ledger, world.now).unwrap();
    assert_eq!(world.outcome(&reply, &draft), "node.no-policy CN005");
    let (layers, ledger, now) = (&world.layers, &mut world.ledger, world.now);
    let Step::On(verified) = world.gate.verify(&bytes, layers, ledger, now) else { panic!("not verified") };
    let Step::On(permitted) = world.gate.permit(verified, layers, ledger, now) else { panic!("refused") };
    let reply = world.gate.without_snapshot(permitted, ledger, now);
    assert_eq!(world.outcome(&reply, &draft), "node.no-snapshot CN006");
    assert_eq!(world.entries().len(), 2);
    let reply = world.answer(&bytes);
    assert_eq!(world.outcome(&reply, &draft), "answer");
    // Signatures are checked without a policy too, and a reply that was given is given again.
    let again = world.gate.without_policy(&bytes, Without::Policy, &mut world.ledger, world.now).unwrap();
    assert_eq!(again, reply);
    let mut other = world.draft(2, PEOPLE);
    other.credential.issuer = name("nobody");
    let reply = world
        .gate
        .without_policy(&world.sign(&other), Without::Policy, &mut world.ledger, world.now)
        .unwrap();
    assert_eq!(world.outcome(&reply, &other), "verify.issuer CQ002");
    assert!(world.gate.without_policy(b"{}", Without::Policy, &mut world.ledger, world.now).is_none());
}
