//! The manifest: one round's terms, signed by the analyst.

use cairn_question::limits::{PARTNERS_MAX, QUESTION_LIFE_S_MAX};
use cairn_question::{Envelope, Hash, Moment, QuestionId, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::layout::{Layout, Ring};
use crate::members::Members;
use crate::noise;
use crate::occupancy::{CountTerms, NotCounted};
use crate::refused::Refused;
use crate::roster::Roster;
use crate::terms::{Terms, answers_hide};

/// How a total is protected.
pub use cairn_question::TotalTreatment as Treatment;

/// Payload type of a manifest's envelope.
pub const MANIFEST_TYPE: &str = "application/vnd.cairn.manifest.v1+json";

/// Most bytes of a signed manifest: a set of all partners is 256 digits, the rest is a dozen numbers.
pub const MANIFEST_BYTES_MAX: usize = 4_096;

/// Most bytes of sealed vectors that a coordinator holds for one round: 256 MiB, 500 partners with 64 tables of the usual size each.
pub const ROUND_BYTES_MAX: usize = 256 << 20;

/// Longest that one flight may take, in seconds.
pub const FLIGHT_S_MAX: u16 = 600;

/// What limits a second total on the same records. Complete: there is or there is not a fresh charge.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Repeat {
    /// Fresh noise, charged: any partners.
    Charged,
    /// Nothing is charged: the same partners, or the difference of two totals is one partner's exact figure (R6).
    SamePartners,
}

/// The manifest as it is written: JSON.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestV1 {
    /// Format, 1.
    pub cairn_manifest: u8,
    /// The question's number.
    pub question: QuestionId,
    /// SHA-256 of the question's signed text.
    pub question_hash: Hash,
    /// The roster's version.
    pub roster_version: u32,
    /// SHA-256 of the roster's text.
    pub roster: Hash,
    /// Who is invited, as places in the roster.
    pub invited: Members,
    /// Partners that may collude, t.
    pub colluding_max: u16,
    /// Fewest partners behind the total.
    pub answering_min: u16,
    /// How the table lies in bytes.
    pub layout: Layout,
    /// B: most that one partner adds to one cell, before scaling. Unused in a ring of bits.
    pub clamp: u64,
    /// s: what every count is multiplied by, a power of two: the treatment's own.
    pub scale: u64,
    /// Room for the noise of all partners together in one cell, after scaling: at least what it adds but for a chance of 2⁻⁶⁴.
    pub noise_tail: u64,
    /// How the total is protected.
    pub treatment: Treatment,
    /// When the round is over: a node that has not opened by then never will.
    pub deadline: Moment,
    /// How long the coordinator waits in one flight for the slowest node, in seconds.
    pub flight_s: u16,
    /// The analyst knows that an equal total may have been answered, and wants another with noise of its own, charged again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
}

/// A manifest that was verified against the roster and the framework's terms. Says nothing of the time: see [`Manifest::in_time`].
#[derive(Clone, Debug)]
pub struct Manifest {
    doc: ManifestV1,
    hash: Hash,
    bytes: Vec<u8>,
}

impl ManifestV1 {
    /// Signs it with the analyst's key.
    #[must_use]
    pub fn sign(&self, analyst: &SigningKey) -> Envelope {
        Envelope::sign(MANIFEST_TYPE, &serde_json::to_vec(self).unwrap_or_default(), analyst)
    }
}

impl Repeat {
    /// What the treatment of a total asks for.
    #[must_use]
    pub const fn of(treatment: &Treatment) -> Self {
        if treatment.is_charged() { Self::Charged } else { Self::SamePartners }
    }
}

/// Words for numbers; for people counted once, the very patterns that their terms make.
fn lies_in(doc: &ManifestV1) -> Result<(), Refused> {
    let lies = if matches!(doc.treatment, Treatment::CountOnce { .. }) {
        match CountTerms::of_total(&doc.treatment, doc.invited.len(), doc.colluding_max) {
            Ok(terms) => terms.layout().is_ok_and(|layout| layout == doc.layout),
            Err(why @ NotCounted::TooManyCells) => return Err(why.into()),
            Err(_) => false,
        }
    } else {
        !matches!(doc.layout.ring(), Ring::Xor(_))
    };
    if lies { Ok(()) } else { Err(Refused::Treatment) }
}

/// Why a manifest is not read: its treatment has another name than this program knows, or it is none.
fn unread(payload: &[u8]) -> Refused {
    #[derive(Deserialize)]
    struct Named {
        treatment: Method,
    }
    #[derive(Deserialize)]
    struct Method {
        method: String,
    }
    match serde_json::from_slice::<Named>(payload) {
        Ok(named) if !Treatment::METHODS.contains(&named.treatment.method.as_str()) => {
            Refused::UnknownTreatment
        }
        _ => Refused::Manifest,
    }
}

