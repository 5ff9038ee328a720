//! The ends of other partners' ledgers, kept as a second copy: where the coordinator's store was lost or put back too, a restored
//! ledger is still noticed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cairn_link::frame::LedgerEnd;
use cairn_question::checkpoint::CHECKPOINT_BYTES_MAX;
use cairn_question::limits::PARTNERS_MAX;
use cairn_question::{CheckpointV1, Name, PartnerId};

use crate::disk;

/// Beside the ledger: a folder with a file of each partner.
const FOLDER: &str = ".kept";
const SUFFIX: &str = ".json";

/// What is kept for others, in memory and beside the ledger.
///
/// This node has no key of another partner, so whether an end is signed by whom it names is for the coordinator and that partner to see; here
/// it only has to name this federation and that partner, and to be later than the one before.
pub(crate) struct Others {
    federation: Name,
    folder: PathBuf,
    kept: Mutex<BTreeMap<PartnerId, Vec<u8>>>,
    /// Held while a file is written, so that the later end is the one that stays.
    writing: Mutex<()>,
}

impl Others {
    /// What was kept when the node stopped. A file that is none is left out.
    pub(crate) fn open(ledger_path: &Path, federation: Name) -> Self {
        let mut folder = ledger_path.as_os_str().to_owned();
        folder.push(FOLDER);
        let folder = PathBuf::from(folder);
        let kept = read_all(&folder, &federation);
        Self { federation, folder, kept: Mutex::new(kept), writing: Mutex::new(()) }
    }

    /// Every end that is kept.
    pub(crate) fn all(&self) -> Vec<LedgerEnd> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let end = |(partner, checkpoint): (&PartnerId, &Vec<u8>)| LedgerEnd {
            partner: partner.clone(),
            checkpoint: checkpoint.clone(),
        };
        kept.iter().map(end).collect()
    }

    /// Takes an end in, where it takes the place of the one before. Says whether it is to be written.
    fn take(&self, end: LedgerEnd) -> bool {
        let Some(new) = readable(&end.checkpoint, &self.federation, &end.partner) else { return false };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let before = kept.get(&end.partner);
        let room = before.is_some() || kept.len() < PARTNERS_MAX;
        let later = before.and_then(|b| CheckpointV1::peek(b)).is_none_or(|before| new.replaces(&before));
        if room && later {
            kept.insert(end.partner, end.checkpoint);
        }
        room && later
    }

    fn write(&self, partner: &PartnerId) {
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(partner).cloned();
        let Some(now) = now else { return };
        let path = self.folder.join(format!("{partner}{SUFFIX}"));
        let written = std::fs::create_dir_all(&self.folder).and_then(|()| disk::replace(&path, &now));
        if let Err(cause) = written {
            tracing::warn!(code = "CN531", %cause, %partner, "the end of another partner's ledger could not be kept");
        }
    }
}

/// Keeps an end, and writes it on a thread that may block.
pub(crate) fn keep(others: &Arc<Others>, end: LedgerEnd) {
    let partner = end.partner.clone();
    if others.take(end) {
        let others = Arc::clone(others);
        tokio::task::spawn_blocking(move || others.write(&partner));
    }
}

fn readable(bytes: &[u8], federation: &Name, partner: &PartnerId) -> Option<CheckpointV1> {
    let short = bytes.len() <= CHECKPOINT_BYTES_MAX;
    let end = short.then(|| CheckpointV1::peek(bytes)).flatten()?;
    (end.federation == *federation && end.partner == *partner).then_some(end)
}

fn read_all(folder: &Path, federation: &Name) -> BTreeMap<PartnerId, Vec<u8>> {
    let Ok(files) = std::fs::read_dir(folder) else { return BTreeMap::new() };
    let read = |file: std::fs::DirEntry| {
        let name = file.file_name().into_string().ok()?;
        let partner = PartnerId::new(name.strip_suffix(SUFFIX)?).ok()?;
        let fits = file.metadata().is_ok_and(|m| {
            m.is_file() && usize::try_from(m.len()).is_ok_and(|bytes| bytes <= CHECKPOINT_BYTES_MAX)
        });
        let bytes = fits.then(|| std::fs::read(file.path()).ok()).flatten()?;
        readable(&bytes, federation, &partner).map(|_| (partner, bytes))
    };
    files.flatten().filter_map(read).take(PARTNERS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_question::{Hash, Moment, SigningKey};

    fn end(partner: &str, entries: u64) -> LedgerEnd {
        let key = SigningKey::from_pkcs8(&SigningKey::make_pkcs8().unwrap()).unwrap();
        let partner = PartnerId::new(partner).unwrap();
        let checkpoint = CheckpointV1 {
            cairn_checkpoint: 1,
            federation: Name::new("nolb").unwrap(),
            partner: partner.clone(),
            at: Moment::from_unix_s(5),
            entries,
            hash: Hash::of(&entries.to_be_bytes()),
            given_up: None,
        };
        LedgerEnd { partner, checkpoint: checkpoint.sign(&key).to_bytes() }
    }

    fn open(folder: &Path, federation: &str) -> Others {
        Others::open(&folder.join("ledger.db"), Name::new(federation).unwrap())
    }

    fn all(others: &Others) -> Vec<(String, u64)> {
        let end = |e: LedgerEnd| {
            (e.partner.to_string(), CheckpointV1::peek(&e.checkpoint).map_or(0, |c| c.entries))
        };
        others.all().into_iter().map(end).collect()
    }

    #[test]
    fn the_later_end_of_each_partner_is_kept_over_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let others = open(folder.path(), "nolb");
        for (next, taken) in [
            (end("angus", 3), true),
            (end("angus", 2), false),
            (end("fife", 7), true),
            (end("angus", 4), true),
        ] {
            let partner = next.partner.clone();
            assert_eq!(others.take(next), taken);
            others.write(&partner);
        }
        let expected = [("angus".to_owned(), 4), ("fife".to_owned(), 7)];
        assert_eq!(all(&others), expected);
        assert_eq!(all(&open(folder.path(), "nolb")), expected);
        assert_eq!(all(&open(folder.path(), "demo")), [], "of another federation");
    }

    #[test]
    fn what_is_no_end_of_that_partner_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let others = open(folder.path(), "nolb");
        let check = |partner: &str, checkpoint: Vec<u8>| {
            let partner = PartnerId::new(partner).unwrap();
            assert!(!others.take(LedgerEnd { partner, checkpoint }));
        };
        check("angus", Vec::new());
        check("angus", b"{}".to_vec());
        check("angus", vec![b' '; CHECKPOINT_BYTES_MAX + 1]);
        check("angus", end("fife", 3).checkpoint);
        std::fs::create_dir(folder.path().join("ledger.db.kept")).unwrap();
        std::fs::write(folder.path().join("ledger.db.kept/angus.json"), b"half").unwrap();
        assert_eq!(all(&open(folder.path(), "nolb")), []);
    }
}
