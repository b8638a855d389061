/* Which stage fed which. See lineage.h.
 *
 * Three sources of links, in this order:
 *  - Parent IDs, each followed to the stage that really ran. A stage id that never
 *    ran is a copy; its original has the same highest RDD id (and, where several
 *    have, the last one that completed before the copy was listed).
 *  - the SQL plan. A plan falls into regions at its exchanges and subqueries; a
 *    region's stages are those whose tasks updated metrics of its operators. The
 *    region under a BroadcastExchange feeds the region above it, and so on.
 *  - persisted RDDs: whoever completed first with the RDD computed it, later stages
 *    with the same RDD read it.
 *
 * Not handled: an RDD that was evicted and computed again by a later stage. */
#include "analyzer/lineage.h"

#include "base/mem.h"

#include <stdlib.h>

#define REGION_STAGES 8       /* stages of a region that links are made for */
#define ORIGINALS_LIMIT 64    /* stages with one highest RDD id that are compared */
#define PLAN_DEPTH_LIMIT 1000 /* deeper plans do not occur; a guard for the stack */

const char *link_via_name(enum link_via via)
{
    static const char *const names[] = { "shuffle", "broadcast", "cache", "subquery" };

    return names[via];
}

/* --- links in the making ------------------------------------------------------------ */

struct maker {
    const struct app *app;
    struct lineage *l;
    struct link *links;
    size_t n, cap;
};

static bool ran_to_some_end(const struct stage *s)
{
    return s->status == STAGE_COMPLETE || s->completed_tasks > 0;
}

static void add_link(struct maker *m, uint32_t from, uint32_t to, enum link_via via,
                     int64_t bytes, int64_t rows, bool reused)
{
    if (from == to || from == IX_NONE || to == IX_NONE ||
        m->app->stages[from].stage_id == m->app->stages[to].stage_id)
        return;
    GROW(m->links, m->n, m->cap);
    m->links[m->n++] = (struct link){ from, to, via, bytes, rows, reused };
}

/* --- originals of skipped stages ------------------------------------------------------ */

/* Stages that ran, by highest RDD id: chains through `next`, newest completion first. */
struct originals {
    struct map first;
    uint32_t *next;
};

static int64_t completion(const struct stage *s)
{
    return s->completed_ms == APP_NONE ? INT64_MAX : s->completed_ms;
}

static void find_originals(struct originals *o, const struct app *app)
{
    o->next = xmalloc(mem_product(app->n_stages, sizeof *o->next));
    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        const struct stage *s = &app->stages[ix];

        o->next[ix] = IX_NONE;
        if (!ran_to_some_end(s) || s->n_rdds == 0)
            continue;
        uint32_t at = map_get(&o->first, s->rdds[0].id), before = IX_NONE;
        for (int i = 0; i < ORIGINALS_LIMIT && at != IX_NONE &&
                        completion(&app->stages[at]) > completion(s);
             i++) {
            before = at;
            at = o->next[at];
        }
        o->next[ix] = at;
        if (before == IX_NONE)
            map_put(&o->first, s->rdds[0].id, ix);
        else
            o->next[before] = ix;
    }
}

/* When the stage was listed first: its copy's original must have been done by then. */
static int64_t listed_ms(const struct app *app, const struct stage *s)
{
    if (s->n_jobs == 0 || app->jobs[s->job_ixs[0]].submitted_ms == APP_NONE)
        return INT64_MAX;
    return app->jobs[s->job_ixs[0]].submitted_ms;
}

static uint32_t original_of(const struct originals *o, const struct app *app, uint32_t ix)
{
    const struct stage *s = &app->stages[ix];

    if (stage_ran(s))
        return ix;
    uint32_t own = app_stage_last_ix(app, s->stage_id);
    if (own != ix && ran_to_some_end(&app->stages[own]))
        return own; /* the same stage object, listed again */
    if (s->n_rdds == 0)
        return IX_NONE;
    uint32_t newest = map_get(&o->first, s->rdds[0].id);
    int64_t by_ms = listed_ms(app, s);
    uint32_t at = newest;
    for (int i = 0; i < ORIGINALS_LIMIT && at != IX_NONE; i++, at = o->next[at])
        if (completion(&app->stages[at]) <= by_ms)
            return at;
    return newest; /* clocks disagree: the identity still holds */
}

