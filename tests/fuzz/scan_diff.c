/* The differential runner: makes short texts that are nearly JSON by the million and
 * compares every decoder with cJSON and with the others.
 *
 *     scan_diff COUNT [SEED [FILE...]]    lines of the files are mutated too
 *
 * Three sources in turn: a grammar that now and then breaks its own rules, mutated
 * lines, and random bytes of a JSON-like alphabet. The text that fails is printed
 * and written to scan_diff.bad. */
#include "base/err.h"
#include "tests/fuzz/scan_oracle.h"

#include <time.h>

enum { MAX_TEXT = 4096, MAX_SEEDS = 4096 };

static uint64_t rng;

static uint32_t rnd(uint32_t n)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return (uint32_t)((rng >> 32) * n >> 32);
}

struct text {
    char p[MAX_TEXT];
    size_t len;
};

static struct sv seeds[MAX_SEEDS];
static uint32_t n_seeds;

static void add(struct text *t, const char *bytes, size_t n)
{
    if (n > MAX_TEXT - t->len)
        n = MAX_TEXT - t->len;
    memcpy(t->p + t->len, bytes, n);
    t->len += n;
}

static void addz(struct text *t, const char *z)
{
    add(t, z, strlen(z));
}

static void add_byte(struct text *t, int c)
{
    char byte = (char)c;

    add(t, &byte, 1);
}

/* ---- a grammar ---- */

static const char *const words[] = {
    "Event",
    "Stage ID",
    "Stage Attempt ID",
    "Task Info",
    "Task ID",
    "Index",
    "Attempt",
    "Accumulables",
    "ID",
    "Name",
    "Update",
    "Value",
    "Internal",
    "Count Failed Values",
    "Metadata",
    "sql",
    "Task Metrics",
    "Executor Run Time",
    "Executor CPU Time",
    "Shuffle Read Metrics",
    "Fetch Wait Time",
    "Task Executor Metrics",
    "JVMHeapMemory",
    "Job ID",
    "Stage Infos",
    "RDD Info",
    "RDD ID",
    "Parent IDs",
    "Properties",
    "Host Name",
    "SparkListenerTaskEnd",
    "SparkListenerTaskStart",
    "SparkListenerJobStart",
    "Reason",
    "SparkListenerStageSubmitted",
    "SparkListenerUnpersistRDD",
    "Task End Reason",
    "Metrics",
    "org.apache.spark.sql.execution.ui.SparkListenerSQLExecutionStart",
    "executionId",
    "sparkPlanInfo",
    "children",
    "metrics",
    "metadata",
    "nodeName",
    "accumulatorId",
    "org.apache.spark.sql.execution.ui.SparkListenerDriverAccumUpdates",
    "accumUpdates",
    "internal.metrics.executorRunTime",
    "internal.metrics.peakExecutionMemory",
    "number of output rows",
    "SparkListenerEnvironmentUpdate",
    "Spark Properties",
    "Timestamp",
    "org.apache.spark.sql.streaming.StreamingQueryListener$QueryProgressEvent",
    "progress",
    "sources",
    "numInputRows",
    "id",
    "a",
    "",
};

static void make_blanks(struct text *t)
{
    while (rnd(12) == 0)
        add_byte(t, rnd(4) ? " \t\r"[rnd(3)] : (int)rnd(34));
}

static void make_number(struct text *t)
{
    static const char *const odd[] = {
        "-",
        "-0",
        "01",
        "1.",
        "-.5",
        ".5",
        "1e5",
        "1E+5",
        "1e-5",
        "1e",
        "1e+",
        "1.5e3",
        "+1",
        "1-2",
        "--1",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775809",
        "0x1",
        "1.2.3",
        "1e5.",
        "NaN",
        "Infinity",
        "-Infinity",
        "-NaN",
        "1.0",
        "12e0",
        "0.0e9",
        "123456789012345678901234567890123456789012345678901234567890123",
        "1234567890123456789012345678901234567890123456789012345678901234",
        "0000000000000000000000000000000000000000000000000000000000000.5",
    };

    if (rnd(6) == 0) {
        addz(t, odd[rnd(ARRAY_LEN(odd))]);
        return;
    }
    for (uint32_t n = 1 + (rnd(4) ? rnd(6) : rnd(22)); n; n--)
        add_byte(t, '0' + (int)rnd(10));
}

