//! R1 to R6 at a node, each by its name, and the flights of a round in which nobody lies.

use cairn_question::{Hash, QuestionId};
use ring::agreement::EphemeralPrivateKey;
use zeroize::Zeroizing;

use crate::attempt::Attempt;
use crate::wire::{FromCoordinator, FromNode};
use crate::{
    Layout, Members, NodeEvent, NodeRound, OpenRecord, Openings, Partners, Plain, Randomness, Refused,
    Repeat, Ring, RollCall, SystemRandomness, Treatment, recompute,
};

use super::federation::{ATTEMPT, BOARD, Federation, KEYS, Mail, OPEN, READY, RECEIPT, RELAY, SEALED};
use super::repeats::opened;
use super::world::{KEYED, NOW, ROUNDED, World, dp, node, once, series};

fn read(federation: &Federation, body: &[u8]) -> FromCoordinator {
    FromCoordinator::read(body, &federation.manifest).unwrap()
}

fn announce(federation: &Federation, attempt: u8, places: impl IntoIterator<Item = usize>) -> Vec<u8> {
    let announced = Members::of(places).unwrap();
    let frame = FromCoordinator::Attempt { attempt: Attempt::new(attempt).unwrap(), announced };
    frame.write(&federation.manifest)
}

#[test]
fn a_round_without_faults_opens_the_sum_and_everybody_gets_a_receipt() {
    let mut federation = Federation::new(5);
    let mut kinds = [0_usize; 21];
    federation.run(|mail| {
        kinds[usize::from(mail.kind())] += 1;
        Some(mail)
    });
    let summed = federation.summed.as_ref().unwrap();
    assert_eq!(summed.partners, Members::of(0..5).unwrap());
    assert_eq!(summed.sum.values().unwrap(), federation.expected(&summed.partners));
    // Three round trips after READY: ATTEMPT and KEYS, RELAY and SEALED, BOARD and OPEN; then the receipt.
    assert_eq!([READY, KEYS, SEALED, OPEN].map(|kind| kinds[usize::from(kind)]), [5; 4]);
    assert_eq!([ATTEMPT, RELAY, BOARD, RECEIPT].map(|kind| kinds[usize::from(kind)]), [5; 4]);
    assert!(federation.refusals.is_empty(), "{:?}", federation.refusals);
    let receipts: Vec<_> = federation.sites.iter().map(|site| site.receipts[0].clone()).collect();
    assert!(receipts.windows(2).all(|two| two[0] == two[1]));
    let (world, key) = (&federation.world, federation.world.analyst.verifying_key());
    let aggregator = crate::PairwiseMasks;
    let again = recompute(&summed.transcript, &key, &world.roster, &world.terms, &aggregator).unwrap();
    assert_eq!(again.sum.values(), summed.sum.values());
    assert_eq!(again.transcript, receipts[0].says().transcript);
    assert_eq!(again.opening, receipts[0].says().opening);
}

