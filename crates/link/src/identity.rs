//! Who is who: the federation's root and register, each party's folder, and every check of a certificate.
//!
//! docs/reference/identity.md describes the files. X.509 proves who is at the other end of a connection and nothing else;
//! analysts' questions, partners' replies, the register and the coverage statement carry Ed25519 signatures of their own.

mod authority;
mod certificate;
mod denied;
mod error;
mod folder;
mod issuer;
mod load;
mod party;

pub use authority::Authority;
pub use denied::{DENIED_FILE, DenyList};
pub use error::{IdentityError, PeerError};
pub use folder::IDENTITY_FILE;
pub use issuer::{Issuer, pin_issuer};
pub use load::{AnalystIdentity, CoordinatorIdentity, NodeIdentity, Transport, save_credential};
pub use party::{Party, Role};

pub(crate) use certificate::{Verdict, check_certificate};

#[cfg(test)]
mod tests;
