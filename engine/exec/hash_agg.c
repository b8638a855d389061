/* HashAggregate, ObjectHashAggregate, SortAggregate: groups in a hash table, whatever the
 * name in the plan (a sort below it then costs its time and changes nothing).
 *
 * Each aggregate has a mode. PARTIAL and COMPLETE take rows of the child: keys, arguments
 * and filters are computed by one evaluator. PARTIAL_MERGE and FINAL take the columns of
 * earlier states: the child's last columns, in the order of the aggregates. PARTIAL and
 * PARTIAL_MERGE put out keys and states, the others the results.
 *
 * When memory is refused or asked back, all groups go to disk as keys and states, by a
 * few bits of their hashes; in the end each such part is read back and merged by itself,
 * a part that is still too large by further bits. */
#include "engine/exec/group_table.h"
#include "engine/exec/list.h"
#include "engine/exec/rows.h"
#include "engine/exec/spill.h"
#include "engine/expr/func.h"

#include "base/mem.h"

#include <stdlib.h>

enum { PARTS = 16, PART_BITS = 4, DIRECT_MOST = 1024, AGG_COLUMNS = 8 };

struct one_agg {
    struct agg_run run;
    enum agg_mode mode;
    size_t at;             /* of the state, in the states of a group */
    uint32_t n_buffers;    /* columns of its state */
    uint32_t first_arg;    /* of PARTIAL, COMPLETE: in the evaluator's list */
    int32_t filter;        /* the same; -1: none */
    uint32_t first_buffer; /* of all buffers, in order */
};

struct part { /* groups on disk */
    struct spill_extent *extents;
    uint32_t n, cap;
    uint32_t level;
};

struct hash_agg {
    struct group_table groups;
    struct key_batch key_batch;
    struct eval *eval;
    struct vec *columns; /* what it computed: keys, arguments, filters */
    uint32_t n_keys, n_aggs, n_buffers;
    struct one_agg *aggs;
    struct arena heap; /* of states */
    size_t state_bytes;
    bool merges, emits_states;
    uint32_t first_merged; /* child's column */
    uint32_t group[BATCH_ROWS];
    uint8_t *states[BATCH_ROWS], *some[BATCH_ROWS];
    uint32_t sel[BATCH_ROWS];
    /* output */
    struct scratch keys_out, buffers_out, results_out;
    struct eval *results;
    struct vec *inner, *put;
    bool collected;
    uint32_t at;
    struct arena old_text, old_heap; /* of groups spilled while a batch of them was out */
    /* spilling */
    struct consumer consumer;
    struct spill_file file;
    struct part *parts;
    uint32_t n_parts, cap_parts;
    uint32_t first_part;    /* of the PARTS being written; valid while spilling */
    int64_t seen, expected; /* rows of the child; expected < 0: not known */
    bool spilling, busy;    /* busy: its groups are being read back */
    uint32_t level;
    struct type *spill_types;
    int64_t spilled_bytes;
    int64_t *agg_ns;
};

static int64_t give_back(struct consumer *c, int64_t wanted, struct err *err);

/* ---- open ---- */

static bool merging(enum agg_mode m)
{
    return m == AGG_PARTIAL_MERGE || m == AGG_FINAL;
}

static void open_agg(struct op *op, struct hash_agg *h, struct one_agg *g,
                     const struct expr *e, struct exprs *inputs)
{
    struct arena *a = &op->task->arena;
    struct type buffers[AGG_MAX_BUFFER];
    const char *names[AGG_MAX_BUFFER];
    struct type *args = arena_array(a, e->n_args + 1, sizeof *args);

    for (uint32_t i = 0; i < e->n_args; i++)
        args[i] = e->args[i]->type;
    g->run = (struct agg_run){ .agg = e->agg,
                               .expr = e,
                               .heap = &h->heap,
                               .arg_types = args,
                               .n_args = e->n_args,
                               .result = e->type };
    g->mode = e->mode;
    g->n_buffers = e->agg->buffers(e, buffers, names);
    g->first_buffer = h->n_buffers;
    g->at = h->state_bytes;
    g->filter = -1;
    h->n_buffers += g->n_buffers;
    h->state_bytes += (e->agg->state_bytes(&g->run) + 7) & ~(size_t)7;
    if (merging(g->mode)) {
        h->merges = true;
        return;
    }
    g->first_arg = inputs->n;
    for (uint32_t i = 0; i < e->n_args; i++)
        inputs->at[inputs->n++] = e->args[i];
    if (e->filter) {
        g->filter = (int32_t)inputs->n;
        inputs->at[inputs->n++] = e->filter;
    }
}

