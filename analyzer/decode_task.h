/* The events of tasks, which are nearly all of a log.
 *
 * Included by decode_isa.c only. */
#ifndef ANALYZER_DECODE_TASK_H
#define ANALYZER_DECODE_TASK_H

#include "analyzer/decode_stage.h"

/* ---- accumulables ---- */

struct accumulable {
    int64_t id, update;
    struct sv name;
};
static const struct accumulable blank_accumulable = { .id = NONE, .update = NONE };
static const struct field accumulable_fields[] = {
    FIELD("ID", FIELD_I64, struct accumulable, id),
    FIELD("Name", FIELD_TEXT, struct accumulable, name),
    FIELD("Update", FIELD_I64, struct accumulable, update),
    SKIPPED("Value"),
    SKIPPED("Internal"),
    SKIPPED("Count Failed Values"),
    SKIPPED("Metadata"),
};
static const struct shape accumulable_shape = {
    FIELDS(accumulable_fields),
    .id = SHAPE_ACCUM,
    .size = sizeof(struct accumulable),
    .blank = &blank_accumulable,
};

/* Spark's own numbers of the task are taken from Task Metrics instead, but for the
 * peak of execution memory, which is nowhere else before 3.0. */
static void keep_accumulable(struct decode *d, const struct accumulable *a)
{
    if (sv_starts(a->name, SV("internal.metrics."))) {
        if (sv_is(a->name, "internal.metrics.peakExecutionMemory"))
            d->task_peak = a->update;
    } else if (a->id != NONE && a->update != NONE) {
        stack_push(d, &(struct ev_accum){ a->id, a->update }, sizeof(struct ev_accum));
    }
}

/* Nearly all bytes of a large log are accumulables, and those of a stage are the same
 * in every task but for two numbers:
 *
 *     {"ID":900,"Name":"duration","Update":"3871","Value":"70497","Internal":true,...}
 *     |------------ head -----------------|    |-- mid --|     |------ tail -------|
 *
 * So a guess keeps the head of each, as text, and which of a few ways to go on follows
 * it. Where the bytes are the same they mean the same: they were walked before. Guesses
 * lie in a table by id, and each knows which one came behind it last time, so that a
 * task's list is compared with the list of the task before. */
static const struct accum_form {
    char mid[16], tail[64];
    uint8_t mid_len, tail_len;
} accum_forms[] = {
#define FORM(q, rest)                                                                    \
    {                                                                                    \
        q ",\"Value\":" q, q ",\"Internal\":" rest, sizeof(q ",\"Value\":" q) - 1,       \
            sizeof(q ",\"Internal\":" rest) - 1                                          \
    }
#define FORMS(q)                                                                         \
    FORM(q, "true,\"Count Failed Values\":true}"),                                       \
        FORM(q, "true,\"Count Failed Values\":true,\"Metadata\":\"sql\"}"),              \
        FORM(q, "false,\"Count Failed Values\":false}"),                                 \
        FORM(q, "false,\"Count Failed Values\":true}"),                                  \
        FORM(q, "false,\"Count Failed Values\":true,\"Metadata\":\"sql\"}")
    FORMS(""),
    FORMS("\""),
#undef FORMS
#undef FORM
};

static inline bool same_mid(const char *p, const struct accum_form *form)
{
    const char *end = p + form->mid_len - 8, *mid_end = form->mid + form->mid_len - 8;

    return ((load_8(p) ^ load_8(form->mid)) | (load_8(end) ^ load_8(mid_end))) == 0;
}

static inline struct accum_guess *guess_of(struct decode *d, int64_t id)
{
    return &d->memo->accums[(uint64_t)id % ACCUM_GUESSES];
}

/* Guesses of 32 NUL bytes, which no value begins with. */
static void forget_guesses(struct decode_memo *memo)
{
    for (size_t i = 0; i < ACCUM_GUESSES; i++)
        memo->accums[i] = (struct accum_guess){ .head_len = 32, .head_part = 32 };
}

/* Takes the accumulable at p if it is the one guessed. NULL: it is another. There is
 * room for one more on the stack. */
