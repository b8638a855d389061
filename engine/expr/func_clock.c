/* Timestamps: now, as numbers, as text by patterns, in other zones. */
#include "engine/expr/datetime.h"
#include "engine/expr/func_list.h"
#include "engine/expr/text.h"
#include "engine/run/settings.h"

#include <math.h>

/* ---- now ---- */

static enum errc bind_date(struct func_bind *b, struct err *err)
{
    (void)err;
    b->type = type_of(TYPE_DATE);
    return ERR_OK;
}

static enum errc bind_timestamp(struct func_bind *b, struct err *err)
{
    (void)err;
    b->type = type_of(TYPE_TIMESTAMP);
    return ERR_OK;
}

static enum errc bind_ntz(struct func_bind *b, struct err *err)
{
    (void)err;
    b->type = type_of(TYPE_TIMESTAMP_NTZ);
    return ERR_OK;
}

static enum errc bind_text(struct func_bind *b, struct err *err)
{
    (void)err;
    b->type = type_of(TYPE_STRING);
    return ERR_OK;
}

static enum errc run_current_date(struct eval_call *c, struct err *err)
{
    int64_t local = zone_to_local_us(c->env->zone, c->env->query_start_us);

    (void)err;
    EACH_ROW(c, row)
    ((int32_t *)c->out->data)[row] = (int32_t)floor_div(local, DAY_US);
    return ERR_OK;
}

static enum errc run_now(struct eval_call *c, struct err *err)
{
    int64_t us = c->env->query_start_us;

    (void)err;
    if (c->out->type.id == TYPE_TIMESTAMP_NTZ)
        us = zone_to_local_us(c->env->zone, us);
    EACH_ROW(c, row)
    ((int64_t *)c->out->data)[row] = us;
    return ERR_OK;
}

static struct sv zone_name(const struct eval_call *c)
{
    struct sv name = { 0 };

    if (c->env->settings)
        name = settings_text(c->env->settings, SET_TIME_ZONE);
    return name.len ? name : SV("UTC");
}

static enum errc run_timezone(struct eval_call *c, struct err *err)
{
    (void)err;
    EACH_ROW(c, row)
    text_put(c, row, zone_name(c));
    return ERR_OK;
}

/* ---- numbers ---- */

/* Seconds with a fraction; what lies beyond is NULL. */
static enum errc run_seconds(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0);
    int64_t *to = c->out->data;

    EACH_VALID_ROW(c, row)
    {
        bool ok = true;

        if (v->type.id == TYPE_DECIMAL) {
            i128 us;

            ok = decimal_round(decimal_at(v, row), v->type.scale, 6, ROUND_DOWN, &us);
            ok = ok && us >= INT64_MIN && us <= INT64_MAX;
            to[row] = ok ? (int64_t)us : 0;
        } else if (v->type.id == TYPE_FLOAT || v->type.id == TYPE_DOUBLE) {
            double us = value_at(v, row).u.f * 1e6;

            ok = us >= -9.2e18 && us <= 9.2e18;
            to[row] = ok ? (int64_t)us : 0;
        } else if (__builtin_mul_overflow(int_at(v, row), SECOND_US, &to[row])) {
            return err_set(err, ERR_SYNTAX, "long overflow");
        }
        if (!ok)
            c->out->valid[row] = 0;
    }
    return ERR_OK;
}

static enum errc bind_seconds(struct func_bind *b, struct err *err)
{
    TRY(func_bind_sig(b, "n:T", err));
    return ERR_OK;
}

static enum errc run_millis(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0);

    EACH_VALID_ROW(c, row)
    if (__builtin_mul_overflow(ARG_AT(int64_t, v, row), INT64_C(1000),
                               (int64_t *)c->out->data + row))
        return err_set(err, ERR_SYNTAX, "long overflow");
    return ERR_OK;
}

