use cairn_question::privacy::NanoRho;

use super::*;

fn caps(month: u8, day: u8) -> Caps {
    Caps { per_year: NanoRho::ZERO, lifetime: NanoRho::ZERO, year_starts_month: month, year_starts_day: day }
}

#[test]
fn a_policy_year_starts_once_a_year() {
    let check = |starts: (u8, u8), day: &str, expected: &str| {
        let start = year_start(&caps(starts.0, starts.1), day.parse().unwrap());
        assert_eq!(start.map(|d| d.to_string()).unwrap_or_else(|f| f.code().into()), expected, "{day}");
    };
    check((4, 1), "2026-03-31", "2025-04-01");
    check((4, 1), "2026-04-01", "2026-04-01");
    check((1, 1), "2026-12-31", "2026-01-01");
    check((2, 29), "2024-02-28", "2023-02-28");
    check((2, 29), "2024-02-29", "2024-02-29");
    check((2, 29), "2025-02-28", "2025-02-28");
    check((13, 1), "2026-04-01", "CA013");
}

#[test]
fn a_day_is_a_day_in_london() {
    let check = |unix_s: u64, expected: &str| {
        assert_eq!(london(Moment::from_unix_s(unix_s)).to_string(), expected);
    };
    check(1_774_997_999, "2026-03-31"); // 2026-03-31T22:59:59Z, 23:59:59 in London
    check(1_774_998_000, "2026-04-01"); // 2026-03-31T23:00:00Z, midnight in London
    check(1_798_761_599, "2026-12-31"); // 2026-12-31T23:59:59Z, the same in London
}
