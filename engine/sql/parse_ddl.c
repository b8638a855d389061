/* CREATE, DROP, INSERT.
 *
 * Not handled, and said so: databases, functions, buckets, row formats, Hive's storage
 * handlers, partition transforms, column defaults, CREATE OR REPLACE TABLE. */
#include "engine/sql/parser.h"

struct column_list {
    struct column_def *at;
    uint32_t n, cap;
};

static void add_column(struct parser *p, struct column_list *l, struct column_def c)
{
    if (l->n == l->cap) {
        uint32_t cap = l->cap ? l->cap * 2 : 8;
        struct column_def *more = arena_array(p->arena, cap, sizeof *more);

        if (l->n)
            memcpy(more, l->at, l->n * sizeof *more);
        l->at = more;
        l->cap = cap;
    }
    l->at[l->n++] = c;
}

/* ---- OPTIONS, TBLPROPERTIES ---- */

/* a, a.b.c or 'any text' */
static enum errc parse_option_key(struct parser *p, struct sv *out)
{
    struct strbuf text = { 0 };
    struct sv *parts;
    uint32_t n;

    if (at_token(p, TOK_STRING)) /* the text after it is the value */
        return parse_one_text(p, "an option's name", out);
    TRY(parse_qualified(p, "an option's name", &parts, &n));
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            strbuf_addc(&text, '.');
        strbuf_add(&text, parts[i]);
    }
    *out = arena_sv(p->arena, strbuf_sv(&text));
    strbuf_release(&text);
    return ERR_OK;
}

/* A string, a number, TRUE or FALSE. */
static enum errc parse_option_value(struct parser *p, struct sv *out)
{
    const struct token *first = token_ahead(p, 0);

    if (at_token(p, TOK_STRING))
        return parse_text(p, "a value", out);
    if (at_word(p, KW_TRUE) || at_word(p, KW_FALSE)) {
        *out = at_word(p, KW_TRUE) ? SV("true") : SV("false");
        p->at++;
        return ERR_OK;
    }
    (void)take_token(p, TOK_MINUS);
    if (!at_token(p, TOK_INTEGER) && !at_token(p, TOK_DECIMAL) &&
        !at_token(p, TOK_EXPONENT))
        return fail_expected(p, "a value: a string, a number, true or false");
    p->at++;
    struct place place = place_from(p, first);
    *out = (struct sv){ p->text.p + place.offset, place.length };
    return ERR_OK;
}

static bool ends_value(const struct parser *p)
{
    return at_token(p, TOK_COMMA) || at_token(p, TOK_RPAREN);
}

/* (a 'x', b = 1, 'c.d' true, e) */
static enum errc parse_properties(struct parser *p, struct sv_list *keys,
                                  struct sv_list *values)
{
    TRY(expect_token(p, TOK_LPAREN));
    do {
        struct sv key, value = SV("");

        TRY(parse_option_key(p, &key));
        (void)take_token(p, TOK_EQ);
        if (!ends_value(p))
            TRY(parse_option_value(p, &value));
        sv_list_add(p, keys, key);
        sv_list_add(p, values, value);
    } while (take_token(p, TOK_COMMA));
    return expect_token(p, TOK_RPAREN);
}

enum errc parse_options(struct parser *p, struct statement *out)
{
    struct sv_list keys = { 0 }, values = { 0 };

    if (!take_word(p, KW_OPTIONS))
        return ERR_OK;
    TRY(parse_properties(p, &keys, &values));
    out->option_keys = keys.at;
    out->option_values = values.at;
    out->n_options = keys.n;
    return ERR_OK;
}

/* A format's name, in lower case where it is one of ours; Spark also knows class names.
 */
static enum errc parse_format(struct parser *p, struct sv *out)
{
    static const char *const known[] = { "parquet", "csv", "json" };
    struct sv *parts;
    uint32_t n;

    TRY(parse_qualified(p, "a format such as parquet", &parts, &n));
    *out = parts[n - 1];
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (sv_same_word(*out, known[i]))
            *out = sv(known[i]);
    return ERR_OK;
}

/* ---- columns ---- */

static enum errc parse_comment(struct parser *p, struct sv *out)
{
    return take_word(p, KW_COMMENT) ? parse_text(p, "a comment as a string", out)
                                    : ERR_OK;
}

