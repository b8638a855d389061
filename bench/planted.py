"""Runs small Spark programs, each with a fault planted or with none, and writes their event logs with labels.

    planted.py OUT [NAME...]

OUT/NAME holds the log and labels.json (`planted`, `must_not`), as ../shared/tools/score.py reads them: bench/unseen scores
them. The programs are kinds that the labelled logs have few of or none: rules are not tuned to these. Programs that ask for memory
run in a JVM of their own, the others share one, as notebooks do. Data is made here, under OUT/.data."""
import json
import os
import shutil
import subprocess
import sys
import time

from pyspark import StorageLevel
from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F

OUT = os.path.abspath(sys.argv[1])
DATA = os.path.join(OUT, ".data")
MADE = os.path.join(OUT, ".made")
PROGRAMS = {}


def program(*planted, conf=None, must_not=(), master="local[2]", also=()):
    """No fault planted and nothing ruled out by name: a healthy control, where any warning is a false alarm."""

    def enter(function):
        PROGRAMS[function.__name__.replace("_", "-")] = {
            "run": function, "planted": planted, "conf": conf or {}, "master": master, "also": also,
            "must_not": must_not or (() if planted else ("*",))}
        return function

    return enter


def noop(frame):
    frame.write.format("noop").mode("overwrite").save()


def made(name):
    return os.path.join(MADE, name)


def sales(spark, rows=3_000_000, hot=0.0, parts=8):
    """Rows of (k, v, pad); `hot` of them have one key."""
    key = F.when(F.rand(7) < hot, F.lit(0)).otherwise((F.rand(8) * 20000).cast("int")) if hot else (F.rand(8) * 20000).cast("int")
    return spark.range(0, rows, 1, parts).select(key.alias("k"), (F.col("id") % 997).alias("v"),
                                                  F.sha2(F.col("id").cast("string"), 256).alias("pad"))


def data(spark):
    """What programs read: written once, before any log is."""
    if os.path.exists(os.path.join(DATA, "done")):
        return
    shutil.rmtree(DATA, ignore_errors=True)
    sales(spark).write.parquet(DATA + "/even")
    sales(spark, hot=0.45).write.parquet(DATA + "/hot")
    sales(spark).withColumn("k", F.expr("if(v < 400, null, k)")).write.parquet(DATA + "/nulls")
    spark.range(20000).select(F.col("id").cast("int").alias("k"), F.concat(F.lit("n"), F.col("id")).alias("name"),
                              F.sha2(F.col("id").cast("string"), 512).alias("about")).coalesce(2).write.parquet(DATA + "/names")
    spark.range(0, 1_500_000, 1, 4).select(F.col("id"), F.rand(1).alias("x"), F.sha2(F.col("id").cast("string"), 256).alias("t1"),
                                           F.sha2(F.col("id").cast("string"), 224).alias("t2")).write.json(DATA + "/json")
    spark.range(0, 400_000, 1, 1).select(F.concat_ws(" ", F.sha2(F.col("id").cast("string"), 512), F.col("id")).alias("t")) \
        .write.option("compression", "gzip").text(DATA + "/gz")
    spark.range(0, 1_200_000, 1, 2).select(F.col("id"), F.sha2(F.col("id").cast("string"), 256).alias("t"),
                                           F.expr("date_add(date'2024-01-01', cast(id % 40 as int))").alias("day"),
                                           F.expr("timestamp_seconds(1704067200 + (id % 40) * 86400 + id % 86400)").alias("at")) \
        .repartition("day").write.partitionBy("day").parquet(DATA + "/days")
    spark.range(0, 8000, 1, 1200).select(F.col("id"), F.lit("row").alias("t")).write.json(DATA + "/tiny")
    open(os.path.join(DATA, "done"), "w").close()


# ---------------------------------------------------------------- nothing wrong


@program()
def healthy_join(spark):
    even, names = spark.read.parquet(DATA + "/even"), spark.read.parquet(DATA + "/names")
    noop(even.join(names, "k").groupBy("name").agg(F.sum("v"), F.max("pad")))


