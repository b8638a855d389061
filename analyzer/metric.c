/* Names of the metrics. See metric.h. */
#include "analyzer/metric.h"

#include <assert.h>

const char *task_metric_key(enum task_metric m)
{
#define KEY(id, key, group, field) [METRIC_##id] = key,
    static const char *const keys[] = { TASK_METRICS(KEY) };
#undef KEY

    assert(m < METRIC_COUNT);
    return keys[m];
}

const char *executor_metric_name(enum executor_metric m)
{
#define NAME(name) [PEAK_##name] = #name,
    static const char *const names[] = { EXECUTOR_METRICS(NAME) };
#undef NAME

    assert(m < PEAK_COUNT);
    return names[m];
}
