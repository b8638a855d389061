/* Decimal arithmetic on i128.
 *
 * Most work stays in 128 bits: products of up to 38 digits and rescaling by powers of
 * ten. What may be longer on the way to a result that fits (a product to be rounded, a
 * dividend scaled up, a sum at the edge of 38 digits) goes through a pair of u128,
 * `struct wide`. The paths are chosen by the digits that the types allow, not by trying.
 */
#include "engine/column/decimal.h"

#define E18 INT64_C(1000000000000000000)
#define P(n) (i128) n *E18

const i128 decimal_pow10[39] = {
    1,
    10,
    100,
    1000,
    10000,
    100000,
    1000000,
    10000000,
    100000000,
    1000000000,
    10000000000,
    100000000000,
    1000000000000,
    10000000000000,
    100000000000000,
    1000000000000000,
    10000000000000000,
    100000000000000000,
    E18,
    P(10),
    P(100),
    P(1000),
    P(10000),
    P(100000),
    P(1000000),
    P(10000000),
    P(100000000),
    P(1000000000),
    P(10000000000),
    P(100000000000),
    P(1000000000000),
    P(10000000000000),
    P(100000000000000),
    P(1000000000000000),
    P(10000000000000000),
    P(100000000000000000),
    P(E18),
    P(E18) * 10,
    P(E18) * 100,
};

/* ---- result types ---- */

enum { MIN_ADJUSTED_SCALE = 6, MAX_P = DECIMAL_MAX_PRECISION };

static int min_int(int a, int b)
{
    return a < b ? a : b;
}

static int max_int(int a, int b)
{
    return a > b ? a : b;
}

static struct type bounded(int precision, int scale)
{
    return type_decimal(min_int(precision, MAX_P), min_int(scale, MAX_P));
}

/* Too many digits: the integer part is kept, the scale gives way, but not below 6. */
static struct type adjusted(int precision, int scale)
{
    if (precision <= MAX_P)
        return type_decimal(precision, scale);
    int whole = precision - scale;
    int least = min_int(scale, MIN_ADJUSTED_SCALE);
    return type_decimal(MAX_P, max_int(MAX_P - whole, least));
}

static struct type divide_result(struct type a, struct type b, bool allow_loss)
{
    int whole = a.precision - a.scale + b.scale;

    if (allow_loss) {
        int scale = max_int(MIN_ADJUSTED_SCALE, a.scale + b.precision + 1);
        return adjusted(whole + scale, scale);
    }
    int whole_kept = min_int(MAX_P, whole);
    int scale = min_int(MAX_P, max_int(MIN_ADJUSTED_SCALE, a.scale + b.precision + 1));
    int over = whole_kept + scale - MAX_P;
    if (over > 0) {
        scale -= over / 2 + 1;
        whole_kept = MAX_P - scale;
    }
    return bounded(whole_kept + scale, scale);
}

struct type decimal_result(enum decimal_op op, struct type a, struct type b,
                           bool allow_loss)
{
    int scale = max_int(a.scale, b.scale);
    int whole = max_int(a.precision - a.scale, b.precision - b.scale);
    int precision = 0;

    switch (op) {
    case DEC_ADD:
    case DEC_SUBTRACT:
        precision = whole + scale + 1;
        break;
    case DEC_MULTIPLY:
        precision = a.precision + b.precision + 1;
        scale = a.scale + b.scale;
        break;
    case DEC_DIVIDE:
        return divide_result(a, b, allow_loss);
    case DEC_REMAINDER:
        precision = min_int(a.precision - a.scale, b.precision - b.scale) + scale;
        break;
    case DEC_DIV:
        precision = a.precision - a.scale + b.scale;
        return bounded(precision ? precision : 1, 0);
    }
    return allow_loss ? adjusted(precision, scale) : bounded(precision, scale);
}

struct type decimal_for(struct type t)
{
    switch ((enum type_id)t.id) {
    case TYPE_BYTE:
        return type_decimal(3, 0);
    case TYPE_SHORT:
        return type_decimal(5, 0);
    case TYPE_INT:
        return type_decimal(10, 0);
    case TYPE_LONG:
        return type_decimal(20, 0);
    case TYPE_FLOAT:
        return type_decimal(14, 7);
    case TYPE_DOUBLE:
        return type_decimal(30, 15);
    case TYPE_NULL:
    case TYPE_BOOLEAN:
    case TYPE_DECIMAL:
    case TYPE_STRING:
    case TYPE_BINARY:
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
    case TYPE_INTERVAL_MONTH:
    case TYPE_INTERVAL_DAY:
        break;
    }
    return t;
}

struct type decimal_wider(struct type a, struct type b)
{
    int scale = max_int(a.scale, b.scale);
    int whole = max_int(a.precision - a.scale, b.precision - b.scale);

