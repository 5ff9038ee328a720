//! Making and checking certificates. The root signs leaves and nothing else; a leaf carries one `cairn://` name.

use cairn_question::{Moment, Name};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
    SanType,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::net::IpAddr;
use time::OffsetDateTime;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};
use zeroize::Zeroizing;

use super::error::{IdentityError, PeerError};
use super::party::{Party, Role};
use crate::clock::unix_time;

/// How long a leaf lives: 90 days, since a small charity's machine may be off for weeks.
pub(super) const LEAF_LIFE_S: u64 = 90 * 86_400;

/// How far a leaf is dated back, so that a clock that is a little behind does not refuse it.
pub(super) const BACKDATED_S: u64 = 3_600;

/// How long the root lives: ten years. A federation that lasts longer makes a new one.
const ROOT_LIFE_S: u64 = 10 * 365 * 86_400;

/// A certificate and its private key, both in PEM.
pub(super) struct Made {
    pub(super) certificate: String,
    pub(super) key: Zeroizing<String>,
}

/// Makes a federation's root.
pub(super) fn make_root(federation: &Name, now: Moment) -> Result<Made, IdentityError> {
    let key = KeyPair::generate().map_err(|e| fault(&e))?;
    let mut params = params(&format!("cairn {federation} transport root"), now, ROOT_LIFE_S)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let certificate = params.self_signed(&key).map_err(|e| fault(&e))?;
    Ok(Made { certificate: certificate.pem(), key: Zeroizing::new(key.serialize_pem()) })
}

/// The root with its key, ready to sign leaves.
pub(super) struct Root(rcgen::Issuer<'static, KeyPair>);

impl Root {
    pub(super) fn open(certificate_pem: &str, key_pem: &str) -> Result<Self, IdentityError> {
        let key = KeyPair::from_pem(key_pem).map_err(|e| fault(&e))?;
        rcgen::Issuer::from_ca_cert_pem(certificate_pem, key).map(Self).map_err(|e| fault(&e))
    }

    /// Makes a key and signs a leaf for it. `addresses` are DNS names and IP addresses; only the coordinator has any.
    pub(super) fn issue(
        &self,
        party: &Party,
        addresses: &[String],
        now: Moment,
    ) -> Result<Made, IdentityError> {
        let key = KeyPair::generate().map_err(|e| fault(&e))?;
        let certificate = self.sign(party, addresses, &key, now)?;
        Ok(Made { certificate, key: Zeroizing::new(key.serialize_pem()) })
    }

    /// Signs a leaf for a key that exists.
    pub(super) fn sign(
        &self,
        party: &Party,
        addresses: &[String],
        key: &KeyPair,
        now: Moment,
    ) -> Result<String, IdentityError> {
        let mut params = params(&format!("cairn {} {}", party.role(), party.id()), now, LEAF_LIFE_S)?;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![match party.role() {
            Role::Coordinator => ExtendedKeyUsagePurpose::ServerAuth,
            Role::Node | Role::Analyst => ExtendedKeyUsagePurpose::ClientAuth,
        }];
        let uri = party.to_string().try_into().map_err(|e| fault(&e))?;
        params.subject_alt_names.push(SanType::URI(uri));
        for address in addresses {
            params.subject_alt_names.push(address_name(address)?);
        }
        Ok(params.signed_by(key, &self.0).map_err(|e| fault(&e))?.pem())
    }
}

/// A DNS name or an IP address, as it goes into the coordinator's certificate.
fn address_name(address: &str) -> Result<SanType, IdentityError> {
    let wrong = || IdentityError::unusable(format!("`{address}` is neither a host name nor an IP address"));
    if let Ok(ip) = address.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(ip));
    }
    ServerName::try_from(address).map_err(|_| wrong())?;
    Ok(SanType::DnsName(address.to_owned().try_into().map_err(|_| wrong())?))
}

fn params(common_name: &str, now: Moment, life_s: u64) -> Result<CertificateParams, IdentityError> {
    let at = |unix_s: u64| {
        i64::try_from(unix_s)
            .ok()
            .and_then(|s| OffsetDateTime::from_unix_timestamp(s).ok())
            .ok_or_else(|| IdentityError::unusable("the clock is past the end of the calendar"))
    };
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = at(now.unix_s().saturating_sub(BACKDATED_S))?;
    params.not_after = at(now.unix_s().saturating_add(life_s))?;
    Ok(params)
}

fn fault(why: &impl std::fmt::Display) -> IdentityError {
    IdentityError::Key { why: why.to_string() }
}

