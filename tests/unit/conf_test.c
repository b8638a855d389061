/* Effective settings: defaults by version, what was set and where, values, the list. */
#include "analyzer/conf.h"
#include "analyzer/conf_defaults.h"
#include "base/strbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#define MIB ((int64_t)1024 * 1024)
#define GIB (1024 * MIB)
#define REDACTED "*********(redacted)"

struct fixture {
    struct arena arena;
    struct app app;
    struct sql sqls[8];
    struct job jobs[8];
    uint32_t job_ixs[8];
    struct executor executors[4];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    *state = f;
    if (!f)
        return -1;
    f->app.spark_version = SV("3.5.1");
    f->app.sqls = f->sqls;
    f->app.jobs = f->jobs;
    f->app.executors = f->executors;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    arena_release(&f->arena);
    free(f);
    return 0;
}

/* "key=value" pairs up to NULL. */
static struct kvs kvs_of(struct fixture *f, const char *const *pairs)
{
    struct kvs k = { 0 };

    while (pairs[k.n])
        k.n++;
    k.items = arena_array(&f->arena, k.n, sizeof *k.items);
    for (size_t i = 0; i < k.n; i++) {
        struct sv text = sv(pairs[i]);
        size_t eq = sv_find(text, SV("="));

        k.items[i].key = arena_sv(&f->arena, (struct sv){ text.p, eq });
        k.items[i].value = arena_sv(&f->arena, sv_from(text, eq + 1));
    }
    return k;
}

#define KVS(f, ...) kvs_of((f), (const char *const[]){ __VA_ARGS__, NULL })

static struct sql *add_sql(struct fixture *f, int64_t id)
{
    struct sql *q = &f->sqls[f->app.n_sqls];

    q->execution_id = id;
    q->job_ixs = &f->job_ixs[f->app.n_sqls];
    f->app.n_sqls++;
    return q;
}

static void add_job(struct fixture *f, struct sql *q, struct kvs properties)
{
    q->job_ixs[q->n_jobs++] = (uint32_t)f->app.n_jobs;
    f->jobs[f->app.n_jobs++].properties = properties;
}

static void check(const struct app *app, const struct sql *sql, const char *key,
                  const char *value, enum conf_source source, const char *scope)
{
    struct setting s = conf_get(app, sql, key);

    if (!sv_is(s.key, key))
        fail_msg("%s: answered as %.*s", key, SV_FMT(s.key));
    if ((s.value.p == NULL) != (value == NULL) || (value && !sv_is(s.value, value)))
        fail_msg("%s on %.*s is \"%.*s\", not \"%s\"", key, SV_FMT(app->spark_version),
                 SV_FMT(s.value), value ? value : "(none)");
    if (s.source != source || (scope && !sv_is(s.scope, scope)))
        fail_msg("%s on %.*s: %s, \"%.*s\"", key, SV_FMT(app->spark_version),
                 conf_source_name(s.source), SV_FMT(s.scope));
}

/* --- the table ----------------------------------------------------------------- */

static void keys_are_sorted_and_their_lists_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < conf_n_keys; i++) {
        const struct conf_key *k = &conf_keys[i];

        if (i > 0 && strcmp(conf_keys[i - 1].key, k->key) >= 0)
            fail_msg("%s stands behind %s", k->key, conf_keys[i - 1].key);
        if (k->dflt[0].rule == CONF_LIST_END)
            fail_msg("%s: since when?", k->key);
        if ((k->type == CONF_BYTES || k->type == CONF_TIME) != (k->bare != 0))
            fail_msg("%s: what is a bare number?", k->key);
        assert_ptr_equal(conf_key_find(sv(k->key)), k);
        for (size_t d = 1; d < ARRAY_LEN(k->dflt) && k->dflt[d].rule != CONF_LIST_END;
             d++)
            if (k->dflt[d - 1].from >= k->dflt[d].from)
                fail_msg("%s: versions out of order", k->key);
        for (size_t o = 0; o < ARRAY_LEN(k->older) && k->older[o].key; o++)
            if (conf_key_find(sv(k->older[o].key)) && k->older[o].until == 0)
                fail_msg("%s is a key of its own", k->older[o].key);
    }
}

/* Every default and every set value must be readable as what the key holds. */
static void defaults_parse_as_their_type(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < conf_n_keys; i++) {
        const struct conf_key *k = &conf_keys[i];

        for (size_t d = 0; d < ARRAY_LEN(k->dflt) && k->dflt[d].rule != CONF_LIST_END;
             d++) {
            bool ok = true;

            if (k->dflt[d].rule == CONF_SAME_AS && !conf_key_find(sv(k->dflt[d].value)))
                fail_msg("%s falls back to an unknown key", k->key);
            if (k->dflt[d].rule != CONF_IS)
                continue;
            struct strbuf pair = { 0 };
            strbuf_printf(&pair, "%s=%s", k->key, k->dflt[d].value);
            f->app.spark = kvs_of(f, (const char *const[]){ pair.p, NULL });
            strbuf_release(&pair);
            switch (k->type) {
            case CONF_TEXT:
                break;
            case CONF_BOOL:
                ok = conf_bool(&f->app, NULL, k->key, true) ==
                     conf_bool(&f->app, NULL, k->key, false);
                break;
            case CONF_INT:
                ok = conf_i64(&f->app, NULL, k->key, APP_NONE) != APP_NONE;
                break;
            case CONF_DOUBLE:
                ok = conf_double(&f->app, NULL, k->key, -77) > -77;
                break;
            case CONF_BYTES:
                ok = conf_bytes(&f->app, NULL, k->key, APP_NONE) != APP_NONE;
                break;
            case CONF_TIME:
                ok = conf_ms(&f->app, NULL, k->key, APP_NONE) != APP_NONE;
                break;
            }
            if (!ok)
                fail_msg("%s: \"%s\" does not parse", k->key, k->dflt[d].value);
        }
    }
}

