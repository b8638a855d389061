/* The verbs and the options, each once. Help, man page, completions and the parser
 * all read these two tables. */
#include "ui/cli.h"

#include "base/mem.h"
#include "ui/graph.h"

#include <stdlib.h>

#define F(name) (1u << FORMAT_##name)
#define V(name) (1u << VERB_##name)
#define LOG_VERBS (V(ANALYZE) | V(WHATIF) | V(FLEET) | V(CHECK) | V(CONF) | V(GRAPH))
#define SQL_VERBS (V(RUN) | V(EXPLAIN))
#define TEXT_VERBS (LOG_VERBS | V(RULES) | V(HELP) | V(RUN))
#define ALL_VERBS ((1u << VERB_COUNT) - 1)
#define ANY_NUMBER ((size_t)-1)

/* --- verbs ---------------------------------------------------------------------- */

const struct verb verbs_all[VERB_COUNT] = {
    [VERB_ANALYZE] = {
        .name = "analyze",
        .args = "LOG...",
        .summary = "say what a Spark application did and what to change",
        .about =
            "Reads the event log and prints a verdict, up to five findings with the time each "
            "would save, and the next command to type. A lone path means this verb.\n\n"
            "LOG is an event log as Spark wrote it (plain, zstd, lz4, snappy, lzf or gzip), a "
            "rolling directory eventlog_v2_*, a zip from the History Server, a folder of "
            "applications, or - for standard input. What a file is, is decided by its content. "
            "Damaged and unfinished logs are analysed as far as they go, and the report says "
            "what is missing.\n\n"
            "With several applications, text is one line for each, newest first, and JSON one "
            "object a line in order of path.",
        .example = "spillway analyze app.zst\n"
                   "spillway analyze app.zst --stage 42\n"
                   "spillway analyze logs/ --json -j 4 > all.jsonl\n"
                   "spillway analyze app.zst --fail-on critical -f md -o report.md\n"
                   "spillway analyze app.zst --emit conf=fix.conf --emit json=app.json",
        .min_inputs = 1,
        .max_inputs = ANY_NUMBER,
        .formats = F(TEXT) | F(PLAIN) | F(JSON) | F(MD),
        .run = verb_analyze,
    },
    [VERB_RUN] = {
        .name = "run",
        .args = "[SCRIPT]",
        .summary = "run a Spark SQL script on the built-in engine, then analyse it",
        .about =
            "Runs the statements in order and prints their rows: as tables, or with --format as "
            "CSV or one JSON object a statement. SCRIPT is what spark-sql -f takes; - is standard "
            "input; -e takes SQL from the command line. Settings have Spark's names (--conf, SET). "
            "The engine plans, spills and logs as Spark 3.5 does; --executors, --cores and --memory "
            "say on what it does so.\n\n"
            "With --engine spark the script runs on the Spark that is found in SPARK_HOME, PATH or a "
            "virtual environment with pyspark; rows are then as spark-sql prints them.\n\n"
            "Afterwards the event log is analysed, unless --quiet says not to, or the rows went to "
            "standard output for a program. It is kept where --event-log says.",
        .example = "spillway run report.sql\n"
                   "spillway run -e 'select count(*) from parquet.`/data/t`' -q\n"
                   "spillway run report.sql --executors 4 --cores 2 --memory 2g --event-log logs/\n"
                   "spillway run report.sql --engine spark --master spark://host:7077",
        .min_inputs = 0,
        .max_inputs = 1,
        .formats = F(TEXT) | F(CSV) | F(JSON),
        .run = verb_run,
    },
    [VERB_EXPLAIN] = {
        .name = "explain",
        .args = "[SCRIPT]",
        .summary = "print the plans of a script's statements without running them",
        .about = "Physical plans in Spark's layout. SET and temporary views take effect, as later "
                 "statements need them; nothing else is run.",
        .example = "spillway explain report.sql\nspillway explain -e 'select 1' --extended",
        .min_inputs = 0,
        .max_inputs = 1,
        .formats = F(TEXT),
        .run = verb_explain,
    },
    [VERB_WHATIF] = {
        .name = "whatif",
        .args = "LOG",
        .summary = "predict the run on other resources, with more data, or with findings put right",
        .about =
            "Plays the log's tasks again on slots, after the waits they had, and prints the wall "
            "time with the change as a range, with what the replay without a change misses the log "
            "by. Of --conf it knows the settings behind the other options.\n\n"
            "Tasks keep a fixed part of their time; the rest goes with their data. Joins are not "
            "planned again: where more data would change a plan, that is said.",
        .example = "spillway whatif app.zst --executors 20 --cores 4\n"
                   "spillway whatif app.zst --data 10x\n"
                   "spillway whatif app.zst --fix skewed-join --partitions 400",
        .min_inputs = 1,
        .max_inputs = 1,
        .formats = F(TEXT) | F(JSON),
        .run = verb_whatif,
    },
    [VERB_FLEET] = {
        .name = "fleet",
        .args = "FOLDER...",
        .summary = "rank many applications by what can be saved",
        .about =
            "Analyses every log below the folders, on all cores, and adds the runs of each "
            "application up: wall time and core-hours that need not be, the newest run against "
            "the median of those before, the findings with most to save. Core-hours are those "
            "that executors were there for. Logs that cannot be read are listed.\n\n"
            "CSV is a line a run, JSON both views.",
        .example = "spillway fleet logs/\n"
                   "spillway fleet logs/ -f csv -o fleet.csv",
        .min_inputs = 1,
        .max_inputs = ANY_NUMBER,
        .formats = F(TEXT) | F(CSV) | F(JSON),
        .run = verb_fleet,
    },
    [VERB_CHECK] = {
        .name = "check",
        .args = "LOG...",
        .summary = "say whether a log is complete, and what is damaged or missing",
        .about =
            "Lists every kind of damage with its count and first place, parts that are missing, "
            "events that are not known, and times that go backwards. Exit status 0 means that "
            "nothing was lost, 3 that something was.",
        .example = "spillway check eventlog_v2_app-1/",
        .min_inputs = 1,
        .max_inputs = ANY_NUMBER,
        .formats = F(TEXT) | F(PLAIN) | F(JSON),
        .run = verb_check,
    },
    [VERB_CONF] = {
        .name = "conf",
        .args = "LOG",
        .summary = "list the settings in effect and where each came from",
        .about =
            "The settings that matter for performance with the value that was in effect: set for "
            "the application, changed in the session, or the default of that Spark version.",
        .example = "spillway conf app.zst",
        .min_inputs = 1,
        .max_inputs = 1,
        .formats = F(TEXT) | F(PLAIN) | F(JSON),
        .run = verb_conf,
    },
    [VERB_RULES] = {
        .name = "rules",
        .args = "[ID]",
        .summary = "list what is checked; of one rule: thresholds, limits, advice",
        .about = "Without ID one line for each rule. With ID what the rule looks at, each "
                 "threshold with its source, what it cannot see, and what it advises.",
        .example = "spillway rules\nspillway rules skewed-join",
        .min_inputs = 0,
        .max_inputs = 1,
        .formats = F(TEXT) | F(PLAIN) | F(JSON),
        .run = verb_rules,
    },
    [VERB_GRAPH] = {
        .name = "graph",
        .args = "LOG",
        .summary = "draw the stages: lineage, bytes moved, critical path",
        .about =
            "One node for each stage that ran, coloured by its share of the time, with the bytes "
            "on the edges and the critical path in blue. The format follows the name of the "
            "output file; on standard output it is txt. Without graphviz, svg, dot and txt still "
            "work.\n\n"
            "Of many stages those that matter least are folded: turns of a loop and branches of a "
            "union into one box beside the slowest of them, the rest into a box for each "
            "execution. What was folded or left out, and why, stands in the legend; dot and "
            "--max-nodes all keep every stage.\n\n"
            "With --base the stages of both runs are paired by their plans, descriptions and call "
            "sites: slower ones are orange, faster ones blue, those of one run alone are marked + "
            "and \xE2\x88\x92, and edges say what they moved then and now. Runs that have too "
            "little in common are not compared (exit status 3).\n\n"
            "With --plan the operators of one SQL execution are drawn inside the stages that ran "
            "them: time, rows, memory, spill, files read, and the finding that is about one.",
        .example = "spillway graph app.zst -o stages.svg\nspillway graph app.zst --sql 7\n"
                   "spillway graph app.zst --plan 7 -o plan.svg\n"
                   "spillway graph app.zst --split sql --interactive -o pictures\n"
                   "spillway graph --base yesterday.zst today.zst -o diff.svg",
        .min_inputs = 1,
        .max_inputs = 1,
        .formats = F(TXT) | F(SVG) | F(PNG) | F(DOT),
        .run = verb_graph,
    },
    [VERB_COMPLETION] = {
        .name = "completion",
        .args = "bash|zsh|fish",
        .summary = "print the completion script of a shell",
        .about = "bash: source <(spillway completion bash). zsh: save it as _spillway in a folder "
                 "of fpath. fish: save it as ~/.config/fish/completions/spillway.fish.",
        .example = "spillway completion bash > ~/.local/share/bash-completion/completions/spillway",
        .min_inputs = 1,
        .max_inputs = 1,
        .formats = F(TEXT),
        .run = verb_completion,
    },
    [VERB_HELP] = {
        .name = "help",
        .args = "[VERB]",
        .summary = "explain a verb",
        .about = "Without VERB an overview. With --man the man page in troff.",
        .example = "spillway help analyze",
        .min_inputs = 0,
        .max_inputs = 1,
        .formats = F(TEXT),
        .run = verb_help,
    },
    [VERB_VERSION] = {
        .name = "version",
        .args = "",
        .summary = "print the version",
        .about = "With --json also the schemas it writes and how it was built.",
        .example = "spillway version --json",
        .min_inputs = 0,
        .max_inputs = 0,
        .formats = F(TEXT) | F(JSON),
        .run = verb_version,
    },
};

