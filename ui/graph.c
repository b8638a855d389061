/* The graph model: which stages are drawn, what stands for the others, edges,
 * clusters and the words of the legend. See graph.h.
 *
 *     bases (every stage that ran) -> scope -> choice -> drafts -> sorted -> nodes
 *     lineage links + steps of the critical path -> edges between nodes, merged
 *
 * Choice. Where there are more stages than max_nodes, those are kept that matter
 * most: by their share of the critical path or of task time, whichever is larger,
 * with half a per cent more for being on the path and as much for a badge. The
 * rest is folded, one box for each execution (or job) of which something is
 * drawn, one box for all others. The boxes count towards max_nodes; so a stage that
 * would open another execution competes at half its worth, and of a hundred
 * executions alike twenty are drawn whole instead of a stage of each. A box may
 * both feed and be fed by the same stage: the graph then has circles. */
#include "ui/graph_base.h"

#include "base/mem.h"
#include "base/units.h"

#include <inttypes.h>
#include <stdlib.h>

#define WORTH_A_LOOK 0.005 /* of the whole; below it a stage is cold */
#define STAGE_HOPS 2
#define SOURCES_NAMED 4

const double graph_heat_cuts[GRAPH_HEAT_STEPS - 1] = { 0.005, 0.02, 0.10, 0.40 };

static const struct {
    const char *name, *meaning;
} heats[HEAT_COUNT] = {
    [HEAT_WALL] = { "wall", "share of the wall clock, on the critical path" },
    [HEAT_TASK] = { "task", "share of all task time" },
    [HEAT_CPU] = { "cpu", "share of all CPU time" },
    [HEAT_SHUFFLE] = { "shuffle", "share of all shuffle bytes, read and written" },
    [HEAT_SPILL] = { "spill", "share of all bytes spilled to disk" },
    [HEAT_GC] = { "gc", "share of all garbage collection" },
    [HEAT_ROWS] = { "rows", "share of all rows read" },
    [HEAT_MEM] = { "mem", "peak execution memory, against the largest" },
};

const char *graph_heat_name(enum graph_heat h)
{
    return heats[h].name;
}

bool graph_heat_parse(struct sv text, enum graph_heat *out)
{
    for (int h = 0; h < HEAT_COUNT; h++) {
        if (sv_is(text, heats[h].name)) {
            *out = (enum graph_heat)h;
            return true;
        }
    }
    return false;
}

struct draft { /* a node before it has its place */
    int64_t group_ms, group_id, job_ms, job_id, submitted_ms, stage_id; /* order */
    uint32_t sql_ix, job_ix;
    uint32_t base;     /* its stage; IX_NONE: skipped or folded */
    uint64_t fold_key; /* of a folded group */
    bool skipped;
};

struct build {
    struct graph *g;
    const struct analysis *a;
    const struct graph_options *options;
    struct graph_bases b;
    struct arena scratch;
    bool *in, *keep; /* per base */
    uint32_t n_in, n_keep;
    struct draft *drafts;
    size_t n_drafts, cap_drafts;
    struct graph_edge *edges; /* between bases first, then between nodes */
    size_t n_edges, cap_edges;
    uint32_t *job_skipped,
        *pill_members; /* per job: skipped stages said in a box; by a pill */
    int64_t skipped, skipped_drawn;
};

/* --- scope ----------------------------------------------------------------- */

static enum errc no_such(const struct build *w, const char *what, size_t n, int64_t first,
                         int64_t last, struct err *err)
{
    if (n == 0)
        return err_set(err, ERR_USAGE, "no %s %" PRId64 ": the log has none", what,
                       w->options->scope_id);
    return err_set(err, ERR_USAGE,
                   "no %s %" PRId64 ": the log has %" PRId64 " to %" PRId64, what,
                   w->options->scope_id, first, last);
}

