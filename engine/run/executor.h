/* Executors: what spark.master asks for, as groups of threads. For the scheduler. */
#ifndef ENGINE_RUN_EXECUTOR_H
#define ENGINE_RUN_EXECUTOR_H

#include "engine/run/memory.h"
#include "engine/run/settings.h"

struct executor {
    char id[16];
    const char *host;
    int32_t cores;
    struct memory *memory;
    char *dir; /* for spill files */
};

struct cluster_plan {
    int32_t executors, cores; /* of each */
    int64_t heap_bytes;
    int32_t max_failures;
    bool local; /* one executor, the driver itself */
};

/* local, local[n], local[*], local[n,f], local-cluster[n,c,m]; where
 * spark.executor.instances is set, that many executors whatever local master. */
enum errc cluster_plan_read(const struct settings *s, struct cluster_plan *out,
                            struct err *err) MUST_CHECK;

#endif
