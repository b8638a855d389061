/* Making the graph: scope first, then the steps of graph_work.h in their order. */
#include "ui/graph_work.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define STAGE_HOPS 2

/* --- scope --------------------------------------------------------------------- */

static const struct {
    enum graph_scope scope;
    const char *key, *what;
} scopes[] = {
    { GRAPH_SQL, "sql:", "SQL execution" },
    { GRAPH_JOB, "job:", "job" },
    { GRAPH_STAGE, "stage:", "stage" },
};

bool graph_pick_parse(struct sv text, struct graph_pick *out)
{
    for (size_t i = 0; i < ARRAY_LEN(scopes); i++) {
        int64_t id;

        if (!sv_starts(text, sv(scopes[i].key)))
            continue;
        if (!sv_i64(sv_from(text, strlen(scopes[i].key)), &id) || id < 0)
            return false;
        *out = (struct graph_pick){ scopes[i].scope, id };
        return true;
    }
    return false;
}

bool graph_pick_next(struct sv *list, struct graph_pick *out)
{
    size_t comma = sv_find(*list, SV(","));
    struct sv one = *list;

    if (comma == SIZE_MAX) {
        list->len = 0;
    } else {
        one.len = comma;
        *list = sv_from(*list, comma + 1);
    }
    return graph_pick_parse(one, out);
}

static enum errc no_such(struct graph_pick pick, size_t n, int64_t first, int64_t last,
                         struct err *err)
{
    const char *what = "";

    for (size_t i = 0; i < ARRAY_LEN(scopes); i++)
        if (scopes[i].scope == pick.scope)
            what = scopes[i].what;
    if (n == 0)
        return err_set(err, ERR_USAGE, "no %s %" PRId64 ": the log has none", what,
                       pick.id);
    return err_set(err, ERR_USAGE,
                   "no %s %" PRId64 ": the log has %" PRId64 " to %" PRId64, what,
                   pick.id, first, last);
}

static enum errc find_stage(const struct graph_work *w, struct graph_pick pick,
                            uint32_t *at, struct err *err)
{
    const struct app *app = &w->a->app;
    const struct graph_bases *b = &w->b;

    for (uint32_t i = 0; i < b->n; i++)
        if (app->stages[b->items[i].first_ix].stage_id == pick.id)
            *at = i;
    if (*at != IX_NONE)
        return ERR_OK;
    if (app_stage_last_ix(app, pick.id) != IX_NONE)
        return err_set(err, ERR_USAGE, "stage %" PRId64 " did not run", pick.id);
    return b->n ? no_such(pick, b->n, app->stages[b->items[0].first_ix].stage_id,
                          app->stages[b->items[b->n - 1].first_ix].stage_id, err)
                : no_such(pick, 0, 0, 0, err);
}

/* *at: position of the execution or job, base of the stage; IX_NONE of GRAPH_WHOLE. */
static enum errc find_pick(const struct graph_work *w, struct graph_pick pick,
                           uint32_t *at, struct err *err)
{
    const struct app *app = &w->a->app;

    *at = IX_NONE;
    switch (pick.scope) {
    case GRAPH_WHOLE:
        return ERR_OK;
    case GRAPH_SQL:
        if ((*at = app_sql_ix(app, pick.id)) != IX_NONE)
            return ERR_OK;
        return app->n_sqls ? no_such(pick, app->n_sqls, app->sqls[0].execution_id,
                                     app->sqls[app->n_sqls - 1].execution_id, err)
                           : no_such(pick, 0, 0, 0, err);
    case GRAPH_JOB:
        if ((*at = app_job_ix(app, pick.id)) != IX_NONE)
            return ERR_OK;
        return app->n_jobs ? no_such(pick, app->n_jobs, app->jobs[0].job_id,
                                     app->jobs[app->n_jobs - 1].job_id, err)
                           : no_such(pick, 0, 0, 0, err);
    case GRAPH_STAGE:
        return find_stage(w, pick, at, err);
    }
    return ERR_OK;
}

static bool is_picked(const struct graph_work *w, uint32_t base, enum graph_scope scope,
                      uint32_t at)
{
    const struct graph_base *s = &w->b.items[base];

    return scope == GRAPH_WHOLE || (scope == GRAPH_SQL && s->sql_ix == at) ||
           (scope == GRAPH_JOB && s->job_ix == at) ||
           (scope == GRAPH_STAGE && base == at);
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

/* Sets chosen of the stages that one of the picks means. */
static enum errc mark_picks(const struct graph_work *w, const struct graph_pick *picks,
                            size_t n, bool *chosen, struct err *err)
{
    for (size_t k = 0; k < n; k++) {
        uint32_t at;

        TRY(find_pick(w, picks[k], &at, err));
        for (uint32_t i = 0; i < w->b.n; i++)
            chosen[i] |= is_picked(w, i, picks[k].scope, at);
    }
    return ERR_OK;
}

static enum errc take_picks(struct graph_work *w, struct err *err)
{
    const struct graph_options *o = w->options;
    bool *only = arena_array(&w->scratch, w->b.n + 1, sizeof *only);
    bool *hide = arena_array(&w->scratch, w->b.n + 1, sizeof *hide);

    TRY(mark_picks(w, o->only, o->n_only, only, err));
    TRY(mark_picks(w, o->hide, o->n_hide, hide, err));
    for (uint32_t i = 0; i < w->b.n; i++) {
        if (!w->in[i] || (!hide[i] && (!o->n_only || only[i])))
            continue;
        w->in[i] = false;
        w->n_hidden++;
        w->hidden_ms = add_sat(w->hidden_ms, w->b.items[i].task_ms);
    }
    return ERR_OK;
}

static enum errc take_scope(struct graph_work *w, struct err *err)
{
    const struct graph_options *o = w->options;
    uint32_t hops = o->hops ? o->hops : o->scope == GRAPH_STAGE ? STAGE_HOPS : 0;
    uint32_t at;

    TRY(find_pick(w, (struct graph_pick){ o->scope, o->scope_id }, &at, err));
    w->in = arena_array(&w->scratch, w->b.n + 1, sizeof *w->in);
    for (uint32_t i = 0; i < w->b.n; i++)
        w->in[i] = is_picked(w, i, o->scope, at);
    if (o->scope != GRAPH_WHOLE && hops == 0)
        widen(w, true, false); /* what feeds it */
    for (uint32_t hop = 0; o->scope != GRAPH_WHOLE && hop < hops; hop++)
        widen(w, true, true);
    TRY(take_picks(w, err));
    for (uint32_t i = 0; i < w->b.n; i++)
        w->n_in += w->in[i];
    if (w->n_in == 0 && w->n_hidden)
        return err_set(err, ERR_USAGE,
                       "--only and --hide leave nothing to draw of %" PRIu32 " stages",
                       w->n_hidden);
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
    graph_operators(&w.b, &a->app, &made.arena);
    graph_fold_alike(&w);
    graph_choose(&w);
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
