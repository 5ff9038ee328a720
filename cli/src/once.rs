//! A number of people counted once over all partners, with the error and the loss that follow from its terms.

use cairn_question::combine::CombinedV1;
use cairn_question::{Cell, TotalTreatment, TotalV1, TreatmentV1};
use cairn_seal::occupancy::{Count, CountTerms, ReaderLoss};

/// The δ at which a reader's loss is said.
const READER_DELTA: f64 = 1e-6;

/// A published number, read under its terms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Once {
    terms: CountTerms,
    count: Count,
    keys_per_person: u32,
}

impl Once {
    /// Of a total and the number that was published; `None` for any other total, and for terms or a number that none can have.
    pub(crate) fn of(total: &TotalV1, combined: &CombinedV1) -> Option<Self> {
        let TreatmentV1::CountOnce { epsilon, keys_per_person, buckets_power, linked_by } = total.treatment
        else {
            return None;
        };
        let treatment = TotalTreatment::CountOnce { epsilon, keys_per_person, buckets_power, linked_by };
        let terms = CountTerms::of_total(&treatment, total.partners.len(), total.colluding_max).ok()?;
        let [cell] = combined.cells.as_slice() else { return None };
        let Cell::Value(people) = cell.cell else { return None };
        // More than four times as many as the buckets were made for are never published.
        let people = u32::try_from(people).ok().filter(|people| *people <= 4 * terms.buckets().count())?;
        Some(Self { terms, count: Count::published(&terms, people), keys_per_person })
    }

    /// The number as an estimate, with its error.
    pub(crate) const fn count(&self) -> Count {
        self.count
    }

    /// The sum with the range that holds 95 times in 100.
    pub(crate) fn with_error(&self, mut combined: CombinedV1) -> CombinedV1 {
        for cell in &mut combined.cells {
            let (least, most) = self.range();
            (cell.least, cell.most) = (least, Some(most));
        }
        combined
    }

    /// The 95 % interval, in whole people, rounded outward.
    #[expect(clippy::cast_possible_truncation, reason = "below 2^27, rounded first")]
    fn range(&self) -> (i64, i64) {
        let (people, within) = (self.count.people(), self.count.plus_minus_95());
        ((people - within).max(0.0).floor() as i64, (people + within).ceil() as i64)
    }

    /// How far off the number may be.
    pub(crate) fn error_in_words(&self) -> String {
        let (least, most) = self.range();
        format!(
            "Different people who have a linkage key: {least} to {most}, 95 times in 100. Links that are wrong or missed are a larger error and are not in this range; records without a key are not counted (--links dp=0.1 says how many there are, and what is known of missed links)."
        )
    }

    /// What the count costs one person, however many partners know them.
    pub(crate) fn loss_in_words(&self) -> String {
        let epsilon = self.terms.epsilon();
        let keys = self.keys_per_person;
        let reader = ReaderLoss::at(&self.terms, READER_DELTA);
        format!(
            "Privacy loss of a person, however many partners know them: ε = {epsilon} for each linkage key that they are recorded under, at most {keys} keys, to whoever sees the opened pattern; to whoever sees the number alone ε = {:.4} at δ = {READER_DELTA} a key, as long as no partner tells what it put in.",
            reader.epsilon()
        )
    }
}

#[cfg(test)]
mod tests {
    use cairn_question::combine::CombinedCell;
    use cairn_question::privacy::Epsilon;
    use cairn_question::{Hash, LinkedBy, PartnerId};

    use super::*;

    fn total(partners: usize, treatment: TreatmentV1) -> TotalV1 {
        let hash = Hash::of(b"");
        let name = |n: usize| PartnerId::new(format!("p{n:02}")).unwrap();
        TotalV1 {
            treatment,
            partners: (0..partners).map(name).collect(),
            colluding_max: 3,
            manifest: hash,
            opening: hash,
            transcript: hash,
        }
    }

    fn once(power: u8) -> TreatmentV1 {
        let epsilon = Epsilon::from_millionths(2_000_000).unwrap();
        TreatmentV1::CountOnce {
            epsilon,
            keys_per_person: 2,
            buckets_power: power,
            linked_by: LinkedBy::Nino,
        }
    }

    fn of(cell: Cell) -> CombinedV1 {
        let cell = CombinedCell { cell, parts_withheld: 0, least: 0, most: None };
        CombinedV1 { dimensions: Vec::new(), cells: vec![cell] }
    }

    #[test]
    fn a_number_is_read_with_the_error_of_its_terms() {
        let combined = of(Cell::Value(7_000));
        let read = Once::of(&total(10, once(14)), &combined).unwrap();
        let cell = read.with_error(combined).cells[0];
        assert!((6_650..6_900).contains(&cell.least), "{cell:?}");
        assert!(cell.most.unwrap() - 7_000 == 7_000 - cell.least, "{cell:?}");
        let words = read.error_in_words();
        assert!(words.contains(&format!("{} to {}", cell.least, cell.most.unwrap())), "{words}");
        assert!(read.loss_in_words().contains("ε = 2 for each linkage key"), "{}", read.loss_in_words());
    }

    #[test]
    fn what_no_count_can_be_is_none() {
        let check = |total: &TotalV1, cell| assert!(Once::of(total, &of(cell)).is_none(), "{total:?}");
        check(&total(4, once(14)), Cell::Value(7_000));
        check(&total(10, once(9)), Cell::Value(7_000));
        check(&total(10, once(14)), Cell::Withheld);
        check(&total(10, once(14)), Cell::Value(-1));
        check(&total(10, once(14)), Cell::Value(65_537));
    }
}
