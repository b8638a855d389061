/* Queries: WITH, SELECT, VALUES, set operations, ORDER BY and its company.
 *
 * The plan grows from the inside out, in the order of Spark's AstBuilder: FROM, WHERE,
 * GROUP BY or the list, HAVING, DISTINCT, hints; then for the whole query ORDER BY or
 * SORT BY over DISTRIBUTE BY, OFFSET, LIMIT. INTERSECT binds closer than UNION and
 * EXCEPT.
 *
 * p->height is that of the plan where a function ends with a plan; expressions in between
 * leave theirs, so it is put back. */
#include "engine/sql/parser.h"

/* As plan_over, with the child's height known to the caller. */
static enum errc plan_upon(struct parser *p, enum plan_kind kind, struct plan *child,
                           const struct token *first, uint32_t *height, struct plan **out)
{
    p->height = *height;
    TRY(plan_over(p, kind, child, first, out));
    *height = p->height;
    return ERR_OK;
}

/* ---- is it a query? ---- */

bool at_query(const struct parser *p)
{
    return at_word(p, KW_SELECT) || at_word(p, KW_VALUES) || at_word(p, KW_FROM) ||
           (at_word(p, KW_WITH) &&
            (ahead_is(p, 1, TOK_WORD) || ahead_is(p, 1, TOK_QUOTED))) ||
           (at_word(p, KW_TABLE) && !ahead_is(p, 1, TOK_DOT)) ||
           (at_token(p, TOK_LPAREN) && at_subquery(p, 0));
}

static bool begins_query(const struct token *t)
{
    switch ((int)(t->kind == TOK_WORD ? t->keyword : KW_NONE)) {
    case KW_SELECT:
    case KW_FROM:
        return true;
    case KW_VALUES: /* these may be names, too */
    case KW_WITH:
    case KW_TABLE:
        return t[1].kind == TOK_WORD || t[1].kind == TOK_QUOTED ||
               (t->keyword == KW_VALUES && t[1].kind != TOK_RPAREN &&
                t[1].kind != TOK_COMMA && t[1].kind != TOK_DOT);
    default:
        return false;
    }
}

static bool continues_query(const struct token *t)
{
    if (t->kind == TOK_RPAREN)
        return true;
    switch ((int)(t->kind == TOK_WORD ? t->keyword : KW_NONE)) {
    case KW_UNION:
    case KW_EXCEPT:
    case KW_MINUS:
    case KW_INTERSECT:
    case KW_ORDER:
    case KW_SORT:
    case KW_CLUSTER:
    case KW_DISTRIBUTE:
    case KW_LIMIT:
    case KW_OFFSET:
        return true;
    default:
        return false;
    }
}

/* ((SELECT 1) UNION SELECT 2) is a query, ((SELECT 1) + 1) none: what stands behind each
 * inner bracket decides. */
bool at_subquery(const struct parser *p, uint32_t ahead)
{
    const struct token *t = &p->tokens[p->at + ahead];

    if (t->kind != TOK_LPAREN)
        return false;
    for (t++; t->kind == TOK_LPAREN; t++)
        if (!t->match || !continues_query(&p->tokens[t->match + 1]))
            return false;
    return begins_query(t);
}

/* ---- WITH ---- */

static enum errc check_cte_name(struct parser *p, const struct token *first,
                                struct sv name, const struct plan_list *before)
{
    const char *word = arena_sv(p->arena, name).p;

    for (uint32_t i = 0; i < before->n; i++)
        if (sv_same_word(before->at[i]->name, word))
            return fail_at(p, first, "CTE definition can't have duplicate names: '%.*s'.",
                           SV_FMT(name));
    return ERR_OK;
}

