/* Our numbers against those of another reader of event logs: the tables that the
 * RAPIDS tools print for a join on Spark 3.0.1 (../shared/logs/expected). Every column
 * of every row is compared; where the tool means something else by a word, the column's
 * entry says so. Skipped where the corpus is not there. */
#include "tests/unit/load_helper.h"
#include "tests/unit/rest_sql.h"

#define LOG SHARED_LOGS "/real/spark-3.0.1-join.zstd"
#define TABLE(name) SHARED_LOGS "/expected/rapids_join_eventlog_" name "_expectation.csv"

/* --- reading the tables --------------------------------------------------------------
 */

#define COLUMNS_MAX 64
#define ROWS_MAX 256

struct table {
    char *text;
    char *head[COLUMNS_MAX];
    char *row[ROWS_MAX][COLUMNS_MAX];
    size_t n_columns, n_rows;
};

static char *cut_line(char **rest, char **fields, size_t *n)
{
    char *p = *rest, *start = p;

    for (*n = 0; *p && *p != '\n';) {
        bool quoted = *p == '"';
        char *to = p += quoted;

        assert_true(*n < COLUMNS_MAX);
        fields[(*n)++] = p;
        p += quoted ? strcspn(p, "\"") : strcspn(p, ",\n");
        to = p;
        p += quoted;
        bool more = *p == ',', end = *p == '\n';
        *to = '\0';
        if (more)
            p++;
        if (end) {
            p++;
            break;
        }
    }
    *rest = p;
    return start;
}

static bool read_table(struct table *t, const char *path)
{
    *t = (struct table){ .text = slurp(path, NULL) };
    if (!t->text)
        return false;
    char *rest = t->text;
    cut_line(&rest, t->head, &t->n_columns);
    while (*rest) {
        size_t n;

        assert_true(t->n_rows < ROWS_MAX);
        cut_line(&rest, t->row[t->n_rows], &n);
        if (n == 0)
            continue;
        assert_int_equal(n, t->n_columns);
        t->n_rows++;
    }
    return true;
}

static const char *field(const struct table *t, size_t row, const char *column)
{
    for (size_t c = 0; c < t->n_columns; c++)
        if (strcmp(t->head[c], column) == 0)
            return t->row[row][c];
    fail_msg("no column %s", column);
    return NULL;
}

static int64_t number(const struct table *t, size_t row, const char *column)
{
    return atoll(field(t, row, column));
}

static void same_number(const char *what, int64_t row, const char *column,
                        const char *expected, int64_t ours)
{
    if (atoll(expected) != ours)
        fail_msg("%s %" PRId64 ", %s: %s expected, %" PRId64 " is ours", what, row,
                 column, expected, ours);
}

static void same_decimal(const char *what, const char *column, const char *expected,
                         double ours)
{
    const char *dot = strchr(expected, '.');
    char text[64];

    snprintf(text, sizeof text, "%.*f", dot ? (int)strlen(dot + 1) : 0, ours);
    if (strcmp(text, expected) != 0)
        fail_msg("%s, %s: %s expected, %s is ours", what, column, expected, text);
}

/* --- sums over stages ------------------------------------------------------------------
 */

