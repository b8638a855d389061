"""Writes the expected values of engine_cast_test and engine_decimal_test: what real
Spark answers. Run with the python of a pyspark 3.5.9 from the top of the repository:

    python tests/unit/engine_values.py

It writes tests/unit/engine_{cast,decimal,coerce}_cases.txt. Lines are fields separated by
tabs; \\t, \\n and \\\\ stand for themselves in them, \\N is NULL, ERROR a failed query."""
import decimal
import random
import struct

from pyspark.sql import SparkSession

spark = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
         .config("spark.sql.session.timeZone", "UTC").getOrCreate())
spark.sparkContext.setLogLevel("OFF")
random.seed(7)
decimal.getcontext().prec = 60


def quoted(text):
    for plain, escaped in (("\\", "\\\\"), ("'", "\\'"), ("\n", "\\n"), ("\t", "\\t")):
        text = text.replace(plain, escaped)
    return "'" + text + "'"


def field(text):
    if text is None:
        return "\\N"
    for plain, escaped in (("\\", "\\\\"), ("\n", "\\n"), ("\t", "\\t")):
        text = text.replace(plain, escaped)
    return text


def answers(expressions):
    """Their values as text, in few queries; those that fail are asked one by one."""
    values = []
    for at in range(0, len(expressions), 60):
        some = expressions[at:at + 60]
        try:
            values += spark.sql("select " + ", ".join(some)).collect()[0]
        except Exception:
            for one in some:
                try:
                    values.append(spark.sql("select " + one).collect()[0][0])
                except Exception as e:
                    text = str(e).split("\n")[0]
                    values.append("ERROR " + text if text.startswith("[") else "ERROR")
    return values


# ---- casts: (type, text of the value, types to cast to) ----

WHOLE = ["tinyint", "smallint", "int", "bigint"]
NUMBERS = ("1|-1|+1| 1 |\t1\n|1.5|-1.5|1.9|-1.9|1e3|1E3|1e-3|0x10||abc|1f|1d|1.0f|1L|NaN|nan|"
           "Infinity|-Infinity|inf|+inf|infinity|-INF|127|128|-128|-129|32767|32768|2147483647|"
           "2147483648|-2147483648|-2147483649|9223372036854775807|9223372036854775808|"
           "-9223372036854775808|-9223372036854775809|99999999999999999999|1.|.5|.|-|+|- 1|1 2|"
           "1,000|1e|1e+|1e400|1e-400|0.1|123456789012345678901234567890.123456789|00012|-0|-0.0|"
           "1_0|1.5.5|3.4028235e38|3.5e38|1.17549435E-38|4.9e-324|0.3|1e38|1e37|12345.6789|"
           "999999.995|99999.994999|99999.995|-99999.995|1e5|100000|1E+2|1d5|0x1p3|Nan|NAN|-NaN|"
           "+NaN|-nan|1.D|1e2f|  ").split("|")
BOOLEANS = "t|true|TRUE|y|yes|Yes|1|f|false|n|no|0|T| t |tr|on|off|2|-1|00|F|N|NO".split("|")
DATES = ("2020|2020-1|2020-01|2020-1-2|2020-01-02|2020-01-02 |2020-01-02T|2020-01-02 abc|"
         "2020-01-02Tabc|2020-1-2 3|20200102|2020-13-01|2020-02-30|2020-02-29|2019-02-29|"
         "0000-01-01|0001-01-01|-0001-01-01|+2020-01-01|10000-01-01|+10000-01-01|9999999-01-01|"
         "5881580-07-11|5881580-07-12|-5877641-06-23|-5877641-06-22|202-01-01|2020-|2020-1-|"
         "2020/01/02|2020-001-01|2020-01-001|  2020-01-02|2020-01-02\n|| |2020T|12345678-01-01|"
         "1582-10-10|1900-02-29|2000-02-29|99999-12-31|2020-01-02Z|2020-01-02+01:00").split("|")