@program()
def healthy_sort_merge(spark):
    even = spark.read.parquet(DATA + "/even")
    other = spark.range(0, 2_000_000, 1, 4).select((F.rand(3) * 20000).cast("int").alias("k"), F.rand(4).alias("y")).groupBy("k", "y").count()
    noop(even.groupBy("k").agg(F.sum("v").alias("s")).join(other.groupBy("k").agg(F.avg("y").alias("a")).hint("merge"), "k"))


@program()
def healthy_window(spark):
    even = spark.read.parquet(DATA + "/even")
    noop(even.withColumn("r", F.row_number().over(Window.partitionBy("k").orderBy(F.desc("v")))).filter("r <= 100"))


@program()
def healthy_rdd(spark):
    words = spark.sparkContext.parallelize(range(400_000), 4).map(lambda i: (i % 1000, 1))
    words.reduceByKey(lambda a, b: a + b, 4).count()


@program()
def healthy_cache(spark):
    frame = spark.read.parquet(DATA + "/even").filter("v < 500").select("k", "v").cache()
    for column in ("k", "v", "k"):
        frame.groupBy(column).count().collect()


@program()
def healthy_write(spark):
    spark.read.parquet(DATA + "/days").repartition("day").write.mode("overwrite").partitionBy("day").parquet(made("days"))


@program()
def healthy_pruned(spark):
    noop(spark.read.parquet(DATA + "/days").filter("day = date'2024-01-05'").groupBy("day").agg(F.max("t")))


@program()
def healthy_notebook(spark):
    frame = spark.read.parquet(DATA + "/even")
    frame.limit(20).collect()
    frame.groupBy(F.col("k") % 10).count().collect()
    frame.describe("v").collect()
    frame.select("v").distinct().count()


@program(conf={"spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes": "4m",
               "spark.sql.adaptive.advisoryPartitionSizeInBytes": "4m", "spark.sql.autoBroadcastJoinThreshold": "-1"},
         must_not=("skewed-join",), also=("missed-broadcast",))
def skew_split_by_spark(spark):
    noop(spark.read.parquet(DATA + "/hot").join(spark.read.parquet(DATA + "/names").hint("merge"), "k"))


@program(master="local-cluster[2,1,1024]")
def healthy_cluster(spark):
    even = spark.read.parquet(DATA + "/even")
    noop(even.groupBy("k").agg(F.sum("v"), F.max("pad")))


@program()
def healthy_bucketed(spark):
    for name in ("left", "right"):
        spark.sql(f"drop table if exists {name}")
    even = spark.read.parquet(DATA + "/even").select("k", "v")
    even.write.bucketBy(4, "k").sortBy("k").saveAsTable("left")
    even.groupBy("k").agg(F.sum("v").alias("s")).write.bucketBy(4, "k").sortBy("k").saveAsTable("right")
    noop(spark.table("left").join(spark.table("right").hint("merge"), "k"))


@program("too-many-partitions", must_not=("driver-idle-time", "small-files-read", "missing-cache", "job-failure"))
def stream_of_200(spark):
    source = spark.readStream.format("rate").option("rowsPerSecond", 2000).load()
    query = source.groupBy((F.col("value") % 10).alias("b")).count().writeStream.outputMode("complete").format("memory") \
        .queryName("counts").option("checkpointLocation", made("check1")).trigger(processingTime="3 seconds").start()
    query.awaitTermination(14)
    query.stop()


# ---------------------------------------------------------------- uneven data


SIXTEEN = {"spark.sql.shuffle.partitions": "16", "spark.sql.adaptive.coalescePartitions.enabled": "false",
           "spark.sql.autoBroadcastJoinThreshold": "-1"}


@program("skewed-aggregation", conf=SIXTEEN, must_not=("straggler", "skewed-join"))
def skewed_window(spark):
    hot = spark.read.parquet(DATA + "/hot")
    noop(hot.withColumn("r", F.row_number().over(Window.partitionBy("k").orderBy(F.desc("v"), "pad"))))


@program("skewed-join", conf=SIXTEEN, must_not=("straggler", "skewed-aggregation"), also=("missed-broadcast",))
def skewed_outer_join(spark):
    hot, names = spark.read.parquet(DATA + "/hot"), spark.read.parquet(DATA + "/names")
    noop(names.join(hot, "k", "left_outer").withColumn("h", F.sha2(F.concat("about", "pad", F.col("v").cast("string")), 512))
         .groupBy("h").count())


