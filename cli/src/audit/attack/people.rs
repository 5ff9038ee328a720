//! Made-up records of two partners that differ in known people, so that every answer can be held against the truth.
//!
//! A *canary* is one person alone in view: in each cell of a large table, one person is at the left partner or at the right one, by the
//! toss of a coin. A *flooder* has far more rows than a person may add; each is at one partner only, too.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cairn_question::{Grid, Name, Schema};
use ring::digest;

/// One of the two partners.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Side {
    Left,
    Right,
}

pub(super) const SIDES: [Side; 2] = [Side::Left, Side::Right];

/// The codes of the columns by which the canary table is grouped, in that order; and of the flood tables.
pub(super) const CANARY_AXES: [&str; 4] = ["council_code", "age_band", "gender", "parental_status"];
pub(super) const FLOOD_AXES: [&str; 3] = ["lep_code", "referral_source", "end_reason"];
pub(super) const HOURS_AXES: [&str; 2] = ["activity_type", "mode"];

/// Cells that one flooder is in, each with one row.
pub(super) const FLOOD_CELLS: usize = 50;

/// Rows of one flooder in one cell.
pub(super) const FLOOD_ROWS: usize = 60;

/// Flooders of each kind.
pub(super) const FLOODERS: usize = 90;

/// Those who have far more hours in a cell than a policy lets count, each in a cell of their own.
pub(super) const BUSY: usize = 80;

/// Activities of each, the most that the policy lets count, and quarter-hours of each activity: ten times the policy's bound.
pub(super) const BUSY_ROWS: usize = 20;
pub(super) const BUSY_HOURS: usize = 2_000;
const HOURS_MOST: i64 = 200;

/// People of the tracked group: few enough that the threshold withholds them.
pub(super) const TRACKED: usize = 3;

/// All that was made up.
pub(super) struct Made {
    people: Vec<Person>,
    starts: Vec<Start>,
    activities: Vec<Activity>,
    /// For each cell of the canary table, in the grid's order: where its canary is.
    pub(super) canaries: Vec<Side>,
    /// For each flooder over cells: where it is, and its cells.
    pub(super) wide: Vec<(Side, Vec<usize>)>,
    /// For each flooder over rows: where it is, and its cell.
    pub(super) deep: Vec<(Side, usize)>,
    /// For each of the busy: where they are, and their cell.
    pub(super) busy: Vec<(Side, usize)>,
}

struct Person {
    id: String,
    at: Option<Side>,
    /// Positions on [`CANARY_AXES`].
    cell: [usize; 4],
    armed: &'static str,
    carer: &'static str,
}

struct Start {
    id: String,
    person: String,
    at: Option<Side>,
    /// Positions on [`FLOOD_AXES`]; `None`: the one cell that no attack looks at.
    cell: Option<[usize; 3]>,
}

struct Activity {
    person: String,
    start: String,
    at: Side,
    /// Positions on [`HOURS_AXES`].
    cell: [usize; 2],
}

/// A stream of bytes from a seed: the same seed makes the same people.
pub(super) struct Coins {
    seed: u64,
    drawn: u64,
}

impl Coins {
    pub(super) const fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    fn next(&mut self) -> u8 {
        self.drawn += 1;
        let text = format!("cairn attack {} {}", self.seed, self.drawn);
        digest::digest(&digest::SHA256, text.as_bytes()).as_ref().first().copied().unwrap_or_default()
    }

    /// A fair coin.
    pub(super) fn even(&mut self) -> bool {
        self.next() < 128
    }

    fn side(&mut self) -> Side {
        if self.even() { Side::Left } else { Side::Right }
    }
}

