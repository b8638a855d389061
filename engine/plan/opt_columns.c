/* Columns that nobody needs go; Projects that do nothing go. */
#include "engine/plan/opt_int.h"

/* ---- ColumnPruning ---- */

static void add_ref(void *ctx, struct expr *e)
{
    void **args = ctx;

    expr_references(args[0], e, args[1]);
}

/* Attributes that the node's own expressions use. */
static void node_uses(struct arena *a, const struct plan *p, struct expr_set *out)
{
    void *args[] = { a, out };

    plan_each_expr(p, add_ref, args);
}

static void add_attributes(struct arena *a, struct expr_set *set,
                           const struct exprs *list)
{
    for (uint32_t i = 0; i < list->n; i++)
        expr_set_add(a, set, list->at[i]->id);
}

static bool all_used(const struct exprs *list, const struct expr_set *used)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (!expr_set_has(used, list->at[i]->id))
            return false;
    return true;
}

static struct exprs keep_used(struct arena *a, const struct exprs *list,
                              const struct expr_set *used)
{
    struct exprs out = exprs_new(a, list->n);

    out.n = 0;
    for (uint32_t i = 0; i < list->n; i++)
        if (expr_set_has(used, list->at[i]->id))
            out.at[out.n++] = list->at[i];
    return out;
}

/* p under a Project of the columns that are used. */
static struct plan *pruned(struct arena *a, struct plan *p, const struct expr_set *used)
{
    const struct exprs *out = plan_output(a, p);

    return all_used(out, used) ? p : plan_project(a, keep_used(a, out, used), p);
}

static struct plan *with_list(struct arena *a, struct plan *p, struct exprs list)
{
    struct plan *copy = plan_copy(a, p);

    copy->list = list;
    return copy;
}

static struct plan *prune_list(struct arena *a, struct plan *project, struct plan *below,
                               const struct expr_set *used)
{
    struct plan *kept;

    if (all_used(&below->list, used))
        return project;
    kept = with_list(a, below, keep_used(a, &below->list, used));
    return plan_with_children(a, project, &kept);
}

static struct plan *prune_expand(struct arena *a, struct plan *p, struct plan *expand,
                                 const struct expr_set *used)
{
    struct plan *kept;
    const struct exprs *out = plan_output(a, expand);

    if (all_used(out, used))
        return p;
    kept = plan_copy(a, expand);
    kept->output = keep_used(a, out, used);
    kept->projections =
        arena_array(a, expand->n_projections, sizeof *expand->projections);
    for (uint32_t k = 0; k < expand->n_projections; k++) {
        kept->projections[k] = exprs_new(a, out->n);
        kept->projections[k].n = 0;
        for (uint32_t i = 0; i < out->n; i++)
            if (expr_set_has(used, out->at[i]->id))
                kept->projections[k].at[kept->projections[k].n++] =
                    expand->projections[k].at[i];
    }
    return plan_with_children(a, p, &kept);
}

/* Spark keeps of the child what is used above; what a row is made of comes beside it. */
static struct plan *prune_generate(struct arena *a, struct plan *p, struct plan *generate,
                                   const struct expr_set *used)
{
    const struct exprs *out = plan_output(a, generate);
    struct expr_set needed = { 0 };
    struct exprs kept, made;
    struct plan *to, *child;
    uint32_t n_kept;

    generate_parts(&generate->list, out, &kept, &made);
    n_kept = kept.n;
    (void)plan_output(a, generate->children[0]); /* for who prints the plan */
    kept = keep_used(a, &kept, used);
    if (kept.n == n_kept)
        return p;
    add_attributes(a, &needed, &kept);
    node_uses(a, generate, &needed);
    child = pruned(a, generate->children[0], &needed);
    (void)plan_output(a, child);
    to = plan_with_children(a, plan_copy(a, generate), &child);
    to->output = exprs_join(a, &kept, &made);
    to->output_known = true;
    return plan_with_children(a, p, &to);
}

/* Columns by position: what one branch keeps, all keep. */
static struct plan *prune_union(struct arena *a, struct plan *p, struct plan *u,
                                const struct expr_set *used)
{
    const struct exprs *out = plan_output(a, u);
    struct plan **children;

    if (all_used(out, used))
        return p;
    children = arena_array(a, u->n_children, sizeof(struct plan *));
    for (uint32_t k = 0; k < u->n_children; k++) {
        const struct exprs *from = plan_output(a, u->children[k]);
        struct exprs list = exprs_new(a, out->n);

        list.n = 0;
        for (uint32_t i = 0; i < out->n; i++)
            if (expr_set_has(used, out->at[i]->id))
                list.at[list.n++] = from->at[i];
        children[k] = plan_project(a, list, u->children[k]);
    }
    u = plan_with_children(a, u, children);
    return plan_with_children(a, p, &u);
}