static inline const char *take_guess(struct decode *d, const char *p,
                                     const struct accum_guess *g)
{
    const struct accum_form *form = &accum_forms[g->form];
    const char *update = p + g->head_len;

    if (UNLIKELY(!vec_same_64(p, g->head, g->head_part)))
        return NULL;
    if (g->head_len > 64 && !vec_same_64(update - 64, g->head + g->head_len - 64, 64))
        return NULL;
    unsigned n = vec_digits(update);
    p = update + n;
    if (UNLIKELY(n - 1 > 15 || !same_mid(p, form)))
        return NULL;
    p += form->mid_len;
    unsigned n_value = vec_digits(p);
    p += n_value;
    if (UNLIKELY(n_value - 1 > 15 || !vec_same_64(p, form->tail, form->tail_len)))
        return NULL;
    struct ev_accum accum = { g->id, (int64_t)vec_number(update, n) };
    memcpy(d->stack + d->stack_len, &accum, sizeof accum);
    d->stack_len += g->kept_size; /* no branch: kept and ignored ones come mixed */
    if (UNLIKELY(g->peak))
        d->task_peak = accum.value;
    return p + form->tail_len;
}

/* Remembers the accumulable at p, which has been read as `a`, if it is like others. */
static void learn_guess(struct decode *d, const char *p, const char *end,
                        const struct accumulable *a)
{
    struct accum_guess g = { .id = a->id };
    const char *at = p;

    if (memcmp(at, "{\"ID\":", 6) != 0 || !a->name.p)
        return;
    at += 6;
    at += vec_digits(at);
    if (memcmp(at, ",\"Name\":\"", 9) != 0 || a->name.p != at + 9)
        return; /* escaped, or in another order */
    for (size_t i = 0; i < a->name.len; i++)
        if (byte_at(a->name.p + i) < ' ' || byte_at(a->name.p + i) > 0x7F)
            return; /* lines that hold these are noted one by one */
    at = a->name.p + a->name.len;
    if (memcmp(at, "\",\"Update\":", 11) != 0)
        return;
    at += 11;
    at += *at == '"';
    size_t head_len = (size_t)(at - p);
    if (head_len < 32 || head_len > sizeof g.head)
        return;
    memcpy(g.head, p, head_len);
    g.head_len = (uint8_t)head_len;
    g.head_part = (uint8_t)(head_len < 64 ? head_len : 64);
    if (!sv_starts(a->name, SV("internal.metrics.")))
        g.kept_size = sizeof(struct ev_accum);
    g.peak = sv_is(a->name, "internal.metrics.peakExecutionMemory");
    g.next = guess_of(d, a->id)->next;
    for (; g.form < ARRAY_LEN(accum_forms); g.form++) {
        size_t base = d->stack_len;
        int64_t peak = d->task_peak;
        const char *taken = take_guess(d, p, &g);

        d->stack_len = base;
        d->task_peak = peak;
        if (taken == end) {
            *guess_of(d, a->id) = g;
            return;
        }
    }
}

/* The accumulable at p, which is not the guessed one. *g becomes the guess for it. */
static __attribute__((noinline)) const char *
read_accumulable(struct decode *d, const char *p, struct accum_guess **g)
{
    struct accumulable a;
    const char *end;
    unsigned n;

    stack_room(d, sizeof(struct ev_accum));
    if (memcmp(p, "{\"ID\":", 6) == 0 && (n = vec_digits(p + 6)) - 1 < 16) {
        struct accum_guess *other = guess_of(d, (int64_t)vec_number(p + 6, n));

        if ((end = take_guess(d, p, other))) {
            (*g)->next = (uint16_t)(other - d->memo->accums);
            *g = other;
            return end;
        }
    }
    if (!(end = read_record(d, p, &accumulable_shape, &a)))
        return NULL;
    if (a.id != NONE)
        learn_guess(d, p, end, &a);
    keep_accumulable(d, &a);
    (*g)->next = (uint16_t)(guess_of(d, a.id) - d->memo->accums);
    *g = guess_of(d, a.id);
    return end;
}

