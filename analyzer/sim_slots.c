/* The slots of a pool; see sim_slots.h. */
#include "analyzer/sim_slots.h"

#include <stdlib.h>

void sim_slots_change(struct sim_slots *s, int32_t slots, int64_t at_ms)
{
    for (; slots > 0; slots--) {
        if (s->owed > 0)
            s->owed--;
        else
            sim_heap_push(&s->free, at_ms, 0);
    }
    for (; slots < 0; slots++) {
        if (s->free.n == 0)
            s->owed++;
        else
            (void)sim_heap_pop(&s->free);
    }
}

void sim_slots_release(struct sim_slots *s)
{
    free(s->free.at);
    *s = (struct sim_slots){ 0 };
}
