/* Objects of the log read into records by tables.
 *
 * A shape lists the keys of one kind of object: where the value goes and as what. The
 * walker takes keys in any order, but machines write them in the same order each
 * time, so it first compares with the key that followed the last one when an object
 * of this shape was read before (`next`). A hit costs one vector comparison of the
 * key with its quotes and colon; a miss reads the key and searches the shape.
 *
 *     {"Stage ID":14,"Stage Attempt ID":0,"Task Type":"ShuffleMapTask",...
 *      ^ next[start]  ^ next["Stage ID"]   ^ next["Stage Attempt ID"]
 *
 * Values of the wrong kind count as absent, but whole numbers may come as text or
 * with a fraction of zero. Of a key that comes twice the last value counts.
 *
 * Included by decode_isa.c only. */
#ifndef ANALYZER_DECODE_FIELD_H
#define ANALYZER_DECODE_FIELD_H

#include "analyzer/event.h"
#include "analyzer/scan.h"
#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

enum field_kind {
    FIELD_I64,
    FIELD_COUNT, /* as I64; negative ones mean "not known": times, peaks, positions */
    FIELD_NUMBERS_END = FIELD_COUNT,
    FIELD_SKIP, /* known to come here, not used */
    FIELD_BOOL,
    FIELD_DOUBLE,
    FIELD_TEXT,
    FIELD_IDS,    /* struct ids */
    FIELD_KVS,    /* struct kvs of an object of texts */
    FIELD_OBJECT, /* .sub, into the same record, from offset on */
    FIELD_LIST,   /* of .sub's records: pointer and size_t at offset */
    FIELD_EVENT,  /* the event's name, again */
    FIELD_HOOK,   /* .hook reads it; arg: bytes at offset that are its result */
};

struct decode;
struct shape;

/* Reads any value at p. rec is the object the field belongs to. */
typedef const char *field_hook(struct decode *d, const char *p, void *rec);

struct field { /* 64 bytes: one line of the cache */
    char key[48]; /* with quotes and colon; short enough for vec_same */
    uint8_t key_len, kind;
    uint16_t offset, arg;
    union {
        const struct shape *sub;
        field_hook *hook;
        uint32_t mark; /* of numbers: bits to set in the shape's word of what was seen */
    };
};

struct shape {
    const struct field *fields;
    uint8_t n, id;
    uint16_t size;     /* of the record, where the shape has one of its own */
    uint16_t seen_at;  /* where in the record the uint32_t of marks is */
    const void *blank; /* the record with nothing in it; NULL: all bytes zero */
    /* After the last field. False: the record lacks what it is nothing without. */
    bool (*complete)(struct decode *d, void *rec);
};

enum { SHAPE_MAX_FIELDS = 40, SHAPE_MAX = 56, ACCUM_GUESSES = 1024, ACCUM_STAGES = 64 };

/* What an accumulable of a task looks like: decode_task.h. */
struct accum_guess {
    char head[128]; /* from its brace to its update */
    uint8_t head_len, form, use;
    uint16_t next; /* which one came behind it */
    int64_t id;
};

/* What was learnt from the lines so far. It makes guesses good, never answers. */
struct decode_memo {
    uint8_t next[SHAPE_MAX][SHAPE_MAX_FIELDS + 1]; /* after field k; [n]: the first */
    struct accum_guess accums[ACCUM_GUESSES];
    struct accum_guess first[ACCUM_STAGES]; /* by stage; only .next: the first of a task */
};

/* What lives as long as the decoding of one chunk. */
struct decode {
    struct scan scan;
    struct event_batch *batch;
    struct decode_memo *memo;
    const char *text_end; /* behind the last newline */
    bool duplicate;    /* a field came twice in an object of this line */
    bool event_again;  /* the event's name came where it was not expected */
    bool lacking;      /* something inside the record is not complete */
    bool metrics_last; /* TaskEnd: "Task Metrics" has been read */
    int64_t task_peak; /* TaskEnd: the accumulable peakExecutionMemory */
    struct sv task_host; /* TaskEnd: "Host Name" of Task Metrics */
    char *rec;         /* the record being filled */
    const char *blank; /* its blank one */
    char *stack;       /* elements of the lists being read, the inner ones behind */
    size_t stack_len, stack_cap;
};

#define KEY(name) .key = "\"" name "\":", .key_len = sizeof("\"" name "\":") - 1
#define FIELD(name, k, type, member) { KEY(name), .kind = k, .offset = offsetof(type, member) }
#define SKIPPED(name) { KEY(name), .kind = FIELD_SKIP }
#define OBJECT_AT(name, at, shape_) { KEY(name), .kind = FIELD_OBJECT, .offset = at, .sub = &shape_ }
#define OBJECT(name, shape_) OBJECT_AT(name, 0, shape_)
#define LIST(name, type, member, shape_)                                                 \
    { KEY(name), .kind = FIELD_LIST, .offset = offsetof(type, member), .sub = &shape_ }
