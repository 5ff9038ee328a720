//! Attacks on noise: canaries, floods, and whether the noise is what the answers say.

use cairn_question::{AnswerV1, Cell};

use super::line::{Holds, Line};
use super::people::{
    BUSY_HOURS, BUSY_ROWS, CANARY_AXES, FLOOD_AXES, FLOOD_CELLS, FLOOD_ROWS, HOURS_AXES, Made, SIDES, Side,
};
use super::stage::{ATTACKER, Reply, Session, WIDE_READER};
use super::statistics::{ALARM, Hits, PRINTED, epsilon, surprise};
use crate::failure::Failure;

/// What the gate's policy claims for each table: ε = 1.
const CLAIMED: f64 = 1.0;

/// One table of some thousand cells, each with a canary at one side, twice: as it is, and under a filter that leaves out nobody.
pub(super) async fn canaries(made: &Made, session: &mut Session) -> Result<Vec<Line>, Failure> {
    let by = CANARY_AXES.join(", ");
    let first = session.ask(ATTACKER, &format!("people in participants by {by}")).await?;
    let again = format!("people in participants by {by} where care_experienced = no");
    let again = session.ask(ATTACKER, &again).await?;
    let mut lines = vec![full_grid_line(&first)];
    let tables = [Noise::of(&first, made), Noise::of(&again, made)];
    let [Some(first_noise), Some(again_noise)] = tables else {
        let seen = first.iter().chain(&again).map(Reply::words).collect::<Vec<_>>().join(", ");
        lines.push(Line::of("canary-table", "two tables are answered in full", seen, Holds::No));
        return Ok(lines);
    };
    lines.extend([
        canary_line(made, &first_noise),
        fit_line("noise-fit", LAW, &first_noise.all()),
        fit_line("noise-at-zero", "an empty cell has noise like any other", &first_noise.at_zero()),
        same_line("noise-of-partners", "two partners draw apart", &first_noise.left, &first_noise.right),
        same_line(
            "noise-of-questions",
            "two questions are drawn apart",
            &first_noise.left,
            &again_noise.left,
        ),
    ]);
    Ok(lines)
}

const LAW: &str = "the noise is discrete Laplace of the scale that is stated";

/// What was added to the true counts of each side, cell by cell.
struct Noise {
    left: Vec<i64>,
    right: Vec<i64>,
    /// The true counts of both, left and right.
    truth: Vec<i64>,
}

impl Noise {
    fn of(replies: &[Reply; 2], made: &Made) -> Option<Self> {
        let truth = SIDES.map(|side| made.people_by_cell(side));
        let [left, right] = added(replies, &truth)?;
        Some(Self { left, right, truth: truth.concat() })
    }

    fn all(&self) -> Vec<i64> {
        self.left.iter().chain(&self.right).copied().collect()
    }

    fn at_zero(&self) -> Vec<i64> {
        self.all().into_iter().zip(&self.truth).filter(|(_, people)| **people == 0).map(|(x, _)| x).collect()
    }

    fn side(&self, side: Side) -> &[i64] {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }
}

/// What two tables have beyond the truth; `None` where one is missing or has a cell without a value.
fn added(replies: &[Reply; 2], truth: &[Vec<i64>; 2]) -> Option<[Vec<i64>; 2]> {
    let added = |(reply, truth): (&Reply, &Vec<i64>)| {
        let values = values(reply.table()?)?;
        let added = values.iter().zip(truth).map(|(v, t)| v.saturating_sub(*t));
        (values.len() == truth.len()).then(|| added.collect::<Vec<i64>>())
    };
    let mut both = replies.iter().zip(truth).map(added);
    Some([both.next()??, both.next()??])
}

/// Which cells there are, and in which order, must say nothing: a cell left out has nobody in it, and the first of a sorted table has the most.
fn full_grid_line(replies: &[Reply; 2]) -> Line {
    let (mut cells, mut empty, mut sorted) = (0, 0, 0);
    for reply in replies {
        let table = reply.table().map(|answer| answer.table.cells.clone()).unwrap_or_default();
        let shown = table.iter().filter_map(|cell| if let Cell::Value(v) = cell { Some(*v) } else { None });
        let shown: Vec<i64> = shown.collect();
        cells += table.len();
        empty += table.len() - shown.len();
        sorted += usize::from(shown.is_sorted() || shown.is_sorted_by(|a, b| a >= b));
    }
    let seen =
        format!("{empty} of {cells} cells without a value, {sorted} tables in the order of their counts");
    let claim = "every declared cell has its value, in the order that is declared";
    Line::of("full-grid", claim, seen, Holds::when(cells > 0 && empty == 0 && sorted == 0))
}

/// Every cell of a noisy table is a value.
fn values(answer: &AnswerV1) -> Option<Vec<i64>> {
    let value = |cell: &Cell| if let Cell::Value(v) = cell { Some(*v) } else { None };
    answer.table.cells.iter().map(value).collect()
}

/// Where the canary is, the count of the others is one less than the truth: the attacker says "in" where the table shows more than the
/// others.
fn canary_line(made: &Made, noise: &Noise) -> Line {
    let guesses = |inside: bool| {
        SIDES.into_iter().flat_map(move |side| {
            let cells = noise.side(side).iter().zip(&made.canaries);
            let ours = cells.filter(move |(_, at)| (**at == side) == inside);
            ours.map(move |(added, _)| added.saturating_add(i64::from(inside)) >= 1)
        })
    };
    let (inside, outside) = (Hits::count(guesses(true)), Hits::count(guesses(false)));
    bound_line("canary-table", inside, outside)
}

