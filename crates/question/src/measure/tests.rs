use super::*;

fn check(text: &str, expected: Option<Measure>) {
    assert_eq!(text.parse().ok(), expected, "{text}");
    if let Some(measure) = expected {
        assert_eq!(measure.to_string(), text);
        let json = serde_json::to_string(&measure).unwrap();
        assert_eq!(json, format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<Measure>(&json).unwrap(), measure);
    }
}

#[test]
fn a_measure_is_read_and_printed_the_same() {
    check("people", Some(Measure::People));
    check("rows", Some(Measure::Rows));
    check("sum:hours", Some(Measure::Sum("hours".to_owned())));
    check("mean:hourly_pay", Some(Measure::Mean("hourly_pay".to_owned())));
    for none in ["", "People", "people:x", "sum", "sum:", "mean:Hours", "sum:a b", "max:hours", "mean:a:b"] {
        check(none, None);
    }
    check(&format!("sum:{}", "a".repeat(65)), None);
    assert!(serde_json::from_str::<Measure>("\"max:hours\"").is_err());
}
