//! What one partner has written down: its own starts, its own blanks and slips, some outcomes never heard of.

use cairn_question::Day;
use cairn_question::schema::UNKNOWN;

use crate::calibration::Calibration;
use crate::draw::Draw;
use crate::partner::{Kind, Partner};
use crate::person::Person;
use crate::shape::Shape;
use crate::spec::Spec;

/// One partner's records as its export has them.
pub(crate) struct Holding<'a> {
    pub(crate) records: Vec<Record<'a>>,
}

/// One person at one partner.
pub(crate) struct Record<'a> {
    pub(crate) person: &'a Person,
    pub(crate) local_id: String,
    pub(crate) objects: bool,
    pub(crate) nino: Written<String>,
    pub(crate) birth: Written<Day>,
    pub(crate) gender: Written<&'static str>,
    pub(crate) sex: Written<&'static str>,
    /// Condition and what it limits are asked together, and left blank together.
    pub(crate) condition: Written<&'static str>,
    pub(crate) limits: Written<&'static str>,
    pub(crate) parental: Written<&'static str>,
    pub(crate) ethnic: Written<&'static str>,
    pub(crate) economic: Written<&'static str>,
    pub(crate) council: Written<String>,
    /// At least one.
    pub(crate) starts: Vec<HeldStart>,
}

/// One start at one partner.
pub(crate) struct HeldStart {
    pub(crate) day: Day,
    /// Ended on or before the exports' day.
    pub(crate) end: Option<(Day, Written<&'static str>)>,
    pub(crate) referral: Written<&'static str>,
    pub(crate) outcome: Option<HeldOutcome>,
}

/// One outcome at one partner.
pub(crate) struct HeldOutcome {
    pub(crate) kind: &'static str,
    pub(crate) day: Day,
    /// As the partner would write them; [`HeldOutcome::status`] says what counts.
    pub(crate) weeks: [&'static str; 4],
    pub(crate) hours: Written<&'static str>,
    pub(crate) contract: Written<&'static str>,
}

/// A cell as somebody filled it in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Written<T> {
    /// Filled in.
    As(T),
    /// Left blank.
    Blank,
    /// Something that is no value of the column.
    Slip,
}

impl<'a> Holding<'a> {
    /// What `partner` holds of everybody it knows, on the spec's day.
    pub(crate) fn of(partner: &'a Partner, people: &'a [Person], figures: &Calibration, spec: &Spec) -> Self {
        let mut records: Vec<(u32, Record<'a>)> = people
            .iter()
            .filter(|p| p.known_to.contains(&partner.place))
            .filter_map(|person| {
                let mut draw = Draw::new(spec.seed, &partner.id, person.number.into());
                let shuffle = draw.below(u32::MAX);
                Some((shuffle, record(&mut draw, partner, person, figures, spec)?))
            })
            .collect();
        records.sort_by_key(|(shuffle, record)| (*shuffle, record.person.number));
        let mut records: Vec<Record<'a>> = records.into_iter().map(|(_, record)| record).collect();
        for (record, n) in records.iter_mut().zip(1_u32..) {
            record.local_id = format!("{}{n:05}", prefix(&partner.id));
        }
        if partner.shape.objection_column().is_none() {
            // Objections are kept elsewhere, and the people are taken out before the export is made.
            records.retain(|r| !r.objects);
        }
        Self { records }
    }
}

/// Three letters of the partner's name: `DUN00016`.
fn prefix(partner: &str) -> String {
    let of =
        partner.strip_prefix("charity-").or_else(|| partner.strip_prefix("health-board-")).unwrap_or(partner);
    of.chars().filter(char::is_ascii_alphabetic).take(3).collect::<String>().to_uppercase()
}

/// `None` where every start was written down after the spec's day.
fn record<'a>(
    draw: &mut Draw,
    partner: &Partner,
    person: &'a Person,
    figures: &Calibration,
    spec: &Spec,
) -> Option<Record<'a>> {
    let blank = partner.blank_per_1000;
    let asked_health = draw.below(1_000);
    let (condition, limits) = match asked_health {
        at if at < blank => (Written::Blank, Written::Blank),
        _ => (Written::As(person.condition), Written::As(person.limits)),
    };
    let record = Record {
        person,
        local_id: String::new(),
        objects: draw.chance(partner.objections_per_1000),
        nino: if draw.chance(NINO_BLANK_PER_1000) {
            Written::Blank
        } else {
            Written::As(person.nino.clone())
        },
        birth: written(draw, person.birth, 5, BIRTH_SLIP_PER_1000),
        gender: written(draw, person.gender, blank, SLIP_PER_1000),
        sex: written(draw, person.sex, blank, SLIP_PER_1000),
        condition,
        limits,
        parental: written(draw, person.parental, blank, SLIP_PER_1000),
        ethnic: written(draw, person.ethnic, blank, SLIP_PER_1000),
        economic: written(draw, person.economic, blank, SLIP_PER_1000),
        council: written(draw, person.council.clone(), 8, 2),
        starts: starts(draw, partner, person, figures, spec),
    };
    (!record.starts.is_empty()).then_some(record)
}

