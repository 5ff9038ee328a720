//! Every kind of question of a policy, tried twice and compared, beside calling `decide` on some of them one by one.

use std::time::Duration;

use cairn_policy::{Asker, File, Layers, Sources, decide, diff};
use cairn_question::{Name, Question, Schema};

use crate::{Failed, now, say};

const FRAMEWORK: &str = include_str!("../../../policies/framework/framework.toml");
const COUNCIL: &str = include_str!("../../../policies/examples/council/policy.toml");

/// Calls of `decide` that are timed.
const CALLS: u32 = 20_000;

/// Prints one line for the shipped council policy and one for a made-up policy of about 10⁹ kinds.
pub(crate) fn policy() -> Result<(), Failed> {
    measure("council, as shipped", &sources(COUNCIL.to_owned(), FRAMEWORK.to_owned()))?;
    let (policy, framework) = made_up()?;
    measure("council, widened", &sources(policy, framework))
}

/// The council's policy with its share of outcomes given to a second role, which makes some 10⁹ kinds.
fn made_up() -> Result<(String, String), Failed> {
    let from = COUNCIL.find("[[share]]\nid       = \"smf-outcomes\"");
    let to = from.and_then(|from| Some(from + COUNCIL.get(from + 1..)?.find("[[share]]")?));
    let share = from.zip(to).and_then(|(from, to)| COUNCIL.get(from..=to));
    let share = share.ok_or_else(|| Failed::new("the council's policy has no share smf-outcomes"))?;
    let again = share
        .trim_end_matches('[')
        .replace("\"smf-outcomes\"", "\"local-outcomes\"")
        .replace("\"smf-reporting\"", "\"local-planning\"")
        .replace("\"own-tables-analyst\"", "\"lep-analyst\"");
    Ok((format!("{COUNCIL}\n{again}"), FRAMEWORK.to_owned()))
}

fn sources(policy: String, framework: String) -> Sources {
    Sources {
        framework: File::new("framework.toml", framework),
        policy: File::new("policy.toml", policy),
        brake: None,
    }
}

fn measure(what: &str, sources: &Sources) -> Result<(), Failed> {
    let layers = Layers::load(sources).map_err(|f| Failed::new(format!("{} findings", f.len())))?;
    let begun = now();
    let found = diff(Some(&layers), &layers)?;
    let took = begun.elapsed();
    let each = per(took, found.kinds.tried);
    say(format!(
        "{what}: {} kinds tried under two policies in {took:.2?}, {each:.2} ns a kind; {} answered",
        found.kinds.tried, found.kinds.answered_new
    ));
    let asked = question()?;
    let (day, _) = layers.in_force();
    let begun = now();
    let answered = (0..CALLS).filter(|_| decide(&layers, &asked, Asker::Anyone, day).is_ok()).count();
    let took = begun.elapsed();
    say(format!(
        "  beside it: {answered} calls of decide in {took:.2?}, {:.0} ns a call",
        per(took, u64::from(CALLS))
    ));
    Ok(())
}

fn per(took: Duration, times: u64) -> f64 {
    let times = u32::try_from(times).map_or_else(|_| f64::from(u32::MAX), f64::from);
    took.as_secs_f64() * 1e9 / times.max(1.0)
}

/// A question that the council answers.
fn question() -> Result<Question, Failed> {
    let (role, purpose) = (Name::new("own-tables-analyst")?, Name::new("smf-reporting")?);
    let text = "people by council, age where quarter = 2026-Q2";
    Ok(cairn_question::form::parse(text, &role, &purpose, Schema::smf())?)
}
