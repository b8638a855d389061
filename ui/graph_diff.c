/* Two runs in one picture: the head run's graph, with what each stage and edge was.
 *
 * The head run is drawn as ever. Its stages get the difference to the stage they are
 * paired with (analyzer/pair.h): its text, and a fill that says by how much of the
 * longer run's wall clock. Stages that only the base run had stand where they stood,
 * dashed, with the edges that led to them. Edges say old -> new.
 *
 * Folded stages have no difference of their own; stages of the base run whose pair is
 * folded or out of scope are not drawn, for they are not gone. */
#include "ui/graph_draw.h"
#include "ui/graph_work.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GONE_MOST 60 /* removed stages drawn, where the number of nodes is limited */

struct diff {
    struct graph *g;  /* head's, in the making */
    struct graph was; /* base's, whole */
    const struct analysis *base, *head;
    const struct pairing *pairs;
    const struct graph_options *options;
    uint32_t *now;    /* per base node: head's node; IX_NONE: none drawn */
    bool *gone;       /* per base node: only the base run had it */
    uint32_t *old;    /* per head node: its base node; IX_NONE */
    int64_t whole_ms; /* what differences are shares of */
    uint32_t n_paired, n_unsure, n_added, n_gone, n_gone_drawn, n_slower, n_faster;
};

static int64_t app_wall_ms(const struct analysis *a)
{
    return max_i64(sub_sat(a->app.end_ms, a->app.start_ms), 0);
}

static int64_t value_of(const struct diff *d, const struct graph_node *n)
{
    return d->options->heat == HEAT_TASK ? n->task_ms : n->wall_ms;
}

/* --- who is who ---------------------------------------------------------------- */

static const struct stage_pair *pair_of(const uint32_t *of, const struct pairing *p,
                                        const struct graph_node *n)
{
    uint32_t at = n->stage_ix == IX_NONE ? IX_NONE : of[n->stage_ix];

    return at == IX_NONE ? NULL : &p->stages[at];
}

static void match_nodes(struct diff *d, struct arena *arena)
{
    struct map of_pair = { 0 }; /* position of the pair: head's node */

    d->now = arena_array(arena, d->was.n_nodes + 1, sizeof *d->now);
    d->gone = arena_array(arena, d->was.n_nodes + 1, sizeof *d->gone);
    d->old = arena_array(arena, d->g->n_nodes + 1, sizeof *d->old);
    memset(d->old, 0xff, (d->g->n_nodes + 1) * sizeof *d->old);
    for (uint32_t i = 0; i < d->g->n_nodes; i++) {
        const struct stage_pair *s =
            pair_of(d->pairs->stage_of_head, d->pairs, &d->g->nodes[i]);

        if (s)
            map_put(&of_pair, s - d->pairs->stages, i);
    }
    for (uint32_t i = 0; i < d->was.n_nodes; i++) {
        const struct stage_pair *s =
            pair_of(d->pairs->stage_of_base, d->pairs, &d->was.nodes[i]);

        d->now[i] = s ? map_get(&of_pair, s - d->pairs->stages) : IX_NONE;
        d->gone[i] = s && s->head_ix == IX_NONE;
        if (d->now[i] != IX_NONE)
            d->old[d->now[i]] = i;
    }
    map_release(&of_pair);
}

/* --- nodes --------------------------------------------------------------------- */

static void add_signed_ms(struct strbuf *out, int64_t ms)
{
    strbuf_addz(out, ms < 0 ? "\xE2\x88\x92" : "+");
    units_ms(out, ms < 0 ? sub_sat(0, ms) : ms);
}

