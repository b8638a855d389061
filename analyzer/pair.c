/* From two runs to lists of items, and from their alignment back to pairs.
 *
 * An SQL execution is what its first plan says: before adaptive execution changed it,
 * so that other sizes do not make it another query. Of each operator there are
 * features of two kinds: what it is called and whom it feeds, which a changed join
 * strategy changes; and what it means (the table and columns of a scan, keys of a join or
 * an aggregate), which it does not. Exchanges and sorts mean nothing by themselves.
 *
 * A stage is the operators whose metrics it updated, what it reads and writes, and
 * the names of its RDDs. */
#include "analyzer/pair.h"

#include "analyzer/pair_align.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "base/units.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define DETAIL_BYTES 300 /* of an operator's text; the rest repeats column lists */
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

/* Without recursion: the depth of a plan is the log's to choose. */
static void walk_plan(struct features *f, struct places *places,
                      const struct plan_node *root)
{
    struct open_node *open = NULL;
    size_t n = 0, cap = 0, seen = 0;

    GROW(open, n, cap);
    open[n++] = (struct open_node){ root, 0 };
    while (n && seen++ < UNIT_NODES) {
        struct open_node o = open[--n];

        if (!is_wrapper(o.node->name))
            add_node(f, places, o.node, &o.parent);
        for (size_t i = o.node->n_children; i-- > 0;) {
            GROW(open, n, cap);
            open[n++] = (struct open_node){ o.node->children[i], o.parent };
        }
    }
    free(open);
}

/* --- one run ------------------------------------------------------------------- */

struct work { /* an SQL execution, or a job outside of one */
    bool is_sql;
    uint32_t ix;
    int64_t submitted_ms;
    uint64_t shape;             /* of the first plan; 0: none */
    uint32_t *stages, n_stages; /* last attempts that ran, in order of submission */
};

struct run {
    const struct app *app;
    struct arena *arena;
    struct work *works;
    struct pair_item *items;
    uint32_t n;
    uint32_t *loose; /* stages of no job */
    uint32_t n_loose;
    int64_t task_ms;
};

