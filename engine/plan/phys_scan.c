/* File scans: which columns are read, which filters go with them (FileSourceStrategy).
 *
 * Conditions on partition columns alone choose files and are gone from the plan; all
 * others stay in a Filter above, and those of one column against literals are offered to
 * the reader too. Columns come in the table's order, partition columns behind. */
#include "engine/plan/phys_int.h"

#include "engine/expr/func.h"
#include "engine/plan/join_keys.h"

/* ---- filters of the reader ---- */

static struct pushed *push(struct arena *a, const struct expr *e);

static struct pushed *push_new(struct arena *a, enum pushed_kind kind, struct sv column,
                               uint32_t n_values)
{
    struct pushed *p = ARENA_NEW(a, struct pushed);

    p->kind = kind;
    p->column = column;
    p->n_values = n_values;
    if (n_values)
        p->values = arena_array(a, n_values, sizeof *p->values);
    return p;
}

static struct pushed *push_compare(struct arena *a, const struct expr *e,
                                   enum pushed_kind kind, enum pushed_kind turned)
{
    const struct expr *x = e->args[0], *y = e->args[1];
    struct pushed *p;

    if (x->kind == EXPR_LITERAL && y->kind == EXPR_ATTRIBUTE) {
        x = e->args[1];
        y = e->args[0];
        kind = turned;
    }
    if (x->kind != EXPR_ATTRIBUTE || y->kind != EXPR_LITERAL)
        return NULL;
    p = push_new(a, kind, x->name, 1);
    p->values[0] = y->value;
    return p;
}

static struct pushed *push_text(struct arena *a, const struct expr *e,
                                enum pushed_kind kind)
{
    if (e->args[0]->type.id != TYPE_STRING || e->args[1]->kind != EXPR_LITERAL)
        return NULL;
    return push_compare(a, e, kind, kind);
}

static struct pushed *push_column(struct arena *a, const struct expr *e,
                                  enum pushed_kind kind)
{
    if (e->args[0]->kind != EXPR_ATTRIBUTE)
        return NULL;
    return push_new(a, kind, e->args[0]->name, 0);
}

static struct pushed *push_both(struct arena *a, const struct expr *e,
                                enum pushed_kind kind)
{
    struct pushed *left = push(a, e->args[0]), *right = push(a, e->args[1]), *p;

    if (!left || !right)
        return NULL;
    p = push_new(a, kind, (struct sv){ 0 }, 0);
    p->left = left;
    p->right = right;
    return p;
}

static int cmp_as_text(const struct value *x, const struct value *y)
{
    struct strbuf a = { 0 }, b = { 0 };
    int order;

    value_print(&a, x, &zone_utc);
    value_print(&b, y, &zone_utc);
    order = sv_cmp(strbuf_sv(&a), strbuf_sv(&b));
    strbuf_release(&a);
    strbuf_release(&b);
    return order;
}

/* A set has its values in the order of their texts. */
static struct pushed *push_in(struct arena *a, const struct expr *e)
{
    struct pushed *p;

    if (e->args[0]->kind != EXPR_ATTRIBUTE)
        return NULL;
    for (uint32_t i = 1; i < e->n_args; i++)
        if (e->args[i]->kind != EXPR_LITERAL)
            return NULL;
    p = push_new(a, PUSHED_IN, e->args[0]->name, e->n_args - 1);
    for (uint32_t i = 1; i < e->n_args; i++) {
        uint32_t at = i - 1;

        for (; e->in_set && at > 0 &&
               cmp_as_text(&p->values[at - 1], &e->args[i]->value) > 0;
             at--)
            p->values[at] = p->values[at - 1];
        p->values[at] = e->args[i]->value;
    }
    return p;
}

static struct pushed *push(struct arena *a, const struct expr *e)
{
    struct pushed *p, *inner;

    if (e->kind == EXPR_IN)
        return push_in(a, e);
    if (e->kind != EXPR_CALL)
        return NULL;
    switch (e->func->id) {
    case FUNC_EQ:
        return push_compare(a, e, PUSHED_EQ, PUSHED_EQ);
    case FUNC_EQ_NULL_SAFE:
        return push_compare(a, e, PUSHED_EQ_NULL_SAFE, PUSHED_EQ_NULL_SAFE);
    case FUNC_LT:
        return push_compare(a, e, PUSHED_LT, PUSHED_GT);
    case FUNC_LE:
        return push_compare(a, e, PUSHED_LE, PUSHED_GE);
    case FUNC_GT:
        return push_compare(a, e, PUSHED_GT, PUSHED_LT);
    case FUNC_GE:
        return push_compare(a, e, PUSHED_GE, PUSHED_LE);
    case FUNC_IS_NULL:
        return push_column(a, e, PUSHED_IS_NULL);
    case FUNC_IS_NOT_NULL:
        return push_column(a, e, PUSHED_IS_NOT_NULL);
    case FUNC_STARTS_WITH:
        return push_text(a, e, PUSHED_STARTS_WITH);
    case FUNC_ENDS_WITH:
        return push_text(a, e, PUSHED_ENDS_WITH);
    case FUNC_CONTAINS:
        return push_text(a, e, PUSHED_CONTAINS);
    case FUNC_AND:
        return push_both(a, e, PUSHED_AND);
    case FUNC_OR:
        return push_both(a, e, PUSHED_OR);
    case FUNC_NOT:
        inner = push(a, e->args[0]);
        if (!inner)
            return NULL;
        p = push_new(a, PUSHED_NOT, (struct sv){ 0 }, 0);
        p->left = inner;
        return p;
    default: /* computed from more than a column and literals */
        return NULL;
    }
}

