/* The list of settings worth showing. See conf_list in conf.h.
 *
 * An application with thousands of SQL executions has as many copies of its session's
 * hundreds of settings, almost all the same. So every key and every value gets a number
 * once (by its pointer, as text is interned; by its text where it is not), and after
 * that an execution costs one map look-up for each of its entries:
 *
 *     key -> row key, value of the application, "leave out"
 *     (key, value) -> first execution, number of executions */
#include "analyzer/conf.h"

#include "analyzer/conf_defaults.h"
#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>

#define MAX_VALUES 16 /* of a key we do not know: more is a counter or an id */

struct key_state {
    const struct conf_key *known; /* NULL: not in our table */
    struct setting base;          /* for the application */
    bool leave_out, listed;
    uint32_t n_values; /* distinct, other than the application's */
    uint64_t seen_in;  /* the last execution that gave a value, from 1 */
};

struct pair_state {
    uint32_t key_ix;
    struct sv value;
    int64_t first_execution_id;
    uint64_t n_executions;
    bool differs;
};

struct row {
    struct setting s;
    size_t order; /* of arrival, behind the key */
};

struct list {
    const struct app *app;
    struct arena *arena;
    struct intern texts; /* for text that is not interned yet */
    struct arena text_arena;
    uint32_t n_texts;
    struct map text_of_pointer, text_of_interned;
    struct map key_of_pointer, key_of_text; /* the latter by the name it is shown under */
    struct map pair_ix;
    struct key_state *keys;
    size_t n_keys, cap_keys;
    struct pair_state *pairs;
    size_t n_pairs, cap_pairs;
    struct row *rows;
    size_t n_rows, cap_rows;
};

/* --- what is left out ---------------------------------------------------------- */

/* Names, places, credentials and look of an application: no advice follows from them. */
/* clang-format off */
static const char *const noise_begins[] = {
    "spark.acls.", "spark.admin.", "spark.app.", "spark.appMasterEnv.",
    "spark.archives", "spark.authenticate", "spark.blockManager.port", "spark.connect.",
    "spark.databricks.", "spark.driver.appUIAddress", "spark.driver.bindAddress",
    "spark.driver.blockManager.port", "spark.driver.host", "spark.driver.log.",
    "spark.driver.port", "spark.driverEnv.", "spark.eventLog.dir",
    "spark.eventLog.enabled", "spark.executor.id", "spark.executorEnv.",
    "spark.hadoop.", "spark.history.", "spark.home", "spark.jars", "spark.job.",
    "spark.jobGroup.", "spark.kerberos.", "spark.kubernetes.", "spark.logConf",
    "spark.metrics.", "spark.modify.acls", "spark.org.apache.hadoop.",
    "spark.plugins.internal.", "spark.port.", "spark.pyspark.", "spark.r.",
    "spark.rdd.scope", "spark.redaction.", "spark.repl.", "spark.resources.",
    "spark.sql.catalogImplementation", "spark.sql.dataset.", "spark.sql.execution.id",
    "spark.sql.execution.root.id", "spark.sql.hive.metastore.",
    "spark.sql.warehouse.dir", "spark.ssl.", "spark.submit.", "spark.ui.",
    "spark.unsafe.exceptionOnMemoryLeak", "spark.user.", "spark.view.acls",
    "spark.worker.", "spark.yarn.",
};
static const char *const noise_ends[] = {
    ".id", ".host", ".port", ".dir", "JavaOptions", "ClassPath", "LibraryPath",
    ".keytab", ".principal", "Directory",
};
/* those that Spark redacts, and those it has missed */
static const char *const noise_secret[] = {
    "secret", "password", "token", "credential", "apikey", "access.key",
};
/* though it begins like what is left out */
static const char *const noise_kept[] = {
    "spark.databricks.adaptive.", "spark.databricks.delta.", "spark.databricks.io.",
    "spark.databricks.optimizer.", "spark.databricks.photon.",
    "spark.hadoop.fs.s3a.fast.", "spark.hadoop.fs.s3a.committer.",
    "spark.hadoop.fs.s3a.connection.maximum", "spark.hadoop.fs.s3a.threads.",
    "spark.hadoop.fs.s3a.experimental.", "spark.hadoop.fs.s3a.block.size",
    "spark.hadoop.fs.s3a.multipart.size", "spark.hadoop.mapred.",
    "spark.hadoop.mapreduce.", "spark.hadoop.parquet.",
    "spark.kubernetes.executor.request.", "spark.kubernetes.executor.limit.",
    "spark.yarn.maxAppAttempts", "spark.yarn.am.memory",
};
/* clang-format on */

