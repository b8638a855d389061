-- Two reducers sort all rows of a join, and their share of the memory does not hold them.
-- Run it with --memory 600m.
-- See: memory and disk spilled in the join's stage, and the time that writing and reading it took.
SET spark.sql.autoBroadcastJoinThreshold = -1;
SET spark.sql.shuffle.partitions = 2;

CREATE OR REPLACE TEMPORARY VIEW sent AS
  SELECT id AS msg, sha2(CAST(id AS STRING), 512) AS body FROM range(0, 2500000, 1, 8);
CREATE OR REPLACE TEMPORARY VIEW received AS
  SELECT id * 2 AS msg, sha2(CAST(id AS STRING), 512) AS receipt FROM range(0, 2500000, 1, 8);

SELECT count(*) AS pairs, max(body) AS body, max(receipt) AS receipt
FROM sent JOIN received ON sent.msg = received.msg;