/* Result expressions see the keys' attributes, then the aggregates' by their ids. */
static void open_results(struct op *op, struct hash_agg *h)
{
    struct arena *a = &op->task->arena;
    const struct phys *p = op->node;
    struct exprs inner = { arena_array(a, h->n_keys + h->n_aggs + 1, sizeof(void *)), 0 };

    for (uint32_t i = 0; i < h->n_keys; i++)
        inner.at[inner.n++] = expr_to_attribute(a, p->keys.at[i]);
    for (uint32_t i = 0; i < h->n_aggs; i++) {
        const struct expr *e = p->aggs.at[i];

        inner.at[inner.n++] = expr_attribute(a, e->name, e->type, e->nullable, e->id);
    }
    h->inner = arena_array(a, inner.n + 1, sizeof *h->inner);
    h->put = arena_array(a, p->list.n + 1, sizeof *h->put);
    h->results = op_eval(op, op_bind(op, &p->list, &inner), p->list.n);
}

static void open_scratch(struct op *op, struct hash_agg *h)
{
    struct arena *a = &op->task->arena;
    struct type *types = arena_array(a, h->n_keys + h->n_buffers + 1, sizeof *types);
    struct type *results = arena_array(a, h->n_aggs + 1, sizeof *results);
    uint32_t n = h->n_keys;

    for (uint32_t i = 0; i < h->n_keys; i++)
        types[i] = op->node->keys.at[i]->type;
    for (uint32_t i = 0; i < h->n_aggs; i++) {
        const struct expr *e = h->aggs[i].run.expr;
        const char *names[AGG_MAX_BUFFER];
        struct type buffers[AGG_MAX_BUFFER];
        uint32_t k = e->agg->buffers(e, buffers, names);

        for (uint32_t b = 0; b < k; b++)
            types[n++] = buffers[b];
        results[i] = e->type;
    }
    h->spill_types = types;
    scratch_init(&h->keys_out, a, types, h->n_keys);
    scratch_init(&h->buffers_out, a, types + h->n_keys, h->n_buffers);
    scratch_init(&h->results_out, a, results, h->n_aggs);
}

static enum errc agg_open(struct op *op, struct err *err)
{
    struct hash_agg *h = op->state;
    struct arena *a = &op->task->arena;
    const struct phys *p = op->node;
    const struct exprs *input = &op->children[0]->node->output;
    uint32_t n_inputs = p->keys.n;

    (void)err;
    h->n_keys = p->keys.n;
    h->n_aggs = p->aggs.n;
    h->aggs = arena_array(a, h->n_aggs + 1, sizeof *h->aggs);
    for (uint32_t i = 0; i < h->n_aggs; i++)
        n_inputs += p->aggs.at[i]->n_args + 1;
    struct exprs inputs = { arena_array(a, n_inputs + 1, sizeof(void *)), 0 };
    for (uint32_t i = 0; i < h->n_keys; i++)
        inputs.at[inputs.n++] = p->keys.at[i];
    uint32_t merged = 0;
    for (uint32_t i = 0; i < h->n_aggs; i++) {
        open_agg(op, h, &h->aggs[i], p->aggs.at[i], &inputs);
        if (merging(h->aggs[i].mode))
            merged += h->aggs[i].n_buffers;
        else
            h->emits_states |= h->aggs[i].mode == AGG_PARTIAL;
        h->emits_states |= h->aggs[i].mode == AGG_PARTIAL_MERGE;
    }
    if (merged > input->n)
        return err_set(err, ERR_USAGE, "%s: its input lacks states of aggregates",
                       phys_classes[p->kind].name);
    h->first_merged = input->n - merged;
    if (inputs.n)
        h->eval = op_eval(op, op_bind(op, &inputs, input), inputs.n);
    h->columns = arena_array(a, inputs.n + 1, sizeof *h->columns);
    open_scratch(op, h);
    groups_init(&h->groups, a, h->spill_types, h->n_keys, h->state_bytes);
    key_batch_init(&h->key_batch, a, &h->groups.keys);
    if (!h->emits_states)
        open_results(op, h);
    h->put =
        h->put ? h->put : arena_array(a, h->n_keys + h->n_buffers + 1, sizeof *h->put);
    spill_init(&h->file, op->task);
    h->consumer =
        (struct consumer){ .name = "aggregate", .spill = give_back, .owner = op };
    consumer_add(&op->task->memory, &h->consumer);
    h->agg_ns = op_metric(op, "build_ms");
    return ERR_OK;
}