fn written<T>(draw: &mut Draw, value: T, blank_per_1000: u32, slip_per_1000: u32) -> Written<T> {
    match draw.below(1_000) {
        at if at < blank_per_1000 => Written::Blank,
        at if at < blank_per_1000 + slip_per_1000 => Written::Slip,
        _ => Written::As(value),
    }
}

fn starts(
    draw: &mut Draw,
    partner: &Partner,
    person: &Person,
    figures: &Calibration,
    spec: &Spec,
) -> Vec<HeldStart> {
    // The council begins on the day itself, others some time before or after.
    let shift = if partner.kind == Kind::Council { 0 } else { draw.between(-60, 200) };
    let (first, last) = span(figures);
    let mut held: Vec<HeldStart> = Vec::new();
    for start in &person.starts {
        let earliest =
            held.last().and_then(|h| h.end.as_ref()).map_or(first, |(end, _)| end.plus_days(1).max(first));
        let day = start.day.plus_days(shift).max(earliest);
        let (late, unseen) = (lateness(draw), draw.chance(partner.unseen_per_1000));
        let (outcome_late, returns_here) = (lateness(draw), draw.chance(700));
        let reason = written(draw, start.end.1, partner.blank_per_1000, SLIP_PER_1000);
        let referral = written(draw, person.referral, partner.blank_per_1000, SLIP_PER_1000);
        let hours = start.outcome.map_or(UNKNOWN, |o| o.hours);
        let contract = start.outcome.map_or(UNKNOWN, |o| o.contract);
        let hours = written(draw, hours, partner.blank_per_1000, SLIP_PER_1000);
        let contract = written(draw, contract, partner.blank_per_1000, SLIP_PER_1000);
        // Somebody may come back to one partner and not to another; nobody starts after the published quarters.
        if day > last || (!held.is_empty() && !returns_here) {
            break;
        }
        if day.plus_days(late) > spec.as_of {
            break;
        }
        let seen =
            start.outcome.filter(|o| !unseen && o.day >= day && o.day.plus_days(outcome_late) <= spec.as_of);
        let outcome = seen.map(|o| HeldOutcome { kind: o.kind, day: o.day, weeks: o.weeks, hours, contract });
        let end = start.end.0.max(day.plus_days(7)).max(outcome.as_ref().map_or(day, |o| o.day));
        let ended = end <= spec.as_of;
        held.push(HeldStart { day, end: ended.then_some((end, reason)), referral, outcome });
        if !ended {
            break;
        }
    }
    held
}

/// First and last day of the published quarters.
fn span(figures: &Calibration) -> (Day, Day) {
    let quarters = figures.starts.weights.len();
    let last = std::iter::successors(Some(figures.starts.first), |p| Some(p.next())).take(quarters).last();
    (figures.starts.first.first_day(), last.unwrap_or(figures.starts.first).last_day())
}

/// Days until a row is written down: up to three weeks, and a quarter more for one row in ten.
fn lateness(draw: &mut Draw) -> i32 {
    let days = draw.between(0, 20);
    if draw.chance(LATE_PER_1000) { days + 91 } else { days }
}

impl HeldOutcome {
    /// Whether the outcome is entering work (the data dictionary's group `into_work`).
    pub(crate) fn is_into_work(&self) -> bool {
        matches!(self.kind, "job_start" | "self_employment" | "modern_apprenticeship")
    }
}

impl<T> Written<T> {
    /// What was filled in.
    pub(crate) const fn value(&self) -> Option<&T> {
        match self {
            Self::As(value) => Some(value),
            Self::Blank | Self::Slip => None,
        }
    }
}

impl Written<&'static str> {
    /// The code that counts: what cannot be read, and what was left blank, is unknown.
    pub(crate) fn code(&self) -> &'static str {
        self.value().copied().unwrap_or(UNKNOWN)
    }
}

impl Record<'_> {
    /// What counts, given what the partner's export has a column for.
    pub(crate) fn disabled(&self, shape: &Shape) -> &'static str {
        let limits = if shape.has_limits() { self.limits.code() } else { UNKNOWN };
        crate::person::disabled(self.condition.code(), limits)
    }
}

/// National Insurance numbers left blank, in 1,000 (as planted in comparable test data).
const NINO_BLANK_PER_1000: u32 = 80;
/// Dates of birth that are no date, in 1,000.
const BIRTH_SLIP_PER_1000: u32 = 10;
/// Other optional cells that are no value of their column, in 1,000.
const SLIP_PER_1000: u32 = 4;
/// Rows written down a quarter late, in 1,000.
const LATE_PER_1000: u32 = 100;
