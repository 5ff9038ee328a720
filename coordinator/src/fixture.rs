//! A small federation for tests: partners with keys, a question, and signed replies to it.

use cairn_question::answer::{PolicyStatement, PrivacyStatement, SnapshotStatement, Zeros};
use cairn_question::form;
use cairn_question::privacy::NanoRho;
use cairn_question::question::ASK_TYPE;
use cairn_question::register::{CoordinatorEntry, PartnerEntry, Register, SeatV1};
use cairn_question::{
    AnswerV1, AskV1, Cell, Credential, Day, Envelope, Grid, Hash, Moment, Name, OutcomeV1, PartnerId,
    QuestionId, Refusal, ReplyV1, Schema, SignedAsk, SigningKey, TableV1, TreatmentV1,
};

pub(crate) const NOW: Moment = Moment::from_unix_s(1_764_590_400);

pub(crate) fn key() -> SigningKey {
    SigningKey::from_pkcs8(&SigningKey::make_pkcs8().unwrap()).unwrap()
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn partner(text: &str) -> PartnerId {
    PartnerId::new(text).unwrap()
}

/// A federation with its keys.
pub(crate) struct Federation {
    pub(crate) partners: Vec<(PartnerId, SigningKey)>,
    pub(crate) coordinator: SigningKey,
    pub(crate) issuer: SigningKey,
    pub(crate) analyst: SigningKey,
}

/// A question, signed.
pub(crate) struct Asked {
    pub(crate) ask: AskV1,
    pub(crate) bytes: Vec<u8>,
    pub(crate) hash: Hash,
    pub(crate) grid: Grid,
}

impl Federation {
    pub(crate) fn of(partners: &[&str]) -> Self {
        let partners = partners.iter().map(|p| (partner(p), key())).collect();
        Self { partners, coordinator: key(), issuer: key(), analyst: key() }
    }

    pub(crate) fn register(&self) -> Register {
        let entry = |(id, key): &(PartnerId, SigningKey)| PartnerEntry {
            id: id.clone(),
            name: id.to_string(),
            kind: "local-authority".into(),
            signing_key: key.verifying_key(),
            seat: Some(SeatV1 {
                controller: name(id.as_str()),
                tls_key: Hash::of(id.as_str().as_bytes()),
                valid_from: NOW.day_utc(),
                valid_until: NOW.day_utc().plus_days(365),
            }),
        };
        Register {
            cairn_register: 1,
            federation: name("demo"),
            version: 3,
            issued_at: NOW,
            coordinator: Some(CoordinatorEntry {
                name: name("hub"),
                signing_key: self.coordinator.verifying_key(),
            }),
            partners: self.partners.iter().map(entry).collect(),
            linkage_keeper: None,
        }
    }

    pub(crate) fn ask(&self, number: u8, expires_at: Moment) -> Asked {
        let partners = self.partners.iter().map(|(id, _)| id.clone()).collect();
        self.ask_of(number, expires_at, partners)
    }

    pub(crate) fn ask_of(&self, number: u8, expires_at: Moment, partners: Vec<PartnerId>) -> Asked {
        let question =
            form::parse("people by participants.sex", &name("analyst"), &name("statistics"), Schema::smf())
                .unwrap();
        let ask = AskV1 {
            cairn_question: 1,
            id: QuestionId::from_bytes([number; 32]),
            federation: name("demo"),
            partners,
            asked_at: NOW,
            expires_at,
            question,
        };
        self.sign(ask)
    }

    pub(crate) fn sign(&self, ask: AskV1) -> Asked {
        let signed = SignedAsk::sign(&ask, &self.analyst, self.credential(&ask));
        let grid = ask.question.grid(Schema::smf()).unwrap();
        let hash = Hash::of(&serde_json::to_vec(&ask).unwrap());
        Asked { ask, bytes: signed.to_bytes(), hash, grid }
    }

    pub(crate) fn credential(&self, ask: &AskV1) -> Envelope {
        let credential = Credential {
            cairn_credential: 1,
            issuer: name("issuer"),
            analyst: name("ann"),
            role: ask.question.role.clone(),
            organisation: "Example".into(),
            key: self.analyst.verifying_key(),
            not_before: NOW,
            not_after: NOW.plus_s(1_000_000),
        };
        credential.sign(&self.issuer)
    }

    pub(crate) fn key_of(&self, id: &PartnerId) -> &SigningKey {
        &self.partners.iter().find(|(p, _)| p == id).unwrap().1
    }

    pub(crate) fn reply(&self, asked: &Asked, from: &PartnerId, outcome: OutcomeV1) -> Vec<u8> {
        asked.reply(from, outcome, self.key_of(from))
    }
}

impl Asked {
    /// What a node makes of the bytes that it gets.
    pub(crate) fn read(bytes: Vec<u8>) -> Self {
        let signed = SignedAsk::parse(&bytes).unwrap();
        let ask = signed.peek().unwrap();
        let hash = Hash::of(&signed.question.payload_unverified(ASK_TYPE).unwrap());
        let grid = ask.question.grid(Schema::smf()).unwrap();
        Self { ask, bytes, hash, grid }
    }

    pub(crate) fn reply(&self, from: &PartnerId, outcome: OutcomeV1, key: &SigningKey) -> Vec<u8> {
        let reply = ReplyV1 {
            cairn_reply: 1,
            question_id: self.ask.id,
            question_hash: self.hash,
            federation: name("demo"),
            partner: from.clone(),
            at: NOW,
            policy: PolicyStatement { id: "p".into(), version: 1, hash: Hash::of(b"p") },
            outcome,
        };
        reply.sign(key).to_bytes()
    }
}

/// An answer with the same value in every cell.
pub(crate) fn answer(asked: &Asked, value: i64) -> OutcomeV1 {
    OutcomeV1::Answer(Box::new(AnswerV1 {
        table: TableV1 {
            dimensions: asked.grid.dimensions().to_vec(),
            cells: vec![Cell::Value(value); asked.grid.cells()],
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
            as_of: Day::new(2025, 11, 30).unwrap(),
            edition: 1,
            templates: vec![],
            notes: vec![],
            provisional: false,
        },
        privacy: PrivacyStatement {
            unit: "person".into(),
            charged: NanoRho::ZERO,
            year_so_far: NanoRho::ZERO,
            year_cap: NanoRho::ZERO,
        },
    }))
}

pub(crate) fn refusal() -> OutcomeV1 {
    OutcomeV1::Refusal(Refusal::one("share.none", "CR001", "no share matches"))
}
