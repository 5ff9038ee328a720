//! What only trying kinds of question shows: a policy too wide to be tried, and parts of it that answer nothing.
//!
//! Another column never turns a refusal into an answer (`space::tests::another_part_never_opens_a_kind`), so some kind that
//! is answered uses a column exactly where the kind with that column alone is answered.

use std::collections::BTreeSet;

use crate::document::Columns;
use crate::finding::{Faults, File, Finding, Severity, Sources};
use crate::layers::{Layers, Purposes, Ready};
use crate::space::field::Field;
use crate::space::{Block, Pair, TooWide};

/// The finding of a policy that is too wide; `None`: it is not.
pub(crate) fn wide(layers: &Layers, sources: &Sources) -> Option<Finding> {
    Pair::alone(layers).fields().err().map(|e| too_wide(&e, &sources.policy))
}

/// The finding that stands for it.
pub(crate) fn too_wide(wide: &TooWide, file: &File) -> Finding {
    Finding {
        code: "CP421",
        file: file.name.clone(),
        line: 1,
        column: 1,
        severity: Severity::Error,
        rule: "share".to_owned(),
        says: wide.to_string(),
        fix: Some("lower max_group_columns or max_filter_columns, or open fewer columns".to_owned()),
    }
}

/// Warnings about shares, columns and lists that change nothing.
pub(crate) fn dead(layers: &Layers, sources: &Sources) -> Vec<Finding> {
    let faults = Faults::new(&sources.policy);
    let pair = Pair::alone(layers);
    let Ok((fields, _)) = pair.fields() else { return Vec::new() };
    for ready in &layers.shares {
        let own: Vec<&Field> = fields.iter().filter(|(b, _)| is_of(b, ready)).map(|(_, f)| f).collect();
        share(ready, &own, &faults);
        if own.iter().any(|f| f.answers()) {
            listed(ready, &own, &faults);
            apart(ready, &own, &faults);
        }
    }
    declared(layers, &faults);
    faults.into_found()
}

fn is_of(block: &Block<'_>, ready: &Ready) -> bool {
    block.new.is_some_and(|p| std::ptr::eq(p.ready, ready))
}

/// A share that answers no question on any day, or nobody.
fn share(ready: &Ready, fields: &[&Field], faults: &Faults<'_>) {
    let settings = &ready.settings;
    let why = match () {
        () if settings.from.zip(settings.until).is_some_and(|(from, until)| until < from) => {
            "its first day is after its last"
        }
        () if settings.named_analysts.as_ref().is_some_and(BTreeSet::is_empty) => {
            "it names nobody who may ask"
        }
        () if !fields.iter().any(|f| f.answers()) => "not even the question without any column is answered",
        () => return,
    };
    let says = format!("the share {} answers nothing: {why}", ready.share.id.value);
    let rule = format!("share.{}", ready.share.id.value);
    faults.warn("CP805", &ready.share.id.span, rule, says, "correct it, or delete the share");
}

/// A column on a share's list that no kind which it answers uses.
fn listed(ready: &Ready, fields: &[&Field], faults: &Faults<'_>) {
    let share = &ready.share;
    let lists: [(&str, &Columns, Purposes); 2] =
        [("group_by", &share.group_by, Purposes::Group), ("filter_by", &share.filter_by, Purposes::Filter)];
    for (list, columns, purposes) in lists {
        let used: BTreeSet<String> = fields.iter().flat_map(|f| f.used(purposes)).collect();
        for (column, _) in columns.iter().filter(|(c, _)| !used.contains(&c.value)) {
            let says = format!("`{}` is listed, and no question that is answered uses it", column.value);
            let rule = format!("share.{}.{list}.{}", share.id.value, column.value);
            faults.warn("CP806", &column.span, rule, says, "delete it, or delete what keeps it back");
        }
    }
}

/// A list of columns that could not be together anyway.
fn apart(ready: &Ready, fields: &[&Field], faults: &Faults<'_>) {
    let lists: Vec<BTreeSet<&str>> = ready
        .share
        .never_together
        .iter()
        .map(|list| list.value.iter().map(|c| c.value.as_str()).collect())
        .collect();
    for (nth, list) in lists.iter().enumerate() {
        let covered = |other: usize, by: &BTreeSet<&str>| {
            other != nth && by.is_subset(list) && (by != list || other < nth)
        };
        let why = if lists.iter().enumerate().any(|(other, by)| covered(other, by)) {
            "another list keeps fewer of them apart"
        } else if !fields.iter().any(|f| f.could_meet(list)) {
            "no question of this share could use them together"
        } else {
            continue;
        };
        let names: Vec<&str> = list.iter().copied().collect();
        let says = format!("keeping {} apart refuses nothing: {why}", names.join(" and "));
        let rule = format!("share.{}.never_together[{nth}]", ready.share.id.value);
        let span = ready.share.never_together.get(nth).map_or(0..0, |l| l.span.clone());
        faults.warn("CP807", &span, rule, says, "delete the list, or mend it");
    }
}

/// A column declared for questions that no share lists. Special-category columns are CP801's.
fn declared(layers: &Layers, faults: &Faults<'_>) {
    let mut used: BTreeSet<(&str, &str)> = BTreeSet::new();
    for ready in &layers.shares {
        let columns = ready.share.group_by.iter().chain(&ready.share.filter_by);
        let found = columns.filter_map(|(c, _)| layers.schema.find(&ready.share.dataset.value, &c.value));
        used.extend(found.map(|f| (f.table.name.as_str(), f.column.name.as_str())));
    }
    for dataset in layers.policy.datasets.values() {
        for (name, rule) in &dataset.columns {
            let open = rule.usage.as_ref().is_some_and(|u| u.value.groups() || u.value.filters());
            if open && !rule.special && !used.contains(&(dataset.name.value.as_str(), name.as_str())) {
                let says = format!("`{name}` is declared for questions, and no share lists it");
                let path = format!("dataset.{}.columns.{name}", dataset.name.value);
                let fix = "write use = \"hidden\", unless a share is about to use it";
                faults.warn("CP806", &rule.key, path, says, fix);
            }
        }
    }
}