/* ---- groups of a batch ---- */

/* All keys have few values in this batch: one look-up for each combination that occurs,
 * the rows then take it by their codes. False: not so. */
static bool find_by_codes(struct hash_agg *h, const struct batch *b)
{
    uint32_t size = 1, n_dict = 0, code[BATCH_ROWS], first[DIRECT_MOST];
    uint32_t known[DIRECT_MOST], n_known = 0;

    for (uint32_t c = 0; c < h->n_keys; c++) {
        const struct vec *v = &h->columns[c];

        if (v->kind == VEC_CONST)
            continue;
        if (v->kind != VEC_DICT || !v->dict->n_values || v->valid ||
            v->dict->n_values > DIRECT_MOST / size)
            return false;
        size *= v->dict->n_values;
        n_dict++;
    }
    if (n_dict == 0 || size > b->n_sel / 4)
        return false;
    memset(code, 0, b->n_sel * sizeof *code);
    for (uint32_t c = 0; c < h->n_keys; c++) {
        const struct vec *v = &h->columns[c];

        if (v->kind == VEC_CONST)
            continue;
        if (b->sel)
            for (uint32_t i = 0; i < b->n_sel; i++)
                code[i] = code[i] * v->dict->n_values + v->codes[b->sel[i]];
        else
            for (uint32_t i = 0; i < b->n_sel; i++)
                code[i] = code[i] * v->dict->n_values + v->codes[i];
    }
    for (uint32_t k = 0; k < size; k++)
        known[k] = UINT32_MAX;
    for (uint32_t i = 0; i < b->n_sel; i++)
        if (known[code[i]] == UINT32_MAX) {
            known[code[i]] = n_known;
            first[n_known++] = batch_row(b, i);
        }
    /* in order of first use, which is also an order of rows */
    struct batch some = *b;
    uint32_t found[DIRECT_MOST];
    some.sel = first;
    some.n_sel = n_known;
    keys_encode(&h->groups.keys, h->columns, &some, &h->key_batch);
    groups_find(&h->groups, &h->key_batch, n_known, found);
    for (uint32_t i = 0; i < b->n_sel; i++)
        h->group[i] = found[known[code[i]]];
    return true;
}

static void find_groups(struct hash_agg *h, const struct batch *b)
{
    if (find_by_codes(h, b))
        return;
    keys_encode(&h->groups.keys, h->columns, b, &h->key_batch);
    groups_find(&h->groups, &h->key_batch, b->n_sel, h->group);
}

/* The one group of an aggregate without keys. */
static void only_group(struct hash_agg *h)
{
    groups_reserve(&h->groups, 1);
    if (h->groups.n)
        return;
    h->key_batch.check[0] = 0;
    groups_find(&h->groups, &h->key_batch, 1, h->group);
}

/* ---- updates ---- */

/* Rows of b whose filter is true; their states close up in `some`. */
static struct batch filtered(struct hash_agg *h, const struct one_agg *g,
                             const struct batch *b)
{
    const struct vec *f = &h->columns[g->filter];
    struct batch some = *b;
    uint32_t n = 0;

    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);

        if (vec_is_null(f, row) || !*(const uint8_t *)vec_at(f, row))
            continue;
        h->some[n] = h->n_keys ? h->states[i] : NULL;
        h->sel[n++] = row;
    }
    some.sel = h->sel;
    some.n_sel = n;
    return some;
}

