//! A table over axes with all its totals, and the merging of adjacent bands where nothing else helps.

use std::ops::Range as Span;

use super::suppress::Mend;
use super::table::{ATOMS_MAX, CELLS_MAX, CellSpec, Fate, Layout, Showing, Terms, Unfit, people};
use super::{Outcome, Whole, as_it_is, suppress};

/// The axes of a table. Its cells are every combination of codes and every total over one or more axes.
#[derive(Clone, Debug)]
pub struct Table {
    sizes: Vec<usize>,
    /// The axis whose codes are ordered bands that may merge.
    bands: Option<usize>,
    terms: Terms,
}

/// One cell of a table: for each axis a group of codes, or none for the total over it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place(pub Vec<Option<Span<usize>>>);

/// What became of a table, and at which bands.
#[derive(Clone, Debug)]
pub struct Audit {
    /// The bands of the output, as spans of the codes of the banded axis; each code its own where nothing was merged. Empty where
    /// the table has no such axis.
    pub bands: Vec<Span<usize>>,
    /// The cells of the output, in the order of the outcome's marks: combinations of codes first, the last axis varying fastest,
    /// then totals over one axis, over two, and so on. Cells of earlier releases follow in the outcome and are not listed here.
    pub places: Vec<Place>,
    /// Marks and proof.
    pub outcome: Outcome,
}

/// One table that is asked for.
struct Ask<'a> {
    counts: &'a [u64],
    also: &'a dyn Fn(&[Place]) -> Vec<usize>,
    earlier: &'a [CellSpec],
}

impl Table {
    /// A table of these many codes on each axis.
    ///
    /// # Errors
    /// [`Unfit::NoSuchAxis`] where `bands` is no axis; [`Unfit::TooManyAtoms`], [`Unfit::TooManyCells`].
    pub fn new(sizes: &[usize], bands: Option<usize>, terms: Terms) -> Result<Self, Unfit> {
        let product = |plus: usize| {
            sizes
                .iter()
                .try_fold(1_usize, |n, size| n.checked_mul(size.checked_add(plus)?))
                .unwrap_or(usize::MAX)
        };
        match (product(0), product(1)) {
            _ if bands.is_some_and(|axis| axis >= sizes.len()) => Err(Unfit::NoSuchAxis),
            (atoms, _) if atoms > ATOMS_MAX => Err(Unfit::TooManyAtoms { atoms }),
            (_, cells) if cells > CELLS_MAX => Err(Unfit::TooManyCells { cells }),
            _ => Ok(Self { sizes: sizes.to_vec(), bands, terms }),
        }
    }

    /// Finds a pattern for `counts`, the last axis varying fastest, and proves it.
    ///
    /// * `also`: given the cells of the table at its present bands, the places of those that are primary by other rules than the
    ///   threshold.
    /// * `earlier`: cells released before, of this or other tables, over the same atoms.
    ///
    /// Where hiding more does not help, the two adjacent bands with the fewest people merge, and so on. Where counts are rounded the
    /// bands merge first, and more is hidden only if no merging helps (release.md, section 1).
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn audit(
        &self,
        counts: &[u64],
        also: &dyn Fn(&[Place]) -> Vec<usize>,
        earlier: &[CellSpec],
    ) -> Result<Audit, Unfit> {
        let ask = Ask { counts, also, earlier };
        if self.merges_first() {
            let merged = self.merging(&ask, Mend::Leave)?;
            if matches!(merged.outcome, Outcome::Audited(_)) {
                return Ok(merged);
            }
        }
        self.merging(&ask, Mend::Hide)
    }

    const fn merges_first(&self) -> bool {
        matches!(self.terms.showing, Showing::Rounded { .. }) && self.bands.is_some()
    }

    fn merging(&self, ask: &Ask<'_>, mend: Mend) -> Result<Audit, Unfit> {
        let mut bands =
            self.bands.and_then(|axis| self.sizes.get(axis)).map_or_else(Vec::new, |&size| each(size));
        // Whoever runs the algorithm also sees which tables would have merged otherwise; the audit of one layout does not.
        let mut first = !self.merges_first();
        loop {
            let (layout, places) = self.layout(&bands, ask.earlier)?;
            let also = (ask.also)(&places);
            let outcome = match mend {
                Mend::Hide => suppress(&layout, ask.counts, &also)?,
                Mend::Leave => as_it_is(&layout, ask.counts, &also)?,
            };
            // What the register gives away, no merging takes back.
            if !matches!(outcome, Outcome::Whole(Whole::NoWitness)) || bands.len() < 2 {
                let outcome = if first { outcome } else { outcome.thresholds_only() };
                return Ok(Audit { bands, places, outcome });
            }
            first = false;
            self.merge(&mut bands, ask.counts);
        }
    }

