//! The roster: who may take part, one entry for each controller, signed by the board and pinned at every node.

use std::collections::BTreeSet;

use cairn_question::limits::PARTNERS_MAX;
use cairn_question::register::{PartnerEntry, Register};
use cairn_question::{Day, Hash, Name, PartnerId, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::members::{Members, NodeId};
use crate::refused::Refused;

/// Payload type of a roster's envelope, where a board signs it in one.
pub const ROSTER_TYPE: &str = "application/vnd.cairn.roster.v1+json";

/// Most bytes of a roster: an entry has some 350, mostly names of up to 64 letters.
pub const ROSTER_BYTES_MAX: usize = PARTNERS_MAX * 512;

/// The roster as it is written: JSON.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RosterV1 {
    /// Format, 1.
    pub cairn_roster: u8,
    /// The federation.
    pub federation: Name,
    /// Rises with every change.
    pub version: u32,
    /// One for each controller, in any order.
    pub entries: Vec<RosterEntryV1>,
}

/// One controller's node.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RosterEntryV1 {
    /// The node's number.
    pub node: NodeId,
    /// The organisation that answers for the records, by its registration with the regulator. It stands once, however many systems it runs: an
    /// organisation of two entries would hide nothing from itself.
    pub controller: Name,
    /// The name it has in the coordinator's register.
    pub partner: PartnerId,
    /// What it signs flights with.
    pub key: VerifyingKey,
    /// SHA-256 of the key of its certificate.
    pub tls_key: Hash,
    /// First day.
    pub valid_from: Day,
    /// Last day.
    pub valid_until: Day,
}

/// A roster that was read and checked: its entries sorted by node id, nobody in it twice.
#[derive(Clone, Debug)]
pub struct Roster {
    federation: Name,
    version: u32,
    hash: Hash,
    // INVARIANT: sorted by node id, at most PARTNERS_MAX.
    entries: Vec<RosterEntryV1>,
}

impl Roster {
    /// Reads a roster whose signature by the board the caller has verified over these very bytes.
    ///
    /// # Errors
    /// [`Refused::Roster`] for anything but a roster, [`Refused::TwoOfOneController`], or [`Refused::SharedEntry`] for a node id, partner or key
    /// that stands twice.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refused> {
        if bytes.len() > ROSTER_BYTES_MAX {
            return Err(Refused::Roster);
        }
        let doc: RosterV1 = serde_json::from_slice(bytes).map_err(|_| Refused::Roster)?;
        let RosterV1 { cairn_roster, federation, version, mut entries } = doc;
        let ends = entries.iter().all(|entry| entry.valid_from <= entry.valid_until);
        if cairn_roster != 1 || version == 0 || entries.len() > PARTNERS_MAX || !ends {
            return Err(Refused::Roster);
        }
        once(&entries)?;
        entries.sort_by_key(|entry| entry.node);
        Ok(Self { federation, version, hash: Hash::of(bytes), entries })
    }

    /// The roster of a register that the federation's key signed: everybody who has a seat. Its version is the register's.
    ///
    /// # Errors
    /// As [`Roster::parse`].
    pub fn of(register: &Register) -> Result<Self, Refused> {
        let entry = |partner: &PartnerEntry| {
            let seat = partner.seat.as_ref()?;
            Some(RosterEntryV1 {
                node: NodeId::of_key(&partner.signing_key),
                controller: seat.controller.clone(),
                partner: partner.id.clone(),
                key: partner.signing_key,
                tls_key: seat.tls_key,
                valid_from: seat.valid_from,
                valid_until: seat.valid_until,
            })
        };
        let roster = RosterV1 {
            cairn_roster: 1,
            federation: register.federation.clone(),
            version: register.version,
            entries: register.partners.iter().filter_map(entry).collect(),
        };
        Self::parse(&serde_json::to_vec(&roster).unwrap_or_default())
    }

    /// The entry of a partner, with its place.
    #[must_use]
    pub fn of_partner(&self, partner: &PartnerId) -> Option<(usize, &RosterEntryV1)> {
        self.entries.iter().enumerate().find(|(_, entry)| entry.partner == *partner)
    }

    /// The partners at these places, in the order of their names.
    #[must_use]
    pub fn names(&self, places: impl IntoIterator<Item = usize>) -> Vec<PartnerId> {
        let entries = places.into_iter().filter_map(|place| self.entry(place));
        let mut names: Vec<PartnerId> = entries.map(|entry| entry.partner.clone()).collect();
        names.sort_unstable();
        names
    }

    /// The federation.
    #[must_use]
    pub const fn federation(&self) -> &Name {
        &self.federation
    }

    /// The version.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// SHA-256 of the text that the board signed.
    #[must_use]
    pub const fn hash(&self) -> &Hash {
        &self.hash
    }

    /// The entry at a place.
    #[must_use]
    pub fn entry(&self, place: usize) -> Option<&RosterEntryV1> {
        self.entries.get(place)
    }

    /// The place of a node.
    #[must_use]
    pub fn place(&self, node: NodeId) -> Option<usize> {
        self.entries.binary_search_by_key(&node, |entry| entry.node).ok()
    }

    /// The places of all whose entry is valid on this day.
    ///
    /// # Errors
    /// [`Refused::Members`], which a roster's own places never give.
    pub fn valid_on(&self, day: Day) -> Result<Members, Refused> {
        let valid =
            self.entries.iter().enumerate().filter(|(_, e)| (e.valid_from..=e.valid_until).contains(&day));
        Members::of(valid.map(|(place, _)| place))
    }

    /// The entries of a set, in the order of their node ids.
    ///
    /// # Errors
    /// [`Refused::NotInRoster`] for a place that the roster does not have.
    pub fn entries<'a>(&'a self, of: &'a Members) -> Result<Vec<&'a RosterEntryV1>, Refused> {
        of.places().map(|place| self.entry(place).ok_or(Refused::NotInRoster)).collect()
    }
}

fn once(entries: &[RosterEntryV1]) -> Result<(), Refused> {
    let (mut controllers, mut shared) = (BTreeSet::new(), BTreeSet::new());
    for entry in entries {
        if !controllers.insert(&entry.controller) {
            return Err(Refused::TwoOfOneController { controller: entry.controller.as_str().to_owned() });
        }
        let marks = [
            ("node", entry.node.to_string()),
            ("partner", entry.partner.to_string()),
            ("key", entry.key.to_string()),
            ("tls", entry.tls_key.to_string()),
        ];
        for mark in marks {
            if !shared.insert(mark) {
                return Err(Refused::SharedEntry { node: entry.node.to_string() });
            }
        }
    }
    Ok(())
}
