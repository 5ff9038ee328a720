//! Where the coordinator listens.

use rustls_pki_types::ServerName;
use std::fmt;
use std::str::FromStr;

use crate::error::LinkError;

/// A host and a port, such as `cairn.example.org:4433`, `192.0.2.7:4433` or `[2001:db8::7]:4433`.
///
/// The host must be among the names or addresses in the coordinator's certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Address {
    host: String,
    port: u16,
}

impl Address {
    /// The host: a DNS name, or an IP address without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }
}

impl FromStr for Address {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let wrong = || LinkError::Address { address: text.chars().take(SHOWN_CHARS_MAX).collect() };
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
        let host = match bare {
            Some(v6) if v6.parse::<std::net::Ipv6Addr>().is_ok() => v6,
            None if !host.contains(':') => host,
            _ => return Err(wrong()),
        };
        ServerName::try_from(host).map_err(|_| wrong())?;
        Ok(Self { host: host.to_owned(), port })
    }
}

impl From<std::net::SocketAddr> for Address {
    fn from(at: std::net::SocketAddr) -> Self {
        Self { host: at.ip().to_string(), port: at.port() }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// Most characters of a wrong address that a message repeats.
const SHOWN_CHARS_MAX: usize = 80;

#[cfg(test)]
mod tests {
    use super::Address;

    fn check(text: &str, expect: Option<(&str, u16)>) {
        let got = text.parse::<Address>().ok();
        assert_eq!(got.as_ref().map(|a| (a.host(), a.port())), expect, "{text}");
        if let Some(address) = got {
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn addresses() {
        check("cairn.example.org:4433", Some(("cairn.example.org", 4433)));
        check("127.0.0.1:1", Some(("127.0.0.1", 1)));
        check("[::1]:4433", Some(("::1", 4433)));
        check("::1:4433", None);
        check("[cairn]:4433", None);
        check("cairn.example.org", None);
        check(":4433", None);
        check("host:99999", None);
        check("https://cairn.example.org:4433", None);
    }
}
