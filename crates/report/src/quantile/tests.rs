use super::*;
use crate::fixture::{noisy, released, rounded};
use cairn_question::answer::TreatmentV1;
use cairn_question::{Cell, Name};
use proptest::prelude::*;

fn question(text: &str) -> Question {
    let (role, purpose) = (Name::new("national-analyst").unwrap(), Name::new("smf-reporting").unwrap());
    form::parse(text, &role, &purpose, Schema::smf()).unwrap()
}

fn ask(text: &str, quantile: &str) -> Result<QuantileAsk, QuantileError> {
    QuantileAsk::new(quantile, &question(text), Schema::smf())
}

/// A partner's answer; cells are numbers, `c` or `x`.
fn answer(grid: &Grid, treatment: TreatmentV1, cells: &str) -> AnswerV1 {
    let cell = |text: &str| match text {
        "c" => Cell::Withheld,
        "x" => Cell::NotAnswered,
        n => Cell::Value(n.parse().unwrap()),
    };
    let cells: Vec<Cell> = cells.split_whitespace().map(cell).collect();
    assert_eq!(cells.len(), grid.cells());
    released(grid, treatment, cells)
}

fn words(found: &GroupQuantile) -> String {
    let quantile = match &found.quantile {
        Quantile::Band(b) => {
            let (kind, part) = match b.range {
                RangeKind::NinetyFive => ("95", b.parts_withheld),
                _ => ("certain", b.parts_withheld),
            };
            let part = if part > 0 { format!(" +{part}c") } else { String::new() };
            format!("{} ({} {} {kind}{part})", b.band, b.least, b.most)
        }
        other => format!("{other:?}"),
    };
    [&found.codes[..], &[quantile]].concat().join(" ")
}

/// The quantiles of partners' tables by age@broad: three bands and unknown.
fn check(quantile: &str, answers: &[(TreatmentV1, &str)], expected: &str) {
    let question = question("people by age@broad");
    let grid = question.grid(Schema::smf()).unwrap();
    let answers: Vec<AnswerV1> = answers.iter().map(|(t, cells)| answer(&grid, t.clone(), cells)).collect();
    let asked = QuantileAsk::new(quantile, &question, Schema::smf()).unwrap();
    let found: Vec<String> = asked.of(&grid, answers.iter()).iter().map(words).collect();
    assert_eq!(found, [expected], "{quantile} of {answers:?}");
}

fn exact() -> TreatmentV1 {
    noisy(0)
}

#[test]
fn a_quantile_is_the_band_in_which_its_share_is_reached() {
    check("age=50", &[(exact(), "10 10 10 0")], "25_49 (25_49 25_49 95)");
    check("age=50", &[(exact(), "20 20 0 0")], "16_24 (16_24 16_24 95)");
    check("age=50", &[(exact(), "20 20 1 0")], "25_49 (25_49 25_49 95)");
    check("age=25", &[(exact(), "10 20 10 0")], "16_24 (16_24 16_24 95)");
    check("age=25.1", &[(exact(), "10 20 10 0")], "25_49 (25_49 25_49 95)");
    check("age=0.1", &[(exact(), "0 0 7 0")], "50_plus (50_plus 50_plus 95)");
    check("age=99.9", &[(exact(), "7 0 0 0")], "16_24 (16_24 16_24 95)");
    // Those whose band is not known are in no band.
    check("age=50", &[(exact(), "10 20 10 5000")], "25_49 (25_49 25_49 95)");
}

