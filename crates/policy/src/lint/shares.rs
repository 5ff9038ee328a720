use std::collections::BTreeSet;

use cairn_question::Measure;
use cairn_question::form::nearest;
use cairn_question::schema::Class;

use crate::document::{Columns, How, Share};
use crate::finding::Severity;
use crate::layers::{Purposes, is_dated, open_columns};
use crate::lint::Ground;
use crate::read::At;

pub(super) fn check(ground: &Ground<'_>) {
    for share in &ground.policy.shares {
        let path = format!("share.{}", share.id.value);
        names(share, &path, ground);
        lists(share, &path, ground);
        counts(share, &path, ground);
        window(share, &path, ground);
        released(share, &path, ground);
    }
    pairs(ground);
    if ground.policy.shares.is_empty() {
        let says = "nothing is shared: every question will be refused";
        ground.faults.warn("CP803", &(0..0), "share", says, "add a [[share]], if anything is to be shared");
    }
    unused(ground);
}

fn names(share: &Share, path: &str, ground: &Ground<'_>) {
    let policy = ground.policy;
    let keys = |known: Vec<&String>| known.into_iter().cloned().collect::<Vec<_>>();
    let mentions = [
        ("CP401", "role", share.role.value.as_str(), &share.role.span, keys(policy.roles.keys().collect())),
        (
            "CP402",
            "purpose",
            share.purpose.value.as_str(),
            &share.purpose.span,
            keys(policy.purposes.keys().collect()),
        ),
        (
            "CP403",
            "release",
            share.release.value.as_str(),
            &share.release.span,
            keys(policy.releases.keys().collect()),
        ),
        (
            "CP404",
            "dataset",
            share.dataset.value.as_str(),
            &share.dataset.span,
            keys(policy.datasets.keys().collect()),
        ),
    ];
    for (code, what, word, span, known) in mentions {
        if !known.iter().any(|k| k == word) {
            ground.faults.unknown(code, what, word, span, format!("{path}.{what}"), known.into_iter());
        }
    }
    let purpose = &share.purpose;
    if policy.purposes.contains_key(purpose.value.as_str())
        && !ground.framework.purposes.contains(purpose.value.as_str())
    {
        let says = format!("the framework has no purpose {}", purpose.value);
        let known: Vec<&str> = ground.framework.purposes.iter().map(String::as_str).collect();
        ground.faults.error(
            "CP408",
            &purpose.span,
            format!("{path}.purpose"),
            says,
            format!("it has {}", known.join(", ")),
        );
    }
    for link in &share.links {
        if !policy.links.iter().any(|l| l.id.value.as_str() == link.value) {
            let known = policy.links.iter().map(|l| l.id.value.to_string());
            ground.faults.unknown("CP411", "link", &link.value, &link.span, format!("{path}.links"), known);
        }
    }
}

fn lists(share: &Share, path: &str, ground: &Ground<'_>) {
    let dataset = &share.dataset.value;
    if ground.schema.table(dataset).is_none() {
        return;
    }
    let lists =
        [("group_by", &share.group_by, Purposes::Group), ("filter_by", &share.filter_by, Purposes::Filter)];
    for (list, columns, kind) in lists {
        let open = open_columns(ground.schema, ground.framework, dataset, kind);
        for (column, grain) in columns {
            let rule = format!("{path}.{list}.{}", crate::read::shown(&column.value));
            if !known(share, column, &rule, ground) {
                continue;
            }
            usable(share, column, kind, &rule, ground);
            linked(share, column, &rule, ground);
            let on_list = grain_known(share, column, grain, &rule, ground);
            match open.get(&column.value) {
                None => {
                    let says = format!("the framework does not open `{}` here", column.value);
                    ground.faults.error("CP408", &column.span, rule, says, "delete it from the list");
                }
                Some(grains) if on_list && !grains.contains(&grain.value) => {
                    let says = format!("`{}` is finer than the framework allows", grain.value);
                    let coarse: Vec<&str> = grains.iter().map(String::as_str).collect();
                    ground.faults.error(
                        "CP408",
                        &grain.span,
                        rule,
                        says,
                        format!("it allows {}", coarse.join(" or ")),
                    );
                }
                Some(_) => {}
            }
        }
    }
    for apart in share.never_together.iter().flat_map(|n| &n.value) {
        known(share, apart, &format!("{path}.never_together"), ground);
    }
}

