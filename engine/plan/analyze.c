/* The walk over plans: each kind of node after its children; CTEs, views, limits.
 */
#include "engine/plan/analyze_int.h"

#include "engine/run/settings.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { MAX_DEPTH = 100 }; /* views in views, subqueries in subqueries */

enum errc analysis_fail(struct analyzer *an, struct place at, const char *fmt, ...)
{
    char text[sizeof an->err->text];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    *an->at = at;
    return err_set(an->err, ERR_SYNTAX, "%s", text);
}

enum errc place_error(struct analyzer *an, struct place at, enum errc rc)
{
    if (rc != ERR_OK && !an->at->line)
        *an->at = at;
    return rc;
}

/* ---- CTEs ---- */

static struct cte *find_cte(struct analyzer *an, struct sv name)
{
    struct cte *c = an->ctes;

    while (c && !same_name(c->name, name))
        c = c->next;
    return c;
}

static void add_def(struct analyzer *an, struct plan *def)
{
    if (an->n_defs == an->cap_defs) {
        uint32_t cap = an->cap_defs ? an->cap_defs * 2 : 4;
        struct plan **more = arena_array(an->arena, cap, sizeof *more);

        if (an->n_defs)
            memcpy(more, an->defs, an->n_defs * sizeof *more);
        an->defs = more;
        an->cap_defs = cap;
    }
    an->defs[an->n_defs++] = def;
}

/* The child's columns under other names, as t(a, b) says. */
static enum errc rename_columns(struct analyzer *an, struct place at,
                                const struct sv *names, uint32_t n, struct plan **io)
{
    const struct exprs *out = plan_output(an->arena, *io);
    struct exprs list = exprs_new(an->arena, n);

    if (n != out->n)
        return analysis_fail(an, at,
                             "Number of column aliases does not match number of columns. "
                             "Number of column aliases: %u; number of columns: %u.",
                             n, out->n);
    for (uint32_t i = 0; i < n; i++)
        list.at[i] = expr_alias(an->arena, out->at[i], names[i], next_expr_id());
    *io = plan_project(an->arena, list, *io);
    return ERR_OK;
}

static enum errc analyze_cte(struct analyzer *an, struct plan *p)
{
    static uint32_t last_id;
    struct cte *c = ARENA_NEW(an->arena, struct cte);
    struct plan *body, *alias;

    struct outer *outer = an->outer; /* a CTE of a subquery knows nothing of the query */
    enum errc rc;

    an->outer = NULL;
    rc = analyze_plan(an, p->children[0], &body);
    an->outer = outer;
    TRY(rc);
    if (p->n_columns)
        TRY(rename_columns(an, p->place, p->columns, p->n_columns, &body));
    alias = plan_unary(an->arena, PLAN_SUBQUERY_ALIAS, body);
    alias->name = p->name;
    c->def = plan_unary(an->arena, PLAN_CTE_DEF, alias);
    c->def->name = c->name = p->name;
    c->def->cte_id = __atomic_fetch_add(&last_id, 1, __ATOMIC_RELAXED);
    c->next = an->ctes;
    an->ctes = c;
    add_def(an, c->def);
    return ERR_OK;
}

/* Names defined here are known to later definitions and to the body. */
static enum errc analyze_with(struct analyzer *an, struct plan *p, struct plan **out)
{
    struct cte *before = an->ctes;
    enum errc rc = ERR_OK;

    for (uint32_t i = 1; i < p->n_children; i++)
        for (uint32_t k = 1; k < i; k++)
            if (same_name(p->children[k]->name, p->children[i]->name))
                return analysis_fail(an, p->children[i]->place,
                                     "CTE definition can't have duplicate names: '%.*s'.",
                                     SV_FMT(p->children[i]->name));
    for (uint32_t i = 1; i < p->n_children && rc == ERR_OK; i++)
        rc = analyze_cte(an, p->children[i]);
    if (rc == ERR_OK)
        rc = analyze_plan(an, p->children[0], out);
    an->ctes = before;
    return rc;
}

