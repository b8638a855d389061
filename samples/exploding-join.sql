-- Orders and shipments are joined on the shop alone, of which there are 200: each order meets
-- all shipments of its shop.
-- See: a join that reads 330,000 rows and puts out 150 million.
CREATE OR REPLACE TEMPORARY VIEW orders AS SELECT id AS o_id, id % 200 AS o_shop, id % 50 AS o_items FROM range(0, 300000, 1, 4);
CREATE OR REPLACE TEMPORARY VIEW shipments AS SELECT id AS s_id, id % 200 AS s_shop, id % 9 AS s_boxes FROM range(0, 100000, 1, 4);

SELECT o_shop, sum(o_items) AS items, sum(s_boxes) AS boxes
FROM orders JOIN shipments ON o_shop = s_shop
GROUP BY o_shop ORDER BY o_shop LIMIT 5;
