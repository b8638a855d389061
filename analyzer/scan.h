/* The JSON scanner: one pass over a line, no tree, no index of the structure.
 *
 * Every function takes the position of what it reads and returns the position
 * behind it, or NULL where a full parser would refuse the line. A line must be
 * followed by a newline: it is the sentinel that ends every loop, so that nothing
 * else has to be compared with the end of the text. No function goes past it.
 *
 * What is accepted is what cJSON 1.7.15 accepts, byte for byte, which is more than
 * RFC 8259 allows:
 *   - any byte up to 0x20, NUL included, is a blank;
 *   - control characters may stand in strings as they are, bytes need not be UTF-8;
 *   - numbers are what strtod takes whole: "01", "1.", "-.5"; the first byte is a
 *     minus or a digit, the length does not matter (Debian's fix of CVE-2023-26819);
 *   - "\u" and four bytes that are not all hexadecimal stand for U+0000 (the bytes
 *     after it are looked at again only where the string's end is searched: see
 *     string_exact);
 *   - the same key may come again, any value may stand alone, a byte order mark may
 *     stand in front of a line of five bytes or more.
 * Stricter than the RFC: at most 1000 levels, and surrogates must come in pairs.
 *
 * Included by decode_isa.c only. */
#ifndef ANALYZER_SCAN_H
#define ANALYZER_SCAN_H

#include "analyzer/scan_vec.h"
#include "base/arena.h"

enum { SCAN_MAX_DEPTH = 1000 };

/* What is noticed on the way. Zeroed for each line, but for the arena. */
struct scan {
    struct arena *arena; /* for text that had to be unescaped */
    unsigned depth;
    bool nul;  /* a NUL byte was seen */
    bool high; /* perhaps a byte above 0x7F, in a string */
};

static inline unsigned char byte_at(const char *p)
{
    return (unsigned char)*p;
}

/* ---- blanks ---- */

static __attribute__((noinline)) const char *blanks_slow(struct scan *s, const char *p)
{
    while (byte_at(p) <= ' ' && *p != '\n') {
        s->nul |= *p == '\0';
        p++;
    }
    return p;
}

static inline const char *skip_blanks(struct scan *s, const char *p)
{
    if (LIKELY(byte_at(p) > ' '))
        return p;
    return *p == ' ' && byte_at(p + 1) > ' ' ? p + 1 : blanks_slow(s, p);
}

/* ---- numbers ---- */

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool is_number_byte(char c)
{
    return is_digit(c) || c == '+' || c == '-' || c == '.' || c == 'e' || c == 'E';
}

/* A number in its parts: the digits from `first` to `mantissa_end` with at most one
 * point among them; `whole_digits` of them stand before the point once the exponent
 * is applied. */
struct number {
    bool negative;
    const char *first, *mantissa_end;
    int64_t n_digits, whole_digits;
};

/* Any number. The position behind it, or NULL. */
static __attribute__((noinline)) const char *number_parts(const char *p,
                                                          struct number *out)
{
    bool point = false;

    *out = (struct number){ .negative = *p == '-' };
    p += *p == '-';
    out->first = p;
    for (; is_digit(*p) || (*p == '.' && !point); p++) {
        point |= *p == '.';
        out->n_digits += *p != '.';
        out->whole_digits += !point;
    }
    out->mantissa_end = p;
    if (out->n_digits == 0)
        return NULL;
    if (*p == 'e' || *p == 'E') {
        int64_t e = 0;
        bool minus = p[1] == '-';

        p += p[1] == '-' || p[1] == '+' ? 2 : 1;
        if (!is_digit(*p))
            return NULL;
        for (; is_digit(*p); p++)
            e = min_i64(e * 10 + (*p - '0'), INT64_C(1) << 50);
        out->whole_digits += minus ? -e : e;
    }
    return is_number_byte(*p) ? NULL : p;
}

/* The whole number that n stands for, exact, held at the ends of int64 (INT64_MIN left
 * out: it means "absent" in records). False: it is not a whole one. */
