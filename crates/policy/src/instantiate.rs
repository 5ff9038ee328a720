//! One policy for another partner: the same document with another name on it.

use std::ops::Range;

use cairn_question::{Day, Name, PartnerId};
use toml::de::{DeTable, DeValue};

/// The text with three values of `[policy]` replaced and not one other byte: `partner`, `id` (`<partner>-sharing`) and
/// `controller`. A text that is not TOML, or has no such values, comes back as it was: it would not load anyway.
#[must_use]
pub fn instantiate(text: &str, partner: &PartnerId, controller: &str) -> String {
    let values = [
        ("partner", quoted(partner.as_str())),
        ("id", quoted(&format!("{partner}-sharing"))),
        ("controller", quoted(controller)),
    ];
    replaced(text, values.into())
}

/// The text with the three dates of `[policy]` replaced and not one other byte: in force from `day` for a year, to be reviewed a
/// month before that; and the days of shares that are open for a shorter time moved with them. For a copy that a board begins
/// with: a shipped policy's own dates are those of its example.
#[must_use]
pub fn dated(text: &str, day: Day) -> String {
    let values = [
        ("effective_from", day.to_string()),
        ("review_by", day.plus_months(11).to_string()),
        ("expires", day.plus_months(12).plus_days(-1).to_string()),
    ];
    let moved = edited(text, |tree| moved_shares(tree, shift(text, day)));
    replaced(&moved, values.into())
}

/// A board's cases with each `on = "YYYY-MM-DD"` moved by as many days as [`dated`] moves the policy.
#[must_use]
pub fn dated_cases(cases: &str, policy: &str, day: Day) -> String {
    let by = shift(policy, day);
    edited(cases, |tree| {
        let on = |case: &DeTable<'_>| {
            let value = case.get("request")?.get_ref().as_table()?.get("on")?;
            let moved = value.get_ref().as_str()?.parse::<Day>().ok()?.plus_days(by);
            Some((value.span(), quoted(&moved.to_string())))
        };
        entries(tree, "case").filter_map(on).collect()
    })
}

/// A `board.toml` under another id, with every key valid from `day` for two years.
#[must_use]
pub fn dated_board(text: &str, id: &Name, day: Day) -> String {
    edited(text, |tree| {
        let mut edits = Vec::new();
        let board = tree.get("board").and_then(|b| b.get_ref().as_table());
        edits.extend(board.and_then(|b| Some((b.get("id")?.span(), quoted(id.as_str())))));
        for member in entries(tree, "member") {
            let valid = member.get("valid").and_then(|v| v.get_ref().as_table());
            for (key, day) in [("from", day), ("to", day.plus_months(24))] {
                edits.extend(valid.and_then(|v| Some((v.get(key)?.span(), day.to_string()))));
            }
        }
        edits
    })
}

/// How many days lie between a policy's own first day and this one.
fn shift(policy: &str, day: Day) -> i32 {
    let tree = DeTable::parse(policy).ok();
    let first = tree.as_ref().and_then(|tree| {
        let head = tree.get_ref().get("policy")?.get_ref().as_table()?;
        day_of(head.get("effective_from")?.get_ref())
    });
    first.map_or(0, |first| day.epoch_days().saturating_sub(first.epoch_days()))
}

fn moved_shares(tree: &DeTable<'_>, by: i32) -> Vec<Edit> {
    let mut edits = Vec::new();
    for share in entries(tree, "share") {
        for key in ["from", "until"] {
            let value = share.get(key);
            edits
                .extend(value.and_then(|v| Some((v.span(), day_of(v.get_ref())?.plus_days(by).to_string()))));
        }
    }
    edits
}

fn day_of(value: &DeValue<'_>) -> Option<Day> {
    let DeValue::Datetime(datetime) = value else { return None };
    datetime.date.and_then(|d| Day::new(i32::from(d.year), u32::from(d.month), u32::from(d.day)))
}

