//! Secure totals through the whole ladder: how a question is put and how a policy answers it, and that nothing opens before its charge is on disk.

use cairn_gate::{Kept, Opened, Sealable, Step};
use cairn_question::answer::{TreatmentV1, Zeros};
use cairn_question::privacy::{Epsilon, GaussianLoss, NanoRho};
use cairn_question::{Hash, OutcomeV1, PartnerId, Perturbations, Scaling, SealedV1, TotalTreatment};
use cairn_release::share::HonestPartners;
use cairn_release::{NoiseFault, Share, ShareNoise};

use crate::world::{DISABLED, Draft, PEOPLE, World, layers, raw};

/// The releases for totals only.
const ROUNDED: (&str, &str) =
    ("method  = \"suppress-round\"\n", "method  = \"suppress-round\"\nmin_partners = 3\n");
const KEYED: (&str, &str) = (
    "method  = \"suppress-round\"\nprofile = \"sub-national-8-5\"",
    "method  = \"cell-key\"\nptable  = \"framework:d3-total\"\nprofile = \"census-cell-key\"\nmin_partners = 3",
);
const NOISY: (&str, &str) = ("method    = \"dp\"\n", "method    = \"dp\"\nmin_partners = 3\n");
const GAUSSIAN: (&str, &str) = ("discrete-laplace", "discrete-gaussian");

/// Draws 1 in every cell.
struct One;

impl ShareNoise for One {
    fn draw_share(&mut self, _: &Share, cells: usize) -> Result<Vec<i64>, NoiseFault> {
        Ok(vec![1; cells])
    }
}

fn world() -> World {
    let mut world = World::new();
    world.layers = layers(&[ROUNDED, NOISY], None);
    world
}

fn partners() -> Vec<PartnerId> {
    ["angus", "fife", "strathcarron-council"].map(|id| PartnerId::new(id).unwrap()).to_vec()
}

fn draft(world: &World, id: u8, text: &str) -> Draft {
    let mut draft = world.draft(id, text);
    draft.ask.partners = partners();
    draft
}

fn dp(millionths: u32, sensitivity: u32) -> TotalTreatment {
    TotalTreatment::Dp { epsilon: Epsilon::from_millionths(millionths).unwrap(), sensitivity }
}

fn round(min_people: u32, round_to: u32) -> TotalTreatment {
    let (zeros, min_cohort, rows_per_person) = (Zeros::Show, 0, 1);
    TotalTreatment::SuppressRound { min_people, round_to, zeros, min_cohort, rows_per_person }
}

fn keyed(min_people: u32, round_to: u32) -> TotalTreatment {
    let (table, zeros) = (Perturbations::D3Total, Zeros::Show);
    TotalTreatment::CellKey { table, min_people, round_to, zeros }
}

/// ε at δ in millionths and trillionths: the policy's are a tenth at 10⁻⁶.
fn bell(epsilon: u32, delta: u64, (sensitivity, l2_squared): (u32, u64)) -> TotalTreatment {
    let loss = GaussianLoss::at(Epsilon::from_millionths(epsilon).unwrap(), delta).unwrap();
    TotalTreatment::DpGaussian { loss, sensitivity, l2_squared, scaling: Scaling::NONE }
}

fn opened<'a>(partners: &'a [PartnerId], nodes: &'a [[u8; 16]], world: &World) -> Opened<'a> {
    Opened {
        manifest: Hash::of(b"manifest"),
        opening: Hash::of(b"opening"),
        partners,
        nodes,
        honest: HonestPartners::of(3, 1).unwrap(),
        record: b"a record with a secret",
        deadline: world.now.plus_s(120),
    }
}

