/* Random numbers, casts by name, and what tells about the session.
 *
 * rand and randn are Spark's XORShiftRandom, so that rand(seed) yields the same numbers
 * row by row: the seed plus the partition's number is scrambled by Murmur3, then 64 bits
 * are shifted about. */
#include "engine/expr/func_list.h"
#include "engine/expr/text.h"
#include "engine/run/settings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* ---- random numbers ---- */

static uint32_t rotl32(uint32_t x, int r)
{
    return x << r | x >> (32 - r);
}

/* Scala's MurmurHash3 of 8 bytes. */
static uint32_t scramble(uint64_t seed, uint32_t h)
{
    for (int i = 0; i < 2; i++) { /* big-endian bytes, little-endian words */
        uint32_t k = __builtin_bswap32((uint32_t)(i ? seed : seed >> 32));

        k *= 0xcc9e2d51u;
        k = rotl32(k, 15) * 0x1b873593u;
        h = rotl32(h ^ k, 13) * 5 + 0xe6546b64u;
    }
    h ^= 8;
    h = (h ^ h >> 16) * 0x85ebca6bu;
    h = (h ^ h >> 13) * 0xc2b2ae35u;
    return h ^ h >> 16;
}

struct random {
    bool started, has_next;
    uint64_t seed;
    double next; /* the second of a pair of normal numbers */
};

static void random_start(struct random *r, int64_t seed)
{
    uint32_t low = scramble((uint64_t)seed, 0x3c074a61u);
    uint32_t high = scramble((uint64_t)seed, low);

    r->seed = (uint64_t)high << 32 | low;
    r->started = true;
}

static uint64_t random_bits(struct random *r, int bits)
{
    r->seed ^= r->seed << 21;
    r->seed ^= r->seed >> 35;
    r->seed ^= r->seed << 4;
    return r->seed & ((UINT64_C(1) << bits) - 1);
}

static double random_double(struct random *r)
{
    uint64_t high = random_bits(r, 26) << 27;

    return (double)(high + random_bits(r, 27)) * 0x1.0p-53;
}

static double random_normal(struct random *r)
{
    double x, y, s;

    if (r->has_next) {
        r->has_next = false;
        return r->next;
    }
    do {
        x = 2 * random_double(r) - 1;
        y = 2 * random_double(r) - 1;
        s = x * x + y * y;
    } while (s >= 1 || s == 0);
    double scale = sqrt(-2 * log(s) / s);
    r->next = y * scale;
    r->has_next = true;
    return x * scale;
}

/* Without a seed one is drawn now and stays in the plan. */
static enum errc bind_rand(struct func_bind *b, struct err *err)
{
    b->type = type_of(TYPE_DOUBLE);
    if (b->n_args == 0) {
        struct timespec now;

        clock_gettime(CLOCK_REALTIME, &now);
        uint64_t seed = (uint64_t)now.tv_nsec * UINT64_C(0x9e3779b97f4a7c15) +
                        (uint64_t)now.tv_sec + (uint64_t)(uintptr_t)b->args;
        b->args = arena_array(b->arena, 1, sizeof *b->args);
        b->want = arena_array(b->arena, 1, sizeof *b->want);
        b->args[0] = expr_literal(b->arena, value_long((int64_t)seed));
        b->args[0]->implicit = true;
        b->want[0] = b->args[0]->type;
        b->n_args = 1;
        return ERR_OK;
    }
    struct type t = b->args[0]->type;
    if (!expr_foldable(b->args[0]))
        return err_set(err, ERR_SYNTAX,
                       "[SEED_EXPRESSION_IS_UNFOLDABLE] The seed expression of the "
                       "expression \"%s\" must be foldable.",
                       b->func->name);
    if (t.id == TYPE_NULL)
        b->want[0] = type_of(TYPE_LONG);
    else if (t.id != TYPE_INT && t.id != TYPE_LONG)
        return func_refuse(b, 0, "(\"INT\" or \"BIGINT\")", err);
    return ERR_OK;
}