/// Whether the column exists, as seen from the share's dataset; reported with the nearest one that does.
fn known(share: &Share, column: &At<String>, rule: &str, ground: &Ground<'_>) -> bool {
    let dataset = &share.dataset.value;
    if ground.schema.find(dataset, &column.value).is_some() {
        return true;
    }
    let every = || {
        ground.schema.ancestry(dataset).into_iter().flat_map(move |t| {
            let seen =
                move |c: &str| if t.name == *dataset { c.to_owned() } else { format!("{}.{c}", t.name) };
            t.columns.iter().map(move |c| seen(&c.name))
        })
    };
    match column.value.chars().find(|c| !c.is_ascii()) {
        Some(c) => {
            let says =
                format!("the column name has a letter that is not a plain one (U+{:04X})", u32::from(c));
            let fix = nearest(&column.value, every())
                .map_or_else(|| "type it again".to_owned(), |n| format!("did you mean `{n}`?"));
            ground.faults.error("CP007", &column.span, rule, says, fix);
        }
        None => ground.faults.unknown("CP405", "column", &column.value, &column.span, rule, every()),
    }
    false
}

/// The column is declared in its dataset with a use that this list needs.
fn usable(share: &Share, column: &At<String>, list: Purposes, rule: &str, ground: &Ground<'_>) {
    let Some(found) = ground.schema.find(&share.dataset.value, &column.value) else { return };
    let (table, name) = (&found.table.name, &found.column.name);
    let Some(declared) = ground.policy.datasets.get(table).and_then(|d| d.columns.get(name)) else {
        let says = format!("`{name}` is not listed in [dataset.{table}.columns], so it is hidden");
        ground.faults.error("CP407", &column.span, rule, says, "list it there first, or delete it here");
        return;
    };
    let Some(usage) = declared.usage.as_ref().map(|u| u.value) else { return };
    let may = if list == Purposes::Group { usage.groups() } else { usage.filters() };
    let (dated, allows) =
        (found.column.allows(cairn_question::schema::Use::Period), |u| found.column.allows(u));
    let dictionary = match list {
        Purposes::Group => dated || allows(cairn_question::schema::Use::Group),
        Purposes::Filter => dated || allows(cairn_question::schema::Use::Filter),
    };
    if !may || !dictionary {
        let verb = if list == Purposes::Group { "grouped" } else { "filtered" };
        let says = format!(
            "`{name}` is `use = \"{}\"` and the dictionary says \"{}\": it is never {verb} by",
            usage.as_str(),
            found.column.use_in_words
        );
        ground.faults.error("CP407", &column.span, rule, says, "delete it from the list");
    }
}

/// A column of a table above needs every link on the way there.
fn linked(share: &Share, column: &At<String>, rule: &str, ground: &Ground<'_>) {
    let Some(found) = ground.schema.find(&share.dataset.value, &column.value) else { return };
    let way = ground.schema.ancestry(&share.dataset.value);
    for table in way.iter().take_while(|t| t.name != found.table.name) {
        let id =
            ground.policy.links.iter().find(|l| l.right.value == table.name).map(|l| l.id.value.to_string());
        if !id.as_ref().is_some_and(|id| share.links.iter().any(|l| l.value == *id)) {
            let says = format!(
                "`{}` is seen through a link from {} that the share does not list",
                column.value, table.name
            );
            let fix = match id {
                Some(id) => format!("add \"{id}\" to `links`"),
                None => format!("declare a [[link]] with right = \"{}\" and add it to `links`", table.name),
            };
            ground.faults.error("CP411", &column.span, rule, says, fix);
        }
    }
}

fn grain_known(
    share: &Share,
    column: &At<String>,
    grain: &At<String>,
    rule: &str,
    ground: &Ground<'_>,
) -> bool {
    let Some(found) = ground.schema.find(&share.dataset.value, &column.value) else { return false };
    let declared =
        ground.policy.datasets.get(&found.table.name).and_then(|d| d.columns.get(&found.column.name));
    let grains: Vec<String> =
        declared.into_iter().flat_map(|d| d.grains.iter().map(|g| g.value.clone())).collect();
    let on_list = grains.contains(&grain.value);
    if !on_list {
        ground.faults.unknown("CP406", "grain", &grain.value, &grain.span, rule, grains.into_iter());
    }
    on_list
}

