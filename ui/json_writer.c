/* JSON out. See json_writer.h. */
#include "ui/json_writer.h"

#include "base/utf8.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void before_value(struct json_writer *w)
{
    if (w->comma)
        strbuf_addc(w->out, ',');
    w->comma = true;
}

static void open_with(struct json_writer *w, char c)
{
    before_value(w);
    strbuf_addc(w->out, c);
    w->comma = false;
    w->depth++;
}

static void close_with(struct json_writer *w, char c)
{
    assert(w->depth > 0);
    strbuf_addc(w->out, c);
    w->comma = true;
    w->depth--;
}

void json_object(struct json_writer *w)
{
    open_with(w, '{');
}

void json_object_end(struct json_writer *w)
{
    close_with(w, '}');
}

void json_array(struct json_writer *w)
{
    open_with(w, '[');
}

void json_array_end(struct json_writer *w)
{
    close_with(w, ']');
}

void json_key(struct json_writer *w, const char *key)
{
    before_value(w);
    strbuf_addc(w->out, '"');
    strbuf_addz(w->out, key);
    strbuf_add(w->out, SV("\":"));
    w->comma = false;
}

/* Bytes that stand for themselves; the rest needs a look. */
static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void add_escape(struct strbuf *out, unsigned char c)
{
    switch (c) {
    case '"':
        strbuf_add(out, SV("\\\""));
        break;
    case '\\':
        strbuf_add(out, SV("\\\\"));
        break;
    case '\n':
        strbuf_add(out, SV("\\n"));
        break;
    case '\r':
        strbuf_add(out, SV("\\r"));
        break;
    case '\t':
        strbuf_add(out, SV("\\t"));
        break;
    default:
        strbuf_printf(out, "\\u%04x", c);
    }
}

static void add_quoted(struct strbuf *out, struct sv text)
{
    size_t i = 0;

    strbuf_addc(out, '"');
    while (i < text.len) {
        size_t from = i;

        while (i < text.len && is_plain((unsigned char)text.p[i]))
            i++;
        if (i > from)
            strbuf_add(out, (struct sv){ text.p + from, i - from });
        if (i == text.len)
            break;
        unsigned char c = (unsigned char)text.p[i];
        if (c < 0x80) {
            add_escape(out, c);
            i++;
            continue;
        }
        size_t n = utf8_char(sv_from(text, i));
        if (n)
            strbuf_add(out, (struct sv){ text.p + i, n });
        else
            strbuf_add(out, SV("\xef\xbf\xbd"));
        i += n ? n : 1;
    }
    strbuf_addc(out, '"');
}

void json_key_text(struct json_writer *w, struct sv key)
{
    before_value(w);
    add_quoted(w->out, key);
    strbuf_addc(w->out, ':');
    w->comma = false;
}

void json_text(struct json_writer *w, struct sv text)
{
    if (!text.p) {
        json_null(w);
        return;
    }
    before_value(w);
    add_quoted(w->out, text);
}

void json_int(struct json_writer *w, int64_t n)
{
    char digits[20];
    size_t at = sizeof digits;
    uint64_t left = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;

    if (n == JSON_NONE) {
        json_null(w);
        return;
    }
    before_value(w);
    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    if (n < 0)
        strbuf_addc(w->out, '-');
    strbuf_add(w->out, (struct sv){ digits + at, sizeof digits - at });
}

void json_rounded(struct json_writer *w, double x, int digits)
{
    if (!isfinite(x)) {
        json_null(w);
        return;
    }
    before_value(w);
    strbuf_printf(w->out, "%.*g", digits, x);
}

void json_double(struct json_writer *w, double x)
{
    char text[32];

    for (int digits = 1; digits < 17 && isfinite(x); digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtod(text, NULL) == x) {
            json_rounded(w, x, digits);
            return;
        }
    }
    json_rounded(w, x, 17);
}

void json_bool(struct json_writer *w, bool b)
{
    before_value(w);
    strbuf_addz(w->out, b ? "true" : "false");
}

void json_null(struct json_writer *w)
{
    before_value(w);
    strbuf_add(w->out, SV("null"));
}

void json_put_int(struct json_writer *w, const char *key, int64_t n)
{
    json_key(w, key);
    json_int(w, n);
}

void json_put_bool(struct json_writer *w, const char *key, bool b)
{
    json_key(w, key);
    json_bool(w, b);
}

void json_put_text(struct json_writer *w, const char *key, struct sv text)
{
    json_key(w, key);
    json_text(w, text);
}

void json_put_null(struct json_writer *w, const char *key)
{
    json_key(w, key);
    json_null(w);
}
