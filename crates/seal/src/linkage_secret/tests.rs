use super::*;
use ring::rand::SystemRandom;

/// A partner of the test's roster.
struct Partner {
    node: NodeId,
    signing: SigningKey,
    key: VerifyingKey,
}

impl Partner {
    fn new(number: u8) -> Self {
        let signing = SigningKey::from_pkcs8(&SigningKey::make_pkcs8().unwrap()).unwrap();
        let key = signing.verifying_key();
        Self { node: NodeId::from_bytes([number; 16]), signing, key }
    }

    fn party(&self) -> Party<'_> {
        Party { node: self.node, key: &self.key }
    }

    fn me(&self) -> (NodeId, &SigningKey) {
        (self.node, &self.signing)
    }
}

fn roster(number: u8) -> Hash {
    Hash::of(&[number])
}

fn random() -> SystemRandom {
    SystemRandom::new()
}

fn question(number: u8) -> QuestionId {
    QuestionId::from_bytes([number; 32])
}

#[test]
fn every_partner_ends_with_the_same_key_for_a_question() {
    let maker = Partner::new(1);
    let secret = LinkageSecret::make(roster(1), &random()).unwrap();
    let expected = secret.question_key(&roster(1), &question(5)).unwrap();
    for number in 2..6 {
        let asker = Partner::new(number);
        let (asking, asked) = Asking::new(roster(1), asker.me(), &random()).unwrap();
        let sealed = secret.seal_for(&asked, asker.party(), maker.me(), &random()).unwrap();
        let theirs = asking.open(&sealed, maker.party()).unwrap();
        assert!(theirs.question_key(&roster(1), &question(5)).unwrap() == expected, "partner {number}");
    }
}

/// Worked out with Python's `hmac` over the tag, the roster's hash and the question's id.
#[test]
fn a_question_key_is_an_hmac_of_roster_and_question() {
    let secret = LinkageSecret::restored(Hash::from_bytes([2; 32]), [1; 32]);
    let key = secret.question_key(&Hash::from_bytes([2; 32]), &question(3)).unwrap();
    assert_eq!(
        cairn_question::id::hex(&key),
        "364c36da12a862257cbdce6c5f0d103d278562703e64df57381d4e48d65fc0a7"
    );
}

#[test]
fn questions_rosters_and_secrets_have_keys_of_their_own() {
    let key = |secret: u8, of: u8, asked: u8| {
        LinkageSecret::restored(roster(of), [secret; 32]).question_key(&roster(of), &question(asked)).unwrap()
    };
    let all = [key(1, 1, 1), key(1, 1, 2), key(1, 2, 1), key(2, 1, 1)];
    for (i, one) in all.iter().enumerate() {
        assert!(all.iter().skip(i + 1).all(|other| one != other), "{i}");
    }
}

#[test]
fn a_secret_goes_with_its_roster() {
    let secret = LinkageSecret::make(roster(1), &random()).unwrap();
    assert_eq!(secret.question_key(&roster(2), &question(1)).unwrap_err(), NotHandedOver::OtherRoster);
    let (maker, asker) = (Partner::new(1), Partner::new(2));
    let (_, asked) = Asking::new(roster(2), asker.me(), &random()).unwrap();
    let refused = secret.seal_for(&asked, asker.party(), maker.me(), &random());
    assert_eq!(refused.unwrap_err(), NotHandedOver::OtherRoster);
    // An answer of the old roster to an asking for the new one.
    let (asking, _) = Asking::new(roster(2), asker.me(), &random()).unwrap();
    let (_, old) = Asking::new(roster(1), asker.me(), &random()).unwrap();
    let sealed = secret.seal_for(&old, asker.party(), maker.me(), &random()).unwrap();
    assert_eq!(asking.open(&sealed, maker.party()).unwrap_err(), NotHandedOver::OtherRoster);
}

#[test]
fn only_a_partner_of_the_roster_is_sealed_to_and_only_the_maker_is_believed() {
    let (maker, asker, stranger) = (Partner::new(1), Partner::new(2), Partner::new(3));
    let secret = LinkageSecret::make(roster(1), &random()).unwrap();
    // A stranger, or the coordinator, asks in a partner's name.
    let (_, forged) = Asking::new(roster(1), (asker.node, &stranger.signing), &random()).unwrap();
    let refused = secret.seal_for(&forged, asker.party(), maker.me(), &random());
    assert_eq!(refused.unwrap_err(), NotHandedOver::NotSigned);
    // A partner asks in another's name with its own signature.
    let (_, other) = Asking::new(roster(1), (stranger.node, &asker.signing), &random()).unwrap();
    let refused = secret.seal_for(&other, asker.party(), maker.me(), &random());
    assert_eq!(refused.unwrap_err(), NotHandedOver::OtherPartner);
    // Somebody else answers with a secret of their own.
    let (asking, asked) = Asking::new(roster(1), asker.me(), &random()).unwrap();
    let theirs = LinkageSecret::make(roster(1), &random()).unwrap();
    let sealed = theirs.seal_for(&asked, asker.party(), (maker.node, &stranger.signing), &random()).unwrap();
    assert_eq!(asking.open(&sealed, maker.party()).unwrap_err(), NotHandedOver::NotSigned);
}

