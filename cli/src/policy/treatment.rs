//! How an answer would be counted and protected, in words.

use cairn_policy::{Cells, CountOnce, Mechanism, Method, Secondary, SnapshotEvery, Treatment};
use cairn_question::answer::Zeros;
use cairn_question::privacy::trillionths;

/// One line for each thing that a board may want to know.
pub(super) fn in_words(treatment: &Treatment) -> Vec<String> {
    let mut lines = vec![format!("method     {}", method(&treatment.method))];
    lines.push(format!("leaves as  {}", leaves(treatment.min_partners)));
    lines.push(format!("counts     {}", counted(treatment)));
    let left_out = left_out(treatment);
    if !left_out.is_empty() {
        lines.push(format!("left out   {left_out}"));
    }
    if treatment.min_cohort > 0 {
        lines.push(format!(
            "cohort     a filter leaves out nobody or at least {} people, or else the whole table is withheld",
            treatment.min_cohort
        ));
    }
    lines.push(format!("quota      {}", quota(treatment)));
    lines
}

fn method(method: &Method) -> String {
    let audited =
        method.audited().map_or("", |_| "; totals leave with it, audited beside such tables before it");
    match method {
        Method::SuppressRound(rules) => format!("threshold and rounding: {}{audited}", cells(rules)),
        Method::SuppressAudit(rules) => {
            format!("exact counts with small cells withheld: {}{audited}", cells(rules))
        }
        Method::CellKey { table, cells: rules } => {
            format!("perturbed by cell key ({table}): {}", cells(rules))
        }
        Method::CountOnce(count) => format!(
            "people counted once over all partners: ε₀ = {} for each linkage key and each count, up to {} keys a person{}; at most {} counts a \
             year and {} ever, on an account of their own",
            count.epsilon,
            count.keys_per_person,
            cells_of_once(count),
            count.counts_per_year,
            count.counts_lifetime
        ),
        Method::Dp { mechanism, epsilon, groups_per_person } => {
            let many = match groups_per_person {
                1 => "a person is in one cell".to_owned(),
                many => format!("a person is in up to {many} cells"),
            };
            match mechanism {
                Mechanism::Laplace => format!("noise: discrete Laplace, ε = {epsilon} a table; {many}"),
                Mechanism::Gaussian(loss) => format!(
                    "noise: discrete Gaussian, ρ = {} a table (ε = {epsilon} at δ = {}); {many}",
                    loss.rho,
                    trillionths(loss.delta_trillionths)
                ),
            }
        }
    }
}

/// What a table of such counts costs, each cell being a count of its own to whoever is in it.
fn cells_of_once(count: &CountOnce) -> String {
    match count.cells_per_person {
        1 => String::new(),
        cells => format!(" in up to {cells} cells, ε = {} in all", count.person_epsilon()),
    }
}

fn cells(rules: &Cells) -> String {
    let mut words = vec![format!("fewer than {} people are withheld", rules.min_people)];
    if rules.round_to > 1 {
        words.push(format!("rounded to the nearest {}", rules.round_to));
    }
    words.push(match rules.zeros {
        Zeros::Show => "0 is shown".to_owned(),
        Zeros::Withhold => "0 is withheld".to_owned(),
    });
    if rules.secondary == Secondary::Yes {
        words.push("cells that would give one away are withheld with it".to_owned());
    }
    if let Some(dominance) = rules.dominance {
        words.push(format!(
            "a sum is withheld where the {} largest make up more than {} % of it",
            dominance.largest, dominance.max_percent
        ));
    }
    words.join("; ")
}

fn leaves(min_partners: u32) -> String {
    match min_partners {
        0 | 1 => "this partner's own table, under its name".to_owned(),
        many => format!("part of a total over at least {many} partners, never alone"),
    }
}

fn counted(treatment: &Treatment) -> String {
    let window = &treatment.window;
    let mut words = vec![match (&window.column, window.from) {
        (Some(column), Some(from)) => format!("rows with {column} from {from} on"),
        _ => "every row of the snapshot".to_owned(),
    }];
    if window.lag_days > 0 {
        words.push(format!("not the last {} days before the snapshot's day", window.lag_days));
    }
    if let Some(rows) = treatment.rows_per_person {
        words.push(format!("at most {rows} rows of one person"));
    }
    if let Some(every) = treatment.snapshot {
        let every = match every {
            SnapshotEvery::Month => "a month",
            SnapshotEvery::Quarter => "a quarter",
        };
        words.push(format!("as records stood at the end of {every}"));
    }
    words.join("; ")
}

fn left_out(treatment: &Treatment) -> String {
    let mut words = Vec::new();
    if let Some(rule) = &treatment.opt_out {
        words.push(format!("people whose {} is not {}", rule.column, rule.share_only_if.join(" or ")));
    }
    if let Some(keep) = &treatment.keep {
        words.push(format!("rows closed ({}) more than {} years ago", keep.column, keep.years));
    }
    words.join("; ")
}

fn quota(treatment: &Treatment) -> String {
    let quota = &treatment.quota;
    let mut words = vec![format!("{} tables a day for one analyst", quota.tables_per_day)];
    if quota.tables_per_year < u32::MAX {
        words.push(format!("{} a year", quota.tables_per_year));
    }
    if let Some(loss) = quota.rho_per_year {
        words.push(format!("a loss of ρ {loss} a year"));
    }
    words.join(", ")
}
