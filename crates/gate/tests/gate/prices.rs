//! What a list of questions would come to, before it is asked.

use cairn_gate::{Buyer, price};
use cairn_ledger::{Answerable, History, Price};
use cairn_question::{Question, Schema, form};

use crate::world::{DISABLED, World, name};

fn question(text: &str) -> Question {
    let (role, purpose) = if text.contains("disabled") {
        ("equalities-analyst", "equalities")
    } else {
        ("own-tables-analyst", "smf-reporting")
    };
    form::parse(text, &name(role), &name(purpose), Schema::smf()).unwrap()
}

fn priced(world: &World, questions: &[Question]) -> Price {
    let (analyst, caps) = (name("a-analyst"), world.layers.caps());
    let buyer = Buyer { analyst: &analyst, issuer: None };
    let ledger = |wants: &[_]| world.ledger.price(wants, &caps, world.now);
    price(questions, buyer, &world.layers, &world.facts, world.now, ledger).unwrap()
}

fn in_words(price: &Price) -> Vec<String> {
    let one = |answerable: &Answerable, cost: u64| match answerable {
        Answerable::Anew => format!("costs {cost}"),
        Answerable::Again => "again".to_owned(),
        Answerable::Refused(rules) => rules.iter().map(|r| r.code.as_str()).collect::<Vec<_>>().join(" "),
    };
    price.questions.iter().map(|q| one(&q.answerable, q.cost.nano())).collect()
}

const COST: u64 = 4_995_838;

#[test]
fn policy_snapshot_and_ledger_are_asked_and_nothing_is_held() {
    let mut world = World::new();
    world.answer(&world.sign(&world.draft(1, DISABLED)));
    let (audit, account) = (world.audit(), world.account());
    let texts = [
        "people by sex, disabled",
        "people by disabled",
        "people by disabled as of 2026-03-31",
        "people by sex",
        "people by sex as of 2025-12-31",
        "people by disabled, parental_status",
        "people by disabled, age, sex",
    ];
    let list: Vec<Question> = texts.iter().map(|text| question(text)).collect();
    let all = priced(&world, &list);
    let anew = format!("costs {COST}");
    assert_eq!(in_words(&all)[..5], ["again", &anew, "again", "costs 0", "CN003"]);
    assert!(in_words(&all)[5..].iter().all(|codes| codes.starts_with("CR0")), "{:?}", in_words(&all));
    assert_eq!(all.cost.nano(), COST);
    assert_eq!(all.year_left.nano(), world.layers.caps().per_year.nano() - 2 * COST);
    assert_eq!((world.audit(), world.account()), (audit, account));
    // The same beside a running node.
    let history = History::open(&world.folder.path().join("ledger")).unwrap();
    let (analyst, caps) = (name("a-analyst"), world.layers.caps());
    let buyer = Buyer { analyst: &analyst, issuer: None };
    let beside = price(&list, buyer, &world.layers, &world.facts, world.now, |wants| {
        history.price(wants, &caps, world.now)
    });
    assert_eq!(beside.unwrap(), all);
}

/// A report of 5,000 cells at each of 32 nodes: said in the log, and only held to be possible.
#[test]
fn a_report_of_5000_cells_is_priced_at_32_nodes() {
    let mut world = World::new();
    world.answer(&world.sign(&world.draft(1, DISABLED)));
    let mut texts = Vec::new();
    for (n, council) in Schema::smf().code_list("council").unwrap().codes.iter().take(19).enumerate() {
        for axes in ["age, sex, simd", "age, gender, simd"] {
            texts.push(format!("people by {axes} where council = {}", council.code));
        }
        // As many noisy tables as a policy year pays for.
        if n < 10 {
            texts.push(format!("people by disabled, age where council = {}", council.code));
        }
    }
    let list: Vec<Question> = texts.iter().map(|text| question(text)).collect();
    let cells: usize = list.iter().map(|q| q.grid(Schema::smf()).unwrap().cells()).sum();
    assert!(cells >= 5_000, "{cells}");
    #[expect(clippy::disallowed_methods, reason = "a figure for people to read; nothing is held against it")]
    let begun = std::time::Instant::now();
    for _node in 0..32 {
        let price = priced(&world, &list);
        assert_eq!(price.questions.len(), list.len());
        assert!(in_words(&price).iter().all(|said| !said.starts_with('C')), "{:?}", in_words(&price));
    }
    let took = begun.elapsed();
    eprintln!("{} questions with {cells} cells at 32 nodes, one after another: {took:?}", list.len());
}