static enum errc draw(struct eval_call *c, double (*next)(struct random *r))
{
    struct random *r = c->state;
    const struct vec *v = eval_flat(c, 0);
    double *to = c->out->data;

    EACH_ROW(c, row)
    {
        if (!r->started)
            random_start(r, (vec_is_null(v, row) ? 0 : int_at(v, row)) +
                                c->env->partition_id);
        to[row] = next(r);
    }
    return ERR_OK;
}

static enum errc run_rand(struct eval_call *c, struct err *err)
{
    (void)err;
    return draw(c, random_double);
}

static enum errc run_randn(struct eval_call *c, struct err *err)
{
    (void)err;
    return draw(c, random_normal);
}

static enum errc bind_text(struct func_bind *b, struct err *err)
{
    (void)err;
    b->type = type_of(TYPE_STRING);
    return ERR_OK;
}

/* Version 4: random but for six bits. */
static enum errc run_uuid(struct eval_call *c, struct err *err)
{
    struct random *r = c->state;
    struct timespec now;

    (void)err;
    if (!r->started) {
        clock_gettime(CLOCK_REALTIME, &now);
        random_start(r, now.tv_sec * 1000000007 + now.tv_nsec + (int64_t)(intptr_t)r +
                            c->env->partition_id);
    }
    EACH_ROW(c, row)
    {
        uint64_t a = random_bits(r, 32) << 32 | random_bits(r, 32);
        uint64_t b = random_bits(r, 32) << 32 | random_bits(r, 32);
        char *text = text_room(c, 40);

        snprintf(text, 40, "%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32),
                 (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff),
                 (unsigned)(b >> 48 & 0x3fff) | 0x8000u,
                 (unsigned long long)(b & UINT64_C(0xffffffffffff)));
        text_put(c, row, (struct sv){ text, 36 });
    }
    return ERR_OK;
}

/* ---- rows and partitions ---- */

static enum errc bind_long(struct func_bind *b, struct err *err)
{
    (void)err;
    b->type = type_of(TYPE_LONG);
    return ERR_OK;
}

static enum errc bind_int(struct func_bind *b, struct err *err)
{
    (void)err;
    b->type = type_of(TYPE_INT);
    return ERR_OK;
}

static enum errc run_row_id(struct eval_call *c, struct err *err)
{
    int64_t *next = c->state;

    (void)err;
    EACH_ROW(c, row)
    ((int64_t *)c->out->data)[row] = ((int64_t)c->env->partition_id << 33) + (*next)++;
    return ERR_OK;
}

static enum errc run_partition_id(struct eval_call *c, struct err *err)
{
    (void)err;
    EACH_ROW(c, row)
    ((int32_t *)c->out->data)[row] = c->env->partition_id;
    return ERR_OK;
}

/* ---- constants of the session ---- */

#define TEXT(name, X)                                                                    \
    static enum errc run_##name(struct eval_call *c, struct err *err)                    \
    {                                                                                    \
        struct sv text = (X);                                                            \
                                                                                         \
        (void)err;                                                                       \
        EACH_ROW(c, row)                                                                 \
        text_copy(c, row, text);                                                         \
        return ERR_OK;                                                                   \
    }

static struct sv user_name(void)
{
    const char *name = getenv("USER");

    return name && *name ? sv(name) : SV("root");
}

TEXT(file_name, SV(""))
TEXT(version, SV("3.5.9"))
TEXT(user, user_name())
TEXT(database, SV("default"))
TEXT(catalog, SV("spark_catalog"))

static enum errc run_typeof(struct eval_call *c, struct err *err)
{
    struct strbuf name = { 0 };

    (void)err;
    type_print(&name, c->expr->args[0]->type);
    EACH_ROW(c, row)
    text_copy(c, row, strbuf_sv(&name));
    strbuf_release(&name);
    return ERR_OK;
}

/* ---- errors on purpose ---- */

