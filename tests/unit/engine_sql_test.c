/* The parser: shapes of plans, errors with their places, statements, limits.
 *
 * sql_shapes.txt and sql_errors.txt hold a statement (or, behind "=", an expression) and
 * below it what is expected. */
#include "sql_shape.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static bool read_file(const char *path, struct strbuf *out)
{
    FILE *f = fopen(path, "r");
    char buf[65536];
    size_t n;

    if (!f)
        return false;
    while ((n = fread(buf, 1, sizeof buf, f)) > 0)
        strbuf_add(out, (struct sv){ buf, n });
    fclose(f);
    return true;
}

static struct sv take_line(struct sv *left)
{
    const char *end = memchr(left->p, '\n', left->len);
    size_t n = end ? (size_t)(end - left->p) : left->len;
    struct sv line = { left->p, n };

    *left = sv_from(*left, n + 1);
    return line;
}

typedef void (*pair_fn)(struct arena *a, struct sv sql, struct sv expected);

static void each_pair(const char *path, pair_fn fn)
{
    struct strbuf text = { 0 };
    struct sv left;
    size_t pairs = 0;

    assert_true(read_file(path, &text));
    for (left = strbuf_sv(&text); left.len; pairs++) {
        struct arena a = { 0 };
        struct sv sql = take_line(&left), expected = take_line(&left);

        assert_true(expected.len && expected.p[0] == '\t');
        fn(&a, sql, sv_from(expected, 1));
        arena_release(&a);
    }
    assert_true(pairs > 100);
    strbuf_release(&text);
}

static void parse_one(struct arena *a, struct sv sql, struct script *script)
{
    struct err err = { 0 };

    if (sql_parse(a, sql, "f", script, &err) != ERR_OK)
        fail_msg("%.*s\n%s", SV_FMT(sql), err.text);
}

static struct statement *parse_only(struct arena *a, const char *sql)
{
    struct script script;

    parse_one(a, sv(sql), &script);
    if (script.n != 1)
        fail_msg("%s: %u statements", sql, script.n);
    return &script.statements[0];
}

static void check_shape(struct arena *a, struct sv sql, struct sv expected)
{
    struct strbuf shape = { 0 };
    struct script script;
    struct expr *e = NULL;
    struct err err = { 0 };

    if (sql.p[0] == '=') {
        if (sql_parse_expr(a, sv_from(sql, 1), &e, &err) != ERR_OK)
            fail_msg("%.*s\n%s", SV_FMT(sql), err.text);
        shape_expr(&shape, e);
    } else {
        parse_one(a, sql, &script);
        shape_plan(&shape, script.statements[0].query);
    }
    if (!sv_eq(strbuf_sv(&shape), expected))
        fail_msg("%.*s\n is       %s\n expected %.*s", SV_FMT(sql), shape.p,
                 SV_FMT(expected));
    strbuf_release(&shape);
}

static void plans_have_sparks_shapes(void **state)
{
    (void)state;
    each_pair("tests/unit/sql_shapes.txt", check_shape);
}

static void check_error(struct arena *a, struct sv sql, struct sv expected)
{
    struct script script = { .n = 77 };
    struct err err = { 0 };
    struct sv said;

    if (sql_parse(a, sql, "f", &script, &err) != ERR_SYNTAX)
        fail_msg("%.*s was accepted", SV_FMT(sql));
    assert_int_equal(script.n, 77);
    said = sv_first_line(sv(err.text));
    if (!sv_starts(said, SV("f:")) || !sv_eq(sv_from(said, 2), expected))
        fail_msg("%.*s\n says     %.*s\n expected %.*s", SV_FMT(sql), SV_FMT(said),
                 SV_FMT(expected));
}

static void errors_name_place_and_reason(void **state)
{
    (void)state;
    each_pair("tests/unit/sql_errors.txt", check_error);
}