static struct plan *prune_window(struct arena *a, struct plan *p, struct plan *w,
                                 const struct expr_set *used)
{
    struct exprs kept = keep_used(a, &w->list, used);
    struct plan *to;

    if (kept.n == w->list.n)
        return NULL;
    to = kept.n ? with_list(a, w, kept) : w->children[0];
    return plan_with_children(a, p, &to);
}

/* Project over a node whose children yield more than both need. */
static struct plan *prune_children(struct arena *a, struct plan *p, struct plan *child,
                                   struct expr_set *used)
{
    struct plan **to, *kept;

    node_uses(a, child, used);
    to = arena_array(a, child->n_children, sizeof(struct plan *));
    for (uint32_t i = 0; i < child->n_children; i++)
        to[i] = pruned(a, child->children[i], used);
    kept = plan_with_children(a, child, to);
    return plan_with_children(a, p, &kept);
}

static struct plan *prune_project(struct arena *a, struct plan *p)
{
    struct plan *child = p->children[0], *to;
    struct expr_set used = { 0 };

    node_uses(a, p, &used);
    switch (child->kind) {
    case PLAN_PROJECT:
    case PLAN_AGGREGATE:
        return prune_list(a, p, child, &used);
    case PLAN_EXPAND:
        to = prune_expand(a, p, child, &used);
        return to;
    case PLAN_GENERATE:
        return prune_generate(a, p, child, &used);
    case PLAN_UNION:
        return prune_union(a, p, child, &used);
    case PLAN_WINDOW:
        to = prune_window(a, p, child, &used);
        return to ? to : prune_children(a, p, child, &used);
    case PLAN_DISTINCT:
    case PLAN_INTERSECT:
    case PLAN_EXCEPT:
        return p;
    default:
        return child->n_children ? prune_children(a, p, child, &used) : p;
    }
}

static struct plan *prune(void *ctx, struct plan *p)
{
    struct arena *a = ctx;
    struct expr_set used = { 0 };
    struct plan *to[2];

    switch (p->kind) {
    case PLAN_PROJECT:
        return prune_project(a, p);
    case PLAN_AGGREGATE:
    case PLAN_EXPAND:
        node_uses(a, p, &used);
        to[0] = pruned(a, p->children[0], &used);
        return plan_with_children(a, p, to);
    case PLAN_JOIN:
        if (p->join_type != JOIN_SEMI && p->join_type != JOIN_ANTI &&
            p->join_type != JOIN_EXISTENCE)
            return p;
        node_uses(a, p, &used);
        to[0] = p->children[0];
        to[1] = pruned(a, p->children[1], &used);
        return plan_with_children(a, p, to);
    default:
        return p;
    }
}

/* A Project between a Filter and a Project that only leaves columns out: the filter goes
 * below it, as it is the upper one that counts. */
static struct plan *drop_project_below_filter(void *ctx, struct plan *p)
{
    struct arena *a = ctx;
    struct plan *filter, *below, *to;

    if (p->kind != PLAN_PROJECT || p->children[0]->kind != PLAN_FILTER)
        return p;
    filter = p->children[0];
    below = filter->children[0];
    if (below->kind != PLAN_PROJECT || !opt_all_attributes(&below->list))
        return p;
    for (uint32_t i = 0; i < below->list.n; i++)
        if (!exprs_find(plan_output(a, below->children[0]), below->list.at[i]->id))
            return p;
    to = plan_with_children(a, filter, &below->children[0]);
    return plan_with_children(a, p, &to);
}

static struct plan *prune_columns(struct rewrite_env *env, struct plan *p)
{
    struct plan *to = plan_transform_down(env->arena, p, prune, env->arena);

    to = plan_transform_up(env->arena, to, drop_project_below_filter, env->arena);
    return plan_nodes_same(to, p) ? p : to; /* copies that came to nothing */
}

/* ---- CollapseProject ---- */

static bool is_cheap(const struct expr *e)
{
    return e->kind == EXPR_ATTRIBUTE || e->kind == EXPR_OUTER || expr_foldable(e) ||
           (e->kind == EXPR_ALIAS && is_cheap(e->args[0]));
}

struct counting {
    uint32_t id;
    uint32_t n;
};

