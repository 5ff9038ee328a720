//! What happens at the limits, and when nobody waits any more.

use std::time::Duration;

use cairn_question::Measure;

use super::world::{Asked, Field, Made, Outcome, Person, Start, World, block_on, engine};
use crate::{Engine, EngineFault, Limits};

fn many() -> Made {
    let outcome = Outcome { day: 19_800, kind: 1 };
    let start = Start {
        day: 19_750,
        end: None,
        lep: 1,
        referral: None,
        rejoin: false,
        outcomes: vec![outcome],
        activities: vec![],
    };
    let person = Person { known: true, sex: Some(1), simd: Some(2), starts: vec![start] };
    Made::of(World { persons: vec![person; 3_000] }, 1_000)
}

fn fault(made: &Made, limits: Limits) -> Option<EngineFault> {
    let engine = Engine::new(limits).unwrap();
    let plan = Asked::people("outcomes", &[Field::Kind, Field::Sex]).plan();
    let counted = block_on(engine.count(&made.snapshot, &plan));
    // Nothing is left running behind a fault.
    while engine.tasks() > 0 {
        std::thread::yield_now();
    }
    counted.err()
}

#[test]
fn each_limit_has_its_own_fault() {
    let made = many();
    assert_eq!(fault(&made, Limits::default()), None);
    assert_eq!(fault(&made, Limits { memory_bytes: 1, ..Limits::default() }), Some(EngineFault::Memory));
    // Enough for the tallies, and not for the rows above.
    assert_eq!(fault(&made, Limits { memory_bytes: 3_000, ..Limits::default() }), Some(EngineFault::Memory));
    assert_eq!(
        fault(&made, Limits { time_limit: Duration::ZERO, ..Limits::default() }),
        Some(EngineFault::TimeLimit)
    );
}

#[test]
fn a_count_that_nobody_waits_for_stops() {
    let made = many();
    let engine = engine(2);
    let plan = Asked::people("outcomes", &[Field::Kind, Field::Sex]).plan();
    block_on(async {
        // Begun, and dropped at its first wait. On a busy machine a count can be over before it is first looked at; then the next one.
        let mut tries = 0..100;
        while futures::poll!(Box::pin(engine.count(&made.snapshot, &plan))).is_ready() {
            assert!(tries.next().is_some(), "no count is ever seen under way");
        }
    });
    while engine.tasks() > 0 {
        std::thread::yield_now();
    }
    assert!(block_on(engine.count(&made.snapshot, &plan)).is_ok(), "the engine goes on");
}

#[test]
fn counts_side_by_side_agree() {
    let made = many();
    let engine = engine(2);
    let plan = Asked::people("engagements", &[Field::Lep]).plan();
    let one = || async { engine.count(&made.snapshot, &plan).await.unwrap().counts().to_vec() };
    let (a, b, c) = block_on(async { futures::join!(one(), one(), one()) });
    assert!(a == b && b == c && a.iter().sum::<u64>() == 3_000);
}

#[test]
fn a_table_that_was_never_fed_is_absent_and_one_without_persons_counts_rows() {
    let made = many();
    let mut asked = Asked::people("charter_feedback", &[]);
    asked.measure = Measure::Rows;
    assert_eq!(block_on(engine(1).count(&made.snapshot, &asked.plan())).err(), Some(EngineFault::Absent));
    let fed = Made::feedback(7);
    let counted = block_on(engine(1).count(&fed.snapshot, &asked.plan())).unwrap();
    assert_eq!(counted.counts(), [7]);
}

#[test]
fn plans_that_contradict_themselves_are_faults() {
    let made = many();
    let fault = |plan| block_on(engine(1).count(&made.snapshot, &plan)).err();
    let mut short = Asked::people("engagements", &[Field::Lep]).plan();
    short.axes.clear();
    assert_eq!(fault(short), Some(EngineFault::Plan));
    // A table below the one that is counted.
    let below = Asked::people("engagements", &[Field::Kind]).plan();
    assert_eq!(fault(below), Some(EngineFault::Plan));
    let mut nameless = Asked::people("engagements", &[Field::Lep]).plan();
    nameless.axes[0].column.column = "no_such_column".into();
    assert_eq!(fault(nameless), Some(EngineFault::Absent));
    // Text is never read, whatever a plan says.
    let mut text = Asked::people("participants", &[Field::Sex]).plan();
    text.axes[0].column.column = "local_person_id".into();
    assert_eq!(fault(text), Some(EngineFault::ColumnForm));
}
