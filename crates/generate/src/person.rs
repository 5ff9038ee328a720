//! The made-up people: who they are and what happens to them, before any partner writes it down.

use cairn_question::schema::UNKNOWN;
use cairn_question::{Day, Period};

use crate::calibration::Calibration;
use crate::draw::Draw;
use crate::error::GenerateError;
use crate::partner::{Kind, Partner};
use crate::spec::Spec;

/// One person.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) number: u32,
    /// Code of the council of residence.
    pub(crate) council: String,
    pub(crate) birth: Day,
    pub(crate) sex: &'static str,
    pub(crate) gender: &'static str,
    pub(crate) condition: &'static str,
    pub(crate) limits: &'static str,
    pub(crate) parental: &'static str,
    pub(crate) ethnic: &'static str,
    pub(crate) economic: &'static str,
    pub(crate) referral: &'static str,
    /// A National Insurance number with the prefix ZZ, which is never issued.
    pub(crate) nino: String,
    /// The first start and any returns, in order; 1 to 3.
    pub(crate) starts: Vec<Start>,
    /// The partners that know the person, by their place among the chosen ones.
    pub(crate) known_to: Vec<usize>,
}

/// One period of support.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub(crate) day: Day,
    /// When and why it ends.
    pub(crate) end: (Day, &'static str),
    pub(crate) outcome: Option<Outcome>,
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    pub(crate) kind: &'static str,
    pub(crate) day: Day,
    /// What is known at 4, 13, 26 and 52 weeks, once that week has come. For entering work only.
    pub(crate) weeks: [&'static str; 4],
    pub(crate) hours: &'static str,
    pub(crate) contract: &'static str,
}

/// Makes up everybody. People live in the areas of the chosen councils, by published totals; without a council among the
/// partners, in the areas that any of them serves.
pub(crate) fn people(
    spec: &Spec,
    figures: &Calibration,
    partners: &[Partner],
) -> Result<Vec<Person>, GenerateError> {
    let areas = areas(partners);
    let mut people = Vec::new();
    for (council, count) in shares(spec.people, figures, &areas) {
        for _ in 0..count {
            let number = u32::try_from(people.len()).unwrap_or(u32::MAX);
            people.push(person(spec.seed, number, &council, figures, &areas, partners));
        }
    }
    if people.is_empty() {
        return Err(GenerateError::OutOfRange("the partners chosen serve no area with published totals"));
    }
    Ok(people)
}

fn areas(partners: &[Partner]) -> Vec<String> {
    let of = |wanted: fn(&Partner) -> bool| {
        let mut areas: Vec<String> =
            partners.iter().filter(|p| wanted(p)).flat_map(|p| p.areas.iter().cloned()).collect();
        areas.sort();
        areas.dedup();
        areas
    };
    let councils = of(|p| p.kind == Kind::Council);
    if councils.is_empty() { of(|_| true) } else { councils }
}

/// How many of `people` live in each area: by published totals, the largest remainders rounded up.
fn shares(people: u32, figures: &Calibration, areas: &[String]) -> Vec<(String, u32)> {
    let chosen: Vec<_> = figures.council.iter().filter(|c| areas.contains(&c.code)).collect();
    let total: u64 = chosen.iter().map(|c| u64::from(c.people)).sum();
    let part = |n: u32| u64::from(n) * u64::from(people);
    let mut shares: Vec<(String, u32, u64)> = chosen
        .iter()
        .map(|c| {
            let whole = part(c.people).checked_div(total).unwrap_or(0);
            let rest = part(c.people).checked_rem(total).unwrap_or(0);
            (c.code.clone(), u32::try_from(whole).unwrap_or(0), rest)
        })
        .collect();
    let given: u32 = shares.iter().map(|s| s.1).sum();
    let mut by_rest: Vec<usize> = (0..shares.len()).collect();
    by_rest.sort_by_key(|at| std::cmp::Reverse(shares.get(*at).map(|s| s.2)));
    let short = usize::try_from(people.saturating_sub(given)).unwrap_or(0);
    for at in by_rest.into_iter().take(short) {
        if let Some(share) = shares.get_mut(at) {
            share.1 += 1;
        }
    }
    shares.into_iter().map(|(code, count, _)| (code, count)).collect()
}

fn person(
    seed: u64,
    number: u32,
    council: &str,
    figures: &Calibration,
    areas: &[String],
    partners: &[Partner],
) -> Person {
    let mut draw = Draw::new(seed, "person", number.into());
    let first = first_day(&mut draw, figures);
    let (condition, limits) = health(&mut draw, figures);
    let sex = draw.code(&[("female", 490), ("male", 510)]);
    let mut person = Person {
        number,
        council: council.to_owned(),
        birth: birth(&mut draw, first),
        sex,
        gender: gender(&mut draw, sex),
        condition,
        limits,
        parental: draw.code(PARENTAL),
        ethnic: draw.code(ETHNIC),
        economic: draw.code(ECONOMIC),
        referral: draw.code(REFERRAL),
        nino: nino(&mut draw),
        starts: Vec::new(),
        known_to: Vec::new(),
    };
    person.starts = starts(&mut draw, &person, first, figures, areas);
    person.known_to = known_to(seed, &person, partners);
    person
}

impl Person {
    /// Age in whole years at the first start anywhere.
    pub(crate) fn age_at_first_start(&self) -> u32 {
        self.starts.first().and_then(|s| self.birth.years_until(s.day)).unwrap_or(0)
    }

    /// The Equality Act proxy, as a node would derive it from the truth.
    pub(crate) fn disabled(&self) -> &'static str {
        disabled(self.condition, self.limits)
    }
}