static enum errc find_scope(const struct build *w, uint32_t *at, struct err *err)
{
    const struct app *app = &w->a->app;
    const struct graph_bases *b = &w->b;
    int64_t id = w->options->scope_id;

    *at = IX_NONE;
    switch (w->options->scope) {
    case GRAPH_WHOLE:
        return ERR_OK;
    case GRAPH_SQL:
        if ((*at = app_sql_ix(app, id)) != IX_NONE)
            return ERR_OK;
        return app->n_sqls
                   ? no_such(w, "SQL execution", app->n_sqls, app->sqls[0].execution_id,
                             app->sqls[app->n_sqls - 1].execution_id, err)
                   : no_such(w, "SQL execution", 0, 0, 0, err);
    case GRAPH_JOB:
        if ((*at = app_job_ix(app, id)) != IX_NONE)
            return ERR_OK;
        return app->n_jobs ? no_such(w, "job", app->n_jobs, app->jobs[0].job_id,
                                     app->jobs[app->n_jobs - 1].job_id, err)
                           : no_such(w, "job", 0, 0, 0, err);
    case GRAPH_STAGE:
        for (uint32_t i = 0; i < b->n; i++)
            if (app->stages[b->items[i].first_ix].stage_id == id)
                *at = i;
        if (*at != IX_NONE)
            return ERR_OK;
        if (app_stage_last_ix(app, id) != IX_NONE)
            return err_set(err, ERR_USAGE, "stage %" PRId64 " did not run", id);
        return b->n
                   ? no_such(w, "stage", b->n, app->stages[b->items[0].first_ix].stage_id,
                             app->stages[b->items[b->n - 1].first_ix].stage_id, err)
                   : no_such(w, "stage", 0, 0, 0, err);
    }
    return ERR_OK;
}

/* One step along the edges, from what is in: against their direction, and with it. */
static void widen(struct build *w, bool up, bool down)
{
    bool *was = arena_array(&w->scratch, w->b.n, sizeof *was);

    memcpy(was, w->in, w->b.n * sizeof *was);
    for (size_t i = 0; i < w->n_edges; i++) {
        const struct graph_edge *e = &w->edges[i];

        if (up && was[e->to])
            w->in[e->from] = true;
        if (down && was[e->from])
            w->in[e->to] = true;
    }
}

static enum errc take_scope(struct build *w, struct err *err)
{
    enum graph_scope scope = w->options->scope;
    uint32_t at;

    TRY(find_scope(w, &at, err));
    w->in = arena_array(&w->scratch, w->b.n + 1, sizeof *w->in);
    for (uint32_t i = 0; i < w->b.n; i++)
        w->in[i] = scope == GRAPH_WHOLE ||
                   (scope == GRAPH_SQL && w->b.items[i].sql_ix == at) ||
                   (scope == GRAPH_JOB && w->b.items[i].job_ix == at) ||
                   (scope == GRAPH_STAGE && i == at);
    if (scope == GRAPH_SQL || scope == GRAPH_JOB)
        widen(w, true, false);
    for (int hop = 0; scope == GRAPH_STAGE && hop < STAGE_HOPS; hop++)
        widen(w, true, true);
    for (uint32_t i = 0; i < w->b.n; i++)
        w->n_in += w->in[i];
    return ERR_OK;
}

/* --- choice ------------------------------------------------------------------ */

#define GROUP_REST ((uint64_t)3 << 32)

/* The group a stage is folded into, if something of its group is drawn. */
static uint64_t group_of(const struct graph_base *s)
{
    if (s->sql_ix != IX_NONE)
        return (uint64_t)1 << 32 | s->sql_ix;
    return s->job_ix != IX_NONE ? (uint64_t)2 << 32 | s->job_ix : GROUP_REST;
}

struct ranked {
    uint64_t group;
    double score;
    uint32_t base;
};

/* By group, and within it what matters most first. */
static int by_score(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;

    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->base < y->base ? -1 : x->base > y->base;
}

