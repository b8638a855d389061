/* Cells of text files to values and back. */
#ifndef ENGINE_STORE_TEXT_VALUE_H
#define ENGINE_STORE_TEXT_VALUE_H

#include "engine/column/value.h"

struct text_options {
    const struct zone *zone;
    struct sv nan, inf, minus_inf; /* texts of these doubles */
};

/* Rows of a batch being filled: FLAT vecs and the bytes of their texts. */
struct text_batch {
    struct arena columns; /* the vecs' room, kept */
    struct arena text;    /* of the batch at hand */
    struct vec *vecs;
    uint32_t n_columns, rows;
};

void text_batch_init(struct text_batch *b, const struct type *types, uint32_t n);
/* Forgets the rows. */
void text_batch_reset(struct text_batch *b);
void text_batch_release(struct text_batch *b);
void text_null(struct text_batch *b, uint32_t column);
/* Stores the cell in the row at hand as its column's type, by the CSV source's rules: no
 * blanks around integers, full numbers only. False: no such value; the cell is NULL then.
 */
bool text_cell(struct text_batch *b, uint32_t column, struct sv text,
               const struct text_options *o);

/* A value as the text sources write it: numbers as Java, dates ISO, timestamps
 * "2020-01-02T03:04:05.123Z" with the zone's offset. Not NULL. */
void text_print(struct strbuf *out, const struct vec *v, uint32_t row,
                const struct zone *zone);

#endif
