/* Records and cells.
 *
 * A cell that begins with a quote ends with the next one that a separator or the record's
 * end follows; inside, the escape character keeps a quote (or itself). Where something
 * else follows the quote, the cell is what it is up to the next separator, quotes
 * included: that is how the source reads "a""b". */
#include "engine/store/csv.h"

#include "engine/store/text_lines.h"

/* ---- options ---- */

static bool flag(const struct relation *r, const char *key, bool dflt)
{
    struct sv v;

    return relation_option(r, key, &v) ? sv_eq_nocase(v, sv("true")) : dflt;
}

static struct sv text_of(const struct relation *r, const char *key, struct sv dflt)
{
    struct sv v;

    return relation_option(r, key, &v) ? v : dflt;
}

/* One byte, or none at all; "\t" and the like by name. */
static enum errc one_char(const struct relation *r, const char *key, char *out,
                          struct err *err)
{
    struct sv v;

    if (!relation_option(r, key, &v))
        return ERR_OK;
    if (v.len == 2 && v.p[0] == '\\' && v.p[1] == 't')
        *out = '\t';
    else if (v.len <= 1)
        *out = v.len ? v.p[0] : '\0';
    else if (!sv_is(v, "\\0"))
        return err_set(err, ERR_USAGE, "option %s takes one character, not \"%.*s\"", key,
                       (int)v.len, v.p);
    else
        *out = '\0';
    return ERR_OK;
}

static enum errc read_mode(const struct relation *r, enum text_mode *out, struct err *err)
{
    struct sv v = text_of(r, "mode", sv("PERMISSIVE"));

    if (sv_eq_nocase(v, sv("PERMISSIVE")))
        *out = MODE_PERMISSIVE;
    else if (sv_eq_nocase(v, sv("DROPMALFORMED")))
        *out = MODE_DROP_MALFORMED;
    else if (sv_eq_nocase(v, sv("FAILFAST")))
        *out = MODE_FAIL_FAST;
    else
        return err_set(err, ERR_USAGE,
                       "mode \"%.*s\": PERMISSIVE, DROPMALFORMED and FAILFAST are known",
                       (int)v.len, v.p);
    return ERR_OK;
}

enum errc csv_options_read(struct csv_options *o, const struct relation *r,
                           const struct zone *zone, struct err *err)
{
    struct sv encoding = text_of(r, "encoding", text_of(r, "charset", sv("UTF-8")));

    *o = (struct csv_options){ .quote = '"', .escape = '\\' };
    o->separator = text_of(r, "sep", text_of(r, "delimiter", sv(",")));
    if (sv_is(o->separator, "\\t"))
        o->separator = sv("\t");
    if (o->separator.len == 0)
        return err_set(err, ERR_USAGE,
                       "[INVALID_DELIMITER_VALUE.EMPTY_STRING] Invalid value for "
                       "delimiter. Delimiter cannot be empty string.");
    if (!sv_eq_nocase(encoding, sv("UTF-8")) && !sv_eq_nocase(encoding, sv("utf8")) &&
        !sv_eq_nocase(encoding, sv("US-ASCII")))
        return err_set(err, ERR_USAGE, "encoding \"%.*s\": only UTF-8 can be read",
                       (int)encoding.len, encoding.p);
    TRY(one_char(r, "quote", &o->quote, err));
    TRY(one_char(r, "escape", &o->escape, err));
    TRY(one_char(r, "comment", &o->comment, err));
    TRY(read_mode(r, &o->mode, err));
    o->header = flag(r, "header", false);
    o->infer = flag(r, "inferSchema", false);
    o->prefer_date = flag(r, "preferDate", true);
    o->multi_line = flag(r, "multiLine", false);
    o->trim_left = flag(r, "ignoreLeadingWhiteSpace", false);
    o->trim_right = flag(r, "ignoreTrailingWhiteSpace", false);
    o->null_text = text_of(r, "nullValue", sv(""));
    o->empty_text = text_of(r, "emptyValue", sv(""));
    o->empty_is_null = sv_eq(o->empty_text, o->null_text);
    o->cell = (struct text_options){ .zone = zone,
                                     .nan = text_of(r, "nanValue", sv("NaN")),
                                     .inf = text_of(r, "positiveInf", sv("Inf")),
                                     .minus_inf = text_of(r, "negativeInf", sv("-Inf")) };
    return ERR_OK;
}

bool csv_is_null(const struct csv_options *o, const struct csv_cell *c)
{
    if (c->quoted && c->text.len == 0)
        return o->empty_is_null;
    return c->text.len == 0 || sv_eq(c->text, o->null_text);
}

