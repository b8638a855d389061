"""Random SELECTs over tables of every type: the statements, without who answers them.

`Gen(seed)` draws; the same seed gives the same statements. What is drawn is deterministic SQL:
ORDER BY covers all columns where a LIMIT follows, windows are ordered by all columns of
their input, floating-point values are sums of few powers of two, so that order does not
matter. Families of types: B boolean, I whole numbers, N decimals, D floating point, S text,
T dates, Z timestamps."""
import random

INT = ["NULL", "0", "1", "1", "2", "3", "7", "-1", "-5", "42", "100", "127", "-128"]
INTS = INT + ["32767", "-32768", "2147483647", "-2147483648", "1000000"]
LONGS = INTS + ["9223372036854775807", "-9223372036854775808L", "4294967296"]
DECS = ["NULL", "0.00", "1.00", "1.50", "-1.50", "2.25", "99999999.99", "-99999999.99", "0.01", "3.10"]
BIGDECS = ["NULL", "0", "1", "12345678901234567890.12345", "-12345678901234567890.12345", "0.00001", "7.5", "1.5"]
DBLS = ["NULL", "double('NaN')", "0.0D", "-0.0D", "1.5D", "-1.5D", "2.25D", "1024.0D", "double('Infinity')",
        "double('-Infinity')", "1.0D", "3.0D", "0.125D"]
STRS = ["NULL", "''", "'a'", "'A'", "'ab'", "'abc'", "' abc '", "'b'", "'zz top'", "'42'", "'-7'", "'1.5'", "'äöü'",
        "'%'", "'a_c'", "'2020-02-29'", "'true'", "'x,y;z'", "'\u4e2d\u6587'", "'The Quick brown'", "'aXbXc'", "'\U0001f600!'"]
DATES = ["NULL", "DATE'2020-02-29'", "DATE'2020-01-01'", "DATE'1999-12-31'", "DATE'1970-01-01'", "DATE'1969-12-31'",
         "DATE'0001-01-01'", "DATE'9999-12-31'", "DATE'2021-03-15'", "DATE'2020-01-31'", "DATE'1582-10-04'"]
STAMPS = ["NULL", "TIMESTAMP'2020-02-29 12:34:56.789'", "TIMESTAMP'2020-01-01 00:00:00'", "TIMESTAMP'1999-12-31 23:59:59.999999'",
          "TIMESTAMP'1970-01-01 00:00:00'", "TIMESTAMP'1969-12-31 23:59:59.5'", "TIMESTAMP'2021-03-15 06:00:00'"]
BOOLS = ["CAST(NULL AS BOOLEAN)", "true", "false"]
LITERALS = {"B": BOOLS, "I": INTS, "N": DECS, "D": DBLS, "S": STRS, "T": DATES, "Z": STAMPS}
POOLS = {"tinyint": INT, "smallint": INT + ["32767", "-32768"], "int": INTS, "bigint": LONGS, "float": DBLS,
         "double": DBLS, "decimal(10,2)": DECS, "decimal(30,5)": BIGDECS, "string": STRS, "date": DATES,
         "timestamp": STAMPS, "boolean": BOOLS}
FAMILY = {"tinyint": "I", "smallint": "I", "int": "I", "bigint": "I", "float": "D", "double": "D", "decimal(10,2)": "N",
          "decimal(30,5)": "N", "string": "S", "date": "T", "timestamp": "Z", "boolean": "B"}
