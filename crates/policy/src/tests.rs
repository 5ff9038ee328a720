use super::*;
use cairn_question::schema::Documents;

mod strathcarron;

/// The text of a file under `policies/`.
pub(crate) fn shipped(path: &str) -> File {
    let full = format!("{}/../../policies/{path}", env!("CARGO_MANIFEST_DIR"));
    File::new(path, std::fs::read_to_string(&full).unwrap_or_else(|e| panic!("{full}: {e}")))
}

/// A shipped example with the shipped framework and its own brake.
pub(crate) fn example(name: &str) -> Sources {
    Sources {
        framework: shipped("framework/framework.toml"),
        policy: shipped(&format!("examples/{name}/policy.toml")),
        brake: Some(shipped(&format!("examples/{name}/local-brake.toml"))),
    }
}

/// A shipped example, loaded.
pub(crate) fn loaded(name: &str) -> Layers {
    let sources = example(name);
    Layers::load(&sources).unwrap_or_else(|f| panic!("{}", render_all(&f, &sources)))
}

/// A file of the design's worked example, as adapted (crates/policy/tests/fixtures/strathcarron/README.md).
pub(crate) fn fixture(path: &str) -> File {
    let full = format!("{}/tests/fixtures/strathcarron/{path}", env!("CARGO_MANIFEST_DIR"));
    File::new(path, std::fs::read_to_string(&full).unwrap_or_else(|e| panic!("{full}: {e}")))
}

/// The worked example's own data dictionary.
pub(crate) fn strathcarron_schema() -> &'static Schema {
    static SCHEMA: std::sync::LazyLock<Schema> = std::sync::LazyLock::new(|| {
        let names = ["codes.toml", "templates.toml", "tables/participants.toml", "tables/outcomes.toml"];
        let text = |name: &str| (name.to_owned(), fixture(&format!("dictionary/{name}")).text);
        Schema::parse(&Documents(names.map(text).into())).unwrap_or_else(|faults| panic!("{faults:#?}"))
    });
    &SCHEMA
}

/// The worked example's dictionary, and one of its policies (`policy`, `policy-bad`, `policy-v8-proposed`, …) under its
/// framework and its brake.
pub(crate) fn strathcarron(name: &str) -> (&'static Schema, Sources) {
    let sources = Sources {
        framework: fixture("framework.toml"),
        policy: fixture(&format!("{name}.toml")),
        brake: Some(fixture("local-brake.toml")),
    };
    (strathcarron_schema(), sources)
}

pub(crate) const EXAMPLES: [&str; 3] = ["council", "small-charity", "health-board"];

#[test]
fn the_shipped_policies_have_no_error_and_only_the_warnings_they_name() {
    for name in EXAMPLES {
        let sources = example(name);
        let found = check(&sources);
        let codes: std::collections::BTreeSet<&str> = found.iter().map(|f| f.code).collect();
        assert_eq!(
            codes.into_iter().collect::<Vec<_>>(),
            ["CP420", "CP901"],
            "{name}:\n{}",
            render_all(&found, &sources)
        );
    }
}
