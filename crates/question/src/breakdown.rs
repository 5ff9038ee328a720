//! People counted once in the cells of a table: how many of these one person can be in, which is what each cell more costs them.

use serde::{Deserialize, Serialize};

use crate::grid::Grid;

/// How a count of people once is broken down: a pattern for each cell. A count in one cell has none, and says nothing of it.
///
/// At least two cells, of which one person is reckoned to be in one up to all.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "BreakdownDoc", into = "BreakdownDoc")]
pub struct Breakdown {
    cells: u32,
    cells_per_person: u32,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BreakdownDoc {
    cells: u32,
    cells_per_person: u32,
}

/// Fewer than two cells, or a person in none of them or in more than there are.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a breakdown: {cells} cells, and a person in {cells_per_person} of them")]
pub struct NotABreakdown {
    cells: u32,
    cells_per_person: u32,
}

impl Breakdown {
    /// So many cells, of which one person is in so many over all partners.
    ///
    /// # Errors
    /// [`NotABreakdown`].
    pub const fn new(cells: u32, cells_per_person: u32) -> Result<Self, NotABreakdown> {
        if cells < 2 || cells_per_person == 0 || cells_per_person > cells {
            return Err(NotABreakdown { cells, cells_per_person });
        }
        Ok(Self { cells, cells_per_person })
    }

    /// The breakdown of a question's table where the framework reckons with `most` cells a person; `None` for a table of one cell.
    ///
    /// This is the one place that says in how many cells a person can be. In one, where the cell is a function of the linkage key: every partner then
    /// has them in the same. Of no column is that so, since each partner writes a person's age band, sex and council down for itself, and the key has
    /// none of them; so it is so of the table of one cell alone. Otherwise in as many as the framework says, and never in more than there are.
    #[must_use]
    pub fn of(grid: &Grid, most: u32) -> Option<Self> {
        let cells = u32::try_from(grid.cells()).unwrap_or(u32::MAX);
        Self::new(cells, most.clamp(1, cells.max(1))).ok()
    }

    /// How many cells, and patterns.
    #[must_use]
    pub const fn cells(self) -> u32 {
        self.cells
    }

    /// c_max: in how many of them one person is reckoned to be, over all partners.
    #[must_use]
    pub const fn cells_per_person(self) -> u32 {
        self.cells_per_person
    }

    /// Cells of a count, broken down or not.
    #[must_use]
    pub fn cells_of(breakdown: Option<Self>) -> u32 {
        breakdown.map_or(1, Self::cells)
    }

    /// c_max of a count, broken down or not.
    #[must_use]
    pub fn cells_per_person_of(breakdown: Option<Self>) -> u32 {
        breakdown.map_or(1, Self::cells_per_person)
    }
}

impl TryFrom<BreakdownDoc> for Breakdown {
    type Error = NotABreakdown;

    fn try_from(doc: BreakdownDoc) -> Result<Self, Self::Error> {
        Self::new(doc.cells, doc.cells_per_person)
    }
}

impl From<Breakdown> for BreakdownDoc {
    fn from(Breakdown { cells, cells_per_person }: Breakdown) -> Self {
        Self { cells, cells_per_person }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::parse;
    use crate::id::Name;
    use crate::schema::Schema;

    fn grid(text: &str) -> Grid {
        let name = Name::new("any").unwrap();
        parse(text, &name, &name, Schema::smf()).unwrap().grid(Schema::smf()).unwrap()
    }

    /// No column of a person is a function of the linkage key: each is reckoned with at the framework's term. A table of one cell is.
    #[test]
    fn a_person_is_in_one_cell_of_one_and_otherwise_in_as_many_as_the_framework_says() {
        let check = |text: &str, most, expected: Option<(u32, u32)>| {
            let found = Breakdown::of(&grid(text), most).map(|b| (b.cells(), b.cells_per_person()));
            assert_eq!(found, expected, "{text} {most}");
        };
        check("people", 4, None);
        check("people where sex = female", 4, None);
        for axis in ["sex", "age_band", "council", "disabled"] {
            let cells = u32::try_from(grid(&format!("people by {axis}")).cells()).unwrap();
            assert!(cells > 2, "{axis}");
            check(&format!("people by {axis}"), 2, Some((cells, 2)));
            check(&format!("people by {axis}"), 1, Some((cells, 1)));
            // Nobody is in more cells than there are.
            check(&format!("people by {axis}"), 1_000_000, Some((cells, cells)));
        }
    }

    #[test]
    fn what_is_no_breakdown_is_not_read() {
        let read = |text: &str| serde_json::from_str::<Breakdown>(text).ok();
        let text = r#"{"cells":4,"cells_per_person":2}"#;
        assert_eq!(read(text), Breakdown::new(4, 2).ok());
        assert_eq!(serde_json::to_string(&Breakdown::new(4, 2).unwrap()).unwrap(), text);
        for wrong in [
            r#"{"cells":1,"cells_per_person":1}"#,
            r#"{"cells":4,"cells_per_person":0}"#,
            r#"{"cells":4,"cells_per_person":5}"#,
            r#"{"cells":4}"#,
            r#"{"cells":4,"cells_per_person":2,"more":1}"#,
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!((Breakdown::cells_of(None), Breakdown::cells_per_person_of(None)), (1, 1));
    }
}
