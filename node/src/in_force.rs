//! What is in force: the policy with its brake, and the snapshot. Looked at again and again, since boards, duty officers and loads
//! change files while the node runs.

mod at_work;
mod board;
mod judge;
pub(crate) mod kept;
mod lapse;
pub(crate) mod offer;
mod records;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cairn_gate::SnapshotFacts;
use cairn_policy::approval::Board;
use cairn_policy::folder::{BRAKE_FILE, FRAMEWORK_FILE, POLICY_FILE};
use cairn_policy::{File, Layers, london_day};
use cairn_question::answer::PolicyStatement;
use cairn_question::{Day, Hash, Moment, Name, PartnerId};
use cairn_records::{Snapshot, Store, StoreFault};

use crate::config::Config;
use at_work::{AtWork, Broke};
use board::{Boards, NO_PIN, Taken};
use judge::{Accepted, Before, Pin, errors, goes_back, judge};
use kept::{KeptApproval, KeptPolicy};
use lapse::Warned;
use offer::{Found, Look, Offer, digest_of, read};

pub use board::KEPT_BOARD_FILE;
pub(crate) use judge::{TurnedAway, WAITS};
pub use kept::{KEPT_FILE, KeptFault};
pub(crate) use lapse::in_words;
pub use offer::POLICY_BYTES_MAX;
pub(crate) use records::facts;

/// Rows of the last days come late. A snapshot that was loaded fewer than this many days after the day it stands for is
/// provisional: four weeks, the lag that the framework's policies leave.
pub const LATE_ROWS_DAYS: i32 = 28;

/// The policy that the node with this ledger keeps as the one in force; `None`: none ever was. Reads the node's own copy and
/// nothing else, so that it can be asked beside a running node.
///
/// # Errors
/// [`KeptFault`].
pub fn kept_policy(ledger_path: &Path) -> Result<Option<Layers>, KeptFault> {
    let kept: Option<KeptPolicy> = kept::read(&KeptPolicy::path(ledger_path))?;
    kept.map(|kept| kept.layers()).transpose()
}

/// What decides and what is counted, at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct InForce {
    /// `None`: nothing is answered.
    pub(crate) layers: Option<Arc<Layers>>,
    /// `None`: nothing can be counted.
    pub(crate) held: Option<Arc<Held>>,
    /// When the policy came into force at this node.
    pub(crate) since: Option<Moment>,
    /// The members whose signatures approved it.
    pub(crate) approved_by: Arc<[Name]>,
    /// What lies in the policy folder and did not come into force, and why.
    pub(crate) turned_away: Option<Arc<TurnedAway>>,
    /// The board whose approval counts.
    pub(crate) board: BoardInForce,
    /// Whether there is a brake file.
    pub(crate) brake: Brake,
}

/// Whose approval counts.
#[derive(Clone, Debug, Default)]
pub(crate) enum BoardInForce {
    /// Nobody's: no board is pinned.
    Unpinned,
    /// The pinned board's, once it lies in the folder.
    #[default]
    Awaited,
    /// This board's.
    Board(Arc<Board>),
}

/// Whether a brake file lies in the policy folder.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Brake {
    /// None.
    #[default]
    Absent,
    /// One that reads.
    Present,
    /// One that does not read: everything is paused.
    Unreadable,
}

/// A snapshot in force, with what the gate must know of it.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) snapshot: Snapshot,
    pub(crate) facts: SnapshotFacts,
}

/// What a look found changed, for the log and the audit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Change {
    /// Another policy is in force.
    Policy,
    /// A policy was turned away; the one before stays.
    PolicyTurnedAway(TurnedAway),
    /// After a policy was turned away the files are those of the policy in force again.
    PolicyAsBefore,
    /// The node's own copy of the policy in force is of no use.
    KeptTurnedAway { code: &'static str, finding: String },
    /// A last day comes near, or has passed.
    Lapses { code: &'static str, finding: String },
    /// Another board approves from now on.
    Board,
    /// A board was turned away; the one before stays.
    BoardTurnedAway(TurnedAway),
    /// The brake was set, changed or released.
    Brake { findings: Vec<String> },
    /// Another snapshot is in force.
    Snapshot,
    /// A snapshot was turned away; the one before stays.
    SnapshotTurnedAway { code: &'static str },
}

/// Where a node's files are.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    pub(crate) policy_dir: PathBuf,
    pub(crate) data_dir: PathBuf,
    pub(crate) ledger_path: PathBuf,
    /// SHA-256 of the board's file, as the configuration pins it.
    pub(crate) pin: Option<Hash>,
}

impl Places {
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            policy_dir: config.policy_dir.clone(),
            data_dir: config.data_dir.clone(),
            ledger_path: config.ledger_path.clone(),
            pin: config.board,
        }
    }

    /// Where the node keeps its own copy of the policy.
    pub(crate) fn kept(&self) -> PathBuf {
        KeptPolicy::path(&self.ledger_path)
    }
}

