use cairn_question::form;

use super::*;
use crate::finding::{Severity, Sources, render_all};
use crate::tests::{EXAMPLES, TEMPLATES, example, template};
use crate::{Asker, decide};

/// The council's example with `indicators` in its share of starts, and the framework edited.
fn council(indicators: &str, edit: (&str, &str)) -> Sources {
    let mut sources = example("council");
    let (from, to) =
        ("id       = \"smf-starts\"", format!("id       = \"smf-starts\"\nindicators = {indicators}"));
    assert!(sources.policy.text.contains(from) && sources.framework.text.contains(edit.0));
    sources.policy.text = sources.policy.text.replacen(from, &to, 1);
    sources.framework.text = sources.framework.text.replacen(edit.0, edit.1, 1);
    sources
}

fn named(indicators: &str) -> Layers {
    let sources = council(indicators, ("", ""));
    Layers::load(&sources).unwrap_or_else(|f| panic!("{}", render_all(&f, &sources)))
}

fn question(text: &str) -> Question {
    let name = |word: &str| Name::new(word).unwrap();
    form::parse(text, &name("own-tables-analyst"), &name("smf-reporting"), Schema::smf()).unwrap()
}

/// `answered`, or the rules that refuse and what is offered instead.
fn verdict(layers: &Layers, text: &str) -> String {
    match decide(layers, &question(text), Asker::Anyone, layers.in_force().0) {
        Ok(_) => "answered".to_owned(),
        Err(refusal) => {
            let rules: Vec<&str> = refusal.rules.iter().map(|r| r.rule.as_str()).collect();
            format!("{}; nearest: {}", rules.join(", "), refusal.nearest.unwrap_or_default())
        }
    }
}

#[test]
fn a_share_with_indicators_answers_those_questions_and_no_other() {
    let layers = named("[\"R1\", \"P6\"]");
    for answered in [
        "people in engagements by participants.council_code where engagements.start_date@quarter = 2025-Q2",
        "people in engagements by participants.council_code where engagements.start_date@quarter = 2019-Q4",
        "people in engagements by engagements.lep_code where engagements.start_date@year = 2024-25",
        "rows in engagements by engagements.end_reason where engagements.end_date@quarter = 2025-Q2",
    ] {
        assert_eq!(verdict(&layers, answered), "answered", "{answered}");
    }
    let nearest = |text: &str, rest: &str| {
        assert_eq!(verdict(&layers, text), format!("share.smf-starts.indicators; nearest: {rest}"), "{text}");
    };
    // Another column, one filter more, one filter fewer: each is another question than the one approved.
    nearest(
        "people in engagements by participants.sex where engagements.start_date@quarter = 2025-Q2",
        "people in engagements by engagements.lep_code where engagements.start_date@quarter = 2025-Q2",
    );
    nearest(
        "people in engagements by participants.council_code where engagements.start_date@quarter = 2025-Q2 and engagements.job_due_12m = due",
        "people in engagements by participants.council_code where engagements.start_date@quarter = 2025-Q2",
    );
    nearest(
        "people in engagements by participants.council_code",
        "people in engagements by participants.council_code where engagements.start_date@quarter = 2026-Q1",
    );
    // Without the list the same questions are answered: the share's own columns allow them.
    let open = crate::tests::loaded("council");
    assert_eq!(
        verdict(
            &open,
            "people in engagements by participants.sex where engagements.start_date@quarter = 2025-Q2"
        ),
        "answered"
    );
}

#[test]
fn what_an_indicator_offers_is_answered() {
    let layers = named("[\"R1\", \"P1\", \"P6\"]");
    for asked in [
        "people in engagements",
        "rows in engagements",
        "people in engagements by participants.sex, participants.gender",
    ] {
        let refusal = decide(&layers, &question(asked), Asker::Anyone, layers.in_force().0).unwrap_err();
        assert_eq!(verdict(&layers, &refusal.nearest.unwrap()), "answered", "{asked}");
    }
}

fn codes(sources: &Sources) -> Vec<String> {
    let found = crate::check(sources);
    let kept = found
        .iter()
        .filter(|f| f.severity != Severity::Note && !["CP108", "CP223", "CP420"].contains(&f.code));
    kept.map(|f| format!("{} {}", f.code, f.rule)).collect()
}

