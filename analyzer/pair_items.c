/* What is compared: executions and stages of one run as lists of features.
 *
 * An SQL execution is what its first plan says: before adaptive execution changed it,
 * so that other sizes do not make it another query. Of each operator there are
 * features of two kinds: what it is called and whom it feeds, which a changed join
 * strategy changes; and what it means (the table and columns of a scan, keys of a join or
 * an aggregate), which it does not. Exchanges and sorts mean nothing by themselves.
 *
 * A stage is the operators whose metrics it updated, what it reads and writes, and
 * the names of its RDDs. */
#include "analyzer/pair_items.h"

#include "analyzer/pair.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/strbuf.h"

#include <stdlib.h>
#include <string.h>

#define DETAIL_BYTES 300 /* of an operator's text; the rest repeats column lists */
#define WORDS_BYTES 4000 /* of a statement */
#define UNIT_NODES 4000  /* of one plan */

/* --- hashes -------------------------------------------------------------------- */

static uint64_t mix(uint64_t h, uint64_t v)
{
    h ^= v + 0x9e3779b97f4a7c15u + (h << 6) + (h >> 2);
    h *= 0xff51afd7ed558ccdu;
    return h ^ h >> 33;
}

static uint64_t text_hash(struct sv text)
{
    return text.len ? mix(1, sv_hash(text)) : 0;
}

static uint64_t normal_hash(struct sv text)
{
    struct strbuf buf = { 0 };

    text.len = text.len > DETAIL_BYTES ? DETAIL_BYTES : text.len;
    pair_normalise(&buf, text);
    uint64_t h = text_hash(strbuf_sv(&buf));
    strbuf_release(&buf);
    return h;
}

/* --- features of a plan -------------------------------------------------------- */

struct features {
    uint64_t *items;
    size_t n, cap;
};

static void add_feature(struct features *f, uint64_t h)
{
    GROW(f->items, f->n, f->cap);
    f->items[f->n++] = h;
}

/* Left out: they come and go with code generation, adaptive execution and formats. */
static bool is_wrapper(struct sv name)
{
    static const char *const parts[] = { "WholeStageCodegen", "InputAdapter",
                                         "QueryStage",        "AdaptiveSparkPlan",
                                         "AQEShuffleRead",    "ShuffleReader",
                                         "ColumnarToRow",     "RowToColumnar" };

    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (sv_has(name, parts[i]))
            return true;
    return false;
}

/* Operators of one class do the same in different ways. */
static const char *class_of(struct sv name)
{
    static const char *const classes[] = { "Scan", "Join", "Aggregate", "Exchange" };

    for (size_t i = 0; i < ARRAY_LEN(classes); i++)
        if (sv_has(name, classes[i]))
            return classes[i];
    return sv_has(name, "CartesianProduct") ? "Join"
           : sv_is(name, "Sort")            ? "Sort"
                                            : NULL;
}

/* The table: the last part of its path, or its name in the node's. */
static uint64_t scan_hash(const struct plan_node *node)
{
    struct sv where = kvs_get(&node->metadata, "Location");
    struct sv schema = kvs_get(&node->metadata, "ReadSchema");
    size_t at = where.p ? sv_find(where, SV("[")) : SIZE_MAX, end = 0, begin;

    if (at == SIZE_MAX)
        return mix(normal_hash(node->name), normal_hash(schema));
    where = sv_from(where, at + 1);
    while (end < where.len && where.p[end] != ',' && where.p[end] != ']')
        end++;
    for (begin = end; begin && where.p[begin - 1] != '/'; begin--)
        ;
    return mix(normal_hash((struct sv){ where.p + begin, end - begin }),
               normal_hash(schema));
}

/* What a plan reads there: the table alone, for the columns change when a query is
 * written anew; else all that the operator says. 0: another part of the plan is used
 * again. */
static uint64_t source_hash(const struct plan_node *node)
{
    struct sv where = kvs_get(&node->metadata, "Location");
    size_t end = where.p ? sv_find(where, SV("[")) : SIZE_MAX, begin;

    if (sv_has(node->name, "Reused") || sv_has(node->name, "Command"))
        return 0;
    if (end == SIZE_MAX)
        return sv_has(node->name, "Scan ") ? normal_hash(node->name)
                                           : normal_hash(node->detail);
    for (end++, begin = end;
         end < where.len && where.p[end] != ',' && where.p[end] != ']'; end++)
        if (where.p[end] == '/')
            begin = end + 1;
    return normal_hash((struct sv){ where.p + begin, end - begin });
}

