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
    FIELD_NONE,  /* no guess yet */
    FIELD_LONG,  /* as I64, with a key too long for one comparison */
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
    char key[36]; /* with quotes and colon */
    uint8_t key_len, same_len; /* same_len: at most 32, compared at once */
    uint8_t kind, bit; /* bit: of the 64, another one for each field of a shape */
    uint16_t offset;
    uint16_t arg;
    uint32_t mark; /* of numbers: to set in the shape's word of what was seen */
    uint64_t once; /* the bit */
    union {
        const struct shape *sub;
        field_hook *hook;
    };
};
_Static_assert(sizeof(struct field) == 64, "a line");

struct shape {
    const struct field *fields;
    uint8_t n, id;
    uint16_t size;     /* of the record, where the shape has one of its own */
    uint16_t seen_at;  /* where in the record the uint32_t of marks is */
    const void *blank; /* the record with nothing in it; NULL: all bytes zero */
    /* After the last field. False: the record lacks what it is nothing without. */
    bool (*complete)(struct decode *d, void *rec);
};

enum { SHAPE_MAX = 56, ACCUM_GUESSES = 4096, ACCUM_STAGES = 64 };

/* What an accumulable of a task looks like: decode_task.h. */
struct accum_guess {
    char head[128];    /* from its brace to its update */
    uint8_t head_len, head_part; /* head_part: the first bytes, at most 64 */
    uint8_t form;
    uint8_t kept_size; /* of struct ev_accum, or 0: not kept */
    bool peak;         /* of execution memory */
    uint16_t next;     /* which one came behind it */
    int64_t id;
};

