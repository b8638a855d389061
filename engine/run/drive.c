/* Driving a plan: what leaves need is made first, then the tree's own job.
 *
 *     drive_collect    drive_inputs   subqueries, broadcasts, range samples below
 *                      drive_job      one job: map stages not there yet, then the result
 *     AQE              drive_adaptive calls drive_materialise for each stage: a job each,
 *                      and leaves a plan whose leaves are all there */
#include "engine/exec/op.h"
#include "engine/run/query_run.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

/* --- jobs ------------------------------------------------------------------------- */

struct building {
    struct stage_spec *stages;
    struct input **inputs; /* of stage i; NULL: the result */
    uint32_t n;
};

static uint32_t add_stage(struct building *b, struct query_run *q, struct input *in);

static const uint32_t *add_parents(struct building *b, struct query_run *q,
                                   struct input **leaves, uint32_t n)
{
    uint32_t *at = query_alloc(q, (n + 1) * sizeof *at);

    for (uint32_t i = 0; i < n; i++)
        at[i] = add_stage(b, q, leaves[i]);
    return at;
}

static uint32_t add_stage(struct building *b, struct query_run *q, struct input *in)
{
    const uint32_t *parents;

    for (uint32_t i = 0; i < b->n; i++)
        if (b->inputs[i] == in)
            return i;
    parents = add_parents(b, q, in->parents, in->n_parents);
    b->stages[b->n] = (struct stage_spec){
        .name = q->call_site,
        .n_tasks = in->n_maps,
        .run = exchange_map_task,
        .ctx = in,
        .parents = parents,
        .n_parents = in->n_parents,
        .skipped = in->done,
        .rdds = in->rdds,
        .n_rdds = in->n_rdds,
    };
    b->inputs[b->n] = in;
    return b->n++;
}

static uint32_t count_inputs(struct query_run *q)
{
    uint32_t n = 0;

    pthread_mutex_lock(&q->lock);
    for (struct input *in = q->inputs; in; in = in->next)
        n++;
    pthread_mutex_unlock(&q->lock);
    return n;
}

static enum errc run_job(struct query_run *q, struct building *b, bool map_job,
                         struct err *err)
{
    struct job_spec spec = {
        .stages = b->stages,
        .n_stages = b->n,
        .map_job = map_job,
        .sql_execution_id = q->execution_id,
        .sql_root_id = q->root_id,
        .description = q->description,
        .call_site = q->call_site,
        .settings = q->settings,
        .query = q,
        .eval = q->eval,
    };
    struct job *j = job_submit(q->scheduler, &spec);
    enum errc rc = job_wait(j, err);

    job_free(j);
    for (uint32_t i = 0; rc == ERR_OK && i < b->n; i++)
        if (b->inputs[i])
            b->inputs[i]->done = true;
    return rc;
}

enum errc drive_job(struct query_run *q, const struct phys *root, struct input *in,
                    const uint32_t *partitions, uint32_t n_tasks, task_fn run, void *ctx,
                    struct err *err)
{
    uint32_t room = count_inputs(q) + 1;
    struct building b = { 0 };
    enum errc rc;

    b.stages = xcalloc(room, sizeof *b.stages);
    b.inputs = xcalloc(room, sizeof(struct input *));
    if (in) {
        (void)add_stage(&b, q, in);
    } else {
        struct input **leaves;
        uint32_t n = query_leaves(q, root, &leaves);
        const uint32_t *parents = add_parents(&b, q, leaves, n);
        struct log_rdd *rdds;
        int32_t top;
        uint32_t n_rdds = lineage_of(q, root, NULL, &rdds, &top);

        b.stages[b.n++] = (struct stage_spec){
            .name = q->call_site,
            .n_tasks = n_tasks,
            .partitions = partitions,
            .run = run,
            .ctx = ctx,
            .parents = parents,
            .n_parents = n,
            .rdds = rdds,
            .n_rdds = n_rdds,
        };
    }
    rc = run_job(q, &b, in != NULL, err);
    free(b.stages);
    free(b.inputs);
    return rc;
}

/* --- inputs ----------------------------------------------------------------------- */