/* The stage attempt behind a stage id: the last one that got somewhere. */
static uint32_t behind(const struct lineage *l, const struct app *app, int64_t stage_id)
{
    uint32_t last = app_stage_last_ix(app, stage_id), ix = last;

    while (ix != IX_NONE && app->stages[ix].stage_id == stage_id) {
        if (ran_to_some_end(&app->stages[ix]))
            return ix;
        if (ix == 0)
            break;
        ix--;
    }
    return last == IX_NONE ? IX_NONE : l->source_ix[last];
}

static void shuffle_links(struct maker *m)
{
    for (uint32_t ix = 0; ix < m->app->n_stages; ix++) {
        const struct stage *s = &m->app->stages[ix];

        if (!stage_ran(s))
            continue;
        for (size_t p = 0; p < s->parent_ids.n; p++)
            add_link(m, behind(m->l, m->app, s->parent_ids.items[p]), ix, VIA_SHUFFLE,
                     APP_NONE, APP_NONE, false);
    }
}

/* --- what the SQL plan tells ------------------------------------------------------------ */

struct region {
    uint32_t stages[REGION_STAGES];
    size_t n;
};

enum border { BORDER_NONE, BORDER_SHUFFLE, BORDER_BROADCAST, BORDER_SUBQUERY };

static enum border border_of(struct sv name)
{
    static const char *const same[] = { "ShuffleQueryStage", "BroadcastQueryStage",
                                        "ResultQueryStage", "TableCacheQueryStage" };

    for (size_t i = 0; i < ARRAY_LEN(same); i++)
        if (sv_starts(name, sv(same[i])))
            return BORDER_NONE; /* wrappers; the exchange comes below */
    if (sv_has(name, "BroadcastExchange"))
        return BORDER_BROADCAST;
    if (sv_starts(name, SV("Subquery")) || sv_starts(name, SV("ReusedSubquery")))
        return BORDER_SUBQUERY;
    if (sv_has(name, "Exchange"))
        return BORDER_SHUFFLE;
    return BORDER_NONE;
}

static void region_add(struct region *r, const struct app *app, const struct plan_node *n)
{
    for (size_t i = 0; i < n->n_metrics; i++) {
        struct arena scratch = { 0 };
        uint32_t *ixs;
        size_t count =
            app_accum_stages(app, n->metrics[i].accumulator_id, &scratch, &ixs);

        for (size_t k = 0; k < count; k++) {
            size_t at = 0;

            while (at < r->n && r->stages[at] != ixs[k])
                at++;
            if (at == r->n && r->n < REGION_STAGES)
                r->stages[r->n++] = ixs[k];
        }
        arena_release(&scratch);
    }
}

static int64_t driver_metric(const struct app *app, const struct plan_node *n, const char *name)
{
    for (size_t i = 0; i < n->n_metrics; i++) {
        if (!sv_starts(n->metrics[i].name, sv(name)))
            continue;
        struct accum_summary a =
            app_accum(app, n->metrics[i].accumulator_id, n->metrics[i].type);
        return a.n ? a.total : APP_NONE;
    }
    return APP_NONE;
}

/* A border whose region above is not complete yet. */
struct crossing {
    const struct plan_node *node;
    struct region below;
    enum border border;
    bool reused;
};

struct walk {
    struct maker *m;
    struct crossing *open;
    size_t n_open, cap_open;
};

static void walk_region(struct walk *w, const struct plan_node *n, struct region *region,
                        bool reused, int depth);

