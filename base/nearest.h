/* "Did you mean": the known word that is nearest to a mistyped one. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include "base/sv.h"

/* Edits (insert, delete, replace, swap of neighbours) from a to b, without regard to
 * ASCII case. Words of more than NEAREST_MAX bytes are as far as can be: SIZE_MAX. */
enum { NEAREST_MAX = 127 };
size_t nearest_distance(struct sv a, struct sv b);

/* Start with { .word = mistyped }, show it every candidate, read best. */
struct nearest {
    struct sv word;
    struct sv best;  /* absent: none is near; borrowed from the candidates */
    size_t distance; /* of best */
};
/* Near: one edit for up to three letters, two up to eight, then a quarter of them. Of
 * equally near ones the first stays. */
void nearest_try(struct nearest *n, struct sv candidate);

#endif
