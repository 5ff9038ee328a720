//! Loading a party's folder, with every check that can be made before a connection.

use cairn_question::credential::{CREDENTIAL_TYPE, Credential};
use cairn_question::{Envelope, IssuerPins, Moment, Name, PartnerId, SigningKey, VerifyingKey};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::certificate::{Verdict, check_certificate, not_after};
use super::denied::DenyList;
use super::error::{IdentityError, PeerError};
use super::folder::Secrecy::{Private, Public};
use super::folder::{IdentityFile, read, read_public_key, read_signing_key, replace};
use super::issuer::IssuersFile;
use super::party::{Party, Role};
use crate::clock::unix_time;

/// What a party shows and trusts on a connection: its certificate and key, and the pinned root.
pub struct Transport {
    pub(crate) party: Party,
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) key: PrivateKeyDer<'static>,
    pub(crate) root: CertificateDer<'static>,
    pub(crate) expires_at: Moment,
}

/// A partner's node.
pub struct NodeIdentity {
    partner: PartnerId,
    common: Common,
    issuers: IssuerPins,
}

/// The coordinator.
pub struct CoordinatorIdentity {
    common: Common,
    denied: DenyList,
}

/// An analyst.
pub struct AnalystIdentity {
    common: Common,
    credentials: BTreeMap<Name, Envelope>,
}

struct Common {
    transport: Transport,
    signing: Arc<SigningKey>,
    federation_key: VerifyingKey,
}

impl NodeIdentity {
    /// Loads a node's folder and checks that it is whole, private, in date and of one federation.
    ///
    /// # Errors
    /// [`IdentityError`], one kind for each reason.
    pub fn load(dir: &Path, now: Moment) -> Result<Self, IdentityError> {
        let common = Common::load(dir, Role::Node, now)?;
        let partner = PartnerId::from(common.transport.party.id().clone());
        Ok(Self { partner, common, issuers: IssuersFile::read(dir)?.pins() })
    }

    /// The signing key in a node's folder once more, for the gate, which owns the one that it signs with. A signing key is never
    /// copied in memory.
    ///
    /// # Errors
    /// [`IdentityError`].
    pub fn load_signing_key(dir: &Path) -> Result<SigningKey, IdentityError> {
        read_signing_key(&dir.join(IdentityFile::read(dir)?.signing_key))
    }

    /// The partner.
    #[must_use]
    pub const fn partner(&self) -> &PartnerId {
        &self.partner
    }

    /// The issuers whose credentials this node accepts.
    #[must_use]
    pub const fn issuers(&self) -> &IssuerPins {
        &self.issuers
    }
}

impl CoordinatorIdentity {
    /// Loads the coordinator's folder, its deny list included.
    ///
    /// # Errors
    /// [`IdentityError`], one kind for each reason.
    pub fn load(dir: &Path, now: Moment) -> Result<Self, IdentityError> {
        Ok(Self { common: Common::load(dir, Role::Coordinator, now)?, denied: DenyList::load(dir)? })
    }

    /// The coordinator's name.
    #[must_use]
    pub const fn name(&self) -> &Name {
        self.common.transport.party.id()
    }

    /// Who is no longer let in.
    #[must_use]
    pub const fn denied(&self) -> &DenyList {
        &self.denied
    }
}

impl AnalystIdentity {
    /// Loads an analyst's folder with every `credential-<role>.json` in it.
    ///
    /// # Errors
    /// [`IdentityError`]; a credential for another key or under another role's file name is [`IdentityError::Foreign`].
    pub fn load(dir: &Path, now: Moment) -> Result<Self, IdentityError> {
        let common = Common::load(dir, Role::Analyst, now)?;
        let credentials = load_credentials(dir, &common.signing.verifying_key())?;
        Ok(Self { common, credentials })
    }

    /// The analyst's name.
    #[must_use]
    pub const fn analyst(&self) -> &Name {
        self.common.transport.party.id()
    }

    /// The credential for a role, as its issuer signed it.
    #[must_use]
    pub fn credential(&self, role: &Name) -> Option<&Envelope> {
        self.credentials.get(role)
    }

    /// The roles for which there is a credential, in the order of their names.
    pub fn roles(&self) -> impl Iterator<Item = &Name> {
        self.credentials.keys()
    }
}

macro_rules! common {
    ($($identity:ty),*) => {$(
        impl $identity {
            /// The federation.
            #[must_use]
            pub const fn federation(&self) -> &Name {
                self.common.transport.party.federation()
            }

            /// The key that signs registers, as it was pinned at enrolment.
            #[must_use]
            pub const fn federation_key(&self) -> &VerifyingKey {
                &self.common.federation_key
            }

            /// This party's own signing key.
            #[must_use]
            pub fn signing_key(&self) -> &SigningKey {
                &self.common.signing
            }

            /// The same, for a part of the program that holds it as long as this one. A signing key is never copied in memory.
            #[must_use]
            pub fn shared_signing_key(&self) -> Arc<SigningKey> {
                Arc::clone(&self.common.signing)
            }

            /// What it shows and trusts on a connection.
            #[must_use]
            pub const fn transport(&self) -> &Transport {
                &self.common.transport
            }
        }

        impl fmt::Debug for $identity {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.common.transport.fmt(f)
            }
        }
    )*};
}
common!(NodeIdentity, CoordinatorIdentity, AnalystIdentity);

impl Transport {
    /// Who it is.
    #[must_use]
    pub const fn party(&self) -> &Party {
        &self.party
    }

