/* Texts that go out or come in: masks, check digits. */
#include "engine/expr/func_list.h"
#include "engine/expr/text.h"

#include <ctype.h>

/* ---- mask ---- */

enum { MASK_ARGS = 5 };

/* Replacements that are left out: X, x, n and none. They show, as in Spark. */
static enum errc bind_mask(struct func_bind *b, struct err *err)
{
    static const char *const usual[] = { "X", "x", "n" };
    struct expr **args = arena_array(b->arena, MASK_ARGS, sizeof *args);
    struct value v;

    for (uint32_t i = 0; i < MASK_ARGS; i++) {
        if (i < b->n_args)
            args[i] = b->args[i];
        else if (i < 4)
            args[i] = expr_literal(b->arena, value_string(sv(usual[i - 1])));
        else
            args[i] = expr_literal(b->arena, value_null(type_of(TYPE_STRING)));
    }
    b->args = args;
    b->n_args = MASK_ARGS;
    b->want = arena_array(b->arena, MASK_ARGS, sizeof *b->want);
    for (uint32_t i = 0; i < MASK_ARGS; i++)
        b->want[i] = args[i]->type;
    TRY(func_bind_sig(b, "s*:s", err));
    for (uint32_t i = 1; i < MASK_ARGS; i++) {
        if (!expr_foldable(args[i]))
            return err_set(err, ERR_SYNTAX,
                           "[DATATYPE_MISMATCH.NON_FOLDABLE_INPUT] Cannot resolve \"mask\" "
                           "due to data type mismatch: its replacements must be foldable "
                           "STRING expressions.");
        if (func_literal(args[i], &v) && type_is_text(v.type) &&
            count_chars(v.u.s) != 1)
            return err_set(err, ERR_SYNTAX,
                           "[DATATYPE_MISMATCH.INPUT_SIZE_NOT_ONE] Cannot resolve \"mask\" "
                           "due to data type mismatch: Length of its replacements should "
                           "be 1.");
    }
    return ERR_OK;
}

/* Which of the replacements a character gets, from 1. */
static uint32_t mask_class(uint32_t code)
{
    if (text_lower(code) != code)
        return 1;
    if (text_upper(code) != code)
        return 2;
    return code >= '0' && code <= '9' ? 3 : 4;
}

static enum errc run_mask(struct eval_call *c, struct err *err)
{
    (void)err;
    flatten_all(c);
    EACH_ROW(c, row)
    {
        struct sv with[MASK_ARGS] = { 0 }, s;
        char *to;
        size_t n = 0, step;

        if (vec_is_null(eval_flat(c, 0), row)) {
            c->out->valid[row] = 0;
            continue;
        }
        for (uint32_t k = 1; k < MASK_ARGS; k++)
            if (!vec_is_null(eval_flat(c, k), row))
                with[k] = arg_sv(eval_flat(c, k), row);
        s = arg_sv(eval_flat(c, 0), row);
        to = text_room(c, s.len * 4);
        for (size_t i = 0; i < s.len; i += step) {
            size_t whole;
            uint32_t code = text_code(sv_from(s, i), &whole);
            struct sv put = with[mask_class(code)];

            step = char_bytes(s.p + i, s.len - i);
            if (!put.p)
                put = (struct sv){ s.p + i, step };
            memcpy(to + n, put.p, put.len);
            n += put.len;
        }
        text_put(c, row, (struct sv){ to, n });
    }
    return ERR_OK;
}

/* ---- luhn_check ---- */

static bool luhn(struct sv s)
{
    int sum = 0;

    for (size_t i = 0; i < s.len; i++) {
        int digit = s.p[s.len - 1 - i] - '0';

        if (digit < 0 || digit > 9)
            return false;
        if (i % 2)
            digit = digit > 4 ? digit * 2 - 9 : digit * 2;
        sum += digit;
    }
    return s.len && sum % 10 == 0;
}

static enum errc run_luhn(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0);

    (void)err;
    EACH_VALID_ROW(c, row)
    ((uint8_t *)c->out->data)[row] = luhn(arg_sv(v, row));
    return ERR_OK;
}

const struct func guard_funcs[] = {
    { .name = "mask",
      .min_args = 1,
      .max_args = MASK_ARGS,
      .flags = FUNC_MAYBE_NULL,
      .bind = bind_mask,
      .run = run_mask,
      .usage = "mask(input[, upperChar, lowerChar, digitChar, otherChar]) - Letters and "
               "digits replaced." },
    { .name = "luhn_check",
      .min_args = 1,
      .max_args = 1,
      .flags = FUNC_NULL_INTOLERANT,
      .sig = "s:b",
      .run = run_luhn,
      .usage = "luhn_check(str) - Are its digits valid by the Luhn algorithm?" },
    { 0 },
};