const char *format_name(enum format f)
{
    static const char *const names[FORMAT_COUNT] = {
        [FORMAT_NONE] = "",     [FORMAT_TEXT] = "text", [FORMAT_PLAIN] = "plain",
        [FORMAT_JSON] = "json", [FORMAT_CSV] = "csv",   [FORMAT_MD] = "md",
        [FORMAT_SVG] = "svg",   [FORMAT_PNG] = "png",   [FORMAT_DOT] = "dot",
        [FORMAT_TXT] = "txt",
    };

    return names[f];
}

/* --- what options do ------------------------------------------------------------- */

/* A whole number from low to high. */
static bool number(const char *value, int64_t low, int64_t high, int64_t *out,
                   struct err *err)
{
    int64_t n;

    if (!sv_i64(sv(value), &n) || n < low || n > high) {
        err_set(err, ERR_USAGE,
                high == INT64_MAX ? "a whole number from %lld on"
                                  : "a whole number from %lld to %lld",
                (long long)low, (long long)high);
        return false;
    }
    *out = n;
    return true;
}

static bool small_number(const char *value, int low, int high, int *out, struct err *err)
{
    int64_t n;

    if (!number(value, low, high, &n, err))
        return false;
    *out = (int)n;
    return true;
}

static bool set_output(struct cli *cli, const char *value, struct err *err)
{
    if (!*value) {
        err_set(err, ERR_USAGE, "a file name, or - for standard output");
        return false;
    }
    cli->output = value;
    return true;
}

