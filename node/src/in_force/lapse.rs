//! What ends by itself: a policy's last day, and the day by which its board reviews it. Warned of 60, 30 and 7 days before, and
//! once when it has passed.

use cairn_question::Day;
use serde::{Deserialize, Serialize};

/// What ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Lapse {
    /// The policy: nothing is answered after its last day.
    Expiry,
    /// The time for a review. Answers go on.
    Review,
}

/// How near an end is. Later stages are greater.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Stage {
    /// 60 days or fewer.
    Days60,
    /// 30 days or fewer.
    Days30,
    /// 7 days or fewer, the last day included.
    Days7,
    /// It is over.
    Passed,
}

/// What has been warned of, so that each stage is told once.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Warned {
    expiry: Option<Stage>,
    review: Option<Stage>,
}

impl Warned {
    /// What is to be told today of a policy with these last days, and is marked as told.
    pub(crate) fn news(&mut self, expires: Day, review_by: Day, today: Day) -> Vec<(Lapse, Stage, Day)> {
        let mut news = Vec::new();
        let ends = [(Lapse::Expiry, expires, &mut self.expiry), (Lapse::Review, review_by, &mut self.review)];
        for (lapse, last, told) in ends {
            let stage = stage(last, today);
            if stage > *told {
                *told = stage;
                news.extend(stage.map(|stage| (lapse, stage, last)));
            }
        }
        news
    }
}

fn stage(last: Day, today: Day) -> Option<Stage> {
    match last.epoch_days().saturating_sub(today.epoch_days()) {
        ..=-1 => Some(Stage::Passed),
        0..=7 => Some(Stage::Days7),
        8..=30 => Some(Stage::Days30),
        31..=60 => Some(Stage::Days60),
        61.. => None,
    }
}

/// One line for the log and the audit.
pub(crate) fn in_words(lapse: Lapse, stage: Stage, last: Day) -> String {
    let within = match stage {
        Stage::Days60 => "within 60 days",
        Stage::Days30 => "within 30 days",
        Stage::Days7 => "within 7 days",
        Stage::Passed => "that is over",
    };
    match (lapse, stage) {
        (Lapse::Expiry, Stage::Passed) => format!("the policy expired after {last}: nothing is answered"),
        (Lapse::Expiry, _) => format!("the policy expires after {last}: {within}"),
        (Lapse::Review, _) => format!("the board reviews the policy by {last}: {within}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn each_stage_is_told_once_and_no_stage_is_told_late() {
        let mut warned = Warned::default();
        let mut told = |today: &str| {
            let news = warned.news(day("2027-03-31"), day("2027-01-31"), day(today));
            news.into_iter().map(|(l, s, d)| in_words(l, s, d)).collect::<Vec<_>>()
        };
        assert!(told("2026-12-01").is_empty());
        assert_eq!(told("2026-12-02"), ["the board reviews the policy by 2027-01-31: within 60 days"]);
        assert!(told("2026-12-31").is_empty());
        assert_eq!(told("2027-01-01"), ["the board reviews the policy by 2027-01-31: within 30 days"]);
        assert_eq!(told("2027-01-31").len(), 2, "the review in 7 days, and the expiry in 60");
        assert_eq!(
            told("2027-03-30"),
            [
                "the policy expires after 2027-03-31: within 7 days",
                "the board reviews the policy by 2027-01-31: that is over"
            ],
            "a node that was off does not tell the stages that it missed"
        );
        assert!(told("2027-03-31").is_empty(), "the last day is in force");
        assert_eq!(told("2027-04-01"), ["the policy expired after 2027-03-31: nothing is answered"]);
        assert!(told("2027-01-01").is_empty(), "a clock that jumped back tells nothing again");
        assert!(told("2030-01-01").is_empty());
    }
}
