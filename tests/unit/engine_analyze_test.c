/* Analysis against what Spark 3.5.9 says to the same statements.
 *
 * tests/data/engine/analyzed.sql has the statements, analyzed.txt Spark's schemas, plans
 * and errors; analyzed.py says how they were made. Where this engine differs on purpose,
 * or does not have a function, `differs` names the statement and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/map.h"
#include "engine/plan/analyze.h"
#include "engine/run/settings.h"
#include "engine/sql/statement.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    struct arena arena;
    struct settings *settings;
    struct catalog *catalog;
    struct analysis_env env;
    struct place at;
    struct err err;
};

static void put(struct settings *s, const char *key, const char *value)
{
    struct err err;

    assert_int_equal(settings_put(s, sv(key), sv(value), &err), ERR_OK);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->settings = settings_new(&f->arena);
    put(f->settings, "spark.sql.session.timeZone", "UTC");
    f->catalog = catalog_new(&f->arena);
    f->env = (struct analysis_env){ &f->arena, f->catalog, f->settings, 0 };
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    arena_release(&f->arena);
    free(f);
    return 0;
}

/* ---- one statement ---- */

static enum errc analyze(struct fixture *f, struct sv sql, struct plan **out)
{
    struct script script;

    f->at = (struct place){ 0 };
    f->err = (struct err){ 0 };
    TRY(sql_parse(&f->arena, sql, NULL, &script, &f->err));
    struct statement *st = &script.statements[0];
    if (st->kind == STMT_CREATE_VIEW) {
        struct sv *names = arena_array(&f->arena, st->n_columns + 1, sizeof *names);

        for (uint32_t i = 0; i < st->n_columns; i++)
            names[i] = st->columns[i].name;
        return plan_create_view(&f->env, st->name[0], names, st->n_columns, st->query,
                                st->replace, &f->at, &f->err);
    }
    assert_int_equal(st->kind, STMT_QUERY);
    return plan_analyze(&f->env, st->query, out, &f->at, &f->err);
}

static void must(struct fixture *f, const char *sql)
{
    struct plan *p;

    if (analyze(f, sv(sql), &p) != ERR_OK)
        fail_msg("%s: %s", sql, f->err.text);
}

/* #17 and CTERelationDef 5 by first appearance. */
static void renumber(struct strbuf *out, struct sv text)
{
    struct map ids = { 0 }, ctes = { 0 };

    for (size_t i = 0; i < text.len;) {
        static const char *const words[] = { "#", "CTERelationDef ", "CTERelationRef " };
        size_t k = 0;

        while (k < 3 && !(sv_starts(sv_from(text, i), sv(words[k])) &&
                          i + strlen(words[k]) < text.len &&
                          isdigit((unsigned char)text.p[i + strlen(words[k])])))
            k++;
        if (k == 3) {
            strbuf_addc(out, text.p[i++]);
            continue;
        }
        struct map *m = k ? &ctes : &ids;
        i += strlen(words[k]);
        int64_t id = 0;
        for (; i < text.len && isdigit((unsigned char)text.p[i]); i++)
            id = id * 10 + (text.p[i] - '0');
        if (map_get(m, id) == MAP_NONE)
            map_put(m, id, m->n + (k == 0));
        strbuf_printf(out, "%s%u", words[k], map_get(m, id));
    }
    map_release(&ids);
    map_release(&ctes);
}

static void add_schema(struct fixture *f, struct strbuf *out, struct plan *p)
{
    const struct exprs *columns = plan_output(&f->arena, p);

    strbuf_addz(out, "= ");
    for (uint32_t i = 0; i < columns->n; i++) {
        strbuf_printf(out, "%s%.*s ", i ? ", " : "", SV_FMT(columns->at[i]->name));
        type_print(out, columns->at[i]->type);
        strbuf_addz(out, columns->at[i]->nullable ? "" : " not null");
    }
    strbuf_addc(out, '\n');
}

static const char *unsound(struct fixture *f, struct plan *analyzed);