static const char *task_accumulables(struct decode *d, const char *p, void *rec)
{
    struct ev_task_end *e = rec;
    struct scan *s = &d->scan;
    struct accum_guess *guesses = d->memo->accums;
    struct accum_guess *g = &d->memo->first[(uint64_t)e->task.stage_id % ACCUM_STAGES];
    size_t base = d->stack_len;

    d->task_peak = NONE;
    if (*p != '[')
        return skip_value(s, p);
    if (++s->depth > SCAN_MAX_DEPTH)
        return NULL;
    p = skip_blanks(s, p + 1);
    while (*p != ']') {
        struct accum_guess *next = &guesses[g->next];

        stack_room(d, sizeof(struct ev_accum));
        const char *end = take_guess(d, p, next);

        if (LIKELY(end != NULL)) {
            p = end;
            g = next;
        } else if (!(p = read_accumulable(d, p, &g))) {
            return NULL;
        }
        p = skip_blanks(s, p);
        if (*p == ']')
            break;
        if (*p != ',')
            return NULL;
        p = skip_blanks(s, p + 1);
        if (*p == ']')
            return NULL;
    }
    s->depth--;
    stack_take(d, base, sizeof(struct ev_accum), &e->accums);
    return p + 1;
}

/* ---- Task Info ---- */

#define TEXT(literal)                                                                    \
    {                                                                                    \
        literal, sizeof(literal) - 1                                                     \
    }

/* The position of text among names, or that of the last of them. */
static unsigned word_of(struct sv text, const struct sv *names, unsigned last)
{
    unsigned i = 0;

    while (i < last && !sv_eq(text, names[i]))
        i++;
    return i;
}

static const char *task_locality(struct decode *d, const char *p, void *rec)
{
    static const struct sv names[] = {
        [LOCALITY_PROCESS] = TEXT("PROCESS_LOCAL"),
        [LOCALITY_NODE] = TEXT("NODE_LOCAL"),
        [LOCALITY_NO_PREF] = TEXT("NO_PREF"),
        [LOCALITY_RACK] = TEXT("RACK_LOCAL"),
        [LOCALITY_ANY] = TEXT("ANY"),
    };
    struct sv text;

    p = read_text(d, p, &text);
    ((struct ev_task *)rec)->locality = (enum locality)word_of(text, names, LOCALITY_ANY);
    return p;
}

/* struct ev_task is the first member of struct ev_task_end. */
#define TASK_INFO_FIELDS                                                                 \
    FIELD("Task ID", FIELD_I64, struct ev_task, task_id),                                \
        FIELD("Index", FIELD_I64, struct ev_task, index),                                \
        FIELD("Attempt", FIELD_I64, struct ev_task, attempt),                            \
        FIELD("Partition ID", FIELD_COUNT, struct ev_task, partition),                   \
        FIELD("Launch Time", FIELD_COUNT, struct ev_task, launch_ms),                    \
        FIELD("Executor ID", FIELD_EXECUTOR, struct ev_task, executor_id),               \
        FIELD("Host", FIELD_TEXT, struct ev_task, host),                                 \
        HOOK("Locality", struct ev_task, locality, task_locality),                       \
        FIELD("Speculative", FIELD_BOOL, struct ev_task, speculative),                   \
        FIELD("Getting Result Time", FIELD_COUNT, struct ev_task, getting_result_ms),    \
        FIELD("Finish Time", FIELD_COUNT, struct ev_task, finish_ms),                    \
        FIELD("Failed", FIELD_BOOL, struct ev_task, failed),                             \
        FIELD("Killed", FIELD_BOOL, struct ev_task, killed)

static const struct field task_info_fields[] = {
    TASK_INFO_FIELDS,
    SKIPPED("Accumulables"), /* of a task that has just started: there by accident */
};
static const struct shape task_info_shape = { FIELDS(task_info_fields),
                                              .id = SHAPE_TASK_INFO };
static const struct field ended_task_info_fields[] = {
    TASK_INFO_FIELDS,
    { KEY("Accumulables"), .kind = FIELD_HOOK,
      .offset = offsetof(struct ev_task_end, accums),
      .arg = sizeof(void *) + sizeof(size_t), .hook = task_accumulables },
};
static const struct shape ended_task_info_shape = {
    FIELDS(ended_task_info_fields),
    .id = SHAPE_ENDED_TASK_INFO,
};

#define BLANK_TASK                                                                       \
    {                                                                                    \
        .stage_id = NONE, .stage_attempt = NONE, .task_id = NONE, .index = NONE,         \
        .attempt = NONE, .partition = NONE, .locality = LOCALITY_ANY                     \
    }
