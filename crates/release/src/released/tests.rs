use super::*;
use crate::layout::Channel;
use crate::noise::{NoiseFault, Scale};
use cairn_ledger::{Ledger, Reservation, Reserved, SnapshotKey};
use cairn_policy::{Caps, Mechanism, Method, Quota, Treatment, Window};
use cairn_question::answer::Zeros;
use cairn_question::privacy::{Epsilon, NanoRho};
use cairn_question::{Hash, Moment, Name, Schema};
use proptest::prelude::*;

const NOW: Moment = Moment::from_unix_s(1_790_000_000);
const ID: QuestionId = QuestionId::from_bytes([1; 32]);
const OTHER: QuestionId = QuestionId::from_bytes([2; 32]);

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn caps() -> Caps {
    let much = NanoRho::new(1_000_000_000_000);
    Caps { per_year: much, lifetime: much, year_starts_month: 4, year_starts_day: 1 }
}

fn quota() -> Quota {
    Quota { tables_per_day: 100, tables_per_year: 1_000, rho_per_year: None }
}

/// A debit from a real ledger: nothing else makes one.
fn debit(id: QuestionId) -> Debited {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = Ledger::open(&folder.path().join("ledger")).unwrap();
    let want = Reservation {
        question_id: id,
        question_hash: Hash::of(b"question"),
        canonical: Hash::of(b"canonical"),
        snapshot: SnapshotKey { as_of: "2026-03-31".parse().unwrap(), edition: 1 },
        treatment: Hash::of(b"treatment"),
        scope: cairn_ledger::Scope {
            role: name("national-analyst"),
            dataset: "participants".to_owned(),
            measure: cairn_question::Measure::People,
            kind: cairn_ledger::Kind::Cells,
        },
        settings: Hash::of(b"settings"),
        analyst: name("a-analyst"),
        share: name("quarterly"),
        cost: NanoRho::ZERO,
        pure_epsilon: None,
        caps: caps(),
        quota: quota(),
        hold_until: NOW.plus_s(600),
        day: NOW.day_utc(),
    };
    match ledger.reserve(&want, NOW).unwrap() {
        Reserved::Debited(debited) => debited,
        Reserved::Stored(_) => panic!("a fresh ledger has no stored answer"),
    }
}

fn treatment(method: Method) -> Treatment {
    Treatment {
        share: name("quarterly"),
        release: "plain-table".to_owned(),
        min_partners: 1,
        summed: None,
        snapshot: None,
        keep: None,
        opt_out: None,
        method,
        window: Window { column: None, from: None, lag_days: 0 },
        min_cohort: 0,
        rows_per_person: None,
        quota: quota(),
        caps: caps(),
    }
}

fn dp() -> Treatment {
    let epsilon = Epsilon::from_millionths(500_000).unwrap();
    treatment(Method::Dp { mechanism: Mechanism::Laplace, epsilon, groups_per_person: 3 })
}

fn suppress() -> Treatment {
    let profile = "sub-national-8-5".to_owned();
    treatment(Method::SuppressRound(cairn_policy::Cells {
        profile,
        min_people: 8,
        round_to: 5,
        zeros: Zeros::Show,
        secondary: cairn_policy::Secondary::No,
        dominance: None,
    }))
}

fn terms(text: &str, treatment: &Treatment) -> Terms {
    let question = cairn_question::form::parse(text, &name("r"), &name("p"), Schema::smf()).unwrap();
    let as_of = "2026-03-31".parse().unwrap();
    Terms::new(ID, &question, treatment, Schema::smf(), as_of, [0; 32]).unwrap()
}

/// By sex: five cells (female, male, other, prefer not to say, unknown) or however many the code list has.
fn by_sex(treatment: &Treatment) -> (Terms, usize) {
    let terms = terms("people by sex", treatment);
    let cells = terms.plan().grid.cells();
    (terms, cells)
}

fn cell_key(min_people: u32, round_to: u32) -> Treatment {
    let table = "framework:d3".to_owned();
    let cells = cairn_policy::Cells {
        profile: "census-cell-key".to_owned(),
        min_people,
        round_to,
        zeros: Zeros::Show,
        secondary: cairn_policy::Secondary::No,
        dominance: None,
    };
    treatment(Method::CellKey { table, cells })
}

