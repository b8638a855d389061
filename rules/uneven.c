/* One task holds up its stage: because it has more data (skew, of a join, of a
 * grouping, of an input file), or although it has not (a straggler).
 *
 * All four rules look at the same stages and share one decision, so that a stage is
 * never accused twice:
 *
 *     slowest task >= 4 x the true median, and >= 1 s     (or 2 x where the tail is long)
 *        its data explains half of what it takes beyond the median, or its data
 *        stands out and its time on a core is as far beyond the median's as its time
 *            the data comes from a shuffle   join / window, grouping, repartition
 *            the data comes from files       unsplittable input
 *        it does not
 *            the slowest *warm* task is a straggler, from 2 s on
 *
 * What can be saved is the stage's `straggler tail` in the ledger: the time in which
 * slots stood empty because nothing of the stage was left to start. A hot task that
 * ran beside the others cost nothing, and then the finding is a note.
 *
 * Not seen: skew spread over many hot keys (no single slow task); work that grows with
 * the square of the rows of a key; stages whose tasks the log lacks. */
#include "rules/uneven.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>

static bool stands_out(const double *p, int64_t ms, double median_ms, int64_t tail_ms)
{
    double ratio = median_ms > 0 ? (double)ms / median_ms : (double)ms;

    if ((double)ms < p[P_MIN_MS])
        return false;
    return ratio >= p[P_RATIO] ||
           (ratio >= p[P_LONG_RATIO] && (double)tail_ms >= p[P_LONG_TAIL]);
}

/* Does its data stand out as its time does? out->explained is set either way. */
static bool data_stands_out(const double *p, const struct shape *sh, struct suspect *out)
{
    double wanted = p[P_DATA_RATIO];
    double ratio = (double)out->task_ms / (sh->median_ms > 0 ? sh->median_ms : 1);

    if (ratio < p[P_RATIO]) /* a long tail: data need not stand out further than time */
        wanted = p[P_LONG_RATIO];
    out->data_ratio = shape_data_ratio(sh, out->of, &out->data);
    out->explained = shape_explained(sh, out->task_ms, out->data_ratio);
    return out->data_ratio >= wanted;
}

static bool data_explains(const double *p, const struct shape *sh, struct suspect *out)
{
    return data_stands_out(p, sh, out) && out->explained >= p[P_EXPLAINED];
}

/* Whether the slow task worked that much more: its CPU time over the median's is at
 * least half of what its time is. Then it is no straggler: it had costlier rows. */
static bool worked_more(const struct stage *s, const struct suspect *sus,
                        double median_ms)
{
    uint32_t n = s->task.n;
    int64_t *cpu = xmalloc(mem_product(n, sizeof *cpu));
    uint32_t k = 0;

    for (uint32_t row = 0; row < n; row++)
        if (task_state(&s->task, row) == TASK_SUCCESS)
            cpu[k++] = task_metric(&s->task, row, METRIC_CPU_NS);
    double median_cpu = (double)quantiles_of(cpu, k).value[Q_MEDIAN];
    double own_cpu = (double)task_metric(&s->task, sus->row, METRIC_CPU_NS);

    free(cpu);
    if (own_cpu < 0.25e6 * (double)sus->task_ms || median_cpu <= 0)
        return false; /* under a quarter of its time on a core: it waited */
    return own_cpu / median_cpu >= 0.5 * (double)sus->task_ms / median_ms;
}

/* A stage with fewer tasks than slots has no tail in the ledger: all it leaves empty
 * is `too few tasks`. What of that the slowest task costs: its time beyond the 75th
 * percentile. */
static int64_t alone_ms(const struct ledgers *l, const struct shape *sh, uint32_t ix)
{
    return min_i64(ledger_stage_ms(l, ix, WALL_TOO_FEW_TASKS), sh->max_ms - sh->p75_ms);
}

