CASE x WHEN 1 THEN -1.5e3 ELSE CAST('a''b' AS decimal(10, 2)) END || TRY_CAST(1 AS interval day to second) <=> ~1L & 2Y ^ 3S | .5BD * 1.F / 2D % 3 DIV - +4