#[test]
fn words_of_32_bits_and_symbols_of_bits_go_the_same_way() {
    for ring in [Ring::U32, Ring::Xor(crate::SymbolBits::new(3).unwrap())] {
        let world = World::new(4);
        let mut doc = world.doc();
        let many: u32 = if ring == Ring::U32 { 21 } else { 1 << 10 };
        (doc.layout, doc.clamp) = (Layout::new(ring, many as usize).unwrap(), 1_000);
        if matches!(ring, Ring::Xor(_)) {
            doc.treatment = once();
        }
        let manifest = world.open(&doc).unwrap();
        let mut rounds: Vec<NodeRound> = Vec::new();
        let first = |place: usize| u8::try_from(place).unwrap();
        let symbols = |place: usize| {
            (0..many)
                .map(|n| (n.to_le_bytes()[0].wrapping_mul(3).wrapping_add(first(place))) & 7)
                .collect::<Vec<u8>>()
        };
        let roll_call = RollCall::Whoever { until: NOW.plus_s(9) };
        let setup = world.coordinator_setup(roll_call);
        let mut coordinator = crate::CoordinatorRound::open(setup, manifest.clone(), NOW).unwrap();
        for place in 0..4 {
            let subject = world.subject(&manifest, &Openings::default());
            let (setup, random) = (world.setup(place), &mut SystemRandomness::new());
            rounds.push(NodeRound::ready(setup, manifest.clone(), subject, NOW, random).unwrap());
        }
        for _ in 0..8 {
            for (place, round) in rounds.iter_mut().enumerate() {
                while let Some(event) = round.poll_event() {
                    match event {
                        NodeEvent::Draw(draw) => {
                            let values: Vec<i64> = symbols(place).iter().map(|s| i64::from(*s) - 4).collect();
                            let vector = match ring {
                                Ring::Xor(_) => Plain::from_symbols(doc.layout, &symbols(place)),
                                _ => Plain::from_values(doc.layout, &values),
                            };
                            let random = &mut SystemRandomness::new();
                            round.drawn(draw, vector.unwrap(), NOW, random).unwrap();
                        }
                        NodeEvent::Keep(keep) => round.kept(keep, NOW).unwrap(),
                        _ => {}
                    }
                }
                while let Some(body) = round.poll_transmit() {
                    coordinator.handle_frame(node(place), &body, NOW).unwrap();
                }
            }
            while let Some((to, body)) = coordinator.poll_transmit() {
                let to = world.roster.place(to).unwrap();
                rounds[to].handle_frame(&body, NOW, &mut SystemRandomness::new()).unwrap();
            }
        }
        let Some(crate::CoordinatorEvent::Summed(summed)) = coordinator.poll_event() else {
            panic!("{ring:?}")
        };
        let all = (0..4).map(symbols).collect::<Vec<_>>();
        match ring {
            Ring::Xor(_) => {
                let expected: Vec<u8> =
                    (0..many as usize).map(|n| all.iter().fold(0, |sum, one| sum ^ one[n])).collect();
                assert_eq!(summed.sum.symbols().unwrap(), expected);
            }
            _ => {
                let cell = |n: usize| all.iter().map(|one| i64::from(one[n]) - 4).sum();
                assert_eq!(summed.sum.values().unwrap(), (0..21).map(cell).collect::<Vec<i64>>());
            }
        }
    }
}

#[test]
fn r1_a_set_is_invited_and_large_enough_and_has_this_node() {
    let mut federation = Federation::new(6);
    federation.run_until(ATTEMPT, 0);
    let check = |federation: &mut Federation, places: Vec<usize>, expected| {
        let body = announce(federation, 1, places.clone());
        assert_eq!(federation.refusal(0, &body), expected, "{places:?}");
    };
    check(&mut federation, (0..7).collect(), Some(Refused::NotWithinInvited));
    check(&mut federation, (0..3).collect(), Some(Refused::TooFew));
    check(&mut federation, (1..6).collect(), Some(Refused::WithoutUs));
    check(&mut federation, (0..4).collect(), None);
}

#[test]
fn r1_every_key_is_there_and_signed_for_this_node_and_attempt() {
    let check = |change: fn(&mut Vec<crate::wire::SignedKey>), expected: Option<Refused>| {
        let mut federation = Federation::new(4);
        let body = federation.run_until(RELAY, 2);
        let FromCoordinator::Relay { attempt, members, own, mut keys } = read(&federation, &body) else {
            panic!()
        };
        change(&mut keys);
        let body = FromCoordinator::Relay { attempt, members, own, keys }.write(&federation.manifest);
        assert_eq!(federation.refusal(2, &body), expected);
    };
    check(|_| {}, None);
    check(|keys| keys.truncate(2), Some(Refused::KeySignature));
    check(|keys| keys.clear(), Some(Refused::KeySignature));
    check(|keys| keys.push(keys[0]), Some(Refused::KeySignature));
    check(|keys| keys.swap(0, 1), Some(Refused::KeySignature));
    check(|keys| keys[1].key[0] ^= 1, Some(Refused::KeySignature));
}

#[test]
fn r1_the_final_set_is_within_the_announced_one() {
    let mut federation = Federation::new(6);
    federation.run_until(ATTEMPT, 0);
    let body = announce(&federation, 1, 0..5);
    assert_eq!(federation.refusal(0, &body), None);
    let relay = |places: Vec<usize>| FromCoordinator::Relay {
        attempt: Attempt::FIRST,
        members: Members::of(places).unwrap(),
        own: Hash::of(b""),
        keys: Vec::new(),
    };
    let check = |federation: &mut Federation, places: Vec<usize>, expected| {
        let body = relay(places).write(&federation.manifest);
        assert_eq!(federation.refusal(0, &body), Some(expected));
    };
    check(&mut federation, (0..6).collect(), Refused::SetGrew);
    check(&mut federation, (0..3).collect(), Refused::TooFew);
    check(&mut federation, (1..5).collect(), Refused::WithoutUs);
    check(&mut federation, (0..5).collect(), Refused::OtherKeys);
}

