//! n nodes and a coordinator over a network that the test owns: it carries a body, alters it, delays it or loses it.

use std::collections::{BTreeMap, VecDeque};

use cairn_question::{Hash, Moment};

use crate::{
    CoordinatorEvent, CoordinatorRound, Manifest, NodeEvent, NodeId, NodeRound, OpenRecord, Openings, Plain,
    Receipt, Refused, RollCall, Summed, SystemRandomness,
};

use super::world::{NOW, World, mark};

/// One node's machine room: its table, its disk, and the round while it runs.
pub(crate) struct Site {
    pub(crate) place: usize,
    pub(crate) id: NodeId,
    pub(crate) table: Vec<i64>,
    /// What survives a kill: the record of the question, and what the ledger knows for R6.
    pub(crate) disk: Option<Vec<u8>>,
    pub(crate) openings: Openings,
    pub(crate) round: Option<NodeRound>,
    /// Every OPEN that ever left this node.
    pub(crate) opens: Vec<Vec<u8>>,
    pub(crate) receipts: Vec<Receipt>,
    pub(crate) lapsed: bool,
    /// Which linkage secret it holds, where people are counted once.
    pub(crate) secret: u8,
    /// Why it left a round of partners that hold another one.
    pub(crate) parted: Option<Refused>,
    /// What becomes of the process when it is to keep its record.
    pub(crate) fault: KeepFault,
    /// It died of that just now.
    pub(crate) died: bool,
    /// Every vector that was drawn, with its attempt.
    pub(crate) draws: Vec<u8>,
}

pub(crate) struct Federation {
    pub(crate) world: World,
    pub(crate) manifest: Manifest,
    pub(crate) sites: Vec<Site>,
    pub(crate) coordinator: CoordinatorRound,
    pub(crate) summed: Option<Summed>,
    pub(crate) failed: Option<Refused>,
    pub(crate) refusals: Vec<Refused>,
}

/// A fault around the one write that matters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum KeepFault {
    None,
    /// The process ends before the record is on disk.
    DiesBefore,
    /// It ends when the record is on disk and nothing was sent yet.
    DiesAfter,
}

/// A body under way.
#[derive(Clone, Debug)]
pub(crate) enum Mail {
    Up { from: usize, body: Vec<u8> },
    Down { to: usize, body: Vec<u8> },
}

impl Mail {
    pub(crate) fn body(&self) -> &[u8] {
        match self {
            Self::Up { body, .. } | Self::Down { body, .. } => body,
        }
    }

    /// The kind of body: 1 READY, 2 KEYS, 3 SEALED, 4 OPEN; 16 MANIFEST, 17 ATTEMPT, 18 RELAY, 19 BOARD, 20 RECEIPT.
    pub(crate) fn kind(&self) -> u8 {
        self.body()[1]
    }
}

pub(crate) const READY: u8 = 1;
pub(crate) const KEYS: u8 = 2;
pub(crate) const SEALED: u8 = 3;
pub(crate) const OPEN: u8 = 4;
pub(crate) const MANIFEST: u8 = 16;
pub(crate) const ATTEMPT: u8 = 17;
pub(crate) const RELAY: u8 = 18;
pub(crate) const BOARD: u8 = 19;
pub(crate) const RECEIPT: u8 = 20;