TIMES = ["2020-01-02 " + t for t in
         ("3|03|03:04|3:4:5|03:04:05|03:04:05.1|03:04:05.123456|03:04:05.123456789|03:04:05.|"
          "03:04:05Z|03:04:05 UTC|03:04:05+01:00|03:04:05.5-01:30|03:04:05 +1:00|03:04:05 +01|"
          "03:04:05+0130|03:04:05 Europe/Berlin|03:04:05 America/New_York|03:04:05 GMT+2|"
          "03:04:05UTC+2|03:04:05 PST|03:04:05 EST|03:04:05 XYZ|03:04Z|03:04 UTC|03Z|24:00:00|"
          "23:59:60|23:60:00|23:59:59.999999|03:04:05.1 | 03:04:05|03:04:05 +01:00:30|"
          "03:04:05+18:00|03:04:05+18:01|003:04:05|03:04:05 utc|03:04:05z|03:04:05-1:2|"
          "03:04:05 UTC+01:30|03:04:05+1|03:04:05 Z|03:04:05 IST|:04|3:|03:04:05,123").split("|")
         ] + ["2020-01-02T03:04:05", "294247-01-10 04:00:54.775807",
              "294247-01-10 04:00:54.775808", "-290308-12-21 19:59:05.224192",
              "-290308-12-21 19:59:05.224191", "1000000-01-01 00:00:00", "-2020-01-02 03:04:05"]
DOUBLES = ("0 -0.0 1 -1 1.5 100 1e6 9999999 1e7 12345678 123456789.125 1.0E10 1e-3 9.999e-4 0.0001 "
           "1.234e-5 0.1 0.3 1e21 1e22 1e23 2e23 4.9e-324 2.2250738585072014e-308 "
           "1.7976931348623157e308 9007199254740993 123456789012345680 3.141592653589793 1e100 "
           "1e-100 8.41e21 2.0e-3 1.1 2.2 0.30000000000000004 1234567.1234567 999999.9 0.00999 NaN "
           "Infinity -Infinity").split()
HALVES = ("0 -0.0 1.5 -1.5 1.9999 127.9 128 -129 300 32768 65536.5 2147483647 2147483648 "
          "-2147483649 4294967296 9.3e18 -9.3e18 1e300 NaN Infinity -Infinity 1e-7 "
          "123456789.987654321 99999999.995 99999999.994 1.005 2.675 1e15 "
          "1.23456789012345e17").split()
LONGS = ("0 1 -1 127 128 -129 255 256 32768 65535 2147483648 4294967295 9223372036854775807 "
         "-9223372036854775808 99999999 100000000 1700000000 9223372036854 9223372036855 "
         "-9223372036855").split()
DECIMALS = [("0", "10,2"), ("1.5", "10,2"), ("-1.99", "10,2"), ("127.99", "10,2"),
            ("128", "10,2"), ("-300", "10,2"), ("99999999.99", "10,2"),
            ("12345678901234567890", "38,0"), ("9" * 38, "38,0"), ("0.005", "10,3"),
            ("0.015", "10,3"), ("-0.005", "10,3"), ("1.123456789123456789", "38,18"),
            ("9223372036854775807", "20,0"), ("9223372036854775808", "20,0"), ("0.1", "2,1"),
            ("0.000001", "10,6"), ("1700000000.123456", "20,6"), ("0.0000009", "10,7"),
            ("0.0000001", "10,7"), ("-0.00000012", "10,8"), ("0", "38,18"), ("1e-18", "38,18"),
            ("1e-10", "38,18"), ("-0.5", "1,1"), ("100", "3,0")]
STAMPS = ["1970-01-01 00:00:00", "2020-02-29 12:34:56.789", "1969-12-31 23:59:59.999999",
          "0001-01-01 00:00:00", "9999-12-31 23:59:59", "+12345-01-01 00:00:00.5"]
INTERVALS = [("1-2", "year to month"), ("-1-2", "year to month"), ("3", "year"),
             ("-5", "month"), ("14", "month"), ("1 02:03:04.5", "day to second"),
             ("-1 02:03:04.5", "day to second"), ("10", "day"), ("1 02", "day to hour"),
             ("1 02:03", "day to minute"), ("5", "hour"), ("5:06", "hour to minute"),
             ("5:06:07.25", "hour to second"), ("90", "minute"), ("90:01.5", "minute to second"),
             ("100.000001", "second"), ("-100.5", "second"), ("0", "second"), ("300", "day")]
INTERVAL_TEXTS = [("1-2", "year to month"), ("-1-2", "year to month"), ("+1-2", "year to month"),
                  ("INTERVAL '1-2' YEAR TO MONTH", "year to month"), ("1", "year to month"),
                  ("x", "year to month"), ("1-12", "year to month"), ("10", "year"),
                  ("-3", "month"), ("1 02:03:04.5", "day to second"),
                  ("-1 2:3:4", "day to second"), ("1 24:00:00", "day to second"),
                  ("INTERVAL '1 02:03:04' DAY TO SECOND", "day to second"), ("x", "day"),
                  ("interval -'10' day", "day"), ("10", "hour"), ("10.5", "second")]