#[test]
fn rounding_and_noise_widen_it_and_negative_counts_stay_negative() {
    // 10 stands for 8 to 12, 20 for 18 to 22 and 30 for 28 to 32: of the first two bands 26 to 34 of 54 to 66.
    check("age=50", &[(rounded(), "10 20 30 0")], "25_49 (25_49 50_plus certain)");
    check("age=50", &[(rounded(), "10 50 30 0")], "25_49 (25_49 25_49 certain)");
    // The first band has 20 too few at the median, and √3 half-widths count half: 13.0 of 15, 21.7 of 25.
    check("age=50", &[(noisy(15), "10 20 30 0")], "25_49 (25_49 50_plus 95)");
    check("age=50", &[(noisy(25), "10 20 30 0")], "25_49 (16_24 50_plus 95)");
    check("age=50", &[(noisy(3), "10 50 30 0")], "25_49 (25_49 25_49 95)");
    check("age=50", &[(exact(), "-40 30 30 0")], "50_plus (50_plus 50_plus 95)");
    // Half-widths of two partners add as the root of their squares: 6 and 8 are 10 a band, 17.3 over the three at the median.
    check("age=50", &[(noisy(6), "0 100 80 0"), (noisy(8), "0 0 3 0")], "25_49 (25_49 50_plus 95)");
    check("age=50", &[(noisy(6), "0 100 80 0"), (noisy(8), "0 0 2 0")], "25_49 (25_49 25_49 95)");
}

#[test]
fn a_withheld_band_gives_none() {
    check("age=50", &[(rounded(), "10 c 90 0")], "Withheld");
    check("age=50", &[(rounded(), "c c c c")], "Withheld");
    // What is not known is in no band, so that it may be withheld.
    check("age=50", &[(rounded(), "10 0 90 c")], "50_plus (50_plus 50_plus certain)");
    check("age=50", &[(rounded(), "10 x 90 0")], "NotAnswered");
    // Some partners' parts of a band: 1 to 7 people each, in the range. Where a whole table is withheld nothing bounds them.
    let other = (rounded(), "100 200 100 0");
    check("age=50", &[other.clone(), (rounded(), "10 c 20 0")], "25_49 (25_49 25_49 certain +1c)");
    check("age=50", &[other, (rounded(), "c c c c")], "Withheld");
}

#[test]
fn nobody_has_no_quantile() {
    for cells in ["0 0 0 9", "5 -5 0 0", "-1 0 0 0"] {
        check("age=50", &[(exact(), cells)], "Nobody");
    }
    check("age=50", &[(rounded(), "0 0 0 10")], "Nobody");
    check("age=50", &[], "NotAnswered");
}

#[test]
fn each_group_of_the_other_axes_has_its_own() {
    let question = question("people by sex, age@broad");
    let grid = question.grid(Schema::smf()).unwrap();
    let table = answer(&grid, rounded(), "100 20 10 0  10 20 100 0  c 0 0 0");
    let asked = QuantileAsk::new("age_band=50", &question, Schema::smf()).unwrap();
    let found: Vec<String> = asked.of(&grid, [&table].into_iter()).iter().map(words).collect();
    let expected =
        ["female 16_24 (16_24 16_24 certain)", "male 50_plus (50_plus 50_plus certain)", "unknown Withheld"];
    assert_eq!(found, expected);
}

#[test]
fn a_quantile_is_of_an_ordered_axis_of_a_table_of_counts() {
    let check = |text: &str, quantile: &str, expected: &str| {
        let found = match ask(text, quantile) {
            Ok(asked) => format!("{} {}", asked.column(), asked.share()),
            Err(error) => format!("{} {error}", error.code()),
        };
        assert!(found.starts_with(expected), "{text} with {quantile}: {found}");
    };
    let people = "people by sex, age";
    for word in ["age", "age band", "age_band", "participants.age_band"] {
        check(people, &format!("{word}=50"), "age_band 50");
    }
    check(people, "age = 2.5", "age_band 2.5");
    check("starts by quarter from 2024-Q2 to 2025-Q1", "quarter=90", "start_date 90");
    check("people by simd", "simd_quintile=50", "simd_quintile 50");
    for wrong in ["age", "age=", "age=0", "age=100", "age=50%", "age=2.55", "age=-1", "age=0.0", "=50"] {
        let code = if wrong == "=50" { "CG107" } else { "CG106" };
        check(people, wrong, code);
    }
    check(people, "simd=50", "CG107 the question is not by `simd`; it is by sex, age_band");
    check("people in participants", "age=50", "CG107 the question is not by `age`; it is by nothing");
    check(people, "sex=50", "CG108 `sex` has no order");
    assert!(ask(people, "sex=50").unwrap_err().to_string().contains("age_band"));
    check("sum:quarter_hours by completed", "completed=50", "CG109 a quantile is of people or of rows");
}

