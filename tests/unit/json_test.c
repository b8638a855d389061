/* The JSON writer, and the report's JSON held against cJSON and the model. */
#include "ui/json_writer.h"
#include "ui/report.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include <cjson/cJSON.h>

static void text_is_always_valid(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *json;
    } cases[] = {
        { "", 0, "\"\"" },
        { NULL, 0, "null" },
        { "a\"b\\c", 5, "\"a\\\"b\\\\c\"" },
        { "\n\r\t\x01\x1f\x7f", 6, "\"\\n\\r\\t\\u0001\\u001f\\u007f\"" },
        { "a\0b", 3, "\"a\\u0000b\"" },
        { "caf\xc3\xa9", 5, "\"caf\xc3\xa9\"" },
        { "\xff\xc3", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
        /* half of a surrogate pair */
        { "\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct strbuf out = { 0 };
        struct json_writer w = { .out = &out };

        json_text(&w, (struct sv){ cases[i].text, cases[i].len });
        if (strcmp(out.p, cases[i].json) != 0)
            fail_msg("case %zu: %s", i, out.p);
        strbuf_release(&out);
    }
}

static void numbers_are_exact(void **state)
{
    static const struct {
        int64_t n;
        const char *json;
    } cases[] = {
        { 0, "0" },
        { -1, "-1" },
        { INT64_MAX, "9223372036854775807" },
        { INT64_MIN + 1, "-9223372036854775807" },
        { JSON_NONE, "null" },
    };
    static const double doubles[] = { 0.1, 1.0 / 3, 4, 1e300, -2.5e-7, 123456789.125 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct strbuf out = { 0 };
        struct json_writer w = { .out = &out };

        json_int(&w, cases[i].n);
        assert_string_equal(out.p, cases[i].json);
        strbuf_release(&out);
    }
    for (size_t i = 0; i < ARRAY_LEN(doubles); i++) {
        struct strbuf out = { 0 };
        struct json_writer w = { .out = &out };

        json_double(&w, doubles[i]);
        assert_true(strtod(out.p, NULL) == doubles[i]);
        strbuf_release(&out);
    }
    struct strbuf out = { 0 };
    struct json_writer w = { .out = &out };
    json_double(&w, (double)NAN);
    assert_string_equal(out.p, "null");
    strbuf_release(&out);
}

static void commas_stand_where_they_belong(void **state)
{
    struct strbuf out = { 0 };
    struct json_writer w = { .out = &out };

    (void)state;
    json_object(&w);
    json_put_int(&w, "a", 1);
    json_key(&w, "b");
    json_array(&w);
    json_array_end(&w);
    json_key(&w, "c");
    json_array(&w);
    json_int(&w, 1);
    json_object(&w);
    json_object_end(&w);
    json_null(&w);
    json_array_end(&w);
    json_key_text(&w, SV("k\""));
    json_bool(&w, true);
    json_object_end(&w);
    assert_string_equal(out.p, "{\"a\":1,\"b\":[],\"c\":[1,{},null],\"k\\\"\":true}");
    strbuf_release(&out);
}

/* --- the report
 * ------------------------------------------------------------------------- */

struct loaded {
    struct arena arena;
    struct analysis a;
    struct report r;
    struct strbuf text;
    cJSON *json;
};

static void load(struct loaded *l, const char *path)
{
    struct log_list list = { 0 };
    struct load_options options = { 0 };
    struct err err = { 0 };

    *l = (struct loaded){ 0 };
    if (log_list_find(&list, sv(path), &l->arena, &err) != ERR_OK || list.n != 1)
        fail_msg("%s: %s", path, err.text);
    if (cli_try_analysis(&list.logs[0], options.threads, NULL, &l->a, &err) != ERR_OK)
        fail_msg("%s: %s", path, err.text);
    report_build(&l->r, &l->a, list.logs[0].path);
    render_json(&l->text, &l->r);
    l->json = cJSON_Parse(l->text.p);
    if (!l->json)
        fail_msg("%s: not JSON near %.60s", path, cJSON_GetErrorPtr());
}

static void drop(struct loaded *l)
{
    cJSON_Delete(l->json);
    strbuf_release(&l->text);
    report_release(&l->r);
    analysis_release(&l->a);
    arena_release(&l->arena);
}

static const char *const logs[] = {
    "tests/data/minimal/app-minimal-0001",
    "tests/data/history-server/sql-aqe/log.zstd",
    "tests/data/history-server/failures-speculation/log.zstd",
    "tests/data/history-server/cached-rdd/log.zstd",
    "tests/data/logs/fetch-failure",
    "tests/data/logs/killed-in-progress",
    "tests/data/logs/streaming-control",
};

static const cJSON *at(const cJSON *json, const char *path)
{
    char words[128];
    char *save = NULL;

    snprintf(words, sizeof words, "%s", path);
    for (char *w = strtok_r(words, ".", &save); w; w = strtok_r(NULL, ".", &save)) {
        json = cJSON_GetObjectItemCaseSensitive(json, w);
        if (!json)
            fail_msg("no %s", path);
    }
    return json;
}

/* Every object of the array has exactly these keys, and maybe more. */
static void assert_keys(const cJSON *array, const char *keys)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, array)
    {
        char words[1024];
        char *save = NULL;

        snprintf(words, sizeof words, "%s", keys);
        for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
            if (!cJSON_HasObjectItem(item, w))
                fail_msg("no %s in %.200s", w, cJSON_PrintUnformatted(item));
        }
    }
}

