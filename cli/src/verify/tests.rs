use cairn_question::answer::{PolicyStatement, PrivacyStatement, SnapshotStatement, TreatmentV1, Zeros};
use cairn_question::register::{CoordinatorEntry, PartnerEntry};
use cairn_question::{
    AnswerV1, Cell, Moment, Name, Question, QuestionId, Refusal, Schema, SigningKey, TableV1,
};

use super::*;

const NOW: Moment = Moment::from_unix_s(1_790_000_000);

/// A federation of two partners and a coordinator, with everybody's keys, and an honest result to spoil.
struct World {
    register: Register,
    ask: AskV1,
    hash: Hash,
    grid: Grid,
    coordinator: SigningKey,
    keys: Vec<SigningKey>,
    replies: Vec<ReplyV1>,
    coverage: CoverageV1,
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn partner(text: &str) -> PartnerId {
    PartnerId::new(text).unwrap()
}

fn key() -> SigningKey {
    SigningKey::from_pkcs8(&SigningKey::make_pkcs8().unwrap()).unwrap()
}

fn question() -> Question {
    cairn_question::form::parse("people by sex", &name("national-analyst"), &name("smf"), Schema::smf())
        .unwrap()
}

fn world() -> World {
    let (coordinator, keys) = (key(), vec![key(), key()]);
    let grid = question().grid(Schema::smf()).unwrap();
    let ids = [partner("angus"), partner("fife")];
    let entry = |(id, key): (&PartnerId, &SigningKey)| PartnerEntry {
        id: id.clone(),
        name: id.to_string(),
        kind: "council".into(),
        signing_key: key.verifying_key(),
        seat: None,
    };
    let register = Register {
        cairn_register: 1,
        federation: name("nolb"),
        version: 1,
        issued_at: NOW,
        coordinator: Some(CoordinatorEntry { name: name("hub"), signing_key: coordinator.verifying_key() }),
        partners: ids.iter().zip(&keys).map(entry).collect(),
        linkage_keeper: None,
    };
    let ask = AskV1 {
        cairn_question: 1,
        id: QuestionId::from_bytes([7; 32]),
        federation: name("nolb"),
        partners: ids.to_vec(),
        asked_at: NOW,
        expires_at: NOW.plus_s(60),
        question: question(),
    };
    let hash = Hash::of(b"the signed question");
    let answered = OutcomeV1::Answer(Box::new(answer(&grid, &[10, 20, 0])));
    let refused = OutcomeV1::Refusal(Refusal::one("no-share", "CR010", "no share answers"));
    let replies = vec![reply(&ask, hash, "angus", answered), reply(&ask, hash, "fife", refused)];
    let mut world = World { register, ask, hash, grid, coordinator, keys, replies, coverage: empty(hash) };
    world.coverage = world.honest();
    world
}

fn empty(hash: Hash) -> CoverageV1 {
    CoverageV1 {
        cairn_coverage: 1,
        question_id: QuestionId::from_bytes([7; 32]),
        question_hash: hash,
        federation: name("nolb"),
        register_version: 1,
        closed_at: NOW,
        partners: vec![],
        combined: None,
        total: None,
    }
}

fn answer(grid: &Grid, cells: &[i64]) -> AnswerV1 {
    AnswerV1 {
        table: TableV1 {
            dimensions: grid.dimensions().to_vec(),
            cells: cells.iter().map(|v| Cell::Value(*v)).collect(),
            totals: vec![],
        },
        treatment: TreatmentV1::SuppressRound {
            profile: "sub-national-8-5".into(),
            min_people: 8,
            round_to: 5,
            zeros: Zeros::Show,
            min_cohort: 0,
            rows_per_person: 1,
            promise: None,
        },
        snapshot: SnapshotStatement {
            as_of: "2026-03-31".parse().unwrap(),
            edition: 1,
            templates: vec![],
            notes: vec![],
            provisional: false,
        },
        privacy: PrivacyStatement {
            unit: "person".into(),
            charged: Default::default(),
            year_so_far: Default::default(),
            year_cap: Default::default(),
        },
    }
}

fn reply(ask: &AskV1, hash: Hash, who: &str, outcome: OutcomeV1) -> ReplyV1 {
    ReplyV1 {
        cairn_reply: 1,
        question_id: ask.id,
        question_hash: hash,
        federation: ask.federation.clone(),
        partner: partner(who),
        at: NOW,
        policy: PolicyStatement { id: "p".into(), version: 1, hash: Hash::of(b"p") },
        outcome,
    }
}

impl World {
    fn honest(&self) -> CoverageV1 {
        let lines = self.replies.iter().map(|r| PartnerLine::new(r.partner.clone(), standing_of(r)));
        let answers = self.replies.iter().filter_map(|r| match &r.outcome {
            OutcomeV1::Answer(a) => Some(&**a),
            _ => None,
        });
        CoverageV1 { partners: lines.collect(), combined: combine(&self.grid, answers), ..empty(self.hash) }
    }

