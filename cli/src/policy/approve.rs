//! `cairn policy approve` and `verify`: a board's signatures under the note about a policy.

use std::path::{Path, PathBuf};

use cairn_policy::Sources;
use cairn_policy::approval::{self, Board, Change, English, Facts, Note};
use cairn_policy::folder::{APPROVAL_FILE, APPROVALS_DIR, BOARD_FILE};
use cairn_question::{Day, Hash, Name};
use clap::Args;

use super::board::{self, Signing};
use super::given::{Files, Loaded, beside, today};
use super::key::MemberKey;
use super::note::{self, Places};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::say;

/// A policy that a board is asked to approve.
#[derive(Args)]
pub(crate) struct Offered {
    #[command(flatten)]
    pub(super) files: Files,
    /// The board; without it, `board.toml` beside the policy
    #[arg(long, value_name = "FILE")]
    pub(super) board: Option<PathBuf>,
    /// The policy file in force, which this one replaces; without it, this one is the first
    #[arg(long, value_name = "OLD")]
    pub(super) replaces: Option<PathBuf>,
    /// The framework of OLD, where it is another
    #[arg(long, value_name = "FILE", requires = "replaces")]
    framework_old: Option<PathBuf>,
}

#[derive(Args)]
#[command(after_help = APPROVE_HELP)]
pub(crate) struct Approve {
    #[command(flatten)]
    offered: Offered,
    #[command(flatten)]
    signing: Signing,
}

const APPROVE_HELP: &str = "\
Read first what is signed: cairn policy explain FILE, and cairn policy diff OLD FILE.
Writes approval.txt and approvals/ID.sig beside the policy; nothing is overwritten.
Or sign with OpenSSH: cairn policy approve FILE --note-only --minute \"…\", then
  ssh-keygen -Y sign -f KEY -n cairn-policy@v1 approval.txt && mv approval.txt.sig approvals/ID.sig";

#[derive(Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    offered: Offered,
    /// The day on which the keys must count, in Europe/London; without it, today
    #[arg(long, value_name = "YYYY-MM-DD")]
    on: Option<Day>,
    /// Print the board's keys as `ssh-keygen -Y verify -f` takes them, and nothing else
    #[arg(long)]
    allowed_signers: bool,
}

/// What is true of the policy, and who judges it.
struct Case {
    facts: Facts,
    english: Hash,
    board: Board,
    places: Places,
}

pub(super) fn approve(args: &Approve) -> Result<Exit, Failure> {
    let case = args.offered.case()?;
    // Whoever cannot sign leaves no note behind.
    let signer = args.signing.signer();
    let signer = signer.map(|(id, key)| case.key(id, key, &args.signing).map(|key| (id, key))).transpose()?;
    let text = note::written(&case.places, args.signing.minute.as_deref(), |given| {
        let minute = given.minute(|text| Note::parse(text).ok().map(|n| n.minute))?;
        Ok(case.facts.note(case.english, &case.board, minute).print())
    })?;
    say::out(&text);
    if let Some((id, key)) = signer {
        note::sign(&case.places, &text, &key, id.as_str())?;
    }
    let signatures = note::signatures(&case.places);
    let stands = approval::approve(&case.board, &case.facts, &text, &signatures, today());
    note::still_missing(&stands.err().unwrap_or_default());
    Ok(Exit::Done)
}

impl Case {
    /// The member's key, open: the one that the board has of them, and one that counts today.
    fn key(&self, id: &Name, key: &Path, signing: &Signing) -> Result<MemberKey, Failure> {
        let member = self.board.member(id.as_str()).ok_or_else(|| note::stranger(id))?;
        if !member.valid_on(today()) {
            let says = format!("the key of `{id}` counts from {} to before {}", member.from, member.to);
            return Err(Failure::bad_file("CC413", says));
        }
        let key = MemberKey::open(key, &signing.passphrase)?;
        if key.public()? != member.key {
            return Err(note::other_key(id));
        }
        Ok(key)
    }
}

pub(super) fn verify(args: &Verify) -> Result<Exit, Failure> {
    if args.allowed_signers {
        say::out(&args.offered.board()?.allowed_signers());
        return Ok(Exit::Done);
    }
    let case = args.offered.case()?;
    let (text, signatures) = (note::read(&case.places)?, note::signatures(&case.places));
    let day = args.on.unwrap_or_else(today);
    match approval::approve(&case.board, &case.facts, &text, &signatures, day) {
        Ok(approved) => {
            note::uncounted(approved.uncounted());
            say::out(&text);
            say::out(&format!("\nAPPROVED by {}.\n", note::names(approved.signers())));
            Ok(Exit::Done)
        }
        Err(reasons) => Ok(note::not_approved(&reasons)),
    }
}

impl Offered {
    fn board(&self) -> Result<Board, Failure> {
        let near = beside(&self.files.policy, BOARD_FILE);
        board::load(self.board.as_ref().unwrap_or(&near))
    }

    /// The facts as a node works them out: the diff is made anew, whatever a note says.
    fn case(&self) -> Result<Case, Failure> {
        let board = self.board()?;
        let (new, old) = self.both()?;
        let change = Change::between(old.as_ref().map(|o| &o.layers), &new.layers)
            .map_err(|e| Failure::bad_file("CC407", e.to_string()))?;
        let replaces = old.as_ref().map(|o| o.layers.statement().hash);
        // The brake is nobody's to sign.
        let signed = Sources { brake: None, ..new.sources };
        let english = approval::english(&new.layers);
        let facts = Facts::of(&new.layers, &signed, replaces, change, English::Is(english))
            .ok_or_else(|| Failure::bad_file("CC401", "the framework has no id"))?;
        let policy = &self.files.policy;
        let places =
            Places { note: beside(policy, APPROVAL_FILE), signatures: beside(policy, APPROVALS_DIR) };
        Ok(Case { facts, english, board, places })
    }

    /// The policy, and the one that it replaces, each with its own framework.
    pub(super) fn both(&self) -> Result<(Loaded, Option<Loaded>), Failure> {
        let new = self.files.load()?;
        let framework = self.framework_old.as_ref().or(self.files.under.framework.as_ref());
        let old = self.replaces.as_ref().map(|old| self.files.under.load_with(old, framework)).transpose()?;
        follows(&new, old.as_ref())?;
        Ok((new, old))
    }
}

/// The policy names the file that it replaces, and its version is higher: a node takes no other.
fn follows(new: &Loaded, old: Option<&Loaded>) -> Result<(), Failure> {
    let says = new.layers.supersedes();
    let Some(old) = old.map(|o| o.layers.statement()) else {
        if let Some(hash) = says {
            let text = format!(
                "the policy replaces {hash}, and no --replaces was given: a node with a policy in force will not take this approval"
            );
            say::warning("CC418", &text);
        }
        return Ok(());
    };
    let new = new.layers.statement();
    if says != Some(old.hash) {
        let text = format!(
            "the policy does not say that it replaces OLD; write in [policy]: supersedes = \"{}\"",
            old.hash
        );
        return Err(Failure::bad_file("CC416", text));
    }
    if new.id != old.id || new.version <= old.version {
        let text = format!(
            "{} version {} does not follow {} version {}; keep the id and raise the version",
            new.id, new.version, old.id, old.version
        );
        return Err(Failure::bad_file("CC416", text));
    }
    Ok(())
}
