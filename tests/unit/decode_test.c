/* Lines become the right records, whatever decoder reads them and whatever it has read
 * before; what is wrong with a line is said and harms no other. */
#include "tests/fuzz/event_dump.h"
#include "tests/unit/log_files.h"

#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define each_isa(isa)                                                                    \
    for (const struct decode_isa *const *at_ = decode_isas, *isa; (isa = *at_) != NULL;  \
         at_++)                                                                          \
        if (isa->supported())

/* Decodes text and dumps what came out of it. */
static void dump_of(const struct decode_isa *isa, struct sv text, struct event_batch *b,
                    struct strbuf *out)
{
    char *copy = xmalloc(text.len + DECODE_PADDING); /* nothing but padding behind it */

    memcpy(copy, text.p, text.len);
    memset(copy + text.len, '"', DECODE_PADDING);
    event_batch_reset(b);
    isa->lines(copy, text.len, true, b);
    strbuf_reset(out);
    dump_batch(out, b);
    free(copy);
}

static void expect(struct sv name, struct sv text, struct sv want)
{
    each_isa(isa)
    {
        struct event_batch b = { 0 };
        struct strbuf got = { 0 };

        for (int learnt = 0; learnt < 3; learnt++) {
            dump_of(isa, text, &b, &got);
            if (!sv_eq(strbuf_sv(&got), want))
                fail_msg("%.*s, %s:\n%s", SV_FMT(name), isa->name, got.p);
        }
        event_batch_release(&b);
        strbuf_release(&got);
    }
}

/* ---- cases ---- */

static struct strbuf whole_file(const char *path)
{
    struct strbuf text = { 0 };
    char block[4096];
    FILE *f = fopen(path, "rb");
    size_t n;

    if (!f)
        fail_msg("%s: cannot be read; run the tests from the project's folder", path);
    while ((n = fread(block, 1, sizeof block, f)) > 0)
        strbuf_add(&text, (struct sv){ block, n });
    fclose(f);
    return text;
}

/* What stands before the mark; *rest is moved behind it. */
static struct sv cut(struct sv *rest, struct sv mark)
{
    size_t at = sv_find(*rest, mark);
    struct sv head = { rest->p, at == SIZE_MAX ? rest->len : at };

    *rest = sv_from(*rest, at == SIZE_MAX ? rest->len : at + mark.len);
    return head;
}

static void cases_decode_as_written_down(void **state)
{
    struct strbuf file = whole_file("tests/unit/decode_cases.txt");
    struct sv rest = strbuf_sv(&file);
    int n = 0;

    (void)state;
    cut(&rest, SV("\n== "));
    for (; rest.len; n++) {
        struct sv one = cut(&rest, SV("\n== "));
        struct sv name = cut(&one, SV("\n")), text = cut(&one, SV("--\n"));
        struct strbuf want = { 0 };
        uint32_t lines = 0;

        for (size_t i = 0; i < text.len; i++)
            lines += text.p[i] == '\n';
        strbuf_add(&want, sv_trim(one));
        strbuf_printf(&want, "\n%" PRIu32 " lines\n", lines);
        expect(name, text, strbuf_sv(&want));
        strbuf_release(&want);
    }
    assert_true(n > 80);
    strbuf_release(&file);
}

