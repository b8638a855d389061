/* ui/graph*: the model on hand-made applications, and what the writers make of it. */
#include "ui/graph_draw.h"
#include "ui/graph_layout.h"

#include "base/utf8.h"
#include "tests/unit/load_helper.h"
#include "ui/graph_plan.h"

#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* --- an application by hand ---------------------------------------------------- */

struct fixture {
    struct arena arena;
    struct analysis a;
    struct findings findings;
    struct graph_options options;
    struct graph g;
    struct err err;
};

/* n stages of one attempt, 1 s each, one after the other; stages_per_job of them to a
 * job, each job an SQL execution of its own if with_sql. No links, no path. */
static struct fixture *make(uint32_t n, uint32_t stages_per_job, bool with_sql)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct app *app = &f->a.app;
    size_t n_jobs = (n + stages_per_job - 1) / stages_per_job;

    app->name = sv("fixture");
    app->end_ms = (int64_t)n * 1000;
    app->finished = true;
    app->stages = arena_array(&f->arena, n, sizeof *app->stages);
    app->jobs = arena_array(&f->arena, n_jobs, sizeof *app->jobs);
    app->sqls = arena_array(&f->arena, n_jobs, sizeof *app->sqls);
    app->n_stages = n;
    app->n_jobs = n_jobs;
    app->n_sqls = with_sql ? n_jobs : 0;
    for (uint32_t j = 0; j < n_jobs; j++) {
        app->jobs[j] =
            (struct job){ .job_id = j,
                          .submitted_ms = (int64_t)j * stages_per_job * 1000,
                          .completed_ms = (int64_t)(j + 1) * stages_per_job * 1000,
                          .sql_execution_id = with_sql ? j : APP_NONE,
                          .name = sv("a job") };
        app->sqls[j] = (struct sql){ .execution_id = j,
                                     .description = sv("a query"),
                                     .submitted_ms = app->jobs[j].submitted_ms,
                                     .completed_ms = app->jobs[j].completed_ms };
    }
    for (uint32_t i = 0; i < n; i++) {
        struct stage *s = &app->stages[i];

        *s = (struct stage){ .stage_id = i,
                             .status = STAGE_COMPLETE,
                             .name = sv("count at Main.scala:1"),
                             .tasks = 4,
                             .submitted_ms = (int64_t)i * 1000,
                             .completed_ms = (int64_t)(i + 1) * 1000,
                             .duration_ms = 4000,
                             .n_jobs = 1 };
        s->job_ixs = ARENA_NEW(&f->arena, uint32_t);
        *s->job_ixs = s->ran_for_job_ix = i / stages_per_job;
        s->sql_execution_id = app->jobs[*s->job_ixs].sql_execution_id;
    }
    f->a.ledgers.wall_total_ms = app->end_ms;
    f->a.ledgers.stages = arena_array(&f->arena, n, sizeof *f->a.ledgers.stages);
    f->a.ledgers.segments =
        arena_array(&f->arena, 2 * n + 1, sizeof *f->a.ledgers.segments);
    f->a.lineage.links = arena_array(&f->arena, 4 * n + 8, sizeof *f->a.lineage.links);
    f->a.lineage.source_ix = arena_array(&f->arena, n, sizeof *f->a.lineage.source_ix);
    for (uint32_t i = 0; i < n; i++)
        f->a.lineage.source_ix[i] = i;
    return f;
}

static void drop(struct fixture *f)
{
    graph_release(&f->g);
    arena_release(&f->arena);
    free(f->findings.items);
    free(f);
}

static void link_stages(struct fixture *f, uint32_t from, uint32_t to, enum link_via via,
                        int64_t bytes)
{
    struct lineage *l = &f->a.lineage;

    l->links[l->n_links++] = (struct link){ from, to, via, bytes, bytes / 10, false };
}

/* A stage of the critical path; ms of driver time before it. */
static void path_stage(struct fixture *f, uint32_t ix, int64_t driver_ms)
{
    struct ledgers *l = &f->a.ledgers;
    int64_t at = l->n_segments ? l->segments[l->n_segments - 1].end_ms : 0;

    if (driver_ms)
        l->segments[l->n_segments++] = (struct segment){ .kind = SEGMENT_DRIVER,
                                                         .start_ms = at,
                                                         .end_ms = at + driver_ms,
                                                         .stage_ix = IX_NONE,
                                                         .sql_execution_id = APP_NONE };
    at += driver_ms;
    l->segments[l->n_segments++] = (struct segment){ .kind = SEGMENT_STAGE,
                                                     .start_ms = at,
                                                     .end_ms = at + 1000,
                                                     .stage_ix = ix,
                                                     .sql_execution_id = APP_NONE };
    l->stages[ix].critical = true;
}

static void accuse(struct fixture *f, const struct rule *rule, uint32_t ix)
{
    uint32_t *ixs = ARENA_NEW(&f->arena, uint32_t);

    *ixs = ix;
    f->findings.items =
        realloc(f->findings.items, (f->findings.n + 1) * sizeof(struct finding));
    f->findings.items[f->findings.n++] = (struct finding){
        .rule = rule, .stage_ixs = ixs, .n_stages = 1, .title = "it is so"
    };
}

static void build(struct fixture *f)
{
    graph_release(&f->g);
    if (graph_build(&f->g, &f->a, &f->findings, &f->options, &f->err) != ERR_OK)
        fail_msg("graph_build: %s", f->err.text);
}

static const struct graph_node *node(const struct fixture *f, const char *id)
{
    for (size_t i = 0; i < f->g.n_nodes; i++)
        if (strcmp(f->g.nodes[i].id, id) == 0)
            return &f->g.nodes[i];
    fail_msg("no node %s", id);
    return NULL;
}

static const struct graph_edge *edge(const struct fixture *f, const char *from,
                                     const char *to)
{
    for (size_t i = 0; i < f->g.n_edges; i++)
        if (strcmp(f->g.nodes[f->g.edges[i].from].id, from) == 0 &&
            strcmp(f->g.nodes[f->g.edges[i].to].id, to) == 0)
            return &f->g.edges[i];
    return NULL;
}

/* --- well-formed? -------------------------------------------------------------- */

