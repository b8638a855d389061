/* Expressions: names, calls and casts get types.
 *
 * Operators are functions by name here. Functions and aggregates bind themselves and say
 * what their arguments are cast to (func.h); CASE and IN are done here. */
#include "engine/plan/analyze_int.h"

#include "engine/column/date.h"
#include "engine/column/decimal.h"
#include "engine/expr/cast.h"
#include "engine/expr/eval.h"
#include "engine/run/settings.h"

#include <ctype.h>

static enum errc resolve(struct analyzer *an, const struct scope *s, struct expr *e,
                         bool in_aggregate, struct expr **out);

/* ---- helpers ---- */

const char *text_of(struct arena *a, const struct expr *e, enum expr_print how)
{
    struct strbuf text = { 0 };
    struct sv copy;

    expr_print(&text, e, how);
    copy = arena_sv(a, strbuf_sv(&text));
    strbuf_release(&text);
    return copy.p;
}

const char *type_text(struct arena *a, struct type t)
{
    struct strbuf text = { 0 };
    struct sv copy;

    type_print(&text, t);
    for (size_t i = 0; i < text.len; i++)
        text.p[i] = (char)toupper((unsigned char)text.p[i]);
    copy = arena_sv(a, strbuf_sv(&text));
    strbuf_release(&text);
    return copy.p;
}

struct expr *coerce_to(struct arena *a, struct expr *e, struct type t)
{
    struct expr *cast;

    if (type_eq(e->type, t))
        return e;
    cast = expr_cast(a, e, t);
    cast->implicit = true;
    return cast;
}

static struct expr *trim_node(void *ctx, struct expr *e)
{
    (void)ctx;
    while (e->kind == EXPR_ALIAS)
        e = e->args[0];
    return e;
}

struct expr *trim_aliases(struct arena *a, struct expr *e)
{
    return expr_transform_up(a, e, trim_node, NULL);
}

static bool see_window(void *ctx, const struct expr *e)
{
    (void)ctx;
    return e->kind == EXPR_WINDOW;
}

bool is_window(const struct expr *e)
{
    return expr_any(e, see_window, NULL);
}

bool is_grouping_call(const struct expr *e)
{
    return e->kind == EXPR_FUNCTION && e->resolved;
}

static bool see_grouping(void *ctx, const struct expr *e)
{
    (void)ctx;
    return is_grouping_call(e);
}

bool has_grouping_call(const struct expr *e)
{
    return expr_any(e, see_grouping, NULL);
}

enum errc call_func(struct analyzer *an, enum func_id id, struct place at, uint32_t n,
                    struct expr **args, struct expr **out)
{
    TRY(place_error(
        an, at, func_call(an->arena, an->settings, func_of(id), args, n, out, an->err)));
    (*out)->place = at;
    return ERR_OK;
}

static const struct zone *session_zone(struct analyzer *an)
{
    struct err ignored;

    if (!an->zone && (!settings_is_set(an->settings, SET_TIME_ZONE) ||
                      zone_open(an->arena, settings_text(an->settings, SET_TIME_ZONE),
                                &an->zone, &ignored) != ERR_OK))
        an->zone = zone_local(an->arena);
    return an->zone;
}

enum errc constant_value(struct analyzer *an, struct expr *e, struct value *out)
{
    const struct zone *zone = session_zone(an);
    struct value v;

    if (e->kind == EXPR_LITERAL) {
        *out = e->value;
        return ERR_OK;
    }
    if (e->kind == EXPR_CAST && e->args[0]->kind == EXPR_LITERAL)
        return place_error(an, e->place,
                           cast_value(an->arena, &e->args[0]->value, e->type,
                                      e->try_cast ? CAST_TRY : CAST_LEGACY, zone, out,
                                      an->err));
    struct eval_env env = { .settings = an->settings,
                            .zone = zone,
                            .query_start_us = an->env->query_start_us };
    TRY(place_error(an, e->place, eval_constant(an->arena, e, &env, &v, an->err)));
    *out = v;
    return ERR_OK;
}

