/* Unresolved plans and expressions in one line, for comparisons: (and (= a 1) b),
 * project[a, (as (+ a 1) x)](filter[b](t)). */
#ifndef TESTS_SQL_SHAPE_H
#define TESTS_SQL_SHAPE_H

#include "engine/sql/statement.h"

void shape_expr(struct strbuf *out, const struct expr *e);
void shape_plan(struct strbuf *out, const struct plan *p);

static void shape_parts(struct strbuf *out, const struct sv *parts, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        strbuf_printf(out, "%s%.*s", i ? "." : "", SV_FMT(parts[i]));
}

static void shape_list(struct strbuf *out, struct expr *const *at, uint32_t n,
                       const char *between)
{
    for (uint32_t i = 0; i < n; i++) {
        strbuf_addz(out, i ? between : "");
        shape_expr(out, at[i]);
    }
}

static void shape_literal(struct strbuf *out, const struct value *v)
{
    if (v->type.id == TYPE_BINARY && !v->null) {
        strbuf_addz(out, "x'");
        for (size_t i = 0; i < v->u.s.len; i++)
            strbuf_printf(out, "%02x", (unsigned char)v->u.s.p[i]);
        strbuf_addc(out, '\'');
        return;
    }
    if (v->type.id == TYPE_STRING && !v->null)
        strbuf_printf(out, "'%.*s'", SV_FMT(v->u.s));
    else
        value_print(out, v, &zone_utc);
    if (v->type.id != TYPE_INT && v->type.id != TYPE_STRING &&
        v->type.id != TYPE_BOOLEAN && v->type.id != TYPE_NULL) {
        strbuf_addc(out, ':');
        type_print(out, v->type);
    }
}

static void shape_bound(struct strbuf *out, enum frame_bound bound,
                        const struct expr *offset)
{
    if (bound == BOUND_OFFSET)
        shape_expr(out, offset);
    else
        strbuf_addz(out, bound == BOUND_CURRENT ? "current" : "unbounded");
}

static void shape_window(struct strbuf *out, const struct window_spec *w)
{
    if (w->named.p)
        strbuf_printf(out, " %.*s", SV_FMT(w->named));
    if (w->n_partition) {
        strbuf_addz(out, " by ");
        shape_list(out, w->partition, w->n_partition, " ");
    }
    if (w->n_order) {
        strbuf_addz(out, " order ");
        shape_list(out, w->order, w->n_order, " ");
    }
    if (w->has_frame) {
        strbuf_addz(out, w->unit == FRAME_ROWS ? " rows " : " range ");
        shape_bound(out, w->lower, w->lower_offset);
        strbuf_addz(out, " to ");
        shape_bound(out, w->upper, w->upper_offset);
    }
}

static void shape_call(struct strbuf *out, const struct expr *e)
{
    strbuf_addc(out, '(');
    shape_parts(out, e->parts, e->n_parts);
    if (e->distinct)
        strbuf_addz(out, " distinct");
    strbuf_addz(out, e->n_args ? " " : "");
    shape_list(out, e->args, e->n_args, " ");
    if (e->filter) {
        strbuf_addz(out, " filter ");
        shape_expr(out, e->filter);
    }
    strbuf_addz(out, e->ignore_nulls ? " ignore-nulls)" : ")");
}

static void shape_node(struct strbuf *out, const char *name, const struct expr *e)
{
    strbuf_printf(out, "(%s%s", name, e->n_args ? " " : "");
    shape_list(out, e->args, e->n_args, " ");
    if (e->plan) {
        strbuf_addc(out, ' ');
        shape_plan(out, e->plan);
    }
    strbuf_addc(out, ')');
}

void shape_expr(struct strbuf *out, const struct expr *e)
{
    switch ((int)e->kind) {
    case EXPR_NAME:
        shape_parts(out, e->parts, e->n_parts);
        break;
    case EXPR_STAR:
        shape_parts(out, e->parts, e->n_parts);
        strbuf_addz(out, e->n_parts ? ".*" : "*");
        break;
    case EXPR_FUNCTION:
        shape_call(out, e);
        break;
    case EXPR_LITERAL:
        shape_literal(out, &e->value);
        if (e->name.p)
            strbuf_addz(out, "!"); /* waits for the session's zone */
        break;
    case EXPR_ALIAS:
        strbuf_addz(out, "(as ");
        shape_expr(out, e->args[0]);
        strbuf_printf(out, " %.*s)", SV_FMT(e->name));
        break;
    case EXPR_CAST:
        strbuf_addz(out, e->try_cast ? "(try_cast " : "(cast ");
        shape_expr(out, e->args[0]);
        strbuf_addc(out, ' ');
        type_print(out, e->type);
        strbuf_addc(out, ')');
        break;
    case EXPR_SORT_ORDER:
        shape_expr(out, e->args[0]);
        strbuf_printf(out, "%s%s", e->descending ? "-" : "+", e->nulls_last ? "l" : "f");
        break;
    case EXPR_WINDOW:
        strbuf_addz(out, "(over ");
        shape_expr(out, e->args[0]);
        shape_window(out, e->window);
        strbuf_addc(out, ')');
        break;
    case EXPR_CASE:
        shape_node(out, "case", e);
        break;
    case EXPR_IN:
        shape_node(out, "in", e);
        break;
    case EXPR_IN_SUBQUERY:
        shape_node(out, "in", e);
        break;
    case EXPR_EXISTS:
        shape_node(out, "exists", e);
        break;
    case EXPR_SCALAR_SUBQUERY:
        shape_node(out, "scalar", e);
        break;
    default:
        strbuf_printf(out, "?%d", (int)e->kind);
        break;
    }
}

