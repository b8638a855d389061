/* From two runs as lists of items to their alignment, and back to pairs. */
#include "analyzer/pair.h"

#include "analyzer/pair_items.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/units.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TELLING_JOB 8          /* features: three stages or so */
#define POOR_JOB 0.6           /* of a job without any */
#define REWRITTEN_MOST 64      /* queries between two that stayed */
#define PAIR_SOURCES (2.0 / 3) /* of the tables of both, read by a query written anew */
#define PAIR_WORDS 0.5         /* of its words; any two queries share a quarter */
#define PAIR_REWRITTEN 0.6     /* confidence where it reads just the same */

/* --- pairs --------------------------------------------------------------------- */

struct pair_work {
    struct pairing *p;
    struct pair_run base, head;
    struct arena scratch;
    int64_t base_ms, head_ms;             /* task time in paired stages */
    int64_t base_units_ms, head_units_ms; /* in executions paired by more than place */
    double sure_ms;                       /* of head's, weighed by confidence */
    double telling;                       /* how much the unit at hand says, 0 to 1 */
};

static int64_t all_attempts_ms(const struct app *app, uint32_t ix)
{
    int64_t ms = 0;

    for (uint32_t i = ix; app->stages[i].stage_id == app->stages[ix].stage_id; i--) {
        ms = add_sat(ms, app->stages[i].duration_ms);
        if (i == 0)
            break;
    }
    return ms;
}

static void mark_attempts(const struct app *app, uint32_t ix, uint32_t *of, uint32_t at)
{
    for (uint32_t i = ix; app->stages[i].stage_id == app->stages[ix].stage_id; i--) {
        of[i] = at;
        if (i == 0)
            break;
    }
}

static void add_stage(struct pair_work *w, uint32_t base_ix, uint32_t head_ix,
                      uint32_t unit, double confidence, bool moved)
{
    struct pairing *p = w->p;
    uint32_t at = (uint32_t)p->n_stages++;

    p->stages[at] = (struct stage_pair){ base_ix, head_ix, unit, confidence, moved };
    if (base_ix != IX_NONE)
        mark_attempts(w->base.app, base_ix, p->stage_of_base, at);
    if (head_ix != IX_NONE)
        mark_attempts(w->head.app, head_ix, p->stage_of_head, at);
    if (base_ix == IX_NONE || head_ix == IX_NONE)
        return;
    w->base_ms = add_sat(w->base_ms, all_attempts_ms(w->base.app, base_ix));
    w->head_ms = add_sat(w->head_ms, all_attempts_ms(w->head.app, head_ix));
    w->sure_ms += w->telling * confidence * (double)all_attempts_ms(w->head.app, head_ix);
}

/* Matches as one row in head's order: what base alone has stands before the next
 * pair that kept its place. Calls add for each. */
typedef void merged(struct pair_work *w, uint32_t base, uint32_t head,
                    const struct pair_match *m, void *arg);

static void merge(struct pair_work *w, const struct pair_match *match, uint32_t n_base,
                  uint32_t n_head, merged *add, void *arg)
{
    static const struct pair_match none = { .head = IX_NONE };
    uint32_t *base_of = xcalloc((size_t)n_head + 1, sizeof *base_of), next = 0;

    memset(base_of, 0xff, ((size_t)n_head + 1) * sizeof *base_of);
    for (uint32_t b = 0; b < n_base; b++)
        if (match[b].head != IX_NONE)
            base_of[match[b].head] = b;
    for (uint32_t h = 0; h <= n_head; h++) {
        uint32_t b = h < n_head ? base_of[h] : IX_NONE;
        uint32_t until = h == n_head                       ? n_base
                         : b != IX_NONE && !match[b].moved ? b
                                                           : next;

        for (; next < until; next++)
            if (match[next].head == IX_NONE)
                add(w, next, IX_NONE, &none, arg);
        if (h < n_head)
            add(w, b, h, b == IX_NONE ? &none : &match[b], arg);
    }
    free(base_of);
}

struct stage_lists {
    const uint32_t *base, *head;
    uint32_t unit;
    double most; /* confidence of the unit */
};

