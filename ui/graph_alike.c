/* Loops and branches: SQL executions (or jobs outside of SQL), and stages of one of them,
 * that did the same work.
 *
 * Two are alike when their stages are, one after the other: the same operators (or call
 * site, where no plan tells), the same badges, the same links among themselves. An
 * iteration that failed or spilled where the others did not is none of them. Of those
 * alike the slowest is drawn, the others share a box "x39 like job 3". It stands where
 * the first of them ran.
 *
 * Then stages of one execution that are alike, read the same stages and feed the same:
 * the branches of a wide union. "x49 like stage 34" stands for them in the same way.
 *
 * Not handled: an iteration that ran one stage more than the others (of a cache filled
 * the first time) is a kind of its own. */
#include "ui/graph_work.h"

#include <stdlib.h>
#include <string.h>

#define ALIKE_MIN 5     /* fewer are drawn sooner than explained */
#define ALIKE_STAGES 24 /* a picture of so many boxes needs no folding */

struct unit { /* a group with all its stages in the picture; or one stage */
    uint64_t group, likeness;
    int64_t wall_ms, submitted_ms, id;
    uint32_t first_base, n_stages;
};

struct member { /* a stage under its group */
    uint64_t group;
    uint32_t base;
};

static int by_group(const void *a, const void *b)
{
    const struct member *x = a, *y = b;

    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    return x->base < y->base ? -1 : x->base > y->base;
}

/* Those alike together, the slowest first, then as they ran. */
static int by_likeness(const void *a, const void *b)
{
    const struct unit *x = a, *y = b;

    if (x->likeness != y->likeness)
        return x->likeness < y->likeness ? -1 : 1;
    if (x->wall_ms != y->wall_ms)
        return x->wall_ms > y->wall_ms ? -1 : 1;
    return x->group < y->group ? -1 : x->group > y->group;
}

/* FNV-1a, over bytes and numbers. */
static uint64_t mix(uint64_t h, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3u;
    return h;
}

static uint64_t mix_number(uint64_t h, uint64_t n)
{
    return mix(h, &n, sizeof n);
}

static uint64_t stage_likeness(uint64_t h, const struct graph_base *s,
                               const struct app *app)
{
    struct sv what = s->operators ? sv(s->operators) : app->stages[s->shown_ix].name;

    h = mix_number(h, what.len);
    h = mix(h, what.p, what.len);
    return mix_number(h, (uint64_t)s->badges << 3 | (uint64_t)s->failed << 2 |
                             (uint64_t)s->incomplete << 1 | s->feeds_broadcast);
}

static void measure_unit(struct unit *u, const struct graph_base *s,
                         const struct app *app)
{
    int64_t from = APP_NONE, to = APP_NONE;

    if (s->sql_ix != IX_NONE) {
        from = app->sqls[s->sql_ix].submitted_ms;
        to = app->sqls[s->sql_ix].completed_ms;
        u->id = app->sqls[s->sql_ix].execution_id;
    } else {
        from = app->jobs[s->job_ix].submitted_ms;
        to = app->jobs[s->job_ix].completed_ms;
        u->id = app->jobs[s->job_ix].job_id;
    }
    u->submitted_ms = from;
    u->wall_ms = from != APP_NONE && to != APP_NONE ? max_i64(sub_sat(to, from), 0) : 0;
}

/* Units by group; place[base] is each stage's position in its unit. */
static uint32_t gather_units(struct graph_work *w, struct unit *units, uint32_t *place)
{
    struct member *m = arena_array(&w->scratch, w->b.n + 1, sizeof *m);
    uint32_t n = 0, n_units = 0;

    for (uint32_t i = 0; i < w->b.n; i++)
        if (graph_group(&w->b.items[i]) != GRAPH_GROUP_REST)
            m[n++] = (struct member){ graph_group(&w->b.items[i]), i };
    qsort(m, n, sizeof *m, by_group);
    for (uint32_t i = 0, end; i < n; i = end) {
        struct unit u = { .group = m[i].group,
                          .likeness = 0xcbf29ce484222325u,
                          .first_base = m[i].base };
        bool whole = true;

        for (end = i; end < n && m[end].group == u.group; end++) {
            place[m[end].base] = end - i;
            whole &= w->in[m[end].base];
            u.likeness = stage_likeness(u.likeness, &w->b.items[m[end].base], &w->a->app);
        }
        u.n_stages = end - i;
        u.likeness = mix_number(u.likeness, u.n_stages);
        measure_unit(&u, &w->b.items[u.first_base], &w->a->app);
        if (whole)
            units[n_units++] = u;
    }
    return n_units;
}

/* Links inside of a unit belong to its likeness; edges are sorted, sums do not mind. */
static void add_links(const struct graph_work *w, struct unit *units, uint32_t n,
                      const uint32_t *place)
{
    struct map of_group = { 0 };

    for (uint32_t i = 0; i < n; i++)
        map_put(&of_group, (int64_t)units[i].group, i);
    for (size_t i = 0; i < w->n_edges; i++) {
        const struct graph_edge *e = &w->edges[i];
        uint64_t group = graph_group(&w->b.items[e->from]);
        uint32_t at = map_get(&of_group, (int64_t)group);

        if (at == MAP_NONE || group != graph_group(&w->b.items[e->to]))
            continue;
        uint64_t h = mix_number(0xcbf29ce484222325u, place[e->from]);
        h = mix_number(h, place[e->to]);
        units[at].likeness += mix_number(h, e->via);
    }
    map_release(&of_group);
}

