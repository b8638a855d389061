/* The decoder, compiled once for each instruction set (-DDECODE_ISA=avx2 and so on).
 *
 *     scan_vec.h      many bytes at once: the only code that differs between sets
 *     scan.h          JSON: strings, numbers, values to skip
 *     decode_value.h  single values and lists
 *     decode_field.h  objects into records by tables, keys predicted
 *     decode_event.h, decode_stage.h, decode_sql.h   those tables
 *     decode_task.h   and those of tasks, with the path that most bytes take
 *     decode_isa.c    lines: which event, what is wrong with the line
 *
 * A line is walked once, from its first byte to its newline. The walk takes the event
 * to be what the first key says; only when "Event" stands elsewhere, or twice, or
 * when the line is no JSON, is it looked at again. */
#ifndef DECODE_ISA
#define DECODE_ISA portable
#endif

#include "analyzer/decode_sql.h"
#include "analyzer/decode_task.h"
#include "base/utf8.h"

/* ---- which event ---- */

struct event_class {
    struct sv name; /* as logged */
    enum event_kind kind;
    const struct shape *shape;
};

#define CORE(name)                                                                       \
    {                                                                                    \
        "SparkListener" name, sizeof("SparkListener" name) - 1                           \
    }
#define SQL_UI(name) CLASS("org.apache.spark.sql.execution.ui.SparkListener" name)
#define STREAM(name) CLASS("org.apache.spark.sql.streaming.StreamingQueryListener$" name)
#define SCHEDULER(name) CLASS("org.apache.spark.scheduler.SparkListener" name)
#define CLASS(name)                                                                      \
    {                                                                                    \
        name, sizeof(name) - 1                                                           \
    }
#define EXCLUDED(name)                                                                   \
    { CORE(name), EVENT_EXECUTOR_EXCLUDED, &excluded_shape },                            \
    {                                                                                    \
        SCHEDULER(name), EVENT_EXECUTOR_EXCLUDED, &excluded_shape                        \
    }
#define NOT_USED(name)                                                                   \
    { CORE(name), EVENT_IGNORED, &ignored_shape },                                       \
    {                                                                                    \
        SCHEDULER(name), EVENT_IGNORED, &ignored_shape                                   \
    }

/* The frequent ones first: searched in order. */
static const struct event_class event_classes[] = {
    { CORE("TaskEnd"), EVENT_TASK_END, &task_end_shape },
    { CORE("TaskStart"), EVENT_TASK_START, &task_start_shape },
    { CORE("BlockUpdated"), EVENT_BLOCK_UPDATED, &block_updated_shape },
    { CORE("StageExecutorMetrics"), EVENT_STAGE_EXECUTOR_METRICS, &stage_peaks_shape },
    { SQL_UI("DriverAccumUpdates"), EVENT_DRIVER_ACCUMS, &driver_accums_shape },
    { SQL_UI("SQLAdaptiveExecutionUpdate"), EVENT_SQL_PLAN, &sql_plan_shape },
    { CORE("StageSubmitted"), EVENT_STAGE_SUBMITTED, &stage_shape },
    { CORE("StageCompleted"), EVENT_STAGE_COMPLETED, &stage_shape },
    { CORE("JobStart"), EVENT_JOB_START, &job_start_shape },
    { CORE("JobEnd"), EVENT_JOB_END, &job_end_shape },
    { SQL_UI("SQLExecutionStart"), EVENT_SQL_START, &sql_start_shape },
    { SQL_UI("SQLExecutionEnd"), EVENT_SQL_END, &sql_end_shape },
    { SQL_UI("SQLAdaptiveSQLMetricUpdates"), EVENT_SQL_METRICS, &sql_plan_shape },
    { CORE("TaskGettingResult"), EVENT_TASK_GETTING_RESULT, &task_result_shape },
    { CORE("UnpersistRDD"), EVENT_UNPERSIST, &unpersist_shape },
    { CORE("ExecutorAdded"), EVENT_EXECUTOR_ADDED, &executor_shape },
    { CORE("ExecutorRemoved"), EVENT_EXECUTOR_REMOVED, &executor_shape },
    { CORE("BlockManagerAdded"), EVENT_BLOCK_MANAGER_ADDED, &manager_shape },
    { CORE("BlockManagerRemoved"), EVENT_BLOCK_MANAGER_REMOVED, &manager_shape },
    { CORE("LogStart"), EVENT_LOG_START, &version_shape },
    { CLASS("DBCEventLoggingListenerMetadata"), EVENT_LOG_START, &version_shape },
    { CLASS("com.databricks.backend.daemon.driver.DBCEventLoggingListenerMetadata"),
      EVENT_LOG_START, &version_shape },
    { CORE("ApplicationStart"), EVENT_APP_START, &app_shape },
    { CORE("ApplicationEnd"), EVENT_APP_END, &app_shape },
    { CORE("EnvironmentUpdate"), EVENT_ENVIRONMENT, &environment_shape },
    { CORE("ResourceProfileAdded"), EVENT_RESOURCE_PROFILE, &profile_shape },
    { STREAM("QueryStartedEvent"), EVENT_STREAM_STARTED, &stream_shape },
    { STREAM("QueryProgressEvent"), EVENT_STREAM_PROGRESS, &stream_shape },
    { STREAM("QueryTerminatedEvent"), EVENT_STREAM_TERMINATED, &stream_shape },
    EXCLUDED("ExecutorExcluded"),
    EXCLUDED("ExecutorExcludedForStage"),
    EXCLUDED("NodeExcluded"),
    EXCLUDED("NodeExcludedForStage"),
    EXCLUDED("ExecutorBlacklisted"),
    EXCLUDED("ExecutorBlacklistedForStage"),
    EXCLUDED("NodeBlacklisted"),
    EXCLUDED("NodeBlacklistedForStage"),
    NOT_USED("ExecutorUnexcluded"),
    NOT_USED("NodeUnexcluded"),
    NOT_USED("ExecutorUnblacklisted"),
    NOT_USED("NodeUnblacklisted"),
    NOT_USED("ExecutorMetricsUpdate"),
    NOT_USED("SpeculativeTaskSubmitted"),
    NOT_USED("UnschedulableTaskSetAdded"),
    NOT_USED("UnschedulableTaskSetRemoved"),
    NOT_USED("MiscellaneousProcessAdded"),
    { STREAM("QueryIdleEvent"), EVENT_IGNORED, &ignored_shape },
    { SQL_UI("QueryExecutionMetrics"), EVENT_IGNORED, &ignored_shape },
};

