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
    { "SELECT * FROM VALUES (1), (a)", "no blank after the sentence" },
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(plans_are_sparks, setup, teardown),
    };

    (void)must;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
