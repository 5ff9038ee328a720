//! Who gets in, and how whoever does not is told.

use super::*;
use crate::close::Close;
use crate::identity::{DENIED_FILE, DenyList, Transport};
use crate::quic::dial::{Dialled, dial};
use crate::tls;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use std::sync::RwLock;

/// What a node of `theirs` at `at` is told when it cannot connect.
async fn refused(theirs: Arc<NodeIdentity>, at: SocketAddr, clock: Clock) -> LinkError {
    soon(Running::start_with(theirs, at, "x", clock).lost()).await
}

#[tokio::test]
async fn a_node_of_another_federation_and_a_coordinator_of_another_refuse_each_other() {
    let (ours, other, namesake) =
        (Federation::new("demo"), Federation::new("other"), Federation::new("demo"));
    let listener = ours.listen();
    let at = listener.local_address();
    // The node checks first, so it is the one to say so.
    let why = refused(other.node("fife"), at, clock()).await;
    assert_eq!(why.code(), "CI204");
    assert!(why.to_string().ends_with("its certificate is of the federation `demo`, not `other`"), "{why}");
    assert_eq!(refused(namesake.node("fife"), at, clock()).await.code(), "CI201");
}

/// A node that trusts this coordinator, and shows a certificate and key of somebody else.
fn disguised(federation: &Federation, party: &Path) -> Transport {
    let root = federation.path("fife").join("root.pem");
    let read = |file: &str| std::fs::read(party.join(file)).unwrap();
    Transport {
        party: "cairn://demo/node/fife".parse().unwrap(),
        certificate: CertificateDer::from_pem_slice(&read("tls.pem")).unwrap(),
        key: PrivateKeyDer::from_pem_slice(&read("tls.key")).unwrap(),
        root: CertificateDer::from_pem_slice(&std::fs::read(root).unwrap()).unwrap(),
        expires_at: NOON,
    }
}

/// What a dialling end hears that the coordinator does not let in: in TLS 1.3 its own handshake is over before.
async fn turned_away(transport: &Transport, at: SocketAddr) -> String {
    let outcome = match dial(transport, &at.into(), &clock()).await {
        Ok(dialled) => soon(dialled.connection.closed()).await,
        Err(why) => return format!("{} {why}", why.code()),
    };
    let why = crate::quic::endpoint::lost(&outcome);
    format!("{} {why}", why.code())
}

#[tokio::test]
async fn the_coordinator_turns_away_by_name() {
    let federation = Federation::new("demo");
    let other = Federation::new("other");
    let listener = federation.listen();
    let at = listener.local_address();
    let check = async |party: &Path, expect: &str| {
        assert_eq!(turned_away(&disguised(&federation, party), at).await, expect);
    };
    let prefix = "CI403 the other end does not accept this certificate: ";
    let told = |why: &str, code: &str| format!("{prefix}{why} ({code})");
    check(&other.path("fife"), &told("its certificate is of the federation `other`, not `demo`", "CI204"))
        .await;
    check(
        &Federation::new("demo").path("fife"),
        &told("its certificate is not from this federation's root", "CI201"),
    )
    .await;
    check(&federation.path("hub"), &told("its certificate is for another role: it cannot dial in", "CI205"))
        .await;
    let old = federation.path("old");
    let long_ago = Moment::from_unix_s(NOON.unix_s() - 91 * 86_400);
    federation.authority.enrol_analyst(&name("old"), &old, long_ago).unwrap();
    check(&old, &told("its certificate expired on 2026-01-04", "CI202")).await;
    let soon = federation.path("soon");
    federation.authority.enrol_analyst(&name("soon"), &soon, NOON.plus_s(7_200)).unwrap();
    check(&soon, &told("clock wrong by 120 min or more: its certificate is not valid yet", "CI203")).await;
}

/// Sends a HELLO as `role` over a connection and gives what the coordinator closes it with.
async fn hello_as(role: crate::identity::Role, dialled: Dialled) -> Option<Close> {
    let (mut send, _receive) = dialled.connection.open_bi().await.unwrap();
    let hello = crate::frame::Frame::Hello(crate::frame::Hello::ours(role));
    send.write_all(&hello.encode().unwrap()).await.unwrap();
    crate::quic::endpoint::reason(&soon(dialled.connection.closed()).await)
}

