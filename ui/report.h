/* What every view of an analysis shows: findings, facts, completeness, next command.
 * Gathered once; render_*.c and json_report.c only write it. */
#ifndef UI_REPORT_H
#define UI_REPORT_H

#include "rules/fit.h"
#include "rules/loss.h"
#include "rules/scale.h"
#include "ui/page.h"

/* Answers to the first three questions, without judgement. APP_NONE: the log does not
 * say. */
struct facts {
    int64_t input_bytes, input_rows, input_files;
    int64_t output_bytes, output_rows, output_files;
    int64_t shuffle_write_bytes, shuffle_read_bytes;
    int64_t exchanges;                 /* stages that wrote shuffle data */
    uint32_t edge_from_ix, edge_to_ix; /* the shuffle that moved most; IX_NONE */
    int64_t edge_bytes;
    int64_t broadcast_bytes, broadcasts;
    int64_t result_bytes; /* sent to the driver by tasks */

    int64_t spill_memory_bytes, spill_disk_bytes;
    uint32_t spill_ix[3];            /* stages that spilled most to disk */
    size_t n_spill, spilling_stages; /* of the list; of all */
    int64_t peak_bytes; /* largest execution memory of a task, and its stage */
    uint32_t peak_ix;
    int64_t cache_memory_bytes,
        cache_disk_bytes; /* largest at one moment, each RDD's summed */

    int64_t tasks, failed_tasks, killed_tasks, speculative_tasks;
    uint32_t failing_ix;     /* the stage with most failed tasks; IX_NONE */
    int64_t failed_attempts; /* stage attempts that failed */
    int64_t retried_stages;  /* stages with more than one attempt that ran */
    int64_t jobs, failed_jobs, cancelled_jobs, lost_executors; /* cancelled: not failed */
    int64_t retry_ms; /* of the wall account */
};

/* Something to know about the log before trusting what follows. */
struct gap {
    const char *text; /* "2 lines are not JSON (first: app.zst:123, byte 4567)" */
    const char *kind; /* for machines: "not JSON" */
    int64_t count;
    struct sv part; /* p NULL: no place */
    int64_t line, offset;
    bool lossy; /* something of the application is missing */
};

struct report {
    const struct analysis *a;
    struct sv path; /* as the user would name the log */
    struct findings findings;
    uint32_t *shown; /* positions of findings as people see them: notes last */
    struct facts facts;
    struct gap *gaps;
    size_t n_gaps, cap_gaps;
    bool lossy;          /* some gap is */
    int64_t saving_ms;   /* findings.saving_ms */
    enum severity worst; /* of the findings, when there are any */
    bool healthy;        /* no finding above a note */
    bool has_outlook;
    struct outlook outlook; /* by report_outlook */
    bool has_loss;
    struct loss loss; /* by report_loss, with writes */
    struct writes writes;
    bool has_fit;
    struct fit fit; /* by report_fit */
    struct arena arena;
};

/* Computed when it is first asked for. */
const struct outlook *report_outlook(struct report *r);
const struct loss *report_loss(struct report *r);
const struct writes *report_writes(struct report *r);
const struct fit *report_fit(struct report *r);

/* The answer to a question in a sentence without an end; "": nothing is known. */
const char *report_answer(struct report *r, enum question q);

/* `a` and `path` stay the caller's. */
void report_build(struct report *r, const struct analysis *a, struct sv path);
void report_release(struct report *r);

/* Only completeness; no rules are run. */
void report_gaps(struct report *r, const struct app *app);

/* The path as people read it: "-" is standard input. */
const char *report_place(struct report *r, struct sv path);
/* What saving means for a stream, after the sum; "" for others. */
const char *report_stream_words(const struct report *r);
/* "log complete", "log in progress" ... for the header. */
const char *report_completeness(struct report *r);
/* The finding with that number in views for people. */
static inline const struct finding *report_shown(const struct report *r, size_t number)
{
    return &r->findings.items[r->shown[number - 1]];
}

/* What the verb ends with, by --fail-on. */
int report_code(const struct report *r, const struct cli *cli);
/* The severest severity; false where there is no finding. */
bool report_worst(const struct report *r, enum severity *out);
/* "stage 42, SQL 7 "daily join"": at most `max` characters of the description. */
const char *report_where(struct report *r, const struct finding *f, size_t max);
/* Labels for stages: "42", "42.1" where it is not the first attempt. */
const char *stage_label(struct arena *a, const struct stage *s);
/* Commands to type next, the best first, NULL at the end; none where there is nothing
 * to look at. */
const char *const *report_next(struct report *r);
/* Settings of all findings but notes by nature, merged: the finding with most to save wins
 * a key. */
struct kvs report_settings(struct report *r);
/* Number of an evidence value as text: exact for whole numbers. */
const char *evidence_text(struct arena *a, const struct evidence *e);

/* --- the renderers -------------------------------------------------------------------
 */

void render_text(struct page *p, struct report *r, const struct cli *cli);
void render_md(struct page *p, struct report *r);
void render_plain(struct strbuf *out, struct report *r);
/* Its records of completeness alone. */
void plain_gaps(struct strbuf *out, struct report *r);
void render_json(struct strbuf *out, struct report *r);
/* The settings of all findings in the form of spark-defaults.conf, with what they are for
 * as comments. */
void render_conf(struct strbuf *out, struct report *r);
/* "Next: ..." with as many of the commands as fit on the line, at least the first. */
void render_next(struct page *p, const char *const *commands);
/* A finding as on the first screen under its number: its place in r->shown, from 1. */
void render_finding(struct page *p, struct report *r, size_t number, bool all);

#endif
