/* Joins against a nested loop over the same rows. */
#include "engine/exec/hash_relation.h"
#include "tests/unit/engine_exec.h"

/* ---- rows, a plan ---- */

struct side {
    const struct type *types;
    uint32_t n_types;
    struct batch *batches;
    uint32_t n, at;
    bool fails;
};

static enum next side_next(void *ctx, struct batch *out, struct err *err)
{
    struct side *s = ctx;

    while (s->at < s->n) {
        *out = s->batches[s->at++];
        if (out->n_sel)
            return NEXT_ITEM;
    }
    if (!s->fails)
        return NEXT_END;
    err_set(err, ERR_CORRUPT, "the child failed");
    return NEXT_FAIL;
}

static struct side make_side(struct arena *a, const struct type *types, uint32_t n_types,
                             uint32_t batches, uint32_t rows, uint32_t domain,
                             uint32_t nulls)
{
    struct side s = { .types = types, .n_types = n_types, .n = batches };

    s.batches = arena_array(a, batches + 1, sizeof *s.batches);
    for (uint32_t i = 0; i < batches; i++)
        s.batches[i] =
            rnd_batch(a, types, n_types, 1 + rnd_below(rows), domain, nulls, true);
    return s;
}

/* ---- one join, as a case ---- */

struct join_case {
    enum phys_kind kind;
    enum join_type type;
    bool build_left, null_aware;
    uint32_t n_keys;      /* the first columns of both sides */
    const char *condition; /* between the last columns; NULL: none */
};

static bool puts_out_left_only(enum join_type t)
{
    return t == JOIN_SEMI || t == JOIN_ANTI || t == JOIN_EXISTENCE;
}

static struct phys *join_node(struct bench *b, const struct join_case *c,
                              const struct side *left, const struct side *right)
{
    struct phys *p = phys_new(&b->a, c->kind, 2);
    struct exprs *l, *r;

    p->children[0] = fed_node(&b->a, left->types, left->n_types, 1);
    p->children[1] = fed_node(&b->a, right->types, right->n_types, 101);
    l = &p->children[0]->output;
    r = &p->children[1]->output;
    p->join_type = c->type;
    p->build_left = c->build_left;
    p->null_aware = c->null_aware;
    p->left_keys = (struct exprs){ l->at, c->n_keys };
    p->right_keys = (struct exprs){ r->at, c->n_keys };
    p->output = puts_out_left_only(c->type) ? *l : exprs_join(&b->a, l, r);
    if (c->type == JOIN_EXISTENCE)
        p->output = exprs_add(
            &b->a, l,
            expr_attribute(&b->a, sv("e"), type_of(TYPE_BOOLEAN), false, 200));
    if (c->condition) {
        struct expr *args[2] = { l->at[l->n - 1], r->at[r->n - 1] };
        struct err err = { 0 };

        if (func_call(&b->a, b->settings, func_find(sv(c->condition)), args, 2,
                      &p->condition, &err) != ERR_OK)
            fail_msg("%s", err.text);
    }
    return p;
}

/* ---- the nested loop ---- */

struct plain {
    uint32_t n;
    struct batch *of;
    uint32_t *row;
};

static struct plain plain_rows(struct arena *a, const struct side *s)
{
    struct plain p = { 0 };
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->n; i++)
        n += s->batches[i].n_sel;
    p.of = arena_array(a, n + 1, sizeof *p.of);
    p.row = arena_array(a, n + 1, sizeof *p.row);
    for (uint32_t i = 0; i < s->n; i++)
        for (uint32_t k = 0; k < s->batches[i].n_sel; k++) {
            p.of[p.n] = s->batches[i];
            p.row[p.n++] = batch_row(&s->batches[i], k);
        }
    return p;
}

static struct value cell(const struct plain *p, uint32_t i, uint32_t c)
{
    return value_at(&p->of[i].columns[c], p->row[i]);
}

