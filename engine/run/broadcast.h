/* Broadcast relations: rows of a small side, collected once, shared by all tasks
 * read-only. As a hash relation: what BroadcastHashJoin and ShuffledHashJoin probe. */
#ifndef ENGINE_RUN_BROADCAST_H
#define ENGINE_RUN_BROADCAST_H

#include "engine/run/task.h"

/* Rows by key, built once, then read by any thread. */
struct hash_relation;
struct rows; /* plain rows kept as batches */

struct broadcast {
    struct hash_relation *hash; /* keyed mode */
    struct rows *rows;          /* identity mode, and the payload of hash */
    int64_t rows_n, data_bytes; /* metric "data size": as Spark sizes its relation
                                   (reference, section 4) */
    bool has_null_key, empty;   /* for the null-aware anti join */
};

#endif