#define HOOK(name, type, member, f)                                                      \
    { KEY(name), .kind = FIELD_HOOK, .offset = offsetof(type, member),                   \
      .arg = sizeof(((type *)0)->member), .hook = f }
#define METRIC(name, m)                                                                  \
    { KEY(name), .kind = FIELD_I64, .mark = UINT32_C(1) << METRIC_##m,                   \
      .offset = offsetof(struct ev_task_end, metric) + sizeof(int64_t) * METRIC_##m }
#define FIELDS(table) .fields = table, .n = ARRAY_LEN(table)

static const char *read_object(struct decode *d, const char *p, const struct shape *sh,
                               void *rec);

/* ---- lists ---- */

static void stack_push(struct decode *d, const void *item, size_t size)
{
    if (UNLIKELY(d->stack_cap - d->stack_len < size)) {
        d->stack_cap = d->stack_cap * 2 + size + 4096;
        d->stack = xrealloc(d->stack, d->stack_cap);
    }
    memcpy(d->stack + d->stack_len, item, size);
    d->stack_len += size;
}

/* Moves what was pushed since `base` to the arena and puts pointer and count at `to`. */
static void stack_take(struct decode *d, size_t base, size_t size, void *to)
{
    size_t len = d->stack_len - base, n = len / size;
    void *items = NULL;

    if (n) {
        items = arena_alloc(d->scan.arena, len);
        memcpy(items, d->stack + base, len);
    }
    memcpy(to, &items, sizeof items);
    memcpy((char *)to + sizeof items, &n, sizeof n);
    d->stack_len = base;
}

/* Reads an array, each element by `element`, which pushes what it keeps. */
typedef const char *element_reader(struct decode *d, const char *p, const void *arg);

static const char *read_array(struct decode *d, const char *p, element_reader *element,
                              const void *arg)
{
    struct scan *s = &d->scan;

    if (*p != '[')
        return skip_value(s, p);
    if (++s->depth > SCAN_MAX_DEPTH)
        return NULL;
    p = skip_blanks(s, p + 1);
    if (*p == ']') {
        s->depth--;
        return p + 1;
    }
    for (;;) {
        if (!(p = element(d, p, arg)))
            return NULL;
        p = skip_blanks(s, p);
        if (*p == ']') {
            s->depth--;
            return p + 1;
        }
        if (*p != ',')
            return NULL;
        p = skip_blanks(s, p + 1);
    }
}

/* ---- single values ---- */

static inline bool at_number(const char *p)
{
    return is_digit(*p) || *p == '-';
}

/* A whole number that stands in the text of a string; what ended that ends it too. */
static bool text_number(struct sv text, int64_t *out)
{
    struct number parts;

    return text.len && at_number(text.p) && number_parts(text.p, &parts) == text.p + text.len &&
           number_whole(&parts, out);
}

/* A whole number, as one or as text; *whole tells. */
static __attribute__((noinline)) const char *read_whole(struct decode *d, const char *p, int64_t *out, bool *whole)
{
    struct sv text;

    if (LIKELY(at_number(p)))
        return read_number(p, out, whole);
    *whole = false;
    if (*p != '"')
        return skip_value(&d->scan, p);
    unsigned n = vec_digits(p + 1);
    if (LIKELY(n != 0 && p[n + 1] == '"')) {
        *out = (int64_t)vec_number(p + 1, n);
        *whole = true;
        return p + n + 2;
    }
    if ((p = read_string(&d->scan, p, &text)))
        *whole = text_number(text, out);
    return p;
}

static const char *read_double(struct decode *d, const char *p, double *out)
{
    char copy[64] = "";
    const char *end = skip_value(&d->scan, p);

    if (end && at_number(p) && (size_t)(end - p) < sizeof copy) {
        memcpy(copy, p, (size_t)(end - p));
        *out = strtod(copy, NULL);
    }
    return end;
}

static inline const char *read_bool(struct decode *d, const char *p, bool *out)
{
    struct sv text;

    if (LIKELY(memcmp(p, "fals", 4) == 0 && p[4] == 'e')) {
        *out = false;
        return p + 5;
    }
    if (memcmp(p, "true", 4) == 0) {
        *out = true;
        return p + 4;
    }
    if (*p == '"') {
        if ((p = read_string(&d->scan, p, &text)) && (sv_is(text, "true") || sv_is(text, "false")))
            *out = sv_is(text, "true");
        return p;
    }
    return skip_value(&d->scan, p);
}

/* Text; out->p is NULL after anything else. */
static inline const char *read_text(struct decode *d, const char *p, struct sv *out)
{
    *out = (struct sv){ 0 };
    return *p == '"' ? read_string(&d->scan, p, out) : skip_value(&d->scan, p);
}

static const char *id_element(struct decode *d, const char *p, const void *arg)
{
    int64_t id = 0;
    bool whole;

    (void)arg;
    if ((p = read_whole(d, p, &id, &whole)) && whole)
        stack_push(d, &id, sizeof id);
    return p;
}

static const char *read_ids(struct decode *d, const char *p, void *to)
{
    size_t base = d->stack_len;

    if ((p = read_array(d, p, id_element, NULL)))
        stack_take(d, base, sizeof(int64_t), to);
    return p;
}

/* Numbers and booleans in a map of texts are taken as written. */
static const char *read_kvs(struct decode *d, const char *p, void *to)
{
    struct scan *s = &d->scan;
    size_t base = d->stack_len;

    if (*p != '{')
        return skip_value(s, p);
    if (++s->depth > SCAN_MAX_DEPTH)
        return NULL;
    p = skip_blanks(s, p + 1);
    while (*p != '}') {
        struct kv kv;

        if (*p != '"' || !(p = read_string(s, p, &kv.key)))
            return NULL;
        p = skip_blanks(s, p);
        if (*p != ':')
            return NULL;
        p = skip_blanks(s, p + 1);
        const char *value = p;
        if (!(p = read_text(d, p, &kv.value)))
            return NULL;
        if (at_number(value) || *value == 't' || *value == 'f')
            kv.value = (struct sv){ value, (size_t)(p - value) };
        if (kv.value.p)
            stack_push(d, &kv, sizeof kv);
        p = skip_blanks(s, p);
        if (*p == '}')
            break;
        if (*p != ',')
            return NULL;
        p = skip_blanks(s, p + 1);
        if (*p == '}')
            return NULL;
    }
    s->depth--;
    stack_take(d, base, sizeof(struct kv), to);
    return p + 1;
}

/* ---- records and fields ---- */

/* The record with nothing in it, as long as the shape says. */
static const char *blank_of(const struct shape *sh)
{
    static const char zeros[256];

    assert(sh->blank || sh->size <= sizeof zeros);
    return sh->blank ? sh->blank : zeros;
}

/* Reads an object into a record of its own, beginning with a blank one. */
static const char *read_record(struct decode *d, const char *p, const struct shape *sh, void *rec)
{
    char *outer_rec = d->rec;
    const char *outer_blank = d->blank;

    d->rec = rec;
    d->blank = blank_of(sh);
    memcpy(rec, d->blank, sh->size);
    p = read_object(d, p, sh, rec);
    d->rec = outer_rec;
    d->blank = outer_blank;
    return p;
}

static const char *record_element(struct decode *d, const char *p, const void *arg)
{
    const struct shape *sh = arg;
    _Alignas(max_align_t) char rec[512];
    bool object = *p == '{';

    if (!(p = read_record(d, p, sh, rec)))
        return NULL;
    if (object && (!sh->complete || sh->complete(d, rec)))
        stack_push(d, rec, sh->size);
    return p;
}

static void *restore(struct decode *d, void *at, size_t size)
{
    return memcpy(at, d->blank + ((char *)at - d->rec), size);
}

/* Takes back what an earlier field of this key has set. */
static void reset_field(struct decode *d, const struct shape *sh, const struct field *f, char *rec)
{
    char *at = rec + f->offset;

    switch ((enum field_kind)f->kind) {
    case FIELD_SKIP:
    case FIELD_EVENT:
        break;
    case FIELD_I64:
    case FIELD_COUNT:
        restore(d, at, sizeof(int64_t));
        if (f->mark)
            *(uint32_t *)(void *)(rec + sh->seen_at) &= ~f->mark;
        break;
    case FIELD_BOOL:
        restore(d, at, sizeof(bool));
        break;
    case FIELD_DOUBLE:
        restore(d, at, sizeof(double));
        break;
    case FIELD_TEXT:
        restore(d, at, sizeof(struct sv));
        break;
    case FIELD_IDS:
    case FIELD_KVS:
    case FIELD_LIST:
        restore(d, at, sizeof(void *) + sizeof(size_t));
        break;
    case FIELD_HOOK:
        restore(d, at, f->arg);
        break;
    case FIELD_OBJECT:
        for (unsigned k = 0; k < f->sub->n; k++)
            reset_field(d, f->sub, &f->sub->fields[k], at);
        break;
    }
}

/* The value at p for a field that is no number. */
static inline const char *read_field(struct decode *d, const char *p, const struct field *f,
                                     char *rec)
{
    char *at = rec + f->offset;

    switch ((enum field_kind)f->kind) {
    case FIELD_I64:
    case FIELD_COUNT:
        break;
    case FIELD_SKIP:
        return skip_value(&d->scan, p);
    case FIELD_EVENT:
        d->event_again = true;
        return skip_value(&d->scan, p);
    case FIELD_BOOL:
        return read_bool(d, p, (bool *)at);
    case FIELD_DOUBLE:
        return read_double(d, p, (double *)(void *)at);
    case FIELD_TEXT:
        return read_text(d, p, (struct sv *)(void *)at);
    case FIELD_IDS:
        return read_ids(d, p, at);
    case FIELD_KVS:
        return read_kvs(d, p, at);
    case FIELD_OBJECT:
        return read_object(d, p, f->sub, at);
    case FIELD_LIST: {
        size_t base = d->stack_len;

        if ((p = read_array(d, p, record_element, f->sub)))
            stack_take(d, base, f->sub->size, at);
        return p;
    }
    case FIELD_HOOK:
        return f->hook(d, p, rec);
    }
    return NULL;
}

/* ---- objects ---- */

/* Reads a key and its colon; *k is its field, or sh->n where it is none of ours. */
static __attribute__((noinline)) const char *find_field(struct decode *d, const char *p,
                                                        const struct shape *sh, unsigned *k)
{
    struct sv key;

    p = skip_blanks(&d->scan, p);
    if (*p != '"' || !(p = read_string(&d->scan, p, &key)))
        return NULL;
    p = skip_blanks(&d->scan, p);
    if (*p != ':')
        return NULL;
    for (*k = 0; *k < sh->n; ++*k) {
        const struct field *f = &sh->fields[*k];

        if (key.len + 3 == f->key_len && memcmp(key.p, f->key + 1, key.len) == 0)
            break;
    }
    return p + 1;
}

static __attribute__((noinline)) void field_again(struct decode *d, const struct shape *sh,
                                                  const struct field *f, char *rec)
{
    d->duplicate = true;
    reset_field(d, sh, f, rec);
}

static void mark_seen(const struct shape *sh, char *rec, uint32_t seen)
{
    if (seen)
        *(uint32_t *)(void *)(rec + sh->seen_at) |= seen;
}

/* The rest of an object from its first key on. Most fields are numbers of a few digits
 * with a comma behind them: these go round the loop on the shortest way. */
static const char *read_members(struct decode *d, const char *p, const struct shape *sh, void *to)
{
    struct scan *s = &d->scan;
    uint8_t *next = d->memo->next[sh->id];
    char *rec = to;
    unsigned k = sh->n;
    uint64_t fields_seen = 0;
    uint32_t seen = 0;

    for (;;) {
        const struct field *f = &sh->fields[next[k]];

        if (LIKELY(vec_same(p, f->key, f->key_len))) {
            k = next[k];
            p += f->key_len;
        } else {
            unsigned found;

            if (!(p = find_field(d, p, sh, &found)))
                return NULL;
            if (found == sh->n) {
                if (!(p = skip_value(s, skip_blanks(s, p))))
                    return NULL;
                goto behind_value;
            }
            f = &sh->fields[found];
            next[k] = (uint8_t)found;
            k = found;
        }
        if (UNLIKELY(fields_seen >> k & 1)) {
            mark_seen(sh, rec, seen);
            seen = 0;
            field_again(d, sh, f, rec);
        }
        fields_seen |= UINT64_C(1) << k;
        if (f->kind <= FIELD_NUMBERS_END) {
            unsigned n = vec_digits(p);
            int64_t value = 0;
            bool whole;

            if (LIKELY(n != 0 && (p[n] == ',' || p[n] == '}'))) {
                value = (int64_t)vec_number(p, n);
                memcpy(rec + f->offset, &value, sizeof value);
                seen |= f->mark;
                p += n + 1;
                if (p[-1] == ',')
                    continue;
                mark_seen(sh, rec, seen);
                return p;
            }
            p = read_whole(d, skip_blanks(s, p), &value, &whole);
            if (whole && (value >= 0 || f->kind == FIELD_I64)) {
                memcpy(rec + f->offset, &value, sizeof value);
                seen |= f->mark;
            }
        } else {
            p = read_field(d, skip_blanks(s, p), f, rec);
        }
        if (UNLIKELY(!p))
            return NULL;
    behind_value:
        p = skip_blanks(s, p);
        if (*p != ',')
            break;
        p++;
    }
    mark_seen(sh, rec, seen);
    return *p == '}' ? p + 1 : NULL;
}

/* Any value at p; the fields of an object go to rec. */
static const char *read_object(struct decode *d, const char *p, const struct shape *sh, void *rec)
{
    struct scan *s = &d->scan;

    if (*p != '{')
        return skip_value(s, p);
    if (++s->depth > SCAN_MAX_DEPTH)
        return NULL;
    p = skip_blanks(s, p + 1);
    p = *p == '}' ? p + 1 : read_members(d, p, sh, rec);
    s->depth--;
    return p;
}

#endif
