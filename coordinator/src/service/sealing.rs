//! The flights of one secure total: between the nodes that are asked and the seal protocol's state machine.

use std::collections::BTreeMap;
use std::sync::Arc;

use cairn_link::{AskFailure, FlightSender, NodeHandle};
use cairn_question::{Day, Moment, PartnerId};
use cairn_seal::wire::manifest_in;
use cairn_seal::{
    CoordinatorEvent, CoordinatorRound, CoordinatorSetup, PairwiseMasks, Refused, Summed, Transcript,
};
use tokio::sync::mpsc;

use super::hub::Hub;
use crate::round::{Round, RoundTerms};
use crate::total::{OpenedTotal, TotalTerms};

/// Most flights of all nodes that wait for the round; a node's own wait longer then.
const WAITING_MAX: usize = 64;

/// What comes from a node that was asked.
pub(super) enum Said {
    /// It was asked, and its flights go this way.
    Began(PartnerId, FlightSender),
    /// A flight.
    Flight(PartnerId, Vec<u8>),
}

/// One total on its way.
pub(super) struct Sealing {
    terms: TotalTerms,
    /// `None` where it could not be opened, with the reason still to be said.
    round: Result<CoordinatorRound, Option<Refused>>,
    senders: BTreeMap<PartnerId, FlightSender>,
    opened: Option<(OpenedTotal, Transcript)>,
    outbox: mpsc::Sender<Said>,
    inbox: mpsc::Receiver<Said>,
}

/// The way from the nodes that are asked to the round.
pub(super) struct Line(mpsc::Sender<Said>);

impl Sealing {
    /// Waits for the partners until half of the time to the manifest's deadline has passed, or at once until nobody else can come.
    pub(super) fn open(hub: &Arc<Hub>, terms: TotalTerms, round: &Round) -> Self {
        let now = hub.clock.now();
        let left_s = terms.manifest.says().deadline.unix_s().saturating_sub(now.unix_s());
        let setup = |roll_call| CoordinatorSetup {
            key: hub.identity.shared_signing_key(),
            roster: Arc::clone(&terms.roster),
            aggregator: Arc::new(PairwiseMasks),
            roll_call,
        };
        let (outbox, inbox) = mpsc::channel(WAITING_MAX);
        tracing::info!(question = %round.terms().question_id, "a total's roll call begins");
        let opened = terms
            .roll_call(now.plus_s(left_s / 2))
            .and_then(|call| CoordinatorRound::open(setup(call), terms.manifest.clone(), now));
        let round = opened.map_err(Some);
        Self { terms, round, senders: BTreeMap::new(), opened: None, outbox, inbox }
    }

    pub(super) fn line(&self) -> Line {
        Line(self.outbox.clone())
    }

    /// Takes what a node said.
    pub(super) fn hear(&mut self, said: Said, now: Moment) {
        let (from, body) = match said {
            Said::Began(partner, sender) => {
                self.senders.insert(partner, sender);
                return;
            }
            Said::Flight(from, body) => (from, body),
        };
        let node = self.terms.roster.of_partner(&from).map(|(_, entry)| entry.node);
        let (Some(node), Ok(round)) = (node, &mut self.round) else { return };
        if let Err(refused) = round.handle_frame(node, &body, now) {
            tracing::debug!(partner = %from, code = refused.code(), "a flight is not taken: {refused}");
        }
    }

    /// Lets the time pass and sends what there is to send.
    ///
    /// # Errors
    /// Why the total will not open, once.
    pub(super) fn go_on(
        &mut self,
        declined: &[PartnerId],
        terms: &RoundTerms,
        now: Moment,
    ) -> Result<(), Refused> {
        let round = match &mut self.round {
            Ok(round) => round,
            Err(why) => return why.take().map_or(Ok(()), Err),
        };
        let nodes = declined.iter().filter_map(|partner| self.terms.roster.of_partner(partner));
        nodes.for_each(|(_, entry)| round.decline(entry.node, now));
        round.handle_time(now);
        let mut failed = None;
        while let Some(event) = round.poll_event() {
            match event {
                CoordinatorEvent::Summed(summed) => {
                    match protected(round, &self.terms, &summed, terms, now) {
                        Ok(opened) => self.opened = Some((opened, summed.transcript)),
                        Err(refused) => failed = Some(refused),
                    }
                }
                CoordinatorEvent::Failed(refused) => failed = Some(refused),
            }
        }
        while let Some((to, body)) = round.poll_transmit() {
            // Every node has the manifest: it came with the question.
            if manifest_in(&body).is_some() {
                continue;
            }
            let entry = self.terms.roster.place(to).and_then(|place| self.terms.roster.entry(place));
            if let Some(sender) = entry.and_then(|entry| self.senders.get(&entry.partner)) {
                sender.send(body);
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// The partners of a total without noise that has opened: every other of the same records is theirs.
    pub(super) fn exact(&self) -> Option<(Day, Vec<PartnerId>)> {
        let (opened, _) = self.opened.as_ref()?;
        Some((self.terms.exact_of()?, opened.partners.clone()))
    }

    /// Whose total has opened.
    pub(super) fn partners(&self) -> Option<&[PartnerId]> {
        self.opened.as_ref().map(|(opened, _)| opened.partners.as_slice())
    }

    /// The opened total, and what an auditor recomputes it from.
    pub(super) fn into_opened(self) -> Option<(OpenedTotal, Transcript)> {
        self.opened
    }
}

/// Protects the sum, and has every partner receipted for the table that leaves.
fn protected(
    round: &mut CoordinatorRound,
    total: &TotalTerms,
    summed: &Summed,
    terms: &RoundTerms,
    now: Moment,
) -> Result<OpenedTotal, Refused> {
    let table = total.protect((&summed.sum, summed.partners.len()), &terms.grid)?;
    round.release(table.hash(), now)?;
    let opened = round.opened().ok_or(Refused::OutOfTurn)?;
    let says = total.manifest.says();
    Ok(OpenedTotal {
        table,
        partners: total.names(&summed.partners),
        colluding_max: says.colluding_max,
        manifest: *total.manifest.hash(),
        opening: opened.opening,
        transcript: opened.transcript,
    })
}

impl Line {
    /// Asks a node, carries its flights to the round, and gives its reply.
    pub(super) async fn ask(
        &self,
        node: &NodeHandle,
        partner: &PartnerId,
        signed: Vec<u8>,
        deadline: Moment,
    ) -> Result<Vec<u8>, AskFailure> {
        let mut asking = node.ask_with_flights(signed, deadline).await?;
        // Nobody listens once the round is closed: then the flights are lost, and so is the reply.
        let _ = self.0.send(Said::Began(partner.clone(), asking.sender())).await;
        while let Some(body) = asking.next().await {
            let _ = self.0.send(Said::Flight(partner.clone(), body)).await;
        }
        asking.reply().await
    }
}

/// What comes next of a total's nodes; never, where the question is no total.
pub(super) async fn heard(sealing: &mut Option<Sealing>) -> Option<Said> {
    match sealing {
        Some(sealing) => sealing.inbox.recv().await,
        None => std::future::pending().await,
    }
}
