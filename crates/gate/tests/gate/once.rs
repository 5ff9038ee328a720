//! People counted once over all partners, through the whole ladder: under a policy's own terms, on a budget line of its own, and out of the building in a total only.

use cairn_gate::{Gate, Kept, Opened, Sealable, Step};
use cairn_ledger::Ledger;
use cairn_question::answer::TreatmentV1;
use cairn_question::privacy::Epsilon;
use cairn_question::{Hash, LinkedBy, OutcomeV1, PartnerId, SealedV1, TotalTreatment};
use cairn_release::RawPeople;
use cairn_release::share::{HonestPartners, Shares};

use crate::world::{Draft, World, layers, name, raw};

/// Two counts a year.
const TWO: (&str, &str) = ("counts_per_year = 4 ", "counts_per_year = 2 ");

fn world() -> World {
    let mut world = World::new();
    world.layers = layers(&[TWO], None);
    world
}

fn partners() -> Vec<PartnerId> {
    ["angus", "fife", "strathcarron-council"].map(|id| PartnerId::new(id).unwrap()).to_vec()
}

fn draft(world: &World, id: u8, text: &str) -> Draft {
    let mut draft = world.draft(id, text);
    draft.ask.partners = partners();
    draft.ask.question.role = name("overlap-analyst");
    draft.credential.role = name("overlap-analyst");
    draft
}

fn once(millionths: u32, keys_per_person: u32) -> TotalTreatment {
    TotalTreatment::CountOnce {
        epsilon: Epsilon::from_millionths(millionths).unwrap(),
        keys_per_person,
        buckets_power: 12,
        linked_by: LinkedBy::Nino,
    }
}

/// Up to and with the hold, and the people that the engine would name.
fn put(world: &mut World, draft: &Draft, total: Option<TotalTreatment>) -> Result<Sealable, Vec<u8>> {
    let signed = world.sign(draft);
    let (gate, layers, now): (&Gate, _, _) = (&world.gate, &world.layers, world.now);
    let ledger: &mut Ledger = &mut world.ledger;
    let Step::On(verified) = gate.verify(&signed, layers, ledger, now) else { panic!("not verified") };
    let verified = match total {
        Some(total) => verified.as_total(total),
        None => verified,
    };
    let permitted = match gate.permit(verified, layers, ledger, now) {
        Step::On(permitted) => permitted,
        Step::Reply(reply) => return Err(reply),
        Step::Unreadable => panic!("not a question"),
    };
    match gate.reserve(permitted, &world.facts, ledger, now) {
        Step::On(counting) => {
            assert!(counting.names_people());
            let people = RawPeople::of(counting.plan().question_id, vec![0, 2, 5]);
            gate.seal_people(counting, people).map_err(|failed| gate.fail(failed, ledger, now))
        }
        Step::Reply(reply) => Err(reply),
        Step::Unreadable => panic!("not a question"),
    }
}

fn open(world: &mut World, sealable: Sealable) -> Kept {
    let (partners, nodes) = (partners(), [[1; 16], [2; 16], [3; 16]]);
    let opened = Opened {
        manifest: Hash::of(b"manifest"),
        opening: Hash::of(b"opening"),
        partners: &partners,
        nodes: &nodes,
        honest: HonestPartners::of(3, 1).unwrap(),
        record: b"a record with a secret",
        deadline: world.now.plus_s(120),
    };
    world.gate.open_total(sealable, opened, &mut world.ledger, world.now)
}