/* The first use of these columns has the ids of the definition, later ones their own, as
 * if each were a relation that is joined to itself. */
static bool used_before(struct analyzer *an, const struct exprs *columns)
{
    for (struct used_columns *u = an->used; u; u = u->next) {
        bool same = u->of->n == columns->n;

        for (uint32_t i = 0; same && i < columns->n; i++)
            same = u->of->at[i]->id == columns->at[i]->id;
        if (same)
            return true;
    }
    struct used_columns *u = ARENA_NEW(an->arena, struct used_columns);
    u->of = columns;
    u->next = an->used;
    an->used = u;
    return false;
}

static struct plan *cte_ref(struct analyzer *an, const struct cte *c, struct sv name)
{
    struct plan *ref = plan_new(an->arena, PLAN_CTE_REF, 0), *alias;
    const struct exprs *out = plan_output(an->arena, c->def->children[0]->children[0]);
    bool again = used_before(an, out);

    ref->cte_id = c->def->cte_id;
    ref->name = c->name;
    ref->output = exprs_copy(an->arena, out);
    for (uint32_t i = 0; again && i < out->n; i++) {
        ref->output.at[i] = expr_copy(an->arena, out->at[i]);
        ref->output.at[i]->id = next_expr_id();
    }
    ref->resolved = true;
    alias = plan_unary(an->arena, PLAN_SUBQUERY_ALIAS, ref);
    alias->name = name;
    return alias;
}

/* ---- relations ---- */

static enum errc analyze_statement(struct analyzer *an, struct plan *p, struct plan **out)
{
    struct plan *with, *body;

    TRY(analyze_plan(an, p, &body));
    *out = body;
    if (!an->n_defs)
        return ERR_OK;
    with = plan_new(an->arena, PLAN_WITH, an->n_defs + 1);
    with->children[0] = body;
    memcpy(with->children + 1, an->defs, an->n_defs * sizeof *an->defs);
    with->resolved = true;
    with->place = p->place;
    *out = with;
    return ERR_OK;
}

/* A view's columns are those of its plan, cast to what they were when it was made. Its
 * text knows nothing of the query around it. */
static enum errc analyze_view(struct analyzer *an, struct plan *view, struct plan **out)
{
    struct place nowhere = { 0 }, at = { 0 };
    struct analyzer inner = { .env = an->env,
                              .arena = an->arena,
                              .settings = an->settings,
                              .at = &at,
                              .err = an->err,
                              .creating = an->creating,
                              .depth = an->depth + 1 };
    struct exprs list = exprs_new(an->arena, view->output.n);
    const struct exprs *have;
    struct plan *below;

    if (view->children[0]->kind == PLAN_RELATION) {
        *out = view;
        return ERR_OK;
    }
    if (inner.depth > MAX_DEPTH)
        return analysis_fail(an, nowhere,
                             "[RECURSIVE_VIEW] Recursive view `%.*s` detected.",
                             SV_FMT(view->name));
    TRY(analyze_statement(&inner, view->children[0], &below));
    have = plan_output(an->arena, below);
    if (have->n != view->output.n)
        return analysis_fail(
            an, nowhere,
            "[INCOMPATIBLE_VIEW_SCHEMA_CHANGE] The view `%.*s` has %u columns "
            "now, %u when it was made.",
            SV_FMT(view->name), have->n, view->output.n);
    for (uint32_t i = 0; i < list.n; i++) {
        struct expr *made = view->output.at[i];
        struct expr *cast = expr_cast(an->arena, have->at[i], made->type);

        list.at[i] = expr_alias(an->arena, cast, made->name, made->id);
    }
    *out = plan_unary(an->arena, PLAN_VIEW, plan_project(an->arena, list, below));
    (*out)->name = view->name;
    (*out)->output = exprs_to_attributes(an->arena, &list);
    return ERR_OK;
}

