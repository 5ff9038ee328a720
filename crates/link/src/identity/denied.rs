//! The deny list: parties and certificates that the coordinator no longer lets in.

use cairn_question::Hash;
use rustls_pki_types::CertificateDer;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::Path;

use super::error::IdentityError;
use super::folder::{check_format, read_toml};
use super::party::Party;

/// The deny list's file in the coordinator's folder.
pub const DENIED_FILE: &str = "denied.toml";

/// Parties and certificates that are not let in, whatever their dates say. There is no OCSP and no CRL: the coordinator is the
/// only door, so a list at the door is enough.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DenyList {
    names: BTreeSet<Party>,
    certificates: BTreeSet<Hash>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeniedFile {
    format: u32,
    #[serde(default)]
    names: Vec<Party>,
    #[serde(default)]
    certificates: Vec<Hash>,
}

impl DenyList {
    /// Reads `denied.toml` of the coordinator's folder. A missing file is an empty list.
    ///
    /// # Errors
    /// [`IdentityError::Malformed`]: a list that does not read is never taken for an empty one.
    pub fn load(dir: &Path) -> Result<Self, IdentityError> {
        let file = dir.join(DENIED_FILE);
        if matches!(file.try_exists(), Ok(false)) {
            return Ok(Self::default());
        }
        let list: DeniedFile = read_toml(&file)?;
        check_format(&file, list.format)?;
        Ok(Self {
            names: list.names.into_iter().collect(),
            certificates: list.certificates.into_iter().collect(),
        })
    }

    /// Whether the party, or this one certificate of it, is denied.
    #[must_use]
    pub fn denies(&self, party: &Party, certificate: &CertificateDer<'_>) -> bool {
        self.names.contains(party) || self.certificates.contains(&Hash::of(certificate))
    }
}

pub(super) const EMPTY_LIST: &str = "\
# Who is no longer let in: names such as \"cairn://federation/node/partner\", and certificates by their SHA-256.
format = 1
names = []
certificates = []
";
