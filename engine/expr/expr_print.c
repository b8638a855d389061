/* Spark's three texts of an expression: in plans, as a column's name, as SQL.
 *
 * They differ in many small ways, all taken from what Spark 3.5.9 prints: plans say
 * "isnull(a#1)", "NOT (a#1 = 1)", "a#1 IN (1,2)", names "(a IS NULL)", "(NOT (a = 1))",
 * "(a IN (1, 2))". Functions with a text of their own have a print hook; what is here
 * are the kinds of node and the operators that the planner knows by id. */
#include "engine/expr/expr.h"

#include "engine/expr/func.h"
#include "engine/plan/phys.h"

#include <ctype.h>

static const struct zone *session_zone = &zone_utc;

static struct sv session_zone_name = { "UTC", 3 };

void expr_print_zone(const struct zone *zone, struct sv name)
{
    session_zone = zone;
    session_zone_name = name;
}

/* ---- pieces ---- */

static void add_upper(struct strbuf *out, struct sv text)
{
    for (size_t i = 0; i < text.len; i++)
        strbuf_addc(out, (char)toupper((unsigned char)text.p[i]));
}

static void print_type_upper(struct strbuf *out, struct type t)
{
    struct strbuf name = { 0 };

    type_print(&name, t);
    add_upper(out, strbuf_sv(&name));
    strbuf_release(&name);
}

static bool is_plain_name(struct sv name)
{
    if (!name.len || isdigit((unsigned char)name.p[0]))
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!isalnum((unsigned char)name.p[i]) && name.p[i] != '_')
            return false;
    return true;
}

static void print_quoted_name(struct strbuf *out, struct sv name)
{
    if (is_plain_name(name)) {
        strbuf_add(out, name);
        return;
    }
    strbuf_addc(out, '`');
    for (size_t i = 0; i < name.len; i++) {
        if (name.p[i] == '`')
            strbuf_addc(out, '`');
        strbuf_addc(out, name.p[i]);
    }
    strbuf_addc(out, '`');
}

static void print_parts(struct strbuf *out, const struct expr *e, enum expr_print how)
{
    for (uint32_t i = 0; i < e->n_parts; i++) {
        if (i)
            strbuf_addc(out, '.');
        if (how == PRINT_NAME)
            strbuf_add(out, e->parts[i]);
        else
            print_quoted_name(out, e->parts[i]);
    }
}

/* "#12", and "#12L" where the type is bigint. */
static void print_id(struct strbuf *out, const struct expr *e)
{
    strbuf_printf(out, "#%u%s", e->id, e->resolved && e->type.id == TYPE_LONG ? "L" : "");
}

void expr_print_list(struct strbuf *out, struct expr *const *list, uint32_t n,
                     const char *between, enum expr_print how)
{
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            strbuf_addz(out, between);
        expr_print(out, list[i], how);
    }
}

/* What plans show behind the arguments. */
static void print_tail(struct strbuf *out, const struct expr *e, const char *tail,
                       enum expr_print how)
{
    if (how != PRINT_PLAN || !tail)
        return;
    if (e->n_args)
        strbuf_addz(out, ", ");
    for (; *tail; tail++) {
        if (*tail == '@')
            strbuf_printf(out, "Some(%.*s)", SV_FMT(session_zone_name));
        else
            strbuf_addc(out, *tail);
    }
}

void expr_print_call(struct strbuf *out, struct sv name, const struct expr *e,
                     enum expr_print how)
{
    strbuf_add(out, name);
    strbuf_addc(out, '(');
    expr_print_list(out, e->args, e->n_args, ", ", how);
    if (e->kind == EXPR_CALL)
        print_tail(out, e, e->func->plan_tail, how);
    strbuf_addc(out, ')');
}

/* ---- literals ---- */

