//! Linkage keys: what makes the same person at two partners the same.
//!
//! A key is derived when an export is loaded, kept in the snapshot's sealed linkage file and nowhere else, and hashed under a question's own sub-key when
//! people are counted once. It is never sent; nothing here can print one. What it does not protect against, and how often it is wrong:
//! `docs/reference/linkage.md`.

use cairn_question::{Day, LinkedBy};
use ring::hmac;
use std::fmt;
use zeroize::{Zeroize as _, Zeroizing};

mod names;
mod nino;

pub use nino::Prefixes;

/// By what the records of a programme are linked. One method for a whole dataset, at every partner: two methods would count a person
/// twice wherever one partner has the number and another does not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Method {
    /// By National Insurance number, without its suffix letter.
    Nino(Prefixes),
    /// By letters 2, 3 and 5 of the family name, 2 and 3 of the first name, and the date of birth: SLK-581 without sex.
    Slk,
}

/// What a record says about who it is of. Borrowed, and looked at only.
#[derive(Clone, Copy)]
pub struct Identity<'a> {
    /// As the export writes it; empty where there is none.
    pub nino: &'a str,
    /// The family name, or empty.
    pub family_name: &'a str,
    /// The first name, or empty.
    pub first_name: &'a str,
    /// The date of birth, with its day.
    pub born: Option<Day>,
}

/// A linkage key: of one person, whatever the partner. Wiped when dropped; no `Debug` of it, no way out but [`QuestionKey::hash`].
pub struct LinkageKey(Zeroizing<[u8; KEY_BYTES]>);

/// The key of one question, made from the linkage secret. Hashes of two questions have nothing in common.
pub struct QuestionKey(hmac::Key);

/// A linkage key under a question's key: what a bucket is chosen by. Wiped when dropped.
pub struct LinkageHash(Zeroizing<[u8; 32]>);

/// Why a record has no key. Counted, never shown by record.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum NoKey {
    /// What the method needs is blank: the number, a name, or the date of birth.
    Blank,
    /// Not the form of a National Insurance number.
    NotANino,
    /// A number that is never issued, or a temporary one (`TN`).
    NeverIssued,
    /// A name in another script than Latin: SLK-581 has no letters to take.
    NotLatin,
    /// A word that stands for no name, such as `unknown`, or a date of birth that stands for none, such as 1 January 1900.
    Placeholder,
}

/// How many records had a key, and how many had none and why. `records()` of both together are all that were looked at.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LinkageTally {
    /// With a key.
    pub with_key: u64,
    /// [`NoKey::Blank`].
    pub blank: u64,
    /// [`NoKey::NotANino`].
    pub not_a_nino: u64,
    /// [`NoKey::NeverIssued`].
    pub never_issued: u64,
    /// [`NoKey::NotLatin`].
    pub not_latin: u64,
    /// [`NoKey::Placeholder`].
    pub placeholder: u64,
}

impl Method {
    /// Its word in a question: made-up numbers are numbers.
    #[must_use]
    pub const fn linked_by(self) -> LinkedBy {
        match self {
            Self::Nino(_) => LinkedBy::Nino,
            Self::Slk => LinkedBy::Slk,
        }
    }

    /// The key of a record by this method and no other: a record without what the method needs has none, even if another method would find one.
    ///
    /// # Errors
    /// [`NoKey`].
    pub fn key(self, of: &Identity<'_>) -> Result<LinkageKey, NoKey> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        let written = match self {
            Self::Nino(prefixes) => nino::write(of.nino, prefixes, key.as_mut_slice()),
            Self::Slk => names::write(of, key.as_mut_slice()),
        };
        written.map(|()| LinkageKey(key))
    }

    /// The same, counted.
    pub fn key_counted(self, of: &Identity<'_>, tally: &mut LinkageTally) -> Option<LinkageKey> {
        let key = self.key(of);
        tally.add(key.as_ref().map(|_| ()).map_err(|why| *why));
        key.ok()
    }
}

impl LinkageKey {
    /// As the sealed file of a snapshot keeps it.
    pub(crate) fn as_bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// A key as it was kept; `None` for a person without one.
    pub(crate) fn from_bytes(kept: &[u8]) -> Option<Self> {
        let key = Zeroizing::new(<[u8; KEY_BYTES]>::try_from(kept).ok()?);
        key.iter().any(|byte| *byte != 0).then_some(Self(key))
    }
}

impl QuestionKey {
    /// Takes the sub-key of a question.
    #[must_use]
    pub fn new(mut sub_key: [u8; 32]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &sub_key);
        sub_key.zeroize();
        Self(key)
    }

    /// HMAC-SHA256 of a key: the same at every partner that holds the linkage secret.
    #[must_use]
    pub fn hash(&self, key: &LinkageKey) -> LinkageHash {
        let tag = hmac::sign(&self.0, key.0.as_slice());
        let mut hash = Zeroizing::new([0; 32]);
        hash.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        LinkageHash(hash)
    }
}

impl LinkageHash {
    /// The bytes. They never leave the node: a bucket's number is all that is made of them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl LinkageTally {
    /// Without a key, for whatever reason.
    #[must_use]
    pub const fn without_key(&self) -> u64 {
        self.blank + self.not_a_nino + self.never_issued + self.not_latin + self.placeholder
    }

    /// All records.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.with_key + self.without_key()
    }

    const fn add(&mut self, found: Result<(), NoKey>) {
        match found {
            Ok(()) => self.with_key += 1,
            Err(NoKey::Blank) => self.blank += 1,
            Err(NoKey::NotANino) => self.not_a_nino += 1,
            Err(NoKey::NeverIssued) => self.never_issued += 1,
            Err(NoKey::NotLatin) => self.not_latin += 1,
            Err(NoKey::Placeholder) => self.placeholder += 1,
        }
    }
}

impl fmt::Debug for LinkageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkageKey(withheld)")
    }
}
impl fmt::Debug for LinkageHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkageHash(withheld)")
    }
}
impl fmt::Debug for QuestionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("QuestionKey(withheld)")
    }
}
impl fmt::Debug for Identity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(withheld)")
    }
}

/// A letter for the method, then 8 characters of a number, or 5 letters and 8 digits.
pub(crate) const KEY_BYTES: usize = 14;

#[cfg(test)]
mod tests;
