/* Quantiles over the successful tasks of a stage, at Spark's positions.
 *
 * Only five ranks are wanted, so values are not sorted: a quick select narrows
 * the span from rank to rank (each rank's place is a border for the next one),
 * which is linear in the number of tasks. A span that will not shrink (values can
 * be arranged so that every pivot is a bad one) is sorted instead. */
#include "analyzer/app.h"

#include "base/mem.h"

#include <stdlib.h>

static void swap(int64_t *a, int64_t *b)
{
    int64_t t = *a;

    *a = *b;
    *b = t;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* Puts the value of rank k in its place, nothing larger before and nothing smaller
 * behind it, within v[low, high]. Median of three as pivot, and three-way
 * partition: equal values are common (zeros) and must not make it quadratic. */
static void select_rank(int64_t *v, size_t low, size_t high, size_t k)
{
    for (int turns = 0; low < high; turns++) {
        if (turns == 60) {
            qsort(v + low, high - low + 1, sizeof *v, by_value);
            return;
        }
        size_t mid = low + (high - low) / 2;

        if (v[mid] < v[low])
            swap(&v[mid], &v[low]);
        if (v[high] < v[low])
            swap(&v[high], &v[low]);
        if (v[high] < v[mid])
            swap(&v[high], &v[mid]);
        int64_t pivot = v[mid];
        size_t less = low, at = low, more = high;

        while (at <= more) {
            if (v[at] < pivot) {
                swap(&v[at++], &v[less++]);
            } else if (v[at] > pivot) {
                swap(&v[at], &v[more]);
                if (more == 0)
                    break;
                more--;
            } else {
                at++;
            }
        }
        if (k < less)
            high = less - 1;
        else if (k > more)
            low = more + 1;
        else
            return;
    }
}

struct quantiles quantiles_of(int64_t *values, uint32_t n)
{
    struct quantiles q = { .n = n };
    size_t from = 0;

    if (n == 0)
        return q;
    for (uint32_t i = 0; i < 5; i++) {
        /* floor(q * n) for q = 0, 1/4 ... 1, without floating point */
        uint64_t rank = (uint64_t)i * n / 4;

        if (rank >= n)
            rank = n - 1;
        select_rank(values, from, n - 1, rank);
        q.value[i] = values[rank];
        from = rank;
    }
    return q;
}

/* Calls value() for each successful task and takes the quantiles. */
static struct quantiles over_successes(const struct stage *s,
                                       int64_t (*value)(const struct task_table *, uint32_t,
                                                        enum task_metric),
                                       enum task_metric m, bool needs_metrics)
{
    int64_t *values = xmalloc(mem_product(s->task.n, sizeof *values));
    uint32_t n = 0;

    for (uint32_t row = 0; row < s->task.n; row++) {
        if (task_state(&s->task, row) != TASK_SUCCESS)
            continue;
        if (needs_metrics && !task_flag(&s->task, row, TASK_FLAG_HAS_METRICS))
            continue;
        values[n++] = value(&s->task, row, m);
    }
    struct quantiles q = quantiles_of(values, n);
    free(values);
    return q;
}

static int64_t duration(const struct task_table *t, uint32_t row, enum task_metric m)
{
    (void)m;
    return task_duration_ms(t, row);
}

static int64_t scheduler_delay(const struct task_table *t, uint32_t row, enum task_metric m)
{
    (void)m;
    return task_scheduler_delay_ms(t, row);
}

static int64_t getting_result(const struct task_table *t, uint32_t row, enum task_metric m)
{
    (void)m;
    return task_getting_result_ms(t, row);
}

static int64_t shuffle_read(const struct task_table *t, uint32_t row, enum task_metric m)
{
    (void)m;
    return add_sat(task_metric(t, row, METRIC_REMOTE_BYTES),
                   task_metric(t, row, METRIC_LOCAL_BYTES));
}

struct quantiles stage_metric_quantiles(const struct stage *s, enum task_metric m)
{
    return over_successes(s, task_metric, m, true);
}

struct quantiles stage_duration_quantiles(const struct stage *s)
{
    return over_successes(s, duration, METRIC_RUN_MS, false);
}

struct quantiles stage_scheduler_delay_quantiles(const struct stage *s)
{
    return over_successes(s, scheduler_delay, METRIC_RUN_MS, false);
}

struct quantiles stage_getting_result_quantiles(const struct stage *s)
{
    return over_successes(s, getting_result, METRIC_RUN_MS, false);
}

struct quantiles stage_shuffle_read_quantiles(const struct stage *s)
{
    return over_successes(s, shuffle_read, METRIC_RUN_MS, true);
}