#[test]
fn an_indicator_that_was_changed_after_it_was_approved_does_not_load() {
    let found = |from: &str, to: &str| codes(&council("[\"R1\"]", (from, to)));
    const STARTERS: &str =
        "people in engagements by {breakdown} where engagements.start_date@{grain} = {period}";
    assert_eq!(found(STARTERS, STARTERS), Vec::<String>::new());
    let changed = |to: &str| found(STARTERS, to);
    for other in [
        "rows in engagements by {breakdown} where engagements.start_date@{grain} = {period}",
        "people in engagements by {breakdown} where engagements.end_date@{grain} = {period}",
        "people in engagements by {breakdown}",
        "people in engagements by {breakdown} where engagements.start_date@{grain} = {period} and job_due_12m = due",
    ] {
        assert_eq!(changed(other), ["CP221 indicator.R1.hash"], "{other}");
    }
    for wrong in [
        "people in engagements by nonsense",
        "people in engagements by {column}",
        "people in engagements by {breakdown} where engagements.start_date@month = 2025-01",
    ] {
        assert_eq!(changed(wrong), ["CP220 indicator.R1.questions"], "{wrong}");
    }
    // A name without a question used to load, and to vanish.
    const P6: &str =
        "rows in engagements by engagements.end_reason where engagements.end_date@{grain} = {period}";
    let emptied = found(&format!("\n    \"{P6}\",\n"), "");
    assert_eq!(emptied, ["CP220 indicator.P6.questions", "CP221 indicator.P6.hash"]);
    // A breakdown or a length of period more is more than what was approved.
    let grains = ("[indicator.R1]\ntitle", "[indicator.R1]\nhush = 1\ntitle");
    assert_eq!(found(grains.0, grains.1), ["CP003 indicator.R1.hush"]);
    assert_eq!(found(", \"engagements.lep_code\"]", "]"), ["CP221 indicator.R1.hash"]);
    assert_eq!(
        found("grains = [\"quarter\", \"year\"]", "grains = [\"quarter\"]"),
        ["CP221 indicator.R1.hash"]
    );
    assert_eq!(
        found("grains = [\"quarter\", \"year\"]", "grains = [\"month\"]")[0],
        "CP005 indicator.R1.grains"
    );
}

#[test]
fn a_wrong_hash_is_told_with_the_right_one() {
    let framework = example("council").framework.text;
    let at = framework.find("[indicator.R1]").unwrap();
    let line = framework[at..].lines().find(|l| l.starts_with("hash")).unwrap().to_owned();
    for wrong in
        [String::new(), line.replace("sha256:", "sha256:0"), line.to_uppercase().replace("HASH", "hash")]
    {
        let sources = council("[\"R1\"]", (&line, &wrong));
        let found = crate::check(&sources);
        let fault = found.iter().find(|f| f.code == "CP221").unwrap();
        assert!(fault.fix.as_ref().unwrap().contains(&line), "{fault:?}");
    }
}

#[test]
fn a_share_names_indicators_that_there_are_and_that_it_could_answer() {
    assert_eq!(codes(&council("[\"R9\"]", ("", ""))), ["CP430 share.smf-starts.indicators"]);
    assert_eq!(codes(&council("[\"W1\"]", ("", ""))), ["CP431 share.smf-starts.indicators"]);
    // None at all is no question at all, and says so by refusing: nothing stands for "any".
    let none = named("[]");
    assert!(verdict(&none, "people in engagements").starts_with("share.smf-starts.indicators"));
}

#[test]
fn the_layers_name_the_indicator_of_a_question_whoever_asks_and_for_whatever_period() {
    let layers = crate::tests::loaded("council");
    let of = |text: &str| layers.indicators_of(&question(text)).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(
        of("people in engagements by engagements.lep_code where engagements.start_date@quarter = 2020-Q1"),
        ["R1"]
    );
    assert_eq!(of("people in workforce_skills by grade_band"), ["W1", "W4"]);
    assert_eq!(of("people in engagements by participants.sex"), Vec::<String>::new());
}

/// Every shipped indicator can be answered whole by the policy that is for it, so that an approval is not an empty word.
#[test]
fn the_peer_assessment_answers_every_question_of_its_indicators() {
    let sources = template("peer-assessment");
    let layers = Layers::load(&sources).unwrap_or_else(|f| panic!("{}", render_all(&f, &sources)));
    let ready = &layers.shares[0];
    let asked: Vec<Question> = questions(&ready.share, &layers.indicators).cloned().collect();
    assert_eq!(asked.len(), 12, "three indicators by grade and by hours, two questions each");
    for listed in asked {
        let share = &ready.share;
        let question =
            Question { role: share.role.value.clone(), purpose: share.purpose.value.clone(), ..listed };
        let day = share.from.as_ref().unwrap().value;
        assert!(decide(&layers, &question, Asker::Anyone, day).is_ok(), "{}", form::print(&question));
    }
}

#[test]
fn every_shipped_policy_knows_the_same_indicators() {
    let names = TEMPLATES.iter().map(|(name, _)| template(name)).chain(EXAMPLES.map(example));
    for sources in names {
        let layers = Layers::load(&sources).unwrap_or_else(|f| panic!("{}", render_all(&f, &sources)));
        let ids: Vec<&str> = layers.indicators.keys().map(String::as_str).collect();
        assert_eq!(ids, ["P1", "P2", "P6", "R1", "R4", "W1", "W2", "W3", "W4"]);
        assert_eq!(layers.indicators["P2"].len(), 52);
    }
}
