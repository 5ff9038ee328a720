//! `cairn`, broken on purpose in the way that `CAIRN_SABOTAGE` names, and so are the processes that it starts. Without it nothing is
//! broken. The suite builds it to see that the attack gate raises the alarm, and to kill it at the place that `CAIRN_SABOTAGE_AT` names; no release
//! holds it.

use std::process::ExitCode;

use cairn_question::sabotage::{Sabotage, choose_place};

#[expect(clippy::print_stderr, reason = "a program of the suite alone")]
fn main() -> ExitCode {
    match std::env::var("CAIRN_SABOTAGE").ok().map(|name| name.parse::<Sabotage>()) {
        Some(Ok(sabotage)) => sabotage.choose(),
        Some(Err(says)) => {
            eprintln!("CAIRN_SABOTAGE: {says}");
            return ExitCode::from(2);
        }
        None => {}
    }
    std::env::var("CAIRN_SABOTAGE_AT").into_iter().for_each(choose_place);
    cairn::run()
}
