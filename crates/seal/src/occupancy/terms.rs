//! The terms of one count of people, agreed before anybody looks at a record.

use cairn_question::privacy::Epsilon;
use cairn_question::{Breakdown, TotalTreatment};

use crate::layout::{Layout, Ring, SymbolBits};
use crate::occupancy::NotCounted;
use crate::occupancy::exact::{ONE, exp_at_least, exp_minus_at_most, power_at_most};
use crate::refused::Refused;

/// How many buckets a count has: a power of two, 2¹⁰ to 2²⁴. One in eight is a control.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Buckets(u8);

/// What all partners of a round agree on. Made from the manifest; no record and no count goes into it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CountTerms {
    epsilon: Epsilon,
    in_round: u16,
    honest: u16,
    bits: SymbolBits,
    buckets: Buckets,
    /// Patterns, one for each cell, side by side in one vector.
    cells: u32,
    /// λᵢ·2³²: how often a partner says a symbol in a bucket where it knows nobody.
    fire: u32,
}

/// What counting people once costs one person: a pure ε in millionths, on a budget line of its own.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub struct PersonLoss(u64);

impl Buckets {
    /// 2 to this power.
    ///
    /// # Errors
    /// [`NotCounted::Terms`] outside 10 to 24.
    pub const fn of_power(power: u8) -> Result<Self, NotCounted> {
        if power < POWER_MIN || power > POWER_MAX { Err(NotCounted::Terms) } else { Ok(Self(power)) }
    }

    /// The least power of two that is at least twice the people who are expected **from public figures**. A number from a partner's own records here would leave
    /// with the manifest, unprotected.
    ///
    /// # Errors
    /// [`NotCounted::Terms`] above 8,388,608 people.
    pub fn for_expected(people: u32) -> Result<Self, NotCounted> {
        let enough = |power: &u8| 1_u64 << *power >= 2 * u64::from(people);
        (POWER_MIN..=POWER_MAX).find(enough).map(Self).ok_or(NotCounted::Terms)
    }

    /// The power of two.
    #[must_use]
    pub const fn power(self) -> u8 {
        self.0
    }

    /// All buckets.
    #[must_use]
    pub const fn count(self) -> u32 {
        1 << self.0
    }

    /// Those that nobody's key falls in: one in eight.
    #[must_use]
    pub const fn controls(self) -> u32 {
        self.count() / CONTROL_ONE_IN
    }

    /// Those that keys fall in.
    #[must_use]
    pub const fn for_people(self) -> u32 {
        self.count() - self.controls()
    }

    /// The bucket of a hash: the hash's first 64 bits, spread over the buckets for people. The chances of two buckets differ by less than one in 2⁴⁰.
    pub(super) fn of_hash(self, hash: &[u8; 32]) -> usize {
        let (first, _) = hash.split_at(8);
        let number = first.iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        let place = (number * u128::from(self.for_people())) >> 64;
        let people_in_eight = u128::from(CONTROL_ONE_IN - 1);
        let bucket = place / people_in_eight * u128::from(CONTROL_ONE_IN) + place % people_in_eight;
        usize::try_from(bucket).unwrap_or_default()
    }

    /// Whether a bucket is a control: the last of every eight.
    pub(super) const fn is_control(bucket: usize) -> bool {
        bucket % 8 == 7
    }
}

impl CountTerms {
    /// Terms for `in_round` partners of whom `may_collude` may, at the number of symbols that is best for ε.
    ///
    /// # Errors
    /// [`NotCounted::Terms`] for ε outside 0.1 to 8, fewer than two honest partners, or a vector that no frame carries.
    pub fn new(
        epsilon: Epsilon,
        in_round: u16,
        may_collude: u16,
        buckets: Buckets,
    ) -> Result<Self, NotCounted> {
        Self::with_symbols(epsilon, (in_round, may_collude), best_bits(epsilon)?, buckets)
    }

    /// The terms of a total that counts people once, with `in_round` partners of whom `may_collude` may.
    ///
    /// # Errors
    /// [`NotCounted::Terms`] for any other total, and for terms out of range; [`NotCounted::TooManyCells`].
    pub fn of_total(total: &TotalTreatment, in_round: usize, may_collude: u16) -> Result<Self, NotCounted> {
        let TotalTreatment::CountOnce { epsilon, keys_per_person, buckets_power, breakdown, .. } = total
        else {
            return Err(NotCounted::Terms);
        };
        let in_round = u16::try_from(in_round).map_err(|_| NotCounted::Terms)?;
        if *keys_per_person == 0 {
            return Err(NotCounted::Terms);
        }
        let terms = Self::new(*epsilon, in_round, may_collude, Buckets::of_power(*buckets_power)?)?;
        terms.in_cells(Breakdown::cells_of(*breakdown))
    }