impl World {
    /// Up to and with the hold of a question put as a total, or the reply.
    fn put(&mut self, draft: &Draft, total: Option<TotalTreatment>) -> Result<Sealable, Vec<u8>> {
        let signed = self.sign(draft);
        let (layers, ledger, now) = (&self.layers, &mut self.ledger, self.now);
        let verified = match self.gate.verify(&signed, layers, ledger, now) {
            Step::On(verified) => verified,
            Step::Reply(reply) => return Err(reply),
            Step::Unreadable => panic!("not a question"),
        };
        let verified = match total {
            Some(total) => verified.as_total(total),
            None => verified,
        };
        let permitted = match self.gate.permit(verified, layers, ledger, now) {
            Step::On(permitted) => permitted,
            Step::Reply(reply) => return Err(reply),
            Step::Unreadable => panic!("not a question"),
        };
        match self.gate.reserve(permitted, &self.facts, ledger, now) {
            Step::On(counting) => {
                let raw = raw(&counting);
                self.gate.seal(counting, &raw).map_err(|failed| self.gate.fail(failed, ledger, now))
            }
            Step::Reply(reply) => Err(reply),
            Step::Unreadable => panic!("not a question"),
        }
    }

    fn open_total(&mut self, sealable: Sealable, nodes: &[[u8; 16]]) -> Kept {
        let partners = partners();
        let opened = opened(&partners, nodes, self);
        self.gate.open_total(sealable, opened, &mut self.ledger, self.now)
    }
}

#[test]
fn what_is_asked_for_all_may_protect_more_than_a_policy_and_never_less() {
    let check = |text: &str, total: Option<TotalTreatment>, expected: &str| {
        let mut world = world();
        let draft = draft(&world, 1, text);
        let found = match world.put(&draft, total) {
            Ok(_) => "held".to_owned(),
            Err(reply) => world.outcome(&reply, &draft),
        };
        assert_eq!(found, expected, "{text} {total:?}");
    };
    check(DISABLED, Some(dp(100_000, 1)), "held");
    check(DISABLED, Some(dp(50_000, 2)), "held");
    check(DISABLED, Some(dp(100_001, 1)), "release.noisy-people.epsilon CN021");
    check(DISABLED, Some(round(8, 5)), "release.noisy-people.method CN021");
    check(DISABLED, None, "release.noisy-people.min_partners CN019");
    check(PEOPLE, Some(round(8, 5)), "held");
    check(PEOPLE, Some(round(10, 5)), "held");
    check(PEOPLE, Some(round(7, 5)), "release.plain-table.min_people CN021");
    check(PEOPLE, Some(round(8, 3)), "release.plain-table.round_to CN021");
    check(PEOPLE, Some(dp(100_000, 1)), "release.plain-table.method CN021");
    check(PEOPLE, None, "release.plain-table.min_partners CN019");
}

/// Neither kind of noise is the stricter. Of Gaussian noise ρ is held to the policy's, and ε is read at no larger a δ.
#[test]
fn shared_gaussian_noise_is_of_at_most_the_policys_rho() {
    let check = |put: &[(&str, &str)], text: &str, total: TotalTreatment, expected: &str| {
        let mut world = World::new();
        world.layers = layers(put, None);
        let draft = draft(&world, 1, text);
        let found = match world.put(&draft, Some(total)) {
            Ok(_) => "held".to_owned(),
            Err(reply) => world.outcome(&reply, &draft),
        };
        assert_eq!(found, expected, "{text} {total:?}");
    };
    let bells = [NOISY, GAUSSIAN];
    check(&bells, DISABLED, bell(100_000, 1_000_000, (1, 1)), "held");
    check(&bells, DISABLED, bell(50_000, 1_000_000, (2, 4)), "held");
    // At a smaller δ the same ρ is a larger ε: that is no more loss.
    check(&bells, DISABLED, bell(100_000, 1_000, (1, 1)), "held");
    check(&bells, DISABLED, bell(120_000, 1_000, (1, 1)), "held");
    check(&bells, DISABLED, bell(100_001, 1_000_000, (1, 1)), "release.noisy-people.epsilon CN021");
    check(&bells, DISABLED, bell(50_000, 1_000_001, (1, 1)), "release.noisy-people.epsilon CN021");
    check(&bells, DISABLED, dp(100_000, 1), "release.noisy-people.mechanism CN021");
    check(&[NOISY], DISABLED, bell(100_000, 1_000_000, (1, 1)), "release.noisy-people.mechanism CN021");
    check(&bells, DISABLED, round(8, 5), "release.noisy-people.method CN021");
    let years = "people by disabled, year from 2023-24 to 2024-25";
    check(&bells, years, bell(100_000, 1_000_000, (2, 1)), "release.noisy-starters.method CN022");
    check(&bells, years, bell(100_000, 1_000_000, (1, 2)), "release.noisy-starters.method CN022");
    check(&bells, years, bell(100_000, 1_000_000, (2, 2)), "held");
    check(&[GAUSSIAN], DISABLED, bell(100_000, 1_000_000, (1, 1)), "release.noisy-people.min_partners CN020");
}

