use std::collections::BTreeSet;

use cairn_question::{Day, Hash, Name};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::*;
use crate::{File, Severity, render_file};

mod board;
mod forms;
mod openssh;
mod quorum;
mod rotation;
mod sshsig;

/// A file of the worked example.
fn fixture(path: &str) -> String {
    let full = format!("{}/tests/fixtures/strathcarron/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&full).unwrap_or_else(|e| panic!("{full}: {e}"))
}

/// The key pair of a made-up member.
fn pair(member: &str) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(Hash::of(member.as_bytes()).as_bytes()).expect("32 bytes")
}

fn point(pair: &Ed25519KeyPair) -> [u8; 32] {
    pair.public_key().as_ref().try_into().expect("32 bytes")
}

fn public(member: &str) -> PublicKey {
    PublicKey::from_ed25519(point(&pair(member)))
}

/// The file that this key's owner makes over a text.
fn signed(key: &str, text: &str) -> String {
    signed_for(key, super::sshsig::NAMESPACE, text)
}

fn signed_for(key: &str, namespace: &str, text: &str) -> String {
    let pair = pair(key);
    let signature = pair.sign(&super::sshsig::to_be_signed(namespace, text.as_bytes()));
    let signature = signature.as_ref().try_into().expect("64 bytes");
    super::sshsig::armour(point(&pair), namespace, &signature)
}

fn day(text: &str) -> Day {
    text.parse().expect("a day")
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

const MEMBERS: [&str; 4] = ["convener", "siro", "caldicott-guardian", "dpo"];

/// The worked example's board with all four members, each with a made-up key.
fn board_text() -> String {
    let whole = fixture("board.toml");
    let (head, _) = whole.split_once("[[member]]").expect("members");
    MEMBERS.iter().fold(head.to_owned(), |text, id| text + &member(id, id))
}

fn member(id: &str, key: &str) -> String {
    let key = public(key);
    format!(
        "[[member]]\nid = \"{id}\"\nname = \"An Example\"\nkey = \"{key} {id}@example\"\n\
         valid = {{ from = 2026-01-01, to = 2028-01-01 }}\n"
    )
}

fn board(text: &str) -> Board {
    let file = File::new("board.toml", text);
    Board::load(&file).unwrap_or_else(|f| panic!("{}", render_file(&f, &file)))
}
