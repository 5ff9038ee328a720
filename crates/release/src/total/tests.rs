use super::*;
use crate::noise::NoiseFault;
use crate::terms::tests::{dp, suppress, terms};
use cairn_policy::CountOnce;
use cairn_question::QuestionId;
use cairn_question::Scaling;
use cairn_question::answer::Zeros;
use cairn_question::privacy::{Epsilon, GaussianLoss, NanoRho};

const QUESTION: QuestionId = QuestionId::from_bytes([1; 32]);

/// Draws 1, 2, 3 … so that a second draw is another.
struct Counting(i64);

impl ShareNoise for Counting {
    fn draw_share(&mut self, _: &Share, cells: usize) -> Result<Vec<i64>, NoiseFault> {
        let draws = (0..cells).map(|_| {
            self.0 += 1;
            self.0
        });
        Ok(draws.collect())
    }
}

fn total_dp(sensitivity: u32) -> TotalTreatment {
    TotalTreatment::Dp { epsilon: Epsilon::from_millionths(500_000).unwrap(), sensitivity }
}

fn total_round(min_cohort: u32) -> TotalTreatment {
    TotalTreatment::SuppressRound {
        min_people: 8,
        round_to: 5,
        zeros: Zeros::Show,
        min_cohort,
        rows_per_person: 1,
    }
}

/// A release of counts changed by this table.
fn keyed(table: &str, min_cohort: u32) -> cairn_policy::Treatment {
    let treatment = suppress(5, 1);
    let cells = treatment.method.cells().unwrap().clone();
    let method = cairn_policy::Method::CellKey { table: table.to_owned(), cells };
    cairn_policy::Treatment { method, min_cohort, ..treatment }
}

fn total_keyed() -> TotalTreatment {
    let (min_people, round_to, zeros) = (5, 1, Zeros::Show);
    TotalTreatment::CellKey { table: Perturbations::D3Total, min_people, round_to, zeros }
}

/// A release under Gaussian noise of ε = 0.5 at δ = 10⁻⁶.
fn bell(groups_per_person: u32) -> cairn_policy::Treatment {
    let loss = GaussianLoss::at(Epsilon::from_millionths(500_000).unwrap(), 1_000_000).unwrap();
    let mechanism = cairn_policy::Mechanism::Gaussian(cairn_policy::Concentrated {
        rho: loss.rho(),
        delta_trillionths: loss.delta_trillionths(),
    });
    let method = cairn_policy::Method::Dp { mechanism, epsilon: loss.epsilon(), groups_per_person };
    cairn_policy::Treatment { method, ..dp(groups_per_person) }
}

/// A total of that loss.
fn total_bell((sensitivity, l2_squared): (u32, u64), power: u8) -> TotalTreatment {
    let loss = GaussianLoss::at(Epsilon::from_millionths(500_000).unwrap(), 1_000_000).unwrap();
    TotalTreatment::DpGaussian { loss, sensitivity, l2_squared, scaling: Scaling::of_power(power).unwrap() }
}

fn honest() -> HonestPartners {
    HonestPartners::of(6, 2).unwrap()
}

fn total_once(keys_per_person: u32, breakdown: Option<Breakdown>) -> TotalTreatment {
    TotalTreatment::CountOnce {
        epsilon: Epsilon::from_millionths(1_000_000).unwrap(),
        keys_per_person,
        buckets_power: 12,
        linked_by: cairn_question::LinkedBy::Nino,
        breakdown,
    }
}

fn once(cells_per_person: u32) -> cairn_policy::Treatment {
    let count = CountOnce {
        epsilon: Epsilon::from_millionths(1_000_000).unwrap(),
        keys_per_person: 2,
        cells_per_person,
        counts_per_year: 4,
        counts_lifetime: 8,
    };
    cairn_policy::Treatment { method: cairn_policy::Method::CountOnce(count), min_cohort: 0, ..dp(1) }
}

