/* What a failure's message says, and to whom it is alike. See failure.h.
 *
 * A message is alike to another if they differ only in what names one task, try, host or
 * file. Words are looked at one by one, a word being what stands between blanks, quotes,
 * brackets, commas and the like:
 *
 *     File file:/tmp/_temporary/0/attempt_2026_0004_m_03.parquet  ->  File /
 *     Lost task 1.2 in stage 4.0 (TID 10) on ip-10-0-1-7.local     ->  Lost task # in stage #
 *                                                                     (TID #) on ip-#.local
 *     3f2a9c1e-77aa-4c1b-beef-001122334455                         ->  #
 *
 * Not handled: names without a digit that differ (two columns, two users) are two kinds
 * of failure, and names that differ in digits only (Order1, Order2) are one. */
#include "analyzer/failure.h"

static const char traceback[] = "Traceback (most recent call last):";

/* Cuts the first line off what is left of the text. */
static struct sv take_line(struct sv *text)
{
    struct sv line = sv_first_line(*text);
    const char *newline = line.len < text->len
                              ? memchr(text->p + line.len, '\n', text->len - line.len)
                              : NULL;

    *text = newline ? sv_from(*text, (size_t)(newline - text->p) + 1) : sv_from(*text, text->len);
    return line;
}

/* The first line after the last traceback that is not indented, as its frames are;
 * empty: there is none. Of errors raised while others were handled the last one counts,
 * for that is the one that ended the task. */
static struct sv python_error(struct sv message, size_t first_traceback)
{
    struct sv rest = sv_from(message, first_traceback);
    size_t next;

    do {
        rest = sv_from(rest, strlen(traceback));
        next = sv_find(rest, sv(traceback));
        if (next != SIZE_MAX)
            rest = sv_from(rest, next);
    } while (next != SIZE_MAX);
    take_line(&rest); /* what the traceback's own line has left */
    while (rest.len) {
        struct sv line = take_line(&rest);

        if (line.len && line.p[0] != ' ' && line.p[0] != '\t')
            return sv_trim(line);
    }
    return rest;
}

struct sv failure_line(struct sv message, struct arena *arena)
{
    struct sv line = sv_first_line(message);
    size_t at = message.p ? sv_find(message, sv(traceback)) : SIZE_MAX;

    if (at == SIZE_MAX)
        return line;
    struct sv error = python_error(message, at);
    if (error.len == 0)
        return line;
    if (at == 0)
        return error;
    struct sv head = at < line.len ? (struct sv){ line.p, at } : line;
    const char *blank = at < line.len ? "" : " "; /* else the traceback begins further down */

    return sv(arena_printf(arena, "%.*s%s%.*s", SV_FMT(head), blank, SV_FMT(error)));
}

/* --- alike ---------------------------------------------------------------------------- */

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool ends_word(char c)
{
    return (unsigned char)c <= ' ' || strchr("\"'`,;()[]{}<>=|", c) != NULL;
}

static bool is_joint(char c)
{
    return c == '-' || c == '_' || c == '.' || c == ':';
}

static bool has_digit(struct sv run)
{
    for (size_t i = 0; i < run.len; i++)
        if (run.p[i] >= '0' && run.p[i] <= '9')
            return true;
    return false;
}

/* Four hex digits without a decimal one among them: a group of a UUID may look so. */
static bool is_hex_group(struct sv run)
{
    if (run.len != 4)
        return false;
    for (size_t i = 0; i < run.len; i++)
        if (!strchr("abcdefABCDEF", run.p[i]))
            return false;
    return true;
}

/* A word, run of letters and digits by run; neighbouring "#" become one. */
static void add_word(struct sv word, struct strbuf *out)
{
    size_t start = out->len;

    for (size_t i = 0; i < word.len;) {
        size_t end = i;

        while (end < word.len && is_alnum(word.p[end]))
            end++;
        if (end == i) {
            strbuf_addc(out, word.p[i++]);
            continue;
        }
        struct sv run = { word.p + i, end - i };
        bool joined = out->len >= start + 2 && is_joint(out->p[out->len - 1]) &&
                      out->p[out->len - 2] == '#';

        i = end;
        if (!has_digit(run) && !(joined && is_hex_group(run))) {
            strbuf_add(out, run);
            continue;
        }
        if (joined)
            out->p[--out->len] = '\0';
        else
            strbuf_addc(out, '#');
    }
}

void failure_key(struct sv line, struct strbuf *out)
{
    for (size_t i = 0; i < line.len;) {
        size_t end = i;

        while (end < line.len && !ends_word(line.p[end]))
            end++;
        if (end == i) {
            strbuf_addc(out, line.p[i++]);
            continue;
        }
        struct sv word = { line.p + i, end - i };

        if (memchr(word.p, '/', word.len))
            strbuf_addc(out, '/');
        else
            add_word(word, out);
        i = end;
    }
}
