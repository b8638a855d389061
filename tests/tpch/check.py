#!/usr/bin/env python3
"""Runs the 22 TPC-H queries in one script and compares types and rows with known answers.

    check.py [-a ANSWERS] [-s] SPILLWAY DATA FORMAT [OPTION...]

DATA/FORMAT holds the tables as tpchgen-cli makes them, FORMAT is parquet or csv; what
follows goes to `spillway run`. -a: a folder of qNN.csv, else tests/data/tpch/sf<scale>. -s
(after it): something has to spill. The last line is "N passed, N failed"."""
import csv
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TPCH = os.path.join(HERE, "..", "data", "tpch")
QUERIES = ["q%02d" % i for i in range(1, 23)]

# CSV files do not know their types
COLUMNS = {
    "customer": "c_custkey bigint, c_name string, c_address string, c_nationkey bigint, c_phone string, "
                "c_acctbal decimal(15,2), c_mktsegment string, c_comment string",
    "lineitem": "l_orderkey bigint, l_partkey bigint, l_suppkey bigint, l_linenumber int, "
                "l_quantity decimal(15,2), l_extendedprice decimal(15,2), l_discount decimal(15,2), "
                "l_tax decimal(15,2), l_returnflag string, l_linestatus string, l_shipdate date, "
                "l_commitdate date, l_receiptdate date, l_shipinstruct string, l_shipmode string, l_comment string",
    "nation": "n_nationkey bigint, n_name string, n_regionkey bigint, n_comment string",
    "orders": "o_orderkey bigint, o_custkey bigint, o_orderstatus string, o_totalprice decimal(15,2), "
              "o_orderdate date, o_orderpriority string, o_clerk string, o_shippriority int, o_comment string",
    "part": "p_partkey bigint, p_name string, p_mfgr string, p_brand string, p_type string, p_size int, "
            "p_container string, p_retailprice decimal(15,2), p_comment string",
    "partsupp": "ps_partkey bigint, ps_suppkey bigint, ps_availqty int, ps_supplycost decimal(15,2), ps_comment string",
    "region": "r_regionkey bigint, r_name string, r_comment string",
    "supplier": "s_suppkey bigint, s_name string, s_address string, s_nationkey bigint, s_phone string, "
                "s_acctbal decimal(15,2), s_comment string",
}


def script(data, form):
    for table, columns in COLUMNS.items():
        path = os.path.join(data, form, "%s.%s" % (table, form))
        if form == "csv":
            yield "CREATE TEMPORARY VIEW %s (%s) USING csv OPTIONS (path '%s', header 'true')" % (table, columns, path)
        else:
            yield "CREATE TEMPORARY VIEW %s USING %s OPTIONS (path '%s')" % (table, form, path)
    for query in QUERIES:
        with open(os.path.join(TPCH, "queries", query + ".sql"), encoding="utf-8") as f:
            yield f.read()


def cells(path):
    """Rows as lists of text; None is NULL, which an empty text is not."""
    with open(path, encoding="utf-8", newline="") as f:
        text = f.read()
    # the csv module does not tell "" from nothing
    rows = [["" if v == "\1" else v or None for v in row or [""]]
            for row in csv.reader(text.replace(',""', ',"\1"').splitlines())]
    return rows[0], rows[1:]


def answers(output):
    for line in output.splitlines():
        # numbers as written: scale and digits count
        got = json.loads(line, parse_float=str, parse_int=str)
        yield ([c["name"] for c in got["columns"]], [c["type"] for c in got["columns"]],
               [[v if v is None or isinstance(v, str) else str(v).lower() for v in row] for row in got["rows"]])


def spilled(spillway, logs):
    """Bytes on disk, of all stages, as the log says."""
    total = 0
    for log in os.listdir(logs):
        done = subprocess.run([spillway, "analyze", "--json", os.path.join(logs, log)], capture_output=True, text=True)
        total += sum(int(n) for n in re.findall(r'"spills":\{[^}]*"disk_bytes":(\d+)', done.stdout))
    return total


def compare(query, wanted, types, got):
    names, rows = wanted
    if got is None:
        return "no answer"
    if got[0] != names:
        return "columns %s, not %s" % (got[0], names)
    if got[1] != types:
        return "types %s, not %s" % (got[1], types)
    if len(got[2]) != len(rows):
        return "%d rows, not %d" % (len(got[2]), len(rows))
    for n, (a, b) in enumerate(zip(got[2], rows)):
        if a != b:
            return "row %d is %s, not %s" % (n + 1, a, b)
    return None


def main():
    args = sys.argv[1:]
    folder = None
    if args[0] == "-a":
        folder, args = args[1], args[2:]
    must_spill = args[0] == "-s"
    spillway, data, form, *options = args[must_spill:]
    folder = folder or os.path.join(TPCH, os.path.basename(data))
    with open(os.path.join(TPCH, "types.txt"), encoding="utf-8") as f:
        types = {line.split()[0]: line.split()[1:] for line in f}
    with tempfile.TemporaryDirectory(prefix="spillway-tpch-") as scratch:
        path, logs = os.path.join(scratch, "tpch.sql"), os.path.join(scratch, "logs")
        with open(path, "w", encoding="utf-8") as f:
            f.write(";\n".join(script(data, form)) + ";\n")
        if must_spill:
            os.mkdir(logs)
            options += ["--event-log", logs]
        done = subprocess.run([spillway, "run", path, "-q", "--format", "json", *options], capture_output=True,
                              text=True)
        got = list(answers(done.stdout))
        failed = 0
        if must_spill and not spilled(spillway, logs):
            failed += 1
            print("FAILED nothing spilled")
    if done.returncode != 0:
        failed += 1
        print("FAILED exit %d: %s" % (done.returncode, done.stderr[-1000:]))
    got += [None] * (len(QUERIES) - len(got))
    passed = 0
    for query, answer in zip(QUERIES, got):
        wrong = compare(query, cells(os.path.join(folder, query + ".csv")), types[query], answer)
        passed += wrong is None
        failed += wrong is not None
        if wrong and answer:
            print("FAILED %s %s %s: %s" % (query, form, " ".join(options), wrong))
    print("%d passed, %d failed" % (passed, failed))
    sys.exit(1 if failed else 0)


main()