/* name [(columns)] [AS] (query), ...: each a PLAN_CTE_DEF. */
enum errc parse_ctes(struct parser *p, struct plan_list *out)
{
    TRY(expect_word(p, KW_WITH));
    do {
        const struct token *first = token_ahead(p, 0);
        struct sv_list columns = { 0 };
        struct plan *plan;
        struct sv name = { 0 };

        TRY(parse_name(p, "the name of a common table expression", &name));
        TRY(check_cte_name(p, first, name, out));
        if (at_token(p, TOK_LPAREN) && !at_subquery(p, 0))
            TRY(parse_name_list(p, &columns));
        (void)take_word(p, KW_AS);
        TRY(expect_token(p, TOK_LPAREN));
        TRY(nest(p));
        TRY(parse_query(p, &plan));
        p->nesting--;
        TRY(expect_token(p, TOK_RPAREN));
        plan = plan_unary(p->arena, PLAN_CTE_DEF, plan);
        plan->name = name;
        plan->columns = columns.at;
        plan->n_columns = columns.n;
        plan->place = place_from(p, first);
        plan_list_add(p, out, plan);
    } while (take_token(p, TOK_COMMA));
    return ERR_OK;
}

/* body itself where there are none. */
struct plan *wrap_ctes(struct parser *p, const struct plan_list *ctes, struct plan *body)
{
    struct plan *with;

    if (!ctes->n)
        return body;
    with = plan_new(p->arena, PLAN_WITH, ctes->n + 1);
    with->children[0] = body;
    memcpy(with->children + 1, ctes->at, ctes->n * sizeof *ctes->at);
    with->place = body->place;
    p->height = (p->height > ctes->height ? p->height : ctes->height) + 1;
    return with;
}

/* ---- VALUES ---- */

static enum errc parse_row(struct parser *p, struct exprs *out)
{
    struct expr_list l = { 0 };
    struct expr *e = NULL;

    TRY(parse_expr(p, &e));
    if (e->kind == EXPR_FUNCTION && e->n_parts == 1 &&
        sv_same_word(e->parts[0], "struct")) {
        *out = (struct exprs){ e->args, e->n_args };
        return ERR_OK;
    }
    expr_list_add(p, &l, e);
    *out = l.of;
    return ERR_OK;
}

/* VALUES (1, 'a'), (2, 'b') [[AS] t(x, y)] */
enum errc parse_values(struct parser *p, struct plan **out)
{
    const struct token *first = &p->tokens[p->at++];
    struct plan *values = plan_new(p->arena, PLAN_UNRESOLVED_VALUES, 0);
    uint32_t cap = 0;

    do {
        const struct token *row = token_ahead(p, 0);
        struct exprs e = { 0 };

        TRY(parse_row(p, &e));
        if (values->n_projections == cap) {
            struct exprs *more;

            cap = cap ? cap * 2 : 8;
            more = arena_array(p->arena, cap, sizeof *more);
            if (values->n_projections)
                memcpy(more, values->projections, values->n_projections * sizeof *more);
            values->projections = more;
        }
        if (values->n_projections && e.n != values->projections[0].n)
            return fail_at(
                p, row,
                "[INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH] a row of %u values "
                "in a table of %u columns",
                e.n, values->projections[0].n);
        values->projections[values->n_projections++] = e;
    } while (take_token(p, TOK_COMMA));
    values->place = place_from(p, first);
    p->height = 1;
    *out = values;
    return ERR_OK;
}

/* The alias of VALUES names its columns at once, as Spark's inline table does. */
static enum errc parse_values_alias(struct parser *p, struct plan **io)
{
    const struct token *first = token_ahead(p, 0);
    bool as = take_word(p, KW_AS);
    struct sv_list columns = { 0 };
    struct sv name = { 0 };

    if (!as && !at_table_alias(p))
        return ERR_OK;
    TRY(parse_name(p, "an alias", &name));
    if (at_token(p, TOK_LPAREN)) {
        TRY(parse_name_list(p, &columns));
        if (columns.n != (*io)->projections[0].n)
            return fail_at(
                p, first,
                "[INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH] Number of aliases "
                "must match the number of fields in an inline table: %u names "
                "for %u columns",
                columns.n, (*io)->projections[0].n);
        (*io)->parts = columns.at;
        (*io)->n_parts = columns.n;
    }
    TRY(plan_over(p, PLAN_SUBQUERY_ALIAS, *io, first, io));
    (*io)->name = name;
    return ERR_OK;
}