static void add_merged_stage(struct pair_work *w, uint32_t b, uint32_t h,
                             const struct pair_match *m, void *arg)
{
    const struct stage_lists *l = arg;

    add_stage(w, b == IX_NONE ? IX_NONE : l->base[b], h == IX_NONE ? IX_NONE : l->head[h],
              l->unit, m->score < l->most ? m->score : l->most, m->moved);
}

static bool same_names(const struct pair_work *w, const struct run_unit *base,
                       const struct run_unit *head)
{
    const struct pair_item *b = &w->base.items[base - w->base.works];
    const struct pair_item *h = &w->head.items[head - w->head.works];

    return b->what == h->what && b->where == h->where;
}

/* Where the execution has another description or call site, so have all of its
 * stages: that tells none of them from the others. */
static void forget_names(struct pair_item *b, uint32_t nb, struct pair_item *h,
                         uint32_t nh)
{
    for (uint32_t i = 0; i < nb; i++)
        b[i].what = b[i].where = 0;
    for (uint32_t i = 0; i < nh; i++)
        h[i].what = h[i].where = 0;
}

static void pair_stages(struct pair_work *w, const struct run_unit *base,
                        const struct run_unit *head, uint32_t unit, double confidence)
{
    const uint32_t *bs = base ? base->stages : w->base.loose;
    const uint32_t *hs = head ? head->stages : w->head.loose;
    uint32_t nb = base ? base->n_stages : w->base.n_loose;
    uint32_t nh = head ? head->n_stages : w->head.n_loose;
    struct stage_lists lists = { bs, hs, unit, confidence };
    struct pair_item *b = arena_array(&w->scratch, (size_t)nb + 1, sizeof *b);
    struct pair_item *h = arena_array(&w->scratch, (size_t)nh + 1, sizeof *h);
    struct pair_match *match = arena_array(&w->scratch, (size_t)nb + 1, sizeof *match);

    pair_stage_items(&w->base, base, bs, nb, b, &w->scratch);
    pair_stage_items(&w->head, head, hs, nh, h, &w->scratch);
    if (base && head && !same_names(w, base, head))
        forget_names(b, nb, h, nh);
    pair_align(b, nb, h, nh, match);
    merge(w, match, nb, nh, add_merged_stage, &lists);
    arena_reset(&w->scratch);
}

static void add_lone(struct pair_work *w, const struct run_unit *lone, bool is_base,
                     uint32_t unit)
{
    for (uint32_t i = 0; i < lone->n_stages; i++)
        add_stage(w, is_base ? lone->stages[i] : IX_NONE,
                  is_base ? IX_NONE : lone->stages[i], unit, 0, false);
}

static int64_t work_ms(const struct app *app, const struct run_unit *w)
{
    int64_t ms = 0;

    for (uint32_t i = 0; i < w->n_stages; i++)
        ms = add_sat(ms, all_attempts_ms(app, w->stages[i]));
    return ms;
}

/* "collect at job.py:#" of a Python RDD is of many programs: what a job outside of SQL
 * has in features says how far it can tell one program from another. */
static double telling(const struct pair_work *w, const struct run_unit *base,
                      const struct run_unit *head)
{
    uint32_t n = w->base.items[base - w->base.works].n_features;
    uint32_t of_head = w->head.items[head - w->head.works].n_features;

    n = n < of_head ? n : of_head;
    return base->is_sql || n >= TELLING_JOB ? 1
                                            : POOR_JOB + (1 - POOR_JOB) * n / TELLING_JOB;
}

