//! The exact counts that the exports hold, written beside them as `truth.json`.

use std::collections::{BTreeMap, BTreeSet};

use cairn_question::Day;
use cairn_question::day::PeriodGrain;
use cairn_question::schema::UNKNOWN;
use serde::Serialize;

use crate::export::{band, status_written};
use crate::holding::{HeldOutcome, HeldStart, Holding, Record};
use crate::partner::Partner;
use crate::person::Person;
use crate::shape::{Field, Shape};
use crate::spec::Spec;

/// Everything, partner by partner and over all of them. People who object to statistics at a partner are in `objections`
/// there and in no other count of that partner, as a node leaves them out.
#[derive(Clone, Debug, Serialize)]
pub struct Truth {
    /// The seed.
    pub seed: u64,
    /// The day of the exports.
    pub as_of: Day,
    /// Every person once, however many partners count them.
    pub all: AllTruth,
    /// Each partner's own counts, by its name.
    pub partners: BTreeMap<String, PartnerTruth>,
    /// People counted at both of two partners: `angus|fife`.
    pub overlap: BTreeMap<String, u64>,
    #[serde(skip)]
    counted: BTreeMap<String, BTreeSet<u32>>,
    #[serde(skip)]
    in_work: BTreeSet<u32>,
    #[serde(skip)]
    numbers: BTreeSet<String>,
}

/// Every person once, with what is true of them, whoever wrote what.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AllTruth {
    /// People made up, counted or not.
    pub people_made_up: u64,
    /// People counted by at least one partner.
    pub people: u64,
    /// Different linkage keys that at least one partner has: whom counting people once by National Insurance number finds.
    pub people_with_number: u64,
    /// What the partners' counts of people add up to.
    pub people_added_up: u64,
    /// People counted by so many partners.
    pub people_at_partners: BTreeMap<String, u64>,
    /// People by council of residence.
    pub by_council: BTreeMap<String, u64>,
    /// People by sex.
    pub by_sex: BTreeMap<String, u64>,
    /// People by disability (the Equality Act proxy).
    pub by_disabled: BTreeMap<String, u64>,
    /// People for whom at least one partner has entering work.
    pub people_into_work: u64,
}

/// What one partner's node should count.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PartnerTruth {
    /// The template vintage.
    pub template: String,
    /// People left out because they object; 0 where objections are kept elsewhere.
    pub objections: u64,
    /// People.
    pub people: u64,
    /// Starts. People and returns together make them.
    pub starts: u64,
    /// Starts that are returns to this partner.
    pub returns: u64,
    /// Outcomes of any kind.
    pub outcomes: u64,
    /// People by council of residence as written.
    pub by_council: BTreeMap<String, u64>,
    /// People by gender as written; empty where it is not asked.
    pub by_gender: BTreeMap<String, u64>,
    /// People by council and then by gender, as written.
    pub by_council_and_gender: BTreeMap<String, BTreeMap<String, u64>>,
    /// People by sex as written; empty where it is not asked.
    pub by_sex: BTreeMap<String, u64>,
    /// People by age band at their first start here.
    pub by_age_band: BTreeMap<String, u64>,
    /// People by disability, derived from what is written.
    pub by_disabled: BTreeMap<String, u64>,
    /// Starts by quarter.
    pub starts_by_quarter: BTreeMap<String, u64>,
    /// People who start at least once in a financial year.
    pub people_starting_by_year: BTreeMap<String, u64>,
    /// Of the people who start in a financial year and whose 12 months are over.
    pub due_by_year: BTreeMap<String, u64>,
    /// The people who enter work within 12 months of such a start.
    pub into_work_within_12m_by_year: BTreeMap<String, u64>,
    /// People with entering work at any time.
    pub people_into_work: u64,
    /// By financial year in which work was entered: people, and people by follow-up status.
    pub follow_ups_by_year: BTreeMap<String, FollowUps>,
    /// Starts that ended, by reason.
    pub ended_by_reason: BTreeMap<String, u64>,
    /// Starts that ended, by financial year and reason.
    pub ended_by_year_and_reason: BTreeMap<String, BTreeMap<String, u64>>,
}

