//! Medians and other quantiles, worked out from the released counts.

use std::fmt::Write as _;

use cairn_question::{Dimension, TableV1, TotalV1};
use cairn_report::{GroupQuantile, Quantile, QuantileAsk, QuantileBand, RangeKind};
use serde_json::{Value, json};

use super::{Shown, heading, label};

/// A heading for each quantile that was asked for, and a line for each group of the other axes. Empty where none was, or where nobody answered.
pub(super) fn in_words(shown: &Shown) -> String {
    let mut text = String::new();
    if shown.combined.is_none() {
        return text;
    }
    for asked in &shown.quantiles {
        let Some(axis) = axis(shown, asked) else { continue };
        let column = heading(&axis.column, &axis.grain);
        let share = asked.share();
        let what = match share.thousandths() {
            500 => format!("Median of {column}"),
            _ => format!("Quantile of {column} at {share} %"),
        };
        let _ = writeln!(text, "{what}, from the counts above (those whose {column} is not known left out)");
        for group in found(shown, asked) {
            let _ =
                writeln!(text, "  {}: {}", of_whom(shown, axis, &group), where_it_lies(shown, axis, &group));
        }
        text.push('\n');
    }
    text
}

/// The same for programs. `None` where no quantile was asked for.
pub(super) fn for_programs(shown: &Shown) -> Option<Value> {
    let group = |group: &GroupQuantile| match &group.quantile {
        Quantile::Band(QuantileBand { band, least, most, range, parts_withheld }) => {
            let range = if *range == RangeKind::Certain { "certain" } else { "95" };
            json!({ "codes": group.codes, "band": band, "least": least, "most": most, "range": range, "parts_withheld": parts_withheld })
        }
        Quantile::Withheld => json!({ "codes": group.codes, "none": "withheld" }),
        Quantile::NotAnswered => json!({ "codes": group.codes, "none": "not-answered" }),
        Quantile::Nobody => json!({ "codes": group.codes, "none": "nobody" }),
    };
    let quantile = |asked: &QuantileAsk| {
        let groups: Vec<Value> = found(shown, asked).iter().map(group).collect();
        json!({ "column": asked.column(), "percent": asked.share().to_string(), "groups": groups })
    };
    let quantiles: Vec<Value> = shown.quantiles.iter().map(quantile).collect();
    (!quantiles.is_empty()).then_some(Value::Array(quantiles))
}

/// Of the partners' own tables, or of the one total that they are in.
fn found(shown: &Shown, asked: &QuantileAsk) -> Vec<GroupQuantile> {
    let total = shown.sealed.first().zip(shown.combined.as_ref());
    let total = total.map(|((_, word), sum)| TotalV1::as_answer(TableV1::of_sum(sum), word));
    asked.of(&shown.grid, shown.answers.iter().map(|(_, answer)| answer).chain(&total))
}

fn axis<'a>(shown: &'a Shown, asked: &QuantileAsk) -> Option<&'a Dimension> {
    shown.grid.dimensions().iter().find(|d| d.column == asked.column())
}

fn of_whom(shown: &Shown, axis: &Dimension, group: &GroupQuantile) -> String {
    let others = shown.grid.dimensions().iter().filter(|d| d.column != axis.column);
    let labels = others.zip(&group.codes).map(|(d, code)| {
        // Two axes may have the same code, such as `unknown`.
        format!("{} {}", heading(&d.column, &d.grain), label(&shown.question, &d.column, code))
    });
    let labels: Vec<String> = labels.collect();
    if labels.is_empty() { "everybody".to_owned() } else { labels.join(", ") }
}

fn where_it_lies(shown: &Shown, axis: &Dimension, group: &GroupQuantile) -> String {
    let Quantile::Band(QuantileBand { band, least, most, range, parts_withheld }) = &group.quantile else {
        return none(&group.quantile).to_owned();
    };
    let name = |code: &str| label(&shown.question, &axis.column, code);
    let promise = if *range == RangeKind::Certain { "certain" } else { "95 times in 100" };
    let lies = if least == most {
        format!("{} ({promise})", name(band))
    } else {
        format!("{}; any band from `{}` to `{}` ({promise})", name(band), name(least), name(most))
    };
    match parts_withheld {
        0 => lies,
        parts => format!("{lies} [e] {parts} withheld counts stand at the middle of what they can be"),
    }
}

const fn none(quantile: &Quantile) -> &'static str {
    match quantile {
        Quantile::NotAnswered => "[x] none: a band was not answered",
        Quantile::Nobody => "[z] none: the released counts are of nobody",
        Quantile::Withheld | Quantile::Band(_) => "[c] none: a band is withheld",
    }
}
