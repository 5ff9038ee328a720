//! The sealed linkage file of a snapshot: each person's linkage key by number, under a key that this store made for itself.
//!
//! It is there so that people can be counted once long after the export is gone. Nothing but [`Linkage::hash`] reads a key out of it.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use cairn_question::Hash;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

use super::disk::Disk;
use super::fault::StoreFault;
use super::manifest::LinkageEntry;
use super::store::Snapshot;
use crate::linkage::{KEY_BYTES, LinkageHash, LinkageKey, Method, Prefixes, QuestionKey};

/// Each person's linkage key, by number. In memory only while people are counted once or a snapshot is written; wiped when dropped, and `Debug` shows nothing.
pub struct Linkage {
    method: Method,
    /// [`KEY_BYTES`] a person, all zeros for who has no key.
    slots: Zeroizing<Vec<u8>>,
}

/// The store's own key of its linkage files.
struct FileKey(LessSafeKey);

impl Linkage {
    /// Nobody has a key yet, of `persons` who are numbered from 0.
    #[must_use]
    pub fn nobody(method: Method, persons: u32) -> Self {
        let bytes = usize::try_from(persons).unwrap_or(usize::MAX).saturating_mul(KEY_BYTES);
        Self { method, slots: Zeroizing::new(vec![0; bytes]) }
    }

    /// Notes a person's key. A number beyond the last is nobody's and is left out.
    pub fn set(&mut self, person: u32, key: &LinkageKey) {
        self.put(person, key.as_bytes());
    }

    /// By what these records are linked.
    #[must_use]
    pub const fn method(&self) -> Method {
        self.method
    }

    /// How many persons are numbered, with a key or without. Staff among them have none.
    #[must_use]
    pub fn persons(&self) -> u32 {
        u32::try_from(self.slots.len() / KEY_BYTES).unwrap_or(u32::MAX)
    }

    /// How many of them have a key.
    #[must_use]
    pub fn with_key(&self) -> u32 {
        let keyed = self.slots.chunks_exact(KEY_BYTES).filter(|slot| is_key(slot)).count();
        u32::try_from(keyed).unwrap_or(u32::MAX)
    }

    /// A person's key under a question's own: the same at every partner that knows the person. `None` for who has no key.
    #[must_use]
    pub fn hash(&self, person: u32, question: &QuestionKey) -> Option<LinkageHash> {
        LinkageKey::from_bytes(self.slot(person)?).map(|key| question.hash(&key))
    }

    /// Takes over what another of the same method has at `from`.
    pub(crate) fn take_over(&mut self, person: u32, other: &Self, from: u32) {
        if let Some(slot) = other.slot(from) {
            self.put(person, slot);
        }
    }

    /// Those who are left when `gone`, ascending, are taken out, with dense numbers.
    pub(super) fn without(&self, gone: &[u32]) -> Self {
        let stays: Vec<u32> = (0..self.persons()).filter(|p| gone.binary_search(p).is_err()).collect();
        let mut left = Self::nobody(self.method, u32::try_from(stays.len()).unwrap_or(u32::MAX));
        for (to, from) in (0..).zip(stays) {
            left.take_over(to, self, from);
        }
        left
    }

    fn put(&mut self, person: u32, key: &[u8]) {
        let slot = place(person).and_then(|place| self.slots.get_mut(place));
        slot.into_iter().flatten().zip(key).for_each(|(to, from)| *to = *from);
    }

    fn slot(&self, person: u32) -> Option<&[u8]> {
        self.slots.get(place(person)?)
    }

    /// Head, nonce, sealed slots and tag. The slots are sealed where they stand, so that no copy of them is left.
    fn seal(mut self, edition: u32, key: &FileKey) -> Result<Vec<u8>, StoreFault> {
        let head = head(self.method, edition, self.persons())?;
        let mut nonce = [0; NONCE_LEN];
        fill(&mut nonce)?;
        let once = Nonce::assume_unique_for_key(nonce);
        let tag = key.0.seal_in_place_separate_tag(once, Aad::from(&head), self.slots.as_mut_slice());
        let tag = tag.map_err(|_| StoreFault::layout(LINKAGE, "it is too long to seal"))?;
        Ok([&head, nonce.as_slice(), &self.slots, tag.as_ref()].concat())
    }

