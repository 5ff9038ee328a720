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
        once_year: spent(0),
        once_lifetime: spent(0),
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

#[test]
fn people_counted_once_stand_on_an_account_of_their_own() {
    let layers = council();
    let once = NanoRho::new;
    let account = Account {
        once_year: once(2_000_000_000),
        once_lifetime: once(3_000_000_000),
        ..account(&layers, 0, 0)
    };
    let words = in_words(&layers, &account);
    assert!(words.contains("on an account of its own: ρ 2.000000000 since"), "{words}");
    assert!(words.contains("3.000000000 for life"), "{words}");
}