/* What follows the operator's name; of joins up to the end of the second key list. */
static uint64_t meaning_hash(const struct plan_node *node, const char *class_name)
{
    struct sv text = node->detail;
    size_t at = 0, lists = 0, end;

    if (class_name && strcmp(class_name, "Scan") == 0)
        return scan_hash(node);
    while (at < text.len && text.p[at] != ' ' && text.p[at] != '(')
        at++;
    text = sv_from(text, at);
    if (class_name && strcmp(class_name, "Join") == 0) {
        for (end = 0; end < text.len && lists < 2; end++)
            lists += text.p[end] == ']';
        text.len = end;
    }
    return normal_hash(text);
}

struct open_node {
    const struct plan_node *node;
    uint64_t parent; /* class of the nearest operator above */
};

/* The stage features of an operator, by the accumulators of its metrics. */
struct places {
    struct map of_accum; /* to a position in hashes */
    struct features hashes;
};

static void add_node(struct features *f, struct places *places,
                     const struct plan_node *node, uint64_t *above)
{
    const char *class_name = class_of(node->name);
    uint64_t class_hash =
        class_name ? text_hash(sv(class_name)) : normal_hash(node->name);
    uint64_t meaning = 0;

    if (!class_name ||
        (strcmp(class_name, "Exchange") != 0 && strcmp(class_name, "Sort") != 0))
        meaning = mix(meaning_hash(node, class_name), class_hash);
    if (f) {
        add_feature(f, mix(normal_hash(node->name), *above));
        if (meaning)
            add_feature(f, meaning);
    }
    if (places && node->n_metrics) {
        uint32_t at = (uint32_t)places->hashes.n;

        add_feature(&places->hashes, meaning ? meaning : class_hash);
        for (size_t i = 0; i < node->n_metrics; i++)
            map_put(&places->of_accum, node->metrics[i].accumulator_id, at);
    }
    *above = class_hash;
}

/* Of the uppermost operator that is no wrapper. */
static uint64_t result_hash(const struct plan_node *root)
{
    while (is_wrapper(root->name) && root->n_children)
        root = root->children[0];
    return is_wrapper(root->name) || root->n_children == 0
               ? 0
               : mix(normal_hash(root->name), meaning_hash(root, class_of(root->name)));
}

/* Without recursion: the depth of a plan is the log's to choose. */
static void walk_plan(struct features *f, struct features *sources, struct places *places,
                      const struct plan_node *root)
{
    struct open_node *open = NULL;
    size_t n = 0, cap = 0, seen = 0;
    uint64_t source;

    GROW(open, n, cap);
    open[n++] = (struct open_node){ root, 0 };
    while (n && seen++ < UNIT_NODES) {
        struct open_node o = open[--n];

        if (!is_wrapper(o.node->name))
            add_node(f, places, o.node, &o.parent);
        if (sources && o.node->n_children == 0 && (source = source_hash(o.node)) != 0)
            add_feature(sources, source);
        for (size_t i = o.node->n_children; i-- > 0;) {
            GROW(open, n, cap);
            open[n++] = (struct open_node){ o.node->children[i], o.parent };
        }
    }
    free(open);
}

/* The words of a statement in small letters; numbers are all one. */
static void add_words(struct features *f, struct sv text)
{
    struct strbuf plain = { 0 };

    text.len = text.len > WORDS_BYTES ? WORDS_BYTES : text.len;
    pair_normalise(&plain, text);
    for (size_t i = 0, end; i < plain.len; i = end + 1) {
        uint64_t h = 5;

        for (end = i; end < plain.len && strchr(" \t\r\n(),;=", plain.p[end]) == NULL;
             end++)
            h = mix(h,
                    (uint64_t)(plain.p[end] |
                               (plain.p[end] >= 'A' && plain.p[end] <= 'Z' ? 0x20 : 0)));
        if (end > i)
            add_feature(f, h);
    }
    strbuf_release(&plain);
}

/* --- one run ------------------------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
    const struct run_unit *x = a, *y = b;

    if (x->submitted_ms != y->submitted_ms)
        return x->submitted_ms < y->submitted_ms ? -1 : 1;
    if (x->is_sql != y->is_sql)
        return x->is_sql ? -1 : 1;
    return x->ix < y->ix ? -1 : x->ix > y->ix;
}

struct stage_place {
    uint32_t ix, work; /* work: IX_NONE last */
    int64_t submitted_ms, stage_id;
};

static int by_work(const void *a, const void *b)
{
    const struct stage_place *x = a, *y = b;

    if (x->work != y->work)
        return x->work < y->work ? -1 : 1;
    if (x->submitted_ms != y->submitted_ms)
        return x->submitted_ms < y->submitted_ms ? -1 : 1;
    return x->stage_id < y->stage_id ? -1 : x->stage_id > y->stage_id;
}