static void print_sql_string(struct strbuf *out, struct sv text)
{
    strbuf_addc(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] == '\\' || text.p[i] == '\'')
            strbuf_addc(out, '\\');
        strbuf_addc(out, text.p[i]);
    }
    strbuf_addc(out, '\'');
}

static void print_hex(struct strbuf *out, struct sv bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        strbuf_printf(out, "%02X", (unsigned char)bytes.p[i]);
}

static void print_wrapped(struct strbuf *out, const char *before, const struct value *x,
                          const char *after)
{
    strbuf_addz(out, before);
    value_print(out, x, session_zone);
    strbuf_addz(out, after);
}

static void print_sql_null(struct strbuf *out, struct type t)
{
    if (t.id == TYPE_NULL) {
        strbuf_addz(out, "NULL");
        return;
    }
    strbuf_addz(out, "CAST(NULL AS ");
    print_type_upper(out, t);
    strbuf_addc(out, ')');
}

/* Numbers carry their type's letter, so that the text gives the same literal again. */
static void print_sql_number(struct strbuf *out, const struct value *x)
{
    bool odd = (x->type.id == TYPE_FLOAT || x->type.id == TYPE_DOUBLE) &&
               !(x->u.f - x->u.f == 0); /* NaN, infinities */

    if (x->type.id == TYPE_FLOAT || odd) {
        print_wrapped(out, odd ? "CAST('" : "CAST(", x, odd ? "' AS " : " AS ");
        print_type_upper(out, x->type);
        strbuf_addc(out, ')');
        return;
    }
    value_print(out, x, session_zone);
    strbuf_addz(out, x->type.id == TYPE_BYTE      ? "Y"
                     : x->type.id == TYPE_SHORT   ? "S"
                     : x->type.id == TYPE_LONG    ? "L"
                     : x->type.id == TYPE_DOUBLE  ? "D"
                     : x->type.id == TYPE_DECIMAL ? "BD"
                                                  : "");
}

static void print_literal_name(struct strbuf *out, const struct value *x,
                               enum expr_print how)
{
    switch ((enum type_id)x->type.id) {
    case TYPE_DATE:
        print_wrapped(out, "DATE '", x, "'");
        return;
    case TYPE_TIMESTAMP:
        print_wrapped(out, "TIMESTAMP '", x, "'");
        return;
    case TYPE_TIMESTAMP_NTZ:
        print_wrapped(out, "TIMESTAMP_NTZ '", x, "'");
        return;
    case TYPE_BINARY:
        strbuf_addz(out, "X'");
        print_hex(out, x->u.s);
        strbuf_addc(out, '\'');
        return;
    case TYPE_STRING:
        if (how == PRINT_SQL)
            print_sql_string(out, x->u.s);
        else
            strbuf_add(out, x->u.s);
        return;
    case TYPE_BYTE:
    case TYPE_SHORT:
    case TYPE_LONG:
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
    case TYPE_DECIMAL:
        if (how == PRINT_SQL) {
            print_sql_number(out, x);
            return;
        }
        break;
    case TYPE_NULL:
    case TYPE_BOOLEAN:
    case TYPE_INT:
    case TYPE_INTERVAL_MONTH:
    case TYPE_INTERVAL_DAY:
        break;
    }
    value_print(out, x, session_zone);
}

static void print_literal(struct strbuf *out, const struct value *x, enum expr_print how)
{
    if (x->null) {
        if (how == PRINT_SQL)
            print_sql_null(out, x->type);
        else
            strbuf_addz(out, how == PRINT_PLAN ? "null" : "NULL");
    } else if (how != PRINT_PLAN) {
        print_literal_name(out, x, how);
    } else if (x->type.id == TYPE_BINARY) {
        strbuf_addz(out, "0x");
        print_hex(out, x->u.s);
    } else {
        value_print(out, x, session_zone);
    }
}

/* ---- calls ---- */

