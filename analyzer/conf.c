/* Finding the value of one setting. See conf.h.
 *
 * Looked up in this order, each under the key's own name, then under its older ones:
 *     the execution's modifiedConfigs   what its session has beyond the application's
 *     its jobs' properties              all of the session's settings, as local
 * properties EnvironmentUpdate                 the application's the key it falls back to
 * in the same order the master's rule                 e.g. executor cores on YARN and
 * standalone the version's default             analyzer/conf_defaults.c
 *
 * Not handled: spark.conf.get's ${...} substitution, per-query hints, and settings that
 * a vendor's build takes from code (their scope says that the vendor may differ). */
#include "analyzer/conf.h"

#include "analyzer/conf_defaults.h"
#include "base/units.h"

#include <stdio.h>

#define MAX_FALLBACKS 4 /* the longest chain in the table is 2 */

struct found {
    struct setting s;
    int64_t bare; /* what a bare number in the value counts */
};

const char *conf_source_name(enum conf_source s)
{
    switch (s) {
    case CONF_SET:
        return "set";
    case CONF_DEFAULT:
        return "default";
    case CONF_SESSION:
        return "session";
    case CONF_UNKNOWN:
        break;
    }
    return "unknown";
}

/* --- versions ------------------------------------------------------------------ */

struct release {
    unsigned version, patch; /* version 0: not known */
    bool vendor;
};

static unsigned digits(struct sv text, size_t *at)
{
    unsigned n = 0;

    for (; *at < text.len && text.p[*at] >= '0' && text.p[*at] <= '9'; (*at)++)
        n = n < 1000 ? n * 10 + (unsigned)(text.p[*at] - '0') : n;
    return n;
}

static bool dot(struct sv text, size_t *at)
{
    if (*at >= text.len || text.p[*at] != '.')
        return false;
    (*at)++;
    return true;
}

/* "3.4.1", "4.2.0-SNAPSHOT"; vendors: "3.3.0-amzn-0", "2.4.7.7.1.7.0-551". */
static struct release release_of(const struct app *app)
{
    static const char *const own[] = { "-SNAPSHOT", "-preview", "-rc" };
    struct sv text = app->spark_version;
    struct release r = { .vendor = app->databricks };
    unsigned major, minor = 0;
    size_t at = 0;

    major = digits(text, &at);
    if (dot(text, &at))
        minor = digits(text, &at);
    if (dot(text, &at))
        r.patch = digits(text, &at);
    if (major == 0 && app->version_major > 0) {
        major = (unsigned)app->version_major;
        minor = (unsigned)app->version_minor;
    } else if (at < text.len) {
        bool apache = false;

        for (size_t i = 0; i < ARRAY_LEN(own); i++)
            apache |= sv_starts(sv_from(text, at), sv(own[i]));
        r.vendor |= !apache;
    }
    if (major > 0 && major < 100 && minor < 100)
        r.version = CONF_VERSION(major, minor);
    return r;
}

#define SCOPE(major, minor)                                                              \
    {                                                                                    \
        CONF_VERSION(major, minor), "Spark " #major "." #minor,                          \
            "Spark " #major "." #minor " (the vendor may differ)",                       \
            "Spark " #major "." #minor " (the nearest known)"                            \
    }

/* What a default is called: text that outlives the answer. */
static struct sv default_scope(struct release r)
{
    static const struct {
        uint16_t version;
        const char *apache, *vendor, *near;
    } known[] = {
        SCOPE(1, 0), SCOPE(1, 1), SCOPE(1, 2), SCOPE(1, 3), SCOPE(1, 4), SCOPE(1, 5),
        SCOPE(1, 6), SCOPE(2, 0), SCOPE(2, 1), SCOPE(2, 2), SCOPE(2, 3), SCOPE(2, 4),
        SCOPE(3, 0), SCOPE(3, 1), SCOPE(3, 2), SCOPE(3, 3), SCOPE(3, 4), SCOPE(3, 5),
        SCOPE(4, 0), SCOPE(4, 1), SCOPE(4, 2), SCOPE(4, 3),
    };
    size_t i = ARRAY_LEN(known) - 1;

    if (r.version == 0)
        return SV("every known version of Spark");
    while (i > 0 && known[i].version > r.version)
        i--;
    if (known[i].version != r.version)
        return sv(known[i].near);
    return sv(r.vendor ? known[i].vendor : known[i].apache);
}