/// People who entered work in one financial year.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FollowUps {
    /// People who entered work.
    pub entered: u64,
    /// People by status, for `week4`, `week13`, `week26` and `week52`.
    pub by_status: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Truth {
    pub(crate) fn of(spec: &Spec, people: &[Person]) -> Self {
        let people_made_up = u64::try_from(people.len()).unwrap_or(u64::MAX);
        Self {
            seed: spec.seed,
            as_of: spec.as_of,
            all: AllTruth { people_made_up, ..AllTruth::default() },
            partners: BTreeMap::new(),
            overlap: BTreeMap::new(),
            counted: BTreeMap::new(),
            in_work: BTreeSet::new(),
            numbers: BTreeSet::new(),
        }
    }

    pub(crate) fn add(&mut self, partner: &Partner, holding: &Holding<'_>, spec: &Spec) {
        let mut own = PartnerTruth { template: partner.shape.template.to_owned(), ..PartnerTruth::default() };
        let asks_number = partner.shape.column(Field::Nino).is_some();
        for record in &holding.records {
            if record.objects {
                own.objections += 1;
                continue;
            }
            own.person(record, &partner.shape, spec);
            let number = record.person.number;
            self.counted.entry(partner.id.clone()).or_default().insert(number);
            self.numbers.extend(record.nino.value().filter(|_| asks_number).map(|nino| key(nino)));
            if work(record).next().is_some() {
                self.in_work.insert(number);
            }
        }
        self.partners.insert(partner.id.clone(), own);
    }

    pub(crate) fn finish(&mut self, people: &[Person]) {
        let mut known: BTreeMap<u32, u64> = BTreeMap::new();
        for number in self.counted.values().flatten() {
            *known.entry(*number).or_default() += 1;
        }
        for (number, partners) in &known {
            up(&mut self.all.people_at_partners, &partners.to_string());
            let Some(person) = usize::try_from(*number).ok().and_then(|at| people.get(at)) else { continue };
            up(&mut self.all.by_council, &person.council);
            up(&mut self.all.by_sex, person.sex);
            up(&mut self.all.by_disabled, person.disabled());
        }
        self.all.people = count(known.len());
        self.all.people_added_up = self.partners.values().map(|p| p.people).sum();
        self.all.people_with_number = count(self.numbers.len());
        self.all.people_into_work = count(self.in_work.len());
        for (at, (a, in_a)) in self.counted.iter().enumerate() {
            for (b, in_b) in self.counted.iter().skip(at + 1) {
                self.overlap.insert(format!("{a}|{b}"), count(in_a.intersection(in_b).count()));
            }
        }
    }

    /// The file's text.
    pub(crate) fn to_json(&self) -> String {
        // Maps with text keys and whole numbers: it cannot fail.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

impl PartnerTruth {
    fn person(&mut self, record: &Record<'_>, shape: &Shape, spec: &Spec) {
        self.people += 1;
        let council = record.council.value().map_or(UNKNOWN, String::as_str);
        up(&mut self.by_council, council);
        let gender = shape.column(Field::Gender).map_or(UNKNOWN, |c| c.read_again(record.gender.code()));
        up(self.by_council_and_gender.entry(council.to_owned()).or_default(), gender);
        up(&mut self.by_disabled, record.disabled(shape));
        for (field, written, counts) in [
            (Field::Gender, &record.gender, &mut self.by_gender),
            (Field::Sex, &record.sex, &mut self.by_sex),
        ] {
            if let Some(column) = shape.column(field) {
                up(counts, column.read_again(written.code()));
            }
        }
        let bands_written = shape.column(Field::AgeBand).is_some();
        let birth = if bands_written { Some(record.person.birth) } else { record.birth.value().copied() };
        up(&mut self.by_age_band, band(record, birth));
        for (start, number) in record.starts.iter().zip(1..) {
            self.start(start, number, shape);
        }
        self.cohorts(record, spec);
        self.follow_ups(record, shape, spec);
    }

    fn start(&mut self, start: &HeldStart, number: u32, shape: &Shape) {
        self.starts += 1;
        self.returns += u64::from(number > 1);
        up(&mut self.starts_by_quarter, &start.day.period(PeriodGrain::Quarter).to_string());
        self.outcomes += u64::from(start.outcome.is_some());
        let Some((end, reason)) = &start.end else { return };
        let reason = shape.column(Field::EndReason).map_or(UNKNOWN, |c| c.read_again(reason.code()));
        up(&mut self.ended_by_reason, reason);
        up(self.ended_by_year_and_reason.entry(year(*end)).or_default(), reason);
    }

    /// Each person once in every year in which one of their starts puts them.
    fn cohorts(&mut self, record: &Record<'_>, spec: &Spec) {
        let due = |s: &&HeldStart| s.day.plus_months(12) <= spec.as_of;
        let into_work = |s: &&HeldStart| {
            s.outcome.as_ref().is_some_and(|o| o.is_into_work() && o.day <= s.day.plus_months(12))
        };
        let years =
            |starts: Vec<&HeldStart>| starts.into_iter().map(|s| year(s.day)).collect::<BTreeSet<_>>();
        let starts = || record.starts.iter();
        for year in years(starts().collect()) {
            up(&mut self.people_starting_by_year, &year);
        }
        for year in years(starts().filter(due).collect()) {
            up(&mut self.due_by_year, &year);
        }
        for year in years(starts().filter(due).filter(into_work).collect()) {
            up(&mut self.into_work_within_12m_by_year, &year);
        }
    }

    fn follow_ups(&mut self, record: &Record<'_>, shape: &Shape, spec: &Spec) {
        self.people_into_work += u64::from(work(record).next().is_some());
        let mut seen = BTreeSet::new();
        for outcome in work(record) {
            let year = year(outcome.day);
            let here = self.follow_ups_by_year.entry(year.clone()).or_default();
            if seen.insert((year.clone(), "entered", "")) {
                here.entered += 1;
            }
            for (at, week) in ["week4", "week13", "week26", "week52"].into_iter().enumerate() {
                let status = status(outcome, at, shape, spec);
                if seen.insert((year.clone(), week, status)) {
                    up(here.by_status.entry(week.to_owned()).or_default(), status);
                }
            }
        }
    }
}

fn work<'a>(record: &'a Record<'_>) -> impl Iterator<Item = &'a HeldOutcome> {
    record.starts.iter().filter_map(|s| s.outcome.as_ref()).filter(|o| o.is_into_work())
}

/// The status that a node counts: not due by the calendar, whatever is written; unknown where the vintage has no such column.
fn status(outcome: &HeldOutcome, week: usize, shape: &Shape, spec: &Spec) -> &'static str {
    match (status_written(outcome, week, spec.as_of), shape.column(Field::Week(week))) {
        ("not_due", _) => "not_due",
        (written, Some(column)) => column.read_again(written),
        (_, None) => UNKNOWN,
    }
}

/// The linkage key of a number: all of it but the letter at its end.
fn key(nino: &str) -> String {
    nino.strip_suffix(|c: char| c.is_ascii_alphabetic()).unwrap_or(nino).to_owned()
}

fn year(day: Day) -> String {
    day.period(PeriodGrain::Year).to_string()
}

fn up(counts: &mut BTreeMap<String, u64>, key: &str) {
    *counts.entry(key.to_owned()).or_default() += 1;
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