/// Looks at the files and says what changed. Reads them whole each time: a time stamp can lie, and they are small.
pub(crate) struct Watcher {
    partner: PartnerId,
    places: Places,
    store: Store,
    seen: Seen,
    /// The policy that was last put in force at this node, perhaps before its last start: versions only rise.
    last: Option<PolicyStatement>,
    boards: Boards,
    /// Why the folder's board was turned away last, so that it is said once.
    board_turned_away: Option<TurnedAway>,
    /// The node's own copy of the policy in force.
    kept: Option<KeptPolicy>,
    /// The policy in force without its brake.
    base: Option<Layers>,
    in_force: InForce,
    /// What was found before the first look.
    found: Vec<Change>,
    /// A judgement under way.
    judging: Option<Judging>,
    /// A snapshot that is being read whole.
    checking: Option<AtWork<Result<Option<Snapshot>, StoreFault>>>,
    /// How long a look waits for a judgement.
    patience: Duration,
}

/// A policy that is being judged.
struct Judging {
    offer: Offer,
    day: Day,
    /// What it is judged by: the board's file, and the policy that was last in force.
    by: (Option<Hash>, Option<PolicyStatement>),
    at_work: AtWork<Result<Accepted, TurnedAway>>,
}

/// Digests of what was last looked at, whether it was put in force or turned away.
#[derive(Default)]
struct Seen {
    policy: Option<Hash>,
    /// The London day of that look: a policy may wait for its first day.
    day: Option<Day>,
    brake: Option<Hash>,
    pointer: Option<Hash>,
}

impl Watcher {
    /// `last` is the policy that the ledger knows as the last one in force. What the node kept of it is in force at once.
    pub(crate) fn new(
        partner: PartnerId,
        last: Option<PolicyStatement>,
        places: Places,
    ) -> Result<Self, StoreFault> {
        let (boards, told) = Boards::open(&places.ledger_path, places.pin);
        let mut watcher = Self {
            partner,
            boards,
            board_turned_away: None,
            store: Store::open(&places.data_dir)?,
            places,
            seen: Seen::default(),
            last,
            kept: None,
            base: None,
            in_force: InForce::default(),
            found: told.map(Change::BoardTurnedAway).into_iter().collect(),
            judging: None,
            checking: None,
            patience: AT_START,
        };
        let kept = watcher.take_up_kept();
        watcher.found.extend(kept);
        watcher.show_board();
        Ok(watcher)
    }

    pub(crate) const fn in_force(&self) -> &InForce {
        &self.in_force
    }

    /// Looks once. Blocks while the small files are read, and no longer than [`Watcher::patience`] each for a judgement and a snapshot.
    pub(crate) fn look(&mut self, now: Moment) -> Vec<Change> {
        let mut changes = std::mem::take(&mut self.found);
        // The brake first, and once more under a new policy.
        let kept = changes.contains(&Change::Policy);
        changes.extend(self.look_at_brake(kept));
        let policy = self.look_at_policy_folder(now);
        let new = policy.contains(&Change::Policy);
        changes.extend(policy);
        changes.extend(new.then(|| self.look_at_brake(true)).flatten());
        changes.extend(self.look_at_snapshot());
        changes.extend(self.look_at_last_days(now));
        self.patience = JUDGED_WITHIN;
        changes
    }

    fn take_up_kept(&mut self) -> Option<Change> {
        let turned_away = |finding: String| Some(Change::KeptTurnedAway { code: "CN521", finding });
        let kept: KeptPolicy = match kept::read(&self.places.kept()) {
            Ok(kept) => kept?,
            Err(fault) => return turned_away(fault.to_string()),
        };
        match self.known(&kept) {
            Ok(layers) => {
                self.last = Some(layers.statement().clone());
                self.show_kept(layers, kept);
                Some(Change::Policy)
            }
            Err(finding) => turned_away(finding),
        }
    }

