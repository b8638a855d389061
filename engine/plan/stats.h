/* Size estimates without ANALYZE: only sizeInBytes is carried, by Spark's formulas
 * (planner reference, section 2). Big numbers: products of joins pass 64 bits by far. */
#ifndef ENGINE_PLAN_STATS_H
#define ENGINE_PLAN_STATS_H

#include "engine/plan/plan.h"

/* An unsigned integer of up to 512 bits; larger results stay at the largest. */
struct bignum {
    uint64_t limb[8]; /* least first */
};

struct bignum bignum_of(uint64_t x);
struct bignum bignum_add(struct bignum a, struct bignum b);
struct bignum bignum_mul(struct bignum a, struct bignum b);
struct bignum bignum_div(struct bignum a, uint64_t by);
int bignum_cmp(struct bignum a, struct bignum b);
void bignum_print(struct strbuf *out, struct bignum x); /* decimal */

struct estimate {
    struct bignum bytes;
    bool has_rows;
    bool runtime; /* measured: a stage that ran, filters above it at most */
    struct bignum rows;
};

struct settings;
struct estimate plan_estimate(struct arena *a, struct plan *p, const struct settings *s);
/* 8 + the default sizes of the columns. */
int64_t row_bytes_of(const struct exprs *output);

#endif
