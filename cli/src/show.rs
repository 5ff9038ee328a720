//! Putting a federation's answer on screen, in a CSV file, or in JSON, with everything needed to read it.

mod coverage;
mod csv;
mod json;
mod quantiles;
mod statement;
mod terminal;
mod totals;

use cairn_question::answer::{AddedV1, AuditPromise, ConcentratedV1, NoisyRowsV1, Zeros};
use cairn_question::combine::{CombinedCell, CombinedV1, CoverageV1, Standing};
use cairn_question::{
    AnswerV1, Breakdown, Cell, ChangedTotalV1, Grid, LinkedBy, PartnerId, Question, QuestionId, Schema,
    SealedV1, TreatmentV1, privacy,
};
use cairn_report::QuantileAsk;

use crate::links::Links;

pub(crate) use csv::csv;
pub(crate) use json::json;
pub(crate) use terminal::terminal;

/// A verified result: coverage, the sum that this program made itself, and the tables it is made of.
pub(crate) struct Shown {
    pub(crate) id: QuestionId,
    pub(crate) question: Question,
    pub(crate) grid: Grid,
    pub(crate) coverage: CoverageV1,
    pub(crate) combined: Option<CombinedV1>,
    pub(crate) answers: Vec<(PartnerId, AnswerV1)>,
    /// What the partners of a secure total signed of their part.
    pub(crate) sealed: Vec<(PartnerId, SealedV1)>,
    pub(crate) refusals: Vec<(PartnerId, Option<String>)>,
    /// To be worked out from the tables.
    pub(crate) quantiles: Vec<QuantileAsk>,
    /// Of people counted once: how good the links are, where that was asked for.
    pub(crate) links: Option<Links>,
}

impl Shown {
    fn asked(&self) -> usize {
        self.coverage.partners.len()
    }

    fn answered(&self) -> usize {
        self.coverage.partners.iter().filter(|line| line.standing == Standing::Answered).count()
    }

    /// The codes of each cell, and the cell.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (Vec<&str>, CombinedCell)> {
        let cells = self.combined.iter().flat_map(|c| &c.cells);
        cells.enumerate().map(|(at, cell)| (self.grid.codes_of(at), *cell))
    }

    /// The treatments that were really applied, each once, with the partners it was applied by.
    fn treatments(&self) -> Vec<(&TreatmentV1, Vec<&PartnerId>)> {
        let mut found: Vec<(&TreatmentV1, Vec<&PartnerId>)> = Vec::new();
        for (partner, answer) in &self.answers {
            match found.iter_mut().find(|(t, _)| **t == answer.treatment) {
                Some((_, partners)) => partners.push(partner),
                None => found.push((&answer.treatment, vec![partner])),
            }
        }
        let total = self.coverage.total.as_ref();
        found.extend(total.map(|total| (&total.treatment, total.partners.iter().collect())));
        found
    }
}

/// What people read for a code of an axis: its label, or for a coarser part the code in words.
fn label(question: &Question, column: &str, code: &str) -> String {
    let schema = Schema::smf();
    let found = schema.find(&question.dataset, column);
    let list = found.and_then(|f| f.column.codes.as_deref()).and_then(|id| schema.code_list(id));
    match list.map(|l| l.label(code)) {
        Some(label) if label != code => label.to_owned(),
        Some(_) | None if code.contains('_') || code.chars().all(|c| c.is_ascii_lowercase()) => {
            in_words(code)
        }
        _ => code.to_owned(),
    }
}

/// `16_24` as `16 to 24`, `50_plus` as `50 and over`, `into_work` as `Into work`.
fn in_words(code: &str) -> String {
    let number = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    match code.split_once('_') {
        Some((least, "plus")) => format!("{least} and over"),
        Some((least, most)) if number(least) && number(most) => format!("{least} to {most}"),
        _ => {
            let text = code.replace('_', " ");
            let mut letters = text.chars();
            letters
                .next()
                .map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
                .unwrap_or_default()
        }
    }
}

/// The heading of an axis.
fn heading(column: &str, grain: &str) -> String {
    let name = column.split_once('.').map_or(column, |(_, name)| name);
    let name = match name {
        "council_code" => "council",
        other => other,
    };
    match grain {
        "code" => name.replace('_', " "),
        grain => format!("{} ({grain})", name.replace('_', " ")),
    }
}

/// A cell's marker for a file: none for a value that is whole.
const fn marker(cell: &CombinedCell) -> &'static str {
    match cell.cell {
        Cell::Value(_) => "",
        Cell::Withheld => "[c]",
        Cell::NotAnswered => "[x]",
    }
}

/// How a column was added up.
fn added_in_words(added: &AddedV1) -> String {
    let AddedV1 { unit, least, most, rows_per_person, rows } = added;
    let sum = format!(
        "in {unit}, each row's value taken as {least} to {most}, at most {rows_per_person} rows of one person, rows without a value left out"
    );
    match rows {
        None => sum,
        Some(NoisyRowsV1 { epsilon, plus_minus_95, mean_within }) => format!(
            "{sum}; the mean is sum ÷ rows: ε = {epsilon} of it went on the rows, which are off by at most {plus_minus_95}; a mean is off by at most {mean_within} ÷ rows"
        ),
    }
}

fn cohort_in_words(min_cohort: u32) -> String {
    match min_cohort {
        0 => String::new(),
        n => {
            format!(
                "; a filter that leaves out 1 to {} people withholds the whole table",
                n.saturating_sub(1)
            )
        }
    }
}

