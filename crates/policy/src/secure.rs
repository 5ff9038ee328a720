//! The framework's terms of secure totals.

use cairn_question::Schema;
use cairn_question::answer::Zeros;

use crate::document::FrameworkDoc;
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
    /// c_max: cells of a table that one person may be in over all partners, where people are counted once in each; `None`: no such count is broken down.
    pub cells_per_person_max: Option<u32>,
    /// How a total is protected unless the analyst asks for another protection; `None`: the analyst always says.
    pub usual: Option<UsualTotal>,
}

/// Threshold and rounding on the total, by a profile of the framework.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UsualTotal {
    /// Fewer people than this are withheld; a filter leaves out nobody or at least this many.
    pub min_people: u32,
    /// The rounding base.
    pub round_to: u32,
    /// Whether 0 is shown.
    pub zeros: Zeros,
}

/// The terms of secure totals of a framework; `None` where it has none.
///
/// # Errors
/// What is wrong with the file, all of it.
pub fn secure_terms(framework: &File) -> Result<Option<SecureTerms>, Vec<Finding>> {
    let read = lint::Framework::read(Schema::smf(), framework);
    read.into_doc().map(|doc| SecureTerms::of(&doc))
}

impl Layers {
    /// The framework's terms of secure totals; `None` where it has none, so that nothing leaves as one.
    #[must_use]
    pub fn secure(&self) -> Option<SecureTerms> {
        SecureTerms::of(&self.framework)
    }
}

impl SecureTerms {
    fn of(framework: &FrameworkDoc) -> Option<Self> {
        let secure = framework.secure.as_ref()?;
        let usual = secure.usual.as_ref().and_then(|name| framework.profiles.get(&name.value));
        Some(Self {
            colluding_max: secure.colluding_max.value,
            answering_min: secure.answering_min.value,
            invited_min: secure.invited_min.value,
            keys_per_person_max: secure.keys_per_person_max.value,
            cells_per_person_max: secure.cells_per_person_max.as_ref().map(|most| most.value),
            usual: usual.map(|profile| UsualTotal {
                min_people: profile.min_people.value,
                round_to: profile.round_to.value,
                zeros: profile.zeros,
            }),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_framework_says_its_terms_or_that_it_has_none() {
        let shipped = include_str!("../../../policies/framework/framework.toml");
        let read = |text: String| secure_terms(&File::new("framework.toml", text)).map_err(|_| "faulty");
        let usual = UsualTotal { min_people: 8, round_to: 5, zeros: Zeros::Show };
        let terms = |usual| SecureTerms {
            colluding_max: 10,
            answering_min: 22,
            invited_min: 32,
            keys_per_person_max: 2,
            cells_per_person_max: None,
            usual,
        };
        assert_eq!(read(shipped.to_owned()), Ok(Some(terms(Some(usual)))));
        assert_eq!(read(shipped.replace("\nusual ", "\n# usual ")), Ok(Some(terms(None))));
        let cells = |most: &str| {
            read(shipped.replace("\nusual ", &format!("\ncells_per_person_max = {most}\nusual ")))
        };
        let of_cells = SecureTerms { cells_per_person_max: Some(3), ..terms(Some(usual)) };
        assert_eq!(cells("3"), Ok(Some(of_cells)));
        assert_eq!((cells("0"), cells("101")), (Err("faulty"), Err("faulty")));
        for no_total in ["research-10-5", "scottish-5-audit", "census-cell-key", "no-such"] {
            let named = shipped.replace("= \"sub-national-8-5\"   #", &format!("= \"{no_total}\" #"));
            assert_eq!(read(named), Err("faulty"), "{no_total}");
        }
        let (before, rest) = shipped.split_once("[secure]").unwrap();
        let (_, after) = rest.split_once("# ----").unwrap();
        assert_eq!(read(format!("{before}# ----{after}")), Ok(None));
        assert_eq!(
            read(shipped.replace("answering_min       = 22", "answering_min       = 21")),
            Err("faulty")
        );
    }
}
