/* Joins: conditions, USING and NATURAL, self joins.
 *
 * A join of a relation with itself would put the same ids out twice; the right side then
 * gets new ones (Spark's DeduplicateRelations). USING puts its columns out once: a
 * Project above the join, which remembers the columns that it leaves out, for t.a and u.a
 * still mean them. */
#include "engine/plan/analyze_int.h"

#include <stdlib.h>

struct plan *dedup_right(struct arena *a, struct plan *left, struct plan *right)
{
    const struct exprs *l = plan_output(a, left), *r = plan_output(a, right);
    struct exprs lh = plan_hidden(a, left), rh = plan_hidden(a, right);
    struct exprs ls = exprs_join(a, l, &lh), rs = exprs_join(a, r, &rh);

    for (uint32_t i = 0; i < rs.n; i++)
        if (exprs_find(&ls, rs.at[i]->id))
            return plan_fresh(a, right);
    return right;
}

/* ---- ON ---- */

static enum errc check_condition(struct analyzer *an, const struct plan *p,
                                 const struct expr *e)
{
    if (e->type.id != TYPE_BOOLEAN && e->type.id != TYPE_NULL)
        return analysis_fail(
            an, p->condition->place,
            "[JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE] The join condition \"%s\" "
            "has the invalid type \"%s\", expected \"BOOLEAN\".",
            text_of(an->arena, e, PRINT_NAME), type_text(an->arena, e->type));
    if (expr_has_aggregate(e) || is_window(e))
        return analysis_fail(
            an, p->condition->place,
            "[UNSUPPORTED_EXPR_FOR_OPERATOR] A query operator contains one or "
            "more unsupported expressions. Consider to rewrite it to avoid "
            "window functions, aggregate functions, and generator functions in "
            "the WHERE clause. Invalid expressions: [\"%s\"]",
            text_of(an->arena, e, PRINT_NAME));
    return ERR_OK;
}

static enum errc join_on(struct analyzer *an, struct plan *p, struct plan *join)
{
    struct expr_set used = { 0 };
    struct exprs left = *plan_output(an->arena, join->children[0]);
    struct exprs right = *plan_output(an->arena, join->children[1]);
    struct exprs both = exprs_join(an->arena, &left, &right);
    struct exprs lh = plan_hidden(an->arena, join->children[0]);
    struct exprs rh = plan_hidden(an->arena, join->children[1]);
    struct exprs hidden = exprs_join(an->arena, &lh, &rh);
    struct scope s = { .columns = &both, .hidden = &hidden, .used_hidden = &used };

    TRY(resolve_expr(an, &s, p->condition, &join->condition));
    TRY(check_condition(an, p, join->condition));
    for (uint32_t i = 0; i < 2; i++)
        join->children[i] = show_hidden(an->arena, join->children[i], &used);
    return ERR_OK;
}

/* ---- USING ---- */

static int by_name(const void *a, const void *b)
{
    const struct expr *const *x = a, *const *y = b;

    return sv_cmp((*x)->name, (*y)->name);
}

static enum errc fail_using(struct analyzer *an, const struct plan *p, struct sv name,
                            const char *side, const struct exprs *columns)
{
    struct exprs sorted = exprs_copy(an->arena, columns);
    struct strbuf list = { 0 };
    enum errc rc;

    if (sorted.n)
        qsort(sorted.at, sorted.n, sizeof *sorted.at, by_name);
    for (uint32_t i = 0; i < sorted.n; i++)
        strbuf_printf(&list, "%s`%.*s`", i ? ", " : "", SV_FMT(sorted.at[i]->name));
    rc =
        analysis_fail(an, p->place,
                      "[UNRESOLVED_USING_COLUMN_FOR_JOIN] USING column `%.*s` cannot be "
                      "resolved on the %s side of the join. The %s-side columns: [%.*s].",
                      SV_FMT(name), side, side, SV_FMT(strbuf_sv(&list)));
    strbuf_release(&list);
    return rc;
}

static enum errc using_column(struct analyzer *an, const struct plan *p, struct sv name,
                              const char *side, const struct exprs *columns,
                              struct expr **out)
{
    uint32_t n;

    *out = find_column(columns, name, &n);
    if (n > 1)
        return analysis_fail(
            an, p->place,
            "[AMBIGUOUS_REFERENCE] Reference `%.*s` is ambiguous, could be one "
            "of %u columns of the %s side.",
            SV_FMT(name), n, side);
    return n ? ERR_OK : fail_using(an, p, name, side, columns);
}

struct pairs {
    struct exprs left, right; /* join keys */
};

static enum errc find_pairs(struct analyzer *an, const struct plan *p,
                            const struct exprs *l, const struct exprs *r,
                            struct pairs *out)
{
    uint32_t n = p->natural ? l->n : p->n_using, count;

