use aes::Aes256;
use ctr::cipher::{KeyIvInit as _, StreamCipher as _};

use super::*;

/// Another author's AES in counter mode, as NIST SP 800-38D has it: with a nonce of 96 bits the first block of data has the counter 2.
fn independent(key: [u8; 32], bytes: usize) -> Vec<u8> {
    let mut out = vec![0; bytes];
    for (number, chunk) in out.chunks_mut(1 << 20).enumerate() {
        let mut counter = [0; 16];
        counter[4..12].copy_from_slice(&(number as u64).to_be_bytes());
        counter[15] = 2;
        ctr::Ctr32BE::<Aes256>::new(&key.into(), &counter.into()).apply_keystream(chunk);
    }
    out
}

#[test]
fn the_stream_is_what_another_authors_cipher_makes() {
    for (key, bytes) in [([0; 32], 1), ([7; 32], 33), ([0xA5; 32], 80_000), ([1; 32], (2 << 20) + 17)] {
        let mut out = vec![0xFF; bytes];
        stream(&key, &mut out).unwrap();
        assert!(out == independent(key, bytes), "{bytes} bytes");
    }
}

/// AES-256 of the block 0¹² ‖ 2 under the zero key: NIST's GCM test case 14, whose plaintext is 16 zero bytes.
#[test]
fn the_first_block_is_the_published_test_case() {
    let mut out = [0; 16];
    stream(&[0; 32], &mut out).unwrap();
    assert_eq!(cairn_question::id::hex(&out), "cea7403d4d606b6e074ec5d3baf39d18");
}

#[test]
fn chunks_differ_from_each_other() {
    let mut out = vec![0; 2 << 20];
    stream(&[9; 32], &mut out).unwrap();
    let (first, second) = out.split_at(1 << 20);
    assert!(first != second);
}
