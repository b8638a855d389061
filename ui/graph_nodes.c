/* From chosen stages to nodes and clusters.
 *
 * Each node begins as a draft that knows its place in the order: by execution, job
 * and submission. Folded groups come after what they stand beside, skipped stages
 * before the first stage of their job. Drafts sorted, positions are final. */
#include "ui/graph_draw.h"
#include "ui/graph_work.h"

#include "base/mem.h"
#include "base/units.h"

#include <inttypes.h>
#include <stdlib.h>

#define SOURCES_NAMED 4
#define RUNS_NAMED 8

static struct graph_draft *add_draft(struct graph_work *w, uint32_t sql_ix,
                                     uint32_t job_ix)
{
    const struct app *app = &w->a->app;

    GROW(w->drafts, w->n_drafts, w->cap_drafts);
    struct graph_draft *d = &w->drafts[w->n_drafts++];
    *d = (struct graph_draft){ .sql_ix = sql_ix, .job_ix = job_ix, .base = IX_NONE };
    if (job_ix != IX_NONE) {
        d->job_ms = d->group_ms = app->jobs[job_ix].submitted_ms;
        d->job_id = d->group_id = app->jobs[job_ix].job_id;
    }
    if (sql_ix != IX_NONE) {
        d->group_ms = app->sqls[sql_ix].submitted_ms;
        d->group_id = app->sqls[sql_ix].execution_id;
    }
    return d;
}

/* Where the stage is counted that is not drawn. A loop of which no turn is drawn is like
 * nothing that could be seen. */
static uint64_t fold_key(const struct graph_work *w, uint32_t base,
                         const struct map *drawn)
{
    uint64_t key = graph_group(&w->b.items[base]);
    uint32_t kind = w->kind[base];

    if (kind && (w->kinds[kind - 1].of == KIND_STAGE
                     ? w->keep[w->kinds[kind - 1].shown_base]
                     : map_get(drawn, (int64_t)w->kinds[kind - 1].shown_group) != MAP_NONE))
        return GRAPH_GROUP_KIND | (kind - 1);
    return map_get(drawn, (int64_t)key) == MAP_NONE ? GRAPH_GROUP_REST : key;
}

static struct graph_draft *draft_box(struct graph_work *w, const struct graph_base *s,
                                     uint64_t key)
{
    struct graph_draft *d;

    if (key == GRAPH_GROUP_REST) {
        d = add_draft(w, IX_NONE, IX_NONE);
        d->group_ms = INT64_MAX;
    } else if ((key & GRAPH_GROUP_KIND) == GRAPH_GROUP_KIND) {
        const struct graph_kind *k = &w->kinds[(uint32_t)key];

        if (k->of == KIND_STAGE) { /* among those it is like */
            d = add_draft(w, s->sql_ix, s->job_ix);
            d->fold_key = key;
            d->submitted_ms = k->first_ms;
            d->stage_id = k->first_id;
            return d;
        }
        d = add_draft(w, IX_NONE, IX_NONE);
        d->group_ms = k->first_ms;
        d->group_id = k->first_id;
    } else {
        d = add_draft(w, s->sql_ix, s->sql_ix == IX_NONE ? s->job_ix : IX_NONE);
    }
    d->fold_key = key;
    d->job_ms = d->submitted_ms = INT64_MAX; /* after what it stands beside */
    return d;
}

static void draft_stages(struct graph_work *w)
{
    struct map drawn = { 0 }, boxes = { 0 };

    w->fold_keys = arena_array(&w->scratch, w->b.n + 1, sizeof *w->fold_keys);

    for (uint32_t i = 0; i < w->b.n; i++)
        if (w->in[i] && w->keep[i])
            map_put(&drawn, (int64_t)graph_group(&w->b.items[i]), 1);
    for (uint32_t i = 0; i < w->b.n; i++) {
        const struct graph_base *s = &w->b.items[i];
        struct graph_draft *d;
        uint64_t key;

        if (!w->in[i])
            continue;
        if (w->keep[i]) {
            d = add_draft(w, s->sql_ix, s->job_ix);
            d->submitted_ms = s->submitted_ms;
            d->stage_id = w->a->app.stages[s->first_ix].stage_id;
            d->base = i;
            continue;
        }
        key = w->fold_keys[i] = fold_key(w, i, &drawn);
        if (map_get(&boxes, (int64_t)key) != MAP_NONE)
            continue;
        map_put(&boxes, (int64_t)key, 1);
        draft_box(w, s, key);
    }
    map_release(&drawn);
    map_release(&boxes);
}

/* The skipped stages of each job of which something is drawn: one pill beside two
 * stages or more, as far as there is room; words in the box of a single one. */
