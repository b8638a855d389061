/* Functions and operators against what Spark 3.5.9 answers (engine_expr_cases.txt), each
 * as a constant and over columns: flat, with NULL rows, selected, by dictionary. */
#include "engine_expr.h"

#include "engine/expr/text.h"

static struct test_case *cases;
static uint32_t n_cases;
static struct arena text_arena;

static void answer(struct arena *a, const struct test_case *c, struct strbuf *type,
                   struct strbuf *value)
{
    struct err err = { 0 };
    struct expr *e;
    struct value x;
    struct eval_env env = { .zone = &zone_utc };

    if (test_expr(a, NULL, c->text, &e, &err) == ERR_OK) {
        type_print(type, e->type);
        if (eval_constant(a, e, &env, &x, &err) == ERR_OK) {
            test_print(value, &x);
            return;
        }
    }
    strbuf_reset(type);
    const char *from = strchr(err.text, '['), *to = from ? strchr(from, ']') : NULL;
    if (to)
        strbuf_printf(value, "ERROR %.*s", (int)(to - from - 1), from + 1);
    else
        strbuf_printf(value, "ERROR %s", err.text);
}

/* Spark's classes of errors are told apart up to the first point only. */
static bool same_value(const char *ours, const char *spark)
{
    if (strncmp(spark, "ERROR ", 6) != 0)
        return strcmp(ours, spark) == 0;
    return strncmp(ours, "ERROR ", 6) == 0;
}

static void constants_are_what_spark_says(void **state)
{
    uint32_t bad = 0;

    (void)state;
    for (uint32_t i = 0; i < n_cases; i++) {
        struct arena a = { 0 };
        struct strbuf type = { 0 }, value = { 0 };

        answer(&a, &cases[i], &type, &value);
        const char *t = type.p ? type.p : "", *v = value.p ? value.p : "";
        bool error = strncmp(cases[i].value, "ERROR ", 6) == 0;
        if (!same_value(v, cases[i].value) || (!error && strcmp(t, cases[i].type))) {
            print_error("%s\n    is    %s %s\n    Spark %s %s\n", cases[i].text, t, v,
                        cases[i].type, cases[i].value);
            bad++;
        }
        strbuf_release(&type);
        strbuf_release(&value);
        arena_release(&a);
    }
    if (bad)
        fail_msg("%u of %u cases differ", bad, n_cases);
}

/* ---- the same over columns ---- */

enum { ROWS = 100 };

struct columns {
    struct arena *arena;
    struct vec vecs[64];
    uint32_t n;
    const struct expr *holder; /* its literal arguments stay */
    bool dictionaries;
};

/* Every third row is NULL where nulls is set; text may come by dictionary. */
static struct vec column_of(struct columns *c, const struct value *x)
{
    struct vec v = vec_flat(c->arena, x->type, ROWS, true);
    struct value null = value_null(x->type);

    for (uint32_t row = 0; row < ROWS; row++)
        value_store(&v, row, row % 3 == 2 ? &null : x);
    if (!c->dictionaries || !type_is_text(x->type))
        return v;
    struct vec *dict = ARENA_NEW(c->arena, struct vec);
    uint32_t *codes = arena_array(c->arena, ROWS, sizeof *codes);
    *dict = v;
    dict->n_values = 3;
    dict->serial = vec_new_serial();
    for (uint32_t row = 0; row < ROWS; row++)
        codes[row] = row % 3;
    return (
        struct vec){ .type = x->type, .kind = VEC_DICT, .codes = codes, .dict = dict };
}

/* The first argument of each call, if it is a literal, becomes a column: later ones often
 * have to be literals (patterns, scales). */
static struct expr *to_columns(void *ctx, struct expr *e)
{
    struct columns *c = ctx;

    if (e->kind != EXPR_CALL || !e->n_args || e->args[0]->kind != EXPR_LITERAL ||
        e->args[0]->value.null || c->n == 64)
        return e;
    struct expr *bound = expr_new(c->arena, EXPR_BOUND, 0);
    bound->type = e->args[0]->type;
    bound->nullable = bound->resolved = true;
    bound->index = c->n;
    c->vecs[c->n++] = column_of(c, &e->args[0]->value);
    e = expr_copy(c->arena, e);
    e->args[0] = bound;
    return e;
}

