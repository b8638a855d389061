/* Title and legend: what is seen, how much of it, and what is not. */
#include "ui/graph_work.h"

#include "base/units.h"

#include <inttypes.h>

static const struct {
    const char *name, *meaning;
} heats[HEAT_COUNT] = {
    [HEAT_WALL] = { "wall", "share of the wall clock, on the critical path" },
    [HEAT_TASK] = { "task", "share of all task time" },
    [HEAT_CPU] = { "cpu", "share of all CPU time" },
    [HEAT_SHUFFLE] = { "shuffle", "share of all shuffle bytes, read and written" },
    [HEAT_SPILL] = { "spill", "share of all bytes spilled to disk" },
    [HEAT_GC] = { "gc", "share of all garbage collection" },
    [HEAT_ROWS] = { "rows", "share of all rows read" },
    [HEAT_MEM] = { "mem", "peak execution memory, against the largest" },
};

const char *graph_heat_name(enum graph_heat h)
{
    return heats[h].name;
}

bool graph_heat_parse(struct sv text, enum graph_heat *out)
{
    for (int h = 0; h < HEAT_COUNT; h++) {
        if (sv_is(text, heats[h].name)) {
            *out = (enum graph_heat)h;
            return true;
        }
    }
    return false;
}

static void write_titles(struct graph_work *w)
{
    const struct app *app = &w->a->app;
    struct arena *arena = &w->g->arena;
    struct strbuf sub = { 0 };
    struct sv name = app->name.len ? app->name
                     : app->id.len ? app->id
                                   : SV("application");
    const char *part = w->options->scope == GRAPH_SQL     ? "SQL execution"
                       : w->options->scope == GRAPH_JOB   ? "job"
                       : w->options->scope == GRAPH_STAGE ? "stage"
                                                          : NULL;

    w->g->title = graph_clean(arena, name, 60);
    if (part)
        w->g->title = arena_printf(arena, "%s: %s %" PRId64, w->g->title, part,
                                   w->options->scope_id);
    if (app->id.len)
        strbuf_printf(&sub, "%s  \xC2\xB7  ", graph_clean(arena, app->id, 60));
    if (app->spark_version.len)
        strbuf_printf(&sub, "Spark %s  \xC2\xB7  ",
                      graph_clean(arena, app->spark_version, 40));
    if (app->cores_peak > 0)
        strbuf_printf(&sub, "%" PRId64 " core%s  \xC2\xB7  ", app->cores_peak,
                      app->cores_peak == 1 ? "" : "s");
    strbuf_addz(&sub, "wall clock ");
    units_ms(&sub, max_i64(sub_sat(app->end_ms, app->start_ms), 0));
    if (!app->finished)
        strbuf_addz(&sub, " (log has no end)");
    w->g->subtitle = graph_keep(arena, &sub);
    if (w->options->link_base && graph_link_allowed(sv(w->options->link_base)))
        w->g->link_base =
            arena_printf(arena, "%s", w->options->link_base);
    w->g->heat_label = heats[w->options->heat].meaning;
}

static void write_totals(struct graph_work *w)
{
    struct strbuf t = { 0 };
    int64_t tasks = 0, written = 0, spilled = 0, path_ms = 0, read = 0;

    for (size_t i = 0; i < w->b.n; i++) {
        const struct graph_base *s = &w->b.items[i];

        if (!w->in[i])
            continue;
        tasks = add_sat(tasks, s->tasks);
        read = add_sat(read, s->total[METRIC_INPUT_BYTES]);
        written = add_sat(written, s->total[METRIC_SHUFFLE_WRITE_BYTES]);
        spilled = add_sat(spilled, s->total[METRIC_SPILL_DISK_BYTES]);
        path_ms = add_sat(path_ms, s->path_ms);
    }
    strbuf_printf(&t, "%" PRIu32 " stage%s, ", w->n_in, w->n_in == 1 ? "" : "s");
    units_count(&t, tasks);
    strbuf_printf(&t, " task%s", tasks == 1 ? "" : "s");
    const struct {
        int64_t bytes;
        const char *what;
    } sums[] = { { read, "read" },
                 { written, "shuffled" },
                 { spilled, "spilled to disk" } };
    for (size_t i = 0; i < ARRAY_LEN(sums); i++) {
        if (sums[i].bytes == 0)
            continue;
        strbuf_addz(&t, ", ");
        units_bytes(&t, sums[i].bytes);
        strbuf_printf(&t, " %s", sums[i].what);
    }
    if (path_ms > 0) {
        strbuf_addz(&t, "; stages hold ");
        units_ms(&t, path_ms);
        strbuf_addz(&t, " of the critical path");
    }
    w->g->totals = graph_keep(&w->g->arena, &t);
}

