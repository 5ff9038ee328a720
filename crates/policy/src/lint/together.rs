use std::collections::BTreeSet;

use cairn_question::Measure;

use crate::document::{How, Share};
use crate::finding::Severity;
use crate::lint::Ground;
use crate::read::At;

/// Faults of two shares together.
pub(super) fn pairs(ground: &Ground<'_>) {
    let shares = &ground.policy.shares;
    for (n, later) in shares.iter().enumerate() {
        for earlier in shares.iter().take(n) {
            if earlier.id.value == later.id.value {
                let says = format!("the share {} stands twice", later.id.value);
                ground.faults.error("CP419", &later.id.span, "share", says, "give each its own id");
            }
            let answer = |a: &&At<Measure>| earlier.answers.iter().any(|b| b.value == a.value);
            let same_table =
                earlier.dataset.value == later.dataset.value && later.answers.iter().any(|a| answer(&a));
            let same_role = earlier.role.value == later.role.value;
            if same_table && same_role && earlier.purpose.value == later.purpose.value {
                let says =
                    format!("{} and {} could both match one question", earlier.id.value, later.id.value);
                let fix = "a question matches exactly one share: differ in role, purpose, dataset or answers";
                ground.faults.error("CP409", &later.span, format!("share.{}", later.id.value), says, fix);
            } else if same_table {
                twice_treated(earlier, later, ground);
            }
        }
    }
}

/// The same table under two treatments tells more than either: an error for one role, a warning where roles differ,
/// since results travel (release.md, section 1).
fn twice_treated(earlier: &Share, later: &Share, ground: &Ground<'_>) {
    let how = |s: &Share| {
        ground.policy.releases.get(&s.release.value).and_then(|r| r.as_ref()).map(|r| protection(&r.how))
    };
    if how(earlier) == how(later) {
        return;
    }
    let columns = |s: &Share| s.group_by.iter().map(|(c, _)| c.value.clone()).collect::<BTreeSet<_>>();
    let common: Vec<String> = columns(earlier).intersection(&columns(later)).cloned().collect();
    if common.is_empty() {
        return;
    }
    let one_role = earlier.role.value == later.role.value;
    let to = if one_role { "the same role" } else { "different roles" };
    let says = format!(
        "{} and {} give {} by {} to {to} under two treatments",
        earlier.id.value,
        later.id.value,
        earlier.dataset.value,
        common.join(", ")
    );
    let fix = "use one treatment for the same columns, or name this in the approval note";
    let severity = if one_role { Severity::Error } else { Severity::Warning };
    ground.faults.add(
        "CP420",
        severity,
        &later.span,
        format!("share.{}", later.id.value),
        says,
        Some(fix.to_owned()),
    );
}

fn protection(how: &How) -> (u8, String, u32, u32) {
    match how {
        How::Dp { .. } => (1, String::new(), 0, 0),
        How::SuppressRound { profile, min_people, round_to, .. } => (
            0,
            profile.as_ref().map(|p| p.value.clone()).unwrap_or_default(),
            min_people.as_ref().map_or(0, |m| m.value),
            round_to.as_ref().map_or(0, |r| r.value),
        ),
    }
}

/// Declared and used by no share: a special-category column most of all, since declaring it asks to hold it ready.
pub(super) fn unused(ground: &Ground<'_>) {
    let mut used: BTreeSet<(String, String)> = BTreeSet::new();
    for share in &ground.policy.shares {
        let columns = share.group_by.iter().chain(&share.filter_by).map(|(c, _)| c);
        for found in columns.filter_map(|c| ground.schema.find(&share.dataset.value, &c.value)) {
            used.insert((found.table.name.clone(), found.column.name.clone()));
        }
    }
    for dataset in ground.policy.datasets.values() {
        for (name, rule) in &dataset.columns {
            let open = rule.usage.as_ref().is_some_and(|u| u.value.groups() || u.value.filters());
            if open && rule.special && !used.contains(&(dataset.name.value.clone(), name.clone())) {
                let says = format!("special-category column `{name}` is declared and no share uses it");
                let path = format!("dataset.{}.columns.{name}", dataset.name.value);
                ground.faults.warn(
                    "CP801",
                    &rule.key,
                    path,
                    says,
                    "write use = \"hidden\", unless a share is about to use it",
                );
            }
        }
    }
    let mentioned = |what: &str, name: &str| {
        ground.policy.shares.iter().any(|s| match what {
            "role" => s.role.value.as_str() == name,
            "purpose" => s.purpose.value.as_str() == name,
            _ => s.release.value == name,
        })
    };
    let policy = ground.policy;
    let declared = policy.roles.keys().map(|k| ("role", k));
    let declared = declared.chain(policy.purposes.keys().map(|k| ("purpose", k)));
    for (what, name) in declared.chain(policy.releases.keys().map(|k| ("release", k))) {
        if !mentioned(what, name) {
            let says = format!("the {what} {name} is used by no share");
            ground.faults.warn(
                "CP804",
                &(0..0),
                format!("{what}.{name}"),
                says,
                "delete it, unless a share is about to use it",
            );
        }
    }
}
