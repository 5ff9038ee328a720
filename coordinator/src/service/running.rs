//! One open round: carries what its state machine decides to the network and the store, and what they say back.

use std::sync::Arc;
use std::time::Duration;

use cairn_link::AskFailure;
use cairn_link::close::Close;
use cairn_link::frame::Progress;
use cairn_question::combine::{CoverageV1, PartnerLine, Standing};
use cairn_question::padding::padded_coverage;
use cairn_question::question::ASK_TYPE;
use cairn_question::register::Register;
use cairn_question::{Hash, PartnerId, QuestionId, SignedAsk};
use cairn_seal::Transcript;
use tokio::sync::{mpsc, watch};

use super::hub::{Hub, Phase, Watched};
use super::sealing::{Said, Sealing, heard};
use crate::accept;
use crate::round::{Ask, Closed, Event, Round, RoundTerms, Stage};
use crate::store::{Kept, NewQuestion, Store, StoreFault, TRANSCRIPT_KEPT_MAX};

/// How often a round looks at the clock. The clock is the program's, in whole seconds, so that a round cannot sleep until a moment.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The wait before a node that has too many open questions is asked again.
const BUSY_WAIT: Duration = Duration::from_millis(250);

/// The code under which a round that cannot be taken up again is closed.
const CANNOT_RESUME: &str = "CO305";

/// The code under which the log says that a transcript is not kept.
const TOO_LONG_TO_KEEP: &str = "CO306";

struct Running {
    hub: Arc<Hub>,
    round: Round,
    signed: Arc<[u8]>,
    outbox: mpsc::UnboundedSender<Event>,
    inbox: mpsc::UnboundedReceiver<Event>,
    phase: watch::Sender<Phase>,
    /// Replies that are not in the store yet.
    unsaved: Vec<(PartnerId, Vec<u8>)>,
    /// Of a question that was put as a secure total.
    sealing: Option<Sealing>,
}

/// Begins a round whose question is in the store.
pub(super) fn begin(hub: &Arc<Hub>, round: Round, signed: &[u8]) -> Watched {
    let (outbox, inbox) = mpsc::unbounded_channel();
    let (phase, watcher) = watch::channel(Phase::Open(progress(&round)));
    let id = round.terms().question_id;
    let watched = Watched {
        inbox: outbox.clone(),
        phase: watcher,
        deadline: round.terms().deadline,
        asked: progress(&round).asked,
    };
    tracing::info!(question = %id, asked = watched.asked, "a round opens");
    hub.open_round(id, watched.clone());
    let sealing = round.terms().total.clone().map(|total| Sealing::open(hub, total, &round));
    let running = Running {
        hub: Arc::clone(hub),
        sealing,
        round,
        signed: signed.into(),
        outbox,
        inbox,
        phase,
        unsaved: Vec::new(),
    };
    hub.spawn_round(running.run());
    watched
}

/// Takes up every round that was open when the coordinator last stopped.
pub(super) async fn resume_all(hub: &Arc<Hub>) -> Result<(), StoreFault> {
    let open = hub.with_store(|store| store.open_questions()).await?;
    for question in open {
        resume(hub, question).await?;
    }
    Ok(())
}

async fn resume(hub: &Arc<Hub>, question: NewQuestion) -> Result<(), StoreFault> {
    let (id, version) = (question.id, question.register_version);
    let (signed_register, replies) =
        hub.with_store(move |store| Ok((store.register(version)?, store.replies(id)?))).await?;
    let register = signed_register.and_then(|r| Register::open(&r, hub.identity.federation_key()).ok());
    let now = hub.clock.now();
    let accepted = register.and_then(|r| accept::resume(&question.signed, &r, question.deadline, now).ok());
    let Some(mut accepted) = accepted else {
        return give_up(hub, question).await;
    };
    bind(hub, &mut accepted.terms).await?;
    let mut round = Round::open(accepted.terms, now);
    for (partner, reply) in replies {
        // They came in time, whatever the time is now.
        round.handle(Event::Replied(partner, reply), question.accepted_at);
    }
    tracing::info!(question = %id, "a round is taken up again");
    begin(hub, round, &question.signed);
    Ok(())
}

/// Binds a total without noise to the partners of the first of its records.
pub(super) async fn bind(hub: &Hub, terms: &mut RoundTerms) -> Result<(), StoreFault> {
    let Some(total) = &mut terms.total else { return Ok(()) };
    if let Some(as_of) = total.exact_of() {
        total.bound = hub.with_store(move |store| store.roll_call(as_of)).await?;
    }
    Ok(())
}

