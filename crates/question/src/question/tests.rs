use super::*;
use std::collections::BTreeMap;

const NOW: Moment = Moment::from_unix_s(1_790_000_000);

fn key() -> SigningKey {
    SigningKey::from_pkcs8(&SigningKey::make_pkcs8().unwrap()).unwrap()
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

struct World {
    issuer: SigningKey,
    analyst: SigningKey,
    credential: Credential,
    ask: AskV1,
}

fn world() -> World {
    let (issuer, analyst) = (key(), key());
    let credential = Credential {
        cairn_credential: 1,
        issuer: name("scottish-government"),
        analyst: name("a-analyst"),
        role: name("national-analyst"),
        organisation: "Scottish Government".into(),
        key: analyst.verifying_key(),
        not_before: NOW,
        not_after: NOW.plus_s(10_000),
    };
    let question =
        crate::form::parse("people by council", &name("national-analyst"), &name("smf"), Schema::smf())
            .unwrap();
    let ask = AskV1 {
        cairn_question: 1,
        id: QuestionId::from_bytes([7; 32]),
        federation: name("nolb"),
        partners: vec![PartnerId::new("fife").unwrap()],
        asked_at: NOW,
        expires_at: NOW.plus_s(600),
        question,
    };
    World { issuer, analyst, credential, ask }
}

impl World {
    fn open_at(&self, now: Moment) -> Result<OpenAsk, AskError> {
        let signed = SignedAsk::sign(&self.ask, &self.analyst, self.credential.sign(&self.issuer));
        let pins = IssuerPins::new(BTreeMap::from([(name("scottish-government"), self.pinned())]));
        SignedAsk::parse(&signed.to_bytes())?.open(&pins, &name("nolb"), now)
    }
    fn pinned(&self) -> crate::VerifyingKey {
        self.issuer.verifying_key()
    }
}

fn check(change: impl FnOnce(&mut World), rule: &str) {
    let mut world = world();
    change(&mut world);
    assert_eq!(world.open_at(NOW.plus_s(10)).map(|_| ()).map_err(|e| e.rule()), Err(rule));
}

#[test]
fn a_well_signed_question_opens() {
    let open = world().open_at(NOW.plus_s(10)).unwrap();
    assert_eq!(open.credential.analyst, name("a-analyst"));
}

#[test]
fn each_bad_question_has_its_own_rule() {
    check(|w| w.ask.federation = name("other"), "verify.federation");
    check(|w| w.ask.cairn_question = 2, "verify.form");
    check(|w| w.ask.partners = vec![], "verify.form");
    check(|w| w.ask.partners = vec![PartnerId::new("fife").unwrap(); 2], "verify.form");
    check(|w| w.ask.question.role = name("minister"), "verify.role");
    check(|w| w.ask.asked_at = NOW.plus_s(3_600), "verify.clock");
    check(|w| w.ask.expires_at = NOW.plus_s(5), "verify.expired");
    check(|w| w.ask.expires_at = NOW.plus_s(90_000), "verify.expired");
    check(|w| w.analyst = key(), "verify.signature");
    check(|w| w.credential.issuer = name("somebody"), "verify.issuer");
    check(|w| w.credential.not_after = NOW, "verify.credential-dates");
    check(|w| w.credential.not_before = NOW.plus_s(100), "verify.credential-dates");
}

#[test]
fn an_altered_question_and_a_forged_credential_are_told_apart() {
    let w = world();
    let signed = SignedAsk::sign(&w.ask, &w.analyst, w.credential.sign(&key()));
    let pins = IssuerPins::new(BTreeMap::from([(name("scottish-government"), w.pinned())]));
    let fail = |s: &SignedAsk| s.open(&pins, &name("nolb"), NOW).unwrap_err().rule();
    assert_eq!(fail(&signed), "verify.credential");
    let mut other = w.ask.clone();
    other.question.group_by.clear();
    let swapped = SignedAsk {
        question: SignedAsk::sign(&other, &key(), w.credential.sign(&w.issuer)).question,
        credential: w.credential.sign(&w.issuer),
        manifest: None,
    };
    assert_eq!(fail(&swapped), "verify.signature");
}

#[test]
fn a_question_with_a_heap_of_signatures_is_turned_away_unverified() {
    let w = world();
    let pins = IssuerPins::new(BTreeMap::from([(name("scottish-government"), w.pinned())]));
    let signed = SignedAsk::sign(&w.ask, &w.analyst, w.credential.sign(&w.issuer));
    let with = |times: usize| {
        let mut json: serde_json::Value = serde_json::from_slice(&signed.to_bytes()).unwrap();
        let lines = json["question"]["signatures"].as_array_mut().unwrap();
        let line = lines[0].clone();
        lines.resize(times, line);
        let many = SignedAsk::parse(&serde_json::to_vec(&json).unwrap()).unwrap();
        many.open(&pins, &name("nolb"), NOW).map(|_| ()).map_err(|e| e.rule())
    };
    assert_eq!(with(8), Ok(()));
    assert_eq!(with(9), Err("verify.form"));
}

fn refuse(question: Question, says: &str) {
    assert_eq!(question.grid(Schema::smf()).unwrap_err().to_string(), says);
}

#[test]
fn a_question_outside_the_schema_is_refused_with_a_reason() {
    let good = world().ask.question;
    let grouped = |column: &str, grain: &str| Question {
        group_by: vec![GroupBy { column: column.into(), grain: grain.into(), span: None }],
        ..good.clone()
    };
    refuse(
        Question { dataset: "people".into(), ..good.clone() },
        "there is no table `people` to count people in",
    );
    refuse(
        Question { dataset: "charter_feedback".into(), ..good.clone() },
        "there is no table `charter_feedback` to count people in",
    );
    refuse(grouped("sexx", "code"), "`participants` has no column `sexx`; did you mean `sex`?");
    refuse(grouped("sex", "ward"), "`sex` has no grain `ward`; it has code");
    refuse(
        grouped("local_person_id", "code"),
        "`local_person_id` has no grain `code`; it has none: it can never be grouped or filtered",
    );
    let axis = grouped("sex", "code").group_by.remove(0);
    let twice = vec![axis.clone(), axis];
    refuse(Question { group_by: twice, ..good.clone() }, "`sex` stands twice");
}

proptest::proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        let _ = SignedAsk::parse(&bytes);
        let _ = crate::Envelope::parse(&bytes, 4096);
    }
}
