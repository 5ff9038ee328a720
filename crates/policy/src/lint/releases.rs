use crate::decimal;
use cairn_question::answer::Zeros;
use cairn_question::privacy::{Epsilon, NanoRho};

use crate::document::{CellsDoc, CellsKind, How, MechanismWord, Profile, Release};
use crate::finding::{Faults, Severity};
use crate::floor;
use crate::lint::Ground;
use crate::read::At;
use crate::treatment::{Mechanism, Secondary};

pub(super) fn check(ground: &Ground<'_>) {
    for (name, release) in ground.policy.releases.iter().filter_map(|(n, r)| Some((n, r.as_ref()?))) {
        let path = format!("release.{name}");
        partners(release, &path, ground);
        totals(release, &path, ground);
        match &release.how {
            How::Cells(cells) => {
                plain(release, cells, &path, ground);
                gives_away(release, cells, &path, ground);
                perturbed(cells, &path, ground);
                asked_for(cells, &path, ground);
            }
            How::CountOnce(count) => super::once::release(release, count, &path, ground),
            How::Dp { mechanism, epsilon, .. } => {
                too_small(release, (mechanism, epsilon), &path, ground);
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

/// Gaussian noise is scaled to a whole number of nano-ρ. Where ε is too small for one at the policy's δ, there is no noise that would be wide
/// enough. Of a total one nano-ρ is kept back: the sum of the partners' shares is not quite a Gaussian.
fn too_small(
    release: &Release,
    (mechanism, epsilon): (&At<MechanismWord>, &At<Epsilon>),
    path: &str,
    ground: &Ground<'_>,
) {
    let Some(budget) = &ground.policy.budget else { return };
    let Mechanism::Gaussian(loss) = mechanism.value.at(epsilon.value, budget.delta.value) else { return };
    let (least, words) = match &release.min_partners {
        Some(partners) if partners.value > 1 => (2, "two billionths"),
        _ => (1, "a billionth"),
    };
    if loss.rho < NanoRho::new(least) {
        let says = format!(
            "ε = {} at δ = {:e} is less than {words} of ρ: no Gaussian noise is so wide",
            epsilon.value, budget.delta.value
        );
        let fix = "write a larger ε, or mechanism = \"discrete-laplace\"";
        ground.faults.error("CP315", &epsilon.span, format!("{path}.epsilon"), says, fix);
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

/// A total is made under terms that every partner keeps to: the framework's.
fn totals(release: &Release, path: &str, ground: &Ground<'_>) {
    let Some(partners) = release.min_partners.as_ref().filter(|p| p.value > 1) else { return };
    // A count of people once has no meaning without the terms, which is said of it as an error.
    if ground.framework.secure.is_none() && !matches!(release.how, How::CountOnce(_)) {
        let says =
            "this leaves as a total over several partners, and the framework has no [secure] terms for one";
        let fix = "ask the national board for [secure]; until then such questions are refused";
        ground.faults.warn("CP312", &partners.span, format!("{path}.min_partners"), says, fix);
    }
}

/// The framework's profile that a release is made after.
pub(super) fn profile<'a>(doc: &CellsDoc, ground: &'a Ground<'_>) -> Option<&'a Profile> {
    ground.framework.profiles.get(&doc.profile.as_ref()?.value)
}

/// Exact counts: a total gives a withheld cell away unless others are withheld with it.
fn gives_away(release: &Release, doc: &CellsDoc, path: &str, ground: &Ground<'_>) {
    let secondary = doc.secondary.as_ref();
    let profiles = profile(doc, ground).map_or(Secondary::No, |p| p.secondary);
    let held = secondary.map_or(profiles, |s| s.value.max(profiles));
    if matches!(doc.kind, CellsKind::SuppressAudit) && held == Secondary::No {
        let span = secondary.map_or(&release.span, |s| &s.span);
        let says = "counts are exact, so a total less the cells shown would be the cell withheld";
        ground.faults.error("CP309", span, format!("{path}.secondary"), says, "write secondary = true");
    }
}

/// The perturbations are the same at every partner, so a table of them is named and never a partner's own.
fn perturbed(doc: &CellsDoc, path: &str, ground: &Ground<'_>) {
    let CellsKind::CellKey { table } = &doc.kind else { return };
    let known = floor::PERTURBATION_TABLES.iter().map(|name| format!("framework:{name}"));
    if !known.clone().any(|name| name == table.value) {
        let what = "table of perturbations";
        ground.faults.unknown("CP308", what, &table.value, &table.span, format!("{path}.ptable"), known);
    }
}

/// Settings that say less than they seem to, or more than a reader expects.
fn asked_for(doc: &CellsDoc, path: &str, ground: &Ground<'_>) {
    if let Some(rule) = doc.dominance.as_ref().filter(|d| super::offers::never_withholds(d.value)) {
        let says = "nobody can make up more than 100 % of a sum: this rule withholds nothing";
        ground.faults.error(
            "CP310",
            &rule.span,
            format!("{path}.dominance"),
            says,
            "write max_percent = 50 or so",
        );
    }
    if let Some(zeros) = doc.zeros.as_ref().filter(|z| z.value == Zeros::Withhold && doc.profile.is_none()) {
        let says =
            "cells with nobody in them are withheld here; unless a release says so, they are shown as 0";
        let rule = format!("{path}.zeros");
        ground.faults.add("CP902", Severity::Note, &zeros.span, rule, says, None);
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
        let exact = matches!(doc.kind, CellsKind::SuppressAudit);
        // The rounding of a profile is the framework's own word.
        let base = if round_to.is_some() { floor.round_to.value } else { rounding.value };
        let base = (!exact).then_some(base);
        against_floor(&people, &rounding, floor.min_people.value, base, path, ground.faults);
    }
}

/// `base`: what the framework rounds to; `None` where the method shows exact counts.
fn against_floor(
    people: &At<u32>,
    rounding: &At<u32>,
    least: u32,
    base: Option<u32>,
    path: &str,
    faults: &Faults<'_>,
) {
    if people.value < least && people.value >= floor::MIN_PEOPLE {
        let says = format!("{} people is below the framework's {least}", people.value);
        let fix = format!("write {least} or more");
        faults.error("CP302", &people.span, format!("{path}.min_people"), says, fix);
    }
    let (fits, says, fix) = match base {
        Some(base) => (
            rounding.value > 0 && rounding.value.is_multiple_of(base),
            format!("rounding to {} is not a multiple of the framework's {base}", rounding.value),
            format!("write {base}"),
        ),
        None => (
            rounding.value == 1,
            format!("rounding to {} by a method that shows exact counts", rounding.value),
            "write 1, or use suppress-round".to_owned(),
        ),
    };
    if !fits {
        faults.error("CP307", &rounding.span, format!("{path}.round_to"), says, fix);
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
