/* Laying out text. See page.h. Style marks are SGR sequences, ESC [ ... m; log text is
 * cleaned before it comes here, so no other escape can be in it. */
#include "ui/page.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define WIDTH_MOST 120

/* --- pages -------------------------------------------------------------------------- */

void page_init(struct page *p, const struct cli *cli)
{
    int width = cli_width(cli);

    *p = (struct page){ .color = cli_color(cli), .ascii = cli->ascii };
    p->width = !cli->width && width > WIDTH_MOST ? WIDTH_MOST : width;
}

void page_release(struct page *p)
{
    strbuf_release(&p->text);
    *p = (struct page){ 0 };
}

/* One ASCII character for one character, so that columns stay where they are. */
static char ascii_for(uint32_t code)
{
    if (code >= 0x2588 && code <= 0x258b) /* full block down to five eighths */
        return '#';
    if (code >= 0x258c && code <= 0x258f)
        return '|';
    switch (code) {
    case 0xb7: /* middle dot, of cleaned control characters */
        return '.';
    case 0xd7: /* multiplication sign */
        return 'x';
    case 0x2192: /* arrow */
        return '>';
    case 0x251c: /* tree: tee */
    case 0x2514: /* tree: corner */
        return '+';
    case 0x2500:
        return '-';
    case 0x2502:
        return '|';
    default:
        return '?';
    }
}

/* Without blanks in front of line ends; with ascii, character by character. */
struct sv page_finish(struct page *p)
{
    struct strbuf out = { 0 };
    struct sv rest = strbuf_sv(&p->text);

    while (rest.len) {
        size_t n = utf8_char(rest);
        char c = rest.p[0];

        if (n == 0)
            n = 1; /* cannot be: everything was cleaned */
        if (c == '\n') {
            while (out.len && out.p[out.len - 1] == ' ')
                out.p[--out.len] = '\0';
            strbuf_addc(&out, c);
        } else if (p->ascii && (unsigned char)c >= 0x80) {
            strbuf_addc(&out, n > 1 ? ascii_for(utf8_code(rest.p, n)) : '?');
        } else {
            strbuf_add(&out, (struct sv){ rest.p, n });
        }
        rest = sv_from(rest, n);
    }
    strbuf_release(&p->text);
    p->text = out;
    return strbuf_sv(&p->text);
}

