/* The same work done again: equal shuffles in one query, equal costly steps in several.
 *
 * Two operators are the same if their lines are, but for the numbers that Spark gives to
 * columns and plans (#12L, plan_id=7), and so are the operators under them. Column
 * pruning makes scans and projections of the same source differ from query to query:
 * there a computed column over the same files is what is compared. */
#include "rules/node.h"

#include <ctype.h>
#include <inttypes.h>

#define DEPTH_LIMIT 500

static uint64_t mix(uint64_t h, uint64_t value)
{
    h ^= value;
    return h * UINT64_C(1099511628211);
}

/* The text without what differs from one planning to the next. */
static uint64_t text_hash(struct sv text, uint64_t h)
{
    for (size_t i = 0; i < text.len; i++) {
        bool id = text.p[i] == '#';

        if (!id && text.p[i] == '=' && i >= 7 &&
            memcmp(text.p + i - 7, "plan_id", 7) == 0)
            id = true;
        h = mix(h, (unsigned char)text.p[i]);
        while (id && i + 1 < text.len &&
               (isdigit((unsigned char)text.p[i + 1]) || text.p[i + 1] == 'L'))
            i++;
    }
    return h;
}

static uint64_t tree_hash(const struct plan_node *node, int depth)
{
    uint64_t h = UINT64_C(14695981039346656037);

    node = node_inner(node);
    h = text_hash(node->detail.len ? node->detail : node->name, h);
    for (size_t i = 0; i < node->metadata.n; i++)
        h = text_hash(node->metadata.items[i].value, h);
    for (size_t i = 0; i < node->n_children && depth < DEPTH_LIMIT; i++)
        h = mix(h, tree_hash(node->children[i], depth + 1));
    return h;
}

static bool reads_files(const struct plan_node *node, int depth)
{
    if (node_is_scan(node) && node->n_children == 0)
        return true;
    for (size_t i = 0; i < node->n_children && depth < DEPTH_LIMIT; i++)
        if (reads_files(node->children[i], depth + 1))
            return true;
    return false;
}

/* --- equal shuffles in one query ------------------------------------------------- */

enum { SHUFFLE_BYTES, SHUFFLE_SHARE };

static const struct rule_param shuffle_params[] = {
    [SHUFFLE_BYTES] = { "min-bytes", 10485760, "bytes",
                        "written by the shuffles together", "less is moved in no time" },
    [SHUFFLE_SHARE] = { "stages-share", 0.005, "",
                        "of the wall time the stages accused take, together",
                        "SparkForensics" },
};

struct shuffle { /* one exchange of one query */
    const struct sql *q;
    const struct plan_node *node;
    uint64_t hash;
    int64_t bytes;
};

struct shuffles {
    struct spots spots; /* first, for the walk */
    struct shuffle *items;
    size_t n, cap;
};

static void shuffle_seen(const struct plan_node *node, void *context)
{
    struct shuffles *all = context;
    struct spots *s = &all->spots;

    if (!sv_is(node->name, "Exchange") || node->n_children != 1)
        return;
    s->kind = true;
    int64_t bytes = node_metric(s->in->app, s->q, node, "shuffle bytes written");

    if (bytes <= 0)
        return;
    s->any = true;
    for (size_t i = all->n; i-- > 0 && all->items[i].q == s->q;)
        if (all->items[i].node == node)
            return; /* one and the same, seen from two places */
    if (all->n == all->cap) {
        size_t cap = all->cap ? 2 * all->cap : 16;
        struct shuffle *more = arena_array(s->arena, cap, sizeof *more);

        if (all->n)
            memcpy(more, all->items, all->n * sizeof *more);
        all->items = more;
        all->cap = cap;
    }
    all->items[all->n++] = (struct shuffle){ s->q, node, tree_hash(node, 0), bytes };
}

