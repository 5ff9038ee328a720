//! What must not compile.

#[test]
fn nothing_is_opened_drawn_or_read_that_a_round_did_not_give() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
