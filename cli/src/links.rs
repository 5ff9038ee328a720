//! How good the links of people counted once are: a second total, of the same people by the key they have, and what the two say together.

use std::fmt::Write as _;

use cairn_question::{
    Cell, Day, GroupBy, LinkedBy, Measure, Name, PartnerId, Question, TotalTreatment, TreatmentV1,
};
use cairn_report::thousandths;
use cairn_seal::occupancy::{Figure, LinkageQuality, MissedShare, OVERLAP_MIN, Overlap, Range};
use clap::Args;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::federation::Put;
use crate::once::Once;
use crate::show::Shown;
use crate::total::{Protection, PutAs};

/// The purpose that policies name for it. Not that of the count: one role and purpose have one share of a dataset.
const PURPOSE: &str = "linkage-quality";

/// Which key a person's record has: a number, other columns together, or none.
const QUALITY: &str = "link_quality";

/// Its code for a number.
const NUMBER: &str = "nino";

#[derive(Args)]
pub(crate) struct LinksArgs {
    /// With people counted once, say how good the links are: asks a second total with noise, such as dp=0.1, of the same people by the key they have, for the purpose
    /// linkage-quality
    #[arg(long, value_name = "PROTECTION", requires = "total")]
    links: Option<Protection>,
    /// Of the links between records of one person, the per cent that are missed, below 50, from a local audit
    #[arg(long, value_name = "PERCENT", requires = "links", value_parser = missed)]
    missed_links: Option<MissedShare>,
}

/// The second total of a count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinksAsk {
    put_as: PutAs,
    missed: Option<MissedShare>,
}

/// What a count and its second total say together.
pub(crate) struct Links {
    quality: LinkageQuality,
    missed: Option<MissedShare>,
    /// The second total, with everything needed to read it.
    pub(crate) keys: Box<Shown>,
}

impl LinksArgs {
    /// The second total of a count that is put so; `None` where nobody asked for one.
    pub(crate) fn ask(&self, count: Option<&PutAs>) -> Result<Option<LinksAsk>, Failure> {
        let Some(protection) = self.links else { return Ok(None) };
        // Who has a name and a date of birth to be linked by is in no column.
        let by_number = |put: &&PutAs| put.counts_once() == Some(LinkedBy::Nino);
        match (count.filter(by_number), protection) {
            (Some(count), Protection::Of(TotalTreatment::Dp { .. })) => {
                let put_as = count.protected_by(protection);
                Ok(Some(LinksAsk { put_as, missed: self.missed_links }))
            }
            _ => {
                let says = "--links goes with people counted once by number (--total once=2,8000) and takes noise, such as --links dp=0.1";
                Err(Failure::new("CC216", says))
            }
        }
    }
}

impl LinksAsk {
    /// The second total beside a count, of the same partners.
    pub(crate) fn put(&self, count: &Put) -> Result<Put, Failure> {
        let question = Self::question(&count.question)?;
        let (partners, expires_in_s) = (count.partners.clone(), count.expires_in_s);
        Ok(Put { question, partners, expires_in_s, put_as: Some(self.put_as) })
    }

    /// Its question: the same people, by the key they have.
    fn question(count: &Question) -> Result<Question, Failure> {
        // What two tables say together of a cell's links would need the keys of its people, cell by cell: another question for each.
        if !count.group_by.is_empty() {
            let says = "--links goes with people counted once in all, not by groups: ask for each part with a filter, or without --links";
            return Err(Failure::new("CC216", says));
        }
        let purpose = Name::new(PURPOSE).map_err(|e| Failure::new("CC204", e.to_string()))?;
        let column = match count.dataset.as_str() {
            "participants" => QUALITY.to_owned(),
            _ => format!("participants.{QUALITY}"),
        };
        let by = GroupBy { column, grain: "code".to_owned(), span: None };
        Ok(Question { purpose, measure: Measure::People, group_by: vec![by], ..count.clone() })
    }

