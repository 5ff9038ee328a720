//! An analyst's program of the suite's own: makes any bytes, honest or not, and sends them through the real coordinator.

use std::path::Path;

use cairn_link::{Address, AnalystClient, AnalystIdentity, Clock, LinkError, RoundResult};
use cairn_question::answer::Expected;
use cairn_question::combine::CoverageV1;
use cairn_question::register::Register;
use cairn_question::{
    AskV1, Envelope, Hash, Name, OutcomeV1, PartnerId, QuestionId, ReplyV1, Schema, SignedAsk, VerifyingKey,
};
use ring::rand::SecureRandom as _;

use super::federation::{Federation, NAME, now};

pub(crate) struct Analyst {
    pub(crate) identity: AnalystIdentity,
    register: Register,
    /// The coordinator that it dials.
    pub(crate) address: Address,
}

/// A signed question, with what is needed to check a reply to it.
#[derive(Clone)]
pub(crate) struct Signed {
    pub(crate) ask: AskV1,
    pub(crate) hash: Hash,
    pub(crate) bytes: Vec<u8>,
}

impl Analyst {
    /// The analyst of a folder in the federation's.
    pub(crate) fn load(federation: &Federation, folder: &str) -> Self {
        Self::load_from(&federation.path(folder), &federation.path("authority"), &federation.address)
    }

    /// The analyst of any folder, with the register of any authority, dialling any address.
    pub(crate) fn load_from(folder: &Path, authority: &Path, address: &str) -> Self {
        let identity = AnalystIdentity::load(folder, now()).unwrap();
        let bytes = std::fs::read(authority.join("register.json")).unwrap();
        let register = Register::open(&bytes, identity.federation_key()).unwrap();
        Self { identity, register, address: address.parse().unwrap() }
    }

    /// A question to these partners, good for ten minutes, not signed yet.
    pub(crate) fn question(&self, text: &str, role: &str, purpose: &str, partners: &[&str]) -> AskV1 {
        let question = cairn_question::form::parse(text, &name(role), &name(purpose), Schema::smf()).unwrap();
        let partners = partners.iter().map(|p| PartnerId::new(*p).unwrap()).collect();
        let asked_at = now();
        let expires_at = asked_at.plus_s(600);
        AskV1 {
            cairn_question: 1,
            id: question_id(),
            federation: name(NAME),
            partners,
            asked_at,
            expires_at,
            question,
        }
    }

    /// Signs it under the analyst's own credential for the question's role.
    pub(crate) fn sign(&self, ask: &AskV1) -> Signed {
        self.sign_under(ask, self.identity.credential(&ask.question.role).unwrap().clone())
    }

    /// Signs it, with any credential.
    pub(crate) fn sign_under(&self, ask: &AskV1, credential: Envelope) -> Signed {
        let signed = SignedAsk::sign(ask, self.identity.signing_key(), credential);
        let payload = signed.question.payload_unverified(cairn_question::question::ASK_TYPE).unwrap();
        Signed { ask: ask.clone(), hash: Hash::of(&payload), bytes: signed.to_bytes() }
    }

    /// Dials the coordinator.
    pub(crate) async fn connect(&self) -> Result<AnalystClient, LinkError> {
        AnalystClient::connect(&self.identity, &self.address, &Clock::new(now)).await
    }

    /// Sends bytes on a connection of their own.
    pub(crate) async fn put(&self, bytes: &[u8]) -> Result<RoundResult, LinkError> {
        let client = self.connect().await?;
        let result = client.ask(bytes.to_vec(), |_| {}).await;
        client.close().await;
        result
    }

    /// The coverage statement, if the registered coordinator signed it.
    pub(crate) fn coverage(&self, result: &RoundResult) -> CoverageV1 {
        CoverageV1::open(&result.coverage, &self.register.coordinator.as_ref().unwrap().signing_key).unwrap()
    }

    /// What one partner said, if its registered key signed it and it belongs to the question.
    pub(crate) fn outcome(&self, signed: &Signed, partner: &str, reply: &[u8]) -> OutcomeV1 {
        let (partner, federation) = (PartnerId::new(partner).unwrap(), name(NAME));
        let grid = signed.ask.question.grid(Schema::smf()).unwrap();
        let (question_id, question_hash) = (signed.ask.id, signed.hash);
        let expected =
            Expected { question_id, question_hash, federation: &federation, partner: &partner, grid: &grid };
        ReplyV1::open(reply, &self.key_of(&partner), &expected).unwrap().outcome
    }

    fn key_of(&self, partner: &PartnerId) -> VerifyingKey {
        self.register.partner(partner).unwrap().signing_key
    }
}

/// The rules of a refusal; panics where it is none.
#[track_caller]
pub(crate) fn rules(outcome: &OutcomeV1) -> Vec<String> {
    match outcome {
        OutcomeV1::Refusal(refusal) => refusal.rules.iter().map(|r| r.rule.clone()).collect(),
        OutcomeV1::Answer(_) | OutcomeV1::Sealed(_) => panic!("answered"),
        OutcomeV1::Fault { code } => panic!("a fault: {code}"),
    }
}

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A number of its own.
pub(crate) fn question_id() -> QuestionId {
    let mut bytes = [0; 32];
    ring::rand::SystemRandom::new().fill(&mut bytes).unwrap();
    QuestionId::from_bytes(bytes)
}

/// Runs a future to its end.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}
