/* Operators and functions on the bits of integers. */
#include "engine/expr/func_list.h"
#include "engine/expr/kernel.h"

/* & | ^: both operands as the wider integer of the two. */
static enum errc bind_bits(struct func_bind *b, struct err *err)
{
    struct type t;

    if (b->n_args == 2)
        for (uint32_t i = 0; i < 2; i++)
            if (!type_is_integral(b->args[i]->type) && b->args[i]->type.id != TYPE_NULL)
                return type_eq(b->args[0]->type, b->args[1]->type)
                           ? func_refuse_both(b, "\"INTEGRAL\"", err)
                           : func_refuse_pair(b, err);
    for (uint32_t i = 0; i < b->n_args; i++)
        if (!type_is_integral(b->args[i]->type) && b->args[i]->type.id != TYPE_NULL)
            return func_refuse(b, i, "\"INTEGRAL\"", err);
    if (b->n_args == 1) {
        b->type = b->want[0] =
            b->args[0]->type.id == TYPE_NULL ? type_of(TYPE_INT) : b->args[0]->type;
        return ERR_OK;
    }
    if (b->args[0]->type.id == TYPE_NULL && b->args[1]->type.id == TYPE_NULL)
        b->want[0] = b->want[1] = t = type_of(TYPE_INT);
    else if (!func_arith_types(b, &t))
        return func_refuse_pair(b, err);
    b->type = t;
    return ERR_OK;
}

