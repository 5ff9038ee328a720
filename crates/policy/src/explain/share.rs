//! One paragraph a share, and what its protection does.

use cairn_question::Day;
use cairn_question::answer::Zeros;

use super::board::table_of_once;
use super::model::{Answered, Most, Once, Protection, Share, Shown, words};
use super::wording::{either, list, whole};
use crate::decimal;

/// The share in one paragraph.
pub(crate) fn paragraph(share: &Share) -> String {
    let yet = match share.answered {
        Answered::Yes => "",
        Answered::InPart => " Answered in part so far.",
        Answered::NotYet => " Not answered yet.",
    };
    let mut says =
        format!("{}.{yet} {} may ask {}, for {}", share.id, who(share), asked(share), share.purpose);
    says.push_str(&time_limit(share.from, share.until));
    says.push_str(". ");
    says.push_str(&listed("Broken down by", &share.group_by, share.max_group));
    says.push_str(&listed("Narrowed by", &share.filter_by, share.max_filter));
    for apart in &share.apart {
        says.push_str(&format!("Never together: {}. ", list(apart)));
    }
    says.push_str(&rows(share));
    says.push_str(&filters(share));
    match &share.indicators {
        Some(named) if named.is_empty() => {
            says.push_str("No indicator is approved, so nothing is answered. ")
        }
        Some(named) => says.push_str(&format!(
            "Only the questions of the approved indicators {}, word for word. ",
            list(named)
        )),
        None => {}
    }
    says.push_str(&path(share));
    says.push_str(&protection(&share.protection));
    says.push_str(&changed(share));
    says.push_str(&quota(share));
    says
}

/// What stops a filter that leaves out just a few people, or that nothing does.
fn filters(share: &Share) -> String {
    let narrowed = share.max_filter > 0 && !share.filter_by.is_empty();
    match (share.min_cohort, &share.protection) {
        _ if !narrowed => String::new(),
        (0, Protection::Plain { .. }) => {
            "No rule stops a filter that leaves out just a few people. ".to_owned()
        }
        // Noise covers the few: the difference of two tables is as uncertain as each.
        (0, Protection::Noise { .. } | Protection::Once(_)) => String::new(),
        (least, _) => {
            format!("A filter leaves out nobody or at least {least} people, or the table is withheld. ")
        }
    }
}

fn who(share: &Share) -> String {
    match &share.named {
        Some(named) if named.is_empty() => format!("Nobody in the role {}", share.role),
        Some(named) => format!("Only {} in the role {}", list(named), share.role),
        None => format!("The role {}", share.role),
    }
}

fn asked(share: &Share) -> String {
    let many = (!share.counted.is_empty()).then(|| format!("how many {} are", either(&share.counted)));
    let added = share.summed.iter().map(|c| format!("the sum of {}", words(c)));
    let means = share.averaged.iter().map(|c| format!("the average of {}", words(c)));
    let asked: Vec<String> = many.into_iter().chain(added).chain(means).collect();
    format!("{} in {}", either(&asked), share.dataset)
}

fn time_limit(from: Option<Day>, until: Option<Day>) -> String {
    match (from, until) {
        (Some(from), Some(until)) => format!(", from {from} to {until} only"),
        (Some(from), None) => format!(", from {from} on only"),
        (None, Some(until)) => format!(", until {until} only"),
        (None, None) => String::new(),
    }
}

fn listed(verb: &str, columns: &[(String, Option<String>)], most: u32) -> String {
    if columns.is_empty() || most == 0 {
        return format!("Not {} anything. ", verb.to_lowercase());
    }
    let names: Vec<String> = columns
        .iter()
        .map(|(column, grain)| match grain {
            Some(grain) => format!("{} by {grain}", words(column)),
            None => words(column),
        })
        .collect();
    format!("{verb} at most {most} of: {}. ", names.join(", "))
}

fn rows(share: &Share) -> String {
    let mut says = String::new();
    if let Some((column, from, lag)) = &share.window {
        says.push_str(&match lag {
            0 => format!("Rows count from {from} on ({column}). "),
            days => format!("Rows count from {from} to {days} days before the snapshot ({column}). "),
        });
    }
    if let Some(most) = share.rows_per_person {
        says.push_str(&format!("At most {most} rows a person count. "));
    }
    says
}

