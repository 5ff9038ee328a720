//! What the coordinator received says nothing of where a count stands: a statistical test, and what it would find.
//!
//! One partner's count of 1,000 stands at partner 1 or at partner 2, so that both worlds have one sum. With every opening at hand the coordinator
//! knows `zᵢ = yᵢ − PRG(bᵢ)`; all else that it received is made of yᵢ, bᵢ and what is public. For every half-byte of z₁ and z₂ the counts of its 16 values over 200 rounds of
//! either world are compared (χ² with 15 degrees of freedom). 256 half-bytes are tested; the largest χ² stays below 64 but for a chance of about 2 in 10⁵.
//!
//! Power: one word of eight that is left unmasked in one round of three is found. What the test cannot see is a leak much rarer than that; that the masks are
//! sound rests on AES-256 and X25519, not on this.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::wire::FromNode;
use crate::{Aggregator, Blind, Layout, Masked, Pair, PairwiseMasks, Plain, Refused, RollCall, prg};

use super::federation::{Federation, Mail, OPEN, SEALED};
use super::world::{NOW, World};

const ROUNDS: usize = 200;
const MOST: f64 = 64.0;

/// Pairwise masks, but for the first word in every so many rounds.
struct Leaky {
    every: usize,
    sealed: AtomicUsize,
}

impl Aggregator for Leaky {
    fn seal(&self, plain: Plain, pairs: Vec<Pair>, blind: &Blind) -> Result<Masked, Refused> {
        let (layout, values) = (plain.layout(), plain.values().unwrap_or_default());
        let masked = PairwiseMasks.seal(plain, pairs, blind)?;
        // Four nodes seal in a round.
        let leaks = (self.sealed.fetch_add(1, Ordering::Relaxed) / 4).is_multiple_of(self.every);
        if !leaks {
            return Ok(masked);
        }
        let first = Plain::from_values(layout, &values)?;
        let bare = PairwiseMasks.seal(first, Vec::new(), blind)?;
        let bytes = [&bare.as_bytes()[..8], &masked.as_bytes()[8..]].concat();
        Masked::from_bytes(layout, bytes)
    }

    fn open(&self, layout: Layout, sealed: &[(&Masked, &Blind)]) -> Result<Plain, Refused> {
        PairwiseMasks.open(layout, sealed)
    }
}

/// z of partners 1 and 2 in one round, as the coordinator works it out.
fn round(mut world: World, holder: usize) -> (World, Vec<u8>) {
    let mut doc = world.doc();
    doc.question = cairn_question::QuestionId::from_bytes([3; 32]);
    let manifest = world.open(&doc).unwrap();
    let mut federation = Federation::of(world, manifest, RollCall::Whoever { until: NOW.plus_s(9) });
    for site in &mut federation.sites {
        site.table = vec![0; 8];
        site.table[0] = if site.place == holder { 1_000 } else { 0 };
    }
    let (mut vectors, mut blinds) = (vec![Vec::new(); 4], vec![[0; 32]; 4]);
    let manifest = federation.manifest.clone();
    federation.run(|mail| {
        if let Mail::Up { from, body } = &mail
            && [SEALED, OPEN].contains(&body[1])
        {
            match FromNode::read(body, &manifest).unwrap() {
                FromNode::Sealed { vector, .. } => vectors[*from] = vector,
                FromNode::Open { blind, .. } => blinds[*from] = blind,
                _ => {}
            }
        }
        Some(mail)
    });
    assert_eq!(federation.summed.as_ref().unwrap().sum.values().unwrap()[0], 1_000);
    let seen = [1, 2].into_iter().flat_map(|place| {
        let mut stream = vec![0; 64];
        prg::stream(&blinds[place], &mut stream).unwrap();
        let words = vectors[place].chunks_exact(8).zip(stream.chunks_exact(8));
        let word = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
        words.flat_map(|(y, b)| word(y).wrapping_sub(word(b)).to_le_bytes()).collect::<Vec<u8>>()
    });
    let seen = seen.collect();
    world = federation.world;
    (world, seen)
}

/// The largest χ² over all half-bytes of what was seen.
fn largest(aggregator: Arc<dyn Aggregator>) -> f64 {
    let mut world = World::new(4);
    world.aggregator = aggregator;
    let mut counts = vec![[[0_u32; 16]; 2]; 256];
    for (which, holder) in [(0, 1), (1, 2)] {
        for _ in 0..ROUNDS {
            let (back, seen) = round(world, holder);
            world = back;
            for (at, byte) in seen.iter().enumerate() {
                counts[2 * at][which][usize::from(byte & 15)] += 1;
                counts[2 * at + 1][which][usize::from(byte >> 4)] += 1;
            }
        }
    }
    let chi_square = |[one, other]: &[[u32; 16]; 2]| -> f64 {
        let cells = one.iter().zip(other).filter(|(a, b)| **a + **b > 0);
        cells.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2) / f64::from(a + b)).sum()
    };
    counts.iter().map(chi_square).fold(0.0, f64::max)
}

#[test]
fn what_the_coordinator_received_does_not_say_where_a_count_stands() {
    let found = largest(Arc::new(PairwiseMasks));
    println!("largest χ² {found:.1}, of at most {MOST}");
    assert!(found < MOST, "{found}");
}

#[test]
fn the_same_test_finds_a_word_left_unmasked_in_one_round_of_three() {
    let found = largest(Arc::new(Leaky { every: 3, sealed: AtomicUsize::new(0) }));
    println!("largest χ² {found:.1} with the leak");
    assert!(found > MOST, "{found}");
    let always = largest(Arc::new(Leaky { every: 1, sealed: AtomicUsize::new(0) }));
    assert!(always > 5.0 * MOST, "{always}");
}
