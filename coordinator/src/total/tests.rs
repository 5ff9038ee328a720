use cairn_question::Scaling;
use cairn_question::answer::Zeros;
use cairn_question::privacy::{Epsilon, GaussianLoss};

use cairn_seal::Layout;
use cairn_seal::occupancy::{CountTerms, FreshNoise, Occupied};

use cairn_question::combine::CoverageV1;
use cairn_question::{QuestionId, TotalV1};

use super::again::{Before, Equal};
use super::*;
use crate::fixture::{Asked, Federation, NOW, answer, name, partner};
use crate::store::{Kept, NewQuestion, OpenMax, Store, Taken};

const ROUND: TotalTreatment = TotalTreatment::SuppressRound {
    min_people: 8,
    round_to: 5,
    zeros: Zeros::Show,
    min_cohort: 0,
    rows_per_person: 1,
};

const KEYED: TotalTreatment = TotalTreatment::CellKey {
    table: cairn_question::Perturbations::D3Total,
    min_people: 5,
    round_to: 1,
    zeros: Zeros::Show,
};

fn dp() -> TotalTreatment {
    TotalTreatment::Dp { epsilon: Epsilon::from_millionths(100_000).unwrap(), sensitivity: 1 }
}

/// Gaussian noise on counts times 2 to this power; σ is .57, and among the three that are sure to be honest 8 times that is enough.
fn bell(power: u8) -> TotalTreatment {
    let loss = GaussianLoss::at(Epsilon::MAX, 1_000_000).unwrap();
    let scaling = Scaling::of_power(power).unwrap();
    TotalTreatment::DpGaussian { loss, sensitivity: 1, l2_squared: 1, scaling }
}

fn federation() -> Federation {
    Federation::of(&["a", "b", "c", "d"])
}

fn asked(federation: &Federation, as_of: Option<&str>) -> Asked {
    let mut ask = federation.ask(1, NOW.plus_s(600)).ask;
    ask.question.as_of = as_of.map(|day| day.parse().unwrap());
    federation.sign(ask)
}

/// Everybody invited, one may collude, three must answer.
fn manifest(federation: &Federation, asked: &Asked, treatment: TotalTreatment) -> ManifestV1 {
    let roster = Roster::of(&federation.register()).unwrap();
    let numbers = treatment.numbers(&asked.ask.question, asked.grid.cells()).unwrap_or(8);
    ManifestV1 {
        cairn_manifest: 1,
        question: asked.ask.id,
        question_hash: asked.hash,
        roster_version: roster.version(),
        roster: *roster.hash(),
        invited: Members::of(0..4).unwrap(),
        colluding_max: 1,
        answering_min: 3,
        layout: Layout::new(Ring::U64, numbers).unwrap(),
        clamp: 1_000_000,
        scale: treatment.scaling().factor().unsigned_abs(),
        noise_tail: 1 << 40,
        treatment,
        deadline: NOW.plus_s(120),
        flight_s: 10,
        again: false,
    }
}

fn of(federation: &Federation, asked: &Asked, manifest: &ManifestV1) -> Result<Option<TotalTerms>, NoTotal> {
    let signed = SignedAsk::parse(&asked.bytes).unwrap().as_total(manifest.sign(&federation.analyst));
    TotalTerms::of(&signed, (&asked.ask, &asked.hash), (&federation.register(), &asked.grid), NOW)
}

