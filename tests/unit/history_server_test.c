/* Our numbers against those of real History Servers (3.5.9 and 4.3.0), field by field.
 *
 * tests/data/minimal and tests/data/history-server hold logs with the answers that the
 * servers' REST interfaces gave. rest.h makes the same answers from our model; the two
 * trees are compared leaf by leaf, in both directions. What may differ is listed here
 * and nowhere else: `differences` states for one place both values and the reason, and
 * an entry that no longer applies is a failure; `not_held` names keys that the model has
 * no use for, with the value they must have where zero is all that was seen. */
#include "tests/unit/load_helper.h"
#include "tests/unit/rest_sql.h"

static const struct not_held {
    const char *pattern; /* of the path; a star is any text */
    const char *only;    /* the server's answer wherever it is given; NULL: any */
    const char *why;
} not_held[] = {
#define NOT_HELD(pattern, only, why) { pattern, only, why },
#include "tests/unit/history_server_lists.h"
#undef NOT_HELD
};

static const struct difference {
    const char *log, *path, *server, *ours;
} differences[] = {
#define DIFFERS(log, path, server, ours) { log, path, server, ours },
#include "tests/unit/history_server_lists.h"
#undef DIFFERS
};

struct compare {
    const char *log;
    const struct app *app;
    bool used[ARRAY_LEN(differences) + 1];
    int compared, wrong;
};

/* A star stands for any text. */
static bool path_matches(const char *pattern, const char *path)
{
    for (; *pattern; pattern++, path++) {
        if (*pattern == '*') {
            for (; *path; path++)
                if (path_matches(pattern + 1, path))
                    return true;
            return pattern[1] == '\0';
        }
        if (*pattern != *path)
            return false;
    }
    return *path == '\0';
}

static void leaf(struct compare *c, const char *path, const char *server,
                 const char *ours)
{
    c->compared++;
    for (size_t i = 0; i < ARRAY_LEN(not_held); i++) {
        if (!path_matches(not_held[i].pattern, path))
            continue;
        if (server && not_held[i].only && strcmp(server, not_held[i].only) != 0) {
            print_error("%s %s: %s, not %s as for all so far: no longer to be left out\n",
                        c->log, path, server, not_held[i].only);
            c->wrong++;
        }
        return;
    }
    server = server ? server : "(none)";
    ours = ours ? ours : "(none)";
    for (size_t i = 0; i < ARRAY_LEN(differences); i++) {
        const struct difference *d = &differences[i];

        if (strcmp(d->log, c->log) != 0 || strcmp(d->path, path) != 0)
            continue;
        c->used[i] = true;
        if (strcmp(d->server, server) == 0 && strcmp(d->ours, ours) == 0)
            return;
        print_error("%s %s: server %s (listed %s), ours %s (listed %s)\n", c->log, path,
                    server, d->server, ours, d->ours);
        c->wrong++;
        return;
    }
    if (strcmp(server, ours) == 0)
        return;
    print_error("DIFFERS(\"%s\", \"%s\", \"%s\", \"%s\")\n", c->log, path, server, ours);
    c->wrong++;
}

static bool is_leaf(const cJSON *v)
{
    const cJSON *item;

    if (!cJSON_IsObject(v) && !cJSON_IsArray(v))
        return true;
    if (cJSON_IsObject(v))
        return v->child == NULL;
    cJSON_ArrayForEach(item, v) if (!cJSON_IsNumber(item)) return false;
    return true; /* a list of numbers is one value */
}

static void leaf_text(struct strbuf *out, const cJSON *v)
{
    const cJSON *item;

    strbuf_reset(out);
    if (cJSON_IsString(v)) {
        strbuf_addz(out, v->valuestring);
    } else if (cJSON_IsNumber(v)) {
        strbuf_printf(out, "%.17g", v->valuedouble);
    } else if (cJSON_IsArray(v)) {
        strbuf_addc(out, '[');
        cJSON_ArrayForEach(item, v)
            strbuf_printf(out, "%s%.17g", item == v->child ? "" : ",", item->valuedouble);
        strbuf_addc(out, ']');
    } else {
        strbuf_addz(out, cJSON_IsObject(v)  ? "{}"
                         : cJSON_IsTrue(v)  ? "true"
                         : cJSON_IsFalse(v) ? "false"
                                            : "null");
    }
}

/* What tells an item of a list from its neighbours, as "[7]" or "[3.1]"; by position
 * where it has no id of its own. */