static char *read_all(struct fixture *f, const char *path)
{
    FILE *in = fopen(path, "rb");
    char *text = arena_bytes(&f->arena, 1 << 20);
    size_t n;

    if (!in)
        return NULL;
    n = fread(text, 1, (1 << 20) - 1, in);
    fclose(in);
    text[n] = '\0';
    return text;
}

static void compare_one(const struct conf_key *k, const cJSON *spark, unsigned version)
{
    const struct conf_default *d = conf_key_default(k, version);
    const char *value =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(spark, "default"));
    const char *same =
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(spark, "falls_back_to"));
    enum conf_rule rule = same ? CONF_SAME_AS : value ? CONF_IS : CONF_NONE;

    if (!d)
        fail_msg("%s is not in version %u of the table", k->key, version);
    if (d->rule == CONF_OPEN)
        return;
    if (d->rule != rule || (rule == CONF_IS && strcmp(d->value, value) != 0) ||
        (rule == CONF_SAME_AS && strcmp(d->value, same) != 0))
        fail_msg("%s in %u: rule %d \"%s\", but Spark has \"%s\"", k->key, version,
                 d->rule, d->value ? d->value : "",
                 same    ? same
                 : value ? value
                         : "nothing");
}

/* Read by Spark or Hadoop without being registered: no list of Spark's has them. */
static bool is_unregistered(const char *key)
{
    static const char *const keys[] = {
        "spark.hadoop.", "spark.kubernetes.",          "spark.local.dir",
        "spark.master",  "spark.python.worker.memory", "spark.streaming.backpressure."
    };

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (strncmp(key, keys[i], strlen(keys[i])) == 0)
            return true;
    return false;
}

static void compare(struct fixture *f, const char *folder, unsigned version,
                    size_t at_least, bool whole)
{
    char path[256];
    size_t n = 0;

    snprintf(path, sizeof path, "%s/%s", folder,
             version == CONF_VERSION(3, 5) ? "spark-3.5.9.json" : "spark-4.3.0.json");
    char *text = read_all(f, path);
    if (!text)
        skip();
    cJSON *all = cJSON_Parse(text);
    if (!all)
        fail_msg("%s is no JSON", path);
    for (size_t i = 0; i < conf_n_keys; i++) {
        const struct conf_key *k = &conf_keys[i];
        const char *section = strncmp(k->key, "spark.sql.", 10) == 0 ? "sql" : "core";
        const cJSON *spark = cJSON_GetObjectItemCaseSensitive(
            cJSON_GetObjectItemCaseSensitive(all, section), k->key);
        const struct conf_default *d = conf_key_default(k, version);

        if (spark) {
            compare_one(k, spark, version);
            n++;
        } else if (whole && d && d->rule != CONF_GONE && !is_unregistered(k->key)) {
            fail_msg("%s: %u does not have it", k->key, version);
        }
    }
    cJSON_Delete(all);
    if (n < at_least)
        fail_msg("%s: only %zu keys compared", path, n);
}

static void defaults_equal_an_excerpt_of_sparks(void **state)
{
    compare(*state, "tests/data/conf", CONF_VERSION(3, 5), 90, false);
    compare(*state, "tests/data/conf", CONF_VERSION(4, 3), 90, false);
}

static void defaults_equal_those_of_spark_3_5_9(void **state)
{
    compare(*state, "../shared/reference/configs", CONF_VERSION(3, 5), 300, true);
}

static void defaults_equal_those_of_spark_4_3_0(void **state)
{
    compare(*state, "../shared/reference/configs", CONF_VERSION(4, 3), 320, true);
}

/* --- versions ------------------------------------------------------------------ */

