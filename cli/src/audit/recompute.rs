//! `cairn audit recompute`: whether the published figures of a secure total are what its partners signed, without a word of the coordinator's.
//!
//! The federation's key says who has a seat, the analyst's what was asked, and every partner's what it put in. That the analyst might ask is
//! what every partner verified before it signed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cairn_coordinator::total::TotalTerms;
use cairn_policy::SecureTerms;
use cairn_question::combine::{CombinedV1, CoverageV1};
use cairn_question::question::ASK_TYPE;
use cairn_question::register::Register;
use cairn_question::{
    AskV1, Cell, Grid, Hash, PartnerId, QuestionId, Schema, SignedAsk, TableV1, TotalV1, VerifyingKey,
};
use cairn_seal::{Manifest, PairwiseMasks, Recomputed, Refused, Roster, Terms, Transcript, recompute};
use clap::Args;
use serde::Deserialize;

use super::public_key;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::total::framework_terms;
use crate::transcript::TranscriptFile;
use crate::{files, say};

#[derive(Args)]
pub(crate) struct Recompute {
    /// The file that `cairn coordinator transcript` wrote
    transcript: PathBuf,
    /// The federation's public key (the file federation.pub of any identity folder)
    #[arg(long, value_name = "KEY")]
    federation_key: PathBuf,
    /// The published answer, as `cairn ask --format json` printed it
    #[arg(long, value_name = "FILE")]
    answer: PathBuf,
    /// The framework whose terms of secure totals the question is held to; without it the terms that the analyst signed
    #[arg(long, value_name = "FILE")]
    framework: Option<PathBuf>,
}

pub(super) fn run(asked: &Recompute) -> Result<Exit, Failure> {
    let federation = public_key(&asked.federation_key, "the federation's federation.pub")?;
    let published = Published::read(&asked.answer)?;
    let file = TranscriptFile::read(&asked.transcript)?;
    let put = Put::open(&file, &federation)?;
    let terms = put.terms(asked.framework.as_deref())?;
    let transcript = Transcript::parse(&file.transcript()).map_err(not_held)?;
    let recomputed = recompute(&transcript, &put.analyst, &put.roster, &terms, &PairwiseMasks);
    let total = put.total(recomputed.map_err(not_held)?)?;
    published.is_of(&total)?;
    published.shows(&total)?;
    say::out(&format!(
        "{}: the published figures are what {} partners signed: {}.\n",
        total.ask.id,
        total.says.partners.len(),
        total.says.partners.iter().map(PartnerId::as_str).collect::<Vec<_>>().join(", "),
    ));
    if asked.framework.is_none() {
        say::note("Held to the terms that the analyst signed; --framework holds it to the framework's.");
    }
    Ok(Exit::Done)
}

/// The answer as it was published: what of its JSON is held against the recomputed total.
#[derive(Deserialize)]
struct Published {
    id: QuestionId,
    combined: Option<CombinedV1>,
    coverage: CoverageV1,
}

/// The question as it was put.
pub(super) struct Put {
    ask: AskV1,
    hash: Hash,
    pub(super) grid: Grid,
    pub(super) analyst: VerifyingKey,
    pub(super) roster: Roster,
    /// The manifest under its own terms.
    manifest: Manifest,
}

/// The total as its partners' signatures make it.
struct Total {
    ask: AskV1,
    hash: Hash,
    grid: Grid,
    table: TableV1,
    says: Says,
}

/// What a published total must say of itself.
struct Says {
    partners: Vec<PartnerId>,
    colluding_max: u16,
    manifest: Hash,
    opening: Hash,
    transcript: Hash,
}

impl Put {
    pub(super) fn open(file: &TranscriptFile, federation: &VerifyingKey) -> Result<Self, Failure> {
        let says = |e| Failure::not_verified("CC201", format!("the transcript's register: {e}"));
        let register = Register::open(&file.register.to_bytes(), federation).map_err(says)?;
        let roster = Roster::of(&register).map_err(not_held)?;
        let SignedAsk { question, manifest, .. } = &file.question;
        let analyst = file.question.peek_credential().map_err(|_| not_held(Refused::Manifest))?.key;
        let text = question.open(ASK_TYPE, &analyst).map_err(|_| not_held(Refused::OtherQuestion))?;
        let ask = file.question.peek().map_err(|_| not_held(Refused::OtherQuestion))?;
        let grid = ask.question.grid(Schema::smf()).map_err(|_| not_held(Refused::OtherQuestion))?;
        let manifest = manifest.as_ref().ok_or_else(|| not_held(Refused::Manifest))?;
        let manifest = Manifest::open_as_said(&manifest.to_bytes(), &analyst, &roster).map_err(not_held)?;
        Ok(Self { hash: Hash::of(&text), ask, grid, analyst, roster, manifest })
    }