static double share_of(int64_t part, int64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

static struct ranked *rank_bases(struct build *w)
{
    struct ranked *r = arena_array(&w->scratch, w->n_in, sizeof *r);
    int64_t task_ms = 0;
    uint32_t n = 0;

    for (uint32_t i = 0; i < w->b.n; i++)
        task_ms = add_sat(task_ms, w->b.items[i].task_ms);
    for (uint32_t i = 0; i < w->b.n; i++) {
        const struct graph_base *s = &w->b.items[i];
        double wall = share_of(s->path_ms, w->a->ledgers.wall_total_ms);
        double task = share_of(s->task_ms, task_ms),
               heat = share_of(s->heat, w->b.heat_total);

        if (!w->in[i])
            continue;
        r[n].base = i;
        r[n].group = group_of(s);
        r[n].score = wall > task ? wall : task;
        if (heat > r[n].score && !w->b.heat_is_peak)
            r[n].score = heat;
        r[n].score += (s->critical ? WORTH_A_LOOK : 0) + (s->badges ? WORTH_A_LOOK : 0);
        n++;
    }
    qsort(r, n, sizeof *r, by_score);
    return r;
}

/* A group in the queue for room: what its next stage is worth by the boxes that it
 * takes. The first stage of a group needs one more for the others, the last one
 * takes over that box. */
struct offer {
    double worth;
    uint32_t begin, next, end; /* in the ranking */
};

static uint32_t boxes_for(const struct offer *o)
{
    if (o->next == o->begin)
        return o->end - o->begin > 1 ? 2 : 1;
    return o->end - o->next > 1 ? 1 : 0;
}

static void set_worth(struct offer *o, const struct ranked *r)
{
    uint32_t boxes = boxes_for(o);

    o->worth = boxes ? r[o->next].score / boxes : 2; /* more than any share */
}

static bool better(const struct offer *a, const struct offer *b)
{
    return a->worth != b->worth ? a->worth > b->worth : a->begin < b->begin;
}

/* Restores the heap below place i. */
static void sift(struct offer *heap, uint32_t n, uint32_t i)
{
    struct offer o = heap[i];

    for (uint32_t kid; (kid = 2 * i + 1) < n; i = kid) {
        if (kid + 1 < n && better(&heap[kid + 1], &heap[kid]))
            kid++;
        if (!better(&heap[kid], &o))
            break;
        heap[i] = heap[kid];
    }
    heap[i] = o;
}

static uint32_t make_offers(const struct build *w, const struct ranked *r,
                            struct offer *heap)
{
    uint32_t n = 0;

    for (uint32_t i = 0, end; i < w->n_in; i = end) {
        for (end = i; end < w->n_in && r[end].group == r[i].group; end++)
            ;
        heap[n] = (struct offer){ .begin = i, .next = i, .end = end };
        set_worth(&heap[n++], r);
    }
    for (uint32_t i = n; i-- > 0;)
        sift(heap, n, i);
    return n;
}

static void choose(struct build *w)
{
    uint32_t max = w->options->max_nodes, n;
    struct ranked *r = rank_bases(w);
    struct offer *heap = arena_array(&w->scratch, w->n_in + 1, sizeof *heap);

    w->keep = arena_array(&w->scratch, w->b.n + 1, sizeof *w->keep);
    if (max == 0 || w->n_in <= max) {
        memcpy(w->keep, w->in, w->b.n * sizeof *w->keep);
        w->n_keep = w->n_in;
        return;
    }
    n = make_offers(w, r, heap);
    for (uint32_t left = max - 1; n;) { /* one for all groups that get no room */
        struct offer *o = &heap[0];
        uint32_t boxes = boxes_for(o);

        if (boxes > left) {
            heap[0] = heap[--n];
        } else {
            left -= boxes;
            w->keep[r[o->next++].base] = true;
            w->n_keep++;
            if (o->next == o->end)
                heap[0] = heap[--n];
            else
                set_worth(o, r);
        }
        if (n)
            sift(heap, n, 0);
    }
}

/* --- nodes --------------------------------------------------------------------- */

static struct draft *add_draft(struct build *w, uint32_t sql_ix, uint32_t job_ix)
{
    const struct app *app = &w->a->app;

    GROW(w->drafts, w->n_drafts, w->cap_drafts);
    struct draft *d = &w->drafts[w->n_drafts++];
    *d = (struct draft){ .sql_ix = sql_ix, .job_ix = job_ix, .base = IX_NONE };
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

static void draft_stages(struct build *w)
{
    struct map drawn = { 0 }, boxes = { 0 };

    for (uint32_t i = 0; i < w->b.n; i++)
        if (w->in[i] && w->keep[i])
            map_put(&drawn, (int64_t)group_of(&w->b.items[i]), 1);
    for (uint32_t i = 0; i < w->b.n; i++) {
        const struct graph_base *s = &w->b.items[i];
        uint64_t key = group_of(s);
        struct draft *d;

        if (!w->in[i])
            continue;
        if (w->keep[i]) {
            d = add_draft(w, s->sql_ix, s->job_ix);
            d->submitted_ms = s->submitted_ms;
            d->stage_id = w->a->app.stages[s->first_ix].stage_id;
            d->base = i;
            continue;
        }
        if (map_get(&drawn, (int64_t)key) == MAP_NONE)
            key = GROUP_REST;
        if (map_get(&boxes, (int64_t)key) != MAP_NONE)
            continue;
        map_put(&boxes, (int64_t)key, 1);
        d = key == GROUP_REST
                ? add_draft(w, IX_NONE, IX_NONE)
                : add_draft(w, s->sql_ix, s->sql_ix == IX_NONE ? s->job_ix : IX_NONE);
        d->fold_key = key;
        d->job_ms = d->submitted_ms = INT64_MAX; /* after what it stands beside */
        if (key == GROUP_REST)
            d->group_ms = INT64_MAX;
    }
    map_release(&drawn);
    map_release(&boxes);
}

/* The skipped stages of each job of which something is drawn: one pill beside two
 * stages or more, as far as there is room; words in the box of a single one. */
static void draft_skipped(struct build *w)
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
            struct draft *d =
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
    const struct draft *x = a, *y = b;
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
static void add_originals(struct build *w, struct strbuf *out, uint32_t job_ix)
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

static void label_skipped(struct build *w, struct graph_node *n, uint32_t job_ix)
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
static const char *skipped_words(struct build *w, uint32_t job_ix)
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

static void add_folded(const struct build *w, struct graph_node *n,
                       const struct graph_base *s)
{
    double share = share_of(s->heat, w->b.heat_total);

    n->members++;
    n->attempts += s->attempts;
    n->tasks = add_sat(n->tasks, s->tasks);
    n->task_ms = add_sat(n->task_ms, s->task_ms);
    n->wall_ms = add_sat(n->wall_ms, s->wall_ms);
    n->path_ms = add_sat(n->path_ms, s->path_ms);
    n->critical |= s->critical;
    if (!w->b.heat_is_peak)
        n->share += share;
    else if (share > n->share)
        n->share = share;
}

static void label_folded(struct build *w, struct graph_node *n, const struct draft *d)
{
    struct arena *arena = &w->g->arena;
    struct strbuf tip = { 0 };

    n->shape = SHAPE_FOLDED;
    n->stage_ix = IX_NONE;
    n->heat = heat_step(n->share);
    n->what = n->skipped = "";
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

static void make_nodes(struct build *w)
{
    struct graph *g = w->g;
    struct map boxes = { 0 };

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
        uint32_t box = map_get(&boxes, (int64_t)group_of(s));

        if (!w->in[i] || w->keep[i])
            continue;
        s->node = box == MAP_NONE ? map_get(&boxes, (int64_t)GROUP_REST) : box;
        add_folded(w, &g->nodes[s->node], s);
    }
    map_release(&boxes);
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        const struct draft *d = &w->drafts[i];
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
            n->share = share_of(w->b.items[d->base].heat, w->b.heat_total);
            n->heat = heat_step(n->share);
        }
    }
}

