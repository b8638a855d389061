/* Parts of dates and timestamps, and calendar arithmetic by name.
 *
 * Dates are days, timestamps microseconds of UTC: parts of a timestamp are those its
 * clock in the session's zone shows. */
#include "engine/column/date.h"
#include "engine/expr/func_list.h"
#include "engine/expr/text.h"

#include <ctype.h>
#include <math.h>

/* ---- parts of a date ---- */

#define DATE_PART(name, X)                                                               \
    static enum errc run_##name(struct eval_call *c, struct err *err)                    \
    {                                                                                    \
        const struct vec *v = eval_flat(c, 0);                                           \
        int32_t *to = c->out->data;                                                      \
                                                                                         \
        (void)err;                                                                       \
        EACH_ROW(c, row)                                                                 \
        {                                                                                \
            int64_t days = ARG_AT(int32_t, v, row);                                      \
                                                                                         \
            to[row] = (int32_t)(X);                                                      \
        }                                                                                \
        return ERR_OK;                                                                   \
    }

static int32_t week_year(int64_t days)
{
    int32_t year;

    (void)iso_week(days, &year);
    return year;
}

/* Year, month and day by 32-bit multiplications alone (Neri and Schneider, "Euclidean
 * affine functions and their application to calendar algorithms", 2022), so that the loop
 * runs in vectors. Days are counted from 1 March of a year divisible by 400, 82 eras
 * before year 0: good from -12699422 to 1061042401, which a first pass looks at. */
enum { ERAS = 82, FIRST_DAY = -12699422, LAST_DAY = 1061042401 };

struct fast_date {
    uint32_t year, month, day;
};

KERNEL_INLINE struct fast_date fast_civil(uint32_t days)
{
    uint32_t n1 = 4 * (days + 719468 + 146097 * ERAS) + 3;
    uint32_t century = n1 / 146097, n2 = n1 % 146097 | 3;
    uint64_t p2 = (uint64_t)2939745 * n2;
    uint32_t year = (uint32_t)(p2 >> 32), of_year = (uint32_t)p2 / 2939745 / 4;
    uint32_t n3 = 2141 * of_year + 197913;
    uint32_t late = of_year >= 306; /* January and February */

    return (struct fast_date){ .year = 100 * century + year - 400 * ERAS + late,
                               .month = (n3 >> 16) - 12 * late,
                               .day = (n3 & 65535) / 2141 + 1 };
}

KERNEL_CLONES static bool all_in_range(const int32_t *days, uint32_t n)
{
    uint32_t bad = 0;

    for (uint32_t i = 0; i < n; i++)
        bad |= days[i] < FIRST_DAY || days[i] > LAST_DAY;
    return !bad;
}

KERNEL1(fast_year, uint32_t, uint32_t, fast_civil(x).year)
KERNEL1(fast_quarter, uint32_t, uint32_t, (fast_civil(x).month + 2) / 3)
KERNEL1(fast_month, uint32_t, uint32_t, fast_civil(x).month)
KERNEL1(fast_day, uint32_t, uint32_t, fast_civil(x).day)