/* ---- whole numbers beside decimal literals ----
 *
 * Spark compares a whole number with 1.5 as whole numbers: x < 1.5 is x < 2. */

static bool decimal_literal(const struct expr *e, struct value *v)
{
    *v = e->value;
    return e->kind == EXPR_LITERAL && e->type.id == TYPE_DECIMAL && !e->value.null;
}

static bool rounds_up(enum func_id id, bool literal_left)
{
    return literal_left ? id == FUNC_GT || id == FUNC_LE : id == FUNC_GE || id == FUNC_LT;
}

/* NULL: the comparison is decided: *truth for every value that is not NULL. */
static struct expr *whole_literal(struct analyzer *an, const struct expr *e, bool up,
                                  bool *above)
{
    i128 x;
    int64_t i;

    if (!decimal_round(e->value.u.dec, e->value.type.scale, 0,
                       up ? ROUND_CEIL : ROUND_FLOOR, &x))
        x = e->value.u.dec;
    *above = e->value.u.dec > 0;
    if (x > INT64_MAX || x < INT64_MIN)
        return NULL;
    i = (int64_t)x;
    struct expr *to = expr_literal(an->arena, value_long(i));
    to->place = e->place;
    return to;
}

static struct expr *compare_whole(struct analyzer *an, enum func_id id,
                                  struct expr **args)
{
    struct value v;
    bool left, above = false;
    struct expr *to;

    if (id != FUNC_LT && id != FUNC_LE && id != FUNC_GT && id != FUNC_GE)
        return NULL;
    left = decimal_literal(args[0], &v) && type_is_integral(args[1]->type);
    if (!left && !(decimal_literal(args[1], &v) && type_is_integral(args[0]->type)))
        return NULL;
    to = whole_literal(an, args[left ? 0 : 1], rounds_up(id, left), &above);
    if (to) {
        args[left ? 0 : 1] = to;
        return NULL;
    }
    bool literal_greater = above;
    bool wants_less = (id == FUNC_LT || id == FUNC_LE) != left; /* column < literal */
    return expr_literal(an->arena, value_bool(literal_greater == wants_less));
}

/* A whole number that meets a decimal in a comparison becomes the decimal that holds it
 * first, then the common type: two casts, as Spark has them. */
static struct expr *cast_by_way(struct analyzer *an, struct expr *e)
{
    struct expr *from = e->kind == EXPR_CAST ? e->args[0] : e, *copy;
    struct type way;

    if (e->kind != EXPR_CAST || !e->implicit || e->type.id != TYPE_DECIMAL ||
        !type_is_integral(from->type))
        return e;
    way = decimal_for(from->type);
    if (from->kind == EXPR_LITERAL && !from->value.null) {
        int digits = 1;

        for (int64_t i = from->value.u.i / 10; i; i /= 10)
            digits++;
        way = type_decimal(digits, 0);
    }
    if (type_eq(way, e->type))
        return e;
    copy = expr_copy(an->arena, e);
    copy->args[0] = coerce_to(an->arena, from, way);
    return copy;
}

static bool is_comparison(const struct expr *e)
{
    return e->kind == EXPR_CALL && e->n_args == 2 &&
           (e->func->id == FUNC_EQ || e->func->id == FUNC_EQ_NULL_SAFE ||
            e->func->id == FUNC_LT || e->func->id == FUNC_LE || e->func->id == FUNC_GT ||
            e->func->id == FUNC_GE);
}

static void cast_sides(struct analyzer *an, struct expr *e)
{
    if (e->kind == EXPR_CALL && e->func->id == FUNC_NOT)
        e = e->args[0];
    for (uint32_t i = 0; is_comparison(e) && i < 2; i++)
        e->args[i] = cast_by_way(an, e->args[i]);
}