static int by_time(const void *a, const void *b)
{
    const struct work *x = a, *y = b;

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

static void list_works(struct run *r)
{
    const struct app *app = r->app;

    r->works = arena_array(r->arena, app->n_sqls + app->n_jobs + 1, sizeof *r->works);
    for (uint32_t i = 0; i < app->n_sqls; i++)
        r->works[r->n++] =
            (struct work){ true, i, app->sqls[i].submitted_ms, 0, NULL, 0 };
    for (uint32_t i = 0; i < app->n_jobs; i++)
        if (app->jobs[i].sql_execution_id == APP_NONE ||
            app_sql_ix(app, app->jobs[i].sql_execution_id) == IX_NONE)
            r->works[r->n++] =
                (struct work){ false, i, app->jobs[i].submitted_ms, 0, NULL, 0 };
    qsort(r->works, r->n, sizeof *r->works, by_time);
}

static void list_stages(struct run *r)
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

static void finish_item(struct pair_item *item, struct features *f, struct arena *arena)
{
    uint64_t h = mix(item->what, item->where);

    if (f->n > UINT32_MAX)
        f->n = UINT32_MAX;
    item->n_features = pair_features_finish(f->items, (uint32_t)f->n);
    item->features = arena_array(arena, item->n_features + 1, sizeof *item->features);
    for (uint32_t i = 0; i < item->n_features; i++) {
        item->features[i] = f->items[i];
        h = mix(h, f->items[i]);
    }
    item->exact = mix(item->exact, h);
    f->n = 0;
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

static void work_item(struct run *r, uint32_t w, struct features *f)
{
    struct pair_item *item = &r->items[w];

    if (r->works[w].is_sql) {
        const struct sql *q = &r->app->sqls[r->works[w].ix];

        if (q->n_plans)
            walk_plan(f, NULL, q->plans[0]);
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

static void run_build(struct run *r)
{
    struct features f = { 0 };

    list_works(r);
    list_stages(r);
    r->items = arena_array(r->arena, (size_t)r->n + 1, sizeof *r->items);
    for (uint32_t w = 0; w < r->n; w++)
        work_item(r, w, &f);
    free(f.items);
}

/* --- pairs --------------------------------------------------------------------- */

static void stage_items(const struct run *r, const struct work *w, const uint32_t *stages,
                        uint32_t n, struct pair_item *items, struct arena *arena)
{
    struct places places = { 0 };
    struct features f = { 0 };

    if (w && w->is_sql) {
        const struct sql *q = &r->app->sqls[w->ix];

        if (q->n_plans) /* the last one has the metrics of all that ran */
            walk_plan(NULL, &places, q->plans[q->n_plans - 1]);
    }
    for (uint32_t i = 0; i < n; i++)
        stage_item(&items[i], &r->app->stages[stages[i]], &places, &f, arena);
    map_release(&places.of_accum);
    free(places.hashes.items);
    free(f.items);
}

struct pair_work {
    struct pairing *p;
    struct run base, head;
    struct arena scratch;
    int64_t base_ms, head_ms;             /* task time in paired stages */
    int64_t base_units_ms, head_units_ms; /* in executions paired by more than place */
    double sure_ms;                       /* of head's, weighed by confidence */
};

static int64_t all_attempts_ms(const struct app *app, uint32_t ix)
{
    int64_t ms = 0;

    for (uint32_t i = ix; app->stages[i].stage_id == app->stages[ix].stage_id; i--) {
        ms = add_sat(ms, app->stages[i].duration_ms);
        if (i == 0)
            break;
    }
    return ms;
}

static void mark_attempts(const struct app *app, uint32_t ix, uint32_t *of, uint32_t at)
{
    for (uint32_t i = ix; app->stages[i].stage_id == app->stages[ix].stage_id; i--) {
        of[i] = at;
        if (i == 0)
            break;
    }
}

static void add_stage(struct pair_work *w, uint32_t base_ix, uint32_t head_ix,
                      uint32_t unit, double confidence, bool moved)
{
    struct pairing *p = w->p;
    uint32_t at = (uint32_t)p->n_stages++;

    p->stages[at] = (struct stage_pair){ base_ix, head_ix, unit, confidence, moved };
    if (base_ix != IX_NONE)
        mark_attempts(w->base.app, base_ix, p->stage_of_base, at);
    if (head_ix != IX_NONE)
        mark_attempts(w->head.app, head_ix, p->stage_of_head, at);
    if (base_ix == IX_NONE || head_ix == IX_NONE)
        return;
    w->base_ms = add_sat(w->base_ms, all_attempts_ms(w->base.app, base_ix));
    w->head_ms = add_sat(w->head_ms, all_attempts_ms(w->head.app, head_ix));
    w->sure_ms += confidence * (double)all_attempts_ms(w->head.app, head_ix);
}

/* Matches as one row in head's order: what base alone has stands before the next
 * pair that kept its place. Calls add for each. */
typedef void merged(struct pair_work *w, uint32_t base, uint32_t head,
                    const struct pair_match *m, void *arg);

static void merge(struct pair_work *w, const struct pair_match *match, uint32_t n_base,
                  uint32_t n_head, merged *add, void *arg)
{
    static const struct pair_match none = { .head = IX_NONE };
    uint32_t *base_of = xcalloc((size_t)n_head + 1, sizeof *base_of), next = 0;

    memset(base_of, 0xff, ((size_t)n_head + 1) * sizeof *base_of);
    for (uint32_t b = 0; b < n_base; b++)
        if (match[b].head != IX_NONE)
            base_of[match[b].head] = b;
    for (uint32_t h = 0; h <= n_head; h++) {
        uint32_t b = h < n_head ? base_of[h] : IX_NONE;
        uint32_t until = h == n_head                       ? n_base
                         : b != IX_NONE && !match[b].moved ? b
                                                           : next;

        for (; next < until; next++)
            if (match[next].head == IX_NONE)
                add(w, next, IX_NONE, &none, arg);
        if (h < n_head)
            add(w, b, h, b == IX_NONE ? &none : &match[b], arg);
    }
    free(base_of);
}

struct stage_lists {
    const uint32_t *base, *head;
    uint32_t unit;
    double most; /* confidence of the unit */
};

static void add_merged_stage(struct pair_work *w, uint32_t b, uint32_t h,
                             const struct pair_match *m, void *arg)
{
    const struct stage_lists *l = arg;

    add_stage(w, b == IX_NONE ? IX_NONE : l->base[b], h == IX_NONE ? IX_NONE : l->head[h],
              l->unit, m->score < l->most ? m->score : l->most, m->moved);
}

static bool same_names(const struct pair_work *w, const struct work *base,
                       const struct work *head)
{
    const struct pair_item *b = &w->base.items[base - w->base.works];
    const struct pair_item *h = &w->head.items[head - w->head.works];

    return b->what == h->what && b->where == h->where;
}

/* Where the execution has another description or call site, so have all of its
 * stages: that tells none of them from the others. */
static void forget_names(struct pair_item *b, uint32_t nb, struct pair_item *h,
                         uint32_t nh)
{
    for (uint32_t i = 0; i < nb; i++)
        b[i].what = b[i].where = 0;
    for (uint32_t i = 0; i < nh; i++)
        h[i].what = h[i].where = 0;
}

static void pair_stages(struct pair_work *w, const struct work *base,
                        const struct work *head, uint32_t unit, double confidence)
{
    const uint32_t *bs = base ? base->stages : w->base.loose;
    const uint32_t *hs = head ? head->stages : w->head.loose;
    uint32_t nb = base ? base->n_stages : w->base.n_loose;
    uint32_t nh = head ? head->n_stages : w->head.n_loose;
    struct stage_lists lists = { bs, hs, unit, confidence };
    struct pair_item *b = arena_array(&w->scratch, (size_t)nb + 1, sizeof *b);
    struct pair_item *h = arena_array(&w->scratch, (size_t)nh + 1, sizeof *h);
    struct pair_match *match = arena_array(&w->scratch, (size_t)nb + 1, sizeof *match);

    stage_items(&w->base, base, bs, nb, b, &w->scratch);
    stage_items(&w->head, head, hs, nh, h, &w->scratch);
    if (base && head && !same_names(w, base, head))
        forget_names(b, nb, h, nh);
    pair_align(b, nb, h, nh, match);
    merge(w, match, nb, nh, add_merged_stage, &lists);
    arena_reset(&w->scratch);
}

static void add_lone(struct pair_work *w, const struct work *lone, bool is_base,
                     uint32_t unit)
{
    for (uint32_t i = 0; i < lone->n_stages; i++)
        add_stage(w, is_base ? lone->stages[i] : IX_NONE,
                  is_base ? IX_NONE : lone->stages[i], unit, 0, false);
}

static int64_t work_ms(const struct app *app, const struct work *w)
{
    int64_t ms = 0;

    for (uint32_t i = 0; i < w->n_stages; i++)
        ms = add_sat(ms, all_attempts_ms(app, w->stages[i]));
    return ms;
}

static void add_merged_unit(struct pair_work *w, uint32_t b, uint32_t h,
                            const struct pair_match *m, void *arg)
{
    const struct work *base = b == IX_NONE ? NULL : &w->base.works[b];
    const struct work *head = h == IX_NONE ? NULL : &w->head.works[h];
    uint32_t unit = (uint32_t)w->p->n_units++;

    (void)arg;
    w->p->units[unit] = (struct unit_pair){
        .is_sql = head ? head->is_sql : base->is_sql,
        .base_ix = base ? base->ix : IX_NONE,
        .head_ix = head ? head->ix : IX_NONE,
        .confidence = m->score,
        .same_plan = base && head && base->shape && base->shape == head->shape,
        .moved = m->moved,
    };
    if (base && head && m->score > PAIR_LIKE) {
        w->base_units_ms = add_sat(w->base_units_ms, work_ms(w->base.app, base));
        w->head_units_ms = add_sat(w->head_units_ms, work_ms(w->head.app, head));
    }
    if (base && head)
        pair_stages(w, base, head, unit, m->score);
    else
        add_lone(w, base ? base : head, base != NULL, unit);
}

/* An execution is never a job: their hashes differ by one bit that both kinds of
 * equality see, and features of the two have nothing in common. */
static void tell_kinds_apart(struct run *r)
{
    for (uint32_t i = 0; i < r->n; i++) {
        if (r->works[i].is_sql)
            continue;
        r->items[i].exact ^= 1;
        r->items[i].what ^= 1;
        r->items[i].where ^= 1;
    }
}

static void judge(struct pair_work *w)
{
    struct pairing *p = w->p;
    struct strbuf why = { 0 };

    p->base_share =
        w->base.task_ms > 0 ? (double)w->base_ms / (double)w->base.task_ms : 1;
    p->head_share =
        w->head.task_ms > 0 ? (double)w->head_ms / (double)w->head.task_ms : 1;
    /* a plan that lost its costly stage is what one wants to see, not another job */
    bool units = p->same_name && w->base.task_ms > 0 && w->head.task_ms > 0 &&
                 (double)w->base_units_ms >= PAIR_SHARE * (double)w->base.task_ms &&
                 (double)w->head_units_ms >= PAIR_SHARE * (double)w->head.task_ms;

    p->same_job =
        units ||
        (p->base_share >= PAIR_SHARE && p->head_share >= PAIR_SHARE &&
         (p->same_name ||
          (p->n_stages && w->sure_ms >= PAIR_SHARE_RENAMED * (double)w->head.task_ms)));
    if (p->same_job)
        return;
    strbuf_addz(&why, "not the same job: stages that are in both runs hold ");
    units_share(&why, p->base_share);
    strbuf_addz(&why, " of the base run's task time and ");
    units_share(&why, p->head_share);
    strbuf_addz(&why, " of the head run's");
    if (!p->same_name && w->head.task_ms > 0) {
        strbuf_addz(&why,
                    "; the applications have different names, and that it is the same "
                    "work is only ");
        units_share(&why, w->sure_ms / (double)w->head.task_ms);
        strbuf_addz(&why, " sure");
    }
    p->why = arena_sv(&p->arena, strbuf_sv(&why)).p;
    strbuf_release(&why);
}

/* A query that was written anew shares little of its plan with the old one. Where one of
 * each run is left over between the same neighbours, under one description and one
 * call site, it is that one: the least sure of pairs. */
static void pair_rewritten(const struct pair_work *w, struct pair_match *match)
{
    uint32_t n = w->base.n, before = 0; /* head's first place after the last pair */
    bool *taken = xcalloc((size_t)w->head.n + 1, sizeof *taken);

    for (uint32_t b = 0; b < n; b++)
        if (match[b].head != IX_NONE)
            taken[match[b].head] = true;
    for (uint32_t b = 0; b < n; b++) {
        uint32_t after = b + 1 < n ? match[b + 1].head : w->head.n;
        const struct pair_item *x = &w->base.items[b];

        if (match[b].head != IX_NONE) {
            before = match[b].head + 1;
        } else if (after != IX_NONE && after == before + 1 && !taken[before] &&
                   (b == 0 || match[b - 1].head != IX_NONE)) {
            const struct pair_item *y = &w->head.items[before];

            if (x->what && x->what == y->what && x->where == y->where)
                match[b] = (struct pair_match){ .head = before, .score = PAIR_LIKE };
        }
    }
    free(taken);
}

static uint32_t *stage_column(struct pairing *p, const struct app *app)
{
    uint32_t *of = arena_array(&p->arena, app->n_stages + 1, sizeof *of);

    memset(of, 0xff, (app->n_stages + 1) * sizeof *of);
    return of;
}

void pair_runs(struct pairing *p, const struct analysis *base,
               const struct analysis *head)
{
    struct arena lists = { 0 };
    struct pair_work w = { .p = p,
                           .base = { .app = &base->app, .arena = &lists },
                           .head = { .app = &head->app, .arena = &lists } };

    *p = (struct pairing){ 0 };
    run_build(&w.base);
    run_build(&w.head);
    tell_kinds_apart(&w.base);
    tell_kinds_apart(&w.head);
    p->units = arena_array(&p->arena, (size_t)w.base.n + w.head.n + 1, sizeof *p->units);
    p->stages = arena_array(&p->arena, base->app.n_stages + head->app.n_stages + 1,
                            sizeof *p->stages);
    p->stage_of_base = stage_column(p, &base->app);
    p->stage_of_head = stage_column(p, &head->app);

    struct pair_match *match = arena_array(&lists, (size_t)w.base.n + 1, sizeof *match);
    pair_align(w.base.items, w.base.n, w.head.items, w.head.n, match);
    p->same_name = normal_hash(base->app.name) == normal_hash(head->app.name);
    if (p->same_name)
        pair_rewritten(&w, match);
    merge(&w, match, w.base.n, w.head.n, add_merged_unit, NULL);
    pair_stages(&w, NULL, NULL, IX_NONE, 1);
    judge(&w);
    arena_release(&w.scratch);
    arena_release(&lists);
}

void pairing_release(struct pairing *p)
{
    arena_release(&p->arena);
    *p = (struct pairing){ 0 };
}
