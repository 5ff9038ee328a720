//! People counted once over all partners, at this one: from who is counted to the pattern that goes into the mask.

use cairn_gate::{Failed, Sealable};
use cairn_question::{Refusal, TotalTreatment};
use cairn_records::linkage::QuestionKey;
use cairn_release::RawPeople;
use cairn_seal::occupancy::{Buckets, CountTerms, FreshNoise, NotCounted, Occupied};
use cairn_seal::{Plain, Randomness as _, Refused, SystemRandomness};

use super::Inner;
use super::total::Invitation;
use crate::in_force::Held;

impl Inner {
    /// A part with the buckets of its people, where it is people; or why it ends here.
    pub(super) fn looked_up(
        &self,
        sealable: Sealable,
        invitation: &Invitation,
        held: &Held,
    ) -> Result<(Sealable, Option<Occupied>), Box<Failed>> {
        match sealable.people().map(|people| self.occupied(people, invitation, held)).transpose() {
            Ok(occupied) => Ok((sealable, occupied)),
            Err(refusal) => Err(Box::new(sealable.stopped(refusal))),
        }
    }

    /// In which buckets the people of a question fall. Looked up in memory under a key that this question alone has, and nothing of it is kept.
    ///
    /// # Errors
    /// The refusal, by what this node holds and never by a record: no linkage keys, another method than the question's, or no linkage secret yet.
    fn occupied(
        &self,
        people: &RawPeople,
        invitation: &Invitation,
        held: &Held,
    ) -> Result<Occupied, Refusal> {
        let TotalTreatment::CountOnce { buckets_power, linked_by, .. } = invitation.treatment() else {
            return Err(refused("CU001", NotCounted::Terms.to_string()));
        };
        let buckets = Buckets::of_power(buckets_power).map_err(|no| refused(no.code(), no.to_string()))?;
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
        let key = self.question_key(invitation)?;
        let mut occupied = Occupied::nobody(buckets);
        for person in people.persons() {
            if let Some(hash) = linkage.hash(*person, &key) {
                occupied.add(hash.as_bytes());
            }
        }
        Ok(occupied)
    }

    /// The key of one question, of the linkage secret that all partners of the roster share.
    fn question_key(&self, invitation: &Invitation) -> Result<QuestionKey, Refusal> {
        let none = || {
            let says =
                "this partner has not been given the linkage secret of the roster in force yet; ask again";
            refused("CN028", says.to_owned())
        };
        let seats = invitation.seats();
        let secret = self.linkage.for_roster(seats).ok_or_else(none)?;
        let key = secret.question_key(seats.roster.hash(), &invitation.question()).map_err(|_| none())?;
        Ok(QuestionKey::new(key))
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

fn refused(code: &str, says: String) -> Refusal {
    Refusal::one("total.linkage", code, says)
}
