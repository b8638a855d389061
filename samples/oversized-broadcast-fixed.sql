-- The same join without the hint: both sides are shuffled, and each task holds its part alone.
CREATE OR REPLACE TEMPORARY VIEW customers AS
  SELECT id AS custkey, sha2(CAST(id AS STRING), 256) AS address FROM range(0, 3000000, 1, 4);
CREATE OR REPLACE TEMPORARY VIEW orders AS SELECT id * 3 AS ordered_by, id AS orderkey FROM range(0, 1000000, 1, 4);

SELECT count(*) AS orders, max(address) AS address
FROM orders JOIN customers ON ordered_by = custkey;