/* A whole region: its own stages, then the links from what lies under its borders. */
static struct region walk_below(struct walk *w, const struct plan_node *root, bool reused,
                                int depth)
{
    struct region region = { 0 };
    size_t mine = w->n_open;

    for (size_t i = 0; i < root->n_children; i++)
        walk_region(w, root->children[i], &region, reused, depth + 1);
    for (size_t c = mine; c < w->n_open; c++) {
        const struct crossing *x = &w->open[c];
        enum link_via via = x->border == BORDER_BROADCAST ? VIA_BROADCAST : VIA_SUBQUERY;
        int64_t bytes = driver_metric(w->m->app, x->node, "data size");
        int64_t rows = driver_metric(w->m->app, x->node, "number of output rows");

        for (size_t i = 0; i < x->below.n; i++)
            for (size_t k = 0; k < region.n; k++)
                add_link(w->m, x->below.stages[i], region.stages[k], via, bytes, rows,
                         x->reused);
    }
    w->n_open = mine;
    return region;
}

static void walk_region(struct walk *w, const struct plan_node *n, struct region *region,
                        bool reused, int depth)
{
    enum border border = border_of(n->name);

    if (depth > PLAN_DEPTH_LIMIT)
        return;
    if (sv_starts(n->name, SV("Reused")) && n->n_children == 1 &&
        border_of(n->children[0]->name) != BORDER_NONE) {
        walk_region(w, n->children[0], region, true, depth + 1);
        return;
    }
    if (border == BORDER_NONE) {
        region_add(region, w->m->app, n);
        for (size_t i = 0; i < n->n_children; i++)
            walk_region(w, n->children[i], region, reused, depth + 1);
        return;
    }
    struct region below = walk_below(w, n, false, depth + 1);
    if (border == BORDER_SHUFFLE)
        return; /* Parent IDs tell */
    GROW(w->open, w->n_open, w->cap_open);
    w->open[w->n_open++] = (struct crossing){ n, below, border, reused };
}

static void plan_links(struct maker *m)
{
    struct walk w = { .m = m };

    app_each_sql(m->app, q)
    {
        struct plan_node *plan = sql_final_plan(q);

        if (!plan || q->n_jobs < 2)
            continue; /* with one job nothing crosses from job to job */
        struct plan_node top = { .children = &plan, .n_children = 1 };
        walk_below(&w, &top, false, 0);
    }
    free(w.open);
}

/* --- persisted RDDs ------------------------------------------------------------------------ */

static void cache_links(struct maker *m)
{
    const struct app *app = m->app;
    struct map first = { 0 };

    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t ix = 0; ix < app->n_stages; ix++) {
            const struct stage *s = &app->stages[ix];

            for (size_t r = 0; r < s->n_rdds && stage_ran(s); r++) {
                if (!s->rdds[r].use_memory && !s->rdds[r].use_disk)
                    continue;
                uint32_t at = map_get(&first, s->rdds[r].id);
                bool earlier = at == MAP_NONE || completion(s) < completion(&app->stages[at]);

                if (pass == 0 && ran_to_some_end(s) && earlier)
                    map_put(&first, s->rdds[r].id, ix);
                if (pass == 1 && at != MAP_NONE && s->submitted_ms != APP_NONE &&
                    completion(&app->stages[at]) <= s->submitted_ms) {
                    add_link(m, at, ix, VIA_CACHE, APP_NONE, APP_NONE, false);
                    break; /* the highest cached RDD is what is read */
                }
            }
        }
    }
    map_release(&first);
}

/* --- order and bytes ----------------------------------------------------------------------- */

static int by_ends(const void *x, const void *y)
{
    const struct link *a = x, *b = y;

    if (a->to_ix != b->to_ix)
        return a->to_ix < b->to_ix ? -1 : 1;
    if (a->from_ix != b->from_ix)
        return a->from_ix < b->from_ix ? -1 : 1;
    return (int)a->via - (int)b->via;
}

static void sort_unique(struct maker *m)
{
    size_t kept = 0;

    if (m->n)
        qsort(m->links, m->n, sizeof *m->links, by_ends);
    for (size_t i = 0; i < m->n; i++) {
        struct link *last = kept ? &m->links[kept - 1] : NULL;

        if (last && by_ends(last, &m->links[i]) == 0) {
            last->reused |= m->links[i].reused;
            if (last->bytes == APP_NONE) {
                last->bytes = m->links[i].bytes;
                last->rows = m->links[i].rows;
            }
            continue;
        }
        m->links[kept++] = m->links[i];
    }
    m->n = kept;
}

