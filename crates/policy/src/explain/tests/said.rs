use super::*;

/// The part of a text under a heading, up to the next blank line followed by a heading, its lines joined.
fn part(text: &str, heading: &str) -> String {
    let from = text.find(heading).unwrap_or_else(|| panic!("no {heading}"));
    let lines = text[from..].lines().skip(1);
    let heading = |l: &&str| !l.is_empty() && !l.starts_with(' ');
    let inside: Vec<&str> = lines.take_while(|l| !heading(l)).collect();
    inside.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn says(name: &str, heading: &str, wanted: &[&str]) {
    let found = part(&explain(&loaded(name)), heading);
    for wanted in wanted {
        assert!(found.contains(wanted), "{name}, {heading}: {wanted}\n{found}");
    }
}

#[test]
fn what_never_leaves_comes_before_what_does() {
    let text = explain(&loaded("health-board"));
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}"));
    assert!(at("NEVER LEAVES, in any form:") < at("WHO MAY ASK"));
    assert!(at("parental status") < at("WHO MAY ASK"));
    assert!(!text.get(at("WHAT IS SHARED")..).unwrap().contains("parental status"));
    says(
        "health-board",
        "NEVER LEAVES",
        &["Any record of a person.", "sexual orientation", "whole tables of activities"],
    );
}

#[test]
fn it_says_who_may_ask_for_whom_and_how_many() {
    says(
        "council",
        "WHO MAY ASK",
        &[
            "equalities-analyst, for equalities: each vouched for by scottish-government, which agreed to name at most 4 people",
            "Nobody else.",
            "Purpose smf-reporting: Shared measurement statistics",
        ],
    );
}

#[test]
fn it_says_who_sees_the_partners_own_table() {
    says(
        "council",
        "WHO CAN SEE WHAT",
        &[
            "the coordinator and whoever asked see it, protected, under this partner's name",
            "this partner's part",
            "The coordinator also sees who asked what, when, of whom",
        ],
    );
}

#[test]
fn it_says_the_worst_case_in_tables_and_in_error() {
    says(
        "health-board",
        "WHAT IT CAN COST",
        &[
            "equalities-people 11 210 0.1 times 1.11 ±30 ±157",
            "at worst 11 tables a year in all and 210 for life",
            "95 % within ±315 on the national figure, the sum of 32 partners",
            "Plain tables: at worst 28,800 tables a year in all",
        ],
    );
}

#[test]
fn it_says_what_a_question_costs() {
    says(
        "council",
        "WHAT IT CAN COST",
        &[
            "A refused question costs nothing",
            "The same question on the same snapshot gets the stored table and costs nothing more.",
            "Any other noisy table costs every person its ε",
        ],
    );
}

#[test]
fn it_says_which_records_count() {
    says(
        "council",
        "WHICH RECORDS COUNT",
        &["Objections are always honoured, from the next snapshot on.", "frozen copy"],
    );
}

#[test]
fn it_says_what_opt_out_keep_and_snapshot_mean() {
    says(
        "strathcarron",
        "WHICH RECORDS COUNT",
        &[
            "a person counts only if sharing choice in participants is yes; a blank does not count",
            "Closed more than 5 years before the snapshot: never counted.",
            "a frozen copy of each month's end (a snapshot), never live records",
        ],
    );
}

#[test]
fn it_says_who_sees_a_masked_total_and_that_nobody_sees_it_exact() {
    says(
        "strathcarron",
        "WHO CAN SEE WHAT",
        &[
            "own table (lep-planning): the coordinator and whoever asked see it",
            "Masked total over at least 3 partners (smf-quarterly, smf-outcomes, equalities-noisy, pay-bands)",
            "nobody sees an exact total or this partner's part",
        ],
    );
}

