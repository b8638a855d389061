/* Which reducer a row goes to, by an exchange's partitioning. */
#ifndef ENGINE_EXEC_PLACE_H
#define ENGINE_EXEC_PLACE_H

#include "engine/run/task.h"

/* A sample of the keys of range partitioning: up to `most` rows of a task, each as likely
 * as any other; the same rows for the same input. */
struct range_sample;
/* The keys (orders) over rows with columns `input`. On the heap. */
struct range_sample *range_sample_new(struct task *task, const struct exprs *orders,
                                      const struct exprs *input, uint32_t most);
enum errc range_sample_add(struct range_sample *s, const struct batch *b,
                           struct err *err) MUST_CHECK;
void range_sample_free(struct range_sample *s);
/* Drops what was needed for sampling only; the sample outlives its task. */
void range_sample_finish(struct range_sample *s);

/* At most partitions - 1 rows of keys that cut the samples into shares of equal weight,
 * as RangePartitioner does. On the heap, read by any thread. */
struct range_bounds;
struct range_bounds *range_bounds_new(const struct exprs *orders,
                                      struct range_sample *const *samples, uint32_t n,
                                      uint32_t partitions);
uint32_t range_bounds_partitions(const struct range_bounds *r); /* bounds + 1 */
void range_bounds_free(struct range_bounds *r);

struct placer;
/* Partitions n as `p` says; bounds for PART_RANGE. In the task's arena. */
struct placer *placer_new(struct task *task, const struct partitioning *p,
                          const struct exprs *input, const struct range_bounds *bounds);
/* reducer[row] for the rows that count. */
enum errc placer_run(struct placer *p, const struct batch *b, uint32_t *reducer,
                     struct err *err) MUST_CHECK;
void placer_release(struct placer *p);

#endif
