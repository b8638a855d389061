/* spillway fleet DIR...: many applications, ranked by what can be saved; runs of one name
 * together, over time. */
#include "base/mem.h"
#include "ui/crew.h"
#include "ui/csv_writer.h"
#include "ui/render_json.h"

#include <inttypes.h>
#include <stdlib.h>

enum { SHOWN = 20, NAMED = 2 };

/* Runs of one application name. */
struct group {
    struct sv name;
    const struct outcome **runs; /* oldest first */
    size_t n;
    int64_t wall_ms, saving_ms, core_ms, core_saving_ms;
    int64_t latest_ms,
        usual_ms; /* the newest run, the median of those before; APP_NONE */
    enum severity worst;
    bool healthy;
    struct outcome_finding *findings; /* over all runs, the most to save first */
    size_t n_findings;
};

/* Cores are held as long as the run lasts: what it is shorter by, they are free. */
static int64_t core_saving_ms(const struct outcome *o)
{
    int64_t saving = outcome_saving_ms(o);

    if (saving <= 0 || o->wall_ms <= 0)
        return 0;
    return (int64_t)((double)o->core_ms * (double)saving / (double)o->wall_ms);
}

/* --- groups
 * ------------------------------------------------------------------------------- */

static int by_name_and_time(const void *a, const void *b)
{
    const struct outcome *x = *(const struct outcome *const *)a;
    const struct outcome *y = *(const struct outcome *const *)b;
    int order = sv_cmp(x->name, y->name);

    if (order)
        return order;
    if (x->start_ms != y->start_ms)
        return x->start_ms < y->start_ms ? -1 : 1;
    return sv_cmp(x->path, y->path);
}

static int by_saving(const void *a, const void *b)
{
    const struct outcome *x = *(const struct outcome *const *)a;
    const struct outcome *y = *(const struct outcome *const *)b;
    int64_t x_ms = outcome_saving_ms(x), y_ms = outcome_saving_ms(y);

    if (x_ms != y_ms)
        return x_ms > y_ms ? -1 : 1;
    if (x->wall_ms != y->wall_ms)
        return x->wall_ms > y->wall_ms ? -1 : 1;
    return sv_cmp(x->path, y->path);
}

static int groups_by_saving(const void *a, const void *b)
{
    const struct group *x = a, *y = b;

    if (x->saving_ms != y->saving_ms)
        return x->saving_ms > y->saving_ms ? -1 : 1;
    if (x->wall_ms != y->wall_ms)
        return x->wall_ms > y->wall_ms ? -1 : 1;
    return sv_cmp(x->name, y->name);
}

static int findings_by_saving(const void *a, const void *b)
{
    const struct outcome_finding *x = a, *y = b;

    if (x->saves_ms != y->saves_ms)
        return x->saves_ms > y->saves_ms ? -1 : 1;
    return strcmp(x->rule->id, y->rule->id);
}

static void find_trend(struct group *g)
{
    enum { LEAST_BEFORE = 2 };
    int64_t *walls;

    g->latest_ms = g->n ? g->runs[g->n - 1]->wall_ms : APP_NONE;
    g->usual_ms = APP_NONE;
    if (g->n < LEAST_BEFORE + 1)
        return;
    walls = xmalloc(mem_product(g->n, sizeof *walls));
    for (size_t i = 0; i + 1 < g->n; i++)
        walls[i] = g->runs[i]->wall_ms;
    g->usual_ms = quantiles_of(walls, (uint32_t)g->n - 1).value[Q_MEDIAN];
    free(walls);
}

static void sum_up(struct group *g, struct arena *arena)
{
    size_t room = 0;

    g->healthy = true;
    for (size_t i = 0; i < g->n; i++) {
        const struct outcome *o = g->runs[i];

        g->wall_ms = add_sat(g->wall_ms, o->wall_ms);
        g->saving_ms = add_sat(g->saving_ms, outcome_saving_ms(o));
        g->core_ms = add_sat(g->core_ms, o->core_ms);
        g->core_saving_ms = add_sat(g->core_saving_ms, core_saving_ms(o));
        if (o->any && o->worst > g->worst)
            g->worst = o->worst;
        g->healthy = g->healthy && o->healthy;
        room += o->n_list;
    }
    g->findings = arena_array(arena, room, sizeof *g->findings);
    for (size_t i = 0; i < g->n; i++)
        for (size_t k = 0; k < g->runs[i]->n_list; k++) {
            const struct outcome_finding *f = &g->runs[i]->list[k];
            size_t at = 0;

            while (at < g->n_findings && g->findings[at].rule != f->rule)
                at++;
            if (at == g->n_findings)
                g->findings[g->n_findings++].rule = f->rule;
            g->findings[at].saves_ms = add_sat(g->findings[at].saves_ms, f->saves_ms);
        }
    if (g->n_findings)
        qsort(g->findings, g->n_findings, sizeof *g->findings, findings_by_saving);
    find_trend(g);
}

