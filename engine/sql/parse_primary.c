/* What stands between operators: literals, columns, calls, CASE, CAST, brackets, and the
 * functions whose arguments are words (EXTRACT, TRIM, SUBSTRING, ...), which become plain
 * calls as Spark's parser makes them.
 *
 * Not handled: fields of structs, elements of arrays and maps, lambdas. */
#include "engine/sql/parser.h"

/* ---- types ---- */

static bool has_numbers(struct sv word)
{
    static const char *const words[] = { "decimal", "dec",       "numeric",
                                         "char",    "character", "varchar" };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (sv_same_word(word, words[i]))
            return true;
    return false;
}

/* The type's text is found here, read by type_parse. */
enum errc parse_type(struct parser *p, struct type *out)
{
    const struct token *first = token_ahead(p, 0);
    struct place place;
    struct sv text;

    if (!at_token(p, TOK_WORD))
        return fail_expected(p, "a type");
    p->at++;
    if (first->keyword == KW_INTERVAL) {
        if (at_token(p, TOK_WORD) && !at_word(p, KW_AS))
            p->at++;
        if (take_word(p, KW_TO))
            p->at += at_token(p, TOK_WORD);
    } else if (at_token(p, TOK_LPAREN) && has_numbers(token_text(p, first))) {
        do
            p->at++;
        while (at_token(p, TOK_INTEGER) || at_token(p, TOK_COMMA));
        TRY(expect_token(p, TOK_RPAREN));
    }
    if (at_token(p, TOK_LT))
        return fail_at(p, first,
                       "the type %.*s is not supported: columns hold single values",
                       SV_FMT(token_text(p, first)));
    place = place_from(p, first);
    text = (struct sv){ p->text.p + place.offset, place.length };
    if (type_parse(text, out, p->err) != ERR_OK) {
        p->error_at = place;
        return p->err->code;
    }
    return ERR_OK;
}

static enum errc parse_cast(struct parser *p, struct expr **out)
{
    const struct token *first = &p->tokens[p->at];
    struct type type;
    struct expr *e = NULL;

    p->at += 2;
    TRY(parse_expr(p, &e));
    TRY(expect_word(p, KW_AS));
    TRY(parse_type(p, &type));
    TRY(expect_token(p, TOK_RPAREN));
    *out = expr_cast(p->arena, e, type);
    (*out)->try_cast = first->keyword == KW_TRY_CAST;
    (*out)->place = place_from(p, first);
    return set_height(p, p->height + 1, first);
}

/* ---- CASE ---- */

/* CASE x WHEN 1 is CASE WHEN x = 1. */
static enum errc parse_case(struct parser *p, struct expr **out)
{
    const struct token *first = &p->tokens[p->at++];
    struct expr *subject = NULL, *e;
    struct expr_list l = { 0 };
    uint32_t subject_height = 0;

    if (!at_word(p, KW_WHEN)) {
        TRY(parse_expr(p, &subject));
        subject_height = p->height;
    }
    do {
        const struct token *when = token_ahead(p, 0);

        TRY(expect_word(p, KW_WHEN));
        TRY(parse_expr(p, &e));
        if (subject) {
            e = function2(p, "=", when + 1, subject, e);
            p->height = (p->height > subject_height ? p->height : subject_height) + 1;
        }
        expr_list_add(p, &l, e);
        TRY(expect_word(p, KW_THEN));
        TRY(parse_expr(p, &e));
        expr_list_add(p, &l, e);
    } while (at_word(p, KW_WHEN));
    if (take_word(p, KW_ELSE)) {
        TRY(parse_expr(p, &e));
        expr_list_add(p, &l, e);
    }
    if (!take_word(p, KW_END))
        return fail_expected(p, "WHEN, ELSE or END of the CASE");
    *out = expr_new(p->arena, EXPR_CASE, l.of.n);
    memcpy((*out)->args, l.of.at, l.of.n * sizeof *l.of.at);
    (*out)->place = place_from(p, first);
    return set_height(p, l.height + 1, first);
}

