//! One cell of a question that was asked both ways: what the coordinator saw of it, and what only the partner's own node can count.

use std::fmt::Write as _;
use std::path::Path;

use cairn_generate::Truth;
use cairn_question::schema::UNKNOWN;
use cairn_question::{PartnerId, Schema};
use serde_json::Value;

use super::Stage;
use crate::audit::Had;
use crate::failure::Failure;
use crate::say;
use crate::staged::Federation;

impl Stage {
    /// Puts a question by council and gender both ways once more, for programs, takes the transcript of the total out of the coordinator's own
    /// store, and lays one cell side by side: the first that its partner has too few people in to show.
    pub(super) fn beside(
        &self,
        running: &Federation,
        question: &str,
        (total, own): (&[&str], &[&str]),
        truth: &Truth,
    ) -> Result<(), Failure> {
        let (total, own) = (self.read(running, question, total)?, self.read(running, question, own)?);
        let had = self.had(&total)?;
        if let Some(cell) = small_parts(truth).find_map(|part| Beside::of(&had, (&total, &own), part)) {
            say::out(&cell.in_words());
        }
        Ok(())
    }

    /// An answer as `--format json` prints it.
    fn read(&self, running: &Federation, question: &str, words: &[&str]) -> Result<Value, Failure> {
        let who =
            ["--format", "json", "--as", &self.staged.path("analyst"), "--coordinator", &running.address];
        let done = self.staged.program.quiet(&[&["ask", question], words, &who[..]].concat())?;
        serde_json::from_slice(&done.stdout)
            .map_err(|_| Failure::new("CC502", "`cairn ask --format json` printed no JSON"))
    }

    /// What the coordinator had of a total.
    fn had(&self, total: &Value) -> Result<Had, Failure> {
        let id = total.get("id").and_then(Value::as_str).unwrap_or_default();
        let (config, out) =
            (self.staged.path("coordinator/coordinator.toml"), self.staged.path("total.transcript"));
        let words = ["coordinator", "transcript", "--config", &config, "--question", id, "--out", &out];
        self.staged.program.quiet(&words)?;
        let key = self.staged.path("partners/fife/identity/federation.pub");
        Had::of(Path::new(&out), Path::new(&key))
    }
}

/// A partner's part of a cell: the partner, council, gender, and the people.
type Part<'a> = (&'a str, &'a str, &'a str, u64);

/// Every part of a cell, of a council and a gender that are known, that the partner's own table withholds.
fn small_parts(truth: &Truth) -> impl Iterator<Item = Part<'_>> {
    truth.partners.iter().flat_map(|(partner, own)| {
        own.by_council_and_gender.iter().flat_map(move |(council, genders)| {
            let parts =
                genders.iter().map(move |(g, n)| (partner.as_str(), council.as_str(), g.as_str(), *n));
            parts.filter(|(_, council, gender, n)| {
                (1..8).contains(n) && ![council, gender].contains(&&UNKNOWN)
            })
        })
    })
}

/// One cell, and one partner's part of it.
struct Beside<'a> {
    part: Part<'a>,
    exact: i64,
    sent: u64,
    total: String,
    own: String,
    added_up: String,
}

impl<'a> Beside<'a> {
    /// `None` where the total withholds the cell too.
    fn of(had: &Had, (total, own): (&Value, &Value), part: Part<'a>) -> Option<Self> {
        let (partner, council, gender, _) = part;
        let at = had.place(&[council, gender])?;
        let sum = |answer: &Value| {
            let cell = answer.pointer(&format!("/combined/cells/{at}"))?;
            let withheld = cell.get("parts_withheld").and_then(Value::as_u64).filter(|n| *n > 0);
            Some(shown(cell.get("cell")?) + &withheld.map_or(String::new(), |n| format!(" +{n}c")))
        };
        let exact = had.exact(at).filter(|exact| *exact >= 8)?;
        Some(Self {
            part,
            exact,
            sent: had.sent(at, &PartnerId::new(partner).ok()?)?,
            total: sum(total)?,
            own: shown(own.pointer(&format!("/answers/{partner}/table/cells/{at}"))?),
            added_up: sum(own)?,
        })
    }

    fn in_words(&self) -> String {
        let (partner, council, gender, people) = self.part;
        let (council, gender) = (label("council_code", council), label("gender", gender));
        let mut text =
            format!("Side by side, one cell ({council}, {gender}) and the part of {partner} in it:\n\n");
        let rows = [
            ["", "one secure total", "every partner's own table"],
            [
                "what the coordinator saw of all ten",
                &format!("{} exactly", self.exact),
                "ten protected figures",
            ],
            [&format!("  and of {partner}"), &format!("{:#018x}", self.sent), &self.own],
            ["what it published", &self.total, &self.added_up],
            [&format!("what it could not see: {partner}'s own"), &people.to_string(), &people.to_string()],
        ];
        for [what, total, own] in rows {
            let _ = writeln!(text, "  {what:<52} {total:<22} {own}");
        }
        text + SAYS
    }
}

const SAYS: &str = "
The long number is a word of the masked table that the partner sent, out of the transcript in the coordinator's own store: as good as noise until all ten are added up.
The last line is in that partner's records, and here in the made-up truth file. [c] is withheld; `+2c` under own tables are two figures that are in no sum.

";

/// The label of a code of a person's column.
fn label<'a>(column: &str, code: &'a str) -> &'a str {
    let schema = Schema::smf();
    let codes = schema.find("participants", column).and_then(|found| found.column.codes.as_deref());
    codes.and_then(|id| schema.code_list(id)).map_or(code, |list| list.label(code))
}

fn shown(cell: &Value) -> String {
    cell.as_str().map_or_else(|| cell.to_string(), |mark| format!("[{mark}]"))
}
