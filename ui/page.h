/* Text for people: lines that wrap, labels, colours, bars, tables.
 *
 * A page collects text. Style marks may stand anywhere in it: they take no column
 * and vanish where colour is off. page_finish folds to ASCII where that is asked. */
#ifndef UI_PAGE_H
#define UI_PAGE_H

#include "ui/cli.h"

enum style {
    STYLE_PLAIN,
    STYLE_BOLD,
    STYLE_DIM,
    STYLE_RED,
    STYLE_YELLOW,
    STYLE_BLUE,
    STYLE_COUNT
};

struct page { /* zeroed but for width: plain text */
    struct strbuf text;
    int width;
    bool color, ascii;
};

/* As the command line and the terminal have it; at most 120 columns unless --width. */
void page_init(struct page *p, const struct cli *cli);
void page_release(struct page *p);
/* Folds to ASCII and cuts blanks at line ends. The text stays the page's. */
struct sv page_finish(struct page *p);

void page_add(struct page *p, const char *fmt, ...) PRINTF_LIKE(2, 3);
void page_newline(struct page *p);
void page_style(struct page *p, enum style s); /* until STYLE_PLAIN */
/* The mark itself, for text that is put together elsewhere; "" where colour is off. */
const char *page_mark(const struct page *p, enum style s);

/* A paragraph: `first` in front of the first line, `rest` of the others, which are of
 * one width and count as part of it. Words longer than a line are broken. */
void page_wrap(struct page *p, const char *first, const char *rest, struct sv text);
void page_wrapf(struct page *p, const char *first, const char *rest, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* Columns that text takes, marks left out. */
size_t page_text_width(struct sv text);

/* A bar of cells for share (1.0 = full); eighths of a block, or "#" in ASCII. Not
 * padded. */
void page_bar(struct strbuf *out, double share, int cells, bool ascii);

/* --- tables: cells in rows, columns as wide as their widest cell ------------------ */

struct table_column {
    const char *title;
    bool right;    /* numbers */
    int shrink_to; /* > 0: may be cut in the middle down to this, to fit the page; the
                    * leftmost column gives first */
    int drop;      /* > 0: left out where that is not enough, the smallest number first */
};

struct table {
    struct arena *arena;
    const struct table_column *columns;
    size_t n_columns;
    struct sv *cells; /* row by row */
    size_t n, cap;
};

void table_init(struct table *t, struct arena *arena, const struct table_column *columns,
                size_t n_columns);
/* Cells are given in order. Log text goes through table_text, which cleans it. */
void table_cell(struct table *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void table_text(struct table *t, struct sv text);
void table_ms(struct table *t, int64_t ms); /* "-" for APP_NONE */
void table_bytes(struct table *t, int64_t bytes);
void table_count(struct table *t, int64_t n);
/* A title line and the rows, indented. A column of which every cell is empty or "-"
 * is left out. */
void table_print(struct table *t, struct page *p, int indent);
void table_release(struct table *t);

/* --- pieces of text in the arena ------------------------------------------------------
 */

const char *text_ms(struct arena *a, int64_t ms); /* "-" for APP_NONE, as all below */
const char *text_bytes(struct arena *a, int64_t bytes);
const char *text_count(struct arena *a, int64_t n);
const char *text_share(struct arena *a, double share);
/* Exactly, with commas: "9,120". */
const char *text_exact(struct arena *a, int64_t n);
/* Clean for a terminal; at most max characters, 0: all. "" where absent. */
const char *text_clean(struct arena *a, struct sv text, size_t max);
/* The path as a shell takes it. */
const char *text_shell(struct arena *a, struct sv path);
/* "1 task", "3 tasks" */
const char *text_plural(struct arena *a, int64_t n, const char *one, const char *many);

#endif
