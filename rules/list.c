/* All rules, and what becomes of their findings: claims are held against the
 * ledger, seconds summed, severities given, the most useful put first.
 *
 * Severity goes by the share of the application's wall time that would go, in the
 * bands of SparkForensics (2 % and 0.5 %), and by a floor in seconds:
 * 2 % of a ten-second run is 0.2 s, and nobody changes a job for that.
 *
 * No second is promised twice. Findings are taken with the largest claim first, notes last;
 * each claim gets what is left of its entry. One that is left with nothing says
 * whose seconds they are ("follows_from"). */
#include "rules/chain.h"
#include "rules/finding.h"
#include "rules/joint.h"
#include "rules/shape.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/units.h"

#include <stdlib.h>

#define CRITICAL_SHARE 0.02
#define CRITICAL_MIN_MS 60000
#define WARNING_SHARE 0.005
#define WARNING_MIN_MS 1000

extern const struct rule rule_skewed_join, rule_skewed_aggregation,
    rule_unsplittable_input, rule_straggler, rule_spill, rule_gc_pressure,
    rule_too_few_partitions, rule_too_many_partitions, rule_scheduling_overhead,
    rule_small_files_read, rule_small_files_write, rule_single_writer, rule_task_failures,
    rule_fetch_failure, rule_executor_loss, rule_job_failure, rule_truncated_log,
    rule_driver_idle_time, rule_idle_executors, rule_missed_broadcast,
    rule_oversized_broadcast, rule_nested_loop_join, rule_row_explosion,
    rule_missing_partition_filter, rule_row_format_scan, rule_unneeded_global_sort,
    rule_distinct_expansion, rule_python_udf, rule_repeated_shuffle, rule_missing_cache,
    rule_unused_cache, rule_cache_eviction, rule_large_driver_result, rule_unsafe_commit,
    rule_unsafe_write, rule_long_lineage;

const struct rule *const rules_all[] = {
    /* skew.c and straggler.c: one task holds up its stage (uneven.c) */
    &rule_skewed_join, &rule_skewed_aggregation, &rule_unsplittable_input,
    &rule_straggler,
    /* memory.c */
    &rule_spill, &rule_gc_pressure,
    /* partitions.c: how the work is cut */
    &rule_too_few_partitions, &rule_too_many_partitions, &rule_scheduling_overhead,
    /* joins.c */
    &rule_missed_broadcast, &rule_oversized_broadcast, &rule_nested_loop_join,
    &rule_row_explosion,
    /* scans.c, rows.c: more read, moved or made than needed */
    &rule_missing_partition_filter, &rule_row_format_scan, &rule_unneeded_global_sort,
    &rule_distinct_expansion, &rule_python_udf,
    /* again.c, caches.c: what is done twice, or kept for nothing */
    &rule_repeated_shuffle, &rule_missing_cache, &rule_unused_cache,
    &rule_cache_eviction,
    /* sinks.c: where results go */
    &rule_large_driver_result, &rule_unsafe_commit,
    /* files.c */
    &rule_small_files_read, &rule_small_files_write, &rule_single_writer,
    /* failures.c */
    &rule_job_failure, &rule_executor_loss, &rule_fetch_failure, &rule_task_failures,
    &rule_truncated_log,
    /* risk.c: what has gone well so far */
    &rule_unsafe_write, &rule_long_lineage,
    /* cluster.c: time in which nothing of the job runs */
    &rule_driver_idle_time, &rule_idle_executors, NULL
};

const struct rule *rule_by_id(struct sv id)
{
    for (const struct rule *const *r = rules_all; *r; r++)
        if (sv_is(id, (*r)->id))
            return *r;
    return NULL;
}

const char *severity_name(enum severity s)
{
    static const char *const names[] = { [SEVERITY_NOTE] = "note",
                                         [SEVERITY_WARNING] = "warning",
                                         [SEVERITY_CRITICAL] = "critical" };

    return names[s];
}

bool severity_parse(struct sv text, enum severity *out)
{
    for (enum severity s = SEVERITY_NOTE; s <= SEVERITY_CRITICAL; s++) {
        if (sv_is(text, severity_name(s))) {
            *out = s;
            return true;
        }
    }
    return false;
}

