//! What a share offers, to whom and for how long: its days, its named analysts, their quotas and its sums.

use std::collections::BTreeSet;

use crate::decimal;
use crate::document::{How, LinkKind, Release, Role, Share, Usage};
use crate::lint::Ground;
use crate::treatment::Dominance;

pub(super) fn check(share: &Share, path: &str, ground: &Ground<'_>) {
    days(share, path, ground);
    analysts(share, path, ground);
    loss(share, path, ground);
    counted_once(share, path, ground);
    sums(share, path, ground);
}

/// A share may be in force for a shorter time than its policy, and for some of it.
fn days(share: &Share, path: &str, ground: &Ground<'_>) {
    let Some(head) = &ground.policy.head else { return };
    let (first, last) = (head.effective_from.value, head.expires.value);
    for (key, day) in [("from", &share.from), ("until", &share.until)] {
        if let Some(day) = day.as_ref().filter(|d| d.value < first || d.value > last) {
            let says = format!("{} is not a day of the policy's, {first} to {last}", day.value);
            let fix = "write a day between, or delete the line";
            ground.faults.error("CP422", &day.span, format!("{path}.{key}"), says, fix);
        }
    }
    if let (Some(from), Some(until)) = (&share.from, &share.until)
        && until.value < from.value
    {
        let says = format!("the share ends on {}, before it begins on {}", until.value, from.value);
        ground.faults.error("CP422", &until.span, format!("{path}.until"), says, "put the days in order");
    }
}

fn role<'a>(share: &Share, ground: &'a Ground<'_>) -> Option<&'a Role> {
    ground.policy.roles.get(share.role.value.as_str())?.as_ref()
}

fn analysts(share: &Share, path: &str, ground: &Ground<'_>) {
    let Some(named) = &share.named_analysts else { return };
    let rule = format!("{path}.named_analysts");
    let error = |span, says: String, fix: &str| ground.faults.error("CP423", span, rule.clone(), says, fix);
    if named.value.is_empty() {
        error(
            &named.span,
            "nobody is named, so nobody may ask".to_owned(),
            "name somebody, or delete the line",
        );
    }
    let mut seen = BTreeSet::new();
    for name in named.value.iter().filter(|n| !seen.insert(n.value.as_str())) {
        error(&name.span, format!("{} is named twice", name.value), "delete one");
    }
    let most = role(share, ground).map(|r| r.max_people.value);
    let people = u32::try_from(named.value.len()).unwrap_or(u32::MAX);
    if let Some(most) = most.filter(|most| people > *most) {
        let says = format!("{people} analysts are named, and the role {} is for {most}", share.role.value);
        error(&named.span, says, "name fewer, or agree on more with the issuer");
    }
}

/// An analyst's own limit of loss lies inside the person's account, and so do all of them together.
fn loss(share: &Share, path: &str, ground: &Ground<'_>) {
    let Some(own) = &share.epsilon_per_year else { return };
    let rule = format!("{path}.per_analyst.epsilon_per_year");
    let error = |says: String, fix: String| ground.faults.error("CP424", &own.span, rule.clone(), says, fix);
    let how = release(share, ground).map(|r| &r.how);
    if matches!(how, Some(How::CountOnce(_))) {
        let says = "people counted once are charged to an account of their own, which counts_per_year limits";
        error(says.to_owned(), "give tables_per_year instead".to_owned());
        return;
    }
    if matches!(how, Some(How::Cells(_))) {
        let says = format!("tables of {} cost no ε, so this would limit nothing", share.release.value);
        error(says, "give tables_per_year instead".to_owned());
        return;
    }
    let caps = [
        ("the framework's", ground.framework.floor.as_ref().map(|f| f.epsilon_max_per_year.value)),
        ("the budget's", ground.policy.budget.as_ref().map(|b| b.per_year.value)),
    ];
    let above =
        caps.into_iter().filter_map(|(whose, cap)| Some((whose, cap?))).find(|(_, cap)| own.value > *cap);
    if let Some((whose, cap)) = above {
        let cap = decimal::print(cap);
        error(
            format!("ε {} is above {whose} {cap} a year", decimal::print(own.value)),
            format!("write {cap} or less"),
        );
    }
}

