/* Which stages are drawn by themselves.
 *
 * Where there are more stages than max_nodes, those are kept that matter
 * most: by their share of the critical path or of task time, whichever is larger,
 * with half a per cent more for being on the path and as much for a badge. The
 * rest (what graph_alike.c has not folded before) is folded, one box for each execution (or job) of which something is
 * drawn, one box for all others. The boxes count towards max_nodes; so a stage that
 * would open another execution competes at half its worth, and of a hundred
 * executions alike twenty are drawn whole instead of a stage of each. A box may
 * both feed and be fed by the same stage: the graph then has circles. */
#include "ui/graph_work.h"

#include <stdlib.h>

#define WORTH_A_LOOK GRAPH_COLD_SHARE

uint64_t graph_group(const struct graph_base *s)
{
    if (s->sql_ix != IX_NONE)
        return (uint64_t)1 << 32 | s->sql_ix;
    return s->job_ix != IX_NONE ? (uint64_t)2 << 32 | s->job_ix : GRAPH_GROUP_REST;
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

static struct ranked *rank_bases(struct graph_work *w)
{
    struct ranked *r = arena_array(&w->scratch, w->n_in + 1, sizeof *r);
    int64_t task_ms = 0;
    uint32_t n = 0;

    for (uint32_t i = 0; i < w->b.n; i++)
        task_ms = add_sat(task_ms, w->b.items[i].task_ms);
    for (uint32_t i = 0; i < w->b.n; i++) {
        const struct graph_base *s = &w->b.items[i];
        double wall = graph_share(s->path_ms, w->a->ledgers.wall_total_ms);
        double task = graph_share(s->task_ms, task_ms),
               heat = graph_share(s->heat, w->b.heat_total);

        if (!w->in[i] || w->kind[i])
            continue;
        r[n].base = i;
        r[n].group = graph_group(s);
        r[n].score = wall > task ? wall : task;
        if (heat > r[n].score && !w->b.heat_is_peak)
            r[n].score = heat;
        r[n].score += (s->critical ? WORTH_A_LOOK : 0) + (s->badges ? WORTH_A_LOOK : 0);
        n++;
    }
    if (n)
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

static uint32_t make_offers(const struct graph_work *w, const struct ranked *r,
                            struct offer *heap)
{
    uint32_t n = 0, ranked = w->n_in - w->n_alike;

    for (uint32_t i = 0, end; i < ranked; i = end) {
        for (end = i; end < ranked && r[end].group == r[i].group; end++)
            ;
        heap[n] = (struct offer){ .begin = i, .next = i, .end = end };
        set_worth(&heap[n++], r);
    }
    for (uint32_t i = n; i-- > 0;)
        sift(heap, n, i);
    return n;
}

void graph_choose(struct graph_work *w)
{
    uint32_t max = w->options->max_nodes, n;
    struct ranked *r = rank_bases(w);
    struct offer *heap = arena_array(&w->scratch, w->n_in + 1, sizeof *heap);

    w->keep = arena_array(&w->scratch, w->b.n + 1, sizeof *w->keep);
    if (max == 0 || w->n_in - w->n_alike + w->n_kinds <= max) {
        for (uint32_t i = 0; i < w->b.n; i++)
            w->keep[i] = w->in[i] && !w->kind[i];
        w->n_keep = w->n_in - w->n_alike;
        return;
    }
    n = make_offers(w, r, heap);
    /* one for all groups that get no room; kinds are at most a third of max */
    for (uint32_t left = max - 1 - w->n_kinds; n;) {
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
