//! Privacy loss in exact integers: ε in millionths, ρ in nano.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A privacy loss ε in millionths: `1_000_000` is ε = 1. Never zero, never above [`Epsilon::MAX`].
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Epsilon(u32);

/// A zCDP loss ρ in billionths: `1_000_000_000` is ρ = 1. Debits are rounded up, caps down.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NanoRho(u64);

/// Not an ε between one millionth and [`Epsilon::MAX`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("ε must be above 0 and at most 10")]
pub struct EpsilonOutOfRange;

impl Epsilon {
    /// ε = 10, the most that a policy may grant one table.
    pub const MAX: Self = Self(10_000_000);

    /// Takes millionths.
    ///
    /// # Errors
    /// [`EpsilonOutOfRange`].
    pub const fn from_millionths(millionths: u32) -> Result<Self, EpsilonOutOfRange> {
        if millionths == 0 || millionths > Self::MAX.0 {
            Err(EpsilonOutOfRange)
        } else {
            Ok(Self(millionths))
        }
    }

    /// The millionths.
    #[must_use]
    pub const fn millionths(self) -> u32 {
        self.0
    }

    /// The zCDP loss of a pure-ε release: ρ = ε·tanh(ε/2) in nano, rounded up.
    ///
    /// Source: Bun and Steinke 2016, Proposition 3.3, in its exact form for randomised response. Computed in integers: `tanh(ε/2)`
    /// is `1 − 2/(e^ε + 1)`, with e^ε by its series in units of 1e-18 and an upper bound on what is cut off.
    #[must_use]
    pub fn rho(self) -> NanoRho {
        let exp = exp_upper(u128::from(self.0));
        // tanh in units of 1e-18, rounded up.
        let tanh = UNIT - (2 * UNIT * UNIT) / (exp + UNIT + 1);
        let nano = (u128::from(self.0) * tanh).div_ceil(UNIT / 1_000);
        NanoRho(u64::try_from(nano).unwrap_or(u64::MAX))
    }
}

impl FromStr for Epsilon {
    type Err = EpsilonOutOfRange;

    /// A decimal number with at most six places after the point: `0.2`.
    fn from_str(text: &str) -> Result<Self, EpsilonOutOfRange> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || part.len() > 6 || !digits(whole) || !digits(part) {
            return Err(EpsilonOutOfRange);
        }
        let millionths = format!("{whole}{part:0<6}").parse().map_err(|_| EpsilonOutOfRange)?;
        Self::from_millionths(millionths)
    }
}

/// One, in the fixed-point unit of [`exp_upper`]: 1e-18.
const UNIT: u128 = 1_000_000_000_000_000_000;

/// An upper bound on e^x, x in millionths up to 10, in units of 1e-18: each term of the series is rounded up, and the
/// terms after the last (each under half the one before) are covered by adding it once more.
fn exp_upper(millionths: u128) -> u128 {
    let (mut sum, mut term) = (UNIT, UNIT);
    for n in 1..=80_u128 {
        term = (term * millionths).div_ceil(n * 1_000_000);
        sum += term;
    }
    sum + term
}

impl NanoRho {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Takes billionths of ρ.
    #[must_use]
    pub const fn new(nano: u64) -> Self {
        Self(nano)
    }

    /// The billionths.
    #[must_use]
    pub const fn nano(self) -> u64 {
        self.0
    }

    /// The sum; stays at the largest value.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The largest ρ whose loss at `delta` is at most `epsilon`, rounded down: how a policy's ε cap becomes a ρ cap.
    ///
    /// The conversion is the optimal-order bound of Canonne, Kamath and Steinke 2020 (Proposition 12, Corollary 13), by bisection:
    /// ε = 3 at δ = 1e-6 gives ρ ≈ 0.185. Floats are used here, once, when a policy is read; the ledger only ever sees the integer.
    #[must_use]
    pub fn cap_for(epsilon: f64, delta: f64) -> Self {
        let in_range = epsilon > 0.0 && epsilon <= 1_000.0 && delta > 0.0 && delta < 1.0;
        if !in_range {
            return Self::ZERO;
        }
        let (mut least, mut most) = (0_u64, 1_000_000_000_000_u64);
        while most - least > 1 {
            let middle = least + (most - least) / 2;
            if delta_of(nano_to_rho(middle), epsilon) <= delta { least = middle } else { most = middle }
        }
        Self(least)
    }

    /// The ε that this ρ means at `delta`, for display only.
    #[must_use]
    pub fn epsilon_at(self, delta: f64) -> f64 {
        if self.0 == 0 {
            return 0.0;
        }
        let (mut least, mut most) = (0.0_f64, 4_000.0_f64);
        for _ in 0..80 {
            let middle = f64::midpoint(least, most);
            if delta_of(nano_to_rho(self.0), middle) > delta { least = middle } else { most = middle }
        }
        most
    }
}

