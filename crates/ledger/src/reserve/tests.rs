use insta::assert_snapshot;

use super::*;
use crate::testing::{NOON, check, debit, fresh, want};
use crate::{Ledger, durable};

#[test]
fn one_account_holds_and_spends_up_to_its_caps() {
    check(
        "hold 1 cost 1000; settle 1; hold 2 cost 1; hold 3 cost 0",
        &["held, year 1000", "settled", "refused CA202", "held, year 1000"],
    );
    // Open holds count, whoever has them.
    check(
        "hold 1 cost 600 by ann; hold 2 cost 500 by bob; hold 2 cost 400 by bob",
        &["held, year 600", "refused CA202", "held, year 1000"],
    );
    check(
        "hold 1 cost 600 life 500; hold 2 cost 501 cap 500 life 500",
        &["refused CA203", "refused CA202 CA203"],
    );
    check(
        "hold 1 cost 600; abandon 1; account; hold 2 cost 1000",
        &[
            "held, year 600",
            "abandoned",
            "year 0, ever 0, held 0, pure 0, other 0, from 2026-04-01",
            "held, year 1000",
        ],
    );
    // A cap that was lowered below what is spent leaves nothing; and questions without a cost go on.
    check(
        "hold 1 cost 600; settle 1; hold 2 cost 1 cap 500; hold 3 cap 500",
        &["held, year 600", "settled", "refused CA202", "held, year 600"],
    );
}

#[test]
fn both_totals_are_kept() {
    check(
        "hold 1 cost 300 pure 70000; settle 1; hold 2 cost 200; account",
        &[
            "held, year 300",
            "settled",
            "held, year 500",
            "year 500, ever 500, held 200, pure 70000, other 200, from 2026-04-01",
        ],
    );
}

#[test]
fn a_policy_year_ends_and_a_lifetime_does_not() {
    // 2027-03-31T22:59:59Z is the last second of the year in London; an hour of UTC is left.
    check(
        "hold 1 cost 1000; settle 1; at 28897199; hold 2 cost 1; at 28897200; hold 3 cost 1000; account",
        &[
            "held, year 1000",
            "settled",
            "refused CA202",
            "held, year 1000",
            "year 1000, ever 2000, held 1000, pure 0, other 2000, from 2027-04-01",
        ],
    );
    check(
        "hold 1 cost 1000; settle 1; at 28897200; hold 3 cost 1000 life 1999",
        &["held, year 1000", "settled", "refused CA203"],
    );
}

#[test]
fn the_same_question_is_held_once() {
    check(
        "hold 1 cost 900; reopen; recall 1; hold 1 cost 900; account; settle 1; account; recall 1",
        &[
            "held, year 900",
            "Open",
            "held, year 900",
            "year 900, ever 900, held 900, pure 0, other 900, from 2026-04-01",
            "settled",
            "year 900, ever 900, held 0, pure 0, other 900, from 2026-04-01",
            "reply 1",
        ],
    );
    check("hold 1 cost 9; settle 1; hold 1 cost 9", &["held, year 9", "settled", "CA012"]);
    check(
        "hold 1 cost 9; hold 1 cost 9 hash other; recall 1 hash other; refuse 1 hash other; recall 1; settle 1",
        &["held, year 9", "refused CA201", "OtherHash", "refused", "Open", "settled"],
    );
    check("refuse 1; recall 1; refuse 1; recall 1; hold 1", &["refused", "no", "refused", "no", "CA012"]);
}

#[test]
fn on_other_terms_a_question_is_held_anew() {
    // The policy changed between the crash and the second try: the old, cheaper hold must not pay for it.
    check(
        "hold 1 cost 900; hold 1 cost 901 treat b cap 900; hold 1 cost 800 treat b; account",
        &[
            "held, year 900",
            "refused CA202",
            "held, year 800",
            "year 800, ever 800, held 800, pure 0, other 800, from 2026-04-01",
        ],
    );
    let (_folder, mut ledger) = fresh();
    let old = debit(&mut ledger, &want(1, 5), NOON);
    let new = debit(&mut ledger, &want(1, 6), NOON);
    let settled = ledger.settle(old, b"r", b"t", &crate::testing::answered(), NOON);
    assert!(matches!(settled, Err(LedgerFault::HoldGone)), "{settled:?}");
    ledger.settle(new, b"r", b"t", &crate::testing::answered(), NOON).unwrap();
}

