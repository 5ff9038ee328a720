//! Sums and means of a number column: answered with noise within declared bounds, and in no other way.

use cairn_gate::Step;
use cairn_policy::{Layers, Sources, check};
use cairn_question::answer::{NoisyRowsV1, TreatmentV1};
use cairn_question::{AnswerV1, Cell};

use crate::world::{World, sources};

const SUM: &str = "sum:quarter_hours by activity_type";
const MEAN: &str = "mean:quarter_hours by activity_type, completed";

const ACTIVITIES: &str = r#"[dataset.activities]
one_row_is = "activity"
max_rows_per_person = 10

[dataset.activities.columns]
activity_id         = { use = "hidden" }
engagement_id       = { use = "hidden" }
local_person_id     = { use = "unit" }
activity_type       = { use = "dimension", grains = ["code"] }
stage               = { use = "hidden" }
start_date          = { use = "time", grains = ["year", "quarter"] }
end_date            = { use = "hidden" }
quarter_hours       = { use = "measure", bounds = [0, 60], unit = "quarter-hours" }
completed           = { use = "dimension", grains = ["code"] }
scqf_level          = { use = "hidden" }
provider_type       = { use = "hidden" }
mode                = { use = "hidden" }
onward_partner_type = { use = "hidden" }
onward_accepted     = { use = "hidden" }

[dataset.outcomes]
"#;

const SHARE: &str = r#"[[share]]
id       = "hours"
purpose  = "smf-reporting"
role     = "own-tables-analyst"
dataset  = "activities"
answers  = ["sum:quarter_hours", "mean:quarter_hours"]
group_by  = { activity_type = "code", completed = "code" }
filter_by = { activity_type = "code" }
max_group_columns  = 2
max_filter_columns = 1
links    = []
release  = "RELEASE"
per_analyst = { tables_per_day = 20, tables_per_year = 60 }

[[share]]
id       = "local-people"
"#;

/// The council's policy with a share of hours, by this release.
pub(crate) fn hours(release: &str) -> Sources {
    let share = SHARE.replace("RELEASE", release);
    let dominance = "profile = \"sub-national-8-5\"\ndominance = { largest = 1, max_percent = 50 }\n";
    let plain = if release == "plain-table" { dominance } else { "profile = \"sub-national-8-5\"\n" };
    sources(
        &[
            ("[dataset.outcomes]\n", ACTIVITIES),
            ("[[share]]\nid       = \"local-people\"\n", &share),
            ("profile = \"sub-national-8-5\"", plain.trim_end()),
        ],
        None,
    )
}

fn world(release: &str) -> World {
    let mut world = World::new();
    world.layers = Layers::load(&hours(release)).unwrap();
    world
}

fn ask(world: &mut World, id: u8, text: &str) -> AnswerV1 {
    let draft = world.draft(id, text);
    let reply = world.answer(&world.sign(&draft));
    world.table(&reply, &draft)
}

#[test]
fn a_sum_is_answered_with_noise_within_its_declared_bounds() {
    let mut world = world("noisy-starters");
    let answer = ask(&mut world, 1, SUM);
    let cells = i64::try_from(answer.table.cells.len()).unwrap();
    // After the people and the rows of each cell come the sums; and noise of one.
    let expected: Vec<Cell> = (2 * cells + 1..=3 * cells).map(|n| Cell::Value(n * 10 + 1)).collect();
    assert_eq!(answer.table.cells, expected);
    let TreatmentV1::Dp { sensitivity, plus_minus_95, added, .. } = &answer.treatment else {
        panic!("{:?}", answer.treatment)
    };
    let added = added.as_ref().unwrap();
    assert_eq!((*sensitivity, added.unit.as_str(), &added.rows), (600, "quarter-hours", &None));
    assert_eq!((added.least, added.most, added.rows_per_person), (0, 60, 10));
    let range = answer.ranges()[0].unwrap();
    assert_eq!(range.most.unwrap() - range.least, i64::try_from(2 * plus_minus_95).unwrap());
    assert_eq!(world.account(), (4_995_838, 0));
}

#[test]
fn a_mean_is_answered_by_its_parts_and_charged_once() {
    let mut world = world("noisy-starters");
    let answer = ask(&mut world, 1, MEAN);
    let [.., parts] = &answer.table.dimensions[..] else { panic!("no parts") };
    assert_eq!((parts.column.as_str(), parts.codes.join(" ")), ("quarter_hours", "sum rows".to_owned()));
    let counted = i64::try_from(answer.table.cells.len()).unwrap() / 2;
    // One row too many by noise, taken to be of the middle of the bounds, 30; and the sum's own noise of one.
    let sum = (2 * counted + 1) * 10 + 31;
    assert_eq!(answer.table.cells[..2], [Cell::Value(sum), Cell::Value((counted + 1) * 10 + 1)]);
    let TreatmentV1::Dp { sensitivity: 300, plus_minus_95, added: Some(added), .. } = &answer.treatment
    else {
        panic!("{:?}", answer.treatment)
    };
    let NoisyRowsV1 { epsilon, plus_minus_95: rows_within, .. } = added.rows.as_ref().unwrap();
    assert_eq!(epsilon.to_string(), "0.05");
    let wide = |at: usize| answer.ranges()[at].map(|r| r.most.unwrap() - r.least).unwrap();
    let twice = |within: &u64| i64::try_from(2 * within).unwrap();
    assert_eq!((wide(0), wide(1)), (twice(plus_minus_95), twice(rows_within)));
    assert_eq!(world.account(), (4_995_838, 0));
    // The axes in another order are the same table, parts last, and charged nothing.
    let again = world.draft(2, "mean:quarter_hours by completed, activity_type");
    let Step::Reply(reply) = world.count(&world.sign(&again)) else { panic!("counted again") };
    let second = world.table(&reply, &again);
    assert_eq!(second.table.dimensions.last(), answer.table.dimensions.last());
    assert_eq!(second.table.cells[..2], answer.table.cells[..2]);
    assert_eq!((second.privacy.charged.nano(), world.account().0), (0, 4_995_838));
}

#[test]
fn a_sum_without_noise_is_refused_and_the_checker_says_so_before() {
    let codes = |release: &str| check(&hours(release)).iter().map(|f| f.code).collect::<Vec<_>>();
    assert!(codes("plain-table").contains(&"CP313"));
    assert!(!codes("noisy-starters").contains(&"CP313"));
    let mut world = world("plain-table");
    for (id, text) in [(1, SUM), (2, MEAN)] {
        let draft = world.draft(id, text);
        let reply = world.answer(&world.sign(&draft));
        let rules = world.outcome(&reply, &draft);
        assert_eq!(rules, "release.plain-table.dominance CN010, question.measure CN010");
    }
}
