/* Windows against loops over all rows, in much memory and in little. Functions and frames
 * one by one are held against Spark in tests/sql. */
#include "tests/unit/engine_exec.h"

#include <inttypes.h>

static const struct type types[] = {
    { .id = TYPE_INT }, { .id = TYPE_INT }, { .id = TYPE_LONG }, { .id = TYPE_STRING }
};
enum { G, O, V, S, N_TYPES };

struct row {
    int32_t g, o;
    int64_t v;
    bool null;
    char s[40];
};

struct rows_of {
    struct row *at;
    uint32_t n;
};

/* Partitions of 1..most rows, in order. */
static struct rows_of make_rows(struct arena *a, uint32_t parts, uint32_t most)
{
    struct rows_of r = { arena_array(a, (size_t)parts * most + 1, sizeof(struct row)),
                         0 };

    for (uint32_t p = 0; p < parts; p++) {
        uint32_t n = 1 + most / 2 + rnd_below(most / 2);
        int32_t o = 0;

        for (uint32_t i = 0; i < n; i++) {
            struct row *row = &r.at[r.n++];

            o += rnd_below(3) == 0;
            *row = (struct row){ (int32_t)p, o, (int64_t)rnd_below(1000) - 300,
                                 rnd_below(8) == 0, "" };
            snprintf(row->s, sizeof row->s,
                     rnd_below(2) ? "%u" : "a text of some length %u", rnd_below(5000));
        }
    }
    return r;
}

static struct batch *batches_of(struct arena *a, const struct rows_of *r, uint32_t *n_out)
{
    struct batch *out = arena_array(a, r->n + 1, sizeof *out);
    uint32_t n_batches = 0;

    for (uint32_t at = 0; at < r->n;) {
        uint32_t left = r->n - at, most = rnd_below(3) ? BATCH_ROWS / 2 : 7;
        uint32_t n = left < most ? left : most;
        struct batch *b = &out[n_batches++];
        uint32_t *sel = arena_array(a, n, sizeof *sel);

        *b = (struct batch){ 2 * n, n, sel, N_TYPES,
                             arena_array(a, N_TYPES, sizeof(struct vec)) };
        for (uint32_t c = 0; c < N_TYPES; c++)
            b->columns[c] = vec_flat(a, types[c], 2 * n, true);
        for (uint32_t i = 0; i < n; i++) {
            const struct row *row = &r->at[at + i];
            uint32_t to = sel[i] = 2 * i + 1;

            ((int32_t *)b->columns[G].data)[to] = row->g;
            ((int32_t *)b->columns[O].data)[to] = row->o;
            ((int64_t *)b->columns[V].data)[to] = row->v;
            b->columns[V].valid[to] = !row->null;
            ((struct str *)b->columns[S].data)[to] = str_make(row->s, strlen(row->s));
        }
        at += n;
    }
    *n_out = n_batches;
    return out;
}

/* ---- the node ---- */

static struct expr *literal_int(struct arena *a, int32_t x)
{
    return expr_literal(a, value_int(x));
}

struct making {
    struct bench *b;
    struct phys *node;
    struct exprs input;
};

static void add_window(struct making *m, struct expr *fn, enum frame_unit unit,
                       enum frame_bound lower, int32_t from, enum frame_bound upper,
                       int32_t to)
{
    struct arena *a = &m->b->a;
    struct expr *e = expr_new(a, EXPR_WINDOW, 1);
    struct window_spec *w = ARENA_NEW(a, struct window_spec);

    w->partition = m->node->keys.at;
    w->n_partition = m->node->keys.n;
    w->order = m->node->order.at;
    w->n_order = m->node->order.n;
    w->has_frame = true;
    w->unit = unit;
    w->lower = lower;
    w->upper = upper;
    w->lower_offset = lower == BOUND_OFFSET ? literal_int(a, from) : NULL;
    w->upper_offset = upper == BOUND_OFFSET ? literal_int(a, to) : NULL;
    e->args[0] = fn;
    e->window = w;
    e->type = fn->type;
    e->resolved = true;
    struct expr *alias = expr_alias(a, e, sv("w"), 100 + m->node->list.n);
    m->node->list = exprs_add(a, &m->node->list, alias);
    struct expr *attribute = expr_attribute(a, sv("w"), fn->type, true, alias->id);
    m->node->output = exprs_add(a, &m->node->output, attribute);
}

