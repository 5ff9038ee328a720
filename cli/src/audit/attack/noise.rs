//! Attacks on noise: canaries, floods, and whether the noise is what the answers say.

use cairn_question::{AnswerV1, Cell};

use super::line::{Holds, Line};
use super::people::{CANARY_AXES, FLOOD_AXES, FLOOD_CELLS, FLOOD_ROWS, Made, SIDES, Side};
use super::stage::{ATTACKER, Reply, Session};
use super::statistics::{ALARM, Hits, PRINTED, epsilon, laplace_misfit};
use crate::failure::Failure;

/// What the gate's policy claims for each table: ε = 1.
const CLAIMED: f64 = 1.0;

/// One table of some thousand cells, each with a canary at one side, twice: as it is, and under a filter that leaves out nobody.
pub(super) async fn canaries(made: &Made, session: &mut Session) -> Result<Vec<Line>, Failure> {
    let by = CANARY_AXES.join(", ");
    let first = session.ask(ATTACKER, &format!("people in participants by {by}")).await?;
    let again = format!("people in participants by {by} where care_experienced = no");
    let again = session.ask(ATTACKER, &again).await?;
    let tables = [Noise::of(&first, made), Noise::of(&again, made)];
    let [Some(first_noise), Some(again_noise)] = tables else {
        let seen = first.iter().chain(&again).map(Reply::words).collect::<Vec<_>>().join(", ");
        return Ok(vec![Line::of("canary-table", "two tables are answered", seen, Holds::No)]);
    };
    Ok(vec![
        canary_line(made, &first_noise),
        misfit_line(&first_noise),
        same_line("noise-of-partners", "two partners draw apart", &first_noise.left, &first_noise.right),
        same_line(
            "noise-of-questions",
            "two questions are drawn apart",
            &first_noise.left,
            &again_noise.left,
        ),
    ])
}

/// What was added to the true counts of each side.
struct Noise {
    left: Vec<i64>,
    right: Vec<i64>,
}

impl Noise {
    fn of(replies: &[Reply; 2], made: &Made) -> Option<Self> {
        let [left, right] = replies;
        let added = |reply: &Reply, side| {
            let truth = made.people_by_cell(side);
            let values = values(reply.table()?)?;
            (values.len() == truth.len())
                .then(|| values.iter().zip(&truth).map(|(v, t)| v.saturating_sub(*t)).collect())
        };
        Some(Self { left: added(left, Side::Left)?, right: added(right, Side::Right)? })
    }

    fn side(&self, side: Side) -> &[i64] {
        match side {
            Side::Left => &self.left,
            Side::Right => &self.right,
        }
    }
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

fn misfit_line(noise: &Noise) -> Line {
    let misfit = laplace_misfit(&noise.left, CLAIMED.recip(), EDGE).max(laplace_misfit(
        &noise.right,
        CLAIMED.recip(),
        EDGE,
    ));
    let seen = format!("chi-square {misfit:.1} at {} degrees of freedom", 2 * EDGE);
    let claim = "the noise is discrete Laplace of the scale that is stated";
    Line::of("noise-fit", claim, seen, Holds::when(misfit <= MISFIT_MAX))
}

/// Noise of this size or more shares a bin.
const EDGE: i64 = 6;

/// At 12 degrees of freedom a right source exceeds it once in 10⁷ tables (the quantile is 56), with room for the law being an
/// approximation in the thin bins.
const MISFIT_MAX: f64 = 75.0;

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
