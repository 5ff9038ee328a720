//! A new table beside every table that was audited before it over the same people: one layout, one audit.

use std::collections::BTreeMap;

use super::table::{CellSpec, Fate, Layout, Showing, Terms, Unfit, people, sorted};
use super::{Mark, Outcome, Whole, suppress_among, suppress_watching};

/// A cell of the new table.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Asked {
    /// The atoms whose people it counts.
    pub members: Vec<usize>,
    /// Over how many axes it is a total: the more, the more it is wanted.
    pub totals: u32,
}

/// A cell that left earlier.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Left {
    /// The atoms whose people it counts.
    pub members: Vec<usize>,
    /// Whether it was shown.
    pub mark: Mark,
    /// Whether another rule than the threshold marked it when it left.
    pub marked: Marked,
}

/// Whether a rule on unsafe cells beside the threshold marks a cell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Marked {
    /// Yes.
    Yes,
    /// No.
    No,
}

/// The cells of a new table and, after them, those of earlier tables that are none of its own. All of it is public but the counts.
///
/// A cell of the new table that counts the very people of an earlier one has its fate: it is shown or withheld as it was.
#[derive(Clone, Debug)]
pub struct Joined {
    layout: Layout,
    fates: Vec<Fate>,
    /// Atoms of each cell, as given: parts would lose what no cell tells apart.
    atoms: Vec<Vec<usize>>,
    /// For each cell of the new table its place in the layout: two of its cells may count the same people.
    own: Vec<usize>,
    marked: Vec<usize>,
}