static void check_bytes(struct sv text, const char *what)
{
    if (!utf8_valid(text))
        fail_msg("%s is not UTF-8", what);
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.p[i] < 0x20 && text.p[i] != '\n' && text.p[i] != '\t' &&
            text.p[i] != '\r')
            fail_msg("%s holds the control character %d", what, text.p[i]);
}

static size_t name_length(struct sv s)
{
    size_t n = 0;

    while (n < s.len && !strchr(" \t\r\n/>=", s.p[n]))
        n++;
    return n;
}

/* Entities as XML has them without a DTD. */
static void check_entities(struct sv s, const char *what)
{
    static const char *const known[] = {
        "&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&#"
    };

    for (size_t i = 0; i < s.len; i++) {
        bool ok = s.p[i] != '&';

        for (size_t k = 0; !ok && k < ARRAY_LEN(known); k++)
            ok = sv_starts(sv_from(s, i), sv(known[k]));
        if (!ok)
            fail_msg("%s: bare & at \"%.20s\"", what, s.p + i);
        if (sv_starts(sv_from(s, i), SV("&#")) && atoi(s.p + i + 2) < 32 &&
            atoi(s.p + i + 2) != 10)
            fail_msg("%s: control character as entity", what);
    }
}

/* Tags balance, attributes are quoted, text holds no bare < or &. Enough to see an
 * escape that was forgotten. */
static void check_xml(struct sv s, const char *what)
{
    struct sv open[64];
    size_t depth = 0, tags = 0;

    check_bytes(s, what);
    while (s.len) {
        size_t at = sv_find(s, SV("<"));

        check_entities((struct sv){ s.p, at == SIZE_MAX ? s.len : at }, what);
        if (at == SIZE_MAX)
            break;
        s = sv_from(s, at);
        if (sv_starts(s, SV("<?")) || sv_starts(s, SV("<!"))) {
            bool comment = sv_starts(s, SV("<!--"));
            size_t end = sv_find(s, comment ? SV("-->") : SV(">"));

            if (end == SIZE_MAX)
                fail_msg("%s: no end of \"%.20s\"", what, s.p);
            s = sv_from(s, end + (comment ? 3 : 1));
            continue;
        }
        bool closing = s.len > 1 && s.p[1] == '/';
        struct sv rest = sv_from(s, closing ? 2 : 1);
        struct sv name = { rest.p, name_length(rest) };

        rest = sv_from(rest, name.len);
        tags++;
        if (closing) {
            if (depth == 0 || !sv_eq(open[--depth], name))
                fail_msg("%s: </%.*s> closes nothing", what, SV_FMT(name));
        }
        for (;;) { /* attributes */
            while (rest.len && strchr(" \t\r\n", rest.p[0]))
                rest = sv_from(rest, 1);
            if (rest.len == 0)
                fail_msg("%s: tag without end", what);
            if (rest.p[0] == '>' || rest.p[0] == '/')
                break;
            size_t n = name_length(rest);
            if (n == 0 || rest.len < n + 2 || rest.p[n] != '=' || rest.p[n + 1] != '"')
                fail_msg("%s: attribute at \"%.20s\"", what, rest.p);
            rest = sv_from(rest, n + 2);
            size_t end = sv_find(rest, SV("\""));
            if (end == SIZE_MAX ||
                sv_find((struct sv){ rest.p, end }, SV("<")) != SIZE_MAX)
                fail_msg("%s: value at \"%.20s\"", what, rest.p);
            check_entities((struct sv){ rest.p, end }, what);
            rest = sv_from(rest, end + 1);
        }
        bool empty = rest.p[0] == '/';
        if (!closing && !empty) {
            if (depth == ARRAY_LEN(open))
                fail_msg("%s: nested too deep", what);
            open[depth++] = name;
        }
        s = sv_from(rest, empty ? 2 : 1);
    }
    if (depth || tags == 0)
        fail_msg("%s: %zu tags open at the end, %zu in all", what, depth, tags);
}

/* Strings end, HTML-like labels are XML, braces balance. */
static void check_dot(struct sv s)
{
    int braces = 0;

    check_bytes(s, "dot");
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '"') {
            for (i++; i < s.len && s.p[i] != '"'; i++)
                i += s.p[i] == '\\';
            if (i >= s.len)
                fail_msg("dot: string without end");
        } else if (s.p[i] == '=' && i + 1 < s.len && s.p[i + 1] == '<') {
            size_t begin = i + 2, depth = 1;

            for (i = begin; i < s.len && depth; i++)
                depth += (s.p[i] == '<') - (size_t)(s.p[i] == '>');
            if (depth)
                fail_msg("dot: label without end");
            i--;
            check_xml((struct sv){ s.p + begin, i - begin }, "dot label");
        } else {
            braces += (s.p[i] == '{') - (s.p[i] == '}');
            if (braces < 0)
                fail_msg("dot: too many }");
        }
    }
    assert_int_equal(braces, 0);
}

static void check_writers(struct fixture *f)
{
    struct strbuf dot = { 0 }, svg = { 0 }, txt = { 0 };

    graph_dot(&dot, &f->g, "2");
    check_dot(strbuf_sv(&dot));
    graph_svg(&svg, &f->g);
    check_xml(strbuf_sv(&svg), "svg");
    for (uint32_t width = 40; width <= 120; width += 40) {
        for (int ascii = 0; ascii <= 1; ascii++) {
            graph_txt(&txt, &f->g, width, ascii);
            check_bytes(strbuf_sv(&txt), "txt");
            for (size_t i = 0; ascii && i < txt.len; i++)
                if ((unsigned char)txt.p[i] >= 0x80)
                    fail_msg("txt: not ASCII at \"%.20s\"", txt.p + i);
            strbuf_reset(&txt);
        }
    }
    strbuf_release(&dot);
    strbuf_release(&svg);
    strbuf_release(&txt);
}

/* --- nodes --------------------------------------------------------------------- */

static void a_log_without_stages_gives_an_empty_graph(void **state)
{
    struct fixture *f = make(0, 1, false);
    struct strbuf txt = { 0 };

    (void)state;
    build(f);
    assert_int_equal(f->g.n_nodes, 0);
    assert_int_equal(f->g.n_edges, 0);
    check_writers(f);
    graph_txt(&txt, &f->g, 80, false);
    assert_true(sv_has(strbuf_sv(&txt), "No stage ran."));
    strbuf_release(&txt);
    drop(f);
}