#[tokio::test]
async fn an_analysts_certificate_does_not_make_a_node() {
    let federation = Federation::new("demo");
    let mut listener = federation.listen();
    let ann = disguised(&federation, &federation.path("ann"));
    let dialled = dial(&ann, &listener.local_address().into(), &clock()).await.unwrap();
    assert_eq!(hello_as(crate::identity::Role::Node, dialled).await, Some(Close::OtherRole));
    // Nor was a node announced: what comes next is the true one.
    let _fife = Running::start(federation.node("fife"), listener.local_address(), "fife");
    assert_eq!(node_up(&mut listener).await.partner().as_str(), "fife");
}

#[tokio::test]
async fn a_node_takes_nobody_else_for_the_coordinator() {
    // An analyst's certificate, of the right root, behind a listener.
    let federation = Federation::new("demo");
    let ann = disguised(&federation, &federation.path("ann"));
    let crypto = tls::server(&ann, Arc::new(RwLock::new(DenyList::default())), &clock()).unwrap();
    let config = quinn::ServerConfig::with_crypto(Arc::new(tls::quic_server(crypto).unwrap()));
    let endpoint = quinn::Endpoint::server(config, (Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let at = endpoint.local_addr().unwrap();
    let accepting = tokio::spawn(async move {
        while let Some(incoming) = endpoint.accept().await {
            drop(incoming.await);
        }
    });
    let why = refused(federation.node("fife"), at, clock()).await;
    assert_eq!(why.code(), "CI205");
    assert!(why.to_string().ends_with("its certificate is for another role: it cannot serve"), "{why}");
    accepting.abort();
}

#[tokio::test]
async fn the_coordinators_certificate_is_for_the_address_that_was_dialled() {
    let federation = Federation::new("demo");
    let listener = federation.listen();
    let at: Address = format!("127.0.0.2:{}", listener.local_address().port()).parse().unwrap();
    // The same door by another name: the socket is bound to one address, so a route is made for it.
    let route = tokio::net::UdpSocket::bind(format!("{}:0", at.host())).await.unwrap();
    let route_at = route.local_addr().unwrap();
    let door = listener.local_address();
    let carrying = tokio::spawn(carry(route, watch::channel(door).1));
    let identity = AnalystIdentity::load(&federation.path("ann"), NOON).unwrap();
    let why = AnalystClient::connect(&identity, &route_at.into(), &clock()).await.err().unwrap();
    assert_eq!(why.code(), "CI208");
    assert!(why.to_string().ends_with("its certificate does not name the address `127.0.0.2`"), "{why}");
    carrying.abort();
}

#[tokio::test]
async fn wrong_clocks_are_named_as_such() {
    let federation = Federation::new("demo");
    let mut listener = federation.listen();
    let at = listener.local_address();
    let ahead = refused(federation.node("fife"), at, Clock::new(|| NOON.plus_s(47 * 60))).await;
    assert_eq!(ahead.code(), "CI310");
    assert_eq!(ahead.to_string(), "clock wrong by 47 min: this machine's or the coordinator's");
    let behind = Clock::new(|| Moment::from_unix_s(NOON.unix_s() - 7_200));
    let behind = refused(federation.node("fife"), at, behind).await;
    assert_eq!(behind.code(), "CI203");
    assert!(behind.to_string().contains("clock wrong by 120 min or more"), "{behind}");
    let a_little = Clock::new(|| NOON.plus_s(299));
    let mut running = Running::start_with(federation.node("fife"), at, "x", a_little);
    let told = async {
        while let Some(event) = listener.next().await {
            if let Event::NodeUp { node, .. } = event {
                node.held(None);
            }
        }
    };
    tokio::select! {
        connected = soon(running.state.wait_for(|s| matches!(s, NodeState::Connected))) => drop(connected.unwrap()),
        () = told => panic!("the door was shut"),
    }
}

#[tokio::test]
async fn a_denied_party_is_put_out_and_kept_out() {
    let federation = Federation::new("demo");
    let mut listener = federation.listen();
    let mut running = Running::start(federation.node("fife"), listener.local_address(), "x");
    node_up(&mut listener).await;
    let list = "format = 1\nnames = [\"cairn://demo/node/fife\"]\n";
    std::fs::write(federation.path("hub").join(DENIED_FILE), list).unwrap();
    listener.deny(DenyList::load(&federation.path("hub")).unwrap());
    assert_eq!(soon(running.lost()).await.code(), "CI312");
    assert_eq!(node_down(&mut listener).await.as_str(), "fife");
    soon(running.state.wait_for(|s| matches!(s, NodeState::Dialling))).await.unwrap();
    let why = soon(running.lost()).await;
    assert!(why.to_string().ends_with("`cairn://demo/node/fife` is on the deny list (CI207)"), "{why}");
    // Analysts of the same federation are still let in.
    federation.analyst(listener.local_address()).await.unwrap();
}

#[tokio::test]
async fn nobody_there_is_said_so() {
    let federation = Federation::new("demo");
    let identity = AnalystIdentity::load(&federation.path("ann"), NOON).unwrap();
    let nowhere: Address = "no-such-host.invalid:4433".parse().unwrap();
    let why = AnalystClient::connect(&identity, &nowhere, &clock()).await.err().unwrap();
    assert_eq!(why.code(), "CI402");
}

#[test]
fn a_tls_1_2_hello_is_refused() {
    // RFC 5246, 7.4.1.2: no supported_versions extension, so nothing above 1.2 is offered.
    let federation = Federation::new("demo");
    let hub = federation.coordinator();
    let config = tls::server(hub.transport(), Arc::new(RwLock::new(DenyList::default())), &clock()).unwrap();
    let mut server = rustls::ServerConnection::new(Arc::new(config)).unwrap();
    let extensions: &[&[u8]] = &[
        &[0x00, 0x0a, 0, 4, 0, 2, 0x00, 0x17], // supported_groups: P-256
        &[0x00, 0x0b, 0, 2, 1, 0],             // ec_point_formats: uncompressed
        &[0x00, 0x0d, 0, 4, 0, 2, 0x04, 0x03], // signature_algorithms: ECDSA P-256
        &[0x00, 0x17, 0, 0],                   // extended_master_secret
        &[0x00, 0x10, 0, 10, 0, 8, 7, b'c', b'a', b'i', b'r', b'n', b'/', b'1'], // ALPN
    ];
    let extensions = extensions.concat();
    let ciphers = [0xc0, 0x2b, 0xc0, 0x2f]; // TLS_ECDHE_{ECDSA,RSA}_WITH_AES_128_GCM_SHA256
    let length = |n: usize| u16::try_from(n).unwrap().to_be_bytes();
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.push(0);
    body.extend(length(ciphers.len()));
    body.extend(ciphers);
    body.extend([1, 0]);
    body.extend(length(extensions.len()));
    body.extend(&extensions);
    let handshake = [&[1, 0][..], &length(body.len()), &body].concat();
    let record = [&[0x16, 3, 1][..], &length(handshake.len()), &handshake].concat();

    server.read_tls(&mut record.as_slice()).unwrap();
    let error = server.process_new_packets().unwrap_err();
    assert!(matches!(error, rustls::Error::PeerIncompatible(_)), "{error}");
    let mut alert = Vec::new();
    server.write_tls(&mut alert).unwrap();
    // RFC 8446, 6: alert, fatal, protocol_version (70).
    assert_eq!(alert, [0x15, 3, 3, 0, 2, 2, 70]);
}

#[test]
fn only_tls_1_3_is_set_whatever_features_other_crates_switch_on() {
    let federation = Federation::new("demo");
    let node = federation.node("fife");
    let verifier = Arc::new(tls::CoordinatorVerifier::new(node.transport()));
    let config = tls::client(node.transport(), verifier, &clock()).unwrap();
    let shown = format!("{config:?}");
    assert!(!shown.contains("TLSv1_2"), "{shown}");
    assert!(!config.enable_early_data);
}
