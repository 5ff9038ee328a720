//! `cairn policy schema`: the JSON Schema for editors.

use cairn_policy::schema;
use clap::{Args, ValueEnum};

use crate::exit::Exit;
use crate::say;

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct SchemaArgs {
    /// The file that it is of
    #[arg(value_enum, value_name = "OF", default_value_t = Of::Policy)]
    of: Of,
}

const AFTER_HELP: &str = "\
Example:
  cairn policy schema > cairn-policy-1.schema.json
and on the first line of policy.toml:  #:schema ./cairn-policy-1.schema.json";

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Of {
    /// policy.toml
    Policy,
    /// framework.toml
    Framework,
    /// board.toml
    Board,
}

pub(super) fn run(args: &SchemaArgs) -> Exit {
    say::out(match args.of {
        Of::Policy => schema::POLICY,
        Of::Framework => schema::FRAMEWORK,
        Of::Board => schema::BOARD,
    });
    Exit::Done
}
