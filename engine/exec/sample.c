/* Sample: each row by a throw of Spark's random numbers, so that the same seed takes the
 * same rows: XORShiftRandom, seeded with the partition's number added. */
#include "engine/exec/list.h"

struct sample {
    uint64_t seed;
    uint32_t sel[BATCH_ROWS];
};

static uint32_t rotate(uint32_t x, int by)
{
    return x << by | x >> (32 - by);
}

/* Scala's MurmurHash3 of the eight bytes of a long, the highest first. */
static uint32_t murmur_bytes(uint64_t x, uint32_t h)
{
    uint64_t swapped = __builtin_bswap64(x);

    for (int i = 0; i < 2; i++) {
        uint32_t k = (uint32_t)(swapped >> (32 * i)) * 0xcc9e2d51u;

        h ^= rotate(k, 15) * 0x1b873593u;
        h = rotate(h, 13) * 5 + 0xe6546b64u;
    }
    h ^= 8;
    h = (h ^ h >> 16) * 0x85ebca6bu;
    h = (h ^ h >> 13) * 0xc2b2ae35u;
    return h ^ h >> 16;
}

static uint64_t spread(uint64_t seed)
{
    uint32_t low = murmur_bytes(seed, 0x3c074a61u), high = murmur_bytes(seed, low);

    return (uint64_t)high << 32 | low;
}

static uint64_t next_bits(struct sample *s, int bits)
{
    uint64_t x = s->seed;

    x ^= x << 21;
    x ^= x >> 35;
    x ^= x << 4;
    s->seed = x;
    return x & ((UINT64_C(1) << bits) - 1);
}

static double next_double(struct sample *s)
{
    uint64_t high = next_bits(s, 26);

    return (double)((high << 27) + next_bits(s, 27)) * 0x1.0p-53;
}

static enum errc sample_open(struct op *op, struct err *err)
{
    struct sample *s = op->state;

    (void)err;
    s->seed = spread((uint64_t)op->node->seed + op->partition);
    return ERR_OK;
}

static enum op_step sample_next(struct op *op, struct batch *out, struct err *err)
{
    struct sample *s = op->state;
    double lower = op->node->lower, upper = op->node->upper;

    for (;;) {
        enum op_step step = op_next(op->children[0], out, err);
        uint32_t n = 0;

        if (step != OP_BATCH)
            return step;
        if (upper <= lower)
            continue;
        for (uint32_t i = 0; i < out->n_sel; i++) {
            double x = next_double(s);

            s->sel[n] = batch_row(out, i);
            n += x >= lower && x < upper;
        }
        if (n == 0)
            continue;
        out->sel = s->sel;
        out->n_sel = n;
        return OP_BATCH;
    }
}

const struct op_class op_sample = {
    .kind = PHYS_SAMPLE,
    .state_size = sizeof(struct sample),
    .open = sample_open,
    .next = sample_next,
    .counts_rows = true,
};