static bool set_format(struct cli *cli, const char *value, struct err *err)
{
    (void)err; /* values were checked by the table */
    for (int f = 1; f < FORMAT_COUNT; f++) {
        if (strcmp(value, format_name((enum format)f)) == 0)
            cli->format = (enum format)f;
    }
    return true;
}

static bool set_emit(struct cli *cli, const char *value, struct err *err)
{
    static const enum format kinds[] = { FORMAT_TEXT, FORMAT_PLAIN, FORMAT_JSON, FORMAT_MD };
    const char *equals = strchr(value, '=');
    struct sv kind = { value, equals ? (size_t)(equals - value) : 0 };
    struct emit e = { FORMAT_NONE, equals ? equals + 1 : "" };
    bool known = sv_is(kind, "conf");

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (sv_is(kind, format_name(kinds[i]))) {
            e.format = kinds[i];
            known = true;
        }
    if (!known || !*e.file) {
        err_set(err, ERR_USAGE, "KIND=FILE, KIND being conf, text, plain, json or md");
        return false;
    }
    GROW(cli->emits, cli->n_emits, cli->cap_emits);
    cli->emits[cli->n_emits++] = e;
    return true;
}

static bool set_json(struct cli *cli, const char *value, struct err *err)
{
    (void)value, (void)err;
    cli->format = FORMAT_JSON;
    return true;
}