/* ---- SELECT ---- */

static enum errc parse_named(struct parser *p, struct expr **out)
{
    const struct token *first = token_ahead(p, 0), *t;
    bool as;
    struct sv name = { 0 };

    TRY(parse_expr(p, out));
    as = take_word(p, KW_AS);
    if (!as && !at_column_alias(p))
        return ERR_OK;
    if (at_token(p, TOK_LPAREN))
        return fail_at(p, token_ahead(p, 0),
                       "several aliases for one column are not supported");
    t = token_ahead(p, 0);
    TRY(parse_name(p, "an alias", &name));
    if (!as && t->kind == TOK_WORD)
        p->alias_at = p->at;
    *out = expr_alias(p->arena, *out, name, 0);
    (*out)->place = place_from(p, first);
    return set_height(p, p->height + 1, first);
}

struct hint {
    struct sv name;
    struct exprs parameters;
    struct place place;
};
struct hints {
    struct hint at[64];
    uint32_t n;
};

/* BROADCAST(a, b), REPARTITION(3, c): between the hint's brackets, with or without
 * commas. */
static enum errc parse_hints(struct parser *p, struct hints *out)
{
    while (take_token(p, TOK_HINT)) {
        while (!take_token(p, TOK_HINT_END)) {
            const struct token *first = token_ahead(p, 0);
            struct expr_list l = { 0 };
            struct hint h = { 0 };

            TRY(parse_name(p, "a hint's name", &h.name));
            if (take_token(p, TOK_LPAREN)) {
                if (!at_token(p, TOK_RPAREN))
                    TRY(parse_exprs(p, &l));
                TRY(expect_token(p, TOK_RPAREN));
            }
            h.parameters = l.of;
            h.place = place_from(p, first);
            if (out->n == ARRAY_LEN(out->at))
                return fail_at(p, first, "more than %zu hints", ARRAY_LEN(out->at));
            out->at[out->n++] = h;
            (void)take_token(p, TOK_COMMA);
        }
    }
    return ERR_OK;
}

/* The first hint ends up outermost. */
static enum errc add_hints(struct parser *p, const struct hints *hints, uint32_t *height,
                           struct plan **io)
{
    for (uint32_t i = hints->n; i-- > 0;) {
        TRY(plan_upon(p, PLAN_HINT, *io, token_ahead(p, 0), height, io));
        (*io)->name = hints->at[i].name;
        (*io)->list = hints->at[i].parameters;
        (*io)->place = hints->at[i].place;
    }
    return ERR_OK;
}

static enum errc parse_filter(struct parser *p, bool having, uint32_t *height,
                              struct plan **io)
{
    const struct token *first = &p->tokens[p->at++];
    struct expr *condition;

    TRY(parse_expr(p, &condition));
    TRY(plan_upon(p, PLAN_FILTER, *io, first, height, io));
    (*io)->condition = condition;
    (*io)->having = having;
    return ERR_OK;
}

static enum errc parse_from_where(struct parser *p, uint32_t *height, struct plan **out)
{
    if (at_word(p, KW_FROM)) {
        TRY(parse_from(p, out));
    } else {
        *out = plan_new(p->arena, PLAN_ONE_ROW, 0);
        p->height = 1;
    }
    *height = p->height;
    if (at_word(p, KW_LATERAL))
        return fail_at(p, token_ahead(p, 0),
                       "LATERAL VIEW is not supported: there are no arrays and maps");
    if (at_word(p, KW_PIVOT) || at_word(p, KW_UNPIVOT))
        return fail_at(p, token_ahead(p, 0), "%s is not supported",
                       at_word(p, KW_PIVOT) ? "PIVOT" : "UNPIVOT");
    return at_word(p, KW_WHERE) ? parse_filter(p, false, height, out) : ERR_OK;
}

