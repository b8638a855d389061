/* What the files of the parser share. Only engine/sql includes it.
 *
 *   parse.c            a script into statements, errors, carets
 *   parse_core.c       tokens, names, texts, lists
 *   parse_literal.c    numbers, dates, intervals
 *   parse_expr.c       operators and predicates
 *   parse_primary.c    what operators stand between: columns, calls, CASE, CAST
 *   parse_window.c     OVER, WINDOW, frames
 *   parse_query.c      SELECT and set operations
 *   parse_group.c      GROUP BY and its grouping sets
 *   parse_from.c       relations and joins
 *   parse_command.c    EXPLAIN, SET, SHOW, CACHE, ...
 *   parse_ddl.c        CREATE, DROP, INSERT
 *
 * Recursive descent by the rules of Spark's SqlBaseParser, with two bounds: NESTING_MAX
 * brackets, subqueries and prefix operators inside each other, and HEIGHT_MAX levels of
 * the trees that come out. AND and OR chains become balanced trees (as Spark's), long
 * UNION chains one node, so that neither limit meets them. */
#ifndef ENGINE_SQL_PARSER_H
#define ENGINE_SQL_PARSER_H

#include "engine/sql/lexer.h"
#include "engine/sql/statement.h"

enum { NESTING_MAX = 500, HEIGHT_MAX = 1000 };

/* A use of a named window, until its WINDOW clause has been read. */
struct window_use {
    struct window_spec *spec;
    const struct token *token;
};

struct parser {
    struct arena *arena;
    struct sv text;
    const struct token *tokens;
    uint32_t at; /* the token to be read next */
    uint32_t nesting;
    uint32_t height;   /* of the expression or plan parsed last */
    uint32_t alias_at; /* 1 + position of the last alias without AS: maybe a typo */
    struct window_use *windows;
    uint32_t n_windows, cap_windows;
    struct place error_at;
    struct err *err;
};

/* A list that grows in the arena. `height` is the greatest of what was added. */
struct expr_list {
    struct exprs of;
    uint32_t cap, height;
};
struct sv_list {
    struct sv *at;
    uint32_t n, cap;
};
struct plan_list {
    struct plan **at;
    uint32_t n, cap, height;
};

/* ---- tokens ---- */
const struct token *token_ahead(const struct parser *p, uint32_t n); /* 0: the next */
bool at_token(const struct parser *p, enum token_kind kind);
bool at_word(const struct parser *p, enum keyword k);
bool ahead_is(const struct parser *p, uint32_t n, enum token_kind kind);
bool ahead_word(const struct parser *p, uint32_t n, enum keyword k);
bool take_token(struct parser *p, enum token_kind kind);
bool take_word(struct parser *p, enum keyword k);
bool take_words(struct parser *p, enum keyword a, enum keyword b); /* both or none */
enum errc expect_token(struct parser *p, enum token_kind kind) MUST_CHECK;
enum errc expect_word(struct parser *p, enum keyword k) MUST_CHECK;
struct sv token_text(const struct parser *p, const struct token *t); /* as written */
bool token_is(const struct parser *p, const struct token *t, const char *word);
bool sv_same_word(struct sv a, const char *b); /* without regard to case */