#[test]
fn a_count_of_people_is_of_the_tables_cells_and_priced_for_as_many_as_a_person_may_be_in() {
    let table = terms("people by sex", &once(2)).unwrap();
    let cells = u32::try_from(table.grid().cells()).unwrap();
    assert!(cells > 2);
    let of = |cells, per_person| Some(Breakdown::new(cells, per_person).unwrap());
    let check = |terms: &crate::Terms, total, fits: Result<(), ReleaseFault>| {
        assert_eq!(terms.fit_total(&total), fits, "{total:?}");
    };
    check(&table, total_once(2, of(cells, 2)), Ok(()));
    check(&table, total_once(3, of(cells, cells)), Ok(()));
    check(&table, total_once(2, of(cells, 1)), Err(ReleaseFault::NoBound));
    check(&table, total_once(1, of(cells, 2)), Err(ReleaseFault::NoBound));
    check(&table, total_once(2, of(cells + 1, 2)), Err(ReleaseFault::NoBound));
    check(&table, total_once(2, None), Err(ReleaseFault::NoBound));
    let figure = terms("people", &once(2)).unwrap();
    check(&figure, total_once(2, None), Ok(()));
    check(&figure, total_once(2, of(2, 2)), Err(ReleaseFault::NoBound));
    // Who is in a cell that the table has not is nobody of it.
    let id = table.plan().question_id;
    let people = |cell| crate::RawPeople::of(id, vec![(0, 0), (7, cell)]);
    let part = |cell| Part::of_people(people(cell), &table, &total_once(2, of(cells, 2)));
    assert_eq!(part(cells - 1).map(|part| part.numbers()).unwrap(), 0);
    assert_eq!(part(cells).unwrap_err(), ReleaseFault::NotTheGrid);
    let said = statement(&table, &total_once(2, of(cells, 2)), (5, HonestPartners::of(5, 1).unwrap()));
    let TreatmentV1::CountOnce { breakdown, keys_per_person: 2, .. } = said.unwrap() else { panic!() };
    assert_eq!(breakdown, of(cells, 2));
}

#[test]
fn a_person_may_add_no_more_here_than_the_noise_of_all_is_made_for() {
    let check = |of: &crate::Terms, total: TotalTreatment, fits: Result<(), ReleaseFault>| {
        assert_eq!(of.fit_total(&total), fits, "{total:?}");
    };
    let noisy = terms("people by sex", &dp(2)).unwrap();
    check(&noisy, total_dp(2), Ok(()));
    check(&noisy, total_dp(3), Ok(()));
    check(&noisy, total_dp(1), Err(ReleaseFault::NoBound));
    check(&noisy, total_round(0), Err(ReleaseFault::Contradiction));
    let rounded = terms("people by sex", &suppress(8, 5)).unwrap();
    check(&rounded, total_round(0), Ok(()));
    check(&rounded, total_dp(1), Err(ReleaseFault::Contradiction));
    check(&rounded, total_once(2, None), Err(ReleaseFault::Contradiction));
    check(&rounded, total_keyed(), Err(ReleaseFault::Contradiction));
    let changed = |table: &str, min_cohort: u32| terms("people by sex", &keyed(table, min_cohort)).unwrap();
    check(&changed("framework:d3-total", 0), total_keyed(), Ok(()));
    check(&changed("framework:d3-total", 0), total_round(0), Err(ReleaseFault::Contradiction));
    check(&changed("framework:d3", 0), total_keyed(), Err(ReleaseFault::Contradiction));
    // Neither kind of noise is the stricter, and a table that needs √2 of the width gets it.
    let bells = terms("people by sex", &bell(2)).unwrap();
    check(&bells, total_bell((2, 2), 0), Ok(()));
    check(&bells, total_bell((3, 9), 0), Ok(()));
    check(&bells, total_bell((1, 2), 0), Err(ReleaseFault::NoBound));
    check(&bells, total_bell((2, 1), 0), Err(ReleaseFault::NoBound));
    check(&bells, total_dp(2), Err(ReleaseFault::Contradiction));
    check(&noisy, total_bell((2, 2), 0), Err(ReleaseFault::Contradiction));
    check(&rounded, total_bell((2, 2), 0), Err(ReleaseFault::Contradiction));
    // All rows of a person may lie in one cell.
    let rows = terms("starts", &cairn_policy::Treatment { rows_per_person: Some(3), ..bell(1) }).unwrap();
    check(&rows, total_bell((3, 9), 0), Ok(()));
    check(&rows, total_bell((3, 8), 0), Err(ReleaseFault::NoBound));
    // A cohort is held by exact numbers.
    check(&changed("framework:d3-total", 5), total_keyed(), Err(ReleaseFault::Contradiction));
}

/// The total of four partners is the sum of what each changed by its own people's keys; a partner's part is the same in every attempt and in every
/// question.
#[test]
fn the_total_is_the_sum_of_what_every_partner_changed() {
    let terms = terms("people by sex", &keyed("framework:d3-total", 0)).unwrap();
    let cells = terms.grid().cells();
    let table = PerturbationTable::named("framework:d3-total").unwrap();
    let (mut total, mut expected, mut exact) = (vec![0; cells], vec![0; cells], vec![0; cells]);
    for partner in 0..4_u64 {
        let people: Vec<u64> = (0..cells as u64).map(|cell| cell * (partner + 1)).collect();
        let keys: Vec<u64> = people.iter().map(|n| n * (61 + 17 * partner)).collect();
        let raw = RawTable::new(QUESTION, people.clone(), None, Vec::new()).with_keys(keys.clone());
        let part = Part::of(&raw, &terms, &total_keyed()).unwrap();
        let drawn = part.draw(honest(), &mut Counting(0)).unwrap();
        assert_eq!(part.draw(honest(), &mut Counting(7)).unwrap(), drawn, "no noise is drawn");
        for cell in 0..cells {
            let change = table.change(table.row_of(people[cell]), usize::try_from(keys[cell] % 256).unwrap());
            let people = i64::try_from(people[cell]).unwrap();
            exact[cell] += people;
            expected[cell] += people + i64::from(change.unwrap());
            total[cell] += drawn[cell];
        }
    }
    assert_eq!(total, expected);
    assert_ne!(total, exact);
    assert_eq!(total[0], 0, "nobody stays nobody");
}

