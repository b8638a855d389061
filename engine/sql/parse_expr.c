/* Operators and predicates, by precedence:
 *
 *   OR < AND < NOT < predicates (BETWEEN, IN, LIKE, IS) < comparison < | < ^ < &
 *      < + - || < * / % DIV < unary - + ~ < what parse_primary.c reads
 *
 * Comparisons belong to the operands of predicates: a = b IS NULL is (a = b) IS NULL, as
 * in Spark's grammar. What comes out are Spark's shapes: != is NOT(=), BETWEEN two
 * comparisons, IS TRUE a null-safe comparison. */
#include "engine/sql/parser.h"

static struct expr *call(struct parser *p, const char *name, const struct token *first,
                         struct expr *a)
{
    p->height++;
    return function1(p, name, first, a);
}

static struct expr *negated(struct parser *p, bool not, const struct token *first,
                            struct expr *e)
{
    return not ? call(p, "not", first, e) : e;
}

/* ---- AND, OR: chains become balanced trees ---- */

static struct expr *balanced(struct parser *p, const char *name,
                             const struct token *first, struct expr **list, uint32_t n)
{
    uint32_t half =
        (n - 1) / 2 + 1; /* where Spark cuts: low + (high - low) / 2, included */
    struct expr *left, *right, *both;

    if (n == 1)
        return list[0];
    left = balanced(p, name, first, list, half);
    right = balanced(p, name, first, list + half, n - half);
    both = function2(p, name, first, left, right);
    both->place = left->place;
    both->place.length = right->place.offset + right->place.length - left->place.offset;
    return both;
}

static enum errc join_chain(struct parser *p, const char *name, const struct token *first,
                            const struct expr_list *l, struct expr **out)
{
    uint32_t levels = 0;

    for (uint32_t n = l->of.n; n > 1; n = (n + 1) / 2)
        levels++;
    TRY(set_height(p, l->height + levels, first));
    *out = balanced(p, name, first, l->of.at, l->of.n);
    return ERR_OK;
}

static enum errc parse_not(struct parser *p, struct expr **out);

static enum errc parse_and(struct parser *p, struct expr **out)
{
    const struct token *first = token_ahead(p, 0);
    struct expr_list l = { 0 };
    struct expr *e = NULL;

    do {
        TRY(parse_not(p, &e));
        expr_list_add(p, &l, e);
    } while (take_word(p, KW_AND));
    return join_chain(p, "and", first, &l, out);
}

enum errc parse_expr(struct parser *p, struct expr **out)
{
    const struct token *first = token_ahead(p, 0);
    struct expr_list l = { 0 };
    struct expr *e = NULL;

    TRY(nest(p));
    do {
        TRY(parse_and(p, &e));
        expr_list_add(p, &l, e);
    } while (take_word(p, KW_OR));
    p->nesting--;
    return join_chain(p, "or", first, &l, out);
}

enum errc parse_exprs(struct parser *p, struct expr_list *out)
{
    struct expr *e = NULL;

    do {
        TRY(parse_expr(p, &e));
        expr_list_add(p, out, e);
    } while (take_token(p, TOK_COMMA));
    return ERR_OK;
}

/* ---- predicates ---- */

static enum errc parse_between(struct parser *p, const struct token *first,
                               struct expr *e, struct expr **out)
{
    struct expr_list l = { 0 };
    struct expr *low, *high;

    expr_list_add(p, &l, e);
    TRY(parse_value(p, &low));
    expr_list_add(p, &l, low);
    TRY(expect_word(p, KW_AND));
    TRY(parse_value(p, &high));
    expr_list_add(p, &l, high);
    *out = function2(p, "and", first, function2(p, ">=", first, e, low),
                     function2(p, "<=", first, e, high));
    return set_height(p, l.height + 2, first);
}

static bool is_row(const struct expr *e)
{
    return e->kind == EXPR_FUNCTION && sv_is(e->parts[0], "struct");
}

/* (a, b) IN ((1, 2), ...): rows are equal where all their fields are, NULL equal to NULL;
 * so each is a chain of null-safe comparisons. */
static enum errc rows_in(struct parser *p, const struct token *first,
                         const struct expr *row, const struct expr_list *l,
                         struct expr **out)
{
    struct expr **any = arena_array(p->arena, l->of.n, sizeof(struct expr *));

