/* The command line: one table of verbs, one of options, and what every verb needs
 * to do its work. Help, man page and completions are made from the same tables.
 *
 * Results go to stdout (or --output), all else to stderr. A verb returns its exit
 * code. Where there are several, the worst wins (exit_worse). */
#ifndef UI_CLI_H
#define UI_CLI_H

#include "analyzer/load.h"
#include "base/units.h"
#include "base/utf8.h"
#include "rules/rule.h"

/* --- exit codes: the same for all verbs ------------------------------------ */

/* X(ID, code, meaning): EXIT_DONE and so on, as help and the man page have them. */
#define EXIT_CODES(X)                                                                    \
    X(DONE, 0, "done")                                                                   \
    X(FOUND, 1, "a finding at or above --fail-on")                                       \
    X(USAGE, 2, "wrong usage")                                                           \
    X(UNDECIDED, 3, "not decidable: the log is too incomplete")                          \
    X(INPUT, 4, "input unreadable, or not a Spark event log")                            \
    X(INTERNAL, 6, "internal error")                                                     \
    X(OUTPUT, 7, "output could not be written or rendered")                              \
    X(INTERRUPTED, 130, "interrupted (143: terminated)")

#define EXIT_ID(id, code, meaning) EXIT_##id = code,
enum exit_code { EXIT_CODES(EXIT_ID) };
#undef EXIT_ID

/* The worse of two, in the order 130 and above, 6, 4, 2, 7, 1, 3, 0. */
int exit_worse(int a, int b);
int exit_of(enum errc rc);

/* --- tables ------------------------------------------------------------------ */

enum verb_id {
    VERB_ANALYZE,
    VERB_RUN,
    VERB_EXPLAIN,
    VERB_WHATIF,
    VERB_FLEET,
    VERB_CHECK,
    VERB_CONF,
    VERB_RULES,
    VERB_GRAPH,
    VERB_COMPLETION,
    VERB_HELP,
    VERB_VERSION,
    VERB_COUNT
};

enum format {
    FORMAT_NONE, /* --format was not given: the verb's first one, or by the name of the
                    output */
    FORMAT_TEXT,
    FORMAT_PLAIN,
    FORMAT_JSON,
    FORMAT_CSV,
    FORMAT_MD,
    FORMAT_SVG,
    FORMAT_PNG,
    FORMAT_DOT,
    FORMAT_TXT,
    FORMAT_COUNT
};
const char *format_name(enum format f);

struct cli;

struct verb {
    const char *name, *args; /* args: "LOG..." as the synopsis shows it */
    const char *summary;     /* a few words, no capital, no full stop */
    const char *about;       /* paragraphs, separated by empty lines */
    const char *example;     /* one command, or several on lines of their own */
    size_t min_inputs, max_inputs;
    uint32_t formats; /* bit per enum format */
    int (*run)(const struct cli *cli);
};
extern const struct verb verbs_all[VERB_COUNT]; /* by enum verb_id */

struct option {
    const char *name;   /* "output": --output */
    char letter;        /* 'o', 0: none */
    const char *arg;    /* "FILE"; NULL: takes no value */
    const char *values; /* "auto|always|never" for completion and checking, else NULL */
    const char *help;   /* one line */
    uint32_t verbs;     /* bit per enum verb_id */
    /* Takes the value (NULL without arg). False: it is not one; err says what is. */
    bool (*set)(struct cli *cli, const char *value, struct err *err);
};
extern const struct option options_all[];
extern const size_t n_options;

/* --- one call ---------------------------------------------------------------- */

enum when { WHEN_AUTO, WHEN_ALWAYS, WHEN_NEVER };

struct cli {
    const struct verb *verb;
    const char *const *inputs; /* what is neither verb nor option, in order */
    size_t n_inputs;