/// Held and then charged in nano-ρ, as no pure ε; the word says ρ, ε at δ and the width of all partners' noise.
#[test]
fn a_total_under_gaussian_noise_is_held_charged_and_stated_by_its_rho() {
    let mut world = World::new();
    world.layers = layers(&[NOISY, GAUSSIAN], None);
    let asked = draft(&world, 1, DISABLED);
    let sealable = world.put(&asked, Some(bell(80_000, 500_000, (2, 3)))).unwrap();
    let rho = NanoRho::cap_for(0.08, 5e-7);
    assert_eq!(world.account(), (rho.nano(), rho.nano()), "held");
    let honest = HonestPartners::of(3, 1).unwrap();
    assert_eq!(sealable.draw(honest, &mut One).unwrap().first(), Some(&11));
    let Kept::Opened(_, reply) = world.open_total(sealable, &[[1; 16], [2; 16], [3; 16]]) else {
        panic!("not opened")
    };
    assert_eq!(world.account(), (rho.nano(), 0), "spent");
    let account = world.ledger.account(&world.layers.caps(), world.now).unwrap();
    assert_eq!((account.lifetime, account.other, account.pure_epsilon_millionths), (rho, rho, 0));
    let OutcomeV1::Sealed(sealed) = world.open(&reply, &asked).outcome else { panic!("not sealed") };
    assert_eq!(sealed.privacy.charged, rho);
    let TreatmentV1::Dp { mechanism, epsilon, sensitivity, plus_minus_95, concentrated, .. } =
        &sealed.treatment
    else {
        panic!("{:?}", sealed.treatment)
    };
    let loss = concentrated.unwrap();
    assert_eq!((mechanism.as_str(), epsilon.to_string().as_str()), ("discrete-gaussian", "0.08"));
    assert_eq!((loss.rho, loss.l2_squared, loss.delta_trillionths, *sensitivity), (rho, 3, 500_000, 2));
    // Three partners draw shares made for two: 1.96·√(3 ÷ 2ρ)·√(3/2), and the half that rounding adds.
    let width = 1.96 * (3.0 / (2.0 * rho.nano() as f64 / 1e9)).sqrt() * 1.5_f64.sqrt() + 0.5;
    assert!((width..width + 1.1).contains(&(*plus_minus_95 as f64)), "{plus_minus_95} for {width}");
    // Noise of its own: a second one is of other partners, and charged again.
    let asked = draft(&world, 2, DISABLED);
    let sealable = world.put(&asked, Some(bell(80_000, 500_000, (2, 3)))).unwrap();
    let Kept::Opened(..) = world.open_total(sealable, &[[1; 16], [2; 16], [4; 16]]) else {
        panic!("not opened")
    };
    assert_eq!(world.account(), (2 * rho.nano(), 0));
}

/// Counts changed at every node: the same table of perturbations at all, the rules on the total no laxer than here.
#[test]
fn counts_that_every_node_changes_are_changed_alike_and_withheld_as_the_policy_says() {
    let check = |put: (&str, &str), text: &str, total: TotalTreatment, expected: &str| {
        let mut world = World::new();
        world.layers = layers(&[KEYED, put], None);
        let draft = draft(&world, 1, text);
        let found = match world.put(&draft, Some(total)) {
            Ok(_) => "held".to_owned(),
            Err(reply) => world.outcome(&reply, &draft),
        };
        assert_eq!(found, expected, "{text} {total:?}");
    };
    let same = ("", "");
    check(same, PEOPLE, keyed(5, 1), "held");
    check(same, PEOPLE, keyed(8, 1), "held");
    check(same, PEOPLE, keyed(4, 1), "release.plain-table.min_people CN021");
    check(same, PEOPLE, keyed(5, 5), "release.plain-table.round_to CN021");
    check(same, PEOPLE, round(8, 5), "release.plain-table.method CN021");
    // A table that hides small counts is for own tables.
    check(
        ("d3-total", "d3"),
        PEOPLE,
        keyed(5, 1),
        "release.plain-table.ptable CN026, release.plain-table.ptable CN021",
    );
    let rows = "rows in engagements by lep_code";
    check(
        same,
        rows,
        keyed(5, 1),
        "release.plain-table.method CN010, release.plain-table.min_partners CN010",
    );
}