static void make_escape(struct text *t)
{
    static const char *const escapes[] = {
        "\\n",
        "\\\"",
        "\\\\",
        "\\/",
        "\\t",
        "\\b",
        "\\f",
        "\\r",
        "\\u0041",
        "\\u00e9",
        "\\u0000",
        "\\u20AC",
        "\\uD83D\\uDE00",
        "\\uD83D",
        "\\uDE00",
        "\\uD83D\\u0041",
        "\\uD83D\\n",
        "\\u12",
        "\\uZZZZ",
        "\\u12\\\"",
        "\\x",
        "\\",
        "\\u",
        "\\u123\\",
        "\\u000g",
        "\\uD83Dx",
        "\\'",
    };

    addz(t, escapes[rnd(rnd(3) ? 13 : ARRAY_LEN(escapes))]);
}

static void make_string(struct text *t)
{
    add_byte(t, '"');
    if (rnd(3)) {
        const char *word = words[rnd(ARRAY_LEN(words))];

        if (rnd(16) == 0 && *word) {
            char unit[16];

            snprintf(unit, sizeof unit, "\\u%04x", (unsigned)*word++);
            addz(t, unit);
        }
        addz(t, word);
    }
    if (rnd(8) == 0) {
        for (uint32_t n = rnd(rnd(4) ? 8 : 80); n; n--) {
            switch (rnd(10)) {
            case 0:
            case 1:
                make_escape(t);
                break;
            case 2:
                addz(t, "\xC3\xA9");
                break;
            case 3:
                add_byte(t, (int)rnd(256));
                break;
            default:
                add_byte(t, 'a' + (int)rnd(26));
            }
        }
    }
    if (rnd(200))
        add_byte(t, '"');
}

static void make_value(struct text *t, uint32_t depth);

static void make_members(struct text *t, uint32_t depth, bool object)
{
    for (uint32_t n = rnd(6), i = 0; i < n; i++) {
        make_blanks(t);
        if (object) {
            make_string(t);
            make_blanks(t);
            if (rnd(100))
                add_byte(t, ':');
        }
        make_value(t, depth + 1);
        if (i + 1 < n ? rnd(100) != 0 : rnd(100) == 0)
            add_byte(t, ',');
    }
    make_blanks(t);
}

static void make_value(struct text *t, uint32_t depth)
{
    static const char *const literals[] = { "true", "false", "null", "tru",
                                            "nul",  "TRUE",  "nulll" };

    make_blanks(t);
    switch (depth > 5 ? 3 + rnd(3) : rnd(6)) {
    case 0:
    case 1:
        add_byte(t, '{');
        if (depth == 0 && rnd(3)) {
            addz(t, "\"Event\":");
            make_string(t);
            if (rnd(20))
                add_byte(t, ',');
        }
        make_members(t, depth, true);
        if (rnd(100))
            add_byte(t, rnd(50) ? '}' : ']');
        break;
    case 2:
        add_byte(t, '[');
        make_members(t, depth, false);
        if (rnd(100))
            add_byte(t, rnd(50) ? ']' : '}');
        break;
    case 3:
        make_string(t);
        break;
    case 4:
        make_number(t);
        break;
    default:
        addz(t, literals[rnd(rnd(8) ? 3 : ARRAY_LEN(literals))]);
    }
    make_blanks(t);
}

static void make_nest(struct text *t)
{
    uint32_t depth = 990 + rnd(20), objects = rnd(2);

    for (uint32_t i = 0; i < depth; i++)
        addz(t, objects ? "{\"\":" : "[");
    if (objects)
        add_byte(t, '1');
    for (uint32_t i = 0; i < depth; i++)
        add_byte(t, objects ? '}' : ']');
}

/* ---- mutation ---- */

