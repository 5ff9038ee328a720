//! The mapping file as it is written.

use std::collections::BTreeMap;

use cairn_question::{Day, PartnerId};
use serde::Deserialize;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MappingDoc {
    pub(super) cairn_mapping: u8,
    pub(super) partner: PartnerId,
    pub(super) as_of: Day,
    pub(super) template: Spanned<String>,
    #[serde(default = "MappingDoc::default_max_rejected_percent")]
    pub(super) max_rejected_percent: u8,
    pub(super) objections: Option<Spanned<String>>,
    pub(super) confirmed_by: Option<String>,
    pub(super) source: BTreeMap<String, Spanned<SourceDoc>>,
    pub(super) table: BTreeMap<String, Spanned<TableDoc>>,
    #[serde(default)]
    pub(super) lookup: BTreeMap<String, Spanned<LookupDoc>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceDoc {
    pub(super) file: Option<String>,
    #[serde(default)]
    pub(super) files: Vec<String>,
    #[serde(default = "SourceDoc::default_encoding")]
    pub(super) encoding: String,
    #[serde(default = "SourceDoc::default_delimiter")]
    pub(super) delimiter: char,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableDoc {
    pub(super) source: String,
    pub(super) when: Option<WhenDoc>,
    pub(super) linkage: Option<LinkageDoc>,
    /// Read one by one, so that every bad cell is reported with its line.
    pub(super) columns: BTreeMap<String, Spanned<toml::Value>>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WhenDoc {
    pub(super) column: String,
    pub(super) is: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkageDoc {
    pub(super) nino: Option<String>,
    #[serde(default)]
    pub(super) composite: Vec<String>,
    #[serde(default)]
    pub(super) made_up_numbers: bool,
    pub(super) name: Option<NameDoc>,
    pub(super) by: Option<ByDoc>,
}

/// The columns of a key by name and date of birth.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NameDoc {
    pub(super) family: String,
    pub(super) first: String,
    pub(super) born: String,
    pub(super) date: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ByDoc {
    Number,
    Name,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LookupDoc {
    pub(super) file: String,
    pub(super) key: String,
    pub(super) value: String,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CellDoc {
    pub(super) from: Option<String>,
    pub(super) value: Option<String>,
    pub(super) codes: Option<BTreeMap<String, String>>,
    pub(super) blank: Option<String>,
    pub(super) date: Option<String>,
    pub(super) prefix: Option<String>,
    pub(super) suffix: Option<String>,
    pub(super) lookup: Option<String>,
    pub(super) split: Option<String>,
}

impl MappingDoc {
    const fn default_max_rejected_percent() -> u8 {
        5
    }
}

impl SourceDoc {
    fn default_encoding() -> String {
        "utf-8".to_owned()
    }

    const fn default_delimiter() -> char {
        ','
    }
}