/* "+38s (+18%), was 3m30s as stage 41.0" */
static void changed_words(struct strbuf *out, const struct diff *d,
                          const struct graph_node *n, const struct graph_node *was,
                          double confidence)
{
    int64_t new_ms = value_of(d, n), old_ms = value_of(d, was);

    add_signed_ms(out, sub_sat(new_ms, old_ms));
    if (old_ms > 0) {
        double part = (double)new_ms / (double)old_ms - 1;

        strbuf_addz(out, part < 0 ? " (\xE2\x88\x92" : " (+");
        units_share(out, part < 0 ? -part : part);
        strbuf_addc(out, ')');
    }
    strbuf_addz(out, ", was ");
    units_ms(out, old_ms);
    if (strcmp(n->name, was->name) != 0)
        strbuf_printf(out, " as %s", was->name + strlen("Stage "));
    if (confidence < 0.995) {
        strbuf_addz(out, ", ");
        units_share(out, confidence);
        strbuf_addz(out, " sure");
    }
}

static uint8_t step_of(double share)
{
    uint8_t step = 0;

    while (step < GRAPH_CHANGE_STEPS - 1 && share >= graph_change_cuts[step])
        step++;
    return step;
}

static void compare_node(struct diff *d, struct graph_node *n, uint32_t old)
{
    const struct stage_pair *s = pair_of(d->pairs->stage_of_head, d->pairs, n);
    struct strbuf words = { 0 }, tip = { 0 };

    n->was = "";
    n->share = 0;
    n->heat = 0;
    if (!s)
        return; /* skipped, folded */
    if (old == IX_NONE) {
        n->change = CHANGE_ADDED;
        n->was = "+ new: the base run has no such stage";
        n->share = graph_share(value_of(d, n), d->whole_ms);
        n->heat = step_of(n->share);
        d->n_added++;
    } else {
        const struct graph_node *was = &d->was.nodes[old];
        double by = graph_share(sub_sat(value_of(d, n), value_of(d, was)), d->whole_ms);

        n->share = by < 0 ? -by : by;
        n->heat = step_of(n->share);
        n->change = n->heat == 0 ? CHANGE_SAME : by < 0 ? CHANGE_FASTER : CHANGE_SLOWER;
        changed_words(&words, d, n, was, s->confidence);
        n->was = graph_keep(&d->g->arena, &words);
        d->n_paired++;
        d->n_unsure += s->confidence < 0.75;
        d->n_slower += n->change == CHANGE_SLOWER;
        d->n_faster += n->change == CHANGE_FASTER;
        strbuf_printf(&tip, "%s\n%s\nbase run, %s", n->tooltip, n->was, was->tooltip);
        n->tooltip = graph_keep(&d->g->arena, &tip);
    }
}

static const char *keep(struct diff *d, const char *text)
{
    return arena_sv(&d->g->arena, sv(text ? text : "")).p;
}

static void gone_node(struct diff *d, struct graph_node *n, const struct graph_node *was)
{
    *n = *was;
    n->change = CHANGE_REMOVED;
    n->id = arena_printf(&d->g->arena, "base-%s", was->id);
    n->name = arena_printf(&d->g->arena, "%s of base", was->name);
    n->what = keep(d, was->what);
    n->skipped = "";
    n->tooltip = arena_printf(&d->g->arena, "only in the base run\n%s", was->tooltip);
    n->was = "\xE2\x88\x92 gone: only the base run had it";
    for (uint32_t i = 0; i < n->n_badges; i++)
        n->badges[i] = keep(d, was->badges[i]);
    n->cluster = IX_NONE;
    n->critical = false;
    n->step = 0;
    n->share = graph_share(value_of(d, was), d->whole_ms);
    n->heat = step_of(n->share);
}

/* A removed stage belongs into a part of the graph where it fed, or was fed by, what is
 * drawn, or was of the execution drawn. */
static bool belongs(const struct diff *d, uint32_t node)
{
    if (d->options->scope == GRAPH_WHOLE)
        return true;
    for (size_t i = 0; i < d->was.n_edges; i++) {
        const struct graph_edge *e = &d->was.edges[i];

        if (!e->then && ((e->from == node && d->now[e->to] != IX_NONE) ||
                         (e->to == node && d->now[e->from] != IX_NONE)))
            return true;
    }
    return false;
}