/* ---- functions whose arguments are words ---- */

static enum errc add_value(struct parser *p, struct expr_list *l)
{
    struct expr *e = NULL;

    TRY(parse_expr(p, &e));
    expr_list_add(p, l, e);
    return ERR_OK;
}

static enum errc close_call(struct parser *p, const char *name, const struct token *first,
                            const struct expr_list *l, struct expr **out)
{
    TRY(expect_token(p, TOK_RPAREN));
    return make_function(p, name, first, l, out);
}

/* EXTRACT(YEAR FROM x) */
static enum errc parse_extract(struct parser *p, struct expr **out)
{
    const struct token *first = &p->tokens[p->at], *field;
    struct expr_list l = { 0 };
    struct sv name = { 0 };

    p->at += 2;
    field = token_ahead(p, 0);
    if (at_token(p, TOK_STRING))
        TRY(parse_text(p, "a field", &name));
    else
        TRY(parse_name(p, "a field such as YEAR", &name));
    expr_list_add(p, &l, text_literal(p, name, field));
    TRY(expect_word(p, KW_FROM));
    TRY(add_value(p, &l));
    return close_call(p, "extract", first, &l, out);
}

/* SUBSTRING(x FROM a FOR b), or with commas. */
static enum errc parse_substring(struct parser *p, struct expr **out)
{
    const struct token *first = &p->tokens[p->at];
    struct expr_list l = { 0 };

    p->at += 2;
    TRY(add_value(p, &l));
    if (take_word(p, KW_FROM)) {
        TRY(add_value(p, &l));
        if (take_word(p, KW_FOR))
            TRY(add_value(p, &l));
    } else {
        while (take_token(p, TOK_COMMA))
            TRY(add_value(p, &l));
    }
    return close_call(p, first->keyword == KW_SUBSTR ? "substr" : "substring", first, &l,
                      out);
}

/* POSITION(a IN b), or with commas. */
static enum errc parse_position(struct parser *p, struct expr **out)
{
    const struct token *first = &p->tokens[p->at];
    struct expr_list l = { 0 };
    const char *name = "position";
    struct expr *e = NULL;

    p->at += 2;
    TRY(parse_value(p, &e));
    expr_list_add(p, &l, e);
    if (take_word(p, KW_IN)) {
        name = "locate";
        TRY(parse_value(p, &e));
        expr_list_add(p, &l, e);
    } else {
        while (take_token(p, TOK_COMMA))
            TRY(add_value(p, &l));
    }
    return close_call(p, name, first, &l, out);
}

/* TRIM([BOTH | LEADING | TRAILING] [x] FROM y); what is cut comes first in the call. */
static enum errc parse_trim(struct parser *p, struct expr **out)
{
    const struct token *first = &p->tokens[p->at];
    struct expr_list l = { 0 };
    const char *name = "trim";
    bool sided = true;

    p->at += 2;
    if (take_word(p, KW_LEADING))
        name = "ltrim";
    else if (take_word(p, KW_TRAILING))
        name = "rtrim";
    else
        sided = take_word(p, KW_BOTH);
    if (!at_word(p, KW_FROM))
        TRY(add_value(p, &l));
    if (take_word(p, KW_FROM)) {
        TRY(add_value(p, &l));
    } else if (sided) {
        return fail_expected(p, "FROM");
    } else {
        while (take_token(p, TOK_COMMA))
            TRY(add_value(p, &l));
    }
    return close_call(p, name, first, &l, out);
}

/* OVERLAY(a PLACING b FROM c [FOR d]), or with commas. */
static enum errc parse_overlay(struct parser *p, struct expr **out)
{
    const struct token *first = &p->tokens[p->at];
    struct expr_list l = { 0 };