static void item_key(struct strbuf *out, const cJSON *item, int position)
{
    static const char *const ids[][2] = { { "taskId", NULL },         { "jobId", NULL },
                                          { "stageId", "attemptId" }, { "nodeId", NULL },
                                          { "fromId", "toId" },       { "id", NULL } };

    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        const cJSON *a = cJSON_GetObjectItemCaseSensitive(item, ids[i][0]);
        const cJSON *b =
            ids[i][1] ? cJSON_GetObjectItemCaseSensitive(item, ids[i][1]) : NULL;

        if (!a)
            continue;
        if (cJSON_IsString(a))
            strbuf_printf(out, "[%s]", a->valuestring);
        else if (b)
            strbuf_printf(out, "[%d.%d]", a->valueint, b->valueint);
        else
            strbuf_printf(out, "[%d]", a->valueint);
        return;
    }
    strbuf_printf(out, "[%d]", position);
}

static const cJSON *item_by_key(const cJSON *list, const char *key)
{
    struct strbuf other = { 0 };
    const cJSON *item, *found = NULL;
    int position = 0;

    cJSON_ArrayForEach(item, list)
    {
        strbuf_reset(&other);
        item_key(&other, item, position++);
        if (!found && strcmp(other.p, key) == 0)
            found = item;
    }
    strbuf_release(&other);
    return found;
}

static void compare(struct compare *c, struct strbuf *path, const cJSON *server,
                    const cJSON *ours);

static const cJSON *child_of(const cJSON *parent, const char *step, bool list)
{
    if (list)
        return item_by_key(parent, step);
    return cJSON_GetObjectItemCaseSensitive(parent, step + (step[0] == '/'));
}

/* Children of `side`; those of the other side without a match come in a second call. */
static void compare_children(struct compare *c, struct strbuf *path, const cJSON *side,
                             const cJSON *other, bool other_is_ours)
{
    const cJSON *item;
    size_t len = path->len;
    bool list = cJSON_IsArray(side);
    int position = 0;

    cJSON_ArrayForEach(item, side)
    {
        if (list)
            item_key(path, item, position++);
        else
            strbuf_printf(path, list ? "[%s]" : "/%s", item->string);
        const cJSON *match = child_of(other, path->p + len, list);
        if (other_is_ours)
            compare(c, path, item, match);
        else if (!match)
            compare(c, path, NULL, item);
        path->p[path->len = len] = '\0';
    }
}

static void compare(struct compare *c, struct strbuf *path, const cJSON *server,
                    const cJSON *ours)
{
    if ((!server || is_leaf(server)) && (!ours || is_leaf(ours))) {
        struct strbuf a = { 0 }, b = { 0 };

        if (server)
            leaf_text(&a, server);
        if (ours)
            leaf_text(&b, ours);
        leaf(c, path->p, server ? a.p ? a.p : "" : NULL, ours ? b.p ? b.p : "" : NULL);
        strbuf_release(&a);
        strbuf_release(&b);
        return;
    }
    if (server)
        compare_children(c, path, server, ours, true);
    if (ours)
        compare_children(c, path, ours, server, false);
}

/* The lists of ids come in no order that means anything. */
static void sort_ids(cJSON *v)
{
    for (cJSON *a = v->child; a; a = a->next) {
        if (cJSON_IsArray(a) && a->string && strstr(a->string, "Ids")) {
            for (cJSON *x = a->child; x; x = x->next)
                for (cJSON *y = x->next; y; y = y->next)
                    if (y->valuedouble < x->valuedouble) {
                        double t = x->valuedouble;

                        cJSON_SetNumberValue(x, y->valuedouble);
                        cJSON_SetNumberValue(y, t);
                    }
        } else {
            sort_ids(a);
        }
    }
}

/* Of a reason, the first line and at most 400 bytes are kept. */
static void cut_kill_reasons(cJSON *list)
{
    cJSON *item, *reason;

    cJSON_ArrayForEach(item, list)
    {
        cJSON_ArrayForEach(reason, cJSON_GetObjectItem(item, "killedTasksSummary"))
        {
            size_t len = strcspn(reason->string, "\n");

            reason->string[len < 400 ? len : 400] = '\0';
        }
    }
}

/* Ports are not kept: "host-1:7101" becomes "host-1". */
static void take_off_ports(cJSON *executors)
{
    cJSON *x;

    cJSON_ArrayForEach(x, executors)
    {
        const char *host_port = cJSON_GetStringValue(cJSON_GetObjectItem(x, "hostPort"));
        char host[256];

        snprintf(host, sizeof host, "%.*s", (int)strcspn(host_port, ":"), host_port);
        cJSON_AddStringToObject(x, "host", host);
        cJSON_DeleteItemFromObject(x, "hostPort");
    }
}

static cJSON *expected_answers(const char *folder)
{
    char path[512];

    snprintf(path, sizeof path, "%s/expected.json", folder);
    char *text = slurp(path, NULL);
    cJSON *top = text ? cJSON_Parse(text) : NULL;

    free(text);
    if (!top)
        fail_msg("%s cannot be read", path);
    return top;
}

