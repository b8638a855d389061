/* The two accounts, in one sweep over the timeline. See ledger.h, docs/method.md.
 *
 * Between two moments the state of the cluster is constant: cores offered, tasks
 * running and waiting, each by stage. Core time of the interval goes to "used" and to
 * one reason of idling; wall time goes to the segment it lies in, by class: work (in
 * the proportion of slots that the segment's stage filled), and for the slots it did not
 * fill, why. Classes are gathered as weights per segment and divided into whole
 * milliseconds at its end; work is then divided by what the stage's tasks spent their
 * time on. */
#include "analyzer/ledger.h"

#include "analyzer/ledger_parts.h"
#include "analyzer/path.h"
#include "base/mem.h"

#include <stdlib.h>

#define SLOT_UNIT 4096 /* weight of one millisecond with all slots in one class */

const char *segment_kind_name(enum segment_kind k)
{
    static const char *const names[] = { "driver", "wait", "stage" };

    return names[k];
}

const char *wall_entry_name(enum wall_entry e)
{
#define NAME(id, name) [WALL_##id] = name,
    static const char *const names[] = { WALL_ENTRIES(NAME) };
#undef NAME

    return names[e];
}

const char *core_entry_name(enum core_entry e)
{
#define NAME(id, name) [CORE_##id] = name,
    static const char *const names[] = { CORE_ENTRIES(NAME) };
#undef NAME

    return names[e];
}

/* --- the sweep ---------------------------------------------------------------------------- */

enum class { /* of a millisecond inside a stage or wait segment */
    CLASS_WORK, CLASS_TAIL, CLASS_FEW, CLASS_SHARING, CLASS_SCHEDULING, CLASS_QUEUEING,
    CLASS_EXECUTORS, CLASS_COUNT
};

struct sweep {
    const struct app *app;
    const struct timeline *t;
    struct ledgers *l;
    struct parts *parts;     /* per stage */
    int64_t cores, running, waiting; /* now: cores offered; tasks */
    int64_t running_small;   /* running tasks of stages with fewer tasks than slots */
    uint32_t *running_of, *waiting_of; /* per stage */
    uint32_t *seen_of;       /* tasks of the stage on the timeline */
    int64_t used_ms;         /* of cores */
    int64_t clipped_ms;      /* of them, more than were offered */
    size_t segment;          /* the one that holds the time being swept */
    int64_t weights[CLASS_COUNT]; /* of that segment */
};

static int64_t slots_now(const struct sweep *w)
{
    return max_i64(w->running, w->cores / w->t->task_cpus);
}

/* Time inside a segment of stage ix: what the slots did. */
static void weigh(struct sweep *w, uint32_t ix, int64_t ms)
{
    int64_t slots = slots_now(w), own = w->running_of[ix], others = w->running - own;
    int64_t waiting = w->waiting_of[ix];

    if (own == 0) {
        enum class why = w->cores == 0 && others == 0 ? CLASS_EXECUTORS
                         : others >= slots            ? CLASS_QUEUEING
                                                      : CLASS_SCHEDULING;
        w->weights[why] += ms * SLOT_UNIT;
        return;
    }
    int64_t unit = ms * SLOT_UNIT, work = unit * own / slots;
    int64_t shared = unit * others / slots, unused = unit - work - shared;
    w->weights[CLASS_WORK] += work;
    w->weights[CLASS_SHARING] += shared;
    if (waiting > 0)
        w->weights[CLASS_SCHEDULING] += unused;
    else if (w->seen_of[ix] < slots)
        w->weights[CLASS_FEW] += unused;
    else
        w->weights[CLASS_TAIL] += unused;
}

static void close_segment(struct sweep *w)
{
    static const enum wall_entry entries[] = {
        [CLASS_WORK] = WALL_COMPUTE, /* divided further */
        [CLASS_TAIL] = WALL_STRAGGLER_TAIL,
        [CLASS_FEW] = WALL_TOO_FEW_TASKS,
        [CLASS_SHARING] = WALL_SHARING,
        [CLASS_SCHEDULING] = WALL_SCHEDULING,
        [CLASS_QUEUEING] = WALL_QUEUEING,
        [CLASS_EXECUTORS] = WALL_WAIT_EXECUTORS,
    };
    struct segment *s = &w->l->segments[w->segment];
    int64_t ms[CLASS_COUNT], part_ms[PART_COUNT];

    if (s->kind == SEGMENT_DRIVER)
        return;
    divide_exactly(s->end_ms - s->start_ms, w->weights, CLASS_COUNT, CLASS_SCHEDULING, ms);
    for (int c = CLASS_TAIL; c < CLASS_COUNT; c++)
        s->ms[entries[c]] += ms[c];
    divide_exactly(ms[CLASS_WORK], w->parts[s->stage_ix].useful_ms, PART_COUNT,
                   PART_IO_AND_OTHER, part_ms);
    for (int p = 0; p < PART_COUNT; p++)
        s->ms[part_wall_entry((enum part)p)] += part_ms[p];
    memset(w->weights, 0, sizeof w->weights);
}