static bool number_whole(const struct number *n, int64_t *out)
{
    int64_t value = 0, at = 0;
    bool too_large = false;

    for (const char *p = n->first; p < n->mantissa_end; p++) {
        if (*p == '.')
            continue;
        if (at++ >= n->whole_digits) {
            if (*p != '0')
                return false;
        } else {
            too_large |= __builtin_mul_overflow(value, 10, &value) ||
                         __builtin_add_overflow(value, *p - '0', &value);
        }
    }
    for (; value && !too_large && at < n->whole_digits; at++)
        too_large = __builtin_mul_overflow(value, 10, &value);
    if (too_large)
        value = INT64_MAX;
    *out = n->negative ? -value : value;
    return true;
}

static inline const char *skip_number(const char *p)
{
    struct number parts;
    unsigned n = vec_digits(p);

    if (LIKELY(n - 1 < 16 && !is_number_byte(p[n])))
        return p + n;
    return number_parts(p, &parts);
}

/* A number; *whole: it is a whole one, then it is in *out. */
static inline const char *read_number(const char *p, int64_t *out, bool *whole)
{
    struct number parts;
    unsigned n = vec_digits(p);

    if (LIKELY(n - 1 < 16 && !is_number_byte(p[n]))) {
        *out = (int64_t)vec_number(p, n);
        *whole = true;
        return p + n;
    }
    p = number_parts(p, &parts);
    *whole = p && number_whole(&parts, out);
    return p;
}

/* ---- strings ---- */

static inline unsigned hex_digit(char c)
{
    if (is_digit(c))
        return (unsigned)(c - '0');
    if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
        return (unsigned)((c | 0x20) - 'a' + 10);
    return 16;
}

/* The code unit of four hexadecimal digits; 0 where one of them is none. */
static unsigned hex_4(const char *p)
{
    unsigned code = 0;

    for (int i = 0; i < 4; i++) {
        unsigned digit = hex_digit(p[i]);

        if (digit > 15)
            return 0;
        code = code << 4 | digit;
    }
    return code;
}

/* Neither a surrogate nor 0, which hex_4 also says where there is no number. */
static bool is_plain_unit(unsigned code)
{
    return code != 0 && (code < 0xD800 || code > 0xDFFF);
}

static char *put_utf8(char *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xC0 | c >> 6);
        *to++ = (char)(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        *to++ = (char)(0xE0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 0x3F));
        *to++ = (char)(0x80 | (c & 0x3F));
    } else {
        *to++ = (char)(0xF0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 0x3F));
        *to++ = (char)(0x80 | (c >> 6 & 0x3F));
        *to++ = (char)(0x80 | (c & 0x3F));
    }
    return to;
}

/* The byte that backslash + c stands for; 0: none, or 'u'. */
static char escaped_byte(char c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
        return c;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return 0;
    }
}

/* Reads the escape at p of a string that ends (with its quote) at end. */
static const char *read_escape(const char *p, const char *end, char **to)
{
    char plain = escaped_byte(p[1]);

    if (plain) {
        *(*to)++ = plain;
        return p + 2;
    }
    if (p[1] != 'u' || end - p < 6)
        return NULL;
    uint32_t code = hex_4(p + 2);
    if (code >= 0xDC00 && code <= 0xDFFF)
        return NULL;
    if (code < 0xD800 || code > 0xDBFF) {
        *to = put_utf8(*to, code);
        return p + 6;
    }
    if (end - p < 12 || p[6] != '\\' || p[7] != 'u')
        return NULL;
    uint32_t low = hex_4(p + 8);
    if (low < 0xDC00 || low > 0xDFFF)
        return NULL;
    *to = put_utf8(*to, 0x10000 + ((code & 0x3FF) << 10 | (low & 0x3FF)));
    return p + 12;
}

/* Unescapes [p, end); the quote is at end. A full parser first looks for the end of
 * the string, taking a backslash and any byte for a pair, and then reads escapes
 * from the left. The two views differ behind a \u without four hexadecimal digits,
 * so that the last escape may even use up the closing quote. Room at `to`: no escape
 * is shorter than what it stands for. */