/* --- clusters ----------------------------------------------------------------------- */

/* A frame round one node says nothing that the node does not, and a job that is all
 * of its execution nothing that the execution does not. */
static void make_clusters(struct build *w)
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

/* --- edges ----------------------------------------------------------------------------
 */

static int by_ends(const void *a, const void *b)
{
    const struct graph_edge *x = a, *y = b;

    if (x->to != y->to)
        return x->to < y->to ? -1 : 1;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    if (x->then != y->then)
        return x->then ? 1 : -1; /* after the data of the same pair */
    return x->via < y->via ? -1 : x->via > y->via;
}

static int64_t add_known(int64_t a, int64_t b)
{
    if (a == APP_NONE || b == APP_NONE)
        return a == APP_NONE ? b : a;
    return add_sat(a, b);
}

/* Sorts, puts like edges together, and lets data that follows the critical path
 * carry it. */
static void merge_edges(struct build *w)
{
    size_t n = 0, pair = 0; /* pair: the first edge between the current ends */

    if (w->n_edges)
        qsort(w->edges, w->n_edges, sizeof *w->edges, by_ends);
    for (size_t i = 0; i < w->n_edges; i++) {
        const struct graph_edge *e = &w->edges[i];
        struct graph_edge *same = n ? &w->edges[n - 1] : NULL;
        bool same_ends = same && same->from == e->from && same->to == e->to;

        if (!same_ends)
            pair = n;
        if (same_ends && e->then) {
            w->edges[pair].critical = true;
            w->edges[pair].driver_ms = add_sat(w->edges[pair].driver_ms, e->driver_ms);
            w->edges[pair].wait_ms = add_sat(w->edges[pair].wait_ms, e->wait_ms);
        } else if (same_ends && same->via == e->via) {
            same->bytes = add_known(same->bytes, e->bytes);
            same->rows = add_known(same->rows, e->rows);
            same->reused |= e->reused;
        } else {
            w->edges[n++] = *e;
        }
    }
    w->n_edges = n;
}

