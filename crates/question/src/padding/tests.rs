use proptest::prelude::*;

use super::*;
use crate::answer::{
    AnswerV1, Cell, Expected, PolicyStatement, PrivacyStatement, SnapshotStatement, TableV1,
};
use crate::answer::{TreatmentV1, Zeros};
use crate::grid::Dimension;
use crate::privacy::NanoRho;
use crate::{Hash, Moment, Name, PartnerId, QuestionId, Refusal, SigningKey};

fn key() -> SigningKey {
    SigningKey::from_pkcs8(&SigningKey::make_pkcs8().unwrap()).unwrap()
}

fn grid(codes: usize) -> Grid {
    let codes = (0..codes).map(|n| format!("code-{n}")).collect();
    Grid::new(vec![Dimension { column: "sex".into(), grain: "code".into(), codes }]).unwrap()
}

fn reply(outcome: OutcomeV1) -> ReplyV1 {
    ReplyV1 {
        cairn_reply: 1,
        question_id: QuestionId::from_bytes([1; 32]),
        question_hash: Hash::of(b"question"),
        federation: Name::new("demo").unwrap(),
        partner: PartnerId::new("fife").unwrap(),
        at: Moment::from_unix_s(1_780_000_000),
        policy: PolicyStatement { id: "fife-sharing".into(), version: 7, hash: Hash::of(b"policy") },
        outcome,
    }
}

fn answer(grid: &Grid, cells: Vec<Cell>, notes: Vec<String>) -> OutcomeV1 {
    OutcomeV1::Answer(Box::new(AnswerV1 {
        table: TableV1 { dimensions: grid.dimensions().to_vec(), cells, totals: vec![] },
        treatment: TreatmentV1::SuppressRound {
            profile: "sub-national-8-5".into(),
            min_people: 8,
            round_to: 5,
            zeros: Zeros::Show,
            min_cohort: 8,
            rows_per_person: 1,
            promise: None,
        },
        snapshot: SnapshotStatement {
            as_of: crate::Day::new(2026, 3, 31).unwrap(),
            edition: 1,
            templates: vec!["smf-2022".into()],
            notes,
            provisional: false,
        },
        privacy: PrivacyStatement {
            unit: "all records of one person at this partner".into(),
            charged: NanoRho::ZERO,
            year_so_far: NanoRho::ZERO,
            year_cap: NanoRho::ZERO,
        },
    }))
}

fn cell() -> impl Strategy<Value = Cell> {
    prop_oneof![any::<i64>().prop_map(Cell::Value), Just(Cell::Withheld), Just(Cell::NotAnswered)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Of any table of a question, however much room its notes take; and the padded bytes open as before.
    #[test]
    fn the_length_of_an_answer_does_not_depend_on_its_cells(
        cells in (1_usize..300).prop_flat_map(|n| prop::collection::vec(cell(), n)),
        note in 0_usize..12_000,
    ) {
        let (grid, key) = (grid(cells.len()), key());
        let notes = vec!["n".repeat(note)];
        let long = |cells: Vec<Cell>| {
            let signed = reply(answer(&grid, cells, notes.clone())).sign(&key).to_bytes();
            padded_reply(signed, Some(&grid))
        };
        let (found, least) = (long(cells.clone()), long(vec![Cell::Value(0); cells.len()]));
        prop_assert_eq!(found.len(), least.len());
        prop_assert_eq!(found.len() % PADDING_STEP_BYTES, 0);
        let (federation, partner) = (Name::new("demo").unwrap(), PartnerId::new("fife").unwrap());
        let expected = Expected {
            question_id: QuestionId::from_bytes([1; 32]),
            question_hash: Hash::of(b"question"),
            federation: &federation,
            partner: &partner,
            grid: &grid,
        };
        prop_assert_eq!(ReplyV1::open(&found, &key.verifying_key(), &expected).unwrap(), reply(answer(&grid, cells, notes)));
    }
}

#[test]
fn answers_refusals_and_faults_to_one_question_are_equally_long() {
    for codes in [1, 3, 40, 1_000, 16_384] {
        let grid = grid(codes);
        let long = |outcome| padded_reply(reply(outcome).sign(&key()).to_bytes(), Some(&grid)).len();
        let lengths = [
            long(answer(&grid, vec![Cell::Value(i64::MIN); codes], Vec::new())),
            long(OutcomeV1::Refusal(Refusal::one("brake.pause_all", "CR003", "a data breach"))),
            long(OutcomeV1::Fault { code: "CN516".into() }),
        ];
        assert_eq!(lengths, [lengths[0]; 3], "{codes}");
        assert!(lengths[0] <= FRAME_BYTES_MAX);
    }
}

#[test]
fn the_length_of_an_audited_answer_does_not_depend_on_its_cells_or_totals() {
    let grid = grid(300);
    let long = |cell: Cell, promise| {
        let OutcomeV1::Answer(mut answer) = answer(&grid, vec![cell; 300], Vec::new()) else { panic!() };
        answer.table.totals = vec![cell; grid.totals()];
        let profile = "scottish-5-audit".into();
        answer.treatment = TreatmentV1::SuppressAudit { profile, min_people: 5, min_cohort: 0, promise };
        padded_reply(reply(OutcomeV1::Answer(answer)).sign(&key()).to_bytes(), Some(&grid)).len()
    };
    use crate::answer::AuditPromise::{KnowsAlgorithm, KnowsThresholds};
    assert_eq!(long(Cell::Value(0), KnowsThresholds), long(Cell::Value(i64::MIN), KnowsAlgorithm));
    assert_eq!(long(Cell::Withheld, KnowsThresholds), long(Cell::Value(1_000_000), KnowsAlgorithm));
    let rounded = |cell: Cell| {
        let OutcomeV1::Answer(mut answer) = answer(&grid, vec![cell; 300], Vec::new()) else { panic!() };
        answer.table.totals = vec![cell; grid.totals()];
        let TreatmentV1::SuppressRound { promise, .. } = &mut answer.treatment else { panic!() };
        *promise = Some(KnowsThresholds);
        padded_reply(reply(OutcomeV1::Answer(answer)).sign(&key()).to_bytes(), Some(&grid)).len()
    };
    assert_eq!(rounded(Cell::Withheld), rounded(Cell::Value(i64::MIN)));
}

#[test]
fn what_is_no_reply_stays_as_it_is_and_a_coverage_statement_is_padded_whole() {
    assert_eq!(padded_reply(Vec::new(), Some(&grid(3))), b"");
    assert_eq!(padded_reply(b"{}".to_vec(), None), b"{}");
    let (short, long) = (padded_coverage(vec![b'a'; 10], Some(&grid(3)), 2), vec![b'a'; 5_000]);
    assert_eq!(short.len() % PADDING_STEP_BYTES, 0);
    assert_eq!(padded_coverage(long, Some(&grid(3)), 2).len(), short.len());
    let most = padded_coverage(Vec::new(), Some(&grid(16_384)), crate::limits::PARTNERS_MAX);
    assert!(most.len() <= COVERAGE_BYTES_MAX);
}
