-- A hint broadcasts 3 million customers: the driver collects them, and every executor holds the
-- whole table, for a join whose other side is no larger.
-- See: BroadcastExchange with its data size, and the time before the join can begin.
CREATE OR REPLACE TEMPORARY VIEW customers AS
  SELECT id AS custkey, sha2(CAST(id AS STRING), 256) AS address FROM range(0, 3000000, 1, 4);
CREATE OR REPLACE TEMPORARY VIEW orders AS SELECT id * 3 AS ordered_by, id AS orderkey FROM range(0, 1000000, 1, 4);

SELECT /*+ BROADCAST(customers) */ count(*) AS orders, max(address) AS address
FROM orders JOIN customers ON ordered_by = custkey;