static void defaults_follow_the_version(void **state)
{
    static const struct {
        const char *version, *key, *value;
        enum conf_source source;
        const char *scope;
    } cases[] = {
        { "3.5.1", "spark.sql.adaptive.enabled", "true", CONF_DEFAULT, "Spark 3.5" },
        { "3.2.0", "spark.sql.adaptive.enabled", "true", CONF_DEFAULT, "Spark 3.2" },
        { "3.1.3", "spark.sql.adaptive.enabled", "false", CONF_DEFAULT, "Spark 3.1" },
        { "1.6.0", "spark.sql.adaptive.enabled", "false", CONF_DEFAULT, "Spark 1.6" },
        { "1.5.2", "spark.sql.adaptive.enabled", NULL, CONF_UNKNOWN, "Spark 1.5" },
        { "1.6.3", "spark.memory.fraction", "0.75", CONF_DEFAULT, "Spark 1.6" },
        { "2.0.0", "spark.memory.fraction", "0.6", CONF_DEFAULT, "Spark 2.0" },
        { "1.6.3", "spark.io.compression.codec", "snappy", CONF_DEFAULT, NULL },
        { "2.4.8", "spark.io.compression.codec", "lz4", CONF_DEFAULT, NULL },
        { "3.5.9", "spark.speculation.multiplier", "1.5", CONF_DEFAULT, NULL },
        { "4.0.0", "spark.speculation.multiplier", "3.0", CONF_DEFAULT, NULL },
        { "3.5.9", "spark.speculation.quantile", "0.75", CONF_DEFAULT, NULL },
        { "4.1.0", "spark.speculation.quantile", "0.9", CONF_DEFAULT, NULL },
        { "3.3.4", "spark.dynamicAllocation.shuffleTracking.enabled", "false",
          CONF_DEFAULT, NULL },
        { "3.4.0", "spark.dynamicAllocation.shuffleTracking.enabled", "true",
          CONF_DEFAULT, NULL },
        { "3.3.0", "spark.sql.optimizer.runtime.bloomFilter.enabled", "false",
          CONF_DEFAULT, NULL },
        { "4.1.2", "spark.sql.execution.pythonUDF.arrow.enabled", "false", CONF_DEFAULT,
          NULL },
        { "4.2.0", "spark.sql.execution.pythonUDF.arrow.enabled", "true", CONF_DEFAULT,
          NULL },
        { "3.3.0", "spark.sql.execution.pythonUDF.arrow.enabled", NULL, CONF_UNKNOWN,
          NULL },
        { "2.4.0", "spark.sql.orc.filterPushdown", "true", CONF_DEFAULT, NULL },
        { "2.3.4", "spark.sql.orc.filterPushdown", "false", CONF_DEFAULT, NULL },
        { "1.4.1", "spark.executor.memory", NULL, CONF_UNKNOWN, "Spark 1.4" },
        { "3.0.1", "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version", NULL,
          CONF_UNKNOWN, NULL },
        { "4.2.0-SNAPSHOT", "spark.task.cpus", "1", CONF_DEFAULT, "Spark 4.2" },
        { "4.0.0-preview2", "spark.task.cpus", "1", CONF_DEFAULT, "Spark 4.0" },
        { "3.3.0-amzn-0", "spark.task.cpus", "1", CONF_DEFAULT,
          "Spark 3.3 (the vendor may differ)" },
        { "2.4.7.7.1.7.0-551", "spark.task.cpus", "1", CONF_DEFAULT,
          "Spark 2.4 (the vendor may differ)" },
        { "4.7.0", "spark.sql.adaptive.enabled", "true", CONF_DEFAULT,
          "Spark 4.3 (the nearest known)" },
        { "2.5.0", "spark.task.cpus", "1", CONF_DEFAULT,
          "Spark 2.4 (the nearest known)" },
        { "3.5", "spark.sql.adaptive.enabled", "true", CONF_DEFAULT, "Spark 3.5" },
        { "4", "spark.sql.ansi.enabled", "true", CONF_DEFAULT, "Spark 4.0" },
        { "", "spark.sql.adaptive.enabled", NULL, CONF_UNKNOWN,
          "version of Spark unknown" },
        { "", "spark.sql.shuffle.partitions", "200", CONF_DEFAULT,
          "every known version of Spark" },
        { "x.y", "spark.speculation.multiplier", NULL, CONF_UNKNOWN, NULL },
        { "99999999999.1", "spark.speculation.multiplier", NULL, CONF_UNKNOWN, NULL },
        { "3.5.1", "spark.nobody.knows", NULL, CONF_UNKNOWN, NULL },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        f->app.spark_version = sv(cases[i].version);
        check(&f->app, NULL, cases[i].key, cases[i].value, cases[i].source,
              cases[i].scope);
    }
}

static void a_version_known_only_as_numbers_will_do(void **state)
{
    struct fixture *f = *state;

    f->app.spark_version = (struct sv){ 0 };
    f->app.version_major = 3;
    f->app.version_minor = 1;
    check(&f->app, NULL, "spark.sql.adaptive.enabled", "false", CONF_DEFAULT,
          "Spark 3.1");
}

static void databricks_has_defaults_of_its_own(void **state)
{
    struct fixture *f = *state;

    f->app.databricks = true;
    f->app.spark_version = SV("3.0.1");
    check(&f->app, NULL, "spark.sql.adaptive.enabled", "true", CONF_DEFAULT,
          "Databricks");
    check(&f->app, NULL, "spark.sql.shuffle.partitions", "200", CONF_DEFAULT,
          "Spark 3.0 (the vendor may differ)");
    assert_int_equal(conf_broadcast_threshold_bytes(&f->app, NULL, true), 30 * MIB);
    assert_int_equal(conf_broadcast_threshold_bytes(&f->app, NULL, false), 10 * MIB);
    f->app.spark_version = SV("3.0.0");
    check(&f->app, NULL, "spark.sql.adaptive.enabled", "false", CONF_DEFAULT, NULL);
    f->app.spark =
        KVS(f, "spark.sql.adaptive.enabled=false", "spark.sql.shuffle.partitions=auto");
    f->app.spark_version = SV("3.4.1");
    check(&f->app, NULL, "spark.sql.adaptive.enabled", "false", CONF_SET, "application");
    assert_true(conf_initial_shuffle_partitions(&f->app, NULL) == APP_NONE);
}

static void advice_can_ask_whether_a_key_exists(void **state)
{
    static const struct {
        const char *version, *key;
        bool exists;
    } cases[] = {
        { "3.5.0", "spark.sql.files.maxPartitionNum", true },
        { "3.4.2", "spark.sql.files.maxPartitionNum", false },
        { "2.4.0", "spark.sql.adaptive.skewJoin.enabled", false },
        { "2.4.0", "spark.memory.useLegacyMode", true },
        { "3.0.0", "spark.memory.useLegacyMode", false },
        { "3.0.0", "spark.rapids.sql.enabled", true },
        { "", "spark.sql.files.maxPartitionNum", true },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        f->app.spark_version = sv(cases[i].version);
        if (conf_exists(&f->app, cases[i].key) != cases[i].exists)
            fail_msg("%s on \"%s\"", cases[i].key, cases[i].version);
    }
}

/* --- where a value comes from -------------------------------------------------- */

