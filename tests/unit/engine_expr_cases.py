#!/usr/bin/env python3
"""Fills in what real Spark answers to the expressions of engine_expr_cases.txt.

    VENV/bin/python tests/unit/engine_expr_cases.py [NEW.txt]

Each line is `expression TAB type TAB value`; the value is the result as text (binary as
hex), NULL, or `ERROR class`. Lines starting with # stay. With NEW.txt, its lines (bare
expressions) are added. Session time zone UTC, ANSI off, as Spark 3.5 has it by default."""
import os, re, sys
from pyspark.sql import SparkSession

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "engine_expr_cases.txt")
lines = open(path).read().split("\n")[:-1] if os.path.exists(path) else []
for extra in sys.argv[1:]:
    lines += [l for l in open(extra).read().split("\n") if l]
spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
         .config("spark.sql.session.timeZone", "UTC").getOrCreate())
spark.sparkContext.setLogLevel("OFF")


def escape(s):
    return s.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def answer(e):
    try:
        df = spark.sql("SELECT " + e + " AS x")
        t = df.schema[0].dataType.simpleString()
        to_text = "hex(x)" if t == "binary" else "cast(x AS string)"
        v = df.selectExpr(to_text).collect()[0][0]
        return t, "NULL" if v is None else escape(v)
    except Exception as x:
        m = re.search(r"\[([A-Z_0-9.]+)\]", str(x))
        return "", "ERROR " + (m.group(1) if m else str(x).split("\n")[0][:60])


seen = set()
with open(path + ".new", "w") as out:
    for line in lines:
        if line.startswith("#"):
            out.write(line + "\n")
            continue
        e = line.split("\t")[0]
        if e in seen:
            continue
        seen.add(e)
        out.write("\t".join((e,) + answer(e)) + "\n")
os.rename(path + ".new", path)
