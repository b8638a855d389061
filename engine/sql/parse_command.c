/* Statements that are not queries: EXPLAIN, SET, DESCRIBE, SHOW, CACHE and the like.
 *
 * SET and RESET take raw text up to the semicolon, as spark-sql does: SET a=b c;d is the
 * key a with "b c". Backquotes make room for everything else: SET `a b`=`c;d`. */
#include "engine/sql/parser.h"

#include "base/nearest.h"

#include <ctype.h>

static bool at_end(const struct parser *p)
{
    return at_token(p, TOK_SEMICOLON) || at_token(p, TOK_END);
}

/* ---- EXPLAIN ---- */

static enum errc parse_explain(struct parser *p, struct statement *out)
{
    static const struct {
        enum keyword word;
        enum explain_mode mode;
    } modes[] = { { KW_EXTENDED, EXPLAIN_EXTENDED },
                  { KW_FORMATTED, EXPLAIN_FORMATTED },
                  { KW_CODEGEN, EXPLAIN_CODEGEN },
                  { KW_COST, EXPLAIN_COST } };

    p->at++;
    out->kind = STMT_EXPLAIN;
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        if (take_word(p, modes[i].word)) {
            out->explain = modes[i].mode;
            break;
        }
    }
    if (at_word(p, KW_EXPLAIN))
        return fail_at(p, token_ahead(p, 0), "EXPLAIN of an EXPLAIN");
    out->inner = ARENA_NEW(p->arena, struct statement);
    return parse_statement(p, out->inner);
}

/* ---- SET, RESET ---- */

/* All that stands before the statement's end; comments, too. */
static struct sv rest_of_statement(struct parser *p)
{
    const struct token *first = &p->tokens[p->at];
    uint32_t from = p->at ? first[-1].place.offset + first[-1].place.length : 0;

    while (!at_end(p))
        p->at++;
    return sv_trim((struct sv){ p->text.p + from, p->tokens[p->at].place.offset - from });
}

static bool is_key(struct sv key)
{
    for (size_t i = 0; i < key.len; i++)
        if (!isalnum((unsigned char)key.p[i]) && !memchr("_.:\\", key.p[i], 4))
            return false;
    return key.len > 0;
}

static enum errc bad_set(struct parser *p, const struct token *first)
{
    return fail_at(
        p, first,
        "[INVALID_SET_SYNTAX] Expected format is 'SET', 'SET key', or 'SET "
        "key=value'. If you want to include special characters in key, or include "
        "semicolon in value, please use backquotes, e.g., SET `key`=`value`.");
}

/* SET TIME ZONE 'x' | LOCAL | INTERVAL ...: a setting by another name. */
static enum errc parse_time_zone(struct parser *p, struct statement *out)
{
    const struct token *first;
    struct expr *e = NULL;
    int64_t minutes;

    p->at += 2;
    out->key = SV("spark.sql.session.timeZone");
    out->has_value = true;
    first = token_ahead(p, 0);
    if (take_word(p, KW_LOCAL)) {
        out->value = SV("");
        return ERR_OK;
    }
    if (!at_interval(p))
        return parse_text(p, "a time zone as a string, LOCAL or an interval",
                          &out->value);
    TRY(parse_interval(p, &e));
    minutes = e->value.u.i / 60000000;
    if (e->type.id != TYPE_INTERVAL_DAY || e->value.u.i % 60000000 || minutes > 18 * 60 ||
        minutes < -18 * 60)
        return fail_at(
            p, first,
            "[INVALID_INTERVAL_FORMAT] The interval value must be in the range of "
            "[-18, +18] hours");
    out->value = sv(arena_printf(p->arena, "%c%02d:%02d", minutes < 0 ? '-' : '+',
                                 (int)(minutes < 0 ? -minutes : minutes) / 60,
                                 (int)(minutes < 0 ? -minutes : minutes) % 60));
    return ERR_OK;
}

/* key and value of a SET in backquotes; false: it is none. */
static bool take_quoted_set(struct parser *p, struct statement *out)
{
    if (!at_token(p, TOK_QUOTED))
        return false;
    out->key = strip_quotes(p, &p->tokens[p->at++]);
    if (!take_token(p, TOK_EQ))
        return at_end(p);
    out->has_value = true;
    if (at_token(p, TOK_QUOTED) &&
        (ahead_is(p, 1, TOK_SEMICOLON) || ahead_is(p, 1, TOK_END)))
        out->value = strip_quotes(p, &p->tokens[p->at++]);
    else
        out->value = rest_of_statement(p);
    return true;
}