/* 1, 0, -1: unknown. */
static int keys_equal(const struct join_case *c, const struct plain *l, uint32_t i,
                      const struct plain *r, uint32_t k)
{
    int all = 1;

    for (uint32_t x = 0; x < c->n_keys; x++) {
        struct value a = cell(l, i, x), b = cell(r, k, x);

        if (a.null || b.null)
            all = all == 0 ? 0 : -1;
        else if (value_cmp(&a, &b) != 0)
            all = 0;
    }
    return all;
}

static bool condition_holds(const struct join_case *c, const struct plain *l, uint32_t i,
                            const struct plain *r, uint32_t k)
{
    if (!c->condition)
        return true;
    struct value a = cell(l, i, l->of[i].n_columns - 1);
    struct value b = cell(r, k, r->of[k].n_columns - 1);
    if (a.null || b.null)
        return false;
    int order = value_cmp(&a, &b);
    return strcmp(c->condition, "<") == 0    ? order < 0
           : strcmp(c->condition, ">=") == 0 ? order >= 0
                                             : order == 0;
}

static void put_row(struct text_rows *out, const struct plain *l, int64_t i,
                    uint32_t n_left, const struct plain *r, int64_t k, uint32_t n_right,
                    const char *more)
{
    struct strbuf s = { 0 };

    strbuf_addz(&s, "");
    if (i >= 0)
        row_print(&s, &l->of[i], l->row[i]);
    else
        for (uint32_t c = 0; c < n_left; c++)
            strbuf_addz(&s, c ? "|NULL" : "NULL");
    if (n_right)
        strbuf_addc(&s, '|');
    if (n_right && k >= 0)
        row_print(&s, &r->of[k], r->row[k]);
    else
        for (uint32_t c = 0; c < n_right; c++)
            strbuf_addz(&s, c ? "|NULL" : "NULL");
    strbuf_addz(&s, more);
    text_rows_add(out, s.p);
}

static void naive_join(struct arena *a, const struct join_case *c, const struct side *ls,
                       const struct side *rs, struct text_rows *out)
{
    struct plain l = plain_rows(a, ls), r = plain_rows(a, rs);
    uint8_t *seen = arena_alloc(a, r.n + 1);
    bool semi = puts_out_left_only(c->type);
    uint32_t nl = ls->n_types, nr = semi ? 0 : rs->n_types;

    for (uint32_t i = 0; i < l.n; i++) {
        bool any = false;

        for (uint32_t k = 0; k < r.n; k++) {
            int eq = keys_equal(c, &l, i, &r, k);

            if (c->null_aware ? eq == 0 : eq != 1)
                continue;
            if (!condition_holds(c, &l, i, &r, k))
                continue;
            any = true;
            seen[k] = 1;
            if (!semi)
                put_row(out, &l, i, nl, &r, k, nr, "");
        }
        if (c->type == JOIN_EXISTENCE)
            put_row(out, &l, i, nl, &r, -1, 0, any ? "|true" : "|false");
        else if (semi && any == (c->type == JOIN_SEMI))
            put_row(out, &l, i, nl, &r, -1, 0, "");
        else if (!any && (c->type == JOIN_LEFT || c->type == JOIN_FULL))
            put_row(out, &l, i, nl, &r, -1, nr, "");
    }
    if (c->type == JOIN_RIGHT || c->type == JOIN_FULL)
        for (uint32_t k = 0; k < r.n; k++)
            if (!seen[k])
                put_row(out, &l, -1, nl, &r, k, nr, "");
}

/* ---- sorted sides, for merge joins ---- */

struct sorting {
    const struct plain *p;
    uint32_t n_keys;
};
static struct sorting sorting;

static int by_keys(const void *x, const void *y)
{
    uint32_t i = *(const uint32_t *)x, k = *(const uint32_t *)y;

    for (uint32_t c = 0; c < sorting.n_keys; c++) {
        struct value a = cell(sorting.p, i, c), b = cell(sorting.p, k, c);
        int order = a.null || b.null ? (int)b.null - (int)a.null : value_cmp(&a, &b);

        if (order)
            return order;
    }
    return i < k ? -1 : i > k;
}

