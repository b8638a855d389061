#!/usr/bin/env python3
"""Files between the built-in engine and pyarrow, DuckDB and Spark, each way, values equal.

    files.py SPILLWAY SPARK_PYTHON DIR      this Python has pyarrow and duckdb, SPARK_PYTHON has pyspark

Every file holds the same rows, which this program knows: nobody's reading is taken for the
truth. Spark runs once, between the engine's writing and its reading:

    files.py spark DIR                      reads DIR/ours, writes DIR/spark

The last line is "N passed, N failed"."""
import base64
import datetime
import decimal
import glob
import json
import math
import os
import pickle
import shutil
import struct
import subprocess
import sys

D = decimal.Decimal
UTC = datetime.timezone.utc
ABSENT = "-"  # NULL in CSV: with Spark's default an empty text is NULL too, once read

# --- the rows --------------------------------------------------------------------------------

COLUMNS = [("id", "bigint"), ("b", "boolean"), ("t", "tinyint"), ("s", "smallint"), ("i", "int"), ("l", "bigint"),
           ("f", "float"), ("d", "double"), ("n", "decimal(9,2)"), ("m", "decimal(18,6)"), ("w", "decimal(38,10)"),
           ("c", "string"), ("e", "date"), ("z", "timestamp"), ("x", "binary")]
NAMES = [name for name, _ in COLUMNS]
TEXT_NAMES = NAMES[:-1]  # CSV has no binary
TEXTS = ["", "a", "plain", 'say "so"', "one, two", "line\nbreak", "tab\there", "back\\slash", " blanks ", "Zürich",
         "日本語", "\U0001f600", "null", "NULL", "x" * 300, "'"]
DOUBLES = [0.0, -1.5, 1e300, 5e-324, float("nan"), float("inf"), float("-inf"), 0.1, 123456789.125]
BASE, TIMES = 97, 20


def single(v):
    return struct.unpack("f", struct.pack("f", v))[0]


def base_row(k):
    """Row k of the first BASE; about one value in seven is NULL."""
    if k == 0:
        return [0] + [None] * (len(COLUMNS) - 1)
    extreme = {1: -1, 2: 1}.get(k)  # smallest, largest
    ints = [(-(2 ** (n - 1)) if extreme == -1 else 2 ** (n - 1) - 1) if extreme else
            ((k * 7919) ** 4 + k) % 2 ** n - 2 ** (n - 1) for n in (8, 16, 32, 64)]
    with decimal.localcontext() as exact:
        exact.prec = 60
        decimals = [D((extreme or (-1) ** k) * (10 ** p - 1 if extreme else (k * 104729) ** 9 % 10 ** p)).scaleb(-s)
                    for p, s in ((9, 2), (18, 6), (38, 10))]
    day = datetime.date(1900, 1, 1) if extreme == -1 else datetime.date(9999, 12, 31) if extreme else \
        datetime.date(1950, 3, 1) + datetime.timedelta(days=k * 397)
    stamp = datetime.datetime.combine(day, datetime.time(k % 24, k * 7 % 60, k * 11 % 60, k * 10007 % 10 ** 6))
    double = DOUBLES[k % len(DOUBLES)]
    row = [k, k % 3 == 0] + ints + [single(double if math.isnan(double) or abs(double) < 1e30 or math.isinf(double) else 1.25),
                                    double] + decimals
    row += [TEXTS[k % len(TEXTS)], day, stamp, bytes((k * j) % 256 for j in range(k % 5))]
    return [v if c == 0 or (k + c * 3) % 7 or extreme else None for c, v in enumerate(row)]


def rows():
    first = [base_row(k) for k in range(BASE)]
    return [[r[0] + BASE * n] + r[1:] for n in range(TIMES) for r in first]


def literal(v, kind):
    if v is None:
        return "CAST(NULL AS %s)" % kind
    if kind == "binary":
        return "X'%s'" % v.hex()
    if kind == "string":
        return "'%s'" % v.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\t", "\\t")
    return "CAST('%s' AS %s)" % (v, kind)


def table_sql():
    lines = ("(%s)" % ", ".join(literal(v, kind) for v, (_, kind) in zip(base_row(k), COLUMNS)) for k in range(BASE))
    return ("CREATE TEMPORARY VIEW base AS SELECT * FROM VALUES %s AS v(%s)" % (", ".join(lines), ", ".join(NAMES)),
            "CREATE TEMPORARY VIEW rows AS SELECT base.id + %d * r.id AS id, %s FROM base CROSS JOIN range(0, %d, 1, 1) r"
            % (BASE, ", ".join(NAMES[1:]), TIMES))


