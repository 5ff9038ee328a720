//! How far the noise of a whole total reaches: what an answer states.

use dashu::base::SquareRoot as _;
use dashu::integer::{IBig, UBig};

use crate::noise::{Decay, one};
use crate::share::{GaussianShare, LaplaceShare, Share};

impl Share {
    /// A w such that the noise of a total over `in_round` partners lies within −w to +w at least 95 times in 100, when every partner draws its share. Shares
    /// are made for as many as are sure to be honest, so all together are wider than one centre's noise.
    #[must_use]
    pub fn plus_minus_95(&self, in_round: u16) -> u64 {
        match self {
            Self::Laplace(share) => share.plus_minus_95(in_round),
            Self::Gaussian(share) => share.plus_minus_95(in_round),
        }
    }
}

impl LaplaceShare {
    /// The smallest w: two tails of the masses 2·Σ_{k>w} p(k) of at most a twentieth.
    fn plus_minus_95(self, in_round: u16) -> u64 {
        let falling = self.masses_falling_from(in_round);
        let twice: IBig = falling.iter().map(|mass| mass * IBig::from(2)).sum();
        let all = twice - falling.last().cloned().unwrap_or_default();
        // Less a thousand-millionth, for what the start cut off and the rounding lost.
        let may_lie_outside = (&all - &all / IBig::from(BILLION)) / IBig::from(20);
        let mut outside = IBig::ZERO;
        let mut width = falling.len().saturating_sub(1);
        for mass in falling.iter().take(width) {
            outside += mass * IBig::from(2);
            if outside > may_lie_outside {
                break;
            }
            width -= 1;
        }
        u64::try_from(width).unwrap_or(u64::MAX)
    }

    /// Masses p(K), p(K−1), …, p(0) of X − Y, both NB(r, a) with r = n/h, not normalised.
    ///
    /// From its generating function (1 − az)^−r·(1 − a/z)^−r, by comparing coefficients of its logarithmic derivative:
    ///
    /// `a·(k − 1 + r)·p(k−1) = (1 + a²)·k·p(k) − a·(k + 1 − r)·p(k+1)`
    ///
    /// Run downward, where it is stable: an error of the start shrinks by a² a step. K is so far out that a^K is below 2⁻⁹⁰.
    fn masses_falling_from(self, in_round: u16) -> Vec<IBig> {
        let (over, under) = self.scale().ratio();
        // 63 > 90·ln 2.
        let far = over.saturating_mul(63) / u64::from(under) + 64;
        let (h, n) = (IBig::from(self.honest().count()), IBig::from(in_round));
        let a = IBig::from(Decay::of(self.scale()).most);
        let one = IBig::from(one());
        let square = &one + &a * &a / &one;
        let (mut above, mut here) = (IBig::ZERO, one);
        let mut masses = vec![here.clone()];
        for k in (1..=far).rev().map(IBig::from) {
            let gain = &square * &k * &h * &here;
            let loss = &a * (&h * (&k + IBig::ONE) - &n) * &above;
            let below = (gain - loss) / (&a * (&h * (&k - IBig::ONE) + &n));
            (above, here) = (here, below);
            masses.push(here.clone());
        }
        masses
    }
}

impl GaussianShare {
    /// 1.96 standard deviations of the total after it is divided by the scaling, and the half that rounding to a whole number adds, rounded up.
    fn plus_minus_95(&self, in_round: u16) -> u64 {
        // 1.96² = 3.8416.
        let square = self.width_squared() * UBig::from(in_round) * UBig::from(38_416_u32);
        let under =
            self.width_unit() * UBig::from(self.scaling().factor().unsigned_abs()) * UBig::from(100_u8);
        let root: UBig = square.sqrt() + UBig::ONE;
        let doubled = (root * UBig::from(2_u8) + &under) / (under * UBig::from(2_u8));
        u64::try_from(&(doubled + UBig::ONE)).unwrap_or(u64::MAX)
    }
}

const BILLION: u32 = 1_000_000_000;
