//! The hashes by which the ledger knows under which settings a table left. Their forms are fixed: another form would make every
//! answered table of a snapshot look as if it had been answered under other settings.

use cairn_policy::{KeepYears, Mechanism, Method, OptOut, Secondary, Treatment, Window};
use cairn_question::answer::{TreatmentV1, Zeros};
use cairn_question::{Day, Hash};
use serde::Serialize;

/// Everything that decides how a table is counted and protected: an equal question is given its table again only under these.
pub(crate) fn all(treatment: &Treatment, statement: &TreatmentV1) -> Hash {
    #[derive(Serialize)]
    struct SettingsV1<'a> {
        cairn_settings: u8,
        treatment: &'a TreatmentV1,
        window: WindowV1<'a>,
        rows_per_person: Option<u32>,
        groups_per_person: Option<u32>,
        // Left out for a partner's own table, as it was before there were totals.
        #[serde(skip_serializing_if = "Option::is_none")]
        total: Option<u32>,
        // Left out where the policy has no such rule, as it was before policies could have one.
        #[serde(skip_serializing_if = "Option::is_none")]
        keep: Option<KeepV1<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        opt_out: Option<OptOutV1<'a>>,
        // Left out where people are not counted once, as it was before they could be: ε₀ in millionths, and keys for each person.
        #[serde(skip_serializing_if = "Option::is_none")]
        count_once: Option<(u32, u32)>,
        // Left out where a person is in one cell, as it was before such counts were broken down.
        #[serde(skip_serializing_if = "Option::is_none")]
        cells_per_person: Option<u32>,
    }
    let count_once = match &treatment.method {
        Method::CountOnce(count) => Some((count.epsilon.millionths(), count.keys_per_person)),
        _ => None,
    };
    let cells_per_person = match &treatment.method {
        Method::CountOnce(count) => Some(count.cells_per_person).filter(|most| *most > 1),
        _ => None,
    };
    let groups_per_person = match treatment.method {
        Method::Dp { groups_per_person, .. } => Some(groups_per_person),
        _ => None,
    };
    hash(&SettingsV1 {
        cairn_settings: 1,
        treatment: statement,
        window: window(&treatment.window),
        rows_per_person: treatment.rows_per_person,
        groups_per_person,
        total: Some(treatment.min_partners).filter(|least| *least > 1),
        keep: treatment.keep.as_ref().map(keep),
        opt_out: treatment.opt_out.as_ref().map(opt_out),
        count_once,
        cells_per_person,
    })
}

/// The part that is not ordered, so that neither of two is the stricter: it sticks to all tables of a dataset for a role.
///
/// Threshold, ε, cohort rule and the least number of partners are ordered, and a stricter one holds at once. Of the partners only
/// the path is not: the partner's own table, or a total.
pub(crate) fn unordered(treatment: &Treatment) -> Hash {
    #[derive(Serialize)]
    struct UnorderedV1<'a> {
        cairn_unordered: u8,
        method: &'a str,
        cells: Option<CellsV1<'a>>,
        total: bool,
        window: WindowV1<'a>,
        rows_per_person: Option<u32>,
        keep: Option<KeepV1<'a>>,
        opt_out: Option<OptOutV1<'a>>,
        // Left out where nothing is added up, as it was before columns could be.
        #[serde(skip_serializing_if = "Option::is_none")]
        summed: Option<(u32, u32)>,
        // Left out for Laplace noise, as it was when there was no other.
        #[serde(skip_serializing_if = "Option::is_none")]
        mechanism: Option<&'a str>,
    }
    #[derive(Serialize)]
    struct CellsV1<'a> {
        profile: &'a str,
        round_to: u32,
        zeros: &'a str,
        secondary: bool,
        dominance: Option<(u32, u32)>,
        table: Option<&'a str>,
    }
    let cells = treatment.method.cells().map(|cells| CellsV1 {
        profile: &cells.profile,
        round_to: cells.round_to,
        zeros: match cells.zeros {
            Zeros::Show => "show",
            Zeros::Withhold => "withhold",
        },
        secondary: cells.secondary == Secondary::Yes,
        dominance: cells.dominance.map(|d| (d.largest, d.max_percent)),
        table: match &treatment.method {
            Method::CellKey { table, .. } => Some(table),
            _ => None,
        },
    });
    hash(&UnorderedV1 {
        cairn_unordered: 1,
        method: treatment.method.as_str(),
        cells,
        total: treatment.min_partners > 1,
        window: window(&treatment.window),
        rows_per_person: treatment.rows_per_person,
        keep: treatment.keep.as_ref().map(keep),
        opt_out: treatment.opt_out.as_ref().map(opt_out),
        summed: treatment.summed.as_ref().map(|s| (s.least, s.most)),
        mechanism: match treatment.method {
            Method::Dp { mechanism: Mechanism::Gaussian(_), .. } => Some("discrete-gaussian"),
            _ => None,
        },
    })
}

type WindowV1<'a> = (Option<&'a str>, Option<Day>, u32);
type KeepV1<'a> = (&'a str, u32);
type OptOutV1<'a> = (&'a str, &'a [String]);

fn window(window: &Window) -> WindowV1<'_> {
    (window.column.as_deref(), window.from, window.lag_days)
}

fn keep(keep: &KeepYears) -> KeepV1<'_> {
    (&keep.column, keep.years)
}

fn opt_out(opt_out: &OptOut) -> OptOutV1<'_> {
    (&opt_out.column, &opt_out.share_only_if)
}

fn hash(settings: &impl Serialize) -> Hash {
    // Numbers, names and days only: serde_json cannot fail on them.
    Hash::of(&serde_json::to_vec(settings).unwrap_or_default())
}

#[cfg(test)]
mod tests;
