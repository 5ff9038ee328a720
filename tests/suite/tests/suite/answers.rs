//! What an analyst sees: an answer of everybody, a refusal, a node that is gone.

use serde_json::Value;

use crate::harness::federation::{EQUALITIES, EVERYDAY, Federation, Partner};
use crate::harness::people::{ANGUS, DUNDEE, FIFE, people};

/// Without `sex` in the shares by which people are counted.
const WITHOUT_SEX: (&str, &str) = (
    r#"group_by  = { council_code = "code", age_band = "code", sex = "code", gender = "code", simd"#,
    r#"group_by  = { council_code = "code", age_band = "code", gender = "code", simd"#,
);

fn partners() -> [Partner; 3] {
    let angus = [people("A", 40, ANGUS, "F"), people("B", 13, ANGUS, "M"), people("C", 3, FIFE, "M")];
    let dundee = [people("D", 21, DUNDEE, "F"), people("E", 9, FIFE, "M")];
    let fife = [people("F", 100, FIFE, "F"), people("G", 52, FIFE, "M")];
    [
        Partner::new("angus", angus.concat()),
        Partner { policy: vec![WITHOUT_SEX], ..Partner::new("dundee", dundee.concat()) },
        Partner::new("fife", fife.concat()),
    ]
}

#[test]
fn a_federation_answers_refuses_and_says_who_is_gone() {
    let mut federation = Federation::start_with(&partners(), "round_deadline_s = 6");
    everybody_answers(&federation);
    the_three_formats_agree(&federation);
    noise_is_stated_and_charged(&federation);
    one_policy_refuses(&federation);
    nobody_answers_an_unknown_purpose(&federation);
    a_killed_node_is_said_to_be_gone(&mut federation);
}

