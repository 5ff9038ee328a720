//! Made-up people with one secret bit each, at two partners that answer under shipped templates: whether they are disabled, which these
//! policies let out with noise only. All else the attacker knows of everybody.

use std::fmt::Write as _;

use super::people::{Coins, SIDES, Side, codes, mapping_of};

/// All of them, left and right.
pub(super) struct Secrets {
    sides: [Vec<Group>; 2],
}

/// People whom no table tells apart: they live in the same council and started in the same quarters.
pub(super) struct Group {
    /// A position on [`councils`].
    pub(super) council: usize,
    /// Positions in time, from [`FIRST_YEAR`] on.
    pub(super) quarters: Vec<usize>,
    /// One for each person.
    pub(super) disabled: Vec<bool>,
}

/// Quarters in which somebody started: from the third of 2019 to the last of 2025.
const QUARTERS: std::ops::Range<usize> = 2..28;

const FIRST_YEAR: usize = 2019;

/// Who lives in the partner's own council, in each quarter: at a council and at a small charity.
const AT_HOME: [usize; 2] = [100, 4];

/// The councils that a table names, in its order.
pub(super) fn councils() -> Vec<String> {
    codes("council_code").into_iter().filter(|code| code != "unknown").collect()
}

/// A quarter as a question writes it.
pub(super) fn quarter(n: usize) -> String {
    format!("{}-Q{}", FIRST_YEAR + n / 4, n % 4 + 1)
}

impl Secrets {
    /// Makes them up from a seed. The bits are fair coins, so that who knows nothing guesses every other one right.
    ///
    /// Beside the people of the partner's own council there is, in every other council and in every two quarters, one person who started in both and is alone
    /// in both: the furthest that a policy of two cells a person lets anybody stand out.
    pub(super) fn new(seed: u64) -> Self {
        let mut coins = Coins::new(seed);
        let sides = AT_HOME.map(|at_home| {
            let mut groups = Vec::new();
            for quarter in QUARTERS {
                let disabled = std::iter::repeat_with(|| coins.even()).take(at_home).collect();
                groups.push(Group { council: 0, quarters: vec![quarter], disabled });
            }
            for council in 1..councils().len() {
                for quarter in QUARTERS.step_by(2) {
                    let quarters = vec![quarter, quarter + 1];
                    groups.push(Group { council, quarters, disabled: vec![coins.even()] });
                }
            }
            groups
        });
        Self { sides }
    }

    pub(super) fn groups(&self, side: Side) -> &[Group] {
        let [left, right] = &self.sides;
        match side {
            Side::Left => left,
            Side::Right => right,
        }
    }

    /// The two partners' exports, left and right: `people.csv` and `starts.csv`.
    pub(super) fn exports(&self) -> [Vec<(&'static str, String)>; 2] {
        SIDES.map(|side| {
            let (mut people, mut starts) =
                ("id,council,condition,limits\n".to_owned(), "id,person,start\n".to_owned());
            let councils = councils();
            for (n, group) in self.groups(side).iter().enumerate() {
                let council = councils.get(group.council).map_or("", String::as_str);
                for (m, disabled) in group.disabled.iter().enumerate() {
                    let words = if *disabled { "yes,a_lot" } else { "no,not_at_all" };
                    let _ = writeln!(people, "p{n}-{m},{council},{words}");
                    for quarter in &group.quarters {
                        let (year, month) = (FIRST_YEAR + quarter / 4, quarter % 4 * 3 + 2);
                        let _ = writeln!(starts, "s{n}-{m}-{quarter},p{n}-{m},{year}-{month:02}-11");
                    }
                }
            }
            vec![("people.csv", people), ("starts.csv", starts)]
        })
    }
}

/// Reads the exports.
pub(super) fn mapping(partner: &str) -> String {
    mapping_of(partner, TABLES)
}

const TABLES: &str = r#"[table.participants]
source = "people"

[table.participants.columns]
local_person_id = { from = "id" }
council_code = { from = "council" }
long_term_condition = { from = "condition" }
limits_activity = { from = "limits" }

[table.engagements]
source = "starts"

[table.engagements.columns]
engagement_id = { from = "id" }
local_person_id = { from = "person" }
lep_code = { value = "S12000050" }
referral_source = { value = "unknown" }
start_date = { from = "start", date = "%Y-%m-%d" }
charter_applies = { value = "yes" }
is_rejoin = { value = "no" }
"#;
