use super::*;
use cairn_question::Moment;

const NOW: Now = Now { since_start: Duration::ZERO, at: Moment::from_unix_s(1_767_614_400) };

fn events(session: &mut NodeSession) -> Vec<String> {
    std::iter::from_fn(|| session.poll())
        .filter_map(|output| match output {
            Output::Event(NodeEvent::Welcomed { .. }) => Some("welcomed".to_owned()),
            Output::Event(NodeEvent::Question { ask, .. }) => Some(String::from_utf8(ask).unwrap()),
            Output::Event(NodeEvent::FlightsEnded(_)) => Some("no flights".to_owned()),
            Output::Event(other) => Some(format!("{other:?}")),
            Output::End(close) => Some(format!("end: {close}")),
            _ => None,
        })
        .collect()
}

fn ask(text: &str) -> Frame {
    Frame::Question { within_ms: 1_000, ask: text.into() }
}

fn welcome() -> Heard {
    Heard::Frame(Stream::CONTROL, Frame::Welcome(Welcome { version: 1, at: NOW.at }))
}

#[test]
fn a_question_that_overtakes_the_welcome_is_kept_until_then() {
    let mut session = NodeSession::dial(NOW);
    for (n, text) in [(0, "first"), (1, "second")] {
        session.hear(Heard::Opened(Stream::theirs(n)), NOW);
        session.hear(Heard::Frame(Stream::theirs(n), ask(text)), NOW);
        session.hear(Heard::Ended(Stream::theirs(n), None), NOW);
    }
    assert_eq!(events(&mut session), Vec::<String>::new());
    session.hear(welcome(), NOW);
    assert_eq!(events(&mut session), ["welcomed", "first", "no flights", "second", "no flights"]);
    assert_eq!(session.open_questions(), 2);
}

#[test]
fn what_is_kept_before_the_welcome_has_a_most() {
    let mut session = NodeSession::dial(NOW);
    for n in 0..1_000 {
        session.hear(Heard::Opened(Stream::theirs(n)), NOW);
    }
    let told = events(&mut session);
    assert_eq!(told, [format!("end: {}", Close::TooMany)]);
}
