//! People are counted once by partners that hold one linkage secret, and by nobody else together.

use cairn_question::Hash;

use crate::attempt::Attempt;
use crate::layout::{Layout, Ring, SymbolBits};
use crate::wire::{FromCoordinator, FromNode, SignedKey};
use crate::{Members, NodeRound, Openings, Refused, RollCall, Subject, SystemRandomness};

use super::federation::{ATTEMPT, Federation, KEYS, Mail, RELAY};
use super::world::{NOW, World, mark, once};

/// Six partners of whom four must answer, each with one of the secrets.
fn holding(secrets: [u8; 6]) -> Federation {
    let world = World::new(6);
    let mut doc = world.doc();
    doc.treatment = once();
    doc.layout = Layout::new(Ring::Xor(SymbolBits::new(3).unwrap()), 1 << 10).unwrap();
    let manifest = world.open(&doc).unwrap();
    let mut federation = Federation::of(world, manifest, RollCall::Whoever { until: NOW.plus_s(60) });
    federation.sites.iter_mut().zip(secrets).for_each(|(site, secret)| site.secret = secret);
    federation
}

fn has_drawn(federation: &Federation) -> Vec<usize> {
    let drawn = |site: &&super::federation::Site| !site.draws.is_empty();
    federation.sites.iter().filter(drawn).map(|site| site.place).collect()
}

#[test]
fn who_holds_another_secret_is_left_out_and_told_why_and_the_others_count() {
    let mut federation = holding([0, 0, 7, 0, 0, 0]);
    federation.run(Some);
    let summed = federation.summed.as_ref().unwrap();
    assert_eq!(summed.partners, Members::of([0, 1, 3, 4, 5]).unwrap());
    // 1, 2, 4, 5 and 6 together, bit by bit.
    assert_eq!(summed.sum.symbols().unwrap(), vec![1 ^ 2 ^ 4 ^ 5 ^ 6; 1 << 10]);
    assert_eq!(federation.coordinator.standing().attempt, Some(Attempt::FIRST), "nobody begins anew");
    let parted = &federation.sites[2];
    assert_eq!(parted.parted, Some(Refused::OtherLinkage { differ: 5, others: 5 }));
    assert!(parted.disk.is_none() && parted.round.as_ref().unwrap().is_over());
    assert_eq!(
        (has_drawn(&federation), parted.parted.as_ref().unwrap().code()),
        (vec![0, 1, 3, 4, 5], "CM222")
    );
    assert!(federation.sites.iter().all(|site| site.place == 2 || site.parted.is_none()));
}

#[test]
fn where_too_few_hold_one_secret_everybody_is_told_and_nobody_seals() {
    for (secrets, differ) in [([0, 0, 0, 7, 7, 7], [3; 6]), ([0, 0, 0, 7, 7, 8], [3, 3, 3, 4, 4, 5])] {
        let mut federation = holding(secrets);
        federation.run(Some);
        assert!(federation.summed.is_none() && has_drawn(&federation).is_empty());
        for (site, differ) in federation.sites.iter().zip(differ) {
            assert_eq!(site.parted, Some(Refused::OtherLinkage { differ, others: 5 }), "{}", site.place);
        }
    }
}

/// The keys that everybody made for partner 0, and a RELAY of these partners with them.
fn relay_to_0(federation: &mut Federation, members: &[usize]) -> (Hash, Vec<SignedKey>, FromCoordinator) {
    let mut frames = vec![Vec::new(); 6];
    federation.run(|mail| match mail {
        Mail::Up { from, body } if body[1] == KEYS => {
            frames[from] = body;
            None
        }
        other => Some(other),
    });
    let own = Hash::of(&frames[0]);
    let first = |place: &usize| match FromNode::read(&frames[*place], &federation.manifest).unwrap() {
        FromNode::Keys { keys, .. } => keys[0],
        other => panic!("{other:?}"),
    };
    let keys: Vec<SignedKey> = members.iter().filter(|place| **place != 0).map(first).collect();
    let members = Members::of(members.iter().copied()).unwrap();
    let relay = FromCoordinator::Relay { attempt: Attempt::FIRST, members, own, keys: keys.clone() };
    (own, keys, relay)
}

