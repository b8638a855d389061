/* Alignment by likeness that keeps the order.
 *
 *     ends      equal work at both ends is paired at once: most runs end here
 *     anchors   work that is there once in each run, the longest rising row of it
 *               (patience diff): cuts the rest into gaps
 *     gaps      dynamic programming over likeness, within a band around the diagonal
 *     moved     what is left over and equal, wherever it stands: queries of a thread
 *               pool come in any order
 *
 * A pair is worth its likeness less PAIR_COST, so that one good pair beats two poor
 * ones. Loops of one query have no anchors; they are paired from their begin, and
 * what one run has more of is left over at the end. */
#include "analyzer/pair_align.h"

#include "analyzer/pair.h"
#include "base/map.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define PAIR_CELLS (1u << 20) /* comparisons of one alignment, about 0.2 s */
#define PAIR_BAND_MIN 16u
#define PAIR_COST 0.3
#define PAIR_MOVED_MAX 64u   /* left over on each side, to be compared one by one */
#define PAIR_MOVED_LIKE 0.75 /* out of order needs more likeness than in order */

/* The plan counts most: programs of many queries have one description and one call
 * site for all. Without a plan on either side the other two say what they can. */
#define WEIGHT_PLAN 0.6
#define WEIGHT_WHAT 0.25
#define WEIGHT_WHERE 0.15
/* Of names that other plans of the same run bear too ("report" of each query of a
 * program), for they say little. */
#define COMMON_NAMES 0.25
/* A plan that is the same all over, if it is more than a few operators, is sure nearly
 * by itself: scripts and their call sites are renamed. */
#define PLAN_ALONE 0.3
#define PLAN_RICH 8u /* features: about four operators */
#define PLAN_LIKE                                                                        \
    0.2 /* plans that share less are not of one query, whatever it is called */

