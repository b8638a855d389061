/* spillway check LOG...: how complete a log is, and nothing else. */
#include "ui/render_json.h"

#include <inttypes.h>

static void write_text(struct page *p, struct report *r)
{
    const struct app *app = &r->a->app;
    const struct completeness *c = &app->complete;
    struct arena *a = &r->arena;

    page_wrapf(p, "", "  ", "%s%s%s  %s%s%s", page_mark(p, STYLE_BOLD),
               report_place(r, r->path), page_mark(p, STYLE_PLAIN),
               r->lossy ? page_mark(p, STYLE_YELLOW) : "", report_completeness(r),
               r->lossy ? page_mark(p, STYLE_PLAIN) : "");
    page_wrapf(p, "  ", "  ", "%s (%s), %s, %s begun, %s ended%s%s",
               text_plural(a, c->lines, "line", "lines"), text_bytes(a, c->bytes),
               text_plural(a, c->events, "event", "events"),
               text_plural(a, c->tasks_started, "task", "tasks"),
               text_exact(a, c->tasks_ended), app->spark_version.len ? ", Spark " : "",
               app->spark_version.len ? text_clean(a, app->spark_version, 30) : "");
    for (size_t i = 0; i < r->n_gaps; i++) {
        const struct gap *g = &r->gaps[i];
        const char *first = arena_printf(
            a, "  %s%s%s  ", page_mark(p, g->lossy ? STYLE_YELLOW : STYLE_DIM),
            g->lossy ? "lost" : "odd ", page_mark(p, STYLE_PLAIN));

        page_wrap(p, first, "        ", sv(g->text));
    }
    for (size_t i = 3; i < c->n_unknown;
         i++) /* the first three stand in their gap's line */
        page_wrapf(p, "        ", "        ", "%s: %s",
                   text_clean(a, c->unknown[i].name, 80),
                   text_exact(a, c->unknown[i].count));
}

static void write_json(struct strbuf *out, const struct report *r)
{
    struct json_writer w = { .out = out };

    json_object(&w);
    json_put_text(&w, "schema", sv("spillway/check/1"));
    json_put_text(&w, "spillway", sv(SPILLWAY_VERSION));
    json_put_text(&w, "log", r->path);
    json_put_text(&w, "application_id", r->a->app.id);
    json_put_bool(&w, "complete", !r->lossy);
    json_key(&w, "completeness");
    json_completeness(&w, &r->a->app);
    json_key(&w, "gaps");
    json_array(&w);
    for (size_t i = 0; i < r->n_gaps; i++) {
        const struct gap *g = &r->gaps[i];

        json_object(&w);
        json_put_text(&w, "kind", sv(g->kind));
        json_put_int(&w, "count", g->count);
        json_put_bool(&w, "lost", g->lossy);
        json_put_text(&w, "file", g->part);
        json_put_int(&w, "line", g->line ? g->line : JSON_NONE);
        json_put_int(&w, "offset_bytes", g->line ? g->offset : JSON_NONE);
        json_put_text(&w, "text", sv(g->text));
        json_object_end(&w);
    }
    json_array_end(&w);
    json_object_end(&w);
    strbuf_addc(out, '\n');
}

static int check_one(const struct cli *cli, const struct log_input *log, struct page *p)
{
    struct analysis a = { 0 };
    struct report r = { .a = &a, .path = log->path };
    int code = cli_load_analysis(cli, log, &a);

    if (code != EXIT_DONE)
        return code;
    report_gaps(&r, &a.app);
    if (cli_format(cli) == FORMAT_JSON) {
        write_json(&p->text, &r);
    } else if (cli_format(cli) == FORMAT_PLAIN) {
        strbuf_printf(&p->text, "log\t%s\t%s\t%" PRId64 "\t%" PRId64 "\n",
                      text_clean(&r.arena, r.path, 0),
                      r.lossy ? "incomplete" : "complete", a.app.complete.lines,
                      a.app.complete.events);
        plain_gaps(&p->text, &r);
    } else {
        write_text(p, &r);
    }
    code = r.lossy ? EXIT_UNDECIDED : EXIT_DONE;
    report_release(&r);
    analysis_release(&a);
    return code;
}

int verb_check(const struct cli *cli)
{
    struct log_set set;
    struct page p;
    int code = cli_open_logs(cli, &set);

    page_init(&p, cli);
    for (size_t i = 0; i < set.n; i++)
        code = exit_worse(code, check_one(cli, &set.logs[i], &p));
    if (p.text.len) {
        bool text = cli_format(cli) == FORMAT_TEXT;

        code =
            exit_worse(code, cli_write(cli, text ? page_finish(&p) : strbuf_sv(&p.text)));
    }
    page_release(&p);
    log_set_release(&set);
    return code;
}
