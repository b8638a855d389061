/* Changes drawn at random, on every log at hand: what must hold whatever the change and
 * whatever the log. The draws are the same in every run of the test. */
#include "rules/remedy.h"
#include "rules/scale.h"
#include "tests/unit/load_helper.h"

#include "base/mem.h"

#include <dirent.h>
#include <stdlib.h>

enum { DRAWS = 6 }; /* of each kind, for a log */

/* List scheduling has anomalies: a task that is ready in time takes a slot that another
 * needed more. They are bounded here as in simulate_test. */
static double with_anomalies(int64_t ms)
{
    return 1.05 * (double)ms + 50;
}

static uint64_t next(uint64_t *seed) /* splitmix64 */
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint32_t below(uint64_t *seed, uint32_t n)
{
    return (uint32_t)(next(seed) % n);
}

struct subject {
    const char *path;
    struct analysis a;
    struct findings found;
    const struct replay *replay;
    struct arena arena;
    uint64_t seed;
};

struct change {
    struct remedy remedy;
    struct scale scale;
    bool scaled;
};

static void apply(void *ctx, struct sim_table *t, enum bound bound, struct arena *arena)
{
    struct change *c = ctx;

    if (c->remedy.n)
        remedy_edit(&c->remedy, t, bound, arena);
    if (c->scaled)
        scale_edit(&c->scale, t, bound, arena);
}

static int64_t saving(struct subject *s, struct change *c)
{
    return forecast_saving(&s->replay->table, s->replay->base.end_ms, apply, c,
                           BOUND_EXPECTED);
}

static struct change scaled(struct subject *s, struct what_if what)
{
    struct change c = { .scaled = true };

    scale_build(&c.scale, &s->a, &what, &s->arena);
    return c;
}

/* --- the account
 * ------------------------------------------------------------------------
 */

static void ledgers_add_up(const struct subject *s)
{
    const struct ledgers *l = &s->a.ledgers;
    int64_t wall = 0;

    for (int e = 0; e < WALL_COUNT; e++)
        wall += l->wall_ms[e];
    assert_int_equal(wall, l->wall_total_ms);
}

/* What all findings claim of an entry of a stage is not more than the entry. */
static void claims_fit_entries(const struct subject *s)
{
    const struct ledgers *l = &s->a.ledgers;
    size_t n = s->a.app.n_stages + 1;
    int64_t(*claimed)[WALL_COUNT] = xcalloc(n, sizeof *claimed);

    for (size_t i = 0; i < s->found.n; i++) {
        const struct finding *f = &s->found.items[i];

        for (size_t c = 0; c < f->n_claims; c++) {
            const struct claim *k = &f->claims[c];
            size_t at = k->stage_ix == IX_NONE ? n - 1 : k->stage_ix;

            assert_true(0 <= k->low_ms && k->low_ms <= k->expected_ms &&
                        k->expected_ms <= k->high_ms);
            claimed[at][k->entry] += k->expected_ms;
        }
    }
    for (size_t at = 0; at < n; at++)
        for (int e = 0; e < WALL_COUNT; e++) {
            enum wall_entry entry = (enum wall_entry)e;
            int64_t held =
                at == n - 1 ? l->wall_ms[e] : ledger_stage_ms(l, (uint32_t)at, entry);

            if (claimed[at][e] > held)
                fail_msg("%s: %lld ms are claimed of %lld of %s", s->path,
                         (long long)claimed[at][e], (long long)held,
                         wall_entry_name(entry));
        }
    free(claimed);
}

/* --- changes
 * ----------------------------------------------------------------------------
 */

static void more_slots_are_not_slower(struct subject *s)
{
    for (int i = 0; i < DRAWS; i++) {
        struct sim_table copy;
        struct sim_result r;
        double times = 1 + below(&s->seed, 70) / 10.0;

        sim_copy(&copy, &s->replay->table, &s->arena);
        sim_slots_times(&copy, times, &s->arena);
        sim_replay(&r, &copy, &s->arena, false);
        if ((double)r.end_ms > with_anomalies(s->replay->base.end_ms))
            fail_msg("%s: %.1f times the slots take %lld instead of %lld ms", s->path,
                     times, (long long)r.end_ms, (long long)s->replay->base.end_ms);
    }
}

