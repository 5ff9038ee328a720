//! What a lying coordinator, analyst or partner may try, each refused with its own code.

use cairn_question::{Hash, SigningKey};

use crate::attempt::{Attempt, Statement, h1};
use crate::mask::Blind;
use crate::wire::{FromCoordinator, FromNode};
use crate::{
    Members, NodeId, PairwiseMasks, ReceiptV1, Refused, RollCall, Roster, Terms, Transcript, recompute,
};

use super::federation::{BOARD, Federation, KEYS, Mail, OPEN, RELAY, SEALED};
use super::world::{NOW, World, fresh_key};

fn code(refused: Option<Refused>) -> Option<&'static str> {
    refused.map(|refused| refused.code())
}

/// The same manifest and nodes; what went up, and the coordinator that will be lied for.
fn recorded(n: usize) -> (Federation, Vec<Mail>) {
    let mut federation = Federation::new(n);
    let mut up = Vec::new();
    federation.run(|mail| {
        if matches!(mail, Mail::Up { .. }) {
            up.push(mail.clone());
        }
        Some(mail)
    });
    (federation, up)
}

/// A partner is said to have dropped out after everybody sealed: a second attempt without it would give a second sum.
#[test]
fn a_fake_drop_out_opens_one_of_the_two_attempts_only() {
    let mut federation = Federation::new(5);
    // All sealed, and the coordinator keeps the lines back from everybody.
    let mut boards: Vec<(usize, Vec<u8>)> = Vec::new();
    federation.run(|mail| match mail {
        Mail::Down { to, body } if body[1] == BOARD => {
            boards.push((to, body));
            None
        }
        other => Some(other),
    });
    assert_eq!(boards.len(), 5);
    // It announces the second attempt, and when the nodes have joined it asks for the first one's opening.
    let announced = Members::of(0..4).unwrap();
    let second = FromCoordinator::Attempt { attempt: Attempt::new(2).unwrap(), announced };
    let second = second.write(&federation.manifest);
    for (to, board) in &boards[..4] {
        assert_eq!(federation.refusal(*to, &second), None);
        assert_eq!(code(federation.refusal(*to, board)), Some("CM203"));
    }
    // Partner 4 opens the first attempt, which decodes nothing without the others, and is out of the second.
    assert_eq!(federation.refusal(4, &boards[4].1), None);
    federation.settle(NOW);
    assert_eq!(code(federation.refusal(4, &second)), Some("CM214"));
    let opened: Vec<usize> = federation.sites.iter().map(|site| site.opens.len()).collect();
    assert_eq!(opened, [0, 0, 0, 0, 1]);
}

/// The other way round: the first attempt opened, and another one of the same question is asked for over fewer partners.
#[test]
fn the_same_question_over_another_set_is_refused() {
    let (mut federation, _) = recorded(5);
    let announced = Members::of(0..4).unwrap();
    let second = FromCoordinator::Attempt { attempt: Attempt::new(2).unwrap(), announced };
    let body = second.write(&federation.manifest);
    for place in 0..4 {
        assert_eq!(code(federation.refusal(place, &body)), Some("CM214"));
    }
}

/// The coordinator hands a node keys that it made itself, to read the mask.
#[test]
fn a_key_of_the_coordinators_own_is_refused() {
    let mut federation = Federation::new(4);
    let body = federation.run_until(RELAY, 0);
    let FromCoordinator::Relay { attempt, members, own, mut keys } =
        FromCoordinator::read(&body, &federation.manifest).unwrap()
    else {
        panic!()
    };
    let key = [5; 32];
    let ids = (federation.sites[1].id, federation.sites[0].id);
    let said = Statement::key(&federation.manifest, attempt, ids, (&key, None));
    keys[0] = crate::wire::SignedKey { key, signature: said.sign(&federation.world.coordinator), mark: None };
    let body = FromCoordinator::Relay { attempt, members, own, keys }.write(&federation.manifest);
    assert_eq!(code(federation.refusal(0, &body)), Some("CM209"));
}

