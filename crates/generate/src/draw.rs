//! Seeded draws in integers.
//!
//! SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014), one stream for each
//! person and purpose, so that no draw depends on how many others were made before it. For made-up data only; nothing
//! here may ever protect a person.

/// One stream of draws.
#[derive(Clone, Debug)]
pub(crate) struct Draw(u64);

impl Draw {
    /// The stream of one thing (`of`) for one purpose, under a seed.
    pub(crate) fn new(seed: u64, purpose: &str, of: u64) -> Self {
        let mut state = mix(seed ^ GAMMA);
        for byte in purpose.bytes() {
            state = mix(state ^ u64::from(byte)).wrapping_add(GAMMA);
        }
        Self(mix(state ^ mix(of.wrapping_add(GAMMA))))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GAMMA);
        mix(self.0)
    }

    /// A whole number from 0 to `n − 1`, each as likely (to within n in 2⁶⁴); 0 where `n` is 0.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        let scaled = (u128::from(self.next()) * u128::from(n)) >> 64;
        u32::try_from(scaled).unwrap_or(0)
    }

    /// A whole number from `least` to `most`, both counted.
    pub(crate) fn between(&mut self, least: i32, most: i32) -> i32 {
        let span = u32::try_from(i64::from(most) - i64::from(least) + 1).unwrap_or(0);
        least.saturating_add_unsigned(self.below(span))
    }

    /// True so many times in 1,000.
    pub(crate) fn chance(&mut self, per_1000: u32) -> bool {
        self.below(1_000) < per_1000
    }

    /// One of the choices, by weight. `None` where there is none, or none has a weight.
    pub(crate) fn pick<'a, T>(&mut self, choices: &'a [(T, u32)]) -> Option<&'a T> {
        let mut at = self.below(choices.iter().map(|c| c.1).sum());
        for (choice, weight) in choices {
            match at.checked_sub(*weight) {
                None => return Some(choice),
                Some(rest) => at = rest,
            }
        }
        None
    }

    /// One code, by weight.
    pub(crate) fn code(&mut self, choices: &[(&'static str, u32)]) -> &'static str {
        self.pick(choices).copied().unwrap_or("unknown")
    }
}

const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

const fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First outputs of SplitMix64 from state 1234567, as its authors' reference code gives them.
    #[test]
    fn the_generator_is_splitmix64() {
        let mut draw = Draw(1_234_567);
        let got: Vec<u64> = (0..3).map(|_| draw.next()).collect();
        assert_eq!(got, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn draws_keep_to_their_range_and_weights() {
        let mut draw = Draw::new(1, "test", 0);
        let mut yes = 0;
        for _ in 0..10_000 {
            assert!(draw.below(7) < 7);
            assert!((-3..=4).contains(&draw.between(-3, 4)));
            yes += u32::from(draw.chance(300));
        }
        assert!((2_800..3_200).contains(&yes), "{yes}");
        assert_eq!(draw.pick(&[('a', 0), ('b', 1)]), Some(&'b'));
        assert_eq!(draw.pick::<char>(&[]), None);
    }

    #[test]
    fn streams_differ() {
        let first = |seed, purpose, of| Draw::new(seed, purpose, of).next();
        let all = [first(1, "a", 0), first(2, "a", 0), first(1, "b", 0), first(1, "a", 1)];
        let distinct: std::collections::BTreeSet<u64> = all.into_iter().collect();
        assert_eq!(distinct.len(), 4);
    }
}
