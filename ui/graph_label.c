/* Every text of a node or cluster, cleaned once here: names in logs are hostile.
 *
 * Clean means valid UTF-8 and no control characters (utf8_clean), no characters
 * XML 1.0 forbids, and nothing that looks like a character entity: graphviz
 * decodes entities even in text that was escaped, twice in labels, so "&#27;" in
 * a table's name would end as an escape character in the picture. */
#include "ui/graph_base.h"

#include "analyzer/failure.h"
#include "base/units.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <string.h>

#define NAME_CHARS 60
#define TOOLTIP_CHARS 300
#define SQL_TITLE_CHARS 60

const char *graph_keep(struct arena *arena, struct strbuf *text)
{
    struct sv kept = arena_sv(arena, text->len ? strbuf_sv(text) : SV(""));

    strbuf_release(text);
    return kept.p;
}

/* "&amp;", "&#27;", "&#x1b;": an ampersand, letters or digits, a semicolon. */
static bool is_entity(struct sv s)
{
    size_t i = 1;

    if (i < s.len && s.p[i] == '#')
        i++;
    while (i < s.len &&
           ((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') ||
            (s.p[i] >= '0' && s.p[i] <= '9')))
        i++;
    return i > 1 && i < s.len && s.p[i] == ';';
}

const char *graph_clean(struct arena *arena, struct sv text, size_t max_chars)
{
    struct strbuf plain = { 0 }, safe = { 0 };

    if (text.len > 64 * max_chars) /* a name of 100 MB: its ends are enough */
        text.len = 64 * max_chars;
    utf8_clean(&plain, text, max_chars);
    struct sv s = strbuf_sv(&plain);
    while (s.len) {
        size_t n = utf8_char(s);
        uint32_t c = utf8_code(s.p, n);

        if (c == '&' && is_entity(s))
            utf8_add(&safe, 0xFF06); /* the same sign, wide */
        else if ((c & 0xFFFE) == 0xFFFE)
            utf8_add(&safe, 0xFFFD);
        else
            strbuf_add(&safe, (struct sv){ s.p, n });
        s = sv_from(s, n);
    }
    strbuf_release(&plain);
    return graph_keep(arena, &safe);
}

/* A line "text" of a tooltip; clean text only. */
static void add_clean(struct strbuf *out, struct arena *arena, struct sv text,
                      size_t max_chars)
{
    strbuf_addz(out, graph_clean(arena, text, max_chars));
}

/* "missed-broadcast": "MISSED BROADCAST". */
static void capitals(struct strbuf *out, const char *id)
{
    for (; *id; id++)
        strbuf_addc(out, *id == '-'                 ? ' '
                         : *id >= 'a' && *id <= 'z' ? (char)(*id - 'a' + 'A')
                                                    : *id);
}

static const char *badge_label(const struct graph_base *b, const struct stage *s,
                               enum graph_badge k, struct arena *arena)
{
    struct strbuf out = { 0 };
    struct quantiles q;
    int64_t run_ms = b->total[METRIC_RUN_MS];

    if (k == BADGE_OTHER && b->other)
        capitals(&out, b->other->rule->id);
    else
        strbuf_addz(&out, graph_badge_text(k));
    switch (k) {
    case BADGE_FAIL:
        if (b->failed_tasks)
            strbuf_printf(&out, " %" PRId64, b->failed_tasks);
        break;
    case BADGE_RETRY:
        if (b->attempts > 1)
            strbuf_printf(&out, " %" PRIu32, b->attempts - 1);
        break;
    case BADGE_SPEC:
        strbuf_printf(&out, " %" PRId64, b->speculative_tasks);
        break;
    case BADGE_SKEW:
        q = stage_duration_quantiles(s);
        if (q.n && q.value[Q_MEDIAN] > 0)
            strbuf_printf(&out, " %.1f\xC3\x97",
                          (double)q.value[Q_MAX] / (double)q.value[Q_MEDIAN]);
        break;
    case BADGE_SPILL:
        strbuf_addc(&out, ' ');
        units_bytes(&out, b->total[METRIC_SPILL_DISK_BYTES]);
        break;
    case BADGE_GC:
        strbuf_addc(&out, ' ');
        if (run_ms > 0)
            units_share(&out, (double)b->total[METRIC_GC_MS] / (double)run_ms);
        break;
    case BADGE_SLOW_HOST:
    case BADGE_LOW_PAR:
    case BADGE_TINY_TASKS:
    case BADGE_SMALL_FILES:
    case BADGE_ROWS:
    case BADGE_LOOP:
    case BADGE_PYTHON:
    case BADGE_BIG_RESULT:
    case BADGE_OTHER:
    case BADGE_COUNT:
        break;
    }
    return graph_keep(arena, &out);
}

static void label_badges(struct graph_node *n, const struct graph_base *b,
                         const struct stage *s, struct arena *arena)
{
    for (int k = 0; k < BADGE_COUNT; k++) {
        if (!(b->badges & 1u << k))
            continue;
        if (n->n_badges < GRAPH_BADGES_SHOWN)
            n->badges[n->n_badges++] = badge_label(b, s, (enum graph_badge)k, arena);
        else
            n->more_badges++;
    }
}

static void tooltip_work(struct strbuf *tip, const struct graph_base *b,
                         const struct stage *s)
{
    struct quantiles q = stage_duration_quantiles(s);

    strbuf_printf(tip, "\n%" PRId64 " task%s", b->tasks, b->tasks == 1 ? "" : "s");
    if (b->attempts > 1)
        strbuf_printf(tip, ", %" PRIu32 " attempts", b->attempts);
    if (b->failed_tasks)
        strbuf_printf(tip, ", %" PRId64 " failed", b->failed_tasks);
    if (q.n) {
        strbuf_addz(tip, "; a task: median ");
        units_ms(tip, q.value[Q_MEDIAN]);
        strbuf_addz(tip, ", slowest ");
        units_ms(tip, q.value[Q_MAX]);
    }
    strbuf_addz(tip, "\nstage ");
    units_ms(tip, b->wall_ms);
    strbuf_addz(tip, ", all tasks ");
    units_ms(tip, b->task_ms);
    if (b->critical) {
        strbuf_addz(tip, "; on the critical path ");
        units_ms(tip, b->path_ms);
    } else if (b->slack_ms > 0 && b->slack_ms != INT64_MAX) {
        strbuf_addz(tip, "; could end ");
        units_ms(tip, b->slack_ms);
        strbuf_addz(tip, " later without harm");
    }
}

static void tooltip_flow(struct strbuf *tip, const struct graph_base *b)
{
    static const struct {
        const char *what;
        enum task_metric bytes, rows;
    } flows[] = {
        { "files read", METRIC_INPUT_BYTES, METRIC_INPUT_ROWS },
        { "shuffle written", METRIC_SHUFFLE_WRITE_BYTES, METRIC_SHUFFLE_WRITE_ROWS },
        { "files written", METRIC_OUTPUT_BYTES, METRIC_OUTPUT_ROWS },
        { "spilled to disk", METRIC_SPILL_DISK_BYTES, METRIC_COUNT },
    };
    int64_t read = add_sat(b->total[METRIC_REMOTE_BYTES], b->total[METRIC_LOCAL_BYTES]);
    const char *gap = "\n";

    if (read) {
        strbuf_addz(tip, "\nshuffle read ");
        units_bytes(tip, read);
        gap = "; ";
    }
    for (size_t i = 0; i < ARRAY_LEN(flows); i++) {
        if (b->total[flows[i].bytes] == 0)
            continue;
        strbuf_printf(tip, "%s%s ", gap, flows[i].what);
        units_bytes(tip, b->total[flows[i].bytes]);
        if (flows[i].rows != METRIC_COUNT && b->total[flows[i].rows]) {
            strbuf_addz(tip, ", ");
            units_count(tip, b->total[flows[i].rows]);
            strbuf_addz(tip, " rows");
        }
        gap = "; ";
    }
}

static void tooltip_finding(struct strbuf *tip, const struct graph_base *b,
                            struct arena *arena)
{
    const struct finding *f = b->worst;

    if (!f)
        return;
    strbuf_printf(tip, "\n%s: ", f->rule->id);
    add_clean(tip, arena, sv(f->title ? f->title : f->rule->title), TOOLTIP_CHARS);
    if (f->has_saving) {
        strbuf_addz(tip, "; saves about ");
        units_ms(tip, f->expected_ms);
    }
    if (b->n_findings > 1)
        strbuf_printf(tip, "; and %" PRIu32 " more", b->n_findings - 1);
}

static const char *label_tooltip(const struct graph_node *n, const struct graph_base *b,
                                 const struct app *app, struct arena *arena)
{
    const struct stage *s = &app->stages[b->shown_ix];
    struct strbuf tip = { 0 };

    strbuf_printf(&tip, "%s: ", n->name);
    add_clean(&tip, arena, s->name, TOOLTIP_CHARS);
    if (b->operators)
        strbuf_printf(&tip, "\n%s", b->operators);
    if (b->job_ix != IX_NONE)
        strbuf_printf(&tip, "\njob %" PRId64, app->jobs[b->job_ix].job_id);
    if (b->sql_ix != IX_NONE) {
        strbuf_printf(&tip, "%sSQL %" PRId64 ": ", b->job_ix == IX_NONE ? "\n" : ", ",
                      app->sqls[b->sql_ix].execution_id);
        add_clean(&tip, arena, app->sqls[b->sql_ix].description, TOOLTIP_CHARS);
    } else if (s->description.len) {
        strbuf_addz(&tip, ": ");
        add_clean(&tip, arena, s->description, TOOLTIP_CHARS);
    }
    tooltip_work(&tip, b, s);
    tooltip_flow(&tip, b);
    tooltip_finding(&tip, b, arena);
    if (s->failure.len) {
        strbuf_addz(&tip, "\nfailed: ");
        add_clean(&tip, arena, failure_line(s->failure, arena), TOOLTIP_CHARS);
    }
    return graph_keep(arena, &tip);
}

/* A result stage neither shuffles nor feeds a broadcast; a scan has files but no parents.
 */
static enum graph_shape shape_of(const struct graph_base *b)
{
    bool writes_shuffle = b->feeds_shuffle || b->total[METRIC_SHUFFLE_WRITE_BYTES] > 0 ||
                          b->total[METRIC_SHUFFLE_WRITE_ROWS] > 0;

    if (b->feeds_broadcast)
        return SHAPE_BROADCAST;
    if (!writes_shuffle)
        return SHAPE_RESULT;
    return !b->has_parent && b->total[METRIC_INPUT_BYTES] > 0 ? SHAPE_SCAN
                                                              : SHAPE_SHUFFLE_MAP;
}

/* What to call the work where no plan tells: the RDD scopes would say as little as
 * the call site, which at least leads to a line of code. */
static struct sv call_site(const struct stage *s)
{
    return s->name.len ? s->name : s->description;
}

void graph_label(struct graph_node *n, const struct graph_base *b, const struct app *app,
                 struct arena *arena)
{
    const struct stage *s = &app->stages[b->shown_ix];

    n->shape = shape_of(b);
    n->stage_ix = b->shown_ix;
    n->members = 1;
    n->attempts = b->attempts;
    n->job_id = b->job_ix == IX_NONE ? APP_NONE : app->jobs[b->job_ix].job_id;
    n->sql_id = b->sql_ix == IX_NONE ? APP_NONE : app->sqls[b->sql_ix].execution_id;
    n->id = arena_printf(arena, "stage-%" PRId64 "-%" PRId64, s->stage_id, s->attempt);
    n->name = arena_printf(arena, "Stage %" PRId64 ".%" PRId64, s->stage_id, s->attempt);
    n->what = b->operators ? b->operators : graph_clean(arena, call_site(s), NAME_CHARS);
    n->tasks = b->tasks;
    n->wall_ms = b->wall_ms;
    n->task_ms = b->task_ms;
    n->path_ms = b->path_ms;
    n->in_bytes =
        add_sat(b->total[METRIC_INPUT_BYTES],
                add_sat(b->total[METRIC_REMOTE_BYTES], b->total[METRIC_LOCAL_BYTES]));
    n->out_bytes =
        add_sat(b->total[METRIC_OUTPUT_BYTES], b->total[METRIC_SHUFFLE_WRITE_BYTES]);
    n->critical = b->critical;
    n->step = b->step;
    n->failed = b->failed;
    n->incomplete = b->incomplete;
    label_badges(n, b, s, arena);
    n->tooltip = label_tooltip(n, b, app, arena);
}

/* The line that names it. What a stream describes itself by is its name, if it has one,
 * then two UUIDs and the number of the batch, a line each. */
static void add_title(struct strbuf *out, struct arena *arena, struct sv text)
{
    struct sv line = sv_first_line(sv_trim(text));
    size_t batch = sv_find(text, SV("\nbatch = "));

    if (batch == SIZE_MAX || sv_find(text, SV("\nrunId = ")) == SIZE_MAX) {
        add_clean(out, arena, line, SQL_TITLE_CHARS);
        return;
    }
    if (!sv_starts(line, SV("id = "))) {
        add_clean(out, arena, line, SQL_TITLE_CHARS);
        strbuf_addz(out, ", ");
    }
    strbuf_addz(out, "micro-batch ");
    add_clean(out, arena, sv_first_line(sv_from(text, batch + strlen("\nbatch = "))),
              SQL_TITLE_CHARS);
}

static void label_span(struct strbuf *out, const struct app *app, int64_t from_ms,
                       int64_t to_ms, int64_t path_ms)
{
    int64_t wall_ms = sub_sat(app->end_ms, app->start_ms);

    if (from_ms != APP_NONE && to_ms != APP_NONE && to_ms >= from_ms) {
        strbuf_addz(out, "  \xC2\xB7  ");
        units_ms(out, sub_sat(to_ms, from_ms));
    }
    if (wall_ms > 0 && path_ms > 0) {
        strbuf_addz(out, "  \xC2\xB7  ");
        units_share(out, (double)path_ms / (double)wall_ms);
        strbuf_addz(out, " of the wall clock");
    }
}

void graph_label_sql(struct graph_cluster *c, const struct app *app, const struct sql *q,
                     int64_t path_ms, struct arena *arena)
{
    struct strbuf title = { 0 }, tip = { 0 };

    c->id = arena_printf(arena, "sql-%" PRId64, q->execution_id);
    strbuf_printf(&title, "SQL %" PRId64, q->execution_id);
    strbuf_printf(&tip, "SQL %" PRId64, q->execution_id);
    if (q->description.len) {
        strbuf_addz(&title, "  ");
        add_title(&title, arena, q->description);
        strbuf_addz(&tip, ": ");
        add_clean(&tip, arena, q->description, TOOLTIP_CHARS);
    }
    label_span(&title, app, q->submitted_ms, q->completed_ms, path_ms);
    if (q->status == SQL_FAILED)
        strbuf_addz(&title, "  \xC2\xB7  FAILED");
    c->title = graph_keep(arena, &title);
    c->tooltip = graph_keep(arena, &tip);
}

void graph_label_job(struct graph_cluster *c, const struct app *app, const struct job *j,
                     int64_t path_ms, struct arena *arena)
{
    struct strbuf title = { 0 }, tip = { 0 };
    struct sv what = j->description.len ? j->description : j->name;

    c->id = arena_printf(arena, "job-%" PRId64, j->job_id);
    strbuf_printf(&title, "Job %" PRId64, j->job_id);
    strbuf_printf(&tip, "Job %" PRId64 ": ", j->job_id);
    add_clean(&tip, arena, what, TOOLTIP_CHARS);
    if (what.len && c->parent == IX_NONE) {
        strbuf_addz(&title, "  ");
        add_title(&title, arena, what);
    }
    label_span(&title, app, j->submitted_ms, j->completed_ms, path_ms);
    if (j->status == JOB_FAILED)
        strbuf_addz(&title, "  \xC2\xB7  FAILED");
    c->title = graph_keep(arena, &title);
    c->tooltip = graph_keep(arena, &tip);
}