static void one_stage_is_one_node_without_frames(void **state)
{
    struct fixture *f = make(1, 1, true);

    (void)state;
    build(f);
    assert_int_equal(f->g.n_nodes, 1);
    assert_int_equal(f->g.n_clusters, 0);
    assert_string_equal(f->g.nodes[0].id, "stage-0-0");
    assert_string_equal(f->g.nodes[0].name, "Stage 0.0");
    assert_int_equal(f->g.nodes[0].shape, SHAPE_RESULT);
    assert_null(f->g.folded);
    check_writers(f);
    drop(f);
}

static void attempts_of_a_stage_are_one_node(void **state)
{
    struct fixture *f = make(3, 3, false);

    (void)state;
    f->a.app.stages[1].stage_id = 0; /* stage 0: attempts 0 and 1 */
    f->a.app.stages[1].attempt = 1;
    f->a.app.stages[0].status = STAGE_FAILED;
    f->a.app.stages[0].failed_tasks = 2;
    link_stages(f, 0, 2, VIA_SHUFFLE, 100);
    link_stages(f, 1, 2, VIA_SHUFFLE, 11);
    build(f);
    assert_int_equal(f->g.n_nodes, 2);
    const struct graph_node *n = node(f, "stage-0-1");
    assert_int_equal(n->attempts, 2);
    assert_int_equal(n->task_ms, 8000);
    assert_false(n->failed); /* the last attempt did it */
    assert_int_equal(n->n_badges, 2);
    assert_string_equal(n->badges[0], "FAIL 2");
    assert_string_equal(n->badges[1], "RETRY 1");
    assert_int_equal(f->g.n_edges, 1);
    assert_int_equal(f->g.edges[0].bytes, 111);
    check_writers(f);
    drop(f);
}

static void shapes_say_what_a_stage_is_for(void **state)
{
    struct fixture *f = make(5, 5, false);
    struct stage *s = f->a.app.stages;

    (void)state;
    s[0].total[METRIC_INPUT_BYTES] = 5;
    s[0].total[METRIC_SHUFFLE_WRITE_BYTES] = 5;
    s[1].total[METRIC_SHUFFLE_WRITE_BYTES] = 5;
    link_stages(f, 0, 1, VIA_SHUFFLE, 5);
    link_stages(f, 3, 2, VIA_BROADCAST, 5);
    s[4].status = STAGE_SKIPPED;
    s[4].submitted_ms = s[4].completed_ms = APP_NONE;
    f->a.lineage.source_ix[4] = 1;
    f->a.app.jobs[0].stage_ids = (struct ids){ (int64_t[]){ 0, 1, 2, 3, 4 }, 5 };
    build(f);
    assert_int_equal(node(f, "stage-0-0")->shape, SHAPE_SCAN);
    assert_int_equal(node(f, "stage-1-0")->shape, SHAPE_SHUFFLE_MAP);
    assert_int_equal(node(f, "stage-2-0")->shape, SHAPE_RESULT);
    assert_int_equal(node(f, "stage-3-0")->shape, SHAPE_BROADCAST);
    assert_int_equal(node(f, "skipped-job-0")->shape, SHAPE_SKIPPED);
    assert_string_equal(node(f, "skipped-job-0")->what, "ran as stage 1");
    check_writers(f);
    drop(f);
}

static void a_stage_alone_of_its_job_says_itself_what_was_skipped(void **state)
{
    struct fixture *f = make(3, 1, false);
    struct app *app = &f->a.app;

    (void)state;
    app->stages[1].status = STAGE_SKIPPED;
    app->stages[1].submitted_ms = app->stages[1].completed_ms = APP_NONE;
    *app->stages[1].job_ixs = 2; /* job 2 lists stages 1 (skipped, was 0) and 2 */
    app->jobs[2].stage_ids = (struct ids){ (int64_t[]){ 1, 2 }, 2 };
    f->a.lineage.source_ix[1] = 0;
    build(f);
    assert_int_equal(f->g.n_nodes, 2);
    assert_string_equal(node(f, "stage-2-0")->skipped, "1 skipped, ran as stage 0");
    check_writers(f);
    drop(f);
}

static void fill_follows_the_cuts(void **state)
{
    static const struct {
        int64_t ms;
        int step;
    } cases[] = { { 0, 0 },    { 499, 0 },   { 500, 1 },   { 1999, 1 },  { 2000, 2 },
                  { 9999, 2 }, { 10000, 3 }, { 39999, 3 }, { 40000, 4 }, { 100000, 4 } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture *f = make(1, 1, false);

        path_stage(f, 0, 0);
        f->a.ledgers.segments[0].end_ms = cases[i].ms;
        f->a.ledgers.wall_total_ms = 100000;
        build(f);
        if (f->g.nodes[0].heat != cases[i].step)
            fail_msg("%lld of 100000 ms: step %d", (long long)cases[i].ms,
                     f->g.nodes[0].heat);
        drop(f);
    }
}

static double luminance(const char *color)
{
    double sum = 0;
    static const double weight[] = { 0.2126, 0.7152, 0.0722 };

    for (int i = 0; i < 3; i++) {
        char two[3] = { color[1 + 2 * i], color[2 + 2 * i], 0 };
        double c = (double)strtol(two, NULL, 16) / 255;

        sum += weight[i] * (c <= 0.03928 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4));
    }
    return sum;
}

static void ink_can_be_read_on_every_fill(void **state)
{
    (void)state;
    for (int i = 0; i < GRAPH_HEAT_STEPS; i++) {
        double a = luminance(graph_heat_fill[i]), b = luminance(graph_heat_ink[i]);
        double contrast = (fmax(a, b) + 0.05) / (fmin(a, b) + 0.05);

        if (contrast < 4.5)
            fail_msg("%s on %s: %.1f", graph_heat_ink[i], graph_heat_fill[i], contrast);
    }
}

static void every_heat_has_a_name_and_can_be_drawn(void **state)
{
    struct fixture *f = make(3, 3, false);

    (void)state;
    for (int h = 0; h < HEAT_COUNT; h++) {
        enum graph_heat back = HEAT_COUNT;

        assert_true(graph_heat_parse(sv(graph_heat_name((enum graph_heat)h)), &back));
        assert_int_equal(back, h);
        f->options.heat = back;
        f->a.app.stages[1].total[METRIC_PEAK_EXECUTION_BYTES] = 7;
        build(f);
        assert_true(f->g.heat_label[0]);
    }
    assert_true(node(f, "stage-1-0")->share == 1); /* memory: against the largest */
    enum graph_heat kept = HEAT_GC;
    assert_false(graph_heat_parse(SV("colour"), &kept));
    assert_int_equal(kept, HEAT_GC);
    drop(f);
}