static void print_operator(struct strbuf *out, const struct expr *e, enum expr_print how)
{
    strbuf_addc(out, '(');
    expr_print(out, e->args[0], how);
    strbuf_printf(out, " %s ", e->func->symbol);
    expr_print(out, e->args[1], how);
    strbuf_addc(out, ')');
}

/* "before a between b after": %-free, so that names with % are safe. */
static void print_around(struct strbuf *out, const char *before, const struct expr *e,
                         const char *after, enum expr_print how)
{
    strbuf_addz(out, before);
    expr_print(out, e, how);
    strbuf_addz(out, after);
}

static void print_like(struct strbuf *out, const struct expr *e, enum expr_print how)
{
    expr_print(out, e->args[0], how);
    print_around(out, " LIKE ", e->args[1], "", how);
    if (e->n_args > 2 && how == PRINT_PLAN)
        print_around(out, " ESCAPE '", e->args[2], "'", how);
}

/* Where plan and name differ in the function's name alone. */
static const char *plan_name(enum func_id id)
{
    return id == FUNC_STARTS_WITH      ? "StartsWith"
           : id == FUNC_ENDS_WITH      ? "EndsWith"
           : id == FUNC_CONTAINS       ? "Contains"
           : id == FUNC_RLIKE          ? "RLIKE"
           : id == FUNC_UNSCALED_VALUE ? "UnscaledValue"
           : id == FUNC_MAKE_DECIMAL   ? "MakeDecimal"
                                       : NULL;
}

/* "-a#1", "(- a)", "positive(a#1)", "(+ a)", "~a". */
static void print_prefix(struct strbuf *out, const struct expr *e, enum expr_print how)
{
    char sign = e->func->symbol[0];
    bool plan = how == PRINT_PLAN;

    if (sign == '-')
        print_around(out, plan ? "-" : "(- ", e->args[0], plan ? "" : ")", how);
    else if (sign == '+')
        print_around(out, plan ? "positive(" : "(+ ", e->args[0], ")", how);
    else
        print_around(out, e->func->symbol, e->args[0], "", how);
}

static void print_call(struct strbuf *out, const struct expr *e, enum expr_print how)
{
    const struct func *f = e->func;
    struct sv name = e->name.p ? e->name : sv(f->name);

    if (f->print) {
        f->print(out, e, how);
    } else if (f->id == FUNC_LIKE) {
        print_like(out, e, how);
    } else if ((f->id == FUNC_RLIKE && how != PRINT_PLAN) ||
               ((f->flags & FUNC_CAPITALS) && !e->name.p)) {
        add_upper(out, name);
        expr_print_call(out, SV(""), e, how);
    } else if (how == PRINT_PLAN && plan_name(f->id)) {
        expr_print_call(out, sv(plan_name(f->id)), e, how);
    } else if (f->symbol && e->n_args == 1 && how == PRINT_PLAN) {
        print_prefix(out, e, how);
    } else if (e->name.p || !f->symbol) {
        expr_print_call(out, name, e, how);
    } else if (e->n_args == 1) {
        print_prefix(out, e, how);
    } else {
        print_operator(out, e, how);
    }
}

static void print_cast(struct strbuf *out, const struct expr *e, enum expr_print how)
{
    if (how != PRINT_PLAN && e->implicit) {
        expr_print(out, e->args[0], how);
        return;
    }
    if (how == PRINT_PLAN) {
        print_around(out, e->try_cast ? "try_cast(" : "cast(", e->args[0], " as ", how);
        type_print(out, e->type);
    } else {
        print_around(out, e->try_cast ? "TRY_CAST(" : "CAST(", e->args[0], " AS ", how);
        print_type_upper(out, e->type);
    }
    strbuf_addc(out, ')');
}

static void print_case(struct strbuf *out, const struct expr *e, enum expr_print how)
{
    strbuf_addz(out, "CASE");
    for (uint32_t i = 0; i + 1 < e->n_args; i += 2) {
        print_around(out, " WHEN ", e->args[i], " THEN ", how);
        expr_print(out, e->args[i + 1], how);
    }
    if (e->n_args % 2)
        print_around(out, " ELSE ", e->args[e->n_args - 1], "", how);
    strbuf_addz(out, " END");
}

