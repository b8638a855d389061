-- The latest order of each customer, by a window. A window has no partial step: all rows of
-- customer 7, seven of ten, are sorted and ranked by one task.
-- See: one task of the window's stage takes nearly all of its time.
SET spark.sql.shuffle.partitions = 16;
SET spark.sql.adaptive.coalescePartitions.enabled = false;

CREATE OR REPLACE TEMPORARY VIEW orders AS
  SELECT CASE WHEN id % 10 < 7 THEN 7 ELSE id % 200000 END AS custkey,
         id AS orderkey, sha2(CAST(id AS STRING), 256) AS comment
  FROM range(0, 6000000, 1, 8);

SELECT count(*) AS customers, max(comment) AS last
FROM (SELECT custkey, comment,
             row_number() OVER (PARTITION BY custkey ORDER BY comment DESC) AS n,
             count(*) OVER (PARTITION BY custkey) AS orders
      FROM orders)
WHERE n <= 1 AND orders > 0;