/* rows are sorted by name and time, and stay the caller's. */
static struct group *find_groups(const struct outcome **rows, size_t n, size_t *n_groups,
                                 struct arena *arena)
{
    struct group *groups = arena_array(arena, n, sizeof *groups);

    *n_groups = 0;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || !sv_eq(rows[i]->name, rows[i - 1]->name)) {
            groups[*n_groups].name = rows[i]->name;
            groups[(*n_groups)++].runs = rows + i;
        }
        groups[*n_groups - 1].n++;
    }
    for (size_t i = 0; i < *n_groups; i++)
        sum_up(&groups[i], arena);
    if (*n_groups)
        qsort(groups, *n_groups, sizeof *groups, groups_by_saving);
    return groups;
}

/* --- text
 * -------------------------------------------------------------------------------------
 */

static const char *hours(struct arena *a, int64_t core_ms)
{
    double h = (double)core_ms / 3.6e6;

    return arena_printf(a, h >= 99.95 ? "%.0f" : h >= 9.995 ? "%.1f" : "%.2f", h);
}

static const char *finding_words(struct arena *a, const struct group *g)
{
    struct strbuf text = { 0 };
    const char *kept;

    for (size_t i = 0; i < g->n_findings && i < NAMED; i++)
        strbuf_printf(&text, "%s%s", i ? ", " : "", g->findings[i].rule->id);
    if (g->n_findings > NAMED)
        strbuf_printf(&text, " +%zu", g->n_findings - NAMED);
    kept = text.len ? arena_sv(a, strbuf_sv(&text)).p : "";
    strbuf_release(&text);
    return kept;
}

static const char *trend_words(struct arena *a, const struct group *g)
{
    if (g->usual_ms == APP_NONE || g->usual_ms <= 0)
        return "";
    return arena_printf(a, "%+.0f%%",
                        100 * ((double)g->latest_ms / (double)g->usual_ms - 1));
}

static void write_groups(struct page *p, const struct group *groups, size_t n,
                         size_t shown, struct arena *a)
{
    static const struct table_column columns[] = {
        { "Application", false, 12, 0 }, { "Runs", true, 0, 0 },
        { "Wall", true, 0, 0 },          { "Saves", true, 0, 0 },
        { "Core-h", true, 0, 2 },        { "To save", true, 0, 3 },
        { "Latest", true, 0, 1 },        { "Findings", false, 16, 0 },
    };
    struct table t;

    table_init(&t, a, columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < n && i < shown; i++) {
        const struct group *g = &groups[i];

        table_text(&t, g->name);
        table_count(&t, (int64_t)g->n);
        table_ms(&t, g->wall_ms);
        table_ms(&t, g->saving_ms > 0 ? g->saving_ms : APP_NONE);
        table_cell(&t, "%s", hours(a, g->core_ms));
        table_cell(&t, "%s", g->core_saving_ms > 0 ? hours(a, g->core_saving_ms) : "-");
        table_cell(&t, "%s", trend_words(a, g));
        table_cell(&t, "%s", finding_words(a, g));
    }
    table_print(&t, p, 2);
    table_release(&t);
    if (n > shown)
        page_add(p, "  and %zu more; --top N shows so many\n", n - shown);
}

