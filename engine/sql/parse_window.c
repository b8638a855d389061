/* OVER, the WINDOW clause and frames.
 *
 * OVER w takes a definition that stands later in the text. Each use is remembered, and
 * filled in when the WINDOW clause of its SELECT (or of a query around it) is read; what
 * is left at the end of the statement has no definition. */
#include "engine/sql/parser.h"

#include "base/mem.h"

#include <stdlib.h>

/* One bound: UNBOUNDED PRECEDING, CURRENT ROW, 3 FOLLOWING. */
static enum errc parse_bound(struct parser *p, enum frame_bound *bound,
                             struct expr **offset)
{
    const struct token *first = token_ahead(p, 0);
    bool minus;

    *offset = NULL;
    if (take_words(p, KW_CURRENT, KW_ROW)) {
        *bound = BOUND_CURRENT;
        return ERR_OK;
    }
    if (take_word(p, KW_UNBOUNDED)) {
        *bound = BOUND_UNBOUNDED;
        if (!take_word(p, KW_PRECEDING) && !take_word(p, KW_FOLLOWING))
            return fail_expected(p, "PRECEDING or FOLLOWING");
        return ERR_OK;
    }
    TRY(parse_expr(p, offset));
    *bound = BOUND_OFFSET;
    minus = take_word(p, KW_PRECEDING);
    if (!minus && !take_word(p, KW_FOLLOWING))
        return fail_expected(p, "PRECEDING or FOLLOWING");
    if (!minus)
        return ERR_OK;
    if ((*offset)->kind != EXPR_LITERAL || (*offset)->value.null) {
        *offset = function1(p, "unaryminus", first, *offset);
        return ERR_OK;
    }
    struct value v = (*offset)->value; /* a literal of its own: may be changed */
    if (v.type.id == TYPE_DECIMAL)
        v.u.dec = -v.u.dec;
    else if (v.type.id == TYPE_DOUBLE || v.type.id == TYPE_FLOAT)
        v.u.f = -v.u.f;
    else if (v.type.id != TYPE_STRING && v.type.id != TYPE_BINARY &&
             v.type.id != TYPE_BOOLEAN && v.u.i != INT64_MIN)
        v.u.i = -v.u.i;
    (*offset)->value = v;
    return ERR_OK;
}

static enum errc parse_frame(struct parser *p, struct window_spec *w)
{
    w->has_frame = true;
    w->unit = at_word(p, KW_ROWS) ? FRAME_ROWS : FRAME_RANGE;
    p->at++;
    if (!take_word(p, KW_BETWEEN)) {
        w->upper = BOUND_CURRENT;
        return parse_bound(p, &w->lower, &w->lower_offset);
    }
    TRY(parse_bound(p, &w->lower, &w->lower_offset));
    TRY(expect_word(p, KW_AND));
    return parse_bound(p, &w->upper, &w->upper_offset);
}

static enum errc parse_parts(struct parser *p, struct window_spec *w)
{
    struct expr_list keys = { 0 }, order = { 0 };

    if (take_word(p, KW_CLUSTER)) {
        TRY(expect_word(p, KW_BY));
        TRY(parse_exprs(p, &keys));
    } else if (take_word(p, KW_PARTITION) || take_word(p, KW_DISTRIBUTE)) {
        TRY(expect_word(p, KW_BY));
        TRY(parse_exprs(p, &keys));
    }
    if (take_word(p, KW_ORDER) || take_word(p, KW_SORT)) {
        TRY(expect_word(p, KW_BY));
        TRY(parse_sort_list(p, &order));
    }
    w->partition = keys.of.at;
    w->n_partition = keys.of.n;
    w->order = order.of.at;
    w->n_order = order.of.n;
    if (at_word(p, KW_ROWS) || at_word(p, KW_RANGE))
        TRY(parse_frame(p, w));
    return ERR_OK;
}

