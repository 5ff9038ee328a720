use super::*;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

fn pair() -> Pair {
    let seed = [7; 32];
    let made = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
    Pair { seed: Zeroizing::new(seed), public: made.public_key().as_ref().try_into().unwrap() }
}

fn written() -> Zeroizing<String> {
    write(&pair(), "ann", "a long passphrase", ([1; 16], [2; 4])).unwrap()
}

fn opened(text: &str, passphrase: &str) -> Result<[u8; 32], KeyFileError> {
    Sealed::read(text)?.open(passphrase).map(|p| *p.seed)
}

#[test]
fn what_is_written_is_read_with_its_passphrase_only() {
    assert!(Sealed::read(&written()).unwrap().is_locked());
    assert_eq!(opened(&written(), "a long passphrase"), Ok([7; 32]));
    assert_eq!(opened(&written(), "another passphrase"), Err(KeyFileError::Passphrase));
}

/// The file with bytes of its blob changed.
fn changed(change: impl FnOnce(&mut Vec<u8>)) -> String {
    let text = written();
    let letters: String = text.lines().filter(|l| !l.starts_with('-')).flat_map(str::chars).collect();
    let mut blob = STANDARD.decode(letters).unwrap();
    change(&mut blob);
    armoured(&blob).to_string()
}

#[test]
fn what_is_no_key_says_so_and_never_hangs() {
    for text in
        ["", "-----BEGIN OPENSSH PRIVATE KEY----------END OPENSSH PRIVATE KEY-----", "ssh-ed25519 AAAA"]
    {
        assert_eq!(opened(text, ""), Err(KeyFileError::Form), "{text}");
    }
    let rounds = changed(|blob| {
        let at = blob.windows(4).position(|w| w == ROUNDS.to_be_bytes()).unwrap();
        // The first is the length of the options, the second the rounds.
        let next = blob.iter().skip(at + 1).collect::<Vec<_>>();
        let again = next.windows(4).position(|w| w.iter().map(|b| **b).eq(ROUNDS.to_be_bytes())).unwrap();
        blob[at + 1 + again..][..4].copy_from_slice(&u32::MAX.to_be_bytes());
    });
    assert_eq!(opened(&rounds, "a long passphrase"), Err(KeyFileError::Rounds));
    assert_eq!(opened(&changed(|b| b[19] = b'b'), "a long passphrase"), Err(KeyFileError::Cipher));
}

#[test]
fn a_file_that_is_cut_anywhere_gives_no_key() {
    let whole = written();
    let letters: String = whole.lines().filter(|l| !l.starts_with('-')).collect();
    let blob = STANDARD.decode(letters).unwrap();
    for length in 0..blob.len() {
        assert!(Sealed::read(&armoured(&blob[..length])).is_err(), "{length}");
    }
}