    for (uint32_t i = 1; i < l->of.n; i++) {
        const struct expr *other = l->of.at[i];
        struct expr **all = arena_array(p->arena, row->n_args, sizeof(struct expr *));

        if (!is_row(other) || other->n_args != row->n_args) {
            p->error_at = other->place;
            return err_set(p->err, ERR_SYNTAX,
                           "[DATATYPE_MISMATCH.DATA_DIFF_TYPES] a row of %u values is "
                           "compared with something else",
                           row->n_args);
        }
        for (uint32_t j = 0; j < row->n_args; j++)
            all[j] = function2(p, "<=>", first, row->args[j], other->args[j]);
        any[i - 1] = balanced(p, "and", first, all, row->n_args);
    }
    *out = balanced(p, "or", first, any, l->of.n - 1);
    return set_height(p, l->height + 34, first); /* two chains of at most 2^16 each */
}

static enum errc in_subquery(struct parser *p, const struct token *first, struct expr *e,
                             struct expr **out)
{
    struct plan *plan;
    struct expr *in;

    TRY(nest(p));
    TRY(parse_query(p, &plan));
    p->nesting--;
    TRY(expect_token(p, TOK_RPAREN));
    if (is_row(e)) {
        in = expr_new(p->arena, EXPR_IN_SUBQUERY, e->n_args);
        memcpy(in->args, e->args, e->n_args * sizeof *e->args);
    } else {
        in = expr_new(p->arena, EXPR_IN_SUBQUERY, 1);
        in->args[0] = e;
    }
    in->plan = plan;
    in->place = place_from(p, first);
    *out = in;
    return ERR_OK;
}

static enum errc parse_in(struct parser *p, const struct token *first, struct expr *e,
                          struct expr **out)
{
    bool query = at_subquery(p, 0);
    struct expr_list l = { 0 };

    expr_list_add(p, &l, e);
    TRY(expect_token(p, TOK_LPAREN));
    if (query) {
        TRY(in_subquery(p, first, e, out));
        return set_height(p, (p->height > l.height ? p->height : l.height) + 1, first);
    }
    TRY(parse_exprs(p, &l));
    TRY(expect_token(p, TOK_RPAREN));
    if (is_row(e))
        return rows_in(p, first, e, &l, out);
    *out = expr_new(p->arena, EXPR_IN, l.of.n);
    memcpy((*out)->args, l.of.at, l.of.n * sizeof *l.of.at);
    (*out)->place = place_from(p, first);
    return set_height(p, l.height + 1, first);
}

static bool all_texts(const struct expr_list *l)
{
    for (uint32_t i = 1; i < l->of.n; i++)
        if (l->of.at[i]->kind != EXPR_LITERAL || l->of.at[i]->type.id != TYPE_STRING ||
            l->of.at[i]->value.null)
            return false;
    return true;
}

/* LIKE ANY ('a%', 'b%'): one function where all patterns are literals, else a chain of
 * LIKE. */
static enum errc like_list(struct parser *p, const char *name, bool not, bool any,
                           const struct token *first, struct expr *e, struct expr **out)
{
    struct expr_list l = { 0 }, made = { 0 };

    expr_list_add(p, &l, e);
    TRY(expect_token(p, TOK_LPAREN));
    if (at_token(p, TOK_RPAREN))
        return fail_at(p, token_ahead(p, 0), "Expected something between '(' and ')'.");
    TRY(parse_exprs(p, &l));
    TRY(expect_token(p, TOK_RPAREN));
    if (strcmp(name, "like") == 0 && all_texts(&l)) {
        static const char *const names[2][2] = { { "likeall", "likeany" },
                                                 { "notlikeall", "notlikeany" } };

        return make_function(p, names[not][any], first, &l, out);
    }
    p->height = l.height + 2;
    for (uint32_t i = 1; i < l.of.n; i++) {
        struct expr *one = function2(p, name, first, e, l.of.at[i]);

        expr_list_add(p, &made, not ? function1(p, "not", first, one) : one);
    }
    return join_chain(p, any ? "or" : "and", first, &made, out);
}

