/* Subqueries in expressions: a plan of their own, in which names of the query around are
 * EXPR_OUTER; and what is compared with their columns. */
#include "engine/plan/analyze_int.h"

static enum errc subquery_plan(struct analyzer *an, const struct scope *s, struct expr *e,
                               struct expr **out)
{
    struct outer outer = { .scope = s }, *before = an->outer;
    struct plan *plan;
    enum errc rc;

    if (an->depth >= 200)
        return analysis_fail(an, e->place, "subqueries nested more than 200 deep");
    an->outer = &outer;
    an->depth++;
    rc = analyze_plan(an, e->plan, &plan);
    an->depth--;
    an->outer = before;
    if (rc != ERR_OK)
        return rc;
    if (outer.used.n) {
        TRY(check_outer(an, e, plan));
        outer.used.n = 0;
        collect_outer(an->arena, plan, &outer.used);
    }
    *out = expr_copy(an->arena, e);
    (*out)->plan = plan;
    (*out)->outer = outer.used.at;
    (*out)->n_outer = outer.used.n;
    (*out)->id = next_expr_id();
    (*out)->resolved = true;
    return ERR_OK;
}

/* What makes it one row for each outer row: an aggregate, SELECT without FROM, LIMIT 1.
 */
static const struct plan *one_row_by(const struct plan *p)
{
    for (;; p = p->children[0]) {
        if (p->kind == PLAN_AGGREGATE || p->kind == PLAN_ONE_ROW)
            return p;
        if (p->kind == PLAN_GLOBAL_LIMIT && p->limit->kind == EXPR_LITERAL)
            return p->limit->value.u.i <= 1 ? p : NULL;
        if (p->kind != PLAN_PROJECT && p->kind != PLAN_FILTER && p->kind != PLAN_SORT &&
            p->kind != PLAN_SUBQUERY_ALIAS && p->kind != PLAN_HINT)
            return NULL;
    }
}

static enum errc resolve_scalar(struct analyzer *an, const struct scope *s,
                                struct expr *e, struct expr **out)
{
    const struct exprs *columns;

    TRY(subquery_plan(an, s, e, out));
    columns = plan_output(an->arena, (*out)->plan);
    if (columns->n != 1)
        return analysis_fail(
            an, e->place,
            "[INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_"
            "OUTPUT_COLUMN] Invalid subquery: Scalar subquery must return only "
            "one column, but got %u.",
            columns->n);
    if ((*out)->n_outer) {
        const struct plan *one = one_row_by((*out)->plan);

        if (!one)
            return analysis_fail(
                an, e->place,
                "[UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.MUST_AGGREGATE_CORRELATED_"
                "SCALAR_SUBQUERY] Unsupported subquery expression: Correlated scalar "
                "subqueries must be aggregated to return at most one row.");
        if (one->kind == PLAN_AGGREGATE)
            TRY(check_groups(an, e, one));
    }
    (*out)->type = columns->at[0]->type;
    (*out)->nullable = true;
    return ERR_OK;
}

static enum errc fail_in_length(struct analyzer *an, struct expr *in,
                                const struct exprs *columns)
{
    struct strbuf left = { 0 }, right = { 0 };
    enum errc rc;

    for (uint32_t i = 0; i < in->n_args; i++)
        strbuf_printf(&left, "%s\"%s\"", i ? ", " : "",
                      text_of(an->arena, in->args[i], PRINT_NAME));
    for (uint32_t i = 0; i < columns->n; i++)
        strbuf_printf(&right, "%s\"%.*s\"", i ? ", " : "", SV_FMT(columns->at[i]->name));
    rc = analysis_fail(
        an, in->place,
        "[DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH] Cannot resolve \"%s\" "
        "due to data type mismatch: The number of columns in the left hand side "
        "of an IN subquery does not match the number of columns in the output of "
        "subquery. Left hand side columns(length: %u): [%.*s], right hand side "
        "columns(length: %u): [%.*s].",
        text_of(an->arena, in, PRINT_NAME), in->n_args, SV_FMT(strbuf_sv(&left)),
        columns->n, SV_FMT(strbuf_sv(&right)));
    strbuf_release(&left);
    strbuf_release(&right);
    return rc;
}

/* Values and columns become one type each; the subquery's columns in a Project above. */
static enum errc unify_in(struct analyzer *an, struct expr *in,
                          const struct exprs *columns)
{
    struct exprs list = exprs_new(an->arena, columns->n);
    bool cast = false;

    for (uint32_t i = 0; i < columns->n; i++) {
        struct type l = in->args[i]->type, r = columns->at[i]->type, t = r;

        if (!type_eq(l, r) && l.id != TYPE_NULL && !coerce_union(l, r, &t) &&
            r.id != TYPE_NULL)
            return analysis_fail(
                an, in->place,
                "[DATATYPE_MISMATCH.IN_SUBQUERY_DATA_TYPE_MISMATCH] Cannot "
                "resolve \"%s\" due to data type mismatch: The data type of "
                "one or more elements in the left hand side of an IN subquery "
                "is not compatible with the data type of the output of the "
                "subquery. Mismatched columns: \"%s\" and \"%s\".",
                text_of(an->arena, in, PRINT_NAME), type_text(an->arena, l),
                type_text(an->arena, r));
        if (r.id == TYPE_NULL)
            t = l;
        in->args[i] = coerce_to(an->arena, in->args[i], t);
        list.at[i] = columns->at[i];
        if (type_eq(r, t))
            continue;
        cast = true;
        list.at[i] = expr_alias(an->arena, coerce_to(an->arena, columns->at[i], t),
                                columns->at[i]->name, next_expr_id());
    }
    if (cast) {
        in->plan = plan_project(an->arena, list, in->plan);
        in->plan->resolved = true;
    }
    return ERR_OK;
}

static enum errc resolve_in_subquery(struct analyzer *an, const struct scope *s,
                                     struct expr *e, const struct exprs *values,
                                     struct expr **out)
{
    const struct exprs *columns;

    TRY(subquery_plan(an, s, e, out));
    (*out)->args = exprs_copy(an->arena, values).at;
    (*out)->n_args = values->n;
    columns = plan_output(an->arena, (*out)->plan);
    if (columns->n != values->n)
        return fail_in_length(an, *out, columns);
    TRY(unify_in(an, *out, columns));
    plan_output(an->arena, (*out)->plan); /* its nullability counts */
    expr_settle(*out);
    (*out)->resolved = true;
    return ERR_OK;
}

static enum errc resolve_exists(struct analyzer *an, const struct scope *s,
                                struct expr *e, struct expr **out)
{
    TRY(subquery_plan(an, s, e, out));
    (*out)->type = type_of(TYPE_BOOLEAN);
    (*out)->nullable = false;
    return ERR_OK;
}

enum errc resolve_subquery(struct analyzer *an, const struct scope *s, struct expr *e,
                           const struct exprs *values, struct expr **out)
{
    if (e->kind == EXPR_SCALAR_SUBQUERY)
        return resolve_scalar(an, s, e, out);
    if (e->kind == EXPR_EXISTS)
        return resolve_exists(an, s, e, out);
    return resolve_in_subquery(an, s, e, values, out);
}
