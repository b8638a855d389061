/* Blocks are chained newest first and double in size up to a limit; what is
 * larger than a block gets one of its own. See arena.h. */
#include "base/arena.h"

#include "base/err.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_FIRST_BLOCK ((size_t)4096)
#define ARENA_LARGEST_BLOCK ((size_t)1 << 20)
#define ARENA_ALIGN _Alignof(max_align_t)

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    _Alignas(max_align_t) char bytes[];
};

static void *take(struct arena *a, size_t size, size_t align)
{
    struct arena_block *b = a->blocks;
    size_t at = b ? (b->used + align - 1) & ~(align - 1) : 0;

    if (!b || at > b->size || b->size - at < size) {
        size_t want = b ? b->size * 2 : ARENA_FIRST_BLOCK;

        if (want > ARENA_LARGEST_BLOCK)
            want = ARENA_LARGEST_BLOCK;
        if (want < size)
            want = size;
        if (want > SIZE_MAX - sizeof *b)
            die("out of memory (%zu bytes)", size);
        b = xmalloc(sizeof *b + want);
        b->next = a->blocks;
        b->size = want;
        b->used = 0;
        a->blocks = b;
        at = 0;
    }
    b->used = at + size;
    a->used_bytes += size;
    return b->bytes + at;
}

void *arena_alloc(struct arena *a, size_t size)
{
    return memset(take(a, size, ARENA_ALIGN), 0, size);
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
    return arena_alloc(a, mem_product(n, size));
}

char *arena_bytes(struct arena *a, size_t size)
{
    return take(a, size, 1);
}

struct sv arena_sv(struct arena *a, struct sv text)
{
    char *copy = arena_bytes(a, text.len + 1);

    if (text.len)
        memcpy(copy, text.p, text.len);
    copy[text.len] = '\0';
    return (struct sv){ copy, text.len };
}

const char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap, again;

    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        die("text that cannot be formatted: %s", fmt);
    char *text = arena_bytes(a, (size_t)n + 1);
    vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    return text;
}

void arena_reset(struct arena *a)
{
    struct arena_block *keep = a->blocks;

    if (!keep)
        return;
    for (struct arena_block *b = keep->next; b;) {
        struct arena_block *next = b->next;

        free(b);
        b = next;
    }
    keep->next = NULL;
    keep->used = 0;
    a->used_bytes = 0;
    if (keep->size > ARENA_LARGEST_BLOCK) {
        free(keep);
        a->blocks = NULL;
    }
}

void arena_release(struct arena *a)
{
    for (struct arena_block *b = a->blocks; b;) {
        struct arena_block *next = b->next;

        free(b);
        b = next;
    }
    *a = (struct arena){ 0 };
}
