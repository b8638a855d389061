"""What this Python's Spark answers to the TPC-H queries, as tests/tpch/check.py compares it.

    tpch.py TABLES OUT      a folder of Parquet files; OUT/qNN.csv is written"""
import os
import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

QUERIES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "tpch", "queries")


def cell(v):
    if v is None:
        return ""
    return '"%s"' % v.replace('"', '""') if v == "" or any(c in v for c in ',"\n') else v


def main():
    tables, out = map(os.path.abspath, sys.argv[1:])
    os.makedirs(out, exist_ok=True)
    spark = (SparkSession.builder.master("local[*]").config("spark.ui.enabled", "false")
             .config("spark.ui.showConsoleProgress", "false").getOrCreate())
    spark.sparkContext.setLogLevel("OFF")
    for name in os.listdir(tables):
        spark.read.parquet(os.path.join(tables, name)).createOrReplaceTempView(name.split(".")[0])
    for name in sorted(os.listdir(QUERIES)):
        with open(os.path.join(QUERIES, name), encoding="utf-8") as f:
            frame = spark.sql(f.read())
        names = frame.columns
        plain = frame.toDF(*["c%d" % i for i in range(len(names))])
        rows = [[v if v is None or isinstance(v, str) else format(v, "f") if hasattr(v, "as_tuple") else str(v)
                 for v in row] for row in plain.collect()]
        with open(os.path.join(out, name.replace(".sql", ".csv")), "w", encoding="utf-8") as f:
            for row in [names] + rows:
                f.write(",".join(map(cell, row)) + "\n")
    spark.stop()


main()