fn counts(share: &Share, path: &str, ground: &Ground<'_>) {
    let Some(floor) = &ground.framework.floor else { return };
    let limits = [
        ("max_group_columns", &share.max_group_columns, &floor.max_group_columns, share.group_by.len()),
        ("max_filter_columns", &share.max_filter_columns, &floor.max_filter_columns, share.filter_by.len()),
    ];
    for (key, own, most, listed) in limits {
        if own.value > most.value {
            let says = format!("{} is above the framework's {}", own.value, most.value);
            ground.faults.error(
                "CP413",
                &own.span,
                format!("{path}.{key}"),
                says,
                format!("write {} or less", most.value),
            );
        }
        if own.value > 0 && listed == 0 {
            let says = format!("{} allowed, and none listed: what may be used must be listed", own.value);
            ground.faults.error(
                "CP415",
                &own.span,
                format!("{path}.{key}"),
                says,
                "list the columns, or write 0",
            );
        }
        if own.value == 0 && listed > 0 {
            let says = format!("{listed} listed, and none allowed");
            ground.faults.error(
                "CP415",
                &own.span,
                format!("{path}.{key}"),
                says,
                "write 1 or more, or empty the list",
            );
        }
    }
    let (day, year) = (&share.tables_per_day, &share.tables_per_year);
    if year.value < day.value {
        let says = "the quota of a year is below the quota of a day";
        ground.faults.error(
            "CP414",
            &year.span,
            format!("{path}.per_analyst"),
            says,
            "raise one or lower the other",
        );
    }
    let rows = share.answers.iter().find(|a| a.value == Measure::Rows);
    let dataset = ground.policy.datasets.get(&share.dataset.value);
    let one_each = ground.schema.table(&share.dataset.value).is_some_and(|t| t.rows_per_person_max.is_none());
    if let (Some(rows), Some(dataset)) = (rows, dataset)
        && dataset.rows_per_person.is_none()
        && !one_each
    {
        let says =
            format!("rows of {} are counted, and nothing bounds the rows of one person", share.dataset.value);
        let fix = format!("add max_rows_per_person to [dataset.{}]", share.dataset.value);
        ground.faults.error("CP416", &rows.span, format!("{path}.answers"), says, fix);
    }
}

fn window(share: &Share, path: &str, ground: &Ground<'_>) {
    let dataset = &share.dataset.value;
    let Some(window) = &share.window else {
        let dated = |c: &&(At<String>, At<String>)| is_dated(ground.schema, dataset, &c.0.value);
        if let Some((column, _)) = share.group_by.iter().chain(&share.filter_by).find(dated) {
            let says = format!("`{}` holds days, and no window says from which day on", column.value);
            let fix = "add window = { column = …, from = …, lag_days = … }";
            ground.faults.error("CP412", &column.span, format!("{path}.window"), says, fix);
        }
        return;
    };
    let rule = format!("{path}.window");
    if known(share, &window.column, &rule, ground) && !is_dated(ground.schema, dataset, &window.column.value)
    {
        let says = format!("`{}` holds no days", window.column.value);
        ground.faults.error("CP412", &window.column.span, rule.clone(), says, "name a date column");
    }
    linked(share, &window.column, &rule, ground);
    let least = ground.framework.floor.as_ref().map_or(0, |f| f.lag_days.value);
    if window.lag_days.value < least {
        let says = format!("{} days of lag, the framework has {least}", window.lag_days.value);
        ground.faults.error("CP417", &window.lag_days.span, rule, says, format!("write {least} or more"));
    }
}

/// What the share's release may and must do.
fn released(share: &Share, path: &str, ground: &Ground<'_>) {
    let Some(Some(release)) = ground.policy.releases.get(&share.release.value) else { return };
    if let (How::Dp { .. }, Some(cohort)) = (&release.how, share.min_cohort.as_ref().filter(|c| c.value > 0))
    {
        let says = "`min_cohort` looks at the records, and a `dp` table must not depend on such a look";
        ground.faults.error("CP306", &cohort.span, format!("{path}.min_cohort"), says, "delete the line");
    }
    if ground.framework.fits_special(release.how.as_str()) {
        return;
    }
    let lists: [(&str, &Columns); 2] = [("group_by", &share.group_by), ("filter_by", &share.filter_by)];
    for (list, columns) in lists {
        for (column, _) in columns.iter().filter(|c| special(share, &c.0.value, ground)) {
            let says = format!("`{}` is special-category data: it leaves by `dp` only", column.value);
            let fix = "move it to a share whose release is `dp`, or delete it";
            ground.faults.error("CP418", &column.span, format!("{path}.{list}.{}", column.value), says, fix);
        }
    }
}

fn special(share: &Share, column: &str, ground: &Ground<'_>) -> bool {
    ground.schema.find(&share.dataset.value, column).is_some_and(|found| {
        let declared =
            ground.policy.datasets.get(&found.table.name).and_then(|d| d.columns.get(&found.column.name));
        found.column.class == Class::SpecialCategory || declared.is_some_and(|d| d.special)
    })
}

/// Faults of two shares together.
fn pairs(ground: &Ground<'_>) {
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
fn unused(ground: &Ground<'_>) {
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
