use super::*;
use crate::Reserved;
use crate::reserve::IN_PROGRESS;
use crate::sticking::other_settings;
use crate::testing::{NOON, answered, caps, debit, fresh, want};
use cairn_policy::Quota;
use cairn_question::privacy::NanoRho;
use proptest::prelude::*;
use rusqlite::StatementStatus;

/// What each of the list comes to: `again`, its cost, or the codes of its refusal.
fn said(ledger: &Ledger, wants: &[Reservation]) -> Vec<String> {
    let caps = wants.first().map_or_else(|| caps(1_000, 10_000), |w| w.caps);
    let price = ledger.price(wants, &caps, NOON).unwrap();
    price.questions.iter().map(in_words).collect()
}

fn in_words(priced: &Priced) -> String {
    match &priced.answerable {
        Answerable::Anew => format!("costs {}", priced.cost.nano()),
        Answerable::Again => "again".to_owned(),
        Answerable::Refused(rules) => rules.iter().map(|r| r.code.as_str()).collect::<Vec<_>>().join(" "),
    }
}

fn answer(ledger: &mut Ledger, want: &Reservation) {
    let held = debit(ledger, want, NOON);
    ledger.settle(held, b"reply", b"table", &answered(), NOON).unwrap();
}

#[test]
fn a_list_is_priced_in_its_order_and_nothing_is_held() {
    let (_folder, mut ledger) = fresh();
    answer(&mut ledger, &want(1, 300));
    let before = ledger.account(&caps(1_000, 10_000), NOON).unwrap();
    let again = Reservation { canonical: want(1, 0).canonical, ..want(2, 300) };
    let twice = Reservation { canonical: want(3, 0).canonical, ..want(4, 500) };
    let other = Reservation { treatment: Hash::of(b"other"), ..twice.clone() };
    let ten = Reservation { settings: Hash::of(b"ten"), ..want(5, 0) };
    let list = [again, want(3, 500), twice, other, ten, want(6, 201), want(7, 200), want(8, 1), want(9, 0)];
    let found = ["again", "costs 500", "again", "CA206", "CA206", "CA202", "costs 200", "CA202", "costs 0"];
    assert_eq!(said(&ledger, &list), found);
    let price = ledger.price(&list, &caps(1_000, 10_000), NOON).unwrap();
    assert_eq!((price.cost.nano(), price.year_left.nano(), price.lifetime_left.nano()), (700, 0, 9_000));
    assert_eq!(price.account, before);
    assert_eq!(ledger.account(&caps(1_000, 10_000), NOON).unwrap(), before);
    assert_eq!(ledger.entries(0, 10).unwrap().len(), 1, "nothing is logged");
}

#[test]
fn quotas_and_slices_are_priced_as_an_analysts_own() {
    let (_folder, mut ledger) = fresh();
    let mine = |number: u8, cost: u64| {
        let mut want = want(number, cost);
        want.quota.tables_per_day = 2;
        want.quota.rho_per_year = Some(NanoRho::new(300));
        want
    };
    answer(&mut ledger, &mine(1, 100));
    let list = [mine(2, 250), mine(3, 150), mine(4, 10)];
    assert_eq!(said(&ledger, &list), ["CA210", "costs 150", "CA204"]);
    let price = ledger.price(&list, &caps(1_000, 10_000), NOON).unwrap();
    let left: Vec<_> =
        price.questions.iter().map(|q| (q.slice_left.unwrap().nano(), q.tables_left_today)).collect();
    assert_eq!(left, [(200, Some(1)), (50, Some(0)), (50, Some(0))]);
}

#[test]
fn a_clock_that_jumped_back_refuses_all() {
    let (_folder, mut ledger) = fresh();
    answer(&mut ledger, &want(1, 1));
    let early = cairn_question::Moment::from_unix_s(NOON.unix_s() - 3_600);
    let price = ledger.price(&[want(2, 1)], &caps(1_000, 10_000), early).unwrap();
    assert_eq!(in_words(&price.questions[0]), "CA207");
}