static void answer(struct fixture *f, struct sv sql, struct strbuf *out)
{
    struct strbuf plan = { 0 };
    struct plan *p;

    if (analyze(f, sql, &p) != ERR_OK) {
        strbuf_printf(out, "! %s", f->err.text);
        if (f->at.line)
            strbuf_printf(out, "; line %u pos %u", f->at.line, f->at.column - 1);
        strbuf_addc(out, '\n');
        return;
    }
    const char *problem = unsound(f, p);
    if (problem)
        fail_msg("%.*s: %s", SV_FMT(sql), problem);
    add_schema(f, out, p);
    plan_print(&plan, p);
    renumber(out, strbuf_sv(&plan));
    strbuf_release(&plan);
}

/* ---- the data ---- */

static struct sv slurp(struct arena *a, const char *path)
{
    struct strbuf text = { 0 };
    FILE *in = fopen(path, "rb");
    char part[65536];
    size_t n;

    if (!in)
        fail_msg("%s is not there", path);
    while ((n = fread(part, 1, sizeof part, in)) > 0)
        strbuf_add(&text, (struct sv){ part, n });
    fclose(in);
    struct sv copy = arena_sv(a, strbuf_sv(&text));
    strbuf_release(&text);
    return copy;
}

static struct sv next_line(struct sv *rest)
{
    struct sv line = sv_first_line(*rest);

    *rest = sv_from(*rest, line.len + 1);
    return line;
}

static const struct {
    const char *sql, *why;
} differs[] = {
    { "SELECT ts + INTERVAL '1' HOUR, ts - ts, ts > DATE'2024-01-01', ts = '2024-01-01' "
      "FROM w",
      "no cast of a timestamp to itself" },
    { "SELECT CAST(a AS STRING), CAST(s AS INT), CAST(d AS DECIMAL(10, 1)), TRY_CAST(s "
      "AS "
      "DATE), a :: bigint FROM t",
      "a::bigint is of Spark 4" },
    { "SELECT upper(s), length(s), substring(s, 1, 2), substr(s, 2), trim(s), lower(s) "
      "FROM t",
      "optional arguments are not shown" },
    { "SELECT abs(a), round(d, 1), round(f), floor(d), ceil(f), sqrt(a), power(a, 2), "
      "greatest(a, b), least(a, 1.5) FROM t",
      "optional arguments are not shown; names in lower case" },
    { "SELECT s, sum(a) AS x, x / 2 AS h FROM t GROUP BY s",
      "Spark's order of the lower columns is that of a hash set" },
    { "WITH c AS (SELECT a FROM t), d AS (SELECT a + 1 AS x FROM c) SELECT * FROM d, c",
      "Spark gives the second reference new ids without need" },
    { "SELECT a, first(b) OVER (PARTITION BY s ORDER BY a), last(b) OVER (PARTITION BY s "
      "ORDER BY a), ntile(4) OVER (ORDER BY a), percent_rank() OVER (ORDER BY a), "
      "cume_dist() OVER (ORDER BY a) FROM t",
      "first and last show no second argument" },
    { "SELECT first(a), last(s), collect_list(a), stddev(a), variance(f), "
      "approx_count_distinct(a), max_by(a, b), any_value(a) FROM t",
      "no arrays" },
    { "SELECT concat_ws(',', s, s), lpad(s, 5, '0'), replace(s, 'x', 'y'), instr(s, "
      "'x'), "
      "split(s, ',')[0] FROM t",
      "no arrays" },
    { "SELECT a FROM t WHERE s AND true", "says which operand is wrong" },
    { "SELECT dt + s FROM t", "says that the operands do not go together" },
    { "SELECT sum(b) OVER nowin FROM t", "has a class here" },
    { "WITH c AS (SELECT 1), c AS (SELECT 2) SELECT * FROM c", "has its place here" },
    { "SELECT * FROM range()", "says what the arguments are" },
    { "SELECT explode(a) FROM t", "no arrays" },
    { "SELECT year(a, 1) FROM t", "year is to come" },
    { "SELECT current_date() IS NULL", "zones are not shown as arguments" },
    { "SELECT hash(a, s), md5(s), isnull(a), isnotnull(a) FROM t",
      "the seed is not shown" },
    { "SELECT * FROM VALUES (1), (a)", "no blank after the sentence" },
    { "SELECT s, max(a) AS a FROM t GROUP BY s ORDER BY max(a)",
      "Spark fails: here the aggregate's argument is the table's column" },
    { "SELECT s, max(a) AS b FROM t GROUP BY s HAVING b > 1",
      "Spark casts as if b were the table's column of that name" },
    { "SELECT a AS b, count(*) FROM t GROUP BY a HAVING b > 1",
      "Spark casts as if b were the table's column of that name" },
    { "SELECT s, rank() OVER (PARTITION BY grouping(s) ORDER BY sum(a)) FROM t GROUP BY "
      "ROLLUP(s)",
      "other columns below the window" },
    { "SELECT a x, b x FROM t ORDER BY x", "says that the name is ambiguous" },
    { "SELECT a FROM t WHERE s IS DISTINCT FROM 'x' OR s <=> NULL", "NULL has a cast" },
    { "SELECT a FROM t WHERE (a, b) IN ((1, 2L), (3, 4L))", "no structs" },
    { "SELECT * FROM (WITH c AS (SELECT 1 AS x) SELECT x FROM c) a JOIN (WITH c AS "
      "(SELECT "
      "2 AS x) SELECT x FROM c) b ON a.x < b.x",
      "definitions stand at the top" },
    { "SELECT sum(b) OVER (ORDER BY d RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM t",
      "-1, not (- 1), in the name" },
    { "SELECT row_number() OVER (ORDER BY a ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) "
      "FROM "
      "t",
      "names the function" },
    { "SELECT /*+ COALESCE(a) */ a FROM t", "wording" },
    { "SELECT year(dt), month(dt), day(dt), date_add(dt, 1), datediff(dt, dt), "
      "date_format(dt, 'yyyy'), EXTRACT(YEAR FROM dt) FROM t",
      "zones are not shown as arguments" },
    { "SELECT date_sub(dt, 5), add_months(dt, 1), last_day(dt), trunc(dt, 'MM'), "
      "to_date(s), months_between(dt, dt) FROM t",
      "zones are not shown as arguments" },
};

