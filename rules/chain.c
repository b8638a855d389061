/* Root causes link by link. See chain.h.
 *
 *     time       the entry of the account that gives most of what is claimed
 *     task       the slowest task of the first stage, where it stands out, and where it
 * ran task time  what that task did for most of the time data       what it read, against
 * the median task operator   which step of the plan did it columns    what that step is
 * keyed by setting    what decides it now
 *
 * The rules decide what is wrong; nothing is decided here. Every link is a fact of the
 * log, so a chain can be shorter than that, and stops where the log does. */
#include "rules/chain.h"

#include "rules/finding.h"
#include "rules/plan.h"
#include "rules/shape.h"

#include <inttypes.h>

#define STANDS_OUT 2.0   /* times the median task: as much as shapes look at */
#define MOST_COLUMNS 120 /* characters of a list of columns */

const char *chain_name(enum chain_kind kind)
{
    static const char *const names[] = {
        [CHAIN_TIME] = "time",           [CHAIN_TASK] = "task",
        [CHAIN_TASK_TIME] = "task time", [CHAIN_DATA] = "data",
        [CHAIN_OPERATOR] = "operator",   [CHAIN_COLUMNS] = "columns",
        [CHAIN_SETTING] = "setting",
    };

    return names[kind];
}

struct chain {
    struct findings *out;
    struct finding *f;
    const struct analysis *a;
    const struct shape *shape; /* of the first stage; NULL: it has none */
    const struct stage *stage;
};

static void add(struct chain *c, enum chain_kind kind, const char *text)
{
    c->f->chain[c->f->n_chain++] = (struct chain_link){ kind, text };
}

/* --- time ------------------------------------------------------------------------------
 */

static void add_time(struct chain *c)
{
    const struct claim *most = NULL;
    const struct ledgers *l = &c->a->ledgers;
    struct arena *arena = c->out->arena;

    for (size_t i = 0; i < c->f->n_claims; i++)
        if (c->f->claims[i].expected_ms > (most ? most->expected_ms : 0))
            most = &c->f->claims[i];
    if (!most)
        return;
    if (most->stage_ix == IX_NONE)
        add(c, CHAIN_TIME,
            arena_printf(arena, "%s of %s of the application goes to %s",
                         words_ms(c->out, l->wall_ms[most->entry]),
                         words_ms(c->out, l->wall_total_ms),
                         wall_entry_name(most->entry)));
    else
        add(c, CHAIN_TIME,
            arena_printf(
                arena, "%s of %s of stage %" PRId64 " goes to %s",
                words_ms(c->out, ledger_stage_ms(l, most->stage_ix, most->entry)),
                words_ms(c->out, ledger_stage_wall_ms(l, most->stage_ix)),
                c->a->app.stages[most->stage_ix].stage_id, wall_entry_name(most->entry)));
}

/* --- the slow task ---------------------------------------------------------------------
 */

static const char *where_it_ran(struct chain *c, uint32_t row)
{
    const struct app *app = &c->a->app;
    int64_t ix = task_field(&c->stage->task, row, TASK_EXECUTOR_IX);
    const struct executor *x;

    if (ix < 0 || (uint64_t)ix >= app->n_executors)
        return "";
    x = &app->executors[ix];
    return arena_printf(c->out->arena, ", on executor %s%s%s",
                        words_clean(c->out, x->id, 40), x->host.len ? " of " : "",
                        x->host.len ? words_clean(c->out, x->host, 60) : "");
}

static void add_task_time(struct chain *c, uint32_t row, int64_t task_ms)
{
    enum { COMPUTING, COLLECTING, FETCHING, WRITING, STARTING, WAITING, KINDS };
    static const char *const names[] = {
        [COMPUTING] = "computing",
        [COLLECTING] = "collecting garbage",
        [FETCHING] = "waiting for shuffle blocks",
        [WRITING] = "writing its shuffle",
        [STARTING] = "starting",
        [WAITING] = "waiting, for disk, network or another process",
    };
    const struct task_table *t = &c->stage->task;
    int64_t ms[KINDS], run = task_metric(t, row, METRIC_RUN_MS), rest = run;
    int most = 0;

    if (!task_flag(t, row, TASK_FLAG_HAS_METRICS) || run <= 0)
        return;
    ms[COMPUTING] = task_metric(t, row, METRIC_CPU_NS) / 1000000;
    ms[COLLECTING] = task_metric(t, row, METRIC_GC_MS);
    ms[FETCHING] = task_metric(t, row, METRIC_FETCH_WAIT_MS);
    ms[WRITING] = task_metric(t, row, METRIC_SHUFFLE_WRITE_NS) / 1000000;
    ms[STARTING] = task_metric(t, row, METRIC_DESERIALIZE_MS);
    for (int i = COMPUTING; i <= WRITING; i++)
        rest = max_i64(sub_sat(rest, ms[i]), 0);
    ms[WAITING] = ms[COMPUTING] > 0 ? rest : 0; /* old logs have no CPU time */
    for (int i = 1; i < KINDS; i++)
        if (ms[i] > ms[most])
            most = i;
    int64_t spilled = task_metric(t, row, METRIC_SPILL_DISK_BYTES);

    if (ms[most] > 0)
        add(c, CHAIN_TASK_TIME,
            arena_printf(c->out->arena, "%s of its %s it was %s%s",
                         words_ms(c->out, min_i64(ms[most], task_ms)),
                         words_ms(c->out, task_ms), names[most],
                         spilled > 0
                             ? arena_printf(c->out->arena, "; it spilled %s to disk",
                                            words_bytes(c->out, spilled))
                             : ""));
}

