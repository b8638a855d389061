/* Logical plans as EXPLAIN EXTENDED prints them.
 *
 *     Project [a#1]
 *     +- Filter (b#2 > scalar-subquery#7 [])
 *        :  +- Aggregate [max(b#9) AS max(b)#8]      subqueries of a node come first,
 *        :     +- Relation [b#9] parquet             indented twice
 *        +- Relation [a#1,b#2] parquet
 *
 * What is not analysed yet has a quote in front. Each node's line is its kind's name and
 * then its arguments with ", " between; empty lists are left out. */
#include "engine/expr/func.h"
#include "engine/plan/plan.h"

#include "engine/store/format.h"

#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>

static atomic_uint most_fields = 25;

void plan_print_fields(uint32_t most)
{
    most_fields = most;
}

/* ---- pieces ---- */

struct cut { /* "a, b, ... 3 more fields" */
    uint32_t n, shown;
};

static struct cut cut_at_most(uint32_t n)
{
    uint32_t most = most_fields;

    return (struct cut){ n, n < most ? n : most };
}

static void print_cut(struct strbuf *out, struct cut c, const char *between)
{
    if (c.shown < c.n)
        strbuf_printf(out, "%s... %u more fields", c.shown ? between : "", c.n - c.shown);
}

void plan_print_exprs(struct strbuf *out, const struct exprs *list, const char *between)
{
    struct cut c = cut_at_most(list->n);

    strbuf_addc(out, '[');
    expr_print_list(out, list->at, c.shown, between, PRINT_PLAN);
    print_cut(out, c, between);
    strbuf_addc(out, ']');
}

void plan_print_generator(struct strbuf *out, const struct exprs *list)
{
    strbuf_addz(out, "replicaterows(");
    expr_print_list(out, list->at, list->n, ", ", PRINT_PLAN);
    strbuf_addc(out, ')');
}

static void print_names(struct strbuf *out, const struct sv *names, uint32_t n,
                        const char *between)
{
    for (uint32_t i = 0; i < n; i++) {
        strbuf_addz(out, i ? between : "");
        strbuf_add(out, names[i]);
    }
}

/* One argument more: a blank before the first, a comma before others. */
struct args {
    struct strbuf *out;
    uint32_t n;
};

static struct strbuf *next_arg(struct args *a)
{
    strbuf_addz(a->out, a->n++ ? ", " : " ");
    return a->out;
}

void plan_print_rank(struct strbuf *out, const struct expr *rank,
                     const struct exprs *order)
{
    if (rank->kind != EXPR_CALL || strcmp(rank->func->name, "row_number") == 0) {
        expr_print(out, rank, PRINT_PLAN);
        return;
    }
    strbuf_printf(out, "%s(", rank->func->name);
    for (uint32_t i = 0; i < order->n; i++) {
        strbuf_addz(out, i ? ", " : "");
        expr_print(out, order->at[i]->args[0], PRINT_PLAN);
    }
    strbuf_addc(out, ')');
}

static void arg_exprs(struct args *a, const struct exprs *list)
{
    if (list->n)
        plan_print_exprs(next_arg(a), list, ", ");
}

static void arg_expr(struct args *a, const struct expr *e)
{
    if (e)
        expr_print(next_arg(a), e, PRINT_PLAN);
}

static void arg_text(struct args *a, const char *text)
{
    strbuf_addz(next_arg(a), text);
}

static void arg_bool(struct args *a, bool b)
{
    arg_text(a, b ? "true" : "false");
}

static void arg_int(struct args *a, int64_t i)
{
    strbuf_printf(next_arg(a), "%" PRId64, i);
}

static void arg_table(struct args *a, const struct exprs *rows, uint32_t n)
{
    struct strbuf *out = next_arg(a);
    struct cut c = cut_at_most(n);

    strbuf_addc(out, '[');
    for (uint32_t i = 0; i < c.shown; i++) {
        strbuf_addz(out, i ? ", " : "");
        plan_print_exprs(out, &rows[i], ", ");
    }
    print_cut(out, c, ", ");
    strbuf_addc(out, ']');
}