@program("skewed-join", conf=SIXTEEN, must_not=("straggler",))
def null_keys_join(spark):
    nulls, names = spark.read.parquet(DATA + "/nulls"), spark.read.parquet(DATA + "/names")
    noop(nulls.join(names, "k", "full_outer").withColumn("h", F.sha2(F.concat_ws("", "about", "pad", "v"), 512))
         .filter("h > '0'"))


@program("skewed-aggregation", must_not=("straggler", "skewed-join"))
def skewed_rdd_group(spark):
    pairs = spark.sparkContext.parallelize(range(3_000_000), 4).map(lambda i: (0 if i % 4 else i % 5000, str(i)))
    pairs.groupByKey(12).mapValues(lambda vs: sum(hash(str(v)) % 7 for v in vs)).count()


@program("skewed-aggregation", must_not=("straggler",))
def skewed_repartition(spark):
    hot = spark.read.parquet(DATA + "/hot")
    noop(hot.repartition(16, "k").select(F.sha2(F.concat("pad", F.lit("x")), 512).alias("h"), F.sha2(F.reverse("pad"), 512).alias("g")))


@program("unsplittable-input", must_not=("straggler", "skewed-join"), also=("too-few-partitions",))
def one_gzip(spark):
    noop(spark.read.text(DATA + "/gz").select(F.sha2(F.sha2("value", 512), 512).alias("a"), F.regexp_replace("value", "[0-9]+", "x").alias("b"),
                                              F.regexp_replace("value", "[a-c]+", "y").alias("c")))


@program("straggler", must_not=("skewed-join", "skewed-aggregation"))
def one_slow_call(spark):
    def work(ix, it):
        time.sleep(6 if ix == 5 else 0.4)
        return it
    spark.sparkContext.parallelize(range(1000), 12).count()
    spark.sparkContext.parallelize(range(1000), 12).mapPartitionsWithIndex(work).count()


# ---------------------------------------------------------------- memory


@program("spill", master="local-cluster[1,2,512]", conf={"spark.executor.memory": "512m", "spark.sql.shuffle.partitions": "2",
         "spark.sql.adaptive.enabled": "false", "spark.memory.fraction": "0.3"})
def spill_window(spark):
    even = spark.read.parquet(DATA + "/even")
    noop(even.withColumn("r", F.row_number().over(Window.partitionBy("k").orderBy("pad"))))


@program("spill", master="local-cluster[1,2,512]", conf={"spark.executor.memory": "512m", "spark.sql.shuffle.partitions": "2",
         "spark.sql.adaptive.enabled": "false", "spark.memory.fraction": "0.3"})
def spill_aggregate(spark):
    even = spark.read.parquet(DATA + "/even")
    noop(even.groupBy("pad").agg(F.sum("v"), F.max("k")))


@program("gc-pressure", master="local-cluster[1,2,512]", conf={"spark.executor.memory": "512m", "spark.sql.shuffle.partitions": "4",
         "spark.sql.adaptive.enabled": "false", "spark.sql.objectHashAggregate.sortBased.fallbackThreshold": "1000000"}, also=("spill",))
def gc_lists(spark):
    even = spark.range(0, 2_500_000, 1, 4).select((F.col("id") % 3000).alias("k"), F.hex("id").alias("p"))
    noop(even.groupBy("k").agg(F.collect_list("p").alias("ps")).select("k", F.size(F.array_distinct("ps"))))


@program("cache-eviction", master="local-cluster[1,2,600]", conf={"spark.executor.memory": "600m",
         "spark.eventLog.logBlockUpdates.enabled": "true"}, also=("missing-cache", "gc-pressure"))
def cache_dropped(spark):
    frame = spark.range(0, 2_800_000, 1, 42).withColumn("p2", F.sha2(F.col("id").cast("string"), 512)).persist(StorageLevel.MEMORY_ONLY)
    for _ in range(3):
        frame.agg(F.max("p2"), F.sum("id")).collect()


@program("unused-cache")
def cache_for_nothing(spark):
    frame = spark.read.parquet(DATA + "/even").withColumn("p2", F.sha2("pad", 512)).cache()
    frame.count()
    spark.read.parquet(DATA + "/names").count()