fn path(share: &Share) -> String {
    match share.min_partners {
        0 | 1 => String::new(),
        least => format!("Leaves only in a total over at least {least} partners. "),
    }
}

/// How far off a total is in which every partner has changed its own counts.
fn changed(share: &Share) -> String {
    share.changed.map_or_else(String::new, |off| {
        let error = decimal::print(off.standard_error_thousandths.saturating_mul(1_000));
        format!(
            " Every partner changes its own counts before they are added up: the total of {} has a standard error of at most {error}.",
            off.partners
        )
    })
}

/// What happens to a cell before it leaves.
pub(crate) fn protection(protection: &Protection) -> String {
    match protection {
        Protection::Plain { min_people, zeros, shown, secondary, audited, dominance } => {
            let most = min_people.saturating_sub(1);
            let small = match zeros {
                Zeros::Show => format!("0 is shown, 1 to {most} are withheld"),
                Zeros::Withhold => format!("0 to {most} are withheld"),
            };
            let mut says = format!("Protection: {small}, {}", others(shown));
            if *secondary {
                says.push_str(" Cells that would give one away are withheld too.");
            }
            if *audited {
                says.push_str(" Its totals leave with it, and earlier ones are checked too.");
            }
            if let Some((largest, percent)) = dominance {
                let people = if *largest == 1 {
                    "one person makes".to_owned()
                } else {
                    format!("{largest} people make")
                };
                says.push_str(&format!(" A sum is withheld where {people} up more than {percent} % of it."));
            }
            says
        }
        Protection::Once(once) => counted_once(once),
        Protection::Noise { epsilon, concentrated: None, .. } => {
            format!("Protection: random noise on every count, ε = {epsilon} a table.")
        }
        Protection::Noise { epsilon, concentrated: Some((rho, chance)), .. } => format!(
            "Protection: random noise on every count, from the bell curve (Gaussian), ρ = {rho} a table: ε = {epsilon}, but for a chance of {chance}."
        ),
    }
}

fn counted_once(once: &Once) -> String {
    let Once { epsilon, keys, person, counts: (year, life), broken_down, .. } = once;
    let under = match keys {
        1 => String::new(),
        keys => format!(", so up to {person} a count for a person recorded under {keys}"),
    };
    format!(
        "The figure is how many different people all partners know together: a random pattern leaves, in which a person known to several partners \
         counts once. Protection: ε₀ = {epsilon} for each linkage key and each count{under}. At most {} counts a year and {} ever, on an \
         account of its own.{}",
        whole(u64::from(*year)),
        whole(u64::from(*life)),
        table_of_once(broken_down.as_ref())
    )
}

fn others(shown: &Shown) -> String {
    match shown {
        Shown::Exact => "others are given exactly.".to_owned(),
        Shown::Rounded(1) => "others are not rounded.".to_owned(),
        Shown::Rounded(base) => format!("others are given to the nearest {base}."),
        Shown::Perturbed(table, base) => {
            let nearest = if *base > 1 { format!(", to the nearest {base},") } else { ",".to_owned() };
            format!("others are changed a little{nearest} alike for the same people (cell key {table}).")
        }
    }
}

fn quota(share: &Share) -> String {
    let day = whole(u64::from(share.per_day));
    match share.per_year {
        Some(year) => {
            format!(" Each analyst: {day} tables a day, {} a year.", whole(u64::from(year)))
        }
        None => format!(" Each analyst: {day} tables a day."),
    }
}

/// The most tables a year, and for life, in words for a table of figures.
pub(crate) fn most(share: &Share) -> [String; 2] {
    match share.most {
        Most::Account { per_year, lifetime } => [whole(per_year), whole(lifetime)],
        Most::Counts { per_year, lifetime } => [per_year, lifetime].map(|n| whole(n.into())),
        Most::Quotas { per_year } => [whole(per_year), "no cap".to_owned()],
    }
}