static enum errc analyze_relation(struct analyzer *an, struct plan *p, struct plan **out)
{
    struct cte *c = p->n_parts == 1 ? find_cte(an, p->parts[0]) : NULL;
    struct plan *view;

    if (c) {
        *out = cte_ref(an, c, p->parts[0]);
        return ERR_OK;
    }
    TRY(place_error(an, p->place,
                    catalog_lookup(an->env->catalog, an->arena, an->settings, p->parts,
                                   p->n_parts, out, an->err)));
    if ((*out)->kind != PLAN_SUBQUERY_ALIAS || (*out)->children[0]->kind != PLAN_VIEW)
        return ERR_OK;
    if (an->creating.p && same_name((*out)->name, an->creating))
        return analysis_fail(an, p->place,
                             "[RECURSIVE_VIEW] Recursive view `%.*s` detected (its own "
                             "plan uses it).",
                             SV_FMT(an->creating));
    TRY(place_error(an, p->place, analyze_view(an, (*out)->children[0], &view)));
    *out = plan_with_children(an->arena, *out, &view);
    return ERR_OK;
}

static enum errc analyze_alias(struct analyzer *an, struct plan *p, struct plan **out)
{
    struct plan *below;

    TRY(analyze_plan(an, p->children[0], &below));
    if (p->n_columns)
        TRY(rename_columns(an, p->place, p->columns, p->n_columns, &below));
    *out = plan_unary(an->arena, PLAN_SUBQUERY_ALIAS, below);
    (*out)->name = p->name;
    (*out)->place = p->place;
    return ERR_OK;
}

/* ---- range(start, end, step, partitions) ---- */

static enum errc range_argument(struct analyzer *an, struct expr *parsed, uint32_t i,
                                int64_t *to)
{
    struct scope none = { .columns = &(struct exprs){ 0 }, .no_outer = true };
    struct expr *e;
    struct value v;

    TRY(resolve_expr(an, &none, parsed, &e));
    if (!coerce_implicit(e->type, type_of(TYPE_LONG)) || e->type.id == TYPE_STRING)
        return analysis_fail(
            an, parsed->place,
            "[UNEXPECTED_INPUT_TYPE] Parameter %u of function `range` requires "
            "the \"BIGINT\" type, however \"%s\" has the type \"%s\".",
            i + 1, text_of(an->arena, e, PRINT_NAME), type_text(an->arena, e->type));
    TRY(constant_value(an, coerce_to(an->arena, e, type_of(TYPE_LONG)), &v));
    if (v.null)
        return analysis_fail(
            an, parsed->place,
            "[UNEXPECTED_INPUT_TYPE] Parameter %u of function `range` requires "
            "the \"BIGINT\" type, however \"%s\" has the type \"VOID\".",
            i + 1, text_of(an->arena, e, PRINT_NAME));
    *to = v.u.i;
    return ERR_OK;
}

static enum errc analyze_range(struct analyzer *an, struct plan *p, struct plan **out)
{
    int64_t args[4] = { 0, 0, 1, 0 }, given[4];
    uint32_t n = p->list.n;

    for (uint32_t i = 0; i < n && i < 4; i++)
        TRY(range_argument(an, p->list.at[i], i, &given[i]));
    if (n == 1)
        args[1] = given[0];
    else
        memcpy(args, given, n * sizeof *args);
    if (args[2] == 0)
        return analysis_fail(an, p->place,
                             "[FAILED_FUNCTION_CALL] Failed preparing of the function "
                             "`range` for call: step cannot be 0.");
    if (n == 4 && (args[3] < 1 || args[3] > INT32_MAX))
        return analysis_fail(an, p->place,
                             "Number of partitions (%" PRId64 ") must be positive.",
                             args[3]);
    *out = plan_new(an->arena, PLAN_RANGE, 0);
    (*out)->range_start = args[0];
    (*out)->range_end = args[1];
    (*out)->range_step = args[2];
    (*out)->n_partitions = (uint32_t)args[3];
    (*out)->output = exprs_new(an->arena, 1);
    (*out)->output.at[0] =
        expr_attribute(an->arena, SV("id"), type_of(TYPE_LONG), false, next_expr_id());
    (*out)->resolved = true;
    (*out)->place = p->place;
    return ERR_OK;
}