/* ---- IN ---- */

/* INSET lists its elements in the order of their texts. */
static void print_in_set(struct strbuf *out, const struct expr *e)
{
    struct arena scratch = { 0 };
    uint32_t n = e->n_args - 1;
    struct sv *texts = arena_array(&scratch, n + 1, sizeof *texts);

    for (uint32_t i = 0; i < n; i++) {
        struct strbuf text = { 0 };
        uint32_t at = i;

        expr_print(&text, e->args[i + 1], PRINT_PLAN);
        for (; at && sv_cmp(strbuf_sv(&text), texts[at - 1]) < 0; at--)
            texts[at] = texts[at - 1];
        texts[at] = arena_sv(&scratch, strbuf_sv(&text));
        strbuf_release(&text);
    }
    for (uint32_t i = 0; i < n; i++) {
        strbuf_addz(out, i ? ", " : "");
        strbuf_add(out, texts[i]);
    }
    arena_release(&scratch);
}

static void print_in(struct strbuf *out, const struct expr *e, enum expr_print how)
{
    bool plan = how == PRINT_PLAN;

    if (plan && e->in_set) {
        print_around(out, "", e->args[0], " INSET ", how);
        print_in_set(out, e);
        return;
    }
    print_around(out, plan ? "" : "(", e->args[0], " IN (", how);
    expr_print_list(out, e->args + 1, e->n_args - 1, plan ? "," : ", ", how);
    strbuf_addz(out, plan ? ")" : "))");
}

/* ---- aggregates and windows ---- */

static const char *mode_prefix(enum agg_mode mode)
{
    return mode == AGG_PARTIAL ? "partial_" : mode == AGG_PARTIAL_MERGE ? "merge_" : "";
}

static void print_aggregate(struct strbuf *out, const struct expr *e, enum expr_print how)
{
    bool plan = how == PRINT_PLAN;

    if (plan)
        strbuf_addz(out, mode_prefix(e->mode));
    if (e->name.p)
        strbuf_add(out, e->name);
    else
        strbuf_addz(out, e->agg->name);
    strbuf_addc(out, '(');
    if (e->distinct)
        strbuf_addz(out, plan ? "distinct " : "DISTINCT ");
    if (e->agg->print_args)
        e->agg->print_args(out, e, how);
    else
        expr_print_list(out, e->args, e->n_args, ", ", how);
    print_tail(out, e, e->agg->plan_tail, how);
    strbuf_addc(out, ')');
    if (e->filter)
        print_around(out, " FILTER (WHERE ", e->filter, ")", how);
}

static bool is_lag_or_lead(const struct expr *f)
{
    return f->kind == EXPR_CALL &&
           (strcmp(f->func->name, "lag") == 0 || strcmp(f->func->name, "lead") == 0);
}

static int64_t offset_of(const struct expr *e)
{
    return e->kind == EXPR_LITERAL ? e->value.u.i : 0;
}

/* "unboundedpreceding$()", "currentrow$()", "-1". */
static void print_bound_plan(struct strbuf *out, enum frame_bound bound,
                             const struct expr *offset, bool lower)
{
    if (bound == BOUND_UNBOUNDED)
        strbuf_addz(out, lower ? "unboundedpreceding$()" : "unboundedfollowing$()");
    else if (bound == BOUND_CURRENT)
        strbuf_addz(out, "currentrow$()");
    else
        expr_print(out, offset, PRINT_PLAN);
}

