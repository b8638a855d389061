/* spillway graph: the stages of one application as txt, dot, svg or png.
 *
 * The format is --format, else the suffix of --output, else txt. dot holds every
 * stage, for it is read by programs; the others fold beyond MOST_NODES.
 *
 * A picture is tried in this order, and each step down is said on stderr:
 *     graphviz, within --layout-timeout
 *     graphviz again, when that ran out: fewer stages, less polish, half the time
 *     our own layers (svg only) */
#include "base/file.h"
#include "ui/cli.h"
#include "ui/detail.h"
#include "ui/graph_base.h"
#include "ui/graph_draw.h"
#include "ui/graph_layout.h"
#include "ui/graph_plan.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_NODES 100 /* what fits on a screen or two */
#define FEWER_NODES 40
#define TIMEOUT_MS 10000

static const struct {
    const char *suffix;
    enum format format;
} suffixes[] = {
    { ".svg", FORMAT_SVG }, { ".png", FORMAT_PNG }, { ".dot", FORMAT_DOT },
    { ".gv", FORMAT_DOT },  { ".txt", FORMAT_TXT },
};

static enum errc format_of(const struct cli *cli, enum format *format, struct err *err)
{
    bool to_file = cli->output && strcmp(cli->output, "-") != 0;

    *format = cli->format == FORMAT_NONE && cli->split ? FORMAT_SVG : cli->format;
    if (*format == FORMAT_NONE && !to_file)
        *format = FORMAT_TXT;
    for (size_t i = 0; *format == FORMAT_NONE && i < ARRAY_LEN(suffixes); i++)
        if (sv_ends(sv(cli->output), sv(suffixes[i].suffix)))
            *format = suffixes[i].format;
    if (*format == FORMAT_NONE)
        return err_set(
            err, ERR_USAGE,
            "%s: the name must end in .svg, .png, .dot or .txt, or give --format",
            cli->output);
    if (*format == FORMAT_PNG && !to_file && isatty(STDOUT_FILENO))
        return err_set(err, ERR_USAGE, "a PNG is not for a terminal: give -o FILE.png");
    if (*format == FORMAT_PNG && !layout_available())
        return err_set(
            err, ERR_OUTPUT,
            "png needs graphviz, which this build lacks: install libgraphviz-dev and "
            "build again, or take -o FILE.svg");
    return ERR_OK;
}

static enum errc options_of(const struct cli *cli, enum format format,
                            struct graph_options *o, struct err *err)
{
    *o = (struct graph_options){ 0 };
    if (cli->has_sql + cli->has_job + cli->has_stage + cli->has_plan > 1)
        return err_set(err, ERR_USAGE, "give one of --sql, --job, --stage and --plan");
    if (cli->has_plan && cli->base)
        return err_set(err, ERR_USAGE, "--plan is about one run: leave out --base");
    if (cli->initial && !cli->has_plan)
        return err_set(err, ERR_USAGE, "--initial goes with --plan");
    if (cli->heat && !graph_heat_parse(sv(cli->heat), &o->heat))
        return err_set(err, ERR_USAGE, "no heat \"%s\"", cli->heat);
    if (cli->has_sql) {
        o->scope = GRAPH_SQL;
        o->scope_id = cli->sql_id;
    } else if (cli->has_job) {
        o->scope = GRAPH_JOB;
        o->scope_id = cli->job_id;
    } else if (cli->has_stage) {
        o->scope = GRAPH_STAGE;
        o->scope_id = cli->stage_id;
    }
    if (cli->hops && !cli->has_stage && !cli->has_sql && !cli->has_job)
        return err_set(err, ERR_USAGE,
                       "--hops goes with --focus, --stage, --sql or --job");
    if ((cli->n_only || cli->n_hide) && (cli->base || cli->has_plan))
        return err_set(err, ERR_USAGE,
                       "--only and --hide go with neither --base nor --plan");
    if (cli->split && (!cli->output || strcmp(cli->output, "-") == 0))
        return err_set(err, ERR_USAGE, "--split sql writes a folder: give -o FOLDER");
    if (cli->split && (cli->base || cli->has_plan || cli->has_sql || cli->has_job ||
                       cli->has_stage || cli->n_only || cli->n_hide))
        return err_set(err, ERR_USAGE,
                       "--split sql is about the whole run: leave out --base, --plan, "
                       "--focus, --only and --hide");
    if (cli->interactive && format != FORMAT_SVG)
        return err_set(err, ERR_USAGE, "--interactive goes with svg: -o FILE.svg");
    o->link_base = cli->link_base;
    o->hops = (uint32_t)cli->hops;
    o->max_nodes = cli->max_nodes >= 0    ? (uint32_t)cli->max_nodes
                   : format == FORMAT_DOT ? 0
                                          : MOST_NODES;
    o->fold_alike = o->max_nodes != 0 && !cli->base; /* one turn that changed is news */
    return ERR_OK;
}