    /// The layers of a copy that is this partner's, and no other than the ledger names as the last.
    fn known(&self, kept: &KeptPolicy) -> Result<Layers, String> {
        let layers = kept.layers().map_err(|fault: KeptFault| fault.to_string())?;
        if *layers.partner() != self.partner {
            return Err(format!("the node's own copy is of the policy of `{}`", layers.partner()));
        }
        match self.last.as_ref().and_then(|last| goes_back(last, layers.statement())) {
            Some(finding) => Err(format!("the node's own copy is not of the last policy: {finding}")),
            None => Ok(layers),
        }
    }

    fn look_at_policy_folder(&mut self, now: Moment) -> Vec<Change> {
        let today = london_day(now);
        let look = offer::look(&self.places.policy_dir);
        let same_files = self.seen.policy.replace(look.digest) == Some(look.digest);
        if self.seen.day.replace(today) == Some(today) && same_files {
            return Vec::new();
        }
        // The board first: a policy may come with the board that approved it.
        let board = self.look_at_board(&look, now, today);
        let policy = self.look_at_policy(look.policy, now, today);
        board.into_iter().chain(policy).collect()
    }

    fn look_at_board(&mut self, look: &Look, now: Moment, today: Day) -> Option<Change> {
        let offered = look.board.as_ref()?;
        let change = match self.boards.offer(offered, now, today) {
            Ok(taken) => {
                self.board_turned_away = None;
                (taken == Taken::Up).then_some(Change::Board)
            }
            // A folder without a pin is told once, with the policy that lies in it.
            Err(why) if why.code == NO_PIN && matches!(look.policy, Found::Offer(_)) => None,
            Err(why) => {
                let known = self.board_turned_away.replace(why.clone()).as_ref() == Some(&why);
                (!known).then_some(Change::BoardTurnedAway(why))
            }
        };
        self.show_board();
        change
    }

    fn look_at_policy(&mut self, found: Found, now: Moment, today: Day) -> Option<Change> {
        let offer = match found {
            // Nothing was ever there: that is no news, and every question is told so.
            Found::Nothing if self.base.is_none() => return None,
            Found::Nothing | Found::Unreadable => {
                let says = format!("{FRAMEWORK_FILE} or {POLICY_FILE} cannot be read");
                return self.turn_away(TurnedAway::one("CN511", says));
            }
            Found::Offer(offer) => offer,
        };
        if self.kept.as_ref().is_some_and(|kept| kept.is(&offer)) {
            return self.in_force.turned_away.take().map(|_| Change::PolicyAsBefore);
        }
        let Some(judged) = self.judged(&offer, today) else {
            // The judgement goes on: a brake must not wait for it.
            self.seen.day = None;
            return None;
        };
        match judged.and_then(|accepted| self.keep(&offer, accepted, now)) {
            Ok(()) => Some(Change::Policy),
            Err(turned_away) => self.turn_away(turned_away),
        }
    }

    /// What is to be said of an offer, once it is known: every kind of question is tried, on a thread of its own.
    fn judged(&mut self, offer: &Offer, today: Day) -> Option<Result<Accepted, TurnedAway>> {
        let waiting = self.judging.take().unwrap_or_else(|| self.begin_to_judge(offer.clone(), today));
        match waiting.at_work.ended(self.patience) {
            None => {
                self.judging = Some(waiting);
                None
            }
            Some(Err(Broke)) => Some(Err(TurnedAway::one("CN516", "the judgement of the policy broke"))),
            // The files or the board changed meanwhile: the next look judges what lies there now.
            Some(Ok(_))
                if waiting.offer != *offer || waiting.day != today || waiting.by != self.judged_by() =>
            {
                None
            }
            Some(Ok(judged)) => Some(judged),
        }
    }

    fn judged_by(&self) -> (Option<Hash>, Option<PolicyStatement>) {
        (self.boards.board().map(|board| board.document().hash), self.last.clone())
    }

    fn begin_to_judge(&self, offer: Offer, day: Day) -> Judging {
        let (partner, last, base) = (self.partner.clone(), self.last.clone(), self.base.clone());
        let (board, offered) = (self.boards.board().cloned(), offer.clone());
        let pin = if self.boards.unpinned() { Pin::Missing } else { Pin::Set };
        let at_work = AtWork::begin(move || {
            let (last, base, board) = (last.as_ref(), base.as_ref(), board.as_ref());
            let before = Before { partner: &partner, last, base, board, pin };
            judge(&offered, before, day)
        });
        Judging { offer, day, by: self.judged_by(), at_work }
    }

