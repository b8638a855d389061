/* Is it work for Spark? See fit.h.
 *
 * Spark pays for starting executors, planning, shipping and launching tasks. That buys
 * work that one machine cannot do. Where the data and the CPU time are a machine's, or
 * the work comes in bits shorter than the price of a job, another tool does it in less.
 */
#include "rules/fit.h"

#include "base/mem.h"
#include "rules/finding.h"
#include "rules/node.h"

#include <inttypes.h>
#include <stdlib.h>

#define GIB (INT64_C(1) << 30)

/* 16 GiB of compressed columns are read and held by any server; ten minutes of CPU are
 * over in little more than a minute on eight cores. */
#define MACHINE_BYTES (16 * GIB)
#define MACHINE_CPU_MS INT64_C(600000)
#define MACHINE_CORES 8
#define SHORT_MS 1000 /* planning, launching and collecting alone take 0.1 to 0.5 s */
#define MANY_QUERIES 50
#define MANY_BATCHES 20
#define FEW_ROWS 100
#define OF_MANY_ROWS                                                                     \
    1000 /* rows read for each that is returned: an index would find it */

const char *fit_verdict_name(enum fit_verdict v)
{
    static const char *const names[] = {
        [FIT_UNKNOWN] = "unknown",         [FIT_SPARK] = "spark",
        [FIT_ONE_MACHINE] = "one machine", [FIT_SHORT_QUERIES] = "short queries",
        [FIT_LOOKUPS] = "lookups",         [FIT_SHORT_BATCHES] = "short batches"
    };

    return names[v];
}

/* --- numbers --------------------------------------------------------------------------
 */

static void sum_wall(struct fit *f, const struct ledgers *l)
{
    static const enum wall_entry running[] = { WALL_STARTUP,    WALL_PLANNING,
                                               WALL_SHUTDOWN,   WALL_WAIT_EXECUTORS,
                                               WALL_SCHEDULING, WALL_DESERIALISE,
                                               WALL_RESULT,     WALL_SCHEDULER_DELAY };
    static const enum wall_entry work[] = { WALL_COMPUTE,       WALL_GC,
                                            WALL_SHUFFLE_WRITE, WALL_SHUFFLE_READ_WAIT,
                                            WALL_SPILL,         WALL_PYTHON,
                                            WALL_IO_AND_OTHER,  WALL_RETRIES,
                                            WALL_STRAGGLER_TAIL };

    for (size_t i = 0; i < ARRAY_LEN(running); i++)
        f->running_ms += l->wall_ms[running[i]];
    for (size_t i = 0; i < ARRAY_LEN(work); i++)
        f->work_ms += l->wall_ms[work[i]];
}

static void sum_tasks(struct fit *f, const struct app *app)
{
    int64_t input = 0, shuffle = 0, cpu_ns = 0;
    bool cpu = false;

    app_each_stage (app, s) {
        cpu |= (s->metrics_seen & 1u << METRIC_CPU_NS) != 0;
        input = add_sat(input, s->total[METRIC_INPUT_BYTES]);
        shuffle = max_i64(shuffle, s->total[METRIC_SHUFFLE_WRITE_BYTES]);
        cpu_ns = add_sat(cpu_ns, s->total[METRIC_CPU_NS]);
    }
    /* databases, streams and data made in the program do not count what is read */
    f->data_bytes = input > 0 ? max_i64(input, shuffle) : APP_NONE;
    f->cpu_ms = cpu ? cpu_ns / 1000000 : APP_NONE;
}