static void list_works(struct pair_run *r)
{
    const struct app *app = r->app;

    r->works = arena_array(r->arena, app->n_sqls + app->n_jobs + 1, sizeof *r->works);
    for (uint32_t i = 0; i < app->n_sqls; i++)
        r->works[r->n++] =
            (struct run_unit){ true, i, app->sqls[i].submitted_ms, 0, NULL, 0 };
    for (uint32_t i = 0; i < app->n_jobs; i++)
        if (app->jobs[i].sql_execution_id == APP_NONE ||
            app_sql_ix(app, app->jobs[i].sql_execution_id) == IX_NONE)
            r->works[r->n++] =
                (struct run_unit){ false, i, app->jobs[i].submitted_ms, 0, NULL, 0 };
    qsort(r->works, r->n, sizeof *r->works, by_time);
}

static void list_stages(struct pair_run *r)
{
    const struct app *app = r->app;
    uint32_t *of_sql = xcalloc(app->n_sqls + 1, sizeof *of_sql);
    uint32_t *of_job = xcalloc(app->n_jobs + 1, sizeof *of_job);
    struct stage_place *places = xcalloc(app->n_stages + 1, sizeof *places);
    uint32_t n = 0, *ixs = arena_array(r->arena, app->n_stages + 1, sizeof *ixs);

    memset(of_job, 0xff, (app->n_jobs + 1) * sizeof *of_job);
    for (uint32_t w = 0; w < r->n; w++)
        (r->works[w].is_sql ? of_sql : of_job)[r->works[w].ix] = w;
    for (uint32_t i = 0; i < app->n_stages; i++) {
        const struct stage *s = &app->stages[i];
        uint32_t sql = IX_NONE, work = IX_NONE;

        r->task_ms = add_sat(r->task_ms, s->duration_ms);
        if (!stage_ran(s))
            continue;
        if (s->sql_execution_id != APP_NONE)
            sql = app_sql_ix(app, s->sql_execution_id);
        if (sql != IX_NONE)
            work = of_sql[sql];
        else if (s->ran_for_job_ix < app->n_jobs)
            work = of_job[s->ran_for_job_ix];
        if (n && app->stages[places[n - 1].ix].stage_id == s->stage_id)
            n--; /* an attempt of the same stage */
        places[n++] = (struct stage_place){ i, work, s->submitted_ms, s->stage_id };
    }
    if (n)
        qsort(places, n, sizeof *places, by_work);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t w = places[i].work;

        ixs[i] = places[i].ix;
        if (w == IX_NONE) {
            r->loose = r->n_loose++ ? r->loose : &ixs[i];
        } else {
            r->works[w].stages = r->works[w].n_stages++ ? r->works[w].stages : &ixs[i];
        }
    }
    free(of_sql);
    free(of_job);
    free(places);
}

/* The list as the item keeps it; f is empty after. */
static uint64_t *keep_features(struct features *f, uint32_t *n, struct arena *arena)
{
    uint64_t *kept;

    *n = pair_features_finish(f->items, f->n > UINT32_MAX ? UINT32_MAX : (uint32_t)f->n);
    kept = arena_array(arena, *n + 1, sizeof *kept);
    for (uint32_t i = 0; i < *n; i++)
        kept[i] = f->items[i];
    f->n = 0;
    return kept;
}

static void finish_item(struct pair_item *item, struct features *f, struct arena *arena)
{
    uint64_t h = mix(item->what, item->where);

    item->features = keep_features(f, &item->n_features, arena);
    for (uint32_t i = 0; i < item->n_features; i++)
        h = mix(h, item->features[i]);
    item->exact = mix(item->exact, h);
}

static void stage_rdd_features(struct features *f, const struct stage *s)
{
    for (size_t i = 0; i < s->n_rdds && i < PAIR_FEATURES; i++) {
        struct sv name = s->rdds[i].scope.len ? s->rdds[i].scope : s->rdds[i].name;

        if (!is_wrapper(name) && !sv_is(name, "Exchange"))
            add_feature(f, mix(2, normal_hash(name)));
    }
}

static void stage_item(struct pair_item *item, const struct stage *s,
                       const struct places *places, struct features *f,
                       struct arena *arena)
{
    static const struct {
        enum task_metric metric;
        uint64_t tag;
    } flows[] = { { METRIC_INPUT_BYTES, 11 },
                  { METRIC_SHUFFLE_WRITE_BYTES, 12 },
                  { METRIC_OUTPUT_BYTES, 13 } };

    for (size_t i = 0; i < s->n_accums; i++) {
        uint32_t at = map_get(&places->of_accum, s->accums[i].accumulator_id);

        if (at != MAP_NONE)
            add_feature(f, places->hashes.items[at]);
    }
    stage_rdd_features(f, s);
    for (size_t i = 0; i < ARRAY_LEN(flows); i++)
        if (s->total[flows[i].metric] > 0)
            add_feature(f, mix(3, flows[i].tag));
    if (stage_shuffle_read_bytes(s) > 0)
        add_feature(f, mix(3, 14));
    item->what = normal_hash(s->name);
    item->where = normal_hash(sv_first_line(s->details));
    item->exact = text_hash(s->name);
    finish_item(item, f, arena);
}

