//! The framework that this program was built with.

use std::sync::LazyLock;

use cairn_question::Name;

use crate::approval::lf;
use crate::document::{FrameworkDoc, read_framework};
use crate::finding::{Faults, File, Finding};

/// `framework.toml` of the national board, as it ships.
pub const FRAMEWORK: &str = include_str!("../../../policies/framework/framework.toml");

/// The warning that [`crate::check`] gives of a framework that is not the shipped one of its name; for commands that show no findings.
#[must_use]
pub fn altered_framework(framework: &File) -> Option<Finding> {
    let faults = Faults::new(framework);
    let doc = read_framework(&faults)?;
    check(&doc, &faults);
    faults.into_found().into_iter().find(|f| f.code == ALTERED)
}

/// Warns of a framework that calls itself what the shipped one is called, and is another text: the national board's signature is not
/// checked at a node, so nobody else would say it.
pub(crate) fn check(doc: &FrameworkDoc, faults: &Faults<'_>) {
    let (Some(id), Some(version), Some(shipped)) = (&doc.id, &doc.version, &*SHIPPED) else { return };
    if (&id.value, version.value) != (&shipped.0, shipped.1) || lf(faults.text()) == lf(FRAMEWORK) {
        return;
    }
    let says = format!(
        "this calls itself {} version {} and is not the text of it that this program was built with",
        id.value, version.value
    );
    let fix = "compare it with the national board's own file: a node does not check that board's signature";
    faults.warn(ALTERED, &version.span, "framework.version", says, fix);
}

const ALTERED: &str = "CP223";

/// Its id and version.
static SHIPPED: LazyLock<Option<(Name, u32)>> = LazyLock::new(|| {
    let doc = read_framework(&Faults::new(&File::new("framework.toml", FRAMEWORK)))?;
    Some((doc.id?.value, doc.version?.value))
});
