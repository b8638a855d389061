/* Searching, comparing and parsing of string views. See sv.h. */
#include "base/sv.h"

#include <ctype.h>

bool sv_eq_nocase(struct sv a, struct sv b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (tolower((unsigned char)a.p[i]) != tolower((unsigned char)b.p[i]))
            return false;
    return true;
}

int sv_cmp(struct sv a, struct sv b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.p, b.p, n) : 0;

    if (c)
        return c;
    return a.len < b.len ? -1 : a.len > b.len;
}

size_t sv_find(struct sv s, struct sv needle)
{
    if (needle.len == 0)
        return 0;
    for (size_t i = 0; i + needle.len <= s.len; i++) {
        const char *hit = memchr(s.p + i, needle.p[0], s.len - needle.len - i + 1);

        if (!hit)
            break;
        i = (size_t)(hit - s.p);
        if (memcmp(hit, needle.p, needle.len) == 0)
            return i;
    }
    return SIZE_MAX;
}

bool sv_has(struct sv s, const char *needle)
{
    return sv_find(s, sv(needle)) != SIZE_MAX;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool sv_has_nocase(struct sv s, const char *needle)
{
    size_t n = strlen(needle);

    for (size_t i = 0; i + n <= s.len; i++) {
        size_t k = 0;

        while (k < n && lower(s.p[i + k]) == lower(needle[k]))
            k++;
        if (k == n)
            return true;
    }
    return false;
}

struct sv sv_trim(struct sv s)
{
    while (s.len && (unsigned char)s.p[0] <= ' ')
        s.p++, s.len--;
    while (s.len && (unsigned char)s.p[s.len - 1] <= ' ')
        s.len--;
    return s;
}

bool sv_i64(struct sv s, int64_t *out)
{
    bool negative = s.len && s.p[0] == '-';
    int64_t value = 0;

    if (s.len && (s.p[0] == '-' || s.p[0] == '+'))
        s = sv_from(s, 1);
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        int digit = s.p[i] - '0';

        if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, (int64_t)10, &value))
            return false;
        if (negative ? __builtin_sub_overflow(value, (int64_t)digit, &value)
                     : __builtin_add_overflow(value, (int64_t)digit, &value))
            return false;
    }
    *out = value;
    return true;
}

struct sv sv_first_line(struct sv s)
{
    const char *nl = s.len ? memchr(s.p, '\n', s.len) : NULL;

    if (nl)
        s.len = (size_t)(nl - s.p);
    while (s.len && s.p[s.len - 1] == '\r')
        s.len--;
    return s;
}

/* Eight bytes a step, multiplied by an odd constant and folded. Only the quality
 * for hash tables matters; nothing is stored. */
uint64_t sv_hash(struct sv s)
{
    uint64_t h = 0x9E3779B97F4A7C15u ^ (s.len * 0xA0761D6478BD642Fu);

    for (size_t i = 0; i < s.len; i += 8) {
        uint64_t word = 0;

        memcpy(&word, s.p + i, s.len - i < 8 ? s.len - i : 8);
        h = (h ^ word) * 0xE7037ED1A0B428DBu;
        h ^= h >> 29;
    }
    h *= 0x94D049BB133111EBu;
    return h ^ (h >> 32);
}
