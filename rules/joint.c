/* Findings against replays. See joint.h. */
#include "rules/joint.h"

#include "rules/remedy.h"

#include <math.h>

/* A replay takes some 60 ns a task; beyond so many tasks in all only the largest claims
 * are replayed, the others stay as measured. */
enum { MOST_TASKS = 5000000 };

struct joint {
    const struct analysis *analysis;
    struct findings *findings;
    const struct replay *replay;
};

static void scale_saving(struct finding *f, int64_t replayed_ms)
{
    int64_t expected = max_i64(min_i64(f->expected_ms, replayed_ms), 0);
    double share = f->expected_ms > 0 ? (double)expected / (double)f->expected_ms : 0;

    f->low_ms = (int64_t)floor((double)f->low_ms * share);
    f->high_ms = (int64_t)ceil((double)f->high_ms * share);
    f->expected_ms = expected;
    f->basis = BASIS_REPLAY;
}

static void replay_each(struct joint *j)
{
    const struct sim_table *t = &j->replay->table;
    size_t left = MOST_TASKS;

    for (size_t i = 0; i < j->findings->n; i++) {
        struct finding *f = &j->findings->items[i];
        const struct finding *one = f;
        struct remedy remedy = { j->analysis, &one, 1, NULL };

        if (!f->has_saving || f->expected_ms <= 0)
            continue;
        if (left < t->n_tasks)
            return;
        left -= t->n_tasks;
        scale_saving(f, forecast_saving(t, j->replay->base.end_ms, remedy_edit, &remedy,
                                        BOUND_EXPECTED));
    }
}

static void replay_all(struct joint *j, struct arena *scratch)
{
    struct findings *out = j->findings;
    const struct finding **list = arena_array(scratch, out->n, sizeof *list);
    struct remedy remedy = { j->analysis, list, 0, NULL };
    int64_t most = 0, claimed = 0;
    struct forecast f;

    for (size_t i = 0; i < out->n; i++) {
        const struct finding *x = &out->items[i];

        if (!x->has_saving || x->note)
            continue;
        list[remedy.n++] = x;
        for (size_t c = 0; c < x->n_claims; c++) {
            claimed = add_sat(claimed, x->claims[c].expected_ms);
            most = add_sat(most, x->claims[c].high_ms);
        }
    }
    if (remedy.n == 0)
        return;
    forecast(&f, &j->replay->table, &j->replay->base, remedy_edit, &remedy,
             FORECAST_SAMPLES, scratch);
    /* claims come out of disjoint entries of the account: together they are the most that
     * can go */
    out->saving_ms = max_i64(min_i64(sub_sat(f.now_ms, f.expected_ms), claimed), 0);
    out->wall_ms.expected = sub_sat(f.now_ms, out->saving_ms);
    /* .. but for what two runs differ by */
    f.less_ms = min_i64(f.less_ms, max_i64(sub_sat(most, out->saving_ms), 0));
    out->wall_ms.low =
        max_i64(sub_sat(out->wall_ms.expected, forecast_both(f.less_ms, f.run_ms)), 0);
    out->wall_ms.high = max_i64(f.high_ms, add_sat(out->wall_ms.expected, f.run_ms));
}

void joint_replay(struct findings *out, const struct analysis *analysis)
{
    struct joint j = { analysis, out, NULL };
    struct arena scratch = { 0 };
    bool any = false;

    for (size_t i = 0; i < out->n; i++)
        any = any || (out->items[i].has_saving && out->items[i].expected_ms > 0);
    if (!any)
        return;
    j.replay = analysis_replay(analysis);
    if (j.replay->table.n_tasks) {
        replay_each(&j);
        replay_all(&j, &scratch);
    }
    arena_release(&scratch);
}
