/* Hints: of joins, which go to the relations they name, and of partitioning, which become
 * nodes at once. What Spark does not know it warns of and drops. */
#include "engine/plan/analyze_int.h"

#include <inttypes.h>

static enum join_hint join_hint_of(struct sv name)
{
    static const struct {
        const char *name;
        enum join_hint hint;
    } names[] = {
        { "BROADCAST", HINT_BROADCAST },
        { "BROADCASTJOIN", HINT_BROADCAST },
        { "MAPJOIN", HINT_BROADCAST },
        { "MERGE", HINT_MERGE },
        { "SHUFFLE_MERGE", HINT_MERGE },
        { "MERGEJOIN", HINT_MERGE },
        { "SHUFFLE_HASH", HINT_SHUFFLE_HASH },
        { "SHUFFLE_REPLICATE_NL", HINT_SHUFFLE_REPLICATE_NL },
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (same_name(name, sv(names[i].name)))
            return names[i].hint;
    return HINT_NONE;
}

static struct plan *hinted(struct analyzer *an, enum join_hint h, struct plan *p)
{
    struct plan *to = plan_unary(an->arena, PLAN_HINT, p);

    to->hint_left = h;
    return to;
}

/* The relation of that name below p, not inside another name's scope. */
static struct plan *hint_relation(struct analyzer *an, enum join_hint h, struct sv name,
                                  struct plan *p)
{
    struct plan **to;

    if (p->kind == PLAN_SUBQUERY_ALIAS)
        return same_name(p->name, name) ? hinted(an, h, p) : p;
    if (p->kind == PLAN_HINT || p->kind == PLAN_VIEW || p->kind == PLAN_WITH ||
        !p->n_children)
        return p;
    to = arena_array(an->arena, p->n_children, sizeof *to);
    for (uint32_t i = 0; i < p->n_children; i++)
        to[i] = hint_relation(an, h, name, p->children[i]);
    return plan_with_children(an->arena, p, to);
}

static struct sv hint_parameter(const struct expr *e)
{
    if (e->kind == EXPR_NAME)
        return e->parts[e->n_parts - 1];
    if (e->kind == EXPR_LITERAL && e->type.id == TYPE_STRING)
        return e->value.u.s;
    return (struct sv){ 0 };
}

static enum errc join_hints(struct analyzer *an, struct plan *p, enum join_hint h,
                            struct plan **io)
{
    if (!p->list.n)
        *io = hinted(an, h, *io);
    for (uint32_t i = 0; i < p->list.n; i++) {
        struct sv name = hint_parameter(p->list.at[i]);

        if (!name.p)
            return analysis_fail(
                an, p->list.at[i]->place,
                "Join strategy hint parameter should be an identifier or "
                "string but was %s.",
                text_of(an->arena, p->list.at[i], PRINT_NAME));
        *io = hint_relation(an, h, name, *io);
    }
    return ERR_OK;
}

/* REPARTITION, COALESCE, REPARTITION_BY_RANGE, REBALANCE. */
static enum errc partition_hint(struct analyzer *an, struct plan *p, struct plan **io)
{
    bool coalesce = same_name(p->name, SV("COALESCE"));
    bool range = same_name(p->name, SV("REPARTITION_BY_RANGE"));
    bool rebalance = same_name(p->name, SV("REBALANCE"));
    struct plan *below = *io, *to;
    struct exprs keys = { 0 };
    uint32_t n = 0, first = 0;

    if (p->list.n && p->list.at[0]->kind == EXPR_LITERAL &&
        p->list.at[0]->type.id == TYPE_INT && p->list.at[0]->value.u.i <= 0)
        return analysis_fail(an, p->place,
                             "Number of partitions (%" PRId64 ") must be positive.",
                             p->list.at[0]->value.u.i);
    if (p->list.n && p->list.at[0]->kind == EXPR_LITERAL &&
        p->list.at[0]->type.id == TYPE_INT && p->list.at[0]->value.u.i > 0) {
        n = (uint32_t)p->list.at[0]->value.u.i;
        first = 1;
    }
    if ((coalesce && (!n || p->list.n != 1)) || (range && p->list.n == first))
        return analysis_fail(an, p->place, "%s Hint expects a %s as parameter",
                             coalesce ? "COALESCE" : "REPARTITION_BY_RANGE",
                             coalesce ? "partition number" : "column");
    if (coalesce || (!range && !rebalance && n && p->list.n == 1)) {
        *io = plan_unary(an->arena, PLAN_REPARTITION, below);
        (*io)->n_partitions = n;
        (*io)->shuffle = !coalesce;
        return ERR_OK;
    }
    keys = exprs_new(an->arena, p->list.n - first);
    for (uint32_t i = first; i < p->list.n; i++)
        keys.at[i - first] = p->list.at[i];
    to = plan_unary(an->arena, PLAN_REPARTITION_BY, below);
    to->keys = keys;
    to->n_partitions = n;
    to->shuffle = true;
    to->rebalance = rebalance;
    to->place = p->place;
    TRY(analyze_repartition(an, to, true, io));
    if (!range)
        return ERR_OK;
    to = plan_copy(an->arena, *io);
    to->order = exprs_new(an->arena, keys.n);
    for (uint32_t i = 0; i < keys.n; i++) {
        struct expr *o = expr_new(an->arena, EXPR_SORT_ORDER, 1);

        o->args[0] = (*io)->keys.at[i];
        expr_settle(o);
        to->order.at[i] = o;
    }
    to->keys = (struct exprs){ 0 };
    *io = to;
    return ERR_OK;
}

enum errc analyze_hint(struct analyzer *an, struct plan *p, struct plan **out)
{
    static const char *const partitioning[] = { "REPARTITION", "COALESCE",
                                                "REPARTITION_BY_RANGE", "REBALANCE" };
    enum join_hint h = join_hint_of(p->name);

    TRY(analyze_plan(an, p->children[0], out));
    if (h != HINT_NONE)
        return join_hints(an, p, h, out);
    for (size_t i = 0; i < ARRAY_LEN(partitioning); i++)
        if (same_name(p->name, sv(partitioning[i])))
            return partition_hint(an, p, out);
    return ERR_OK; /* Spark warns of it and goes on */
}