/* Those of a query that equal an earlier one of the same query. */
static void shuffles_compare(struct shuffles *all)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct shuffle *b = &all->items[i];

        for (size_t k = i; k-- > 0 && all->items[k].q == b->q;) {
            const struct shuffle *a = &all->items[k];

            if (a->hash != b->hash || (double)add_sat(a->bytes, b->bytes) <
                                          all->spots.in->params[SHUFFLE_BYTES])
                continue;
            all->spots.q = b->q;
            struct spot *spot = spots_add(&all->spots, b->node);

            if (spot) {
                uint32_t *first;
                size_t n = node_stages(all->spots.in->app, a->q, a->node,
                                       all->spots.arena, &first);

                spot->value[0] = (double)b->bytes;
                spot->value[1] = n ? (double)first[0] : -1;
            }
            break;
        }
    }
}

static enum rule_answer shuffle_check(const struct rule_input *in, struct findings *out)
{
    struct shuffles all = { .spots = { .in = in, .arena = out->arena } };
    const char *key = "spark.sql.exchange.reuse";

    spots_walk(&all.spots, shuffle_seen);
    shuffles_compare(&all);
    if (!spots_matter(&all.spots, in->params[SHUFFLE_SHARE], 1))
        return spots_answer(&all.spots);
    const struct spot *w = spots_worst(&all.spots);
    const char *bytes = words_bytes(out, whole(w->value[0]));

    finding_begin(out, in->rule, "The same %s are shuffled again", bytes);
    finding_cause(
        out, "SQL %" PRId64 " computes and shuffles the same rows more than once (%s).",
        w->q->execution_id, words_clean(out, w->node->detail, 100));
    spots_place(&all.spots, out);
    for (size_t i = 0; i < all.spots.n; i++) {
        const struct spot *s = &all.spots.items[i];

        for (size_t k = 0; k < s->n_stages; k++)
            claim_work(in, out, s->stage_ixs[k], 0.5, 0.9, 1);
        if (s->value[1] >= 0)
            finding_stage(out, in->app, (uint32_t)s->value[1]);
    }
    finding_number(out, "bytes_again", w->value[0]);
    finding_number(out, "shuffles_affected", (double)all.spots.n);
    if (!conf_bool(in->app, w->q, key, true)) {
        finding_set(out, key, "true");
        finding_advice(out,
                       "Reuse of exchanges is switched off: set it back to true, and the "
                       "second use reads what the first has written.");
    } else {
        finding_code(out,
                     "shared = df.groupBy(key).agg(...).cache()  # before both uses");
        finding_advice(
            out, "Cache or write the shared part once and use it twice; the planner "
                 "did not see that the two are the same.");
    }
    finding_verify(out, "The plan should show ReusedExchange or InMemoryTableScan.");
    return RULE_JUDGED;
}

const struct rule rule_repeated_shuffle = {
    .id = "repeated-shuffle",
    .title = "The same data is shuffled more than once",
    .question = QUESTION_MOVES,
    .what = "Exchanges of one query whose operators, down to the files, are equal but "
            "for the "
            "numbers of columns, and that each wrote their own copy.",
    .advice = "Let the exchange be reused, or cache the shared part.",
    .limits = "Equal data by different text is not seen, nor are long lists that Spark "
              "cuts off "
              "told apart after the cut. Across queries: missing-cache.",
    .params = shuffle_params,
    .n_params = ARRAY_LEN(shuffle_params),
    .check = shuffle_check,
    .no_data_why = "no exchange in the log says what it wrote",
};

/* --- equal steps in several queries ----------------------------------------------- */

enum { CACHE_USES, CACHE_TASKS, CACHE_SHARE, CACHE_TEXT };

static const struct rule_param cache_params[] = {
    [CACHE_USES] = { "min-uses", 3, "", "queries that do it",
                     "of two, the cache costs what the second saves" },
    [CACHE_TASKS] = { "min-task-time", 4000, "ms", "of the stages, all uses together",
                      "less is not worth a change" },
    [CACHE_SHARE] = { "share", 0.1, "", "of the wall time that all uses take",
                      "spark-tui, spark-advisor: repeated stages of 30 s, five of them" },
    [CACHE_TEXT] = { "min-text", 60, "characters",
                     "of a computed column, or a regexp, JSON or user function in it",
                     "plain arithmetic is cheaper than reading a cache" },
};