#[test]
fn a_hold_lapses_and_stays_lapsed() {
    check(
        "hold 1 cost 900 until 60; at 60; account; at 61; account; settle 1; account",
        &[
            "held, year 900",
            "year 900, ever 900, held 900, pure 0, other 900, from 2026-04-01",
            "year 0, ever 0, held 0, pure 0, other 0, from 2026-04-01",
            "CA010",
            "year 0, ever 0, held 0, pure 0, other 0, from 2026-04-01",
        ],
    );
    check(
        "hold 1 cost 900 until 60; at 61; refuse 9; at 50; hold 2 cost 900; settle 1",
        &["held, year 900", "refused", "held, year 900", "CA010"],
    );
    // The clock steps back after the budget of a lapsed hold was given to another question.
    check(
        "hold 1 cost 900 until 60; at 61; hold 2 cost 900; at 50; settle 1; settle 2; account",
        &[
            "held, year 900",
            "held, year 900",
            "CA010",
            "settled",
            "year 900, ever 900, held 0, pure 0, other 900, from 2026-04-01",
        ],
    );
}

#[test]
fn a_clock_that_jumped_back_refuses() {
    check(
        "at 1000; hold 1; at 700; hold 2; at 699; hold 3; refuse 3; at 700; hold 4",
        &["held, year 0", "held, year 0", "refused CA207", "refused", "held, year 0"],
    );
    let (_folder, mut ledger) = fresh();
    let mut far = want(1, 0);
    far.day = Day::new(2027, 5, 1).unwrap();
    let held = ledger.reserve(&far, NOON);
    assert!(matches!(held, Err(Denied::Fault(LedgerFault::Reservation { .. }))), "{held:?}");
}

#[test]
fn equal_questions_get_one_table() {
    check(
        "hold 1 canon k cost 5; settle 1 table one; hold 2 canon k cost 5 by bob; repeat 2; recall 2; account",
        &[
            "held, year 5",
            "settled",
            "stored one",
            "repeated",
            "reply 2",
            "year 5, ever 5, held 0, pure 0, other 5, from 2026-04-01",
        ],
    );
    // While the first is being counted: a noisy table is not bought twice, a plain one comes out equal or is a fault.
    check(
        "hold 1 canon k cost 5; hold 2 canon k cost 5; abandon 1; hold 2 canon k cost 5",
        &["held, year 5", "refused CA208", "abandoned", "held, year 5"],
    );
    check(
        "hold 1 canon k; hold 2 canon k; settle 1; settle 2; recall 2",
        &["held, year 0", "held, year 0", "settled", "settled", "reply 2"],
    );
    check(
        "hold 1 canon k; hold 2 canon k; settle 1; settle 2 table other; recall 2",
        &["held, year 0", "held, year 0", "settled", "CA014", "Open"],
    );
}

#[test]
fn release_settings_stick_to_a_snapshot() {
    check(
        "hold 1 canon k treat five; settle 1; hold 2 canon k treat ten; hold 3 canon j treat ten",
        &["held, year 0", "settled", "refused CA206", "held, year 0"],
    );
    check(
        "hold 1 canon k treat five; hold 2 canon k treat ten; abandon 1; hold 2 canon k treat ten",
        &["held, year 0", "refused CA206", "abandoned", "held, year 0"],
    );
    let (_folder, mut ledger) = fresh();
    let first = want(1, 0);
    let held = debit(&mut ledger, &first, NOON);
    ledger.settle(held, b"r", b"t", &crate::testing::answered(), NOON).unwrap();
    let mut next = Reservation { treatment: Hash::of(b"ten"), ..want(2, 0) };
    next.canonical = first.canonical;
    next.snapshot.edition = 2;
    assert!(matches!(ledger.reserve(&next, NOON), Ok(Reserved::Debited(_))));
}