@program("missing-cache")
def same_work_four_times(spark):
    frame = spark.read.parquet(DATA + "/even").withColumn("p2", F.regexp_replace(F.sha2("pad", 512), "[a-f]+", "-")) \
        .filter("p2 > '1'")
    for column in ("k", "v", "k", "v"):
        frame.groupBy(column).agg(F.max("p2")).agg(F.count("*")).collect()


# ---------------------------------------------------------------- plans


@program("row-explosion")
def explode_then_filter(spark):
    frame = spark.read.parquet(DATA + "/even").withColumn("n", F.explode(F.sequence(F.lit(1), F.lit(60))))
    noop(frame.filter("(n + v) % 50 = 0"))


@program("nested-loop-join")
def range_outer_join(spark):
    a = spark.range(0, 300_000, 1, 4).select(F.col("id").alias("x"))
    b = spark.range(0, 12_000, 1, 2).select((F.col("id") * 7).alias("lo"), (F.col("id") * 7 + 3).alias("hi"))
    noop(a.join(b, (a.x >= b.lo) & (a.x < b.hi), "left_outer"))


@program("nested-loop-join")
def rdd_free_cross(spark):
    a = spark.range(0, 300_000, 1, 4).select((F.col("id") % 977).alias("x"))
    b = spark.range(0, 6_000, 1, 2).select((F.col("id") % 499).alias("y"))
    a.crossJoin(b).filter("x * y % 1013 = 1").count()


@program("missed-broadcast")
def merge_hint(spark):
    even, names = spark.read.parquet(DATA + "/even"), spark.read.parquet(DATA + "/names")
    noop(even.join(names.select("k", "name").filter("k < 2000").hint("merge"), "k"))


@program("oversized-broadcast")
def forced_broadcast(spark):
    even = spark.read.parquet(DATA + "/even")
    noop(spark.read.parquet(DATA + "/nulls").join(F.broadcast(even.limit(900_000)), "pad"))


@program("unneeded-global-sort")
def sort_then_group(spark):
    even = spark.read.parquet(DATA + "/even")
    noop(even.orderBy("pad").withColumn("r", F.row_number().over(Window.orderBy("pad"))).filter("r <= 20"))


@program("distinct-expansion")
def many_distincts(spark):
    even = spark.read.parquet(DATA + "/even")
    noop(even.groupBy(F.col("k") % 50).agg(F.countDistinct("pad"), F.countDistinct("v"), F.countDistinct("k")))


@program("distinct-expansion")
def wide_cube(spark):
    even = spark.read.parquet(DATA + "/even")
    noop(even.cube((F.col("k") % 50).alias("a"), (F.col("v") % 40).alias("b"), (F.col("v") % 7).alias("c")).agg(F.max("pad")))


@program("repeated-shuffle")
def union_of_same(spark):
    base = spark.read.parquet(DATA + "/even").repartition(4, "k").withColumn("p2", F.sha2("pad", 256))
    noop(base.groupBy("k").agg(F.max("p2").alias("m")).union(base.groupBy("k").agg(F.min("pad").alias("m"))))


@program("python-udf")
def plain_udf(spark):
    spark.udf.register("tidy", lambda s: s[::-1].upper(), "string")
    noop(spark.read.parquet(DATA + "/even").limit(800_000).repartition(4).selectExpr("tidy(pad) t", "k"))


@program("python-udf")
def udf_in_filter(spark):
    wanted = F.udf(lambda s: "abc" in s, "boolean")
    noop(spark.read.parquet(DATA + "/even").filter(wanted("pad")).select("k"))


@program("missing-partition-filter")
def filter_on_timestamp(spark):
    noop(spark.read.parquet(DATA + "/days").filter("at >= '2024-02-01' and at < '2024-02-02'").groupBy("id").agg(F.max("t")))


@program("row-format-scan")
def json_two_columns(spark):
    frame = spark.read.schema("id long, x double, t1 string, t2 string").json(DATA + "/json")
    frame.agg(F.sum("x")).collect()


# ---------------------------------------------------------------- tasks and files


