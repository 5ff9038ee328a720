//! `cairn`: the one program that everybody installs.

use std::process::ExitCode;

fn main() -> ExitCode {
    cairn::run()
}
