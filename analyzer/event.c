/* Batches of events, and the choice among the decoders. See event.h. */
#include "analyzer/event.h"

#include "base/err.h"

#include <stdlib.h>

void event_batch_reset(struct event_batch *b)
{
    arena_reset(&b->arena);
    b->n = b->n_damage = 0;
    b->lines = 0;
}

void event_batch_release(struct event_batch *b)
{
    arena_release(&b->arena);
    free(b->events);
    free(b->damage);
    free(b->memo);
    *b = (struct event_batch){ 0 };
}

const char *line_damage_name(enum line_damage d)
{
    static const char *const names[DAMAGE_COUNT] = {
        [DAMAGE_NOT_JSON] = "not JSON",
        [DAMAGE_NO_EVENT] = "no event",
        [DAMAGE_FIELDS] = "fields missing",
        [DAMAGE_EMPTY] = "empty lines",
        [DAMAGE_NUL] = "NUL bytes",
        [DAMAGE_CRLF] = "CRLF line ends",
        [DAMAGE_BOM] = "byte order mark",
        [DAMAGE_UTF8] = "not UTF-8",
        [DAMAGE_DUPLICATE_KEY] = "duplicate keys",
        [DAMAGE_BARE_NAN] = "NaN or Infinity as numbers",
        [DAMAGE_TORN] = "torn last line",
        [DAMAGE_TOO_LONG] = "too long",
    };

    return names[d];
}

extern const struct decode_isa decode_isa_portable;
#ifdef __x86_64__
/* For scan_vec.h, which says why they are here. */
#define BYTES_4(c) c, c, c, c
#define BYTES_16(c)                                                                      \
    {                                                                                    \
        BYTES_4(c), BYTES_4(c), BYTES_4(c), BYTES_4(c)                                   \
    }
extern const int8_t vec_constants[3][16];
_Alignas(16) const int8_t vec_constants[3][16] = {
    BYTES_16(0x80 - '0'), /* added, makes '0' the lowest signed number */
    BYTES_16(9 - 0x80),   /* the tenth of them */
    BYTES_16(-'0'),
};
extern const struct decode_isa decode_isa_sse42, decode_isa_avx2, decode_isa_avx512;
#endif

const struct decode_isa *const decode_isas[] = {
#ifdef __x86_64__
    &decode_isa_avx512,   &decode_isa_avx2,
    &decode_isa_sse42,
#endif
    &decode_isa_portable, NULL,
};

const struct decode_isa *decode_isa_best(void)
{
    const char *wanted = getenv("SPILLWAY_ISA");

    for (size_t i = 0; wanted && decode_isas[i]; i++)
        if (sv_is(sv(wanted), decode_isas[i]->name) && decode_isas[i]->supported())
            return decode_isas[i];
    for (size_t i = 0; decode_isas[i]; i++)
        if (decode_isas[i]->supported())
            return decode_isas[i];
    return &decode_isa_portable;
}