#[test]
fn counts_are_changed_by_the_keys_of_their_people_as_the_table_says() {
    let (terms, cells) = by_sex(&cell_key(1, 1));
    assert!(terms.plan().record_keys.is_some());
    let table = cairn_disclosure::cell_key::PerturbationTable::named("framework:d3").unwrap();
    let people: Vec<u64> = (0..cells as u64).map(|n| n * 7).collect();
    let keys: Vec<u64> = people.iter().map(|n| n * 37).collect();
    let raw = RawTable::new(ID, people.clone(), None, vec![]).with_keys(keys.clone());
    let released = release(raw, &terms, debit(ID), &mut Script::new([])).unwrap();
    let changed = people.iter().zip(&keys).map(|(n, key)| {
        let change = table.change(table.row_of(*n), usize::try_from(key % 256).unwrap()).unwrap();
        Cell::Value(i64::try_from(*n).unwrap() + i64::from(change))
    });
    assert_eq!(released.table().cells, changed.collect::<Vec<_>>());
    assert_eq!(released.table().cells.first(), Some(&Cell::Value(0)), "nobody stays nobody");
    let TreatmentV1::CellKey { max_change: 3, table: named, .. } = released.treatment() else { panic!() };
    assert_eq!(named, "framework:d3");
    // Without its keys a table is not the plan's.
    let (terms, _) = by_sex(&cell_key(1, 1));
    let Err(unreleased) =
        release(RawTable::new(ID, people, None, vec![]), &terms, debit(ID), &mut Script::new([]))
    else {
        panic!("released without keys")
    };
    assert_eq!(unreleased.fault, ReleaseFault::NotTheGrid);
}

#[test]
fn what_a_cell_key_cell_can_stand_for_holds_its_count_whatever_the_key() {
    for (min_people, round_to) in [(1, 1), (5, 1), (8, 5)] {
        let (terms, cells) = by_sex(&cell_key(min_people, round_to));
        let Means::Perturb(table, rule) = &terms.means else { panic!() };
        for (people, key) in (0..40).flat_map(|n| (0..256).map(move |key| (n, key))) {
            // Nobody has no keys, and one person no more than 255. The last cell is shown, so that a withheld one has its range.
            let mut counts = vec![people; cells - 1];
            let mut keys = vec![key.min(people * 255); cells - 1];
            counts.push(100);
            keys.push(0);
            let raw = RawTable::new(ID, counts, None, vec![]).with_keys(keys);
            let cells = perturbed(&raw, table, rule).unwrap();
            for range in answered(&terms, cells).ranges().into_iter().rev().skip(1) {
                let (range, people) = (range.unwrap(), i64::try_from(people).unwrap());
                assert!(range.least <= people && people <= range.most.unwrap(), "{people} {key} {range:?}");
            }
        }
    }
}

fn answered(terms: &Terms, cells: Vec<Cell>) -> cairn_question::AnswerV1 {
    use cairn_question::answer::{PrivacyStatement, SnapshotStatement};
    cairn_question::AnswerV1 {
        table: TableV1 { dimensions: terms.grid().dimensions().to_vec(), cells, totals: Vec::new() },
        treatment: terms.statement().clone(),
        snapshot: SnapshotStatement {
            as_of: "2026-03-31".parse().unwrap(),
            edition: 1,
            templates: vec![],
            notes: vec![],
            provisional: false,
        },
        privacy: PrivacyStatement {
            unit: "a person".into(),
            charged: NanoRho::ZERO,
            year_so_far: NanoRho::ZERO,
            year_cap: NanoRho::ZERO,
        },
    }
}

/// Scripted draws; counts what it was asked for.
struct Script {
    draws: Vec<i64>,
    asked: Vec<(Scale, usize)>,
}

impl Script {
    fn new(draws: impl IntoIterator<Item = i64>) -> Self {
        Self { draws: draws.into_iter().collect(), asked: Vec::new() }
    }
}

impl Noise for Script {
    fn draw(&mut self, scale: Scale, cells: usize) -> Result<Vec<i64>, NoiseFault> {
        self.asked.push((scale, cells));
        if self.draws.is_empty() { Err(NoiseFault) } else { Ok(self.draws.clone()) }
    }
}

fn run(raw: RawTable, terms: &Terms, noise: &mut dyn Noise) -> Result<Vec<Cell>, ReleaseFault> {
    match release(raw, terms, debit(ID), noise) {
        Ok(released) => Ok(released.table().cells.clone()),
        Err(unreleased) => {
            assert_eq!(unreleased.debited.question_id(), ID, "the debit comes back");
            Err(unreleased.fault)
        }
    }
}