    /// What the manifest is held to.
    pub(super) fn terms(&self, framework: Option<&Path>) -> Result<Terms, Failure> {
        let terms = match framework {
            Some(path) => {
                let SecureTerms { colluding_max, answering_min, invited_min, .. } =
                    framework_terms(Some(path))?;
                Terms::of_framework(colluding_max, answering_min, invited_min)
            }
            None => Terms::as_said(self.manifest.says()),
        };
        terms.map_err(not_held)
    }

    /// The table that may leave of the sum, by the rules by which the coordinator makes it.
    fn total(self, recomputed: Recomputed) -> Result<Total, Failure> {
        let Recomputed { manifest, partners, sum, opening, transcript } = recomputed;
        manifest.of_question(self.ask.id, &self.hash).map_err(not_held)?;
        let (hash, colluding_max) = (*manifest.hash(), manifest.says().colluding_max);
        let roster = Arc::new(self.roster);
        let terms = TotalTerms { manifest, roster, question: self.ask.question.clone(), bound: None };
        let table = terms.protect((&sum, partners.len()), &self.grid).map_err(not_held)?;
        let partners = terms.names(&partners);
        let says = Says { partners, colluding_max, manifest: hash, opening, transcript };
        Ok(Total { ask: self.ask, hash: self.hash, grid: self.grid, table, says })
    }
}

impl Published {
    fn read(path: &Path) -> Result<Self, Failure> {
        let wrong = |why: &str| Failure::bad_file("CC602", format!("{}: {why}", path.display()));
        let bytes = files::read_bytes(path, ANSWER_BYTES_MAX).map_err(|why| wrong(&why))?;
        serde_json::from_slice(&bytes)
            .map_err(|_| wrong("is no answer as `cairn ask --format json` prints it"))
    }

    /// Whether it says of itself that it is this total, of this question.
    fn is_of(&self, total: &Total) -> Result<(), Failure> {
        let (id, hash) = (self.coverage.question_id, self.coverage.question_hash);
        if (self.id, id, hash) != (total.ask.id, total.ask.id, total.hash) {
            return Err(other("is of another question"));
        }
        let says = &total.says;
        match &self.coverage.total {
            None => Err(other("is no secure total")),
            Some(TotalV1 { partners, .. }) if *partners != says.partners => {
                Err(other("names other partners than those who signed"))
            }
            Some(of) if of.manifest != says.manifest || of.colluding_max != says.colluding_max => {
                Err(other("is of another manifest"))
            }
            Some(of) if of.opening != says.opening => Err(other("is of another opening")),
            Some(of) if of.transcript != says.transcript => Err(other("is of another transcript")),
            Some(_) => Ok(()),
        }
    }

    /// Whether every figure is the recomputed one: in the answer, and in the coverage statement that the coordinator signed.
    fn shows(&self, total: &Total) -> Result<(), Failure> {
        for shown in [&self.combined, &self.coverage.combined] {
            let shown = shown.as_ref().ok_or_else(|| other("has no table"))?;
            let shown = TableV1::of_sum(shown);
            if shown.dimensions != total.table.dimensions || shown.cells.len() != total.table.cells.len() {
                return Err(other("has another table than was asked for"));
            }
            let differ: Vec<String> = shown
                .cells
                .iter()
                .zip(&total.table.cells)
                .enumerate()
                .filter(|(_, (shown, signed))| shown != signed)
                .map(|(at, (shown, signed))| {
                    let place = total.grid.codes_of(at).join(", ");
                    format!("{place}: {} is published, {} was signed", in_words(*shown), in_words(*signed))
                })
                .collect();
            if let Some(first) = differ.first() {
                let says = format!(
                    "{} of {} figures are not what the partners signed; {first}",
                    differ.len(),
                    shown.cells.len()
                );
                return Err(Failure::not_verified("CC604", says));
            }
        }
        Ok(())
    }
}

pub(super) fn not_held(refused: Refused) -> Failure {
    Failure::not_verified(refused.code(), format!("the transcript does not hold: {refused}"))
}

fn other(what: &str) -> Failure {
    Failure::not_verified("CC603", format!("the published answer {what}"))
}

fn in_words(cell: Cell) -> String {
    match cell {
        Cell::Value(value) => value.to_string(),
        Cell::Withheld => "[c]".to_owned(),
        Cell::NotAnswered => "[x]".to_owned(),
    }
}

/// Most bytes of an answer in JSON: the longest table twice, each cell on five lines.
const ANSWER_BYTES_MAX: u64 = 64 << 20;