static void count_scans(struct query_run *q, const struct phys *p)
{
    static const char *const keys[] = { "files", "file_bytes", "metadata_ms",
                                        "partitions" };

    if (query_is_leaf(p))
        return;
    for (uint32_t i = 0; i < p->n_children; i++)
        count_scans(q, p->children[i]);
    if (p->kind != PHYS_SCAN)
        return;
    struct scan_parts *s = query_scan_parts(q, p);
    if (!s->counted) {
        const struct relation *r = s->relation;
        int64_t values[] = { r->n_files, r->bytes, 0, relation_folders(r) };
        uint32_t of_all = ARRAY_LEN(keys) - (r->partition.n == 0);

        s->counted = true;
        driver_count(q, p, of_all, keys, values);
    }
}

/* Makes the exchange's map stage known: maps, reducers, lineage. */
static enum errc prepare_exchange(struct query_run *q, struct phys *exchange,
                                  struct input **out, struct err *err)
{
    static const char *const keys[] = { "partitions" };
    struct input *in = query_input_make(q, exchange);
    struct phys *child;
    uint32_t reducers = exchange->partitioning.n ? exchange->partitioning.n : 1;

    *out = in;
    if (in->shuffle)
        return ERR_OK;
    TRY(drive_ready(q, exchange->children[0], exchange->global, &child, err));
    in->child = child;
    in->n_maps = query_partitions(q, child);
    if (exchange->partitioning.kind == PART_SINGLE)
        reducers = 1;
    else if (exchange->partitioning.kind == PART_RANGE)
        TRY(exchange_sample(q, in, &reducers, err));
    in->n_parents = query_leaves(q, child, &in->parents);
    in->n_rdds = lineage_of(q, child, "Exchange", &in->rdds, &in->top_rdd);
    struct type *types = xcalloc(child->output.n + 1, sizeof *types);
    for (uint32_t i = 0; i < child->output.n; i++)
        types[i] = child->output.at[i]->type;
    pthread_mutex_lock(&q->lock);
    int32_t id = (*q->next_shuffle)++;
    pthread_mutex_unlock(&q->lock);
    in->shuffle = shuffle_new(id, in->n_maps, reducers, types, child->output.n,
                              scheduler_dir(q->scheduler), q->settings);
    free(types);
    int64_t values[] = { reducers };
    driver_count(q, exchange, 1, keys, values);
    return ERR_OK;
}

enum errc drive_prepare(struct query_run *q, struct phys *exchange, struct err *err)
{
    struct input *in;

    return prepare_exchange(q, exchange, &in, err);
}

struct broadcasting {
    struct query_run *q;
    struct phys *node;
    pthread_t thread;
    struct err err;
    enum errc rc;
};

static void *broadcast_main(void *arg)
{
    struct broadcasting *b = arg;

    b->rc = drive_broadcast(b->q, b->node, &b->err);
    return NULL;
}

static uint32_t find_leaves(struct phys *p, struct phys **out, uint32_t n, uint32_t room)
{
    if (query_is_leaf(p)) {
        if (n < room)
            out[n] = p;
        return n + 1;
    }
    for (uint32_t i = 0; i < p->n_children; i++)
        n = find_leaves(p->children[i], out, n, room);
    return n;
}

static bool has_exchange(const struct phys *p)
{
    if (p->kind == PHYS_EXCHANGE || p->kind == PHYS_REUSED)
        return true;
    for (uint32_t i = 0; i < p->n_children; i++)
        if (has_exchange(p->children[i]))
            return true;
    return false;
}

/* Side by side, but for those over shuffles, which two might share. */
static enum errc run_broadcasts(struct query_run *q, struct phys **leaves, uint32_t n,
                                struct err *err)
{
    struct broadcasting *all = xcalloc(n + 1, sizeof *all);
    enum errc rc = ERR_OK;
    uint32_t k = 0;