/// The loss of shared Gaussian noise, as all partners of a total agree on it.
///
/// ρ is what counts. ε and δ are what it means to a reader; they never say less than ρ is, or it is no such loss.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "GaussianLossV1", into = "GaussianLossV1")]
pub struct GaussianLoss {
    rho: NanoRho,
    epsilon: Epsilon,
    delta_trillionths: u64,
}

/// Not a loss of shared Gaussian noise: ρ is below two billionths, δ not between 0 and 1, or ε at δ is less than ρ means there.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no ρ of at least two billionths is ε at this δ")]
pub struct NoGaussianLoss;

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GaussianLossV1 {
    rho: NanoRho,
    epsilon: Epsilon,
    delta_trillionths: u64,
}

impl GaussianLoss {
    /// This ρ, stated as `epsilon` at a δ in trillionths.
    ///
    /// # Errors
    /// [`NoGaussianLoss`].
    pub fn new(rho: NanoRho, epsilon: Epsilon, delta_trillionths: u64) -> Result<Self, NoGaussianLoss> {
        let most = Self::at(epsilon, delta_trillionths)?;
        if rho < LEAST || rho > most.rho { Err(NoGaussianLoss) } else { Ok(Self { rho, ..most }) }
    }

    /// The largest loss that is at most `epsilon` at a δ in trillionths: as a policy's release has it.
    ///
    /// # Errors
    /// [`NoGaussianLoss`].
    pub fn at(epsilon: Epsilon, delta_trillionths: u64) -> Result<Self, NoGaussianLoss> {
        let rho =
            NanoRho::cap_for(f64::from(epsilon.millionths()) / 1e6, delta_of_trillionths(delta_trillionths));
        if rho < LEAST { Err(NoGaussianLoss) } else { Ok(Self { rho, epsilon, delta_trillionths }) }
    }

    /// What every person's account is charged.
    #[must_use]
    pub const fn rho(self) -> NanoRho {
        self.rho
    }

    /// What the shares are drawn for: a billionth less, since a sum of discrete Gaussians is not quite one (docs/PRIVACY.md, 7.4).
    #[must_use]
    pub const fn of_noise(self) -> NanoRho {
        NanoRho(self.rho.0 - 1)
    }

    /// The ε that is stated.
    #[must_use]
    pub const fn epsilon(self) -> Epsilon {
        self.epsilon
    }

    /// The δ at which it is.
    #[must_use]
    pub const fn delta_trillionths(self) -> u64 {
        self.delta_trillionths
    }
}

impl TryFrom<GaussianLossV1> for GaussianLoss {
    type Error = NoGaussianLoss;
    fn try_from(loss: GaussianLossV1) -> Result<Self, NoGaussianLoss> {
        Self::new(loss.rho, loss.epsilon, loss.delta_trillionths)
    }
}

impl From<GaussianLoss> for GaussianLossV1 {
    fn from(loss: GaussianLoss) -> Self {
        let GaussianLoss { rho, epsilon, delta_trillionths } = loss;
        Self { rho, epsilon, delta_trillionths }
    }
}

/// The least ρ of a total: its noise is drawn for a billionth less.
const LEAST: NanoRho = NanoRho(2);

#[expect(
    clippy::cast_precision_loss,
    reason = "a δ up to 1 in trillionths is exact in 53 bits; a larger one is no δ"
)]
fn delta_of_trillionths(delta: u64) -> f64 {
    delta as f64 / 1e12
}

/// A δ in trillionths as people write it: `1e-6`, `3.3e-7`; `0` for none.
#[must_use]
pub fn trillionths(delta: u64) -> String {
    let digits = delta.to_string();
    let Some((first, rest)) = digits.split_at_checked(1).filter(|_| delta > 0) else { return "0".to_owned() };
    let places = 12_usize.saturating_sub(rest.len());
    let rest = rest.trim_end_matches('0');
    let point = if rest.is_empty() { "" } else { "." };
    format!("{first}{point}{rest}e-{places}")
}

#[expect(clippy::cast_precision_loss, reason = "ρ up to 1,000 in billionths is exact in 53 bits")]
fn nano_to_rho(nano: u64) -> f64 {
    nano as f64 / 1e9
}

/// δ of ρ-zCDP at ε: the infimum over α > 1 of exp((α−1)(αρ−ε)) / (α−1) · (1 − 1/α)^α, by golden-section search on ln(α−1).
fn delta_of(rho: f64, epsilon: f64) -> f64 {
    let log_delta = |ln_a: f64| {
        let less = ln_a.exp();
        let alpha = 1.0 + less;
        less * (alpha * rho - epsilon) - ln_a + alpha * (-1.0 / alpha).ln_1p()
    };
    let ratio = 0.618_033_988_749_894_9;
    let (mut low, mut high) = (-12.0_f64, 14.0_f64);
    for _ in 0..120 {
        let (left, right) = (high - ratio * (high - low), low + ratio * (high - low));
        if log_delta(left) < log_delta(right) { high = right } else { low = left }
    }
    log_delta(f64::midpoint(low, high)).exp().min(1.0)
}

