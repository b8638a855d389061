-- Seven of ten orders belong to customer 7. Their rows all go to one reducer of the join, and
-- adaptive execution leaves it whole: it is below the 256 MB from which it splits.
-- See: stage 4 is one long task; the other slot stands idle behind it.
SET spark.sql.autoBroadcastJoinThreshold = -1;
SET spark.sql.shuffle.partitions = 16;
SET spark.sql.adaptive.coalescePartitions.enabled = false;

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