/// The scale is the treatment's, and enough for the noise of as many partners as can be ready: fewer need no more.
fn is_scaled(doc: &ManifestV1) -> bool {
    let honest = doc.invited.len().saturating_sub(usize::from(doc.colluding_max));
    let enough = u16::try_from(honest).is_ok_and(|honest| doc.treatment.is_scaled_for(honest));
    enough && doc.scale == doc.treatment.scaling().factor().unsigned_abs()
}

/// A manifest of the analyst's, held against nothing yet.
struct Read {
    doc: ManifestV1,
    hash: Hash,
}

impl Read {
    fn held_to(self, roster: &Roster, terms: &Terms, bytes: &[u8]) -> Result<Manifest, Refused> {
        let Self { doc, hash } = self;
        if doc.cairn_manifest != 1 {
            return Err(Refused::Manifest);
        }
        if doc.roster_version != roster.version() || doc.roster != *roster.hash() {
            return Err(Refused::OtherRoster);
        }
        roster.entries(&doc.invited)?;
        only_raises(&doc, terms)?;
        fits(&doc)?;
        Ok(Manifest { hash, bytes: bytes.to_vec(), doc })
    }
}

impl Manifest {
    /// Reads a manifest, and holds it against the pinned roster and terms. `analyst` is the key that the verified question was signed with.
    ///
    /// # Errors
    /// [`Refused::Manifest`] for anything but a manifest of this analyst; [`Refused::OtherRoster`], [`Refused::NotInRoster`]; what lowers a term:
    /// [`Refused::LowersColluding`], [`Refused::LowersAnswering`], [`Refused::LowersInvited`], [`Refused::RaisesClamp`]; another t that is higher:
    /// [`Refused::RaisesColluding`]; what protects nobody: [`Refused::NoMajority`],
    /// [`Refused::OneAlone`]; [`Refused::Width`], [`Refused::Treatment`], [`Refused::UnknownTreatment`], [`Refused::Scaling`], [`Refused::NoiseTail`], [`Refused::RoundTooLarge`]; [`Refused::Deadline`] for a flight of no length or over [`FLIGHT_S_MAX`].
    pub fn open(
        bytes: &[u8],
        analyst: &VerifyingKey,
        roster: &Roster,
        terms: &Terms,
    ) -> Result<Self, Refused> {
        Self::read(bytes, analyst)?.held_to(roster, terms, bytes)
    }

    /// Reads a manifest under its own terms: for the coordinator, which has no framework and is trusted with none of it. Every node holds it against its own.
    ///
    /// # Errors
    /// As [`Manifest::open`]; [`Refused::Terms`] for terms that no framework could have.
    pub fn open_as_said(bytes: &[u8], analyst: &VerifyingKey, roster: &Roster) -> Result<Self, Refused> {
        let read = Self::read(bytes, analyst)?;
        let terms = Terms::as_said(&read.doc)?;
        read.held_to(roster, &terms, bytes)
    }

    fn read(bytes: &[u8], analyst: &VerifyingKey) -> Result<Read, Refused> {
        let envelope = Envelope::parse(bytes, MANIFEST_BYTES_MAX).map_err(|_| Refused::Manifest)?;
        let payload = envelope.open(MANIFEST_TYPE, analyst).map_err(|_| Refused::Manifest)?;
        let doc: ManifestV1 = serde_json::from_slice(&payload).map_err(|_| unread(&payload))?;
        Ok(Read { doc, hash: Hash::of(&payload) })
    }

    /// Holds it against the question that this node verified.
    ///
    /// # Errors
    /// [`Refused::OtherQuestion`] for another number, or another text under the number.
    pub fn of_question(&self, question: QuestionId, hash: &Hash) -> Result<(), Refused> {
        let same = self.doc.question == question && self.doc.question_hash == *hash;
        if same { Ok(()) } else { Err(Refused::OtherQuestion) }
    }

    /// Holds it against the clock: still open, at most a day long, and everybody invited is valid on the day.
    ///
    /// # Errors
    /// [`Refused::Deadline`] or [`Refused::NotInRoster`].
    pub fn in_time(&self, roster: &Roster, now: Moment) -> Result<(), Refused> {
        if now >= self.doc.deadline || self.doc.deadline > now.plus_s(QUESTION_LIFE_S_MAX) {
            return Err(Refused::Deadline);
        }
        let valid = roster.valid_on(now.day_utc())?;
        if self.doc.invited.is_within(&valid) { Ok(()) } else { Err(Refused::NotInRoster) }
    }