#[test]
fn r1_an_attempt_rises() {
    let mut federation = Federation::new(4);
    federation.run_until(ATTEMPT, 1);
    for (attempt, expected) in [(2, None), (2, None), (1, Some(Refused::Attempt)), (3, None)] {
        let body = announce(&federation, attempt, 0..4);
        assert_eq!(federation.refusal(1, &body), expected, "{attempt}");
    }
    let other = announce(&federation, 3, [0, 1, 3]);
    assert_eq!(federation.refusal(1, &other), Some(Refused::Attempt));
}

#[test]
fn r2_nothing_opens_before_the_record_is_kept() {
    let mut federation = Federation::new(4);
    let board = federation.run_until(BOARD, 3);
    let round = federation.sites[3].round.as_mut().unwrap();
    round.handle_frame(&board, NOW, &mut SystemRandomness::new()).unwrap();
    let Some(NodeEvent::Keep(keep)) = round.poll_event() else { panic!("the record comes first") };
    assert_eq!(round.poll_transmit(), None);
    // Not even when time passes, or when the lines come again.
    round.handle_time(NOW.plus_s(600));
    let again = round.handle_frame(&board, NOW.plus_s(600), &mut SystemRandomness::new());
    assert_eq!((again, round.poll_transmit()), (Err(Refused::AlreadyOpened), None));
    let record = OpenRecord::parse(&keep.record().to_bytes()).unwrap();
    round.kept(keep, NOW.plus_s(601)).unwrap();
    let open = round.poll_transmit().unwrap();
    let sent = FromNode::read(&open, &federation.manifest).unwrap();
    let FromNode::Open { h2, .. } = sent else { panic!("{sent:?}") };
    assert_eq!(h2, *record.opening());
}

#[test]
fn r2_after_a_restart_exactly_that_open_is_sent_again() {
    let mut federation = Federation::new(4);
    federation.run(|mail| (mail.kind() != RECEIPT).then_some(mail));
    let site = &mut federation.sites[1];
    let first = site.opens[0].clone();
    site.round = None;
    site.join(&federation.world, &federation.manifest, NOW).unwrap();
    let sent = site.work(&federation.manifest, NOW, &mut Vec::new());
    assert_eq!(sent, std::slice::from_ref(&first));
    // And it is not to be moved to another one.
    for body in [announce(&federation, 2, 0..4), announce(&federation, 5, 0..3)] {
        assert_eq!(federation.refusal(1, &body), Some(Refused::AlreadyOpened));
    }
    let site = &mut federation.sites[1];
    site.round.as_mut().unwrap().handle_time(NOW.plus_s(3_599));
    assert_eq!(site.work(&federation.manifest, NOW, &mut Vec::new()), [first]);
}

#[test]
fn r2_once_opened_nothing_else_is_keyed_or_sealed() {
    let mut federation = Federation::new(4);
    federation.run(Some);
    for (attempt, places) in [(2, 0..4), (3, 0..3), (5, 0..4)] {
        let body = announce(&federation, attempt, places);
        assert_eq!(federation.refusal(0, &body), Some(Refused::AlreadyOpened));
    }
    let frame = FromCoordinator::Board { h1: Hash::of(b"another"), lines: Vec::new() };
    let body = frame.write(&federation.manifest);
    assert_eq!(federation.refusal(0, &body), Some(Refused::AlreadyOpened));
}

/// The analyst signs a second manifest for a question that was opened, with a later deadline and fewer partners.
#[test]
fn r2_another_manifest_of_an_opened_question_opens_nothing() {
    let mut federation = Federation::new(5);
    federation.run(Some);
    let mut doc = federation.world.doc();
    doc.deadline = NOW.plus_s(7_200);
    let manifest = federation.world.open(&doc).unwrap();
    let kept: Vec<Openings> = federation.sites.iter().map(|site| site.openings.clone()).collect();
    let wanted = Members::of(0..4).unwrap();
    let mut second = Federation::of(federation.world, manifest, RollCall::Exactly(wanted));
    second.sites.iter_mut().zip(kept).for_each(|(site, openings)| site.openings = openings);
    second.run(Some);
    assert!(second.summed.is_none());
    assert_eq!(second.refusals, vec![Refused::AlreadyOpened; 4]);
    assert!(second.sites.iter().all(|site| site.draws.is_empty()));
}

