/* Writing a finding. See finding.h. */
#include "rules/finding.h"

#include "base/units.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* One more element for a list in the arena; room doubles when n is a power of two. */
static void *list_grow(struct arena *a, void *items, size_t n, size_t size)
{
    if (n & (n - 1))
        return items;
    void *more = arena_array(a, n ? 2 * n : 1, size);

    if (n)
        memcpy(more, items, n * size);
    return more;
}

#define LIST_ADD(out, items, n, ...)                                                     \
    do {                                                                                 \
        (items) = list_grow((out)->arena, (items), (n), sizeof *(items));                \
        (items)[(n)++] = __VA_ARGS__;                                                    \
    } while (0)

static const char *print(struct findings *out, const char *fmt, va_list args)
{
    va_list again;

    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (len < 0)
        return "";
    char *text = arena_bytes(out->arena, (size_t)len + 1);

    vsnprintf(text, (size_t)len + 1, fmt, args);
    return text;
}

#define PRINTED(target)                                                                  \
    do {                                                                                 \
        va_list args_;                                                                   \
        va_start(args_, fmt);                                                            \
        (target) = print(out, fmt, args_);                                               \
        va_end(args_);                                                                   \
    } while (0)

static struct finding *newest(struct findings *out)
{
    return &out->items[out->n - 1];
}

struct finding *finding_begin(struct findings *out, const struct rule *rule,
                              const char *fmt, ...)
{
    const char *title;

    PRINTED(title);
    LIST_ADD(out, out->items, out->n,
             (struct finding){ .rule = rule,
                               .title = title,
                               .cause = "",
                               .text = "",
                               .basis = BASIS_MEASURED,
                               .confidence = CONFIDENCE_MEDIUM });
    return newest(out);
}

void finding_cause(struct findings *out, const char *fmt, ...)
{
    PRINTED(newest(out)->cause);
}

void finding_job(struct findings *out, int64_t job_id)
{
    struct finding *f = newest(out);

    for (size_t i = f->n_jobs; i-- > 0;)
        if (f->job_ids[i] == job_id)
            return;
    LIST_ADD(out, f->job_ids, f->n_jobs, job_id);
}

void finding_sql(struct findings *out, int64_t execution_id)
{
    struct finding *f = newest(out);

    if (execution_id == APP_NONE)
        return;
    for (size_t i = f->n_sqls; i-- > 0;)
        if (f->sql_ids[i] == execution_id)
            return;
    LIST_ADD(out, f->sql_ids, f->n_sqls, execution_id);
}

void finding_stage(struct findings *out, const struct app *app, uint32_t stage_ix)
{
    struct finding *f = newest(out);
    const struct stage *s = &app->stages[stage_ix];

    for (size_t i = f->n_stages; i-- > 0;)
        if (f->stage_ixs[i] == stage_ix)
            return;
    LIST_ADD(out, f->stage_ixs, f->n_stages, stage_ix);
    if (s->ran_for_job_ix != IX_NONE)
        finding_job(out, app->jobs[s->ran_for_job_ix].job_id);
    finding_sql(out, s->sql_execution_id);
}

void finding_executor(struct findings *out, struct sv executor_id)
{
    struct finding *f = newest(out);

    for (size_t i = f->n_executors; i-- > 0;)
        if (sv_eq(f->executor_ids[i], executor_id))
            return;
    LIST_ADD(out, f->executor_ids, f->n_executors, executor_id);
}

void finding_number(struct findings *out, const char *key, double number)
{
    struct finding *f = newest(out);

    LIST_ADD(out, f->evidence, f->n_evidence,
             (struct evidence){ .key = key, .number = number });
}

void finding_word(struct findings *out, const char *key, const char *fmt, ...)
{
    struct finding *f = newest(out);
    const char *text;

    PRINTED(text);
    LIST_ADD(out, f->evidence, f->n_evidence,
             (struct evidence){ .key = key, .is_text = true, .text = sv(text) });
}

static int64_t share_of(int64_t ms, double share)
{
    double part = (double)ms * share;

    return part <= 0 ? 0 : part >= (double)ms ? ms : whole(part);
}

void finding_claim(struct findings *out, const struct ledgers *l, uint32_t stage_ix,
                   enum wall_entry entry, double low, double expected, double high)
{
    struct finding *f = newest(out);
    int64_t held =
        stage_ix == IX_NONE ? l->wall_ms[entry] : ledger_stage_ms(l, stage_ix, entry);

    if (held <= 0)
        return;
    LIST_ADD(out, f->claims, f->n_claims,
             (struct claim){ stage_ix, entry, share_of(held, low),
                             share_of(held, expected), share_of(held, high) });
}

void finding_set(struct findings *out, const char *key, const char *fmt, ...)
{
    struct finding *f = newest(out);
    const char *value;

    PRINTED(value);
    LIST_ADD(out, f->settings.items, f->settings.n, (struct kv){ sv(key), sv(value) });
}

void finding_hint(struct findings *out, const char *sql)
{
    struct finding *f = newest(out);

    LIST_ADD(out, f->sql, f->n_sql, sql);
}

void finding_code(struct findings *out, const char *code)
{
    struct finding *f = newest(out);

    LIST_ADD(out, f->code, f->n_code, code);
}

void finding_advice(struct findings *out, const char *fmt, ...)
{
    PRINTED(newest(out)->text);
}

void finding_risk(struct findings *out, const char *fmt, ...)
{
    PRINTED(newest(out)->risk);
}

void finding_verify(struct findings *out, const char *fmt, ...)
{
    PRINTED(newest(out)->verify);
}

static const char *kept(struct findings *out, struct strbuf *b)
{
    struct sv copy = arena_sv(out->arena, strbuf_sv(b));

    strbuf_release(b);
    return copy.p ? copy.p : "";
}

const char *words_bytes(struct findings *out, int64_t bytes)
{
    struct strbuf b = { 0 };

    units_bytes(&b, bytes);
    return kept(out, &b);
}

const char *words_ms(struct findings *out, int64_t ms)
{
    struct strbuf b = { 0 };

    units_ms(&b, ms);
    return kept(out, &b);
}

const char *words_count(struct findings *out, int64_t n)
{
    struct strbuf b = { 0 };

    units_count(&b, n);
    return kept(out, &b);
}

const char *words_clean(struct findings *out, struct sv text, size_t max_chars)
{
    struct strbuf b = { 0 };

    utf8_clean(&b, sv_trim(text), max_chars);
    return kept(out, &b);
}

const char *words_setting(struct findings *out, int64_t bytes)
{
    int64_t mib = bytes / (1 << 20) + (bytes % (1 << 20) != 0);

    if (mib >= 16 * 1024)
        return arena_printf(out->arena, "%" PRId64 "g", (mib + 1023) / 1024);
    return arena_printf(out->arena, "%" PRId64 "m", max_i64(mib, 1));
}
