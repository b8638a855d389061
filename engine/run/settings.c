/* Settings: a slot for each key that the engine reads, a sorted list for all others.
 *
 * A value is checked and converted when it is set, so that getters are array look-ups.
 * What Spark demands of single keys beyond their kind stands in two tables: ranges with
 * Spark's sentence, and words out of which one must be chosen.
 *
 * Not handled: ${key} inside values and Hadoop's keys, which are kept as text. */
#include "engine/run/settings.h"

#include "base/mem.h"
#include "base/nearest.h"
#include "base/units.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>

struct setting_def {
    const char *key;
    enum setting_kind kind;
    const char *dflt, *meaning;
};

static const struct setting_def defs[N_SETTINGS] = {
#define X(name, key, kind, dflt, meaning) [SET_##name] = { key, kind, dflt, meaning },
#include "engine/run/settings_list.h"
#undef X
};

struct slot {
    struct sv text; /* absent: neither set nor a default */
    union {
        bool b;
        int64_t i;
        double f;
    } as;
    bool set; /* by somebody; false: the default */
};

struct pair {
    struct sv key, value;
    struct sv first; /* what it was when the session began */
};

struct settings {
    struct arena *arena;
    struct slot known[N_SETTINGS], first[N_SETTINGS]; /* first: what RESET restores */
    struct pair *other;                               /* by key; value absent: reset */
    uint32_t n_other, cap_other;
};

/* Numbers that Spark refuses, with its sentence. `shown`: the key's name in the message
 * where Spark says an older one. */
static const struct range {
    enum setting key;
    int64_t least;
    const char *sentence, *shown;
} ranges[] = {
    { SET_SHUFFLE_PARTITIONS, 1,
      "The value of spark.sql.shuffle.partitions must be positive", NULL },
    { SET_SKEW_FACTOR, 0, "The skew factor cannot be negative.", NULL },
    { SET_COALESCE_MIN_NUM, 1, "The minimum number of partitions must be positive.",
      NULL },
    { SET_COALESCE_INITIAL_NUM, 1, "The initial number of partitions must be positive.",
      NULL },
    { SET_COALESCE_MIN_BYTES, 1, "minPartitionSize must be positive", NULL },
    { SET_ADVISORY_BYTES, 1, "advisoryPartitionSizeInBytes must be positive",
      "spark.sql.adaptive.shuffle.targetPostShuffleInputSize" },
    { SET_NON_EMPTY_RATIO, 0, "The non-empty partition ratio must be positive number.",
      NULL },
    { SET_LIMIT_INITIAL, 1, "value should be positive", NULL },
    { SET_MIN_PARTITION_NUM, 1, "The min partition number must be a positive integer.",
      NULL },
    { SET_MAX_PARTITION_NUM, 1,
      "The maximum number of partitions must be a positive integer.", NULL },
    { SET_WINDOW_GROUP_LIMIT, -1,
      "The threshold of window group limit must be -1, 0 or positive integer.", NULL },
    { SET_FILE_COMPRESSION_FACTOR, 0,
      "the value of fileCompressionFactor must be greater than 0", NULL },
    { SET_SHUFFLED_HASH_FACTOR, 1, "The shuffle hash join factor cannot be negative.",
      NULL },
    { SET_MAX_PLAN_LENGTH, 0,
      "Invalid value for 'spark.sql.maxPlanStringLength'.  Length must be a valid string "
      "length (nonnegative and shorter than the maximum size).",
      NULL },
};

/* Texts out of a fixed list: how Spark writes them, and how it lists them. */
static const struct choice {
    enum setting key;
    bool upper; /* Spark turns the value into upper case, else into lower */
    const char *words;
} choices[] = {
    { SET_PARQUET_CODEC, false,
      "brotli, uncompressed, lz4, gzip, lzo, lz4raw, snappy, lz4_raw, none, zstd" },
    { SET_PARTITION_OVERWRITE, true, "DYNAMIC, STATIC" },
    { SET_STORE_ASSIGNMENT, true, "ANSI, LEGACY, STRICT" },
    { SET_PARQUET_TS_TYPE, true, "INT96, TIMESTAMP_MICROS, TIMESTAMP_MILLIS" },
    { SET_PARQUET_OLD_DATES, true, "CORRECTED, EXCEPTION, LEGACY" },
    { SET_PARQUET_OLD_INT96, true, "CORRECTED, EXCEPTION, LEGACY" },
    { SET_LEGACY_CTE, true, "CORRECTED, EXCEPTION, LEGACY" },
};

/* ---- values ---- */

static enum errc bad_kind(const char *key, const char *kind, struct sv value,
                          struct err *err)
{
    return err_set(err, ERR_USAGE, "%s should be %s, but was %.*s", key, kind,
                   SV_FMT(value));
}