static void errors_show_the_line(void **state)
{
    static const struct {
        const char *sql, *text;
    } cases[] = {
        { "SELECT 1;\n\n  SELECT a,\n\tb FORM t\n",
          "s.sql:4:4: [PARSE_SYNTAX_ERROR] expected the end of the statement, found t "
          "behind "
          "FORM: did you mean FROM?\n b FORM t\n   ^^^^" },
        { "SELECT 'äöü', 128Y",
          "s.sql:1:15: [INVALID_NUMERIC_LITERAL_RANGE] Numeric literal 128 is outside "
          "the "
          "valid range for tinyint with minimum value of -128 and maximum value of 127. "
          "Please adjust the value accordingly.\nSELECT 'äöü', 128Y\n"
          "              ^^^^" },
        { "SELECT (1",
          "s.sql:1:10: [PARSE_SYNTAX_ERROR] expected ')', found the end\nSELECT (1\n"
          "         ^" },
    };
    struct arena a = { 0 };
    struct script script;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = { 0 };

        assert_int_equal(sql_parse(&a, sv(cases[i].sql), "s.sql", &script, &err),
                         ERR_SYNTAX);
        assert_string_equal(err.text, cases[i].text);
    }
    arena_release(&a);
}

static void carets_keep_the_place_in_sight(void **state)
{
    struct strbuf sql = { 0 }, out = { 0 };
    struct place at = { .line = 1, .column = 301, .offset = 300, .length = 3 };
    struct sv line, caret;

    (void)state;
    strbuf_fill(&sql, 'x', 300);
    strbuf_addz(&sql, "BAD");
    strbuf_fill(&sql, 'y', 300);
    sql_caret(&out, strbuf_sv(&sql), at);
    struct sv left = strbuf_sv(&out);
    line = take_line(&left);
    caret = left;
    assert_true(line.len <= 100);
    size_t bad = sv_find(line, SV("BAD"));
    assert_int_equal(bad, sv_find(caret, SV("^^^")));
    out.len = 0;
    sql_caret(&out, strbuf_sv(&sql), (struct place){ 0 }); /* no place: nothing */
    assert_int_equal(out.len, 0);
    strbuf_release(&sql);
    strbuf_release(&out);
}

/* ---- statements ---- */

static void scripts_split_outside_of_texts(void **state)
{
    struct arena a = { 0 };
    struct script s;

    (void)state;
    parse_one(&a, SV(";; SELECT ';' ; -- no; not here\nSELECT /* ; */ \"a;b\" `c;d`;"),
              &s);
    assert_int_equal(s.n, 2);
    assert_true(sv_is(s.statements[0].text, "SELECT ';'"));
    assert_int_equal(s.statements[0].place.column, 4);
    assert_int_equal(s.statements[1].place.line, 2);
    parse_one(&a, SV(""), &s);
    assert_int_equal(s.n, 0);
    parse_one(&a, SV("-- nothing\n /* at all */ ;"), &s);
    assert_int_equal(s.n, 0);
    parse_one(&a, SV("\xef\xbb\xbfSELECT 1"), &s);
    assert_int_equal(s.n, 1);
    arena_release(&a);
}

static void set_takes_raw_text(void **state)
{
    static const struct {
        const char *sql, *key, *value; /* NULL: absent */
    } cases[] = {
        { "SET", NULL, NULL },
        { "SET a.b", "a.b", NULL },
        { "SET a.b=c", "a.b", "c" },
        { "SET a.b =  c d 'e' -f ", "a.b", "c d 'e' -f" },
        { "SET a.b=", "a.b", "" },
        { "SET a=b=c", "a", "b=c" },
        { "SET a=file:///x/*y", "a", "file:///x/*y" },
        { "SET `a b`=`c;d`", "a b", "c;d" },
        { "SET `a b`", "a b", NULL },
        { "SET a=`x y`", "a", "x y" },
        { "SET TIME ZONE 'Europe/Berlin'", "spark.sql.session.timeZone",
          "Europe/Berlin" },
        { "SET TIME ZONE INTERVAL -'5:30' HOUR TO MINUTE", "spark.sql.session.timeZone",
          "-05:30" },
    };
    struct arena a = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = { 0 };
        struct script s;
        const struct statement *st;

        if (strstr(cases[i].sql, "/*")) /* a comment begins there, as in Spark */
            continue;
        if (sql_parse(&a, sv(cases[i].sql), NULL, &s, &err) != ERR_OK)
            fail_msg("%s: %s", cases[i].sql, err.text);
        st = &s.statements[0];
        assert_int_equal(st->kind, STMT_SET);
        if (!sv_eq(st->key, sv(cases[i].key)) ||
            st->has_value != (cases[i].value != NULL) ||
            !sv_eq(st->value, sv(cases[i].value)))
            fail_msg("%s: %.*s = %.*s", cases[i].sql, SV_FMT(st->key), SV_FMT(st->value));
    }
    assert_true(parse_only(&a, "SET -v")->verbose);
    assert_true(sv_is(parse_only(&a, "RESET a.b")->key, "a.b"));
    assert_null(parse_only(&a, "RESET")->key.p);
    arena_release(&a);
}

