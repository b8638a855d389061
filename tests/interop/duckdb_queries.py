#!/usr/bin/env python3
"""Random queries that DuckDB and Spark SQL mean alike, answered by DuckDB.

    duckdb_queries.py DIR SEED COUNT    makes DIR/tables and DIR/answers.jsonl; this Python has duckdb

`random_queries.py check DIR SPILLWAY` then compares the engine's answers: values, not types, as decimals and whole
numbers have other types there. The grammar leaves out what differs: integers that overflow, division, concat() of
NULL, greatest(), NULL literals before IN."""
import datetime
import decimal
import json
import os
import random
import re
import sys

import duckdb

TABLES = {  # rows, columns; every table has the same so that any may stand for any
    "t0": 0, "t1": 60, "t2": 250, "t3": 1500}
COLUMNS = {"a": "int", "b": "int", "c": "int", "s": "text", "u": "text", "x": "double", "m": "decimal", "d": "date", "f": "bool"}
WORDS = ["", "a", "ab", "abc", "b", "Ba", "x y", "zz top", "%", "a_c", "é"]


def make_tables(folder, rnd):
    con = duckdb.connect()
    con.execute("SET threads = 1")
    for name, rows in TABLES.items():
        con.execute("CREATE TABLE %s (a BIGINT, b BIGINT, c BIGINT, s VARCHAR, u VARCHAR, x DOUBLE, m DECIMAL(10,2), "
                    "d DATE, f BOOLEAN)" % name)
        values = [[rnd.randrange(40), rnd.randrange(-9, 10), rnd.randrange(1000), rnd.choice(WORDS), rnd.choice(WORDS),
                   rnd.choice([0.0, 0.5, -1.25, 3.0, rnd.uniform(-100, 100)]), decimal.Decimal(rnd.randrange(-5000, 5000)) / 100,
                   datetime.date(2021, 1, 1) + datetime.timedelta(rnd.randrange(60)), rnd.random() < 0.5] for _ in range(rows)]
        values = [[None if rnd.random() < 0.12 else v for v in row] for row in values]
        if values:
            con.executemany("INSERT INTO %s VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)" % name, values)
        os.makedirs(os.path.join(folder, "tables", name), exist_ok=True)
        con.execute("COPY %s TO '%s/tables/%s/part-0.parquet' (FORMAT parquet)" % (name, folder, name))
    return con