#define FROM_STAMP(name, X)                                                              \
    KERNEL1(name##_loop, int64_t, int64_t, X)                                            \
    static enum errc run_##name(struct eval_call *c, struct err *err)                    \
    {                                                                                    \
        (void)err;                                                                       \
        name##_loop(c->batch, eval_flat(c, 0), c->out);                                  \
        return ERR_OK;                                                                   \
    }

FROM_STAMP(micros, x)
FROM_STAMP(unix_seconds, floor_div(x, SECOND_US))
FROM_STAMP(unix_millis, floor_div(x, 1000))

KERNEL1(same_days, int32_t, int32_t, x)

static enum errc run_from_days(struct eval_call *c, struct err *err)
{
    (void)err;
    same_days(c->batch, eval_flat(c, 0), c->out);
    return ERR_OK;
}

/* ---- patterns ---- */

static void release_pattern(void *state)
{
    pattern_release(state);
}

static enum errc run_date_format(struct eval_call *c, struct err *err)
{
    const struct vec *t = eval_flat(c, 0), *f = eval_flat(c, 1);
    bool seconds = t->type.id == TYPE_LONG; /* from_unixtime */

    EACH_VALID_ROW(c, row)
    {
        int64_t us = ARG_AT(int64_t, t, row);
        struct strbuf text = { 0 };

        TRY(pattern_compile(c->state, arg_sv(f, row), err));
        if (seconds)
            us = (int64_t)((uint64_t)us * (uint64_t)SECOND_US);
        pattern_format(&text, c->state, us, c->env->zone, zone_name(c));
        text_copy(c, row, strbuf_sv(&text));
        strbuf_release(&text);
    }
    return ERR_OK;
}

static enum errc upgraded(struct sv text, struct err *err)
{
    return err_set(err, ERR_SYNTAX,
                   "[INCONSISTENT_BEHAVIOR_CROSS_VERSION.PARSE_DATETIME_BY_NEW_PARSER] "
                   "You may get a different result due to the upgrading to Spark >= 3.0: "
                   "Fail to parse '%.*s' in the new parser.",
                   SV_FMT(text));
}

/* Text by a pattern; *ok: it is one. */
static enum errc parse_text(struct eval_call *c, struct sv text, struct sv format,
                            int64_t *us, bool *ok, struct err *err)
{
    TRY(pattern_compile(c->state, format, err));
    switch (pattern_parse(c->state, text, c->env->zone, us)) {
    case PARSED:
        *ok = true;
        return ERR_OK;
    case NOT_PARSED:
        *ok = false;
        return ERR_OK;
    case PARSED_LOOSELY:
        break;
    }
    return upgraded(text, err);
}

static enum errc run_parse(struct eval_call *c, struct err *err)
{
    const struct vec *s = eval_flat(c, 0), *f = eval_flat(c, 1);
    bool date = c->out->type.id == TYPE_DATE, seconds = c->out->type.id == TYPE_LONG;

    EACH_VALID_ROW(c, row)
    {
        int64_t us = 0;
        bool ok = false;

        TRY(parse_text(c, arg_sv(s, row), arg_sv(f, row), &us, &ok, err));
        if (!ok)
            c->out->valid[row] = 0;
        else if (date)
            ((int32_t *)c->out->data)[row] =
                (int32_t)floor_div(zone_to_local_us(c->env->zone, us), DAY_US);
        else if (c->out->type.id == TYPE_TIMESTAMP_NTZ)
            ((int64_t *)c->out->data)[row] = zone_to_local_us(c->env->zone, us);
        else
            ((int64_t *)c->out->data)[row] = seconds ? floor_div(us, SECOND_US) : us;
    }
    return ERR_OK;
}

/* to_date(x) is a cast; with a pattern text is read by it, anything else cast too. */
static enum errc bind_parse(struct func_bind *b, struct type t, struct err *err)
{
    b->type = t;
    if (b->n_args == 1)
        return cast_possible(b->args[0]->type, t) ? ERR_OK
                                                  : func_refuse(b, 0, "\"STRING\"", err);
    if (b->args[0]->type.id == TYPE_STRING || b->args[0]->type.id == TYPE_NULL) {
        b->want[0] = b->want[1] = type_of(TYPE_STRING);
        return ERR_OK;
    }
    return coerce_implicit(b->args[0]->type, t) ? ERR_OK
                                                : func_refuse(b, 0, "\"STRING\"", err);
}

static enum errc bind_to_date(struct func_bind *b, struct err *err)
{
    return bind_parse(b, type_of(TYPE_DATE), err);
}

static enum errc bind_to_timestamp(struct func_bind *b, struct err *err)
{
    return bind_parse(b, type_of(TYPE_TIMESTAMP), err);
}

static enum errc bind_to_ntz(struct func_bind *b, struct err *err)
{
    return bind_parse(b, type_of(TYPE_TIMESTAMP_NTZ), err);
}

static const struct func parse_by_pattern = {
    .name = "gettimestamp",
    .plan_tail = "TimestampType, @, false",
    .min_args = 2,
    .max_args = 2,
    .flags = FUNC_NULL_INTOLERANT | FUNC_MAYBE_NULL,
    .run = run_parse,
    .state_bytes = sizeof(struct pattern),
    .release = release_pattern,
};

static struct expr *replace_parse(struct arena *a, const struct settings *s,
                                  const struct expr *e)
{
    (void)s;
    if (e->n_args == 1 || e->args[0]->type.id != TYPE_STRING)
        return type_eq(e->args[0]->type, e->type) ? e->args[0]
                                                  : expr_cast(a, e->args[0], e->type);
    return expr_call(a, &parse_by_pattern, e->type, 2, e->args[0], e->args[1]);
}

/* The pattern that is meant where none is said, so that it shows in the column's name. */
static void add_default_pattern(struct func_bind *b, uint32_t at)
{
    struct expr **args = arena_array(b->arena, at + 1, sizeof *args);
    struct type *want = arena_array(b->arena, at + 1, sizeof *want);

    if (b->n_args > at)
        return;
    for (uint32_t i = 0; i < b->n_args; i++) {
        args[i] = b->args[i];
        want[i] = b->want[i];
    }
    args[at] = expr_literal(b->arena, value_string(SV("yyyy-MM-dd HH:mm:ss")));
    want[at] = type_of(TYPE_STRING);
    b->args = args;
    b->want = want;
    b->n_args = at + 1;
}

static enum errc bind_from_unixtime(struct func_bind *b, struct err *err)
{
    add_default_pattern(b, 1);
    return func_bind_sig(b, "ls:s", err);
}

static enum errc bind_unix_timestamp(struct func_bind *b, struct err *err)
{
    b->type = type_of(TYPE_LONG);
    if (b->n_args == 0) {
        struct expr *now = NULL;

        TRY(func_call(b->arena, b->settings, func_find(SV("current_timestamp")), NULL, 0,
                      &now, err));
        b->args = arena_array(b->arena, 1, sizeof *b->args);
        b->want = arena_array(b->arena, 1, sizeof *b->want);
        b->args[0] = now;
        b->want[0] = now->type;
        b->n_args = 1;
    }
    struct type t = b->args[0]->type;
    add_default_pattern(b, 1);
    if (t.id == TYPE_DATE)
        b->want[0] = type_of(TYPE_TIMESTAMP);
    else if (t.id == TYPE_NULL)
        b->want[0] = type_of(TYPE_STRING);
    else if (t.id != TYPE_STRING && t.id != TYPE_TIMESTAMP && t.id != TYPE_TIMESTAMP_NTZ)
        return func_refuse(b, 0, "(\"STRING\" or \"DATE\" or \"TIMESTAMP\")", err);
    return ERR_OK;
}

static enum errc run_unix_timestamp(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0);

    if (v->type.id == TYPE_STRING)
        return run_parse(c, err);
    EACH_VALID_ROW(c, row)
    {
        int64_t us = ARG_AT(int64_t, v, row);

        if (v->type.id == TYPE_TIMESTAMP_NTZ)
            us = zone_to_utc_us(c->env->zone, us);
        ((int64_t *)c->out->data)[row] = floor_div(us, SECOND_US);
    }
    return ERR_OK;
}