def random_doubles():
    found = []
    while len(found) < 300:
        x = struct.unpack("<d", struct.pack("<Q", random.getrandbits(64)))[0]
        if x == x and abs(x) != float("inf"):
            found.append(repr(x))
    found += [repr(round(random.uniform(-1e6, 1e6), random.randint(0, 6))) for _ in range(100)]
    return found + [repr(random.uniform(0, 1) * 10 ** random.randint(-5, 20)) for _ in range(150)]


def random_floats():
    found = [struct.unpack("<f", struct.pack("<I", random.getrandbits(32)))[0]
             for _ in range(250)]
    found = [repr(x) for x in found if x == x and abs(x) != float("inf")]
    return found + [repr(round(random.uniform(-1e4, 1e4), random.randint(0, 4)))
                    for _ in range(100)]


def source(kind, text):
    if kind == "string":
        return quoted(text)
    if kind == "boolean":
        return text
    if kind.startswith("interval"):
        return "interval %s %s" % (quoted(text), kind[9:])
    if kind in ("date", "timestamp", "timestamp_ntz"):
        return kind + quoted(text)
    return "cast(%s as %s)" % (quoted(text), kind)


def cast_cases():
    cases = []

    def add(kind, texts, types):
        cases.extend((kind, text, to) for text in texts for to in types)

    add("string", NUMBERS, WHOLE + ["float", "double", "decimal(7,2)", "decimal(38,18)",
                                    "decimal(10,0)", "boolean"])
    add("string", BOOLEANS, ["boolean"])
    add("string", DATES, ["date"])
    add("string", DATES + TIMES, ["timestamp", "timestamp_ntz"])
    add("string", DOUBLES + random_doubles(), ["double"])
    add("string", DOUBLES + random_floats(), ["float"])
    more = ["float", "double", "decimal(10,2)", "decimal(38,18)", "boolean", "timestamp"]
    add("double", HALVES, WHOLE + more)
    add("float", ["0", "1.5", "-1.9", "128", "300", "2147483648", "9.3e18", "NaN", "Infinity",
                  "0.1", "16777217", "1e10", "0.3"], WHOLE + more)
    add("bigint", LONGS, WHOLE + more + ["string", "decimal(19,0)", "decimal(20,0)"])
    for text, size in DECIMALS:
        types = WHOLE + more + ["string", "decimal(12,4)", "decimal(18,1)", "decimal(20,2)"]
        if len(text) > 37:
            types.remove("timestamp")  # Spark goes by way of 34 digits there
        add("decimal(%s)" % size, [text], types)
    add("boolean", ["true", "false"], WHOLE + more + ["string", "decimal(1,0)", "decimal(2,2)"])
    add("timestamp", STAMPS, WHOLE + ["float", "double", "decimal(20,6)", "decimal(10,2)", "date",
                                      "string", "timestamp_ntz", "boolean"])
    add("date", ["1970-01-01", "2020-02-29", "0001-01-01", "-0044-03-15", "+10000-01-01"],
        ["timestamp", "timestamp_ntz", "string", "int", "boolean"])
    add("timestamp_ntz", STAMPS[:3], ["timestamp", "date", "string"])
    for text, units in INTERVALS:
        add("interval " + units, [text], ["string", "int", "bigint", "tinyint", "decimal(10,2)",
                                          "interval %s" % ("year" if "year" in units or
                                                           "month" in units else "day")])
    for text, units in INTERVAL_TEXTS:
        add("string", [text], ["interval " + units])
    for unit in ("year", "month", "day", "hour", "minute", "second"):
        add("int", ["0", "3", "-5"], ["interval " + unit])
        add("decimal(2,1)", ["2.5", "-2.5"], ["interval " + unit])
    return list(dict.fromkeys(cases))


def write(path, lines):
    with open(path, "w") as out:
        for line in lines:
            out.write("\t".join(field(x) for x in line) + "\n")


def write_casts():
    cases, lines = cast_cases(), []
    for mode, ansi, call in (("legacy", "false", "cast"), ("ansi", "true", "cast"),
                             ("try", "false", "try_cast")):
        spark.sql("set spark.sql.ansi.enabled=" + ansi)
        some = cases if mode == "legacy" else cases[::7]
        got = answers(["cast(%s(%s as %s) as string)" % (call, source(kind, text), to)
                       for kind, text, to in some])
        for case, value in zip(some, got):
            if mode != "legacy" and value and value.startswith("ERROR [DATATYPE"):
                continue
            if value and len(value) > 400:  # longer than our errors
                continue
            if mode == "legacy" and value and value.startswith("ERROR"):
                value = "ERROR"
            lines.append((mode,) + case + (value,))
    spark.sql("set spark.sql.ansi.enabled=false")
    write("tests/unit/engine_cast_cases.txt", lines)