static const struct ev_task blank_task = BLANK_TASK;
static const struct field task_fields[] = {
    FIELD("Stage ID", FIELD_I64, struct ev_task, stage_id),
    FIELD("Stage Attempt ID", FIELD_I64, struct ev_task, stage_attempt),
    OBJECT("Task Info", task_info_shape),
    EVENT_NAME,
};

static bool task_start_complete(struct decode *d, void *rec)
{
    struct ev_task *task = rec;

    (void)d;
    if (task->stage_attempt == NONE)
        task->stage_attempt = 0; /* not logged before 1.2 */
    return task->stage_id != NONE;
}

static const struct shape task_start_shape = {
    FIELDS(task_fields),
    .id = SHAPE_TASK,
    .size = sizeof(struct ev_task),
    .blank = &blank_task,
    NUMBER_AT(struct ev_task, task_id),
    .complete = task_start_complete,
};

static const struct shape task_result_shape = {
    FIELDS(task_fields),
    .id = SHAPE_TASK,
    .size = sizeof(struct ev_task),
    .blank = &blank_task,
    NUMBER_AT(struct ev_task, task_id),
};

/* ---- Task Metrics ---- */

#define METRICS_SEEN offsetof(struct ev_task_end, metrics_seen)

/* Not used, but long and in every task, so that it pays to read it as if it were. */
struct push {
    int64_t number;
};
#define PUSH(name)                                                                       \
    {                                                                                    \
        KEY(name), NUMBER_KIND(name, FIELD_I64)                                          \
    }
static const struct field push_fields[] = {
    PUSH("Corrupt Merged Block Chunks"),     PUSH("Merged Fetch Fallback Count"),
    PUSH("Merged Remote Blocks Fetched"),    PUSH("Merged Local Blocks Fetched"),
    PUSH("Merged Remote Chunks Fetched"),    PUSH("Merged Local Chunks Fetched"),
    PUSH("Merged Remote Bytes Read"),        PUSH("Merged Local Bytes Read"),
    PUSH("Merged Remote Requests Duration"),
};
static const struct shape push_shape = {
    FIELDS(push_fields),
    .id = SHAPE_PUSH,
    .size = sizeof(struct push),
};

static const char *push_metrics(struct decode *d, const char *p, void *rec)
{
    struct push push;

    (void)rec;
    return read_record(d, p, &push_shape, &push);
}

static const struct field shuffle_read_fields[] = {
    METRIC("Remote Blocks Fetched", REMOTE_BLOCKS),
    METRIC("Local Blocks Fetched", LOCAL_BLOCKS),
    METRIC("Fetch Wait Time", FETCH_WAIT_MS),
    METRIC("Remote Bytes Read", REMOTE_BYTES),
    METRIC("Remote Bytes Read To Disk", REMOTE_TO_DISK_BYTES),
    METRIC("Local Bytes Read", LOCAL_BYTES),
    METRIC("Total Records Read", SHUFFLE_READ_ROWS),
    METRIC("Remote Requests Duration", REMOTE_REQUESTS_MS),
    { KEY("Push Based Shuffle"), .kind = FIELD_HOOK, .hook = push_metrics },
    { KEY("Shuffle Push Read Metrics"), .kind = FIELD_HOOK, .hook = push_metrics },
};
static const struct shape shuffle_read_shape = {
    FIELDS(shuffle_read_fields),
    .id = SHAPE_SHUFFLE_READ,
    .seen_at = METRICS_SEEN,
};
static const struct field shuffle_write_fields[] = {
    METRIC("Shuffle Bytes Written", SHUFFLE_WRITE_BYTES),
    METRIC("Shuffle Write Time", SHUFFLE_WRITE_NS),
    METRIC("Shuffle Records Written", SHUFFLE_WRITE_ROWS),
};
static const struct shape shuffle_write_shape = {
    FIELDS(shuffle_write_fields),
    .id = SHAPE_SHUFFLE_WRITE,
    .seen_at = METRICS_SEEN,
};
static const struct field input_fields[] = {
    SKIPPED("Data Read Method"),
    METRIC("Bytes Read", INPUT_BYTES),
    METRIC("Records Read", INPUT_ROWS),
};
static const struct shape input_shape = {
    FIELDS(input_fields),
    .id = SHAPE_INPUT,
    .seen_at = METRICS_SEEN,
};
static const struct field output_fields[] = {
    SKIPPED("Data Write Method"),
    METRIC("Bytes Written", OUTPUT_BYTES),
    METRIC("Records Written", OUTPUT_ROWS),
};
static const struct shape output_shape = {
    FIELDS(output_fields),
    .id = SHAPE_OUTPUT,
    .seen_at = METRICS_SEEN,
};

