//! Made-up outcomes for the tests: what partners would release of counts that a function gives.

use cairn_question::answer::{PrivacyStatement, SnapshotStatement, Zeros};
use cairn_question::combine::{CombinedV1, CoverageV1, PartnerLine, Standing, combine};
use cairn_question::privacy::{Epsilon, NanoRho};
use cairn_question::refusal::RuleBroken;
use cairn_question::{
    AnswerV1, Cell, Day, Grid, Hash, Moment, Name, PartnerId, Question, QuestionId, Schema, SealedV1,
    TableV1, TotalV1, TreatmentV1,
};

use crate::{Batch, Outcome};

/// How a made-up partner answers.
#[derive(Clone, Copy)]
pub(crate) enum Reply {
    Rounded,
    Noisy,
    Refused,
    Offline,
    Late,
}

pub(crate) fn partner(name: &str) -> PartnerId {
    PartnerId::new(name).unwrap()
}

/// The outcome of every question of a batch. `reply` says how a partner answers a question, `count` how many people it has
/// in a cell.
pub(crate) fn outcomes(
    batch: &Batch,
    partners: &[&str],
    reply: impl Fn(&str, &Question) -> Reply,
    count: impl Fn(&str, &Question, &[&str]) -> i64,
) -> Vec<Outcome> {
    let outcome = |question: &Question| {
        let grid = question.grid(Schema::smf()).unwrap();
        let mut answers = Vec::new();
        let mut lines = Vec::new();
        for name in partners {
            let standing = match reply(name, question) {
                Reply::Refused => Standing::Refused(vec![RuleBroken {
                    rule: "share.smf-quarterly.filter_by.week52".into(),
                    code: "CR020".into(),
                    says: "not on the list".into(),
                }]),
                Reply::Offline => Standing::Offline,
                Reply::Late => Standing::Late,
                kind => {
                    let cells = (0..grid.cells()).map(|at| count(name, question, &grid.codes_of(at)));
                    answers.push((partner(name), answer(&grid, cells, kind)));
                    Standing::Answered
                }
            };
            lines.push(PartnerLine::new(partner(name), standing));
        }
        let combined = combine(&grid, answers.iter().map(|(_, a)| a));
        let coverage = coverage(lines, combined);
        Outcome::own_tables(coverage, answers)
    };
    batch.asks.iter().map(|a| outcome(&a.question)).collect()
}

/// The outcome of every question of a batch as one total, rounded as a whole, of those partners that `takes_part` in it.
pub(crate) fn totals(
    batch: &Batch,
    partners: &[&str],
    takes_part: impl Fn(&str, &Question) -> bool,
    count: impl Fn(&str, &Question, &[&str]) -> i64,
) -> Vec<Outcome> {
    let outcome = |question: &Question| {
        let grid = question.grid(Schema::smf()).unwrap();
        let of: Vec<&str> = partners.iter().copied().filter(|p| takes_part(p, question)).collect();
        let sum = |at: usize| of.iter().map(|p| count(p, question, &grid.codes_of(at))).sum();
        let total = answer(&grid, (0..grid.cells()).map(sum), Reply::Rounded);
        let lines = partners.iter().map(|p| {
            PartnerLine::new(partner(p), if of.contains(p) { Standing::Answered } else { Standing::Late })
        });
        let mut coverage = coverage(lines.collect(), combine(&grid, [&total]));
        coverage.total = Some(published(&of, &total));
        let words: Vec<_> = of.iter().map(|p| (partner(p), word(&of, &total))).collect();
        Outcome::total(coverage, &words)
    };
    batch.asks.iter().map(|a| outcome(&a.question)).collect()
}

/// What the coordinator says of a total.
fn published(of: &[&str], total: &AnswerV1) -> TotalV1 {
    TotalV1 {
        treatment: total.treatment.clone(),
        partners: of.iter().map(|p| partner(p)).collect(),
        colluding_max: 1,
        manifest: Hash::of(b"manifest"),
        opening: Hash::of(b"opening"),
        transcript: Hash::of(b"transcript"),
    }
}

/// What a partner of a total signs of it.
fn word(of: &[&str], total: &AnswerV1) -> SealedV1 {
    SealedV1 {
        manifest: Hash::of(b"manifest"),
        opening: Hash::of(b"opening"),
        partners: of.iter().map(|p| partner(p)).collect(),
        treatment: total.treatment.clone(),
        snapshot: total.snapshot.clone(),
        privacy: total.privacy.clone(),
    }
}

fn coverage(partners: Vec<PartnerLine>, combined: Option<CombinedV1>) -> CoverageV1 {
    CoverageV1 {
        cairn_coverage: 1,
        question_id: QuestionId::from_bytes([7; 32]),
        question_hash: Hash::of(b"question"),
        federation: Name::new("scotland").unwrap(),
        register_version: 1,
        closed_at: Moment::from_unix_s(1_760_000_000),
        partners,
        combined,
        total: None,
    }
}

fn answer(grid: &Grid, counts: impl Iterator<Item = i64>, kind: Reply) -> AnswerV1 {
    let shown = |n: i64| match n {
        0 => Cell::Value(0),
        1..=7 => Cell::Withheld,
        _ => Cell::Value((n + 2) / 5 * 5),
    };
    match kind {
        Reply::Noisy => released(grid, noisy(3), counts.map(Cell::Value).collect()),
        _ => released(grid, rounded(), counts.map(shown).collect()),
    }
}

/// Withheld below 8, rounded to 5.
pub(crate) fn rounded() -> TreatmentV1 {
    TreatmentV1::SuppressRound {
        profile: "sub-national-8-5".into(),
        min_people: 8,
        round_to: 5,
        zeros: Zeros::Show,
        min_cohort: 0,
        rows_per_person: 1,
        promise: None,
    }
}

/// Under noise of which 95 in 100 draws lie within this.
pub(crate) fn noisy(plus_minus_95: u64) -> TreatmentV1 {
    TreatmentV1::Dp {
        mechanism: "discrete-laplace".into(),
        epsilon: Epsilon::from_millionths(1_000_000).unwrap(),
        sensitivity: 1,
        plus_minus_95,
        added: None,
        concentrated: None,
    }
}

/// A partner's answer of these cells.
pub(crate) fn released(grid: &Grid, treatment: TreatmentV1, cells: Vec<Cell>) -> AnswerV1 {
    AnswerV1 {
        table: TableV1 { dimensions: grid.dimensions().to_vec(), cells, totals: vec![] },
        treatment,
        snapshot: SnapshotStatement {
            as_of: Day::new(2025, 9, 30).unwrap(),
            edition: 1,
            templates: vec!["smf-2022".into()],
            notes: vec![],
            provisional: false,
        },
        privacy: PrivacyStatement {
            unit: "all records of one person at one partner".into(),
            charged: NanoRho::ZERO,
            year_so_far: NanoRho::ZERO,
            year_cap: NanoRho::ZERO,
        },
    }
}