    for (uint32_t i = 0; i < n; i++) {
        struct phys *node = (struct phys *)(uintptr_t)query_exchange_of(leaves[i]);
        bool again = node->kind != PHYS_BROADCAST || query_broadcast(q, node);

        for (uint32_t j = 0; j < k; j++)
            again |= all[j].node == node;
        if (!again)
            all[k++] = (struct broadcasting){ .q = q, .node = node };
    }
    uint32_t started = 0;
    bool *threaded = xcalloc(k + 1, sizeof *threaded);
    for (; started + 1 < k; started++) /* the last one here */
        threaded[started] = !has_exchange(all[started].node) &&
                            pthread_create(&all[started].thread, NULL, broadcast_main,
                                           &all[started]) == 0;
    for (uint32_t i = 0; i < k; i++)
        if (!threaded[i])
            (void)broadcast_main(&all[i]);
    for (uint32_t i = 0; i < k; i++) {
        if (threaded[i])
            pthread_join(all[i].thread, NULL);
        if (all[i].rc != ERR_OK && rc == ERR_OK) {
            rc = all[i].rc;
            *err = all[i].err;
        }
    }
    free(threaded);
    free(all);
    return rc;
}

enum errc drive_inputs(struct query_run *q, struct phys *root, struct err *err)
{
    uint32_t n = find_leaves(root, NULL, 0, 0);
    struct phys **leaves = query_alloc(q, (n + 1) * sizeof *leaves);

    (void)find_leaves(root, leaves, 0, n);
    TRY(drive_subqueries(q, root, err));
    TRY(query_find_scans(q, root, err));
    count_scans(q, root);
    TRY(run_broadcasts(q, leaves, n, err));
    for (uint32_t i = 0; i < n; i++) {
        struct phys *exchange = (struct phys *)(uintptr_t)query_exchange_of(leaves[i]);
        struct input *in;

        if (exchange->kind == PHYS_EXCHANGE)
            TRY(prepare_exchange(q, exchange, &in, err));
    }
    return ERR_OK;
}

enum errc drive_materialise(struct query_run *q, struct phys *exchange, struct err *err)
{
    struct input *in;

    if (exchange->kind == PHYS_BROADCAST)
        return drive_broadcast(q, exchange, err);
    TRY(prepare_exchange(q, exchange, &in, err));
    return in->done ? ERR_OK : drive_job(q, exchange, in, NULL, 0, NULL, NULL, err);
}

/* --- subqueries ------------------------------------------------------------------- */

struct finding {
    struct query_run *q;
    struct err *err;
    enum errc rc;
};

static enum errc run_subquery(struct query_run *q, struct phys *node, struct value *out,
                              struct err *err)
{
    static const char *const keys[] = { "data_bytes", "collect_ms" };
    int64_t begin_ms = scheduler_now_ms(q->scheduler);
    struct arena a = { 0 };
    struct rows_out rows = { 0 };
    enum errc rc = drive_collect(q, node->children[0], &a, &rows, err);

    if (rc == ERR_OK && rows.n_rows > 1)
        rc = err_set(err, ERR_SYNTAX,
                     "[SCALAR_SUBQUERY_TOO_MANY_ROWS] More than one row returned by a "
                     "subquery used as an expression.");
    *out = value_null(node->children[0]->output.at[0]->type);
    for (uint32_t i = 0; rc == ERR_OK && i < rows.n_batches; i++)
        if (rows.batches[i].n_sel) {
            *out = value_at(&rows.batches[i].columns[0], batch_row(&rows.batches[i], 0));
            if (!out->null && type_is_text(out->type)) {
                char *text = query_alloc(q, out->u.s.len + 1);

                memcpy(text, out->u.s.p, out->u.s.len);
                out->u.s.p = text;
            }
            break;
        }
    if (rc == ERR_OK) {
        int64_t values[] = { 16 * (int64_t)rows.n_rows,
                             scheduler_now_ms(q->scheduler) - begin_ms };

        driver_count(q, node, ARRAY_LEN(keys), keys, values);
    }
    arena_release(&a);
    return rc;
}

/* The subquery's value, from whoever came for it first. */
static struct subquery_value *subquery_once(struct query_run *q, struct phys *node)
{
    struct subquery_value *v;

    pthread_mutex_lock(&q->lock);
    for (v = q->subqueries; v && v->node != node; v = v->next)
        ;
    if (v) {
        while (!v->ended)
            pthread_cond_wait(&q->subquery_ended, &q->lock);
        pthread_mutex_unlock(&q->lock);
        return v;
    }
    v = ARENA_NEW(&q->arena, struct subquery_value);
    v->node = node;
    v->next = q->subqueries;
    q->subqueries = v;
    pthread_mutex_unlock(&q->lock);
    v->rc = run_subquery(q, node, &v->value, &v->err);
    pthread_mutex_lock(&q->lock);
    v->ended = true;
    pthread_cond_broadcast(&q->subquery_ended);
    pthread_mutex_unlock(&q->lock);
    return v;
}

