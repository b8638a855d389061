/* Physical plans: making, transforming, what their rows are laid out by.
 *
 * phys_lists() is the one place that knows where a node keeps lists of expressions. */
#include "engine/plan/phys_int.h"

#include "engine/plan/adaptive.h"

#include <assert.h>
#include <stdatomic.h>

uint32_t next_plan_id(void)
{
    static atomic_uint last;

    return atomic_fetch_add(&last, 1) + 1;
}

struct phys *phys_new(struct arena *a, enum phys_kind kind, uint32_t n_children)
{
    struct phys *p = ARENA_NEW(a, struct phys);

    p->kind = kind;
    p->n_children = n_children;
    p->limit = -1;
    if (n_children)
        p->children = arena_array(a, n_children, sizeof(struct phys *));
    return p;
}

struct phys *phys_copy(struct arena *a, const struct phys *p)
{
    struct phys *copy = ARENA_NEW(a, struct phys);

    *copy = *p;
    if (p->n_children) {
        copy->children = arena_array(a, p->n_children, sizeof(struct phys *));
        memcpy(copy->children, p->children, p->n_children * sizeof(struct phys *));
    }
    return copy;
}

struct phys *phys_unary(struct arena *a, enum phys_kind kind, struct phys *child)
{
    struct phys *p = phys_new(a, kind, 1);

    p->children[0] = child;
    p->output = child->output;
    return p;
}

struct expr *phys_reused_subquery(struct arena *a, const struct expr *result,
                                  struct phys *of)
{
    struct phys *p = phys_new(a, PHYS_REUSED_SUBQUERY, 0);
    struct expr *to = expr_copy(a, result);

    p->reused = of;
    p->output = result->phys->output;
    to->phys = p;
    return to;
}

/* ---- writes ---- */

static struct phys *over(struct arena *a, const struct phys *write, struct phys *rows)
{
    struct phys *top = phys_copy(a, write);

    top->n_children = 1;
    top->children = ARENA_NEW(a, struct phys *);
    top->children[0] = phys_unary(a, PHYS_WRITE_FILES, rows);
    return top;
}

struct phys *phys_write(struct arena *a, struct write_job *job, struct phys *rows)
{
    struct phys write = { .kind = PHYS_WRITE, .write = job };

    if (rows->kind != PHYS_ADAPTIVE)
        return over(a, &write, rows);
    rows->children[0] = over(a, &write, rows->children[0]);
    rows->initial = rows->children[0];
    rows->output = (struct exprs){ 0 };
    return rows;
}

struct phys *phys_write_again(struct arena *a, const struct phys *write,
                              struct phys *rows)
{
    return over(a, write, rows);
}

struct phys *phys_write_of(struct phys *root)
{
    if (root->kind == PHYS_ADAPTIVE)
        root = root->children[0];
    return root->kind == PHYS_WRITE ? root : NULL;
}

struct phys *phys_write_rows(const struct phys *write)
{
    return write->children[0]->children[0];
}

struct phys *phys_with_children(struct arena *a, struct phys *p, struct phys *const *to)
{
    struct phys *copy;

    if (!p->n_children || memcmp(to, p->children, p->n_children * sizeof *to) == 0)
        return p;
    copy = phys_copy(a, p);
    memcpy(copy->children, to, p->n_children * sizeof *to);
    return copy;
}

struct phys *phys_transform_up(struct arena *a, struct phys *p, phys_fn fn, void *ctx)
{
    struct phys *few[4];
    struct phys **to = few;

    if (p->kind == PHYS_STAGE)
        return fn(ctx, p);
    if (p->n_children > ARRAY_LEN(few))
        to = arena_array(a, p->n_children, sizeof *to);
    for (uint32_t i = 0; i < p->n_children; i++)
        to[i] = phys_transform_up(a, p->children[i], fn, ctx);
    return fn(ctx, phys_with_children(a, p, to));
}

void phys_lists(struct phys *p, struct exprs *lists[PHYS_LISTS])
{
    lists[0] = &p->list;
    lists[1] = &p->keys;
    lists[2] = &p->order;
    lists[3] = &p->aggs;
    lists[4] = &p->left_keys;
    lists[5] = &p->right_keys;
    lists[6] = &p->partition_filters;
    lists[7] = &p->data_filters;
    lists[8] = &p->partitioning.keys;
    lists[9] = &p->requires_keys;
}

struct phys *phys_map_exprs(struct arena *a, struct phys *p, expr_fn fn, void *ctx)
{
    struct phys *to = phys_copy(a, p);
    struct exprs *lists[PHYS_LISTS];
    bool changed = false;

    phys_lists(to, lists);
    for (size_t k = 0; k < PHYS_LISTS; k++) {
        if (!lists[k]->n)
            continue;
        *lists[k] = exprs_copy(a, lists[k]);
        for (uint32_t i = 0; i < lists[k]->n; i++) {
            struct expr *e = expr_transform_up(a, lists[k]->at[i], fn, ctx);

            changed = changed || e != lists[k]->at[i];
            lists[k]->at[i] = e;
        }
    }
    if (p->condition) {
        to->condition = expr_transform_up(a, p->condition, fn, ctx);
        changed = changed || to->condition != p->condition;
    }
    return changed ? to : p;
}