/* "1 PRECEDING"; the frame that lag makes says "-1 FOLLOWING", as Spark's does. */
static void print_bound_name(struct strbuf *out, enum frame_bound bound,
                             const struct expr *offset, bool lower, bool shifted)
{
    if (bound == BOUND_UNBOUNDED) {
        strbuf_addz(out, lower ? "UNBOUNDED PRECEDING" : "UNBOUNDED FOLLOWING");
    } else if (bound == BOUND_CURRENT) {
        strbuf_addz(out, "CURRENT ROW");
    } else if (offset->kind == EXPR_LITERAL && offset_of(offset) < 0 && !shifted) {
        struct value positive = offset->value;

        positive.u.i = -positive.u.i;
        print_literal(out, &positive, PRINT_NAME);
        strbuf_addz(out, " PRECEDING");
    } else {
        expr_print(out, offset, PRINT_NAME);
        strbuf_addz(out, " FOLLOWING");
    }
}

static void print_window_plan(struct strbuf *out, const struct window_spec *w)
{
    strbuf_addz(out, "windowspecdefinition(");
    expr_print_list(out, w->partition, w->n_partition, ", ", PRINT_PLAN);
    if (w->n_partition && w->n_order)
        strbuf_addz(out, ", ");
    expr_print_list(out, w->order, w->n_order, ", ", PRINT_PLAN);
    if (w->n_partition || w->n_order)
        strbuf_addz(out, ", ");
    if (w->has_frame) {
        strbuf_printf(out, "specifiedwindowframe(%s, ",
                      w->unit == FRAME_ROWS ? "RowFrame" : "RangeFrame");
        print_bound_plan(out, w->lower, w->lower_offset, true);
        strbuf_addz(out, ", ");
        print_bound_plan(out, w->upper, w->upper_offset, false);
        strbuf_addz(out, "))");
    } else {
        strbuf_addz(out, "unspecifiedframe$())");
    }
}

static void print_window_name(struct strbuf *out, const struct window_spec *w,
                              bool shifted, enum expr_print how)
{
    const char *blank = "";

    strbuf_addc(out, '(');
    if (w->n_partition) {
        strbuf_addz(out, "PARTITION BY ");
        expr_print_list(out, w->partition, w->n_partition, ", ", how);
        blank = " ";
    }
    if (w->n_order) {
        strbuf_printf(out, "%sORDER BY ", blank);
        expr_print_list(out, w->order, w->n_order, ", ", how);
        blank = " ";
    }
    if (w->has_frame) {
        strbuf_printf(out, "%s%s BETWEEN ", blank,
                      w->unit == FRAME_ROWS ? "ROWS" : "RANGE");
        print_bound_name(out, w->lower, w->lower_offset, true, shifted);
        strbuf_addz(out, " AND ");
        print_bound_name(out, w->upper, w->upper_offset, false, shifted);
    }
    strbuf_addc(out, ')');
}

/* Ranks work on the order: plans show its expressions as their arguments, names have them
 * in capitals. */
static bool is_rank(const struct expr *f)
{
    return f->kind == EXPR_CALL &&
           (f->func->id == FUNC_RANK || f->func->id == FUNC_DENSE_RANK ||
            strcmp(f->func->name, "percent_rank") == 0);
}

static void print_rank_plan(struct strbuf *out, const struct expr *f,
                            const struct expr *e)
{
    strbuf_printf(out, "%s(", f->func->name);
    for (uint32_t i = 0; i < e->window->n_order; i++)
        print_around(out, i ? ", " : "", e->window->order[i]->args[0], "", PRINT_PLAN);
    strbuf_addz(out, ") ");
}

/* Spark keeps lag as an offset below zero. */
static void print_lag_plan(struct strbuf *out, const struct expr *f)
{
    strbuf_addz(out, "lag(");
    for (uint32_t i = 0; i < f->n_args; i++) {
        struct value x = f->args[i]->value;

        if (i)
            strbuf_addz(out, ", ");
        if (i == 1 && f->args[i]->kind == EXPR_LITERAL) {
            x.u.i = -x.u.i;
            print_literal(out, &x, PRINT_PLAN);
        } else {
            expr_print(out, f->args[i], PRINT_PLAN);
        }
    }
    strbuf_addz(out, ") ");
}

