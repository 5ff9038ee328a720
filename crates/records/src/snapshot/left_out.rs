//! People who are left out of every load: they objected, or were erased. A keyed hash of each id is kept, never the id.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};

use cairn_question::Hash;
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::{Deserialize, Serialize};

use super::fault::StoreFault;
use super::store::Store;

/// The people whom a store leaves out. The key is the store's own, so that two partners' lists cannot be laid side by side; whoever has the
/// file can still try out ids.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// Format, 1.
    cairn_left_out: u8,
    key: Hash,
    people: BTreeSet<Hash>,
}

impl LeftOut {
    /// Nobody, under a new key.
    fn nobody() -> Result<Self, StoreFault> {
        let mut key = [0; 32];
        let none = |_| StoreFault::disk(DOING)(io::Error::other("the system has no randomness"));
        SystemRandom::new().fill(&mut key).map_err(none)?;
        Ok(Self { cairn_left_out: 1, key: Hash::from_bytes(key), people: BTreeSet::new() })
    }

    /// Whether this person is left out.
    #[must_use]
    pub fn holds(&self, id: &str) -> bool {
        !self.people.is_empty() && self.people.contains(&self.hash(id))
    }

    /// How many people are left out.
    #[must_use]
    pub fn len(&self) -> usize {
        self.people.len()
    }

    /// Whether nobody is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    fn hash(&self, id: &str) -> Hash {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.key.as_bytes());
        let mut digest = [0; 32];
        digest.copy_from_slice(hmac::sign(&key, id.as_bytes()).as_ref());
        Hash::from_bytes(digest)
    }
}

impl Store {
    /// Whom the next load leaves out; nobody where the list was never written.
    ///
    /// # Errors
    /// [`StoreFault::Unreadable`] for a damaged list: nobody is loaded on a guess.
    pub fn left_out(&self) -> Result<LeftOut, StoreFault> {
        let unreadable = || StoreFault::Unreadable { file: LEFT_OUT.to_owned() };
        let file = match fs::File::open(self.dir.join(LEFT_OUT)) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return LeftOut::nobody(),
            Err(e) => return Err(StoreFault::disk("read the list of people who are left out")(e)),
        };
        let mut text = String::new();
        file.take(LEFT_OUT_BYTES_MAX).read_to_string(&mut text).map_err(|_| unreadable())?;
        let list: LeftOut = serde_json::from_str(&text).map_err(|_| unreadable())?;
        if list.cairn_left_out == 1 { Ok(list) } else { Err(unreadable()) }
    }

    /// Leaves these people out of every load from now on. Says how many were not left out before.
    ///
    /// # Errors
    /// As [`Store::left_out`]; [`StoreFault::Busy`] while a load is under way, or what the disk says. The list before stays then.
    pub fn leave_out<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> Result<usize, StoreFault> {
        self.change_left_out(|list| {
            let hashes: Vec<Hash> = ids.into_iter().map(|id| list.hash(id)).collect();
            hashes.into_iter().filter(|hash| list.people.insert(*hash)).count()
        })
    }

    /// Takes these people in again from the next load on: they withdrew their objection. Says how many were left out before.
    ///
    /// # Errors
    /// As [`Store::leave_out`].
    pub fn take_in_again<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> Result<usize, StoreFault> {
        self.change_left_out(|list| {
            let hashes: Vec<Hash> = ids.into_iter().map(|id| list.hash(id)).collect();
            hashes.into_iter().filter(|hash| list.people.remove(hash)).count()
        })
    }

    fn change_left_out(&self, change: impl FnOnce(&mut LeftOut) -> usize) -> Result<usize, StoreFault> {
        let _lock = self.lock()?;
        let mut list = self.left_out()?;
        let changed = change(&mut list);
        let text = serde_json::to_vec(&list).map_err(|_| StoreFault::layout(LEFT_OUT, "it has no form"))?;
        let (path, next) = (self.dir.join(LEFT_OUT), self.dir.join("LEFT_OUT.next"));
        let _ = fs::remove_file(&next);
        let mut file = self.disk.create(&next).map_err(StoreFault::disk(DOING))?;
        file.write_all(&text).and_then(|()| file.sync()).map_err(StoreFault::disk(DOING))?;
        self.disk.rename(&next, &path).map_err(StoreFault::disk(DOING))?;
        self.disk.sync_dir(&self.dir).map_err(StoreFault::disk(DOING))?;
        Ok(changed)
    }
}

pub(super) const LEFT_OUT: &str = "LEFT_OUT";

const DOING: &str = "write the list of people who are left out";

/// Most bytes of the list: a million people at 74 bytes.
const LEFT_OUT_BYTES_MAX: u64 = 74_000_256;