static bool set_stage(struct cli *cli, const char *value, struct err *err)
{
    struct sv text = sv(value), attempt = { 0 };
    size_t dot = sv_find(text, SV("."));

    if (dot != SIZE_MAX) {
        attempt = sv_from(text, dot + 1);
        text.len = dot;
    }
    cli->stage_attempt = APP_NONE;
    cli->has_stage =
        sv_i64(text, &cli->stage_id) && cli->stage_id >= 0 &&
        (!attempt.p || (sv_i64(attempt, &cli->stage_attempt) && cli->stage_attempt >= 0));
    if (!cli->has_stage)
        err_set(err, ERR_USAGE, "a stage id, with .attempt if not the last: 42 or 42.1");
    return cli->has_stage;
}

static bool set_sql(struct cli *cli, const char *value, struct err *err)
{
    return cli->has_sql = number(value, 0, INT64_MAX, &cli->sql_id, err);
}

/* The same as --stage, --sql or --job, under one name. */
static bool set_focus(struct cli *cli, const char *value, struct err *err)
{
    struct graph_pick pick;

    if (!graph_pick_parse(sv(value), &pick)) {
        err_set(err, ERR_USAGE, "stage:42, sql:7 or job:3");
        return false;
    }
    switch (pick.scope) {
    case GRAPH_SQL:
        cli->has_sql = true;
        cli->sql_id = pick.id;
        break;
    case GRAPH_JOB:
        cli->has_job = true;
        cli->job_id = pick.id;
        break;
    default:
        cli->has_stage = true;
        cli->stage_id = pick.id;
        cli->stage_attempt = APP_NONE;
    }
    return true;
}

/* "sql:7,stage:3", checked here, used as text. */
static bool is_pick_list(const char *value, struct err *err)
{
    struct graph_pick pick;

    struct sv rest = sv(value);

    do {
        if (!graph_pick_next(&rest, &pick)) {
            err_set(err, ERR_USAGE, "a list of stage:42, sql:7 or job:3");
            return false;
        }
    } while (rest.len);
    return true;
}

static bool set_only(struct cli *cli, const char *value, struct err *err)
{
    GROW(cli->only, cli->n_only, cli->cap_only);
    cli->only[cli->n_only++] = value;
    return is_pick_list(value, err);
}

static bool set_hide(struct cli *cli, const char *value, struct err *err)
{
    GROW(cli->hide, cli->n_hide, cli->cap_hide);
    cli->hide[cli->n_hide++] = value;
    return is_pick_list(value, err);
}

static bool set_link_base(struct cli *cli, const char *value, struct err *err)
{
    cli->link_base = value;
    if (graph_link_allowed(sv(value)))
        return true;
    err_set(err, ERR_USAGE, "an address of http, https or a relative one, without blanks");
    return false;
}

