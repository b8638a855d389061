/* Small things every module needs: array lengths, attributes, integer helpers. */
#ifndef BASE_UTIL_H
#define BASE_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args), nonnull(fmt)))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* The outcome of one step of a stream. */
enum next { NEXT_ITEM, NEXT_END, NEXT_FAIL };

static inline int64_t min_i64(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t max_i64(int64_t a, int64_t b) { return a > b ? a : b; }

/* Sums that would pass the end of int64 stay at the end: logs are not trusted. */
static inline int64_t add_sat(int64_t a, int64_t b)
{
    int64_t sum;

    if (!__builtin_add_overflow(a, b, &sum))
        return sum;
    return b > 0 ? INT64_MAX : INT64_MIN;
}

/* a - b, held at the ends of int64 likewise. */
static inline int64_t sub_sat(int64_t a, int64_t b)
{
    int64_t diff;

    if (!__builtin_sub_overflow(a, b, &diff))
        return diff;
    return b < 0 ? INT64_MAX : INT64_MIN;
}

#endif
