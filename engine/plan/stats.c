/* Size estimates (planner reference, section 2).
 *
 * One rule does most of the work: a node that changes columns scales its child's bytes by
 * the ratio of row sizes, a node that does not passes them on, a join multiplies. Filters
 * do not count. A join adds instead where one side has at most one row per key: an
 * aggregate's grouping columns are such a key, as long as projects above keep them. */
#include "engine/plan/stats.h"

#include "engine/plan/adaptive.h"
#include "engine/plan/join_keys.h"
#include "engine/run/settings.h"
#include "engine/store/relation.h"

#include <math.h>

int64_t row_bytes_of(const struct exprs *output)
{
    int64_t sum = 8;

    for (uint32_t i = 0; i < output->n; i++)
        sum += type_default_bytes(output->at[i]->type);
    return sum;
}

/* ---- columns that are unique ---- */

struct key_sets { /* each a list of columns of which no two rows are equal */
    struct exprs *at;
    uint32_t n;
};

static void add_set(struct arena *a, struct key_sets *to, struct exprs set)
{
    struct exprs *at = arena_array(a, to->n + 1, sizeof *at);

    if (to->n)
        memcpy(at, to->at, to->n * sizeof *at);
    at[to->n++] = set;
    to->at = at;
}

static void add_sets(struct arena *a, struct key_sets *to, const struct key_sets *from)
{
    for (uint32_t i = 0; i < from->n; i++)
        add_set(a, to, from->at[i]);
}

static bool list_has(const struct exprs *list, const struct expr *e)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (expr_same(list->at[i], e))
            return true;
    return false;
}

static bool is_subset(const struct exprs *set, const struct exprs *of)
{
    for (uint32_t i = 0; i < set->n; i++)
        if (!list_has(of, set->at[i]))
            return false;
    return true;
}

static bool unique_on(const struct key_sets *sets, const struct exprs *keys)
{
    for (uint32_t i = 0; i < sets->n; i++)
        if (is_subset(&sets->at[i], keys))
            return true;
    return false;
}

/* The attribute under which a select list passes e on; NULL: it does not. */
static struct expr *put_out_as(struct arena *a, const struct exprs *list,
                               const struct expr *e)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (list->at[i]->kind == EXPR_ATTRIBUTE && expr_same(list->at[i], e))
            return list->at[i];
    for (uint32_t i = 0; i < list->n; i++)
        if (list->at[i]->kind == EXPR_ALIAS && expr_same(list->at[i]->args[0], e))
            return expr_to_attribute(a, list->at[i]);
    return NULL;
}

static struct key_sets through_list(struct arena *a, const struct key_sets *sets,
                                    const struct exprs *list)
{
    struct key_sets out = { 0 };

    for (uint32_t i = 0; i < sets->n; i++) {
        struct exprs named = exprs_new(a, sets->at[i].n);
        bool all = named.n > 0;

        for (uint32_t k = 0; k < named.n && all; k++) {
            named.at[k] = put_out_as(a, list, sets->at[i].at[k]);
            all = named.at[k] != NULL;
        }
        if (all)
            add_set(a, &out, named);
    }
    return out;
}

static struct key_sets unique_keys(struct arena *a, struct plan *p);

static struct key_sets join_unique_keys(struct arena *a, struct plan *p)
{
    struct key_sets none = { 0 };
    struct key_sets left = unique_keys(a, p->children[0]), right;
    struct join_keys keys;
    bool left_once, right_once;

    if (p->join_type == JOIN_SEMI || p->join_type == JOIN_ANTI)
        return left;
    right = unique_keys(a, p->children[1]);
    keys = join_keys_of(a, p);
    if (!keys.left.n)
        return none;
    left_once = unique_on(&left, &keys.left);
    right_once = unique_on(&right, &keys.right);
    if (p->join_type == JOIN_INNER && left_once && right_once) {
        add_sets(a, &left, &right);
        return left;
    }
    if (p->join_type == JOIN_INNER && left_once)
        return right;
    if ((p->join_type == JOIN_INNER || p->join_type == JOIN_LEFT) && right_once)
        return left;
    if (p->join_type == JOIN_RIGHT && left_once)
        return right;
    return none;
}

static struct key_sets unique_keys(struct arena *a, struct plan *p)
{
    struct key_sets sets = { 0 };