static bool set_interactive(struct cli *cli, const char *value, struct err *err)
{
    (void)value;
    (void)err;
    return cli->interactive = true;
}

static bool set_split(struct cli *cli, const char *value, struct err *err)
{
    (void)value;
    (void)err;
    return cli->split = true;
}

static bool set_hops(struct cli *cli, const char *value, struct err *err)
{
    return number(value, 1, 1000, &cli->hops, err);
}

static bool set_plan(struct cli *cli, const char *value, struct err *err)
{
    return cli->has_plan = number(value, 0, INT64_MAX, &cli->plan_id, err);
}

static bool set_initial(struct cli *cli, const char *value, struct err *err)
{
    (void)value, (void)err;
    return cli->initial = true;
}

static bool set_job(struct cli *cli, const char *value, struct err *err)
{
    return cli->has_job = number(value, 0, INT64_MAX, &cli->job_id, err);
}

static bool set_why(struct cli *cli, const char *value, struct err *err)
{
    if (!*value) {
        err_set(err, ERR_USAGE, "a finding's id or number");
        return false;
    }
    cli->why = value;
    return true;
}

static bool set_fail_on(struct cli *cli, const char *value, struct err *err)
{
    (void)err;
    return cli->has_fail_on = severity_parse(sv(value), &cli->fail_on);
}

static bool set_top(struct cli *cli, const char *value, struct err *err)
{
    return small_number(value, 1, 100000, &cli->top, err);
}

static bool set_threads(struct cli *cli, const char *value, struct err *err)
{
    return small_number(value, 1, 1024, &cli->threads, err);
}

static bool set_quiet(struct cli *cli, const char *value, struct err *err)
{
    (void)value, (void)err;
    return cli->quiet = true;
}

static bool set_verbose(struct cli *cli, const char *value, struct err *err)
{
    (void)value, (void)err;
    return cli->verbose = true;
}

static bool set_color(struct cli *cli, const char *value, struct err *err)
{
    (void)err;
    cli->color = value[1] == 'l' ? WHEN_ALWAYS : value[0] == 'n' ? WHEN_NEVER : WHEN_AUTO;
    return true;
}

static bool set_ascii(struct cli *cli, const char *value, struct err *err)
{
    (void)value, (void)err;
    return cli->ascii = true;
}

static bool set_width(struct cli *cli, const char *value, struct err *err)
{
    return small_number(value, 40, 1000, &cli->width, err);
}

static bool set_progress(struct cli *cli, const char *value, struct err *err)
{
    (void)err;
    cli->no_progress = value[0] == 'n';
    return true;
}

static bool set_man(struct cli *cli, const char *value, struct err *err)
{
    (void)value, (void)err;
    return cli->man = true;
}

static bool set_help(struct cli *cli, const char *value, struct err *err)
{
    (void)value, (void)err;
    return cli->help = true;
}

static bool set_heat(struct cli *cli, const char *value, struct err *err)
{
    (void)err;
    cli->heat = value;
    return true;
}

static bool set_base(struct cli *cli, const char *value, struct err *err)
{
    (void)err;
    cli->base = value;
    return true;
}

static bool set_max_nodes(struct cli *cli, const char *value, struct err *err)
{
    if (strcmp(value, "all") == 0) {
        cli->max_nodes = 0;
        return true;
    }
    if (number(value, 1, 1000000, &cli->max_nodes, err))
        return true;
    err_set(err, ERR_USAGE, "a whole number from 1 on, or all");
    return false;
}

static bool set_layout_timeout(struct cli *cli, const char *value, struct err *err)
{
    if (units_parse_ms(sv(value), 1000, &cli->layout_timeout_ms) &&
        cli->layout_timeout_ms >= 0)
        return true;
    err_set(err, ERR_USAGE, "a time, as 10s or 2m; 0 for a picture without graphviz");
    return false;
}

