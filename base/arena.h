/* Memory that is freed all at once: one arena per lifetime (the loaded
 * application, a batch of events, a test). A zeroed struct is an empty arena. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/sv.h"
#include "base/util.h"

struct arena_block;

struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used_bytes;          /* handed out since the last reset */
};

/* Zeroed memory, aligned for any type. Never NULL. */
void *arena_alloc(struct arena *a, size_t size);
/* Room for n elements of `size` bytes each, zeroed. */
void *arena_array(struct arena *a, size_t n, size_t size);
/* Unzeroed bytes without alignment, for text. */
char *arena_bytes(struct arena *a, size_t size);
/* A copy with a NUL behind it that the length does not count. */
struct sv arena_sv(struct arena *a, struct sv text);
const char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Keeps one block for reuse, frees the others. */
void arena_reset(struct arena *a);
void arena_release(struct arena *a);

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))

#endif