static enum errc parse_set(struct parser *p, struct statement *out)
{
    const struct token *first = &p->tokens[p->at++];
    struct sv text;
    size_t eq;

    out->kind = STMT_SET;
    if (at_word(p, KW_TIME) && ahead_word(p, 1, KW_ZONE))
        return parse_time_zone(p, out);
    if (at_token(p, TOK_QUOTED))
        return take_quoted_set(p, out) ? ERR_OK : bad_set(p, first);
    text = rest_of_statement(p);
    if (sv_is(text, "-v")) {
        out->verbose = true;
        return ERR_OK;
    }
    if (!text.len)
        return ERR_OK;
    eq = sv_find(text, SV("="));
    out->has_value = eq != SIZE_MAX;
    out->key = out->has_value ? sv_trim((struct sv){ text.p, eq }) : text;
    if (out->has_value)
        out->value = sv_trim(sv_from(text, eq + 1));
    if (out->has_value && out->value.len > 1 && out->value.p[0] == '`' &&
        out->value.p[out->value.len - 1] == '`')
        out->value = (struct sv){ out->value.p + 1, out->value.len - 2 };
    return is_key(out->key) ? ERR_OK : bad_set(p, first);
}

static enum errc parse_reset(struct parser *p, struct statement *out)
{
    const struct token *first = &p->tokens[p->at++];

    out->kind = STMT_RESET;
    if (at_token(p, TOK_QUOTED)) {
        out->key = strip_quotes(p, &p->tokens[p->at++]);
        return ERR_OK;
    }
    struct sv text = rest_of_statement(p);
    if (text.len && !is_key(text))
        return fail_at(
            p, first,
            "Expected format is 'RESET' or 'RESET key'. If you want to include "
            "special characters in key, please use quotes, e.g., RESET `key`.");
    if (text.len)
        out->key = text;
    return ERR_OK;
}

/* ---- DESCRIBE, SHOW ---- */

static enum errc parse_describe(struct parser *p, struct statement *out)
{
    p->at++;
    out->kind = STMT_DESCRIBE;
    if (at_word(p, KW_FUNCTION) && !ahead_is(p, 1, TOK_SEMICOLON) &&
        !ahead_is(p, 1, TOK_END)) {
        p->at++;
        out->is_function = true;
        out->verbose = take_word(p, KW_EXTENDED);
        if (at_name(p))
            return parse_qualified(p, "a function's name", &out->name, &out->n_name);
        if (at_end(p))
            return fail_expected(p, "a function's name");
        out->name = ARENA_NEW(p->arena, struct sv); /* an operator or a quoted name */
        out->n_name = 1;
        if (at_token(p, TOK_STRING))
            return parse_text(p, "a function's name", &out->name[0]);
        out->name[0] = token_text(p, &p->tokens[p->at++]);
        return ERR_OK;
    }
    (void)take_word(p, KW_TABLE);
    out->verbose = (at_word(p, KW_EXTENDED) || at_word(p, KW_FORMATTED)) &&
                   !ahead_is(p, 1, TOK_SEMICOLON) && !ahead_is(p, 1, TOK_END);
    p->at += out->verbose;
    if (token_is(p, token_ahead(p, 0), "QUERY"))
        p->at++;
    if (at_query(p))
        return parse_query(p, &out->query);
    if (at_word(p, KW_DATABASE) || token_is(p, token_ahead(p, 0), "SCHEMA"))
        return fail_at(p, token_ahead(p, 0),
                       "databases are not supported: there is one, default");
    return parse_qualified(p, "a table, a view or a query", &out->name, &out->n_name);
}

/* [LIKE] 'pattern' into value. */
static enum errc parse_pattern(struct parser *p, struct statement *out)
{
    if (take_word(p, KW_LIKE) || at_token(p, TOK_STRING)) {
        out->has_value = true;
        return parse_text(p, "a pattern as a string", &out->value);
    }
    return ERR_OK;
}

