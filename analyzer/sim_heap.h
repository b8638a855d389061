/* A heap of (key, value) pairs, least key first, equal keys by value. For simulate*.c
 * only. */
#ifndef ANALYZER_SIM_HEAP_H
#define ANALYZER_SIM_HEAP_H

#include "base/mem.h"

struct sim_pair {
    int64_t key;
    uint32_t value;
};

struct sim_heap {
    struct sim_pair *at; /* at[0] is the least */
    uint32_t n, cap;
};

static inline bool sim_pair_before(struct sim_pair x, struct sim_pair y)
{
    return x.key != y.key ? x.key < y.key : x.value < y.value;
}

static inline void sim_heap_push(struct sim_heap *h, int64_t key, uint32_t value)
{
    struct sim_pair x = { key, value };

    GROW(h->at, h->n, h->cap);
    uint32_t i = h->n++;
    for (; i > 0 && sim_pair_before(x, h->at[(i - 1) / 2]); i = (i - 1) / 2)
        h->at[i] = h->at[(i - 1) / 2];
    h->at[i] = x;
}

/* The least, put in anew with this key. */
static inline void sim_heap_rekey(struct sim_heap *h, int64_t key)
{
    struct sim_pair x = { key, h->at[0].value };
    uint32_t i = 0;

    for (;;) {
        uint32_t least = 2 * i + 1;

        if (least >= h->n)
            break;
        if (least + 1 < h->n && sim_pair_before(h->at[least + 1], h->at[least]))
            least++;
        if (!sim_pair_before(h->at[least], x))
            break;
        h->at[i] = h->at[least];
        i = least;
    }
    h->at[i] = x;
}

static inline struct sim_pair sim_heap_pop(struct sim_heap *h)
{
    struct sim_pair out = h->at[0], last = h->at[--h->n];

    if (h->n) {
        h->at[0].value = last.value;
        sim_heap_rekey(h, last.key);
    }
    return out;
}

#endif
