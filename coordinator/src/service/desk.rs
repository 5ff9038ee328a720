//! Where analysts are served: takes a question on, shows how its round stands, hands out the result.

use std::sync::Arc;

use cairn_link::Responder;
use cairn_link::frame::{Accepted as AcceptedFrame, WITHIN_MS_MAX};
use cairn_question::{Moment, Name, QuestionId};

use super::hub::{Hub, Phase, Watched};
use super::running;
use crate::accept::{Accepted, Declined, accept};
use crate::round::{Patience, Round};
use crate::store::{NewQuestion, StoreFault, Taken};
use crate::total::TotalTerms;
use crate::total::again::Equal;

/// An analyst asks.
pub(super) async fn asked(hub: Arc<Hub>, analyst: Name, ask: Vec<u8>, responder: Responder) {
    match take_on(&hub, &analyst, ask).await {
        Ok(id) => serve(&hub, id, responder).await,
        Err(declined) => decline(&analyst, None, responder, &declined),
    }
}

/// An analyst wants the result of an earlier question.
pub(super) async fn fetched(hub: Arc<Hub>, analyst: Name, id: QuestionId, responder: Responder) {
    let name = analyst.clone();
    match hub.with_store(move |store| store.has(id, &name)).await {
        Ok(true) => serve(&hub, id, responder).await,
        Ok(false) => decline(&analyst, Some(id), responder, &Declined::NoSuchQuestion),
        Err(fault) => decline(&analyst, Some(id), responder, &broken(&fault)),
    }
}

/// Checks a question, has it on disk, and begins its round; or finds that it was taken on before.
async fn take_on(hub: &Arc<Hub>, analyst: &Name, ask: Vec<u8>) -> Result<QuestionId, Declined> {
    if hub.is_stopping() {
        return Err(Declined::Stopping);
    }
    let (members, now) = (hub.members(), hub.clock.now());
    let patience = Patience::Seconds(u64::from(hub.config.offline_wait_s));
    let round_s = u64::from(hub.config.round_deadline_s.get());
    let mut accepted = accept(&ask, analyst, &members.register, round_s, patience, now)?;
    running::bind(hub, &mut accepted.terms).await.map_err(|fault| broken(&fault))?;
    accepted.terms.total.as_ref().map_or(Ok(()), TotalTerms::still_seated)?;
    not_answered_before(hub, analyst, &accepted, now).await?;
    let new = NewQuestion {
        id: accepted.ask.id,
        signed: ask,
        analyst: analyst.clone(),
        register_version: members.register.version,
        accepted_at: now,
        deadline: accepted.terms.deadline,
    };
    let most = hub.open_max();
    let signed = new.signed.clone();
    let taking_on = hub.taking_on().await;
    let taken = hub.with_store(move |store| store.accept(&new, most)).await.map_err(|f| broken(&f))?;
    let id = accepted.ask.id;
    match taken {
        Taken::New => {
            // Not at `now`: the disk may have taken longer than anybody is waited for.
            running::begin(hub, Round::open(accepted.terms, hub.clock.now()), &signed);
            drop(taking_on);
            Ok(id)
        }
        Taken::Known => Ok(id),
        Taken::NumberTaken => Err(Declined::NumberTaken),
        Taken::AnalystBusy(open) => Err(Declined::AnalystBusy(open)),
        Taken::Busy => Err(Declined::Busy),
    }
}

/// Partners charge a total with noise each time, so an analyst who was answered an equal one is told of it first.
async fn not_answered_before(
    hub: &Arc<Hub>,
    analyst: &Name,
    accepted: &Accepted,
    now: Moment,
) -> Result<(), Declined> {
    let total = accepted.terms.total.as_ref();
    let Some(equal) = total.and_then(|total| Equal::to(total, &accepted.ask, now)) else { return Ok(()) };
    let name = analyst.clone();
    let before = hub.with_store(move |store| store.answered_before(&name, &equal)).await;
    match before.map_err(|fault| broken(&fault))? {
        Some(before) => Err(Declined::AnsweredBefore(before)),
        None => Ok(()),
    }
}

/// Shows an open round until it is closed, then hands out its result.
async fn serve(hub: &Arc<Hub>, id: QuestionId, responder: Responder) {
    drop(hub.taking_on().await);
    if let Some(watched) = hub.round(id) {
        return watch(hub, watched, id, responder).await;
    }
    match hub.with_store(move |store| store.closed(id)).await {
        Ok(Some(kept)) => responder.result(kept.replies, kept.coverage),
        Ok(None) => responder
            .decline("CO206", "the round could not be closed on disk; it will be after the next start"),
        Err(fault) => {
            let declined = broken(&fault);
            responder.decline(declined.code(), &declined.to_string());
        }
    }
}

async fn watch(hub: &Arc<Hub>, mut watched: Watched, id: QuestionId, responder: Responder) {
    let left_s = watched.deadline.unix_s().saturating_sub(hub.clock.now().unix_s());
    let within_ms = u32::try_from(left_s.saturating_mul(1_000)).unwrap_or(WITHIN_MS_MAX).min(WITHIN_MS_MAX);
    responder.accepted(AcceptedFrame { question: id, within_ms, asked: watched.asked });
    loop {
        let phase = watched.phase.borrow_and_update().clone();
        let declined = match phase {
            Phase::Open(progress) => {
                responder.progress(progress);
                if watched.phase.changed().await.is_ok() {
                    continue;
                }
                Declined::Stopping
            }
            Phase::Closed(kept) => return responder.result(kept.replies.clone(), kept.coverage.clone()),
            Phase::Stuck(code) => Declined::Fault(code),
        };
        return responder.decline(declined.code(), &declined.to_string());
    }
}

fn decline(analyst: &Name, id: Option<QuestionId>, responder: Responder, declined: &Declined) {
    let question = id.map(|id| id.to_string());
    tracing::info!(%analyst, question, code = declined.code(), "a question is declined");
    responder.decline(declined.code(), &declined.to_string());
}

fn broken(fault: &StoreFault) -> Declined {
    tracing::error!(code = fault.code(), cause = ?fault, "the store did not work");
    Declined::Fault(fault.code())
}