    return bounded(whole + scale, scale);
}

/* ---- wide intermediates: an unsigned number of 256 bits ---- */

struct wide {
    u128 high, low;
};

static struct wide wide_product(u128 a, u128 b)
{
    u128 mask = UINT64_MAX;
    u128 ll = (a & mask) * (b & mask), lh = (a & mask) * (b >> 64);
    u128 hl = (a >> 64) * (b & mask), hh = (a >> 64) * (b >> 64);
    u128 middle = (ll >> 64) + (lh & mask) + (hl & mask);

    return (struct wide){ hh + (lh >> 64) + (hl >> 64) + (middle >> 64),
                          middle << 64 | (ll & mask) };
}

/* By 64 bits at a time. */
static struct wide wide_divide_small(struct wide n, uint64_t d, u128 *rest)
{
    uint64_t part[4] = { (uint64_t)(n.high >> 64), (uint64_t)n.high,
                         (uint64_t)(n.low >> 64), (uint64_t)n.low };
    u128 r = 0;

    for (int i = 0; i < 4; i++) {
        r = r << 64 | part[i];
        part[i] = (uint64_t)(r / d);
        r %= d;
    }
    *rest = r;
    return (struct wide){ (u128)part[0] << 64 | part[1], (u128)part[2] << 64 | part[3] };
}

/* Quotient of 256 by 128 bits, d > 0; the quotient may be as long as the dividend. Long
 * divisors go by bits: they are rare. */
static struct wide wide_divide(struct wide n, u128 d, u128 *rest)
{
    struct wide q = { n.high / d, 0 };
    u128 r = n.high % d;

    if (!n.high) {
        *rest = n.low % d;
        return (struct wide){ 0, n.low / d };
    }
    if (d <= UINT64_MAX)
        return wide_divide_small(n, (uint64_t)d, rest);
    for (int bit = 127; bit >= 0; bit--) {
        bool carry = r >> 127;

        r = r << 1 | (n.low >> bit & 1);
        if (carry || r >= d) {
            r -= d;
            q.low |= (u128)1 << bit;
        }
    }
    *rest = r;
    return q;
}

/* n / d rounded half up, as a signed number that fits the precision. */
static bool wide_round(struct wide n, u128 d, bool negative, int precision, i128 *out)
{
    u128 rest;
    struct wide q = wide_divide(n, d, &rest);

    if (q.high || q.low >= (u128)decimal_pow10[precision])
        return false;
    q.low += rest >= d - rest;
    if (q.low >= (u128)decimal_pow10[precision])
        return false;
    *out = negative ? -(i128)q.low : (i128)q.low;
    return true;
}

/* x / 10^digits half up; digits 1..38. */
static i128 shift_right(i128 x, int digits)
{
    i128 unit = decimal_pow10[digits];

    if (digits <= 18 && x >= INT64_MIN && x <= INT64_MAX) {
        int64_t small = (int64_t)x, by = (int64_t)unit;
        int64_t q = small / by, r = small % by;

        return q + (r >= by - r) - (-r >= by + r);
    }
    i128 q = x / unit, r = x % unit;
    return q + (r >= unit - r) - (-r >= unit + r);
}

bool decimal_rescale(i128 x, int from_scale, int to_precision, int to_scale, i128 *out)
{
    int up = to_scale - from_scale;
    i128 y = x;

    if (up < 0) {
        y = -up > 38 ? 0 : shift_right(x, -up);
    } else if (up > 0) {
        if (x && (up > 38 || !decimal_fits(x, up > 38 ? 0 : 38 - up)))
            return false;
        y = x ? x * decimal_pow10[up] : 0;
    }
    if (!decimal_fits(y, to_precision))
        return false;
    *out = y;
    return true;
}

/* ---- arithmetic ---- */

/* Both at the larger scale in 128 bits, where no digits can be lost by it. */
static bool aligned(i128 *x, struct type a, i128 *y, struct type b, int *scale)
{
    *scale = max_int(a.scale, b.scale);
    int up_x = *scale - a.scale, up_y = *scale - b.scale;

    if ((up_x && !decimal_fits(*x, 38 - up_x)) || (up_y && !decimal_fits(*y, 38 - up_y)))
        return false;
    *x *= decimal_pow10[up_x];
    *y *= decimal_pow10[up_y];
    return true;
}

static struct wide wide_sum(struct wide a, struct wide b)
{
    struct wide s = { a.high + b.high, a.low + b.low };

    s.high += s.low < a.low;
    return s;
}

static struct wide wide_difference(struct wide a, struct wide b)
{
    return (struct wide){ a.high - b.high - (a.low < b.low), a.low - b.low };
}

static bool wide_less(struct wide a, struct wide b)
{
    return a.high != b.high ? a.high < b.high : a.low < b.low;
}