    /// Keeps a copy of what was accepted, and puts it in force. What cannot be kept is not in force: a restart would lose it.
    fn keep(&mut self, offer: &Offer, accepted: Accepted, now: Moment) -> Result<(), TurnedAway> {
        let kept = KeptPolicy {
            cairn_policy_in_force: 1,
            since: now,
            framework: offer.framework.clone(),
            policy: offer.policy.clone(),
            approval: KeptApproval::of(offer, &accepted.approved),
            warned: Warned::default(),
        };
        if let Err(cause) = kept::write(&self.places.kept(), &kept) {
            // A disk that is full may have room at the next look.
            self.seen.day = None;
            return Err(TurnedAway::one("CN522", format!("the node cannot keep its own copy: {cause}")));
        }
        self.last = Some(accepted.layers.statement().clone());
        self.in_force.turned_away = None;
        self.show_kept(accepted.layers, kept);
        Ok(())
    }

    fn show_kept(&mut self, layers: Layers, kept: KeptPolicy) {
        self.in_force.since = Some(kept.since);
        self.in_force.approved_by = kept.approval.signers.as_slice().into();
        (self.base, self.kept) = (Some(layers), Some(kept));
    }

    fn show_board(&mut self) {
        self.in_force.board = match self.boards.board() {
            Some(board) => BoardInForce::Board(Arc::new(board.clone())),
            None if self.boards.unpinned() => BoardInForce::Unpinned,
            None => BoardInForce::Awaited,
        };
    }

    /// Remembers why the folder's policy is not in force; news where it was not said just before.
    fn turn_away(&mut self, turned_away: TurnedAway) -> Option<Change> {
        let known = self.in_force.turned_away.as_deref() == Some(&turned_away);
        self.in_force.turned_away = Some(Arc::new(turned_away.clone()));
        (!known).then_some(Change::PolicyTurnedAway(turned_away))
    }

    fn look_at_last_days(&mut self, now: Moment) -> Vec<Change> {
        let (Some(base), Some(kept)) = (&self.base, &mut self.kept) else { return Vec::new() };
        let news = kept.warned.news(base.in_force().1, base.review_by(), london_day(now));
        // Where the copy cannot be written, the same is told once more after the next start.
        if !news.is_empty() && kept::write(&self.places.kept(), kept).is_err() {
            tracing::warn!(code = "CN522", "what was warned of could not be kept");
        }
        let tell =
            |(lapse, stage, last)| Change::Lapses { code: "CN523", finding: in_words(lapse, stage, last) };
        news.into_iter().map(tell).collect()
    }

    /// Applies the brake to the policy in force, when one of the two changed.
    fn look_at_brake(&mut self, policy: bool) -> Option<Change> {
        let text = read(&self.places.policy_dir.join(BRAKE_FILE));
        let digest = digest_of(std::slice::from_ref(&text), &[]);
        let changed = self.seen.brake.replace(digest).is_none_or(|before| before != digest);
        if !changed && !policy {
            return None;
        }
        let file = match text {
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            // A brake that cannot be read has been pulled all the same: a text that is no brake pauses everything.
            Err(_) => Some(File::new(BRAKE_FILE, UNREADABLE)),
            Ok(text) => Some(File::new(BRAKE_FILE, text)),
        };
        let was = self.in_force.brake;
        let mut found = Vec::new();
        if let Some(base) = &self.base {
            let (layers, findings) = base.with_brake(file.as_ref());
            self.in_force.layers = Some(Arc::new(layers));
            found = errors(&findings);
        }
        self.in_force.brake = match (&file, found.is_empty()) {
            (None, _) => Brake::Absent,
            (Some(_), true) => Brake::Present,
            (Some(_), false) => Brake::Unreadable,
        };
        let news = changed && (was != Brake::Absent || self.in_force.brake != Brake::Absent);
        news.then_some(Change::Brake { findings: found })
    }
}

/// How long the first look waits for a judgement, and for the records to be read: nothing is answered before it.
const AT_START: Duration = Duration::from_secs(60);

/// How long a look waits for either before it goes on to the brake, which is in force within a second: an ordinary policy takes less.
#[cfg(not(test))]
const JUDGED_WITHIN: Duration = Duration::from_millis(200);

/// Tests look once.
#[cfg(test)]
const JUDGED_WITHIN: Duration = Duration::from_secs(60);

/// Not TOML, so that the policy crate takes it for a brake that cannot be read.
const UNREADABLE: &str = "= the file cannot be read";

#[cfg(test)]
mod tests;
