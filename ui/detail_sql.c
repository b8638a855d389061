/* --sql N: the final plan as a tree, each operator with its rows, time and bytes. */
#include "ui/detail.h"
#include "ui/render_json.h"

#include "analyzer/failure.h"

#include <inttypes.h>
#include <stdlib.h>

static bool about_sql(const struct report *r, const struct finding *f,
                      int64_t execution_id)
{
    (void)r;
    for (size_t i = 0; i < f->n_sqls; i++) {
        if (f->sql_ids[i] == execution_id)
            return true;
    }
    return false;
}

static void head(struct page *p, struct report *r, const struct sql *q)
{
    struct arena *a = &r->arena;
    struct strbuf text = { 0 };

    strbuf_printf(&text, "%sSQL %" PRId64 "%s  %s", page_mark(p, STYLE_BOLD),
                  q->execution_id, page_mark(p, STYLE_PLAIN), sql_status_name(q->status));
    if (q->ended && q->submitted_ms != APP_NONE && q->completed_ms != APP_NONE)
        strbuf_printf(&text, "  %s",
                      text_ms(a, sub_sat(q->completed_ms, q->submitted_ms)));
    if (q->submitted_ms != APP_NONE && r->a->app.start_ms != APP_NONE)
        strbuf_printf(&text, " from %s of the run",
                      text_ms(a, sub_sat(q->submitted_ms, r->a->app.start_ms)));
    page_wrap(p, "", "  ", strbuf_sv(&text));
    page_newline(p);
    strbuf_reset(&text);
    detail_line(p, r, "What", text_clean(a, sv_first_line(q->description), 200));
    if (q->root_id != q->execution_id && q->root_id != APP_NONE)
        detail_line(p, r, "Part of", arena_printf(a, "SQL %" PRId64, q->root_id));
    for (size_t i = 0; i < q->n_jobs && i < 20; i++)
        strbuf_printf(&text, "%s%" PRId64, i ? ", " : "",
                      r->a->app.jobs[q->job_ixs[i]].job_id);
    if (q->n_jobs > 20)
        strbuf_printf(&text, " and %zu more", q->n_jobs - 20);
    detail_line(p, r, q->n_jobs == 1 ? "Job" : "Jobs", text.p);
    strbuf_release(&text);
    if (q->error.len)
        detail_line(p, r, "Error", text_clean(a, failure_line(q->error, a), 400));
}

static void stages(struct page *p, struct report *r, const struct sql *q)
{
    const struct app *app = &r->a->app;
    uint32_t *ixs = arena_array(&r->arena, app->n_stages + 1, sizeof *ixs);
    size_t n = 0;

    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        if (app->stages[ix].sql_execution_id == q->execution_id &&
            stage_ran(&app->stages[ix]))
            ixs[n++] = ix;
    }
    if (!n)
        return;
    page_newline(p);
    detail_stages(p, r, ixs, n);
}

/* --- the plan
 * -------------------------------------------------------------------------------- */

struct tree {
    struct page *p;
    struct report *r;
    const struct sql *q;
    struct strbuf lead; /* what stands in front of the line: bars of open branches */
};

/* Metrics that say most, in this order; the rest is in the JSON. */
static const struct shown_metric {
    const char *name, *label;
    const char *one; /* where there is one of it; NULL: the same */
} shown_metrics[] = {
    { "number of output rows", "rows", "row" },
    { "shuffle records written", "rows written", "row written" },
    { "data size", "data", NULL },
    { "shuffle bytes written", "written", NULL },
    { "number of files read", "files", "file" },
    { "size of files read", "in all", NULL },
    { "number of written files", "files written", "file written" },
    { "written output", "written", NULL },
    { "spill size", "spilled", NULL },
    { "peak memory", "peak memory", NULL },
    { "duration", "time", NULL },
    { "sort time", "sort", NULL },
    { "time in aggregation build", "build", NULL },
    { "time to build", "build", NULL },
    { "time to collect", "collect", NULL },
    { "time to broadcast", "broadcast", NULL },
    { "scan time", "scan", NULL },
    { "fetch wait time", "fetch wait", NULL },
    { "time to run Python workers", "in Python", NULL },
    { "number of partitions", "partitions", "partition" },
    { "number of skewed partitions", "skewed", NULL },
};

