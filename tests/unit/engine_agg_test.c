/* Aggregates against sums made row by row. */
#include "tests/unit/engine_exec.h"

static const struct type key_types[] = {
    { .id = TYPE_INT },
    { .id = TYPE_STRING },
    { .id = TYPE_LONG },
    { .id = TYPE_DOUBLE },
    { .id = TYPE_DECIMAL, .precision = 30, .scale = 2 },
    { .id = TYPE_BOOLEAN },
    { .id = TYPE_SHORT },
    { .id = TYPE_DATE },
};

/* ---- the same by hand: groups as text ---- */

struct naive {
    char *key;
    int64_t count, sum;
    bool any;
    char *max; /* of the text column */
};

struct naives {
    struct naive *at;
    size_t n;
    size_t *index; /* open addressing */
    size_t slots;
};

static size_t text_hash(const char *s)
{
    size_t h = 5381;

    for (; *s; s++)
        h = h * 33 ^ (unsigned char)*s;
    return h * 0x9E3779B97F4A7C15u >> 20;
}

static struct naive *naive_find(struct naives *t, const char *key)
{
    size_t i = text_hash(key) % t->slots;

    for (; t->index[i]; i = (i + 1) % t->slots)
        if (strcmp(t->at[t->index[i] - 1].key, key) == 0)
            return &t->at[t->index[i] - 1];
    t->at[t->n] = (struct naive){ .key = strdup(key) };
    t->index[i] = ++t->n;
    return &t->at[t->n - 1];
}

/* Keys are the first n_keys columns; then a bigint and a text. */
static void naive_add(struct naives *t, const struct batch *b, uint32_t n_keys)
{
    for (uint32_t i = 0; i < b->n_sel; i++) {
        uint32_t row = batch_row(b, i);
        struct batch keys = *b;
        struct strbuf s = { 0 };
        const struct vec *v = &b->columns[n_keys], *x = &b->columns[n_keys + 1];

        keys.n_columns = n_keys;
        strbuf_addz(&s, "");
        row_print(&s, &keys, row);
        struct naive *g = naive_find(t, s.p);
        strbuf_release(&s);
        g->count++;
        if (!vec_is_null(v, row)) {
            g->any = true;
            g->sum += value_at(v, row).u.i;
        }
        if (!vec_is_null(x, row)) {
            struct sv text = value_at(x, row).u.s;
            char *z = strndup(text.p, text.len);

            if (!g->max || strcmp(z, g->max) > 0) {
                free(g->max);
                g->max = z;
            } else {
                free(z);
            }
        }
    }
}

static void naive_rows(struct naives *t, bool keys, struct text_rows *out)
{
    for (size_t i = 0; i < t->n; i++) {
        struct naive *g = &t->at[i];
        struct strbuf s = { 0 };

        strbuf_printf(&s, "%s%s%lld|", g->key, keys ? "|" : "", (long long)g->count);
        if (g->any)
            strbuf_printf(&s, "%lld|", (long long)g->sum);
        else
            strbuf_addz(&s, "NULL|");
        strbuf_addz(&s, g->max ? g->max : "NULL");
        text_rows_add(out, s.p);
        free(g->key);
        free(g->max);
    }
    free(t->at);
    free(t->index);
}

/* ---- plans ---- */

static struct exprs aggs_of(struct bench *b, const struct phys *child, uint32_t n_keys,
                            enum agg_mode mode)
{
    struct expr *one = expr_literal(&b->a, value_int(1));

    return list_of(&b->a, 3, agg_of(b, "count", one, mode, 101),
                   agg_of(b, "sum", child->output.at[n_keys], mode, 102),
                   agg_of(b, "max", child->output.at[n_keys + 1], mode, 103));
}

static struct phys *agg_node(struct bench *b, struct phys *fed, const struct phys *rows,
                             uint32_t n_keys, enum agg_mode mode)
{
    struct phys *p = new_node(&b->a, PHYS_HASH_AGG, 1);
    struct arena *a = &b->a;

    p->children[0] = fed;
    p->keys = (struct exprs){ rows->output.at, n_keys };
    p->aggs = aggs_of(b, rows, n_keys, mode);
    p->list.at = arena_array(a, n_keys + 4, sizeof(void *));
    for (uint32_t i = 0; i < n_keys; i++)
        p->list.at[p->list.n++] = p->keys.at[i];
    for (uint32_t i = 0; i < 3; i++) {
        const struct expr *e = p->aggs.at[i];

        p->list.at[p->list.n++] = expr_attribute(a, sv("x"), e->type, true, e->id);
    }
    p->output = p->list;
    return p;
}

