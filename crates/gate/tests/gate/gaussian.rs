//! Gaussian noise through the whole ladder: what is stated, what is charged and what sticks.

use cairn_question::Cell;
use cairn_question::answer::TreatmentV1;
use cairn_question::privacy::NanoRho;
use cairn_release::DiscreteLaplace;

use crate::world::{DISABLED, World, layers, raw};

/// The kind of noise of every noisy release.
const GAUSSIAN: (&str, &str) = ("discrete-laplace", "discrete-gaussian");

fn world(changes: &[(&str, &str)]) -> World {
    let mut world = World::new();
    world.layers = layers(changes, None);
    world
}

/// Of ε = 0.1 at δ = 1e-6 the account is charged the ρ that the policy's own caps would be made of, and it is no pure ε.
#[test]
fn gaussian_noise_is_stated_and_charged_by_its_rho() {
    let mut world = world(&[GAUSSIAN]);
    let draft = world.draft(1, DISABLED);
    let reply = world.answer(&world.sign(&draft));
    let answer = world.table(&reply, &draft);
    let TreatmentV1::Dp { mechanism, epsilon, sensitivity, plus_minus_95, added: None, concentrated } =
        &answer.treatment
    else {
        panic!("{:?}", answer.treatment)
    };
    let loss = concentrated.unwrap();
    let rho = NanoRho::cap_for(0.1, 1e-6);
    assert_eq!((mechanism.as_str(), epsilon.to_string().as_str()), ("discrete-gaussian", "0.1"));
    assert_eq!((loss.rho, loss.l2_squared, loss.delta_trillionths, *sensitivity), (rho, 1, 1_000_000, 1));
    // 1.96 ÷ √(2ρ), rounded up.
    let width = 1.96 / (2.0 * rho.nano() as f64 / 1e9).sqrt();
    assert!((*plus_minus_95 as f64 - width).abs() < 1.0, "{plus_minus_95} for {width}");
    assert_eq!(answer.privacy.charged, rho);
    let account = world.ledger.account(&world.layers.caps(), world.now).unwrap();
    assert_eq!((account.lifetime, account.other, account.pure_epsilon_millionths), (rho, rho, 0));
}

/// A person who may be in two cells moves the table by √2, not by 2.
#[test]
fn groups_count_by_their_root() {
    let mut world = world(&[GAUSSIAN]);
    let mut width = |text: &str, id: u8| {
        let draft = world.draft(id, text);
        let reply = world.answer(&world.sign(&draft));
        match world.table(&reply, &draft).treatment {
            TreatmentV1::Dp { plus_minus_95, concentrated, sensitivity, .. } => {
                (plus_minus_95 as f64, concentrated.unwrap().l2_squared, sensitivity)
            }
            other => panic!("{other:?}"),
        }
    };
    let (one, 1, 1) = width("people by disabled", 1) else { panic!("one group") };
    let (two, 2, 2) = width("people by disabled, year from 2023-24 to 2024-25", 2) else { panic!("two") };
    assert!((two / one - 2.0_f64.sqrt()).abs() < 0.05, "{one} {two}");
}

/// The noise that ships, through the whole ladder, is drawn and centred.
#[test]
fn the_noise_that_ships_is_drawn() {
    let mut world = world(&[GAUSSIAN]);
    let draft = world.draft(1, DISABLED);
    let cairn_gate::Step::On(counting) = world.count(&world.sign(&draft)) else { panic!("refused") };
    let counts = raw(&counting);
    let Ok(releasable) = world.gate.release(counting, counts, &mut DiscreteLaplace) else { panic!("failed") };
    let reply = world.gate.reply(releasable, &mut world.ledger, world.now);
    let answer = world.table(&reply, &draft);
    // The exact counts are 10, 20 and so on.
    let off = |(cell, exact): (&Cell, i64)| match cell {
        Cell::Value(value) => value - exact,
        other => panic!("{other:?}"),
    };
    let off: Vec<i64> = answer.table.cells.iter().zip((1..).map(|n| n * 10)).map(off).collect();
    assert!(off.iter().any(|d| *d != 0), "{off:?}");
    let within = answer.treatment.plus_minus_95(0).unwrap();
    assert!(off.iter().all(|d| d.unsigned_abs() <= 5 * within), "{off:?} beyond five of ±{within}");
}

/// A board that changes the noise changes nothing on a snapshot of which a table has left: neither is the stricter.
#[test]
fn another_noise_never_applies_to_a_snapshot_already_answered() {
    for (first, then) in [(vec![], vec![GAUSSIAN]), (vec![GAUSSIAN], vec![])] {
        let mut world = world(&first);
        let draft = world.draft(1, DISABLED);
        let reply = world.answer(&world.sign(&draft));
        assert_eq!(world.outcome(&reply, &draft), "answer");
        world.layers = layers(&then, None);
        let draft = world.draft(2, "people by disabled");
        let reply = world.answer(&world.sign(&draft));
        assert_eq!(world.outcome(&reply, &draft), "ledger.settings-stick CA206");
    }
}

/// A mean would need its loss in two parts.
#[test]
fn a_mean_under_gaussian_noise_is_refused_by_name() {
    let mut sources = crate::sums::hours("noisy-starters");
    sources.policy.text = sources.policy.text.replace(GAUSSIAN.0, GAUSSIAN.1);
    let mut world = World::new();
    world.layers = cairn_policy::Layers::load(&sources).unwrap();
    let mut ask = |measure: &str, id: u8| {
        let draft = world.draft(id, &format!("{measure}:quarter_hours in activities"));
        let reply = world.answer(&world.sign(&draft));
        world.outcome(&reply, &draft)
    };
    assert_eq!(ask("mean", 1), "question.measure CN010");
    assert_eq!(ask("sum", 2), "answer");
}