impl Joined {
    /// Joins them over `atoms` atoms.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn new(atoms: usize, own: &[Asked], earlier: &[Left], terms: Terms) -> Result<Self, Unfit> {
        let mut at: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
        let mut fates = Vec::new();
        let mut place = |members: &[usize], fate: Fate, fates: &mut Vec<Fate>| {
            let next = at.len();
            let place = *at.entry(sorted(members.iter().copied())).or_insert(next);
            if place == next {
                fates.push(fate);
            }
            place
        };
        let asked = |cell: &Asked| (cell.members.clone(), Fate::Free { want: cell.totals });
        let own: Vec<usize> =
            own.iter().map(asked).map(|(members, fate)| place(&members, fate, &mut fates)).collect();
        let mut marked = Vec::new();
        for left in earlier {
            let fate = match left.mark {
                Mark::Published => Fate::Published,
                Mark::Withheld => Fate::Withheld,
            };
            let place = place(&left.members, fate, &mut fates);
            if let Some(known) = fates.get_mut(place).filter(|known| **known != Fate::Published) {
                *known = fate;
            }
            if left.marked == Marked::Yes {
                marked.push(place);
            }
        }
        let mut cells = vec![Vec::new(); at.len()];
        for (members, place) in at {
            if let Some(cell) = cells.get_mut(place) {
                *cell = members;
            }
        }
        let specs =
            cells.iter().zip(&fates).map(|(members, &fate)| CellSpec { members: members.clone(), fate });
        let specs: Vec<CellSpec> = specs.collect();
        let layout = Layout::new(atoms, &specs, terms)?;
        Ok(Self { layout, fates, atoms: cells, own, marked })
    }

    /// The layout: for the check of a file of witnesses.
    #[must_use]
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// For each cell of the new table its place in the layout.
    #[must_use]
    pub fn own(&self) -> &[usize] {
        &self.own
    }

    /// The people in each cell of the new table.
    #[must_use]
    pub fn people(&self, counts: &[u64]) -> Vec<u64> {
        let cell = |at: &usize| self.atoms.get(*at).map_or(0, |members| sum(counts, members));
        self.own.iter().map(cell).collect()
    }

    /// The place in the layout of a cell that counts these people.
    #[must_use]
    pub fn place(&self, members: &[usize]) -> Option<usize> {
        let members = sorted(members.iter().copied());
        self.atoms.iter().position(|cell| *cell == members)
    }

    /// The cells that small differences make unsafe: places of the layout (see [`Joined::audit`]). None where counts are rounded:
    /// there the few between two cells are themselves what must not be worked out.
    #[must_use]
    pub fn by_difference(&self, counts: &[u64]) -> Vec<usize> {
        if self.is_rounded() {
            return Vec::new();
        }
        let shown = |cell: usize| self.fates.get(cell) == Some(&Fate::Published);
        let mut unsafe_cells = Vec::new();
        for (part, whole) in self.few_between(counts) {
            match (shown(part), shown(whole)) {
                (false, _) => unsafe_cells.push(part),
                (true, false) => unsafe_cells.push(whole),
                // Both left already: nothing takes the difference back.
                (true, true) => {}
            }
        }
        sorted(unsafe_cells.into_iter())
    }

    /// Finds a pattern and proves it, for the new table and every earlier one together.
    ///
    /// `also`: places of the layout that are primary by other rules than the threshold. Besides them, every cell with people from which
    /// 1 to t−1 are missing to another cell that holds it, of whichever table, is (L3); where the smaller was shown before, the larger is.
    /// Where counts are rounded, no cell is withheld for that: the 1 to t−1 must not be worked out, as if they were a cell.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn audit(&self, counts: &[u64], also: &[usize]) -> Result<Outcome, Unfit> {
        let few = self.by_difference(counts);
        let all = sorted(also.iter().chain(&few).chain(&self.marked).copied());
        if self.is_rounded() {
            // More groups than an audit can take in depend on the records, so that it is no error.
            return self.watching(counts).map_or(Ok(Outcome::Whole(Whole::NoWitness)), |layout| {
                suppress_watching(&layout, counts, &all)
            });
        }
        let nested: Vec<(usize, usize)> = self.nested().collect();
        // Of a table in which a rule beside the threshold marks a cell, the algorithm is not known to give the same pattern.
        let by_threshold_alone = |table: &[i64]| {
            let counts = |cell: usize| people(table, self.layout.members(cell));
            !nested.iter().any(|&(part, whole)| self.is_few(counts(part), counts(whole)))
        };
        suppress_among(&self.layout, counts, &all, &by_threshold_alone)
    }

    const fn is_rounded(&self) -> bool {
        matches!(self.layout.terms.showing, Showing::Rounded { .. })
    }

    /// The layout with everybody who is between two cells, where they are few.
    fn watching(&self, counts: &[u64]) -> Option<Layout> {
        let atoms = |cell: usize| self.atoms.get(cell).map_or(&[][..], Vec::as_slice);
        let between = |(part, whole): (usize, usize)| {
            let part = atoms(part);
            atoms(whole).iter().copied().filter(|atom| part.binary_search(atom).is_err()).collect()
        };
        self.layout.watching(self.few_between(counts).map(between)).ok()
    }

    /// Every pair of cells with people of which the second holds the first and 1 to t−1 people more.
    fn few_between(&self, counts: &[u64]) -> impl Iterator<Item = (usize, usize)> {
        let people = |cell: &Vec<usize>| i64::try_from(sum(counts, cell)).unwrap_or(i64::MAX);
        let people: Vec<i64> = self.atoms.iter().map(people).collect();
        self.nested().filter(move |&(part, whole)| {
            people.get(part).zip(people.get(whole)).is_some_and(|(part, whole)| self.is_few(*part, *whole))
        })
    }

    fn is_few(&self, part: i64, whole: i64) -> bool {
        let threshold = i64::try_from(self.layout.terms.threshold).unwrap_or(i64::MAX);
        part > 0 && (1..threshold).contains(&whole.saturating_sub(part))
    }

    /// Every pair of cells of which the second holds the first and more.
    fn nested(&self) -> impl Iterator<Item = (usize, usize)> {
        let bits: Vec<Vec<u64>> = self.atoms.iter().map(|cell| bits(cell)).collect();
        let cells = 0..self.atoms.len();
        cells.clone().flat_map(move |whole| {
            let inside: Vec<(usize, usize)> = cells
                .clone()
                .filter(|&part| self.is_larger(whole, part) && holds(bits.get(whole), bits.get(part)))
                .map(|part| (part, whole))
                .collect();
            inside
        })
    }

    fn is_larger(&self, whole: usize, part: usize) -> bool {
        let size = |cell: usize| self.atoms.get(cell).map_or(0, Vec::len);
        size(whole) > size(part)
    }
}

fn sum(counts: &[u64], members: &[usize]) -> u64 {
    members.iter().filter_map(|&m| counts.get(m)).fold(0, |sum, &count| sum.saturating_add(count))
}

/// One bit for each atom, up to the last.
fn bits(members: &[usize]) -> Vec<u64> {
    let words = members.last().map_or(0, |last| last / 64 + 1);
    let mut bits = vec![0_u64; words];
    for member in members {
        if let Some(word) = bits.get_mut(member / 64) {
            *word |= 1 << (member % 64);
        }
    }
    bits
}

fn holds(whole: Option<&Vec<u64>>, part: Option<&Vec<u64>>) -> bool {
    let Some((whole, part)) = whole.zip(part) else { return false };
    whole.len() >= part.len() && part.iter().zip(whole).all(|(part, whole)| part & !whole == 0)
}

#[cfg(test)]
mod tests;
