//! Whether a policy that is offered may follow the one before.

use cairn_policy::{Finding, Layers, Severity};
use cairn_question::answer::PolicyStatement;
use cairn_question::{Day, PartnerId};

use super::offer::Offer;

/// Why a policy did not come into force.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct TurnedAway {
    /// A stable code.
    pub(crate) code: &'static str,
    /// What is wrong or missing, each with its next step.
    pub(crate) findings: Vec<String>,
}

/// The code of a policy that is in order and waits for its first day.
pub(crate) const WAITS: &str = "CN520";

/// What a policy is measured against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Before<'a> {
    /// Whose node this is.
    pub(crate) partner: &'a PartnerId,
    /// The last policy that was in force here, whether its text is still known or not.
    pub(crate) last: Option<&'a PolicyStatement>,
    /// The policy in force.
    pub(crate) base: Option<&'a Layers>,
}

impl TurnedAway {
    pub(crate) fn one(code: &'static str, finding: impl Into<String>) -> Self {
        Self { code, findings: vec![finding.into()] }
    }
}

/// The layers of an offer that may come into force today.
pub(crate) fn judge(offer: &Offer, before: Before<'_>, today: Day) -> Result<Layers, TurnedAway> {
    let layers = Layers::load(&offer.sources())
        .map_err(|findings| TurnedAway { code: "CN512", findings: errors(&findings) })?;
    if layers.partner() != before.partner {
        let says = format!("it is the policy of `{}`", layers.partner());
        return Err(TurnedAway::one("CN513", says));
    }
    if let Some(last) = before.last {
        follows(last, &layers)?;
    }
    waits(&layers, before.base, today)?;
    Ok(layers)
}

/// Versions only rise, and each names the text that it replaces, so that no version between is left out.
fn follows(last: &PolicyStatement, layers: &Layers) -> Result<(), TurnedAway> {
    let next = layers.statement();
    if let Some(finding) = goes_back(last, next) {
        return Err(TurnedAway::one("CN518", finding));
    }
    if next.hash == last.hash || layers.supersedes() == Some(last.hash) {
        return Ok(());
    }
    let named = match layers.supersedes() {
        Some(_) => "names another text than the one in force before it",
        None => "does not say what it replaces",
    };
    let says = format!("version {} {named}: write supersedes = \"{}\"", next.version, last.hash);
    Err(TurnedAway::one("CN519", says))
}

/// Why `next` may not follow `last`: an older version, another text of the same version, or another policy, whose versions
/// cannot be compared.
pub(crate) fn goes_back(last: &PolicyStatement, next: &PolicyStatement) -> Option<String> {
    let (id, version, known) = (&next.id, next.version, last.version);
    if *id != last.id {
        Some(format!("the policy `{id}` cannot follow `{}`: this node knows one policy id", last.id))
    } else if version < known {
        Some(format!("version {version} is older than version {known}, which was in force"))
    } else if version == known && next.hash != last.hash {
        Some(format!("version {version} was in force with another text: raise the version"))
    } else {
        None
    }
}

/// A policy whose first day is to come waits for it, as long as the one before answers: there is no gap between the two.
fn waits(layers: &Layers, base: Option<&Layers>, today: Day) -> Result<(), TurnedAway> {
    let (from, _) = layers.in_force();
    let answers = base.is_some_and(|base| base.in_force().1 >= today);
    if from <= today || !answers {
        return Ok(());
    }
    let version = layers.statement().version;
    Err(TurnedAway::one(
        WAITS,
        format!("version {version} comes into force on {from}; the one before stays until then"),
    ))
}

/// One line for each error: file, place, code and what is wrong. A policy holds no person's data.
pub(super) fn errors(findings: &[Finding]) -> Vec<String> {
    let errors = findings.iter().filter(|f| f.severity == Severity::Error);
    errors.map(|f| format!("{}:{}:{}: {} {}", f.file, f.line, f.column, f.code, f.says)).collect()
}
