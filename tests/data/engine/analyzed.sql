CREATE TEMPORARY VIEW t AS SELECT * FROM VALUES (1, 10L, 'x', 1.50, DATE'2024-01-01', 1.5D), (2, 20L, 'y', 2.25, DATE'2024-02-01', 2.5D) AS t(a, b, s, d, dt, f)
CREATE TEMPORARY VIEW u AS SELECT * FROM VALUES (1, 'p', 7), (3, CAST(NULL AS STRING), 8) AS u(a, k, v)
CREATE TEMPORARY VIEW w AS SELECT * FROM VALUES (1, 1S, 1Y, 1.5F, true, TIMESTAMP'2024-01-01 10:00:00', X'0A') AS w(i, sh, y, fl, bo, ts, bi)
CREATE TEMPORARY VIEW emp(name, dept, sal) AS SELECT col1, col2, col3 FROM VALUES ('a', 'd1', 100), ('b', 'd1', 200), ('c', 'd2', 300)
--
SELECT 1
SELECT 1 AS x, 'a' AS y, NULL, 1.5, 2.5D, 3L, true
SELECT 1 + 1, 1 + 2L, 1 * 1.5, 'a' || 'b'
SELECT a FROM t
SELECT A, T.b FROM t
SELECT t.* FROM t
SELECT *, a + 1 FROM t
SELECT a AS x, b y FROM t
SELECT a, a FROM t
SELECT t.a, u.* FROM t, u
SELECT x.a FROM t AS x
SELECT x.p FROM u AS x(p, q, r)
SELECT * FROM (SELECT a, b FROM t) q WHERE q.a > 1
SELECT * FROM (SELECT a, b FROM t) WHERE a > 1
SELECT y.c2 FROM (SELECT a, b FROM t) AS y(c1, c2)
SELECT * FROM VALUES (1, 'a'), (2, 'b')
SELECT * FROM VALUES (1, 'a'), (2, NULL) AS v(n, s)
SELECT * FROM VALUES (1), (2.5), (NULL)
SELECT n + 1 FROM VALUES (1 + 1), (CAST('3' AS INT)) AS v(n)
VALUES (1, 2), (3, 4)
SELECT * FROM range(10)
SELECT id * 2 FROM range(1, 10, 2)
SELECT r.id FROM range(0, 10, 1, 4) AS r
SELECT a FROM t WHERE a > 1
SELECT a FROM t WHERE b = 10 AND s LIKE 'x%'
SELECT a FROM t WHERE NOT (a = 1) OR b IS NULL
SELECT a FROM t WHERE a BETWEEN 1 AND 5
SELECT a FROM t WHERE a NOT BETWEEN 1 AND 5L
SELECT a FROM t WHERE a IN (1, 2, 3)
SELECT a FROM t WHERE a IN (1, 2L, 3)
SELECT a FROM t WHERE a NOT IN (1, '2')
SELECT a FROM t WHERE s = 1
SELECT a FROM t WHERE s > 1.5
SELECT a FROM t WHERE d > 1
SELECT a FROM t WHERE d = 1.125
SELECT a FROM t WHERE b > d
SELECT a FROM t WHERE f > d
SELECT a FROM t WHERE dt > '2024-01-01'
SELECT a FROM t WHERE dt < DATE'2024-01-01' + INTERVAL '90' DAY
SELECT dt + 1, dt - 1, dt - dt, dt + INTERVAL '1' MONTH, dt - INTERVAL '2' YEAR FROM t
SELECT ts + INTERVAL '1' HOUR, ts - ts, ts > DATE'2024-01-01', ts = '2024-01-01' FROM w
SELECT dt + INTERVAL '1' HOUR FROM t
SELECT i + sh, sh + y, y * y, sh / y, i / 2, i % 2, i DIV 2, fl + i, fl * 2.5D FROM w
SELECT -a, +a, ~a, a & 1, a | 2, a ^ 3 FROM t
SELECT d + 1, d * d, d / 3, d - 0.5, d % 2, d + b, d * f FROM t
SELECT a / b, b / 2, d / b FROM t
SELECT s + 1, s * 2, s || a, concat(s, a, d) FROM t
SELECT CASE WHEN a = 1 THEN 'one' WHEN a = 2 THEN 'two' ELSE 'many' END FROM t
SELECT CASE a WHEN 1 THEN 1 ELSE 2.5 END, CASE WHEN a > 1 THEN b END FROM t
SELECT CASE WHEN a > 1 THEN NULL ELSE a END AS c, if(a > 1, a, b), coalesce(a, b, 1.5), nullif(a, 1), ifnull(a, 2), nvl(s, 'z') FROM t
SELECT CAST(a AS STRING), CAST(s AS INT), CAST(d AS DECIMAL(10, 1)), TRY_CAST(s AS DATE), a :: bigint FROM t
SELECT a > 1, a >= 1L, a < 1.5, a <= 2, a <> 3, a != 3, a = b, a <=> b FROM t
SELECT a IS NULL, s IS NOT NULL, a IS TRUE FROM (SELECT true AS a, 'x' AS s)
SELECT upper(s), length(s), substring(s, 1, 2), substr(s, 2), trim(s), lower(s) FROM t
SELECT year(dt), month(dt), day(dt), date_add(dt, 1), datediff(dt, dt), date_format(dt, 'yyyy'), EXTRACT(YEAR FROM dt) FROM t
SELECT abs(a), round(d, 1), round(f), floor(d), ceil(f), sqrt(a), power(a, 2), greatest(a, b), least(a, 1.5) FROM t
SELECT s LIKE 'a%', s NOT LIKE 'b_', s RLIKE 'x+', s LIKE 'a/%' ESCAPE '/' FROM t
SELECT current_date() IS NULL
SELECT ucase(s), lcase(s), char_length(s), pow(a, 2), mean(a) OVER () FROM t
SELECT count(*) FROM t
SELECT count(1), count(a), count(DISTINCT a), count(DISTINCT a, b), sum(a), sum(b), sum(d), sum(f), avg(a), avg(d), min(s), max(dt) FROM t
SELECT sum(DISTINCT a) FILTER (WHERE b > 1), count(*) FILTER (WHERE a = 1 AND b = 2) FROM t
SELECT s, count(*) FROM t GROUP BY s
SELECT s, count(*) AS n, sum(a) FROM t GROUP BY s HAVING count(*) > 1
SELECT s, sum(a) AS total FROM t GROUP BY s HAVING total > 1
SELECT s, sum(a) FROM t GROUP BY s HAVING max(b) > 1 AND s = 'x'
SELECT s FROM t GROUP BY s HAVING sum(a) > 1 ORDER BY sum(b)
SELECT sum(a) FROM t HAVING sum(a) > 1
SELECT s, a + 1, sum(b) FROM t GROUP BY s, a + 1
SELECT s, a + 1 + sum(b) FROM t GROUP BY s, a
SELECT a + 1 AS x, sum(b) FROM t GROUP BY x
SELECT s AS k, a AS s2, sum(b) FROM t GROUP BY 1, 2
SELECT s, a, sum(b), count(*) + 1 FROM t GROUP BY ALL
SELECT sum(b) FROM t GROUP BY s
SELECT DISTINCT a, b FROM t
SELECT DISTINCT a FROM t ORDER BY a
SELECT s, count(*) FROM t GROUP BY s ORDER BY s
SELECT s, count(*) FROM t GROUP BY s ORDER BY count(*) DESC, s
SELECT s, count(*) AS n FROM t GROUP BY s ORDER BY n DESC NULLS LAST
SELECT s, count(*) AS n FROM t GROUP BY s ORDER BY max(a), n
SELECT s FROM t GROUP BY s ORDER BY sum(a) + 1 DESC
SELECT s, sum(a) AS x FROM t GROUP BY s HAVING x > 1 ORDER BY min(b) DESC LIMIT 3
SELECT a FROM t ORDER BY b
SELECT a AS x FROM t ORDER BY x
SELECT a AS x FROM t ORDER BY a
SELECT a, b FROM t ORDER BY 2 DESC, 1
SELECT a + b AS c FROM t ORDER BY a + b, c
SELECT a FROM t ORDER BY a LIMIT 2
SELECT a FROM t LIMIT 2 OFFSET 1
SELECT a FROM t OFFSET 3
SELECT a FROM t LIMIT 1 + 1
SELECT a FROM t SORT BY b
SELECT a FROM t DISTRIBUTE BY b SORT BY a
SELECT a FROM t CLUSTER BY a
SELECT a AS x, x + 1 AS y, y * 2 FROM t
SELECT sum(a) AS x, x + 1 FROM t
SELECT s, sum(a) AS x, x / 2 AS h FROM t GROUP BY s
SELECT a FROM t ORDER BY a DESC, b ASC NULLS LAST, s DESC NULLS FIRST
SELECT t.a, u.v FROM t JOIN u ON t.a = u.a
SELECT t.a, u.v FROM t INNER JOIN u ON t.a = u.a AND t.b > u.v
SELECT * FROM t LEFT JOIN u ON t.a = u.a
SELECT * FROM t RIGHT OUTER JOIN u ON t.a = u.a
SELECT * FROM t FULL OUTER JOIN u ON t.a = u.a
SELECT * FROM t LEFT SEMI JOIN u ON t.a = u.a
SELECT * FROM t LEFT ANTI JOIN u ON t.a = u.a
SELECT t.a FROM t CROSS JOIN u
SELECT t.a FROM t, u WHERE t.a = u.a
SELECT t.a FROM t, u, emp WHERE t.a = u.a AND u.k = emp.name
SELECT * FROM t JOIN u USING (a)
SELECT a, v FROM t LEFT JOIN u USING (a)
SELECT a, t.a, u.a FROM t RIGHT JOIN u USING (a)
SELECT * FROM t FULL JOIN u USING (a)
SELECT a, t.a, u.a FROM t FULL JOIN u USING (a)
SELECT * FROM t NATURAL JOIN u
SELECT * FROM t NATURAL LEFT JOIN u
SELECT * FROM t NATURAL FULL OUTER JOIN u
SELECT * FROM t LEFT SEMI JOIN u USING (a)
SELECT * FROM (t JOIN u USING (a)) JOIN w ON a = i
SELECT x.a, y.b FROM t x JOIN t y ON x.a = y.a
SELECT x.a, y.a, z.a FROM t x, t y, t z WHERE x.a = y.a AND y.a = z.a
SELECT * FROM (SELECT a, count(*) AS c FROM t GROUP BY a) x JOIN (SELECT a, count(*) AS c FROM t GROUP BY a) y ON x.a = y.a
SELECT t.a FROM t JOIN u ON t.b = u.a
SELECT t.a FROM t JOIN u ON t.s = u.a
SELECT t.a FROM t LEFT JOIN u ON t.a = u.a AND u.v > 1 WHERE u.k IS NULL
WITH c AS (SELECT a, b FROM t) SELECT * FROM c
WITH c AS (SELECT a FROM t), d AS (SELECT a + 1 AS x FROM c) SELECT * FROM d, c
WITH c(p, q) AS (SELECT a, b FROM t) SELECT p FROM c WHERE q > 1
WITH c AS (SELECT a FROM t) SELECT x.a FROM c x JOIN c y ON x.a = y.a
WITH c AS (SELECT 1 AS x) SELECT * FROM (WITH d AS (SELECT x + 1 AS y FROM c) SELECT * FROM d) q
WITH t AS (SELECT a FROM u) SELECT * FROM t
WITH c AS (SELECT a FROM t) SELECT * FROM u WHERE a IN (SELECT a FROM c)
SELECT a FROM t UNION SELECT a FROM u
SELECT a FROM t UNION ALL SELECT a FROM u
SELECT a, b FROM t UNION ALL SELECT v, a FROM u
SELECT a FROM t UNION ALL SELECT d FROM t
SELECT a, s FROM t UNION ALL SELECT s, a FROM t
SELECT NULL AS x UNION ALL SELECT 1
SELECT a FROM t INTERSECT SELECT a FROM u
SELECT a FROM t INTERSECT ALL SELECT a FROM u
SELECT a FROM t EXCEPT SELECT a FROM u
SELECT a FROM t EXCEPT ALL SELECT b FROM t
SELECT a FROM t MINUS SELECT a FROM u
SELECT a FROM t UNION SELECT a FROM u UNION ALL SELECT v FROM u
SELECT a FROM t UNION ALL SELECT a FROM t
SELECT a FROM t UNION ALL SELECT v AS b FROM u ORDER BY a LIMIT 1
SELECT a FROM t UNION ALL (SELECT v FROM u ORDER BY v LIMIT 1)
SELECT a FROM t WHERE a > (SELECT max(a) FROM u)
SELECT a, (SELECT max(v) FROM u) AS m FROM t
SELECT a, (SELECT max(v) FROM u WHERE u.a = t.a) AS m FROM t
SELECT a FROM t WHERE a IN (SELECT a FROM u)
SELECT a FROM t WHERE a NOT IN (SELECT v FROM u WHERE k = 'p')
SELECT a FROM t WHERE (a, s) IN (SELECT a, k FROM u)
SELECT a FROM t WHERE b IN (SELECT a FROM u)
SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a)
SELECT a FROM t WHERE NOT EXISTS (SELECT * FROM u WHERE u.a = t.a AND u.v > t.b)
SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a AND v > 1) OR a = 5
SELECT a FROM t WHERE a = (SELECT min(v) FROM u WHERE u.a = t.a AND u.v > 3)
SELECT a FROM t WHERE b > (SELECT avg(v) FROM u WHERE u.a = t.a)
SELECT s, sum(a) FROM t GROUP BY s HAVING sum(a) > (SELECT max(v) FROM u)
SELECT * FROM t o WHERE EXISTS (SELECT 1 FROM t i WHERE i.a = o.a AND i.b <> o.b)
SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a AND EXISTS (SELECT 1 FROM emp WHERE emp.sal = u.v))
SELECT s, a, sum(b) FROM t GROUP BY ROLLUP(s, a)
SELECT s, a, sum(b) FROM t GROUP BY CUBE(s, a)
SELECT s, a, sum(b) FROM t GROUP BY s, a WITH ROLLUP
SELECT s, a, sum(b) FROM t GROUP BY GROUPING SETS ((s, a), (s), ())
SELECT s, a, sum(b) FROM t GROUP BY s, a GROUPING SETS ((s, a), (a))
SELECT s, grouping(s), grouping_id(), sum(b) FROM t GROUP BY ROLLUP(s)
SELECT s, grouping_id(s, a), sum(b) FROM t GROUP BY CUBE(s, a) HAVING grouping(s) = 0 ORDER BY grouping_id(s, a), s
SELECT s, a + 1, sum(b) FROM t GROUP BY ROLLUP(s, a + 1)
SELECT s, sum(a) FROM t GROUP BY ROLLUP(s) ORDER BY s, sum(b)
SELECT s, a, b, count(*) FROM t GROUP BY s, ROLLUP(a, b)
SELECT a, row_number() OVER (PARTITION BY s ORDER BY b) FROM t
SELECT a, rank() OVER (PARTITION BY s ORDER BY b DESC) AS r, dense_rank() OVER (PARTITION BY s ORDER BY b DESC) AS dr FROM t
SELECT a, sum(b) OVER (PARTITION BY s ORDER BY a) AS x, sum(b) OVER (PARTITION BY s) AS y, sum(b) OVER () AS z FROM t
SELECT a, sum(b) OVER (ORDER BY a ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t
SELECT a, avg(b) OVER (PARTITION BY s ORDER BY a ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM t
SELECT a, sum(b) OVER (ORDER BY a RANGE BETWEEN 2 PRECEDING AND 2 FOLLOWING) FROM t
SELECT a, lag(b) OVER (PARTITION BY s ORDER BY a), lead(b, 2, 0) OVER (PARTITION BY s ORDER BY a) FROM t
SELECT a, first(b) OVER (PARTITION BY s ORDER BY a), last(b) OVER (PARTITION BY s ORDER BY a), ntile(4) OVER (ORDER BY a), percent_rank() OVER (ORDER BY a), cume_dist() OVER (ORDER BY a) FROM t
SELECT a, sum(b) OVER win FROM t WINDOW win AS (PARTITION BY s ORDER BY a)
SELECT a, sum(b) OVER w1 AS p, count(*) OVER w2 AS q FROM t WINDOW w1 AS (PARTITION BY s), w2 AS (w1)
SELECT s, sum(a), rank() OVER (ORDER BY sum(a) DESC) FROM t GROUP BY s
SELECT s, sum(sum(a)) OVER () AS total, sum(a) / sum(sum(a)) OVER () FROM t GROUP BY s
SELECT * FROM (SELECT a, row_number() OVER (ORDER BY b) AS rn FROM t) WHERE rn <= 2
SELECT a, row_number() OVER (ORDER BY b) AS rn FROM t ORDER BY rn
SELECT a FROM t ORDER BY row_number() OVER (ORDER BY b)
SELECT a, sum(a + 1) OVER (PARTITION BY upper(s) ORDER BY b + 1) AS x FROM t
SELECT a + sum(b) OVER (PARTITION BY s) AS x, a AS y FROM t
SELECT /*+ BROADCAST(u) */ t.a FROM t JOIN u ON t.a = u.a
SELECT /*+ MERGE(t), SHUFFLE_HASH(u) */ t.a FROM t JOIN u ON t.a = u.a
SELECT /*+ BROADCAST(y) */ x.a FROM t x JOIN u AS y ON x.a = y.a
SELECT /*+ REPARTITION(5) */ a FROM t
SELECT /*+ REPARTITION(5, a) */ a, b FROM t
SELECT /*+ REPARTITION(a) */ a, b FROM t
SELECT /*+ COALESCE(3) */ a FROM t
SELECT /*+ REBALANCE(a) */ a FROM t
SELECT /*+ REPARTITION_BY_RANGE(4, a) */ a FROM t
SELECT /*+ NOSUCH(t) */ a FROM t
SELECT a FROM t TABLESAMPLE (10 PERCENT) REPEATABLE (5)
SELECT a FROM t TABLESAMPLE (5 ROWS)
SELECT count(*) FROM t WHERE a > 1 GROUP BY s HAVING count(*) > 1 ORDER BY 1
SELECT name, dept, sal FROM emp WHERE sal > 100
SELECT max(a) + min(b) AS x, sum(a) / count(*) FROM t
SELECT first(a), last(s), collect_list(a), stddev(a), variance(f), approx_count_distinct(a), max_by(a, b), any_value(a) FROM t
SELECT bool_and(a > 1), bool_or(a > 1), count_if(a > 1), every(a = 1) FROM t
SELECT a, b FROM t WHERE a = 1 AND b = 2 AND s = 'z' AND d = 3
SELECT true AND false OR NOT true
SELECT a FROM t WHERE true
SELECT 1 AS one FROM t GROUP BY 1
SELECT 'x' AS k, count(*) FROM t GROUP BY 'x'
SELECT a AS a1, a1 AS a2 FROM t
SELECT date_sub(dt, 5), add_months(dt, 1), last_day(dt), trunc(dt, 'MM'), to_date(s), months_between(dt, dt) FROM t
SELECT concat_ws(',', s, s), lpad(s, 5, '0'), replace(s, 'x', 'y'), instr(s, 'x'), split(s, ',')[0] FROM t
SELECT rand(5) AS r, a FROM t
SELECT hash(a, s), md5(s), isnull(a), isnotnull(a) FROM t
SELECT INTERVAL '1' DAY, INTERVAL 3 MONTHS, INTERVAL '1-2' YEAR TO MONTH
SELECT DATE'2024-01-01', TIMESTAMP'2024-01-01 00:00:00', X'1F'
SELECT a, b FROM t HAVING a > 1
SELECT s, count(*) c FROM t WHERE a IN (SELECT a FROM u) GROUP BY s ORDER BY c
SELECT q.x, q.y FROM (SELECT a x, sum(b) y FROM t GROUP BY a) q JOIN u ON q.x = u.a ORDER BY q.y DESC LIMIT 5
SELECT `a` AS `my col` FROM t
SELECT d * (1 - d) * (1 + d) AS charge, sum(d * (1 - d)) OVER () FROM t
SELECT sum(d * (1 - d)), avg(d), sum(CASE WHEN a = 1 THEN d ELSE 0 END) / sum(d) * 100.00 FROM t
SELECT EXTRACT(YEAR FROM dt) AS y, sum(a) FROM t GROUP BY y
SELECT EXTRACT(YEAR FROM dt), sum(a) FROM t GROUP BY EXTRACT(YEAR FROM dt)
SELECT t.a FROM t WHERE t.a = u.a
SELECT nosuch FROM t
SELECT a, bb FROM t
SELECT t.aa FROM t
SELECT x.a FROM t
SELECT z FROM t JOIN u ON t.a = u.a
SELECT a FROM t JOIN u ON t.a = u.a
SELECT * FROM nosuch
SELECT * FROM tt
SELECT nosuch(a) FROM t
SELECT lenght(s) FROM t
SELECT length(s, 1) FROM t
SELECT a, sum(b) FROM t
SELECT s, a FROM t GROUP BY s
SELECT s, a + 1 FROM t GROUP BY s
SELECT * FROM t GROUP BY s
SELECT s FROM t GROUP BY 3
SELECT s FROM t GROUP BY 0
SELECT sum(a) FROM t GROUP BY 1
SELECT s FROM t ORDER BY 2
SELECT a FROM t WHERE sum(a) > 1
SELECT a FROM t WHERE a
SELECT a FROM t WHERE s AND true
SELECT sum(sum(a)) FROM t
SELECT a FROM t UNION SELECT a, b FROM t
SELECT a FROM t UNION SELECT a = 1 FROM t
SELECT a FROM t WHERE a IN (SELECT a, b FROM t)
SELECT a FROM t WHERE a = (SELECT a, b FROM t)
SELECT a FROM t LIMIT -1
SELECT a FROM t LIMIT 'x'
SELECT a FROM t LIMIT a
SELECT a + true FROM t
SELECT dt + s FROM t
SELECT NOT a FROM t
SELECT a FROM t WHERE dt > 5
SELECT CASE WHEN a THEN 1 END FROM t
SELECT CASE WHEN a = 1 THEN 1 ELSE dt END FROM t
SELECT CAST(dt AS INT) FROM t
SELECT CAST(bo AS DATE) FROM w
SELECT count(DISTINCT a) OVER (PARTITION BY s) FROM t
SELECT row_number() FROM t
SELECT rank() OVER (PARTITION BY s) FROM t
SELECT sum(b) OVER nowin FROM t
SELECT a FROM t WHERE row_number() OVER (ORDER BY a) = 1
SELECT s, rank() OVER (ORDER BY a) FROM t GROUP BY s
SELECT sum(a) FROM t ORDER BY b
SELECT s, sum(a) FROM t GROUP BY s ORDER BY b
SELECT DISTINCT a FROM t ORDER BY b
SELECT * FROM t JOIN u USING (b)
SELECT * FROM t JOIN u USING (nosuch)
SELECT x.* FROM t
SELECT grouping(s) FROM t GROUP BY s
SELECT grouping(b), sum(b) FROM t GROUP BY ROLLUP(s)
SELECT * FROM VALUES (1, 2), (3)
SELECT * FROM VALUES (1), (a)
SELECT * FROM VALUES (1), ('x') AS v(a, b)
SELECT a.p FROM (SELECT 1 AS x) AS a(p, q)
WITH c AS (SELECT 1), c AS (SELECT 2) SELECT * FROM c
WITH c(p, q) AS (SELECT 1) SELECT * FROM c
SELECT a IN (1, dt) FROM t
SELECT substring(a) FROM t
SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.nosuch)
SELECT (SELECT a FROM u WHERE u.v = t.a) FROM t
SELECT a, sum(DISTINCT b) OVER () FROM t
SELECT coalesce() FROM t
SELECT sum(s, a) FROM t
SELECT -s, abs(dt) FROM t
SELECT date_add(a, 1) FROM t
SELECT a AS x, x + nosuch FROM t
SELECT b AS x, a AS x, x + 1 FROM t
SELECT count(*) AS a1, a + 1 FROM t
SELECT year(a, 1) FROM t
SELECT sum(a) OVER (ORDER BY a ROWS BETWEEN 1 FOLLOWING AND 1 PRECEDING) FROM t
SELECT sum(a) OVER (ORDER BY s RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t
SELECT a FROM range('x')
SELECT a FROM nofunc(1)
SELECT * FROM range()
SELECT explode(a) FROM t
SELECT s, max(a) AS a FROM t GROUP BY s ORDER BY max(a)
SELECT s, max(a) AS b FROM t GROUP BY s HAVING b > 1
SELECT a AS b, count(*) FROM t GROUP BY a HAVING b > 1
SELECT a AS b, count(*) FROM t GROUP BY a ORDER BY b
SELECT a + 1 AS a, count(*) FROM t GROUP BY a
SELECT count(*) FROM t GROUP BY s HAVING s = 'x'
SELECT s FROM t GROUP BY s, a HAVING a + 1 > 2 ORDER BY a
SELECT upper(s), count(*) FROM t GROUP BY upper(s) HAVING upper(s) > 'a' ORDER BY upper(s)
SELECT a FROM t GROUP BY a + 1
SELECT DISTINCT s FROM t ORDER BY upper(s)
SELECT DISTINCT a + 1 AS x FROM t ORDER BY x LIMIT 2
SELECT DISTINCT s, count(*) FROM t GROUP BY s
SELECT count(DISTINCT s), sum(DISTINCT a + b) FROM t HAVING count(*) > 0
SELECT t.*, u.v AS w FROM t JOIN u USING (a) WHERE t.a > 1 AND u.a < 3
SELECT t.*, u.* FROM t LEFT JOIN u USING (a)
SELECT t.a, w.i FROM t JOIN u USING (a) JOIN w ON t.a = w.i
SELECT x.a, y.a, z.a FROM t x JOIN t y USING (a) JOIN t z USING (a)
SELECT a FROM t JOIN u USING (a) ORDER BY u.a
SELECT * FROM t JOIN (SELECT a AS k2, v FROM u) q ON t.a = q.k2
SELECT (SELECT count(*) FROM u WHERE u.a = t.a) AS c, s FROM t ORDER BY c
SELECT s, (SELECT max(v) FROM u) + sum(a) FROM t GROUP BY s
SELECT a FROM t WHERE a IN (SELECT u.a FROM u WHERE u.v > t.b)
SELECT a FROM t WHERE (SELECT count(*) FROM u WHERE u.a = t.a AND u.v > 1) > 0
SELECT a FROM t WHERE a NOT IN (1, 2) AND NOT EXISTS (SELECT 1 FROM u)
SELECT a FROM t WHERE EXISTS (SELECT k FROM u GROUP BY k HAVING count(*) > 1)
SELECT a FROM (SELECT a, b FROM t UNION ALL SELECT a, v FROM u) q GROUP BY a
SELECT sum(x) FROM (SELECT a AS x FROM t UNION SELECT v FROM u)
SELECT a FROM t WHERE a = ALL_VALUES
SELECT max(a) OVER (PARTITION BY s), a FROM t ORDER BY b
SELECT a, rank() OVER (ORDER BY b) AS r FROM t WHERE a > 1 ORDER BY s, r
SELECT s, count(*) AS c, rank() OVER (ORDER BY count(*)) AS r FROM t GROUP BY s HAVING count(*) > 1
SELECT s, count(*) AS c, rank() OVER (ORDER BY count(*)) AS r FROM t GROUP BY s HAVING sum(a) > 1 ORDER BY r
SELECT s, sum(a) AS x, sum(sum(a)) OVER (ORDER BY s) FROM t GROUP BY s ORDER BY s
SELECT s, rank() OVER (PARTITION BY grouping(s) ORDER BY sum(a)) FROM t GROUP BY ROLLUP(s)
SELECT s, a, sum(b) FROM t GROUP BY ROLLUP(s, a) HAVING grouping(a) = 0 ORDER BY s
SELECT s, a, sum(b) FROM t GROUP BY ROLLUP(s, a) HAVING s IS NOT NULL ORDER BY s, a
SELECT s, a, sum(b) FROM t GROUP BY GROUPING SETS (s, a) ORDER BY 1, 2
SELECT s, a, count(*) FROM t GROUP BY CUBE(s), ROLLUP(a)
SELECT s, sum(a) FROM t GROUP BY ROLLUP(s) ORDER BY grouping(s), s
SELECT s, sum(a) + grouping(s) FROM t GROUP BY GROUPING SETS ((s), ())
SELECT coalesce(s, 'all'), sum(a) FROM t GROUP BY ROLLUP(s)
SELECT s, a FROM t GROUP BY GROUPING SETS ((s, a), (s, a), ())
SELECT a FROM t GROUP BY sum(b)
SELECT sum(a) AS x, sum(b) AS x FROM t
SELECT a x, b x FROM t ORDER BY x
SELECT s, collect FROM t
SELECT -a AS n, abs(-1.5), - 1 FROM t
SELECT a, CASE WHEN s = 'x' THEN d ELSE 0 END FROM t
SELECT CASE WHEN a > 0 THEN 'x' WHEN a < 0 THEN NULL END FROM t
SELECT if(a > 1, d, f), coalesce(NULL, a), coalesce(s, a), nullif(s, 'x') FROM t
SELECT a FROM t WHERE d IN (1, 2.5, 3)
SELECT a FROM t WHERE dt IN ('2024-01-01', DATE'2024-01-02')
SELECT a FROM t WHERE dt BETWEEN '2024-01-01' AND '2024-02-01'
SELECT a FROM t WHERE f IN (1, 2)
SELECT a FROM t WHERE 1.5 < a AND 2 >= d AND a >= 1.5 AND a <= -2.5 AND a > 99999999999999999999.5
SELECT a FROM t WHERE s IS DISTINCT FROM 'x' OR s <=> NULL
SELECT a FROM t WHERE (a, b) IN ((1, 2L), (3, 4L))
SELECT CAST('2024-01-01' AS DATE) + INTERVAL 1 MONTH, DATE'2024-03-31' - INTERVAL '1' MONTH
SELECT a * 0.1, a * 1.0 / 3, d * 1.1 + a, sum(d) FROM t GROUP BY a, d
SELECT avg(a) * 1.5, sum(a) * 1.5, avg(d) / 2, sum(d) / count(*) FROM t
SELECT count(*) * 100.0 / sum(count(*)) OVER () FROM t GROUP BY s
SELECT sum(a) FILTER (WHERE s = 'x') / sum(a) FROM t
WITH c AS (SELECT a FROM t), c2 AS (SELECT a FROM c) SELECT c.a FROM c JOIN c2 ON c.a = c2.a
WITH c AS (SELECT a, count(*) AS n FROM t GROUP BY a) SELECT * FROM c WHERE n = (SELECT max(n) FROM c)
SELECT * FROM (WITH c AS (SELECT 1 AS x) SELECT x FROM c) a JOIN (WITH c AS (SELECT 2 AS x) SELECT x FROM c) b ON a.x < b.x
WITH RECURSIVE_NAME AS (SELECT 1 AS a) SELECT a FROM recursive_name
SELECT a FROM t WHERE a > (SELECT avg(a) FROM t)
SELECT x.a FROM t x WHERE x.a > (SELECT avg(y.a) FROM t y WHERE y.s = x.s)
SELECT * FROM t LEFT JOIN u ON t.a = u.a LEFT JOIN emp ON u.k = emp.dept
SELECT a, b FROM t EXCEPT SELECT a, v FROM u INTERSECT SELECT a, b FROM t
(SELECT a FROM t LIMIT 1) UNION ALL (SELECT a FROM u LIMIT 1)
SELECT s, d FROM t UNION ALL SELECT k, 1.2345 FROM u
SELECT 1 AS a, 'x' AS b UNION SELECT 2.5, NULL
SELECT dt FROM t UNION ALL SELECT '2024-01-01'
SELECT a FROM t UNION ALL SELECT true
SELECT * FROM VALUES (1, DATE'2024-01-01'), (2L, '2024-01-01')
SELECT * FROM VALUES (true), (1)
SELECT x.*, 1 FROM (SELECT a FROM t) x
SELECT count(t.*), count(DISTINCT *) FROM (SELECT a FROM t) t
SELECT T.A AS aA FROM T ORDER BY AA
SELECT a, a AS a2, a2 + 1 AS a3 FROM t WHERE a > 1
SELECT a AS x, (SELECT max(v) FROM u WHERE u.a = x) FROM t
SELECT s AS g, count(*) FROM t GROUP BY g HAVING g = 'x'
SELECT a FROM t ORDER BY a + b, upper(s) DESC
SELECT a + 1 FROM t ORDER BY a + 1
SELECT a FROM t ORDER BY 1 + 1
SELECT * FROM t ORDER BY u.a
SELECT a FROM t ORDER BY nosuch
SELECT u.a FROM t JOIN u ON t.a = u.a AND t.nosuch = 1
SELECT a FROM t JOIN u ON t.a
SELECT a FROM t WHERE u.a IN (SELECT a FROM u)
SELECT a FROM t WHERE count(*) > 1 OR a > 1
SELECT sum(a) FROM t WHERE a > 1 GROUP BY s, nosuch
SELECT a, sum(b) OVER (PARTITION BY nosuch) FROM t
SELECT sum(b) OVER (ORDER BY a ROWS 1.5 PRECEDING) FROM t
SELECT sum(b) OVER (ORDER BY dt RANGE BETWEEN INTERVAL '1' DAY PRECEDING AND CURRENT ROW) FROM t
SELECT sum(b) OVER (ORDER BY d RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM t
SELECT sum(b) OVER (ORDER BY a, b RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM t
SELECT row_number() OVER (ORDER BY a ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t
SELECT lag(a, 1) OVER (ORDER BY a ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t
SELECT sum(row_number() OVER (ORDER BY a)) FROM t
SELECT upper(s) OVER (ORDER BY a) FROM t
SELECT a, * FROM t WHERE *
SELECT a IN (SELECT 1, 2) FROM t
SELECT CAST(a AS BOOLEAN), CAST(bo AS INT), CAST(ts AS DATE), CAST(fl AS DECIMAL(5, 2)), CAST(bi AS STRING) FROM t, w
SELECT a FROM t CROSS JOIN u ON t.a = u.a
SELECT x.s FROM t x SEMI JOIN u ON x.a = u.a
SELECT u.k FROM t LEFT SEMI JOIN u ON t.a = u.a
SELECT emp.name, e2.name FROM emp, emp e2 WHERE emp.sal < e2.sal
SELECT dept, count(*) FROM emp GROUP BY dept HAVING count(*) = (SELECT max(c) FROM (SELECT count(*) AS c FROM emp GROUP BY dept))
SELECT /*+ BROADCAST */ t.a FROM t JOIN u ON t.a = u.a
SELECT /*+ BROADCAST(nosuch) */ t.a FROM t JOIN u ON t.a = u.a
SELECT /*+ BROADCAST(u, t) */ * FROM t JOIN (SELECT /*+ MERGE(u) */ u.a FROM u) q ON t.a = q.a
SELECT /*+ REPARTITION(3), BROADCAST(u) */ t.a FROM t, u
SELECT /*+ COALESCE(a) */ a FROM t
SELECT /*+ REPARTITION(nosuch) */ a FROM t
SELECT a FROM t TABLESAMPLE (50 PERCENT) REPEATABLE (1) x WHERE x.a > 1
SELECT * FROM range(5) a JOIN range(3) b ON a.id = b.id
SELECT sum(id) FROM range(-5, 1 + 4, 3)
SELECT a FROM t LIMIT 9999999999
SELECT a FROM t LIMIT NULL
SELECT a FROM t OFFSET -1
SELECT name FROM emp WHERE dept LIKE 'd%' GROUP BY name, dept ORDER BY dept, name
SELECT count(*) c, c + 1 FROM t
SELECT s, count(*) AS c, c * 2 AS d2, d2 + 1 FROM t GROUP BY s
SELECT a AS a, a + 1 AS b, b + 1 FROM t
SELECT 1 AS x, x + 1 AS y
SELECT a FROM t WHERE a = (SELECT max(v) FROM u WHERE u.a > t.a)
SELECT a, (SELECT v FROM u WHERE u.a = t.a LIMIT 1) FROM t
SELECT a, (SELECT sum(v) FROM u WHERE u.a = t.a GROUP BY u.k) FROM t
SELECT a, (SELECT sum(v) FROM u WHERE u.a = t.a GROUP BY u.a) FROM t
SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u LEFT JOIN emp ON u.a = t.a)
SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a UNION SELECT 1 FROM u)
SELECT a FROM t WHERE EXISTS (SELECT t.a FROM u)
SELECT a, (SELECT t.a + max(v) FROM u) FROM t
SELECT a FROM t WHERE a IN (SELECT v + t.a FROM u)
SELECT a FROM t WHERE EXISTS (SELECT count(*) FROM u WHERE u.a = t.a HAVING count(*) > t.b)
SELECT a, (SELECT max(v) FROM u WHERE u.a = t.a ORDER BY 1) FROM t
SELECT a, (SELECT max(v) FROM (SELECT v FROM u WHERE u.a = t.a) q) FROM t
SELECT a, (SELECT max(x) FROM (SELECT sum(v) AS x FROM u WHERE u.a = t.a GROUP BY k) q) FROM t
SELECT EXISTS (SELECT 1 FROM u) FROM t
SELECT a IN (SELECT a FROM u) AS i FROM t
SELECT t.a FROM t JOIN u ON t.a = u.a AND EXISTS (SELECT 1 FROM emp WHERE emp.sal = t.a)
SELECT (SELECT max(v) FROM u) AS m, count(*) FROM t GROUP BY (SELECT max(v) FROM u)
SELECT s FROM t GROUP BY s HAVING EXISTS (SELECT 1 FROM u WHERE u.k = t.s)
SELECT s FROM t GROUP BY s HAVING (SELECT max(v) FROM u WHERE u.k = s) > 1
SELECT s FROM t GROUP BY s HAVING sum(a) > (SELECT max(v) FROM u WHERE u.k = t.s)
SELECT a FROM t ORDER BY (SELECT max(v) FROM u)
SELECT a, (SELECT max(v) FROM u WHERE EXISTS (SELECT 1 FROM emp WHERE emp.sal = t.a)) FROM t
SELECT sum(a + (SELECT max(v) FROM u)) FROM t
SELECT sum((SELECT max(v) FROM u WHERE u.a = t.a)) FROM t
SELECT a, (SELECT max(v) FROM u WHERE u.a = t.a) + 1 AS x FROM t WHERE (SELECT count(*) FROM u WHERE u.a = t.a) = 0
SELECT s, (SELECT max(v) FROM u WHERE u.k = t.s) FROM t GROUP BY s
SELECT s, (SELECT max(v) FROM u WHERE u.a = t.a) FROM t GROUP BY s
SELECT s, sum(a) FROM t WHERE a > (SELECT 1) GROUP BY s
SELECT a FROM t WHERE (SELECT a FROM u) = 1
SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a LIMIT 1)
SELECT a FROM t WHERE EXISTS (SELECT rank() OVER (ORDER BY v) FROM u WHERE u.a = t.a)
SELECT a FROM t WHERE a IN (SELECT max(v) FROM u WHERE u.k = t.s GROUP BY u.a)
SELECT a FROM t WHERE a NOT IN (SELECT v FROM u WHERE u.a = t.a)
SELECT x.a FROM (SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a)) x
SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u, emp WHERE u.a = t.a AND emp.sal = t.b AND u.v < emp.sal)
SELECT a FROM t WHERE s IN ('a', (SELECT max(k) FROM u))
SELECT CASE WHEN a IN (SELECT a FROM u) THEN 1 ELSE 0 END FROM t
SELECT a FROM t LIMIT (SELECT 1)
SELECT count(*) FROM t GROUP BY a IN (SELECT a FROM u)
SELECT max(a) FROM t WHERE a = 1 HAVING max(a) IN (SELECT v FROM u)
SELECT t.a FROM t LEFT JOIN u ON t.a = (SELECT max(v) FROM u)
SELECT a, a IN (SELECT v FROM u WHERE u.k = t.s) OR b > 1 AS c FROM t
SELECT a, row_number() OVER (ORDER BY b) AS r, r + 1 AS r2 FROM t
SELECT sum(a) AS k, sum(k) FROM t
SELECT s AS k, a AS s2, sum(k) FROM t GROUP BY 1, 2
SELECT a AS x, sum(x) OVER (PARTITION BY s) FROM t
SELECT a AS x, x AS x2, x2 AS x3, x + x3 FROM t
SELECT s, sum(a) AS x, x + 1 AS y, y * 2 FROM t GROUP BY s
SELECT DISTINCT a AS x, x + 1 AS y FROM t ORDER BY y
SELECT a AS x, x + 1 AS y FROM t ORDER BY x, b