/* ---- calls ---- */

/* A call by another of a function's names shows it. */
static struct sv called_as(struct analyzer *an, const struct expr *e, const char *name,
                           const char *symbol)
{
    struct sv written = e->parts[e->n_parts - 1];
    char *lower;

    if (same_name(written, sv(name)) || (symbol && same_name(written, sv(symbol))))
        return (struct sv){ 0 };
    for (size_t i = 0; i < written.len; i++)
        if (!isalnum((unsigned char)written.p[i]) && written.p[i] != '_')
            return (struct sv){ 0 };
    lower = arena_bytes(an->arena, written.len + 1);
    for (size_t i = 0; i < written.len; i++)
        lower[i] = (char)tolower((unsigned char)written.p[i]);
    return (struct sv){ lower, written.len };
}

static enum errc resolve_args(struct analyzer *an, const struct scope *s,
                              const struct expr *e, bool in_aggregate, struct exprs *out)
{
    *out = exprs_new(an->arena, 0);
    for (uint32_t i = 0; i < e->n_args; i++) {
        struct exprs star;
        struct expr *arg;

        if (e->kind == EXPR_FUNCTION && e->args[i]->kind == EXPR_STAR) {
            if (e->args[i]->n_parts && !e->distinct &&
                same_name(e->parts[0], SV("count")))
                return analysis_fail(an, e->place,
                                     "count(%.*s.*) is not allowed. Please use count(*) "
                                     "or expand the columns manually, e.g. count(col1, "
                                     "col2).",
                                     SV_FMT(e->args[i]->parts[0]));
            TRY(expand_star(an, s, e->args[i], &star));
            *out = exprs_join(an->arena, out, &star);
            continue;
        }
        TRY(resolve(an, s, e->args[i], in_aggregate, &arg));
        *out = exprs_add(an->arena, out, arg);
    }
    return ERR_OK;
}

/* The aggregate itself and, under the replacing name of a function, what it stands for.
 */
static enum errc resolve_aggregate(struct analyzer *an, const struct scope *s,
                                   struct expr *e, const struct agg *g, struct expr **out)
{
    struct expr *filter = NULL;
    struct exprs args;
    struct sv alias;

    TRY(resolve_args(an, s, e, true, &args));
    if (e->filter) {
        TRY(resolve(an, s, e->filter, true, &filter));
        if (filter->type.id != TYPE_BOOLEAN && filter->type.id != TYPE_NULL)
            return analysis_fail(
                an, e->filter->place,
                "[DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN] Cannot resolve \"%s\" "
                "due to data type mismatch: Filter expression \"%s\" of type "
                "\"%s\" is not a boolean.",
                text_of(an->arena, filter, PRINT_NAME),
                text_of(an->arena, filter, PRINT_NAME),
                type_text(an->arena, filter->type));
    }
    TRY(place_error(an, e->place,
                    agg_call(an->arena, an->settings, g, args.at, args.n, e->distinct,
                             filter, out, an->err)));
    alias = called_as(an, e, g->name, NULL);
    if ((*out)->kind == EXPR_AGGREGATE && alias.p)
        (*out)->name = alias;
    (*out)->place = e->place;
    (*out)->ignore_nulls = e->ignore_nulls;
    return ERR_OK;
}

/* Kept as calls with a type until the grouping sets around are known. */
static enum errc resolve_grouping(struct analyzer *an, const struct scope *s,
                                  struct expr *e, bool id, struct expr **out)
{
    struct exprs args;

    TRY(resolve_args(an, s, e, true, &args));
    if (!id && args.n != 1)
        return analysis_fail(
            an, e->place,
            "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `grouping` requires 1 "
            "parameters but the actual number is %u.",
            args.n);
    *out = expr_copy(an->arena, e);
    (*out)->args = args.at;
    (*out)->n_args = args.n;
    (*out)->type = type_of(id ? TYPE_LONG : TYPE_BYTE);
    (*out)->nullable = false;
    (*out)->resolved = true;
    return ERR_OK;
}

