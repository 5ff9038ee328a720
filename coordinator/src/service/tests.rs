//! Over real sockets on loopback, with scripted nodes and a clock that the test turns.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use cairn_link::frame::Progress;
use cairn_link::{
    AnalystClient, AnalystIdentity, Authority, Flights, Handler, LinkError, NodeIdentity, NodeState,
    RoundResult, run_node,
};
use cairn_question::combine::{CoverageV1, Standing};
use cairn_question::{Cell, Moment, PolicyCard, QuestionId, VerifyingKey};
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::*;
use crate::fixture::{Asked, Federation, NOW, answer, key, name, partner, refusal};

mod linkage;

/// What a node does with each question, one word a question; the last word for all that follow.
#[derive(Clone, Copy)]
enum Word {
    Answer,
    Refuse,
    Silent,
    Forge,
    Junk,
}

struct Scripted {
    identity: Arc<NodeIdentity>,
    script: Vec<Word>,
    asked: Arc<AtomicUsize>,
}

impl Handler for Scripted {
    async fn answer(&self, ask: Vec<u8>, _deadline: Moment, _flights: Flights) -> Vec<u8> {
        let nth = self.asked.fetch_add(1, Ordering::SeqCst);
        let word = self.script.get(nth).or(self.script.last()).copied().unwrap();
        let (asked, own) = (Asked::read(ask), self.identity.partner());
        match word {
            Word::Answer => asked.reply(own, answer(&asked, 10), self.identity.signing_key()),
            Word::Refuse => asked.reply(own, refusal(), self.identity.signing_key()),
            Word::Forge => asked.reply(own, answer(&asked, 999), &key()),
            Word::Junk => b"no reply".to_vec(),
            Word::Silent => std::future::pending().await,
        }
    }

    /// Its card without a policy; one that forges its replies forges it as well.
    fn card(&self) -> watch::Receiver<Option<Vec<u8>>> {
        let card = PolicyCard {
            cairn_policy_card: 1,
            federation: name("demo"),
            partner: self.identity.partner().clone(),
            at: NOW,
            policy: None,
        };
        let forged = matches!(self.script.first(), Some(Word::Forge));
        let signed = if forged { card.sign(&key()) } else { card.sign(self.identity.signing_key()) };
        watch::channel(Some(signed.to_bytes())).1
    }
}

/// Folders, register, clock and running nodes of one federation.
struct World {
    dir: TempDir,
    authority: Authority,
    now: Arc<AtomicU64>,
    nodes: BTreeMap<String, (oneshot::Sender<()>, Arc<AtomicUsize>)>,
}

impl World {
    fn new(partners: &[&str]) -> Self {
        let dir = TempDir::new().unwrap();
        let path = |party: &str| dir.path().join(party);
        let mut authority = Authority::create(&path("authority"), name("demo"), NOW).unwrap();
        authority.make_coordinator(&name("hub"), &["127.0.0.1".to_owned()], &path("hub"), NOW).unwrap();
        for analyst in ["ann", "bob"] {
            authority.enrol_analyst(&name(analyst), &path(analyst), NOW).unwrap();
        }
        let now = Arc::new(AtomicU64::new(NOW.unix_s()));
        let mut world = Self { dir, authority, now, nodes: BTreeMap::new() };
        partners.iter().for_each(|p| world.enrol(p));
        world
    }

    fn enrol(&mut self, id: &str) {
        let out = self.path(id);
        self.authority.enrol_node(&partner(id), "A council", "council", &out, NOW).unwrap();
    }

    fn path(&self, party: &str) -> PathBuf {
        self.dir.path().join(party)
    }

    fn clock(&self) -> Clock {
        let now = Arc::clone(&self.now);
        Clock::new(move || Moment::from_unix_s(now.load(Ordering::SeqCst)))
    }

