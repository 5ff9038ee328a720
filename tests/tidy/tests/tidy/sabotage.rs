//! The program can be built broken on purpose, to see that the attack gate finds it. Nobody may get that build by accident.

use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

use crate::tree::{files, read, report, root};

/// The feature, written in two halves so that this file does not find itself.
const WORD: &str = concat!("sabo", "tage");

/// The features that the ordinary builds of the workspace turn on, package by package; and the packages that have the feature at all.
fn turned_on() -> (Vec<String>, BTreeSet<String>) {
    let cargo = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo metadata");
    let value: Value = serde_json::from_slice(&cargo.stdout).expect("cargo metadata is JSON");
    let has = |list: &Value| list.as_array().is_some_and(|l| l.iter().any(|f| f == WORD));
    let nodes = value["resolve"]["nodes"].as_array().expect("nodes");
    let on = nodes.iter().filter(|n| has(&n["features"])).map(|n| n["id"].to_string()).collect();
    let packages = value["packages"].as_array().expect("packages");
    let declare = packages.iter().filter(|p| !p["features"][WORD].is_null());
    (on, declare.map(|p| p["name"].as_str().unwrap_or_default().to_owned()).collect())
}

#[test]
fn no_ordinary_build_turns_sabotage_on() {
    let (on, declared) = turned_on();
    report("packages that are built broken", &on);
    let declared: Vec<&str> = declared.iter().map(String::as_str).collect();
    assert_eq!(
        declared,
        ["cairn", "cairn-node", "cairn-question", "cairn-release"],
        "who has the feature at all"
    );
}

#[test]
fn only_the_feature_itself_and_its_binary_name_sabotage_in_a_manifest() {
    let mut faults = Vec::new();
    for file in files("Cargo.toml") {
        let text = read(&file);
        for (n, line) in text.lines().enumerate() {
            let code = line.split('#').next().unwrap_or_default();
            let own = code.starts_with(&format!("{WORD} = ["))
                || code == format!("required-features = [\"{WORD}\"]");
            let binary = code.contains(&format!("{WORD}d"));
            if code.contains(WORD) && !own && !binary {
                faults.push(format!("{}:{}", file.display(), n + 1));
            }
        }
        let manifest: toml::Table = toml::from_str(&text).expect("a manifest is TOML");
        for bin in manifest.get("bin").and_then(toml::Value::as_array).into_iter().flatten() {
            let needs = bin.get("required-features").is_some_and(|f| f.to_string().contains(WORD));
            if bin["name"].to_string().contains(WORD) && !needs {
                faults.push(format!("{}: the binary is built by everybody", file.display()));
            }
        }
    }
    report("manifests that turn the feature on", &faults);
}

/// The README's first command names the package and no binary: cargo must know which one is meant, and it is never the broken one.
#[test]
fn a_package_with_a_broken_binary_says_which_one_runs() {
    let mut seen = 0;
    for file in files("Cargo.toml") {
        let manifest: toml::Table = toml::from_str(&read(&file)).expect("a manifest is TOML");
        let bins = manifest.get("bin").and_then(toml::Value::as_array);
        if bins.is_some_and(|bins| bins.len() > 1) {
            let runs = manifest["package"].get("default-run").and_then(toml::Value::as_str);
            assert!(runs.is_some_and(|name| !name.contains(WORD)), "{}: {runs:?}", file.display());
            seen += 1;
        }
    }
    assert_eq!(seen, 1, "the program");
}

/// Scripts, workflows, samples: whatever is neither source nor text for people.
#[test]
fn no_script_names_sabotage() {
    let of_people = [".rs", ".md", "Cargo.toml"];
    let other = files("").into_iter().filter(|f| !of_people.iter().any(|e| f.to_string_lossy().ends_with(e)));
    let names = |f: &std::path::PathBuf| std::fs::read(root().join(f)).is_ok_and(|bytes| has(&bytes));
    report(
        "files that name the feature",
        &other.filter(names).map(|f| f.display().to_string()).collect::<Vec<_>>(),
    );
}

fn has(bytes: &[u8]) -> bool {
    bytes.windows(WORD.len()).any(|w| w == WORD.as_bytes())
}

/// A hook is one line, `sabotage!(value, Name => harm)`, which is the value alone without the feature; all else stands in a module behind it.
#[test]
fn every_hook_is_one_line_and_all_else_is_behind_the_feature() {
    let gate = format!("#[cfg(feature = \"{WORD}\")]");
    let (hook, module) = (format!("{WORD}!("), format!("mod {WORD};"));
    let mut faults = Vec::new();
    let mut hooked = BTreeSet::new();
    for file in files(".rs") {
        let path = file.to_string_lossy().into_owned();
        let behind = path.ends_with(&format!("/{WORD}.rs")) || path.ends_with(&format!("/bin/{WORD}d.rs"));
        if behind || path.starts_with("tests/") || path == "crates/question/src/lib.rs" {
            continue;
        }
        let text = read(&file);
        let lines: Vec<&str> = text.lines().collect();
        for (n, line) in lines.iter().enumerate().filter(|(_, line)| line.contains(WORD)) {
            let gated = line.contains(&module) && n > 0 && lines[n - 1].trim() == gate;
            let marks = line.trim() == gate || line.starts_with("use cairn_question::");
            let name = line.split(" => ").next().and_then(|before| before.rsplit(", ").next());
            let one_line = line.contains(&hook) && line.contains(" => ");
            if one_line {
                hooked.extend(name.map(str::to_owned));
            } else if !gated && !marks {
                faults.push(format!("{path}:{}", n + 1));
            }
        }
    }
    report("lines that name it and are neither a hook nor behind the feature", &faults);
    let all = read(std::path::Path::new("crates/question/src").join(format!("{WORD}.rs")).as_path());
    let names = all.lines().filter_map(|l| l.trim().strip_prefix("Self::")?.strip_suffix(','));
    let names: BTreeSet<String> = names.map(str::to_owned).collect();
    assert_eq!(names.len(), 13, "twelve are found by the attack gate; at the other the suite kills");
    assert_eq!(hooked, names, "each has its hook");
}