static bool unescape(const char *p, const char *end, char *to, size_t *len)
{
    char *start = to;

    while (p < end) {
        const char *slash = memchr(p, '\\', (size_t)(end - p));
        size_t run = (size_t)((slash ? slash : end) - p);

        memcpy(to, p, run);
        to += run;
        if (!slash)
            break;
        if (!(p = read_escape(slash, end, &to)))
            return false;
    }
    *len = (size_t)(to - start);
    return true;
}

/* The string behind the quote at p[-1], in full. out NULL: checked, not kept. */
static __attribute__((noinline)) const char *string_exact(struct scan *s, const char *p,
                                                          struct sv *out)
{
    const char *start = p;
    bool escapes = false, odd = false;

    for (;;) {
        unsigned n = vec_text(p, &s->high);

        p += n;
        if (n == VEC_BYTES)
            continue;
        if (*p == '"')
            break;
        if (*p == '\n')
            return NULL;
        if (*p == '\0') {
            s->nul = true;
            p++;
            continue;
        }
        escapes = true; /* a backslash */
        if (LIKELY(escaped_byte(p[1]) != 0)) {
            p += 2;
        } else if (p[1] == 'u' && is_plain_unit(hex_4(p + 2))) {
            p += 6;
        } else if (p[1] != '\n' && (odd || p[1] == 'u')) {
            odd = true; /* read_escape will tell */
            s->nul |= p[1] == '\0';
            s->high |= byte_at(p + 1) > 0x7F;
            p += 2;
        } else {
            return NULL;
        }
    }
    if (escapes && (out || odd)) {
        size_t room = (size_t)(p - start) + 1, len;
        char *text = arena_bytes(s->arena, room);

        if (!unescape(start, p, text, &len))
            return NULL;
        text[len] = '\0'; /* ends a number in it */
        if (out)
            *out = (struct sv){ text, len };
    } else if (out) {
        *out = (struct sv){ start, (size_t)(p - start) };
    }
    return p + 1;
}

/* The string whose opening quote is at p. */
static inline const char *read_string(struct scan *s, const char *p, struct sv *out)
{
    const char *start = ++p;
    unsigned n;

    while ((n = vec_plain(p)) == VEC_BYTES)
        p += VEC_BYTES;
    p += n;
    if (UNLIKELY(*p != '"'))
        return string_exact(s, start, out);
    *out = (struct sv){ start, (size_t)(p - start) };
    return p + 1;
}

static inline const char *skip_string(struct scan *s, const char *p)
{
    const char *start = ++p;
    unsigned n;

    while ((n = vec_plain(p)) == VEC_BYTES)
        p += VEC_BYTES;
    p += n;
    if (UNLIKELY(*p != '"'))
        return string_exact(s, start, NULL);
    return p + 1;
}

/* ---- any value ---- */

static inline const char *skip_word(const char *p)
{
    if (memcmp(p, "true", 4) == 0 || memcmp(p, "null", 4) == 0)
        return p + 4;
    return memcmp(p, "false", 5) == 0 ? p + 5 : NULL;
}

static const char *skip_value(struct scan *s, const char *p);

/* The rest of an object or array whose opening bracket is at p[-1]. */
static const char *skip_members(struct scan *s, const char *p, bool object)
{
    char close = object ? '}' : ']';

    p = skip_blanks(s, p);
    if (*p == close)
        return p + 1;
    for (;;) {
        if (object) {
            if (*p != '"' || !(p = skip_string(s, p)))
                return NULL;
            p = skip_blanks(s, p);
            if (*p != ':')
                return NULL;
            p = skip_blanks(s, p + 1);
        }
        if (!(p = skip_value(s, p)))
            return NULL;
        p = skip_blanks(s, p);
        if (*p == close)
            return p + 1;
        if (*p != ',')
            return NULL;
        p = skip_blanks(s, p + 1);
    }
}

static const char *skip_value(struct scan *s, const char *p)
{
    switch (*p) {
    case '"':
        return skip_string(s, p);
    case '{':
    case '[':
        if (++s->depth > SCAN_MAX_DEPTH)
            return NULL;
        p = skip_members(s, p + 1, *p == '{');
        s->depth--;
        return p;
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return skip_number(p);
    default:
        return skip_word(p);
    }
}

#endif