bool csv_is_record(const struct csv_options *o, struct sv line)
{
    size_t i = 0;

    while (i < line.len && (unsigned char)line.p[i] <= ' ')
        i++;
    return i < line.len && !(o->comment && line.p[0] == o->comment);
}

/* ---- cells ---- */

struct scan {
    const struct csv_options *o;
    struct arena *text;
    const char *p, *end;
    bool lines; /* a line's end ends the record */
};

static bool at_separator(const struct scan *s, const char *p)
{
    struct sv sep = s->o->separator;

    return *p == sep.p[0] && (sep.len == 1 || ((size_t)(s->end - p) >= sep.len &&
                                               memcmp(p, sep.p, sep.len) == 0));
}

static bool ends_record(const struct scan *s, const char *p)
{
    return p >= s->end ||
           (s->lines && (*p == '\n' || (*p == '\r' && p + 1 < s->end && p[1] == '\n')));
}

static struct sv raw_cell(struct scan *s, const char *from)
{
    const char *p = s->p;

    while (!ends_record(s, p) && !at_separator(s, p))
        p++;
    s->p = p;
    return (struct sv){ from, (size_t)(p - from) };
}

static struct sv trimmed(const struct csv_options *o, struct sv c)
{
    while (o->trim_left && c.len && (c.p[0] == ' ' || c.p[0] == '\t'))
        c = sv_from(c, 1);
    while (o->trim_right && c.len && (c.p[c.len - 1] == ' ' || c.p[c.len - 1] == '\t'))
        c.len--;
    return c;
}

/* The text between quotes without its escapes. */
static struct sv unescape(struct scan *s, const char *from, const char *to)
{
    char *out = arena_bytes(s->text, (size_t)(to - from));
    size_t n = 0;

    for (const char *p = from; p < to; p++) {
        if (*p == s->o->escape && p + 1 < to &&
            (p[1] == s->o->quote || p[1] == s->o->escape))
            p++;
        out[n++] = *p;
    }
    return (struct sv){ out, n };
}

static struct csv_cell quoted_cell(struct scan *s)
{
    const char *open = s->p, *p = open + 1;
    bool escapes = false;

    for (; p < s->end; p++) {
        if (*p == s->o->escape && s->o->escape && p + 1 < s->end &&
            (p[1] == s->o->quote ||
             (p[1] == s->o->escape && s->o->escape != s->o->quote))) {
            escapes = true;
            p++;
        } else if (*p == s->o->quote) {
            const char *after = p + 1;

            while (s->o->trim_right && after < s->end && *after == ' ')
                after++;
            if (ends_record(s, after) || at_separator(s, after)) {
                s->p = after;
                return (struct csv_cell){ escapes ? unescape(s, open + 1, p)
                                                  : (struct sv){ open + 1,
                                                                 (size_t)(p - open - 1) },
                                          true };
            }
            s->p = after;
            return (struct csv_cell){ raw_cell(s, open), false };
        }
    }
    s->p = s->end; /* never closed */
    return (struct csv_cell){ escapes ? unescape(s, open + 1, p)
                                      : (struct sv){ open + 1, (size_t)(p - open - 1) },
                              true };
}

static struct csv_cell next_cell(struct scan *s)
{
    const char *p = s->p;

    while (s->o->trim_left && p < s->end && (*p == ' ' || *p == '\t') &&
           !at_separator(s, p))
        p++;
    if (s->o->quote && p < s->end && *p == s->o->quote) {
        s->p = p;
        return quoted_cell(s);
    }
    return (struct csv_cell){ trimmed(s->o, raw_cell(s, s->p)), false };
}

uint32_t csv_split(const struct csv_options *o, struct arena *text, struct sv record,
                   struct csv_cell *cells, uint32_t most, struct sv *rest)
{
    struct scan s = { .o = o,
                      .text = text,
                      .p = record.p,
                      .end = record.p + record.len,
                      .lines = rest != NULL };
    uint32_t n = 0;

    for (;;) {
        struct csv_cell c = next_cell(&s);

        if (n < most)
            cells[n] = c;
        n++;
        if (ends_record(&s, s.p))
            break;
        s.p += o->separator.len;
    }
    if (rest) {
        const char *p = s.p;

        p += p < s.end && *p == '\r';
        p += p < s.end && *p == '\n';
        *rest = (struct sv){ p, (size_t)(s.end - p) };
    }
    return n;
}
