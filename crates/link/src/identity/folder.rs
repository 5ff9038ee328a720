//! Files of a party's folder: private keys for their owner only, nothing overwritten, everything bounded.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cairn_question::{Name, SigningKey, VerifyingKey};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

use super::error::IdentityError;
use super::party::Role;

/// The file that says whose folder it is.
pub const IDENTITY_FILE: &str = "identity.toml";

pub(super) const TLS_KEY: &str = "tls.key";
pub(super) const TLS_CERTIFICATE: &str = "tls.pem";
pub(super) const SIGNING_KEY: &str = "signing.key";
pub(super) const SIGNING_PUBLIC: &str = "signing.pub";
pub(super) const FEDERATION_PUBLIC: &str = "federation.pub";
pub(super) const ROOT: &str = "root.pem";
pub(super) const ISSUERS: &str = "issuers.toml";

/// The format of every file of identity.
pub(super) const FORMAT: u32 = 1;

/// Who may read a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Secrecy {
    /// Its owner only: a private key.
    Private,
    /// Anybody on the machine.
    Public,
}

/// `identity.toml`: whose folder it is, and where its files are. Paths are relative to the folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IdentityFile {
    pub(super) format: u32,
    pub(super) federation: Name,
    pub(super) role: Role,
    pub(super) id: Name,
    pub(super) tls_key: PathBuf,
    pub(super) tls_certificate: PathBuf,
    pub(super) signing_key: PathBuf,
    pub(super) federation_key: PathBuf,
    pub(super) root: PathBuf,
}

impl IdentityFile {
    pub(super) fn new(federation: Name, role: Role, id: Name) -> Self {
        Self {
            format: FORMAT,
            federation,
            role,
            id,
            tls_key: TLS_KEY.into(),
            tls_certificate: TLS_CERTIFICATE.into(),
            signing_key: SIGNING_KEY.into(),
            federation_key: FEDERATION_PUBLIC.into(),
            root: ROOT.into(),
        }
    }

    pub(super) fn read(dir: &Path) -> Result<Self, IdentityError> {
        let file = dir.join(IDENTITY_FILE);
        let identity: Self = read_toml(&file)?;
        check_format(&file, identity.format)?;
        Ok(identity)
    }
}

/// Makes the folder where it is missing, closed to others.
pub(super) fn make_folder(dir: &Path) -> Result<(), IdentityError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir).map_err(|e| IdentityError::write(dir, &e))
}

/// Refuses where any of the files is there already, so that nothing is written by halves.
pub(super) fn refuse_existing(dir: &Path, names: &[&str]) -> Result<(), IdentityError> {
    match names.iter().map(|name| dir.join(name)).find(|file| file.symlink_metadata().is_ok()) {
        Some(file) => Err(IdentityError::Exists { file: file.display().to_string() }),
        None => Ok(()),
    }
}

/// Writes a file that must not exist yet, and waits until the disk has it.
pub(super) fn write_new(file: &Path, bytes: &[u8], secrecy: Secrecy) -> Result<(), IdentityError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(
        &mut options,
        if secrecy == Secrecy::Private { 0o600 } else { 0o644 },
    );
    #[cfg(not(unix))]
    let _ = secrecy;
    let written = options.open(file).and_then(|mut f| f.write_all(bytes).and_then(|()| f.sync_all()));
    written.map_err(|e| IdentityError::write(file, &e))
}

/// Puts a public file in the place of an older one: either is there, whole, at every moment.
pub(super) fn replace(file: &Path, bytes: &[u8]) -> Result<(), IdentityError> {
    let mut fresh = file.as_os_str().to_owned();
    fresh.push(".new");
    let fresh = PathBuf::from(fresh);
    // A leftover of a run that was cut short: it never was in force.
    let _ = fs::remove_file(&fresh);
    write_new(&fresh, bytes, Secrecy::Public)?;
    fs::rename(&fresh, file).map_err(|e| IdentityError::write(file, &e))?;
    let folder = file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match File::open(folder) {
        // The rename itself must be on disk; where a folder cannot be opened (Windows) the system takes care of it.
        Ok(folder) => folder.sync_all().map_err(|e| IdentityError::write(file, &e)),
        Err(_) => Ok(()),
    }
}