static void odd_bytes_decode_as_expected(void **state)
{
    static const struct {
        const char *name;
        struct sv text, want;
    } cases[] = {
#define TEXT(literal) { literal, sizeof(literal) - 1 }
        { "nothing", TEXT(""), TEXT("0 lines\n") },
        { "blanks around",
          TEXT(" \t{ \"Event\" : \"SparkListenerUnpersistRDD\" , \"RDD ID\" : 4 } "),
          TEXT("0 UNPERSIST rdd=4\n1 lines\n") },
        { "blank lines", TEXT("\n \t\n"),
          TEXT("0 empty lines @0\n1 empty lines @1\n2 lines\n") },
        { "blank tail", TEXT("{\"Event\":\"x\"}\n  "),
          TEXT("0 UNKNOWN event=\"x\"\n1 empty lines @14\n2 lines\n") },
        { "NUL bytes",
          TEXT("{\"Event\":\"x\",\000\"a\":\"\000\"}\n\000\000\n{\"Event\":\"y\"}\n"),
          TEXT("0 UNKNOWN event=\"x\"\n2 UNKNOWN event=\"y\"\n"
               "0 NUL bytes @0\n1 empty lines @23\n1 NUL bytes @23\n3 lines\n") },
        { "NUL by escape",
          TEXT("{\"Event\":\"SparkListenerExecutorRemoved\",\"Executor "
               "ID\":\"a\\u0000b\"}"),
          TEXT("0 EXECUTOR_REMOVED id=\"a\000b\"\n1 lines\n") },
        { "CRLF", TEXT("{\"Event\":\"x\"}\r\n{\"Event\":\"y\"}\n"),
          TEXT("0 UNKNOWN event=\"x\"\n1 UNKNOWN event=\"y\"\n0 CRLF line ends @0\n2 "
               "lines\n") },
        { "byte order mark", TEXT("\xEF\xBB\xBF{\"Event\":\"x\"}\n"),
          TEXT("0 UNKNOWN event=\"x\"\n0 byte order mark @0\n1 lines\n") },
        { "byte order mark alone", TEXT("\xEF\xBB\xBF\n"),
          TEXT("0 not JSON @0\n1 lines\n") },
        { "UTF-8 and not",
          TEXT("{\"Event\":\"x\",\"a\":\"\377\"}\n{\"Event\":\"y\",\"a\":\"\303\251\"}\n"
               "{\"Event\":\"\303\"}\n"),
          TEXT("0 UNKNOWN event=\"x\"\n1 UNKNOWN event=\"y\"\n2 UNKNOWN event=\"\303\"\n"
               "0 not UTF-8 @0\n2 not UTF-8 @45\n3 lines\n") },
        { "torn", TEXT("{\"Event\":\"x\"}\n{\"Event\":\"SparkListenerTa"),
          TEXT("0 UNKNOWN event=\"x\"\n1 torn last line @14\n2 lines\n") },
        { "last line whole but for its newline",
          TEXT("{\"Event\":\"x\"}\n{\"Event\":\"y\"}"),
          TEXT("0 UNKNOWN event=\"x\"\n1 UNKNOWN event=\"y\"\n2 lines\n") },
        { "name that is not UTF-8 in an accumulable, twice",
          TEXT("{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":1,\"Task Info\":{\"Task "
               "ID\":1,"
               "\"Accumulables\":[{\"ID\":1,\"Name\":\"a name of some length \377\","
               "\"Update\":\"3\",\"Value\":\"4\",\"Internal\":true,\"Count Failed "
               "Values\":true}]"
               "}}\n"
               "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":1,\"Task Info\":{\"Task "
               "ID\":1,"
               "\"Accumulables\":[{\"ID\":1,\"Name\":\"a name of some length \377\","
               "\"Update\":\"3\",\"Value\":\"4\",\"Internal\":true,\"Count Failed "
               "Values\":true}]"
               "}}\n"),
          TEXT("0 TASK_END stage=1 stage_attempt=0 task=1 launch=0 finish=0 getting=0 "
               "any reason=0"
               " accum.1=3\n"
               "1 TASK_END stage=1 stage_attempt=0 task=1 launch=0 finish=0 getting=0 "
               "any reason=0"
               " accum.1=3\n"
               "0 not UTF-8 @0\n1 not UTF-8 @199\n2 lines\n") },
#undef TEXT
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect(sv(cases[i].name), cases[i].text, cases[i].want);
}

static void a_part_that_goes_on_is_not_torn(void **state)
{
    static const char text[64 + DECODE_PADDING] = "{\"Event\":\"Spa";
    struct event_batch b = { 0 };

    (void)state;
    decode_isa_best()->lines(text, strlen(text), false, &b);
    assert_int_equal(b.n, 0);
    assert_int_equal(b.n_damage, 1);
    assert_int_equal(b.damage[0].kind, DAMAGE_NOT_JSON);
    event_batch_release(&b);
}

static void every_damage_has_a_name(void **state)
{
    (void)state;
    for (int i = 0; i < DAMAGE_COUNT; i++)
        assert_non_null(line_damage_name((enum line_damage)i));
}

static void isa_is_chosen_by_name(void **state)
{
    (void)state;
    assert_int_equal(setenv("SPILLWAY_ISA", "portable", 1), 0);
    assert_string_equal(decode_isa_best()->name, "portable");
    assert_int_equal(setenv("SPILLWAY_ISA", "no such set", 1), 0);
    assert_true(decode_isa_best()->supported());
    assert_int_equal(unsetenv("SPILLWAY_ISA"), 0);
}

/* ---- every metric ---- */

static void every_task_metric_is_read(void **state)
{
    static const struct {
        const char *key, *group, *field;
    } metrics[] = {
#define METRIC_NAMES(id, key, group, field) { key, group, field },
        TASK_METRICS(METRIC_NAMES)
#undef METRIC_NAMES
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(metrics); i++) {
        struct strbuf text = { 0 }, want = { 0 };
        bool top = *metrics[i].group == '\0';

        strbuf_addz(&text,
                    "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":1,\"Task Info\":{"
                    "\"Task ID\":2},\"Task Metrics\":{");
        if (!top)
            strbuf_printf(&text, "\"%s\":{", metrics[i].group);
        strbuf_printf(&text, "\"%s\":12345}}%s\n", metrics[i].field, top ? "" : "}");
        strbuf_printf(
            &want,
            "0 TASK_END stage=1 stage_attempt=0 task=2 launch=0 finish=0 getting=0"
            " any reason=0 metrics %s=12345\n1 lines\n",
            metrics[i].key);
        expect(sv(metrics[i].key), strbuf_sv(&text), strbuf_sv(&want));
        strbuf_release(&text);
        strbuf_release(&want);
    }
}

static void every_executor_metric_is_read(void **state)
{
    (void)state;
    for (int i = 0; i < PEAK_COUNT; i++) {
        const char *name = executor_metric_name((enum executor_metric)i);
        struct strbuf text = { 0 }, want = { 0 };

        strbuf_printf(
            &text,
            "{\"Event\":\"SparkListenerStageExecutorMetrics\",\"Executor ID\":\"1\","
            "\"Stage ID\":2,\"Executor Metrics\":{\"%s\":17}}\n",
            name);
        strbuf_printf(&want,
                      "0 STAGE_EXECUTOR_METRICS executor=\"1\" stage=2 attempt=0 %s=17\n"
                      "1 lines\n",
                      name);
        expect(sv(name), strbuf_sv(&text), strbuf_sv(&want));
        strbuf_release(&text);
        strbuf_release(&want);
    }
}

/* A plan of n nodes, each in the one before it: 2 * n levels, and that of the line. */
static void plans_are_read_down_to_the_limit(void **state)
{
    (void)state;
    for (int n = 497; n <= 502; n++) {
        struct strbuf text = { 0 }, want = { 0 };

        strbuf_addz(&text, "{\"Event\":\"org.apache.spark.sql.execution.ui."
                           "SparkListenerSQLExecutionStart\",\"executionId\":1,"
                           "\"sparkPlanInfo\":");
        strbuf_addz(&want, "0 SQL_START id=1");
        for (int i = 0; i < n; i++) {
            strbuf_addz(&text, i ? "[{\"children\":" : "{\"children\":");
            strbuf_addz(&want, " node{");
        }
        strbuf_addz(&text, "[]}");
        for (int i = 0; i < n; i++) {
            strbuf_addz(&text, i ? "]}" : "");
            strbuf_addz(&want, " }");
        }
        strbuf_addz(&text, "}\n");
        strbuf_addz(&want, "\n1 lines\n");
        if (1 + 2 * n > 1000)
            expect(SV("deep plan"), strbuf_sv(&text), SV("0 not JSON @0\n1 lines\n"));
        else
            expect(SV("deep plan"), strbuf_sv(&text), strbuf_sv(&want));
        strbuf_release(&text);
        strbuf_release(&want);
    }
}

/* ---- accumulables that are nearly those of the task before ---- */

static uint32_t rng = 1;

static uint32_t rnd(uint32_t n)
{
    rng = rng * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(rng >> 8) * n >> 24);
}