static enum errc bind_assert(struct func_bind *b, struct err *err)
{
    TRY(func_bind_sig(b, "bs:1", err));
    if (b->n_args == 1) {
        struct strbuf text = { 0 };
        struct expr **args = arena_array(b->arena, 2, sizeof *args);

        strbuf_addc(&text, '\'');
        expr_print(&text, b->args[0], PRINT_NAME);
        strbuf_addz(&text, "' is not true!");
        args[0] = b->args[0];
        args[1] =
            expr_literal(b->arena, value_string(arena_sv(b->arena, strbuf_sv(&text))));
        strbuf_release(&text);
        struct type want = b->want[0];
        b->want = arena_array(b->arena, 2, sizeof *b->want);
        b->want[0] = want;
        b->want[1] = args[1]->type;
        b->args = args;
        b->n_args = 2;
    }
    b->type = type_of(TYPE_NULL);
    return ERR_OK;
}

static enum errc raised(struct sv text, struct err *err)
{
    return err_set(err, ERR_SYNTAX, "[USER_RAISED_EXCEPTION] %.*s", SV_FMT(text));
}

static enum errc run_assert(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0), *m = eval_flat(c, 1);

    EACH_ROW(c, row)
    {
        if (vec_is_null(v, row) || !ARG_AT(uint8_t, v, row))
            return raised(vec_is_null(m, row) ? SV("null") : arg_sv(m, row), err);
        c->out->valid[row] = 0;
    }
    return ERR_OK;
}

static enum errc bind_raise(struct func_bind *b, struct err *err)
{
    TRY(func_bind_sig(b, "s:1", err));
    b->type = type_of(TYPE_NULL);
    return ERR_OK;
}

static enum errc run_raise(struct eval_call *c, struct err *err)
{
    const struct vec *m = eval_flat(c, 0);

    EACH_ROW(c, row)
    return raised(vec_is_null(m, row) ? SV("null") : arg_sv(m, row), err);
    return ERR_OK;
}

/* ---- casts by name, equal_null ---- */

static enum errc bind_cast(struct func_bind *b, struct err *err)
{
    struct type to;

    TRY(type_parse(sv(b->func->name), &to, err));
    if (!type_eq(b->args[0]->type, to) && !cast_possible(b->args[0]->type, to))
        return func_refuse(b, 0, "castable", err);
    b->done = expr_cast(b->arena, b->args[0], to);
    b->done->implicit = true; /* names say nothing of it, as Spark's */
    return ERR_OK;
}

static enum errc bind_equal_null(struct func_bind *b, struct err *err)
{
    struct type t;

    if (!func_compare_type(b->settings, b->args[0], b->args[1], &t))
        return func_refuse_pair(b, err);
    b->type = type_of(TYPE_BOOLEAN);
    return ERR_OK;
}

static struct expr *replace_equal_null(struct arena *a, const struct settings *s,
                                       const struct expr *e)
{
    struct expr *out = NULL;
    struct err err;

    if (func_call(a, s, func_of(FUNC_EQ_NULL_SAFE), e->args, 2, &out, &err) != ERR_OK)
        die("equal_null was bound, but: %s", err.text);
    return out;
}

/* A seed that nobody wrote shows in plans only. */
static void print_random(struct strbuf *out, const struct expr *e, enum expr_print how)
{
    struct sv name = e->name.p ? e->name : sv(e->func->name);

    if (how != PRINT_PLAN && e->args[0]->implicit && e->args[0]->kind == EXPR_LITERAL)
        strbuf_printf(out, "%s()", e->func->name);
    else
        expr_print_call(out, name, e, how);
}

#define RANDOM(text, more, hook, fn, max, words)                                         \
    {                                                                                    \
        .name = text, .aliases = more, .id = FUNC_RAND, .max_args = max,                 \
        .flags = FUNC_NOT_NULL | FUNC_NONDETERMINISTIC, .bind = hook, .run = run_##fn,   \
        .state_bytes = sizeof(struct random), .print = print_random, .usage = words      \
    }