struct partial_feed {
    struct op *op;
};

static enum next partial_next(void *ctx, struct batch *out, struct err *err)
{
    switch (op_next(((struct partial_feed *)ctx)->op, out, err)) {
    case OP_BATCH:
        return NEXT_ITEM;
    case OP_END:
        return NEXT_END;
    case OP_FAIL:
        break;
    }
    return NEXT_FAIL;
}

/* In one step, or in two. */
static void check(int64_t pool, uint32_t n_keys, uint32_t batches, uint32_t domain,
                  bool two_steps, bool want_spill)
{
    struct bench b;
    struct type types[12];
    struct text_rows got = { 0 }, want = { 0 };
    struct naives naive = { .slots = 1 << 18 };
    struct err err = { 0 };

    bench_begin(&b, pool);
    for (uint32_t i = 0; i < n_keys; i++)
        types[i] = key_types[rnd_below(ARRAY_LEN(key_types))];
    types[n_keys] = type_of(TYPE_LONG);
    types[n_keys + 1] = type_of(TYPE_STRING);
    struct phys *child = fed_node(&b.a, types, n_keys + 2, 1);
    struct batch *rows = make_batches(&b.a, types, n_keys + 2, batches, 2048, domain,
                                      rnd_below(2) ? 10 : 0, true);
    struct feed feed = { rows, batches, 0, false };
    struct op_source source = { feed_next, &feed };
    struct op *first = NULL, *op = NULL;
    struct phys *node =
        agg_node(&b, child, child, n_keys, two_steps ? AGG_PARTIAL : AGG_COMPLETE);
    assert_int_equal(op_open_over(&first, node, &b.task, &source, &err), ERR_OK);
    op = first;
    struct partial_feed mid = { first };
    if (two_steps) {
        struct phys *between = new_node(&b.a, PHYS_LOCAL_SCAN, 0);
        struct exprs *list = &between->output;

        /* keys, then the buffers: count, sum, max */
        list->at = arena_array(&b.a, n_keys + 4, sizeof(void *));
        for (uint32_t i = 0; i < n_keys; i++)
            list->at[list->n++] = child->output.at[i];
        for (uint32_t i = 0; i < 3; i++)
            list->at[list->n++] = expr_attribute(
                &b.a, sv("buf"), type_of(i < 2 ? TYPE_LONG : TYPE_STRING), true, 201 + i);
        struct phys *final = agg_node(&b, between, child, n_keys, AGG_FINAL);
        struct op_source from = { partial_next, &mid };
        assert_int_equal(op_open_over(&op, final, &b.task, &from, &err), ERR_OK);
    }
    if (drain(op, &got, &err) != OP_END)
        fail_msg("%s", err.text);
    if (op != first)
        op_close(op);
    op_close(first);
    naive.at = calloc((size_t)batches * 2048 + 1, sizeof *naive.at);
    naive.index = calloc(naive.slots, sizeof *naive.index);
    for (uint32_t i = 0; i < batches; i++)
        naive_add(&naive, &rows[i], n_keys);
    if (n_keys == 0)
        naive_find(&naive, "");
    naive_rows(&naive, n_keys > 0, &want);
    assert_rows(&got, &want, two_steps ? "partial and final" : "complete");
    assert_int_equal(b.task.memory.spilled_disk_bytes > 0, want_spill);
    bench_end(&b);
}

static void groups_of_any_keys_are_aggregated(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 60; i++)
        check(POOL_ALL, 1 + i % 4, rnd_below(6), i % 3 ? 12 : 3000, i % 2, false);
}

static void no_keys_make_one_row(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 12; i++)
        check(POOL_ALL, 0, i / 2, 100, i % 2, false);
}

static void many_keys_have_nulls_of_their_own(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 4; i++)
        check(POOL_ALL, 10, 3, 2, i % 2, false);
}

static void what_does_not_fit_is_merged_from_disk(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 6; i++)
        check(INT64_C(1) << 20, 2, 30, 100000, i % 2, true);
}