static const char *metric_value(struct report *r, struct sv type, int64_t total)
{
    struct arena *a = &r->arena;

    if (sv_is(type, "size"))
        return text_bytes(a, total);
    if (sv_is(type, "timing"))
        return text_ms(a, total);
    if (sv_is(type, "nsTiming"))
        return text_ms(a, total / 1000000);
    return text_count(a, total);
}

static void node_metrics(struct strbuf *out, struct report *r, const struct sql *q,
                         const struct plan_node *node)
{
    for (size_t k = 0; k < ARRAY_LEN(shown_metrics); k++) {
        for (size_t i = 0; i < node->n_metrics; i++) {
            const struct plan_metric *m = &node->metrics[i];

            if (!sv_is(m->name, shown_metrics[k].name))
                continue;
            struct accum_summary sum =
                app_sql_accum(&r->a->app, q, m->accumulator_id, m->type);
            if (!sum.n || (sum.total == 0 && k > 0))
                break; /* no rows is worth saying; no spill is not */
            strbuf_printf(
                out, "%s%s %s", out->len ? ", " : "", metric_value(r, m->type, sum.total),
                sum.total == 1 && shown_metrics[k].one ? shown_metrics[k].one
                                                       : shown_metrics[k].label);
            break;
        }
    }
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

/* "stage 4", "stages 4, 5": where the operator's metrics came from. */
static void node_stages(struct strbuf *out, struct report *r,
                        const struct plan_node *node)
{
    const struct app *app = &r->a->app;
    uint32_t all[16];
    size_t n = 0;

    for (size_t i = 0; i < node->n_metrics; i++) {
        uint32_t *ixs = NULL;
        size_t more =
            app_accum_stages(app, node->metrics[i].accumulator_id, &r->arena, &ixs);

        for (size_t k = 0; k < more && n < ARRAY_LEN(all); k++) {
            bool known = false;

            for (size_t j = 0; j < n && !known; j++)
                known = app->stages[all[j]].stage_id == app->stages[ixs[k]].stage_id;
            if (!known)
                all[n++] = ixs[k];
        }
    }
    if (!n)
        return;
    qsort(all, n, sizeof *all, by_number);
    strbuf_printf(out, "%s%s ", out->len ? "  " : "", n == 1 ? "stage" : "stages");
    for (size_t i = 0; i < n; i++)
        strbuf_printf(out, "%s%" PRId64, i ? ", " : "", app->stages[all[i]].stage_id);
}

/* The detail without the name it begins with. */
static const char *node_detail(struct report *r, const struct plan_node *node,
                               size_t room)
{
    struct sv detail = sv_trim(sv_first_line(node->detail));

    if (sv_starts(detail, node->name))
        detail = sv_trim(sv_from(detail, node->name.len));
    /* only what tells joins, exchanges and scans apart: the rest is attribute numbers */
    return room >= 12 && detail.len ? text_clean(&r->arena, detail, room) : "";
}

/* Nodes that only wrap their child. */
static bool is_wrapper(const struct plan_node *node)
{
    return node->n_children == 1 && node->n_metrics == 0 &&
           (sv_is(node->name, "InputAdapter") || sv_ends(node->name, SV("QueryStage")));
}

static void node_line(struct tree *t, const struct plan_node *node, const char *branch,
                      const char *below)
{
    struct page *p = t->p;
    struct strbuf numbers = { 0 };
    const char *name = text_clean(&t->r->arena, node->name, 60);
    const char *lead = t->lead.p ? t->lead.p : "";
    const char *first = arena_printf(&t->r->arena, "%s%s", lead, branch);
    const char *rest = arena_printf(&t->r->arena, "%s%s    ", lead, below);

    page_add(p, "%s%s%s%s", first, page_mark(p, STYLE_BOLD), name,
             page_mark(p, STYLE_PLAIN));
    size_t used = page_text_width(sv(first)) + page_text_width(sv(name)) + 1;
    if (!sv_starts(node->name, SV("WholeStageCodegen")) && (size_t)p->width > used) {
        const char *detail = node_detail(t->r, node, (size_t)p->width - used);

        if (*detail)
            page_add(p, " %s%s%s", page_mark(p, STYLE_DIM), detail,
                     page_mark(p, STYLE_PLAIN));
    }
    page_newline(p);
    node_metrics(&numbers, t->r, t->q, node);
    node_stages(&numbers, t->r, node);
    if (numbers.len)
        page_wrap(p, rest, rest, strbuf_sv(&numbers));
    strbuf_release(&numbers);
}

/* A chain of single children runs straight down; only joins and unions branch, so that
 * a plan of thirty operators still fits on a terminal. */
static void print_chain(struct tree *t, const struct plan_node *node, const char *branch,
                        const char *below)
{
    size_t lead_len = t->lead.len;

    while (is_wrapper(node))
        node = node->children[0];
    bool forks = node->n_children > 1;
    node_line(t, node, branch,
              forks ? arena_printf(&t->r->arena, "%s\u2502", below) : below);
    strbuf_addz(&t->lead, below);
    for (size_t i = 0; i < node->n_children; i++) {
        bool last = i + 1 == node->n_children;

        print_chain(t, node->children[i],
                    !forks ? ""
                    : last ? "\u2514\u2500 "
                           : "\u251c\u2500 ",
                    !forks ? ""
                    : last ? "   "
                           : "\u2502  ");
    }
    t->lead.len = lead_len;
    if (t->lead.p)
        t->lead.p[lead_len] = '\0';
}

static void plan(struct page *p, struct report *r, const struct sql *q)
{
    struct tree t = { .p = p, .r = r, .q = q };

    page_newline(p);
    if (!sql_final_plan(q)) {
        page_add(p, "The log has no plan of it.\n");
        return;
    }
    page_add(p, "%sPlan%s %s\n", page_mark(p, STYLE_DIM), page_mark(p, STYLE_PLAIN),
             q->n_plans == 1
                 ? "(the only version)"
                 : arena_printf(
                       &r->arena, "(final; adaptive execution changed it %s)",
                       text_plural(&r->arena, (int64_t)q->n_plans - 1, "time", "times")));
    print_chain(&t, sql_final_plan(q), "", "");
    strbuf_release(&t.lead);
}

static const char *ids_there_are(struct report *r)
{
    const struct app *app = &r->a->app;

    if (!app->n_sqls)
        return "the log has no SQL executions";
    return arena_printf(&r->arena, "the log has %zu from %" PRId64 " to %" PRId64,
                        app->n_sqls, app->sqls[0].execution_id,
                        app->sqls[app->n_sqls - 1].execution_id);
}

enum errc detail_sql(struct page *p, struct report *r, const struct cli *cli, bool json,
                     struct err *err)
{
    uint32_t ix = app_sql_ix(&r->a->app, cli->sql_id);

    if (ix == IX_NONE)
        return err_set(err, ERR_USAGE, "no SQL execution %" PRId64 ": %s", cli->sql_id,
                       ids_there_are(r));
    const struct sql *q = &r->a->app.sqls[ix];
    if (json) {
        struct json_writer w = { .out = &p->text };

        json_sql(&w, &r->a->app, q, &r->arena);
        page_newline(p);
        return ERR_OK;
    }
    head(p, r, q);
    stages(p, r, q);
    plan(p, r, q);
    detail_findings(p, r, about_sql, q->execution_id);
    if (!sv_is(r->path, "-"))
        page_add(p, "\n%sNext:%s spillway graph %s --sql %" PRId64 "\n",
                 page_mark(p, STYLE_BOLD), page_mark(p, STYLE_PLAIN),
                 text_shell(&r->arena, r->path), q->execution_id);
    return ERR_OK;
}