static bool set_sql_text(struct cli *cli, const char *value, struct err *err)
{
    (void)err;
    GROW(cli->sql_texts, cli->n_sql_texts, cli->cap_sql_texts);
    cli->sql_texts[cli->n_sql_texts++] = value;
    return true;
}

static bool set_conf(struct cli *cli, const char *value, struct err *err)
{
    const char *equals = strchr(value, '=');

    if (!equals || equals == value) {
        err_set(err, ERR_USAGE, "key=value, as spark.sql.shuffle.partitions=8");
        return false;
    }
    GROW(cli->confs, cli->n_confs, cli->cap_confs);
    cli->confs[cli->n_confs++] = value;
    return true;
}

static bool set_executors(struct cli *cli, const char *value, struct err *err)
{
    return small_number(value, 1, 1000, &cli->executors, err);
}

static bool set_cores(struct cli *cli, const char *value, struct err *err)
{
    return small_number(value, 1, 1024, &cli->cores, err);
}

static bool set_memory(struct cli *cli, const char *value, struct err *err)
{
    int64_t bytes;

    if (!units_parse_bytes(sv(value), 1 << 20, &bytes) || bytes <= 0) {
        err_set(err, ERR_USAGE, "a size, as 1g or 512m");
        return false;
    }
    cli->memory = value;
    return true;
}

static bool set_partitions(struct cli *cli, const char *value, struct err *err)
{
    return number(value, 1, 10000000, &cli->partitions, err);
}

static bool set_data(struct cli *cli, const char *value, struct err *err)
{
    char *end;

    cli->data = strtod(value, &end);
    if (end != value && (*end == 'x' || *end == 'X'))
        end++;
    if (end != value && !*end && cli->data >= 0.001 && cli->data <= 1e6)
        return true;
    err_set(err, ERR_USAGE, "a factor from 0.001 to 1000000, as 10x");
    return false;
}

static bool set_fix(struct cli *cli, const char *value, struct err *err)
{
    (void)err;
    GROW(cli->fixes, cli->n_fixes, cli->cap_fixes);
    cli->fixes[cli->n_fixes++] = value;
    return true;
}

static bool set_engine(struct cli *cli, const char *value, struct err *err)
{
    (void)err; /* the values were checked */
    cli->on_spark = strcmp(value, "spark") == 0;
    return true;
}

static bool set_master(struct cli *cli, const char *value, struct err *err)
{
    if (!*value) {
        err_set(err, ERR_USAGE, "a master, as local[4] or spark://host:7077");
        return false;
    }
    cli->master = value;
    return true;
}

static bool set_event_log(struct cli *cli, const char *value, struct err *err)
{
    if (!*value) {
        err_set(err, ERR_USAGE, "a folder");
        return false;
    }
    cli->event_log = value;
    return true;
}

static bool set_extended(struct cli *cli, const char *value, struct err *err)
{
    (void)value, (void)err;
    return cli->extended = true;
}

/* --- options ---------------------------------------------------------------------- */