static void add_edge(struct build *w, struct graph_edge e)
{
    if (e.from == e.to)
        return;
    GROW(w->edges, w->n_edges, w->cap_edges);
    w->edges[w->n_edges++] = e;
}

static void link_bases(struct build *w)
{
    const struct lineage *l = &w->a->lineage;

    for (size_t i = 0; i < l->n_links; i++) {
        const struct link *k = &l->links[i];
        uint32_t from = w->b.of_stage[k->from_ix], to = w->b.of_stage[k->to_ix];

        if (from != IX_NONE && to != IX_NONE)
            add_edge(w, (struct graph_edge){ .from = from,
                                             .to = to,
                                             .via = k->via,
                                             .bytes = k->bytes,
                                             .rows = k->rows,
                                             .reused = k->reused });
    }
    merge_edges(w);
}

static void link_nodes(struct build *w)
{
    size_t n = w->n_edges;

    w->n_edges = 0;
    for (size_t i = 0; i < n; i++) {
        struct graph_edge e = w->edges[i];

        e.from = w->b.items[e.from].node;
        e.to = w->b.items[e.to].node;
        if (e.from != IX_NONE && e.to != IX_NONE && e.from != e.to)
            w->edges[w->n_edges++] = e; /* never ahead of i */
    }
    for (size_t i = 0; i < w->b.n_path; i++) {
        const struct path_step *s = &w->b.path[i];
        uint32_t from = w->b.items[s->from].node, to = w->b.items[s->to].node;

        if (from != IX_NONE && to != IX_NONE && w->drafts[from].base != IX_NONE &&
            w->drafts[to].base != IX_NONE) /* what a box's order would be nobody knows */
            add_edge(w, (struct graph_edge){ .from = from,
                                             .to = to,
                                             .bytes = APP_NONE,
                                             .rows = APP_NONE,
                                             .then = true,
                                             .critical = true,
                                             .driver_ms = s->driver_ms,
                                             .wait_ms = s->wait_ms });
    }
    merge_edges(w);
    w->g->edges = arena_array(&w->g->arena, w->n_edges, sizeof *w->g->edges);
    w->g->n_edges = w->n_edges;
    for (size_t i = 0; i < w->n_edges; i++) {
        struct graph_edge *e = &w->g->edges[i];

        *e = w->edges[i];
        e->folded = w->g->nodes[e->from].shape == SHAPE_FOLDED ||
                    w->g->nodes[e->to].shape == SHAPE_FOLDED;
    }
}