static void mutate_once(struct text *t)
{
    static const char alphabet[] =
        "\"\\{}[]:,0123456789-+.eE ntrufalsNI\t\r\n\xEF\xC3\x80/\x01";
    size_t at = t->len ? rnd((uint32_t)t->len) : 0, n = 1 + rnd(rnd(4) ? 3 : 40);

    if (n > t->len - at)
        n = t->len - at;
    switch (rnd(7)) {
    case 0: /* another byte */
        if (t->len)
            t->p[at] = alphabet[rnd(sizeof alphabet)];
        break;
    case 1: /* any bit */
        if (t->len)
            t->p[at] = (char)(t->p[at] ^ 1 << rnd(8));
        break;
    case 2: /* cut out */
        memmove(t->p + at, t->p + at + n, t->len - at - n);
        t->len -= n;
        break;
    case 3: /* say it twice */
        if (t->len + n <= MAX_TEXT) {
            memmove(t->p + at + n, t->p + at, t->len - at);
            t->len += n;
        }
        break;
    case 4: { /* put in a value */
        struct text piece;

        piece.len = 0;
        if (rnd(2))
            make_value(&piece, 4);
        else
            make_escape(&piece);
        if (t->len + piece.len <= MAX_TEXT) {
            memmove(t->p + at + piece.len, t->p + at, t->len - at);
            memcpy(t->p + at, piece.p, piece.len);
            t->len += piece.len;
        }
        break;
    }
    case 5: /* a blank */
        if (t->len < MAX_TEXT) {
            memmove(t->p + at + 1, t->p + at, t->len - at);
            t->p[at] = (char)(rnd(8) ? ' ' : (int)rnd(33));
            t->len++;
        }
        break;
    default: /* the end is missing */
        if (rnd(4) == 0)
            t->len = at;
    }
}

static void make_text(struct text *t, uint64_t i)
{
    t->len = 0;
    if (rnd(64) == 0)
        addz(t, "\xEF\xBB\xBF");
    switch (i % 8) {
    case 0:
    case 1:
    case 2:
        make_value(t, 0);
        break;
    case 3:
        for (uint32_t n = rnd(24); n; n--)
            add_byte(t, "\"\"\\u{}[]:,01-+.eE ntrufalsDdc8\x01\n"[rnd(33)]);
        break;
    case 4:
        if (rnd(2000) == 0)
            make_nest(t);
        else
            make_string(t);
        break;
    default:
        if (!n_seeds) {
            make_value(t, 0);
            break;
        }
        struct sv seed = seeds[rnd(n_seeds)];
        add(t, seed.p, seed.len);
        for (uint32_t n = rnd(4); n; n--)
            mutate_once(t);
    }
}

/* ---- seeds: lines of at most 1500 bytes, and records cut out of longer ones ---- */

static void load_seeds(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;

    if (!f)
        die("%s: cannot be read", path);
    while ((n = getline(&line, &cap, f)) > 0 && n_seeds < MAX_SEEDS) {
        size_t len = (size_t)n - (line[n - 1] == '\n');
        char *copy;

        if (len > 1500)
            continue;
        copy = xmalloc(len + 1);
        memcpy(copy, line, len);
        seeds[n_seeds++] = (struct sv){ copy, len };
    }
    free(line);
    fclose(f);
}

int main(int argc, char **argv)
{
    static struct oracle oracle;
    static struct text t;
    uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    time_t start = time(NULL);

    for (int i = 3; i < argc; i++)
        load_seeds(argv[i]);
    rng = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    for (uint64_t i = 0; i < count; i++) {
        make_text(&t, i);
        const char *why = oracle_disagrees(&oracle, t.p, t.len);

        if (why) {
            FILE *f = fopen("scan_diff.bad", "wb");

            printf("after %" PRIu64 ": %s\n", i, why);
            fwrite(t.p, 1, t.len, stdout);
            putchar('\n');
            if (f) {
                fwrite(t.p, 1, t.len, f);
                fclose(f);
            }
            return 1;
        }
        if ((i + 1) % 1000000 == 0) {
            printf("%" PRIu64 " million, %" PRIu64 " accepted, %ld s\n",
                   (i + 1) / 1000000, oracle.accepted, (long)(time(NULL) - start));
            fflush(stdout);
        }
    }
    printf("%" PRIu64 " texts, %" PRIu64 " of them JSON: all agree\n", count,
           oracle.accepted);
    oracle_release(&oracle);
    return 0;
}
