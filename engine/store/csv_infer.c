/* Names and types of CSV columns from the files: all strings, unless told to look at the
 * values. */
#include "engine/column/date.h"
#include "engine/column/decimal.h"
#include "engine/column/number.h"
#include "engine/run/settings.h"
#include "engine/store/csv.h"
#include "engine/store/text_lines.h"

#include <stdlib.h>

enum { MAX_COLUMNS = 20480 }; /* the source's own limit */

/* In the order in which they are tried. */
enum guess {
    GUESS_NULL,
    GUESS_INT,
    GUESS_LONG,
    GUESS_DECIMAL,
    GUESS_DOUBLE,
    GUESS_DATE,
    GUESS_TIMESTAMP,
    GUESS_BOOLEAN,
    GUESS_STRING
};

struct column_guess {
    enum guess g;
    uint8_t digits; /* of the largest decimal */
};

static bool is_integer(struct sv s, int64_t *i)
{
    return s.len > 0 && s.p[0] != ' ' && sv_i64(s, i);
}

/* A whole number too large for bigint; those with a fraction are doubles. */
static bool is_large_integer(struct sv s, uint8_t *digits)
{
    size_t i = s.len > 0 && (s.p[0] == '-' || s.p[0] == '+');

    *digits = (uint8_t)(s.len - i > 255 ? 255 : s.len - i);
    for (size_t k = i; k < s.len; k++)
        if (s.p[k] < '0' || s.p[k] > '9')
            return false;
    return s.len > i && *digits <= DECIMAL_MAX_PRECISION;
}

/* The source's date and timestamp inference wants the default patterns. */
static bool is_date(struct sv s)
{
    int32_t d;

    return s.len == 10 && s.p[4] == '-' && s.p[7] == '-' && date_parse(s, &d);
}

static bool is_timestamp(struct sv s)
{
    int64_t us;

    return s.len >= 4 && sv_find(s, sv(":")) != 0 &&
           timestamp_parse(s, &zone_utc, 0, &us) && s.p[0] != 'T' &&
           (s.len < 3 || s.p[2] != ':') && s.p[1] != ':';
}

static enum guess from_text(struct sv s, enum guess at_least, const struct csv_options *o,
                            uint8_t *digits)
{
    double f;
    int64_t i;

    if (at_least <= GUESS_INT && is_integer(s, &i) && i >= INT32_MIN && i <= INT32_MAX)
        return GUESS_INT;
    if (at_least <= GUESS_LONG && is_integer(s, &i))
        return GUESS_LONG;
    if (at_least <= GUESS_DECIMAL && is_large_integer(s, digits))
        return GUESS_DECIMAL;
    if (at_least <= GUESS_DOUBLE &&
        (double_parse(s, &f) || sv_eq(s, o->cell.nan) || sv_eq(s, o->cell.inf) ||
         sv_eq(s, o->cell.minus_inf)))
        return GUESS_DOUBLE;
    if (at_least <= GUESS_DATE && o->prefer_date && is_date(s))
        return GUESS_DATE;
    if (at_least <= GUESS_TIMESTAMP && is_timestamp(s))
        return GUESS_TIMESTAMP;
    if (at_least <= GUESS_BOOLEAN &&
        (sv_eq_nocase(s, sv("true")) || sv_eq_nocase(s, sv("false"))))
        return GUESS_BOOLEAN;
    return GUESS_STRING;
}

static enum guess wider(enum guess a, enum guess b)
{
    enum guess low = a < b ? a : b, high = a < b ? b : a;

    if (low == GUESS_NULL || low == high)
        return high;
    if (high <= GUESS_DOUBLE || (low == GUESS_DATE && high == GUESS_TIMESTAMP))
        return high;
    return GUESS_STRING;
}

static void look_at(struct column_guess *c, const struct csv_cell *cell,
                    const struct csv_options *o)
{
    uint8_t digits = 0;
    enum guess g;

    if (c->g == GUESS_STRING || csv_is_null(o, cell))
        return;
    g = from_text(cell->text, c->g, o, &digits);
    if (g == GUESS_STRING) /* a wider kind may hold both */
        g = wider(c->g, from_text(cell->text, GUESS_NULL, o, &digits));
    else
        g = wider(c->g, g);
    if (digits > c->digits)
        c->digits = digits;
    c->g = g;
}

