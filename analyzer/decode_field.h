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
 * Of a key that comes twice the last value counts.
 *
 * Included by decode_isa.c only. */
#ifndef ANALYZER_DECODE_FIELD_H
#define ANALYZER_DECODE_FIELD_H

#include "analyzer/decode_value.h"

#include <assert.h>

enum field_kind {
    FIELD_I64,
    FIELD_COUNT, /* as I64; negative ones mean "not known": times, peaks, positions */
    FIELD_NONE,  /* no guess yet */
    FIELD_LONG,  /* as I64, with a key too long for one comparison */
    FIELD_SKIP,  /* known to come here, not used */
    FIELD_BOOL,
    FIELD_DOUBLE,
    FIELD_TEXT,
    FIELD_EXECUTOR, /* as TEXT, an executor's id */
    FIELD_IS,       /* bool: the text is .word */
    FIELD_IDS,      /* struct ids */
    FIELD_KVS,      /* struct kvs of an object of texts */
    FIELD_OBJECT,   /* .sub, into the same record, from offset on */
    FIELD_LIST,     /* of .sub's records: pointer and size_t at offset */
    FIELD_EVENT,    /* the event's name, again */
    FIELD_HOOK,     /* .hook reads it; arg: bytes at offset that are its result */
};

struct shape;

/* Reads any value at p. rec is the object the field belongs to. */
typedef const char *field_hook(struct decode *d, const char *p, void *rec);

struct field {                 /* 64 bytes: one line of the cache */
    char key[36];              /* with quotes and colon */
    uint8_t key_len, same_len; /* same_len: at most 32, compared at once */
    uint8_t kind, bit;         /* bit: of the 64, another one for each field of a shape */
    uint16_t offset;
    uint16_t arg;
    uint32_t mark; /* of numbers: to set in the shape's word of what was seen */
    uint64_t once; /* the bit */
    union {
        const struct shape *sub;
        field_hook *hook;
        const char *word;
    };
};
_Static_assert(sizeof(struct field) == 64, "a line");

