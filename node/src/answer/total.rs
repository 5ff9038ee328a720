//! This node's side of one secure total: the seal protocol's flights on the question's stream, and what they ask of the gate and the ledger.

mod invitation;
mod reached;

use std::sync::Arc;

use cairn_gate::{Counting, Failed, Kept, Opened, Permitted, Sealable, Step};
use cairn_ledger::{Bound, Opened as Opening};
use cairn_link::Flights;
use cairn_policy::Layers;
use cairn_question::{Hash, Refusal, SignedAsk};
use cairn_release::share::HonestPartners;
use cairn_release::{ShareFault, Shares};
use cairn_seal::occupancy::CountTerms;
use cairn_seal::wire::Flight;
use cairn_seal::{
    Draw, Keep, LinkageMark, NodeEvent, NodeRound, OpenRecord, Openings, Partners, Plain, Refused, Series,
    SystemRandomness,
};

use super::{Counted, Desk, Inner, LOOK_EVERY, NO_TURN, Slots, once};
use crate::in_force::{Held, InForce};
use invitation::Declined;
pub(super) use invitation::Invitation;
use reached::{Reached, reached};

/// The round ended, and its total did not open.
const NOT_OPENED: &str = "CN024";

impl Inner {
    /// Verifies and permits a question, put as a total where it comes with a manifest.
    pub(super) fn decide(
        &self,
        ask: &[u8],
        total: Option<&SignedAsk>,
        layers: &Layers,
    ) -> Step<(Permitted, Option<Invitation>)> {
        let (now, mut ledger) = (self.clock.now(), self.ledger());
        let mut verified = match self.gate.verify(ask, layers, &mut ledger, now) {
            Step::On(verified) => verified,
            Step::Reply(reply) => return Step::Reply(reply),
            Step::Unreadable => return Step::Unreadable,
        };
        let invitation = match total.map(|signed| self.invitation(signed, &verified, layers, now)).transpose()
        {
            Ok(invitation) => invitation.flatten(),
            Err(Declined { code, says }) => {
                let why = (code, says);
                return Step::Reply(self.gate.without_total(verified, layers, why, &mut ledger, now));
            }
        };
        if let Some(invitation) = &invitation {
            verified = verified.as_total(invitation.treatment());
        }
        match self.gate.permit(verified, layers, &mut ledger, now) {
            Step::On(permitted) => Step::On((permitted, invitation)),
            Step::Reply(reply) => Step::Reply(reply),
            Step::Unreadable => Step::Unreadable,
        }
    }

    /// The counted table as a part of its total.
    fn seal(
        &self,
        counting: Counting,
        counted: Counted,
        in_force: &InForce,
    ) -> Result<Sealable, Box<Failed>> {
        let sealed = match self.still_permitted(&counting, in_force) {
            Err(refusal) => Err(counting.stopped(refusal)),
            Ok(()) => match counted {
                Counted::Table(raw) => self.gate.seal(counting, &raw),
                Counted::People(people) => self.gate.seal_people(counting, people),
                Counted::Failed(fault) => Err(counting.failed(fault.code())),
                Counted::NoTurn => Err(counting.failed(NO_TURN)),
                Counted::Stopped(refusal) => Err(counting.stopped(refusal)),
            },
        };
        sealed.map_err(Box::new)
    }

    fn still_sealable(&self, sealable: &Sealable, in_force: &InForce) -> Result<(), Refusal> {
        match &in_force.layers {
            Some(layers) => self.gate.still_sealable(sealable, layers, self.clock.now()),
            None => Ok(()),
        }
    }

    /// A question that opened before, and whose opening is still to be sent: what is taken up again.
    fn opened_before(&self, ask: &SignedAsk, layers: &Layers) -> Option<(Invitation, OpenRecord)> {
        let id = ask.peek().ok()?.id;
        let Opening::Record(kept) = self.ledger().opening(id).ok()?? else { return None };
        let record = OpenRecord::parse(kept.bytes()).ok()?;
        // The record names the manifest that was verified before it was kept, so that whoever signed this copy signed that one.
        let analyst = ask.peek_credential().ok()?.key;
        let manifest = ask.manifest.as_ref()?.to_bytes();
        let invitation = self.read_manifest(&manifest, &analyst, layers).ok()?;
        (record.manifest() == invitation.manifest.hash()).then_some((invitation, record))
    }
}