/* ---- zones ---- */

/* The last zone opened, which is mostly the next one too. */
struct zones {
    struct arena memory;
    struct sv names[2];
    const struct zone *zones[2];
};

static void release_zones(void *state)
{
    arena_release(&((struct zones *)state)->memory);
}

static enum errc open_zone(struct zones *z, int which, struct sv name,
                           const struct zone **out, struct err *err)
{
    if (!z->names[which].p || !sv_eq(z->names[which], name)) {
        const struct zone *zone;

        TRY(zone_open(&z->memory, name, &zone, err));
        z->zones[which] = zone;
        z->names[which] = arena_sv(&z->memory, name);
    }
    *out = z->zones[which];
    return ERR_OK;
}

static enum errc shift_zone(struct eval_call *c, bool to_utc, struct err *err)
{
    const struct vec *t = eval_flat(c, 0), *n = eval_flat(c, 1);

    EACH_VALID_ROW(c, row)
    {
        int64_t us = ARG_AT(int64_t, t, row);
        const struct zone *zone;

        TRY(open_zone(c->state, 0, arg_sv(n, row), &zone, err));
        ((int64_t *)c->out->data)[row] =
            to_utc ? zone_to_utc_us(zone, us) : zone_to_local_us(zone, us);
    }
    return ERR_OK;
}