static enum errc fail_function(struct analyzer *an, const struct expr *e)
{
    struct sv name = e->parts[e->n_parts - 1], near = func_nearest(name);

    return analysis_fail(
        an, e->place,
        "[UNRESOLVED_ROUTINE] Cannot resolve function `%.*s` on search path "
        "[`system`.`builtin`, `system`.`session`, "
        "`spark_catalog`.`default`].%s%.*s%s",
        SV_FMT(name), near.p ? " Did you mean `" : "", SV_FMT(near), near.p ? "`?" : "");
}

static enum errc resolve_func(struct analyzer *an, const struct scope *s, struct expr *e,
                              const struct func *f, bool in_aggregate, struct expr **out)
{
    struct exprs args;
    struct sv alias;

    TRY(resolve_args(an, s, e, in_aggregate, &args));
    if (e->distinct || e->filter)
        return analysis_fail(
            an, e->place,
            "[INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX] Invalid "
            "SQL syntax: The function `%s` does not support %s.",
            f->name, e->distinct ? "DISTINCT" : "FILTER clause");
    if (args.n == 2) {
        struct expr *decided = compare_whole(an, f->id, args.at);

        if (decided) {
            *out = decided;
            return ERR_OK;
        }
    }
    TRY(place_error(
        an, e->place,
        func_call(an->arena, an->settings, f, args.at, args.n, out, an->err)));
    cast_sides(an, *out);
    alias = called_as(an, e, f->name, f->symbol);
    if ((*out)->kind == EXPR_CALL && alias.p && (*out)->func == f &&
        !(*out)->name.p && !(f->flags & FUNC_ONE_NAME))
        (*out)->name = alias;
    if (!(*out)->place.line || (*out)->kind == EXPR_CALL)
        (*out)->place = e->place;
    (*out)->ignore_nulls = e->ignore_nulls;
    return ERR_OK;
}

static enum errc resolve_function(struct analyzer *an, const struct scope *s,
                                  struct expr *e, bool in_aggregate, struct expr **out)
{
    struct sv name = e->parts[e->n_parts - 1];
    const struct agg *g;
    const struct func *f;

    if (is_grouping_call(e)) {
        *out = e;
        return ERR_OK;
    }
    if (e->n_parts > 1)
        return fail_function(an, e);
    if (same_name(name, SV("grouping")) || same_name(name, SV("grouping_id")))
        return resolve_grouping(an, s, e, name.len > 8, out);
    g = e->func ? NULL : agg_find(name);
    if (g)
        return resolve_aggregate(an, s, e, g, out);
    f = e->func ? e->func : func_find(name);
    if (!f)
        return fail_function(an, e);
    return resolve_func(an, s, e, f, in_aggregate, out);
}

/* A call that the parser has bound to its function already. */
static enum errc resolve_call(struct analyzer *an, const struct scope *s, struct expr *e,
                              bool in_aggregate, struct expr **out)
{
    struct exprs args;

    if (e->resolved) {
        *out = e;
        return ERR_OK;
    }
    TRY(resolve_args(an, s, e, in_aggregate, &args));
    TRY(place_error(
        an, e->place,
        func_call(an->arena, an->settings, e->func, args.at, args.n, out, an->err)));
    (*out)->place = e->place;
    return ERR_OK;
}

/* ---- CAST, CASE, IN ---- */

