//! Whole federations over loopback: the real program as child processes, spoken to by its public commands and protocol
//! only. docs/reference/suite.md says what each test shows.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "a helper of a test fails the test, and the suite is the world outside: it has a clock"
)]

mod answers;
mod attacks;
mod audit;
mod audited;
mod board;
mod brake;
mod canary;
mod crashes;
mod demo;
mod files;
mod full_disk;
mod harness;
mod keeper;
mod kills;
mod linkage;
mod objections;
mod once;
mod policy_life;
mod restore;
mod rows;
mod sabotage;
mod strangers;
mod totals;
