/* spillway whatif LOG: what another cluster, more data or findings put right would make
 * of the run. */
#include "base/mem.h"
#include "rules/remedy.h"
#include "rules/scale.h"
#include "ui/render_json.h"
#include "ui/report.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

struct inquiry {
    const struct cli *cli;
    struct what_if what;
    bool scaled; /* something besides fixes was asked */
    const struct finding **fixes;
    size_t n_fixes;
    struct analysis a;
    struct report r;
    const struct sim_table *table;
    struct scale scale;
    struct remedy remedy;
    struct forecast f;
};

/* --- what was asked
 * ---------------------------------------------------------------------- */

static bool positive(const char *text, int64_t *out)
{
    return sv_i64(sv(text), out) && *out > 0;
}

/* Settings behind the options. False: said why not. */
static bool take_conf(struct inquiry *q, const char *pair)
{
    const char *value = strchr(pair, '=') + 1;
    struct sv key = { pair, (size_t)(value - 1 - pair) };
    bool ok = true;

    if (sv_is(key, "spark.sql.shuffle.partitions"))
        ok = positive(value, &q->what.partitions);
    else if (sv_is(key, "spark.executor.instances"))
        ok = positive(value, &q->what.executors);
    else if (sv_is(key, "spark.executor.cores"))
        ok = positive(value, &q->what.cores);
    else if (sv_is(key, "spark.executor.memory"))
        ok = units_parse_bytes(sv(value), 1 << 20, &q->what.memory_bytes) &&
             q->what.memory_bytes > 0;
    else {
        cli_error(
            "--conf %s: whatif does not know what this setting would change; it knows "
            "spark.sql.shuffle.partitions, spark.executor.instances, "
            "spark.executor.cores and spark.executor.memory",
            pair);
        return false;
    }
    if (!ok)
        cli_error("--conf %s: not a value for this setting", pair);
    return ok;
}

static bool take_what(struct inquiry *q)
{
    const struct cli *cli = q->cli;

    q->what = (struct what_if){ .executors = cli->executors,
                                .cores = cli->cores,
                                .partitions = cli->partitions,
                                .data = cli->data };
    if (cli->memory)
        (void)units_parse_bytes(sv(cli->memory), 1 << 20, &q->what.memory_bytes);
    for (size_t i = 0; i < cli->n_confs; i++)
        if (!take_conf(q, cli->confs[i]))
            return false;
    q->scaled = q->what.executors || q->what.cores || q->what.partitions ||
                q->what.memory_bytes || q->what.data > 0;
    if (q->scaled || cli->n_fixes)
        return true;
    cli_error("whatif: say what would be different: --executors, --cores, --memory, "
              "--partitions, --data or --fix (see spillway whatif --help)");
    return false;
}

static void add_fix(struct inquiry *q, const struct finding *f)
{
    for (size_t i = 0; i < q->n_fixes; i++)
        if (q->fixes[i] == f)
            return;
    q->fixes[q->n_fixes++] = f;
}

static bool take_fix(struct inquiry *q, const char *name)
{
    const struct findings *all = &q->r.findings;
    bool any = false, claims = false;
    int64_t number;

    if (sv_i64(sv(name), &number) && number >= 1 && (uint64_t)number <= all->n) {
        const struct finding *f = report_shown(&q->r, (size_t)number);

        any = true;
        if ((claims = f->n_claims > 0) != 0)
            add_fix(q, f);
    }
    for (size_t i = 0; i < all->n && !any; i++)
        if (strcmp(name, "all") == 0 || strcmp(name, all->items[i].rule->id) == 0) {
            claims = claims || all->items[i].n_claims > 0;
            if (all->items[i].n_claims)
                add_fix(q, &all->items[i]);
        }
    for (size_t i = 0; i < all->n && !any; i++)
        any = strcmp(name, all->items[i].rule->id) == 0;
    if (claims || strcmp(name, "all") == 0)
        return true;
    if (any)
        cli_error("--fix %s: the finding claims no time, so that nothing would change",
                  name);
    else
        cli_error("--fix %s: the log has no such finding; spillway analyze lists them",
                  name);
    return false;
}

