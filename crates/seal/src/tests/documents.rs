//! Roster, terms and manifest: what is refused, each by its own code.

use crate::layout::{Ring, SymbolBits};
use crate::{Layout, Manifest, ManifestV1, Members, Refused, Roster, RosterV1, Terms, Treatment, manifest};
use cairn_question::privacy::{Epsilon, GaussianLoss};
use cairn_question::{Day, Envelope, Hash, Moment, QuestionId, Scaling};

use super::world::{KEYED, NOW, ROUNDED, World, dp, fresh_key, once};

fn check_roster(world: &World, change: impl FnOnce(&mut RosterV1), code: Option<&str>) {
    let mut doc = world.roster_doc.clone();
    change(&mut doc);
    let read = Roster::parse(&serde_json::to_vec(&doc).unwrap());
    assert_eq!(read.err().map(|refused| refused.code()), code);
}

#[test]
fn a_controller_stands_in_the_roster_once() {
    let world = World::new(3);
    check_roster(&world, |_| {}, None);
    check_roster(&world, |doc| doc.entries[1].controller = doc.entries[0].controller.clone(), Some("CM102"));
}

#[test]
fn entries_share_no_id_partner_or_key() {
    let world = World::new(3);
    check_roster(&world, |doc| doc.entries[1].node = doc.entries[0].node, Some("CM103"));
    check_roster(&world, |doc| doc.entries[1].partner = doc.entries[0].partner.clone(), Some("CM103"));
    check_roster(&world, |doc| doc.entries[1].key = doc.entries[0].key, Some("CM103"));
    check_roster(&world, |doc| doc.entries[1].tls_key = doc.entries[0].tls_key, Some("CM103"));
}

#[test]
fn a_roster_is_read_or_refused() {
    let world = World::new(3);
    check_roster(&world, |doc| doc.cairn_roster = 2, Some("CM101"));
    check_roster(&world, |doc| doc.version = 0, Some("CM101"));
    check_roster(&world, |doc| doc.entries[0].valid_until = Day::new(2025, 1, 1).unwrap(), Some("CM101"));
    assert_eq!(Roster::parse(b"{}").err(), Some(Refused::Roster));
    assert_eq!(Roster::parse(&vec![b' '; 1 << 20]).err(), Some(Refused::Roster));
    assert_eq!(world.roster.entry(2).map(|e| world.roster.place(e.node)), Some(Some(2)));
}

#[test]
fn terms_hide_every_honest_partner() {
    let check = |t, answering, invited, expected| {
        assert_eq!(Terms::new(t, answering, invited, 1).is_ok(), expected, "{t} {answering} {invited}");
    };
    check(10, 22, 32, true);
    check(10, 21, 32, false);
    check(10, 33, 32, false);
    check(1, 3, 3, true);
    check(1, 2, 2, false);
    check(0, 3, 4, false);
}

fn check(change: impl FnOnce(&mut ManifestV1), code: Option<&str>) {
    let world = World::new(5);
    let mut doc = world.doc();
    change(&mut doc);
    assert_eq!(world.open(&doc).err().map(|refused| refused.code()), code, "{doc:?}");
}

#[test]
fn a_manifest_only_raises_the_terms() {
    check(|_| {}, None);
    check(|doc| doc.answering_min = 3, Some("CM116"));
    check(|doc| doc.answering_min = 5, None);
    check(|doc| doc.invited = Members::of(0..4).unwrap(), Some("CM117"));
    check(|doc| doc.clamp = 999_999, None);
    check(|doc| doc.clamp = 1_000_001, Some("CM118"));
}

#[test]
fn a_manifest_has_the_t_of_the_framework() {
    check(|doc| doc.colluding_max = 0, Some("CM115"));
    check(|doc| doc.colluding_max = 2, Some("CM126"));
    check(|doc| (doc.colluding_max, doc.answering_min) = (3, 5), Some("CM126"));
    // A node that reckons with two takes what the others refuse, and refuses what they take.
    let (world, other) = (World::new(5), Terms::new(2, 4, 5, 1_000_000).unwrap());
    let mut doc = world.doc();
    doc.colluding_max = 2;
    let open = |doc: &ManifestV1| {
        let bytes = doc.sign(&world.analyst).to_bytes();
        Manifest::open(&bytes, &world.analyst.verifying_key(), &world.roster, &other).map(|_| ())
    };
    assert_eq!(open(&doc), Ok(()));
    assert_eq!(open(&world.doc()), Err(Refused::LowersColluding { framework: 2 }));
}

#[test]
fn no_two_groups_can_answer_and_differ_by_one_honest_partner() {
    // ⌊(5 + t)/2⌋ + 1: with t = 1 it is 4, with t = 3 it is 5, with t = 4 none of the five suffices.
    check(|doc| doc.colluding_max = 3, Some("CM119"));
    check(|doc| (doc.colluding_max, doc.answering_min) = (4, 5), Some("CM120"));
    check(|doc| doc.answering_min = 6, Some("CM119"));
}