static const char *why_it_differs(struct sv sql)
{
    for (size_t i = 0; i < ARRAY_LEN(differs); i++)
        if (sv_is(sql, differs[i].sql))
            return differs[i].why;
    return NULL;
}

/* "[CLASS" of an error that has one, else the first sentence. */
static struct sv error_class(struct sv text)
{
    size_t from = sv_find(text, SV("["));
    struct sv at = from == SIZE_MAX ? text : sv_from(text, from);
    size_t end = sv_find(at, sv(from == SIZE_MAX ? "." : "]"));

    return end == SIZE_MAX ? at : (struct sv){ at.p, end };
}

/* Names are held against Spark's word by word, suggestions and place included. */
static bool is_about_names(struct sv text)
{
    return sv_starts(text, SV("! [UNRESOLVED_COLUMN")) ||
           sv_starts(text, SV("! [AMBIGUOUS_REFERENCE"));
}

/* A function that the engine does not have. */
static bool lacks_function(struct sv mine, struct sv theirs)
{
    return sv_starts(mine, SV("! [UNRESOLVED_ROUTINE]")) && theirs.p[0] == '=';
}

static bool agree(struct sv mine, struct sv theirs)
{
    if (is_about_names(theirs))
        return sv_eq(sv_trim(mine), sv_trim(theirs));
    if (theirs.len && theirs.p[0] == '!')
        return mine.len && mine.p[0] == '!' &&
               sv_eq(error_class(mine), error_class(theirs));
    return sv_eq(mine, theirs);
}

/* ---- soundness of finished plans ---- */

struct soundness {
    struct arena *arena;
    struct exprs below;
    const char *problem;
};

