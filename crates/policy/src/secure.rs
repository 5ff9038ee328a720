//! The framework's terms of secure totals.

use cairn_question::Schema;

use crate::document::SecureDoc;
use crate::finding::{File, Finding};
use crate::layers::Layers;
use crate::lint;

/// What the framework asks of every secure total (its `[secure]` section).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SecureTerms {
    /// t: partners that may collude without learning another's figure.
    pub colluding_max: u32,
    /// Fewest partners behind an opened total.
    pub answering_min: u32,
    /// Fewest partners that are asked.
    pub invited_min: u32,
    /// s_max: linkage keys that one person may be recorded under, where people are counted once.
    pub keys_per_person_max: u32,
}

/// The terms of secure totals of a framework; `None` where it has none.
///
/// # Errors
/// What is wrong with the file, all of it.
pub fn secure_terms(framework: &File) -> Result<Option<SecureTerms>, Vec<Finding>> {
    let read = lint::Framework::read(Schema::smf(), framework);
    read.into_doc().map(|doc| doc.secure.as_ref().map(SecureTerms::of))
}

impl Layers {
    /// The framework's terms of secure totals; `None` where it has none, so that nothing leaves as one.
    #[must_use]
    pub fn secure(&self) -> Option<SecureTerms> {
        self.framework.secure.as_ref().map(SecureTerms::of)
    }
}

impl SecureTerms {
    const fn of(secure: &SecureDoc) -> Self {
        Self {
            colluding_max: secure.colluding_max.value,
            answering_min: secure.answering_min.value,
            invited_min: secure.invited_min.value,
            keys_per_person_max: secure.keys_per_person_max.value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_framework_says_its_terms_or_that_it_has_none() {
        let shipped = include_str!("../../../policies/framework/framework.toml");
        let read = |text: String| secure_terms(&File::new("framework.toml", text)).map_err(|_| "faulty");
        let terms =
            SecureTerms { colluding_max: 10, answering_min: 22, invited_min: 32, keys_per_person_max: 2 };
        assert_eq!(read(shipped.to_owned()), Ok(Some(terms)));
        let (before, rest) = shipped.split_once("[secure]").unwrap();
        let (_, after) = rest.split_once("# ----").unwrap();
        assert_eq!(read(format!("{before}# ----{after}")), Ok(None));
        assert_eq!(
            read(shipped.replace("answering_min       = 22", "answering_min       = 21")),
            Err("faulty")
        );
    }
}
