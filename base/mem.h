/* Heap allocation that does not return on failure, and growing arrays. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "base/util.h"

void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);

/* Freed memory stays with the process from now on, large blocks too: what takes and gives
 * back hundreds of megabytes many times would have each page cleared anew. Large blocks
 * are of huge pages where the kernel has them. */
void mem_keep_freed(void);

/* n * size, aborting where the product does not fit. */
size_t mem_product(size_t n, size_t size);

/* Makes room for one more element in a (pointer, count, capacity) triple. */
#define GROW(items, n, cap)                                                              \
    do {                                                                                 \
        if ((n) == (cap)) {                                                              \
            (cap) = (cap) ? (cap) * 2 : 8;                                               \
            (items) = xrealloc((items), mem_product((cap), sizeof *(items)));            \
        }                                                                                \
    } while (0)

#endif