static bool see_reference(void *ctx, const struct expr *e)
{
    struct soundness *s = ctx;

    if (e->kind == EXPR_ATTRIBUTE && !exprs_find(&s->below, e->id))
        s->problem =
            arena_printf(s->arena, "%.*s#%u is not below", SV_FMT(e->name), e->id);
    else if (!e->resolved)
        s->problem = "something is not resolved";
    return s->problem != NULL;
}

/* What a subquery takes from outside has to be there; inside EXPR_OUTER it is not looked
 * at again. */
static struct expr *hide_outer(void *ctx, struct expr *e)
{
    return e->kind == EXPR_OUTER ? expr_literal(ctx, value_null(e->type)) : e;
}

static void check_expr(void *ctx, struct expr *e)
{
    struct soundness *s = ctx;

    e = expr_transform_up(s->arena, e, hide_outer, s->arena);
    if (!s->problem)
        expr_any(e, see_reference, s);
}

static struct plan *check_plan(void *ctx, struct plan *p)
{
    struct soundness *s = ctx;

    s->below = (struct exprs){ 0 };
    if (p->kind == PLAN_SUBQUERY_ALIAS || p->kind == PLAN_VIEW || p->kind == PLAN_WITH ||
        p->kind == PLAN_CTE_REF || p->kind == PLAN_HINT)
        s->problem = "names are left";
    for (uint32_t i = 0; i < p->n_children; i++) {
        const struct exprs *out = plan_output(s->arena, p->children[i]);

        for (uint32_t k = 0; p->kind == PLAN_JOIN && k < out->n && !s->problem; k++)
            if (exprs_find(&s->below, out->at[k]->id))
                s->problem =
                    arena_printf(s->arena, "both sides put out #%u", out->at[k]->id);
        s->below = exprs_join(s->arena, &s->below, out);
    }
    plan_each_expr(p, check_expr, s);
    return p;
}

static struct plan *check_below(void *ctx, struct plan *p)
{
    struct soundness *s = ctx;

    plan_transform_up(s->arena, p, check_plan, s);
    return plan_transform_subqueries(s->arena, p, check_below, s);
}

static const char *unsound(struct fixture *f, struct plan *analyzed)
{
    struct soundness s = { .arena = &f->arena };
    struct plan *p = plan_finish(&f->arena, analyzed);
    const struct exprs *before = plan_output(&f->arena, analyzed);
    const struct exprs *after = plan_output(&f->arena, p);

    check_below(&s, p);
    for (uint32_t i = 0; i < before->n && !s.problem; i++)
        if (before->n != after->n || before->at[i]->id != after->at[i]->id)
            s.problem = "other columns";
    return s.problem;
}

static void setup_views(struct fixture *f, struct sv sql)
{
    while (sql.len) {
        struct sv line = next_line(&sql);
        struct plan *p;

        if (sv_is(line, "--"))
            return;
        if (analyze(f, line, &p) != ERR_OK)
            fail_msg("%.*s: %s", SV_FMT(line), f->err.text);
    }
}

static void plans_are_sparks(void **state)
{
    struct fixture *f = *state;
    struct sv rest = slurp(&f->arena, "tests/data/engine/analyzed.txt");
    uint32_t wrong = 0, n = 0, known = 0;

    setup_views(f, slurp(&f->arena, "tests/data/engine/analyzed.sql"));
    while (rest.len) {
        struct sv sql = next_line(&rest);
        struct strbuf mine = { 0 };
        size_t end = sv_find(rest, SV("\n\n"));
        struct sv theirs = { rest.p, end == SIZE_MAX ? rest.len : end + 1 };

        assert_true(sv_starts(sql, SV("> ")));
        rest = sv_from(rest, theirs.len + 1);
        sql = sv_from(sql, 2);
        answer(f, sql, &mine);
        n++;
        bool same = agree(strbuf_sv(&mine), theirs);
        if (!same && (why_it_differs(sql) || lacks_function(strbuf_sv(&mine), theirs))) {
            known++;
        } else if (!same) {
            fprintf(stderr, "> %.*s\nSpark:\n%.*sHere:\n%.*s\n", SV_FMT(sql),
                    SV_FMT(theirs), SV_FMT(strbuf_sv(&mine)));
            wrong++;
        }
        strbuf_release(&mine);
    }
    if (wrong)
        fail_msg("%u of %u statements are not as Spark has them (%u known)", wrong, n,
                 known);
}