    *out = (struct pairs){ 0 };
    for (uint32_t i = 0; i < n; i++) {
        struct sv name = p->natural ? l->at[i]->name : p->using_columns[i];
        struct expr *left, *right;

        if (p->natural && !find_column(r, name, &count))
            continue;
        TRY(using_column(an, p, name, "left", l, &left));
        TRY(using_column(an, p, name, "right", r, &right));
        out->left = exprs_add(an->arena, &out->left, left);
        out->right = exprs_add(an->arena, &out->right, right);
    }
    return ERR_OK;
}

static enum errc pairs_condition(struct analyzer *an, const struct plan *p,
                                 const struct pairs *pairs, struct expr **out)
{
    struct expr **each = arena_array(an->arena, pairs->left.n + 1, sizeof *each);

    for (uint32_t i = 0; i < pairs->left.n; i++) {
        struct expr *args[2] = { pairs->left.at[i], pairs->right.at[i] };

        TRY(call_func(an, FUNC_EQ, p->place, 2, args, &each[i]));
    }
    *out = pairs->left.n ? expr_join_and(an->arena, each, pairs->left.n) : NULL;
    return ERR_OK;
}

/* The join's own attributes (nullable as it makes them) for these ids. */
static struct exprs as_put_out(struct arena *a, struct plan *join, const struct exprs *of)
{
    const struct exprs *out = plan_output(a, join);
    struct exprs list = exprs_new(a, of->n);

    for (uint32_t i = 0; i < of->n; i++) {
        struct expr *found = exprs_find(out, of->at[i]->id);

        list.at[i] = found ? found : of->at[i];
    }
    return list;
}

static struct exprs without(struct arena *a, const struct exprs *list,
                            const struct exprs *keys)
{
    struct exprs out = exprs_new(a, 0);

    for (uint32_t i = 0; i < list->n; i++)
        if (!exprs_find(keys, list->at[i]->id))
            out = exprs_add(a, &out, list->at[i]);
    return out;
}

static enum errc merged_keys(struct analyzer *an, const struct plan *p,
                             const struct exprs *l, const struct exprs *r,
                             struct exprs *out)
{
    *out = exprs_new(an->arena, l->n);
    for (uint32_t i = 0; i < l->n; i++) {
        struct expr *args[2] = { l->at[i], r->at[i] }, *both;

        TRY(call_func(an, FUNC_COALESCE, p->place, 2, args, &both));
        out->at[i] = expr_alias(an->arena, both, l->at[i]->name, next_expr_id());
    }
    return ERR_OK;
}

static enum errc join_using(struct analyzer *an, struct plan *p, struct plan *join,
                            struct plan **out)
{
    struct arena *a = an->arena;
    const struct exprs *lo = plan_output(a, join->children[0]);
    const struct exprs *ro = plan_output(a, join->children[1]);
    struct exprs keys, hidden = { 0 }, l, r, left, right, list, below;
    enum join_type type = join->join_type;
    struct pairs pairs;

    TRY(find_pairs(an, p, lo, ro, &pairs));
    TRY(pairs_condition(an, p, &pairs, &join->condition));
    l = as_put_out(a, join, &pairs.left);
    r = as_put_out(a, join, &pairs.right);
    left = without(a, lo, &pairs.left);
    right = without(a, ro, &pairs.right);
    left = as_put_out(a, join, &left);
    right = as_put_out(a, join, &right);
    keys = type == JOIN_RIGHT ? r : l;
    if (type == JOIN_FULL)
        TRY(merged_keys(an, p, &l, &r, &keys));
    list = exprs_join(a, &keys, &left);
    if (type != JOIN_SEMI && type != JOIN_ANTI) {
        list = exprs_join(a, &list, &right);
        hidden = type == JOIN_FULL ? exprs_join(a, &l, &r) : type == JOIN_RIGHT ? l : r;
        below = plan_hidden(a, join);
        hidden = exprs_join(a, &hidden, &below);
    }
    *out = plan_project(a, list, join);
    (*out)->hidden = hidden;
    return ERR_OK;
}

enum errc analyze_join(struct analyzer *an, struct plan *p, struct plan **out)
{
    struct plan *left, *right, *join;

    TRY(analyze_plan(an, p->children[0], &left));
    TRY(analyze_plan(an, p->children[1], &right));
    right = dedup_right(an->arena, left, right);
    join = plan_join(an->arena, p->join_type, left, right, NULL);
    join->place = p->place;
    if (p->natural || p->n_using)
        return join_using(an, p, join, out);
    if (p->condition)
        TRY(join_on(an, p, join));
    *out = join;
    return ERR_OK;
}