static void use_named(struct parser *p, struct window_spec *w, const struct token *t)
{
    w->named = strip_quotes(p, t);
    if (p->n_windows == p->cap_windows) {
        uint32_t cap = p->cap_windows ? p->cap_windows * 2 : 8;
        struct window_use *more = arena_array(p->arena, cap, sizeof *more);

        if (p->n_windows)
            memcpy(more, p->windows, p->n_windows * sizeof *more);
        p->windows = more;
        p->cap_windows = cap;
    }
    p->windows[p->n_windows++] = (struct window_use){ w, t };
}

/* w, (w), or (PARTITION BY ... ORDER BY ... frame). */
static enum errc parse_spec(struct parser *p, struct window_spec *w)
{
    bool name_alone = (ahead_is(p, 1, TOK_WORD) || ahead_is(p, 1, TOK_QUOTED)) &&
                      ahead_is(p, 2, TOK_RPAREN);

    if (at_name(p)) {
        use_named(p, w, &p->tokens[p->at++]);
        return ERR_OK;
    }
    if (!take_token(p, TOK_LPAREN))
        return fail_expected(p, "a window's name or its definition in parentheses");
    if (name_alone)
        use_named(p, w, &p->tokens[p->at++]);
    else
        TRY(parse_parts(p, w));
    return expect_token(p, TOK_RPAREN);
}

enum errc parse_over(struct parser *p, const struct token *first, struct expr *of,
                     struct expr **out)
{
    uint32_t height = p->height;
    struct expr *e = expr_new(p->arena, EXPR_WINDOW, 1);

    p->at++;
    TRY(nest(p));
    e->args[0] = of;
    e->window = ARENA_NEW(p->arena, struct window_spec);
    TRY(parse_spec(p, e->window));
    p->nesting--;
    e->place = place_from(p, first);
    *out = e;
    return set_height(p, (height > p->height ? height : p->height) + 1, first);
}

/* ---- WINDOW w AS (...), v AS w ---- */

struct definition {
    struct sv name;
    struct window_spec *spec;
};

static void fill_in(struct parser *p, const struct definition *defs, uint32_t n,
                    uint32_t uses_from)
{
    uint32_t kept = uses_from;

    for (uint32_t i = uses_from; i < p->n_windows; i++) {
        struct window_use use = p->windows[i];
        uint32_t d = 0;

        while (d < n &&
               !(defs[d].name.len == use.spec->named.len &&
                 sv_same_word(defs[d].name, arena_sv(p->arena, use.spec->named).p)))
            d++;
        if (d < n && defs[d].spec != use.spec && !defs[d].spec->named.p)
            *use.spec = *defs[d].spec;
        else
            p->windows[kept++] = use;
    }
    p->n_windows = kept;
}

enum errc parse_window_clause(struct parser *p, uint32_t uses_from)
{
    struct definition *defs = NULL;
    uint32_t n = 0, cap = 0;
    enum errc rc;

    p->at++;
    do {
        struct definition d = { .spec = ARENA_NEW(p->arena, struct window_spec) };

        if ((rc = parse_name(p, "a window's name", &d.name)) != ERR_OK ||
            (rc = expect_word(p, KW_AS)) != ERR_OK ||
            (rc = parse_spec(p, d.spec)) != ERR_OK)
            goto done;
        GROW(defs, n, cap);
        defs[n++] = d;
    } while (take_token(p, TOK_COMMA));
    fill_in(p, defs, n, uses_from); /* names of names first, in the order of the text */
    fill_in(p, defs, n, uses_from);
done:
    free(defs);
    return rc;
}

enum errc check_windows(struct parser *p)
{
    if (p->n_windows == 0)
        return ERR_OK;
    return fail_at(
        p, p->windows[0].token,
        "[MISSING_WINDOW_SPECIFICATION] Window specification is not defined in "
        "the WINDOW clause for `%.*s`.",
        SV_FMT(p->windows[0].spec->named));
}
