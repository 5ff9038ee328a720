//! Ends that do not keep to the protocol, over real sockets.

use super::*;
use crate::close::Close;
use crate::frame::{Frame, Hello, Kind};
use crate::identity::Role;
use crate::quic::dial::{Dialled, dial};
use crate::quic::listener::REQUESTS_MAX;
use crate::session::{OPEN_REQUESTS_MAX, Patience};
use quinn::{ReadError, RecvStream, SendStream};

/// An analyst whose certificate is good and whose program is not.
struct Raw {
    dialled: Dialled,
    _control: (SendStream, RecvStream),
}

impl Raw {
    async fn connect(federation: &Federation, listener: &Listener) -> Self {
        let identity = AnalystIdentity::load(&federation.path("ann"), NOON).unwrap();
        let dialled = dial(identity.transport(), &listener.local_address().into(), &clock()).await.unwrap();
        let (mut send, mut receive) = dialled.connection.open_bi().await.unwrap();
        send.write_all(&Frame::Hello(Hello::ours(Role::Analyst)).encode().unwrap()).await.unwrap();
        let mut welcome = [0; 5];
        soon(receive.read_exact(&mut welcome)).await.unwrap();
        assert_eq!(welcome[4], Kind::Welcome.number());
        Self { dialled, _control: (send, receive) }
    }

