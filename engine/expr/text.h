/* What text functions share: characters of UTF-8, bytes of results. For func_*.c only.
 *
 * A character is what its first byte says, as in Spark's UTF8String; a byte that begins
 * none counts as one. */
#ifndef ENGINE_EXPR_TEXT_H
#define ENGINE_EXPR_TEXT_H

#include "engine/expr/kernel.h"

/* -1: none. */
static inline int hex_digit(char ch)
{
    if (ch >= '0' && ch <= '9')
        return ch - '0';
    ch = (char)(ch | 32);
    return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

/* Bytes of the character at p, at most as many as are left. */
static inline size_t char_bytes(const char *p, size_t left)
{
    unsigned char c = (unsigned char)*p;
    size_t n = c < 0xc2 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 1;

    return n < left ? n : left;
}

static inline bool is_ascii(struct sv s)
{
    uint64_t word, any = 0;
    size_t i = 0;

    for (; i + 8 <= s.len; i += 8) {
        memcpy(&word, s.p + i, 8);
        any |= word;
    }
    for (; i < s.len; i++)
        any |= (uint64_t)(unsigned char)s.p[i];
    return !(any & UINT64_C(0x8080808080808080));
}

static inline int64_t count_chars(struct sv s)
{
    int64_t n = 0;

    if (is_ascii(s))
        return (int64_t)s.len;
    for (size_t i = 0; i < s.len; n++)
        i += char_bytes(s.p + i, s.len - i);
    return n;
}

/* Offset of character n, or the end. */
static inline size_t char_offset(struct sv s, int64_t n)
{
    size_t i = 0;

    for (; n > 0 && i < s.len; n--)
        i += char_bytes(s.p + i, s.len - i);
    return i;
}

/* Characters from..until of s, clipped to what there is. */
static inline struct sv chars_between(struct sv s, int64_t from, int64_t until)
{
    if (from < 0)
        from = 0;
    if (until <= from)
        return (struct sv){ s.p, 0 };
    if (is_ascii(s)) {
        int64_t len = (int64_t)s.len;

        if (from > len)
            from = len;
        if (until > len)
            until = len;
        return (struct sv){ s.p + from, (size_t)(until - from) };
    }
    size_t start = char_offset(s, from);
    size_t n = char_offset(sv_from(s, start), until - from);
    return (struct sv){ s.p + start, n };
}

/* Room for a result of up to len bytes; text_put says how many it became. */
static inline char *text_room(struct eval_call *c, size_t len)
{
    return arena_bytes(c->text, len ? len : 1);
}

/* A result whose bytes are about to go away. */
static inline void text_copy(struct eval_call *c, uint32_t row, struct sv s)
{
    if (s.len > STR_INLINE) {
        char *p = text_room(c, s.len);

        memcpy(p, s.p, s.len);
        s.p = p;
    }
    text_put(c, row, s);
}

/* Code point of a well-formed character, U+FFFD of anything else. */
uint32_t text_code(struct sv s, size_t *bytes);
size_t text_encode(char *to, uint32_t code);
/* Unicode's simple case mappings. */
uint32_t text_upper(uint32_t code);
uint32_t text_lower(uint32_t code);
/* First place of needle at or after `from`, SIZE_MAX: none. */
size_t text_find(struct sv s, struct sv needle, size_t from);

#endif
