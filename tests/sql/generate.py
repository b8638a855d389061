#!/usr/bin/env python3
"""Writes the expected results into tests/sql/*.test, from real Spark 3.5.

    SPARK_PYTHON=venv/bin/python tests/sql/generate.py [FILE...]

runs every statement of the files (default: all of tests/sql/*.test) in order and rewrites
what stands below each `----`. SPARK_PYTHON is a Python with pyspark 3.5 (default: the one
of build/interop/venv-3.5.9, which `make interop` sets up). README.md has the format.
"""
import os
import re
import shutil
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "data")
VENV = os.path.join(HERE, "..", "..", "build", "interop", "venv-3.5.9", "bin", "python")


def parse(path):
    """Comments, and cases as (ordered, statement)."""
    for block in re.split(r"\n\s*\n", open(path, encoding="utf-8").read().strip()):
        lines = block.split("\n")
        if lines[0].startswith("#"):
            yield "comment", block
            continue
        if "----" in lines:
            lines = lines[: lines.index("----")]
        if lines[0] in ("query", "ordered"):
            lines = lines[1:]
        yield "case", "\n".join(lines)


def is_ordered(statement):
    """ORDER BY outside of parentheses and strings: the order of the rows counts."""
    text = re.sub(r"'(\\.|[^'\\])*'|\"(\\.|[^\"\\])*\"|`[^`]*`", "''", statement)
    depth, top = 0, []
    for c in text:
        depth += (c == "(") - (c == ")")
        top.append(c if depth == 0 else " ")
    return re.search(r"\bORDER\s+BY\b", "".join(top), re.I) is not None


def escape(text):
    if text is None:
        return "\\N"
    if text == "":
        return "\\e"
    return (text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r"))


def run(spark, statement):
    from pyspark.sql import functions as F

    frame = spark.sql(statement)
    fields = frame.schema.fields
    if not fields:
        return ["ok"]
    names = ["c%d" % i for i in range(len(fields))]
    plain = frame.toDF(*names)
    columns = []
    for name, field in zip(names, fields):
        kind = field.dataType.simpleString()
        columns.append(F.hex(F.col(name)) if kind == "binary" else F.col(name).cast("string"))
    rows = ["\t".join(escape(v) for v in row) for row in plain.select(*columns).collect()]
    header = "\t".join("%s:%s" % (escape(f.name), f.dataType.simpleString()) for f in fields)
    return [header] + (rows if is_ordered(statement) else sorted(rows))


def error_class(e):
    """The class in brackets, or the name of the exception where Spark gives none."""
    found = re.search(r"\[([A-Z][A-Z0-9_.]+)\]", str(e))
    if found and not found.group(1).startswith("_LEGACY"):
        return "error " + found.group(1)
    return "error"


def reset(spark):
    for view in spark.sql("SHOW VIEWS").collect():
        spark.sql("DROP VIEW IF EXISTS `%s`" % view.viewName)
    for view in spark.catalog.listTables("global_temp"):
        spark.catalog.dropGlobalTempView(view.name)
    for table in spark.sql("SHOW TABLES").collect():
        spark.sql("DROP TABLE IF EXISTS `%s`" % table.tableName)
    spark.sql("CLEAR CACHE")
    spark.sql("RESET")


def generate(spark, path, scratch):
    out, good = [], 0
    for kind, text in parse(path):
        if kind == "comment":
            out.append(text)
            continue
        try:
            result = run(spark, text.replace("${DIR}", scratch).replace("${DATA}", DATA))
            good += 1
        except Exception as e:  # whatever Spark says is the expectation
            result = [error_class(e)]
        result = [line.replace(scratch, "${DIR}").replace(DATA, "${DATA}") for line in result]
        word = "ordered" if is_ordered(text) else "query"
        out.append("\n".join([word, text, "----"] + result))
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n\n".join(out) + "\n")
    print("%-20s %4d statements, %d of them good" % (
        os.path.basename(path), sum(not o.startswith("#") for o in out), good))


def main():
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        python = os.environ.get("SPARK_PYTHON", VENV)
        if os.environ.get("SPARK_PYTHON_TRIED") == python:
            sys.exit("%s has no pyspark" % python)
        os.environ["SPARK_PYTHON_TRIED"] = python
        os.execv(python, [python] + sys.argv)
    paths = sys.argv[1:] or sorted(
        os.path.join(HERE, f) for f in os.listdir(HERE) if f.endswith(".test"))
    scratch = tempfile.mkdtemp(prefix="spillway-sql-")
    os.environ["TZ"] = "UTC"
    spark = (SparkSession.builder.master("local[2]")
             .config("spark.ui.enabled", "false")
             .config("spark.sql.session.timeZone", "UTC")
             .config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC")
             .config("spark.sql.shuffle.partitions", "4")
             .config("spark.sql.warehouse.dir", os.path.join(scratch, "warehouse"))
             .getOrCreate())
    spark.sparkContext.setLogLevel("OFF")
    try:
        for path in paths:
            own = os.path.join(scratch, os.path.basename(path))
            os.mkdir(own)
            reset(spark)
            generate(spark, path, own)
    finally:
        spark.stop()
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