    /// R1 of a set of nodes, whoever names it: all of them invited, and enough.
    ///
    /// # Errors
    /// [`Refused::NotWithinInvited`] or [`Refused::TooFew`].
    pub fn admits(&self, members: &Members) -> Result<(), Refused> {
        if !members.is_within(&self.doc.invited) {
            return Err(Refused::NotWithinInvited);
        }
        if members.len() < usize::from(self.doc.answering_min) { Err(Refused::TooFew) } else { Ok(()) }
    }

    /// What it says.
    #[must_use]
    pub const fn says(&self) -> &ManifestV1 {
        &self.doc
    }

    /// SHA-256 of the signed text.
    #[must_use]
    pub const fn hash(&self) -> &Hash {
        &self.hash
    }

    /// Whether people are counted once: then every partner shows by its mark that it holds the linkage secret of the others.
    #[must_use]
    pub const fn is_marked(&self) -> bool {
        matches!(self.doc.treatment, Treatment::CountOnce { .. })
    }

    /// The envelope as it came.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// h: among how many of `members` the noise of a total is shared out, so that the others' shares alone suffice: all but t, which is the framework's and the
    /// manifest's. At least 2 for a set that [`Manifest::admits`].
    #[must_use]
    pub fn honest(&self, members: &Members) -> usize {
        members.len().saturating_sub(usize::from(self.doc.colluding_max))
    }
}

fn only_raises(doc: &ManifestV1, terms: &Terms) -> Result<(), Refused> {
    let (colluding, answering) = (usize::from(doc.colluding_max), usize::from(doc.answering_min));
    if colluding < terms.colluding_max() {
        return Err(Refused::LowersColluding { framework: terms.colluding_max() });
    }
    if answering < terms.answering_min() {
        return Err(Refused::LowersAnswering);
    }
    if doc.invited.len() < terms.invited_min() {
        return Err(Refused::LowersInvited);
    }
    if doc.clamp > terms.clamp_max() {
        return Err(Refused::RaisesClamp);
    }
    answers_hide(colluding, answering, doc.invited.len())?;
    // Decision 0015: two nodes that reckon with different numbers draw shares that do not add up to what either promises.
    if colluding > terms.colluding_max() {
        return Err(Refused::RaisesColluding { framework: terms.colluding_max() });
    }
    Ok(())
}

fn fits(doc: &ManifestV1) -> Result<(), Refused> {
    lies_in(doc)?;
    if !doc.scale.is_power_of_two() || !sum_fits(doc) {
        return Err(Refused::Width);
    }
    if !is_scaled(doc) {
        return Err(Refused::Scaling);
    }
    let least = noise_tail_min(doc);
    if doc.noise_tail < least {
        return Err(Refused::NoiseTail { least });
    }
    if doc.layout.bytes().saturating_mul(doc.invited.len()) > ROUND_BYTES_MAX {
        return Err(Refused::RoundTooLarge);
    }
    if (1..=FLIGHT_S_MAX).contains(&doc.flight_s) { Ok(()) } else { Err(Refused::Deadline) }
}

/// What the treatment's noise may add to a cell, with the fewest partners that must answer: more together draw no wider.
fn noise_tail_min(doc: &ManifestV1) -> u64 {
    let invited = u64::try_from(doc.invited.len()).unwrap_or(u64::MAX);
    let round = (invited, u64::from(doc.answering_min), u64::from(doc.colluding_max));
    // More than 64 bits are more than any manifest says.
    noise::tail(&doc.treatment, round).unwrap_or(u64::MAX)
}

/// `n·s·B + noise tail < 2^(w−1)`, n the invited: the sum keeps its sign.
fn sum_fits(doc: &ManifestV1) -> bool {
    let bits = match doc.layout.ring() {
        Ring::Xor(_) => return true,
        words => words.bits(),
    };
    // n ≤ 2¹⁰ and two factors below 2⁶⁴ could leave 128 bits: the product is checked.
    let people = u128::try_from(doc.invited.len()).unwrap_or(u128::MAX);
    let most = people.checked_mul(u128::from(doc.scale)).and_then(|m| m.checked_mul(u128::from(doc.clamp)));
    most.is_some_and(|m| m.saturating_add(u128::from(doc.noise_tail)) < 1 << (bits - 1))
}

const _: () = assert!(PARTNERS_MAX <= 1 << 16, "a number of partners fits 16 bits");
