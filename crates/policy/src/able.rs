//! What this program can carry out of what a policy may say: one list, for the node's gate, for the checker and for
//! every page about a policy.

use cairn_question::answer::Zeros;
use cairn_question::{Measure, Perturbations, Question, Schema};

use crate::decide::treatment;
use crate::layers::{Layers, Ready};
use crate::treatment::{Cells, CountOnce, Mechanism, Method, Secondary, Treatment};

/// One thing that a treatment asks for and this program cannot do yet.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Unable {
    /// The rule that asks for it: `release.published-table.method`.
    pub rule: String,
    /// What cannot be done, after "cannot": `make cell-key tables`.
    pub what: String,
    /// The code of the refusal.
    pub code: &'static str,
}

/// All that a question's treatment asks for and this program cannot do yet. A board may sign a policy for a treatment before
/// every node can make it; a node that cannot refuses, and never answers under a laxer one.
#[must_use]
pub fn unable(treatment: &Treatment, question: &Question) -> Vec<Unable> {
    let mut list = Vec::new();
    let mut cannot = |rule: String, what: String| list.push(Unable { rule, what, code: NOT_YET });
    let release = |key: &str| format!("release.{}.{key}", treatment.release);
    match &treatment.method {
        // Its two parts would each need their own share of ρ in the answer.
        Method::Dp { mechanism: Mechanism::Gaussian(_), .. }
            if matches!(question.measure, Measure::Mean(_)) =>
        {
            cannot("question.measure".to_owned(), "make a mean under Gaussian noise".to_owned());
        }
        Method::SuppressRound(_) | Method::SuppressAudit(_) | Method::Dp { .. } => {}
        // A row has no key of its own, and a sum would need the keys of its rows.
        Method::CellKey { .. } if question.measure == Measure::People => {}
        Method::CellKey { .. } => {
            cannot(release("method"), "count anything but people under cell-key".to_owned());
        }
        Method::CountOnce(count) => {
            if question.measure != Measure::People {
                cannot(release("method"), format!("count {} once across partners", question.measure));
            }
            // No account holds what it would cost.
            if !question.group_by.is_empty() && count.cells_per_person == CountOnce::UNSAID {
                cannot(release("method"), "break down a count of people once".to_owned());
            }
            if treatment.min_partners <= 1 {
                cannot(release("min_partners"), "count people once at one partner".to_owned());
            }
        }
    }
    let cells = treatment.method.cells();
    // A total is nobody's own table: no audit is made of it.
    let audited = treatment.method.audited().filter(|_| treatment.min_partners <= 1);
    for (key, what) in audited.into_iter().flat_map(|cells| unable_audit(&treatment.method, cells, question))
    {
        cannot(release(key), what);
    }
    if cells.is_some_and(|c| c.secondary == Secondary::Yes && audited.is_none()) {
        cannot(release("secondary"), "withhold cells that would give others away".to_owned());
    }
    if cells.is_some_and(|c| c.dominance.is_some()) {
        cannot(release("dominance"), "withhold sums that a few people dominate".to_owned());
    }
    if let Some(what) = unable_total(treatment, question).filter(|_| treatment.min_partners > 1) {
        cannot(release("min_partners"), what);
    }
    if let Some(what) = question.measure.column().and_then(|column| unable_sum(treatment, column)) {
        cannot("question.measure".to_owned(), what);
    }
    list.extend(unable_perturbed(treatment));
    list
}

/// A table of perturbations that no total may be made with.
fn unable_perturbed(treatment: &Treatment) -> Option<Unable> {
    let Method::CellKey { table, .. } = &treatment.method else { return None };
    let unfit = treatment.min_partners > 1 && Perturbations::named(table).is_none();
    let fit = Perturbations::ALL.map(Perturbations::as_str).join(", ");
    unfit.then(|| Unable {
        rule: format!("release.{}.ptable", treatment.release),
        what: format!("change the counts of a secure total by {table} ({fit} is made for one)"),
        code: "CN026",
    })
}