/* docs/analysis-json.md */
static void all_promised_keys_are_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(logs); i++) {
        struct loaded l;

        load(&l, logs[i]);
        assert_string_equal(at(l.json, "schema")->valuestring, "spillway/analysis/1");
        cJSON *top = cJSON_CreateArray();
        cJSON_AddItemReferenceToArray(top, l.json);
        assert_keys(
            top,
            "schema spillway application completeness ledgers critical_path jobs stages "
            "executors sql settings findings not_judged plan_of_changes questions");
        cJSON_Delete(top);
        assert_non_null(at(l.json, "application.cores_peak"));
        assert_non_null(at(l.json, "application.finished"));
        assert_non_null(at(l.json, "completeness.missing_parts"));
        assert_non_null(at(l.json, "plan_of_changes.wall_ms_predicted"));
        assert_non_null(at(l.json, "questions.scales.replay_error"));
        assert_keys(at(l.json, "ledgers.wall"), "entry ms share");
        assert_keys(at(l.json, "ledgers.core_time"), "entry ms share");
        assert_keys(at(l.json, "critical_path"), "kind stage_id attempt start_ms ms");
        assert_keys(at(l.json, "jobs"),
                    "job_id status sql_execution_id description submitted_ms "
                    "completed_ms stage_ids skipped_stage_ids");
        assert_keys(
            at(l.json, "stages"),
            "stage_id attempt status name job_ids parents tasks completed_tasks "
            "failed_tasks "
            "killed_tasks speculative_tasks submitted_ms completed_ms wall_ms run_ms "
            "cpu_ns "
            "gc_ms deserialize_ms scheduler_delay_ms getting_result_ms "
            "result_serialize_ms "
            "input_bytes input_rows output_bytes output_rows shuffle_read_bytes "
            "shuffle_read_rows shuffle_remote_bytes shuffle_fetch_wait_ms "
            "shuffle_write_bytes "
            "shuffle_write_rows shuffle_write_ns spill_memory_bytes spill_disk_bytes "
            "peak_execution_bytes failure quantiles critical slack_ms");
        assert_keys(at(l.json, "executors"),
                    "executor_id host cores added_ms removed_ms removed_reason tasks "
                    "failed_tasks "
                    "run_ms gc_ms input_bytes shuffle_read_bytes shuffle_write_bytes "
                    "max_memory_bytes peaks");
        assert_keys(at(l.json, "sql"),
                    "execution_id description status submitted_ms completed_ms "
                    "wall_ms job_ids plan_versions plan");
        assert_keys(at(l.json, "settings"), "key value source scope");
        assert_keys(
            at(l.json, "findings"),
            "id severity question where title cause evidence saves_ms basis confidence "
            "remedy risk verify");
        assert_keys(at(l.json, "not_judged"), "id why enable");
        drop(&l);
    }
}

static int64_t sum_ms(const cJSON *entries)
{
    const cJSON *entry;
    double sum = 0;

    cJSON_ArrayForEach(entry, entries) sum += at(entry, "ms")->valuedouble;
    return (int64_t)sum;
}

static void ledgers_and_path_add_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(logs); i++) {
        struct loaded l;

        load(&l, logs[i]);
        int64_t wall_ms = (int64_t)at(l.json, "application.wall_ms")->valuedouble;
        if (sum_ms(at(l.json, "ledgers.wall")) != wall_ms ||
            sum_ms(at(l.json, "critical_path")) != wall_ms)
            fail_msg("%s: not %lld ms", logs[i], (long long)wall_ms);
        assert_int_equal(sum_ms(at(l.json, "ledgers.core_time")),
                         l.a.ledgers.core_total_ms);
        drop(&l);
    }
}

static void what_the_log_does_not_hold_is_null(void **state)
{
    struct loaded l;
    const cJSON *stage;
    int skipped = 0;

    (void)state;
    load(&l, "tests/data/history-server/sql-aqe/log.zstd");
    cJSON_ArrayForEach(stage, at(l.json, "stages"))
    {
        if (strcmp(at(stage, "status")->valuestring, "skipped") != 0)
            continue;
        skipped++;
        assert_true(cJSON_IsNull(at(stage, "run_ms")));
        assert_true(cJSON_IsNull(at(stage, "submitted_ms")));
        assert_true(cJSON_IsNull(at(stage, "quantiles.run_ms")));
        assert_true(cJSON_IsNumber(at(stage, "ran_as_stage_id")));
    }
    assert_true(skipped > 0);
    drop(&l);
}

static void the_same_log_gives_the_same_bytes(void **state)
{
    struct loaded a, b;

    (void)state;
    load(&a, logs[1]);
    load(&b, logs[1]);
    assert_int_equal(a.text.len, b.text.len);
    assert_memory_equal(a.text.p, b.text.p, a.text.len);
    drop(&a);
    drop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_always_valid),
        cmocka_unit_test(numbers_are_exact),
        cmocka_unit_test(commas_stand_where_they_belong),
        cmocka_unit_test(all_promised_keys_are_there),
        cmocka_unit_test(ledgers_and_path_add_up),
        cmocka_unit_test(what_the_log_does_not_hold_is_null),
        cmocka_unit_test(the_same_log_gives_the_same_bytes),
    };

    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