/// What a certificate must be for one end to talk to the other.
pub(crate) struct Verdict<'a> {
    /// The pinned root.
    pub(crate) root: &'a CertificateDer<'a>,
    /// The federation.
    pub(crate) federation: &'a Name,
    /// The roles that are let in here.
    pub(crate) roles: &'a [Role],
    /// The time.
    pub(crate) now: UnixTime,
}

/// Checks the chain, the dates, the use and the one name of a certificate, in this order, and gives who it is.
///
/// rustls does not match URI names, so this is ours: `verify_for_usage` first, and the name only of what it accepted.
pub(crate) fn check_certificate(
    certificate: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    verdict: &Verdict<'_>,
) -> Result<Party, PeerError> {
    let leaf = EndEntityCert::try_from(certificate).map_err(|_| PeerError::Malformed)?;
    let anchor = anchor_from_trusted_cert(verdict.root).map_err(|_| PeerError::Malformed)?;
    let serves = verdict.roles.contains(&Role::Coordinator);
    // RFC 5280 4.2.1.12; `required`: a leaf without the extension is of no use here.
    let usage = KeyUsage::required(if serves { SERVER_AUTH_OID } else { CLIENT_AUTH_OID });
    leaf.verify_for_usage(
        webpki::ALL_VERIFICATION_ALGS,
        &[anchor],
        intermediates,
        verdict.now,
        usage,
        None,
        None,
    )
    .map_err(|e| refused_chain(&leaf, peer_error(&e, serves), verdict.federation))?;
    let party = only_name(&leaf)?;
    if party.federation() != verdict.federation {
        let expected = verdict.federation.clone();
        return Err(PeerError::OtherFederation { expected, found: party.federation().clone() });
    }
    if !verdict.roles.contains(&party.role()) {
        return Err(PeerError::OtherRole { found: party.to_string() });
    }
    Ok(party)
}

/// A certificate of another root says of which federation it is: nothing proves it, and nothing follows but better words.
fn refused_chain(leaf: &EndEntityCert<'_>, error: PeerError, expected: &Name) -> PeerError {
    match only_name(leaf) {
        Ok(claims) if error == PeerError::OtherRoot && claims.federation() != expected => {
            PeerError::OtherFederation { expected: expected.clone(), found: claims.federation().clone() }
        }
        _ => error,
    }
}

fn only_name(leaf: &EndEntityCert<'_>) -> Result<Party, PeerError> {
    let mut names = leaf.valid_uri_names();
    match (names.next(), names.next()) {
        (Some(name), None) => name.parse().map_err(|_| PeerError::Names),
        _ => Err(PeerError::Names),
    }
}

fn peer_error(error: &webpki::Error, serves: bool) -> PeerError {
    let at = |t: &UnixTime| Moment::from_unix_s(t.as_secs());
    match error {
        webpki::Error::CertExpired { not_after, .. } => PeerError::Expired { at: at(not_after) },
        webpki::Error::CertNotValidYet { time, not_before } => {
            // It was made an hour after it says, so the clock is wrong by at least this much.
            let made_s = not_before.as_secs().saturating_add(BACKDATED_S);
            PeerError::Clock { apart_min: made_s.saturating_sub(time.as_secs()) / 60 }
        }
        webpki::Error::RequiredEkuNotFoundContext(_) => {
            let found = if serves { "it cannot serve" } else { "it cannot dial in" };
            PeerError::OtherRole { found: found.to_owned() }
        }
        webpki::Error::UnknownIssuer | webpki::Error::InvalidSignatureForPublicKey => PeerError::OtherRoot,
        _ => PeerError::Malformed,
    }
}

/// When a leaf's life ends: asked of the verifier at the end of time, which is the one place where the date is told.
pub(crate) fn not_after(
    certificate: &CertificateDer<'_>,
    root: &CertificateDer<'_>,
    role: Role,
) -> Option<Moment> {
    let federation = Name::new("none").ok()?;
    let now = unix_time(Moment::from_unix_s(END_OF_TIME_S));
    let verdict = Verdict { root, federation: &federation, roles: &[role], now };
    match check_certificate(certificate, &[], &verdict) {
        Err(PeerError::Expired { at }) => Some(at),
        _ => None,
    }
}

const SERVER_AUTH_OID: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 1];
const CLIENT_AUTH_OID: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 2];

/// 9999-12-31, the last day that X.509 can write.
const END_OF_TIME_S: u64 = 253_402_214_400;