/// Why this program does not add a table to a total without showing it: it does so for counts, with shared noise or by threshold and rounding on
/// the total, and for people counted once; and for people with counts changed by their keys, where no cohort is held, which would take exact numbers.
fn unable_total(treatment: &Treatment, question: &Question) -> Option<String> {
    let what = match (&treatment.method, &question.measure) {
        (Method::CellKey { .. }, Measure::People) if treatment.min_cohort > 0 => {
            "hold cohorts in a secure total under cell-key".to_owned()
        }
        (Method::Dp { .. } | Method::SuppressRound(_), Measure::People | Measure::Rows)
        | (Method::CellKey { .. }, Measure::People) => {
            return None;
        }
        (Method::Dp { .. } | Method::SuppressRound(_), measure) => {
            format!("make a secure total of {measure}")
        }
        (Method::CountOnce(_), Measure::People) => return None,
        (method, _) => format!("make a secure total under {}", method.as_str()),
    };
    Some(what)
}

/// What is asked of a share whatever the columns, and cannot be done yet.
pub(crate) fn unable_of(layers: &Layers, ready: &Ready, measure: &Measure) -> Vec<Unable> {
    let question = Question {
        role: ready.share.role.value.clone(),
        purpose: ready.share.purpose.value.clone(),
        dataset: ready.share.dataset.value.clone(),
        measure: measure.clone(),
        group_by: Vec::new(),
        filter_by: Vec::new(),
        as_of: None,
    };
    unable(&treatment(layers, ready, &question), &question)
}

/// What of an audit this program cannot do: it knows tables of people, one row each, whose zeros are shown. The key of the release, and
/// what cannot be done.
fn unable_audit(method: &Method, cells: &Cells, question: &Question) -> Vec<(&'static str, String)> {
    let schema = Schema::smf();
    let mut list = Vec::new();
    // What asks for the audit.
    let key = if matches!(method, Method::SuppressRound(_)) { "secondary" } else { "method" };
    if question.measure != Measure::People {
        list.push((key, format!("audit a table of {}", question.measure)));
    }
    if !of_person_alone(schema, &question.dataset) {
        list.push((
            key,
            format!("audit a table in which a person may have several rows of {}", question.dataset),
        ));
    }
    let axes = question.group_by.iter().map(|axis| &axis.column);
    let columns = axes.chain(question.filter_by.iter().map(|filter| &filter.column));
    for column in columns.filter(|column| !is_coded(schema, &question.dataset, column)) {
        list.push((key, format!("audit a table by {column}, which is no coded column of the person")));
    }
    if cells.zeros == Zeros::Withhold {
        list.push(("zeros", "audit a table whose zeros are withheld".to_owned()));
    }
    list
}

/// Whether a row of the dataset is a person, so that everybody is in one cell of a table of it.
fn of_person_alone(schema: &Schema, dataset: &str) -> bool {
    let table = schema.table(dataset);
    table.is_some_and(|t| t.person_key.is_some() && t.rows_per_person_max.is_none() && t.parent.is_none())
}

fn is_coded(schema: &Schema, dataset: &str, column: &str) -> bool {
    schema.own_coded(dataset, column).is_some()
}

/// Why this program does not add a column up: it does so with noise and within declared bounds only. Without noise a sum would
/// have to be withheld where a few people make up most of it, and no such rule is kept yet.
fn unable_sum(treatment: &Treatment, column: &str) -> Option<String> {
    if !matches!(treatment.method, Method::Dp { .. }) {
        return Some(format!("add up {column}"));
    }
    let Some(summed) = &treatment.summed else {
        return Some(format!("add up {column}, which the policy does not bound"));
    };
    let most = u64::from(summed.most) * u64::from(treatment.rows_per_person.unwrap_or(1));
    (most > PERSON_ADDS_MAX).then(|| format!("add up {column} where one person can add {most}"))
}

/// The code of what a later program may do.
const NOT_YET: &str = "CN010";

/// Most that one person may add to a sum: the noise must be that wide, and beyond this it would be all that is seen.
const PERSON_ADDS_MAX: u64 = u32::MAX as u64;