static enum uneven judge(const struct rule_input *in, uint32_t ix, struct suspect *out)
{
    const struct stage *s = &in->app->stages[ix];
    const struct shape *sh = &in->shapes[ix];
    const struct ledgers *l = &in->analysis->ledgers;
    const double *p = in->params;

    if (!sh->detailed || sh->n < (uint32_t)p[P_MIN_TASKS])
        return UNEVEN_NO;
    *out = (struct suspect){ .stage_ix = ix,
                             .row = sh->max_row,
                             .task_ms = sh->max_ms,
                             .tail_ms = ledger_stage_ms(l, ix, WALL_STRAGGLER_TAIL) +
                                        alone_ms(l, sh, ix),
                             .of = sh->data_hot };
    /* sorts and spills grow faster than their rows: then the time on a core tells */
    if (stands_out(p, sh->max_ms, sh->median_ms, out->tail_ms) &&
        data_stands_out(p, sh, out) &&
        (out->explained >= p[P_EXPLAINED] || worked_more(s, out, sh->median_ms))) {
        if (out->data == DATA_INPUT_BYTES || out->data == DATA_INPUT_ROWS)
            return UNEVEN_INPUT;
        out->use = stage_shuffle_use(in->app, &in->analysis->lineage, s, &out->node);
        return out->use == USE_JOIN ? UNEVEN_JOIN : UNEVEN_GROUPING;
    }
    if (sh->warm_row == IX_NONE)
        return UNEVEN_NO;
    out->row = sh->warm_row;
    out->task_ms = sh->warm_max_ms;
    out->of = sh->data_warm;
    if (!stands_out(p, out->task_ms, sh->median_ms, out->tail_ms) ||
        data_explains(p, sh, out) || out->explained >= p[P_EXPLAINED] ||
        worked_more(s, out, sh->median_ms))
        return UNEVEN_NO;
    return UNEVEN_STRAGGLER;
}

static int by_tail(const void *a, const void *b)
{
    const struct suspect *x = a, *y = b;

    if (x->tail_ms != y->tail_ms)
        return x->tail_ms > y->tail_ms ? -1 : 1;
    if (x->task_ms != y->task_ms)
        return x->task_ms > y->task_ms ? -1 : 1;
    return x->stage_ix < y->stage_ix ? -1 : x->stage_ix > y->stage_ix;
}

/* All stages of one kind, worst first; in the findings' arena. */
static struct suspect *suspects(const struct rule_input *in, struct findings *out,
                                enum uneven kind, size_t *n, bool *judged)
{
    struct suspect *list = NULL;
    size_t cap = 0;
    int64_t span_ms = 0;

    *n = 0;
    *judged = false;
    for (uint32_t ix = 0; ix < in->app->n_stages; ix++) {
        struct suspect one;

        *judged |= in->shapes[ix].n > 0;
        if (judge(in, ix, &one) != kind)
            continue;
        GROW(list, *n, cap);
        one.kind = kind;
        list[(*n)++] = one;
        span_ms = add_sat(span_ms, shape_span_ms(&in->shapes[ix]));
    }
    if (*n == 0 || (double)span_ms < in->params[P_STAGE_SHARE] *
                                         (double)in->analysis->ledgers.wall_total_ms) {
        *n = 0;
        free(list);
        return NULL;
    }
    qsort(list, *n, sizeof *list, by_tail);
    struct suspect *kept = arena_array(out->arena, *n, sizeof *kept);

    memcpy(kept, list, *n * sizeof *kept);
    free(list);
    return kept;
}

/* --- what all kinds say ------------------------------------------------------ */

const char *uneven_data_words(struct findings *out, const struct suspect *sus,
                              double value)
{
    if (sus->data == DATA_SHUFFLE_ROWS || sus->data == DATA_INPUT_ROWS)
        return arena_printf(out->arena, "%s rows", words_count(out, whole(value)));
    return words_bytes(out, whole(value));
}