#define SESSION(text, more, fn, words)                                                   \
    {                                                                                    \
        .name = text, .aliases = more, .flags = FUNC_NOT_NULL, .bind = bind_text,        \
        .run = run_##fn, .usage = words                                                  \
    }
#define CAST(text)                                                                       \
    {                                                                                    \
        .name = text, .min_args = 1, .max_args = 1, .bind = bind_cast,                   \
        .usage = text "(expr) - Casts to " text "."                                      \
    }

const struct func misc_funcs[] = {
    RANDOM("rand", "random", bind_rand, rand, 1,
           "rand([seed]) - A random number from 0 to 1, 1 left out."),
    { .name = "randn",
      .max_args = 1,
      .flags = FUNC_NOT_NULL | FUNC_NONDETERMINISTIC,
      .bind = bind_rand,
      .run = run_randn,
      .print = print_random,
      .state_bytes = sizeof(struct random),
      .usage = "randn([seed]) - A random number of the normal distribution." },
    { .name = "uuid",
      .flags = FUNC_NOT_NULL | FUNC_NONDETERMINISTIC,
      .bind = bind_text,
      .run = run_uuid,
      .state_bytes = sizeof(struct random),
      .usage = "uuid() - A random UUID." },
    { .name = "monotonically_increasing_id",
      .flags = FUNC_NOT_NULL | FUNC_NONDETERMINISTIC,
      .bind = bind_long,
      .run = run_row_id,
      .state_bytes = sizeof(int64_t),
      .usage = "monotonically_increasing_id() - Growing, unique, not dense." },
    { .name = "spark_partition_id",
      .flags = FUNC_CAPITALS | FUNC_NOT_NULL | FUNC_NONDETERMINISTIC,
      .bind = bind_int,
      .run = run_partition_id,
      .usage = "spark_partition_id() - The number of the row's partition." },
    { .name = "input_file_name",
      .flags = FUNC_NOT_NULL | FUNC_NONDETERMINISTIC,
      .bind = bind_text,
      .run = run_file_name,
      .usage = "input_file_name() - Not known here: empty." },
    SESSION("version", NULL, version, "version() - The Spark whose behaviour this is."),
    SESSION("current_user", "user", user, "current_user() - Who runs this."),
    SESSION("current_database", "current_schema", database,
            "current_database() - default."),
    SESSION("current_catalog", NULL, catalog, "current_catalog() - spark_catalog."),
    { .name = "typeof",
      .min_args = 1,
      .max_args = 1,
      .flags = FUNC_NOT_NULL,
      .bind = bind_text,
      .run = run_typeof,
      .usage = "typeof(expr) - Its type's name." },
    { .name = "assert_true",
      .min_args = 1,
      .max_args = 2,
      .flags = FUNC_MAYBE_NULL | FUNC_NONDETERMINISTIC,
      .bind = bind_assert,
      .run = run_assert,
      .usage = "assert_true(expr[, message]) - An error where it is not true." },
    { .name = "raise_error",
      .min_args = 1,
      .max_args = 1,
      .flags = FUNC_MAYBE_NULL | FUNC_NONDETERMINISTIC,
      .bind = bind_raise,
      .run = run_raise,
      .usage = "raise_error(message) - An error." },
    { .name = "equal_null",
      .min_args = 2,
      .max_args = 2,
      .flags = FUNC_NOT_NULL,
      .bind = bind_equal_null,
      .replace = replace_equal_null,
      .usage = "equal_null(expr1, expr2) - As =, but NULL equals NULL." },
    CAST("boolean"),
    CAST("tinyint"),
    CAST("smallint"),
    CAST("int"),
    CAST("bigint"),
    CAST("float"),
    CAST("double"),
    CAST("decimal"),
    CAST("date"),
    CAST("timestamp"),
    CAST("string"),
    CAST("binary"),
    { 0 },
};
