/* Set operations and VALUES: as many columns, of types that go together. */
#include "engine/plan/analyze_int.h"

#include <stdio.h>

/* ---- UNION, INTERSECT, EXCEPT ---- */

static const char *set_name(const struct plan *p)
{
    if (p->kind == PLAN_UNION)
        return "UNION";
    if (p->kind == PLAN_INTERSECT)
        return p->all ? "INTERSECT ALL" : "INTERSECT";
    return p->all ? "EXCEPT ALL" : "EXCEPT";
}

static const char *ordinal(struct arena *a, uint32_t i)
{
    static const char *const words[] = {
        "first", "second",  "third",  "fourth", "fifth",
        "sixth", "seventh", "eighth", "ninth",  "tenth"
    };

    return i < ARRAY_LEN(words) ? words[i] : arena_printf(a, "%uth", i + 1);
}

static enum errc check_columns(struct analyzer *an, const struct plan *p,
                               const struct exprs *first, const struct exprs *other,
                               uint32_t k)
{
    if (first->n != other->n)
        return analysis_fail(
            an, p->place,
            "[NUM_COLUMNS_MISMATCH] %s can only be performed on inputs with "
            "the same number of columns, but the first input has %u columns "
            "and the %s input has %u columns.",
            set_name(p), first->n, ordinal(an->arena, k), other->n);
    return ERR_OK;
}

static enum errc column_type(struct analyzer *an, const struct plan *p,
                             struct plan *const *children, uint32_t i, struct type *t)
{
    *t = plan_output(an->arena, children[0])->at[i]->type;
    for (uint32_t k = 1; k < p->n_children; k++) {
        struct type other = plan_output(an->arena, children[k])->at[i]->type;

        if (type_eq(*t, other) || other.id == TYPE_NULL)
            continue;
        if (t->id == TYPE_NULL)
            *t = other;
        else if (!coerce_union(*t, other, t))
            return analysis_fail(
                an, p->place,
                "[INCOMPATIBLE_COLUMN_TYPE] %s can only be performed on tables "
                "with compatible column types. The %s column of the %s table "
                "is \"%s\" type which is not compatible with \"%s\" at the "
                "same column of the first table..",
                set_name(p), ordinal(an->arena, i), ordinal(an->arena, k),
                type_text(an->arena, other), type_text(an->arena, *t));
    }
    return ERR_OK;
}

static struct plan *cast_columns(struct analyzer *an, const struct type *types,
                                 struct plan *p)
{
    const struct exprs *out = plan_output(an->arena, p);
    struct exprs list = exprs_new(an->arena, out->n);
    bool cast = false;

    for (uint32_t i = 0; i < out->n; i++) {
        list.at[i] = out->at[i];
        if (type_eq(out->at[i]->type, types[i]))
            continue;
        cast = true;
        list.at[i] = expr_alias(an->arena, coerce_to(an->arena, out->at[i], types[i]),
                                out->at[i]->name, next_expr_id());
    }
    return cast ? plan_project(an->arena, list, p) : p;
}

enum errc analyze_set(struct analyzer *an, struct plan *p, struct plan **out)
{
    struct plan *set = plan_copy(an->arena, p);
    const struct exprs *first;
    struct type *types;

    for (uint32_t k = 0; k < p->n_children; k++) {
        TRY(analyze_plan(an, p->children[k], &set->children[k]));
        for (uint32_t i = 0; i < k; i++)
            set->children[k] = dedup_right(an->arena, set->children[i], set->children[k]);
        first = plan_output(an->arena, set->children[0]);
        TRY(check_columns(an, p, first, plan_output(an->arena, set->children[k]), k));
    }
    first = plan_output(an->arena, set->children[0]);
    types = arena_array(an->arena, first->n + 1, sizeof *types);
    for (uint32_t i = 0; i < first->n; i++)
        TRY(column_type(an, p, set->children, i, &types[i]));
    for (uint32_t k = 0; k < p->n_children; k++)
        set->children[k] = cast_columns(an, types, set->children[k]);
    *out = set;
    return ERR_OK;
}

