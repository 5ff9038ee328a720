//! Edits of a shipped policy or of the worked example, each with the finding that it must bring and the line that must be shown.

use cairn_question::Schema;

use crate::finding::{File, Finding, Sources};
use crate::tests::{counting_by_sex, counting_once, example, strathcarron};

/// What is edited.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Base {
    Council,
    Strathcarron,
    Once,
    BySex,
}

/// One edit, in the first file that has the text: the policy, the framework, the brake.
#[derive(Clone, Copy, Debug)]
pub(super) struct Edit {
    pub(super) base: Base,
    pub(super) from: &'static str,
    pub(super) to: &'static str,
}

/// An edit of the shipped council policy.
pub(super) const fn council(from: &'static str, to: &'static str) -> Edit {
    Edit { base: Base::Council, from, to }
}

/// An edit of the worked example.
pub(super) const fn worked(from: &'static str, to: &'static str) -> Edit {
    Edit { base: Base::Strathcarron, from, to }
}

/// An edit of the policy that counts people once.
pub(super) const fn once(from: &'static str, to: &'static str) -> Edit {
    Edit { base: Base::Once, from, to }
}

/// An edit of the policy that counts people once by sex too.
pub(super) const fn by_sex(from: &'static str, to: &'static str) -> Edit {
    Edit { base: Base::BySex, from, to }
}

impl Edit {
    fn sources(self) -> (&'static Schema, Sources) {
        let (schema, mut sources) = match self.base {
            Base::Council => (Schema::smf(), example("council")),
            Base::Strathcarron => strathcarron("policy"),
            Base::Once => (Schema::smf(), counting_once()),
            Base::BySex => (Schema::smf(), counting_by_sex()),
        };
        let files = [Some(&mut sources.policy), Some(&mut sources.framework), sources.brake.as_mut()];
        let file = files.into_iter().flatten().find(|f| f.text.contains(self.from));
        let file = file.unwrap_or_else(|| panic!("nothing to edit: {}", self.from));
        let to = self.to.replace("LONG", &"x".repeat(2_001));
        file.text = file.text.replacen(self.from, &to, 1);
        if self.to == NO_SHARES {
            let tail = file.text.find("[records]").unwrap();
            let head = file.text.find(NO_SHARES).unwrap();
            file.text.replace_range(head..tail, "");
        }
        (schema, sources)
    }

    /// Every finding, each with the text of its line.
    pub(super) fn findings(self) -> Vec<(Finding, String)> {
        let (schema, sources) = self.sources();
        let line = |f: &Finding| {
            let file: &File = sources.files().find(|file| file.name == f.file).unwrap();
            file.text.lines().nth(f.line as usize - 1).unwrap_or_default().to_owned()
        };
        crate::check_with(schema, &sources).into_iter().map(|f| (f.clone(), line(&f))).collect()
    }

    /// The finding of this code whose line has `at`.
    pub(super) fn brings(self, code: &str, at: &str) -> Finding {
        let found = self.findings();
        let hit = found.iter().find(|(f, line)| f.code == code && line.contains(at));
        hit.unwrap_or_else(|| panic!("{code} at `{at}` in {found:#?}")).0.clone()
    }
}

/// Marks a text from which every share is cut out.
pub(super) const NO_SHARES: &str = "# no shares";
