//! Decimals as they are written, exactly: ε in a policy is read digit by digit and never through a float.

/// Reads a plain decimal, above 0 and at most 1,000, as millionths. `None` for an exponent, a sign, more than six
/// decimals or anything else.
pub(crate) fn millionths(text: &str) -> Option<u32> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(rest) || rest.len() > 6 || whole.len() > 4 {
        return None;
    }
    let whole: u32 = whole.parse().ok()?;
    let part: u32 = format!("{rest:0<6}").parse().ok()?;
    let all = whole.checked_mul(1_000_000)?.checked_add(part)?;
    (1..=1_000_000_000).contains(&all).then_some(all)
}

/// Millionths as people write them: `0.2`, `20`.
pub(crate) fn print(millionths: u32) -> String {
    let text = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_digit_by_digit() {
        let check = |text: &str, expected: Option<u32>| assert_eq!(millionths(text), expected, "{text}");
        check("0.2", Some(200_000));
        check("0.000001", Some(1));
        check("20", Some(20_000_000));
        check("1000", Some(1_000_000_000));
        for refused in
            ["0", "0.0", "0.0000001", "0.1999999", "1e-1", "-1", "+1", "", ".5", "5.", "1000.1", "nan"]
        {
            check(refused, None);
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_printed_is_read_back(n in 1_u32..=1_000_000_000) {
            assert_eq!(millionths(&print(n)), Some(n));
        }
    }
}