/* The same rows by their keys, NULLs first, in batches of at most `rows`. */
static struct side sorted_side(struct arena *a, const struct side *s, uint32_t n_keys,
                               uint32_t rows)
{
    struct plain p = plain_rows(a, s);
    struct side out = { .types = s->types, .n_types = s->n_types };
    uint32_t *at = arena_array(a, p.n + 1, sizeof *at);

    for (uint32_t i = 0; i < p.n; i++)
        at[i] = i;
    sorting = (struct sorting){ &p, n_keys };
    if (p.n)
        qsort(at, p.n, sizeof *at, by_keys);
    out.batches = arena_array(a, p.n + 1, sizeof *out.batches);
    for (uint32_t i = 0; i < p.n;) {
        uint32_t left = p.n - i, n = 1 + rnd_below(rows < left ? rows : left);
        uint32_t step = rnd_below(2) ? 2 : 1; /* with rows between that do not count */
        struct batch *b = &out.batches[out.n++];

        n = n * step > BATCH_ROWS ? BATCH_ROWS / step : n;
        *b = (struct batch){ n * step, n, NULL, s->n_types, NULL };
        b->columns = arena_array(a, s->n_types + 1, sizeof *b->columns);
        uint32_t *sel = arena_array(a, n, sizeof *sel);
        for (uint32_t k = 0; k < n; k++)
            sel[k] = k * step;
        b->sel = step > 1 ? sel : NULL;
        for (uint32_t c = 0; c < s->n_types; c++) {
            b->columns[c] = vec_flat(a, s->types[c], n * step, true);
            for (uint32_t k = 0; k < n; k++) {
                struct value v = cell(&p, at[i + k], c);

                value_store(&b->columns[c], k * step, &v);
            }
        }
        i += n;
    }
    return out;
}

/* ---- running ---- */

static enum op_step run_join(struct bench *b, const struct phys *node, struct side *left,
                             struct side *right, struct text_rows *out, struct err *err)
{
    struct op_source sources[2] = { { side_next, left }, { side_next, right } };
    struct op *op = NULL;
    struct batch got;
    enum op_step step = OP_FAIL;

    left->at = right->at = 0;
    if (op_open_over(&op, node, &b->task, sources, err) != ERR_OK)
        return OP_FAIL;
    while ((step = op_next(op, &got, err)) == OP_BATCH) {
        assert_true(got.n_sel > 0 && got.n_sel <= got.n_rows &&
                    got.n_rows <= BATCH_ROWS);
        assert_true(got.sel || got.n_sel == got.n_rows);
        assert_int_equal(got.n_columns, node->output.n);
        for (uint32_t c = 0; c < got.n_columns; c++)
            assert_true(type_eq(got.columns[c].type, node->output.at[c]->type));
        text_rows_batch(out, &got);
    }
    op_close(op);
    return step;
}

static const char *case_text(struct arena *a, const struct join_case *c)
{
    return arena_printf(a, "%s %s build %s, %u keys, condition %s%s, seed %llu",
                        phys_classes[c->kind].name, join_type_name(c->type),
                        c->build_left ? "left" : "right", c->n_keys,
                        c->condition ? c->condition : "none",
                        c->null_aware ? ", null-aware" : "",
                        (unsigned long long)rows_seed);
}

static void check(const struct join_case *c, int64_t pool, struct side *left,
                  struct side *right, struct bench *b)
{
    struct text_rows got = { 0 }, want = { 0 };
    struct err err = { 0 };
    const char *what = case_text(&b->a, c);
    struct phys *node = join_node(b, c, left, right);

    (void)pool;
    if (run_join(b, node, left, right, &got, &err) != OP_END)
        fail_msg("%s: %s", what, err.text);
    naive_join(&b->a, c, left, right, &want);
    assert_rows(&got, &want, what);
}

