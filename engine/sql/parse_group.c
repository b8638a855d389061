/* GROUP BY: plain keys, and grouping sets in all their spellings:
 *
 *   GROUP BY a, ROLLUP(b, c), CUBE(d)      GROUP BY a, b WITH ROLLUP
 *   GROUP BY GROUPING SETS ((a, b), a)     GROUP BY a, b GROUPING SETS ((a), ())
 *
 * All become one list of sets: each element of the clause is a list of sets itself (a
 * plain key: one of one), and the elements multiply, in Spark's order. The aggregate's
 * `keys` are all expressions that occur. ALL stays a name: analysis knows it from a
 * column. */
#include "engine/sql/parser.h"

enum { MAX_SETS = 4096 };

struct sets {
    struct exprs *at;
    uint32_t n, cap;
};

static enum errc add_set(struct parser *p, struct sets *s, struct exprs set)
{
    if (s->n == MAX_SETS) {
        p->error_at = token_ahead(p, 0)->place;
        return err_set(p->err, ERR_LIMIT, "more than %d grouping sets", MAX_SETS);
    }
    if (s->n == s->cap) {
        uint32_t cap = s->cap ? s->cap * 2 : 8;
        struct exprs *more = arena_array(p->arena, cap, sizeof *more);

        if (s->n)
            memcpy(more, s->at, s->n * sizeof *more);
        s->at = more;
        s->cap = cap;
    }
    s->at[s->n++] = set;
    return ERR_OK;
}

static struct exprs joined(struct parser *p, struct exprs a, struct exprs b)
{
    struct exprs both = { .n = a.n + b.n };

    both.at = arena_array(p->arena, both.n, sizeof *both.at);
    if (a.n)
        memcpy(both.at, a.at, a.n * sizeof *both.at);
    if (b.n)
        memcpy(both.at + a.n, b.at, b.n * sizeof *both.at);
    return both;
}

/* Each set of a with each of b. */
static enum errc multiply(struct parser *p, struct sets *a, const struct sets *b)
{
    struct sets all = { 0 };

    for (uint32_t i = 0; i < a->n; i++)
        for (uint32_t j = 0; j < b->n; j++)
            TRY(add_set(p, &all, joined(p, a->at[i], b->at[j])));
    *a = all;
    return ERR_OK;
}

/* (a, b), () or a. */
static enum errc parse_set(struct parser *p, struct exprs *out)
{
    struct expr_list l = { 0 };
    const struct token *t = token_ahead(p, 0), *behind;
    struct expr *e = NULL;

    if (t->kind == TOK_LPAREN && t->match && !at_subquery(p, 0)) {
        behind = &p->tokens[t->match + 1];
        if (behind->kind == TOK_COMMA || behind->kind == TOK_RPAREN) {
            p->at++;
            if (!at_token(p, TOK_RPAREN))
                TRY(parse_exprs(p, &l));
            *out = l.of;
            return expect_token(p, TOK_RPAREN);
        }
    }
    TRY(parse_expr(p, &e));
    expr_list_add(p, &l, e);
    *out = l.of;
    return ERR_OK;
}

/* The sets of ROLLUP: all elements, and one less at a time. */
static enum errc rollup(struct parser *p, const struct sets *elements, struct sets *out)
{
    for (uint32_t n = elements->n + 1; n-- > 0;) {
        struct exprs set = { 0 };

        for (uint32_t i = 0; i < n; i++)
            set = joined(p, set, elements->at[i]);
        TRY(add_set(p, out, set));
    }
    return ERR_OK;
}

/* Those of CUBE: each element in or out, the first one changing slowest. */
static enum errc cube(struct parser *p, const struct sets *elements, struct sets *out)
{
    if (elements->n > 12) {
        p->error_at = token_ahead(p, 0)->place;
        return err_set(p->err, ERR_LIMIT, "more than %d grouping sets", MAX_SETS);
    }
    for (uint32_t bits = 1u << elements->n; bits-- > 0;) {
        struct exprs set = { 0 };

        for (uint32_t i = 0; i < elements->n; i++)
            if (bits >> (elements->n - 1 - i) & 1)
                set = joined(p, set, elements->at[i]);
        TRY(add_set(p, out, set));
    }
    return ERR_OK;
}

static bool at_analytics(const struct parser *p)
{
    return ((at_word(p, KW_ROLLUP) || at_word(p, KW_CUBE)) &&
            ahead_is(p, 1, TOK_LPAREN)) ||
           (at_word(p, KW_GROUPING) && ahead_word(p, 1, KW_SETS));
}

static enum errc parse_analytics(struct parser *p, struct sets *out);

