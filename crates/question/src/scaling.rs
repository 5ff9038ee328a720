//! What the counts of a total are multiplied by before shared Gaussian noise is added, and the rule that lets shares add up.

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

use crate::privacy::NanoRho;

/// What counts are multiplied by so that the steps of whole-number noise are small beside its width: a power of two, 1 to 2¹⁶.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Scaling(u8);

/// Not a power of two from 1 to 2¹⁶, or no such power is enough.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("counts are multiplied by a power of two from 1 to 65536")]
pub struct ScalingOutOfRange;

impl Scaling {
    /// Counts as they are.
    pub const NONE: Self = Self(0);

    /// 2 to this power.
    ///
    /// # Errors
    /// [`ScalingOutOfRange`] above 16, where a count of 10⁹ would need more than half of a 64-bit ring with the noise.
    pub const fn of_power(power: u8) -> Result<Self, ScalingOutOfRange> {
        if power > POWER_MAX { Err(ScalingOutOfRange) } else { Ok(Self(power)) }
    }

    /// The least at which shares of this loss add up: what a manifest is made with. Every partner checks it again.
    ///
    /// # Errors
    /// [`ScalingOutOfRange`] where none is enough.
    pub fn least(rho: NanoRho, l2_squared: NonZeroU64, honest: u16) -> Result<Self, ScalingOutOfRange> {
        let enough = |scaling: &Self| scaling.is_enough(rho, l2_squared, honest);
        (0..=POWER_MAX).map(Self).find(enough).ok_or(ScalingOutOfRange)
    }

    /// 2 to which power.
    #[must_use]
    pub const fn power(self) -> u8 {
        self.0
    }

    /// The factor.
    #[must_use]
    pub const fn factor(self) -> i64 {
        1 << self.0
    }

    /// A number times the factor, where it fits.
    #[must_use]
    pub const fn scaled(self, number: i64) -> Option<i64> {
        number.checked_mul(self.factor())
    }

    /// A scaled total as a whole number: the nearest, and of two equally near the even one, so that noise that is as often too high as too low
    /// stays so.
    #[must_use]
    pub const fn unscaled(self, total: i64) -> i64 {
        let (below, over) = (total.div_euclid(self.factor()), total.rem_euclid(self.factor()));
        let twice = over * 2;
        let up = twice > self.factor() || (twice == self.factor() && below % 2 != 0);
        if up { below + 1 } else { below }
    }

    /// s·σ/√h ≥ 2 with σ² = Δ₂²/(2ρ), in whole numbers: s²·Δ₂²·10⁹ ≥ 8·h·nano-ρ. The left side is below 2¹²⁶, the right below 2⁸³.
    #[must_use]
    pub fn is_enough(self, rho: NanoRho, l2_squared: NonZeroU64, honest: u16) -> bool {
        let square = 1_u128 << (2 * u32::from(self.0));
        let left = square * u128::from(l2_squared.get()) * BILLION;
        left >= 8 * u128::from(honest) * u128::from(rho.nano())
    }
}

impl TryFrom<u8> for Scaling {
    type Error = ScalingOutOfRange;
    fn try_from(power: u8) -> Result<Self, ScalingOutOfRange> {
        Self::of_power(power)
    }
}

impl From<Scaling> for u8 {
    fn from(scaling: Scaling) -> Self {
        scaling.0
    }
}

const POWER_MAX: u8 = 16;
const BILLION: u128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scaled_total_becomes_the_nearest_whole_number_and_noise_stays_centred() {
        let four = Scaling::of_power(2).unwrap();
        let check = |total, whole| assert_eq!(four.unscaled(total), whole, "{total} quarters");
        for (total, whole) in [(0, 0), (1, 0), (2, 0), (3, 1), (5, 1), (6, 2), (7, 2), (10, 2)] {
            check(total, whole);
            check(-total, -whole);
        }
        check(i64::MIN, i64::MIN / 4);
        check(i64::MAX, i64::MAX / 4 + 1);
        assert_eq!(Scaling::NONE.unscaled(i64::MIN), i64::MIN);
        // Of every count, as often up as down.
        for count in 0..4 {
            let off: i64 = (-9..=9).map(|noise| four.unscaled(count * 4 + noise) - count).sum();
            assert_eq!(off, 0, "{count}");
        }
    }

    #[test]
    fn the_rule_is_kept_in_whole_numbers_at_both_ends() {
        let one = NonZeroU64::MIN;
        let enough = |power, nano, l2, h| Scaling(power).is_enough(NanoRho::new(nano), l2, h);
        // ρ = 1/32: σ = 4, and among 4 partners 4/2 = 2.
        assert!(enough(0, 31_250_000, one, 4));
        assert!(!enough(0, 31_250_001, one, 4));
        assert!(enough(1, 31_250_001, one, 4));
        assert!(enough(16, 1, NonZeroU64::MAX, u16::MAX));
        assert!(!enough(0, u64::MAX, one, u16::MAX));
        assert_eq!(Scaling::least(NanoRho::new(500_000_000), one, 22).map(Scaling::power), Ok(4));
        assert_eq!(Scaling::least(NanoRho::new(u64::MAX), one, u16::MAX), Err(ScalingOutOfRange));
        assert_eq!(Scaling::of_power(17), Err(ScalingOutOfRange));
    }
}
