/* CSV by the rules of Spark's source (univocity's parser underneath). */
#ifndef ENGINE_STORE_CSV_H
#define ENGINE_STORE_CSV_H

#include "engine/store/format.h"
#include "engine/store/text_value.h"

enum text_mode { MODE_PERMISSIVE, MODE_DROP_MALFORMED, MODE_FAIL_FAST };

struct csv_options {
    struct sv separator; /* at least one byte */
    char quote, escape;  /* '\0': none */
    char comment;        /* '\0': none */
    bool header, infer, multi_line, trim_left, trim_right, prefer_date;
    struct sv null_text, empty_text;
    bool empty_is_null; /* a quoted empty cell */
    enum text_mode mode;
    struct text_options cell;
};

/* From a relation's options. ERR_USAGE names the option. */
enum errc csv_options_read(struct csv_options *o, const struct relation *r,
                           const struct zone *zone, struct err *err) MUST_CHECK;

struct csv_cell {
    struct sv text;
    bool quoted;
};

/* Cells of one record, as many as there are; those past `most` are counted, not kept.
 * `*rest` is where the next record begins (for multi-line text). Text that had escapes is
 * in the arena. */
uint32_t csv_split(const struct csv_options *o, struct arena *text, struct sv record,
                   struct csv_cell *cells, uint32_t most, struct sv *rest);
/* Does the line count as a record at all (not blank, no comment)? */
bool csv_is_record(const struct csv_options *o, struct sv line);
/* Is the cell NULL? */
bool csv_is_null(const struct csv_options *o, const struct csv_cell *c);

enum errc csv_infer(struct arena *a, const struct settings *s, const struct relation *r,
                    struct schema *out, struct err *err);

extern const struct format format_csv;
extern const struct format format_json;

#endif
