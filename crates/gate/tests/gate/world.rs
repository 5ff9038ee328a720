//! A partner with a real ledger, a shipped policy and an analyst.

use std::collections::BTreeMap;

use cairn_gate::{Counting, Gate, Keys, Provisional, SnapshotFacts, Step};
use cairn_ledger::{Entry, Ledger};
use cairn_policy::{File, Layers, Sources};
use cairn_question::answer::{AnswerV1, Expected};
use cairn_question::{
    AskV1, Credential, IssuerPins, Moment, Name, OutcomeV1, PartnerId, QuestionId, ReplyV1, Schema,
    SignedAsk, SigningKey,
};
use cairn_release::{Deviation, Layout, Noise, NoiseFault, RawTable, Scale};

/// 15 June 2026, 10:00 UTC.
pub(crate) const NOW: Moment = Moment::from_unix_s(1_781_517_600);

pub(crate) const PEOPLE: &str = "people by sex";
pub(crate) const DISABLED: &str = "people by disabled, sex";

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn key() -> SigningKey {
    SigningKey::from_pkcs8(&SigningKey::make_pkcs8().unwrap()).unwrap()
}

fn shipped(path: &str) -> File {
    let full = format!("{}/../../policies/{path}", env!("CARGO_MANIFEST_DIR"));
    File::new(path, std::fs::read_to_string(full).unwrap())
}

/// The shipped council policy, with some of its words exchanged.
pub(crate) fn layers(changes: &[(&str, &str)], brake: Option<&str>) -> Layers {
    Layers::load(&sources(changes, brake)).unwrap()
}

pub(crate) fn sources(changes: &[(&str, &str)], brake: Option<&str>) -> Sources {
    let mut policy = shipped("examples/council/policy.toml");
    for (from, to) in changes {
        assert!(policy.text.contains(from), "the policy has {from}");
        policy.text = policy.text.replace(from, to);
    }
    let brake = brake.map(|text| File::new("local-brake.toml", format!("cairn_brake = 1\n{text}\n")));
    Sources { framework: shipped("framework/framework.toml"), policy, brake }
}

pub(crate) struct World {
    pub(crate) issuer: SigningKey,
    pub(crate) analyst: SigningKey,
    pub(crate) node: SigningKey,
    pub(crate) gate: Gate,
    pub(crate) layers: Layers,
    pub(crate) facts: SnapshotFacts,
    pub(crate) ledger: Ledger,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) now: Moment,
}

/// One question on its way, before it is signed.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) ask: AskV1,
    pub(crate) credential: Credential,
}

impl World {
    pub(crate) fn new() -> Self {
        let (issuer, analyst) = (key(), key());
        let pkcs8 = SigningKey::make_pkcs8().unwrap();
        let own = || SigningKey::from_pkcs8(&pkcs8).unwrap();
        let issuers = IssuerPins::new(BTreeMap::from([
            (name("scottish-government"), issuer.verifying_key()),
            (name("local-partnership"), issuer.verifying_key()),
        ]));
        let keys = Keys { signing: own(), cap: [7; 32] };
        let folder = tempfile::tempdir().unwrap();
        Self {
            gate: Gate::new(name("nolb"), PartnerId::new("strathcarron-council").unwrap(), issuers, keys),
            node: own(),
            issuer,
            analyst,
            layers: layers(&[], None),
            facts: SnapshotFacts {
                as_of: "2026-03-31".parse().unwrap(),
                edition: 1,
                templates: vec!["smf-2022".into()],
                notes: vec![],
                provisional: Provisional::No,
            },
            ledger: Ledger::open(&folder.path().join("ledger")).unwrap(),
            folder,
            now: NOW,
        }
    }

    /// Number `id`; asked as an own-tables analyst, or as an equalities analyst where disability is asked for.
    pub(crate) fn draft(&self, id: u8, text: &str) -> Draft {
        let (role, purpose) = if text.contains("disabled") {
            ("equalities-analyst", "equalities")
        } else {
            ("own-tables-analyst", "smf-reporting")
        };
        let question = cairn_question::form::parse(text, &name(role), &name(purpose), Schema::smf()).unwrap();
        Draft {
            ask: AskV1 {
                cairn_question: 1,
                id: QuestionId::from_bytes([id; 32]),
                federation: name("nolb"),
                partners: vec![self.gate.partner().clone()],
                asked_at: self.now,
                expires_at: self.now.plus_s(600),
                question,
            },
            credential: Credential {
                cairn_credential: 1,
                issuer: name("scottish-government"),
                analyst: name("a-analyst"),
                role: name(role),
                organisation: "Scottish Government".into(),
                key: self.analyst.verifying_key(),
                not_before: NOW,
                not_after: NOW.plus_s(1_000_000),
            },
        }
    }

