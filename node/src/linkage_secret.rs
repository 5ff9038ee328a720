//! The life of the linkage secret at this node: made here where this node is its keeper, else asked for over the link, kept in a file of its own,
//! and gone with its roster.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cairn_link::frame::{HANDED_BYTES_MAX, Handed};
use cairn_question::{Envelope, Hash, Moment, PartnerId, SigningKey};
use cairn_seal::linkage_secret::{Asking, Party};
use cairn_seal::{LinkageSecret, Roster};
use ring::rand::SystemRandom;
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::disk;
use crate::seats::{NoSeat, Seats, SeatsFile};
use crate::secret::others_can_read;
use crate::status::LinkageState;

/// The file's name, in the identity folder beside the register that it goes with.
pub const LINKAGE_SECRET_FILE: &str = "linkage-secret";

/// Beside the ledger, at a keeper: of which roster it made the secret last. In another folder than the secret, so that the two are not lost together.
pub(crate) const LINKAGE_MADE_FILE: &str = "linkage-made";

/// The linkage secret of the roster in force, and the way to it.
pub(crate) struct LinkageSecretFile {
    path: PathBuf,
    made_path: PathBuf,
    partner: PartnerId,
    /// Signs what is asked with, and what is sealed for others.
    key: Arc<SigningKey>,
    /// Held while the file is looked at or written: two threads never make two secrets of one roster.
    file: Mutex<Told>,
    waiting: Mutex<Option<Waiting>>,
    /// What this node asks the keeper with, for the link.
    asking: watch::Sender<Option<Vec<u8>>>,
}

/// What was last said, so that it is said once.
#[derive(Default)]
struct Told {
    complaint: Option<Complaint>,
    state: Option<LinkageState>,
}

/// Why there is no secret from the file: a stable code, and in words.
type Complaint = (&'static str, &'static str);

/// A secret that was asked for and has not come. The half of the key agreement is in memory only: after a restart it is asked for anew.
struct Waiting {
    roster: Hash,
    asking: Asking,
    document: Vec<u8>,
    again_at: Moment,
    wait_s: u64,
}

/// What the file holds.
enum Kept {
    /// A secret, of the roster of this version and hash.
    Secret {
        version: u32,
        roster: Hash,
        bytes: Zeroizing<[u8; 32]>,
    },
    Nothing,
    /// A file that is none, or that cannot be used; why.
    Unusable(&'static str),
}

impl LinkageSecretFile {
    pub(crate) fn new(
        (identity_dir, ledger_path): (&Path, &Path),
        partner: PartnerId,
        key: Arc<SigningKey>,
    ) -> Self {
        Self {
            path: identity_dir.join(LINKAGE_SECRET_FILE),
            made_path: ledger_path.with_file_name(LINKAGE_MADE_FILE),
            partner,
            key,
            file: Mutex::default(),
            waiting: Mutex::default(),
            asking: watch::Sender::new(None),
        }
    }

    /// The secret of this roster: as it was handed over or, at the keeper, made now where there is none of this roster yet. `None` while it has not
    /// come. Blocks.
    ///
    /// A roster that is older than the file's has none any more: its secret went with it. A keeper that made one and has lost it makes no other: some would count by the
    /// first and some by the second.
    pub(crate) fn for_roster(&self, seats: &Seats) -> Option<LinkageSecret> {
        let mut told = locked(&self.file);
        let roster = *seats.roster.hash();
        let kept = read(&self.path);
        let complaint = self.complaint(&kept, seats);
        if std::mem::replace(&mut told.complaint, complaint) != complaint
            && let Some((code, why)) = complaint
        {
            tracing::error!(code, why, "there is no linkage secret from its file");
        }
        match kept {
            Kept::Secret { roster: of, bytes, .. } if of == roster => {
                Some(LinkageSecret::restored(roster, *bytes))
            }
            Kept::Secret { version, .. } if version >= seats.roster.version() => None,
            _ if complaint.is_some() => None,
            Kept::Secret { .. } | Kept::Nothing if self.is_keeper(seats) => self.make(&seats.roster),
            Kept::Secret { .. } => {
                // Of a roster that is no more.
                let _ = std::fs::remove_file(&self.path);
                None
            }
            Kept::Nothing | Kept::Unusable(_) => None,
        }
    }

    fn complaint(&self, kept: &Kept, seats: &Seats) -> Option<Complaint> {
        match kept {
            Kept::Unusable(why) => Some(("CN532", *why)),
            Kept::Secret { roster, .. } if roster == seats.roster.hash() => None,
            Kept::Secret { .. } | Kept::Nothing => {
                self.has_lost(seats).then_some((LOST, "it was made and is lost"))
            }
        }
    }