/* As DATE_PART; fast is the loop for days in range. */
#define DATE_FIELD(name, X, fast)                                                        \
    DATE_PART(any_##name, X)                                                             \
    static enum errc run_##name(struct eval_call *c, struct err *err)                    \
    {                                                                                    \
        const struct vec *v = eval_flat(c, 0);                                           \
                                                                                         \
        if (!all_in_range(v->data, v->kind == VEC_CONST ? 1 : c->batch->n_rows))         \
            return run_any_##name(c, err);                                               \
        fast(c->batch, v, c->out);                                                       \
        return ERR_OK;                                                                   \
    }

DATE_FIELD(year, civil_from_days(days).year, fast_year)
DATE_FIELD(quarter, (civil_from_days(days).month + 2) / 3, fast_quarter)
DATE_FIELD(month, civil_from_days(days).month, fast_month)
DATE_FIELD(day, civil_from_days(days).day, fast_day)
DATE_PART(dayofweek, day_of_week_iso(days) % 7 + 1)
DATE_PART(weekday, day_of_week_iso(days) - 1)
DATE_PART(isodow, day_of_week_iso(days))
DATE_PART(dayofyear, day_of_year(days))
DATE_PART(weekofyear, iso_week(days, NULL))
DATE_PART(yearofweek, week_year(days))
DATE_PART(unix_date, days)

/* ---- parts of a timestamp or an interval ---- */

static const struct zone *zone_for(const struct eval_call *c, struct type t)
{
    return t.id == TYPE_TIMESTAMP ? c->env->zone : &zone_utc;
}

/* What the clock shows; an interval's parts go towards zero. */
static int64_t clock_us(const struct eval_call *c, const struct vec *v, uint32_t row)
{
    int64_t us = ARG_AT(int64_t, v, row);

    if (v->type.id == TYPE_INTERVAL_DAY)
        return us;
    return floor_mod(zone_to_local_us(zone_for(c, v->type), us), DAY_US);
}

static enum errc clock_rows(struct eval_call *c, int64_t unit, int64_t base)
{
    const struct vec *v = eval_flat(c, 0);

    EACH_VALID_ROW(c, row)
    {
        int32_t x = (int32_t)(clock_us(c, v, row) / unit % base);

        if (type_width(c->out->type) == 1)
            ((int8_t *)c->out->data)[row] = (int8_t)x;
        else
            ((int32_t *)c->out->data)[row] = x;
    }
    return ERR_OK;
}

static enum errc run_hour(struct eval_call *c, struct err *err)
{
    (void)err;
    return clock_rows(c, HOUR_US, 24);
}

static enum errc run_minute(struct eval_call *c, struct err *err)
{
    (void)err;
    return clock_rows(c, MINUTE_US, 60);
}

static enum errc run_second(struct eval_call *c, struct err *err)
{
    (void)err;
    return clock_rows(c, SECOND_US, 60);
}

/* With its fraction, decimal(8,6). */
static enum errc run_second_fraction(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0);

    (void)err;
    EACH_VALID_ROW(c, row)
    ((int64_t *)c->out->data)[row] = clock_us(c, v, row) % MINUTE_US;
    return ERR_OK;
}

static enum errc run_interval_part(struct eval_call *c, int64_t by, bool rest)
{
    const struct vec *v = eval_flat(c, 0);

    EACH_VALID_ROW(c, row)
    {
        int64_t x = int_at(v, row);

        x = rest ? x % by : x / by;
        if (type_width(c->out->type) == 1)
            ((int8_t *)c->out->data)[row] = (int8_t)x;
        else
            ((int32_t *)c->out->data)[row] = (int32_t)x;
    }
    return ERR_OK;
}

static enum errc run_interval_years(struct eval_call *c, struct err *err)
{
    (void)err;
    return run_interval_part(c, 12, false);
}

static enum errc run_interval_months(struct eval_call *c, struct err *err)
{
    (void)err;
    return run_interval_part(c, 12, true);
}

static enum errc run_interval_days(struct eval_call *c, struct err *err)
{
    (void)err;
    return run_interval_part(c, DAY_US, false);
}

/* hour(), minute(), second() of a timestamp with or without zone. */
static enum errc bind_clock(struct func_bind *b, struct err *err)
{
    if (b->args[0]->type.id != TYPE_TIMESTAMP_NTZ)
        return func_bind_sig(b, "T:i", err);
    b->type = type_of(TYPE_INT);
    return ERR_OK;
}

/* ---- extract ---- */

#define STRICT FUNC_NULL_INTOLERANT
#define PART(text, fn)                                                                   \
    {                                                                                    \
        .name = text, .min_args = 1, .max_args = 1, .flags = STRICT, .run = fn           \
    }

static const struct func second_fraction = PART("second", run_second_fraction);
static const struct func interval_years =
    PART("extractansiintervalyears", run_interval_years);
static const struct func interval_months =
    PART("extractansiintervalmonths", run_interval_months);
static const struct func interval_days =
    PART("extractansiintervaldays", run_interval_days);
static const struct func interval_hours = PART("extractansiintervalhours", run_hour);
static const struct func interval_minutes =
    PART("extractansiintervalminutes", run_minute);
static const struct func iso_weekday = PART("dayofweek_iso", run_isodow);

enum of { OF_DATE, OF_CLOCK, OF_MONTHS, OF_DAYS };