static void update_one(struct hash_agg *h, struct one_agg *g, const struct batch *b,
                       const struct vec *buffers, bool merge)
{
    const struct agg *agg = g->run.agg;
    const struct vec *args = merge ? buffers : &h->columns[g->first_arg];
    size_t at = h->groups.state_at + g->at;
    uint8_t *only = (uint8_t *)group_row(&h->groups, 0) + at; /* without keys */
    struct batch some = *b;

    if (h->n_keys == 0 && !merge && agg->update_all) {
        if (g->filter >= 0)
            some = filtered(h, g, b);
        if (some.n_sel)
            agg->update_all(&g->run, only, args, &some);
        return;
    }
    if (h->n_keys == 0)
        for (uint32_t i = 0; i < b->n_sel; i++)
            h->states[i] = only;
    else
        for (uint32_t i = 0; i < b->n_sel; i++)
            h->states[i] = (uint8_t *)group_row(&h->groups, h->group[i]) + at;
    if (merge) {
        agg->merge(&g->run, h->states, args, b);
        return;
    }
    uint8_t **states = h->states;
    if (g->filter >= 0) {
        some = filtered(h, g, b);
        if (h->n_keys == 0)
            for (uint32_t i = 0; i < some.n_sel; i++)
                h->some[i] = only;
        states = h->some;
    }
    if (some.n_sel)
        agg->update(&g->run, states, args, &some);
}

/* ---- memory ---- */

static int64_t bytes_with(struct hash_agg *h, const struct batch *b)
{
    int64_t text = 0;

    for (uint32_t c = 0; c < h->n_keys; c++) {
        const struct vec *v = &h->columns[c];

        if (!type_is_text(v->type) || v->kind == VEC_CONST ||
            (v->kind == VEC_DICT && v->dict->n_values))
            continue;
        for (uint32_t i = 0; i < b->n_sel; i++) {
            uint32_t row = batch_row(b, i);

            if (!vec_is_null(v, row))
                text += ((const struct str *)vec_at(v, row))->len;
        }
    }
    return groups_bytes_with(&h->groups, h->n_keys ? b->n_sel : 1, text) +
           (int64_t)h->heap.used_bytes;
}

static enum errc spill_groups(struct op *op, struct err *err);

enum { GUESS_FROM = 1 << 14, GUESS_PART = 16 };

/* From the share of the rows that came, once it says something: sparing the slots from
 * being filled anew each time they double. */
static void guess_groups(struct hash_agg *h)
{
    double all;

    h->groups.likely = 0;
    if (h->groups.n < GUESS_FROM || h->seen * GUESS_PART < h->expected)
        return;
    all = (double)h->groups.n * (double)h->expected / (double)h->seen;
    if (all > h->groups.n && all < UINT32_MAX)
        h->groups.likely = (uint32_t)all;
}

static enum errc make_room(struct op *op, const struct batch *b, struct err *err)
{
    struct hash_agg *h = op->state;

    guess_groups(h);
    for (int again = 0;; again++) {
        int64_t want = bytes_with(h, b);
        enum memory_answer got = memory_cover(&h->consumer, want, err);

        if (got == MEMORY_FAILED)
            return err->code;
        if (got == MEMORY_GRANTED)
            break;
        if (h->groups.likely) {
            h->groups.likely = 0;
            h->expected = -1;
            again = -1;
            continue;
        }
        if (again || h->groups.n == 0 || h->n_keys == 0)
            return memory_refused(want, h->consumer.used_bytes, err);
        TRY(spill_groups(op, err));
    }
    groups_reserve(&h->groups, h->n_keys ? b->n_sel : 1);
    return ERR_OK;
}

/* ---- putting groups out ---- */

/* Keys and either states or results of n groups, in h->inner or h->put. */
static void put_groups(struct hash_agg *h, const uint32_t *rows, uint32_t n, bool states,
                       struct vec *to)
{
    const char *keys[BATCH_ROWS];
    uint8_t *at[BATCH_ROWS];
    uint32_t c = 0;