    /// What the two totals say together.
    ///
    /// # Errors
    /// CC217 where one of them was not answered, or they are not of the same records of the same partners.
    pub(crate) fn of(self, count: &Shown, keys: Shown) -> Result<Links, Failure> {
        let no = |says: &str| Failure::new("CC217", format!("how good the links are is not known: {says}"));
        let once = count.coverage.total.as_ref().zip(count.combined.as_ref());
        let once = once.and_then(|(total, sum)| Once::of(total, sum)?.count());
        let once = once.ok_or_else(|| no("people were not counted"))?;
        let figures =
            figures(&keys).ok_or_else(|| no("the total of the keys that people have was not answered"))?;
        if !same_records(count, &keys) {
            return Err(no("the two totals are of other partners or other records; ask again"));
        }
        let partners = u16::try_from(count.sealed.len()).unwrap_or(u16::MAX);
        let quality = LinkageQuality::new(once, figures.0, figures.1, partners);
        Ok(Links { quality, missed: self.missed, keys: Box::new(keys) })
    }
}

impl Links {
    /// Lines under the table.
    pub(crate) fn in_words(&self) -> String {
        let mut text = format!("How good the links are (question {}, below)\n", self.keys.id.short());
        for line in self.quality.to_string().lines() {
            let _ = writeln!(text, "  {line}");
        }
        if let Some(missed) = self.missed {
            let _ = writeln!(text, "  if it missed {missed}: {}", self.quality.corrected(missed));
        }
        let _ = match self.quality.overlap(OVERLAP_MIN) {
            Overlap::Said { appearances, people } => writeln!(
                text,
                "  known to two or more partners: {people} people, who are there {appearances} times more than once (95 %)"
            ),
            _ => writeln!(
                text,
                "  known to two or more partners: [c] not sure to be at least {OVERLAP_MIN} people"
            ),
        };
        text
    }

    /// The same for programs.
    pub(crate) fn for_programs(&self, keys: Value) -> Value {
        let range = |range: Range| json!({ "least": range.least, "most": range.most });
        let overlap = match self.quality.overlap(OVERLAP_MIN) {
            Overlap::Said { appearances, people } => {
                json!({ "appearances": range(appearances), "people": range(people) })
            }
            _ => json!("withheld"),
        };
        let (with, without) = (self.quality.with_key(), self.quality.without_key());
        let figure = |f: Figure| json!({ "value": f.value, "plus_minus_95": f.plus_minus_95 });
        let corrected = self.missed.map(|missed| {
            json!({ "missed_per_thousand": missed.thousandths(), "people": range(self.quality.corrected(missed)) })
        });
        json!({
            "linked_people": range(self.quality.linked()),
            "records_with_key": figure(with),
            "records_without_key": figure(without),
            "all_people": range(self.quality.all()),
            "corrected": corrected,
            "overlap": overlap,
            "overlap_min": OVERLAP_MIN,
            "keys": keys,
        })
    }
}

/// The people that have a number, and those that do not, both with their error.
fn figures(keys: &Shown) -> Option<(Figure, Figure)> {
    let TreatmentV1::Dp { plus_minus_95, .. } = keys.coverage.total.as_ref()?.treatment else { return None };
    let width = u32::try_from(plus_minus_95).ok()?;
    let (mut with, mut without) = (None, (0_i64, 0_u32));
    for (codes, cell) in keys.cells() {
        let Cell::Value(value) = cell.cell else { return None };
        if codes == [NUMBER] {
            with = Some(Figure { value, plus_minus_95: width });
        } else {
            // Widths are added up, which is more than the noise of a sum is off by.
            without = (without.0.checked_add(value)?, without.1.checked_add(width)?);
        }
    }
    Some((with?, Figure { value: without.0, plus_minus_95: without.1 }))
}

/// Whether two totals are of the same partners, and at each of the same snapshot.
fn same_records(one: &Shown, other: &Shown) -> bool {
    records(one).eq(records(other))
}

/// Each partner of a total, in the order of their names, and the snapshot that it counted.
fn records(shown: &Shown) -> impl Iterator<Item = (&PartnerId, Day, u32)> {
    shown.sealed.iter().map(|(partner, word)| (partner, word.snapshot.as_of, word.snapshot.edition))
}

/// A share in per cent with at most one digit after the point.
fn missed(text: &str) -> Result<MissedShare, String> {
    let share = thousandths(text).and_then(|thousandths| MissedShare::from_thousandths(thousandths).ok());
    share.ok_or_else(|| "a share in per cent, at least 0 and below 50, such as 5 or 2.5".to_owned())
}

#[cfg(test)]
mod tests;
