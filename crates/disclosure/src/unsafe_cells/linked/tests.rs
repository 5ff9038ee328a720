use super::*;
use cairn_question::Schema;
use proptest::prelude::*;

/// `a=1 b=1 c=2`: codes a and b in part 1, c in part 2.
fn map(text: &str) -> BTreeMap<String, String> {
    let pair = |word: &str| word.split_once('=').map(|(code, part)| (code.to_owned(), part.to_owned()));
    text.split_whitespace().filter_map(pair).collect()
}

fn check(one: &str, other: &str, expected: Relation) {
    assert_eq!(relation(&map(one), &map(other)), expected, "{one} / {other}");
    assert_eq!(relation(&map(other), &map(one)), expected, "{other} / {one}");
}

#[test]
fn l9_bands_that_cut_each_other_are_linked() {
    check("a=1 b=1 c=2 d=2", "a=x b=x c=x d=x", Relation::Nested);
    check("a=1 b=1 c=2 d=2", "a=p b=p c=q d=q", Relation::Nested);
    check("a=1 b=2 c=3 d=4", "a=x b=x c=y d=y", Relation::Nested);
    // 16–19 and 20–24 against 16–17 and 18–24: the difference is those of 18 and 19.
    check("16=l 17=l 18=l 19=l 20=h 24=h", "16=x 17=x 18=y 19=y 20=y 24=y", Relation::Linked);
    // Some parts nest one way, some the other.
    check("a=1 b=1 c=2 d=3", "a=x b=y c=z d=z", Relation::Linked);
    check("a=1 b=1", "c=1 d=1", Relation::Disjoint);
    check("", "a=1", Relation::Disjoint);
}

/// A council less its listed wards is the ward that the list leaves out.
#[test]
fn l9_a_part_that_holds_more_than_its_pieces_is_linked() {
    check("w1=w1 w2=w2", "w1=c w2=c w3=c", Relation::Linked);
    check("w1=w1 w2=w2 w3=w3", "w1=c w2=c w3=c", Relation::Nested);
    // Areas of another council besides do no harm.
    check("w1=w1 w2=w2 w3=w3 v1=v1", "w1=c w2=c w3=c", Relation::Nested);
    check("w1=w1 w2=w2 w3=w3", "w1=c w2=c w3=c v1=d v2=d", Relation::Nested);
}

/// Every coarser grain of every code list of the data dictionary nests with the codes themselves.
#[test]
fn l9_the_dictionarys_own_grains_nest() {
    let schema = Schema::smf();
    let mut seen = 0;
    for column in schema.tables().flat_map(|t| t.columns.iter()) {
        let Some(codes) = schema.coarsen(column, "code") else { continue };
        for grain in schema.grains(column) {
            let Some(coarse) = schema.coarsen(column, grain) else { continue };
            assert_eq!(relation(&codes, &coarse), Relation::Nested, "{} {grain}", column.name);
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}

fn bands() -> impl Strategy<Value = BTreeMap<String, String>> {
    proptest::collection::vec(proptest::option::of(0_u8..3), 6).prop_map(|parts| {
        let of = |(code, part): (usize, Option<u8>)| part.map(|p| (code.to_string(), p.to_string()));
        parts.into_iter().enumerate().filter_map(of).collect()
    })
}

proptest! {
    /// Nested means: no difference of a part and whole parts of the other, that it holds, leaves a piece. Tried by brute force.
    #[test]
    fn nested_leaves_no_piece(one in bands(), other in bands()) {
        let found = relation(&one, &other);
        prop_assert_eq!(found, relation(&other, &one));
        let shared = one.keys().any(|c| other.contains_key(c));
        prop_assert_eq!(found == Relation::Disjoint, !shared);
        if found == Relation::Nested {
            for (a, b) in [(&one, &other), (&other, &one)] {
                for part in a.values() {
                    let inside: BTreeSet<&String> = a.iter().filter(|(_, p)| *p == part).map(|(c, _)| c).collect();
                    let whole = |piece: &String| b.iter().filter(|(_, p)| *p == piece).all(|(c, _)| inside.contains(c));
                    let within: BTreeSet<&String> = b.iter().filter(|(_, p)| whole(p)).map(|(c, _)| c).collect();
                    prop_assert!(within.is_empty() || within == inside, "{:?} {:?}", one, other);
                }
            }
        }
    }
}