static void shape_exprs(struct strbuf *out, const char *label, struct exprs list)
{
    strbuf_addz(out, label);
    shape_list(out, list.at, list.n, ", ");
}

static const char *shape_name(const struct plan *p)
{
    static const char *const joins[] = { "join", "cross", "left", "right",
                                         "full", "semi",  "anti", "existence" };

    switch ((int)p->kind) {
    case PLAN_ONE_ROW:
        return "one";
    case PLAN_PROJECT:
        return "project";
    case PLAN_FILTER:
        return p->having ? "having" : "filter";
    case PLAN_JOIN:
        return joins[p->join_type];
    case PLAN_AGGREGATE:
        return "aggregate";
    case PLAN_SORT:
        return p->global ? "sort" : "localsort";
    case PLAN_GLOBAL_LIMIT:
        return "limit";
    case PLAN_LOCAL_LIMIT:
        return "locallimit";
    case PLAN_OFFSET:
        return "offset";
    case PLAN_DISTINCT:
        return "distinct";
    case PLAN_UNION:
        return "union";
    case PLAN_INTERSECT:
        return p->all ? "intersect-all" : "intersect";
    case PLAN_EXCEPT:
        return p->all ? "except-all" : "except";
    case PLAN_WITH:
        return "with";
    case PLAN_REPARTITION_BY:
        return "distribute";
    case PLAN_SAMPLE:
        return "sample";
    default:
        return "?";
    }
}

static void shape_sets(struct strbuf *out, const struct plan *p)
{
    static const char *const kinds[] = { "", "rollup", "cube", "sets" };

    strbuf_printf(out, " %s", kinds[p->sets_kind]);
    for (uint32_t i = 0; i < p->n_sets; i++) {
        strbuf_addz(out, " {");
        shape_list(out, p->sets[i].at, p->sets[i].n, " ");
        strbuf_addc(out, '}');
    }
}

static void shape_details(struct strbuf *out, const struct plan *p)
{
    if (p->kind == PLAN_AGGREGATE) {
        shape_exprs(out, "", p->keys);
        if (p->sets_kind != SETS_NONE)
            shape_sets(out, p);
        shape_exprs(out, " | ", p->list);
        return;
    }
    shape_exprs(out, "", p->list);
    shape_exprs(out, "", p->keys);
    shape_exprs(out, "", p->order);
    if (p->condition)
        shape_expr(out, p->condition);
    if (p->limit)
        shape_expr(out, p->limit);
    if (p->natural)
        strbuf_addz(out, "natural");
    for (uint32_t i = 0; i < p->n_using; i++)
        strbuf_printf(out, "%s%.*s", i ? ", " : "using ", SV_FMT(p->using_columns[i]));
    if (p->kind == PLAN_SAMPLE)
        strbuf_printf(out, "%g %lld", p->upper, (long long)p->seed);
}

static void shape_columns(struct strbuf *out, const struct plan *p)
{
    for (uint32_t i = 0; i < p->n_columns; i++)
        strbuf_printf(out, "%s%.*s", i ? "," : "/", SV_FMT(p->columns[i]));
}

/* Relations, values and names; false: another kind. */
static bool shape_leaf(struct strbuf *out, const struct plan *p)
{
    switch ((int)p->kind) {
    case PLAN_UNRESOLVED_RELATION:
        shape_parts(out, p->parts, p->n_parts);
        return true;
    case PLAN_UNRESOLVED_VALUES:
        strbuf_addz(out, "values");
        for (uint32_t i = 0; i < p->n_parts; i++)
            strbuf_printf(out, "%s%.*s", i ? "," : "/", SV_FMT(p->parts[i]));
        for (uint32_t i = 0; i < p->n_projections; i++) {
            strbuf_addz(out, " (");
            shape_list(out, p->projections[i].at, p->projections[i].n, " ");
            strbuf_addc(out, ')');
        }
        return true;
    case PLAN_UNRESOLVED_FUNCTION:
        strbuf_printf(out, "%.*s{", SV_FMT(p->name));
        shape_list(out, p->list.at, p->list.n, " ");
        strbuf_addc(out, '}');
        return true;
    case PLAN_SUBQUERY_ALIAS:
    case PLAN_CTE_DEF:
        strbuf_printf(out, "%.*s", SV_FMT(p->name));
        shape_columns(out, p);
        strbuf_addc(out, '=');
        shape_plan(out, p->children[0]);
        return true;
    case PLAN_HINT:
        strbuf_printf(out, "hint %.*s[", SV_FMT(p->name));
        shape_list(out, p->list.at, p->list.n, ", ");
        strbuf_addz(out, "](");
        shape_plan(out, p->children[0]);
        strbuf_addc(out, ')');
        return true;
    default:
        return false;
    }
}

void shape_plan(struct strbuf *out, const struct plan *p)
{
    size_t start;

    if (shape_leaf(out, p))
        return;
    strbuf_addz(out, shape_name(p));
    start = out->len;
    strbuf_addc(out, '[');
    shape_details(out, p);
    if (out->len == start + 1)
        out->p[out->len = start] = '\0';
    else
        strbuf_addc(out, ']');
    for (uint32_t i = 0; i < p->n_children; i++) {
        strbuf_addz(out, i ? ", " : "(");
        shape_plan(out, p->children[i]);
    }
    if (p->n_children)
        strbuf_addc(out, ')');
}

#endif
