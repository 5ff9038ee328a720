//! `cairn policy new`: a template for a board to begin with.

use std::path::PathBuf;

use cairn_policy::folder::{BOARD_FILE, BRAKE_FILE, FRAMEWORK_FILE, POLICY_FILE, TESTS_FILE};
use cairn_policy::{dated, dated_board, dated_cases, instantiate, schema};
use cairn_question::{Name, PartnerId};
use clap::{Args, ValueEnum};

use super::FRAMEWORK;
use super::given::today;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::{files, say};

#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct New {
    /// The template: whose policy it is nearest to
    #[arg(long, value_enum, value_name = "TEMPLATE")]
    from: Template,
    /// The partner's id in the register; without it, the template's made-up one stays
    #[arg(long, value_name = "ID", requires = "name")]
    partner: Option<PartnerId>,
    /// The data controller's name
    #[arg(long, value_name = "NAME", requires = "partner")]
    name: Option<String>,
    /// The folder to make
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

const AFTER_HELP: &str = "\
Writes policy.toml, tests.toml, local-brake.toml, board.toml, framework.toml (the one this program was built with) and README.md, each with comments, and the
JSON Schema by which an editor checks the policy as it is written;
in force from today for a year. Nothing is overwritten. The policy passes check and its own tests as it is written; the board's file
loads once each member's key stands in it. What is marked MADE UP belongs to nobody: your board replaces it before it signs.";

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Template {
    /// A council with its own and contracted services
    Council,
    /// A charity that supports people under contract
    Charity,
    /// A college
    College,
    /// A health board
    HealthBoard,
    /// A national body
    NationalBody,
    /// A peer assessment of some weeks, by named assessors
    PeerAssessment,
    /// An organisation's own workforce
    Workforce,
}

/// The files of a template.
struct Texts {
    policy: &'static str,
    tests: &'static str,
    brake: &'static str,
    readme: &'static str,
}

pub(super) fn run(new: &New) -> Result<Exit, Failure> {
    let (texts, day) = (new.from.texts(), today());
    let mut policy = dated(texts.policy, day);
    if let (Some(partner), Some(name)) = (&new.partner, &new.name) {
        policy = instantiate(&policy, partner, name);
    }
    let board = board_id(new.partner.as_ref())?;
    policy.insert_str(0, "#:schema ./cairn-policy-1.schema.json\n");
    files::make_folder(&new.out)?;
    for (name, text) in [
        (POLICY_FILE, policy.as_str()),
        (TESTS_FILE, &dated_cases(texts.tests, texts.policy, day)),
        (BRAKE_FILE, texts.brake),
        (BOARD_FILE, &dated_board(BOARD, &board, day)),
        (FRAMEWORK_FILE, FRAMEWORK),
        ("README.md", texts.readme),
        ("cairn-policy-1.schema.json", schema::POLICY),
    ] {
        files::write_new(&new.out.join(name), text)?;
    }
    say::note(&format!("Made {}, in force from {day} for a year.", new.out.display()));
    say::note(&format!(
        "Next: read README.md there, then cairn policy explain {}",
        new.out.join(POLICY_FILE).display()
    ));
    Ok(Exit::Done)
}

/// `<partner>-board`, where that is still a name.
fn board_id(partner: Option<&PartnerId>) -> Result<Name, Failure> {
    let id = partner.map_or_else(|| "any-board".to_owned(), |p| format!("{p}-board"));
    Name::new(id).map_err(|_| {
        Failure::new("CC417", "the partner's id is too long to name its board by; take a shorter one")
    })
}

macro_rules! texts {
    ($name:literal) => {
        Texts {
            policy: include_str!(concat!("../../../policies/templates/", $name, "/policy.toml")),
            tests: include_str!(concat!("../../../policies/templates/", $name, "/tests.toml")),
            brake: include_str!(concat!("../../../policies/templates/", $name, "/local-brake.toml")),
            readme: include_str!(concat!("../../../policies/templates/", $name, "/README.md")),
        }
    };
}

impl Template {
    const fn texts(self) -> Texts {
        match self {
            Self::Council => texts!("council"),
            Self::Charity => texts!("charity"),
            Self::College => texts!("college"),
            Self::HealthBoard => texts!("health-board"),
            Self::NationalBody => texts!("national-body"),
            Self::PeerAssessment => texts!("peer-assessment"),
            Self::Workforce => texts!("workforce"),
        }
    }
}

const BOARD: &str = include_str!("../../../policies/templates/board.toml");