#[test]
fn a_count_is_held_to_the_policys_terms() {
    let check = |text: &str, total: Option<TotalTreatment>, expected: &str| {
        let mut world = world();
        let draft = draft(&world, 1, text);
        let found = match put(&mut world, &draft, total) {
            Ok(_) => "held".to_owned(),
            Err(reply) => world.outcome(&reply, &draft),
        };
        assert_eq!(found, expected, "{text} {total:?}");
    };
    check("people", Some(once(1_000_000, 2)), "held");
    check("people", Some(once(500_000, 3)), "held");
    check("people where council = Fife", Some(once(1_000_000, 2)), "held");
    check("people", Some(once(1_000_001, 2)), "release.counted-once.epsilon CN021");
    check("people", Some(once(1_000_000, 1)), "release.counted-once.keys_per_person CN021");
    // 10 is the largest ε that there is; what no account could hold is refused, whoever asks for it.
    check("people", Some(once(1_000_000, 11)), "release.counted-once.keys_per_person CN021");
    check("people", Some(once(1_000_000, u32::MAX)), "release.counted-once.keys_per_person CN021");
    check("people", None, "release.counted-once.min_partners CN019");
    let dp = TotalTreatment::Dp { epsilon: Epsilon::from_millionths(100_000).unwrap(), sensitivity: 1 };
    check("people", Some(dp), "release.counted-once.method CN021");
}

#[test]
fn a_count_is_charged_for_each_key_on_a_line_of_its_own() {
    let mut world = world();
    for id in 1..=2 {
        let draft = draft(&world, id, "people");
        let sealable = put(&mut world, &draft, Some(once(1_000_000, 2))).unwrap();
        assert_eq!(sealable.people().unwrap().persons(), [0, 2, 5]);
        let Kept::Opened(_, reply) = open(&mut world, sealable) else { panic!("not opened") };
        let OutcomeV1::Sealed(sealed) = world.open(&reply, &draft).outcome else { panic!("not sealed") };
        let SealedV1 { treatment, privacy, .. } = *sealed;
        let TreatmentV1::CountOnce { epsilon, keys_per_person: 2, buckets_power: 12, .. } = treatment else {
            panic!("{treatment:?}")
        };
        assert_eq!(epsilon.millionths(), 1_000_000);
        // Two keys at ε 1: the ρ of ε 2, and two of them are the whole year.
        let cost = Epsilon::from_millionths(2_000_000).unwrap().rho().nano();
        assert_eq!(privacy.charged.nano(), cost);
        assert_eq!(privacy.year_so_far.nano(), u64::from(id) * cost);
        assert_eq!(privacy.year_cap.nano(), 2 * cost);
    }
    assert_eq!(world.account(), (0, 0), "nothing on the account of tables");
    let third = draft(&world, 3, "people");
    let reply = put(&mut world, &third, Some(once(1_000_000, 2))).unwrap_err();
    assert_eq!(world.outcome(&reply, &third), "release.counts_per_year CA202");
    let table = world.draft(4, crate::world::DISABLED);
    let reply = world.answer(&world.sign(&table));
    assert_eq!(world.outcome(&reply, &table), "answer", "tables have an account of their own");
}

#[test]
fn who_they_are_is_no_table_and_a_table_is_not_people() {
    let mut world = world();
    let one = draft(&world, 1, "people");
    let sealable = put(&mut world, &one, Some(once(1_000_000, 2))).unwrap();
    assert!(sealable.draw(HonestPartners::of(3, 1).unwrap(), &mut Shares).is_err(), "no numbers leave");
    assert_eq!(format!("{sealable:?}").matches("people withheld").count(), 1);
    let two = draft(&world, 2, "people where council = Fife");
    let signed = world.sign(&two);
    let (gate, now) = (&world.gate, world.now);
    let Step::On(verified) = gate.verify(&signed, &world.layers, &mut world.ledger, now) else { panic!() };
    let verified = verified.as_total(once(1_000_000, 2));
    let Step::On(permitted) = gate.permit(verified, &world.layers, &mut world.ledger, now) else { panic!() };
    let Step::On(counting) = gate.reserve(permitted, &world.facts, &mut world.ledger, now) else { panic!() };
    let counted = raw(&counting);
    let failed = gate.seal(counting, &counted).unwrap_err();
    let reply = gate.fail(failed, &mut world.ledger, now);
    assert_eq!(world.outcome(&reply, &two), "fault CT006");
}