static void commands_say_what_they_want(void **state)
{
    struct arena a = { 0 };
    const struct statement *st;

    (void)state;
    st = parse_only(&a, "EXPLAIN FORMATTED SELECT 1");
    assert_int_equal(st->kind, STMT_EXPLAIN);
    assert_int_equal(st->explain, EXPLAIN_FORMATTED);
    assert_int_equal(st->inner->kind, STMT_QUERY);
    st = parse_only(&a, "EXPLAIN INSERT INTO t VALUES (1)");
    assert_int_equal(st->explain, EXPLAIN_SIMPLE);
    assert_int_equal(st->inner->kind, STMT_INSERT);
    st = parse_only(&a, "DESC EXTENDED db.t");
    assert_int_equal(st->kind, STMT_DESCRIBE);
    assert_true(st->verbose && st->n_name == 2 && !st->query);
    assert_non_null(parse_only(&a, "DESCRIBE QUERY SELECT 1")->query);
    st = parse_only(&a, "DESCRIBE FUNCTION +");
    assert_true(st->is_function && sv_is(st->name[0], "+"));
    st = parse_only(&a, "SHOW TABLES IN d LIKE 'a*'");
    assert_true(sv_is(st->key, "tables") && sv_is(st->value, "a*") && st->n_name == 1);
    st = parse_only(&a, "SHOW COLUMNS FROM t");
    assert_true(sv_is(st->key, "columns") && sv_is(st->name[0], "t"));
    st = parse_only(&a, "CACHE LAZY TABLE t AS SELECT 1");
    assert_true(st->kind == STMT_CACHE && st->lazy && !st->negate && st->query);
    st = parse_only(&a, "UNCACHE TABLE IF EXISTS t");
    assert_true(st->kind == STMT_CACHE && st->negate && st->if_exists && st->n_name == 1);
    st = parse_only(&a, "CLEAR CACHE");
    assert_true(st->kind == STMT_CACHE && st->negate && st->n_name == 0);
    assert_int_equal(parse_only(&a, "USE DATABASE d")->kind, STMT_USE);
    assert_int_equal(parse_only(&a, "TRUNCATE TABLE t")->kind, STMT_TRUNCATE);
    arena_release(&a);
}

static void tables_and_views_are_described(void **state)
{
    struct arena a = { 0 };
    const struct statement *st;

    (void)state;
    st = parse_only(&a,
                    "CREATE TABLE IF NOT EXISTS db.t (a INT NOT NULL COMMENT 'x', `b c` "
                    "DECIMAL(5, 2)) USING Parquet OPTIONS (a.b 1, 'c' = 'd', e true) "
                    "PARTITIONED BY (a) COMMENT 'y' TBLPROPERTIES ('k' = 'v') LOCATION "
                    "'/l' AS SELECT 1, 2");
    assert_int_equal(st->kind, STMT_CREATE_TABLE);
    assert_true(st->if_not_exists && st->n_name == 2 && st->n_columns == 2 && st->query);
    assert_true(st->columns[0].not_null && sv_is(st->columns[0].comment, "x"));
    assert_true(sv_is(st->columns[1].name, "b c"));
    assert_int_equal(st->columns[1].type.scale, 2);
    assert_true(sv_is(st->format, "parquet") && sv_is(st->location, "/l"));
    assert_int_equal(st->n_options, 3);
    assert_true(sv_is(st->option_keys[0], "a.b") && sv_is(st->option_values[0], "1"));
    assert_true(sv_is(st->option_values[2], "true"));
    assert_true(st->n_partition_by == 1 && sv_is(st->partition_by[0], "a"));

    st = parse_only(&a, "CREATE TABLE t (a INT) PARTITIONED BY (p STRING, q INT)");
    assert_true(st->n_columns == 3 && st->n_partition_by == 2 && !st->query);
    assert_int_equal(st->columns[1].type.id, TYPE_STRING);
    st = parse_only(&a, "CREATE TABLE t SELECT 1");
    assert_true(st->query && st->n_columns == 0);

    st = parse_only(&a, "CREATE OR REPLACE GLOBAL TEMPORARY VIEW v (a COMMENT 'c', b) AS "
                        "SELECT 1, 2");
    assert_int_equal(st->kind, STMT_CREATE_VIEW);
    assert_true(st->replace && st->global && st->temporary && st->n_columns == 2);
    st = parse_only(&a,
                    "CREATE TEMP VIEW v (a INT, b DATE) USING csv OPTIONS (path '/p')");
    assert_true(st->temporary && !st->query && sv_is(st->format, "csv"));
    assert_int_equal(st->columns[1].type.id, TYPE_DATE);
    st = parse_only(&a, "DROP VIEW IF EXISTS v");
    assert_true(st->kind == STMT_DROP && st->is_view && st->if_exists);
    assert_false(parse_only(&a, "DROP TABLE t PURGE")->is_view);
    arena_release(&a);
}