/// The Equality Act proxy of the data dictionary: a condition that limits a lot or a little.
pub(crate) fn disabled(condition: &str, limits: &str) -> &'static str {
    match (condition, limits) {
        ("yes", "a_lot" | "a_little") => "yes",
        ("yes", "not_at_all") | ("no", _) => "no",
        _ => UNKNOWN,
    }
}

/// A day in one of the 25 quarters, by their weights.
fn first_day(draw: &mut Draw, figures: &Calibration) -> Day {
    let quarters = figures.starts.first;
    let mut period = quarters;
    let weighted: Vec<(Period, u32)> = figures
        .starts
        .weights
        .iter()
        .map(|w| {
            let this = period;
            period = period.next();
            (this, *w)
        })
        .collect();
    let chosen = draw.pick(&weighted).copied().unwrap_or(quarters);
    day_in(draw, chosen.first_day(), chosen.last_day())
}

fn day_in(draw: &mut Draw, first: Day, last: Day) -> Day {
    let days = last.epoch_days().saturating_sub(first.epoch_days()).max(0);
    first.plus_days(draw.between(0, days))
}

fn birth(draw: &mut Draw, first: Day) -> Day {
    let bands: [((i32, i32), u32); 6] =
        [((16, 19), 190), ((20, 24), 170), ((25, 34), 240), ((35, 49), 240), ((50, 64), 150), ((65, 70), 10)];
    let (least, most) = draw.pick(&bands).copied().unwrap_or((25, 34));
    // A month past the birthday, so that the age by the first of the birth month is in the band too.
    first.plus_days(-draw.between(least * 365 + least / 4 + 40, (most + 1) * 365))
}

fn health(draw: &mut Draw, figures: &Calibration) -> (&'static str, &'static str) {
    let known = &figures.disability;
    let at = draw.below(1_000);
    let yes_below = known.yes_per_1000;
    if at < yes_below {
        return ("yes", draw.code(&[("a_lot", 450), ("a_little", 550)]));
    }
    if at < yes_below + known.no_per_1000 {
        return if draw.chance(120) { ("yes", "not_at_all") } else { ("no", "not_applicable") };
    }
    (draw.code(&[("yes", 150), ("prefer_not_to_say", 350), (UNKNOWN, 500)]), UNKNOWN)
}

