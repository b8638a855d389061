-- The same rows in one file for each task of the query.
DROP TABLE IF EXISTS events_compact;
CREATE TABLE events_compact USING parquet AS
  SELECT id AS event, id % 97 AS kind, sha2(CAST(id AS STRING), 256) AS payload
  FROM range(0, 30000, 1, 8);