    switch (p->kind) {
    case PLAN_AGGREGATE:
        sets = unique_keys(a, p->children[0]);
        add_set(a, &sets, p->keys);
        return through_list(a, &sets, &p->list);
    case PLAN_PROJECT:
        sets = unique_keys(a, p->children[0]);
        return through_list(a, &sets, &p->list);
    case PLAN_DISTINCT:
        add_set(a, &sets, *plan_output(a, p));
        return sets;
    case PLAN_INTERSECT:
    case PLAN_EXCEPT:
        if (!p->all)
            add_set(a, &sets, *plan_output(a, p));
        return sets;
    case PLAN_STAGE:
        return p->origin ? unique_keys(a, p->origin) : sets;
    case PLAN_JOIN:
        return join_unique_keys(a, p);
    case PLAN_FILTER:
    case PLAN_SORT:
    case PLAN_GLOBAL_LIMIT:
    case PLAN_LOCAL_LIMIT:
    case PLAN_OFFSET:
    case PLAN_REPARTITION:
    case PLAN_REPARTITION_BY:
    case PLAN_WINDOW:
    case PLAN_SUBQUERY_ALIAS:
        return unique_keys(a, p->children[0]);
    default: /* nothing is known of the others */
        return sets;
    }
}

/* ---- bytes ---- */

static struct estimate of_bytes(struct bignum bytes)
{
    return (struct estimate){ .bytes = bytes };
}

static struct bignum times(struct bignum x, int64_t by)
{
    return bignum_mul(x, bignum_of(by > 0 ? (uint64_t)by : 0));
}

static struct bignum at_least_one(struct bignum x)
{
    return bignum_cmp(x, bignum_of(1)) < 0 ? bignum_of(1) : x;
}

static struct estimate of_rows(struct arena *a, struct plan *p, struct bignum rows)
{
    return (struct estimate){ .bytes = at_least_one(
                                  times(rows, row_bytes_of(plan_output(a, p)))),
                              .has_rows = true,
                              .rows = rows };
}

/* The child's bytes in rows of another width; rows are kept where they are known. */
static struct estimate scaled(struct arena *a, struct plan *p, struct estimate child)
{
    int64_t from = row_bytes_of(plan_output(a, p->children[0]));

    child.bytes =
        bignum_div(times(child.bytes, row_bytes_of(plan_output(a, p))), (uint64_t)from);
    child.bytes = at_least_one(child.bytes);
    child.runtime = false;
    return child;
}

static struct estimate relation_estimate(const struct plan *p, const struct settings *s)
{
    double factor = settings_double(s, SET_FILE_COMPRESSION_FACTOR);
    int64_t bytes = p->relation->bytes;

    if (factor != 1.0)
        bytes = (int64_t)((double)bytes * factor);
    return of_bytes(bignum_of((uint64_t)bytes));
}

static struct estimate range_estimate(const struct plan *p)
{
    struct estimate e = { .has_rows = true };

    u128 span = p->range_step > 0 ? (u128)((i128)p->range_end - p->range_start)
                                  : (u128)((i128)p->range_start - p->range_end);
    u128 step = p->range_step > 0 ? (u128)p->range_step : (u128)(-(i128)p->range_step);
    bool empty = p->range_step > 0 ? p->range_end <= p->range_start
                                   : p->range_end >= p->range_start;
    u128 rows = empty || !step ? 0 : (span + step - 1) / step;

    e.rows.limb[0] = (uint64_t)rows;
    e.rows.limb[1] = (uint64_t)(rows >> 64);
    e.bytes = times(e.rows, 8);
    return e;
}

static struct estimate sample_estimate(struct arena *a, struct plan *p,
                                       struct estimate child)
{
    double ratio = p->upper - p->lower;
    struct bignum thousandths = times(child.bytes, (int64_t)(ratio * 1e6 + 0.5));
    struct bignum up = bignum_div(bignum_add(thousandths, bignum_of(999999)), 1000000);

    (void)a;
    return of_bytes(at_least_one(up));
}

static struct estimate limit_estimate(struct arena *a, struct plan *p,
                                      struct estimate child)
{
    struct bignum n = bignum_of(0);

    if (p->limit && p->limit->kind == EXPR_LITERAL && p->limit->value.u.i > 0)
        n = bignum_of((uint64_t)p->limit->value.u.i);
    if (child.has_rows && bignum_cmp(child.rows, n) < 0)
        n = child.rows;
    return of_rows(a, p, n);
}

static struct estimate stage_estimate(struct arena *a, struct plan *p,
                                      const struct settings *s)
{
    struct estimate e = { .has_rows = true, .runtime = true };
    const struct query_stage *stage = p->stage;

    if (!stage || !stage->done)
        return p->origin ? plan_estimate(a, p->origin, s) : of_bytes(bignum_of(1));
    e.bytes =
        bignum_of(stage->stats.data_bytes > 0 ? (uint64_t)stage->stats.data_bytes : 0);
    e.rows = bignum_of(stage->stats.rows > 0 ? (uint64_t)stage->stats.rows : 0);
    return e;
}