fn check_fault(raw: RawTable, terms: &Terms, fault: ReleaseFault) {
    assert_eq!(run(raw, terms, &mut Script::new([0; 100])), Err(fault));
}

#[test]
fn scripted_noise_gives_the_exact_table_on_zero_cells_too() {
    let (terms, cells) = by_sex(&dp());
    let counts = [0_u64, 3, 250, 0, 7, 9, 11].into_iter().cycle().take(cells);
    let draws = [-4_i64, 2, 0, 5, -9, 1, 1].into_iter().cycle().take(cells);
    let mut script = Script::new(draws.clone());
    let noisy = run(RawTable::new(ID, counts.clone().collect(), None, vec![]), &terms, &mut script).unwrap();
    let expected: Vec<Cell> =
        counts.zip(draws).map(|(c, d)| Cell::Value(i64::try_from(c).unwrap() + d)).collect();
    // Below zero stays below zero; a zero count has its noise.
    assert_eq!(noisy, expected);
    assert!(noisy.contains(&Cell::Value(-4)));
    // One draw for every declared cell, at the scale of the statement, in one go.
    assert_eq!(script.asked.len(), 1);
    assert_eq!((script.asked[0].0.ratio(), script.asked[0].1), ((3_000_000, 500_000), cells));
}

#[test]
fn small_counts_are_withheld_and_no_noise_is_asked_for() {
    let (terms, cells) = by_sex(&suppress());
    let mut counts = vec![12_u64; cells];
    counts[0] = 7;
    let mut script = Script::new([]);
    let table = run(RawTable::new(ID, counts, None, vec![]), &terms, &mut script).unwrap();
    assert_eq!(table[0], Cell::Withheld);
    assert!(table[1..].iter().all(|c| *c == Cell::Value(10)));
    assert!(script.asked.is_empty());
}

#[test]
fn counts_of_another_question_are_never_released() {
    let (terms, cells) = by_sex(&suppress());
    check_fault(RawTable::new(OTHER, vec![50; cells], None, vec![]), &terms, ReleaseFault::OtherQuestion);
    // The counts are the plan's, and the debit is another question's.
    let raw = RawTable::new(ID, vec![50; cells], None, vec![]);
    let unreleased = release(raw, &terms, debit(OTHER), &mut Script::new([])).unwrap_err();
    assert_eq!(unreleased.fault, ReleaseFault::OtherQuestion);
    assert_eq!(unreleased.debited.question_id(), OTHER);
}

#[test]
fn counts_that_are_not_the_plans_grid_are_never_released() {
    let (by_sex, cells) = by_sex(&suppress());
    let raw = |people: usize, rows: Option<usize>, left_out: usize| {
        RawTable::new(ID, vec![50; people], rows.map(|n| vec![60; n]), vec![20; left_out])
    };
    check_fault(raw(cells - 1, None, 0), &by_sex, ReleaseFault::NotTheGrid);
    check_fault(raw(cells + 1, None, 0), &by_sex, ReleaseFault::NotTheGrid);
    check_fault(raw(cells, Some(cells), 0), &by_sex, ReleaseFault::NotTheGrid);
    check_fault(raw(cells, None, 1), &by_sex, ReleaseFault::NotTheGrid);
    let starts = terms("starts", &Treatment { rows_per_person: Some(3), ..suppress() });
    check_fault(raw(1, None, 0), &starts, ReleaseFault::NotTheGrid);
    check_fault(raw(1, Some(2), 0), &starts, ReleaseFault::NotTheGrid);
    assert_eq!(run(raw(1, Some(1), 0), &starts, &mut Script::new([])), Ok(vec![Cell::Value(60)]));
    // A cohort that was not counted must not pass for one that left nobody out.
    let cohort = terms("people where age = 16_19", &Treatment { min_cohort: 10, ..suppress() });
    check_fault(raw(1, None, 0), &cohort, ReleaseFault::NotTheGrid);
    assert_eq!(run(raw(1, None, 1), &cohort, &mut Script::new([])), Ok(vec![Cell::Value(50)]));
    let few = RawTable::new(ID, vec![50], None, vec![9]);
    assert_eq!(run(few, &cohort, &mut Script::new([])), Ok(vec![Cell::Withheld]));
}

#[test]
fn without_noise_there_is_no_table() {
    let (terms, cells) = by_sex(&dp());
    let raw = || RawTable::new(ID, vec![50; cells], None, vec![]);
    assert_eq!(run(raw(), &terms, &mut Script::new([])), Err(ReleaseFault::NoNoise));
    assert_eq!(run(raw(), &terms, &mut Script::new([1])), Err(ReleaseFault::NoNoise));
}