#[test]
fn the_statement_has_the_standard_error_of_everybodys_changes_together() {
    let terms = terms("people by sex", &keyed("framework:d3-total", 0)).unwrap();
    let said = statement(&terms, &total_keyed(), (6, honest())).unwrap();
    let TreatmentV1::CellKey { total, max_change, .. } = said else { panic!("{said:?}") };
    assert_eq!((max_change, total), (3, Some(Perturbations::D3Total.off_by(6))));
    let TreatmentV1::CellKey { total, .. } = terms.statement() else { panic!("cell-key") };
    assert!(total.is_none(), "a table of its own has no other partners");
}

#[test]
fn every_attempt_has_noise_of_its_own_and_without_noise_every_attempt_is_the_same() {
    let noisy = terms("people by sex", &dp(1)).unwrap();
    let cells = noisy.grid().cells();
    let counts: Vec<u64> = (0..cells as u64).map(|n| n * 10).collect();
    let raw = RawTable::new(QUESTION, counts.clone(), None, Vec::new());
    let part = Part::of(&raw, &noisy, &total_dp(1)).unwrap();
    let mut noise = Counting(0);
    let first = part.draw(honest(), &mut noise).unwrap();
    let second = part.draw(honest(), &mut noise).unwrap();
    let drawn = |vector: &[i64]| -> Vec<i64> {
        vector.iter().zip(&counts).map(|(sum, count)| sum - i64::try_from(*count).unwrap()).collect()
    };
    let n = i64::try_from(cells).unwrap();
    assert_eq!(drawn(&first), Vec::from_iter(1..=n));
    assert_eq!(drawn(&second), Vec::from_iter(n + 1..=2 * n));
    let rounded = terms("people by sex", &suppress(8, 5)).unwrap();
    let part = Part::of(&raw, &rounded, &total_round(0)).unwrap();
    assert_eq!(drawn(&part.draw(honest(), &mut noise).unwrap()), vec![0; cells]);
}

#[test]
fn rows_bring_their_people_and_cohorts_who_is_left_out() {
    let check = |text: &str, min_cohort: u32, raw: &RawTable, expected: &[i64]| {
        let treatment = cairn_policy::Treatment { min_cohort, rows_per_person: Some(4), ..suppress(8, 5) };
        let terms = terms(text, &treatment).unwrap();
        let total = total_round(min_cohort);
        let part = Part::of(raw, &terms, &total).unwrap();
        assert_eq!(part.draw(honest(), &mut Counting(0)).unwrap(), expected, "{text}");
        let question = crate::terms::tests::question(text);
        assert_eq!(total.numbers(&question, terms.grid().cells()), Some(expected.len()), "{text}");
    };
    let raw = |people, rows, left_out| RawTable::new(QUESTION, people, rows, left_out);
    check("people", 0, &raw(vec![3], None, vec![]), &[3]);
    check("people where sex = female", 5, &raw(vec![3], None, vec![9]), &[3, 9]);
    check("rows where sex = female", 5, &raw(vec![3], Some(vec![7]), vec![9]), &[3, 7, 9]);
}

#[test]
fn the_statement_has_the_width_of_everybodys_noise_together() {
    let terms = terms("people by sex", &dp(1)).unwrap();
    let said = statement(&terms, &total_dp(2), (6, honest())).unwrap();
    let TreatmentV1::Dp { sensitivity, plus_minus_95, .. } = said else { panic!("{said:?}") };
    let share = share(&total_dp(2), honest()).unwrap().unwrap();
    assert_eq!((sensitivity, plus_minus_95), (2, share.plus_minus_95(6)));
    let own = Scale::new(NonZeroU32::new(2).unwrap(), Epsilon::from_millionths(500_000).unwrap());
    assert!(plus_minus_95 > own.plus_minus_95(), "two of six may tell their shares");
}

