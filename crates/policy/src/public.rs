//! What of a policy may be shown to others, and what it leaves unsaid: the public part, the days on which parts of it end, and
//! the columns that it does not name.

use cairn_question::card::{ANSWERS_MAX, CONTROLLER_CHARS_MAX, PublicPolicy, PublicShare, SHARES_MAX};
use cairn_question::schema::Column;
use cairn_question::{Day, Name};

use crate::document::Dataset;
use crate::finding::plain;
use crate::layers::{Layers, Ready};

impl Layers {
    /// What a coordinator may show: who may ask what for which purpose, how it is protected, until when, and whether it is paused.
    #[must_use]
    pub fn public_part(&self) -> PublicPolicy {
        let (from, until) = self.in_force();
        let fits = |ready: &&Ready| ready.share.answers.len() <= ANSWERS_MAX;
        let shown = self.shares.iter().filter(fits).take(SHARES_MAX);
        let shares: Vec<PublicShare> = shown.map(|ready| self.public_share(ready)).collect();
        let left_out = self.shares.len().saturating_sub(shares.len());
        PublicPolicy {
            statement: self.statement().clone(),
            from,
            until,
            review_by: self.review_by(),
            controller: self.controller().chars().map(plain).take(CONTROLLER_CHARS_MAX).collect(),
            paused: self.brake.pause_all,
            shares,
            shares_left_out: u32::try_from(left_out).unwrap_or(u32::MAX),
        }
    }

    fn public_share(&self, ready: &Ready) -> PublicShare {
        let (share, id) = (&ready.share, &ready.share.id.value);
        PublicShare {
            id: id.clone(),
            role: share.role.value.clone(),
            purpose: share.purpose.value.clone(),
            dataset: share.dataset.value.clone(),
            answers: share.answers.iter().map(|a| a.value.clone()).collect(),
            method: ready.method.as_str().to_owned(),
            paused: self.brake.pause_all || self.brake.paused_shares.iter().any(|p| p.value == id.as_str()),
        }
    }

    /// The shares that end before the policy does, each with its last day.
    pub fn share_ends(&self) -> impl Iterator<Item = (&Name, Day)> {
        self.shares.iter().filter_map(|r| Some((&r.share.id.value, r.share.until.as_ref()?.value)))
    }

    /// The columns of the data dictionary that the policy does not name, as `table.column`, in the dictionary's order. They are
    /// hidden; a board that names each has decided about each.
    #[must_use]
    pub fn unnamed_columns(&self) -> Vec<String> {
        let mut unnamed = Vec::new();
        for table in self.schema.tables() {
            let dataset = self.policy.datasets.get(&table.name);
            let names = table.columns.iter().filter(|c| !dataset.is_some_and(|d| names(d, c)));
            unnamed.extend(names.map(|c| format!("{}.{}", table.name, c.name)));
        }
        unnamed
    }
}

/// Whether a dataset names a column: itself, or as one flag of a multi-valued column.
pub(crate) fn names(dataset: &Dataset, column: &Column) -> bool {
    let split = column.flag_of.as_ref().is_some_and(|f| dataset.columns.contains_key(f));
    split || dataset.columns.contains_key(&column.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{File, Sources};

    fn layers(change: impl Fn(String) -> String, brake: Option<&str>) -> Layers {
        let shipped = |path: &str| {
            let full = format!("{}/../../policies/{path}", env!("CARGO_MANIFEST_DIR"));
            File::new(path, std::fs::read_to_string(full).unwrap())
        };
        let policy = shipped("examples/council/policy.toml");
        let policy = File::new("policy.toml", change(policy.text));
        let brake = brake.map(|text| File::new("local-brake.toml", text));
        Layers::load(&Sources { framework: shipped("framework/framework.toml"), policy, brake }).unwrap()
    }

    #[test]
    fn the_public_part_names_each_share_and_what_the_brake_pauses() {
        let public = layers(|t| t, None).public_part();
        let named: Vec<String> = public
            .shares
            .iter()
            .map(|s| format!("{} {} {} {} {}", s.id, s.role, s.purpose, s.dataset, s.method))
            .collect();
        assert_eq!(named[0], "national-people national-analyst smf-reporting participants suppress-round");
        assert!((public.shares_left_out, public.paused) == (0, false));
        assert!(public.shares.iter().all(|s| !s.paused));
        let json = serde_json::to_string(&public).unwrap();
        for hidden in ["@", "group_by", "min_people", "age_band"] {
            assert!(!json.contains(hidden), "{hidden} in {json}");
        }
        let one =
            layers(|t| t, Some("cairn_brake = 1\npaused_shares = [\"national-people\"]\n")).public_part();
        assert_eq!((one.shares[0].paused, one.shares[1].paused, one.paused), (true, false, false));
        let all = layers(|t| t, Some("cairn_brake = 1\npause_all = true\n")).public_part();
        assert!(all.paused && all.shares.iter().all(|s| s.paused));
    }

    #[test]
    fn columns_that_no_dataset_names_are_found() {
        let shipped = layers(|t| t, None).unnamed_columns();
        assert!(!shipped.contains(&"participants.sex".to_owned()), "{shipped:?}");
        let without = layers(
            |t| t.lines().filter(|l| !l.starts_with("birth_month")).map(|l| format!("{l}\n")).collect(),
            None,
        );
        let more: Vec<String> =
            without.unnamed_columns().into_iter().filter(|c| !shipped.contains(c)).collect();
        assert_eq!(more, ["participants.birth_month"]);
    }
}