/* ---- limits ---- */

static enum errc check_limit(struct analyzer *an, struct expr *e)
{
    const char *text = text_of(an->arena, e, PRINT_NAME);
    struct value v;

    if (!expr_foldable(e))
        return analysis_fail(
            an, e->place,
            "[INVALID_LIMIT_LIKE_EXPRESSION.IS_UNFOLDABLE] The limit like "
            "expression \"%s\" is invalid. The limit expression must evaluate "
            "to a constant value.",
            text);
    if (e->type.id != TYPE_INT)
        return analysis_fail(an, e->place,
                             "[INVALID_LIMIT_LIKE_EXPRESSION.DATA_TYPE] The limit like "
                             "expression \"%s\" is invalid. The limit expression must be "
                             "integer type, but got \"%s\".",
                             text, type_text(an->arena, e->type));
    TRY(constant_value(an, e, &v));
    if (v.null)
        return analysis_fail(
            an, e->place,
            "[INVALID_LIMIT_LIKE_EXPRESSION.IS_NULL] The limit like expression "
            "\"%s\" is invalid. The evaluated limit expression must not be "
            "null.",
            text);
    if (v.u.i < 0)
        return analysis_fail(
            an, e->place,
            "[INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE] The limit like "
            "expression \"%s\" is invalid. The limit expression must be equal "
            "to or greater than 0, but got %" PRId64 ".",
            text, v.u.i);
    return ERR_OK;
}

static enum errc analyze_limit(struct analyzer *an, struct plan *p, struct plan **out)
{
    struct scope s = { .no_outer = true };
    struct plan *child;
    struct expr *limit;

    TRY(analyze_plan(an, p->children[0], &child));
    s.columns = plan_output(an->arena, child);
    TRY(resolve_expr(an, &s, p->limit, &limit));
    TRY(check_limit(an, limit));
    *out = plan_unary(an->arena, p->kind, child);
    (*out)->limit = limit;
    (*out)->place = p->place;
    return ERR_OK;
}

/* ---- all kinds ---- */

static enum errc analyze_only_child(struct analyzer *an, struct plan *p,
                                    struct plan **out)
{
    struct plan *child;

    TRY(analyze_plan(an, p->children[0], &child));
    *out = plan_copy(an->arena, p);
    (*out)->children[0] = child;
    return ERR_OK;
}

static enum errc analyze_node(struct analyzer *an, struct plan *p, struct plan **out)
{
    switch (p->kind) {
    case PLAN_UNRESOLVED_RELATION:
        return analyze_relation(an, p, out);
    case PLAN_UNRESOLVED_VALUES:
        return analyze_values(an, p, out);
    case PLAN_UNRESOLVED_FUNCTION:
        return analyze_range(an, p, out);
    case PLAN_SUBQUERY_ALIAS:
        return analyze_alias(an, p, out);
    case PLAN_WITH:
        return analyze_with(an, p, out);
    case PLAN_PROJECT:
    case PLAN_AGGREGATE:
        return analyze_select(an, p, NULL, out);
    case PLAN_FILTER:
        return p->having ? analyze_select(an, p->children[0], p, out)
                         : analyze_filter(an, p, out);
    case PLAN_JOIN:
        return analyze_join(an, p, out);
    case PLAN_SORT:
        return analyze_sort(an, p, out);
    case PLAN_GLOBAL_LIMIT:
    case PLAN_LOCAL_LIMIT:
    case PLAN_OFFSET:
        return analyze_limit(an, p, out);
    case PLAN_DISTINCT:
    case PLAN_SAMPLE:
    case PLAN_REPARTITION:
        return analyze_only_child(an, p, out);
    case PLAN_UNION:
    case PLAN_INTERSECT:
    case PLAN_EXCEPT:
        return analyze_set(an, p, out);
    case PLAN_REPARTITION_BY:
        return analyze_repartition(an, p, false, out);
    case PLAN_HINT:
        return analyze_hint(an, p, out);
    case PLAN_ONE_ROW:
    case PLAN_RELATION:
    case PLAN_LOCAL_RELATION:
    case PLAN_RANGE:
    case PLAN_WITH_WINDOW:
    case PLAN_VIEW:
    case PLAN_CTE_DEF:
    case PLAN_CTE_REF:
    case PLAN_WINDOW:
    case PLAN_WINDOW_GROUP_LIMIT:
    case PLAN_EXPAND:
    case PLAN_GENERATE:
    case PLAN_STAGE:
    case N_PLAN_KINDS:
        *out = p; /* made by analysis itself, or nothing to do */
        return ERR_OK;
    }
    return ERR_OK;
}

