/* Reads what executors a master stands for. */
#include "engine/run/executor.h"

#include <sched.h>
#include <stdio.h>

enum { LEAST_HEAP_MIB = 310 }; /* 300 are reserved: below there is no pool to speak of */

static int32_t processors(void)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set))
        return 1;
    return CPU_COUNT(&set) > 0 ? CPU_COUNT(&set) : 1;
}

/* "[a,b,c]" after the master's word. False: not that. */
static bool read_numbers(struct sv text, int64_t *at, uint32_t most, uint32_t *n)
{
    if (text.len < 3 || text.p[0] != '[' || text.p[text.len - 1] != ']')
        return false;
    text = (struct sv){ text.p + 1, text.len - 2 };
    *n = 0;
    while (*n < most) {
        size_t comma = sv_find(text, SV(","));
        struct sv one =
            sv_trim((struct sv){ text.p, comma == SIZE_MAX ? text.len : comma });

        if (sv_is(one, "*"))
            at[*n] = processors();
        else if (!sv_i64(one, &at[*n]) || at[*n] < 1 || at[*n] > 100000)
            return false;
        ++*n;
        if (comma == SIZE_MAX)
            return true;
        text = sv_from(text, comma + 1);
    }
    return false;
}

static bool read_master(struct sv master, struct cluster_plan *out)
{
    int64_t x[3];
    uint32_t n;

    if (sv_is(master, "local")) {
        out->cores = 1;
        return true;
    }
    if (sv_starts(master, SV("local-cluster"))) {
        if (!read_numbers(sv_from(master, 13), x, 3, &n) || n != 3)
            return false;
        *out = (struct cluster_plan){ .executors = (int32_t)x[0],
                                      .cores = (int32_t)x[1],
                                      .heap_bytes = x[2] << 20 };
        return true;
    }
    if (!sv_starts(master, SV("local")) || !read_numbers(sv_from(master, 5), x, 2, &n))
        return false;
    out->cores = (int32_t)x[0];
    out->max_failures = n == 2 ? (int32_t)x[1] : 1;
    return true;
}

enum errc cluster_plan_read(const struct settings *s, struct cluster_plan *out,
                            struct err *err)
{
    struct sv master = settings_text(s, SET_MASTER);
    struct cluster_plan plan = { .executors = 1,
                                 .max_failures = 1,
                                 .local = true,
                                 .heap_bytes = settings_int(s, SET_DRIVER_MEMORY) };

    if (!read_master(master, &plan))
        return err_set(err, ERR_USAGE,
                       "spark.master: \"%.*s\" cannot be run here: local[n], local[n,f] "
                       "or local-cluster[executors,cores,MiB]",
                       SV_FMT(master));
    if (settings_int(s, SET_EXECUTOR_INSTANCES) > 0) {
        int64_t cores = settings_int(s, SET_EXECUTOR_CORES);

        plan.executors = (int32_t)settings_int(s, SET_EXECUTOR_INSTANCES);
        plan.cores = cores > 0 ? (int32_t)cores : 1;
        plan.heap_bytes = settings_int(s, SET_EXECUTOR_MEMORY);
        plan.local = false;
    }
    if (!plan.local)
        plan.max_failures = (int32_t)settings_int(s, SET_TASK_MAX_FAILURES);
    if (plan.heap_bytes < (int64_t)LEAST_HEAP_MIB << 20)
        return err_set(err, ERR_USAGE,
                       "%s memory %lld must be at least %d MiB: 300 of them are reserved",
                       plan.local ? "Driver" : "Executor", (long long)plan.heap_bytes,
                       LEAST_HEAP_MIB);
    *out = plan;
    return ERR_OK;
}