/* A sum whose operands, at one scale, pass 38 digits. */
static bool add_wide(i128 x, struct type a, i128 y, struct type b, struct type r,
                     i128 *out)
{
    int scale = max_int(a.scale, b.scale);
    struct wide p =
        wide_product(decimal_magnitude(x), (u128)decimal_pow10[scale - a.scale]);
    struct wide q =
        wide_product(decimal_magnitude(y), (u128)decimal_pow10[scale - b.scale]);
    bool negative = x < 0;
    struct wide sum;

    if ((x < 0) == (y < 0)) {
        sum = wide_sum(p, q);
    } else if (wide_less(p, q)) {
        sum = wide_difference(q, p);
        negative = !negative;
    } else {
        sum = wide_difference(p, q);
    }
    return wide_round(sum, (u128)decimal_pow10[max_int(scale - r.scale, 0)], negative,
                      r.precision, out);
}

bool decimal_add(i128 x, struct type a, i128 y, struct type b, struct type r, i128 *out)
{
    i128 p = x, q = y;
    int scale;

    i128 sum;

    if (!aligned(&p, a, &q, b, &scale) || __builtin_add_overflow(p, q, &sum))
        return add_wide(x, a, y, b, r, out);
    return decimal_rescale(sum, scale, r.precision, r.scale, out);
}

bool decimal_subtract(i128 x, struct type a, i128 y, struct type b, struct type r,
                      i128 *out)
{
    return decimal_add(x, a, -y, b, r, out);
}

bool decimal_multiply(i128 x, struct type a, i128 y, struct type b, struct type r,
                      i128 *out)
{
    int down = a.scale + b.scale - r.scale;
    i128 product;

    if (!__builtin_mul_overflow(x, y, &product))
        return decimal_rescale(product, a.scale + b.scale, r.precision, r.scale, out);
    if (down < 0)
        return false; /* more scale than the factors have: longer still */
    struct wide exact = wide_product(decimal_magnitude(x), decimal_magnitude(y));
    u128 rest;
    for (; down > 38; down--) /* a digit behind the one that decides the rounding */
        exact = wide_divide(exact, 10, &rest);
    return wide_round(exact, (u128)decimal_pow10[down], (x < 0) != (y < 0), r.precision,
                      out);
}

/* 128 by 64 bits: one or two instructions where the machine has them. */
static u128 divide_by_long(u128 n, uint64_t d, uint64_t *rest)
{
    uint64_t high = (uint64_t)(n >> 64), low = (uint64_t)n, left = high % d, q;

#if defined(__x86_64__) && defined(__GNUC__)
    __asm__("divq %4" : "=a"(q), "=d"(*rest) : "a"(low), "d"(left), "r"(d) : "cc");
#else
    q = (uint64_t)(((u128)left << 64 | low) / d);
    *rest = (uint64_t)(((u128)left << 64 | low) % d);
#endif
    return (u128)(high / d) << 64 | q;
}

/* Spark keeps 39 digits behind the point, cut, and rounds those: the same as rounding
 * once. */
bool decimal_divide(i128 x, struct type a, i128 y, struct type b, struct type r,
                    i128 *out)
{
    int up = r.scale + b.scale - a.scale;
    u128 dividend = decimal_magnitude(x), divisor = decimal_magnitude(y);
    struct wide n;

    if (!y)
        return false;
    if (up >= 0 && up <= 19 && dividend <= UINT64_MAX && divisor <= UINT64_MAX) {
        uint64_t by = (uint64_t)divisor, rest; /* 64 bits times 10^19 are 128 */
        u128 q = divide_by_long(dividend * (u128)decimal_pow10[up], by, &rest);

        q += rest >= by - rest;
        if (q >= (u128)decimal_pow10[r.precision])
            return false;
        *out = (x < 0) != (y < 0) ? -(i128)q : (i128)q;
        return true;
    }
    if (up < 0) {
        n = (struct wide){ 0, dividend };
        if (-up > 38 || divisor > (u128)-1 / (u128)decimal_pow10[-up]) {
            *out = 0; /* the divisor is more than twice any dividend */
            return true;
        }
        divisor *= (u128)decimal_pow10[-up];
    } else if (up <= 38) {
        n = wide_product(dividend, (u128)decimal_pow10[up]);
    } else {
        n = wide_product(dividend, (u128)decimal_pow10[38]);
        struct wide more = wide_product(n.low, (u128)decimal_pow10[up - 38]);
        struct wide high = wide_product(n.high, (u128)decimal_pow10[up - 38]);

        if (high.high || more.high + high.low < high.low)
            return false;
        n = (struct wide){ more.high + high.low, more.low };
    }
    return wide_round(n, divisor, (x < 0) != (y < 0), r.precision, out);
}

