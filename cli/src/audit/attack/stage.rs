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
use crate::federation::{EXPIRES_IN_S, Federation as Client, Put};
use crate::progress::Progress;
use crate::staged::{Federation, Member, Staged};
use crate::{context, files};

/// The two partners.
const MEMBERS: [Member; 2] = [member("attack-left"), member("attack-right")];

const fn member(id: &'static str) -> Member {
    Member { id, name: "Nobody (made up)", kind: "council", policy: "council" }
}

/// In which role a question is asked, and for which purpose.
#[derive(Clone, Copy)]
pub(super) struct Asker {
    pub(super) role: &'static str,
    pub(super) purpose: &'static str,
}

/// Who is answered with noise, who is answered with withheld and rounded counts, and who gets noise that is too wide to be of use.
pub(super) const ATTACKER: Asker = Asker { role: "attacker", purpose: "attack" };
pub(super) const READER: Asker = Asker { role: "reader", purpose: "attack" };
pub(super) const WIDE_READER: Asker = Asker { role: "wide-reader", purpose: "attack" };

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

/// How long a question is asked again where a partner gives no answer for the moment; and how long apart.
const PATIENCE_S: u64 = 600;
const AGAIN_AFTER: Duration = Duration::from_secs(2);

/// How long an analyst dials: a handshake has ten seconds, which a machine with much else to do can miss.
const OPEN_IN_S: u64 = 60;

/// What a partner says where it has no answer for the moment, on a machine with much else to do: the look at the policy takes too long (CN013
/// in its log, nothing is in force meanwhile), a count took too long, or the equal question of a round that closed before is still being counted.
const FOR_THE_MOMENT: [&str; 3] = ["CN005", "CE002", "CA208"];

impl Side {
    const fn member(self) -> &'static Member {
        let [left, right] = &MEMBERS;
        match self {
            Self::Left => left,
            Self::Right => right,
        }
    }
}

/// What is attacked: two partners' policies and records, and who asks.
pub(super) struct Scene {
    pub(super) framework: &'static str,
    /// Left and right, as are the exports.
    pub(super) policies: [String; 2],
    /// Each a file's name and text, without the mapping.
    pub(super) exports: [Vec<(&'static str, String)>; 2],
    pub(super) mapping: fn(&str) -> String,
    /// Each has a credential for each of the roles.
    pub(super) analysts: usize,
    pub(super) roles: &'static [&'static str],
    /// Costs nothing that the attack does not spend anyway; answered as soon as the partners have taken up policy and records.
    pub(super) probe: (Asker, String),
}

impl Scene {
    /// For most of the attacks: the gate's own policy at both partners, with what the attacks on sums add to it where they are tried.
    pub(super) fn gate(made: &Made, rounds: &[Round], analysts: usize) -> Self {
        let sums = rounds.contains(&Round::Sums);
        let policy = if sums { format!("{POLICY}\n{HOURS}") } else { POLICY.to_owned() };
        Self {
            framework: FRAMEWORK,
            policies: [policy.clone(), policy],
            exports: SIDES.map(|side| made.export(side).into()),
            mapping,
            analysts,
            roles: &[ATTACKER.role, READER.role, WIDE_READER.role],
            probe: (READER, PROBE.to_owned()),
        }
    }

    fn policy(&self, side: Side) -> &str {
        let [left, right] = &self.policies;
        match side {
            Side::Left => left,
            Side::Right => right,
        }
    }

