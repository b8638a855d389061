#include "engine/store/json_scan.h"

#include "engine/column/number.h"

#include <string.h>

enum { MAX_DEPTH = 1000 };

void json_scan_blanks(struct json_in *in)
{
    while (in->p < in->end &&
           (*in->p == ' ' || *in->p == '\t' || *in->p == '\n' || *in->p == '\r'))
        in->p++;
}

static int hex4(const char *p)
{
    int v = 0;

    for (int i = 0; i < 4; i++) {
        int c = (unsigned char)p[i], d = c >= '0' && c <= '9' ? c - '0'
                                         : (c | 32) >= 'a' && (c | 32) <= 'f'
                                             ? (c | 32) - 'a' + 10
                                             : -1;

        if (d < 0)
            return -1;
        v = v << 4 | d;
    }
    return v;
}

static size_t put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* \uXXXX, with the second half of a pair; a half alone becomes "?". */
static bool unicode(const char **p, const char *end, char *out, size_t *n)
{
    int c = end - *p >= 4 ? hex4(*p) : -1;
    uint32_t code;

    if (c < 0)
        return false;
    *p += 4;
    code = (uint32_t)c;
    if (code >= 0xd800 && code < 0xdc00 && end - *p >= 6 && (*p)[0] == '\\' &&
        (*p)[1] == 'u') {
        int low = hex4(*p + 2);

        if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
            *p += 6;
        }
    }
    if (code >= 0xd800 && code < 0xe000)
        code = '?';
    *n += put_utf8(out + *n, code);
    return true;
}

/* From the first escape on; what was before is copied. */
static struct sv text_with_escapes(struct json_in *in, const char *start, char quote)
{
    const char *p = start, *end = in->end;
    char *out;
    size_t n = 0, most = 0;

    for (const char *q = start; q < end && *q != quote; q++, most++)
        if (*q == '\\' && q + 1 < end) {
            q++;
            most++;
        }
    out = arena_bytes(in->text, most + 4);
    while (p < end && *p != quote) {
        char c = *p++;

        if (c != '\\') {
            out[n++] = c;
            continue;
        }
        if (p == end)
            break;
        switch (c = *p++) {
        case 'n':
            out[n++] = '\n';
            break;
        case 't':
            out[n++] = '\t';
            break;
        case 'r':
            out[n++] = '\r';
            break;
        case 'b':
            out[n++] = '\b';
            break;
        case 'f':
            out[n++] = '\f';
            break;
        case '"':
        case '\\':
        case '/':
            out[n++] = c;
            break;
        case 'u':
            if (!unicode(&p, end, out, &n))
                return (struct sv){ 0 };
            break;
        default:
            if (c != '\'')
                return (struct sv){ 0 };
            out[n++] = c;
        }
    }
    if (p >= end)
        return (struct sv){ 0 };
    in->p = p + 1;
    return (struct sv){ out, n };
}

struct sv json_scan_text(struct json_in *in)
{
    char quote;
    const char *start, *p;

    if (in->p >= in->end || (*in->p != '"' && *in->p != '\''))
        return (struct sv){ 0 };
    quote = *in->p;
    start = in->p + 1;
    for (p = start; p < in->end && *p != quote && *p != '\\'; p++)
        if ((unsigned char)*p < 0x20 && !in->control)
            return (struct sv){ 0 };
    if (p == in->end)
        return (struct sv){ 0 };
    if (*p == '\\')
        return text_with_escapes(in, start, quote);
    in->p = p + 1;
    return (struct sv){ start, (size_t)(p - start) };
}

static enum json_kind number(struct json_in *in)
{
    const char *p = in->p, *end = in->end;
    bool real = false;

    if (p < end && *p == '-')
        p++;
    if (p == end || *p < '0' || *p > '9')
        return JSON_BAD;
    if (*p == '0' && p + 1 < end && p[1] >= '0' && p[1] <= '9')
        return JSON_BAD;
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    if (p < end && *p == '.') {
        real = true;
        if (++p == end || *p < '0' || *p > '9')
            return JSON_BAD;
        while (p < end && *p >= '0' && *p <= '9')
            p++;
    }
    if (p < end && (*p | 32) == 'e') {
        real = true;
        if (++p < end && (*p == '-' || *p == '+'))
            p++;
        if (p == end || *p < '0' || *p > '9')
            return JSON_BAD;
        while (p < end && *p >= '0' && *p <= '9')
            p++;
    }
    in->p = p;
    return real ? JSON_REAL : JSON_INTEGER;
}

static bool word(struct json_in *in, const char *z)
{
    size_t n = strlen(z);

    if ((size_t)(in->end - in->p) < n || memcmp(in->p, z, n) != 0)
        return false;
    in->p += n;
    return true;
}

static enum json_kind value_at_depth(struct json_in *in, struct sv *out, int depth);

static bool pass_object(struct json_in *in, int depth)
{
    bool first = true, bad = false;
    struct sv key, ignored;

    if (!json_scan_open_object(in))
        return false;
    while (json_scan_next_key(in, &first, &key, &bad))
        if (value_at_depth(in, &ignored, depth + 1) == JSON_BAD)
            return false;
    return !bad;
}

