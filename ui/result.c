/* Results of SQL statements as text, CSV and JSON. */
#include "ui/result.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "ui/csv_writer.h"
#include "ui/json_writer.h"

#include <math.h>
#include <stdlib.h>

typedef void (*cell_fn)(void *ctx, uint64_t row, uint32_t column, const struct value *v);

static void each_cell(const struct result *r, cell_fn fn, void *ctx)
{
    uint64_t row = 0;

    for (uint32_t b = 0; b < r->n_batches; b++) {
        const struct batch *batch = &r->batches[b];

        for (uint32_t i = 0; i < batch->n_sel; i++, row++)
            for (uint32_t c = 0; c < r->schema.n; c++) {
                struct value v = value_at(&batch->columns[c], batch_row(batch, i));

                fn(ctx, row, c, &v);
            }
    }
}

static bool is_number(struct type t)
{
    return type_is_numeric(t);
}

/* --- text ------------------------------------------------------------------------- */

struct text_cells {
    struct strbuf bytes; /* of all cells, one after another */
    size_t *ends;
    size_t n, cap;
    size_t *widths; /* by column */
    uint32_t n_columns;
    const struct zone *zone;
};

/* Control characters would tear the table. */
static void add_cell(struct text_cells *t, uint32_t column, struct sv text)
{
    size_t from = t->bytes.len, width;

    utf8_clean(&t->bytes, text, 0);
    width = utf8_width((struct sv){ t->bytes.p + from, t->bytes.len - from });
    if (t->bytes.len == from)
        width = 0;
    if (width > t->widths[column])
        t->widths[column] = width;
    GROW(t->ends, t->n, t->cap);
    t->ends[t->n++] = t->bytes.len;
}

static void text_cell(void *ctx, uint64_t row, uint32_t column, const struct value *v)
{
    struct text_cells *t = ctx;
    struct strbuf text = { 0 };

    (void)row;
    value_print_result(&text, v, t->zone);
    add_cell(t, column, strbuf_sv(&text));
    strbuf_release(&text);
}

static void rule(struct strbuf *out, const struct text_cells *t)
{
    for (uint32_t c = 0; c < t->n_columns; c++) {
        strbuf_addc(out, '+');
        strbuf_fill(out, '-', t->widths[c]);
    }
    strbuf_addz(out, "+\n");
}

static void text_line(struct strbuf *out, const struct text_cells *t, size_t row,
                      const struct schema *schema)
{
    for (uint32_t c = 0; c < t->n_columns; c++) {
        size_t i = row * t->n_columns + c, from = i ? t->ends[i - 1] : 0;
        struct sv text = { t->bytes.p + from, t->ends[i] - from };
        size_t pad = t->widths[c] - (text.len ? utf8_width(text) : 0);
        bool right = is_number(schema->fields[c].type);

        strbuf_addc(out, '|');
        strbuf_fill(out, ' ', right ? pad : 0);
        strbuf_add(out, text);
        strbuf_fill(out, ' ', right ? 0 : pad);
    }
    strbuf_addz(out, "|\n");
}

/* One cell of several lines is a text, not a table: a plan. */
static bool is_plan(const struct result *r)
{
    return r->schema.n == 1 && sv_is(r->schema.fields[0].name, "plan") && r->n_rows == 1;
}

static void plan_cell(void *ctx, uint64_t row, uint32_t column, const struct value *v)
{
    struct strbuf *out = ctx;

    (void)row, (void)column;
    if (v->null)
        return;
    strbuf_add(out, v->u.s);
    if (!sv_ends(v->u.s, SV("\n")))
        strbuf_addc(out, '\n');
}

