//! The linkage secret's hand-over: who may send it, when, and how much of it.

use super::*;
use crate::frame::Handed;
use crate::session::LINKAGE_PER_MINUTE_MAX;

fn handed(asker: &str) -> Handed {
    Handed { asker: PartnerId::new(asker).unwrap(), document: b"sealed".to_vec() }
}

#[test]
fn a_node_of_version_six_sends_and_hears_hand_overs_and_an_older_one_does_not() {
    let welcomed = |version: u16| {
        let mut node = NodeSession::dial(now(0));
        node.linkage(handed("too-early"));
        let welcome = Frame::Welcome(Welcome { version, at: Moment::from_unix_s(NOON) });
        node.hear(control(welcome), now(1));
        node.hear(control(Frame::Checkpoint(Vec::new())), now(1));
        node
    };
    let told = |node: &mut NodeSession| {
        let said = std::iter::from_fn(|| node.poll()).filter_map(|output| match output {
            Output::Event(NodeEvent::Linkage(handed)) => Some(format!("heard {handed:?}")),
            Output::Send(Stream::CONTROL, Frame::Linkage(handed), After::More) => {
                Some(format!("said {handed:?}"))
            }
            Output::End(close) => Some(format!("{close:?}")),
            _ => None,
        });
        said.collect::<Vec<_>>()
    };
    let mut node = welcomed(6);
    node.linkage(handed("fife"));
    node.linkage(Handed { document: vec![0; 2_049], ..handed("fife") });
    node.hear(control(Frame::Linkage(handed("angus"))), now(2));
    assert_eq!(told(&mut node), ["said Handed(fife)", "heard Handed(angus)"]);
    for _ in 1..LINKAGE_PER_MINUTE_MAX {
        node.hear(control(Frame::Linkage(handed("angus"))), now(3));
    }
    assert!(told(&mut node).iter().all(|said| said == "heard Handed(angus)"));
    node.hear(control(Frame::Linkage(handed("angus"))), now(59_000));
    assert_eq!(told(&mut node), ["TooMany"]);

    let mut older = welcomed(5);
    older.linkage(handed("fife"));
    assert_eq!(told(&mut older), Vec::<String>::new());
    older.hear(control(Frame::Linkage(handed("angus"))), now(2));
    assert_eq!(told(&mut older), ["Unexpected"]);
}

#[test]
fn a_coordinator_gives_hand_overs_to_nodes_of_version_six_and_no_more_than_they_bear() {
    let told = |session: &mut CoordinatorSession| {
        let said = std::iter::from_fn(|| session.poll()).filter_map(|output| match output {
            Output::Send(_, Frame::Linkage(handed), _) => Some(format!("said {handed:?}")),
            Output::Event(CoordinatorEvent::Linkage(handed)) => Some(format!("heard {handed:?}")),
            Output::End(close) => Some(format!("{close:?}")),
            _ => None,
        });
        said.collect::<Vec<_>>()
    };
    let mut session = with_node(&[5, 6]);
    session.linkage(handed("before-it-was-told"), now(0));
    session.held(None);
    session.linkage(handed("angus"), now(0));
    session.hear(control(Frame::Linkage(handed("fife"))), now(1));
    assert_eq!(told(&mut session), ["said Handed(angus)", "heard Handed(fife)"]);
    for _ in 0..2 * LINKAGE_PER_MINUTE_MAX {
        session.linkage(handed("angus"), now(2));
    }
    assert_eq!(told(&mut session).len() + 1, LINKAGE_PER_MINUTE_MAX as usize, "the rest is asked for again");
    session.linkage(handed("angus"), now(61_000));
    assert_eq!(told(&mut session), ["said Handed(angus)"]);
    for _ in 1..2 * LINKAGE_PER_MINUTE_MAX {
        session.hear(control(Frame::Linkage(handed("fife"))), now(3));
    }
    assert!(told(&mut session).iter().all(|said| said == "heard Handed(fife)"));
    session.hear(control(Frame::Linkage(handed("fife"))), now(4));
    assert_eq!(told(&mut session), ["TooMany"]);

    let mut older = with_node(&[4, 5]);
    older.held(None);
    older.linkage(handed("angus"), now(0));
    older.hear(control(Frame::Linkage(handed("angus"))), now(1));
    assert_eq!(told(&mut older), ["Unexpected"]);
    let mut early = with_node(&[6]);
    early.hear(control(Frame::Linkage(handed("angus"))), now(1));
    assert_eq!(told(&mut early), ["Unexpected"], "before it was told of its own ledger");
}
