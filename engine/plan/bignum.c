/* Unsigned integers of 512 bits for size estimates, schoolbook arithmetic. Spark's are
 * unbounded; ours stay at the largest once they are there, which only comparisons with
 * thresholds see. */
#include "engine/plan/stats.h"

enum { LIMBS = 8 };

static struct bignum largest(void)
{
    struct bignum x;

    memset(&x, 0xff, sizeof x);
    return x;
}

struct bignum bignum_of(uint64_t x)
{
    return (struct bignum){ { x } };
}

struct bignum bignum_add(struct bignum a, struct bignum b)
{
    u128 carry = 0;

    for (size_t i = 0; i < LIMBS; i++) {
        carry += (u128)a.limb[i] + b.limb[i];
        a.limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
    return carry ? largest() : a;
}

struct bignum bignum_mul(struct bignum a, struct bignum b)
{
    struct bignum out = { { 0 } };

    for (size_t i = 0; i < LIMBS; i++) {
        u128 carry = 0;

        if (!a.limb[i])
            continue;
        for (size_t k = 0; k < LIMBS; k++) {
            if (i + k >= LIMBS) {
                if (b.limb[k] || carry)
                    return largest();
                continue;
            }
            carry += (u128)a.limb[i] * b.limb[k] + out.limb[i + k];
            out.limb[i + k] = (uint64_t)carry;
            carry >>= 64;
        }
        if (carry)
            return largest();
    }
    return out;
}

static uint64_t divide(struct bignum *a, uint64_t by)
{
    u128 rest = 0;

    for (size_t i = LIMBS; i-- > 0;) {
        rest = rest << 64 | a->limb[i];
        a->limb[i] = (uint64_t)(rest / by);
        rest %= by;
    }
    return (uint64_t)rest;
}

struct bignum bignum_div(struct bignum a, uint64_t by)
{
    divide(&a, by);
    return a;
}

int bignum_cmp(struct bignum a, struct bignum b)
{
    for (size_t i = LIMBS; i-- > 0;)
        if (a.limb[i] != b.limb[i])
            return a.limb[i] < b.limb[i] ? -1 : 1;
    return 0;
}

void bignum_print(struct strbuf *out, struct bignum x)
{
    char text[160];
    size_t at = sizeof text;

    do {
        text[--at] = (char)('0' + divide(&x, 10));
    } while (bignum_cmp(x, bignum_of(0)));
    strbuf_add(out, (struct sv){ text + at, sizeof text - at });
}