    p->at += 2;
    TRY(add_value(p, &l));
    if (take_word(p, KW_PLACING)) {
        TRY(add_value(p, &l));
        TRY(expect_word(p, KW_FROM));
        TRY(add_value(p, &l));
        if (take_word(p, KW_FOR))
            TRY(add_value(p, &l));
    } else {
        while (take_token(p, TOK_COMMA))
            TRY(add_value(p, &l));
    }
    return close_call(p, "overlay", first, &l, out);
}

/* By the commas between a parenthesis and its other end. */
static uint32_t n_arguments(const struct parser *p, const struct token *open)
{
    uint32_t n = 1;

    for (const struct token *t = open + 1; t < &p->tokens[open->match]; t++)
        if (t->kind == TOK_LPAREN && t->match)
            t = &p->tokens[t->match];
        else
            n += t->kind == TOK_COMMA;
    return n;
}

/* TIMESTAMPADD(HOUR, 1, t): the unit is a word. DATE_ADD(d, 1) is a plain call, also of a
 * column that is named like a unit. */
static const char *unit_function(const struct parser *p, const struct token *t)
{
    static const char *const units[] = { "year",   "quarter",     "month",      "week",
                                         "day",    "dayofyear",   "hour",       "minute",
                                         "second", "millisecond", "microsecond" };
    static const struct {
        const char *name, *function;
    } names[] = {
        { "timestampadd", "timestampadd" }, { "dateadd", "timestampadd" },
        { "date_add", "timestampadd" },     { "timestampdiff", "timestampdiff" },
        { "datediff", "timestampdiff" },    { "date_diff", "timestampdiff" },
    };

    if (t[1].kind != TOK_LPAREN || n_arguments(p, t + 1) != 3)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (token_is(p, t, names[i].name))
            for (size_t j = 0; j < ARRAY_LEN(units); j++)
                if (token_is(p, t + 2, units[j]) && t[3].kind == TOK_COMMA)
                    return names[i].function;
    return NULL;
}

static enum errc parse_unit_function(struct parser *p, const char *name,
                                     struct expr **out)
{
    const struct token *first = &p->tokens[p->at];
    struct expr_list l = { 0 };

    p->at += 3;
    expr_list_add(p, &l, text_literal(p, token_text(p, first + 2), first + 2));
    while (take_token(p, TOK_COMMA))
        TRY(add_value(p, &l));
    return close_call(p, name, first, &l, out);
}

/* ---- calls ---- */

static bool named(const struct expr *e, const char *name)
{
    return e->n_parts == 1 && sv_same_word(e->parts[0], name);
}

static bool wants_nulls_flag(const struct expr *e)
{
    static const char *const names[] = { "first", "first_value", "last", "last_value",
                                         "any_value" };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (named(e, names[i]))
            return true;
    return false;
}

/* IGNORE NULLS: the second argument of first() and its like, a mark on all others. */
static enum errc ignore_nulls(struct parser *p, struct expr *e)
{
    struct expr **args;

    if (take_words(p, KW_RESPECT, KW_NULLS))
        return ERR_OK;
    if (!take_words(p, KW_IGNORE, KW_NULLS))
        return ERR_OK;
    if (!wants_nulls_flag(e) || e->n_args != 1) {
        e->ignore_nulls = true;
        return ERR_OK;
    }
    args = arena_array(p->arena, 2, sizeof *args);
    args[0] = e->args[0];
    args[1] = expr_literal(p->arena, value_bool(true));
    e->args = args;
    e->n_args = 2;
    return ERR_OK;
}

static enum errc parse_filter(struct parser *p, struct expr *e)
{
    uint32_t height = p->height;

    if (!at_word(p, KW_FILTER) || !ahead_is(p, 1, TOK_LPAREN))
        return ERR_OK;
    p->at += 2;
    TRY(expect_word(p, KW_WHERE));
    TRY(parse_expr(p, &e->filter));
    p->height = height > p->height + 1 ? height : p->height + 1;
    return expect_token(p, TOK_RPAREN);
}

/* COUNT(*) is COUNT(1), as Spark's parser has it. */
static struct expr *count_star(struct parser *p, struct expr *e)
{
    struct expr *one = expr_literal(p->arena, value_int(1));

