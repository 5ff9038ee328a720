//! The shapes of exports of charities, colleges, health boards and national providers.

use super::words::*;
use super::{AreaCodes, Field, FileShape, Rows, Shape, col};

/// A charity's small file: few columns, the area where support is given beside the area of residence.
pub(super) const CHARITY: Shape = Shape {
    template: "smf-2022",
    date: "%d.%m.%Y",
    birth: "%d.%m.%Y",
    delimiter: ',',
    areas: AreaCodes::Current,
    files: &[FileShape {
        name: "clients.csv",
        rows: Rows::Wide,
        columns: &[
            col("Client", Field::PersonId, SAME),
            col("NI", Field::Nino, SAME),
            col("DOB", Field::Birth, SAME),
            col("Gender", Field::Gender, GENDER_WORDS),
            col("Health condition", Field::Condition, CONDITION_WORDS),
            col("Limiting", Field::Limits, LIMITS_WORDS),
            col("Lives", Field::Council, SAME),
            col("Office", Field::DeliveryArea, SAME),
            col("Opt out", Field::Objection, OBJECTION_LETTERS),
            col("Support ref", Field::StartId, SAME),
            col("Support no", Field::StartNumber, SAME),
            col("From", Field::StartDay, SAME),
            col("To", Field::EndDay, SAME),
            col("Reason", Field::EndReason, REASON_WORDS),
            col("Result", Field::OutcomeKind, KIND_WORDS),
            col("Result date", Field::OutcomeDay, SAME),
            col("4w", Field::Week(0), WEEK_LETTERS),
            col("13w", Field::Week(1), WEEK_LETTERS),
            col("26w", Field::Week(2), WEEK_LETTERS),
            col("52w", Field::Week(3), WEEK_LETTERS),
        ],
    }],
};

/// A charity still on the first year's template: age bands, no question on what a condition limits, nothing at 52 weeks.
pub(super) const FIRST_YEAR: Shape = Shape {
    template: "year1",
    date: "%Y-%m-%d",
    birth: "%Y-%m-%d",
    delimiter: ',',
    areas: AreaCodes::Current,
    files: &[FileShape {
        name: "families.csv",
        rows: Rows::Wide,
        columns: &[
            col("Family ref", Field::PersonId, SAME),
            col("NI no", Field::Nino, SAME),
            col("Age group", Field::AgeBand, BAND_WORDS),
            col("Gender", Field::Gender, &[("man", "male"), ("woman", "female"), ("other", "other")]),
            col("Health condition", Field::Condition, CONDITION_WORDS),
            col("Parent", Field::Parental, PARENT_WORDS),
            col("Council", Field::Council, SAME),
            col("Centre", Field::DeliveryArea, SAME),
            col("Opt out", Field::Objection, OBJECTION_WORDS),
            col("Visit ref", Field::StartId, SAME),
            col("Visit no", Field::StartNumber, SAME),
            col("First visit", Field::StartDay, SAME),
            col("Last visit", Field::EndDay, SAME),
            col("Why ended", Field::EndReason, REASON_WORDS),
            col("Moved on to", Field::OutcomeKind, KIND_WORDS),
            col("Moved on", Field::OutcomeDay, SAME),
            col("Week 4", Field::Week(0), WEEK_LETTERS),
            col("Week 13", Field::Week(1), WEEK_LETTERS),
            col("Week 26", Field::Week(2), WEEK_LETTERS),
        ],
    }],
};

/// A college: students, and their courses with what they led to.
pub(super) const COLLEGE: Shape = Shape {
    template: "nolb-2020",
    date: "%Y-%m-%d",
    birth: "%Y-%m-%d",
    delimiter: ',',
    areas: AreaCodes::Current,
    files: &[
        FileShape {
            name: "students.csv",
            rows: Rows::People,
            columns: &[
                col("StudentNumber", Field::PersonId, SAME),
                col("NINumber", Field::Nino, SAME),
                col("BirthDate", Field::Birth, SAME),
                col("GenderIdentity", Field::Gender, GENDER_NUMBERS),
                col("Disability", Field::Condition, CONDITION_NUMBERS),
                col("DisabilityImpact", Field::Limits, LIMITS_NUMBERS),
                col("HomeCouncil", Field::Council, SAME),
                col("DataOptOut", Field::Objection, &[("yes", "TRUE"), ("no", "FALSE")]),
            ],
        },
        FileShape {
            name: "enrolments.csv",
            rows: Rows::StartsAndOutcomes,
            columns: &[
                col("EnrolmentId", Field::StartId, SAME),
                col("StudentNumber", Field::PersonId, SAME),
                col("EnrolmentNo", Field::StartNumber, SAME),
                col("Campus", Field::DeliveryArea, SAME),
                col("EnrolledOn", Field::StartDay, SAME),
                col("LeftOn", Field::EndDay, SAME),
                col("LeavingReason", Field::EndReason, REASON_NUMBERS),
                col("Destination", Field::OutcomeKind, KIND_NUMBERS),
                col("DestinationDate", Field::OutcomeDay, SAME),
                col("Wk4", Field::Week(0), WEEK_YES_NO),
                col("Wk13", Field::Week(1), WEEK_YES_NO),
                col("Wk26", Field::Week(2), WEEK_YES_NO),
                col("Wk52", Field::Week(3), WEEK_YES_NO),
            ],
        },
    ],
};