/* The remainder of n by d, both of 256 bits, the result below d; by bits as well. */
static u128 wide_modulo(struct wide n, u128 d)
{
    u128 rest;

    wide_divide(n, d, &rest);
    return rest;
}

bool decimal_remainder(i128 x, struct type a, i128 y, struct type b, struct type r,
                       i128 *out)
{
    int scale = max_int(a.scale, b.scale);
    i128 p = x, q = y;

    if (!y)
        return false;
    if (!aligned(&p, a, &q, b, &scale)) {
        if (b.scale < scale && !decimal_fits(y, 38 - (scale - b.scale))) {
            /* the divisor is longer than 38 digits at this scale, and so larger than x */
            p = x;
            scale = a.scale;
            return decimal_rescale(p, scale, r.precision, r.scale, out);
        }
        q = y * decimal_pow10[scale - b.scale];
        struct wide n =
            wide_product(decimal_magnitude(x), (u128)decimal_pow10[scale - a.scale]);
        i128 rest = (i128)wide_modulo(n, decimal_magnitude(q));
        return decimal_rescale(x < 0 ? -rest : rest, scale, r.precision, r.scale, out);
    }
    return decimal_rescale(p % q, scale, r.precision, r.scale, out);
}

bool decimal_div(i128 x, struct type a, i128 y, struct type b, int64_t *out)
{
    int scale;
    i128 p = x, q = y;

    if (!y)
        return false;
    if (!aligned(&p, a, &q, b, &scale)) {
        scale = max_int(a.scale, b.scale);
        if (b.scale < scale && !decimal_fits(y, 38 - (scale - b.scale))) {
            *out = 0;
            return true;
        }
        u128 rest;
        struct wide n =
            wide_product(decimal_magnitude(x), (u128)decimal_pow10[scale - a.scale]);
        struct wide w = wide_divide(
            n, decimal_magnitude(y) * (u128)decimal_pow10[scale - b.scale], &rest);
        uint64_t low = (uint64_t)w.low;
        *out = (int64_t)((x < 0) != (y < 0) ? 0 - low : low);
        return true;
    }
    *out = (int64_t)(uint64_t)(u128)(p / q);
    return true;
}

int decimal_cmp(i128 x, int x_scale, i128 y, int y_scale)
{
    struct type a = type_decimal(38, x_scale), b = type_decimal(38, y_scale);
    i128 p = x, q = y;
    int scale;

    if (aligned(&p, a, &q, b, &scale))
        return p < q ? -1 : p > q;
    if ((x < 0) != (y < 0))
        return x < 0 ? -1 : 1;
    scale = max_int(x_scale, y_scale);
    struct wide v =
        wide_product(decimal_magnitude(x), (u128)decimal_pow10[scale - x_scale]);
    struct wide w =
        wide_product(decimal_magnitude(y), (u128)decimal_pow10[scale - y_scale]);
    int order = wide_less(v, w) ? -1 : wide_less(w, v);
    return x < 0 ? -order : order;
}

static i128 divide_rounding(i128 x, i128 unit, enum decimal_rounding how)
{
    i128 q = x / unit, r = x % unit;
    int sign = x < 0 ? -1 : 1;
    i128 left = r < 0 ? -r : r;

    switch (how) {
    case ROUND_HALF_UP:
        return left >= unit - left ? q + sign : q;
    case ROUND_HALF_EVEN:
        return left > unit - left || (left == unit - left && q % 2) ? q + sign : q;
    case ROUND_FLOOR:
        return r < 0 ? q - 1 : q;
    case ROUND_CEIL:
        return r > 0 ? q + 1 : q;
    case ROUND_DOWN:
        break;
    }
    return q;
}

bool decimal_round(i128 x, int scale, int to, enum decimal_rounding how, i128 *out)
{
    int down = scale - to;
    i128 y;

    if (down <= 0) {
        if (!decimal_fits(x, max_int(38 + down, 0)))
            return x == 0 ? (*out = 0, true) : false;
        *out = x * decimal_pow10[-down];
        return true;
    }
    /* beyond 38 digits only floor and ceil of what is not 0 leave anything, and that is
     * too long then */
    if (down > 38) {
        bool away = (how == ROUND_FLOOR && x < 0) || (how == ROUND_CEIL && x > 0);

        if (away)
            return false;
        *out = 0;
        return true;
    }
    if (how == ROUND_HALF_UP && to >= 0 && down <= 18 && x >= INT64_MIN &&
        x <= INT64_MAX) {
        *out = shift_right(x, down);
        return true;
    }
    y = divide_rounding(x, decimal_pow10[down], how);
    if (to < 0) {
        if (y && (-to > 38 || !decimal_fits(y, 38 + to)))
            return false;
        y = y ? y * decimal_pow10[-to] : 0;
    }
    if (!decimal_fits(y, 38))
        return false;
    *out = y;
    return true;
}