static bool count_use(void *ctx, const struct expr *e)
{
    struct counting *c = ctx;

    if (e->kind == EXPR_ATTRIBUTE && e->id == c->id)
        c->n++;
    return false;
}

/* May the lower list's expressions take the place of their names: none is computed more
 * than once for it, and none that is random moves. */
static bool can_inline(const struct exprs *upper, const struct exprs *lower)
{
    for (uint32_t i = 0; i < lower->n; i++) {
        const struct expr *made = lower->at[i];
        struct counting c = { made->id, 0 };

        if (made->kind != EXPR_ALIAS)
            continue;
        for (uint32_t k = 0; k < upper->n; k++)
            (void)expr_any(upper->at[k], count_use, &c);
        if (!c.n)
            continue;
        if (!expr_deterministic(made->args[0]) || (c.n > 1 && !is_cheap(made->args[0])))
            return false;
    }
    return true;
}

static struct exprs inlined_list(struct arena *a, const struct exprs *upper,
                                 const struct exprs *lower)
{
    struct exprs out = exprs_new(a, upper->n);

    for (uint32_t i = 0; i < upper->n; i++)
        out.at[i] = opt_inline_item(a, upper->at[i], lower);
    return out;
}

static bool has_correlated_list(const struct exprs *list)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (opt_has_correlated(list->at[i]))
            return true;
    return false;
}

static struct plan *collapse(void *ctx, struct plan *p)
{
    struct arena *a = ctx;
    struct plan *below;

    if (p->kind != PLAN_PROJECT)
        return p;
    below = p->children[0];
    if (below->kind == PLAN_PROJECT && can_inline(&p->list, &below->list))
        return plan_project(a, inlined_list(a, &p->list, &below->list),
                            below->children[0]);
    if (below->kind == PLAN_AGGREGATE && can_inline(&p->list, &below->list) &&
        !has_correlated_list(&p->list))
        return with_list(a, below, inlined_list(a, &p->list, &below->list));
    return p;
}

static struct plan *collapse_projects(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_up(env->arena, p, collapse, env->arena);
}

/* ---- RemoveRedundantAliases ---- */

struct renaming {
    struct arena *arena;
    struct exprs from, to; /* attributes that are known by another id below now */
};

static struct expr *renamed(void *ctx, struct expr *e)
{
    const struct renaming *r = ctx;

    return opt_replace(r->arena, e, &r->from, &r->to);
}

/* The pairs of columns of the node before and after. */
static void note_renamed(struct renaming *r, struct plan *before, struct plan *after)
{
    const struct exprs *x = plan_output(r->arena, before);
    const struct exprs *y = plan_output(r->arena, after);

    if (before == after)
        return;
    for (uint32_t i = 0; i < x->n && i < y->n; i++)
        if (x->at[i]->id != y->at[i]->id) {
            r->from = exprs_add(r->arena, &r->from, x->at[i]);
            r->to = exprs_add(r->arena, &r->to, y->at[i]);
        }
}

static struct expr *without_redundant(struct expr *e, const struct expr_set *excluded)
{
    if (e->kind == EXPR_ALIAS && e->args[0]->kind == EXPR_ATTRIBUTE &&
        sv_eq(e->name, e->args[0]->name) && !expr_set_has(excluded, e->id) &&
        !expr_set_has(excluded, e->args[0]->id))
        return e->args[0];
    return e;
}

static struct plan *drop_aliases(struct arena *a, struct plan *p,
                                 const struct expr_set *excluded);

static struct expr_set plus(struct arena *a, const struct expr_set *set,
                            const struct exprs *more)
{
    struct expr_set out = { 0 };

    for (uint32_t i = 0; i < set->n; i++)
        expr_set_add(a, &out, set->ids[i]);
    add_attributes(a, &out, more);
    return out;
}

static void drop_in_children(struct arena *a, struct plan *p, struct plan **to,
                             const struct expr_set *excluded)
{
    struct expr_set more;

    if (p->kind == PLAN_JOIN) {
        more = plus(a, excluded, plan_output(a, p->children[1]));
        to[0] = drop_aliases(a, p->children[0], &more);
        more = plus(a, excluded, plan_output(a, to[0]));
        to[1] = drop_aliases(a, p->children[1], &more);
        return;
    }
    for (uint32_t i = 0; i < p->n_children; i++) {
        more = *excluded;
        if (p->kind == PLAN_UNION && i == 0)
            more = plus(a, excluded, plan_output(a, p->children[0]));
        to[i] = drop_aliases(a, p->children[i], &more);
    }
}