/* The list over what FROM and WHERE give: a projection, or an aggregate where GROUP BY
 * says so or HAVING stands alone (one group of all rows). */
static enum errc parse_list_over(struct parser *p, const struct expr_list *list,
                                 const struct token *first, uint32_t *height,
                                 struct plan **io)
{
    bool group = take_word(p, KW_GROUP);

    if (group)
        TRY(expect_word(p, KW_BY));
    if (!group && !at_word(p, KW_HAVING)) {
        TRY(plan_upon(p, PLAN_PROJECT, *io, first, height, io));
        (*io)->list = list->of;
        return ERR_OK;
    }
    TRY(plan_upon(p, PLAN_AGGREGATE, *io, first, height, io));
    (*io)->list = list->of;
    if (group)
        TRY(parse_group_by(p, *io));
    return at_word(p, KW_HAVING) ? parse_filter(p, true, height, io) : ERR_OK;
}

static enum errc parse_select(struct parser *p, struct plan **out)
{
    const struct token *first = &p->tokens[p->at++];
    uint32_t windows = p->n_windows, height;
    struct hints hints;
    struct expr_list list = { 0 };
    bool distinct;
    struct expr *e = NULL;

    hints.n = 0;
    TRY(parse_hints(p, &hints));
    distinct = take_word(p, KW_DISTINCT);
    if (!distinct)
        (void)take_word(p, KW_ALL);
    do {
        TRY(parse_named(p, &e));
        expr_list_add(p, &list, e);
    } while (take_token(p, TOK_COMMA));
    TRY(parse_from_where(p, &height, out));
    TRY(parse_list_over(p, &list, first, &height, out));
    if (distinct)
        TRY(plan_upon(p, PLAN_DISTINCT, *out, first, &height, out));
    if (at_word(p, KW_WINDOW))
        TRY(parse_window_clause(p, windows));
    TRY(add_hints(p, &hints, &height, out));
    p->height = height;
    return ERR_OK;
}

/* ---- ORDER BY, LIMIT ---- */

static enum errc parse_sort_item(struct parser *p, struct expr **out)
{
    const struct token *first = token_ahead(p, 0);
    struct expr *e, *order;

    TRY(parse_expr(p, &e));
    order = expr_new(p->arena, EXPR_SORT_ORDER, 1);
    order->args[0] = e;
    if (take_word(p, KW_DESC))
        order->descending = order->nulls_last = true;
    else
        (void)take_word(p, KW_ASC);
    if (take_word(p, KW_NULLS)) {
        order->nulls_last = at_word(p, KW_LAST);
        if (!take_word(p, KW_FIRST) && !take_word(p, KW_LAST))
            return fail_expected(p, "FIRST or LAST");
    }
    order->place = place_from(p, first);
    *out = order;
    return set_height(p, p->height + 1, first);
}

enum errc parse_sort_list(struct parser *p, struct expr_list *out)
{
    struct expr *e = NULL;

    do {
        TRY(parse_sort_item(p, &e));
        expr_list_add(p, out, e);
    } while (take_token(p, TOK_COMMA));
    return ERR_OK;
}

static enum errc parse_sort(struct parser *p, uint32_t *height, struct plan **io)
{
    const struct token *first = &p->tokens[p->at];
    bool global = at_word(p, KW_ORDER);
    struct expr_list l = { 0 };

    p->at += 2;
    TRY(parse_sort_list(p, &l));
    TRY(plan_upon(p, PLAN_SORT, *io, first, height, io));
    (*io)->order = l.of;
    (*io)->global = global;
    return ERR_OK;
}

/* DISTRIBUTE BY; CLUSTER BY sorts each partition, too. */
static enum errc parse_distribute(struct parser *p, uint32_t *height, struct plan **io)
{
    const struct token *first = &p->tokens[p->at];
    bool cluster = at_word(p, KW_CLUSTER);
    struct expr_list l = { 0 }, order = { 0 };

