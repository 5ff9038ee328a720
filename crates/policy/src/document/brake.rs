use crate::document::BrakeDoc;
use crate::finding::Faults;
use crate::read::{At, Section, parse};

/// Reads `local-brake.toml`. Every key but the format number may be left out.
pub(crate) fn read(faults: &Faults<'_>) -> BrakeDoc {
    let Some(tree) = parse(faults) else { return BrakeDoc::default() };
    let root = Section::root(&tree, faults);
    root.format("cairn_brake");
    let analysts = root.texts_opt("blocked_analysts").map(|l| l.value).unwrap_or_default();
    let name = |text: At<String>| {
        let name = root.as_name("blocked_analysts", &text)?;
        Some(At::new(name, text.span))
    };
    let brake = BrakeDoc {
        paused_shares: root.texts_opt("paused_shares").map(|l| l.value).unwrap_or_default(),
        blocked_analysts: analysts.into_iter().filter_map(name).collect(),
        pause_all: root.flag("pause_all").is_some_and(|f| f.value),
        reason: root.raw_text_opt("reason"),
    };
    root.finish();
    brake
}
