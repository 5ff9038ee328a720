//! Quantiles of a noisy histogram over declared bands: worked out from released counts only, so that they cost nothing.

/// Where a quantile lies: positions of bands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct QuantileBand {
    /// The band in which the released counts reach it.
    pub band: usize,
    /// The first band that it may lie in, by the noise.
    pub least: usize,
    /// The last band that it may lie in.
    pub most: usize,
}

/// The band in which `per_mille` of the people of a histogram are reached (500: the median), from the counts of its bands in order, without
/// those whose band is not known. `plus_minus_95`: the half-width that each count keeps to 95 times in 100; 0 for counts without noise.
///
/// The people up to and with band b are over the quantile where D = (1000−p)·(counts up to b) − p·(counts after b) is not below 0. Counts
/// keep their negatives, so that no sum is too high. The noise of D has the half-width √((1000−p)²·b + p²·(k−b)) · `plus_minus_95`, by the
/// same rule as a sum of noisy parts ([`crate::Count`]): the band may be any from the first where D reaches −half-width to the first where it
/// reaches +half-width. Each of the two ends holds 95 times in 100 by itself.
///
/// `None` where the counts add up to nobody, or `per_mille` is not 1 to 999.
#[must_use]
pub fn quantile(counts: &[i64], per_mille: u32, plus_minus_95: u64) -> Option<QuantileBand> {
    let all: i128 = counts.iter().map(|n| i128::from(*n)).sum();
    if all <= 0 || !(1..=999).contains(&per_mille) {
        return None;
    }
    let mut so_far = 0_i128;
    let over: Vec<(i128, u128)> = (1_u128..)
        .zip(counts)
        .map(|(bands, count)| {
            so_far += i128::from(*count);
            let after = u128::try_from(counts.len()).unwrap_or(u128::MAX).saturating_sub(bands);
            (so_far * 1_000 - all * i128::from(per_mille), half_width(bands, after, per_mille, plus_minus_95))
        })
        .collect();
    let last = counts.len().saturating_sub(1);
    let first = |reaches: &dyn Fn(i128, i128) -> bool| {
        let found = over.iter().position(|(d, wide)| reaches(*d, i128::try_from(*wide).unwrap_or(i128::MAX)));
        found.unwrap_or(last)
    };
    Some(QuantileBand {
        band: first(&|d, _| d >= 0),
        least: first(&|d, wide| d >= -wide),
        most: first(&|d, wide| d >= wide),
    })
}

/// Rounded up, in thousandths of a person.
fn half_width(bands: u128, after: u128, per_mille: u32, plus_minus_95: u64) -> u128 {
    let (p, rest) = (u128::from(per_mille), u128::from(1_000_u32.saturating_sub(per_mille)));
    let weights = (rest * rest).saturating_mul(bands).saturating_add((p * p).saturating_mul(after));
    let root = weights.isqrt();
    let up = root + u128::from(root * root < weights);
    up.saturating_mul(plus_minus_95.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(counts: &[i64], per_mille: u32, within: u64, expected: Option<(usize, usize, usize)>) {
        let found = quantile(counts, per_mille, within).map(|q| (q.least, q.band, q.most));
        assert_eq!(found, expected, "{counts:?} {per_mille} ±{within}");
    }

    #[test]
    fn a_quantile_is_the_band_in_which_its_share_is_reached() {
        check(&[10, 10, 10, 10], 500, 0, Some((1, 1, 1)));
        check(&[10, 10, 11, 10], 500, 0, Some((2, 2, 2)));
        check(&[10, 10, 10, 10], 250, 0, Some((0, 0, 0)));
        check(&[10, 10, 10, 10], 251, 0, Some((1, 1, 1)));
        check(&[0, 0, 7], 1, 0, Some((2, 2, 2)));
        check(&[7], 999, 0, Some((0, 0, 0)));
    }

    #[test]
    fn noise_widens_it_and_negative_counts_stay_negative() {
        // D is −1000·10, 0, … in thousandths: the half-width of 4 bands at the median is 1000 × ±.
        check(&[10, 10, 10, 10], 500, 9, Some((1, 1, 2)));
        check(&[10, 10, 10, 10], 500, 10, Some((0, 1, 2)));
        check(&[10, 10, 10, 10], 500, 100, Some((0, 1, 3)));
        check(&[-4, 8, -4, 8], 500, 0, Some((1, 1, 1)));
        check(&[1_000, 9_000, 1_000], 500, 20, Some((1, 1, 1)));
    }

    #[test]
    fn nobody_has_no_quantile() {
        for counts in [&[][..], &[0, 0], &[5, -5], &[-1]] {
            check(counts, 500, 3, None);
        }
        check(&[5, 5], 0, 3, None);
        check(&[5, 5], 1_000, 3, None);
        check(&[i64::MAX; 3], 500, u64::MAX, Some((0, 1, 2)));
    }
}
