/* FROM: relations, joins, samples.
 *
 * As in Spark's AstBuilder a comma is an inner join without condition that is made before
 * the explicit joins of the relation behind it: FROM a, b JOIN c is (a, b) JOIN c. */
#include "engine/sql/parser.h"

#include <stdlib.h>

static enum errc parse_relation(struct parser *p, struct plan *left, struct plan **out);

/* ---- aliases and samples ---- */

static enum errc parse_alias(struct parser *p, struct plan **io)
{
    const struct token *first = token_ahead(p, 0);
    bool as = take_word(p, KW_AS);
    struct sv_list columns = { 0 };
    struct sv name = { 0 };

    if (!as && !at_table_alias(p))
        return ERR_OK;
    if (!as && at_token(p, TOK_WORD))
        p->alias_at = p->at + 1;
    TRY(parse_name(p, "an alias", &name));
    if (at_token(p, TOK_LPAREN))
        TRY(parse_name_list(p, &columns));
    TRY(plan_over(p, PLAN_SUBQUERY_ALIAS, *io, first, io));
    (*io)->name = name;
    (*io)->columns = columns.at;
    (*io)->n_columns = columns.n;
    return ERR_OK;
}

static enum errc make_sample(struct parser *p, const struct token *first, double fraction,
                             struct plan **io)
{
    if (!(fraction >= 0 && fraction <= 1))
        return fail_at(p, first, "Sampling fraction (%g) must be on interval [0, 1]",
                       fraction);
    TRY(plan_over(p, PLAN_SAMPLE, *io, first, io));
    (*io)->lower = 0;
    (*io)->upper = fraction;
    return ERR_OK;
}

static enum errc sample_rows(struct parser *p, const struct token *first, int64_t rows,
                             struct plan **io)
{
    struct expr *limit = rows == (int32_t)rows
                             ? expr_literal(p->arena, value_int((int32_t)rows))
                             : expr_literal(p->arena, value_long(rows));

    limit->place = first->place;
    TRY(plan_over(p, PLAN_LOCAL_LIMIT, *io, first, io));
    (*io)->limit = limit;
    TRY(plan_over(p, PLAN_GLOBAL_LIMIT, *io, first, io));
    (*io)->limit = limit;
    return ERR_OK;
}

/* (10 PERCENT), (5 ROWS), (BUCKET 1 OUT OF 10) */
static enum errc parse_sample_size(struct parser *p, const struct token *first,
                                   struct plan **io)
{
    int64_t x, y;
    bool minus;
    double number;

    if (take_word(p, KW_BUCKET)) {
        TRY(parse_count(p, "a number", &x));
        TRY(expect_word(p, KW_OUT));
        TRY(expect_word(p, KW_OF));
        TRY(parse_count(p, "a number", &y));
        if (y == 0)
            return fail_at(p, first, "BUCKET x OUT OF 0");
        return make_sample(p, first, (double)x / (double)y, io);
    }
    minus = take_token(p, TOK_MINUS);
    if (!at_token(p, TOK_INTEGER) && !at_token(p, TOK_DECIMAL))
        return fail_expected(p, "a number with PERCENT or ROWS");
    struct sv text = token_text(p, token_ahead(p, 0));
    number = strtod(arena_sv(p->arena, text).p, NULL) * (minus ? -1 : 1);
    p->at++;
    if (take_word(p, KW_PERCENT))
        return make_sample(p, first, number / 100, io);
    TRY(expect_word(p, KW_ROWS));
    if (!sv_i64(text, &x) || minus)
        return fail_at(p, first, "rows of a sample are counted in whole numbers");
    return sample_rows(p, first, x, io);
}

static enum errc parse_sample(struct parser *p, struct plan **io)
{
    const struct token *first = token_ahead(p, 0);
    int64_t seed;

    if (!take_word(p, KW_TABLESAMPLE))
        return ERR_OK;
    TRY(expect_token(p, TOK_LPAREN));
    TRY(parse_sample_size(p, first, io));
    TRY(expect_token(p, TOK_RPAREN));
    if (take_word(p, KW_REPEATABLE)) {
        TRY(expect_token(p, TOK_LPAREN));
        TRY(parse_count(p, "a seed", &seed));
        (*io)->seed = seed;
        TRY(expect_token(p, TOK_RPAREN));
    }
    return ERR_OK;
}

/* ---- one relation ---- */