#[test]
fn a_partners_word_of_a_changed_total_says_its_standard_error_and_costs_nothing() {
    let mut world = World::new();
    world.layers = layers(&[KEYED], None);
    let asked = draft(&world, 1, PEOPLE);
    let sealable = world.put(&asked, Some(keyed(5, 1))).unwrap();
    let all: &[[u8; 16]] = &[[1; 16], [2; 16], [3; 16]];
    let Kept::Opened(_, reply) = world.open_total(sealable, all) else { panic!("not opened") };
    let OutcomeV1::Sealed(sealed) = world.open(&reply, &asked).outcome else { panic!("not sealed") };
    let TreatmentV1::CellKey { total, min_people, .. } = &sealed.treatment else { panic!("cell-key") };
    assert_eq!((*min_people, *total), (5, Some(Perturbations::D3Total.off_by(3))));
    assert_eq!(world.account(), (0, 0));
    // R6: the same people are always changed alike, so that fewer partners would show one's changed counts.
    let asked = draft(&world, 2, "people by council");
    let sealable = world.put(&asked, Some(keyed(5, 1))).unwrap();
    match world.open_total(sealable, &all[..2]) {
        Kept::Reply(reply) => assert!(world.outcome(&reply, &asked).contains("CM215")),
        Kept::Opened(..) => panic!("opened"),
    }
}

#[test]
fn a_persons_share_of_the_noise_is_made_for_what_a_person_adds_here() {
    let mut world = world();
    let text = "people by disabled, year from 2023-24 to 2024-25";
    let asked = draft(&world, 1, text);
    let reply = world.put(&asked, Some(dp(100_000, 1))).unwrap_err();
    assert_eq!(world.outcome(&reply, &asked), "release.noisy-starters.method CN022");
    let asked = draft(&world, 2, text);
    assert!(world.put(&asked, Some(dp(100_000, 2))).is_ok());
}

#[test]
fn a_partners_own_table_is_not_given_to_a_total_and_a_total_is_no_own_table() {
    let mut own = World::new();
    let asked = draft(&own, 1, PEOPLE);
    let reply = own.put(&asked, Some(round(8, 5))).unwrap_err();
    assert_eq!(own.outcome(&reply, &asked), "release.plain-table.min_partners CN020");
}

/// The table of a question that was permitted for a total never leaves as an answer.
#[test]
fn what_was_held_for_a_total_is_released_as_nothing_else() {
    let mut world = world();
    let asked = draft(&world, 1, DISABLED);
    let signed = world.sign(&asked);
    let Step::On(verified) = world.gate.verify(&signed, &world.layers, &mut world.ledger, world.now) else {
        panic!("verified")
    };
    let verified = verified.as_total(dp(100_000, 1));
    let Step::On(permitted) = world.gate.permit(verified, &world.layers, &mut world.ledger, world.now) else {
        panic!("permitted")
    };
    let Step::On(counting) = world.gate.reserve(permitted, &world.facts, &mut world.ledger, world.now) else {
        panic!("held")
    };
    assert!(counting.is_total());
    let reply = world.finish(counting);
    assert_eq!(world.outcome(&reply, &asked), "fault CN023");
}