static void badges_beyond_three_are_counted(void **state)
{
    static const struct rule skew = { .id = "skewed-join", .title = "skew" };
    static const struct rule few = { .id = "too-few-partitions", .title = "few" };
    static const struct rule odd = { .id = "a-rule-of-tomorrow", .title = "odd" };
    struct fixture *f = make(2, 2, false);
    struct stage *s = &f->a.app.stages[0];

    (void)state;
    s->failed_tasks = 3;
    s->speculative_tasks = 4;
    s->total[METRIC_SPILL_DISK_BYTES] = (int64_t)12 << 30;
    s->total[METRIC_GC_MS] = 2200;
    s->total[METRIC_RUN_MS] = 10000;
    accuse(f, &skew, 0);
    accuse(f, &few, 0);
    accuse(f, &odd, 1);
    build(f);
    const struct graph_node *n = node(f, "stage-0-0");
    assert_int_equal(n->n_badges, 3);
    assert_string_equal(n->badges[0], "FAIL 3");
    assert_string_equal(n->badges[1], "SKEW"); /* no tasks: no ratio */
    assert_string_equal(n->badges[2], "SPILL 12.0 GiB");
    assert_int_equal(n->more_badges, 3); /* GC 22%, LOW-PAR, SPEC 4 */
    assert_string_equal(node(f, "stage-1-0")->badges[0], "A RULE OF TOMORROW");
    assert_int_equal(f->g.n_badges, 7);
    check_writers(f);
    drop(f);
}

static void little_spill_and_gc_are_not_worth_a_badge(void **state)
{
    struct fixture *f = make(1, 1, false);
    struct stage *s = &f->a.app.stages[0];

    (void)state;
    s->total[METRIC_SPILL_DISK_BYTES] = (1 << 20) - 1;
    s->total[METRIC_GC_MS] = 999;
    s->total[METRIC_RUN_MS] = 1000;
    build(f);
    assert_int_equal(f->g.nodes[0].n_badges, 0);
    drop(f);
}

/* --- edges and path ------------------------------------------------------------ */

static void edges_are_the_links(void **state)
{
    static const struct {
        uint32_t from, to;
        enum link_via via;
        int64_t bytes;
    } links[] = { { 0, 2, VIA_SHUFFLE, 10 }, { 1, 2, VIA_BROADCAST, 20 },
                  { 2, 3, VIA_SHUFFLE, 30 }, { 2, 3, VIA_CACHE, APP_NONE },
                  { 0, 4, VIA_SUBQUERY, 1 }, { 3, 4, VIA_SHUFFLE, 0 } };
    struct fixture *f = make(5, 2, true);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(links); i++)
        link_stages(f, links[i].from, links[i].to, links[i].via, links[i].bytes);
    build(f);
    assert_int_equal(f->g.n_edges, ARRAY_LEN(links));
    for (size_t i = 0; i < ARRAY_LEN(links);
         i++) { /* the same, sorted by (to, from, via) */
        bool found = false;

        for (size_t k = 0; k < f->g.n_edges; k++) {
            const struct graph_edge *e = &f->g.edges[k];

            found |= f->g.nodes[e->from].stage_ix == links[i].from &&
                     f->g.nodes[e->to].stage_ix == links[i].to &&
                     e->via == links[i].via && e->bytes == links[i].bytes && !e->then &&
                     !e->folded;
        }
        if (!found)
            fail_msg("no edge for link %zu", i);
    }
    check_writers(f);
    drop(f);
}

static void the_path_is_numbered_and_carried_by_data_where_there_is_some(void **state)
{
    struct fixture *f = make(4, 2, false);

    (void)state;
    link_stages(f, 0, 1, VIA_SHUFFLE, 10);
    link_stages(f, 2, 3, VIA_SHUFFLE, 10);
    path_stage(f, 0, 0);
    path_stage(f, 1, 5);
    path_stage(f, 3, 70);
    build(f);
    assert_int_equal(node(f, "stage-0-0")->step, 1);
    assert_int_equal(node(f, "stage-1-0")->step, 2);
    assert_int_equal(node(f, "stage-2-0")->step, 0);
    assert_int_equal(node(f, "stage-3-0")->step, 3);
    assert_int_equal(f->g.n_edges, 3);
    const struct graph_edge *data = edge(f, "stage-0-0", "stage-1-0");
    assert_true(data->critical && !data->then && data->driver_ms == 5);
    const struct graph_edge *then = edge(f, "stage-1-0", "stage-3-0");
    assert_true(then->critical && then->then && then->driver_ms == 70);
    assert_false(edge(f, "stage-2-0", "stage-3-0")->critical);
    check_writers(f);
    drop(f);
}

static void rows_of_driver_steps_are_cut(void **state)
{
    struct fixture *f = make(40, 1, false);
    struct arena arena = { 0 };
    uint32_t hidden = 0;
    bool *drawn;

    (void)state;
    for (uint32_t i = 0; i < 40; i++)
        path_stage(f, i, 1);
    build(f);
    uint32_t *layer = graph_layers(&f->g, &drawn, &arena);
    for (size_t i = 0; i < f->g.n_nodes; i++)
        assert_true(layer[i] < GRAPH_ROW);
    for (size_t i = 0; i < f->g.n_edges; i++)
        hidden += !drawn[i];
    assert_int_equal(hidden, (40 - 1) / GRAPH_ROW);
    check_writers(f);
    arena_release(&arena);
    drop(f);
}

/* --- choice -------------------------------------------------------------------- */

static void check_folded(struct fixture *f, uint32_t n, uint32_t max)
{
    uint64_t members = 0, alone = 0;

    f->options.max_nodes = max;
    build(f);
    if (f->g.n_nodes > max)
        fail_msg("%zu nodes of at most %u", f->g.n_nodes, max);
    for (size_t i = 0; i < f->g.n_nodes; i++) {
        members += f->g.nodes[i].members;
        alone += f->g.nodes[i].shape != SHAPE_FOLDED;
    }
    assert_int_equal(members, n); /* nothing is lost */
    assert_non_null(f->g.folded);
    char words[64];
    snprintf(words, sizeof words, "%llu of %u stages drawn", (unsigned long long)alone,
             n);
    assert_true(sv_has(sv(f->g.folded), words));
    check_writers(f);
}