/* [FROM | IN name] */
static enum errc parse_scope(struct parser *p, struct statement *out)
{
    if (!take_word(p, KW_FROM) && !take_word(p, KW_IN))
        return ERR_OK;
    return parse_qualified(p, "a name", &out->name, &out->n_name);
}

static enum errc parse_show(struct parser *p, struct statement *out)
{
    const struct token *what = token_ahead(p, 1);

    p->at++;
    out->kind = STMT_SHOW;
    switch ((int)(what->kind == TOK_WORD ? what->keyword : KW_NONE)) {
    case KW_TABLES:
    case KW_VIEWS:
        out->key = what->keyword == KW_TABLES ? SV("tables") : SV("views");
        p->at++;
        TRY(parse_scope(p, out));
        return parse_pattern(p, out);
    case KW_DATABASES:
        out->key = SV("databases");
        p->at++;
        return parse_pattern(p, out);
    case KW_COLUMNS:
        out->key = SV("columns");
        p->at++;
        if (!at_word(p, KW_FROM) && !at_word(p, KW_IN))
            return fail_expected(p, "FROM or IN");
        return parse_scope(p, out);
    case KW_FUNCTIONS:
        out->key = SV("functions");
        p->at++;
        if (at_name(p) && !at_word(p, KW_LIKE)) {
            out->has_value = true;
            return parse_name(p, "a function's name", &out->value);
        }
        return parse_pattern(p, out);
    default:
        break;
    }
    if ((token_is(p, what, "USER") || token_is(p, what, "SYSTEM") ||
         what->keyword == KW_ALL) &&
        ahead_word(p, 1, KW_FUNCTIONS)) {
        out->key = SV("functions");
        p->at += 2;
        return parse_pattern(p, out);
    }
    return fail_expected(p, "TABLES, VIEWS, COLUMNS, FUNCTIONS or DATABASES");
}

/* ---- CACHE, UNCACHE, CLEAR CACHE ---- */

static enum errc parse_if_exists(struct parser *p, struct statement *out)
{
    if (!take_word(p, KW_IF))
        return ERR_OK;
    out->if_exists = true;
    return expect_word(p, KW_EXISTS);
}

static enum errc parse_cache(struct parser *p, struct statement *out)
{
    bool as;

    p->at++;
    out->kind = STMT_CACHE;
    out->lazy = take_word(p, KW_LAZY);
    TRY(expect_word(p, KW_TABLE));
    TRY(parse_qualified(p, "a table's name", &out->name, &out->n_name));
    TRY(parse_options(p, out));
    as = take_word(p, KW_AS);
    if (as && !at_query(p))
        return fail_expected(p, "a query");
    return at_query(p) ? parse_query(p, &out->query) : ERR_OK;
}

static enum errc parse_uncache(struct parser *p, struct statement *out)
{
    out->kind = STMT_CACHE;
    out->negate = true;
    if (take_words(p, KW_CLEAR, KW_CACHE))
        return ERR_OK;
    if (take_word(p, KW_CLEAR))
        return fail_expected(p, "CACHE");
    p->at++;
    TRY(expect_word(p, KW_TABLE));
    TRY(parse_if_exists(p, out));
    return parse_qualified(p, "a table's name", &out->name, &out->n_name);
}

/* Tables are looked at anew by every statement: all there is to do is to know the name,
 * which CACHE without a query does as well. */
static enum errc parse_refresh(struct parser *p, struct statement *out)
{
    p->at++;
    out->kind = STMT_CACHE;
    (void)take_word(p, KW_TABLE);
    return parse_qualified(p, "a table's name", &out->name, &out->n_name);
}

/* ---- USE, TRUNCATE ---- */

static enum errc parse_use(struct parser *p, struct statement *out)
{
    p->at++;
    out->kind = STMT_USE;
    if (!take_word(p, KW_DATABASE) &&
        (token_is(p, token_ahead(p, 0), "SCHEMA") ||
         token_is(p, token_ahead(p, 0), "NAMESPACE")) &&
        !ahead_is(p, 1, TOK_SEMICOLON) && !ahead_is(p, 1, TOK_END))
        p->at++;
    return parse_qualified(p, "a database", &out->name, &out->n_name);
}

