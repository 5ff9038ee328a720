//! Powers and exponentials between two bounds, in whole numbers: what the privacy of a bucket is worked out with. No float.

use cairn_question::privacy::Epsilon;

/// One, in fixed point: 2⁶⁰. A product of two numbers up to it fits 128 bits; e⁸ in it has 72 bits, times a million 92.
pub(super) const ONE: u128 = 1 << 60;

/// A lower bound on e^ε, ε at most [`super::terms::EPSILON_MAX`]: every term of the series rounded down, and the rest left out.
pub(super) fn exp_at_least(epsilon: Epsilon) -> u128 {
    let (mut sum, mut term) = (ONE, ONE);
    for n in 1..=TERMS {
        term = term * u128::from(epsilon.millionths()) / (n * MILLION);
        sum += term;
    }
    sum
}

/// An upper bound on e^−ε.
pub(super) fn exp_minus_at_most(epsilon: Epsilon) -> u128 {
    (ONE * ONE).div_ceil(exp_at_least(epsilon))
}

/// An upper bound on x^n, x at most one.
pub(super) fn power_at_most(x: u128, mut n: u16) -> u128 {
    let (mut power, mut square) = (ONE, x);
    while n > 0 {
        if n % 2 == 1 {
            power = (power * square).div_ceil(ONE);
        }
        square = (square * square).div_ceil(ONE);
        n /= 2;
    }
    power
}

const MILLION: u128 = 1_000_000;

/// CountTerms of the series: 8⁶⁰ ÷ 60! is under 2⁻⁹².
const TERMS: u128 = 60;