@program("small-files-read")
def tiny_json(spark):
    noop(spark.read.schema("id long, t string").json(DATA + "/tiny"))


@program("small-files-write", also=("too-many-partitions", "scheduling-overhead"))
def partition_by_many(spark):
    even = spark.read.parquet(DATA + "/even").limit(60_000).repartition(4)
    even.withColumn("p", F.col("k") % 250).write.mode("overwrite").partitionBy("p").parquet(made("many"))


@program("single-writer")
def one_file(spark):
    even = spark.read.parquet(DATA + "/even")
    even.union(even).withColumn("p2", F.sha2("pad", 512)).coalesce(1).write.mode("overwrite").parquet(made("one"))


@program("too-few-partitions", master="local[4]")
def one_slice(spark):
    spark.sparkContext.parallelize(range(16), 1).map(lambda i: sum(j * j for j in range(6_000_000))).sum()


@program("too-many-partitions", conf={"spark.sql.adaptive.enabled": "false", "spark.sql.shuffle.partitions": "1500"},
         also=("scheduling-overhead",))
def fifteen_hundred(spark):
    noop(spark.read.parquet(DATA + "/names").groupBy("name").count())


@program("too-many-partitions", also=("scheduling-overhead", "python-udf"))
def rdd_thousand(spark):
    spark.sparkContext.setLogLevel("ERROR")
    spark.range(0, 1000, 1, 800).rdd.map(lambda r: (r[0] % 10, 1)).count()


@program("scheduling-overhead", also=("too-many-partitions",))
def empty_tasks(spark):
    spark._jsparkSession.range(0, 3000, 1, 3000).toJavaRDD().count()


@program("large-driver-result")
def to_the_driver(spark):
    spark.read.parquet(DATA + "/even").limit(600_000).repartition(4).select("k", "pad").collect()


@program("driver-idle-time")
def sleeping_driver(spark):
    for i in range(4):
        spark.read.parquet(DATA + "/names").groupBy("k").count().count()
        time.sleep(3)


@program("idle-executors", master="local-cluster[4,1,512]", conf={"spark.executor.memory": "512m"}, also=("too-few-partitions",))
def four_for_one(spark):
    spark.sparkContext.parallelize(range(12), 1).map(lambda i: sum(j * j for j in range(1_500_000))).sum()


# ---------------------------------------------------------------- failures


@program("task-failures", master="local[2,4]", must_not=("executor-loss", "job-failure", "fetch-failure"))
def fails_once(spark):
    from pyspark import TaskContext

    def once(ix, it):
        if ix == 2 and TaskContext.get().attemptNumber() < 2:
            raise ValueError("bad row")
        time.sleep(0.3)
        return it
    spark.sparkContext.parallelize(range(100), 6).mapPartitionsWithIndex(once).count()


@program("job-failure", must_not=("executor-loss",))
def bad_cast(spark):
    spark.conf.set("spark.sql.ansi.enabled", "true")
    try:
        spark.read.parquet(DATA + "/names").selectExpr("cast(name as int) + k as x").agg(F.sum("x")).collect()
    except Exception:
        pass


@program("executor-loss", master="local-cluster[2,1,700]", conf={"spark.executor.memory": "700m"}, must_not=("job-failure",))
def executor_dies(spark):
    from pyspark import TaskContext
    flag = made("died")
    if os.path.exists(flag):
        os.remove(flag)

    def die(ix, it):
        import signal
        if ix == 3 and not os.path.exists(flag):
            open(flag, "w").close()
            daemon = os.getppid()
            jvm = int(open(f"/proc/{daemon}/stat").read().rsplit(")", 1)[1].split()[1])
            os.kill(jvm, signal.SIGKILL)
        time.sleep(0.8)
        return it
    spark.sparkContext.parallelize(range(100), 8).mapPartitionsWithIndex(die).count()


@program("unsafe-commit", "task-failures", master="local[2,4]",
         conf={"spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version": "2"})
def retried_write(spark):
    from pyspark import TaskContext

    @F.udf("string")
    def once(s):
        if TaskContext.get().partitionId() == 1 and TaskContext.get().attemptNumber() == 0:
            raise ValueError("not yet")
        return s
    spark.range(0, 200_000, 1, 4).select(once(F.col("id").cast("string")).alias("s")).write.mode("append").parquet(made("retried"))


