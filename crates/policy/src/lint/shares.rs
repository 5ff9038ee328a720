use cairn_question::Measure;
use cairn_question::form::nearest;
use cairn_question::schema::Class;

use crate::document::{Columns, How, Release, Share};
use crate::layers::{Purposes, is_dated, min_partners, open_columns, own_table_allowed};
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
        super::offers::check(share, &path, ground);
        super::once::share(share, &path, ground);
    }
    if ground.policy.shares.is_empty() {
        let says = "nothing is shared: every question will be refused";
        ground.faults.warn("CP803", &(0..0), "share", says, "add a [[share]], if anything is to be shared");
    }
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
    let day = &share.tables_per_day;
    if let Some(year) = share.tables_per_year.as_ref().filter(|y| y.value < day.value) {
        let says = "the quota of a year is below the quota of a day";
        ground.faults.error(
            "CP414",
            &year.span,
            format!("{path}.per_analyst"),
            says,
            "raise one or lower the other",
        );
    }
    // A sum, too, takes every row of a person.
    let rows = share.answers.iter().find(|a| a.value != Measure::People);
    let dataset = ground.policy.datasets.get(&share.dataset.value);
    let one_each = ground.schema.table(&share.dataset.value).is_some_and(|t| t.rows_per_person_max.is_none());
    if let (Some(rows), Some(dataset)) = (rows, dataset)
        && dataset.rows_per_person.is_none()
        && !one_each
    {
        let says =
            format!("rows of {} count, and nothing bounds the rows of one person", share.dataset.value);
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
    let noisy = matches!(release.how, How::Dp { .. } | How::CountOnce(_));
    if let Some(cohort) = share.min_cohort.as_ref().filter(|c| noisy && c.value > 0) {
        let says = format!(
            "`min_cohort` looks at the records, and a `{}` table must not depend on such a look",
            release.how.as_str()
        );
        ground.faults.error("CP306", &cohort.span, format!("{path}.min_cohort"), says, "delete the line");
    }
    small_cohort(share, release, path, ground);
    if let Some(head) = &ground.policy.head
        && min_partners(release) == 1
        // Of a count of people once that is said at the release.
        && !matches!(release.how, How::CountOnce(_))
        && ground.framework.floor.is_some()
        // A role that is not there is named once.
        && ground.policy.roles.contains_key(share.role.value.as_str())
        && !own_table_allowed(ground.policy, head, ground.framework, &share.role.value)
    {
        let says = format!(
            "{} gives this partner's own table to a role that others vouch for; the framework allows totals only",
            share.release.value
        );
        let span = release.min_partners.as_ref().map_or(&share.release.span, |p| &p.span);
        let fix = "write min_partners = 3 or more, or use a release for this partner's own role";
        ground.faults.error("CP304", span, format!("{path}.release"), says, fix);
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

/// A cohort smaller than the smallest count that is shown lets through the very difference that it is to stop.
fn small_cohort(share: &Share, release: &Release, path: &str, ground: &Ground<'_>) {
    let (How::Cells(cells), Some(cohort)) = (&release.how, share.min_cohort.as_ref().filter(|c| c.value > 0))
    else {
        return;
    };
    let profile = cells.profile.as_ref().and_then(|p| ground.framework.profiles.get(&p.value));
    let own = cells.min_people.as_ref().map_or(0, |m| m.value);
    let least = own.max(profile.map_or(0, |p| p.min_people.value));
    if cohort.value < least {
        let says = format!(
            "a filter may leave out {} people, and a count below {least} is withheld: a difference of two tables shows it",
            cohort.value
        );
        let fix = format!("write {least} or more");
        ground.faults.warn("CP429", &cohort.span, format!("{path}.min_cohort"), says, fix);
    }
}

fn special(share: &Share, column: &str, ground: &Ground<'_>) -> bool {
    ground.schema.find(&share.dataset.value, column).is_some_and(|found| {
        let declared =
            ground.policy.datasets.get(&found.table.name).and_then(|d| d.columns.get(&found.column.name));
        found.column.class == Class::SpecialCategory || declared.is_some_and(|d| d.special)
    })
}
