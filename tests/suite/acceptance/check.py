#!/usr/bin/env python3
"""Counts the demonstration CSVs independently and compares a federation's answers with them, partner by partner.

Usage: check.py CSV_FOLDER RESULTS_FOLDER

RESULTS_FOLDER holds what `cairn ask --format json` printed, one file a question:
  council.json      people by council
  sex_age.json      people by sex, age band
  jobs.json         people by council where outcome = job_start
  disabled.json     people by disabled
  total.json        people by sex, age band, as a secure total that is withheld and rounded
Uses nothing of Cairn: only the CSV files, the published rules of the treatments, and this page of Python.
Exit status 0 when every cell agrees, 1 otherwise.
"""

import csv
import datetime
import json
import pathlib
import sys

BANDS = [(16, 19, "16_19"), (20, 24, "20_24"), (25, 34, "25_34"), (35, 49, "35_49"), (50, 64, "50_64"), (65, 120, "65_plus")]
SEX = {"1": "male", "2": "female"}


def day(text):
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


def age_band(born, start):
    """Whole years at the start; the day of birth is taken as the first of its month, since a snapshot keeps only the month."""
    if born is None or start is None:
        return "unknown"
    years = start.year - born.year - (start.month < born.month)
    return next((band for least, most, band in BANDS if least <= years <= most), "unknown")


def disabled(row):
    condition, limits = row["long_term_condition"], row["limits_activity"]
    if condition == "yes" and limits in ("a_lot", "a_little"):
        return "yes"
    if condition == "no" or (condition == "yes" and limits == "not_at_all"):
        return "no"
    return "unknown"


def key(question, row):
    start = day(row["start_date"])
    if question in ("council", "jobs"):
        return (row["council_code"],)
    if question == "sex_age":
        return (SEX.get(row["sex"], "unknown"), age_band(day(row["dob"]), start))
    return (disabled(row),)


def counts(question, rows):
    found = {}
    for row in rows:
        if question == "jobs" and row["job_start"] != "True":
            continue
        found[key(question, row)] = found.get(key(question, row), 0) + 1
    return found


def cells(table):
    """(codes, cell) for each cell, the last axis varying fastest."""
    keys = [()]
    for dimension in table["dimensions"]:
        keys = [k + (code,) for k in keys for code in dimension["codes"]]
    return list(zip(keys, table["cells"], strict=True))


def suppressed(count, treatment):
    base = treatment["round_to"]
    if count == 0:
        return 0 if treatment["zeros"] == "show" else "c"
    if count < treatment["min_people"]:
        return "c"
    return (2 * count + base) // (2 * base) * base


def check_partner(question, partner, answer, truth, faults, noise):
    treatment = answer["treatment"]
    for codes, cell in cells(answer["table"]):
        count = truth.get(codes, 0)
        if treatment["method"] == "suppress-round":
            if cell != suppressed(count, treatment):
                faults.append(f"{question} {partner} {codes}: released {cell}, counted {count}")
        else:
            noise.append((abs(cell - count), treatment["plus_minus_95"]))
    outside = set(truth) - {codes for codes, _ in cells(answer["table"])}
    if outside:
        faults.append(f"{question} {partner}: counted in cells the table has not: {sorted(outside)}")


def check_sum(question, result, truth, faults):
    for codes, cell in cells(result["combined"]):
        count = sum(partner.get(codes, 0) for partner in truth.values())
        most = cell["most"]
        if any(a["treatment"]["method"] == "dp" for a in result["answers"].values()):
            continue
        if not cell["least"] <= count <= (count if most is None else most):
            faults.append(f"{question} sum {codes}: counted {count}, said to lie in {cell['least']}..{most}")


def check_total(result, own_tables, truth, faults):
    """The total against the sum of all partners, and what it keeps of what their own tables lose."""
    treatment = result["coverage"]["total"]["treatment"]
    parts = {codes: [] for codes, _ in cells(result["combined"])}
    for answer in own_tables["answers"].values():
        for codes, cell in cells(answer["table"]):
            parts[codes].append(cell)
    people = lost = kept = shown = 0
    for codes, cell in cells(result["combined"]):
        count = sum(partner.get(codes, 0) for partner in truth.values())
        if cell["cell"] != suppressed(count, treatment):
            faults.append(f"total {codes}: released {cell['cell']}, counted {count}")
        people += count > 0
        withheld = sum(part == "c" for part in parts[codes])
        lost += withheld > 0
        kept += withheld > 0 and cell["cell"] != "c"
        shown += cell["cell"] != "c" and count > 0
    print(
        f"sex by age band: of {people} cells with people, some partner's own table withholds its part of {lost};"
        f" the total shows {shown}, and {kept} of these {lost}"
    )


def main(csv_folder, results_folder):
    rows = {}
    for path in sorted(pathlib.Path(csv_folder).glob("*.csv")):
        if path.stem != "truth_membership":
            with path.open(encoding="utf-8", newline="") as file:
                rows[path.stem] = list(csv.DictReader(file))
    faults = []
    for question in ("council", "sex_age", "jobs", "disabled"):
        result = json.loads(pathlib.Path(results_folder, f"{question}.json").read_text(encoding="utf-8"))
        truth = {partner: counts(question, partner_rows) for partner, partner_rows in rows.items()}
        missing = set(rows) - set(result["answers"])
        if missing:
            faults.append(f"{question}: no answer from {sorted(missing)}")
        noise = []
        for partner, answer in result["answers"].items():
            check_partner(question, partner, answer, truth[partner], faults, noise)
        check_sum(question, result, truth, faults)
        compared = sum(len(cells(a["table"])) for a in result["answers"].values())
        line = f"{question}: {compared} cells of {len(result['answers'])} partners compared"
        if noise:
            # By the statement 95 in 100 lie within; fewer than 80 in 100 of 30 cells has a chance below 1 in 1,000.
            within = sum(1 for off, bound in noise if off <= bound)
            line += f"; {within} of {len(noise)} noisy cells within the stated 95 % bound"
            if within < 0.8 * len(noise) or any(off > 6 * bound for off, bound in noise):
                faults.append(f"{question}: noise is larger than stated")
        print(line)
    total, own = (
        json.loads(pathlib.Path(results_folder, f"{name}.json").read_text(encoding="utf-8")) for name in ("total", "sex_age")
    )
    check_total(total, own, {partner: counts("sex_age", of) for partner, of in rows.items()}, faults)
    truth_file = pathlib.Path(csv_folder, "truth.json")
    if truth_file.exists():
        truth = json.loads(truth_file.read_text(encoding="utf-8"))
        people = sum(len(r) for r in rows.values())
        jobs = sum(1 for r in rows.values() for row in r if row["job_start"] == "True")
        print(f"adding partners: {people} people against {truth['people']} in truth, {100 * people / truth['people'] - 100:.0f} % too many")
        print(f"adding partners: {jobs} job starts against {truth['job_starts_true']} in truth, {100 * jobs / truth['job_starts_true'] - 100:.0f} % too many")
    for fault in faults:
        print("DIFFERS", fault)
    print("every cell agrees" if not faults else f"{len(faults)} differences")
    return 1 if faults else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2]))
