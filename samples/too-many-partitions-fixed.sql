-- The same grouping as Spark does it by itself: small reducers are merged.
SELECT count(*) AS groups, max(n) AS largest
FROM (SELECT id % 100000 AS k, count(*) AS n FROM range(0, 400000, 1, 4) GROUP BY id % 100000);
