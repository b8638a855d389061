/* Making the graph: scope first, then the steps of graph_work.h in their order. */
#include "ui/graph_work.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define STAGE_HOPS 2

/* --- scope --------------------------------------------------------------------- */

static enum errc no_such(const struct graph_work *w, const char *what, size_t n,
                         int64_t first, int64_t last, struct err *err)
{
    if (n == 0)
        return err_set(err, ERR_USAGE, "no %s %" PRId64 ": the log has none", what,
                       w->options->scope_id);
    return err_set(err, ERR_USAGE,
                   "no %s %" PRId64 ": the log has %" PRId64 " to %" PRId64, what,
                   w->options->scope_id, first, last);
}

static enum errc find_scope(const struct graph_work *w, uint32_t *at, struct err *err)
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
static void widen(struct graph_work *w, bool up, bool down)
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

static enum errc take_scope(struct graph_work *w, struct err *err)
{
    enum graph_scope scope = w->options->scope;
    uint32_t hops = w->options->hops ? w->options->hops : STAGE_HOPS;
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
    for (uint32_t hop = 0; scope == GRAPH_STAGE && hop < hops; hop++)
        widen(w, true, true);
    for (uint32_t i = 0; i < w->b.n; i++)
        w->n_in += w->in[i];
    return ERR_OK;
}

enum errc graph_build(struct graph *g, const struct analysis *a,
                      const struct findings *findings,
                      const struct graph_options *options, struct err *err)
{
    struct graph made = { 0 };
    struct graph_work w = { .g = &made, .a = a, .options = options };
    enum errc rc;

    graph_bases_build(&w.b, a, findings, options->heat, &w.scratch);
    graph_link_bases(&w);
    if ((rc = take_scope(&w, err)) != ERR_OK)
        goto done;
    graph_choose(&w);
    graph_operators(&w.b, &a->app, &made.arena);
    graph_make_nodes(&w);
    graph_make_clusters(&w);
    graph_link_nodes(&w);
    graph_write_words(&w);
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