static const struct event_class *event_class_of(struct sv name)
{
    static const struct sv unused[] = {
        CLASS("org.apache.spark.sql.catalyst.catalog."),
        CLASS("org.apache.spark.sql.connect.service.SparkListenerConnect"),
        CLASS("org.apache.spark.sql.hive.thriftserver.ui.SparkListenerThriftServer"),
    };
    static const struct event_class ignored = { { 0 }, EVENT_IGNORED, &ignored_shape };
    static const struct event_class unknown = { { 0 }, EVENT_UNKNOWN, &ignored_shape };

    for (size_t i = 0; i < ARRAY_LEN(event_classes); i++)
        if (sv_eq(event_classes[i].name, name))
            return &event_classes[i];
    for (size_t i = 0; i < ARRAY_LEN(unused); i++)
        if (sv_starts(name, unused[i]))
            return &ignored;
    return &unknown;
}

/* ---- one line ---- */

static void note(struct event_batch *b, enum line_damage kind, uint64_t offset)
{
    GROW(b->damage, b->n_damage, b->cap_damage);
    b->damage[b->n_damage++] = (struct damage_note){ kind, b->lines, offset };
}

static void begin_line(struct decode *d)
{
    d->scan = (struct scan){ .arena = &d->batch->arena };
    d->duplicate = d->event_again = d->lacking = d->metrics_last = false;
    d->task_peak = NONE;
    d->task_host = (struct sv){ 0 };
    d->stack_len = 0;
}

/* What a line holds. */
struct line_event {
    const struct event_class *class; /* NULL: no event, though JSON */
    struct sv name;
    void *body; /* NULL: none, or not complete */
};

/* Reads the object at p as an event of the class that is already known. */
static const char *read_event(struct decode *d, const char *p, bool inside,
                              struct line_event *out)
{
    const struct shape *sh = out->class->shape;
    static char nothing; /* where events without a record would put their fields */
    void *rec = &nothing;

    if (sh->size) {
        rec = take_bytes(d->scan.arena, sh->size);
        memcpy(rec, blank_of(sh), sh->size);
    }
    d->rec = rec;
    d->blank = blank_of(sh);
    if (!inside) {
        p = read_object(d, p, sh, rec);
    } else {
        d->scan.depth++;
        p = skip_blanks(&d->scan, p);
        if (*p == ',')
            p = read_members(d, skip_blanks(&d->scan, p + 1), sh, rec);
        else
            p = *p == '}' ? p + 1 : NULL;
        d->scan.depth--;
    }
    if (p && sh->size && is_complete(d, sh, rec))
        out->body = rec;
    return p;
}

