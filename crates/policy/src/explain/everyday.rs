//! Columns in everyday words, for the pages that people read about themselves.

use super::model::{bare, words};

/// A column as one would say it to the person: "your age group". A column that is not known here is named as the dictionary
/// has it, in quotation marks.
pub(crate) fn yours(column: &str) -> String {
    let known = YOURS.iter().find(|(name, _)| *name == bare(column));
    known.map_or_else(|| format!("“{}”", words(column)), |(_, says)| (*says).to_owned())
}

/// What people most want to hear is kept back.
pub(crate) fn is_private(column: &str) -> bool {
    PRIVATE.contains(&bare(column))
}

/// The columns of the Shared Measurement Framework's dictionary that a policy may open, those of the design's worked example, and those
/// that people ask about.
const YOURS: [(&str, &str); 47] = [
    ("age", "your age group"),
    ("age_band", "your age group"),
    ("area", "the area where you live"),
    ("armed_forces", "if you were in the army, navy or air force"),
    ("benefit", "your benefits"),
    ("care_experience", "if you have been in care"),
    ("care_experienced", "if you have been in care"),
    ("condition_types", "your health"),
    ("conviction", "if you have been in trouble with the law"),
    ("convictions", "if you have been in trouble with the law"),
    ("council_code", "your council area"),
    ("disability", "if you are disabled"),
    ("disabled_eqa", "if you are disabled"),
    ("end_date", "when our help ended"),
    ("end_reason", "why our help ended"),
    ("ethnic_group", "your ethnic group"),
    ("ethnicity", "your ethnic group"),
    ("gender", "your gender"),
    ("hourly_pay", "your pay for an hour"),
    ("housing_status", "the kind of home you have"),
    ("is_rejoin", "if you came back to us"),
    ("job_due_12m", "if a year has gone by since you started"),
    ("lep_code", "the local group that helps you"),
    ("link_quality", "if we have a number of yours, such as your National Insurance number"),
    ("long_term_condition", "your health"),
    ("outcome", "what you did next"),
    ("outcome_date", "when you did it"),
    ("outcome_type", "what you did next"),
    ("parent_group", "if you are a parent"),
    ("parental_status", "if you are a parent"),
    ("referral_route", "who sent you to us"),
    ("referral_source", "who sent you to us"),
    ("refugee_or_asylum", "if you are a refugee"),
    ("religion", "your religion"),
    ("sex", "your sex"),
    ("sexual_orientation", "who you are drawn to"),
    ("simd", "how well off your area is"),
    ("simd_quintile", "how well off your area is"),
    ("start_date", "when you started with us"),
    ("sustained", "if you stayed in it"),
    ("trans_status", "if you are trans"),
    ("unpaid_carer", "if you care for someone"),
    ("within_12m", "if it took less than a year"),
    ("week4", "if you were still there after 4 weeks"),
    ("week13", "if you were still there after 13 weeks"),
    ("week26", "if you were still there after 26 weeks"),
    ("week52", "if you were still there after a year"),
];

const PRIVATE: [&str; 18] = [
    "armed_forces",
    "benefit",
    "care_experience",
    "care_experienced",
    "conviction",
    "convictions",
    "condition_types",
    "disability",
    "disabled_eqa",
    "ethnic_group",
    "ethnicity",
    "housing_status",
    "long_term_condition",
    "refugee_or_asylum",
    "religion",
    "sexual_orientation",
    "trans_status",
    "unpaid_carer",
];