static void draft_skipped(struct graph_work *w)
{
    const struct app *app = &w->a->app;
    size_t n = w->n_drafts;
    uint32_t *drawn = arena_array(&w->scratch, app->n_jobs + 1, sizeof *drawn);

    w->job_skipped = arena_array(&w->scratch, app->n_jobs + 1, sizeof *w->job_skipped);
    w->pill_members = arena_array(&w->scratch, app->n_jobs + 1, sizeof *w->pill_members);
    for (size_t i = 0; i < app->n_stages; i++) {
        const struct stage *s = &app->stages[i];

        if (s->status == STAGE_SKIPPED && s->n_jobs && w->b.of_stage[i] == IX_NONE) {
            w->job_skipped[s->job_ixs[0]]++;
            w->skipped++;
        }
    }
    for (size_t i = 0; i < n; i++)
        if (w->drafts[i].base != IX_NONE && w->drafts[i].job_ix != IX_NONE)
            drawn[w->drafts[i].job_ix]++;
    for (uint32_t j = 0; j < app->n_jobs; j++) {
        int64_t sql_id = app->jobs[j].sql_execution_id;

        if (w->job_skipped[j] == 0 || drawn[j] == 0)
            continue;
        if (drawn[j] > 1) {
            if (w->options->max_nodes && w->n_drafts >= w->options->max_nodes) {
                w->job_skipped[j] = 0;
                continue;
            }
            struct graph_draft *d =
                add_draft(w, sql_id == APP_NONE ? IX_NONE : app_sql_ix(app, sql_id), j);
            d->skipped = true;
            d->submitted_ms = INT64_MIN; /* what was there before the job began */
        }
        w->skipped_drawn += w->job_skipped[j];
        if (drawn[j] > 1) {
            w->pill_members[j] = w->job_skipped[j];
            w->job_skipped[j] = 0;
        }
    }
}

static int order(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int by_place(const void *a, const void *b)
{
    const struct graph_draft *x = a, *y = b;
    int r;

    if ((r = order(x->group_ms, y->group_ms)) || (r = order(x->group_id, y->group_id)) ||
        (r = order(x->job_ms, y->job_ms)) || (r = order(x->job_id, y->job_id)) ||
        (r = order(x->submitted_ms, y->submitted_ms)) ||
        (r = order(x->stage_id, y->stage_id)))
        return r;
    return x->fold_key < y->fold_key ? -1 : x->fold_key > y->fold_key;
}

static uint8_t heat_step(double share)
{
    uint8_t step = 0;

    while (step < GRAPH_HEAT_STEPS - 1 && share >= graph_heat_cuts[step])
        step++;
    return step;
}

/* "ran as stages 6, 15"; empty where the originals are not known. */
static void add_originals(struct graph_work *w, struct strbuf *out, uint32_t job_ix)
{
    const struct app *app = &w->a->app;
    const struct job *j = &app->jobs[job_ix];
    uint32_t sources[SOURCES_NAMED], n = 0, unnamed = 0;

    for (size_t i = 0; i < j->stage_ids.n; i++) {
        uint32_t ix = app_stage_last_ix(app, j->stage_ids.items[i]);
        uint32_t source, k = 0;

        if (ix == IX_NONE || app->stages[ix].status != STAGE_SKIPPED ||
            w->b.of_stage[ix] != IX_NONE || app->stages[ix].job_ixs[0] != job_ix)
            continue;
        source = w->a->lineage.source_ix[ix];
        source = source == IX_NONE ? IX_NONE : w->b.of_stage[source];
        while (k < n && sources[k] != source)
            k++;
        if (source == IX_NONE || k < n)
            continue;
        if (n < SOURCES_NAMED)
            sources[n++] = source;
        else
            unnamed++;
    }
    for (uint32_t k = 0; k < n; k++)
        strbuf_printf(out, "%s%" PRId64,
                      k       ? ", "
                      : n > 1 ? "ran as stages "
                              : "ran as stage ",
                      app->stages[w->b.items[sources[k]].first_ix].stage_id);
    if (unnamed)
        strbuf_addz(out, " and others");
}

static void label_skipped(struct graph_work *w, struct graph_node *n, uint32_t job_ix)
{
    struct arena *arena = &w->g->arena;
    const struct job *j = &w->a->app.jobs[job_ix];
    struct strbuf what = { 0 };

    add_originals(w, &what, job_ix);
    n->shape = SHAPE_SKIPPED;
    n->stage_ix = IX_NONE;
    n->members = w->pill_members[job_ix];
    n->id = arena_printf(arena, "skipped-job-%" PRId64, j->job_id);
    n->name = arena_printf(arena, "%" PRIu32 " skipped", n->members);
    n->skipped = "";
    n->tooltip =
        arena_printf(arena,
                     "Job %" PRId64 " did not have to run %" PRIu32
                     " of its stages: their output was there\n%s",
                     j->job_id, n->members, what.len ? what.p : "source not known");
    n->what = graph_keep(arena, &what);
}

/* Of a stage that is alone of its job in the picture. */
static const char *skipped_words(struct graph_work *w, uint32_t job_ix)
{
    struct strbuf words = { 0 };

    if (job_ix == IX_NONE || w->job_skipped[job_ix] == 0)
        return "";
    strbuf_printf(&words, "%" PRIu32 " skipped, ", w->job_skipped[job_ix]);
    size_t before = words.len;
    add_originals(w, &words, job_ix);
    if (words.len == before)
        strbuf_addz(&words, "source not known");
    return graph_keep(&w->g->arena, &words);
}

static void add_folded(const struct graph_work *w, struct graph_node *n,
                       const struct graph_base *s)
{
    double share = graph_share(s->heat, w->b.heat_total);

    n->members++;
    n->attempts += s->attempts;
    n->tasks = add_sat(n->tasks, s->tasks);
    n->task_ms = add_sat(n->task_ms, s->task_ms);
    n->wall_ms = add_sat(n->wall_ms, s->wall_ms);
    n->path_ms = add_sat(n->path_ms, s->path_ms);
    n->critical |= s->critical;
    if (s->step && w->kind[s - w->b.items] && (n->step == 0 || s->step < n->step))
        n->step = s->step; /* a loop is entered once; other boxes have no place */
    if (!w->b.heat_is_peak)
        n->share += share;
    else if (share > n->share)
        n->share = share;
}

/* "1, 2, 4-41", at most RUNS_NAMED runs of them. */
static void add_runs(struct strbuf *out, const int64_t *ids, uint32_t n)
{
    uint32_t runs = 0;

    for (uint32_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && ids[end] == ids[end - 1] + 1; end++)
            ;
        if (runs++ == RUNS_NAMED) {
            strbuf_addz(out, " ...");
            return;
        }
        strbuf_printf(out, "%s%" PRId64, i ? ", " : "", ids[i]);
        if (end - i > 1)
            strbuf_printf(out, "%s%" PRId64, end - i > 2 ? "-" : ", ", ids[end - 1]);
    }
}