static int64_t some_number(void)
{
    int64_t n = 0;

    for (uint32_t digits = 1 + rnd(rnd(4) ? 6 : 18); digits; digits--)
        n = n * 10 + rnd(10);
    return n;
}

static void add_accumulable(struct strbuf *line, struct strbuf *want, int id)
{
    static const char *const names[] = {
        "rows",
        "duration",
        "number of output rows",
        "internal.metrics.executorRunTime",
        "a name that is so long that the head of it does not fit into one comparison of "
        "64 bytes",
        "time taken waiting on file write IO (part of shuffle file write)",
        "internal.metrics.",
    };
    static const char *const tails[] = {
        "\"Internal\":true,\"Count Failed Values\":true}",
        "\"Internal\":true,\"Count Failed Values\":true,\"Metadata\":\"sql\"}",
        "\"Internal\":false,\"Count Failed Values\":false}",
        "\"Internal\":false,\"Count Failed Values\":false,\"More\":[1]}",
        "\"Internal\":true}",
    };
    const char *name = names[id % (int)ARRAY_LEN(names)];
    int64_t update = some_number();
    const char *q = id % 3 ? "\"" : "", *sign = rnd(20) ? "" : "-",
               *blank = rnd(50) ? "" : " ";

    strbuf_printf(line,
                  "{\"ID\":%d,\"Name\":\"%s\",%s\"Update\":%s%s%" PRId64
                  "%s,\"Value\":%s%" PRId64 "%s,%s",
                  id, name, blank, q, sign, update, q, q, some_number(), q,
                  tails[rnd(30) ? id % 4 : 4]);
    if (strncmp(name, "internal.metrics.", 17) != 0)
        strbuf_printf(want, " accum.%d=%" PRId64, id, *sign ? -update : update);
}