/* "; 412 folded: 390 like one drawn, 22 for want of room". Cold are
 * those below half a per cent of task time, off the critical path, without a badge. */
static void write_reasons(struct strbuf *f, const struct graph_work *w, int64_t all_ms)
{
    uint32_t alike = 0, cold = 0, rest = 0;

    for (size_t i = 0; i < w->b.n; i++) {
        const struct graph_base *s = &w->b.items[i];

        if (!w->in[i] || w->keep[i])
            continue;
        if ((w->fold_keys[i] & GRAPH_GROUP_KIND) == GRAPH_GROUP_KIND)
            alike++;
        else if (!s->critical && !s->badges &&
                 graph_share(s->task_ms, all_ms) < GRAPH_COLD_SHARE)
            cold++;
        else
            rest++;
    }
    const struct {
        uint32_t n;
        const char *why;
    } reasons[] = {
        { alike, "like one drawn" },
        { cold, "cold (below 0.5% of task time, off the critical path, no badge)" },
        { rest, "for want of room" },
    };
    uint32_t all = alike + cold + rest;
    const char *gap = ": ";

    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (reasons[i].n == 0)
            continue;
        if (reasons[i].n == all) {
            strbuf_printf(f, " %s", reasons[i].why);
            return;
        }
        strbuf_printf(f, "%s%" PRIu32 " %s", gap, reasons[i].n, reasons[i].why);
        gap = ", ";
    }
}

/* "100 of 512 stages drawn, 98.6% of task time; 412 folded ..." */
static void write_folded(struct graph_work *w)
{
    struct strbuf f = { 0 };
    int64_t drawn_ms = 0, all_ms = 0;

    for (size_t i = 0; i < w->b.n; i++) {
        if (!w->in[i])
            continue;
        all_ms = add_sat(all_ms, w->b.items[i].task_ms);
        if (w->keep[i])
            drawn_ms = add_sat(drawn_ms, w->b.items[i].task_ms);
    }
    if (w->n_keep < w->n_in) {
        strbuf_printf(&f, "%" PRIu32 " of %" PRIu32 " stages drawn", w->n_keep, w->n_in);
        if (all_ms > 0) {
            strbuf_addz(&f, " = ");
            units_share(&f, graph_share(drawn_ms, all_ms));
            strbuf_addz(&f, " of task time");
        }
        strbuf_printf(&f, "; %" PRIu32 " folded", w->n_in - w->n_keep);
        write_reasons(&f, w, all_ms);
        strbuf_addz(&f, " (--max-nodes all draws them)");
    }
    if (w->n_hidden) {
        strbuf_printf(&f, "%s%" PRIu32 " stage%s left out by --only or --hide, ",
                      f.len ? "; " : "", w->n_hidden, w->n_hidden == 1 ? "" : "s");
        units_ms(&f, w->hidden_ms);
        strbuf_addz(&f, " of task time");
    }
    if (w->options->scope == GRAPH_WHOLE && !w->n_hidden && w->skipped > w->skipped_drawn)
        strbuf_printf(&f, "%s%" PRId64 " skipped stage%s not drawn", f.len ? "; " : "",
                      w->skipped - w->skipped_drawn,
                      w->skipped - w->skipped_drawn == 1 ? "" : "s");
    if (w->options->scope == GRAPH_WHOLE && w->b.unstarted)
        strbuf_printf(&f, "%s%" PRId64 " stage%s never started", f.len ? "; " : "",
                      w->b.unstarted, w->b.unstarted == 1 ? "" : "s");
    w->g->folded = f.len ? graph_keep(&w->g->arena, &f) : NULL;
}

static void write_badges(struct graph_work *w)
{
    struct graph *g = w->g;
    uint32_t seen = 0;

    for (size_t i = 0; i < w->b.n; i++) {
        if (w->in[i] && w->keep[i])
            seen |= w->b.items[i].badges;
        g->has_path |= w->in[i] && w->b.items[i].critical;
    }
    g->badges = arena_array(&g->arena, BADGE_COUNT, sizeof *g->badges);
    for (int k = 0; k < BADGE_COUNT; k++)
        if (seen & 1u << k)
            g->badges[g->n_badges++] =
                (struct graph_legend_badge){ graph_badge_text((enum graph_badge)k),
                                             graph_badge_meaning((enum graph_badge)k) };
}

void graph_write_words(struct graph_work *w)
{
    write_titles(w);
    write_totals(w);
    write_folded(w);
    write_badges(w);
}