    fn result(&self) -> RoundResult {
        let replies =
            self.replies.iter().zip(&self.keys).map(|(r, k)| (r.partner.clone(), r.sign(k).to_bytes()));
        RoundResult { replies: replies.collect(), coverage: self.coverage.sign(&self.coordinator).to_bytes() }
    }

    fn verify(&self, result: RoundResult) -> Result<Shown, Failure> {
        verify(&self.register, (&self.ask, self.hash, Wanted::OwnTables), self.grid.clone(), result)
    }
}

/// Spoils an honest result and expects nothing to be shown, under this code.
fn check(spoil: impl FnOnce(&mut World), code: &str) {
    let mut world = world();
    spoil(&mut world);
    let failure = world.verify(world.result()).err().expect("nothing is shown");
    assert_eq!((failure.code.as_str(), failure.exit), (code, crate::exit::Exit::NotVerified));
}

#[test]
fn an_honest_result_is_shown_with_its_own_sum() {
    let world = world();
    let shown = world.verify(world.result()).unwrap();
    assert_eq!(shown.combined.unwrap().cells[1].cell, Cell::Value(20));
    assert!(matches!(shown.coverage.partners[1].standing, Standing::Refused(_)));
}

#[test]
fn a_lying_coordinator_shows_nothing() {
    check(|w| w.coverage.combined.as_mut().unwrap().cells[1].cell = Cell::Value(25), "CC206");
    check(|w| w.coverage.combined = None, "CC206");
    check(|w| w.coordinator = key(), "CC207");
    check(|w| w.register.coordinator = None, "CC207");
    check(|w| w.coverage.question_hash = Hash::of(b"another question"), "CC207");
    check(|w| w.coverage.register_version = 2, "CC207");
    check(|w| w.register.version = 2, "CC207");
    check(|w| w.ask.partners.truncate(1), "CC208");
    let leave_out = |w: &mut World| {
        w.coverage.partners.truncate(1);
        w.replies.truncate(1);
    };
    check(leave_out, "CC211");
}

#[test]
fn the_policy_that_decided_is_the_partners_own_word() {
    let mut world = world();
    let until = Some("2027-03-31".parse().unwrap());
    let told = |hash: &[u8]| PolicyLine { id: name("lie"), version: 9, hash: Hash::of(hash), until };
    // Of another policy than the reply names, and of the same under other words.
    world.coverage.partners[0].policy = Some(told(b"another"));
    world.coverage.partners[1].policy = Some(told(b"p"));
    let shown = world.verify(world.result()).unwrap();
    let lines = shown.coverage.partners.iter().map(|l| l.policy.as_ref().map(|p| (p.to_string(), p.until)));
    assert_eq!(lines.collect::<Vec<_>>(), [Some(("p@1".into(), None)), Some(("p@1".into(), until))]);
    // Where no signed reply is shown, no policy is.
    world.coverage.partners[1].standing = Standing::Offline;
    let mut result = world.result();
    result.replies.truncate(1);
    assert_eq!(world.verify(result).unwrap().coverage.partners[1].policy, None);
}

/// Spoils the reply of the second partner alone; the coordinator's statement is then honest about what it passes on.
fn check_second(spoil: impl FnOnce(&mut World), standing: &Standing) {
    let mut world = world();
    spoil(&mut world);
    world.coverage.partners[1].standing = standing.clone();
    let shown = world.verify(world.result()).map(|s| s.coverage.partners[1].standing.clone());
    assert_eq!(shown.map_err(|f| f.code), Ok(standing.clone()));
}

#[test]
fn a_reply_that_its_partner_did_not_sign_counts_as_nothing() {
    check_second(|w| w.keys[1] = key(), &Standing::Unverified);
    check_second(|w| w.replies[1].question_hash = Hash::of(b"another"), &Standing::Unverified);
    let forged = |w: &mut World| w.keys[1] = key();
    check(forged, "CC210");
}

#[test]
fn a_fault_is_a_code_and_nothing_else() {
    let fault = |code: &str| OutcomeV1::Fault { code: code.into() };
    check_second(|w| w.replies[1].outcome = fault("CE003"), &Standing::Fault("CE003".into()));
    check_second(|w| w.replies[1].outcome = fault("person 12345"), &Standing::Unverified);
    check_second(|w| w.replies[1].outcome = fault("É1234"), &Standing::Unverified);
}

#[test]
fn a_reply_that_is_kept_back_is_the_coordinators_word_alone() {
    let mut world = world();
    world.coverage.partners[1].standing = Standing::Offline;
    let mut result = world.result();
    result.replies.truncate(1);
    let shown = world.verify(result).unwrap();
    assert_eq!(shown.coverage.partners[1].standing, Standing::Offline);
}