static void what_does_not_fit_is_folded_and_said(void **state)
{
    struct fixture *f = make(500, 5, true);

    (void)state;
    for (uint32_t i = 0; i < 500; i++)
        if (i % 5)
            link_stages(f, i - 1, i, VIA_SHUFFLE, 1000);
    path_stage(f, 250, 0);
    for (uint32_t max = 1; max < 500; max = max * 3 + 1)
        check_folded(f, 500, max);
    f->options.max_nodes = 10;
    build(f);
    assert_int_equal(node(f, "stage-250-0")->members, 1); /* what matters is kept */
    f->options.max_nodes = 500;
    build(f);
    assert_int_equal(f->g.n_nodes, 500);
    assert_null(f->g.folded);
    drop(f);
}

/* 40 jobs of two stages alike, one of which spilled; before and after them another. */
static void turns_of_a_loop_are_one_box(void **state)
{
    struct fixture *f = make(84, 2, false);
    const struct graph_node *box;

    (void)state;
    for (uint32_t i = 0; i < 84; i++) {
        f->a.app.stages[i].name = sv(i < 2    ? "load"
                                     : i > 81 ? "save"
                                     : i % 2  ? "reduce"
                                              : "map");
        if (i % 2)
            link_stages(f, i - 1, i, VIA_SHUFFLE, 1000);
        path_stage(f, i, 3);
    }
    f->a.app.jobs[7].completed_ms += 500; /* the slowest, which is drawn */
    f->a.app.stages[20].total[METRIC_SPILL_DISK_BYTES] = 1 << 30;
    f->options.max_nodes = 100;
    build(f);
    assert_int_equal(f->g.n_nodes, 84); /* nobody asked */
    f->options.fold_alike = true;
    build(f);
    check_writers(f);
    box = node(f, "like-job-7");
    assert_string_equal(box->name, "\xC3\x97" "38 like job 7");
    assert_int_equal(box->members, 76);
    assert_string_equal(box->what, "median 2.0s, slowest 2.0s");
    assert_true(sv_has(sv(box->tooltip), "job 1-6, 8, 9, 11-40"));
    assert_int_equal(f->g.n_nodes, 9); /* load, save, the slowest, that spilled, the box */
    assert_true(sv_has(sv(f->g.folded), "8 of 84 stages drawn"));
    assert_true(edge(f, "stage-1-0", "like-job-7")->then); /* the path goes in and out */
    assert_true(edge(f, "like-job-7", "stage-82-0")->then);
    assert_int_equal(node(f, "stage-20-0")->n_badges, 1);
    drop(f);
}

/* 30 stages alike between the same two; one of them reads a broadcast as well. */
static void branches_of_a_union_are_one_box(void **state)
{
    struct fixture *f = make(33, 33, true);

    (void)state;
    f->a.app.stages[0].name = sv("scan");
    f->a.app.stages[1].name = sv("small table");
    f->a.app.stages[32].name = sv("union");
    for (uint32_t i = 2; i < 32; i++) {
        link_stages(f, 0, i, VIA_SHUFFLE, 1000);
        link_stages(f, i, 32, VIA_SHUFFLE, 500);
    }
    link_stages(f, 1, 9, VIA_BROADCAST, 10);
    f->a.app.stages[20].completed_ms += 700;
    f->options.max_nodes = 100;
    f->options.fold_alike = true;
    build(f);
    check_writers(f);
    const struct graph_node *box = node(f, "like-stage-20");
    assert_int_equal(box->members, 28);
    assert_int_equal(box->sql_id, 0);
    assert_int_equal(box->cluster, node(f, "stage-20-0")->cluster);
    assert_int_equal(f->g.n_nodes, 6);
    assert_int_equal(edge(f, "stage-0-0", "like-stage-20")->bytes, 28000);
    assert_int_equal(edge(f, "like-stage-20", "stage-32-0")->bytes, 14000);
    assert_true(sv_has(sv(f->g.folded), "5 of 33 stages drawn"));
    drop(f);
}

static void picks_leave_out_and_say_so(void **state)
{
    static const struct graph_pick only[] = { { GRAPH_SQL, 1 }, { GRAPH_JOB, 2 } };
    static const struct graph_pick hide[] = { { GRAPH_STAGE, 7 } };
    static const struct graph_pick unknown[] = { { GRAPH_STAGE, 70 } };
    struct fixture *f = make(20, 5, true);
    struct graph_pick pick;

    (void)state;
    f->options.only = only;
    f->options.n_only = 2;
    f->options.hide = hide;
    f->options.n_hide = 1;
    build(f);
    assert_int_equal(f->g.n_nodes, 9);
    assert_non_null(node(f, "stage-10-0"));
    assert_string_equal(f->g.folded,
                        "11 stages left out by --only or --hide, 44.0s of task time");
    f->options.hide = only;
    f->options.n_hide = 2;
    assert_int_equal(graph_build(&f->g, &f->a, &f->findings, &f->options, &f->err),
                     ERR_USAGE);
    f->options.hide = unknown;
    f->options.n_hide = 1;
    assert_int_equal(graph_build(&f->g, &f->a, &f->findings, &f->options, &f->err),
                     ERR_USAGE);
    assert_true(graph_pick_parse(SV("sql:7"), &pick));
    assert_int_equal(pick.scope, GRAPH_SQL);
    assert_false(graph_pick_parse(SV("sql:-7"), &pick));
    assert_false(graph_pick_parse(SV("sql:"), &pick));
    assert_false(graph_pick_parse(SV("task:7"), &pick));
    drop(f);
}

