/* Sorting, top-n, limits and small operators. */
#include "tests/unit/engine_exec.h"

static const struct type mixed[] = {
    { .id = TYPE_INT },
    { .id = TYPE_STRING },
    { .id = TYPE_LONG },
    { .id = TYPE_DOUBLE },
    { .id = TYPE_DECIMAL, .precision = 30, .scale = 2 },
    { .id = TYPE_BOOLEAN },
    { .id = TYPE_SHORT },
    { .id = TYPE_FLOAT },
};
enum { N_MIXED = ARRAY_LEN(mixed) };

/* ---- sort ---- */

static int order_of(const struct expr *o, const struct vec *v, const struct value *x,
                    const struct value *y)
{
    (void)v;
    if (x->null || y->null)
        return x->null && y->null ? 0 : x->null == o->nulls_last ? 1 : -1;
    int order = value_cmp(x, y);
    return o->descending ? -order : order;
}

/* Rows come in order of the keys, and are those that went in. */
static void check_sort(int64_t pool, uint32_t batches, uint32_t domain, bool want_spill)
{
    struct bench b;

    bench_begin(&b, pool);
    struct phys *child = fed_node(&b.a, mixed, N_MIXED, 1);
    struct phys *node = new_node(&b.a, PHYS_SORT, 1);
    uint32_t n_keys = 1 + rnd_below(3), at[3];
    struct batch *rows = make_batches(&b.a, mixed, N_MIXED, batches, 2048, domain,
                                      rnd_below(2) ? 10 : 0, true);
    struct feed feed = { rows, batches, 0, false };
    struct op_source source = { feed_next, &feed };
    struct err err = { 0 };
    struct op *op = NULL;
    struct batch out;
    struct text_rows got = { 0 }, want = { 0 };
    struct value last[3];
    bool first = true;

    node->children[0] = child;
    node->output = child->output;
    node->order.at = arena_array(&b.a, 3, sizeof(void *));
    node->order.n = n_keys;
    for (uint32_t k = 0; k < n_keys; k++) {
        at[k] = rnd_below(N_MIXED);
        node->order.at[k] =
            sort_by(&b.a, child->output.at[at[k]], rnd_below(2) != 0, rnd_below(2) != 0);
    }
    assert_int_equal(op_open_over(&op, node, &b.task, &source, &err), ERR_OK);
    while (op_next(op, &out, &err) == OP_BATCH) {
        for (uint32_t i = 0; i < out.n_sel; i++) {
            struct value now[3];
            int order = 0;

            for (uint32_t k = 0; k < n_keys; k++) {
                const struct vec *v = &out.columns[at[k]];

                now[k] = value_at(v, batch_row(&out, i));
                now[k].null = vec_is_null(v, batch_row(&out, i));
                if (type_is_text(mixed[at[k]]) && !now[k].null)
                    now[k].u.s = arena_sv(&b.a, now[k].u.s);
                if (!first && order == 0)
                    order = order_of(node->order.at[k], v, &last[k], &now[k]);
            }
            if (order > 0)
                fail_msg("rows out of order");
            memcpy(last, now, sizeof now);
            first = false;
        }
        text_rows_batch(&got, &out);
    }
    if (err.code)
        fail_msg("%s", err.text);
    op_close(op);
    for (uint32_t i = 0; i < batches; i++)
        text_rows_batch(&want, &rows[i]);
    assert_rows(&got, &want, "sort");
    assert_int_equal(b.task.memory.spilled_disk_bytes > 0, want_spill);
    assert_int_equal(b.task.memory.spilled_memory_bytes > 0, want_spill);
    bench_end(&b);
}

static void rows_are_sorted(void **state)
{
    (void)state;
    for (int i = 0; i < 30; i++)
        check_sort(POOL_ALL, rnd_below(5), i % 2 ? 7 : 5000, false);
}

static void what_does_not_fit_is_sorted_on_disk(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++)
        check_sort(1 << 20, 30, i % 2 ? 20 : 100000, true);
}