/* ---- TPC-H ---- */

#define TPCH "../shared/tpch"

static const char *const tpch_tables[] = {
    "lineitem(l_orderkey bigint, l_partkey bigint, l_suppkey bigint, l_linenumber int, "
    "l_quantity decimal(15,2), l_extendedprice decimal(15,2), l_discount decimal(15,2), "
    "l_tax decimal(15,2), l_returnflag string, l_linestatus string, l_shipdate date, "
    "l_commitdate date, l_receiptdate date, l_shipinstruct string, l_shipmode string, "
    "l_comment string)",
    "orders(o_orderkey bigint, o_custkey bigint, o_orderstatus string, o_totalprice "
    "decimal(15,2), o_orderdate date, o_orderpriority string, o_clerk string, "
    "o_shippriority int, o_comment string)",
    "customer(c_custkey bigint, c_name string, c_address string, c_nationkey bigint, "
    "c_phone string, c_acctbal decimal(15,2), c_mktsegment string, c_comment string)",
    "part(p_partkey bigint, p_name string, p_mfgr string, p_brand string, p_type string, "
    "p_size int, p_container string, p_retailprice decimal(15,2), p_comment string)",
    "supplier(s_suppkey bigint, s_name string, s_address string, s_nationkey bigint, "
    "s_phone string, s_acctbal decimal(15,2), s_comment string)",
    "partsupp(ps_partkey bigint, ps_suppkey bigint, ps_availqty int, ps_supplycost "
    "decimal(15,2), ps_comment string)",
    "nation(n_nationkey bigint, n_name string, n_regionkey bigint, n_comment string)",
    "region(r_regionkey bigint, r_name string, r_comment string)",
};

/* t(a int, b string) as a view of one row of NULLs. */
static void make_table(struct fixture *f, const char *columns)
{
    struct strbuf sql = { 0 };
    const char *at = strchr(columns, '(');

    strbuf_printf(&sql, "CREATE TEMPORARY VIEW %.*s AS SELECT ", (int)(at - columns),
                  columns);
    while (*at != 0 && *at != ')') {
        size_t name, type;

        at += 1 + (at[1] == ' ');
        name = strcspn(at, " ");
        for (type = name + 1; at[type] && at[type] != ')' && at[type] != ',';)
            type += at[type + 1] == '(' ? strcspn(at + type, ")") + 1 : 1;
        strbuf_printf(&sql, "%sCAST(NULL AS %.*s) AS %.*s",
                      sql.p[sql.len - 2] == 'T' ? "" : ", ", (int)(type - name - 1),
                      at + name + 1, (int)name, at);
        at += type;
    }
    must(f, arena_sv(&f->arena, strbuf_sv(&sql)).p);
    strbuf_release(&sql);
}

/* "name": "x", "type": "y", "nullable": true of the next column; false: none is left. */
static bool json_text(struct sv *rest, const char *key, struct sv *out)
{
    size_t at = sv_find(*rest, sv(key));

    if (at == SIZE_MAX)
        return false;
    *rest = sv_from(*rest, at + strlen(key));
    while (rest->len && (rest->p[0] == ' ' || rest->p[0] == '"' || rest->p[0] == ':'))
        *rest = sv_from(*rest, 1);
    size_t end = 0;
    while (end < rest->len && rest->p[end] != '"' && rest->p[end] != '\n')
        end++;
    *out = (struct sv){ rest->p, end };
    return true;
}

static void check_schema(struct fixture *f, const char *query, struct plan *p,
                         struct sv schema)
{
    const struct exprs *columns = plan_output(&f->arena, p);
    const char *key = arena_printf(&f->arena, "\"%s\"", query);
    struct sv rest = sv_from(schema, sv_find(schema, sv(key)));
    struct sv name = { 0 }, type = { 0 }, nullable = { 0 };