/* Bounded by what is drawn: writers see the 100 nodes, not the 100,000 stages. */
static void a_hundred_thousand_stages_can_be_drawn(void **state)
{
    const uint32_t n = 100000;
    struct fixture *f = make(n, 4, true);
    struct strbuf dot = { 0 };
    size_t lines = 0;

    (void)state;
    for (uint32_t i = 1; i < n; i++)
        link_stages(f, i - 1, i, VIA_SHUFFLE, i); /* one chain through all executions */
    for (uint32_t i = 0; i < n; i++)
        path_stage(f, i, 1);
    check_folded(f, n, 100);
    f->options.max_nodes = 0;
    build(f);
    assert_int_equal(f->g.n_nodes, n);
    assert_int_equal(f->g.n_edges, n - 1);
    graph_dot(&dot, &f->g, "2");
    for (struct sv s = strbuf_sv(&dot); s.len;) {
        size_t at = sv_find(s, SV("\" [id=\"stage-"));

        if (at == SIZE_MAX)
            break;
        lines++;
        s = sv_from(s, at + 1);
    }
    assert_int_equal(lines, n);
    strbuf_release(&dot);
    drop(f);
}

static void circles_of_folded_stages_end(void **state)
{
    struct fixture *f = make(60, 60, true);

    (void)state;
    for (uint32_t i = 1; i < 60; i++)
        link_stages(f, i - 1, i, VIA_SHUFFLE, 10);
    for (uint32_t i = 0; i < 60; i += 2)
        path_stage(f, i, 1); /* every second one is folded: the box feeds what feeds it */
    check_folded(f, 60, 20);
    drop(f);
}

static void scopes_take_a_part(void **state)
{
    struct fixture *f = make(8, 2, true);

    (void)state;
    for (uint32_t i = 1; i < 8; i++)
        link_stages(f, i - 1, i, VIA_SHUFFLE, 10);
    f->options.scope = GRAPH_SQL;
    f->options.scope_id = 1; /* stages 2 and 3, fed by 1 */
    build(f);
    assert_int_equal(f->g.n_nodes, 3);
    node(f, "stage-1-0");
    f->options.scope = GRAPH_JOB;
    f->options.scope_id = 0;
    build(f);
    assert_int_equal(f->g.n_nodes, 2);
    f->options.scope = GRAPH_STAGE;
    f->options.scope_id = 4;
    build(f);
    assert_int_equal(f->g.n_nodes, 5); /* 2 to 6 */
    check_writers(f);
    drop(f);
}

static void what_the_log_has_not_is_wrong_usage(void **state)
{
    static const enum graph_scope scopes[] = { GRAPH_SQL, GRAPH_JOB, GRAPH_STAGE };

    (void)state;
    for (uint32_t n = 0; n <= 2; n += 2) {
        for (size_t i = 0; i < ARRAY_LEN(scopes); i++) {
            struct fixture *f = make(n, 1, true);

            f->options.scope = scopes[i];
            f->options.scope_id = 77;
            assert_int_equal(
                graph_build(&f->g, &f->a, &f->findings, &f->options, &f->err), ERR_USAGE);
            assert_true(sv_has(sv(f->err.text), "77"));
            drop(f);
        }
    }
}

/* --- names that mean harm ------------------------------------------------------ */

static const char *const hostile[] = {
    "a\x1b[31mred\x07\x01",
    "<script>alert(1)</script>",
    "]]> --> </text></svg><!-- ",
    "\" onload=\"alert(1)",
    "&#27;&#x1b;&amp;lt; &lt;b&gt; & && &#0;",
    "\\N \\G \\\" \\\\\" \\n\\l\\",
    "\xff\xfe\xc0\x80 broken \xed\xa0\x80 \xf4\x90\x80\x80",
    "\xef\xbf\xbf\xef\xbf\xbe noncharacters \xf0\x9f\xbf\xbe",
    "\xe2\x80\xae reversed \xe2\x80\xa8 line\nfeed\ttab\r",
    "javascript:alert(1)",
    "}; digraph evil { x -> y }",
    "label=<<TABLE><TR><TD>",
    ("日本語のテーブル名がとても長いときにもきちんと切られてはみ出さないことを確かめる"
     "日本語のテーブル名がとても長いときにもきちんと切られてはみ出さないことを確かめる"),
};

static void hostile_names_stay_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
        struct fixture *f = make(4, 2, true);
        struct app *app = &f->a.app;
        struct strbuf dot = { 0 }, svg = { 0 };
        struct err err = { 0 };
        int dpi;

        app->name = app->id = app->spark_version = sv(hostile[i]);
        for (size_t k = 0; k < 4; k++) {
            app->stages[k].name = app->stages[k].failure = sv(hostile[i]);
            app->jobs[k / 2].name = app->jobs[k / 2].description = sv(hostile[i]);
            app->sqls[k / 2].description = sv(hostile[i]);
        }
        app->sqls[1].execution_id = -5; /* ids come from the log, too */
        app->stages[2].sql_execution_id = app->stages[3].sql_execution_id = -5;
        link_stages(f, 0, 1, VIA_SHUFFLE, INT64_MAX);
        link_stages(f, 1, 2, VIA_BROADCAST, INT64_MAX);
        path_stage(f, 0, 10);
        build(f);
        check_writers(f);
        for (size_t k = 0; k < f->g.n_nodes; k++) {
            struct sv what = sv(f->g.nodes[k].what);
            size_t chars = 0;

            for (; what.len; what = sv_from(what, utf8_char(what)))
                chars++;
            if (chars > 60)
                fail_msg("label of %zu characters: %s", chars, f->g.nodes[k].what);
        }
        graph_dot(&dot, &f->g, "2");
        if (layout_available()) {
            if (layout_run(&svg, strbuf_sv(&dot), "svg", 60000, &dpi, &err) !=
                LAYOUT_DONE)
                fail_msg("\"%s\": %s", hostile[i], err.text);
            check_xml(strbuf_sv(&svg), "graphviz's svg");
            assert_false(sv_has(strbuf_sv(&svg), "href=\"javascript"));
            assert_false(sv_has(strbuf_sv(&svg), "<script"));
        }
        strbuf_release(&dot);
        strbuf_release(&svg);
        drop(f);
    }
}

/* --- the same bytes, within the width ------------------------------------------ */

static struct fixture *busy(void)
{
    struct fixture *f = make(60, 7, true);

    for (uint32_t i = 1; i < 60; i++) {
        link_stages(f, i - 1, i, i % 3 ? VIA_SHUFFLE : VIA_BROADCAST, i * 1000000);
        if (i % 4 == 0)
            link_stages(f, i / 2, i, VIA_CACHE, APP_NONE);
    }
    for (uint32_t i = 0; i < 60; i += 3)
        path_stage(f, i, i);
    f->options.max_nodes = 40;
    return f;
}