static bool is_noise(struct sv key)
{
    if (!sv_starts(key, SV("spark.")))
        return true; /* Hadoop's and streaming's own local properties */
    for (size_t i = 0; i < ARRAY_LEN(noise_secret); i++)
        if (sv_has_nocase(key, noise_secret[i]))
            return true;
    for (size_t i = 0; i < ARRAY_LEN(noise_kept); i++)
        if (sv_starts(key, sv(noise_kept[i])))
            return false;
    for (size_t i = 0; i < ARRAY_LEN(noise_begins); i++)
        if (sv_starts(key, sv(noise_begins[i])))
            return true;
    for (size_t i = 0; i < ARRAY_LEN(noise_ends); i++)
        if (sv_ends(key, sv(noise_ends[i])))
            return true;
    return false;
}

/* --- numbers for texts --------------------------------------------------------- */

static int64_t address(struct sv text)
{
    return (int64_t)(intptr_t)text.p;
}

static uint32_t text_number(struct list *l, struct sv text)
{
    uint32_t n = map_get(&l->text_of_pointer, address(text));

    if (n != MAP_NONE)
        return n;
    struct sv one = intern(&l->texts, text);
    n = map_get(&l->text_of_interned, address(one));
    if (n == MAP_NONE) {
        n = l->n_texts++;
        map_put(&l->text_of_interned, address(one), n);
    }
    map_put(&l->text_of_pointer, address(text), n);
    return n;
}

/* Shown under its present name, whatever the log calls it. */
static uint32_t add_key(struct list *l, struct sv key)
{
    const struct conf_key *known = conf_key_find(key);

    if (!known)
        known = conf_key_find_older(key);
    struct sv name = known ? sv(known->key) : key;
    uint32_t text = text_number(l, name);
    uint32_t ix = map_get(&l->key_of_text, text);

    if (ix != MAP_NONE)
        return ix;
    struct sv kept = arena_sv(l->arena, name);
    GROW(l->keys, l->n_keys, l->cap_keys);
    ix = (uint32_t)l->n_keys++;
    l->keys[ix] = (struct key_state){
        .known = known,
        .base = conf_get(l->app, NULL, kept.p),
        .leave_out = !known && (memchr(key.p, '\0', key.len) || is_noise(key)),
    };
    map_put(&l->key_of_text, text, ix);
    return ix;
}

static uint32_t key_number(struct list *l, struct sv key)
{
    uint32_t ix = map_get(&l->key_of_pointer, address(key));

    if (ix == MAP_NONE) {
        ix = add_key(l, key);
        map_put(&l->key_of_pointer, address(key), ix);
    }
    return ix;
}

/* --- rows ---------------------------------------------------------------------- */

static void add_row(struct list *l, struct setting s)
{
    GROW(l->rows, l->n_rows, l->cap_rows);
    l->rows[l->n_rows] = (struct row){ s, l->n_rows };
    l->n_rows++;
}

static void add_of_application(struct list *l, uint32_t key_ix)
{
    struct key_state *k = &l->keys[key_ix];

    if (!k->listed && !k->leave_out)
        add_row(l, k->base);
    k->listed = true;
}

/* What is set, but to the very value Spark would have taken. */
static bool is_default(const struct app *app, const struct key_state *k)
{
    if (!k->known)
        return false;
    struct setting d = conf_unset(app, k->known->key);
    return d.value.p && conf_same_value(k->known->key, d.value, k->base.value);
}

