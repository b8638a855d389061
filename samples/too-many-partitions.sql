-- 5,000 reducers for a few megabytes, and adaptive execution may not merge them.
-- See: 5,000 tasks that each read next to nothing.
SET spark.sql.shuffle.partitions = 5000;
SET spark.sql.adaptive.coalescePartitions.enabled = false;

SELECT count(*) AS groups, max(n) AS largest
FROM (SELECT id % 100000 AS k, count(*) AS n FROM range(0, 400000, 1, 4) GROUP BY id % 100000);
