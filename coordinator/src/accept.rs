//! Which questions a coordinator takes on. It checks form, size, time, federation, partners and who is connected. It holds
//! no issuer's key and vouches for nobody: whether the analyst may ask is each partner's own decision.

use cairn_question::limits::{CLOCK_SKEW_S, QUESTION_LIFE_S_MAX};
use cairn_question::question::{ASK_TYPE, AskError};
use cairn_question::register::Register;
use cairn_question::{AskV1, Grid, Hash, Moment, Name, PartnerId, Schema, SignedAsk, VerifyingKey};

use crate::round::{Patience, RoundTerms, reply_bytes_max};
use crate::total::again::Before;
use crate::total::{NoTotal, TotalTerms};

/// Most bytes of replies that one round may have to keep, in memory and on disk: as much as one result may carry.
pub const REPLIES_BYTES_MAX: usize = cairn_link::session::RESULT_BYTES_MAX;

/// A question that was taken on.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// What is asked, by its analyst's word alone.
    pub ask: AskV1,
    /// What the round needs.
    pub terms: RoundTerms,
}

/// Why a question is not taken on. The analyst reads it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Declined {
    /// Form, federation or time; under the code that a node would use.
    #[error("{0}")]
    Ask(#[from] AskError),
    /// The credential that comes with the question names somebody else than the connection.
    #[error("this connection is `{connected}`, the question's credential is another analyst's")]
    OtherAnalyst {
        /// Who is connected.
        connected: Name,
    },
    /// A partner that the register does not have.
    #[error("not in the register of this federation: {}", names(.0))]
    UnknownPartner(Vec<PartnerId>),
    /// The question does not fit the data dictionary, so that nobody could answer it.
    #[error("the question does not fit the data dictionary: {0}")]
    Question(String),
    /// The replies would be more than a round keeps.
    #[error(
        "{cells} cells from {partners} partners are more than one round keeps; ask for fewer cells or partners"
    )]
    TooMuch {
        /// The cells of the table.
        cells: usize,
        /// The partners asked.
        partners: usize,
    },
    /// It was put as a secure total, and cannot be made as one.
    #[error("{0}")]
    Total(#[from] NoTotal),
    /// An equal total with noise is in this analyst's hands already.
    #[error(
        "you asked the same of the same partners and were answered at {}, under the number {}: that answer is as good, and a fresh one costs every person once more at every partner. To have it counted anew, ask with `--again`",
        .0.at, .0.id
    )]
    AnsweredBefore(Before),
    /// The analyst has as many rounds open as one analyst may.
    #[error("{0} of your questions are still open; wait until one is closed")]
    AnalystBusy(usize),
    /// As many rounds are open as this coordinator takes.
    #[error("as many questions are open as this coordinator takes at once; try again in a minute")]
    Busy,
    /// The number was used before, for other bytes or by another analyst.
    #[error("this question number was used before, for another question")]
    NumberTaken,
    /// No question under this number, or another analyst's.
    #[error("there is no question of yours under this number; results are kept for a limited time")]
    NoSuchQuestion,
    /// The coordinator has a fault of its own; its log has the story under the code.
    #[error("the coordinator cannot take this on; its own log says why")]
    Fault(&'static str),
    /// The coordinator is stopping.
    #[error("the coordinator is stopping; ask again in a minute")]
    Stopping,
}

impl Declined {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Ask(ask) => ask.code(),
            Self::OtherAnalyst { .. } => "CO101",
            Self::UnknownPartner(_) => "CO102",
            Self::Question(_) => "CO103",
            Self::TooMuch { .. } => "CO104",
            Self::Total(NoTotal::SeatGone { .. }) => "CO106",
            Self::Total(_) => "CO105",
            Self::AnsweredBefore(_) => "CO107",
            Self::AnalystBusy(_) => "CO201",
            Self::Busy => "CO202",
            Self::NumberTaken => "CO203",
            Self::NoSuchQuestion => "CO204",
            Self::Stopping => "CO205",
            Self::Fault(code) => code,
        }
    }
}

/// Checks a question as it arrived from the analyst that is connected as `analyst`, and makes the round's terms:
/// it closes after `round_s` seconds or when the question expires, whichever is first.
///
/// # Errors
/// [`Declined`].
pub fn accept(
    bytes: &[u8],
    analyst: &Name,
    register: &Register,
    round_s: u64,
    patience: Patience,
    now: Moment,
) -> Result<Accepted, Declined> {
    let signed = SignedAsk::parse(bytes)?;
    let ask = signed.peek()?;
    check_time(&ask, now)?;
    check_analyst(&signed, analyst)?;
    let deadline = now.plus_s(round_s).min(ask.expires_at);
    let terms = terms((&signed, &ask), register, deadline, patience, now)?;
    Ok(Accepted { ask, terms })
}

