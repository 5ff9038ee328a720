//! OpenSSH's file of a private key (PROTOCOL.key), for Ed25519 keys: written under a passphrase, read with or without one.

use aes::Aes256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bcrypt_pbkdf::bcrypt_pbkdf;
use ctr::cipher::{KeyIvInit as _, StreamCipher as _};
use zeroize::Zeroizing;

/// Writes a key under a passphrase. `salt` and `check` are random.
pub(super) fn write(
    pair: &Pair,
    comment: &str,
    passphrase: &str,
    (salt, check): ([u8; 16], [u8; 4]),
) -> Option<Zeroizing<String>> {
    let mut secret = Zeroizing::new([check, check].concat());
    put(&mut secret, KIND);
    put(&mut secret, &pair.public);
    put(&mut secret, &Zeroizing::new([*pair.seed, pair.public].concat()));
    put(&mut secret, comment.as_bytes());
    // Padded with 1, 2, 3 … to a whole block.
    for pad in 1..=BLOCK {
        if secret.len().is_multiple_of(usize::from(BLOCK)) {
            break;
        }
        secret.push(pad);
    }
    cipher(passphrase, &salt, ROUNDS, &mut secret)?;
    let mut options = Vec::new();
    put(&mut options, &salt);
    options.extend_from_slice(&ROUNDS.to_be_bytes());
    let mut public = Vec::new();
    put(&mut public, KIND);
    put(&mut public, &pair.public);
    let mut blob = MAGIC.to_vec();
    put(&mut blob, AES);
    put(&mut blob, BCRYPT);
    put(&mut blob, &options);
    blob.extend_from_slice(&1_u32.to_be_bytes());
    put(&mut blob, &public);
    put(&mut blob, &secret);
    Some(armoured(&blob))
}

/// A key in a file.
pub(super) struct Sealed {
    lock: Option<Lock>,
    secret: Zeroizing<Vec<u8>>,
}

/// How it is locked.
struct Lock {
    salt: Vec<u8>,
    rounds: u32,
}

/// An Ed25519 key.
pub(super) struct Pair {
    pub(super) seed: Zeroizing<[u8; 32]>,
    pub(super) public: [u8; 32],
}

/// Why a file gives no key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum KeyFileError {
    #[error("not a private key of OpenSSH")]
    Form,
    #[error(
        "not an Ed25519 key in a file; sign with `ssh-keygen -Y sign`, as docs/reference/approval.md shows"
    )]
    Kind,
    #[error("it is locked with another cipher than aes256-ctr; `ssh-keygen -p -Z aes256-ctr` changes that")]
    Cipher,
    #[error("it asks for more than {ROUNDS_MAX} rounds, which would take minutes to try")]
    Rounds,
    #[error("the passphrase is another one, or the file is damaged")]
    Passphrase,
}

impl Sealed {
    /// Reads a private key file. Any bytes may come.
    pub(super) fn read(text: &str) -> Result<Self, KeyFileError> {
        let body = text.trim().strip_prefix(BEGIN).and_then(|t| t.strip_suffix(END));
        let letters: Zeroizing<String> =
            Zeroizing::new(body.ok_or(KeyFileError::Form)?.split_ascii_whitespace().collect());
        let blob = Zeroizing::new(STANDARD.decode(letters.as_bytes()).map_err(|_| KeyFileError::Form)?);
        let mut wire = Wire(blob.strip_prefix(MAGIC).ok_or(KeyFileError::Form)?);
        let [cipher, kdf, options] =
            [wire.string(), wire.string(), wire.string()].map(Option::unwrap_or_default);
        let one = wire.number().filter(|keys| *keys == 1);
        let (public, secret) = (wire.string(), wire.string());
        let (Some(_), Some(public), Some(secret)) = (one, public, secret) else {
            return Err(KeyFileError::Form);
        };
        if Wire(public).string() != Some(KIND) {
            return Err(KeyFileError::Kind);
        }
        let lock = match (cipher, kdf) {
            (NONE, NONE) => None,
            (AES, BCRYPT) => Some(Lock::read(options)?),
            _ => return Err(KeyFileError::Cipher),
        };
        Ok(Self { lock, secret: Zeroizing::new(secret.to_vec()) })
    }