impl Site {
    fn new(world: &World, place: usize, symbols: usize) -> Self {
        let table = (0_i64..).take(symbols).map(|cell| cell * 10 + i64::try_from(place).unwrap()).collect();
        let id = world.roster.entry(place).unwrap().node;
        let (openings, round) = (Openings::default(), None);
        let (opens, receipts, draws) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            place,
            id,
            table,
            disk: None,
            openings,
            round,
            opens,
            receipts,
            lapsed: false,
            secret: 0,
            parted: None,
            fault: KeepFault::None,
            died: false,
            draws,
        }
    }

    /// The manifest came, and the table is computed: from the record if there is one.
    pub(crate) fn join(&mut self, world: &World, manifest: &Manifest, now: Moment) -> Result<(), Refused> {
        let mark = manifest.is_marked().then(|| mark(self.secret));
        let subject = crate::Subject { mark, ..world.subject(manifest, &self.openings) };
        let (setup, manifest) = (world.setup(self.place), manifest.clone());
        let randomness = &mut SystemRandomness::new();
        let round = match &self.disk {
            Some(bytes) => {
                let record = OpenRecord::parse(bytes).unwrap();
                NodeRound::resume(setup, manifest, subject, record, now, randomness)
            }
            None => NodeRound::ready(setup, manifest, subject, now, randomness),
        };
        self.round = Some(round?);
        Ok(())
    }

    /// Does what the round asks: draws, keeps, and hands back what it sends.
    pub(crate) fn work(
        &mut self,
        manifest: &Manifest,
        now: Moment,
        refusals: &mut Vec<Refused>,
    ) -> Vec<Vec<u8>> {
        let Some(round) = &mut self.round else { return Vec::new() };
        while let Some(event) = round.poll_event() {
            let done = match event {
                NodeEvent::Draw(draw) => {
                    self.draws.push(draw.attempt().number());
                    let vector = vector_of((self.place, &self.table), manifest);
                    round.drawn(draw, vector, now, &mut SystemRandomness::new())
                }
                NodeEvent::Keep(_) if self.fault == KeepFault::DiesBefore => return self.die(),
                NodeEvent::Keep(keep) => {
                    let record = keep.record();
                    assert!(self.disk.is_none(), "one record for a question, ever");
                    self.disk = Some(record.to_bytes().to_vec());
                    self.openings.record(record).unwrap();
                    if self.fault == KeepFault::DiesAfter {
                        return self.die();
                    }
                    round.kept(keep, now)
                }
                NodeEvent::Receipt(receipt) => {
                    self.receipts.push(receipt);
                    Ok(())
                }
                NodeEvent::Lapsed => {
                    self.lapsed = true;
                    Ok(())
                }
                NodeEvent::OtherLinkage(refused) => {
                    self.parted = Some(refused);
                    Ok(())
                }
                NodeEvent::Closed => Ok(()),
            };
            refusals.extend(done.err());
        }
        let sent: Vec<Vec<u8>> = std::iter::from_fn(|| round.poll_transmit()).collect();
        self.opens.extend(sent.iter().filter(|body| body[1] == OPEN).cloned());
        sent
    }

    fn die(&mut self) -> Vec<Vec<u8>> {
        (self.round, self.fault, self.died) = (None, KeepFault::None, true);
        Vec::new()
    }
}

impl Federation {
    pub(crate) fn new(n: usize) -> Self {
        let world = World::new(n);
        let manifest = world.open(&world.doc()).unwrap();
        Self::of(world, manifest, RollCall::Whoever { until: NOW.plus_s(60) })
    }

    pub(crate) fn of(world: World, manifest: Manifest, roll_call: RollCall) -> Self {
        let symbols = manifest.says().layout.symbols();
        let sites = (0..world.keys.len()).map(|place| Site::new(&world, place, symbols)).collect();
        let setup = world.coordinator_setup(roll_call);
        let coordinator = CoordinatorRound::open(setup, manifest.clone(), NOW).unwrap();
        let (summed, failed, refusals) = (None, None, Vec::new());
        Self { world, manifest, sites, coordinator, summed, failed, refusals }
    }

    /// Delivers one body, and gives back what it leads to.
    pub(crate) fn deliver(&mut self, mail: Mail, now: Moment) -> Vec<Mail> {
        let refused = match mail {
            Mail::Up { from, body } => self.coordinator.handle_frame(self.sites[from].id, &body, now).err(),
            Mail::Down { to, body } => self.deliver_down(to, &body, now).err(),
        };
        self.refusals.extend(refused);
        self.settle(now)
    }