static const struct field {
    const char *words;
    enum of of;
    uint8_t type; /* of the result; TYPE_DECIMAL is decimal(8,6) */
    const char *function;
    const struct func *nameless;
} fields[] = {
    { "year y years yr yrs", OF_DATE, TYPE_INT, "year", NULL },
    { "yearofweek", OF_DATE, TYPE_INT, "yearofweek", NULL },
    { "quarter qtr", OF_DATE, TYPE_INT, "quarter", NULL },
    { "month mon mons months", OF_DATE, TYPE_INT, "month", NULL },
    { "week w weeks", OF_DATE, TYPE_INT, "weekofyear", NULL },
    { "day d days", OF_DATE, TYPE_INT, "day", NULL },
    { "dayofweek dow", OF_DATE, TYPE_INT, "dayofweek", NULL },
    { "dayofweek_iso dow_iso", OF_DATE, TYPE_INT, NULL, &iso_weekday },
    { "doy", OF_DATE, TYPE_INT, "dayofyear", NULL },
    { "hour h hours hr hrs", OF_CLOCK, TYPE_INT, "hour", NULL },
    { "minute m min mins minutes", OF_CLOCK, TYPE_INT, "minute", NULL },
    { "second s sec seconds secs", OF_CLOCK, TYPE_DECIMAL, NULL, &second_fraction },
    { "year y years yr yrs", OF_MONTHS, TYPE_INT, NULL, &interval_years },
    { "month mon mons months", OF_MONTHS, TYPE_BYTE, NULL, &interval_months },
    { "day d days", OF_DAYS, TYPE_INT, NULL, &interval_days },
    { "hour h hours hr hrs", OF_DAYS, TYPE_BYTE, NULL, &interval_hours },
    { "minute m min mins minutes", OF_DAYS, TYPE_BYTE, NULL, &interval_minutes },
    { "second s sec seconds secs", OF_DAYS, TYPE_DECIMAL, NULL, &second_fraction },
};

static bool word_among(const char *words, struct sv word)
{
    while (*words) {
        size_t len = strcspn(words, " ");

        if (len == word.len && strncasecmp(words, word.p, len) == 0)
            return true;
        words += len + (words[len] == ' ');
    }
    return false;
}

static const struct field *field_of(struct sv word, struct type source)
{
    bool months = source.id == TYPE_INTERVAL_MONTH, days = source.id == TYPE_INTERVAL_DAY;

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        const struct field *f = &fields[i];
        bool fits = months ? f->of == OF_MONTHS
                    : days ? f->of == OF_DAYS
                           : f->of == OF_DATE || f->of == OF_CLOCK;

        if (fits && word_among(f->words, word))
            return f;
    }
    return NULL;
}

static enum errc bind_extract(struct func_bind *b, struct err *err)
{
    struct type source = b->args[1]->type;
    const struct field *f;
    struct value word;

    if (!func_literal(b->args[0], &word) || word.type.id != TYPE_STRING)
        return err_set(err, ERR_SYNTAX,
                       "[DATATYPE_MISMATCH.NON_FOLDABLE_INPUT] the field of extract has "
                       "to be a literal");
    f = field_of(word.u.s, source);
    if (!f) {
        struct strbuf text = { 0 };

        expr_print(&text, b->args[1], PRINT_NAME);
        enum errc rc =
            err_set(err, ERR_SYNTAX,
                    "[INVALID_EXTRACT_FIELD] Cannot extract `%.*s` from \"%.*s\".",
                    SV_FMT(word.u.s), SV_FMT(strbuf_sv(&text)));
        strbuf_release(&text);
        return rc;
    }
    b->type =
        f->type == TYPE_DECIMAL ? type_decimal(8, 6) : type_of((enum type_id)f->type);
    if (f->of == OF_DATE && source.id != TYPE_DATE)
        b->want[1] = type_of(TYPE_DATE);
    else if (f->of == OF_CLOCK && source.id != TYPE_TIMESTAMP_NTZ)
        b->want[1] = type_of(TYPE_TIMESTAMP);
    if (!type_eq(source, b->want[1]) && !coerce_implicit(source, b->want[1]))
        return func_refuse(b, 1, "\"TIMESTAMP\"", err);
    return ERR_OK;
}

static struct expr *replace_extract(struct arena *a, const struct settings *s,
                                    const struct expr *e)
{
    const struct field *f = field_of(e->args[0]->value.u.s, e->args[1]->type);

    (void)s;
    return expr_call(a, f->nameless ? f->nameless : func_find(sv(f->function)), e->type,
                     1, e->args[1]);
}