#[test]
fn rows_get_noise_for_the_rows_a_person_may_have() {
    let starts = terms("starts", &Treatment { rows_per_person: Some(2), ..dp() });
    let mut script = Script::new([5]);
    let raw = RawTable::new(ID, vec![30], Some(vec![41]), vec![]);
    assert_eq!(run(raw, &starts, &mut script), Ok(vec![Cell::Value(46)]));
    assert_eq!(script.asked[0].0.ratio(), (2_000_000, 500_000));
}

#[test]
fn the_largest_counts_stay_at_the_ends() {
    let one = terms("people", &dp());
    let raw = |n| RawTable::new(ID, vec![n], None, vec![]);
    assert_eq!(run(raw(u64::MAX), &one, &mut Script::new([9])), Ok(vec![Cell::Value(i64::MAX)]));
    assert_eq!(run(raw(0), &one, &mut Script::new([i64::MIN])), Ok(vec![Cell::Value(i64::MIN)]));
}

#[test]
fn nothing_of_a_count_shows_in_debug() {
    let (terms, cells) = by_sex(&suppress());
    let released =
        release(RawTable::new(ID, vec![4_321; cells], None, vec![]), &terms, debit(ID), &mut Script::new([]));
    assert!(!format!("{:?}", released.unwrap()).contains("432"));
}

#[test]
fn shipped_noise_is_centred_on_the_count_and_as_wide_as_stated() {
    let one = terms("people", &dp());
    let width = match one.statement() {
        TreatmentV1::Dp { plus_minus_95, .. } => i64::try_from(*plus_minus_95).unwrap(),
        other => panic!("{other:?}"),
    };
    let (runs, count) = (4_000, 100_i64);
    let drawn = add_noise(&vec![count; runs], one_spread(&one), &mut crate::DiscreteLaplace).unwrap();
    let errors: Vec<i64> = drawn.iter().map(|v| v - 100).collect();
    let within = errors.iter().filter(|e| e.abs() <= width).count();
    // Scale 6: a standard deviation of 8.5, so the mean of 4,000 has .134; 7 of them either side.
    let sum: i64 = errors.iter().sum();
    assert!(sum.abs() < 4_000, "{sum}");
    // 95.2 in 100 within ±width; 7 standard deviations (13.6) either side.
    assert!((3_705..=3_905).contains(&within), "{within}");
}

fn one_spread(terms: &Terms) -> Spread {
    match &terms.means {
        Means::Noise(noisy) => noisy[0].spread,
        Means::Suppress(_) | Means::Audit(_) | Means::Perturb(..) | Means::Once(_) => {
            panic!("not a noisy table")
        }
    }
}

/// `measure` of activities, each of 2 to 11 quarter-hours, at most 3 of a person, at ε = 0.5.
fn hours(measure: &str) -> Terms {
    let summed = Some(cairn_policy::Summed { unit: "quarter-hours".into(), least: 2, most: 11 });
    terms(
        &format!("{measure}:quarter_hours in activities"),
        &Treatment { rows_per_person: Some(3), summed, ..dp() },
    )
}

fn summed(people: u64, rows: u64, sum: u64) -> RawTable {
    let channels = [(Channel::People, people), (Channel::Rows, rows), (Channel::Sums, sum)];
    let channels = channels.into_iter().map(|(channel, n)| (channel, vec![n])).collect();
    RawTable::of(ID, Counted { channels, left_out: vec![] })
}

/// Draws the next number for each vector.
struct InTurn(Vec<i64>, Vec<Scale>);

impl Noise for InTurn {
    fn draw(&mut self, scale: Scale, cells: usize) -> Result<Vec<i64>, NoiseFault> {
        self.1.push(scale);
        Ok(vec![self.0.remove(0); cells])
    }
}

#[test]
fn a_sum_gets_noise_for_all_that_a_person_may_add() {
    let mut noise = InTurn(vec![-7], vec![]);
    assert_eq!(run(summed(4, 9, 60), &hours("sum"), &mut noise), Ok(vec![Cell::Value(53)]));
    assert_eq!(noise.1[0].ratio(), (33_000_000, 500_000));
}