/* --- words
 * ------------------------------------------------------------------------------ */

static void write_titles(struct build *w)
{
    const struct app *app = &w->a->app;
    struct arena *arena = &w->g->arena;
    struct strbuf sub = { 0 };
    struct sv name = app->name.len ? app->name
                     : app->id.len ? app->id
                                   : SV("application");
    const char *part = w->options->scope == GRAPH_SQL     ? "SQL execution"
                       : w->options->scope == GRAPH_JOB   ? "job"
                       : w->options->scope == GRAPH_STAGE ? "stage"
                                                          : NULL;

    w->g->title = graph_clean(arena, name, 60);
    if (part)
        w->g->title = arena_printf(arena, "%s: %s %" PRId64, w->g->title, part,
                                   w->options->scope_id);
    if (app->id.len)
        strbuf_printf(&sub, "%s  \xC2\xB7  ", graph_clean(arena, app->id, 60));
    if (app->spark_version.len)
        strbuf_printf(&sub, "Spark %s  \xC2\xB7  ",
                      graph_clean(arena, app->spark_version, 40));
    if (app->cores_peak > 0)
        strbuf_printf(&sub, "%" PRId64 " core%s  \xC2\xB7  ", app->cores_peak,
                      app->cores_peak == 1 ? "" : "s");
    strbuf_addz(&sub, "wall clock ");
    units_ms(&sub, max_i64(sub_sat(app->end_ms, app->start_ms), 0));
    if (!app->finished)
        strbuf_addz(&sub, " (log has no end)");
    w->g->subtitle = graph_keep(arena, &sub);
    w->g->heat_label = heats[w->options->heat].meaning;
}

static void write_totals(struct build *w)
{
    struct strbuf t = { 0 };
    int64_t tasks = 0, written = 0, spilled = 0, path_ms = 0, read = 0;

    for (size_t i = 0; i < w->b.n; i++) {
        const struct graph_base *s = &w->b.items[i];

        if (!w->in[i])
            continue;
        tasks = add_sat(tasks, s->tasks);
        read = add_sat(read, s->total[METRIC_INPUT_BYTES]);
        written = add_sat(written, s->total[METRIC_SHUFFLE_WRITE_BYTES]);
        spilled = add_sat(spilled, s->total[METRIC_SPILL_DISK_BYTES]);
        path_ms = add_sat(path_ms, s->path_ms);
    }
    strbuf_printf(&t, "%" PRIu32 " stage%s, ", w->n_in, w->n_in == 1 ? "" : "s");
    units_count(&t, tasks);
    strbuf_printf(&t, " task%s", tasks == 1 ? "" : "s");
    const struct {
        int64_t bytes;
        const char *what;
    } sums[] = { { read, "read" },
                 { written, "shuffled" },
                 { spilled, "spilled to disk" } };
    for (size_t i = 0; i < ARRAY_LEN(sums); i++) {
        if (sums[i].bytes == 0)
            continue;
        strbuf_addz(&t, ", ");
        units_bytes(&t, sums[i].bytes);
        strbuf_printf(&t, " %s", sums[i].what);
    }
    if (path_ms > 0) {
        strbuf_addz(&t, "; stages hold ");
        units_ms(&t, path_ms);
        strbuf_addz(&t, " of the critical path");
    }
    w->g->totals = graph_keep(&w->g->arena, &t);
}

