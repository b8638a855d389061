/* The Parquet format's parts that see each other. */
#ifndef ENGINE_STORE_PARQUET_H
#define ENGINE_STORE_PARQUET_H

#include "engine/store/format.h"
#include "engine/store/parquet_meta.h"

/* Could a row of this group pass the filter? By the statistics of its chunks; true where
 * they do not tell. */
bool parquet_may_match(const struct parquet_file *f, const struct parquet_group *g,
                       const struct pushed *p);
/* The leaf of that name, without regard to case; UINT32_MAX: none. */
uint32_t parquet_leaf_ix(const struct parquet_file *f, struct sv name);

/* The writer's half of `format_parquet`. */
enum errc parquet_create(struct writer **out, struct arena *a,
                         const struct write_request *req, struct err *err) MUST_CHECK;
enum errc parquet_add(struct writer *w, const struct batch *b,
                      struct err *err) MUST_CHECK;
int64_t parquet_written(const struct writer *w);
enum errc parquet_finish(struct writer *w, struct write_counts *out,
                         struct err *err) MUST_CHECK;
void parquet_abort(struct writer *w);

extern const struct format format_parquet;

#endif
