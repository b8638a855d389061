/* Effective settings: what was set, what the session changed, and what Spark's
 * version takes by default where nobody set anything. */
#ifndef ANALYZER_CONF_H
#define ANALYZER_CONF_H

#include "analyzer/app.h"

enum conf_source { CONF_SET, CONF_DEFAULT, CONF_SESSION, CONF_UNKNOWN };
const char *conf_source_name(enum conf_source s); /* "set", "default", "session" */

struct setting {
    struct sv key;
    struct sv value;  /* p NULL: no value and no known default */
    enum conf_source source;
    struct sv scope;  /* "application", "SQL 7", "job 3", or "Spark 3.5" for a default */
};

/* The value in effect for the application (sql == NULL) or for one execution:
 * session values of the execution (modifiedConfigs, else its jobs' properties)
 * win over EnvironmentUpdate, that over the version's default; keys that fall
 * back to another key, and old names of a key, are followed. */
struct setting conf_get(const struct app *app, const struct sql *sql, const char *key);

/* The same, parsed; `otherwise` where there is no value or it does not parse.
 * Sizes without unit follow the key's own rule (MiB for memory keys). */
int64_t conf_bytes(const struct app *app, const struct sql *sql, const char *key,
                   int64_t otherwise);
int64_t conf_ms(const struct app *app, const struct sql *sql, const char *key,
                int64_t otherwise);
int64_t conf_i64(const struct app *app, const struct sql *sql, const char *key,
                 int64_t otherwise);
double conf_double(const struct app *app, const struct sql *sql, const char *key,
                   double otherwise);
bool conf_bool(const struct app *app, const struct sql *sql, const char *key, bool otherwise);

/* Settings that matter for performance, each with its value in effect: the keys an
 * advice reads, then everything set that differs from its default, by key. */
struct setting_list {
    struct setting *items;
    size_t n;
};
void conf_list(const struct app *app, struct setting_list *out, struct arena *arena);

#endif