static struct type type_of_guess(const struct column_guess *c)
{
    switch (c->g) {
    case GUESS_INT:
        return type_of(TYPE_INT);
    case GUESS_LONG:
        return type_of(TYPE_LONG);
    case GUESS_DECIMAL:
        return type_decimal(c->digits > 20 ? c->digits : 20, 0);
    case GUESS_DOUBLE:
        return type_of(TYPE_DOUBLE);
    case GUESS_DATE:
        return type_of(TYPE_DATE);
    case GUESS_TIMESTAMP:
        return type_of(TYPE_TIMESTAMP);
    case GUESS_BOOLEAN:
        return type_of(TYPE_BOOLEAN);
    case GUESS_NULL:
    case GUESS_STRING:
        break;
    }
    return type_of(TYPE_STRING);
}

struct look {
    struct arena *a;
    const struct csv_options *o;
    struct csv_cell *cells;
    struct sv *names; /* of the first record */
    uint32_t n;       /* columns; UINT32_MAX: not known yet */
    struct column_guess *guesses;
};

static void first_record(struct look *l, uint32_t n)
{
    l->n = n > MAX_COLUMNS ? MAX_COLUMNS : n;
    l->names = arena_array(l->a, l->n + 1, sizeof *l->names);
    l->guesses = arena_array(l->a, l->n + 1, sizeof *l->guesses);
    for (uint32_t i = 0; i < l->n; i++)
        if (l->o->header && !csv_is_null(l->o, &l->cells[i]))
            l->names[i] = arena_sv(l->a, l->cells[i].text);
}

static void look_at_record(struct look *l, uint32_t n, bool header)
{
    if (l->n == UINT32_MAX)
        first_record(l, n);
    for (uint32_t i = 0; !header && l->o->infer && i < l->n && i < n; i++)
        look_at(&l->guesses[i], &l->cells[i], l->o);
}

static enum errc look_at_file(struct look *l, const struct data_file *f, struct err *err)
{
    struct text_lines t;
    struct arena scratch = { 0 };
    struct sv line, rest = { "", 0 };
    bool first = true;
    enum errc rc = text_lines_open(&t, l->a, f, 0, INT64_MAX / 2, err);

    if (rc == ERR_OK && l->o->multi_line)
        rc = text_lines_rest(&t, &rest, err);
    while (rc == ERR_OK && (first || l->o->infer)) {
        uint32_t n;

        if (l->o->multi_line) {
            if (rest.len == 0)
                break;
            n = csv_split(l->o, &scratch, rest, l->cells, MAX_COLUMNS, &rest);
        } else {
            enum next got = text_lines_next(&t, &line, err);

            if (got != NEXT_ITEM) {
                rc = got == NEXT_FAIL ? ERR_OPEN : ERR_OK;
                break;
            }
            if (!csv_is_record(l->o, line))
                continue;
            n = csv_split(l->o, &scratch, line, l->cells, MAX_COLUMNS, NULL);
        }
        look_at_record(l, n, first && l->o->header);
        first = false;
        arena_reset(&scratch);
    }
    text_lines_close(&t);
    arena_release(&scratch);
    return rc;
}

/* Names that come twice get their position behind: a, a -> a0, a1. */
static struct sv unique_name(struct look *l, uint32_t i)
{
    struct sv name = l->names[i];

    if (!name.p)
        return sv(arena_printf(l->a, "_c%u", i));
    for (uint32_t k = 0; k < l->n; k++)
        if (k != i && l->names[k].p && sv_eq_nocase(l->names[k], name))
            return sv(arena_printf(l->a, "%.*s%u", (int)name.len, name.p, i));
    return name;
}

enum errc csv_infer(struct arena *a, const struct settings *s, const struct relation *r,
                    struct schema *out, struct err *err)
{
    const struct zone *zone = &zone_utc;
    struct csv_options o;
    struct look l = { .a = a, .o = &o, .n = UINT32_MAX };
    struct schema schema = { 0 };

    (void)s;
    TRY(csv_options_read(&o, r, zone, err));
    l.cells = arena_array(a, MAX_COLUMNS, sizeof *l.cells);
    for (uint32_t i = 0; i < r->n_files && (l.n == UINT32_MAX || o.infer); i++)
        TRY(look_at_file(&l, &r->files[i], err));
    if (l.n == UINT32_MAX) {
        if (r->n_files == 0)
            return err_set(err, ERR_OPEN,
                           "[UNABLE_TO_INFER_SCHEMA] Unable to infer schema for CSV. It "
                           "must be specified manually.");
        l.n = 0;
    }
    schema.fields = arena_array(a, l.n + 1, sizeof *schema.fields);
    for (uint32_t i = 0; i < l.n; i++)
        schema.fields[schema.n++] = (struct field){ .name = unique_name(&l, i),
                                                    .type = type_of_guess(&l.guesses[i]),
                                                    .nullable = true };
    *out = schema;
    return ERR_OK;
}
