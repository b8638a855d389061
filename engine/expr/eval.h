/* Bound expressions computed over batches.
 *
 * eval_new compiles a tree into steps; eval_run computes them for the rows of a batch
 * that count. Scratch columns belong to the evaluator and are reused by the next run: one
 * evaluator serves one thread. Equal subtrees are computed once.
 *
 * Spark 3.5's default (ANSI off): no arithmetic or cast raises an error, bad results are
 * NULL; where `spark.sql.ansi.enabled` is on, eval_run fails with Spark's error class. */
#ifndef ENGINE_EXPR_EVAL_H
#define ENGINE_EXPR_EVAL_H

#include "engine/expr/expr.h"

struct settings;

/* What an evaluation may depend on besides the row. */
struct eval_env {
    const struct settings *settings; /* NULL: Spark's defaults */
    const struct zone *zone;         /* NULL: UTC */
    int32_t partition_id;   /* rand, spark_partition_id, monotonically_increasing_id */
    int64_t query_start_us; /* current_timestamp */
};

/* What a kernel works on: its arguments are evaluated, `out` is FLAT with room for n_rows
 * and, where the result may be NULL, a mask. For FUNC_NULL_INTOLERANT functions the mask
 * already has a 0 where an argument is NULL (compute those rows or not: their values
 * never trap). */
struct eval_call {
    const struct expr *expr;
    const struct batch *batch; /* n_rows, sel */
    const struct vec
        *args; /* may be CONST or DICT: kernels handle FLAT and CONST, see eval_flat */
    uint32_t n_args;
    struct vec *out;
    const struct eval_env *env;
    struct arena *text; /* bytes of result strings: reset by the next run */
    void *state; /* of this call, kept between batches; zeroed, state_bytes as asked */
    struct arena *keep;   /* lives as long as the evaluator: compiled patterns, sets */
    struct vec *unpacked; /* the evaluator's: arguments that eval_flat unpacked */
};

/* NULL data where DICT: unpacks (into scratch) so that kernels see FLAT or CONST only. */
const struct vec *eval_flat(struct eval_call *c, uint32_t arg);

/* Is spark.sql.ansi.enabled on? */
bool eval_ansi(const struct eval_call *c);

struct eval;

/* A bound column that is not in the batch is a wrong program. env is copied. */
struct eval *eval_new(struct arena *a, const struct expr *bound,
                      const struct eval_env *env);
/* Several at once: what they have in common is computed once. eval_run yields the first.
 */
struct eval *eval_new_list(struct arena *a, struct expr *const *bound, uint32_t n,
                           const struct eval_env *env);
/* out: one for each. */
enum errc eval_run_list(struct eval *e, const struct batch *b, struct vec *out,
                        struct err *err) MUST_CHECK;
/* *out stays valid until the next run or release. It may be a column of the batch itself.
 */
enum errc eval_run(struct eval *e, const struct batch *b, struct vec *out,
                   struct err *err) MUST_CHECK;
/* A condition (the conjunction of all, for a list): which of the rows that count are
 * true. sel_out has room for b->n_rows; may be b->sel itself. Conjuncts run one after
 * another on what is left; a comparison on a DICT column looks at each code once. */
enum errc eval_filter(struct eval *e, const struct batch *b, uint32_t *sel_out,
                      uint32_t *n_out, struct err *err) MUST_CHECK;
/* Scratch memory held, for the memory manager's books. */
size_t eval_bytes(const struct eval *e);
void eval_release(struct eval *e);

/* The value of an expression without attributes. */
enum errc eval_constant(struct arena *a, const struct expr *e, const struct eval_env *env,
                        struct value *out, struct err *err) MUST_CHECK;

/* Spark's Murmur3Hash of the columns, seed 42, for rows that count: out[row]. Exchanges
 * place rows by it (planner reference, section 4). */
void eval_murmur3(const struct vec *columns, uint32_t n, const struct batch *b,
                  uint32_t *out);

#endif
