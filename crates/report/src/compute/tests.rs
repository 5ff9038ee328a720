use super::*;
use crate::fixture::{Reply, outcomes, totals};
use crate::plan::{Order, ReleasePath, plan};
use cairn_question::Question;
use cairn_question::combine::Standing;

const PARTNERS: &[&str] = &["angus", "dundee-city", "charity"];

fn batch(indicators: &str) -> Batch {
    batch_by("council", indicators)
}

fn batch_by(area: &str, indicators: &str) -> Batch {
    let order = Order {
        indicators: indicators.split_whitespace().map(str::to_owned).collect(),
        period: "2024-25".parse().unwrap(),
        breakdown: Some(area.into()),
        path: ReleasePath::OwnTables,
        as_of: None,
    };
    plan(&Catalogue::smf().unwrap(), &order, Schema::smf()).unwrap()
}

fn report(
    indicator: &str,
    reply: impl Fn(&str, &Question) -> Reply,
    count: impl Fn(&str, &Question, &[&str]) -> i64,
) -> Reported {
    let (catalogue, batch) = (Catalogue::smf().unwrap(), batch(indicator));
    let outcomes = outcomes(&batch, PARTNERS, reply, count);
    let mut report = Report::compute(&catalogue, &batch, &outcomes, Schema::smf()).unwrap();
    report.indicators.remove(0)
}