static bool pass_array(struct json_in *in, int depth)
{
    struct sv ignored;

    in->p++;
    json_scan_blanks(in);
    if (in->p < in->end && *in->p == ']') {
        in->p++;
        return true;
    }
    for (;;) {
        if (value_at_depth(in, &ignored, depth + 1) == JSON_BAD)
            return false;
        json_scan_blanks(in);
        if (in->p >= in->end || (*in->p != ',' && *in->p != ']'))
            return false;
        if (*in->p++ == ']')
            return true;
    }
}

/* Bare words for what numbers cannot say, by the one name that each has. */
static enum json_kind no_number(struct json_in *in, struct sv *out)
{
    static const struct {
        const char *word, *means;
    } words[] = {
        { "NaN", "NaN" },       { "Infinity", "Infinity" },   { "+Infinity", "Infinity" },
        { "+INF", "Infinity" }, { "-Infinity", "-Infinity" }, { "-INF", "-Infinity" },
    };

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        const char *from = in->p;

        if (word(in, words[i].word) &&
            (in->p == in->end || strchr(",]} \t\r\n", *in->p))) {
            *out = sv(words[i].means);
            return JSON_NO_NUMBER;
        }
        in->p = from;
    }
    return JSON_BAD;
}

static enum json_kind value_at_depth(struct json_in *in, struct sv *out, int depth)
{
    enum json_kind kind = JSON_BAD;
    const char *from;

    json_scan_blanks(in);
    from = in->p;
    if (from >= in->end || depth > MAX_DEPTH)
        return JSON_BAD;
    switch (*from) {
    case '"':
    case '\'':
        *out = json_scan_text(in);
        return out->p ? JSON_TEXT : JSON_BAD;
    case '{':
        kind = pass_object(in, depth) ? JSON_OBJECT : JSON_BAD;
        break;
    case '[':
        kind = pass_array(in, depth) ? JSON_ARRAY : JSON_BAD;
        break;
    case 't':
        kind = word(in, "true") ? JSON_TRUE : JSON_BAD;
        break;
    case 'f':
        kind = word(in, "false") ? JSON_FALSE : JSON_BAD;
        break;
    case 'n':
        kind = word(in, "null") ? JSON_NULL : JSON_BAD;
        break;
    default:
        kind = number(in);
        if (kind == JSON_BAD)
            return no_number(in, out);
    }
    *out = (struct sv){ from, (size_t)(in->p - from) };
    return kind;
}

enum json_kind json_scan_value(struct json_in *in, struct sv *out)
{
    return value_at_depth(in, out, 0);
}

bool json_scan_open_object(struct json_in *in)
{
    json_scan_blanks(in);
    if (in->p >= in->end || *in->p != '{')
        return false;
    in->p++;
    return true;
}

bool json_scan_next_key(struct json_in *in, bool *first, struct sv *key, bool *bad)
{
    json_scan_blanks(in);
    *bad = true;
    if (in->p >= in->end)
        return false;
    if (*in->p == '}') {
        in->p++;
        *bad = false;
        return false;
    }
    if (!*first) {
        if (*in->p++ != ',')
            return false;
        json_scan_blanks(in);
    }
    *first = false;
    *key = json_scan_text(in);
    json_scan_blanks(in);
    if (!key->p || in->p >= in->end || *in->p++ != ':')
        return false;
    *bad = false;
    return true;
}

static void put_text(struct strbuf *out, struct sv text)
{
    static const char escapes[] = "\b\t\n\f\r\"\\", letters[] = "btnfr\"\\";

    strbuf_addc(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        const char *at = c ? strchr(escapes, c) : NULL;

        if (at) {
            strbuf_addc(out, '\\');
            strbuf_addc(out, letters[at - escapes]);
        } else if ((unsigned char)c < 0x20) {
            strbuf_printf(out, "\\u%04X", (unsigned)c);
        } else {
            strbuf_addc(out, c);
        }
    }
    strbuf_addc(out, '"');
}

static void put_number(struct strbuf *out, struct json_in *in)
{
    char text[NUMBER_TEXT];
    const char *from = in->p;
    double x;

    if (in->end - from > 1 && from[0] == '-' && from[1] == '0' &&
        (in->end - from == 2 || !strchr(".eE", from[2])))
        from++; /* whole numbers know no -0 */
    if (number(in) == JSON_REAL &&
        double_parse((struct sv){ from, (size_t)(in->p - from) }, &x))
        strbuf_add(out, (struct sv){ text, double_format(text, x) });
    else
        strbuf_add(out, (struct sv){ from, (size_t)(in->p - from) });
}

void json_scan_compact(struct strbuf *out, struct sv value)
{
    struct arena text = { 0 };
    struct json_in in = { value.p, value.p + value.len, &text, true };

    while (json_scan_blanks(&in), in.p < in.end) {
        char c = *in.p;
        const char *from = in.p;

        if (c == '"' || c == '\'')
            put_text(out, json_scan_text(&in));
        else if (c == '-' || (c >= '0' && c <= '9'))
            put_number(out, &in);
        if (in.p == from)
            strbuf_addc(out, *in.p++);
    }
    arena_release(&text);
}