fn gender(draw: &mut Draw, sex: &'static str) -> &'static str {
    let usual = if sex == "female" { "woman" } else { "man" };
    draw.code(&[(usual, 975), ("other", 5), ("prefer_not_to_say", 10), (UNKNOWN, 10)])
}

fn nino(draw: &mut Draw) -> String {
    let letter = draw.code(&[("A", 1), ("B", 1), ("C", 1), ("D", 1)]);
    format!("ZZ{:06}{letter}", draw.below(1_000_000))
}

fn starts(
    draw: &mut Draw,
    person: &Person,
    first: Day,
    figures: &Calibration,
    areas: &[String],
) -> Vec<Start> {
    let returns = match draw.below(1_000) {
        at if at < figures.starts.return_twice_per_1000 => 2,
        at if at < figures.starts.return_twice_per_1000 + figures.starts.return_once_per_1000 => 1,
        _ => 0,
    };
    let mut starts = vec![start(draw, person, first, figures, areas)];
    for _ in 0..returns {
        let after = starts.last().map_or(first, |s| s.end.0);
        let again = after.plus_days(draw.between(30, 500));
        starts.push(start(draw, person, again, figures, areas));
    }
    starts
}

fn start(draw: &mut Draw, person: &Person, day: Day, figures: &Calibration, areas: &[String]) -> Start {
    let outcome = outcome(draw, person, day, figures, areas);
    let end = match outcome {
        Some(o) if draw.chance(850) => (o.day.plus_days(draw.between(0, 90)), "outcome_achieved"),
        Some(o) => (o.day.plus_days(draw.between(30, 300)), "completed"),
        None => (day.plus_days(draw.between(14, 540)), draw.code(END_REASON)),
    };
    Start { day, end, outcome }
}

fn outcome(
    draw: &mut Draw,
    person: &Person,
    start: Day,
    figures: &Calibration,
    areas: &[String],
) -> Option<Outcome> {
    let known = &figures.disability;
    let usual = match person.disabled() {
        "yes" => known.yes_enter_work_per_1000,
        "no" => known.no_enter_work_per_1000,
        _ => known.unknown_enter_work_per_1000,
    };
    let here = usual * figures.work_percent(&person.council, areas) / 100;
    // Published figures count each person once, over all their starts, and only work already entered: both about 5 %.
    if draw.chance(here.min(950)) {
        let (least, most) = draw.pick(WEEKS_TO_WORK).copied().unwrap_or((14, 26));
        let kind = draw.code(&[("job_start", 890), ("self_employment", 50), ("modern_apprenticeship", 60)]);
        let weeks = follow_ups(draw, person, figures, areas);
        return Some(Outcome {
            kind,
            day: start.plus_days(draw.between(least * 7, most * 7 + 6)),
            weeks,
            hours: draw.code(&[("lt16", 200), ("16_30", 350), ("31_plus", 400), (UNKNOWN, 50)]),
            contract: draw.code(CONTRACT),
        });
    }
    let other = draw.code(OTHER_OUTCOMES);
    (other != "none").then(|| Outcome {
        kind: other,
        day: start.plus_days(draw.between(14, 400)),
        weeks: [UNKNOWN; 4],
        hours: UNKNOWN,
        contract: UNKNOWN,
    })
}

/// What is known at each week. One draw for a person: whoever is in work at 52 weeks was so at 26. A council that is known to
/// follow up well at 52 weeks does so, less markedly, at the weeks before.
fn follow_ups(
    draw: &mut Draw,
    person: &Person,
    figures: &Calibration,
    areas: &[String],
) -> [&'static str; 4] {
    let percent = figures.follow_percent(&person.council, areas);
    let stays = draw.below(1_000);
    let mut weeks = [UNKNOWN; 4];
    for ((week, rate), quarter) in weeks.iter_mut().zip(figures.follow_up.in_work_per_1000_due).zip(1_u32..) {
        // At 4 weeks a quarter of the council's difference, at 52 weeks the whole.
        let here = rate * (100 * (4 - quarter) + percent * quarter) / 400;
        *week = if stays < here.min(970) {
            "in_employment"
        } else if draw.chance(figures.follow_up.rest_not_known_per_1000) {
            draw.code(&[(UNKNOWN, 500), ("blank", 500)])
        } else {
            draw.code(&[("not_in_employment", 500), ("no_engagement", 500)])
        };
    }
    weeks
}

/// Who knows the person; at least one partner, where any serves the area.
fn known_to(seed: u64, person: &Person, partners: &[Partner]) -> Vec<usize> {
    let mut draw = Draw::new(seed, "known to", person.number.into());
    let mut known = Vec::new();
    let mut choices = Vec::new();
    for (at, partner) in partners.iter().enumerate() {
        let likely = partner.knows_per_1000(person);
        if draw.chance(likely) {
            known.push(at);
        }
        choices.push((at, likely));
    }
    if known.is_empty() {
        known.extend(draw.pick(&choices).copied());
    }
    known
}

// The mixes below are our own estimates: no joint distribution is published. They decide no calibrated total.
const PARENTAL: &[(&str, u32)] =
    &[("lone_parent", 140), ("parent_in_couple", 140), ("expecting", 10), ("not_parent", 640), (UNKNOWN, 70)];
const ETHNIC: &[(&str, u32)] = &[
    ("white", 870),
    ("asian", 35),
    ("african", 20),
    ("mixed", 12),
    ("caribbean_or_black", 5),
    ("other", 15),
    ("prefer_not_to_say", 13),
    (UNKNOWN, 30),
];
const ECONOMIC: &[(&str, u32)] = &[
    ("unemployed_lt6m", 250),
    ("unemployed_6_12m", 120),
    ("unemployed_12m_plus", 200),
    ("inactive_health", 120),
    ("inactive_caring", 70),
    ("inactive_other", 60),
    ("education_training", 60),
    ("leaving_school", 50),
    ("employed", 40),
    (UNKNOWN, 30),
];
const REFERRAL: &[(&str, u32)] = &[
    ("jobcentre", 300),
    ("careers_adviser_sds", 180),
    ("self", 160),
    ("council_service", 100),
    ("third_sector", 80),
    ("health_gp", 60),
    ("justice_social_work", 40),
    ("school", 40),
    (UNKNOWN, 40),
];
const END_REASON: &[(&str, u32)] = &[
    ("completed", 360),
    ("early_leaver_disengaged", 270),
    ("early_leaver_health", 130),
    ("early_leaver_moved", 70),
    ("transferred", 60),
    ("died", 4),
    ("other", 50),
    (UNKNOWN, 56),
];
const CONTRACT: &[(&str, u32)] =
    &[("permanent", 480), ("fixed_term", 220), ("zero_hours", 130), ("agency", 90), (UNKNOWN, 80)];
const OTHER_OUTCOMES: &[(&str, u32)] = &[
    ("none", 800),
    ("further_education", 80),
    ("training", 60),
    ("volunteering", 30),
    ("work_placement", 20),
    ("higher_education", 10),
];
/// Weeks from start to work: most within a year.
const WEEKS_TO_WORK: &[((i32, i32), u32)] =
    &[((0, 4), 150), ((5, 13), 260), ((14, 26), 260), ((27, 51), 220), ((52, 100), 110)];
