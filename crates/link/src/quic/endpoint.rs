//! How QUIC is set, at both ends.

use quinn::{ConnectionId, ConnectionIdGenerator, EndpointConfig, IdleTimeout, TransportConfig, VarInt};
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};
use std::sync::Arc;
use std::time::Duration;

use crate::close::Close;
use crate::error::LinkError;
use crate::identity::Transport;
use crate::session::{OPEN_QUESTIONS_MAX, OPEN_REQUESTS_MAX};

/// The coordinator's end: analysts open their requests here, and a node its one control stream.
pub(super) fn listening() -> Arc<TransportConfig> {
    Arc::new(transport(1 + OPEN_REQUESTS_MAX))
}

/// The dialling end. It keeps the connection, and every firewall's memory of it, alive.
pub(super) fn dialling() -> Arc<TransportConfig> {
    let mut config = transport(OPEN_QUESTIONS_MAX);
    config.keep_alive_interval(Some(KEEP_ALIVE));
    Arc::new(config)
}

fn transport(streams_max: usize) -> TransportConfig {
    let mut config = TransportConfig::default();
    config
        .max_idle_timeout(Some(IdleTimeout::from(VarInt::from_u32(IDLE_MAX_MS))))
        .max_concurrent_bidi_streams(VarInt::from_u32(u32::try_from(streams_max).unwrap_or(1)))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .stream_receive_window(VarInt::from_u32(STREAM_WINDOW_BYTES))
        .receive_window(VarInt::from_u32(CONNECTION_WINDOW_BYTES))
        .send_window(u64::from(CONNECTION_WINDOW_BYTES))
        .datagram_receive_buffer_size(None);
    config
}

/// The listener's side of QUIC itself. The reset key comes from the coordinator's private key, so that after a crash it tells the
/// nodes at their next keep-alive that their connections are gone (RFC 9000, 10.3), and they need not wait out the idle time.
pub(super) fn listener(transport: &Transport) -> EndpointConfig {
    let secret = hmac::Key::new(hmac::HMAC_SHA256, transport.key.secret_der());
    let reset = hmac::sign(&secret, b"cairn/1 stateless reset");
    let mut config = EndpointConfig::new(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, reset.as_ref())));
    config.cid_generator(|| Box::new(RandomIds(SystemRandom::new())));
    config
}

/// Random connection ids that any run of the coordinator takes for its own, or it would not answer for an earlier run's.
struct RandomIds(SystemRandom);

impl ConnectionIdGenerator for RandomIds {
    fn generate_cid(&mut self) -> ConnectionId {
        let mut id = [0; CONNECTION_ID_BYTES];
        // A repeated id is refused by QUIC itself, so a failing source of randomness costs connections and no secrets.
        let _ = self.0.fill(&mut id);
        ConnectionId::new(&id)
    }

    fn cid_len(&self) -> usize {
        CONNECTION_ID_BYTES
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}

/// What became of a connection, in our words.
pub(super) fn lost(why: &quinn::ConnectionError) -> LinkError {
    use quinn::ConnectionError as Quic;
    match why {
        Quic::ApplicationClosed(closed) => match Close::from_number(closed.error_code.into_inner()) {
            Some(close) => LinkError::Closed(close),
            None => LinkError::Lost { why: "the other end closed it for a reason of its own".to_owned() },
        },
        Quic::ConnectionClosed(closed) if TLS_ALERTS.contains(&u64::from(closed.error_code)) => {
            LinkError::NotAccepted { says: shown(&closed.reason) }
        }
        other => LinkError::Lost { why: other.to_string() },
    }
}

/// The protocol's reason for the end of a connection, if it was one.
pub(super) fn reason(why: &quinn::ConnectionError) -> Option<Close> {
    match lost(why) {
        LinkError::Closed(close) => Some(close),
        _ => None,
    }
}

/// Words from the other end, fit for a screen.
fn shown(words: &[u8]) -> String {
    let words = String::from_utf8_lossy(words);
    let plain: String =
        crate::tls::words(&words).chars().filter(|c| !c.is_control()).take(WORDS_CHARS_MAX).collect();
    if plain.is_empty() { "it gives no reason".to_owned() } else { plain }
}

/// QUIC's numbers for TLS alerts (RFC 9001, 4.8).
const TLS_ALERTS: std::ops::Range<u64> = 0x100..0x200;

/// Most characters of the other end's words that are shown.
const WORDS_CHARS_MAX: usize = 200;

/// Longest silence before a connection counts as dead: 60 s, four keep-alives.
const IDLE_MAX_MS: u32 = 60_000;

/// Between keep-alives, from the dialling end: many firewalls forget a UDP flow after 30 s.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Most bytes of one stream on their way: one frame.
const STREAM_WINDOW_BYTES: u32 = 1 << 20;

/// Most bytes of one connection on their way: four frames.
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;

/// Bytes of a connection id.
const CONNECTION_ID_BYTES: usize = 8;

/// How long a handshake may take.
pub(super) const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
