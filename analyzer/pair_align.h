/* Two lists of work laid side by side. Inside of analyzer/pair*. */
#ifndef ANALYZER_PAIR_ALIGN_H
#define ANALYZER_PAIR_ALIGN_H

#include "analyzer/app.h"

#define PAIR_FEATURES 64 /* kept of an item: those of the smallest hashes */

struct pair_item {
    uint64_t exact;     /* equal: the same work for sure */
    uint64_t what;      /* description without numbers */
    uint64_t where;     /* call site without numbers */
    uint64_t *features; /* ascending, no duplicates; at most PAIR_FEATURES */
    uint64_t *words;   /* of the description, likewise; NULL: it is compared as a whole */
    uint64_t *sources; /* what it reads: tables, ranges; likewise */
    uint32_t n_features, n_words, n_sources;
    uint64_t result;                /* what the plan's top operator means; 0: no plan */
    bool common_what, common_where; /* other plans of the run have the same; or it is
                                     * Spark's own code: they say little */
};

struct pair_match { /* of an item of the base run */
    uint32_t head;  /* position; IX_NONE: none */
    double score;
    bool moved;
};

/* Fills match[0 .. n_base). Time and memory grow with n log n, and at most 2^20
 * comparisons beyond. */
void pair_align(const struct pair_item *base, uint32_t n_base,
                const struct pair_item *head, uint32_t n_head, struct pair_match *match);
/* 0 to 1; 0 as well where the two cannot be the same work. */
double pair_likeness(const struct pair_item *a, const struct pair_item *b);
/* What both have of what either has, 0 to 1; 0 of two empty lists. */
double pair_shared(const uint64_t *a, uint32_t n_a, const uint64_t *b, uint32_t n_b);
/* Sorts, drops duplicates and keeps the smallest PAIR_FEATURES; the new count. */
uint32_t pair_features_finish(uint64_t *features, uint32_t n);

#endif
