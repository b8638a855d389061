CREATE TABLE t USING parquet AS SELECT CAST(id AS INT) AS a, id AS b, CAST(id % 7 AS STRING) AS s, CAST(id AS DECIMAL(12,2)) AS d, DATE'2024-01-01' + CAST(id % 90 AS INT) AS day FROM range(1000)
CREATE TABLE u USING parquet AS SELECT CAST(id * 2 AS INT) AS a, id % 5 AS g, CAST(id AS DOUBLE) AS x FROM range(500)
CREATE TABLE p USING parquet PARTITIONED BY (k) AS SELECT id, CAST(id AS STRING) AS v, CAST(id % 4 AS INT) AS k FROM range(200)
CREATE TABLE sink (id BIGINT, v STRING, k INT) USING parquet PARTITIONED BY (k)
CREATE TABLE flat (a INT, b BIGINT) USING parquet
--
SELECT * FROM t
SELECT a, b FROM t WHERE a > 10 AND s LIKE 'ab%' AND b IS NOT NULL
SELECT a + 1 AS c FROM t WHERE a IN (1, 2, 3) OR s = 'x'
SELECT s, count(*) FROM t GROUP BY s
SELECT s, sum(d), avg(b), max(day) FROM t WHERE a < 100 GROUP BY s HAVING count(*) > 3
SELECT count(DISTINCT s) FROM t
SELECT s, count(DISTINCT a), sum(b) FROM t GROUP BY s
SELECT s, count(DISTINCT a), count(DISTINCT b) FROM t GROUP BY s
SELECT DISTINCT s FROM t
SELECT s, sum(b) FILTER (WHERE a > 5) FROM t GROUP BY s
SELECT s, a % 2, sum(b) FROM t GROUP BY CUBE(s, a % 2)
SELECT * FROM t ORDER BY b DESC, a
SELECT * FROM t ORDER BY b LIMIT 10
SELECT * FROM t LIMIT 10
SELECT * FROM t LIMIT 10 OFFSET 5
SELECT s, count(*) c FROM t GROUP BY s ORDER BY c DESC LIMIT 3
SELECT * FROM t JOIN u ON t.a = u.a
SELECT t.s, u.x FROM t LEFT JOIN u ON t.a = u.a AND t.b > 5 WHERE u.x > 1
SELECT t.s, u.x FROM t RIGHT JOIN u ON t.a = u.a AND t.b > 5
SELECT t.s, u.x FROM t FULL JOIN u ON t.a = u.a
SELECT * FROM t LEFT SEMI JOIN u ON t.a = u.a AND t.b > u.g
SELECT * FROM t LEFT ANTI JOIN u ON t.a = u.a
SELECT * FROM t CROSS JOIN u
SELECT * FROM t JOIN u ON t.a > u.a
SELECT /*+ MERGE(u) */ * FROM t JOIN u ON t.a = u.a
SELECT /*+ SHUFFLE_HASH(u) */ * FROM t JOIN u ON t.a = u.a
SELECT /*+ BROADCAST(t) */ * FROM t LEFT JOIN u ON t.a = u.a
SELECT /*+ REPARTITION(3, a) */ * FROM t
SELECT /*+ COALESCE(1) */ * FROM t WHERE a > 3
SELECT * FROM t WHERE a IN (SELECT a FROM u)
SELECT * FROM t WHERE a NOT IN (SELECT a FROM u)
SELECT * FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a AND u.g = 1)
SELECT * FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.a = t.a)
SELECT a, (SELECT max(x) FROM u) AS m FROM t
SELECT a, (SELECT max(x) FROM u WHERE u.a = t.a) AS m FROM t
SELECT a FROM t UNION SELECT a FROM u
SELECT a FROM t UNION ALL SELECT a FROM u
SELECT a FROM t INTERSECT SELECT a FROM u
SELECT a FROM t EXCEPT SELECT a FROM u
SELECT * FROM (SELECT a, count(*) n FROM t GROUP BY a) x JOIN (SELECT a, count(*) m FROM t GROUP BY a) y ON x.a = y.a
SELECT a, row_number() OVER (PARTITION BY s ORDER BY b) AS r FROM t
SELECT * FROM (SELECT a, s, rank() OVER (PARTITION BY s ORDER BY b) AS r FROM t) WHERE r <= 3
SELECT a, sum(b) OVER (ORDER BY a ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM t
SELECT a, sum(b) OVER (PARTITION BY s), avg(d) OVER (PARTITION BY s, a) FROM t
SELECT * FROM p WHERE k = 2 AND id > 10
SELECT k, count(*) FROM p WHERE k IN (1, 2) GROUP BY k
SELECT * FROM p WHERE k = 9
SELECT * FROM p WHERE k + 1 = 3 AND length(v) > 1
SELECT p.v FROM p JOIN t ON p.id = t.b AND p.k = 2 AND t.a > 5
SELECT timestampadd(DAY, a, day), date_add(day, a), datediff(day, day) FROM t
SELECT CASE WHEN a > 1 THEN 'x' ELSE 'y' END FROM t WHERE 1 = 1
SELECT * FROM t WHERE 1 = 0
SELECT * FROM VALUES (1, 'a'), (2, 'b') AS v(i, j) WHERE i > 1
SELECT id * 2 FROM range(100) WHERE id > 5
SELECT day, date_add(day, 3) FROM t WHERE day >= '2024-02-01' AND year(day) = 2024
SELECT upper(s), length(s) FROM t WHERE substr(s, 1, 1) = 'a'
SELECT * FROM (SELECT b, s FROM t SORT BY s) x JOIN (SELECT a FROM u ORDER BY x DESC) y ON x.b = y.a
SELECT s, count(*) FROM (SELECT * FROM t SORT BY b) x GROUP BY s
SELECT * FROM (SELECT * FROM t ORDER BY s) x SORT BY b
SELECT * FROM (SELECT b, s FROM (SELECT * FROM t SORT BY a) WHERE a > 3 ORDER BY s) x SORT BY b
SELECT * FROM (SELECT * FROM (SELECT * FROM t ORDER BY a) DISTRIBUTE BY s) x SORT BY b
SELECT t.a, v.n FROM t JOIN (SELECT g, count(*) n FROM u GROUP BY g) v ON t.b = v.g JOIN p ON p.id = t.b WHERE p.k = 1
SELECT coalesce(u.x, 0) FROM t LEFT JOIN u ON t.a = u.a WHERE coalesce(u.x, 0) > 3
SELECT s, max(a) - min(a) FROM t GROUP BY s ORDER BY 2, 1
INSERT INTO flat SELECT a, b FROM t WHERE a < 10
INSERT INTO flat VALUES (1, 2)
INSERT OVERWRITE flat SELECT a, count(*) FROM t GROUP BY a
SELECT s FROM t WHERE s NOT BETWEEN s AND s
SELECT a, (SELECT count(- g) FROM u WHERE u.a = t.a AND u.g NOT BETWEEN u.g AND u.g) FROM t
SELECT s FROM t WHERE (b > a OR b < a) AND (a < b OR s = 'x')
INSERT INTO sink SELECT id, v, k FROM p
INSERT INTO sink SELECT id, v, k FROM p ORDER BY id
INSERT INTO sink SELECT id, v, k FROM p ORDER BY k, id
INSERT OVERWRITE sink PARTITION (k = 3) SELECT id, v FROM p WHERE k = 3
INSERT OVERWRITE sink SELECT p.id, p.v, p.k FROM p JOIN t ON p.id = t.b
SET spark.sql.autoBroadcastJoinThreshold=-1
SELECT * FROM t JOIN u ON t.a = u.a
SELECT t.s, count(*) FROM t JOIN u ON t.a = u.a JOIN p ON p.id = t.b GROUP BY t.s
SELECT t.a, max(x) FROM t JOIN u ON t.a = u.a GROUP BY t.a
SELECT * FROM t WHERE a NOT IN (SELECT a FROM u WHERE a IS NOT NULL)
SELECT * FROM t LEFT JOIN u ON t.a = u.a AND t.b = u.g
SELECT a, row_number() OVER (PARTITION BY a ORDER BY b) r FROM (SELECT t.a, t.b FROM t JOIN u ON t.a = u.a)
SELECT * FROM t JOIN u ON t.a = u.a ORDER BY t.a
SET spark.sql.adaptive.enabled=false
SELECT * FROM t JOIN u ON t.a = u.a
SELECT s, count(*) FROM t GROUP BY s ORDER BY s
SELECT * FROM (SELECT a, count(*) n FROM t GROUP BY a) x JOIN (SELECT a, count(*) m FROM t GROUP BY a) y ON x.a = y.a
SELECT a FROM t WHERE b > (SELECT avg(g) FROM u)
INSERT INTO sink SELECT id, v, k FROM p
INSERT OVERWRITE flat SELECT a, count(*) FROM t GROUP BY a
