/* Functions and operators: one descriptor each, in lists by family.
 *
 * A function says what arguments it takes, how they are cast, what it yields and how it
 * is computed over a batch. Operators are functions with a symbol. The analyser looks a
 * name up here; EXPLAIN, DESCRIBE FUNCTION and error suggestions come from the same list.
 */
#ifndef ENGINE_EXPR_FUNC_H
#define ENGINE_EXPR_FUNC_H

#include "engine/expr/expr.h"

/* Functions that rewrites and planning know by name. All others are FUNC_OTHER. */
enum func_id {
    FUNC_OTHER,
    FUNC_AND,
    FUNC_OR,
    FUNC_NOT,
    FUNC_EQ,
    FUNC_EQ_NULL_SAFE,
    FUNC_LT,
    FUNC_LE,
    FUNC_GT,
    FUNC_GE, /* != is NOT(=), as in Spark */
    FUNC_IS_NULL,
    FUNC_IS_NOT_NULL,
    FUNC_COALESCE,
    FUNC_IF,
    FUNC_NULLIF,
    FUNC_ADD,
    FUNC_SUBTRACT,
    FUNC_MULTIPLY,
    FUNC_DIVIDE,
    FUNC_REMAINDER,
    FUNC_DIV,
    FUNC_NEGATE,
    FUNC_LIKE,
    FUNC_RLIKE,
    FUNC_STARTS_WITH,
    FUNC_ENDS_WITH,
    FUNC_CONTAINS,
    FUNC_LENGTH,
    FUNC_RAND,
    FUNC_MIGHT_CONTAIN,
    FUNC_MURMUR3,
    FUNC_XXHASH64,
    FUNC_ROW_NUMBER,
    FUNC_RANK,
    FUNC_DENSE_RANK,
    FUNC_PROMOTE_PRECISION,
    FUNC_KNOWN_FLOATING_NORMALIZED,
    FUNC_UNSCALED_VALUE,
    FUNC_MAKE_DECIMAL, /* DecimalAggregates */
};

enum func_flag {
    FUNC_NULL_INTOLERANT =
        1,             /* NULL if any argument is NULL (the evaluator then sees to it) */
    FUNC_NOT_NULL = 2, /* never NULL */
    FUNC_MAYBE_NULL = 4, /* may be NULL though no argument is */
    FUNC_NONDETERMINISTIC = 8,
    FUNC_COMMUTATIVE = 16,
    FUNC_WINDOW_ONLY = 32, /* rank(), lead(): no kernel, run by the window operator */
    FUNC_LAZY = 64, /* the evaluator computes it itself, arguments only where needed */
    FUNC_ALL_NULL = 128,     /* NULL only where all arguments are (coalesce, greatest) */
    FUNC_DECIMAL_NULL = 256, /* a decimal result may be NULL: too many digits */
    FUNC_CAPITALS = 512, /* prints SQRT(x), unless it was called by an alias */
    FUNC_ONE_NAME = 1024, /* prints its name also where it was called by an alias */
};

/* What analysis knows when it binds a call; a bind hook reads arg types (and literals)
 * and sets `want` (each argument is cast to it) and `type`. */
struct func_bind {
    struct arena *arena;
    const struct settings *settings;
    struct expr **args;
    uint32_t n_args;
    struct type *want;       /* n_args, preset to the arguments' own types */
    struct type type;        /* the result */
    const struct func *func; /* may be replaced by a more specific one */
    struct expr *done;       /* set: no call at all, this expression instead */
};

struct eval_call;

struct func {
    const char *name; /* as Spark's pretty name; lower case; NULL ends a list */
    const char
        *symbol; /* infix or prefix operator, printed "(a + b)"; NULL: name(args) */
    const char *aliases; /* further names, separated by blanks; NULL: none */
    enum func_id id;
    uint8_t min_args, max_args; /* max 255: any number */
    uint32_t flags;
    /* Argument classes and result, for functions whose binding needs no code: "sii:s".
     * One letter an argument, optional ones included, `*` repeats the last:
     *   b boolean  i int  l bigint  d double  s string  x binary  D date  T timestamp
     *   t string or binary as it is, others to string    a anything, as it is
     *   n any number as it is, text to double            g any integral, as it is
     *   u all u arguments get one type, as CASE's results do
     * Result: a letter, or the number of the argument whose type it has, from 1. What
     * Spark casts implicitly is cast, anything else refused. */
    const char *sig;
    /* The literal that the last argument is where it is left out: "i1" an int, "s " text,
     * "bt" true. It shows, as in Spark. NULL: none. */
    const char *fill;
    /* ERR_SYNTAX: "DATATYPE_MISMATCH ..." with what was expected. It may put other
     * expressions into args and another function into func. NULL: by sig; no sig either:
     * result is the type of the first argument and arguments stay as they are. */
    enum errc (*bind)(struct func_bind *b, struct err *err);
    /* Computes rows batch_row(b, 0..n_sel) into c->out (FLAT, as the header of eval.h
     * says). */
    enum errc (*run)(struct eval_call *c, struct err *err);
    uint16_t state_bytes;         /* of eval_call's state, zeroed at first */
    void (*release)(void *state); /* NULL: nothing but memory of the evaluator in it */
    /* What Spark's ReplaceExpressions puts in its place when optimising (nvl is coalesce,
     * nullif an IF), in types as bound; the evaluator does it for itself if nobody did.
     * NULL: it is computed as it stands. */
    struct expr *(*replace)(struct arena *a, const struct settings *s,
                            const struct expr *e);
    /* NULL: as `symbol` and `name` say. */
    void (*print)(struct strbuf *out, const struct expr *e, enum expr_print how);
    /* What Spark's plans show behind the arguments: "42", "None"; "@" is the session's
     * zone, "Some(UTC)". NULL: nothing. */
    const char *plan_tail;
    const char *usage; /* one line for DESCRIBE FUNCTION */
};