#define BITS(name, op)                                                                   \
    KERNEL2(name##_i8, int8_t, int8_t, int8_t, x op y)                                   \
    KERNEL2(name##_i16, int16_t, int16_t, int16_t, x op y)                               \
    KERNEL2(name##_i32, int32_t, int32_t, int32_t, x op y)                               \
    KERNEL2(name##_i64, int64_t, int64_t, int64_t, x op y)                               \
    static enum errc run_##name(struct eval_call *c, struct err *err)                    \
    {                                                                                    \
        static const kernel2_fn by_width[] = { name##_i8, name##_i16, name##_i32,        \
                                               name##_i64 };                             \
                                                                                         \
        (void)err;                                                                       \
        by_width[__builtin_ctzl(type_width(c->out->type))](c->batch, eval_flat(c, 0),    \
                                                           eval_flat(c, 1), c->out);     \
        return ERR_OK;                                                                   \
    }

BITS(and, &)
BITS(or, |)
BITS(xor, ^)

KERNEL1(not_i8, int8_t, int8_t, ~x)
KERNEL1(not_i16, int16_t, int16_t, ~x)
KERNEL1(not_i32, int32_t, int32_t, ~x)
KERNEL1(not_i64, int64_t, int64_t, ~x)

static enum errc run_not(struct eval_call *c, struct err *err)
{
    static const kernel1_fn by_width[] = { not_i8, not_i16, not_i32, not_i64 };

    (void)err;
    by_width[__builtin_ctzl(type_width(c->out->type))](c->batch, eval_flat(c, 0), c->out);
    return ERR_OK;
}

/* Of an int or a bigint; only the low bits of the distance count, as in Java. */
static enum errc bind_shift(struct func_bind *b, struct err *err)
{
    if (b->args[0]->type.id == TYPE_LONG)
        return func_bind_sig(b, "li:l", err);
    return func_bind_sig(b, "ii:i", err);
}

#define SHIFT(name, X32, X64)                                                            \
    KERNEL2(name##_i32, int32_t, int32_t, int32_t, X32)                                  \
    KERNEL2(name##_i64, int64_t, int32_t, int64_t, X64)                                  \
    static enum errc run_##name(struct eval_call *c, struct err *err)                    \
    {                                                                                    \
        (void)err;                                                                       \
        (c->out->type.id == TYPE_LONG ? name##_i64 : name##_i32)(                        \
            c->batch, eval_flat(c, 0), eval_flat(c, 1), c->out);                         \
        return ERR_OK;                                                                   \
    }

SHIFT(left, (uint32_t)x << (y & 31), (uint64_t)x << (y & 63))
SHIFT(right, x >> (y & 31), x >> (y & 63))
SHIFT(right_unsigned, (uint32_t)x >> (y & 31), (uint64_t)x >> (y & 63))

static enum errc bind_count(struct func_bind *b, struct err *err)
{
    if (!type_is_integral(b->args[0]->type) && b->args[0]->type.id != TYPE_BOOLEAN)
        return func_refuse(b, 0, "(\"INTEGRAL\" or \"BOOLEAN\")", err);
    b->type = type_of(TYPE_INT);
    return ERR_OK;
}

/* Negative numbers count as 64 bits whatever their type. */
static enum errc run_count(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0);

    (void)err;
    EACH_VALID_ROW(c, row)
    ((int32_t *)c->out->data)[row] = __builtin_popcountll((uint64_t)int_at(v, row));
    return ERR_OK;
}

static enum errc bind_get(struct func_bind *b, struct err *err)
{
    if (!type_is_integral(b->args[0]->type))
        return func_refuse(b, 0, "\"INTEGRAL\"", err);
    b->want[1] = type_of(TYPE_INT);
    b->type = type_of(TYPE_BYTE);
    return ERR_OK;
}

static enum errc run_get(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0), *p = eval_flat(c, 1);
    int32_t bits = (int32_t)type_width(v->type) * 8;

    EACH_VALID_ROW(c, row)
    {
        int32_t at = ARG_AT(int32_t, p, row);

        if (at < 0 || at >= bits)
            return err_set(err, ERR_SYNTAX,
                           "[INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE] The value of "
                           "parameter(s) `pos` in `bit_get` is invalid: expects an "
                           "integer value in [0, %d), but got %d.",
                           bits, at);
        ((int8_t *)c->out->data)[row] = (int8_t)(int_at(v, row) >> at & 1);
    }
    return ERR_OK;
}

#define STRICT FUNC_NULL_INTOLERANT
#define OPERATOR(text, fn, n, flag, words)                                               \
    {                                                                                    \
        .name = text, .symbol = text, .min_args = n, .max_args = n,                      \
        .flags = STRICT | flag, .bind = bind_bits, .run = run_##fn, .usage = words       \
    }
#define SHIFTING(text, fn, words)                                                        \
    {                                                                                    \
        .name = text, .min_args = 2, .max_args = 2, .flags = STRICT, .bind = bind_shift, \
        .run = run_##fn, .usage = words                                                  \
    }

const struct func bit_funcs[] = {
    OPERATOR("&", and, 2, FUNC_COMMUTATIVE, "expr1 & expr2 - Bitwise AND."),
    OPERATOR("|", or, 2, FUNC_COMMUTATIVE, "expr1 | expr2 - Bitwise OR."),
    OPERATOR("^", xor, 2, FUNC_COMMUTATIVE, "expr1 ^ expr2 - Bitwise exclusive OR."),
    OPERATOR("~", not, 1, 0, "~ expr - Bitwise NOT."),
    SHIFTING("shiftleft", left, "shiftleft(base, n) - `base` shifted left by n bits."),
    SHIFTING("shiftright", right, "shiftright(base, n) - Shifted right, with its sign."),
    SHIFTING("shiftrightunsigned", right_unsigned,
             "shiftrightunsigned(base, n) - Shifted right, zeros first."),
    { .name = "bit_count",
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT,
      .bind = bind_count,
      .run = run_count,
      .usage = "bit_count(expr) - How many bits are set." },
    { .name = "bit_get",
      .aliases = "getbit",
      .min_args = 2,
      .max_args = 2,
      .flags = STRICT,
      .bind = bind_get,
      .run = run_get,
      .usage = "bit_get(expr, pos) - The bit at `pos`, 0 the lowest." },
    { 0 },
};
