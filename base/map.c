/* Open addressing with linear probing, at most two thirds full. See map.h. */
#include "base/map.h"

#include "base/mem.h"

#include <stdlib.h>

struct map_slot {
    int64_t key;
    uint32_t value; /* MAP_NONE: free */
};

static uint32_t spread(int64_t key, uint32_t cap)
{
    uint64_t h = (uint64_t)key * 0x9E3779B97F4A7C15u;

    return (uint32_t)(h >> 32) & (cap - 1);
}

uint32_t map_get(const struct map *m, int64_t key)
{
    if (m->cap == 0)
        return MAP_NONE;
    for (uint32_t i = spread(key, m->cap);; i = (i + 1) & (m->cap - 1)) {
        if (m->slots[i].value == MAP_NONE || m->slots[i].key == key)
            return m->slots[i].value;
    }
}

static void place(struct map *m, int64_t key, uint32_t value)
{
    uint32_t i = spread(key, m->cap);

    while (m->slots[i].value != MAP_NONE && m->slots[i].key != key)
        i = (i + 1) & (m->cap - 1);
    m->n += m->slots[i].value == MAP_NONE;
    m->slots[i] = (struct map_slot){ key, value };
}

void map_put(struct map *m, int64_t key, uint32_t value)
{
    if ((uint64_t)(m->n + 1) * 3 > (uint64_t)m->cap * 2) {
        struct map old = *m;

        m->cap = old.cap ? old.cap * 2 : 16;
        m->n = 0;
        m->slots = xmalloc(mem_product(m->cap, sizeof *m->slots));
        for (uint32_t i = 0; i < m->cap; i++)
            m->slots[i].value = MAP_NONE;
        for (uint32_t i = 0; i < old.cap; i++)
            if (old.slots[i].value != MAP_NONE)
                place(m, old.slots[i].key, old.slots[i].value);
        free(old.slots);
    }
    place(m, key, value);
}

void map_release(struct map *m)
{
    free(m->slots);
    *m = (struct map){ 0 };
}

struct intern_slot {
    struct sv text; /* p NULL: free */
    uint64_t hash;
};

struct sv intern(struct intern *t, struct sv text)
{
    if (!text.p)
        return text;
    if ((uint64_t)(t->n + 1) * 3 > (uint64_t)t->cap * 2) {
        uint32_t cap = t->cap ? t->cap * 2 : 64;
        struct intern_slot *slots = xcalloc(cap, sizeof *slots);

        for (uint32_t i = 0; i < t->cap; i++) {
            if (!t->slots[i].text.p)
                continue;
            uint32_t at = (uint32_t)t->slots[i].hash & (cap - 1);
            while (slots[at].text.p)
                at = (at + 1) & (cap - 1);
            slots[at] = t->slots[i];
        }
        free(t->slots);
        t->slots = slots;
        t->cap = cap;
    }
    uint64_t hash = sv_hash(text);
    uint32_t at = (uint32_t)hash & (t->cap - 1);

    for (; t->slots[at].text.p; at = (at + 1) & (t->cap - 1))
        if (t->slots[at].hash == hash && sv_eq(t->slots[at].text, text))
            return t->slots[at].text;
    t->slots[at] = (struct intern_slot){ arena_sv(t->arena, text), hash };
    t->n++;
    return t->slots[at].text;
}

void intern_release(struct intern *t)
{
    free(t->slots);
    *t = (struct intern){ 0 };
}