#[test]
fn a_sum_keeps_within_its_word() {
    let clamp_of_32 = |clamp| {
        move |doc: &mut ManifestV1| {
            doc.layout = Layout::new(Ring::U32, 8).unwrap();
            (doc.clamp, doc.scale, doc.noise_tail) = (clamp, 1 << 9, 4_000);
            doc.treatment = bell(9);
        }
    };
    // 5 · 512 · B + 4000 < 2³¹
    check(clamp_of_32(838_859), None);
    check(clamp_of_32(838_860), Some("CM121"));
    check(|doc| doc.noise_tail = i64::MAX.unsigned_abs() - 5_000_000, None);
    check(|doc| doc.noise_tail = i64::MAX.unsigned_abs(), Some("CM121"));
    check(|doc| doc.scale = 1 << 63, Some("CM121"));
    check(|doc| doc.scale = 3, Some("CM121"));
    check(|doc| doc.scale = 0, Some("CM121"));
}

/// Gaussian noise of ε = 10 at δ = 10⁻⁶ on counts times 2 to this power: σ is .57.
fn bell(power: u8) -> Treatment {
    let loss = GaussianLoss::at(Epsilon::MAX, 1_000_000).unwrap();
    let scaling = Scaling::of_power(power).unwrap();
    Treatment::DpGaussian { loss, sensitivity: 1, l2_squared: 1, scaling }
}

/// The rule of scaling, for as many as are invited and may be honest: 4 of 5, so that 8·.57/√4 is enough and 4·.57/√4 is not.
#[test]
fn counts_are_scaled_as_their_noise_needs_and_no_others_are() {
    let scaled = |scale, power| move |doc: &mut ManifestV1| (doc.scale, doc.treatment) = (scale, bell(power));
    check(scaled(8, 3), None);
    check(scaled(16, 4), None);
    check(scaled(4, 2), Some("CT022"));
    check(scaled(1, 0), Some("CT022"));
    // One number in the treatment, another in the manifest.
    check(scaled(8, 4), Some("CT022"));
    check(scaled(16, 3), Some("CT022"));
    check(|doc| doc.scale = 2, Some("CT022"));
}

/// Of 5 partners 4 must answer, of whom 1 may draw nothing: at ε = ½ the noise reaches 2·2·(65 + 2)·ln 2.
#[test]
fn a_manifest_leaves_room_for_the_noise_of_its_treatment() {
    let room = |noise_tail, treatment| {
        move |doc: &mut ManifestV1| {
            (doc.noise_tail, doc.treatment) = (noise_tail, treatment);
            doc.scale = treatment.scaling().factor().unsigned_abs();
        }
    };
    check(room(186, dp()), None);
    check(room(185, dp()), Some("CM129"));
    check(room(0, dp()), Some("CM129"));
    // 8·.57·√(4/3)·√(2·65·ln 2), worked out beside the formula.
    check(room(50, bell(3)), None);
    check(room(49, bell(3)), Some("CM129"));
    // 3 at each of 5.
    check(room(15, KEYED), None);
    check(room(14, KEYED), Some("CM129"));
    check(room(0, ROUNDED), None);
    let loss = Refused::NoiseTail { least: 186 };
    assert_eq!((loss.code(), loss.to_string().contains("at least 186")), ("CM129", true));
}

/// What a node of an older version says of a treatment that came after it, and of no manifest at all.
#[test]
fn a_protection_that_came_later_is_refused_by_a_code_of_its_own() {
    let world = World::new(5);
    let text = serde_json::to_string(&world.doc()).unwrap();
    let check = |from: &str, to: &str, expected: Refused| {
        assert!(text.contains(from), "{text}");
        let changed = text.replacen(from, to, 1);
        let signed = Envelope::sign(manifest::MANIFEST_TYPE, changed.as_bytes(), &world.analyst).to_bytes();
        let opened = Manifest::open(&signed, &world.analyst.verifying_key(), &world.roster, &world.terms);
        assert_eq!(opened.err(), Some(expected), "{changed}");
    };
    check("\"method\":\"dp\"", "\"method\":\"dp-later\",\"more\":1", Refused::UnknownTreatment);
    check("\"method\":\"dp\"", "\"method\":\"dp-gaussian\"", Refused::Manifest);
    check("\"method\":\"dp\"", "\"manner\":\"dp\"", Refused::Manifest);
    check("\"flight_s\"", "\"flights\"", Refused::Manifest);
    assert_eq!(Refused::UnknownTreatment.code(), "CM127");
}

