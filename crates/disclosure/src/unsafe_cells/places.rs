//! Where the cells and totals of a table are.

use cairn_question::Grid;

/// One place: for each axis the index of a code, or `None` for the total over it.
pub type Place = Vec<Option<usize>>;

/// Most places of a table, cells and totals: the largest grid with six axes of two codes and more has fewer.
pub const PLACES_MAX: usize = 1 << 20;

/// The places of a table in order: the last axis varies fastest, and after an axis's codes comes the total over it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Places {
    /// Codes of each axis.
    sizes: Vec<usize>,
    /// How many places lie between two neighbouring codes of each axis.
    strides: Vec<usize>,
    /// How many places.
    count: usize,
}

impl Places {
    /// The places of a grid; `None` where there are more than [`PLACES_MAX`].
    pub(super) fn of(grid: &Grid) -> Option<Self> {
        let sizes: Vec<usize> = grid.dimensions().iter().map(|d| d.codes.len()).collect();
        let count = sizes.iter().try_fold(1_usize, |n, size| n.checked_mul(size.checked_add(1)?))?;
        let stride = |axis: usize| sizes.iter().skip(axis + 1).map(|size| size + 1).product();
        let strides = (0..sizes.len()).map(stride).collect();
        (count <= PLACES_MAX).then_some(Self { sizes, strides, count })
    }

    pub(super) const fn count(&self) -> usize {
        self.count
    }

    pub(super) const fn axes(&self) -> std::ops::Range<usize> {
        0..self.sizes.len()
    }

    pub(super) const fn all(&self) -> std::ops::Range<usize> {
        0..self.count
    }

    /// Every place as its codes, in order.
    pub(super) fn listed(&self) -> impl Iterator<Item = Place> {
        self.all().map(|place| self.codes(place))
    }

    /// Whether the place is a total over this axis.
    pub(super) fn is_total(&self, place: usize, axis: usize) -> bool {
        self.code(place, axis) == self.size(axis)
    }

    /// The total over `axis` that a place is part of.
    pub(super) fn total_over(&self, place: usize, axis: usize) -> usize {
        place + (self.size(axis) - self.code(place, axis)) * self.stride(axis)
    }

    /// The places that make up a total over `axis`, one for each code.
    pub(super) fn parts(&self, total: usize, axis: usize) -> impl Iterator<Item = usize> + use<> {
        let (size, stride) = (self.size(axis), self.stride(axis));
        (0..size).map(move |code| total - (size - code) * stride)
    }

    /// The index of a place that is given by its codes; `None` where the table has no such place.
    pub(super) fn index(&self, codes: &[Option<usize>]) -> Option<usize> {
        if codes.len() != self.sizes.len() {
            return None;
        }
        self.sizes.iter().zip(codes).try_fold(0_usize, |index, (&size, code)| {
            let known = code.is_none_or(|code| code < size);
            known.then(|| index * (size + 1) + code.unwrap_or(size))
        })
    }

    /// Whether the place is a cell of the grid and no total.
    pub(super) fn is_cell(&self, place: usize) -> bool {
        self.axes().all(|axis| !self.is_total(place, axis))
    }

    fn codes(&self, place: usize) -> Place {
        let code = |axis: usize| (!self.is_total(place, axis)).then(|| self.code(place, axis));
        self.axes().map(code).collect()
    }

    fn code(&self, place: usize, axis: usize) -> usize {
        place / self.stride(axis) % (self.size(axis) + 1)
    }

    fn size(&self, axis: usize) -> usize {
        self.sizes.get(axis).copied().unwrap_or_default()
    }

    fn stride(&self, axis: usize) -> usize {
        self.strides.get(axis).copied().unwrap_or(1)
    }
}