static struct estimate join_estimate(struct arena *a, struct plan *p,
                                     const struct settings *s)
{
    struct estimate left = plan_estimate(a, p->children[0], s), right;
    struct key_sets unique_left, unique_right;
    struct join_keys keys;

    if (p->join_type == JOIN_SEMI || p->join_type == JOIN_ANTI)
        return of_bytes(left.bytes);
    right = plan_estimate(a, p->children[1], s);
    keys = join_keys_of(a, p);
    if (keys.left.n && p->join_type != JOIN_CROSS) {
        unique_left = unique_keys(a, p->children[0]);
        unique_right = unique_keys(a, p->children[1]);
        if (unique_on(&unique_left, &keys.left) || unique_on(&unique_right, &keys.right))
            return of_bytes(bignum_add(left.bytes, right.bytes));
    }
    return of_bytes(bignum_mul(left.bytes, right.bytes));
}

static struct estimate union_estimate(struct arena *a, struct plan *p,
                                      const struct settings *s)
{
    struct estimate e = of_bytes(bignum_of(0));

    for (uint32_t i = 0; i < p->n_children; i++)
        e.bytes = bignum_add(e.bytes, plan_estimate(a, p->children[i], s).bytes);
    return e;
}

static struct estimate product(struct arena *a, struct plan *p, const struct settings *s)
{
    struct estimate e = of_bytes(bignum_of(1));

    for (uint32_t i = 0; i < p->n_children; i++)
        e.bytes =
            bignum_mul(e.bytes, at_least_one(plan_estimate(a, p->children[i], s).bytes));
    return e;
}

struct estimate plan_estimate(struct arena *a, struct plan *p, const struct settings *s)
{
    struct estimate child = { 0 };

    if (p->n_children == 1)
        child = plan_estimate(a, p->children[0], s);
    switch (p->kind) {
    case PLAN_RELATION:
        return relation_estimate(p, s);
    case PLAN_LOCAL_RELATION:
        child = of_rows(a, p, bignum_of(p->n_rows));
        if (!p->n_rows)
            child.bytes = bignum_of(1);
        return child;
    case PLAN_RANGE:
        return range_estimate(p);
    case PLAN_ONE_ROW:
        return (struct estimate){ .bytes = bignum_of(1),
                                  .has_rows = true,
                                  .rows = bignum_of(1) };
    case PLAN_STAGE:
        return stage_estimate(a, p, s);
    case PLAN_PROJECT:
    case PLAN_WINDOW:
        return scaled(a, p, child);
    case PLAN_DISTINCT:
        child.has_rows = false;
        return scaled(a, p, child);
    case PLAN_AGGREGATE:
        if (!p->keys.n)
            return of_rows(a, p, bignum_of(1));
        child.has_rows = false;
        return scaled(a, p, child);
    case PLAN_EXPAND:
        child = scaled(a, p, child);
        child.has_rows = false;
        child.bytes = times(child.bytes, p->n_projections);
        return child;
    case PLAN_FILTER:
        child.has_rows = false;
        return child;
    case PLAN_SORT:
    case PLAN_REPARTITION:
    case PLAN_REPARTITION_BY:
    case PLAN_SUBQUERY_ALIAS:
    case PLAN_VIEW:
    case PLAN_HINT:
    case PLAN_WINDOW_GROUP_LIMIT:
    case PLAN_CTE_DEF:
        return child;
    case PLAN_LOCAL_LIMIT:
    case PLAN_OFFSET:
        child.has_rows = false;
        return child;
    case PLAN_GLOBAL_LIMIT:
        return limit_estimate(a, p, child);
    case PLAN_UNION:
        return union_estimate(a, p, s);
    case PLAN_JOIN:
        return join_estimate(a, p, s);
    case PLAN_INTERSECT: {
        struct estimate x = plan_estimate(a, p->children[0], s);
        struct estimate y = plan_estimate(a, p->children[1], s);

        return of_bytes(bignum_cmp(x.bytes, y.bytes) <= 0 ? x.bytes : y.bytes);
    }
    case PLAN_EXCEPT:
        return of_bytes(plan_estimate(a, p->children[0], s).bytes);
    case PLAN_SAMPLE:
        return sample_estimate(a, p, child);
    case PLAN_GENERATE:
    case PLAN_UNRESOLVED_RELATION:
    case PLAN_UNRESOLVED_VALUES:
    case PLAN_UNRESOLVED_FUNCTION:
    case PLAN_WITH_WINDOW:
    case PLAN_WITH:
    case PLAN_CTE_REF:
    case N_PLAN_KINDS:
        break;
    }
    return product(a, p, s);
}
