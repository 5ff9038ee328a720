//! One policy for another partner: the same document with another name on it.

use cairn_question::{Day, PartnerId};
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
/// month before that. For a copy that a board begins with: a shipped policy's own dates are those of its example.
#[must_use]
pub fn dated(text: &str, day: Day) -> String {
    let values = [
        ("effective_from", day.to_string()),
        ("review_by", day.plus_months(11).to_string()),
        ("expires", day.plus_months(12).plus_days(-1).to_string()),
    ];
    replaced(text, values.into())
}

/// The text with values of `[policy]` replaced where it has them.
fn replaced(text: &str, values: Vec<(&str, String)>) -> String {
    let Ok(tree) = DeTable::parse(text) else { return text.to_owned() };
    let Some(DeValue::Table(head)) = tree.get_ref().get("policy").map(|v| v.get_ref()) else {
        return text.to_owned();
    };
    let mut edits: Vec<_> = values.into_iter().filter_map(|(k, v)| Some((head.get(k)?.span(), v))).collect();
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