void result_text(struct strbuf *out, const struct result *r, const struct zone *zone)
{
    struct text_cells t = { .n_columns = r->schema.n, .zone = zone };

    if (is_plan(r)) {
        each_cell(r, plan_cell, out);
        return;
    }
    t.widths = xcalloc(r->schema.n + 1, sizeof *t.widths);
    for (uint32_t c = 0; c < r->schema.n; c++)
        add_cell(&t, c, r->schema.fields[c].name);
    each_cell(r, text_cell, &t);
    rule(out, &t);
    text_line(out, &t, 0, &r->schema);
    rule(out, &t);
    for (uint64_t row = 0; row < r->n_rows; row++)
        text_line(out, &t, (size_t)row + 1, &r->schema);
    if (r->n_rows)
        rule(out, &t);
    strbuf_release(&t.bytes);
    free(t.ends);
    free(t.widths);
}

/* --- CSV -------------------------------------------------------------------------- */

struct csv {
    struct strbuf *out;
    uint32_t n_columns;
    const struct zone *zone;
};

static void csv_cell(void *ctx, uint64_t row, uint32_t column, const struct value *v)
{
    struct csv *c = ctx;
    struct strbuf text = { 0 };

    (void)row;
    if (column)
        strbuf_addc(c->out, ',');
    if (!v->null) {
        value_print_result(&text, v, c->zone);
        csv_text(c->out, strbuf_sv(&text), text.len == 0);
    }
    strbuf_release(&text);
    if (column + 1 == c->n_columns)
        strbuf_addc(c->out, '\n');
}

void result_csv(struct strbuf *out, const struct result *r, const struct zone *zone)
{
    struct csv c = { out, r->schema.n, zone };

    for (uint32_t i = 0; i < r->schema.n; i++) {
        if (i)
            strbuf_addc(out, ',');
        csv_text(out, r->schema.fields[i].name, r->schema.fields[i].name.len == 0);
    }
    strbuf_addc(out, '\n');
    each_cell(r, csv_cell, &c);
}

/* --- JSON ------------------------------------------------------------------------- */

static void json_string(struct strbuf *out, struct sv text)
{
    struct json_writer w = { .out = out };

    json_text(&w, text.p ? text : SV(""));
}

/* Numbers with all their digits, but what JSON has no number for is a string. */
static void json_value(struct strbuf *out, const struct value *v, const struct zone *zone)
{
    struct strbuf text = { 0 };
    bool odd = (v->type.id == TYPE_DOUBLE || v->type.id == TYPE_FLOAT) && !v->null &&
               !isfinite(v->u.f);

    if (v->null) {
        strbuf_addz(out, "null");
        return;
    }
    value_print_result(&text, v, zone);
    if ((type_is_numeric(v->type) && !odd) || v->type.id == TYPE_BOOLEAN)
        strbuf_add(out, strbuf_sv(&text));
    else
        json_string(out, strbuf_sv(&text));
    strbuf_release(&text);
}

static void json_cell(void *ctx, uint64_t row, uint32_t column, const struct value *v)
{
    struct csv *c = ctx;

    if (column == 0)
        strbuf_addz(c->out, row ? ",[" : "[");
    else
        strbuf_addc(c->out, ',');
    json_value(c->out, v, c->zone);
    if (column + 1 == c->n_columns)
        strbuf_addc(c->out, ']');
}

void result_json(struct strbuf *out, const struct result *r, const struct zone *zone)
{
    struct csv c = { out, r->schema.n, zone };

    strbuf_addz(out, "{\"columns\":[");
    for (uint32_t i = 0; i < r->schema.n; i++) {
        struct strbuf type = { 0 };

        type_print(&type, r->schema.fields[i].type);
        strbuf_addz(out, i ? ",{\"name\":" : "{\"name\":");
        json_string(out, r->schema.fields[i].name);
        strbuf_addz(out, ",\"type\":");
        json_string(out, strbuf_sv(&type));
        strbuf_addc(out, '}');
        strbuf_release(&type);
    }
    strbuf_addz(out, "],\"rows\":[");
    each_cell(r, json_cell, &c);
    strbuf_addz(out, "]}\n");
}
