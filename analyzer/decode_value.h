/* The decoder's state, and the reading of single values and lists.
 *
 * Values of the wrong kind count as absent: they are skipped, as strictly checked as
 * others. But whole numbers may come as text or with a fraction of zero, and booleans
 * as text.
 *
 * Included by decode_isa.c only. */
#ifndef ANALYZER_DECODE_VALUE_H
#define ANALYZER_DECODE_VALUE_H

#include "analyzer/event.h"
#include "analyzer/scan.h"
#include "base/mem.h"

#include <stdlib.h>

struct field; /* decode_field.h */

enum { SHAPE_MAX = 56, ACCUM_GUESSES = 4096, ACCUM_STAGES = 64 };

/* What an accumulable of a task looks like: decode_task.h. */
struct accum_guess {
    char head[128];              /* from its brace to its update */
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
    struct accum_guess first[ACCUM_STAGES]; /* by stage, only .next: a task's first */
};

/* What lives as long as the decoding of one chunk. */
struct decode {
    struct scan scan;
    struct event_batch *batch;
    struct decode_memo *memo;
    const char *text_end; /* behind the last newline */
    bool duplicate;       /* a field came twice in an object of this line */
    bool event_again;     /* the event's name came where it was not expected */
    bool lacking;         /* something inside the record is not complete */
    bool metrics_last;    /* TaskEnd: "Task Metrics" has been read */
    int64_t task_peak;    /* TaskEnd: the accumulable peakExecutionMemory */
    struct sv task_host;  /* TaskEnd: "Host Name" of Task Metrics */
    char *rec;            /* the record being filled */
    const char *blank;    /* its blank one */
    char *stack;          /* elements of the lists being read, the inner ones behind */
    size_t stack_len, stack_cap;
};

/* As arena_alloc, but not zeroed. */
static void *take_bytes(struct arena *arena, size_t size)
{
    uintptr_t at = (uintptr_t)arena_bytes(arena, size + _Alignof(max_align_t) - 1);

    return (void *)((at + _Alignof(max_align_t) - 1) &
                    ~(uintptr_t)(_Alignof(max_align_t) - 1));
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

    return text.len && at_number(text.p) &&
           number_parts(text.p, &parts) == text.p + text.len && number_whole(&parts, out);
}

/* A whole number, as one or as text; *whole tells. */
static __attribute__((noinline)) const char *read_whole(struct decode *d, const char *p,
                                                        int64_t *out, bool *whole)
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
        if ((p = read_string(&d->scan, p, &text)) &&
            (sv_is(text, "true") || sv_is(text, "false")))
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

/* "<driver>" was the driver's name until 1.3. */
static const char *read_executor_id(struct decode *d, const char *p, struct sv *id)
{
    p = read_text(d, p, id);
    if (id->p && id->len == 8 && memcmp(id->p, "<driver>", 8) == 0)
        *id = (struct sv){ id->p + 1, 6 };
    return p;
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

#endif
