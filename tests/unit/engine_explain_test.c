/* Plans, held against real Spark's: tests/data/engine/explained.* says how they are made.
 */
#include "base/map.h"
#include "engine/run/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define STATEMENTS "tests/data/engine/explained.sql"
#define PLANS "tests/data/engine/explained.txt"

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

    f = (struct fixture){ .dir = "/tmp/engine_explain_XXXXXX" };
    assert_non_null(mkdtemp(f.dir));
    s = settings_new(&f.arena);
    put(s, "spark.sql.warehouse.dir", f.dir);
    put(s, "spark.sql.session.timeZone", "UTC");
    put(s, "spark.sql.shuffle.partitions", "4");
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

/* The only value of the result, or the error's text; empty: no rows. */
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

/* `sign` and a number become `sign` and which of its numbers it is, from 1. */
static struct sv renumber(struct arena *a, struct sv text, struct sv sign)
{
    struct map seen = { 0 };
    struct strbuf out = { 0 };
    struct sv done;

    strbuf_addz(&out, "");
    for (;;) {
        size_t at = sv_find(text, sign), end;

        if (at == SIZE_MAX)
            break;
        for (end = at + sign.len;
             end < text.len && text.p[end] >= '0' && text.p[end] <= '9';)
            end++;
        strbuf_add(&out, (struct sv){ text.p, at + sign.len });
        if (end > at + sign.len) {
            int64_t number = strtoll(text.p + at + sign.len, NULL, 10);

            if (map_get(&seen, number) == MAP_NONE)
                map_put(&seen, number, seen.n + 1);
            strbuf_printf(&out, "%u", map_get(&seen, number));
            end += end < text.len && text.p[end] == 'L';
        }
        text = sv_from(text, end);
    }
    strbuf_add(&out, text);
    done = arena_sv(a, strbuf_sv(&out));
    strbuf_release(&out);
    map_release(&seen);
    return done;
}

static struct sv replace(struct arena *a, struct sv text, struct sv from, struct sv to)
{
    struct strbuf out = { 0 };
    struct sv done;
    size_t at;

    strbuf_addz(&out, "");
    while ((at = sv_find(text, from)) != SIZE_MAX) {
        strbuf_add(&out, (struct sv){ text.p, at });
        strbuf_add(&out, to);
        text = sv_from(text, at + from.len);
    }
    strbuf_add(&out, text);
    done = arena_sv(a, strbuf_sv(&out));
    strbuf_release(&out);
    return done;
}

/* The optimised and the physical plan, as they stand in the file. */
static struct sv explained(struct fixture *f, const char *sql)
{
    struct arena *a = &f->arena;
    struct sv text = run(f, arena_printf(a, "EXPLAIN EXTENDED %s", sql));
    size_t from = sv_find(text, SV("== Optimized"));

    if (from == SIZE_MAX)
        return text;
    text = renumber(a, sv_from(text, from), SV("#"));
    text = renumber(a, text, SV("plan_id="));
    text = replace(a, text, SV("\n\n"), SV("\n"));
    while (text.len && text.p[text.len - 1] == '\n')
        text.len--;
    return replace(a, text, sv(arena_printf(a, "file:%s", f->dir)), SV("file:${DIR}"));
}

static void set_up(struct fixture *f)
{
    FILE *in = fopen(STATEMENTS, "re");
    char line[4096];

    assert_non_null(in);
    while (fgets(line, sizeof line, in) && strcmp(line, "--\n") != 0) {
        struct sv said = run(f, line);

        if (said.len)
            fail_msg("%s%.*s", line, SV_FMT(said));
    }
    fclose(in);
}

/* The next paragraph of the file: statement, and plans without the last line feed. */
static bool next_case(FILE *in, struct arena *a, const char **sql, struct sv *plans)
{
    struct strbuf text = { 0 };
    char line[8192];

    if (!fgets(line, sizeof line, in))
        return false;
    assert_memory_equal(line, "> ", 2);
    line[strcspn(line, "\n")] = 0;
    *sql = arena_printf(a, "%s", line + 2);
    while (fgets(line, sizeof line, in) && line[0] != '\n')
        strbuf_addz(&text, line);
    *plans =
        text.len ? arena_sv(a, (struct sv){ text.p, text.len - 1 }) : (struct sv){ 0 };
    strbuf_release(&text);
    return true;
}

static void plans_are_sparks(void **state)
{
    struct fixture *f = *state;
    FILE *in = fopen(PLANS, "re");
    const char *sql;
    struct sv want;
    unsigned n = 0, bad = 0;

    assert_non_null(in);
    set_up(f);
    while (next_case(in, &f->arena, &sql, &want)) {
        struct sv got;

        if (strncmp(sql, "SET ", 4) == 0) {
            (void)run(f, sql);
            continue;
        }
        got = explained(f, sql);
        n++;
        if (sv_eq(got, want))
            continue;
        bad++;
        fprintf(stderr, "> %s\nis\n%.*s\nwants\n%.*s\n\n", sql, SV_FMT(got),
                SV_FMT(want));
    }
    fclose(in);
    assert_true(n > 70);
    if (bad)
        fail_msg("%u of %u plans differ", bad, n);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(plans_are_sparks),
    };

    return cmocka_run_group_tests(tests, open_session, close_session);
}