static const char *metrics_host(struct decode *d, const char *p, void *rec)
{
    (void)rec;
    return read_text(d, p, &d->task_host);
}

static const struct field metrics_fields[] = {
    { KEY("Host Name"), .kind = FIELD_HOOK, .hook = metrics_host },
    METRIC("Executor Deserialize Time", DESERIALIZE_MS),
    METRIC("Executor Deserialize CPU Time", DESERIALIZE_CPU_NS),
    METRIC("Executor Run Time", RUN_MS),
    METRIC("Executor CPU Time", CPU_NS),
    METRIC("Peak Execution Memory", PEAK_EXECUTION_BYTES),
    METRIC("Peak On Heap Execution Memory", PEAK_ONHEAP_BYTES),
    METRIC("Peak Off Heap Execution Memory", PEAK_OFFHEAP_BYTES),
    METRIC("Result Size", RESULT_BYTES),
    METRIC("JVM GC Time", GC_MS),
    METRIC("Result Serialization Time", RESULT_SERIALIZE_MS),
    METRIC("Memory Bytes Spilled", SPILL_MEMORY_BYTES),
    METRIC("Disk Bytes Spilled", SPILL_DISK_BYTES),
    OBJECT("Shuffle Read Metrics", shuffle_read_shape),
    OBJECT("Shuffle Write Metrics", shuffle_write_shape),
    OBJECT("Input Metrics", input_shape),
    OBJECT("Output Metrics", output_shape),
    SKIPPED("Updated Blocks"),
};
static const struct shape metrics_shape = {
    FIELDS(metrics_fields),
    .id = SHAPE_METRICS,
    .seen_at = METRICS_SEEN,
};

static const char *read_metrics(struct decode *d, const char *p, struct ev_task_end *e)
{
    if (e->has_metrics) { /* those of the exception, or the field comes again */
        memset(e->metric, 0, sizeof e->metric);
        e->metrics_seen = 0;
    }
    e->has_metrics = *p == '{';
    d->task_host = (struct sv){ 0 };
    return read_object(d, p, &metrics_shape, e);
}

static const char *task_end_metrics(struct decode *d, const char *p, void *rec)
{
    d->metrics_last = *p == '{';
    return read_metrics(d, p, rec);
}

/* ---- Task End Reason ---- */

static const char *reason_word(struct decode *d, const char *p, void *rec)
{
    static const struct sv names[] = {
        [REASON_SUCCESS] = TEXT("Success"),
        [REASON_RESUBMITTED] = TEXT("Resubmitted"),
        [REASON_FETCH_FAILED] = TEXT("FetchFailed"),
        [REASON_EXCEPTION] = TEXT("ExceptionFailure"),
        [REASON_RESULT_LOST] = TEXT("TaskResultLost"),
        [REASON_KILLED] = TEXT("TaskKilled"),
        [REASON_COMMIT_DENIED] = TEXT("TaskCommitDenied"),
        [REASON_EXECUTOR_LOST] = TEXT("ExecutorLostFailure"),
        [REASON_UNKNOWN] = TEXT("UnknownReason"),
    };
    struct sv text;

    p = read_text(d, p, &text);
    ((struct ev_task_end *)rec)->reason =
        (enum task_end_reason)word_of(text, names, REASON_UNKNOWN);
    return p;
}

/* 1.x logs the metrics of a task that threw with the exception. */
static const char *reason_metrics(struct decode *d, const char *p, void *rec)
{
    return d->metrics_last ? skip_value(&d->scan, p) : read_metrics(d, p, rec);
}

static const struct field end_manager_fields[] = {
    FIELD("Executor ID", FIELD_EXECUTOR, struct ev_task_end, lost_executor),
    SKIPPED("Host"),
    SKIPPED("Port"),
};
static const struct shape end_manager_shape = { FIELDS(end_manager_fields),
                                                .id = SHAPE_END_MANAGER };