    for (uint32_t i = 0; i < n; i++)
        keys[i] = group_row(&h->groups, rows[i]);
    for (; c < h->n_keys; c++) {
        struct vec *v = scratch_column(&h->keys_out, c);

        if (!keys_decode(&h->groups.keys, c, keys, n, v))
            v->valid = NULL;
        to[c] = *v;
    }
    for (uint32_t k = 0; k < h->n_aggs; k++) {
        const struct one_agg *g = &h->aggs[k];
        struct scratch *s = states ? &h->buffers_out : &h->results_out;
        uint32_t first = states ? g->first_buffer : k, many = states ? g->n_buffers : 1;

        for (uint32_t i = 0; i < n; i++)
            at[i] = (uint8_t *)(uintptr_t)keys[i] + h->groups.state_at + g->at;
        for (uint32_t i = 0; i < many; i++)
            memset(scratch_column(s, first + i)->valid, 1, n);
        if (states)
            g->run.agg->partial(&g->run, at, n, &s->columns[first]);
        else
            g->run.agg->final(&g->run, at, n, &s->columns[first]);
        for (uint32_t i = 0; i < many; i++) {
            struct vec *v = &s->columns[first + i];

            to[c] = *v;
            if (!memchr(v->valid, 0, n))
                to[c].valid = NULL;
            c++;
        }
    }
}

/* ---- spilling ---- */

static uint32_t part_of(const struct hash_agg *h, uint32_t row)
{
    uint64_t check;

    memcpy(&check, group_row(&h->groups, row), sizeof check);
    /* bits that the table does not go by: it takes the highest ones */
    return (uint32_t)(check * UINT64_C(0x9E3779B97F4A7C15) >>
                      (60 - PART_BITS * h->level)) &
           (PARTS - 1);
}

static enum errc write_part(struct hash_agg *h, const uint32_t *rows, uint32_t n,
                            struct err *err)
{
    uint32_t n_columns = h->n_keys + h->n_buffers;
    struct vec columns[n_columns + 1];

    for (uint32_t i = 0; i < n; i += BATCH_ROWS) {
        uint32_t some = n - i < BATCH_ROWS ? n - i : BATCH_ROWS;

        put_groups(h, rows + i, some, true, columns);
        struct batch b = { some, some, NULL, n_columns, columns };
        TRY(spill_add(&h->file, &b, err));
    }
    return spill_flush(&h->file, err);
}

/* Groups not yet out by part, then part by part to the file. */
static enum errc write_parts(struct hash_agg *h, struct err *err)
{
    uint32_t starts[PARTS + 1] = { 0 }, n = h->groups.n, from = h->collected ? h->at : 0;
    uint32_t *rows = xmalloc(mem_product(n + 1, sizeof *rows));
    uint8_t *part = xmalloc(n + 1);
    enum errc rc = ERR_OK;

    for (uint32_t i = from; i < n; i++) {
        part[i] = (uint8_t)part_of(h, i);
        starts[part[i] + 1]++;
    }
    for (uint32_t p = 0; p < PARTS; p++)
        starts[p + 1] += starts[p];
    uint32_t to[PARTS];
    memcpy(to, starts, sizeof to);
    for (uint32_t i = from; i < n; i++)
        rows[to[part[i]]++] = i;
    for (uint32_t p = 0; p < PARTS && rc == ERR_OK; p++) {
        struct part *x = &h->parts[h->first_part + p];
        struct spill_extent e = { .from = h->file.end };

        if (starts[p] == starts[p + 1])
            continue;
        rc = write_part(h, rows + starts[p], starts[p + 1] - starts[p], err);
        e.to = h->file.end;
        GROW(x->extents, x->n, x->cap);
        x->extents[x->n++] = e;
    }
    free(rows);
    free(part);
    return rc;
}

static enum errc spill_rest(struct op *op, struct err *err);

static enum errc spill_groups(struct op *op, struct err *err)
{
    struct hash_agg *h = op->state;

    h->expected = -1;
    if (!h->spilling) {
        h->first_part = h->n_parts;
        for (uint32_t p = 0; p < PARTS; p++) {
            GROW(h->parts, h->n_parts, h->cap_parts);
            h->parts[h->n_parts++] = (struct part){ .level = h->level + 1 };
        }
        if (h->level == 0)
            *op_metric(op, "sort_fallbacks") = 1;
        h->spilling = true;
    }
    TRY(h->collected ? spill_rest(op, err) : write_parts(h, err));
    if (h->collected) {
        h->spilling = false;
        h->at = 0;
    }
    int64_t freed = h->consumer.used_bytes;
    h->spilled_bytes += freed;
    op->task->memory.spilled_memory_bytes += freed;
    groups_clear(&h->groups);
    arena_release(&h->heap);
    memory_release(&h->consumer, freed);
    return ERR_OK;
}