#[test]
fn it_says_what_counting_people_once_shows_and_costs() {
    says(
        "once",
        "WHAT IS SHARED",
        &[
            "how many different people all partners know together: a random pattern leaves, in which a person known to several partners \
             counts once.",
            "ε₀ = 1 for each linkage key and each count, so up to 2 a count for a person recorded under 2. At most 2 counts a year and 8 \
             ever, on an account of its own.",
            "Leaves only in a total over at least 5 partners.",
        ],
    );
    says(
        "once",
        "WHO CAN SEE WHAT",
        &[
            "People counted once over at least 5 partners (people-once): link key itself never leaves.",
            "The coordinator sees the opened pattern, which keeps ε₀ for each linkage key; whoever asked sees the figure alone, which tells \
             far less.",
        ],
    );
    says(
        "once",
        "WHAT IT CAN COST A PERSON",
        &[
            "People counted once (people-once): at worst 2 counts a year and 8 for life, on an account of their own beside that of tables",
            "costs ε₀ = 1 to each linkage key, and ε = 2 to a person recorded under 2 of them",
            "off by about 1 to 4 % where 10,000 to 100,000 people are counted",
            "under about 500 none is given",
            "No table uses noise, so no person's account of tables is drawn on.",
        ],
    );
    says(
        "once",
        "WHAT IT DOES NOT PROTECT AGAINST",
        &["whoever stands under two keys counts twice", "One partner that lies can move it."],
    );
    // The row of figures: counts a year and for life, a person's ε and the odds e² of a guess.
    let row = part(&explain(&loaded("once")), "WHAT IT CAN COST A PERSON");
    assert!(row.contains("people-once 2 8 2 times 7.39 see below see below"), "{row}");
    let joined = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let layers = loaded("once");
    let notice = joined(notice(&layers));
    assert!(notice.contains("the code that we match you by never leaves"), "{notice}");
    assert!(joined(easy_read(&layers)).contains("In some counts you count only once."));
    // A policy that counts nobody once says nothing of it.
    let silent = crate::Layers::load(&crate::tests::template("council")).unwrap();
    assert!(!explain(&silent).contains("counted once ("));
}

/// The relative error of the estimate by ε₀, for 32 partners of whom 10 may collude: the figures of the count's own tests, at 10,000 and
/// 100,000 people.
#[test]
fn a_larger_epsilon_is_said_to_be_nearer() {
    for (epsilon, says) in
        [("0.5", "more than 1 to 4 %"), ("1.999999", "about 1 to 4 %"), ("2.0", "about 1 % or less")]
    {
        let mut sources = counting_once();
        sources.policy.text = sources.policy.text.replacen("= 1.0 ", &format!("= {epsilon} "), 1);
        let layers = Layers::load(&sources).unwrap_or_else(|f| panic!("{}", crate::render_all(&f, &sources)));
        let found = part(&explain(&layers), "WHAT IT CAN COST A PERSON");
        assert!(found.contains(&format!("off by {says} where")), "{found}");
    }
}

#[test]
fn it_says_when_the_coordinator_sees_an_exact_total() {
    let (schema, mut sources) = strathcarron("policy");
    sources.policy.text = sources
        .policy
        .text
        .replacen("method       = \"cell-key\"            # same", "method = \"suppress-round\" # same", 1)
        .replacen("ptable       = \"framework:d3\"\n", "", 1);
    let layers =
        Layers::load_with(schema, &sources).unwrap_or_else(|f| panic!("{}", crate::render_all(&f, &sources)));
    let found = part(&explain(&layers), "WHO CAN SEE WHAT");
    for wanted in [
        "Total over at least 3 partners, protected after adding up (smf-quarterly, smf-outcomes): the coordinator sees the exact \
         total, never this partner's part, and is trusted to withhold and round it.",
        "In a cell where this partner alone has people, the coordinator and partners who help it can learn the count.",
    ] {
        assert!(found.contains(wanted), "{found}");
    }
}

#[test]
fn it_says_the_error_of_a_total_whose_partners_share_the_noise() {
    says(
        "strathcarron",
        "WHAT IT CAN COST",
        &[
            "equalities-noisy 37 418 0.1 times 1.11 ±31 ±31",
            "37 tables a year in all and 418 for life",
            "95 % within ±31 on the national figure, one total over 32 partners (Scotland's councils) who share the noise",
        ],
    );
}

