//! Dialling the coordinator, for nodes and analysts alike.

use quinn::{ClientConfig, Connection, Endpoint};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use super::endpoint::{HANDSHAKE_WITHIN, dialling, lost};
use crate::address::Address;
use crate::clock::Clock;
use crate::error::LinkError;
use crate::identity::Transport;
use crate::tls::{self, CoordinatorVerifier};

/// A connection, with the socket it runs over.
pub(super) struct Dialled {
    pub(super) connection: Connection,
    pub(super) endpoint: Endpoint,
}

/// Tries each address of the coordinator's host, in the order in which the system gives them.
pub(super) async fn dial(
    transport: &Transport,
    coordinator: &Address,
    clock: &Clock,
) -> Result<Dialled, LinkError> {
    let unreachable = |why: String| LinkError::Unreachable { address: coordinator.to_string(), why };
    let found = tokio::net::lookup_host((coordinator.host(), coordinator.port())).await;
    let addresses: Vec<SocketAddr> =
        found.map_err(|e| unreachable(e.to_string()))?.take(ADDRESSES_MAX).collect();
    let mut failed = unreachable("the host has no address".to_owned());
    for address in addresses {
        match dial_one(transport, coordinator, address, clock).await {
            Ok(dialled) => return Ok(dialled),
            Err(why) => failed = why,
        }
    }
    Err(failed)
}

async fn dial_one(
    transport: &Transport,
    coordinator: &Address,
    address: SocketAddr,
    clock: &Clock,
) -> Result<Dialled, LinkError> {
    let unreachable = |why: String| LinkError::Unreachable { address: coordinator.to_string(), why };
    let verifier = Arc::new(CoordinatorVerifier::new(transport));
    let crypto = tls::quic_client(tls::client(transport, verifier.clone(), clock)?)?;
    let mut config = ClientConfig::new(Arc::new(crypto));
    config.transport_config(dialling());
    let any: IpAddr = match address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let endpoint = Endpoint::client((any, 0).into()).map_err(|e| unreachable(e.to_string()))?;
    let connecting =
        endpoint.connect_with(config, address, coordinator.host()).map_err(|e| unreachable(e.to_string()))?;
    match tokio::time::timeout(HANDSHAKE_WITHIN, connecting).await {
        Ok(Ok(connection)) => Ok(Dialled { connection, endpoint }),
        Ok(Err(why)) => Err(match (verifier.refused(), why) {
            (Some(why), _) => LinkError::Peer { address: coordinator.to_string(), why },
            (None, quinn::ConnectionError::TimedOut) => unreachable("no reply".to_owned()),
            (None, why) => lost(&why),
        }),
        Err(_) => Err(unreachable(format!("no reply in {} s", HANDSHAKE_WITHIN.as_secs()))),
    }
}

/// Most addresses of one host that are tried.
const ADDRESSES_MAX: usize = 8;
