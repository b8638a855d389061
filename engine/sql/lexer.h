/* A script as tokens. The whole text is cut at once; the parser then looks ahead as far
 * as it likes. Comments are gone; nothing is an error yet: what cannot be read is
 * TOK_BAD, reported where the parser meets it. */
#ifndef ENGINE_SQL_LEXER_H
#define ENGINE_SQL_LEXER_H

#include "engine/expr/expr.h"

enum token_kind {
    TOK_END,    /* behind the last one, at the end of the text */
    TOK_WORD,   /* keyword or name */
    TOK_QUOTED, /* `name`; quotes and doubled backquotes still in the text */
    TOK_STRING, /* 'x', "x", r'x'; as written */
    TOK_INTEGER,
    TOK_DECIMAL,  /* 1.5 */
    TOK_EXPONENT, /* 1e3, 1.5e3 */
    TOK_LONG,     /* 1L: suffixes are part of the text */
    TOK_SHORT,    /* 1S */
    TOK_BYTE,     /* 1Y */
    TOK_FLOAT,    /* 1F, 1.5e3F */
    TOK_DOUBLE,   /* 1D */
    TOK_BIG,      /* 1.5BD */
    TOK_HINT,     /* what begins a hint; its end is TOK_HINT_END */
    TOK_HINT_END,
    TOK_LPAREN,
    TOK_RPAREN,
    TOK_LBRACKET,
    TOK_RBRACKET,
    TOK_COMMA,
    TOK_DOT,
    TOK_SEMICOLON,
    TOK_EQ,        /* = and == */
    TOK_NULL_SAFE, /* <=> */
    TOK_NE,        /* != and <> */
    TOK_LT,
    TOK_LE, /* <= and !> */
    TOK_GT,
    TOK_GE, /* >= and !< */
    TOK_PLUS,
    TOK_MINUS,
    TOK_STAR,
    TOK_SLASH,
    TOK_PERCENT,
    TOK_TILDE,
    TOK_AMPERSAND,
    TOK_PIPE,
    TOK_CONCAT, /* || */
    TOK_CARET,
    TOK_BANG,
    TOK_CAST, /* :: */
    TOK_BAD,
};

enum keyword {
    KW_NONE,
#define X(name) KW_##name,
#include "engine/sql/keywords.h"
#undef X
    N_KEYWORDS
};

struct token {
    enum token_kind kind;
    enum keyword keyword; /* of a TOK_WORD */
    struct place place;
    uint32_t match;  /* of TOK_LPAREN: its TOK_RPAREN's position; 0: none */
    const char *bad; /* of TOK_BAD: what is wrong */
};

struct tokens { /* zeroed: empty; at[n - 1] is TOK_END */
    struct token *at;
    uint32_t n, cap;
};

/* ERR_LIMIT where the text is 4 GiB or more. */
enum errc sql_lex(struct sv text, struct tokens *out, struct err *err) MUST_CHECK;
void tokens_release(struct tokens *t);
const char *keyword_text(enum keyword k); /* in upper case */

#endif
