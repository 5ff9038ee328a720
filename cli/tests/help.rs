//! What every command says of itself, as a person reads it. (This test also makes cargo build the program, which the suite runs.)

#![cfg(all(feature = "node", feature = "coordinator"))]
#![expect(clippy::unwrap_used, reason = "a helper of a test fails the test")]

use std::process::Command;

#[test]
fn help_reads_as_it_should() {
    let mut text = String::new();
    show(&[], &mut text);
    insta::assert_snapshot!("help", text);
}

/// The help of a command, then of each command below it.
fn show(words: &[&str], text: &mut String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cairn"));
    command.args(words).arg("--help").env("NO_COLOR", "1").env("COLUMNS", "100");
    command.env_remove("CAIRN_AS").env_remove("CAIRN_COORDINATOR");
    let output = command.output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{words:?}");
    let typed = ["cairn"].iter().chain(words).copied().collect::<Vec<_>>().join(" ");
    text.push_str(&format!("$ {typed} --help\n{}\n\n", help.trim_end()));
    for below in commands(&help) {
        show(&[words, &[below]].concat(), text);
    }
}

/// The names under `Commands:`, but for `help` itself.
fn commands(help: &str) -> Vec<&str> {
    let lines = help.lines().skip_while(|l| *l != "Commands:").skip(1).take_while(|l| l.starts_with("  "));
    let named = lines.filter(|l| !l.starts_with("   "));
    named.filter_map(|l| l.split_whitespace().next()).filter(|name| *name != "help").collect()
}
