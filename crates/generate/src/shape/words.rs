//! The words that exports write for the dictionary's codes.

use super::Words;

/// The dictionary's own codes.
pub(super) const SAME: Words = &[];
pub(super) const YES_NO_LETTERS: Words =
    &[("yes", "Y"), ("no", "N"), ("prefer_not_to_say", "P"), ("unknown", "U")];
pub(super) const OBJECTION_LETTERS: Words = &[("yes", "Y"), ("no", "N")];
pub(super) const OBJECTION_WORDS: Words = &[("yes", "Opted out"), ("no", "Agreed")];
pub(super) const GENDER_LETTERS: Words =
    &[("man", "M"), ("woman", "F"), ("other", "X"), ("prefer_not_to_say", "P"), ("unknown", "U")];
pub(super) const GENDER_NUMBERS: Words =
    &[("man", "1"), ("woman", "2"), ("other", "3"), ("prefer_not_to_say", "8"), ("unknown", "9")];
pub(super) const GENDER_WORDS: Words = &[
    ("man", "Man"),
    ("woman", "Woman"),
    ("other", "In another way"),
    ("prefer_not_to_say", "Prefer not to say"),
    ("unknown", "Not known"),
];
pub(super) const SEX_WORDS: Words = &[("female", "Female"), ("male", "Male")];
pub(super) const SEX_NUMBERS: Words = &[("female", "2"), ("male", "1")];
pub(super) const CONDITION_WORDS: Words =
    &[("yes", "Yes"), ("no", "No"), ("prefer_not_to_say", "Prefer not to say"), ("unknown", "Not known")];
pub(super) const CONDITION_NUMBERS: Words =
    &[("yes", "1"), ("no", "2"), ("prefer_not_to_say", "8"), ("unknown", "9")];
pub(super) const LIMITS_LETTERS: Words =
    &[("a_lot", "L"), ("a_little", "S"), ("not_at_all", "N"), ("not_applicable", "-"), ("unknown", "U")];
pub(super) const LIMITS_NUMBERS: Words =
    &[("a_lot", "1"), ("a_little", "2"), ("not_at_all", "3"), ("not_applicable", "0"), ("unknown", "9")];
pub(super) const LIMITS_WORDS: Words = &[
    ("a_lot", "Yes, limited a lot"),
    ("a_little", "Yes, limited a little"),
    ("not_at_all", "No"),
    ("not_applicable", "Does not apply"),
    ("unknown", "Not known"),
];
pub(super) const PARENT_WORDS: Words = &[
    ("lone_parent", "Lone parent"),
    ("parent_in_couple", "Parent, couple"),
    ("expecting", "Expecting"),
    ("not_parent", "No children"),
    ("unknown", "Not known"),
];
pub(super) const KIND_WORDS: Words = &[
    ("job_start", "Job"),
    ("self_employment", "Self-employed"),
    ("modern_apprenticeship", "Apprenticeship (MA)"),
    ("further_education", "College"),
    ("higher_education", "University"),
    ("training", "Training"),
    ("volunteering", "Volunteering"),
    ("work_placement", "Placement"),
];
pub(super) const KIND_NUMBERS: Words = &[
    ("job_start", "10"),
    ("self_employment", "11"),
    ("modern_apprenticeship", "12"),
    ("further_education", "20"),
    ("higher_education", "21"),
    ("training", "22"),
    ("volunteering", "30"),
    ("work_placement", "31"),
];
pub(super) const WEEK_LETTERS: Words = &[
    ("in_employment", "E"),
    ("not_in_employment", "N"),
    ("no_engagement", "X"),
    ("unknown", "U"),
    ("not_due", "ND"),
    ("blank", ""),
];
pub(super) const WEEK_NUMBERS: Words = &[
    ("in_employment", "1"),
    ("not_in_employment", "2"),
    ("no_engagement", "3"),
    ("unknown", "9"),
    ("not_due", "0"),
    ("blank", ""),
];
/// The 2020 template asked only whether the person was in work.
pub(super) const WEEK_YES_NO: Words = &[
    ("in_employment", "Yes"),
    ("not_in_employment", "No"),
    ("no_engagement", "No"),
    ("unknown", "Unknown"),
    ("not_due", ""),
    ("blank", ""),
];
pub(super) const WEEK_SAME: Words = &[("blank", "")];
pub(super) const REASON_WORDS: Words = &[
    ("outcome_achieved", "Outcome achieved"),
    ("completed", "Completed programme"),
    ("early_leaver_moved", "Moved away"),
    ("early_leaver_health", "Ill health"),
    ("early_leaver_disengaged", "Lost contact"),
    ("transferred", "Transferred"),
    ("died", "Deceased"),
    ("other", "Other"),
    ("unknown", "Not known"),
];
pub(super) const REASON_NUMBERS: Words = &[
    ("outcome_achieved", "1"),
    ("completed", "2"),
    ("early_leaver_moved", "3"),
    ("early_leaver_health", "4"),
    ("early_leaver_disengaged", "5"),
    ("transferred", "6"),
    ("died", "7"),
    ("other", "8"),
    ("unknown", "9"),
];
pub(super) const BAND_WORDS: Words = &[
    ("16_19", "16-19"),
    ("20_24", "20-24"),
    ("25_34", "25-34"),
    ("35_49", "35-49"),
    ("50_64", "50-64"),
    ("65_plus", "65+"),
    ("unknown", "Not known"),
];
