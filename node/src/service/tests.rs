//! A whole node: started from its configuration, dialling a coordinator over loopback, stopped in order.

use cairn_ledger::Recall;
use cairn_link::{CoordinatorIdentity, Event, Listener, NodeHandle};
use cairn_question::Hash;

use super::*;
use crate::fixture::{Folders, NOW};

fn clock() -> Clock {
    Clock::new(|| NOW)
}

fn config(folders: &Folders, coordinator: std::net::SocketAddr) -> Config {
    let text = format!(
        "identity_dir = 'identity'\ncoordinator = '{coordinator}'\ndata_dir = 'data'\n\
         ledger_path = 'ledger.sqlite'\npolicy_dir = 'policy'\nmemory_mb = 64\n\
         board = '{}'\n",
        folders.board.hash()
    );
    Config::parse(&text, &folders.path("")).unwrap()
}

fn listen(folders: &Folders) -> Listener {
    let identity = CoordinatorIdentity::load(&folders.path("hub"), NOW).unwrap();
    Listener::bind(&identity, "127.0.0.1:0".parse().unwrap(), &clock()).unwrap()
}

async fn start(folders: &Folders, listener: &Listener) -> Result<Node, StartFault> {
    let config = config(folders, listener.local_address());
    let identity = NodeIdentity::load(&config.identity_dir, NOW).unwrap();
    Node::start(config, identity, clock(), || Some([7; 32])).await
}

async fn node_up(listener: &mut Listener) -> NodeHandle {
    match listener.next().await.unwrap() {
        Event::NodeUp { node, .. } => {
            node.held(None);
            node
        }
        _ => panic!("expected the node"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_dials_answers_tells_how_it_stands_and_stops() {
    let folders = Folders::new();
    folders.write_policy(|text| text);
    folders.load(450, "2026-03-31");
    let mut listener = listen(&folders);
    let node = start(&folders, &listener).await.unwrap();
    let handle = node_up(&mut listener).await;
    let asked = folders.ask(1, "people by sex");
    let reply = handle.ask(asked.bytes.clone(), NOW.plus_s(60)).await.unwrap();
    assert_eq!(folders.shown(&asked, &reply), "[300,150,0]");

    let mut link = node.link();
    link.wait_for(|state| matches!(state, NodeState::Connected)).await.unwrap();
    let status = node.status();
    assert_eq!(status.coordinator, CoordinatorLink::Connected);
    assert_eq!(status.policy.as_ref().unwrap().statement.version, 7);
    assert_eq!(status.snapshot.unwrap().edition, 1);
    assert_eq!((status.brake, status.questions_at_work), (BrakeState::Absent, 0));
    assert_eq!(status.account.unwrap().year.nano(), 0);

    // Its ledger is its own while it runs.
    assert!(matches!(start(&folders, &listener).await, Err(StartFault::Ledger(_))));
    // A brake is in force within a second, without anybody asking for it.
    folders.write_brake("cairn_brake = 1\npause_all = true\n");
    let mut number = 2;
    loop {
        let asked = folders.ask(number, "people by age");
        let reply = handle.ask(asked.bytes.clone(), NOW.plus_s(60)).await.unwrap();
        if folders.shown(&asked, &reply) == "brake.pause_all CR003" {
            break;
        }
        number += 1;
    }
    node.stop().await;
    let written = Status::read(&folders.path("ledger.sqlite")).unwrap();
    assert_eq!((written.coordinator.clone(), written.brake), (CoordinatorLink::Stopped, BrakeState::Present));
    assert!(written.is_stale(NOW));
    let ledger = Ledger::open(&folders.path("ledger.sqlite")).unwrap();
    let hash = Hash::of(&serde_json::to_vec(&asked.ask).unwrap());
    assert!(
        matches!(ledger.recall(asked.ask.id, hash), Ok(Recall::Reply(kept)) if kept == reply.trim_ascii_end())
    );
    let kinds: Vec<EntryKind> = ledger.entries(0, 100).unwrap().iter().map(|e| e.kind).collect();
    use EntryKind::{Load, Policy, QuestionAnswered, Start};
    assert_eq!(kinds[..5], [Start, Policy, Policy, Load, QuestionAnswered], "a board, a policy");
    assert_eq!(kinds.last(), Some(&EntryKind::Stop));
}

#[tokio::test]
async fn a_node_does_not_start_on_a_ledger_whose_secret_is_gone() {
    let folders = Folders::new();
    let listener = listen(&folders);
    start(&folders, &listener).await.unwrap().stop().await;
    std::fs::remove_file(folders.path("cap.key")).unwrap();
    let fault = start(&folders, &listener).await.err().unwrap();
    assert_eq!(fault.code(), "CN506");
}

#[test]
fn a_node_that_starts_again_takes_no_older_policy() {
    let folders = Folders::new();
    let config = config(&folders, ([127, 0, 0, 1], 9).into());
    let identity = NodeIdentity::load(&config.identity_dir, NOW).unwrap();
    // The version in force after a start, and the code of the last entry on a policy.
    let start = |version: u32, replaces: Hash| {
        folders.write_version(version, replaces, |text| text);
        let (desk, _) = open(&config, &identity, &clock(), || Some([7; 32])).unwrap();
        let in_force = desk.in_force().layers.map(|layers| layers.statement().version);
        let entries = desk.with_ledger(|ledger| ledger.entries(0, 100)).unwrap();
        (in_force, entries.into_iter().rfind(|e| e.kind == EntryKind::Policy).unwrap().code)
    };
    let turned_away = |stays: u32, code: &str| (Some(stays), Some(code.to_owned()));
    assert_eq!(start(8, Hash::of(b"the first may say anything")), (Some(8), None));
    let eight = folders.policy_hash();
    assert_eq!(start(7, eight), turned_away(8, "CN518"));
    assert_eq!(start(7, eight), turned_away(8, "CN518"), "what was turned away was not in force");
    assert_eq!(start(9, Hash::of(b"another")), turned_away(8, "CN519"));
    assert_eq!(start(9, eight), (Some(9), None));
    assert_eq!(start(8, eight), turned_away(9, "CN518"));
}
