/* See unsafe_row.h. */
#include "engine/exec/unsafe_row.h"

static int64_t text_bytes(const struct vec *v, const struct batch *b)
{
    int64_t bytes = 0;

    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);

        if (!vec_is_null(v, row))
            bytes += (int64_t)((((const struct str *)vec_at(v, row))->len + 7) & ~7u);
    }
    return bytes;
}

int64_t unsafe_row_bytes(const struct batch *b)
{
    int64_t row = (b->n_columns + 63) / 64 * 8 + 8 * (int64_t)b->n_columns, more = 0;

    for (uint32_t c = 0; c < b->n_columns; c++) {
        const struct vec *v = &b->columns[c];

        if (type_is_wide(v->type))
            row += 16; /* NULL or not */
        else if (type_is_text(v->type))
            more += text_bytes(v, b);
    }
    return row * b->n_sel + more;
}
