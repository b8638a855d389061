/* Rules: what is checked, and what a check finds.
 *
 * A rule is a const descriptor in a file of its family, entered in rules/list.c.
 * It reads the application and the ledgers and adds findings. It claims seconds
 * only out of the wall ledger, never more than the entry holds; and it says so
 * when the log lacks what it needs. */
#ifndef RULES_RULE_H
#define RULES_RULE_H

#include "analyzer/analysis.h"
#include "base/strbuf.h"

enum severity { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_CRITICAL };
const char *severity_name(enum severity s);
/* False: no such severity. */
bool severity_parse(struct sv text, enum severity *out);

enum question {
    QUESTION_MOVES,
    QUESTION_SPILLS,
    QUESTION_FAILS,
    QUESTION_SCALES,
    QUESTION_FIT
};
const char *question_name(enum question q);

enum rule_answer { RULE_JUDGED, RULE_NO_DATA };

struct rule_param {
    const char *name; /* "ratio" */
    double value;
    const char *unit; /* "x", "ms", "bytes", "" */
    const char *meaning;
    const char *source; /* where the number comes from */
};

enum basis { BASIS_NONE, BASIS_MEASURED, BASIS_REPLAY };
const char *basis_name(enum basis b); /* "none", "measured", "replay" */

enum confidence { CONFIDENCE_LOW, CONFIDENCE_MEDIUM, CONFIDENCE_HIGH };
const char *confidence_name(enum confidence c);

struct evidence { /* one number or text, its unit in the key */
    const char *key;
    bool is_text;
    double number; /* exact for integers up to 2^53 */
    struct sv text;
};

struct rule;

/* Wall time that a finding says could go, out of one entry of the ledger. Ranking
 * cuts it to what the entry holds and to what larger claims have left of it. */
struct claim {
    uint32_t stage_ix; /* IX_NONE: the application's entry (driver code, planning ...) */
    enum wall_entry entry;
    int64_t low_ms, expected_ms, high_ms; /* low <= expected <= high */
};

/* From the time lost to what decides it, in this order; see rules/chain.h. */
enum chain_kind {
    CHAIN_TIME,
    CHAIN_TASK,
    CHAIN_TASK_TIME,
    CHAIN_DATA,
    CHAIN_OPERATOR,
    CHAIN_COLUMNS,
    CHAIN_SETTING
};
#define CHAIN_KINDS (CHAIN_SETTING + 1)

struct chain_link {
    enum chain_kind kind;
    const char *text;
};

struct finding {
    const struct rule *rule;
    enum severity severity; /* set by ranking from the seconds saved, see rules/list.c */
    bool fault; /* costs correctness or work whatever the seconds: at least a warning */
    bool note;  /* never more than a note: a fact, or a side effect of another finding */
    bool cuts_all; /* its remedy cuts all tasks of its stages, not the slowest alone */
    bool app_wide;
    uint32_t *stage_ixs;
    size_t n_stages;
    int64_t *job_ids;
    size_t n_jobs;
    int64_t *sql_ids;
    size_t n_sqls;
    struct sv *executor_ids;
    size_t n_executors;
    struct sv operator;        /* p NULL: none */
    const char *title, *cause; /* one sentence each */
    struct evidence *evidence;
    size_t n_evidence;
    struct claim *claims;
    size_t n_claims;
    bool has_saving; /* set by ranking, with the three sums: some claim was made */
    int64_t low_ms, expected_ms, high_ms;
    enum basis basis;
    enum confidence confidence;
    struct kvs settings; /* the exact diff to apply */
    const char **sql, **code;
    size_t n_sql, n_code;      /* hints and code patterns */
    const char *text;          /* what to do, one or two sentences */
    const char *risk, *verify; /* NULL: none */
    struct chain_link *chain;  /* set after ranking; one of a kind at most */
    size_t n_chain;
    const struct rule
        *follows; /* set by ranking: whose claim took the seconds; NULL: none */
};

struct findings {
    struct finding *items; /* after rules_run: most seconds saved first */
    size_t n, cap;
    struct not_judged {
        const struct rule *rule;
        const char *why,
            *enable; /* enable: the setting that would record it; may be NULL */
    } * not_judged;
    size_t n_not_judged, cap_not_judged;
    int64_t saving_ms; /* of all but notes by nature together, as a replay has it; 0: none */
    struct {
        int64_t low, expected, high;
    } wall_ms; /* the run with all of them put right; where saving_ms > 0 */
    struct arena *arena; /* owns all text and lists */
};

struct shape; /* rules/shape.h: what the tasks of a stage look like */

struct rule_input {
    const struct app *app;
    const struct analysis *analysis;
    const struct rule *rule;
    const struct shape *shapes; /* one per stage attempt */
    const double *params;       /* values in the order of the rule's params */
};

struct rule {
    const char *id, *title;
    enum question question;
    const char *what;   /* what it checks and how, a short paragraph */
    const char *advice; /* the remedy in general */
    const char *limits; /* when it is silent, and what it cannot see */
    const struct rule_param *params;
    size_t n_params;
    /* Adds findings. RULE_NO_DATA: nothing could be judged; rule->no_data_why and
     * rule->enable are then reported. */
    enum rule_answer (*check)(const struct rule_input *in, struct findings *out);
    const char *no_data_why, *enable;
};

extern const struct rule *const rules_all[]; /* by family, NULL at the end */
const struct rule *rule_by_id(struct sv id);

/* Runs every rule, ranks, and sets severities. *out may hold anything before; what
 * it holds after lives in the arena. */
void rules_run(struct findings *out, const struct analysis *analysis,
               struct arena *arena);

#endif