static const struct aggregate {
    const char *column;
    enum task_metric m;
    int64_t unit; /* ours per theirs: nanoseconds come as whole milliseconds */
    bool largest; /* of one task, not the sum */
} aggregates[] = {
    { "diskBytesSpilledSum", METRIC_SPILL_DISK_BYTES, 1, false },
    { "executorCPUTimeSum", METRIC_CPU_NS, 1000000, false },
    { "executorDeserializeCpuTimeSum", METRIC_DESERIALIZE_CPU_NS, 1000000, false },
    { "executorDeserializeTimeSum", METRIC_DESERIALIZE_MS, 1, false },
    { "executorRunTimeSum", METRIC_RUN_MS, 1, false },
    { "inputBytesReadSum", METRIC_INPUT_BYTES, 1, false },
    { "inputBytesReadMax", METRIC_INPUT_BYTES, 1, true },
    { "inputRecordsReadSum", METRIC_INPUT_ROWS, 1, false },
    { "jvmGCTimeSum", METRIC_GC_MS, 1, false },
    { "memoryBytesSpilledSum", METRIC_SPILL_MEMORY_BYTES, 1, false },
    { "outputBytesWrittenSum", METRIC_OUTPUT_BYTES, 1, false },
    { "outputRecordsWrittenSum", METRIC_OUTPUT_ROWS, 1, false },
    { "peakExecutionMemoryMax", METRIC_PEAK_EXECUTION_BYTES, 1, true },
    { "resultSerializationTimeSum", METRIC_RESULT_SERIALIZE_MS, 1, false },
    { "resultSizeMax", METRIC_RESULT_BYTES, 1, true },
    { "srFetchWaitTimeSum", METRIC_FETCH_WAIT_MS, 1, false },
    { "srLocalBlocksFetchedSum", METRIC_LOCAL_BLOCKS, 1, false },
    { "srcLocalBytesReadSum", METRIC_LOCAL_BYTES, 1, false },
    { "srRemoteBlocksFetchSum", METRIC_REMOTE_BLOCKS, 1, false },
    { "srRemoteBytesReadSum", METRIC_REMOTE_BYTES, 1, false },
    { "srRemoteBytesReadToDiskSum", METRIC_REMOTE_TO_DISK_BYTES, 1, false },
    { "swBytesWrittenSum", METRIC_SHUFFLE_WRITE_BYTES, 1, false },
    { "swRecordsWrittenSum", METRIC_SHUFFLE_WRITE_ROWS, 1, false },
    { "swWriteTimeSum", METRIC_SHUFFLE_WRITE_NS, 1000000, false },
};

static bool stage_counts(const struct stage *s, int64_t stage_id)
{
    return stage_id < 0 || s->stage_id == stage_id;
}

/* The row's sums over one stage, or over all (stage_id -1): then rounded stages add up.
 */
static void same_aggregates(const struct app *app, const struct table *t, size_t row,
                            int64_t stage_id)
{
    int64_t tasks = 0, ms = 0, min_ms = INT64_MAX, max_ms = 0, read_bytes = 0, cpu_ms = 0;
    int64_t run_ms = 0;
    size_t known_columns = 0;

    for (size_t i = 0; i < ARRAY_LEN(aggregates); i++) {
        int64_t ours = 0;

        app_each_stage (app, s) {
            if (!stage_counts(s, stage_id))
                continue;
            for (uint32_t r = 0; r < s->task.n && aggregates[i].largest; r++)
                ours = max_i64(ours, task_metric(&s->task, r, aggregates[i].m));
            if (!aggregates[i].largest)
                ours += s->total[aggregates[i].m] / aggregates[i].unit;
        }
        same_number("row", (int64_t)row, aggregates[i].column,
                    field(t, row, aggregates[i].column), ours);
        known_columns++;
    }
    app_each_stage (app, s) {
        if (!stage_counts(s, stage_id))
            continue;
        tasks += s->task.n;
        read_bytes += stage_shuffle_read_bytes(s);
        cpu_ms += s->total[METRIC_CPU_NS] / 1000000;
        run_ms += s->total[METRIC_RUN_MS];
        for (uint32_t r = 0; r < s->task.n; r++) {
            int64_t d = task_duration_ms(&s->task, r);

            ms += d;
            min_ms = min_i64(min_ms, d);
            max_ms = max_i64(max_ms, d);
        }
    }
    same_number("row", (int64_t)row, "numTasks", field(t, row, "numTasks"), tasks);
    same_number("row", (int64_t)row, "durationSum", field(t, row, "durationSum"), ms);
    same_number("row", (int64_t)row, "durationMin", field(t, row, "durationMin"), min_ms);
    same_number("row", (int64_t)row, "durationMax", field(t, row, "durationMax"), max_ms);
    same_number("row", (int64_t)row, "srTotalBytesReadSum",
                field(t, row, "srTotalBytesReadSum"), read_bytes);
    same_decimal("row", "durationAvg", field(t, row, "durationAvg"),
                 (double)ms / (double)tasks);
    known_columns += 6;
    if (strcmp(t->head[0], "appId") == 0) {
        same_decimal("row", "executorCpuRatio", field(t, row, "executorCpuRatio"),
                     100.0 * (double)cpu_ms / (double)run_ms);
        known_columns++;
    }
    /* what is left: ids, description and the duration, compared by the caller */
    assert_int_equal(t->n_columns - known_columns,
                     strcmp(t->head[0], "appId") == 0 ? 4 : 2);
}