static void list_application(struct list *l)
{
    const struct kvs *set = conf_application(l->app);

    for (size_t i = 0; i < conf_n_keys; i++)
        if (conf_keys[i].advice && conf_exists(l->app, conf_keys[i].key))
            add_of_application(l, key_number(l, sv(conf_keys[i].key)));
    for (size_t i = 0; i < set->n; i++) {
        struct sv key = set->items[i].key;

        if (!key.p)
            continue;
        uint32_t ix = key_number(l, key);
        if (!l->keys[ix].leave_out && !is_default(l->app, &l->keys[ix]))
            add_of_application(l, ix);
    }
}

/* --- sessions ------------------------------------------------------------------ */

static void count_value(struct list *l, uint32_t key_ix, struct sv value,
                        const struct sql *sql)
{
    struct key_state *k = &l->keys[key_ix];
    int64_t pair = (int64_t)key_ix << 32 | text_number(l, value);
    uint32_t ix = map_get(&l->pair_ix, pair);

    if (ix == MAP_NONE) {
        struct pair_state p = { .key_ix = key_ix,
                                .value = value,
                                .first_execution_id = sql->execution_id };

        p.differs = !conf_same_value(k->base.key.p, k->base.value, value);
        k->n_values += p.differs;
        GROW(l->pairs, l->n_pairs, l->cap_pairs);
        ix = (uint32_t)l->n_pairs;
        l->pairs[l->n_pairs++] = p;
        map_put(&l->pair_ix, pair, ix);
    }
    l->pairs[ix].n_executions++;
}

static void list_session(struct list *l, const struct kvs *props, const struct sql *sql,
                         uint64_t seen_in)
{
    for (size_t i = 0; i < props->n; i++) {
        struct kv *kv = &props->items[i];

        if (!kv->key.p || !kv->value.p)
            continue;
        uint32_t ix = key_number(l, kv->key);
        /* the first to name a key has it: modifiedConfigs before jobs, as in conf_get */
        if (l->keys[ix].leave_out || l->keys[ix].seen_in == seen_in)
            continue;
        l->keys[ix].seen_in = seen_in;
        count_value(l, ix, kv->value, sql);
    }
}

static void list_sessions(struct list *l)
{
    uint64_t seen_in = 0;

    app_each_sql (l->app, q) {
        const struct kv *last = NULL;

        list_session(l, &q->modified_configs, q, ++seen_in);
        for (size_t i = 0; i < q->n_jobs; i++) {
            const struct kvs *props = &l->app->jobs[q->job_ixs[i]].properties;

            if (props->items != last)
                list_session(l, props, q, seen_in);
            last = props->items;
        }
    }
    for (size_t i = 0; i < l->n_pairs; i++) {
        const struct pair_state *p = &l->pairs[i];
        const struct key_state *k = &l->keys[p->key_ix];
        const char *scope;

        if (!p->differs || (!k->known && k->n_values > MAX_VALUES))
            continue;
        if (p->n_executions == 1)
            scope = arena_printf(l->arena, "SQL %" PRId64, p->first_execution_id);
        else
            scope = arena_printf(l->arena, "SQL %" PRId64 " and %" PRIu64 " more",
                                 p->first_execution_id, p->n_executions - 1);
        add_row(l, (struct setting){ k->base.key, p->value, CONF_SESSION, sv(scope) });
    }
}

static int by_key(const void *x, const void *y)
{
    const struct row *a = x, *b = y;
    int order = sv_cmp(a->s.key, b->s.key);

    if (order != 0)
        return order;
    return a->order < b->order ? -1 : a->order > b->order;
}

void conf_list(const struct app *app, struct setting_list *out, struct arena *arena)
{
    struct list l = { .app = app, .arena = arena };

    l.texts.arena = &l.text_arena;
    list_application(&l);
    list_sessions(&l);
    if (l.n_rows)
        qsort(l.rows, l.n_rows, sizeof *l.rows, by_key);
    out->items = arena_array(arena, l.n_rows, sizeof *out->items);
    out->n = l.n_rows;
    for (size_t i = 0; i < l.n_rows; i++)
        out->items[i] = l.rows[i].s;

    map_release(&l.text_of_pointer);
    map_release(&l.text_of_interned);
    map_release(&l.key_of_pointer);
    map_release(&l.key_of_text);
    map_release(&l.pair_ix);
    intern_release(&l.texts);
    arena_release(&l.text_arena);
    free(l.keys);
    free(l.pairs);
    free(l.rows);
}