#[test]
fn r2_a_hold_without_a_record_lapses_at_the_deadline() {
    let mut federation = Federation::new(4);
    federation.run_until(BOARD, 2);
    federation.tick(NOW.plus_s(3_600));
    assert!(federation.sites[2].lapsed && federation.sites[2].disk.is_none());
    assert!(!federation.sites[1].lapsed && federation.sites[1].disk.is_some());
    assert_eq!(federation.failed, Some(Refused::NotOpened));
    assert!(federation.sites.iter().all(|site| site.round.as_ref().unwrap().is_over()));
}

#[test]
fn r2_a_known_number_with_another_text_is_refused() {
    let world = World::new(4);
    let manifest = world.open(&world.doc()).unwrap();
    let join = |question: u8, text: &[u8]| {
        let mut subject = world.subject(&manifest, &Openings::default());
        subject.question = QuestionId::from_bytes([question; 32]);
        subject.question_hash = Hash::of(text);
        let (setup, random) = (world.setup(0), &mut SystemRandomness::new());
        NodeRound::ready(setup, manifest.clone(), subject, NOW, random).err()
    };
    assert_eq!(join(7, b"question"), None);
    assert_eq!(join(7, b"changed"), Some(Refused::OtherQuestion));
    assert_eq!(join(8, b"question"), Some(Refused::OtherQuestion));
}

#[test]
fn r2_a_record_is_of_one_round_and_reads_back_whole() {
    let mut federation = Federation::new(4);
    federation.run(Some);
    let bytes = federation.sites[0].disk.clone().unwrap();
    let record = OpenRecord::parse(&bytes).unwrap();
    assert_eq!(record.to_bytes().to_vec(), bytes);
    assert_eq!(record.partners().ids(), (0..4).map(node).collect::<Vec<_>>());
    assert_eq!(record.series(), &series());
    for cut in 0..bytes.len() {
        let parsed = OpenRecord::parse(&bytes[..cut]);
        let whole_ids = cut > bytes.len() - 64 && (bytes.len() - cut).is_multiple_of(16);
        assert!(parsed.is_err() || whole_ids || cut == bytes.len() - 64, "{cut}");
    }
    let (world, mut doc) = (&federation.world, federation.world.doc());
    doc.deadline = NOW.plus_s(1_800);
    let other = world.open(&doc).unwrap();
    let subject = world.subject(&other, &Openings::default());
    let resumed =
        NodeRound::resume(world.setup(0), other, subject, record, NOW, &mut SystemRandomness::new());
    assert_eq!(resumed.err(), Some(Refused::Record));
}

#[test]
fn r3_a_node_opens_only_after_every_member_sealed_for_the_same_set() {
    let check = |change: fn(&mut Vec<crate::attempt::SealedLine>), expected: Option<Refused>| {
        let mut federation = Federation::new(4);
        let body = federation.run_until(BOARD, 2);
        let FromCoordinator::Board { h1, mut lines } = read(&federation, &body) else { panic!() };
        change(&mut lines);
        let body = FromCoordinator::Board { h1, lines }.write(&federation.manifest);
        assert_eq!(federation.refusal(2, &body), expected);
        assert_eq!(federation.sites[2].opens.len(), 0);
    };
    check(|_| {}, None);
    check(|lines| lines.truncate(3), Some(Refused::SealedSignature));
    check(|lines| lines.clear(), Some(Refused::SealedSignature));
    check(|lines| lines.push(lines[0]), Some(Refused::SealedSignature));
    check(|lines| lines.swap(0, 1), Some(Refused::SealedSignature));
    check(|lines| lines[1].vector = Hash::of(b"another"), Some(Refused::SealedSignature));
    check(|lines| lines[3].commitment = Hash::of(b"another"), Some(Refused::SealedSignature));
    check(|lines| lines[2].vector = Hash::of(b"another"), Some(Refused::OwnLine));
    check(|lines| lines[2] = lines[1], Some(Refused::OwnLine));
}