/* Edits of tasks keep count of them, and no schedule is shorter than its longest task or
 * than all its work on all the slots there ever were. */
static void schedules_have_room(struct subject *s)
{
    for (int i = 0; i < DRAWS; i++) {
        struct sim_table copy;
        struct sim_result r;
        int64_t tasks = 0, work = 0, longest = 0;

        sim_copy(&copy, &s->replay->table, &s->arena);
        for (uint32_t ix = 0; ix < copy.n_stages; ix++) {
            double share = below(&s->seed, 100) / 100.0;

            if (!copy.stages[ix].present)
                continue;
            switch (below(&s->seed, 5)) {
            case 0:
                sim_shrink(&copy, ix, share, &s->arena);
                break;
            case 1:
                sim_level(&copy, ix, below(&s->seed, 5000), &s->arena);
                break;
            case 2:
                sim_split(&copy, ix, 1 + below(&s->seed, 3), share, &s->arena);
                break;
            case 3:
                sim_hasten(&copy, ix, share, &s->arena);
                break;
            default:
                sim_shorten_lag(&copy, ix, below(&s->seed, 3000));
                break;
            }
        }
        sim_replay(&r, &copy, &s->arena, false);
        for (uint32_t ix = 0; ix < copy.n_stages; ix++)
            for (uint32_t k = 0; copy.stages[ix].present && k < copy.stages[ix].n; k++) {
                const struct sim_task *x = &copy.stages[ix].tasks[k];

                tasks++;
                assert_true(x->run_ms >= 0);
                if ((x->flags & (SIM_COUNTS | SIM_NO_SLOT)) == SIM_COUNTS) {
                    int64_t ms = x->run_ms + min_i64(x->delay_ms, 0);

                    work += ms;
                    longest = max_i64(longest, ms);
                }
            }
        assert_int_equal(tasks, copy.n_tasks);
        if (!r.stuck && copy.n_pools == 1 && sim_slots_peak(&copy) > 0)
            if (r.end_ms < max_i64(longest, work / sim_slots_peak(&copy)))
                fail_msg(
                    "%s: ends at %lld ms, with a task of %lld and work of %lld on %lld "
                    "slots",
                    s->path, (long long)r.end_ms, (long long)longest, (long long)work,
                    (long long)sim_slots_peak(&copy));
    }
}

/* The most that a replay can gain by these: all time of the stages they are about, and
 * what they claim of the application's. (Shorter tasks leave a shorter tail, too, which a
 * finding need not claim: only what is reported is held to the claims.) */
static int64_t at_stake(const struct subject *s, const struct finding *const *list,
                        size_t n)
{
    bool *seen = xcalloc(s->a.app.n_stages + 1, sizeof *seen);
    int64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; c < list[i]->n_claims; c++) {
            const struct claim *k = &list[i]->claims[c];

            if (k->stage_ix == IX_NONE)
                sum += k->expected_ms;
            else if (!seen[k->stage_ix])
                sum += ledger_stage_wall_ms(&s->a.ledgers, k->stage_ix);
            if (k->stage_ix != IX_NONE)
                seen[k->stage_ix] = true;
        }
    free(seen);
    return sum;
}

static void some_findings_together(struct subject *s)
{
    const struct finding **list = arena_array(&s->arena, s->found.n + 1, sizeof(void *));

    for (int i = 0; i < DRAWS && s->found.n; i++) {
        struct change c = { 0 };
        int64_t together;
        size_t n = 0;

        for (size_t k = 0; k < s->found.n; k++)
            if (below(&s->seed, 2))
                list[n++] = &s->found.items[k];
        c.remedy = (struct remedy){ &s->a, list, n, NULL };
        together = saving(s, &c);
        if ((double)together > with_anomalies(at_stake(s, list, n)))
            fail_msg("%s: %zu findings save %lld ms of %lld", s->path, n,
                     (long long)together, (long long)at_stake(s, list, n));
        if ((double)-together >
            with_anomalies(s->replay->base.end_ms) - (double)s->replay->base.end_ms)
            fail_msg("%s: %zu findings cost %lld ms", s->path, n, (long long)-together);
    }
}