proptest! {
    /// The range holds the band of the very counts, whatever they are, where they lie in what is released of them.
    #[test]
    fn a_certain_range_holds_the_band_of_the_true_counts(counts in prop::collection::vec(0_i64..60, 4), share in 1_u16..1_000) {
        let question = question("people by age@broad");
        let grid = question.grid(Schema::smf()).unwrap();
        let shown = |n: &i64| match n {
            0 => "0".to_owned(),
            1..=7 => "c".to_owned(),
            n => ((n + 2) / 5 * 5).to_string(),
        };
        let cells: Vec<String> = counts.iter().map(shown).collect();
        // A second partner, so that a withheld band is withheld in part.
        let (first, second) =
            (answer(&grid, rounded(), &cells.join(" ")), answer(&grid, rounded(), "10 10 10 0"));
        let truth: Vec<i64> = counts.iter().take(3).map(|n| n + 10).collect();
        let total: i64 = truth.iter().sum();
        let mut below = 0;
        let true_band = truth.iter().position(|n| {
            below += n;
            below * 1_000 >= total * i64::from(share)
        });
        let asked = QuantileAsk { axis: 0, column: "age_band".into(), share: PerMille(share) };
        let found = asked.of(&grid, [&first, &second].into_iter());
        if cells.iter().all(|cell| cell == "c") {
            // The whole table may have been withheld, and then nothing bounds it.
            prop_assert_eq!(&found[0].quantile, &Quantile::Withheld);
            return Ok(());
        }
        let Quantile::Band(band) = &found[0].quantile else { panic!("{found:?}") };
        let at = |code: &str| grid.dimensions()[0].codes.iter().position(|c| c == code).unwrap();
        let true_band = true_band.unwrap();
        prop_assert!((at(&band.least)..=at(&band.most)).contains(&true_band), "{truth:?} {band:?}");
        prop_assert!((at(&band.least)..=at(&band.most)).contains(&at(&band.band)), "{band:?}");
    }
}

/// A whole number of the discrete Laplace distribution at scale 4: the difference of two geometric ones.
#[expect(clippy::cast_possible_truncation, reason = "a draw is small")]
fn laplace(seed: &mut u64) -> i64 {
    let mut geometric = || {
        // Knuth's linear congruential generator; its upper bits are good.
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let uniform = ((*seed >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
        (uniform.ln() * -4.0).floor() as i64
    };
    geometric() - geometric()
}

/// Noise of scale 4, for which 12 is the stated half-width, on histograms whose median lies at the edge of a band, far from it, or in a run of
/// empty bands: the range of bands holds the true band 95 times in 100 at least.
#[test]
fn the_range_under_noise_holds_the_true_band_95_times_in_100() {
    let question = question("people by simd");
    let grid = question.grid(Schema::smf()).unwrap();
    let asked = QuantileAsk::new("simd=50", &question, Schema::smf()).unwrap();
    let mut seed = 20_261_122;
    for (counts, band) in [
        ([20, 20, 20, 20, 20], 2),
        ([50, 50, 0, 0, 0], 0),
        ([49, 50, 0, 0, 0], 1),
        ([50, 0, 0, 0, 50], 0),
        ([49, 0, 0, 0, 50], 4),
        ([3, 90, 3, 3, 3], 1),
    ] {
        let (mut held, mut narrow) = (0, 0);
        for _ in 0..2_000 {
            let cells: Vec<String> =
                counts.iter().chain(&[0]).map(|n| (n + laplace(&mut seed)).to_string()).collect();
            let table = answer(&grid, noisy(12), &cells.join(" "));
            let found = asked.of(&grid, [&table].into_iter());
            let Quantile::Band(found) = &found[0].quantile else { continue };
            let at = |code: &str| grid.dimensions()[0].codes.iter().position(|c| c == code).unwrap();
            held += i32::from((at(&found.least)..=at(&found.most)).contains(&band));
            narrow += i32::from(at(&found.least) > 0 || at(&found.most) < 4);
        }
        assert!(held >= 1_900, "{counts:?}: {held} of 2,000");
        assert!(narrow > 0, "{counts:?}: a range of all bands says nothing");
    }
}