    rest.len = sv_find(rest, SV("\n ]"));
    for (uint32_t i = 0; i < columns->n; i++) {
        struct strbuf t = { 0 };

        if (!json_text(&rest, "\"name\"", &name) ||
            !json_text(&rest, "\"type\"", &type) ||
            !json_text(&rest, "\"nullable\"", &nullable))
            fail_msg("%s: more than Spark's %u columns", query, i);
        type_print(&t, columns->at[i]->type);
        if (!sv_eq(name, columns->at[i]->name) || !sv_eq(type, strbuf_sv(&t)) ||
            sv_starts(nullable, SV("true")) != columns->at[i]->nullable)
            fail_msg("%s: %.*s %s %d where Spark has %.*s %.*s %.*s", query,
                     SV_FMT(columns->at[i]->name), t.p, columns->at[i]->nullable,
                     SV_FMT(name), SV_FMT(type), SV_FMT(nullable));
        strbuf_release(&t);
    }
    assert_false(json_text(&rest, "\"name\"", &name));
}

static void tpch_has_sparks_schemas(void **state)
{
    struct fixture *f = *state;
    struct sv schema;

    if (access(TPCH "/queries", R_OK) != 0)
        skip();
    schema = slurp(&f->arena, TPCH "/answers/schema.json");
    for (size_t i = 0; i < ARRAY_LEN(tpch_tables); i++)
        make_table(f, tpch_tables[i]);
    for (int q = 1; q <= 22; q++) {
        const char *name = arena_printf(&f->arena, "q%02d", q);
        struct sv sql =
            slurp(&f->arena, arena_printf(&f->arena, TPCH "/queries/%s.sql", name));
        struct plan *p;

        if (analyze(f, sql, &p) != ERR_OK) {
            if (!sv_has(sv(f->err.text), "[UNRESOLVED_ROUTINE]"))
                fail_msg("%s:%u:%u: %s", name, f->at.line, f->at.column, f->err.text);
            print_message("%s: %s\n", name, f->err.text);
            continue;
        }
        check_schema(f, name, p, schema);
        if (unsound(f, p))
            fail_msg("%s: %s", name, unsound(f, p));
    }
}

static void stars_stand_in_lists_and_calls_only(void **state)
{
    static const char *const bad[] = {
        "SELECT 1 IN (2, *) FROM t",  "SELECT CASE WHEN true THEN * END FROM t",
        "SELECT * + 1 FROM t",        "SELECT CAST(* AS INT) FROM t",
        "SELECT a FROM t ORDER BY *",
    };
    struct fixture *f = *state;
    struct plan *p;

    must(f, "CREATE TEMPORARY VIEW t AS SELECT 1 AS a, 2 AS b");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        if (analyze(f, sv(bad[i]), &p) != ERR_SYNTAX)
            fail_msg("accepted: %s", bad[i]);
}

/* ---- views and tables ---- */

static void views_follow_what_they_name(void **state)
{
    struct fixture *f = *state;
    struct plan *p;

    must(f, "CREATE TEMPORARY VIEW v AS SELECT 1 AS a");
    must(f, "CREATE TEMPORARY VIEW w(x) AS SELECT a FROM v");
    assert_int_equal(analyze(f, SV("CREATE TEMPORARY VIEW V AS SELECT 2"), &p),
                     ERR_SYNTAX);
    assert_true(sv_has(sv(f->err.text), "[TEMP_TABLE_OR_VIEW_ALREADY_EXISTS]"));
    must(f, "CREATE OR REPLACE TEMPORARY VIEW v AS SELECT 2 AS b, 3 AS a");
    must(f, "SELECT x FROM w");
    assert_true(catalog_drop_view(f->catalog, SV("V")));
    assert_false(catalog_drop_view(f->catalog, SV("v")));
    assert_int_equal(analyze(f, SV("SELECT x FROM w"), &p), ERR_SYNTAX);
    assert_true(sv_has(sv(f->err.text), "TABLE_OR_VIEW_NOT_FOUND"));
}