/* --- the application's own ----------------------------------------------------- */

const struct kvs *conf_application(const struct app *app)
{
    if (app->spark.n == 0)
        app_each_job (app, j)
            if (j->properties.n > 0)
                return &j->properties;
    return &app->spark;
}

/* --- the master ---------------------------------------------------------------- */

enum conf_master conf_master(const struct app *app)
{
    static const struct {
        const char *prefix;
        enum conf_master master;
    } masters[] = {
        { "local-cluster[", CONF_MASTER_STANDALONE },
        { "local", CONF_MASTER_LOCAL },
        { "yarn", CONF_MASTER_YARN },
        { "k8s://", CONF_MASTER_KUBERNETES },
        { "spark://", CONF_MASTER_STANDALONE },
        { "mesos://", CONF_MASTER_MESOS },
    };
    struct sv text = kvs_get(conf_application(app), "spark.master");

    if (app->local_mode)
        return CONF_MASTER_LOCAL;
    for (size_t i = 0; i < ARRAY_LEN(masters); i++)
        if (sv_starts(text, sv(masters[i].prefix)))
            return masters[i].master;
    return CONF_MASTER_UNKNOWN;
}

/* Of "local[8, 2]": 8 for part 0, 2 for part 1; p NULL where there is none. */
static struct sv local_part(const struct app *app, int part)
{
    struct sv text = kvs_get(conf_application(app), "spark.master");
    size_t open = sv_find(text, SV("[")), close = sv_find(text, SV("]"));

    if (sv_is(text, "local") && part == 0)
        return SV("1");
    if (!sv_starts(text, SV("local[")) || close == SIZE_MAX)
        return (struct sv){ 0 };
    text = (struct sv){ text.p + open + 1, close - open - 1 };
    size_t comma = sv_find(text, SV(","));
    if (part == 0)
        return sv_trim(comma == SIZE_MAX ? text : (struct sv){ text.p, comma });
    return comma == SIZE_MAX ? (struct sv){ 0 } : sv_trim(sv_from(text, comma + 1));
}

/* --- looking up ---------------------------------------------------------------- */

static bool lookup(const struct kvs *k, struct release r, const char *key,
                   const struct conf_key *e, struct found *out)
{
    char hadoop[128];
    struct sv value = kvs_get(k, key);

    if (!value.p && strncmp(key, "spark.", 6) != 0 &&
        snprintf(hadoop, sizeof hadoop, "spark.hadoop.%s", key) < (int)sizeof hadoop)
        value = kvs_get(k, hadoop);
    for (size_t i = 0; !value.p && e && i < ARRAY_LEN(e->older) && e->older[i].key; i++) {
        if (e->older[i].until && r.version >= e->older[i].until)
            continue;
        value = kvs_get(k, e->older[i].key);
        if (value.p && e->older[i].bare)
            out->bare = e->older[i].bare;
    }
    out->s.value = value;
    return value.p != NULL;
}

static bool lookup_session(const struct app *app, const struct sql *sql, struct release r,
                           const char *key, const struct conf_key *e, struct found *out)
{
    const struct kv *seen = NULL; /* sessions' properties are shared between jobs */

    if (lookup(&sql->modified_configs, r, key, e, out))
        return true;
    for (size_t i = 0; i < sql->n_jobs; i++) {
        const struct kvs *props = &app->jobs[sql->job_ixs[i]].properties;

        if (props->items != seen && lookup(props, r, key, e, out))
            return true;
        seen = props->items;
    }
    return false;
}

static struct found resolve(const struct app *app, const struct sql *sql, const char *key,
                            int fallbacks);

/* Defaults that are the master's; e.g. conf_defaults.c has 1 executor core, which
 * is what containers get. False: there is no rule of its own. */
