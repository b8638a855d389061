/* The event log: every line is JSON with its event first, the file takes its last name
 * when the application ends, numbers stand where Spark puts them. Files and codecs:
 * engine_log_output_test.c. */
#include "base/arena.h"
#include "engine/eventlog/log.h"
#include "engine/eventlog/log_json.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

struct fixture {
    struct arena arena;
    struct settings *settings;
    char dir[64];
    struct event_log *log;
    char final[256];
};

static void put(struct fixture *f, const char *key, const char *value)
{
    struct err err = { 0 };

    if (settings_put(f->settings, sv(key), sv(value), &err) != ERR_OK)
        fail_msg("%s: %s", key, err.text);
}

static int begin(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->settings = settings_new(&f->arena);
    snprintf(f->dir, sizeof f->dir, "/tmp/engine_eventlog_%ld", (long)getpid());
    *state = f;
    return 0;
}

static int end(void **state)
{
    struct fixture *f = *state;

    unlink(f->final);
    rmdir(f->dir);
    arena_release(&f->arena);
    free(f);
    return 0;
}

static void open_log(struct fixture *f, const char *app)
{
    struct err err = { 0 };

    if (event_log_open(&f->log, f->dir, sv(app), f->settings, &err) != ERR_OK)
        fail_msg("%s", err.text);
    snprintf(f->final, sizeof f->final, "%s", event_log_final_path(f->log));
}

static void close_log(struct fixture *f)
{
    struct err err = { 0 };

    if (event_log_close(f->log, true, &err) != ERR_OK)
        fail_msg("%s", err.text);
}

/* All of the file, lines ended by NUL; their number. */
static size_t read_lines(struct fixture *f, char **lines, size_t room)
{
    FILE *in = fopen(f->final, "r");
    size_t n = 0;
    char *line = NULL;
    size_t cap = 0;

    assert_non_null(in);
    while (getline(&line, &cap, in) > 0) {
        assert_true(n < room);
        lines[n++] = (char *)(uintptr_t)arena_sv(&f->arena, sv(line)).p;
    }
    free(line);
    fclose(in);
    return n;
}

static double number(const cJSON *o, const char *key)
{
    const cJSON *x = cJSON_GetObjectItemCaseSensitive(o, key);

    if (!cJSON_IsNumber(x))
        fail_msg("%s is no number", key);
    return x->valuedouble;
}

static const char *text(const cJSON *o, const char *key)
{
    const cJSON *x = cJSON_GetObjectItemCaseSensitive(o, key);

    if (!cJSON_IsString(x))
        fail_msg("%s is no text", key);
    return x->valuestring;
}

static const cJSON *child(const cJSON *o, const char *key)
{
    const cJSON *x = cJSON_GetObjectItemCaseSensitive(o, key);

    if (!x)
        fail_msg("no %s", key);
    return x;
}

static const struct task_metrics counted = {
    .run_ms = 120,
    .cpu_ns = 98000111,
    .result_bytes = 77,
    .peak_execution_bytes = 262144,
    .memory_spilled_bytes = 11,
    .disk_spilled_bytes = 7,
    .shuffle_write_bytes = 503,
    .shuffle_write_rows = 25,
    .shuffle_write_ns = 1234567,
    .local_blocks = 3,
    .local_bytes = 999,
    .shuffle_read_rows = 44,
    .reads_shuffle = 1,
};

static struct log_task some_task(void)
{
    static const struct log_acc accs[] = { { 5, "data size", 16, 48 } };

    return (struct log_task){
        .task_id = 9,
        .stage_id = 1,
        .index = 2,
        .partition = 2,
        .launch_ms = 1000,
        .finish_ms = 1200,
        .executor_id = "driver",
        .host = "localhost",
        .locality = "PROCESS_LOCAL",
        .metrics = &counted,
        .totals = &counted,
        .internal_id = 100,
        .accs = accs,
        .n_accs = 1,
    };
}