/* name type [NOT NULL] [COMMENT 'x'] */
static enum errc parse_column_def(struct parser *p, struct column_def *out)
{
    const struct token *first = token_ahead(p, 0);

    TRY(parse_name(p, "a column's name", &out->name));
    TRY(parse_type(p, &out->type));
    for (;;) {
        if (take_words(p, KW_NOT, KW_NULL))
            out->not_null = true;
        else if (at_word(p, KW_COMMENT))
            TRY(parse_comment(p, &out->comment));
        else if (at_word(p, KW_DEFAULT))
            return fail_at(p, token_ahead(p, 0), "defaults of columns are not supported");
        else
            break;
    }
    out->place = place_from(p, first);
    return ERR_OK;
}

static enum errc parse_column_defs(struct parser *p, struct column_list *l)
{
    TRY(expect_token(p, TOK_LPAREN));
    do {
        struct column_def c = { 0 };

        TRY(parse_column_def(p, &c));
        add_column(p, l, c);
    } while (take_token(p, TOK_COMMA));
    return expect_token(p, TOK_RPAREN);
}

/* (a, b): names of a view's or of an INSERT's columns; a view's with comments. */
static enum errc parse_column_names(struct parser *p, struct statement *out)
{
    struct column_list l = { 0 };

    TRY(expect_token(p, TOK_LPAREN));
    do {
        const struct token *first = token_ahead(p, 0);
        struct column_def c = { 0 };

        TRY(parse_name(p, "a column's name", &c.name));
        c.place = place_from(p, first);
        TRY(parse_comment(p, &c.comment));
        add_column(p, &l, c);
    } while (take_token(p, TOK_COMMA));
    out->columns = l.at;
    out->n_columns = l.n;
    return expect_token(p, TOK_RPAREN);
}

/* ---- CREATE TABLE ---- */

/* PARTITIONED BY (a, b), or (a INT, b STRING): then they are columns as well. */
static enum errc parse_partitioned(struct parser *p, struct statement *out,
                                   struct column_list *columns)
{
    struct sv_list keys = { 0 };

    TRY(expect_word(p, KW_BY));
    TRY(expect_token(p, TOK_LPAREN));
    do {
        const struct token *first = token_ahead(p, 0);
        struct column_def c = { 0 };

        if (ahead_is(p, 1, TOK_LPAREN))
            return fail_at(p, first, "partitions by an expression are not supported");
        if (ahead_is(p, 1, TOK_COMMA) || ahead_is(p, 1, TOK_RPAREN)) {
            TRY(parse_name(p, "a column's name", &c.name));
        } else {
            TRY(parse_column_def(p, &c));
            add_column(p, columns, c);
        }
        sv_list_add(p, &keys, c.name);
    } while (take_token(p, TOK_COMMA));
    out->partition_by = keys.at;
    out->n_partition_by = keys.n;
    return expect_token(p, TOK_RPAREN);
}

static enum errc parse_table_clause(struct parser *p, struct statement *out,
                                    struct column_list *columns, bool *any)
{
    struct sv_list keys = { 0 }, values = { 0 };
    struct sv comment;

    *any = true;
    if (at_word(p, KW_OPTIONS))
        return parse_options(p, out);
    if (take_word(p, KW_USING))
        return parse_format(p, &out->format);
    if (take_words(p, KW_STORED, KW_AS))
        return parse_format(p, &out->format);
    if (take_word(p, KW_PARTITIONED))
        return parse_partitioned(p, out, columns);
    if (take_word(p, KW_LOCATION))
        return parse_text(p, "a path as a string", &out->location);
    if (at_word(p, KW_COMMENT))
        return parse_comment(p, &comment);
    if (take_word(p, KW_TBLPROPERTIES))
        return parse_properties(p, &keys, &values);
    if (at_word(p, KW_CLUSTERED))
        return fail_at(p, token_ahead(p, 0), "buckets are not supported");
    if (at_word(p, KW_ROW) || at_word(p, KW_STORED))
        return fail_at(p, token_ahead(p, 0),
                       "Hive's row formats and storage handlers are not supported: use "
                       "USING csv OPTIONS (...)");
    *any = false;
    return ERR_OK;
}

static enum errc parse_if_not_exists(struct parser *p, struct statement *out)
{
    if (!take_word(p, KW_IF))
        return ERR_OK;
    out->if_not_exists = true;
    TRY(expect_word(p, KW_NOT));
    return expect_word(p, KW_EXISTS);
}

