//! Flights between a question and its reply, rule by rule: what one end does with what it hears, written out as text.

use super::super::{FLIGHT_BYTES_SUM_MAX, FLIGHTS_MAX};
use super::{NOON, ends_with, now};
use crate::close::Close;
use crate::error::AskFailure;
use crate::frame::{CHECKPOINTS_FROM, Frame, Hello, Kind, VERSIONS, Welcome};
use crate::identity::Role;
use crate::session::{
    After, CoordinatorEvent, CoordinatorSession, Heard, NodeEvent, NodeSession, Output, Patience, Session,
    Stream,
};
use cairn_question::Moment;
use std::time::Duration;

/// The one stream of these tests, as the node numbers it.
const THEIRS: Stream = Stream::theirs(0);

/// The same, as the coordinator does.
const OURS: Stream = Stream::ours(0);

const NEWEST: u16 = VERSIONS[VERSIONS.len() - 1];

fn node_of(version: u16) -> NodeSession {
    let mut node = NodeSession::dial(now(0));
    let welcome = Frame::Welcome(Welcome { version, at: Moment::from_unix_s(NOON) });
    node.hear(Heard::Frame(Stream::CONTROL, welcome), now(1));
    if version >= CHECKPOINTS_FROM {
        node.hear(Heard::Frame(Stream::CONTROL, Frame::Checkpoint(Vec::new())), now(1));
    }
    node.hear(Heard::Opened(THEIRS), now(1));
    told_by_node(&mut node);
    node
}

fn coordinator_of(version: u16) -> CoordinatorSession {
    let mut session = CoordinatorSession::accept(Role::Node, Patience::default(), now(0));
    let hello = Hello { role: Role::Node, speaks: vec![version], program: String::new() };
    session.hear(Heard::Frame(Stream::CONTROL, Frame::Hello(hello)), now(0));
    session.held(None);
    told_by_coordinator(&mut session);
    session
}

fn text(body: &[u8]) -> String {
    if body.len() < 40 { body.escape_ascii().to_string() } else { format!("{} bytes", body.len()) }
}

fn said(stream: Stream, frame: &Frame, after: After) -> String {
    let body = match frame {
        Frame::Flight(body) | Frame::Reply(body) | Frame::Question { ask: body, .. } => text(body),
        _ => String::new(),
    };
    let end = if after == After::Finish { ", end" } else { "" };
    assert!([THEIRS, OURS].contains(&stream));
    format!("{} {body}{end}", frame.kind())
}

fn told_by_node(node: &mut NodeSession) -> Vec<String> {
    let told = std::iter::from_fn(|| node.poll()).filter_map(|output| {
        Some(match output {
            Output::Send(stream, frame, after) if stream != Stream::CONTROL => said(stream, &frame, after),
            Output::Abort(_, close) => format!("broken off: {}", close.code()),
            Output::End(close) => format!("end: {}", close.code()),
            Output::Event(NodeEvent::Question { ask, .. }) => format!("asked {}", text(&ask)),
            Output::Event(NodeEvent::Flight { body, .. }) => format!("flight {}", text(&body.0)),
            Output::Event(NodeEvent::FlightsEnded(_)) => "no more flights".to_owned(),
            Output::Event(NodeEvent::Dropped(_)) => "dropped".to_owned(),
            _ => return None,
        })
    });
    told.collect()
}

fn told_by_coordinator(session: &mut CoordinatorSession) -> Vec<String> {
    let told = std::iter::from_fn(|| session.poll()).filter_map(|output| {
        Some(match output {
            Output::Open(stream, frame, after) => said(stream, &frame, after),
            Output::Send(stream, frame, after) if stream != Stream::CONTROL => said(stream, &frame, after),
            Output::Abort(_, close) => format!("broken off: {}", close.code()),
            Output::Done(_) => "done".to_owned(),
            Output::End(close) => format!("end: {}", close.code()),
            Output::Event(CoordinatorEvent::Flight { body, .. }) => format!("flight {}", text(&body.0)),
            Output::Event(CoordinatorEvent::Replied { reply: Ok(reply), .. }) => {
                format!("reply {}", text(&reply))
            }
            Output::Event(CoordinatorEvent::Replied { reply: Err(why), .. }) => format!("failed: {why}"),
            _ => return None,
        })
    });
    told.collect()
}

fn frame(words: &str) -> Heard {
    let (kind, body) = words.split_once(' ').unwrap_or((words, ""));
    let body = body.as_bytes().to_vec();
    match kind {
        "QUESTION" => Heard::Frame(THEIRS, Frame::Question { within_ms: 1_000, ask: body }),
        "FLIGHT" => Heard::Frame(THEIRS, Frame::Flight(body)),
        "REPLY" => Heard::Frame(THEIRS, Frame::Reply(body)),
        "end" => Heard::Ended(THEIRS, None),
        "reset" => Heard::Ended(THEIRS, Some(Close::GivenUp)),
        other => panic!("{other}"),
    }
}