/* The lists of --only or --hide as picks, in the arena. */
static const struct graph_pick *picks_of(const char **lists, size_t n, size_t *n_picks,
                                         struct arena *arena)
{
    struct graph_pick *picks;
    size_t most = 0;

    for (size_t i = 0; i < n; i++)
        most += strlen(lists[i]) / 2 + 1;
    picks = arena_array(arena, most + 1, sizeof *picks);
    *n_picks = 0;
    for (size_t i = 0; i < n; i++)
        for (struct sv rest = sv(lists[i]); rest.len;)
            *n_picks += graph_pick_next(&rest, &picks[*n_picks]);
    return picks;
}

struct job_of_drawing {
    const struct cli *cli;
    const struct analysis *analysis;
    const struct findings *findings;
    const struct analysis *base; /* NULL: one run is drawn */
    const struct pairing *pairs;
    struct graph_options options;
    const char *format; /* "svg", "png" */
    int64_t timeout_ms;
};

static enum errc build(struct graph *g, const struct job_of_drawing *d,
                       const struct graph_options *options, struct err *err)
{
    struct graph_runs runs = { d->base, d->analysis, d->pairs, d->findings };

    return d->base ? graph_build_diff(g, &runs, options, err)
                   : graph_build(g, d->analysis, d->findings, options, err);
}

static enum layout_end try_graphviz(const struct job_of_drawing *d, const struct graph *g,
                                    const char *nslimit, int64_t timeout_ms,
                                    struct strbuf *out, struct err *err)
{
    struct strbuf dot = { 0 };
    int dpi = 0;

    graph_dot(&dot, g, nslimit);
    enum layout_end end =
        layout_run(out, strbuf_sv(&dot), d->format, timeout_ms, &dpi, err);
    strbuf_release(&dot);
    if (end == LAYOUT_DONE && dpi && dpi < LAYOUT_PNG_DPI)
        cli_note(d->cli,
                 "the picture is large: drawn at %d dots per inch instead of %d to stay "
                 "below 16 "
                 "megapixels; svg has no such limit",
                 dpi, LAYOUT_PNG_DPI);
    return end;
}

/* The second try of graphviz: fewer stages. */
static enum layout_end try_smaller(const struct job_of_drawing *d, struct strbuf *out,
                                   struct err *err)
{
    struct graph_options o = d->options;
    struct graph g = { 0 };
    enum layout_end end;

    if (o.max_nodes == 0 || o.max_nodes > FEWER_NODES)
        o.max_nodes = FEWER_NODES;
    if (build(&g, d, &o, err) != ERR_OK)
        return LAYOUT_FAILED;
    end = try_graphviz(d, &g, "0.5", d->timeout_ms / 2 + 1, out, err);
    if (end == LAYOUT_DONE)
        cli_note(d->cli,
                 "graphviz had not finished after %.1fs: drawn with at most %" PRIu32
                 " nodes (--layout-timeout gives it longer)",
                 (double)d->timeout_ms / 1000, o.max_nodes);
    graph_release(&g);
    return end;
}

static enum errc draw(const struct job_of_drawing *d, const struct graph *g,
                      struct strbuf *out, struct err *err)
{
    enum layout_end end;

    if (d->timeout_ms == 0 && strcmp(d->format, "svg") == 0) {
        graph_svg(out, g);
        return ERR_OK;
    }
    if (!layout_available()) {
        cli_note(d->cli, "built without graphviz: a plainer picture");
        graph_svg(out, g);
        return ERR_OK;
    }
    end = try_graphviz(d, g, "2", d->timeout_ms, out, err);
    if (end == LAYOUT_TIMEOUT)
        end = try_smaller(d, out, err);
    if (end == LAYOUT_DONE)
        return ERR_OK;
    if (strcmp(d->format, "svg") != 0) {
        err_set(err, ERR_OUTPUT,
                end == LAYOUT_TIMEOUT ? "graphviz did not finish within its limits: "
                                        "raise --layout-timeout, lower "
                                        "--max-nodes, or take -o FILE.svg"
                                      : "graphviz could not draw it; take -o FILE.svg");
        return ERR_OUTPUT;
    }
    cli_note(d->cli, "%s: a plainer picture instead", err->text);
    graph_svg(out, g);
    return ERR_OK;
}

static void finish_svg(const struct job_of_drawing *d, struct strbuf *out)
{
    if (d->cli->interactive)
        graph_interactive(out);
}

