//! The documents as they are written.

use serde::Deserialize;
use std::collections::BTreeMap;

/// The text of every document, by file name relative to `schemas/smf/`.
#[derive(Clone, Debug, Default)]
pub struct Documents(pub BTreeMap<String, String>);

impl Documents {
    /// The documents that this program was built with.
    #[must_use]
    pub fn embedded() -> Self {
        Self(EMBEDDED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
    }
}

macro_rules! embed {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../../schemas/smf/", $name)))),*]
    };
}

const EMBEDDED: &[(&str, &str)] = embed![
    "codes.toml",
    "templates.toml",
    "tables/activities.toml",
    "tables/charter_feedback.toml",
    "tables/engagements.toml",
    "tables/outcomes.toml",
    "tables/participants.toml",
    "tables/partner_totals.toml",
    "tables/workforce_skills.toml",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableDoc {
    pub(super) cairn_schema: u8,
    pub(super) table: TableHead,
    #[serde(default)]
    pub(super) column: Vec<ColumnDoc>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableHead {
    pub(super) name: String,
    pub(super) version: u16,
    pub(super) one_row_is: String,
    pub(super) person_key: Option<String>,
    pub(super) parent: Option<ParentDoc>,
    pub(super) rows_per_person_max: Option<u32>,
    pub(super) closed_by: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ParentDoc {
    pub(super) table: String,
    pub(super) on: String,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnDoc {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) key: Option<String>,
    pub(super) nullable: bool,
    pub(super) codes: Option<String>,
    pub(super) bounds: Option<[i64; 2]>,
    pub(super) class: String,
    pub(super) may: Vec<String>,
    #[serde(rename = "use")]
    pub(super) use_in_words: String,
    pub(super) derived: Option<String>,
    #[serde(default)]
    pub(super) note: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CodesDoc {
    pub(super) cairn_schema: u8,
    pub(super) list: Vec<ListDoc>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListDoc {
    pub(super) id: String,
    pub(super) version: u16,
    pub(super) open: Option<String>,
    #[serde(default)]
    pub(super) ordered: bool,
    #[serde(default)]
    pub(super) note: String,
    pub(super) codes: Vec<[String; 2]>,
    #[serde(default)]
    pub(super) aliases: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) grain: Vec<GrainDoc>,
    #[serde(default)]
    pub(super) group: Vec<GroupDoc>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GrainDoc {
    pub(super) name: String,
    pub(super) parts: Vec<PartDoc>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PartDoc {
    pub(super) code: String,
    pub(super) of: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupDoc {
    pub(super) name: String,
    pub(super) of: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TemplatesDoc {
    pub(super) cairn_schema: u8,
    pub(super) template: Vec<TemplateDoc>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TemplateDoc {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) lacks: Vec<String>,
    #[serde(default)]
    pub(super) map: Vec<MapDoc>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MapDoc {
    pub(super) column: String,
    pub(super) codes: BTreeMap<String, String>,
    pub(super) lossy: Option<String>,
}
