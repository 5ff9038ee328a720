//! No text of a board, an officer or a stranger makes the program panic.

use proptest::prelude::*;

use crate::finding::{File, Sources, render_all};
use crate::tests::{EXAMPLES, example, fixture, shipped, strathcarron};
use crate::{Layers, Schema, explain, run_cases};

/// Checks, loads, explains and tries the board's cases; whatever comes out, it comes out.
fn take(schema: &'static Schema, sources: &Sources, cases: &File) {
    let found = crate::check_with(schema, sources);
    let _ = render_all(&found, sources);
    if let Ok(layers) = Layers::load_with(schema, sources) {
        let _ = explain(&layers);
        let _ = run_cases(&layers, cases);
        let (braked, _) = layers.with_brake(sources.brake.as_ref());
        let _ = run_cases(&braked, cases);
    }
}

fn base(which: usize) -> (&'static Schema, Sources, File) {
    match EXAMPLES.get(which) {
        Some(name) => (Schema::smf(), example(name), shipped(&format!("examples/{name}/tests.toml"))),
        None => {
            let (schema, sources) = strathcarron("policy");
            (schema, sources, fixture("tests.toml"))
        }
    }
}

/// One of the four files, by number.
fn file<'a>(sources: &'a mut Sources, cases: &'a mut File, which: usize) -> &'a mut File {
    match (which, &mut sources.brake) {
        (0, _) => &mut sources.framework,
        (1, Some(brake)) => brake,
        (2, _) => cases,
        _ => &mut sources.policy,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), which in 0_usize..5, of in 0_usize..4) {
        let (schema, mut sources, mut cases) = base(of);
        file(&mut sources, &mut cases, which).text = String::from_utf8_lossy(&bytes).into_owned();
        take(schema, &sources, &cases);
    }

    /// Pieces of the file's own words in other places come further than noise does.
    #[test]
    fn a_file_with_its_own_pieces_moved_never_panics(
        moves in prop::collection::vec((0_usize..100_000, 0_usize..60, 0_usize..100_000, any::<bool>()), 1..4),
        which in 0_usize..5,
        of in 0_usize..4,
    ) {
        let (schema, mut sources, mut cases) = base(of);
        let text = &mut file(&mut sources, &mut cases, which).text;
        let mut letters: Vec<char> = text.chars().collect();
        for (from, length, to, cut) in moves {
            let from = from % letters.len().max(1);
            let end = (from + length).min(letters.len());
            let piece: Vec<char> = letters[from.min(end)..end].to_vec();
            if cut {
                letters.drain(from.min(end)..end);
            }
            let to = to % (letters.len() + 1);
            letters.splice(to..to, piece);
        }
        *text = letters.into_iter().collect();
        take(schema, &sources, &cases);
    }

    /// Another number or word in one place mostly still reads, and so reaches what lies behind the reader.
    #[test]
    fn a_file_with_one_value_changed_never_panics(
        at in 0_usize..1_000,
        value in prop::sample::select(vec!["0", "1", "4294967295", "-1", "true", "\"\"", "[]", "{}", "2026-04-01", "9999-12-31", "1e-6", "0.000001", "\"people\"", "\"code\"", "[\"people\"]"]),
        which in 0_usize..5,
        of in 0_usize..4,
    ) {
        let (schema, mut sources, mut cases) = base(of);
        let text = &mut file(&mut sources, &mut cases, which).text;
        let places: Vec<usize> = text.match_indices('=').map(|(i, _)| i + 1).collect();
        if !places.is_empty() {
            let from = places[at % places.len()];
            let end = text[from..].find(['\n', ',', '}', '#']).map_or(text.len(), |n| from + n);
            text.replace_range(from..end, &format!(" {value} "));
        }
        take(schema, &sources, &cases);
    }
}