static struct app the_app;

static int load(void **state)
{
    (void)state;
    if (file_is_there(LOG))
        must_load(&the_app, LOG);
    return 0;
}

static int unload(void **state)
{
    (void)state;
    app_release(&the_app);
    return 0;
}

static void need_table(struct table *t, const char *path)
{
    if (!the_app.n_stages || !read_table(t, path)) {
        print_message("%s is not here\n", path);
        skip();
    }
}

static void stages_add_up(void **state)
{
    struct table t;

    (void)state;
    need_table(&t, TABLE("stagemetricsagg"));
    assert_int_equal(t.n_rows, the_app.n_stages);
    for (size_t row = 0; row < t.n_rows; row++) {
        int64_t id = number(&t, row, "id");
        uint32_t ix = app_stage_ix(&the_app, id, 0);

        assert_int_not_equal(ix, IX_NONE);
        same_number("stage", id, "duration", field(&t, row, "duration"),
                    the_app.stages[ix].completed_ms - the_app.stages[ix].submitted_ms);
        same_aggregates(&the_app, &t, row, id);
    }
    free(t.text);
}

static void jobs_and_executions_add_up(void **state)
{
    struct table t;

    (void)state;
    need_table(&t, TABLE("jobmetricsagg"));
    assert_int_equal(t.n_rows, 1);
    assert_int_equal(the_app.n_jobs, 1);
    same_number("job", 0, "duration", field(&t, 0, "duration"),
                the_app.jobs[0].completed_ms - the_app.jobs[0].submitted_ms);
    same_aggregates(&the_app, &t, 0, -1);
    free(t.text);
    need_table(&t, TABLE("sqlmetricsagg"));
    assert_int_equal(t.n_rows, 1);
    assert_int_equal(the_app.n_sqls, 1);
    same_number("execution", 0, "sqlId", field(&t, 0, "sqlId"),
                the_app.sqls[0].execution_id);
    same_number("execution", 0, "duration", field(&t, 0, "duration"),
                the_app.sqls[0].completed_ms - the_app.sqls[0].submitted_ms);
    assert_string_equal(field(&t, 0, "description"), the_app.sqls[0].description.p);
    assert_string_equal(field(&t, 0, "appId"), the_app.id.p);
    same_aggregates(&the_app, &t, 0, -1);
    free(t.text);
}

/* --- SQL metrics
 * --------------------------------------------------------------------------- */

static const struct plan_node *node_with_accumulator(const struct plan_node *n,
                                                     int64_t id)
{
    for (size_t i = 0; i < n->n_metrics; i++)
        if (n->metrics[i].accumulator_id == id)
            return n;
    for (size_t i = 0; i < n->n_children; i++) {
        const struct plan_node *found = node_with_accumulator(n->children[i], id);

        if (found)
            return found;
    }
    return NULL;
}

static const cJSON *graph_node(const cJSON *execution, int64_t node_id)
{
    const cJSON *node;

    cJSON_ArrayForEach(
        node,
        cJSON_GetObjectItem(execution,
                            "nodes")) if (cJSON_GetObjectItem(node, "nodeId")->valueint ==
                                          node_id) return node;
    return NULL;
}