const struct option options_all[] = {
    { .name = "output",
      .letter = 'o',
      .arg = "FILE",
      .help = "write there instead of standard output; whole or not at all",
      .verbs = ALL_VERBS,
      .set = set_output },
    { .name = "format",
      .letter = 'f',
      .arg = "FORMAT",
      .values = "text|plain|json|csv|md|svg|png|dot|txt",
      .help = "how to write it",
      .verbs = V(ANALYZE) | V(WHATIF) | V(FLEET) | V(CHECK) | V(CONF) | V(RULES) | V(GRAPH) | V(VERSION) |
               V(RUN),
      .set = set_format },
    { .name = "json",
      .help = "the same as --format json",
      .verbs = V(ANALYZE) | V(WHATIF) | V(FLEET) | V(CHECK) | V(CONF) | V(RULES) | V(VERSION) | V(RUN),
      .set = set_json },
    { .name = "emit",
      .arg = "KIND=FILE",
      .help = "write FILE besides: conf (the settings to change, as spark-defaults.conf has "
              "them), text, plain, json or md; may be given several times",
      .verbs = V(ANALYZE),
      .set = set_emit },
    { .name = "execute",
      .letter = 'e',
      .arg = "SQL",
      .help = "statements to run instead of a script; may be given several times",
      .verbs = SQL_VERBS,
      .set = set_sql_text },
    { .name = "conf",
      .arg = "KEY=VALUE",
      .help = "a setting under Spark's name; may be given several times",
      .verbs = SQL_VERBS | V(WHATIF),
      .set = set_conf },
    { .name = "executors",
      .arg = "N",
      .help = "that many executors (run: one, the driver itself)",
      .verbs = SQL_VERBS | V(WHATIF),
      .set = set_executors },
    { .name = "cores",
      .arg = "N",
      .help = "cores of each executor (run: all of the machine; 1 with --executors)",
      .verbs = SQL_VERBS | V(WHATIF),
      .set = set_cores },
    { .name = "memory",
      .arg = "SIZE",
      .help = "memory of each executor (run: 1g)",
      .verbs = SQL_VERBS | V(WHATIF),
      .set = set_memory },
    { .name = "partitions",
      .arg = "N",
      .help = "spark.sql.shuffle.partitions",
      .verbs = V(WHATIF),
      .set = set_partitions },
    { .name = "data",
      .arg = "TIMES",
      .help = "so many times the data: 10x, 0.5x",
      .verbs = V(WHATIF),
      .set = set_data },
    { .name = "fix",
      .arg = "FINDING",
      .help = "with this finding put right, by its id or number, or all; may be given several "
              "times",
      .verbs = V(WHATIF),
      .set = set_fix },
    { .name = "engine",
      .arg = "ENGINE",
      .values = "spillway|spark",
      .help = "run on the built-in engine, or on a real Spark by spark-sql",
      .verbs = V(RUN),
      .set = set_engine },
    { .name = "master",
      .arg = "URL",
      .help = "Spark's master; of the built-in engine local[..] or local-cluster[..]",
      .verbs = V(RUN),
      .set = set_master },
    { .name = "event-log",
      .arg = "DIR",
      .help = "keep the event log in that folder",
      .verbs = V(RUN),
      .set = set_event_log },
    { .name = "extended",
      .help = "the logical plans too",
      .verbs = V(EXPLAIN),
      .set = set_extended },
    { .name = "stage",
      .arg = "N[.ATTEMPT]",
      .help = "one stage in detail; graph: the stage and what is near it",
      .verbs = V(ANALYZE) | V(GRAPH),
      .set = set_stage },
    { .name = "sql",
      .arg = "N",
      .help = "one SQL execution: its plan with rows, times and bytes",
      .verbs = V(ANALYZE) | V(GRAPH),
      .set = set_sql },
    { .name = "job",
      .arg = "N",
      .help = "one job and its stages",
      .verbs = V(ANALYZE) | V(GRAPH),
      .set = set_job },
    { .name = "why",
      .arg = "FINDING",
      .help = "what a finding rests on, by its id or number: numbers, thresholds, claims",
      .verbs = V(ANALYZE),
      .set = set_why },
    { .name = "fail-on",
      .arg = "SEVERITY",
      .values = "note|warning|critical",
      .help = "exit 1 if there is a finding of that severity or above",
      .verbs = V(ANALYZE) | V(FLEET),
      .set = set_fail_on },
    { .name = "top",
      .arg = "N",
      .help = "show at most N findings (5), or N tasks of a stage (10)",
      .verbs = V(ANALYZE) | V(WHATIF) | V(FLEET),
      .set = set_top },
    { .name = "focus",
      .arg = "KIND:ID",
      .help = "stage:42, sql:7 or job:3 and what is near it; the same as --stage 42 ...",
      .verbs = V(GRAPH),
      .set = set_focus },
    { .name = "only",
      .arg = "KIND:ID",
      .help = "nothing but these: stage:42,sql:7,job:3; may be given several times",
      .verbs = V(GRAPH),
      .set = set_only },
    { .name = "hide",
      .arg = "KIND:ID",
      .help = "all but these; may be given several times",
      .verbs = V(GRAPH),
      .set = set_hide },
    { .name = "hops",
      .arg = "N",
      .help = "so many steps around the stage (2), the SQL execution or the job",
      .verbs = V(GRAPH),
      .set = set_hops },
    { .name = "plan",
      .arg = "N",
      .help = "the plan of SQL execution N: operators in their stages, with rows and time",
      .verbs = V(GRAPH),
      .set = set_plan },
    { .name = "initial",
      .help = "with --plan: the plan before adaptive execution beside the final one",
      .verbs = V(GRAPH),
      .set = set_initial },
    { .name = "base",
      .arg = "LOG",
      .help = "what changed since this run of the same job: slower, faster, new, gone",
      .verbs = V(GRAPH),
      .set = set_base },
    { .name = "heat",
      .arg = "WHAT",
      .values = "wall|task|cpu|shuffle|spill|gc|rows|mem",
      .help = "what the colour of a stage means",
      .verbs = V(GRAPH),
      .set = set_heat },
    { .name = "max-nodes",
      .arg = "N|all",
      .help = "fold the stages that matter least beyond N",
      .verbs = V(GRAPH),
      .set = set_max_nodes },
    { .name = "split",
      .arg = "BY",
      .values = "sql",
      .help = "a picture of each SQL execution and an index, into the folder of --output",
      .verbs = V(GRAPH),
      .set = set_split },
    { .name = "interactive",
      .help = "svg with a script in it: pan, zoom, / to search, click to see what feeds what",
      .verbs = V(GRAPH),
      .set = set_interactive },
    { .name = "link-base",
      .arg = "URL",
      .help = "stages link there: {stage} and {attempt} are filled in, else #stage-N is added",
      .verbs = V(GRAPH),
      .set = set_link_base },
    { .name = "layout-timeout",
      .arg = "TIME",
      .help = "time limit of graphviz's layout (10s); 0: a plainer svg without graphviz",
      .verbs = V(GRAPH),
      .set = set_layout_timeout },
    { .name = "jobs",
      .letter = 'j',
      .arg = "N",
      .help = "threads: of one log, or applications read at once",
      .verbs = LOG_VERBS,
      .set = set_threads },
    { .name = "quiet",
      .letter = 'q',
      .help = "no notes and no progress on standard error",
      .verbs = ALL_VERBS,
      .set = set_quiet },
    { .name = "verbose",
      .letter = 'v',
      .help = "all findings, with evidence, risk and what was not judged",
      .verbs = LOG_VERBS | V(RULES) | V(RUN),
      .set = set_verbose },
    { .name = "color",
      .arg = "WHEN",
      .values = "auto|always|never",
      .help = "colour the text (auto: on a terminal)",
      .verbs = TEXT_VERBS,
      .set = set_color },
    { .name = "ascii",
      .help = "no characters beyond ASCII",
      .verbs = TEXT_VERBS,
      .set = set_ascii },
    { .name = "width",
      .arg = "N",
      .help = "columns of text (else COLUMNS, else the terminal's)",
      .verbs = TEXT_VERBS,
      .set = set_width },
    { .name = "progress",
      .arg = "WHEN",
      .values = "auto|never",
      .help = "progress of long reads and runs on standard error",
      .verbs = LOG_VERBS | V(RUN),
      .set = set_progress },
    { .name = "man", .help = "the man page in troff", .verbs = V(HELP), .set = set_man },
    { .name = "help",
      .letter = 'h',
      .help = "explain the verb",
      .verbs = ALL_VERBS,
      .set = set_help },
};

const size_t n_options = ARRAY_LEN(options_all);