static bool master_default(const struct app *app, const char *key, struct found *out)
{
    enum conf_master m = conf_master(app);
    bool local = m == CONF_MASTER_LOCAL;
    bool containers = m == CONF_MASTER_YARN || m == CONF_MASTER_KUBERNETES;

    if (strcmp(key, "spark.executor.cores") == 0 && !containers) {
        out->s.source = m == CONF_MASTER_UNKNOWN ? CONF_UNKNOWN : CONF_DEFAULT;
        if (m == CONF_MASTER_UNKNOWN)
            out->s.scope = SV("master unknown");
        else
            out->s.scope =
                local ? SV("local mode: no executors") : SV("all cores of a worker");
    } else if (strcmp(key, "spark.executor.instances") == 0 && containers) {
        bool dynamic = conf_bool(app, NULL, "spark.dynamicAllocation.enabled", false);

        out->s.value = dynamic ? (struct sv){ 0 } : SV("2");
        out->s.scope = dynamic ? SV("dynamic allocation") : SV("YARN and Kubernetes");
    } else if (strcmp(key, "spark.executor.memory") == 0 && local) {
        struct sv name = out->s.key;

        *out = resolve(app, NULL, "spark.driver.memory", MAX_FALLBACKS);
        out->s.key = name;
        out->s.scope = SV("local mode: the driver's memory");
    } else if (strcmp(key, "spark.task.maxFailures") == 0 && local) {
        struct sv failures = local_part(app, 1);

        out->s.value = failures.p ? failures : SV("1");
        out->s.scope = SV("local mode");
    } else if (strcmp(key, "spark.default.parallelism") == 0) {
        struct sv threads = local ? local_part(app, 0) : (struct sv){ 0 };

        if (threads.p && !sv_is(threads, "*"))
            out->s.value = threads;
        out->s.scope = local ? SV("local mode: all its cores")
                             : SV("all cores of the executors, at least 2");
    } else {
        return false;
    }
    return true;
}

static void take_default(const struct app *app, const struct sql *sql, struct release r,
                         const struct conf_key *e, int fallbacks, struct found *out)
{
    const struct conf_default *d = conf_key_default(e, r.version);

    /* without a version: what never changed is still known */
    if (r.version == 0 && e->dflt[1].rule == CONF_LIST_END)
        d = &e->dflt[0];
    if (!d || d->rule == CONF_OPEN || d->rule == CONF_GONE)
        return;
    if (d->rule == CONF_SAME_AS && fallbacks > 0) {
        struct sv name = out->s.key;

        *out = resolve(app, sql, d->value, fallbacks - 1);
        out->s.key = name;
        return;
    }
    out->s.source = CONF_DEFAULT;
    out->s.scope = default_scope(r);
    if (!master_default(app, e->key, out))
        out->s.value = sv(d->value);
}

/* Where nobody set the key itself. */
static void resolve_unset(const struct app *app, const struct sql *sql, struct release r,
                          const char *key, int fallbacks, struct found *out)
{
    const struct conf_key *e = conf_key_find(sv(key));
    const char *databricks;

    out->s.source = CONF_UNKNOWN;
    out->s.scope = r.version ? default_scope(r) : SV("version of Spark unknown");
    if (app->databricks &&
        (databricks = conf_databricks_default(key, r.version, r.patch))) {
        out->s.value = sv(databricks);
        out->s.source = CONF_DEFAULT;
        out->s.scope = SV("Databricks");
    } else if (e) {
        take_default(app, sql, r, e, fallbacks, out);
    }
}

static struct found resolve(const struct app *app, const struct sql *sql, const char *key,
                            int fallbacks)
{
    const struct conf_key *e = conf_key_find(sv(key));
    struct release r = release_of(app);
    struct found out = { .s.key = sv(key), .bare = e && e->bare ? e->bare : 1 };
    struct found session = out;
    bool in_session = sql && lookup_session(app, sql, r, key, e, &session);
    bool set = lookup(conf_application(app), r, key, e, &out);

    if (in_session && !(set && conf_same_value(key, session.s.value, out.s.value))) {
        session.s.source = CONF_SESSION;
        session.s.scope = SV("SQL execution");
        return session;
    }
    out.s.source = CONF_SET;
    out.s.scope = app->spark.n ? SV("application") : SV("properties of a job");
    if (!set)
        resolve_unset(app, sql, r, key, fallbacks, &out);
    return out;
}

struct setting conf_get(const struct app *app, const struct sql *sql, const char *key)
{
    return resolve(app, sql, key, MAX_FALLBACKS).s;
}

struct setting conf_unset(const struct app *app, const char *key)
{
    const struct conf_key *e = conf_key_find(sv(key));
    struct found out = { .s.key = sv(key), .bare = e && e->bare ? e->bare : 1 };

    resolve_unset(app, NULL, release_of(app), key, MAX_FALLBACKS, &out);
    return out.s;
}