static void inserts_name_their_target(void **state)
{
    struct arena a = { 0 };
    const struct statement *st;

    (void)state;
    st = parse_only(&a, "INSERT INTO t VALUES (1, 'x')");
    assert_true(st->kind == STMT_INSERT && !st->overwrite && st->query);
    st = parse_only(&a, "INSERT INTO TABLE db.t (b, a) (SELECT 1, 2)");
    assert_true(st->n_name == 2 && st->n_columns == 2 && sv_is(st->columns[0].name, "b"));
    st = parse_only(&a, "INSERT OVERWRITE t PARTITION (p = 1, q) SELECT 1");
    assert_true(st->overwrite && st->n_partition_by == 2);
    assert_int_equal(st->partition_values[0]->kind, EXPR_LITERAL);
    assert_null(st->partition_values[1]);
    st = parse_only(
        &a, "INSERT OVERWRITE LOCAL DIRECTORY '/o' USING csv OPTIONS (header true) "
            "SELECT 1");
    assert_true(st->is_directory && sv_is(st->location, "/o") &&
                sv_is(st->format, "csv"));
    st = parse_only(&a, "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x");
    assert_true(st->kind == STMT_INSERT && st->query->kind == PLAN_WITH);
    arena_release(&a);
}

/* ---- limits ---- */

static enum errc parse_repeated(const char *front, const char *piece, size_t n,
                                const char *middle, const char *back_piece,
                                struct err *err)
{
    struct strbuf sql = { 0 };
    struct arena a = { 0 };
    struct script script;
    enum errc rc;

    strbuf_addz(&sql, front);
    for (size_t i = 0; i < n; i++)
        strbuf_addz(&sql, piece);
    strbuf_addz(&sql, middle);
    for (size_t i = 0; i < n; i++)
        strbuf_addz(&sql, back_piece);
    rc = sql_parse(&a, strbuf_sv(&sql), NULL, &script, err);
    arena_release(&a);
    strbuf_release(&sql);
    return rc;
}