#[test]
fn a_total_is_taken_on_where_its_manifest_is_of_the_question() {
    let federation = federation();
    let check =
        |as_of: Option<&str>, treatment, change: &dyn Fn(&mut ManifestV1), expected: Option<NoTotal>| {
            let asked = asked(&federation, as_of);
            let mut manifest = manifest(&federation, &asked, treatment);
            change(&mut manifest);
            assert_eq!(of(&federation, &asked, &manifest).err(), expected, "{manifest:?}");
        };
    let day = Some("2026-03-31");
    check(None, dp(), &|_| {}, None);
    check(day, ROUND, &|_| {}, None);
    check(None, ROUND, &|_| {}, Some(NoTotal::NoDay));
    check(None, dp(), &|m| m.question_hash = Hash::of(b"other"), Some(Refused::OtherQuestion.into()));
    check(None, dp(), &|m| m.deadline = NOW, Some(Refused::Deadline.into()));
    check(None, dp(), &|m| m.roster_version = 9, Some(Refused::OtherRoster.into()));
    check(None, dp(), &|m| m.answering_min = 2, Some(Refused::Terms.into()));
    check(None, dp(), &|m| m.invited = Members::of(0..3).unwrap(), Some(NoTotal::OtherPartners));
    check(None, dp(), &|m| m.layout = Layout::new(Ring::U64, 2).unwrap(), Some(NoTotal::OtherTable));
    let narrow = |m: &mut ManifestV1| {
        m.layout = Layout::new(Ring::U32, m.layout.symbols()).unwrap();
        m.noise_tail = 1 << 20;
    };
    check(None, dp(), &narrow, Some(NoTotal::OtherTable));
    check(None, dp(), &|m| m.scale = 2, Some(Refused::Scaling.into()));
    check(day, KEYED, &|_| {}, None);
    check(None, KEYED, &|_| {}, Some(NoTotal::NoDay));
    check(day, KEYED, &|m| m.scale = 2, Some(Refused::Scaling.into()));
    check(None, bell(3), &|_| {}, None);
    check(None, bell(3), &|m| m.scale = 1, Some(Refused::Scaling.into()));
    check(None, bell(2), &|_| {}, Some(Refused::Scaling.into()));
}

#[test]
fn once_a_partner_of_the_first_has_no_seat_no_total_without_noise_of_its_day_is_taken_on() {
    let federation = federation();
    let check = |treatment, bound: &[&str], expected: Result<(), NoTotal>| {
        let asked = asked(&federation, Some("2026-03-31"));
        let mut terms = of(&federation, &asked, &manifest(&federation, &asked, treatment)).unwrap().unwrap();
        terms.bound = Some(bound.iter().map(|id| partner(id)).collect());
        assert_eq!(terms.still_seated(), expected, "{bound:?}");
    };
    check(ROUND, &["a", "b", "c", "d"], Ok(()));
    check(ROUND, &["a", "b", "c"], Ok(()));
    let gone = NoTotal::SeatGone { partner: partner("gone"), day: "2026-03-31".parse().unwrap() };
    check(ROUND, &["a", "b", "gone"], Err(gone.clone()));
    check(dp(), &["a", "b", "gone"], Ok(()));
    assert_eq!(crate::accept::Declined::from(gone).code(), "CO106");
}

#[test]
fn a_question_without_a_manifest_wants_own_tables_and_one_of_a_stranger_is_none() {
    let federation = federation();
    let asked = asked(&federation, None);
    let manifest = manifest(&federation, &asked, dp());
    let plain = SignedAsk::parse(&asked.bytes).unwrap();
    let register = federation.register();
    let own = TotalTerms::of(&plain, (&asked.ask, &asked.hash), (&register, &asked.grid), NOW);
    assert!(own.unwrap().is_none());
    let forged = plain.as_total(manifest.sign(&federation.coordinator));
    let forged = TotalTerms::of(&forged, (&asked.ask, &asked.hash), (&register, &asked.grid), NOW);
    assert_eq!(forged.unwrap_err(), Refused::Manifest.into());
}