/// A part on its way into a total.
struct Taking<'a> {
    desk: &'a Desk,
    invitation: Invitation,
    round: NodeRound,
    flights: Flights,
    /// `None` once it was opened or given up.
    sealable: Option<Sealable>,
    /// Where people are counted once: in which buckets this partner knows somebody.
    people: Option<once::LookedUp>,
    /// This partner's word, once it has opened.
    reply: Option<Vec<u8>>,
    /// The hash of the body that was sent last, and how often.
    last: (Hash, u8),
}

/// How often a long body is sent again: the stream loses none, and has room for so many flights only.
const LONG_REPEATS_MAX: u8 = 4;

/// A body of at least so many bytes is long.
const LONG_BYTES: usize = 64 * 1024;

impl Desk {
    /// Takes a counted table into the total that its question was put as.
    pub(super) async fn seal(
        &self,
        counting: Counting,
        counted: Counted,
        (invitation, held, flights): (Invitation, Arc<Held>, Flights),
        slots: Slots,
    ) -> Vec<u8> {
        let in_force = self.in_force();
        reached(Reached::Counted, invitation.question());
        let prepared = self.step(move |i| {
            let sealable = i.seal(counting, counted, &in_force)?;
            // Looked up before the slot: READY leaves at one, however many people there are to look up.
            i.looked_up(sealable, &invitation, &held).map(|part| (part, invitation))
        });
        match prepared.await {
            Some(Ok((part, invitation))) => self.take_part(part, invitation, flights, slots).await,
            Some(Err(failed)) => self.step(move |i| i.fail(*failed)).await.unwrap_or_default(),
            None => Vec::new(),
        }
    }

    /// Takes part in a total with a counted table, until it is opened and receipted, or the round is over. READY leaves at a slot, as replies do.
    async fn take_part(
        &self,
        (sealable, people): (Sealable, Option<once::LookedUp>),
        invitation: Invitation,
        flights: Flights,
        slots: Slots,
    ) -> Vec<u8> {
        slots.reply().await;
        let mark = people.as_ref().map(|people| people.mark);
        let joined = self.step(move |i| match i.join(&sealable, &invitation, mark) {
            Ok(round) => Ok((sealable, invitation, round)),
            Err(refused) => Err(i.fail(sealable.stopped(not_joined(&refused)))),
        });
        match joined.await {
            Some(Ok((sealable, invitation, round))) => {
                let taking = Taking::new(self, (invitation, round), flights, Ok(sealable));
                Taking { people, ..taking }.run().await
            }
            Some(Err(reply)) => reply,
            // The hold stays open and lapses: nothing has left.
            None => Vec::new(),
        }
    }

    /// Sends the opening of a question that was opened before its reply could be given, again and no other (R2).
    pub(super) async fn open_again(
        &self,
        ask: SignedAsk,
        layers: Arc<Layers>,
        flights: Flights,
        reply: Vec<u8>,
    ) -> Vec<u8> {
        let resumed = self.step(move |i| i.resume(&ask, &layers)).await.flatten();
        let Some((invitation, round)) = resumed else { return reply };
        Taking::new(self, (invitation, round), flights, Err(reply)).run().await
    }
}

impl Inner {
    fn join(
        &self,
        sealable: &Sealable,
        invitation: &Invitation,
        mark: Option<LinkageMark>,
    ) -> Result<NodeRound, Refused> {
        let now = self.clock.now();
        let snapshot = sealable.snapshot();
        let dataset = sealable.dataset().ok_or(Refused::OtherQuestion)?;
        let series = Series { dataset, as_of: snapshot.as_of, edition: snapshot.edition };
        let bound = match self.ledger().bound_to(snapshot).map_err(|_| Refused::Record)? {
            Bound::Partners(ids) => Some((series.clone(), Partners::of_bytes(&ids))),
            Bound::Free => None,
            Bound::OtherEdition | Bound::Forgotten if invitation.treatment().is_charged() => None,
            Bound::OtherEdition => return Err(Refused::OtherPartners),
            Bound::Forgotten => return Err(Refused::Forgotten),
        };
        let openings = Openings::bound_to(bound);
        let (setup, subject) = (invitation.setup(self), invitation.subject(series, openings, mark));
        NodeRound::ready(setup, invitation.manifest.clone(), subject, now, &mut SystemRandomness::default())
    }

    fn resume(&self, ask: &SignedAsk, layers: &Layers) -> Option<(Invitation, NodeRound)> {
        let (invitation, record) = self.opened_before(ask, layers)?;
        let subject = invitation.subject(record.series().clone(), Openings::default(), None);
        let (setup, manifest) = (invitation.setup(self), invitation.manifest.clone());
        let now = self.clock.now();
        let round =
            NodeRound::resume(setup, manifest, subject, record, now, &mut SystemRandomness::default())
                .ok()?;
        Some((invitation, round))
    }
}

