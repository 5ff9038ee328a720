#!/usr/bin/env python3
"""Counts the different numbers of the demonstration CSVs independently and compares what a federation estimated of them.

Usage: once.py CSV_FOLDER RESULTS_FOLDER

RESULTS_FOLDER holds what `cairn ask --total once=1,8000 --links dp=0.1 --format json people` printed, as once-1.json, once-2.json, …
Uses nothing of Cairn. Exit status 0 when every estimate is within twice its 95 % interval and every noisy total within three times, and 1 otherwise: one in
10,000 honest counts is not.
"""

import collections
import csv
import json
import pathlib
import re
import sys


def main(csv_folder, results_folder):
    numbers, rows, without = [], 0, 0
    for path in sorted(pathlib.Path(csv_folder).glob("*.csv")):
        if path.stem == "truth_membership":
            continue
        with path.open(encoding="utf-8", newline="") as file:
            own = [re.sub(r"\s", "", row["nino"]).upper()[:8] for row in csv.DictReader(file)]
        rows += len(own)
        without += own.count("")
        numbers.append(set(own) - {""})
    known = collections.Counter(number for own in numbers for number in own)
    truth = {
        "people": len(known),
        "records_with_key": rows - without,
        "records_without_key": without,
        "appearances": sum(known.values()) - len(known),
        "known_to_several": sum(times > 1 for times in known.values()),
    }
    held, faults = collections.Counter(), 0
    results = sorted(pathlib.Path(results_folder).glob("once-*.json"))
    for path in results:
        result = json.loads(path.read_text(encoding="utf-8"))
        [cell] = result["combined"]["cells"]
        links, overlap = result["links"], result["links"]["overlap"]
        faults += abs(cell["cell"] - truth["people"]) > cell["most"] - cell["least"]
        held["people"] += cell["least"] <= truth["people"] <= cell["most"]
        for key in ["records_with_key", "records_without_key"]:
            off = abs(links[key]["value"] - truth[key])
            held[key] += off <= links[key]["plus_minus_95"]
            faults += off > 3 * links[key]["plus_minus_95"]
        for key, said in [("appearances", overlap["appearances"]), ("known_to_several", overlap["people"])]:
            held[key] += said["least"] <= truth[key] <= said["most"]
        print(
            f"{path.stem}: {cell['cell']} people, {cell['least']} to {cell['most']};"
            f" {links['records_without_key']['value']} ±{links['records_without_key']['plus_minus_95']} records without a number,"
            f" so {links['all_people']['least']} to {links['all_people']['most']} people in all;"
            f" known to several partners {overlap['people']['least']} to {overlap['people']['most']},"
            f" {overlap['appearances']['least']} to {overlap['appearances']['most']} times more than once"
        )
    print(f"of {rows} records: " + "; ".join(f"{key} {value} in {held[key]} of {len(results)}" for key, value in truth.items()))
    return int(faults > 0 or not results)


sys.exit(main(*sys.argv[1:]))
