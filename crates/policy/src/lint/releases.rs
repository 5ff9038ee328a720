use crate::decimal;
use crate::document::{CellsDoc, FloorDoc, How, Release};
use crate::finding::{Faults, Severity};
use crate::floor;
use crate::lint::Ground;
use crate::read::At;

pub(super) fn check(ground: &Ground<'_>) {
    for (name, release) in ground.policy.releases.iter().filter_map(|(n, r)| Some((n, r.as_ref()?))) {
        let path = format!("release.{name}");
        partners(release, &path, ground);
        match &release.how {
            How::Cells(cells) => plain(release, cells, &path, ground),
            How::Dp { epsilon, .. } => {
                let most = ground.framework.floor.as_ref().map(|f| f.epsilon_max_per_table.value);
                if let Some(most) = most.filter(|m| epsilon.value.millionths() > *m) {
                    let says = format!(
                        "ε = {} a table is above the framework's {}",
                        epsilon.value,
                        decimal::print(most)
                    );
                    let fix = format!("write {} or less", decimal::print(most));
                    ground.faults.error("CP305", &epsilon.span, format!("{path}.epsilon"), says, fix);
                }
            }
        }
    }
}

/// Of two partners each could subtract its own; a table of one partner is that partner's own to give.
fn partners(release: &Release, path: &str, ground: &Ground<'_>) {
    let Some(partners) = release.min_partners.as_ref().filter(|p| p.value != 1) else { return };
    let least = ground.framework.floor.as_ref().map_or(floor::MIN_PARTNERS, |f| f.min_partners.value);
    let rule = format!("{path}.min_partners");
    if partners.value < least {
        let says = format!("a total over {} partners: each could subtract its own", partners.value);
        let fix = format!("at least {least} partners, or 1 for this partner's own table");
        ground.faults.error("CP304", &partners.span, rule, says, fix);
    }
}

fn plain(release: &Release, doc: &CellsDoc, path: &str, ground: &Ground<'_>) {
    let CellsDoc { profile, min_people, round_to, zeros, .. } = doc;
    let known = profile.as_ref().map(|p| (p, ground.framework.profiles.get(&p.value)));
    if let Some((name, None)) = known {
        let names = ground.framework.profiles.keys().cloned();
        ground.faults.unknown("CP301", "profile", &name.value, &name.span, format!("{path}.profile"), names);
        return;
    }
    let base = known.and_then(|(_, p)| p);
    let people = min_people.as_ref().or(base.map(|p| &p.min_people));
    let rounding = round_to.as_ref().or(base.map(|p| &p.round_to));
    if let Some(base) = base {
        let lower = min_people.as_ref().filter(|m| m.value < base.min_people.value);
        let other = round_to.as_ref().filter(|r| r.value != base.round_to.value);
        let zero = zeros.as_ref().filter(|z| z.value != base.zeros);
        let less = doc.secondary.as_ref().filter(|s| s.value < base.secondary);
        let sums = doc.dominance.as_ref().filter(|d| base.dominance.is_some_and(|b| b != d.value));
        let method = profile.as_ref().filter(|_| release.how.as_str() != base.method);
        let spans = [
            lower.map(|m| (&m.span, "min_people")),
            other.map(|r| (&r.span, "round_to")),
            zero.map(|z| (&z.span, "zeros")),
            less.map(|s| (&s.span, "secondary")),
            sums.map(|d| (&d.span, "dominance")),
            method.map(|p| (&p.span, "method")),
        ];
        for (span, key) in spans.into_iter().flatten() {
            let says = format!("`{key}` is not what the profile says");
            let fix = "a profile may only be given a larger min_people or secondary; for anything else leave `profile` out";
            ground.faults.error("CP301", span, format!("{path}.{key}"), says, fix);
        }
    }
    let (Some(people), Some(rounding)) = (people, rounding) else { return };
    // A fault of a profile is the framework's: shown here at the release that uses it.
    let here =
        |at: &At<u32>, own: bool| if own { at.clone() } else { At::new(at.value, release.span.clone()) };
    let (people, rounding) = (here(people, min_people.is_some()), here(rounding, round_to.is_some()));
    threshold_and_base(&people, &rounding, path, Of::Release, ground.faults);
    if let Some(floor) = &ground.framework.floor {
        // The rounding of a profile is the framework's own word.
        let base = if round_to.is_some() { floor.round_to.value } else { rounding.value };
        against_floor(&people, &rounding, floor, base, path, ground.faults);
    }
}

fn against_floor(
    people: &At<u32>,
    rounding: &At<u32>,
    floor: &FloorDoc,
    base: u32,
    path: &str,
    faults: &Faults<'_>,
) {
    let least = floor.min_people.value;
    if people.value < least && people.value >= floor::MIN_PEOPLE {
        let says = format!("{} people is below the framework's {least}", people.value);
        faults.error(
            "CP302",
            &people.span,
            format!("{path}.min_people"),
            says,
            format!("write {least} or more"),
        );
    }
    if rounding.value == 0 || !rounding.value.is_multiple_of(base) {
        let says = format!("rounding to {} is not a multiple of the framework's {base}", rounding.value);
        faults.error("CP307", &rounding.span, format!("{path}.round_to"), says, format!("write {base}"));
    }
}

/// Whose threshold is looked at: a profile of the national board's is for every partner, a release is one board's own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Of {
    Profile,
    Release,
}

/// Built-in floor, and the rule that no shown value may mean fewer than `base` counts: with base 5 and half-up rounding
/// a shown 5 stands for 3 to 7, so a threshold of 6 would leave 6 or 7; from 8 on, the least shown value is 10 = 8 to 12.
/// A board may choose less within the floor, by name in its approval note; but never so little that people are shown as 0.
pub(super) fn threshold_and_base(
    people: &At<u32>,
    rounding: &At<u32>,
    path: &str,
    of: Of,
    faults: &Faults<'_>,
) {
    let rule = format!("{path}.min_people");
    if people.value < floor::MIN_PEOPLE {
        let says = format!("a threshold of {}: counts of one or two people would be shown", people.value);
        let fix = "the built-in floor is 3; the profile sub-national-8-5 withholds 1 to 7";
        faults.error("CP302", &people.span, rule.clone(), says, fix);
    }
    let (base, half) = (rounding.value, rounding.value.div_ceil(2));
    let least = base + half;
    if base > 1 && people.value < least {
        let fix = Some(format!("write {least} or more"));
        if people.value < half {
            let says = format!(
                "rounding to {base} with a threshold of {}: people would be shown as 0",
                people.value
            );
            faults.add("CP303", Severity::Error, &people.span, rule, says, fix);
            return;
        }
        let severity = if of == Of::Profile { Severity::Error } else { Severity::Warning };
        let means = shown_counts(people.value, least - 1);
        let says = format!(
            "rounding to {base} with a threshold of {}: a shown {base} means {means}, and no more",
            people.value
        );
        faults.add("CP303", severity, &people.span, rule, says, fix);
    }
}

/// `7`, `6 or 7`, `5, 6 or 7`: what a reader would know of the least shown count.
fn shown_counts(least: u32, most: u32) -> String {
    let counts: Vec<String> = (least..=most).take(3).map(|n| n.to_string()).collect();
    match counts.as_slice() {
        [one] => one.clone(),
        [one, other] => format!("{one} or {other}"),
        [one, other, third] if most - least == 2 => format!("{one}, {other} or {third}"),
        _ => format!("{least} to {most}"),
    }
}
