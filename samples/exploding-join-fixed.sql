-- The same sums: each side is added up by shop first, and the join meets 200 rows with 200.
CREATE OR REPLACE TEMPORARY VIEW orders AS SELECT id AS o_id, id % 200 AS o_shop, id % 50 AS o_items FROM range(0, 300000, 1, 4);
CREATE OR REPLACE TEMPORARY VIEW shipments AS SELECT id AS s_id, id % 200 AS s_shop, id % 9 AS s_boxes FROM range(0, 100000, 1, 4);

SELECT o_shop, items * s_count AS items, boxes * o_count AS boxes
FROM (SELECT o_shop, count(*) AS o_count, sum(o_items) AS items FROM orders GROUP BY o_shop)
JOIN (SELECT s_shop, count(*) AS s_count, sum(s_boxes) AS boxes FROM shipments GROUP BY s_shop) ON o_shop = s_shop
ORDER BY o_shop LIMIT 5;
