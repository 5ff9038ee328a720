//! What is asked: axes, filters, and the cells that they make over atoms. Public, all of it: no count comes in here.

use cairn_disclosure::audit::{Asked, Joined, Left, Mark, Marked, Nobody, Showing, Terms};
use cairn_policy::Method;
use cairn_question::answer::Zeros;
use cairn_question::schema::Column;
use cairn_question::{Cell, Dimension, Grid, Place, Question, Schema};
use serde::{Deserialize, Serialize};
use std::fmt;

use crate::audited::atoms::Atoms;
use crate::audited::kept::Kept;

/// The axes and filters of an audited table, in an order of their own.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shape {
    pub(super) dataset: String,
    pub(super) axes: Vec<Axis>,
    pub(super) filters: Vec<Narrowed>,
}

/// One axis: a column at a grain.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Axis {
    pub(super) column: String,
    pub(super) grain: String,
}

/// One filter.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Narrowed {
    pub(super) column: String,
    pub(super) grain: String,
    pub(super) value: String,
}

/// The public figures of an audited table.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AuditRule {
    /// Fewer people than this are withheld.
    pub min_people: u32,
    /// Other counts are rounded half up to a multiple of this; 0 and 1 round nothing.
    pub round_to: u32,
}

/// Why a table cannot be audited, whatever its counts are.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TooMany {
    /// The table by itself.
    #[error("its cells and totals are more than an audit can take in")]
    Alone,
    /// With the tables that were audited before on the snapshot.
    #[error(
        "with the tables that left before it on this snapshot, its cells are more than an audit can take in"
    )]
    Together,
    /// A column that is not a coded column of the dataset itself, or a form that is not this program's.
    #[error("its columns cannot be audited")]
    Columns,
}

/// A question's table beside those that were audited before: ready to be counted and audited.
#[derive(Clone)]
pub struct Joint {
    pub(super) shape: Shape,
    /// The table's own grid, its axes sorted.
    pub(super) grid: Grid,
    pub(super) atoms: Atoms,
    pub(super) joined: Joined,
    pub(super) earlier: Vec<Kept>,
}

impl Joint {
    /// Joins a question to what left before it.
    ///
    /// # Errors
    /// [`TooMany`].
    pub fn new(
        question: &Question,
        earlier: &[Kept],
        rule: AuditRule,
        schema: &Schema,
    ) -> Result<Self, TooMany> {
        let shape = Shape::of(question);
        let alone = Self::join(&shape, &[], rule, schema);
        match alone {
            Ok(joint) if earlier.is_empty() => Ok(joint),
            Err(TooMany::Together) => Err(TooMany::Alone),
            Ok(_) => Self::join(&shape, earlier, rule, schema),
            Err(why) => Err(why),
        }
    }

    pub(super) fn join(
        shape: &Shape,
        earlier: &[Kept],
        rule: AuditRule,
        schema: &Schema,
    ) -> Result<Self, TooMany> {
        let shapes = || std::iter::once(shape).chain(earlier.iter().map(|kept| &kept.shape));
        if shapes().any(|other| other.dataset != shape.dataset) {
            return Err(TooMany::Columns);
        }
        let grid = shape.grid(schema)?;
        let atoms = Atoms::of(shapes(), schema)?;
        let own: Vec<Asked> = cells(shape, &atoms, schema)?
            .into_iter()
            .zip(grid.places())
            .map(|(members, place)| Asked { members, totals: totals(&place) })
            .collect();
        let mut left = Vec::new();
        for kept in earlier {
            left.extend(kept.left(&atoms, schema)?);
        }
        let joined = Joined::new(atoms.count(), &own, &left, rule.terms()).map_err(|_| TooMany::Together)?;
        Ok(Self { shape: shape.clone(), grid, atoms, joined, earlier: earlier.to_vec() })
    }

    /// The people in each cell and total of the table.
    pub(crate) fn people(&self, counts: &[u64]) -> Vec<u64> {
        self.joined.people(counts)
    }

    /// The table's own grid, its axes sorted.
    #[must_use]
    pub const fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Every atom as a cell of a grid: what the engine counts.
    #[must_use]
    pub const fn counted(&self) -> &Grid {
        self.atoms.grid()
    }
}

impl AuditRule {
    /// The figures of a treatment whose tables are audited; `None` for any other.
    #[must_use]
    pub fn of(method: &Method) -> Option<Self> {
        let cells = method.audited()?;
        let round_to = if matches!(method, Method::SuppressAudit(_)) { 1 } else { cells.round_to.max(1) };
        Some(Self { min_people: cells.min_people, round_to })
    }