static void agree_with_server(const char *name, const char *folder, const char *file)
{
    static const struct {
        const char *key;
        cJSON *(*make)(const struct app *);
    } parts[] = {
        { "application", rest_application },
        { "jobs", rest_jobs },
        { "stages", rest_stages },
        { "taskList", rest_task_list },
        { "taskSummary", rest_task_summary },
        { "allexecutors", rest_executors },
        { "storage", rest_storage },
        { "sql", rest_sql },
    };
    struct compare c = { .log = name };
    struct app app = { 0 };
    struct strbuf path = { 0 };
    char log[512];

    snprintf(log, sizeof log, "%s/%s", folder, file);
    must_load(&app, log);
    c.app = &app;
    cJSON *top = expected_answers(folder);
    cJSON *answers = cJSON_GetObjectItem(top, "answers");
    take_off_ports(cJSON_GetObjectItem(answers, "allexecutors"));
    cut_kill_reasons(cJSON_GetObjectItem(answers, "jobs"));
    cut_kill_reasons(cJSON_GetObjectItem(answers, "stages"));
    sort_ids(answers);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        cJSON *ours = parts[i].make(&app);
        sort_ids(ours);
        cJSON *server = cJSON_GetObjectItemCaseSensitive(answers, parts[i].key);

        assert_non_null(server);
        strbuf_reset(&path);
        strbuf_printf(&path, "/%s", parts[i].key);
        compare(&c, &path, server, ours);
        cJSON_Delete(ours);
    }
    for (size_t i = 0; i < ARRAY_LEN(differences); i++) {
        if (strcmp(differences[i].log, name) == 0 && !c.used[i]) {
            print_error("%s %s: listed as a difference, but nothing there\n", name,
                        differences[i].path);
            c.wrong++;
        }
    }
    strbuf_release(&path);
    cJSON_Delete(top);
    app_release(&app);
    assert_true(c.compared > 500); /* something was compared at all */
    if (c.wrong)
        fail_msg("%s: %d of %d values are wrong", name, c.wrong, c.compared);
}

static void minimal_log_agrees(void **state)
{
    (void)state;
    agree_with_server("minimal", "tests/data/minimal", "app-minimal-0001");
}

static void failures_and_speculation_agree(void **state)
{
    (void)state;
    agree_with_server("failures-speculation",
                      "tests/data/history-server/failures-speculation", "log.zstd");
}

static void adaptive_queries_agree(void **state)
{
    (void)state;
    agree_with_server("sql-aqe", "tests/data/history-server/sql-aqe", "log.zstd");
}

static void cached_rdds_agree(void **state)
{
    (void)state;
    agree_with_server("cached-rdd", "tests/data/history-server/cached-rdd", "log.zstd");
}

/* --- what the server does differently, by its own rule
 * ---------------------------------- */

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static bool same_quantiles(const cJSON *list, const int64_t *sorted, uint32_t n_values,
                           uint32_t n_successes)
{
    bool same = cJSON_GetArraySize(list) == 5;

    for (uint32_t i = 0; i < 5 && same; i++) {
        uint32_t rank = i * n_successes / 4;

        rank = rank >= n_successes ? n_successes - 1 : rank;
        same = rank < n_values &&
               (int64_t)cJSON_GetArrayItem(list, (int)i)->valuedouble == sorted[rank];
    }
    return same;
}

/* All ended tasks sorted, but indexed as if there were only the successful ones. */
static void server_mixes_failures_into_three_quantiles(void **state)
{
    static const struct {
        const char *key;
        int64_t (*value)(const struct task_table *, uint32_t);
        struct quantiles (*ours)(const struct stage *);
    } cases[] = {
        { "duration", task_duration_ms, stage_duration_quantiles },
        { "schedulerDelay", task_scheduler_delay_ms, stage_scheduler_delay_quantiles },
        { "gettingResultTime", task_getting_result_ms, stage_getting_result_quantiles },
    };
    static const char *const folders[][2] = {
        { "tests/data/minimal", "app-minimal-0001" },
        { "tests/data/history-server/failures-speculation", "log.zstd" },
        { "tests/data/history-server/sql-aqe", "log.zstd" },
        { "tests/data/history-server/cached-rdd", "log.zstd" },
    };
    int differ = 0;

    (void)state;
    for (size_t f = 0; f < ARRAY_LEN(folders); f++) {
        struct app app = { 0 };
        char path[512];

        snprintf(path, sizeof path, "%s/%s", folders[f][0], folders[f][1]);
        must_load(&app, path);
        cJSON *top = expected_answers(folders[f][0]);
        const cJSON *all =
            cJSON_GetObjectItem(cJSON_GetObjectItem(top, "answers"), "taskSummary");
        app_each_stage (&app, s) {
            snprintf(path, sizeof path, "%d.%d", (int)s->stage_id, (int)s->attempt);
            const cJSON *summary = cJSON_GetObjectItem(all, path);

            for (size_t k = 0; k < ARRAY_LEN(cases); k++) {
                const cJSON *list = cJSON_GetObjectItem(summary, cases[k].key);
                int64_t *values = xcalloc((size_t)s->task.n * 2 + 1, sizeof *values);
                int64_t *good = values + s->task.n;
                uint32_t n = 0, n_good = 0;

                for (uint32_t row = 0; row < s->task.n; row++) {
                    if (task_state(&s->task, row) == TASK_RUNNING)
                        continue;
                    values[n++] = cases[k].value(&s->task, row);
                    if (task_state(&s->task, row) == TASK_SUCCESS)
                        good[n_good++] = values[n - 1];
                }
                qsort(values, n, sizeof *values, by_value);
                qsort(good, n_good, sizeof *good, by_value);
                struct quantiles q = cases[k].ours(s);
                assert_int_equal(q.n, n_good);
                if (n_good && !same_quantiles(list, values, n, n_good))
                    fail_msg("stage %s, %s: not the server's rule", path, cases[k].key);
                for (uint32_t i = 0; i < 5 && n_good; i++)
                    if (q.value[i] !=
                        good[i * n_good / 4 < n_good ? i * n_good / 4 : n_good - 1])
                        fail_msg("stage %s, %s: not that of the successes", path,
                                 cases[k].key);
                differ += n_good && !same_quantiles(list, good, n_good, n_good);
                free(values);
            }
        }
        cJSON_Delete(top);
        app_release(&app);
    }
    assert_int_equal(differ, 7); /* as listed */
}

