//! What bounds alone rule out: a quick and exact no, before a search or the solver is asked.

use super::view::{FAR, Line, View};

/// Passes over all lines. Bounds that are still moving after as many are left to the search.
const PASSES: usize = 12;

/// Whether bounds, passed along the lines, leave room for a table at all. `false` is certain, `true` is not.
pub(super) fn leave_room(view: &View<'_>, also: &[Line]) -> bool {
    let mut bounds = Bounds { lower: view.lower.clone(), upper: view.upper.clone() };
    for _ in 0..PASSES {
        let mut moved = Moved::No;
        for line in also.iter().chain(&view.lines) {
            match bounds.tighten(line) {
                None => return false,
                Some(Moved::Yes) => moved = Moved::Yes,
                Some(Moved::No) => {}
            }
        }
        if moved == Moved::No {
            return true;
        }
    }
    true
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Moved {
    No,
    Yes,
}

struct Bounds {
    lower: Vec<i64>,
    upper: Vec<i64>,
}

impl Bounds {
    /// Each part is at most what the others leave of the line, and at least what they cannot make up. `None`: no table.
    fn tighten(&mut self, line: &Line) -> Option<Moved> {
        let sum = |bounds: &[i64]| {
            line.members.iter().filter_map(|&m| bounds.get(m)).fold(0_i64, |sum, &b| (sum + b).min(FAR))
        };
        let (least, most) = (sum(&self.lower), sum(&self.upper));
        if least > line.high || most < line.low {
            return None;
        }
        let mut moved = Moved::No;
        for &member in &line.members {
            let (Some(lower), Some(upper)) = (self.lower.get_mut(member), self.upper.get_mut(member)) else {
                continue;
            };
            let (was_lower, was_upper) = (*lower, *upper);
            if line.high < FAR {
                *upper = was_upper.min(line.high - (least - was_lower));
            }
            if most < FAR {
                *lower = was_lower.max(line.low - (most - was_upper));
            }
            if (*lower, *upper) != (was_lower, was_upper) {
                moved = Moved::Yes;
            }
        }
        Some(moved)
    }
}
