/* Dates, timestamps and intervals as operands of + - * /, and the functions behind.
 *
 *     date + int, date + INTERVAL n DAY      date_add
 *     date - date, timestamp - timestamp     an interval
 *     date or timestamp +- other intervals   functions without a name of their own
 *     interval * number, interval / number
 *
 * A date plus hours becomes a timestamp. Days are added on the zone's clock: a day that
 * has 23 hours is a day. */
#include "engine/column/date.h"
#include "engine/expr/func_list.h"
#include "engine/expr/kernel.h"
#include "engine/run/settings.h"

#include <math.h>

static bool is_ym(struct type t)
{
    return t.id == TYPE_INTERVAL_MONTH;
}

static bool is_dt(struct type t)
{
    return t.id == TYPE_INTERVAL_DAY;
}

static bool is_days(struct type t)
{
    return is_dt(t) && t.units == (UNIT_DAY << 4 | UNIT_DAY);
}

static bool is_stamp(struct type t)
{
    return t.id == TYPE_TIMESTAMP || t.id == TYPE_TIMESTAMP_NTZ;
}

static bool is_small_int(struct type t)
{
    return t.id == TYPE_INT || t.id == TYPE_SHORT || t.id == TYPE_BYTE;
}

enum moment {
    DATE_ADD,
    DATE_SUB,
    DATES_BETWEEN,
    STAMPS_BETWEEN,
    STAMP_ADD,
    STAMP_SUB,
    MONTHS_ADD,
    MONTHS_SUB,
    DAYS_OF,
    INTERVAL_TIMES,
    INTERVAL_BY,
};

static const struct func *moment_of(enum moment which)
{
    return &moment_funcs[which];
}

static void settle(struct func_bind *b, enum moment which, struct type type)
{
    b->func = moment_of(which);
    b->type = type;
}

static struct expr *days_of(struct func_bind *b, struct expr *interval, bool negative)
{
    struct expr *e =
        expr_call(b->arena, moment_of(DAYS_OF), type_of(TYPE_INT), 1, interval);

    return negative ? expr_call(b->arena, func_of(FUNC_NEGATE), type_of(TYPE_INT), 1, e)
                    : e;
}

static void swap_operands(struct func_bind *b)
{
    struct expr *e = b->args[0];
    struct type t = b->want[0];

    b->args[0] = b->args[1];
    b->args[1] = e;
    b->want[0] = b->want[1];
    b->want[1] = t;
}

/* A moment on the left and an interval on the right. */
static bool bind_shift(struct func_bind *b, bool subtract)
{
    struct type l = b->args[0]->type, r = b->args[1]->type;

    if (l.id == TYPE_DATE && is_days(r)) {
        b->args[1] = days_of(b, b->args[1], subtract);
        b->want[1] = type_of(TYPE_INT);
        settle(b, DATE_ADD, l);
    } else if ((l.id == TYPE_DATE || is_stamp(l)) && is_dt(r)) {
        if (l.id == TYPE_DATE)
            l = b->want[0] = type_of(TYPE_TIMESTAMP);
        settle(b, subtract ? STAMP_SUB : STAMP_ADD, l);
    } else if ((l.id == TYPE_DATE || is_stamp(l)) && is_ym(r)) {
        settle(b, subtract ? MONTHS_SUB : MONTHS_ADD, l);
    } else {
        return false;
    }
    return true;
}

/* Intervals of one kind: the sum shows the fields of both. */
static bool bind_intervals(struct func_bind *b)
{
    struct type l = b->args[0]->type, r = b->args[1]->type;

    if (l.id == TYPE_NULL && (is_ym(r) || is_dt(r)))
        l = r;
    if (r.id == TYPE_NULL)
        r = l;
    if (l.id != r.id || (!is_ym(l) && !is_dt(l)))
        return false;
    int first = l.units >> 4 < r.units >> 4 ? l.units >> 4 : r.units >> 4;
    int last = (l.units & 15) > (r.units & 15) ? l.units & 15 : r.units & 15;
    b->type = type_interval((enum interval_unit)first, (enum interval_unit)last);
    b->want[0] = b->want[1] = b->type;
    return true;
}

bool moments_bind_add(struct func_bind *b)
{
    struct type l = b->args[0]->type, r = b->args[1]->type;

    if (bind_intervals(b) || bind_shift(b, false))
        return true;
    if ((r.id == TYPE_DATE || is_stamp(r)) && (is_dt(l) || is_ym(l))) {
        swap_operands(b);
        return bind_shift(b, false);
    }
    if (r.id == TYPE_DATE && (is_small_int(l) || l.id == TYPE_NULL)) {
        swap_operands(b);
        l = b->args[0]->type;
        r = b->args[1]->type;
    }
    if (l.id != TYPE_DATE || !(is_small_int(r) || r.id == TYPE_NULL))
        return false;
    b->want[1] = type_of(TYPE_INT);
    settle(b, DATE_ADD, l);
    return true;
}

