//! People counted once over all partners, at this one: from who is counted to the pattern that goes into the mask.

use cairn_gate::{Failed, Sealable};
use cairn_question::{Refusal, TotalTreatment};
use cairn_records::linkage::QuestionKey;
use cairn_release::RawPeople;
use cairn_seal::occupancy::{Buckets, CountTerms, FreshNoise, NotCounted, Occupied};
use cairn_seal::{LinkageMark, Plain, Randomness as _, Refused, SystemRandomness};
use zeroize::Zeroizing;

use super::Inner;
use super::total::Invitation;
use crate::in_force::Held;
use crate::linkage_secret::LOST;
use crate::seats::Seats;

/// This partner's people, looked up.
pub(super) struct LookedUp {
    /// In which buckets they fall.
    pub(super) occupied: Occupied,
    /// The mark of the secret that they fall there by.
    pub(super) mark: LinkageMark,
}

impl Inner {
    /// A part with the buckets of its people, where it is people; or why it ends here.
    pub(super) fn looked_up(
        &self,
        sealable: Sealable,
        invitation: &Invitation,
        held: &Held,
    ) -> Result<(Sealable, Option<LookedUp>), Box<Failed>> {
        match sealable.people().map(|people| self.occupied(people, invitation, held)).transpose() {
            Ok(people) => Ok((sealable, people)),
            Err(refusal) => Err(Box::new(sealable.stopped(refusal))),
        }
    }

    /// In which buckets the people of a question fall, cell by cell, and each in no more cells than the question reckons with. Looked up in memory under a key that this question alone has, and nothing of it is kept.
    ///
    /// # Errors
    /// The refusal, by what this node holds and never by a record: no linkage keys, another method than the question's, or no linkage secret yet.
    fn occupied(
        &self,
        people: &RawPeople,
        invitation: &Invitation,
        held: &Held,
    ) -> Result<LookedUp, Refusal> {
        let TotalTreatment::CountOnce { buckets_power, linked_by, breakdown, .. } = invitation.treatment()
        else {
            return Err(refused("CU001", NotCounted::Terms.to_string()));
        };
        let not = |no: NotCounted| refused(no.code(), no.to_string());
        let mut occupied =
            Buckets::of_power(buckets_power).and_then(|m| Occupied::nobody_in(m, breakdown)).map_err(not)?;
        let linkage = held.snapshot.linkage().map_err(|fault| {
            tracing::error!(code = fault.code(), "the linkage keys of the snapshot cannot be read: {fault}");
            refused("CN029", "the linkage keys of this partner's records cannot be read".to_owned())
        })?;
        let linkage = linkage
            .ok_or_else(|| refused("CN029", "this partner's records have no linkage keys".to_owned()))?;
        if linked_by != linkage.method().linked_by() {
            let says = format!("this partner's records are not linked by {}", linked_by.in_words());
            return Err(refused("CN027", says));
        }
        let (key, of_secret) = self.question_key(invitation)?;
        let hashed = |(person, cell): &(u32, u32)| Some((*linkage.hash(*person, &key)?.as_bytes(), *cell));
        // Made long enough at once, so that no part of it is left behind where it grew.
        let mut keys = Zeroizing::new(Vec::with_capacity(people.in_cells().len()));
        keys.extend(people.in_cells().iter().filter_map(hashed));
        mark(&mut occupied, keys);
        Ok(LookedUp { occupied, mark: of_secret })
    }

    /// The key of one question, of the linkage secret that all partners of the roster share, and the mark by which they see that it is the same one.
    fn question_key(&self, invitation: &Invitation) -> Result<(QuestionKey, LinkageMark), Refusal> {
        let seats = invitation.seats();
        let none = || self.no_secret(seats);
        let secret = self.linkage.for_roster(seats).ok_or_else(none)?;
        let (roster, question) = (seats.roster.hash(), invitation.question());
        let key = secret.question_key(roster, &question).map_err(|_| none())?;
        let mark = secret.mark(roster, &question).map_err(|_| none())?;
        Ok((QuestionKey::new(key), mark))
    }
}

impl Inner {
    fn no_secret(&self, seats: &Seats) -> Refusal {
        if self.linkage.has_lost(seats) {
            let says = "this partner keeps the linkage secret of the roster in force and has lost it; have the keeper named again (`cairn authority keeper`)";
            return refused(LOST, says.to_owned());
        }
        let says = "this partner has not been given the linkage secret of the roster in force yet; ask again";
        refused("CN028", says.to_owned())
    }
}

/// Marks everybody, all cells of a linkage key at once: also where two records of this partner have one key.
fn mark(occupied: &mut Occupied, mut keys: Zeroizing<Vec<([u8; 32], u32)>>) {
    keys.sort_unstable();
    for person in keys.chunk_by(|one, next| one.0 == next.0) {
        let cells: Vec<u32> = person.iter().map(|(_, cell)| *cell).collect();
        if let Some((hash, _)) = person.first() {
            occupied.add_in(hash, &cells);
        }
    }
}

/// This partner's pattern for one attempt, with noise of its share that is drawn anew.
///
/// # Errors
/// [`Refused::NoRandomness`].
pub(super) fn pattern(occupied: &Occupied, terms: &CountTerms) -> Result<Plain, Refused> {
    let noise = SystemRandomness::default().bytes()?;
    occupied.vector(terms, FreshNoise::from_bytes(*noise))
}

/// Partners of the round hold another linkage secret.
pub(super) fn other_secret(why: &Refused) -> Refusal {
    refused(why.code(), why.to_string())
}

fn refused(code: &str, says: String) -> Refusal {
    Refusal::one("total.linkage", code, says)
}
