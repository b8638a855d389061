#!/usr/bin/env python3
"""Random queries on real Spark and on the built-in engine.

    random_queries.py answer DIR SEED COUNT     Spark (this Python has pyspark) makes the tables and the answers
    random_queries.py draw DIR SPILLWAY SEED COUNT
                                                in a folder with tables: other statements, answered by the engine
                                                without most of its optimiser
    random_queries.py check DIR SPILLWAY [OPTION...]
                                                the engine's answers against those; options go to `spillway run`

`check` prints every difference and ends with "N passed, N failed"; two sides that both refuse
are equal, whatever they say, and Spark's own faults do not count. DIR/differences.sql has the statements that failed."""
import decimal
import json
import math
import os
import re
import shutil
import subprocess
import sys

from random_sql import Gen, table_statements

MEANINGS = {"spark.sql.session.timeZone": "UTC", "spark.sql.shuffle.partitions": "3"}  # of both sides


# --- Spark -------------------------------------------------------------------------------


def spark_rows(spark, statement):
    from pyspark.sql import functions as F

    frame = spark.sql(statement)
    types = [f.dataType.simpleString() for f in frame.schema.fields]
    names = ["c%d" % i for i in range(len(types))]
    plain = frame.toDF(*names)
    rows = plain.select(*[F.col(n).cast("string") for n in names]).collect()
    return {"types": types, "rows": [list(r) for r in rows]}


def answer(folder, seed, count):
    from pyspark.sql import SparkSession

    os.environ["TZ"] = "UTC"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(os.path.join(folder, "tables"))
    builder = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
               .config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC")
               # compiling each of many small queries takes longer than running it
               .config("spark.sql.codegen.wholeStage", "false").config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
               .config("spark.sql.adaptive.enabled", "false").config("spark.ui.showConsoleProgress", "false")
               .config("spark.sql.parquet.datetimeRebaseModeInWrite", "CORRECTED")
               .config("spark.sql.warehouse.dir", os.path.join(folder, "warehouse")))
    for key, value in MEANINGS.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    for name, select, by in table_statements(seed):
        path = os.path.abspath(os.path.join(folder, "tables", name))
        frame = spark.sql(select).coalesce(4 if name == "big" else 2)
        (frame.write.partitionBy(by) if by else frame.write).parquet(path)
        spark.sql("CREATE TEMPORARY VIEW %s USING parquet OPTIONS (path '%s')" % (name, path))
    gen = Gen(seed)
    with open(os.path.join(folder, "answers.jsonl"), "w", encoding="utf-8") as out:
        for n in range(count):
            sql, ordered = gen.query()
            try:
                case = spark_rows(spark, sql)
            except Exception as e:  # Spark refuses: so should we
                case = {"error": str(e)[:300]}
            case.update(sql=sql, ordered=ordered)
            out.write(json.dumps(case) + "\n")
            if (n + 1) % 100 == 0:
                out.flush()
                print("%d answers" % (n + 1), flush=True)
    spark.stop()


# --- the engine ------------------------------------------------------------------------------


def views(folder):
    tables = os.path.abspath(os.path.join(folder, "tables"))
    return ["CREATE TEMPORARY VIEW %s USING parquet OPTIONS (path '%s/%s')" % (name, tables, name)
            for name in sorted(os.listdir(tables))]


def run_some(spillway, folder, statements, options):
    """Answers of the first statements, and what ended the run: (answers, message or None)."""
    head = views(folder)
    path = os.path.join(folder, "script.sql")
    with open(path, "w", encoding="utf-8") as f:
        f.write(";\n".join(head + statements) + ";\n")
    command = [spillway, "run", path, "-q", "--format", "json"]
    for key, value in MEANINGS.items():
        command += ["--conf", "%s=%s" % (key, value)]
    try:
        done = subprocess.run(command + options, capture_output=True, text=True, timeout=20 + len(statements))
        said, status, output = done.stderr, done.returncode, done.stdout
    except subprocess.TimeoutExpired as e:
        said, status, output = "timeout", -99, (e.stdout or b"").decode("utf-8", "replace")
    got = []
    for line in output.splitlines():
        try:
            got.append(json.loads(line, parse_float=str, parse_int=str))
        except ValueError:
            break
    if status == 0 and len(got) == len(statements):
        return got, None
    place = re.search(re.escape(path) + r":(\d+)", said)
    if status > 0 and place:
        return got[:max(0, int(place.group(1)) - len(head) - 1)], said[-1500:]
    return got, "exit %d: %s" % (status, said[-3000:])


def run_all(spillway, folder, statements, options):
    """An answer or a message for each statement."""
    out = []
    while len(out) < len(statements):
        got, message = run_some(spillway, folder, statements[len(out):], options)
        out += got
        if message is None:
            break
        if message.startswith("exit") and len(out) < len(statements):
            # output may have been lost: this one, or one after it
            alone, why = run_some(spillway, folder, [statements[len(out)]], options)
            out.append(alone[0] if why is None else message if why is None else why)
        elif len(out) < len(statements):
            out.append(message)
    return out