static void print_window(struct strbuf *out, const struct expr *e, enum expr_print how)
{
    const struct expr *f = e->args[0];

    if (how != PRINT_PLAN) {
        if (is_rank(f)) {
            add_upper(out, sv(f->func->name));
            strbuf_addz(out, "()");
        } else {
            expr_print(out, f, how);
        }
        strbuf_addz(out, " OVER ");
        print_window_name(out, e->window, is_lag_or_lead(f), how);
        return;
    }
    if (is_rank(f))
        print_rank_plan(out, f, e);
    else if (f->kind == EXPR_CALL && strcmp(f->func->name, "lag") == 0)
        print_lag_plan(out, f);
    else
        print_around(out, "", f, " ", how);
    print_window_plan(out, e->window);
}

static void print_sort_order(struct strbuf *out, const struct expr *e,
                             enum expr_print how)
{
    print_around(out, "", e->args[0], e->descending ? " DESC" : " ASC", how);
    strbuf_addz(out, e->nulls_last ? " NULLS LAST" : " NULLS FIRST");
}

/* ---- subqueries ---- */

static void print_subquery(struct strbuf *out, const struct expr *e, const char *plan,
                           const char *name, enum expr_print how)
{
    if (how == PRINT_PLAN) {
        strbuf_printf(out, "%s#%u [", plan, e->id);
        expr_print_list(out, e->outer, e->n_outer, " && ", how);
        strbuf_addc(out, ']');
    } else {
        strbuf_printf(out, "%s(", name);
        expr_print_list(out, e->outer, e->n_outer, ", ", how);
        strbuf_addc(out, ')');
    }
}

/* Several values before IN stand as a struct: "named_struct(a, a#1, b, b#2)". */
static void print_in_values(struct strbuf *out, const struct expr *e, enum expr_print how)
{
    if (e->n_args == 1) {
        expr_print(out, e->args[0], how);
        return;
    }
    strbuf_addz(out, "named_struct(");
    for (uint32_t i = 0; i < e->n_args; i++) {
        if (i)
            strbuf_addz(out, ", ");
        if (e->args[i]->name.p)
            strbuf_add(out, e->args[i]->name);
        else
            strbuf_printf(out, "col%u", i + 1);
        print_around(out, ", ", e->args[i], "", how);
    }
    strbuf_addc(out, ')');
}

static void print_in_subquery(struct strbuf *out, const struct expr *e,
                              enum expr_print how)
{
    if (how != PRINT_PLAN)
        strbuf_addc(out, '(');
    print_in_values(out, e, how);
    strbuf_addz(out, " IN (");
    print_subquery(out, e, "list", "listquery", how);
    strbuf_addz(out, how == PRINT_PLAN ? ")" : "))");
}

static void print_subquery_result(struct strbuf *out, const struct expr *e)
{
    const struct phys *p = e->phys;

    if (p && p->kind == PHYS_REUSED_SUBQUERY) {
        strbuf_addz(out, "ReusedSubquery ");
        p = p->reused;
    }
    strbuf_printf(out, "Subquery %.*s#%u, [id=#%u]",
                  SV_FMT(p ? p->text : SV("subquery")), p ? p->id : e->id,
                  p ? p->plan_id : 0);
}

/* ---- names ---- */

static void print_attribute(struct strbuf *out, const struct expr *e, enum expr_print how)
{
    if (how == PRINT_SQL) {
        print_parts(out, e, how);
        if (e->n_parts)
            strbuf_addc(out, '.');
        print_quoted_name(out, e->name);
        return;
    }
    strbuf_add(out, e->name);
    if (how == PRINT_PLAN)
        print_id(out, e);
}