/* ---- hash joins ---- */

#define INT { .id = TYPE_INT }
#define LONG { .id = TYPE_LONG }
#define TEXT { .id = TYPE_STRING }
#define WIDE { .id = TYPE_DECIMAL, .precision = 30, .scale = 2 }

/* Keys first; the last column is for conditions. */
static const struct {
    uint32_t n_keys, n;
    struct type types[5];
} shapes[] = {
    { 1, 3, { INT, TEXT, INT } },
    { 1, 3, { LONG, { .id = TYPE_DOUBLE }, INT } },
    { 2, 4, { INT, INT, TEXT, INT } },
    { 1, 2, { TEXT, INT } },
    { 2, 4, { TEXT, LONG, { .id = TYPE_BOOLEAN }, INT } },
    { 1, 3, { { .id = TYPE_DOUBLE }, WIDE, INT } },
    { 1, 2, { { .id = TYPE_SHORT }, INT } },
    { 1, 3, { { .id = TYPE_DATE }, TEXT, INT } },
    { 2, 3, { WIDE, { .id = TYPE_FLOAT }, INT } },
    { 1, 1, { LONG } },
};

struct allowed {
    enum join_type type;
    bool left, right; /* sides that may be built */
};

static const struct allowed shuffled_types[] = {
    { JOIN_INNER, true, true }, { JOIN_CROSS, true, true },  { JOIN_LEFT, true, true },
    { JOIN_RIGHT, true, true }, { JOIN_FULL, true, true },   { JOIN_SEMI, false, true },
    { JOIN_ANTI, false, true }, { JOIN_EXISTENCE, false, true },
};
static const struct allowed broadcast_types[] = {
    { JOIN_INNER, true, true },  { JOIN_CROSS, true, true }, { JOIN_LEFT, false, true },
    { JOIN_RIGHT, true, false }, { JOIN_SEMI, false, true }, { JOIN_ANTI, false, true },
    { JOIN_EXISTENCE, false, true },
};

static const char *const conditions[] = { NULL, "<", ">=", "=" };

static bool has_keys(enum phys_kind kind)
{
    return kind != PHYS_BROADCAST_NL_JOIN && kind != PHYS_CARTESIAN;
}

/* Small domains make long chains, large ones unique keys. */
static void try_shape(enum phys_kind kind, const struct allowed *as, size_t n, size_t shape,
                      uint32_t rows, uint32_t domain, uint32_t nulls)
{
    for (size_t t = 0; t < n; t++)
        for (int build_left = 0; build_left < 2; build_left++)
            for (size_t k = 0; k < ARRAY_LEN(conditions); k++) {
                struct join_case c = { .kind = kind,
                                       .type = as[t].type,
                                       .build_left = build_left,
                                       .n_keys = has_keys(kind) ? shapes[shape].n_keys : 0,
                                       .condition = conditions[k] };
                struct bench b;

                if (build_left ? !as[t].left : !as[t].right)
                    continue;
                bench_begin(&b, POOL_ALL);
                struct side l = make_side(&b.a, shapes[shape].types, shapes[shape].n,
                                          rnd_below(4), rows, domain, nulls);
                struct side r = make_side(&b.a, shapes[shape].types, shapes[shape].n,
                                          rnd_below(4), rows, domain, nulls);
                check(&c, POOL_ALL, &l, &r, &b);
                bench_end(&b);
            }
}

static const struct allowed loop_types[] = {
    { JOIN_INNER, true, true }, { JOIN_CROSS, true, true },  { JOIN_LEFT, true, true },
    { JOIN_RIGHT, true, true }, { JOIN_FULL, true, true },   { JOIN_SEMI, false, true },
    { JOIN_ANTI, false, true }, { JOIN_EXISTENCE, false, true },
};
static const struct allowed cartesian_types[] = { { JOIN_INNER, false, true },
                                                  { JOIN_CROSS, false, true } };

