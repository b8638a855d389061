-- The same join over more, smaller reducers: each sort fits its task's share.
-- Run it with --memory 600m, as the other.
SET spark.sql.autoBroadcastJoinThreshold = -1;
SET spark.sql.shuffle.partitions = 64;
SET spark.sql.adaptive.coalescePartitions.enabled = false;

CREATE OR REPLACE TEMPORARY VIEW sent AS
  SELECT id AS msg, sha2(CAST(id AS STRING), 512) AS body FROM range(0, 2500000, 1, 8);
CREATE OR REPLACE TEMPORARY VIEW received AS
  SELECT id * 2 AS msg, sha2(CAST(id AS STRING), 512) AS receipt FROM range(0, 2500000, 1, 8);

SELECT count(*) AS pairs, max(body) AS body, max(receipt) AS receipt
FROM sent JOIN received ON sent.msg = received.msg;