static enum errc run_to_utc(struct eval_call *c, struct err *err)
{
    return shift_zone(c, true, err);
}

static enum errc run_from_utc(struct eval_call *c, struct err *err)
{
    return shift_zone(c, false, err);
}

/* convert_timezone([from,] to, local time) */
static enum errc bind_convert(struct func_bind *b, struct err *err)
{
    uint32_t last = b->n_args - 1;

    TRY(func_bind_sig(b, b->n_args == 3 ? "ssa:3" : "sa:2", err));
    b->want[last] = b->type = type_of(TYPE_TIMESTAMP_NTZ);
    if (!type_eq(b->args[last]->type, b->type) &&
        !coerce_implicit(b->args[last]->type, b->type))
        return func_refuse(b, last, "\"TIMESTAMP_NTZ\"", err);
    return ERR_OK;
}

static enum errc run_convert(struct eval_call *c, struct err *err)
{
    uint32_t last = c->n_args - 1;

    flatten_all(c);
    EACH_VALID_ROW(c, row)
    {
        const struct zone *from = c->env->zone, *to;
        int64_t us = ARG_AT(int64_t, &c->args[last], row);

        if (last == 2)
            TRY(open_zone(c->state, 0, arg_sv(&c->args[0], row), &from, err));
        TRY(open_zone(c->state, 1, arg_sv(&c->args[last - 1], row), &to, err));
        ((int64_t *)c->out->data)[row] = zone_to_local_us(to, zone_to_utc_us(from, us));
    }
    return ERR_OK;
}

#define STRICT FUNC_NULL_INTOLERANT
#define NOW(text, more, hook, fn, words)                                                 \
    {                                                                                    \
        .name = text, .aliases = more, .flags = FUNC_NOT_NULL, .bind = hook,             \
        .run = run_##fn, .usage = words                                                  \
    }
#define NUMBER(text, signature, fn, words)                                               \
    {                                                                                    \
        .name = text, .min_args = 1, .max_args = 1, .flags = STRICT, .sig = signature,   \
        .run = run_##fn, .usage = words                                                  \
    }
#define ZONED(text, min, max, hook, signature, fn, words)                                \
    {                                                                                    \
        .name = text, .min_args = min, .max_args = max, .flags = STRICT, .bind = hook,   \
        .sig = signature, .run = run_##fn, .state_bytes = sizeof(struct zones),          \
        .release = release_zones, .usage = words                                         \
    }
#define PATTERN(text, min, max, flag, tail, hook, signature, fn, words)                  \
    {                                                                                    \
        .name = text, .min_args = min, .max_args = max, .flags = STRICT | flag,          \
        .plan_tail = tail, .bind = hook, .sig = signature, .run = run_##fn,              \
        .state_bytes = sizeof(struct pattern), .release = release_pattern,               \
        .usage = words                                                                   \
    }