static struct expr *call_of(struct bench *b, const char *name, struct expr **args,
                            uint32_t n)
{
    struct expr *out = NULL;
    struct err err = { 0 };

    if (func_call(&b->a, b->settings, func_find(sv(name)), args, n, &out, &err) != ERR_OK)
        fail_msg("%s", err.text);
    return out;
}

static struct phys *window_node(struct bench *b)
{
    struct arena *a = &b->a;
    struct phys *child = fed_node(a, types, N_TYPES, 1);
    struct making m = { b, new_node(a, PHYS_WINDOW, 1), child->output };
    struct expr **c = child->output.at;
    struct expr *lag[] = { c[S], literal_int(a, 2),
                           expr_literal(a, value_string(sv("-"))) };

    m.node->children[0] = child;
    m.node->keys = list_of(a, 1, c[G]);
    m.node->order = list_of(a, 1, sort_by(a, c[O], false, false));
    m.node->output = exprs_copy(a, &child->output);
    add_window(&m, call_of(b, "row_number", NULL, 0), FRAME_ROWS, BOUND_UNBOUNDED, 0,
               BOUND_CURRENT, 0);
    add_window(&m, call_of(b, "dense_rank", NULL, 0), FRAME_ROWS, BOUND_UNBOUNDED, 0,
               BOUND_CURRENT, 0);
    add_window(&m, agg_of(b, "sum", c[V], AGG_COMPLETE, 50), FRAME_RANGE, BOUND_UNBOUNDED,
               0, BOUND_CURRENT, 0);
    add_window(&m, agg_of(b, "count", c[V], AGG_COMPLETE, 51), FRAME_ROWS,
               BOUND_UNBOUNDED, 0, BOUND_UNBOUNDED, 0);
    add_window(&m, agg_of(b, "sum", c[V], AGG_COMPLETE, 52), FRAME_ROWS, BOUND_OFFSET, -3,
               BOUND_OFFSET, 2);
    add_window(&m, agg_of(b, "sum", c[V], AGG_COMPLETE, 53), FRAME_ROWS, BOUND_CURRENT, 0,
               BOUND_UNBOUNDED, 0);
    add_window(&m, agg_of(b, "max", c[S], AGG_COMPLETE, 54), FRAME_ROWS, BOUND_OFFSET,
               -700, BOUND_OFFSET, 700);
    add_window(&m, agg_of(b, "min", c[S], AGG_COMPLETE, 55), FRAME_ROWS, BOUND_UNBOUNDED,
               0, BOUND_CURRENT, 0);
    add_window(&m, call_of(b, "lag", lag, 3), FRAME_ROWS, BOUND_OFFSET, -2, BOUND_OFFSET,
               -2);
    return m.node;
}

/* ---- the same by hand ---- */

static void print_sum(struct strbuf *out, const struct rows_of *r, uint32_t lo,
                      uint32_t hi)
{
    int64_t sum = 0;
    bool any = false;

    for (uint32_t i = lo; i < hi; i++)
        if (!r->at[i].null) {
            sum += r->at[i].v;
            any = true;
        }
    if (any)
        strbuf_printf(out, "|%" PRId64, sum);
    else
        strbuf_addz(out, "|NULL");
}

static const char *extreme(const struct rows_of *r, uint32_t lo, uint32_t hi, int sign)
{
    const char *best = r->at[lo].s;

    for (uint32_t i = lo; i < hi; i++)
        if (sign * strcmp(r->at[i].s, best) > 0)
            best = r->at[i].s;
    return best;
}

static void naive_row(const struct rows_of *r, uint32_t lo, uint32_t hi, uint32_t i,
                      struct strbuf *out)
{
    const struct row *row = &r->at[i];
    uint32_t peers = i + 1, dense = 1, count = 0;

