/* A script into statements; errors with their place.
 *
 * Statements end with a semicolon outside strings and comments, as for `spark-sql -f`.
 * The whole script is parsed before any of it runs. */
#include "engine/sql/parser.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <ctype.h>
#include <stdlib.h>

/* ---- errors ---- */

enum { CARET_WIDTH = 100 }; /* characters of a line that are shown */

/* Bytes of the line around offset: from its start to its end. */
static struct sv line_at(struct sv script, uint32_t offset)
{
    size_t from = offset > script.len ? script.len : offset, to = from;

    while (from > 0 && script.p[from - 1] != '\n')
        from--;
    while (to < script.len && script.p[to] != '\n' && script.p[to] != '\r')
        to++;
    return (struct sv){ script.p + from, to - from };
}

static size_t one_char(struct sv s)
{
    size_t n = utf8_char(s);

    return n ? n : 1;
}

/* The line as shown: tabs are blanks, what could move the cursor is a dot. Long lines are
 * cut so that the place stays in sight. */
void sql_caret(struct strbuf *out, struct sv script, struct place at)
{
    struct sv line, left;
    size_t before = 0, skip = 0, shown = 0, width = 0;
    struct strbuf clean = { 0 };

    if (!at.line)
        return;
    line = line_at(script, at.offset);
    for (left = line; left.len && left.p < script.p + at.offset; before++)
        left = sv_from(left, one_char(left));
    if (before > CARET_WIDTH - 20)
        skip = before - (CARET_WIDTH - 40);
    left = line;
    for (size_t i = 0; i < skip; i++)
        left = sv_from(left, one_char(left));
    line = left;
    for (; left.len && shown < CARET_WIDTH; shown++) {
        struct sv one = { left.p, one_char(left) };

        clean.len = 0;
        utf8_clean(&clean, *one.p == '\t' ? SV(" ") : one, 0);
        if (shown + skip < before)
            width += utf8_width(strbuf_sv(&clean));
        strbuf_add(out, strbuf_sv(&clean));
        left = sv_from(left, one.len);
    }
    strbuf_addc(out, '\n');
    strbuf_fill(out, ' ', width);
    strbuf_addc(out, '^');
    for (uint32_t i = 1; i < at.length && before - skip + i < shown; i++)
        strbuf_addc(out, '^');
    strbuf_release(&clean);
}

/* FILE:LINE:COLUMN: in front, the line and a caret behind, if there is room. */
static void finish_error(const struct parser *p, const char *file)
{
    struct strbuf caret = { 0 };
    size_t len;

    if (p->error_at.line == 0)
        return;
    err_prefix(p->err, "%s:%u:%u", file ? file : "-e", p->error_at.line,
               p->error_at.column);
    sql_caret(&caret, p->text, p->error_at);
    len = strlen(p->err->text);
    if (caret.len && len + caret.len + 2 < sizeof p->err->text) {
        p->err->text[len] = '\n';
        memcpy(p->err->text + len + 1, caret.p, caret.len + 1);
    }
    strbuf_release(&caret);
}

/* ---- scripts ---- */

static bool at_end(const struct parser *p)
{
    return at_token(p, TOK_SEMICOLON) || at_token(p, TOK_END);
}

static enum errc parse_one(struct parser *p, struct statement *st)
{
    const struct token *first = token_ahead(p, 0);

    p->n_windows = 0;
    p->nesting = 0;
    p->height = 0;
    p->alias_at = 0;
    TRY(parse_statement(p, st));
    if (!at_end(p))
        return fail_expected(p, "the end of the statement");
    TRY(check_windows(p));
    st->place = place_from(p, first);
    st->text = (struct sv){ p->text.p + st->place.offset, st->place.length };
    return ERR_OK;
}

static enum errc parse_all(struct parser *p, struct statement **list, uint32_t *n,
                           uint32_t *cap)
{
    for (;;) {
        while (take_token(p, TOK_SEMICOLON))
            continue;
        if (at_token(p, TOK_END))
            return ERR_OK;
        GROW(*list, *n, *cap);
        (*list)[*n] = (struct statement){ 0 };
        TRY(parse_one(p, &(*list)[*n]));
        (*n)++;
    }
}

enum errc sql_parse(struct arena *a, struct sv text, const char *file, struct script *out,
                    struct err *err)
{
    struct err local = { 0 };
    struct tokens tokens = { 0 };
    struct parser p = { .arena = a, .text = text, .err = err ? err : &local };
    struct statement *list = NULL;
    uint32_t n = 0, cap = 0;
    enum errc rc = sql_lex(text, &tokens, p.err);

    p.tokens = tokens.at;
    if (rc == ERR_OK && (rc = parse_all(&p, &list, &n, &cap)) != ERR_OK)
        finish_error(&p, file);
    if (rc == ERR_OK) {
        *out = (struct script){ .text = text, .file = file, .n = n };
        out->statements = arena_array(a, n, sizeof *list);
        if (n)
            memcpy(out->statements, list, n * sizeof *list);
    }
    free(list);
    tokens_release(&tokens);
    return rc;
}

enum errc sql_parse_expr(struct arena *a, struct sv text, struct expr **out,
                         struct err *err)
{
    struct err local = { 0 };
    struct tokens tokens = { 0 };
    struct parser p = { .arena = a, .text = text, .err = err ? err : &local };
    struct expr *e = NULL;
    enum errc rc = sql_lex(text, &tokens, p.err);

    p.tokens = tokens.at;
    if (rc == ERR_OK && (rc = parse_expr(&p, &e)) == ERR_OK && !at_token(&p, TOK_END))
        rc = fail_expected(&p, "the end of the expression");
    if (rc == ERR_OK)
        rc = check_windows(&p);
    if (rc == ERR_OK)
        *out = e;
    else
        finish_error(&p, "expression");
    tokens_release(&tokens);
    return rc;
}

/* Spark's quoteIfNeeded: letters of ASCII, digits and underscores, but no number. */
bool sql_name_needs_quotes(struct sv name)
{
    bool number = true;

    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.p[i];

        if (c >= 0x80 || (!isalnum(c) && c != '_'))
            return true;
        number = number && isdigit(c);
    }
    return number; /* "", too */
}
