/* Rules about relations with partition folders. */
#include "base/mem.h"
#include "engine/expr/eval.h"
#include "engine/plan/opt_int.h"
#include "engine/store/relation.h"

#include <stdlib.h>

/* ---- PruneFileSourcePartitions ----
 * A table's folders that a filter has no use for are left out while the plan is made, so
 * that its size is that of what is read: joins are chosen by it. Spark does so for
 * tables, not for paths. */

struct folder { /* one file's, in place of the partition columns */
    struct arena *arena;
    struct exprs columns;
    const struct value *values;
};

static struct expr *value_of_folder(void *ctx, struct expr *e)
{
    const struct folder *f = ctx;

    if (e->kind != EXPR_ATTRIBUTE)
        return e;
    for (uint32_t i = 0; i < f->columns.n; i++)
        if (f->columns.at[i]->id == e->id)
            return expr_literal(f->arena, f->values[i]);
    return e;
}

struct pruning {
    struct rewrite_env *env;
    struct expr *filter;
    struct folder folder;
    struct sv last; /* the folder that was asked about last */
    bool keep, failed;
    struct sv *roots;
    uint32_t n_roots, cap_roots;
};

static void ask(struct pruning *p, const struct data_file *f)
{
    struct expr *e;
    struct value v;
    struct err err;

    p->folder.values = f->partition;
    e = expr_transform_up(p->folder.arena, p->filter, value_of_folder, &p->folder);
    if (eval_constant(p->folder.arena, e, p->env->eval, &v, &err) != ERR_OK)
        p->failed = true;
    p->keep = !p->failed && !v.null && v.u.b;
    if (!p->keep)
        return;
    GROW(p->roots, p->n_roots, p->cap_roots);
    p->roots[p->n_roots++] = relation_folder(f->path);
}

static bool keep_file(void *ctx, const struct data_file *f)
{
    struct pruning *p = ctx;
    struct sv folder = relation_folder(f->path);

    if (!sv_eq(folder, p->last) || !p->last.p)
        ask(p, f);
    p->last = folder;
    return p->keep;
}

static const struct relation *prune(struct rewrite_env *env, const struct plan *leaf,
                                    struct expr *filter)
{
    const struct relation *r = leaf->relation, *kept;
    struct arena scratch = { 0 };
    struct pruning p = {
        .env = env,
        .filter = filter,
        .folder = { &scratch,
                    { .at = leaf->output.at + r->data.n, .n = r->partition.n },
                    NULL },
    };
    struct relation *out;

    kept = relation_keep(env->arena, r, keep_file, &p);
    arena_release(&scratch);
    if (p.failed) { /* it says so when it runs */
        free(p.roots);
        return r;
    }
    out = ARENA_NEW(env->arena, struct relation);
    *out = *kept;
    out->roots = arena_array(env->arena, p.n_roots + 1, sizeof *out->roots);
    out->n_roots = p.n_roots;
    if (p.n_roots)
        memcpy(out->roots, p.roots, p.n_roots * sizeof *out->roots);
    free(p.roots);
    return out;
}

static bool is_about_folders(struct arena *a, const struct exprs *partition,
                             const struct expr *e)
{
    return expr_deterministic(e) && !expr_has_subquery(e) && !opt_uses_none(a, e) &&
           opt_covers(a, partition, e);
}

static struct plan *prune_partitions(void *ctx, struct plan *p)
{
    struct rewrite_env *env = ctx;
    struct plan *leaf = p->kind == PLAN_FILTER ? p->children[0] : NULL;
    struct exprs all, folders = { 0 }, partition;
    struct expr *condition = NULL;

    if (!leaf || leaf->kind != PLAN_RELATION || !leaf->relation->is_table ||
        !leaf->relation->partition.n ||
        leaf->output.n != leaf->relation->data.n + leaf->relation->partition.n)
        return p;
    partition = (struct exprs){ .at = leaf->output.at + leaf->relation->data.n,
                                .n = leaf->relation->partition.n };
    all = opt_split(env->arena, p->condition);
    for (uint32_t i = 0; i < all.n; i++) {
        condition = opt_and(env->arena, condition, all.at[i]);
        if (is_about_folders(env->arena, &partition, all.at[i]))
            folders = exprs_add(env->arena, &folders, all.at[i]);
    }
    if (!folders.n)
        return p;
    leaf = plan_copy(env->arena, leaf);
    leaf->relation = prune(env, leaf, opt_join_and(env->arena, &folders));
    return opt_filter(env->arena, condition, leaf);
}

static struct plan *prune_all(struct rewrite_env *env, struct plan *p)
{
    return plan_transform_down(env->arena, p, prune_partitions, env);
}

REWRITE(PruneFileSourcePartitions, prune_all);
