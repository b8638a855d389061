/* The answers to the five questions, in a sentence each, as text and Markdown print them:
 * what moves, what spills, what fails or could, how it scales, and whether Spark fits. */
#include "ui/report.h"

#include <inttypes.h>

static void comma(struct strbuf *out)
{
    if (out->len)
        strbuf_addz(out, "; ");
}

static void moves(struct strbuf *out, struct report *r)
{
    const struct facts *f = &r->facts;
    const struct stage *stages = r->a->app.stages;
    struct arena *a = &r->arena;

    if (f->input_bytes > 0) {
        strbuf_printf(out, "%s read", text_bytes(a, f->input_bytes));
        if (f->input_files > 0)
            strbuf_printf(out, " in %s", text_plural(a, f->input_files, "file", "files"));
    }
    if (f->shuffle_write_bytes > 0) {
        comma(out);
        strbuf_printf(out, "%s shuffled in %s", text_bytes(a, f->shuffle_write_bytes),
                      text_plural(a, f->exchanges, "exchange", "exchanges"));
        if (f->edge_bytes > 0 && f->exchanges > 1)
            strbuf_printf(out, " (%s from stage %s to %s)", text_bytes(a, f->edge_bytes),
                          stage_label(a, &stages[f->edge_from_ix]),
                          stage_label(a, &stages[f->edge_to_ix]));
    }
    if (f->broadcast_bytes > 0) {
        comma(out);
        strbuf_printf(out, "%s broadcast", text_bytes(a, f->broadcast_bytes));
    }
    if (f->result_bytes >= 1 << 20) {
        comma(out);
        strbuf_printf(out, "%s sent to the driver", text_bytes(a, f->result_bytes));
    }
    if (f->output_bytes > 0) {
        comma(out);
        strbuf_printf(out, "%s written", text_bytes(a, f->output_bytes));
        if (f->output_files > 0)
            strbuf_printf(out, " in %s",
                          text_plural(a, f->output_files, "file", "files"));
    }
    if (!out->len)
        strbuf_addz(out, "no data that the log tells of");
}

static void spills(struct strbuf *out, struct report *r)
{
    const struct facts *f = &r->facts;
    const struct stage *stages = r->a->app.stages;
    struct arena *a = &r->arena;

    for (size_t i = 0; i < f->n_spill; i++) {
        const struct stage *s = &stages[f->spill_ix[i]];

        comma(out);
        strbuf_printf(out, "stage %s: %s to disk (%s in memory)", stage_label(a, s),
                      text_bytes(a, s->total[METRIC_SPILL_DISK_BYTES]),
                      text_bytes(a, s->total[METRIC_SPILL_MEMORY_BYTES]));
    }
    if (f->spilling_stages > f->n_spill)
        strbuf_printf(out, "; %zu more stages", f->spilling_stages - f->n_spill);
    if (!f->n_spill)
        strbuf_addz(out, f->spill_disk_bytes == APP_NONE ? "the log has no spill metrics"
                                                         : "nothing spilled");
    if (f->peak_bytes > 0 && f->peak_bytes != APP_NONE)
        strbuf_printf(out, "; a task took at most %s (stage %s)",
                      text_bytes(a, f->peak_bytes), stage_label(a, &stages[f->peak_ix]));
    if (f->cache_disk_bytes > 0)
        strbuf_printf(out, "; cached blocks: %s in memory, %s on disk",
                      text_bytes(a, f->cache_memory_bytes),
                      text_bytes(a, f->cache_disk_bytes));
}

/* Only where it is worth a line: a tenth of the run, or a run that dies with it. */
static void what_a_loss_costs(struct strbuf *out, struct report *r)
{
    const struct loss *l = report_loss(r);
    const struct app *app = &r->a->app;
    struct arena *a = &r->arena;

    if (l->known != LOSS_KNOWN || l->worst_ix == IX_NONE)
        return;
    const struct stage_loss *w = &l->stages[l->worst_ix];

    if (w->wall_ms < 1000 || w->wall_ms * 20 < r->a->ledgers.wall_total_ms)
        return;
    comma(out);
    strbuf_printf(out, "losing executor %s during stage %s would cost %s%s (%s again",
                  text_clean(a, app->executors[w->executor_ix].id, 20),
                  stage_label(a, &app->stages[l->worst_ix]),
                  l->bounded ? "at least " : "about ", text_ms(a, w->wall_ms),
                  text_plural(a, w->tasks, "task", "tasks"));
    if (w->stages)
        strbuf_printf(out, ", of %s before it",
                      text_plural(a, w->stages, "stage", "stages"));
    strbuf_printf(out, "), %s on average", text_ms(a, l->mean_ms));
}