static enum errc parse_sets(struct parser *p, struct sets *out)
{
    p->at += 2;
    TRY(expect_token(p, TOK_LPAREN));
    do {
        struct exprs set = { 0 };

        if (at_analytics(p)) {
            TRY(nest(p));
            TRY(parse_analytics(p, out));
            p->nesting--;
            continue;
        }
        TRY(parse_set(p, &set));
        TRY(add_set(p, out, set));
    } while (take_token(p, TOK_COMMA));
    return expect_token(p, TOK_RPAREN);
}

/* The elements of ROLLUP (...) and CUBE (...); the sets of GROUPING SETS. */
static enum errc parse_elements(struct parser *p, struct sets *out,
                                enum grouping_sets *kind)
{
    *kind = at_word(p, KW_ROLLUP) ? SETS_ROLLUP
            : at_word(p, KW_CUBE) ? SETS_CUBE
                                  : SETS_LIST;
    if (*kind == SETS_LIST)
        return parse_sets(p, out);
    p->at += 2;
    do {
        struct exprs set = { 0 };

        TRY(parse_set(p, &set));
        TRY(add_set(p, out, set));
    } while (take_token(p, TOK_COMMA));
    return expect_token(p, TOK_RPAREN);
}

static enum errc expand(struct parser *p, enum grouping_sets kind,
                        const struct sets *elements, struct sets *out)
{
    if (kind == SETS_ROLLUP)
        return rollup(p, elements, out);
    if (kind == SETS_CUBE)
        return cube(p, elements, out);
    for (uint32_t i = 0; i < elements->n; i++)
        TRY(add_set(p, out, elements->at[i]));
    return ERR_OK;
}

static enum errc parse_analytics(struct parser *p, struct sets *out)
{
    struct sets elements = { 0 };
    enum grouping_sets kind;

    TRY(parse_elements(p, &elements, &kind));
    return expand(p, kind, &elements, out);
}

static void add_key(struct parser *p, struct expr_list *keys, struct expr *e)
{
    for (uint32_t i = 0; i < keys->of.n; i++)
        if (keys->of.at[i] == e || expr_eq(keys->of.at[i], e))
            return;
    expr_list_add(p, keys, e);
}

static void set_sets(struct plan *aggregate, const struct sets *s,
                     enum grouping_sets kind)
{
    aggregate->sets_kind = kind;
    aggregate->sets = s->at;
    aggregate->n_sets = s->n;
}

/* WITH ROLLUP, WITH CUBE, GROUPING SETS behind plain keys. */
static enum errc parse_tail(struct parser *p, struct plan *aggregate)
{
    struct sets elements = { 0 };
    enum grouping_sets kind = SETS_LIST;

    if (at_word(p, KW_GROUPING) && ahead_word(p, 1, KW_SETS)) {
        TRY(parse_sets(p, &elements));
    } else {
        if (take_words(p, KW_WITH, KW_ROLLUP))
            kind = SETS_ROLLUP;
        else if (take_words(p, KW_WITH, KW_CUBE))
            kind = SETS_CUBE;
        else
            return ERR_OK;
        for (uint32_t i = 0; i < aggregate->keys.n; i++)
            TRY(add_set(p, &elements, (struct exprs){ &aggregate->keys.at[i], 1 }));
    }
    set_sets(aggregate, &elements, kind);
    return ERR_OK;
}

static void add_keys(struct parser *p, struct expr_list *keys, const struct sets *sets)
{
    for (uint32_t i = 0; i < sets->n; i++)
        for (uint32_t j = 0; j < sets->at[i].n; j++)
            add_key(p, keys, sets->at[i].at[j]);
}

/* Behind GROUP BY: fills in keys and sets. */
enum errc parse_group_by(struct parser *p, struct plan *aggregate)
{
    struct exprs nothing = { 0 };
    struct sets product = { 0 }, elements = { 0 };
    struct expr_list keys = { 0 };
    enum grouping_sets kind = SETS_NONE;
    uint32_t clauses = 0;
    bool mixed = false;

    TRY(add_set(p, &product, nothing));
    do {
        struct sets one = { 0 };

        clauses++;
        if (at_analytics(p)) {
            elements = (struct sets){ 0 };
            mixed = true;
            TRY(parse_elements(p, &elements, &kind));
            TRY(expand(p, kind, &elements, &one));
        } else {
            struct expr *e = NULL;

            TRY(parse_expr(p, &e));
            TRY(add_set(p, &one, joined(p, nothing, (struct exprs){ &e, 1 })));
        }
        add_keys(p, &keys, &one);
        TRY(multiply(p, &product, &one));
    } while (take_token(p, TOK_COMMA));
    aggregate->keys = keys.of;
    if (!mixed)
        return parse_tail(p, aggregate);
    if (clauses == 1)
        set_sets(aggregate, &elements, kind);
    else
        set_sets(aggregate, &product, SETS_LIST);
    return ERR_OK;
}