    /// The same for a table of so many cells, each with a pattern of its own.
    ///
    /// # Errors
    /// [`NotCounted::TooManyCells`] where all patterns together fit no frame; [`NotCounted::Terms`] for no cell.
    pub fn in_cells(self, cells: u32) -> Result<Self, NotCounted> {
        let terms = Self { cells, ..self };
        match terms.layout() {
            _ if cells == 0 => Err(NotCounted::Terms),
            Ok(_) => Ok(terms),
            Err(_) => Err(NotCounted::TooManyCells),
        }
    }

    /// The same with 2 to the power of `bits` symbols.
    ///
    /// # Errors
    /// As there, and for fewer than 2 or more than 5 bits.
    pub fn with_symbols(
        epsilon: Epsilon,
        (in_round, may_collude): (u16, u16),
        bits: SymbolBits,
        buckets: Buckets,
    ) -> Result<Self, NotCounted> {
        let honest =
            in_round.checked_sub(may_collude).filter(|h| *h >= HONEST_MIN).ok_or(NotCounted::Terms)?;
        let in_range = (EPSILON_MIN..=EPSILON_MAX).contains(&epsilon.millionths())
            && (BITS_MIN..=BITS_MAX).contains(&bits.bits())
            && in_round <= PARTNERS_MAX;
        if !in_range {
            return Err(NotCounted::Terms);
        }
        let fire = least_fire(epsilon, honest, bits).ok_or(NotCounted::Terms)?;
        let terms = Self { epsilon, in_round, honest, bits, buckets, cells: 1, fire };
        terms.layout().map_err(|_| NotCounted::Terms).map(|_| terms)
    }

    /// How a vector lies in bytes.
    ///
    /// # Errors
    /// [`Refused::Layout`] where it fits no frame; never for terms that were made.
    pub fn layout(&self) -> Result<Layout, Refused> {
        let symbols = u64::from(self.buckets.count()).saturating_mul(u64::from(self.cells));
        Layout::new(Ring::Xor(self.bits), usize::try_from(symbols).unwrap_or(usize::MAX))
    }

    /// The pure ε that one linkage key loses to whoever sees what opened, worked out from the rounded λᵢ and rounded up to a millionth. Never above the ε that the terms
    /// were made for.
    #[must_use]
    pub fn loss(&self) -> Epsilon {
        let (mut least, mut most) = (0, self.epsilon.millionths());
        while most - least > 1 {
            let middle = least + (most - least) / 2;
            let held = Epsilon::from_millionths(middle)
                .is_ok_and(|epsilon| keeps(self.fire, epsilon, self.honest, self.bits));
            if held { most = middle } else { least = middle }
        }
        Epsilon::from_millionths(most).unwrap_or(self.epsilon)
    }

    /// What one person loses: ε for each key they are recorded under (a mistyped number at one partner is a second one) and each cell they are in.
    ///
    /// `keys_per_person` is the policy's s_max; `cells` the distinct cells that one person can be in over all partners.
    #[must_use]
    pub fn person_loss(&self, keys_per_person: u8, cells: u32) -> PersonLoss {
        let once = u64::from(self.epsilon.millionths());
        PersonLoss(once.saturating_mul(u64::from(keys_per_person)).saturating_mul(u64::from(cells)))
    }

    /// How many partners must leave out their noise before the controls show it as a rule (49 times in 50): the shift is then six standard errors, and four are refused.
    /// `None` when even all of them would not.
    #[must_use]
    pub fn silent_partners_noticed(&self) -> Option<u16> {
        let six = 6.0 * self.control_error();
        (1..=self.in_round).find(|silent| self.empty_is_zero(self.in_round - silent) - self.p_empty() >= six)
    }

    /// ε as asked for: what the ledger is charged.
    #[must_use]
    pub const fn epsilon(&self) -> Epsilon {
        self.epsilon
    }

    /// How many cells, each with a pattern of its own.
    #[must_use]
    pub const fn cells(&self) -> u32 {
        self.cells
    }

