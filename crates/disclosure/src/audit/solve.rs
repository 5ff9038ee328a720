//! The untrusted solver, and the one place that names it.
//!
//! `microlp` works in floating point. It is asked for a table and its answer is rounded to whole numbers; nothing here says that
//! the answer is right. The caller keeps it only after the exact integer check ([`super::view::View::allows`]), so a solver that is
//! wrong, or lies, costs cells and never protection.

use microlp::{ComparisonOp, OptimizationDirection, Problem, SolveOptions, Variable};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::view::{FAR, Line, View};

/// What a search wants of a table.
pub(super) struct Ask<'a> {
    pub(super) view: &'a View<'a>,
    /// Conditions beside the view's: a cell that is known, and where the cell in question should be.
    pub(super) also: &'a [Line],
    /// The cell to move, and where to.
    pub(super) cell: &'a [usize],
    pub(super) towards: Towards,
    /// A table that the view allows. The solver is asked for the change from it: small numbers, which a float holds exactly.
    pub(super) from: &'a [i64],
}

/// Complete: there are two ways.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Towards {
    Fewer,
    More,
}

/// Finds tables. Nobody trusts it.
pub(super) trait Solver {
    /// A table with few (or many) people in the cell, or none.
    fn solve(&self, ask: &Ask<'_>) -> Option<Vec<i64>>;
}

/// Branch and bound by `microlp`, with a limit on nodes and none on time, so that equal questions get equal answers.
pub(super) struct Microlp;

impl Solver for Microlp {
    fn solve(&self, ask: &Ask<'_>) -> Option<Vec<i64>> {
        // A fault inside another's crate must not end the node: it counts as no table found.
        catch_unwind(AssertUnwindSafe(|| Model::new(ask).solve(ask))).ok().flatten()
    }
}

/// Branch-and-bound nodes for one table. Nearly all are solved at the root; a table that is not within this many costs a cell.
const NODES: u64 = 60;

/// Largest change of one part that the solver may propose. A withheld cell need only move by about the threshold.
const CHANGE_MAX: i64 = 1_000_000;

struct Model {
    problem: Problem,
    /// The parts that may change, with their variables.
    variables: Vec<(usize, Variable)>,
}

impl Model {
    fn new(ask: &Ask<'_>) -> Self {
        let mut problem = Problem::new(match ask.towards {
            Towards::Fewer => OptimizationDirection::Minimize,
            Towards::More => OptimizationDirection::Maximize,
        });
        let variables =
            component(ask).into_iter().filter_map(|part| variable(&mut problem, ask, part)).collect();
        let mut model = Self { problem, variables };
        for line in ask.view.lines.iter().chain(ask.also) {
            model.constrain(line, ask.from);
        }
        model
    }

    fn constrain(&mut self, line: &Line, from: &[i64]) {
        let terms = || {
            let inside = self.variables.iter().filter(|(part, _)| line.members.contains(part));
            inside.map(|&(_, v)| (v, 1.into())).collect::<Vec<_>>()
        };
        let terms = terms();
        if terms.is_empty() {
            return;
        }
        let sum: i64 = line.members.iter().filter_map(|&m| from.get(m)).sum();
        let (low, high) = (whole(line.low - sum), whole(line.high - sum));
        if line.low == line.high {
            self.problem.add_constraint(terms, ComparisonOp::Eq, low.into());
            return;
        }
        if line.high < FAR {
            self.problem.add_constraint(terms.clone(), ComparisonOp::Le, high.into());
        }
        self.problem.add_constraint(terms, ComparisonOp::Ge, low.into());
    }

    fn solve(&self, ask: &Ask<'_>) -> Option<Vec<i64>> {
        let mut options = SolveOptions::default();
        options.node_limit = Some(NODES);
        let outcome = self.problem.solve_with(options).ok()?;
        let solution = outcome.solution()?;
        let mut table = ask.from.to_vec();
        for &(part, variable) in &self.variables {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the exact check decides whether the number is right"
            )]
            let change = solution.var_value(variable).round() as i64;
            let count = table.get_mut(part)?;
            *count = count.checked_add(change)?;
        }
        Some(table)
    }
}

fn variable(problem: &mut Problem, ask: &Ask<'_>, part: usize) -> Option<(usize, Variable)> {
    let (now, view) = (*ask.from.get(part)?, ask.view);
    let bounds = (whole(view.lower.get(part)? - now), whole(view.upper.get(part)? - now));
    let weight: i32 = ask.cell.contains(&part).into();
    Some((part, problem.add_integer_var(weight.into(), bounds)))
}

/// The parts that a change of the cell can reach over the lines. Only these enter the model.
fn component(ask: &Ask<'_>) -> BTreeSet<usize> {
    let free = |part: &usize| !ask.view.is_fixed(*part);
    let mut open: Vec<usize> = ask.cell.iter().copied().filter(free).collect();
    let mut seen: BTreeSet<usize> = open.iter().copied().collect();
    while let Some(part) = open.pop() {
        for at in ask.view.lines_of.get(part).into_iter().flatten() {
            let members = ask.view.lines.get(*at).into_iter().flat_map(|line| &line.members);
            open.extend(members.copied().filter(free).filter(|m| seen.insert(*m)));
        }
    }
    seen
}

fn whole(change: i64) -> i32 {
    i32::try_from(change.clamp(-CHANGE_MAX, CHANGE_MAX)).unwrap_or(0)
}
