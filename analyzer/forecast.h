/* What a change would make of a run: the replay with the change against the replay
 * without it, as a range. Definitions: docs/method.md, sections 4 and 5. */
#ifndef ANALYZER_FORECAST_H
#define ANALYZER_FORECAST_H

#include "analyzer/analysis.h"
#include "analyzer/sim_edit.h"

/* The run as a table, and played again without a change. */
struct replay {
    bool built;
    struct sim_table table;
    struct sim_result base; /* with spans; of a table without tasks: zeroed */
    struct arena arena;     /* of both */
};

/* Made when it is asked for first, then kept: whoever forecasts anything of this run
 * starts from it. Not for two threads at once. */
const struct replay *analysis_replay(const struct analysis *a);

enum bound { BOUND_LOW, BOUND_EXPECTED, BOUND_HIGH }; /* of what the change saves */

/* Changes the table, which is a copy, as far as the bound says. */
typedef void (*forecast_edit)(void *ctx, struct sim_table *t, enum bound bound,
                              struct arena *arena);

struct forecast {
    int64_t now_ms;    /* the application's wall time in the log */
    int64_t replay_ms; /* what the replay without the change makes of it */
    int64_t low_ms, expected_ms, high_ms; /* wall time with the change; low <= high */
    int64_t less_ms, more_ms; /* how far the change itself may miss what is expected */
    int64_t run_ms;           /* nine in ten of what two runs differ by */
    int64_t task_ms_now, task_ms;    /* all tasks together, now and with the change */
    struct sim_span *before, *after; /* per stage attempt, in the arena */
    uint32_t samples;                /* bootstrap samples that the range stands on */
    bool stuck; /* some replay met stages or tasks that nothing let run */
};

/* Two runs of one job on one machine are not equally long. Standard deviations: of a run's
 * jobs, as a share of their time, over the identical runs of the labelled logs (8 % of 12
 * and 6 % of 6 runs); and of how warm the JVM is, by the same stage that reads one file's
 * footer in 71 of those logs (14 to 1464 ms). The run of the log has both, and the one
 * foretold again. */
#define FORECAST_RUN_NOISE 0.07
#define FORECAST_START_NOISE_MS 240.0

/* `base` is the table played as it is, with spans, which the forecast goes on pointing to.
 * The range holds the edit at its low and high bound, nine in ten of the bootstrap
 * samples (so many at most, fewer where there are many tasks; 0: none), the replay's own
 * error, and nine in ten of what two runs differ by in what is left of the run. Spans
 * live in the arena. */
#define FORECAST_SAMPLES 40
void forecast(struct forecast *out, const struct sim_table *t,
              const struct sim_result *base, forecast_edit edit, void *ctx,
              uint32_t samples, struct arena *arena);

/* Two ranges that are independent of each other, as one. */
int64_t forecast_both(int64_t a_ms, int64_t b_ms);

/* Wall time saved: how far end comes forward; the table without the change has been
 * replayed to base_ms. One replay. */
int64_t forecast_saving(const struct sim_table *t, int64_t base_ms, forecast_edit edit,
                        void *ctx, enum bound bound);

#endif
