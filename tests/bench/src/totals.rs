//! What becomes of small cells: the same people of 32 partners as tables of each partner and as secure totals, asked of real nodes.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use cairn_question::{Grid, Name, Schema};
use serde_json::Value;

use crate::federation::{Federation, Holds, program_beside};
use crate::{Failed, now, say};

/// As many as the shipped framework's terms of secure totals invite.
pub(crate) const PARTNERS: u16 = 32;

/// People of each partner in each cell of a gender: in every council and of either sex.
const PEOPLE: [(&str, i16); 5] =
    [("unknown", 3), ("prefer_not_to_say", 6), ("other", 9), ("woman", 12), ("man", 20)];

const SEXES: [&str; 2] = ["female", "male"];

/// What the table of errors is made of. Every person is in one cell.
const QUESTION: &str = "people by council, gender, sex";

/// Questions that are timed, each put once: the second time a partner says what it said.
const TIMED: [&str; 5] = [
    "people by council",
    "people by gender",
    "people by sex",
    "people by council, gender",
    "people by council, gender, sex",
];

/// Each partner's own table, fewer than 8 withheld and the rest rounded to 5.
const ROUNDED: &[&str] = &["--role", "own-tables-analyst", "--own-tables", "--purpose", "smf-reporting"];

/// Each partner's own table, with noise.
const NOISY: &[&str] = &["--role", "equalities-analyst", "--own-tables", "--purpose", "equalities"];

/// One total of which nobody sees a part.
const TOTAL: &[&str] = &["--role", "national-analyst", "--purpose", "smf-reporting", "--total"];

pub(crate) fn totals(arguments: &[String]) -> Result<(), Failed> {
    let program = program(arguments)?;
    let people = people()?;
    let holds = Holds { policy, framework, mapping, people };
    let roles = ["own-tables-analyst", "equalities-analyst", "national-analyst"];
    let start = now();
    let federation = Federation::start(program, usize::from(PARTNERS), &roles, &holds)?;
    say(format!(
        "{PARTNERS} nodes, a coordinator and an analyst: {} s to set up\n",
        start.elapsed().as_secs()
    ));
    small_cells(&federation)?;
    times(&federation)
}

/// The program that is measured: the one beside this one unless another is named.
pub(crate) fn program(arguments: &[String]) -> Result<PathBuf, Failed> {
    match arguments {
        [] => program_beside(),
        [key, path] if key == "--program" => Ok(std::path::absolute(PathBuf::from(path))?),
        _ => Err(Failed::new("it takes --program FILE and nothing else")),
    }
}

/// The table of errors.
fn small_cells(federation: &Federation) -> Result<(), Failed> {
    let rounded = Cells::of(&federation.ask(QUESTION, ROUNDED)?.1)?;
    let noisy = Cells::of(&federation.ask(QUESTION, NOISY)?.1)?;
    let total = Cells::of(&federation.ask(QUESTION, &[TOTAL, &["dp=1"]].concat())?.1)?;
    say(format!("`{QUESTION}`: {} cells of each size", total.of_gender("man").count()));
    say(
        "| people at each partner | in all | own tables, rounded | its error | own tables, ε = 1: RMSE | secure total, ε = 1: RMSE |",
    );
    say("|---|---|---|---|---|---|");
    let (mut own, mut shared) = (Vec::new(), Vec::new());
    for (gender, people) in PEOPLE {
        let all = i64::from(people) * i64::from(PARTNERS);
        let says = rounded.one(gender)?;
        let (of_own, of_shared) = (noisy.errors(gender, all), total.errors(gender, all));
        let (one, other) = (root_mean_square(&of_own), root_mean_square(&of_shared));
        say(format!("| {people} | {all} | {says} | {:+} | {one:.2} | {other:.2} |", says - all));
        own.extend(of_own);
        shared.extend(of_shared);
    }
    let (one, other) = (root_mean_square(&own), root_mean_square(&shared));
    say(format!("| all | | | | {one:.2} | {other:.2} |\n"));
    Ok(())
}

/// From the command to its table.
fn times(federation: &Federation) -> Result<(), Failed> {
    let took = |words: &[&str]| -> Result<Vec<Duration>, Failed> {
        TIMED.iter().map(|question| Ok(federation.ask(question, words)?.0)).collect()
    };
    say("| from the command to its table | least | median | most |");
    say("|---|---|---|---|");
    // At most what the policy allows, and cheap: the account has room for all five.
    for (what, words) in
        [("secure total of all", [TOTAL, &["dp=0.05"]].concat()), ("own tables of all", ROUNDED.to_vec())]
    {
        let mut took = took(&words)?;
        took.sort_unstable();
        let at = |place: usize| took.get(place).map_or(0, Duration::as_millis);
        say(format!("| {what} | {} ms | {} ms | {} ms |", at(0), at(TIMED.len() / 2), at(TIMED.len() - 1)));
    }
    Ok(())
}

/// The cells of an answer to [`QUESTION`] that people were put into: gender and figure.
struct Cells(Vec<(String, i64)>);

