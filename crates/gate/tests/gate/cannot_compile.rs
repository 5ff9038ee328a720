//! What must not compile.

#[test]
fn no_step_can_be_skipped_repeated_or_forged() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
