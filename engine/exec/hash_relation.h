/* Rows of a join's build side by key: built once, then read by any thread.
 *
 * Rows with a NULL in their key are kept (outer joins put them out) but never found. Keys
 * of one integral column that are dense find their row in an array by the key itself;
 * others by hash. Rows of equal keys form a chain. */
#ifndef ENGINE_EXEC_HASH_RELATION_H
#define ENGINE_EXEC_HASH_RELATION_H

#include "engine/exec/keys.h"
#include "engine/exec/rows.h"

struct hash_relation;

struct hash_relation *hash_relation_new(const struct type *types, uint32_t n_columns,
                                        const struct type *key_types, uint32_t n_keys);
void hash_relation_free(struct hash_relation *r);
/* Bytes held now, and at most once b is in and the table is built. */
int64_t hash_relation_bytes(const struct hash_relation *r);
int64_t hash_relation_bytes_with(const struct hash_relation *r, const struct batch *b);
/* keys: the key columns, computed for b. Up to 2^32 - 2 rows in all: ERR_LIMIT beyond. */
enum errc hash_relation_add(struct hash_relation *r, const struct batch *b,
                            const struct vec *keys, struct err *err) MUST_CHECK;
void hash_relation_finish(struct hash_relation *r);

/* All rows, those with NULL keys included. */
const struct rows *hash_relation_rows(const struct hash_relation *r);
bool hash_relation_has_null_key(const struct hash_relation *r);
bool hash_relation_is_unique(const struct hash_relation *r);
/* The size Spark's relation would have (metric "data size"; reference, section 4):
 * page_bytes is the memory manager's. */
int64_t hash_relation_spark_bytes(const struct hash_relation *r, int64_t page_bytes);

/* One prober per thread; in an arena. */
struct hash_prober {
    const struct hash_relation *relation;
    struct key_batch keys;
};
void hash_prober_init(struct hash_prober *p, struct arena *a,
                      const struct hash_relation *r);
void hash_prober_release(struct hash_prober *p);
/* head[i]: the first row of the i-th row that counts, ROWS_NONE: none. Returns how many
 * have one. */
uint32_t hash_probe(struct hash_prober *p, const struct vec *keys, const struct batch *b,
                    uint32_t *head);
/* The next row of the same key, or ROWS_NONE. */
uint32_t hash_relation_next(const struct hash_relation *r, uint32_t row);

#endif