/* What the report adds up. */
static void joint_is_no_more_than_the_sum(const struct subject *s)
{
    int64_t sum = 0;

    for (size_t i = 0; i < s->found.n; i++)
        if (!s->found.items[i].note)
            sum += s->found.items[i].expected_ms;
    if ((double)s->found.saving_ms > with_anomalies(sum))
        fail_msg("%s: together %lld ms, one by one %lld", s->path,
                 (long long)s->found.saving_ms, (long long)sum);
}

/* A finding beside another number of partitions, or more memory: what both cure goes
 * once. */
static void fixes_beside_settings(struct subject *s)
{
    for (size_t i = 0; i < s->found.n; i++) {
        const struct finding *one = &s->found.items[i];
        struct change fix = { .remedy = { &s->a, &one, 1, NULL } };

        if (!one->n_claims)
            continue;
        for (int k = 0; k < 2; k++) {
            struct what_if what = { .partitions = k ? 0 : 1 + below(&s->seed, 400),
                                    .memory_bytes = k ? INT64_C(64) << 30 : 0 };
            struct change set = scaled(s, what), both = set;
            int64_t a = saving(s, &fix), b = saving(s, &set), all;

            both.remedy = (struct remedy){ &s->a, &one, 1, &both.scale };
            all = saving(s, &both);
            if ((double)all > with_anomalies(max_i64(a, 0) + max_i64(b, 0)))
                fail_msg("%s: %s saves %lld ms, %s (%lld) %lld, both %lld\n", s->path,
                         one->rule->id, (long long)a, k ? "memory" : "other partitions",
                         (long long)what.partitions, (long long)b, (long long)all);
            if (all < b - (int64_t)with_anomalies(0) - s->replay->base.end_ms / 20)
                fail_msg("%s: %s makes %s (%lld) worse: %lld ms saved instead of %lld",
                         s->path, one->rule->id, k ? "memory" : "other partitions",
                         (long long)what.partitions, (long long)all, (long long)b);
        }
    }
}

/* --- all logs
 * ---------------------------------------------------------------------------
 */

static void one_log(const char *path, size_t *logs, size_t *with_findings)
{
    size_t n = 1;

    for (size_t i = 0; i < n; i++) {
        struct subject s = { .path = path, .seed = ++*logs };
        struct err err = { 0 };

        if (!try_load(&s.a.app, path, i, 0, &n, &err))
            continue;
        analysis_build(&s.a);
        s.replay = analysis_replay(&s.a);
        rules_run(&s.found, &s.a, &s.arena);
        ledgers_add_up(&s);
        claims_fit_entries(&s);
        if (s.replay->table.n_tasks && s.replay->table.n_tasks < 10000) {
            *with_findings += s.found.n > 0;
            more_slots_are_not_slower(&s);
            schedules_have_room(&s);
            some_findings_together(&s);
            joint_is_no_more_than_the_sum(&s);
            fixes_beside_settings(&s);
        }
        ledgers_add_up(&s);
        arena_release(&s.arena);
        analysis_release(&s.a);
    }
}

static void random_edits_keep_the_account(void **state)
{
    static const char *const folders[] = {
        SHARED_LOGS "/labelled", SHARED_LOGS "/real", SHARED_LOGS "/history-server",
        SHARED_LOGS "/minimal",  "tests/data/logs",   "tests/data/minimal"
    };
    size_t logs = 0, with_findings = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        DIR *dir = opendir(folders[i]);
        struct dirent *e;

        while (dir && (e = readdir(dir)) != NULL) {
            char path[512];

            if (e->d_name[0] == '.')
                continue;
            snprintf(path, sizeof path, "%s/%s", folders[i], e->d_name);
            one_log(path, &logs, &with_findings);
        }
        if (dir)
            closedir(dir);
    }
    print_message("%zu logs, %zu of them with findings\n", logs, with_findings);
    assert_true(with_findings > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_edits_keep_the_account),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