/* Findings are looked for only where some are to be put right. */
static bool take_fixes(struct inquiry *q)
{
    if (!q->cli->n_fixes)
        return true;
    report_build(&q->r, &q->a, sv(q->cli->inputs[0]));
    q->fixes = arena_array(&q->r.arena, q->r.findings.n + 1, sizeof(void *));
    for (size_t i = 0; i < q->cli->n_fixes; i++)
        if (!take_fix(q, q->cli->fixes[i]))
            return false;
    return true;
}

/* --- the answer
 * --------------------------------------------------------------------------- */

static void edit(void *ctx, struct sim_table *t, enum bound bound, struct arena *arena)
{
    struct inquiry *q = ctx;

    if (q->remedy.n)
        remedy_edit(&q->remedy, t, bound, arena);
    if (q->scaled)
        scale_edit(&q->scale, t, bound, arena);
}

static void answer(struct inquiry *q)
{
    struct arena *arena = &q->r.arena;
    const struct replay *r = analysis_replay(&q->a);

    q->table = &r->table;
    scale_build(&q->scale, &q->a, &q->what, arena);
    q->remedy =
        (struct remedy){ &q->a, q->fixes, q->n_fixes, q->scaled ? &q->scale : NULL };
    forecast(&q->f, q->table, &r->base, edit, q, FORECAST_SAMPLES, arena);
}

/* By how much the replay without a change misses the log. */
static double replay_error(const struct inquiry *q)
{
    double now = (double)q->f.now_ms;

    return now > 0 ? ((double)q->f.replay_ms - now) / now : 0;
}

struct change {
    uint32_t ix;
    int64_t now_ms, then_ms;
};

static int64_t distance(const struct change *c)
{
    return c->now_ms > c->then_ms ? c->now_ms - c->then_ms : c->then_ms - c->now_ms;
}

static int by_distance(const void *a, const void *b)
{
    const struct change *x = a, *y = b;

    if (distance(x) != distance(y))
        return distance(x) > distance(y) ? -1 : 1;
    return x->ix < y->ix ? -1 : x->ix > y->ix;
}

static size_t changes(struct inquiry *q, struct change **out)
{
    size_t n = 0;

    *out = arena_array(&q->r.arena, q->table->n_stages + 1, sizeof **out);
    for (uint32_t ix = 0; ix < q->table->n_stages; ix++) {
        struct change c = { ix, q->f.before[ix].end_ms - q->f.before[ix].start_ms,
                            q->f.after[ix].end_ms - q->f.after[ix].start_ms };

        if (q->table->stages[ix].present && distance(&c) > 0)
            (*out)[n++] = c;
    }
    if (n)
        qsort(*out, n, sizeof **out, by_distance);
    return n;
}

/* --- text
 * --------------------------------------------------------------------------------------
 */

static void add_word(struct strbuf *out, const char *text)
{
    strbuf_printf(out, "%s%s", out->len ? ", " : "", text);
}

static const char *asked(struct inquiry *q)
{
    struct arena *a = &q->r.arena;
    const struct what_if *w = &q->what;
    struct strbuf out = { 0 };
    const char *text;

    if (w->executors)
        add_word(&out, text_plural(a, w->executors, "executor", "executors"));
    if (w->cores)
        add_word(&out,
                 arena_printf(a, "%s each", text_plural(a, w->cores, "core", "cores")));
    if (w->memory_bytes)
        add_word(&out, arena_printf(a, "%s each", text_bytes(a, w->memory_bytes)));
    if (w->partitions)
        add_word(&out, text_plural(a, w->partitions, "shuffle partition",
                                   "shuffle partitions"));
    if (w->data > 0)
        add_word(&out, arena_printf(a, "%.4g times the data", w->data));
    for (size_t i = 0; i < q->n_fixes; i++)
        add_word(&out, arena_printf(a, "%s put right", q->fixes[i]->rule->id));
    if (!out.len)
        add_word(&out, "no finding to put right");
    text = arena_sv(a, strbuf_sv(&out)).p;
    strbuf_release(&out);
    return text;
}