/* What is wrong with a size or a time, as Spark's parser finds it. */
static enum errc bad_unit(bool time, struct sv value, struct err *err)
{
    const char *rule =
        time
            ? "Time must be specified as seconds (s), milliseconds (ms), microseconds "
              "(us), minutes (m or min), hour (h), or day (d). E.g. 50s, 100ms, or 250us."
            : "Size must be specified as bytes (b), kibibytes (k), mebibytes (m), "
              "gibibytes (g), tebibytes (t), or pebibytes(p). E.g. 50b, 100k, or 250m.";
    size_t digits = 0, n = 0;

    while (digits < value.len && isdigit((unsigned char)value.p[digits]))
        digits++;
    for (n = digits; n < value.len && isalpha((unsigned char)value.p[n]); n++)
        continue;
    if (digits && n == value.len && n > digits) {
        struct sv unit = sv_from(value, digits);
        return err_set(err, ERR_USAGE, "%s Invalid suffix: \"%.*s\"", rule, SV_FMT(unit));
    }
    if (digits && digits == value.len)
        return err_set(err, ERR_USAGE, "%s For input string: \"%.*s\"", rule,
                       SV_FMT(value));
    if (!time && digits && value.p[digits] == '.')
        return err_set(err, ERR_USAGE,
                       "%s Fractional values are not supported. Input was: %.*s", rule,
                       SV_FMT(value));
    return err_set(err, ERR_USAGE, "%s Failed to parse %s string: %.*s", rule,
                   time ? "time" : "byte", SV_FMT(value));
}

/* Bytes that a bare number counts: the executors' and the driver's memory is in MiB. */
static int64_t bare_bytes(enum setting key)
{
    return key == SET_EXECUTOR_MEMORY || key == SET_DRIVER_MEMORY ? INT64_C(1) << 20 : 1;
}

static int64_t bare_ms(enum setting key)
{
    return key == SET_BROADCAST_TIMEOUT ? 1000 : 1;
}

static bool parse_signed(enum setting key, struct sv text, bool time, int64_t *out)
{
    bool minus = text.len && text.p[0] == '-';

    if (minus)
        text = sv_from(text, 1);
    if (!(time ? units_parse_ms(text, bare_ms(key), out)
               : units_parse_bytes(text, bare_bytes(key), out)))
        return false;
    if (minus)
        *out = -*out;
    return true;
}

/* Java's: what strtod takes without its hexadecimals, and "NaN", "Infinity". */
static bool parse_double(struct sv text, double *out)
{
    char buf[64], *end;

    if (text.len == 0 || text.len >= sizeof buf)
        return false;
    memcpy(buf, text.p, text.len);
    buf[text.len] = '\0';
    if (memchr(buf, 'x', text.len) || memchr(buf, 'X', text.len))
        return false;
    *out = strtod(buf, &end);
    return *end == '\0';
}

static enum errc check_range(enum setting key, const struct slot *slot, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        const struct range *r = &ranges[i];
        bool real = defs[key].kind == SETTING_DOUBLE;

        if (r->key != key ||
            (real ? slot->as.f >= (double)r->least : slot->as.i >= r->least))
            continue;
        const char *shown = r->shown ? r->shown : defs[key].key;
        if (real)
            return err_set(err, ERR_USAGE, "'%.1f' in %s is invalid. %s", slot->as.f,
                           shown, r->sentence);
        return err_set(err, ERR_USAGE, "'%lld' in %s is invalid. %s",
                       (long long)slot->as.i, shown, r->sentence);
    }
    return ERR_OK;
}

static bool same_word(struct sv a, struct sv b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (tolower((unsigned char)a.p[i]) != tolower((unsigned char)b.p[i]))
            return false;
    return true;
}

static bool in_words(struct sv words, struct sv word)
{
    while (words.len) {
        size_t comma = sv_find(words, SV(", "));
        struct sv one = { words.p, comma == SIZE_MAX ? words.len : comma };

        if (same_word(one, word))
            return true;
        words = comma == SIZE_MAX ? (struct sv){ 0 } : sv_from(words, comma + 2);
    }
    return false;
}

static enum errc check_choice(enum setting key, struct sv value, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
        const struct choice *c = &choices[i];
        char shown[64];
        size_t n = value.len < sizeof shown ? value.len : sizeof shown;

        if (c->key != key || in_words(sv(c->words), value))
            continue;
        for (size_t j = 0; j < n; j++) {
            unsigned char ch = (unsigned char)value.p[j];
            shown[j] = (char)(c->upper ? toupper(ch) : tolower(ch));
        }
        return err_set(err, ERR_USAGE,
                       "The value of %s should be one of %s, but was %.*s", defs[key].key,
                       c->words, (int)n, shown);
    }
    return ERR_OK;
}