#[test]
fn unordered_settings_stick_to_every_table_of_the_snapshot() {
    // Another question of the same dataset for the same role: settled or only held, the settings are the first answer's.
    check(
        "hold 1 settings five; settle 1; hold 2 settings ten; hold 2 settings five treat k10; hold 3 settings ten by bob share other",
        &["held, year 0", "settled", "refused CA206", "held, year 0", "refused CA206"],
    );
    check(
        "hold 1 settings five; hold 2 settings ten; abandon 1; hold 2 settings ten; hold 3 settings five",
        &["held, year 0", "refused CA206", "abandoned", "held, year 0", "refused CA206"],
    );
    check(
        "hold 1 settings five until 60; at 61; hold 2 settings ten; settle 2",
        &["held, year 0", "held, year 0", "settled"],
    );
    // Another role, another dataset, another measure, and noise, have settings of their own.
    check(
        "hold 1 settings five; settle 1; hold 2 settings ten of other/participants/people;
         hold 3 settings ten of national-analyst/engagements/people; hold 4 settings ten of national-analyst/participants/rows;
         hold 5 settings ten of national-analyst/participants/people/noise;
         hold 6 settings ten of national-analyst/participants/people",
        &["held, year 0", "settled", "held, year 0", "held, year 0", "held, year 0", "held, year 0", "refused CA206"],
    );
    // What was answered is given again under its own settings, and the question's own hold goes on.
    check(
        "hold 1 settings five canon k; settle 1; hold 2 settings five canon k; repeat 2; hold 3 settings five; reopen;
         hold 3 settings five; settle 3",
        &["held, year 0", "settled", "stored table", "repeated", "held, year 0", "held, year 0", "settled"],
    );
    let (_folder, mut ledger) = fresh();
    let held = debit(&mut ledger, &want(1, 0), NOON);
    ledger.settle(held, b"r", b"t", &crate::testing::answered(), NOON).unwrap();
    let mut next = Reservation { settings: Hash::of(b"ten"), ..want(2, 0) };
    assert!(matches!(ledger.reserve(&next, NOON), Err(Denied::Refusal(_))));
    next.snapshot.edition = 2;
    assert!(matches!(ledger.reserve(&next, NOON), Ok(Reserved::Debited(_))));
}

#[test]
fn quotas_are_an_analysts_own() {
    check(
        "hold 1 day 2; hold 2 day 2; settle 2; hold 3 day 2; hold 4 day 2 by bob; abandon 1; hold 3 day 2",
        &[
            "held, year 0",
            "held, year 0",
            "settled",
            "refused CA204",
            "held, year 0",
            "abandoned",
            "held, year 0",
        ],
    );
    // Noon and twelve hours: the next day in UTC.
    check(
        "hold 1 day 1; settle 1; at 43199; hold 2 day 1; at 43200; hold 2 day 1",
        &["held, year 0", "settled", "refused CA204", "held, year 0"],
    );
    check(
        "hold 1 year 1; settle 1; at 43200; hold 2 year 1 cost 1001; at 28897200; hold 2 year 1",
        &["held, year 0", "settled", "refused CA202 CA205", "held, year 0"],
    );
}

#[test]
fn an_analysts_slice_is_a_part_of_the_account() {
    // Spent and held count; a hold that was given up does not; another analyst and another share have their own.
    check(
        "hold 1 cost 300 slice 500; settle 1; hold 2 cost 201 slice 500; hold 2 cost 200 slice 500; hold 3 cost 1 slice 500;
         hold 3 slice 500; hold 4 cost 1 slice 500 by bob; hold 5 cost 1 slice 500 share other; abandon 2;
         hold 6 cost 200 slice 500",
        &[
            "held, year 300",
            "settled",
            "refused CA210",
            "held, year 500",
            "refused CA210",
            "held, year 500",
            "held, year 501",
            "held, year 502",
            "abandoned",
            "held, year 502",
        ],
    );
    // A repeat is free, whatever is left.
    check(
        "hold 1 cost 500 slice 500 canon k; settle 1; hold 2 cost 500 slice 500 canon k; repeat 2; hold 3 cost 1 slice 500",
        &["held, year 500", "settled", "stored table", "repeated", "refused CA210"],
    );
    // It ends with the policy year (2027-03-31T23:00:00Z), and a policy that lowers it lowers it at once.
    check(
        "hold 1 cost 500 slice 500; settle 1; hold 2 cost 1 slice 400; at 28897200; hold 2 cost 400 slice 400",
        &["held, year 500", "settled", "refused CA210", "held, year 400"],
    );
}