static void try_all(enum phys_kind kind, const struct allowed *as, size_t n)
{
    for (size_t s = 0; s < ARRAY_LEN(shapes); s++) {
        try_shape(kind, as, n, s, 60, 12, 15);
        try_shape(kind, as, n, s, 100, 20000, 0);
        try_shape(kind, as, n, s, 8, 3, 40);
    }
}

static void shuffled_hash_joins_are_nested_loops(void **state)
{
    (void)state;
    try_all(PHYS_SHUFFLED_HASH_JOIN, shuffled_types, ARRAY_LEN(shuffled_types));
}

static void broadcast_hash_joins_are_nested_loops(void **state)
{
    (void)state;
    try_all(PHYS_BROADCAST_HASH_JOIN, broadcast_types, ARRAY_LEN(broadcast_types));
}

static void loop_joins_are_nested_loops(void **state)
{
    (void)state;
    for (size_t s = 0; s < ARRAY_LEN(shapes); s++) {
        try_shape(PHYS_BROADCAST_NL_JOIN, loop_types, ARRAY_LEN(loop_types), s, 40, 12, 15);
        try_shape(PHYS_CARTESIAN, cartesian_types, ARRAY_LEN(cartesian_types), s, 30, 9, 15);
    }
    for (int i = 0; i < 20; i++)
        try_shape(PHYS_BROADCAST_NL_JOIN, loop_types, ARRAY_LEN(loop_types), 0, 4, 9, 15);
}

/* The side that is gone through again and again lies in a file. */
static void cartesian_products_run_in_little_memory(void **state)
{
    static const struct type types[] = { INT, TEXT, INT };

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(conditions); k++) {
        struct join_case c = { .kind = PHYS_CARTESIAN,
                               .type = JOIN_INNER,
                               .n_keys = 0,
                               .condition = conditions[k] };
        struct bench b;

        bench_begin(&b, 48 << 10);
        struct side l = make_side(&b.a, types, 3, 2, 4, 50, 10);
        struct side r = make_side(&b.a, types, 3, 4, 2000, 50, 10);
        check(&c, 48 << 10, &l, &r, &b);
        bench_end(&b);
    }
}

static const struct allowed merge_types[] = {
    { JOIN_INNER, false, true }, { JOIN_CROSS, false, true }, { JOIN_LEFT, false, true },
    { JOIN_RIGHT, false, true }, { JOIN_FULL, false, true },  { JOIN_SEMI, false, true },
    { JOIN_ANTI, false, true },  { JOIN_EXISTENCE, false, true },
};

static void try_merge_of(size_t shape, int64_t pool, uint32_t batches, uint32_t rows,
                         uint32_t right_rows, uint32_t domain, uint32_t nulls,
                         uint32_t cut)
{
    for (size_t t = 0; t < ARRAY_LEN(merge_types); t++)
        for (size_t k = 0; k < ARRAY_LEN(conditions); k++) {
            uint32_t n = shapes[shape].n;
            struct join_case c = { .kind = PHYS_SORT_MERGE_JOIN,
                                   .type = merge_types[t].type,
                                   .n_keys = shapes[shape].n_keys,
                                   .condition = conditions[k] };
            struct bench b;

            bench_begin(&b, pool);
            struct side l = make_side(&b.a, shapes[shape].types, n, rnd_below(batches),
                                      rows, domain, nulls);
            struct side r = make_side(&b.a, shapes[shape].types, n, rnd_below(batches),
                                      right_rows, domain, nulls);
            l = sorted_side(&b.a, &l, c.n_keys, cut);
            r = sorted_side(&b.a, &r, c.n_keys, cut);
            check(&c, pool, &l, &r, &b);
            bench_end(&b);
        }
}

static void try_merge(size_t shape, int64_t pool, uint32_t batches, uint32_t rows,
                      uint32_t domain, uint32_t nulls, uint32_t cut)
{
    try_merge_of(shape, pool, batches, rows, rows, domain, nulls, cut);
}