#[test]
fn the_charge_and_the_partners_word_are_on_disk_before_anything_opens() {
    let mut world = world();
    let asked = draft(&world, 1, DISABLED);
    let sealable = world.put(&asked, Some(dp(50_000, 1))).unwrap();
    let rho = Epsilon::from_millionths(50_000).unwrap().rho().nano();
    assert_eq!(world.account(), (rho, rho), "held");
    let honest = HonestPartners::of(3, 1).unwrap();
    let drawn = sealable.draw(honest, &mut One).unwrap();
    assert_eq!(drawn.first(), Some(&11), "ten people, and the noise of this attempt");
    let Kept::Opened(record, reply) = world.open_total(sealable, &[[1; 16], [2; 16], [3; 16]]) else {
        panic!("not opened")
    };
    assert_eq!(record.bytes(), b"a record with a secret");
    assert_eq!(world.account(), (rho, 0), "spent");
    let sealed: SealedV1 = match world.open(&reply, &asked).outcome {
        OutcomeV1::Sealed(sealed) => *sealed,
        other => panic!("{other:?}"),
    };
    assert_eq!(sealed.partners, partners());
    let TreatmentV1::Dp { epsilon, .. } = &sealed.treatment else { panic!("{:?}", sealed.treatment) };
    assert_eq!(epsilon.millionths(), 50_000);
    assert_eq!(sealed.privacy.charged.nano(), rho);
    // After a crash the same word is given, and the ledger still has what opens.
    world.restart();
    let signed = world.sign(&asked);
    match world.gate.verify(&signed, &world.layers, &mut world.ledger, world.now) {
        Step::Reply(again) => assert_eq!(again, reply),
        other => panic!("{other:?}"),
    }
    assert!(world.ledger.opening(asked.ask.id).unwrap().is_some());
}

/// R6: without fresh noise, the difference of two totals over other partners would be one partner's figures.
#[test]
fn a_second_total_without_noise_is_of_the_same_partners() {
    let mut world = world();
    let mut open = |id: u8, text: &str, total, nodes: &[[u8; 16]]| {
        let asked = draft(&world, id, text);
        let sealable = world.put(&asked, Some(total)).unwrap();
        match world.open_total(sealable, nodes) {
            Kept::Opened(..) => "opened".to_owned(),
            Kept::Reply(reply) => world.outcome(&reply, &asked),
        }
    };
    let (all, fewer): (&[[u8; 16]], &[[u8; 16]]) = (&[[1; 16], [2; 16], [3; 16]], &[[1; 16], [2; 16]]);
    assert_eq!(open(1, PEOPLE, round(8, 5), all), "opened");
    assert_eq!(open(2, "people by age@broad", round(8, 5), all), "opened");
    assert!(open(3, "people by council", round(8, 5), fewer).contains("CM215"));
    assert_eq!(open(4, DISABLED, dp(100_000, 1), fewer), "opened", "noise of its own, charged");
}

/// How many are asked is known at once, how many are ready only in the round.
#[test]
fn a_total_is_of_as_many_partners_as_the_policy_says() {
    let mut world = world();
    let asked = draft(&world, 1, DISABLED);
    let sealable = world.put(&asked, Some(dp(100_000, 1))).unwrap();
    assert!(sealable.is_among(3).is_ok());
    let refusal = sealable.is_among(2).unwrap_err();
    assert_eq!(refusal.rules[0].code, "CN012");
    let few = [PartnerId::new("angus").unwrap(), world.gate.partner().clone()];
    let opened = opened(&few, &[[1; 16], [2; 16]], &world);
    match world.gate.open_total(sealable, opened, &mut world.ledger, world.now) {
        Kept::Reply(reply) => {
            assert_eq!(world.outcome(&reply, &asked), "release.noisy-people.min_partners CN012")
        }
        Kept::Opened(..) => panic!("opened"),
    }
    assert_eq!(world.account(), (0, 0));
}

/// A brake or another policy stops a part that waits, and nothing is charged.
#[test]
fn a_part_that_waits_is_stopped_by_a_brake() {
    let mut world = world();
    let asked = draft(&world, 1, DISABLED);
    let sealable = world.put(&asked, Some(dp(100_000, 1))).unwrap();
    assert!(world.gate.still_sealable(&sealable, &world.layers, world.now).is_ok());
    let braked = layers(&[ROUNDED, NOISY], Some("pause_all = true"));
    let refusal = world.gate.still_sealable(&sealable, &braked, world.now).unwrap_err();
    let reply = world.gate.fail(sealable.stopped(refusal), &mut world.ledger, world.now);
    assert!(world.outcome(&reply, &asked).contains("brake"), "{}", world.outcome(&reply, &asked));
    assert_eq!(world.account(), (0, 0));
}