/// The tables of an array.
fn entries<'a>(tree: &'a DeTable<'a>, key: &str) -> impl Iterator<Item = &'a DeTable<'a>> {
    let array = tree.get(key).and_then(|v| v.get_ref().as_array());
    array.into_iter().flat_map(|a| a.iter()).filter_map(|v| v.get_ref().as_table())
}

/// A place in a text, and what is to stand there.
type Edit = (Range<usize>, String);

/// The text with values of `[policy]` replaced where it has them.
fn replaced(text: &str, values: Vec<(&str, String)>) -> String {
    edited(text, |tree| {
        let head = tree.get("policy").and_then(|v| v.get_ref().as_table());
        let edit = |(key, value)| Some((head?.get(key)?.span(), value));
        values.into_iter().filter_map(edit).collect()
    })
}

/// The text with these places replaced and not one other byte. A text that is not TOML comes back as it was.
fn edited(text: &str, edits: impl FnOnce(&DeTable<'_>) -> Vec<Edit>) -> String {
    let Ok(tree) = DeTable::parse(text) else { return text.to_owned() };
    let mut edits = edits(tree.get_ref());
    // From the end, so that earlier places stay true.
    edits.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    let mut edited = text.to_owned();
    for (span, value) in edits {
        edited.replace_range(span, &value);
    }
    edited
}

/// A TOML basic string: quotes and backslashes escaped, control characters left out.
fn quoted(text: &str) -> String {
    let plain: String = text.chars().filter(|c| !c.is_control()).collect();
    format!("\"{}\"", plain.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{EXAMPLES, example};
    use crate::{File, Layers, Sources};

    fn partner(text: &str) -> PartnerId {
        PartnerId::new(text).unwrap()
    }

    #[test]
    fn every_example_loads_under_another_name_and_differs_in_three_lines() {
        for name in EXAMPLES {
            let sources = example(name);
            let text =
                instantiate(&sources.policy.text, &partner("orkney-islands"), "Orkney \"Islands\" Council");
            let differ: Vec<&str> = text
                .lines()
                .zip(sources.policy.text.lines())
                .filter(|(a, b)| a != b)
                .map(|(a, _)| a)
                .collect();
            assert_eq!(differ.len(), 3, "{differ:?}");
            assert_eq!(text.lines().count(), sources.policy.text.lines().count());
            let layers =
                Layers::load(&Sources { policy: File::new("policy.toml", text), ..sources }).unwrap();
            assert_eq!(layers.partner().as_str(), "orkney-islands");
            assert_eq!(layers.statement().id, "orkney-islands-sharing");
            assert_eq!(layers.controller(), "Orkney \"Islands\" Council");
        }
    }

    #[test]
    fn a_copy_is_in_force_from_its_own_day_for_a_year() {
        for name in EXAMPLES {
            let sources = example(name);
            let text = dated(&sources.policy.text, "2031-05-17".parse().unwrap());
            let layers =
                Layers::load(&Sources { policy: File::new("policy.toml", text), ..sources }).unwrap();
            let (from, until) = layers.in_force();
            assert_eq!((from.to_string().as_str(), until.to_string().as_str()), ("2031-05-17", "2032-05-16"));
            assert_eq!(layers.review_by().to_string(), "2032-04-17");
        }
    }

    #[test]
    fn comments_line_ends_and_other_sections_stay() {
        let text = "[policy] # id = \"x\"\r\nid='a' # the id\r\npartner = \"b\"\r\n[other]\r\nid = \"c\"\r\n";
        let expected = "[policy] # id = \"x\"\r\nid=\"p-sharing\" # the id\r\npartner = \"p\"\r\n[other]\r\nid = \"c\"\r\n";
        assert_eq!(instantiate(text, &partner("p"), "P"), expected);
        assert_eq!(instantiate("not toml [", &partner("p"), "P"), "not toml [");
    }
}