static enum errc write_graph(const struct job_of_drawing *d, enum format format,
                             struct strbuf *out, struct err *err)
{
    struct graph g = { 0 };
    enum errc rc;

    TRY(build(&g, d, &d->options, err));
    if (format == FORMAT_DOT) {
        graph_dot(out, &g, "2");
        rc = ERR_OK;
    } else if (format == FORMAT_SVG || format == FORMAT_PNG) {
        rc = draw(d, &g, out, err);
        finish_svg(d, out);
    } else {
        graph_txt(out, &g, (uint32_t)cli_width(d->cli), d->cli->ascii);
        rc = ERR_OK;
    }
    if (g.folded && format != FORMAT_TXT)
        cli_note(d->cli, "%s", g.folded);
    graph_release(&g);
    return rc;
}

/* The plan's text is that of analyze --sql: one tree, one wording. */
static enum errc plan_text(const struct job_of_drawing *d, struct strbuf *out,
                           struct err *err)
{
    struct report r = { 0 };
    struct page p;
    struct cli of_plan = *d->cli;
    enum errc rc;

    of_plan.sql_id = d->cli->plan_id;
    of_plan.has_sql = true;
    page_init(&p, &of_plan);
    report_build(&r, d->analysis, sv(d->cli->inputs[0]));
    rc = detail_sql(&p, &r, &of_plan, false, err);
    if (rc == ERR_OK)
        strbuf_add(out, page_finish(&p)); /* folds to ASCII where asked */
    page_release(&p);
    report_release(&r);
    return rc;
}

static enum errc write_plan(const struct job_of_drawing *d, enum format format,
                            struct strbuf *out, struct err *err)
{
    struct strbuf dot = { 0 };
    enum layout_end end;
    enum errc rc;
    int dpi;

    if (format == FORMAT_TXT)
        return plan_text(d, out, err);
    rc = graph_plan_dot(format == FORMAT_DOT ? out : &dot, d->analysis, d->findings,
                        d->cli->plan_id, d->cli->initial, err);
    if (rc != ERR_OK || format == FORMAT_DOT)
        return rc;
    end = layout_available()
              ? layout_run(out, strbuf_sv(&dot), d->format, d->timeout_ms, &dpi, err)
              : LAYOUT_FAILED;
    strbuf_release(&dot);
    if (end == LAYOUT_DONE) {
        finish_svg(d, out);
        return ERR_OK;
    }
    return err_set(err, ERR_OUTPUT, "%s; --format dot and txt need no graphviz",
                   end == LAYOUT_TIMEOUT ? "graphviz did not finish the plan within its "
                                           "limits (--layout-timeout)"
                                         : "graphviz could not draw the plan");
}

/* --- --split sql ----------------------------------------------------------------- */

struct split {
    const struct job_of_drawing *d;
    enum format format;
    const char *dir, *suffix;
    struct strbuf index;
    struct arena *arena;
};

/* One picture and its line of the index; only the line where no stage ran. */
static enum errc split_one(struct split *s, const char *name, const char *title,
                           const struct graph_options *options, struct err *err)
{
    struct job_of_drawing d = *s->d;
    struct strbuf out = { 0 };
    struct graph g = { 0 };
    enum errc rc;

    d.options = *options;
    TRY(build(&g, &d, options, err));
    if (g.n_nodes) {
        const char *file = arena_printf(s->arena, "%s/%s%s", s->dir, name, s->suffix);

        rc = write_graph(&d, s->format, &out, err);
        if (rc == ERR_OK)
            rc = file_write(file, strbuf_sv(&out), err);
        strbuf_printf(&s->index, "<li><a href=\"%s%s\">", name, s->suffix);
        graph_xml(&s->index, title);
        strbuf_addz(&s->index, "</a><br>");
        graph_xml(&s->index, g.totals);
    } else {
        rc = ERR_OK;
        strbuf_addz(&s->index, "<li>");
        graph_xml(&s->index, title);
        strbuf_addz(&s->index, "<br>no stage ran");
    }
    strbuf_addz(&s->index, "</li>\n");
    strbuf_release(&out);
    graph_release(&g);
    return rc;
}

static enum errc split_files(struct split *s, struct err *err)
{
    const struct app *app = &s->d->analysis->app;
    struct graph_options o = s->d->options;
    struct graph_pick *all = arena_array(s->arena, app->n_sqls + 1, sizeof *all);
    bool beside = false;