static enum errc parse_escape(struct parser *p, struct expr_list *args)
{
    const struct token *t;
    struct sv escape;

    if (!take_word(p, KW_ESCAPE))
        return ERR_OK;
    t = token_ahead(p, 0);
    TRY(parse_text(p, "the escape character as a string", &escape));
    if (escape.len != 1)
        return fail_at(
            p, t,
            "[INVALID_ESC] Found an invalid escape string: '%.*s'. The escape string "
            "must contain only one character.",
            SV_FMT(escape));
    expr_list_add(p, args, text_literal(p, escape, t));
    return ERR_OK;
}

static enum errc parse_like(struct parser *p, const char *name, bool not,
                            const struct token *first, struct expr *e, struct expr **out)
{
    struct expr_list args = { 0 };
    struct expr *pattern;

    if ((at_word(p, KW_ANY) || at_word(p, KW_SOME) || at_word(p, KW_ALL)) &&
        ahead_is(p, 1, TOK_LPAREN)) {
        bool any = !at_word(p, KW_ALL);

        p->at++;
        return like_list(p, name, not, any, first, e, out);
    }
    expr_list_add(p, &args, e);
    TRY(parse_value(p, &pattern));
    expr_list_add(p, &args, pattern);
    TRY(parse_escape(p, &args));
    TRY(make_function(p, name, first, &args, out));
    *out = negated(p, not, first, *out);
    return ERR_OK;
}

static struct expr *bool_literal(struct parser *p, bool b)
{
    return expr_literal(p->arena, value_bool(b));
}

static enum errc parse_is(struct parser *p, const struct token *first, struct expr *e,
                          struct expr **out)
{
    bool not = take_word(p, KW_NOT);
    uint32_t height = p->height;
    struct expr *right;

    if (take_word(p, KW_NULL) || take_word(p, KW_UNKNOWN)) {
        *out = call(p, not ? "isnotnull" : "isnull", first, e);
        return ERR_OK;
    }
    if (at_word(p, KW_TRUE) || at_word(p, KW_FALSE)) {
        bool truth = take_word(p, KW_TRUE);

        if (!truth)
            p->at++;
        *out = function2(p, "<=>", first, e, bool_literal(p, truth));
        p->height++;
        *out = negated(p, not, first, *out);
        return ERR_OK;
    }
    if (!take_words(p, KW_DISTINCT, KW_FROM))
        return fail_expected(p, "NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM");
    TRY(parse_value(p, &right));
    *out = function2(p, "<=>", first, e, right);
    TRY(set_height(p, (height > p->height ? height : p->height) + 1, first));
    *out = negated(p, !not, first, *out);
    return ERR_OK;
}

static bool ends_predicate(const struct parser *p, bool not )
{
    static const enum keyword words[] = { KW_BETWEEN, KW_IN,    KW_LIKE,
                                          KW_ILIKE,   KW_RLIKE, KW_REGEXP };

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (ahead_word(p, not, words[i]))
            return false;
    return true;
}

static enum errc parse_predicate(struct parser *p, struct expr **out)
{
    const struct token *first = token_ahead(p, 0);
    bool not ;
    struct expr *e = NULL;

    TRY(parse_value(p, &e));
    *out = e;
    if (take_word(p, KW_IS))
        return parse_is(p, first, e, out);
    not = at_word(p, KW_NOT);
    if (ends_predicate(p, not ))
        return ERR_OK;
    p->at += not ;
    if (take_word(p, KW_BETWEEN))
        TRY(parse_between(p, first, e, out));
    else if (take_word(p, KW_IN))
        TRY(parse_in(p, first, e, out));
    else if (take_word(p, KW_LIKE))
        return parse_like(p, "like", not, first, e, out);
    else if (take_word(p, KW_ILIKE))
        return parse_like(p, "ilike", not, first, e, out);
    else {
        p->at++; /* RLIKE, REGEXP */
        return parse_like(p, "rlike", not, first, e, out);
    }
    *out = negated(p, not, first, *out);
    return ERR_OK;
}

static enum errc parse_exists(struct parser *p, struct expr **out)
{
    const struct token *first = &p->tokens[p->at];
    struct plan *plan;

