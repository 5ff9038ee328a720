//! What is true of a policy, worked out from its files: what a note must say.

use cairn_question::Hash;

use super::lf;
use super::note::{Change, Document, WarningCode};
use super::quorum::{English, Facts};
use crate::diff::{Diff, Verdict, diff};
use crate::finding::{Severity, Sources};
use crate::layers::Layers;
use crate::space::TooWide;

impl Facts {
    /// The facts of a policy that was loaded from these files; `replaces` is the file in force. The brake is no part of it:
    /// give the files without one.
    ///
    /// `None` where the framework has no id or version, so that nobody could name it; such a one does not load.
    #[must_use]
    pub fn of(
        layers: &Layers,
        sources: &Sources,
        replaces: Option<Hash>,
        change: Change,
        english: English,
    ) -> Option<Self> {
        let (from, until) = layers.in_force();
        let framework = &layers.framework;
        let (id, version) = (framework.id.as_ref()?.value.clone(), framework.version.as_ref()?.value);
        let findings = crate::check_with(layers.schema, sources);
        let warnings = findings.iter().filter(|f| f.severity == Severity::Warning);
        Some(Self {
            policy: Document::of(
                layers.head.id.value.clone(),
                layers.head.version.value,
                &sources.policy.text,
            ),
            english,
            framework: Document::of(id, version, &sources.framework.text),
            replaces,
            change,
            warnings: warnings.filter_map(|f| WarningCode::new(f.code).ok()).collect(),
            from,
            until,
        })
    }
}

impl Change {
    /// What `new` does to what `old` permits, found by trying every kind of question; `None`: nothing is in force yet. One that
    /// changes nothing but its version asks for what a tightening asks for.
    ///
    /// # Errors
    /// [`TooWide`]: there are too many kinds to try them all.
    pub fn between(old: Option<&Layers>, new: &Layers) -> Result<Self, TooWide> {
        // Where nothing was in force all is new, whatever a trial would count; that it can be tried was seen when it was loaded.
        let Some(old) = old else { return Ok(Self::First) };
        diff(Some(old), new).map(|diff| Self::from(&diff))
    }
}

impl From<&Diff> for Change {
    fn from(diff: &Diff) -> Self {
        match (&diff.old, diff.verdict) {
            (None, _) => Self::First,
            (Some(_), Verdict::Loosens) => Self::Loosens,
            (Some(_), Verdict::Same | Verdict::Tightens) => Self::Tightens,
        }
    }
}

/// SHA-256 of the English that a board reads: what `cairn policy explain` prints, with LF line ends.
#[must_use]
pub fn english(layers: &Layers) -> Hash {
    Hash::of(lf(&crate::explain(layers)).as_bytes())
}