const char *question_name(enum question q)
{
    static const char *const names[] = { [QUESTION_MOVES] = "moves",
                                         [QUESTION_SPILLS] = "spills",
                                         [QUESTION_FAILS] = "fails",
                                         [QUESTION_SCALES] = "scales",
                                         [QUESTION_FIT] = "fit" };

    return names[q];
}

const char *basis_name(enum basis b)
{
    static const char *const names[] = {
        [BASIS_NONE] = "none", [BASIS_MEASURED] = "measured", [BASIS_REPLAY] = "replay"
    };

    return names[b];
}

const char *confidence_name(enum confidence c)
{
    static const char *const names[] = { [CONFIDENCE_LOW] = "low",
                                         [CONFIDENCE_MEDIUM] = "medium",
                                         [CONFIDENCE_HIGH] = "high" };

    return names[c];
}

/* --- claims ---------------------------------------------------------------- */

struct account {   /* what is left of the ledger's entries */
    struct map at; /* stage_ix * WALL_COUNT + entry -> position in left */
    struct {
        int64_t ms;
        const struct rule *taker; /* whose claim was the first */
    } * left;
    size_t n, cap;
};

static uint32_t account_entry(struct account *a, const struct ledgers *l,
                              uint32_t stage_ix, enum wall_entry entry)
{
    int64_t key =
        (stage_ix == IX_NONE ? -1 : (int64_t)stage_ix) * WALL_COUNT + (int64_t)entry;
    uint32_t at = map_get(&a->at, key);

    if (at != MAP_NONE)
        return at;
    GROW(a->left, a->n, a->cap);
    a->left[a->n].ms =
        stage_ix == IX_NONE ? l->wall_ms[entry] : ledger_stage_ms(l, stage_ix, entry);
    a->left[a->n].taker = NULL;
    map_put(&a->at, key, (uint32_t)a->n);
    return (uint32_t)a->n++;
}

static int64_t claimed_ms(const struct finding *f)
{
    int64_t sum = 0;

    for (size_t i = 0; i < f->n_claims; i++)
        sum = add_sat(sum, f->claims[i].expected_ms);
    return sum;
}

/* Cuts the claims of one finding to what is left, and sums them up. */
static void settle(struct account *a, const struct ledgers *l, struct finding *f)
{
    const struct rule *taker = NULL;
    int64_t wanted = claimed_ms(f);

    for (size_t i = 0; i < f->n_claims; i++) {
        struct claim *c = &f->claims[i];
        uint32_t at = account_entry(a, l, c->stage_ix, c->entry);
        int64_t left = max_i64(a->left[at].ms, 0);

        if (c->expected_ms > left && a->left[at].taker)
            taker = a->left[at].taker;
        c->high_ms = min_i64(c->high_ms, left);
        c->expected_ms = min_i64(c->expected_ms, left);
        c->low_ms = min_i64(c->low_ms, c->expected_ms);
        a->left[at].ms = left - c->expected_ms;
        if (!a->left[at].taker && c->expected_ms > 0)
            a->left[at].taker = f->rule;
        f->low_ms = add_sat(f->low_ms, c->low_ms);
        f->expected_ms = add_sat(f->expected_ms, c->expected_ms);
        f->high_ms = add_sat(f->high_ms, c->high_ms);
    }
    f->has_saving = f->n_claims > 0;
    if (!f->has_saving)
        f->basis = BASIS_NONE;
    if (taker && f->expected_ms < wanted / 2)
        f->follows = taker;
}

/* --- ranking --------------------------------------------------------------- */

static enum severity severity_of(const struct finding *f, int64_t wall_ms)
{
    if (f->note)
        return SEVERITY_NOTE;
    enum severity least = f->fault ? SEVERITY_WARNING : SEVERITY_NOTE;
    double share = wall_ms > 0 ? (double)f->expected_ms / (double)wall_ms : 0;

    if (!f->has_saving || f->low_ms <= 0)
        return least;
    if (share >= CRITICAL_SHARE && f->expected_ms >= CRITICAL_MIN_MS)
        return SEVERITY_CRITICAL;
    if (share >= WARNING_SHARE && f->expected_ms >= WARNING_MIN_MS)
        return SEVERITY_WARNING;
    return least;
}