    /// Whether this node is the keeper, made the secret of this roster, and has it no more. Blocks.
    pub(crate) fn has_lost(&self, seats: &Seats) -> bool {
        let made = self.is_keeper(seats).then(|| std::fs::read(&self.made_path).ok()).flatten();
        made.is_some_and(|made| made == note_of(&seats.roster))
            && !matches!(read(&self.path), Kept::Secret { roster, .. } if roster == *seats.roster.hash())
    }

    /// What this node asks the keeper with, while it has no secret.
    pub(crate) fn asking(&self) -> watch::Receiver<Option<Vec<u8>>> {
        self.asking.subscribe()
    }

    /// How it stands, as of the last look.
    pub(crate) fn state(&self) -> Option<LinkageState> {
        locked(&self.file).state.clone()
    }

    /// Sees to it that there is the secret of the roster in force, or that it is asked for. Blocks.
    pub(crate) fn look(&self, seats: &SeatsFile, now: Moment) {
        let seats = match seats.look() {
            Ok(seats) => seats,
            Err(NoSeat::Unseated) => return self.forget(),
            // A register that cannot be read says nothing of who is in the roster: what is here stays.
            Err(NoSeat::Missing | NoSeat::Register(_) | NoSeat::Older) => return,
        };
        let Some(keeper) = seats.linkage_keeper.clone() else { return self.forget() };
        let here = self.for_roster(&seats).is_some();
        locked(&self.file).state = Some(LinkageState { keeper, here });
        if here {
            self.settle();
        } else if !self.is_keeper(&seats) {
            self.ask(&seats, now);
        }
    }

    /// Asks again where the last asking has waited long enough: the keeper may not have had the register yet. Blocks for nothing.
    pub(crate) fn remind(&self, now: Moment) {
        let mut waiting = locked(&self.waiting);
        let due = waiting.as_mut().filter(|waiting| now >= waiting.again_at);
        if let Some(waiting) = due {
            waiting.again_at = now.plus_s(waiting.wait_s);
            waiting.wait_s = waiting.wait_s.saturating_mul(2).min(ASK_AGAIN_S_MAX);
            self.asking.send_replace(Some(waiting.document.clone()));
        }
    }

    /// Takes a flight of the hand-over: under this node's own id what the keeper sealed for it, under another's what that one asked with. Gives what
    /// goes back. Blocks.
    pub(crate) fn hand_over(&self, seats: &SeatsFile, handed: Handed) -> Option<Handed> {
        let seats = seats.look().ok()?;
        if handed.asker == self.partner {
            self.take(&seats, &handed.document);
            return None;
        }
        let document = self.seal(&seats, &handed)?;
        Some(Handed { asker: handed.asker, document })
    }

    fn seal(&self, seats: &Seats, handed: &Handed) -> Option<Vec<u8>> {
        let (_, asker) = seats.roster.of_partner(&handed.asker).filter(|_| self.is_keeper(seats))?;
        let secret = self.for_roster(seats)?;
        let asking = Envelope::parse(&handed.document, HANDED_BYTES_MAX).ok()?;
        let asker = Party { node: asker.node, key: &asker.key };
        match secret.seal_for(&asking, asker, (seats.own, &self.key), &SystemRandom::new()) {
            Ok(sealed) => Some(sealed.to_bytes()),
            Err(why) => {
                tracing::warn!(code = why.code(), asker = %handed.asker, "the linkage secret is not handed over: {why}");
                None
            }
        }
    }

    fn take(&self, seats: &Seats, document: &[u8]) {
        let keeper = seats.linkage_keeper.as_ref().and_then(|keeper| seats.roster.of_partner(keeper));
        let (Some((_, maker)), Ok(sealed)) = (keeper, Envelope::parse(document, HANDED_BYTES_MAX)) else {
            return;
        };
        let mut waiting = locked(&self.waiting);
        // Answers serve once, and one that comes twice is of nothing that is asked any more.
        let Some(asked) = waiting.take_if(|waiting| waiting.roster == *seats.roster.hash()) else { return };
        drop(waiting);
        match asked.asking.open(&sealed, Party { node: maker.node, key: &maker.key }) {
            Ok(secret) => {
                let mut told = locked(&self.file);
                if self.write(&seats.roster, &secret) {
                    tracing::info!(keeper = %maker.partner, "the linkage secret of the roster is here");
                    told.state = Some(LinkageState { keeper: maker.partner.clone(), here: true });
                }
                drop(told);
                self.settle();
            }
            // The next look asks with a fresh key.
            Err(why) => tracing::warn!(code = why.code(), "the linkage secret was not taken: {why}"),
        }
    }

