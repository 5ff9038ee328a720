//! What is a signature and what is not. Agreement with ssh-keygen itself: tests/openssh.rs.

use proptest::prelude::*;

use super::super::sshsig::{NAMESPACE, SIGNATURE_BYTES_MAX, Signature, SignatureError, armoured};
use super::*;

const SIGNERS: [&str; 3] = ["convener", "dpo", "siro"];

/// The keys of the worked example's allowed signers, by name.
fn allowed(member: &str) -> PublicKey {
    let all = fixture("allowed_signers");
    let line = all.lines().find(|l| l.starts_with(member)).expect("a line");
    PublicKey::parse(line.splitn(3, ' ').nth(2).expect("a key")).expect("a key")
}

fn verify(signature: &[u8], key: &PublicKey, message: &[u8]) -> Result<(), SignatureError> {
    Signature::parse(signature)?.verify(key, NAMESPACE, message)
}

#[test]
fn the_real_approvals_hold_and_a_changed_byte_does_not() {
    let note = fixture("approval.txt");
    for member in SIGNERS {
        let (key, signature) = (allowed(member), fixture(&format!("approvals/{member}.sig")));
        assert_eq!(verify(signature.as_bytes(), &key, note.as_bytes()), Ok(()), "{member}");
        for at in 0..note.len() {
            let mut changed = note.clone().into_bytes();
            changed[at] ^= 1;
            let verdict = verify(signature.as_bytes(), &key, &changed);
            assert_eq!(verdict, Err(SignatureError::BadSignature), "{member}, byte {at}");
        }
        let other = allowed(if member == "dpo" { "siro" } else { "dpo" });
        let verdict = verify(signature.as_bytes(), &other, note.as_bytes());
        assert_eq!(verdict, Err(SignatureError::OtherKey));
    }
}

#[test]
fn a_changed_byte_of_a_real_signature_never_makes_it_say_something_else() {
    let (note, key) = (fixture("approval.txt"), allowed("siro"));
    let signature = fixture("approvals/siro.sig").into_bytes();
    let body = "-----BEGIN SSH SIGNATURE-----\n".len();
    let end = signature.windows(6).rposition(|w| w == b"-----E").expect("a last line") - 1;
    for at in body..end {
        let mut changed = signature.clone();
        // Another letter of the same alphabet, so that not only the armour notices.
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let same = verify(&changed, &key, note.as_bytes()).is_ok();
        // Version 0 is taken as version 1, as OpenSSH does: what the signature says is signed, its version is not.
        assert_eq!(same, changed == signature || at == body + VERSION_LETTER, "byte {at}");
    }
}

/// Of the base64 of `SSHSIG` and the version, the letter that holds its lowest bits.
const VERSION_LETTER: usize = 13;

#[test]
fn each_fault_is_said() {
    let note = fixture("approval.txt");
    let good = fixture("approvals/dpo.sig");
    let check = |file: &str, error| {
        assert_eq!(verify(file.as_bytes(), &allowed("dpo"), note.as_bytes()), Err(error), "{file}");
    };
    check("", SignatureError::Header);
    check(&format!("\n{good}"), SignatureError::Header);
    check(&good.replace('\n', "\r\n"), SignatureError::Header);
    check(&good.replace("END", "FIN"), SignatureError::Footer);
    check(&good.replace("U1NIU0lH", "U1NIU0l*"), SignatureError::Base64);
    check(&good.replace("U1NIU0lH", "U1NIU0lI"), SignatureError::Format);
    check(&"x".repeat(SIGNATURE_BYTES_MAX + 1), SignatureError::TooLong);
    check(&signed_for("dpo", "git", &note), SignatureError::Namespace);
    check(&signed("dpo", &note), SignatureError::OtherKey);
}

/// A signature as a security key makes it: `flags` and a counter of 7 beside the message.
fn by_token(flags: u8, signed_flags: u8, application: &str) -> (PublicKey, String) {
    use ring::digest::{SHA256, digest};

    use super::super::key::Kind;
    use super::super::wire::put;
    let pair = pair("token");
    let kind = Kind::SecurityKey { application: application.as_bytes().to_vec() };
    let key = PublicKey { kind, point: point(&pair) };
    let mut over = digest(&SHA256, b"ssh:").as_ref().to_vec();
    over.push(signed_flags);
    over.extend_from_slice(&7_u32.to_be_bytes());
    let message = super::super::sshsig::to_be_signed(NAMESPACE, b"note\n");
    over.extend_from_slice(digest(&SHA256, &message).as_ref());
    let mut made = Vec::new();
    put(&mut made, key.name().as_bytes());
    put(&mut made, pair.sign(&over).as_ref());
    made.push(flags);
    made.extend_from_slice(&7_u32.to_be_bytes());
    let mut blob = b"SSHSIG\0\0\0\x01".to_vec();
    for part in [&key.blob(), NAMESPACE.as_bytes(), b"", b"sha512", &made] {
        put(&mut blob, part);
    }
    (key, armoured(&blob))
}

#[test]
fn a_security_key_must_have_been_touched() {
    let check = |flags, signed_flags, application: &str| {
        let (key, signature) = by_token(flags, signed_flags, application);
        verify(signature.as_bytes(), &key, b"note\n")
    };
    assert_eq!(check(1, 1, "ssh:"), Ok(()));
    assert_eq!(check(5, 5, "ssh:"), Ok(()), "touched, and a PIN was asked for");
    assert_eq!(check(0, 0, "ssh:"), Err(SignatureError::NotTouched));
    assert_eq!(check(1, 0, "ssh:"), Err(SignatureError::BadSignature), "the flags are signed");
    assert_eq!(check(1, 1, "ssh:other"), Err(SignatureError::BadSignature), "the application is signed");
    let (_, signature) = by_token(1, 1, "ssh:");
    assert_eq!(verify(signature.as_bytes(), &public("token"), b"note\n"), Err(SignatureError::OtherKey));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let _ = Signature::parse(&bytes);
        let inside = armoured(&bytes);
        let _ = Signature::parse(inside.as_bytes());
        let mut begun = b"SSHSIG\0\0\0\x01".to_vec();
        begun.extend_from_slice(&bytes);
        prop_assert!(Signature::parse(armoured(&begun).as_bytes()).is_err());
        let _ = PublicKey::parse(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn what_is_written_is_read_and_holds(message in proptest::collection::vec(any::<u8>(), 0..500)) {
        let text = String::from_utf8_lossy(&message).into_owned();
        let file = signed("dpo", &text);
        prop_assert_eq!(verify(file.as_bytes(), &public("dpo"), text.as_bytes()), Ok(()));
        let longer = format!("{text} ");
        prop_assert!(verify(file.as_bytes(), &public("dpo"), longer.as_bytes()).is_err());
    }
}
