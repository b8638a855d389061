/* Aggregates over 200 rows, some of them and none, held against real Spark's answers: the
 * cases and how they are made are in engine_agg_cases.*. */
#include "engine/run/session.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define CASES "tests/unit/engine_agg_cases.txt"

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

    f = (struct fixture){ .dir = "/tmp/engine_agg_XXXXXX" };
    assert_non_null(mkdtemp(f.dir));
    s = settings_new(&f.arena);
    put(s, "spark.sql.warehouse.dir", f.dir);
    put(s, "spark.sql.session.timeZone", "UTC");
    put(s, "spark.eventLog.enabled", "false");
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
    return v.null ? SV("NULL") : arena_sv(&f->arena, v.u.s);
}

/* The view with the columns that the first lines are about. In partitions, so that
 * partial results meet; first, last and percentile_approx go by the order of rows. */
static void make_view(struct fixture *f, const char *name, struct sv columns, int parts)
{
    char sql[4096];
    struct sv got;

    snprintf(sql, sizeof sql,
             "CREATE TEMPORARY VIEW %s AS SELECT id%.*s FROM range(0, 200, 1, %d)", name,
             SV_FMT(columns), parts);
    got = run(f, sql);
    if (got.len)
        fail_msg("%.*s", SV_FMT(got));
}

/* Doubles of several partitions are added up in another order than Spark's. */
static bool same_answer(struct sv got, const char *want, bool exactly)
{
    static const char type[] = "double ";
    size_t n = sizeof type - 1;
    double x, y;

    if (sv_is(got, want))
        return true;
    if (exactly || got.len <= n || strncmp(got.p, type, n) != 0 ||
        strncmp(want, type, n) != 0 || got.p[n] == 'N' || want[n] == 'N')
        return false;
    char text[64] = { 0 };
    snprintf(text, sizeof text, "%.*s", (int)(got.len - n), got.p + n);
    x = strtod(text, NULL);
    y = strtod(want + n, NULL);
    return fabs(x - y) <= 1e-12 * fmax(1.0, fmax(fabs(x), fabs(y)));
}

static unsigned check(struct fixture *f, const char *e, const char *type, char **want)
{
    static const char *const where[] = { "true", "id % 4 = 1", "id < 0" };
    unsigned bad = 0;

    for (int parts = 1; parts <= 3; parts += 2)
        for (int i = 0; i < 3; i++) {
            char sql[1024];
            struct sv got;

            snprintf(sql, sizeof sql,
                     "SELECT concat(typeof(x), ' ', coalesce(cast(x AS string), 'NULL'))"
                     " FROM (SELECT %.500s AS x FROM t%d WHERE %s)",
                     e, parts, where[i]);
            got = run(f, sql);
            snprintf(sql, sizeof sql, "%.100s %.800s", type, want[i]);
            if (same_answer(got, sql, parts == 1 && strncmp(e, "regr_", 5) != 0))
                continue;
            bad++;
            print_error("%s of %d partitions where %s\n    is    %.*s\n    wants %s\n", e,
                        parts, where[i], SV_FMT(got), sql);
        }
    return bad;
}

static void aggregates_answer_as_spark(void **state)
{
    struct fixture *f = *state;
    struct strbuf columns = { 0 };
    FILE *cases = fopen(CASES, "re");
    char line[4096];
    unsigned n = 0, bad = 0;

    assert_non_null(cases);
    while (fgets(line, sizeof line, cases)) {
        char *field[5];
        uint32_t k = 0;

        line[strcspn(line, "\n")] = 0;
        if (strncmp(line, "column ", 7) == 0) {
            char *expression = strchr(line + 7, ' ');

            strbuf_printf(&columns, ", %s AS %.*s", expression,
                          (int)(expression - line - 7), line + 7);
            continue;
        }
        if (n++ == 0) {
            make_view(f, "t1", strbuf_sv(&columns), 1);
            make_view(f, "t3", strbuf_sv(&columns), 3);
        }
        for (char *at = line; at && k < 5; k++) {
            field[k] = at;
            at = strchr(at, '\t');
            if (at)
                *at++ = 0;
        }
        assert_int_equal(k, 5);
        bad += check(f, field[0], field[1], field + 2);
    }
    fclose(cases);
    strbuf_release(&columns);
    assert_true(n > 100);
    if (bad)
        fail_msg("%u answers differ", bad);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(aggregates_answer_as_spark),
    };

    return cmocka_run_group_tests(tests, open_session, close_session);
}
