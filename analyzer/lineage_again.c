/* Which stages made output again that was there before. See lineage.h.
 *
 * Map output can go away with its executor. A later job then finds part of it missing and
 * runs its map stage for that part, in one of two ways:
 *
 *     0.0 complete                          0.0 complete
 *     2.0 skipped: "it is there"            5.0 runs, the loss being known: has a new id,
 *     2.1 repairs, after a fetch failed         but the RDDs of 0.0
 *
 * The first is told by the ids. In the second, the same highest RDD id alone does not do:
 * two different shuffles of one RDD (a reduceByKey and a groupByKey) look so too. It is
 * the same shuffle if
 *  - SQL made it, where each exchange has an RDD of its own;
 *  - or fewer tasks ran than the RDD has partitions: a new shuffle needs all of them;
 *  - or one RDD reads both: the RDDs of who reads list the RDDs they read from.
 *
 * Not handled: RDD shuffles of which all was lost and whose reader was made anew. */
#include "analyzer/lineage.h"

#include "base/mem.h"

#include <stdlib.h>

#define ATTEMPTS_LIMIT 64

static bool wrote_shuffle(const struct stage *s)
{
    return stage_ran(s) && s->n_rdds > 0 &&
           (s->total[METRIC_SHUFFLE_WRITE_ROWS] > 0 || s->total[METRIC_SHUFFLE_WRITE_BYTES] > 0);
}

static bool is_first_attempt(const struct app *app, uint32_t ix)
{
    return ix == 0 || app->stages[ix - 1].stage_id != app->stages[ix].stage_id;
}

/* Per stage the last complete one before it, of another id, that wrote a shuffle of the
 * same RDD; among the first attempts that ran. Stage ids ascend with time. */
static bool find_candidates(uint32_t *before, const struct app *app)
{
    struct map newest = { 0 };
    bool any = false;

    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        const struct stage *s = &app->stages[ix];

        before[ix] = IX_NONE;
        if (!wrote_shuffle(s))
            continue;
        uint32_t at = map_get(&newest, s->rdds[0].id);
        if (at != MAP_NONE && is_first_attempt(app, ix) && s->submitted_ms != APP_NONE &&
            app->stages[at].stage_id != s->stage_id &&
            app->stages[at].completed_ms <= s->submitted_ms) {
            before[ix] = at;
            any = true;
        }
        if (s->status == STAGE_COMPLETE && s->completed_ms != APP_NONE)
            map_put(&newest, s->rdds[0].id, ix);
    }
    map_release(&newest);
    return any;
}

static bool has_parent(const struct rdd *r, int64_t id)
{
    for (size_t i = 0; i < r->parents.n; i++)
        if (r->parents.items[i] == id)
            return true;
    return false;
}

/* The RDD of stage `to` that reads the output of a stage whose highest RDD is rdd_id. */
static int64_t reader_in(const struct stage *to, int64_t rdd_id)
{
    for (size_t i = 0; i < to->n_rdds; i++)
        if (has_parent(&to->rdds[i], rdd_id))
            return to->rdds[i].id;
    return APP_NONE;
}

/* For the stages marked, who reads them: the first RDD found, by position of the stage. */
static void find_readers(int64_t *reader, const bool *marked, const struct app *app)
{
    for (uint32_t ix = 0; ix < app->n_stages; ix++)
        reader[ix] = APP_NONE;
    app_each_stage (app, to) {
        for (size_t p = 0; p < to->parent_ids.n; p++) {
            uint32_t at = app_stage_last_ix(app, to->parent_ids.items[p]);

            for (int i = 0; i < ATTEMPTS_LIMIT && at != IX_NONE; i++) {
                if (marked[at] && reader[at] == APP_NONE)
                    reader[at] = reader_in(to, app->stages[at].rdds[0].id);
                at = is_first_attempt(app, at) ? IX_NONE : at - 1;
            }
        }
    }
}

static bool is_same_shuffle(const struct app *app, uint32_t a, uint32_t b, const int64_t *reader)
{
    const struct stage *s = &app->stages[a], *t = &app->stages[b];

    if (s->sql_execution_id != APP_NONE && t->sql_execution_id != APP_NONE)
        return true;
    if (s->tasks > 0 && s->tasks < s->rdds[0].partitions)
        return true;
    return reader[a] != APP_NONE && reader[a] == reader[b];
}

/* Stages that ran under a new id. */
static void compare_candidates(struct lineage *l, const struct app *app, const uint32_t *before)
{
    bool *marked = xcalloc(app->n_stages, sizeof *marked);
    int64_t *reader = xcalloc(app->n_stages, sizeof *reader);

    for (uint32_t ix = 0; ix < app->n_stages; ix++)
        if (before[ix] != IX_NONE)
            marked[ix] = marked[before[ix]] = true;
    find_readers(reader, marked, app);
    for (uint32_t ix = 0; ix < app->n_stages; ix++)
        if (before[ix] != IX_NONE && is_same_shuffle(app, ix, before[ix], reader))
            l->again_ix[ix] = before[ix];
    free(marked);
    free(reader);
}

/* Later attempts: as the first one, or as the original of a first one that was skipped. */
static void pass_on(struct lineage *l, const struct app *app)
{
    for (uint32_t ix = 1; ix < app->n_stages; ix++) {
        const struct stage *s = &app->stages[ix], *earlier = s - 1;

        if (is_first_attempt(app, ix) || !stage_ran(s))
            continue;
        if (l->again_ix[ix - 1] != IX_NONE)
            l->again_ix[ix] = l->again_ix[ix - 1];
        else if (!stage_ran(earlier) && l->source_ix[ix - 1] != IX_NONE &&
                 app->stages[l->source_ix[ix - 1]].stage_id != s->stage_id &&
                 app->stages[l->source_ix[ix - 1]].status == STAGE_COMPLETE)
            l->again_ix[ix] = l->source_ix[ix - 1];
    }
}

void lineage_find_again(struct lineage *l, const struct app *app)
{
    uint32_t *before = xmalloc(mem_product(app->n_stages, sizeof *before));

    for (uint32_t ix = 0; ix < app->n_stages; ix++)
        l->again_ix[ix] = IX_NONE;
    if (find_candidates(before, app))
        compare_candidates(l, app, before);
    pass_on(l, app);
    free(before);
}
