//! People counted once over all partners, through the whole ladder: under a policy's own terms, on a budget line of its own, and out of the building in a total only.

use cairn_gate::{Gate, Kept, Opened, Sealable, Step};
use cairn_ledger::Ledger;
use cairn_policy::Layers;
use cairn_question::answer::TreatmentV1;
use cairn_question::privacy::Epsilon;
use cairn_question::{Breakdown, Hash, LinkedBy, OutcomeV1, PartnerId, Schema, SealedV1, TotalTreatment};
use cairn_release::RawPeople;
use cairn_release::share::{HonestPartners, Shares};

use crate::world::{Draft, World, layers, name, raw, sources};

/// Two counts a year.
const TWO: (&str, &str) = ("counts_per_year = 4 ", "counts_per_year = 2 ");

fn world() -> World {
    let mut world = World::new();
    world.layers = layers(&[TWO], None);
    world
}

/// Four counts a year, by sex too, under a framework that reckons with a person in two cells.
fn world_by_sex() -> World {
    let mut world = World::new();
    let (none, by_sex) = ("group_by  = {}", "group_by  = { sex = \"code\" }");
    let mut sources = sources(&[(none, by_sex), ("max_group_columns  = 0", "max_group_columns  = 1")], None);
    let keys = "keys_per_person_max = ";
    assert!(sources.framework.text.contains(keys));
    sources.framework.text =
        sources.framework.text.replace(keys, &format!("cells_per_person_max = 2\n{keys}"));
    world.layers = Layers::load(&sources).unwrap_or_else(|found| panic!("{found:#?}"));
    world
}

/// How many cells a table by sex has.
fn cells() -> u32 {
    let codes = Schema::smf().codes_at(Schema::smf().find("participants", "sex").unwrap().column, "code");
    u32::try_from(codes.unwrap().len()).unwrap()
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
    once_in(millionths, keys_per_person, None)
}

/// Of so many cells, a person in so many.
fn by_sex(cells: u32, cells_per_person: u32) -> TotalTreatment {
    once_in(1_000_000, 2, Breakdown::new(cells, cells_per_person).ok())
}

fn once_in(millionths: u32, keys_per_person: u32, breakdown: Option<Breakdown>) -> TotalTreatment {
    TotalTreatment::CountOnce {
        epsilon: Epsilon::from_millionths(millionths).unwrap(),
        keys_per_person,
        buckets_power: 12,
        linked_by: LinkedBy::Nino,
        breakdown,
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
            let people = RawPeople::of(counting.plan().question_id, vec![(0, 0), (2, 0), (5, 0)]);
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
        assert_eq!(sealable.people().unwrap().in_cells(), [(0, 0), (2, 0), (5, 0)]);
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
fn a_table_of_counts_is_held_to_the_cells_that_it_has_and_a_person_may_be_in() {
    let check = |text: &str, total: TotalTreatment, expected: &str| {
        let mut world = world_by_sex();
        let draft = draft(&world, 1, text);
        let found = match put(&mut world, &draft, Some(total)) {
            Ok(_) => "held".to_owned(),
            Err(reply) => world.outcome(&reply, &draft),
        };
        assert_eq!(found, expected, "{text} {total:?}");
    };
    let all = cells();
    check("people by sex", by_sex(all, 2), "held");
    check("people by sex where council = Fife", by_sex(all, 2), "held");
    check("people by sex", by_sex(all, 1), "release.counted-once.cells_per_person CN021");
    check("people by sex", by_sex(all + 1, 2), "release.counted-once.cells_per_person CN021");
    check("people by sex", once(1_000_000, 2), "release.counted-once.cells_per_person CN021");
    check("people", by_sex(all, 2), "release.counted-once.cells_per_person CN021");
    check("people", once(1_000_000, 2), "held");
    // More cells than the policy wants cost more; more than the account of the year holds are refused by the ledger.
    check("people by sex", once_in(500_000, 2, Breakdown::new(all, 3).ok()), "held");
    let dear = once_in(1_000_000, 3, Breakdown::new(all, 3).ok());
    check("people by sex", dear, "release.counts_per_year CA202");
    let lost = once_in(1_000_000, 4, Breakdown::new(all, 3).ok());
    check("people by sex", lost, "release.counted-once.keys_per_person CN021");
}

/// The hold, the charge and the signed word say one figure: s_max · c_max · ε₀.
#[test]
fn a_table_of_counts_is_charged_for_each_key_and_each_cell() {
    let mut world = world_by_sex();
    let table = draft(&world, 1, "people by sex");
    let sealable = put(&mut world, &table, Some(by_sex(cells(), 2))).unwrap();
    let Kept::Opened(_, reply) = open(&mut world, sealable) else { panic!("not opened") };
    let OutcomeV1::Sealed(sealed) = world.open(&reply, &table).outcome else { panic!("not sealed") };
    let SealedV1 { treatment, privacy, .. } = *sealed;
    let TreatmentV1::CountOnce { epsilon, keys_per_person: 2, breakdown: Some(breakdown), .. } = treatment
    else {
        panic!("{treatment:?}")
    };
    assert_eq!(
        (epsilon.millionths(), breakdown.cells(), breakdown.cells_per_person()),
        (1_000_000, cells(), 2)
    );
    // Two keys in two cells at ε 1: the ρ of ε 4. The account of the year holds four counts of two keys.
    let rho = |millionths| Epsilon::from_millionths(millionths).unwrap().rho().nano();
    assert_eq!(privacy.charged.nano(), rho(4_000_000));
    assert_eq!(privacy.year_cap.nano(), 4 * rho(2_000_000));
    // One figure more fits beside it, a second table does not.
    let figure = draft(&world, 2, "people");
    let sealable = put(&mut world, &figure, Some(once(1_000_000, 2))).unwrap();
    let Kept::Opened(_, reply) = open(&mut world, sealable) else { panic!("not opened") };
    let OutcomeV1::Sealed(sealed) = world.open(&reply, &figure).outcome else { panic!("not sealed") };
    assert_eq!(sealed.privacy.charged.nano(), rho(2_000_000));
    assert_eq!(sealed.privacy.year_so_far.nano(), rho(4_000_000) + rho(2_000_000));
    let second = draft(&world, 3, "people by sex");
    let reply = put(&mut world, &second, Some(by_sex(cells(), 2))).unwrap_err();
    assert_eq!(world.outcome(&reply, &second), "release.counts_per_year CA202");
    assert_eq!(world.account(), (0, 0), "nothing on the account of tables");
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