/* ---- binding ---- */

struct binding {
    struct arena *arena;
    const struct exprs *input;
};

static struct expr *bind_node(void *ctx, struct expr *e)
{
    struct binding *b = ctx;

    if (e->kind != EXPR_ATTRIBUTE)
        return e;
    for (uint32_t i = 0; i < b->input->n; i++) {
        if (b->input->at[i]->id != e->id)
            continue;
        struct expr *bound = expr_copy(b->arena, e);

        bound->kind = EXPR_BOUND;
        bound->index = i;
        bound->nullable = b->input->at[i]->nullable;
        return bound;
    }
    assert(e->kind != EXPR_ATTRIBUTE); /* every column used is put out below */
    return e;
}

struct expr *phys_bind(struct arena *a, struct expr *e, const struct exprs *input)
{
    struct binding b = { a, input };

    return expr_transform_up(a, e, bind_node, &b);
}

/* ---- sameness ---- */

struct pairs { /* columns of the second plan by those of the first */
    struct arena *arena;
    uint32_t *from, *to;
    uint32_t n, cap;
};

static void pair(struct pairs *s, uint32_t from, uint32_t to)
{
    if (s->n == s->cap) {
        uint32_t cap = s->cap ? s->cap * 2 : 64;
        uint32_t *more = arena_array(s->arena, (size_t)cap * 2, sizeof *more);

        if (s->n) {
            memcpy(more, s->from, s->n * sizeof *more);
            memcpy(more + cap, s->to, s->n * sizeof *more);
        }
        s->from = more;
        s->to = more + cap;
        s->cap = cap;
    }
    s->from[s->n] = from;
    s->to[s->n++] = to;
}

static struct expr *read_node(void *ctx, struct expr *e)
{
    struct pairs *s = ctx;

    if (e->kind != EXPR_ATTRIBUTE)
        return e;
    for (uint32_t i = s->n; i-- > 0;)
        if (s->from[i] == e->id && s->to[i] != e->id) {
            struct expr *copy = expr_copy(s->arena, e);

            copy->id = s->to[i];
            return copy;
        } else if (s->from[i] == e->id) {
            return e;
        }
    return e;
}

static bool subqueries_same(struct pairs *s, const struct expr *x, const struct expr *y);

static bool same_expr(struct pairs *s, const struct expr *x, struct expr *y)
{
    if (!x || !y)
        return x == y;
    if (x->kind == EXPR_ALIAS && y->kind == EXPR_ALIAS)
        return same_expr(s, x->args[0], y->args[0]);
    y = expr_transform_up(s->arena, y, read_node, s);
    return expr_same(x, y) || subqueries_same(s, x, y);
}

/* Conditions that differ in the numbers of equal subqueries only. */
static bool subqueries_same(struct pairs *s, const struct expr *x, const struct expr *y)
{
    if (x->kind == EXPR_SUBQUERY_RESULT && y->kind == EXPR_SUBQUERY_RESULT)
        return x->phys && y->phys && phys_same(x->phys, y->phys);
    if (x->kind != y->kind || x->n_args != y->n_args || !x->n_args ||
        x->func != y->func || !expr_has_subquery(x))
        return false;
    for (uint32_t i = 0; i < x->n_args; i++)
        if (!expr_same(x->args[i], y->args[i]) &&
            !subqueries_same(s, x->args[i], y->args[i]))
            return false;
    return true;
}

static bool same_list(struct pairs *s, const struct exprs *x, const struct exprs *y)
{
    if (x->n != y->n)
        return false;
    for (uint32_t i = 0; i < x->n; i++)
        if (!same_expr(s, x->at[i], y->at[i]))
            return false;
    return true;
}

static bool same_files(const struct relation *x, const struct relation *y)
{
    if (x == y)
        return true;
    if (!x || !y || x->format != y->format || x->n_roots != y->n_roots ||
        x->n_files != y->n_files || x->bytes != y->bytes)
        return false;
    for (uint32_t i = 0; i < x->n_roots; i++)
        if (!sv_eq(x->roots[i], y->roots[i]))
            return false;
    return true;
}

static bool same_scan(const struct phys *x, const struct phys *y)
{
    if (!same_files(x->relation, y->relation) || x->n_columns != y->n_columns)
        return false;
    return !x->n_columns ||
           memcmp(x->columns, y->columns, x->n_columns * sizeof *x->columns) == 0;
}

static bool same_rows(const struct phys *x, const struct phys *y)
{
    if (x->n_rows != y->n_rows || x->output.n != y->output.n)
        return false;
    for (uint64_t i = 0; x->rows != y->rows && i < x->n_rows * x->output.n; i++)
        if (!value_eq(&x->rows[i], &y->rows[i]))
            return false;
    return true;
}