/// Closes a round that no longer fits the register or the data dictionary: every partner asked stands as a fault of ours.
async fn give_up(hub: &Arc<Hub>, question: NewQuestion) -> Result<(), StoreFault> {
    tracing::error!(question = %question.id, code = CANNOT_RESUME, "a round cannot be taken up again");
    let now = hub.clock.now();
    let signed = SignedAsk::parse(&question.signed).ok();
    let ask = signed.as_ref().and_then(|s| s.peek().ok());
    let payload = signed.and_then(|s| s.question.payload_unverified(ASK_TYPE).ok());
    let hash = Hash::of(&payload.unwrap_or_default());
    let line = |partner: PartnerId| PartnerLine::new(partner, Standing::Fault(CANNOT_RESUME.to_owned()));
    let coverage = CoverageV1 {
        cairn_coverage: 1,
        question_id: question.id,
        question_hash: hash,
        federation: hub.identity.federation().clone(),
        register_version: question.register_version,
        closed_at: now,
        partners: ask.map(|a| a.partners).unwrap_or_default().into_iter().map(line).collect(),
        combined: None,
        total: None,
    };
    let coverage = coverage.sign(hub.identity.signing_key()).to_bytes();
    let kept = Kept { replies: Vec::new(), coverage };
    hub.with_store(move |store| store.close(question.id, &kept, None, now)).await
}

impl Running {
    async fn run(mut self) {
        let mut halted = self.hub.halted();
        loop {
            // Before anybody is given up: who is connected is among it. What has come together is saved together: one wait for the disk.
            while let Ok(event) = self.inbox.try_recv() {
                self.take(event);
            }
            while let Some(ask) = self.round.poll_ask() {
                self.dispatch(ask);
            }
            if self.round.is_over(self.hub.clock.now()) || self.has_every_word() {
                break;
            }
            self.seal();
            self.save().await;
            // What is shown is on disk.
            self.phase.send_if_modified(|phase| phase.update(progress(&self.round)));
            tokio::select! {
                Some(event) = self.inbox.recv() => self.take(event),
                Some(said) = heard(&mut self.sealing) => self.hear(said),
                () = tokio::time::sleep(LOOK_EVERY) => {}
                _ = halted.wait_for(|halt| *halt) => return,
            }
        }
        self.close().await;
    }

    /// Lets the total's round go on: who will not come, what the time says, what has opened.
    fn seal(&mut self) {
        let Some(sealing) = &mut self.sealing else { return };
        let now = self.hub.clock.now();
        let declined: Vec<PartnerId> = self.round.declined(now).cloned().collect();
        if let Err(refused) = sealing.go_on(&declined, self.round.terms(), now) {
            tracing::warn!(question = %self.round.terms().question_id, code = refused.code(), "a total does not open: {refused}");
            self.round.give_up(refused.code());
        }
    }

    /// Whether a total has opened and all of its partners have replied. One that was ready too late to be in it has nothing to say.
    fn has_every_word(&self) -> bool {
        let partners = self.sealing.as_ref().and_then(Sealing::partners);
        partners.is_some_and(|partners| self.round.have_settled(partners))
    }

    fn hear(&mut self, said: Said) {
        let now = self.hub.clock.now();
        if let Some(sealing) = &mut self.sealing {
            sealing.hear(said, now);
        }
    }

    fn take(&mut self, event: Event) {
        let replied = match &event {
            Event::Replied(partner, _) if self.round.reply_bytes(partner).is_none() => Some(partner.clone()),
            _ => None,
        };
        self.round.handle(event, self.hub.clock.now());
        let saved = replied.and_then(|p| self.round.reply_bytes(&p).map(|bytes| (p, bytes.to_vec())));
        self.unsaved.extend(saved);
    }

    fn dispatch(&self, ask: Ask) {
        let (outbox, question) = (self.outbox.clone(), self.round.terms().question_id);
        let deadline = self.round.terms().deadline;
        let signed = Arc::clone(&self.signed);
        let Some(node) = self.hub.node(&ask.partner) else {
            let _ = outbox.send(Event::Gone(ask));
            return;
        };
        tracing::debug!(%question, partner = %ask.partner, attempt = ask.attempt, "asks a partner");
        let clock = self.hub.clock.clone();
        let flights = self.sealing.as_ref().map(Sealing::line);
        let work = async move {
            let partner = ask.partner.clone();
            let event = loop {
                let asked = match &flights {
                    Some(line) => line.ask(&node, &partner, signed.to_vec(), deadline).await,
                    None => node.ask(signed.to_vec(), deadline).await,
                };
                let failure = match asked {
                    Ok(reply) => break Event::Replied(partner, reply),
                    Err(failure) => failure,
                };
                tracing::debug!(%question, %partner, %failure, "a partner gave no reply");
                if failure != AskFailure::Busy || clock.now() >= deadline {
                    break event_of(failure, ask);
                }
                tokio::time::sleep(BUSY_WAIT).await;
            };
            // The round may be closed: then nobody listens, and it is late.
            let _ = outbox.send(event);
        };
        tokio::spawn(until_closed(work, self.outbox.clone()));
    }