static void write_stages(struct inquiry *q, struct page *p)
{
    static const struct table_column columns[] = {
        { .title = "Stage" },
        { .title = "Now", .right = true },
        { .title = "Then", .right = true },
        { .title = "Tasks", .right = true },
        { .title = "What it does", .shrink_to = 16 },
    };
    enum { SHOWN = 8 };
    struct arena *a = &q->r.arena;
    struct change *list;
    struct table t;
    size_t n = changes(q, &list), shown = q->cli->top ? (size_t)q->cli->top : SHOWN;

    if (!n)
        return;
    page_newline(p);
    page_wrap(p, "", "", SV("Stages that change most"));
    table_init(&t, a, columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < n && i < shown; i++) {
        const struct stage *s = &q->a.app.stages[list[i].ix];
        const struct scale_stage *k = &q->scale.stages[list[i].ix];
        int64_t tasks = s->completed_indices;

        table_cell(&t, "%s", stage_label(a, s));
        table_ms(&t, list[i].now_ms);
        table_ms(&t, list[i].then_ms);
        if (q->scaled && k->n && k->n != tasks)
            table_cell(&t, "%s -> %s", text_count(a, tasks), text_count(a, k->n));
        else
            table_count(&t, tasks);
        table_text(&t, s->description.len ? s->description : s->name);
    }
    table_print(&t, p, 2);
    table_release(&t);
    if (n > shown)
        page_add(p, "  and %zu more\n", n - shown);
}

static void write_breaks(struct inquiry *q, struct page *p)
{
    bool any = false;

    for (int i = 0; i < BREAKS_COUNT && q->scaled; i++) {
        const struct scale_warning *b = &q->scale.warnings[i];

        if (!b->n)
            continue;
        if (!any) {
            page_newline(p);
            page_wrap(p, "", "", SV("What breaks, or begins to"));
        }
        any = true;
        page_wrapf(p, "  - ", "    ", "%s%s", b->text,
                   b->n > 1 ? arena_printf(&q->r.arena, " (the worst of %zu)", b->n)
                            : "");
    }
}

static void write_text(struct inquiry *q, struct page *p)
{
    struct arena *a = &q->r.arena;
    const struct forecast *f = &q->f;
    struct sv asked_text = sv(asked(q));

    page_wrapf(p, "", "", "With %.*s:", SV_FMT(asked_text));
    page_add(p, "  wall time   %s -> %s%s%s  (%s to %s)\n", text_ms(a, f->now_ms),
             page_mark(p, STYLE_BOLD), text_ms(a, f->expected_ms),
             page_mark(p, STYLE_PLAIN), text_ms(a, f->low_ms), text_ms(a, f->high_ms));
    page_add(p, "  task time   %s -> %s\n", text_ms(a, f->task_ms_now),
             text_ms(a, f->task_ms));
    write_stages(q, p);
    write_breaks(q, p);
    page_newline(p);
    page_style(p, STYLE_DIM);
    page_wrapf(p, "", "",
               "Without the change the replay makes %s of the log's %s (%+.1f %%); that "
               "difference is in the range%s.%s",
               text_ms(a, f->replay_ms), text_ms(a, f->now_ms), 100 * replay_error(q),
               f->samples
                   ? arena_printf(a,
                                  ", with nine in ten of %u samples of task times and "
                                  "of what two equal runs differ by",
                                  f->samples)
                   : "",
               f->stuck ? " The log's executors or stages do not fit together: some were "
                          "let run where nothing says how."
                        : "");
    page_style(p, STYLE_PLAIN);
}

/* --- JSON
 * --------------------------------------------------------------------------------------
 */

