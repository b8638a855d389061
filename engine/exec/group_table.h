/* Groups by key: a hash table whose entries are rows of bytes, key first, then the states
 * of the aggregates.
 *
 *     slots: 32 bits of the hash | 1 + row     linear probing, at most half full
 *     rows:  key (see keys.h) | states, zeroed when the group is made; in chunks, of
 * which only the first moves as it grows
 *
 * A row's address may change when rows are added, its number does not. */
#ifndef ENGINE_EXEC_GROUP_TABLE_H
#define ENGINE_EXEC_GROUP_TABLE_H

#include "engine/exec/keys.h"

enum { GROUPS_CHUNK_BITS = 12, GROUPS_CHUNK = 1 << GROUPS_CHUNK_BITS };

struct group_table {
    struct key_layout keys;
    size_t stride, state_at;
    char **chunks; /* GROUPS_CHUNK rows each, the first perhaps fewer */
    uint32_t n_chunks, cap_chunks;
    uint32_t n, cap;
    uint64_t *slots;
    uint32_t bits;   /* 2^bits slots; 0: none yet */
    uint32_t likely; /* groups there may come to be: for so many slots are made, once more
                        are needed */
    struct arena text;
    uint64_t probes, lookups;
    uint32_t direct_cap; /* scratch of groups_find_codes */
    uint32_t *direct;
};

void groups_init(struct group_table *t, struct arena *a, const struct type *key_types,
                 uint32_t n_keys, size_t state_bytes);
void groups_release(struct group_table *t);
/* No groups, least memory. */
void groups_clear(struct group_table *t);
int64_t groups_bytes(const struct group_table *t);
/* Once `more` groups may have been added, with text of that many bytes. */
int64_t groups_bytes_with(const struct group_table *t, uint32_t more, int64_t text);
void groups_reserve(struct group_table *t, uint32_t more);
/* Row numbers of the keys, new groups for those not seen; groups_reserve(n) came
 * before. */
void groups_find(struct group_table *t, const struct key_batch *k, uint32_t n,
                 uint32_t *group);

static inline char *group_row(const struct group_table *t, uint32_t i)
{
    return t->chunks[i >> GROUPS_CHUNK_BITS] + t->stride * (i & (GROUPS_CHUNK - 1));
}

#endif
