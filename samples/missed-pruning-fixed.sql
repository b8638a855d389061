-- The same question with the folders' own column in the filter: one folder is read.
DROP TABLE IF EXISTS clicks;
CREATE TABLE clicks USING parquet PARTITIONED BY (day) AS
  SELECT /*+ REPARTITION(4) */ id AS click, timestamp_seconds(1704067200 + id) AS at,
         sha2(CAST(id AS STRING), 256) AS page, CAST(timestamp_seconds(1704067200 + id) AS DATE) AS day
  FROM range(0, 5184000, 1, 8);

SELECT count(*) AS clicks, max(page) AS page FROM clicks WHERE day = DATE '2024-01-15';