/* Java's text of a double between 0 and 1. */
static void arg_fraction(struct args *a, double f)
{
    struct value v = value_double(f);

    value_print(next_arg(a), &v, &zone_utc);
}

/* ---- lines with a form of their own ---- */

static const char *hint_name(enum join_hint h)
{
    switch (h) {
    case HINT_NONE:
        return "none";
    case HINT_BROADCAST:
        return "broadcast";
    case HINT_MERGE:
        return "merge";
    case HINT_SHUFFLE_HASH:
        return "shuffle_hash";
    case HINT_SHUFFLE_REPLICATE_NL:
        return "shuffle_replicate_nl";
    case HINT_NO_BROADCAST_HASH:
        return "no_broadcast_hash";
    case HINT_PREFER_SHUFFLE_HASH:
        return "prefer_shuffle_hash";
    }
    return "";
}

static void arg_hint(struct args *a, const char *side, enum join_hint h)
{
    if (h != HINT_NONE)
        strbuf_printf(next_arg(a), "%s(strategy=%s)", side, hint_name(h));
}

static void print_join(struct args *a, const struct plan *p)
{
    const char *type = join_type_name(p->join_type);

    if (p->natural) {
        strbuf_printf(next_arg(a), "NaturalJoin(%s)", type);
    } else if (p->n_using) {
        strbuf_printf(next_arg(a), "UsingJoin(%s, [", type);
        print_names(a->out, p->using_columns, p->n_using, ", ");
        strbuf_addz(a->out, "])");
    } else if (p->join_type == JOIN_EXISTENCE) {
        strbuf_printf(next_arg(a), "%s(exists#%u)", type, p->exists_id);
    } else {
        arg_text(a, type);
    }
    arg_expr(a, p->condition);
    arg_hint(a, "leftHint=", p->hint_left);
    arg_hint(a, "rightHint=", p->hint_right);
}

static void print_relation(struct args *a, const struct plan *p)
{
    strbuf_addc(a->out, ' ');
    if (p->relation->is_table)
        strbuf_printf(a->out, "spark_catalog.default.%.*s", SV_FMT(p->relation->name));
    plan_print_exprs(a->out, &p->output, ",");
    strbuf_printf(a->out, " %s", p->relation->format ? p->relation->format->print : "");
}

static void print_generate(struct args *a, struct plan *p)
{
    const struct exprs *child = &p->children[0]->output; /* known by ColumnPruning */
    struct exprs kept, made;
    struct strbuf *out = next_arg(a);
    bool any = false;

    generate_parts(&p->list, &p->output, &kept, &made);
    plan_print_generator(out, &p->list);
    for (uint32_t i = 0; i < child->n; i++)
        if (!exprs_find(&kept, child->at[i]->id)) {
            strbuf_printf(out, any ? ", %u" : ", [%u", i);
            any = true;
        }
    if (any)
        strbuf_addc(out, ']');
    arg_bool(a, false);
    arg_exprs(a, &made);
}

static void print_local_relation(struct args *a, const struct plan *p)
{
    if (!p->n_rows)
        arg_text(a, "<empty>");
    arg_exprs(a, &p->output);
}

static void print_range(struct args *a, const struct plan *p)
{
    strbuf_printf(a->out,
                  " (%" PRId64 ", %" PRId64 ", step=%" PRId64 ", splits=", p->range_start,
                  p->range_end, p->range_step);
    if (p->n_partitions)
        strbuf_printf(a->out, "Some(%u))", p->n_partitions);
    else
        strbuf_addz(a->out, "None)");
}

static void print_unresolved_relation(struct args *a, const struct plan *p)
{
    struct strbuf *out = next_arg(a);

    strbuf_addc(out, '[');
    print_names(out, p->parts, p->n_parts, ", ");
    strbuf_addz(out, "], [");
    for (uint32_t i = 0; i < p->n_options; i++)
        strbuf_printf(out, "%s%.*s=%.*s", i ? ", " : "", SV_FMT(p->option_keys[i]),
                      SV_FMT(p->option_values[i]));
    strbuf_addz(out, "], false");
}

