//! The linkage secret is in one place of a node's memory, which is wiped: no copy of it, and its bytes for the node's own sealed file only.
use cairn_seal::LinkageSecret;

fn copy(secret: &LinkageSecret) -> LinkageSecret {
    secret.clone()
}

fn peek(secret: &LinkageSecret) -> [u8; 32] {
    *secret.bytes
}

fn main() {}