static void write_runs(struct page *p, const struct outcome **rows, size_t n,
                       size_t shown, struct arena *a)
{
    static const struct table_column columns[] = {
        { "Application", false, 12, 0 }, { "Wall", true, 0, 0 },
        { "Saves", true, 0, 0 },         { "Verdict", false, 0, 1 },
        { "Findings", false, 16, 0 },    { "Log", false, 20, 0 },
    };
    size_t folder = crew_folder(rows, n), worth = 0;
    struct table t;

    while (worth < n && outcome_saving_ms(rows[worth]) > 0)
        worth++;
    if (!worth)
        return;
    page_newline(p);
    page_wrapf(p, "", "", "Runs with most to save%s%s", folder ? ", in " : "",
               folder ? text_clean(a, (struct sv){ rows[0]->path.p, folder }, 0) : "");
    table_init(&t, a, columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < worth && i < shown; i++) {
        table_text(&t, rows[i]->name);
        table_ms(&t, rows[i]->wall_ms);
        table_ms(&t, outcome_saving_ms(rows[i]));
        table_cell(&t, "%s", outcome_verdict(rows[i]));
        table_cell(&t, "%s", rows[i]->findings.len ? rows[i]->findings.p : "");
        table_text(&t, sv_from(rows[i]->path, folder));
    }
    table_print(&t, p, 2);
    table_release(&t);
    if (worth > shown)
        page_add(p, "  and %zu more\n", worth - shown);
    page_add(p, "\n%sNext:%s spillway analyze %s\n", page_mark(p, STYLE_BOLD),
             page_mark(p, STYLE_PLAIN), text_shell(a, rows[0]->path));
}

static void write_unread(struct page *p, const struct crew *crew, size_t n_failed,
                         struct arena *a)
{
    size_t n = n_failed;

    for (size_t i = 0; i < crew->n; i++)
        n += crew->outcomes[i].error.p != NULL;
    if (!n)
        return;
    page_newline(p);
    page_wrapf(p, "", "", "%s could not be read",
               text_plural(a, (int64_t)n, "log", "logs"));
    for (size_t i = 0; i < crew->n; i++)
        if (crew->outcomes[i].error.p)
            page_wrap(p, "  ", "    ", sv(text_clean(a, crew->outcomes[i].error, 0)));
}

static void write_text(struct page *p, const struct crew *crew, size_t n_failed)
{
    struct arena arena = { 0 };
    size_t n, n_groups, shown = crew->cli->top ? (size_t)crew->cli->top : SHOWN;
    const struct outcome **rows = crew_rows(crew, &n);
    int64_t saving_ms = 0, core_ms = 0;
    struct group *groups;

    if (n)
        qsort(rows, n, sizeof *rows, by_name_and_time);
    groups = find_groups(rows, n, &n_groups, &arena);
    for (size_t i = 0; i < n_groups; i++) {
        saving_ms = add_sat(saving_ms, groups[i].saving_ms);
        core_ms = add_sat(core_ms, groups[i].core_saving_ms);
    }
    page_wrapf(p, "", "", "%s of %s: %s and %s core-hours need not be.",
               text_plural(&arena, (int64_t)n, "run", "runs"),
               text_plural(&arena, (int64_t)n_groups, "application", "applications"),
               saving_ms > 0 ? text_ms(&arena, saving_ms) : "no time",
               hours(&arena, core_ms));
    page_newline(p);
    write_groups(p, groups, n_groups, shown, &arena);
    if (n)
        qsort(rows, n, sizeof *rows, by_saving);
    write_runs(p, rows, n, shown, &arena);
    write_unread(p, crew, n_failed, &arena);
    free(rows);
    arena_release(&arena);
}

/* --- for machines
 * ---------------------------------------------------------------------------------- */

static void put_findings(struct json_writer *w, const struct outcome_finding *list,
                         size_t n)
{
    json_key(w, "findings");
    json_array(w);
    for (size_t i = 0; i < n; i++) {
        json_object(w);
        json_put_text(w, "id", sv(list[i].rule->id));
        json_put_int(w, "saves_ms", list[i].saves_ms);
        json_object_end(w);
    }
    json_array_end(w);
}

static void put_group(struct json_writer *w, const struct group *g)
{
    json_object(w);
    json_put_text(w, "name", g->name);
    json_put_int(w, "runs", (int64_t)g->n);
    json_put_int(w, "wall_ms", g->wall_ms);
    json_put_int(w, "saving_ms", g->saving_ms);
    json_put_int(w, "core_ms", g->core_ms);
    json_put_int(w, "core_saving_ms", g->core_saving_ms);
    json_put_int(w, "latest_wall_ms", g->latest_ms);
    json_put_int(w, "usual_wall_ms", g->usual_ms);
    put_findings(w, g->findings, g->n_findings);
    json_object_end(w);
}