static void add_stages(bool *seen, const struct plan_node *n)
{
    struct arena arena = { 0 };

    for (size_t i = 0; i < n->n_metrics; i++) {
        uint32_t *ixs;
        size_t count =
            app_accum_stages(&the_app, n->metrics[i].accumulator_id, &arena, &ixs);

        for (size_t k = 0; k < count; k++)
            seen[ixs[k]] = true;
    }
    arena_release(&arena);
}

/* Values that tasks reported, without the zeros of those that did not. */
static uint32_t reported(int64_t accumulator_id, int64_t only_stage_id, int64_t *values,
                         uint32_t room)
{
    uint32_t n = 0;

    app_each_stage (&the_app, s) {
        if (only_stage_id >= 0 && s->stage_id != only_stage_id)
            continue;
        for (size_t a = 0; a < s->n_accums; a++)
            for (uint32_t slot = 0;
                 s->accums[a].accumulator_id == accumulator_id && slot < s->slots;
                 slot++) {
                assert_true(n < room);
                if (column_get(&s->accums[a].value, slot))
                    values[n++] = column_get(&s->accums[a].value, slot);
            }
    }
    for (size_t i = 0; i < the_app.n_driver_accums && only_stage_id < 0; i++)
        if (the_app.driver_accums[i].accumulator_id == accumulator_id)
            values[n++] = the_app.driver_accums[i].value;
    return n;
}

/* Four columns of one metric. What the tool calls the median is a mean, kept in whole
 * numbers while it goes from task to task, so that each of the n steps may lose up to 1;
 * and its smallest value is that of the tasks that reported one, while ours (as Spark's)
 * counts 0 for a task that did not. */
static void same_spread(const char *what, int64_t id, int64_t *values, uint32_t n,
                        const char *const expected[4])
{
    struct quantiles q = quantiles_of(values, n);
    int64_t total = 0;

    for (uint32_t i = 0; i < n; i++)
        total += values[i];
    same_number(what, id, "min", expected[0], n ? q.value[Q_MIN] : 0);
    same_number(what, id, "max", expected[2], n ? q.value[Q_MAX] : 0);
    same_number(what, id, "total", expected[3], total);
    int64_t mean = n ? total / n : 0, theirs = atoll(expected[1]);
    if (theirs > mean || theirs < mean - (int64_t)n)
        fail_msg("%s %" PRId64 ": %" PRId64 " is not the mean of %" PRId64, what, id,
                 theirs, mean);
}

static void metrics_of_queries_agree(void **state)
{
    struct table t;
    int64_t values[1024];

    (void)state;
    need_table(&t, TABLE("sqlmetrics"));
    assert_true(t.n_rows > 50);
    const struct sql *q = &the_app.sqls[0];
    cJSON *execution = rest_execution(&the_app, q);
    for (size_t row = 0; row < t.n_rows; row++) {
        int64_t id = number(&t, row, "accumulatorId");
        const struct plan_node *n = node_with_accumulator(sql_final_plan(q), id);
        const cJSON *node = graph_node(execution, number(&t, row, "nodeID"));
        const struct plan_metric *m = NULL;

        if (!n || !node)
            fail_msg("accumulator %" PRId64 " has no node", id);
        assert_string_equal(n->name.p, field(&t, row, "nodeName"));
        assert_string_equal(cJSON_GetObjectItem(node, "nodeName")->valuestring,
                            n->name.p);
        for (size_t i = 0; i < n->n_metrics; i++)
            if (n->metrics[i].accumulator_id == id)
                m = &n->metrics[i];
        assert_string_equal(m->type.p, field(&t, row, "metricType"));
        assert_string_equal(m->name.p, field(&t, row, "name"));
        uint32_t count = reported(id, -1, values, ARRAY_LEN(values));
        const char *const spread[] = { field(&t, row, "min"), field(&t, row, "median"),
                                       field(&t, row, "max"), field(&t, row, "total") };
        same_spread("accumulator", id, values, count, spread);
        struct accum_summary sum = app_sql_accum(&the_app, q, id, m->type);
        if (sum.n) {
            assert_true(sum.total == atoll(spread[3]));
            assert_true(sum.max == atoll(spread[2]));
        }
        struct strbuf stages = { 0 };
        bool seen[16] = { false };
        add_stages(seen, n);
        for (size_t s = 0; s < the_app.n_stages; s++)
            if (seen[s])
                strbuf_printf(&stages, "%s%" PRId64, stages.len ? "," : "",
                              the_app.stages[s].stage_id);
        assert_string_equal(stages.p, field(&t, row, "stageIds"));
        strbuf_release(&stages);
    }
    cJSON_Delete(execution);
    free(t.text);
}

