/* What cJSON says of a text, and the comparison of every decoder with that and with
 * each other. Included by the differential runner, the fuzz target and scan_test. */
#ifndef TESTS_SCAN_ORACLE_H
#define TESTS_SCAN_ORACLE_H

#include "base/mem.h"
#include "tests/fuzz/event_dump.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline bool oracle_valid(const char *text, size_t len)
{
    const char *end = NULL;
    cJSON *tree = cJSON_ParseWithLengthOpts(text, len, &end, 0);

    if (!tree)
        return false;
    cJSON_Delete(tree);
    while (end < text + len && (unsigned char)*end <= ' ')
        end++;
    return end == text + len;
}

/* Whether decoding kept the one line of the batch as JSON. */
static inline bool batch_took_json(const struct event_batch *b)
{
    for (size_t i = 0; i < b->n_damage; i++) {
        enum line_damage kind = b->damage[i].kind;

        if (kind == DAMAGE_NOT_JSON || kind == DAMAGE_TORN || kind == DAMAGE_EMPTY ||
            kind == DAMAGE_BARE_NAN)
            return false;
    }
    return true;
}

struct oracle {
    struct event_batch
        batch[8]; /* one per decoder, so that what one learns stays its own */
    struct strbuf dump, first;
    uint64_t asked, accepted;
};

static inline void oracle_release(struct oracle *o)
{
    for (size_t i = 0; i < ARRAY_LEN(o->batch); i++)
        event_batch_release(&o->batch[i]);
    strbuf_release(&o->dump);
    strbuf_release(&o->first);
}

/* Whether a decoder that has learnt nothing yet yields what `first` holds. */
static inline bool oracle_same_fresh(struct oracle *o, const char *text, size_t len)
{
    struct event_batch fresh = { 0 };

    decode_isa_best()->lines(text, len, true, &fresh);
    strbuf_reset(&o->dump);
    dump_batch(&o->dump, &fresh);
    event_batch_release(&fresh);
    return sv_eq(strbuf_sv(&o->first), strbuf_sv(&o->dump));
}

/* NULL where all agree on the bytes, else what went wrong. */
static inline const char *oracle_disagrees(struct oracle *o, const char *bytes,
                                           size_t len)
{
    static char why[200];
    char *text = xmalloc(len + DECODE_PADDING); /* of its own: asan sees steps too far */
    bool one_line = memchr(bytes, '\n', len) == NULL, want, any = false;
    const char *bad = NULL;

    memcpy(text, bytes, len);
    memset(text + len, '"', DECODE_PADDING); /* tempting, if taken for text */
    want = oracle_valid(text, len);
    o->accepted += want;
    for (size_t i = 0; decode_isas[i] && !bad; i++) {
        const struct decode_isa *isa = decode_isas[i];
        struct event_batch *b = &o->batch[i];

        if (!isa->supported())
            continue;
        if (isa->valid(text, len) != want) {
            snprintf(why, sizeof why, "%s: valid() says %d, cJSON %d", isa->name, !want,
                     want);
            bad = why;
            break;
        }
        event_batch_reset(b);
        isa->lines(text, len, true, b);
        if (one_line && len && batch_took_json(b) != want) {
            snprintf(why, sizeof why, "%s: lines() says %d, cJSON %d", isa->name, !want,
                     want);
            bad = why;
        }
        strbuf_reset(&o->dump);
        dump_batch(&o->dump, b);
        if (!any) {
            struct strbuf swap = o->first;

            o->first = o->dump;
            o->dump = swap;
            any = true;
        } else if (!sv_eq(strbuf_sv(&o->first), strbuf_sv(&o->dump))) {
            snprintf(why, sizeof why, "%s: other records than the one before", isa->name);
            bad = why;
        }
    }
    if (!bad && o->asked++ % 64 == 0 && !oracle_same_fresh(o, text, len))
        bad = "other records from a decoder that has learnt nothing";
    free(text);
    return bad;
}

#endif