    p->at += 2;
    TRY(parse_exprs(p, &l));
    TRY(plan_upon(p, PLAN_REPARTITION_BY, *io, first, height, io));
    (*io)->keys = l.of;
    (*io)->shuffle = true;
    if (!cluster)
        return ERR_OK;
    for (uint32_t i = 0; i < l.of.n; i++) {
        struct expr *o = expr_new(p->arena, EXPR_SORT_ORDER, 1);

        o->args[0] = l.of.at[i];
        o->place = l.of.at[i]->place;
        expr_list_add(p, &order, o);
    }
    TRY(plan_upon(p, PLAN_SORT, *io, first, height, io));
    (*io)->order = order.of;
    return ERR_OK;
}

/* At ORDER and its like; BY must follow. */
static enum errc take_by(struct parser *p, enum keyword k, bool *taken)
{
    *taken = at_word(p, k);
    if (*taken && !ahead_word(p, 1, KW_BY)) {
        p->at++;
        return fail_expected(p, "BY");
    }
    return ERR_OK;
}

static enum errc parse_limit(struct parser *p, uint32_t *height, struct plan **io)
{
    const struct token *limit_at = token_ahead(p, 0), *offset_at;
    struct expr *limit = NULL, *offset = NULL;

    if (take_word(p, KW_LIMIT) && !take_word(p, KW_ALL))
        TRY(parse_expr(p, &limit));
    offset_at = token_ahead(p, 0);
    if (take_word(p, KW_OFFSET))
        TRY(parse_expr(p, &offset));
    if (offset) {
        TRY(plan_upon(p, PLAN_OFFSET, *io, offset_at, height, io));
        (*io)->limit = offset;
    }
    if (limit) {
        TRY(plan_upon(p, PLAN_LOCAL_LIMIT, *io, limit_at, height, io));
        (*io)->limit = limit;
        TRY(plan_upon(p, PLAN_GLOBAL_LIMIT, *io, limit_at, height, io));
        (*io)->limit = limit;
    }
    return ERR_OK;
}

static enum errc parse_organization(struct parser *p, uint32_t windows, uint32_t *height,
                                    struct plan **io)
{
    bool order, cluster, distribute, sort;

    TRY(take_by(p, KW_ORDER, &order));
    TRY(take_by(p, KW_CLUSTER, &cluster));
    TRY(take_by(p, KW_DISTRIBUTE, &distribute));
    if (cluster || distribute)
        TRY(parse_distribute(p, height, io));
    TRY(take_by(p, KW_SORT, &sort));
    if (order || (sort && !cluster))
        TRY(parse_sort(p, height, io));
    if (at_word(p, KW_WINDOW))
        TRY(parse_window_clause(p, windows));
    return parse_limit(p, height, io);
}

/* ---- set operations ---- */

static enum errc parse_term(struct parser *p, struct plan **out)
{
    const struct token *first = token_ahead(p, 0);
    struct sv *parts;
    uint32_t n;

    switch ((int)(first->kind == TOK_WORD ? first->keyword : KW_NONE)) {
    case KW_SELECT:
        return parse_select(p, out);
    case KW_VALUES:
        TRY(parse_values(p, out));
        return parse_values_alias(p, out);
    case KW_TABLE:
        p->at++;
        TRY(parse_qualified(p, "a table's name", &parts, &n));
        *out = plan_new(p->arena, PLAN_UNRESOLVED_RELATION, 0);
        (*out)->parts = parts;
        (*out)->n_parts = n;
        (*out)->place = place_from(p, first);
        p->height = 1;
        return ERR_OK;
    case KW_FROM:
        return fail_at(p, first,
                       "Hive's FROM ... SELECT is not supported: write SELECT first");
    default:
        break;
    }
    if (!take_token(p, TOK_LPAREN))
        return fail_expected(p, "SELECT, VALUES, TABLE or a query in parentheses");
    TRY(nest(p));
    TRY(parse_query(p, out));
    p->nesting--;
    return expect_token(p, TOK_RPAREN);
}

