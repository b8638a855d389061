/* The slots of a pool, by when they become free. For simulate*.c only. */
#ifndef ANALYZER_SIM_SLOTS_H
#define ANALYZER_SIM_SLOTS_H

#include "analyzer/sim_heap.h"

struct sim_slots {
    struct sim_heap free; /* keys: when each is free; values are not used */
    int64_t owed;         /* slots that went before there were any */
};

/* slots < 0: those go that have been free the longest. */
void sim_slots_change(struct sim_slots *s, int32_t slots, int64_t at_ms);
void sim_slots_release(struct sim_slots *s);

static inline uint32_t sim_slots_n(const struct sim_slots *s)
{
    return s->free.n;
}

/* When the first is free; there is one. */
static inline int64_t sim_slots_first_ms(const struct sim_slots *s)
{
    return s->free.at[0].key;
}

/* That one is taken until then. */
static inline void sim_slots_take(struct sim_slots *s, int64_t until_ms)
{
    sim_heap_rekey(&s->free, until_ms);
}

#endif