static void add_data(struct chain *c, uint32_t row)
{
    static const char *const of[] = { [DATA_SHUFFLE_BYTES] = "of shuffles",
                                      [DATA_SHUFFLE_ROWS] = "rows of shuffles",
                                      [DATA_INPUT_BYTES] = "of input",
                                      [DATA_INPUT_ROWS] = "rows of input" };
    enum data_kind kind;
    const struct shape *sh = c->shape;
    const double *its = row == sh->warm_row ? sh->data_warm : sh->data_hot;
    double ratio = shape_data_ratio(sh, its, &kind);
    bool rows;

    if (kind == DATA_NONE || ratio < STANDS_OUT) {
        add(c, CHAIN_DATA, "it has no more data than the others");
        return;
    }
    rows = kind == DATA_SHUFFLE_ROWS || kind == DATA_INPUT_ROWS;
    add(c, CHAIN_DATA,
        arena_printf(c->out->arena, "it reads %s %s, the median task %s",
                     rows ? words_count(c->out, whole(its[kind]))
                          : words_bytes(c->out, whole(its[kind])),
                     of[kind],
                     rows ? words_count(c->out, whole(sh->data_median[kind]))
                          : words_bytes(c->out, whole(sh->data_median[kind]))));
}

/* A task that is slow for its executor's start says nothing, unless its data does: then
 * the slowest warm one. */
static void add_task(struct chain *c)
{
    const struct shape *sh = c->shape;
    enum data_kind kind;
    uint32_t row;
    int64_t ms;

    if (!sh || !sh->detailed || sh->median_ms <= 0)
        return;
    row = shape_data_ratio(sh, sh->data_hot, &kind) >= STANDS_OUT ? sh->max_row
                                                                  : sh->warm_row;
    if (row == IX_NONE)
        return;
    ms = row == sh->warm_row ? sh->warm_max_ms : sh->max_ms;
    if ((double)ms < STANDS_OUT * sh->median_ms)
        return;
    add(c, CHAIN_TASK,
        arena_printf(c->out->arena,
                     "task %" PRId64 " of stage %" PRId64
                     " takes %s where the median of %u takes %s%s",
                     task_field(&c->stage->task, row, TASK_INDEX), c->stage->stage_id,
                     words_ms(c->out, ms), sh->n, words_ms(c->out, whole(sh->median_ms)),
                     where_it_ran(c, row)));
    add_task_time(c, row, ms);
    add_data(c, row);
}

/* --- the plan --------------------------------------------------------------------------
 */

/* What stands between the brackets after `open`; empty where there are none. Types and
 * calls have brackets of their own. */
static struct sv bracketed(struct sv text, const char *open)
{
    size_t from = sv_find(text, sv(open));
    int depth = 1;

    if (from >= text.len)
        return (struct sv){ 0 };
    from += strlen(open);
    for (size_t i = from; i < text.len; i++) {
        depth += (text.p[i] == '[') - (text.p[i] == ']');
        if (depth == 0)
            return (struct sv){ text.p + from, i - from };
    }
    return (struct sv){ 0 };
}

/* Columns without the numbers that Spark gives them: "user_id#42L" is user_id. */
static const char *without_ids(struct chain *c, struct sv list)
{
    char *text = arena_alloc(c->out->arena, list.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < list.len; i++) {
        if (list.p[i] != '#') {
            text[n++] = list.p[i];
            continue;
        }
        while (i + 1 < list.len && list.p[i + 1] >= '0' && list.p[i + 1] <= '9')
            i++;
        if (i + 1 < list.len && list.p[i + 1] == 'L')
            i++;
    }
    return words_clean(c->out, (struct sv){ text, n }, MOST_COLUMNS);
}

static void add_columns(struct chain *c, const struct plan_node *node)
{
    const char *open = node_is_grouping(node) ? "keys=[" : "[";
    struct sv keys;

    if (node_is_window(node)) /* [functions], [keys], [order] */
        open = "], [";
    keys = bracketed(node->detail, open);
    if (sv_trim(keys).len)
        add(c, CHAIN_COLUMNS, without_ids(c, keys));
}

static void add_operator(struct chain *c)
{
    const struct plan_node *node = NULL;
    struct sv name = c->f->operator;

    if (c->stage)
        (void)stage_shuffle_use(&c->a->app, &c->a->lineage, c->stage, &node);
    if (name.len)
        add(c, CHAIN_OPERATOR, words_clean(c->out, name, 80));
    else if (node)
        add(c, CHAIN_OPERATOR, words_clean(c->out, node->name, 80));
    if (node && (!name.len || sv_eq(name, node->name)))
        add_columns(c, node);
}

static void add_setting(struct chain *c)
{
    const struct app *app = &c->a->app;
    uint32_t ix = c->f->n_sqls ? app_sql_ix(app, c->f->sql_ids[0]) : IX_NONE;
    const struct kv *set;
    struct setting now;

    if (!c->f->settings.n)
        return;
    set = &c->f->settings.items[0];
    now = conf_get(app, ix == IX_NONE ? NULL : &app->sqls[ix], set->key.p);
    add(c, CHAIN_SETTING,
        arena_printf(c->out->arena, "%s is %s", words_clean(c->out, set->key, 0),
                     now.value.p ? words_clean(c->out, now.value, 60) : "not set"));
}

void chain_all(struct findings *out, const struct analysis *analysis,
               const struct shape *shapes)
{
    for (size_t i = 0; i < out->n; i++) {
        struct finding *f = &out->items[i];
        bool any = f->n_stages > 0;
        struct chain c = { out, f, analysis, any ? &shapes[f->stage_ixs[0]] : NULL,
                           any ? &analysis->app.stages[f->stage_ixs[0]] : NULL };

        f->chain = arena_array(out->arena, CHAIN_KINDS, sizeof *f->chain);
        add_time(&c);
        add_task(&c);
        add_operator(&c);
        add_setting(&c);
    }
}
