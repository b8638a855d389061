/* Edits: what a change would do to the table of a run. Each works on a copy that sim_copy
 * made; tasks that an edit changes are copied into the arena then.
 *
 * Edits only say what a change does to tasks, slots and waits; whether that makes the run
 * shorter is for the replay to say. Definitions: docs/method.md, section 5. */
#ifndef ANALYZER_SIM_EDIT_H
#define ANALYZER_SIM_EDIT_H

#include "analyzer/simulate.h"

void sim_copy(struct sim_table *out, const struct sim_table *t, struct arena *arena);

/* Every task of the stage takes that share (0..1) less. */
void sim_shrink(struct sim_table *t, uint32_t stage_ix, double share,
                struct arena *arena);
/* No task of the stage takes longer than the longest less `ms`, though not less than the
 * median; what is cut off is shared out among all. */
void sim_level(struct sim_table *t, uint32_t stage_ix, int64_t ms, struct arena *arena);
/* Each task becomes `pieces` that take that share of its time each. */
void sim_split(struct sim_table *t, uint32_t stage_ix, uint32_t pieces, double share,
               struct arena *arena);
/* Attempts that did not count take that share less; 1: they are gone. */
void sim_drop_retries(struct sim_table *t, uint32_t stage_ix, double share,
                      struct arena *arena);
/* Launches of the stage come that share (0..1) of their delay earlier. */
void sim_hasten(struct sim_table *t, uint32_t stage_ix, double share,
                struct arena *arena);
/* The stage is submitted so much earlier after what it waited for; IX_NONE: the end of
 * the application after its last stage. */
void sim_shorten_lag(struct sim_table *t, uint32_t stage_ix, int64_t ms);
/* The stage did not run. */
void sim_remove(struct sim_table *t, uint32_t stage_ix);

/* As many slots as it had, times `factor`; whoever came and went comes and goes with so
 * many, at least one while somebody was there. */
void sim_slots_times(struct sim_table *t, double factor, struct arena *arena);
/* Those slots of pool 0 from the first that came to the end: nobody comes or goes. */
void sim_slots_fixed(struct sim_table *t, uint32_t slots, struct arena *arena);
/* The most slots of pool 0 at one moment. */
int64_t sim_slots_peak(const struct sim_table *t);

/* Task times drawn anew, with repetition, from those of the same stage: one bootstrap
 * sample. `seed` says which. */
void sim_resample(struct sim_table *t, uint64_t seed, struct arena *arena);

/* Time of all tasks together: what the run costs in slots. */
int64_t sim_task_ms(const struct sim_table *t);

#endif