/* ---- errors: all return their code ---- */
enum errc fail_at(struct parser *p, const struct token *t, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* "expected WHAT, found X", with the nearest keyword where X looks mistyped. */
enum errc fail_expected(struct parser *p, const char *what);
enum errc nest(struct parser *p) MUST_CHECK; /* one deeper; p->nesting-- when done */
enum errc set_height(struct parser *p, uint32_t height, const struct token *t) MUST_CHECK;

/* ---- names, texts, places ---- */
struct place place_from(const struct parser *p, const struct token *first);
bool at_name(const struct parser *p); /* any word or quoted name */
enum errc parse_name(struct parser *p, const char *what, struct sv *out) MUST_CHECK;
enum errc parse_qualified(struct parser *p, const char *what, struct sv **parts,
                          uint32_t *n) MUST_CHECK;
enum errc parse_name_list(struct parser *p, struct sv_list *out) MUST_CHECK; /* (a, b) */
/* One or several adjacent string literals, unescaped. */
enum errc parse_text(struct parser *p, const char *what, struct sv *out) MUST_CHECK;
/* One literal, whatever follows it. */
enum errc parse_one_text(struct parser *p, const char *what, struct sv *out) MUST_CHECK;
enum errc parse_count(struct parser *p, const char *what, int64_t *out) MUST_CHECK;
struct sv strip_quotes(struct parser *p, const struct token *t);
/* May the next token be an alias although AS is missing? */
bool at_column_alias(const struct parser *p);
bool at_table_alias(const struct parser *p);
/* May the word stand for a column? Not those that begin a clause. */
bool word_is_column(enum keyword k);

void expr_list_add(struct parser *p, struct expr_list *l, struct expr *e);
void sv_list_add(struct parser *p, struct sv_list *l, struct sv s);
void plan_list_add(struct parser *p, struct plan_list *l, struct plan *plan);
/* EXPR_FUNCTION of the expressions in l, from token `first` to the last one read. */
enum errc make_function(struct parser *p, const char *name, const struct token *first,
                        const struct expr_list *args, struct expr **out) MUST_CHECK;
struct expr *function1(struct parser *p, const char *name, const struct token *first,
                       struct expr *a);
struct expr *function2(struct parser *p, const char *name, const struct token *first,
                       struct expr *a, struct expr *b);
struct expr *text_literal(struct parser *p, struct sv text, const struct token *first);

/* ---- the grammar ---- */
enum errc parse_expr(struct parser *p, struct expr **out) MUST_CHECK;
/* Without predicates, AND, OR, NOT: Spark's valueExpression. */
enum errc parse_value(struct parser *p, struct expr **out) MUST_CHECK;
enum errc parse_exprs(struct parser *p, struct expr_list *out) MUST_CHECK; /* a, b */
enum errc parse_primary(struct parser *p, struct expr **out) MUST_CHECK;
enum errc parse_number(struct parser *p, bool minus, struct expr **out) MUST_CHECK;
bool at_number(const struct parser *p, uint32_t ahead);
enum errc parse_typed_text(struct parser *p, struct expr **out) MUST_CHECK;
enum errc parse_interval(struct parser *p, struct expr **out) MUST_CHECK;
bool at_interval(const struct parser *p);
enum errc parse_type(struct parser *p, struct type *out) MUST_CHECK;
enum errc parse_over(struct parser *p, const struct token *first, struct expr *of,
                     struct expr **out) MUST_CHECK;
enum errc parse_window_clause(struct parser *p, uint32_t uses_from) MUST_CHECK;
enum errc check_windows(struct parser *p) MUST_CHECK;
enum errc parse_sort_list(struct parser *p, struct expr_list *out) MUST_CHECK;

/* Is there a query behind the parenthesis `ahead` tokens on (or several of them)? */
bool at_subquery(const struct parser *p, uint32_t ahead);
bool at_query(const struct parser *p);
enum errc parse_query(struct parser *p, struct plan **out) MUST_CHECK;
enum errc parse_ctes(struct parser *p, struct plan_list *out) MUST_CHECK;
struct plan *wrap_ctes(struct parser *p, const struct plan_list *ctes, struct plan *body);
enum errc parse_values(struct parser *p, struct plan **out) MUST_CHECK;
enum errc parse_from(struct parser *p, struct plan **out) MUST_CHECK;
enum errc parse_group_by(struct parser *p, struct plan *aggregate) MUST_CHECK;
enum errc plan_over(struct parser *p, enum plan_kind kind, struct plan *child,
                    const struct token *first, struct plan **out) MUST_CHECK;

enum errc parse_statement(struct parser *p, struct statement *out) MUST_CHECK;
enum errc parse_create(struct parser *p, struct statement *out) MUST_CHECK;
enum errc parse_drop(struct parser *p, struct statement *out) MUST_CHECK;
enum errc parse_insert(struct parser *p, struct statement *out) MUST_CHECK;
/* OPTIONS (a 1, 'b' = 'c', d.e true) behind the word. */
enum errc parse_options(struct parser *p, struct statement *out) MUST_CHECK;

#endif