#[test]
fn per_analyst_budgets_cannot_refill_the_persons_account() {
    // Two slices of 800 do not make an account of 1,000 into one of 1,600; and a slice above the account gives nothing more.
    check(
        "hold 1 cost 800 slice 800 by ann; settle 1; hold 2 cost 201 slice 800 by bob; hold 2 cost 200 slice 800 by bob;
         settle 2; hold 3 cost 1 slice 800 by cat; hold 4 cost 1 slice 5000 by ann; account",
        &[
            "held, year 800",
            "settled",
            "refused CA202",
            "held, year 1000",
            "settled",
            "refused CA202",
            "refused CA202",
            "year 1000, ever 1000, held 0, pure 0, other 1000, from 2026-04-01",
        ],
    );
    check("hold 1 cost 900 slice 899 cap 800", &["refused CA202 CA210"]);
}

#[test]
fn refusals_say_what_is_left() {
    let (_folder, mut ledger) = fresh();
    let held = debit(&mut ledger, &want(1, 600), NOON);
    ledger.settle(held, b"r", b"t", &crate::testing::answered(), NOON).unwrap();
    let mut text = String::new();
    let mut refused = |ledger: &mut Ledger, want: &Reservation, now: Moment| {
        let Err(Denied::Refusal(refusal)) = ledger.reserve(want, now) else { panic!("not refused") };
        for rule in refusal.rules {
            text.push_str(&format!("{} {}: {}\n", rule.code, rule.rule, rule.says));
        }
    };
    let mut greedy = want(2, 401);
    greedy.caps.lifetime = NanoRho::new(1_000);
    greedy.quota = Quota { tables_per_day: 1, tables_per_year: 0, rho_per_year: Some(NanoRho::new(1_000)) };
    refused(&mut ledger, &greedy, NOON);
    refused(&mut ledger, &Reservation { question_hash: Hash::of(b"x"), ..want(1, 0) }, NOON);
    let first = Reservation { canonical: want(1, 0).canonical, ..want(3, 0) };
    refused(&mut ledger, &Reservation { treatment: Hash::of(b"ten"), ..first }, NOON);
    refused(&mut ledger, &Reservation { settings: Hash::of(b"ten"), ..want(3, 0) }, NOON);
    refused(&mut ledger, &want(4, 0), Moment::from_unix_s(NOON.unix_s() - 301));
    let _held = debit(&mut ledger, &want(5, 1), NOON);
    refused(&mut ledger, &Reservation { canonical: want(5, 0).canonical, ..want(6, 1) }, NOON);
    assert_snapshot!(text);
}

#[test]
fn two_questions_cannot_race_past_the_check() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    // Two handles without the lock: the check must hold inside the transaction, not only by there being one writer.
    let handle = || Ledger::with(durable::open(&path).unwrap(), &path, None).unwrap();
    let mut handles = [handle(), handle()];
    let held: u64 = std::thread::scope(|scope| {
        let threads = handles.iter_mut().zip([0_u8, 100]).map(|(ledger, from)| {
            scope.spawn(move || {
                let mut holds = |n: u8| match ledger.reserve(&want(from + n, 100), NOON) {
                    Ok(_) => 1,
                    Err(Denied::Refusal(_)) => 0,
                    Err(Denied::Fault(fault)) => panic!("{fault}"),
                };
                (0..15).map(&mut holds).sum::<u64>()
            })
        });
        threads.collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(held, 10, "a cap of 1,000 holds ten questions of 100");
    assert_eq!(handles[0].account(&want(0, 0).caps, NOON).unwrap().year.nano(), 1_000);
}