static void the_session_wins_over_the_application(void **state)
{
    struct fixture *f = *state;
    struct sql *q = add_sql(f, 7), *other = add_sql(f, 8);

    f->app.spark = KVS(f, "spark.sql.shuffle.partitions=100", "spark.task.cpus=2",
                       "spark.sql.files.maxPartitionBytes=128m");
    q->modified_configs = KVS(f, "spark.sql.shuffle.partitions=10");
    add_job(f, q,
            KVS(f, "spark.sql.shuffle.partitions=50", "spark.sql.cbo.enabled=true",
                "spark.sql.files.maxPartitionBytes=134217728"));
    check(&f->app, NULL, "spark.sql.shuffle.partitions", "100", CONF_SET, "application");
    check(&f->app, q, "spark.sql.shuffle.partitions", "10", CONF_SESSION,
          "SQL execution");
    check(&f->app, other, "spark.sql.shuffle.partitions", "100", CONF_SET, "application");
    check(&f->app, q, "spark.sql.cbo.enabled", "true", CONF_SESSION, NULL);
    check(&f->app, other, "spark.sql.cbo.enabled", "false", CONF_DEFAULT, NULL);
    check(&f->app, q, "spark.task.cpus", "2", CONF_SET, NULL);
    /* the session merely repeats it */
    check(&f->app, q, "spark.sql.files.maxPartitionBytes", "128m", CONF_SET,
          "application");
}

/* A line of the log is damaged: the properties of a job hold most of what was lost. */
static void without_the_environment_a_jobs_properties_will_do(void **state)
{
    struct fixture *f = *state;
    struct sql *q = add_sql(f, 1);

    add_job(f, q, (struct kvs){ 0 });
    add_job(f, add_sql(f, 2), KVS(f, "spark.master=yarn", "spark.executor.memory=20g"));
    check(&f->app, NULL, "spark.executor.memory", "20g", CONF_SET, "properties of a job");
    assert_int_equal(conf_master(&f->app), CONF_MASTER_YARN);
    assert_int_equal(conf_executor_overhead_bytes(&f->app), 2048 * MIB);
    f->app.spark = KVS(f, "spark.master=local[2]");
    assert_int_equal(conf_master(&f->app), CONF_MASTER_LOCAL);
}

static void keys_fall_back_to_others(void **state)
{
    struct fixture *f = *state;
    struct sql *q = add_sql(f, 1);
    const char *advisory = "spark.sql.adaptive.advisoryPartitionSizeInBytes";

    check(&f->app, NULL, advisory, "64MB", CONF_DEFAULT, "Spark 3.5");
    f->app.spark = KVS(f, "spark.sql.adaptive.shuffle.targetPostShuffleInputSize=32m");
    check(&f->app, NULL, advisory, "32m", CONF_SET, "application");
    assert_int_equal(conf_bytes(&f->app, q, advisory, -7), 32 * MIB);
    q->modified_configs =
        KVS(f, "spark.sql.adaptive.shuffle.targetPostShuffleInputSize=16777216");
    assert_int_equal(conf_bytes(&f->app, q, advisory, -7), 16 * MIB);
    /* its own name counts more than the other key of a nearer place */
    f->app.spark = KVS(f, "spark.sql.adaptive.advisoryPartitionSizeInBytes=8m");
    assert_int_equal(conf_bytes(&f->app, q, advisory, -7), 8 * MIB);

    f->app.spark = KVS(f, "spark.dynamicAllocation.minExecutors=4");
    assert_int_equal(
        conf_i64(&f->app, NULL, "spark.dynamicAllocation.initialExecutors", -7), 4);
    assert_int_equal(conf_ms(&f->app, NULL, "spark.locality.wait.node", -7), 3000);
    f->app.spark = KVS(f, "spark.locality.wait=0");
    assert_int_equal(conf_ms(&f->app, NULL, "spark.locality.wait.node", -7), 0);
    check(&f->app, NULL, "spark.shuffle.file.merge.buffer", NULL, CONF_UNKNOWN, NULL);
    f->app.spark_version = SV("4.0.0");
    check(&f->app, NULL, "spark.shuffle.file.merge.buffer", "32k", CONF_DEFAULT, NULL);
}

static void older_names_are_followed(void **state)
{
    struct fixture *f = *state;

    f->app.spark =
        KVS(f, "spark.yarn.executor.memoryOverhead=1024", "spark.blacklist.enabled=true",
            "spark.kryoserializer.buffer.mb=2", "spark.reducer.maxMbInFlight=24",
            "spark.reducer.maxReqSizeShuffleToMem=1m");
    assert_int_equal(conf_bytes(&f->app, NULL, "spark.executor.memoryOverhead", -7), GIB);
    assert_int_equal(conf_bytes(&f->app, NULL, "spark.kryoserializer.buffer", -7),
                     2 * MIB);
    assert_int_equal(conf_bytes(&f->app, NULL, "spark.reducer.maxSizeInFlight", -7),
                     24 * MIB);
    assert_int_equal(
        conf_bytes(&f->app, NULL, "spark.network.maxRemoteBlockSizeFetchToMem", -7), MIB);
    assert_true(conf_bool(&f->app, NULL, "spark.excludeOnFailure.enabled", false));
    f->app.spark_version = SV("4.1.0"); /* ignores the old name */
    assert_false(conf_bool(&f->app, NULL, "spark.excludeOnFailure.enabled", false));
    f->app.spark = KVS(f, "spark.yarn.executor.memoryOverhead=1024",
                       "spark.executor.memoryOverhead=2g");
    assert_int_equal(conf_bytes(&f->app, NULL, "spark.executor.memoryOverhead", -7),
                     2 * GIB);
}

static void hadoops_settings_are_found_with_and_without_prefix(void **state)
{
    struct fixture *f = *state;

    f->app.spark =
        KVS(f, "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version=2",
            "spark.hadoop.parquet.block.size=1048576");
    assert_int_equal(
        conf_i64(&f->app, NULL, "mapreduce.fileoutputcommitter.algorithm.version", -7),
        2);
    assert_int_equal(
        conf_i64(&f->app, NULL,
                 "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version", -7),
        2);
    assert_int_equal(conf_bytes(&f->app, NULL, "parquet.block.size", -7), MIB);
}

