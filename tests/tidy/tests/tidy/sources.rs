//! The shape of the source.

use crate::tree::{files, read, report};

fn is_test(path: &str) -> bool {
    path.starts_with("tests/")
        || path.contains("/tests/")
        || path.ends_with("/tests.rs")
        || path.contains("/tests_")
}

#[test]
fn no_source_file_is_over_500_lines() {
    let long = |f: &std::path::PathBuf| {
        let lines = read(f).lines().count();
        (lines > 500).then(|| format!("{} has {lines} lines", f.display()))
    };
    let sources = files(".rs").into_iter().filter(|f| !is_test(&f.to_string_lossy()));
    report(
        "a file over 500 lines wants a second look",
        &sources.filter_map(|f| long(&f)).collect::<Vec<_>>(),
    );
}

#[test]
fn the_release_path_has_no_float() {
    let walls = ["crates/release/src", "crates/ledger/src", "crates/gate/src", "crates/disclosure/src"];
    let mut faults = Vec::new();
    for file in files(".rs") {
        let path = file.to_string_lossy().into_owned();
        if is_test(&path) || !walls.iter().any(|w| path.starts_with(w)) {
            continue;
        }
        for (n, line) in read(&file).lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if code.split(|c: char| !c.is_alphanumeric()).any(|w| w == "f64" || w == "f32") {
                faults.push(format!("{path}:{}", n + 1));
            }
        }
    }
    report("release, ledger, gate and disclosure are integers only", &faults);
}

#[test]
fn nothing_is_left_for_another_day() {
    // Written in two halves, so that this file does not find itself.
    let words = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("#[ig", "nore"),
        concat!("unimple", "mented!"),
        concat!("to", "do!("),
    ];
    let mut faults = Vec::new();
    for file in files(".rs") {
        for (n, line) in read(&file).lines().enumerate() {
            if words.iter().any(|w| line.contains(w)) {
                faults.push(format!("{}:{}", file.display(), n + 1));
            }
        }
    }
    report("unfinished work", &faults);
}

#[test]
fn unsafe_is_forbidden_in_every_package() {
    let mut faults = Vec::new();
    for file in files("Cargo.toml") {
        let manifest: toml::Table = toml::from_str(&read(&file)).expect("a manifest is TOML");
        let inherits = manifest.get("lints").and_then(|l| l.get("workspace")).and_then(toml::Value::as_bool);
        if manifest.contains_key("package") && inherits != Some(true) {
            faults.push(file.display().to_string());
        }
    }
    report("packages that do not take the workspace's lints", &faults);
    assert!(read(std::path::Path::new("Cargo.toml")).contains("unsafe_code = \"forbid\""));
}