static void merge_joins_are_nested_loops(void **state)
{
    (void)state;
    for (size_t s = 0; s < ARRAY_LEN(shapes); s++) {
        try_merge(s, POOL_ALL, 4, 60, 12, 15, 20);
        try_merge(s, POOL_ALL, 4, 100, 300, 5, 2048);
        try_merge(s, POOL_ALL, 4, 100, 20000, 0, 30);
        try_merge(s, POOL_ALL, 4, 8, 3, 40, 3);
    }
}

/* The window cannot hold a batch's range, then not even the rows of one key. */
static void merge_joins_run_in_little_memory(void **state)
{
    (void)state;
    for (size_t s = 0; s < ARRAY_LEN(shapes); s++) {
        try_merge(s, 104 << 10, 4, 500, 300, 5, 100);
        try_merge_of(s, 104 << 10, 4, 60, 900, 2, 5, 60);
        try_merge_of(s, 104 << 10, 4, 900, 60, 2, 5, 60);
        try_merge_of(s, 104 << 10, 3, 90, 900, 4, 0, 200);
    }
    for (size_t s = 0; s < 3; s += 2) { /* thousands of rows of one key go to disk */
        try_merge_of(s, 104 << 10, 4, 3, 2000, 2, 5, 100);
        try_merge_of(s, 104 << 10, 4, 3, 2000, 1, 5, 100);
    }
}

static void one_key_many_times_is_cut_into_batches(void **state)
{
    (void)state;
    for (size_t t = 0; t < ARRAY_LEN(shuffled_types); t++)
        for (size_t k = 0; k < 2; k++) {
            static const struct type types[] = { INT, INT };
            struct join_case c = { .kind = PHYS_SHUFFLED_HASH_JOIN,
                                   .type = shuffled_types[t].type,
                                   .n_keys = 1,
                                   .condition = conditions[k] };
            struct bench b;

            bench_begin(&b, POOL_ALL);
            struct side l = make_side(&b.a, types, 2, 2, 60, 2, 0);
            struct side r = make_side(&b.a, types, 2, 3, 900, 2, 0);
            check(&c, POOL_ALL, &l, &r, &b);
            bench_end(&b);
        }
}

static void not_in_knows_null(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 60; i++) {
        struct join_case c = { .kind = PHYS_BROADCAST_HASH_JOIN,
                               .type = JOIN_ANTI,
                               .null_aware = true,
                               .n_keys = 1 };
        struct bench b;
        const struct type *types = shapes[i % 2].types;

        bench_begin(&b, POOL_ALL);
        struct side l = make_side(&b.a, types, 3, 2, 50, 40, 20);
        struct side r = make_side(&b.a, types, 3, i % 3, 10, 40, i % 5 == 0 ? 5 : 0);
        check(&c, POOL_ALL, &l, &r, &b);
        bench_end(&b);
    }
}

static void a_build_side_without_memory_fails(void **state)
{
    static const struct type types[] = { TEXT, LONG, INT };
    struct join_case c = { .kind = PHYS_SHUFFLED_HASH_JOIN, .type = JOIN_INNER, .n_keys = 1 };
    struct text_rows got = { 0 };
    struct err err = { 0 };
    struct bench b;

    (void)state;
    bench_begin(&b, 1 << 20);
    struct side l = make_side(&b.a, types, 3, 2, 50, 40, 0);
    struct side r = make_side(&b.a, types, 3, 200, 2048, 1000, 0);
    assert_int_equal(run_join(&b, join_node(&b, &c, &l, &r), &l, &r, &got, &err), OP_FAIL);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_non_null(strstr(err.text, "There is no enough memory to build hash map"));
    text_rows_release(&got);
    bench_end(&b);
}

