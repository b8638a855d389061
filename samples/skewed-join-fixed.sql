-- The same join; adaptive execution may split partitions from 1 MB on.
-- See: the hot reducer is read by several tasks, "AQEShuffleRead skewed" in the plan.
SET spark.sql.autoBroadcastJoinThreshold = -1;
SET spark.sql.shuffle.partitions = 16;
SET spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes = 1m;
SET spark.sql.adaptive.advisoryPartitionSizeInBytes = 1m;

CREATE OR REPLACE TEMPORARY VIEW customers AS
  SELECT id AS c_custkey, id % 25 AS c_nationkey FROM range(0, 200000);
CREATE OR REPLACE TEMPORARY VIEW orders AS
  SELECT CASE WHEN id % 10 < 7 THEN 7 ELSE id % 200000 END AS o_custkey,
         id AS o_orderkey, id % 1000 AS o_totalprice
  FROM range(0, 2000000, 1, 8);

SELECT c_nationkey, count(*) AS orders, sum(o_totalprice) AS revenue,
       max(length(regexp_replace(sha2(CAST(o_orderkey AS STRING), 256), '[0-9]', '-'))) AS longest
FROM orders JOIN customers ON o_custkey = c_custkey
GROUP BY c_nationkey ORDER BY revenue DESC LIMIT 5;
