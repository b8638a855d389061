/* Any bytes as the stored bytes of a log: detection and every codec. */
#include "analyzer/source.h"

#include "base/err.h"

#include <stdlib.h>

/* Enough for every path; a bomb is only stopped sooner. */
#define TEXT_MAX ((size_t)4 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads with buffers of one size. The sum over the text. */
static uint64_t read_by(const uint8_t *data, size_t size, size_t step, size_t *all)
{
    static char buf[100000];
    struct decoder *d = decoder_open_memory(data, size);
    uint64_t sum = 0;
    size_t got;

    *all = 0;
    while (*all < TEXT_MAX && decoder_read(d, buf, step, &got, NULL) == NEXT_ITEM) {
        if (!got || got > step)
            abort();
        for (size_t i = 0; i < got; i++)
            sum = sum * 31 + (unsigned char)buf[i];
        *all += got;
    }
    const struct decode_damage *damage = decoder_damage(d);
    if (damage->at_byte < 0 || damage->at_byte > (int64_t)size ||
        decoder_consumed(d) > (int64_t)size)
        abort();
    decoder_close(d);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t n_large, n_small;
    uint64_t large = read_by(data, size, 100000, &n_large);
    uint64_t small = read_by(data, size, 997, &n_small);

    /* What can be read does not depend on how it is asked for. */
    if (n_large < TEXT_MAX && (n_large != n_small || large != small))
        abort();
    return 0;
}
