//! TLS for both ends: 1.3 only, mutual, our own check of names, and nothing of the process's defaults.

mod verify;

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use rustls::crypto::CryptoProvider;
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::{Arc, RwLock};

use crate::clock::Clock;
use crate::identity::{DenyList, IdentityError, Transport};
pub(crate) use verify::{CoordinatorVerifier, DialInVerifier, words};

/// The protocol's name in TLS (ALPN, RFC 7301).
pub(crate) const ALPN: &[u8] = b"cairn/1";

/// TLS for the coordinator's listener.
pub(crate) fn server(
    transport: &Transport,
    denied: Arc<RwLock<DenyList>>,
    clock: &Clock,
) -> Result<rustls::ServerConfig, IdentityError> {
    let verifier = DialInVerifier::new(transport, denied);
    let mut config = rustls::ServerConfig::builder_with_details(provider(), Arc::new(clock.clone()))
        .with_protocol_versions(&[&TLS13])
        .map_err(|e| fault(&e))?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_single_cert(vec![transport.certificate.clone()], transport.key.clone_key())
        .map_err(|e| fault(&e))?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.max_early_data_size = 0;
    // No resumption: every connection shows its certificate, so the deny list and the dates hold from the next one on.
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// TLS for an end that dials. The verifier keeps the reason where it refuses the coordinator.
pub(crate) fn client(
    transport: &Transport,
    verifier: Arc<CoordinatorVerifier>,
    clock: &Clock,
) -> Result<rustls::ClientConfig, IdentityError> {
    let mut config = rustls::ClientConfig::builder_with_details(provider(), Arc::new(clock.clone()))
        .with_protocol_versions(&[&TLS13])
        .map_err(|e| fault(&e))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_auth_cert(vec![transport.certificate.clone()], transport.key.clone_key())
        .map_err(|e| fault(&e))?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.enable_early_data = false;
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}

/// The same for QUIC.
pub(crate) fn quic_server(config: rustls::ServerConfig) -> Result<QuicServerConfig, IdentityError> {
    QuicServerConfig::try_from(config).map_err(|e| fault(&e))
}

/// The same for QUIC.
pub(crate) fn quic_client(config: rustls::ClientConfig) -> Result<QuicClientConfig, IdentityError> {
    QuicClientConfig::try_from(config).map_err(|e| fault(&e))
}

/// Whether the private key belongs to the certificate.
pub(crate) fn check_key(
    certificate: &CertificateDer<'static>,
    key: &PrivateKeyDer<'static>,
) -> Result<(), ()> {
    CertifiedKey::from_der(vec![certificate.clone()], key.clone_key(), &provider())
        .map(|_| ())
        .map_err(|_| ())
}

/// ring, by hand: never the process's default, which another crate could have set.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn fault(why: &impl std::fmt::Display) -> IdentityError {
    IdentityError::Key { why: why.to_string() }
}
