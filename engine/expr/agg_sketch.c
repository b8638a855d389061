/* bit_and, bit_or, bit_xor, and approx_count_distinct by HyperLogLog++.
 *
 * The registers are Spark's to the bit: xxHash64 of the value, its first p bits choose a
 * register, the zeros that follow count; ten registers of 6 bits share a word, and the
 * words are the partial columns. What is left out is the correction of bias for estimates
 * below 5m with no register empty, which at p = 9 hardly happens. */
#include "engine/expr/agg_list.h"
#include "engine/expr/hash.h"

#include <math.h>
#include <stdlib.h>

/* ---- bits ---- */

enum { BIT_AND, BIT_OR, BIT_XOR };

struct bits {
    int64_t value;
    int64_t seen;
};

static enum errc bind_bits(struct agg_bind *b, struct err *err)
{
    return agg_bind_sig(b, "g:1", err);
}

static uint32_t name_bits(const struct expr *e, struct type *types, const char **names)
{
    types[0] = e->type;
    names[0] = e->agg->name;
    return 1;
}

static size_t bits_bytes(const struct agg_run *r)
{
    (void)r;
    return sizeof(struct bits);
}

static inline void bits_add(uint8_t *state, int64_t x, int how)
{
    struct bits *s = (struct bits *)state;

    if (!s->seen)
        s->value = x;
    else if (how == BIT_AND)
        s->value &= x;
    else if (how == BIT_OR)
        s->value |= x;
    else
        s->value ^= x;
    s->seen = 1;
}

static void bits_update(uint8_t **states, const struct vec *v, const struct batch *b,
                        int how)
{
    switch (type_width(v->type)) {
    case 1:
        AGG_EACH(int8_t, v, b, bits_add(states[i], x, how));
        break;
    case 2:
        AGG_EACH(int16_t, v, b, bits_add(states[i], x, how));
        break;
    case 4:
        AGG_EACH(int32_t, v, b, bits_add(states[i], x, how));
        break;
    default:
        AGG_EACH(int64_t, v, b, bits_add(states[i], x, how));
        break;
    }
}

#define BITS(name, how)                                                                  \
    static void name##_update(const struct agg_run *r, uint8_t **states,                 \
                              const struct vec *args, const struct batch *b)             \
    {                                                                                    \
        (void)r;                                                                         \
        bits_update(states, &args[0], b, how);                                           \
    }
BITS(and, BIT_AND)
BITS(or, BIT_OR)
BITS(xor, BIT_XOR)

static void bits_out(const struct agg_run *r, uint8_t *const *states, uint32_t n,
                     struct vec *out)
{
    (void)r;
    for (uint32_t i = 0; i < n; i++) {
        const struct bits *s = (const struct bits *)states[i];
        struct value x = { .type = out->type, .null = !s->seen, .u.i = s->value };

        value_store(out, i, &x);
    }
}

/* ---- approx_count_distinct ---- */

enum { REGISTER_BITS = 6, PER_WORD = 10 };

/* The relative standard deviation, which has to be constant; 0.05 where it is not said.
 */
static double wanted_error(const struct expr *e)
{
    struct arena scratch = { 0 };
    struct value v;
    struct err err;
    double rsd = 0.05;

    if (e->n_args > 1 && expr_foldable(e->args[1])) {
        struct expr *d = expr_cast(&scratch, e->args[1], type_of(TYPE_DOUBLE));

        if (eval_constant(&scratch, d, NULL, &v, &err) == ERR_OK && !v.null)
            rsd = v.u.f;
    }
    arena_release(&scratch);
    return rsd;
}

static int precision_of(const struct expr *e)
{
    int p = (int)ceil(2.0 * log(1.106 / wanted_error(e)) / log(2.0));

    return p < 4 ? 4 : p;
}

static uint32_t n_words(int p)
{
    return ((1u << p) + PER_WORD - 1) / PER_WORD;
}

static enum errc bind_hll(struct agg_bind *b, struct err *err)
{
    struct expr e = { .kind = EXPR_AGGREGATE, .args = b->args, .n_args = b->n_args };

    if (b->n_args > 1 && !expr_foldable(b->args[1]))
        return agg_refuse(b, 1, "constant \"DOUBLE\"", err);
    if (n_words(precision_of(&e)) > AGG_MAX_BUFFER)
        return err_set(err, ERR_SYNTAX,
                       "approx_count_distinct: relative errors below 0.05 are not "
                       "supported");
    b->type = type_of(TYPE_LONG);
    b->nullable = false;
    return ERR_OK;
}

static uint32_t name_words(const struct expr *e, struct type *types, const char **names)
{
    static const char *const all[AGG_MAX_BUFFER] = {
        "MS[0]",  "MS[1]",  "MS[2]",  "MS[3]",  "MS[4]",  "MS[5]",  "MS[6]",  "MS[7]",
        "MS[8]",  "MS[9]",  "MS[10]", "MS[11]", "MS[12]", "MS[13]", "MS[14]", "MS[15]",
        "MS[16]", "MS[17]", "MS[18]", "MS[19]", "MS[20]", "MS[21]", "MS[22]", "MS[23]",
        "MS[24]", "MS[25]", "MS[26]", "MS[27]", "MS[28]", "MS[29]", "MS[30]", "MS[31]",
        "MS[32]", "MS[33]", "MS[34]", "MS[35]", "MS[36]", "MS[37]", "MS[38]", "MS[39]",
        "MS[40]", "MS[41]", "MS[42]", "MS[43]", "MS[44]", "MS[45]", "MS[46]", "MS[47]",
        "MS[48]", "MS[49]", "MS[50]", "MS[51]",
    };
    uint32_t n = n_words(precision_of(e));

    for (uint32_t i = 0; i < n; i++) {
        types[i] = type_of(TYPE_LONG);
        names[i] = all[i];
    }
    return n;
}

