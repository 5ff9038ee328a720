//! A party's name, as its certificate carries it.

use cairn_question::{Name, PartnerId};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What a party is in its federation. Complete, not open: every door must know all three.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A partner's node.
    Node,
    /// The coordinator.
    Coordinator,
    /// An analyst.
    Analyst,
}

/// One party of one federation: the single URI in its certificate, such as `cairn://nolb-scotland/node/fife-council`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Party {
    federation: Name,
    role: Role,
    id: Name,
}

impl Party {
    /// The party with this id in this role.
    #[must_use]
    pub const fn new(federation: Name, role: Role, id: Name) -> Self {
        Self { federation, role, id }
    }

    /// The federation.
    #[must_use]
    pub const fn federation(&self) -> &Name {
        &self.federation
    }

    /// The role.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The partner's, coordinator's or analyst's id.
    #[must_use]
    pub const fn id(&self) -> &Name {
        &self.id
    }

    /// The partner, where the party is its node.
    #[must_use]
    pub fn partner(&self) -> Option<PartnerId> {
        (self.role == Role::Node).then(|| PartnerId::from(self.id.clone()))
    }
}

impl Role {
    /// `node`, `coordinator` or `analyst`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Coordinator => "coordinator",
            Self::Analyst => "analyst",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialOrd for Role {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Role {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}/{}", self.federation, self.role, self.id)
    }
}

/// A text that is not a party's name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected a name such as cairn://federation/node/partner")]
pub struct NotAParty;

impl FromStr for Party {
    type Err = NotAParty;

    /// Exactly one spelling reads: no upper case, no empty part, no query, nothing after the id.
    fn from_str(text: &str) -> Result<Self, NotAParty> {
        let mut parts = text.strip_prefix(SCHEME).ok_or(NotAParty)?.split('/');
        let mut next = || parts.next().ok_or(NotAParty);
        let (federation, role, id) = (next()?, next()?, next()?);
        if parts.next().is_some() {
            return Err(NotAParty);
        }
        let role = match role {
            "node" => Role::Node,
            "coordinator" => Role::Coordinator,
            "analyst" => Role::Analyst,
            _ => return Err(NotAParty),
        };
        let name = |text: &str| Name::new(text).map_err(|_| NotAParty);
        Ok(Self { federation: name(federation)?, role, id: name(id)? })
    }
}

impl TryFrom<String> for Party {
    type Error = NotAParty;
    fn try_from(text: String) -> Result<Self, NotAParty> {
        text.parse()
    }
}

impl<'de> Deserialize<'de> for Party {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

const SCHEME: &str = "cairn://";
