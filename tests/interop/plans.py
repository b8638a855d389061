#!/usr/bin/env python3
"""Compares the plans of TPC-H with those of real Spark 3.5.9, first and final ones.

    tests/interop/plans.py SPILLWAY DATA [QUERY...]        DATA: a folder of scale 1, one Parquet file per table

Spark's are in ../shared/tpch/plans, with broadcasts (qNN) and without (qNN-nobroadcast). Compared are
operators and their places, join types and sides, columns read and filters pushed, exchanges, reads of
shuffles, what is reused; jobs, stages and their tasks. Numbers of coalesced tasks may differ where nothing
else does ("sizes"): they follow the bytes of shuffle files, and ours are smaller. The last line is
"N passed, N failed"."""
import collections
import difflib
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

SHARED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "shared", "tpch")
WRAPPERS = ("WholeStageCodegen", "InputAdapter", "AdaptiveSparkPlan", "ShuffleQueryStage", "BroadcastQueryStage")
JOINS = ("BroadcastHashJoin", "ShuffledHashJoin", "SortMergeJoin", "BroadcastNestedLoopJoin")
# Here numbers of coalesced tasks differ, as said above; any other difference is a fault.
SIZES_DIFFER = {"q07-nobroadcast", "q08-nobroadcast", "q09-nobroadcast", "q16", "q16-nobroadcast", "q19-nobroadcast",
                "q21-nobroadcast"}
MOST = 100
TYPES = ("Inner", "LeftOuter", "RightOuter", "FullOuter", "LeftSemi", "LeftAnti", "ExistenceJoin", "Cross")


def as_metadata(filters):
    """Spark cuts what a scan says of itself (spark.sql.maxMetadataStringLength)."""
    text = f"[{', '.join(filters)}]"
    return text if len(text) <= MOST else text[:MOST - 3] + "..."


def spark_lines(node, depth=0):
    name = node["node"]
    if name.startswith("Scan parquet"):
        name = f"Scan {node['table']} {', '.join(node['columns'])} | {as_metadata(node['pushed'])}"
    elif name == "ReusedExchange":
        name += " of " + node["of"]
    elif name == "AQEShuffleRead":
        name += f" {node['kind'][0] if node['kind'] else ''} {node['n']}"
    elif name in JOINS:
        name += f" {node['join_type']} {node.get('build_side', '')}"
    yield "  " * depth + name
    for below in node.get("subqueries", []) + node.get("children", []):
        yield from spark_lines(below, depth + 1)


def scan_line(node):
    text = node["simpleString"]
    columns = re.sub(r"#\d+L?", "", text[text.index("[") + 1:text.index("]")]).split(",")
    pushed = node["metadata"].get("PushedFilters", "[]")
    table = re.search(r"/(\w+)\.parquet", node["metadata"].get("Location", "") + text)
    return f"Scan {table.group(1) if table else '?'} {', '.join(columns)} | {pushed}"


def our_lines(node, values, depth=0):
    name, text, below = node["nodeName"], node["simpleString"], node["children"]
    if name.startswith(WRAPPERS):
        yield from our_lines(below[0], values, depth)
        return
    if name.startswith("Scan parquet"):
        name = scan_line(node)
    elif name == "ReusedExchange":
        name += " of " + ("BroadcastExchange" if "BroadcastExchange" in text else "Exchange")
        below = []
    elif name == "AQEShuffleRead":
        tasks = [values.get(m["accumulatorId"]) for m in node["metrics"] if m["name"] == "number of partitions"]
        name += f" {text[len(name):].strip()} {tasks[0] if tasks else '?'}"
    elif name in JOINS:
        side = "left" if "BuildLeft" in text else "right" if "BuildRight" in text else ""
        name += f" {next((t for t in TYPES if t in text), '')} {side}"
    yield "  " * depth + name
    below = sorted(below, key=lambda n: n["nodeName"] not in ("Subquery", "ReusedSubquery"))
    for b in below:
        yield from our_lines(b, values, depth + 1)


