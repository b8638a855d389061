/* Allocation that aborts instead of failing. See mem.h. */
#include "base/mem.h"

#include "base/err.h"

#include <limits.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- huge pages ----
 * Most of what the kernel does for the engine is to clear pages of 4 KB at their first
 * touch. Where it gives out huge pages on request (its default), we request them for the
 * places that large blocks come from, before the blocks are touched. It may refuse:
 * nothing depends on it. */

enum { LARGE = 64 << 10, BLOCK_BITS = 26, ADDRESS_BITS = 47 };
#define BLOCK ((uintptr_t)1 << BLOCK_BITS) /* glibc's heaps of threads are such blocks   \
                                            */

static _Atomic bool keeps_freed;

static void request(uintptr_t from, uintptr_t to)
{
    if (to > from)
        (void)madvise((void *)from, to - from, MADV_HUGEPAGE);
}

/* The heap that grows by sbrk, as far as it has grown. */
static bool in_main_heap(uintptr_t at)
{
    static _Atomic uintptr_t requested;
    uintptr_t end = (uintptr_t)sbrk(0), before = atomic_load(&requested);

    if (at >= end || end - at > (uintptr_t)1 << 40)
        return false;
    if (end > before && atomic_compare_exchange_strong(&requested, &before, end)) {
        uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

        request((before ? before : at) / page * page, end);
    }
    return true;
}

static void request_huge_pages(uintptr_t at, size_t size)
{
    static _Atomic uint64_t known[(1 << (ADDRESS_BITS - BLOCK_BITS)) / 64];

    if (size < LARGE || !keeps_freed || at >> ADDRESS_BITS || in_main_heap(at))
        return;
    for (uintptr_t block = at >> BLOCK_BITS; block <= (at + size) >> BLOCK_BITS;
         block++) {
        uint64_t bit = (uint64_t)1 << block % 64;

        if (!(atomic_load_explicit(&known[block / 64], memory_order_relaxed) & bit) &&
            !(atomic_fetch_or(&known[block / 64], bit) & bit))
            request(block * BLOCK, (block + 1) * BLOCK);
    }
}

/* ---- blocks ---- */

void *xmalloc(size_t size)
{
    void *p = malloc(size ? size : 1);

    if (!p)
        die("out of memory (%zu bytes)", size);
    request_huge_pages((uintptr_t)p, size);
    return p;
}

void *xcalloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size ? size : 1);

    if (!p)
        die("out of memory (%zu x %zu bytes)", n, size);
    request_huge_pages((uintptr_t)p, n * size);
    return p;
}

void *xrealloc(void *p, size_t size)
{
    p = realloc(p, size ? size : 1);
    if (!p)
        die("out of memory (%zu bytes)", size);
    request_huge_pages((uintptr_t)p, size);
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
    keeps_freed = true;
}
