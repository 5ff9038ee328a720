//! Whose approval counts at this node: the board that was pinned at installation, or one that it handed over to.
//!
//! The pin in the configuration is where trust begins, and no more: it lets the first `board.toml` in. From then on the node keeps
//! the board, and only a hand-over signed by the old and the new board changes it.

use std::path::{Path, PathBuf};

use cairn_policy::approval::{Board, lf, rotate};
use cairn_policy::folder::{BOARD_APPROVAL_FILE, BOARD_APPROVALS_DIR, BOARD_FILE};
use cairn_policy::{File, Severity};
use cairn_question::{Day, Hash, Moment};
use serde::{Deserialize, Serialize};

use super::judge::{TurnedAway, reasons};
use super::kept::{self, KeptFault};
use super::offer::OfferedBoard;

/// The node's own copy of the board, beside the ledger.
pub const KEPT_BOARD_FILE: &str = "board-in-force.json";

/// The code of a policy or a board that no pin vouches for.
pub(crate) const NO_PIN: &str = "CN524";

/// The board as the node keeps it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeptBoard {
    /// Format, 1.
    cairn_board_in_force: u8,
    /// When it came into force at this node.
    since: Moment,
    /// The pin that its line of boards began with.
    pin: Hash,
    /// The exact text.
    board: String,
}

/// Looks after the board in force.
#[derive(Debug)]
pub(crate) struct Boards {
    kept_at: PathBuf,
    pin: Option<Hash>,
    kept: Option<KeptBoard>,
    board: Option<Board>,
}

impl Boards {
    /// With the board that the node kept, or none; and what is wrong with its copy, or with the pin.
    pub(crate) fn open(ledger_path: &Path, pin: Option<Hash>) -> (Self, Option<TurnedAway>) {
        let kept_at = ledger_path.with_file_name(KEPT_BOARD_FILE);
        let mut boards = Self { kept_at, pin, kept: None, board: None };
        let told = boards.take_up_kept().err();
        (boards, told)
    }

    pub(crate) const fn board(&self) -> Option<&Board> {
        self.board.as_ref()
    }

    /// Whether there is neither a board nor a pin that could let one in.
    pub(crate) const fn unpinned(&self) -> bool {
        self.board.is_none() && self.pin.is_none()
    }

    fn take_up_kept(&mut self) -> Result<(), TurnedAway> {
        let of_no_use =
            |fault: &KeptFault| TurnedAway::one("CN521", format!("the copy of the board: {fault}"));
        let kept: Option<KeptBoard> = kept::read(&self.kept_at).map_err(|fault| of_no_use(&fault))?;
        let Some(kept) = kept else { return Ok(()) };
        let board = load(&kept.board)?;
        let other_pin = self.pin.is_some_and(|pin| pin != kept.pin && pin != board.hash());
        let says = format!(
            "the pin in the configuration is not of the board in force, {}, which stays: only a hand-over changes it",
            board.hash()
        );
        (self.board, self.kept) = (Some(board), Some(kept));
        if other_pin { Err(TurnedAway::one("CN526", says)) } else { Ok(()) }
    }

    /// Takes up the board of the folder, if it is another. Says whether it did.
    pub(crate) fn offer(
        &mut self,
        offered: &OfferedBoard,
        now: Moment,
        today: Day,
    ) -> Result<Taken, TurnedAway> {
        if self.kept.as_ref().is_some_and(|kept| lf(&kept.board) == lf(&offered.text)) {
            return Ok(Taken::AsBefore);
        }
        let hash = Hash::of(lf(&offered.text).as_bytes());
        let pin = match (&self.board, &self.kept, self.pin) {
            (Some(old), Some(kept), _) => {
                hand_over(old, offered, today)?;
                kept.pin
            }
            (_, _, Some(pin)) if pin == hash => pin,
            (_, _, Some(pin)) => {
                let says = format!("{BOARD_FILE} is {hash}, and the pin is {pin}");
                return Err(TurnedAway::one("CN525", says));
            }
            (_, _, None) => return Err(no_pin(Some(hash))),
        };
        let board = load(&offered.text)?;
        let kept = KeptBoard { cairn_board_in_force: 1, since: now, pin, board: offered.text.clone() };
        kept::write(&self.kept_at, &kept).map_err(|cause| {
            TurnedAway::one("CN522", format!("the node cannot keep its own copy of the board: {cause}"))
        })?;
        (self.board, self.kept) = (Some(board), Some(kept));
        Ok(Taken::Up)
    }
}

/// What became of the folder's board.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Taken {
    /// It is the one in force already.
    AsBefore,
    /// It is in force now.
    Up,
}

/// What to do where nothing is pinned.
pub(crate) fn no_pin(board: Option<Hash>) -> TurnedAway {
    let hash = board.map_or_else(|| "sha256:…".to_owned(), |hash| hash.to_string());
    let says = format!(
        "no board is pinned: check {BOARD_FILE} with its members, write board = \"{hash}\" into node.toml, and start the node again"
    );
    TurnedAway::one(NO_PIN, says)
}

fn hand_over(old: &Board, offered: &OfferedBoard, today: Day) -> Result<(), TurnedAway> {
    let new = load(&offered.text)?;
    let Some(note) = &offered.approval.note else {
        let says = format!(
            "{BOARD_FILE} differs from the board in force, {}: {BOARD_APPROVAL_FILE} and {BOARD_APPROVALS_DIR}/ must say that both boards agreed",
            old.hash()
        );
        return Err(TurnedAway::one("CN527", says));
    };
    match rotate(old, &new, note, &offered.approval.signatures, today) {
        Ok(rotated) => {
            tracing::info!(signers = ?rotated.signers(), "a board handed over to the next");
            Ok(())
        }
        Err(why) => Err(TurnedAway { code: "CN527", findings: reasons(&why) }),
    }
}

fn load(text: &str) -> Result<Board, TurnedAway> {
    Board::load(&File::new(BOARD_FILE, text)).map_err(|findings| {
        let errors = findings.iter().filter(|f| f.severity == Severity::Error);
        let findings = errors.map(|f| format!("{BOARD_FILE}:{}: {} {}", f.line, f.code, f.says)).collect();
        TurnedAway { code: "CN525", findings }
    })
}