struct shape {
    const struct field *fields;
    uint8_t n, id;
    uint16_t size;     /* of the record, where the shape has one of its own */
    uint16_t seen_at;  /* where in the record the uint32_t of marks is */
    const void *blank; /* the record with nothing in it; NULL: all bytes zero */
    /* What the record is nothing without, and a hook for what else is to be done when
     * the object has been read; false where it finds something missing. */
    enum { NEEDS_NOTHING, NEEDS_NUMBER, NEEDS_TEXT } needs;
    uint16_t needs_at;
    bool (*complete)(struct decode *d, void *rec);
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
#define FIELD(name, k, type, member)                                                     \
    {                                                                                    \
        KEY(name), .kind = k, .offset = offsetof(type, member)                           \
    }
#define SKIPPED(name)                                                                    \
    {                                                                                    \
        KEY(name), .kind = FIELD_SKIP                                                    \
    }
#define OBJECT_AT(name, at, shape_)                                                      \
    {                                                                                    \
        KEY(name), .kind = FIELD_OBJECT, .offset = at, .sub = &shape_                    \
    }
#define OBJECT(name, shape_) OBJECT_AT(name, 0, shape_)
#define LIST(name, type, member, shape_)                                                 \
    {                                                                                    \
        KEY(name), .kind = FIELD_LIST, .offset = offsetof(type, member), .sub = &shape_  \
    }
#define IS_WORD(name, type, member, word_)                                               \
    {                                                                                    \
        KEY(name), .kind = FIELD_IS, .offset = offsetof(type, member), .word = word_     \
    }
#define HOOK(name, type, member, f)                                                      \
    {                                                                                    \
        KEY(name), .kind = FIELD_HOOK, .offset = offsetof(type, member),                 \
                   .arg = sizeof(((type *)0)->member), .hook = f                         \
    }
#define METRIC(name, m)                                                                  \
    {                                                                                    \
        KEY(name), NUMBER_KIND(name, FIELD_I64),                                         \
            .mark = UINT32_C(1) << METRIC_##m,                                           \
            .offset =                                                                    \
                offsetof(struct ev_task_end, metric) + sizeof(int64_t) * METRIC_##m      \
    }
#define FIELDS(table) .fields = table, .n = ARRAY_LEN(table)
#define NUMBER_AT(type, member) .needs = NEEDS_NUMBER, .needs_at = offsetof(type, member)
#define TEXT_AT(type, member) .needs = NEEDS_TEXT, .needs_at = offsetof(type, member)

static const char *read_object(struct decode *d, const char *p, const struct shape *sh,
                               void *rec);

/* ---- records and fields ---- */

/* The record with nothing in it, as long as the shape says. */
static const char *blank_of(const struct shape *sh)
{
    static const char zeros[256];

    assert(sh->blank || sh->size <= sizeof zeros);
    return sh->blank ? sh->blank : zeros;
}

/* Reads an object into a record of its own, beginning with a blank one. */
static const char *read_record(struct decode *d, const char *p, const struct shape *sh,
                               void *rec)
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

static bool is_complete(struct decode *d, const struct shape *sh, void *rec)
{
    int64_t number = EVENT_NONE;
    struct sv text = { 0 };

    if (sh->needs == NEEDS_NUMBER)
        memcpy(&number, (char *)rec + sh->needs_at, sizeof number);
    else if (sh->needs == NEEDS_TEXT)
        memcpy(&text, (char *)rec + sh->needs_at, sizeof text);
    if (sh->needs != NEEDS_NOTHING && number == EVENT_NONE && !text.p)
        return false;
    return !sh->complete || sh->complete(d, rec);
}

static const char *record_element(struct decode *d, const char *p, const void *arg)
{
    const struct shape *sh = arg;
    _Alignas(max_align_t) char rec[512];
    bool object = *p == '{';

    if (!(p = read_record(d, p, sh, rec)))
        return NULL;
    if (object && is_complete(d, sh, rec))
        stack_push(d, rec, sh->size);
    return p;
}

static void *restore(struct decode *d, void *at, size_t size)
{
    return memcpy(at, d->blank + ((char *)at - d->rec), size);
}

/* Takes back what an earlier field of this key has set. */
static void reset_field(struct decode *d, const struct shape *sh, const struct field *f,
                        char *rec)
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
    case FIELD_IS:
        restore(d, at, sizeof(bool));
        break;
    case FIELD_DOUBLE:
        restore(d, at, sizeof(double));
        break;
    case FIELD_TEXT:
    case FIELD_EXECUTOR:
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
static __attribute__((noinline)) const char *read_field(struct decode *d, const char *p,
                                                        const struct field *f, char *rec)
{
    char *at = rec + f->offset;
    struct sv text;

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
    case FIELD_EXECUTOR:
        return read_executor_id(d, p, (struct sv *)(void *)at);
    case FIELD_IS:
        p = read_text(d, p, &text);
        *(bool *)at = sv_is(text, f->word);
        return p;
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

static const struct field no_field = { .key_len = 32,
                                       .same_len = 32,
                                       .kind = FIELD_NONE };
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
    return f->key_len <= 32 || memcmp(p + 32, f->key + 32, f->key_len - 32u) == 0;
}

/* The position behind the guessed key, if it stands at p with blanks around it. */
static const char *key_apart(struct decode *d, const char *p, const struct field *f)
{
    p = skip_blanks(&d->scan, p);
    if (f->kind == FIELD_NONE || f->key_len > 32 || !vec_same(p, f->key, f->key_len - 1u))
        return NULL;
    p = skip_blanks(&d->scan, p + f->key_len - 1);
    return *p == ':' ? p + 1 : NULL;
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

static __attribute__((noinline)) void
field_again(struct decode *d, const struct shape *sh, const struct field *f, char *rec)
{
    d->duplicate = true;
    reset_field(d, sh, f, rec);
}

/* A number that is not just digits before a comma or brace. */
static __attribute__((noinline)) const char *
read_other_number(struct decode *d, const char *p, const struct shape *sh,
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
static const char *read_members(struct decode *d, const char *p, const struct shape *sh,
                                void *to)
{
    struct decode_memo *memo = d->memo;
    const struct field **next = memo->next_field[sh->id],
                       **guess = &memo->first_field[sh->id];
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
            const char *behind = key_apart(d, p, f);

            if (!behind && !(f = find_field(d, p, sh, &behind)))
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
static const char *read_object(struct decode *d, const char *p, const struct shape *sh,
                               void *rec)
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
