/* Statements as physical plans, for tests of planning: no file is read, nothing runs. */
#ifndef TESTS_UNIT_ENGINE_PLANS_H
#define TESTS_UNIT_ENGINE_PLANS_H

#include "base/arena.h"
#include "base/strbuf.h"
#include "engine/expr/eval.h"
#include "engine/plan/adaptive.h"
#include "engine/plan/analyze.h"
#include "engine/run/settings.h"
#include "engine/sql/statement.h"

struct plans {
    struct arena arena;
    struct settings *settings;
    struct catalog *catalog;
    struct eval_env eval;
    struct planner_env env;
    struct strbuf text;
};

static inline void plans_init(struct plans *p)
{
    *p = (struct plans){ 0 };
    p->settings = settings_new(&p->arena);
    p->catalog = catalog_new(&p->arena);
    p->eval.settings = p->settings;
    p->env =
        (struct planner_env){ .arena = &p->arena, .settings = p->settings, .cores = 2 };
}

static inline void plans_release(struct plans *p)
{
    strbuf_release(&p->text);
    arena_release(&p->arena);
}

static inline void plans_set(struct plans *p, const char *key, const char *value)
{
    struct err err = { 0 };

    if (settings_put(p->settings, sv(key), sv(value), &err) != ERR_OK)
        fail_msg("%s=%s: %s", key, value, err.text);
}

/* The optimised plan of a query. */
static inline struct plan *plans_logical(struct plans *p, const char *sql)
{
    struct analysis_env analysis = { .arena = &p->arena,
                                     .catalog = p->catalog,
                                     .settings = p->settings };
    struct rewrite_env rewrite = { .arena = &p->arena,
                                   .settings = p->settings,
                                   .eval = &p->eval };
    struct script script;
    struct place at = { 0 };
    struct err err = { 0 };
    struct plan *plan = NULL;

    if (sql_parse(&p->arena, sv(sql), NULL, &script, &err) != ERR_OK ||
        plan_analyze(&analysis, script.statements[0].query, &plan, &at, &err) != ERR_OK ||
        plan_optimize(&rewrite, plan_finish(&p->arena, plan), &plan, &err) != ERR_OK)
        fail_msg("%s: %s", sql, err.text);
    return plan;
}

static inline struct phys *plans_physical(struct plans *p, const char *sql)
{
    struct err err = { 0 };
    struct phys *out = NULL;

    p->env.n_codegen = 0;
    if (phys_plan(&p->env, plans_logical(p, sql), &out, &err) != ERR_OK)
        fail_msg("%s: %s", sql, err.text);
    return out;
}

/* "Join(Sort(Exchange(..)), ..)": names of nodes, for joins with type and build side, for
 * reads with their kind and number of tasks. Adaptive roots and stages are left out. */
static inline void plans_shape(struct strbuf *out, const struct phys *p)
{
    static const char *const reads[] = { "coalesced", "local", "skewed", "both",
                                         "whole" };

    if (p->kind == PHYS_ADAPTIVE || p->kind == PHYS_STAGE) {
        plans_shape(out, p->children[0]);
        return;
    }
    phys_node_name(out, p);
    while (out->len && out->p[out->len - 1] == ' ')
        out->len--;
    switch (p->kind) {
    case PHYS_BROADCAST_HASH_JOIN:
    case PHYS_SHUFFLED_HASH_JOIN:
    case PHYS_BROADCAST_NL_JOIN:
        strbuf_printf(out, " %s %s", join_type_name(p->join_type),
                      p->build_left ? "left" : "right");
        break;
    case PHYS_SORT_MERGE_JOIN:
        strbuf_printf(out, " %s", join_type_name(p->join_type));
        break;
    case PHYS_AQE_READ:
        strbuf_printf(out, " %s %u", reads[p->read_kind], p->n_specs);
        break;
    default:
        break;
    }
    for (uint32_t i = 0; i < p->n_children; i++) {
        strbuf_addz(out, i ? ", " : "(");
        plans_shape(out, p->children[i]);
    }
    strbuf_addz(out, p->n_children ? ")" : "");
}

static inline const char *plans_shape_of(struct plans *p, const struct phys *root)
{
    strbuf_reset(&p->text);
    plans_shape(&p->text, root);
    strbuf_addc(&p->text, '\0');
    p->text.len--;
    return p->text.p;
}

#endif
