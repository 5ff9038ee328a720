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