static bool one_subquery(void *ctx, const struct expr *e)
{
    struct finding *f = ctx;
    struct subquery_value *v;
    struct phys *node = e->phys;

    if (e->kind != EXPR_SUBQUERY_RESULT || !node)
        return false;
    while (node->kind == PHYS_REUSED_SUBQUERY)
        node = node->reused;
    v = subquery_once(f->q, node);
    if (v->rc != ERR_OK) {
        f->rc = v->rc;
        *f->err = v->err;
        return true;
    }
    /* the plan owns the slot, and this is who fills it: all do with the same */
    pthread_mutex_lock(&f->q->lock);
    *(struct value *)(uintptr_t)e->slot = v->value;
    pthread_mutex_unlock(&f->q->lock);
    return false;
}

static bool in_list(struct finding *f, const struct exprs *list)
{
    for (uint32_t i = 0; i < list->n; i++)
        if (expr_any(list->at[i], one_subquery, f))
            return true;
    return false;
}

enum errc drive_subqueries(struct query_run *q, struct phys *p, struct err *err)
{
    struct finding f = { q, err, ERR_OK };

    if (query_is_leaf(p))
        return ERR_OK;
    if (in_list(&f, &p->list) || in_list(&f, &p->keys) || in_list(&f, &p->order) ||
        in_list(&f, &p->aggs) || in_list(&f, &p->left_keys) ||
        in_list(&f, &p->right_keys) || in_list(&f, &p->partition_filters) ||
        in_list(&f, &p->data_filters) ||
        (p->condition && expr_any(p->condition, one_subquery, &f)))
        return f.rc;
    for (uint32_t i = 0; i < p->n_projections; i++)
        if (in_list(&f, &p->projections[i]))
            return f.rc;
    for (uint32_t i = 0; i < p->n_children; i++)
        TRY(drive_subqueries(q, p->children[i], err));
    return ERR_OK;
}

/* --- results ---------------------------------------------------------------------- */

struct parts_source {
    struct batch *batches;
    uint32_t n, at;
};

static enum next next_part(void *ctx, struct batch *out, struct err *err)
{
    struct parts_source *s = ctx;

    (void)err;
    if (s->at == s->n)
        return NEXT_END;
    *out = s->batches[s->at++];
    return NEXT_ITEM;
}

/* The node's last step on the driver, over what its tasks put out. */
static enum errc merge(struct query_run *q, const struct phys *root,
                       struct parts_source *parts, struct strbuf *to, struct err *err)
{
    struct op_source source = { next_part, parts };
    struct task *t = xcalloc(1, sizeof *t);
    struct batch b;
    struct op *op;
    enum op_step step = OP_FAIL;
    enum errc rc;

    t->query = q;
    t->settings = q->settings;
    t->eval = q->eval;
    t->temp_dir = scheduler_dir(q->scheduler);
    task_memory_begin(&t->memory, q->driver_memory);
    rc = op_open_over(&op, root, t, &source, err);
    if (rc == ERR_OK) {
        while ((step = op_next(op, &b, err)) == OP_BATCH)
            if (b.n_sel)
                batch_encode(to, &b);
        if (step == OP_FAIL)
            rc = err->code;
        op_close(op);
    }
    task_memory_end(&t->memory);
    metric_sink_release(&t->sink);
    arena_release(&t->arena);
    free(t);
    return rc;
}

static enum errc take_ordered(struct query_run *q, struct phys *root, struct arena *a,
                              struct rows_out *out, struct err *err)
{
    struct collected c = { .columns = &root->children[0]->output }, merged = { 0 };
    struct parts_source parts = { 0 };
    struct arena tasks = { 0 };
    struct strbuf bytes = { 0 };
    enum errc rc = collect_run(q, root, 0, query_partitions(q, root), &c, err);