static void nesting_has_a_limit(void **state)
{
    static const struct {
        const char *front, *piece, *middle, *back;
    } cases[] = {
        { "SELECT ", "(", "1", ")" },
        { "SELECT ", "NOT ", "a", "" },
        { "SELECT ", "- ", "a", "" },
        { "SELECT ", "f(", "1", ")" },
        { "SELECT ", "CASE WHEN a THEN ", "1", " END" },
        { "SELECT ", "CAST(", "1", " AS INT)" },
        { "", "SELECT * FROM (", "SELECT 1", ")" },
        { "SELECT ", "(SELECT ", "1", ")" },
        { "SELECT * FROM ", "(", "t", ")" },
        { "", "(", "SELECT 1", ")" },
        { "", "WITH x AS (", "SELECT 1", ") SELECT 1" },
        { "SELECT a", " + a", "", "" },
        { "SELECT a", " || a", "", "" },
        { "SELECT a FROM t", " JOIN t", "", "" },
        { "SELECT a FROM t", ", t", "", "" },
        { "SELECT a", " INTERSECT SELECT a", "", "" },
        { "SELECT a", " EXCEPT SELECT a", "", "" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = { 0 };

        if (parse_repeated(cases[i].front, cases[i].piece, 100, cases[i].middle,
                           cases[i].back, &err) != ERR_OK)
            fail_msg("100 x %s: %s", cases[i].piece, err.text);
        if (parse_repeated(cases[i].front, cases[i].piece, 50000, cases[i].middle,
                           cases[i].back, &err) != ERR_LIMIT)
            fail_msg("50000 x %s: %s", cases[i].piece, err.text);
    }
}

static void long_chains_have_none(void **state)
{
    static const char *const chains[][2] = {
        { "SELECT a", " AND a" },
        { "SELECT a", " OR a = 1" },
        { "SELECT a", " UNION ALL SELECT a" },
        { "SELECT a", " UNION SELECT a" },
        { "SELECT a", ", a" },
        { "SELECT a IN (1) FROM VALUES (1)", ", (1)" },
        { "SELECT CASE", " WHEN a THEN b" },
        { "SELECT 1", "; SELECT 1" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(chains); i++) {
        struct err err = { 0 };
        const char *end = strstr(chains[i][0], "CASE") ? " END" : "";

        if (parse_repeated(chains[i][0], chains[i][1], 20000, end, "", &err) != ERR_OK)
            fail_msg("%s: %s", chains[i][1], err.text);
    }
}

/* ---- whole scripts ---- */

/* The statements of tests/sql that Spark parses are parsed, those it refuses are refused.
 */
static void check_test_file(const char *path)
{
    struct strbuf text = { 0 }, sql = { 0 };
    struct sv left;

    assert_true(read_file(path, &text));
    for (left = strbuf_sv(&text); left.len;) {
        struct arena a = { 0 };
        struct script script;
        struct err err = { 0 };
        struct sv line = take_line(&left);

        if (!sv_is(line, "query") && !sv_is(line, "ordered"))
            continue;
        sql.len = 0;
        for (line = take_line(&left); !sv_is(line, "----"); line = take_line(&left)) {
            strbuf_add(&sql, line);
            strbuf_addc(&sql, '\n');
        }
        bool bad = sv_is(take_line(&left), "error PARSE_SYNTAX_ERROR");
        enum errc rc = sql_parse(&a, strbuf_sv(&sql), NULL, &script, &err);
        /* other errors with a class may well be found by the parser */
        bool classed =
            rc != ERR_OK && (strchr(err.text, '[') || strstr(err.text, "Cannot mix") ||
                             strstr(err.text, "duplicate names"));
        if (bad ? rc == ERR_OK
                : rc != ERR_OK && (!classed || strstr(err.text, "[PARSE_")))
            fail_msg("%s: %s%s", path, sql.p, rc ? err.text : "was accepted");
        arena_release(&a);
    }
    strbuf_release(&text);
    strbuf_release(&sql);
}

static void each_file(const char *folder, const char *suffix,
                      void (*fn)(const char *path), size_t least)
{
    DIR *dir = opendir(folder);
    struct dirent *d;
    size_t n = 0;

    if (!dir)
        skip();
    while ((d = readdir(dir))) {
        char path[512];

        if (!sv_ends(sv(d->d_name), sv(suffix)))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, d->d_name);
        fn(path);
        n++;
    }
    closedir(dir);
    assert_true(n >= least);
}

static void statements_of_the_sql_tests_parse(void **state)
{
    (void)state;
    each_file("tests/sql", ".test", check_test_file, 10);
}

static void check_query_file(const char *path)
{
    struct strbuf text = { 0 };
    struct arena a = { 0 };
    struct script script;

    assert_true(read_file(path, &text));
    parse_one(&a, strbuf_sv(&text), &script);
    assert_true(script.n >= 1);
    arena_release(&a);
    strbuf_release(&text);
}

static void tpch_parses(void **state)
{
    (void)state;
    each_file("../shared/tpch/queries", ".sql", check_query_file, 22);
}

static void names_need_quotes_as_spark_says(void **state)
{
    static const char *const plain[] = { "a", "A_1", "select", "1a", "_" };
    static const char *const quoted[] = { "", "1", "a b", "a-b", "a`b", "ä", "a.b" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(plain); i++)
        assert_false(sql_name_needs_quotes(sv(plain[i])));
    for (size_t i = 0; i < ARRAY_LEN(quoted); i++)
        assert_true(sql_name_needs_quotes(sv(quoted[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_have_sparks_shapes),
        cmocka_unit_test(errors_name_place_and_reason),
        cmocka_unit_test(errors_show_the_line),
        cmocka_unit_test(carets_keep_the_place_in_sight),
        cmocka_unit_test(scripts_split_outside_of_texts),
        cmocka_unit_test(set_takes_raw_text),
        cmocka_unit_test(commands_say_what_they_want),
        cmocka_unit_test(tables_and_views_are_described),
        cmocka_unit_test(inserts_name_their_target),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(long_chains_have_none),
        cmocka_unit_test(statements_of_the_sql_tests_parse),
        cmocka_unit_test(tpch_parses),
        cmocka_unit_test(names_need_quotes_as_spark_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