/* Converts text into slot's value; slot->text stays as it was. */
static enum errc convert(enum setting key, struct sv text, struct slot *slot,
                         struct err *err)
{
    const char *name = defs[key].key;
    struct sv trimmed = sv_trim(text);

    switch (defs[key].kind) {
    case SETTING_TEXT:
        return check_choice(key, text, err);
    case SETTING_BOOL:
        if (!units_parse_bool(trimmed, &slot->as.b))
            return bad_kind(name, "boolean", text, err);
        return ERR_OK;
    case SETTING_INT:
        if (!sv_i64(trimmed, &slot->as.i) ||
            (key != SET_MAX_PLAN_LENGTH && slot->as.i != (int32_t)slot->as.i))
            return bad_kind(name, key == SET_MAX_RECORDS_PER_FILE ? "long" : "int", text,
                            err);
        return check_range(key, slot, err);
    case SETTING_BYTES:
    case SETTING_MS:
        if (!parse_signed(key, trimmed, defs[key].kind == SETTING_MS, &slot->as.i))
            return bad_unit(defs[key].kind == SETTING_MS, trimmed, err);
        return check_range(key, slot, err);
    case SETTING_DOUBLE:
        if (!parse_double(trimmed, &slot->as.f))
            return bad_kind(name, "double", text, err);
        return check_range(key, slot, err);
    }
    return ERR_OK;
}

/* ---- the store ---- */

const char *setting_key(enum setting key)
{
    return defs[key].key;
}

enum setting setting_of(struct sv key)
{
    for (int i = 0; i < N_SETTINGS; i++)
        if (sv_is(key, defs[i].key))
            return (enum setting)i;
    return N_SETTINGS;
}

static void to_default(struct settings *s, enum setting key)
{
    struct slot slot = { .as.i = -1 };
    struct err err = { 0 };

    if (defs[key].dflt[0]) {
        slot.text = sv(defs[key].dflt);
        if (convert(key, slot.text, &slot, &err) != ERR_OK)
            die("default of %s: %s", defs[key].key, err.text);
    }
    s->known[key] = slot;
}

struct settings *settings_new(struct arena *a)
{
    struct settings *s = ARENA_NEW(a, struct settings);

    s->arena = a;
    for (int i = 0; i < N_SETTINGS; i++)
        to_default(s, (enum setting)i);
    memcpy(s->first, s->known, sizeof s->first);
    return s;
}

static struct sv keep(struct arena *a, struct sv text)
{
    return text.p ? arena_sv(a, text) : text;
}

struct settings *settings_copy(struct arena *a, const struct settings *s)
{
    struct settings *copy = ARENA_NEW(a, struct settings);

    *copy = *s;
    copy->arena = a;
    for (int i = 0; i < N_SETTINGS; i++) {
        copy->known[i].text = keep(a, s->known[i].text);
        copy->first[i].text = keep(a, s->first[i].text);
    }
    copy->cap_other = s->n_other;
    copy->other = arena_array(a, s->n_other, sizeof *copy->other);
    for (uint32_t i = 0; i < s->n_other; i++) {
        const struct pair *p = &s->other[i];
        copy->other[i] = (struct pair){ .key = keep(a, p->key),
                                        .value = keep(a, p->value),
                                        .first = keep(a, p->first) };
    }
    return copy;
}