#[test]
fn it_says_how_far_off_a_total_is_of_counts_that_every_partner_changes() {
    let mut sources = crate::tests::example("council");
    let plain = "method  = \"suppress-round\"\nprofile = \"sub-national-8-5\"";
    let keyed = "method  = \"cell-key\"\nptable  = \"framework:d3-total\"\nprofile = \"census-cell-key\"\nmin_partners = 3";
    sources.policy.text = sources.policy.text.replacen(plain, keyed, 1);
    let layers = Layers::load(&sources).unwrap_or_else(|f| panic!("{}", crate::render_all(&f, &sources)));
    let text = explain(&layers);
    let shared = part(&text, "WHAT IS SHARED");
    for wanted in [
        "(cell key framework:d3-total). Every partner changes its own counts before they are added up: the total of 32 has a standard error \
         of at most 8.016.",
        "Leaves only in a total over at least 3 partners.",
    ] {
        assert!(shared.contains(wanted), "{shared}");
    }
    assert!(part(&text, "WHO CAN SEE WHAT").contains("nobody sees an exact total"), "{text}");
    assert!(part(&text, "WHAT IT CAN COST").contains("none no bound ±16 ±16"), "{text}");
}

/// A total of 32, of whom 10 may collude: the centre's width times √(32/22), and its steps.
#[test]
fn a_total_under_gaussian_noise_is_said_with_the_width_of_everybodys_shares() {
    let mut sources = crate::tests::example("council");
    let text = sources.policy.text.replace("discrete-laplace", "discrete-gaussian");
    sources.policy.text = text.replace("method    = \"dp\"\n", "method    = \"dp\"\nmin_partners = 3\n");
    let layers = Layers::load(&sources).unwrap_or_else(|f| panic!("{}", crate::render_all(&f, &sources)));
    let text = explain(&layers);
    let rho = cairn_question::privacy::NanoRho::cap_for(0.1, 1e-6);
    assert!(!text.contains("CN010") && !text.contains("cannot share"), "{text}");
    let sigma = (1e9 / (2.0 * (rho.nano() - 1) as f64)).sqrt();
    let width = (1.96 * sigma * (32.0_f64 / 22.0).sqrt() + 2.0).ceil();
    assert!(part(&text, "WHAT IT CAN COST").contains(&format!("times 1.11 ±{width}")), "{text}");
}

#[test]
fn gaussian_noise_is_said_with_its_chance() {
    let mut sources = crate::tests::example("council");
    sources.policy.text = sources.policy.text.replace("discrete-laplace", "discrete-gaussian");
    let layers = Layers::load(&sources).unwrap_or_else(|f| panic!("{}", crate::render_all(&f, &sources)));
    let rho = cairn_question::privacy::NanoRho::cap_for(0.1, 1e-6);
    let text = explain(&layers);
    let wanted = format!(
        "Protection: random noise on every count, from the bell curve (Gaussian), ρ = {rho} a table: ε = 0.1, but for a chance of 1e-6."
    );
    assert!(part(&text, "WHAT IS SHARED").contains(&wanted), "{text}");
    // 1.96 ÷ √(2ρ), which no Laplace noise of the same ε needs.
    let width = (1.96 / (2.0 * rho.nano() as f64 / 1e9).sqrt()).ceil();
    assert!(part(&text, "WHAT IT CAN COST").contains(&format!("times 1.11 ±{width}")), "{text}");
}

#[test]
fn a_share_says_its_time_limit_and_its_only_askers() {
    let layers = Layers::load(&crate::tests::template("peer-assessment")).unwrap();
    let text = explain(&layers);
    let shares = part(&text, "WHAT IS SHARED");
    assert!(
        shares.contains("Only assessor-one and assessor-two in the role peer-assessor may ask"),
        "{shares}"
    );
    assert!(shares.contains("from 2026-09-01 to 2026-10-31 only"), "{shares}");
    assert!(part(&text, "WHO MAY ASK").contains("Of them only: assessor-one and assessor-two."), "{text}");
}

#[test]
fn it_says_how_to_stop_it() {
    says("small-charity", "HOW TO STOP IT", &["`pause_all = true`", "Within a second", "needs no signature"]);
}

