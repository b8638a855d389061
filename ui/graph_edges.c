/* Edges of the graph: the links of the lineage, put together between what is drawn,
 * and the steps of the critical path. A step from one stage to the next rides on the
 * data between them where there is some; else it is an edge of its own ("then"). */
#include "ui/graph_work.h"

#include "base/mem.h"

#include <stdlib.h>

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
static void merge_edges(struct graph_work *w)
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

static void add_edge(struct graph_work *w, struct graph_edge e)
{
    if (e.from == e.to)
        return;
    GROW(w->edges, w->n_edges, w->cap_edges);
    w->edges[w->n_edges++] = e;
}

void graph_link_bases(struct graph_work *w)
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

/* A stage, or a loop, which is entered and left; what the order of another box would be
 * nobody knows. */
static bool has_order(const struct graph_work *w, uint32_t node)
{
    const struct graph_draft *d = &w->drafts[node];

    return d->base != IX_NONE ||
           (!d->skipped && (d->fold_key & GRAPH_GROUP_KIND) == GRAPH_GROUP_KIND);
}

void graph_link_nodes(struct graph_work *w)
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

        if (from != IX_NONE && to != IX_NONE && has_order(w, from) && has_order(w, to) &&
            (from < to || (w->drafts[from].base != IX_NONE &&
                           w->drafts[to].base != IX_NONE)))
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
