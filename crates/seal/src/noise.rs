//! How far the noise of a total reaches: what a manifest leaves room for in its words.

use cairn_question::Perturbations;
use cairn_question::privacy::{Epsilon, GaussianLoss};

use crate::manifest::Treatment;

/// The most that the noise of all partners together adds to one cell, after scaling, but for a chance of 2⁻⁶⁴. Of as few partners as must answer, `answering`, of whom
/// `colluding` may draw nothing: fewer who are sure to be honest draw wider shares, and more partners together draw no more than these. `None` beyond 64 bits.
pub(crate) fn tail(treatment: &Treatment, (invited, answering, colluding): (u64, u64, u64)) -> Option<u64> {
    let honest = answering.saturating_sub(colluding).max(1);
    match treatment {
        Treatment::Dp { epsilon, sensitivity } => laplace(*epsilon, *sensitivity, answering.div_ceil(honest)),
        Treatment::DpGaussian { loss, l2_squared, scaling, .. } => {
            let factor = scaling.factor().unsigned_abs();
            gaussian(*loss, (*l2_squared, factor), (answering, honest))
        }
        Treatment::CellKey { table, .. } => invited.checked_mul(u64::from(Perturbations::change_max(*table))),
        // No noise, or symbols that cannot leave their ring.
        Treatment::SuppressRound { .. } | Treatment::CountOnce { .. } => Some(0),
    }
}

/// The shares of a total are P − P′ with P and P′ of NB(r, a), r = |U|/h and a = e^(−ε/Δ). By Chernoff at e^θ = a^(−1/2), P lies above T with a chance of at most
/// (1 + √a)^r·a^(T/2) ≤ 2^r·e^(−εT/2Δ), and so does P′: 2⁻⁶⁴ is reached at T = 2Δ/ε·(65 + r)·ln 2.
fn laplace(epsilon: Epsilon, sensitivity: u32, r: u64) -> Option<u64> {
    let steps = u128::from(r) + 65;
    let over = 2 * u128::from(sensitivity) * steps * LN_2_MILLIONTHS;
    u64::try_from(over.div_ceil(u128::from(epsilon.millionths()))).ok()
}

/// The shares are discrete Gaussians of variance (sσ)²/h each, σ² = Δ₂²/2ρ, and so together no wider in the tail than a Gaussian of variance V = (sσ)²·|U|/h: beyond T with a chance
/// of at most 2·e^(−T²/2V), which is 2⁻⁶⁴ at T² = 2V·65·ln 2 = s²·Δ₂²/ρ·|U|/h·65·ln 2.
fn gaussian(
    loss: GaussianLoss,
    (l2_squared, factor): (u64, u64),
    (partners, honest): (u64, u64),
) -> Option<u64> {
    let over = u128::from(factor).pow(2).checked_mul(u128::from(l2_squared))?;
    // In billionths of ρ, as ρ is, and ln 2 in millionths.
    let over = over.checked_mul(u128::from(partners))?.checked_mul(65 * LN_2_MILLIONTHS * 1_000)?;
    let under = u128::from(loss.of_noise().nano()).checked_mul(u128::from(honest))?;
    let squared = over.checked_div(under)?.checked_add(1)?;
    let root = squared.isqrt();
    u64::try_from(if root * root < squared { root + 1 } else { root }).ok()
}

/// ln 2 in millionths, rounded up.
const LN_2_MILLIONTHS: u128 = 693_148;

#[cfg(test)]
mod tests {
    use cairn_question::Scaling;
    use cairn_question::answer::Zeros;

    use super::*;

    fn dp(millionths: u32, sensitivity: u32) -> Treatment {
        Treatment::Dp { epsilon: Epsilon::from_millionths(millionths).unwrap(), sensitivity }
    }

    fn bell(epsilon: u32, power: u8) -> Treatment {
        let loss = GaussianLoss::at(Epsilon::from_millionths(epsilon).unwrap(), 1_000_000).unwrap();
        let scaling = Scaling::of_power(power).unwrap();
        Treatment::DpGaussian { loss, sensitivity: 1, l2_squared: 1, scaling }
    }

    /// Without colluders the noise is discrete Laplace: beyond T with a chance of 2·a^(T+1)/(1+a).
    #[test]
    fn the_tail_of_a_whole_centres_noise_is_beyond_it_once_in_2_to_the_64() {
        for (millionths, sensitivity) in [(100_000, 1), (500_000, 3), (1_000_000, 1), (8_000_000, 1)] {
            let width = tail(&dp(millionths, sensitivity), (32, 22, 0)).unwrap();
            let rate = f64::from(millionths) / 1e6 / f64::from(sensitivity);
            // In powers of 2, and no wider than twice of what it takes and a step.
            let beyond = |t: f64| (2.0_f64.ln() - rate * (t + 1.0) - (-rate).exp().ln_1p()) / 2.0_f64.ln();
            #[expect(clippy::cast_precision_loss, reason = "some thousands")]
            let width = width as f64;
            assert!(beyond(width) <= -64.0, "{millionths}: {}", beyond(width));
            assert!(beyond(width / 2.2 - 1.0) > -64.0, "{millionths}: {width} is far too wide");
        }
    }

    #[test]
    fn it_is_wider_with_colluders_and_by_what_the_treatment_says() {
        let laplace = |epsilon, sensitivity, partners| tail(&dp(epsilon, sensitivity), partners).unwrap();
        // 2·(65 + r)·ln 2/ε, r = ⌈22/12⌉ and ⌈12/2⌉.
        assert_eq!(laplace(1_000_000, 1, (32, 22, 10)), 93);
        assert_eq!(laplace(1_000_000, 1, (32, 12, 10)), 99);
        assert_eq!(laplace(100_000, 1, (32, 22, 10)), 929);
        assert_eq!(laplace(100_000, 5, (32, 22, 10)), 4_645);
        assert!(laplace(1, u32::MAX, (1_024, 513, 1)) < 1 << 62, "the widest that can be written");
        // σ is .57 at ε = 10: 9.49 of it without colluders, and √(22/12) as much with ten, times the scaling.
        let bell = |power, partners| tail(&bell(10_000_000, power), partners).unwrap();
        assert_eq!((bell(0, (32, 22, 0)), bell(3, (32, 22, 0)), bell(3, (32, 22, 10))), (6, 44, 59));
        let wide = GaussianLoss::at(Epsilon::from_millionths(100_000).unwrap(), 1_000_000).unwrap();
        let scaling = Scaling::of_power(16).unwrap();
        let over = Treatment::DpGaussian { loss: wide, sensitivity: 1, l2_squared: u64::MAX, scaling };
        assert_eq!(tail(&over, (32, 22, 10)), None);
        let zeros = Zeros::Show;
        let keyed = Treatment::CellKey { table: Perturbations::D3Total, min_people: 5, round_to: 1, zeros };
        assert_eq!(tail(&keyed, (32, 22, 10)), Some(96));
        let round =
            Treatment::SuppressRound { min_people: 5, round_to: 5, zeros, min_cohort: 0, rows_per_person: 1 };
        assert_eq!(tail(&round, (32, 22, 10)), Some(0));
    }
}