    fn deliver_down(&mut self, to: usize, body: &[u8], now: Moment) -> Result<(), Refused> {
        let site = &mut self.sites[to];
        match &mut site.round {
            Some(round) => round.handle_frame(body, now, &mut SystemRandomness::new()),
            None if body[1] == MANIFEST => site.join(&self.world, &self.manifest, now),
            None => Ok(()),
        }
    }

    /// Lets time pass everywhere.
    pub(crate) fn tick(&mut self, now: Moment) -> Vec<Mail> {
        self.coordinator.handle_time(now);
        self.sites.iter_mut().filter_map(|site| site.round.as_mut()).for_each(|round| round.handle_time(now));
        self.settle(now)
    }

    /// Everybody does what is asked of them.
    pub(crate) fn settle(&mut self, now: Moment) -> Vec<Mail> {
        let mut mails = Vec::new();
        while let Some(event) = self.coordinator.poll_event() {
            match event {
                CoordinatorEvent::Summed(summed) => {
                    self.coordinator.release(released(&summed.sum), now).unwrap();
                    assert!(self.summed.replace(*summed).is_none(), "one sum");
                }
                CoordinatorEvent::Failed(refused) => self.failed = Some(refused),
            }
        }
        for site in &mut self.sites {
            let sent = site.work(&self.manifest, now, &mut self.refusals);
            mails.extend(sent.into_iter().map(|body| Mail::Up { from: site.place, body }));
        }
        let places: BTreeMap<NodeId, usize> = self.sites.iter().map(|site| (site.id, site.place)).collect();
        while let Some((to, body)) = self.coordinator.poll_transmit() {
            mails.push(Mail::Down { to: places[&to], body });
        }
        mails
    }

    /// Carries everything at once, in order, but what `carry` takes out or alters.
    pub(crate) fn run(&mut self, mut carry: impl FnMut(Mail) -> Option<Mail>) {
        let mut under_way: VecDeque<Mail> = self.settle(NOW).into();
        while let Some(mail) = under_way.pop_front() {
            if let Some(mail) = carry(mail) {
                under_way.extend(self.deliver(mail, NOW));
            }
        }
    }

    /// Carries everything until a body of this kind would go down to this node, and gives that body.
    pub(crate) fn run_until(&mut self, kind: u8, to_place: usize) -> Vec<u8> {
        let mut held = None;
        self.run(|mail| match mail {
            Mail::Down { to, body } if to == to_place && body[1] == kind => {
                held.get_or_insert(body);
                None
            }
            other => Some(other),
        });
        held.expect("the round comes this far")
    }

    /// The node's refusal of a body.
    pub(crate) fn refusal(&mut self, to: usize, body: &[u8]) -> Option<Refused> {
        self.deliver_down(to, body, NOW).err()
    }

    pub(crate) fn expected(&self, partners: &crate::Members) -> Vec<i64> {
        let tables = partners.places().map(|place| &self.sites[place].table);
        let mut sum = vec![0; self.manifest.says().layout.symbols()];
        tables.for_each(|table| sum.iter_mut().zip(table).for_each(|(to, from)| *to += from));
        sum
    }
}

/// A partner's table; of people counted once, its place and one more in every bucket.
fn vector_of((place, table): (usize, &[i64]), manifest: &Manifest) -> Plain {
    let layout = manifest.says().layout;
    if !manifest.is_marked() {
        return Plain::from_values(layout, table).unwrap();
    }
    let symbol = u8::try_from(place + 1).unwrap();
    Plain::from_symbols(layout, &vec![symbol; layout.symbols()]).unwrap()
}

/// A released table's hash: of the sum rounded down to tens, so that it is not the hash of the exact one.
fn released(sum: &Plain) -> Hash {
    let values = sum.values().unwrap_or_default();
    let tens: Vec<u8> = values.iter().flat_map(|v| (v / 10).to_le_bytes()).collect();
    Hash::of(&tens)
}