static enum errc parse_create_table(struct parser *p, struct statement *out)
{
    struct column_list columns = { 0 };
    bool any, as;

    p->at++;
    out->kind = STMT_CREATE_TABLE;
    TRY(parse_if_not_exists(p, out));
    TRY(parse_qualified(p, "a table's name", &out->name, &out->n_name));
    if (at_word(p, KW_LIKE))
        return fail_at(p, token_ahead(p, 0), "CREATE TABLE ... LIKE is not supported");
    if (at_token(p, TOK_LPAREN) && !at_subquery(p, 0))
        TRY(parse_column_defs(p, &columns));
    do
        TRY(parse_table_clause(p, out, &columns, &any));
    while (any);
    out->columns = columns.at;
    out->n_columns = columns.n;
    as = take_word(p, KW_AS);
    if (as && !at_query(p))
        return fail_expected(p, "a query");
    return at_query(p) ? parse_query(p, &out->query) : ERR_OK;
}

/* ---- CREATE VIEW ---- */

/* TEMPORARY VIEW v [(a INT, ...)] USING csv OPTIONS (...) */
static enum errc parse_view_using(struct parser *p, struct statement *out)
{
    p->at++;
    TRY(parse_format(p, &out->format));
    return parse_options(p, out);
}

static bool columns_have_types(const struct parser *p)
{
    return at_token(p, TOK_LPAREN) && !ahead_is(p, 2, TOK_COMMA) &&
           !ahead_is(p, 2, TOK_RPAREN) && !ahead_word(p, 2, KW_COMMENT);
}

static enum errc parse_create_view(struct parser *p, struct statement *out)
{
    struct column_list columns = { 0 };
    struct sv_list keys = { 0 }, values = { 0 };
    struct sv comment;

    p->at++;
    out->kind = STMT_CREATE_VIEW;
    out->is_view = true;
    TRY(parse_if_not_exists(p, out));
    TRY(parse_qualified(p, "a view's name", &out->name, &out->n_name));
    if (columns_have_types(p)) {
        TRY(parse_column_defs(p, &columns));
        out->columns = columns.at;
        out->n_columns = columns.n;
        if (!at_word(p, KW_USING))
            return fail_expected(p,
                                 "USING: only a view over files has columns with types");
    } else if (at_token(p, TOK_LPAREN)) {
        TRY(parse_column_names(p, out));
    }
    if (at_word(p, KW_USING)) {
        if (!out->temporary)
            return fail_at(p, token_ahead(p, 0),
                           "a view over files must be a TEMPORARY VIEW");
        return parse_view_using(p, out);
    }
    for (;;) {
        if (at_word(p, KW_COMMENT))
            TRY(parse_comment(p, &comment));
        else if (take_word(p, KW_TBLPROPERTIES))
            TRY(parse_properties(p, &keys, &values));
        else
            break;
    }
    TRY(expect_word(p, KW_AS));
    return parse_query(p, &out->query);
}

enum errc parse_create(struct parser *p, struct statement *out)
{
    const struct token *first = &p->tokens[p->at++];

    if (take_word(p, KW_OR)) {
        TRY(expect_word(p, KW_REPLACE));
        out->replace = true;
    }
    out->global = take_word(p, KW_GLOBAL);
    out->temporary = take_word(p, KW_TEMPORARY) || take_word(p, KW_TEMP);
    if (at_word(p, KW_VIEW))
        return parse_create_view(p, out);
    if (out->temporary && at_word(p, KW_TABLE))
        return fail_at(
            p, token_ahead(p, 0),
            "CREATE TEMPORARY TABLE is not supported: write CREATE TEMPORARY VIEW");
    (void)take_word(p, KW_EXTERNAL);
    if (at_word(p, KW_TABLE) && out->replace)
        return fail_at(p, first,
                       "CREATE OR REPLACE is for views: DROP TABLE IF EXISTS first");
    if (at_word(p, KW_TABLE))
        return parse_create_table(p, out);
    if (at_word(p, KW_FUNCTION) || at_word(p, KW_DATABASE) ||
        token_is(p, token_ahead(p, 0), "SCHEMA"))
        return fail_at(p, token_ahead(p, 0), "CREATE %s is not supported",
                       at_word(p, KW_FUNCTION) ? "FUNCTION" : "DATABASE");
    return fail_expected(p, "TABLE or VIEW");
}

