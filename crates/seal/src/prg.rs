//! The mask stream: AES-256-GCM's keystream.
//!
//! ring has no raw stream cipher, so zeros are sealed and the tag is dropped. The nonce is four zero bytes and the chunk's number in eight bytes,
//! highest first; a chunk is 1 MiB. One key makes one stream, ever, so no nonce comes twice under a key.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::refused::Refused;

/// Bytes sealed under one nonce: far below GCM's own limit of 64 GiB.
pub(crate) const CHUNK_BYTES: usize = 1 << 20;

/// Fills `out` with the stream of `key`, whatever stood there.
pub(crate) fn stream(key: &[u8; 32], out: &mut [u8]) -> Result<(), Refused> {
    let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| Refused::NoRandomness)?;
    let key = LessSafeKey::new(key);
    for (number, chunk) in (0_u64..).zip(out.chunks_mut(CHUNK_BYTES)) {
        chunk.fill(0);
        let sealed = key.seal_in_place_separate_tag(nonce(number), Aad::empty(), chunk);
        let _tag = sealed.map_err(|_| Refused::NoRandomness)?;
    }
    Ok(())
}

/// A buffer for streams of `bytes`, wiped when dropped.
pub(crate) fn buffer(bytes: usize) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(vec![0; bytes])
}

fn nonce(chunk: u64) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    for (to, from) in bytes.iter_mut().skip(NONCE_LEN - 8).zip(chunk.to_be_bytes()) {
        *to = from;
    }
    Nonce::assume_unique_for_key(bytes)
}

#[cfg(test)]
mod tests;
