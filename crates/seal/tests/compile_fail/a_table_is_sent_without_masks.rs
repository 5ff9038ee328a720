//! A partner's own table has no bytes that could be sent, and nothing but the masks makes a sealed one of it.
use cairn_seal::{Masked, Plain};

fn send(table: &Plain) -> &[u8] {
    table.as_bytes()
}

fn unmasked(table: Plain) -> Masked {
    table.into_masked()
}

fn main() {}