static void unsafe_writes(struct strbuf *out, struct report *r)
{
    const struct writes *w = report_writes(r);
    struct arena *a = &r->arena;

    if (!w->n)
        return;
    comma(out);
    strbuf_printf(out, "the write of SQL %" PRId64 " is not safe to repeat: %s",
                  w->items[0].q->execution_id, write_words(w->items[0].trouble, a));
    if (w->n > 1)
        strbuf_printf(out, " (and %zu more)", w->n - 1);
}

static void fails(struct strbuf *out, struct report *r)
{
    const struct facts *f = &r->facts;
    const struct stage *stages = r->a->app.stages;
    struct arena *a = &r->arena;

    if (f->failed_jobs)
        strbuf_printf(out, "%s failed", text_plural(a, f->failed_jobs, "job", "jobs"));
    if (f->cancelled_jobs) {
        comma(out);
        strbuf_printf(out, "%s cancelled",
                      text_plural(a, f->cancelled_jobs, "job", "jobs"));
    }
    if (f->failed_attempts) {
        comma(out);
        strbuf_printf(
            out, "%s failed",
            text_plural(a, f->failed_attempts, "stage attempt", "stage attempts"));
    }
    if (f->retried_stages) {
        comma(out);
        strbuf_printf(out, "%s run again",
                      text_plural(a, f->retried_stages, "stage", "stages"));
    }
    if (f->failed_tasks) {
        comma(out);
        strbuf_printf(out, "%s of %s tasks failed", text_exact(a, f->failed_tasks),
                      text_exact(a, f->tasks));
        if (f->failing_ix != IX_NONE)
            strbuf_printf(out, ", %sin stage %s",
                          stages[f->failing_ix].failed_tasks < f->failed_tasks ? "most "
                                                                               : "",
                          stage_label(a, &stages[f->failing_ix]));
    }
    if (f->killed_tasks) {
        comma(out);
        strbuf_printf(out, "%s killed", text_plural(a, f->killed_tasks, "task", "tasks"));
    }
    if (f->lost_executors) {
        comma(out);
        strbuf_printf(out, "%s lost",
                      text_plural(a, f->lost_executors, "executor", "executors"));
    }
    if (f->retry_ms > 0) {
        comma(out);
        strbuf_printf(out, "%s of the wall clock went into attempts that did not count",
                      text_ms(a, f->retry_ms));
    }
    if (!out->len)
        strbuf_addz(out, "nothing failed");
    what_a_loss_costs(out, r);
    unsafe_writes(out, r);
}

static void scales(struct strbuf *out, struct report *r)
{
    const struct outlook *o = report_outlook(r);
    struct arena *a = &r->arena;

    if (!o->known)
        return;
    if (!o->data_known) {
        strbuf_printf(out, "on twice the slots about %s",
                      text_ms(a, o->slots_ms.expected));
        return;
    }
    strbuf_printf(out, "%d x the data would take about %s", OUTLOOK_DATA,
                  text_ms(a, o->data_ms.expected));
    if (o->data_ms.high - o->data_ms.low > o->data_ms.expected / 50)
        strbuf_printf(out, " (%s to %s)", text_ms(a, o->data_ms.low),
                      text_ms(a, o->data_ms.high));
    strbuf_printf(out, ", the same data on twice the slots %s",
                  text_ms(a, o->slots_ms.expected));
    if (o->breaks)
        strbuf_printf(out, "; with more data %s", o->breaks);
}

static void fit(struct strbuf *out, struct report *r)
{
    const struct fit *f = report_fit(r);

    strbuf_addz(out, f->why);
    if (f->instead)
        strbuf_printf(out, ": %s would serve", f->instead);
}

const char *report_answer(struct report *r, enum question q)
{
    static void (*const say[])(struct strbuf * out, struct report * r) = {
        [QUESTION_MOVES] = moves,   [QUESTION_SPILLS] = spills, [QUESTION_FAILS] = fails,
        [QUESTION_SCALES] = scales, [QUESTION_FIT] = fit,
    };
    struct strbuf text = { 0 };
    const char *out;

    say[q](&text, r);
    out = text.len ? arena_sv(&r->arena, strbuf_sv(&text)).p : "";
    strbuf_release(&text);
    return out;
}