static void print_alias(struct strbuf *out, const struct expr *e, enum expr_print how)
{
    expr_print(out, e->args[0], how);
    if (how == PRINT_NAME)
        return;
    strbuf_addz(out, " AS ");
    if (how == PRINT_SQL) {
        print_quoted_name(out, e->name);
    } else {
        strbuf_add(out, e->name);
        print_id(out, e);
    }
}

static void print_bound(struct strbuf *out, const struct expr *e, enum expr_print how)
{
    if (how != PRINT_PLAN) {
        strbuf_add(out, e->name);
        return;
    }
    strbuf_printf(out, "input[%u, ", e->index);
    type_print(out, e->type);
    strbuf_printf(out, ", %s]", e->nullable ? "true" : "false");
}

static void print_unresolved_function(struct strbuf *out, const struct expr *e,
                                      enum expr_print how)
{
    if (how == PRINT_PLAN)
        strbuf_addc(out, '\'');
    print_parts(out, e, how);
    strbuf_addc(out, '(');
    if (e->distinct)
        strbuf_addz(out, "distinct ");
    expr_print_list(out, e->args, e->n_args, ", ", how);
    strbuf_addc(out, ')');
    if (e->filter)
        print_around(out, " FILTER (WHERE ", e->filter, ")", how);
}

void expr_print(struct strbuf *out, const struct expr *e, enum expr_print how)
{
    switch (e->kind) {
    case EXPR_NAME:
        if (how == PRINT_PLAN)
            strbuf_addc(out, '\'');
        print_parts(out, e, how);
        break;
    case EXPR_STAR:
        print_parts(out, e, how);
        strbuf_addz(out, e->n_parts ? ".*" : "*");
        break;
    case EXPR_FUNCTION:
        if (e->func) /* an operator, made by the parser */
            print_call(out, e, how);
        else
            print_unresolved_function(out, e, how);
        break;
    case EXPR_LAMBDA_ARG:
        print_parts(out, e, how);
        break;
    case EXPR_LITERAL:
        print_literal(out, &e->value, how);
        break;
    case EXPR_ATTRIBUTE:
        print_attribute(out, e, how);
        break;
    case EXPR_ALIAS:
        print_alias(out, e, how);
        break;
    case EXPR_CALL:
        print_call(out, e, how);
        break;
    case EXPR_CAST:
        print_cast(out, e, how);
        break;
    case EXPR_CASE:
        print_case(out, e, how);
        break;
    case EXPR_IN:
        print_in(out, e, how);
        break;
    case EXPR_AGGREGATE:
        print_aggregate(out, e, how);
        break;
    case EXPR_WINDOW:
        print_window(out, e, how);
        break;
    case EXPR_SORT_ORDER:
        print_sort_order(out, e, how);
        break;
    case EXPR_SCALAR_SUBQUERY:
        print_subquery(out, e, "scalar-subquery", "scalarsubquery", how);
        break;
    case EXPR_EXISTS:
        print_subquery(out, e, "exists", "exists", how);
        break;
    case EXPR_IN_SUBQUERY:
        print_in_subquery(out, e, how);
        break;
    case EXPR_OUTER:
        print_around(out, "outer(", e->args[0], ")", how);
        break;
    case EXPR_BOUND:
        print_bound(out, e, how);
        break;
    case EXPR_SUBQUERY_RESULT:
        print_subquery_result(out, e);
        break;
    }
}

void expr_print_item_name(struct strbuf *out, const struct expr *e)
{
    const struct expr *child = e->kind == EXPR_CAST ? e->args[0] : e;

    if (child->kind == EXPR_ATTRIBUTE || child->kind == EXPR_ALIAS)
        strbuf_add(out, child->name);
    else
        expr_print(out, e, PRINT_NAME);
}

void expr_print_condition(struct strbuf *out, const struct expr *e)
{
    expr_print(out, e, PRINT_PLAN);
    if (e->kind == EXPR_ATTRIBUTE || (e->kind == EXPR_BOUND && e->id)) {
        strbuf_addz(out, ": ");
        type_print(out, e->type);
    }
}