/// The coordinator is not trusted with it: it deals the keys of who holds another secret to who does not.
#[test]
fn a_node_does_not_seal_with_who_holds_another_secret_whatever_the_coordinator_says() {
    let mut federation = holding([0, 0, 7, 0, 0, 0]);
    let (_, _, relay) = relay_to_0(&mut federation, &[0, 1, 2, 3, 4]);
    let refused = federation.refusal(0, &relay.write(&federation.manifest.clone()));
    assert_eq!(refused, Some(Refused::OtherLinkage { differ: 1, others: 4 }));
    federation.settle(NOW);
    assert_eq!(federation.sites[0].parted, refused);
    assert!(has_drawn(&federation).is_empty());
}

/// Nor can it make a node leave: what another holds is what that one signed.
#[test]
fn a_mark_that_its_partner_did_not_sign_is_no_mark() {
    let mut federation = holding([0; 6]);
    let (own, keys, _) = relay_to_0(&mut federation, &[0, 1, 2, 3, 4, 5]);
    let members = Members::of(0..6).unwrap();
    for other in [Some(mark(7)), Some(mark(1))] {
        let mut keys = keys.clone();
        keys[3].mark = other;
        let relay = FromCoordinator::Relay { attempt: Attempt::FIRST, members: members.clone(), own, keys };
        let relay = relay.write(&federation.manifest);
        assert_eq!(federation.refusal(0, &relay), Some(Refused::KeySignature));
    }
    let relay = FromCoordinator::Relay { attempt: Attempt::FIRST, members, own, keys };
    assert_eq!(federation.refusal(0, &relay.write(&federation.manifest)), None);
    federation.settle(NOW);
    assert_eq!(has_drawn(&federation), [0]);
}

#[test]
fn people_are_not_counted_once_without_a_mark() {
    let federation = holding([0; 6]);
    let manifest = federation.manifest.clone();
    let join = |mark| {
        let subject = Subject { mark, ..federation.world.subject(&manifest, &Openings::default()) };
        let setup = federation.world.setup(0);
        NodeRound::ready(setup, manifest.clone(), subject, NOW, &mut SystemRandomness::new()).err()
    };
    assert_eq!((join(None), join(Some(mark(1)))), (Some(Refused::NoLinkage), None));
    assert_eq!(Refused::NoLinkage.code(), "CM128");
}

/// A program of before marks sends keys without them, and a faulty one marks of two secrets: neither is in the round, and the others go on.
#[test]
fn keys_without_marks_or_with_two_are_not_taken() {
    for change in [
        |keys: &mut Vec<SignedKey>| keys[1].mark = None,
        |keys: &mut Vec<SignedKey>| keys[1].mark = Some(mark(3)),
    ] {
        let mut federation = holding([0; 6]);
        let manifest = federation.manifest.clone();
        let mut told = 0;
        federation.run(|mail| match mail {
            Mail::Up { from: 4, body } if body[1] == KEYS => {
                let FromNode::Keys { attempt, mut keys } = FromNode::read(&body, &manifest).unwrap() else {
                    panic!()
                };
                change(&mut keys);
                Some(Mail::Up { from: 4, body: FromNode::Keys { attempt, keys }.write(&manifest) })
            }
            Mail::Down { to: 4, body } if body[1] == RELAY => {
                told += 1;
                None
            }
            other => Some(other),
        });
        assert_eq!((told, federation.refusals.as_slice()), (0, [Refused::Frame].as_slice()));
        let mut under_way = federation.tick(NOW.plus_s(30));
        while let Some(mail) = under_way.pop() {
            if !matches!(&mail, Mail::Up { from: 4, .. }) {
                under_way.extend(federation.deliver(mail, NOW.plus_s(30)));
            }
        }
        assert_eq!(federation.summed.unwrap().partners, Members::of([0, 1, 2, 3, 5]).unwrap());
    }
}

#[test]
fn keys_and_their_marks_read_back_as_they_were_written() {
    let mut federation = holding([0; 6]);
    let announced = federation.run_until(ATTEMPT, 0);
    assert!(FromCoordinator::read(&announced, &federation.manifest).is_ok());
    let signature = cairn_question::Signature::from_bytes([7; 64]);
    let keys = vec![SignedKey { key: [3; 32], signature, mark: Some(mark(9)) }; 5];
    let frame = FromNode::Keys { attempt: Attempt::FIRST, keys };
    let body = frame.write(&federation.manifest);
    assert_eq!(FromNode::read(&body, &federation.manifest).unwrap(), frame);
    assert_eq!(FromNode::read(&body[..body.len() - 1], &federation.manifest).err(), Some(Refused::Frame));
}
