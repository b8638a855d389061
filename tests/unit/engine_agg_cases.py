#!/usr/bin/env python3
"""Fills in what real Spark answers to the aggregates of engine_agg_cases.txt.

    VENV/bin/python tests/unit/engine_agg_cases.py [NEW.txt]

The first lines are columns (`column NAME expression over id`), then come aggregates: `aggregate TAB
type TAB over all rows TAB over rows with id % 4 = 1 TAB over none`. There are 200 rows, id 0 to 199, in one
partition. With NEW.txt its lines are added."""
import os, re, sys
from pyspark.sql import SparkSession

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "engine_agg_cases.txt")
lines = open(path).read().split("\n")[:-1] if os.path.exists(path) else []
for extra in sys.argv[1:]:
    lines += [l for l in open(extra).read().split("\n") if l]
spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
         .config("spark.sql.session.timeZone", "UTC").getOrCreate())
spark.sparkContext.setLogLevel("OFF")
columns = [l.split(" ", 2)[1:] for l in lines if l.startswith("column ")]
spark.range(0, 200, 1, 1).selectExpr("id", *("%s AS %s" % (e, n) for n, e in columns)) \
    .createOrReplaceTempView("t")


def answer(e, where):
    df = spark.sql("SELECT %s AS x FROM t WHERE %s" % (e, where))
    v = df.selectExpr("cast(x AS string)").collect()[0][0]
    return df.schema[0].dataType.simpleString(), "NULL" if v is None else v


with open(path + ".new", "w") as out:
    for line in lines:
        if line.startswith(("column ", "#")):
            out.write(line + "\n")
            continue
        e = line.split("\t")[0]
        t, all_rows = answer(e, "true")
        out.write("\t".join((e, t, all_rows, answer(e, "id % 4 = 1")[1],
                             answer(e, "id < 0")[1])) + "\n")
os.rename(path + ".new", path)