static void print_values(struct args *a, const struct plan *p)
{
    struct strbuf *out = next_arg(a);

    strbuf_addc(out, '[');
    if (p->n_parts)
        print_names(out, p->parts, p->n_parts, ", ");
    for (uint32_t i = 0; !p->n_parts && p->n_projections && i < p->projections[0].n; i++)
        strbuf_printf(out, "%scol%u", i ? ", " : "", i + 1);
    strbuf_addc(out, ']');
    arg_table(a, p->projections, p->n_projections);
}

static void print_alias(struct args *a, const struct plan *p)
{
    struct strbuf *out = next_arg(a);

    if (p->n_parts)
        print_names(out, p->parts, p->n_parts, ".");
    else
        strbuf_add(out, p->name);
}

static void print_view(struct args *a, const struct plan *p)
{
    strbuf_printf(a->out, " (`%.*s`, ", SV_FMT(p->name));
    plan_print_exprs(a->out, &p->output, ",");
    strbuf_addc(a->out, ')');
}

static void print_cte_ref(struct args *a, const struct plan *p)
{
    arg_int(a, p->cte_id);
    arg_bool(a, true);
    arg_exprs(a, &p->output);
    arg_bool(a, false);
}

static void print_aggregate(struct args *a, const struct plan *p)
{
    static const char *const names[] = { "", "rollup", "cube", "groupingsets" };

    if (p->sets_kind == SETS_NONE) {
        arg_exprs(a, &p->keys);
    } else {
        strbuf_printf(next_arg(a), "[%s(", names[p->sets_kind]);
        for (uint32_t i = 0; i < p->n_sets; i++) {
            strbuf_addz(a->out, i ? ", " : "");
            plan_print_exprs(a->out, &p->sets[i], ", ");
        }
        strbuf_addz(a->out, ")]");
    }
    arg_exprs(a, &p->list);
}

static void print_hint(struct args *a, const struct plan *p)
{
    if (p->hint_left != HINT_NONE) {
        strbuf_printf(next_arg(a), "(strategy=%s)", hint_name(p->hint_left));
        return;
    }
    strbuf_add(next_arg(a), p->name);
    arg_exprs(a, &p->list);
}

static void print_sample(struct args *a, const struct plan *p)
{
    arg_fraction(a, p->lower);
    arg_fraction(a, p->upper);
    arg_bool(a, p->with_replacement);
    arg_int(a, p->seed);
}

static void print_repartition_by(struct args *a, const struct plan *p)
{
    arg_exprs(a, p->order.n ? &p->order : &p->keys);
    if (p->n_partitions)
        arg_int(a, p->n_partitions);
}

static const char *node_name(const struct plan *p)
{
    switch (p->kind) {
    case PLAN_UNRESOLVED_RELATION:
        return "UnresolvedRelation";
    case PLAN_UNRESOLVED_VALUES:
        return "UnresolvedInlineTable";
    case PLAN_UNRESOLVED_FUNCTION:
        return "UnresolvedTableValuedFunction";
    case PLAN_WITH_WINDOW:
        return "WithWindowDefinition";
    case PLAN_RELATION:
        return "Relation";
    case PLAN_LOCAL_RELATION:
        return "LocalRelation";
    case PLAN_RANGE:
        return "Range";
    case PLAN_ONE_ROW:
        return "OneRowRelation";
    case PLAN_PROJECT:
        return "Project";
    case PLAN_FILTER:
        return p->having ? "UnresolvedHaving" : "Filter";
    case PLAN_JOIN:
        return "Join";
    case PLAN_AGGREGATE:
        return "Aggregate";
    case PLAN_SORT:
        return "Sort";
    case PLAN_GLOBAL_LIMIT:
        return "GlobalLimit";
    case PLAN_LOCAL_LIMIT:
        return "LocalLimit";
    case PLAN_OFFSET:
        return "Offset";
    case PLAN_DISTINCT:
        return "Distinct";
    case PLAN_UNION:
        return "Union";
    case PLAN_INTERSECT:
        return p->all ? "Intersect All" : "Intersect";
    case PLAN_EXCEPT:
        return p->all ? "Except All" : "Except";
    case PLAN_SUBQUERY_ALIAS:
        return "SubqueryAlias";
    case PLAN_VIEW:
        return "View";
    case PLAN_WITH:
        return p->resolved ? "WithCTE" : "CTE";
    case PLAN_CTE_DEF:
        return "CTERelationDef";
    case PLAN_CTE_REF:
        return "CTERelationRef";
    case PLAN_WINDOW:
        return "Window";
    case PLAN_WINDOW_GROUP_LIMIT:
        return "WindowGroupLimit";
    case PLAN_EXPAND:
        return "Expand";
    case PLAN_GENERATE:
        return "Generate";
    case PLAN_REPARTITION:
        return "Repartition";
    case PLAN_REPARTITION_BY:
        return p->rebalance ? "RebalancePartitions" : "RepartitionByExpression";
    case PLAN_HINT:
        return p->hint_left != HINT_NONE ? "ResolvedHint" : "UnresolvedHint";
    case PLAN_SAMPLE:
        return "Sample";
    case PLAN_STAGE:
        return "LogicalQueryStage";
    case N_PLAN_KINDS:
        break;
    }
    return "";
}

