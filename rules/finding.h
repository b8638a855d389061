/* Writing a finding: each function adds to the newest one of the list.
 *
 * finding_begin opens it; the rest fill it in, in any order. Text is copied into
 * the list's arena; formats are printf's. */
#ifndef RULES_FINDING_H
#define RULES_FINDING_H

#include "rules/rule.h"

/* Confidence is medium and basis "measured" until said otherwise. */
struct finding *finding_begin(struct findings *out, const struct rule *rule,
                              const char *title, ...) PRINTF_LIKE(3, 4);
void finding_cause(struct findings *out, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Where: a stage brings its job and its SQL execution. Twice the same counts once. */
void finding_stage(struct findings *out, const struct app *app, uint32_t stage_ix);
void finding_job(struct findings *out, int64_t job_id);
void finding_sql(struct findings *out, int64_t execution_id); /* APP_NONE: nothing */
void finding_executor(struct findings *out, struct sv executor_id);

/* Evidence: the unit is in the key. */
void finding_number(struct findings *out, const char *key, double number);
void finding_word(struct findings *out, const char *key, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Claims shares of what the ledger holds under the entry for the stage (IX_NONE:
 * the application). Nothing is added where the entry is empty. */
void finding_claim(struct findings *out, const struct ledgers *l, uint32_t stage_ix,
                   enum wall_entry entry, double low, double expected, double high);

/* Remedy. */
void finding_set(struct findings *out, const char *key, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
void finding_hint(struct findings *out, const char *sql);
void finding_code(struct findings *out, const char *code);
void finding_advice(struct findings *out, const char *fmt, ...) PRINTF_LIKE(2, 3);
void finding_risk(struct findings *out, const char *fmt, ...) PRINTF_LIKE(2, 3);
void finding_verify(struct findings *out, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A whole number, held at the ends of int64. Logs are not trusted: sums of what they
 * say may be past any end. */
static inline int64_t whole(double value)
{
    return value >= 9.2e18    ? INT64_MAX
           : value <= -9.2e18 ? INT64_MIN
           : value == value   ? (int64_t)value
                              : 0;
}

/* Numbers as people read them, in the list's arena. */
const char *words_bytes(struct findings *out, int64_t bytes);
const char *words_ms(struct findings *out, int64_t ms);
const char *words_count(struct findings *out, int64_t n);
/* Text of a log, fit for one line. */
const char *words_clean(struct findings *out, struct sv text, size_t max_chars);
/* "512m", "24g": a size as Spark's settings take it, rounded up to whole MiB or, from
 * 16 GiB on, GiB. */
const char *words_setting(struct findings *out, int64_t bytes);

#endif