static void print_extract(struct strbuf *out, const struct expr *e, enum expr_print how)
{
    strbuf_addz(out, "extract(");
    strbuf_add(out, e->args[0]->kind == EXPR_LITERAL ? e->args[0]->value.u.s : SV("?"));
    strbuf_addz(out, how == PRINT_PLAN ? ", " : " FROM ");
    expr_print(out, e->args[1], how);
    strbuf_addc(out, ')');
}

/* ---- arithmetic ---- */

KERNEL2(days_between, int32_t, int32_t, int32_t, (uint32_t)x - (uint32_t)y)

static enum errc run_datediff(struct eval_call *c, struct err *err)
{
    (void)err;
    days_between(c->batch, eval_flat(c, 0), eval_flat(c, 1), c->out);
    return ERR_OK;
}

static enum errc run_add_months(struct eval_call *c, struct err *err)
{
    const struct vec *d = eval_flat(c, 0), *n = eval_flat(c, 1);

    (void)err;
    EACH_VALID_ROW(c, row)
    ((int32_t *)c->out->data)[row] =
        (int32_t)date_add_months(ARG_AT(int32_t, d, row), ARG_AT(int32_t, n, row));
    return ERR_OK;
}

static bool is_last_day(struct civil d)
{
    return d.day == days_of_month(d.year, d.month);
}

/* Whole months where the days agree or both are their month's last; else 31sts. */
static double months_between(int64_t a, int64_t b, bool round_off)
{
    int64_t day_a = floor_div(a, DAY_US), day_b = floor_div(b, DAY_US);
    struct civil x = civil_from_days(day_a), y = civil_from_days(day_b);
    double months = (double)((x.year - y.year) * 12 + x.month - y.month);

    if (x.day == y.day || (is_last_day(x) && is_last_day(y)))
        return months;
    int64_t seconds = (a - day_a * DAY_US) / SECOND_US -
                      (b - day_b * DAY_US) / SECOND_US + (int64_t)(x.day - y.day) * 86400;
    double diff = months + (double)seconds / (31 * 86400.0);
    return round_off ? floor(diff * 1e8 + 0.5) / 1e8 : diff;
}

static enum errc run_months_between(struct eval_call *c, struct err *err)
{
    (void)err;
    flatten_all(c);
    EACH_VALID_ROW(c, row)
    {
        int64_t a = zone_to_local_us(c->env->zone, ARG_AT(int64_t, &c->args[0], row));
        int64_t b = zone_to_local_us(c->env->zone, ARG_AT(int64_t, &c->args[1], row));
        bool round_off = c->n_args < 3 || ARG_AT(uint8_t, &c->args[2], row);

        ((double *)c->out->data)[row] = months_between(a, b, round_off);
    }
    return ERR_OK;
}

DATE_PART(last_day,
          days_from_civil(civil_from_days(days).year, civil_from_days(days).month,
                          days_of_month(civil_from_days(days).year,
                                        civil_from_days(days).month)))

/* Monday 1; 0: none. */
static int32_t weekday_of(struct sv word)
{
    static const char *const names[] = { "mo mon monday",    "tu tue tuesday",
                                         "we wed wednesday", "th thu thursday",
                                         "fr fri friday",    "sa sat saturday",
                                         "su sun sunday" };

    for (int32_t i = 0; i < 7; i++)
        if (word.len && word_among(names[i], word))
            return i + 1;
    return 0;
}

static enum errc run_next_day(struct eval_call *c, struct err *err)
{
    const struct vec *d = eval_flat(c, 0), *w = eval_flat(c, 1);
    int32_t *to = c->out->data;

    (void)err;
    EACH_VALID_ROW(c, row)
    {
        int32_t days = ARG_AT(int32_t, d, row), want = weekday_of(arg_sv(w, row));

        to[row] = days + 1 + (int32_t)floor_mod(want - day_of_week_iso(days) - 1, 7);
        if (!want)
            c->out->valid[row] = 0;
    }
    return ERR_OK;
}

/* ---- truncation ---- */

enum level {
    TO_MICROSECOND,
    TO_MILLISECOND,
    TO_SECOND,
    TO_MINUTE,
    TO_HOUR,
    TO_DAY,
    TO_WEEK,
    TO_MONTH,
    TO_QUARTER,
    TO_YEAR,
    NO_LEVEL
};

static enum level level_of(struct sv word)
{
    static const char *const names[] = { "microsecond", "millisecond",  "second",
                                         "minute",      "hour",         "day dd",
                                         "week",        "month mon mm", "quarter",
                                         "year yyyy yy" };

