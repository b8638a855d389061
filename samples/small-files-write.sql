-- A table written in 3,000 files of ten rows each.
-- See: 3,000 tasks that open, write and commit a file each.
DROP TABLE IF EXISTS events_small;
CREATE TABLE events_small USING parquet AS
  SELECT /*+ REPARTITION(3000) */ id AS event, id % 97 AS kind, sha2(CAST(id AS STRING), 256) AS payload
  FROM range(0, 30000, 1, 8);
