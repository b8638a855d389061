/* Allocation that aborts instead of failing. See mem.h. */
#include "base/mem.h"

#include "base/err.h"

#include <limits.h>
#include <malloc.h>
#include <stdlib.h>

void *xmalloc(size_t size)
{
    void *p = malloc(size ? size : 1);

    if (!p)
        die("out of memory (%zu bytes)", size);
    return p;
}

void *xcalloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size ? size : 1);

    if (!p)
        die("out of memory (%zu x %zu bytes)", n, size);
    return p;
}

void *xrealloc(void *p, size_t size)
{
    p = realloc(p, size ? size : 1);
    if (!p)
        die("out of memory (%zu bytes)", size);
    return p;
}

size_t mem_product(size_t n, size_t size)
{
    size_t product;

    if (__builtin_mul_overflow(n, size, &product))
        die("out of memory (%zu x %zu bytes)", n, size);
    return product;
}

void mem_keep_freed(void)
{
    enum { LARGEST_KEPT = 1 << 30, TOP_PAD = 64 << 20 };

    (void)mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT);
    (void)mallopt(M_TRIM_THRESHOLD, INT_MAX);
    (void)mallopt(M_TOP_PAD, TOP_PAD);
}
