//! The attack gate raises the alarm: the program is built once more, broken on purpose in twelve ways (docs/reference/attacks.md), and each of
//! them must be found by the attack that is there for it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::harness::program::{Done, cairn, cargo, run};

/// The variable that names a sabotage. The program under test must not know it.
pub(crate) const VARIABLE: &str = "CAIRN_SABOTAGE";

/// The program that can be broken, built into the folder of the one under test, so that no dependency is built again. Every test asks
/// for it; cargo builds it once. Always the dev profile: in any other the feature does not compile.
pub(crate) fn broken() -> PathBuf {
    let ordinary = PathBuf::from(cairn().get_program());
    let folder = ordinary.ancestors().nth(2).unwrap();
    let mut cargo = cargo();
    cargo.args(["build", "--locked", "-p", "cairn", "--features", "sabotage", "--bin", "cairn-sabotaged"]);
    cargo.arg("--target-dir").arg(folder);
    let built = run(cargo).exits(0).err;
    let others: Vec<&str> =
        built.lines().filter(|l| l.contains("Compiling") && !l.contains("Compiling cairn")).collect();
    assert!(others.is_empty(), "only our own crates are built again: {others:?}");
    folder.join("debug").join(format!("cairn-sabotaged{}", std::env::consts::EXE_SUFFIX))
}

/// The gate on the program that can be broken, with these attacks only.
fn gate(sabotage: Option<&str>, attacks: &[&str]) -> (Done, Vec<serde_json::Value>) {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(broken());
    command.args(["audit", "attack", "--quick", "--json", "--folder", "here"]).current_dir(dir.path());
    command.args(attacks.iter().flat_map(|attack| ["--only", *attack])).stdin(Stdio::null());
    command.env("NO_COLOR", "1").env_remove(VARIABLE).envs(sabotage.map(|name| (VARIABLE, name)));
    let done = run(command);
    let lines = done.out.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    (done, lines)
}

/// This attack must find this sabotage.
#[track_caller]
fn check(sabotage: &str, attack: &str) {
    let (done, lines) = gate(Some(sabotage), &[attack]);
    let done = done.exits(6).says("CC601");
    assert!(
        lines.len() == 1 && lines[0]["attack"] == attack && lines[0]["outcome"] == "alarm",
        "{}",
        done.out
    );
}

#[test]
fn a_value_that_is_not_clamped_is_found() {
    check("NoClamp", "sum-flood");
}

#[test]
fn a_person_in_any_number_of_cells_is_found() {
    check("NoGroupCap", "group-flood");
}

#[test]
fn half_the_noise_is_found() {
    check("HalfNoise", "noise-fit");
}

#[test]
fn noise_on_cells_with_people_only_is_found() {
    check("NoiseOnNonZeroOnly", "noise-at-zero");
}

/// The attack on the templates' account has teeth: of two counts, the one of nobody stands there as it is in every table.
#[test]
fn without_noise_at_zero_nearly_every_lone_persons_bit_is_reconstructed() {
    let (done, lines) = gate(Some("NoiseOnNonZeroOnly"), &["reconstruction"]);
    let done = done.exits(6).says("CC601");
    assert!(lines.len() == 1 && lines[0]["outcome"] == "alarm", "{}", done.out);
    let seen = lines[0]["seen"].as_str().unwrap();
    let lone: f64 =
        seen.split(" people, and ").nth(1).and_then(|s| s.split(' ').next()).unwrap().parse().unwrap();
    assert!(lone >= 95.0, "{seen}");
}

#[test]
fn a_threshold_that_is_off_by_one_is_found() {
    check("ThresholdOffByOne", "threshold");
}

#[test]
fn a_charge_on_success_only_is_found() {
    check("ChargeOnSuccess", "ledger-race");
}

#[test]
fn fresh_noise_on_a_retry_is_found() {
    check("FreshNoiseOnRetry", "averaging");
}

#[test]
fn sums_in_32_bits_are_found() {
    check("I32Sums", "sum-width");
}

#[test]
fn keys_from_data_are_found() {
    check("KeysFromData", "full-grid");
}

#[test]
fn output_sorted_by_count_is_found() {
    check("SortedByCount", "full-grid");
}

#[test]
fn data_in_the_text_of_an_error_is_found() {
    check("DataInErrorText", "failing-question");
}

#[test]
fn noise_that_the_question_seeds_is_found() {
    check("SeedPerQuestion", "noise-of-partners");
}

/// It is the sabotage that is found, and not the build: not broken, the same program withstands the attacks above.
#[test]
fn the_same_build_that_is_not_broken_withstands() {
    let (done, lines) =
        gate(None, &["group-flood", "noise-fit", "noise-at-zero", "noise-of-partners", "full-grid"]);
    assert_eq!(lines.len(), 5, "{}", done.out);
    assert!(lines.iter().all(|l| l["outcome"] == "withstood"), "{}", done.out);
    done.exits(0);
    let mut unknown = Command::new(broken());
    assert_eq!(
        run({
            unknown.env(VARIABLE, "no-such-name");
            unknown
        })
        .code,
        2
    );
}

/// The ordinary program does not even hold the variable's name.
#[test]
fn the_ordinary_program_holds_no_trace_of_it() {
    let holds = |program: &Path| {
        let bytes = std::fs::read(program).unwrap();
        bytes.windows(VARIABLE.len()).any(|w| w == VARIABLE.as_bytes())
    };
    assert!(holds(&broken()), "the search works");
    assert!(!holds(Path::new(cairn().get_program())));
}
