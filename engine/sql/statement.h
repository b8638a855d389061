/* A script as a list of statements, each parsed but not yet bound.
 *
 *   sql_parse      text -> statements; the first error stops it, with line, column and a
 * caret line
 *
 * A statement is a query (STMT_QUERY) or a command, some of which hold a query. */
#ifndef ENGINE_SQL_STATEMENT_H
#define ENGINE_SQL_STATEMENT_H

#include "engine/plan/plan.h"

enum stmt_kind {
    STMT_QUERY,   /* query */
    STMT_EXPLAIN, /* inner statement; explain mode */
    STMT_SET,     /* key = value; key alone shows; neither shows all; verbose: SET -v */
    STMT_RESET,   /* key or all */
    STMT_CREATE_VIEW,  /* TEMPORARY [VIEW name [(columns)]] AS query, or USING format
                          OPTIONS */
    STMT_DROP,         /* view or table; if_exists */
    STMT_CREATE_TABLE, /* columns and/or AS query; USING, OPTIONS, PARTITIONED BY,
                          LOCATION */
    STMT_INSERT,       /* INTO or OVERWRITE table [PARTITION (..)] [(columns)] query; or
                          OVERWRITE DIRECTORY */
    STMT_DESCRIBE,     /* table, query or function */
    STMT_SHOW,         /* tables, views, functions, columns */
    STMT_CACHE,        /* CACHE [LAZY] TABLE name [AS query]; UNCACHE; CLEAR CACHE */
    STMT_USE,          /* accepted for default */
    STMT_TRUNCATE,
};

enum explain_mode {
    EXPLAIN_SIMPLE,
    EXPLAIN_EXTENDED,
    EXPLAIN_FORMATTED,
    EXPLAIN_CODEGEN,
    EXPLAIN_COST
};

struct column_def {
    struct sv name;
    struct type type;
    bool not_null;
    struct sv comment;
    struct place place;
};

struct statement {
    enum stmt_kind kind;
    struct sv text; /* as written, without the semicolon */
    struct place place;
    struct plan *query;      /* or NULL */
    struct statement *inner; /* EXPLAIN */
    enum explain_mode explain;
    struct sv *name; /* parts of the object's name */
    uint32_t n_name;
    struct sv key, value; /* SET; SHOW's kind and LIKE pattern */
    bool has_value, verbose;
    bool temporary, replace, if_exists, if_not_exists, overwrite, global, lazy,
        negate; /* negate: UNCACHE, CLEAR */
    bool is_view, is_function, is_directory;
    struct sv format, location; /* USING, LOCATION or DIRECTORY */
    struct sv *option_keys, *option_values;
    uint32_t n_options;
    struct column_def
        *columns; /* of a new table; names only: column list of INSERT or VIEW */
    uint32_t n_columns;
    struct sv *partition_by;        /* PARTITIONED BY, or the keys of PARTITION (..) */
    struct expr **partition_values; /* per key; NULL: dynamic */
    uint32_t n_partition_by;
};

struct script {
    struct sv text;
    const char *file; /* for errors; NULL: "-e" */
    struct statement *statements;
    uint32_t n;
};

/* Names and texts of the statements may point into `text`, which must outlive them. The
 * whole script is parsed before any of it runs. ERR_SYNTAX: "FILE:LINE:COLUMN: [CLASS]
 * what
 * ..." followed by sql_caret's two lines where err has room; ERR_LIMIT likewise for what
 * is nested too deep (parser.h). Operators and predicates are EXPR_FUNCTIONs named by
 * symbol
 * ("=", "and", "not", "isnull", "like", "concat"), trims have what is cut first, rows are
 * struct(...). CURRENT_DATE and its like without parentheses are EXPR_NAMEs, which
 * analysis turns into calls where no column has that name. */
enum errc sql_parse(struct arena *a, struct sv text, const char *file, struct script *out,
                    struct err *err) MUST_CHECK;
/* One expression or one type, as of CAST or a column list in an option. */
enum errc sql_parse_expr(struct arena *a, struct sv text, struct expr **out,
                         struct err *err) MUST_CHECK;
/* The line of the script with a caret under the place, for any later error with a place.
 */
void sql_caret(struct strbuf *out, struct sv script, struct place at);
/* Is the word reserved in Spark's default (non-ANSI) mode; does a name need backquotes?
 */
bool sql_name_needs_quotes(struct sv name);

#endif