    /// The cells of the table at these bands, and then those of earlier releases.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn layout(&self, bands: &[Span<usize>], earlier: &[CellSpec]) -> Result<(Layout, Vec<Place>), Unfit> {
        let places = self.places(bands);
        let of_table = places.iter().map(|place| self.cell(place));
        let cells: Vec<CellSpec> = of_table.chain(earlier.iter().cloned()).collect();
        Ok((Layout::new(self.sizes.iter().product(), &cells, self.terms)?, places))
    }

    /// Every cell at these bands.
    fn places(&self, bands: &[Span<usize>]) -> Vec<Place> {
        let groups = |(axis, &size): (usize, &usize)| {
            if self.bands == Some(axis) { bands.to_vec() } else { each(size) }
        };
        let mut places = vec![Vec::new()];
        for groups in self.sizes.iter().enumerate().map(groups) {
            let options: Vec<Option<Span<usize>>> = groups.into_iter().map(Some).chain([None]).collect();
            places = places.iter().flat_map(|place| options.iter().map(|o| with(place, o))).collect();
        }
        let mut places: Vec<Place> = places.into_iter().map(Place).collect();
        places.sort_by_key(Place::totals);
        places
    }

    /// A total is wanted before its parts.
    fn cell(&self, place: &Place) -> CellSpec {
        let atoms = 0..self.sizes.iter().product();
        let want = u32::try_from(place.totals()).unwrap_or(u32::MAX);
        CellSpec { members: atoms.filter(|&a| self.is_in(a, place)).collect(), fate: Fate::Free { want } }
    }

    fn is_in(&self, atom: usize, place: &Place) -> bool {
        let mut rest = atom;
        let inside = |(size, group): (&usize, &Option<Span<usize>>)| {
            let code = rest % size.max(&1);
            rest /= size.max(&1);
            group.as_ref().is_none_or(|g| g.contains(&code))
        };
        self.sizes.iter().zip(&place.0).rev().all(inside)
    }

    fn merge(&self, bands: &mut Vec<Span<usize>>, counts: &[u64]) {
        let counts: Vec<i64> = counts.iter().map(|&c| i64::try_from(c).unwrap_or(i64::MAX)).collect();
        let in_band = |band: &Span<usize>| {
            let on = |axis: usize| (self.bands == Some(axis)).then(|| band.clone());
            people(&counts, &self.cell(&Place((0..self.sizes.len()).map(on).collect())).members)
        };
        let sizes: Vec<i64> = bands.iter().map(in_band).collect();
        let pairs = sizes.iter().zip(sizes.iter().skip(1)).enumerate();
        let Some((at, _)) = pairs.min_by_key(|(_, (a, b))| *a + *b) else { return };
        let next = bands.remove(at + 1);
        if let Some(band) = bands.get_mut(at) {
            band.end = next.end;
        }
    }
}

impl Place {
    /// For each axis its code, or none for the total: the place that [`crate::unsafe_cells`] marks. `None` where bands have merged.
    #[must_use]
    pub fn codes(&self) -> Option<Vec<Option<usize>>> {
        let code = |group: &Option<Span<usize>>| match group {
            None => Some(None),
            Some(codes) => (codes.len() == 1).then_some(Some(codes.start)),
        };
        self.0.iter().map(code).collect()
    }

    /// Over how many axes it is a total.
    #[must_use]
    pub fn totals(&self) -> usize {
        self.0.iter().filter(|group| group.is_none()).count()
    }
}

fn each(size: usize) -> Vec<Span<usize>> {
    (0..size).map(|code| code..code + 1).collect()
}

fn with(place: &[Option<Span<usize>>], group: &Option<Span<usize>>) -> Vec<Option<Span<usize>>> {
    place.iter().cloned().chain([group.clone()]).collect()
}
