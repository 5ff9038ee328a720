use super::*;
use proptest::prelude::*;

/// A whole table for counts up to `rows`, every change 0, with lines replaced: `(pcv, ckey, "the line")`; an empty one is left out.
fn text(rows: usize, lines: &[(usize, usize, &str)]) -> String {
    let mut csv = String::from("pcv,ckey,pvalue\n");
    for (row, key) in (1..=rows).flat_map(|row| (0..KEYS).map(move |key| (row, key))) {
        match lines.iter().find(|(r, k, _)| (*r, *k) == (row, key)) {
            Some((_, _, "")) => {}
            Some((_, _, line)) => csv += &format!("{line}\n"),
            None => csv += &format!("{row},{key},0\n"),
        }
    }
    csv
}

fn check(csv: &str, findings: &[&str]) {
    let found = match PerturbationTable::read(csv) {
        Ok(reading) => reading.warnings,
        Err(faults) => {
            assert!(faults.iter().all(|f| f.weight == Weight::Fault));
            faults
        }
    };
    assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), findings);
}

#[test]
fn a_whole_table_is_read_in_any_order_and_form() {
    check(&text(2, &[]), &[]);
    check(&text(2, &[(2, 7, "2,8,0"), (2, 8, "2,7,0")]), &[]);
    check(&text(2, &[]).replace('\n', "\r\n"), &[]);
    check(&format!("\u{feff}{}", text(1, &[])), &[]);
    check(&text(1, &[]).replace("pcv,ckey,pvalue", "\"pcv\",\"ckey\",\"pvalue\""), &[]);
    check(&(text(1, &[]) + "0,0,0\n0,255,0\n"), &[]);
}

#[test]
fn every_fault_is_named_with_its_line_and_column() {
    check("", &["CK002: line 1, line: the header is not `pcv,ckey,pvalue`"]);
    check("pcv;ckey;pvalue\n1;0;0\n", &["CK002: line 1, line: the header is not `pcv,ckey,pvalue`"]);
    check("pcv,ckey,pvalue\n", &["CK006: line 1, line: there is no line for a count of 1"]);
    check("pcv,ckey,pvalue\n0,0,0\n", &["CK006: line 2, line: there is no line for a count of 1"]);
    let faults = [
        (" ", "CK003: line 12, line: a line has three values"),
        ("1,10", "CK003: line 12, line: a line has three values"),
        ("1,10,0,0", "CK003: line 12, line: a line has three values"),
        ("one,10,0", "CK003: line 12, pcv: `pcv` is not a whole number"),
        ("1,10.0,0", "CK003: line 12, ckey: `ckey` is not a whole number"),
        ("1,10,", "CK003: line 12, pvalue: `pvalue` is not a whole number"),
        ("2001,10,0", "CK004: line 12, pcv: `pcv` is 2001, and must be 0 to 2000"),
        ("-1,10,0", "CK004: line 12, pcv: `pcv` is -1, and must be 0 to 2000"),
        ("1,256,0", "CK004: line 12, ckey: `ckey` is 256, and must be 0 to 255"),
        ("1,10,10001", "CK004: line 12, pvalue: `pvalue` is 10001, and must be -10000 to 10000"),
        ("1,10,-2", "CK007: line 12, pvalue: a count of 1 changes by -2: it would be negative"),
        ("0,10,1", "CK008: line 12, pvalue: a count of 0 changes by 1; nobody must stay nobody"),
    ];
    for (line, fault) in faults {
        check(&text(1, &[(1, 10, line)]), &[fault]);
    }
    check(
        &text(1, &[(1, 10, "1,9,0")]),
        &["CK005: line 12, line: pcv 1 and ckey 9 stand in line 11 already"],
    );
    check(&text(3, &[(2, 10, "")]), &["CK006: line 768, line: there is no line for pcv 2 and ckey 10"]);
}

#[test]
fn a_row_that_shifts_counts_is_a_warning() {
    check(&text(4, &[(2, 3, "2,3,1")]), &[]);
    check(
        &text(4, &[(2, 3, "2,3,1"), (2, 4, "2,4,1")]),
        &["CK009: line 258, pvalue: the changes of pcv 2 add up to 2 over its 256 keys, and not to 0"],
    );
}

#[test]
fn a_short_table_that_does_not_end_steadily_is_a_warning() {
    let says = "CK010: line 258, pcv: row 2 serves all larger counts, and differs from the row before it";
    check(&text(2, &[(2, 3, "2,3,1")]), &[says]);
    check(&text(501, &[(501, 3, "501,3,1")]), &[]);
}

#[test]
fn a_file_is_bounded_and_so_is_what_is_said_of_it() {
    check(
        &"1,1,1\n".repeat(BYTES_MAX / 6 + 1),
        &["CK001: line 1, line: the file has 8388612 bytes; at most 8388608 are read"],
    );
    let broken = format!("pcv,ckey,pvalue\n{}", "x\n".repeat(100_000));
    assert_eq!(PerturbationTable::read(&broken).unwrap_err().len(), FINDINGS_MAX);
    let empty = "pcv,ckey,pvalue\n2000,255,0\n";
    assert_eq!(PerturbationTable::read(empty).unwrap_err().len(), FINDINGS_MAX);
}

proptest! {
    /// Whatever a file says, it is a table or it has faults, and no finding repeats more of it than a number.
    #[test]
    fn any_text_is_a_table_or_has_faults(lines in proptest::collection::vec("[0-9,.\\-a-z\"é ]{0,12}", 0..40)) {
        let text = format!("pcv,ckey,pvalue\n{}", lines.join("\n"));
        let faults = PerturbationTable::read(&text).unwrap_err();
        prop_assert!(!faults.is_empty() && faults.len() <= FINDINGS_MAX);
        prop_assert!(faults.iter().all(|f| f.line <= lines.len() + 1 && f.says.len() < 90));
    }

    /// A table that is written is the table that is read.
    #[test]
    fn a_table_is_read_as_it_was_written(changes in proptest::collection::vec(-1_i16..4, KEYS)) {
        let table = PerturbationTable::from_checked(changes);
        prop_assert_eq!(PerturbationTable::read(&table.to_csv(1)).unwrap().table, table);
    }
}
