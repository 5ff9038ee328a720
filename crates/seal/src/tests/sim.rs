//! Whole rounds over a network that drops, delays, doubles and reorders, with nodes that are killed and started again. One seed is one trial.
//!
//! Not a failure: a round that opens nothing. A failure: a sum that is not the sum of those it names, or a node that opens two things.

use std::collections::BTreeMap;

use cairn_question::Moment;

use crate::{Members, PairwiseMasks, Refused, RollCall, recompute};

use super::federation::{Federation, KEYS, KeepFault, Mail, OPEN, READY, SEALED};
use super::world::{NOW, World};

/// SplitMix64: small, seeded, and the test's own. Masks never come from it.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % below
    }

    fn pick(&mut self, below: usize) -> usize {
        usize::try_from(self.roll(u64::try_from(below).unwrap())).unwrap()
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.roll(100) < chance
    }
}

#[derive(Debug)]
enum Op {
    Carry(Mail),
    Kill(usize),
    Start(usize),
}

struct Trial {
    federation: Federation,
    dice: Dice,
    /// What happens, by time and then by number.
    ahead: BTreeMap<(Moment, u64), Op>,
    number: u64,
    lossy: u64,
}

#[derive(Debug, Default)]
struct Counted {
    sums: usize,
    nothing: usize,
    restarted_attempts: usize,
    fewer_than_invited: usize,
    kills: usize,
    resumed: usize,
    died_before_keeping: usize,
    died_before_sending: usize,
}

impl Trial {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed);
        let n = 4 + dice.pick(4);
        let world = World::new(n);
        let mut doc = world.doc();
        doc.question = cairn_question::QuestionId::from_bytes([u8::try_from(seed).unwrap(); 32]);
        doc.deadline = NOW.plus_s(900);
        let manifest = world.open(&doc).unwrap();
        let federation = Federation::of(world, manifest, RollCall::Whoever { until: NOW.plus_s(60) });
        let lossy = dice.roll(4) * 6;
        let mut trial = Self { federation, dice, ahead: BTreeMap::new(), number: 0, lossy };
        for _ in 0..trial.dice.roll(4) {
            let place = trial.dice.pick(n);
            let at = NOW.plus_s(trial.dice.roll(90));
            let back = at.plus_s(1 + trial.dice.roll(40));
            trial.plan(at, Op::Kill(place));
            trial.plan(back, Op::Start(place));
        }
        for site in &mut trial.federation.sites {
            site.fault = match trial.dice.roll(12) {
                0 => KeepFault::DiesBefore,
                1 | 2 => KeepFault::DiesAfter,
                _ => KeepFault::None,
            };
        }
        trial
    }

    fn plan(&mut self, at: Moment, op: Op) {
        self.number += 1;
        self.ahead.insert((at, self.number), op);
    }

    /// Gives a body to the network: lost, doubled, or late, so that bodies overtake each other.
    fn send(&mut self, mail: &Mail, now: Moment) {
        let copies =
            if self.dice.percent(self.lossy) { 0 } else { 1 + usize::from(self.dice.percent(self.lossy)) };
        for _ in 0..copies {
            let late = if self.dice.percent(self.lossy) { self.dice.roll(50) } else { self.dice.roll(3) };
            self.plan(now.plus_s(late), Op::Carry(mail.clone()));
        }
    }

    fn step(&mut self, now: Moment, op: Op, counted: &mut Counted) {
        let led_to = match op {
            Op::Carry(mail) => self.federation.deliver(mail, now),
            Op::Kill(place) => {
                counted.kills += usize::from(self.federation.sites[place].round.take().is_some());
                Vec::new()
            }
            Op::Start(place) => self.start(place, now, counted),
        };
        led_to.iter().for_each(|mail| self.send(mail, now));
        for place in 0..self.federation.sites.len() {
            if std::mem::take(&mut self.federation.sites[place].died) {
                match self.federation.sites[place].disk {
                    Some(_) => counted.died_before_sending += 1,
                    None => counted.died_before_keeping += 1,
                }
                let back = now.plus_s(1 + self.dice.roll(60));
                self.plan(back, Op::Start(place));
            }
        }
    }

    fn start(&mut self, place: usize, now: Moment, counted: &mut Counted) -> Vec<Mail> {
        let Federation { sites, world, manifest, .. } = &mut self.federation;
        if sites[place].round.is_none() && sites[place].join(world, manifest, now).is_ok() {
            counted.resumed += usize::from(sites[place].disk.is_some());
        }
        self.federation.settle(now)
    }

    fn run(mut self, counted: &mut Counted) {
        let mut now = NOW;
        let begin = self.federation.settle(now);
        begin.iter().for_each(|mail| self.send(mail, now));
        for _ in 0..20_000 {
            let rounds = self.federation.sites.iter().filter_map(|site| site.round.as_ref());
            let deadlines = rounds.filter_map(|round| round.next_deadline());
            let clock = deadlines.chain(self.federation.coordinator.next_deadline()).min();
            let next = self.ahead.keys().next().map(|(at, _)| *at);
            let Some(at) = clock.into_iter().chain(next).min() else { break };
            now = now.max(at);
            if next.is_some_and(|next| next <= now) {
                let (_, op) = self.ahead.pop_first().unwrap();
                self.step(now, op, counted);
            } else {
                let led_to = self.federation.tick(now);
                led_to.iter().for_each(|mail| self.send(mail, now));
            }
        }
        assert!(self.ahead.is_empty(), "the trial comes to an end");
        self.check(counted);
    }

    fn check(&self, counted: &mut Counted) {
        check_opened_once(&self.federation);
        let Some(summed) = &self.federation.summed else {
            counted.nothing += 1;
            assert!(self.federation.failed.is_some(), "without a sum the round says why");
            return;
        };
        check_sum(&self.federation);
        counted.sums += 1;
        counted.restarted_attempts += usize::from(summed.transcript.attempt.number() > 1);
        counted.fewer_than_invited += usize::from(summed.partners.len() < self.federation.sites.len());
    }
}

