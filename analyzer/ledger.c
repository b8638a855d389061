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
/* More cores at once are a damaged log. With the longest span there is (timeline.c)
 * products stay below 2^63. */
#define CORES_LIMIT (INT64_C(1) << 20)

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
    CLASS_EXECUTORS, CLASS_RETRIES, CLASS_COUNT
};

struct sweep {
    const struct app *app;
    const struct lineage *lineage;
    const struct timeline *t;
    struct ledgers *l;
    struct parts *parts;     /* per stage */
    int64_t cores, used, running, waiting; /* now: cores offered, and held by tasks; tasks */
    struct pool {
        int64_t cores, used, running;
    } *pools;                /* the same by pool */
    int64_t running_tasks;   /* all tasks of the stages that run any now */
    uint32_t *running_of, *waiting_of; /* per stage */
    uint32_t *seen_of;       /* tasks of the stage on the timeline */
    int64_t *tasks_of;       /* tasks the stage has */
    int64_t used_ms;         /* of cores */
    int64_t clipped_ms;      /* of them, more than were offered */
    size_t segment;          /* the one that holds the time being swept */
    int64_t weights[CLASS_COUNT]; /* of that segment, in SLOT_UNIT */
    int64_t slot_ms[CLASS_COUNT]; /* not in weights yet: since the number of slots changed */
    int64_t slots;                /* that number */
};

/* All slots; where profiles differ, those that are free as tasks of the default one. */
static int64_t slots_now(const struct sweep *w)
{
    return pool_slots(w->running, min_i64(w->cores, CORES_LIMIT), w->used, w->t->task_cpus);
}

__extension__ typedef unsigned __int128 wide;

static void flush_slots(struct sweep *w)
{
    for (int c = 0; c < CLASS_COUNT && w->slots > 0; c++) {
        w->weights[c] +=
            (int64_t)((wide)(uint64_t)w->slot_ms[c] * SLOT_UNIT / (uint64_t)w->slots);
        w->slot_ms[c] = 0;
    }
}

/* Why slots that nobody uses are no use to a stage that runs. */
static enum class why_unused(const struct sweep *w, uint32_t ix, int64_t slots)
{
    if (w->app->stages[ix].attempt > 0 || w->lineage->again_ix[ix] != IX_NONE)
        return CLASS_RETRIES; /* but for a failure these tasks had run with the first ones */
    if (w->waiting_of[ix] > 0)
        return CLASS_SCHEDULING;
    return w->tasks_of[ix] < slots ? CLASS_FEW : CLASS_TAIL;
}

/* Time inside a segment of stage ix: what the slots did. */
static void weigh(struct sweep *w, uint32_t ix, int64_t ms)
{
    const struct pool *p = &w->pools[w->t->pool_of[ix]];
    int64_t cores = min_i64(p->cores, CORES_LIMIT);
    int64_t all = pool_slots(p->running, cores, p->used, w->t->cpus_of[ix]);
    int64_t slots = min_i64(max_i64(1, all), CORES_LIMIT);
    int64_t own = min_i64(w->running_of[ix], slots);
    int64_t others = min_i64(p->running - w->running_of[ix], slots - own);

    if (slots != w->slots)
        flush_slots(w);
    w->slots = slots;
    if (w->seen_of[ix] == 0) { /* its tasks are not in the log: nothing tells */
        w->slot_ms[CLASS_WORK] += ms * slots;
        return;
    }
    if (own == 0) {
        enum class why = p->cores == 0 && others == 0               ? CLASS_EXECUTORS
                         : others >= slots && w->waiting_of[ix] > 0 ? CLASS_QUEUEING
                                                                    : CLASS_SCHEDULING;
        w->slot_ms[why] += ms * slots;
        return;
    }
    w->slot_ms[CLASS_WORK] += ms * own;
    w->slot_ms[CLASS_SHARING] += ms * others;
    w->slot_ms[why_unused(w, ix, slots)] += ms * (slots - own - others);
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
        [CLASS_RETRIES] = WALL_RETRIES,
    };
    struct segment *s = &w->l->segments[w->segment];
    int64_t ms[CLASS_COUNT], part_ms[PART_COUNT];

    if (s->kind == SEGMENT_DRIVER)
        return;
    flush_slots(w);
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
        return w->running_tasks < slots_now(w) ? CORE_IDLE_TOO_FEW_TASKS : CORE_IDLE_TAIL;
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
    int64_t used = min_i64(w->used, CORES_LIMIT);
    int64_t offered = min_i64(w->cores, CORES_LIMIT);

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

