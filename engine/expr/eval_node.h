/* The evaluator's inside, for eval*.c only. See eval.c. */
#ifndef ENGINE_EXPR_EVAL_NODE_H
#define ENGINE_EXPR_EVAL_NODE_H

#include "engine/expr/kernel.h"

enum node_kind {
    NODE_COLUMN,
    NODE_VALUE, /* a literal, or a subquery's result */
    NODE_CALL,
    NODE_CAST,
    NODE_LOGIC,  /* AND, OR */
    NODE_CHOICE, /* CASE, IF: when, then, ..., else */
    NODE_COALESCE,
    NODE_IN,
};

/* Room for BATCH_ROWS values with a mask; nodes that are not alive together share it. */
struct buffer {
    struct buffer *next_free;
    uint32_t width;
    void *data; /* NULL until first used */
    uint8_t *valid;
};

struct in_set;

/* Results per code of a dictionary, kept while the dictionary is the same. */
struct by_code {
    struct eval *eval; /* of the same expression, over the dictionary's values as rows */
    struct vec *columns; /* of its batch */
    uint32_t serial;
    struct vec values; /* FLAT */
    uint8_t *mask;     /* of values, also where none is NULL */
    uint32_t cap;
    struct arena memory, text;
};

struct node {
    enum node_kind kind;
    const struct expr *expr;
    struct node **args;
    uint32_t n_args;
    uint32_t n_parents;
    uint32_t cost;   /* about, per row: 1 is an addition */
    int32_t column;  /* the only column below; NO_COLUMN, MANY_COLUMNS */
    bool varies;     /* not deterministic, here or below */
    bool null_stays; /* NULL in its only column makes it NULL */
    bool constant;   /* nothing below varies: computed once, on one row */
    bool computed;   /* a constant that was */
    struct buffer *buffer;
    struct vec result; /* of run and scope */
    uint64_t run;
    uint32_t scope;
    struct eval_call call;
    struct vec *arg_vecs;
    uint32_t *sel[3]; /* BATCH_ROWS each, where the kind needs them */
    struct by_code *by_code;
    struct in_set *set;
    struct vec room; /* to unpack into */
};

enum { NO_COLUMN = -1, MANY_COLUMNS = -2 };

struct eval {
    struct arena *arena; /* nodes */
    struct arena memory; /* buffers, kept state */
    struct arena text;
    struct eval_env env;
    struct node **all;
    uint32_t n_all, cap_all;
    struct node **roots;
    uint32_t n_roots;
    uint64_t run;
    uint32_t scope;          /* the current one; 0: the batch as it came */
    uint32_t *scope_parents; /* of the run's scopes, by number */
    uint32_t n_scopes, cap_scopes;
    struct buffer *free[5]; /* by width 1, 2, 4, 8, 16 */
    struct filter *filter;
    bool ansi;
};

/* Forgets the last run's results. */
void node_start_run(struct eval *e);
/* node->result for the rows of b that count, in the current scope. */
enum errc node_eval(struct eval *e, struct node *n, const struct batch *b,
                    struct err *err);
/* The kinds of eval_lazy.c. */
enum errc node_eval_logic(struct eval *e, struct node *n, const struct batch *b,
                          struct err *err);
enum errc node_eval_choice(struct eval *e, struct node *n, const struct batch *b,
                           struct err *err);
enum errc node_eval_coalesce(struct eval *e, struct node *n, const struct batch *b,
                             struct err *err);
enum errc node_eval_in(struct eval *e, struct node *n, const struct batch *b,
                       struct err *err);
/* A FLAT vec over the node's buffer, with a mask of ones or without. */
struct vec node_out(struct eval *e, struct node *n, bool with_valid);
uint32_t *node_sel(struct eval *e, struct node *n, uint32_t which);
/* The result as FLAT or CONST: a DICT is unpacked into memory of the node's own. */
const struct vec *node_flat(struct eval *e, struct node *n, const struct batch *b);
/* Rows sel[0..n) of out from v, which has the same type or is all NULL. */
void rows_copy(struct vec *out, const struct vec *v, const uint32_t *sel, uint32_t n);

/* Fewer rows than the scope around: results of the scope are of no use to its siblings.
 */
struct narrow {
    struct batch batch;
    uint32_t outer;
};
void narrow_enter(struct eval *e, struct narrow *s, const struct batch *b,
                  const uint32_t *sel, uint32_t n);
void narrow_leave(struct eval *e, const struct narrow *s);

/* Rows of b where a boolean is true; with `rest`, the others go there. */
uint32_t select_true(const struct vec *v, const struct batch *b, uint32_t *to,
                     uint32_t *rest, uint32_t *n_rest);

#endif