    one->place = e->args[0]->place;
    e->args[0] = one;
    return e;
}

static enum errc parse_arguments(struct parser *p, struct expr *e, uint32_t *height)
{
    struct expr_list l = { 0 };

    if (take_word(p, KW_DISTINCT))
        e->distinct = true;
    else
        (void)take_word(p, KW_ALL);
    if (!at_token(p, TOK_RPAREN))
        TRY(parse_exprs(p, &l));
    e->args = l.of.at;
    e->n_args = l.of.n;
    *height = l.height;
    return ERR_OK;
}

static enum errc parse_call(struct parser *p, const struct token *first, struct sv *parts,
                            uint32_t n, struct expr **out)
{
    struct expr *e = expr_new(p->arena, EXPR_FUNCTION, 0);
    uint32_t height;

    p->at++; /* the parenthesis */
    e->parts = parts;
    e->n_parts = n;
    TRY(parse_arguments(p, e, &height));
    TRY(ignore_nulls(p, e));
    TRY(expect_token(p, TOK_RPAREN));
    e->place = place_from(p, first);
    if (e->n_args == 1 && e->args[0]->kind == EXPR_STAR && !e->args[0]->n_parts &&
        named(e, "count") && !e->distinct)
        e = count_star(p, e);
    TRY(set_height(p, height + 1, first));
    if (at_word(p, KW_WITHIN) && ahead_word(p, 1, KW_GROUP))
        return fail_at(p, token_ahead(p, 0), "WITHIN GROUP is not supported");
    TRY(parse_filter(p, e));
    TRY(ignore_nulls(p, e));
    *out = e;
    if (at_word(p, KW_OVER))
        return parse_over(p, first, e, out);
    return ERR_OK;
}

/* ---- names ---- */

static enum errc parse_column(struct parser *p, struct expr **out)
{
    const struct token *first = token_ahead(p, 0);
    struct sv_list parts = { 0 };
    struct sv part = { 0 };

    if (first->kind == TOK_WORD && !word_is_column(first->keyword) &&
        !(ahead_is(p, 1, TOK_LPAREN) && !at_subquery(p, 1) && first->keyword == KW_LIKE))
        return fail_expected(p, "an expression");
    do {
        if (parts.n && at_token(p, TOK_STAR)) {
            p->at++;
            *out = expr_new(p->arena, EXPR_STAR, 0);
            goto named;
        }
        TRY(parse_name(p, "a name", &part));
        sv_list_add(p, &parts, part);
    } while (take_token(p, TOK_DOT));
    if (at_token(p, TOK_LPAREN))
        return parse_call(p, first, parts.at, parts.n, out);
    *out = expr_new(p->arena, EXPR_NAME, 0);
named:
    (*out)->parts = parts.at;
    (*out)->n_parts = parts.n;
    (*out)->place = place_from(p, first);
    p->height = 1;
    return ERR_OK;
}

/* ---- brackets ---- */

static enum errc parse_scalar_subquery(struct parser *p, struct expr **out)
{
    const struct token *first = &p->tokens[p->at++];
    struct plan *plan;

    TRY(nest(p));
    TRY(parse_query(p, &plan));
    p->nesting--;
    TRY(expect_token(p, TOK_RPAREN));
    *out = expr_new(p->arena, EXPR_SCALAR_SUBQUERY, 0);
    (*out)->plan = plan;
    (*out)->place = place_from(p, first);
    return set_height(p, p->height + 1, first);
}

/* (a) is a; (a, b) is a row, which IN, VALUES and GROUP BY take. */
static enum errc parse_brackets(struct parser *p, struct expr **out)
{
    const struct token *first = &p->tokens[p->at];
    struct expr_list l = { 0 };

    if (at_subquery(p, 0))
        return parse_scalar_subquery(p, out);
    p->at++;
    TRY(parse_exprs(p, &l));
    TRY(expect_token(p, TOK_RPAREN));
    if (l.of.n > 1)
        return make_function(p, "struct", first, &l, out);
    *out = l.of.at[0];
    return ERR_OK;
}

