/* Which types meet, and which may become which: Spark 3.5's TypeCoercion without ANSI.
 *
 * Operators have further rules of their own (literals, booleans beside numbers), which
 * stand with the functions. */
#include "engine/column/decimal.h"
#include "engine/expr/func.h"

static bool is_real(struct type t)
{
    return t.id == TYPE_FLOAT || t.id == TYPE_DOUBLE;
}

static bool is_moment(struct type t)
{
    return t.id == TYPE_TIMESTAMP || t.id == TYPE_TIMESTAMP_NTZ;
}

static bool is_interval(struct type t)
{
    return t.id == TYPE_INTERVAL_MONTH || t.id == TYPE_INTERVAL_DAY;
}

static struct type wider_number(struct type a, struct type b)
{
    if (a.id != TYPE_DECIMAL && b.id != TYPE_DECIMAL) /* in the order of their ids */
        return a.id > b.id ? a : b;
    if (is_real(a) || is_real(b))
        return type_of(TYPE_DOUBLE);
    return decimal_wider(decimal_for(a), decimal_for(b));
}

static struct type wider_interval(struct type a, struct type b)
{
    unsigned first_a = a.units >> 4, first_b = b.units >> 4;
    unsigned last_a = a.units & 15, last_b = b.units & 15;

    return type_interval((enum interval_unit)(first_a < first_b ? first_a : first_b),
                         (enum interval_unit)(last_a > last_b ? last_a : last_b));
}

/* Without regard to text (findTightestCommonType, and decimals widened). */
static bool common_of_kind(struct type a, struct type b, struct type *out)
{
    if (type_eq(a, b) || b.id == TYPE_NULL)
        *out = a;
    else if (a.id == TYPE_NULL)
        *out = b;
    else if (type_is_numeric(a) && type_is_numeric(b))
        *out = wider_number(a, b);
    else if (is_interval(a) && a.id == b.id)
        *out = wider_interval(a, b);
    else if (is_moment(a) && is_moment(b))
        *out = type_of(TYPE_TIMESTAMP);
    else if (is_moment(a) && b.id == TYPE_DATE)
        *out = a;
    else if (a.id == TYPE_DATE && is_moment(b))
        *out = b;
    else
        return false;
    return true;
}

bool coerce_common(struct type a, struct type b, struct type *out)
{
    struct type other = a.id == TYPE_STRING ? b : a;

    if (common_of_kind(a, b, out))
        return true;
    if ((a.id != TYPE_STRING && b.id != TYPE_STRING) || is_interval(other))
        return false;
    *out = other.id == TYPE_DECIMAL ? type_of(TYPE_DOUBLE) : other;
    return true;
}

bool coerce_union(struct type a, struct type b, struct type *out)
{
    struct type other = a.id == TYPE_STRING ? b : a;

    if (common_of_kind(a, b, out))
        return true;
    if ((a.id != TYPE_STRING && b.id != TYPE_STRING) || other.id == TYPE_BOOLEAN ||
        other.id == TYPE_BINARY)
        return false;
    *out = type_of(TYPE_STRING);
    return true;
}

bool coerce_implicit(struct type from, struct type to)
{
    if (type_eq(from, to) || from.id == TYPE_NULL || to.id == TYPE_STRING)
        return true;
    if (type_is_numeric(to))
        return type_is_numeric(from) || from.id == TYPE_STRING;
    if (is_moment(to) || to.id == TYPE_DATE)
        return from.id == TYPE_STRING || from.id == TYPE_DATE || is_moment(from);
    return to.id == TYPE_BINARY && from.id == TYPE_STRING;
}

bool cast_possible(struct type from, struct type to)
{
    bool number = type_is_numeric(from);

    if (type_eq(from, to) || from.id == TYPE_NULL)
        return true;
    switch ((enum type_id)to.id) {
    case TYPE_NULL:
        return false;
    case TYPE_STRING:
        return true;
    case TYPE_BINARY:
        return from.id == TYPE_STRING || type_is_integral(from);
    case TYPE_BOOLEAN:
    case TYPE_TIMESTAMP:
        return number || from.id == TYPE_STRING || from.id == TYPE_BOOLEAN ||
               from.id == TYPE_DATE || from.id == TYPE_TIMESTAMP ||
               (from.id == TYPE_TIMESTAMP_NTZ && to.id == TYPE_TIMESTAMP);
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_INT:
    case TYPE_LONG:
    case TYPE_DECIMAL:
        if (is_interval(from))
            return true;
        return number || from.id == TYPE_STRING || from.id == TYPE_BOOLEAN ||
               from.id == TYPE_DATE || from.id == TYPE_TIMESTAMP;
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        return number || from.id == TYPE_STRING || from.id == TYPE_BOOLEAN ||
               from.id == TYPE_DATE || from.id == TYPE_TIMESTAMP;
    case TYPE_DATE:
        return from.id == TYPE_STRING || is_moment(from);
    case TYPE_TIMESTAMP_NTZ:
        return from.id == TYPE_STRING || from.id == TYPE_DATE || is_moment(from);
    case TYPE_INTERVAL_MONTH:
    case TYPE_INTERVAL_DAY:
        return from.id == TYPE_STRING || from.id == to.id || type_is_integral(from) ||
               from.id == TYPE_DECIMAL;
    }
    return false;
}
