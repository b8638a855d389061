/* Which stage fed which. See lineage.h, docs/method.md.
 *
 * Three sources of links, in this order:
 *  - Parent IDs, each followed to the stage that really ran. A stage id that never
 *    ran is a copy; its original has the same highest RDD id. Of several, one that
 *    wrote a shuffle is preferred (a count() of the same RDD is none), then the last
 *    that had completed when the copy was listed.
 *  - the SQL plan, all its versions. What lies under a BroadcastExchange or a subquery,
 *    down to the next exchange, is one stage: the one whose tasks updated metrics of
 *    those operators. It feeds the nearest operator above whose stage is known:
 *
 *        Exchange            writes: metrics of this stage too --.
 *          BroadcastHashJoin      <- nearest with metrics        | one stage
 *            Scan a                                            --'
 *            BroadcastExchange    <- border; its metrics are the driver's
 *              Filter                                          --.  another
 *                Scan b                                        --'
 *  - persisted RDDs: whoever completed first with the RDD computed it, later stages
 *    with the same RDD read it.
 *
 * Links are what the log says, and a damaged log can say that two stages feed each
 * other: who walks links must stand cycles.
 *
 * Not handled: an RDD that was evicted and computed again by a later stage; two
 * shuffles of one RDD, whose copies look the same. */
#include "analyzer/lineage.h"

#include "base/mem.h"

#include <stdlib.h>

#define REGION_STAGES 16      /* stages of one piece of a plan that links are made for */
#define CANDIDATES_LIMIT 64   /* originals or attempts that are compared */
#define PLAN_DEPTH_LIMIT 1000 /* deeper plans do not occur; a guard for the stack */
#define WEIGHT_LIMIT (INT64_C(1) << 47) /* times 2^63 bytes and 2^17 parents: 127 bits */

const char *link_via_name(enum link_via via)
{
    static const char *const names[] = { "shuffle", "broadcast", "cache", "subquery" };

    return names[via];
}

__extension__ typedef unsigned __int128 wide;

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
    struct map wrote, other; /* with and without shuffle output */
    uint32_t *next;
};

static int64_t completion(const struct stage *s)
{
    return s->completed_ms == APP_NONE ? INT64_MAX : s->completed_ms;
}

static bool wrote_shuffle(const struct stage *s)
{
    return s->total[METRIC_SHUFFLE_WRITE_ROWS] > 0 || s->total[METRIC_SHUFFLE_WRITE_BYTES] > 0;
}