/* "x39 like job 3", "median 2.1s, slowest 9s". */
static void label_alike(struct graph_work *w, struct graph_node *n,
                        const struct graph_kind *k)
{
    struct arena *arena = &w->g->arena;
    static const char *const many[] = { "SQL executions", "jobs", "stages" };
    static const char *const ids[] = { "sql", "job", "stage" };
    const char *what = graph_kind_word(k->of);
    struct strbuf text = { 0 }, tip = { 0 };

    n->id =
        arena_printf(arena, "like-%s-%" PRId64, ids[k->of], k->shown_id);
    n->name = arena_printf(arena, "\xC3\x97%" PRIu32 " like %s %" PRId64, k->n_units,
                           what, k->shown_id);
    strbuf_addz(&text, "median ");
    units_ms(&text, k->median_ms);
    strbuf_addz(&text, ", slowest ");
    units_ms(&text, k->slowest_ms);
    n->what = graph_keep(arena, &text);
    strbuf_printf(
        &tip,
        "%" PRIu32 " %s with the same work as %s %" PRId64 ", the slowest of them: %s ",
        k->n_units, many[k->of], what, k->shown_id, what);
    add_runs(&tip, k->ids, k->n_units);
    strbuf_printf(&tip, "\n%s; %" PRIu32 " stages, %" PRId64 " tasks, ", n->what,
                  n->members, n->tasks);
    units_ms(&tip, n->task_ms);
    strbuf_addz(&tip, " of task time; ");
    units_ms(&tip, n->path_ms);
    strbuf_addz(&tip, " on the critical path");
    n->tooltip = graph_keep(arena, &tip);
}

static void label_folded(struct graph_work *w, struct graph_node *n,
                         const struct graph_draft *d)
{
    struct arena *arena = &w->g->arena;
    struct strbuf tip = { 0 };

    n->shape = SHAPE_FOLDED;
    n->stage_ix = IX_NONE;
    n->heat = heat_step(n->share);
    n->what = n->skipped = "";
    if ((d->fold_key & GRAPH_GROUP_KIND) == GRAPH_GROUP_KIND) {
        label_alike(w, n, &w->kinds[(uint32_t)d->fold_key]);
        return;
    }
    if (d->sql_ix != IX_NONE) {
        n->id = arena_printf(arena, "folded-sql-%" PRId64, n->sql_id);
    } else if (d->job_ix != IX_NONE) {
        n->id = arena_printf(arena, "folded-job-%" PRId64, n->job_id);
    } else {
        n->id = "folded-rest";
        n->what = "of other executions and jobs";
    }
    n->name = arena_printf(arena, "%" PRIu32 " more stage%s", n->members,
                           n->members == 1 ? "" : "s");
    strbuf_printf(&tip,
                  "%s, folded: each matters less than those drawn\n%" PRId64 " tasks, ",
                  n->name, n->tasks);
    units_ms(&tip, n->task_ms);
    strbuf_addz(&tip, " of task time; ");
    units_ms(&tip, n->path_ms);
    strbuf_addz(&tip, " on the critical path");
    n->tooltip = graph_keep(arena, &tip);
}