static void add_merged_unit(struct pair_work *w, uint32_t b, uint32_t h,
                            const struct pair_match *m, void *arg)
{
    const struct run_unit *base = b == IX_NONE ? NULL : &w->base.works[b];
    const struct run_unit *head = h == IX_NONE ? NULL : &w->head.works[h];
    uint32_t unit = (uint32_t)w->p->n_units++;

    (void)arg;
    w->p->units[unit] = (struct unit_pair){
        .is_sql = head ? head->is_sql : base->is_sql,
        .base_ix = base ? base->ix : IX_NONE,
        .head_ix = head ? head->ix : IX_NONE,
        .confidence = m->score,
        .same_plan = base && head && base->shape && base->shape == head->shape,
        .moved = m->moved,
    };
    if (base && head && m->score > PAIR_LIKE) {
        w->base_units_ms = add_sat(w->base_units_ms, work_ms(w->base.app, base));
        w->head_units_ms = add_sat(w->head_units_ms, work_ms(w->head.app, head));
    }
    w->telling = base && head ? telling(w, base, head) : 1;
    if (base && head)
        pair_stages(w, base, head, unit, m->score);
    else
        add_lone(w, base ? base : head, base != NULL, unit);
}

static void judge(struct pair_work *w)
{
    struct pairing *p = w->p;
    struct strbuf why = { 0 };

    p->base_share =
        w->base.task_ms > 0 ? (double)w->base_ms / (double)w->base.task_ms : 1;
    p->head_share =
        w->head.task_ms > 0 ? (double)w->head_ms / (double)w->head.task_ms : 1;
    /* a plan that lost its costly stage is what one wants to see, not another job */
    bool units = p->same_name && w->base.task_ms > 0 && w->head.task_ms > 0 &&
                 (double)w->base_units_ms >= PAIR_SHARE * (double)w->base.task_ms &&
                 (double)w->head_units_ms >= PAIR_SHARE * (double)w->head.task_ms;

    p->same_job =
        units ||
        (p->base_share >= PAIR_SHARE && p->head_share >= PAIR_SHARE &&
         (p->same_name ||
          (p->n_stages && w->sure_ms >= PAIR_SHARE_RENAMED * (double)w->head.task_ms)));
    if (p->same_job)
        return;
    strbuf_addz(&why, "not the same job: stages that are in both runs hold ");
    units_share(&why, p->base_share);
    strbuf_addz(&why, " of the base run's task time and ");
    units_share(&why, p->head_share);
    strbuf_addz(&why, " of the head run's");
    if (!p->same_name && w->head.task_ms > 0) {
        strbuf_addz(&why,
                    "; the applications have different names, and that it is the same "
                    "work is only ");
        units_share(&why, w->sure_ms / (double)w->head.task_ms);
        strbuf_addz(&why, " sure");
    }
    p->why = arena_sv(&p->arena, strbuf_sv(&why)).p;
    strbuf_release(&why);
}

/* How sure it is that the one was written anew as the other: it has description and call
 * site for itself, or most words of the statement, or makes the same of it in the end;
 * and reads the same tables, as far as one can tell. 0: it is not. */
static double rewritten(const struct pair_item *x, const struct pair_item *y)
{
    bool names =
        x->what && x->what == y->what && x->where == y->where &&
        !((x->common_what || y->common_what) && (x->common_where || y->common_where));
    bool known = x->n_sources && y->n_sources;
    double read = pair_shared(x->sources, x->n_sources, y->sources, y->n_sources);
    double words =
        x->what == y->what ? 0 : pair_shared(x->words, x->n_words, y->words, y->n_words);

    if (known ? read < PAIR_SOURCES : !names)
        return 0;
    if (!names && words < PAIR_WORDS && (x->result == 0 || x->result != y->result))
        return 0;
    return PAIR_LIKE + (PAIR_REWRITTEN - PAIR_LIKE) * read;
}

struct gap { /* between two pairs that kept their order, in either run */
    uint32_t b0, b1, h0, h1;
};

/* The only one of head's gap that b could have become; IX_NONE: none, or several. */
static uint32_t only_heir(const struct pair_work *w, const struct gap *g,
                          const bool *taken, uint32_t b)
{
    uint32_t heir = IX_NONE;

    for (uint32_t h = g->h0; h < g->h1; h++) {
        if (taken[h] || rewritten(&w->base.items[b], &w->head.items[h]) <= 0)
            continue;
        if (heir != IX_NONE)
            return IX_NONE;
        heir = h;
    }
    return heir;
}