static void a_view_of_itself_is_refused(void **state)
{
    struct fixture *f = *state;
    struct plan *p;

    must(f, "CREATE TEMPORARY VIEW v AS SELECT 1 AS a");
    must(f, "CREATE TEMPORARY VIEW w AS SELECT a FROM v");
    assert_int_equal(
        analyze(f, SV("CREATE OR REPLACE TEMPORARY VIEW V AS SELECT a FROM w"), &p),
        ERR_SYNTAX);
    assert_true(sv_has(sv(f->err.text), "[RECURSIVE_VIEW]"));
    must(f, "SELECT * FROM w"); /* v is what it was */
}

static void columns_of_a_view_have_names_of_their_own(void **state)
{
    struct fixture *f = *state;
    struct plan *p;

    assert_int_equal(analyze(f, SV("CREATE TEMPORARY VIEW v AS SELECT 1, 1"), &p),
                     ERR_SYNTAX);
    assert_true(sv_has(sv(f->err.text), "[COLUMN_ALREADY_EXISTS]"));
    assert_int_equal(analyze(f, SV("CREATE TEMPORARY VIEW v(a, b) AS SELECT 1"), &p),
                     ERR_SYNTAX);
    assert_true(sv_has(sv(f->err.text), "NOT_ENOUGH_DATA_COLUMNS"));
    must(f, "CREATE TEMPORARY VIEW v(a, b) AS SELECT 1, 1");
}

static void mistyped_tables_get_the_nearest_name(void **state)
{
    struct fixture *f = *state;
    struct plan *p;

    must(f, "CREATE TEMPORARY VIEW lineitem AS SELECT 1 AS a");
    assert_int_equal(analyze(f, SV("SELECT 1\nFROM lineitm"), &p), ERR_SYNTAX);
    assert_true(sv_has(sv(f->err.text), "Did you mean `lineitem`?"));
    assert_int_equal(f->at.line, 2);
    assert_int_equal(f->at.column, 6);
}

static const struct field fields[] = {
    { { "a", 1 }, { .id = TYPE_INT }, true },
    { { "tab\tname", 8 }, { .id = TYPE_DECIMAL, .precision = 12, .scale = 2 }, false },
};
static const struct field part_fields[] = { { { "p", 1 }, { .id = TYPE_STRING }, true } };

static void tables_are_folders_with_an_entry(void **state)
{
    struct fixture *f = *state;
    char dir[] = "/tmp/engine_analyze_XXXXXX";
    struct sv key = SV("sep"), value = SV("\t\\\n");
    struct table t = { .name = SV("Sales"),
                       .format = SV("parquet"),
                       .option_keys = &key,
                       .option_values = &value,
                       .n_options = 1 };
    struct plan *p;
    const struct table *back;

    assert_non_null(mkdtemp(dir));
    put(f->settings, "spark.sql.warehouse.dir", dir);
    t.data = (struct schema){ (struct field *)(uintptr_t)fields, 2 };
    t.partition = (struct schema){ (struct field *)(uintptr_t)part_fields, 1 };
    assert_int_equal(catalog_create_table(f->catalog, f->settings, &t, &f->err), ERR_OK);
    back = catalog_table(f->catalog, f->settings, SV("SALES"));
    assert_non_null(back);
    assert_int_equal(back->data.n, 2);
    assert_true(sv_eq(back->data.fields[1].name, fields[1].name));
    assert_true(type_eq(back->data.fields[1].type, fields[1].type));
    assert_false(back->data.fields[1].nullable);
    assert_true(sv_is(back->partition.fields[0].name, "p"));
    assert_true(sv_eq(back->option_values[0], value));
    assert_int_equal(catalog_create_table(f->catalog, f->settings, &t, &f->err),
                     ERR_SYNTAX);
    assert_true(sv_has(sv(f->err.text), "[TABLE_OR_VIEW_ALREADY_EXISTS]"));
    if (analyze(f, SV("SELECT s.p, A FROM default.sales s"), &p) != ERR_OK)
        fail_msg("%s", f->err.text);
    assert_int_equal(plan_output(&f->arena, p)->n, 2);
    assert_int_equal(catalog_drop_table(f->catalog, f->settings, SV("sales"), &f->err),
                     ERR_OK);
    assert_null(catalog_table(f->catalog, f->settings, SV("sales")));
    assert_int_equal(catalog_drop_table(f->catalog, f->settings, SV("sales"), &f->err),
                     ERR_SYNTAX);
    assert_int_equal(rmdir(dir), 0); /* nothing is left */
}

