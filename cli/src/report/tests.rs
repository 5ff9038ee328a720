use super::*;

fn args(words: &str) -> ReportArgs {
    #[derive(clap::Parser)]
    struct Program {
        #[command(flatten)]
        report: ReportArgs,
    }
    let fixed = "cairn --as analyst --coordinator 127.0.0.1:1 --period 2024-25";
    let words = fixed.split(' ').chain(words.split_whitespace());
    <Program as clap::Parser>::try_parse_from(words).unwrap().report
}

/// How many of a report's questions are put as totals, or the code of why none is.
fn check(words: &str, expected: Result<usize, &str>) {
    let args = args(words);
    let batch = plan(&catalogue().unwrap(), &args.order(), Schema::smf()).unwrap();
    let puts = args.puts(&batch).map(|puts| puts.iter().flatten().count());
    assert_eq!(puts.map_err(|failure| failure.code.to_string()), expected.map_err(str::to_owned), "{words}");
}

#[test]
fn a_report_is_of_totals_of_a_named_day_or_of_own_tables() {
    check("", Err("CC219"));
    check("--as-of 2026-09-30", Ok(17));
    check("--own-tables", Ok(0));
    check("--own-tables --as-of 2026-09-30", Ok(0));
    // Disability is of own tables with noise either way, and needs no day.
    check("--indicators R4", Ok(0));
    check("--indicators R1 --as-of 2026-09-30 --framework no-such-file", Err("CC213"));
}