/// One area's figures in a line: `column=value(least–most)marks/partners`.
fn line(reported: &Reported, area: &str, row: Option<&str>) -> String {
    let lines = reported.lines.iter().filter(|l| l.area_code == area && l.row.as_deref() == row);
    lines
        .map(|l| {
            format!(
                "{}={}{}/{}",
                l.column,
                l.figure.value.map_or("".into(), |q| q.to_string()),
                l.figure.marks(),
                l.partners
            )
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn has(question: &Question, column: &str) -> bool {
    question.filter_by.iter().any(|f| f.column == column)
}

const DUNDEE: &str = "S12000042";
const ANGUS: &str = "S12000041";

#[test]
fn people_are_added_over_partners_and_areas() {
    let count = |partner: &str, _: &Question, codes: &[&str]| match (partner, codes) {
        ("angus", [ANGUS]) => 100,
        ("dundee-city", [DUNDEE]) => 300,
        ("charity", [ANGUS]) => 20,
        ("charity", [DUNDEE]) => 3,
        _ => 0,
    };
    let r1 = report("R1", |_, _| Reply::Rounded, count);
    assert_eq!(line(&r1, ANGUS, None), "People starting=120/3");
    assert_eq!(line(&r1, DUNDEE, None), "People starting=304[e]/3");
    assert_eq!(line(&r1, "all", None), "People starting=424[e]/3");
    assert_eq!(line(&r1, "unknown", None), "People starting=0/3");
    assert_eq!(r1.lines.len(), 34);
}

#[test]
fn a_share_is_over_partners_that_answered_all_its_parts() {
    let count = |_: &str, q: &Question, codes: &[&str]| match codes {
        [DUNDEE] if q.dataset == "outcomes" => 60,
        [DUNDEE] => 200,
        _ => 0,
    };
    // The charity refuses the numerator only: adding its 200 to the denominator alone would make 20 %.
    let reply = |p: &str, q: &Question| match p {
        "charity" if q.dataset == "outcomes" => Reply::Refused,
        _ => Reply::Rounded,
    };
    let p1 = report("P1", reply, count);
    assert_eq!(line(&p1, DUNDEE, None), "Due=400/2 Found work=120/2 Share=30.0/2");
    assert_eq!(p1.coverage.in_part.len(), 1);
    assert_eq!(p1.coverage.answered.len(), 2);
    assert_eq!(line(&p1, ANGUS, None), "Due=0/2 Found work=0/2 Share=[z]/2");
}

#[test]
fn nobody_answers() {
    let p1 = report("P1", |p, _| if p == "angus" { Reply::Late } else { Reply::Offline }, |_, _, _| 100);
    assert_eq!(line(&p1, "all", None), "Due=[x]/0 Found work=[x]/0 Share=[x]/0");
    assert_eq!((p1.coverage.late.len(), p1.coverage.offline.len(), p1.coverage.asked), (1, 2, 3));
}

#[test]
fn disabled_share_is_of_those_known_with_unknown_beside() {
    let count = |p: &str, _: &Question, codes: &[&str]| match (p, codes) {
        ("charity", _) => 0,
        (_, ["yes", DUNDEE]) => 100,
        (_, ["no", DUNDEE]) => 300,
        (_, ["unknown", DUNDEE]) => 100,
        _ => 0,
    };
    let r4 = report("R4", |_, _| Reply::Noisy, count);
    assert_eq!(
        line(&r4, DUNDEE, None),
        "Disabled=200/3 Not disabled=600/3 Unknown=200/3 Share of known=25.0/3 Share unknown=20.0/3"
    );
    let all = r4.lines.iter().rfind(|l| l.column == "Share of known").unwrap();
    assert_eq!(all.figure.range, crate::figure::RangeKind::NinetyFive);
    // Every council adds noise to the sum: ±3 at 3 partners in 33 cells is ±30 for each part.
    assert_eq!(
        (
            all.figure.value.unwrap().to_string(),
            all.figure.least.unwrap().to_string(),
            all.figure.most.unwrap().to_string()
        ),
        ("25.0".into(), "21.2".into(), "28.8".into())
    );
}

#[test]
fn base_c_is_given_only_where_half_is_known() {
    let filter =
        |q: &Question, column: &str| q.filter_by.iter().find(|f| f.column == column).map(|f| f.value.clone());
    let count = |p: &str, q: &Question, codes: &[&str]| {
        if (p, codes) != ("angus", &[ANGUS][..]) {
            return 0;
        }
        match (filter(q, "week4").as_deref(), filter(q, "week13").as_deref()) {
            (None, None) => 400,
            (Some("due"), _) => 400,
            (Some("heard_from"), _) => 250,
            (Some("in_employment"), _) => 220,
            (_, Some("due")) => 300,
            (_, Some("heard_from")) => 120,
            (_, Some("in_employment")) => 100,
            _ => 0,
        }
    };
    let p2 = report("P2", |_, _| Reply::Rounded, count);
    assert_eq!(
        line(&p2, ANGUS, Some("4 weeks")),
        "In work=220/3 (a) all=55.0/3 (b) due=55.0/3 (c) heard from=88.0/3 Known=62.5/3"
    );
    assert_eq!(
        line(&p2, ANGUS, Some("13 weeks")),
        "In work=100/3 (a) all=25.0/3 (b) due=33.3/3 (c) heard from=[u]/3 Known=40.0/3"
    );
    assert_eq!(
        line(&p2, DUNDEE, Some("4 weeks")),
        "In work=0/3 (a) all=[z]/3 (b) due=[z]/3 (c) heard from=[z]/3 Known=[z]/3"
    );
    let told = p2.lines.iter().find_map(|l| l.figure.note);
    assert_eq!(told, Some(TOO_LITTLE_KNOWN));
}

#[test]
fn one_refused_week_leaves_the_other_weeks_whole() {
    let reply = |p: &str, q: &Question| match p {
        "charity" if has(q, "week52") => Reply::Refused,
        _ => Reply::Rounded,
    };
    let p2 = report("P2", reply, |_, _, codes| if codes == [DUNDEE] { 100 } else { 0 });
    assert!(line(&p2, DUNDEE, Some("4 weeks")).contains("In work=300/3"));
    assert!(line(&p2, DUNDEE, Some("52 weeks")).contains("In work=200/2"));
    assert!(p2.coverage.says().iter().any(|l| l == "Answered some of the questions: charity."));
}

#[test]
fn reasons_are_shares_of_all_that_ended() {
    let count = |p: &str, _: &Question, codes: &[&str]| match (p, codes) {
        ("angus", ["completed"]) => 300,
        ("angus", ["early_leaver_health"]) => 50,
        ("angus", ["early_leaver_moved"]) => 50,
        ("angus", ["died"]) => 2,
        _ => 0,
    };
    let p6 = report("P6", |_, _| Reply::Rounded, count);
    assert_eq!(line(&p6, "all", Some("Left early, in all")), "Ended=100/3 Share=24.8[e]/3");
    assert_eq!(line(&p6, "all", Some("Died")), "Ended=[c]/3 Share=[c]/3");
    assert_eq!(line(&p6, "all", Some("All that ended")), "Ended=404[e]/3");
    assert!(p6.lines.iter().all(|l| l.area_code == "all"));
}

#[test]
fn a_provisional_answer_marks_every_value() {
    let (catalogue, batch) = (Catalogue::smf().unwrap(), batch("R1"));
    let mut outcomes = outcomes(&batch, PARTNERS, |_, _| Reply::Rounded, |_, _, _| 100);
    outcomes[0].released[1].snapshots[0].provisional = true;
    let report = Report::compute(&catalogue, &batch, &outcomes, Schema::smf()).unwrap();
    assert!(report.indicators[0].lines.iter().all(|l| l.figure.marks().ends_with("[p]")));
}

#[test]
fn outcomes_of_another_batch_are_not_taken() {
    let (catalogue, batch) = (Catalogue::smf().unwrap(), batch("P1"));
    let error = Report::compute(&catalogue, &batch, &[Outcome::default()], Schema::smf()).unwrap_err();
    assert_eq!(error.code(), "CG104");
}

#[test]
fn an_answer_with_another_table_is_in_no_figure() {
    let (catalogue, batch) = (Catalogue::smf().unwrap(), batch("R1"));
    let mut outcomes = outcomes(&batch, PARTNERS, |_, _| Reply::Rounded, |_, _, _| 100);
    outcomes[0].released[0].answer.table.dimensions.clear();
    let report = Report::compute(&catalogue, &batch, &outcomes, Schema::smf()).unwrap();
    assert_eq!(line(&report.indicators[0], DUNDEE, None), "People starting=200/2");
}

#[test]
fn the_nation_is_one_cell_with_its_name() {
    let (catalogue, batch) = (Catalogue::smf().unwrap(), batch_by("nation", "R1"));
    let outcomes =
        outcomes(&batch, PARTNERS, |_, _| Reply::Rounded, |_, _, c| if c == ["scotland"] { 100 } else { 0 });
    let report = Report::compute(&catalogue, &batch, &outcomes, Schema::smf()).unwrap();
    let areas: Vec<&str> = report.indicators[0].lines.iter().map(|l| l.area_label.as_str()).collect();
    assert_eq!(areas, ["Scotland", "Not known", "All areas"]);
    assert_eq!(line(&report.indicators[0], "scotland", None), "People starting=300/3");
}

/// Of three partners that each would withhold their part, and of which no own table is there.
#[test]
fn a_total_is_one_part_of_all_its_partners() {
    let (catalogue, batch) = (Catalogue::smf().unwrap(), batch("R1"));
    let few = |_: &str, _: &Question, codes: &[&str]| if codes == [DUNDEE] { 4 } else { 1 };
    let outcomes = totals(&batch, PARTNERS, |_, _| true, few);
    let report = Report::compute(&catalogue, &batch, &outcomes, Schema::smf()).unwrap();
    let r1 = &report.indicators[0];
    assert_eq!(line(r1, DUNDEE, None), "People starting=10/3");
    assert_eq!(line(r1, ANGUS, None), "People starting=[c]/3");
    assert_eq!(r1.coverage.answered.len(), 3);
    assert_eq!(
        r1.treatments,
        [
            "one total of 3 partners, of which nobody saw a part: sub-national-8-5: 0 shown, cells of 1 to 7 people withheld, the rest rounded to the nearest 5"
        ]
    );
}

/// A numerator over three partners and a denominator over two make no share, and no partner's part can be taken out of a total.
#[test]
fn totals_of_other_partners_make_no_figure_together() {
    let (catalogue, batch) = (Catalogue::smf().unwrap(), batch("P1"));
    let count = |_: &str, q: &Question, _: &[&str]| if q.dataset == "outcomes" { 50 } else { 100 };
    let all = totals(&batch, PARTNERS, |_, _| true, count);
    let report = |outcomes: &[Outcome]| Report::compute(&catalogue, &batch, outcomes, Schema::smf()).unwrap();
    assert!(line(&report(&all).indicators[0], DUNDEE, None).contains("Share=50.0/3"), "all of them");
    let entered = |partner: &str, q: &Question| partner != "charity" || q.dataset != "outcomes";
    let some = totals(&batch, PARTNERS, entered, count);
    let p1 = &report(&some).indicators[0];
    assert!(
        p1.lines.iter().all(|l| l.figure.value.is_none() && l.partners == 0),
        "{}",
        line(p1, DUNDEE, None)
    );
    assert_eq!((p1.coverage.answered.len(), p1.coverage.in_part.len()), (2, 1));
}

/// A node that opened and was gone before its word: the total is of it too, and nobody says that it answered for itself.
#[test]
fn a_partner_of_a_total_without_its_own_word_is_named() {
    let (catalogue, batch) = (Catalogue::smf().unwrap(), batch("R1"));
    let mut outcomes = totals(&batch, PARTNERS, |_, _| true, |_, _, _| 100);
    let says = |outcomes: &[Outcome]| {
        let report = Report::compute(&catalogue, &batch, outcomes, Schema::smf()).unwrap();
        report.indicators[0].coverage.says()
    };
    assert_eq!(says(&outcomes), ["Answered: 3 of 3 partners."]);
    outcomes[0].coverage.as_mut().unwrap().partners[2].standing = Standing::Late;
    assert_eq!(
        says(&outcomes),
        [
            "Answered: 3 of 3 partners.",
            "In a total by the word of its other partners, its own has not come: charity."
        ]
    );
}