/* What was learnt from the lines so far. It makes guesses good, never answers. */
struct decode_memo {
    const struct decode_isa *made_by;
    const struct field *first_field[SHAPE_MAX];
    const struct field *next_field[SHAPE_MAX][64]; /* by the bit of the one before */
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

/* The bits of a shape's fields follow each other because its table is written in one
 * place, without other keys between. */
#define QUOTED(name) "\"" name "\":"
#define KEY_BIT(name, at)                                                                \
    .key = QUOTED(name), .key_len = sizeof(QUOTED(name)) - 1,                            \
    .same_len = sizeof(QUOTED(name)) - 1 > 32 ? 32 : sizeof(QUOTED(name)) - 1,           \
    .bit = (at) % 64, .once = UINT64_C(1) << (at) % 64
#define KEY(name) KEY_BIT(name, __COUNTER__)
#define NUMBER_KIND(name, k) .kind = sizeof(QUOTED(name)) - 1 > 32 ? FIELD_LONG : k
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
    { KEY(name), NUMBER_KIND(name, FIELD_I64), .mark = UINT32_C(1) << METRIC_##m,        \
      .offset = offsetof(struct ev_task_end, metric) + sizeof(int64_t) * METRIC_##m }
#define FIELDS(table) .fields = table, .n = ARRAY_LEN(table)

static const char *read_object(struct decode *d, const char *p, const struct shape *sh,
                               void *rec);

/* As arena_alloc, but not zeroed. */
static void *take_bytes(struct arena *arena, size_t size)
{
    uintptr_t at = (uintptr_t)arena_bytes(arena, size + _Alignof(max_align_t) - 1);

    return (void *)((at + _Alignof(max_align_t) - 1) & ~(uintptr_t)(_Alignof(max_align_t) - 1));
}

/* ---- lists ---- */

static inline void stack_room(struct decode *d, size_t size)
{
    if (UNLIKELY(d->stack_cap - d->stack_len < size)) {
        d->stack_cap = d->stack_cap * 2 + size + 4096;
        d->stack = xrealloc(d->stack, d->stack_cap);
    }
}

static void stack_push(struct decode *d, const void *item, size_t size)
{
    stack_room(d, size);
    memcpy(d->stack + d->stack_len, item, size);
    d->stack_len += size;
}

/* Moves what was pushed since `base` to the arena and puts pointer and count at `to`. */
static void stack_take(struct decode *d, size_t base, size_t size, void *to)
{
    size_t len = d->stack_len - base, n = len / size;
    void *items = NULL;

    if (n) {
        items = take_bytes(d->scan.arena, len);
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
    if (LIKELY(n - 1 < 16 && p[n + 1] == '"')) {
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
    case FIELD_NONE:
    case FIELD_SKIP:
    case FIELD_EVENT:
        break;
    case FIELD_I64:
    case FIELD_COUNT:
    case FIELD_LONG:
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
static __attribute__((noinline)) const char *read_field(struct decode *d, const char *p, const struct field *f,
                                     char *rec)
{
    char *at = rec + f->offset;

    switch ((enum field_kind)f->kind) {
    case FIELD_I64:
    case FIELD_COUNT:
    case FIELD_NONE:
    case FIELD_LONG:
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

static const struct field no_field = { .key_len = 32, .same_len = 32, .kind = FIELD_NONE };
static const struct field other_field = { .kind = FIELD_SKIP }; /* not one of ours */

static void forget_fields(struct decode_memo *memo)
{
    for (size_t i = 0; i < SHAPE_MAX; i++) {
        memo->first_field[i] = &no_field;
        for (size_t k = 0; k < 64; k++)
            memo->next_field[i][k] = &no_field;
    }
}

/* Whether all of f's key stands at p, of which 32 bytes have been compared. */
static inline bool is_whole_key(const char *p, const struct field *f)
{
    return f->kind != FIELD_LONG || memcmp(p + 32, f->key + 32, f->key_len - 32u) == 0;
}

/* Reads the key at p with its colon; *behind is the position behind that. NULL: this
 * is not JSON. */
static __attribute__((noinline)) const struct field *
find_field(struct decode *d, const char *p, const struct shape *sh, const char **behind)
{
    struct sv key;

    p = skip_blanks(&d->scan, p);
    if (*p != '"' || !(p = read_string(&d->scan, p, &key)))
        return NULL;
    p = skip_blanks(&d->scan, p);
    if (*p != ':')
        return NULL;
    *behind = p + 1;
    for (unsigned k = 0; k < sh->n; k++) {
        const struct field *f = &sh->fields[k];

        if (key.len + 3 == f->key_len && memcmp(key.p, f->key + 1, key.len) == 0)
            return f;
    }
    return &other_field;
}

static inline void mark_seen(const struct shape *sh, char *rec, uint32_t seen)
{
    if (seen)
        *(uint32_t *)(void *)(rec + sh->seen_at) |= seen;
}

static __attribute__((noinline)) void field_again(struct decode *d, const struct shape *sh,
                                                  const struct field *f, char *rec)
{
    d->duplicate = true;
    reset_field(d, sh, f, rec);
}

/* A number that is not just digits before a comma or brace. */
static __attribute__((noinline)) const char *read_other_number(struct decode *d, const char *p,
                                                               const struct shape *sh,
                                                               const struct field *f, char *rec)
{
    int64_t value = 0;
    bool whole;

    p = read_whole(d, skip_blanks(&d->scan, p), &value, &whole);
    if (whole && (value >= 0 || f->kind != FIELD_COUNT)) {
        memcpy(rec + f->offset, &value, sizeof value);
        mark_seen(sh, rec, f->mark);
    }
    return p;
}

/* The rest of an object from its first key on. Most fields are numbers of a few digits
 * with a comma behind them: these go round the loop on the shortest way. */
static const char *read_members(struct decode *d, const char *p, const struct shape *sh, void *to)
{
    struct decode_memo *memo = d->memo;
    const struct field **next = memo->next_field[sh->id], **guess = &memo->first_field[sh->id];
    char *rec = to;
    uint64_t fields_seen = 0;
    uint32_t seen = 0;

    for (;;) {
        const struct field *f = *guess;
        bool same = vec_same(p, f->key, f->same_len);

        if (LIKELY(same && f->kind <= FIELD_COUNT && !(fields_seen & f->once))) {
            const char *digits = p + f->same_len;
            unsigned n = vec_digits(digits);

            if (LIKELY(n - 1 < 16 && (digits[n] == ',' || digits[n] == '}'))) {
                int64_t value = (int64_t)vec_number(digits, n);

                memcpy(rec + f->offset, &value, sizeof value);
                fields_seen |= f->once;
                seen |= f->mark;
                guess = &next[f->bit];
                p = digits + n + 1;
                if (LIKELY(digits[n] == ','))
                    continue;
                mark_seen(sh, rec, seen);
                return p;
            }
        }
        if (LIKELY(same && f->kind != FIELD_NONE && is_whole_key(p, f))) {
            p += f->key_len;
        } else {
            const char *behind;

            if (!(f = find_field(d, p, sh, &behind)))
                return NULL;
            p = behind;
            if (f != &other_field)
                *guess = f;
        }
        if (f != &other_field)
            guess = &next[f->bit];
        if (UNLIKELY(fields_seen & f->once)) {
            mark_seen(sh, rec, seen);
            seen = 0;
            field_again(d, sh, f, rec);
        }
        fields_seen |= f->once;
        if (f->kind <= FIELD_LONG)
            p = read_other_number(d, p, sh, f, rec);
        else
            p = read_field(d, skip_blanks(&d->scan, p), f, rec);
        if (UNLIKELY(!p))
            return NULL;
        p = skip_blanks(&d->scan, p);
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
