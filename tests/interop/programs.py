"""Small Spark programs that write event logs in every way Spark knows.

    programs.py OUT

One driver, one SparkContext after the other: each with its own codec, rolling or not.
OUT/logs is the event log directory; afterwards OUT/text/<application id> holds what
Spark's own reader makes of each log, undone of its compression."""

import os
import shutil
import sys
import time
import traceback

from pyspark import SparkConf, SparkContext, StorageLevel, TaskContext
from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F

OUT = os.path.abspath(sys.argv[1])
LOCAL = os.path.join(OUT, "local")


def must_fail(action):
    try:
        action()
    except Exception:
        return
    raise AssertionError("a job that should fail did not")


def failing_tasks(sc, spark):
    """Retried tasks, lost shuffle files (so a stage retry), a failed job, a failed query."""

    def fail_once(part, it):
        if part == 1 and TaskContext.get().attemptNumber() == 0:
            raise RuntimeError("first try fails <&> \u00e4\u4e2d")
        return it

    def fail_always(part, it):
        if part == 0:
            raise ValueError("always")
        time.sleep(0.05)
        return it

    sc.parallelize(range(1000), 4).mapPartitionsWithIndex(fail_once).sum()
    pairs = sc.parallelize(range(2000), 4).map(lambda i: (i % 7, i)).reduceByKey(lambda a, b: a + b, 3)
    pairs.count()
    for folder, _, files in os.walk(LOCAL):
        for name in files:
            if name.startswith("shuffle_"):
                os.remove(os.path.join(folder, name))
    pairs.map(lambda kv: kv[1]).sum()
    sc.setJobGroup("group-1", "a job that fails")
    must_fail(lambda: sc.parallelize(range(10), 3).mapPartitionsWithIndex(fail_always).count())
    must_fail(lambda: spark.range(0, 10, 1, 2).selectExpr("if(id = 7, raise_error('seven'), id) x")
              .agg(F.sum("x")).collect())


def adaptive_joins(sc, spark):
    spark.conf.set("spark.sql.autoBroadcastJoinThreshold", "-1")
    left = spark.range(0, 20000, 1, 4).selectExpr("id % 100 as k", "id as v")
    right = spark.range(0, 200, 1, 2).selectExpr("id as k", "id * 2 as w")
    left.join(right, "k").groupBy("k").agg(F.sum("v"), F.count("w")).collect()
    spark.conf.set("spark.sql.autoBroadcastJoinThreshold", "10m")
    left.join(F.broadcast(right), "k").filter("w > 10").count()
    left.createOrReplaceTempView("l")
    right.createOrReplaceTempView("r")
    spark.sql("select k, sum(v) from l where k > (select avg(w) from r where k < 5) group by k order by k").collect()
    spark.sql("select k, v, row_number() over (partition by k order by v) n from l").filter("n < 3").count()
    both = left.groupBy("k").agg(F.max("v").alias("m"))
    both.alias("a").join(both.alias("b"), "k").count()
    spark.range(10).limit(3).collect()
    left.repartition(5).orderBy("v").take(7)


def caches(sc, spark):
    kept = sc.parallelize(range(4000), 4).map(lambda i: (i, str(i))).setName("my cached rdd").persist(StorageLevel.MEMORY_AND_DISK)
    kept.count()
    kept.filter(lambda kv: kv[0] % 2).count()
    disk = sc.parallelize(range(400), 2).persist(StorageLevel.DISK_ONLY)
    disk.count()
    gone = sc.parallelize(range(400), 2).persist()
    gone.count()
    gone.unpersist(blocking=True)
    table = spark.range(0, 5000, 1, 2).selectExpr("id", "id * 2 as d").cache()
    table.groupBy((F.col("id") % 3).alias("m")).count().collect()
    table.filter("d > 100").count()


def writes_and_udfs(sc, spark):
    data = os.path.join(OUT, "data")
    rows = spark.range(0, 5000, 1, 3).selectExpr("id", "id % 4 as p", "cast(id as string) s")
    rows.write.mode("overwrite").partitionBy("p").parquet(data + "/parquet")
    rows.write.mode("overwrite").csv(data + "/csv")
    back = spark.read.parquet(data + "/parquet").where("p = 1")
    back.agg(F.sum("id")).collect()
    plus = F.udf(lambda x: x + 1, "long")
    back.select(plus("id").alias("y")).agg(F.sum("y")).collect()
    spark.read.csv(data + "/csv").count()
    wide = Window.partitionBy("p").orderBy("id")
    back.select(F.rank().over(wide).alias("r")).filter("r > 3").count()