static struct plan *drop_aliases(struct arena *a, struct plan *p,
                                 const struct expr_set *excluded)
{
    struct renaming r = { .arena = a };
    struct plan **to, *out;
    struct exprs list;

    if (!p->n_children)
        return p;
    to = arena_array(a, p->n_children, sizeof(struct plan *));
    drop_in_children(a, p, to, excluded);
    for (uint32_t i = 0; i < p->n_children; i++)
        note_renamed(&r, p->children[i], to[i]);
    out = plan_with_children(a, p, to);
    if (r.from.n)
        out = plan_map_exprs(a, out, renamed, &r);
    if (p->kind != PLAN_PROJECT && p->kind != PLAN_AGGREGATE && p->kind != PLAN_WINDOW)
        return out;
    list = exprs_copy(a, &out->list);
    for (uint32_t i = 0; i < list.n; i++) {
        struct expr *e = without_redundant(list.at[i], excluded);

        /* no column twice in one list */
        if (e != list.at[i] && !exprs_find(&list, e->id))
            list.at[i] = e;
    }
    return opt_same_list(&list, &out->list) ? out : with_list(a, out, list);
}

static struct plan *remove_redundant_aliases(struct rewrite_env *env, struct plan *p)
{
    struct expr_set kept = { 0 };

    if (env->correlated)
        kept = plus(env->arena, &kept, plan_output(env->arena, p));
    return drop_aliases(env->arena, p, &kept);
}

/* ---- RemoveNoopOperators ---- */

static struct plan *drop_noop(void *ctx, struct plan *p)
{
    struct arena *a = ctx;

    if (p->kind == PLAN_PROJECT && opt_all_attributes(&p->list) &&
        opt_same_output(&p->list, plan_output(a, p->children[0])))
        return p->children[0];
    if (p->kind == PLAN_WINDOW && !p->list.n)
        return p->children[0];
    return p;
}

static struct plan *remove_noops(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_up(env->arena, p, drop_noop, env->arena);
}

/* ---- Projects go below unions and limits ---- */

static struct plan *project_through_union(void *ctx, struct plan *p)
{
    struct arena *a = ctx;
    struct plan *u, **to;

    if (p->kind != PLAN_PROJECT || p->children[0]->kind != PLAN_UNION ||
        !opt_all_deterministic(&p->list) || has_correlated_list(&p->list))
        return p;
    u = p->children[0];
    to = arena_array(a, u->n_children, sizeof(struct plan *));
    for (uint32_t k = 0; k < u->n_children; k++) {
        struct exprs list = exprs_copy(a, &p->list);

        if (k)
            for (uint32_t i = 0; i < list.n; i++) {
                struct expr *e = opt_replace(a, list.at[i], plan_output(a, u),
                                             plan_output(a, u->children[k]));
                if (e->kind == EXPR_ALIAS) {
                    e = expr_copy(a, e);
                    e->id = next_expr_id();
                }
                list.at[i] = e;
            }
        else
            for (uint32_t i = 0; i < list.n; i++)
                list.at[i] = opt_replace(a, list.at[i], plan_output(a, u),
                                         plan_output(a, u->children[0]));
        to[k] = plan_project(a, list, u->children[k]);
    }
    return plan_with_children(a, u, to);
}

static struct plan *projects_through_unions(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_down(env->arena, p, project_through_union, env->arena);
}

static struct plan *project_through_limit(void *ctx, struct plan *p)
{
    struct arena *a = ctx;
    struct plan *limit, *to;

    if (p->kind != PLAN_PROJECT || !opt_all_deterministic(&p->list))
        return p;
    limit = p->children[0];
    if (limit->kind != PLAN_LOCAL_LIMIT && limit->kind != PLAN_GLOBAL_LIMIT &&
        limit->kind != PLAN_OFFSET)
        return p;
    to = plan_with_children(a, p, &limit->children[0]);
    return plan_with_children(a, limit, &to);
}

static struct plan *projects_through_limits(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_down(env->arena, p, project_through_limit, env->arena);
}

/* ---- FoldablePropagation ---- */

/* Aliases of constants that are in sight, by the attributes they make. */
struct constants {
    struct arena *arena;
    struct exprs from, to;
};

static struct expr *put_constants(void *ctx, struct expr *e)
{
    const struct constants *c = ctx;

    return opt_replace(c->arena, e, &c->from, &c->to);
}

