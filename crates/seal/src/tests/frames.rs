//! No bytes make a machine panic, and none make it hold more than came.

use std::cell::RefCell;

use cairn_question::Hash;
use proptest::prelude::*;

use crate::wire::{Flight, FromCoordinator, FromNode, SignedKey, body_bytes_max, manifest_in, round_of};
use crate::{OpenRecord, Refused, Roster, SystemRandomness, Transcript};

use super::federation::{ATTEMPT, BOARD, Federation, MANIFEST, Mail, OPEN, READY, RECEIPT, RELAY};
use super::world::NOW;

/// Rounds in which partner 0 waits for each kind of body, and that body.
fn rounds() -> Vec<(Federation, Vec<u8>)> {
    [ATTEMPT, RELAY, BOARD, RECEIPT]
        .into_iter()
        .map(|kind| {
            let mut federation = Federation::new(4);
            let body = federation.run_until(kind, 0);
            (federation, body)
        })
        .collect()
}

/// The true body with some of its bytes replaced, cut or added to.
fn altered(body: &[u8], edits: &[(usize, u8)], cut: usize, tail: &[u8]) -> Vec<u8> {
    let mut bytes = body.to_vec();
    for (at, byte) in edits {
        let at = at % bytes.len();
        bytes[at] = *byte;
    }
    bytes.truncate(bytes.len().saturating_sub(cut));
    bytes.extend_from_slice(tail);
    bytes
}

fn edits() -> impl Strategy<Value = Vec<(usize, u8)>> {
    prop::collection::vec((any::<usize>(), any::<u8>()), 0..4)
}

/// Whether nothing was done: no event, no body, not over.
fn is_still(round: &mut crate::NodeRound) -> bool {
    round.poll_event().is_none() && round.poll_transmit().is_none() && !round.is_over()
}

#[test]
fn no_bytes_make_a_node_panic_and_only_true_ones_move_it() {
    let mut runner = proptest::test_runner::TestRunner::default();
    let bytes = (edits(), 0_usize..80, prop::collection::vec(any::<u8>(), 0..40));
    for (federation, body) in &mut rounds() {
        let round = federation.sites[0].round.as_mut().unwrap();
        while round.poll_transmit().is_some() {}
        let round = RefCell::new(round);
        let tried = runner.run(&bytes, |(edits, cut, tail)| {
            let bytes = altered(body, &edits, cut, &tail);
            let mut round = round.borrow_mut();
            let handled = round.handle_frame(&bytes, NOW, &mut SystemRandomness::new());
            let still = is_still(&mut round);
            // An announcement has no signature, and a receipt's envelope has room for a remark: altered ones may hold.
            if bytes != *body && ![ATTEMPT, RECEIPT].contains(&body[1]) {
                prop_assert!(still);
                prop_assert!(handled.is_err() || bytes[1] == MANIFEST);
            }
            Ok(())
        });
        tried.unwrap();
    }
}

#[test]
fn no_bytes_make_a_coordinator_panic() {
    let mut up: Vec<Vec<u8>> = Vec::new();
    let mut federation = Federation::new(4);
    federation.run(|mail| match mail {
        Mail::Up { body, .. } if body[1] == OPEN => {
            up.push(body);
            None
        }
        // A READY is not signed, and one of another start says that the node has lost what it sealed with: that ends the round.
        Mail::Up { ref body, .. } if body[1] != READY => {
            up.push(body.clone());
            Some(mail)
        }
        other @ Mail::Up { .. } => Some(other),
        other @ Mail::Down { .. } => Some(other),
    });
    let id = federation.sites[1].id;
    let bytes =
        (any::<prop::sample::Index>(), edits(), 0_usize..80, prop::collection::vec(any::<u8>(), 0..40));
    let coordinator = RefCell::new(&mut federation.coordinator);
    let tried = proptest::test_runner::TestRunner::default().run(&bytes, |(which, edits, cut, tail)| {
        let bytes = altered(&up[which.index(up.len())], &edits, cut, &tail);
        let _ = coordinator.borrow_mut().handle_frame(id, &bytes, NOW);
        Ok(())
    });
    tried.unwrap();
    // Whatever came, it still waits for the true openings.
    for (place, body) in up.iter().filter(|body| body[1] == OPEN).enumerate() {
        let senders: Vec<_> = federation.sites.iter().map(|site| site.id).collect();
        let taken = senders.iter().filter(|id| federation.coordinator.handle_frame(**id, body, NOW).is_ok());
        assert!(taken.count() >= 1, "opening {place}");
    }
    federation.settle(NOW);
    let summed = federation.summed.as_ref().unwrap();
    assert_eq!(summed.sum.values().unwrap(), federation.expected(&summed.partners));
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = (round_of(&bytes), manifest_in(&bytes).is_some());
        let _ = (OpenRecord::parse(&bytes).is_ok(), Transcript::parse(&bytes).is_ok(), Roster::parse(&bytes).is_ok());
    }
}