/// Keys that a partner signed, but for another peer, another attempt or another round.
#[test]
fn equivocated_keys_are_refused() {
    let mut federation = Federation::new(4);
    let mut keys_of_1 = None;
    let mut relay_to_0 = None;
    federation.run(|mail| {
        match &mail {
            Mail::Up { from: 1, body } if body[1] == KEYS => keys_of_1 = Some(body.clone()),
            Mail::Down { to: 0, body } if body[1] == RELAY => {
                relay_to_0 = Some(body.clone());
                return None;
            }
            _ => {}
        }
        Some(mail)
    });
    let manifest = federation.manifest.clone();
    let FromNode::Keys { keys: of_1, .. } = FromNode::read(&keys_of_1.unwrap(), &manifest).unwrap() else {
        panic!()
    };
    let relay = relay_to_0.unwrap();
    let FromCoordinator::Relay { attempt, members, own, keys } =
        FromCoordinator::read(&relay, &manifest).unwrap()
    else {
        panic!()
    };
    assert_eq!(keys[0], of_1[0], "partner 1 made its first key for partner 0");
    let ids = (federation.sites[1].id, federation.sites[0].id);
    let signed = |attempt, key: [u8; 32], by: &SigningKey| crate::wire::SignedKey {
        key,
        signature: Statement::key(&manifest, attempt, ids, (&key, None)).sign(by),
        mark: None,
    };
    let partner = std::sync::Arc::clone(&federation.world.keys[1]);
    for other in [of_1[1], of_1[2], signed(Attempt::new(2).unwrap(), keys[0].key, &partner)] {
        let mut keys = keys.clone();
        keys[0] = other;
        let (members, own) = (members.clone(), own);
        let body = FromCoordinator::Relay { attempt, members, own, keys }.write(&manifest);
        assert_eq!(code(federation.refusal(0, &body)), Some("CM209"));
    }
    // A colluding partner's key with which everybody agrees on nothing secret.
    let mut weak = keys.clone();
    weak[0] = signed(attempt, [0; 32], &partner);
    let body = FromCoordinator::Relay { attempt, members, own, keys: weak }.write(&manifest);
    assert_eq!(code(federation.refusal(0, &body)), Some("CM210"));
    // Its keys are spent by that: the true ones come too late for this attempt.
    assert_eq!(code(federation.refusal(0, &relay)), Some("CM203"));
}

/// Two groups are told two sets under one attempt, so that the difference of two sums would be one partner.
#[test]
fn swapped_sets_are_found_before_anything_opens() {
    let mut federation = Federation::new(5);
    let manifest = federation.manifest.clone();
    let mut keys: Vec<Option<Vec<u8>>> = vec![None; 5];
    federation.run(|mail| match mail {
        Mail::Up { from, body } if body[1] == KEYS => {
            keys[from] = Some(body);
            None
        }
        other => Some(other),
    });
    let frames: Vec<Vec<u8>> = keys.into_iter().map(Option::unwrap).collect();
    let of = |place: usize, peer: usize| {
        let FromNode::Keys { keys, .. } = FromNode::read(&frames[place], &manifest).unwrap() else {
            panic!()
        };
        keys[if peer < place { peer } else { peer - 1 }]
    };
    let (all, fewer) = (Members::of(0..5).unwrap(), Members::of(0..4).unwrap());
    let mut sealed = Vec::new();
    for (place, frame) in frames.iter().enumerate() {
        let members = if place < 2 { fewer.clone() } else { all.clone() };
        let keys = members.places().filter(|other| *other != place).map(|other| of(other, place)).collect();
        let own = Hash::of(frame);
        let relay = FromCoordinator::Relay { attempt: Attempt::FIRST, members, own, keys };
        assert_eq!(federation.refusal(place, &relay.write(&manifest)), None);
        let sent = federation.sites[place].work(&manifest, NOW, &mut Vec::new());
        let last = sent.into_iter().rfind(|body| body[1] == SEALED).unwrap();
        let FromNode::Sealed { h1, signature, commitment, vector, .. } =
            FromNode::read(&last, &manifest).unwrap()
        else {
            panic!()
        };
        sealed.push((h1, crate::attempt::SealedLine { signature, vector: Hash::of(&vector), commitment }));
    }
    assert_ne!(sealed[0].0, sealed[2].0);
    for (place, n) in [(0, 4), (3, 5)] {
        let lines = sealed[..n].iter().map(|(_, line)| *line).collect();
        let board = FromCoordinator::Board { h1: sealed[place].0, lines }.write(&manifest);
        assert_eq!(code(federation.refusal(place, &board)), Some("CM212"));
    }
}

#[test]
fn an_analyst_who_lowers_a_term_is_refused() {
    let world = World::new(5);
    let check = |change: fn(&mut crate::ManifestV1), expected| {
        let mut doc = world.doc();
        change(&mut doc);
        assert_eq!(code(world.open(&doc).err()), Some(expected));
    };
    check(|doc| doc.colluding_max = 0, "CM115");
    check(|doc| doc.answering_min = 2, "CM116");
    check(|doc| doc.invited = Members::of(0..3).unwrap(), "CM117");
    check(|doc| doc.clamp = u64::MAX, "CM118");
}

