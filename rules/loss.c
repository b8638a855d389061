/* The cost of a loss. See loss.h.
 *
 * For each stage attempt there is a list of who ran its tasks: executor, tasks that
 * count, their time, the longest. For a stage, the lists of all that it needs are added
 * up per executor; the dearest is what it stands to lose. Stages are few and needs short
 * in all but iterative programs, where the walk stops after so many. */
#include "rules/loss.h"

#include "analyzer/conf.h"
#include "base/mem.h"
#include "rules/finding.h"
#include "rules/plan.h"

#include <math.h>
#include <stdlib.h>

enum {
    NEEDS_MOST = 200,    /* stages that one stage's needs are followed through */
    WORK_MOST = 20000000 /* list entries looked at, all stages together */
};

struct share { /* what an executor did of a stage */
    uint32_t executor_ix, tasks;
    int64_t ms, longest_ms;
};

struct sums { /* per executor, of the stages needed by one */
    int64_t wall_ms, task_ms, tasks;
    uint32_t stages, stamp;
};

struct work {
    const struct analysis *a;
    struct share **shares;
    uint32_t *n_shares;
    struct sums *sums; /* per executor */
    uint32_t *touched; /* executors with sums of this stage */
    size_t n_touched;
    uint32_t *seen; /* per stage: stamp of the last walk */
    uint32_t *stack;
    uint32_t stamp;
    int64_t slots; /* of the application, without the executor lost */
    int64_t looked_at;
    bool kept; /* shuffle files outlive executors */
};

/* --- who ran what ------------------------------------------------------------------- */

static void find_shares(struct work *w, uint32_t ix, uint32_t *at, struct arena *arena)
{
    const struct stage *s = &w->a->app.stages[ix];
    size_t n_executors = w->a->app.n_executors;
    uint32_t n = 0;

    for (uint32_t row = 0; row < s->task.n; row++) {
        int64_t e = task_field(&s->task, row, TASK_EXECUTOR_IX);

        if (task_state(&s->task, row) == TASK_SUCCESS && e >= 0 &&
            (size_t)e < n_executors && at[e] == 0)
            at[e] = ++n;
    }
    w->shares[ix] = arena_array(arena, n, sizeof **w->shares);
    w->n_shares[ix] = n;
    for (uint32_t row = 0; n && row < s->task.n; row++) {
        int64_t e = task_field(&s->task, row, TASK_EXECUTOR_IX);

        if (task_state(&s->task, row) != TASK_SUCCESS || e < 0 ||
            (size_t)e >= n_executors)
            continue;
        struct share *k = &w->shares[ix][at[e] - 1];
        int64_t ms = task_duration_ms(&s->task, row);

        k->executor_ix = (uint32_t)e;
        k->tasks++;
        k->ms = add_sat(k->ms, ms);
        k->longest_ms = max_i64(k->longest_ms, ms);
    }
    for (uint32_t i = 0; i < n; i++)
        at[w->shares[ix][i].executor_ix] = 0;
}

/* --- what a stage needs ---------------------------------------------------------------
 */

static struct sums *sums_of(struct work *w, uint32_t executor_ix)
{
    struct sums *k = &w->sums[executor_ix];

    if (k->stamp != w->stamp) {
        *k = (struct sums){ .stamp = w->stamp };
        w->touched[w->n_touched++] = executor_ix;
    }
    return k;
}

static int64_t slots_without(const struct work *w, uint32_t executor_ix)
{
    const struct app *app = &w->a->app;
    int64_t cores = app->executors[executor_ix].cores;
    double cpus = app->task_cpus > 0 ? app->task_cpus : 1;

    return max_i64(w->slots - (cores > 0 ? whole((double)cores / cpus) : 0), 1);
}

/* All of it is made again: as long as its longest task, or as its work on what is left.
 */
static void add_lost(struct work *w, uint32_t ix)
{
    for (uint32_t i = 0; i < w->n_shares[ix]; i++) {
        const struct share *k = &w->shares[ix][i];
        struct sums *to = sums_of(w, k->executor_ix);

        to->wall_ms =
            add_sat(to->wall_ms,
                    max_i64(k->longest_ms, k->ms / slots_without(w, k->executor_ix)));
        to->task_ms = add_sat(to->task_ms, k->ms);
        to->tasks += k->tasks;
        to->stages++;
    }
    w->looked_at += w->n_shares[ix];
}

/* Of the stage itself only what the executor has in its hands: a task for each slot, half
 * done at any moment. */
static void add_running(struct work *w, uint32_t ix)
{
    for (uint32_t i = 0; i < w->n_shares[ix]; i++) {
        const struct share *k = &w->shares[ix][i];
        struct sums *to = sums_of(w, k->executor_ix);
        int64_t cores = max_i64(w->a->app.executors[k->executor_ix].cores, 1);
        int64_t hands = min_i64(cores, k->tasks);
        int64_t half = k->ms / max_i64(k->tasks, 1) / 2;

        to->tasks += hands;
        to->task_ms = add_sat(to->task_ms, half * hands);
        to->wall_ms = add_sat(to->wall_ms, half);
    }
    w->looked_at += w->n_shares[ix];
}

static bool still_needed(const struct work *w, const struct link *k)
{
    if (k->via == VIA_SHUFFLE)
        return !w->kept;
    return k->via == VIA_CACHE; /* blocks have one copy, but for levels that say _2 */
}