/* "100 of 512 stages drawn, 98.6% of task time; 412 folded ..." */
static void write_folded(struct build *w)
{
    struct strbuf f = { 0 };
    int64_t drawn_ms = 0, all_ms = 0;

    for (size_t i = 0; i < w->b.n; i++) {
        if (!w->in[i])
            continue;
        all_ms = add_sat(all_ms, w->b.items[i].task_ms);
        if (w->keep[i])
            drawn_ms = add_sat(drawn_ms, w->b.items[i].task_ms);
    }
    if (w->n_keep < w->n_in) {
        strbuf_printf(&f, "%" PRIu32 " of %" PRIu32 " stages drawn", w->n_keep, w->n_in);
        if (all_ms > 0) {
            strbuf_addz(&f, " = ");
            units_share(&f, share_of(drawn_ms, all_ms));
            strbuf_addz(&f, " of task time");
        }
        strbuf_printf(&f, "; %" PRIu32 " folded (--max-nodes all draws them)",
                      w->n_in - w->n_keep);
    }
    if (w->options->scope == GRAPH_WHOLE && w->skipped > w->skipped_drawn)
        strbuf_printf(&f, "%s%" PRId64 " skipped stage%s not drawn", f.len ? "; " : "",
                      w->skipped - w->skipped_drawn,
                      w->skipped - w->skipped_drawn == 1 ? "" : "s");
    if (w->options->scope == GRAPH_WHOLE && w->b.unstarted)
        strbuf_printf(&f, "%s%" PRId64 " stage%s never started", f.len ? "; " : "",
                      w->b.unstarted, w->b.unstarted == 1 ? "" : "s");
    w->g->folded = f.len ? graph_keep(&w->g->arena, &f) : NULL;
}

static void write_badges(struct build *w)
{
    struct graph *g = w->g;
    uint32_t seen = 0;

    for (size_t i = 0; i < w->b.n; i++) {
        if (w->in[i] && w->keep[i])
            seen |= w->b.items[i].badges;
        g->has_path |= w->in[i] && w->b.items[i].critical;
    }
    g->badges = arena_array(&g->arena, BADGE_COUNT, sizeof *g->badges);
    for (int k = 0; k < BADGE_COUNT; k++)
        if (seen & 1u << k)
            g->badges[g->n_badges++] =
                (struct graph_legend_badge){ graph_badge_text((enum graph_badge)k),
                                             graph_badge_meaning((enum graph_badge)k) };
}

enum errc graph_build(struct graph *g, const struct analysis *a,
                      const struct findings *findings,
                      const struct graph_options *options, struct err *err)
{
    struct graph made = { 0 };
    struct build w = { .g = &made, .a = a, .options = options };
    enum errc rc;

    graph_bases_build(&w.b, a, findings, options->heat, &w.scratch);
    link_bases(&w);
    if ((rc = take_scope(&w, err)) != ERR_OK)
        goto done;
    choose(&w);
    graph_operators(&w.b, &a->app, &made.arena);
    draft_stages(&w);
    draft_skipped(&w);
    make_nodes(&w);
    make_clusters(&w);
    link_nodes(&w);
    write_titles(&w);
    write_totals(&w);
    write_folded(&w);
    write_badges(&w);
    *g = made;
    made = (struct graph){ 0 };
done:
    free(w.drafts);
    free(w.edges);
    arena_release(&w.scratch);
    arena_release(&made.arena);
    return rc;
}

void graph_release(struct graph *g)
{
    arena_release(&g->arena);
    *g = (struct graph){ 0 };
}