/// The codes of a column, as a table has them.
pub(super) fn codes(column: &str) -> Vec<String> {
    let schema = Schema::smf();
    let dataset = match column {
        _ if FLOOD_AXES.contains(&column) => "engagements",
        _ if HOURS_AXES.contains(&column) => "activities",
        _ => "participants",
    };
    let named = Name::new("attack").ok();
    let question = named.and_then(|name| {
        let text = format!("people in {dataset} by {column}");
        cairn_question::form::parse(&text, &name, &name, schema).ok()
    });
    let grid = question.and_then(|q| q.grid(schema).ok());
    grid.iter().flat_map(Grid::dimensions).flat_map(|d| d.codes.iter().cloned()).collect()
}

/// The cell of a table with these axes, by the positions on them: the last axis varies fastest.
fn cell_of<const N: usize>(mut at: usize, sizes: [usize; N]) -> [usize; N] {
    let mut cell = [0; N];
    for (place, size) in cell.iter_mut().zip(sizes).rev() {
        *place = at % size.max(1);
        at /= size.max(1);
    }
    cell
}

fn sizes<const N: usize>(axes: [&str; N]) -> [usize; N] {
    axes.map(|axis| codes(axis).len())
}

impl Made {
    /// Makes them up from a seed.
    pub(super) fn new(seed: u64) -> Self {
        let mut made = Self {
            people: Vec::new(),
            starts: Vec::new(),
            activities: Vec::new(),
            canaries: Vec::new(),
            wide: Vec::new(),
            deep: Vec::new(),
            busy: Vec::new(),
        };
        let mut coins = Coins::new(seed);
        made.people(&mut coins);
        made.flood(&mut coins);
        made.hours(&mut coins);
        made
    }

    /// In each cell none, one or two people at both partners, and a canary at one of them.
    fn people(&mut self, coins: &mut Coins) {
        let sizes = sizes(CANARY_AXES);
        for at in 0..sizes.iter().product() {
            let cell = cell_of(at, sizes);
            for n in 0..coins.next() % 3 {
                self.person(format!("b{at:05}{n}"), None, cell);
            }
            let side = coins.side();
            self.person(format!("c{at:05}"), Some(side), cell);
            self.canaries.push(side);
        }
        self.small_groups();
    }

    fn person(&mut self, id: String, at: Option<Side>, cell: [usize; 4]) {
        self.start(&id, at, None);
        self.people.push(Person { id, at, cell, armed: "", carer: "no" });
    }