    for (int i = 0; i < NO_LEVEL; i++)
        if (word.len && word_among(names[i], word))
            return (enum level)i;
    return NO_LEVEL;
}

static int64_t truncate_days(int64_t days, enum level level)
{
    struct civil d = civil_from_days(days);

    if (level == TO_WEEK)
        return days - day_of_week_iso(days) + 1;
    if (level == TO_MONTH)
        return days - d.day + 1;
    if (level == TO_QUARTER)
        return days_from_civil(d.year, (d.month - 1) / 3 * 3 + 1, 1);
    return level == TO_YEAR ? days_from_civil(d.year, 1, 1) : days;
}

static enum errc run_trunc(struct eval_call *c, struct err *err)
{
    const struct vec *d = eval_flat(c, 0), *w = eval_flat(c, 1);

    (void)err;
    EACH_VALID_ROW(c, row)
    {
        enum level level = level_of(arg_sv(w, row));

        if (level == NO_LEVEL || level < TO_WEEK)
            c->out->valid[row] = 0;
        else
            ((int32_t *)c->out->data)[row] =
                (int32_t)truncate_days(ARG_AT(int32_t, d, row), level);
    }
    return ERR_OK;
}

static int64_t truncate_us(const struct zone *zone, int64_t us, enum level level)
{
    static const int64_t units[] = { 1, 1000, SECOND_US, MINUTE_US, HOUR_US, DAY_US };
    int64_t local = zone_to_local_us(zone, us);

    if (level <= TO_SECOND) /* zones do not matter, nor do gaps */
        return us - floor_mod(us, units[level]);
    if (level <= TO_HOUR)
        return us - floor_mod(local, units[level]);
    return zone_to_utc_us(zone, truncate_days(floor_div(local, DAY_US), level) * DAY_US);
}

static enum errc run_date_trunc(struct eval_call *c, struct err *err)
{
    const struct vec *w = eval_flat(c, 0), *t = eval_flat(c, 1);

    (void)err;
    EACH_VALID_ROW(c, row)
    {
        enum level level = level_of(arg_sv(w, row));

        if (level == NO_LEVEL)
            c->out->valid[row] = 0;
        else
            ((int64_t *)c->out->data)[row] =
                truncate_us(c->env->zone, ARG_AT(int64_t, t, row), level);
    }
    return ERR_OK;
}

/* ---- by unit: timestampadd, timestampdiff ---- */

static const struct unit {
    const char *word;
    int64_t months, us;
} units[] = {
    { "year", 12, 0 },          { "quarter", 3, 0 },        { "month", 1, 0 },
    { "week", 0, 7 * DAY_US },  { "day", 0, DAY_US },       { "dayofyear", 0, DAY_US },
    { "hour", 0, HOUR_US },     { "minute", 0, MINUTE_US }, { "second", 0, SECOND_US },
    { "millisecond", 0, 1000 }, { "microsecond", 0, 1 },
};

static const struct unit *unit_of(struct sv word)
{
    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (word_among(units[i].word, word))
            return &units[i];
    return NULL;
}

static enum errc bind_unit(struct func_bind *b, const char *sig, struct err *err)
{
    struct value word;

    if (!func_literal(b->args[0], &word) || word.type.id != TYPE_STRING ||
        !unit_of(word.u.s))
        return err_set(
            err, ERR_SYNTAX,
            "[INVALID_PARAMETER_VALUE.DATETIME_UNIT] The value of parameter(s) "
            "`unit` in `%s` is invalid: expects one of the units YEAR, QUARTER, "
            "MONTH, WEEK, DAY, DAYOFYEAR, HOUR, MINUTE, SECOND, MILLISECOND, "
            "MICROSECOND.",
            b->func->name);
    return func_bind_sig(b, sig, err);
}

static enum errc bind_timestampadd(struct func_bind *b, struct err *err)
{
    return bind_unit(b, b->args[2]->type.id == TYPE_TIMESTAMP_NTZ ? "sia:3" : "siT:T",
                     err);
}

static enum errc bind_timestampdiff(struct func_bind *b, struct err *err)
{
    return bind_unit(b, "sTT:l", err);
}

static int64_t add_months_us(int64_t local, int64_t months)
{
    int64_t day = floor_div(local, DAY_US);

    return date_add_months(day, months) * DAY_US + (local - day * DAY_US);
}