static void work_item(struct pair_run *r, uint32_t w, struct features *f)
{
    struct pair_item *item = &r->items[w];
    struct features sources = { 0 };

    if (r->works[w].is_sql) {
        const struct sql *q = &r->app->sqls[r->works[w].ix];

        add_words(f, q->description);
        item->words = keep_features(f, &item->n_words, r->arena);
        if (q->n_plans)
            walk_plan(f, &sources, NULL, q->plans[0]);
        item->sources = keep_features(&sources, &item->n_sources, r->arena);
        free(sources.items);
        if (q->n_plans)
            item->result = result_hash(q->plans[0]);
        for (size_t i = 0; i < f->n; i++)
            r->works[w].shape = mix(r->works[w].shape, f->items[i]);
        item->what = normal_hash(q->description);
        item->where = normal_hash(sv_first_line(q->details));
        item->exact = text_hash(q->description);
    } else {
        const struct job *j = &r->app->jobs[r->works[w].ix];

        for (uint32_t i = 0; i < r->works[w].n_stages && i < PAIR_FEATURES; i++) {
            const struct stage *s = &r->app->stages[r->works[w].stages[i]];

            add_feature(f, mix(4, normal_hash(s->name)));
            stage_rdd_features(f, s);
        }
        item->what = normal_hash(j->description.len ? j->description : j->name);
        item->where = normal_hash(j->name);
        item->exact = text_hash(j->description.len ? j->description : j->name);
    }
    finish_item(item, f, r->arena);
}

static void see_name(struct map *first, struct map *several, const struct pair_run *r,
                     uint32_t w, uint64_t name)
{
    uint32_t at = map_get(first, (int64_t)name);

    if (at == MAP_NONE)
        map_put(first, (int64_t)name, w);
    else if (r->works[at].shape != r->works[w].shape)
        map_put(several, (int64_t)name, 1);
}

/* A description or call site tells executions apart only as long as no two plans have the
 * same. Of a program in Python each collect() is at the same line of Spark. */
static void mark_common(struct pair_run *r)
{
    struct map what = { 0 }, where = { 0 }, whats = { 0 }, wheres = { 0 };

    for (uint32_t w = 0; w < r->n; w++) {
        if (!r->works[w].is_sql)
            continue;
        see_name(&what, &whats, r, w, r->items[w].what);
        see_name(&where, &wheres, r, w, r->items[w].where);
    }
    for (uint32_t w = 0; w < r->n; w++) {
        struct pair_item *item = &r->items[w];

        if (!r->works[w].is_sql)
            continue;
        item->common_what = map_get(&whats, (int64_t)item->what) != MAP_NONE;
        item->common_where =
            map_get(&wheres, (int64_t)item->where) != MAP_NONE ||
            sv_starts(r->app->sqls[r->works[w].ix].details, SV("org.apache.spark."));
    }
    map_release(&what);
    map_release(&where);
    map_release(&whats);
    map_release(&wheres);
}

/* An execution is never a job: their hashes differ by one bit that both kinds of
 * equality see, and features of the two have nothing in common. */
static void tell_kinds_apart(struct pair_run *r)
{
    for (uint32_t i = 0; i < r->n; i++) {
        if (r->works[i].is_sql)
            continue;
        r->items[i].exact ^= 1;
        r->items[i].what ^= 1;
        r->items[i].where ^= 1;
    }
}

void pair_run_build(struct pair_run *r)
{
    struct features f = { 0 };

    list_works(r);
    list_stages(r);
    r->items = arena_array(r->arena, (size_t)r->n + 1, sizeof *r->items);
    for (uint32_t w = 0; w < r->n; w++)
        work_item(r, w, &f);
    mark_common(r);
    tell_kinds_apart(r);
    free(f.items);
}

void pair_stage_items(const struct pair_run *r, const struct run_unit *w,
                      const uint32_t *stages, uint32_t n, struct pair_item *items,
                      struct arena *arena)
{
    struct places places = { 0 };
    struct features f = { 0 };

    if (w && w->is_sql) {
        const struct sql *q = &r->app->sqls[w->ix];

        if (q->n_plans) /* the last one has the metrics of all that ran */
            walk_plan(NULL, NULL, &places, q->plans[q->n_plans - 1]);
    }
    for (uint32_t i = 0; i < n; i++)
        stage_item(&items[i], &r->app->stages[stages[i]], &places, &f, arena);
    map_release(&places.of_accum);
    free(places.hashes.items);
    free(f.items);
}
