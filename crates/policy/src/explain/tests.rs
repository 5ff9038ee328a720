use super::*;
use crate::tests::{EXAMPLES, counting_once, strathcarron};

mod accessible;
mod reading;
mod said;

/// A shipped example, the design's worked example by the name `strathcarron`, or the policy that counts people once.
fn loaded(name: &str) -> Layers {
    let (schema, sources) = match name {
        "strathcarron" => strathcarron("policy"),
        "once" => (cairn_question::Schema::smf(), counting_once()),
        _ => return crate::tests::loaded(name),
    };
    Layers::load_with(schema, &sources).unwrap_or_else(|f| panic!("{}", crate::render_all(&f, &sources)))
}

/// Every policy whose pages are goldens.
fn names() -> impl Iterator<Item = &'static str> {
    EXAMPLES.into_iter().chain(["strathcarron", "once"])
}

/// Lines of a printed A4 page: 12.6 points each, in type of 8.5 points that is 100 columns wide.
const PAGE_LINES: usize = 60;

#[test]
fn every_page_of_the_shipped_policies_is_read_here() {
    for name in names() {
        let layers = loaded(name);
        insta::assert_snapshot!(format!("explain_{name}"), explain(&layers));
        insta::assert_snapshot!(format!("easy_read_{name}"), easy_read(&layers));
        insta::assert_snapshot!(format!("notice_{name}"), notice(&layers));
    }
    for name in ["peer-assessment", "college"] {
        let layers = Layers::load(&crate::tests::template(name)).unwrap();
        insta::assert_snapshot!(format!("explain_template_{name}"), explain(&layers));
        insta::assert_snapshot!(format!("easy_read_template_{name}"), easy_read(&layers));
    }
    let layers = loaded("health-board");
    insta::assert_snapshot!("explain_html", explain_html(&layers));
    insta::assert_snapshot!("easy_read_html", easy_read_html(&layers));
    insta::assert_snapshot!("notice_html", notice_html(&layers));
}

/// What there is to say where the program can answer all that the policy asks for.
fn able(layers: &Layers) -> Model {
    let mut model = Model::of(layers, COUNCILS);
    for share in &mut model.shares {
        share.unable.clear();
        share.answered = model::Answered::Yes;
    }
    model
}

#[test]
fn five_shares_fit_two_pages_before_the_annex() {
    for name in names() {
        let layers = loaded(name);
        let text = explain(&layers);
        assert!(text.lines().all(|l| l.chars().count() <= text::WIDTH), "{name}");
        let text = text::render(&board::page(&able(&layers)));
        let lines = text.lines().take_while(|l| !l.starts_with("ANNEX")).count();
        // The council has eight shares: each of the three beyond five may add a paragraph, a row of figures, a role and a purpose.
        let more = 14 * layers.shares.len().saturating_sub(5);
        assert!(lines <= 2 * PAGE_LINES + more, "{name} has {lines} lines");
    }
}

#[test]
fn no_page_depends_on_the_brake() {
    let layers = loaded("council");
    let braked =
        crate::File::new("local-brake.toml", "cairn_brake = 1\npause_all = true\nreason = \"drill\"\n");
    let (paused, findings) = layers.with_brake(Some(&braked));
    assert!(findings.is_empty() && paused.brake.pause_all);
    for page in [explain, explain_html, easy_read, notice_html] {
        assert_eq!(page(&layers), page(&paused));
    }
}

#[test]
fn a_national_figure_is_said_for_as_many_partners_as_are_asked_for() {
    let layers = loaded("health-board");
    assert_eq!(explain(&layers), explain_among(&layers, NonZeroU32::new(32).unwrap()));
    assert!(explain_among(&layers, NonZeroU32::new(5).unwrap()).contains("the sum of 5"));
}

#[test]
fn odds_are_rounded_up() {
    assert_eq!([0, 200_000, 1_000_000].map(super::model::protection::odds), ["1.00", "1.23", "2.72"]);
}