    fn ask(&self, seats: &Seats, now: Moment) {
        let roster = *seats.roster.hash();
        let mut waiting = locked(&self.waiting);
        if waiting.as_ref().is_some_and(|waiting| waiting.roster == roster) {
            return;
        }
        match Asking::new(roster, (seats.own, &self.key), &SystemRandom::new()) {
            Ok((asking, document)) => {
                let document = document.to_bytes();
                self.asking.send_replace(Some(document.clone()));
                let again_at = now.plus_s(ASK_AGAIN_S);
                *waiting = Some(Waiting { roster, asking, document, again_at, wait_s: 2 * ASK_AGAIN_S });
            }
            Err(why) => tracing::error!(code = why.code(), "the linkage secret cannot be asked for: {why}"),
        }
    }

    /// The keeper's: the caller holds the file.
    fn make(&self, roster: &Roster) -> Option<LinkageSecret> {
        let secret = LinkageSecret::make(*roster.hash(), &SystemRandom::new()).ok()?;
        let kept = self.write(roster, &secret) && self.note(roster);
        if kept {
            tracing::info!(version = roster.version(), "made the linkage secret of the roster");
        }
        // One that is not kept would be another one after the next start.
        kept.then_some(secret)
    }

    /// Notes that the secret of this roster was made, before anybody is given it.
    fn note(&self, roster: &Roster) -> bool {
        let noted = disk::replace(&self.made_path, &note_of(roster));
        if let Err(cause) = &noted {
            tracing::error!(code = "CN532", %cause, "that the linkage secret was made could not be noted");
        }
        noted.is_ok()
    }

    fn write(&self, roster: &Roster, secret: &LinkageSecret) -> bool {
        let text =
            [TAG, &roster.version().to_be_bytes(), roster.hash().as_bytes(), secret.to_keep()].concat();
        let written = disk::replace(&self.path, &Zeroizing::new(text));
        if let Err(cause) = &written {
            tracing::error!(code = "CN532", %cause, "the linkage secret could not be kept");
        }
        written.is_ok()
    }

    fn settle(&self) {
        *locked(&self.waiting) = None;
        self.asking.send_if_modified(|asking| asking.take().is_some());
    }

    /// The federation counts nobody once any more, or this node has no part in it.
    fn forget(&self) {
        let mut told = locked(&self.file);
        told.state = None;
        let _ = std::fs::remove_file(&self.path);
        drop(told);
        self.settle();
    }

    fn is_keeper(&self, seats: &Seats) -> bool {
        seats.linkage_keeper.as_ref() == Some(&self.partner)
    }
}

fn read(path: &Path) -> Kept {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Kept::Nothing,
        Err(_) => return Kept::Unusable("it cannot be read"),
    };
    if others_can_read(&file).unwrap_or(true) {
        return Kept::Unusable("it can be read by others; it must be its owner's alone");
    }
    // One byte more than it has, so that a longer file is found to be none.
    let most = u64::try_from(FILE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = Zeroizing::new(Vec::with_capacity(FILE_BYTES + 1));
    let read = file.take(most).read_to_end(&mut text).is_ok();
    kept(&text).filter(|_| read).unwrap_or(Kept::Unusable("it is not a linkage secret"))
}

fn kept(text: &[u8]) -> Option<Kept> {
    let rest = text.strip_prefix(TAG)?;
    let (version, rest) = rest.split_first_chunk()?;
    let (roster, secret) = rest.split_first_chunk()?;
    let bytes = Zeroizing::new(secret.try_into().ok()?);
    Some(Kept::Secret { version: u32::from_be_bytes(*version), roster: Hash::from_bytes(*roster), bytes })
}

/// Every change under these locks is one assignment, so a thread that panicked left nothing half done.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a keeper notes of a secret that it made: whose, and nothing of it.
fn note_of(roster: &Roster) -> Vec<u8> {
    [MADE_TAG, &roster.version().to_be_bytes(), roster.hash().as_bytes()].concat()
}

const TAG: &[u8] = b"cairn linkage secret 1\n";

const MADE_TAG: &[u8] = b"cairn linkage made 1\n";

/// The code of a keeper that made the secret of the roster in force and has lost it.
pub(crate) const LOST: &str = "CN030";

/// Tag, the roster's version and hash, the secret.
const FILE_BYTES: usize = TAG.len() + 4 + 32 + 32;

/// How long an asking waits before it is sent again; twice as long each time.
const ASK_AGAIN_S: u64 = 1;

/// The longest wait: a keeper that is away for days is asked a few hundred times a day.
const ASK_AGAIN_S_MAX: u64 = 300;

#[cfg(test)]
mod tests;