/* range(10): the only function that yields a table here. */
static enum errc parse_table_function(struct parser *p, struct plan **out)
{
    const struct token *first = &p->tokens[p->at];
    struct expr_list l = { 0 };
    struct sv name = strip_quotes(p, first);

    if (!sv_same_word(name, "range"))
        return fail_at(
            p, first,
            "[UNRESOLVABLE_TABLE_VALUED_FUNCTION] Could not resolve `%.*s` to a "
            "table-valued function: range is the one there is.",
            SV_FMT(name));
    p->at += 2;
    if (!at_token(p, TOK_RPAREN))
        TRY(parse_exprs(p, &l));
    TRY(expect_token(p, TOK_RPAREN));
    if (l.of.n < 1 || l.of.n > 4)
        return fail_at(p, first,
                       "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] range takes 1 to 4 arguments: "
                       "(end), (start, end), (start, end, step), (start, end, step, "
                       "partitions); %u were given",
                       l.of.n);
    *out = plan_new(p->arena, PLAN_UNRESOLVED_FUNCTION, 0);
    (*out)->name = name;
    (*out)->list = l.of;
    (*out)->place = place_from(p, first);
    p->height = 1;
    return parse_alias(p, out);
}

/* A sample is written before the alias of a table, and taken above it. */
static enum errc parse_sampled_alias(struct parser *p, struct plan **io)
{
    struct plan *table = *io, *bottom, *alias = table;

    TRY(parse_sample(p, io));
    if (*io == table)
        return parse_alias(p, io);
    for (bottom = *io; bottom->children[0] != table;)
        bottom = bottom->children[0];
    TRY(parse_alias(p, &alias));
    bottom->children[0] = alias;
    return ERR_OK;
}

static enum errc parse_named_relation(struct parser *p, struct plan **out)
{
    const struct token *first = token_ahead(p, 0);
    struct sv *parts;
    uint32_t n;

    if (ahead_is(p, 1, TOK_LPAREN))
        return parse_table_function(p, out);
    TRY(parse_qualified(p, "a table's name", &parts, &n));
    *out = plan_new(p->arena, PLAN_UNRESOLVED_RELATION, 0);
    (*out)->parts = parts;
    (*out)->n_parts = n;
    (*out)->place = place_from(p, first);
    p->height = 1;
    return parse_sampled_alias(p, out);
}

/* A query without alias gets Spark's name for it. */
static enum errc parse_derived(struct parser *p, struct plan **out)
{
    const struct token *first = &p->tokens[p->at++];
    struct plan *before;

    TRY(nest(p));
    TRY(parse_query(p, out));
    p->nesting--;
    TRY(expect_token(p, TOK_RPAREN));
    TRY(parse_sample(p, out));
    before = *out;
    TRY(parse_alias(p, out));
    if (*out != before)
        return ERR_OK;
    TRY(plan_over(p, PLAN_SUBQUERY_ALIAS, *out, first, out));
    (*out)->name = SV("__auto_generated_subquery_name");
    return ERR_OK;
}

static enum errc parse_bracketed(struct parser *p, struct plan **out)
{
    p->at++;
    TRY(nest(p));
    TRY(parse_relation(p, NULL, out));
    p->nesting--;
    TRY(expect_token(p, TOK_RPAREN));
    TRY(parse_sample(p, out));
    return parse_alias(p, out);
}

static enum errc parse_inline_table(struct parser *p, struct plan **out)
{
    struct plan *values;

    TRY(parse_values(p, out));
    values = *out;
    TRY(parse_alias(p, out));
    if (*out == values || !(*out)->n_columns)
        return ERR_OK;
    if ((*out)->n_columns != values->projections[0].n) {
        p->error_at = (*out)->place;
        return err_set(
            p->err, ERR_SYNTAX,
            "[INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH] Number of aliases must "
            "match the number of fields in an inline table: %u names for %u "
            "columns",
            (*out)->n_columns, values->projections[0].n);
    }
    values->parts =
        (*out)->columns; /* the columns' own names, not aliases of col1, col2 */
    values->n_parts = (*out)->n_columns;
    (*out)->columns = NULL;
    (*out)->n_columns = 0;
    return ERR_OK;
}

static enum errc parse_relation_primary(struct parser *p, struct plan **out)
{
    const struct token *t = token_ahead(p, 0);