    while (peers < hi && r->at[peers].o == row->o)
        peers++;
    for (uint32_t k = lo + 1; k <= i; k++)
        dense += r->at[k].o != r->at[k - 1].o;
    for (uint32_t k = lo; k < hi; k++)
        count += !r->at[k].null;
    strbuf_printf(out, "%d|%d|", row->g, row->o);
    if (row->null)
        strbuf_addz(out, "NULL");
    else
        strbuf_printf(out, "%" PRId64, row->v);
    strbuf_printf(out, "|%s|%u|%u", row->s, i - lo + 1, dense);
    print_sum(out, r, lo, peers);
    strbuf_printf(out, "|%u", count);
    print_sum(out, r, i < lo + 3 ? lo : i - 3, i + 3 > hi ? hi : i + 3);
    print_sum(out, r, i, hi);
    strbuf_printf(
        out, "|%s",
        extreme(r, i < lo + 700 ? lo : i - 700, i + 701 > hi ? hi : i + 701, 1));
    strbuf_printf(out, "|%s", extreme(r, lo, i + 1, -1));
    strbuf_printf(out, "|%s", i < lo + 2 ? "-" : r->at[i - 2].s);
}

static void naive(struct arena *a, const struct rows_of *r, const char **out)
{
    struct strbuf s = { 0 };

    for (uint32_t lo = 0, hi; lo < r->n; lo = hi) {
        hi = lo + 1;
        while (hi < r->n && r->at[hi].g == r->at[lo].g)
            hi++;
        for (uint32_t i = lo; i < hi; i++) {
            strbuf_reset(&s);
            naive_row(r, lo, hi, i, &s);
            out[i] = arena_sv(a, strbuf_sv(&s)).p;
        }
    }
    strbuf_release(&s);
}

/* ---- runs ---- */

static struct sv cell_text(struct strbuf *s, const struct batch *b, uint32_t row)
{
    strbuf_reset(s);
    for (uint32_t c = 0; c < b->n_columns; c++) {
        struct value v = value_at(&b->columns[c], row);

        if (c)
            strbuf_addc(s, '|');
        value_print(s, &v, &zone_utc);
    }
    return strbuf_sv(s);
}

/* Takes all memory there is, as another operator of the task would. */
static void press(struct bench *b)
{
    struct consumer c = { .name = "other" };
    struct err err = { 0 };

    consumer_add(&b->task.memory, &c);
    assert_true(memory_acquire(&c, POOL_ALL, 0, &err) >= 0);
    consumer_remove(&c);
}

static int64_t try_windows(uint32_t parts, uint32_t most, int64_t pool, bool pressed)
{
    struct bench b;

    bench_begin(&b, pool);
    struct rows_of rows = make_rows(&b.a, parts, most);
    const char **want = arena_array(&b.a, rows.n + 1, sizeof *want);
    struct feed feed = { .at = 0 };
    struct op_source source = { feed_next, &feed };
    struct phys *node = window_node(&b);
    struct strbuf s = { 0 };
    struct err err = { 0 };
    struct op *op = NULL;
    struct batch got;
    uint32_t n = 0;

    naive(&b.a, &rows, want);
    feed.batches = batches_of(&b.a, &rows, &feed.n);
    if (op_open_over(&op, node, &b.task, &source, &err) != ERR_OK)
        fail_msg("%s", err.text);
    while (op_next(op, &got, &err) == OP_BATCH) {
        if (pressed)
            press(&b);
        for (uint32_t i = 0; i < got.n_sel; i++, n++) {
            struct sv text = cell_text(&s, &got, batch_row(&got, i));

            if (n >= rows.n || !sv_eq(text, sv(want[n])))
                fail_msg("row %u is \"%.*s\", not \"%s\"", n, SV_FMT(text),
                         n < rows.n ? want[n] : "there");
        }
    }
    assert_int_equal(err.code, ERR_OK);
    assert_int_equal(n, rows.n);
    op_close(op);
    int64_t spilled = b.task.memory.spilled_memory_bytes;
    assert_true(spilled == 0 || b.task.memory.spilled_disk_bytes > 0);
    strbuf_release(&s);
    bench_end(&b);
    return spilled;
}

