//! A partner's part of a secure total: its numbers under the bounds of its own policy, and fresh noise of its share for every attempt.

use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};

use cairn_disclosure::cell_key::PerturbationTable;
use cairn_question::answer::{ConcentratedV1, TreatmentV1};
use cairn_question::{Breakdown, Perturbations, TotalTreatment};

use crate::layout::Channel;
use crate::noise::{Scale, Spread};
use crate::people::RawPeople;
use crate::plan::{Cohort, RawTable};
use crate::released::{changed, check_shape};
use crate::share::{GaussianShare, HonestPartners, LaplaceShare, Share, ShareFault, ShareNoise, with_share};
use crate::terms::{Means, Noisy, ReleaseFault, Terms};

/// What a partner adds to a total, before noise. Has no way out but [`Part::draw`], and its `Debug` shows nothing.
pub struct Part {
    exact: Exact,
    treatment: TotalTreatment,
}

enum Exact {
    /// The table as it adds up.
    Numbers(Vec<i64>),
    /// Who is counted, by number in the snapshot: for a pattern.
    People(RawPeople),
}

impl Terms {
    /// Whether a total of this treatment protects this partner's people as its own terms want: no person may add more here than the noise
    /// of all partners is made for.
    ///
    /// # Errors
    /// [`ReleaseFault::NoBound`] where a person adds more or the total is of other cells, [`ReleaseFault::Contradiction`] where the treatment is another.
    pub fn fit_total(&self, total: &TotalTreatment) -> Result<(), ReleaseFault> {
        let fits = match (&self.means, total) {
            (Means::Noise(vectors), _) => made_for(one(vectors)?, total)?,
            (Means::Suppress(_), TotalTreatment::SuppressRound { .. }) => true,
            (Means::Perturb(table, _), TotalTreatment::CellKey { table: all, .. })
                if self.plan().cohort == Cohort::NotCounted && is_for_totals(table, *all) =>
            {
                true
            }
            (Means::Once(own), TotalTreatment::CountOnce { keys_per_person, breakdown, .. }) => {
                let cells = Breakdown::cells_of(*breakdown);
                let priced = Breakdown::cells_per_person_of(*breakdown);
                own.keys_per_person <= *keys_per_person
                    && usize::try_from(cells).is_ok_and(|cells| cells == self.plan().grid.cells())
                    && own.in_cells(cells).cells_per_person <= priced
            }
            _ => return Err(ReleaseFault::Contradiction),
        };
        if fits { Ok(()) } else { Err(ReleaseFault::NoBound) }
    }
}

impl Part {
    /// The numbers of a counted table as they add up: its cells, under `cell-key` changed by the keys of their people; without either, for rows the people behind each cell first, and then the people that
    /// each filter leaves out where the total holds cohorts ([`TotalTreatment::numbers`]).
    ///
    /// # Errors
    /// [`ReleaseFault::OtherQuestion`], [`ReleaseFault::NotTheGrid`], or as for [`Terms::fit_total`].
    pub fn of(raw: &RawTable, terms: &Terms, total: &TotalTreatment) -> Result<Self, ReleaseFault> {
        if raw.question_id != terms.plan().question_id {
            return Err(ReleaseFault::OtherQuestion);
        }
        check_shape(raw, terms.plan())?;
        terms.fit_total(total)?;
        let exact = match &terms.means {
            Means::Noise(vectors) => one(vectors)?.vector.exact(&raw.counted),
            Means::Perturb(table, _) => whole(changed(raw, table)?.addends()),
            Means::Once(_) => return Err(ReleaseFault::Contradiction),
            _ => {
                let channels = [Channel::People, Channel::Rows].map(|channel| raw.counted.of(channel));
                whole(channels.into_iter().flatten().chain(raw.counted.left_out()))
            }
        };
        Ok(Self { exact: Exact::Numbers(exact), treatment: *total })
    }

    /// The people of a question, for the pattern of people counted once.
    ///
    /// # Errors
    /// As for [`Part::of`].
    pub fn of_people(people: RawPeople, terms: &Terms, total: &TotalTreatment) -> Result<Self, ReleaseFault> {
        if people.question_id() != terms.plan().question_id {
            return Err(ReleaseFault::OtherQuestion);
        }
        if !matches!(terms.means, Means::Once(_)) {
            return Err(ReleaseFault::Contradiction);
        }
        if !people.are_within(terms.plan().grid.cells()) {
            return Err(ReleaseFault::NotTheGrid);
        }
        terms.fit_total(total)?;
        Ok(Self { exact: Exact::People(people), treatment: *total })
    }

    /// Who is to be counted once; `None` for a table.
    #[must_use]
    pub const fn people(&self) -> Option<&RawPeople> {
        match &self.exact {
            Exact::People(people) => Some(people),
            Exact::Numbers(_) => None,
        }
    }

    /// How many numbers it has.
    #[must_use]
    pub fn numbers(&self) -> usize {
        match &self.exact {
            Exact::Numbers(numbers) => numbers.len(),
            Exact::People(_) => 0,
        }
    }