    const char *output; /* NULL or "-": stdout */
    enum format format;
    struct emit { /* analyze --emit KIND=FILE, in order */
        enum format format; /* FORMAT_NONE: the settings to change */
        const char *file;
    } *emits;
    size_t n_emits, cap_emits;
    bool has_stage, has_sql, has_job;
    int64_t stage_id, stage_attempt; /* attempt APP_NONE: the last one */
    int64_t sql_id, job_id;
    const char *why; /* analyze --why; NULL: not given */
    bool has_fail_on;
    enum severity fail_on;
    int top;     /* 0: the view's own number */
    int threads; /* -j; 0: not given */
    bool quiet, verbose;
    enum when color;
    bool ascii; /* --ascii, or the locale is not UTF-8 */
    int width;  /* --width; 0: not given. See cli_width */
    bool no_progress;
    bool man;                  /* help --man */
    bool help;                 /* --help: of the verb, or of all */
    const char *heat;          /* graph --heat; NULL: not given */
    int64_t hops;              /* graph --hops; 0: not given */
    const char *link_base;     /* graph --link-base; NULL: not given */
    bool interactive, split;   /* graph --interactive, --split sql */
    const char **only, **hide; /* graph --only, --hide: lists of KIND:ID */
    size_t n_only, cap_only, n_hide, cap_hide;
    bool has_plan, initial;    /* graph --plan, --initial */
    int64_t plan_id;
    const char *base;          /* graph --base: the log compared with; NULL: not given */
    int64_t max_nodes;         /* graph --max-nodes; -1: not given, 0: all */
    int64_t layout_timeout_ms; /* graph --layout-timeout; -1: not given */
    const char **sql_texts;    /* run -e, in order */
    size_t n_sql_texts, cap_sql_texts;
    const char **confs; /* run --conf key=value, in order */
    size_t n_confs, cap_confs;
    int executors, cores;  /* run; 0: not given */
    const char *memory;    /* run --memory; NULL: not given */
    int64_t partitions;    /* whatif --partitions; 0: not given */
    double data;           /* whatif --data; 0: not given */
    const char **fixes;    /* whatif --fix, in order */
    size_t n_fixes, cap_fixes;
    bool on_spark;         /* run --engine spark */
    const char *master;    /* run --master; NULL: not given */
    const char *event_log; /* run --event-log; NULL: not given */
    bool extended;         /* explain --extended */
};

/* The format asked for, else the verb's first. */
enum format cli_format(const struct cli *cli);
/* Columns for text: --width, COLUMNS, the terminal's; 100 where none is known.
 * At least 40. */
int cli_width(const struct cli *cli);
/* Whether text for stdout (or --output) is to be coloured. */
bool cli_color(const struct cli *cli);

/* Lines on stderr: "spillway: ..." and, not with --quiet, notes. */
void cli_error(const char *fmt, ...) PRINTF_LIKE(1, 2);
void cli_note(const struct cli *cli, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Writes a whole result to --output or stdout. A failure is said on stderr and
 * gives EXIT_OUTPUT; a reader who left early is none. */
int cli_write(const struct cli *cli, struct sv text) MUST_CHECK;

/* The logs behind all inputs. */
struct log_set {
    struct arena arena;
    struct log_input
        *logs; /* in order of inputs; behind one input as log_list_find has them */
    size_t n, cap;
    bool searched;   /* an input was a folder of applications */
    size_t n_failed; /* inputs that gave none */
};

/* Finds them; says on stderr what went wrong and returns the worst code. What was
 * found may be used whatever the code. Release it in any case. */
int cli_open_logs(const struct cli *cli, struct log_set *set) MUST_CHECK;
void log_set_release(struct log_set *set);

/* Loads one log, with progress on stderr where that helps, and derives everything.
 * *a is zeroed before. A failure is said on stderr; *a is then released. */
int cli_load_analysis(const struct cli *cli, const struct log_input *log,
                      struct analysis *a) MUST_CHECK;

/* The same without a word: threads as struct load_options has them, progress may be
 * NULL, what went wrong is in err. */
struct progress;
enum errc cli_try_analysis(const struct log_input *log, int threads,
                           struct progress *progress, struct analysis *a,
                           struct err *err) MUST_CHECK;

/* Both steps for verbs that take one application: more than one is wrong usage, and
 * the message lists them. */
int cli_load_one(const struct cli *cli, struct analysis *a) MUST_CHECK;

/* Parses the arguments of main; says on stderr what is wrong. cli->inputs points
 * into argv. */
int cli_parse(struct cli *cli, int argc, char **argv) MUST_CHECK;

/* The nearest of the names, or NULL where none is near. */
const char *cli_nearest(const char *word, const char *const *names, size_t n);

/* --- verbs -------------------------------------------------------------------- */

int verb_analyze(const struct cli *cli);
int verb_run(const struct cli *cli);
int verb_explain(const struct cli *cli);
int verb_whatif(const struct cli *cli);
int verb_fleet(const struct cli *cli);
int verb_check(const struct cli *cli);
int verb_conf(const struct cli *cli);
int verb_rules(const struct cli *cli);
int verb_graph(const struct cli *cli);
int verb_completion(const struct cli *cli);
int verb_help(const struct cli *cli);
int verb_version(const struct cli *cli);

#endif