struct step { /* a computed column or a shuffle over the same files */
    uint64_t hash;
    uint32_t uses;
    const struct sql *last; /* that counted */
    struct spot spot;       /* of the first use */
    uint32_t *stage_ixs;    /* of all uses */
    size_t n_stages, cap_stages;
    struct sv text;
    int64_t work_ms, task_ms;
};

struct steps {
    struct spots spots; /* first, for the walk */
    struct step *items;
    size_t n, cap;
};

static void step_use(struct steps *all, uint64_t hash, struct sv text,
                     const struct plan_node *node)
{
    struct spots *s = &all->spots;
    struct step *step = NULL;
    uint32_t *stages;
    size_t n = node_stages(s->in->app, s->q, node, s->arena, &stages);

    if (n == 0)
        return; /* it was read from a cache, or did not run */
    for (size_t i = 0; i < all->n && !step; i++)
        if (all->items[i].hash == hash)
            step = &all->items[i];
    if (!step) {
        if (all->n == 4096)
            return; /* enough to find what is done again and again */
        if (all->n == all->cap) {
            size_t cap = all->cap ? 2 * all->cap : 16;
            struct step *more = arena_array(s->arena, cap, sizeof *more);

            if (all->n)
                memcpy(more, all->items, all->n * sizeof *more);
            all->items = more;
            all->cap = cap;
        }
        step = &all->items[all->n++];
        *step = (struct step){ .hash = hash, .text = text };
        step->spot = (struct spot){ .q = s->q, .node = node };
    }
    if (step->last == s->q)
        return;
    step->last = s->q;
    step->uses++;
    for (size_t i = 0; i < n; i++) {
        if (step->n_stages == step->cap_stages) {
            size_t cap = step->cap_stages ? 2 * step->cap_stages : 8;
            uint32_t *more = arena_array(s->arena, cap, sizeof *more);

            if (step->n_stages)
                memcpy(more, step->stage_ixs, step->n_stages * sizeof *more);
            step->stage_ixs = more;
            step->cap_stages = cap;
        }
        step->stage_ixs[step->n_stages++] = stages[i];
        step->work_ms = add_sat(step->work_ms, stage_work_ms(s->in, stages[i]));
        step->task_ms = add_sat(step->task_ms, s->in->shapes[stages[i]].total_ms);
    }
}

static bool calls_costly(struct sv expression)
{
    static const char *const calls[] = { "regexp", "from_json", "UDF", "pythonUDF",
                                         "parse_",  "sha2(", "sha1(",       "md5(" };

    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        if (sv_has(expression, calls[i]))
            return true;
    return false;
}

static bool is_costly(struct sv column, double min_text)
{
    return (double)column.len >= min_text || calls_costly(column);
}

/* Long conditions are cheap unless they call something that is not. */
static void costly_filter(struct steps *all, const struct plan_node *filter,
                          const struct plan_node *scan)
{
    struct sv place = kvs_get(&scan->metadata, "Location");

    if (place.p && calls_costly(filter->detail))
        step_use(all, text_hash(filter->detail, text_hash(place, 2)), filter->detail,
                 scan);
}

/* The columns that a projection computes: pieces between commas outside of brackets. */
static void computed_columns(struct steps *all, const struct plan_node *project,
                             const struct plan_node *scan)
{
    struct sv d = project->detail;
    struct sv place = kvs_get(&scan->metadata, "Location");
    size_t at = sv_find(d, SV("[")), depth = 0;

    if (at == SIZE_MAX || !place.p)
        return;
    for (size_t i = at + 1, from = i; i < d.len; i++) {
        char ch = d.p[i];
        bool end = depth == 0 && (ch == ',' || ch == ']');

        depth += ch == '(' || ch == '[';
        if ((ch == ')' || ch == ']') && depth > 0)
            depth--;
        if (!end)
            continue;
        struct sv column = sv_trim((struct sv){ d.p + from, i - from });

        if (sv_has(column, " AS ") && sv_has(column, "(") &&
            is_costly(column, all->spots.in->params[CACHE_TEXT]))
            step_use(all, text_hash(column, text_hash(place, 1)), column, scan);
        from = i + 1;
        if (ch == ']')
            break;
    }
}