/* The frame of the execution or job that it was part of, if that is drawn. */
static uint32_t cluster_of_gone(const struct diff *d, const struct graph_node *was)
{
    const struct stage_pair *s = pair_of(d->pairs->stage_of_base, d->pairs, was);
    const struct unit_pair *u =
        s && s->unit != IX_NONE ? &d->pairs->units[s->unit] : NULL;
    char id[40];

    if (!u || u->head_ix == IX_NONE)
        return IX_NONE;
    snprintf(id, sizeof id, "%s-%" PRId64, u->is_sql ? "sql" : "job",
             u->is_sql ? d->head->app.sqls[u->head_ix].execution_id
                       : d->head->app.jobs[u->head_ix].job_id);
    for (uint32_t i = 0; i < d->g->n_clusters; i++)
        if (strcmp(d->g->clusters[i].id, id) == 0)
            return i;
    return IX_NONE;
}

static void add_gone(struct diff *d)
{
    struct graph *g = d->g;
    size_t n = g->n_nodes;
    struct graph_node *nodes = arena_array(&g->arena, n + d->was.n_nodes, sizeof *nodes);

    if (n)
        memcpy(nodes, g->nodes, n * sizeof *nodes);
    for (uint32_t i = 0; i < d->was.n_nodes; i++) {
        if (!d->gone[i] || !belongs(d, i))
            continue;
        d->n_gone++;
        if (d->options->max_nodes && d->n_gone_drawn >= GONE_MOST)
            continue;
        d->n_gone_drawn++;
        gone_node(d, &nodes[n], &d->was.nodes[i]);
        nodes[n].cluster = cluster_of_gone(d, &d->was.nodes[i]);
        d->now[i] = (uint32_t)n++;
    }
    g->nodes = nodes;
    g->n_nodes = n;
}

/* --- edges --------------------------------------------------------------------- */

static int64_t edge_key(uint32_t from, uint32_t to, enum link_via via)
{
    return (int64_t)((uint64_t)from << 34 | (uint64_t)to << 4 | (uint64_t)via);
}

static int by_ends(const void *a, const void *b)
{
    const struct graph_edge *x = a, *y = b;

    if (x->to != y->to)
        return x->to < y->to ? -1 : 1;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    if (x->via != y->via)
        return x->via < y->via ? -1 : 1;
    return (int)x->then - (int)y->then;
}

static void compare_edges(struct diff *d)
{
    struct graph *g = d->g;
    size_t n = g->n_edges;
    struct graph_edge *edges = arena_array(&g->arena, n + d->was.n_edges, sizeof *edges);
    struct map of_head = { 0 };

    if (n)
        memcpy(edges, g->edges, n * sizeof *edges);
    for (uint32_t i = 0; i < n; i++) {
        struct graph_edge *e = &edges[i];

        if (e->then)
            continue;
        map_put(&of_head, edge_key(e->from, e->to, e->via), i);
        if (!e->folded && g->nodes[e->from].change != CHANGE_NONE &&
            g->nodes[e->to].change != CHANGE_NONE)
            e->change = CHANGE_ADDED; /* unless the base run has it */
    }
    for (size_t i = 0; i < d->was.n_edges; i++) {
        struct graph_edge e = d->was.edges[i];

        e.from = d->now[e.from];
        e.to = d->now[e.to];
        if (e.then || e.from == IX_NONE || e.to == IX_NONE || e.from == e.to)
            continue;
        uint32_t at = map_get(&of_head, edge_key(e.from, e.to, e.via));

        if (at != MAP_NONE) {
            edges[at].change = CHANGE_SAME;
            edges[at].was_bytes = e.bytes;
            edges[at].was_rows = e.rows;
            continue;
        }
        e.change = CHANGE_REMOVED;
        e.critical = e.reused = false;
        edges[n++] = e;
    }
    if (n)
        qsort(edges, n, sizeof *edges, by_ends);
    g->edges = edges;
    g->n_edges = n;
    map_release(&of_head);
}

/* --- words --------------------------------------------------------------------- */