static void io_of_nodes_agrees(void **state)
{
    static const char *const metrics[][3] = {
        /* column, names in the plan */
        { "outputRows", "output rows", "number of output rows" },
        { "scanTime", "scan time", NULL },
        { "outputBatches", "output columnar batches", NULL },
        { "bufferTime", "buffer time", NULL },
        { "shuffleWriteTime", "shuffle write time", NULL },
        { "fetchWaitTime", "fetch wait time", NULL },
        { "gpuDecodeTime", "GPU decode time", NULL },
    };
    struct table t;
    int64_t values[1024];

    (void)state;
    need_table(&t, TABLE("iodiagnosticmetrics"));
    const struct sql *q = &the_app.sqls[0];
    cJSON *execution = rest_execution(&the_app, q);
    for (size_t row = 0; row < t.n_rows; row++) {
        int64_t stage_id = number(&t, row, "stageId"),
                node_id = number(&t, row, "nodeId");
        const struct stage *s = &the_app.stages[app_stage_ix(&the_app, stage_id, 0)];
        const cJSON *node = graph_node(execution, node_id);

        same_number("stage", stage_id, "stageDurationMs",
                    field(&t, row, "stageDurationMs"), s->completed_ms - s->submitted_ms);
        assert_non_null(node);
        assert_string_equal(cJSON_GetObjectItem(node, "nodeName")->valuestring,
                            field(&t, row, "nodeName"));
        /* the node itself, by one of its accumulators: ids are those of the graph */
        for (size_t k = 0; k < ARRAY_LEN(metrics); k++) {
            static const char *const parts[] = { "Min", "Median", "Max", "Total" };
            const char *spread[4];
            char column[64];
            uint32_t n = 0;

            for (size_t p = 0; p < 4; p++) {
                snprintf(column, sizeof column, "%s%s", metrics[k][0], parts[p]);
                spread[p] = field(&t, row, column);
            }
            struct graph_walk w = { .app = &the_app,
                                    .q = q,
                                    .nodes = cJSON_CreateArray(),
                                    .edges = cJSON_CreateArray(),
                                    .wanted_id = (int)node_id };
            walk_plan(&w, sql_final_plan(q), -1, -1);
            assert_non_null(w.wanted);
            for (size_t i = 0; i < w.wanted->n_metrics; i++)
                for (size_t name = 1; name < 3; name++)
                    if (metrics[k][name] &&
                        sv_is(w.wanted->metrics[i].name, metrics[k][name]))
                        n = reported(w.wanted->metrics[i].accumulator_id, stage_id,
                                     values, ARRAY_LEN(values));
            cJSON_Delete(w.nodes);
            cJSON_Delete(w.edges);
            same_spread(metrics[k][0], node_id, values, n, spread);
        }
    }
    cJSON_Delete(execution);
    free(t.text);
}

/* The tool's median of an even number of values is halfway between the middle ones;
 * where it goes by accumulators (what shuffles write), it is the running mean again. */