static void find_originals(struct originals *o, const struct app *app)
{
    o->next = xmalloc(mem_product(app->n_stages, sizeof *o->next));
    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        const struct stage *s = &app->stages[ix];

        o->next[ix] = IX_NONE;
        if (!ran_to_some_end(s) || s->n_rdds == 0)
            continue;
        struct map *first = wrote_shuffle(s) ? &o->wrote : &o->other;
        uint32_t at = map_get(first, s->rdds[0].id), before = IX_NONE;
        for (int i = 0; i < CANDIDATES_LIMIT && at != IX_NONE &&
                        completion(&app->stages[at]) > completion(s);
             i++) {
            before = at;
            at = o->next[at];
        }
        o->next[ix] = at;
        if (before == IX_NONE)
            map_put(first, s->rdds[0].id, ix);
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

/* First of the chain that had completed by then; IX_NONE: none. */
static uint32_t done_by(const struct originals *o, const struct app *app, uint32_t at,
                        int64_t by_ms)
{
    for (int i = 0; i < CANDIDATES_LIMIT && at != IX_NONE; i++, at = o->next[at])
        if (completion(&app->stages[at]) <= by_ms)
            return at;
    return IX_NONE;
}

static uint32_t original_of(const struct originals *o, const struct app *app, uint32_t ix)
{
    const struct stage *s = &app->stages[ix];

    if (stage_ran(s))
        return ix;
    uint32_t wrote = s->n_rdds ? map_get(&o->wrote, s->rdds[0].id) : MAP_NONE;
    uint32_t other = s->n_rdds ? map_get(&o->other, s->rdds[0].id) : MAP_NONE;
    uint32_t found = done_by(o, app, wrote, listed_ms(app, s));
    if (found == IX_NONE)
        found = done_by(o, app, other, listed_ms(app, s));
    if (found != IX_NONE)
        return found;
    uint32_t own = app_stage_last_ix(app, s->stage_id);
    if (own != IX_NONE && ran_to_some_end(&app->stages[own]))
        return own; /* a later attempt of the same stage */
    return wrote != MAP_NONE ? wrote : other; /* clocks disagree: the identity still holds */
}

/* What the stage with this id was when stage `to` began: of its attempts the last one
 * that had completed by then, else the last that completed at all; of a skipped one
 * its original. */
static uint32_t stage_behind(const struct maker *m, int64_t stage_id, uint32_t to)
{
    const struct app *app = m->app;
    int64_t by_ms = app->stages[to].submitted_ms;
    uint32_t ix = app_stage_last_ix(app, stage_id), last = IX_NONE;

    if (by_ms == APP_NONE)
        by_ms = INT64_MAX;
    for (int i = 0; i < CANDIDATES_LIMIT && ix != IX_NONE; i++) {
        uint32_t real = stage_ran(&app->stages[ix]) ? ix : m->l->source_ix[ix];

        if (real != IX_NONE && ran_to_some_end(&app->stages[real])) {
            if (completion(&app->stages[real]) <= by_ms)
                return real;
            last = last == IX_NONE ? real : last;
        }
        if (ix == 0 || app->stages[ix - 1].stage_id != stage_id)
            break;
        ix--;
    }
    return last;
}

/* A stage that made lost output again in fewer tasks than there had been made a part of
 * it: who has the rest. IX_NONE: there is none. */
static uint32_t stage_with_rest(const struct maker *m, uint32_t ix)
{
    uint32_t whole = ix == IX_NONE ? IX_NONE : m->l->again_ix[ix];

    if (whole == IX_NONE || m->app->stages[ix].tasks < 0 ||
        m->app->stages[ix].tasks >= m->app->stages[whole].tasks)
        return IX_NONE;
    return whole;
}

static void shuffle_links(struct maker *m)
{
    for (uint32_t ix = 0; ix < m->app->n_stages; ix++) {
        const struct stage *s = &m->app->stages[ix];

        if (!stage_ran(s))
            continue;
        for (size_t p = 0; p < s->parent_ids.n; p++) {
            uint32_t from = stage_behind(m, s->parent_ids.items[p], ix);

            add_link(m, from, ix, VIA_SHUFFLE, APP_NONE, APP_NONE, false);
            add_link(m, stage_with_rest(m, from), ix, VIA_SHUFFLE, APP_NONE, APP_NONE, false);
        }
    }
}

/* --- what the SQL plan tells ------------------------------------------------------------ */

enum border { BORDER_NONE, BORDER_SHUFFLE, BORDER_BROADCAST, BORDER_SUBQUERY, BORDER_CACHE };

struct stage_set { /* stage ixs, in order of appearance */
    uint32_t ix[REGION_STAGES];
    size_t n;
};

/* What was found out about a node; nodes come again in each version of a plan. */
struct known {
    enum border border;
    uint32_t first, n; /* of `pool`: stages that updated its metrics */
};

struct above { /* the way up from a node */
    const struct above *up;
    const struct plan_node *node;
};

struct walk {
    struct maker *m;
    struct map seen; /* node's address -> known; never walked in its order */
    struct known *known;
    size_t n_known, cap_known;
    uint32_t *pool;
    size_t n_pool, cap_pool;
    struct arena scratch;
};

static enum border border_of(struct sv name)
{
    static const char *const same[] = { "ShuffleQueryStage", "BroadcastQueryStage",
                                        "ResultQueryStage", "TableCacheQueryStage" };

    for (size_t i = 0; i < ARRAY_LEN(same); i++)
        if (sv_starts(name, sv(same[i])))
            return BORDER_NONE; /* wrappers; the exchange comes below */
    if (sv_starts(name, SV("ReusedExchange")))
        return BORDER_NONE; /* likewise */
    if (sv_starts(name, SV("ReusedSubquery")) || sv_starts(name, SV("Subquery")))
        return BORDER_SUBQUERY;
    if (sv_has(name, "BroadcastExchange"))
        return BORDER_BROADCAST;
    if (sv_starts(name, SV("InMemoryTableScan")))
        return BORDER_CACHE; /* the plan below belongs to whoever filled the cache */
    return sv_has(name, "Exchange") ? BORDER_SHUFFLE : BORDER_NONE;
}

/* An exchange's metrics are updated by both sides; these by the one that writes. */
static bool writer_metric(struct sv name)
{
    return sv_starts(name, SV("shuffle ")) || sv_has(name, "data size");
}

static void pool_add(struct walk *w, uint32_t first, uint32_t ix)
{
    for (size_t i = first; i < w->n_pool; i++)
        if (w->pool[i] == ix)
            return;
    if (w->n_pool - first >= REGION_STAGES)
        return;
    GROW(w->pool, w->n_pool, w->cap_pool);
    w->pool[w->n_pool++] = ix;
}

/* Stages that updated metrics of the node: of an exchange those of its writing or of
 * its reading side. */
static void pool_metrics(struct walk *w, uint32_t first, const struct plan_node *n, bool exchange,
                         bool writers)
{
    for (size_t i = 0; i < n->n_metrics; i++) {
        uint32_t *ixs;

        if (exchange && writer_metric(n->metrics[i].name) != writers)
            continue;
        size_t count =
            app_accum_stages(w->m->app, n->metrics[i].accumulator_id, &w->scratch, &ixs);
        for (size_t k = 0; k < count; k++)
            pool_add(w, first, ixs[k]);
    }
    arena_reset(&w->scratch);
}

static struct known known_of(struct walk *w, const struct plan_node *n)
{
    int64_t key = (int64_t)(intptr_t)n;
    uint32_t at = map_get(&w->seen, key);

    if (at != MAP_NONE)
        return w->known[at];
    struct known k = { border_of(n->name), (uint32_t)w->n_pool, 0 };
    if (k.border != BORDER_BROADCAST) /* the driver's */
        pool_metrics(w, k.first, n, k.border == BORDER_SHUFFLE, true);
    k.n = (uint32_t)(w->n_pool - k.first);
    GROW(w->known, w->n_known, w->cap_known);
    w->known[w->n_known] = k;
    map_put(&w->seen, key, (uint32_t)w->n_known++);
    return k;
}

static void set_add(struct stage_set *set, uint32_t ix)
{
    for (size_t i = 0; i < set->n; i++)
        if (set->ix[i] == ix)
            return;
    if (set->n < REGION_STAGES)
        set->ix[set->n++] = ix;
}

/* Stages of the operators from n down to the next borders. */
static void region(struct walk *w, const struct plan_node *n, struct stage_set *set, int depth)
{
    struct known k = known_of(w, n);

    if (depth > PLAN_DEPTH_LIMIT ||
        (k.border != BORDER_NONE && k.border != BORDER_CACHE))
        return;
    for (uint32_t i = 0; i < k.n; i++)
        set_add(set, w->pool[k.first + i]);
    for (size_t i = 0; i < n->n_children && k.border == BORDER_NONE; i++)
        region(w, n->children[i], set, depth + 1);
}

/* Stages that read the exchanges at the lower borders of n's region. */
static void region_readers(struct walk *w, const struct plan_node *n, struct stage_set *set,
                           int depth)
{
    struct known k = known_of(w, n);

    if (depth > PLAN_DEPTH_LIMIT || k.border == BORDER_CACHE)
        return;
    if (k.border == BORDER_SHUFFLE) {
        size_t first = w->n_pool;

        pool_metrics(w, (uint32_t)first, n, true, false);
        for (size_t i = first; i < w->n_pool; i++)
            set_add(set, w->pool[i]);
        w->n_pool = first;
        return;
    }
    for (size_t i = 0; i < n->n_children && k.border == BORDER_NONE; i++)
        region_readers(w, n->children[i], set, depth + 1);
}

/* What ran under a border: its region; where no operator of it has numbers, who read
 * the exchanges below it; where there is none of these, what lies under the next
 * border (a subquery that hands on a broadcast). */
static void below_border(struct walk *w, const struct plan_node *border, struct stage_set *set,
                         int depth)
{
    if (depth > PLAN_DEPTH_LIMIT)
        return;
    for (size_t i = 0; i < border->n_children; i++)
        region(w, border->children[i], set, depth + 1);
    for (size_t i = 0; i < border->n_children && set->n == 0; i++)
        region_readers(w, border->children[i], set, depth + 1);
    const struct plan_node *n = border;
    while (set->n == 0 && n->n_children == 1 && depth++ < PLAN_DEPTH_LIMIT) {
        n = n->children[0];
        enum border b = known_of(w, n).border;
        if (b == BORDER_BROADCAST || b == BORDER_SUBQUERY) {
            below_border(w, n, set, depth);
            return;
        }
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

static void cross_border(struct walk *w, const struct plan_node *n, enum border border,
                         const struct above *above, bool reused)
{
    struct stage_set below = { 0 };
    struct known consumer = { 0 };

    for (; above && consumer.n == 0; above = above->up)
        consumer = known_of(w, above->node);
    if (consumer.n == 0)
        return;
    below_border(w, n, &below, 0);
    int64_t bytes = driver_metric(w->m->app, n, "data size");
    int64_t rows = driver_metric(w->m->app, n, "number of output rows");
    enum link_via via = border == BORDER_BROADCAST ? VIA_BROADCAST : VIA_SUBQUERY;
    for (uint32_t k = 0; k < consumer.n; k++)
        for (size_t i = 0; i < below.n; i++) {
            uint32_t to = w->pool[consumer.first + k];
            int64_t from_id = w->m->app->stages[below.ix[i]].stage_id;

            add_link(w->m, stage_behind(w->m, from_id, to), to, via, bytes, rows, reused);
        }
}

static void walk_plan(struct walk *w, const struct plan_node *n, const struct above *above,
                      bool reused, int depth)
{
    struct above here = { above, n };
    struct known k = known_of(w, n);

    if (depth > PLAN_DEPTH_LIMIT)
        return;
    if (k.border == BORDER_BROADCAST || k.border == BORDER_SUBQUERY)
        cross_border(w, n, k.border, above, reused || sv_starts(n->name, SV("Reused")));
    bool again = sv_starts(n->name, SV("Reused")) ||
                 (reused && (k.border == BORDER_NONE || k.border == BORDER_CACHE));
    for (size_t i = 0; i < n->n_children; i++)
        walk_plan(w, n->children[i], &here, again, depth + 1);
}

static void plan_links(struct maker *m)
{
    struct walk w = { .m = m };

    app_each_sql(m->app, q)
    {
        if (q->n_jobs < 2)
            continue; /* with one job nothing crosses from job to job */
        for (size_t i = 0; i < q->n_plans; i++)
            if (i == 0 || q->plans[i] != q->plans[i - 1])
                walk_plan(&w, q->plans[i], NULL, false, 0);
    }
    map_release(&w.seen);
    free(w.known);
    free(w.pool);
    arena_release(&w.scratch);
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

/* --- order and volume ---------------------------------------------------------------------- */

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
            last->bytes = max_i64(last->bytes, m->links[i].bytes); /* APP_NONE is least */
            last->rows = max_i64(last->rows, m->links[i].rows);
            continue;
        }
        m->links[kept++] = m->links[i];
    }
    m->n = kept;
}

/* Divides what one stage read over shuffles among its parents. */
struct split {
    int64_t total, own; /* to divide; what parents wrote that only this stage reads */
    wide weight;        /* sum of the others' writes, or of all where own does not fit */
    wide passed;        /* of weight, by those that were given their part */
    int64_t given;
    bool keep_own;
};

static void split_add(struct split *p, int64_t wrote, bool only_reader)
{
    if (only_reader)
        p->own = add_sat(p->own, wrote);
    else
        p->weight += (uint64_t)wrote;
}

static void split_begin(struct split *p, int64_t total)
{
    p->total = max_i64(0, total);
    p->keep_own = p->own < p->total ? p->weight > 0 : p->own == p->total;
    if (p->keep_own)
        p->total -= p->own;
    else
        p->weight += (uint64_t)p->own;
}

/* The parts of the total up to here, less those given before: they add up exactly.
 * With nothing written by anybody the first one takes it all. */
static int64_t split_next(struct split *p, int64_t wrote, bool only_reader)
{
    if (p->keep_own && only_reader)
        return wrote;
    p->passed += (uint64_t)wrote;
    int64_t until = p->weight ? (int64_t)((wide)(uint64_t)p->total * p->passed / p->weight)
                              : p->total;
    int64_t part = until - p->given;
    p->given = until;
    return part;
}

/* What all attempts of the stage wrote. */
static int64_t wrote_total(const struct app *app, uint32_t ix, enum task_metric m)
{
    int64_t sum = 0, id = app->stages[ix].stage_id;

    while (ix > 0 && app->stages[ix - 1].stage_id == id)
        ix--;
    for (int i = 0; i < CANDIDATES_LIMIT && ix < app->n_stages && app->stages[ix].stage_id == id;
         i++, ix++)
        sum = add_sat(sum, max_i64(0, app->stages[ix].total[m]));
    return min_i64(sum, WEIGHT_LIMIT);
}

/* How many different stages read each stage over the given kinds of edges. */
static uint32_t *count_readers(const struct lineage *l, const struct app *app, bool broadcasts)
{
    uint32_t *readers = xcalloc(app->n_stages, sizeof *readers);
    int64_t *last_id = xcalloc(app->n_stages, sizeof *last_id);

    for (size_t i = 0; i < l->n_links; i++) { /* by to_ix: attempts of a reader come together */
        const struct link *k = &l->links[i];
        int64_t reader = app->stages[k->to_ix].stage_id;

        if (k->via != (broadcasts ? VIA_BROADCAST : VIA_SHUFFLE))
            continue;
        if (readers[k->from_ix] == 0 || last_id[k->from_ix] != reader)
            readers[k->from_ix]++;
        last_id[k->from_ix] = reader;
    }
    free(last_id);
    return readers;
}

/* Who reads what, for dividing. */
struct readers {
    uint32_t *shuffle, *broadcast; /* per stage: how many stages read it */
    uint32_t *parted;              /* per stage: the last reader that has a part of it from
                                    * elsewhere, where it was made again */
};

/* The reader of link k takes all that the stage at its other end wrote. */
static bool takes_all(const struct readers *r, const struct link *k)
{
    return r->shuffle[k->from_ix] == 1 && r->parted[k->from_ix] != k->to_ix;
}

static void split_reads(struct lineage *l, uint32_t to, const struct readers *readers,
                        const int64_t *wrote, bool rows, int64_t total)
{
    struct split split = { 0 };

    for (uint32_t i = l->first[to]; i < l->first[to + 1]; i++)
        if (l->links[i].via == VIA_SHUFFLE)
            split_add(&split, wrote[l->links[i].from_ix], takes_all(readers, &l->links[i]));
    split_begin(&split, total);
    for (uint32_t i = l->first[to]; i < l->first[to + 1]; i++) {
        struct link *k = &l->links[i];

        if (k->via != VIA_SHUFFLE)
            continue;
        int64_t part = split_next(&split, wrote[k->from_ix], takes_all(readers, k));
        if (rows)
            k->rows = part;
        else
            k->bytes = part;
    }
}

/* None of the attempt's tasks came to say what it had read. */
static bool says_nothing(const struct stage *s)
{
    return s->task.n > 0 && s->metrics_seen == 0;
}

static void shuffle_volumes(struct lineage *l, const struct app *app)
{
    struct readers readers = { count_readers(l, app, false), count_readers(l, app, true),
                               xmalloc(mem_product(app->n_stages, sizeof(uint32_t))) };
    int64_t *bytes = xcalloc(app->n_stages, sizeof *bytes);
    int64_t *rows = xcalloc(app->n_stages, sizeof *rows);

    for (uint32_t ix = 0; ix < app->n_stages; ix++)
        readers.parted[ix] = IX_NONE;
    for (size_t i = 0; i < l->n_links; i++) {
        struct link *k = &l->links[i];

        if (k->via == VIA_SHUFFLE && bytes[k->from_ix] == 0 && rows[k->from_ix] == 0) {
            bytes[k->from_ix] = wrote_total(app, k->from_ix, METRIC_SHUFFLE_WRITE_BYTES);
            rows[k->from_ix] = wrote_total(app, k->from_ix, METRIC_SHUFFLE_WRITE_ROWS);
        }
        if (k->via == VIA_SHUFFLE)
            k->reused |= readers.shuffle[k->from_ix] > 1;
        if (k->via == VIA_BROADCAST)
            k->reused |= readers.broadcast[k->from_ix] > 1;
    }
    for (uint32_t to = 0; to < app->n_stages; to++) {
        const struct stage *s = &app->stages[to];

        if (says_nothing(s))
            continue;
        for (uint32_t i = l->first[to]; i < l->first[to + 1]; i++) {
            uint32_t whole = l->again_ix[l->links[i].from_ix];

            if (whole != IX_NONE && l->links[i].via == VIA_SHUFFLE)
                readers.parted[whole] = to;
        }
        split_reads(l, to, &readers, bytes, false, stage_shuffle_read_bytes(s));
        split_reads(l, to, &readers, rows, true, s->total[METRIC_SHUFFLE_READ_ROWS]);
    }
    free(readers.shuffle);
    free(readers.broadcast);
    free(readers.parted);
    free(bytes);
    free(rows);
}

/* --- all of it ------------------------------------------------------------------------------- */

static void find_sources(struct lineage *l, const struct app *app)
{
    struct originals originals = { 0 };

    find_originals(&originals, app);
    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        l->source_ix[ix] = original_of(&originals, app, ix);
        if (app->stages[ix].status == STAGE_SKIPPED) {
            l->skipped++;
            l->skipped_found += l->source_ix[ix] != IX_NONE;
        }
    }
    map_release(&originals.wrote);
    map_release(&originals.other);
    free(originals.next);
}

void lineage_build(struct lineage *l, const struct app *app, struct arena *arena)
{
    struct maker m = { .app = app, .l = l };
    size_t at = 0;

    *l = (struct lineage){ .source_ix = arena_array(arena, app->n_stages, sizeof(uint32_t)),
                           .again_ix = arena_array(arena, app->n_stages, sizeof(uint32_t)),
                           .first = arena_array(arena, app->n_stages + 1, sizeof(uint32_t)) };
    find_sources(l, app);
    lineage_find_again(l, app);
    shuffle_links(&m);
    plan_links(&m);
    cache_links(&m);
    sort_unique(&m);
    l->links = arena_array(arena, m.n, sizeof *l->links);
    if (m.n)
        memcpy(l->links, m.links, m.n * sizeof *l->links);
    l->n_links = m.n;
    free(m.links);
    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        while (at < l->n_links && l->links[at].to_ix < ix)
            at++;
        l->first[ix] = (uint32_t)at;
    }
    l->first[app->n_stages] = (uint32_t)l->n_links;
    shuffle_volumes(l, app);
}