# --- equal -----------------------------------------------------------------------------------


def canon(v):
    """One form of a value, whichever library it came from; the column tells the type."""
    if isinstance(v, float):
        return "NaN" if math.isnan(v) else v
    if isinstance(v, (bytearray, memoryview)):
        return bytes(v)
    if isinstance(v, D):
        return str(v)  # with its scale: 1.50 is not 1.5
    if isinstance(v, datetime.datetime) and v.tzinfo:
        return v.astimezone(UTC).replace(tzinfo=None)
    return v


def in_text(v):
    return v.replace(microsecond=v.microsecond // 1000 * 1000) if isinstance(v, datetime.datetime) else v


def from_text(text, kind):
    if text is None:
        return None
    if kind == "boolean":
        return {"true": True, "false": False}[text]
    if kind in ("tinyint", "smallint", "int", "bigint"):
        return int(text)
    if kind in ("float", "double"):
        return canon(single(float(text)) if kind == "float" else float(text))
    if kind.startswith("decimal"):
        return "%s" % D(text)
    if kind == "date":
        return datetime.date.fromisoformat(text)
    if kind == "timestamp":
        return datetime.datetime.fromisoformat(text)
    return bytes.fromhex(text) if kind == "binary" else text


class Tally:
    def __init__(self):
        self.passed = self.failed = 0
        self.all = [[canon(v) for v in r] for r in rows()]

    def note(self, what, wrong):
        self.passed += wrong is None
        if wrong is not None:
            self.failed += 1
            print("FAILED %s: %s" % (what, str(wrong)[:500]))

    def equal(self, what, names, got, wanted=None, text=False):
        """got: rows with these columns, in any order. In Spark's texts times end with milliseconds."""
        at = [NAMES.index(n) for n in names]
        wanted = [[in_text(r[i]) if text else r[i] for i in at] for r in (self.all if wanted is None else wanted)]
        got = sorted(([canon(v) for v in r] for r in got), key=lambda r: r[0] or 0)
        if got == wanted:
            return self.note(what, None)
        if len(got) != len(wanted):
            return self.note(what, "%d rows, not %d" % (len(got), len(wanted)))
        for a, b in zip(got, wanted):
            for name, x, y in zip(names, a, b):
                if x != y:
                    return self.note(what, "id %d: %s is %r, not %r" % (b[0], name, x, y))


# --- what lies where -------------------------------------------------------------------------


def written_by_sql(side):
    """Files that the engine or Spark writes: name -> (format, options, columns)."""
    codecs = ["uncompressed", "snappy", "gzip", "zstd", "lz4"] + (["lz4_raw"] if side == "spark" else [])
    out = {"parquet-" + c: ("parquet", {"compression": c}, NAMES) for c in codecs}
    if side == "spark":
        out["parquet-v2"] = ("parquet", {"parquet.writer.version": "v2"}, NAMES)
        out["parquet-plain"] = ("parquet", {"parquet.enable.dictionary": "false"}, NAMES)
        out["parquet-v2-plain"] = ("parquet", {"parquet.writer.version": "v2", "parquet.enable.dictionary": "false"}, NAMES)
        out["parquet-groups"] = ("parquet", {"parquet.block.size": "60000", "parquet.page.size": "2000"}, NAMES)
    for name in ("none", "gzip"):
        out["csv-" + name] = ("csv", {"compression": name, "header": "true", "escape": '"', "multiLine": "true",
                                      "nullValue": ABSENT, "ignoreLeadingWhiteSpace": "false",
                                      "ignoreTrailingWhiteSpace": "false"}, TEXT_NAMES)
        out["json-" + name] = ("json", {"compression": name}, NAMES)
    return out


def sql_options(options):
    return "OPTIONS (%s)" % ", ".join("'%s' '%s'" % o for o in options.items())


def writing(side, folder):
    """Statements that write all of it, the same on both."""
    for name, (kind, options, names) in written_by_sql(side).items():
        for what, where in (("", ""), ("-empty", " WHERE id < 0")):
            yield "INSERT OVERWRITE DIRECTORY '%s/%s%s' USING %s %s SELECT %s FROM rows%s" % (
                folder, name, what, kind, sql_options(options), ", ".join(names), where)
    for kind in ("parquet", "csv", "json"):
        options = written_by_sql(side)[kind + ("-snappy" if kind == "parquet" else "-none")][1]
        yield "CREATE TABLE parted_%s USING %s %s PARTITIONED BY (t, b) LOCATION '%s/parted-%s' AS SELECT %s FROM rows" % (
            kind, kind, sql_options(options), folder, kind, ", ".join(parted_names(kind)))


def parted_names(kind):
    return [n for n in (TEXT_NAMES if kind == "csv" else NAMES) if n not in ("t", "b")] + ["t", "b"]


def is_text(name):
    return "csv" in name or "json" in name


def cells(names):
    kinds = dict(COLUMNS)
    return ", ".join("hex(%s)" % n if kinds[n] == "binary" else "CAST(%s AS STRING)" % n for n in names)


def reading(side, folder):
    """(name, columns, is empty, SELECT) of what `side` wrote by SQL."""
    kinds = dict(COLUMNS)

    def view(path, kind, options, names):
        declared = "" if kind == "parquet" else "(%s) " % ", ".join("%s %s" % (n, kinds[n]) for n in names)
        return "CREATE OR REPLACE TEMPORARY VIEW v %sUSING %s %s" % (declared, kind, sql_options(dict(options, path=path)))

    for name, (kind, options, names) in written_by_sql(side).items():
        for what in ("", "-empty"):
            yield name + what, names, bool(what), view("%s/%s%s" % (folder, name, what), kind, options, names)
    for kind in ("parquet", "csv", "json"):
        options = written_by_sql(side)[kind + ("-snappy" if kind == "parquet" else "-none")][1]
        names = parted_names(kind)
        yield "parted-" + kind, names, False, view("%s/parted-%s" % (folder, kind), kind, options, names)


# --- the engine ----------------------------------------------------------------------------


class Engine:
    def __init__(self, spillway, folder):
        self.spillway, self.folder = spillway, folder

    def run(self, statements):
        """Answers in order, and what stopped it."""
        script = os.path.join(self.folder, "script.sql")
        with open(script, "w", encoding="utf-8") as f:
            f.write(";\n".join(statements) + ";\n")
        done = subprocess.run([self.spillway, "run", script, "-q", "--format", "json", "--conf", "spark.sql.session.timeZone=UTC",
                               "--conf", "spark.sql.warehouse.dir=" + os.path.join(self.folder, "warehouse")],
                              capture_output=True, text=True, timeout=120)
        lines = [json.loads(line, parse_float=str, parse_int=str) for line in done.stdout.splitlines()]
        return lines, done.stderr if done.returncode else None


def engine_reads(tally, engine, cases):
    """cases: (what, columns, is empty, view). All in one run; one by one where that stops."""
    kinds = dict(COLUMNS)
    selects = [[view, "SELECT %s FROM v" % cells(names)] for _, names, _, view in cases]
    answers, stopped = engine.run([s for two in selects for s in two])
    answers = [a for a in answers if a.get("columns")]
    if stopped or len(answers) != len(cases):
        answers = []
        for two in selects:
            got, why = engine.run(two)
            answers.append(why or [a for a in got if a.get("columns")][-1])
    for (what, names, empty, _), answer in zip(cases, answers):
        if isinstance(answer, str):
            tally.note(what, answer)
        else:
            tally.equal(what, names, ([from_text(v, kinds[n]) for n, v in zip(names, r)] for r in answer["rows"]),
                        [] if empty else None, is_text(what.split("'s ")[1]) and what.startswith("Spark"))


# --- pyarrow -------------------------------------------------------------------------------


def arrow_schema(names=NAMES):
    import pyarrow as pa

    types = {"boolean": pa.bool_(), "tinyint": pa.int8(), "smallint": pa.int16(), "int": pa.int32(), "bigint": pa.int64(),
             "float": pa.float32(), "double": pa.float64(), "string": pa.string(), "date": pa.date32(),
             "timestamp": pa.timestamp("us", "UTC"), "binary": pa.binary()}
    kinds = dict(COLUMNS)

    def one(kind):
        return pa.decimal128(*map(int, kind[8:-1].split(","))) if kind.startswith("decimal") else types[kind]
    return pa.schema([(n, one(kinds[n])) for n in names])


def arrow_table(data):
    import pyarrow as pa

    return pa.table([pa.array([r[i] for r in data], f.type) for i, f in enumerate(arrow_schema())], schema=arrow_schema())


def arrow_writes(folder):
    """Writes files by pyarrow; their names."""
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet as pq

    os.makedirs(folder)
    data = rows()
    table, empty = arrow_table(data), arrow_table([])
    text = {"t": "DELTA_BINARY_PACKED", "s": "DELTA_BINARY_PACKED", "i": "DELTA_BINARY_PACKED", "l": "DELTA_BINARY_PACKED",
            "id": "DELTA_BINARY_PACKED", "z": "DELTA_BINARY_PACKED", "e": "DELTA_BINARY_PACKED", "b": "RLE",
            "f": "BYTE_STREAM_SPLIT", "d": "BYTE_STREAM_SPLIT", "c": "DELTA_BYTE_ARRAY", "x": "DELTA_LENGTH_BYTE_ARRAY"}
    ways = {"default": {}, "int96": {"use_deprecated_int96_timestamps": True}, "decimals": {"store_decimal_as_integer": True},
            "old": {"version": "1.0"}, "indexes": {"write_page_index": True, "write_page_checksum": True}}
    for codec in ("none", "snappy", "gzip", "zstd", "lz4"):
        ways["v1-" + codec] = {"compression": codec}
        ways["v2-" + codec] = {"compression": codec, "data_page_version": "2.0"}
    for version in ("1.0", "2.0"):
        ways["plain-" + version] = {"use_dictionary": False, "data_page_version": version}
        ways["delta-" + version] = {"use_dictionary": False, "column_encoding": text, "data_page_version": version}
        ways["swapped-" + version] = {"use_dictionary": False, "data_page_version": version,
                                      "column_encoding": {"c": "DELTA_LENGTH_BYTE_ARRAY", "x": "DELTA_BYTE_ARRAY"}}
        ways["groups-" + version] = {"row_group_size": 300, "data_page_size": 512, "data_page_version": version,
                                     "dictionary_pagesize_limit": 2000}
    if tuple(map(int, pa.__version__.split(".")[:1])) >= (16,):
        split = {n: "BYTE_STREAM_SPLIT" for n in ("i", "l", "e", "z", "n", "m", "w")}
        ways["split"] = {"use_dictionary": False, "column_encoding": split}
    for name, options in ways.items():
        pq.write_table(table, "%s/%s.parquet" % (folder, name), **options)
    pq.write_table(empty, folder + "/empty.parquet")
    large = table.set_column(NAMES.index("c"), "c", table["c"].cast(pa.large_string()))
    pq.write_table(large.set_column(NAMES.index("x"), "x", table["x"].dictionary_encode()), folder + "/large.parquet")
    pyarrow.csv.write_csv(table.select(TEXT_NAMES), folder + "/text.csv")
    return list(ways) + ["large", "empty"]


def plain_type(t):
    return str(t).replace("[us, tz=UTC]", "[us]")  # Spark's INT96 has no zone


def arrow_reads(tally, folder, name, kind, names, wanted):
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.dataset

    what = "pyarrow reads %s" % name
    try:
        if kind == "parquet":
            table = pa.dataset.dataset("%s/%s" % (folder, name), format=pa.dataset.ParquetFileFormat(
                read_options=pa.dataset.ParquetReadOptions(coerce_int96_timestamp_unit="us"))).to_table()
        else:
            parts = [pa.csv.read_csv(
                p, parse_options=pa.csv.ParseOptions(newlines_in_values=True),
                convert_options=pa.csv.ConvertOptions(column_types=arrow_schema(names), strings_can_be_null=True,
                                                      quoted_strings_can_be_null=False, null_values=[ABSENT, ""]))
                for p in sorted(glob.glob("%s/%s/part-*" % (folder, name)))]
            table = pa.concat_tables(parts)
        if table.schema.names != names:
            return tally.note(what, "columns %s" % table.schema.names)
        if kind == "parquet" and [plain_type(f.type) for f in table.schema] != [plain_type(f.type) for f in arrow_schema()]:
            return tally.note(what, "types %s" % table.schema)
        tally.equal(what, names, ([r[n] for n in names] for r in table.to_pylist()), wanted, kind == "csv")
    except (pa.ArrowException, OSError) as e:
        tally.note(what, e)


# --- DuckDB --------------------------------------------------------------------------------


def duck():
    import duckdb

    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET threads = 2")
    return con


def duck_type(kind):
    return {"timestamp": "TIMESTAMPTZ", "string": "VARCHAR", "binary": "BLOB"}.get(kind, kind.upper())


def duck_writes(con, source, folder):
    os.makedirs(folder)
    out = []
    for codec in ("uncompressed", "snappy", "gzip", "zstd", "lz4_raw"):
        for version in ("V1", "V2"):
            out.append("%s-%s" % (codec, version))
            con.execute("COPY (SELECT * FROM '%s') TO '%s/%s.parquet' (FORMAT parquet, CODEC '%s', PARQUET_VERSION %s, "
                        "ROW_GROUP_SIZE 2048)" % (source, folder, out[-1], codec, version))
    con.execute("COPY (SELECT * FROM '%s' WHERE id < 0) TO '%s/empty.parquet'" % (source, folder))
    con.execute("COPY (SELECT %s, strftime(z, '%%Y-%%m-%%dT%%H:%%M:%%S.%%fZ') AS z FROM '%s') TO '%s/text.csv' (HEADER)"
                % (", ".join(TEXT_NAMES[:-1]), source, folder))
    con.execute("COPY (SELECT %s, strftime(z, '%%Y-%%m-%%dT%%H:%%M:%%S.%%fZ') AS z, to_base64(x) AS x FROM '%s') TO '%s/text.json'"
                % (", ".join(n for n in TEXT_NAMES[:-1] if n not in ("f", "d")), source, folder))
    con.execute("COPY (SELECT *, l %% 5 AS p FROM '%s') TO '%s/parted' (FORMAT parquet, PARTITION_BY (p))" % (source, folder))
    return out + ["empty"]


def duck_reads(tally, con, folder, name, kind, names, wanted):
    what = "DuckDB reads %s" % name
    kinds = dict(COLUMNS)
    if kind == "json":
        names = [n for n in names if n not in ("m", "w")]  # numbers of many digits are doubles to it
    files = "%s/%s/**/part-*" % (folder, name)
    columns = "{%s}" % ", ".join("'%s': '%s'" % (n, "VARCHAR" if kinds[n] == "binary" else duck_type(kinds[n])) for n in names)
    of = {"parquet": "read_parquet('%s', hive_partitioning = true)" % files,
          "csv": "read_csv('%s', header = true, columns = %s, nullstr = '%s', allow_quoted_nulls = false, quote = '\"', escape = '\"', "
                 "strict_mode = true)" % (files, columns, ABSENT),
          "json": "read_json('%s', format = 'newline_delimited', columns = %s)" % (files, columns)}[kind]

    def cell(n):
        if kinds[n] == "timestamp":
            return "CAST(%s AS TIMESTAMP)" % n
        return "from_base64(%s)" % n if kind == "json" and kinds[n] == "binary" else n
    try:
        tally.equal(what, names, con.execute("SELECT %s FROM %s" % (", ".join(map(cell, names)), of)).fetchall(), wanted, kind != "parquet")
    except Exception as e:  # duckdb.Error, and what its Python side makes of values
        tally.note(what, e)


# --- Spark ---------------------------------------------------------------------------------


def spark_part(folder):
    """Reads what the engine wrote into a pickle, writes its own."""
    os.environ["TZ"] = "UTC"
    from pyspark.sql import SparkSession

    spark = (SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
             .config("spark.driver.extraJavaOptions", "-Duser.timezone=UTC").config("spark.sql.session.timeZone", "UTC")
             .config("spark.sql.parquet.datetimeRebaseModeInWrite", "CORRECTED")
             .config("spark.sql.codegen.wholeStage", "false").config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
             .config("spark.sql.warehouse.dir", os.path.join(folder, "spark-warehouse")).getOrCreate())
    spark.sparkContext.setLogLevel("OFF")
    kinds, got = dict(COLUMNS), {}
    for name, names, _, view in reading("ours", folder + "/ours"):
        try:
            spark.sql(view)
            answer = spark.sql("SELECT %s FROM v" % cells(names)).collect()
            got[name] = [[from_text(v, kinds[n]) for n, v in zip(names, r)] for r in answer]
        except Exception as e:
            got[name] = str(e)
    with open(os.path.join(folder, "spark-read"), "wb") as f:
        pickle.dump(got, f)
    for statement in list(table_sql()) + list(writing("spark", folder + "/spark")):
        spark.sql(statement)
    spark.stop()


# --- all of it -----------------------------------------------------------------------------


def check_ours(tally, con, folder):
    """What the engine wrote, by the three readers."""
    for name, (kind, _, names) in written_by_sql("ours").items():
        for what, wanted in (("", None), ("-empty", [])):
            if kind != "json":
                arrow_reads(tally, folder + "/ours", name + what, kind, names, wanted)
            duck_reads(tally, con, folder + "/ours", name + what, kind, names, wanted)
    for kind in ("parquet", "csv", "json"):
        # a NULL in a folder's name is Hive's: to the others it is a text
        duck_reads(tally, con, folder + "/ours", "parted-" + kind, kind, parted_names(kind)[:-2], None)
    for name in ("json-none",):
        read = [json.loads(line) for p in glob.glob("%s/ours/%s/part-*" % (folder, name)) for line in open(p, encoding="utf-8")]
        tally.equal("Python reads " + name, ["id", "c", "x"],
                    ([r["id"], r.get("c"), base64.b64decode(r["x"]) if "x" in r else None] for r in read))


def theirs(folder, arrow, duck_names):
    """Cases for the engine: what the others wrote."""
    kinds = dict(COLUMNS)

    def declared(names):
        return ", ".join("%s %s" % (n, kinds[n]) for n in names)

    def view(columns, kind, path, options=""):
        return "CREATE OR REPLACE TEMPORARY VIEW v %s USING %s OPTIONS (path '%s'%s)" % (columns, kind, path, options)

    csv = ", header 'true', multiLine 'true', escape '\"', nullValue '%s'" % ABSENT
    for side, names in (("pyarrow", arrow), ("duckdb", duck_names)):
        for name in names:
            yield "%s's %s" % (side, name), NAMES, name == "empty", view("", "parquet", "%s/%s/%s.parquet" % (folder, side, name))
    yield "pyarrow's csv", TEXT_NAMES, False, view("(%s)" % declared(TEXT_NAMES), "csv", folder + "/pyarrow/text.csv", csv)
    yield "duckdb's csv", TEXT_NAMES, False, view("(%s)" % declared(TEXT_NAMES), "csv", folder + "/duckdb/text.csv", csv)
    exact = [n for n in NAMES if n not in ("f", "d")]  # its NaN and Infinity are no JSON
    yield "duckdb's json", exact, False, view("(%s)" % declared(exact), "json", folder + "/duckdb/text.json")
    yield "duckdb's folders", NAMES, False, view("", "parquet", folder + "/duckdb/parted")
    for name, names, empty, select in reading("spark", folder + "/spark"):
        yield "Spark's " + name, names, empty, select


def main():
    if sys.argv[1] == "spark":
        return spark_part(sys.argv[2])
    spillway, spark_python, folder = sys.argv[1:]
    folder = os.path.abspath(folder)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    tally, engine, con = Tally(), Engine(spillway, folder), duck()
    _, stopped = engine.run(list(table_sql()) + list(writing("ours", folder + "/ours")))
    tally.note("the engine writes", stopped)
    spark = subprocess.Popen([spark_python, os.path.abspath(__file__), "spark", folder], stdout=subprocess.DEVNULL,
                             stderr=open(folder + "/spark.log", "w"), start_new_session=False)
    try:
        check_ours(tally, con, folder)
        arrow = arrow_writes(folder + "/pyarrow")
        duck_names = duck_writes(con, folder + "/pyarrow/default.parquet", folder + "/duckdb")
        done = spark.wait(timeout=150)
    finally:
        spark.kill()
    if done == 0:
        with open(folder + "/spark-read", "rb") as f:
            got = pickle.load(f)
        for name, names, empty, _ in reading("ours", folder + "/ours"):
            if isinstance(got[name], str):
                tally.note("Spark reads " + name, got[name])
            else:
                tally.equal("Spark reads " + name, names, got[name], [] if empty else None, is_text(name))
    else:
        with open(folder + "/spark.log") as f:
            tally.note("Spark", f.read()[-1500:])
    engine_reads(tally, engine, [c for c in theirs(folder, arrow, duck_names) if done == 0 or not c[0].startswith("Spark's")])
    print("%d passed, %d failed" % (tally.passed, tally.failed))
    return tally.failed > 0


if __name__ == "__main__":
    sys.exit(main())