bool conf_exists(const struct app *app, const char *key)
{
    const struct conf_key *e = conf_key_find(sv(key));
    struct release r = release_of(app);

    if (!e || r.version == 0)
        return true;
    const struct conf_default *d = conf_key_default(e, r.version);
    return d && d->rule != CONF_GONE;
}

/* --- values -------------------------------------------------------------------- */

static bool parse_bytes(struct sv text, int64_t bare, int64_t *out)
{
    return text.p && units_parse_bytes(text, bare, out);
}

static bool parse_ms(struct sv text, int64_t bare, int64_t *out)
{
    return text.p && units_parse_ms(text, bare, out);
}

/* Decimal notation with an optional exponent, whatever the locale says. */
static bool parse_double(struct sv text, double *out)
{
    double value = 0, scale = 1;
    size_t at = 0, n_digits = 0;
    bool fraction = false;

    text = sv_trim(text);
    bool negative = text.len && text.p[0] == '-';
    for (at = negative; at < text.len; at++) {
        char c = text.p[at];

        if (c == '.' && !fraction) {
            fraction = true;
        } else if (c >= '0' && c <= '9' && n_digits < 300) {
            value = value * 10 + (c - '0');
            scale *= fraction ? 10 : 1;
            n_digits++;
        } else {
            break;
        }
    }
    value /= scale;
    if (at < text.len && (text.p[at] == 'e' || text.p[at] == 'E')) {
        int64_t exponent;

        if (!sv_i64(sv_from(text, at + 1), &exponent) || exponent < -300 ||
            exponent > 300)
            return false;
        for (; exponent > 0; exponent--)
            value *= 10;
        for (; exponent < 0; exponent++)
            value /= 10;
        at = text.len;
    }
    if (n_digits == 0 || at < text.len)
        return false;
    *out = negative ? -value : value;
    return true;
}

int64_t conf_bytes(const struct app *app, const struct sql *sql, const char *key,
                   int64_t otherwise)
{
    struct found f = resolve(app, sql, key, MAX_FALLBACKS);
    int64_t bytes;

    return parse_bytes(f.s.value, f.bare, &bytes) ? bytes : otherwise;
}

int64_t conf_ms(const struct app *app, const struct sql *sql, const char *key,
                int64_t otherwise)
{
    struct found f = resolve(app, sql, key, MAX_FALLBACKS);
    int64_t ms;

    return parse_ms(f.s.value, f.bare, &ms) ? ms : otherwise;
}

int64_t conf_i64(const struct app *app, const struct sql *sql, const char *key,
                 int64_t otherwise)
{
    struct sv value = resolve(app, sql, key, MAX_FALLBACKS).s.value;
    int64_t n;

    return value.p && sv_i64(sv_trim(value), &n) ? n : otherwise;
}

double conf_double(const struct app *app, const struct sql *sql, const char *key,
                   double otherwise)
{
    struct sv value = resolve(app, sql, key, MAX_FALLBACKS).s.value;
    double n;

    return value.p && parse_double(value, &n) ? n : otherwise;
}

bool conf_bool(const struct app *app, const struct sql *sql, const char *key,
               bool otherwise)
{
    struct sv value = resolve(app, sql, key, MAX_FALLBACKS).s.value;
    bool yes;

    return value.p && units_parse_bool(value, &yes) ? yes : otherwise;
}

bool conf_same_value(const char *key, struct sv a, struct sv b)
{
    const struct conf_key *e = conf_key_find(sv(key));
    int64_t x, y;
    double u, v;
    bool p, q;

    if (!a.p || !b.p)
        return a.p == b.p;
    if (sv_eq(a, b))
        return true;
    switch (e ? e->type : CONF_TEXT) {
    case CONF_BOOL:
        return units_parse_bool(a, &p) && units_parse_bool(b, &q) && p == q;
    case CONF_INT:
        return sv_i64(sv_trim(a), &x) && sv_i64(sv_trim(b), &y) && x == y;
    case CONF_DOUBLE: /* exact: 0.6 and 0.60 are the same number */
        return parse_double(a, &u) && parse_double(b, &v) && !(u < v) && !(u > v);
    case CONF_BYTES:
        return parse_bytes(a, e->bare, &x) && parse_bytes(b, e->bare, &y) && x == y;
    case CONF_TIME:
        return parse_ms(a, e->bare, &x) && parse_ms(b, e->bare, &y) && x == y;
    case CONF_TEXT:
        break;
    }
    return false;
}
