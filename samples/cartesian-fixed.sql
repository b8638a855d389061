-- The same ranges, with the block that both sides lie in as an equality: a hash join.
CREATE OR REPLACE TEMPORARY VIEW visits AS SELECT id * 1663 % 20000000 AS address FROM range(0, 60000, 1, 2);
CREATE OR REPLACE TEMPORARY VIEW networks AS
  SELECT id * 1000 AS first, id * 1000 + 999 AS last, id % 7 AS owner FROM range(0, 20000, 1, 1);

SELECT owner, count(*) AS visits
FROM visits JOIN networks ON address DIV 1000 = first DIV 1000 AND address BETWEEN first AND last
GROUP BY owner ORDER BY owner;