    /// Among the people at both partners: groups of 0 to 15 by council, and the few whom the tracker is after.
    fn small_groups(&mut self) {
        let mut wanted: BTreeMap<(usize, &'static str), usize> = BTreeMap::new();
        for council in 0..codes("council_code").len() {
            for (kind, armed) in ARMED.into_iter().enumerate() {
                wanted.insert((council, armed), (council * ARMED.len() + kind) % 16);
            }
        }
        let mut tracked = TRACKED;
        for person in self.people.iter_mut().filter(|p| p.at.is_none()) {
            let council = person.cell.first().copied().unwrap_or_default();
            let open = ARMED.into_iter().find(|armed| wanted.get(&(council, *armed)).is_some_and(|n| *n > 0));
            if let Some(armed) = open {
                person.armed = armed;
                wanted.entry((council, armed)).and_modify(|n| *n -= 1);
            } else if tracked > 0 && council == 0 {
                person.carer = "yes";
                tracked -= 1;
            }
        }
    }

    /// A row of `engagements`, and its key.
    fn start(&mut self, person: &str, at: Option<Side>, cell: Option<[usize; 3]>) -> String {
        let id = format!("s{}", self.starts.len());
        self.starts.push(Start { id: id.clone(), person: person.to_owned(), at, cell });
        id
    }

    fn flood(&mut self, coins: &mut Coins) {
        let sizes = sizes(FLOOD_AXES);
        let mut free = 0..sizes.iter().product::<usize>();
        for n in 0..FLOODERS {
            let (side, cells): (Side, Vec<usize>) = (coins.side(), free.by_ref().take(FLOOD_CELLS).collect());
            let id = format!("w{n:04}");
            self.outside(&id, side);
            for at in &cells {
                self.start(&id, Some(side), Some(cell_of(*at, sizes)));
            }
            self.wide.push((side, cells));
        }
        for (n, at) in (0..FLOODERS).zip(free) {
            let (id, side) = (format!("d{n:04}"), coins.side());
            self.outside(&id, side);
            for _ in 0..FLOOD_ROWS {
                self.start(&id, Some(side), Some(cell_of(at, sizes)));
            }
            self.deep.push((side, at));
        }
    }

    fn hours(&mut self, coins: &mut Coins) {
        let sizes = sizes(HOURS_AXES);
        for (n, cell) in (0..BUSY).zip(0..sizes.iter().product::<usize>()) {
            let (id, side) = (format!("h{n:04}"), coins.side());
            self.outside(&id, side);
            let start = self.start(&id, Some(side), None);
            let row = || Activity {
                person: id.clone(),
                start: start.clone(),
                at: side,
                cell: cell_of(cell, sizes),
            };
            self.activities.extend(std::iter::repeat_with(row).take(BUSY_ROWS));
            self.busy.push((side, cell));
        }
    }

    /// A flooder, who is in the canary table too.
    fn outside(&mut self, id: &str, side: Side) {
        let cell = [0; 4];
        self.people.push(Person { id: id.to_owned(), at: Some(side), cell, armed: "", carer: "no" });
    }

    /// How many people of a side are in each cell of the canary table.
    pub(super) fn people_by_cell(&self, side: Side) -> Vec<i64> {
        let sizes = sizes(CANARY_AXES);
        let mut counts = vec![0; sizes.iter().product()];
        for person in self.at(side) {
            let at = person.cell.iter().zip(sizes).fold(0, |at, (place, size)| at * size + place);
            if let Some(count) = counts.get_mut(at) {
                *count += 1;
            }
        }
        counts
    }

    /// How many people of a side are in each council and each part of `armed_forces`, in the grid's order.
    pub(super) fn armed_by_council(&self, side: Side) -> Vec<i64> {
        let (councils, parts) = (codes("council_code").len(), codes("armed_forces"));
        let mut counts = vec![0; councils * parts.len()];
        for person in self.at(side) {
            let armed = if person.armed.is_empty() { "unknown" } else { person.armed };
            let part = parts.iter().position(|p| p == armed).unwrap_or_default();
            let council = person.cell.first().copied().unwrap_or_default();
            if let Some(count) = counts.get_mut(council * parts.len() + part) {
                *count += 1;
            }
        }
        counts
    }

    /// The quarter-hours of a side in each cell of the table of hours, each activity within the policy's bound.
    pub(super) fn hours_by_cell(&self, side: Side) -> Vec<i64> {
        let sizes = sizes(HOURS_AXES);
        let mut sums = vec![0; sizes.iter().product()];
        for activity in self.activities.iter().filter(|a| a.at == side) {
            let at = activity.cell.iter().zip(sizes).fold(0, |at, (place, size)| at * size + place);
            if let Some(sum) = sums.get_mut(at) {
                *sum += HOURS_MOST;
            }
        }
        sums
    }

    fn at(&self, side: Side) -> impl Iterator<Item = &Person> {
        self.people.iter().filter(move |p| p.at.is_none_or(|at| at == side))
    }

    /// A side's export: `people.csv`, `starts.csv` and `activities.csv`.
    pub(super) fn export(&self, side: Side) -> [(&'static str, String); 3] {
        let axes = CANARY_AXES.map(codes);
        let mut people = "id,council,born,gender,parental,armed,carer\n".to_owned();
        for p in self.at(side) {
            let [council, age, gender, parental] = p.cell;
            let code = |axis: usize, at: usize| {
                let code = axes.get(axis).and_then(|codes| codes.get(at)).map_or("", String::as_str);
                if code == "unknown" { "" } else { code }
            };
            let born = BORN.get(age).copied().unwrap_or_default();
            let _ = writeln!(
                people,
                "{},{},{born},{},{},{},{}",
                p.id,
                code(0, council),
                code(2, gender),
                code(3, parental),
                p.armed,
                p.carer
            );
        }
        [("people.csv", people), ("starts.csv", self.starts(side)), ("activities.csv", self.activities(side))]
    }

    fn starts(&self, side: Side) -> String {
        let axes = FLOOD_AXES.map(codes);
        let mut starts = "id,person,lep,referral,reason,start\n".to_owned();
        let rows = self.starts.iter().filter(|s| s.at.is_none_or(|at| at == side));
        for start in rows {
            let [lep, referral, reason] = match start.cell {
                None => ["S12000050", "unknown", "unknown"].map(str::to_owned),
                Some(cell) => {
                    let mut codes = axes.iter().zip(cell).map(|(codes, at)| codes.get(at).cloned());
                    std::array::from_fn(|_| codes.next().flatten().unwrap_or_default())
                }
            };
            let _ = writeln!(starts, "{},{},{lep},{referral},{reason},2025-05-06", start.id, start.person);
        }
        starts
    }

    fn activities(&self, side: Side) -> String {
        let axes = HOURS_AXES.map(codes);
        let mut activities = "id,start,person,type,mode,hours\n".to_owned();
        for (n, activity) in self.activities.iter().filter(|a| a.at == side).enumerate() {
            let mut codes = axes.iter().zip(activity.cell).map(|(codes, at)| codes.get(at).cloned());
            let [kind, mode]: [String; 2] =
                std::array::from_fn(|_| codes.next().flatten().unwrap_or_default());
            let (start, person) = (&activity.start, &activity.person);
            let _ = writeln!(activities, "a{n},{start},{person},{kind},{mode},{BUSY_HOURS}");
        }
        activities
    }
}

/// The parts of `armed_forces` whose counts are made to stand at every height about the threshold.
const ARMED: [&str; 3] = ["veteran", "spouse_or_partner", "none"];

/// A month of birth in each age band at a start in May 2025, and none for `unknown`.
const BORN: [&str; 7] =
    ["2007-03-01", "2003-03-01", "1995-03-01", "1985-03-01", "1970-03-01", "1955-03-01", ""];

/// Reads the exports.
pub(super) fn mapping(partner: &str) -> String {
    mapping_of(partner, TABLES)
}

/// A mapping of made-up exports, with these tables.
pub(super) fn mapping_of(partner: &str, tables: &str) -> String {
    HEAD.replace("PARTNER", partner) + tables
}

const HEAD: &str = r#"cairn_mapping = 1
partner = "PARTNER"
as_of = "2025-12-31"
template = "smf-2022"
objections = "held-elsewhere"
confirmed_by = "made-up records: nobody in them can object"

[source.people]
file = "people.csv"

[source.starts]
file = "starts.csv"

"#;

const TABLES: &str = r#"[source.activities]
file = "activities.csv"

[table.participants]
source = "people"

[table.participants.columns]
local_person_id = { from = "id" }
council_code = { from = "council" }
birth_month = { from = "born", date = "%Y-%m-%d" }
gender = { from = "gender" }
parental_status = { from = "parental" }
armed_forces = { from = "armed" }
unpaid_carer = { from = "carer" }
care_experienced = { value = "no" }

[table.engagements]
source = "starts"

[table.engagements.columns]
engagement_id = { from = "id" }
local_person_id = { from = "person" }
lep_code = { from = "lep" }
referral_source = { from = "referral" }
end_reason = { from = "reason" }
start_date = { from = "start", date = "%Y-%m-%d" }
charter_applies = { value = "yes" }
is_rejoin = { value = "no" }

[table.activities]
source = "activities"

[table.activities.columns]
activity_id = { from = "id" }
engagement_id = { from = "start" }
local_person_id = { from = "person" }
activity_type = { from = "type" }
mode = { from = "mode" }
quarter_hours = { from = "hours" }
start_date = { value = "2025-05-06" }
"#;