static void pair_gap(const struct pair_work *w, const struct gap *g, bool *taken,
                     struct pair_match *match)
{
    uint32_t heirs[REWRITTEN_MOST];

    if (g->b1 - g->b0 > REWRITTEN_MOST || g->h1 - g->h0 > REWRITTEN_MOST)
        return;
    for (uint32_t b = g->b0; b < g->b1; b++)
        heirs[b - g->b0] = match[b].head == IX_NONE ? only_heir(w, g, taken, b) : IX_NONE;
    for (uint32_t b = g->b0; b < g->b1; b++) {
        uint32_t h = heirs[b - g->b0], rivals = 0;

        for (uint32_t k = g->b0; k < g->b1; k++)
            rivals += heirs[k - g->b0] == h;
        if (h == IX_NONE || rivals > 1)
            continue;
        match[b] = (struct pair_match){
            .head = h, .score = rewritten(&w->base.items[b], &w->head.items[h])
        };
    }
}

/* A query that was written anew shares little of its plan with the old one. What reads
 * the same, and is left over between the same neighbours with no other that it could
 * be, is that one: the least sure of pairs. */
static void pair_rewritten(const struct pair_work *w, struct pair_match *match)
{
    bool *taken = xcalloc((size_t)w->head.n + 1, sizeof *taken);
    struct gap g = { 0, 0, 0, 0 };

    for (uint32_t b = 0; b < w->base.n; b++)
        if (match[b].head != IX_NONE)
            taken[match[b].head] = true;
    for (uint32_t b = 0; b <= w->base.n; b++) {
        if (b < w->base.n && (match[b].head == IX_NONE || match[b].moved))
            continue;
        g.b1 = b;
        g.h1 = b < w->base.n ? match[b].head : w->head.n;
        pair_gap(w, &g, taken, match);
        g.b0 = b + 1;
        g.h0 = g.h1 + 1;
    }
    free(taken);
}

static bool same_but_for_numbers(struct sv a, struct sv b)
{
    struct strbuf x = { 0 }, y = { 0 };

    pair_normalise(&x, a);
    pair_normalise(&y, b);
    bool same = sv_eq(strbuf_sv(&x), strbuf_sv(&y));
    strbuf_release(&x);
    strbuf_release(&y);
    return same;
}

static uint32_t *stage_column(struct pairing *p, const struct app *app)
{
    uint32_t *of = arena_array(&p->arena, app->n_stages + 1, sizeof *of);

    memset(of, 0xff, (app->n_stages + 1) * sizeof *of);
    return of;
}

void pair_runs(struct pairing *p, const struct analysis *base,
               const struct analysis *head)
{
    struct arena lists = { 0 };
    struct pair_work w = { .p = p,
                           .base = { .app = &base->app, .arena = &lists },
                           .head = { .app = &head->app, .arena = &lists } };

    *p = (struct pairing){ 0 };
    pair_run_build(&w.base);
    pair_run_build(&w.head);
    p->units = arena_array(&p->arena, (size_t)w.base.n + w.head.n + 1, sizeof *p->units);
    p->stages = arena_array(&p->arena, base->app.n_stages + head->app.n_stages + 1,
                            sizeof *p->stages);
    p->stage_of_base = stage_column(p, &base->app);
    p->stage_of_head = stage_column(p, &head->app);

    struct pair_match *match = arena_array(&lists, (size_t)w.base.n + 1, sizeof *match);
    pair_align(w.base.items, w.base.n, w.head.items, w.head.n, match);
    p->same_name = same_but_for_numbers(base->app.name, head->app.name);
    if (p->same_name)
        pair_rewritten(&w, match);
    merge(&w, match, w.base.n, w.head.n, add_merged_unit, NULL);
    w.telling = POOR_JOB;
    pair_stages(&w, NULL, NULL, IX_NONE, 1);
    judge(&w);
    arena_release(&w.scratch);
    arena_release(&lists);
}

void pairing_release(struct pairing *p)
{
    arena_release(&p->arena);
    *p = (struct pairing){ 0 };
}