static void the_master_has_a_say(void **state)
{
    static const struct {
        const char *master, *key, *value;
        enum conf_source source;
    } cases[] = {
        { "yarn", "spark.executor.cores", "1", CONF_DEFAULT },
        { "k8s://https://x:443", "spark.executor.cores", "1", CONF_DEFAULT },
        { "spark://h:7077", "spark.executor.cores", NULL, CONF_DEFAULT },
        { "local[4]", "spark.executor.cores", NULL, CONF_DEFAULT },
        { "", "spark.executor.cores", NULL, CONF_UNKNOWN },
        { "yarn", "spark.executor.instances", "2", CONF_DEFAULT },
        { "spark://h:7077", "spark.executor.instances", NULL, CONF_DEFAULT },
        { "yarn-client", "spark.task.maxFailures", "4", CONF_DEFAULT },
        { "local", "spark.task.maxFailures", "1", CONF_DEFAULT },
        { "local[*, 3]", "spark.task.maxFailures", "3", CONF_DEFAULT },
        { "local-cluster[2,1,1024]", "spark.task.maxFailures", "4", CONF_DEFAULT },
        { "local[8]", "spark.default.parallelism", "8", CONF_DEFAULT },
        { "local", "spark.default.parallelism", "1", CONF_DEFAULT },
        { "local[*]", "spark.default.parallelism", NULL, CONF_DEFAULT },
        { "yarn", "spark.default.parallelism", NULL, CONF_DEFAULT },
        { "local[", "spark.default.parallelism", NULL, CONF_DEFAULT },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        f->app.spark = kvs_of(
            f, (const char *const[]){
                   arena_printf(&f->arena, "spark.master=%s", cases[i].master), NULL });
        check(&f->app, NULL, cases[i].key, cases[i].value, cases[i].source, NULL);
    }
}

/* --- values -------------------------------------------------------------------- */

static void a_bare_number_has_the_keys_unit(void **state)
{
    static const struct {
        const char *key, *value;
        int64_t bytes;
    } sizes[] = {
        { "spark.executor.memory", "2048", 2 * GIB },
        { "spark.executor.memory", "4g", 4 * GIB },
        { "spark.driver.maxResultSize", "1048576", MIB },
        { "spark.shuffle.file.buffer", "64", 64 * 1024 },
        { "spark.rpc.message.maxSize", "128", 128 * MIB },
        { "spark.sql.autoBroadcastJoinThreshold", "-1", -1 },
        { "spark.sql.autoBroadcastJoinThreshold", "10485760b", 10 * MIB },
        { "spark.sql.maxSinglePartitionBytes", "9223372036854775807b", INT64_MAX },
        { "spark.nobody.knows", "17", 17 },
        { "spark.executor.memory", "lots", -7 },
        { "spark.executor.memory", "", -7 },
        { "spark.executor.memory", REDACTED, -7 },
    };
    static const struct {
        const char *key, *value;
        int64_t ms;
    } times[] = {
        { "spark.locality.wait", "3000", 3000 },
        { "spark.network.timeout", "120", 120000 },
        { "spark.sql.broadcastTimeout", "300", 300000 },
        { "spark.cleaner.periodicGC.interval", "30min", 1800000 },
        { "spark.dynamicAllocation.executorIdleTimeout", "60", 60000 },
        { "spark.dynamicAllocation.shuffleTracking.timeout", "9223372036854775807ms",
          INT64_MAX },
        { "spark.locality.wait", "soon", -7 },
    };
    struct fixture *f = *state;
    struct kv one;

    f->app.spark = (struct kvs){ &one, 1 };
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        one = (struct kv){ sv(sizes[i].key), sv(sizes[i].value) };
        int64_t got = conf_bytes(&f->app, NULL, sizes[i].key, -7);
        if (got != sizes[i].bytes)
            fail_msg("%s=%s: %lld", sizes[i].key, sizes[i].value, (long long)got);
    }
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        one = (struct kv){ sv(times[i].key), sv(times[i].value) };
        int64_t got = conf_ms(&f->app, NULL, times[i].key, -7);
        if (got != times[i].ms)
            fail_msg("%s=%s: %lld", times[i].key, times[i].value, (long long)got);
    }
}

static void numbers_parse_whole_or_not_at_all(void **state)
{
    static const struct {
        const char *value;
        double number;
    } cases[] = {
        { "0.75", 0.75 }, { " 3 ", 3 },      { "-1.5", -1.5 }, { ".5", 0.5 },
        { "1e3", 1000 },  { "2.5E-1", .25 }, { "", -7 },       { "1.2.3", -7 },
        { "nan", -7 },    { "inf", -7 },     { "0x10", -7 },   { "1,5", -7 },
        { "1e9999", -7 }, { "-", -7 },       { "1e", -7 },
    };
    struct fixture *f = *state;
    struct kv one = { SV("spark.memory.fraction"), { 0 } };

    f->app.spark = (struct kvs){ &one, 1 };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        one.value = sv(cases[i].value);
        double got = conf_double(&f->app, NULL, "spark.memory.fraction", -7);
        if (got < cases[i].number || got > cases[i].number)
            fail_msg("\"%s\": %g", cases[i].value, got);
    }
    one = (struct kv){ SV("spark.speculation"), SV("TRUE") };
    assert_true(conf_bool(&f->app, NULL, "spark.speculation", false));
    one.value = SV("yes");
    assert_true(conf_bool(&f->app, NULL, "spark.speculation", true));
    assert_false(conf_bool(&f->app, NULL, "spark.speculation", false));
}