    /// |U|.
    #[must_use]
    pub const fn in_round(&self) -> u16 {
        self.in_round
    }

    /// |U| − t.
    #[must_use]
    pub const fn honest(&self) -> u16 {
        self.honest
    }

    /// The buckets.
    #[must_use]
    pub const fn buckets(&self) -> Buckets {
        self.buckets
    }

    /// λᵢ·2³².
    #[must_use]
    pub const fn fire(&self) -> u32 {
        self.fire
    }

    /// k: bits of one symbol.
    #[must_use]
    pub const fn bits(&self) -> SymbolBits {
        self.bits
    }

    /// p₁ = 1/q: how often an occupied bucket opens as zero.
    pub(super) fn p_occupied(&self) -> f64 {
        0.5_f64.powi(i32::from(self.bits.bits()))
    }

    /// p₀ = L + (1 − L)/q with L = (1 − λᵢ)ⁿ: how often an empty one does.
    pub(super) fn p_empty(&self) -> f64 {
        self.empty_is_zero(self.in_round)
    }

    /// The same where only so many partners add noise.
    pub(super) fn empty_is_zero(&self, partners: u16) -> f64 {
        let quiet = (1.0 - f64::from(self.fire) / TWO_32).powi(i32::from(partners));
        quiet + (1.0 - quiet) * self.p_occupied()
    }

    /// The standard error of the share of zeros among one cell's controls.
    pub(super) fn control_error(&self) -> f64 {
        let p = self.p_empty();
        (p * (1.0 - p) / f64::from(self.buckets.controls())).sqrt()
    }
}

impl PersonLoss {
    /// Millionths of ε.
    #[must_use]
    pub const fn millionths(self) -> u64 {
        self.0
    }
}

/// The least λᵢ·2³² that keeps ε: ⌈2³²·(1 − (1 − λ)^{1/h})⌉ with λ = max(e^−ε, (q − e^ε)/(q − 1)), found by trying the privacy of a bucket itself, in whole numbers
/// rounded against us.
fn least_fire(epsilon: Epsilon, honest: u16, bits: SymbolBits) -> Option<u32> {
    let (mut least, mut most) = (0, u32::MAX);
    if !keeps(most, epsilon, honest, bits) {
        return None;
    }
    while most - least > 1 {
        let middle = least + (most - least) / 2;
        if keeps(middle, epsilon, honest, bits) { most = middle } else { least = middle }
    }
    Some(most)
}

/// Whether one bucket keeps ε. Of h honest partners, an occupied bucket is uniform over q symbols; an empty one is zero and not fired upon with 1 − λ′ = (1 − λᵢ)^h, uniform otherwise. So the ratios
/// are q − (q − 1)·λ′ at zero and 1/λ′ at every other symbol, and both must be at most e^ε.
fn keeps(fire: u32, epsilon: Epsilon, honest: u16, bits: SymbolBits) -> bool {
    let quiet_once = ONE - (u128::from(fire) << 28);
    let lambda = ONE - power_at_most(quiet_once, honest);
    let q = 1_u128 << bits.bits();
    lambda >= exp_minus_at_most(epsilon) && q * ONE - (q - 1) * lambda <= exp_at_least(epsilon)
}

/// The best q: ε 1 → 4, 2 → 8, 3 → 16, 4 → 32.
fn best_bits(epsilon: Epsilon) -> Result<SymbolBits, NotCounted> {
    let bits = match epsilon.millionths() {
        0..1_500_000 => 2,
        1_500_000..2_500_000 => 3,
        2_500_000..3_500_000 => 4,
        _ => 5,
    };
    SymbolBits::new(bits).map_err(|_| NotCounted::Terms)
}

/// Smallest and largest ε of one count, in millionths. Below a tenth nothing can be read; e⁸ is what [`super::exact`] has room for.
const EPSILON_MIN: u32 = 100_000;
pub(super) const EPSILON_MAX: u32 = 8_000_000;

const BITS_MIN: u8 = 2;
const BITS_MAX: u8 = 5;
const HONEST_MIN: u16 = 2;

/// Most partners of a round: four times Scotland's councils, colleges, health boards and larger charities.
const PARTNERS_MAX: u16 = 2_000;

const POWER_MIN: u8 = 10;
const POWER_MAX: u8 = 24;
const CONTROL_ONE_IN: u32 = 8;
const TWO_32: f64 = 4_294_967_296.0;