static void accumulables_are_right_when_guessed(void **state)
{
    struct strbuf text = { 0 }, want = { 0 };

    (void)state;
    for (int task = 0; task < 3000; task++) {
        int stage = (int)rnd(3), first = stage * 4099 + 10, n = 0;

        strbuf_printf(
            &text,
            "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":%d,\"Task Info\":{"
            "\"Task ID\":%d,\"Accumulables\":[",
            stage, task);
        strbuf_printf(
            &want,
            "%d TASK_END stage=%d stage_attempt=0 task=%d launch=0 finish=0 getting=0"
            " any reason=0",
            task, stage, task);
        for (int i = 0; i < 40; i++) {
            if (rnd(15) == 0)
                continue;
            strbuf_addz(&text, n++ ? "," : "");
            add_accumulable(&text, &want, first + i * (stage == 2 ? 4096 : 1));
        }
        strbuf_addz(&text, "]}}\n");
        strbuf_addz(&want, "\n");
    }
    strbuf_addz(&want, "3000 lines\n");
    expect(SV("accumulables"), strbuf_sv(&text), strbuf_sv(&want));
    strbuf_release(&text);
    strbuf_release(&want);
}

/* ---- real logs ---- */

static void compare_decoders(const char *path, const char *text, size_t len)
{
    struct strbuf first = { 0 }, dump = { 0 };

    each_isa(isa)
    {
        struct event_batch b = { 0 };

        isa->lines(text, len, true, &b);
        strbuf_reset(&dump);
        dump_batch(&dump, &b);
        if (!first.p)
            strbuf_add(&first, strbuf_sv(&dump));
        if (!sv_eq(strbuf_sv(&first), strbuf_sv(&dump)))
            fail_msg("%s: %s decodes otherwise", path, isa->name);
        event_batch_release(&b);
    }
    strbuf_release(&first);
    strbuf_release(&dump);
}

static void decoders_agree_on_real_logs(void **state)
{
    (void)state;
    if (each_log(compare_decoders) == 0)
        skip();
}

/* Small chunks, decoded one after the other by one batch, yield what the whole does. */
static void compare_chunks(const char *path, const char *text, size_t len)
{
    struct event_batch whole = { 0 }, b = { 0 };
    struct strbuf want = { 0 }, got = { 0 };
    size_t next = 0, n;

    decode_isa_best()->lines(text, len, true, &whole);
    for (size_t at = 0; at < len; at += n) {
        size_t least = len - at < 60000 ? len - at : 60000;
        const char *nl = memchr(text + at + least, '\n', len - at - least);

        n = nl ? (size_t)(nl - (text + at)) + 1 : len - at;
        event_batch_reset(&b);
        decode_isa_best()->lines(text + at, n, at + n == len, &b);
        for (size_t i = 0; i < b.n; i++, next++) {
            strbuf_reset(&want);
            strbuf_reset(&got);
            assert_true(next < whole.n);
            dump_body(&want, &whole.events[next]);
            dump_body(&got, &b.events[i]);
            if (whole.events[next].offset != at + b.events[i].offset ||
                !sv_eq(strbuf_sv(&want), strbuf_sv(&got)))
                fail_msg("%s: event %zu differs in a chunk", path, next);
        }
    }
    assert_int_equal(next, whole.n);
    event_batch_release(&whole);
    event_batch_release(&b);
    strbuf_release(&want);
    strbuf_release(&got);
}

static void chunks_do_not_matter(void **state)
{
    (void)state;
    if (each_log(compare_chunks) == 0)
        skip();
}

