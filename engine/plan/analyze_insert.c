/* What INSERT and CREATE TABLE AS write: a query's columns as a table's.
 *
 * Spark's store assignment policy ANSI: a cast is added where every sensible value of the
 * one type is one of the other; text to numbers, numbers to dates and the like are
 * refused. A cast that may overflow is checked when it runs, like one of ANSI mode. */
#include "engine/plan/analyze_int.h"

#include "engine/run/settings.h"

#include <stdlib.h>

static bool is_moment(struct type t)
{
    return t.id == TYPE_DATE || t.id == TYPE_TIMESTAMP || t.id == TYPE_TIMESTAMP_NTZ;
}

static bool is_interval(struct type t)
{
    return t.id == TYPE_INTERVAL_DAY || t.id == TYPE_INTERVAL_MONTH;
}

/* Cast.canANSIStoreAssign */
static bool can_store(struct type from, struct type to)
{
    if (type_eq(from, to) || from.id == TYPE_NULL)
        return true;
    if (type_is_numeric(from) && type_is_numeric(to))
        return true;
    if (to.id == TYPE_STRING)
        return from.id != TYPE_BINARY;
    if (is_moment(from) && is_moment(to))
        return true;
    return is_interval(from) && from.id == to.id;
}

static bool policy_allows(const struct settings *s, struct type from, struct type to)
{
    if (settings_says(s, SET_STORE_ASSIGNMENT, "LEGACY"))
        return cast_possible(from, to);
    if (settings_says(s, SET_STORE_ASSIGNMENT, "STRICT"))
        return type_eq(from, to) ||
               (type_is_numeric(from) && type_is_numeric(to) && from.id < to.id);
    return can_store(from, to);
}

struct storing {
    const struct analysis_env *env;
    struct sv table;
    struct place *at;
    struct err *err;
};

static enum errc fail_count(struct storing *st, const struct exprs *have, uint32_t want)
{
    return err_set(st->err, ERR_SYNTAX,
                   "[INSERT_COLUMN_ARITY_MISMATCH.%s] Cannot write to "
                   "`spark_catalog`.`default`.`%.*s`, the reason is %s data columns: the "
                   "table takes %u, the query gives %u.",
                   have->n > want ? "TOO_MANY_DATA_COLUMNS" : "NOT_ENOUGH_DATA_COLUMNS",
                   SV_FMT(st->table), have->n > want ? "too many" : "not enough", want,
                   have->n);
}

/* The column under the table's name and type; the session's ANSI mode does not matter. */
static enum errc store_column(struct storing *st, struct expr *e, const struct field *f,
                              struct expr **out)
{
    struct arena *a = st->env->arena;
    bool same = type_eq(e->type, f->type);

    if (!policy_allows(st->env->settings, e->type, f->type)) {
        if (e->place.line)
            *st->at = e->place;
        return err_set(st->err, ERR_SYNTAX,
                       "[INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST] Cannot write "
                       "incompatible data for the table "
                       "`spark_catalog`.`default`.`%.*s`: Cannot safely cast `%.*s` "
                       "\"%s\" to \"%s\".",
                       SV_FMT(st->table), SV_FMT(f->name), type_text(a, e->type),
                       type_text(a, f->type));
    }
    if (same && e->kind == EXPR_ATTRIBUTE && sv_eq(e->name, f->name)) {
        *out = e;
        return ERR_OK;
    }
    if (!same) {
        e = expr_cast(a, e, f->type);
        e->ansi = settings_says(st->env->settings, SET_STORE_ASSIGNMENT, "ANSI");
    }
    *out = expr_alias(a, e, f->name, next_expr_id());
    return ERR_OK;
}

static uint32_t field_ix(const struct schema *s, struct sv name)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (same_name(s->fields[i].name, name))
            return i;
    return UINT32_MAX;
}

/* Which column of the query (or fixed value) each field gets. */
static enum errc place_columns(struct storing *st, const struct schema *table,
                               const struct exprs *have, const struct sv *names,
                               uint32_t n_names, struct expr **to)
{
    uint32_t next = 0, open = 0;

    for (uint32_t i = 0; i < n_names; i++) {
        uint32_t k = field_ix(table, names[i]);

        if (k == UINT32_MAX)
            return err_set(st->err, ERR_SYNTAX,
                           "[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column or function "
                           "parameter with name `%.*s` cannot be resolved: the table "
                           "`%.*s` has no such column.",
                           SV_FMT(names[i]), SV_FMT(st->table));
        if (to[k])
            return err_set(st->err, ERR_SYNTAX,
                           "[COLUMN_ALREADY_EXISTS] The column `%.*s` already exists. "
                           "Consider to choose another name or rename the existing "
                           "column.",
                           SV_FMT(names[i]));
        if (i < have->n)
            to[k] = have->at[i];
    }
    if (n_names)
        return n_names == have->n ? ERR_OK : fail_count(st, have, n_names);
    for (uint32_t i = 0; i < table->n; i++)
        open += !to[i];
    if (open != have->n)
        return fail_count(st, have, open);
    for (uint32_t i = 0; i < table->n; i++)
        if (!to[i])
            to[i] = have->at[next++];
    return ERR_OK;
}

enum errc plan_for_insert(const struct analysis_env *env, struct plan *analyzed,
                          const struct schema *table, struct sv table_name,
                          const struct sv *names, uint32_t n_names,
                          struct expr *const *fixed, struct plan **out, struct place *at,
                          struct err *err)
{
    struct storing st = { env, table_name, at, err };
    const struct exprs *have = plan_output(env->arena, analyzed);
    struct exprs to = exprs_new(env->arena, table->n);
    struct analyzer an = {
        .env = env, .arena = env->arena, .settings = env->settings, .at = at, .err = err
    };
    struct exprs none = { 0 };
    struct scope nothing = { .columns = &none, .no_outer = true };
    bool same;

    *at = (struct place){ 0 };
    for (uint32_t i = 0; fixed && i < table->n; i++)
        if (fixed[i])
            TRY(resolve_expr(&an, &nothing, fixed[i], &to.at[i]));
    TRY(place_columns(&st, table, have, names, n_names, to.at));
    same = have->n == table->n;
    for (uint32_t i = 0; i < table->n; i++) {
        struct expr *e = to.at[i];

        if (!e)
            e = expr_literal(env->arena, value_null(table->fields[i].type));
        TRY(store_column(&st, e, &table->fields[i], &to.at[i]));
        same = same && to.at[i] == have->at[i];
    }
    if (same) {
        *out = analyzed;
        return ERR_OK;
    }
    *out = plan_project(env->arena, to, analyzed);
    (*out)->resolved = true;
    return ERR_OK;
}