fn from_node(words: &str) -> Heard {
    match frame(words) {
        Heard::Frame(_, frame) => Heard::Frame(OURS, frame),
        Heard::Ended(_, why) => Heard::Ended(OURS, why),
        other => other,
    }
}

#[test]
fn what_a_node_hears_of_flights() {
    let check = |version: u16, heard: &[&str], expect: &[&str]| {
        let mut node = node_of(version);
        heard.iter().for_each(|words| node.hear(frame(words), now(2)));
        assert_eq!(told_by_node(&mut node), expect, "{version} {heard:?}");
    };
    let check_newest = |heard: &[&str], expect: &[&str]| check(NEWEST, heard, expect);
    check_newest(
        &["QUESTION ask", "FLIGHT one", "FLIGHT", "FLIGHT two"],
        &["asked ask", "flight one", "flight ", "flight two"],
    );
    // An ordinary question, of any version.
    check_newest(&["QUESTION ask", "end"], &["asked ask", "no more flights"]);
    check(4, &["QUESTION ask", "end"], &["asked ask", "no more flights"]);
    check(1, &["QUESTION ask", "end"], &["asked ask", "no more flights"]);
    // Where a flight does not belong: before the question, after the end of the side, under an older version.
    check_newest(&["FLIGHT early"], &["broken off: CI303"]);
    check_newest(
        &["QUESTION ask", "FLIGHT one", "end", "FLIGHT late"],
        &["asked ask", "flight one", "no more flights", "broken off: CI303", "dropped"],
    );
    check(4, &["QUESTION ask", "FLIGHT new"], &["asked ask", "broken off: CI303", "dropped"]);
    // A second question is none of the flights, and nor is a reply.
    check_newest(&["QUESTION ask", "QUESTION ask"], &["asked ask", "broken off: CI303", "dropped"]);
    check_newest(&["QUESTION ask", "REPLY re"], &["asked ask", "broken off: CI303", "dropped"]);
    check_newest(&["QUESTION ask", "reset", "FLIGHT late"], &["asked ask", "broken off: CI314", "dropped"]);
}

#[test]
fn what_a_coordinator_hears_of_flights() {
    let check = |with: bool, heard: &[&str], expect: &[&str]| {
        let mut session = coordinator_of(NEWEST);
        let (ask, within) = (b"ask".to_vec(), Duration::from_secs(1));
        let stream = match with {
            true => session.ask_with_flights(ask, within, now(1)),
            false => session.ask(ask, within, now(1)),
        };
        assert_eq!(stream, Ok(OURS));
        heard.iter().for_each(|words| session.hear(from_node(words), now(2)));
        assert_eq!(told_by_coordinator(&mut session), expect, "{heard:?}");
        assert_eq!(ends_with(&mut session), None, "one stream never ends the connection");
    };
    let with = |heard: &[&str], expect: &[&str]| check(true, heard, expect);
    with(
        &["FLIGHT one", "FLIGHT two", "REPLY re", "end"],
        &["QUESTION ask", "flight one", "flight two", "done", "reply re"],
    );
    with(&["REPLY re", "end"], &["QUESTION ask", "done", "reply re"]);
    with(&["FLIGHT one", "REPLY re", "FLIGHT late"], &["QUESTION ask", "flight one", "done", "reply re"]);
    let unanswered = "failed: the node gave no reply: the other end stopped before it had answered";
    with(&["FLIGHT one", "end"], &["QUESTION ask", "flight one", "broken off: CI311", unanswered]);
    // On an ordinary question's stream nothing has changed, and a flight does not belong there.
    check(false, &["REPLY re", "end"], &["QUESTION ask, end", "done", "reply re"]);
    let unexpected = "failed: the node gave no reply: a frame of a kind that does not belong there";
    let expect = ["QUESTION ask, end", "broken off: CI303", unexpected];
    check(false, &["FLIGHT one", "REPLY re"], &expect);
}

#[test]
fn an_older_node_is_not_asked_with_flights() {
    for version in VERSIONS {
        let mut session = coordinator_of(version);
        let asked = session.ask_with_flights(b"ask".to_vec(), Duration::from_secs(1), now(1));
        let expect = if version < 5 { Err(AskFailure::TooOld) } else { Ok(OURS) };
        assert_eq!(asked, expect, "version {version}");
        assert_eq!(session.open(), usize::from(version >= 5));
        // Without flights every version is asked as before.
        assert!(session.ask(b"ask".to_vec(), Duration::from_secs(1), now(1)).is_ok());
    }
    // An analyst's end, and one before its HELLO, asks nobody.
    let mut early = CoordinatorSession::accept(Role::Node, Patience::default(), now(0));
    let asked = early.ask_with_flights(Vec::new(), Duration::from_secs(1), now(1));
    assert_eq!(asked, Err(AskFailure::Offline));
}

