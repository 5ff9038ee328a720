//! The federation that is attacked, and the attacker's session with it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cairn_policy::approval::{Change, MADE_UP_QUORUM, MadeUpBoard};
use cairn_policy::folder::{BOARD_FILE, FRAMEWORK_FILE, POLICY_FILE};
use cairn_policy::{File, Sources, dated, instantiate, london_day};
use cairn_question::combine::Standing;
use cairn_question::{AnswerV1, Name, PartnerId, Question, Schema};

use super::people::{Made, SIDES, Side, mapping};
use super::round::Round;
use crate::failure::Failure;
use crate::federation::EXPIRES_IN_S;
use crate::federation::Federation as Client;
use crate::progress::Progress;
use crate::staged::{Federation, Member, Staged};
use crate::{context, files};

/// The two partners.
const MEMBERS: [Member; 2] = [member("attack-left"), member("attack-right")];

const fn member(id: &'static str) -> Member {
    Member { id, name: "Nobody (made up)", kind: "council", policy: "council" }
}

/// The role that is answered with noise, the one that is answered with withheld and rounded counts, and the one whose noise is too wide to be of use.
pub(super) const ATTACKER: &str = "attacker";
pub(super) const READER: &str = "reader";
pub(super) const WIDE_READER: &str = "wide-reader";

const FRAMEWORK: &str = include_str!("framework.toml");
const POLICY: &str = include_str!("policy.toml");
const HOURS: &str = include_str!("hours.toml");

/// Longest that a round lasts: on a machine with much else to do a table of thousands of cells takes its time, and a late answer shows nothing.
const ROUND_S: u16 = 60;

/// Longest that the partners may take to be ready.
const READY_IN_S: u64 = 900;
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Costs nothing, and no attack asks it.
const PROBE: &str = "people in participants by armed_forces";

/// How often a question is asked at most, where a partner was late all the same.
const TRIES: usize = 3;

impl Side {
    const fn member(self) -> &'static Member {
        let [left, right] = &MEMBERS;
        match self {
            Self::Left => left,
            Self::Right => right,
        }
    }
}

/// The framework and the policy of the attacked partners, as texts.
pub(super) fn sources(policy: &str) -> Sources {
    Sources {
        framework: File::new(FRAMEWORK_FILE, FRAMEWORK),
        policy: File::new(POLICY_FILE, dated(policy, london_day(context::now()))),
        brake: None,
    }
}

pub(super) const fn policy() -> &'static str {
    POLICY
}

/// A running federation of two partners.
pub(super) struct Attacked {
    staged: Staged,
    running: Federation,
}

impl Attacked {
    pub(super) fn start(folder: &Path, made: &Made, rounds: &[Round]) -> Result<Self, Failure> {
        let staged = Staged::new(folder, ROUND_S)?;
        let policy = if rounds.contains(&Round::Sums) { &format!("{POLICY}\n{HOURS}") } else { POLICY };
        staged.make_federation(
            "attack-gate",
            ("attacker", "Attacker (made up)"),
            &[ATTACKER, READER, WIDE_READER],
            &MEMBERS,
        )?;
        for side in SIDES {
            export(&staged, side, made)?;
            make_node(&staged, side.member(), policy)?;
            staged.load(side.member().id)?;
        }
        let running = staged.start(&MEMBERS)?;
        Ok(Self { staged, running })
    }

    async fn client(&self) -> Result<Client, Failure> {
        let address = self.running.address.parse();
        let address =
            address.map_err(|_| Failure::new("CC503", "the coordinator's address is no address"))?;
        Client::connect(Path::new(&self.staged.path("analyst")), &address).await
    }

    /// The files of a side's snapshot that hold a table's rows.
    pub(super) fn parts(&self, side: Side, table: &str) -> Result<Vec<PathBuf>, Failure> {
        let data = self.staged.path(&format!("partners/{}/data", side.member().id));
        let unreadable = |_| Failure::new("CC105", format!("{data} cannot be read"));
        let mut folders = vec![PathBuf::from(&data)];
        let mut parts = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).map_err(unreadable)? {
                let path = entry.map_err(unreadable)?.path();
                let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
                if path.is_dir() {
                    folders.push(path);
                } else if name.starts_with(table) {
                    parts.push(path);
                }
            }
        }
        Ok(parts)
    }
}

fn export(staged: &Staged, side: Side, made: &Made) -> Result<(), Failure> {
    let id = side.member().id;
    let folder = PathBuf::from(staged.path(&format!("exports/{id}")));
    files::make_folder(&folder)?;
    for (name, text) in made.export(side) {
        files::write_new(&folder.join(name), &text)?;
    }
    files::write_new(&folder.join("mapping.toml"), &mapping(id))
}

