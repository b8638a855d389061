-- All work after the shuffle in one task, while the other cores have nothing to do.
-- See: a stage of one task that takes nearly all of the time.
SET spark.sql.shuffle.partitions = 1;

CREATE OR REPLACE TEMPORARY VIEW documents AS SELECT id, id % 1000003 AS author FROM range(0, 1500000, 1, 8);

SELECT count(*) AS authors, max(length(regexp_replace(sha2(CAST(author AS STRING), 512), '[0-9]', '-'))) AS longest
FROM (SELECT author, count(*) AS documents FROM documents GROUP BY author);