/* ---- conditions sorted out ---- */

static bool lets_null_through(void *ctx, const struct expr *e)
{
    (void)ctx;
    if (e->kind == EXPR_ATTRIBUTE || e->kind == EXPR_LITERAL || e->kind == EXPR_CAST)
        return false;
    return e->kind != EXPR_CALL || !(e->func->flags & FUNC_NULL_INTOLERANT);
}

bool phys_rejects_null(const struct expr *e)
{
    return e->kind == EXPR_CALL && e->func->id == FUNC_IS_NOT_NULL &&
           !expr_any(e->args[0], lets_null_through, NULL);
}

struct filters {
    struct exprs partition, data, above;
};

static bool list_has(const struct exprs *list, const struct expr *e)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (expr_same(list->at[i], e))
            return true;
    return false;
}

static bool uses_any(struct arena *a, const struct expr *e, const struct exprs *columns)
{
    struct expr_set used = { 0 };

    expr_references(a, e, &used);
    for (uint32_t i = 0; i < used.n; i++)
        if (exprs_find(columns, used.ids[i]))
            return true;
    return false;
}

static struct filters sort_filters(struct arena *a, struct expr *condition,
                                   const struct exprs *partition)
{
    struct filters f = { 0 };
    struct exprs seen = { 0 };
    struct expr **parts;
    uint32_t n = condition ? expr_split_and(a, condition, &parts) : 0;

    for (uint32_t i = 0; i < n; i++) {
        struct expr *e = parts[i];
        bool simple = expr_deterministic(e) && !expr_has_subquery(e);

        if (expr_deterministic(e) && list_has(&seen, e))
            continue;
        seen = exprs_add(a, &seen, e);
        if (simple && uses_any(a, e, partition) && expr_fits(a, e, partition)) {
            f.partition = exprs_add(a, &f.partition, e);
            continue;
        }
        if (simple && !uses_any(a, e, partition))
            f.data = exprs_add(a, &f.data, e);
        f.above = exprs_add(a, &f.above, e);
    }
    return f;
}

/* ---- the node ---- */

static void add_references(struct arena *a, const struct exprs *list, struct expr_set *to)
{
    for (uint32_t i = 0; i < list->n; i++)
        expr_references(a, list->at[i], to);
}

static struct phys *scan_node(struct arena *a, struct plan *relation,
                              const struct expr_set *used, const struct filters *f)
{
    struct phys *p = phys_new(a, PHYS_SCAN, 0);
    const struct relation *r = relation->relation;
    const struct exprs *all = &relation->output;
    uint32_t *columns = arena_array(a, all->n + 1, sizeof *columns);
    const struct pushed **pushed = arena_array(a, f->data.n + 1, sizeof *pushed);

    p->relation = r;
    p->columns = columns;
    p->pushed = pushed;
    p->partition_filters = f->partition;
    p->data_filters = f->data;
    for (uint32_t i = 0; i < r->data.n && i < all->n; i++)
        if (expr_set_has(used, all->at[i]->id)) {
            columns[p->n_columns++] = i;
            p->output = exprs_add(a, &p->output, all->at[i]);
        }
    for (uint32_t i = r->data.n; i < all->n; i++)
        p->output = exprs_add(a, &p->output, all->at[i]);
    for (uint32_t i = 0; i < f->data.n; i++)
        if ((pushed[p->n_pushed] = push(a, f->data.at[i])) != NULL)
            p->n_pushed++;
    return p;
}

static bool same_columns(const struct exprs *list, const struct exprs *output)
{
    if (list->n != output->n)
        return false;
    for (uint32_t i = 0; i < list->n; i++)
        if (list->at[i]->kind != EXPR_ATTRIBUTE || list->at[i]->id != output->at[i]->id)
            return false;
    return true;
}

struct phys *phys_scan(struct planner_env *env, struct plan *p)
{
    struct arena *a = env->arena;
    const struct exprs *list = NULL;
    struct expr *condition = NULL;
    struct expr_set used = { 0 };
    struct exprs partition = { 0 };
    struct filters f;
    struct phys *out;

    if (p->kind == PLAN_PROJECT) {
        list = &p->list;
        p = p->children[0];
    }
    if (p->kind == PLAN_FILTER) {
        condition = p->condition;
        p = p->children[0];
    }
    if (p->kind != PLAN_RELATION)
        return NULL;
    if (!list)
        list = plan_output(a, p);
    if (p->output.n > p->relation->data.n) {
        partition.at = p->output.at + p->relation->data.n;
        partition.n = p->output.n - p->relation->data.n;
    }
    f = sort_filters(a, condition, &partition);
    add_references(a, &f.above, &used);
    add_references(a, list, &used);
    out = scan_node(a, p, &used, &f);
    if (f.above.n)
        out = phys_filter(env, expr_join_and(a, f.above.at, f.above.n), out);
    if (!same_columns(list, &out->output))
        out = phys_project(env, *list, out);
    return out;
}