static void print_args(struct args *a, struct plan *p)
{
    switch (p->kind) {
    case PLAN_UNRESOLVED_RELATION:
        print_unresolved_relation(a, p);
        break;
    case PLAN_UNRESOLVED_VALUES:
        print_values(a, p);
        break;
    case PLAN_UNRESOLVED_FUNCTION:
        strbuf_printf(next_arg(a), "[%.*s]", SV_FMT(p->name));
        arg_exprs(a, &p->list);
        break;
    case PLAN_WITH_WINDOW:
        arg_exprs(a, &p->list);
        break;
    case PLAN_RELATION:
        print_relation(a, p);
        break;
    case PLAN_LOCAL_RELATION:
        print_local_relation(a, p);
        break;
    case PLAN_RANGE:
        print_range(a, p);
        break;
    case PLAN_PROJECT:
        arg_exprs(a, &p->list);
        break;
    case PLAN_FILTER:
        expr_print_condition(next_arg(a), p->condition);
        break;
    case PLAN_JOIN:
        print_join(a, p);
        break;
    case PLAN_AGGREGATE:
        print_aggregate(a, p);
        break;
    case PLAN_SORT:
        arg_exprs(a, &p->order);
        arg_bool(a, p->global);
        break;
    case PLAN_GLOBAL_LIMIT:
    case PLAN_LOCAL_LIMIT:
    case PLAN_OFFSET:
        arg_expr(a, p->limit);
        break;
    case PLAN_UNION:
        arg_bool(a, p->by_name);
        arg_bool(a, false);
        break;
    case PLAN_INTERSECT:
    case PLAN_EXCEPT:
        arg_bool(a, p->all);
        break;
    case PLAN_SUBQUERY_ALIAS:
        print_alias(a, p);
        break;
    case PLAN_VIEW:
        print_view(a, p);
        break;
    case PLAN_WITH:
        if (!p->resolved) {
            strbuf_addz(next_arg(a), "[");
            for (uint32_t i = 1; i < p->n_children; i++)
                strbuf_printf(a->out, "%s%.*s", i > 1 ? ", " : "",
                              SV_FMT(p->children[i]->name));
            strbuf_addc(a->out, ']');
        }
        break;
    case PLAN_CTE_DEF:
        arg_int(a, p->cte_id);
        arg_bool(a, false);
        break;
    case PLAN_CTE_REF:
        print_cte_ref(a, p);
        break;
    case PLAN_WINDOW:
        arg_exprs(a, &p->list);
        arg_exprs(a, &p->keys);
        arg_exprs(a, &p->order);
        break;
    case PLAN_WINDOW_GROUP_LIMIT:
        arg_exprs(a, &p->keys);
        arg_exprs(a, &p->order);
        plan_print_rank(next_arg(a), p->condition, &p->order);
        arg_expr(a, p->limit);
        break;
    case PLAN_GENERATE:
        print_generate(a, p);
        break;
    case PLAN_EXPAND:
        arg_table(a, p->projections, p->n_projections);
        arg_exprs(a, &p->output);
        break;
    case PLAN_REPARTITION:
        arg_int(a, p->n_partitions);
        arg_bool(a, p->shuffle);
        break;
    case PLAN_REPARTITION_BY:
        print_repartition_by(a, p);
        break;
    case PLAN_HINT:
        print_hint(a, p);
        break;
    case PLAN_SAMPLE:
        print_sample(a, p);
        break;
    case PLAN_STAGE:
        arg_exprs(a, &p->output);
        break;
    case PLAN_ONE_ROW:
    case PLAN_DISTINCT:
    case N_PLAN_KINDS:
        break;
    }
}