    /// Whether it takes a passphrase.
    pub(super) const fn is_locked(&self) -> bool {
        self.lock.is_some()
    }

    /// Opens it; without a lock the passphrase is not looked at.
    pub(super) fn open(mut self, passphrase: &str) -> Result<Pair, KeyFileError> {
        if let Some(Lock { salt, rounds }) = &self.lock {
            cipher(passphrase, salt, *rounds, &mut self.secret).ok_or(KeyFileError::Passphrase)?;
        }
        let mut wire = Wire(&self.secret);
        let checks = wire.number().zip(wire.number());
        if checks.is_none_or(|(a, b)| a != b) {
            return Err(KeyFileError::Passphrase);
        }
        let (kind, public, private) = (wire.string(), wire.string(), wire.string());
        if kind != Some(KIND) {
            return Err(KeyFileError::Kind);
        }
        let seed = private.and_then(|p| p.first_chunk::<32>()).ok_or(KeyFileError::Form)?;
        let public = public.and_then(|p| p.try_into().ok()).ok_or(KeyFileError::Form)?;
        Ok(Pair { seed: Zeroizing::new(*seed), public })
    }
}

impl Lock {
    fn read(options: &[u8]) -> Result<Self, KeyFileError> {
        let mut wire = Wire(options);
        let (Some(salt), Some(rounds)) = (wire.string(), wire.number()) else {
            return Err(KeyFileError::Form);
        };
        // What a file asks for must not hang the program.
        if rounds > ROUNDS_MAX {
            return Err(KeyFileError::Rounds);
        }
        Ok(Self { salt: salt.to_vec(), rounds })
    }
}

/// Locks or unlocks: AES in counter mode does both.
fn cipher(passphrase: &str, salt: &[u8], rounds: u32, bytes: &mut [u8]) -> Option<()> {
    let mut key = Zeroizing::new([0_u8; 48]);
    bcrypt_pbkdf(passphrase.as_bytes(), salt, rounds, &mut *key).ok()?;
    let (key, start) = key.split_at_checked(32)?;
    ctr::Ctr128BE::<Aes256>::new_from_slices(key, start).ok()?.apply_keystream(bytes);
    Some(())
}

fn armoured(blob: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(format!("{BEGIN}\n"));
    for (n, letter) in STANDARD.encode(blob).chars().enumerate() {
        if n > 0 && n % LINE_LETTERS == 0 {
            text.push('\n');
        }
        text.push(letter);
    }
    text.push('\n');
    text.push_str(END);
    text.push('\n');
    text
}

/// The bytes that are still to be read.
struct Wire<'a>(&'a [u8]);

impl<'a> Wire<'a> {
    fn number(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*number))
    }

    fn string(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (string, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(string)
    }
}

/// Appends a string; keys and comments are far below four bytes' worth.
fn put(bytes: &mut Vec<u8>, string: &[u8]) {
    bytes.extend_from_slice(&u32::try_from(string.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend_from_slice(string);
}

const MAGIC: &[u8] = b"openssh-key-v1\0";
const KIND: &[u8] = b"ssh-ed25519";
const AES: &[u8] = b"aes256-ctr";
const BCRYPT: &[u8] = b"bcrypt";
const NONE: &[u8] = b"none";
const BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const END: &str = "-----END OPENSSH PRIVATE KEY-----";
const LINE_LETTERS: usize = 70;

/// Bytes of a block of AES.
const BLOCK: u8 = 16;

/// Rounds of bcrypt for a new key: what `ssh-keygen` takes since OpenSSH 9.4.
const ROUNDS: u32 = 24;

/// Most rounds that a file may ask for.
const ROUNDS_MAX: u32 = 1_000;

#[cfg(test)]
mod tests;