/* The last "Event" of the object at p. The position behind the object. */
static const char *find_event(struct decode *d, const char *p, struct sv *name)
{
    struct scan *s = &d->scan;

    s->depth++;
    p = skip_blanks(s, p + 1);
    if (*p == '}')
        goto done;
    for (;;) {
        struct sv key;

        if (*p != '"' || !(p = read_string(s, p, &key)))
            return NULL;
        p = skip_blanks(s, p);
        if (*p != ':')
            return NULL;
        p = skip_blanks(s, p + 1);
        if (!(p = sv_is(key, "Event") ? read_text(d, p, name) : skip_value(s, p)))
            return NULL;
        p = skip_blanks(s, p);
        if (*p == '}')
            break;
        if (*p != ',')
            return NULL;
        p = skip_blanks(s, p + 1);
    }
done:
    s->depth--;
    return p + 1;
}

/* Any value at p, its event wherever it says so. */
static __attribute__((noinline)) const char *read_value(struct decode *d, const char *p,
                                                        struct line_event *out)
{
    const char *end;

    *out = (struct line_event){ 0 };
    if (*p != '{')
        return skip_value(&d->scan, p);
    if (!(end = find_event(d, p, &out->name)) || !out->name.p)
        return end;
    out->class = event_class_of(out->name);
    return read_event(d, p, false, out);
}

/* The value at p and the blanks behind it; NULL where the line is not JSON, else the
 * position of its newline. */
static const char *read_line(struct decode *d, const char *p, struct line_event *out)
{
    static const char start[32] = "{\"Event\":\"";
    const char *value = p, *end;

    *out = (struct line_event){ 0 };
    if (LIKELY(vec_same(p, start, 10))) {
        if (!(p = read_string(&d->scan, p + 9, &out->name)))
            return NULL;
        out->class = event_class_of(out->name);
        if (!(p = read_event(d, p, true, out)))
            return NULL;
    }
    if (p == value || d->event_again) {
        begin_line(d);
        if (!(p = read_value(d, value, out)))
            return NULL;
    }
    end = skip_blanks(&d->scan, p);
    return *end == '\n' ? end : NULL;
}

/* A copy of the line in which NaN, Infinity and -Infinity outside of strings are
 * null; NULL where there are none. The newline is copied too. */
static char *without_nan(struct arena *arena, const char *line, size_t len)
{
    static const struct sv words[] = { CLASS("NaN"), CLASS("Infinity"),
                                       CLASS("-Infinity") };
    bool found = false, inside = false;

    if (!memmem(line, len, "NaN", 3) && !memmem(line, len, "Infinity", 8))
        return NULL; /* most lines that are no JSON, and some are large */
    char *copy = arena_bytes(arena, 2 * len + 1 + DECODE_PADDING), *to = copy;
    for (size_t i = 0; i < len;) {
        struct sv rest = { line + i, len - i };
        size_t skip = 0;

        for (size_t w = 0; !inside && w < ARRAY_LEN(words); w++)
            if (sv_starts(rest, words[w]))
                skip = words[w].len;
        if (skip) {
            found = true;
            memcpy(to, "null", 4);
            to += 4;
            i += skip;
            continue;
        }
        if (inside && line[i] == '\\' && i + 1 < len)
            *to++ = line[i++];
        else if (line[i] == '"')
            inside = !inside;
        *to++ = line[i++];
    }
    memset(to, '\n', DECODE_PADDING + 1);
    return found ? copy : NULL;
}

static void add_event(struct event_batch *b, const struct line_event *e, uint64_t offset)
{
    GROW(b->events, b->n, b->cap);
    b->events[b->n++] = (struct event){
        .kind = e->class->kind,
        .line = b->lines,
        .offset = offset,
        .name = e->name,
        .body = e->body,
    };
}

static const char *line_end(const struct decode *d, const char *p)
{
    return memchr(p, '\n', (size_t)(d->text_end - p));
}