static int by_number(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* units[0] is drawn, the other n - 1 share a box. Where they are groups, kind_of_group
 * learns which; of single stages the kind is set at once. */
static void make_kind(struct graph_work *w, const struct unit *units, uint32_t n,
                      struct map *kind_of_group)
{
    struct graph_kind *k = &w->kinds[w->n_kinds++];
    const struct graph_base *s = &w->b.items[units[0].first_base];

    *k = (struct graph_kind){ .of = !kind_of_group         ? KIND_STAGE
                                    : s->sql_ix != IX_NONE ? KIND_SQL
                                                           : KIND_JOB,
                              .shown_id = units[0].id,
                              .shown_base = units[0].first_base,
                              .shown_group = units[0].group,
                              .n_units = n - 1,
                              .first_ms = INT64_MAX };
    k->ids = arena_array(&w->scratch, n, sizeof *k->ids);
    for (uint32_t i = 1; i < n; i++) {
        k->ids[i - 1] = units[i].id;
        if (units[i].submitted_ms < k->first_ms) {
            k->first_ms = units[i].submitted_ms;
            k->first_id = units[i].id;
        }
        if (kind_of_group)
            map_put(kind_of_group, (int64_t)units[i].group, w->n_kinds);
        else
            w->kind[units[i].first_base] = w->n_kinds;
    }
    qsort(k->ids, n - 1, sizeof *k->ids, by_number);
    k->slowest_ms = units[1].wall_ms; /* sorted by wall */
    k->median_ms = units[1 + (n - 1) / 2].wall_ms;
}

/* A kind of each row of units alike that is long enough; kinds are at most a third of
 * the boxes. */
static void make_kinds(struct graph_work *w, struct unit *units, uint32_t n,
                       struct map *kind_of_group)
{
    uint32_t most = w->options->max_nodes / 3;

    if (n)
        qsort(units, n, sizeof *units, by_likeness);
    for (uint32_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && units[end].likeness == units[i].likeness; end++)
            ;
        if (end - i >= ALIKE_MIN && (most == 0 || w->n_kinds < most))
            make_kind(w, &units[i], end - i, kind_of_group);
    }
}

static void fold_groups(struct graph_work *w, struct unit *units)
{
    struct map kind_of_group = { 0 };
    uint32_t *place = arena_array(&w->scratch, w->b.n + 1, sizeof *place);
    uint32_t n = gather_units(w, units, place);

    add_links(w, units, n, place);
    make_kinds(w, units, n, &kind_of_group);
    for (uint32_t i = 0; i < w->b.n; i++) {
        uint32_t kind = map_get(&kind_of_group, (int64_t)graph_group(&w->b.items[i]));

        w->kind[i] = kind == MAP_NONE ? 0 : kind;
    }
    map_release(&kind_of_group);
}

/* Stages with whom they read and feed. A stage without either is no branch. */
static void fold_branches(struct graph_work *w, struct unit *units)
{
    uint64_t *ends = arena_array(&w->scratch, w->b.n + 1, sizeof *ends);
    uint32_t n = 0;

    for (size_t i = 0; i < w->n_edges; i++) {
        const struct graph_edge *e = &w->edges[i];

        ends[e->to] += mix_number(mix_number(1, e->via), e->from);
        ends[e->from] += mix_number(mix_number(2, e->via), e->to);
    }
    for (uint32_t i = 0; i < w->b.n; i++) {
        const struct graph_base *s = &w->b.items[i];

        if (!w->in[i] || w->kind[i] || ends[i] == 0)
            continue;
        units[n++] = (struct unit){
            .group = i, /* the order of those alike and of one wall time */
            .likeness =
                stage_likeness(mix_number(ends[i], graph_group(s)), s, &w->a->app),
            .wall_ms = s->wall_ms,
            .submitted_ms = s->submitted_ms,
            .id = w->a->app.stages[s->first_ix].stage_id,
            .first_base = i,
        };
    }
    make_kinds(w, units, n, NULL);
}

const char *graph_kind_word(enum graph_kind_of of)
{
    static const char *const words[] = { "SQL", "job", "stage" };

    return words[of];
}

void graph_fold_alike(struct graph_work *w)
{
    struct unit *units = arena_array(&w->scratch, w->b.n + 1, sizeof *units);

    w->kind = arena_array(&w->scratch, w->b.n + 1, sizeof *w->kind);
    if (!w->options->fold_alike || w->n_in <= ALIKE_STAGES)
        return;
    w->kinds = arena_array(&w->scratch, 2 * w->b.n / ALIKE_MIN + 2, sizeof *w->kinds);
    fold_groups(w, units);
    fold_branches(w, units);
    for (uint32_t i = 0; i < w->b.n; i++)
        w->n_alike += w->kind[i] != 0;
}