static void distinct_is_an_aggregate_of_keys(void **state)
{
    struct bench b;
    struct text_rows got = { 0 }, want = { 0 };

    (void)state;
    bench_begin(&b, POOL_ALL);
    struct phys *child = fed_node(&b.a, key_types, 3, 1);
    struct batch *rows = make_batches(&b.a, key_types, 3, 5, 2048, 4, 10, true);
    struct feed feed = { rows, 5, 0, false };
    struct phys *p = new_node(&b.a, PHYS_HASH_AGG, 1);
    p->children[0] = child;
    p->keys = p->list = p->output = child->output;
    run_over(&b, p, &feed, &got);
    for (int i = 0; i < 5; i++)
        text_rows_batch(&want, &rows[i]);
    text_rows_sort(&want);
    size_t n = 0;
    for (size_t i = 0; i < want.n; i++) {
        if (n && strcmp(want.at[n - 1], want.at[i]) == 0)
            free(want.at[i]);
        else
            want.at[n++] = want.at[i];
    }
    want.n = n;
    assert_rows(&got, &want, "distinct");
    bench_end(&b);
}

static void filters_of_aggregates_leave_rows_out(void **state)
{
    struct bench b;
    struct text_rows got = { 0 };
    struct batch *rows;
    int64_t counts[2] = { 0 };

    (void)state;
    bench_begin(&b, POOL_ALL);
    struct phys *child = fed_node(&b.a, key_types, 1, 1);
    rows = make_batches(&b.a, key_types, 1, 5, 2048, 40, 10, true);
    struct feed feed = { rows, 5, 0, false };
    for (int keyed = 0; keyed < 2; keyed++) {
        struct phys *p = new_node(&b.a, PHYS_HASH_AGG, 1);
        struct expr *count =
            agg_of(&b, "count", expr_literal(&b.a, value_int(1)), AGG_COMPLETE, 50);

        count->filter =
            call2(&b, FUNC_LT, child->output.at[0], expr_literal(&b.a, value_int(3)));
        p->children[0] = child;
        p->aggs = list_of(&b.a, 1, count);
        p->list = list_of(&b.a, 1, expr_attribute(&b.a, sv("n"), count->type, true, 50));
        p->output = p->list;
        if (keyed)
            p->keys = child->output;
        run_over(&b, p, &feed, &got);
        for (size_t i = 0; i < got.n; i++)
            counts[keyed] += atoll(got.at[i]);
        text_rows_release(&got);
    }
    int64_t want = 0;
    for (int k = 0; k < 5; k++)
        for (uint32_t i = 0; i < rows[k].n_sel; i++) {
            uint32_t row = batch_row(&rows[k], i);

            want += !vec_is_null(&rows[k].columns[0], row) &&
                    value_at(&rows[k].columns[0], row).u.i < 3;
        }
    assert_true(want > 0);
    assert_int_equal(counts[0], want);
    assert_int_equal(counts[1], want);
    bench_end(&b);
}

static void zeros_and_nans_are_one_group_each(void **state)
{
    struct bench b;
    struct text_rows got = { 0 };
    double x[] = { 0.0, -0.0, __builtin_nan(""), -__builtin_nan("1"), 1.0 };
    float y[] = { 0.0f, -0.0f, __builtin_nanf(""), -__builtin_nanf("1"), 1.0f };
    struct type types[] = { type_of(TYPE_DOUBLE), type_of(TYPE_FLOAT) };
    struct vec v[] = { { .type = types[0], .data = x }, { .type = types[1], .data = y } };
    struct batch rows = { 5, 5, NULL, 2, v };

    (void)state;
    bench_begin(&b, POOL_ALL);
    struct phys *child = fed_node(&b.a, types, 2, 1);
    struct feed feed = { &rows, 1, 0, false };
    struct phys *p = new_node(&b.a, PHYS_HASH_AGG, 1);
    p->children[0] = child;
    p->keys = p->list = p->output = child->output;
    run_over(&b, p, &feed, &got);
    assert_int_equal(got.n, 3);
    text_rows_release(&got);
    bench_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_of_any_keys_are_aggregated),
        cmocka_unit_test(no_keys_make_one_row),
        cmocka_unit_test(many_keys_have_nulls_of_their_own),
        cmocka_unit_test(what_does_not_fit_is_merged_from_disk),
        cmocka_unit_test(distinct_is_an_aggregate_of_keys),
        cmocka_unit_test(filters_of_aggregates_leave_rows_out),
        cmocka_unit_test(zeros_and_nans_are_one_group_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
