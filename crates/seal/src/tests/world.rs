//! A federation for tests: a roster with its keys, an analyst, a coordinator, and the manifest of a small round.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{
    Aggregator, CoordinatorSetup, Layout, LinkageMark, Manifest, ManifestV1, Members, NodeId, NodeSetup,
    Openings, PairwiseMasks, Refused, Ring, RollCall, Roster, RosterEntryV1, RosterV1, Series, Subject,
    Terms, Treatment,
};
use cairn_question::answer::Zeros;
use cairn_question::privacy::Epsilon;
use cairn_question::{Day, Hash, LinkedBy, Moment, Name, PartnerId, QuestionId, SigningKey};

/// 2026-03-01T00:00:00Z.
pub(crate) const NOW: Moment = Moment::from_unix_s(1_772_323_200);

pub(crate) struct World {
    pub(crate) roster: Arc<Roster>,
    pub(crate) roster_doc: RosterV1,
    /// In the roster's order.
    pub(crate) keys: Vec<Arc<SigningKey>>,
    pub(crate) analyst: SigningKey,
    pub(crate) coordinator: Arc<SigningKey>,
    pub(crate) terms: Terms,
    pub(crate) aggregator: Arc<dyn Aggregator>,
}

pub(crate) fn fresh_key() -> SigningKey {
    SigningKey::from_pkcs8(&SigningKey::make_pkcs8().unwrap()).unwrap()
}

pub(crate) fn dp() -> Treatment {
    Treatment::Dp { epsilon: Epsilon::from_millionths(500_000).unwrap(), sensitivity: 1 }
}

/// People counted once, in a pattern of 2¹⁰ symbols of 3 bits.
pub(crate) fn once() -> Treatment {
    Treatment::CountOnce {
        epsilon: Epsilon::from_millionths(2_000_000).unwrap(),
        keys_per_person: 2,
        buckets_power: 10,
        linked_by: LinkedBy::Nino,
        breakdown: None,
    }
}

/// The mark of one of the tests' linkage secrets.
pub(crate) const fn mark(secret: u8) -> LinkageMark {
    LinkageMark::from_bytes([secret; 32])
}

pub(crate) const KEYED: Treatment = Treatment::CellKey {
    table: cairn_question::Perturbations::D3Total,
    min_people: 5,
    round_to: 1,
    zeros: cairn_question::answer::Zeros::Show,
};

pub(crate) const ROUNDED: Treatment = Treatment::SuppressRound {
    min_people: 5,
    round_to: 5,
    zeros: Zeros::Show,
    min_cohort: 0,
    rows_per_person: 1,
};

pub(crate) fn node(n: usize) -> NodeId {
    NodeId::from_bytes((n as u128).to_be_bytes())
}

fn entry(n: usize, key: &SigningKey) -> RosterEntryV1 {
    RosterEntryV1 {
        node: node(n),
        controller: Name::new(format!("z{n}")).unwrap(),
        partner: PartnerId::new(format!("partner-{n}")).unwrap(),
        key: key.verifying_key(),
        tls_key: Hash::of(&n.to_le_bytes()),
        valid_from: Day::new(2026, 1, 1).unwrap(),
        valid_until: Day::new(2027, 1, 1).unwrap(),
    }
}

pub(crate) fn series() -> Series {
    Series { dataset: Name::new("starts").unwrap(), as_of: Day::new(2026, 2, 28).unwrap(), edition: 1 }
}

impl World {
    /// n partners of whom one may collude.
    pub(crate) fn new(n: usize) -> Self {
        let keys: Vec<_> = (0..n).map(|_| Arc::new(fresh_key())).collect();
        let roster_doc = RosterV1 {
            cairn_roster: 1,
            federation: Name::new("nolb").unwrap(),
            version: 3,
            entries: keys.iter().enumerate().map(|(n, key)| entry(n, key)).collect(),
        };
        let roster = Arc::new(Roster::parse(&serde_json::to_vec(&roster_doc).unwrap()).unwrap());
        let terms = Terms::new(1, usize::midpoint(n, 1) + 1, n, 1_000_000).unwrap();
        Self {
            roster,
            roster_doc,
            keys,
            analyst: fresh_key(),
            coordinator: Arc::new(fresh_key()),
            terms,
            aggregator: Arc::new(PairwiseMasks),
        }
    }

    /// All invited, just over half must answer, eight words of 64 bits, an hour's time.
    pub(crate) fn doc(&self) -> ManifestV1 {
        ManifestV1 {
            cairn_manifest: 1,
            question: QuestionId::from_bytes([7; 32]),
            question_hash: Hash::of(b"question"),
            roster_version: 3,
            roster: *self.roster.hash(),
            invited: Members::of(0..self.keys.len()).unwrap(),
            colluding_max: 1,
            answering_min: u16::try_from(self.terms.answering_min()).unwrap(),
            layout: Layout::new(Ring::U64, 8).unwrap(),
            clamp: 1_000_000,
            scale: 1,
            noise_tail: 1 << 10,
            treatment: dp(),
            deadline: NOW.plus_s(3_600),
            flight_s: 30,
            again: false,
        }
    }

    pub(crate) fn setup(&self, place: usize) -> NodeSetup {
        NodeSetup {
            node: self.roster.entry(place).unwrap().node,
            key: Arc::clone(&self.keys[place]),
            roster: Arc::clone(&self.roster),
            coordinator: self.coordinator.verifying_key(),
            onboarding: BTreeMap::new(),
            aggregator: Arc::clone(&self.aggregator),
        }
    }

    pub(crate) fn coordinator_setup(&self, roll_call: RollCall) -> CoordinatorSetup {
        CoordinatorSetup {
            key: Arc::clone(&self.coordinator),
            roster: Arc::clone(&self.roster),
            aggregator: Arc::clone(&self.aggregator),
            roll_call,
        }
    }

    pub(crate) fn subject(&self, manifest: &Manifest, openings: &Openings) -> Subject {
        Subject {
            question: manifest.says().question,
            question_hash: manifest.says().question_hash,
            series: series(),
            openings: openings.clone(),
            mark: manifest.is_marked().then(|| mark(0)),
        }
    }

    pub(crate) fn open(&self, doc: &ManifestV1) -> Result<Manifest, Refused> {
        let bytes = doc.sign(&self.analyst).to_bytes();
        Manifest::open(&bytes, &self.analyst.verifying_key(), &self.roster, &self.terms)
    }
}
