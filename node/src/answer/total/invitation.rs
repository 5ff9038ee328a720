//! What a question that is put as a total invites this node to: its manifest, held against the roster and the framework's terms.

use std::sync::Arc;

use cairn_gate::Verified;
use cairn_policy::{Layers, SecureTerms};
use cairn_question::{Moment, PartnerId, QuestionId, SignedAsk, TotalTreatment, VerifyingKey};
use cairn_seal::{
    LinkageMark, Manifest, NodeSetup, Openings, PairwiseMasks, Partners, Refused, Series, Subject, Terms,
};

use crate::answer::Inner;
use crate::seats::Seats;

/// A total that this node is invited to, its manifest held against the roster and the framework's terms.
pub(in crate::answer) struct Invitation {
    pub(super) manifest: Manifest,
    pub(super) seats: Seats,
}

/// Why an invitation is not taken, for a refusal under this code.
pub(super) struct Declined {
    pub(super) code: &'static str,
    pub(super) says: String,
}

impl From<Refused> for Declined {
    fn from(refused: Refused) -> Self {
        Self { code: refused.code(), says: refused.to_string() }
    }
}

impl Inner {
    /// Holds the manifest that came with a verified question against this node's roster and terms.
    pub(super) fn invitation(
        &self,
        ask: &SignedAsk,
        verified: &Verified,
        layers: &Layers,
        now: Moment,
    ) -> Result<Option<Invitation>, Declined> {
        let Some(envelope) = &ask.manifest else { return Ok(None) };
        let (question, hash) = verified.question();
        let invitation = self.read_manifest(&envelope.to_bytes(), verified.analyst_key(), layers)?;
        invitation.manifest.of_question(question, &hash)?;
        invitation.manifest.in_time(&invitation.seats.roster, now)?;
        Ok(Some(invitation))
    }

    pub(super) fn read_manifest(
        &self,
        bytes: &[u8],
        analyst: &VerifyingKey,
        layers: &Layers,
    ) -> Result<Invitation, Declined> {
        let seats = self.seats.look().map_err(|no| Declined { code: "CN025", says: no.to_string() })?;
        let Some(secure) = layers.secure() else {
            let says = "the framework in force here has no [secure] terms of secure totals";
            return Err(Declined { code: "CN018", says: says.to_owned() });
        };
        let SecureTerms { colluding_max, answering_min, invited_min, .. } = secure;
        let terms = Terms::of_framework(colluding_max, answering_min, invited_min)?;
        let manifest = Manifest::open(bytes, analyst, &seats.roster, &terms)?;
        Ok(Invitation { manifest, seats })
    }
}

impl Invitation {
    /// How its total is protected.
    pub(in crate::answer) const fn treatment(&self) -> TotalTreatment {
        self.manifest.says().treatment
    }

    pub(in crate::answer) const fn question(&self) -> QuestionId {
        self.manifest.says().question
    }

    /// t: the framework's, or the manifest would not have been read.
    pub(in crate::answer) const fn colluding_max(&self) -> u16 {
        self.manifest.says().colluding_max
    }

    pub(in crate::answer) const fn seats(&self) -> &Seats {
        &self.seats
    }

    pub(super) fn setup(&self, inner: &Inner) -> NodeSetup {
        NodeSetup {
            node: self.seats.own,
            key: Arc::clone(&inner.seal_key),
            roster: Arc::clone(&self.seats.roster),
            coordinator: self.seats.coordinator,
            onboarding: std::collections::BTreeMap::new(),
            aggregator: Arc::new(PairwiseMasks),
        }
    }

    pub(super) fn subject(&self, series: Series, openings: Openings, mark: Option<LinkageMark>) -> Subject {
        let says = self.manifest.says();
        Subject { question: says.question, question_hash: says.question_hash, series, openings, mark }
    }

    /// The partners of an opening by name, in their order.
    pub(super) fn names(&self, partners: &Partners) -> Vec<PartnerId> {
        let roster = &self.seats.roster;
        roster.names(partners.ids().iter().filter_map(|id| roster.place(*id)))
    }
}