impl<'a> Taking<'a> {
    /// With a part that is to be opened, or with the reply of one that was.
    fn new(
        desk: &'a Desk,
        (invitation, round): (Invitation, NodeRound),
        flights: Flights,
        part: Result<Sealable, Vec<u8>>,
    ) -> Self {
        let (sealable, reply) = match part {
            Ok(sealable) => (Some(sealable), None),
            Err(reply) => (None, Some(reply)),
        };
        let last = (Hash::of(b""), 0);
        Self { desk, invitation, round, flights, sealable, people: None, reply, last }
    }

    async fn run(mut self) -> Vec<u8> {
        loop {
            self.transmit();
            while let Some(event) = self.round.poll_event() {
                if let Some(reply) = self.on(event).await {
                    self.transmit();
                    return reply;
                }
                self.transmit();
            }
            let (desk, sealable) = (self.desk, self.sealable.as_ref());
            let forbidden = async {
                match sealable {
                    Some(sealable) => desk.forbidden(|i, now| i.still_sealable(sealable, now)).await,
                    // What has opened has left.
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                refusal = forbidden => {
                    if let Some(sealable) = self.sealable.take() {
                        return desk.give_up(sealable.stopped(refusal)).await;
                    }
                }
                flight = self.flights.next() => match flight {
                    Some(body) => self.hear(&body),
                    None => return self.left().await,
                },
                () = tokio::time::sleep(LOOK_EVERY) => self.round.handle_time(desk.inner.clock.now()),
            }
        }
    }

    fn transmit(&mut self) {
        while let Some(body) = self.round.poll_transmit() {
            let hash = Hash::of(&body);
            let times = if self.last.0 == hash { self.last.1.saturating_add(1) } else { 1 };
            self.last = (hash, times);
            if let (Some(flight), 1) = (Flight::of(&body), times) {
                reached(Reached::Flight(flight, hash), self.invitation.question());
            }
            if body.len() < LONG_BYTES || times <= LONG_REPEATS_MAX {
                self.flights.send(body);
            }
        }
    }

    fn hear(&mut self, body: &[u8]) {
        let now = self.desk.inner.clock.now();
        if let Err(refused) = self.round.handle_frame(body, now, &mut SystemRandomness::default()) {
            tracing::debug!(code = refused.code(), "a flight is not taken: {refused}");
        }
    }

    /// The reply, once there is one.
    async fn on(&mut self, event: NodeEvent) -> Option<Vec<u8>> {
        match event {
            NodeEvent::Draw(draw) => self.draw(draw).await,
            NodeEvent::Keep(keep) => self.keep(keep).await,
            NodeEvent::Receipt(receipt) => {
                reached(Reached::Receipted, receipt.says().question);
                let table = receipt.says().table;
                tracing::info!(question = %receipt.says().question.short(), %table, "a total is receipted");
                Some(self.reply.take().unwrap_or_default())
            }
            NodeEvent::OtherLinkage(refused) => Some(self.parted(&refused).await),
            NodeEvent::Lapsed => Some(self.left().await),
            NodeEvent::Closed => Some(self.reply.take().unwrap_or_default()),
        }
    }

    async fn draw(&mut self, draw: Draw) -> Option<Vec<u8>> {
        let sealable = self.sealable.take()?;
        let (partners, colluding) = (draw.partners(), self.invitation.colluding_max());
        // Before anything is sealed, so that the others can go on without this partner.
        if let Err(refusal) = sealable.is_among(partners) {
            return Some(self.desk.give_up(sealable.stopped(refusal)).await);
        }
        let (sealable, vector) = match self.people.take() {
            Some(people) => (sealable, self.pattern(people, partners).await?),
            None => self.numbers(sealable, (partners, colluding)).await?,
        };
        let vector = match vector {
            Ok(vector) => vector,
            Err(code) => return Some(self.desk.give_up(sealable.failed(code)).await),
        };
        self.sealable = Some(sealable);
        let now = self.desk.inner.clock.now();
        if let Err(refused) = self.round.drawn(draw, vector, now, &mut SystemRandomness::default()) {
            tracing::debug!(code = refused.code(), "an attempt is not sealed: {refused}");
        }
        None
    }

    /// The pattern of people counted once for one attempt; or the code of what broke.
    async fn pattern(
        &mut self,
        people: once::LookedUp,
        partners: usize,
    ) -> Option<Result<Plain, &'static str>> {
        let says = self.invitation.manifest.says();
        let terms = CountTerms::of_total(&says.treatment, partners, says.colluding_max);
        let drawn = self.desk.step(move |_| {
            let drawn =
                terms.map_err(Refused::from).and_then(|terms| once::pattern(&people.occupied, &terms));
            (people, drawn)
        });
        let (people, drawn) = drawn.await?;
        // Kept for an attempt after this one.
        self.people = Some(people);
        Some(drawn.map_err(|refused| refused.code()))
    }