fn everybody_answers(federation: &Federation) {
    let (code, answer) = federation.ask_json("people by council", EVERYDAY);
    assert_eq!(code, 0);
    assert_eq!(standings(&answer), ["angus answered", "dundee answered", "fife answered"]);
    // 0 is shown, 1 to 7 withheld, the rest rounded to 5: 40 + 13 and 3; 21 and 9; 100 + 52.
    assert_eq!(cell_of(&answer, "angus", ANGUS), "55");
    assert_eq!(cell_of(&answer, "angus", FIFE), "\"c\"");
    assert_eq!(cell_of(&answer, "angus", DUNDEE), "0");
    assert_eq!(cell_of(&answer, "dundee", DUNDEE), "20");
    assert_eq!(cell_of(&answer, "dundee", FIFE), "10");
    assert_eq!(cell_of(&answer, "fife", FIFE), "150");
    assert_eq!(combined(&answer, ANGUS), r#"{"cell":55,"least":53,"most":57,"parts_withheld":0}"#);
    assert_eq!(combined(&answer, FIFE), r#"{"cell":160,"least":157,"most":171,"parts_withheld":1}"#);
    let treatment = &answer["answers"]["fife"]["treatment"];
    assert_eq!(treatment["method"], "suppress-round");
    assert_eq!(treatment["profile"], "sub-national-8-5");
    assert_eq!(answer["answers"]["fife"]["snapshot"]["as_of"], "2026-01-01");
}

fn the_three_formats_agree(federation: &Federation) {
    let (_, answer) = federation.ask_json("people by council", EVERYDAY);
    let csv = federation.ask("people by council", &[EVERYDAY, &["--format", "csv"]].concat()).exits(0).out;
    let table = federation.ask("people by council", EVERYDAY).exits(0).out;
    let codes = answer["combined"]["dimensions"][0]["codes"].as_array().unwrap();
    let rows: Vec<Vec<&str>> = csv.lines().skip(1).map(|l| l.split(',').collect()).collect();
    assert_eq!(rows.len(), codes.len());
    let mut shown = 0;
    for ((code, cell), row) in codes.iter().zip(answer["combined"]["cells"].as_array().unwrap()).zip(&rows) {
        assert_eq!(row[0], code.as_str().unwrap());
        assert_eq!(row[2], cell["cell"].to_string());
        assert_eq!(row[4], cell["parts_withheld"].to_string());
        assert_eq!((row[5], row[6]), (&*cell["least"].to_string(), &*cell["most"].to_string()));
        let Some(line) = table.lines().find(|l| l.trim_start().starts_with(row[1])) else {
            assert_eq!((row[2], row[4]), ("0", "0"), "only rows of nothing but 0 are left out: {table}");
            continue;
        };
        shown += 1;
        let words: Vec<&str> = line.split_whitespace().collect();
        assert!(words.contains(&row[2]), "{} in `{line}`", row[2]);
        assert_eq!(words.contains(&"+1c"), cell["parts_withheld"] == 1, "{line}");
    }
    assert_eq!(shown, 3);
    assert!(table.contains(&format!("{} other rows: 0 throughout", codes.len() - 3)), "{table}");
    assert!(table.contains("Coverage: 3 of 3 partners answered"), "{table}");
    assert!(table.contains("suppress-round (sub-national-8-5)"), "{table}");
}

fn noise_is_stated_and_charged(federation: &Federation) {
    let (code, answer) = federation.ask_json("people by disabled", EQUALITIES);
    assert_eq!(code, 0);
    for partner in ["angus", "dundee", "fife"] {
        let answer = &answer["answers"][partner];
        assert_eq!(answer["treatment"]["method"], "dp");
        // ε = 0.1 by tanh(ε/2), in nano-ρ and rounded up.
        assert_eq!(answer["privacy"]["charged"], 4_995_838, "{answer}");
        assert_eq!(answer["privacy"]["year_so_far"], 4_995_838);
    }
    let (_, again) = federation.ask_json("people by disabled", EQUALITIES);
    assert_eq!(again["answers"]["fife"]["table"], answer["answers"]["fife"]["table"], "no fresh noise");
    assert_eq!(again["answers"]["fife"]["privacy"]["charged"], 0);
}

fn one_policy_refuses(federation: &Federation) {
    let (code, answer) = federation.ask_json("people by council, sex", EVERYDAY);
    assert_eq!(code, 4);
    assert_eq!(standings(&answer), ["angus answered", "dundee refused", "fife answered"]);
    let says = federation.ask("people by council, sex", EVERYDAY).exits(4);
    let says = says.says("Coverage: 2 of 3 partners answered").says("refused   dundee");
    let rule = &answer["coverage"]["partners"][1]["standing"]["refused"][0];
    let says = says.says(&format!("{} [{}]", rule["rule"].as_str().unwrap(), rule["code"].as_str().unwrap()));
    assert!(rule["rule"].as_str().unwrap().contains("smf-people"), "{rule}");
    says.says("nearest question that would be answered: people in participants by participants.council_code");
}

fn nobody_answers_an_unknown_purpose(federation: &Federation) {
    let words = ["--role", "own-tables-analyst", "--purpose", "benefit-sanctions"];
    federation.ask("people by council", &words).exits(3).says("No partner answered").says("Coverage: 0 of 3");
}

fn a_killed_node_is_said_to_be_gone(federation: &mut Federation) {
    // Nobody told the coordinator: until the silence has lasted long enough, it can only say that no reply came in time.
    federation.take_node("fife").kill_9();
    let (code, answer) = federation.ask_json("people by council", EVERYDAY);
    assert_eq!(code, 4);
    assert_eq!(standings(&answer)[..2], ["angus answered", "dundee answered"]);
    assert!(["fife late", "fife offline"].contains(&standings(&answer)[2].as_str()), "{answer}");
    assert_eq!(combined(&answer, FIFE), r#"{"cell":10,"least":9,"most":19,"parts_withheld":1}"#);
    answered_again(federation);
    // A node that is stopped says that it goes.
    federation.take_node("fife").stop();
    federation.ask("people by council", EVERYDAY).exits(4).says("Coverage: 2 of 3").says("offline   fife");
    answered_again(federation);
}

fn answered_again(federation: &mut Federation) {
    federation.start_node("fife");
    federation.wait_connected(&["angus", "dundee", "fife"]);
    let (code, answer) = federation.ask_json("people by council", EVERYDAY);
    assert_eq!((code, combined(&answer, FIFE).contains("160")), (0, true));
}

/// `partner standing` for each line of the coverage statement.
pub(crate) fn standings(answer: &Value) -> Vec<String> {
    let word = |standing: &Value| match standing {
        Value::Object(kind) => kind.keys().next().unwrap().clone(),
        plain => plain.as_str().unwrap().to_owned(),
    };
    let lines = answer["coverage"]["partners"].as_array().unwrap();
    lines.iter().map(|l| format!("{} {}", l["partner"].as_str().unwrap(), word(&l["standing"]))).collect()
}

/// One cell of one partner's table over one axis.
fn cell_of(answer: &Value, partner: &str, code: &str) -> String {
    let table = &answer["answers"][partner]["table"];
    table["cells"][place(table, code)].to_string()
}

/// One cell of the sum.
pub(crate) fn combined(answer: &Value, code: &str) -> String {
    let table = &answer["combined"];
    table["cells"][place(table, code)].to_string()
}

fn place(table: &Value, code: &str) -> usize {
    let codes = table["dimensions"][0]["codes"].as_array().unwrap();
    codes.iter().position(|c| c == code).unwrap()
}
