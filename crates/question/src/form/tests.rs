use super::*;

fn read(text: &str) -> Result<Question, FormError> {
    parse(text, &Name::new("national-analyst").unwrap(), &Name::new("smf-reporting").unwrap(), Schema::smf())
}

fn check(text: &str, printed: &str) {
    let question = read(text).unwrap();
    assert_eq!(print(&question), printed);
    assert_eq!(read(printed).unwrap(), question, "print is read back");
    question.grid(Schema::smf()).unwrap();
}

#[test]
fn people_write_what_they_would_say() {
    check("people by council", "people in participants by participants.council_code");
    check(
        "people by council, age band where quarter = 2025-Q2",
        "people in engagements by participants.council_code, participants.age_band where engagements.start_date@quarter = 2025-Q2",
    );
    check(
        "starts by referral source where year = 2024-25",
        "rows in engagements by engagements.referral_source where engagements.start_date@year = 2024-25",
    );
    check(
        "people by quarter from 2024-Q2 to 2025-Q1 where outcome = into_work and council = Dundee City",
        "people in outcomes by engagements.start_date@quarter from 2024-Q2 to 2025-Q1 where outcomes.outcome_type = into_work and participants.council_code = S12000042",
    );
    check(
        "people by age@broad  as of 2026-03-31",
        "people in participants by participants.age_band@broad as of 2026-03-31",
    );
    check("people", "people in participants");
}

fn refuse(text: &str, says: &str) {
    assert_eq!(read(text).unwrap_err().to_string(), says);
}

#[test]
fn a_text_that_is_no_question_says_what_to_write() {
    refuse("", "a question begins with what is counted: people, starts, outcomes or activities");
    refuse(
        "how many people by council",
        "a question begins with what is counted: people, starts, outcomes or activities",
    );
    refuse("people by counsil", "there is no column `counsil`; did you mean `council`?");
    refuse(
        "people by council where sex",
        "a filter is `column = code`, and filters are joined by `and`: `sex`",
    );
    refuse("people where sex = femal", "`sex` has no code `femal`; did you mean `female`?");
    refuse(
        "people by quarter",
        "`quarter` needs its first and last period: `quarter from 2024-Q2 to 2025-Q1`",
    );
    refuse(
        "people where quarter = 2025",
        "`2025` is not a period such as 2025-Q2 or 2025-26, nor a day such as 2025-06-30",
    );
    refuse("people in participants by outcome", "no table sees all of these columns: outcomes.outcome_type");
    refuse(&"x".repeat(3_000), "a question has at most 2,000 characters");
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        let _ = read(&text);
        let _ = read(&format!("people by {text}"));
        let _ = read(&format!("people where {text} = {text}"));
    }
}
