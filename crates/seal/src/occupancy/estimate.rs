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

/// The same of a vector with a pattern for each cell.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OpenedCells(Vec<Opened>);

/// What a cell of a breakdown comes to. Complete: it is estimated, or too little or too much of it is there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CellCount {
    /// So many.
    Counted(Count),
    /// Fewer than [`PEOPLE_MIN`], as far as the noise lets one say.
    TooFew,
    /// Next to no bucket is empty: more people than it has buckets for, or somebody filled them.
    Full,
}

/// People counted once, with its error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Count {
    people: f64,
    standard_error: f64,
}

impl Opened {
    /// Counts the zeros of the XOR of all partners' vectors, of a count that is not broken down.
    ///
    /// # Errors
    /// [`NotCounted::OtherTerms`] for a vector of another layout, or of several cells.
    pub fn read(terms: &CountTerms, opened: &Plain) -> Result<Self, NotCounted> {
        match OpenedCells::read(terms, opened)?.0.as_slice() {
            [one] => Ok(*one),
            _ => Err(NotCounted::OtherTerms),
        }
    }

    fn of(symbols: &[u8]) -> Self {
        let (mut zeros, mut zero_controls) = (0, 0);
        for (bucket, symbol) in symbols.iter().enumerate() {
            let zero = u32::from(*symbol == 0);
            if Buckets::is_control(bucket) { zero_controls += zero } else { zeros += zero }
        }
        Self { zeros, zero_controls }
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
        let estimate = self.estimate(terms);
        // Saturation first: who fills every bucket spoils the controls too, and that is the better word for it.
        if estimate == CellCount::Full {
            return Err(NotCounted::Saturated);
        }
        if self.controls_off_by(terms).abs() > FAR {
            return Err(NotCounted::Controls);
        }
        match estimate {
            CellCount::Counted(count) => Ok(count),
            CellCount::TooFew | CellCount::Full => Err(NotCounted::TooFew),
        }
    }

    /// The estimate, whatever the controls say.
    fn estimate(&self, terms: &CountTerms) -> CellCount {
        let m = f64::from(terms.buckets().for_people());
        let (p0, p1) = (terms.p_empty(), terms.p_occupied());
        let share = f64::from(self.zeros) / m;
        let empty = (share - p1) / (p0 - p1);
        // Of full buckets, so many as are zero by chance: V̂ is then 0 give or take this.
        let by_chance = (p1 * (1.0 - p1) / m).sqrt() / (p0 - p1);
        if empty < EMPTY_MIN.max(FAR * by_chance) {
            return CellCount::Full;
        }
        let people = empty.ln() / (-1.0 / m).ln_1p();
        if people < PEOPLE_MIN {
            return CellCount::TooFew;
        }
        CellCount::Counted(Count { people, standard_error: variance(people, m, (p0, p1)).sqrt() })
    }
}

impl OpenedCells {
    /// Counts the zeros of the XOR of all partners' vectors, cell by cell.
    ///
    /// # Errors
    /// [`NotCounted::OtherTerms`] for a vector of another layout.
    pub fn read(terms: &CountTerms, opened: &Plain) -> Result<Self, NotCounted> {
        let same = terms.layout().is_ok_and(|layout| layout == opened.layout());
        let symbols = opened.symbols().filter(|_| same).ok_or(NotCounted::OtherTerms)?;
        let buckets = usize::try_from(terms.buckets().count()).map_err(|_| NotCounted::OtherTerms)?;
        Ok(Self(symbols.chunks_exact(buckets).map(Opened::of).collect()))
    }

    /// The estimate of each cell. One that cannot be estimated says why, and the others stand; a round that is bad has none at all.
    ///
    /// A count that is not broken down is its one cell, or is refused for what that is ([`Opened::count`]).
    ///
    /// # Errors
    /// [`NotCounted::Controls`] when the controls of all cells together are more than 4 standard errors from p₀, or one cell's own so far that an honest round of
    /// as many cells is refused no oftener than one of one; [`NotCounted::Saturated`] where these are of a cell without an empty bucket, or where no cell has one.
    pub fn count(&self, terms: &CountTerms) -> Result<Vec<CellCount>, NotCounted> {
        if let [one] = self.0.as_slice() {
            return Ok(vec![CellCount::Counted(one.count(terms)?)]);
        }
        let cells: Vec<CellCount> = self.0.iter().map(|cell| cell.estimate(terms)).collect();
        let off = |cell: &Opened| cell.controls_off_by(terms).abs() > far_of(self.0.len());
        let filled = |(cell, count): (&Opened, &CellCount)| *count == CellCount::Full && off(cell);
        if cells.iter().all(|cell| *cell == CellCount::Full) || self.0.iter().zip(&cells).any(filled) {
            return Err(NotCounted::Saturated);
        }
        if self.controls_off_by(terms).abs() > FAR || self.0.iter().any(off) {
            return Err(NotCounted::Controls);
        }
        Ok(cells)
    }

    /// How far the share of zeros among the controls of all cells is from p₀, in standard errors: a partner that leaves out its noise does so in every cell.
    #[must_use]
    pub fn controls_off_by(&self, terms: &CountTerms) -> f64 {
        let zeros: f64 = self.0.iter().map(|cell| f64::from(cell.zero_controls)).sum();
        let cells = f64::from(terms.cells());
        let share = zeros / (cells * f64::from(terms.buckets().controls()));
        (share - terms.p_empty()) / (terms.control_error() / cells.sqrt())
    }
}

/// How many standard errors are no accident in any of so many cells: a normal tail falls as e^(−x²/2), so k of them at √(4² + 2·ln k) weigh as much as one at 4.
fn far_of(cells: usize) -> f64 {
    let cells = u32::try_from(cells).unwrap_or(u32::MAX);
    (FAR * FAR + 2.0 * f64::from(cells.max(1)).ln()).sqrt()
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