static void redacted_values_are_set_but_unreadable(void **state)
{
    struct fixture *f = *state;

    f->app.spark =
        KVS(f, "spark.sql.shuffle.partitions=" REDACTED, "spark.speculation=" REDACTED);
    check(&f->app, NULL, "spark.sql.shuffle.partitions", REDACTED, CONF_SET,
          "application");
    assert_int_equal(conf_i64(&f->app, NULL, "spark.sql.shuffle.partitions", -7), -7);
    assert_true(conf_bool(&f->app, NULL, "spark.speculation", true));
}

static void values_compare_as_what_they_mean(void **state)
{
    static const struct {
        const char *key, *a, *b;
        bool same;
    } cases[] = {
        { "spark.executor.memory", "1g", "1024", true },
        { "spark.executor.memory", "1g", "1024b", false },
        { "spark.sql.files.maxPartitionBytes", "128MB", "134217728", true },
        { "spark.locality.wait", "3s", "3000ms", true },
        { "spark.speculation", "true", "TRUE", true },
        { "spark.speculation", "true", "false", false },
        { "spark.speculation.multiplier", "3", "3.0", true },
        { "spark.task.cpus", "1", " 1", true },
        { "spark.scheduler.mode", "FIFO", "FAIR", false },
        { "spark.nobody.knows", "1g", "1024m", false },
        { "spark.executor.memory", "lots", "lots", true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (conf_same_value(cases[i].key, sv(cases[i].a), sv(cases[i].b)) !=
            cases[i].same)
            fail_msg("%s: %s and %s", cases[i].key, cases[i].a, cases[i].b);
    assert_false(conf_same_value("spark.task.cpus", SV("1"), (struct sv){ 0 }));
}

/* --- what settings make together ----------------------------------------------- */

static void memory_is_what_spark_makes_of_it(void **state)
{
    struct fixture *f = *state;

    /* logged as Maximum Onheap Memory by executors of 1 GiB and 40 GiB */
    assert_int_equal(conf_region_of_heap_bytes(&f->app, GIB), 455501414);
    assert_int_equal(conf_region_of_heap_bytes(&f->app, 40 * GIB), 25581060096);
    assert_int_equal(conf_region_of_heap_bytes(&f->app, MIB), 0);
    f->app.spark_version = SV("1.5.0");
    assert_int_equal(conf_region_of_heap_bytes(&f->app, 1000), 160);

    f->app.spark_version = SV("3.5.1");
    f->app.spark = KVS(f, "spark.master=yarn", "spark.executor.memory=8g",
                       "spark.memory.offHeap.size=2g");
    assert_int_equal(conf_executor_memory_bytes(&f->app), 8 * GIB);
    assert_int_equal(conf_executor_overhead_bytes(&f->app), 819 * MIB);
    assert_int_equal(conf_offheap_bytes(&f->app), 0); /* not enabled */
    assert_int_equal(conf_execution_region_bytes(&f->app),
                     conf_region_of_heap_bytes(&f->app, 8 * GIB));
    f->app.n_executors = 2;
    f->executors[0] = (struct executor){ .is_driver = true,
                                         .max_onheap_bytes = 999,
                                         .cores = APP_NONE };
    f->executors[1] = (struct executor){ .max_onheap_bytes = 777, .cores = 4 };
    assert_int_equal(conf_execution_region_bytes(&f->app), 777);
    assert_int_equal(conf_executor_cores(&f->app), 4);

    f->app.spark = KVS(f, "spark.master=yarn", "spark.executor.memory=1g");
    assert_int_equal(conf_executor_overhead_bytes(&f->app), 384 * MIB);
    f->app.spark = KVS(f, "spark.master=k8s://x", "spark.executor.memory=10g",
                       "spark.kubernetes.resource.type=python");
    assert_int_equal(conf_executor_overhead_bytes(&f->app), 4096 * MIB);
    f->app.spark = KVS(f, "spark.master=yarn", "spark.executor.memory=10g",
                       "spark.executor.memoryOverheadFactor=0.2");
    assert_int_equal(conf_executor_overhead_bytes(&f->app), 2048 * MIB);
    f->app.spark = KVS(f, "spark.master=spark://h:1", "spark.executor.memory=10g");
    assert_int_equal(conf_executor_overhead_bytes(&f->app), 0);
    f->app.spark_version = SV("3.3.0-amzn-0");
    f->app.spark = KVS(f, "spark.master=yarn", "spark.executor.memory=10g");
    assert_int_equal(conf_executor_overhead_bytes(&f->app), 1920 * MIB);
}

static void local_mode_lives_in_the_driver(void **state)
{
    struct fixture *f = *state;

    f->app.spark = KVS(f, "spark.master=local[4]", "spark.driver.memory=4g",
                       "spark.executor.memory=16g", "spark.task.maxFailures=8");
    assert_int_equal(conf_master(&f->app), CONF_MASTER_LOCAL);
    assert_int_equal(conf_executor_memory_bytes(&f->app), 4 * GIB);
    assert_int_equal(conf_executor_cores(&f->app), 4);
    assert_int_equal(conf_default_parallelism(&f->app), 4);
    assert_int_equal(conf_task_max_failures(&f->app), 1);
    f->app.spark = KVS(f, "spark.master=local[*, 5]", "spark.driver.memory=4g",
                       "spark.task.maxFailures=8");
    assert_int_equal(conf_task_max_failures(&f->app), 5);
    check(&f->app, NULL, "spark.executor.memory", "4g", CONF_SET,
          "local mode: the driver's memory");
    f->app.cores_peak = 6;
    assert_int_equal(conf_default_parallelism(&f->app), 6);
    f->app.spark = KVS(f, "spark.master=yarn", "spark.task.maxFailures=8");
    assert_int_equal(conf_task_max_failures(&f->app), 8);
    f->app.cores_peak = 1;
    assert_int_equal(conf_default_parallelism(&f->app), 2);
}

static void adaptive_execution_shows_in_plan_or_setting(void **state)
{
    struct fixture *f = *state;
    struct sql *q = add_sql(f, 1);
    struct plan_node aqe = { .name = SV("AdaptiveSparkPlan") }, *below = &aqe;
    struct plan_node root = { .name = SV("Execute InsertIntoHadoopFsRelationCommand"),
                              .children = &below,
                              .n_children = 1 },
                     *top = &root;

    assert_true(conf_aqe_on(&f->app, q));
    q->modified_configs = KVS(f, "spark.sql.adaptive.enabled=false");
    assert_false(conf_aqe_on(&f->app, q));
    assert_true(conf_aqe_on(&f->app, NULL));
    q->plans = &top;
    q->n_plans = 1;
    assert_true(conf_aqe_on(&f->app, q));
    /* the setting of 2.x meant less */
    f->app.spark_version = SV("2.4.5");
    f->app.spark = KVS(f, "spark.sql.adaptive.enabled=true");
    assert_false(conf_aqe_on(&f->app, NULL));
}

static void broadcasts_and_partitions_depend_on_aqe(void **state)
{
    struct fixture *f = *state;
    struct sql *q = add_sql(f, 1);

    f->app.spark = KVS(f, "spark.sql.adaptive.autoBroadcastJoinThreshold=-1",
                       "spark.sql.autoBroadcastJoinThreshold=20m",
                       "spark.sql.adaptive.coalescePartitions.initialPartitionNum=1000");
    assert_int_equal(conf_broadcast_threshold_bytes(&f->app, q, true), -1);
    assert_int_equal(conf_broadcast_threshold_bytes(&f->app, q, false), 20 * MIB);
    assert_int_equal(conf_initial_shuffle_partitions(&f->app, q), 1000);
    q->modified_configs = KVS(f, "spark.sql.adaptive.enabled=false");
    assert_int_equal(conf_broadcast_threshold_bytes(&f->app, q, true), 20 * MIB);
    assert_int_equal(conf_initial_shuffle_partitions(&f->app, q), 200);
}

/* --- the list ------------------------------------------------------------------ */

static size_t find_rows(const struct setting_list *l, const char *key,
                        const struct setting **first)
{
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++) {
        if (!sv_is(l->items[i].key, key))
            continue;
        if (n++ == 0)
            *first = &l->items[i];
    }
    return n;
}

static void the_list_has_what_matters(void **state)
{
    struct fixture *f = *state;
    const struct setting *s = NULL;
    struct setting_list l;

    f->app.spark =
        KVS(f, "spark.app.name=x", "spark.buffer.size=65536", "spark.driver.host=h",
            "spark.executor.extraJavaOptions=-Xss4m", "spark.hadoop.fs.s3a.secret.key=y",
            "spark.master=yarn", "spark.my.api.token=abc", "spark.plugins=com.nvidia.P",
            "spark.rapids.sql.enabled=true", "spark.serializer=kryo",
            "spark.shuffle.io.numConnectionsPerPeer=4", "spark.ui.port=4041",
            "spark.yarn.executor.memoryOverhead=2048", "spark.buffer.pageSize=2m");
    conf_list(&f->app, &l, &f->arena);
    for (size_t i = 1; i < l.n; i++)
        if (sv_cmp(l.items[i - 1].key, l.items[i].key) > 0)
            fail_msg("%.*s stands behind %.*s", SV_FMT(l.items[i].key),
                     SV_FMT(l.items[i - 1].key));
    assert_int_equal(find_rows(&l, "spark.app.name", &s), 0);
    assert_int_equal(find_rows(&l, "spark.driver.host", &s), 0);
    assert_int_equal(find_rows(&l, "spark.ui.port", &s), 0);
    assert_int_equal(find_rows(&l, "spark.executor.extraJavaOptions", &s), 0);
    assert_int_equal(find_rows(&l, "spark.hadoop.fs.s3a.secret.key", &s), 0);
    assert_int_equal(find_rows(&l, "spark.my.api.token", &s), 0);
    assert_int_equal(find_rows(&l, "spark.buffer.size", &s), 0); /* set to its default */
    assert_int_equal(find_rows(&l, "spark.yarn.executor.memoryOverhead", &s), 0);
    assert_int_equal(find_rows(&l, "spark.plugins", &s), 1);
    assert_int_equal(find_rows(&l, "spark.rapids.sql.enabled", &s), 1);
    assert_int_equal(find_rows(&l, "spark.buffer.pageSize", &s), 1);
    assert_int_equal(find_rows(&l, "spark.shuffle.io.numConnectionsPerPeer", &s), 1);
    assert_int_equal(find_rows(&l, "spark.executor.memoryOverhead", &s), 1);
    assert_true(sv_is(s->value, "2048") && s->source == CONF_SET);
    assert_int_equal(find_rows(&l, "spark.sql.shuffle.partitions", &s), 1);
    assert_true(sv_is(s->value, "200") && s->source == CONF_DEFAULT);
    assert_true(sv_is(s->scope, "Spark 3.5"));
    assert_int_equal(find_rows(&l, "spark.serializer", &s), 1);
    assert_true(s->source == CONF_SET && sv_is(s->scope, "application"));
    /* not in this version */
    f->app.spark_version = SV("2.4.5");
    conf_list(&f->app, &l, &f->arena);
    assert_int_equal(find_rows(&l, "spark.sql.adaptive.skewJoin.enabled", &s), 0);
}

static void sessions_are_listed_once_a_value(void **state)
{
    struct fixture *f = *state;
    const struct setting *s = NULL;
    struct setting_list l;
    struct sql *q[4];

    f->app.spark =
        KVS(f, "spark.sql.autoBroadcastJoinThreshold=10m", "spark.task.cpus=1");
    for (int i = 0; i < 4; i++)
        q[i] = add_sql(f, 3 + i);
    for (int i = 0; i < 3; i++)
        q[i]->modified_configs = KVS(f, "spark.sql.shuffle.partitions=8",
                                     "spark.sql.autoBroadcastJoinThreshold=10485760");
    q[3]->modified_configs = KVS(f, "spark.sql.shuffle.partitions=16");
    /* the job's properties repeat, and disagree with what counts more */
    add_job(f, q[3],
            KVS(f, "spark.sql.shuffle.partitions=99", "spark.sql.cbo.enabled=true",
                "spark.task.cpus=1", "spark.sql.ansi.enabled=false"));
    conf_list(&f->app, &l, &f->arena);
    assert_int_equal(find_rows(&l, "spark.sql.shuffle.partitions", &s), 3);
    assert_true(s[0].source == CONF_DEFAULT && sv_is(s[0].value, "200"));
    assert_true(s[1].source == CONF_SESSION && sv_is(s[1].value, "8"));
    assert_true(sv_is(s[1].scope, "SQL 3 and 2 more"));
    assert_true(sv_is(s[2].value, "16") && sv_is(s[2].scope, "SQL 6"));
    assert_int_equal(find_rows(&l, "spark.sql.autoBroadcastJoinThreshold", &s), 1);
    assert_true(s[0].source == CONF_SET);
    assert_int_equal(find_rows(&l, "spark.sql.cbo.enabled", &s), 2);
    assert_true(sv_is(s[1].scope, "SQL 6"));
    assert_int_equal(find_rows(&l, "spark.sql.ansi.enabled", &s), 0);
    assert_int_equal(find_rows(&l, "spark.task.cpus", &s), 1);
}

/* 4,000 executions with 300 properties each, some of which change every time. */
static void many_sessions_stay_fast(void **state)
{
    enum { SQLS = 4000, PROPS = 300 };
    struct fixture *f = *state;
    struct sql *sqls = arena_array(&f->arena, SQLS, sizeof *sqls);
    struct sv keys[PROPS], same = SV("same");
    const struct setting *s = NULL;
    struct setting_list l;

    for (int k = 0; k < PROPS; k++)
        keys[k] = sv(arena_printf(&f->arena, "spark.custom.key.number%d", k));
    keys[0] = SV("spark.sql.shuffle.partitions");
    keys[1] = SV("spark.custom.counter");
    for (int i = 0; i < SQLS; i++) {
        struct kv *items = arena_array(&f->arena, PROPS, sizeof *items);

        for (int k = 0; k < PROPS; k++)
            items[k] = (struct kv){ keys[k], same };
        items[0].value = sv(i % 2 ? "7" : "200");
        items[1].value = sv(arena_printf(&f->arena, "%d", i));
        sqls[i].execution_id = i;
        sqls[i].modified_configs = (struct kvs){ items, PROPS };
    }
    f->app.sqls = sqls;
    f->app.n_sqls = SQLS;
    clock_t start = clock();
    conf_list(&f->app, &l, &f->arena);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    assert_int_equal(find_rows(&l, "spark.sql.shuffle.partitions", &s), 2);
    assert_true(sv_is(s[1].scope, "SQL 1 and 1999 more"));
    assert_int_equal(find_rows(&l, "spark.custom.counter", &s), 0);
    assert_int_equal(find_rows(&l, "spark.custom.key.number17", &s), 1);
    assert_true(sv_is(s[0].scope, "SQL 0 and 3999 more"));
    if (seconds > 3) /* 0.02 s measured, 0.07 s under the sanitizers */
        fail_msg("took %.2f s", seconds);
}

static void an_empty_application_has_a_list_too(void **state)
{
    struct app nothing = { 0 };
    struct fixture *f = *state;
    struct setting_list l;

    conf_list(&nothing, &l, &f->arena);
    assert_true(l.n > 0);
    assert_true(conf_executor_memory_bytes(&nothing) == APP_NONE);
    assert_true(conf_execution_region_bytes(&nothing) == APP_NONE);
    assert_true(conf_executor_overhead_bytes(&nothing) == APP_NONE);
    assert_true(conf_executor_cores(&nothing) == APP_NONE);
    assert_true(conf_default_parallelism(&nothing) == APP_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(keys_are_sorted_and_their_lists_in_order),
        TEST(defaults_parse_as_their_type),
        TEST(defaults_equal_an_excerpt_of_sparks),
        TEST(defaults_equal_those_of_spark_3_5_9),
        TEST(defaults_equal_those_of_spark_4_3_0),
        TEST(defaults_follow_the_version),
        TEST(a_version_known_only_as_numbers_will_do),
        TEST(databricks_has_defaults_of_its_own),
        TEST(advice_can_ask_whether_a_key_exists),
        TEST(the_session_wins_over_the_application),
        TEST(without_the_environment_a_jobs_properties_will_do),
        TEST(keys_fall_back_to_others),
        TEST(older_names_are_followed),
        TEST(hadoops_settings_are_found_with_and_without_prefix),
        TEST(the_master_has_a_say),
        TEST(a_bare_number_has_the_keys_unit),
        TEST(numbers_parse_whole_or_not_at_all),
        TEST(redacted_values_are_set_but_unreadable),
        TEST(values_compare_as_what_they_mean),
        TEST(memory_is_what_spark_makes_of_it),
        TEST(local_mode_lives_in_the_driver),
        TEST(adaptive_execution_shows_in_plan_or_setting),
        TEST(broadcasts_and_partitions_depend_on_aqe),
        TEST(the_list_has_what_matters),
        TEST(sessions_are_listed_once_a_value),
        TEST(many_sessions_stay_fast),
        TEST(an_empty_application_has_a_list_too),
    };

    return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
