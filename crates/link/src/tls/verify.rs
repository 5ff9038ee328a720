//! Who may be at the other end of a connection.

use cairn_question::{Moment, Name};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use webpki::EndEntityCert;

use crate::identity::{DenyList, Party, PeerError, Role, Transport, Verdict, check_certificate};

/// The dialling end's check of the coordinator: the pinned root, its dates, its use, its one name, and the address dialled.
pub(crate) struct CoordinatorVerifier {
    root: CertificateDer<'static>,
    federation: Name,
    algorithms: WebPkiSupportedAlgorithms,
    refused: Mutex<Option<PeerError>>,
}

/// The coordinator's check of whoever dials in: a node or an analyst of this federation that is not on the deny list.
pub(crate) struct DialInVerifier {
    root: CertificateDer<'static>,
    federation: Name,
    algorithms: WebPkiSupportedAlgorithms,
    denied: Arc<RwLock<DenyList>>,
}

impl CoordinatorVerifier {
    pub(crate) fn new(transport: &Transport) -> Self {
        Self {
            root: transport.root.clone(),
            federation: transport.party.federation().clone(),
            algorithms: super::provider().signature_verification_algorithms,
            refused: Mutex::new(None),
        }
    }

    /// Why the coordinator was refused, if it was.
    pub(crate) fn refused(&self) -> Option<PeerError> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn check(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        dialled: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), PeerError> {
        let verdict =
            Verdict { root: &self.root, federation: &self.federation, roles: &[Role::Coordinator], now };
        check_certificate(certificate, intermediates, &verdict)?;
        let leaf = EndEntityCert::try_from(certificate).map_err(|_| PeerError::Malformed)?;
        leaf.verify_is_valid_for_subject_name(dialled)
            .map_err(|_| PeerError::Address { address: dialled.to_str().into_owned() })
    }
}

impl DialInVerifier {
    pub(crate) fn new(transport: &Transport, denied: Arc<RwLock<DenyList>>) -> Self {
        Self {
            root: transport.root.clone(),
            federation: transport.party.federation().clone(),
            algorithms: super::provider().signature_verification_algorithms,
            denied,
        }
    }

    /// Who is at the other end, by the certificate that the handshake proved.
    pub(crate) fn party(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<Party, PeerError> {
        let roles = &[Role::Node, Role::Analyst];
        let verdict = Verdict { root: &self.root, federation: &self.federation, roles, now };
        let party = check_certificate(certificate, intermediates, &verdict)?;
        let denied = self.denied.read().unwrap_or_else(PoisonError::into_inner);
        if denied.denies(&party, certificate) { Err(PeerError::Denied { party }) } else { Ok(party) }
    }
}

impl ServerCertVerifier for CoordinatorVerifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        dialled: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.check(certificate, intermediates, dialled, now) {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(error) => {
                *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
                Err(as_rustls(error))
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for DialInVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match self.party(certificate, intermediates, now) {
            Ok(_) => Ok(ClientCertVerified::assertion()),
            Err(error) => {
                let at = Moment::from_unix_s(now.as_secs());
                tracing::warn!(code = error.code(), %at, "refused whoever dialled in: {error}");
                Err(as_rustls(error))
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Keeps our words: QUIC carries what rustls shows of an error to the other end, which can then say more than an alert's number.
fn as_rustls(error: PeerError) -> Error {
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(Words(error)))))
}

/// The words within what rustls shows of an error that [`as_rustls`] made; anything else as it is.
pub(crate) fn words(shown: &str) -> &str {
    let inner = shown.strip_prefix(RUSTLS_SHOWS_BEFORE).and_then(|s| s.strip_suffix(RUSTLS_SHOWS_AFTER));
    inner.unwrap_or(shown)
}

const RUSTLS_SHOWS_BEFORE: &str = "invalid peer certificate: Other(OtherError(";
const RUSTLS_SHOWS_AFTER: &str = "))";

/// rustls shows such an error by its `Debug`, so that is where the words are.
struct Words(PeerError);

impl std::error::Error for Words {}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0, self.0.code())
    }
}

fn no_tls12() -> Error {
    Error::General("only TLS 1.3 is spoken here".to_owned())
}

impl fmt::Debug for CoordinatorVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CoordinatorVerifier({})", self.federation)
    }
}
impl fmt::Debug for DialInVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DialInVerifier({})", self.federation)
    }
}
