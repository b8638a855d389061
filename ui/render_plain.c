/* One record a line, fields separated by tabs: for awk, grep and diff. The first field
 * says what the record is, the second the log. Numbers are raw: ms, bytes, counts; "-"
 * is "the log does not say". Fields are added at the end only.
 *
 *     app         LOG id attempt name spark_version start_ms wall_ms executors cores
 * finished wall        LOG entry ms share core        LOG entry ms share finding     LOG
 * rank severity id saves_ms low_ms high_ms stages sqls jobs title cause set         LOG
 * rank key value not-judged  LOG id why enable gap         LOG kind count lossy file line
 * byte text
 */
#include "ui/report.h"

#include <inttypes.h>

struct row {
    struct strbuf *out;
    struct arena *arena;
};

static struct row row_begin(struct strbuf *out, struct report *r, const char *kind)
{
    strbuf_printf(out, "%s\t%s", kind, text_clean(&r->arena, r->path, 0));
    return (struct row){ out, &r->arena };
}

/* Clean text has no tabs: control characters became dots. */
static void text(struct row *row, struct sv value)
{
    strbuf_printf(row->out, "\t%s", value.len ? text_clean(row->arena, value, 0) : "-");
}

static void number(struct row *row, int64_t n)
{
    if (n == APP_NONE)
        strbuf_addz(row->out, "\t-");
    else
        strbuf_printf(row->out, "\t%" PRId64, n);
}

static void row_end(struct row *row)
{
    strbuf_addc(row->out, '\n');
}

static void entry(struct strbuf *out, struct report *r, const char *kind,
                  const char *name, int64_t ms, int64_t total)
{
    struct row row = row_begin(out, r, kind);

    text(&row, sv(name));
    number(&row, ms);
    strbuf_printf(out, "\t%.4f", total > 0 ? (double)ms / (double)total : 0);
    row_end(&row);
}

static void finding(struct strbuf *out, struct report *r, size_t i)
{
    const struct finding *f = &r->findings.items[i];
    struct row row = row_begin(out, r, "finding");
    struct strbuf list = { 0 };

    number(&row, (int64_t)i + 1);
    text(&row, sv(severity_name(f->severity)));
    text(&row, sv(f->rule->id));
    number(&row, f->has_saving ? f->expected_ms : APP_NONE);
    number(&row, f->has_saving ? f->low_ms : APP_NONE);
    number(&row, f->has_saving ? f->high_ms : APP_NONE);
    for (size_t k = 0; k < f->n_stages; k++)
        strbuf_printf(&list, "%s%s", k ? "," : "",
                      stage_label(&r->arena, &r->a->app.stages[f->stage_ixs[k]]));
    text(&row, strbuf_sv(&list));
    strbuf_reset(&list);
    for (size_t k = 0; k < f->n_sqls; k++)
        strbuf_printf(&list, "%s%" PRId64, k ? "," : "", f->sql_ids[k]);
    text(&row, strbuf_sv(&list));
    strbuf_reset(&list);
    for (size_t k = 0; k < f->n_jobs; k++)
        strbuf_printf(&list, "%s%" PRId64, k ? "," : "", f->job_ids[k]);
    text(&row, strbuf_sv(&list));
    strbuf_release(&list);
    text(&row, sv(f->title));
    text(&row, sv(f->cause));
    row_end(&row);
    for (size_t k = 0; k < f->settings.n; k++) {
        row = row_begin(out, r, "set");
        number(&row, (int64_t)i + 1);
        text(&row, f->settings.items[k].key);
        text(&row, f->settings.items[k].value);
        row_end(&row);
    }
}

void plain_gaps(struct strbuf *out, struct report *r)
{
    for (size_t i = 0; i < r->n_gaps; i++) {
        const struct gap *g = &r->gaps[i];
        struct row row = row_begin(out, r, "gap");

        text(&row, sv(g->kind));
        number(&row, g->count);
        text(&row, g->lossy ? SV("lost") : SV("kept"));
        text(&row, g->part);
        number(&row, g->line ? g->line : APP_NONE);
        number(&row, g->line ? g->offset : APP_NONE);
        text(&row, sv(g->text));
        row_end(&row);
    }
}

void render_plain(struct strbuf *out, struct report *r)
{
    const struct app *app = &r->a->app;
    const struct ledgers *l = &r->a->ledgers;
    struct row row = row_begin(out, r, "app");

    text(&row, app->id);
    text(&row, app->attempt);
    text(&row, app->name);
    text(&row, app->spark_version);
    number(&row, app->start_ms);
    number(&row, l->wall_total_ms);
    number(&row, app->executors_peak);
    number(&row, app->cores_peak);
    text(&row, app->finished ? SV("finished") : SV("unfinished"));
    row_end(&row);
    for (int e = 0; e < WALL_COUNT; e++)
        entry(out, r, "wall", wall_entry_name((enum wall_entry)e), l->wall_ms[e],
              l->wall_total_ms);
    for (int e = 0; e < CORE_COUNT; e++)
        entry(out, r, "core", core_entry_name((enum core_entry)e), l->core_ms[e],
              l->core_total_ms);
    for (size_t i = 0; i < r->findings.n; i++)
        finding(out, r, i);
    for (size_t i = 0; i < r->findings.n_not_judged; i++) {
        const struct not_judged *n = &r->findings.not_judged[i];

        row = row_begin(out, r, "not-judged");
        text(&row, sv(n->rule->id));
        text(&row, sv(n->why));
        text(&row, sv(n->enable));
        row_end(&row);
    }
    plain_gaps(out, r);
}