/// Too large a bound breaks the claim. The canary table must also show that the attack can see: noise far above what is claimed would
/// pass every privacy test and be no answer; that is found by the fit of the noise.
fn bound_line(attack: &'static str, inside: Hits, outside: Hits) -> Line {
    let seen = format!(
        "ε ≥ {:.2} of {CLAIMED} (99 %), {} of {} in and {} of {} out",
        epsilon(inside, outside, PRINTED),
        inside.hits,
        inside.of,
        outside.hits,
        outside.of
    );
    let holds = Holds::when(epsilon(inside, outside, ALARM) <= CLAIMED);
    Line::of(attack, "one person changes no chance by more than e^ε", seen, holds)
}

fn fit_line(attack: &'static str, claim: &str, noise: &[i64]) -> Line {
    surprise_line(attack, claim, noise, CLAIMED.recip(), &EDGES)
}

fn surprise_line(attack: &'static str, claim: &str, noise: &[i64], scale: f64, edges: &[i64]) -> Line {
    let chance = surprise(noise, scale, edges);
    let seen =
        format!("{} draws, the most surprising share of which has a chance of {chance:.1e}", noise.len());
    Line::of(attack, claim, seen, Holds::when(!noise.is_empty() && !ALARM.is_above(chance)))
}

/// Noise of −5 to 5 has a bin each.
const EDGES: [i64; 12] = [-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6];

/// Equal noise in two tables would cancel: their difference would be exact. Of independent draws at ε = 1, 28 in 100 are equal.
fn same_line(attack: &'static str, claim: &str, one: &[i64], other: &[i64]) -> Line {
    let equal = Hits::count(one.iter().zip(other).map(|(a, b)| a == b));
    let seen = format!("{} of {} cells with equal noise", equal.hits, equal.of);
    Line::of(attack, claim, seen, Holds::when(equal.least(ALARM) <= EQUAL_MAX))
}

const EQUAL_MAX: f64 = 0.3;

/// People with far more rows than a policy lets count: over many cells, and in one cell.
pub(super) async fn floods(made: &Made, session: &mut Session) -> Result<Vec<Line>, Failure> {
    let by = FLOOD_AXES.join(", ");
    let people = session.ask(ATTACKER, &format!("people in engagements by {by}")).await?;
    let rows = session.ask(ATTACKER, &format!("rows in engagements by {by}")).await?;
    let wide = made.wide.iter().map(|(side, cells)| (*side, cells.as_slice()));
    let deep = made.deep.iter().map(|(side, cell)| (*side, std::slice::from_ref(cell)));
    Ok(vec![
        flood_line("group-flood", &people, wide, FLOOD_CELLS),
        flood_line("row-flood", &rows, deep, FLOOD_ROWS),
    ])
}

/// The attacker adds up the cells in which a flooder would be, and says "in" past half of what the flooder would add.
fn flood_line<'a>(
    attack: &'static str,
    replies: &[Reply; 2],
    flooders: impl Iterator<Item = (Side, &'a [usize])>,
    adds: usize,
) -> Line {
    let [left, right] = replies.each_ref().map(|r| r.table().and_then(values));
    let (Some(left), Some(right)) = (left, right) else {
        let seen = replies.each_ref().map(Reply::words).join(", ");
        return Line::of(attack, "a table is answered", seen, Holds::No);
    };
    let past = i64::try_from(adds / 2).unwrap_or(i64::MAX);
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    for (at, cells) in flooders {
        for (side, table) in [(Side::Left, &left), (Side::Right, &right)] {
            let sum: i64 = cells.iter().filter_map(|cell| table.get(*cell)).sum();
            if side == at { inside.push(sum > past) } else { outside.push(sum > past) }
        }
    }
    bound_line(attack, Hits::count(inside.into_iter()), Hits::count(outside.into_iter()))
}

/// Sums: of people who have far more than may be added, and with noise that does not fit into 32 bits.
pub(super) async fn sums(made: &Made, session: &mut Session) -> Result<Vec<Line>, Failure> {
    let text = format!("sum:quarter_hours in activities by {}", HOURS_AXES.join(", "));
    let replies = session.ask(ATTACKER, &text).await?;
    let busy = made.busy.iter().map(|(side, cell)| (*side, std::slice::from_ref(cell)));
    let flood = flood_line("sum-flood", &replies, busy, BUSY_ROWS * BUSY_HOURS);
    let wide = session.ask(WIDE_READER, &text).await?;
    let truth = SIDES.map(|side| made.hours_by_cell(side));
    let Some(added) = added(&wide, &truth) else {
        let seen = wide.each_ref().map(Reply::words).join(", ");
        return Ok(vec![flood, Line::of("sum-width", "a table is answered", seen, Holds::No)]);
    };
    let claim = "noise on sums is of the scale that is stated, beyond 32 bits too";
    Ok(vec![flood, surprise_line("sum-width", claim, &added.concat(), WIDE_SCALE, &WIDE_EDGES)])
}

/// 20 rows of 200 at ε = 10⁻⁶.
const WIDE_SCALE: f64 = 4e9;

/// The ends of 32 bits, signed and not, and zero.
const WIDE_EDGES: [i64; 5] = [-(1 << 32), -(1 << 31), 0, 1 << 31, 1 << 32];