#[test]
fn it_says_what_it_does_not_protect_against() {
    says(
        "council",
        "WHAT IT DOES NOT PROTECT",
        &[
            "counted and protected at each",
            "promise no more",
            "cannot be called back",
            "runs this partner's machines",
        ],
    );
}

#[test]
fn it_says_what_happens_afterwards() {
    says("health-board", "AFTERWARDS", &["kept for 10 years", "by the agreement and not by any lock"]);
}

#[test]
fn the_notice_says_all_that_a_person_must_be_told() {
    let text = notice(&loaded("health-board"));
    for (heading, wanted) in [
        ("WHAT NEVER LEAVES US", "sexual orientation"),
        ("WHAT WE USE", "special category data: if you are disabled"),
        ("WHO ASKS", "up to 6 people chosen by scottish-government"),
        ("WHO ASKS", "UK GDPR Art 6(1)(e) and 9(2)(h); National Health Service (Scotland) Act 1978"),
        ("HOW TO OBJECT", "We always honour an objection."),
        ("HOW TO OBJECT", "It counts from the next snapshot"),
        ("HOW LONG", "list of questions for 10 years"),
        ("YOUR OTHER RIGHTS", "a copy of your information"),
        ("HOW TO COMPLAIN", "within 30 days that we have your complaint"),
        ("HOW TO COMPLAIN", "Information Commissioner's Office (ICO) at https://ico.org.uk/make-a-complaint"),
        ("WHERE TO ASK", "https://www.nhsglenardle.example/privacy/employability"),
        ("WHERE TO ASK", "nhsg.informationgovernance@glenardle.example"),
    ] {
        let found = part(&text, heading);
        assert!(found.contains(wanted), "{heading}: {wanted}\n{found}");
    }
}

#[test]
fn every_hard_word_of_easy_read_is_explained() {
    let text = easy_read(&loaded("council")).to_lowercase();
    let (body, explained) = text.split_once("hard words\n").unwrap();
    for word in ["copy of the records", "count", "information commissioner", "record", "round"] {
        assert!(body.contains(word), "{word} is not used");
        assert!(explained.contains(&format!("* {word}:")), "{word} is not explained");
    }
}

#[test]
fn it_says_what_this_program_cannot_answer_yet() {
    says(
        "strathcarron",
        "NOT ANSWERED YET",
        &[
            "refuses such questions, and answers none under a laxer rule, until it can",
            "change the counts of a secure total by framework:d3 (framework:d3-total is made for one) (smf-quarterly, smf-outcomes, pay-bands)",
            "make a secure total under cell-key (smf-outcomes, pay-bands)",
            "hold cohorts in a secure total under cell-key (smf-quarterly, smf-outcomes)",
            "add up hourly_pay (pay-bands)",
            "count anything but people under cell-key (smf-outcomes, pay-bands)",
        ],
    );
    says("strathcarron", "WHAT IS SHARED", &["smf-outcomes. Not answered yet. The role"]);
    says("strathcarron", "WHO CAN SEE WHAT", &["nobody sees an exact total or this partner's part."]);
    let layers = loaded("strathcarron");
    let joined = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let easy = joined(easy_read(&layers));
    assert!(easy.contains("We can not give some counts yet."), "{easy}");
    let notice = joined(notice(&layers));
    assert!(notice.contains("Our program cannot make all of these counts yet."), "{notice}");
    assert!(notice.contains("It refuses a question until it can."), "{notice}");
    for page in [explain_html(&layers), easy_read_html(&layers), notice_html(&layers)] {
        assert!(page.contains(" yet"), "{page}");
    }
}

/// Nothing is said of it where the list is empty: of the shipped policies, and of the worked example once a program can do all.
#[test]
fn it_says_nothing_of_what_this_program_can_answer() {
    let mut models: Vec<Model> = EXAMPLES.map(|name| Model::of(&loaded(name), COUNCILS)).into();
    models.push(able(&loaded("strathcarron")));
    for model in models {
        for page in [board::page(&model), easy::page(&model), notice::page(&model)] {
            let text = text::render(&page).to_lowercase();
            for words in ["not answered yet", "program cannot", "can not make", "can not give", "so far"] {
                assert!(!text.contains(words), "{words} in {text}");
            }
        }
    }
}
