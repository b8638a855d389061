#!/usr/bin/env python3
"""Fills in what real Spark's optimiser makes of the expressions of engine_opt_expr_cases.txt.

    VENV/bin/python tests/unit/engine_opt_expr_cases.py [NEW.txt]

Each line is `expression TAB text in the optimised plan`, of SELECT expression AS x FROM t;
or `WHERE condition TAB text`, the filter's, with InferFiltersFromConstraints left out. Ids
(#12) are cut away. A filter that is gone is "-". Lines starting with # stay. With NEW.txt,
its lines (bare expressions) are added. The first lines make the table."""
import os, re, sys, tempfile
from pyspark.sql import SparkSession

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "engine_opt_expr_cases.txt")
lines = open(path).read().split("\n")[:-1] if os.path.exists(path) else []
for extra in sys.argv[1:]:
    lines += [l for l in open(extra).read().split("\n") if l]
home = tempfile.mkdtemp()
spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
         .config("spark.sql.session.timeZone", "UTC").config("spark.sql.warehouse.dir", home)
         .config("spark.sql.maxMetadataStringLength", "10000")
         .config("spark.sql.optimizer.excludedRules",
                 "org.apache.spark.sql.catalyst.optimizer.InferFiltersFromConstraints")
         .getOrCreate())
spark.sparkContext.setLogLevel("OFF")


def optimised(e):
    where = e.startswith("WHERE ")
    df = spark.sql("SELECT i FROM t " + e if where else "SELECT " + e + " AS x FROM t")
    text = re.sub(r"#\d+L?", "", df._jdf.queryExecution().optimizedPlan().toString())
    m = re.search(r"Filter (.*)\n" if where else r"^(?:Project|Aggregate) \[(.*?)(?: AS x)?\]\n", text)
    return m.group(1) if m else "-"


seen = set()
with open(path + ".new", "w") as out:
    for line in lines:
        if line.startswith("#"):
            out.write(line + "\n")
        elif line.startswith("CREATE "):
            spark.sql(line)
            out.write(line + "\n")
        else:
            e = line.split("\t")[0]
            try:
                if e not in seen:
                    out.write(e + "\t" + optimised(e) + "\n")
            except Exception as x:
                print("left out:", e, str(x).split("\n")[0][:100])
            seen.add(e)
os.rename(path + ".new", path)