static void windows_are_loops_over_rows(void **state)
{
    (void)state;
    assert_int_equal(try_windows(0, 1, POOL_ALL, false), 0);
    assert_int_equal(try_windows(1, 1, POOL_ALL, false), 0);
    assert_int_equal(try_windows(3000, 6, POOL_ALL, false), 0);
    assert_int_equal(try_windows(40, 900, POOL_ALL, false), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(try_windows(2, 6000, POOL_ALL, false), 0);
}

static void partitions_that_do_not_fit_go_to_a_file(void **state)
{
    (void)state;
    assert_true(try_windows(1, 9000, 200 << 10, false) > 0);
    assert_true(try_windows(5, 3000, 100 << 10, false) > 0);
    assert_true(try_windows(300, 30, 64 << 10, false) > 0);
}

static void memory_is_given_to_others(void **state)
{
    (void)state;
    assert_true(try_windows(5, 3000, POOL_ALL, true) > 0);
    assert_true(try_windows(2000, 10, POOL_ALL, true) > 0);
}

/* ---- limits of groups ---- */

static void try_limit(const char *rank, int64_t limit)
{
    struct bench b;

    bench_begin(&b, POOL_ALL);
    struct rows_of rows = make_rows(&b.a, 400, 30);
    struct feed feed = { .at = 0 };
    struct op_source source = { feed_next, &feed };
    struct phys *child = fed_node(&b.a, types, N_TYPES, 1);
    struct phys *node = new_node(&b.a, PHYS_WINDOW_GROUP_LIMIT, 1);
    struct err err = { 0 };
    struct op *op = NULL;
    struct batch got;
    uint32_t at = 0;

    node->children[0] = child;
    node->keys = list_of(&b.a, 1, child->output.at[G]);
    node->order = list_of(&b.a, 1, sort_by(&b.a, child->output.at[O], false, false));
    node->output = child->output;
    node->limit = limit;
    node->condition = call_of(&b, rank, NULL, 0);
    feed.batches = batches_of(&b.a, &rows, &feed.n);
    assert_int_equal(op_open_over(&op, node, &b.task, &source, &err), ERR_OK);
    while (op_next(op, &got, &err) == OP_BATCH)
        for (uint32_t i = 0; i < got.n_sel; i++, at++) {
            uint32_t row = batch_row(&got, i);

            for (;; at++) { /* the next row within the limit */
                int64_t place = 1;
                uint32_t lo = at;

                assert_true(at < rows.n);
                while (lo > 0 && rows.at[lo - 1].g == rows.at[at].g)
                    lo--;
                if (strcmp(rank, "row_number") == 0)
                    place = at - lo + 1;
                for (uint32_t k = lo + 1; k <= at && strcmp(rank, "row_number"); k++)
                    if (rows.at[k].o != rows.at[k - 1].o)
                        place = strcmp(rank, "rank") == 0 ? k - lo + 1 : place + 1;
                if (place <= limit)
                    break;
            }
            struct value v = value_at(&got.columns[S], row);
            assert_true(sv_eq(v.u.s, sv(rows.at[at].s)));
            assert_int_equal(value_at(&got.columns[O], row).u.i, rows.at[at].o);
        }
    assert_int_equal(err.code, ERR_OK);
    op_close(op);
    bench_end(&b);
}

static void the_first_ranks_of_groups_stay(void **state)
{
    (void)state;
    for (int64_t limit = 1; limit < 20; limit += 6) {
        try_limit("row_number", limit);
        try_limit("rank", limit);
        try_limit("dense_rank", limit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_are_loops_over_rows),
        cmocka_unit_test(partitions_that_do_not_fit_go_to_a_file),
        cmocka_unit_test(memory_is_given_to_others),
        cmocka_unit_test(the_first_ranks_of_groups_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
