use super::*;

fn numbers(text: &str) -> Vec<u64> {
    let mut rows = Rows::open(text.as_bytes(), encoding_rs::UTF_8, b',').unwrap();
    let mut numbers = vec![rows.last_row()];
    while let Some((row, _)) = rows.next().unwrap() {
        numbers.push(row);
    }
    numbers
}

#[test]
fn blank_lines_count_and_breaks_within_cells_do_not() {
    for end in ["\n", "\r\n"] {
        let check = |lines: &[&str], expected: &[u64]| {
            assert_eq!(numbers(&lines.join(end)), expected, "{lines:?} {end:?}");
            let closed = format!("{}{end}", lines.join(end));
            assert_eq!(numbers(&closed), expected, "{closed:?}");
        };
        check(&["h", "a", "b"], &[1, 2, 3]);
        check(&["h", "a", "", "b"], &[1, 2, 4]);
        check(&["h", "", "", "a"], &[1, 4]);
        check(&["h", "\"a\nb\"", "c"], &[1, 2, 3]);
        check(&["h", "\"a\n\nb\"", "", "c", "d"], &[1, 2, 4, 5]);
    }
}

#[test]
fn the_digest_is_of_the_files_own_bytes() {
    let bytes = b"\xef\xbb\xbfh\na\n";
    let mut rows = Rows::open(&bytes[..], encoding_rs::UTF_8, b',').unwrap();
    while rows.next().unwrap().is_some() {}
    assert_eq!(rows.header, ["h"]);
    assert_eq!(rows.digest(), (Hash::of(bytes), 7));
}

#[test]
fn text_longer_than_the_buffers_is_decoded_whole() {
    // Two-byte letters across the buffers' edges, in an encoding that grows by half.
    let line = format!("{}\n", "\u{e9}".repeat(999));
    let text: String = std::iter::repeat_n(line.as_str(), 400).collect();
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut rows = Rows::open(&utf16[..], encoding_rs::UTF_16LE, b',').unwrap();
    let mut letters = rows.header[0].chars().count();
    while let Some((_, cells)) = rows.next().unwrap() {
        letters += cells[0].chars().count();
    }
    assert_eq!(letters, 400 * 999);
}