static int64_t halfway(const struct stage *s, enum task_metric m)
{
    int64_t *values = xmalloc(mem_product(s->task.n + 1, sizeof *values));
    uint32_t n = s->task.n;

    for (uint32_t r = 0; r < n; r++)
        values[r] = m == METRIC_COUNT ? task_metric(&s->task, r, METRIC_REMOTE_BYTES) +
                                            task_metric(&s->task, r, METRIC_LOCAL_BYTES)
                                      : task_metric(&s->task, r, m);
    for (uint32_t i = 0; i < n; i++) /* few tasks */
        for (uint32_t k = i + 1; k < n; k++)
            if (values[k] < values[i]) {
                int64_t v = values[i];

                values[i] = values[k];
                values[k] = v;
            }
    int64_t half = n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
    free(values);
    return half;
}

static void diagnostics_of_stages_agree(void **state)
{
    static const struct {
        const char *column;
        enum task_metric m; /* METRIC_COUNT: bytes read, remote and local */
        int64_t unit;
        bool mean;
    } columns[] = {
        { "memoryBytesSpilledMB", METRIC_SPILL_MEMORY_BYTES, 1 << 20, false },
        { "diskBytesSpilledMB", METRIC_SPILL_DISK_BYTES, 1 << 20, false },
        { "inputBytesRead", METRIC_INPUT_BYTES, 1, false },
        { "outputBytesWritten", METRIC_OUTPUT_BYTES, 1, false },
        { "shuffleReadBytes", METRIC_COUNT, 1, false },
        { "shuffleWriteBytes", METRIC_SHUFFLE_WRITE_BYTES, 1, true },
        { "shuffleReadFetchWaitTime", METRIC_FETCH_WAIT_MS, 1, false },
        { "shuffleWriteWriteTime", METRIC_SHUFFLE_WRITE_NS, 1000000, true },
    };
    struct table t;

    (void)state;
    need_table(&t, TABLE("stagediagnosticmetrics"));
    assert_int_equal(t.n_rows, the_app.n_stages);
    for (size_t row = 0; row < t.n_rows; row++) {
        int64_t id = number(&t, row, "stageId");
        const struct stage *s = &the_app.stages[app_stage_ix(&the_app, id, 0)];

        same_number("stage", id, "numTasks", field(&t, row, "numTasks"), s->task.n);
        same_number("stage", id, "stageDurationMs", field(&t, row, "stageDurationMs"),
                    s->completed_ms - s->submitted_ms);
        for (size_t c = 0; c < ARRAY_LEN(columns); c++) {
            enum task_metric m = columns[c].m;
            struct quantiles q = m == METRIC_COUNT ? stage_shuffle_read_quantiles(s)
                                                   : stage_metric_quantiles(s, m);
            int64_t total = m == METRIC_COUNT ? stage_shuffle_read_bytes(s) : s->total[m];
            const struct {
                const char *part;
                int64_t ours;
            } parts[] = {
                { "Min", q.value[Q_MIN] },
                { "Max", q.value[Q_MAX] },
                { "Total", total },
                { "Median", halfway(s, m) },
            };
            char column[64];

            for (size_t p = 0; p < ARRAY_LEN(parts) - columns[c].mean; p++) {
                snprintf(column, sizeof column, "%s%s", columns[c].column, parts[p].part);
                same_number("stage", id, column, field(&t, row, column),
                            parts[p].ours / columns[c].unit);
            }
            if (columns[c].mean) {
                snprintf(column, sizeof column, "%sMedian", columns[c].column);
                int64_t theirs = number(&t, row, column), mean = total / s->task.n;

                if (theirs > mean / columns[c].unit ||
                    theirs < (mean - s->task.n) / columns[c].unit)
                    fail_msg("stage %" PRId64 ", %s: %" PRId64 ", the mean is %" PRId64,
                             id, column, theirs, mean);
            }
        }
    }
    free(t.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages_add_up),
        cmocka_unit_test(jobs_and_executions_add_up),
        cmocka_unit_test(metrics_of_queries_agree),
        cmocka_unit_test(io_of_nodes_agrees),
        cmocka_unit_test(diagnostics_of_stages_agree),
    };

    return cmocka_run_group_tests_name("expected_csv", tests, load, unload);
}