# Rules that plans do without. A rule excluded in one run and not in the other must not change an answer.
OPTIONAL = """BooleanSimplification CollapseProject CollapseRepartition ColumnPruning CombineFilters CombineUnions
    ConstantFolding ConstantPropagation ConvertToLocalRelation EliminateLimits EliminateOuterJoin EliminateSorts
    EliminateAggregateFilter FoldablePropagation InferFiltersFromConstraints InferWindowGroupLimit LikeSimplification
    LimitPushDown LimitPushDownThroughWindow NullPropagation OptimizeIn OptimizeOneRowPlan PropagateEmptyRelation
    PruneFilters PushDownLeftSemiAntiJoin PushDownPredicates PushExtraPredicateThroughJoin PushFoldableIntoBranches
    PushLeftSemiLeftAntiThroughJoin PushProjectionThroughUnion PushProjectionThroughLimitAndOffset RemoveDispensableExpressions
    RemoveNoopOperators RemoveRedundantAggregates RemoveRepetitionFromGroupExpressions RemoveLiteralFromGroupExpressions
    ReorderAssociativeOperator ReorderJoin ReplaceExceptWithFilter SimplifyBinaryComparison SimplifyCasts
    SimplifyConditionals TransposeWindow UnwrapCastInBinaryComparison UpdateAttributeNullability DecimalAggregates
    CombineTypedFilters""".split()


def draw(folder, spillway, seed, count):
    gen = Gen(seed)
    cases = [gen.query() for _ in range(count)]
    rules = ",".join("org.apache.spark.sql.catalyst.optimizer." + r for r in OPTIONAL)
    options = ["--conf", "spark.sql.optimizer.excludedRules=" + rules, "--conf", "spark.sql.adaptive.enabled=false",
               "--cores", "1"]
    with open(os.path.join(folder, "answers.jsonl"), "w", encoding="utf-8") as out:
        for at in range(0, count, 100):
            some = cases[at:at + 100]
            for (sql, ordered), got in zip(some, run_all(spillway, folder, [c[0] for c in some], options)):
                case = {"error": got} if isinstance(got, str) else {
                    "types": [c["type"] for c in got["columns"]], "rows": as_text(got["rows"])}
                case.update(sql=sql, ordered=ordered)
                out.write(json.dumps(case) + "\n")


def as_text(rows):
    return [[v if v is None or isinstance(v, str) else str(v).lower() for v in row] for row in rows]


# --- comparing -----------------------------------------------------------------------------------


def plain_type(t):
    return t.replace(" ", "").lower()


def same_cell(kind, a, b, scales=True):
    if a is None or b is None:
        return a is b
    if kind in ("double", "float"):
        x, y = float(a), float(b)
        return x == y or (math.isnan(x) and math.isnan(y)) or math.isclose(x, y, rel_tol=1e-9 if kind == "double" else 1e-5,
                                                                              abs_tol=1e-9)
    if kind.startswith("decimal"):
        x, y = decimal.Decimal(a), decimal.Decimal(b)
        return x == y and (not scales or x.as_tuple().exponent == y.as_tuple().exponent)
    return a == b


def sort_key(kinds):
    def key(row):
        out = []
        for kind, v in zip(kinds, row):
            if v is None:
                out.append((0, ""))
            elif kind in ("double", "float"):
                x = float(v)
                out.append((2, "") if math.isnan(x) else (1, x + 0.0 if math.isinf(x) else float("%.7g" % x) + 0.0))
            elif kind.startswith("decimal"):
                out.append((1, decimal.Decimal(v)))
            else:
                out.append((1, v))
        return out
    return key


def difference(case, got):
    """None, or what is wrong."""
    if isinstance(got, str):
        if got.startswith("exit"):
            return got
        return None if "error" in case else "Spark answers, the engine says: " + got
    if "error" in case:
        if re.search("INTERNAL_ERROR|MISSING_ATTRIBUTES|Max iterations", case["error"]):
            return None  # Spark's own faults
        return "Spark says: %s; the engine answers" % case["error"]
    types = [plain_type(c["type"]) for c in got["columns"]]
    # duckdb_queries.py says values alone: decimals may have other scales there
    kinds = [plain_type(t) for t in case["types"]] if "types" in case else types
    if types != kinds:
        return "types %s, not %s" % (types, kinds)
    rows = as_text(got["rows"])
    wanted = case["rows"]
    if not case["ordered"]:
        rows, wanted = sorted(rows, key=sort_key(kinds)), sorted(wanted, key=sort_key(kinds))
    for a, b in zip(rows, wanted):
        if not all(same_cell(k, x, y, "types" in case) for k, x, y in zip(kinds, a, b)):
            return "%d rows (there %d): %s, not %s" % (len(rows), len(wanted), a, b)
    if len(rows) != len(wanted):
        return "%d rows, not %d" % (len(rows), len(wanted))
    return None


def check(folder, spillway, options):
    with open(os.path.join(folder, "answers.jsonl"), encoding="utf-8") as f:
        cases = [json.loads(line) for line in f]
    passed = failed = 0
    with open(os.path.join(folder, "differences.sql"), "w", encoding="utf-8") as out:
        for at in range(0, len(cases), 100):
            some = cases[at:at + 100]
            for n, (case, got) in enumerate(zip(some, run_all(spillway, folder, [c["sql"] for c in some], options))):
                wrong = difference(case, got)
                passed += wrong is None
                if wrong:
                    failed += 1
                    out.write("-- %s\n%s;\n" % (wrong.replace("\n", "\n-- "), case["sql"]))
                    print("FAILED %d: %s\n    %s" % (at + n, wrong.strip()[:600], case["sql"]))
    print("%d passed, %d failed" % (passed, failed))
    return failed


def main():
    verb, folder, *rest = sys.argv[1:]
    if verb == "answer":
        answer(folder, int(rest[0]), int(rest[1]))
    elif verb == "draw":
        draw(folder, rest[0], int(rest[1]), int(rest[2]))
    else:
        sys.exit(1 if check(folder, rest[0], rest[1:]) else 0)


main()