static bool skips(const char *text)
{
    /* a literal first argument that Spark wants to be one; random streams */
    static const char *const words[] = { "rand",         "date_trunc",    "uuid",
                                         "extract",      "date_part",     "datepart",
                                         "timestampadd", "timestampdiff", "monotonically",
                                         "dateadd",      "datediff(year", "assert_true" };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strstr(text, words[i]))
            return true;
    return false;
}

static void rows_agree(const struct test_case *c, bool dictionaries, bool selected)
{
    struct arena a = { 0 };
    struct err err = { 0 };
    struct columns columns = { .arena = &a, .dictionaries = dictionaries };
    struct eval_env env = { .zone = &zone_utc };
    uint32_t sel[ROWS], n_sel = 0;
    struct expr *e;
    struct vec v;

    if (test_expr(&a, NULL, c->text, &e, &err) != ERR_OK)
        goto done;
    e = expr_transform_up(&a, e, to_columns, &columns);
    for (uint32_t row = 0; row < ROWS; row++)
        if (row % 7 < 4)
            sel[n_sel++] = row;
    struct batch b = { .n_rows = ROWS,
                       .n_sel = selected ? n_sel : ROWS,
                       .sel = selected ? sel : NULL,
                       .columns = columns.vecs,
                       .n_columns = columns.n };
    struct eval *eval = eval_new(&a, e, &env);
    for (int turn = 0; turn < 2; turn++) { /* the second finds used buffers */
        if (eval_run(eval, &b, &v, &err) != ERR_OK) {
            eval_release(eval);
            fail_msg("%s: %s", c->text, err.text);
        }
        for (uint32_t i = 0; i < b.n_sel; i++) {
            uint32_t row = batch_row(&b, i);
            struct strbuf text = { 0 };
            struct value x = value_at(&v, row);

            x.type = e->type;
            test_print(&text, &x);
            if (row % 3 != 2 && strcmp(text.p ? text.p : "", c->value) != 0)
                fail_msg("%s, row %u: %s, Spark %s", c->text, row, text.p, c->value);
            strbuf_release(&text);
        }
    }
    eval_release(eval);
done:
    arena_release(&a);
}

static void columns_agree_with_constants(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < n_cases; i++) {
        if (strncmp(cases[i].value, "ERROR ", 6) == 0 || skips(cases[i].text))
            continue;
        for (int how = 0; how < 4; how++)
            rows_agree(&cases[i], how & 1, how & 2);
    }
}

static int read_cases(void **state)
{
    (void)state;
    cases = test_cases(&text_arena, "tests/unit/engine_expr_cases.txt", &n_cases);
    return n_cases ? 0 : -1;
}

static int drop_cases(void **state)
{
    (void)state;
    arena_release(&text_arena);
    return 0;
}

/* The text ends where its memory does: nothing behind it is read. */
static void text_is_found_where_it_is(void **state)
{
    uint32_t seed = 11;

    (void)state;
    for (int turn = 0; turn < 20000; turn++) {
        char needle[12];
        size_t len = (seed = seed * 1664525 + 1013904223) >> 8 & 127;
        size_t n = 1 + (seed >> 16 & 7), from = (seed >> 20) % (len + 1);
        char *text = malloc(len ? len : 1);

        assert_non_null(text);
        for (size_t i = 0; i < len; i++)
            text[i] = (char)('a' + ((seed = seed * 1664525 + 1013904223) >> 13) % 3);
        for (size_t i = 0; i < n; i++)
            needle[i] = (char)('a' + ((seed = seed * 1664525 + 1013904223) >> 13) % 3);
        const char *at = memmem(text + from, len - from, needle, n);
        size_t want = at ? (size_t)(at - text) : SIZE_MAX;
        size_t got = text_find((struct sv){ text, len }, (struct sv){ needle, n }, from);
        free(text);
        if (got != want)
            fail_msg("turn %d: found at %zu, is at %zu", turn, got, want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constants_are_what_spark_says),
        cmocka_unit_test(columns_agree_with_constants),
        cmocka_unit_test(text_is_found_where_it_is),
    };

    return cmocka_run_group_tests(tests, read_cases, drop_cases);
}
