/* Adaptive execution: which exchanges run next, and what is planned anew after them. */
#include "engine/plan/adaptive.h"

#include "engine/plan/phys_int.h"

#include "base/err.h"

struct cutting {
    struct planner_env *env;
    struct query_stage ***all;
    uint32_t *n;
};

static bool materialised(const struct phys *p)
{
    if (p->kind == PHYS_STAGE)
        return p->stage->done;
    for (uint32_t i = 0; i < p->n_children; i++)
        if (!materialised(p->children[i]))
            return false;
    return true;
}

static struct query_stage *same_stage(const struct cutting *c, const struct phys *exchange)
{
    for (uint32_t i = 0; i < *c->n; i++)
        if (!(*c->all)[i]->reuse_of && phys_same((*c->all)[i]->exchange, exchange))
            return (*c->all)[i];
    return NULL;
}

static struct phys *new_stage(struct cutting *c, struct phys *exchange)
{
    struct arena *a = c->env->arena;
    struct query_stage **grown = arena_array(a, *c->n + 1, sizeof(struct query_stage *));
    struct query_stage *stage = ARENA_NEW(a, struct query_stage);
    struct phys *node = phys_new(a, PHYS_STAGE, 1);

    stage->id = *c->n;
    stage->exchange = adaptive_stage_plan(c->env, exchange, false);
    stage->reuse_of = same_stage(c, stage->exchange);
    if (*c->n)
        memcpy(grown, *c->all, *c->n * sizeof(struct query_stage *));
    grown[(*c->n)++] = stage;
    *c->all = grown;
    node->children[0] = stage->exchange;
    node->output = exchange->output;
    node->logical = exchange->logical;
    node->stage = stage;
    return node;
}

static struct phys *cut(struct cutting *c, struct phys *p)
{
    struct phys **children;

    if (p->kind == PHYS_STAGE || !p->n_children)
        return p;
    children = arena_array(c->env->arena, p->n_children, sizeof(struct phys *));
    for (uint32_t i = 0; i < p->n_children; i++)
        children[i] = cut(c, p->children[i]);
    p = phys_with_children(c->env->arena, p, children);
    if ((p->kind == PHYS_EXCHANGE || p->kind == PHYS_BROADCAST) && materialised(p))
        return new_stage(c, p);
    return p;
}

struct phys *adaptive_new_stages(struct planner_env *env, struct phys *current,
                                 struct query_stage ***all, uint32_t *n_all)
{
    struct cutting c = { env, all, n_all };

    return cut(&c, current);
}

enum errc adaptive_replan(struct planner_env *env, struct rewrite_env *rw,
                          struct plan *logical, struct phys *current,
                          struct plan **new_logical, struct phys **out, struct err *err)
{
    (void)env;
    (void)rw;
    (void)err;
    *new_logical = logical;
    *out = current;
    return ERR_OK;
}

struct phys *adaptive_stage_plan(struct planner_env *env, struct phys *stage_root,
                                 bool is_result)
{
    (void)is_result;
    return phys_codegen(env, stage_root);
}
