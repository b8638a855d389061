"""Writes the Parquet files beside this script with pyarrow, and expected.txt with what is in them.

    python3 make.py       (pyarrow 19 or later; any version writes the same values)

Every file holds the same 300 rows of 18 columns in another encoding, page version and codec; a value
is printed as it lies in memory: decimals unscaled, dates as days, timestamps as microseconds."""
import datetime
import decimal
import os
import random

import pyarrow as pa
import pyarrow.parquet as pq

HERE = os.path.dirname(os.path.abspath(__file__))
ROWS = 300
random.seed(20261123)
UTC = datetime.timezone.utc


def some(make):
    return [None if random.random() < 0.2 else make() for _ in range(ROWS)]


def scaled(digits, scale):
    return decimal.Decimal(random.randint(-10 ** digits, 10 ** digits)).scaleb(-scale)


COLUMNS = {
    "flag": (pa.bool_(), lambda: random.random() < 0.5),
    "tiny": (pa.int8(), lambda: random.randint(-128, 127)),
    "small": (pa.int16(), lambda: random.randint(-30000, 30000)),
    "int": (pa.int32(), lambda: random.randint(-2 ** 31, 2 ** 31 - 1)),
    "unsigned": (pa.uint32(), lambda: random.randint(0, 2 ** 32 - 1)),
    "long": (pa.int64(), lambda: random.randint(-2 ** 63, 2 ** 63 - 1)),
    "few": (pa.int32(), lambda: random.randint(0, 5)),
    "real": (pa.float32(), lambda: random.randint(-4000, 4000) / 8),
    "double": (pa.float64(), lambda: random.gauss(0, 1e6)),
    "text": (pa.string(), lambda: "value %d" % random.randint(0, 10 ** 6) * random.randint(0, 3)),
    "word": (pa.string(), lambda: random.choice(["AIR", "TRUCK", "more than twelve bytes", ""])),
    "binary": (pa.binary(), lambda: b"x%d" % random.randint(0, 99)),
    "date": (pa.date32(), lambda: datetime.date(1992, 1, 1) + datetime.timedelta(days=random.randint(-50000, 5000))),
    "instant": (pa.timestamp("us", "UTC"), lambda: datetime.datetime(1970, 1, 1, tzinfo=UTC) + datetime.timedelta(microseconds=random.randint(-10 ** 15, 10 ** 15))),
    "local": (pa.timestamp("ms"), lambda: datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=random.randint(-10 ** 12, 10 ** 12))),
    "dec9": (pa.decimal128(9, 2), lambda: scaled(8, 2)),
    "dec15": (pa.decimal128(15, 2), lambda: scaled(14, 2)),
    "dec38": (pa.decimal128(38, 10), lambda: scaled(36, 10)),
}
DELTA = {name: "DELTA_BINARY_PACKED" for name in ("tiny", "small", "int", "unsigned", "long", "few", "date", "instant", "local")}
DELTA |= {"text": "DELTA_BYTE_ARRAY", "word": "DELTA_LENGTH_BYTE_ARRAY", "binary": "DELTA_BYTE_ARRAY", "dec38": "DELTA_BYTE_ARRAY", "flag": "RLE"}
SPLIT = {name: "BYTE_STREAM_SPLIT" for name in ("real", "double", "int", "long", "dec38", "few", "date")}
FILES = {
    "snappy-v1": dict(compression="snappy", data_page_version="1.0"),
    "gzip-v2-small-pages": dict(compression="gzip", data_page_version="2.0", data_page_size=200, write_batch_size=40, row_group_size=130),
    "zstd-plain": dict(compression="zstd", use_dictionary=False),
    "lz4-dictionary-full": dict(compression="lz4", dictionary_pagesize_limit=300, write_batch_size=50),
    "none-int96": dict(compression="none", use_dictionary=False, use_deprecated_int96_timestamps=True),
    "delta": dict(compression="snappy", data_page_version="2.0", use_dictionary=False, column_encoding=DELTA),
    "split": dict(compression="none", use_dictionary=False, column_encoding=SPLIT),
}


def raw(name, v):
    if v is None:
        return "NULL"
    if name == "flag":
        return str(int(v))
    if name in ("real", "double"):
        return "%.17g" % v
    if name == "binary":
        return v.decode()
    if name == "date":
        return str((v - datetime.date(1970, 1, 1)).days)
    if name == "instant":
        return str((v - datetime.datetime(1970, 1, 1, tzinfo=UTC)) // datetime.timedelta(microseconds=1))
    if name == "local":
        return str((v - datetime.datetime(1970, 1, 1)) // datetime.timedelta(microseconds=1))
    if name.startswith("dec"):
        return str(int(v.scaleb(10 if name == "dec38" else 2)))
    return str(v)


values = {name: some(make) for name, (_, make) in COLUMNS.items()}
table = pa.table({name: pa.array(values[name], kind) for name, (kind, _) in COLUMNS.items()})
for name, options in FILES.items():
    pq.write_table(table, os.path.join(HERE, name + ".parquet"), store_schema=False, **options)
with open(os.path.join(HERE, "expected.txt"), "w") as out:
    for row in range(ROWS):
        out.write("|".join(raw(name, values[name][row]) for name in COLUMNS) + "\n")