    /// The numbers as they are masked: scaled, each with a fresh draw of this partner's share of the noise. Every attempt draws anew.
    ///
    /// # Errors
    /// [`ShareFault`], [`ShareFault::OutOfRange`] for people, who are no numbers.
    pub fn draw(&self, honest: HonestPartners, noise: &mut dyn ShareNoise) -> Result<Vec<i64>, ShareFault> {
        let Exact::Numbers(numbers) = &self.exact else { return Err(ShareFault::OutOfRange) };
        match share(&self.treatment, honest)? {
            Some(share) => with_share(numbers, &share, noise),
            None => Ok(numbers.clone()),
        }
    }
}

/// Whether a node's own table of perturbations is the one of the total, and fit for one.
fn is_for_totals(table: &PerturbationTable, total: Perturbations) -> bool {
    PerturbationTable::named(total.as_str()) == Some(table) && table.for_totals().is_ok()
}

fn whole<'a>(counts: impl IntoIterator<Item = &'a u64>) -> Vec<i64> {
    counts.into_iter().map(|n| i64::try_from(*n).unwrap_or(i64::MAX)).collect()
}

/// The vector of a total. A mean has two, and is no total.
fn one(vectors: &[Noisy]) -> Result<Noisy, ReleaseFault> {
    match vectors {
        [one] => Ok(*one),
        _ => Err(ReleaseFault::Contradiction),
    }
}

/// Whether noise of the same kind is made for as much as a person adds here.
fn made_for(own: Noisy, total: &TotalTreatment) -> Result<bool, ReleaseFault> {
    let adds = own.vector.sensitivity.get();
    match (own.spread, total) {
        (Spread::Laplace(_), TotalTreatment::Dp { sensitivity, .. }) => Ok(adds <= *sensitivity),
        (Spread::Gaussian(_), TotalTreatment::DpGaussian { sensitivity, l2_squared, .. }) => {
            Ok(adds <= *sensitivity && own.vector.l2_squared().get() <= *l2_squared)
        }
        _ => Err(ReleaseFault::Contradiction),
    }
}

/// One partner's share of the noise of a total; `None` for a treatment without noise inside the mask.
///
/// # Errors
/// [`ShareFault`], by the treatment and the number of partners alone.
pub fn share(total: &TotalTreatment, honest: HonestPartners) -> Result<Option<Share>, ShareFault> {
    match total {
        TotalTreatment::Dp { epsilon, sensitivity } => {
            let sensitivity = NonZeroU32::new(*sensitivity).ok_or(ShareFault::OutOfRange)?;
            let share = LaplaceShare::new(Scale::new(sensitivity, *epsilon), honest)?;
            Ok(Some(Share::Laplace(share)))
        }
        TotalTreatment::DpGaussian { loss, l2_squared, scaling, .. } => {
            let l2_squared = NonZeroU64::new(*l2_squared).ok_or(ShareFault::OutOfRange)?;
            let share = GaussianShare::new(loss.of_noise(), l2_squared, honest, *scaling)?;
            Ok(Some(Share::Gaussian(share)))
        }
        _ => Ok(None),
    }
}

/// What the answer says of a total's protection: as the policy's own terms say it, with the width of the noise of all partners of the round
/// together, or how far off the changes of all of them leave it.
///
/// # Errors
/// As for [`share`].
pub fn statement(
    terms: &Terms,
    total: &TotalTreatment,
    (in_round, honest): (u16, HonestPartners),
) -> Result<TreatmentV1, ShareFault> {
    let mut said = terms.statement().clone();
    if let (
        TreatmentV1::Dp { sensitivity, plus_minus_95, .. },
        TotalTreatment::Dp { sensitivity: most, .. } | TotalTreatment::DpGaussian { sensitivity: most, .. },
    ) = (&mut said, total)
        && let Some(share) = share(total, honest)?
    {
        (*sensitivity, *plus_minus_95) = (*most, share.plus_minus_95(in_round));
    }
    if let (
        TreatmentV1::Dp { epsilon, concentrated, .. },
        TotalTreatment::DpGaussian { loss, l2_squared, .. },
    ) = (&mut said, total)
    {
        let (rho, delta_trillionths) = (loss.rho(), loss.delta_trillionths());
        *epsilon = loss.epsilon();
        *concentrated = Some(ConcentratedV1 { rho, l2_squared: *l2_squared, delta_trillionths });
    }
    if let (TreatmentV1::CellKey { total: off, .. }, TotalTreatment::CellKey { table, .. }) =
        (&mut said, total)
    {
        *off = Some(table.off_by(in_round));
    }
    if let TotalTreatment::CountOnce { epsilon, keys_per_person, buckets_power, linked_by, breakdown } =
        *total
    {
        said = TreatmentV1::CountOnce { epsilon, keys_per_person, buckets_power, linked_by, breakdown };
    }
    Ok(said)
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.exact {
            Exact::Numbers(numbers) => write!(f, "Part({} numbers withheld)", numbers.len()),
            Exact::People(_) => f.write_str("Part(people withheld)"),
        }
    }
}

#[cfg(test)]
mod tests;
