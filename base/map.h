/* A hash map from int64 or text to a 32-bit position. Iteration is not offered:
 * order in this program is that of ids or arrival, never of a hash. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/arena.h"
#include "base/sv.h"

#define MAP_NONE UINT32_MAX

struct map_slot;

struct map { /* zeroed: empty */
    struct map_slot *slots;
    uint32_t n, cap;
};

/* Position stored under key, or MAP_NONE. */
uint32_t map_get(const struct map *m, int64_t key);
/* Stores or replaces. value must not be MAP_NONE. */
void map_put(struct map *m, int64_t key, uint32_t value);
void map_release(struct map *m);

/* Interned text: equal text has equal pointers. Text lives in the arena. */
struct intern { /* zeroed: empty */
    struct intern_slot *slots;
    uint32_t n, cap;
    struct arena *arena; /* set before first use */
};

/* The one copy of text (NUL-terminated). Absent text stays absent. */
struct sv intern(struct intern *t, struct sv text);
void intern_release(struct intern *t);

#endif