static void the_same_log_gives_the_same_bytes(void **state)
{
    struct strbuf made[2] = { { 0 } };

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct fixture *f = busy();

        build(f);
        graph_dot(&made[i], &f->g, "2");
        graph_svg(&made[i], &f->g);
        graph_txt(&made[i], &f->g, 80, false);
        drop(f);
    }
    assert_true(sv_eq(strbuf_sv(&made[0]), strbuf_sv(&made[1])));
    strbuf_release(&made[0]);
    strbuf_release(&made[1]);
}

static void text_keeps_to_the_width(void **state)
{
    struct fixture *f = busy();

    (void)state;
    f->a.app.id = sv("application_1718000000000_0042");
    build(f);
    for (uint32_t width = 60; width <= 160; width += 10) {
        struct strbuf txt = { 0 };

        graph_txt(&txt, &f->g, width, false);
        for (struct sv rest = strbuf_sv(&txt); rest.len;) {
            struct sv line = sv_first_line(rest);

            if (utf8_width(line) > width)
                fail_msg("%zu of %u columns: %.*s", utf8_width(line), width,
                         SV_FMT(line));
            rest = sv_from(rest, line.len + 1);
        }
        strbuf_release(&txt);
    }
    drop(f);
}

/* --- graphviz ------------------------------------------------------------------ */

static void graphviz_draws_and_leaves_the_locale_alone(void **state)
{
    struct fixture *f = busy();
    struct strbuf dot = { 0 }, svg = { 0 }, png = { 0 };
    struct err err = { 0 };
    int dpi = 0;

    (void)state;
    if (!layout_available())
        skip();
    build(f);
    graph_dot(&dot, &f->g, "2");
    if (layout_run(&svg, strbuf_sv(&dot), "svg", 60000, &dpi, &err) != LAYOUT_DONE)
        fail_msg("%s", err.text);
    check_xml(strbuf_sv(&svg), "svg");
    for (size_t i = 0; i < f->g.n_nodes; i++) {
        char id[64];

        snprintf(id, sizeof id, "id=\"%s\"", f->g.nodes[i].id);
        if (!sv_has(strbuf_sv(&svg), id))
            fail_msg("no %s", id);
    }
    assert_true(sv_has(strbuf_sv(&svg), " crit"));
    assert_false(sv_has(strbuf_sv(&svg), "<!--")); /* graphviz's version does not show */
    assert_string_equal(localeconv()->decimal_point, ".");
    if (layout_run(&png, strbuf_sv(&dot), "png", 60000, &dpi, &err) != LAYOUT_DONE)
        fail_msg("%s", err.text);
    assert_true(sv_starts(strbuf_sv(&png), SV("\x89PNG\r\n")));
    const unsigned char *p = (const unsigned char *)png.p + 16;
    int64_t w = p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
    int64_t h = p[4] << 24 | p[5] << 16 | p[6] << 8 | p[7];
    assert_true(w * h <= LAYOUT_PNG_PIXELS + LAYOUT_PNG_PIXELS / 100);
    assert_true(dpi > 0 && dpi <= LAYOUT_PNG_DPI);
    strbuf_release(&dot);
    strbuf_release(&svg);
    strbuf_release(&png);
    drop(f);
}

static void large_pictures_lose_resolution(void **state)
{
    struct strbuf png = { 0 };
    struct err err = { 0 };
    int dpi = 0;

    (void)state;
    if (!layout_available())
        skip();
    struct sv dot =
        SV("digraph g { a [shape=box, fixedsize=true, width=100, height=60] }");
    assert_int_equal(layout_run(&png, dot, "png", 60000, &dpi, &err), LAYOUT_DONE);
    assert_true(dpi < LAYOUT_PNG_DPI && dpi > 20);
    strbuf_release(&png);
}

static void graphviz_that_fails_or_is_late_says_so(void **state)
{
    struct fixture *f = make(3000, 3000, false);
    struct strbuf dot = { 0 }, out = { 0 };
    struct err err = { 0 };
    int dpi = 0;

    (void)state;
    if (!layout_available())
        skip();
    assert_int_equal(layout_run(&out, SV("this is no graph {"), "svg", 60000, &dpi, &err),
                     LAYOUT_FAILED);
    assert_true(sv_has(sv(err.text), "graphviz"));
    for (uint32_t i = 1; i < 3000; i++)
        for (uint32_t k = 1; k < 4; k++)
            link_stages(f, i * k / 4, i, VIA_SHUFFLE, i);
    build(f);
    graph_dot(&dot, &f->g, "2");
    assert_int_equal(layout_run(&out, strbuf_sv(&dot), "svg", 50, &dpi, &err),
                     LAYOUT_TIMEOUT);
    assert_int_equal(out.len, 0);
    strbuf_release(&dot);
    strbuf_release(&out);
    drop(f);
}

/* --- two runs ------------------------------------------------------------------ */

static void rename_stages(struct fixture *f, const char *const *names)
{
    for (size_t i = 0; i < f->a.app.n_stages; i++)
        f->a.app.stages[i].name = sv(names[i]);
}

static void build_diff(struct fixture *base, struct fixture *head)
{
    struct pairing pairs;
    struct graph_runs runs = { &base->a, &head->a, &pairs, &head->findings };

    graph_release(&head->g);
    pair_runs(&pairs, &base->a, &head->a);
    if (graph_build_diff(&head->g, &runs, &head->options, &head->err) != ERR_OK)
        fail_msg("graph_build_diff: %s", head->err.text);
    pairing_release(&pairs);
    check_writers(head);
}