    /// The public terms: zeros are shown.
    fn terms(self) -> Terms {
        let showing =
            if self.round_to > 1 { Showing::Rounded { base: self.round_to } } else { Showing::Exact };
        Terms { threshold: u64::from(self.min_people), nobody: Nobody::AlwaysShown, showing }
    }
}

/// Whether a treatment's rule on zeros is one that an audit knows.
pub(crate) fn shows_zeros(zeros: Zeros) -> bool {
    zeros == Zeros::Show
}

fn totals(place: &Place) -> u32 {
    u32::try_from(place.iter().filter(|code| code.is_none()).count()).unwrap_or(u32::MAX)
}

impl Shape {
    pub(super) fn of(question: &Question) -> Self {
        let axis = |a: &cairn_question::GroupBy| Axis { column: a.column.clone(), grain: a.grain.clone() };
        let narrowed = |f: &cairn_question::Filter| Narrowed {
            column: f.column.clone(),
            grain: f.grain.clone(),
            value: f.value.clone(),
        };
        let mut axes: Vec<Axis> = question.group_by.iter().map(axis).collect();
        let mut filters: Vec<Narrowed> = question.filter_by.iter().map(narrowed).collect();
        axes.sort();
        filters.sort();
        Self { dataset: question.dataset.clone(), axes, filters }
    }

    /// The table's own grid, its axes in the order of their columns.
    pub(super) fn grid(&self, schema: &Schema) -> Result<Grid, TooMany> {
        let dimension = |axis: &Axis| {
            let codes = schema.codes_at(column(schema, &self.dataset, &axis.column)?, &axis.grain);
            let codes = codes.ok_or(TooMany::Columns)?;
            Ok(Dimension { column: axis.column.clone(), grain: axis.grain.clone(), codes })
        };
        let dimensions = self.axes.iter().map(dimension).collect::<Result<_, TooMany>>()?;
        Grid::new(dimensions).map_err(|_| TooMany::Together)
    }

    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        let axes = self.axes.iter().map(|axis| axis.column.as_str());
        axes.chain(self.filters.iter().map(|filter| filter.column.as_str()))
    }
}

/// A coded column of the dataset itself.
pub(super) fn column<'s>(schema: &'s Schema, dataset: &str, column: &str) -> Result<&'s Column, TooMany> {
    schema.own_coded(dataset, column).ok_or(TooMany::Columns)
}

/// For each cell and total of a table, in the order of its grid's places, the atoms that it counts.
pub(super) fn cells(shape: &Shape, atoms: &Atoms, schema: &Schema) -> Result<Vec<Vec<usize>>, TooMany> {
    let grid = shape.grid(schema)?;
    let places = grid.places();
    let at: std::collections::BTreeMap<&Place, usize> =
        places.iter().enumerate().map(|(at, place)| (place, at)).collect();
    let inside = atoms.passing(&shape.filters, &shape.dataset, schema)?;
    let parts = shape
        .axes
        .iter()
        .zip(grid.dimensions())
        .map(|(axis, dimension)| atoms.codes_on(axis, &shape.dataset, &dimension.codes, schema));
    let parts = parts.collect::<Result<Vec<Vec<Option<usize>>>, TooMany>>()?;
    let mut cells = vec![Vec::new(); places.len()];
    for atom in (0..atoms.count()).filter(|atom| inside.get(*atom) == Some(&true)) {
        let codes: Option<Vec<usize>> = parts.iter().map(|part| part.get(atom).copied().flatten()).collect();
        for place in codes.map(|codes| over(&codes)).unwrap_or_default() {
            if let Some(cell) = at.get(&place).and_then(|at| cells.get_mut(*at)) {
                cell.push(atom);
            }
        }
    }
    Ok(cells)
}

/// The cell of these codes and every total that it is part of.
fn over(codes: &[usize]) -> Vec<Place> {
    let with = |place: &Place, code: Option<usize>| place.iter().copied().chain([code]).collect();
    let mut places: Vec<Place> = vec![Vec::new()];
    for code in codes {
        places = places.iter().flat_map(|p| [with(p, Some(*code)), with(p, None)]).collect();
    }
    places
}

/// What left of an earlier table, as the audit takes it.
pub(super) fn left(members: Vec<usize>, cell: &Cell, marked: Marked) -> Left {
    let mark = if matches!(cell, Cell::Value(_)) { Mark::Published } else { Mark::Withheld };
    Left { members, mark, marked }
}

impl fmt::Debug for Joint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Joint({} atoms, beside {})", self.atoms.count(), self.earlier.len())
    }
}
