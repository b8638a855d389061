/* The parser's hands: tokens, errors, names, texts, lists. */
#include "engine/sql/parser.h"

#include "engine/expr/func.h"

#include "base/mem.h"
#include "base/nearest.h"
#include "base/utf8.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

/* ---- tokens ---- */

const struct token *token_ahead(const struct parser *p, uint32_t n)
{
    const struct token *t = &p->tokens[p->at];

    while (n-- && t->kind != TOK_END)
        t++;
    return t;
}

bool ahead_is(const struct parser *p, uint32_t n, enum token_kind kind)
{
    return token_ahead(p, n)->kind == kind;
}

bool ahead_word(const struct parser *p, uint32_t n, enum keyword k)
{
    const struct token *t = token_ahead(p, n);

    return t->kind == TOK_WORD && t->keyword == k;
}

bool at_token(const struct parser *p, enum token_kind kind)
{
    return p->tokens[p->at].kind == kind;
}

bool at_word(const struct parser *p, enum keyword k)
{
    return ahead_word(p, 0, k);
}

bool take_token(struct parser *p, enum token_kind kind)
{
    if (!at_token(p, kind) || kind == TOK_END)
        return false;
    p->at++;
    return true;
}

bool take_word(struct parser *p, enum keyword k)
{
    if (!at_word(p, k))
        return false;
    p->at++;
    return true;
}

bool take_words(struct parser *p, enum keyword a, enum keyword b)
{
    if (!at_word(p, a) || !ahead_word(p, 1, b))
        return false;
    p->at += 2;
    return true;
}

static const char *token_name(enum token_kind kind)
{
    switch (kind) {
    case TOK_LPAREN:
        return "'('";
    case TOK_RPAREN:
        return "')'";
    case TOK_COMMA:
        return "','";
    case TOK_DOT:
        return "'.'";
    case TOK_EQ:
        return "'='";
    case TOK_STRING:
        return "a string";
    case TOK_INTEGER:
        return "a number";
    case TOK_HINT_END:
        return "the hint's end, */";
    default: /* all others are looked for, not demanded */
        return "something else";
    }
}

enum errc expect_token(struct parser *p, enum token_kind kind)
{
    return take_token(p, kind) ? ERR_OK : fail_expected(p, token_name(kind));
}

enum errc expect_word(struct parser *p, enum keyword k)
{
    return take_word(p, k) ? ERR_OK : fail_expected(p, keyword_text(k));
}

struct sv token_text(const struct parser *p, const struct token *t)
{
    return (struct sv){ p->text.p + t->place.offset, t->place.length };
}

