-- 300 shops fit any memory, but broadcasts are switched off: the 8 million sales are shuffled and
-- sorted to meet them.
-- See: SortMergeJoin, and the bytes that the exchange of sales carries.
SET spark.sql.autoBroadcastJoinThreshold = -1;
SET spark.sql.shuffle.partitions = 16;

CREATE OR REPLACE TEMPORARY VIEW shops AS SELECT id AS shop, id % 12 AS region FROM range(0, 300);
CREATE OR REPLACE TEMPORARY VIEW sales AS
  SELECT id * 7919 % 300 AS sold_at, id AS sale, sha2(CAST(id AS STRING), 224) AS receipt FROM range(0, 4000000, 1, 8);

SELECT region, count(*) AS sales, max(receipt) AS receipt
FROM sales JOIN shops ON sold_at = shop GROUP BY region ORDER BY region LIMIT 5;