/* List items keep name and id. */
static struct expr *put_in_item(struct constants *c, struct expr *item)
{
    struct expr *e;

    if (item->kind != EXPR_ATTRIBUTE)
        return put_constants(c, item);
    e = put_constants(c, item);
    return e == item ? item : expr_alias(c->arena, e, item->name, item->id);
}

static struct exprs put_in_list(struct constants *c, const struct exprs *list)
{
    struct exprs out = exprs_new(c->arena, list->n);

    for (uint32_t i = 0; i < list->n; i++)
        out.at[i] = put_in_item(c, list->at[i]);
    return opt_same_list(&out, list) ? *list : out;
}

static void note_constants(struct constants *c, const struct exprs *list)
{
    for (uint32_t i = 0; i < list->n; i++) {
        struct expr *e = list->at[i];

        if (e->kind != EXPR_ALIAS || !expr_foldable(e->args[0]))
            continue;
        c->from = exprs_add(c->arena, &c->from, expr_to_attribute(c->arena, e));
        c->to = exprs_add(c->arena, &c->to, e->args[0]);
    }
}

/* What an outer join may make NULL is constant no more. */
static void forget(struct constants *c, const struct exprs *attributes)
{
    struct constants kept = { .arena = c->arena };

    for (uint32_t i = 0; i < c->from.n; i++)
        if (!exprs_find(attributes, c->from.at[i]->id)) {
            kept.from = exprs_add(c->arena, &kept.from, c->from.at[i]);
            kept.to = exprs_add(c->arena, &kept.to, c->to.at[i]);
        }
    *c = kept;
}

static struct plan *propagate(struct constants *c, struct plan *p);

static struct plan *propagate_join(struct constants *c, struct plan *p, struct plan **to)
{
    struct arena *a = c->arena;
    struct plan *out = plan_with_children(a, p, to);

    switch (p->join_type) {
    case JOIN_FULL:
        forget(c, plan_output(a, to[0]));
        forget(c, plan_output(a, to[1]));
        break;
    case JOIN_LEFT:
        forget(c, plan_output(a, to[1]));
        break;
    case JOIN_RIGHT:
        forget(c, plan_output(a, to[0]));
        break;
    case JOIN_INNER:
    case JOIN_CROSS:
    case JOIN_SEMI:
    case JOIN_ANTI:
    case JOIN_EXISTENCE:
        break;
    }
    return c->from.n ? plan_map_exprs(a, out, put_constants, c) : out;
}

static struct plan *propagate(struct constants *c, struct plan *p)
{
    struct arena *a = c->arena;
    struct plan **to = arena_array(a, p->n_children + 1, sizeof(struct plan *)), *out;
    struct exprs list;

    for (uint32_t i = 0; i < p->n_children; i++)
        to[i] = propagate(c, p->children[i]);
    if (p->kind == PLAN_JOIN)
        return propagate_join(c, p, to);
    out = p->n_children ? plan_with_children(a, p, to) : p;
    switch (p->kind) {
    case PLAN_PROJECT:
        list = put_in_list(c, &out->list);
        if (list.at != out->list.at)
            out = with_list(a, out, list);
        note_constants(c, &out->list);
        return out;
    case PLAN_FILTER:
    case PLAN_SORT:
        return c->from.n ? plan_map_exprs(a, out, put_constants, c) : out;
    case PLAN_AGGREGATE:
    case PLAN_WINDOW:
    case PLAN_EXPAND:
    case PLAN_UNION:
    case PLAN_INTERSECT:
    case PLAN_EXCEPT:
        /* groups of a constant, and columns by position: nothing known goes on */
        forget(c, plan_output(a, out));
        if (p->kind == PLAN_AGGREGATE || p->kind == PLAN_EXPAND)
            *c = (struct constants){ .arena = a };
        if (p->kind == PLAN_AGGREGATE)
            note_constants(c, &out->list);
        return out;
    default:
        return out;
    }
}

static struct plan *propagate_constants(struct rewrite_env *env, struct plan *p)
{
    struct constants c = { .arena = env->arena };

    return propagate(&c, p);
}

REWRITE(ColumnPruning, prune_columns);
REWRITE(CollapseProject, collapse_projects);
REWRITE(RemoveRedundantAliases, remove_redundant_aliases);
REWRITE(RemoveNoopOperators, remove_noops);
REWRITE(PushProjectionThroughUnion, projects_through_unions);
REWRITE(PushProjectionThroughLimitAndOffset, projects_through_limits);
REWRITE(FoldablePropagation, propagate_constants);
