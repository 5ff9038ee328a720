//! From what opened to how many people. Everything here works on a protected value, so floats are in place.

use crate::layout::Plain;
use crate::occupancy::NotCounted;
use crate::occupancy::terms::{Buckets, CountTerms};

/// What is kept of an opened vector: how many buckets are zero. The vector itself is dropped here and goes no further.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Opened {
    zeros: u32,
    zero_controls: u32,
}

/// People counted once, with its error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Count {
    people: f64,
    standard_error: f64,
}

impl Opened {
    /// Counts the zeros of the XOR of all partners' vectors.
    ///
    /// # Errors
    /// [`NotCounted::OtherTerms`] for a vector of another layout.
    pub fn read(terms: &CountTerms, opened: &Plain) -> Result<Self, NotCounted> {
        let same = terms.layout().is_ok_and(|layout| layout == opened.layout());
        let symbols = opened.symbols().filter(|_| same).ok_or(NotCounted::OtherTerms)?;
        let (mut zeros, mut zero_controls) = (0, 0);
        for (bucket, symbol) in symbols.iter().enumerate() {
            let zero = u32::from(*symbol == 0);
            if Buckets::is_control(bucket) { zero_controls += zero } else { zeros += zero }
        }
        Ok(Self { zeros, zero_controls })
    }

    /// How far the controls' share of zeros is from p₀, in standard errors.
    #[must_use]
    pub fn controls_off_by(&self, terms: &CountTerms) -> f64 {
        let share = f64::from(self.zero_controls) / f64::from(terms.buckets().controls());
        (share - terms.p_empty()) / terms.control_error()
    }

    /// The estimate.
    ///
    /// V̂ = (Z/m − p₁)/(p₀ − p₁) is the share of empty buckets, N̂ = ln V̂ / ln(1 − 1/m) the people who leave as many empty (linear counting: Whang, Vander-Zanden and
    /// Taylor 1990, here on a noisy share), m the buckets for people.
    ///
    /// # Errors
    /// [`NotCounted::Controls`] when they are more than 4 standard errors from p₀ (an honest round: about once in 10,000, oftener with few buckets, whose zeros are skewed); [`NotCounted::Saturated`] when next to no bucket is
    /// empty; [`NotCounted::TooFew`].
    pub fn count(&self, terms: &CountTerms) -> Result<Count, NotCounted> {
        let m = f64::from(terms.buckets().for_people());
        let (p0, p1) = (terms.p_empty(), terms.p_occupied());
        let share = f64::from(self.zeros) / m;
        let empty = (share - p1) / (p0 - p1);
        // Of full buckets, so many as are zero by chance: V̂ is then 0 give or take this.
        let by_chance = (p1 * (1.0 - p1) / m).sqrt() / (p0 - p1);
        // Saturation first: who fills every bucket spoils the controls too, and that is the better word for it.
        if empty < EMPTY_MIN.max(FAR * by_chance) {
            return Err(NotCounted::Saturated);
        }
        if self.controls_off_by(terms).abs() > FAR {
            return Err(NotCounted::Controls);
        }
        let people = empty.ln() / (-1.0 / m).ln_1p();
        if people < PEOPLE_MIN {
            return Err(NotCounted::TooFew);
        }
        Ok(Count { people, standard_error: variance(people, m, (p0, p1)).sqrt() })
    }
}

impl Count {
    /// An estimate as it was published, with the error that its terms give it: for a reader, who has the number alone.
    #[must_use]
    pub fn published(terms: &CountTerms, people: u32) -> Self {
        let (people, m) = (f64::from(people), f64::from(terms.buckets().for_people()));
        Self { people, standard_error: variance(people, m, (terms.p_empty(), terms.p_occupied())).sqrt() }
    }

    /// The whole number that is published: N̂ to the nearest person. At most four times the buckets, so it fits.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 500 to 2^26, rounded first"
    )]
    pub fn rounded(&self) -> u32 {
        self.people.round() as u32
    }

    /// N̂.
    #[must_use]
    pub const fn people(&self) -> f64 {
        self.people
    }

    /// √Var N̂: noise, and two people who share a bucket.
    #[must_use]
    pub const fn standard_error(&self) -> f64 {
        self.standard_error
    }

    /// Half the width of the 95 % interval.
    #[must_use]
    pub fn plus_minus_95(&self) -> f64 {
        NORMAL_95 * self.standard_error
    }

    /// Whether so many people lie in the 95 % interval.
    #[must_use]
    pub fn covers(&self, people: f64) -> bool {
        (people - self.people).abs() <= self.plus_minus_95()
    }

    #[cfg(test)]
    pub(super) const fn of(people: f64, standard_error: f64) -> Self {
        Self { people, standard_error }
    }
}

/// Var N̂ = [m(V·p₀(1−p₀) + (1−V)·p₁(1−p₁)) + (p₀−p₁)²·m·V·(1 − (1 + N/m)·V)] / ((p₀−p₁)·V)², V = e^(−N/m): the noise of the symbols given who is where, and
/// where people happen to fall, over the slope of the expected zeros squared.
pub(super) fn variance(people: f64, m: f64, (p0, p1): (f64, f64)) -> f64 {
    let v = (-people / m).exp();
    let symbols = m * (v * p0 * (1.0 - p0) + (1.0 - v) * p1 * (1.0 - p1));
    let places = (p0 - p1).powi(2) * m * v * (1.0 - (1.0 + people / m) * v);
    (symbols + places) / ((p0 - p1) * v).powi(2)
}

/// Fewest people that are estimated. Below, the error is a fifth and more at ε = 1 whatever the buckets.
pub(super) const PEOPLE_MIN: f64 = 500.0;

/// Least share of empty buckets: e^−2, twice as many people as buckets, four times what they were made for.
const EMPTY_MIN: f64 = 0.135_335_283_236_612_7;

/// So many standard errors are no accident.
const FAR: f64 = 4.0;

const NORMAL_95: f64 = 1.959_963_984_540_054;
