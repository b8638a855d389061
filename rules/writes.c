/* Writes that a retry can leave wrong. See loss.h.
 *
 * From the plans' write commands: their lines name sink, folder and save mode. What the
 * writing stages went through tells whether it came to that. */
#include "rules/loss.h"

#include "analyzer/conf.h"
#include "rules/node.h"

#define COMMIT_KEY "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version"

struct hunt {
    const struct app *app;
    const struct sql *q;
    struct writes *out;
    struct arena *arena;
    struct sv folder;
    bool reads_it;
};

/* Of the execution, or of one nested in it: what such a sink runs is a query of its own.
 */
static bool ran_for(const struct hunt *h, const struct stage *s)
{
    const struct sql *q = stage_sql(h->app, s);

    return q && (q == h->q || q->root_id == h->q->execution_id);
}

static bool writes_files(const struct plan_node *node)
{
    return node_is(node, "Execute Insert");
}

/* Rows go straight to a system that knows no commit of Spark's, as JDBC's do. The plan
 * does not name the sink; but who writes files, table formats too, counts bytes besides
 * rows. */
static bool writes_directly(const struct hunt *h, const struct plan_node *node)
{
    bool rows = false;

    if (!sv_has(node->name, "SaveIntoDataSourceCommand"))
        return false;
    app_each_stage (h->app, s) {
        if (!ran_for(h, s))
            continue;
        rows |= s->total[METRIC_OUTPUT_ROWS] > 0;
        if (s->total[METRIC_OUTPUT_BYTES] > 0)
            return false;
    }
    return rows;
}

static bool has_word(struct sv text, const char *word)
{
    size_t at = sv_find(text, sv(word));

    /* modes stand between commas: "], Append, [id" */
    return at != SIZE_MAX && at >= 2 && text.p[at - 2] == ',';
}

/* "Execute InsertInto...Command file:/data/out, false, ...": the folder. */
static struct sv folder_of(struct sv detail)
{
    size_t at = sv_find(detail, SV("Command ")), from, to;

    if (at == SIZE_MAX)
        return (struct sv){ 0 };
    from = at + sizeof "Command " - 1;
    for (to = from; to < detail.len && detail.p[to] != ','; to++)
        ;
    return sv_trim((struct sv){ detail.p + from, to - from });
}

static void see_scan(const struct plan_node *node, void *ctx)
{
    struct hunt *h = ctx;

    if (node_is_scan(node) && node->n_children == 0) {
        struct sv place = kvs_get(&node->metadata, "Location");
        size_t at = place.p ? sv_find(place, h->folder) : SIZE_MAX;
        size_t end = at == SIZE_MAX ? 0 : at + h->folder.len;

        /* the folder itself or one of its partitions, not one whose name begins so */
        h->reads_it |= at != SIZE_MAX && (end == place.len || place.p[end] == '/' ||
                                          place.p[end] == ',' || place.p[end] == ']');
    }
}

static unsigned file_trouble(struct hunt *h, const struct plan_node *node)
{
    struct sv commit =
        conf_get(h->app, h->q, "spark.sql.sources.commitProtocolClass").value;
    unsigned trouble = 0;

    if (has_word(node->detail, "Append"))
        trouble |= WRITE_APPEND;
    if (conf_i64(h->app, h->q, COMMIT_KEY, -1) == 2 &&
        !(commit.p && sv_has(commit, "PathOutputCommitProtocol")))
        trouble |= WRITE_COMMIT_2;
    h->folder = folder_of(node->detail);
    h->reads_it = false;
    if (h->folder.len > 1 && has_word(node->detail, "Overwrite"))
        plan_each(sql_final_plan(h->q), see_scan, h);
    return trouble | (h->reads_it ? WRITE_ITSELF : 0);
}

static void count_attempts(struct hunt *h, struct unsafe_write *w)
{
    const struct app *app = h->app;

    w->stage_ix = IX_NONE;
    for (uint32_t ix = 0; ix < app->n_stages; ix++) {
        const struct stage *s = &app->stages[ix];
        int64_t bad = add_sat(s->failed_tasks, s->killed_tasks);

        if (!ran_for(h, s) ||
            (s->total[METRIC_OUTPUT_BYTES] <= 0 && s->total[METRIC_OUTPUT_ROWS] <= 0 &&
             !(w->trouble & WRITE_DIRECT)))
            continue;
        if (bad > 0 && (w->stage_ix == IX_NONE ||
                        bad > add_sat(app->stages[w->stage_ix].failed_tasks,
                                      app->stages[w->stage_ix].killed_tasks)))
            w->stage_ix = ix;
        w->bad_attempts = add_sat(w->bad_attempts, bad);
    }
}

static void add_write(struct hunt *h, const struct plan_node *node, unsigned trouble)
{
    struct writes *out = h->out;
    struct unsafe_write w = { .q = h->q, .node = node, .trouble = trouble };

    count_attempts(h, &w);
    if (out->n == out->cap) {
        size_t cap = out->cap ? 2 * out->cap : 8;
        struct unsafe_write *more = arena_array(h->arena, cap, sizeof *more);

        if (out->n)
            memcpy(more, out->items, out->n * sizeof *more);
        out->items = more;
        out->cap = cap;
    }
    out->items[out->n++] = w;
}

static void see_write(const struct plan_node *node, void *ctx)
{
    struct hunt *h = ctx;
    unsigned trouble = 0;

    if (writes_directly(h, node)) {
        trouble = WRITE_DIRECT;
    } else if (writes_files(node)) {
        trouble = file_trouble(h, node);
    } else {
        return;
    }
    h->out->all++;
    if ((trouble & (WRITE_DIRECT | WRITE_COMMIT_2)) &&
        conf_bool(h->app, h->q, "spark.speculation", false))
        trouble |= WRITE_SPECULATION;
    if (trouble)
        add_write(h, node, trouble);
}

void writes_find(struct writes *out, const struct app *app, struct arena *arena)
{
    struct hunt h = { .app = app, .out = out, .arena = arena };

    *out = (struct writes){ 0 };
    app_each_sql (app, q) {
        h.q = q;
        if (sql_final_plan(q))
            plan_each(sql_final_plan(q), see_write, &h);
    }
    for (size_t i = 0; i < out->n; i++)
        if (out->all > 1 && (out->items[i].trouble & (WRITE_APPEND | WRITE_DIRECT)))
            out->items[i].trouble |= WRITE_SEVERAL;
}

const char *write_words(unsigned trouble, struct arena *arena)
{
    static const struct {
        unsigned bit;
        const char *text;
    } words[] = {
        { WRITE_DIRECT,
          "rows go out as tasks run, so that a retried task writes them twice" },
        { WRITE_COMMIT_2, "tasks publish their files before the job is done (commit "
                          "algorithm 2)" },
        { WRITE_SPECULATION, "speculative copies may write beside their originals" },
        { WRITE_ITSELF, "it replaces a folder that the same query reads" },
        { WRITE_APPEND, "a second run adds its rows again" },
        { WRITE_SEVERAL, "other outputs of the application stay when this one fails" },
    };
    const char *out = "";

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (trouble & words[i].bit)
            out = arena_printf(arena, "%s%s%s", out, *out ? "; " : "", words[i].text);
    return out;
}