def streams(sc, spark):
    rate = spark.readStream.format("rate").option("rowsPerSecond", 50).load()
    query = (rate.groupBy((F.col("value") % 5).alias("k")).count().writeStream
             .queryName("counts").outputMode("complete").format("memory")
             .option("checkpointLocation", os.path.join(OUT, "checkpoint-" + str(time.time())))
             .trigger(processingTime="500 milliseconds").start())
    end = time.time() + 30
    while time.time() < end and len([p for p in query.recentProgress]) < 3:
        time.sleep(0.2)
    query.stop()


def many_tasks(sc, spark):
    """More than 10 MiB of text, so that a rolling log takes a second file."""
    spark.range(0, 3400, 1, 3400).selectExpr("sum(id)").collect()


def log_conf(**more):
    conf = {
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": "file://" + OUT + "/logs",
        "spark.eventLog.compress": "true",
        "spark.eventLog.rolling.enabled": "false",
        "spark.eventLog.rolling.maxFileSize": "10m",
        "spark.eventLog.logBlockUpdates.enabled": "true",
        "spark.local.dir": LOCAL,
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.warehouse.dir": OUT + "/warehouse",
        "spark.python.worker.reuse": "true",
    }
    conf.update({"spark.eventLog." + k.replace("_", "."): v for k, v in more.items()})
    return conf


RUNS = [  # name, programs, how the log is written
    ("none", [failing_tasks], log_conf(compress="false")),
    ("zstd", [adaptive_joins], log_conf(compression_codec="zstd", logStageExecutorMetrics="true")),
    ("lz4-rolling", [caches], log_conf(compression_codec="lz4", rolling_enabled="true")),
    ("snappy", [writes_and_udfs], log_conf(compression_codec="snappy")),
    ("lzf-rolling", [many_tasks], log_conf(compression_codec="lzf", rolling_enabled="true")),
    ("defaults", [streams],
     {k: v for k, v in log_conf().items() if k not in ("spark.eventLog.compress", "spark.eventLog.rolling.enabled")}),
]


def undo_compression(jvm, app_id):
    """Spark's own decoding of the log, all parts joined."""
    conf = jvm.org.apache.hadoop.conf.Configuration()
    logs = jvm.org.apache.hadoop.fs.Path("file://" + OUT + "/logs")
    fs = logs.getFileSystem(conf)
    reader_class = getattr(jvm.org.apache.spark.deploy.history, "EventLogFileReader")
    for status in fs.listStatus(logs):
        if app_id not in status.getPath().getName():
            continue
        parts = [status]
        if status.isDirectory():
            parts = [s for s in fs.listStatus(status.getPath()) if s.getPath().getName().startswith("events_")]
            parts.sort(key=lambda s: int(s.getPath().getName().split("_")[1]))
        with open(os.path.join(OUT, "text", app_id), "wb") as whole:
            for n, part in enumerate(parts):
                piece = os.path.join(OUT, "text", ".part%d" % n)
                stream = reader_class.openEventLog(part.getPath(), fs)
                options = jvm.java.lang.reflect.Array.newInstance(jvm.java.lang.Class.forName("java.nio.file.CopyOption"), 0)
                jvm.java.nio.file.Files.copy(stream, jvm.java.nio.file.Paths.get(jvm.java.net.URI("file://" + piece)), options)
                stream.close()
                with open(piece, "rb") as f:
                    shutil.copyfileobj(f, whole)
                os.remove(piece)


def main():
    for folder in ("logs", "text", "local"):
        os.makedirs(os.path.join(OUT, folder), exist_ok=True)
    only = sys.argv[2:]
    for name, programs, settings in RUNS:
        if only and name not in only:
            continue
        start = time.time()
        conf = SparkConf(loadDefaults=False).setAppName("interop-" + name).setMaster("local[2,3]")
        for key, value in settings.items():
            conf.set(key, value)
        sc = SparkContext(conf=conf)
        sc.setLogLevel("OFF")
        spark = SparkSession(sc)
        app_id, jvm = sc.applicationId, sc._jvm
        try:
            for program in programs:
                program(sc, spark)
        except Exception:
            traceback.print_exc()
            sys.exit(1)
        finally:
            spark.stop()
        undo_compression(jvm, app_id)
        print("%s %s %.1f s" % (name, app_id, time.time() - start), flush=True)


main()