static enum errc run_timestampadd(struct eval_call *c, struct err *err)
{
    (void)err;
    flatten_all(c);
    EACH_VALID_ROW(c, row)
    {
        const struct unit *u = unit_of(arg_sv(&c->args[0], row));
        int64_t n = ARG_AT(int32_t, &c->args[1], row);
        int64_t us = ARG_AT(int64_t, &c->args[2], row);
        const struct zone *zone = zone_for(c, c->out->type);

        if (u->months)
            us = zone_to_utc_us(zone,
                                add_months_us(zone_to_local_us(zone, us), n * u->months));
        else if (u->us >= DAY_US) /* days of the clock */
            us = zone_to_utc_us(zone, zone_to_local_us(zone, us) + n * u->us);
        else
            us = (int64_t)((uint64_t)us + (uint64_t)n * (uint64_t)u->us);
        ((int64_t *)c->out->data)[row] = us;
    }
    return ERR_OK;
}

static int64_t full_months(int64_t from, int64_t to)
{
    struct civil a = civil_from_days(floor_div(from, DAY_US));
    struct civil b = civil_from_days(floor_div(to, DAY_US));
    int64_t n = (int64_t)(b.year - a.year) * 12 + b.month - a.month;
    int64_t rest = (int64_t)(b.day - a.day) * DAY_US + floor_mod(to, DAY_US) -
                   floor_mod(from, DAY_US);

    if (n > 0 && rest < 0)
        return n - 1;
    return n < 0 && rest > 0 ? n + 1 : n;
}

static enum errc run_timestampdiff(struct eval_call *c, struct err *err)
{
    (void)err;
    flatten_all(c);
    EACH_VALID_ROW(c, row)
    {
        const struct unit *u = unit_of(arg_sv(&c->args[0], row));
        int64_t from = zone_to_local_us(c->env->zone, ARG_AT(int64_t, &c->args[1], row));
        int64_t to = zone_to_local_us(c->env->zone, ARG_AT(int64_t, &c->args[2], row));

        ((int64_t *)c->out->data)[row] =
            u->months ? full_months(from, to) / u->months : (to - from) / u->us;
    }
    return ERR_OK;
}

/* ---- made from numbers ---- */

static bool make_day(int64_t y, int64_t m, int64_t d, int64_t *days)
{
    if (m < 1 || m > 12 || d < 1 || d > days_of_month(y, (int32_t)m) || y < -999999 ||
        y > 999999)
        return false;
    *days = days_from_civil(y, m, d);
    return true;
}

static enum errc run_make_date(struct eval_call *c, struct err *err)
{
    flatten_all(c);
    EACH_VALID_ROW(c, row)
    {
        int64_t days = 0;

        if (!make_day(ARG_AT(int32_t, &c->args[0], row),
                      ARG_AT(int32_t, &c->args[1], row),
                      ARG_AT(int32_t, &c->args[2], row), &days)) {
            if (eval_ansi(c))
                return err_set(err, ERR_SYNTAX,
                               "There is no such day. If "
                               "necessary set \"spark.sql.ansi.enabled\" to \"false\" to "
                               "bypass this error.");
            c->out->valid[row] = 0;
        }
        ((int32_t *)c->out->data)[row] = (int32_t)days;
    }
    return ERR_OK;
}

static enum errc bind_make_timestamp(struct func_bind *b, struct err *err)
{
    TRY(func_bind_sig(b, "iiiiias:T", err));
    b->want[5] = type_decimal(16, 6);
    return ERR_OK;
}

static enum errc bind_make_ntz(struct func_bind *b, struct err *err)
{
    TRY(bind_make_timestamp(b, err));
    b->type = type_of(TYPE_TIMESTAMP_NTZ);
    return ERR_OK;
}

/* Seconds up to 60, which is the next minute's 0. */
static enum errc run_make_timestamp(struct eval_call *c, struct err *err)
{
    flatten_all(c);
    EACH_VALID_ROW(c, row)
    {
        int64_t days = 0, hour = ARG_AT(int32_t, &c->args[3], row);
        int64_t minute = ARG_AT(int32_t, &c->args[4], row);
        int64_t us = (int64_t)decimal_at(&c->args[5], row);
        const struct zone *zone = c->env->zone;

        if (!make_day(ARG_AT(int32_t, &c->args[0], row),
                      ARG_AT(int32_t, &c->args[1], row),
                      ARG_AT(int32_t, &c->args[2], row), &days) ||
            hour < 0 || hour > 23 || minute < 0 || minute > 59 || us < 0 ||
            us > 60 * SECOND_US) {
            c->out->valid[row] = 0;
            continue;
        }
        if (c->n_args > 6)
            TRY(zone_open(c->text, arg_sv(&c->args[6], row), &zone, err));
        us += days * DAY_US + hour * HOUR_US + minute * MINUTE_US;
        ((int64_t *)c->out->data)[row] =
            c->out->type.id == TYPE_TIMESTAMP_NTZ ? us : zone_to_utc_us(zone, us);
    }
    return ERR_OK;
}

