//! Issuers vouch for analysts: a key of their own, pinned at every node, and small signed statements.

use cairn_question::{Credential, Envelope, IssuerPins, Moment, Name, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

use super::error::IdentityError;
use super::folder::Secrecy::Public;
use super::folder::{
    FORMAT, ISSUERS, check_format, make_folder, make_signing_key, read_signing_key, read_toml,
    refuse_existing, replace, to_toml, write_new,
};

/// An organisation that vouches for analysts, with its key. Has no `Debug`.
pub struct Issuer {
    name: Name,
    key: SigningKey,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct IssuerFile {
    format: u32,
    name: Name,
}

/// `issuers.toml`: the issuers that a node trusts, by name.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IssuersFile {
    format: u32,
    #[serde(default)]
    pub(super) issuers: BTreeMap<Name, VerifyingKey>,
}

impl Issuer {
    /// Makes an issuer's folder with a fresh key of its own.
    ///
    /// # Errors
    /// [`IdentityError`]; nothing is overwritten.
    pub fn create(dir: &Path, name: Name) -> Result<Self, IdentityError> {
        make_folder(dir)?;
        refuse_existing(dir, &[ISSUER_FILE, ISSUER_KEY, ISSUER_PUBLIC])?;
        let key = make_signing_key(&dir.join(ISSUER_KEY), &dir.join(ISSUER_PUBLIC))?;
        let file = IssuerFile { format: FORMAT, name: name.clone() };
        let text = to_toml("An issuer of analysts' credentials.", &file);
        write_new(&dir.join(ISSUER_FILE), text.as_bytes(), Public)?;
        Ok(Self { name, key })
    }

    /// Opens an issuer's folder.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn open(dir: &Path) -> Result<Self, IdentityError> {
        let file = dir.join(ISSUER_FILE);
        let issuer: IssuerFile = read_toml(&file)?;
        check_format(&file, issuer.format)?;
        Ok(Self { name: issuer.name, key: read_signing_key(&dir.join(ISSUER_KEY))? })
    }

    /// The name under which nodes pin its key.
    #[must_use]
    pub const fn name(&self) -> &Name {
        &self.name
    }

    /// The key that nodes pin.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        self.key.verifying_key()
    }

    /// Vouches for an analyst: in this role, for this organisation, with this signing key, from one moment until another.
    ///
    /// # Errors
    /// [`IdentityError::Unusable`] for an organisation's name over 200 bytes, or a period that ends before it begins.
    pub fn credential(
        &self,
        analyst: &Name,
        role: &Name,
        organisation: &str,
        key: VerifyingKey,
        from: Moment,
        until: Moment,
    ) -> Result<Envelope, IdentityError> {
        if organisation.is_empty() || organisation.len() > ORGANISATION_BYTES_MAX {
            return Err(IdentityError::unusable("an organisation's name has 1 to 200 bytes"));
        }
        if until <= from {
            return Err(IdentityError::unusable("a credential must end after it begins"));
        }
        let credential = Credential {
            cairn_credential: 1,
            issuer: self.name.clone(),
            analyst: analyst.clone(),
            role: role.clone(),
            organisation: organisation.to_owned(),
            key,
            not_before: from,
            not_after: until,
        };
        Ok(credential.sign(&self.key))
    }
}

/// Pins an issuer's key in a node's folder, as the node's own administrator decides.
///
/// # Errors
/// [`IdentityError::Exists`] where another key is pinned under that name; the old one must be taken out by hand first.
pub fn pin_issuer(node_dir: &Path, name: &Name, key: VerifyingKey) -> Result<(), IdentityError> {
    let mut file = IssuersFile::read(node_dir)?;
    match file.issuers.insert(name.clone(), key) {
        Some(before) if before != key => Err(IdentityError::Exists {
            file: format!("{}: issuers.{name}", node_dir.join(ISSUERS).display()),
        }),
        _ => file.write(node_dir),
    }
}

impl IssuersFile {
    pub(super) fn new(issuers: BTreeMap<Name, VerifyingKey>) -> Self {
        Self { format: FORMAT, issuers }
    }

    pub(super) fn read(dir: &Path) -> Result<Self, IdentityError> {
        let file = dir.join(ISSUERS);
        let issuers: Self = read_toml(&file)?;
        check_format(&file, issuers.format)?;
        if issuers.issuers.len() > ISSUERS_MAX {
            return Err(IdentityError::malformed(&file, format!("more than {ISSUERS_MAX} issuers")));
        }
        Ok(issuers)
    }

    pub(super) fn write(&self, dir: &Path) -> Result<(), IdentityError> {
        replace(&dir.join(ISSUERS), to_toml("Issuers whose credentials are accepted here.", self).as_bytes())
    }

    pub(super) fn pins(self) -> IssuerPins {
        IssuerPins::new(self.issuers)
    }
}

const ISSUER_FILE: &str = "issuer.toml";
const ISSUER_KEY: &str = "issuer.key";
const ISSUER_PUBLIC: &str = "issuer.pub";

/// Most bytes of an organisation's name; the question crate refuses more.
const ORGANISATION_BYTES_MAX: usize = 200;

/// Most issuers that a node pins: every partner could be one.
const ISSUERS_MAX: usize = 1_024;
