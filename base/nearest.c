/* Edit distance over three rows of the usual table (optimal string alignment). */
#include "base/nearest.h"

#include <ctype.h>

static int letter(char c)
{
    return tolower((unsigned char)c);
}

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;

    return m < c ? m : c;
}

size_t nearest_distance(struct sv a, struct sv b)
{
    size_t rows[3][NEAREST_MAX + 1];
    size_t *before = rows[0], *last = rows[1], *now = rows[2];

    if (a.len > NEAREST_MAX || b.len > NEAREST_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.len; j++)
        last[j] = before[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        now[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            int x = letter(a.p[i - 1]), y = letter(b.p[j - 1]);

            now[j] = min3(last[j] + 1, now[j - 1] + 1, last[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == letter(b.p[j - 2]) && letter(a.p[i - 2]) == y &&
                before[j - 2] + 1 < now[j])
                now[j] = before[j - 2] + 1;
        }
        size_t *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[b.len];
}

void nearest_try(struct nearest *n, struct sv candidate)
{
    size_t len = n->word.len;
    size_t limit = len <= 3 ? 1 : len <= 8 ? 2 : len / 4;
    size_t gap = len > candidate.len ? len - candidate.len : candidate.len - len;
    size_t d;

    if (gap > limit || (n->best.p && gap >= n->distance))
        return; /* the lengths alone say that it is too far */
    d = nearest_distance(n->word, candidate);
    if (d > limit || d >= len || (n->best.p && d >= n->distance))
        return;
    n->best = candidate;
    n->distance = d;
}
