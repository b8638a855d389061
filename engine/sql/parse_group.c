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
    struct expr *e;

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

/* The sets of ROLLUP: all, and with one element less at a time. */
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

static enum errc parse_analytics(struct parser *p, struct sets *out,
                                 enum grouping_sets *kind);

static enum errc parse_sets(struct parser *p, struct sets *out)
{
    enum grouping_sets inner;

    p->at += 2;
    TRY(expect_token(p, TOK_LPAREN));
    do {
        struct exprs set;

        if (at_analytics(p)) {
            TRY(nest(p));
            TRY(parse_analytics(p, out, &inner));
            p->nesting--;
            continue;
        }
        TRY(parse_set(p, &set));
        TRY(add_set(p, out, set));
    } while (take_token(p, TOK_COMMA));
    return expect_token(p, TOK_RPAREN);
}

static enum errc parse_analytics(struct parser *p, struct sets *out,
                                 enum grouping_sets *kind)
{
    struct sets elements = { 0 };
    bool up = at_word(p, KW_ROLLUP);

    *kind = SETS_LIST;
    if (at_word(p, KW_GROUPING))
        return parse_sets(p, out);
    *kind = up ? SETS_ROLLUP : SETS_CUBE;
    p->at += 2;
    do {
        struct exprs set;

        TRY(parse_set(p, &set));
        TRY(add_set(p, &elements, set));
    } while (take_token(p, TOK_COMMA));
    TRY(expect_token(p, TOK_RPAREN));
    return up ? rollup(p, &elements, out) : cube(p, &elements, out);
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
    struct sets elements = { 0 }, all = { 0 };
    enum grouping_sets kind = SETS_LIST;

    if (at_word(p, KW_GROUPING) && ahead_word(p, 1, KW_SETS)) {
        TRY(parse_sets(p, &all));
    } else {
        for (uint32_t i = 0; i < aggregate->keys.n; i++)
            TRY(add_set(p, &elements, (struct exprs){ &aggregate->keys.at[i], 1 }));
        if (take_words(p, KW_WITH, KW_ROLLUP)) {
            kind = SETS_ROLLUP;
            TRY(rollup(p, &elements, &all));
        } else if (take_words(p, KW_WITH, KW_CUBE)) {
            kind = SETS_CUBE;
            TRY(cube(p, &elements, &all));
        } else {
            return ERR_OK;
        }
    }
    set_sets(aggregate, &all, kind);
    return ERR_OK;
}

/* Behind GROUP BY: fills in keys and sets. */
enum errc parse_group_by(struct parser *p, struct plan *aggregate)
{
    struct exprs nothing = { 0 };
    struct sets product = { 0 };
    struct expr_list keys = { 0 };
    uint32_t clauses = 0, analytics = 0;
    enum grouping_sets kind = SETS_NONE;

    TRY(add_set(p, &product, nothing));
    do {
        struct sets one = { 0 };

        clauses++;
        if (at_analytics(p)) {
            analytics++;
            TRY(parse_analytics(p, &one, &kind));
        } else {
            struct expr *e;

            TRY(parse_expr(p, &e));
            add_key(p, &keys, e);
            TRY(add_set(p, &one, joined(p, nothing, (struct exprs){ &e, 1 })));
        }
        for (uint32_t i = 0; i < one.n; i++)
            for (uint32_t j = 0; j < one.at[i].n; j++)
                add_key(p, &keys, one.at[i].at[j]);
        TRY(multiply(p, &product, &one));
    } while (take_token(p, TOK_COMMA));
    aggregate->keys = keys.of;
    if (!analytics)
        return parse_tail(p, aggregate);
    set_sets(aggregate, &product, clauses == 1 ? kind : SETS_LIST);
    return ERR_OK;
}