static void two_runs_say_what_changed(void **state)
{
    static const char *const was[] = { "a", "b", "c", "<gone>" };
    static const char *const now[] = { "a", "b", "fresh", "c" };
    struct fixture *base = make(4, 4, true), *head = make(4, 4, true);
    const struct graph_edge *e;

    (void)state;
    rename_stages(base, was);
    rename_stages(head, now);
    head->a.app.stages[1].completed_ms += 3000; /* b: from 1 s to 4 s */
    base->a.app.stages[2].completed_ms += 3000; /* c: from 4 s to 1 s */
    link_stages(base, 0, 1, VIA_SHUFFLE, 1 << 20);
    link_stages(base, 1, 2, VIA_SHUFFLE, 1 << 20);
    link_stages(base, 2, 3, VIA_SHUFFLE, 1 << 20);
    link_stages(head, 0, 1, VIA_SHUFFLE, 4 << 20);
    link_stages(head, 1, 2, VIA_SHUFFLE, 1 << 20);
    build_diff(base, head);
    assert_true(head->g.is_diff);
    assert_int_equal(head->g.n_nodes, 5);
    assert_int_equal(node(head, "stage-0-0")->change, CHANGE_SAME);
    assert_int_equal(node(head, "stage-1-0")->change, CHANGE_SLOWER);
    assert_int_equal(node(head, "stage-2-0")->change, CHANGE_ADDED);
    assert_int_equal(node(head, "stage-3-0")->change, CHANGE_FASTER);
    assert_true(sv_has(sv(node(head, "stage-3-0")->was), "was 4.0s as 2.0"));
    assert_int_equal(node(head, "base-stage-3-0")->change, CHANGE_REMOVED);
    e = edge(head, "stage-0-0", "stage-1-0");
    assert_int_equal(e->change, CHANGE_SAME);
    assert_int_equal(e->was_bytes, 1 << 20);
    assert_int_equal(edge(head, "stage-1-0", "stage-2-0")->change, CHANGE_ADDED);
    assert_int_equal(edge(head, "stage-1-0", "stage-3-0")->change, CHANGE_REMOVED);
    assert_int_equal(edge(head, "stage-3-0", "base-stage-3-0")->change, CHANGE_REMOVED);
    assert_true(sv_has(sv(head->g.totals),
                       "3 stages in both, 1 slower, 1 faster, 1 new, 1 gone"));
    drop(base);
    drop(head);
}

static void two_runs_of_many_stages_can_be_drawn(void **state)
{
    struct fixture *base = make(5000, 5, true), *head = make(5003, 5, true);

    (void)state;
    for (uint32_t i = 1; i < 5000; i++) {
        link_stages(base, i - 1, i, VIA_SHUFFLE, 1000);
        link_stages(head, i - 1, i, VIA_SHUFFLE, 1000);
    }
    head->options.max_nodes = 100;
    build_diff(base, head);
    assert_true(head->g.n_nodes <= 200);
    assert_non_null(head->g.folded);
    drop(base);
    drop(head);
}

/* --- plans --------------------------------------------------------------------- */

static void plans_can_be_drawn(void **state)
{
    static const char *const logs[] = { "tests/data/history-server/sql-aqe",
                                        "tests/data/minimal",
                                        "tests/data/logs/skewed-join" };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(logs); i++) {
        struct analysis a = { 0 };
        struct findings none = { 0 };

        must_load(&a.app, logs[i]);
        analysis_build(&a);
        app_each_sql (&a.app, q) {
            struct strbuf dot = { 0 };
            struct err err = { 0 };

            if (graph_plan_dot(&dot, &a, &none, q->execution_id, true, &err) == ERR_OK)
                check_dot(strbuf_sv(&dot));
            else
                assert_int_equal(q->n_plans, 0);
            strbuf_release(&dot);
        }
        analysis_release(&a);
    }
}

static void hostile_plans_stay_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
        struct fixture *f = make(2, 2, true);
        struct plan_node nodes[3] = { 0 }, *kid = &nodes[1],
                         *kids[2] = { &nodes[2], &nodes[2] };
        struct plan_node *plan = &nodes[0], *plans[2] = { plan, plan };
        struct strbuf dot = { 0 };
        struct err err = { 0 };

        for (int k = 0; k < 3; k++)
            nodes[k].name = nodes[k].detail = sv(hostile[i]);
        nodes[0].children = &kid;
        nodes[0].n_children = 1;
        nodes[1].children = kids;
        nodes[1].n_children = 2;
        f->a.app.sqls[0].description = sv(hostile[i]);
        f->a.app.sqls[0].plans = plans;
        f->a.app.sqls[0].n_plans = 2;
        assert_int_equal(graph_plan_dot(&dot, &f->a, &f->findings, 0, true, &err),
                         ERR_OK);
        check_dot(strbuf_sv(&dot));
        strbuf_release(&dot);
        drop(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_without_stages_gives_an_empty_graph),
        cmocka_unit_test(one_stage_is_one_node_without_frames),
        cmocka_unit_test(attempts_of_a_stage_are_one_node),
        cmocka_unit_test(shapes_say_what_a_stage_is_for),
        cmocka_unit_test(a_stage_alone_of_its_job_says_itself_what_was_skipped),
        cmocka_unit_test(fill_follows_the_cuts),
        cmocka_unit_test(ink_can_be_read_on_every_fill),
        cmocka_unit_test(every_heat_has_a_name_and_can_be_drawn),
        cmocka_unit_test(badges_beyond_three_are_counted),
        cmocka_unit_test(little_spill_and_gc_are_not_worth_a_badge),
        cmocka_unit_test(edges_are_the_links),
        cmocka_unit_test(the_path_is_numbered_and_carried_by_data_where_there_is_some),
        cmocka_unit_test(rows_of_driver_steps_are_cut),
        cmocka_unit_test(what_does_not_fit_is_folded_and_said),
        cmocka_unit_test(turns_of_a_loop_are_one_box),
        cmocka_unit_test(branches_of_a_union_are_one_box),
        cmocka_unit_test(picks_leave_out_and_say_so),
        cmocka_unit_test(a_hundred_thousand_stages_can_be_drawn),
        cmocka_unit_test(circles_of_folded_stages_end),
        cmocka_unit_test(scopes_take_a_part),
        cmocka_unit_test(what_the_log_has_not_is_wrong_usage),
        cmocka_unit_test(two_runs_say_what_changed),
        cmocka_unit_test(two_runs_of_many_stages_can_be_drawn),
        cmocka_unit_test(hostile_names_stay_text),
        cmocka_unit_test(plans_can_be_drawn),
        cmocka_unit_test(hostile_plans_stay_text),
        cmocka_unit_test(the_same_log_gives_the_same_bytes),
        cmocka_unit_test(text_keeps_to_the_width),
        cmocka_unit_test(graphviz_draws_and_leaves_the_locale_alone),
        cmocka_unit_test(large_pictures_lose_resolution),
        cmocka_unit_test(graphviz_that_fails_or_is_late_says_so),
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
