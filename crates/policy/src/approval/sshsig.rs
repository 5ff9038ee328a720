//! OpenSSH's detached signatures (PROTOCOL.sshsig), read and written as `ssh-keygen -Y` does.
//!
//! The verdict is that of stock `ssh-keygen -Y verify`, in what it forgives too (blank space in the armour, text after
//! its last line), so that an auditor and a node never disagree about a board's signature. Where this is stricter, and
//! why, is in docs/decisions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, SHA512, digest};
use ring::signature::{ED25519, UnparsedPublicKey};

use super::key::{Kind, PublicKey};
use super::wire::{Wire, put};

/// The namespace of every approval: a signature for another purpose is not one.
pub const NAMESPACE: &str = "cairn-policy@v1";

/// Longest signature file. A real one has some 300 bytes.
pub const SIGNATURE_BYTES_MAX: usize = 64 * 1024;

/// A signature that was read. It says nothing before [`Signature::verify`].
pub struct Signature {
    key: PublicKey,
    namespace: Vec<u8>,
    hash: HashName,
    made: Made,
}

/// Why a file is not a signature, or not one over this message by this key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// Above [`SIGNATURE_BYTES_MAX`].
    #[error("the signature file is longer than {} kB", SIGNATURE_BYTES_MAX / 1024)]
    TooLong,
    /// The first line is another, or ends as Windows ends lines.
    #[error("the file does not begin with the line `-----BEGIN SSH SIGNATURE-----` (ended by LF, not CRLF)")]
    Header,
    /// There is no last line.
    #[error("the file has no line `-----END SSH SIGNATURE-----`")]
    Footer,
    /// What stands between is not base64.
    #[error("the lines between the first and the last are not base64")]
    Base64,
    /// The bytes are not a signature of version 1.
    #[error("the signature is damaged, or of a version that is not known")]
    Format,
    /// The key in it is neither Ed25519 nor Ed25519 on a security key.
    #[error(
        "the signature was made with a key that is neither `ssh-ed25519` nor `sk-ssh-ed25519@openssh.com`"
    )]
    Kind,
    /// Neither SHA-256 nor SHA-512.
    #[error("the signature uses a hash other than sha256 and sha512")]
    Hash,
    /// Made for another purpose.
    #[error("the signature was made for another namespace: sign with `-n {NAMESPACE}`")]
    Namespace,
    /// Made with another key than the one asked about.
    #[error("the signature was made with another key")]
    OtherKey,
    /// The security key was not touched.
    #[error("the security key was not touched: make the key without `no-touch-required`, and sign again")]
    NotTouched,
    /// The signature is not over these bytes.
    #[error("the signature does not hold over these bytes")]
    BadSignature,
}

impl Signature {
    /// Reads a signature file. Any bytes may come.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub fn parse(file: &[u8]) -> Result<Self, SignatureError> {
        let blob = dearmour(file)?;
        let mut wire = Wire::new(&blob);
        let head = wire.take(MAGIC.len()).filter(|m| *m == MAGIC);
        // OpenSSH takes any version up to its own; the version is not part of what is signed.
        let version = head.and_then(|_| wire.number()).filter(|v| *v <= VERSION);
        let parts = version.and_then(|_| parts(&mut wire)).ok_or(SignatureError::Format)?;
        let [key, namespace, hash, made] = parts;
        let key = PublicKey::from_blob(key).ok_or(SignatureError::Kind)?;
        let made = Made::parse(made, &key).ok_or(SignatureError::Format)?;
        Ok(Self { made, key, namespace: namespace.to_vec(), hash: HashName::parse(hash)? })
    }

    /// The key that it says it was made with.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Whether `key` signed exactly `message` for this namespace.
    ///
    /// # Errors
    /// [`SignatureError::Namespace`], [`SignatureError::OtherKey`], [`SignatureError::BadSignature`] or
    /// [`SignatureError::NotTouched`].
    pub fn verify(&self, key: &PublicKey, namespace: &str, message: &[u8]) -> Result<(), SignatureError> {
        if self.namespace != namespace.as_bytes() {
            return Err(SignatureError::Namespace);
        }
        if self.key != *key {
            return Err(SignatureError::OtherKey);
        }
        let signed = self.made.over(key, signed_bytes(namespace, self.hash, message));
        let holds = UnparsedPublicKey::new(&ED25519, key.point).verify(&signed, &self.made.signature);
        holds.map_err(|_| SignatureError::BadSignature)?;
        // After the signature, since the flag is only worth what the signature over it is.
        if self.made.token.is_some_and(|t| t.flags & USER_PRESENT == 0) {
            return Err(SignatureError::NotTouched);
        }
        Ok(())
    }
}

/// The bytes that an Ed25519 key signs for this message: with SHA-512, as `ssh-keygen -Y sign` does.
///
/// OpenSSH refuses an empty namespace.
#[must_use]
pub fn to_be_signed(namespace: &str, message: &[u8]) -> Vec<u8> {
    signed_bytes(namespace, HashName::Sha512, message)
}