/// A health board: patients and referrals; sex as registered, not gender.
pub(super) const HEALTH: Shape = Shape {
    template: "smf-2022",
    date: "%d-%b-%Y",
    birth: "%d-%b-%Y",
    delimiter: '|',
    areas: AreaCodes::Current,
    files: &[
        FileShape {
            name: "patients.csv",
            rows: Rows::People,
            columns: &[
                col("local_ref", Field::PersonId, SAME),
                col("ni_number", Field::Nino, SAME),
                col("birth_date", Field::Birth, SAME),
                col("registered_sex", Field::Sex, SEX_NUMBERS),
                col("ltc", Field::Condition, CONDITION_NUMBERS),
                col("ltc_limits", Field::Limits, LIMITS_NUMBERS),
                col("residence", Field::Council, SAME),
                col("research_optout", Field::Objection, OBJECTION_LETTERS),
            ],
        },
        FileShape {
            name: "referrals.csv",
            rows: Rows::StartsAndOutcomes,
            columns: &[
                col("referral_ref", Field::StartId, SAME),
                col("local_ref", Field::PersonId, SAME),
                col("sequence", Field::StartNumber, SAME),
                col("service_area", Field::DeliveryArea, SAME),
                col("accepted", Field::StartDay, SAME),
                col("discharged", Field::EndDay, SAME),
                col("discharge_reason", Field::EndReason, REASON_NUMBERS),
                col("destination", Field::OutcomeKind, KIND_NUMBERS),
                col("destination_date", Field::OutcomeDay, SAME),
                col("wk4", Field::Week(0), WEEK_NUMBERS),
                col("wk13", Field::Week(1), WEEK_NUMBERS),
                col("wk26", Field::Week(2), WEEK_NUMBERS),
                col("wk52", Field::Week(3), WEEK_NUMBERS),
            ],
        },
    ],
};

/// A national provider's three files, tabs between.
pub(super) const NATIONAL: Shape = Shape {
    template: "smf-2022",
    date: "%Y/%m/%d",
    birth: "%Y/%m/%d",
    delimiter: '\t',
    areas: AreaCodes::Current,
    files: &[
        FileShape {
            name: "customers.tsv",
            rows: Rows::People,
            columns: &[
                col("CustomerKey", Field::PersonId, SAME),
                col("NINO", Field::Nino, SAME),
                col("BirthDate", Field::Birth, SAME),
                col("Gender", Field::Gender, GENDER_LETTERS),
                col("Sex", Field::Sex, SEX_WORDS),
                col("LongTermCondition", Field::Condition, YES_NO_LETTERS),
                col("ConditionLimits", Field::Limits, LIMITS_LETTERS),
                col("HomeAuthority", Field::Council, SAME),
                col("Parent", Field::Parental, PARENT_WORDS),
                col("StatisticsOptOut", Field::Objection, OBJECTION_LETTERS),
            ],
        },
        FileShape {
            name: "joins.tsv",
            rows: Rows::Starts,
            columns: &[
                col("JoinKey", Field::StartId, SAME),
                col("CustomerKey", Field::PersonId, SAME),
                col("JoinNo", Field::StartNumber, SAME),
                col("LotAuthority", Field::DeliveryArea, SAME),
                col("Joined", Field::StartDay, SAME),
                col("Source", Field::Referral, SAME),
                col("Exited", Field::EndDay, SAME),
                col("ExitReason", Field::EndReason, REASON_WORDS),
            ],
        },
        FileShape {
            name: "destinations.tsv",
            rows: Rows::Outcomes,
            columns: &[
                col("DestinationKey", Field::OutcomeId, SAME),
                col("JoinKey", Field::StartId, SAME),
                col("CustomerKey", Field::PersonId, SAME),
                col("Destination", Field::OutcomeKind, KIND_WORDS),
                col("Date", Field::OutcomeDay, SAME),
                col("Sustained4", Field::Week(0), WEEK_LETTERS),
                col("Sustained13", Field::Week(1), WEEK_LETTERS),
                col("Sustained26", Field::Week(2), WEEK_LETTERS),
                col("Sustained52", Field::Week(3), WEEK_LETTERS),
                col("Contract", Field::Contract, SAME),
            ],
        },
    ],
};