bool moments_bind_subtract(struct func_bind *b)
{
    struct type l = b->args[0]->type, r = b->args[1]->type;
    bool moment_l = l.id == TYPE_DATE || is_stamp(l);
    bool moment_r = r.id == TYPE_DATE || is_stamp(r);

    if (bind_intervals(b) || bind_shift(b, true))
        return true;
    if (l.id == TYPE_DATE && (is_small_int(r) || r.id == TYPE_NULL)) {
        b->want[1] = type_of(TYPE_INT);
        settle(b, DATE_SUB, l);
        return true;
    }
    if (!(moment_l && (moment_r || r.id == TYPE_STRING)) &&
        !(moment_r && (l.id == TYPE_STRING || l.id == TYPE_NULL)))
        return false;
    if (!is_stamp(l) && !is_stamp(r)) {
        b->want[0] = b->want[1] = type_of(TYPE_DATE);
        settle(b, DATES_BETWEEN, type_interval(UNIT_DAY, UNIT_DAY));
    } else {
        bool zoned = l.id == TYPE_TIMESTAMP || r.id == TYPE_TIMESTAMP;

        b->want[0] = b->want[1] = type_of(zoned ? TYPE_TIMESTAMP : TYPE_TIMESTAMP_NTZ);
        settle(b, STAMPS_BETWEEN, type_interval(UNIT_DAY, UNIT_SECOND));
    }
    return true;
}

enum errc moments_refuse(struct func_bind *b, bool subtract, struct err *err)
{
    static const char stamps[] = "\"(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)\"";
    struct expr *e;

    if (!subtract && is_dt(b->args[0]->type) && !is_dt(b->args[1]->type))
        swap_operands(b);
    if (is_dt(b->args[1]->type)) {
        if (b->args[0]->type.id != TYPE_STRING)
            return subtract && is_ym(b->args[0]->type) ? ERR_OK
                                                       : func_refuse(b, 0, stamps, err);
        e = expr_cast(b->arena, b->args[0], type_of(TYPE_TIMESTAMP));
        e->implicit = true;
        e = expr_call(b->arena, moment_of(subtract ? STAMP_SUB : STAMP_ADD),
                      type_of(TYPE_TIMESTAMP), 2, e, b->args[1]);
        b->done = expr_cast(b->arena, e, type_of(TYPE_STRING));
        b->done->implicit = true;
        return ERR_OK;
    }
    if (!subtract && b->args[1]->type.id == TYPE_DATE && b->args[0]->type.id != TYPE_DATE &&
        b->args[0]->type.id != TYPE_STRING)
        swap_operands(b);
    if (b->args[0]->type.id != TYPE_DATE || b->args[1]->type.id == TYPE_STRING)
        return ERR_OK;
    b->func = moment_of(subtract ? DATE_SUB : DATE_ADD);
    return func_refuse(b, 1, "(\"INT\" or \"SMALLINT\" or \"TINYINT\")", err);
}

static struct type whole_interval(struct type t)
{
    return is_ym(t) ? type_interval(UNIT_YEAR, UNIT_MONTH)
                    : type_interval(UNIT_DAY, UNIT_SECOND);
}

/* The factor is computed with as double; integers stay exact to 53 bits. */
static bool bind_scaled(struct func_bind *b, enum moment which)
{
    struct type l = b->args[0]->type, r = b->args[1]->type;

    if (!is_ym(l) && !is_dt(l))
        return false;
    if (!type_is_numeric(r) && r.id != TYPE_STRING && r.id != TYPE_NULL)
        return false;
    if (!type_is_integral(r))
        b->want[1] = type_of(TYPE_DOUBLE);
    else
        b->want[1] = type_of(TYPE_LONG);
    settle(b, which, whole_interval(l));
    return true;
}

bool moments_bind_multiply(struct func_bind *b)
{
    if (!is_ym(b->args[0]->type) && !is_dt(b->args[0]->type) &&
        (is_ym(b->args[1]->type) || is_dt(b->args[1]->type)))
        swap_operands(b);
    return bind_scaled(b, INTERVAL_TIMES);
}

bool moments_bind_divide(struct func_bind *b)
{
    return bind_scaled(b, INTERVAL_BY);
}

/* ---- kernels ---- */

KERNEL2(add_days, int32_t, int32_t, int32_t, (uint32_t)x + (uint32_t)y)
KERNEL2(sub_days, int32_t, int32_t, int32_t, (uint32_t)x - (uint32_t)y)