static void step(struct sweep *w, const struct moment *m)
{
    bool of_executor = m->step == STEP_EXECUTOR_GONE || m->step == STEP_EXECUTOR_CAME;
    struct pool *p = &w->pools[of_executor ? m->stage_ix : w->t->pool_of[m->stage_ix]];
    int64_t cpus = of_executor ? 0 : w->t->cpus_of[m->stage_ix];

    switch (m->step) {
    case STEP_TASK_END:
        w->running--;
        w->used -= cpus;
        p->running--;
        p->used -= cpus;
        if (--w->running_of[m->stage_ix] == 0)
            w->running_tasks -= w->tasks_of[m->stage_ix];
        break;
    case STEP_EXECUTOR_GONE:
        w->cores -= m->count;
        p->cores -= m->count;
        break;
    case STEP_EXECUTOR_CAME:
        w->cores += m->count;
        p->cores += m->count;
        break;
    case STEP_STAGE_READY:
        w->waiting += m->count;
        w->waiting_of[m->stage_ix] += m->count;
        break;
    case STEP_TASK_START:
        w->running++;
        w->used += cpus;
        p->running++;
        p->used += cpus;
        if (w->running_of[m->stage_ix]++ == 0)
            w->running_tasks += w->tasks_of[m->stage_ix];
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

static void prepare_stages(struct sweep *w, const struct app *app,
                           const struct lineage *lineage)
{
    w->pools = xcalloc(w->t->n_pools, sizeof *w->pools);
    w->parts = xcalloc(app->n_stages, sizeof *w->parts);
    w->running_of = xcalloc(app->n_stages, sizeof *w->running_of);
    w->waiting_of = xcalloc(app->n_stages, sizeof *w->waiting_of);
    w->seen_of = xcalloc(app->n_stages, sizeof *w->seen_of);
    w->tasks_of = xcalloc(app->n_stages, sizeof *w->tasks_of);
    parts_of_stages(w->parts, app, lineage, w->t);
    for (size_t i = 0; i < w->t->n; i++)
        if (w->t->moments[i].step == STEP_STAGE_READY)
            w->seen_of[w->t->moments[i].stage_ix] += w->t->moments[i].count;
    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        int64_t known = app->stages[ix].tasks;

        w->tasks_of[ix] = known > 0 ? min_i64(known, CORES_LIMIT) : w->seen_of[ix];
    }
}

/* Segments of one stage are neighbours: where they are, for look-ups. */
static void index_segments(struct ledgers *l)
{
    for (size_t i = 0; i < l->n_segments; i++) {
        uint32_t ix = l->segments[i].stage_ix;

        if (ix != IX_NONE && l->stages[ix].n_segments++ == 0)
            l->stages[ix].first_segment = (uint32_t)i;
    }
}

void ledgers_build(struct ledgers *l, const struct app *app, const struct lineage *lineage,
                   struct arena *arena)
{
    struct timeline t;

    *l = (struct ledgers){ 0 };
    timeline_build(&t, app);
    path_build(l, app, lineage, &t, arena);
    struct sweep w = { .app = app, .lineage = lineage, .t = &t, .l = l };
    prepare_stages(&w, app, lineage);
    index_segments(l);
    sweep_all(&w);
    divide_used(&w);
    for (size_t i = 0; i < l->n_segments; i++)
        for (int e = 0; e < WALL_COUNT; e++)
            l->wall_ms[e] += l->segments[i].ms[e];
    /* a slot is free again some ms before the driver stamps the end of its task; more
     * than that means cores the log does not tell of */
    l->core_clipped = w.clipped_ms > l->core_total_ms / 50;
    l->wall_total_ms = t.end_ms - t.start_ms;
    free(w.pools);
    free(w.parts);
    free(w.running_of);
    free(w.waiting_of);
    free(w.seen_of);
    free(w.tasks_of);
    timeline_release(&t);
}

int64_t ledger_stage_ms(const struct ledgers *l, uint32_t stage_ix, enum wall_entry entry)
{
    const struct stage_path *p = &l->stages[stage_ix];
    int64_t ms = 0;

    for (uint32_t i = 0; i < p->n_segments; i++)
        ms += l->segments[p->first_segment + i].ms[entry];
    return ms;
}

int64_t ledger_stage_wall_ms(const struct ledgers *l, uint32_t stage_ix)
{
    const struct stage_path *p = &l->stages[stage_ix];
    int64_t ms = 0;

    for (uint32_t i = 0; i < p->n_segments; i++) {
        const struct segment *s = &l->segments[p->first_segment + i];

        ms += s->end_ms - s->start_ms;
    }
    return ms;
}
