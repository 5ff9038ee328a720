//! One question, however it is written: one charge, one table.

use std::collections::BTreeSet;

use cairn_gate::Step;
use cairn_question::{Cell, Grid, TableV1};

use crate::world::{World, layers};

/// A noisy share with filters that have several names.
const WIDER: &[(&str, &str)] = &[(
    "filter_by = { start_date = \"quarter\" }\nmax_group_columns  = 3\nmax_filter_columns = 1",
    "filter_by = { start_date = \"quarter\", end_reason = \"code\", \"participants.council_code\" = \"code\" }\n\
     max_group_columns  = 3\nmax_filter_columns = 3",
)];

const AXES: [[&str; 2]; 3] = [
    ["disabled", "participants.disabled_eqa@code"],
    ["council", "participants.council_code"],
    ["quarter from 2025-Q1 to 2025-Q4", "engagements.start_date@quarter from 2025-Q1 to 2025-Q4"],
];

const FILTERS: [[&str; 2]; 3] = [
    ["quarter = 2025-Q2", "engagements.start_date@quarter = 2025-Q2"],
    ["end_reason = early_leaver", "engagements.end_reason@group = early_leaver"],
    ["council = S12000042", "council = dundee city"],
];

const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

/// Every combination of the orders, the words and the day by name: 6 · 6 · 2⁶ · 2 texts.
fn written(number: usize) -> String {
    let bit = |at: usize| (number / 36) >> at & 1;
    let list = |of: &[[&str; 2]; 3], order: [usize; 3], first: usize, between: &str| {
        order.map(|at| of[at][bit(first + at)]).join(between)
    };
    let axes = list(&AXES, ORDERS[number % 6], 0, ", ");
    let filters = list(&FILTERS, ORDERS[number / 6 % 6], 3, " and ");
    let day = if bit(6) == 1 { " as of 2026-03-31" } else { "" };
    format!("people by {axes} where {filters}{day}")
}

/// The table with its axes in the order of `like`.
fn turned(table: &TableV1, like: &TableV1) -> Vec<Cell> {
    let (own, grid) =
        (Grid::new(table.dimensions.clone()).unwrap(), Grid::new(like.dimensions.clone()).unwrap());
    let place = |column: &str| own.dimensions().iter().position(|d| d.column == column).unwrap();
    let axes: Vec<usize> = own
        .dimensions()
        .iter()
        .map(|d| grid.dimensions().iter().position(|other| other.column == d.column).unwrap())
        .collect();
    assert_eq!(axes.len(), like.dimensions.iter().map(|d| place(&d.column)).collect::<BTreeSet<_>>().len());
    let cell = |at: usize| {
        let codes = grid.codes_of(at);
        let codes: Vec<&str> = axes.iter().map(|axis| codes[*axis]).collect();
        table.cells[own.cell_of(&codes).unwrap()]
    };
    (0..grid.cells()).map(cell).collect()
}

#[test]
fn two_hundred_rewritings_are_one_question_and_one_charge() {
    let mut world = World::new();
    world.layers = layers(WIDER, None);
    let first = world.draft(0, &written(0));
    let reply = world.answer(&world.sign(&first));
    let table = world.table(&reply, &first).table;
    let (charged, 0) = world.account() else { panic!("still held") };
    assert!(charged > 0);
    // 37 is prime to the number of combinations, so the steps go through orders, words and days together.
    let texts: Vec<String> = (1..=200).map(|n| written(n * 37 % (36 * 128))).collect();
    assert_eq!(texts.iter().collect::<BTreeSet<_>>().len(), 200, "each is written in its own way");
    let mut bytes_of = std::collections::BTreeMap::new();
    for (n, text) in texts.iter().enumerate() {
        let draft = world.draft(u8::try_from(n + 1).unwrap(), text);
        let signed = world.sign(&draft);
        let Step::Reply(reply) = world.count(&signed) else { panic!("counted again: {text}") };
        let again = world.table(&reply, &draft);
        assert_eq!(again.privacy.charged.nano(), 0, "{text}");
        assert_eq!(turned(&again.table, &table), table.cells, "{text}");
        // Byte for byte the same where the axes come in the same order.
        let order: Vec<&str> = again.table.dimensions.iter().map(|d| d.column.as_str()).collect();
        let bytes = serde_json::to_vec(&again.table).unwrap();
        assert_eq!(bytes_of.entry(order.join(" ")).or_insert_with(|| bytes.clone()), &bytes, "{text}");
    }
    assert_eq!(bytes_of.len(), 6, "every order of the axes was asked");
    assert_eq!(world.account(), (charged, 0));
    let repeats = world.audit().split(' ').filter(|kind| *kind == "question-repeated").count();
    assert_eq!(repeats, 200);
    // And one that means something else is charged.
    let other = world.draft(250, &written(0).replace("early_leaver", "completed"));
    let reply = world.answer(&world.sign(&other));
    assert_eq!(world.outcome(&reply, &other), "answer");
    assert_eq!(world.account(), (2 * charged, 0));
}
