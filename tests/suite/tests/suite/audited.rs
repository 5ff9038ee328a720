//! A partner whose board gives exact counts: what an analyst sees, and what an auditor at the node can show.

use crate::harness::federation::{EVERYDAY, Federation, Partner};
use crate::harness::people::{ANGUS, DUNDEE, FIFE, people};

const ROUNDED: &str = "method  = \"suppress-round\"\nprofile = \"sub-national-8-5\"";
const SECONDARY: &str = "method  = \"suppress-round\"\nprofile = \"sub-national-8-5\"\nsecondary = true";
const AUDITED: &str = "method  = \"suppress-audit\"\nprofile = \"scottish-5-audit\"";

fn federation() -> Federation {
    let here = [people("A", 103, FIFE, "F"), people("B", 52, FIFE, "M")];
    let few = [people("C", 3, ANGUS, "F"), people("D", 1, ANGUS, "M"), people("E", 21, DUNDEE, "M")];
    let fife = [here.concat(), few.concat()].concat();
    Federation::start(&[Partner { policy: vec![(ROUNDED, AUDITED)], ..Partner::new("fife", fife) }])
}

#[test]
fn exact_counts_leave_with_totals_and_an_auditor_checks_their_witnesses() {
    let federation = federation();
    let (code, answer) = federation.ask_json("people by council, sex", EVERYDAY);
    assert_eq!(code, 0, "{answer}");
    let fife = &answer["answers"]["fife"];
    assert_eq!(fife["treatment"]["method"], "suppress-audit");
    assert_eq!(fife["treatment"]["profile"], "scottish-5-audit");
    let codes = &fife["table"]["dimensions"];
    let at = |axis: usize, code: &str| {
        codes[axis]["codes"].as_array().unwrap().iter().position(|c| c == code).unwrap()
    };
    let sexes = codes[1]["codes"].as_array().unwrap().len();
    let cell =
        |council: &str, sex: &str| fife["table"]["cells"][at(0, council) * sexes + at(1, sex)].to_string();
    assert_eq!((cell(ANGUS, "female"), cell(ANGUS, "male")), ("\"c\"".to_owned(), "\"c\"".to_owned()));
    let totals = fife["table"]["totals"].as_array().unwrap();
    let councils = codes[0]["codes"].as_array().unwrap().len();
    assert_eq!(totals.len(), councils + sexes + 1);
    assert_eq!(totals.last().unwrap(), 180, "everybody, exactly");
    // A smaller table of the same snapshot says what the larger one said of its totals.
    let (_, smaller) = federation.ask_json("people by council", EVERYDAY);
    assert_eq!(smaller["answers"]["fife"]["table"]["cells"].as_array().unwrap()[..], totals[..councils]);
    let screen = federation.ask("people by council", EVERYDAY).exits(0);
    let screen = screen.says("suppress-audit (scottish-5-audit)").says("Totals at fife");
    screen.says("everybody: 180").says("no small count can be worked out");

    let check = || federation.cairn(&["audit", "witnesses", "fife/ledger.sqlite"]);
    check().exits(0).says("2 of 2 audited tables are borne out").says("none can be worked out");
    let folder = federation.path("fife/ledger.sqlite.witnesses");
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 2);
    let sound = std::fs::read(&files[0]).unwrap();
    let mut spoilt = sound.clone();
    spoilt[sound.len() / 2] ^= 1;
    std::fs::write(&files[0], &spoilt).unwrap();
    check().exits(6).says("CA111").says("1 of 2 audited tables are borne out");
    std::fs::remove_file(&files[0]).unwrap();
    check().exits(6).says("CA110");
    std::fs::write(&files[0], &sound).unwrap();
    check().exits(0);
    // The log of the audit is whole with the new kind of entry.
    let entries = federation.audit("fife");
    assert_eq!(entries.iter().filter(|e| e["witnesses"].is_string()).count(), 2);
}

/// 8, 8 and 1 of 17: plainly rounded, the table and the total give the 1 away.
#[test]
fn rounded_counts_leave_with_rounded_totals_and_an_auditor_checks_their_witnesses() {
    let some = [people("A", 8, FIFE, "F"), people("B", 8, ANGUS, "M"), people("C", 1, DUNDEE, "M")];
    let policy = vec![(ROUNDED, SECONDARY)];
    let federation = Federation::start(&[Partner { policy, ..Partner::new("fife", some.concat()) }]);
    let (code, total) = federation.ask_json("people", EVERYDAY);
    assert_eq!(code, 0, "{total}");
    assert_eq!(total["answers"]["fife"]["table"]["cells"].to_string(), "[15]");
    let (_, answer) = federation.ask_json("people by council", EVERYDAY);
    let fife = &answer["answers"]["fife"];
    assert_eq!(fife["treatment"]["method"], "suppress-round");
    assert_eq!(fife["treatment"]["promise"], "knows-thresholds");
    assert_eq!(fife["table"]["totals"].to_string(), "[15]");
    let shown: Vec<String> =
        fife["table"]["cells"].as_array().unwrap().iter().map(|c| c.to_string()).collect();
    let many = |cell: &str| shown.iter().filter(|c| *c == cell).count();
    assert_eq!((many("10"), many("\"c\""), many("0")), (1, 2, shown.len() - 3));
    let screen = federation.ask("people by council", EVERYDAY).exits(0);
    let screen = screen.says("suppress-round (sub-national-8-5)").says("Totals at fife");
    screen.says("everybody: 15").says("no small count can be worked out");
    federation
        .cairn(&["audit", "witnesses", "fife/ledger.sqlite"])
        .exits(0)
        .says("2 of 2 audited tables are borne out");
}

#[test]
fn what_an_audit_cannot_take_in_is_refused() {
    let federation = federation();
    federation.ask("people by council, age, simd where sex = female", EVERYDAY).exits(3).says("CN015");
    federation.ask("people in engagements by lep_code", EVERYDAY).exits(3).says("CN010");
}
