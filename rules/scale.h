/* A run on another cluster, with other settings or with more data, as edits of the
 * replay: how many tasks each stage would have and what they would take. Definitions and
 * their limits: docs/method.md, section 5. */
#ifndef RULES_SCALE_H
#define RULES_SCALE_H

#include "analyzer/forecast.h"
#include "rules/rule.h"

struct what_if {              /* 0: as it was */
    int64_t executors, cores; /* of each executor */
    int64_t memory_bytes;     /* heap of an executor */
    int64_t partitions;       /* spark.sql.shuffle.partitions */
    double data;              /* times as much */
};

/* What will break, or begin to, with that change: a sentence for each kind. */
enum scale_kind {                   /* worst first */
                  BREAKS_RESULT,    /* beyond spark.driver.maxResultSize: the job fails */
                  BREAKS_BROADCAST, /* beyond what Spark can broadcast: the query fails */
                  BREAKS_PLAN,      /* beyond the broadcast threshold: another plan */
                  BREAKS_SINGLE,    /* one task for all */
                  BREAKS_MEMORY,    /* a stage begins to spill */
                  BREAKS_BLOCKS,    /* too many small shuffle blocks */
                  BREAKS_TASKS,     /* more tasks than a driver schedules with ease */
                  BREAKS_UNKNOWN,   /* most task time is in stages whose data the log does
                                       not tell */
                  BREAKS_COUNT
};

struct scale_warning {
    uint32_t stage_ix; /* the worst of them; IX_NONE: none in particular */
    const char *text;
    size_t n;      /* stages or queries that it is true of */
    double weight; /* by which the worst was chosen */
};

struct scale {
    const struct analysis *analysis;
    struct what_if what;
    struct arena *arena;     /* of what is below */
    double grant_now, grant; /* execution memory of a task, now and then; 0: not known */
    struct scale_stage {     /* per stage attempt */
        double volume;       /* its data, times that of the log */
        uint32_t n;          /* tasks it would have; 0: it had none that count */
        double merged_rows;  /* of joins that would be planned as shuffles */
    } * stages;
    struct scale_warning warnings[BREAKS_COUNT]; /* n 0: not so */
};

/* Computes volumes, task counts and warnings. */
void scale_build(struct scale *s, const struct analysis *a, const struct what_if *what,
                 struct arena *arena);
/* A forecast_edit; ctx is a struct scale. */
void scale_edit(void *ctx, struct sim_table *t, enum bound bound, struct arena *arena);

/* How the run would scale, without bootstrap samples: ten times the data on the cluster
 * as it is, and twice its slots. */
struct outlook {
    bool known; /* false: there is nothing to replay, or more tasks than are played by the
                   way */
    bool data_known;     /* false: most task time is in stages whose data the log does not
                            tell */
    double replay_error; /* of the replay without a change, as a share */
    struct {
        int64_t low, expected, high;
    } data_ms, slots_ms;
    const char *breaks; /* what breaks first with the data; NULL: nothing known */
};

enum { OUTLOOK_DATA = 10, OUTLOOK_SLOTS = 2 };
/* Text lives in the arena. */
void outlook_build(struct outlook *out, const struct analysis *a, struct arena *arena);

#endif