    async fn save(&mut self) {
        if self.unsaved.is_empty() {
            return;
        }
        let (id, replies) = (self.round.terms().question_id, std::mem::take(&mut self.unsaved));
        if let Err(fault) = self.hub.with_store(move |store| store.keep_replies(id, &replies)).await {
            // They are kept again when the round closes; after a crash the partners are asked again.
            tracing::warn!(question = %id, code = fault.code(), "replies could not be kept yet");
        }
    }

    async fn close(self) {
        let now = self.hub.clock.now();
        let id = self.round.terms().question_id;
        if let Some((as_of, partners)) = self.sealing.as_ref().and_then(Sealing::exact) {
            let keep = move |store: &mut Store| store.keep_roll_call(as_of, &partners);
            if let Err(fault) = self.hub.with_store(keep).await {
                // The nodes hold to it all the same: a total of other partners will not open.
                tracing::warn!(question = %id, code = fault.code(), "a roll call could not be kept");
            }
        }
        let grid = self.round.terms().grid.clone();
        let (opened, transcript) = self.sealing.and_then(Sealing::into_opened).unzip();
        let Closed { coverage, replies } = self.round.close(now, &self.hub.cards(), opened.as_ref());
        // Of a total that is not published nothing is to be recomputed.
        let transcript = transcript.filter(|_| coverage.total.is_some());
        let transcript = transcript.and_then(|transcript| to_keep(id, &transcript));
        tracing::info!(question = %id, standings = %standings(&coverage), "a round is closed");
        let signed = coverage.sign(self.hub.identity.signing_key()).to_bytes();
        let coverage = padded_coverage(signed, Some(&grid), coverage.partners.len());
        let kept = Arc::new(Kept { replies, coverage });
        let keep = Arc::clone(&kept);
        let saved =
            self.hub.with_store(move |store| store.close(id, &keep, transcript.as_deref(), now)).await;
        self.hub.close_round(id);
        self.phase.send_replace(match saved {
            Ok(()) => Phase::Closed(kept),
            Err(fault) => {
                tracing::error!(question = %id, code = fault.code(), "a closed round could not be kept");
                Phase::Stuck(fault.code())
            }
        });
    }
}

/// The transcript of an opened total as it is kept; `None` where it is too long.
fn to_keep(question: QuestionId, transcript: &Transcript) -> Option<Vec<u8>> {
    let bytes = transcript.to_bytes();
    if bytes.len() <= TRANSCRIPT_KEPT_MAX {
        return Some(bytes);
    }
    tracing::warn!(%question, code = TOO_LONG_TO_KEEP, bytes = bytes.len(), "the transcript of a total is too long to be kept: no auditor can recompute it");
    None
}

/// Ends an asking with its round: a node is not kept busy for a question that is closed.
async fn until_closed(work: impl Future<Output = ()>, outbox: mpsc::UnboundedSender<Event>) {
    tokio::select! {
        () = work => {}
        () = outbox.closed() => {}
    }
}

fn event_of(failure: AskFailure, ask: Ask) -> Event {
    match failure {
        AskFailure::Offline | AskFailure::Broken(Close::GoingAway | Close::Replaced) => Event::Gone(ask),
        // It sent what is no reply: the same as a reply that does not hold.
        AskFailure::Broken(Close::Malformed | Close::Unexpected | Close::TooLong) => {
            Event::Replied(ask.partner, Vec::new())
        }
        AskFailure::Late
        | AskFailure::Busy
        | AskFailure::TooLong
        | AskFailure::TooOld
        | AskFailure::Broken(_) => Event::Silent(ask),
    }
}

fn progress(round: &Round) -> Progress {
    let count = |wanted: fn(Stage) -> bool| {
        u16::try_from(round.stages().filter(|(_, stage)| wanted(*stage)).count()).unwrap_or(u16::MAX)
    };
    Progress {
        asked: count(|_| true),
        replied: count(|stage| stage == Stage::Settled),
        offline: count(|stage| stage == Stage::Away),
    }
}

/// `9 answered, 1 refused`: how many partners stand how. Never a table.
fn standings(coverage: &CoverageV1) -> String {
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for line in &coverage.partners {
        let word = match line.standing {
            Standing::Answered => "answered",
            Standing::Refused(_) => "refused",
            Standing::Fault(_) => "fault",
            Standing::Offline => "offline",
            Standing::Late => "late",
            Standing::Unverified => "unverified",
        };
        *counts.entry(word).or_default() += 1;
    }
    counts.iter().map(|(word, count)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
}
