//! A partner for tests: the shipped council policy, made-up people loaded through a mapping file, an issuer and an analyst.

use std::path::{Path, PathBuf};

use cairn_link::identity::Authority;
use cairn_policy::Layers;
use cairn_policy::approval::{Change, MADE_UP_QUORUM, MadeUpBoard};
use cairn_question::answer::Expected;
use cairn_question::form;
use cairn_question::register::Register;
use cairn_question::{
    AskV1, Hash, Moment, Name, OutcomeV1, PartnerId, QuestionId, ReplyV1, Schema, SignedAsk, SigningKey,
    TotalTreatment, VerifyingKey,
};
use cairn_records::{Mapping, Store, load};
use cairn_seal::{CLAMP_MAX, Layout, ManifestV1, Members, Ring, Roster};
use tempfile::TempDir;

use crate::in_force::Places;
use crate::in_force::kept::{self, KeptPolicy};
use crate::in_force::offer::{Offer, Signed};
use crate::seats::REGISTER_FILE;

/// 15 June 2026, 10:00 UTC: the shipped policy is in force.
pub(crate) const NOW: Moment = Moment::from_unix_s(1_781_517_600);

/// Whose policy is shipped as an example.
pub(crate) const PARTNER: &str = "strathcarron-council";

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn shipped(path: &str) -> String {
    std::fs::read_to_string(format!("{}/../policies/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A partner's folders, and its federation's.
pub(crate) struct Folders {
    dir: TempDir,
    analyst: SigningKey,
    /// The partner's board. It is pinned.
    pub(crate) board: MadeUpBoard,
}

impl Folders {
    pub(crate) fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let analyst = SigningKey::from_pkcs8(&SigningKey::make_pkcs8().unwrap()).unwrap();
        let (from, to) = ("2026-01-01".parse().unwrap(), "2028-01-01".parse().unwrap());
        let board = MadeUpBoard::new(name("strathcarron-board"), PARTNER.as_bytes(), from, to);
        let folders = Self { dir, analyst, board };
        std::fs::create_dir(folders.policy_dir()).unwrap();
        let mut authority = Authority::create(&folders.path("authority"), name("nolb"), NOW).unwrap();
        authority.make_issuer(&name("scottish-government"), &folders.path("issuer")).unwrap();
        authority
            .make_coordinator(&name("hub"), &["127.0.0.1".to_owned()], &folders.path("hub"), NOW)
            .unwrap();
        let partner = PartnerId::new(PARTNER).unwrap();
        authority.enrol_node(&partner, "Strathcarron", "council", &folders.identity_dir(), NOW).unwrap();
        folders
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn policy_dir(&self) -> PathBuf {
        self.path("policy")
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.path("data")
    }

    pub(crate) fn identity_dir(&self) -> PathBuf {
        self.path("identity")
    }

    pub(crate) fn places(&self) -> Places {
        Places {
            policy_dir: self.policy_dir(),
            data_dir: self.data_dir(),
            ledger_path: self.path("ledger.sqlite"),
            pin: Some(self.board.hash()),
        }
    }

    /// The SHA-256 of the policy that lies in the folder, with LF line ends.
    pub(crate) fn policy_hash(&self) -> Hash {
        Hash::of(&std::fs::read(self.policy_dir().join("policy.toml")).unwrap())
    }

    /// The shipped policy, changed, as the version that replaces the one of this hash.
    pub(crate) fn write_version(&self, version: u32, replaces: Hash, change: impl FnOnce(String) -> String) {
        let line = format!("version        = {version}\nsupersedes = \"{replaces}\"");
        self.write_policy(|text| change(text.replace("version        = 7", &line)));
    }

    /// The shipped policy, changed, and approved by three members of the board.
    pub(crate) fn write_policy(&self, change: impl FnOnce(String) -> String) {
        self.write_policy_of(&self.board, &MADE_UP_QUORUM, change);
    }

    /// The same, approved by these members of a board, as what it does to the policy that the node keeps. What does not load is
    /// approved by nobody.
    pub(crate) fn write_policy_of(
        &self,
        board: &MadeUpBoard,
        members: &[&str],
        change: impl FnOnce(String) -> String,
    ) {
        let policy = change(shipped("examples/council/policy.toml"));
        let offer =
            Offer { framework: shipped("framework/framework.toml"), policy, approval: Signed::default() };
        self.place("framework.toml", &offer.framework);
        self.place("policy.toml", &offer.policy);
        self.place("board.toml", &board.text());
        let _ = std::fs::remove_dir_all(self.policy_dir().join("approvals"));
        let _ = std::fs::remove_file(self.policy_dir().join("approval.txt"));
        let Ok(layers) = Layers::load(&offer.sources()) else { return };
        let kept: Option<KeptPolicy> = kept::read(&self.places().kept()).ok().flatten();
        let old = kept.map(|kept| kept.layers().unwrap());
        let what = Change::between(old.as_ref(), &layers).unwrap();
        let replaces = old.map(|old| old.statement().hash);
        for file in board.approve(&offer.sources(), replaces, what, members).unwrap() {
            self.place(&file.path, &file.text);
        }
    }

    /// Puts a file into the policy folder.
    pub(crate) fn place(&self, path: &str, text: &str) {
        let path = self.policy_dir().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn write_brake(&self, text: &str) {
        std::fs::write(self.brake(), text).unwrap();
    }

    pub(crate) fn release_brake(&self) {
        std::fs::remove_file(self.brake()).unwrap();
    }

    fn brake(&self) -> PathBuf {
        self.policy_dir().join("local-brake.toml")
    }

    /// Loads so many people, two in three of them women, as they stood on a day.
    pub(crate) fn load(&self, people: usize, as_of: &str) {
        let source = self.path("export");
        std::fs::create_dir_all(&source).unwrap();
        let row = |n: usize| format!("p{n:05},{},N\n", if n.is_multiple_of(3) { "male" } else { "female" });
        let rows: String = (0..people).map(row).collect();
        std::fs::write(source.join("people.csv"), format!("id,sex,objects\n{rows}")).unwrap();
        let mapping = format!(
            "cairn_mapping = 1\npartner = \"{PARTNER}\"\nas_of = \"{as_of}\"\ntemplate = \"smf-2022\"\n\
             [source.people]\nfile = \"people.csv\"\n[table.participants]\nsource = \"people\"\n\
             [table.participants.columns]\nlocal_person_id = {{ from = \"id\" }}\nsex = {{ from = \"sex\" }}\n\
             statistics_objection = {{ from = \"objects\", codes = {{ Y = \"yes\", N = \"no\" }} }}\n"
        );
        let mapping = Mapping::parse("mapping.toml", &mapping).unwrap_or_else(|r| panic!("{r}"));
        let store = Store::open(self.data_dir()).unwrap();
        let staged = load::check_and_stage(&store, &mapping, &source, NOW).unwrap_or_else(|r| panic!("{r}"));
        staged.commit().unwrap();
    }

    /// So many other partners with a seat, in the register that the node has too.
    pub(crate) fn seat_others(&self, others: usize) -> Register {
        let mut authority = Authority::open(&self.path("authority")).unwrap();
        for n in 0..others {
            let (id, folder) = (format!("other-{n}"), self.path(&format!("other-{n}")));
            let partner = PartnerId::new(id.as_str()).unwrap();
            authority.enrol_node(&partner, "Another", "council", &folder, NOW).unwrap();
        }
        std::fs::copy(authority.register_file(), self.identity_dir().join(REGISTER_FILE)).unwrap();
        authority.register().clone()
    }

    /// A question to everybody in the register, put as a total of this treatment; ten may collude.
    pub(crate) fn ask_total(
        &self,
        asked: (u8, &str),
        register: &Register,
        total: TotalTreatment,
    ) -> (Asked, SignedAsk) {
        let partners: Vec<PartnerId> = register.partners.iter().map(|entry| entry.id.clone()).collect();
        let invited = partners.len();
        let asked = self.ask_of(asked.0, asked.1, partners);
        let (grid, roster) = (asked.ask.question.grid(Schema::smf()).unwrap(), Roster::of(register).unwrap());
        let numbers = total.numbers(&asked.ask.question, grid.cells()).unwrap();
        let manifest = ManifestV1 {
            cairn_manifest: 1,
            question: asked.ask.id,
            question_hash: Hash::of(&serde_json::to_vec(&asked.ask).unwrap()),
            roster_version: roster.version(),
            roster: *roster.hash(),
            invited: Members::of(0..invited).unwrap(),
            colluding_max: 10,
            answering_min: u16::try_from(usize::midpoint(invited, 10) + 1).unwrap(),
            layout: Layout::new(Ring::U64, numbers).unwrap(),
            clamp: CLAMP_MAX,
            scale: total.scaling().factor().unsigned_abs(),
            noise_tail: 1 << 40,
            treatment: total,
            deadline: NOW.plus_s(120),
            flight_s: 10,
            again: false,
        };
        let signed = SignedAsk::parse(&asked.bytes).unwrap().as_total(manifest.sign(&self.analyst));
        (asked, signed)
    }

    /// A signed question for this partner.
    pub(crate) fn ask(&self, number: u8, text: &str) -> Asked {
        self.ask_of(number, text, vec![PartnerId::new(PARTNER).unwrap()])
    }

    fn ask_of(&self, number: u8, text: &str, partners: Vec<PartnerId>) -> Asked {
        let (role, purpose) = if text.contains("disabled") {
            ("equalities-analyst", "equalities")
        } else {
            ("own-tables-analyst", "smf-reporting")
        };
        let question = form::parse(text, &name(role), &name(purpose), Schema::smf()).unwrap();
        let issuer = cairn_link::Issuer::open(&self.path("issuer")).unwrap();
        let until = NOW.plus_s(1_000_000);
        let credential = issuer
            .credential(&name("ann"), &name(role), "Example", self.analyst.verifying_key(), NOW, until)
            .unwrap();
        let ask = AskV1 {
            cairn_question: 1,
            id: QuestionId::from_bytes([number; 32]),
            federation: name("nolb"),
            partners,
            asked_at: NOW,
            expires_at: NOW.plus_s(600),
            question,
        };
        let bytes = SignedAsk::sign(&ask, &self.analyst, credential).to_bytes();
        Asked { ask, bytes }
    }

    fn node_key(&self) -> VerifyingKey {
        let path = self.identity_dir();
        cairn_link::NodeIdentity::load(Path::new(&path), NOW).unwrap().signing_key().verifying_key()
    }

    /// The reply, verified: `answer`, a code, or the rules it was refused by.
    pub(crate) fn outcome(&self, asked: &Asked, reply: &[u8]) -> OutcomeV1 {
        let grid = asked.ask.question.grid(Schema::smf()).unwrap();
        let expected = Expected {
            question_id: asked.ask.id,
            question_hash: Hash::of(&serde_json::to_vec(&asked.ask).unwrap()),
            federation: &name("nolb"),
            partner: &PartnerId::new(PARTNER).unwrap(),
            grid: &grid,
        };
        ReplyV1::open(reply, &self.node_key(), &expected).unwrap().outcome
    }

    pub(crate) fn shown(&self, asked: &Asked, reply: &[u8]) -> String {
        match self.outcome(asked, reply) {
            OutcomeV1::Answer(answer) => serde_json::to_string(&answer.table.cells).unwrap(),
            OutcomeV1::Refusal(refusal) => {
                refusal.rules.iter().map(|r| format!("{} {}", r.rule, r.code)).collect::<Vec<_>>().join(", ")
            }
            OutcomeV1::Sealed(_) => "sealed".to_owned(),
            OutcomeV1::Fault { code } => format!("fault {code}"),
        }
    }
}

/// A question, signed.
pub(crate) struct Asked {
    pub(crate) ask: AskV1,
    pub(crate) bytes: Vec<u8>,
}
