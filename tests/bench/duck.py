"""DuckDB's side of `cairn-bench engine`: reads lines of JSON, answers each with one.

First line: {"threads": n, "files": {table: [parquet, …]}}. Then {"ask": name}, answered by
{"micros": time of execution and fetching, "rows": [[code, …, people], …]}.
"""

import json
import sys
import time

import duckdb

QUERIES = {
    "people by council": """
        SELECT lep_code, COUNT(DISTINCT person_no) FROM engagements GROUP BY ALL
    """,
    "people by referral source": """
        SELECT referral_source, COUNT(DISTINCT person_no) FROM engagements GROUP BY ALL
    """,
    "people in a quarter by council, age and gender": """
        SELECT e.lep_code, p.age_band, p.gender, COUNT(DISTINCT e.person_no)
        FROM engagements e JOIN participants p USING (person_no)
        WHERE e.start_date BETWEEN DATE '2025-04-01' AND DATE '2025-06-30'
        GROUP BY ALL
    """,
    "people by home council and outcome, of one quarter's starts": """
        SELECT p.council_code, o.outcome_type, COUNT(DISTINCT o.person_no)
        FROM outcomes o
        JOIN engagements e USING (engagement_no)
        JOIN participants p ON p.person_no = o.person_no
        WHERE e.start_date BETWEEN DATE '2025-04-01' AND DATE '2025-06-30'
        GROUP BY ALL
    """,
}


def main():
    first = json.loads(sys.stdin.readline())
    duck = duckdb.connect()
    duck.execute(f"SET threads = {first['threads']}")
    for table, files in first["files"].items():
        listed = ", ".join("'" + f.replace("'", "''") + "'" for f in files)
        duck.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet([{listed}])")
    print(json.dumps({"duckdb": duckdb.__version__}), flush=True)
    for line in sys.stdin:
        query = QUERIES[json.loads(line)["ask"]]
        start = time.perf_counter()
        rows = duck.execute(query).fetchall()
        micros = int((time.perf_counter() - start) * 1e6)
        print(json.dumps({"micros": micros, "rows": rows}), flush=True)


main()
