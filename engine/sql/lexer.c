/* Cuts a script into tokens by the rules of Spark's SqlBaseLexer.
 *
 * A run of letters, digits and underscores is one word; a word that looks like a number
 * is a number ("1e3", "10L"), any other one that begins with a digit is a name ("1a").
 * Bytes above ASCII count as letters. A number with a point must not run into a letter:
 * in "t.5a" the point is a point. Strings know backslashes, raw ones do not; two quotes
 * in a row end one string and begin the next, which the parser joins. */
#include "engine/sql/lexer.h"

#include "base/mem.h"

#include <ctype.h>
#include <stdlib.h>

struct lexer {
    struct sv text;
    struct tokens *out;
    size_t at;
    uint32_t line;
    size_t line_start; /* byte */
    size_t counted;    /* bytes of the line whose characters are in `column` */
    uint32_t column;   /* characters before `counted`, from 1 */
    bool in_hint;
    struct token *token; /* being made */
};

static const char *const words[N_KEYWORDS] = {
    [KW_NONE] = "",
#define X(name) [KW_##name] = #name,
#include "engine/sql/keywords.h"
#undef X
};

const char *keyword_text(enum keyword k)
{
    return words[k];
}

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char peek(const struct lexer *l, size_t ahead)
{
    return l->at + ahead < l->text.len ? l->text.p[l->at + ahead] : '\0';
}

static void advance(struct lexer *l, size_t n)
{
    for (size_t end = l->at + n; l->at < end; l->at++) {
        if (l->text.p[l->at] == '\n') {
            l->line++;
            l->line_start = l->counted = l->at + 1;
            l->column = 1;
        }
    }
}

/* Characters, not bytes: what follows a leading byte of UTF-8 does not count. */
static uint32_t column_now(struct lexer *l)
{
    for (; l->counted < l->at; l->counted++)
        l->column += ((unsigned char)l->text.p[l->counted] & 0xc0) != 0x80;
    return l->column;
}

static void begin(struct lexer *l)
{
    struct tokens *t = l->out;

    GROW(t->at, t->n, t->cap);
    l->token = &t->at[t->n++];
    *l->token = (struct token){
        .place = { .line = l->line, .column = column_now(l), .offset = (uint32_t)l->at }
    };
}

static void end(struct lexer *l, enum token_kind kind, size_t length)
{
    l->token->kind = kind;
    l->token->place.length = (uint32_t)length;
    advance(l, length);
}

static void end_bad(struct lexer *l, size_t length, const char *why)
{
    l->token->bad = why;
    end(l, TOK_BAD, length);
}

/* ---- blanks and comments ---- */

/* Bytes of a comment between slashes and stars, nested ones counted; 0: it does not end.
 */
static size_t block_comment(struct sv s)
{
    uint32_t depth = 0;

    for (size_t i = 0; i + 1 < s.len; i++) {
        if (s.p[i] == '/' && s.p[i + 1] == '*' &&
            (i == 0 || s.p[i + 2 < s.len ? i + 2 : i] != '+')) {
            depth++;
            i++;
        } else if (s.p[i] == '*' && s.p[i + 1] == '/') {
            i++;
            if (--depth == 0)
                return i + 1;
        }
    }
    return 0;
}