    if (rc == ERR_OK)
        rc = collected_batches(&c, &tasks, &parts.batches, &parts.n, err);
    if (rc == ERR_OK)
        rc = merge(q, root, &parts, &bytes, err);
    if (rc == ERR_OK) {
        merged.parts = xcalloc(1, sizeof *merged.parts);
        merged.parts[0] = bytes;
        merged.n = 1;
        merged.root = root;
        rc = collected_batches(&merged, a, &out->batches, &out->n_batches, err);
    } else {
        strbuf_release(&bytes);
    }
    collected_release(&merged);
    collected_release(&c);
    arena_release(&tasks);
    return rc;
}

/* CollectLimit: few partitions first, then more by how many rows they had. */
static enum errc take_first(struct query_run *q, struct phys *root, struct arena *a,
                            struct rows_out *out, struct err *err)
{
    uint32_t all = query_partitions(q, root), at = 0;
    int64_t scale = max_i64(settings_int(q->settings, SET_LIMIT_SCALE_UP), 2);
    int64_t wanted = root->limit >= 0 ? root->limit : INT64_MAX;
    struct collected c = { 0 };
    enum errc rc = ERR_OK;

    while (at < all && c.rows < wanted && rc == ERR_OK) {
        int64_t some = settings_int(q->settings, SET_LIMIT_INITIAL);

        if (at > 0 && c.rows == 0)
            some = at * scale;
        else if (at > 0)
            some = min_i64(
                (int64_t)(1.5 * (double)(wanted - c.rows) * at / (double)c.rows) + 1,
                at * scale);
        some = min_i64(max_i64(some, 1), all - at);
        rc = collect_run(q, root, at, at + (uint32_t)some, &c, err);
        at += (uint32_t)some;
    }
    if (rc == ERR_OK && c.n)
        rc = collected_batches(&c, a, &out->batches, &out->n_batches, err);
    collected_release(&c);
    return rc;
}

/* Rows [skip, skip + limit) of the result. */
static void cut_rows(struct rows_out *out, struct arena *a, int64_t skip, int64_t limit)
{
    uint32_t k = 0;

    for (uint32_t i = 0; i < out->n_batches; i++) {
        struct batch b = out->batches[i];
        int64_t from = min_i64(skip, b.n_sel);
        int64_t n = b.n_sel - from;

        skip -= from;
        if (limit >= 0)
            n = min_i64(n, limit);
        if (n == 0)
            continue;
        if (limit >= 0)
            limit -= n;
        if (from > 0 || n < b.n_sel) {
            uint32_t *sel = arena_array(a, (size_t)n, sizeof *sel);

            for (int64_t r = 0; r < n; r++)
                sel[r] = batch_row(&b, (uint32_t)(from + r));
            b.sel = sel;
            b.n_sel = (uint32_t)n;
        }
        out->batches[k++] = b;
    }
    out->n_batches = k;
}

static enum errc collect_all(struct query_run *q, struct phys *root, struct arena *a,
                             struct rows_out *out, struct err *err)
{
    struct collected c = { .columns = &root->output };
    enum errc rc = collect_run(q, root, 0, query_partitions(q, root), &c, err);

    if (rc == ERR_OK)
        rc = collected_batches(&c, a, &out->batches, &out->n_batches, err);
    collected_release(&c);
    return rc;
}

enum errc drive_collect(struct query_run *q, struct phys *root, struct arena *a,
                        struct rows_out *out, struct err *err)
{
    enum errc rc;

    if (phys_write_of(root))
        return drive_write(q, root, err);
    if (root->kind == PHYS_ADAPTIVE)
        TRY(drive_adaptive(q, root, &root, err));
    TRY(drive_ready(q, root, true, &root, err));
    if (root->kind == PHYS_TAKE_ORDERED)
        rc = take_ordered(q, root, a, out, err);
    else if (root->kind == PHYS_COLLECT_LIMIT)
        rc = take_first(q, root, a, out, err);
    else
        rc = collect_all(q, root, a, out, err);
    if (rc != ERR_OK)
        return rc;
    if (root->kind == PHYS_COLLECT_LIMIT)
        cut_rows(out, a, max_i64(root->offset, 0),
                 root->limit >= 0 ? root->limit - max_i64(root->offset, 0) : -1);
    for (uint32_t i = 0; i < out->n_batches; i++)
        out->n_rows += out->batches[i].n_sel;
    return ERR_OK;
}