/// A signature file from the raw signature of an Ed25519 key over [`to_be_signed`].
#[must_use]
pub fn armour(key: [u8; 32], namespace: &str, signature: &[u8; 64]) -> String {
    let mut made = Vec::new();
    let key = PublicKey::from_ed25519(key);
    put(&mut made, key.name().as_bytes());
    put(&mut made, signature);
    let mut blob = MAGIC.to_vec();
    blob.extend_from_slice(&VERSION.to_be_bytes());
    put(&mut blob, &key.blob());
    put(&mut blob, namespace.as_bytes());
    put(&mut blob, b"");
    put(&mut blob, HashName::Sha512.as_str().as_bytes());
    put(&mut blob, &made);
    armoured(&blob)
}

/// The blob in lines of 70 letters, as OpenSSH writes it.
pub(super) fn armoured(blob: &[u8]) -> String {
    let mut text = BEGIN.to_owned();
    for (n, letter) in STANDARD.encode(blob).chars().enumerate() {
        if n > 0 && n % LINE_LETTERS == 0 {
            text.push('\n');
        }
        text.push(letter);
    }
    text.push_str(END);
    text.push('\n');
    text
}

/// What stands between the first line and the last. Text after the last line is not looked at, and blank space between
/// letters is left out; a single zero byte may end the letters, since OpenSSH reads them as a string of C.
fn dearmour(file: &[u8]) -> Result<Vec<u8>, SignatureError> {
    if file.len() > SIGNATURE_BYTES_MAX {
        return Err(SignatureError::TooLong);
    }
    let body = file.strip_prefix(BEGIN.as_bytes()).ok_or(SignatureError::Header)?;
    let end = body.windows(END.len()).position(|w| w == END.as_bytes());
    let body = end.and_then(|end| body.get(..end)).ok_or(SignatureError::Footer)?;
    let body = body.strip_suffix(b"\0").unwrap_or(body);
    let blank = |b: &u8| matches!(b, b' ' | b'\t'..=b'\r');
    let letters: Vec<u8> = body.iter().copied().filter(|b| !blank(b)).collect();
    STANDARD.decode(letters).map_err(|_| SignatureError::Base64)
}

/// Key, namespace, hash name and signature. What is reserved may hold anything: it is signed as empty.
fn parts<'a>(wire: &mut Wire<'a>) -> Option<[&'a [u8]; 4]> {
    let (key, namespace, _reserved) = (wire.string()?, wire.c_string()?, wire.string()?);
    let (hash, made) = (wire.c_string()?, wire.string()?);
    wire.end()?;
    Some([key, namespace, hash, made])
}

fn signed_bytes(namespace: &str, hash: HashName, message: &[u8]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    put(&mut bytes, namespace.as_bytes());
    put(&mut bytes, b"");
    put(&mut bytes, hash.as_str().as_bytes());
    put(&mut bytes, digest(hash.algorithm(), message).as_ref());
    bytes
}

#[derive(Clone, Copy)]
enum HashName {
    Sha256,
    Sha512,
}

impl HashName {
    fn parse(name: &[u8]) -> Result<Self, SignatureError> {
        match name {
            b"sha256" => Ok(Self::Sha256),
            b"sha512" => Ok(Self::Sha512),
            _ => Err(SignatureError::Hash),
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    const fn algorithm(self) -> &'static ring::digest::Algorithm {
        match self {
            Self::Sha256 => &SHA256,
            Self::Sha512 => &SHA512,
        }
    }
}

/// The signature itself, and what a security key adds to it.
struct Made {
    signature: [u8; 64],
    token: Option<Token>,
}

/// What a security key signed beside the message (PROTOCOL.u2f).
#[derive(Clone, Copy)]
struct Token {
    flags: u8,
    counter: u32,
}

impl Made {
    fn parse(bytes: &[u8], key: &PublicKey) -> Option<Self> {
        let mut wire = Wire::new(bytes);
        wire.c_string().filter(|n| *n == key.name().as_bytes())?;
        let signature = wire.string()?.try_into().ok()?;
        let token = match key.kind {
            Kind::Ed25519 => None,
            Kind::SecurityKey { .. } => Some(Token { flags: wire.byte()?, counter: wire.number()? }),
        };
        wire.end()?;
        Some(Self { signature, token })
    }

    /// The bytes that the key really signed.
    fn over(&self, key: &PublicKey, signed: Vec<u8>) -> Vec<u8> {
        let (Kind::SecurityKey { application }, Some(token)) = (&key.kind, self.token) else { return signed };
        let mut bytes = digest(&SHA256, application).as_ref().to_vec();
        bytes.push(token.flags);
        bytes.extend_from_slice(&token.counter.to_be_bytes());
        bytes.extend_from_slice(digest(&SHA256, &signed).as_ref());
        bytes
    }
}

const MAGIC: &[u8] = b"SSHSIG";
const VERSION: u32 = 1;
const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----\n";
const END: &str = "\n-----END SSH SIGNATURE-----";
const LINE_LETTERS: usize = 70;
/// The flag of a security key that somebody touched it (FIDO2, "UP").
const USER_PRESENT: u8 = 1;
