-- The same answer by an aggregate: every task combines its rows before the shuffle, so that
-- customer 7 is one row from each of them.
SET spark.sql.shuffle.partitions = 16;

CREATE OR REPLACE TEMPORARY VIEW orders AS
  SELECT CASE WHEN id % 10 < 7 THEN 7 ELSE id % 200000 END AS custkey,
         id AS orderkey, sha2(CAST(id AS STRING), 256) AS comment
  FROM range(0, 6000000, 1, 8);

SELECT count(*) AS customers, max(comment) AS last
FROM (SELECT custkey, max(comment) AS comment, count(*) AS orders FROM orders GROUP BY custkey)
WHERE orders > 0;