#[test]
fn each_end_sends_flights_only_while_its_question_is_open() {
    let mut node = node_of(NEWEST);
    node.flight(THEIRS, b"before the question".to_vec());
    node.hear(frame("QUESTION ask"), now(2));
    node.flight(THEIRS, b"one".to_vec());
    node.flight(Stream::theirs(7), b"of no question".to_vec());
    node.reply(THEIRS, b"re".to_vec());
    node.flight(THEIRS, b"late".to_vec());
    assert_eq!(told_by_node(&mut node), ["asked ask", "FLIGHT one", "REPLY re, end"]);

    let mut ordinary = node_of(NEWEST);
    ordinary.hear(frame("QUESTION ask"), now(2));
    ordinary.hear(frame("end"), now(2));
    ordinary.flight(THEIRS, b"nobody takes it".to_vec());
    ordinary.reply(THEIRS, b"re".to_vec());
    assert_eq!(told_by_node(&mut ordinary), ["asked ask", "no more flights", "REPLY re, end"]);
    let mut older = node_of(4);
    older.hear(frame("QUESTION ask"), now(2));
    older.flight(THEIRS, b"nobody takes it".to_vec());
    assert_eq!(told_by_node(&mut older), ["asked ask"]);

    let mut session = coordinator_of(NEWEST);
    let within = Duration::from_secs(1);
    session.flight(OURS, b"before the question".to_vec());
    let with = session.ask_with_flights(b"with".to_vec(), within, now(1)).unwrap();
    let without = session.ask(b"without".to_vec(), within, now(1)).unwrap();
    session.flight(with, b"one".to_vec());
    session.flight(without, b"nobody takes it".to_vec());
    session.hear(from_node("REPLY re"), now(2));
    session.flight(with, b"late".to_vec());
    let told: Vec<String> = std::iter::from_fn(|| session.poll())
        .filter_map(|output| match output {
            Output::Open(_, frame, after) | Output::Send(_, frame, after) => Some((frame, after)),
            _ => None,
        })
        .map(|(frame, after)| format!("{} {after:?}", frame.kind()))
        .collect();
    assert_eq!(told, ["QUESTION More", "QUESTION Finish", "FLIGHT More"]);
}

/// Numbers of flights and their lengths: the most that passes, and one more.
fn mosts() -> [(usize, usize); 2] {
    let longest = Kind::Flight.bytes_max();
    [(FLIGHTS_MAX, 0), (FLIGHT_BYTES_SUM_MAX / longest, longest)]
}

#[test]
fn too_many_flights_break_their_question_off_and_nothing_else() {
    let too_many = "failed: the node gave no reply: more flights on one question's stream than it may have";
    for (flights, bytes) in mosts() {
        let one_more = || vec![0; bytes.max(1)];
        let mut node = node_of(NEWEST);
        node.hear(frame("QUESTION ask"), now(2));
        for _ in 0..flights {
            node.hear(Heard::Frame(THEIRS, Frame::Flight(vec![0; bytes])), now(2));
            node.flight(THEIRS, vec![0; bytes]);
        }
        assert_eq!(told_by_node(&mut node).len(), 1 + 2 * flights, "each way has its own most");
        let mut hears = node;
        hears.hear(Heard::Frame(THEIRS, Frame::Flight(one_more())), now(2));
        assert_eq!(told_by_node(&mut hears), ["broken off: CI315", "dropped"]);
        assert_eq!((hears.open_questions(), ends_with(&mut hears)), (0, None));

        let mut says = node_of(NEWEST);
        says.hear(frame("QUESTION ask"), now(2));
        (0..flights).for_each(|_| says.flight(THEIRS, vec![0; bytes]));
        told_by_node(&mut says);
        says.flight(THEIRS, one_more());
        assert_eq!(told_by_node(&mut says), ["broken off: CI315", "dropped"]);

        for heard in [true, false] {
            let mut session = coordinator_of(NEWEST);
            let within = Duration::from_secs(1);
            session.ask_with_flights(Vec::new(), within, now(1)).unwrap();
            session.ask(b"another".to_vec(), within, now(1)).unwrap();
            let pass = |session: &mut CoordinatorSession, body: Vec<u8>| match heard {
                true => session.hear(Heard::Frame(OURS, Frame::Flight(body)), now(2)),
                false => session.flight(OURS, body),
            };
            (0..flights).for_each(|_| pass(&mut session, vec![0; bytes]));
            while session.poll().is_some() {}
            pass(&mut session, one_more());
            assert_eq!(told_by_coordinator(&mut session), ["broken off: CI315", too_many]);
            assert_eq!((session.open(), ends_with(&mut session)), (1, None));
        }
    }
}

