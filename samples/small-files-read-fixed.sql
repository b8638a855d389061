-- Reads the same rows from the table that small-files-write-fixed.sql wrote.
SELECT kind, count(*) AS events, max(payload) AS payload FROM events_compact GROUP BY kind ORDER BY kind LIMIT 5;
