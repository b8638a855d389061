/* The settings Spillway knows: their type, their older names, and what each version
 * of Spark takes where nobody set anything. analyzer/conf.h asks; few others need to. */
#ifndef ANALYZER_CONF_DEFAULTS_H
#define ANALYZER_CONF_DEFAULTS_H

#include "base/sv.h"

/* Spark's version as one number that can be compared. */
#define CONF_VERSION(major, minor) ((unsigned)((major)*100 + (minor)))
#define CONF_VERSION_NEWEST CONF_VERSION(4, 3) /* defaults are known up to here */

enum conf_type { CONF_TEXT, CONF_BOOL, CONF_INT, CONF_DOUBLE, CONF_BYTES, CONF_TIME };

enum conf_rule {
    CONF_LIST_END,
    CONF_IS,      /* the default is `value` */
    CONF_SAME_AS, /* the default is what the setting named in `value` has */
    CONF_NONE,    /* optional: no default, Spark decides by other means */
    CONF_OPEN,    /* the version has the setting, we do not know its default */
    CONF_GONE,    /* the version no longer reads the setting */
};

/* Holds from a version on, up to the next of the list. */
struct conf_default {
    uint16_t from;
    uint8_t rule; /* enum conf_rule */
    const char *value;
};

struct conf_older { /* a name the setting had; the new one wins where both are set */
    const char *key;
    int64_t bare;   /* unit of a bare number under this name; 0: as under the new one */
    uint16_t until; /* first version that ignores the old name; 0: none does */
};

struct conf_key {
    const char *key;
    enum conf_type type;
    int64_t bare; /* what a bare number counts: bytes or milliseconds */
    bool advice;  /* findings talk about it: always in the list of settings */
    struct conf_older older[2];
    struct conf_default
        dflt[4]; /* ascending; the first says since when the setting exists */
};

extern const struct conf_key conf_keys[]; /* by key */
extern const size_t conf_n_keys;

/* NULL: not one of ours. */
const struct conf_key *conf_key_find(struct sv key);
/* The setting that once had this name. */
const struct conf_key *conf_key_find_older(struct sv name);
/* What holds in a version; NULL: the version has not got the setting yet. */
const struct conf_default *conf_key_default(const struct conf_key *k, unsigned version);
/* What Databricks is documented to take instead, from a release of its own that
 * shows as a patch of Spark's version. NULL: nothing known. */
const char *conf_databricks_default(const char *key, unsigned version, unsigned patch);

#endif