enum errc analyze_plan(struct analyzer *an, struct plan *p, struct plan **out)
{
    struct plan *done = NULL;

    if (p->resolved) {
        *out = p;
        return ERR_OK;
    }
    TRY(analyze_node(an, p, &done));
    if (!done->resolved && done->kind != PLAN_ONE_ROW)
        done->resolved = true;
    if (!done->place.line)
        done->place = p->place;
    *out = done;
    return ERR_OK;
}

static struct analyzer start(const struct analysis_env *env, struct place *at,
                             struct err *err)
{
    *at = (struct place){ 0 };
    return (struct analyzer){
        .env = env, .arena = env->arena, .settings = env->settings, .at = at, .err = err
    };
}

enum errc plan_analyze(const struct analysis_env *env, struct plan *parsed,
                       struct plan **out, struct place *at, struct err *err)
{
    struct analyzer an = start(env, at, err);

    return analyze_statement(&an, parsed, out);
}

enum errc plan_check_names(const struct exprs *columns, struct err *err)
{
    for (uint32_t i = 0; i < columns->n; i++)
        for (uint32_t k = 0; k < i; k++)
            if (same_name(columns->at[i]->name, columns->at[k]->name))
                return err_set(
                    err, ERR_SYNTAX,
                    "[COLUMN_ALREADY_EXISTS] The column `%.*s` already exists. "
                    "Consider to choose another name or rename the existing "
                    "column.",
                    SV_FMT(columns->at[i]->name));
    return ERR_OK;
}

enum errc plan_create_view(const struct analysis_env *env, struct sv name,
                           const struct sv *columns, uint32_t n_columns,
                           struct plan *parsed, bool replace, struct place *at,
                           struct err *err)
{
    struct analyzer an = start(env, at, err);
    struct plan *analyzed;
    struct exprs output;

    an.creating = replace ? name : (struct sv){ 0 };
    if (replace && sv_starts(name, SV(CATALOG_DEFAULT)))
        an.creating = sv_from(name, strlen(CATALOG_DEFAULT));
    TRY(analyze_statement(&an, parsed, &analyzed));
    output = exprs_copy(env->arena, plan_output(env->arena, analyzed));
    if (n_columns && n_columns != output.n)
        return err_set(err, ERR_SYNTAX,
                       "[CREATE_VIEW_COLUMN_ARITY_MISMATCH.%s] Cannot create view "
                       "`%.*s`, the reason is %s data columns: %u names for %u columns.",
                       n_columns > output.n ? "NOT_ENOUGH_DATA_COLUMNS"
                                            : "TOO_MANY_DATA_COLUMNS",
                       SV_FMT(name), n_columns > output.n ? "not enough" : "too many",
                       n_columns, output.n);
    for (uint32_t i = 0; i < output.n; i++) {
        output.at[i] = expr_copy(env->arena, output.at[i]);
        if (n_columns)
            output.at[i]->name = columns[i];
    }
    TRY(plan_check_names(&output, err));
    return catalog_add_view(env->catalog, name, parsed, &output, replace, err);
}