/// A node with the gate's own policy, approved by a made-up board.
fn make_node(staged: &Staged, member: &Member, policy: &str) -> Result<(), Failure> {
    let failed =
        || Failure::new("CC114", "the made-up board could not approve the gate's policy, which has errors");
    let today = london_day(context::now());
    let id = Name::new("attack-board").map_err(|_| failed())?;
    let board = MadeUpBoard::new(id, &context::random()?, today.plus_days(-1), today.plus_days(1_000));
    let board_file = PathBuf::from(staged.path(&format!("partners/{}/{BOARD_FILE}", member.id)));
    files::write_new(&board_file, &board.text())?;
    staged.make_node_under(member, &board_file)?;
    let partner = PartnerId::new(member.id).map_err(|_| failed())?;
    let sources = sources(&instantiate(policy, &partner, member.name));
    let signed = board.approve(&sources, None, Change::First, &MADE_UP_QUORUM).ok_or_else(failed)?;
    let policies = PathBuf::from(staged.path(&format!("partners/{}/policy", member.id)));
    files::replace(&policies.join(FRAMEWORK_FILE), &sources.framework.text)?;
    files::replace(&policies.join(POLICY_FILE), &sources.policy.text)?;
    for file in signed {
        let path = policies.join(&file.path);
        path.parent().map_or(Ok(()), files::make_folder)?;
        files::write_new(&path, &file.text)?;
    }
    Ok(())
}

/// The attacker, who asks both partners.
pub(super) struct Session {
    client: Client,
}

/// What a network sees of one question.
pub(super) struct Seen {
    pub(super) took: Duration,
    /// Bytes of the reply, 0 where there was none, and of the coverage statement.
    pub(super) sizes: [usize; 2],
}

/// What came back from one partner.
pub(super) enum Reply {
    Table(Box<AnswerV1>),
    /// Anything else, in the protocol's own words.
    Other(Standing),
}

impl Session {
    pub(super) async fn open(attacked: &Attacked) -> Result<Self, Failure> {
        Ok(Self { client: attacked.client().await? })
    }

    /// Waits until both partners answer. They are connected before they have taken up their policy and their records, which takes minutes on a machine
    /// with much else to do; a refusal until then is no finding.
    ///
    /// # Errors
    /// CC503 where one still does not after [`READY_IN_S`].
    pub(super) async fn ready(&mut self) -> Result<(), Failure> {
        let until = context::now().plus_s(READY_IN_S);
        while !self.ask(READER, PROBE).await?.iter().all(|reply| reply.table().is_some()) {
            if context::now() > until {
                return Err(Failure::new("CC503", "the attacked partners do not answer; see their logs"));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Asks both partners, left and right; again where one was late, which has its table from the store then.
    pub(super) async fn ask(&mut self, role: &str, text: &str) -> Result<[Reply; 2], Failure> {
        let mut replies = self.ask_once(role, text).await?;
        for _ in 1..TRIES {
            if replies.iter().all(|reply| !reply.is_late()) {
                break;
            }
            replies = self.ask_once(role, text).await?;
        }
        Ok(replies)
    }

    async fn ask_once(&mut self, role: &str, text: &str) -> Result<[Reply; 2], Failure> {
        let question = question(role, text)?;
        let partners = SIDES.map(|side| PartnerId::new(side.member().id));
        let partners: Vec<PartnerId> = partners.into_iter().flatten().collect();
        let mut progress = Progress::begin("asking");
        let shown = self.client.ask(question, partners, EXPIRES_IN_S, &mut progress).await;
        progress.end();
        let mut shown = shown?;
        Ok(SIDES.map(|side| {
            let is = |partner: &PartnerId| partner.as_str() == side.member().id;
            let standing =
                shown.coverage.partners.iter().find(|l| is(&l.partner)).map(|l| l.standing.clone());
            match shown.answers.iter().position(|(partner, _)| is(partner)) {
                Some(at) => Reply::Table(Box::new(shown.answers.swap_remove(at).1)),
                None => Reply::Other(standing.unwrap_or(Standing::Offline)),
            }
        }))
    }

    /// What a network sees of one question at one side: how long the result took, and how many bytes the reply and the coverage
    /// statement have.
    pub(super) async fn seen(&mut self, role: &str, text: &str, side: Side) -> Result<Seen, Failure> {
        let partner =
            PartnerId::new(side.member().id).map_err(|_| Failure::new("CC205", "the side is no partner"))?;
        let mut progress = Progress::begin("asking");
        let seen = self.client.seen(question(role, text)?, partner, EXPIRES_IN_S, &mut progress).await;
        progress.end();
        let (took, result) = seen?;
        let reply = result.replies.first().map_or(0, |(_, bytes)| bytes.len());
        Ok(Seen { took, sizes: [reply, result.coverage.len()] })
    }

    pub(super) async fn close(self) {
        self.client.close().await;
    }
}

/// A question in words, for the purpose that the gate's policy names.
pub(super) fn question(role: &str, text: &str) -> Result<Question, Failure> {
    let wrong = |says: String| Failure::new("CC204", says);
    let role = Name::new(role).map_err(|e| wrong(e.to_string()))?;
    let purpose = Name::new("attack").map_err(|e| wrong(e.to_string()))?;
    cairn_question::form::parse(text, &role, &purpose, Schema::smf()).map_err(|e| wrong(e.to_string()))
}

impl Reply {
    /// The table, where there is one.
    pub(super) fn table(&self) -> Option<&AnswerV1> {
        match self {
            Self::Table(answer) => Some(answer),
            Self::Other(_) => None,
        }
    }

    const fn is_late(&self) -> bool {
        matches!(self, Self::Other(Standing::Late))
    }

    /// In a few words, for a line where a table was due.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Table(_) => "a table".to_owned(),
            Self::Other(standing) => format!("{standing:?}"),
        }
    }
}