static void table_names_lead_nowhere_else(void **state)
{
    static const char *const bad[] = { "../x", "a/b", ".hidden", "_x", "" };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct table t = { .name = sv(bad[i]), .format = SV("csv") };

        if (catalog_create_table(f->catalog, f->settings, &t, &f->err) == ERR_OK)
            fail_msg("\"%s\" became a table", bad[i]);
        assert_null(catalog_table(f->catalog, f->settings, sv(bad[i])));
    }
}

/* ---- INSERT ---- */

static enum errc insert(struct fixture *f, const char *sql, const struct sv *names,
                        uint32_t n_names, struct plan **out)
{
    struct schema table = { (struct field *)(uintptr_t)fields, 2 };
    struct plan *p;

    if (analyze(f, sv(sql), &p) != ERR_OK)
        fail_msg("%s: %s", sql, f->err.text);
    return plan_for_insert(&f->env, p, &table, SV("t"), names, n_names, NULL, out, &f->at,
                           &f->err);
}

static void inserts_cast_by_store_assignment(void **state)
{
    struct fixture *f = *state;
    struct sv names[] = { SV("TAB\tname"), SV("a") };
    struct plan *p;

    assert_int_equal(insert(f, "SELECT 1L, 2", NULL, 0, &p), ERR_OK);
    assert_int_equal(p->list.at[0]->args[0]->kind, EXPR_CAST);
    assert_true(p->list.at[0]->args[0]->ansi);
    assert_true(sv_is(plan_output(&f->arena, p)->at[0]->name, "a"));
    assert_int_equal(insert(f, "SELECT 1.5, 7", names, 2, &p), ERR_OK);
    assert_true(sv_is(p->list.at[0]->args[0]->name, "7"));
    assert_int_equal(insert(f, "SELECT 5", names + 1, 1, &p), ERR_OK);
    assert_int_equal(p->list.at[1]->args[0]->kind, EXPR_LITERAL);
    assert_true(p->list.at[1]->args[0]->value.null);
}

static void inserts_refuse_what_may_lose(void **state)
{
    static const struct {
        const char *sql, *error;
    } cases[] = {
        { "SELECT 'x', 1", "[INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST]" },
        { "SELECT DATE'2024-01-01', 1",
          "[INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST]" },
        { "SELECT 1", "[INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS]" },
        { "SELECT 1, 2, 3", "[INSERT_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS]" },
    };
    struct fixture *f = *state;
    struct plan *p = NULL;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (insert(f, cases[i].sql, NULL, 0, &p) != ERR_SYNTAX ||
            !sv_has(sv(f->err.text), cases[i].error))
            fail_msg("%s: %s", cases[i].sql, f->err.text);
    assert_null(p);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(plans_are_sparks),
        TEST(tpch_has_sparks_schemas),
        TEST(stars_stand_in_lists_and_calls_only),
        TEST(views_follow_what_they_name),
        TEST(a_view_of_itself_is_refused),
        TEST(columns_of_a_view_have_names_of_their_own),
        TEST(mistyped_tables_get_the_nearest_name),
        TEST(tables_are_folders_with_an_entry),
        TEST(table_names_lead_nowhere_else),
        TEST(inserts_cast_by_store_assignment),
        TEST(inserts_refuse_what_may_lose),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