void graph_make_nodes(struct graph_work *w)
{
    struct graph *g = w->g;
    struct map boxes = { 0 };

    draft_stages(w);
    draft_skipped(w);
    if (w->n_drafts)
        qsort(w->drafts, w->n_drafts, sizeof *w->drafts, by_place);
    g->n_nodes = w->n_drafts;
    g->nodes = arena_array(&g->arena, g->n_nodes, sizeof *g->nodes);
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        if (w->drafts[i].base != IX_NONE)
            w->b.items[w->drafts[i].base].node = i;
        else if (w->drafts[i].fold_key)
            map_put(&boxes, (int64_t)w->drafts[i].fold_key, i);
    }
    for (uint32_t i = 0; i < w->b.n; i++) {
        struct graph_base *s = &w->b.items[i];

        if (!w->in[i] || w->keep[i])
            continue;
        s->node = map_get(&boxes, (int64_t)w->fold_keys[i]);
        add_folded(w, &g->nodes[s->node], s);
    }
    map_release(&boxes);
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const struct graph_draft *d = &w->drafts[i];
        struct graph_node *n = &g->nodes[i];

        n->job_id = d->job_ix == IX_NONE ? APP_NONE : w->a->app.jobs[d->job_ix].job_id;
        n->sql_id =
            d->sql_ix == IX_NONE ? APP_NONE : w->a->app.sqls[d->sql_ix].execution_id;
        n->cluster = IX_NONE;
        if (d->skipped) {
            label_skipped(w, n, d->job_ix);
        } else if (d->base == IX_NONE) {
            label_folded(w, n, d);
        } else {
            graph_label(n, &w->b.items[d->base], &w->a->app, &g->arena);
            n->skipped = skipped_words(w, d->job_ix);
            n->share = graph_share(w->b.items[d->base].heat, w->b.heat_total);
            n->heat = heat_step(n->share);
        }
    }
}

/* --- clusters ------------------------------------------------------------------ */

/* A frame round one node says nothing that the node does not, and a job that is all
 * of its execution nothing that the execution does not. */
void graph_make_clusters(struct graph_work *w)
{
    const struct app *app = &w->a->app;
    struct graph *g = w->g;
    uint32_t *in_sql = arena_array(&w->scratch, app->n_sqls + 1, sizeof *in_sql);
    uint32_t *in_job = arena_array(&w->scratch, app->n_jobs + 1, sizeof *in_job);
    uint32_t *sql_cluster =
        arena_array(&w->scratch, app->n_sqls + 1, sizeof *sql_cluster);
    uint32_t *job_cluster =
        arena_array(&w->scratch, app->n_jobs + 1, sizeof *job_cluster);

    for (size_t i = 0; i < w->n_drafts; i++) {
        if (w->drafts[i].sql_ix != IX_NONE)
            in_sql[w->drafts[i].sql_ix]++;
        if (w->drafts[i].job_ix != IX_NONE)
            in_job[w->drafts[i].job_ix]++;
    }
    g->clusters = arena_array(&g->arena, app->n_sqls + app->n_jobs, sizeof *g->clusters);
    for (size_t i = 0; i < app->n_sqls; i++)
        sql_cluster[i] = IX_NONE;
    for (size_t i = 0; i < app->n_jobs; i++)
        job_cluster[i] = IX_NONE;
    for (size_t i = 0; i < w->n_drafts; i++) {
        uint32_t q = w->drafts[i].sql_ix, j = w->drafts[i].job_ix, outer = IX_NONE;

        if (q != IX_NONE && in_sql[q] > 1) {
            if (sql_cluster[q] == IX_NONE) {
                struct graph_cluster *c =
                    &g->clusters[sql_cluster[q] = (uint32_t)g->n_clusters++];

                c->parent = IX_NONE;
                graph_label_sql(c, app, &app->sqls[q], w->b.sql_path_ms[q], &g->arena);
            }
            outer = sql_cluster[q];
        }
        g->nodes[i].cluster = outer;
        if (j == IX_NONE || in_job[j] < 2 || (outer != IX_NONE && in_job[j] == in_sql[q]))
            continue;
        if (job_cluster[j] == IX_NONE) {
            struct graph_cluster *c =
                &g->clusters[job_cluster[j] = (uint32_t)g->n_clusters++];

            c->parent = outer;
            graph_label_job(c, app, &app->jobs[j], w->b.job_path_ms[j], &g->arena);
        }
        g->nodes[i].cluster = job_cluster[j];
    }
}