    fn turn(&self, seconds: u64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    fn config(&self, listen: SocketAddr) -> Config {
        let register = self.authority.register_file();
        let text = format!(
            "identity_dir = 'hub'\nregister_path = '{}'\nstore_path = 'rounds.sqlite'\nlisten = '{listen}'\n\
             open_rounds_per_analyst_max = 2",
            register.display()
        );
        Config::parse(&text, self.dir.path()).unwrap()
    }

    fn identity(&self) -> CoordinatorIdentity {
        CoordinatorIdentity::load(&self.path("hub"), NOW).unwrap()
    }

    async fn start(&self) -> Coordinator {
        self.start_at("127.0.0.1:0".parse().unwrap()).await
    }

    async fn start_at(&self, listen: SocketAddr) -> Coordinator {
        Coordinator::start(&self.config(listen), self.identity(), self.clock()).await.unwrap()
    }

    /// Runs a node, and waits until the coordinator has it.
    async fn node(&mut self, id: &str, coordinator: &Coordinator, script: &[Word]) {
        let identity = Arc::new(NodeIdentity::load(&self.path(id), NOW).unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let handler =
            Scripted { identity: Arc::clone(&identity), script: script.to_vec(), asked: Arc::clone(&asked) };
        let (stop, stopped) = oneshot::channel();
        let (state, _) = watch::channel(NodeState::Dialling);
        let at = coordinator.local_address().into();
        let until = async {
            let _ = stopped.await;
        };
        tokio::spawn(run_node(identity, at, Arc::new(handler), self.clock(), state, until));
        self.nodes.insert(id.to_owned(), (stop, asked));
        connected(coordinator, id).await;
    }

    fn times_asked(&self, id: &str) -> usize {
        self.nodes[id].1.load(Ordering::SeqCst)
    }

    async fn analyst(&self, who: &str, at: SocketAddr) -> AnalystClient {
        let identity = AnalystIdentity::load(&self.path(who), NOW).unwrap();
        AnalystClient::connect(&identity, &at.into(), &self.clock()).await.unwrap()
    }

    fn hub_key(&self) -> VerifyingKey {
        self.authority.register().coordinator.as_ref().unwrap().signing_key
    }

    /// `a answered, b refused:CR001 | 20`: the statement's lines and the first cell of its sum, checked under the hub's key.
    fn shown(&self, result: &RoundResult) -> String {
        let coverage = CoverageV1::open(&result.coverage, &self.hub_key()).unwrap();
        let line = |line: &cairn_question::combine::PartnerLine| {
            let standing = match &line.standing {
                Standing::Refused(rules) => format!("refused:{}", rules[0].code),
                other => format!("{other:?}").to_lowercase(),
            };
            format!("{} {standing}", line.partner)
        };
        let lines: Vec<String> = coverage.partners.iter().map(line).collect();
        let sum = match coverage.combined.map(|c| c.cells[0].cell) {
            Some(Cell::Value(v)) => v.to_string(),
            Some(_) => "marked".into(),
            None => "none".into(),
        };
        format!("{} | {sum}", lines.join(", "))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cards_are_known_where_the_partner_signed_them() {
    let mut world = World::new(&["a", "b"]);
    let coordinator = world.start().await;
    world.node("b", &coordinator, &[Word::Forge]).await;
    world.node("a", &coordinator, &[Word::Answer]).await;
    let known = || coordinator.status().policies.iter().map(|c| c.partner.clone()).collect::<Vec<_>>();
    while known().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(known(), [partner("a")]);
    // What a partner last said is still known when it has gone.
    let _ = world.nodes.remove("a").unwrap().0.send(());
    while coordinator.status().connected.contains(&partner("a")) {
        tokio::task::yield_now().await;
    }
    assert_eq!(known(), [partner("a")]);
    coordinator.stop().await;
}

async fn connected(coordinator: &Coordinator, id: &str) {
    while !coordinator.status().connected.contains(&partner(id)) {
        tokio::task::yield_now().await;
    }
}

/// A question to these partners, signed by an analyst `ann`.
fn question(number: u8, partners: &[&str]) -> Asked {
    Federation::of(partners).ask(number, NOW.plus_s(600))
}

/// Asks, and turns the clock by `seconds` when the round first stands as `when` says.
async fn ask_and_turn(
    world: &World,
    client: &AnalystClient,
    asked: &Asked,
    when: Progress,
    seconds: u64,
) -> RoundResult {
    let turned = Mutex::new(false);
    let on_progress = |progress: Progress| {
        let mut turned = turned.lock().unwrap();
        if progress == when && !*turned {
            *turned = true;
            world.turn(seconds);
        }
    };
    client.ask(asked.bytes.clone(), on_progress).await.unwrap()
}

fn progress(asked: u16, replied: u16, offline: u16) -> Progress {
    Progress { asked, replied, offline }
}

#[tokio::test]
async fn every_partner_has_its_line() {
    let mut world = World::new(&["a", "b", "c", "d", "e", "f"]);
    let coordinator = world.start().await;
    world.node("a", &coordinator, &[Word::Answer]).await;
    world.node("b", &coordinator, &[Word::Refuse]).await;
    world.node("c", &coordinator, &[Word::Silent]).await;
    world.node("d", &coordinator, &[Word::Forge]).await;
    world.node("f", &coordinator, &[Word::Junk]).await;
    let client = world.analyst("ann", coordinator.local_address()).await;
    let asked = question(1, &["a", "b", "c", "d", "e", "f"]);
    let result = ask_and_turn(&world, &client, &asked, progress(6, 4, 1), 61).await;
    let lines = "a answered, b refused:CR001, c late, d unverified, e offline, f unverified | 10";
    assert_eq!(world.shown(&result), lines);
    let replied: Vec<&str> = result.replies.iter().map(|(p, _)| p.as_str()).collect();
    assert_eq!(replied, ["a", "b"]);
    coordinator.stop().await;
}

#[tokio::test]
async fn an_absent_partner_is_waited_for_a_little_only() {
    let mut world = World::new(&["a", "b"]);
    let coordinator = world.start().await;
    world.node("a", &coordinator, &[Word::Answer]).await;
    let client = world.analyst("ann", coordinator.local_address()).await;
    let asked = question(1, &["a", "b"]);
    let result = ask_and_turn(&world, &client, &asked, progress(2, 1, 1), 3).await;
    assert_eq!(world.shown(&result), "a answered, b offline | 10");
    assert_eq!(coordinator.status().open_rounds, 0);
    coordinator.stop().await;
}

#[tokio::test]
async fn a_disk_that_takes_its_time_makes_nobody_offline() {
    let mut world = World::new(&["a", "b"]);
    let coordinator = world.start().await;
    world.node("a", &coordinator, &[Word::Answer]).await;
    world.node("b", &coordinator, &[Word::Answer]).await;
    let client = world.analyst("ann", coordinator.local_address()).await;
    let (free, freed) = std::sync::mpsc::channel::<()>();
    let (began, begun) = oneshot::channel();
    let hub = Arc::clone(&coordinator.hub);
    tokio::spawn(async move {
        let slow = move |_: &mut Store| {
            began.send(()).unwrap();
            freed.recv().unwrap();
            Ok(())
        };
        hub.with_store(slow).await
    });
    begun.await.unwrap();
    let asked = question(1, &["a", "b"]);
    let disk = async {
        // The question was looked at, and waits to be on disk.
        while tokio::time::timeout(Duration::ZERO, coordinator.hub.taking_on()).await.is_ok() {
            tokio::task::yield_now().await;
        }
        world.turn(10);
        free.send(()).unwrap();
    };
    let (result, ()) = tokio::join!(client.ask(asked.bytes.clone(), |_| {}), disk);
    assert_eq!(world.shown(&result.unwrap()), "a answered, b answered | 20");
    coordinator.stop().await;
}

#[tokio::test]
async fn a_partner_that_connects_while_the_round_is_open_is_asked() {
    let mut world = World::new(&["a", "b"]);
    let coordinator = world.start().await;
    world.node("a", &coordinator, &[Word::Answer]).await;
    let client = world.analyst("ann", coordinator.local_address()).await;
    let asked = question(1, &["a", "b"]);
    let (first, mut began) = tokio::sync::mpsc::unbounded_channel();
    let asks = client.ask(asked.bytes.clone(), move |_| {
        let _ = first.send(());
    });
    let comes = async {
        began.recv().await.unwrap();
        world.node("b", &coordinator, &[Word::Answer]).await;
    };
    let (result, ()) = tokio::join!(asks, comes);
    assert_eq!(world.shown(&result.unwrap()), "a answered, b answered | 20");
}

#[tokio::test]
async fn a_number_gives_the_stored_result_to_its_own_analyst_only() {
    let mut world = World::new(&["a"]);
    let coordinator = world.start().await;
    world.node("a", &coordinator, &[Word::Answer, Word::Refuse]).await;
    let at = coordinator.local_address();
    let (ann, bob) = (world.analyst("ann", at).await, world.analyst("bob", at).await);
    let asked = question(1, &["a"]);
    let first = ann.ask(asked.bytes.clone(), |_| {}).await.unwrap();
    assert_eq!(world.shown(&first), "a answered | 10");
    let again = ann.ask(asked.bytes.clone(), |_| {}).await.unwrap();
    let fetched = ann.fetch(asked.ask.id, |_| {}).await.unwrap();
    assert_eq!((&again.coverage, &again.replies), (&first.coverage, &first.replies));
    assert_eq!((&fetched.coverage, &fetched.replies), (&first.coverage, &first.replies));
    assert_eq!(world.times_asked("a"), 1);

    let check = |result: Result<RoundResult, LinkError>, code: &str| {
        let declined = result.err().unwrap().to_string();
        assert!(declined.contains(code), "{declined}");
    };
    // Signed anew, so other bytes under the same number.
    check(ann.ask(question(1, &["a"]).bytes, |_| {}).await, "CO203");
    check(bob.fetch(asked.ask.id, |_| {}).await, "CO204");
    check(bob.ask(asked.bytes, |_| {}).await, "CO101");
    check(ann.fetch(QuestionId::from_bytes([9; 32]), |_| {}).await, "CO204");
    check(ann.ask(question(2, &["a", "zed"]).bytes, |_| {}).await, "CO102");
    check(ann.ask(b"who".to_vec(), |_| {}).await, "CQ001");
    assert_eq!(ann.register().await.unwrap(), std::fs::read(world.authority.register_file()).unwrap());
    coordinator.stop().await;
}

#[tokio::test]
async fn one_analyst_has_so_many_rounds_open() {
    let mut world = World::new(&["a"]);
    let coordinator = world.start().await;
    world.node("a", &coordinator, &[Word::Silent]).await;
    let client = world.analyst("ann", coordinator.local_address()).await;
    let (first, second) = (question(1, &["a"]), question(2, &["a"]));
    let open = async {
        tokio::join!(client.ask(first.bytes.clone(), |_| {}), client.ask(second.bytes.clone(), |_| {}))
    };
    let third = async {
        while coordinator.status().open_rounds < 2 {
            tokio::task::yield_now().await;
        }
        let declined = client.ask(question(3, &["a"]).bytes, |_| {}).await.err().unwrap().to_string();
        assert!(declined.contains("CO201"), "{declined}");
        world.turn(61);
    };
    let ((first, second), ()) = tokio::join!(open, third);
    assert_eq!(world.shown(&first.unwrap()), "a late | none");
    assert_eq!(world.shown(&second.unwrap()), "a late | none");
}

/// Starts a coordinator on a runtime of its own, which can be ended like a process: nothing is told, nothing is flushed.
async fn start_to_kill(world: &World, listen: SocketAddr) -> (tokio::runtime::Runtime, Coordinator) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (config, identity, clock) = (world.config(listen), world.identity(), world.clock());
    let started = runtime.spawn(async move { Coordinator::start(&config, identity, clock).await });
    (runtime, started.await.unwrap().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_loses_no_accepted_question() {
    let mut world = World::new(&["a", "b", "c"]);
    let (runtime, coordinator) = start_to_kill(&world, "127.0.0.1:0".parse().unwrap()).await;
    let at = coordinator.local_address();
    world.node("a", &coordinator, &[Word::Answer, Word::Refuse]).await;
    world.node("b", &coordinator, &[Word::Silent, Word::Answer]).await;
    let client = world.analyst("ann", at).await;
    let asked = question(1, &["a", "b", "c"]);
    let (seen, mut standing) = tokio::sync::mpsc::unbounded_channel();
    let asks = client.ask(asked.bytes.clone(), move |progress| {
        let _ = seen.send(progress);
    });
    let crash = async {
        while standing.recv().await.unwrap().replied < 1 {}
        drop(coordinator);
        runtime.shutdown_background();
    };
    // A dead process says nothing, so the analyst does not wait to find out.
    tokio::select! {
        _ = asks => panic!("a result from nowhere"),
        () = crash => {}
    }
    drop(client);

    // The store's lock and the socket are free once the last task of the dead runtime is gone.
    let coordinator = loop {
        match Coordinator::start(&world.config(at), world.identity(), world.clock()).await {
            Ok(coordinator) => break coordinator,
            Err(StartFault::Store(_) | StartFault::Link(_)) => tokio::task::yield_now().await,
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!(coordinator.status().open_rounds, 1, "the round is taken up again");
    connected(&coordinator, "b").await;
    let client = world.analyst("ann", at).await;
    // Nothing but the deadline ends the wait for `c`, since after a restart nobody has dialled in yet.
    let turned = Mutex::new(false);
    let fetched = client.fetch(asked.ask.id, |progress| {
        let mut turned = turned.lock().unwrap();
        if progress.replied == 2 && !*turned {
            *turned = true;
            world.turn(61);
        }
    });
    let result = fetched.await.unwrap();
    assert_eq!(world.shown(&result), "a answered, b answered, c offline | 20");
    assert_eq!(world.times_asked("a"), 1, "its reply was on disk");
    assert_eq!(world.times_asked("b"), 2);
    coordinator.stop().await;
}

#[tokio::test]
async fn a_round_whose_deadline_passed_while_the_coordinator_was_away_is_closed() {
    let mut world = World::new(&["a", "b"]);
    let coordinator = world.start().await;
    world.node("a", &coordinator, &[Word::Answer]).await;
    world.node("b", &coordinator, &[Word::Silent]).await;
    let client = world.analyst("ann", coordinator.local_address()).await;
    let asked = question(1, &["a", "b"]);
    let (seen, mut standing) = tokio::sync::mpsc::unbounded_channel();
    let asks = client.ask(asked.bytes.clone(), move |progress| {
        let _ = seen.send(progress);
    });
    let stop = async {
        while standing.recv().await.unwrap().replied < 1 {}
        coordinator.stop().await;
    };
    let (stopped, ()) = tokio::join!(asks, stop);
    assert!(stopped.is_err());
    world.turn(120);
    let coordinator = world.start().await;
    let client = world.analyst("ann", coordinator.local_address()).await;
    let result = client.fetch(asked.ask.id, |_| {}).await.unwrap();
    assert_eq!(world.shown(&result), "a answered, b offline | 10");
}

#[tokio::test]
async fn a_malformed_deny_list_is_told_once_for_each_change_and_changes_nothing() {
    let world = World::new(&["a"]);
    let coordinator = world.start().await;
    let file = coordinator.hub.config.identity_dir.join(cairn_link::identity::DENIED_FILE);
    let good = std::fs::read(&file).unwrap();
    let told = || match coordinator.hub.denied() {
        Ok(_) => "read",
        Err(Some(says)) if says.contains("denied.toml") => "told",
        Err(Some(_)) => "told of something else",
        Err(None) => "told before",
    };
    let write = |bytes: &[u8]| std::fs::write(&file, bytes).unwrap();
    write(b"format = 1\nnames = [");
    // The coordinator looks by itself too, and may have been first.
    assert_ne!(told(), "read");
    assert_eq!(told(), "told before");
    assert!(coordinator.hub.reload().await.is_none());
    write(&good);
    assert_eq!(told(), "read");
    coordinator.stop().await;
}

#[tokio::test]
async fn a_new_register_is_taken_over_and_a_bad_one_is_not() {
    let mut world = World::new(&["a"]);
    let file = world.authority.register_file();
    let before = std::fs::read(&file).unwrap();
    let coordinator = world.start().await;
    let first = coordinator.status().register_version;
    world.enrol("b");
    coordinator.hub.reload().await;
    let second = coordinator.status();
    assert_eq!((second.register_version, second.away.len()), (first + 1, 2));
    for bad in [before.as_slice(), b"{}"] {
        std::fs::write(&file, bad).unwrap();
        coordinator.hub.reload().await;
        assert_eq!(coordinator.status(), second);
    }
    coordinator.stop().await;
    // An older register is not served after a restart either.
    std::fs::write(&file, &before).unwrap();
    let config = world.config("127.0.0.1:0".parse().unwrap());
    let fault = Coordinator::start(&config, world.identity(), world.clock()).await.err().unwrap();
    assert_eq!(fault.code(), "CO404");
    let other = World::new(&["a"]);
    std::fs::copy(other.authority.register_file(), &file).unwrap();
    let fault = Coordinator::start(&config, world.identity(), world.clock()).await.err().unwrap();
    assert_eq!(fault.code(), "CO402");
}
