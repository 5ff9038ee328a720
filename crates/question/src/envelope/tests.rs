use super::*;

const KIND: &str = "application/vnd.cairn.test+json";

fn key() -> SigningKey {
    SigningKey::from_pkcs8(&SigningKey::make_pkcs8().unwrap()).unwrap()
}

#[test]
fn what_was_signed_opens_and_nothing_else_does() {
    let (ours, other) = (key(), key());
    let envelope = Envelope::parse(&Envelope::sign(KIND, b"{}", &ours).to_bytes(), 4096).unwrap();
    assert_eq!(envelope.open(KIND, &ours.verifying_key()).unwrap(), b"{}");
    assert_eq!(envelope.open(KIND, &other.verifying_key()), Err(EnvelopeError::BadSignature));
    assert_eq!(envelope.open("application/other", &ours.verifying_key()), Err(EnvelopeError::WrongType));
}

#[test]
fn every_changed_byte_of_the_payload_breaks_the_signature() {
    let ours = key();
    let envelope = Envelope::sign(KIND, b"people by council", &ours);
    for at in 0..17 {
        let mut payload = b"people by council".to_vec();
        payload[at] ^= 1;
        let forged = Envelope { payload: STANDARD.encode(payload), ..envelope.clone() };
        assert_eq!(forged.open(KIND, &ours.verifying_key()), Err(EnvelopeError::BadSignature));
    }
}

#[test]
fn a_type_cannot_borrow_bytes_from_its_payload() {
    let ours = key();
    let envelope = Envelope::sign("a", b"b c", &ours);
    let forged = Envelope { payload_type: "a b".into(), payload: STANDARD.encode(b"c"), ..envelope };
    assert_eq!(forged.open("a b", &ours.verifying_key()), Err(EnvelopeError::BadSignature));
}

#[test]
fn bad_envelopes_are_refused() {
    let ours = key();
    for bad in [&b""[..], b"{}", b"[]", b"{\"payloadType\":\"x\",\"payload\":\"\",\"signatures\":[]}"] {
        assert!(Envelope::parse(bad, 4096).is_err());
    }
    assert_eq!(Envelope::parse(&[b' '; 5000], 4096).unwrap_err(), EnvelopeError::TooLong);
    let text = String::from_utf8(Envelope::sign(KIND, b"{}", &ours).to_bytes()).unwrap();
    let extra = text.replacen('{', "{\"more\":1,", 1);
    assert_eq!(Envelope::parse(extra.as_bytes(), 4096).unwrap_err(), EnvelopeError::Malformed);
}
