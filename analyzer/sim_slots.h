/* The slots of a pool, by when they become free. For simulate*.c only. */
#ifndef ANALYZER_SIM_SLOTS_H
#define ANALYZER_SIM_SLOTS_H

#include <stdint.h>

/* A heap: the slot that is free first is at the root. */
struct sim_slots {
    int64_t *free_ms;
    uint32_t n, cap;
    int64_t owed; /* slots that went before there were any */
};

/* slots < 0: those go that have been free the longest. */
void sim_slots_change(struct sim_slots *s, int32_t slots, int64_t at_ms);
/* The root is taken until then. */
void sim_slots_take(struct sim_slots *s, int64_t until_ms);
void sim_slots_release(struct sim_slots *s);

#endif