#[test]
fn an_open_hold_is_priced_as_what_it_is() {
    let (_folder, mut ledger) = fresh();
    let _held = debit(&mut ledger, &want(1, 400), NOON);
    let equal = Reservation { canonical: want(1, 0).canonical, ..want(2, 400) };
    assert_eq!(said(&ledger, &[equal, want(3, 601), want(4, 600)]), ["CA208", "CA202", "costs 600"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    /// What a list is priced at is what it comes to when it is asked.
    #[test]
    fn a_price_is_kept(
        before in prop::collection::vec((0..12_u8, 0..400_u64), 0..6),
        list in prop::collection::vec((0..12_u8, 0..400_u64, 0..2_u8, 0..2_u8), 0..12),
    ) {
        let (_folder, mut ledger) = fresh();
        let asked = |number: usize, (canonical, cost): (u8, u64)| Reservation {
            canonical: Hash::of(&[canonical]),
            ..want(u8::try_from(number).unwrap(), cost)
        };
        for (number, question) in before.iter().enumerate() {
            if let Ok(Reserved::Debited(held)) = ledger.reserve(&asked(number, *question), NOON) {
                ledger.settle(held, b"reply", b"table", &answered(), NOON).unwrap();
            }
        }
        let wants: Vec<Reservation> = list.iter().enumerate().map(|(number, (canonical, cost, settings, analyst))| {
            let mut want = asked(100 + number, (*canonical, *cost));
            want.settings = Hash::of(&[*settings]);
            want.treatment = Hash::of(&[*settings, 1]);
            want.analyst = Name::new(format!("analyst-{analyst}")).unwrap();
            want.quota.tables_per_day = 4;
            want.quota.rho_per_year = Some(NanoRho::new(500));
            want
        }).collect();
        let caps = caps(1_000, 10_000);
        let price = ledger.price(&wants, &caps, NOON).unwrap();
        for (want, priced) in wants.iter().zip(&price.questions) {
            let came = match ledger.reserve(want, NOON) {
                Ok(Reserved::Debited(held)) => {
                    let cost = held.cost().nano();
                    ledger.settle(held, b"reply", b"table", &answered(), NOON).unwrap();
                    format!("costs {cost}")
                }
                Ok(Reserved::Stored(_)) => "again".to_owned(),
                Err(Denied::Refusal(refusal)) => {
                    refusal.rules.iter().map(|r| r.code.as_str()).collect::<Vec<_>>().join(" ")
                }
                Err(Denied::Fault(fault)) => panic!("{fault}"),
            };
            prop_assert_eq!(in_words(priced), came);
        }
        let after = ledger.account(&caps, NOON).unwrap();
        prop_assert_eq!(price.year_left.nano(), 1_000 - after.year.nano());
        prop_assert_eq!(price.lifetime_left.nano(), 10_000 - after.lifetime.nano());
    }
}

/// Prices so many questions beside so many earlier tables, and gives the steps that SQLite's machine took.
fn steps(questions: u32, before: u32) -> u64 {
    let (_folder, mut ledger) = fresh();
    let caps = caps(1_000_000, 1_000_000);
    let quota = Quota { tables_per_day: 10_000, tables_per_year: 20_000, rho_per_year: None };
    let numbered = |n: u32| Reservation { canonical: Hash::of(&n.to_be_bytes()), caps, quota, ..want(1, 1) };
    had_before(&mut ledger, &numbered(0), before);
    let wants: Vec<Reservation> = (0..questions).map(numbered).collect();
    let price = ledger.price(&wants, &caps, NOON).unwrap();
    assert_eq!((price.account.year.nano(), price.cost.nano()), (u64::from(before), u64::from(questions)));
    use crate::sticking::Line;
    let texts = [
        Sums::sql(Line::Tables),
        Tables::sql(),
        other_settings(),
        ANSWERED.to_owned(),
        IN_PROGRESS.to_owned(),
    ];
    let steps = texts.map(|sql| {
        let statement = ledger.reading().unwrap().prepare_cached(&sql).unwrap();
        assert!(statement.get_status(StatementStatus::Run) > 0, "not the statement that was run: {sql}");
        u64::try_from(statement.get_status(StatementStatus::VmStep)).unwrap()
    });
    steps.iter().sum()
}

/// So many tables under the same share and settings, each at 1 nano-ρ, written at once.
fn had_before(ledger: &mut Ledger, like: &Reservation, before: u32) {
    let names = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
        INSERT INTO question SELECT CAST(printf('%032d', i) AS BLOB), zeroblob(32), NULL FROM n WHERE ?1 > 0";
    let debits = "INSERT INTO debit SELECT id, row_number() OVER (), 'spent', 1, NULL, '2026-04-30', '2026-04-30', 0, ?1, ?2, id,
        '2026-03-31', 1, hash, ?3, ?4 FROM question";
    let row =
        params![like.analyst.as_str(), like.share.as_str(), like.scope.words(), like.settings.as_bytes()];
    let written = ledger.write(|transaction| {
        transaction.execute(names, params![before]).map_err(LedgerFault::write)?;
        transaction.execute(debits, row).map_err(LedgerFault::write)
    });
    assert_eq!(written.unwrap(), usize::try_from(before).unwrap());
}

#[test]
fn a_report_is_priced_in_steps_for_each_question_and_each_earlier_table_once() {
    let (few, many) = (steps(100, 0), steps(5_000, 0));
    assert!(many <= 50 * few, "each question takes as many: {few} for 100, {many} for 5,000");
    let beside = steps(5_000, 5_000);
    let once = beside - many;
    assert!(once <= 5_000 * 80, "each earlier table takes a few steps, however long the list is: {once}");
    assert!(beside <= 5_000 * 120, "{beside}");
}
