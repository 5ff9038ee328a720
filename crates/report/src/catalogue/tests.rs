use super::*;

#[test]
fn every_shipped_document_holds_against_the_schema() {
    let catalogue = Catalogue::smf().unwrap_or_else(|faults| panic!("{faults:#?}"));
    let ids: Vec<&str> = catalogue.indicators().iter().map(|i| i.id.as_str()).collect();
    assert_eq!(ids, ["R1", "R4", "P1", "P2", "P6"]);
    for indicator in catalogue.indicators() {
        assert!(!samples(indicator).is_empty(), "{}: nothing to ask", indicator.id);
        let used: BTreeSet<&str> = indicator
            .measures
            .iter()
            .flat_map(|m| [Some(&m.numerator), m.denominator.as_ref()])
            .flatten()
            .map(|p| p.of.as_str())
            .collect();
        assert!(
            indicator.asks.iter().all(|a| used.contains(a.name.as_str())),
            "{}: unused question",
            indicator.id
        );
    }
}

#[test]
fn every_document_in_the_folder_is_embedded() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../schemas/smf/indicators");
    let mut files: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().file_name().into_string().unwrap()).collect();
    let mut embedded: Vec<String> = EMBEDDED.iter().map(|(name, _)| (*name).to_owned()).collect();
    files.sort();
    embedded.sort();
    assert_eq!(files, embedded);
}

#[test]
fn special_category_has_its_own_role_and_purpose() {
    let catalogue = Catalogue::smf().unwrap();
    for indicator in catalogue.indicators() {
        for ask in &indicator.asks {
            let health = ask.question.contains("disabled");
            assert_eq!(health, indicator.purpose.as_str() == "equalities", "{} {}", indicator.id, ask.name);
        }
    }
}

/// Changes one text of a good document and expects the first fault's code and some of its words.
fn check(from: &str, to: &str, code: &str, says: &str) {
    let good = EMBEDDED.iter().find(|(name, _)| *name == "R4.toml").unwrap().1;
    assert!(good.contains(from), "{from}");
    let bad = good.replace(from, to);
    let faults = Catalogue::parse(&[("R4.toml", &bad)], Schema::smf()).unwrap_err();
    let first = &faults[0];
    assert_eq!((first.code, first.says.contains(says)), (code, true), "{first}");
}

#[test]
fn a_wrong_document_says_what_is_wrong() {
    check("theme =", "teme =", "CG001", "line 7: unknown field `teme`");
    check("version = 1", "version = 1\nextra = 1", "CG001", "unknown field `extra`");
    check("kind = \"share\"", "kind = \"mean\"", "CG001", "unknown variant `mean`");
    check("{period}", "{when}", "CG002", "placeholders");
    check(
        "participants.disabled_eqa,",
        "participants.disabeld_eqa,",
        "CG002",
        "no column `participants.disabeld_eqa`",
    );
    check("start_date@{grain}", "start_date@quarter", "CG002", "2024-25");
    check(
        "{ of = \"starters\", codes = [\"yes\"] }",
        "{ of = \"starter\" }",
        "CG003",
        "no question `starter`",
    );
    check("codes = [\"yes\"]", "codes = [\"maybe\"]", "CG003", "no code `maybe`");
    check("base = \"everybody who started\"", "", "CG003", "a base that says it");
    check("id = \"R4\"", "id = \"R9\"", "CG005", "id as its name");
    check("grains = [\"quarter\", \"year\"]", "grains = [\"month\"]", "CG005", "quarter, year or both");
    check("cairn_indicator = 1", "cairn_indicator = 2", "CG005", "format 1");
}

#[test]
fn a_document_has_a_longest_length_and_stands_once() {
    let long = "#".repeat(DOCUMENT_BYTES_MAX + 1);
    let faults = Catalogue::parse(&[("R1.toml", &long)], Schema::smf()).unwrap_err();
    assert_eq!(faults[0].code, "CG001");
    let (name, text) = EMBEDDED[0];
    let faults = Catalogue::parse(&[(name, text), (name, text)], Schema::smf()).unwrap_err();
    assert_eq!((faults.len(), faults[0].code), (1, "CG005"));
}

/// What boards approved under a name is what a report asks under it: the shipped framework holds the same definitions, no more and no fewer.
#[test]
fn every_question_of_a_report_is_one_that_the_framework_approved() {
    let schema = Schema::smf();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies/framework/framework.toml");
    let framework: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
    let list = |of: &toml::Value, key: &str| -> Vec<String> {
        of[key].as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()).collect()
    };
    for indicator in Catalogue::smf().unwrap().indicators() {
        let approved = &framework["indicator"][&indicator.id];
        let breakdowns = approved.get("breakdowns").map(|_| list(approved, "breakdowns")).unwrap_or_default();
        assert_eq!(breakdowns, indicator.breakdowns, "{}", indicator.id);
        assert_eq!(list(approved, "grains"), indicator.grains, "{}", indicator.id);
        let definition = |text: &str, (period, breakdown)| {
            let ask = NamedQuestion { name: "any".into(), question: text.to_owned() };
            indicator.fill(&ask, period, breakdown, schema).unwrap().definition_hash(schema)
        };
        let of = |texts: Vec<&str>| -> BTreeSet<cairn_question::Hash> {
            texts.iter().flat_map(|t| samples(indicator).into_iter().map(|s| definition(t, s))).collect()
        };
        let asked = of(indicator.asks.iter().map(|a| a.question.as_str()).collect());
        let texts = list(approved, "questions");
        assert_eq!(asked, of(texts.iter().map(String::as_str).collect()), "{}", indicator.id);
        let each = indicator.asks.len() * samples(indicator).len();
        assert_eq!(asked.len(), each, "{}: two questions of one definition", indicator.id);
    }
}