/* By SQL name (case-blind), alias or symbol; NULL: none. "-" is subtraction. Spark's
 * automatic column names show the alias: who builds a call by one keeps it in e->name. */
const struct func *func_find(struct sv name);
const struct func *func_of(enum func_id id);
/* The nearest name of a function or aggregate, for "did you mean"; absent when none is
 * near. */
struct sv func_nearest(struct sv name);
/* May the call's result be NULL? */
bool func_nullable(const struct func *f, struct type result, struct expr *const *args,
                   uint32_t n);
/* All of them in the order of the lists; NULL behind the last. */
const struct func *func_at(uint32_t i);
/* A resolved call: binds, casts the arguments as wanted, sets type and nullability. */
enum errc func_call(struct arena *a, const struct settings *s, const struct func *f,
                    struct expr **args, uint32_t n, struct expr **out,
                    struct err *err) MUST_CHECK;

/* Spark's implicit casting (TypeCoercion, non-ANSI). False: none. */

/* What both sides of a comparison become: text meets the other side's type, decimals meet
 * text and float as double. */
bool coerce_common(struct type a, struct type b, struct type *out);
/* Set operations, CASE, COALESCE, IN: text makes text of all but booleans and bytes. */
bool coerce_union(struct type a, struct type b, struct type *out);
/* May a function's argument of type `from` be cast to the type it wants? */
bool coerce_implicit(struct type from, struct type to);
/* Does CAST take it? */
bool cast_possible(struct type from, struct type to);

/* ---- aggregates ---- */

/* State of one group: `state_bytes` bytes in the operator's table, zeroed at first.
 * Variable-size state (text of min/max, sets) goes into `heap`, which the operator
 * accounts for. */
struct agg_run {
    const struct agg *agg;
    const struct expr *expr; /* EXPR_AGGREGATE, bound */
    struct arena *heap;
    const struct type *arg_types;
    uint32_t n_args;
    struct type result;
};

struct agg_bind {
    struct arena *arena;
    const struct settings *settings;
    struct expr **args;
    uint32_t n_args;
    struct type *want;
    struct type type; /* of the result */
    bool nullable;    /* of the result; preset true */
    const struct agg *agg;
};

enum { AGG_MAX_BUFFER = 52 }; /* approx_count_distinct has as many words */

struct agg {
    const char *name;
    const char *aliases;
    uint8_t min_args, max_args;
    /* Spark's physical family: fixed-width buffers hash, object buffers ObjectHash, else
     * Sort. */
    enum { AGG_BUFFER_FIXED, AGG_BUFFER_OBJECT, AGG_BUFFER_VARIABLE } buffer;
    bool duplicates_matter; /* false: DISTINCT changes nothing (min, max, first) */
    bool order_matters;     /* first, last */
    enum errc (*bind)(struct agg_bind *b, struct err *err);
    /* Types and names of the columns a partial aggregate puts out ("sum", "count",
     * "isEmpty"); returns how many. */
    uint32_t (*buffers)(const struct expr *e, struct type *types, const char **names);
    size_t (*state_bytes)(const struct agg_run *r);
    /* Rows batch_row(b, i) go to states[i]; args are the evaluated arguments. */
    void (*update)(const struct agg_run *r, uint8_t **states, const struct vec *args,
                   const struct batch *b);
    /* The same from partial columns. */
    void (*merge)(const struct agg_run *r, uint8_t **states, const struct vec *buffers,
                  const struct batch *b);
    /* n states into rows 0..n of FLAT vecs that have masks of ones. Text keeps pointing
     * into the states. */
    void (*partial)(const struct agg_run *r, uint8_t *const *states, uint32_t n,
                    struct vec *buffers);
    void (*final)(const struct agg_run *r, uint8_t *const *states, uint32_t n,
                  struct vec *out);
    /* All rows of the batch into one state (no GROUP BY); NULL: update with equal
     * pointers. */
    void (*update_all)(const struct agg_run *r, uint8_t *state, const struct vec *args,
                       const struct batch *b);
    const char *usage;
    /* Its arguments, where Spark prints more or fewer of them ("first(a#1, false)" for a
     * plan, "first(a)" as name); NULL: all. Name, DISTINCT and FILTER are printed around
     * it. */
    void (*print_args)(struct strbuf *out, const struct expr *e, enum expr_print how);
    /* As that of functions: bool_and is min. */
    struct expr *(*replace)(struct arena *a, const struct settings *s,
                            const struct expr *e);
    const char *fill, *plan_tail; /* as those of functions */
};

const struct agg *agg_find(struct sv name); /* as func_find */
const struct agg *agg_at(uint32_t i);
/* A resolved EXPR_AGGREGATE in mode COMPLETE, without id. */
enum errc agg_call(struct arena *a, const struct settings *s, const struct agg *g,
                   struct expr **args, uint32_t n, bool distinct, struct expr *filter,
                   struct expr **out, struct err *err) MUST_CHECK;

#endif
