/* Which operators a stage ran. See plan.h.
 *
 * A plan does not say which stage ran a node; its metrics do: the stage's tasks
 * report values under the accumulator ids that the plan names. */
#include "rules/plan.h"

#define SLOTS_LIMIT 10000000  /* more than any cluster; logs are not trusted */
#define PLAN_DEPTH_LIMIT 2000 /* deeper than any real plan; logs are not trusted */

static bool stage_updates(const struct stage *s, int64_t accumulator_id)
{
    size_t low = 0, high = s->n_accums;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (s->accums[mid].accumulator_id < accumulator_id)
            low = mid + 1;
        else
            high = mid;
    }
    return low < s->n_accums && s->accums[low].accumulator_id == accumulator_id;
}

static bool stage_ran_node(const struct stage *s, const struct plan_node *node)
{
    for (size_t i = 0; i < node->n_metrics; i++)
        if (stage_updates(s, node->metrics[i].accumulator_id))
            return true;
    return false;
}

const struct sql *stage_sql(const struct app *app, const struct stage *s)
{
    uint32_t ix =
        s->sql_execution_id == APP_NONE ? IX_NONE : app_sql_ix(app, s->sql_execution_id);

    return ix == IX_NONE ? NULL : &app->sqls[ix];
}

bool sql_is_adaptive(const struct app *app, const struct sql *q)
{
    return q && conf_bool(app, q, "spark.sql.adaptive.enabled", false);
}

int64_t app_slots(const struct app *app)
{
    double cpus = app->task_cpus > 0 ? app->task_cpus : 1;

    double slots = (double)app->cores_peak / cpus;

    return slots >= SLOTS_LIMIT ? SLOTS_LIMIT : max_i64((int64_t)slots, 1);
}

static const struct plan_node *find(const struct stage *s, const struct plan_node *node,
                                    plan_match *match, int depth)
{
    if (!node || depth > PLAN_DEPTH_LIMIT)
        return NULL;
    if (match(node) && stage_ran_node(s, node))
        return node;
    for (size_t i = 0; i < node->n_children; i++) {
        const struct plan_node *found = find(s, node->children[i], match, depth + 1);

        if (found)
            return found;
    }
    return NULL;
}

const struct plan_node *stage_operator(const struct app *app, const struct stage *s,
                                       plan_match *match)
{
    const struct sql *q = stage_sql(app, s);

    if (!q || s->n_accums == 0)
        return NULL;
    for (size_t v = q->n_plans; v-- > 0;) {
        const struct plan_node *found = find(s, q->plans[v], match, 0);

        if (found)
            return found;
    }
    return NULL;
}

static void each(const struct plan_node *node,
                 void (*visit)(const struct plan_node *, void *), void *context,
                 int depth)
{
    if (!node || depth > PLAN_DEPTH_LIMIT)
        return;
    visit(node, context);
    for (size_t i = 0; i < node->n_children; i++)
        each(node->children[i], visit, context, depth + 1);
}

void plan_each(const struct plan_node *root,
               void (*visit)(const struct plan_node *node, void *context), void *context)
{
    each(root, visit, context, 0);
}

const struct plan_metric *plan_metric(const struct plan_node *node, const char *name)
{
    for (size_t i = 0; i < node->n_metrics; i++)
        if (sv_is(node->metrics[i].name, name))
            return &node->metrics[i];
    return NULL;
}

bool node_is_shuffled_join(const struct plan_node *node)
{
    /* AQE's split shows as SortMergeJoin(skew=true); vendors prefix and suffix */
    return sv_has(node->name, "SortMergeJoin") ||
           sv_has(node->name, "ShuffledHashJoin") ||
           sv_has(node->name, "ShuffledHashedJoin") || sv_has(node->name, "ShuffledJoin");
}

bool node_is_window(const struct plan_node *node)
{
    return sv_has(node->name, "Window");
}

bool node_is_grouping(const struct plan_node *node)
{
    return sv_has(node->name, "Aggregate") || sv_has(node->name, "GroupingAgg") ||
           sv_has(node->name, "FlatMapGroups") || sv_has(node->name, "MapGroups");
}

bool node_is_scan(const struct plan_node *node)
{
    return sv_has(node->name, "Scan") && !sv_has(node->name, "InMemoryTableScan");
}

bool stage_has_scope(const struct stage *s, const char *name)
{
    for (size_t i = 0; i < s->n_rdds; i++)
        if (sv_is(sv_trim(s->rdds[i].scope), name) ||
            sv_is(sv_trim(s->rdds[i].name), name))
            return true;
    return false;
}

static bool is_join_call(struct sv name)
{
    return sv_has(name, "oin at ") || sv_starts(name, SV("cogroup at "));
}

/* Scala's joins leave their scope in the stage that reads; Python's (a union that is
 * grouped) only their name on the stages that write for it. */
static bool rdd_join(const struct app *app, const struct lineage *l,
                     const struct stage *s)
{
    static const char *const scopes[] = { "join",          "cogroup",
                                          "leftOuterJoin", "rightOuterJoin",
                                          "fullOuterJoin", "groupWith",
                                          "subtractByKey", "intersection" };
    size_t ix = (size_t)(s - app->stages);

    for (size_t i = 0; i < ARRAY_LEN(scopes); i++)
        if (stage_has_scope(s, scopes[i]))
            return true;
    for (size_t i = l->first ? l->first[ix] : 0; l->first && i < l->first[ix + 1]; i++)
        if (l->links[i].via == VIA_SHUFFLE &&
            is_join_call(app->stages[l->links[i].from_ix].name))
            return true;
    return is_join_call(s->name);
}

static size_t shuffles_read(const struct app *app, const struct lineage *l,
                            const struct stage *s)
{
    size_t ix = (size_t)(s - app->stages), n = 0;

    if (!l->first)
        return s->parent_ids.n;
    for (size_t i = l->first[ix]; i < l->first[ix + 1]; i++)
        n += l->links[i].via == VIA_SHUFFLE;
    return n > s->parent_ids.n ? n : s->parent_ids.n;
}

enum shuffle_use stage_shuffle_use(const struct app *app, const struct lineage *l,
                                   const struct stage *s, const struct plan_node **node)
{
    *node = NULL;
    if (stage_shuffle_read_bytes(s) == 0 && s->total[METRIC_SHUFFLE_READ_ROWS] == 0)
        return USE_NONE;
    if ((*node = stage_operator(app, s, node_is_shuffled_join)))
        return USE_JOIN;
    if ((*node = stage_operator(app, s, node_is_window)))
        return USE_WINDOW;
    if ((*node = stage_operator(app, s, node_is_grouping)))
        return USE_GROUPING;
    if (rdd_join(app, l, s) ||
        (shuffles_read(app, l, s) > 1 && !stage_has_scope(s, "Union")))
        return USE_JOIN; /* no metrics, but two shuffles meet in it */
    return stage_has_scope(s, "Window") ? USE_WINDOW : USE_OTHER;
}

bool app_is_stream(const struct app *app)
{
    if (app->n_stream_batches)
        return true;
    app_each_job (app, j)
        if (j->stream_id.len)
            return true;
    return false;
}