static void add_args(struct strbuf *out, const char *fmt, va_list args)
{
    va_list again;

    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (len <= 0)
        return;
    char *text = xmalloc((size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, fmt, args);
    strbuf_add(out, (struct sv){ text, (size_t)len });
    free(text);
}

void page_add(struct page *p, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    add_args(&p->text, fmt, args);
    va_end(args);
}

void page_newline(struct page *p)
{
    strbuf_addc(&p->text, '\n');
}

const char *page_mark(const struct page *p, enum style s)
{
    static const char *const marks[STYLE_COUNT] = {
        [STYLE_PLAIN] = "\033[0m",   [STYLE_BOLD] = "\033[1m",
        [STYLE_DIM] = "\033[2m",     [STYLE_RED] = "\033[1;31m",
        [STYLE_YELLOW] = "\033[33m", [STYLE_BLUE] = "\033[34m",
    };

    return p->color ? marks[s] : "";
}

void page_style(struct page *p, enum style s)
{
    strbuf_addz(&p->text, page_mark(p, s));
}

/* --- wrapping -------------------------------------------------------------------------
 */

/* Bytes of the style mark at the beginning of text, 0: none there. */
static size_t mark_len(struct sv text)
{
    if (text.len < 3 || text.p[0] != '\033' || text.p[1] != '[')
        return 0;
    for (size_t i = 2; i < text.len; i++) {
        if (text.p[i] == 'm')
            return i + 1;
    }
    return 0;
}

size_t page_text_width(struct sv text)
{
    size_t width = 0;

    while (text.len) {
        size_t mark = mark_len(text), n = 0;

        if (mark) {
            text = sv_from(text, mark);
            continue;
        }
        while (n < text.len && (n == 0 || text.p[n] != '\033'))
            n++;
        width += utf8_width((struct sv){ text.p, n });
        text = sv_from(text, n);
    }
    return width;
}

/* Bytes of the longest beginning of word that fits into columns; at least one character.
 */
static size_t fitting(struct sv word, size_t columns)
{
    size_t used = 0, width = 0;

    while (used < word.len) {
        struct sv rest = sv_from(word, used);
        size_t mark = mark_len(rest), n = mark ? mark : utf8_char(rest);

        if (n == 0)
            n = 1;
        width += mark ? 0 : utf8_width((struct sv){ rest.p, n });
        if (width > columns && used)
            break;
        used += n;
    }
    return used;
}

/* *gap: the blanks in front of it, which stay where the line does not end there. */
static struct sv next_word(struct sv *text, size_t *gap)
{
    size_t from = 0, to;

    while (from < text->len && text->p[from] == ' ')
        from++;
    *gap = from;
    for (to = from; to < text->len && text->p[to] != ' '; to++)
        ;
    struct sv word = { text->p + from, to - from };
    *text = sv_from(*text, to);
    return word;
}

void page_wrap(struct page *p, const char *first, const char *rest, struct sv text)
{
    size_t indent = page_text_width(sv(rest)), column = page_text_width(sv(first));
    size_t width = (size_t)p->width > indent + 20 ? (size_t)p->width : indent + 20;
    bool at_start = true;
    struct sv word;
    size_t gap;

    strbuf_addz(&p->text, first);
    while ((word = next_word(&text, &gap)).len) {
        size_t needs = page_text_width(word);

        if (!at_start && column + gap + needs > width) {
            strbuf_addc(&p->text, '\n');
            strbuf_addz(&p->text, rest);
            column = indent;
            at_start = true;
        }
        if (!at_start) {
            strbuf_fill(&p->text, ' ', gap);
            column += gap;
        }
        while (column + needs > width) { /* longer than a line: a path, a class name */
            size_t n = fitting(word, width > column ? width - column : 1);

            if (n == word.len)
                break;
            strbuf_add(&p->text, (struct sv){ word.p, n });
            strbuf_addc(&p->text, '\n');
            strbuf_addz(&p->text, rest);
            column = indent;
            word = sv_from(word, n);
            needs = page_text_width(word);
        }
        strbuf_add(&p->text, word);
        column += needs;
        at_start = false;
    }
    strbuf_addc(&p->text, '\n');
}

void page_wrapf(struct page *p, const char *first, const char *rest, const char *fmt, ...)
{
    struct strbuf text = { 0 };
    va_list args;

    va_start(args, fmt);
    add_args(&text, fmt, args);
    va_end(args);
    page_wrap(p, first, rest, strbuf_sv(&text));
    strbuf_release(&text);
}

void page_bar(struct strbuf *out, double share, int cells, bool ascii)
{
    static const char *const part[] = { "",       "\u258f", "\u258e", "\u258d",
                                        "\u258c", "\u258b", "\u258a", "\u2589" };
    double clipped = share < 0 ? 0 : share > 1 ? 1 : share;
    int eighths = (int)(clipped * cells * 8 + 0.5);

    if (ascii) {
        strbuf_fill(out, '#', (size_t)((eighths + 4) / 8));
        return;
    }
    for (int i = 0; i < eighths / 8; i++)
        strbuf_addz(out, "\u2588");
    strbuf_addz(out, part[eighths % 8]);
}

/* --- tables
 * ----------------------------------------------------------------------------- */

void table_init(struct table *t, struct arena *arena, const struct table_column *columns,
                size_t n_columns)
{
    *t = (struct table){ .arena = arena, .columns = columns, .n_columns = n_columns };
}

void table_release(struct table *t)
{
    free(t->cells);
    *t = (struct table){ 0 };
}

static void add_cell(struct table *t, const char *text)
{
    GROW(t->cells, t->n, t->cap);
    t->cells[t->n++] = sv(text);
}

void table_cell(struct table *t, const char *fmt, ...)
{
    struct strbuf text = { 0 };
    va_list args;

    va_start(args, fmt);
    add_args(&text, fmt, args);
    va_end(args);
    GROW(t->cells, t->n, t->cap);
    t->cells[t->n++] = arena_sv(t->arena, strbuf_sv(&text));
    strbuf_release(&text);
}

void table_text(struct table *t, struct sv text)
{
    add_cell(t, text.len ? text_clean(t->arena, text, 0) : "-");
}

void table_ms(struct table *t, int64_t ms)
{
    add_cell(t, text_ms(t->arena, ms));
}

void table_bytes(struct table *t, int64_t bytes)
{
    add_cell(t, text_bytes(t->arena, bytes));
}

void table_count(struct table *t, int64_t n)
{
    add_cell(t, text_exact(t->arena, n));
}

static bool says_nothing(struct sv cell)
{
    return cell.len == 0 || sv_is(cell, "-");
}

static size_t line_width(const struct table *t, const size_t *width)
{
    size_t total = 0;

    for (size_t c = 0; c < t->n_columns; c++)
        total += width[c] ? width[c] + 2 : 0;
    return total ? total - 2 : 0;
}

/* Narrows the columns that allow it, the leftmost first, until the line fits. */
static void shrink(const struct table *t, size_t *width, size_t room)
{
    size_t total = line_width(t, width);

    for (size_t c = 0; c < t->n_columns && total > room; c++) {
        size_t least = (size_t)t->columns[c].shrink_to;
        size_t title = page_text_width(sv(t->columns[c].title));
        size_t over = total - room;

        least = least > title ? least : title;
        if (!t->columns[c].shrink_to || width[c] <= least)
            continue;
        size_t take = width[c] - least < over ? width[c] - least : over;
        width[c] -= take;
        total -= take;
    }
}

/* Leaves out what can be spared while the line is too wide. */
static void drop_columns(const struct table *t, size_t *width, size_t room)
{
    while (line_width(t, width) > room) {
        size_t least = SIZE_MAX;

        for (size_t c = 0; c < t->n_columns; c++) {
            int drop = t->columns[c].drop;

            if (drop && width[c] && (least == SIZE_MAX || drop < t->columns[least].drop))
                least = c;
        }
        if (least == SIZE_MAX)
            return;
        width[least] = 0;
    }
}

static void print_cell(const struct table *t, struct page *p, size_t c, struct sv cell,
                       size_t width, bool last)
{
    struct strbuf cut = { 0 };

    if (page_text_width(cell) > width) {
        utf8_clean(&cut, cell, width);
        cell = strbuf_sv(&cut);
    }
    size_t has = page_text_width(cell);
    size_t pad = width > has ? width - has : 0;
    if (t->columns[c].right)
        strbuf_fill(&p->text, ' ', pad);
    strbuf_add(&p->text, cell);
    if (!t->columns[c].right && !last)
        strbuf_fill(&p->text, ' ', pad);
    if (!last)
        strbuf_addz(&p->text, "  ");
    strbuf_release(&cut);
}

void table_print(struct table *t, struct page *p, int indent)
{
    size_t *width = arena_array(t->arena, t->n_columns, sizeof *width);
    size_t rows = t->n / t->n_columns, last = 0;

    for (size_t c = 0; c < t->n_columns; c++) {
        bool used = false;

        for (size_t r = 0; r < rows; r++) {
            struct sv cell = t->cells[r * t->n_columns + c];
            size_t w = page_text_width(cell);

            used |= !says_nothing(cell);
            width[c] = w > width[c] ? w : width[c];
        }
        size_t title = page_text_width(sv(t->columns[c].title));
        width[c] = !used ? 0 : title > width[c] ? title : width[c];
    }
    shrink(t, width, (size_t)p->width - (size_t)indent);
    drop_columns(t, width, (size_t)p->width - (size_t)indent);
    for (size_t c = 0; c < t->n_columns; c++)
        last = width[c] ? c : last;
    for (size_t r = 0; r <= rows; r++) {
        strbuf_fill(&p->text, ' ', (size_t)indent);
        if (r == 0)
            page_style(p, STYLE_DIM);
        for (size_t c = 0; c < t->n_columns; c++) {
            if (width[c])
                print_cell(t, p, c,
                           r ? t->cells[(r - 1) * t->n_columns + c]
                             : sv(t->columns[c].title),
                           width[c], c == last);
        }
        if (r == 0)
            page_style(p, STYLE_PLAIN);
        strbuf_addc(&p->text, '\n');
    }
}

/* --- pieces
 * ------------------------------------------------------------------------------ */

static const char *keep(struct arena *a, struct strbuf *text)
{
    const char *kept = arena_sv(a, strbuf_sv(text)).p;

    strbuf_release(text);
    return kept ? kept : "";
}

const char *text_ms(struct arena *a, int64_t ms)
{
    struct strbuf out = { 0 };

    if (ms == APP_NONE)
        return "-";
    units_ms(&out, ms);
    return keep(a, &out);
}

const char *text_bytes(struct arena *a, int64_t bytes)
{
    struct strbuf out = { 0 };

    if (bytes == APP_NONE)
        return "-";
    units_bytes(&out, bytes);
    return keep(a, &out);
}

const char *text_count(struct arena *a, int64_t n)
{
    struct strbuf out = { 0 };

    if (n == APP_NONE)
        return "-";
    units_count(&out, n);
    return keep(a, &out);
}

const char *text_share(struct arena *a, double share)
{
    struct strbuf out = { 0 };

    units_share(&out, share);
    return keep(a, &out);
}

const char *text_exact(struct arena *a, int64_t n)
{
    char digits[24];
    struct strbuf out = { 0 };

    if (n == APP_NONE)
        return "-";
    snprintf(digits, sizeof digits, "%" PRIu64, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
    if (n < 0)
        strbuf_addc(&out, '-');
    for (size_t i = 0, len = strlen(digits); i < len; i++) {
        if (i && (len - i) % 3 == 0)
            strbuf_addc(&out, ',');
        strbuf_addc(&out, digits[i]);
    }
    return keep(a, &out);
}

const char *text_clean(struct arena *a, struct sv text, size_t max)
{
    struct strbuf out = { 0 };

    utf8_clean(&out, text, max);
    return keep(a, &out);
}

const char *text_shell(struct arena *a, struct sv path)
{
    static const char safe[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        "_-./+:,@%=";
    struct strbuf out = { 0 };
    bool plain = path.len && path.p[0] != '-';

    for (size_t i = 0; i < path.len; i++)
        plain &= path.p[i] && strchr(safe, path.p[i]) != NULL;
    if (plain || sv_is(path, "-"))
        return text_clean(a, path, 0);
    strbuf_addz(&out, path.len && path.p[0] == '-' ? "./'" : "'");
    for (size_t i = 0; i < path.len; i++) {
        if (path.p[i] == '\'')
            strbuf_addz(&out, "'\\''");
        else
            strbuf_addc(&out, path.p[i]);
    }
    strbuf_addc(&out, '\'');
    const char *clean = text_clean(a, strbuf_sv(&out), 0);
    strbuf_release(&out);
    return clean;
}

const char *text_plural(struct arena *a, int64_t n, const char *one, const char *many)
{
    return arena_printf(a, "%s %s", text_exact(a, n), n == 1 ? one : many);
}