static void step_seen(const struct plan_node *node, void *context)
{
    struct steps *all = context;

    if (node_is(node, "InMemoryTableScan"))
        return; /* its plan is that of the query that filled the cache */
    if (sv_is(node->name, "Project") && node->n_children == 1) {
        const struct plan_node *scan = node_source_scan(node->children[0]);

        if (scan)
            computed_columns(all, node, scan);
    } else if (sv_is(node->name, "Filter") && node->n_children == 1) {
        const struct plan_node *scan = node_source_scan(node->children[0]);

        if (scan)
            costly_filter(all, node, scan);
    } else if (sv_is(node->name, "Exchange") && node->n_children == 1 &&
               reads_files(node, 0) && !node_source_scan(node)) {
        /* a shuffle of something that was joined before; of one table it is cheap */
        step_use(all, tree_hash(node, 0), node->detail, node);
    }
}

static const struct step *worst_step(const struct steps *all)
{
    const double *p = all->spots.in->params;
    double wall = (double)all->spots.in->analysis->ledgers.wall_total_ms;
    const struct step *worst = NULL;

    for (size_t i = 0; i < all->n; i++) {
        const struct step *s = &all->items[i];

        if (s->uses >= p[CACHE_USES] && (double)s->task_ms >= p[CACHE_TASKS] &&
            (double)s->work_ms >= p[CACHE_SHARE] * wall &&
            (!worst || s->work_ms > worst->work_ms))
            worst = s;
    }
    return worst;
}

static enum rule_answer cache_check(const struct rule_input *in, struct findings *out)
{
    struct steps all = { .spots = { .in = in, .arena = out->arena } };

    spots_walk(&all.spots, step_seen);
    const struct step *w = worst_step(&all);

    if (!w)
        return RULE_JUDGED;
    /* All uses but one are spared the shared part, about half of each; reading it from
     * the cache costs a third of making it, and filling the cache a quarter of a use. */
    double uses = (double)w->uses, most = 1 - 1 / uses;
    double usual = ((uses - 1) / 3 - 0.25) / uses;

    finding_begin(out, in->rule, "%u queries compute the same from the same input",
                  w->uses);
    finding_cause(out,
                  "Each of %u queries reads the input and computes %s again: %s of work.",
                  w->uses, words_clean(out, w->text, 100), words_ms(out, w->work_ms));
    for (size_t i = 0; i < w->n_stages; i++)
        claim_work(in, out, w->stage_ixs[i], 0.2 * usual, usual, 0.9 * most);
    finding_number(out, "uses", w->uses);
    finding_number(out, "work_ms", (double)w->work_ms);
    finding_number(out, "task_time_ms", (double)w->task_ms);
    finding_hint(out, "CACHE TABLE shared AS SELECT ...");
    finding_code(
        out, "shared = df.select(...).cache()  # before the first action; unpersist() "
             "after the last");
    finding_advice(
        out, "Compute the shared part once: cache it before the first query, or write "
             "it out, and let the others read it.");
    finding_risk(out,
                 "The cache must fit storage memory; filling it takes a part of what is "
                 "saved.");
    finding_verify(out, "The later plans should show InMemoryTableScan.");
    return RULE_JUDGED;
}

const struct rule rule_missing_cache = {
    .id = "missing-cache",
    .title = "The same costly part is computed again by several queries",
    .question = QUESTION_MOVES,
    .what = "Costly computed columns and filters over the same files, and equal shuffles of joined "
            "data, in "
            "three queries or more that do not read a cache.",
    .advice = "Cache or store the shared part.",
    .limits = "SQL only: lineages of RDDs are not compared. Equal work by different text "
              "is not "
              "seen.",
    .params = cache_params,
    .n_params = ARRAY_LEN(cache_params),
    .check = cache_check,
};
