use cairn_question::privacy::{Epsilon, NanoRho};

use super::*;
use crate::audit::attack::stage::question;

/// Discrete Laplace noise from Knuth's MMIX generator, whose upper bits are good.
struct Draws(u64);

impl Draws {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(self.0 >> 32).unwrap()) / f64::from(u32::MAX)
    }

    fn laplace(&mut self, scale: f64) -> i64 {
        let q = (-scale.recip()).exp();
        let mut geometric = || (0_i64..).find(|_| self.uniform() > q).unwrap();
        geometric() - geometric()
    }
}

/// Groups of so many people, in so many cells each, seen in so many tables with noise of this scale; none without.
fn score(groups: usize, people: usize, cells: usize, tables: usize, scale: Option<f64>) -> Score {
    let mut draws = Draws(5);
    let group = |_| {
        let disabled: Vec<bool> = (0..people).map(|_| draws.uniform() < 0.5).collect();
        let truth = i64::try_from(disabled.iter().filter(|d| **d).count()).unwrap();
        let others = i64::try_from(people).unwrap() - truth;
        let mut noise = || scale.map_or(0, |scale| draws.laplace(scale));
        let mut reading =
            || Reading { disabled: truth + noise(), others: others + noise(), scale: scale.unwrap_or(1.0) };
        let readings: Vec<Reading> = (0..cells * tables).map(|_| reading()).collect();
        (Group { council: 1, quarters: (0..cells).collect(), disabled }, readings)
    };
    let all: Vec<(Group, Vec<Reading>)> = (0..groups).map(group).collect();
    Score::of(all.iter().map(|(group, readings)| (group, readings.iter().map(Reading::again).collect())))
}

impl Reading {
    fn again(&self) -> Self {
        Self { disabled: self.disabled, others: self.others, scale: self.scale }
    }
}

#[track_caller]
fn between(least: f64, share: f64, most: f64) {
    assert!((least..=most).contains(&share), "{share}");
}

/// An attack that sees nothing would withstand anything.
#[test]
fn without_noise_or_with_little_every_bit_of_a_lone_person_is_guessed() {
    between(100.0, score(500, 1, 2, 1, None).alone.percent(), 100.0);
    between(95.0, score(500, 1, 1, 15, Some(1.0)).alone.percent(), 100.0);
    // Of a hundred whom nothing tells apart, the larger half is guessed right: 54 % without any noise.
    between(53.0, score(300, 100, 1, 1, None).all.percent(), 55.0);
}

/// The guess sees all that there is to see: as many bits as the exact chance says ([`lone_chance`]), at the templates' former account and at theirs now.
#[test]
fn noise_leaves_as_many_bits_as_the_exact_chance_says() {
    between(69.7, score(20_000, 1, 1, 15, Some(5.0)).alone.percent(), 71.6);
    let now = 100.0 * lone_chance(11, 0.1);
    between(now - 1.0, score(20_000, 1, 1, 11, Some(10.0)).alone.percent(), now + 1.0);
}

/// How often the best guess of a lone person's bit is right after so many tables of this ε.
///
/// Each table has two cells that the bit moves by one. Discrete Laplace noise of scale 1/ε makes of each a coin that falls on the true side with
/// e^ε ÷ (1 + e^ε) and says nothing more (the likelihood has two values), so that the best guess is the majority of twice as many coins as tables.
fn lone_chance(tables: u32, epsilon: f64) -> f64 {
    let (coins, p) = (2 * tables, epsilon.exp() / (1.0 + epsilon.exp()));
    let mut chance = (1.0 - p).powi(i32::try_from(coins).unwrap());
    let mut right = 0.0;
    for heads in 0..=coins {
        right += chance
            * if 2 * heads > coins {
                1.0
            } else if 2 * heads == coins {
                0.5
            } else {
                0.0
            };
        chance *= f64::from(coins - heads) / f64::from(heads + 1) * p / (1.0 - p);
    }
    right
}

#[test]
fn the_exact_chance_is_that_of_small_cases_by_hand() {
    let p = 0.2_f64.exp() / (1.0 + 0.2_f64.exp());
    // Two coins: both right, or one each and a guess.
    assert!((lone_chance(1, 0.2) - (p * p + p * (1.0 - p))).abs() < 1e-12);
    between(0.705, lone_chance(15, 0.2), 0.707);
}

/// The bar of the design, for whom an account protects least: under no template and no example is the bit of a person who is alone in a cell of every table
/// guessed right more than 60 times in 100, whatever the year's account is spent on.
#[test]
fn no_shipped_policy_lets_a_lone_persons_bit_be_guessed_above_the_bar() {
    let mut noisy = 0;
    let shipped = |kind| format!("{}/../policies/{kind}", env!("CARGO_MANIFEST_DIR"));
    for entry in
        ["templates", "examples"].into_iter().flat_map(|kind| std::fs::read_dir(shipped(kind)).unwrap())
    {
        let path = entry.unwrap().path().join("policy.toml");
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let policy: toml::Table = text.parse().unwrap();
        let budget = |key: &str| policy["budget"][key].as_float().unwrap();
        let cap = NanoRho::cap_for(budget("epsilon_per_year"), budget("delta_lifetime"));
        let releases = policy["release"].as_table().unwrap().values();
        for release in releases.filter(|r| r["method"].as_str() == Some("dp")) {
            let epsilon = release["epsilon"].as_float().unwrap();
            let millionths: u32 = format!("{:.0}", epsilon * 1e6).parse().unwrap();
            let cost = Epsilon::from_millionths(millionths).unwrap().rho();
            let tables = u32::try_from(cap.nano() / cost.nano()).unwrap();
            let chance = lone_chance(tables, epsilon);
            assert!(tables > 0 && chance <= SHARE_MOST, "{}: {tables}, {chance}", path.display());
            noisy += 1;
        }
    }
    assert!(noisy >= 11, "{noisy}");
}

#[test]
fn the_questions_are_questions_no_two_equal_and_more_than_an_account_pays_for() {
    let all = questions();
    assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), all.len());
    assert!(all.len() > 20);
    for text in &all {
        let question = question(ASKER, text).unwrap();
        assert_eq!(question.grid(cairn_question::Schema::smf()).unwrap().dimensions().len(), 3);
    }
}

#[test]
fn bits_are_fair_and_everybody_outside_the_own_council_is_alone() {
    let secrets = Secrets::new(3);
    let mut bits = Vec::new();
    for (side, at_home) in SIDES.into_iter().zip([100, 4]) {
        let mut cells = std::collections::BTreeMap::new();
        for group in secrets.groups(side) {
            bits.extend(group.disabled.clone());
            for quarter in &group.quarters {
                *cells.entry((group.council, *quarter)).or_insert(0) += group.disabled.len();
            }
        }
        assert!(
            cells.iter().all(|((council, _), people)| *people == if *council == 0 { at_home } else { 1 })
        );
    }
    let heads = Hits::count(bits.into_iter());
    assert!(heads.of > 3_000, "{heads:?}");
    between(47.0, heads.percent(), 53.0);
}

#[test]
fn the_alarm_is_on_for_more_than_the_bar_and_for_silence() {
    let line = |alone: Hits, tables| line(&Score { all: alone, alone }, tables).outcome;
    let share = |hits| Hits { hits, of: 806 };
    assert_eq!(line(share(484), [11, 11]), crate::audit::attack::Outcome::Withstood);
    assert_eq!(line(share(766), [11, 11]), crate::audit::attack::Outcome::Alarm);
    assert_eq!(line(share(403), [0, 11]), crate::audit::attack::Outcome::Alarm);
}
