/* Sorting any number of rows in the memory there is.
 *
 * Rows come in batches; when memory is refused, or asked back by another operator, what
 * is there is sorted and written to disk as a run; at the end runs are merged. Equal rows
 * come in the order in which they were added. */
#ifndef ENGINE_EXEC_SORTER_H
#define ENGINE_EXEC_SORTER_H

#include "engine/exec/op.h"
#include "engine/exec/rows.h"
#include "engine/exec/sort_keys.h"
#include "engine/exec/spill.h"

struct sorter;

/* Of rows of these columns; keys at the given columns. Freed with sorter_free; the struct
 * is in the arena. */
struct sorter *sorter_new(struct task *task, const struct type *types, uint32_t n_columns,
                          const struct sort_layout *layout, const uint32_t *key_columns);
/* ERR_LIMIT where not even one batch gets memory. */
/* About how many rows are to come, so that their room is made at once where memory has
 * it; below 0: not known. */
void sorter_expect(struct sorter *s, int64_t rows);
enum errc sorter_add(struct sorter *s, const struct batch *b, struct err *err) MUST_CHECK;
/* No more comes: sorts. */
enum errc sorter_finish(struct sorter *s, struct err *err) MUST_CHECK;
enum next sorter_next(struct sorter *s, struct batch *out, struct err *err);
int64_t sorter_peak_bytes(const struct sorter *s);
int64_t sorter_spilled_bytes(const struct sorter *s); /* freed by spilling */
int64_t sorter_sort_ns(const struct sorter *s);
void sorter_free(struct sorter *s);

#endif