static void a_failing_child_and_cancelling_end_a_sort(void **state)
{
    (void)state;
    for (int how = 0; how < 2; how++) {
        struct bench b;
        _Atomic bool cancelled = false;
        struct err err = { 0 };
        struct op *op = NULL;
        struct batch out;

        bench_begin(&b, 1 << 20);
        struct phys *node = new_node(&b.a, PHYS_SORT, 1);
        struct feed feed = { make_batches(&b.a, mixed, N_MIXED, 20, 2048, 100, 0, false),
                             20, 0, how == 0 };
        struct op_source source = { feed_next, &feed };
        node->children[0] = fed_node(&b.a, mixed, N_MIXED, 1);
        node->output = node->children[0]->output;
        node->order = list_of(&b.a, 1, sort_by(&b.a, node->output.at[0], false, false));
        b.task.cancelled = &cancelled;
        assert_int_equal(op_open_over(&op, node, &b.task, &source, &err), ERR_OK);
        if (how == 1)
            atomic_store(&cancelled, true);
        assert_int_equal(op_next(op, &out, &err), OP_FAIL);
        assert_string_equal(err.text, how ? "cancelled" : "the child failed");
        op_close(op);
        bench_end(&b);
    }
}

/* The rows that another consumer of the task drives out while they are being read. */
static void a_sort_gives_memory_back_while_it_is_read(void **state)
{
    struct bench b;
    struct err err = { 0 };
    struct op *op = NULL;
    struct batch out;
    struct text_rows got = { 0 }, want = { 0 };
    struct consumer other = { .name = "other" };
    enum { BATCHES = 12 };

    (void)state;
    bench_begin(&b, 8 << 20);
    struct phys *node = new_node(&b.a, PHYS_SORT, 1);
    struct batch *rows = make_batches(&b.a, mixed, N_MIXED, BATCHES, 2048, 500, 5, true);
    struct feed feed = { rows, BATCHES, 0, false };
    struct op_source source = { feed_next, &feed };
    node->children[0] = fed_node(&b.a, mixed, N_MIXED, 1);
    node->output = node->children[0]->output;
    node->order = list_of(&b.a, 1, sort_by(&b.a, node->output.at[1], true, false));
    consumer_add(&b.task.memory, &other);
    assert_int_equal(op_open_over(&op, node, &b.task, &source, &err), ERR_OK);
    for (int i = 0; op_next(op, &out, &err) == OP_BATCH; i++) {
        if (i == 1)
            assert_int_equal(memory_cover(&other, memory_pool_bytes(b.pool), &err),
                             MEMORY_GRANTED);
        text_rows_batch(&got, &out); /* the batch that is out stays as it is */
    }
    assert_int_equal(err.code, ERR_OK);
    assert_true(b.task.memory.spilled_disk_bytes > 0);
    op_close(op);
    consumer_remove(&other);
    for (uint32_t i = 0; i < BATCHES; i++)
        text_rows_batch(&want, &rows[i]);
    assert_rows(&got, &want, "sort");
    bench_end(&b);
}

/* ---- top-n ---- */

static void the_best_rows_are_kept(void **state)
{
    static const int64_t limits[] = { 0, 1, 10, 3000, 200000 };

    (void)state;
    for (uint32_t i = 0; i < 20; i++) {
        struct bench b;
        struct text_rows got = { 0 }, want = { 0 };
        int64_t limit = limits[i % 5], offset = i % 3 ? 0 : 2;

        bench_begin(&b, POOL_ALL);
        struct phys *child = fed_node(&b.a, mixed, 3, 1);
        struct phys *sort = new_node(&b.a, PHYS_SORT, 1);
        struct batch *rows =
            make_batches(&b.a, mixed, 3, 40, 2048, i % 2 ? 40 : 100000, 5, true);
        struct feed feed = { rows, 40, 0, false };
        sort->children[0] = child;
        sort->output = child->output;
        sort->order =
            list_of(&b.a, 3, sort_by(&b.a, child->output.at[2], i % 4 > 1, false),
                    sort_by(&b.a, child->output.at[1], false, true),
                    sort_by(&b.a, child->output.at[0], false, false));
        struct phys *take = new_node(&b.a, PHYS_TAKE_ORDERED, 1);
        *take = *sort;
        take->kind = PHYS_TAKE_ORDERED;
        take->list = list_of(&b.a, 2, child->output.at[2], child->output.at[0]);
        take->output = take->list;
        take->limit = limit;
        take->offset = offset;
        run_over(&b, take, &feed, &got);
        struct phys *project = new_node(&b.a, PHYS_PROJECT, 1);
        project->children[0] = sort;
        project->list = take->list;
        project->output = take->list;
        run_over(&b, sort, &feed, &want);
        size_t n = (size_t)(limit > offset ? limit - offset : 0);
        size_t most = want.n > (size_t)offset ? want.n - (size_t)offset : 0;
        assert_int_equal(got.n, n < most ? n : most);
        for (size_t k = 0; k < got.n; k++) { /* c0|c1|c2 against c2|c0 */
            char *row = want.at[k + (size_t)offset], *end = strrchr(row, '|');
            size_t c0 = (size_t)(strchr(row, '|') - row);
            char text[300];

            snprintf(text, sizeof text, "%s|%.*s", end + 1, (int)c0, row);
            assert_string_equal(got.at[k], text);
        }
        text_rows_release(&got);
        text_rows_release(&want);
        bench_end(&b);
    }
}