static void add_run(struct strbuf *out, const char *what, const struct analysis *a,
                    struct arena *arena)
{
    strbuf_printf(out, "%s %s, ", what,
                  a->app.id.len ? graph_clean(arena, a->app.id, 60) : "without id");
    units_ms(out, app_wall_ms(a));
}

static void write_words(struct diff *d)
{
    struct graph *g = d->g;
    struct strbuf text = { 0 };
    int64_t old_ms = app_wall_ms(d->base), by = sub_sat(app_wall_ms(d->head), old_ms);

    g->title = arena_printf(&g->arena, "%s against its base run", g->title);
    add_run(&text, "base", d->base, &g->arena);
    strbuf_addz(&text, "  \xE2\x86\x92  ");
    add_run(&text, "now", d->head, &g->arena);
    strbuf_addz(&text, "  (");
    add_signed_ms(&text, by);
    if (old_ms > 0) {
        strbuf_addz(&text, by < 0 ? ", \xE2\x88\x92" : ", +");
        units_share(&text, graph_share(by < 0 ? sub_sat(0, by) : by, old_ms));
    }
    strbuf_addz(&text, "; one run each, so how much of it is noise is not known)");
    g->subtitle = graph_keep(&g->arena, &text);
    strbuf_printf(&text,
                  "%" PRIu32 " stage%s in both, %" PRIu32 " slower, %" PRIu32
                  " faster, %" PRIu32 " new, %" PRIu32 " gone",
                  d->n_paired, d->n_paired == 1 ? "" : "s", d->n_slower, d->n_faster, d->n_added, d->n_gone);
    if (d->n_unsure)
        strbuf_printf(&text, "; %" PRIu32 " pair%s less than 75%% sure", d->n_unsure,
                      d->n_unsure == 1 ? "" : "s");
    g->totals = graph_keep(&g->arena, &text);
    g->heat_label = d->options->heat == HEAT_TASK
                        ? "change of task time, as a share of the larger run's"
                        : "change of the stage's wall clock, as a share of the longer run";
    if (d->n_gone == d->n_gone_drawn)
        return;
    strbuf_printf(
        &text, "%s%s%" PRIu32 " stages that only the base run had are not drawn",
        g->folded ? g->folded : "", g->folded ? "; " : "", d->n_gone - d->n_gone_drawn);
    g->folded = graph_keep(&g->arena, &text);
}

static int64_t all_task_ms(const struct analysis *a)
{
    int64_t ms = 0;

    app_each_stage (&a->app, s)
        ms = add_sat(ms, s->duration_ms);
    return ms;
}

enum errc graph_build_diff(struct graph *g, const struct graph_runs *runs,
                           const struct graph_options *options, struct err *err)
{
    static const struct findings none = { 0 };
    struct graph_options whole = { .heat = options->heat };
    struct graph made = { 0 };
    struct arena scratch = { 0 };
    struct diff d = { .g = &made,
                      .base = runs->base,
                      .head = runs->head,
                      .pairs = runs->pairs,
                      .options = options };
    enum errc rc;

    if (options->heat != HEAT_WALL && options->heat != HEAT_TASK)
        return err_set(err, ERR_USAGE, "two runs are compared by --heat wall or task");
    if ((rc = graph_build(&made, runs->head, runs->findings, options, err)) != ERR_OK ||
        (rc = graph_build(&d.was, runs->base, &none, &whole, err)) != ERR_OK)
        goto done;
    made.is_diff = true;
    d.whole_ms = options->heat == HEAT_TASK
                     ? max_i64(all_task_ms(d.base), all_task_ms(d.head))
                     : max_i64(app_wall_ms(d.base), app_wall_ms(d.head));
    match_nodes(&d, &scratch);
    for (uint32_t i = 0; i < made.n_nodes; i++)
        compare_node(&d, &made.nodes[i], d.old[i]);
    add_gone(&d);
    compare_edges(&d);
    write_words(&d);
    *g = made;
    made = (struct graph){ 0 };
done:
    graph_release(&made);
    graph_release(&d.was);
    arena_release(&scratch);
    return rc;
}
