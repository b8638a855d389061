-- Addresses are matched to ranges by BETWEEN alone: without an equality every row of one side
-- meets every row of the other.
-- See: CartesianProduct, 1,200 million pairs looked at for 60,000 rows.
SET spark.sql.autoBroadcastJoinThreshold = -1;

CREATE OR REPLACE TEMPORARY VIEW visits AS SELECT id * 1663 % 20000000 AS address FROM range(0, 60000, 1, 2);
CREATE OR REPLACE TEMPORARY VIEW networks AS
  SELECT id * 1000 AS first, id * 1000 + 999 AS last, id % 7 AS owner FROM range(0, 20000, 1, 1);

SELECT owner, count(*) AS visits
FROM visits JOIN networks ON address BETWEEN first AND last
GROUP BY owner ORDER BY owner;