    /// The moment after which its certificate is not accepted any more.
    #[must_use]
    pub const fn expires_at(&self) -> Moment {
        self.expires_at
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.party)
    }
}

impl Common {
    fn load(dir: &Path, role: Role, now: Moment) -> Result<Self, IdentityError> {
        let file = IdentityFile::read(dir)?;
        if file.role != role {
            let why = format!("it is for the role `{}`, not `{role}`", file.role);
            return Err(IdentityError::foreign(&dir.join(super::IDENTITY_FILE), why));
        }
        let signing = read_signing_key(&dir.join(&file.signing_key))?;
        let federation_key = read_public_key(&dir.join(&file.federation_key))?;
        let signing = Arc::new(signing);
        Ok(Self { transport: load_transport(dir, &file, now)?, signing, federation_key })
    }
}

fn load_transport(dir: &Path, file: &IdentityFile, now: Moment) -> Result<Transport, IdentityError> {
    let key_file = dir.join(&file.tls_key);
    let key = PrivateKeyDer::from_pem_slice(&read(&key_file, Private)?)
        .map_err(|_| IdentityError::malformed(&key_file, "not a private key in PEM"))?;
    let certificate_file = dir.join(&file.tls_certificate);
    let certificate = read_certificate(&certificate_file)?;
    let root = read_certificate(&dir.join(&file.root))?;
    let verdict =
        Verdict { root: &root, federation: &file.federation, roles: &[file.role], now: unix_time(now) };
    let party =
        check_certificate(&certificate, &[], &verdict).map_err(|e| own_error(&certificate_file, &e))?;
    if *party.id() != file.id {
        return Err(IdentityError::foreign(&certificate_file, format!("it is of `{party}`")));
    }
    crate::tls::check_key(&certificate, &key)
        .map_err(|()| IdentityError::foreign(&key_file, "it is not the key of the certificate"))?;
    let expires_at = not_after(&certificate, &root, file.role).unwrap_or(now);
    Ok(Transport { party, certificate, key, root, expires_at })
}

fn read_certificate(file: &Path) -> Result<CertificateDer<'static>, IdentityError> {
    CertificateDer::from_pem_slice(&read(file, Public)?)
        .map_err(|_| IdentityError::malformed(file, "not a certificate in PEM"))
}

/// The same checks as on another party's certificate, told as of one's own.
fn own_error(file: &Path, error: &PeerError) -> IdentityError {
    let shown = file.display().to_string();
    match error {
        PeerError::Expired { at } => IdentityError::Expired { file: shown, at: *at },
        PeerError::Clock { apart_min } => IdentityError::Clock { file: shown, apart_min: *apart_min },
        PeerError::Malformed => IdentityError::malformed(file, "not a certificate that reads"),
        other => IdentityError::foreign(file, other.to_string()),
    }
}

/// Puts a credential into an analyst's folder as `credential-<role>.json`, in place of an older one for the same role.
///
/// # Errors
/// [`IdentityError::Malformed`] for what is not a credential; [`IdentityError::Write`].
pub fn save_credential(analyst_dir: &Path, credential: &Envelope) -> Result<(), IdentityError> {
    let claimed = claimed(analyst_dir, credential)?;
    let file = analyst_dir.join(format!("{CREDENTIAL_PREFIX}{}{CREDENTIAL_SUFFIX}", claimed.role));
    replace(&file, &credential.to_bytes())
}

fn load_credentials(dir: &Path, key: &VerifyingKey) -> Result<BTreeMap<Name, Envelope>, IdentityError> {
    let entries = std::fs::read_dir(dir).map_err(|e| IdentityError::read(dir, &e))?;
    let mut credentials = BTreeMap::new();
    for entry in entries.take(FOLDER_FILES_MAX) {
        let name = entry.map_err(|e| IdentityError::read(dir, &e))?.file_name();
        let role =
            name.to_str().and_then(|n| n.strip_prefix(CREDENTIAL_PREFIX)?.strip_suffix(CREDENTIAL_SUFFIX));
        let Some(role) = role else { continue };
        let file = dir.join(&name);
        let envelope = Envelope::parse(&read(&file, Public)?, CREDENTIAL_BYTES_MAX)
            .map_err(|e| IdentityError::malformed(&file, e.to_string()))?;
        let claimed = claimed(&file, &envelope)?;
        match () {
            () if claimed.role.as_str() != role => {
                return Err(IdentityError::foreign(&file, format!("it is for the role `{}`", claimed.role)));
            }
            () if claimed.key != *key => {
                return Err(IdentityError::foreign(&file, "it is for another signing key"));
            }
            () => credentials.insert(claimed.role, envelope),
        };
    }
    Ok(credentials)
}

/// What the credential says of itself: whether its issuer signed it, only a node can tell, which has the issuer's key.
fn claimed(file: &Path, envelope: &Envelope) -> Result<Credential, IdentityError> {
    let wrong = || IdentityError::malformed(file, "not a credential");
    let payload = envelope.payload_unverified(CREDENTIAL_TYPE).map_err(|_| wrong())?;
    serde_json::from_slice(&payload).map_err(|_| wrong())
}

const CREDENTIAL_PREFIX: &str = "credential-";
const CREDENTIAL_SUFFIX: &str = ".json";

/// Most bytes of a credential: names, a key and two dates.
const CREDENTIAL_BYTES_MAX: usize = 8 * 1_024;

/// Most files of an analyst's folder that are looked at.
const FOLDER_FILES_MAX: usize = 1_024;