/// What an audited table promises.
const fn promise_in_words(promise: AuditPromise) -> &'static str {
    match promise {
        AuditPromise::KnowsThresholds => {
            "no small count can be worked out by somebody who knows this rule and every table audited before it on the snapshot"
        }
        AuditPromise::KnowsAlgorithm => {
            "no small count can be worked out, not even by somebody who runs this program on every table that fits"
        }
    }
}

const fn zeros_in_words(zeros: Zeros) -> &'static str {
    match zeros {
        Zeros::Show => "0 is shown",
        Zeros::Withhold => "0 is withheld too",
    }
}

/// How a treatment reads in one line.
fn treatment_in_words(treatment: &TreatmentV1) -> String {
    match treatment {
        TreatmentV1::SuppressRound {
            profile,
            min_people,
            round_to,
            min_cohort,
            promise: Some(promise),
            ..
        } => {
            format!(
                "suppress-round ({profile}): under {min_people} people withheld, and other cells that would give them away, the rest rounded to {round_to}, 0 is shown, totals too{}; {}",
                cohort_in_words(*min_cohort),
                promise_in_words(*promise)
            )
        }
        TreatmentV1::SuppressRound { profile, min_people, round_to, zeros, min_cohort, .. } => {
            let (zeros, cohort) = (zeros_in_words(*zeros), cohort_in_words(*min_cohort));
            format!(
                "suppress-round ({profile}): under {min_people} people withheld, the rest rounded to {round_to}, {zeros}{cohort}"
            )
        }
        TreatmentV1::SuppressAudit { profile, min_people, min_cohort, promise } => {
            let (cohort, promise) = (cohort_in_words(*min_cohort), promise_in_words(*promise));
            format!(
                "suppress-audit ({profile}): exact; under {min_people} people withheld, and other cells that would give them away, 0 is shown{cohort}; {promise}"
            )
        }
        TreatmentV1::CellKey {
            profile,
            table,
            max_change,
            min_people,
            round_to,
            zeros,
            total: Some(off),
            ..
        } => {
            format!(
                "cell-key ({profile}): at each partner every count was changed by at most {max_change} by the keys of the people in it ({table}), the same people always alike, before they were added up: {}; then under {min_people} withheld, the rest rounded to {round_to}, {}; sums of cells do not add up",
                off_in_words(off),
                zeros_in_words(*zeros)
            )
        }
        TreatmentV1::CellKey {
            profile,
            table,
            max_change,
            min_people,
            round_to,
            zeros,
            min_cohort,
            total: None,
        } => {
            let (zeros, cohort) = (zeros_in_words(*zeros), cohort_in_words(*min_cohort));
            format!(
                "cell-key ({profile}): each count changed by at most {max_change} by the keys of the people in it ({table}), the same people always alike; then under {min_people} withheld, the rest rounded to {round_to}, {zeros}: a shown 0 may stand for 0 to {max_change} people; totals do not add up{cohort}"
            )
        }
        TreatmentV1::Dp { mechanism, epsilon, sensitivity, plus_minus_95, added, concentrated } => {
            let loss = loss_in_words(*epsilon, concentrated.as_ref());
            let added =
                added.as_ref().map_or_else(String::new, |added| format!("; {}", added_in_words(added)));
            format!(
                "differential privacy ({mechanism}): {loss} for one person at one partner, who adds at most {sensitivity}; each cell is off by at most {plus_minus_95} in 95 of 100{added}"
            )
        }
        TreatmentV1::CountOnce { epsilon, keys_per_person, buckets_power, linked_by, breakdown } => {
            once_in_words((*epsilon, *keys_per_person), (*buckets_power, *breakdown), *linked_by)
        }
    }
}

/// How people are counted once, and what each of their keys loses.
fn once_in_words(
    (epsilon, keys): (privacy::Epsilon, u32),
    (buckets_power, breakdown): (u8, Option<Breakdown>),
    linked_by: LinkedBy,
) -> String {
    let cells = |of: Breakdown| {
        let (cells, most) = (of.cells(), of.cells_per_person());
        format!(", and for each of at most {most} of the {cells} cells, each of which has such a pattern")
    };
    format!(
        "people counted once over all partners: an estimate from a pattern of 2^{buckets_power} buckets in which a person is one, however many partners know them, linked by {}; ε = {epsilon} for each of at most {keys} linkage keys a person{}",
        linked_by.in_words(),
        breakdown.map_or_else(String::new, cells)
    )
}

/// How far off a total of changed counts is.
fn off_in_words(off: &ChangedTotalV1) -> String {
    format!(
        "over {} partners the standard error of a cell is at most {}, and 95 of 100 cells are within {} of the count",
        off.partners,
        thousandths(off.standard_error_thousandths),
        off.plus_minus_95
    )
}

/// The loss that noise is scaled to.
fn loss_in_words(epsilon: privacy::Epsilon, concentrated: Option<&ConcentratedV1>) -> String {
    match concentrated {
        None => format!("ε = {epsilon}"),
        Some(loss) => format!(
            "ρ = {} (ε = {epsilon} at δ = {})",
            loss.rho,
            privacy::trillionths(loss.delta_trillionths)
        ),
    }
}

/// `3.471`, `8`.
pub(crate) fn thousandths(number: u32) -> String {
    let text = format!("{}.{:03}", number / 1_000, number % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests;
