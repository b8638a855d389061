/* Row groups that no row of can pass a filter are not read. Statistics bound what is
 * there: a text's least and greatest may be shortened, but stay bounds. */
#include "engine/store/parquet.h"

#include "engine/store/parquet_decode.h"

#include <math.h>

uint32_t parquet_leaf_ix(const struct parquet_file *f, struct sv name)
{
    for (uint32_t i = 0; i < f->n_leaves; i++)
        if (!f->leaves[i].nested && sv_eq_nocase(f->leaves[i].name, name))
            return i;
    return UINT32_MAX;
}

struct bounds {
    struct value min, max;
    bool known;
};

static bool is_nan(const struct value *v)
{
    return (v->type.id == TYPE_FLOAT || v->type.id == TYPE_DOUBLE) && isnan(v->u.f);
}

static struct bounds bounds_of(const struct parquet_leaf *leaf,
                               const struct parquet_chunk *c)
{
    struct bounds b = { 0 };

    /* the order of these in statistics is not the values' order, or was long undefined */
    if (leaf->physical == PQ_INT96 || leaf->unsigned_int || leaf->no_type)
        return b;
    b.known = plain_value(leaf, c->stats.min, &b.min) &&
              plain_value(leaf, c->stats.max, &b.max) && !is_nan(&b.min) &&
              !is_nan(&b.max);
    return b;
}

static bool comparable(const struct bounds *b, const struct value *v)
{
    return b->known && !v->null && type_eq(b->min.type, v->type) && !is_nan(v);
}

/* Texts from `prefix` on, up to the last that starts with it. */
static bool prefix_between(const struct bounds *b, struct sv prefix)
{
    struct sv min = b->min.u.s;

    if (min.len > prefix.len)
        min.len = prefix.len;
    return sv_cmp(b->max.u.s, prefix) >= 0 && sv_cmp(min, prefix) <= 0;
}

static bool in_bounds(const struct bounds *b, const struct value *v)
{
    if (v->null)
        return false;
    return !comparable(b, v) ||
           (value_cmp(&b->min, v) <= 0 && value_cmp(v, &b->max) <= 0);
}

static bool compare_may_match(const struct pushed *p, const struct bounds *b)
{
    const struct value *v = p->values;

    switch (p->kind) {
    case PUSHED_EQ:
        return in_bounds(b, v);
    case PUSHED_EQ_NULL_SAFE:
        return v->null || in_bounds(b, v);
    case PUSHED_IN:
        for (uint32_t i = 0; i < p->n_values; i++)
            if (in_bounds(b, &v[i]))
                return true;
        return p->n_values == 0;
    case PUSHED_LT:
        return !comparable(b, v) || value_cmp(&b->min, v) < 0;
    case PUSHED_LE:
        return !comparable(b, v) || value_cmp(&b->min, v) <= 0;
    case PUSHED_GT:
        return !comparable(b, v) || value_cmp(&b->max, v) > 0;
    case PUSHED_GE:
        return !comparable(b, v) || value_cmp(&b->max, v) >= 0;
    case PUSHED_STARTS_WITH:
        return !comparable(b, v) || prefix_between(b, v->u.s);
    default:
        return true;
    }
}

bool parquet_may_match(const struct parquet_file *f, const struct parquet_group *g,
                       const struct pushed *p)
{
    const struct parquet_chunk *c;
    struct bounds b;
    uint32_t ix;

    if (p->kind == PUSHED_AND)
        return parquet_may_match(f, g, p->left) && parquet_may_match(f, g, p->right);
    if (p->kind == PUSHED_OR)
        return parquet_may_match(f, g, p->left) || parquet_may_match(f, g, p->right);
    if (p->kind == PUSHED_NOT || (ix = parquet_leaf_ix(f, p->column)) == UINT32_MAX)
        return true;
    c = &g->chunks[ix];
    if (p->kind == PUSHED_IS_NULL)
        return c->stats.nulls != 0;
    if (c->stats.nulls >= 0 && c->stats.nulls == c->values && c->values > 0)
        return p->kind == PUSHED_EQ_NULL_SAFE; /* nothing but NULLs */
    if (p->kind == PUSHED_IS_NOT_NULL)
        return true;
    b = bounds_of(&f->leaves[ix], c);
    return compare_may_match(p, &b);
}