static enum errc bind_make_dt(struct func_bind *b, struct err *err)
{
    TRY(func_bind_sig(b, "iiia:l", err));
    if (b->n_args > 3)
        b->want[3] = type_decimal(18, 6);
    b->type = type_interval(UNIT_DAY, UNIT_SECOND);
    return ERR_OK;
}

static enum errc run_make_dt(struct eval_call *c, struct err *err)
{
    static const int64_t unit_us[] = { DAY_US, HOUR_US, MINUTE_US };

    flatten_all(c);
    EACH_VALID_ROW(c, row)
    {
        i128 us = 0;

        for (uint32_t i = 0; i < c->n_args && i < 3; i++)
            us += (i128)ARG_AT(int32_t, &c->args[i], row) * unit_us[i];
        if (c->n_args > 3)
            us += decimal_at(&c->args[3], row);
        if (us > INT64_MAX || us < INT64_MIN)
            return err_set(err, ERR_SYNTAX,
                           "[INTERVAL_ARITHMETIC_OVERFLOW] long overflow.");
        ((int64_t *)c->out->data)[row] = (int64_t)us;
    }
    return ERR_OK;
}

static enum errc bind_make_ym(struct func_bind *b, struct err *err)
{
    TRY(func_bind_sig(b, "ii:i", err));
    b->type = type_interval(UNIT_YEAR, UNIT_MONTH);
    return ERR_OK;
}

static enum errc run_make_ym(struct eval_call *c, struct err *err)
{
    flatten_all(c);
    EACH_VALID_ROW(c, row)
    {
        int64_t n = (int64_t)ARG_AT(int32_t, &c->args[0], row) * 12 +
                    (c->n_args > 1 ? ARG_AT(int32_t, &c->args[1], row) : 0);

        if (n > INT32_MAX || n < INT32_MIN)
            return err_set(err, ERR_SYNTAX,
                           "[INTERVAL_ARITHMETIC_OVERFLOW] integer overflow.");
        ((int32_t *)c->out->data)[row] = (int32_t)n;
    }
    return ERR_OK;
}

#define DATE_FUNC(text, more, signature, fn, words)                                      \
    {                                                                                    \
        .name = text, .aliases = more, .min_args = sizeof(signature) - 3,                \
        .max_args = sizeof(signature) - 3, .flags = STRICT, .sig = signature,            \
        .run = run_##fn, .usage = words                                                  \
    }
#define CLOCK_FUNC(text, fn, words)                                                      \
    {                                                                                    \
        .name = text, .min_args = 1, .max_args = 1, .flags = STRICT, .plan_tail = "@",   \
        .bind = bind_clock, .run = run_##fn, .usage = words                              \
    }