/* ---- the small ones ---- */

static void limits_and_offsets_cut(void **state)
{
    static const struct {
        enum phys_kind kind;
        int64_t limit, offset;
        size_t from, to;
    } cases[] = {
        { PHYS_LOCAL_LIMIT, 5, 0, 0, 5 },
        { PHYS_LOCAL_LIMIT, 0, 0, 0, 0 },
        { PHYS_LOCAL_LIMIT, 100000, 0, 0, 9999 },
        { PHYS_GLOBAL_LIMIT, 2500, 2300, 2300, 2500 },
        { PHYS_OFFSET, -1, 3, 3, 9999 },
        { PHYS_OFFSET, -1, 99999, 9999, 9999 },
        { PHYS_GLOBAL_LIMIT, 10, 10, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bench b;
        struct text_rows got = { 0 }, all = { 0 };

        bench_begin(&b, POOL_ALL);
        struct phys *node = new_node(&b.a, cases[i].kind, 1);
        struct batch *rows = make_batches(&b.a, mixed, 2, 6, 2048, 1000, 0, true);
        struct feed feed = { rows, 6, 0, false };
        node->children[0] = fed_node(&b.a, mixed, 2, 1);
        node->output = node->children[0]->output;
        node->limit = cases[i].limit;
        node->offset = cases[i].offset;
        run_over(&b, node, &feed, &got);
        for (int k = 0; k < 6; k++)
            text_rows_batch(&all, &rows[k]);
        size_t from = cases[i].from < all.n ? cases[i].from : all.n;
        size_t to = cases[i].to < all.n ? cases[i].to : all.n;
        assert_int_equal(got.n, to - from);
        for (size_t k = 0; k < got.n; k++)
            assert_string_equal(got.at[k], all.at[from + k]);
        text_rows_release(&got);
        text_rows_release(&all);
        bench_end(&b);
    }
}

static void filters_and_projects_compute(void **state)
{
    struct bench b;
    struct text_rows got = { 0 }, want = { 0 };

    (void)state;
    bench_begin(&b, POOL_ALL);
    struct phys *child = fed_node(&b.a, mixed, 3, 1);
    struct phys *filter = new_node(&b.a, PHYS_FILTER, 1);
    struct batch *rows = make_batches(&b.a, mixed, 3, 6, 2048, 50, 10, true);
    struct feed feed = { rows, 6, 0, false };
    filter->children[0] = child;
    filter->output = child->output;
    filter->condition =
        call2(&b, FUNC_LT, child->output.at[0], expr_literal(&b.a, value_int(20)));
    run_over(&b, filter, &feed, &got);
    for (int k = 0; k < 6; k++)
        for (uint32_t i = 0; i < rows[k].n_sel; i++) {
            uint32_t row = batch_row(&rows[k], i);
            const struct vec *v = &rows[k].columns[0];

            if (!vec_is_null(v, row) && value_at(v, row).u.i < 20) {
                struct strbuf s = { 0 };

                row_print(&s, &rows[k], row);
                text_rows_add(&want, s.p);
            }
        }
    assert_rows(&got, &want, "filter");
    struct phys *project = new_node(&b.a, PHYS_PROJECT, 1);
    project->children[0] = child;
    project->list = list_of(
        &b.a, 2, child->output.at[2],
        expr_alias(&b.a, call2(&b, FUNC_ADD, child->output.at[0], child->output.at[0]),
                   sv("x"), 77));
    project->output = exprs_to_attributes(&b.a, &project->list);
    run_over(&b, project, &feed, &got);
    for (int k = 0; k < 6; k++)
        for (uint32_t i = 0; i < rows[k].n_sel; i++) {
            uint32_t row = batch_row(&rows[k], i);
            struct batch one = rows[k];
            struct strbuf s = { 0 };

            one.columns = &rows[k].columns[2];
            one.n_columns = 1;
            row_print(&s, &one, row);
            if (vec_is_null(&rows[k].columns[0], row))
                strbuf_addz(&s, "|NULL");
            else
                strbuf_printf(&s, "|%d",
                              (int)(2 * value_at(&rows[k].columns[0], row).u.i));
            text_rows_add(&want, s.p);
        }
    assert_rows(&got, &want, "project");
    bench_end(&b);
}

static void ranges_and_values_are_rows(void **state)
{
    static const struct {
        int64_t start, end, step;
        size_t n;
        const char *first, *last;
    } cases[] = {
        { 0, 10, 1, 10, "0", "9" },
        { 5, 5, 1, 0, "", "" },
        { 10, 0, -3, 4, "10", "1" },
        { 0, 10000, 3, 3334, "0", "9999" },
        { INT64_MIN, INT64_MAX, INT64_MAX, 3, "-9223372036854775808",
          "9223372036854775806" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bench b;
        struct text_rows got = { 0 };

        bench_begin(&b, POOL_ALL);
        struct phys *node = fed_node(&b.a, (struct type[]){ type_of(TYPE_LONG) }, 1, 1);
        node->kind = PHYS_RANGE;
        node->range_start = cases[i].start;
        node->range_end = cases[i].end;
        node->range_step = cases[i].step;
        run_over(&b, node, NULL, &got);
        assert_int_equal(got.n, cases[i].n);
        if (got.n) {
            assert_string_equal(got.at[0], cases[i].first);
            assert_string_equal(got.at[got.n - 1], cases[i].last);
        }
        text_rows_release(&got);
        struct value rows[] = { value_int(1), value_string(sv("a text that is long")),
                                value_null(type_of(TYPE_INT)), value_string(sv("b")) };
        node = fed_node(&b.a, mixed, 2, 1);
        node->rows = rows;
        node->n_rows = 2;
        run_over(&b, node, NULL, &got);
        assert_int_equal(got.n, 2);
        assert_string_equal(got.at[0], "1|a text that is long");
        assert_string_equal(got.at[1], "NULL|b");
        text_rows_release(&got);
        bench_end(&b);
    }
}

static void expand_repeats_rows(void **state)
{
    struct bench b;
    struct text_rows got = { 0 }, want = { 0 };

    (void)state;
    bench_begin(&b, POOL_ALL);
    struct phys *child = fed_node(&b.a, mixed, 2, 1);
    struct phys *node = new_node(&b.a, PHYS_EXPAND, 1);
    struct exprs projections[2] = {
        list_of(&b.a, 2, child->output.at[0], expr_literal(&b.a, value_int(0))),
        list_of(&b.a, 2, expr_literal(&b.a, value_null(type_of(TYPE_INT))),
                expr_literal(&b.a, value_int(1))),
    };
    struct batch *rows = make_batches(&b.a, mixed, 2, 3, 2048, 50, 10, true);
    struct feed feed = { rows, 3, 0, false };
    node->children[0] = child;
    node->projections = projections;
    node->n_projections = 2;
    node->output = child->output;
    run_over(&b, node, &feed, &got);
    for (int k = 0; k < 3; k++)
        for (uint32_t i = 0; i < rows[k].n_sel; i++) {
            struct strbuf s = { 0 };
            struct batch one = rows[k];

            one.n_columns = 1;
            row_print(&s, &one, batch_row(&one, i));
            strbuf_addz(&s, "|0");
            text_rows_add(&want, s.p);
            text_rows_add(&want, strdup("NULL|1"));
        }
    assert_rows(&got, &want, "expand");
    bench_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_sorted),
        cmocka_unit_test(what_does_not_fit_is_sorted_on_disk),
        cmocka_unit_test(a_failing_child_and_cancelling_end_a_sort),
        cmocka_unit_test(a_sort_gives_memory_back_while_it_is_read),
        cmocka_unit_test(the_best_rows_are_kept),
        cmocka_unit_test(limits_and_offsets_cut),
        cmocka_unit_test(filters_and_projects_compute),
        cmocka_unit_test(ranges_and_values_are_rows),
        cmocka_unit_test(expand_repeats_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