static void write_json(struct inquiry *q, struct strbuf *out)
{
    struct json_writer w = { .out = out };
    struct change *list;
    size_t n = changes(q, &list);

    json_object(&w);
    json_put_text(&w, "schema", sv("spillway/whatif/1"));
    json_put_text(&w, "spillway", sv(SPILLWAY_VERSION));
    json_put_text(&w, "application_id", q->a.app.id);
    json_key(&w, "asked");
    json_object(&w);
    json_put_int(&w, "executors", q->what.executors ? q->what.executors : APP_NONE);
    json_put_int(&w, "cores", q->what.cores ? q->what.cores : APP_NONE);
    json_put_int(&w, "memory_bytes",
                 q->what.memory_bytes ? q->what.memory_bytes : APP_NONE);
    json_put_int(&w, "partitions", q->what.partitions ? q->what.partitions : APP_NONE);
    json_key(&w, "data");
    json_double(&w, q->scale.what.data);
    json_key(&w, "fixes");
    json_array(&w);
    for (size_t i = 0; i < q->n_fixes; i++)
        json_text(&w, sv(q->fixes[i]->rule->id));
    json_array_end(&w);
    json_object_end(&w);
    json_put_int(&w, "wall_ms_now", q->f.now_ms);
    json_put_int(&w, "wall_ms_replayed", q->f.replay_ms);
    json_key(&w, "wall_ms_predicted");
    json_object(&w);
    json_put_int(&w, "low", q->f.low_ms);
    json_put_int(&w, "expected", q->f.expected_ms);
    json_put_int(&w, "high", q->f.high_ms);
    json_object_end(&w);
    json_put_int(&w, "samples", q->f.samples);
    json_put_int(&w, "task_ms_now", q->f.task_ms_now);
    json_put_int(&w, "task_ms_predicted", q->f.task_ms);
    json_key(&w, "stages");
    json_array(&w);
    for (size_t i = 0; i < n; i++) {
        const struct stage *s = &q->a.app.stages[list[i].ix];

        json_object(&w);
        json_put_int(&w, "stage_id", s->stage_id);
        json_put_int(&w, "attempt", s->attempt);
        json_put_int(&w, "wall_ms_now", list[i].now_ms);
        json_put_int(&w, "wall_ms_predicted", list[i].then_ms);
        json_put_int(&w, "tasks_now", s->completed_indices);
        json_put_int(&w, "tasks_predicted",
                     q->scaled && q->scale.stages[list[i].ix].n
                         ? (int64_t)q->scale.stages[list[i].ix].n
                         : s->completed_indices);
        json_object_end(&w);
    }
    json_array_end(&w);
    json_key(&w, "breaks");
    json_array(&w);
    for (int i = 0; i < BREAKS_COUNT && q->scaled; i++) {
        uint32_t ix = q->scale.warnings[i].stage_ix;

        if (!q->scale.warnings[i].n)
            continue;
        json_object(&w);
        json_put_int(&w, "stage_id",
                     ix == IX_NONE ? APP_NONE : q->a.app.stages[ix].stage_id);
        json_put_text(&w, "text", sv(q->scale.warnings[i].text));
        json_put_int(&w, "of", (int64_t)q->scale.warnings[i].n);
        json_object_end(&w);
    }
    json_array_end(&w);
    json_object_end(&w);
    strbuf_addc(out, '\n');
}

int verb_whatif(const struct cli *cli)
{
    struct inquiry q = { .cli = cli };
    struct page p;
    int code;

    if (!take_what(&q))
        return EXIT_USAGE;
    code = cli_load_one(cli, &q.a);
    if (code != EXIT_DONE)
        return code;
    if (!take_fixes(&q)) {
        code = EXIT_USAGE;
    } else {
        page_init(&p, cli);
        answer(&q);
        if (q.f.now_ms <= 0 || q.table->n_tasks == 0) {
            cli_error("%s: no task ran in this log: there is nothing to replay",
                      cli->inputs[0]);
            code = EXIT_UNDECIDED;
        } else if (cli_format(cli) == FORMAT_JSON) {
            write_json(&q, &p.text);
            code = cli_write(cli, strbuf_sv(&p.text));
        } else {
            write_text(&q, &p);
            code = cli_write(cli, page_finish(&p));
        }
        page_release(&p);
    }
    report_release(&q.r);
    analysis_release(&q.a);
    return code;
}
