//! The linkage secret's way through the coordinator.

use cairn_link::frame::Handed;
use cairn_question::PartnerId;
use tokio::sync::mpsc;

use super::*;

/// A node that asks with one document after the other, hears what comes, and as the keeper answers `sealed …` to each.
struct Party {
    asking: watch::Receiver<Option<Vec<u8>>>,
    heard: mpsc::UnboundedSender<String>,
    answers: Option<&'static str>,
}

impl Handler for Party {
    async fn answer(&self, _ask: Vec<u8>, _deadline: Moment, _flights: Flights) -> Vec<u8> {
        Vec::new()
    }

    async fn linkage(&self, handed: Handed) -> Option<Handed> {
        let document = String::from_utf8(handed.document).unwrap();
        let _ = self.heard.send(format!("{} {document}", handed.asker));
        let answer = self.answers?;
        Some(Handed { asker: handed.asker, document: format!("{answer} {document}").into_bytes() })
    }

    fn linkage_asking(&self) -> watch::Receiver<Option<Vec<u8>>> {
        self.asking.clone()
    }
}

/// A running node, as a test holds it.
struct Held {
    asks: watch::Sender<Option<Vec<u8>>>,
    heard: mpsc::UnboundedReceiver<String>,
    stop: oneshot::Sender<()>,
}

impl Held {
    fn asks(&self, with: &str) {
        self.asks.send_replace(Some(with.as_bytes().to_vec()));
    }

    async fn hears(&mut self) -> String {
        self.heard.recv().await.unwrap()
    }
}

async fn run(world: &World, id: &str, coordinator: &Coordinator, answers: Option<&'static str>) -> Held {
    let identity = Arc::new(NodeIdentity::load(&world.path(id), NOW).unwrap());
    let (asks, asking) = watch::channel(None);
    let (heard_to, heard) = mpsc::unbounded_channel();
    let (stop, stopped) = oneshot::channel();
    let (state, _) = watch::channel(NodeState::Dialling);
    let at = coordinator.local_address().into();
    let until = async {
        let _ = stopped.await;
    };
    let handler = Arc::new(Party { asking, heard: heard_to, answers });
    tokio::spawn(run_node(identity, at, handler, world.clock(), state, until));
    connected(coordinator, id).await;
    Held { asks, heard, stop }
}

fn world(keeper: &str) -> World {
    let mut world = World::new(&["angus", "fife", "moray"]);
    world.authority.set_linkage_keeper(&PartnerId::new(keeper).unwrap(), NOW).unwrap();
    world
}

#[tokio::test]
async fn what_is_asked_waits_for_the_keeper_and_what_it_seals_goes_to_whoever_asked() {
    let world = world("fife");
    let coordinator = world.start().await;
    let mut angus = run(&world, "angus", &coordinator, None).await;
    let mut moray = run(&world, "moray", &coordinator, None).await;
    angus.asks("first");
    moray.asks("from moray");
    angus.asks("second");
    // Until the coordinator has what was said last: a frame of one connection comes after those before it.
    while coordinator.hub.askings().iter().filter(|h| h.document != b"first").count() < 2 {
        tokio::task::yield_now().await;
    }
    let mut fife = run(&world, "fife", &coordinator, Some("sealed")).await;
    assert_eq!([fife.hears().await, fife.hears().await], ["angus second", "moray from moray"]);
    assert_eq!(angus.hears().await, "angus sealed second");
    assert_eq!(moray.hears().await, "moray sealed from moray");
    assert!(coordinator.hub.askings().is_empty(), "what is answered is forgotten");
    // While the keeper is there.
    angus.asks("third");
    assert_eq!(fife.hears().await, "angus third");
    assert_eq!(angus.hears().await, "angus sealed third");
    assert!(moray.heard.try_recv().is_err() && angus.heard.try_recv().is_err());
    for node in [angus, moray, fife] {
        let _ = node.stop.send(());
    }
    coordinator.stop().await;
    // Nothing of it is on the coordinator's disk.
    for file in std::fs::read_dir(world.dir.path()).unwrap().map(|f| f.unwrap().path()) {
        if file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("rounds.sqlite")) {
            let bytes = std::fs::read(&file).unwrap();
            for said in [&b"sealed"[..], b"second", b"from moray"] {
                assert!(!bytes.windows(said.len()).any(|w| w == said), "{}", file.display());
            }
        }
    }
}

#[tokio::test]
async fn nothing_is_passed_on_from_who_is_not_the_keeper_or_to_who_has_no_seat() {
    let mut world = world("fife");
    world.authority.seat(&PartnerId::new("moray").unwrap(), None, NOW).unwrap();
    let coordinator = world.start().await;
    let mut angus = run(&world, "angus", &coordinator, None).await;
    let mut moray = run(&world, "moray", &coordinator, None).await;
    let mut fife = run(&world, "fife", &coordinator, Some("sealed")).await;
    let hub = &coordinator.hub;
    let id = |name: &str| PartnerId::new(name).unwrap();
    let handed = |asker: &str| Handed { asker: id(asker), document: b"forged".to_vec() };
    hub.pass_on(&id("moray"), handed("angus"));
    hub.pass_on(&id("moray"), handed("moray"));
    hub.pass_on(&id("fife"), handed("moray"));
    hub.pass_on(&id("fife"), handed("nobody"));
    hub.pass_on(&id("fife"), handed("fife"));
    assert!(hub.askings().is_empty());
    // Whatever was passed on would come before this.
    angus.asks("honestly");
    assert_eq!(fife.hears().await, "angus honestly");
    assert_eq!(angus.hears().await, "angus sealed honestly");
    assert!(moray.heard.try_recv().is_err());
}

#[tokio::test]
async fn a_new_register_forgets_what_was_asked_under_the_one_before() {
    let mut world = world("fife");
    let coordinator = world.start().await;
    let angus = run(&world, "angus", &coordinator, None).await;
    angus.asks("of the old roster");
    while coordinator.hub.askings().is_empty() {
        tokio::task::yield_now().await;
    }
    world.authority.set_linkage_keeper(&PartnerId::new("moray").unwrap(), NOW).unwrap();
    coordinator.hub.reload().await;
    assert!(coordinator.hub.askings().is_empty());
    let mut moray = run(&world, "moray", &coordinator, Some("sealed")).await;
    angus.asks("of the new one");
    assert_eq!(moray.hears().await, "angus of the new one");
}