    /// Opens a file of this edition and this number of persons. The head is held by the tag like the rest.
    fn open(bytes: &[u8], edition: u32, persons: u32, key: &FileKey) -> Option<Self> {
        let (found, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
        let method = method(*found.get(TAG.len())?)?;
        if *found != head(method, edition, persons).ok()? {
            return None;
        }
        let mut slots = Zeroizing::new(sealed.to_vec());
        let once = Nonce::assume_unique_for_key(*nonce);
        let opened = key.0.open_in_place(once, Aad::from(found), slots.as_mut_slice()).ok()?.len();
        slots.truncate(opened);
        let linkage = Self { method, slots };
        let whole = linkage.persons() == persons && opened.is_multiple_of(KEY_BYTES);
        whole.then_some(linkage)
    }

    /// Writes the file of an edition that is being staged, and says how the manifest names it.
    pub(super) fn write(
        self,
        disk: &dyn Disk,
        (store, staged): (&Path, &Path),
        edition: u32,
    ) -> Result<LinkageEntry, StoreFault> {
        let doing = StoreFault::disk("write the sealed linkage file");
        let key = FileKey::of(store, disk)?;
        let bytes = self.seal(edition, &key)?;
        let mut file = disk.create(&staged.join(LINKAGE)).map_err(&doing)?;
        file.write_all(&bytes).and_then(|()| file.sync()).map_err(&doing)?;
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(LinkageEntry { file: LINKAGE.to_owned(), sha256: Hash::of(&bytes), bytes: size })
    }
}

impl Snapshot {
    /// The linkage keys of its people; `None` where the mapping named nothing to link by, or an older program wrote the snapshot.
    ///
    /// # Errors
    /// [`StoreFault::LinkageKey`] where this store's key is gone, [`StoreFault::LinkageNotOpened`] where the file is another's or was changed.
    pub fn linkage(&self) -> Result<Option<Linkage>, StoreFault> {
        let Some(entry) = &self.manifest().linkage else { return Ok(None) };
        let doing = StoreFault::disk("read the sealed linkage file");
        let key = FileKey::read(&self.store)?.ok_or(StoreFault::LinkageKey)?;
        let mut bytes = Vec::new();
        let file = File::open(self.dir.join(&entry.file)).map_err(&doing)?;
        file.take(entry.bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(&doing)?;
        let manifest = self.manifest();
        let linkage = Linkage::open(&bytes, manifest.edition, manifest.persons, &key);
        linkage.map(Some).ok_or(StoreFault::LinkageNotOpened { edition: manifest.edition })
    }

    /// What an erasure carries over. A file that nobody can open any more is no reason to keep somebody who is to be erased: it goes with them.
    pub(super) fn linkage_if_open(&self) -> Result<Option<Linkage>, StoreFault> {
        match self.linkage() {
            Err(StoreFault::LinkageKey | StoreFault::LinkageNotOpened { .. }) => Ok(None),
            read => read,
        }
    }
}

impl FileKey {
    /// The store's key, made where there is none. Whoever calls holds the store's lock.
    fn of(store: &Path, disk: &dyn Disk) -> Result<Self, StoreFault> {
        if let Some(key) = Self::read(store)? {
            return Ok(key);
        }
        let doing = StoreFault::disk("write the key of the linkage file");
        let mut bytes = Zeroizing::new([0; FILE_KEY_BYTES]);
        fill(bytes.as_mut_slice())?;
        let next = store.join("LINKAGE_KEY.next");
        let _ = std::fs::remove_file(&next);
        let mut file = disk.create(&next).map_err(&doing)?;
        file.write_all(bytes.as_slice()).and_then(|()| file.sync()).map_err(&doing)?;
        disk.rename(&next, &store.join(LINKAGE_KEY)).map_err(&doing)?;
        disk.sync_dir(store).map_err(&doing)?;
        Self::new(bytes.as_slice()).ok_or(StoreFault::LinkageKey)
    }

    fn read(store: &Path) -> Result<Option<Self>, StoreFault> {
        let doing = StoreFault::disk("read the key of the linkage file");
        let file = match File::open(store.join(LINKAGE_KEY)) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(doing(e)),
        };
        // One byte more than a key has, so that a longer file is told apart.
        let mut bytes = Zeroizing::new(Vec::with_capacity(FILE_KEY_BYTES + 1));
        let most = u64::try_from(FILE_KEY_BYTES).unwrap_or(u64::MAX).saturating_add(1);
        file.take(most).read_to_end(&mut bytes).map_err(&doing)?;
        Self::new(&bytes).map(Some).ok_or(StoreFault::LinkageKey)
    }

    fn new(bytes: &[u8]) -> Option<Self> {
        UnboundKey::new(&AES_256_GCM, bytes).ok().map(LessSafeKey::new).map(Self)
    }
}

impl fmt::Debug for Linkage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Linkage(withheld)")
    }
}

/// What the file says in clear, and what its tag holds: whose form it is, by what its people are linked, of which edition, how many.
fn head(of: Method, edition: u32, persons: u32) -> Result<[u8; HEAD_BYTES], StoreFault> {
    let text = [TAG.as_slice(), &[letter(of)], &edition.to_be_bytes(), &persons.to_be_bytes()].concat();
    text.try_into().map_err(|_| StoreFault::layout(LINKAGE, "its head has another length"))
}

const fn letter(of: Method) -> u8 {
    match of {
        Method::Nino(Prefixes::Issued) => b'N',
        Method::Nino(Prefixes::AndMadeUp) => b'M',
        Method::Slk => b'S',
    }
}

const fn method(letter: u8) -> Option<Method> {
    match letter {
        b'N' => Some(Method::Nino(Prefixes::Issued)),
        b'M' => Some(Method::Nino(Prefixes::AndMadeUp)),
        b'S' => Some(Method::Slk),
        _ => None,
    }
}

fn is_key(slot: &[u8]) -> bool {
    slot.iter().any(|byte| *byte != 0)
}

fn place(person: u32) -> Option<std::ops::Range<usize>> {
    let from = usize::try_from(person).ok()?.checked_mul(KEY_BYTES)?;
    Some(from..from.checked_add(KEY_BYTES)?)
}

fn fill(bytes: &mut [u8]) -> Result<(), StoreFault> {
    let none =
        |_| StoreFault::disk("seal the linkage file")(io::Error::other("the system has no randomness"));
    SystemRandom::new().fill(bytes).map_err(none)
}

/// The file's name within its snapshot.
const LINKAGE: &str = "linkage.sealed";

/// The key's file, beside the editions and in none of them.
const LINKAGE_KEY: &str = "LINKAGE_KEY";

const FILE_KEY_BYTES: usize = 32;

const TAG: &[u8; 15] = b"cairn linkage 1";

/// Tag, letter of the method, edition, persons.
const HEAD_BYTES: usize = TAG.len() + 1 + 4 + 4;