    /// A table's numbers for one attempt, with fresh noise of this partner's share; or the code of what broke.
    async fn numbers(
        &self,
        sealable: Sealable,
        (partners, colluding): (usize, u16),
    ) -> Option<(Sealable, Result<Plain, &'static str>)> {
        // OpenDP is not `Send`: drawn on one thread, in one go.
        let drawn = self.desk.step(move |_| {
            let drawn = honest(partners, colluding).and_then(|honest| sealable.draw(honest, &mut Shares));
            (sealable, drawn)
        });
        let (sealable, drawn) = drawn.await?;
        let layout = self.invitation.manifest.says().layout;
        let vector = drawn.map_err(|fault| fault.code()).and_then(|numbers| {
            Plain::from_values(layout, &numbers).map_err(|_| Refused::OtherLayout.code())
        });
        Some((sealable, vector))
    }

    /// The record of the opening is put on disk, with the charge and the reply: only then is it sent.
    async fn keep(&mut self, keep: Keep) -> Option<Vec<u8>> {
        let sealable = self.sealable.take()?;
        let in_force = self.desk.in_force();
        let (record, question) = (keep.record(), self.invitation.question());
        let (manifest, opening) = (*record.manifest(), *record.opening());
        let partners = self.invitation.names(record.partners());
        let nodes: Vec<[u8; 16]> = record.partners().ids().iter().map(|id| *id.as_bytes()).collect();
        let bytes = record.to_bytes();
        let (colluding, deadline) =
            (self.invitation.colluding_max(), self.invitation.manifest.says().deadline);
        reached(Reached::Opening, question);
        let kept = self.desk.step(move |i| {
            if let Err(refusal) = i.still_sealable(&sealable, &in_force) {
                return Kept::Reply(i.fail(sealable.stopped(refusal)));
            }
            let honest = match honest(partners.len(), colluding) {
                Ok(honest) => honest,
                Err(fault) => return Kept::Reply(i.fail(sealable.failed(fault.code()))),
            };
            let (partners, nodes) = (partners.as_slice(), nodes.as_slice());
            let opened = Opened { manifest, opening, partners, nodes, honest, record: &bytes, deadline };
            i.gate.open_total(sealable, opened, &mut i.ledger(), i.clock.now())
        });
        match kept.await? {
            Kept::Opened(_on_disk, reply) => {
                reached(Reached::Kept, question);
                // Before the opening leaves, so that whoever holds the ledger's end knows of its charge.
                self.desk.step(Inner::publish_end).await;
                if let Err(refused) = self.round.kept(keep, self.desk.inner.clock.now()) {
                    tracing::warn!(code = refused.code(), "an opening is too late: {refused}");
                }
                self.reply = Some(reply);
                None
            }
            Kept::Reply(reply) => Some(reply),
        }
    }

    /// Others of the round signed that they hold another linkage secret: nothing of this node's was sealed, and whoever asked is told what to do.
    async fn parted(&mut self, refused: &Refused) -> Vec<u8> {
        tracing::error!(code = refused.code(), question = %self.invitation.question().short(), "people are not counted once: {refused}");
        match self.sealable.take() {
            Some(sealable) => self.desk.give_up(sealable.stopped(once::other_secret(refused))).await,
            None => self.left().await,
        }
    }

    /// The round is over for this node: its word where it has opened, otherwise a fault, and the hold is given up.
    async fn left(&mut self) -> Vec<u8> {
        match (self.reply.take(), self.sealable.take()) {
            (Some(reply), _) => reply,
            (None, Some(sealable)) => self.desk.give_up(sealable.failed(NOT_OPENED)).await,
            (None, None) => Vec::new(),
        }
    }
}

impl Desk {
    async fn give_up(&self, failed: Failed) -> Vec<u8> {
        self.step(move |i| i.fail(failed)).await.unwrap_or_default()
    }
}

fn not_joined(refused: &Refused) -> Refusal {
    Refusal::one("total.round", refused.code(), refused.to_string())
}

fn honest(partners: usize, colluding: u16) -> Result<HonestPartners, ShareFault> {
    HonestPartners::of(u16::try_from(partners).map_err(|_| ShareFault::OutOfRange)?, colluding)
}