/* Decodes the line at `line`, which ends with a newline. Returns that. */
static const char *decode_line(struct decode *d, const char *line, uint64_t offset,
                               bool torn)
{
    struct event_batch *b = d->batch;
    struct line_event event;
    const char *p = line, *end = NULL;
    bool bare_nan = false;

    begin_line(d);
    if (UNLIKELY(byte_at(p) == 0xEF)) {
        end = line_end(d, line);
        if (end - line >= 5 && memcmp(line, "\xEF\xBB\xBF", 3) == 0) {
            note(b, DAMAGE_BOM, offset);
            p += 3;
        }
    }
    p = skip_blanks(&d->scan, p);
    if (UNLIKELY(*p == '\n')) {
        note(b, DAMAGE_EMPTY, offset);
        if (d->scan.nul)
            note(b, DAMAGE_NUL, offset);
        return p;
    }
    bool nul = d->scan.nul;
    end = read_line(d, p, &event);
    if (UNLIKELY(!end)) {
        end = line_end(d, p);
        char *copy = without_nan(&b->arena, p, (size_t)(end - p));

        begin_line(d);
        if (!copy || !read_line(d, copy, &event)) {
            note(b, torn ? DAMAGE_TORN : DAMAGE_NOT_JSON, offset);
            return end;
        }
        bare_nan = true;
    }
    if (UNLIKELY(d->scan.nul || nul))
        note(b, DAMAGE_NUL, offset);
    if (UNLIKELY(end[-1] == '\r'))
        note(b, DAMAGE_CRLF, offset);
    if (UNLIKELY(d->scan.high) && !utf8_valid((struct sv){ line, (size_t)(end - line) }))
        note(b, DAMAGE_UTF8, offset);
    if (UNLIKELY(d->duplicate))
        note(b, DAMAGE_DUPLICATE_KEY, offset);
    if (UNLIKELY(bare_nan))
        note(b, DAMAGE_BARE_NAN, offset);
    if (UNLIKELY(!event.class))
        note(b, DAMAGE_NO_EVENT, offset);
    else if (UNLIKELY(!event.body && event.class->shape->size))
        note(b, DAMAGE_FIELDS, offset);
    else
        add_event(b, &event, offset);
    return end;
}

/* ---- the chunk ---- */

#define THIS_ISA VEC_JOIN(decode_isa_, DECODE_ISA)
extern const struct decode_isa THIS_ISA;

/* The text with a newline and padding behind it. */
static char *with_newline(struct arena *arena, const char *text, size_t len)
{
    char *copy = arena_bytes(arena, len + 1 + DECODE_PADDING);

    if (len)
        memcpy(copy, text, len);
    memset(copy + len, '\n', DECODE_PADDING + 1);
    return copy;
}

static void decode_lines(const char *text, size_t len, bool last, struct event_batch *b)
{
    const char *tail = len ? memrchr(text, '\n', len) : NULL;
    size_t whole = tail ? (size_t)(tail - text) + 1 : 0;
    struct decode d = { .batch = b, .text_end = text + whole };

    if (!b->memo)
        b->memo = xcalloc(1, sizeof *d.memo);
    d.memo = b->memo;
    if (d.memo->made_by != &THIS_ISA) { /* its pointers are to tables of another */
        d.memo->made_by = &THIS_ISA;
        forget_fields(d.memo);
        forget_guesses(d.memo);
    }
    for (const char *line = text; line < text + whole; b->lines++)
        line = decode_line(&d, line, (uint64_t)(line - text), false) + 1;
    if (whole < len) {
        const char *line = with_newline(&b->arena, text + whole, len - whole);

        d.text_end = line + (len - whole) + 1;
        decode_line(&d, line, whole, last);
        b->lines++;
    }
    free(d.stack);
}

/* Newlines are blanks to a parser of values and ends of lines to us, so they become
 * blanks here: alike in every place. */
static bool decode_valid(const char *text, size_t len)
{
    struct arena arena = { 0 };
    struct scan s = { .arena = &arena };
    char *copy = with_newline(&arena, text, len);
    const char *p = copy;

    for (size_t i = 0; i < len; i++)
        if (copy[i] == '\n')
            copy[i] = ' ';
    if (len >= 5 && memcmp(p, "\xEF\xBB\xBF", 3) == 0)
        p += 3;
    p = skip_value(&s, skip_blanks(&s, p));
    bool valid = p && *skip_blanks(&s, p) == '\n';
    arena_release(&arena);
    return valid;
}

static bool isa_supported(void)
{
#if VEC_LEVEL == 3
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("bmi2");
#elif VEC_LEVEL == 2
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2");
#elif VEC_LEVEL == 1
    return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
#else
    return true;
#endif
}

const struct decode_isa THIS_ISA = {
    .name = VEC_NAME,
    .supported = isa_supported,
    .lines = decode_lines,
    .valid = decode_valid,
};
