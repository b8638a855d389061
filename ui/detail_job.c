/* --job N: what it is, and its stages. */
#include "ui/detail.h"
#include "ui/render_json.h"

#include "analyzer/failure.h"

#include <inttypes.h>

static bool about_job(const struct report *r, const struct finding *f, int64_t job_id)
{
    (void)r;
    for (size_t i = 0; i < f->n_jobs; i++) {
        if (f->job_ids[i] == job_id)
            return true;
    }
    return false;
}

static void head(struct page *p, struct report *r, const struct job *j)
{
    struct arena *a = &r->arena;
    struct sv what = j->description.len ? j->description : j->name;
    int64_t wall = j->submitted_ms == APP_NONE || j->completed_ms == APP_NONE || !j->ended
                       ? APP_NONE
                       : sub_sat(j->completed_ms, j->submitted_ms);
    int64_t at = j->submitted_ms == APP_NONE || r->a->app.start_ms == APP_NONE
                     ? APP_NONE
                     : sub_sat(j->submitted_ms, r->a->app.start_ms);

    page_wrapf(p, "", "  ", "%sJob %" PRId64 "%s  %s  %s, began %s after the application",
               page_mark(p, STYLE_BOLD), j->job_id, page_mark(p, STYLE_PLAIN),
               job_status_name(j->status),
               wall == APP_NONE ? "not ended" : text_ms(a, wall), text_ms(a, at));
    page_newline(p);
    detail_line(p, r, "What", text_clean(a, sv_first_line(what), 200));
    if (j->sql_execution_id != APP_NONE)
        detail_line(p, r, "SQL", arena_printf(a, "%" PRId64, j->sql_execution_id));
    if (j->stream_id.len)
        detail_line(p, r, "Stream",
                    arena_printf(a, "%s, batch %" PRId64, text_clean(a, j->stream_id, 60),
                                 j->stream_batch));
    if (j->group.len)
        detail_line(p, r, "Group", text_clean(a, j->group, 100));
    if (j->pool.len)
        detail_line(p, r, "Pool", text_clean(a, j->pool, 100));
    detail_line(p, r, "Tasks",
                arena_printf(a, "%s succeeded, %s failed, %s killed, of %s",
                             text_exact(a, j->completed_tasks),
                             text_exact(a, j->failed_tasks),
                             text_exact(a, j->killed_tasks), text_exact(a, j->tasks)));
    if (j->failure.len)
        detail_line(p, r, "Failure", text_clean(a, failure_line(j->failure, a), 400));
}

static const char *ids_there_are(struct report *r)
{
    const struct app *app = &r->a->app;

    if (!app->n_jobs)
        return "the log has no jobs";
    return arena_printf(&r->arena, "the log has %zu from %" PRId64 " to %" PRId64,
                        app->n_jobs, app->jobs[0].job_id,
                        app->jobs[app->n_jobs - 1].job_id);
}

enum errc detail_job(struct page *p, struct report *r, const struct cli *cli, bool json,
                     struct err *err)
{
    const struct app *app = &r->a->app;
    uint32_t ix = app_job_ix(app, cli->job_id);

    if (ix == IX_NONE)
        return err_set(err, ERR_USAGE, "no job %" PRId64 ": %s", cli->job_id,
                       ids_there_are(r));
    const struct job *j = &app->jobs[ix];
    if (json) {
        struct json_writer w = { .out = &p->text };

        json_job(&w, app, j);
        page_newline(p);
        return ERR_OK;
    }
    head(p, r, j);
    page_newline(p);
    uint32_t *ixs = arena_array(&r->arena, app->n_stages + 1, sizeof *ixs);
    size_t n = 0;
    for (size_t i = 0; i < j->stage_ids.n; i++) {
        uint32_t last = app_stage_last_ix(app, j->stage_ids.items[i]);
        uint32_t first = last;

        if (last == IX_NONE)
            continue;
        while (first > 0 && app->stages[first - 1].stage_id == app->stages[last].stage_id)
            first--;
        for (; first <= last && n < app->n_stages; first++)
            ixs[n++] = first;
    }
    detail_stages(p, r, ixs, n);
    detail_findings(p, r, about_job, j->job_id);
    page_newline(p);
    if (n && !sv_is(r->path, "-")) {
        uint32_t slowest = ixs[0];

        for (size_t i = 1; i < n; i++) {
            if (app->stages[ixs[i]].duration_ms > app->stages[slowest].duration_ms)
                slowest = ixs[i];
        }
        page_add(p, "%sNext:%s spillway analyze %s --stage %s\n",
                 page_mark(p, STYLE_BOLD), page_mark(p, STYLE_PLAIN),
                 text_shell(&r->arena, r->path),
                 stage_label(&r->arena, &app->stages[slowest]));
    }
    return ERR_OK;
}