class Gen:
    def __init__(self, seed):
        self.rnd = random.Random(seed)
        self.names = 0

    def name(self, letter):
        self.names += 1
        return "%s%d" % (letter, self.names)

    def pick(self, *options):
        return self.rnd.choice(options)

    def column(self, kind, scope):
        return self.rnd.choice([c for c, k in scope if k == kind] or [None])

    # `scope`: (name, kind) of every column in sight
    def value(self, kind, scope, depth=2):
        column = self.column(kind, scope)
        if column and (depth <= 0 or self.rnd.random() < 0.5):
            return column
        if depth > 0 and self.rnd.random() < 0.75:
            return self.made(kind, scope, depth - 1)
        return self.literal(kind)

    def literal(self, kind):
        return {"int": lambda: "CAST(%d AS BIGINT)" % self.rnd.randrange(-5, 41), "text": lambda: "'%s'" % self.rnd.choice(WORDS),
                "double": lambda: "CAST(%s AS DOUBLE)" % self.pick("0", "0.5", "-1.25", "12"),
                "decimal": lambda: "CAST(%s AS DECIMAL(10,2))" % self.pick("0", "1.50", "-20.01"),
                "date": lambda: "DATE '2021-%02d-%02d'" % (self.rnd.randrange(1, 4), self.rnd.randrange(1, 29)),
                "bool": lambda: self.pick("true", "false")}[kind]()

    def made(self, kind, scope, depth):
        v = lambda k: self.value(k, scope, depth)  # noqa: E731
        either = lambda: self.pick("CASE WHEN %s THEN %s ELSE %s END" % (self.test(scope, depth), v(kind), v(kind)),  # noqa: E731
                                   "coalesce(%s, %s)" % (v(kind), v(kind)), "nullif(%s, %s)" % (v(kind), v(kind)))
        if kind == "bool":
            return "(%s)" % self.test(scope, depth)
        forms = {"int": ["(%s + %s)" % (v("int"), v("int")), "(%s - %s)" % (v("int"), v("int")), "abs(%s)" % v("int"),
                         "(%s * %d)" % (v("int"), self.rnd.randrange(-3, 4)), "(%s %% %d)" % (v("int"), self.pick(3, 5, 7)),
                         "CAST(length(%s) AS BIGINT)" % v("text"), "CAST(day(%s) AS BIGINT)" % v("date")],
                 "text": ["upper(%s)" % v("text"), "lower(%s)" % v("text"), "(%s || %s)" % (v("text"), v("text")),
                          "substring(%s, %d, %d)" % (v("text"), self.rnd.randrange(1, 4), self.rnd.randrange(0, 3)),
                          "CAST(%s AS STRING)" % v("int"), "replace(%s, 'a', 'bb')" % v("text"), "trim(%s)" % v("text")],
                 "double": ["(%s + %s)" % (v("double"), v("double")), "(%s * 0.5)" % v("double"), "CAST(%s AS DOUBLE)" % v("int"),
                            "abs(%s)" % v("double")],
                 "decimal": ["(%s + %s)" % (v("decimal"), v("decimal")), "(%s - %s)" % (v("decimal"), v("decimal"))],
                 "date": []}[kind]
        return self.rnd.choice(forms) if forms and self.rnd.random() < 0.7 else either()

    def test(self, scope, depth=2, subqueries=False):
        kind = self.pick("int", "int", "text", "double", "decimal", "date")
        v = lambda: self.value(kind, scope, depth - 1)  # noqa: E731
        form = self.rnd.randrange(14 if subqueries else 11)
        if form < 5:
            return "%s %s %s" % (v(), self.pick("=", "<>", "<", "<=", ">", ">="), v())
        if form == 5:
            return "%s IS %sNULL" % (v(), self.pick("", "NOT "))
        if form == 6:
            return "%s %sBETWEEN %s AND %s" % (v(), self.pick("", "NOT "), v(), v())
        if form == 7:
            column = self.column(kind, scope)
            return "%s %sIN (%s)" % (column or v(), self.pick("", "NOT "), ", ".join(self.literal(kind) for _ in range(3)))
        if form == 8:
            return "%s %sLIKE '%s'" % (self.value("text", scope, depth - 1), self.pick("", "NOT "), self.pick("a%", "%b%", "_", "a_c", "%"))
        if form == 9:
            return "(%s %s %s)" % (self.test(scope, depth - 1), self.pick("AND", "OR"), self.test(scope, depth - 1))
        if form == 10:
            return "NOT (%s)" % self.test(scope, depth - 1)
        inner, columns = self.table()
        own = [(n, k) for n, k in columns]
        outer = self.column("int", scope)
        if form == 11 and outer:
            return "%s %sIN (SELECT %s FROM %s WHERE %s)" % (outer, self.pick("", "NOT "), self.column("int", own), inner, self.test(own, 1))
        if form == 12 and outer:
            return "%sEXISTS (SELECT 1 FROM %s WHERE %s = %s AND %s)" % (self.pick("", "NOT "), inner, self.column("int", own), outer, self.test(own, 1))
        return "%s %s (SELECT %s(%s) FROM %s WHERE %s)" % (self.value("int", scope, 1), self.pick("<", ">="), self.pick("max", "min", "count"),
                                                          self.column("int", own), inner, self.test(own, 1))

    def table(self):
        alias = self.name("r")
        table = self.rnd.choices(list(TABLES), [1, 4, 4, 2])[0]
        return "%s %s" % (table, alias), [("%s.%s" % (alias, c), k) for c, k in COLUMNS.items()]

    def source(self, depth):
        if depth > 0 and self.rnd.random() < 0.3:
            sql, kinds = self.select(depth - 1)
            alias = self.name("q")
            return "(%s) %s" % (sql, alias), [("%s.%s" % (alias, n), k) for n, k in kinds]
        return self.table()

    def joined(self, depth):
        text, scope = self.source(depth)
        for _ in range(self.rnd.choices([0, 1, 2], [4, 4, 1])[0]):
            right, columns = self.source(depth - 1)
            x, y = self.column("int", scope), self.column("int", columns)
            if not x or not y:
                break
            on = "%s = %s" % (x, y)
            if self.rnd.random() < 0.3:
                on += " AND " + self.test(scope + columns, 1)
            kind = self.pick("JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN")
            text = "%s %s %s ON %s" % (text, kind, right, on)
            if kind not in ("LEFT SEMI JOIN", "LEFT ANTI JOIN"):
                scope = scope + columns
        return text, scope

    def aggregate(self, scope):
        kind = self.pick("int", "int", "decimal", "text", "date", "double")
        v = self.value(kind, scope, 1)
        name = self.pick("count", "min", "max") if kind not in ("int", "decimal") else self.pick("sum", "count", "min", "max", "count(DISTINCT", "sum(DISTINCT")
        text = "%s %s)" % (name, v) if "(" in name else "%s(%s)" % (name, v)
        if self.rnd.random() < 0.15:
            text += " FILTER (WHERE %s)" % self.test(scope, 1)
        return text, "int" if name.startswith("count") else "total" if name.startswith("sum") else kind

    def window(self, scope):
        order = ", ".join("%s %s NULLS %s" % (c, self.pick("ASC", "DESC"), self.pick("FIRST", "LAST")) for c, k in scope)
        by = "PARTITION BY %s " % self.column("int", scope)
        form = self.rnd.randrange(4)
        if form == 0:
            return "row_number() OVER (%sORDER BY %s)" % (by, order), "int"
        if form == 1:
            return "%s() OVER (%sORDER BY %s NULLS FIRST)" % (self.pick("rank", "dense_rank"), by, self.column("int", scope)), "int"
        if form == 2:
            return "count(%s) OVER (%s)" % (self.value("int", scope, 0), by), "int"
        return "sum(%s) OVER (%sORDER BY %s ROWS BETWEEN %d PRECEDING AND CURRENT ROW)" % (
            self.value("int", scope, 0), by, order, self.rnd.randrange(4)), "total"

    def select(self, depth, kinds=None):
        text, scope = self.joined(depth)
        where = " WHERE " + self.test(scope, 2, True) if self.rnd.random() < 0.6 else ""
        items, group, having = [], "", ""
        if kinds:
            items = [(self.value(k, scope, 2), k) for k in kinds]
        elif self.rnd.random() < 0.35:
            keys = [(self.value(k, scope, 1), k) for k in self.rnd.sample(["int", "text", "date", "bool"], self.rnd.randrange(3))]
            keys = [(e, k) for e, k in keys if re.search(r"[rq]\d+\.", e)]  # a constant would be a position
            group = " GROUP BY " + ", ".join(e for e, _ in keys) if keys else ""
            items = keys + [self.aggregate(scope) for _ in range(self.rnd.randrange(1, 4))]
            having = " HAVING count(*) > 1" if keys and self.rnd.random() < 0.3 else ""
        else:
            items = [(self.value(k, scope, 2), k) for k in (self.rnd.choice(list(COLUMNS.values())) for _ in range(self.rnd.randrange(1, 5)))]
            if self.rnd.random() < 0.2 and self.column("int", scope):
                items.append(self.window(scope))
        named = [(e, k, self.name("c")) for e, k in items]
        distinct = "DISTINCT " if not group and self.rnd.random() < 0.15 else ""
        sql = "SELECT %s%s FROM %s%s%s%s" % (distinct, ", ".join("%s AS %s" % (e, n) for e, _, n in named), text, where, group, having)
        return sql, [(n, k) for _, k, n in named]

    def query(self):
        if self.rnd.random() < 0.15:
            kinds = [self.rnd.choice(["int", "text", "date", "bool", "decimal"]) for _ in range(self.rnd.randrange(1, 4))]
            operator = self.pick("UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL")
            return "(%s) %s (%s)" % (self.select(1, kinds)[0], operator, self.select(1, kinds)[0]), False
        sql, columns = self.select(2)
        if self.rnd.random() < 0.3:
            sql += " ORDER BY %s LIMIT %d" % (", ".join("%s %s NULLS %s" % (n, self.pick("ASC", "DESC"), self.pick("FIRST", "LAST"))
                                                        for n, _ in columns), self.rnd.randrange(30))
        return sql, False


def for_duckdb(sql):
    return sql.replace("LEFT SEMI JOIN", "SEMI JOIN").replace("LEFT ANTI JOIN", "ANTI JOIN")


def as_json(v):
    return v if v is None else str(v).lower() if isinstance(v, bool) else str(v)


def main():
    folder, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    con = make_tables(folder, random.Random(seed))
    gen, refused, done = Gen(seed), 0, 0
    with open(os.path.join(folder, "answers.jsonl"), "w", encoding="utf-8") as out:
        while done < count:
            sql, ordered = gen.query()
            try:
                rows = con.execute(for_duckdb(sql)).fetchall()
            except duckdb.Error as e:
                refused += 1
                if refused > 20 + done // 5:
                    sys.exit("DuckDB refuses too much: %s\n%s" % (e, sql))
                continue
            done += 1
            out.write(json.dumps({"rows": [[as_json(v) for v in r] for r in rows], "sql": sql, "ordered": ordered}) + "\n")
    print("%d statements, %d more refused by DuckDB" % (done, refused))


main()