/* TaskEnds as a general parser sees them. */
static int64_t tree_number(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

    return cJSON_IsNumber(item) ? (int64_t)item->valuedouble : EVENT_NONE;
}

static void check_metrics(const cJSON *tree, const struct ev_task_end *e,
                          const char *where)
{
    static const struct {
        const char *group, *field;
    } metrics[] = {
#define METRIC_NAMES(id, key, group, field) { group, field },
        TASK_METRICS(METRIC_NAMES)
#undef METRIC_NAMES
    };

    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        const char *group = metrics[i].group;
        int64_t want =
            tree_number(*group ? cJSON_GetObjectItemCaseSensitive(tree, group) : tree,
                        metrics[i].field);

        if (i == METRIC_PEAK_EXECUTION_BYTES && want == EVENT_NONE)
            continue; /* may come from an accumulable */
        if ((e->metrics_seen >> i & 1) != (want != EVENT_NONE) ||
            (want != EVENT_NONE && e->metric[i] != want))
            fail_msg("%s: %s", where, metrics[i].field);
    }
}

static void check_accums(const cJSON *list, const struct ev_task_end *e,
                         const char *where)
{
    const cJSON *item;
    size_t n = 0;

    cJSON_ArrayForEach(item, list)
    {
        const cJSON *name = cJSON_GetObjectItemCaseSensitive(item, "Name");
        const cJSON *update = cJSON_GetObjectItemCaseSensitive(item, "Update");
        const char *text = cJSON_GetStringValue(update);
        char *end = NULL;
        int64_t value = text ? strtoll(text, &end, 10) : tree_number(item, "Update");

        if (cJSON_IsString(name) &&
            strncmp(name->valuestring, "internal.metrics.", 17) == 0)
            continue;
        if (!update || (text && (end == text || *end)) ||
            (!text && !cJSON_IsNumber(update)))
            continue;
        if (n >= e->n_accums || e->accums[n].id != tree_number(item, "ID") ||
            e->accums[n].value != value)
            fail_msg("%s: accumulable %zu", where, n);
        n++;
    }
    if (n != e->n_accums)
        fail_msg("%s: %zu accumulables, should be %zu", where, e->n_accums, n);
}

static void check_task_ends(const char *path, const char *text, size_t len)
{
    struct event_batch b = { 0 };

    decode_isa_best()->lines(text, len, true, &b);
    for (size_t i = 0; i < b.n; i++) {
        const struct ev_task_end *e = b.events[i].body;
        char where[300];

        if (b.events[i].kind != EVENT_TASK_END)
            continue;
        snprintf(where, sizeof where, "%s:%" PRIu32, path, b.events[i].line + 1);
        cJSON *tree =
            cJSON_ParseWithLength(text + b.events[i].offset, len - b.events[i].offset);
        const cJSON *info = cJSON_GetObjectItemCaseSensitive(tree, "Task Info");

        assert_int_equal(e->task.task_id, tree_number(info, "Task ID"));
        assert_int_equal(e->task.launch_ms, tree_number(info, "Launch Time"));
        assert_int_equal(e->task.finish_ms, tree_number(info, "Finish Time"));
        assert_int_equal(e->task.stage_id, tree_number(tree, "Stage ID"));
        if (cJSON_HasObjectItem(tree, "Task Metrics"))
            check_metrics(cJSON_GetObjectItemCaseSensitive(tree, "Task Metrics"), e,
                          where);
        check_accums(cJSON_GetObjectItemCaseSensitive(info, "Accumulables"), e, where);
        cJSON_Delete(tree);
    }
    event_batch_release(&b);
}

static void ends_of_real_tasks_are_as_cjson_reads_them(void **state)
{
    (void)state;
    if (each_log(check_task_ends) == 0)
        skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_decode_as_written_down),
        cmocka_unit_test(odd_bytes_decode_as_expected),
        cmocka_unit_test(a_part_that_goes_on_is_not_torn),
        cmocka_unit_test(every_damage_has_a_name),
        cmocka_unit_test(isa_is_chosen_by_name),
        cmocka_unit_test(every_task_metric_is_read),
        cmocka_unit_test(every_executor_metric_is_read),
        cmocka_unit_test(plans_are_read_down_to_the_limit),
        cmocka_unit_test(accumulables_are_right_when_guessed),
        cmocka_unit_test(decoders_agree_on_real_logs),
        cmocka_unit_test(chunks_do_not_matter),
        cmocka_unit_test(ends_of_real_tasks_are_as_cjson_reads_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