    /// Sends bytes on a new stream and gives the code with which it is broken off.
    async fn broken_off(&self, bytes: &[u8], then: Then) -> Option<Close> {
        let (mut send, mut receive) = self.dialled.connection.open_bi().await.unwrap();
        send.write_all(bytes).await.unwrap();
        if then == Then::Finish {
            send.finish().unwrap();
        }
        reset(&mut receive).await
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Then {
    Finish,
    Wait,
}

async fn reset(receive: &mut RecvStream) -> Option<Close> {
    let mut byte = [0; 1];
    match soon(receive.read(&mut byte)).await {
        Err(ReadError::Reset(number)) => Close::from_number(number.into_inner()),
        other => panic!("expected a reset, not {other:?}"),
    }
}

fn impatient(federation: &Federation) -> Listener {
    let patience = Patience { hello: Duration::from_millis(200), request: Duration::from_millis(200) };
    let at = (Ipv4Addr::LOCALHOST, 0).into();
    Listener::bind_with(&federation.coordinator(), at, &clock(), patience).unwrap()
}

#[tokio::test]
async fn bytes_that_are_no_request_break_their_stream_and_nothing_else() {
    let federation = Federation::new("demo");
    let mut listener = federation.listen();
    let raw = Raw::connect(&federation, &listener).await;
    let check = async |bytes: &[u8], then, expect| {
        assert_eq!(raw.broken_off(bytes, then).await, Some(expect), "{bytes:?}");
    };
    check(&[0, 0, 0, 1, 99], Then::Wait, Close::Malformed).await;
    check(&[0xff, 0xff, 0xff, 0xff, 5], Then::Wait, Close::TooLong).await;
    check(&[0, 1, 0, 1, 5], Then::Wait, Close::TooLong).await;
    // Kinds of other streams and other parties.
    check(&Frame::Reply(vec![1]).encode().unwrap(), Then::Wait, Close::Unexpected).await;
    check(&Frame::Hello(Hello::ours(Role::Analyst)).encode().unwrap(), Then::Wait, Close::Unexpected).await;
    check(&[0, 0, 0, 31, 12], Then::Finish, Close::Malformed).await;
    // Cut off within the header, within the body, and before anything.
    check(&[0, 0, 0], Then::Finish, Close::Malformed).await;
    check(&[0, 0, 0, 9, 5, b'{'], Then::Finish, Close::Malformed).await;
    check(&[], Then::Finish, Close::Malformed).await;
    // Two requests on one stream.
    let twice = [Frame::RegisterRequest.encode().unwrap(), Frame::RegisterRequest.encode().unwrap()].concat();
    let broken = raw.broken_off(&twice, Then::Wait);
    let event = async { listener.next().await };
    let (broken, event) = tokio::join!(broken, event);
    assert_eq!(broken, Some(Close::Unexpected));
    drop(event);
    // The connection has borne all that.
    let (mut send, _receive) = raw.dialled.connection.open_bi().await.unwrap();
    send.write_all(&Frame::Ask(b"still here".to_vec()).encode().unwrap()).await.unwrap();
    assert_eq!(soon(asked(&mut listener)).await.0, b"still here");
}

#[tokio::test]
async fn a_stream_that_trickles_is_broken_off_at_its_deadline() {
    let federation = Federation::new("demo");
    let listener = impatient(&federation);
    let raw = Raw::connect(&federation, &listener).await;
    let (mut send, mut receive) = raw.dialled.connection.open_bi().await.unwrap();
    send.write_all(&[0, 0, 1, 0, Kind::Ask.number()]).await.unwrap();
    let trickle = async {
        // A byte at a time, as long as the other end takes it.
        while send.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let (close, ()) = tokio::join!(reset(&mut receive), soon(trickle));
    assert_eq!(close, Some(Close::TooSlow));
}

#[tokio::test]
async fn no_more_streams_than_agreed_are_open_at_a_time() {
    let federation = Federation::new("demo");
    let listener = impatient(&federation);
    let raw = Raw::connect(&federation, &listener).await;
    let mut open = Vec::new();
    for _ in 0..OPEN_REQUESTS_MAX {
        let (mut send, receive) = raw.dialled.connection.open_bi().await.unwrap();
        send.write_all(&[0]).await.unwrap();
        open.push((send, receive));
    }
    // QUIC itself holds the next one back until the coordinator has done with one.
    let next = tokio::spawn({
        let connection = raw.dialled.connection.clone();
        async move { connection.open_bi().await.is_ok() }
    });
    tokio::task::yield_now().await;
    assert!(!next.is_finished());
    for (_, receive) in &mut open {
        assert_eq!(reset(receive).await, Some(Close::TooSlow));
    }
    drop(open);
    assert!(soon(next).await.unwrap());
}

#[tokio::test]
async fn a_request_is_open_until_its_answer_is_taken() {
    let federation = Federation::new("demo");
    let mut listener = federation.listen();
    let raw = Raw::connect(&federation, &listener).await;
    // More than QUIC itself takes off the writer's hands, while nobody reads.
    let reply = (PartnerId::new("fife").unwrap(), vec![b'x'; Kind::Reply.bytes_max()]);
    let replies = vec![reply; 1 + (8 << 20) / Kind::Reply.bytes_max()];
    for end in [Then::Finish, Then::Wait] {
        let (mut send, mut receive) = raw.dialled.connection.open_bi().await.unwrap();
        send.write_all(&Frame::Fetch(QuestionId::from_bytes([9; 32])).encode().unwrap()).await.unwrap();
        let Event::Fetched { responder, .. } = soon(listener.next()).await.unwrap() else {
            panic!("expected a fetch")
        };
        responder.result(replies.clone(), b"coverage".to_vec());
        // The answer has begun, so the program's own hold on the request is gone.
        soon(receive.read_exact(&mut [0; 5])).await.unwrap();
        assert_eq!(listener.requests_left(), REQUESTS_MAX - 1);
        match end {
            Then::Finish => drop(soon(receive.read_to_end(1 << 30)).await.unwrap()),
            // Breaking the stream off gives it back as well.
            Then::Wait => receive.stop(0_u8.into()).unwrap(),
        }
        soon(async {
            while listener.requests_left() < REQUESTS_MAX {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

#[tokio::test]
async fn results_that_nobody_reads_leave_no_room_for_more() {
    let federation = Federation::new("demo");
    let mut listener = federation.listen();
    let raw = Raw::connect(&federation, &listener).await;
    let reply = (PartnerId::new("fife").unwrap(), vec![b'x'; 1 << 20]);
    listener.leave_room(8 << 10);
    let mut fetch = async || {
        let (mut send, mut receive) = raw.dialled.connection.open_bi().await.unwrap();
        send.write_all(&Frame::Fetch(QuestionId::from_bytes([9; 32])).encode().unwrap()).await.unwrap();
        let Event::Fetched { responder, .. } = soon(listener.next()).await.unwrap() else {
            panic!("expected a fetch")
        };
        responder.result(vec![reply.clone(); 6], b"coverage".to_vec());
        let mut header = [0; 5];
        soon(receive.read_exact(&mut header)).await.unwrap();
        (header[4], receive)
    };
    let (first, mut unread) = fetch().await;
    assert_eq!(first, Kind::ResultReply.number());
    assert_eq!(fetch().await.0, Kind::Close.number());
    soon(unread.read_to_end(1 << 30)).await.unwrap();
    assert_eq!(fetch().await.0, Kind::ResultReply.number());
}

#[tokio::test]
async fn whoever_dials_in_and_says_nothing_is_put_out() {
    let federation = Federation::new("demo");
    let listener = impatient(&federation);
    let identity = AnalystIdentity::load(&federation.path("ann"), NOON).unwrap();
    let at = listener.local_address().into();
    let dialled = dial(identity.transport(), &at, &clock()).await.unwrap();
    let why = soon(dialled.connection.closed()).await;
    assert_eq!(crate::quic::endpoint::reason(&why), Some(Close::TooSlow));
}

#[tokio::test]
async fn a_program_that_speaks_another_protocol_does_not_get_through_the_handshake() {
    let federation = Federation::new("demo");
    let listener = federation.listen();
    let identity = AnalystIdentity::load(&federation.path("ann"), NOON).unwrap();
    let verifier = Arc::new(crate::tls::CoordinatorVerifier::new(identity.transport()));
    let mut config = crate::tls::client(identity.transport(), verifier, &clock()).unwrap();
    config.alpn_protocols = vec![b"h3".to_vec()];
    let crypto = crate::tls::quic_client(config).unwrap();
    let endpoint = quinn::Endpoint::client((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let config = quinn::ClientConfig::new(Arc::new(crypto));
    let connecting = endpoint.connect_with(config, listener.local_address(), "127.0.0.1").unwrap();
    // RFC 7301, 3.2: no_application_protocol (120).
    let Err(quinn::ConnectionError::ConnectionClosed(closed)) = soon(connecting).await else {
        panic!("let in")
    };
    assert_eq!(u64::from(closed.error_code), 0x100 + 120);
}