static enum errc resolve_cast(struct analyzer *an, const struct scope *s, struct expr *e,
                              bool in_aggregate, struct expr **out)
{
    struct expr *arg;

    TRY(resolve(an, s, e->args[0], in_aggregate, &arg));
    *out = expr_copy(an->arena, e);
    (*out)->args[0] = arg;
    if (!cast_possible(arg->type, e->type))
        return analysis_fail(
            an, e->place,
            "[DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION] Cannot resolve \"%s\" "
            "due to data type mismatch: cannot cast \"%s\" to \"%s\".",
            text_of(an->arena, *out, PRINT_NAME), type_text(an->arena, arg->type),
            type_text(an->arena, e->type));
    expr_settle(*out);
    return ERR_OK;
}

static enum errc fail_types(struct analyzer *an, const struct expr *e, const char *input,
                            struct expr *const *args, uint32_t n)
{
    struct strbuf list = { 0 };
    enum errc rc;

    for (uint32_t i = 0; i < n; i++)
        strbuf_printf(&list, "%s\"%s\"", i ? ", " : "",
                      type_text(an->arena, args[i]->type));
    rc = analysis_fail(
        an, e->place,
        "[DATATYPE_MISMATCH.DATA_DIFF_TYPES] Cannot resolve \"%s\" due to data "
        "type mismatch: Input to `%s` should all be the same type, but it's "
        "[%.*s].",
        text_of(an->arena, e, PRINT_NAME), input, SV_FMT(strbuf_sv(&list)));
    strbuf_release(&list);
    return rc;
}

/* Text first, as Spark folds: two types may go together by way of text alone. */
static bool common_type(struct expr *const *args, uint32_t n, struct type *t)
{
    *t = type_of(TYPE_NULL);
    for (uint32_t pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < n; i++) {
            struct type a = args[i]->type;

            if ((a.id == TYPE_STRING) != (pass == 0) || type_eq(a, *t))
                continue;
            if (a.id != TYPE_NULL && t->id != TYPE_NULL && !coerce_union(*t, a, t))
                return false;
            if (t->id == TYPE_NULL)
                *t = a;
        }
    return true;
}

static bool case_is_result(const struct expr *e, uint32_t i)
{
    return i % 2 == 1 || i + 1 == e->n_args;
}

static enum errc resolve_case(struct analyzer *an, const struct scope *s, struct expr *e,
                              bool in_aggregate, struct expr **out)
{
    struct exprs args, results = exprs_new(an->arena, 0);
    struct type t;

    TRY(resolve_args(an, s, e, in_aggregate, &args));
    *out = expr_copy(an->arena, e);
    memcpy((*out)->args, args.at, args.n * sizeof *args.at);
    for (uint32_t i = 0; i < args.n; i++) {
        struct expr *x = args.at[i];

        if (case_is_result(e, i))
            results = exprs_add(an->arena, &results, x);
        else if (x->type.id != TYPE_BOOLEAN)
            return analysis_fail(
                an, e->place,
                "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve "
                "\"%s\" due to data type mismatch: Parameter %u requires the "
                "\"BOOLEAN\" type, however \"%s\" has the type \"%s\".",
                text_of(an->arena, *out, PRINT_NAME), i / 2 + 1,
                text_of(an->arena, x, PRINT_NAME), type_text(an->arena, x->type));
    }
    if (!common_type(results.at, results.n, &t))
        return fail_types(an, *out, "casewhen", results.at, results.n);
    for (uint32_t i = 0; i < args.n; i++)
        if (case_is_result(e, i))
            (*out)->args[i] = coerce_to(an->arena, args.at[i], t);
    expr_settle(*out);
    return ERR_OK;
}

/* Where types differ everything is cast, also what has the type already: so Spark. */
static enum errc resolve_in_list(struct analyzer *an, const struct scope *s,
                                 struct expr *e, bool in_aggregate, struct expr **out)
{
    struct exprs args;
    bool differ = false;
    struct type t;

