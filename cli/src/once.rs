//! How many people there are, counted once over all partners, in all or in each cell of a table, with the error and the loss that follow from its terms.

use cairn_question::combine::CombinedV1;
use cairn_question::privacy::Epsilon;
use cairn_question::{Breakdown, Cell, TotalTreatment, TotalV1, TreatmentV1};
use cairn_seal::occupancy::{Count, CountTerms, ReaderLoss};

/// The δ at which a reader's loss is said.
const READER_DELTA: f64 = 1e-6;

/// Published numbers, read under their terms.
#[derive(Clone, Debug)]
pub(crate) struct Once {
    terms: CountTerms,
    /// Cell by cell; `None` for one that was not estimated.
    cells: Vec<Option<Count>>,
    keys_per_person: u32,
    breakdown: Option<Breakdown>,
}

impl Once {
    /// Of a total and the numbers that were published; `None` for any other total, and for terms or numbers that none can have.
    pub(crate) fn of(total: &TotalV1, combined: &CombinedV1) -> Option<Self> {
        let TreatmentV1::CountOnce { epsilon, keys_per_person, buckets_power, linked_by, breakdown } =
            total.treatment
        else {
            return None;
        };
        let treatment =
            TotalTreatment::CountOnce { epsilon, keys_per_person, buckets_power, linked_by, breakdown };
        let terms = CountTerms::of_total(&treatment, total.partners.len(), total.colluding_max).ok()?;
        let cells = combined.cells.iter().map(|cell| read(&terms, cell.cell));
        let cells: Vec<Option<Count>> = cells.collect::<Option<_>>()?;
        // What is not broken down is its one number, or was refused.
        let whole = breakdown.is_some() || cells.iter().all(Option::is_some);
        let of_terms = u32::try_from(cells.len()).is_ok_and(|cells| cells == terms.cells());
        (whole && of_terms).then_some(Self { terms, cells, keys_per_person, breakdown })
    }

    /// The number as an estimate, with its error; `None` for a table of them.
    pub(crate) fn count(&self) -> Option<Count> {
        match self.cells.as_slice() {
            [count] => *count,
            _ => None,
        }
    }

    /// The sum, each estimate with the range that holds 95 times in 100.
    pub(crate) fn with_error(&self, mut combined: CombinedV1) -> CombinedV1 {
        for (cell, count) in combined.cells.iter_mut().zip(&self.cells) {
            if let Some((least, most)) = count.map(range) {
                (cell.least, cell.most) = (least, Some(most));
            }
        }
        combined
    }

    /// How far off the numbers may be.
    pub(crate) fn error_in_words(&self) -> String {
        let whole = self.count().map(range);
        let numbers = match whole {
            Some((least, most)) => format!("{least} to {most}, 95 times in 100"),
            None => "each number is within the range beside it 95 times in 100; whoever is in several cells counts in each, so that they do not add up to the people of all".to_owned(),
        };
        format!(
            "Different people who have a linkage key: {numbers}. Links that are wrong or missed are a larger error and are not in {}; records without a key are not counted{}.",
            if whole.is_some() { "this range" } else { "these ranges" },
            if whole.is_some() {
                " (--links dp=0.1 says how many there are, and what is known of missed links)"
            } else {
                ""
            },
        )
    }

    /// What the count costs one person, however many partners know them.
    pub(crate) fn loss_in_words(&self) -> String {
        let epsilon = self.terms.epsilon();
        let keys = self.keys_per_person;
        let reader = ReaderLoss::at(&self.terms, READER_DELTA);
        if let Some(breakdown) = self.breakdown {
            return self.loss_of_table(breakdown, reader);
        }
        format!(
            "Privacy loss of a person, however many partners know them: ε = {epsilon} for each linkage key that they are recorded under, at most {keys} keys, to whoever sees the opened pattern; to whoever sees the number alone ε = {:.4} at δ = {READER_DELTA} a key, as long as no partner tells what it put in.",
            reader.epsilon()
        )
    }

