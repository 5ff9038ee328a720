use super::*;

#[test]
fn keys_that_a_spreadsheet_spoiled_are_no_keys() {
    let check = |cell: &str, expected: Result<&str, Rule>| assert_eq!(key(cell), expected, "{cell}");
    check(" A-17 ", Ok("A-17"));
    check("123E5", Ok("123E5"));
    check("", Err(Rule::Blank));
    check("  ", Err(Rule::Blank));
    check("#REF!", Err(Rule::SheetError));
    check("########", Err(Rule::SheetError));
    check("#17", Ok("#17"));
    check("1.23E+05", Err(Rule::Exponent));
    check(&"x".repeat(129), Err(Rule::TooLong));
}

#[test]
fn a_national_insurance_number_has_its_form() {
    for good in ["ZZ123456A", "zz 12 34 56 d"] {
        assert!(is_nino(good), "{good}");
    }
    for bad in ["", "ZZ12345A", "ZZ1234567A", "Z1123456A", "ZZ123456E", "ZZ123456AA", "ZZ12345XA"] {
        assert!(!is_nino(bad), "{bad}");
    }
}

#[test]
fn whole_numbers_may_have_been_through_a_spreadsheet() {
    assert_eq!(whole("3"), Some(3));
    assert_eq!(whole("3.0"), Some(3));
    assert_eq!(whole("3.5"), None);
    assert_eq!(whole("3."), None);
    assert_eq!(whole(""), None);
}