    if (t->kind == TOK_LPAREN)
        return at_subquery(p, 0) ? parse_derived(p, out) : parse_bracketed(p, out);
    if (at_word(p, KW_VALUES) && !ahead_is(p, 1, TOK_DOT))
        return parse_inline_table(p, out);
    if (at_word(p, KW_LATERAL))
        return fail_at(p, t, "LATERAL subqueries are not supported");
    if (t->kind == TOK_WORD && !word_is_column(t->keyword))
        return fail_expected(p, "a table, a view or a query in parentheses");
    return parse_named_relation(p, out);
}

/* ---- joins ---- */

/* The words before JOIN; false: no join here. Left and right need the word JOIN behind
 * them, or they are names. */
static bool take_join(struct parser *p, enum join_type *type, bool *natural)
{
    uint32_t at = p->at;

    *natural = take_word(p, KW_NATURAL);
    *type = JOIN_INNER;
    if (take_word(p, KW_CROSS)) {
        *type = JOIN_CROSS;
    } else if (take_word(p, KW_LEFT)) {
        *type = take_word(p, KW_SEMI)   ? JOIN_SEMI
                : take_word(p, KW_ANTI) ? JOIN_ANTI
                                        : JOIN_LEFT;
        if (*type == JOIN_LEFT)
            (void)take_word(p, KW_OUTER);
    } else if (take_word(p, KW_RIGHT)) {
        *type = JOIN_RIGHT;
        (void)take_word(p, KW_OUTER);
    } else if (take_word(p, KW_FULL)) {
        *type = JOIN_FULL;
        (void)take_word(p, KW_OUTER);
    } else if (take_word(p, KW_SEMI)) {
        *type = JOIN_SEMI;
    } else if (take_word(p, KW_ANTI)) {
        *type = JOIN_ANTI;
    } else {
        (void)take_word(p, KW_INNER);
    }
    if (take_word(p, KW_JOIN))
        return true;
    p->at = at;
    return false;
}

static enum errc make_join(struct parser *p, enum join_type type, struct plan *left,
                           uint32_t left_height, struct plan *right,
                           const struct token *first, struct plan **out)
{
    struct plan *join = plan_new(p->arena, PLAN_JOIN, 2);

    join->children[0] = left;
    join->children[1] = right;
    join->join_type = type;
    join->place = place_from(p, first);
    *out = join;
    return set_height(p, (left_height > p->height ? left_height : p->height) + 1, first);
}

static enum errc parse_criteria(struct parser *p, struct plan *join)
{
    uint32_t height = p->height;

    if (take_word(p, KW_ON)) {
        TRY(parse_expr(p, &join->condition));
        p->height = height;
    } else if (take_word(p, KW_USING)) {
        struct sv_list columns = { 0 };

        TRY(parse_name_list(p, &columns));
        join->using_columns = columns.at;
        join->n_using = columns.n;
    }
    return ERR_OK;
}

static enum errc parse_joins(struct parser *p, struct plan **io)
{
    enum join_type type;
    bool natural;

    for (;;) {
        const struct token *first = token_ahead(p, 0);
        uint32_t height = p->height;
        struct plan *right;

        if (!take_join(p, &type, &natural))
            return ERR_OK;
        if (natural && type == JOIN_CROSS)
            return fail_at(
                p, first,
                "[INCOMPATIBLE_JOIN_TYPES] The join types NATURAL and CROSS are "
                "incompatible.");
        TRY(parse_relation_primary(p, &right));
        TRY(make_join(p, type, *io, height, right, first, io));
        (*io)->natural = natural;
        if (!natural)
            TRY(parse_criteria(p, *io));
        else if (at_word(p, KW_ON) || at_word(p, KW_USING))
            return fail_at(p, token_ahead(p, 0), "a NATURAL JOIN takes no condition");
    }
}

/* A relation with its joins; left (or NULL) stands before it, behind a comma. */
static enum errc parse_relation(struct parser *p, struct plan *left, struct plan **out)
{
    const struct token *first = token_ahead(p, 0);
    uint32_t height = p->height;
    struct plan *right;

    TRY(parse_relation_primary(p, &right));
    if (left)
        TRY(make_join(p, JOIN_INNER, left, height, right, first, out));
    else
        *out = right;
    return parse_joins(p, out);
}

enum errc parse_from(struct parser *p, struct plan **out)
{
    struct plan *left = NULL;

    p->at++;
    do {
        TRY(parse_relation(p, left, out));
        left = *out;
    } while (take_token(p, TOK_COMMA));
    return ERR_OK;
}