static void open_scratch(struct op *op, struct hash_agg *h);

/* While groups go out: the batch that is out keeps its columns and their text until the
 * next call, what is left becomes parts. */
static enum errc spill_rest(struct op *op, struct err *err)
{
    struct hash_agg *h = op->state;
    struct scratch keys = h->keys_out, buffers = h->buffers_out, results = h->results_out;

    open_scratch(op, h);
    enum errc rc = write_parts(h, err);
    h->old_text = h->groups.text;
    h->old_heap = h->heap;
    h->keys_out = keys;
    h->buffers_out = buffers;
    h->results_out = results;
    h->groups.text = (struct arena){ 0 };
    h->heap = (struct arena){ 0 };
    return rc;
}

/* Another operator asks. */
static int64_t give_back(struct consumer *c, int64_t wanted, struct err *err)
{
    struct op *op = c->owner;
    struct hash_agg *h = op->state;
    int64_t held = c->used_bytes;

    (void)wanted;
    if (h->busy || h->n_keys == 0 || h->groups.n == 0)
        return 0;
    return spill_groups(op, err) == ERR_OK ? held : -1;
}

/* ---- taking in ---- */

static enum errc take_rows(struct op *op, const struct batch *b, struct err *err)
{
    struct hash_agg *h = op->state;

    if (h->eval)
        TRY(eval_run_list(h->eval, b, h->columns, err));
    TRY(make_room(op, b, err));
    if (h->n_keys)
        find_groups(h, b);
    else
        only_group(h);
    uint32_t buffer = h->first_merged;
    for (uint32_t i = 0; i < h->n_aggs; i++) {
        struct one_agg *g = &h->aggs[i];
        bool merge = merging(g->mode);

        update_one(h, g, b, merge ? &b->columns[buffer] : NULL, merge);
        buffer += merge ? g->n_buffers : 0;
    }
    return ERR_OK;
}

/* Groups read back from disk. */
static enum errc take_groups(struct op *op, const struct batch *b, struct err *err)
{
    struct hash_agg *h = op->state;

    for (uint32_t c = 0; c < h->n_keys; c++)
        h->columns[c] = b->columns[c];
    TRY(make_room(op, b, err));
    find_groups(h, b);
    for (uint32_t i = 0; i < h->n_aggs; i++)
        update_one(h, &h->aggs[i], b, &b->columns[h->n_keys + h->aggs[i].first_buffer],
                   true);
    return ERR_OK;
}

static enum errc take_part(struct op *op, struct part *p, struct err *err)
{
    struct hash_agg *h = op->state;
    enum errc rc = ERR_OK;

    for (uint32_t i = 0; i < p->n && rc == ERR_OK; i++) {
        struct spill_reader r;
        struct batch b;
        enum next got = NEXT_END;

        spill_open(&r, &h->file, p->extents[i], h->spill_types, h->n_keys + h->n_buffers);
        while (rc == ERR_OK && (got = spill_read(&r, &b, err)) == NEXT_ITEM)
            rc = take_groups(op, &b, err);
        if (got == NEXT_FAIL)
            rc = err->code;
        spill_close(&r);
    }
    free(p->extents);
    p->extents = NULL;
    p->n = 0;
    return rc;
}

static enum errc collect(struct op *op, struct err *err)
{
    struct hash_agg *h = op->state;
    struct batch b;
    enum op_step step;

    h->expected = op_expect(op->children[0]);
    while ((step = op_next(op->children[0], &b, err)) == OP_BATCH) {
        int64_t from = op_now_ns();

        TRY(take_rows(op, &b, err));
        h->seen += b.n_sel;
        *h->agg_ns += op_now_ns() - from;
    }
    h->expected = -1;
    if (step == OP_FAIL)
        return err->code;
    if (h->n_keys == 0)
        only_group(h);
    if (h->spilling && h->groups.n)
        TRY(spill_groups(op, err));
    h->spilling = false;
    h->collected = true;
    return ERR_OK;
}