/* total * part / whole without overflow, rounded down. */
static int64_t share_of(int64_t total, int64_t part, int64_t whole)
{
    return whole > 0 ? (int64_t)((long double)total * (long double)part / (long double)whole)
                     : 0;
}

/* What a stage read over shuffles, divided among its parents by what they wrote; the
 * last one takes what rounding left, so the parts add up to what was read. */
static void shuffle_volumes(struct lineage *l, const struct app *app)
{
    for (uint32_t to = 0; to < app->n_stages; to++) {
        const struct stage *s = &app->stages[to];
        int64_t read_bytes = stage_shuffle_read_bytes(s);
        int64_t read_rows = s->total[METRIC_SHUFFLE_READ_ROWS];
        int64_t bytes = 0, rows = 0, given_bytes = 0, given_rows = 0;
        struct link *last = NULL;

        for (uint32_t i = l->first[to]; i < l->first[to + 1]; i++) {
            if (l->links[i].via != VIA_SHUFFLE)
                continue;
            const struct stage *from = &app->stages[l->links[i].from_ix];
            bytes = add_sat(bytes, from->total[METRIC_SHUFFLE_WRITE_BYTES]);
            rows = add_sat(rows, from->total[METRIC_SHUFFLE_WRITE_ROWS]);
            last = &l->links[i];
        }
        for (uint32_t i = l->first[to]; last && i < l->first[to + 1]; i++) {
            struct link *k = &l->links[i];
            const struct stage *from = &app->stages[k->from_ix];

            if (k->via != VIA_SHUFFLE)
                continue;
            k->bytes = k == last ? read_bytes - given_bytes
                                 : share_of(read_bytes,
                                            from->total[METRIC_SHUFFLE_WRITE_BYTES], bytes);
            k->rows = k == last ? read_rows - given_rows
                                : share_of(read_rows, from->total[METRIC_SHUFFLE_WRITE_ROWS],
                                           rows);
            given_bytes += k->bytes;
            given_rows += k->rows;
        }
    }
}

static void mark_reuse(struct lineage *l, const struct app *app)
{
    uint32_t *readers = xcalloc(app->n_stages, sizeof *readers);

    for (size_t i = 0; i < l->n_links; i++)
        readers[l->links[i].from_ix] += l->links[i].via == VIA_SHUFFLE;
    for (size_t i = 0; i < l->n_links; i++)
        l->links[i].reused |= l->links[i].via == VIA_SHUFFLE && readers[l->links[i].from_ix] > 1;
    free(readers);
}

void lineage_build(struct lineage *l, const struct app *app, struct arena *arena)
{
    struct maker m = { .app = app, .l = l };
    struct originals originals = { 0 };
    size_t at = 0;

    find_originals(&originals, app);
    l->source_ix = arena_array(arena, app->n_stages, sizeof *l->source_ix);
    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        l->source_ix[ix] = original_of(&originals, app, ix);
        if (app->stages[ix].status == STAGE_SKIPPED) {
            l->skipped++;
            l->skipped_found += l->source_ix[ix] != IX_NONE;
        }
    }
    map_release(&originals.first);
    free(originals.next);
    shuffle_links(&m);
    plan_links(&m);
    cache_links(&m);
    sort_unique(&m);
    l->links = arena_array(arena, m.n, sizeof *l->links);
    if (m.n)
        memcpy(l->links, m.links, m.n * sizeof *l->links);
    l->n_links = m.n;
    free(m.links);
    l->first = arena_array(arena, app->n_stages + 1, sizeof *l->first);
    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        while (at < l->n_links && l->links[at].to_ix < ix)
            at++;
        l->first[ix] = (uint32_t)at;
    }
    l->first[app->n_stages] = (uint32_t)l->n_links;
    shuffle_volumes(l, app);
    mark_reuse(l, app);
}