impl Cells {
    fn of(answer: &Value) -> Result<Self, Failed> {
        let grid = grid(QUESTION)?;
        let cells = answer.pointer("/combined/cells").and_then(Value::as_array);
        let cells = cells.ok_or_else(|| Failed::new(format!("no cells: {answer:#}")))?;
        let figure = |(at, cell): (usize, &Value)| match grid.codes_of(at).as_slice() {
            [council, gender, sex] if *council != "unknown" && SEXES.contains(sex) => {
                // A cell that everybody withheld says nothing of anybody.
                let figure = cell.get("cell").and_then(Value::as_i64).unwrap_or(0);
                Some(((*gender).to_owned(), figure))
            }
            _ => None,
        };
        Ok(Self(cells.iter().enumerate().filter_map(figure).collect()))
    }

    fn of_gender<'a>(&'a self, gender: &'a str) -> impl Iterator<Item = i64> + 'a {
        self.0.iter().filter(move |(code, _)| code == gender).map(|(_, figure)| *figure)
    }

    /// The one figure of all cells of a size.
    fn one(&self, gender: &str) -> Result<i64, Failed> {
        let mut figures: Vec<i64> = self.of_gender(gender).collect();
        figures.dedup();
        match figures.as_slice() {
            [one] => Ok(*one),
            other => Err(Failed::new(format!("rounded figures differ: {other:?}"))),
        }
    }

    fn errors(&self, gender: &str, all: i64) -> Vec<i64> {
        self.of_gender(gender).map(|figure| figure - all).collect()
    }
}

/// How the cells of a question lie.
pub(crate) fn grid(question: &str) -> Result<Grid, Failed> {
    let any = Name::new("any")?;
    let question = cairn_question::form::parse(question, &any, &any, Schema::smf())?;
    Ok(question.grid(Schema::smf())?)
}

#[expect(clippy::cast_precision_loss, reason = "errors of counts of a few hundred people, for reading")]
fn root_mean_square(errors: &[i64]) -> f64 {
    let sum: i64 = errors.iter().map(|error| error * error).sum();
    (sum as f64 / errors.len().max(1) as f64).sqrt()
}

/// Every partner's records: in each council and of either sex, so many of each gender.
pub(crate) fn people() -> Result<String, Failed> {
    let councils = Schema::smf().code_list("council").ok_or_else(|| Failed::new("no list of councils"))?;
    let mut text = "id,gender,sex,council\n".to_owned();
    let mut number = 0_u32;
    for council in councils.codes.iter().filter(|council| council.code != "unknown") {
        for sex in SEXES {
            for (gender, people) in PEOPLE {
                for _ in 0..people {
                    number += 1;
                    writeln!(text, "p{number:05},{gender},{sex},{}", council.code)?;
                }
            }
        }
    }
    Ok(text)
}

/// The council's example with one account that pays for two tables of ε = 1, and a share of totals with noise.
fn policy(text: String) -> Result<String, Failed> {
    let text = changed(text, "epsilon_per_year = 1.6 ", "epsilon_per_year = 10.0 ")?;
    let text = changed(text, "epsilon_lifetime = 8.0", "epsilon_lifetime = 10.0")?;
    let text = changed(text, "epsilon   = 0.1 ", "epsilon   = 1.0 ")?;
    let text = changed(text, "max_group_columns  = 2", "max_group_columns  = 3")?;
    let text = changed(text, "disabled_eqa = \"code\", council_code", "gender = \"code\", council_code")?;
    let in_total =
        "[release.in-total]\nmethod       = \"suppress-round\"\nprofile      = \"sub-national-8-5\" ";
    let with_noise = "[release.in-total]\nmethod = \"dp\"\nmechanism = \"discrete-laplace\"\nepsilon = 1.0\n\
                      groups_per_person = 1 ";
    changed(text, in_total, with_noise)
}

fn framework(text: String) -> Result<String, Failed> {
    let text = changed(text, "epsilon_max_per_table = 0.5 ", "epsilon_max_per_table = 1.0 ")?;
    changed(text, "epsilon_max_per_year  = 4.0 ", "epsilon_max_per_year  = 10.0 ")
}

fn changed(text: String, was: &str, is: &str) -> Result<String, Failed> {
    if text.contains(was) {
        Ok(text.replace(was, is))
    } else {
        Err(Failed::new(format!("the shipped file has no `{was}`")))
    }
}

pub(crate) fn mapping(partner: &str) -> String {
    MAPPING.replace("PARTNER", partner)
}

const MAPPING: &str = r#"
cairn_mapping = 1
partner = "PARTNER"
as_of = "2026-01-01"
template = "smf-2022"
objections = "held-elsewhere"
confirmed_by = "made-up records: nobody in them can object"

[source.people]
file = "people.csv"

[table.participants]
source = "people"

[table.participants.columns]
local_person_id = { from = "id" }
gender = { from = "gender", codes = { man = "man", woman = "woman", other = "other", prefer_not_to_say = "prefer_not_to_say", unknown = "unknown" } }
sex = { from = "sex", codes = { female = "female", male = "male" } }
council_code = { from = "council" }
"#;