/* The next part on disk is in memory; false: there is none. Parts are taken from the end,
 * so that those a part is split into come before the others. */
static enum errc next_part(struct op *op, bool *any, struct err *err)
{
    struct hash_agg *h = op->state;

    groups_clear(&h->groups);
    arena_release(&h->heap);
    memory_release(&h->consumer, h->consumer.used_bytes);
    h->at = 0;
    h->collected = false; /* as far as spilling goes */
    h->busy = true;
    *any = false;
    while (h->n_parts && h->groups.n == 0) {
        struct part p = h->parts[--h->n_parts];

        if (p.n == 0)
            continue;
        h->level = p.level;
        if (p.level * PART_BITS > 56)
            return err_set(err, ERR_LIMIT, "groups cannot be split any further");
        TRY(take_part(op, &p, err));
        if (h->spilling && h->groups.n)
            TRY(spill_groups(op, err));
        h->spilling = false;
    }
    h->collected = true;
    h->busy = false;
    *any = h->groups.n > 0;
    return ERR_OK;
}

static enum op_step agg_next(struct op *op, struct batch *out, struct err *err)
{
    struct hash_agg *h = op->state;
    uint32_t rows[BATCH_ROWS], n;
    bool any = true;

    arena_release(&h->old_text);
    arena_release(&h->old_heap);
    if (!h->collected && collect(op, err) != ERR_OK)
        return OP_FAIL;
    if (h->at >= h->groups.n && (h->n_parts || h->at)) {
        if (next_part(op, &any, err) != ERR_OK)
            return OP_FAIL;
    }
    if (h->at >= h->groups.n)
        return OP_END;
    n = h->groups.n - h->at < BATCH_ROWS ? h->groups.n - h->at : BATCH_ROWS;
    for (uint32_t i = 0; i < n; i++)
        rows[i] = h->at + i;
    h->at += n;
    if (h->emits_states) {
        put_groups(h, rows, n, true, h->put);
        *out = (struct batch){ n, n, NULL, h->n_keys + h->n_buffers, h->put };
        return OP_BATCH;
    }
    put_groups(h, rows, n, false, h->inner);
    struct batch inner = { n, n, NULL, h->n_keys + h->n_aggs, h->inner };
    if (op->node->list.n && eval_run_list(h->results, &inner, h->put, err) != ERR_OK)
        return OP_FAIL;
    *out = (struct batch){ n, n, NULL, op->node->list.n, h->put };
    return OP_BATCH;
}

static void agg_close(struct op *op)
{
    struct hash_agg *h = op->state;

    if (h->eval)
        eval_release(h->eval);
    if (h->results)
        eval_release(h->results);
    *op_metric(op, "peak_bytes") = h->consumer.peak_bytes;
    *op_metric(op, "spill_bytes") = h->spilled_bytes;
    if (h->groups.lookups)
        *op_metric(op, "probes") = (int64_t)(10 * h->groups.probes / h->groups.lookups);
    op->task->metrics.peak_execution_bytes += h->consumer.peak_bytes;
    groups_release(&h->groups);
    key_batch_release(&h->key_batch);
    arena_release(&h->heap);
    arena_release(&h->old_text);
    arena_release(&h->old_heap);
    for (uint32_t i = 0; i < h->n_parts; i++)
        free(h->parts[i].extents);
    free(h->parts);
    spill_release(&h->file);
    consumer_remove(&h->consumer);
}

#define AGG_CLASS(name, k)                                                               \
    const struct op_class name = {                                                       \
        .kind = k,                                                                       \
        .state_size = sizeof(struct hash_agg),                                           \
        .open = agg_open,                                                                \
        .next = agg_next,                                                                \
        .close = agg_close,                                                              \
        .counts_rows = true,                                                             \
    }

AGG_CLASS(op_hash_agg, PHYS_HASH_AGG);
AGG_CLASS(op_object_agg, PHYS_OBJECT_AGG);
AGG_CLASS(op_sort_agg, PHYS_SORT_AGG);