/// Reads a file of at most [`FILE_BYTES_MAX`] bytes; a private one only if nobody else can read it.
pub(super) fn read(file: &Path, secrecy: Secrecy) -> Result<Zeroizing<Vec<u8>>, IdentityError> {
    let opened = File::open(file).map_err(|e| IdentityError::read(file, &e))?;
    if secrecy == Secrecy::Private {
        check_private(file, &opened)?;
    }
    let mut bytes = Zeroizing::new(Vec::new());
    opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|e| IdentityError::read(file, &e))?;
    if u64::try_from(bytes.len()).is_ok_and(|n| n <= FILE_BYTES_MAX) {
        return Ok(bytes);
    }
    Err(IdentityError::malformed(file, format!("longer than {FILE_BYTES_MAX} bytes")))
}

#[cfg(unix)]
fn check_private(file: &Path, opened: &File) -> Result<(), IdentityError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = opened.metadata().map_err(|e| IdentityError::read(file, &e))?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(IdentityError::KeyReadable { file: file.display().to_string(), mode })
}

// Windows has no such bits: the folder's access list is what protects the key there (docs/reference/identity.md).
#[cfg(not(unix))]
fn check_private(_file: &Path, _opened: &File) -> Result<(), IdentityError> {
    Ok(())
}

pub(super) fn read_text(file: &Path) -> Result<String, IdentityError> {
    let bytes = read(file, Secrecy::Public)?;
    String::from_utf8(bytes.to_vec()).map_err(|_| IdentityError::malformed(file, "not UTF-8 text"))
}

pub(super) fn read_toml<T: DeserializeOwned>(file: &Path) -> Result<T, IdentityError> {
    toml::from_str(&read_text(file)?).map_err(|e| IdentityError::malformed(file, e.to_string().trim_end()))
}

/// A file of identity as TOML under a line that says what it is.
pub(super) fn to_toml(says: &str, body: &impl Serialize) -> String {
    // Names, numbers and paths that were UTF-8 to begin with: toml cannot fail on them.
    format!("# {says}\n{}", toml::to_string(body).unwrap_or_default())
}

pub(super) fn check_format(file: &Path, format: u32) -> Result<(), IdentityError> {
    if format == FORMAT {
        return Ok(());
    }
    Err(IdentityError::malformed(file, format!("format {format}; this program reads format {FORMAT}")))
}

/// Makes a signing key and writes it, and its public half beside it.
pub(super) fn make_signing_key(private: &Path, public: &Path) -> Result<SigningKey, IdentityError> {
    let fault = || IdentityError::Key { why: "the operating system gave no randomness".to_owned() };
    let pkcs8 = Zeroizing::new(SigningKey::make_pkcs8().map_err(|_| fault())?);
    let key = SigningKey::from_pkcs8(&pkcs8).map_err(|_| fault())?;
    write_new(private, private_pem(&pkcs8).as_bytes(), Secrecy::Private)?;
    write_new(public, format!("{}\n", key.verifying_key()).as_bytes(), Secrecy::Public)?;
    Ok(key)
}

pub(super) fn read_signing_key(file: &Path) -> Result<SigningKey, IdentityError> {
    let pem = read(file, Secrecy::Private)?;
    let wrong = || IdentityError::malformed(file, "not an Ed25519 private key in PEM");
    let der = PrivatePkcs8KeyDer::from_pem_slice(&pem).map_err(|_| wrong())?;
    SigningKey::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| wrong())
}

pub(super) fn read_public_key(file: &Path) -> Result<VerifyingKey, IdentityError> {
    let text = read_text(file)?;
    VerifyingKey::try_from(text.trim().to_owned())
        .map_err(|_| IdentityError::malformed(file, "not an Ed25519 public key in base64"))
}

/// PKCS#8 in PEM (RFC 7468): lines of 64 letters.
fn private_pem(pkcs8: &[u8]) -> Zeroizing<String> {
    let encoded = Zeroizing::new(STANDARD.encode(pkcs8));
    let mut pem = Zeroizing::new(String::from("-----BEGIN PRIVATE KEY-----\n"));
    for (at, letter) in encoded.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            pem.push('\n');
        }
        pem.push(letter);
    }
    pem.push_str("\n-----END PRIVATE KEY-----\n");
    pem
}

/// Most bytes of a file of identity: the longest, a register of 1,024 partners, is under 1 MiB.
const FILE_BYTES_MAX: u64 = 2 << 20;