#[test]
fn a_treatment_fits_its_ring() {
    let of = |bits, buckets| Layout::new(Ring::Xor(SymbolBits::new(bits).unwrap()), buckets).unwrap();
    let bits = of(3, 1 << 10);
    check(|doc| (doc.layout, doc.treatment) = (bits, once()), None);
    // Other symbols or buckets than the terms make.
    for other in [of(2, 1 << 10), of(3, 1 << 11)] {
        check(|doc| (doc.layout, doc.treatment) = (other, once()), Some("CM122"));
    }
    check(|doc| doc.layout = bits, Some("CM122"));
    check(|doc| doc.treatment = once(), Some("CM122"));
}

#[test]
fn a_count_in_cells_has_a_pattern_for_each_and_no_more_than_a_vector_carries() {
    let of = |buckets| Layout::new(Ring::Xor(SymbolBits::new(3).unwrap()), buckets).unwrap();
    let in_cells = |cells: u32| {
        let Treatment::CountOnce { epsilon, keys_per_person, buckets_power, linked_by, .. } = once() else {
            unreachable!()
        };
        let breakdown = cairn_question::Breakdown::new(cells, 2).ok();
        Treatment::CountOnce { epsilon, keys_per_person, buckets_power, linked_by, breakdown }
    };
    check(|doc| (doc.layout, doc.treatment) = (of(5 << 10), in_cells(5)), None);
    check(|doc| (doc.layout, doc.treatment) = (of(1 << 10), in_cells(5)), Some("CM122"));
    check(|doc| (doc.layout, doc.treatment) = (of(5 << 10), once()), Some("CM122"));
    // 2¹⁰ buckets of 3 bits are 384 bytes; 2,560 cells are 960 KiB.
    check(|doc| (doc.layout, doc.treatment) = (of(2_560 << 10), in_cells(2_560)), None);
    check(|doc| (doc.layout, doc.treatment) = (of(2_560 << 10), in_cells(2_561)), Some("CU007"));
}

#[test]
fn a_manifest_is_of_one_analyst_one_roster_and_one_question() {
    let world = World::new(5);
    let doc = world.doc();
    let stranger = doc.sign(&fresh_key()).to_bytes();
    let opened = Manifest::open(&stranger, &world.analyst.verifying_key(), &world.roster, &world.terms);
    assert_eq!(opened.err(), Some(Refused::Manifest));
    check(|doc| doc.cairn_manifest = 2, Some("CM111"));
    check(|doc| doc.roster_version = 4, Some("CM113"));
    check(|doc| doc.roster = Hash::of(b"another"), Some("CM113"));
    check(|doc| doc.invited = Members::of(0..6).unwrap(), Some("CM114"));
    let manifest = world.open(&doc).unwrap();
    let other = QuestionId::from_bytes([8; 32]);
    assert_eq!(manifest.of_question(doc.question, &doc.question_hash), Ok(()));
    assert_eq!(manifest.of_question(other, &doc.question_hash), Err(Refused::OtherQuestion));
    assert_eq!(manifest.of_question(doc.question, &Hash::of(b"changed")), Err(Refused::OtherQuestion));
}

#[test]
fn a_manifest_has_a_time() {
    let world = World::new(5);
    let manifest = world.open(&world.doc()).unwrap();
    let check = |now: Moment, expected| assert_eq!(manifest.in_time(&world.roster, now), expected, "{now}");
    check(NOW, Ok(()));
    check(NOW.plus_s(3_599), Ok(()));
    check(NOW.plus_s(3_600), Err(Refused::Deadline));
    check(Moment::from_unix_s(NOW.unix_s() - 86_400), Err(Refused::Deadline));
    self::check(|doc| doc.flight_s = 0, Some("CM124"));
    self::check(|doc| doc.flight_s = manifest::FLIGHT_S_MAX + 1, Some("CM124"));
    let later = Moment::from_unix_s(NOW.unix_s() + 400 * 86_400);
    let mut doc = world.doc();
    doc.deadline = later.plus_s(60);
    assert_eq!(world.open(&doc).unwrap().in_time(&world.roster, later), Err(Refused::NotInRoster));
}

#[test]
fn a_round_has_a_size() {
    let world = World::new(300);
    let mut doc = world.doc();
    doc.layout = Layout::new(Ring::U64, 120_000).unwrap();
    assert_eq!(world.open(&doc).err(), Some(Refused::RoundTooLarge));
}

#[test]
fn a_manifest_of_all_partners_is_short() {
    let world = World::new(500);
    let bytes = world.doc().sign(&world.analyst).to_bytes();
    assert!(bytes.len() < 1_200, "{} bytes", bytes.len());
}

#[test]
fn noise_is_shared_among_all_but_the_frameworks_colluders() {
    let world = World::new(5);
    let manifest = world.open(&world.doc()).unwrap();
    assert_eq!(manifest.honest(&Members::of(0..4).unwrap()), 3);
}