static void an_application_in_order(void **state)
{
    static const char *const want[] = {
        "SparkListenerLogStart",
        "SparkListenerResourceProfileAdded",
        "SparkListenerExecutorAdded",
        "SparkListenerBlockManagerAdded",
        "SparkListenerEnvironmentUpdate",
        "SparkListenerApplicationStart",
        "SparkListenerJobStart",
        "SparkListenerStageSubmitted",
        "SparkListenerTaskStart",
        "SparkListenerTaskEnd",
        "SparkListenerStageCompleted",
        "SparkListenerJobEnd",
        "org.apache.spark.sql.execution.ui.SparkListenerDriverAccumUpdates",
        "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionEnd",
        "SparkListenerExecutorRemoved",
        "SparkListenerApplicationEnd",
    };
    struct fixture *f = *state;
    char *lines[32];
    struct log_rdd rdd = { .id = 4,
                           .name = "ShuffledRowRDD",
                           .n_partitions = 3,
                           .scope = SV("{\"id\":\"1\",\"name\":\"Exchange\"}") };
    struct log_stage stage = { .stage_id = 1,
                               .name = "run at a.sql:1",
                               .n_tasks = 3,
                               .rdds = &rdd,
                               .n_rdds = 1,
                               .submitted_ms = 900 };
    struct log_job job = { .job_id = 0,
                           .stages = &stage,
                           .n_stages = 1,
                           .sql_execution_id = 6,
                           .sql_root_id = 6,
                           .settings = f->settings };
    struct log_task task = some_task();
    uint64_t id = 5;
    int64_t value = 12;

    put(f, "spark.my.password", "hush");
    open_log(f, "local-1.x:Y");
    assert_int_equal(access(event_log_path(f->log), F_OK), 0);
    log_resource_profile(f->log, 2, 1024 << 20, 0);
    log_executor_added(f->log, "driver", "localhost", 2, 10);
    log_block_manager_added(f->log, "driver", "localhost", 455501414, 0, 11);
    log_environment(f->log, f->settings);
    log_application_start(f->log, "local-1.x:Y", "a \"name\"\n", "me", 5);
    log_job_start(f->log, &job, 900);
    log_stage_submitted(f->log, &stage, &job);
    log_task_start(f->log, &task);
    log_task_end(f->log, &task);
    stage.completed_ms = 1300;
    stage.totals = &counted;
    stage.internal_id = 100;
    log_stage_completed(f->log, &stage);
    log_job_end(f->log, 0, NULL, 1310);
    log_driver_accum(f->log, 6, &id, &value, 1);
    log_sql_end(f->log, 6, NULL, 1400);
    log_executor_removed(f->log, "1", "lost", 1450);
    log_application_end(f->log, 1500);
    close_log(f);
    assert_true(sv_ends(sv(f->final), SV("/local-1_x-y")));
    size_t n = read_lines(f, lines, ARRAY_LEN(lines));
    assert_int_equal(n, ARRAY_LEN(want));
    for (size_t i = 0; i < n; i++) {
        char head[128];
        cJSON *o = cJSON_Parse(lines[i]);

        if (!o)
            fail_msg("line %zu: %s", i, lines[i]);
        snprintf(head, sizeof head, "{\"Event\":\"%s\"", want[i]);
        if (strncmp(lines[i], head, strlen(head)) != 0)
            fail_msg("line %zu: %.80s", i, lines[i]);
        assert_null(strstr(lines[i], "hush"));
        cJSON_Delete(o);
    }
}

static void task_numbers_stand_twice(void **state)
{
    struct fixture *f = *state;
    struct log_task task = some_task();
    char *lines[8];

    open_log(f, "t");
    log_task_end(f->log, &task);
    close_log(f);
    assert_int_equal(read_lines(f, lines, 8), 2);
    cJSON *o = cJSON_Parse(lines[1]);
    const cJSON *m = child(o, "Task Metrics");
    const cJSON *read = child(m, "Shuffle Read Metrics");
    const cJSON *write = child(m, "Shuffle Write Metrics");
    const cJSON *accs = child(child(o, "Task Info"), "Accumulables");

    assert_int_equal(number(m, "Executor Run Time"), 120);
    assert_int_equal(number(m, "Executor CPU Time"), 98000111);
    assert_int_equal(number(m, "Memory Bytes Spilled"), 11);
    assert_int_equal(number(m, "Disk Bytes Spilled"), 7);
    assert_int_equal(number(read, "Local Blocks Fetched"), 3);
    assert_int_equal(number(read, "Local Bytes Read"), 999);
    assert_int_equal(number(read, "Total Records Read"), 44);
    assert_int_equal(number(write, "Shuffle Write Time"), 1234567);
    assert_int_equal(number(write, "Shuffle Records Written"), 25);
    const cJSON *sql = cJSON_GetArrayItem(accs, 0);
    assert_string_equal(text(sql, "Update"), "16");
    assert_string_equal(text(sql, "Value"), "48");
    assert_string_equal(text(sql, "Metadata"), "sql");
    for (const cJSON *a = sql->next; a; a = a->next) {
        const char *name = text(a, "Name");

        if (strcmp(name, "internal.metrics.executorRunTime") == 0) {
            assert_int_equal(number(a, "ID"), 102);
            assert_int_equal(number(a, "Update"), 120);
        }
        if (strcmp(name, "internal.metrics.shuffle.write.writeTime") == 0)
            assert_int_equal(number(a, "ID"), 130);
        if (strcmp(name, "internal.metrics.input.bytesRead") == 0)
            fail_msg("a counter that was not touched is listed");
    }
    assert_string_equal(text(child(o, "Task End Reason"), "Reason"), "Success");
    cJSON_Delete(o);
}