#[test]
fn a_mean_leaves_as_two_parts_that_add_up_over_partners() {
    let terms = hours("mean");
    let dimension = &terms.grid().dimensions()[0];
    assert_eq!((terms.grid().cells(), dimension.codes.join(" ")), (2, "sum rows".to_owned()));
    let mut noise = InTurn(vec![0, 0], vec![]);
    assert_eq!(run(summed(4, 9, 60), &terms, &mut noise), Ok(vec![Cell::Value(60), Cell::Value(9)]));
    // Half of ε each: 3 rows of at most 5 from the middle (6), and 3 rows.
    let ratios: Vec<_> = noise.1.iter().map(|s| s.ratio()).collect();
    assert_eq!(ratios, [(15_000_000, 250_000), (3_000_000, 250_000)]);
    // A row too many by noise is taken to be of the middle.
    let mut noise = InTurn(vec![-4, 2], vec![]);
    assert_eq!(run(summed(4, 9, 60), &terms, &mut noise), Ok(vec![Cell::Value(68), Cell::Value(11)]));
}

#[test]
fn counts_never_pass_for_sums() {
    let raw = RawTable::new(ID, vec![4], Some(vec![9]), vec![]);
    check_fault(raw, &hours("sum"), ReleaseFault::NotTheGrid);
    check_fault(summed(4, 9, 60), &terms("people", &dp()), ReleaseFault::NotTheGrid);
}

#[test]
fn overflow_of_a_sum_stays_at_the_ends() {
    for (raw, middle) in [(summed(1, 1, u64::MAX), "sum"), (summed(1, 0, u64::MAX), "mean")] {
        let cells = run(raw, &hours(middle), &mut InTurn(vec![i64::MAX, 0], vec![])).unwrap();
        assert_eq!(cells[0], Cell::Value(i64::MAX));
    }
    let least = run(summed(1, u64::MAX, 0), &hours("mean"), &mut InTurn(vec![-9, i64::MIN], vec![])).unwrap();
    assert_eq!(least, [Cell::Value(i64::MIN), Cell::Value(-1)]);
}

proptest! {
    /// A noisy table is the bounded counts plus the draws, and of nothing else: not of the people behind the rows, nor of a cohort.
    #[test]
    fn noise_depends_on_the_bounded_counts_alone(
        rows in prop::collection::vec(0_i64..1_000, 1..40),
        draws in prop::collection::vec(-1_000_i64..1_000, 40),
    ) {
        let spread = one_spread(&terms("people", &dp()));
        let draws = &draws[..rows.len()];
        let noisy = add_noise(&rows, spread, &mut Script::new(draws.to_vec())).unwrap();
        for ((cell, count), draw) in noisy.iter().zip(&rows).zip(draws) {
            prop_assert_eq!(*cell, count + draw);
        }
    }

    /// Grey box: the exact numbers of two tables that one person apart differ by at most the declared sensitivity, past the ends as well.
    #[test]
    fn release_moves_no_two_tables_further_apart(
        cells in prop::collection::vec((any::<u64>(), any::<u64>(), 0_u64..4, 0_u64..12), 1..20), measure in 0..3_usize,
    ) {
        let terms = vec![terms("people", &dp()), hours("sum"), hours("mean")].swap_remove(measure);
        let Means::Noise(noisy) = &terms.means else { panic!("not a noisy table") };
        let counted = |more: u64| {
            type Number = fn(&(u64, u64, u64, u64)) -> (u64, u64);
            let of = |number: Number| {
                cells.iter().map(|c| number(c).0.saturating_add(number(c).1 * more)).collect::<Vec<u64>>()
            };
            let channels = [
                (Channel::People, of(|c| (c.0, c.2))),
                (Channel::Rows, of(|c| (c.1, c.2))),
                (Channel::Sums, of(|c| (c.0, c.2 * c.3))),
            ];
            Counted { channels: channels.into_iter().collect(), left_out: vec![] }
        };
        for Noisy { vector, .. } in noisy {
            let (with, without) = (vector.exact(&counted(1)), vector.exact(&counted(0)));
            for ((a, b), (.., rows, value)) in with.iter().zip(&without).zip(&cells) {
                let apart = match vector.channel {
                    Channel::Sums => rows * value.abs_diff(vector.middle.into()),
                    _ => *rows,
                };
                // A count at the very end of u64 may have lost a part of the person.
                let ended = cells.iter().any(|c| c.0 > u64::MAX - 100 || c.1 > u64::MAX - 100);
                prop_assert!(a.abs_diff(*b) <= apart || ended);
            }
        }
    }
}