/* To the end of the line; a backslash before it takes the next line in. */
static size_t line_comment(struct sv s)
{
    size_t i = 2;

    while (i < s.len && s.p[i] != '\n' && s.p[i] != '\r')
        i += s.p[i] == '\\' && i + 1 < s.len && s.p[i + 1] == '\n' ? 2 : 1;
    return i;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* False: a comment that does not end is the next token. */
static bool skip_blanks(struct lexer *l)
{
    for (;;) {
        struct sv left = sv_from(l->text, l->at);

        if (left.len && is_blank(left.p[0])) {
            advance(l, 1);
        } else if (sv_starts(left, SV("--"))) {
            advance(l, line_comment(left));
        } else if (sv_starts(left, SV("/*")) && peek(l, 2) != '+') {
            size_t n = block_comment(left);

            if (!n)
                return false;
            advance(l, n);
        } else if (sv_starts(left, SV("\xc2\xa0"))) {
            advance(l, 2); /* no-break space, as copied from web pages */
        } else {
            return true;
        }
    }
}

/* ---- words and numbers ---- */

static enum keyword find_keyword(struct sv word)
{
    char upper[16];
    size_t low = 1, high = N_KEYWORDS; /* the list is in order */

    if (word.len >= sizeof upper)
        return KW_NONE;
    for (size_t i = 0; i < word.len; i++)
        upper[i] = (char)toupper((unsigned char)word.p[i]);
    upper[word.len] = '\0';
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = strcmp(words[mid], upper);

        if (order == 0)
            return (enum keyword)mid;
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return KW_NONE;
}

static size_t digits(struct sv s, size_t from)
{
    size_t i = from;

    while (i < s.len && is_digit(s.p[i]))
        i++;
    return i - from;
}

/* Bytes of an exponent at `from`: e3, E+10; 0: none. */
static size_t exponent(struct sv s, size_t from)
{
    size_t n = 1, more;

    if (from >= s.len || (s.p[from] != 'e' && s.p[from] != 'E'))
        return 0;
    if (from + 1 < s.len && (s.p[from + 1] == '+' || s.p[from + 1] == '-'))
        n++;
    more = digits(s, from + n);
    return more ? n + more : 0;
}

/* The kind a suffix gives; KEEP for none. */
static enum token_kind suffix(struct sv s, size_t from, bool whole, size_t *len)
{
    char a = from < s.len ? (char)toupper((unsigned char)s.p[from]) : '\0';
    char b = from + 1 < s.len ? (char)toupper((unsigned char)s.p[from + 1]) : '\0';

    *len = 1;
    if (a == 'B' && b == 'D') {
        *len = 2;
        return TOK_BIG;
    }
    if (a == 'D')
        return TOK_DOUBLE;
    if (a == 'F')
        return TOK_FLOAT;
    if (whole && a == 'L')
        return TOK_LONG;
    if (whole && a == 'S')
        return TOK_SHORT;
    if (whole && a == 'Y')
        return TOK_BYTE;
    *len = 0;
    return TOK_END;
}

/* A number at the start of s, in *len bytes; TOK_END: there is none. */
static enum token_kind number(struct sv s, size_t *len)
{
    size_t n = digits(s, 0), power, tail;
    bool point = n < s.len && s.p[n] == '.';
    enum token_kind kind = TOK_INTEGER, marked;

    if (point) {
        size_t more = digits(s, n + 1);

        if (!n && !more)
            return TOK_END;
        n += 1 + more;
        kind = TOK_DECIMAL;
    } else if (!n) {
        return TOK_END;
    }
    power = exponent(s, n);
    n += power;
    marked = suffix(s, n, !point && !power, &tail);
    if (marked != TOK_END)
        kind = marked;
    else if (power)
        kind = TOK_EXPONENT;
    n += tail;
    if (n < s.len && is_word(s.p[n]))
        return TOK_END; /* a name that begins with a digit, or a point before one */
    *len = n;
    return kind;
}

static void lex_word(struct lexer *l)
{
    size_t n = 0;

    while (l->at + n < l->text.len && is_word(peek(l, n)))
        n++;
    l->token->keyword = find_keyword((struct sv){ l->text.p + l->at, n });
    end(l, TOK_WORD, n);
}

/* "1.": digits and a point where the point cannot belong to the number, as in "1.a". */
static void lex_digits(struct lexer *l)
{
    struct sv left = sv_from(l->text, l->at);
    size_t n = 0, whole;
    enum token_kind kind = number(left, &n);

    whole = digits(left, 0);
    if (kind == TOK_END && whole && whole < left.len && left.p[whole] == '.') {
        kind = TOK_INTEGER;
        n = whole;
    }
    if (kind == TOK_END)
        lex_word(l);
    else
        end(l, kind, n);
}

/* ---- quoted things ---- */

/* Bytes up to and with the closing quote; 0: there is none. */
static size_t quoted(struct sv s, size_t from, bool escapes)
{
    for (size_t i = from + 1; i < s.len; i++) {
        if (escapes && s.p[i] == '\\')
            i++;
        else if (s.p[i] == s.p[from])
            return i + 1;
    }
    return 0;
}

static void lex_string(struct lexer *l, size_t from, bool raw)
{
    struct sv left = sv_from(l->text, l->at);
    size_t n = quoted(left, from, !raw);

    if (n)
        end(l, TOK_STRING, n);
    else
        end_bad(l, left.len, "a string that does not end");
}

static void lex_backquoted(struct lexer *l)
{
    struct sv left = sv_from(l->text, l->at);
    size_t i = 1;

    while (i < left.len &&
           (left.p[i] != '`' || (i + 1 < left.len && left.p[i + 1] == '`')))
        i += left.p[i] == '`' ? 2 : 1;
    if (i >= left.len)
        end_bad(l, left.len, "a quoted name that does not end");
    else if (i == 1)
        end_bad(l, 2, "an empty quoted name");
    else
        end(l, TOK_QUOTED, i + 1);
}

/* ---- operators ---- */

static const struct {
    const char *text; /* longer ones before their beginnings */
    enum token_kind kind;
} operators[] = {
    { "<=>", TOK_NULL_SAFE }, { "==", TOK_EQ },       { "<>", TOK_NE },
    { "!=", TOK_NE },         { "<=", TOK_LE },       { "!>", TOK_LE },
    { ">=", TOK_GE },         { "!<", TOK_GE },       { "||", TOK_CONCAT },
    { "::", TOK_CAST },       { "(", TOK_LPAREN },    { ")", TOK_RPAREN },
    { "[", TOK_LBRACKET },    { "]", TOK_RBRACKET },  { ",", TOK_COMMA },
    { ".", TOK_DOT },         { ";", TOK_SEMICOLON }, { "=", TOK_EQ },
    { "<", TOK_LT },          { ">", TOK_GT },        { "+", TOK_PLUS },
    { "-", TOK_MINUS },       { "*", TOK_STAR },      { "/", TOK_SLASH },
    { "%", TOK_PERCENT },     { "~", TOK_TILDE },     { "&", TOK_AMPERSAND },
    { "|", TOK_PIPE },        { "^", TOK_CARET },     { "!", TOK_BANG },
};

static void lex_operator(struct lexer *l)
{
    struct sv left = sv_from(l->text, l->at);

    if (sv_starts(left, SV("/*+"))) {
        l->in_hint = true;
        end(l, TOK_HINT, 3);
        return;
    }
    if (l->in_hint && sv_starts(left, SV("*/"))) {
        l->in_hint = false;
        end(l, TOK_HINT_END, 2);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
        if (sv_starts(left, sv(operators[i].text))) {
            end(l, operators[i].kind, strlen(operators[i].text));
            return;
        }
    }
    end_bad(l, 1, "a character that has no meaning here");
}

static void lex_one(struct lexer *l)
{
    char c = peek(l, 0), next = peek(l, 1);

    if (c == '\'' || c == '"')
        lex_string(l, 0, false);
    else if ((c == 'r' || c == 'R') && (next == '\'' || next == '"'))
        lex_string(l, 1, true);
    else if (c == '`')
        lex_backquoted(l);
    else if (is_digit(c) || (c == '.' && is_digit(next) &&
                             number(sv_from(l->text, l->at), &(size_t){ 0 }) != TOK_END))
        lex_digits(l);
    else if (is_word(c))
        lex_word(l);
    else
        lex_operator(l);
}

/* Each parenthesis learns where it closes, within its statement. */
static void match_parens(struct tokens *t)
{
    uint32_t open = 0; /* the innermost open one; `match` chains to the next outer one */

    for (uint32_t i = 0; i < t->n; i++) {
        if (t->at[i].kind == TOK_LPAREN) {
            t->at[i].match = open;
            open = i + 1;
        } else if (t->at[i].kind == TOK_RPAREN && open) {
            uint32_t inner = open - 1;

            open = t->at[inner].match;
            t->at[inner].match = i;
        } else if (t->at[i].kind == TOK_SEMICOLON || t->at[i].kind == TOK_END) {
            while (open) {
                uint32_t inner = open - 1;

                open = t->at[inner].match;
                t->at[inner].match = 0;
            }
        }
    }
}

enum errc sql_lex(struct sv text, struct tokens *out, struct err *err)
{
    struct lexer l = { .text = text, .out = out, .line = 1, .column = 1 };

    if (text.len >= UINT32_MAX)
        return err_set(err, ERR_LIMIT, "a script of %zu bytes is too long", text.len);
    if (sv_starts(text, SV("\xef\xbb\xbf")))
        l.at = l.counted = 3; /* a byte order mark */
    for (;;) {
        bool ok = skip_blanks(&l);

        begin(&l);
        if (!ok)
            end_bad(&l, text.len - l.at, "a comment that does not end");
        else if (l.at == text.len)
            break;
        else
            lex_one(&l);
    }
    end(&l, TOK_END, 0);
    match_parens(out);
    return ERR_OK;
}

void tokens_release(struct tokens *t)
{
    free(t->at);
    *t = (struct tokens){ 0 };
}
