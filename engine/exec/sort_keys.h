/* Order of rows: by twelve bytes that compare like the keys do, then by the keys.
 *
 *     for each key: a byte for NULL, then the value, highest byte first, inverted where
 *     descending; text: its first bytes, and nothing more follows it
 *
 * Keys that fit are told apart by these bytes alone. */
#ifndef ENGINE_EXEC_SORT_KEYS_H
#define ENGINE_EXEC_SORT_KEYS_H

#include "engine/plan/plan.h"

struct sort_key {
    struct type type;
    bool descending, nulls_last;
    bool packed, no_nulls; /* the value less base takes `bits` bits; a bit for NULL */
    uint32_t bits;
    uint64_t base;
};

struct sort_layout {
    uint32_t n;
    struct sort_key *keys;
    bool exact;  /* the prefix says all */
    bool narrow; /* its highest 32 bits do: of packed layouts */
};

struct sort_item {
    uint64_t high;
    uint32_t low;
    uint32_t row;
};

/* orders: EXPR_SORT_ORDER each; other expressions are ascending, NULLs first. */
void sort_layout_init(struct sort_layout *l, struct arena *a, const struct exprs *orders);
/* A layout of the same order for these n rows alone (keys FLAT): each key takes the bits
 * that its values need. a: for its keys. */
struct sort_layout sort_pack(const struct sort_layout *l, struct arena *a,
                             const struct vec *keys, uint32_t n);
/* Rows of b that may come no later than row `bound` of `best` by the first key, in sel
 * (room for n_rows). False: nothing is known of that kind of key. */
bool sort_narrow(const struct sort_layout *l, const struct vec *key,
                 const struct batch *b, const struct vec *best, uint32_t bound,
                 uint32_t *sel, uint32_t *n);
/* Item i is the i-th row that counts, numbered from first. */
void sort_encode(const struct sort_layout *l, const struct vec *keys,
                 const struct batch *b, uint32_t first, struct sort_item *to);
/* By all keys; key k of row x is x[k] at row. */
int sort_compare(const struct sort_layout *l, const struct vec *x, uint32_t x_row,
                 const struct vec *y, uint32_t y_row);
/* Sorts by prefix, then keys (of row item.row), then row: always the same way. temp has
 * room for n items. */
void sort_items(const struct sort_layout *l, const struct vec *keys,
                struct sort_item *items, struct sort_item *temp, uint32_t n);

/* Keys of a narrow layout, keys[i] that of row i: which row is the i-th by key, then row.
 * For free(); the keys are freed. */
uint32_t *sort_short_keys(uint32_t *keys, uint32_t n);

static inline int sort_item_cmp(const struct sort_item *x, const struct sort_item *y)
{
    if (x->high != y->high)
        return x->high < y->high ? -1 : 1;
    return x->low < y->low ? -1 : x->low > y->low;
}

#endif
