//! What stays the same of a question from one period to the next: what a board approves when it approves an indicator.

use serde::Serialize;

use crate::id::Hash;
use crate::measure::Measure;
use crate::question::{Filter, Question};
use crate::schema::{Kind, Schema};

impl Question {
    /// A hash of what is counted, by what and narrowed by what. Any change of these gives another hash, so that an approval of one
    /// question is never an approval of the next best one.
    ///
    /// Left open are the periods of date columns, so that one approval serves each quarter, and whom it is asked by, what for and as of
    /// when, since a policy's share names those. The grain of a period is not left open: a month is another question than a year. The
    /// order in which axes and filters were written does not count.
    #[must_use]
    pub fn definition_hash<'a>(&'a self, schema: &Schema) -> Hash {
        let dated = |column: &str| {
            schema.find(&self.dataset, column).is_some_and(|found| found.column.kind == Kind::Date)
        };
        let mut group_by: Vec<_> =
            self.group_by.iter().map(|a| (a.column.as_str(), a.grain.as_str())).collect();
        group_by.sort_unstable();
        let filter = |f: &'a Filter| {
            (f.column.as_str(), f.grain.as_str(), (!dated(&f.column)).then_some(f.value.as_str()))
        };
        let mut filter_by: Vec<_> = self.filter_by.iter().map(filter).collect();
        filter_by.sort_unstable();
        let definition = DefinitionV1 {
            cairn_definition: 1,
            dataset: &self.dataset,
            measure: &self.measure,
            group_by,
            filter_by,
        };
        // Words only: serde_json cannot fail on them.
        Hash::of(&serde_json::to_vec(&definition).unwrap_or_default())
    }
}

#[derive(Serialize)]
struct DefinitionV1<'a> {
    cairn_definition: u8,
    dataset: &'a str,
    measure: &'a Measure,
    group_by: Vec<(&'a str, &'a str)>,
    filter_by: Vec<(&'a str, &'a str, Option<&'a str>)>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form;
    use crate::id::Name;

    fn hash_for(text: &str, role: &str, purpose: &str) -> Hash {
        let name = |word: &str| Name::new(word).unwrap();
        let schema = Schema::smf();
        form::parse(text, &name(role), &name(purpose), schema).unwrap().definition_hash(schema)
    }

    fn hash(text: &str) -> Hash {
        hash_for(text, "national-analyst", "smf-reporting")
    }

    #[test]
    fn a_definition_stays_when_only_the_period_the_asker_or_the_order_changes() {
        let base = "people in engagements by participants.sex, participants.council_code where \
                    engagements.start_date@quarter = 2025-Q2 and engagements.job_due_12m = due";
        for same in [
            base,
            "people in engagements by participants.council_code, participants.sex where \
             engagements.job_due_12m = due and engagements.start_date@quarter = 2019-Q4",
            "people in engagements by participants.sex, participants.council_code where \
             engagements.start_date@quarter = 2025-Q2 and engagements.job_due_12m = due as of 2025-06-30",
        ] {
            assert_eq!(hash(same), hash(base), "{same}");
        }
        assert_eq!(hash_for(base, "equalities-analyst", "equalities"), hash(base));
        let axis = "starts by quarter from 2024-Q2 to 2025-Q1";
        assert_eq!(hash("starts by quarter from 2020-Q2 to 2020-Q3"), hash(axis));
    }

    #[test]
    fn a_definition_changes_with_anything_that_is_counted_or_shown() {
        let texts = [
            "people in engagements by participants.sex where engagements.start_date@quarter = 2025-Q2",
            // Another period's grain, column, grain, filter, filter value, measure, table, axis.
            "people in engagements by participants.sex where engagements.start_date@year = 2025-26",
            "people in engagements by participants.gender where engagements.start_date@quarter = 2025-Q2",
            "people in engagements by participants.council_code where engagements.start_date@quarter = 2025-Q2",
            "people in engagements by participants.council_code@nation where engagements.start_date@quarter = 2025-Q2",
            "people in engagements by participants.sex",
            "people in engagements by participants.sex where engagements.end_date@quarter = 2025-Q2",
            "people in engagements by participants.sex where engagements.start_date@quarter = 2025-Q2 and engagements.job_due_12m = due",
            "people in engagements by participants.sex where engagements.start_date@quarter = 2025-Q2 and engagements.job_due_12m = not_due",
            "rows in engagements by participants.sex where engagements.start_date@quarter = 2025-Q2",
            "people in participants by sex",
            "people in engagements by participants.sex, engagements.start_date@quarter from 2025-Q1 to 2025-Q2",
            "people in engagements by participants.sex, engagements.start_date@year from 2024-25 to 2025-26",
            "people in outcomes by participants.sex where engagements.start_date@quarter = 2025-Q2",
        ];
        for (n, one) in texts.iter().enumerate() {
            for other in texts.iter().skip(n + 1) {
                assert_ne!(hash(one), hash(other), "{one} / {other}");
            }
        }
    }

    /// Boards sign the hash: it must be the same on every machine and in every version.
    #[test]
    fn the_bytes_that_are_hashed_stay_as_they_are() {
        let base = "people in engagements by participants.council_code where engagements.start_date@quarter = 2025-Q2";
        assert_eq!(
            hash(base).to_string(),
            "sha256:6e3ddcd4c711256042075709144969134860a64ca572ae13dc03d62076187a69"
        );
    }
}