/* Where key is among the others, or belongs. */
static uint32_t find_other(const struct settings *s, struct sv key, bool *there)
{
    uint32_t low = 0, high = s->n_other;

    *there = false;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        int order = sv_cmp(s->other[mid].key, key);

        if (order == 0) {
            *there = true;
            return mid;
        }
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void put_other(struct settings *s, struct sv key, struct sv value)
{
    bool there;
    uint32_t at = find_other(s, key, &there);

    if (!there) {
        if (s->n_other == s->cap_other) {
            uint32_t cap = s->cap_other ? s->cap_other * 2 : 16;
            struct pair *more = arena_array(s->arena, cap, sizeof *more);

            if (s->n_other)
                memcpy(more, s->other, s->n_other * sizeof *more);
            s->other = more;
            s->cap_other = cap;
        }
        memmove(s->other + at + 1, s->other + at, (s->n_other - at) * sizeof *s->other);
        s->n_other++;
        s->other[at] = (struct pair){ .key = arena_sv(s->arena, key) };
    }
    s->other[at].value = arena_sv(s->arena, value);
}

enum errc settings_put(struct settings *s, struct sv key, struct sv value,
                       struct err *err)
{
    enum setting known = setting_of(key);
    struct slot slot = { .set = true };

    if (known == N_SETTINGS) {
        put_other(s, key, value);
        return ERR_OK;
    }
    TRY(convert(known, value, &slot, err));
    slot.text = arena_sv(s->arena, value);
    s->known[known] = slot;
    return ERR_OK;
}

/* Keys outside spark.sql that Spark has registered, but that a script may set (without
 * an effect there): all others are refused. */
static bool is_loose(enum setting key)
{
    return key == SET_APP_NAME || key == SET_MASTER || key == SET_DEFAULT_PARALLELISM ||
           key == SET_LOCAL_DIR || key == SET_PARQUET_BLOCK;
}

enum errc settings_modifiable(struct sv key, struct err *err)
{
    enum setting known = setting_of(key);

    if (known == SET_WAREHOUSE)
        return err_set(err, ERR_USAGE,
                       "Cannot modify the value of a static config: %.*s.", SV_FMT(key));
    if (known == N_SETTINGS || sv_starts(key, SV("spark.sql.")) || is_loose(known))
        return ERR_OK;
    return err_set(err, ERR_USAGE,
                   "[CANNOT_MODIFY_CONFIG] Cannot modify the value of the Spark config: "
                   "\"%.*s\". Set it before the session begins, with --conf.",
                   SV_FMT(key));
}

void settings_seal(struct settings *s)
{
    memcpy(s->first, s->known, sizeof s->first);
    for (uint32_t i = 0; i < s->n_other; i++)
        s->other[i].first = s->other[i].value;
}

static bool fixed(enum setting key)
{
    struct err ignored;

    return settings_modifiable(sv(defs[key].key), &ignored) != ERR_OK;
}

void settings_reset(struct settings *s, struct sv key)
{
    enum setting known = key.p ? setting_of(key) : N_SETTINGS;

    if (known != N_SETTINGS)
        s->known[known] = s->first[known];
    if (key.p) {
        bool there;
        uint32_t at = find_other(s, key, &there);

        if (there)
            s->other[at].value = s->other[at].first;
        return;
    }
    for (int i = 0; i < N_SETTINGS; i++)
        if (!fixed((enum setting)i))
            s->known[i] = s->first[i];
    for (uint32_t i = 0; i < s->n_other; i++)
        s->other[i].value = s->other[i].first;
}

/* ---- getters ---- */

bool settings_bool(const struct settings *s, enum setting key)
{
    assert(defs[key].kind == SETTING_BOOL);
    return s->known[key].text.p && s->known[key].as.b;
}

int64_t settings_int(const struct settings *s, enum setting key)
{
    assert(defs[key].kind == SETTING_INT || defs[key].kind == SETTING_BYTES ||
           defs[key].kind == SETTING_MS);
    return s->known[key].as.i;
}

double settings_double(const struct settings *s, enum setting key)
{
    assert(defs[key].kind == SETTING_DOUBLE);
    return s->known[key].as.f;
}

struct sv settings_text(const struct settings *s, enum setting key)
{
    return s->known[key].text.p ? s->known[key].text : SV("");
}

bool settings_says(const struct settings *s, enum setting key, const char *word)
{
    return same_word(settings_text(s, key), sv(word));
}

bool settings_is_set(const struct settings *s, enum setting key)
{
    return s->known[key].text.p != NULL;
}

bool settings_find(const struct settings *s, struct sv key, struct sv *value)
{
    enum setting known = setting_of(key);
    bool there;
    uint32_t at;

    if (known != N_SETTINGS) {
        if (!s->known[known].text.p)
            return false;
        *value = s->known[known].text;
        return true;
    }
    at = find_other(s, key, &there);
    if (!there || !s->other[at].value.p)
        return false;
    *value = s->other[at].value;
    return true;
}

/* Positions of the known keys in the order of their names. */
static void sort_known(uint16_t *order)
{
    for (uint16_t i = 0; i < N_SETTINGS; i++) {
        uint16_t j = i;

        for (; j > 0 && strcmp(defs[order[j - 1]].key, defs[i].key) > 0; j--)
            order[j] = order[j - 1];
        order[j] = i;
    }
}

void settings_each(const struct settings *s, bool with_defaults, settings_fn fn,
                   void *ctx)
{
    uint16_t order[N_SETTINGS];
    uint32_t other = 0;

    sort_known(order);
    for (size_t i = 0; i <= N_SETTINGS; i++) {
        const struct setting_def *d = i < N_SETTINGS ? &defs[order[i]] : NULL;

        for (; other < s->n_other && (!d || sv_cmp(s->other[other].key, sv(d->key)) < 0);
             other++)
            if (s->other[other].value.p)
                fn(ctx, s->other[other].key, s->other[other].value, SV(""), true);
        if (!d)
            break;
        const struct slot *slot = &s->known[order[i]];
        if (slot->set || with_defaults)
            fn(ctx, sv(d->key), slot->text, sv(d->meaning), slot->set);
    }
}

struct sv settings_nearest(struct sv key)
{
    struct nearest near = { .word = key };

    for (int i = 0; i < N_SETTINGS; i++)
        nearest_try(&near, sv(defs[i].key));
    return near.best;
}
