/* Results that are text: SHOW, DESCRIBE, EXPLAIN, SET. */
#include "engine/run/session_int.h"

struct sv text_type(struct arena *a, struct type t)
{
    struct strbuf text = { 0 };

    type_print(&text, t);
    struct sv out = arena_sv(a, strbuf_sv(&text));
    strbuf_release(&text);
    return out;
}

void text_row(struct text_rows *t, const struct sv *cells)
{
    if (t->n == t->cap) {
        uint32_t cap = t->cap ? t->cap * 2 : 16;
        struct sv *more = arena_array(t->arena, (size_t)cap * t->n_columns, sizeof *more);

        if (t->n)
            memcpy(more, t->cells, (size_t)t->n * t->n_columns * sizeof *more);
        t->cells = more;
        t->cap = cap;
    }
    for (uint32_t i = 0; i < t->n_columns; i++)
        t->cells[t->n * t->n_columns + i] =
            cells[i].p ? arena_sv(t->arena, cells[i]) : (struct sv){ 0 };
    t->n++;
}

static struct type text_column(const struct text_rows *t, uint32_t i)
{
    bool boolean = t->last_is_boolean && i + 1 == t->n_columns;

    return type_of(boolean ? TYPE_BOOLEAN : TYPE_STRING);
}

static void text_batch(const struct text_rows *t, uint32_t from, uint32_t n,
                       struct batch *out)
{
    out->n_rows = out->n_sel = n;
    out->n_columns = t->n_columns;
    out->columns = arena_array(t->arena, t->n_columns + 1, sizeof *out->columns);
    for (uint32_t c = 0; c < t->n_columns; c++) {
        struct vec v = vec_flat(t->arena, text_column(t, c), n, true);

        for (uint32_t i = 0; i < n; i++) {
            struct sv cell = t->cells[(from + i) * t->n_columns + c];

            v.valid[i] = cell.p != NULL;
            if (v.type.id == TYPE_BOOLEAN)
                ((uint8_t *)v.data)[i] = sv_is(cell, "true");
            else if (cell.p)
                ((struct str *)v.data)[i] = str_make(cell.p, cell.len);
        }
        out->columns[c] = v;
    }
}

void text_result(struct text_rows *t, struct result *out)
{
    out->schema.n = t->n_columns;
    out->schema.fields = arena_array(t->arena, t->n_columns, sizeof *out->schema.fields);
    for (uint32_t i = 0; i < t->n_columns; i++)
        out->schema.fields[i] =
            (struct field){ sv(t->columns[i]), text_column(t, i), true };
    out->n_batches = (t->n + BATCH_ROWS - 1) / BATCH_ROWS;
    out->batches = arena_array(t->arena, out->n_batches + 1, sizeof *out->batches);
    for (uint32_t i = 0; i < out->n_batches; i++) {
        uint32_t from = i * BATCH_ROWS;

        text_batch(t, from, t->n - from < BATCH_ROWS ? t->n - from : BATCH_ROWS,
                   &out->batches[i]);
    }
    out->n_rows = t->n;
}