bool sv_same_word(struct sv a, const char *b)
{
    size_t n = strlen(b);

    if (a.len != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (tolower((unsigned char)a.p[i]) != tolower((unsigned char)b[i]))
            return false;
    return true;
}

bool token_is(const struct parser *p, const struct token *t, const char *word)
{
    return t->kind == TOK_WORD && sv_same_word(token_text(p, t), word);
}

/* ---- errors ---- */

enum errc fail_at(struct parser *p, const struct token *t, const char *fmt, ...)
{
    char text[sizeof p->err->text];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    p->error_at = t->place;
    return err_set(p->err, ERR_SYNTAX, "%s", text);
}

/* Words worth suggesting: those that begin or divide clauses. The others are as rare as
 * what they would be mistaken for. */
static bool suggested(enum keyword k)
{
    return strlen(keyword_text(k)) > 2 && k != KW_ANY && k != KW_OUT && k != KW_NAME;
}

static struct sv nearest_keyword(struct sv word)
{
    static const enum keyword common[] = { KW_FROM,   KW_WHERE, KW_GROUP, KW_ORDER,
                                           KW_HAVING, KW_JOIN,  KW_LIMIT };
    struct nearest near = { .word = word };

    for (size_t i = 0; i < ARRAY_LEN(common); i++)
        nearest_try(&near, sv(keyword_text(common[i])));

    for (int k = KW_NONE + 1; k < N_KEYWORDS; k++)
        if (suggested((enum keyword)k))
            nearest_try(&near, sv(keyword_text((enum keyword)k)));
    return near.best;
}

/* What stands there, short enough for a message. */
static void print_found(struct strbuf *out, const struct parser *p, const struct token *t)
{
    if (t->kind == TOK_END)
        strbuf_addz(out, "the end");
    else if (t->kind == TOK_BAD)
        strbuf_addz(out, t->bad);
    else
        utf8_clean(out, token_text(p, t), 40);
}

enum errc fail_expected(struct parser *p, const char *what)
{
    const struct token *t = &p->tokens[p->at], *typo = NULL;
    struct strbuf found = { 0 };
    struct sv meant = { 0 };
    enum errc rc;

    if (t->kind == TOK_BAD && t->place.length > 1)
        return fail_at(p, t, "[PARSE_SYNTAX_ERROR] %s", t->bad);
    print_found(&found, p, t);
    if (p->at > 0 && p->alias_at == p->at && t->kind != TOK_END) {
        typo = t - 1; /* SELECT a FORM t: FORM was taken as an alias */
        meant = nearest_keyword(token_text(p, typo));
    }
    if (!meant.p && t->kind == TOK_WORD && t->keyword == KW_NONE) {
        typo = t;
        meant = nearest_keyword(token_text(p, t));
    }
    if (meant.p && typo != t)
        rc = fail_at(
            p, typo,
            "[PARSE_SYNTAX_ERROR] expected %s, found %s behind %.*s: did you mean %.*s?",
            what, found.p, SV_FMT(token_text(p, typo)), SV_FMT(meant));
    else if (meant.p)
        rc = fail_at(p, t,
                     "[PARSE_SYNTAX_ERROR] expected %s, found %s: did you mean %.*s?",
                     what, found.p, SV_FMT(meant));
    else
        rc = fail_at(p, t, "[PARSE_SYNTAX_ERROR] expected %s, found %s", what, found.p);
    strbuf_release(&found);
    return rc;
}

enum errc nest(struct parser *p)
{
    if (p->nesting >= NESTING_MAX) {
        p->error_at = p->tokens[p->at].place;
        return err_set(p->err, ERR_LIMIT, "nested deeper than %d levels", NESTING_MAX);
    }
    p->nesting++;
    return ERR_OK;
}

enum errc set_height(struct parser *p, uint32_t height, const struct token *t)
{
    if (height > HEIGHT_MAX) {
        p->error_at = t->place;
        return err_set(p->err, ERR_LIMIT, "more than %d operations one upon the other",
                       HEIGHT_MAX);
    }
    p->height = height;
    return ERR_OK;
}

/* ---- names and texts ---- */

struct place place_from(const struct parser *p, const struct token *first)
{
    const struct token *last = p->at > 0 ? &p->tokens[p->at - 1] : first;
    struct place place = first->place;

    if (last > first)
        place.length = last->place.offset + last->place.length - place.offset;
    return place;
}

bool at_name(const struct parser *p)
{
    return at_token(p, TOK_WORD) || at_token(p, TOK_QUOTED);
}

struct sv strip_quotes(struct parser *p, const struct token *t)
{
    struct sv text = token_text(p, t);
    char *to;
    size_t n = 0;

    if (t->kind != TOK_QUOTED)
        return text;
    text = (struct sv){ text.p + 1, text.len - 2 };
    if (!memchr(text.p, '`', text.len))
        return text;
    to = arena_bytes(p->arena, text.len);
    for (size_t i = 0; i < text.len; i++) {
        to[n++] = text.p[i];
        i += text.p[i] == '`'; /* doubled */
    }
    return (struct sv){ to, n };
}

enum errc parse_name(struct parser *p, const char *what, struct sv *out)
{
    if (!at_name(p))
        return fail_expected(p, what);
    *out = strip_quotes(p, &p->tokens[p->at++]);
    return ERR_OK;
}

enum errc parse_qualified(struct parser *p, const char *what, struct sv **parts,
                          uint32_t *n)
{
    struct sv_list list = { 0 };
    struct sv part = { 0 };

    do {
        TRY(parse_name(p, what, &part));
        sv_list_add(p, &list, part);
    } while (take_token(p, TOK_DOT));
    *parts = list.at;
    *n = list.n;
    return ERR_OK;
}

enum errc parse_name_list(struct parser *p, struct sv_list *out)
{
    struct sv name = { 0 };

    TRY(expect_token(p, TOK_LPAREN));
    do {
        TRY(parse_name(p, "a name", &name));
        sv_list_add(p, out, name);
    } while (take_token(p, TOK_COMMA));
    return expect_token(p, TOK_RPAREN);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* n hexadecimal digits at s, or UINT32_MAX. */
static uint32_t hex_code(struct sv s, size_t n)
{
    uint32_t code = 0;

    if (s.len < n)
        return UINT32_MAX;
    for (size_t i = 0; i < n; i++) {
        int d = hex_digit(s.p[i]);

        if (d < 0)
            return UINT32_MAX;
        code = code << 4 | (uint32_t)d;
    }
    return code;
}

/* A pair of \u escapes for one character beyond the 16 bits. */
static uint32_t join_surrogates(uint32_t high, struct sv behind, size_t *used)
{
    uint32_t low =
        sv_starts(behind, SV("\\u")) ? hex_code(sv_from(behind, 2), 4) : UINT32_MAX;

    if (high < 0xd800 || high > 0xdbff || low < 0xdc00 || low > 0xdfff)
        return high;
    *used += 6;
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

static void add_code(struct strbuf *out, uint32_t code)
{
    utf8_add(out, code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff) ? '?' : code);
}

/* What stands behind a backslash; returns how many bytes of it. */
static size_t unescape_one(struct strbuf *out, struct sv s)
{
    static const char from[] = "0'\"bnrtZ\\", to[] = "\0'\"\b\n\r\t\x1a\\";
    size_t used = 5;
    uint32_t code;
    const char *known;

    if (s.p[0] == 'u' && (code = hex_code(sv_from(s, 1), 4)) != UINT32_MAX) {
        code = join_surrogates(code, sv_from(s, 5), &used);
        add_code(out, code);
        return used;
    }
    if (s.p[0] == 'U' && (code = hex_code(sv_from(s, 1), 8)) != UINT32_MAX) {
        add_code(out, code);
        return 9;
    }
    if (s.len >= 3 && (s.p[0] == '0' || s.p[0] == '1') && s.p[1] >= '0' &&
        s.p[1] <= '7' && s.p[2] >= '0' && s.p[2] <= '7') {
        add_code(out,
                 (uint32_t)((s.p[0] - '0') << 6 | (s.p[1] - '0') << 3 | (s.p[2] - '0')));
        return 3;
    }
    if (s.p[0] == '%' || s.p[0] == '_')
        strbuf_addc(out, '\\'); /* left for LIKE */
    known = s.p[0] ? strchr(from, s.p[0]) : NULL;
    strbuf_addc(out, known ? to[known - from] : s.p[0]);
    return 1;
}

static void unescape(struct strbuf *out, struct sv s)
{
    bool raw = s.p[0] == 'r' || s.p[0] == 'R';

    s = raw ? (struct sv){ s.p + 2, s.len - 3 } : (struct sv){ s.p + 1, s.len - 2 };
    while (s.len) {
        const char *slash = raw ? NULL : memchr(s.p, '\\', s.len);
        size_t plain = slash ? (size_t)(slash - s.p) : s.len;

        strbuf_add(out, (struct sv){ s.p, plain });
        s = sv_from(s, plain + 1);
        if (slash)
            s = sv_from(s, unescape_one(out, s));
    }
}

static enum errc take_text(struct parser *p, const char *what, bool adjacent,
                           struct sv *out)
{
    struct strbuf text = { 0 };

    if (!at_token(p, TOK_STRING))
        return fail_expected(p, what);
    do {
        unescape(&text, token_text(p, &p->tokens[p->at++]));
    } while (adjacent && at_token(p, TOK_STRING));
    *out = text.len ? arena_sv(p->arena, strbuf_sv(&text)) : SV("");
    strbuf_release(&text);
    return ERR_OK;
}

enum errc parse_text(struct parser *p, const char *what, struct sv *out)
{
    return take_text(p, what, true, out);
}

enum errc parse_one_text(struct parser *p, const char *what, struct sv *out)
{
    return take_text(p, what, false, out);
}

enum errc parse_count(struct parser *p, const char *what, int64_t *out)
{
    if (!at_token(p, TOK_INTEGER) || !sv_i64(token_text(p, &p->tokens[p->at]), out))
        return fail_expected(p, what);
    p->at++;
    return ERR_OK;
}

/* ---- which words may be names ---- */

bool word_is_column(enum keyword k)
{
    switch ((int)k) {
    case KW_AND:
    case KW_AS:
    case KW_BETWEEN:
    case KW_BY:
    case KW_ELSE:
    case KW_FROM:
    case KW_GROUP:
    case KW_HAVING:
    case KW_IN:
    case KW_IS:
    case KW_JOIN:
    case KW_LIKE:
    case KW_LIMIT:
    case KW_ON:
    case KW_OR:
    case KW_ORDER:
    case KW_SELECT:
    case KW_THEN:
    case KW_UNION:
    case KW_USING:
    case KW_WHEN:
    case KW_WHERE:
        return false;
    default:
        return true;
    }
}

/* What may follow an expression of a list, and so is no alias of it without AS. */
static bool follows_column(enum keyword k)
{
    switch ((int)k) {
    case KW_ASC:
    case KW_CLUSTER:
    case KW_DESC:
    case KW_DISTRIBUTE:
    case KW_DIV:
    case KW_ESCAPE:
    case KW_EXCEPT:
    case KW_ILIKE:
    case KW_INTERSECT:
    case KW_LATERAL:
    case KW_MINUS:
    case KW_NOT:
    case KW_OFFSET:
    case KW_REGEXP:
    case KW_RLIKE:
    case KW_SORT:
    case KW_WINDOW:
        return true;
    default:
        return !word_is_column(k);
    }
}

static bool follows_table(enum keyword k)
{
    switch ((int)k) {
    case KW_ANTI:
    case KW_CROSS:
    case KW_FULL:
    case KW_INNER:
    case KW_LEFT:
    case KW_NATURAL:
    case KW_PIVOT:
    case KW_RIGHT:
    case KW_SEMI:
    case KW_SET:
    case KW_TABLESAMPLE:
    case KW_UNPIVOT:
        return true;
    default:
        return follows_column(k);
    }
}

bool at_column_alias(const struct parser *p)
{
    return at_name(p) &&
           !(at_token(p, TOK_WORD) && follows_column(token_ahead(p, 0)->keyword));
}

bool at_table_alias(const struct parser *p)
{
    return at_name(p) &&
           !(at_token(p, TOK_WORD) && follows_table(token_ahead(p, 0)->keyword));
}

/* ---- lists and nodes ---- */

/* Doubles an array in the arena; the old one is left behind. */
static void *grown(struct arena *a, const void *items, uint32_t n, uint32_t *cap,
                   size_t size)
{
    void *more;

    *cap = *cap ? *cap * 2 : 4;
    more = arena_array(a, *cap, size);
    if (n)
        memcpy(more, items, n * size);
    return more;
}

void expr_list_add(struct parser *p, struct expr_list *l, struct expr *e)
{
    if (l->of.n == l->cap)
        l->of.at = grown(p->arena, l->of.at, l->of.n, &l->cap, sizeof e);
    l->of.at[l->of.n++] = e;
    if (p->height > l->height)
        l->height = p->height;
}

void sv_list_add(struct parser *p, struct sv_list *l, struct sv s)
{
    if (l->n == l->cap)
        l->at = grown(p->arena, l->at, l->n, &l->cap, sizeof s);
    l->at[l->n++] = s;
}

void plan_list_add(struct parser *p, struct plan_list *l, struct plan *plan)
{
    if (l->n == l->cap)
        l->at = grown(p->arena, l->at, l->n, &l->cap, sizeof(struct plan *));
    l->at[l->n++] = plan;
    if (p->height > l->height)
        l->height = p->height;
}

static struct expr *new_function(struct parser *p, struct sv name,
                                 const struct token *first, uint32_t n)
{
    struct expr *e = expr_new(p->arena, EXPR_FUNCTION, n);

    e->func = func_find(name);
    e->parts = ARENA_NEW(p->arena, struct sv);
    e->parts[0] = name;
    e->n_parts = 1;
    e->place = place_from(p, first);
    return e;
}

enum errc make_function(struct parser *p, const char *name, const struct token *first,
                        const struct expr_list *args, struct expr **out)
{
    TRY(set_height(p, args->height + 1, first));
    *out = new_function(p, sv(name), first, args->of.n);
    if (args->of.n)
        memcpy((*out)->args, args->of.at, args->of.n * sizeof(struct expr *));
    return ERR_OK;
}

struct expr *function1(struct parser *p, const char *name, const struct token *first,
                       struct expr *a)
{
    struct expr *e = new_function(p, sv(name), first, 1);

    e->args[0] = a;
    return e;
}

struct expr *function2(struct parser *p, const char *name, const struct token *first,
                       struct expr *a, struct expr *b)
{
    struct expr *e = new_function(p, sv(name), first, 2);

    e->args[0] = a;
    e->args[1] = b;
    return e;
}

struct expr *text_literal(struct parser *p, struct sv text, const struct token *first)
{
    struct expr *e = expr_literal(p->arena, value_string(text));

    e->place = place_from(p, first);
    p->height = 1;
    return e;
}

enum errc plan_over(struct parser *p, enum plan_kind kind, struct plan *child,
                    const struct token *first, struct plan **out)
{
    TRY(set_height(p, p->height + 1, first));
    *out = plan_unary(p->arena, kind, child);
    (*out)->place = place_from(p, first);
    return ERR_OK;
}