@program("unsafe-write", conf={"spark.speculation": "true", "spark.jars.ivySettings": ""})
def jdbc_speculation(spark):
    spark.range(0, 20_000, 1, 2).select(F.col("id").alias("i")).write.mode("append") \
        .jdbc("jdbc:derby:memory:planted;create=true", "t", properties={"driver": "org.apache.derby.jdbc.EmbeddedDriver"})


@program(must_not=("driver-idle-time", "job-failure"))
def broadcast_timeout(spark):
    """A query that ends by a time-out."""
    spark.conf.set("spark.sql.broadcastTimeout", "1")
    slow = spark.range(0, 4, 1, 1).selectExpr("id", "java_method('java.lang.Thread', 'sleep', 1500L) s") if False else \
        spark.read.parquet(DATA + "/even").groupBy("k").agg(F.max(F.sha2(F.sha2("pad", 512), 512)).alias("m"))
    try:
        noop(spark.read.parquet(DATA + "/names").join(F.broadcast(slow), "k"))
    except Exception:
        pass


@program(must_not=("driver-idle-time", "missing-cache", "too-many-partitions"))
def fast_stream(spark):
    source = spark.readStream.format("rate").option("rowsPerSecond", 100).load()
    query = source.writeStream.format("memory").queryName("fast").trigger(processingTime="100 milliseconds").start()
    query.awaitTermination(8)
    query.stop()


@program(must_not=("driver-idle-time", "missing-cache", "scheduling-overhead"))
def many_look_ups(spark):
    names = spark.read.parquet(DATA + "/names")
    for i in range(70):
        names.filter(F.col("k") == i).collect()


@program(must_not=("executor-loss", "task-failures", "idle-executors"), master="local-cluster[3,1,512]",
         conf={"spark.executor.memory": "512m", "spark.dynamicAllocation.enabled": "true",
               "spark.dynamicAllocation.shuffleTracking.enabled": "true", "spark.dynamicAllocation.minExecutors": "1",
               "spark.dynamicAllocation.maxExecutors": "3", "spark.dynamicAllocation.executorIdleTimeout": "2s"})
def comes_and_goes(spark):
    noop(spark.read.parquet(DATA + "/even").groupBy("k").agg(F.max("pad")))
    time.sleep(3)
    noop(spark.read.parquet(DATA + "/even").groupBy("v").agg(F.max("pad")))


# ---------------------------------------------------------------- running them


def session(spec, name, log_dir):
    builder = SparkSession.builder.master(spec["master"]).appName(name) \
        .config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false").config("spark.eventLog.enabled", "true").config("spark.eventLog.dir", "file://" + log_dir) \
        .config("spark.sql.warehouse.dir", made("warehouse")).config("spark.eventLog.compress", "true") \
        .config("spark.eventLog.rolling.enabled", "false")
    for key, value in spec["conf"].items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def run_one(name):
    spec = PROGRAMS[name]
    folder = os.path.join(OUT, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    spark = session(spec, name, folder)
    spark.sparkContext.setLogLevel("OFF")
    try:
        spec["run"](spark)
    finally:
        spark.stop()
    labels = {"name": name, "spark_version": spark.version, "complete": True,
              "planted": [{"fault": fault, "role": "planted"} for fault in spec["planted"]],
              "must_not": [{"fault": fault} for fault in spec["must_not"]],
              "also_seen": [{"fault": fault} for fault in spec["also"]]}
    with open(os.path.join(folder, "labels.json"), "w") as f:
        json.dump(labels, f, indent=1)


def main():
    names = sys.argv[2:] or list(PROGRAMS)
    os.makedirs(MADE, exist_ok=True)
    if not os.path.exists(os.path.join(DATA, "done")):
        quiet = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
        quiet.sparkContext.setLogLevel("OFF")
        data(quiet)
        quiet.stop()
    for name in names:
        before = time.time()
        try:
            run_one(name)
            print(f"{name}: {time.time() - before:.1f} s", flush=True)
        except Exception as problem:
            print(f"{name}: FAILED {str(problem)[:300]}", flush=True)


main()
