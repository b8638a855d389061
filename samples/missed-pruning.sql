-- A table in 60 folders, one a day. The query wants one day, but says so about a column that is
-- in the files: all folders are read.
-- See: PartitionFilters: [] and 60 partitions read.
DROP TABLE IF EXISTS clicks;
CREATE TABLE clicks USING parquet PARTITIONED BY (day) AS
  SELECT /*+ REPARTITION(4) */ id AS click, timestamp_seconds(1704067200 + id) AS at,
         sha2(CAST(id AS STRING), 256) AS page, CAST(timestamp_seconds(1704067200 + id) AS DATE) AS day
  FROM range(0, 5184000, 1, 8);

SELECT count(*) AS clicks, max(page) AS page FROM clicks
WHERE date_format(at, 'yyyy-MM-dd') = '2024-01-15';