TABLES = {  # rows, columns
    "t1": (30, [("i", "int"), ("b", "bigint"), ("s", "string"), ("d", "double"), ("n", "decimal(10,2)"), ("dt", "date"),
                ("ts", "timestamp"), ("bo", "boolean")]),
    "t2": (25, [("i", "int"), ("ti", "tinyint"), ("si", "smallint"), ("s", "string"), ("f", "float"),
                ("m", "decimal(30,5)"), ("dt", "date"), ("x", "int")]),
    "t3": (6, [("i", "int"), ("s", "string"), ("d", "double"), ("n", "decimal(10,2)")]),
    "t4": (0, [("i", "int"), ("s", "string"), ("dt", "date")]),
}
BIG = [("k", "int"), ("g", "bigint"), ("s", "string"), ("n", "decimal(10,2)"), ("d", "double"), ("dt", "date")]
BIG_SELECT = ("SELECT CAST(IF(id % 11 = 0, NULL, id % 61) AS INT) AS k, IF(id < 6000, 1, id % 7919) AS g, "
              "IF(id % 13 = 5, NULL, concat('s', CAST(id % 397 AS STRING))) AS s, "
              "CAST(id % 1009 AS DECIMAL(10,2)) AS n, CAST(id % 17 AS DOUBLE) / 8 AS d, "
              "date_add(DATE'2020-01-01', CAST(id % 400 AS INT)) AS dt FROM range(0, 20000, 1, 4)")
PART_SELECT = "SELECT i, s, ti AS v, si % 3 AS p FROM t2"


class Col:
    def __init__(self, sql, family):
        self.sql, self.family = sql, family