#[test]
fn a_flight_that_is_too_long_or_that_nobody_takes_breaks_its_question_off() {
    let mut node = node_of(NEWEST);
    node.hear(frame("QUESTION ask"), now(2));
    node.flight(THEIRS, vec![0; Kind::Flight.bytes_max() + 1]);
    assert_eq!(told_by_node(&mut node), ["asked ask", "broken off: CI305", "dropped"]);
    let mut node = node_of(NEWEST);
    node.hear(frame("QUESTION ask"), now(2));
    node.flood(THEIRS);
    assert_eq!(told_by_node(&mut node), ["asked ask", "broken off: CI315", "dropped"]);

    let check = |breaks_off: fn(&mut CoordinatorSession), expect: &[&str]| {
        let mut session = coordinator_of(NEWEST);
        session.ask_with_flights(b"ask".to_vec(), Duration::from_secs(1), now(1)).unwrap();
        breaks_off(&mut session);
        breaks_off(&mut session);
        let told = told_by_coordinator(&mut session);
        assert_eq!(told.iter().map(|t| t.split(": ").last().unwrap()).collect::<Vec<_>>(), expect);
        assert_eq!(session.open(), 0);
    };
    check(
        |session| session.flight(OURS, vec![0; Kind::Flight.bytes_max() + 1]),
        &["QUESTION ask", "CI305", "a frame longer than its kind may be"],
    );
    check(
        |session| session.flood(OURS),
        &["QUESTION ask", "CI315", "more flights on one question's stream than it may have"],
    );
    check(|session| session.give_up(OURS), &["QUESTION ask", "CI314", "whoever asked waits no longer"]);
}

#[test]
fn a_question_with_flights_has_its_deadline_and_its_place_like_any_other() {
    let mut session = coordinator_of(NEWEST);
    session.ask_with_flights(b"ask".to_vec(), Duration::from_secs(1), now(1)).unwrap();
    session.hear(from_node("FLIGHT one"), now(900));
    assert_eq!(session.next_deadline(), Some(Duration::from_millis(1_001)), "a flight buys no time");
    session.tick(now(1_001));
    let late = "failed: the node had not replied by the deadline";
    assert_eq!(told_by_coordinator(&mut session), ["QUESTION ask", "flight one", "broken off: CI307", late]);
    let mut node = node_of(NEWEST);
    node.hear(frame("QUESTION ask"), now(2));
    node.hear(frame("FLIGHT one"), now(900));
    node.tick(now(1_002));
    assert_eq!(told_by_node(&mut node), ["asked ask", "flight one", "broken off: CI307", "dropped"]);
    node.lost(None);
    assert_eq!(told_by_node(&mut node), Vec::<String>::new());
}

#[test]
fn flights_that_overtake_the_welcome_are_kept_in_their_order_and_have_a_most() {
    let early = |flights: usize, bytes: usize| {
        let mut node = NodeSession::dial(now(0));
        node.hear(Heard::Opened(THEIRS), now(1));
        node.hear(frame("QUESTION ask"), now(1));
        for _ in 0..flights {
            node.hear(Heard::Frame(THEIRS, Frame::Flight(vec![b'x'; bytes])), now(1));
        }
        let welcome = Frame::Welcome(Welcome { version: NEWEST, at: Moment::from_unix_s(NOON) });
        node.hear(Heard::Frame(Stream::CONTROL, welcome), now(1));
        node.hear(Heard::Frame(Stream::CONTROL, Frame::Checkpoint(Vec::new())), now(1));
        told_by_node(&mut node)
    };
    assert_eq!(early(2, 3), ["asked ask", "flight xxx", "flight xxx"]);
    // 4 MiB of questions and 16 MiB of flights; then the connection ends.
    let many = early(19, 1 << 20);
    assert_eq!(many.len(), 1 + 16 + 2);
    assert_eq!(many[17..], ["broken off: CI315", "dropped"], "no more than one stream may have");
    assert_eq!(early(21, 1 << 20), ["end: CI306"]);
    assert_eq!(early(1_000, 0), ["end: CI306"]);
}

#[test]
fn what_flights_hold_is_not_printed() {
    let body = super::super::Body(b"a mask's seed".to_vec());
    assert_eq!(format!("{body:?}"), "Body(13 bytes)");
}