/* ---- VALUES ---- */

static enum errc resolve_rows(struct analyzer *an, const struct plan *p,
                              struct exprs *rows)
{
    struct exprs none = { 0 };
    struct scope s = { .columns = &none, .no_outer = true };

    for (uint32_t i = 0; i < p->n_projections; i++) {
        if (p->projections[i].n != p->projections[0].n)
            return analysis_fail(
                an, p->place,
                "[INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH] Invalid inline "
                "table. Inline table expected %u columns but found %u columns "
                "in row %u.",
                p->projections[0].n, p->projections[i].n, i);
        TRY(resolve_exprs(an, &s, &p->projections[i], &rows[i]));
        for (uint32_t k = 0; k < rows[i].n; k++)
            if (expr_has_aggregate(rows[i].at[k]) || expr_has_subquery(rows[i].at[k]) ||
                is_window(rows[i].at[k]))
                return analysis_fail(
                    an, rows[i].at[k]->place,
                    "[INVALID_INLINE_TABLE.CANNOT_EVALUATE_EXPRESSION_IN_"
                    "INLINE_TABLE] Invalid inline table. Cannot evaluate the "
                    "expression \"%s\" in inline table definition.",
                    text_of(an->arena, rows[i].at[k], PRINT_NAME));
    }
    return ERR_OK;
}

/* Whole numbers meet decimals as decimals of their type, not as the literal they are;
 * text meets nothing else. */
static enum errc values_type(struct analyzer *an, const struct plan *p,
                             const struct exprs *rows, uint32_t column, struct type *t)
{
    *t = type_of(TYPE_NULL);
    for (uint32_t i = 0; i < p->n_projections; i++) {
        struct type other = rows[i].at[column]->type;

        if (type_eq(*t, other) || other.id == TYPE_NULL)
            continue;
        if (t->id == TYPE_NULL)
            *t = other;
        else if (t->id == TYPE_STRING || other.id == TYPE_STRING ||
                 !coerce_union(*t, other, t))
            return analysis_fail(
                an, p->place,
                "[INVALID_INLINE_TABLE.INCOMPATIBLE_TYPES_IN_INLINE_TABLE] "
                "Invalid inline table. Found incompatible types in the column "
                "`col%u` for inline table.",
                column + 1);
    }
    return ERR_OK;
}

static struct sv column_name(struct analyzer *an, const struct plan *p, uint32_t i)
{
    return i < p->n_parts ? p->parts[i] : sv(arena_printf(an->arena, "col%u", i + 1));
}

enum errc analyze_values(struct analyzer *an, struct plan *p, struct plan **out)
{
    struct exprs *rows = arena_array(an->arena, p->n_projections + 1, sizeof *rows);
    uint32_t n = p->n_projections ? p->projections[0].n : 0;
    struct plan *to = plan_new(an->arena, PLAN_LOCAL_RELATION, 0);

    TRY(resolve_rows(an, p, rows));
    to->n_rows = p->n_projections;
    to->rows = arena_array(an->arena, (size_t)to->n_rows * n + 1, sizeof *to->rows);
    to->output = exprs_new(an->arena, n);
    for (uint32_t k = 0; k < n; k++) {
        bool nullable = false;
        struct type t;

        TRY(values_type(an, p, rows, k, &t));
        for (uint32_t i = 0; i < p->n_projections; i++) {
            struct expr *e = coerce_to(an->arena, rows[i].at[k], t);
            struct value *v = &to->rows[(size_t)i * n + k];

            TRY(constant_value(an, e, v));
            v->type = t;
            nullable = nullable || rows[i].at[k]->nullable;
        }
        to->output.at[k] =
            expr_attribute(an->arena, column_name(an, p, k), t, nullable, next_expr_id());
    }
    to->resolved = true;
    *out = to;
    return ERR_OK;
}