/* False: it needs more than is followed. */
static bool add_needs(struct work *w, uint32_t ix)
{
    const struct lineage *l = &w->a->lineage;
    uint32_t n = 0, left = NEEDS_MOST;

    w->stamp++;
    w->n_touched = 0;
    w->seen[ix] = w->stamp;
    w->stack[n++] = ix;
    while (n) {
        uint32_t at = w->stack[--n];

        if (at == ix)
            add_running(w, at);
        else
            add_lost(w, at);
        for (uint32_t i = l->first[at]; i < l->first[at + 1]; i++) {
            uint32_t from = l->links[i].from_ix;

            if (!still_needed(w, &l->links[i]) || w->seen[from] == w->stamp)
                continue;
            if (left == 0)
                return false;
            left--;
            w->seen[from] = w->stamp;
            w->stack[n++] = from;
        }
    }
    return true;
}

static struct stage_loss dearest(const struct work *w)
{
    struct stage_loss out = { .executor_ix = IX_NONE };

    for (size_t i = 0; i < w->n_touched; i++) {
        const struct sums *k = &w->sums[w->touched[i]];

        if (out.executor_ix == IX_NONE || k->wall_ms > out.wall_ms)
            out = (struct stage_loss){ k->wall_ms, k->task_ms, k->tasks, k->stages,
                                       w->touched[i] };
    }
    return out;
}

static double mean_of(const struct work *w)
{
    double sum = 0;

    for (size_t i = 0; i < w->n_touched; i++)
        sum += (double)w->sums[w->touched[i]].wall_ms;
    return w->n_touched ? sum / (double)w->n_touched : 0;
}

/* --- settings
 * ---------------------------------------------------------------------------- */

static const char *keeper_of(const struct app *app)
{
    struct sv manager = conf_get(app, NULL, "spark.shuffle.manager").value;
    struct sv plugin = conf_get(app, NULL, "spark.shuffle.sort.io.plugin.class").value;

    if (conf_bool(app, NULL, "spark.shuffle.service.enabled", false))
        return "spark.shuffle.service.enabled";
    if (manager.len && !sv_is(manager, "sort") && !sv_is(manager, "tungsten-sort") &&
        !sv_has(manager, "SortShuffleManager"))
        return "spark.shuffle.manager"; /* remote shuffle services come as managers */
    if (sv_has(plugin, "KubernetesLocalDisk"))
        return "spark.shuffle.sort.io.plugin.class";
    return NULL;
}

static enum loss_known how_known(const struct app *app)
{
    bool any = false;

    if (app->local_mode)
        return LOSS_LOCAL;
    app_each_executor (app, e)
        any |= !e->is_driver && e->completed_tasks > 0;
    return any ? LOSS_KNOWN : LOSS_NOT_TOLD;
}

static void walk(struct work *w, struct loss *out)
{
    const struct app *app = &w->a->app;
    double weighted = 0, span = 0;

    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        const struct stage *s = &app->stages[ix];
        int64_t ms = s->completed_ms != APP_NONE && s->submitted_ms != APP_NONE
                         ? max_i64(sub_sat(s->completed_ms, s->submitted_ms), 0)
                         : 0;

        out->stages[ix].executor_ix = IX_NONE;
        if (!stage_ran(s) || w->n_shares[ix] == 0)
            continue;
        if (w->looked_at > WORK_MOST) {
            out->bounded = true;
            continue;
        }
        out->bounded |= !add_needs(w, ix);
        out->stages[ix] = dearest(w);
        weighted += (double)ms * mean_of(w);
        span += (double)ms;
        if (out->worst_ix == IX_NONE ||
            out->stages[ix].wall_ms > out->stages[out->worst_ix].wall_ms)
            out->worst_ix = ix;
    }
    out->mean_ms = span > 0 ? whole(weighted / span) : 0;
}

void loss_build(struct loss *out, const struct analysis *a, struct arena *arena)
{
    const struct app *app = &a->app;
    struct arena scratch = { 0 };
    struct work w = { .a = a };

    *out = (struct loss){ .known = how_known(app), .worst_ix = IX_NONE };
    out->keeper = keeper_of(app);
    out->decommissions =
        conf_bool(app, NULL, "spark.decommission.enabled", false) &&
        conf_bool(app, NULL, "spark.storage.decommission.enabled", false);
    if (out->known != LOSS_KNOWN)
        return;
    out->stages = arena_array(arena, app->n_stages, sizeof *out->stages);
    w.kept = out->keeper != NULL;
    w.slots = app_slots(app);
    w.shares = arena_array(&scratch, app->n_stages, sizeof *w.shares);
    w.n_shares = arena_array(&scratch, app->n_stages, sizeof *w.n_shares);
    w.sums = arena_array(&scratch, app->n_executors, sizeof *w.sums);
    w.touched = arena_array(&scratch, app->n_executors, sizeof *w.touched);
    w.seen = arena_array(&scratch, app->n_stages, sizeof *w.seen);
    w.stack = arena_array(&scratch, app->n_stages + 1, sizeof *w.stack);
    uint32_t *at = arena_array(&scratch, app->n_executors + 1, sizeof *at);

    for (uint32_t ix = 0; ix < app->n_stages; ix++)
        find_shares(&w, ix, at, &scratch);
    walk(&w, out);
    arena_release(&scratch);
}
