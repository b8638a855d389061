-- The same on the built-in engine and on a real Spark: numbers alone, as both print these alike.
CREATE TEMPORARY VIEW v AS SELECT id, id % 7 AS k, id * id % 1000 AS x FROM range(0, 10000, 1, 4);
SELECT k, count(*), sum(x), min(x), max(x) FROM v GROUP BY k ORDER BY k;
SELECT a.k, count(*) FROM v a JOIN v b ON a.id = b.x GROUP BY a.k ORDER BY a.k;
SELECT id, x FROM v ORDER BY x DESC, id LIMIT 5;