/* --- messages
 * --------------------------------------------------------------------------- */

/* REST has a message for each task, we keep each kind of failure once with its count. */
static void failure_groups_tell_what_tasks_say(void **state)
{
    struct app app = { 0 };
    const char *folder = "tests/data/history-server/failures-speculation";
    int groups = 0;

    (void)state;
    must_load(&app, "tests/data/history-server/failures-speculation/log.zstd");
    cJSON *top = expected_answers(folder);
    const cJSON *lists =
        cJSON_GetObjectItem(cJSON_GetObjectItem(top, "answers"), "taskList");
    app_each_stage (&app, s) {
        char key[64];

        snprintf(key, sizeof key, "%d.%d", (int)s->stage_id, (int)s->attempt);
        const cJSON *list = cJSON_GetObjectItem(lists, key), *task;
        uint32_t with_message = 0, in_groups = 0;
        cJSON_ArrayForEach(task, list) with_message +=
            cJSON_GetObjectItem(task, "errorMessage") != NULL;
        for (size_t i = 0; i < s->n_failures; i++) {
            const struct failure_group *g = &s->failures[i];
            uint32_t say_so = 0, counted = g->tasks;
            bool python = sv_ends(g->class_name, SV("PythonException"));

            /* of a Python error the server keeps the line that says nothing */
            for (size_t k = 0; python && k < s->n_failures; k++)
                counted += k != i && sv_eq(s->failures[k].class_name, g->class_name)
                               ? s->failures[k].tasks
                               : 0;
            cJSON_ArrayForEach(task, list)
            {
                const char *m =
                    cJSON_GetStringValue(cJSON_GetObjectItem(task, "errorMessage"));

                if (!m || g->reason == REASON_FETCH_FAILED) {
                    say_so += m && strncmp(m, "FetchFailed(", 12) == 0;
                    continue;
                }
                /* the server's text begins with the class, and is cut to its first line
                 */
                struct sv said = sv(m), kept = g->text;
                if (g->class_name.p && sv_starts(said, g->class_name))
                    said = sv_from(said, g->class_name.len + 2);
                if (python) {
                    say_so += sv_starts(said, SV("Traceback"));
                    continue;
                }
                if (kept.len > said.len)
                    kept.len = said.len;
                say_so += sv_starts(said, kept) && kept.len > 0;
            }
            in_groups += g->tasks;
            if (g->reason != REASON_FETCH_FAILED && say_so != counted)
                fail_msg("stage %s: %u tasks say \"%s\", ours counts %u", key, say_so,
                         g->text.p, counted);
            groups++;
        }
        if (with_message != in_groups)
            fail_msg("stage %s: %u tasks with a message, %u in groups", key, with_message,
                     in_groups);
    }
    assert_true(groups >= 5);
    cJSON_Delete(top);
    app_release(&app);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(minimal_log_agrees),
        cmocka_unit_test(failures_and_speculation_agree),
        cmocka_unit_test(adaptive_queries_agree),
        cmocka_unit_test(cached_rdds_agree),
        cmocka_unit_test(server_mixes_failures_into_three_quantiles),
        cmocka_unit_test(failure_groups_tell_what_tasks_say),
    };

    return cmocka_run_group_tests_name("history_server", tests, NULL, NULL);
}
