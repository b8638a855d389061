"""A join with one hot key, for samples/logs/skewed-join.zstd.

    spark-submit --master 'local-cluster[4,2,1024]' samples/skewed_join.py EVENT_LOG_DIR

Two of five orders belong to one customer. Broadcast is off, as it would be for a larger customer table, and
adaptive execution leaves the hot partition whole because it is below its 256 MB threshold: the everyday case."""
import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = (
    SparkSession.builder.appName("nightly-orders")
    .config("spark.eventLog.enabled", "true")
    .config("spark.eventLog.dir", sys.argv[1])
    .config("spark.eventLog.compress", "true")
    .config("spark.sql.autoBroadcastJoinThreshold", "-1")
    .config("spark.sql.shuffle.partitions", "64")
    .config("spark.sql.adaptive.coalescePartitions.enabled", "false")
    .getOrCreate()
)
customers = spark.range(0, 200_000).select(
    F.col("id").alias("c_custkey"), (F.col("id") % 25).alias("c_nationkey"))
orders = spark.range(0, 5_000_000, numPartitions=16).select(
    F.when(F.col("id") % 5 < 2, F.lit(7)).otherwise(F.col("id") % 200_000).alias("o_custkey"),
    F.col("id").alias("o_orderkey"),
    (F.rand(7) * 1000).alias("o_totalprice"),
    F.sha2(F.col("id").cast("string"), 256).alias("o_comment"))
joined = orders.join(customers, orders.o_custkey == customers.c_custkey)
joined.createOrReplaceTempView("enriched")
spark.sql("""
    SELECT c_nationkey, count(*) AS orders, sum(o_totalprice) AS revenue,
           max(length(regexp_replace(o_comment, '[0-9]', '-'))) AS longest
    FROM enriched GROUP BY c_nationkey ORDER BY revenue DESC
""").write.mode("overwrite").format("noop").save()
spark.stop()
