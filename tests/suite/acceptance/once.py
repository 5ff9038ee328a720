#!/usr/bin/env python3
"""Counts the different numbers of the demonstration CSVs independently and compares what a federation estimated of them.

Usage: once.py CSV_FOLDER RESULTS_FOLDER

RESULTS_FOLDER holds what `cairn ask --total once=1,8000 --format json people` printed, as once-1.json, once-2.json, …
Uses nothing of Cairn. Exit status 0 when every estimate is within twice its 95 % interval, and 1 otherwise: one in 10,000 honest counts is not.
"""

import csv
import json
import pathlib
import re
import sys


def main(csv_folder, results_folder):
    numbers, rows, without = set(), 0, 0
    for path in sorted(pathlib.Path(csv_folder).glob("*.csv")):
        if path.stem == "truth_membership":
            continue
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                number = re.sub(r"\s", "", row["nino"]).upper()
                rows += 1
                without += not number
                if number:
                    numbers.add(number[:8])
    truth, held, faults = len(numbers), 0, 0
    results = sorted(pathlib.Path(results_folder).glob("once-*.json"))
    for path in results:
        [cell] = json.loads(path.read_text(encoding="utf-8"))["combined"]["cells"]
        held += cell["least"] <= truth <= cell["most"]
        faults += abs(cell["cell"] - truth) > cell["most"] - cell["least"]
        print(f"{path.stem}: {cell['cell']} people, {cell['least']} to {cell['most']}")
    print(f"{rows} records, {without} of them without a number; {truth} different numbers: in {held} of {len(results)} intervals")
    return int(faults > 0 or not results)


sys.exit(main(*sys.argv[1:]))