    fn export(&self, side: Side) -> &[(&'static str, String)] {
        let [left, right] = &self.exports;
        match side {
            Side::Left => left,
            Side::Right => right,
        }
    }
}

/// The framework and the policy of the gate's own partners, as texts.
pub(super) fn sources(policy: &str) -> Sources {
    texts(FRAMEWORK, policy)
}

fn texts(framework: &str, policy: &str) -> Sources {
    Sources {
        framework: File::new(FRAMEWORK_FILE, framework),
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
    analysts: usize,
    probe: (Asker, String),
}

/// The organisation of every attacker.
const WHOSE: &str = "Attacker (made up)";

/// The folder of the first analyst, and of the others.
fn analyst_folder(n: usize) -> String {
    if n == 0 { "analyst".to_owned() } else { format!("analyst-{n}") }
}

impl Attacked {
    pub(super) fn start(folder: &Path, scene: &Scene) -> Result<Self, Failure> {
        let staged = Staged::new(folder, ROUND_S)?;
        staged.make_federation("attack-gate", ("attacker", WHOSE), scene.roles, &MEMBERS)?;
        for n in 1..scene.analysts {
            staged.make_analyst((&format!("attacker-{n}"), WHOSE), &analyst_folder(n), scene.roles)?;
        }
        for side in SIDES {
            export(&staged, side, scene)?;
            make_node(&staged, side.member(), scene.framework, scene.policy(side))?;
            staged.load(side.member().id)?;
        }
        let running = staged.start(&MEMBERS)?;
        Ok(Self { staged, running, analysts: scene.analysts, probe: scene.probe.clone() })
    }

    async fn client(&self, analyst: usize) -> Result<Client, Failure> {
        let address = self.running.address.parse();
        let address =
            address.map_err(|_| Failure::new("CC503", "the coordinator's address is no address"))?;
        Client::connect(Path::new(&self.staged.path(&analyst_folder(analyst))), &address).await
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

fn export(staged: &Staged, side: Side, scene: &Scene) -> Result<(), Failure> {
    let id = side.member().id;
    let folder = PathBuf::from(staged.path(&format!("exports/{id}")));
    files::make_folder(&folder)?;
    for (name, text) in scene.export(side) {
        files::write_new(&folder.join(name), text)?;
    }
    files::write_new(&folder.join("mapping.toml"), &(scene.mapping)(id))
}

/// A node with a policy of the scene, approved by a made-up board.
fn make_node(staged: &Staged, member: &Member, framework: &str, policy: &str) -> Result<(), Failure> {
    let failed =
        || Failure::new("CC114", "the made-up board could not approve the gate's policy, which has errors");
    let today = london_day(context::now());
    let id = Name::new("attack-board").map_err(|_| failed())?;
    let board = MadeUpBoard::new(id, &context::random()?, today.plus_days(-1), today.plus_days(1_000));
    let board_file = PathBuf::from(staged.path(&format!("partners/{}/{BOARD_FILE}", member.id)));
    files::write_new(&board_file, &board.text())?;
    staged.make_node_under(member, &board_file)?;
    let partner = PartnerId::new(member.id).map_err(|_| failed())?;
    let sources = texts(framework, &instantiate(policy, &partner, member.name));
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

/// One of the attacker's analysts, who asks both partners.
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
    /// A session of the first analyst.
    pub(super) async fn open(attacked: &Attacked) -> Result<Self, Failure> {
        Self::open_as(attacked, 0).await
    }

    /// A session of the `n`th analyst, counted round where there are fewer.
    pub(super) async fn open_as(attacked: &Attacked, n: usize) -> Result<Self, Failure> {
        let until = context::now().plus_s(OPEN_IN_S);
        loop {
            match attacked.client(n % attacked.analysts.max(1)).await {
                Ok(client) => return Ok(Self { client }),
                Err(why) if context::now() > until => return Err(why),
                Err(_) => tokio::time::sleep(AGAIN_AFTER).await,
            }
        }
    }

    /// Waits until both partners answer. They are connected before they have taken up their policy and their records, which takes minutes on a machine
    /// with much else to do; a refusal until then is no finding.
    ///
    /// # Errors
    /// CC503 where one still does not after [`READY_IN_S`].
    pub(super) async fn ready(&mut self, attacked: &Attacked) -> Result<(), Failure> {
        let until = context::now().plus_s(READY_IN_S);
        let (asker, probe) = &attacked.probe;
        while !self.ask(*asker, probe).await?.iter().all(|reply| reply.table().is_some()) {
            if context::now() > until {
                return Err(Failure::new("CC503", "the attacked partners do not answer; see their logs"));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// Asks both partners, left and right; again where one has no answer for the moment ([`Reply::is_for_the_moment`]). What it counts meanwhile, or
    /// counted too late, it has in its store then: the same table, uncharged.
    pub(super) async fn ask(&mut self, asker: Asker, text: &str) -> Result<[Reply; 2], Failure> {
        let until = context::now().plus_s(PATIENCE_S);
        loop {
            let replies = self.ask_once(asker, text).await?;
            if context::now() > until || !replies.iter().any(Reply::is_for_the_moment) {
                return Ok(replies);
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }

    async fn ask_once(&mut self, asker: Asker, text: &str) -> Result<[Reply; 2], Failure> {
        let question = question(asker, text)?;
        let partners = SIDES.map(|side| PartnerId::new(side.member().id));
        let partners: Vec<PartnerId> = partners.into_iter().flatten().collect();
        let mut progress = Progress::begin("asking");
        let put = Put { question, partners, expires_in_s: EXPIRES_IN_S, put_as: None };
        let shown = self.client.ask(put, &mut progress).await;
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
    pub(super) async fn seen(&mut self, asker: Asker, text: &str, side: Side) -> Result<Seen, Failure> {
        let partner =
            PartnerId::new(side.member().id).map_err(|_| Failure::new("CC205", "the side is no partner"))?;
        let mut progress = Progress::begin("asking");
        let seen = self.client.seen(question(asker, text)?, partner, EXPIRES_IN_S, &mut progress).await;
        progress.end();
        let (took, result) = seen?;
        let reply = result.replies.first().map_or(0, |(_, bytes)| bytes.len());
        Ok(Seen { took, sizes: [reply, result.coverage.len()] })
    }

    pub(super) async fn close(self) {
        self.client.close().await;
    }
}

/// A question in words.
pub(super) fn question(asker: Asker, text: &str) -> Result<Question, Failure> {
    let wrong = |says: String| Failure::new("CC204", says);
    let role = Name::new(asker.role).map_err(|e| wrong(e.to_string()))?;
    let purpose = Name::new(asker.purpose).map_err(|e| wrong(e.to_string()))?;
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

    /// Whether the same question may be answered in a moment: the partner was late or away, or says so itself. On a slow machine that is no finding.
    fn is_for_the_moment(&self) -> bool {
        let says_so = |code: &str| FOR_THE_MOMENT.contains(&code);
        match self {
            Self::Table(_) => false,
            Self::Other(Standing::Late | Standing::Offline) => true,
            Self::Other(Standing::Fault(code)) => says_so(code),
            Self::Other(Standing::Refused(rules)) => rules.iter().any(|rule| says_so(&rule.code)),
            Self::Other(_) => false,
        }
    }

    /// Whether it was refused because the person's account has too little left in the year.
    pub(super) fn is_spent(&self) -> bool {
        matches!(self, Self::Other(Standing::Refused(rules)) if rules.iter().any(|rule| rule.code == "CA202"))
    }

    /// In a few words, for a line where a table was due.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Table(_) => "a table".to_owned(),
            Self::Other(standing) => format!("{standing:?}"),
        }
    }
}
