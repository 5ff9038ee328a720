//! What the hooks of this crate do, in the build that is broken on purpose (`cairn_question::sabotage`).

use cairn_question::{Cell, Hash, QuestionId};

use crate::noise::{Decay, Noise, NoiseFault, Scale, one};

/// Leaves out the cells that nobody is in.
pub(crate) fn not_empty(cells: &[Cell], people: &[u64]) -> Vec<Cell> {
    let shown = |(cell, people): (&Cell, &u64)| if *people == 0 { Cell::NotAnswered } else { *cell };
    cells.iter().zip(people).map(shown).collect()
}

/// The largest value first, what has none last.
pub(crate) fn largest_first(mut cells: Vec<Cell>) -> Vec<Cell> {
    cells.sort_by_key(|cell| if let Cell::Value(n) = cell { n.saturating_neg() } else { i64::MAX });
    cells
}

/// Noise of the right law that whoever knows the question's number can draw again.
pub(crate) struct Seeded {
    seed: QuestionId,
    drawn: u64,
}

impl Seeded {
    /// Leaked, so that a hook is one line.
    pub(crate) fn by<'a>(seed: QuestionId) -> &'a mut (dyn Noise + 'a) {
        Box::leak(Box::new(Self { seed, drawn: 0 }))
    }

    fn next(&mut self) -> u64 {
        self.drawn += 1;
        let hash = Hash::of(format!("{} {}", self.seed, self.drawn).as_bytes());
        hash.as_bytes().iter().take(8).fold(0, |bits, byte| bits << 8 | u64::from(*byte))
    }

    /// So many successes in a row, each with the chance q, which is given in 64 bits.
    fn geometric(&mut self, q: u64) -> i64 {
        (0..i64::MAX).find(|_| self.next() >= q).unwrap_or(i64::MAX)
    }
}

impl Noise for Seeded {
    fn draw(&mut self, scale: Scale, cells: usize) -> Result<Vec<i64>, NoiseFault> {
        let q = (Decay::of(scale).least << 64) / one();
        let q = u64::try_from(&q).map_err(|_| NoiseFault)?;
        Ok((0..cells).map(|_| self.geometric(q) - self.geometric(q)).collect())
    }
}
