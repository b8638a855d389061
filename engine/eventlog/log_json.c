/* JSON text for the event log. */
#include "engine/eventlog/log_json.h"

#include "base/utf8.h"

void js_comma(struct strbuf *b)
{
    if (b->len && !strchr("{[:\n", b->p[b->len - 1]))
        strbuf_addc(b, ',');
}

void js_int(struct strbuf *b, int64_t i)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t u = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;

    do {
        digits[--at] = (char)('0' + u % 10);
        u /= 10;
    } while (u);
    if (i < 0)
        digits[--at] = '-';
    strbuf_add(b, (struct sv){ digits + at, sizeof digits - at });
}

static void add_escape(struct strbuf *b, unsigned char c)
{
    switch (c) {
    case '"':
        JS_RAW(b, "\\\"");
        return;
    case '\\':
        JS_RAW(b, "\\\\");
        return;
    case '\n':
        JS_RAW(b, "\\n");
        return;
    case '\r':
        JS_RAW(b, "\\r");
        return;
    case '\t':
        JS_RAW(b, "\\t");
        return;
    default:
        strbuf_printf(b, "\\u%04x", c);
    }
}

void js_text(struct strbuf *b, struct sv s)
{
    size_t from = 0, i = 0;

    strbuf_addc(b, '"');
    while (i < s.len) {
        unsigned char c = (unsigned char)s.p[i];
        size_t n = 1;

        if (c >= 0x80)
            n = utf8_char(sv_from(s, i));
        if (c >= 0x20 && c != '"' && c != '\\' && n) {
            i += n;
            continue;
        }
        strbuf_add(b, (struct sv){ s.p + from, i - from });
        if (n)
            add_escape(b, c);
        else
            JS_RAW(b, "\xEF\xBF\xBD");
        from = ++i;
    }
    if (s.len > from)
        strbuf_add(b, (struct sv){ s.p + from, s.len - from });
    strbuf_addc(b, '"');
}

void js_key(struct strbuf *b, const char *key)
{
    js_comma(b);
    strbuf_addc(b, '"');
    strbuf_addz(b, key); /* keys are ours: nothing to escape */
    JS_RAW(b, "\":");
}

void js_key_int(struct strbuf *b, const char *key, int64_t i)
{
    js_key(b, key);
    js_int(b, i);
}

void js_key_bool(struct strbuf *b, const char *key, bool x)
{
    js_key(b, key);
    strbuf_addz(b, x ? "true" : "false");
}

void js_key_text(struct strbuf *b, const char *key, struct sv s)
{
    js_key(b, key);
    js_text(b, s);
}

void js_key_textz(struct strbuf *b, const char *key, const char *s)
{
    js_key_text(b, key, s ? sv(s) : SV(""));
}