    for (size_t i = 0; i < app->n_sqls; i++) {
        const struct sql *q = &app->sqls[i];
        struct graph_cluster c = { 0 };

        o.scope = GRAPH_SQL;
        o.scope_id = q->execution_id;
        graph_label_sql(&c, app, q, 0, s->arena);
        TRY(split_one(s, c.id, c.title, &o, err));
        all[i] = (struct graph_pick){ GRAPH_SQL, q->execution_id };
    }
    app_each_stage (app, stage)
        beside |= stage_ran(stage) && stage->sql_execution_id == APP_NONE;
    if (!beside)
        return ERR_OK;
    o = s->d->options;
    o.hide = all;
    o.n_hide = app->n_sqls;
    return split_one(s, "other", "Stages of no SQL execution", &o, err);
}

/* A picture of each execution, one of the stages outside of all, and the index. */
static enum errc write_split(const struct job_of_drawing *d, enum format format,
                             struct arena *arena, struct err *err)
{
    const char *title = graph_clean(arena, d->analysis->app.name, 60);
    struct split s = { .d = d, .format = format, .dir = d->cli->output, .arena = arena };
    enum errc rc;

    for (size_t i = 0; i < ARRAY_LEN(suffixes) && !s.suffix; i++)
        if (suffixes[i].format == format)
            s.suffix = suffixes[i].suffix;
    if (mkdir(s.dir, 0777) != 0 && errno != EEXIST)
        return err_set(err, ERR_OUTPUT, "%s: cannot make the folder: %s", s.dir,
                       strerror(errno));
    strbuf_addz(&s.index, "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\">"
                          "<title>");
    graph_xml(&s.index, title);
    strbuf_addz(&s.index,
                "</title>\n<style>body{font:15px/1.5 sans-serif;max-width:60em;"
                "margin:2em auto;padding:0 1em}li{margin:.6em 0}</style>\n<h1>");
    graph_xml(&s.index, title);
    strbuf_addz(&s.index, "</h1>\n<p>The SQL executions, each with what feeds it.</p>\n"
                          "<ul>\n");
    rc = split_files(&s, err);
    strbuf_addz(&s.index, "</ul>\n</html>\n");
    if (rc == ERR_OK)
        rc = file_write(arena_printf(arena, "%s/index.html", s.dir), strbuf_sv(&s.index),
                        err);
    strbuf_release(&s.index);
    return rc;
}

/* The base run and its pairs. */
static int load_base(struct job_of_drawing *d, struct analysis *base,
                     struct pairing *pairs)
{
    struct cli of_base = *d->cli;
    int rc;

    if (!d->cli->base)
        return EXIT_DONE;
    of_base.inputs = &d->cli->base;
    of_base.n_inputs = 1;
    if ((rc = cli_load_one(&of_base, base)) != EXIT_DONE)
        return rc;
    pair_runs(pairs, base, d->analysis);
    if (!pairs->same_job) {
        cli_error("not comparable, %s", pairs->why);
        return EXIT_UNDECIDED;
    }
    d->base = base;
    d->pairs = pairs;
    return EXIT_DONE;
}

int verb_graph(const struct cli *cli)
{
    struct job_of_drawing d = { .cli = cli };
    struct analysis analysis = { 0 }, base = { 0 };
    struct pairing pairs = { 0 };
    struct findings findings = { 0 };
    struct arena arena = { 0 };
    struct strbuf out = { 0 };
    struct err err = { 0 };
    enum format format;
    int rc;

    if (format_of(cli, &format, &err) != ERR_OK ||
        options_of(cli, format, &d.options, &err) != ERR_OK) {
        cli_error("%s", err.text);
        return exit_of(err.code);
    }
    if ((rc = cli_load_one(cli, &analysis)) != EXIT_DONE)
        return rc;
    rules_run(&findings, &analysis, &arena);
    d.options.only = picks_of(cli->only, cli->n_only, &d.options.n_only, &arena);
    d.options.hide = picks_of(cli->hide, cli->n_hide, &d.options.n_hide, &arena);
    d.analysis = &analysis;
    d.findings = &findings;
    d.format = format == FORMAT_PNG ? "png" : "svg";
    d.timeout_ms = cli->layout_timeout_ms >= 0 ? cli->layout_timeout_ms : TIMEOUT_MS;
    if ((rc = load_base(&d, &base, &pairs)) != EXIT_DONE)
        goto done;
    if (cli->split) {
        if (write_split(&d, format, &arena, &err) != ERR_OK) {
            cli_error("%s", err.text);
            rc = exit_of(err.code);
        }
        goto done;
    }
    if ((cli->has_plan ? write_plan : write_graph)(&d, format, &out, &err) == ERR_OK) {
        rc = cli_write(cli, strbuf_sv(&out));
    } else {
        cli_error("%s", err.text);
        rc = exit_of(err.code);
    }
done:
    pairing_release(&pairs);
    analysis_release(&base);
    strbuf_release(&out);
    arena_release(&arena);
    analysis_release(&analysis);
    return rc;
}
