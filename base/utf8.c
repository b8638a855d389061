/* UTF-8 checks and clean-up. See utf8.h. */
#include "base/utf8.h"

#include <wchar.h>

static bool tail(unsigned char c)
{
    return (c & 0xC0) == 0x80;
}

size_t utf8_char(struct sv s)
{
    const unsigned char *p = (const unsigned char *)s.p;

    if (s.len == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xC2 && p[0] <= 0xDF)
        return s.len >= 2 && tail(p[1]) ? 2 : 0;
    if ((p[0] & 0xF0) == 0xE0) {
        if (s.len < 3 || !tail(p[1]) || !tail(p[2]))
            return 0;
        if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F))
            return 0; /* overlong; surrogate */
        return 3;
    }
    if (p[0] >= 0xF0 && p[0] <= 0xF4) {
        if (s.len < 4 || !tail(p[1]) || !tail(p[2]) || !tail(p[3]))
            return 0;
        if ((p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
            return 0; /* overlong; beyond U+10FFFF */
        return 4;
    }
    return 0;
}

bool utf8_valid(struct sv text)
{
    while (text.len) {
        uint64_t word;

        if (text.len >= 8) {
            memcpy(&word, text.p, 8);
            if ((word & 0x8080808080808080u) == 0) {
                text.p += 8;
                text.len -= 8;
                continue;
            }
        }
        size_t n = utf8_char(text);
        if (n == 0)
            return false;
        text.p += n;
        text.len -= n;
    }
    return true;
}

uint32_t utf8_code(const char *p, size_t n)
{
    const unsigned char *u = (const unsigned char *)p;

    switch (n) {
    case 2:
        return (uint32_t)(u[0] & 0x1F) << 6 | (u[1] & 0x3F);
    case 3:
        return (uint32_t)(u[0] & 0x0F) << 12 | (uint32_t)(u[1] & 0x3F) << 6 | (u[2] & 0x3F);
    case 4:
        return (uint32_t)(u[0] & 0x07) << 18 | (uint32_t)(u[1] & 0x3F) << 12 |
               (uint32_t)(u[2] & 0x3F) << 6 | (u[3] & 0x3F);
    default:
        return u[0];
    }
}

void utf8_add(struct strbuf *out, uint32_t c)
{
    if (c < 0x80) {
        strbuf_addc(out, (char)c);
    } else if (c < 0x800) {
        strbuf_addc(out, (char)(0xC0 | c >> 6));
        strbuf_addc(out, (char)(0x80 | (c & 0x3F)));
    } else if (c < 0x10000) {
        strbuf_addc(out, (char)(0xE0 | c >> 12));
        strbuf_addc(out, (char)(0x80 | (c >> 6 & 0x3F)));
        strbuf_addc(out, (char)(0x80 | (c & 0x3F)));
    } else {
        strbuf_addc(out, (char)(0xF0 | c >> 18));
        strbuf_addc(out, (char)(0x80 | (c >> 12 & 0x3F)));
        strbuf_addc(out, (char)(0x80 | (c >> 6 & 0x3F)));
        strbuf_addc(out, (char)(0x80 | (c & 0x3F)));
    }
}

/* Characters that move the cursor, reorder what stands around them, or end a line. */
static bool unprintable(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || (c >= 0x200B && c <= 0x200F) ||
           (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF;
}

void utf8_clean(struct strbuf *out, struct sv text, size_t max_chars)
{
    size_t start = out->len, chars = 0;

    while (text.len) {
        size_t n = utf8_char(text);

        if (n == 0) {
            strbuf_addz(out, "\xEF\xBF\xBD");
            n = 1;
        } else if (unprintable(utf8_code(text.p, n))) {
            strbuf_addz(out, "\xC2\xB7");
        } else {
            strbuf_add(out, (struct sv){ text.p, n });
        }
        text.p += n;
        text.len -= n;
        chars++;
    }
    if (max_chars == 0 || chars <= max_chars)
        return;
    /* keep the first and last halves, "~" between */
    size_t head = max_chars / 2, drop = chars - max_chars + 1, at = start;
    struct sv made = { out->p, out->len };

    for (size_t i = 0; i < head; i++)
        at += utf8_char(sv_from(made, at));
    size_t rest = at;
    for (size_t i = 0; i < drop; i++)
        rest += utf8_char(sv_from(made, rest));
    out->p[at++] = '~';
    memmove(out->p + at, out->p + rest, out->len - rest);
    out->len -= rest - at;
    out->p[out->len] = '\0';
}

size_t utf8_width(struct sv text)
{
    size_t width = 0;

    while (text.len) {
        size_t n = utf8_char(text);
        int w = n > 1 ? wcwidth((wchar_t)utf8_code(text.p, n)) : 1;

        width += w < 0 ? 1 : (size_t)w;
        n = n ? n : 1;
        text.p += n;
        text.len -= n;
    }
    return width;
}