#[test]
fn one_controller_does_not_hide_behind_itself() {
    let world = World::new(4);
    let mut doc = world.roster_doc.clone();
    let mut second = doc.entries[3].clone();
    second.node = NodeId::from_bytes([0xEE; 16]);
    (second.key, second.tls_key) = (fresh_key().verifying_key(), Hash::of(b"second"));
    second.partner = cairn_question::PartnerId::new("second-system").unwrap();
    doc.entries.push(second);
    let read = Roster::parse(&serde_json::to_vec(&doc).unwrap());
    assert_eq!(code(read.err()), Some("CM102"));
}

/// An opening of one round is worth nothing in another: not for the coordinator, and not for an auditor.
#[test]
fn replayed_openings_are_refused() {
    let (earlier, up) = recorded(4);
    let mut federation =
        Federation::of(earlier.world, earlier.manifest, RollCall::Whoever { until: NOW.plus_s(60) });
    let old = up
        .iter()
        .find(|mail| matches!(mail, Mail::Up { from: 2, .. }) && mail.kind() == OPEN)
        .unwrap()
        .clone();
    federation.run(|mail| match &mail {
        Mail::Up { from: 2, body } if body[1] == OPEN => Some(old.clone()),
        _ => Some(mail),
    });
    assert!(federation.summed.is_none());
    assert_eq!(code(federation.refusals.first().cloned()), Some("CM203"));
    // The old blind under the new H₂, with the old signature; and a signature of the right form by another partner.
    let old = FromNode::read(old.body(), &federation.manifest).unwrap();
    let FromNode::Open { blind, signature, .. } = old else { panic!() };
    let new = FromNode::read(&federation.sites[2].opens[0], &federation.manifest).unwrap();
    let FromNode::Open { h2, blind: own, .. } = new else { panic!() };
    let id = federation.sites[2].id;
    let mut say = |blind, signature| {
        let body = FromNode::Open { h2, blind, signature }.write(&federation.manifest);
        code(federation.coordinator.handle_frame(id, &body, NOW).err())
    };
    assert_eq!(say(blind, signature), Some("CM304"));
    assert_eq!(say(own, signature), Some("CM302"));
    let forged = Statement::open(&h2, &Blind::from_bytes(own)).sign(&federation.world.keys[1]);
    assert_eq!(say(own, forged), Some("CM302"));
}

#[test]
fn a_receipt_with_another_table_is_found() {
    let (mut federation, _) = recorded(4);
    let first = federation.sites[0].receipts[0].clone();
    let say = |federation: &mut Federation, change: fn(&mut ReceiptV1), key: &SigningKey| {
        let mut doc = first.says().clone();
        change(&mut doc);
        let body = FromCoordinator::Receipt(doc.sign(key).to_bytes()).write(&federation.manifest);
        code(federation.refusal(0, &body))
    };
    let coordinator = std::sync::Arc::clone(&federation.world.coordinator);
    assert_eq!(say(&mut federation, |_| {}, &coordinator), None);
    assert_eq!(say(&mut federation, |doc| doc.table = Hash::of(b"another"), &coordinator), Some("CM221"));
    assert_eq!(say(&mut federation, |doc| doc.opening = Hash::of(b"another"), &coordinator), Some("CM220"));
    assert_eq!(say(&mut federation, |_| {}, &fresh_key()), Some("CM219"));
    assert_eq!(first.is_of(&first.says().table), Ok(()));
    assert_eq!(code(first.is_of(&Hash::of(b"another")).err()), Some("CM221"));
}

/// A partner takes another's place, or is none.
#[test]
fn a_stranger_and_a_partner_in_anothers_name_are_refused() {
    let (federation, up) = recorded(4);
    let mut fresh =
        Federation::of(federation.world, federation.manifest, RollCall::Whoever { until: NOW.plus_s(60) });
    let stranger = NodeId::from_bytes([0xEE; 16]);
    let ready = up[0].body().to_vec();
    assert_eq!(code(fresh.coordinator.handle_frame(stranger, &ready, NOW).err()), Some("CM301"));
    let manifest = fresh.manifest.clone();
    let mut bodies = Vec::new();
    fresh.run(|mail| match &mail {
        Mail::Up { from, body } if body[1] == SEALED => {
            bodies.push((*from, body.clone()));
            None
        }
        _ => Some(mail),
    });
    let FromNode::Sealed { attempt, h1, commitment, signature, vector } =
        FromNode::read(&bodies[0].1, &manifest).unwrap()
    else {
        panic!()
    };
    let (id, other) = (fresh.sites[bodies[0].0].id, fresh.sites[bodies[1].0].id);
    let refused =
        |fresh: &mut Federation, id, body: &[u8]| code(fresh.coordinator.handle_frame(id, body, NOW).err());
    assert_eq!(refused(&mut fresh, other, &bodies[0].1), Some("CM302"));
    assert_eq!(refused(&mut fresh, id, &bodies[0].1), None);
    // Two different vectors in one attempt: the first stands.
    let second = FromNode::Sealed { attempt, h1, commitment, signature, vector: vec![0; vector.len()] };
    assert_eq!(refused(&mut fresh, id, &second.write(&manifest)), Some("CM303"));
}