const struct func date_funcs[] = {
    DATE_FUNC("year", NULL, "D:i", year, "year(date) - The year."),
    DATE_FUNC("quarter", NULL, "D:i", quarter, "quarter(date) - The quarter, 1 to 4."),
    DATE_FUNC("month", NULL, "D:i", month, "month(date) - The month, 1 to 12."),
    DATE_FUNC("day", "dayofmonth", "D:i", day, "day(date) - The day of the month."),
    DATE_FUNC("dayofweek", NULL, "D:i", dayofweek, "dayofweek(date) - Sunday is 1."),
    DATE_FUNC("weekday", NULL, "D:i", weekday, "weekday(date) - Monday is 0."),
    DATE_FUNC("dayofyear", NULL, "D:i", dayofyear, "dayofyear(date) - From 1."),
    DATE_FUNC("weekofyear", NULL, "D:i", weekofyear,
              "weekofyear(date) - The week after ISO 8601."),
    DATE_FUNC("yearofweek", NULL, "D:i", yearofweek,
              "yearofweek(date) - The year that the ISO week belongs to."),
    DATE_FUNC("unix_date", NULL, "D:i", unix_date, "unix_date(date) - Days since 1970."),
    CLOCK_FUNC("hour", hour, "hour(timestamp) - The hour."),
    CLOCK_FUNC("minute", minute, "minute(timestamp) - The minute."),
    CLOCK_FUNC("second", second, "second(timestamp) - The second."),
    { .name = "extract",
      .min_args = 2,
      .max_args = 2,
      .flags = STRICT,
      .bind = bind_extract,
      .replace = replace_extract,
      .print = print_extract,
      .usage = "extract(field FROM source) - A part of a date, timestamp or interval." },
    { .name = "date_part",
      .aliases = "datepart",
      .min_args = 2,
      .max_args = 2,
      .flags = STRICT,
      .bind = bind_extract,
      .replace = replace_extract,
      .usage = "date_part(field, source) - As extract." },
    DATE_FUNC("datediff", "date_diff", "DD:i", datediff,
              "datediff(endDate, startDate) - Days from the second to the first."),
    DATE_FUNC("add_months", NULL, "Di:D", add_months,
              "add_months(start_date, n) - n months later."),
    { .name = "months_between",
      .fill = "bt",
      .plan_tail = "@",
      .min_args = 2,
      .max_args = 3,
      .flags = STRICT,
      .sig = "TTb:d",
      .run = run_months_between,
      .usage = "months_between(t1, t2[, roundOff]) - Months from the second to the "
               "first." },
    DATE_FUNC("last_day", NULL, "D:D", last_day, "last_day(date) - Of its month."),
    { .name = "next_day",
      .min_args = 2,
      .max_args = 2,
      .flags = STRICT | FUNC_MAYBE_NULL,
      .sig = "Ds:D",
      .run = run_next_day,
      .usage = "next_day(start_date, day_of_week) - The first such day after." },
    { .name = "trunc",
      .min_args = 2,
      .max_args = 2,
      .flags = STRICT | FUNC_MAYBE_NULL,
      .sig = "Ds:D",
      .run = run_trunc,
      .usage = "trunc(date, fmt) - The first day of its year, quarter, month, week." },
    { .name = "date_trunc",
      .plan_tail = "@",
      .min_args = 2,
      .max_args = 2,
      .flags = STRICT | FUNC_MAYBE_NULL,
      .sig = "sT:T",
      .run = run_date_trunc,
      .usage = "date_trunc(fmt, ts) - The start of its year, month, ..., second." },
    { .name = "timestampadd",
      .min_args = 3,
      .max_args = 3,
      .flags = STRICT,
      .plan_tail = "@",
      .bind = bind_timestampadd,
      .run = run_timestampadd,
      .usage = "timestampadd(unit, n, ts) - n units later." },
    { .name = "timestampdiff",
      .min_args = 3,
      .max_args = 3,
      .flags = STRICT,
      .plan_tail = "@",
      .bind = bind_timestampdiff,
      .run = run_timestampdiff,
      .usage = "timestampdiff(unit, from, to) - Whole units between." },
    { .name = "make_date",
      .min_args = 3,
      .max_args = 3,
      .flags = STRICT | FUNC_MAYBE_NULL,
      .sig = "iii:D",
      .run = run_make_date,
      .usage = "make_date(year, month, day) - NULL where there is no such day." },
    { .name = "make_timestamp",
      .aliases = "make_timestamp_ltz",
      .min_args = 6,
      .max_args = 7,
      .flags = STRICT | FUNC_MAYBE_NULL,
      .bind = bind_make_timestamp,
      .run = run_make_timestamp,
      .usage = "make_timestamp(year, month, day, hour, min, sec[, timezone])" },
    { .name = "make_timestamp_ntz",
      .min_args = 6,
      .max_args = 6,
      .flags = STRICT | FUNC_MAYBE_NULL,
      .bind = bind_make_ntz,
      .run = run_make_timestamp,
      .usage = "make_timestamp_ntz(year, month, day, hour, min, sec)" },
    { .name = "make_dt_interval",
      .max_args = 4,
      .flags = STRICT,
      .bind = bind_make_dt,
      .run = run_make_dt,
      .usage = "make_dt_interval([days[, hours[, mins[, secs]]]])" },
    { .name = "make_ym_interval",
      .max_args = 2,
      .flags = STRICT,
      .bind = bind_make_ym,
      .run = run_make_ym,
      .usage = "make_ym_interval([years[, months]])" },
    { 0 },
};