/* The wall account of [from, to), which may cross segments. */
static void sweep_wall(struct sweep *w, int64_t from_ms, int64_t to_ms)
{
    while (w->segment < w->l->n_segments && from_ms < to_ms) {
        const struct segment *s = &w->l->segments[w->segment];
        int64_t until_ms = min_i64(to_ms, s->end_ms);

        if (s->kind != SEGMENT_DRIVER)
            weigh(w, s->stage_ix, until_ms - from_ms);
        from_ms = until_ms;
        if (from_ms == s->end_ms) {
            close_segment(w);
            w->segment++;
        }
    }
}

static enum core_entry why_idle(const struct sweep *w, int64_t at_ms)
{
    const struct timeline *t = w->t;

    if (w->running > 0 && w->waiting <= 0)
        return w->running_small == w->running ? CORE_IDLE_TOO_FEW_TASKS : CORE_IDLE_TAIL;
    if (w->waiting > 0)
        return CORE_IDLE_SCHEDULING;
    if (t->first_job_ms == APP_NONE || at_ms < t->first_job_ms)
        return CORE_IDLE_BEFORE;
    if (at_ms >= t->last_job_ms)
        return CORE_IDLE_AFTER;
    return CORE_IDLE_DRIVER;
}

static void sweep_cores(struct sweep *w, int64_t from_ms, int64_t to_ms)
{
    int64_t used = w->running * w->t->task_cpus, offered = w->cores;

    if (used > offered) {
        w->clipped_ms += (used - offered) * (to_ms - from_ms);
        offered = used;
    }
    w->used_ms += used * (to_ms - from_ms);
    w->l->core_ms[why_idle(w, from_ms)] += (offered - used) * (to_ms - from_ms);
    w->l->core_total_ms += offered * (to_ms - from_ms);
}

/* The first and the last job cut intervals in which idling changes its reason. */
static void sweep_interval(struct sweep *w, int64_t from_ms, int64_t to_ms)
{
    int64_t cuts[] = { w->t->first_job_ms, w->t->last_job_ms };

    sweep_wall(w, from_ms, to_ms);
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        if (cuts[i] == APP_NONE || cuts[i] <= from_ms || cuts[i] >= to_ms)
            continue;
        sweep_cores(w, from_ms, cuts[i]);
        from_ms = cuts[i];
    }
    sweep_cores(w, from_ms, to_ms);
}

static bool is_small(const struct sweep *w, uint32_t ix)
{
    return w->seen_of[ix] < max_i64(1, w->app->cores_peak / w->t->task_cpus);
}

static void step(struct sweep *w, const struct moment *m)
{
    switch (m->step) {
    case STEP_TASK_END:
        w->running--;
        w->running_of[m->stage_ix]--;
        w->running_small -= is_small(w, m->stage_ix);
        break;
    case STEP_EXECUTOR_GONE:
        w->cores -= m->count;
        break;
    case STEP_EXECUTOR_CAME:
        w->cores += m->count;
        break;
    case STEP_STAGE_READY:
        w->waiting += m->count;
        w->waiting_of[m->stage_ix] += m->count;
        break;
    case STEP_TASK_START:
        w->running++;
        w->running_of[m->stage_ix]++;
        w->running_small += is_small(w, m->stage_ix);
        w->waiting--;
        w->waiting_of[m->stage_ix]--;
        break;
    }
}

static void sweep_all(struct sweep *w)
{
    int64_t at_ms = w->t->start_ms;

    for (size_t i = 0; i < w->t->n; i++) {
        const struct moment *m = &w->t->moments[i];

        if (m->at_ms > at_ms)
            sweep_interval(w, at_ms, m->at_ms);
        at_ms = m->at_ms;
        step(w, m);
    }
    if (w->t->end_ms > at_ms)
        sweep_interval(w, at_ms, w->t->end_ms);
}