static void evidence(const struct rule_input *in, struct findings *out,
                     const struct suspect *list, size_t n)
{
    const struct suspect *w = &list[0];
    const struct stage *s = &in->app->stages[w->stage_ix];
    const struct shape *sh = &in->shapes[w->stage_ix];
    int64_t index = task_field(&s->task, w->row, TASK_INDEX);

    finding_number(out, "stage_id", (double)s->stage_id);
    finding_number(out, "tasks", sh->n);
    finding_number(out, "slow_task_index", (double)index);
    finding_number(out, "slow_task_ms", (double)w->task_ms);
    finding_number(out, "median_task_ms", sh->median_ms);
    finding_number(out, "time_ratio",
                   sh->median_ms > 0 ? (double)w->task_ms / sh->median_ms : 0);
    if (w->data == DATA_SHUFFLE_BYTES || w->data == DATA_SHUFFLE_ROWS) {
        finding_number(out, "slow_task_shuffle_read_bytes", w->of[DATA_SHUFFLE_BYTES]);
        finding_number(out, "median_shuffle_read_bytes",
                       sh->data_median[DATA_SHUFFLE_BYTES]);
        finding_number(out, "slow_task_shuffle_read_rows", w->of[DATA_SHUFFLE_ROWS]);
        finding_number(out, "median_shuffle_read_rows",
                       sh->data_median[DATA_SHUFFLE_ROWS]);
    } else if (w->data != DATA_NONE) {
        finding_number(out, "slow_task_input_bytes", w->of[DATA_INPUT_BYTES]);
        finding_number(out, "median_input_bytes", sh->data_median[DATA_INPUT_BYTES]);
    }
    finding_number(out, "lost_to_slow_task_ms", (double)w->tail_ms);
    if (n > 1)
        finding_number(out, "stages_affected", (double)n);
}

/* Places and claims of up to n stages. The tail goes as far as the task can be cut:
 * expect four fifths, for no cut is even. */
static void claims(const struct rule_input *in, struct findings *out,
                   const struct suspect *list, size_t n, double low, double expected)
{
    const struct ledgers *l = &in->analysis->ledgers;

    for (size_t i = 0; i < n; i++) {
        uint32_t ix = list[i].stage_ix;
        double few = (double)ledger_stage_ms(l, ix, WALL_TOO_FEW_TASKS);
        double alone = few > 0 ? (double)alone_ms(l, &in->shapes[ix], ix) / few : 0;

        finding_claim(out, l, ix, WALL_TOO_FEW_TASKS, low * alone, expected * alone,
                      alone);
        finding_stage(out, in->app, list[i].stage_ix);
        finding_claim(out, &in->analysis->ledgers, list[i].stage_ix, WALL_STRAGGLER_TAIL,
                      low, expected, 1);
    }
}

/* Up to this many stages get a finding each; more are one finding with the worst. */
#define SEPARATE_LIMIT 3

/* What holds up a stage, for the title. */
static const char *const culprits[] = { [UNEVEN_NO] = "",
                                        [UNEVEN_JOIN] = "A hot join key",
                                        [UNEVEN_GROUPING] = "A hot key",
                                        [UNEVEN_INPUT] = "One large piece of input",
                                        [UNEVEN_STRAGGLER] = "A slow task" };

enum rule_answer uneven_check(const struct rule_input *in, struct findings *out,
                              enum uneven kind, uneven_say *say, double low,
                              double expected)
{
    size_t n;
    bool judged;
    struct suspect *list = suspects(in, out, kind, &n, &judged);
    size_t each = n > SEPARATE_LIMIT ? n : 1;

    for (size_t i = 0; i < n; i += each) {
        if (each == 1)
            finding_begin(out, in->rule, "%s holds up stage %" PRId64, culprits[kind],
                          in->app->stages[list[i].stage_ix].stage_id);
        else
            finding_begin(out, in->rule, "%s holds up each of %zu stages", culprits[kind],
                          n);
        claims(in, out, list + i, each, low, expected);
        evidence(in, out, list + i, each);
        say(in, out, &list[i]);
    }
    return judged ? RULE_JUDGED : RULE_NO_DATA;
}