static const struct query_stage *stage_of(const struct phys *p)
{
    return p->stage && p->stage->reuse_of ? p->stage->reuse_of : p->stage;
}

/* All that a node says besides expressions and children. */
static bool same_own(const struct phys *x, const struct phys *y)
{
    if (x->kind != y->kind || x->n_children != y->n_children ||
        x->output.n != y->output.n || x->global != y->global ||
        x->null_aware != y->null_aware || x->build_left != y->build_left ||
        x->partial != y->partial || x->join_type != y->join_type ||
        x->limit != y->limit || x->offset != y->offset || x->skew != y->skew ||
        x->partitioning.kind != y->partitioning.kind ||
        x->partitioning.n != y->partitioning.n || x->n_projections != y->n_projections)
        return false;
    switch (x->kind) {
    case PHYS_SCAN:
        return same_scan(x, y);
    case PHYS_LOCAL_SCAN:
        return same_rows(x, y);
    case PHYS_RANGE:
        return x->range_start == y->range_start && x->range_end == y->range_end &&
               x->range_step == y->range_step && x->n_partitions == y->n_partitions;
    case PHYS_SAMPLE:
        return x->lower >= y->lower && x->lower <= y->lower && x->upper >= y->upper &&
               x->upper <= y->upper && x->seed == y->seed;
    case PHYS_COALESCE:
        return x->n_partitions == y->n_partitions;
    case PHYS_STAGE:
        return stage_of(x) == stage_of(y);
    case PHYS_AQE_READ:
        return x->read_kind == y->read_kind && x->n_specs == y->n_specs &&
               memcmp(x->specs, y->specs, x->n_specs * sizeof *x->specs) == 0;
    default:
        return true;
    }
}

static bool same_exprs(struct pairs *s, const struct phys *x, const struct phys *y)
{
    struct phys nx = *x, ny = *y;
    struct exprs *lx[PHYS_LISTS], *ly[PHYS_LISTS];

    phys_lists(&nx, lx);
    phys_lists(&ny, ly);
    for (size_t k = 0; k < PHYS_LISTS; k++)
        if (!same_list(s, lx[k], ly[k]))
            return false;
    for (uint32_t k = 0; k < x->n_projections; k++)
        if (!same_list(s, &x->projections[k], &y->projections[k]))
            return false;
    return same_expr(s, x->condition, y->condition);
}

static bool is_aggregate(const struct phys *p)
{
    return p->kind == PHYS_HASH_AGG || p->kind == PHYS_OBJECT_AGG ||
           p->kind == PHYS_SORT_AGG;
}

/* What an aggregate makes out of itself: results of its functions, and, where these are
 * partial, their buffers behind the keys in its list. The functions say what these are.
 */
static void pair_aggregates(struct pairs *s, const struct phys *x, const struct phys *y)
{
    bool partial = x->aggs.n && x->aggs.at[0]->mode != AGG_FINAL &&
                   x->aggs.at[0]->mode != AGG_COMPLETE;

    if (!is_aggregate(x) || x->agg_attributes.n != y->agg_attributes.n ||
        x->keys.n != y->keys.n || x->list.n != y->list.n)
        return;
    for (uint32_t i = 0; i < x->agg_attributes.n; i++)
        pair(s, y->agg_attributes.at[i]->id, x->agg_attributes.at[i]->id);
    for (uint32_t i = x->keys.n; partial && i < x->list.n; i++)
        pair(s, y->list.at[i]->id, x->list.at[i]->id);
}

static bool same_plan(struct pairs *s, const struct phys *x, const struct phys *y)
{
    bool leaf;

    if (x == y)
        return true;
    if (x->kind == PHYS_REUSED && x->reused)
        x = x->reused;
    if (y->kind == PHYS_REUSED && y->reused)
        y = y->reused;
    if (x->kind == PHYS_ADAPTIVE && y->kind == PHYS_ADAPTIVE && x->initial && y->initial)
        return same_plan(s, x->initial, y->initial); /* what they are now changes */
    leaf = x->kind == PHYS_STAGE;
    if (!same_own(x, y))
        return false;
    for (uint32_t i = 0; !leaf && i < x->n_children; i++)
        if (!same_plan(s, x->children[i], y->children[i]))
            return false;
    if (!x->n_children || leaf) /* what leaves put out, their own filters read */
        for (uint32_t i = 0; i < x->output.n; i++)
            pair(s, y->output.at[i]->id, x->output.at[i]->id);
    pair_aggregates(s, x, y);
    if (!same_exprs(s, x, y))
        return false;
    for (uint32_t i = 0; i < x->output.n; i++)
        pair(s, y->output.at[i]->id, x->output.at[i]->id);
    return true;
}

bool phys_same(const struct phys *x, const struct phys *y)
{
    struct arena scratch = { 0 };
    struct pairs s = { .arena = &scratch };
    bool same = same_plan(&s, x, y);

    arena_release(&scratch);
    return same;
}