/// Every OPEN that ever left a node is the same, whatever became of the node.
fn check_opened_once(federation: &Federation) {
    for site in &federation.sites {
        assert!(site.opens.windows(2).all(|two| two[0] == two[1]), "one OPEN of node {}", site.place);
        assert!(site.opens.is_empty() || site.disk.is_some(), "an OPEN has its record");
    }
}

fn check_sum(federation: &Federation) {
    let summed = federation.summed.as_ref().unwrap();
    assert!(summed.partners.len() >= usize::from(federation.manifest.says().answering_min));
    assert_eq!(summed.sum.values().unwrap(), federation.expected(&summed.partners));
    let (world, key) = (&federation.world, federation.world.analyst.verifying_key());
    let again = recompute(&summed.transcript, &key, &world.roster, &world.terms, &PairwiseMasks).unwrap();
    assert_eq!((again.partners, again.sum.values()), (summed.partners.clone(), summed.sum.values()));
}

#[test]
fn a_faulty_network_gives_the_right_sum_over_the_named_set_or_nothing() {
    let mut counted = Counted::default();
    (0..240).for_each(|seed| Trial::new(seed).run(&mut counted));
    println!("{counted:?}");
    // The trials meet what they are for.
    assert!(counted.sums >= 120 && counted.nothing >= 5, "{counted:?}");
    assert!(counted.restarted_attempts >= 20 && counted.fewer_than_invited >= 20, "{counted:?}");
    assert!(counted.kills >= 50 && counted.resumed >= 20, "{counted:?}");
    assert!(counted.died_before_keeping >= 10 && counted.died_before_sending >= 20, "{counted:?}");
}

/// Each node is killed right after it sent each kind of body, and started again.
#[test]
fn a_kill_at_any_flight_gives_the_right_sum_or_nothing() {
    let mut sums = BTreeMap::new();
    for kind in [READY, KEYS, SEALED, OPEN] {
        for victim in 0..5 {
            let mut federation = Federation::new(5);
            let mut now = NOW;
            let mut killed = false;
            let mut under_way = federation.settle(now);
            for _ in 0..200 {
                while let Some(mail) = under_way.pop() {
                    let here = matches!(mail, Mail::Up { from, .. } if from == victim) && mail.kind() == kind;
                    under_way.extend(federation.deliver(mail, now));
                    if here && !killed {
                        killed = true;
                        federation.sites[victim].round = None;
                        let Federation { sites, world, manifest, .. } = &mut federation;
                        sites[victim].join(world, manifest, now).unwrap();
                        under_way.extend(federation.settle(now));
                    }
                }
                now = now.plus_s(10);
                under_way = federation.tick(now);
            }
            assert!(killed);
            check_opened_once(&federation);
            if federation.summed.is_some() {
                check_sum(&federation);
                *sums.entry(kind).or_insert(0) += 1;
            }
        }
    }
    // Until it has opened a restarted node joins anew, and after that it opens again. Only where the last SEALED was the victim's, everybody else has opened by then,
    // and its bᵢ is gone: nothing is learnt.
    assert_eq!(sums, BTreeMap::from([(READY, 5), (KEYS, 5), (SEALED, 4), (OPEN, 5)]));
}

#[test]
fn a_kill_between_keeping_and_sending_never_opens_two_things() {
    for fault in [KeepFault::DiesBefore, KeepFault::DiesAfter] {
        let mut federation = Federation::new(4);
        federation.sites[2].fault = fault;
        federation.run(Some);
        assert!(std::mem::take(&mut federation.sites[2].died) && federation.sites[2].opens.is_empty());
        let Federation { sites, world, manifest, .. } = &mut federation;
        sites[2].join(world, manifest, NOW).unwrap();
        federation.run(Some);
        // The others are told at once that it cannot open any more, and wait for one that can.
        let expected = Some(Refused::NotOpened).filter(|_| fault == KeepFault::DiesBefore);
        assert_eq!(federation.failed, expected);
        let now = NOW.plus_s(3_600);
        federation.tick(now);
        check_opened_once(&federation);
        match fault {
            // bᵢ is gone with the process: nothing can be learnt, and nobody opens anything else.
            KeepFault::DiesBefore => {
                assert!(federation.summed.is_none() && federation.sites[2].opens.is_empty());
                assert!(federation.sites[2].lapsed);
            }
            _ => {
                assert_eq!(federation.summed.as_ref().unwrap().partners, Members::of(0..4).unwrap());
                check_sum(&federation);
            }
        }
    }
}
