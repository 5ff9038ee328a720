//! Stands between one party and the coordinator with the keys of both, and records every plaintext byte of every stream, in
//! both directions: whatever frames there are, whoever made them.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{Connection, Endpoint, RecvStream, SendStream, VarInt};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};

/// One recorded direction of one stream, growing.
type Track = Arc<Mutex<Vec<u8>>>;

/// A relay at work. Dropping it closes its connections.
pub(crate) struct Relay {
    /// Where the party is to dial instead of the coordinator.
    pub(crate) address: SocketAddr,
    tracks: Arc<Mutex<Vec<Track>>>,
    _runtime: tokio::runtime::Runtime,
}

impl Relay {
    /// Listens with the coordinator's certificate, and dials the coordinator with the party's.
    pub(crate) fn start(hub: &Path, party: &Path, coordinator: &str) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (server, client) = (server_config(hub), client_config(party));
        let upstream: SocketAddr = coordinator.parse().unwrap();
        let tracks = Arc::new(Mutex::new(Vec::new()));
        let within = runtime.enter();
        let endpoint = Endpoint::server(server, "127.0.0.1:0".parse().unwrap()).unwrap();
        let address = endpoint.local_addr().unwrap();
        runtime.spawn(accept_all(endpoint, client, upstream, tracks.clone()));
        drop(within);
        Self { address, tracks, _runtime: runtime }
    }

    /// Everything that went either way so far, one piece for each direction of each stream.
    pub(crate) fn recorded(&self) -> Vec<Vec<u8>> {
        self.tracks.lock().unwrap().iter().map(|t| t.lock().unwrap().clone()).collect()
    }
}

async fn accept_all(
    endpoint: Endpoint,
    client: quinn::ClientConfig,
    upstream: SocketAddr,
    tracks: Arc<Mutex<Vec<Track>>>,
) {
    let dialler = Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    while let Some(incoming) = endpoint.accept().await {
        let (dialler, client, tracks) = (dialler.clone(), client.clone(), tracks.clone());
        tokio::spawn(async move {
            let Ok(below) = incoming.await else { return };
            let Ok(dialling) = dialler.connect_with(client, upstream, "127.0.0.1") else { return };
            let Ok(above) = dialling.await else { return };
            join(below, above, &tracks).await;
        });
    }
}

/// Passes everything on between two connections until one is gone; then closes the other in the same words.
async fn join(below: Connection, above: Connection, tracks: &Arc<Mutex<Vec<Track>>>) {
    let why = tokio::select! {
        why = pass_streams(&below, &above, tracks) => why,
        why = pass_streams(&above, &below, tracks) => why,
    };
    if let quinn::ConnectionError::ApplicationClosed(closed) = why {
        below.close(closed.error_code, &closed.reason);
        above.close(closed.error_code, &closed.reason);
    } else {
        below.close(VarInt::from_u32(0), b"");
        above.close(VarInt::from_u32(0), b"");
    }
}

/// Opens at `to` whatever stream is opened at `from`, in order.
async fn pass_streams(
    from: &Connection,
    to: &Connection,
    tracks: &Arc<Mutex<Vec<Track>>>,
) -> quinn::ConnectionError {
    loop {
        let (send_back, receive) = match from.accept_bi().await {
            Ok(streams) => streams,
            Err(why) => return why,
        };
        let (send, receive_back) = match to.open_bi().await {
            Ok(streams) => streams,
            Err(why) => return why,
        };
        for (receive, send) in [(receive, send), (receive_back, send_back)] {
            let track = Track::default();
            tracks.lock().unwrap().push(track.clone());
            tokio::spawn(pass_bytes(receive, send, track));
        }
    }
}

async fn pass_bytes(mut receive: RecvStream, mut send: SendStream, track: Track) {
    loop {
        match receive.read_chunk(64 * 1024, true).await {
            Ok(Some(chunk)) => {
                track.lock().unwrap().extend_from_slice(&chunk.bytes);
                if send.write_all(&chunk.bytes).await.is_err() {
                    let _ = receive.stop(VarInt::from_u32(0));
                    return;
                }
            }
            Ok(None) => {
                let _ = send.finish();
                return;
            }
            Err(quinn::ReadError::Reset(code)) => {
                let _ = send.reset(code);
                return;
            }
            Err(_) => return,
        }
    }
}

/// The protocol's name in TLS.
const ALPN: &[u8] = b"cairn/1";

fn server_config(hub: &Path) -> quinn::ServerConfig {
    let mut tls = rustls::ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_client_cert_verifier(Arc::new(Anybody))
        .with_single_cert(vec![certificate(hub)], key(hub))
        .unwrap();
    tls.alpn_protocols = vec![ALPN.to_vec()];
    quinn::ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls).unwrap()))
}

fn client_config(party: &Path) -> quinn::ClientConfig {
    let mut tls = rustls::ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody))
        .with_client_auth_cert(vec![certificate(party)], key(party))
        .unwrap();
    tls.alpn_protocols = vec![ALPN.to_vec()];
    let mut config = quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()));
    let mut transport = quinn::TransportConfig::default();
    transport.keep_alive_interval(Some(Duration::from_secs(5)));
    config.transport_config(Arc::new(transport));
    config
}

fn certificate(folder: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(&std::fs::read(folder.join("tls.pem")).unwrap()).unwrap()
}

fn key(folder: &Path) -> PrivateKeyDer<'static> {
    PrivateKeyDer::from_pem_slice(&std::fs::read(folder.join("tls.key")).unwrap()).unwrap()
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// The relay is no party: it takes whoever comes. The two ends still prove themselves to it, and it to them.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.3 only".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for Anybody {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ServerCertVerifier::verify_tls12_signature(self, message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        ServerCertVerifier::verify_tls13_signature(self, message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ServerCertVerifier::supported_verify_schemes(self)
    }
}
