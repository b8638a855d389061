/* Any text as an event log: decoded, applied, and everything derived from it. What
 * must hold for real logs must hold here: both ledgers add up, segments follow each
 * other, no finding claims more than the wall clock. */
#include "analyzer/app_build.h"
#include "analyzer/analysis.h"
#include "rules/rule.h"

#include <stdlib.h>
#include <string.h>

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void check_ledgers(const struct analysis *a)
{
    const struct ledgers *l = &a->ledgers;
    int64_t wall_ms = 0, core_ms = 0, at_ms = a->app.start_ms;

    for (int e = 0; e < WALL_COUNT; e++)
        wall_ms += l->wall_ms[e];
    for (int e = 0; e < CORE_COUNT; e++)
        core_ms += l->core_ms[e];
    must(wall_ms == l->wall_total_ms);
    must(core_ms == l->core_total_ms);
    for (size_t i = 0; i < l->n_segments; i++) {
        const struct segment *s = &l->segments[i];
        int64_t ms = 0;

        must(s->start_ms == at_ms && s->end_ms > s->start_ms);
        for (int e = 0; e < WALL_COUNT; e++)
            ms += s->ms[e];
        must(ms == s->end_ms - s->start_ms);
        at_ms = s->end_ms;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct analysis a = { 0 };
    struct app_builder b = { .app = &a.app };
    struct event_batch batch = { 0 };
    struct findings found = { 0 };
    struct arena arena = { 0 };
    char *text = calloc(size + DECODE_PADDING, 1);

    must(text != NULL);
    memcpy(text, data, size);
    app_builder_init(&b);
    app_builder_part(&b, SV("fuzz"));
    decode_isa_best()->lines(text, size, true, &batch);
    app_builder_apply(&b, &batch, (int64_t)size);
    app_builder_finish(&b);
    analysis_build(&a);
    check_ledgers(&a);
    rules_run(&found, &a, &arena);
    for (size_t i = 0; i < found.n; i++)
        must(!found.items[i].has_saving ||
             (found.items[i].low_ms >= 0 && found.items[i].low_ms <= found.items[i].expected_ms &&
              found.items[i].expected_ms <= found.items[i].high_ms));
    arena_release(&arena);
    analysis_release(&a);
    event_batch_release(&batch);
    free(text);
    return 0;
}