/// The coordinator carries both documents. Neither holds the secret, and it cannot pass one partner's answer to another, nor an old one again.
#[test]
fn the_coordinator_can_neither_read_nor_redirect_what_it_carries() {
    let (maker, asker, other) = (Partner::new(1), Partner::new(2), Partner::new(3));
    let secret = LinkageSecret::make(roster(1), &random()).unwrap();
    let (asking, asked) = Asking::new(roster(1), asker.me(), &random()).unwrap();
    let sealed = secret.seal_for(&asked, asker.party(), maker.me(), &random()).unwrap();
    for carried in [&asked, &sealed] {
        let bytes =
            carried.payload_unverified(ASKING_TYPE).or_else(|_| carried.payload_unverified(SEALED_TYPE));
        let bytes = bytes.unwrap();
        assert!(bytes.windows(32).all(|window| window != secret.to_keep()));
    }
    let (of_other, _) = Asking::new(roster(1), other.me(), &random()).unwrap();
    assert_eq!(of_other.open(&sealed, maker.party()).unwrap_err(), NotHandedOver::OtherPartner);
    let (again, _) = Asking::new(roster(1), asker.me(), &random()).unwrap();
    assert_eq!(again.open(&sealed, maker.party()).unwrap_err(), NotHandedOver::OtherPartner);
    assert!(asking.open(&sealed, maker.party()).unwrap().to_keep() == secret.to_keep());
}

/// A maker's signature over changed bytes: what was sealed does not open under another head or another ciphertext.
#[test]
fn no_byte_of_a_sealed_secret_can_be_changed() {
    let (maker, asker) = (Partner::new(1), Partner::new(2));
    let secret = LinkageSecret::make(roster(1), &random()).unwrap();
    for place in 0..HEAD_BYTES + 48 {
        let (asking, asked) = Asking::new(roster(1), asker.me(), &random()).unwrap();
        let sealed = secret.seal_for(&asked, asker.party(), maker.me(), &random()).unwrap();
        let mut payload = sealed.payload_unverified(SEALED_TYPE).unwrap();
        assert_eq!(payload.len(), HEAD_BYTES + 48);
        payload[place] ^= 1;
        let changed = Envelope::sign(SEALED_TYPE, &payload, &maker.signing);
        assert!(asking.open(&changed, maker.party()).is_err(), "byte {place}");
    }
}

#[test]
fn an_asking_with_a_weak_key_is_refused() {
    let (maker, asker) = (Partner::new(1), Partner::new(2));
    let secret = LinkageSecret::make(roster(1), &random()).unwrap();
    let payload = [asker.node.as_bytes().as_slice(), roster(1).as_bytes(), &[0; 32]].concat();
    let weak = Envelope::sign(ASKING_TYPE, &payload, &asker.signing);
    let refused = secret.seal_for(&weak, asker.party(), maker.me(), &random());
    assert_eq!(refused.unwrap_err(), NotHandedOver::NoKey);
}

#[test]
fn nothing_prints_the_secret() {
    let secret = LinkageSecret::restored(roster(1), [65; 32]);
    let asker = Partner::new(2);
    let (asking, _) = Asking::new(roster(1), asker.me(), &random()).unwrap();
    assert_eq!(format!("{secret:?} {asking:?}"), "LinkageSecret(withheld) Asking(withheld)");
}

/// Worked out with Python's `hmac`, as the sub-key is; and another text than the sub-key's, so that the one says nothing of the other.
#[test]
fn a_mark_is_an_hmac_under_a_tag_of_its_own() {
    let secret = LinkageSecret::restored(Hash::from_bytes([2; 32]), [1; 32]);
    let of = Hash::from_bytes([2; 32]);
    let mark = secret.mark(&of, &question(3)).unwrap();
    assert_eq!(
        cairn_question::id::hex(mark.as_bytes()),
        "4975beb9246e3c1753e0989580c9b12fae5abbacd4e2e01e9424a067a5f4a6b3"
    );
    assert!(*mark.as_bytes() != secret.question_key(&of, &question(3)).unwrap());
    assert_eq!(secret.mark(&roster(9), &question(3)).err(), Some(NotHandedOver::OtherRoster));
}

#[test]
fn a_mark_is_of_one_secret_roster_and_question() {
    let (first, second) = ([1; 32], [2; 32]);
    let mark = |bytes: [u8; 32], of: u8, asked: u8| {
        LinkageSecret::restored(roster(of), bytes).mark(&roster(of), &question(asked)).unwrap()
    };
    assert_eq!(mark(first, 1, 1), mark(first, 1, 1));
    for other in [mark(second, 1, 1), mark(first, 2, 1), mark(first, 1, 2)] {
        assert!(other != mark(first, 1, 1));
    }
}