/* date_add and date_sub take what casts to a date, and whole numbers of days. */
static enum errc bind_date_add(struct func_bind *b, struct err *err)
{
    if (!is_small_int(b->args[1]->type) && b->args[1]->type.id != TYPE_NULL &&
        b->args[1]->type.id != TYPE_STRING)
        return func_refuse(b, 1, "(\"INT\" or \"SMALLINT\" or \"TINYINT\")", err);
    return func_bind_sig(b, "Di:D", err);
}

static enum errc run_date_add(struct eval_call *c, struct err *err)
{
    (void)err;
    add_days(c->batch, eval_flat(c, 0), eval_flat(c, 1), c->out);
    return ERR_OK;
}

static enum errc run_date_sub(struct eval_call *c, struct err *err)
{
    (void)err;
    sub_days(c->batch, eval_flat(c, 0), eval_flat(c, 1), c->out);
    return ERR_OK;
}

KERNEL2(days_between, int32_t, int32_t, int64_t, ((int64_t)x - y) * DAY_US)

static enum errc run_dates_between(struct eval_call *c, struct err *err)
{
    (void)err;
    days_between(c->batch, eval_flat(c, 0), eval_flat(c, 1), c->out);
    return ERR_OK;
}

static const struct zone *zone_for(const struct eval_call *c, struct type t)
{
    return t.id == TYPE_TIMESTAMP ? c->env->zone : &zone_utc;
}

/* Between what the clocks showed. */
static enum errc run_stamps_between(struct eval_call *c, struct err *err)
{
    const struct vec *a = eval_flat(c, 0), *b = eval_flat(c, 1);
    const struct zone *zone = zone_for(c, a->type);
    int64_t *to = c->out->data;

    (void)err;
    EACH_VALID_ROW(c, row)
    to[row] = (int64_t)((uint64_t)zone_to_local_us(zone, ARG_AT(int64_t, a, row)) -
                        (uint64_t)zone_to_local_us(zone, ARG_AT(int64_t, b, row)));
    return ERR_OK;
}

static enum errc shift_stamps(struct eval_call *c, int sign)
{
    const struct vec *a = eval_flat(c, 0), *b = eval_flat(c, 1);
    const struct zone *zone = zone_for(c, c->out->type);
    int64_t *to = c->out->data;

    EACH_VALID_ROW(c, row)
    {
        int64_t at = ARG_AT(int64_t, a, row);
        int64_t by = (int64_t)((uint64_t)ARG_AT(int64_t, b, row) * (uint64_t)sign);
        int64_t days = by / DAY_US, rest = by % DAY_US;

        if (zone != &zone_utc && days)
            at = zone_to_utc_us(zone, zone_to_local_us(zone, at) + days * DAY_US);
        else
            rest = by;
        to[row] = (int64_t)((uint64_t)at + (uint64_t)rest);
    }
    return ERR_OK;
}

static enum errc run_stamp_add(struct eval_call *c, struct err *err)
{
    (void)err;
    return shift_stamps(c, 1);
}

static enum errc run_stamp_sub(struct eval_call *c, struct err *err)
{
    (void)err;
    return shift_stamps(c, -1);
}

static enum errc shift_months(struct eval_call *c, int sign)
{
    const struct vec *a = eval_flat(c, 0), *b = eval_flat(c, 1);
    const struct zone *zone = zone_for(c, c->out->type);

    EACH_VALID_ROW(c, row)
    {
        int64_t months = (int64_t)ARG_AT(int32_t, b, row) * sign;

        if (c->out->type.id == TYPE_DATE) {
            ((int32_t *)c->out->data)[row] =
                (int32_t)date_add_months(ARG_AT(int32_t, a, row), months);
            continue;
        }
        int64_t local = zone_to_local_us(zone, ARG_AT(int64_t, a, row));
        int64_t day = floor_div(local, DAY_US);
        int64_t time = local - day * DAY_US;
        ((int64_t *)c->out->data)[row] =
            zone_to_utc_us(zone, date_add_months(day, months) * DAY_US + time);
    }
    return ERR_OK;
}

static enum errc run_months_add(struct eval_call *c, struct err *err)
{
    (void)err;
    return shift_months(c, 1);
}

static enum errc run_months_sub(struct eval_call *c, struct err *err)
{
    (void)err;
    return shift_months(c, -1);
}

KERNEL1(whole_days, int64_t, int32_t, x / DAY_US)

static enum errc run_days_of(struct eval_call *c, struct err *err)
{
    (void)err;
    whole_days(c->batch, eval_flat(c, 0), c->out);
    return ERR_OK;
}

/* Out of its range an interval is an error even where ANSI is off. */
static enum errc scale_interval(struct eval_call *c, bool divide, struct err *err)
{
    const struct vec *a = eval_flat(c, 0), *b = eval_flat(c, 1);
    bool months = is_ym(c->out->type);
    double limit = months ? 2147483648.0 : 9223372036854775808.0;

