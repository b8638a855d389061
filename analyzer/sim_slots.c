/* The slots of a pool; see sim_slots.h. */
#include "analyzer/sim_slots.h"

#include "base/mem.h"

#include <stdlib.h>

static void sink(struct sim_slots *s, uint32_t at)
{
    int64_t x = s->free_ms[at];

    for (;;) {
        uint32_t least = 2 * at + 1;

        if (least >= s->n)
            break;
        if (least + 1 < s->n && s->free_ms[least + 1] < s->free_ms[least])
            least++;
        if (s->free_ms[least] >= x)
            break;
        s->free_ms[at] = s->free_ms[least];
        at = least;
    }
    s->free_ms[at] = x;
}

static void add(struct sim_slots *s, int64_t at_ms)
{
    GROW(s->free_ms, s->n, s->cap);
    uint32_t at = s->n++;

    for (; at > 0 && s->free_ms[(at - 1) / 2] > at_ms; at = (at - 1) / 2)
        s->free_ms[at] = s->free_ms[(at - 1) / 2];
    s->free_ms[at] = at_ms;
}

void sim_slots_change(struct sim_slots *s, int32_t slots, int64_t at_ms)
{
    for (; slots > 0; slots--) {
        if (s->owed > 0)
            s->owed--;
        else
            add(s, at_ms);
    }
    for (; slots < 0; slots++) {
        if (s->n == 0) {
            s->owed++;
            continue;
        }
        s->free_ms[0] = s->free_ms[--s->n];
        if (s->n)
            sink(s, 0);
    }
}

void sim_slots_take(struct sim_slots *s, int64_t until_ms)
{
    s->free_ms[0] = until_ms;
    sink(s, 0);
}

void sim_slots_release(struct sim_slots *s)
{
    free(s->free_ms);
    *s = (struct sim_slots){ 0 };
}