/// What all analysts may use together, where each has a limit of loss: more than the account is a promise that cannot be kept.
pub(super) fn together(ground: &Ground<'_>) {
    let Some(budget) = &ground.policy.budget else { return };
    let asked = |share: &Share| {
        let own = share.epsilon_per_year.as_ref()?;
        let people = role(share, ground)?.max_people.value;
        let named = share.named_analysts.as_ref().map(|n| u32::try_from(n.value.len()).unwrap_or(u32::MAX));
        Some(u64::from(own.value) * u64::from(named.unwrap_or(people).min(people)))
    };
    let total: u64 = ground.policy.shares.iter().filter_map(asked).sum();
    let last = ground.policy.shares.iter().rev().find_map(|s| Some((s, s.epsilon_per_year.as_ref()?)));
    if let Some((share, own)) = last.filter(|_| total > u64::from(budget.per_year.value)) {
        let total = u32::try_from(total).map_or_else(|_| "over 4000".to_owned(), decimal::print);
        let cap = decimal::print(budget.per_year.value);
        let says = format!(
            "the analysts' own limits add up to ε {total} a year, and the person's account holds {cap}"
        );
        let rule = format!("share.{}.per_analyst.epsilon_per_year", share.id.value);
        let fix = "lower them or max_people; else whoever asks first leaves nothing for the others";
        ground.faults.warn("CP425", &own.span, rule, says, fix);
    }
}

fn release<'a>(share: &Share, ground: &'a Ground<'_>) -> Option<&'a Release> {
    ground.policy.releases.get(&share.release.value)?.as_ref()
}

/// Counting once across partners is for the linked table itself.
fn counted_once(share: &Share, path: &str, ground: &Ground<'_>) {
    for named in &share.links {
        let link = ground.policy.links.iter().find(|l| l.id.value.as_str() == named.value);
        let once =
            link.filter(|l| l.kind.value == LinkKind::CountOnce && l.left.value != share.dataset.value);
        if let Some(link) = once {
            let says = format!(
                "{} counts people of {} once, and this share is of {}",
                link.id.value, link.left.value, share.dataset.value
            );
            ground.faults.error(
                "CP427",
                &named.span,
                format!("{path}.links"),
                says,
                "delete it from `links`",
            );
        }
    }
}

/// A sum is of a measure of the share's own table, and no one person makes up most of it.
fn sums(share: &Share, path: &str, ground: &Ground<'_>) {
    let Some(dataset) = ground.policy.datasets.get(&share.dataset.value) else { return };
    for answer in &share.answers {
        let Some(column) = answer.value.column() else { continue };
        let rule = format!("{path}.answers");
        let measures = dataset
            .columns
            .iter()
            .filter(|(_, c)| c.usage.as_ref().is_some_and(|u| u.value == Usage::Measure));
        let measures: Vec<String> = measures.map(|(name, _)| name.clone()).collect();
        if !measures.iter().any(|m| m == column) {
            ground.faults.unknown("CP426", "measure", column, &answer.span, rule, measures.into_iter());
            continue;
        }
        let Some(How::Cells(cells)) = release(share, ground).map(|r| &r.how) else { continue };
        let profiles = super::releases::profile(cells, ground).and_then(|p| p.dominance);
        if cells.dominance.is_none() && profiles.is_none() {
            let says = format!(
                "one person could make up most of a sum of `{column}`, and {} says nothing of it",
                share.release.value
            );
            let fix = format!(
                "add dominance = {{ largest = 1, max_percent = 50 }} to [release.{}]",
                share.release.value
            );
            ground.faults.error("CP310", &answer.span, rule, says, fix);
        }
    }
}

/// A rule about big contributors that nothing breaks.
pub(super) const fn never_withholds(dominance: Dominance) -> bool {
    dominance.max_percent == 100
}