# ---- decimal arithmetic ----

SIZES = [(15, 2, 15, 2), (12, 2, 4, 2), (25, 4, 4, 2), (38, 0, 38, 0), (38, 18, 38, 18),
         (38, 10, 38, 10), (18, 0, 18, 0), (19, 4, 5, 3), (10, 0, 20, 0), (38, 2, 3, 2),
         (38, 38, 38, 0), (38, 38, 5, 0), (7, 7, 38, 20), (30, 15, 30, 15), (20, 0, 2, 2),
         (38, 6, 38, 6), (5, 2, 38, 30), (38, 37, 38, 37), (16, 6, 16, 6)]


def random_decimal(precision, scale):
    digits = random.choice([precision, precision, random.randint(1, precision)])
    n = random.randint(0, 10 ** digits - 1) * random.choice([1, -1])
    return format(decimal.Decimal(n).scaleb(-scale), "f")


def write_decimals():
    cases = [(random_decimal(p, s), "decimal(%d,%d)" % (p, s), op, random_decimal(q, t),
              "decimal(%d,%d)" % (q, t))
             for p, s, q, t in SIZES for _ in range(8) for op in "+ - * / % div".split()]
    for _ in range(60):  # products that are rounded to just 38 digits
        cases.append((random_decimal(38, 30), "decimal(38,30)", "*", random_decimal(38, 30),
                      "decimal(38,30)"))
    lines = []
    for loss in ("true", "false"):
        spark.sql("set spark.sql.decimalOperations.allowPrecisionLoss=" + loss)
        some = cases if loss == "true" else cases[::4]
        exprs = ["cast(%s as %s) %s cast(%s as %s)" % (quoted(a), x, op, quoted(b), y)
                 for a, x, op, b, y in some]
        for at in range(0, len(exprs), 60):
            df = spark.sql("select " + ", ".join("(%s) as c%d" % (e, i)
                                                 for i, e in enumerate(exprs[at:at + 60])))
            for case, f, value in zip(some[at:], df.schema.fields, df.collect()[0]):
                if case[2] == "div":
                    value = None if value is None else str(value)
                elif value is not None:  # Spark may carry a digit more than the type has
                    unit = decimal.Decimal(1).scaleb(-f.dataType.scale)
                    value = format(value.quantize(unit), "f")
                lines.append((loss,) + case + (f.dataType.simpleString(), value))
    write("tests/unit/engine_decimal_cases.txt", lines)


# ---- which types meet ----

SAMPLES = {
    "void": "null", "boolean": "true", "tinyint": "1Y", "smallint": "1S", "int": "1",
    "bigint": "1L", "float": "1F", "double": "1D", "decimal(5,2)": "cast(1 as decimal(5,2))",
    "decimal(38,10)": "cast(1 as decimal(38,10))", "decimal(20,0)": "cast(1 as decimal(20,0))",
    "string": "'1'", "binary": "X'31'", "date": "date'2020-01-01'",
    "timestamp": "timestamp'2020-01-01 00:00:00'",
    "timestamp_ntz": "timestamp_ntz'2020-01-01 00:00:00'",
    "interval year to month": "interval '1-2' year to month", "interval month": "interval '1' month",
    "interval day to second": "interval '1 02:03:04' day to second",
    "interval day": "interval '1' day"}


def type_of(query):
    try:
        return spark.sql(query).schema[0].dataType.simpleString()
    except Exception:
        return None


def compared_as(a, b):
    """The type of the left side of a < b, once analysed."""
    try:
        plan = spark.sql("select x < y as c from (select %s as x, %s as y)" % (a, b))
        side = (plan._jdf.queryExecution().analyzed().expressions().head().child().left())
        return side.dataType().catalogString()
    except Exception:
        return None


def write_types():
    lines = []
    for a, x in SAMPLES.items():
        for b, y in SAMPLES.items():
            lines.append(("union", a, b, type_of("select %s union all select %s" % (x, y))))
            lines.append(("compare", a, b, compared_as(x, y)))
            lines.append(("cast", a, b, type_of("select cast(%s as %s)" % (x, b))))
    write("tests/unit/engine_coerce_cases.txt", lines)


write_types()
write_decimals()
write_casts()