static struct plan *set_node(struct parser *p, enum plan_kind kind, bool all,
                             struct plan *const *terms, uint32_t n)
{
    struct plan *set = plan_new(p->arena, kind, n), *distinct;

    memcpy(set->children, terms, n * sizeof *terms);
    set->all = all || kind == PLAN_UNION;
    set->place = terms[0]->place;
    if (kind != PLAN_UNION || all)
        return set;
    distinct = plan_unary(p->arena, PLAN_DISTINCT, set);
    distinct->place = set->place;
    return distinct;
}

static void take_quantifier(struct parser *p, bool *all)
{
    *all = take_word(p, KW_ALL);
    if (!*all)
        (void)take_word(p, KW_DISTINCT);
}

static enum errc grow_set(struct parser *p, enum plan_kind kind, bool all,
                          const struct token *first, struct plan *right, uint32_t height,
                          struct plan **io)
{
    struct plan *terms[2] = { *io, right };
    uint32_t higher = height > p->height ? height : p->height;

    *io = set_node(p, kind, all, terms, 2);
    return set_height(p, higher + 1 + (kind == PLAN_UNION && !all), first);
}

static enum errc parse_intersect(struct parser *p, struct plan **out)
{
    const struct token *first = token_ahead(p, 0);
    struct plan *right;
    bool all;

    TRY(parse_term(p, out));
    while (take_word(p, KW_INTERSECT)) {
        uint32_t height = p->height;

        take_quantifier(p, &all);
        TRY(parse_term(p, &right));
        TRY(grow_set(p, PLAN_INTERSECT, all, first, right, height, out));
    }
    return ERR_OK;
}

/* A run of UNIONs of one kind: pairs, as Spark makes them, or one node where that would
 * become too high. */
enum { UNION_PAIRS = 100 };

static enum errc parse_union_run(struct parser *p, const struct token *first,
                                 struct plan **io)
{
    struct plan_list terms = { 0 };
    bool all, next_all;
    struct plan *right;

    plan_list_add(p, &terms, *io);
    p->at++;
    take_quantifier(p, &all);
    for (;;) {
        TRY(parse_intersect(p, &right));
        plan_list_add(p, &terms, right);
        next_all = ahead_word(p, 1, KW_ALL);
        if (!at_word(p, KW_UNION) || next_all != all)
            break;
        p->at++;
        take_quantifier(p, &all);
    }
    if (terms.n > UNION_PAIRS) {
        *io = set_node(p, PLAN_UNION, all, terms.at, terms.n);
        return set_height(p, terms.height + 2, first);
    }
    for (uint32_t i = 1; i < terms.n; i++) {
        struct plan *pair[2] = { *io, terms.at[i] };

        *io = set_node(p, PLAN_UNION, all, pair, 2);
    }
    return set_height(p, terms.height + (all ? 1 : 2) * (terms.n - 1), first);
}

static enum errc parse_union(struct parser *p, struct plan **out)
{
    const struct token *first = token_ahead(p, 0);
    struct plan *right;
    bool all;

    TRY(parse_intersect(p, out));
    for (;;) {
        uint32_t height = p->height;

        if (at_word(p, KW_UNION)) {
            TRY(parse_union_run(p, first, out));
            continue;
        }
        if (!take_word(p, KW_EXCEPT) && !take_word(p, KW_MINUS))
            return ERR_OK;
        take_quantifier(p, &all);
        TRY(parse_intersect(p, &right));
        TRY(grow_set(p, PLAN_EXCEPT, all, first, right, height, out));
    }
}

enum errc parse_query(struct parser *p, struct plan **out)
{
    uint32_t windows = p->n_windows, height;
    struct plan_list ctes = { 0 };

    if (at_word(p, KW_WITH))
        TRY(parse_ctes(p, &ctes));
    TRY(parse_union(p, out));
    height = p->height;
    TRY(parse_organization(p, windows, &height, out));
    p->height = height;
    *out = wrap_ctes(p, &ctes, *out);
    return ERR_OK;
}