static size_t hll_bytes(const struct agg_run *r)
{
    return n_words(precision_of(r->expr)) * sizeof(uint64_t);
}

static void raise_register(uint64_t *words, uint32_t index, uint64_t rank)
{
    uint32_t shift = index % PER_WORD * REGISTER_BITS;
    uint64_t mask = UINT64_C(63) << shift, *word = &words[index / PER_WORD];

    if (rank > (*word & mask) >> shift)
        *word = (*word & ~mask) | rank << shift;
}

static void hll_update(const struct agg_run *r, uint8_t **states, const struct vec *args,
                       const struct batch *b)
{
    uint64_t hashes[BATCH_ROWS];
    int p = precision_of(r->expr);

    for (uint32_t i = 0; i < b->n_rows; i++)
        hashes[i] = 42;
    xxhash64_column(&args[0], b, hashes);
    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);
        uint64_t x = hashes[row];

        if (args[0].type.id == TYPE_NULL || agg_null_at(&args[0], row))
            continue;
        uint64_t rest = x << p | UINT64_C(1) << (p - 1);
        raise_register((uint64_t *)states[i], (uint32_t)(x >> (64 - p)),
                       (uint64_t)__builtin_clzll(rest) + 1);
    }
}

static void hll_merge(const struct agg_run *r, uint8_t **states,
                      const struct vec *buffers, const struct batch *b)
{
    uint32_t m = 1u << precision_of(r->expr);

    for (uint32_t i = 0; i < b->n_sel; i++)
        for (uint32_t k = 0; k < m; k++) {
            uint64_t word =
                *(const uint64_t *)vec_at(&buffers[k / PER_WORD], batch_row(b, i));

            raise_register((uint64_t *)states[i], k,
                           word >> (k % PER_WORD * REGISTER_BITS) & 63);
        }
}

static void hll_partial(const struct agg_run *r, uint8_t *const *states, uint32_t n,
                        struct vec *buffers)
{
    uint32_t words = n_words(precision_of(r->expr));

    for (uint32_t k = 0; k < words; k++)
        for (uint32_t i = 0; i < n; i++)
            ((uint64_t *)buffers[k].data)[i] = ((const uint64_t *)states[i])[k];
}

static double alpha(int p)
{
    double m = (double)(1u << p);

    return p == 4 ? 0.673 : p == 5 ? 0.697 : p == 6 ? 0.709 : 0.7213 / (1.0 + 1.079 / m);
}

/* Up to these estimates counting empty registers is better; by p from 4. */
static const double thresholds[] = { 10, 20, 40, 80, 220, 400 };

static int64_t hll_estimate(const uint64_t *words, int p)
{
    uint32_t m = 1u << p;
    double sum = 0, empty = 0, dm = (double)m;

    for (uint32_t k = 0; k < m; k++) {
        uint64_t rank = words[k / PER_WORD] >> (k % PER_WORD * REGISTER_BITS) & 63;

        sum += 1.0 / (double)(UINT64_C(1) << rank);
        empty += rank == 0;
    }
    double e = alpha(p) * dm * dm / sum;
    if (empty > 0) {
        double h = dm * log(dm / empty);

        if (h <= thresholds[p - 4] || e <= 5.0 * dm)
            e = h;
    }
    return (int64_t)floor(e + 0.5);
}

static void hll_final(const struct agg_run *r, uint8_t *const *states, uint32_t n,
                      struct vec *out)
{
    int p = precision_of(r->expr);

    for (uint32_t i = 0; i < n; i++)
        ((int64_t *)out->data)[i] = hll_estimate((const uint64_t *)states[i], p);
}

#define BIT(text, fn, words)                                                             \
    {                                                                                    \
        .name = text, .min_args = 1, .max_args = 1, .duplicates_matter = true,           \
        .bind = bind_bits, .buffers = name_bits, .state_bytes = bits_bytes,              \
        .update = fn##_update, .merge = fn##_update, .partial = bits_out,                \
        .final = bits_out, .usage = words                                                \
    }

/* Plans show the error asked for, or its default. */
static void print_hll(struct strbuf *out, const struct expr *e, enum expr_print how)
{
    expr_print(out, e->args[0], how);
    if (e->n_args > 1) {
        strbuf_addz(out, ", ");
        expr_print(out, e->args[1], how);
    } else if (how == PRINT_PLAN) {
        strbuf_addz(out, ", 0.05");
    }
    if (how == PRINT_PLAN)
        strbuf_addz(out, ", 0, 0");
}

const struct agg sketch_aggs[] = {
    BIT("bit_and", and, "bit_and(expr) - Bitwise AND of all values."),
    BIT("bit_or", or, "bit_or(expr) - Bitwise OR of all values."),
    BIT("bit_xor", xor, "bit_xor(expr) - Bitwise exclusive OR of all values."),
    { .name = "approx_count_distinct",
      .print_args = print_hll,
      .min_args = 1,
      .max_args = 2,
      .bind = bind_hll,
      .buffers = name_words,
      .state_bytes = hll_bytes,
      .update = hll_update,
      .merge = hll_merge,
      .partial = hll_partial,
      .final = hll_final,
      .usage = "approx_count_distinct(expr[, error]) - About how many values differ." },
    { 0 },
};