/// The terms of a round that was accepted before, from the bytes in the store.
///
/// # Errors
/// [`Declined`], where the register or the data dictionary has changed so that the question no longer fits.
pub fn resume(
    bytes: &[u8],
    register: &Register,
    deadline: Moment,
    now: Moment,
) -> Result<Accepted, Declined> {
    let signed = SignedAsk::parse(bytes)?;
    let ask = signed.peek()?;
    let terms = terms((&signed, &ask), register, deadline, Patience::UntilDeadline, now)?;
    Ok(Accepted { ask, terms })
}

fn terms(
    (signed, ask): (&SignedAsk, &AskV1),
    register: &Register,
    deadline: Moment,
    patience: Patience,
    now: Moment,
) -> Result<RoundTerms, Declined> {
    if ask.federation != register.federation {
        return Err(AskError::OtherFederation.into());
    }
    let grid = ask.question.grid(Schema::smf()).map_err(|fault| Declined::Question(fault.to_string()))?;
    let partners = partners(ask, register)?;
    check_size(&grid, partners.len())?;
    let signed_bytes = signed.question.payload_unverified(ASK_TYPE).map_err(|_| AskError::Malformed)?;
    let question_hash = Hash::of(&signed_bytes);
    let total = TotalTerms::of(signed, (ask, &question_hash), (register, &grid), now)?;
    // After the last flight the partners' words are still on their way.
    let ends = |total: &TotalTerms| total.manifest.says().deadline.plus_s(WORDS_WITHIN_S).min(ask.expires_at);
    let deadline = total.as_ref().map_or(deadline, ends);
    Ok(RoundTerms {
        question_id: ask.id,
        question_hash,
        federation: ask.federation.clone(),
        register_version: register.version,
        grid,
        partners,
        deadline,
        patience,
        total,
    })
}

/// Seconds after a total's own deadline in which its partners' signed words are waited for.
const WORDS_WITHIN_S: u64 = 5;

fn check_time(ask: &AskV1, now: Moment) -> Result<(), AskError> {
    let ahead_s = ask.asked_at.unix_s().saturating_sub(now.unix_s());
    let life_s = ask.expires_at.unix_s().saturating_sub(ask.asked_at.unix_s());
    match () {
        () if ahead_s > CLOCK_SKEW_S => Err(AskError::FromTheFuture { ahead_min: ahead_s / 60 }),
        () if now >= ask.expires_at || life_s > QUESTION_LIFE_S_MAX => Err(AskError::Expired),
        () => Ok(()),
    }
}

/// The credential's signature is the nodes' to check. Its name is compared with the certificate's, so that one analyst
/// cannot use up another's number of open rounds.
fn check_analyst(signed: &SignedAsk, connected: &Name) -> Result<(), Declined> {
    let claimed = signed.peek_credential()?;
    if claimed.analyst == *connected {
        Ok(())
    } else {
        Err(Declined::OtherAnalyst { connected: connected.clone() })
    }
}

/// The partners asked, in the register's order.
fn partners(ask: &AskV1, register: &Register) -> Result<Vec<(PartnerId, VerifyingKey)>, Declined> {
    let wanted: std::collections::BTreeSet<&PartnerId> = ask.partners.iter().collect();
    let unknown: Vec<PartnerId> =
        wanted.iter().filter(|id| register.partner(id).is_none()).map(|id| (*id).clone()).collect();
    if !unknown.is_empty() {
        return Err(Declined::UnknownPartner(unknown));
    }
    let meant = register.partners.iter().filter(|p| wanted.contains(&p.id));
    Ok(meant.map(|p| (p.id.clone(), p.signing_key)).collect())
}

fn check_size(grid: &Grid, partners: usize) -> Result<(), Declined> {
    if reply_bytes_max(grid).saturating_mul(partners) <= REPLIES_BYTES_MAX {
        Ok(())
    } else {
        Err(Declined::TooMuch { cells: grid.cells(), partners })
    }
}

/// The first few of a list of names, so that a message has a largest length.
fn names(ids: &[PartnerId]) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<&str> = ids.iter().take(SHOWN).map(PartnerId::as_str).collect();
    let more = ids.len().saturating_sub(SHOWN);
    let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{tail}", shown.join(", "))
}

#[cfg(test)]
mod tests;