/* ---- one of all these ---- */

static enum errc constant(struct parser *p, struct value v, struct expr **out)
{
    const struct token *first = &p->tokens[p->at++];

    *out = expr_literal(p->arena, v);
    (*out)->place = place_from(p, first);
    p->height = 1;
    return ERR_OK;
}

/* A keyword with a parenthesis behind it. */
static enum errc parse_keyword_call(struct parser *p, enum keyword k, struct expr **out)
{
    const char *unit = unit_function(p, token_ahead(p, 0));

    if (unit)
        return parse_unit_function(p, unit, out);
    if (ahead_is(p, 2, TOK_RPAREN))
        return parse_column(p,
                            out); /* no arguments: analysis says how many there must be */
    switch ((int)k) {
    case KW_CAST:
    case KW_TRY_CAST:
        return parse_cast(p, out);
    case KW_EXTRACT:
        return parse_extract(p, out);
    case KW_SUBSTRING:
    case KW_SUBSTR:
        return parse_substring(p, out);
    case KW_POSITION:
        return parse_position(p, out);
    case KW_TRIM:
        return parse_trim(p, out);
    case KW_OVERLAY:
        return parse_overlay(p, out);
    default:
        return parse_column(p, out);
    }
}

static enum errc parse_word(struct parser *p, struct expr **out)
{
    const struct token *t = token_ahead(p, 0);

    if (t->keyword == KW_NULL)
        return constant(p, value_null(type_of(TYPE_NULL)), out);
    if (t->keyword == KW_TRUE || t->keyword == KW_FALSE)
        return constant(p, value_bool(t->keyword == KW_TRUE), out);
    if (t->keyword == KW_CASE && !ahead_is(p, 1, TOK_DOT) && !ahead_is(p, 1, TOK_COMMA))
        return parse_case(p, out);
    if (at_interval(p))
        return parse_interval(p, out);
    if (ahead_is(p, 1, TOK_STRING) && word_is_column(t->keyword))
        return parse_typed_text(p, out);
    if (ahead_is(p, 1, TOK_LPAREN))
        return parse_keyword_call(p, t->keyword, out);
    return parse_column(p, out);
}

static enum errc parse_plain(struct parser *p, struct expr **out)
{
    const struct token *t = token_ahead(p, 0);
    struct sv text;

    if (at_number(p, 0))
        return parse_number(p, false, out);
    switch ((int)t->kind) {
    case TOK_STRING:
        TRY(parse_text(p, "a string", &text));
        *out = text_literal(p, text, t);
        return ERR_OK;
    case TOK_LPAREN:
        return parse_brackets(p, out);
    case TOK_STAR:
        p->at++;
        *out = expr_new(p->arena, EXPR_STAR, 0);
        (*out)->place = t->place;
        p->height = 1;
        return ERR_OK;
    case TOK_WORD:
        return parse_word(p, out);
    case TOK_QUOTED:
        return parse_column(p, out);
    default:
        return fail_expected(p, "an expression");
    }
}

enum errc parse_primary(struct parser *p, struct expr **out)
{
    const struct token *first = token_ahead(p, 0);
    struct type type;

    TRY(parse_plain(p, out));
    while (take_token(p, TOK_CAST)) { /* Spark 4's way to write a cast */
        TRY(parse_type(p, &type));
        *out = expr_cast(p->arena, *out, type);
        (*out)->place = place_from(p, first);
        TRY(set_height(p, p->height + 1, first));
    }
    if (at_token(p, TOK_LBRACKET))
        return fail_at(p, token_ahead(p, 0),
                       "elements of arrays and maps are not supported");
    if (at_token(p, TOK_DOT) && first->kind == TOK_LPAREN)
        return fail_at(p, token_ahead(p, 0), "fields of structs are not supported");
    return ERR_OK;
}