def run(spillway, data, query, broadcast):
    with tempfile.TemporaryDirectory() as work:
        script = os.path.join(work, "query.sql")
        with open(script, "w") as f:
            for path in sorted(glob.glob(os.path.join(data, "*.parquet"))):
                table = os.path.basename(path)[:-len(".parquet")]
                f.write(f"CREATE TEMPORARY VIEW {table} USING parquet OPTIONS (path '{path}');\n")
            if not broadcast:
                f.write("SET spark.sql.autoBroadcastJoinThreshold=-1;\n")
            with open(os.path.join(SHARED, "queries", query + ".sql")) as sql:
                f.write(sql.read() + ";\n")
        logs = os.path.join(work, "logs")
        os.mkdir(logs)
        subprocess.run([spillway, "run", "-q", "--cores", "2", "--memory", "4g", "--event-log", logs,
                        "-o", os.path.join(work, "rows"), script], check=True)
        with open(glob.glob(os.path.join(logs, "*"))[0]) as f:
            return [json.loads(line) for line in f]


def summary(events):
    """Of the last statement: its first plan, its final one, jobs, tasks of each stage."""
    first = final = None
    values, jobs, tasks = {}, 0, []
    for e in events:
        kind = e["Event"].split(".")[-1]
        if kind == "SparkListenerSQLExecutionStart":
            first = final = e["sparkPlanInfo"]
            jobs, tasks = 0, []
        elif kind == "SparkListenerSQLAdaptiveExecutionUpdate":
            final = e["sparkPlanInfo"]
        elif kind == "SparkListenerDriverAccumUpdates":
            values.update(e["accumUpdates"])
        elif kind == "SparkListenerJobStart":
            jobs += 1
        elif kind == "SparkListenerStageCompleted":
            tasks.append(e["Stage Info"]["Number of Tasks"])
    return list(our_lines(first, values)), list(our_lines(final, values)), jobs, sorted(tasks)


def without_sizes(lines):
    return [re.sub(r"(AQEShuffleRead \w*) \d+$", r"\1", line) for line in lines]


def compare(spillway, data, query, broadcast):
    name = query + ("" if broadcast else "-nobroadcast")
    with open(os.path.join(SHARED, "plans", "spark-3.5.9", name + ".json")) as f:
        spark = json.load(f)
    first, final, jobs, tasks = summary(run(spillway, data, query, broadcast))
    wanted = spark["signature"]
    what = [("first plan", list(spark_lines(spark["initial"])), first),
            ("final plan", list(spark_lines(spark["final"])), final),
            ("jobs", [str(wanted["jobs"])], [str(jobs)]),
            ("tasks", [str(n) for n in sorted(wanted["tasks_per_stage"])], [str(n) for n in tasks])]
    differ = [w for w in what if w[1] != w[2]]
    sizes = without_sizes(what[1][1]) == without_sizes(final) and first == what[0][1] and \
        jobs == wanted["jobs"] and len(tasks) == len(wanted["tasks_per_stage"])
    if not differ or sizes:
        print(name, "sizes" if differ else "equal")
        return "sizes" if differ else "equal"
    for title, theirs, ours in differ:
        print(f"{name}: {title}")
        print("\n".join(difflib.unified_diff(theirs, ours, "spark", "spillway", n=2, lineterm="")))
    return "differ"


def main():
    spillway, data = sys.argv[1:3]
    queries = sys.argv[3:] or [f"q{i:02}" for i in range(1, 23)]
    found = {}
    for query in queries:
        for broadcast in (True, False):
            found[query + ("" if broadcast else "-nobroadcast")] = compare(spillway, data, query, broadcast)
    failed = 0
    for name, verdict in found.items():
        if verdict == "differ" or (verdict == "sizes" and name not in SIZES_DIFFER):
            failed += 1
            print(f"FAILED plan of {name}: {verdict}")
    counts = collections.Counter(found.values())
    print(f"{counts['equal']} equal, {counts['sizes']} but for sizes, {counts['differ']} differ")
    print(f"{len(found) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