/// A second attempt after somebody dropped out in F2: what came up in either attempt.
fn two_attempts() -> (Federation, Vec<Mail>) {
    let mut federation = Federation::new(5);
    let mut up = Vec::new();
    federation.run(|mail| match &mail {
        Mail::Up { from: 4, body } if body[1] == SEALED => None,
        Mail::Up { .. } => {
            up.push(mail.clone());
            Some(mail)
        }
        Mail::Down { .. } => Some(mail),
    });
    let mut under_way = federation.tick(NOW.plus_s(31));
    while let Some(mail) = under_way.pop() {
        if matches!(mail, Mail::Up { from: 4, .. } | Mail::Down { to: 4, .. }) {
            continue;
        }
        if matches!(mail, Mail::Up { .. }) {
            up.push(mail.clone());
        }
        under_way.extend(federation.deliver(mail, NOW.plus_s(31)));
    }
    (federation, up)
}

#[test]
fn r4_keys_blind_and_noise_are_fresh_in_each_attempt() {
    let (federation, up) = two_attempts();
    let of = |attempt: u8, kind: u8| -> Vec<FromNode> {
        let bodies = up.iter().filter(|mail| matches!(mail, Mail::Up { from: 1, .. }) && mail.kind() == kind);
        let frames = bodies.map(|mail| FromNode::read(mail.body(), &federation.manifest).unwrap());
        let number = |frame: &FromNode| match frame {
            FromNode::Keys { attempt, .. } | FromNode::Sealed { attempt, .. } => attempt.number(),
            _ => 0,
        };
        frames.filter(|frame| number(frame) == attempt).collect()
    };
    let keys = |attempt| match of(attempt, KEYS).remove(0) {
        FromNode::Keys { keys, .. } => keys.into_iter().map(|signed| signed.key).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert!(keys(1).iter().all(|key| !keys(2).contains(key)));
    let sealed = |attempt| match of(attempt, SEALED).remove(0) {
        FromNode::Sealed { commitment, vector, .. } => (commitment, vector),
        other => panic!("{other:?}"),
    };
    assert_ne!(sealed(1).0, sealed(2).0);
    assert_ne!(sealed(1).1, sealed(2).1);
    // The vector was asked for anew, noise and all.
    assert_eq!(federation.sites[1].draws, [1, 2]);
    let summed = federation.summed.as_ref().unwrap();
    assert_eq!(summed.partners, Members::of(0..4).unwrap());
    assert_eq!(summed.sum.values().unwrap(), federation.expected(&summed.partners));
}

#[test]
fn r4_a_vector_drawn_for_an_earlier_attempt_is_not_sealed() {
    let mut federation = Federation::new(4);
    let relay = federation.run_until(RELAY, 0);
    let next = announce(&federation, 2, 0..4);
    let layout = federation.manifest.says().layout;
    let round = federation.sites[0].round.as_mut().unwrap();
    let random = &mut SystemRandomness::new();
    round.handle_frame(&relay, NOW, random).unwrap();
    let Some(NodeEvent::Draw(draw)) = round.poll_event() else { panic!("a vector is asked for") };
    assert_eq!((draw.partners(), draw.honest()), (4, 3));
    round.handle_frame(&next, NOW, random).unwrap();
    assert_eq!(round.drawn(draw, Plain::zero(layout), NOW, random), Err(Refused::StaleNoise));
    let sent: Vec<u8> = std::iter::from_fn(|| round.poll_transmit()).map(|body| body[1]).collect();
    assert!(!sent.contains(&SEALED), "{sent:?}");
}

#[test]
fn r5_there_are_five_attempts() {
    // All three are needed, and what partner 2 seals comes when the flight is over.
    let mut federation = Federation::new(3);
    let mut now = NOW;
    let mut under_way = federation.settle(now);
    let mut late = Vec::new();
    for _ in 0..12 {
        while let Some(mail) = under_way.pop() {
            match mail {
                Mail::Up { from: 2, ref body } if body[1] == SEALED => late.push(mail),
                mail => under_way.extend(federation.deliver(mail, now)),
            }
        }
        now = now.plus_s(31);
        under_way = federation.tick(now);
        under_way.append(&mut late);
        while let Some(mail) = under_way.iter().position(|mail| mail.kind() == SEALED) {
            let mail = under_way.remove(mail);
            under_way.extend(federation.deliver(mail, now));
        }
    }
    assert_eq!(federation.failed, Some(Refused::AttemptsSpent));
    assert!(federation.summed.is_none());
    assert!(federation.sites.iter().all(|site| site.opens.is_empty()));
    assert_eq!(federation.sites[0].draws, [1, 2, 3, 4, 5]);
    assert_eq!(Attempt::new(6), Err(Refused::Attempt));
    assert_eq!(Attempt::new(5).unwrap().next(), None);
}

#[test]
fn r5_an_attempt_that_hangs_is_dropped_and_the_node_is_ready_anew() {
    let mut federation = Federation::new(4);
    federation.run_until(BOARD, 0);
    let site = &mut federation.sites[0];
    let round = site.round.as_mut().unwrap();
    let until = NOW.plus_s(120);
    round.handle_time(until);
    let body = std::iter::from_fn(|| round.poll_transmit()).last().unwrap();
    let frame = FromNode::read(&body, &federation.manifest).unwrap();
    assert!(matches!(frame, FromNode::Ready { ended: 1, .. }), "{frame:?}");
    assert!(round.next_deadline().is_some_and(|at| at > until));
}

#[test]
fn r6_the_same_partners_or_new_noise_before_anything_is_sealed() {
    let check = |treatment: Treatment, before: usize, expected: Option<Refused>| {
        let world = World::new(5);
        let mut doc = world.doc();
        doc.treatment = treatment;
        let manifest = world.open(&doc).unwrap();
        let roll_call = RollCall::Whoever { until: NOW.plus_s(60) };
        let mut federation = Federation::of(world, manifest, roll_call);
        let partners = Partners::new((0..before).map(node));
        for site in &mut federation.sites {
            site.openings.record(&opened(9, series(), partners.clone(), Repeat::SamePartners)).unwrap();
        }
        federation.run(Some);
        assert_eq!(federation.summed.is_some(), expected.is_none());
        assert_eq!(federation.refusals.first().cloned(), expected);
    };
    check(ROUNDED, 5, None);
    check(ROUNDED, 4, Some(Refused::OtherPartners));
    check(KEYED, 4, Some(Refused::OtherPartners));
    check(dp(), 4, None);
}

#[test]
fn r6_a_coordinator_can_ask_for_exactly_the_partners_of_before() {
    let world = World::new(5);
    let manifest = world.open(&world.doc()).unwrap();
    let wanted = Members::of(0..4).unwrap();
    let mut federation = Federation::of(world, manifest, RollCall::Exactly(wanted.clone()));
    federation.run(Some);
    assert_eq!(federation.summed.as_ref().map(|summed| summed.partners.clone()), Some(wanted));
}

#[test]
fn the_roll_call_says_who_is_missing() {
    let mut federation = Federation::new(5);
    federation.run(|mail| match &mail {
        Mail::Up { from: 2, .. } => None,
        _ => Some(mail),
    });
    let standing = federation.coordinator.standing();
    assert_eq!((standing.missing, standing.attempt), (Members::of([2]).unwrap(), None));
    // Until the roll call ends; then without it.
    let mut under_way = federation.tick(NOW.plus_s(60));
    while let Some(mail) = under_way.pop() {
        if !matches!(mail, Mail::Up { from: 2, .. }) {
            under_way.extend(federation.deliver(mail, NOW.plus_s(60)));
        }
    }
    assert_eq!(federation.summed.as_ref().unwrap().partners, Members::of([0, 1, 3, 4]).unwrap());
}

/// Nobody waits for a partner that has refused: the others are enough, or, where its part is wanted, there is no total.
#[test]
fn a_partner_that_declines_is_not_waited_for() {
    let run = |roll_call: RollCall| {
        let world = World::new(5);
        let manifest = world.open(&world.doc()).unwrap();
        let mut federation = Federation::of(world, manifest, roll_call);
        let silent = |mail: Mail| match &mail {
            Mail::Up { from: 2, .. } => None,
            _ => Some(mail),
        };
        federation.run(silent);
        assert!(federation.summed.is_none(), "it is waited for");
        federation.coordinator.decline(node(2), NOW);
        federation.run(silent);
        (federation.summed.map(|summed| summed.partners), federation.failed)
    };
    let whoever = run(RollCall::Whoever { until: NOW.plus_s(600) });
    assert_eq!(whoever, (Some(Members::of([0, 1, 3, 4]).unwrap()), None));
    let all = Members::of(0..5).unwrap();
    assert_eq!(run(RollCall::Exactly(all)), (None, Some(Refused::TooFewReady)));
}

/// A partner that leaves before F2 costs no attempt: the set is final only when the keys are in.
#[test]
fn a_partner_lost_before_f2_costs_no_restart() {
    let mut federation = Federation::new(5);
    federation.run(|mail| match &mail {
        Mail::Up { from: 0, body } if body[1] == KEYS => None,
        _ => Some(mail),
    });
    let mut under_way = federation.tick(NOW.plus_s(30));
    while let Some(mail) = under_way.pop() {
        if !matches!(&mail, Mail::Up { from: 0, .. }) {
            under_way.extend(federation.deliver(mail, NOW.plus_s(30)));
        }
    }
    let summed = federation.summed.as_ref().unwrap();
    assert_eq!(summed.partners, Members::of(1..5).unwrap());
    assert_eq!(summed.sum.values().unwrap(), federation.expected(&summed.partners));
    assert_eq!(federation.coordinator.standing().attempt, Some(Attempt::FIRST));
}

/// Gives keys so many times, then fails.
struct Failing(usize, SystemRandomness);

impl Randomness for Failing {
    fn ephemeral(&mut self) -> Result<EphemeralPrivateKey, Refused> {
        self.0 = self.0.checked_sub(1).ok_or(Refused::NoRandomness)?;
        self.1.ephemeral()
    }
    fn bytes(&mut self) -> Result<Zeroizing<[u8; 32]>, Refused> {
        self.0 = self.0.checked_sub(1).ok_or(Refused::NoRandomness)?;
        self.1.bytes()
    }
}

#[test]
fn without_randomness_nothing_is_sent() {
    let mut federation = Federation::new(4);
    let body = federation.run_until(ATTEMPT, 0);
    let round = federation.sites[0].round.as_mut().unwrap();
    while round.poll_transmit().is_some() {}
    for given in 0..3 {
        let random = &mut Failing(given, SystemRandomness::new());
        assert_eq!(round.handle_frame(&body, NOW, random), Err(Refused::NoRandomness));
        assert_eq!(round.poll_transmit(), None);
    }
    let random = &mut Failing(3, SystemRandomness::new());
    assert_eq!(round.handle_frame(&body, NOW, random), Ok(()));
    assert!(round.poll_transmit().is_some());
}

#[test]
fn without_randomness_for_its_own_mask_a_node_seals_nothing_and_is_ready_anew() {
    let mut federation = Federation::new(4);
    let relay = federation.run_until(RELAY, 0);
    let layout = federation.manifest.says().layout;
    let round = federation.sites[0].round.as_mut().unwrap();
    round.handle_frame(&relay, NOW, &mut SystemRandomness::new()).unwrap();
    let Some(NodeEvent::Draw(draw)) = round.poll_event() else { panic!("a vector is asked for") };
    while round.poll_transmit().is_some() {}
    let random = &mut Failing(0, SystemRandomness::new());
    assert_eq!(round.drawn(draw, Plain::zero(layout), NOW, random), Err(Refused::NoRandomness));
    let sent: Vec<u8> = std::iter::from_fn(|| round.poll_transmit()).map(|body| body[1]).collect();
    assert_eq!(sent, [READY]);
}

/// An onboarding key at one end only makes another mask: both have it, or neither.
#[test]
fn an_onboarding_key_is_part_of_the_mask() {
    let check = |both: bool| {
        let world = World::new(4);
        let manifest = world.open(&world.doc()).unwrap();
        let mut federation = Federation::of(world, manifest, RollCall::Whoever { until: NOW.plus_s(60) });
        for (place, peer) in [(0, 1), (1, 0)] {
            let mut setup = federation.world.setup(place);
            if place == 0 || both {
                setup.onboarding.insert(node(peer), Zeroizing::new([9; 32]));
            }
            let subject = federation.world.subject(&federation.manifest, &Openings::default());
            let random = &mut SystemRandomness::new();
            let round = NodeRound::ready(setup, federation.manifest.clone(), subject, NOW, random);
            federation.sites[place].round = Some(round.unwrap());
        }
        federation.run(Some);
        let summed = federation.summed.as_ref().unwrap();
        summed.sum.values().unwrap() == federation.expected(&summed.partners)
    };
    assert!(check(true));
    assert!(!check(false));
}