const struct func clock_funcs[] = {
    NOW("current_date", "curdate", bind_date, current_date,
        "current_date() - The day on which the query began."),
    NOW("current_timestamp", NULL, bind_timestamp, now,
        "current_timestamp() - When the query began."),
    NOW("now", NULL, bind_timestamp, now, "now() - When the query began."),
    NOW("localtimestamp", NULL, bind_ntz, now,
        "localtimestamp() - What the session's clock showed when the query began."),
    NOW("current_timezone", NULL, bind_text, timezone,
        "current_timezone() - The session's time zone."),
    { .name = "timestamp_seconds",
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT | FUNC_MAYBE_NULL,
      .bind = bind_seconds,
      .run = run_seconds,
      .usage = "timestamp_seconds(seconds) - Since 1970, UTC." },
    NUMBER("timestamp_millis", "l:T", millis,
           "timestamp_millis(milliseconds) - Since 1970, UTC."),
    NUMBER("timestamp_micros", "l:T", micros,
           "timestamp_micros(microseconds) - Since 1970, UTC."),
    NUMBER("unix_seconds", "T:l", unix_seconds, "unix_seconds(timestamp) - Since 1970."),
    NUMBER("unix_millis", "T:l", unix_millis, "unix_millis(timestamp) - Since 1970."),
    NUMBER("unix_micros", "T:l", micros, "unix_micros(timestamp) - Since 1970."),
    NUMBER("date_from_unix_date", "i:D", from_days,
           "date_from_unix_date(days) - Since 1970."),
    { .name = "to_date",
      .min_args = 1,
      .max_args = 2,
      .flags = STRICT | FUNC_MAYBE_NULL,
      .bind = bind_to_date,
      .replace = replace_parse,
      .usage = "to_date(date_str[, fmt]) - Text as a date." },
    { .name = "to_timestamp",
      .aliases = "to_timestamp_ltz try_to_timestamp",
      .min_args = 1,
      .max_args = 2,
      .flags = STRICT | FUNC_MAYBE_NULL,
      .bind = bind_to_timestamp,
      .replace = replace_parse,
      .usage = "to_timestamp(timestamp_str[, fmt]) - Text as a timestamp." },
    { .name = "to_timestamp_ntz",
      .min_args = 1,
      .max_args = 2,
      .flags = STRICT | FUNC_MAYBE_NULL,
      .bind = bind_to_ntz,
      .replace = replace_parse,
      .usage = "to_timestamp_ntz(timestamp_str[, fmt]) - Text as what a clock showed." },
    PATTERN("date_format", 2, 2, 0, "@", NULL, "Ts:s", date_format,
            "date_format(timestamp, fmt) - As text by a pattern."),
    PATTERN("from_unixtime", 1, 2, 0, "@", bind_from_unixtime, NULL, date_format,
            "from_unixtime(unix_time[, fmt]) - Seconds since 1970 as text."),
    PATTERN("unix_timestamp", 0, 2, FUNC_MAYBE_NULL, "@, false", bind_unix_timestamp,
            NULL, unix_timestamp, "unix_timestamp([time[, fmt]]) - Seconds since 1970."),
    PATTERN("to_unix_timestamp", 1, 2, FUNC_MAYBE_NULL, "@, false", bind_unix_timestamp,
            NULL, unix_timestamp, "to_unix_timestamp(time[, fmt]) - Seconds since 1970."),
    ZONED("to_utc_timestamp", 2, 2, NULL, "Ts:T", to_utc,
          "to_utc_timestamp(ts, zone) - A time of the zone as one of UTC."),
    ZONED("from_utc_timestamp", 2, 2, NULL, "Ts:T", from_utc,
          "from_utc_timestamp(ts, zone) - A time of UTC as one of the zone."),
    ZONED("convert_timezone", 2, 3, bind_convert, NULL, convert,
          "convert_timezone([from,] to, ts) - A time of one zone as one of another."),
    { 0 },
};
