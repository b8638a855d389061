/* Effective settings: what was set, what the session changed, and what Spark's
 * version takes by default where nobody set anything. */
#ifndef ANALYZER_CONF_H
#define ANALYZER_CONF_H

#include "analyzer/app.h"

enum conf_source {
    CONF_SET,
    CONF_DEFAULT, /* value p NULL: optional, and not set */
    CONF_SESSION,
    CONF_UNKNOWN, /* not set, and we do not know what this version takes */
};
const char *
conf_source_name(enum conf_source s); /* "set", "default", "session", "unknown" */

struct setting {
    struct sv key;
    struct sv value; /* p NULL: no value and no known default */
    enum conf_source source;
    struct sv scope; /* "application", "SQL 7", or "Spark 3.5" for a default; "Spark 3.5
                      * (the vendor may differ)" for builds other than Apache's */
};

/* The value in effect for the application (sql == NULL) or for one execution:
 * session values of the execution (modifiedConfigs, then its jobs' properties)
 * win over EnvironmentUpdate, that over the version's default; keys that fall
 * back to another key, and old names of a key, are followed. "mapreduce.x" finds
 * "spark.hadoop.mapreduce.x" too. A session value equal to the application's
 * counts as the application's. scope of a session value is "SQL execution". */
struct setting conf_get(const struct app *app, const struct sql *sql, const char *key);

/* What it would be had the application not set the key itself. */
struct setting conf_unset(const struct app *app, const char *key);

/* conf_get, parsed; `otherwise` where there is no value or it does not parse (a
 * redacted one never does). Sizes without unit follow the key's own rule (MiB for
 * memory keys). */
int64_t conf_bytes(const struct app *app, const struct sql *sql, const char *key,
                   int64_t otherwise);
int64_t conf_ms(const struct app *app, const struct sql *sql, const char *key,
                int64_t otherwise);
int64_t conf_i64(const struct app *app, const struct sql *sql, const char *key,
                 int64_t otherwise);
double conf_double(const struct app *app, const struct sql *sql, const char *key,
                   double otherwise);
bool conf_bool(const struct app *app, const struct sql *sql, const char *key,
               bool otherwise);

/* What the application set: EnvironmentUpdate; where that was lost, the properties of
 * the first job that has some. */
const struct kvs *conf_application(const struct app *app);
/* The application's version of Spark reads this key: advice must not name others.
 * True for keys we do not know, and where the version is unknown. */
bool conf_exists(const struct app *app, const char *key);
/* Equal as Spark reads the key's values: "64m" and "64MB". */
bool conf_same_value(const char *key, struct sv a, struct sv b);

/* Settings that matter for performance, each with its value in effect: the keys an
 * advice reads, then everything set that differs from its default, by key. Settings
 * of sessions follow the application's, one row a value: "SQL 3 and 12 more". Names,
 * paths, ports, ids and class paths are left out, and so are keys unknown to us with
 * more than 16 values. */
struct setting_list {
    struct setting *items;
    size_t n;
};
void conf_list(const struct app *app, struct setting_list *out, struct arena *arena);

/* --- what several settings, the master and the log make together (conf_effect.c);
 * --- APP_NONE: cannot be told ---------------------------------------------- */

enum conf_master {
    CONF_MASTER_UNKNOWN,
    CONF_MASTER_LOCAL, /* local[n]: driver and tasks in one JVM; not local-cluster */
    CONF_MASTER_STANDALONE,
    CONF_MASTER_YARN,
    CONF_MASTER_KUBERNETES,
    CONF_MASTER_MESOS,
};
enum conf_master conf_master(const struct app *app);

/* Heap of an executor; the driver's in local mode. */
int64_t conf_executor_memory_bytes(const struct app *app);
/* Container memory beyond the heap, without off-heap and Python memory; 0 where
 * executors do not run in containers. */
int64_t conf_executor_overhead_bytes(const struct app *app);
/* Slots of an executor before spark.task.cpus: set, else what executors came with. */
int64_t conf_executor_cores(const struct app *app);
/* On-heap memory that execution and storage share: the most any executor announced,
 * else computed from the heap. */
int64_t conf_execution_region_bytes(const struct app *app);
/* The same for a heap of another size. */
int64_t conf_region_of_heap_bytes(const struct app *app, int64_t heap_bytes);
/* 0: off. */
int64_t conf_offheap_bytes(const struct app *app);

/* Spark 3's adaptive execution is on: by the plan if it shows, else by the setting. */
bool conf_aqe_on(const struct app *app, const struct sql *sql);
/* Largest side that is broadcast by itself, when planning or (at_run_time) when AQE
 * plans again; negative: never. */
int64_t conf_broadcast_threshold_bytes(const struct app *app, const struct sql *sql,
                                       bool at_run_time);
/* Reducers of a SQL exchange before AQE joins small ones. */
int64_t conf_initial_shuffle_partitions(const struct app *app, const struct sql *sql);
int64_t conf_default_parallelism(const struct app *app);
/* Failures of one task that end the job; local mode has a rule of its own. */
int64_t conf_task_max_failures(const struct app *app);

#endif