/// ρ is charged, and the noise drawn for a billionth less; the width is that of all six partners' shares.
#[test]
fn the_statement_of_gaussian_shares_is_what_all_agreed_on() {
    let terms = terms("people by sex", &bell(1)).unwrap();
    let (total, loss) = match total_bell((2, 2), 1) {
        total @ TotalTreatment::DpGaussian { loss, .. } => (total, loss),
        other => panic!("{other:?}"),
    };
    let said = statement(&terms, &total, (6, honest())).unwrap();
    let TreatmentV1::Dp { mechanism, epsilon, sensitivity, plus_minus_95, concentrated, added: None } = said
    else {
        panic!("{said:?}")
    };
    assert_eq!((mechanism.as_str(), epsilon, sensitivity), ("discrete-gaussian", loss.epsilon(), 2));
    let rho = loss.rho();
    assert_eq!(concentrated, Some(ConcentratedV1 { rho, l2_squared: 2, delta_trillionths: 1_000_000 }));
    let share = share(&total, honest()).unwrap().unwrap();
    assert_eq!((share.cost(), share.scaling().factor()), (rho, 2));
    assert_eq!(plus_minus_95, share.plus_minus_95(6));
    // 1.96·σ·√(6/4) and a half, rounded up.
    let sigma = (2.0 / (2.0 * rho.nano() as f64 / 1e9)).sqrt();
    let exact = 1.96 * sigma * 1.5_f64.sqrt() + 0.5;
    assert!((exact..exact + 1.1).contains(&(plus_minus_95 as f64)), "{plus_minus_95} for {exact}");
}

/// The rule of scaling holds for whoever draws.
#[test]
fn a_total_that_is_not_scaled_enough_is_not_drawn() {
    let loss = GaussianLoss::at(Epsilon::MAX, 1_000_000).unwrap();
    let terms = terms("people by sex", &bell(1)).unwrap();
    let raw = RawTable::new(QUESTION, vec![10; terms.grid().cells()], None, Vec::new());
    let check = |power, l2_squared, expected: Result<(), ShareFault>| {
        let scaling = Scaling::of_power(power).unwrap();
        let total = TotalTreatment::DpGaussian { loss, sensitivity: 1, l2_squared, scaling };
        let drawn = match Part::of(&raw, &terms, &total) {
            Ok(part) => part.draw(honest(), &mut Counting(0)).map(|_| ()),
            Err(fault) => panic!("{fault}"),
        };
        assert_eq!(drawn, expected, "{power}");
        assert_eq!(total.is_scaled_for(4), expected.is_ok(), "{power}");
    };
    // σ is .57 and 4 are honest: 2 wide from a scale of 8 on.
    check(2, 1, Err(ShareFault::ScalingTooSmall));
    check(3, 1, Ok(()));
    check(2, 4, Ok(()));
}

/// Six partners draw the shares that ship; the sum of what they send, divided by the factor, is the count and the noise of all.
#[test]
fn a_total_under_gaussian_shares_is_the_count_and_noise_of_the_stated_width() {
    const CELLS: usize = 400;
    let loss = GaussianLoss::at(Epsilon::from_millionths(4_000_000).unwrap(), 1_000_000).unwrap();
    let scaling = Scaling::least(loss.of_noise(), NonZeroU64::MIN, 4).unwrap();
    assert!(scaling > Scaling::NONE);
    let total = TotalTreatment::DpGaussian { loss, sensitivity: 1, l2_squared: 1, scaling };
    let share = share(&total, honest()).unwrap().unwrap();
    let exact = vec![7_i64; CELLS];
    let mut sum = vec![0_i64; CELLS];
    for _ in 0..6 {
        let sent = with_share(&exact, &share, &mut crate::share::Shares).unwrap();
        sum.iter_mut().zip(sent).for_each(|(sum, sent)| *sum += sent);
    }
    let within = i64::try_from(share.plus_minus_95(6)).unwrap();
    let off: Vec<i64> = sum.iter().map(|sum| scaling.unscaled(*sum) - 42).collect();
    let outside = off.iter().filter(|off| off.abs() > within).count();
    // 20 of 400 are allowed; 60 is nine standard errors above.
    assert!(outside <= 60 && off.iter().any(|off| *off != 0), "{outside} outside ±{within}");
    let middle: f64 = off.iter().sum::<i64>() as f64 / 400.0;
    assert!(middle.abs() < within as f64 / 4.0, "{middle}");
    assert_eq!(share.cost(), loss.rho());
    assert_eq!(NanoRho::cap_for(4.0, 1e-6), loss.rho());
}

#[test]
fn counts_of_another_question_are_no_part() {
    let terms = terms("people", &dp(1)).unwrap();
    let raw = RawTable::new(QuestionId::from_bytes([2; 32]), vec![3], None, Vec::new());
    assert_eq!(Part::of(&raw, &terms, &total_dp(1)).unwrap_err(), ReleaseFault::OtherQuestion);
    let wrong = RawTable::new(QUESTION, vec![3, 4], None, Vec::new());
    assert_eq!(Part::of(&wrong, &terms, &total_dp(1)).unwrap_err(), ReleaseFault::NotTheGrid);
}