static void failures_by_kind(void **state)
{
    static const struct {
        struct log_end end;
        const char *reason, *key, *value;
        bool failed, killed;
    } cases[] = {
        { { .kind = LOG_EXCEPTION, .class_name = "a.B", .message = "no\nmemory" },
          "ExceptionFailure",
          "Description",
          "no\nmemory",
          true,
          false },
        { { .kind = LOG_KILLED, .message = "Stage cancelled" },
          "TaskKilled",
          "Kill Reason",
          "Stage cancelled",
          false,
          true },
        { { .kind = LOG_FETCH_FAILED, .message = "gone", .executor_id = "1" },
          "FetchFailed",
          "Message",
          "gone",
          true,
          false },
        { { .kind = LOG_EXECUTOR_LOST, .message = "why", .executor_id = "1" },
          "ExecutorLostFailure",
          "Loss Reason",
          "why",
          true,
          false },
    };
    struct fixture *f = *state;
    char *lines[8];

    open_log(f, "f");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct log_task task = some_task();

        task.end = cases[i].end;
        task.metrics = NULL;
        log_task_end(f->log, &task);
    }
    close_log(f);
    assert_int_equal(read_lines(f, lines, 8), 1 + ARRAY_LEN(cases));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cJSON *o = cJSON_Parse(lines[i + 1]);
        const cJSON *reason = child(o, "Task End Reason");
        const cJSON *info = child(o, "Task Info");

        assert_string_equal(text(reason, "Reason"), cases[i].reason);
        assert_string_equal(text(reason, cases[i].key), cases[i].value);
        assert_int_equal(cJSON_IsTrue(child(info, "Failed")), cases[i].failed);
        assert_int_equal(cJSON_IsTrue(child(info, "Killed")), cases[i].killed);
        assert_null(cJSON_GetObjectItem(o, "Task Metrics"));
        cJSON_Delete(o);
    }
}

static void *add_many(void *arg)
{
    struct log_task task = some_task();

    for (int i = 0; i < 500; i++) {
        task.task_id = i;
        log_task_end(arg, &task);
    }
    return NULL;
}

static void threads_do_not_mix_lines(void **state)
{
    struct fixture *f = *state;
    pthread_t threads[4];
    char **lines = calloc(4000, sizeof *lines);

    open_log(f, "m");
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, f->log), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    close_log(f);
    size_t n = read_lines(f, lines, 4000);
    assert_int_equal(n, 2001);
    for (size_t i = 0; i < n; i++) {
        cJSON *o = cJSON_Parse(lines[i]);

        if (!o)
            fail_msg("line %zu", i);
        cJSON_Delete(o);
    }
    free(lines);
}

static void an_unfinished_log_keeps_its_suffix(void **state)
{
    struct fixture *f = *state;
    struct err err = { 0 };

    open_log(f, "half");
    snprintf(f->final, sizeof f->final, "%s", event_log_path(f->log));
    assert_int_equal(event_log_close(f->log, false, &err), ERR_OK);
    assert_int_equal(access(f->final, F_OK), 0);
    assert_true(sv_ends(sv(f->final), SV(".inprogress")));
}

static void odd_text_stays_json(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        { "a\"b\\c\n\t\x01", "\"a\\\"b\\\\c\\n\\t\\u0001\"" },
        { "\xc3\xa9\xff", "\"\xc3\xa9\xef\xbf\xbd\"" },
        { "", "\"\"" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct strbuf b = { 0 };

        js_text(&b, sv(cases[i].in));
        assert_string_equal(b.p, cases[i].out);
        strbuf_release(&b);
    }
    struct strbuf b = { 0 };
    js_int(&b, INT64_MIN);
    assert_string_equal(b.p, "-9223372036854775808");
    strbuf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_application_in_order, begin, end),
        cmocka_unit_test_setup_teardown(task_numbers_stand_twice, begin, end),
        cmocka_unit_test_setup_teardown(failures_by_kind, begin, end),
        cmocka_unit_test_setup_teardown(threads_do_not_mix_lines, begin, end),
        cmocka_unit_test_setup_teardown(an_unfinished_log_keeps_its_suffix, begin, end),
        cmocka_unit_test(odd_text_stays_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