static void failures_of_children_pass_on(void **state)
{
    static const enum phys_kind kinds[] = { PHYS_SHUFFLED_HASH_JOIN,
                                            PHYS_BROADCAST_HASH_JOIN };
    static const struct type types[] = { INT, INT };

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
        for (int side = 0; side < 2; side++) {
            struct join_case c = { .kind = kinds[k], .type = JOIN_INNER, .n_keys = 1 };
            struct text_rows got = { 0 };
            struct err err = { 0 };
            struct bench b;

            bench_begin(&b, POOL_ALL);
            struct side l = make_side(&b.a, types, 2, 2, 50, 40, 0);
            struct side r = make_side(&b.a, types, 2, 2, 50, 40, 0);
            (side ? &r : &l)->fails = true;
            assert_int_equal(run_join(&b, join_node(&b, &c, &l, &r), &l, &r, &got, &err),
                             OP_FAIL);
            assert_string_equal(err.text, "the child failed");
            text_rows_release(&got);
            bench_end(&b);
        }
}

/* ---- sizes as Spark has them ---- */

static void data_sizes_are_sparks(void **state)
{
    /* keys, step between them, columns of the row, key's type; 64 MB pages */
    static const struct {
        uint32_t n, step, columns;
        struct type key;
        int64_t bytes;
    } cases[] = {
        { 25, 1, 2, LONG, 1048776 },
        { 25, 1, 2, INT, 1048776 },
        { 150000, 1, 3, LONG, 9588608 },
        { 227597, 7, 2, LONG, 16777216 },
        { 10000, 1, 2, TEXT, 67633136 },
    };

    (void)state;
    for (size_t x = 0; x < ARRAY_LEN(cases); x++) {
        struct arena a = { 0 };
        struct type types[4];
        struct err err = { 0 };

        for (uint32_t c = 0; c < cases[x].columns; c++)
            types[c] = c ? type_of(TYPE_LONG) : cases[x].key;
        struct hash_relation *r =
            hash_relation_new(types, cases[x].columns, types, 1);
        for (uint32_t at = 0; at < cases[x].n;) {
            uint32_t n = cases[x].n - at < BATCH_ROWS ? cases[x].n - at : BATCH_ROWS;
            struct vec columns[4];
            struct batch b = { n, n, NULL, cases[x].columns, columns };

            arena_reset(&a);
            for (uint32_t c = 0; c < cases[x].columns; c++)
                columns[c] = vec_flat(&a, types[c], n, false);
            for (uint32_t i = 0; i < n; i++) {
                uint64_t key = (uint64_t)(at + i + 1) * cases[x].step;

                if (type_is_text(types[0])) {
                    char text[32];
                    int len = snprintf(text, sizeof text, "%llu", (unsigned long long)key);

                    ((struct str *)columns[0].data)[i] = str_make(text, (size_t)len);
                } else {
                    memcpy((char *)columns[0].data + i * type_width(types[0]), &key,
                           type_width(types[0]));
                }
            }
            assert_int_equal(hash_relation_add(r, &b, columns, &err), ERR_OK);
            at += n;
        }
        hash_relation_finish(r);
        int64_t got = hash_relation_spark_bytes(r, 67108848);
        if (got != cases[x].bytes)
            fail_msg("case %zu: %lld bytes, not %lld", x, (long long)got,
                     (long long)cases[x].bytes);
        hash_relation_free(r);
        arena_release(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broadcast_hash_joins_are_nested_loops),
        cmocka_unit_test(shuffled_hash_joins_are_nested_loops),
        cmocka_unit_test(merge_joins_are_nested_loops),
        cmocka_unit_test(merge_joins_run_in_little_memory),
        cmocka_unit_test(loop_joins_are_nested_loops),
        cmocka_unit_test(cartesian_products_run_in_little_memory),
        cmocka_unit_test(one_key_many_times_is_cut_into_batches),
        cmocka_unit_test(not_in_knows_null),
        cmocka_unit_test(a_build_side_without_memory_fails),
        cmocka_unit_test(failures_of_children_pass_on),
        cmocka_unit_test(data_sizes_are_sparks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