/* --- used core time ----------------------------------------------------------------------------- */

static void divide_used(struct sweep *w)
{
    static const enum core_entry entries[] = {
        [PART_COMPUTE] = CORE_COMPUTE,
        [PART_GC] = CORE_GC,
        [PART_SHUFFLE_READ_WAIT] = CORE_SHUFFLE_READ_WAIT,
        [PART_SHUFFLE_WRITE] = CORE_SHUFFLE_WRITE,
        [PART_SPILL] = CORE_SPILL,
        [PART_PYTHON] = CORE_PYTHON,
        [PART_DESERIALISE] = CORE_DESERIALISE,
        [PART_RESULT] = CORE_RESULT,
        [PART_SCHEDULER_DELAY] = CORE_SCHEDULER_DELAY,
        [PART_IO_AND_OTHER] = CORE_IO_AND_OTHER,
    };
    int64_t weights[CORE_COUNT] = { 0 }, ms[CORE_COUNT];

    for (uint32_t ix = 0; ix < w->app->n_stages; ix++) {
        for (int p = 0; p < PART_LOST; p++)
            weights[entries[p]] = add_sat(weights[entries[p]], w->parts[ix].useful_ms[p]);
        weights[CORE_FAILED] = add_sat(weights[CORE_FAILED], w->parts[ix].failed_ms);
        weights[CORE_KILLED] = add_sat(weights[CORE_KILLED], w->parts[ix].killed_ms);
        weights[CORE_RECOMPUTED] = add_sat(weights[CORE_RECOMPUTED], w->parts[ix].recomputed_ms);
    }
    divide_exactly(w->used_ms, weights, CORE_COUNT, CORE_IO_AND_OTHER, ms);
    for (int c = 0; c < CORE_COUNT; c++)
        w->l->core_ms[c] += ms[c];
}

/* --- both accounts ---------------------------------------------------------------------------------- */

static void prepare_stages(struct sweep *w, const struct app *app)
{
    int64_t *python_ms = xcalloc(app->n_stages, sizeof *python_ms);

    w->parts = xcalloc(app->n_stages, sizeof *w->parts);
    w->running_of = xcalloc(app->n_stages, sizeof *w->running_of);
    w->waiting_of = xcalloc(app->n_stages, sizeof *w->waiting_of);
    w->seen_of = xcalloc(app->n_stages, sizeof *w->seen_of);
    python_of_stages(python_ms, app);
    for (uint32_t ix = 0; ix < app->n_stages; ix++)
        if (app->stages[ix].task.n)
            parts_of_stage(&w->parts[ix], app, w->t, ix, python_ms[ix]);
    for (size_t i = 0; i < w->t->n; i++)
        if (w->t->moments[i].step == STEP_STAGE_READY)
            w->seen_of[w->t->moments[i].stage_ix] += w->t->moments[i].count;
    free(python_ms);
}

void ledgers_build(struct ledgers *l, const struct app *app, const struct lineage *lineage,
                   struct arena *arena)
{
    struct timeline t;

    timeline_build(&t, app);
    path_build(l, app, lineage, &t, arena);
    struct sweep w = { .app = app, .t = &t, .l = l };
    prepare_stages(&w, app);
    sweep_all(&w);
    divide_used(&w);
    for (size_t i = 0; i < l->n_segments; i++)
        for (int e = 0; e < WALL_COUNT; e++)
            l->wall_ms[e] += l->segments[i].ms[e];
    /* a slot is free again some ms before the driver stamps the end of its task; more
     * than that means cores the log does not tell of */
    l->core_clipped = w.clipped_ms > l->core_total_ms / 50;
    l->wall_total_ms = t.end_ms - t.start_ms;
    free(w.parts);
    free(w.running_of);
    free(w.waiting_of);
    free(w.seen_of);
    timeline_release(&t);
}

int64_t ledger_stage_ms(const struct ledgers *l, uint32_t stage_ix, enum wall_entry entry)
{
    int64_t ms = 0;

    for (size_t i = 0; i < l->n_segments; i++)
        if (l->segments[i].stage_ix == stage_ix)
            ms += l->segments[i].ms[entry];
    return ms;
}

int64_t ledger_stage_wall_ms(const struct ledgers *l, uint32_t stage_ix)
{
    int64_t ms = 0;

    for (size_t i = 0; i < l->n_segments; i++)
        if (l->segments[i].stage_ix == stage_ix)
            ms += l->segments[i].end_ms - l->segments[i].start_ms;
    return ms;
}