static int by_id(const struct finding *x, const struct finding *y)
{
    int order = strcmp(x->rule->id, y->rule->id);

    if (order)
        return order;
    uint32_t a = x->n_stages ? x->stage_ixs[0] : 0, b = y->n_stages ? y->stage_ixs[0] : 0;

    if (a != b)
        return a < b ? -1 : 1;
    return strcmp(x->cause, y->cause);
}

static int by_claim(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;
    int64_t x_ms = claimed_ms(x), y_ms = claimed_ms(y);

    if (x->note != y->note) /* a side effect, or another way to what a finding cures */
        return x->note ? 1 : -1;
    if (x_ms != y_ms)
        return x_ms > y_ms ? -1 : 1;
    return by_id(x, y);
}

static int by_rank(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;

    if (x->expected_ms != y->expected_ms)
        return x->expected_ms > y->expected_ms ? -1 : 1;
    if (x->severity != y->severity)
        return x->severity > y->severity ? -1 : 1;
    return by_id(x, y);
}

/* Nobody is told to set what is set: advice that holds already destroys trust. */
static void drop_what_is_in_effect(struct finding *f, const struct app *app)
{
    uint32_t ix = f->n_sqls ? app_sql_ix(app, f->sql_ids[0]) : IX_NONE;
    size_t n = 0;

    for (size_t i = 0; i < f->settings.n; i++) {
        struct kv *set = &f->settings.items[i];
        struct setting now =
            conf_get(app, ix == IX_NONE ? NULL : &app->sqls[ix], set->key.p);
        int64_t a, b;
        bool sizes = !sv_has(now.value, ".") && units_parse_bytes(now.value, 1, &a) &&
                     units_parse_bytes(set->value, 1, &b);

        bool same = sv_eq(now.value, set->value) || (sizes && a == b);

        if (!same)
            f->settings.items[n++] = *set;
    }
    f->settings.n = n;
}

static void rank(struct findings *out, const struct analysis *analysis)
{
    struct account account = { 0 };

    if (out->n == 0)
        return;
    qsort(out->items, out->n, sizeof *out->items, by_claim);
    for (size_t i = 0; i < out->n; i++) {
        settle(&account, &analysis->ledgers, &out->items[i]);
        drop_what_is_in_effect(&out->items[i], &analysis->app);
    }
    joint_replay(out, analysis);
    for (size_t i = 0; i < out->n; i++)
        out->items[i].severity =
            severity_of(&out->items[i], analysis->ledgers.wall_total_ms);
    qsort(out->items, out->n, sizeof *out->items, by_rank);
    map_release(&account.at);
    free(account.left);
}

static void run_one(struct findings *out, const struct analysis *analysis,
                    const struct shape *shapes, const struct rule *rule)
{
    double *params = arena_array(out->arena, rule->n_params + 1, sizeof *params);

    for (size_t i = 0; i < rule->n_params; i++)
        params[i] = rule->params[i].value;
    const struct rule_input in = { &analysis->app, analysis, rule, shapes, params };

    if (rule->check(&in, out) == RULE_JUDGED)
        return;
    if (out->n_not_judged == out->cap_not_judged) {
        size_t cap = out->cap_not_judged ? 2 * out->cap_not_judged : 8;
        struct not_judged *more = arena_array(out->arena, cap, sizeof *more);

        if (out->n_not_judged)
            memcpy(more, out->not_judged, out->n_not_judged * sizeof *more);
        out->not_judged = more;
        out->cap_not_judged = cap;
    }
    out->not_judged[out->n_not_judged++] =
        (struct not_judged){ rule, rule->no_data_why, rule->enable };
}

void rules_run(struct findings *out, const struct analysis *analysis, struct arena *arena)
{
    *out = (struct findings){ .arena = arena };
    const struct shape *shapes = shapes_of(&analysis->app, arena);

    for (const struct rule *const *r = rules_all; *r; r++)
        run_one(out, analysis, shapes, *r);
    rank(out, analysis);
    chain_all(out, analysis, shapes);
}
