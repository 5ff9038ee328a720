//! Whether a policy that is offered may follow the one before.

use cairn_policy::approval::{Approved, Board, Change, English, Facts, Note, Reason, approve, english};
use cairn_policy::folder::{APPROVAL_FILE, BOARD_FILE};
use cairn_policy::{Finding, Layers, Severity};
use cairn_question::answer::PolicyStatement;
use cairn_question::{Day, Hash, PartnerId};

use super::board::no_pin;
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
    /// Whose approval counts.
    pub(crate) board: Option<&'a Board>,
    /// Whether a board is pinned, though it may not lie in the folder yet.
    pub(crate) pin: Pin,
}

/// Whether the configuration pins a board.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Pin {
    Set,
    Missing,
}

/// A policy that may come into force.
#[derive(Debug)]
pub(crate) struct Accepted {
    pub(crate) layers: Layers,
    pub(crate) approved: Approved,
}

impl TurnedAway {
    pub(crate) fn one(code: &'static str, finding: impl Into<String>) -> Self {
        Self { code, findings: vec![finding.into()] }
    }
}

/// An offer that may come into force today: it holds, follows the one before, and enough of the board approved what it does.
pub(crate) fn judge(offer: &Offer, before: Before<'_>, today: Day) -> Result<Accepted, TurnedAway> {
    let layers = Layers::load(&offer.sources())
        .map_err(|findings| TurnedAway { code: "CN512", findings: errors(&findings) })?;
    if layers.partner() != before.partner {
        let says = format!("it is the policy of `{}`", layers.partner());
        return Err(TurnedAway::one("CN513", says));
    }
    if let Some(last) = before.last {
        follows(last, &layers)?;
    }
    let approved = approved(offer, &layers, before, today)?;
    waits(&layers, before.base, today)?;
    Ok(Accepted { layers, approved })
}

/// The quorum that the change needs, worked out here and not read from the note.
fn approved(offer: &Offer, layers: &Layers, before: Before<'_>, today: Day) -> Result<Approved, TurnedAway> {
    let Some(board) = before.board else {
        return Err(match before.pin {
            Pin::Missing => no_pin(None),
            Pin::Set => TurnedAway::one(
                "CN525",
                format!("{BOARD_FILE} of the pinned board is not in the policy folder"),
            ),
        });
    };
    let Some(note) = &offer.approval.note else {
        return Err(TurnedAway::one(
            "CN528",
            format!("{APPROVAL_FILE} is not there: nobody approved this policy"),
        ));
    };
    let claims = claims(layers, before, note)?;
    let facts = Facts::of(layers, &offer.sources(), claims.replaces, claims.change, claims.english);
    let facts = facts.ok_or_else(|| TurnedAway::one("CN512", "the framework has no id or version"))?;
    let approved = approve(board, &facts, note, &offer.approval.signatures, today)
        .map_err(|why| TurnedAway { code: "CN528", findings: reasons(&why) })?;
    let quorum = board.quorum(Change::Loosens);
    let signers = approved.signers().iter().cloned().collect();
    if claims.known == Known::ByLedger && !quorum.met_by(&signers) {
        let says = format!(
            "the text that was in force is lost, so that nobody can tell what changed: the note needs {quorum}"
        );
        return Err(TurnedAway::one("CN528", says));
    }
    Ok(approved)
}

/// What the note must say of the change.
struct Claims {
    replaces: Option<Hash>,
    change: Change,
    english: English,
    known: Known,
}

/// Where the node knows an offered policy from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Known {
    /// It is new here.
    No,
    /// The ledger says that this very file was in force; the node's own copy is lost.
    ByLedger,
}

fn claims(layers: &Layers, before: Before<'_>, note: &str) -> Result<Claims, TurnedAway> {
    let replaces = before.last.map(|last| last.hash);
    Ok(match (before.base, Note::parse(note)) {
        (None, Ok(note)) if replaces == Some(layers.statement().hash) => Claims {
            replaces: note.replaces,
            change: note.change,
            english: English::NotCompared,
            known: Known::ByLedger,
        },
        (base, _) => {
            // A text before that is lost may have permitted nothing.
            let lost = base.is_none() && before.last.is_some();
            let change =
                Change::between(base, layers).map_err(|e| TurnedAway::one("CN529", e.to_string()))?;
            let change = if lost { Change::Loosens } else { change };
            Claims { replaces, change, english: English::Is(english(layers)), known: Known::No }
        }
    })
}

/// One line for each reason, with what to do next.
pub(super) fn reasons(why: &[Reason]) -> Vec<String> {
    why.iter().map(|r| format!("{} {}: {}", r.code, r.says, r.fix)).collect()
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