    p->at += 2;
    TRY(nest(p));
    TRY(parse_query(p, &plan));
    p->nesting--;
    TRY(expect_token(p, TOK_RPAREN));
    *out = expr_new(p->arena, EXPR_EXISTS, 0);
    (*out)->plan = plan;
    (*out)->place = place_from(p, first);
    return set_height(p, p->height + 1, first);
}

static enum errc parse_not(struct parser *p, struct expr **out)
{
    const struct token *first = token_ahead(p, 0);
    struct expr *e = NULL;

    if (take_word(p, KW_NOT) || take_token(p, TOK_BANG)) {
        TRY(nest(p));
        TRY(parse_not(p, &e));
        p->nesting--;
        TRY(set_height(p, p->height + 1, first));
        *out = function1(p, "not", first, e);
        return ERR_OK;
    }
    if (at_word(p, KW_EXISTS) && ahead_is(p, 1, TOK_LPAREN) && at_subquery(p, 1))
        return parse_exists(p, out);
    return parse_predicate(p, out);
}

/* ---- values: binary and unary operators ---- */

enum level { LEVEL_NONE, COMPARE, BIT_OR, BIT_XOR, BIT_AND, SUM, PRODUCT };

static enum level operator_at(const struct parser *p, const char **name)
{
    static const struct {
        enum level level;
        const char *name;
    } ops[] = {
        [TOK_EQ] = { COMPARE, "=" },      [TOK_NULL_SAFE] = { COMPARE, "<=>" },
        [TOK_NE] = { COMPARE, "!=" },     [TOK_LT] = { COMPARE, "<" },
        [TOK_LE] = { COMPARE, "<=" },     [TOK_GT] = { COMPARE, ">" },
        [TOK_GE] = { COMPARE, ">=" },     [TOK_PIPE] = { BIT_OR, "|" },
        [TOK_CARET] = { BIT_XOR, "^" },   [TOK_AMPERSAND] = { BIT_AND, "&" },
        [TOK_PLUS] = { SUM, "+" },        [TOK_MINUS] = { SUM, "-" },
        [TOK_CONCAT] = { SUM, "concat" }, [TOK_STAR] = { PRODUCT, "*" },
        [TOK_SLASH] = { PRODUCT, "/" },   [TOK_PERCENT] = { PRODUCT, "%" },
        [TOK_BAD] = { LEVEL_NONE, NULL },
    };
    const struct token *t = token_ahead(p, 0);

    if (t->kind == TOK_WORD && t->keyword == KW_DIV) {
        *name = "div";
        return PRODUCT;
    }
    *name = ops[t->kind].name;
    return ops[t->kind].level;
}

static enum errc parse_unary(struct parser *p, struct expr **out)
{
    const struct token *first = token_ahead(p, 0);
    const char *name = at_token(p, TOK_MINUS)   ? "unaryminus"
                       : at_token(p, TOK_PLUS)  ? "positive"
                       : at_token(p, TOK_TILDE) ? "~"
                                                : NULL;
    struct expr *e = NULL;

    if (!name)
        return parse_primary(p, out);
    p->at++;
    if (first->kind == TOK_MINUS && at_number(p, 0))
        return parse_number(p, true, out);
    TRY(nest(p));
    TRY(parse_unary(p, &e));
    p->nesting--;
    TRY(set_height(p, p->height + 1, first));
    *out = function1(p, name, first, e);
    return ERR_OK;
}

static enum errc parse_binary(struct parser *p, enum level least, struct expr **out)
{
    const struct token *first = token_ahead(p, 0);
    struct expr *left, *right;
    const char *name;
    enum level level;

    TRY(parse_unary(p, &left));
    while ((level = operator_at(p, &name)) != LEVEL_NONE && level >= least) {
        uint32_t height = p->height;
        bool differs = at_token(p, TOK_NE);

        p->at++;
        TRY(parse_binary(p, level + 1, &right));
        left = function2(p, differs ? "=" : name, first, left, right);
        TRY(set_height(p, (height > p->height ? height : p->height) + 1, first));
        left = negated(p, differs, first, left);
    }
    *out = left;
    return ERR_OK;
}

enum errc parse_value(struct parser *p, struct expr **out)
{
    return parse_binary(p, COMPARE, out);
}