#[test]
fn a_body_is_bounded_by_the_manifest() {
    let federation = Federation::new(4);
    let manifest = &federation.manifest;
    let most = body_bytes_max(manifest);
    assert!(most < 5_000, "{most}");
    let mut long = FromCoordinator::Manifest(vec![0; most - 34]).write(manifest);
    assert_eq!(long.len(), most);
    assert!(FromCoordinator::read(&long, manifest).is_ok());
    long.push(0);
    assert_eq!(FromCoordinator::read(&long, manifest).err(), Some(Refused::Frame));
    assert_eq!(FromNode::read(&long, manifest).err(), Some(Refused::Frame));
}

#[test]
fn a_body_names_its_round_and_nothing_is_left_over() {
    let federation = Federation::new(4);
    let manifest = &federation.manifest;
    let frame = FromNode::Ready { incarnation: [1; 16], ended: 3 };
    let bytes = frame.write(manifest);
    assert_eq!(round_of(&bytes), Some(*manifest.hash()));
    assert_eq!(FromNode::read(&bytes, manifest).unwrap(), frame);
    let mut other = bytes.clone();
    other[10] ^= 1;
    assert_eq!(FromNode::read(&other, manifest).err(), Some(Refused::OtherRound));
    let mut longer = bytes.clone();
    longer.push(0);
    assert_eq!(FromNode::read(&longer, manifest).err(), Some(Refused::Frame));
    let mut later = bytes.clone();
    later[0] = 2;
    assert_eq!(FromNode::read(&later, manifest).err(), Some(Refused::Frame));
    assert_eq!(FromCoordinator::read(&bytes, manifest).err(), Some(Refused::Frame));
    let sent = FromCoordinator::Manifest(manifest.as_bytes().to_vec()).write(manifest);
    assert_eq!(manifest_in(&sent), Some(manifest.as_bytes()));
    assert_eq!(manifest_in(&bytes), None);
}

#[test]
fn every_frame_reads_back_as_it_was_written() {
    use crate::attempt::{Attempt, SealedLine};
    let federation = Federation::new(4);
    let manifest = &federation.manifest;
    let (attempt, h1) = (Attempt::new(4).unwrap(), Hash::of(b"h1"));
    let signature = cairn_question::Signature::from_bytes([7; 64]);
    let members = crate::Members::of([0, 2, 3]).unwrap();
    let keys = vec![SignedKey { key: [3; 32], signature, mark: None }; 2];
    let line = SealedLine { signature, vector: h1, commitment: Hash::of(b"c") };
    for frame in [
        FromCoordinator::Attempt { attempt, announced: members.clone() },
        FromCoordinator::Relay { attempt, members, own: h1, keys: keys.clone() },
        FromCoordinator::Board { h1, lines: vec![line; 3] },
        FromCoordinator::Receipt(vec![1, 2, 3]),
    ] {
        assert_eq!(FromCoordinator::read(&frame.write(manifest), manifest).unwrap(), frame);
    }
    for (frame, flight) in [
        (FromNode::Ready { incarnation: [1; 16], ended: 0 }, Flight::Ready),
        (FromNode::Keys { attempt, keys }, Flight::Keys),
        (FromNode::Sealed { attempt, h1, signature, commitment: h1, vector: vec![9; 64] }, Flight::Sealed),
        (FromNode::Open { h2: h1, blind: [8; 32], signature }, Flight::Open),
    ] {
        let body = frame.write(manifest);
        assert_eq!(FromNode::read(&body, manifest).unwrap(), frame);
        assert_eq!(Flight::of(&body), Some(flight));
    }
    assert_eq!(Flight::of(&FromCoordinator::Receipt(vec![1]).write(manifest)), None);
    assert_eq!(Flight::of(&[1, 4]), None);
}
