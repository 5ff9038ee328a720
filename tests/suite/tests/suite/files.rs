//! A key that a file does not have, in every file that a person writes or is handed: refused, and named.

use crate::harness::federation::{Federation, Partner};
use crate::harness::people::{FIFE, people};

#[test]
fn an_unknown_key_is_refused_in_every_file() {
    let federation = Federation::set_up(&[Partner::new("fife", people("F", 10, FIFE, "F"))], "");
    federation.load("fife").exits(0);
    let cases = include_str!("../../../../policies/examples/council/tests.toml");
    std::fs::write(federation.path("fife/policy/tests.toml"), cases).unwrap();

    let load = ["node", "load", "--node", "fife", "--mapping", "export/fife.toml", "--source", "export/fife"];
    let check = ["policy", "check", "fife/policy/policy.toml"];
    let test = ["policy", "test", "fife/policy/policy.toml"];
    let init = [
        "node",
        "init",
        "again",
        "--identity",
        "identity/fife",
        "--coordinator",
        "127.0.0.1:1",
        "--policy",
        "council",
    ];
    let init = [&init[..], &["--controller", "Again"]].concat();
    let files: [(&str, &[&str], i32); 9] = [
        ("fife/node.toml", &load, 5),
        ("export/fife.toml", &load, 5),
        (
            "coordinator/coordinator.toml",
            &["coordinator", "run", "--config", "coordinator/coordinator.toml"],
            5,
        ),
        ("fife/policy/policy.toml", &check, 5),
        ("fife/policy/framework.toml", &check, 5),
        ("fife/policy/local-brake.toml", &check, 5),
        ("fife/policy/tests.toml", &test, 5),
        ("identity/fife/identity.toml", &init, 1),
        ("identity/fife/issuers.toml", &init, 1),
    ];
    for (file, words, code) in files {
        let good = federation.read(file);
        federation.edit(file, |text| format!("unheard_of = 1\n{text}"));
        let done = federation.cairn(words);
        assert!(done.code == code, "{file}: {done:?}");
        assert!(done.out.contains("unheard_of") || done.err.contains("unheard_of"), "{file}: {done:?}");
        federation.edit(file, |_| good);
    }
}