    EACH_VALID_ROW(c, row)
    {
        int64_t x = months ? ARG_AT(int32_t, a, row) : ARG_AT(int64_t, a, row);
        int64_t r;
        bool over = false;

        if (b->type.id == TYPE_DOUBLE) {
            double y = ARG_AT(double, b, row);

            if (divide && y == 0)
                goto zero;
            double f = divide ? (double)x / y : (double)x * y;
            f = f < 0 ? -floor(-f + 0.5) : floor(f + 0.5);
            over = !(f >= -limit && f < limit);
            r = over ? 0 : (int64_t)f;
        } else {
            int64_t y = ARG_AT(int64_t, b, row);

            if (divide && y == 0)
                goto zero;
            if (divide) { /* half up */
                i128 twice = (i128)x * 2 + ((x < 0) == (y < 0) ? (i128)y : -(i128)y);

                r = (int64_t)(twice / ((i128)y * 2));
            } else {
                over = __builtin_mul_overflow(x, y, &r);
            }
            over = over || (months && (r < INT32_MIN || r > INT32_MAX));
        }
        if (over)
            return err_set(err, ERR_SYNTAX, "[INTERVAL_ARITHMETIC_OVERFLOW] %s overflow.",
                           months ? "integer" : "long");
        if (months)
            ((int32_t *)c->out->data)[row] = (int32_t)r;
        else
            ((int64_t *)c->out->data)[row] = r;
    }
    return ERR_OK;
zero:
    return err_set(err, ERR_SYNTAX,
                   "[INTERVAL_DIVIDED_BY_ZERO] Division by zero. Use `try_divide` to "
                   "tolerate divisor being 0 and return NULL instead.");
}

static enum errc run_interval_times(struct eval_call *c, struct err *err)
{
    return scale_interval(c, false, err);
}

static enum errc run_interval_by(struct eval_call *c, struct err *err)
{
    return scale_interval(c, true, err);
}

/* ---- texts ---- */

static void print_pair(struct strbuf *out, const struct expr *e, enum expr_print how,
                       const char *between)
{
    expr_print(out, e->args[0], how);
    strbuf_addz(out, between);
    expr_print(out, e->args[1], how);
}

static void print_plus(struct strbuf *out, const struct expr *e, enum expr_print how)
{
    print_pair(out, e, how, " + ");
}

static void print_minus(struct strbuf *out, const struct expr *e, enum expr_print how)
{
    print_pair(out, e, how, " - ");
}

static void print_between(struct strbuf *out, const struct expr *e, enum expr_print how)
{
    strbuf_addc(out, '(');
    print_pair(out, e, how, " - ");
    strbuf_addc(out, ')');
}

#define STRICT FUNC_NULL_INTOLERANT
#define NAMELESS(text, hook, how)                                                        \
    {                                                                                    \
        .name = text, .symbol = text, .min_args = 2, .max_args = 2, .flags = STRICT,     \
        .run = hook, .print = how                                                        \
    }

/* In the order of enum moment. Operators of this list are found by binding only: the
 * arithmetic ones of the same symbol come first. */
const struct func moment_funcs[] = {
    [DATE_ADD] = { .name = "date_add",
                   .aliases = "dateadd",
                   .min_args = 2,
                   .max_args = 2,
                   .flags = STRICT | FUNC_ONE_NAME,
                   .bind = bind_date_add,
                   .run = run_date_add,
                   .usage =
                       "date_add(start_date, num_days) - The date `num_days` later." },
    [DATE_SUB] = { .name = "date_sub",
                   .min_args = 2,
                   .max_args = 2,
                   .flags = STRICT,
                   .bind = bind_date_add,
                   .run = run_date_sub,
                   .usage = "date_sub(start_date, num_days) - The date `num_days` "
                            "before." },
    [DATES_BETWEEN] = NAMELESS("-", run_dates_between, print_between),
    [STAMPS_BETWEEN] = NAMELESS("-", run_stamps_between, print_between),
    [STAMP_ADD] = NAMELESS("+", run_stamp_add, print_plus),
    [STAMP_SUB] = NAMELESS("-", run_stamp_sub, print_minus),
    [MONTHS_ADD] = NAMELESS("+", run_months_add, print_plus),
    [MONTHS_SUB] = NAMELESS("-", run_months_sub, print_minus),
    [DAYS_OF] = { .name = "extractansiintervaldays",
                  .min_args = 1,
                  .max_args = 1,
                  .flags = STRICT,
                  .run = run_days_of },
    [INTERVAL_TIMES] = NAMELESS("*", run_interval_times, NULL),
    [INTERVAL_BY] = NAMELESS("/", run_interval_by, NULL),
    { 0 },
};