static const struct field end_reason_fields[] = {
    HOOK("Reason", struct ev_task_end, reason, reason_word),
    OBJECT("Block Manager Address", end_manager_shape),
    FIELD("Shuffle ID", FIELD_I64, struct ev_task_end, fetch_shuffle_id),
    FIELD("Map ID", FIELD_I64, struct ev_task_end, fetch_map_id),
    FIELD("Map Index", FIELD_I64, struct ev_task_end, fetch_map_index),
    FIELD("Reduce ID", FIELD_I64, struct ev_task_end, fetch_reduce_id),
    FIELD("Message", FIELD_TEXT, struct ev_task_end, reason_text),
    FIELD("Class Name", FIELD_TEXT, struct ev_task_end, reason_class),
    FIELD("Description", FIELD_TEXT, struct ev_task_end, reason_text),
    SKIPPED("Stack Trace"),
    SKIPPED("Full Stack Trace"),
    SKIPPED("Accumulator Updates"),
    { KEY("Metrics"), .kind = FIELD_HOOK, .hook = reason_metrics },
    FIELD("Kill Reason", FIELD_TEXT, struct ev_task_end, reason_text),
    FIELD("Executor ID", FIELD_EXECUTOR, struct ev_task_end, lost_executor),
    FIELD("Exit Caused By App", FIELD_BOOL, struct ev_task_end, exit_caused_by_app),
    FIELD("Loss Reason", FIELD_TEXT, struct ev_task_end, reason_text),
};
static const struct shape end_reason_shape = { FIELDS(end_reason_fields),
                                               .id = SHAPE_END_REASON };

/* ---- TaskEnd ---- */

#define NO_REASON REASON_UNKNOWN + 1 /* until the line gives one */

static const struct ev_task_end blank_task_end = {
    .task = BLANK_TASK,
    .reason = (enum task_end_reason)(NO_REASON),
    .exit_caused_by_app = true,
    .fetch_shuffle_id = NONE,
    .fetch_map_id = NONE,
    .fetch_map_index = NONE,
    .fetch_reduce_id = NONE,
};
static const struct field task_end_fields[] = {
    FIELD("Stage ID", FIELD_I64, struct ev_task, stage_id),
    FIELD("Stage Attempt ID", FIELD_I64, struct ev_task, stage_attempt),
    IS_WORD("Task Type", struct ev_task_end, result_task, "ResultTask"),
    OBJECT("Task End Reason", end_reason_shape),
    OBJECT("Task Info", ended_task_info_shape),
    OBJECT_AT("Task Executor Metrics", offsetof(struct ev_task_end, peaks), peaks_shape),
    { KEY("Task Metrics"), .kind = FIELD_HOOK, .hook = task_end_metrics },
    EVENT_NAME,
};

static bool task_end_complete(struct decode *d, void *rec)
{
    struct ev_task_end *e = rec;

    if (e->reason == (enum task_end_reason)(NO_REASON))
        e->reason = e->task.killed   ? REASON_KILLED
                    : e->task.failed ? REASON_UNKNOWN
                                     : REASON_SUCCESS;
    if (e->has_metrics && d->task_peak != NONE &&
        !(e->metrics_seen >> METRIC_PEAK_EXECUTION_BYTES & 1)) {
        e->metrics_seen |= UINT32_C(1) << METRIC_PEAK_EXECUTION_BYTES;
        e->metric[METRIC_PEAK_EXECUTION_BYTES] = d->task_peak;
    }
    settle_peaks(&e->peaks);
    if (!e->task.host.p)
        e->task.host = d->task_host;
    return task_start_complete(d, rec);
}

static const struct shape task_end_shape = {
    FIELDS(task_end_fields),
    .id = SHAPE_TASK_END,
    .size = sizeof(struct ev_task_end),
    .blank = &blank_task_end,
    NUMBER_AT(struct ev_task, task_id),
    .complete = task_end_complete,
};

_Static_assert(offsetof(struct ev_task_end, task) == 0,
               "shapes of a task serve its end too");
_Static_assert(METRIC_COUNT <= 32 && PEAK_COUNT <= 32, "one bit each");

#endif