void plan_print_node(struct strbuf *out, struct plan *p)
{
    struct args a = { out, 0 };

    if (!plan_is_resolved(p))
        strbuf_addc(out, '\'');
    strbuf_addz(out, node_name(p));
    print_args(&a, p);
}

/* ---- the tree ---- */

struct line {
    struct strbuf *out;
    struct strbuf before; /* what stands before the children of the node at hand */
};

static void print_tree(struct line *l, struct plan *p);

static void print_below(struct line *l, struct plan *p, bool last)
{
    size_t len = l->before.len;

    strbuf_add(l->out, strbuf_sv(&l->before));
    strbuf_addz(l->out, last ? "+- " : ":- ");
    strbuf_addz(&l->before, last ? "   " : ":  ");
    print_tree(l, p);
    l->before.len = len;
    l->before.p[len] = 0;
}

struct inner { /* plans shown inside a node: subqueries, CTEs before analysis */
    struct arena arena;
    struct plan **at;
    uint32_t n, cap;
};

static void add_inner(struct inner *in, struct plan *p)
{
    if (in->n == in->cap) {
        uint32_t cap = in->cap ? in->cap * 2 : 4;
        struct plan **at = arena_array(&in->arena, cap, sizeof *at);

        if (in->n)
            memcpy(at, in->at, in->n * sizeof *at);
        in->at = at;
        in->cap = cap;
    }
    in->at[in->n++] = p;
}

static bool add_subquery(void *ctx, const struct expr *e)
{
    if (e->plan)
        add_inner(ctx, e->plan);
    return false;
}

static void add_subqueries(void *ctx, struct expr *e)
{
    expr_any(e, add_subquery, ctx);
}

static void print_inner(struct line *l, const struct inner *in, bool childless)
{
    size_t len = l->before.len;

    if (!in->n)
        return;
    strbuf_addz(&l->before, childless ? "   " : ":  ");
    for (uint32_t i = 0; i < in->n; i++)
        print_below(l, in->at[i], i + 1 == in->n);
    l->before.len = len;
    l->before.p[len] = 0;
}

/* Definitions before the body. */
static void print_with(struct line *l, struct plan *p)
{
    struct inner in = { 0 };

    if (p->resolved) {
        for (uint32_t i = 1; i < p->n_children; i++)
            print_below(l, p->children[i], false);
    } else {
        for (uint32_t i = 1; i < p->n_children; i++)
            add_inner(&in, p->children[i]->children[0]);
        print_inner(l, &in, false);
    }
    print_below(l, p->children[0], true);
    arena_release(&in.arena);
}

static void print_tree(struct line *l, struct plan *p)
{
    struct inner in = { 0 };

    plan_print_node(l->out, p);
    strbuf_addc(l->out, '\n');
    if (p->kind == PLAN_WITH) {
        print_with(l, p);
        return;
    }
    plan_each_expr(p, add_subqueries, &in);
    print_inner(l, &in, p->n_children == 0);
    for (uint32_t i = 0; i < p->n_children; i++)
        print_below(l, p->children[i], i + 1 == p->n_children);
    arena_release(&in.arena);
}

void plan_print(struct strbuf *out, struct plan *p)
{
    struct line l = { .out = out };

    print_tree(&l, p);
    strbuf_release(&l.before);
}
