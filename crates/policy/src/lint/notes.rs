//! What a board should know of a policy that loads: what its caps buy, and what this program would refuse to carry out.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::able::unable_of;
use crate::finding::{Faults, Finding, Severity, Sources};
use crate::layers::{Layers, Ready, epsilon_words};

/// Warnings and notes, in the order of the file.
pub(crate) fn notes(layers: &Layers, sources: &Sources) -> Vec<Finding> {
    let faults = Faults::new(&sources.policy);
    bought(layers, &faults);
    not_yet(layers, &faults);
    not_beside(layers, &faults);
    faults.into_found()
}

fn bought(layers: &Layers, faults: &Faults<'_>) {
    for bought in layers.tables_bought() {
        let Some(ready) = layers.shares.iter().find(|r| r.share.id.value == bought.share) else { continue };
        let mut says = format!(
            "the person's account (ε {} a year, {} for life) pays for {} tables of {} a year and {} in all, if nothing else is asked",
            epsilon_words(layers.budget.per_year.value),
            epsilon_words(layers.budget.lifetime.value),
            bought.per_year,
            bought.share,
            bought.lifetime
        );
        if let Some((people, tables)) = allowed(layers, ready).filter(|(_, tables)| *tables > bought.per_year)
        {
            says.push_str(&format!("; the quotas of {people} analysts would allow {tables} a year"));
        }
        let rule = format!("share.{}", bought.share);
        faults.add("CP901", Severity::Note, &ready.share.span, rule, says, None);
    }
}

/// How many analysts may ask, and for how many tables a year all together by their quotas.
fn allowed(layers: &Layers, ready: &Ready) -> Option<(u32, u64)> {
    let people = layers.policy.roles.get(ready.share.role.value.as_str())?.as_ref()?.max_people.value;
    let loss = ready.method.table_loss()?;
    let settings = &ready.settings;
    let by_day = u64::from(settings.tables_per_day?) * 366;
    let by_year = settings.tables_per_year.map(u64::from);
    let by_loss = settings.rho_per_analyst.map(|cap| cap.nano() / loss.nano().max(1));
    let each = [Some(by_day), by_year, by_loss].into_iter().flatten().min()?;
    Some((people, each.saturating_mul(u64::from(people))))
}

/// One warning for each release and share: what is asked of the node and refused by its program.
fn not_yet(layers: &Layers, faults: &Faults<'_>) {
    let mut wanted: BTreeMap<String, (Range<usize>, Vec<String>)> = BTreeMap::new();
    for ready in &layers.shares {
        for answer in &ready.share.answers {
            for missing in unable_of(layers, ready, &answer.value) {
                let (rule, span) = section(layers, ready, &missing.rule);
                let whats = &mut wanted.entry(rule).or_insert_with(|| (span, Vec::new())).1;
                if !whats.contains(&missing.what) {
                    whats.push(missing.what);
                }
            }
        }
    }
    for (rule, (span, whats)) in wanted {
        let says = format!(
            "the program of this node cannot {} yet, and refuses such questions",
            whats.join(", nor ")
        );
        let fix = "sign for it if the board can wait; nothing is answered under a laxer rule meanwhile";
        faults.warn("CP313", &span, rule, says, fix);
    }
}

/// An audit knows of no table under another rule, so that the two never stand on one snapshot: whichever is asked for first leaves.
fn not_beside(layers: &Layers, faults: &Faults<'_>) {
    let other = |ready: &&Ready| ready.method.cells().is_some() && ready.method.audited().is_none();
    let Some(other) = layers.shares.iter().find(other) else { return };
    for ready in layers.shares.iter().filter(|ready| is_audited(ready)) {
        let says = format!(
            "its audited tables and those of {} do not leave on the same snapshot: whichever is asked for first does",
            other.share.id.value
        );
        let fix = "give every share that has no noise the same release, or sign for it if the other is seldom asked";
        faults.warn("CP314", &ready.share.span, format!("share.{}.release", ready.share.id.value), says, fix);
    }
}

/// Whether a share's tables are audited: this partner's own, since no audit is made of a total.
fn is_audited(ready: &Ready) -> bool {
    ready.settings.min_partners <= 1 && ready.method.audited().is_some()
}

/// The section of the file that a rule is in.
fn section(layers: &Layers, ready: &Ready, rule: &str) -> (String, Range<usize>) {
    let share = &ready.share;
    let release = layers.policy.releases.get(&share.release.value).and_then(|r| r.as_ref());
    match release.filter(|_| rule.starts_with("release.")) {
        Some(release) => (format!("release.{}", share.release.value), release.span.clone()),
        None => (format!("share.{}.answers", share.id.value), share.span.clone()),
    }
}