def table_statements(seed):
    """(name, SELECT, partition column): what the tables hold."""
    r = random.Random(seed * 7 + 1)
    for name, (rows, columns) in TABLES.items():
        casts = ", ".join("CAST(%s AS %s) AS %s" % (c, t, c) for c, t in columns)
        lines = [[r.choice(POOLS[t]) for _, t in columns] for _ in range(max(rows, 1))]
        lines += [list(r.choice(lines)) for _ in range(rows // 6)]
        values = ", ".join("(%s)" % ", ".join(l) for l in lines)
        yield name, "SELECT %s FROM VALUES %s AS v(%s)%s" % (
            casts, values, ", ".join(c for c, _ in columns), "" if rows else " WHERE v.i = 17 AND v.i <> 17"), None
    yield "big", BIG_SELECT, None
    yield "parted", PART_SELECT, "p"


class Gen:
    def __init__(self, seed, windows=True):
        self.r = random.Random(seed)
        self.windows = windows
        self.n = 0
        self.ctes = []

    def one(self, *choices):
        return self.r.choice(choices)

    def chance(self, p):
        return self.r.random() < p

    def name(self, prefix):
        self.n += 1
        return "%s%d" % (prefix, self.n)

    # --- expressions ---------------------------------------------------------------

    def literal(self, family):
        return self.r.choice(LITERALS[family][self.chance(0.9):])

    def leaf(self, family, scope):
        same = [c.sql for c in scope if c.family == family]
        if same and self.chance(0.8):
            return self.r.choice(same)
        return self.literal(family)

    def expr(self, family, scope, depth):
        if depth <= 0 or self.chance(0.25):
            return self.leaf(family, scope)
        e = lambda f: self.expr(f, scope, depth - 1)
        any_family = lambda: self.r.choice("IINDSTZB")
        if self.chance(0.12):
            return self.one(
                lambda: "CASE WHEN %s THEN %s WHEN %s THEN %s END" % (e("B"), e(family), e("B"), e(family)),
                lambda: "CASE WHEN %s THEN %s ELSE %s END" % (e("B"), e(family), e(family)),
                lambda: "coalesce(%s, %s)" % (e(family), e(family)),
                lambda: "nullif(%s, %s)" % (e(family), e(family)),
                lambda: "IF(%s, %s, %s)" % (e("B"), e(family), e(family)),
                lambda: "nvl2(%s, %s, %s)" % (e(any_family()), e(family), e(family)),
                lambda: "CASE %s WHEN %s THEN %s ELSE %s END" % (e("I"), e("I"), e(family), e(family)),
                lambda: "%s(%s, %s)" % (self.one("greatest", "least"), e(family), e(family)))()
        return getattr(self, "expr_" + family)(scope, depth, e, any_family)

    def comparison(self, e, any_family):
        f = any_family()
        g = f
        if f in "IND" and self.chance(0.4):
            g = self.r.choice("IND")
        elif self.chance(0.08):
            f, g = self.one(("S", "I"), ("T", "S"), ("Z", "T"), ("S", "D"), ("N", "S"), ("Z", "S"))
        return "%s %s %s" % (e(f), self.one("=", "=", "<>", "<", "<=", ">", ">=", "<=>"), e(g))

    def expr_B(self, scope, depth, e, any_family):
        f = any_family()
        return self.one(
            lambda: "(%s)" % self.comparison(e, any_family), lambda: "(%s)" % self.comparison(e, any_family),
            lambda: "(%s)" % self.comparison(e, any_family),
            lambda: "(%s AND %s)" % (e("B"), e("B")), lambda: "(%s OR %s)" % (e("B"), e("B")),
            lambda: "(NOT %s)" % e("B"), lambda: "(%s IS %sNULL)" % (e(f), self.one("", "NOT ")),
            lambda: "(%s %sBETWEEN %s AND %s)" % (e(f), self.one("", "NOT "), e(f), e(f)),
            lambda: "(%s %sIN (%s))" % (e(f), self.one("", "NOT "), ", ".join(self.literal(f) for _ in range(self.r.randint(1, 12)))),
            lambda: "(%s %sLIKE %s)" % (e("S"), self.one("", "NOT "), self.one("'a%'", "'%b%'", "'_b_'", "'%'", "''", "'a\\\\_c'", "'%c'", "'a%c'")),
            lambda: "(%s RLIKE %s)" % (e("S"), self.one("'^a'", "'[0-9]+'", "'b.*c'")),
            lambda: "isnan(%s)" % e("D"), lambda: "startswith(%s, %s)" % (e("S"), self.literal("S")),
            lambda: "contains(%s, %s)" % (e("S"), e("S")),
            lambda: "(%s IS %s)" % (e("B"), self.one("TRUE", "NOT TRUE", "FALSE", "NOT FALSE", "UNKNOWN")))()

    def expr_I(self, scope, depth, e, any_family):
        return self.one(
            lambda: "(%s %s %s)" % (e("I"), self.one("+", "-", "*"), e("I")),
            lambda: "(%s %s %s)" % (e("I"), self.one("%", "DIV", "&", "|", "^"), e("I")),
            lambda: "pmod(%s, %s)" % (e("I"), e("I")), lambda: "abs(%s)" % e("I"), lambda: "(- %s)" % e("I"),
            lambda: "length(%s)" % e("S"), lambda: "%s(%s)" % (self.one("year", "month", "day", "dayofweek", "dayofyear", "quarter", "weekofyear", "weekday"), e(self.one("T", "Z"))),
            lambda: "%s(%s)" % (self.one("hour", "minute", "second"), e("Z")),
            lambda: "datediff(%s, %s)" % (e("T"), e("T")),
            lambda: "CAST(%s AS %s)" % (e(self.r.choice("INDSB")), self.one("int", "bigint", "smallint", "tinyint")),
            lambda: "instr(%s, %s)" % (e("S"), e("S")), lambda: "ascii(%s)" % e("S"), lambda: "levenshtein(%s, %s)" % (e("S"), e("S")),
            lambda: "hash(%s, %s)" % (e(any_family()), e(any_family())), lambda: "xxhash64(%s)" % e(any_family()),
            lambda: "%s(%s)" % (self.one("floor", "ceil"), e(self.one("D", "N"))),
            lambda: "shiftleft(%s, %s)" % (e("I"), self.r.randint(0, 70)), lambda: "EXTRACT(%s FROM %s)" % (self.one("YEAR", "MONTH", "DOW", "WEEK"), e("T")),
            lambda: "round(%s, -1)" % e("I"), lambda: "crc32(CAST(%s AS BINARY))" % e("S"), lambda: "locate(%s, %s)" % (e("S"), e("S")))()

    def expr_N(self, scope, depth, e, any_family):
        return self.one(
            lambda: "(%s %s %s)" % (e("N"), self.one("+", "-", "*", "/", "%"), e(self.one("N", "N", "I"))),
            lambda: "CAST(%s AS %s)" % (e(self.r.choice("INDSB")), self.one("decimal(10,2)", "decimal(20,0)", "decimal(38,18)", "decimal(5,1)")),
            lambda: "%s(%s, %d)" % (self.one("round", "bround"), e("N"), self.r.randint(-2, 3)), lambda: "abs(%s)" % e("N"), lambda: "(- %s)" % e("N"))()

    def expr_D(self, scope, depth, e, any_family):
        return self.one(
            lambda: "(%s %s %s)" % (e("D"), self.one("+", "-", "*", "/", "%"), e(self.r.choice("DDIN"))),
            lambda: "(%s / %s)" % (e("I"), e("I")),
            lambda: "CAST(%s AS %s)" % (e(self.r.choice("INDSB")), self.one("double", "double", "float")),
            lambda: "sqrt(%s)" % e("D"), lambda: "abs(%s)" % e("D"), lambda: "round(%s, %d)" % (e("D"), self.r.randint(-1, 3)),
            lambda: "nanvl(%s, %s)" % (e("D"), e("D")), lambda: "signum(%s)" % e("D"),
            lambda: "%s(%s)" % (self.one("exp", "ln", "log10", "floor", "ceil", "cbrt"), e("D")), lambda: "power(%s, 2)" % e("D"),
            lambda: "months_between(%s, %s)" % (e("T"), e("T")))()

    def expr_S(self, scope, depth, e, any_family):
        k = lambda: self.r.randint(-3, 6)
        return self.one(
            lambda: "concat(%s, %s)" % (e("S"), e(any_family())), lambda: "(%s || %s)" % (e("S"), e("S")),
            lambda: "substring(%s, %d, %d)" % (e("S"), k(), k()), lambda: "substring(%s, %d)" % (e("S"), k()),
            lambda: "%s(%s)" % (self.one("upper", "lower", "trim", "ltrim", "rtrim", "reverse", "initcap", "md5", "hex", "soundex"), e("S")),
            lambda: "CAST(%s AS STRING)" % e(any_family()), lambda: "replace(%s, %s, %s)" % (e("S"), e("S"), e("S")),
            lambda: "%s(%s, %d, %s)" % (self.one("lpad", "rpad"), e("S"), self.r.randint(-1, 8), self.one("'*'", "'xy'", "''", e("S"))),
            lambda: "%s(%s, %d)" % (self.one("left", "right"), e("S"), k()), lambda: "repeat(%s, %d)" % (e("S"), self.r.randint(-1, 3)),
            lambda: "translate(%s, 'abX', 'zy')" % e("S"), lambda: "concat_ws('-', %s, %s, %s)" % (e("S"), e("S"), e("S")),
            lambda: "date_format(%s, '%s')" % (e(self.one("T", "Z")), self.one("yyyy-MM-dd", "yyyyMMdd", "HH:mm:ss", "dd MMM yyyy", "E")),
            lambda: "regexp_replace(%s, '%s', '_')" % (e("S"), self.one("[aeiou]", "[0-9]+", "b")),
            lambda: "regexp_extract(%s, '([a-z]+)', 1)" % e("S"), lambda: "split_part(%s, 'X', %s)" % (e("S"), self.one("1", "2", "-1")),
            lambda: "substring_index(%s, 'X', %s)" % (e("S"), self.one("1", "2", "-1")),
            lambda: "btrim(%s, %s)" % (e("S"), self.one("'a'", "' '", "'ab'")), lambda: "format_number(%s, %d)" % (e("I"), self.r.randint(0, 3)),
            lambda: "bin(%s)" % e("I"), lambda: "hex(%s)" % e("I"), lambda: "conv(%s, 10, 16)" % e("I"))()

    def expr_T(self, scope, depth, e, any_family):
        small = lambda: self.one("1", "-1", "30", "0", "365", "(%s %% 100)" % self.leaf("I", scope))
        return self.one(
            lambda: "%s(%s, CAST(%s AS INT))" % (self.one("date_add", "date_sub", "add_months"), e("T"), small()),
            lambda: "trunc(%s, '%s')" % (e("T"), self.one("MM", "YEAR", "Q", "WEEK")), lambda: "last_day(%s)" % e("T"),
            lambda: "next_day(%s, '%s')" % (e("T"), self.one("MO", "Sunday")), lambda: "CAST(%s AS DATE)" % e(self.one("Z", "S")),
            lambda: "to_date(%s)" % e("S"), lambda: "(%s %s INTERVAL '%d' %s)" % (e("T"), self.one("+", "-"), self.r.randint(0, 40), self.one("DAY", "MONTH", "YEAR")),
            lambda: "make_date(%d, %s, %d)" % (self.r.randint(1990, 2030), self.leaf("I", scope), self.r.randint(1, 31)))()

    def expr_Z(self, scope, depth, e, any_family):
        return self.one(
            lambda: "CAST(%s AS TIMESTAMP)" % e(self.one("T", "T", "S")), lambda: "date_trunc('%s', %s)" % (self.one("DAY", "HOUR", "MONTH", "WEEK", "QUARTER", "MINUTE"), e("Z")),
            lambda: "(%s %s INTERVAL '%d' %s)" % (e("Z"), self.one("+", "-"), self.r.randint(0, 40), self.one("DAY", "HOUR", "MONTH", "SECOND")),
            lambda: "to_timestamp(%s)" % e("S"))()

    # --- aggregates and windows --------------------------------------------------------

    def aggregate(self, scope, depth=1):
        f = self.r.choice("IIINNDSTZB")
        e = lambda g: self.expr(g, scope, depth)
        distinct = "DISTINCT " if self.chance(0.25) else ""
        sql, family = self.one(
            lambda: ("count(*)", "I"), lambda: ("count(%s%s)" % (distinct, e(f)), "I"),
            lambda: ("count(%s, %s)" % (distinct + e(f), e("I")), "I"),
            lambda: ("sum(%s%s)" % (distinct, e("I")), "I"), lambda: ("sum(%s%s)" % (distinct, e("N")), "N"),
            lambda: ("sum(%s)" % self.leaf("D", scope), "D"), lambda: ("avg(%s%s)" % (distinct, e("I")), "D"),
            lambda: ("avg(%s%s)" % (distinct, e("N")), "N"),
            lambda: ("%s(%s)" % (self.one("min", "max"), e(f)), f), lambda: ("%s(%s)" % (self.one("min", "max"), e(f)), f),
            lambda: ("%s(%s)" % (self.one("stddev", "var_pop", "variance", "stddev_pop"), self.leaf("I", [])), "D"),
            lambda: ("%s(%s)" % (self.one("bool_and", "bool_or", "every", "any"), e("B")), "B"),
            lambda: ("count_if(%s)" % e("B"), "I"))()
        if self.chance(0.12):
            sql += " FILTER (WHERE %s)" % self.expr("B", scope, 1)
        return sql, family

    def order_all(self, scope):
        cols = [c.sql for c in scope]
        self.r.shuffle(cols)
        return ", ".join("%s%s%s" % (c, self.one("", " ASC", " DESC"), self.one("", "", " NULLS FIRST", " NULLS LAST")) for c in cols)

    def window(self, scope):
        part = "PARTITION BY %s " % ", ".join(self.expr(self.r.choice("ISBT"), scope, self.r.randint(0, 1)) for _ in range(self.r.randint(1, 2))) if self.chance(0.75) else ""
        order = "ORDER BY " + self.order_all(scope)
        frame = self.one("", " ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING", " ROWS UNBOUNDED PRECEDING", " ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
                         " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING", " ROWS BETWEEN 3 PRECEDING AND 2 PRECEDING",
                         " RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW", " RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING")
        f = self.r.choice("IINDSTZB")
        e = self.expr(f, scope, 1)
        agg, agg_family = self.one(("sum(%s)" % self.leaf("I", scope), "I"), ("count(%s)" % e, "I"), ("min(%s)" % e, f), ("max(%s)" % e, f),
                                   ("avg(%s)" % self.leaf("N", scope), "N"), ("first_value(%s)" % e, f), ("last_value(%s)" % e, f), ("count(*)", "I"))
        if self.chance(0.15) and any(c.family == "I" for c in scope):
            key = self.r.choice([c.sql for c in scope if c.family == "I"])
            return "%s OVER (%sORDER BY CAST(%s AS BIGINT) %s%s)" % (
                self.one("sum(%s)" % key, "count(*)", "max(%s)" % key), part, key, self.one("", "DESC"),
                self.one("", " RANGE BETWEEN 2 PRECEDING AND 3 FOLLOWING", " RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING", " RANGE BETWEEN 5 PRECEDING AND CURRENT ROW")), "I"
        return self.one(
            lambda: ("%s() OVER (%s%s)" % (self.one("row_number", "rank", "dense_rank"), part, order), "I"),
            lambda: ("%s() OVER (%s%s)" % (self.one("percent_rank", "cume_dist"), part, order), "D"),
            lambda: ("ntile(%d) OVER (%s%s)" % (self.r.randint(1, 5), part, order), "I"),
            lambda: ("%s(%s%s) OVER (%s%s)" % (self.one("lag", "lead"), e, self.one("", ", 1", ", 2", ", -1", ", 1, %s" % self.literal(f)), part, order), f),
            lambda: ("%s OVER (%s%s%s)" % (agg, part, order, frame), agg_family), lambda: ("%s OVER (%s%s%s)" % (agg, part, order, frame), agg_family),
            lambda: ("%s OVER (%s)" % (agg.replace("first_value", "min").replace("last_value", "max"), part), agg_family),
            lambda: ("nth_value(%s, 2) OVER (%s%s%s)" % (e, part, order, frame), f))()

    # --- FROM ----------------------------------------------------------------------------

    def table(self, depth):
        alias = self.name("a")
        if self.ctes and self.chance(0.4):
            name, columns = self.r.choice(self.ctes)
            return "%s %s" % (name, alias), [Col("%s.%s" % (alias, c), f) for c, f in columns]
        if depth > 0 and self.chance(0.25):
            sql, columns = self.select(depth - 1, [])
            return "(%s) %s" % (sql, alias), [Col("%s.%s" % (alias, c), f) for c, f in columns]
        if self.chance(0.05):
            return "(VALUES (1, 'a', 1.5), (2, NULL, 2.25), (NULL, 'b', NULL)) %s(i, s, n)" % alias, [Col(alias + ".i", "I"), Col(alias + ".s", "S"), Col(alias + ".n", "N")]
        if self.chance(0.05):
            return "range(%d) %s" % (self.r.randint(0, 9), alias), [Col(alias + ".id", "I")]
        name = self.r.choice(["t1", "t1", "t1", "t2", "t2", "t3", "t3", "t4", "parted"])
        columns = [("i", "int"), ("s", "string"), ("v", "tinyint"), ("p", "int")] if name == "parted" else TABLES[name][1]
        return "%s %s" % (name, alias), [Col("%s.%s" % (alias, c), FAMILY[t]) for c, t in columns]

    def equi(self, left, right):
        for _ in range(9):
            a, b = self.r.choice(left), self.r.choice(right)
            if a.family == b.family or (a.family in "IND" and b.family in "IND" and self.chance(0.3)):
                return "%s %s %s" % (a.sql, "<=>" if self.chance(0.1) else "=", b.sql)
        return "true"

    def source(self, depth):
        sql, scope = self.table(depth)
        for _ in range(self.r.choice([0, 0, 0, 1, 1, 2])):
            right, columns = self.table(depth)
            kind = self.one("JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN", "CROSS JOIN", ",")
            if kind == ",":
                sql += " CROSS JOIN " + right
            elif kind == "CROSS JOIN":
                sql += " CROSS JOIN " + right
            else:
                conds = [self.equi(scope, columns) for _ in range(self.r.choice([0, 1, 1, 1, 2]))]
                if not conds or self.chance(0.3):
                    conds.append(self.expr("B", scope + columns, self.r.randint(1, 2)))
                sql += " %s %s ON %s" % (kind, right, " AND ".join(conds))
            if "SEMI" not in kind and "ANTI" not in kind:
                scope = scope + columns
        return sql, scope

    def using(self):
        a, b = self.name("a"), self.name("a")
        key = self.one("i", "s", "i, s")
        sql = "t%d %s %s t%d %s USING (%s)" % (self.r.randint(1, 2), a, self.one("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"), self.r.randint(1, 4), b, key)
        keys = [Col(k, "I" if k == "i" else "S") for k in key.split(", ")]
        return sql, keys + [Col(b + ".i", "I"), Col(b + ".s", "S"), Col(a + ".dt", "T")]

    # --- subqueries -----------------------------------------------------------------------

    def predicate(self, outer):
        """A condition with a subquery."""
        sql, scope = self.table(0)
        where = []
        if self.chance(0.6):
            where.append(self.equi(scope, outer))
        if self.chance(0.4):
            where.append(self.expr("B", scope, 1))
        clause = " WHERE " + " AND ".join(where) if where else ""
        kind = self.one("exists", "in", "in", "scalar", "scalar")
        if kind == "exists":
            if self.chance(0.2):
                clause += (" AND " if clause else " WHERE ") + self.expr("B", scope + outer, 1)
            return "%sEXISTS (SELECT %s FROM %s%s)" % (self.one("", "NOT "), self.one("1", "*"), sql, clause)
        if kind == "in":
            f = self.r.choice([c for c in scope]).family
            return "%s %sIN (SELECT %s FROM %s%s)" % (self.expr(f, outer, 1), self.one("", "NOT "), self.expr(f, scope, self.r.randint(0, 1)), sql, clause)
        agg, f = self.aggregate(scope)
        return "%s %s (SELECT %s FROM %s%s)" % (self.expr(f, outer, 1), self.one("=", "<", ">", "<=>", ">="), agg, sql, clause)

    def scalar(self, outer):
        sql, scope = self.table(0)
        agg, f = self.aggregate(scope)
        where = " WHERE " + self.equi(scope, outer) if self.chance(0.5) and outer else ""
        return "(SELECT %s FROM %s%s)" % (agg, sql, where), f

    # --- SELECT ---------------------------------------------------------------------------------

    def select(self, depth, outer, families=None):
        """SQL and (name, family) of its columns; families: those it must have."""
        sql, scope = self.using() if self.chance(0.06) else self.source(depth)
        where = ""
        if self.chance(0.5):
            where = " WHERE " + self.expr("B", scope, 2)
            if self.chance(0.3):
                where += self.one(" AND ", " AND ", " OR ") + self.predicate(scope)
        elif self.chance(0.3):
            where = " WHERE " + self.predicate(scope)
        if self.chance(0.4):
            return self.grouped(sql, scope, where, families)
        wanted = families or [None] * self.r.randint(1, 5)
        items, columns = [], []
        for f in wanted:
            if f is None and self.windows and self.chance(0.12):
                item, family = self.window(scope)
            elif f is None and self.chance(0.07):
                item, family = self.scalar(scope)
            else:
                family = f or (self.r.choice(scope).family if self.chance(0.7) else self.r.choice("BINDSTZ"))
                item = self.expr(family, scope, self.r.choice([0, 0, 1, 2, 3]))
            name = self.name("c")
            items.append("%s AS %s" % (item, name))
            columns.append((name, family))
        return "SELECT %s%s FROM %s%s" % ("DISTINCT " if self.chance(0.15) else "", ", ".join(items), sql, where), columns

    def grouped(self, sql, scope, where, families):
        keys = []
        for _ in range(self.r.choice([0, 1, 1, 1, 2, 2, 3])):
            f = self.r.choice(scope).family
            keys.append((self.expr(f, scope, self.r.choice([0, 0, 0, 1])), f))
        # a constant is taken for a position, or not for a key at all
        keys = [(k, f) for k, f in keys if any(c.sql in k for c in scope)]
        keys = list(dict(keys).items())
        items, columns = [], []
        for f in families or [None] * self.r.randint(1, 5):
            choices = [(k, g) for k, g in keys if f in (None, g)]
            if choices and self.chance(0.5):
                item, family = self.r.choice(choices)
            else:
                item, family = self.aggregate(scope)
                if f is not None and family != f:
                    item, family = "max(%s)" % self.expr(f, scope, 1), f
            name = self.name("c")
            items.append("%s AS %s" % (item, name))
            columns.append((name, family))
        by = ""
        if keys:
            texts = [k for k, _ in keys]
            by = " GROUP BY " + ", ".join(texts)
            if self.chance(0.3):
                by = self.one(
                    lambda: " GROUP BY ROLLUP (%s)" % ", ".join(texts), lambda: " GROUP BY CUBE (%s)" % ", ".join(texts),
                    lambda: " GROUP BY GROUPING SETS ((%s), (%s), ())" % (", ".join(texts), texts[0]),
                    lambda: " GROUP BY %s WITH ROLLUP" % ", ".join(texts))()
                if self.chance(0.5):
                    items.append("grouping_id() AS gid%d" % self.n) if families is None else None
                    columns.append(("gid%d" % self.n, "I")) if families is None else None
        having = ""
        if self.chance(0.2):
            agg, f = self.aggregate(scope)
            having = " HAVING %s %s %s" % (agg, self.one(">", "<", "<>", "IS DISTINCT FROM", ">="), self.literal(f))
        return "SELECT %s FROM %s%s%s%s" % (", ".join(items), sql, where, by, having), columns

    def big(self):
        """Many rows: joins and aggregates that take memory."""
        cols = [Col("b." + c, FAMILY[t]) for c, t in BIG]
        if self.chance(0.4):
            join = self.one("JOIN", "LEFT JOIN", "FULL JOIN", "LEFT SEMI JOIN", "LEFT ANTI JOIN")
            on = self.one("b.g = c.g AND b.k = c.k", "b.s = c.s AND b.n = c.n", "b.g = c.g AND b.n < c.n AND b.g > 1", "b.k = c.k AND b.g = c.g AND b.d = c.d")
            out = cols if "SEMI" in join or "ANTI" in join else cols + [Col("c." + c, FAMILY[t]) for c, t in BIG]
            keys = self.r.sample(out, 2)
            return "SELECT %s, %s, count(*), sum(b.k), min(b.s), max(b.dt) FROM big b %s (SELECT * FROM big WHERE g %% 5 = 0) c ON %s GROUP BY %s, %s" % (
                keys[0].sql, keys[1].sql, join, on, keys[0].sql, keys[1].sql), False
        if self.chance(0.5):
            keys = [c.sql for c in self.r.sample(cols, self.r.randint(1, 3))]
            aggs = [self.aggregate(cols)[0] for _ in range(self.r.randint(1, 3))]
            return "SELECT %s FROM big b WHERE %s GROUP BY %s" % (", ".join(keys + aggs), self.expr("B", cols, 1), ", ".join(keys)), False
        if self.windows and self.chance(0.5):
            item, _ = self.window(cols)
            return "SELECT b.g, b.k, %s AS w FROM big b WHERE b.g > 1 AND b.g < 500" % item, False
        n = len(cols)
        return "SELECT * FROM big ORDER BY %s LIMIT %d" % (self.ordinals(n), self.one(10, 500, 3000)), True

    def ordinals(self, n):
        order = list(range(1, n + 1))
        self.r.shuffle(order)
        return ", ".join("%d%s%s" % (k, self.one("", " DESC"), self.one("", "", " NULLS FIRST", " NULLS LAST")) for k in order)

    def query(self):
        """SQL, and does the order of its rows count?"""
        self.n, self.ctes = 0, []
        if self.chance(0.08):
            return self.big()
        head = ""
        if self.chance(0.2):
            parts = []
            for _ in range(self.r.randint(1, 2)):
                sql, columns = self.select(1, [])
                name = self.name("w")
                parts.append("%s AS (%s)" % (name, sql))
                self.ctes.append((name, columns))
            head = "WITH %s " % ", ".join(parts)
        sql, columns = self.select(2, [])
        if self.chance(0.2):
            families = [f for _, f in columns]
            for _ in range(self.r.randint(1, 2)):
                other, _ = self.select(1, [], families)
                word = self.one("UNION ALL", "UNION ALL", "UNION", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL", "MINUS")
                sql = "(%s) %s (%s)" % (sql, word, other)
        if self.chance(0.25):
            sql = "%s ORDER BY %s" % (sql, self.ordinals(len(columns)))
            if self.chance(0.6):
                sql += " LIMIT %d" % self.one(0, 1, 3, 10, 100)
                if self.chance(0.2):
                    sql += " OFFSET %d" % self.one(0, 1, 5)
            return head + sql, True
        return head + sql, False