    pub(crate) fn sign(&self, draft: &Draft) -> Vec<u8> {
        let credential = draft.credential.sign(&self.issuer);
        SignedAsk::sign(&draft.ask, &self.analyst, credential).to_bytes()
    }

    /// Up to and with the hold.
    pub(crate) fn count(&mut self, bytes: &[u8]) -> Step<Counting> {
        let (layers, ledger, now) = (&self.layers, &mut self.ledger, self.now);
        let verified = match self.gate.verify(bytes, layers, ledger, now) {
            Step::On(verified) => verified,
            Step::Reply(reply) => return Step::Reply(reply),
            Step::Unreadable => return Step::Unreadable,
        };
        let permitted = match self.gate.permit(verified, layers, ledger, now) {
            Step::On(permitted) => permitted,
            Step::Reply(reply) => return Step::Reply(reply),
            Step::Unreadable => return Step::Unreadable,
        };
        self.gate.reserve(permitted, &self.facts, ledger, now)
    }

    /// The whole ladder, with scripted counts (1, 2, 3 … times ten people) and noise of +1 in every cell.
    pub(crate) fn answer(&mut self, bytes: &[u8]) -> Vec<u8> {
        match self.count(bytes) {
            Step::On(counting) => self.finish(counting),
            Step::Reply(reply) => reply,
            Step::Unreadable => panic!("not a question"),
        }
    }

    pub(crate) fn finish(&mut self, counting: Counting) -> Vec<u8> {
        let raw = raw(&counting);
        match self.gate.release(counting, raw, &mut PlusOne) {
            Ok(releasable) => self.gate.reply(releasable, &mut self.ledger, self.now),
            Err(failed) => self.gate.fail(failed, &mut self.ledger, self.now),
        }
    }

    /// Reads a reply as the analyst would.
    pub(crate) fn open(&self, reply: &[u8], draft: &Draft) -> ReplyV1 {
        let signed = SignedAsk::parse(&self.sign(draft)).unwrap();
        let payload = signed.question.payload_unverified(cairn_question::question::ASK_TYPE).unwrap();
        let grid = draft.ask.question.grid(Schema::smf()).unwrap();
        let expected = Expected {
            question_id: draft.ask.id,
            question_hash: cairn_question::Hash::of(&payload),
            federation: &draft.ask.federation,
            partner: self.gate.partner(),
            grid: &grid,
        };
        ReplyV1::open(reply, &self.node.verifying_key(), &expected).unwrap()
    }

    pub(crate) fn table(&self, reply: &[u8], draft: &Draft) -> AnswerV1 {
        match self.open(reply, draft).outcome {
            OutcomeV1::Answer(answer) => *answer,
            other => panic!("{other:?}"),
        }
    }

    /// `rule code` of each rule of a refusal, or `fault code`, or `answer`.
    pub(crate) fn outcome(&self, reply: &[u8], draft: &Draft) -> String {
        match self.open(reply, draft).outcome {
            OutcomeV1::Answer(_) => "answer".into(),
            OutcomeV1::Sealed(_) => "sealed".into(),
            OutcomeV1::Fault { code } => format!("fault {code}"),
            OutcomeV1::Refusal(refusal) => {
                let rules = refusal.rules.iter().map(|r| format!("{} {}", r.rule, r.code));
                rules.collect::<Vec<_>>().join(", ")
            }
        }
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.ledger.entries(0, 1_000).unwrap()
    }

    /// `kind` of each entry.
    pub(crate) fn audit(&self) -> String {
        self.entries().iter().map(|e| e.kind.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// What the account stands at and what of it is held, in nano-ρ.
    pub(crate) fn account(&self) -> (u64, u64) {
        let account = self.ledger.account(&self.layers.caps(), self.now).unwrap();
        (account.lifetime.nano(), account.held.nano())
    }

    /// As after kill −9: the ledger is closed and opened again.
    pub(crate) fn restart(&mut self) {
        let path = self.folder.path().join("ledger");
        let other = tempfile::tempdir().unwrap();
        self.ledger = Ledger::open(&other.path().join("ledger")).unwrap();
        self.ledger = Ledger::open(&path).unwrap();
    }
}

/// Ten people in the first cell, twenty in the second, and so on; then their rows, and their sums.
pub(crate) fn raw(counting: &Counting) -> RawTable {
    let layout = Layout::of(counting.plan());
    let numbers: Vec<u64> = (1..).map(|n| n * 10).take(layout.numbers()).collect();
    RawTable::of(counting.plan().question_id, layout.split(&numbers).unwrap())
}

pub(crate) struct PlusOne;

impl Noise for PlusOne {
    fn draw(&mut self, _: Scale, cells: usize) -> Result<Vec<i64>, NoiseFault> {
        Ok(vec![1; cells])
    }

    fn draw_gaussian(&mut self, _: Deviation, cells: usize) -> Result<Vec<i64>, NoiseFault> {
        Ok(vec![1; cells])
    }
}
