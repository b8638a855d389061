/* String views: a pointer and a length, borrowed, not NUL-terminated.
 * Text from logs may hold any byte, NUL and broken UTF-8 included. */
#ifndef BASE_SV_H
#define BASE_SV_H

#include "base/util.h"

#include <string.h>

struct sv {
    const char *p; /* NULL: absent, which is not the same as empty */
    size_t len;
};

#define SV(literal) ((struct sv){ "" literal, sizeof(literal) - 1 })
#define SV_FMT(s) (int)((s).len > 4096 ? 4096 : (s).len), ((s).p ? (s).p : "")

static inline struct sv sv(const char *z)
{
    return (struct sv){ z, z ? strlen(z) : 0 };
}

static inline bool sv_eq(struct sv a, struct sv b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static inline bool sv_is(struct sv a, const char *z)
{
    return sv_eq(a, sv(z));
}

static inline bool sv_starts(struct sv s, struct sv prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.p, prefix.p, prefix.len) == 0);
}

static inline bool sv_ends(struct sv s, struct sv suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.p + s.len - suffix.len, suffix.p, suffix.len) == 0);
}

/* The part of s from byte `from` on; empty where s is shorter. */
static inline struct sv sv_from(struct sv s, size_t from)
{
    if (!s.p)
        return s;
    return from >= s.len ? (struct sv){ s.p + s.len, 0 } : (struct sv){ s.p + from, s.len - from };
}

/* Equal but for ASCII case. */
bool sv_eq_nocase(struct sv a, struct sv b);
/* Order by bytes, shorter first where one begins the other. */
int sv_cmp(struct sv a, struct sv b);
/* Position of needle in s, or SIZE_MAX. */
size_t sv_find(struct sv s, struct sv needle);
bool sv_has(struct sv s, const char *needle);
/* As sv_has, without regard to ASCII case. */
bool sv_has_nocase(struct sv s, const char *needle);
/* Without blanks and control characters at both ends. */
struct sv sv_trim(struct sv s);
/* A whole decimal number with optional sign, nothing else. False: not one, or too large. */
bool sv_i64(struct sv s, int64_t *out);
/* The first line, without its end. */
struct sv sv_first_line(struct sv s);
uint64_t sv_hash(struct sv s);

#endif