#[test]
fn a_sum_without_noise_is_withheld_and_rounded_before_anybody_reads_it() {
    let federation = federation();
    let asked = asked(&federation, Some("2026-03-31"));
    let check = |treatment, sum: &[i64], expected: Option<&str>| {
        let terms = of(&federation, &asked, &manifest(&federation, &asked, treatment)).unwrap().unwrap();
        let layout = Layout::new(Ring::U64, sum.len()).unwrap();
        let sum = Plain::from_values(layout, sum).unwrap();
        let table = terms.protect((&sum, 4), &asked.grid).ok();
        let cells = table.map(|table| serde_json::to_string(&table.cells).unwrap());
        assert_eq!(cells.as_deref(), expected, "{sum:?}");
    };
    assert_eq!(asked.grid.cells(), 3);
    check(ROUND, &[0, 7, 18], Some(r#"[0,"c",20]"#));
    check(ROUND, &[-3, 8, 22], Some(r#"[0,10,20]"#));
    check(ROUND, &[1, 2], None);
    // What came of everybody's changes.
    check(KEYED, &[0, 4, 18], Some(r#"[0,"c",18]"#));
    check(KEYED, &[-1, 5, 22], Some("[0,5,22]"));
    check(KEYED, &[1, 2], None);
    check(dp(), &[-3, 7, 18], Some("[-3,7,18]"));
    check(dp(), &[1, 2, 3, 4], None);
    // In eighths: the nearest whole number, and of two the even one.
    check(bell(3), &[-11, 20, 149], Some("[-1,2,19]"));
    check(bell(3), &[0, 28, -29], Some("[0,4,-4]"));
    check(bell(3), &[8, 16], None);
}

#[test]
fn names_are_in_their_order_whatever_the_places() {
    let federation = federation();
    let asked = asked(&federation, None);
    let terms = of(&federation, &asked, &manifest(&federation, &asked, dp())).unwrap().unwrap();
    assert_eq!(terms.names(&Members::of(0..4).unwrap()), ["a", "b", "c", "d"].map(partner));
}

/// What four partners who know nobody open to: noise alone, or what is no noise.
fn opened(terms: &CountTerms, symbol: Option<u8>) -> Plain {
    let layout = terms.layout().unwrap();
    Plain::from_symbols(layout, &vec![symbol.unwrap_or(0); layout.symbols()]).unwrap()
}

fn once(breakdown: Option<Breakdown>) -> TotalTreatment {
    TotalTreatment::CountOnce {
        epsilon: Epsilon::from_millionths(2_000_000).unwrap(),
        keys_per_person: 2,
        buckets_power: 12,
        linked_by: cairn_question::LinkedBy::Nino,
        breakdown,
    }
}

/// Puts a question as a count of people once.
fn put_once(
    federation: &Federation,
    asked: &Asked,
    total: TotalTreatment,
) -> Result<Option<TotalTerms>, NoTotal> {
    let layout = CountTerms::of_total(&total, 4, 1).unwrap().layout().unwrap();
    of(federation, asked, &ManifestV1 { layout, ..manifest(federation, asked, total) })
}

#[test]
fn people_are_counted_once_in_the_cells_that_the_manifest_has_patterns_for() {
    let federation = federation();
    let mut ask = federation.ask(1, NOW.plus_s(600)).ask;
    let by = federation.sign(ask.clone());
    ask.question.group_by.clear();
    let mut rows = ask.clone();
    rows.question.measure = Measure::Rows;
    let (plain, rows) = (federation.sign(ask), federation.sign(rows));
    let cells = u32::try_from(by.grid.cells()).unwrap();
    let of = |cells, most| Some(Breakdown::new(cells, most).unwrap());
    let check = |asked: &Asked, breakdown, expected: Option<NoTotal>| {
        let found = put_once(&federation, asked, once(breakdown));
        assert_eq!(found.err(), expected, "{breakdown:?} of {}", asked.grid.cells());
    };
    check(&by, of(cells, 1), None);
    check(&by, of(cells, cells), None);
    check(&by, None, Some(NoTotal::Breakdown));
    check(&by, of(cells + 1, 1), Some(NoTotal::Breakdown));
    check(&plain, None, None);
    check(&plain, of(2, 1), Some(NoTotal::Breakdown));
    check(&rows, None, Some(NoTotal::Breakdown));
}

#[test]
fn a_bad_round_of_people_counted_once_has_no_figure() {
    let federation = federation();
    let mut ask = federation.ask(1, NOW.plus_s(600)).ask;
    let by = federation.sign(ask.clone());
    ask.question.group_by.clear();
    let plain = federation.sign(ask);
    let breakdown = Breakdown::new(u32::try_from(by.grid.cells()).unwrap(), 1).ok();
    for (asked, breakdown) in [(plain, None), (by, breakdown)] {
        let total = once(breakdown);
        let terms = CountTerms::of_total(&total, 4, 1).unwrap();
        let taken_on = put_once(&federation, &asked, total).unwrap().unwrap();
        let code = |symbol, in_round| {
            let opened = opened(&terms, symbol);
            taken_on.protect((&opened, in_round), &asked.grid).unwrap_err().code()
        };
        assert_eq!(code(Some(1), 4), "CU004", "no bucket is empty");
        assert_eq!(code(None, 4), "CU003", "nobody added noise");
        assert_eq!(code(None, 2), "CU001", "one honest partner");
    }
}

/// Noise that a test can repeat, and linkage hashes of made-up people.
fn hash(of: &str) -> [u8; 32] {
    *Hash::of(of.as_bytes()).as_bytes()
}

/// A cell that cannot be estimated has a mark that says why, and the others stand.
#[test]
fn a_cell_of_few_is_withheld_one_of_too_many_is_not_answered_and_the_others_stand() {
    let federation = federation();
    let asked = asked(&federation, None);
    let cells = asked.grid.cells();
    let breakdown = Breakdown::new(u32::try_from(cells).unwrap(), 1).ok();
    let total = once(breakdown);
    let terms = CountTerms::of_total(&total, 4, 1).unwrap();
    let people = |cell: usize| [1_500, 40, 14_000].get(cell).copied().unwrap_or(0);
    let mut sum = vec![0_u8; terms.layout().unwrap().symbols()];
    for partner in 0..4 {
        let mut own = Occupied::nobody_in(terms.buckets(), breakdown).unwrap();
        for cell in 0..cells {
            let known = (0..people(cell)).filter(|n| n % 4 == partner || n % 3 == 0);
            known.for_each(|n| own.add_in(&hash(&format!("{cell} {n}")), &[u32::try_from(cell).unwrap()]));
        }
        let noise = FreshNoise::from_bytes(hash(&format!("noise of {partner}")));
        let vector = own.vector(&terms, noise).unwrap().symbols().unwrap();
        sum.iter_mut().zip(vector).for_each(|(sum, symbol)| *sum ^= symbol);
    }
    let opened = Plain::from_symbols(terms.layout().unwrap(), &sum).unwrap();
    let taken_on = put_once(&federation, &asked, total).unwrap().unwrap();
    let table = taken_on.protect((&opened, 4), &asked.grid).unwrap();
    let [Cell::Value(first), Cell::Withheld, Cell::NotAnswered, rest @ ..] = table.cells.as_slice() else {
        panic!("{:?}", table.cells)
    };
    assert!((1_300..1_700).contains(first), "{first}");
    assert!(rest.iter().all(|cell| *cell == Cell::Withheld), "{rest:?}");
    assert_eq!(table.dimensions, asked.grid.dimensions());
}

/// One federation's questions as totals, and the store that they are kept in.
struct Rounds {
    federation: Federation,
    store: Store,
    _folder: tempfile::TempDir,
}

impl Rounds {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("rounds.sqlite")).unwrap();
        store.keep_register(3, b"register").unwrap();
        Self { federation: federation(), store, _folder: folder }
    }

    fn put(
        &self,
        (number, treatment): (u8, TotalTreatment),
        change: impl Fn(&mut AskV1),
        say: impl Fn(&mut ManifestV1),
    ) -> (Asked, SignedAsk) {
        let mut ask = self.federation.ask(number, NOW.plus_s(600)).ask;
        change(&mut ask);
        let asked = self.federation.sign(ask);
        let mut says = manifest(&self.federation, &asked, treatment);
        say(&mut says);
        let signed = SignedAsk::parse(&asked.bytes).unwrap().as_total(says.sign(&self.federation.analyst));
        (asked, signed)
    }

    /// Answered at this moment, as a total of these.
    fn answer(&mut self, number: u8, partners: &[&str], at: Moment) {
        let (asked, signed) = self.put((number, dp()), |_| {}, |_| {});
        let new = NewQuestion {
            id: asked.ask.id,
            signed: signed.to_bytes(),
            analyst: name("ann"),
            register_version: 3,
            accepted_at: at,
            deadline: at.plus_s(60),
        };
        let most = OpenMax { all: 3, per_analyst: 2 };
        assert_eq!(self.store.accept(&new, most).unwrap(), Taken::New);
        let cairn_question::OutcomeV1::Answer(of) = answer(&asked, 1) else { panic!() };
        let hash = Hash::of(b"any");
        let total = TotalV1 {
            treatment: of.treatment,
            partners: partners.iter().map(|id| partner(id)).collect(),
            colluding_max: 1,
            manifest: hash,
            opening: hash,
            transcript: hash,
        };
        let coverage = CoverageV1 {
            cairn_coverage: 1,
            question_id: asked.ask.id,
            question_hash: asked.hash,
            federation: name("demo"),
            register_version: 3,
            closed_at: at,
            partners: Vec::new(),
            combined: None,
            total: Some(total).filter(|_| !partners.is_empty()),
        };
        let coverage = coverage.sign(&self.federation.coordinator).to_bytes();
        self.store.close(asked.ask.id, &Kept { replies: Vec::new(), coverage }, None, at).unwrap();
    }

    /// What is said of a question that `who` asks at this moment.
    fn before(&self, (asked, signed): &(Asked, SignedAsk), who: &str, now: Moment) -> Option<Before> {
        let register = self.federation.register();
        let terms = TotalTerms::of(signed, (&asked.ask, &asked.hash), (&register, &asked.grid), NOW);
        let equal = Equal::to(&terms.unwrap().unwrap(), &asked.ask, now)?;
        self.store.answered_before(&name(who), &equal).unwrap()
    }
}

#[test]
fn an_equal_total_of_all_partners_was_answered_before() {
    let mut rounds = Rounds::new();
    let same = |rounds: &Rounds, number| rounds.put((number, dp()), |_| {}, |_| {});
    assert_eq!(rounds.before(&same(&rounds, 9), "ann", NOW), None);
    // One that did not open, and one that lacks a partner, are worth asking again.
    rounds.answer(1, &[], NOW);
    rounds.answer(2, &["a", "b", "c"], NOW);
    assert_eq!(rounds.before(&same(&rounds, 9), "ann", NOW), None);
    for (number, seconds) in [(3, 20), (4, 40)] {
        rounds.answer(number, &["a", "b", "c", "d"], NOW.plus_s(seconds));
    }
    let newest = Some(Before { id: QuestionId::from_bytes([4; 32]), at: NOW.plus_s(40) });
    assert_eq!(rounds.before(&same(&rounds, 9), "ann", NOW), newest);
    // The very question that comes twice is that question, and not another one.
    let older = rounds.before(&same(&rounds, 4), "ann", NOW);
    assert_eq!(older.map(|before| before.id), Some(QuestionId::from_bytes([3; 32])));
    // Its purpose is no part of a table.
    let purpose = |ask: &mut AskV1| ask.question.purpose = name("another");
    assert_eq!(rounds.before(&rounds.put((9, dp()), purpose, |_| {}), "ann", NOW), newest);

    // Another analyst's, another day's, and whatever is not equal, or is meant.
    assert_eq!(rounds.before(&same(&rounds, 9), "bob", NOW), None);
    assert_eq!(rounds.before(&same(&rounds, 9), "ann", NOW.plus_s(86_400)), None);
    let check = |treatment, change: fn(&mut AskV1), say: fn(&mut ManifestV1)| {
        assert_eq!(rounds.before(&rounds.put((9, treatment), change, say), "ann", NOW), None);
    };
    check(dp(), |_| {}, |says| says.again = true);
    check(dp(), |_| {}, |says| says.answering_min = 4);
    check(dp(), |ask| ask.question.as_of = Some("2025-11-30".parse().unwrap()), |_| {});
    check(dp(), |ask| ask.question.group_by.clear(), |_| {});
    check(bell(3), |_| {}, |_| {});
    // Without noise it is the same figures, and free.
    check(ROUND, |ask| ask.question.as_of = Some("2025-11-30".parse().unwrap()), |_| {});
    rounds.store.forget(NOW.plus_s(41), u64::MAX).unwrap();
    assert_eq!(rounds.before(&same(&rounds, 9), "ann", NOW), None);
}
