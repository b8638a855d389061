/* What the optimiser makes of single expressions, held against real Spark's: the cases
 * and how they are made are in engine_opt_expr_cases.*. */
#include "engine/run/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define CASES "tests/unit/engine_opt_expr_cases.txt"

struct fixture {
    struct session *session;
    struct arena arena;
    char dir[64];
};

static void put(struct settings *s, const char *key, const char *value)
{
    struct err err = { 0 };

    if (settings_put(s, sv(key), sv(value), &err) != ERR_OK)
        fail_msg("%s: %s", key, err.text);
}

static int open_session(void **state)
{
    static struct fixture f;
    struct settings *s;
    struct err err = { 0 };

    f = (struct fixture){ .dir = "/tmp/engine_opt_expr_XXXXXX" };
    assert_non_null(mkdtemp(f.dir));
    s = settings_new(&f.arena);
    put(s, "spark.sql.warehouse.dir", f.dir);
    put(s, "spark.sql.session.timeZone", "UTC");
    put(s, "spark.eventLog.enabled", "false");
    put(s, "spark.sql.optimizer.excludedRules",
        "org.apache.spark.sql.catalyst.optimizer.InferFiltersFromConstraints");
    if (session_open(&f.session, s, NULL, &err) != ERR_OK)
        fail_msg("%s", err.text);
    *state = &f;
    return 0;
}

static int close_session(void **state)
{
    struct fixture *f = *state;
    char command[128];

    session_close(f->session, false);
    snprintf(command, sizeof command, "rm -rf %s", f->dir);
    if (system(command) != 0)
        return 1;
    arena_release(&f->arena);
    return 0;
}

/* The only value of the result, or the error's text; absent: no rows. */
static struct sv run(struct fixture *f, const char *sql)
{
    struct script *script = ARENA_NEW(&f->arena, struct script);
    struct result result = { 0 };
    struct place at;
    struct err err = { 0 };

    if (sql_parse(&f->arena, arena_sv(&f->arena, sv(sql)), NULL, script, &err) !=
            ERR_OK ||
        session_run(f->session, script, &script->statements[0], &result, &at, &err) !=
            ERR_OK)
        return arena_sv(&f->arena, sv(err.text));
    if (!result.n_rows)
        return (struct sv){ 0 };
    struct value v = value_at(&result.batches[0].columns[0], 0);
    return arena_sv(&f->arena, v.u.s);
}

/* Without "#12" and "#12L". */
static struct sv without_ids(struct arena *a, struct sv text)
{
    char *to = arena_bytes(a, text.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < text.len;) {
        bool id = text.p[i] == '#' && i + 1 < text.len && text.p[i + 1] >= '0' &&
                  text.p[i + 1] <= '9';

        if (!id) {
            to[n++] = text.p[i++];
            continue;
        }
        for (i++; i < text.len && text.p[i] >= '0' && text.p[i] <= '9';)
            i++;
        if (i < text.len && text.p[i] == 'L')
            i++;
    }
    return (struct sv){ to, n };
}

static struct sv between(struct sv text, struct sv from, struct sv to)
{
    size_t start = sv_find(text, from), end;

    if (start == SIZE_MAX)
        return (struct sv){ 0 };
    text = sv_from(text, start + from.len);
    end = sv_find(text, to);
    return end == SIZE_MAX ? (struct sv){ 0 } : (struct sv){ text.p, end };
}

/* The expression's text in the optimised plan; "-" where the filter is gone. */
static struct sv optimised(struct fixture *f, struct sv e)
{
    bool where = e.len > 6 && memcmp(e.p, "WHERE ", 6) == 0;
    const char *sql = where ? "EXPLAIN EXTENDED SELECT i FROM t %.*s"
                            : "EXPLAIN EXTENDED SELECT %.*s AS x FROM t";
    char buffer[2048];
    struct sv text, plan, list;

    snprintf(buffer, sizeof buffer, sql, SV_FMT(e));
    text = without_ids(&f->arena, run(f, buffer));
    plan = between(text, SV("== Optimized Logical Plan ==\n"), SV("\n== Physical"));
    if (!plan.p)
        return text;
    if (where) {
        list = between(plan, SV("Filter "), SV("\n"));
        return list.p ? list : SV("-");
    }
    list = between(plan, SV("["), SV(" AS x]\n"));
    return list.p ? list : between(plan, SV("["), SV("]\n"));
}

static void expressions_become_what_spark_makes_of_them(void **state)
{
    struct fixture *f = *state;
    FILE *cases = fopen(CASES, "re");
    char line[4096];
    unsigned n = 0, bad = 0;

    assert_non_null(cases);
    while (fgets(line, sizeof line, cases)) {
        char *tab = strchr(line, '\t');
        struct sv got, want;

        line[strcspn(line, "\n")] = 0;
        if (strncmp(line, "CREATE ", 7) == 0) {
            got = run(f, line);
            if (got.len)
                fail_msg("%.*s", SV_FMT(got));
        }
        if (!tab || line[0] == '#')
            continue;
        want = sv(tab + 1);
        got = optimised(f, (struct sv){ line, (size_t)(tab - line) });
        n++;
        if (sv_eq(got, want))
            continue;
        bad++;
        print_error("%.*s\n    is    %.*s\n    wants %.*s\n", (int)(tab - line), line,
                    SV_FMT(got), SV_FMT(want));
    }
    fclose(cases);
    assert_true(n > 400);
    if (bad)
        fail_msg("%u of %u expressions differ", bad, n);
}

static void rules_can_be_left_out(void **state)
{
    struct fixture *f = *state;

    (void)run(f, "SET spark.sql.optimizer.excludedRules="
                 "org.apache.spark.sql.catalyst.optimizer.ConstantFolding");
    assert_true(
        sv_is(optimised(f, SV("d + 1.5D * 2")), "(d + (1.5 * cast(2 as double)))"));
    (void)run(f, "SET spark.sql.optimizer.excludedRules="
                 "org.apache.spark.sql.catalyst.optimizer.ReplaceExpressions");
    assert_true(sv_is(optimised(f, SV("nvl(i, 3)")), "coalesce(i, 3)")); /* needed */
    (void)run(f, "RESET spark.sql.optimizer.excludedRules");
    assert_true(sv_is(optimised(f, SV("d + 1.5D * 2")), "(d + 3.0)"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_become_what_spark_makes_of_them),
        cmocka_unit_test(rules_can_be_left_out),
    };

    return cmocka_run_group_tests(tests, open_session, close_session);
}