impl TryFrom<u32> for Epsilon {
    type Error = EpsilonOutOfRange;
    fn try_from(millionths: u32) -> Result<Self, EpsilonOutOfRange> {
        Self::from_millionths(millionths)
    }
}
impl From<Epsilon> for u32 {
    fn from(epsilon: Epsilon) -> Self {
        epsilon.0
    }
}
impl fmt::Display for Epsilon {
    /// `0.5`, `1`, `0.125`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}
impl fmt::Display for NanoRho {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09}", self.0 / 1_000_000_000, self.0 % 1_000_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rho(millionths: u32) -> u64 {
        Epsilon::from_millionths(millionths).unwrap().rho().nano()
    }

    #[test]
    fn rho_of_a_pure_release_is_the_designs_figures_rounded_up() {
        // secure-totals.md section 2: ε .5 → .1225, 1 → .462, 2 → 1.523.
        assert_eq!(rho(500_000), 122_459_332);
        assert_eq!(rho(1_000_000), 462_117_158);
        assert_eq!(rho(2_000_000), 1_523_188_312);
        for millionths in [1, 10, 999, 123_456, 3_000_000, 10_000_000] {
            let x = f64::from(millionths) / 1e6;
            let exact = x * (x / 2.0).tanh() * 1e9;
            let got = rho(millionths) as f64;
            assert!(got >= exact - 1e-3 && got <= exact + 1.01, "{millionths}: {got} for {exact}");
        }
    }

    #[test]
    fn a_delta_is_written_as_people_do() {
        let check = |delta, text: &str| assert_eq!(trillionths(delta), text);
        check(1_000_000, "1e-6");
        check(330_000, "3.3e-7");
        check(10_000_001, "1.0000001e-5");
        check(1, "1e-12");
        check(0, "0");
    }

    #[test]
    fn a_cap_in_epsilon_becomes_a_cap_in_rho() {
        let cap = NanoRho::cap_for(3.0, 1e-6);
        assert!((184_000_000..187_000_000).contains(&cap.nano()), "{cap}");
        let back = cap.epsilon_at(1e-6);
        assert!((2.999..=3.000_001).contains(&back), "{back}");
        assert_eq!(NanoRho::cap_for(0.0, 1e-6), NanoRho::ZERO);
        assert_eq!(NanoRho::cap_for(f64::NAN, 1e-6), NanoRho::ZERO);
        assert_eq!(NanoRho::cap_for(3.0, 0.0), NanoRho::ZERO);
    }

    #[test]
    fn a_stated_epsilon_never_says_less_than_its_rho() {
        let tenth = Epsilon::from_millionths(100_000).unwrap();
        let most = GaussianLoss::at(tenth, 1_000_000).unwrap();
        assert_eq!(most.rho(), NanoRho::cap_for(0.1, 1e-6));
        assert_eq!(most.of_noise().nano(), most.rho().nano() - 1);
        let check = |nano: u64, epsilon: u32, delta: u64, holds: bool| {
            let text = format!(r#"{{"rho":{nano},"epsilon":{epsilon},"delta_trillionths":{delta}}}"#);
            let read: Option<GaussianLoss> = serde_json::from_str(&text).ok();
            assert_eq!(read.is_some(), holds, "{text}");
            if let Some(read) = read {
                assert_eq!(serde_json::to_string(&read).unwrap(), text);
            }
        };
        let nano = most.rho().nano();
        check(nano, 100_000, 1_000_000, true);
        check(nano / 2, 100_000, 1_000_000, true);
        check(2, 100_000, 1_000_000, true);
        for (nano, epsilon, delta) in [
            (nano + 1, 100_000, 1_000_000),
            (nano, 99_999, 1_000_000),
            (nano, 100_000, 999_000),
            (1, 100_000, 1_000_000),
            (0, 100_000, 1_000_000),
            (nano, 0, 1_000_000),
            (nano, 100_000, 0),
            (nano, 100_000, 1_000_000_000_000),
            (nano, 100_000, u64::MAX),
        ] {
            check(nano, epsilon, delta, false);
        }
    }

    #[test]
    fn epsilon_has_a_range_and_prints_plainly() {
        assert!(Epsilon::from_millionths(0).is_err());
        assert!(Epsilon::from_millionths(10_000_001).is_err());
        assert_eq!(Epsilon::from_millionths(500_000).unwrap().to_string(), "0.5");
        assert_eq!(Epsilon::from_millionths(10_000_000).unwrap().to_string(), "10");
    }
}
