/* Keys of grouping and joining, as words.
 *
 * A key of several columns becomes a few 64-bit words (narrow columns share one), the
 * texts, and a hash, so that two keys are compared by words whatever their types:
 *
 *     u64 check: the hash, its low 16 bits replaced by which columns are NULL
 *     u64 words[n_words]        | values of NULL columns are zero
 *     struct str texts[n_texts] |
 *
 * Columns beyond the 16th that are NULL are told by words of their own. -0.0 and NaN are
 * made one. A batch's keys are encoded at once, dense over the rows that count. */
#ifndef ENGINE_EXEC_KEYS_H
#define ENGINE_EXEC_KEYS_H

#include "engine/column/vec.h"

enum { KEY_NULLS = 16 };
#define KEY_NULL_MASK UINT64_C(0xffff)

struct key_part {
    struct type type;
    uint32_t word, shift; /* of a fixed-width column; wide ones take two words */
    uint32_t bits;        /* 8, 16, 32, 64; 128: wide */
    bool is_text;
    uint32_t text;
};

struct key_layout {
    uint32_t n_keys, n_words, n_texts;
    uint32_t null_word; /* first word for NULLs beyond the 16th column */
    struct key_part *parts;
    uint32_t bytes; /* of check, words and texts */
};

void key_layout_init(struct key_layout *l, struct arena *a, const struct type *types,
                     uint32_t n);

/* Encoded keys of a batch: entry i is the i-th row that counts. */
struct key_batch {
    uint64_t *check;
    uint64_t *words; /* word w of entry i at [w * BATCH_ROWS + i] */
    struct str *texts;
    uint64_t *scratch;
    uint64_t *hashes; /* of the entries of a dictionary */
    uint32_t hashes_cap, hashes_serial, hashes_n;
};

void key_batch_init(struct key_batch *k, struct arena *a, const struct key_layout *l);
void key_batch_release(struct key_batch *k);
void keys_encode(const struct key_layout *l, const struct vec *columns,
                 const struct batch *b, struct key_batch *out);
/* Column c's values of n stored keys (each at its check) into a FLAT vec with a mask.
 * Text points where the keys' text does. True: the mask was written. */
bool keys_decode(const struct key_layout *l, uint32_t c, const char *const *keys,
                 uint32_t n, struct vec *out);

static inline uint64_t key_mix(uint64_t h, uint64_t w)
{
    __extension__ unsigned __int128 x =
        (unsigned __int128)(h ^ w ^ UINT64_C(0xA0761D6478BD642F)) *
        (w ^ UINT64_C(0xE7037ED1A0B428DB));

    return (uint64_t)x ^ (uint64_t)(x >> 64);
}

#endif