enum errc parse_drop(struct parser *p, struct statement *out)
{
    p->at++;
    out->kind = STMT_DROP;
    out->temporary = take_word(p, KW_TEMPORARY) || take_word(p, KW_TEMP);
    out->is_view = take_word(p, KW_VIEW);
    if (!out->is_view && !take_word(p, KW_TABLE))
        return fail_expected(p, "TABLE or VIEW");
    if (take_word(p, KW_IF)) {
        out->if_exists = true;
        TRY(expect_word(p, KW_EXISTS));
    }
    TRY(parse_qualified(p, "a name", &out->name, &out->n_name));
    (void)take_word(p, KW_PURGE);
    return ERR_OK;
}

/* ---- INSERT ---- */

/* PARTITION (a = 1, b): values are literals, a key without one is dynamic. */
static enum errc parse_partition(struct parser *p, struct statement *out)
{
    struct sv_list keys = { 0 };
    struct expr_list values = { 0 };

    if (!take_word(p, KW_PARTITION))
        return ERR_OK;
    TRY(expect_token(p, TOK_LPAREN));
    do {
        struct sv key;
        struct expr *value = NULL;

        TRY(parse_name(p, "a partition column", &key));
        sv_list_add(p, &keys, key);
        if (take_token(p, TOK_EQ)) {
            const struct token *t = token_ahead(p, 0);

            TRY(parse_value(p, &value));
            if (value->kind != EXPR_LITERAL)
                return fail_at(p, t, "a partition's value must be a literal");
        }
        expr_list_add(p, &values, value);
    } while (take_token(p, TOK_COMMA));
    out->partition_by = keys.at;
    out->n_partition_by = keys.n;
    out->partition_values = values.of.at;
    return expect_token(p, TOK_RPAREN);
}

/* OVERWRITE [LOCAL] DIRECTORY ['path'] USING csv [OPTIONS (...)] query */
static enum errc parse_insert_directory(struct parser *p, struct statement *out)
{
    const struct token *first;

    (void)take_word(p, KW_LOCAL);
    TRY(expect_word(p, KW_DIRECTORY));
    out->is_directory = true;
    first = token_ahead(p, 0);
    if (at_token(p, TOK_STRING))
        TRY(parse_text(p, "a path as a string", &out->location));
    if (at_word(p, KW_STORED) || at_word(p, KW_ROW))
        return fail_at(p, token_ahead(p, 0),
                       "Hive's formats are not supported: write USING csv");
    TRY(expect_word(p, KW_USING));
    TRY(parse_format(p, &out->format));
    TRY(parse_options(p, out));
    for (uint32_t i = 0; i < out->n_options && !out->location.p; i++)
        if (sv_same_word(out->option_keys[i], "path"))
            out->location = out->option_values[i];
    if (!out->location.p)
        return fail_at(p, first, "INSERT OVERWRITE DIRECTORY needs a path");
    return ERR_OK;
}

static enum errc parse_insert_table(struct parser *p, struct statement *out)
{
    (void)take_word(p, KW_TABLE);
    TRY(parse_qualified(p, "a table's name", &out->name, &out->n_name));
    TRY(parse_partition(p, out));
    TRY(parse_if_not_exists(p, out));
    if (take_words(p, KW_BY, KW_NAME))
        return fail_at(p, token_ahead(p, 0), "INSERT ... BY NAME is not supported");
    if (at_token(p, TOK_LPAREN) && !at_subquery(p, 0))
        TRY(parse_column_names(p, out));
    return ERR_OK;
}

enum errc parse_insert(struct parser *p, struct statement *out)
{
    p->at++;
    out->kind = STMT_INSERT;
    out->overwrite = take_word(p, KW_OVERWRITE);
    if (!out->overwrite && !take_word(p, KW_INTO))
        return fail_expected(p, "INTO or OVERWRITE");
    if (out->overwrite && (at_word(p, KW_DIRECTORY) ||
                           (at_word(p, KW_LOCAL) && ahead_word(p, 1, KW_DIRECTORY))))
        TRY(parse_insert_directory(p, out));
    else
        TRY(parse_insert_table(p, out));
    if (!at_query(p))
        return fail_expected(p, "SELECT, VALUES or another query");
    return parse_query(p, &out->query);
}