static int by_ms(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void count_queries(struct fit *f, const struct app *app)
{
    int64_t *ms = xmalloc(mem_product(app->n_sqls + 1, sizeof *ms));
    size_t n = 0;

    app_each_sql (app, q) {
        if (q->root_id != q->execution_id || !q->ended || q->completed_ms == APP_NONE ||
            q->n_jobs == 0)
            continue; /* commands without a job cost next to nothing */
        ms[n] = max_i64(sub_sat(q->completed_ms, q->submitted_ms), 0);
        f->short_queries += ms[n] < SHORT_MS;
        n++;
    }
    if (n)
        qsort(ms, n, sizeof *ms, by_ms);
    f->queries = (int64_t)n;
    f->query_ms = n ? ms[n / 2] : APP_NONE;
    free(ms);
}

/* Of the first stream that has jobs: time from batch to batch. */
static void count_batches(struct fit *f, const struct app *app)
{
    struct sv stream = { 0 };
    int64_t first = 0, last = 0, low = INT64_MAX, high = -1;

    app_each_job (app, j) {
        if (!j->stream_id.p || j->submitted_ms == APP_NONE || j->stream_batch < 0)
            continue;
        if (!stream.p)
            stream = j->stream_id;
        if (!sv_eq(stream, j->stream_id))
            continue;
        if (j->stream_batch < low) {
            low = j->stream_batch;
            first = j->submitted_ms;
        }
        if (j->stream_batch > high) {
            high = j->stream_batch;
            last = j->submitted_ms;
        }
    }
    f->batches = high < 0 ? 0 : high - low + 1;
    f->batch_interval_ms =
        f->batches > 1 ? max_i64(sub_sat(last, first), 0) / (f->batches - 1) : APP_NONE;
}

/* --- look-ups
 * ---------------------------------------------------------------------------- */

struct reading {
    const struct app *app;
    const struct sql *q;
    int64_t rows;
};

static void add_read(const struct plan_node *node, void *ctx)
{
    struct reading *r = ctx;

    if (node_is_scan(node) && node->n_children == 0)
        r->rows =
            add_sat(r->rows, node_metric(r->app, r->q, node, "number of output rows"));
}

static bool is_lookup(const struct app *app, const struct sql *q)
{
    const struct plan_node *root = sql_final_plan(q);
    struct reading r = { app, q, 0 };
    int64_t out;

    if (!root)
        return false;
    out = node_rows(app, q, node_inner(root));
    plan_each(root, add_read, &r);
    return out != APP_NONE && out <= FEW_ROWS && r.rows >= OF_MANY_ROWS * max_i64(out, 1);
}

static int64_t count_lookups(const struct app *app)
{
    int64_t n = 0;

    app_each_sql (app, q)
        n += q->root_id == q->execution_id && q->ended && q->n_jobs > 0 &&
             is_lookup(app, q);
    return n;
}

/* --- the verdict
 * --------------------------------------------------------------------------- */

static void say_batches(struct fit *f, struct findings *t)
{
    f->verdict = FIT_SHORT_BATCHES;
    f->why =
        arena_printf(t->arena,
                     "%" PRId64 " micro-batches follow each other every %s; planning and "
                     "launching a batch take a good part of that",
                     f->batches, words_ms(t, f->batch_interval_ms));
    f->instead =
        "an engine that takes events one by one (Flink, Kafka Streams), or a trigger of "
        "some seconds if the result may be that old";
}

static void say_queries(struct fit *f, struct findings *t, int64_t lookups)
{
    bool serving = 2 * lookups > f->queries;

    f->verdict = serving ? FIT_LOOKUPS : FIT_SHORT_QUERIES;
    f->why = arena_printf(
        t->arena,
        "%" PRId64 " of %" PRId64 " queries take less than a second, %s the median%s",
        f->short_queries, f->queries, words_ms(t, f->query_ms),
        serving ? arena_printf(t->arena,
                               "; %" PRId64
                               " of them fetch at most %d rows out of a thousand "
                               "times as many",
                               lookups, FEW_ROWS)
                : "");
    f->instead =
        serving
            ? "a store with an index (PostgreSQL, a key-value store), filled by Spark if "
              "need be"
            : "a database or query engine that is always up (PostgreSQL, ClickHouse, "
              "Trino), "
              "or one batch query in place of many";
}

static void say_machine(struct fit *f, struct findings *t)
{
    f->verdict = FIT_ONE_MACHINE;
    f->why = arena_printf(t->arena,
                          "%s of data and %s of CPU time (%s on %d cores) fit one "
                          "machine; starting, planning "
                          "and scheduling take %s of the wall clock, the work %s",
                          words_bytes(t, f->data_bytes), words_ms(t, f->cpu_ms),
                          words_ms(t, f->cpu_ms / MACHINE_CORES), MACHINE_CORES,
                          words_ms(t, f->running_ms), words_ms(t, f->work_ms));
    f->instead = "a single process (DuckDB, Polars, pandas)";
}

static void say_spark(struct fit *f, struct findings *t)
{
    f->verdict = FIT_SPARK;
    f->why = arena_printf(
        t->arena, "tasks are at work for %s of the wall clock, running Spark takes %s",
        words_ms(t, f->work_ms), words_ms(t, f->running_ms));
}

static bool fits_a_machine(const struct fit *f)
{
    return f->data_bytes != APP_NONE && f->cpu_ms != APP_NONE &&
           f->data_bytes <= MACHINE_BYTES && f->cpu_ms <= MACHINE_CPU_MS &&
           f->running_ms > f->work_ms;
}

void fit_build(struct fit *out, const struct analysis *a, struct arena *arena)
{
    const struct app *app = &a->app;
    struct findings text = { .arena = arena };

    *out = (struct fit){ .why = "" };
    sum_wall(out, &a->ledgers);
    sum_tasks(out, app);
    count_queries(out, app);
    count_batches(out, app);
    if (app->complete.tasks_ended == 0 || !app->finished || app->complete.truncated)
        return;
    if (out->batches >= MANY_BATCHES && out->batch_interval_ms < SHORT_MS)
        say_batches(out, &text);
    else if (out->batches == 0 && out->queries >= MANY_QUERIES &&
             out->query_ms < SHORT_MS)
        say_queries(out, &text, count_lookups(app));
    else if (out->batches == 0 && fits_a_machine(out))
        say_machine(out, &text);
    else if (out->data_bytes != APP_NONE || out->work_ms >= out->running_ms)
        say_spark(out, &text);
}