static void put_run(struct json_writer *w, const struct outcome *o)
{
    json_object(w);
    json_put_text(w, "log", o->path);
    json_put_text(w, "application_id", o->id);
    json_put_text(w, "name", o->name);
    json_put_text(w, "spark_version", o->version);
    json_put_int(w, "start_ms", o->start_ms);
    json_put_int(w, "wall_ms", o->wall_ms);
    json_put_int(w, "saving_ms", outcome_saving_ms(o));
    json_put_int(w, "core_ms", o->core_ms);
    json_put_int(w, "core_saving_ms", core_saving_ms(o));
    json_put_text(w, "verdict", sv(outcome_verdict(o)));
    json_put_bool(w, "complete", o->completeness.len == 0);
    put_findings(w, o->list, o->n_list);
    json_object_end(w);
}

static void write_json(struct strbuf *out, const struct crew *crew)
{
    struct json_writer w = { .out = out };
    struct arena arena = { 0 };
    size_t n, n_groups;
    const struct outcome **rows = crew_rows(crew, &n);
    struct group *groups;

    if (n)
        qsort(rows, n, sizeof *rows, by_name_and_time);
    groups = find_groups(rows, n, &n_groups, &arena);
    json_object(&w);
    json_put_text(&w, "schema", sv("spillway/fleet/1"));
    json_put_text(&w, "spillway", sv(SPILLWAY_VERSION));
    json_key(&w, "applications");
    json_array(&w);
    for (size_t i = 0; i < n_groups; i++)
        put_group(&w, &groups[i]);
    json_array_end(&w);
    if (n)
        qsort(rows, n, sizeof *rows, by_saving);
    json_key(&w, "runs");
    json_array(&w);
    for (size_t i = 0; i < n; i++)
        put_run(&w, rows[i]);
    json_array_end(&w);
    json_key(&w, "unreadable");
    json_array(&w);
    for (size_t i = 0; i < crew->n; i++)
        if (crew->outcomes[i].error.p) {
            json_object(&w);
            json_put_text(&w, "log", crew->outcomes[i].path);
            json_put_text(&w, "error", crew->outcomes[i].error);
            json_object_end(&w);
        }
    json_array_end(&w);
    json_object_end(&w);
    strbuf_addc(out, '\n');
    free(rows);
    arena_release(&arena);
}

/* Formulas of spreadsheets begin with these signs. */
static void put_text(struct strbuf *out, struct arena *a, struct sv text)
{
    bool formula = text.len && strchr("=+-@", text.p[0]);

    csv_text(out, sv(arena_printf(a, "%s%s", formula ? "'" : "", text_clean(a, text, 0))),
             formula);
}

static void write_csv(struct strbuf *out, const struct crew *crew)
{
    size_t n;
    const struct outcome **rows = crew_rows(crew, &n);
    struct arena arena = { 0 };

    strbuf_addz(out, "log,application_id,name,spark_version,start_ms,wall_ms,saving_ms,"
                     "core_ms,core_saving_ms,verdict,complete,findings\n");
    if (n)
        qsort(rows, n, sizeof *rows, by_saving);
    for (size_t i = 0; i < n; i++) {
        const struct outcome *o = rows[i];
        const struct sv texts[] = { o->path, o->id, o->name, o->version };

        for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
            put_text(out, &arena, texts[k]);
            strbuf_addc(out, ',');
        }
        if (o->start_ms != APP_NONE)
            strbuf_printf(out, "%" PRId64, o->start_ms);
        strbuf_printf(out, ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%s,%s,",
                      o->wall_ms, outcome_saving_ms(o), o->core_ms, core_saving_ms(o),
                      outcome_verdict(o), o->completeness.len ? "false" : "true");
        for (size_t k = 0; k < o->n_list; k++)
            strbuf_printf(out, "%s%s", k ? " " : "", o->list[k].rule->id);
        strbuf_addc(out, '\n');
    }
    free(rows);
    arena_release(&arena);
}

int verb_fleet(const struct cli *cli)
{
    struct log_set set;
    struct crew crew = { 0 };
    struct page p;
    int code = cli_open_logs(cli, &set);

    if (set.n) {
        code = exit_worse(code, crew_run(&crew, cli, &set, NULL));
        page_init(&p, cli);
        if (cli_format(cli) == FORMAT_JSON)
            write_json(&p.text, &crew);
        else if (cli_format(cli) == FORMAT_CSV)
            write_csv(&p.text, &crew);
        else
            write_text(&p, &crew, set.n_failed);
        code = exit_worse(code, cli_write(cli, cli_format(cli) == FORMAT_TEXT
                                                   ? page_finish(&p)
                                                   : strbuf_sv(&p.text)));
        page_release(&p);
        crew_release(&crew);
    }
    log_set_release(&set);
    return code;
}
