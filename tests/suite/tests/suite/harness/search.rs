//! Looks for markers in whatever a federation has said, written or sent.

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use std::fmt::Write as _;
use std::path::Path;

/// One piece of evidence: where it is from, and its bytes.
pub(crate) struct Piece {
    pub(crate) from: String,
    pub(crate) bytes: Vec<u8>,
}

impl Piece {
    pub(crate) fn new(from: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self { from: from.into(), bytes }
    }
}

/// Where any of the markers stands, as `marker in place (form)`. Markers are ASCII.
///
/// Each is looked for as it is, in any case; as UTF-16; as hexadecimal digits; and as base64, in which every signed payload travels,
/// at each of the three places at which it can begin within a group.
pub(crate) fn leaks(markers: &[&str], evidence: &[Piece]) -> Vec<String> {
    let mut found = Vec::new();
    for piece in evidence {
        let text = String::from_utf8_lossy(&piece.bytes);
        let lower = text.to_lowercase();
        let narrow = lower.replace('\0', "");
        for marker in markers {
            let plain = marker.to_lowercase();
            let mut say = |form: &str| found.push(format!("{marker} in {} ({form})", piece.from));
            if lower.contains(&plain) {
                say("plain");
            } else if narrow.contains(&plain) {
                say("UTF-16");
            }
            if lower.contains(&hex(marker)) {
                say("hexadecimal");
            }
            if base64_forms(marker).iter().any(|form| text.contains(form)) {
                say("base64");
            }
        }
    }
    found
}

fn hex(marker: &str) -> String {
    marker.bytes().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// The letters of base64 that do not depend on what stands before and after.
pub(crate) fn base64_forms(marker: &str) -> [String; 3] {
    [0, 1, 2].map(|before| {
        let padded = [vec![b' '; before], marker.as_bytes().to_vec()].concat();
        let whole = STANDARD_NO_PAD.encode(&padded);
        let (first, last) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
        whole[first..last].to_owned()
    })
}

/// Every file below a folder.
pub(crate) fn files(folder: &Path) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pieces.extend(files(&path));
        } else {
            pieces.push(Piece::new(path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    pieces
}

#[test]
fn a_marker_is_found_in_every_form() {
    let check = |text: Vec<u8>, form: &str| {
        let found = leaks(&["ZQXJV"], &[Piece::new("here", text)]);
        assert_eq!(found, [format!("ZQXJV in here ({form})")]);
    };
    check(b"{\"id\":\"ZQXJVp1\"}".to_vec(), "plain");
    check(b"\xff\xfe zqxjvP1 \x00".to_vec(), "plain");
    check("id ZQXJV".encode_utf16().flat_map(u16::to_le_bytes).collect(), "UTF-16");
    check(b"5A51584A56".to_vec(), "hexadecimal");
    for before in ["", "{", "{\"", "{\"a"] {
        check(STANDARD_NO_PAD.encode(format!("{before}ZQXJVp1}}")).into_bytes(), "base64");
    }
    assert!(leaks(&["ZQXJV"], &[Piece::new("here", b"nothing of the kind".to_vec())]).is_empty());
}
