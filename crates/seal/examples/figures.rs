//! Bytes and processor time of each node in one round: `cargo run --release -p cairn-seal --example figures -- 32 10000`.
//!
//! Every node and the coordinator run in this one thread, so that each node's time is what the kernel says the thread ran on a processor during that node's calls, however busy
//! the machine is. Figures are for reading; nothing is held to them.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a measurement that cannot be made fails")]

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use cairn_question::{Day, Hash, Moment, Name, PartnerId, QuestionId, SigningKey};
use cairn_seal::{
    CoordinatorEvent, CoordinatorRound, CoordinatorSetup, Layout, Manifest, ManifestV1, Members, NodeEvent,
    NodeId, NodeRound, NodeSetup, Openings, PairwiseMasks, Plain, Ring, RollCall, Roster, RosterEntryV1,
    RosterV1, Series, Subject, SystemRandomness, Terms, Treatment,
};

const NOW: Moment = Moment::from_unix_s(1_772_323_200);

fn key() -> Arc<SigningKey> {
    Arc::new(SigningKey::from_pkcs8(&SigningKey::make_pkcs8().unwrap()).unwrap())
}

/// What this thread has run on a processor.
fn processor_time() -> Duration {
    let text =
        std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux says how long a thread ran");
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

#[derive(Clone, Default)]
struct Spent {
    up: usize,
    down: usize,
    time: Duration,
}

struct Federation {
    keys: Vec<Arc<SigningKey>>,
    coordinator: Arc<SigningKey>,
    roster: Arc<Roster>,
    manifest: Manifest,
}

fn id(place: usize) -> NodeId {
    NodeId::from_bytes(u128::try_from(place).unwrap().to_be_bytes())
}

fn federation(n: usize, cells: usize) -> Federation {
    let keys: Vec<_> = (0..n).map(|_| key()).collect();
    let entry = |(place, key): (usize, &Arc<SigningKey>)| RosterEntryV1 {
        node: id(place),
        controller: Name::new(format!("z{place}")).unwrap(),
        partner: PartnerId::new(format!("partner-{place}")).unwrap(),
        key: key.verifying_key(),
        tls_key: Hash::of(&place.to_le_bytes()),
        valid_from: Day::new(2026, 1, 1).unwrap(),
        valid_until: Day::new(2027, 1, 1).unwrap(),
    };
    let entries = keys.iter().enumerate().map(entry).collect();
    let federation = Name::new("figures").unwrap();
    let roster = RosterV1 { cairn_roster: 1, federation, version: 1, entries };
    let roster = Arc::new(Roster::parse(&serde_json::to_vec(&roster).unwrap()).unwrap());
    let colluding = n / 3;
    let answering = usize::midpoint(n, colluding) + 1;
    let terms = Terms::new(colluding, answering, n, 1_000_000).unwrap();
    let doc = ManifestV1 {
        cairn_manifest: 1,
        question: QuestionId::from_bytes([1; 32]),
        question_hash: Hash::of(b"question"),
        roster_version: 1,
        roster: *roster.hash(),
        invited: Members::of(0..n).unwrap(),
        colluding_max: u16::try_from(colluding).unwrap(),
        answering_min: u16::try_from(answering).unwrap(),
        layout: Layout::new(Ring::U64, cells).unwrap(),
        clamp: 1_000_000,
        scale: 16,
        noise_tail: 1 << 20,
        treatment: Treatment::Dp {
            epsilon: cairn_question::privacy::Epsilon::from_millionths(1_000_000).unwrap(),
            sensitivity: 1,
        },
        deadline: NOW.plus_s(3_600),
        flight_s: 60,
        again: false,
    };
    let analyst = key();
    let bytes = doc.sign(&analyst).to_bytes();
    let manifest = Manifest::open(&bytes, &analyst.verifying_key(), &roster, &terms).unwrap();
    Federation { keys, coordinator: key(), roster, manifest }
}

fn join(federation: &Federation, place: usize) -> NodeRound {
    let setup = NodeSetup {
        node: id(place),
        key: Arc::clone(federation.keys.get(place).unwrap()),
        roster: Arc::clone(&federation.roster),
        coordinator: federation.coordinator.verifying_key(),
        onboarding: BTreeMap::new(),
        aggregator: Arc::new(PairwiseMasks),
    };
    let says = federation.manifest.says();
    let dataset = Name::new("starts").unwrap();
    let series = Series { dataset, as_of: Day::new(2026, 2, 28).unwrap(), edition: 1 };
    let openings = Openings::default();
    let (question, question_hash) = (says.question, says.question_hash);
    let subject = Subject { question, question_hash, series, openings, mark: None };
    let random = &mut SystemRandomness::new();
    NodeRound::ready(setup, federation.manifest.clone(), subject, NOW, random).unwrap()
}

/// One node takes what came and does what is asked of it.
fn work(round: &mut NodeRound, body: &[u8], table: &[i64], layout: Layout) -> Vec<Vec<u8>> {
    let random = &mut SystemRandomness::new();
    round.handle_frame(body, NOW, random).unwrap();
    while let Some(event) = round.poll_event() {
        match event {
            NodeEvent::Draw(draw) => {
                let vector = Plain::from_values(layout, table).unwrap();
                round.drawn(draw, vector, NOW, random).unwrap();
            }
            NodeEvent::Keep(keep) => round.kept(keep, NOW).unwrap(),
            _ => {}
        }
    }
    std::iter::from_fn(|| round.poll_transmit()).collect()
}

fn run(n: usize, cells: usize) -> (Vec<Spent>, Duration, usize) {
    let federation = federation(n, cells);
    let layout = federation.manifest.says().layout;
    let table: Vec<i64> = (0..i64::try_from(cells).unwrap()).collect();
    let mut rounds: Vec<NodeRound> = (0..n).map(|place| join(&federation, place)).collect();
    let mut spent = vec![Spent::default(); n];
    let (mut coordinator_time, mut trips) = (Duration::ZERO, 0);
    let setup = CoordinatorSetup {
        key: Arc::clone(&federation.coordinator),
        roster: Arc::clone(&federation.roster),
        aggregator: Arc::new(PairwiseMasks),
        roll_call: RollCall::Whoever { until: NOW.plus_s(60) },
    };
    let mut coordinator = CoordinatorRound::open(setup, federation.manifest.clone(), NOW).unwrap();
    let mut up: VecDeque<(usize, Vec<u8>)> = VecDeque::new();
    for (place, round) in rounds.iter_mut().enumerate() {
        up.extend(std::iter::from_fn(|| round.poll_transmit()).map(|body| (place, body)));
    }
    let mut sum = None;
    loop {
        let begun = processor_time();
        for (place, body) in up.drain(..) {
            spent.get_mut(place).unwrap().up += body.len();
            coordinator.handle_frame(id(place), &body, NOW).unwrap();
        }
        if let Some(CoordinatorEvent::Summed(summed)) = coordinator.poll_event() {
            coordinator.release(Hash::of(b"table"), NOW).unwrap();
            sum = summed.sum.values();
        }
        coordinator_time += processor_time().saturating_sub(begun);
        let down: Vec<_> = std::iter::from_fn(|| coordinator.poll_transmit()).collect();
        if down.is_empty() {
            break;
        }
        trips += 1;
        for (to, body) in down {
            let place = federation.roster.place(to).unwrap();
            let (spent, begun) = (spent.get_mut(place).unwrap(), processor_time());
            spent.down += body.len();
            let sent = work(rounds.get_mut(place).unwrap(), &body, &table, layout);
            spent.time += processor_time().saturating_sub(begun);
            up.extend(sent.into_iter().map(|body| (place, body)));
        }
    }
    let people = i64::try_from(n).unwrap();
    assert_eq!(sum.expect("the sum opens"), table.iter().map(|cell| cell * people).collect::<Vec<_>>());
    // The manifest and READY came in the first trip down, the receipt in the last.
    (spent, coordinator_time, trips)
}

#[expect(clippy::print_stdout, reason = "a measurement's one output is what it prints")]
fn main() {
    let sizes: Vec<usize> = std::env::args().skip(1).map(|word| word.parse().expect("a number")).collect();
    let (n, cells) = match sizes.as_slice() {
        [n, cells] => (*n, *cells),
        _ => (32, 10_000),
    };
    let (spent, coordinator, trips) = run(n, cells);
    let most = |of: fn(&Spent) -> usize| spent.iter().map(of).max().unwrap_or_default();
    let longest = spent.iter().map(|spent| spent.time).max().unwrap_or_default();
    let total: Duration = spent.iter().map(|spent| spent.time).sum();
    let vector = cells * 8;
    println!("{n} nodes, {cells} cells of 64 bits ({vector} bytes)");
    println!("each node: at most {} bytes up, {} down", most(|s| s.up), most(|s| s.down));
    println!(
        "each node: {:.1?} of processor time on average, {longest:.1?} at most",
        total / u32::try_from(n).unwrap()
    );
    println!(
        "coordinator: {coordinator:.1?} of processor time; {trips} trips down, manifest and receipt among them"
    );
}