fn audited(
    federation: &Federation,
    transcript: &Transcript,
    terms: &Terms,
) -> Result<Vec<i64>, &'static str> {
    let (key, roster) = (federation.world.analyst.verifying_key(), &federation.world.roster);
    let found = recompute(transcript, &key, roster, terms, &PairwiseMasks);
    found.map(|found| found.sum.values().unwrap()).map_err(|refused| refused.code())
}

#[test]
fn an_auditor_finds_every_alteration_of_a_transcript() {
    let (federation, _) = recorded(4);
    let (earlier, _) = recorded(4);
    let bytes = federation.summed.as_ref().unwrap().transcript.to_bytes();
    let replayed = earlier.summed.unwrap().transcript;
    let terms = federation.world.terms;
    let check = |change: &dyn Fn(&mut Transcript), expected: Option<&str>| {
        let mut transcript = Transcript::parse(&bytes).unwrap();
        change(&mut transcript);
        assert_eq!(audited(&federation, &transcript, &terms).err(), expected);
    };
    check(&|_| {}, None);
    check(&|t| t.lines[1].vector[0] ^= 1, Some("CM212"));
    check(&|t| t.lines[1].blind[0] ^= 1, Some("CM304"));
    check(&|t| t.lines[1].commitment = Hash::of(b"another"), Some("CM212"));
    check(&|t| t.lines[1].opening = replayed.lines[1].opening, Some("CM302"));
    check(&|t| t.lines.swap(0, 1), Some("CM212"));
    check(&|t| t.attempt = Attempt::new(2).unwrap(), Some("CM212"));
    check(&|t| drop(t.lines.pop()), Some("CM401"));
    check(&|t| t.members = Members::of(0..2).unwrap(), Some("CM206"));
    check(&|t| t.manifest = replayed.manifest.clone(), Some("CM111"));
    let stricter = Terms::new(2, 4, 4, 1_000_000).unwrap();
    let whole = Transcript::parse(&bytes).unwrap();
    assert_eq!(audited(&federation, &whole, &stricter).err(), Some("CM115"));
    assert_eq!(
        audited(&federation, &whole, &terms).unwrap(),
        federation.expected(&Members::of(0..4).unwrap())
    );
    // Cut between two lines it is read, and lacks them; anywhere else it is not a transcript.
    let lacking = (0..bytes.len()).filter(|cut| match Transcript::parse(&bytes[..*cut]) {
        Ok(cut) => audited(&federation, &cut, &terms).err() == Some("CM401"),
        Err(refused) => refused != Refused::Transcript,
    });
    assert_eq!(lacking.count(), 4);
}

/// After a restart a node does not seal under keys that it no longer has.
#[test]
fn keys_of_an_earlier_start_are_not_sealed_under() {
    let mut federation = Federation::new(4);
    let relay = federation.run_until(RELAY, 0);
    let announced = Members::of(0..4).unwrap();
    let attempt = FromCoordinator::Attempt { attempt: Attempt::FIRST, announced }.write(&federation.manifest);
    federation.sites[0].join(&federation.world, &federation.manifest.clone(), NOW).unwrap();
    assert_eq!(federation.refusal(0, &attempt), None);
    assert_eq!(code(federation.refusal(0, &relay)), Some("CM211"));
}

#[test]
fn the_hashes_name_the_attempt_the_set_and_the_round() {
    let world = World::new(5);
    let manifest = world.open(&world.doc()).unwrap();
    let ids = |n: usize| -> Vec<NodeId> { (0..n).map(super::world::node).collect() };
    let (first, second) = (Attempt::FIRST, Attempt::new(2).unwrap());
    let one = h1(&manifest, first, &ids(5));
    assert_ne!(one, h1(&manifest, second, &ids(5)));
    assert_ne!(one, h1(&manifest, first, &ids(4)));
    let mut doc = world.doc();
    doc.deadline = NOW.plus_s(60);
    assert_ne!(one, h1(&world.open(&doc).unwrap(), first, &ids(5)));
    assert_eq!(one, h1(&manifest, first, &ids(5)));
}