static enum errc parse_truncate(struct parser *p, struct statement *out)
{
    p->at++;
    out->kind = STMT_TRUNCATE;
    TRY(expect_word(p, KW_TABLE));
    TRY(parse_qualified(p, "a table's name", &out->name, &out->n_name));
    if (at_word(p, KW_PARTITION))
        return fail_at(p, token_ahead(p, 0),
                       "TRUNCATE of single partitions is not supported");
    return ERR_OK;
}

/* ---- all ---- */

/* WITH a AS (...) stands before INSERT as well as before SELECT. */
static enum errc parse_with(struct parser *p, struct statement *out)
{
    uint32_t start = p->at;
    struct plan_list ctes = { 0 };

    TRY(parse_ctes(p, &ctes));
    if (!at_word(p, KW_INSERT)) {
        p->at = start;
        p->n_windows = 0;
        out->kind = STMT_QUERY;
        return parse_query(p, &out->query);
    }
    TRY(parse_insert(p, out));
    out->query = wrap_ctes(p, &ctes, out->query);
    return ERR_OK;
}

static enum errc unknown_statement(struct parser *p)
{
    static const char *const elsewhere[] = { "ALTER",   "ANALYZE", "DELETE",   "UPDATE",
                                             "MERGE",   "MSCK",    "LOAD",     "REVOKE",
                                             "ADD",     "LIST",    "EXPORT",   "IMPORT",
                                             "REPAIR",  "COMMENT", "DECLARE",  "COMMIT",
                                             "ROLLBACK", "LOCK",   "UNLOCK",   "START",
                                             "DFS" };
    static const enum keyword begins[] = {
        KW_SELECT, KW_WITH,  KW_INSERT,   KW_CREATE, KW_DROP,  KW_EXPLAIN,
        KW_SET,    KW_RESET, KW_DESCRIBE, KW_SHOW,   KW_CACHE, KW_UNCACHE,
        KW_CLEAR,  KW_USE,   KW_TRUNCATE, KW_VALUES, KW_TABLE
    };
    const struct token *t = token_ahead(p, 0);
    struct nearest near = { .word = token_text(p, t) };

    for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++)
        if (token_is(p, t, elsewhere[i]))
            return fail_at(p, t, "%s is a statement that the engine does not have",
                           elsewhere[i]);
    for (size_t i = 0; i < ARRAY_LEN(begins); i++)
        nearest_try(&near, sv(keyword_text(begins[i])));
    if (t->kind == TOK_WORD && near.best.p)
        return fail_at(
            p, t, "[PARSE_SYNTAX_ERROR] %.*s begins no statement: did you mean %.*s?",
            SV_FMT(near.word), SV_FMT(near.best));
    return fail_at(p, t, "[PARSE_SYNTAX_ERROR] expected a statement, found %s",
                   t->kind == TOK_END   ? "the end"
                   : t->kind == TOK_BAD ? t->bad
                                        : arena_sv(p->arena, near.word).p);
}

enum errc parse_statement(struct parser *p, struct statement *out)
{
    const struct token *t = token_ahead(p, 0);

    switch ((int)(t->kind == TOK_WORD ? t->keyword : KW_NONE)) {
    case KW_WITH:
        return parse_with(p, out);
    case KW_EXPLAIN:
        return parse_explain(p, out);
    case KW_SET:
        return parse_set(p, out);
    case KW_RESET:
        return parse_reset(p, out);
    case KW_DESC:
    case KW_DESCRIBE:
        return parse_describe(p, out);
    case KW_SHOW:
        return parse_show(p, out);
    case KW_CACHE:
        return parse_cache(p, out);
    case KW_UNCACHE:
    case KW_CLEAR:
        return parse_uncache(p, out);
    case KW_USE:
        return parse_use(p, out);
    case KW_TRUNCATE:
        return parse_truncate(p, out);
    case KW_CREATE:
        return parse_create(p, out);
    case KW_DROP:
        return parse_drop(p, out);
    case KW_INSERT:
        return parse_insert(p, out);
    default:
        break;
    }
    if (token_is(p, t, "REFRESH"))
        return parse_refresh(p, out);
    if (!at_query(p) && !at_token(p, TOK_LPAREN))
        return unknown_statement(p);
    out->kind = STMT_QUERY;
    return parse_query(p, &out->query);
}