static int by_value(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

uint32_t pair_features_finish(uint64_t *f, uint32_t n)
{
    uint32_t kept = 0;

    if (n)
        qsort(f, n, sizeof *f, by_value);
    for (uint32_t i = 0; i < n && kept < PAIR_FEATURES; i++)
        if (kept == 0 || f[kept - 1] != f[i])
            f[kept++] = f[i];
    return kept;
}

/* Over the smallest PAIR_FEATURES of both: exact for small plans, an even sample of
 * large ones. */
double pair_shared(const uint64_t *a, uint32_t n_a, const uint64_t *b, uint32_t n_b)
{
    uint32_t i = 0, k = 0, all = 0, both = 0;

    while ((i < n_a || k < n_b) && all < PAIR_FEATURES) {
        if (k == n_b || (i < n_a && a[i] < b[k])) {
            i++;
        } else if (i == n_a || b[k] < a[i]) {
            k++;
        } else {
            i++;
            k++;
            both++;
        }
        all++;
    }
    return all ? (double)both / all : 0;
}

/* Squared, for any two statements share SELECT, FROM and WHERE: a quarter of their words
 * is then a sixteenth, nine of ten words are four fifths. */
static double what_likeness(const struct pair_item *a, const struct pair_item *b)
{
    double words;

    if (a->what == b->what)
        return 1;
    words = pair_shared(a->words, a->n_words, b->words, b->n_words);
    return words * words;
}

double pair_likeness(const struct pair_item *a, const struct pair_item *b)
{
    double names;

    if (a->exact == b->exact)
        return 1;
    names = WEIGHT_WHAT * what_likeness(a, b) *
                (a->common_what || b->common_what ? COMMON_NAMES : 1) +
            (a->where != b->where                 ? 0
             : a->common_where || b->common_where ? WEIGHT_WHERE * COMMON_NAMES
                                                  : WEIGHT_WHERE);
    if (a->n_features == 0 && b->n_features == 0)
        return names / (WEIGHT_WHAT + WEIGHT_WHERE);
    double plan = pair_shared(a->features, a->n_features, b->features, b->n_features);

    uint32_t least = a->n_features < b->n_features ? a->n_features : b->n_features;
    double rich = least < PLAN_RICH ? (double)least / PLAN_RICH : 1;
    double alone = PLAN_ALONE * rich * plan * plan * plan * plan;

    return plan < PLAN_LIKE ? 0 : WEIGHT_PLAN * plan + (names > alone ? names : alone);
}

struct lists {
    const struct pair_item *base, *head;
    uint32_t n_base, n_head;
    struct pair_match *match;
    bool *taken; /* per item of head */
};

static void take(struct lists *l, uint32_t b, uint32_t h, double score, bool moved)
{
    l->match[b] = (struct pair_match){ .head = h, .score = score, .moved = moved };
    l->taken[h] = true;
}

/* --- gaps ---------------------------------------------------------------------- */

enum step { STEP_NONE, STEP_BASE, STEP_HEAD, STEP_PAIR };

struct band {
    uint32_t n, m, width; /* columns of a row: begin .. begin + width - 1 */
};

static uint32_t band_begin(const struct band *b, uint32_t row)
{
    uint64_t middle = (uint64_t)row * b->m / (b->n ? b->n : 1);

    return middle > b->width / 2 ? (uint32_t)middle - b->width / 2 : 0;
}

static uint32_t band_end(const struct band *b, uint32_t row)
{
    uint32_t end = band_begin(b, row) + b->width;

    return end > b->m + 1 ? b->m + 1 : end;
}

static double at(const struct band *b, const double *row_values, uint32_t row,
                 uint32_t col)
{
    return col < band_begin(b, row) || col >= band_end(b, row)
               ? -1
               : row_values[col - band_begin(b, row)];
}

/* One row of the best sums: over[] is the row above, now[] is filled. */
static void band_row(const struct lists *l, const struct band *b, uint32_t row,
                     uint32_t b0, uint32_t h0, const double *over, double *now,
                     uint8_t *steps)
{
    uint32_t begin = band_begin(b, row);

    for (uint32_t col = begin; col < band_end(b, row); col++) {
        double best = row == 0 && col == 0 ? 0 : -1, v;
        uint8_t step = STEP_NONE;

        if (col > begin && (v = now[col - 1 - begin]) > best) {
            best = v;
            step = STEP_HEAD;
        }
        if (row && (v = at(b, over, row - 1, col)) > best) {
            best = v;
            step = STEP_BASE;
        }
        if (row && col && (v = at(b, over, row - 1, col - 1)) >= 0) {
            double like = pair_likeness(&l->base[b0 + row - 1], &l->head[h0 + col - 1]);

            if (like >= PAIR_LIKE && v + like - PAIR_COST >= best) {
                best = v + like - PAIR_COST;
                step = STEP_PAIR;
            }
        }
        now[col - begin] = best;
        steps[col - begin] = step;
    }
}

static void align_band(struct lists *l, uint32_t b0, uint32_t b1, uint32_t h0,
                       uint32_t h1)
{
    struct band b = { b1 - b0, h1 - h0, 0 };
    uint32_t share = PAIR_CELLS / (l->n_base + 1), slope = b.m / b.n;
    uint32_t row = b.n, col = b.m;

    b.width = share > PAIR_BAND_MIN ? share : PAIR_BAND_MIN;
    if (b.width < 2 * slope + 4) /* or neighbouring rows would not touch */
        b.width = 2 * slope + 4;
    if (b.width > b.m + 1)
        b.width = b.m + 1;
    if (b.width == b.m + 1)
        b.width = 2 * (b.m + 1); /* all columns in every row */
    uint32_t room = b.width > b.m + 1 ? b.m + 1 : b.width;
    uint8_t *steps = xcalloc(b.n + 1, room);
    double *rows = xcalloc((size_t)2 * room, sizeof *rows);

    for (uint32_t i = 0; i <= b.n; i++)
        band_row(l, &b, i, b0, h0, rows + (size_t)((i + 1) % 2) * room,
                 rows + (size_t)(i % 2) * room, steps + (size_t)i * room);
    while (row || col) {
        switch ((enum step)steps[(size_t)row * room + col - band_begin(&b, row)]) {
        case STEP_PAIR:
            row--;
            col--;
            take(l, b0 + row, h0 + col,
                 pair_likeness(&l->base[b0 + row], &l->head[h0 + col]), false);
            break;
        case STEP_BASE:
            row--;
            break;
        case STEP_HEAD:
            col--;
            break;
        case STEP_NONE: /* outside of the band: cannot be, but must not hang */
            row = col = 0;
            break;
        }
    }
    free(steps);
    free(rows);
}

static void align_gap(struct lists *l, uint32_t b0, uint32_t b1, uint32_t h0, uint32_t h1)
{
    for (; b0 < b1 && h0 < h1 && l->base[b0].exact == l->head[h0].exact; b0++, h0++)
        take(l, b0, h0, 1, false);
    for (; b0 < b1 && h0 < h1 && l->base[b1 - 1].exact == l->head[h1 - 1].exact;
         b1--, h1--)
        take(l, b1 - 1, h1 - 1, 1, false);
    if (b0 < b1 && h0 < h1)
        align_band(l, b0, b1, h0, h1);
}

/* --- anchors ------------------------------------------------------------------- */

#define SEEN_OFTEN (MAP_NONE - 1)

static void map_singles(struct map *m, const struct pair_item *items, uint32_t begin,
                        uint32_t end)
{
    for (uint32_t i = begin; i < end; i++) {
        int64_t key = (int64_t)items[i].exact;

        map_put(m, key, map_get(m, key) == MAP_NONE ? i : SEEN_OFTEN);
    }
}

/* The longest row of anchors that rises in both runs: piles of patience. */
static void align_between(struct lists *l, uint32_t b0, uint32_t b1, uint32_t h0,
                          uint32_t h1)
{
    struct map in_base = { 0 }, in_head = { 0 };
    uint32_t n = b1 - b0, n_piles = 0, top = IX_NONE, end_b = b1, end_h = h1;
    uint32_t *head = xcalloc((size_t)n + 1, sizeof *head);
    uint32_t *below =
        xcalloc((size_t)n + 1, sizeof *below); /* anchor before it, of base */
    uint32_t *piles = xcalloc((size_t)n + 1, sizeof *piles);

    map_singles(&in_base, l->base, b0, b1);
    map_singles(&in_head, l->head, h0, h1);
    for (uint32_t i = 0; i < n; i++) {
        int64_t key = (int64_t)l->base[b0 + i].exact;
        uint32_t h = map_get(&in_head, key), lo = 0, hi = n_piles;

        if (map_get(&in_base, key) == SEEN_OFTEN || h == MAP_NONE || h == SEEN_OFTEN)
            continue;
        head[i] = h;
        while (lo < hi) {
            uint32_t mid = lo + (hi - lo) / 2;

            if (head[piles[mid]] < h)
                lo = mid + 1;
            else
                hi = mid;
        }
        below[i] = lo ? piles[lo - 1] : IX_NONE;
        piles[lo] = i;
        if (lo == n_piles)
            n_piles++;
    }
    if (n_piles)
        top = piles[n_piles - 1];
    for (; top != IX_NONE; top = below[top]) {
        take(l, b0 + top, head[top], 1, false);
        align_gap(l, b0 + top + 1, end_b, head[top] + 1, end_h);
        end_b = b0 + top;
        end_h = head[top];
    }
    align_gap(l, b0, end_b, h0, end_h);
    map_release(&in_base);
    map_release(&in_head);
    free(head);
    free(below);
    free(piles);
}

/* --- out of order -------------------------------------------------------------- */

/* Equal ones, the first with the first. */
static void pair_equal_leftovers(struct lists *l)
{
    struct map first = { 0 };
    uint32_t *next = xcalloc((size_t)l->n_head + 1, sizeof *next);

    for (uint32_t h = l->n_head; h-- > 0;) {
        if (l->taken[h])
            continue;
        next[h] = map_get(&first, (int64_t)l->head[h].exact);
        map_put(&first, (int64_t)l->head[h].exact, h);
    }
    for (uint32_t b = 0; b < l->n_base; b++) {
        int64_t key = (int64_t)l->base[b].exact;
        uint32_t h = l->match[b].head == IX_NONE ? map_get(&first, key) : MAP_NONE;

        if (h == MAP_NONE || l->taken[h])
            continue;
        take(l, b, h, 1, true);
        if (next[h] != MAP_NONE)
            map_put(&first, key, next[h]);
    }
    map_release(&first);
    free(next);
}

static void pair_like_leftovers(struct lists *l)
{
    uint32_t bs[PAIR_MOVED_MAX], hs[PAIR_MOVED_MAX], n = 0, m = 0;

    for (uint32_t b = 0; b < l->n_base; b++) {
        if (l->match[b].head != IX_NONE)
            continue;
        if (n == PAIR_MOVED_MAX)
            return;
        bs[n++] = b;
    }
    for (uint32_t h = 0; h < l->n_head; h++) {
        if (l->taken[h])
            continue;
        if (m == PAIR_MOVED_MAX)
            return;
        hs[m++] = h;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t best = IX_NONE;
        double like = 0;

        for (uint32_t k = 0; k < m; k++) {
            double v =
                l->taken[hs[k]] ? 0 : pair_likeness(&l->base[bs[i]], &l->head[hs[k]]);

            if (v >= PAIR_MOVED_LIKE && v > like) {
                like = v;
                best = hs[k];
            }
        }
        if (best != IX_NONE)
            take(l, bs[i], best, like, true);
    }
}

void pair_align(const struct pair_item *base, uint32_t n_base,
                const struct pair_item *head, uint32_t n_head, struct pair_match *match)
{
    struct lists l = { base,   head,  n_base,
                       n_head, match, xcalloc((size_t)n_head + 1, sizeof(bool)) };
    uint32_t b0 = 0, b1 = n_base, h0 = 0, h1 = n_head;

    for (uint32_t i = 0; i < n_base; i++)
        match[i] = (struct pair_match){ .head = IX_NONE };
    for (; b0 < b1 && h0 < h1 && base[b0].exact == head[h0].exact; b0++, h0++)
        take(&l, b0, h0, 1, false);
    for (; b0 < b1 && h0 < h1 && base[b1 - 1].exact == head[h1 - 1].exact; b1--, h1--)
        take(&l, b1 - 1, h1 - 1, 1, false);
    if (b0 < b1 && h0 < h1)
        align_between(&l, b0, b1, h0, h1);
    pair_equal_leftovers(&l);
    pair_like_leftovers(&l);
    free(l.taken);
}