    TRY(resolve_args(an, s, e, in_aggregate, &args));
    *out = expr_copy(an->arena, e);
    memcpy((*out)->args, args.at, args.n * sizeof *args.at);
    for (uint32_t i = 1; i < args.n; i++)
        differ = differ || !type_eq(args.at[i]->type, args.at[0]->type);
    if (!differ) {
        expr_settle(*out);
        return ERR_OK;
    }
    if (!common_type(args.at, args.n, &t))
        return fail_types(an, *out, "in", args.at, args.n);
    for (uint32_t i = 0; i < args.n; i++) {
        (*out)->args[i] = expr_cast(an->arena, args.at[i], t);
        (*out)->args[i]->implicit = true;
    }
    expr_settle(*out);
    return ERR_OK;
}

/* ---- all kinds ---- */

/* One that was written without a zone is of the session's. */
static struct expr *literal(struct analyzer *an, struct expr *e)
{
    struct expr *copy;

    if (!e->name.p || e->type.id != TYPE_TIMESTAMP)
        return e;
    copy = expr_copy(an->arena, e);
    copy->name = (struct sv){ 0 };
    copy->value.u.i = zone_to_utc_us(session_zone(an), e->value.u.i);
    return copy;
}

static enum errc resolve_over(struct analyzer *an, const struct scope *s, struct expr *e,
                              bool in_aggregate, struct expr **out)
{
    struct expr *child;

    TRY(resolve(an, s, e->args[0], in_aggregate, &child));
    *out = expr_copy(an->arena, e);
    (*out)->args[0] = child;
    if (e->kind == EXPR_ALIAS) /* the parser's are without, and may be read again */
        (*out)->id = next_expr_id();
    expr_settle(*out);
    return ERR_OK;
}

static enum errc resolve(struct analyzer *an, const struct scope *s, struct expr *e,
                         bool in_aggregate, struct expr **out)
{
    struct exprs args;

    switch (e->kind) {
    case EXPR_NAME:
        return resolve_name(an, s, e, in_aggregate, out);
    case EXPR_STAR:
        return analysis_fail(an, e->place,
                             "[INVALID_USAGE_OF_STAR_OR_REGEX] Invalid usage of '*' in "
                             "expression.");
    case EXPR_FUNCTION:
        return resolve_function(an, s, e, in_aggregate, out);
    case EXPR_CALL:
        return resolve_call(an, s, e, in_aggregate, out);
    case EXPR_CAST:
        return resolve_cast(an, s, e, in_aggregate, out);
    case EXPR_CASE:
        return resolve_case(an, s, e, in_aggregate, out);
    case EXPR_IN:
        return resolve_in_list(an, s, e, in_aggregate, out);
    case EXPR_WINDOW:
        return resolve_window(an, s, e, out);
    case EXPR_SCALAR_SUBQUERY:
    case EXPR_EXISTS:
    case EXPR_IN_SUBQUERY:
        TRY(resolve_args(an, s, e, in_aggregate, &args));
        return resolve_subquery(an, s, e, &args, out);
    case EXPR_ALIAS:
    case EXPR_SORT_ORDER:
        return resolve_over(an, s, e, in_aggregate, out);
    case EXPR_LITERAL:
        *out = literal(an, e);
        return ERR_OK;
    case EXPR_ATTRIBUTE:
    case EXPR_AGGREGATE:
    case EXPR_OUTER:
    case EXPR_BOUND:
    case EXPR_SUBQUERY_RESULT:
    case EXPR_LAMBDA_ARG:
        *out = e;
        return ERR_OK;
    }
    return ERR_OK;
}

enum errc resolve_expr(struct analyzer *an, const struct scope *s, struct expr *e,
                       struct expr **out)
{
    return resolve(an, s, e, false, out);
}

enum errc resolve_exprs(struct analyzer *an, const struct scope *s,
                        const struct exprs *list, struct exprs *out)
{
    struct exprs to = exprs_new(an->arena, list->n);

    for (uint32_t i = 0; i < list->n; i++)
        TRY(resolve_expr(an, s, list->at[i], &to.at[i]));
    *out = to;
    return ERR_OK;
}
