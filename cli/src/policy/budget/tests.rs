use super::*;
use cairn_policy::{File, Sources};

fn council() -> Layers {
    let policy = include_str!("../../../../policies/examples/council/policy.toml");
    let framework = File::new("framework.toml", super::super::FRAMEWORK);
    Layers::load(&Sources { framework, policy: File::new("policy.toml", policy), brake: None }).unwrap()
}

fn account(layers: &Layers, year: u64, lifetime: u64) -> Account {
    let (caps, spent) = (layers.caps(), NanoRho::new);
    Account {
        year_from: "2026-04-01".parse().unwrap(),
        year: spent(year),
        year_cap: caps.per_year,
        lifetime: spent(lifetime),
        lifetime_cap: caps.lifetime,
        held: spent(0),
        pure_epsilon_millionths: 0,
        other: spent(0),
    }
}

#[test]
fn what_is_left_is_said_in_tables() {
    let layers = council();
    insta::assert_snapshot!(in_words(&layers, &account(&layers, 20_000_000, 250_000_000)));
}

#[test]
fn what_is_left_for_life_limits_the_year_and_nothing_goes_below_zero() {
    let layers = council();
    let all = layers.caps().lifetime.nano();
    let text = in_words(&layers, &account(&layers, 0, all + 1));
    assert!(text.lines().any(|l| l.split_whitespace().eq(["equalities-people", "0", "0"])), "{text}");
}
