//! A total with noise that its analyst was answered before. It is said before any partner is asked: each would draw fresh noise and charge again.

use std::collections::BTreeSet;

use cairn_question::combine::{COVERAGE_TYPE, CoverageV1};
use cairn_question::limits::COVERAGE_BYTES_MAX;
use cairn_question::{
    AskV1, Day, Envelope, Hash, Moment, PartnerId, QuestionId, Schema, SignedAsk, TotalTreatment,
};
use cairn_seal::manifest::{MANIFEST_TYPE, ManifestV1};

use super::TotalTerms;

/// What another question must be to be equal: the same table in another spelling or the same, protected alike, of the same partners.
#[derive(Clone, Debug)]
pub struct Equal {
    id: QuestionId,
    table: Hash,
    treatment: TotalTreatment,
    /// t and n_min.
    terms: (u16, u16),
    partners: BTreeSet<PartnerId>,
    /// Where no day of the records is named: the day on which it is asked. The records of another day may be others.
    latest_on: Option<Day>,
}

/// An equal question that was answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Before {
    /// Its number.
    pub id: QuestionId,
    /// When its round was closed.
    pub at: Moment,
}

impl Equal {
    /// What is equal to this total; `None` where it charges nothing, or where its analyst knows of the other and asks again.
    #[must_use]
    pub fn to(total: &TotalTerms, ask: &AskV1, now: Moment) -> Option<Self> {
        let says = total.manifest.says();
        let treatment = Some(says.treatment).filter(|treatment| treatment.is_charged() && !says.again)?;
        let latest_on = ask.question.as_of.is_none().then(|| now.day_utc());
        let table = ask.question.canonical_hash(Schema::smf());
        let partners = ask.partners.iter().cloned().collect();
        Some(Self { id: ask.id, table, treatment, terms: terms_of(says), partners, latest_on })
    }

    /// Whether these bytes, which were taken on before and whose round was closed then, ask the same.
    pub(crate) fn is_asked_in(&self, signed: &[u8], closed_at: Moment) -> bool {
        let asked = SignedAsk::parse(signed).ok().and_then(|signed| Some((signed.peek().ok()?, signed)));
        let Some((ask, signed)) = asked else { return false };
        let manifest = signed.manifest.and_then(|manifest| manifest.payload_unverified(MANIFEST_TYPE).ok());
        let manifest = manifest.and_then(|text| serde_json::from_slice::<ManifestV1>(&text).ok());
        ask.id != self.id
            && manifest.is_some_and(|says| says.treatment == self.treatment && terms_of(&says) == self.terms)
            && ask.partners.iter().collect::<BTreeSet<_>>() == self.partners.iter().collect()
            && self.latest_on.is_none_or(|day| closed_at.day_utc() == day)
            && ask.question.canonical_hash(Schema::smf()) == self.table
    }

    /// Whether this coverage statement of the coordinator's own has a total of all partners: one that lacks somebody is worth asking again.
    pub(crate) fn is_answered_in(&self, coverage: &[u8]) -> bool {
        let envelope = Envelope::parse(coverage, COVERAGE_BYTES_MAX).ok();
        let text = envelope.and_then(|envelope| envelope.payload_unverified(COVERAGE_TYPE).ok());
        let coverage = text.and_then(|text| serde_json::from_slice::<CoverageV1>(&text).ok());
        let total = coverage.and_then(|coverage| coverage.total);
        total.is_some_and(|total| total.partners.iter().eq(&self.partners))
    }
}

const fn terms_of(says: &ManifestV1) -> (u16, u16) {
    (says.colluding_max, says.answering_min)
}
