//! A made-up board with keys from a seed: for the demonstration and for tests. Whoever knows the seed can sign as every member, so
//! it is no board for anybody's data.

use std::fmt::Write as _;

use cairn_question::{Day, Hash, Name};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::board::Board;
use super::facts::english;
use super::key::PublicKey;
use super::lf;
use super::note::{BoardNote, Change, Document, Minute};
use super::quorum::{English, Facts};
use super::sshsig::{self, NAMESPACE};
use crate::finding::{File, Sources};
use crate::folder::{APPROVAL_FILE, APPROVALS_DIR, BOARD_APPROVAL_FILE, BOARD_APPROVALS_DIR, BOARD_FILE};
use crate::layers::Layers;

/// The members of every made-up board.
pub const MADE_UP_MEMBERS: [&str; 4] = ["convener", "siro", "caldicott-guardian", "dpo"];

/// Who signs for a loosening: two of the three, and the data protection officer.
pub const MADE_UP_QUORUM: [&str; 3] = ["convener", "siro", "dpo"];

/// A board that nobody sits on.
#[derive(Clone)]
pub struct MadeUpBoard {
    id: Name,
    version: u32,
    seed: Hash,
    valid: (Day, Day),
}

/// A file for the policy folder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Placed {
    /// Its path within the folder.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl MadeUpBoard {
    /// Version 1 of a board whose keys come from a seed and count from one day to before another.
    #[must_use]
    pub fn new(id: Name, seed: &[u8], from: Day, to: Day) -> Self {
        Self { id, version: 1, seed: Hash::of(seed), valid: (from, to) }
    }

    /// The next version, with other keys.
    #[must_use]
    pub fn next(&self) -> Self {
        let seed = Hash::of(self.seed.to_string().as_bytes());
        Self { seed, version: self.version.saturating_add(1), ..self.clone() }
    }

    /// `board.toml`.
    #[must_use]
    pub fn text(&self) -> String {
        let (from, to) = self.valid;
        let mut text = format!(
            "# A made-up board: whoever knows its seed can sign as every member.\ncairn_board = 1\n[board]\nid = \"{}\"\nversion = {}\n\
             [quorum]\nloosen  = {{ need = 2, of = [\"convener\", \"siro\", \"caldicott-guardian\"], and = [\"dpo\"] }}\n\
             tighten = {{ need = 1, of = [\"convener\", \"siro\", \"caldicott-guardian\", \"dpo\"] }}\n\
             board   = {{ need = 3, of = [\"convener\", \"siro\", \"caldicott-guardian\", \"dpo\"] }}\n",
            self.id, self.version
        );
        for member in MADE_UP_MEMBERS {
            let Some(key) = self.pair(member).as_ref().and_then(public) else { continue };
            let _ = write!(
                text,
                "[[member]]\nid = \"{member}\"\nname = \"Made-up {member}\"\nkey = \"{key}\"\nvalid = {{ from = {from}, to = {to} }}\n"
            );
        }
        text
    }

    /// SHA-256 of `board.toml`, for a node to pin.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Hash::of(self.text().as_bytes())
    }

    /// The approval of a policy by these members, as files for its folder: `approval.txt` and a signature of each. `None` where the
    /// policy does not load.
    #[must_use]
    pub fn approve(
        &self,
        sources: &Sources,
        replaces: Option<Hash>,
        change: Change,
        members: &[&str],
    ) -> Option<Vec<Placed>> {
        let sources = Sources { brake: None, ..sources.clone() };
        let layers = Layers::load(&sources).ok()?;
        let board = Board::load(&File::new(BOARD_FILE, self.text())).ok()?;
        let english = english(&layers);
        let facts = Facts::of(&layers, &sources, replaces, change, English::Is(english))?;
        let minute = Minute::new("made up: nobody met").ok()?;
        let note = facts.note(english, &board, minute).print();
        Some(self.signed(APPROVAL_FILE, APPROVALS_DIR, &note, "", members))
    }

    /// The hand-over to the next board, as files for the policy folder: `board.toml`, `board-approval.txt` and a signature of each of
    /// these members under the old key and under the new.
    #[must_use]
    pub fn hand_over(&self, to: &Self, members: &[&str]) -> Option<Vec<Placed>> {
        let text = to.text();
        let board = Document::of(to.id.clone(), to.version, &text);
        let minute = Minute::new("made up: nobody met").ok()?;
        let note = BoardNote { board, replaces: self.hash(), minute }.print();
        let (note_file, folder) = (BOARD_APPROVAL_FILE, BOARD_APPROVALS_DIR);
        let mut files = self.signed(note_file, folder, &note, ".old", members);
        files.extend(to.signed(note_file, folder, &note, ".new", members));
        files.push(Placed { path: BOARD_FILE.to_owned(), text });
        Some(files)
    }

    fn signed(
        &self,
        note_file: &str,
        folder: &str,
        note: &str,
        which: &str,
        members: &[&str],
    ) -> Vec<Placed> {
        let signature = |member: &&str| {
            let path = format!("{folder}/{member}{which}.sig");
            self.sign(member, note).map(|text| Placed { path, text })
        };
        let note_file = Placed { path: note_file.to_owned(), text: note.to_owned() };
        std::iter::once(note_file).chain(members.iter().filter_map(signature)).collect()
    }

    fn sign(&self, member: &str, note: &str) -> Option<String> {
        let pair = self.pair(member)?;
        let signature = pair.sign(&sshsig::to_be_signed(NAMESPACE, lf(note).as_bytes()));
        let (point, signature) =
            (pair.public_key().as_ref().try_into().ok()?, signature.as_ref().try_into().ok()?);
        Some(sshsig::armour(point, NAMESPACE, signature))
    }

    fn pair(&self, member: &str) -> Option<Ed25519KeyPair> {
        let seed = Hash::of(format!("{} {member}", self.seed).as_bytes());
        Ed25519KeyPair::from_seed_unchecked(seed.as_bytes()).ok()
    }
}

fn public(pair: &Ed25519KeyPair) -> Option<PublicKey> {
    Some(PublicKey::from_ed25519(pair.public_key().as_ref().try_into().ok()?))
}