    /// The same of a table: a person is a count of its own in each cell that they are in.
    fn loss_of_table(&self, breakdown: Breakdown, reader: ReaderLoss) -> String {
        let (epsilon, keys, cells) =
            (self.terms.epsilon(), self.keys_per_person, breakdown.cells_per_person());
        let times = u64::from(keys).saturating_mul(u64::from(cells));
        let all = u64::from(epsilon.millionths()).saturating_mul(times);
        let all = Epsilon::from_millionths(u32::try_from(all).unwrap_or(u32::MAX));
        let all = all.map_or_else(|_| format!("more than {}", Epsilon::MAX), |all| format!("{all}"));
        format!(
            "Privacy loss of a person, however many partners know them: ε = {epsilon} for each linkage key that they are recorded under and each cell that they are in, at most {keys} keys and {cells} cells over all partners and so ε = {all} together, to whoever sees the opened patterns; to whoever sees the numbers alone ε = {:.4} at δ = {READER_DELTA} a key and cell, as long as no partner tells what it put in. A number that is withheld is of the same patterns and costs nothing more.",
            reader.epsilon()
        )
    }
}

/// One cell as it was published: a count, none, or what no total can have.
fn read(terms: &CountTerms, cell: Cell) -> Option<Option<Count>> {
    let Cell::Value(people) = cell else { return Some(None) };
    // More than four times as many as the buckets were made for are never published.
    let people = u32::try_from(people).ok().filter(|people| *people <= 4 * terms.buckets().count())?;
    Some(Some(Count::published(terms, people)))
}

/// The 95 % interval, in whole people, rounded outward.
#[expect(clippy::cast_possible_truncation, reason = "below 2^27, rounded first")]
fn range(count: Count) -> (i64, i64) {
    let (people, within) = (count.people(), count.plus_minus_95());
    ((people - within).max(0.0).floor() as i64, (people + within).ceil() as i64)
}

#[cfg(test)]
mod tests {
    use cairn_question::combine::CombinedCell;
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
            breakdown: None,
        }
    }

    /// Three cells, a person in two.
    fn in_cells(power: u8) -> TreatmentV1 {
        let TreatmentV1::CountOnce { epsilon, keys_per_person, buckets_power, linked_by, .. } = once(power)
        else {
            unreachable!()
        };
        let breakdown = Breakdown::new(3, 2).ok();
        TreatmentV1::CountOnce { epsilon, keys_per_person, buckets_power, linked_by, breakdown }
    }

    fn of(cell: Cell) -> CombinedV1 {
        table(&[cell])
    }

    fn table(cells: &[Cell]) -> CombinedV1 {
        let cell = |cell: &Cell| CombinedCell { cell: *cell, parts_withheld: 0, least: 0, most: None };
        CombinedV1 { dimensions: Vec::new(), cells: cells.iter().map(cell).collect() }
    }

    #[test]
    fn each_number_of_a_table_is_read_with_its_own_error_and_what_has_none_with_none() {
        let combined = table(&[Cell::Value(900), Cell::Withheld, Cell::Value(7_000)]);
        let read = Once::of(&total(10, in_cells(14)), &combined).unwrap();
        assert!(read.count().is_none());
        let cells = read.with_error(combined).cells;
        let alone = Once::of(&total(10, once(14)), &of(Cell::Value(900))).unwrap();
        assert_eq!(
            cells[0],
            alone.with_error(of(Cell::Value(900))).cells[0],
            "as where nothing is broken down"
        );
        assert_eq!((cells[1].least, cells[1].most), (0, None));
        let width = |cell: &CombinedCell| cell.most.unwrap() - cell.least;
        assert!(width(&cells[2]) > width(&cells[0]), "{cells:?}");
        let words = read.loss_in_words();
        assert!(
            words.contains("at most 2 keys and 2 cells over all partners and so ε = 8 together"),
            "{words}"
        );
        assert!(read.error_in_words().contains("do not add up"), "{}", read.error_in_words());
        // Another number of cells than the terms have patterns for.
        for cells in [&[Cell::Value(900)][..], &[Cell::Value(900); 4]] {
            assert!(Once::of(&total(10, in_cells(14)), &table(cells)).is_none());
        }
        assert!(Once::of(&total(10, once(14)), &table(&[Cell::Value(900); 3])).is_none());
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
