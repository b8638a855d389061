/* Shuffles: what maps write, reducers read, whatever the shape; statuses as Spark's. */
#include "base/arena.h"
#include "engine/run/settings.h"
#include "engine/run/shuffle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct arena arena;
    struct settings *settings;
    struct memory *memory;
    char dir[64];
};

static int begin(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->settings = settings_new(&f->arena);
    f->memory = memory_new(1 << 30, 2, f->settings);
    snprintf(f->dir, sizeof f->dir, "/tmp/engine_shuffle_%ld", (long)getpid());
    char made[96];
    snprintf(made, sizeof made, "mkdir -p %s", f->dir);
    assert_int_equal(system(made), 0);
    *state = f;
    return 0;
}

static int end(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(rmdir(f->dir), 0); /* shuffles took their files away */
    memory_free(f->memory);
    arena_release(&f->arena);
    free(f);
    return 0;
}

/* Columns: a number that says all, a text of it (short and long), a small one with NULLs,
 * a wide one. */
enum { N_COLUMNS = 4 };
static struct type types[N_COLUMNS];

static int setup_types(void **state)
{
    (void)state;
    types[0] = type_of(TYPE_LONG);
    types[1] = type_of(TYPE_STRING);
    types[2] = type_of(TYPE_SHORT);
    types[3] = type_decimal(30, 2);
    return 0;
}

static bool is_null(int64_t x)
{
    return x % 7 == 3;
}

static struct sv text_of(struct arena *a, int64_t x)
{
    char text[80];

    if (x % 3 == 0)
        snprintf(text, sizeof text, "%lld", (long long)x);
    else
        snprintf(text, sizeof text, "a longer text for number %lld", (long long)x);
    return arena_sv(a, sv(text));
}

static uint32_t reducer_of(int64_t x, uint32_t n)
{
    return (uint32_t)((uint64_t)x * 0x9E3779B97F4A7C15u >> 33) % n;
}

/* Rows from, from + 1, ..; every third is not selected when `select`. */
static void make_batch(struct arena *a, struct batch *b, int64_t from, uint32_t n,
                       bool select)
{
    b->columns = arena_array(a, N_COLUMNS, sizeof *b->columns);
    b->n_columns = N_COLUMNS;
    b->n_rows = b->n_sel = n;
    b->sel = NULL;
    for (uint32_t c = 0; c < N_COLUMNS; c++)
        b->columns[c] = vec_flat(a, types[c], n, c == 2);
    for (uint32_t i = 0; i < n; i++) {
        int64_t x = from + i;
        struct sv text = text_of(a, x);

        ((int64_t *)b->columns[0].data)[i] = x;
        ((struct str *)b->columns[1].data)[i] = str_make(text.p, text.len);
        ((int16_t *)b->columns[2].data)[i] = (int16_t)x;
        b->columns[2].valid[i] = !is_null(x);
        ((i128 *)b->columns[3].data)[i] = (i128)x << 70;
    }
    if (select) {
        uint32_t *sel = arena_array(a, n, sizeof *sel), k = 0;

        for (uint32_t i = 0; i < n; i++)
            if (i % 3)
                sel[k++] = i;
        b->sel = sel;
        b->n_sel = k;
    }
}

static void check_row(const struct batch *b, uint32_t i, struct arena *a)
{
    int64_t x = *(const int64_t *)vec_at(&b->columns[0], i);
    struct sv want = text_of(a, x), got = str_sv(vec_at(&b->columns[1], i));

    if (!sv_eq(want, got))
        fail_msg("text of %lld is %.*s", (long long)x, SV_FMT(got));
    assert_int_equal(vec_is_null(&b->columns[2], i), is_null(x));
    if (!is_null(x))
        assert_int_equal(*(const int16_t *)vec_at(&b->columns[2], i), (int16_t)x);
    i128 wide; /* in columns they lie at multiples of 8 */
    memcpy(&wide, vec_at(&b->columns[3], i), sizeof wide);
    assert_true(wide == (i128)x << 70);
}

struct job {
    struct fixture *f;
    struct shuffle *shuffle;
    uint32_t n_maps, n_reducers;
    int64_t rows; /* of each map */
    uint32_t batch;
    bool select;
};

static void begin_task(struct job *j, struct task *t, int64_t id)
{
    *t = (struct task){ .settings = j->f->settings, .task_id = id };
    task_memory_begin(&t->memory, j->f->memory);
}

static void end_task(struct task *t)
{
    task_memory_end(&t->memory);
    assert_int_equal(t->memory.used_bytes, 0);
    arena_release(&t->arena);
}

static int64_t write_map(struct job *j, uint32_t map)
{
    struct shuffle_writer *w;
    struct task t;
    struct err err = { 0 };
    int64_t rows = 0;

    begin_task(j, &t, map);
    assert_int_equal(shuffle_writer_open(&w, j->shuffle, map, &t, &err), ERR_OK);
    for (int64_t at = 0; at < j->rows; at += j->batch) {
        struct batch b;
        uint32_t to[BATCH_ROWS];
        uint32_t n = (uint32_t)min_i64(j->batch, j->rows - at);

        arena_reset(&t.arena);
        make_batch(&t.arena, &b, map * j->rows + at, n, j->select);
        for (uint32_t i = 0; i < n; i++)
            to[i] = reducer_of(map * j->rows + at + i, j->n_reducers);
        if (shuffle_write(w, &b, to, &err) != ERR_OK)
            fail_msg("%s", err.text);
        rows += b.n_sel;
    }
    if (shuffle_writer_commit(w, &err) != ERR_OK)
        fail_msg("%s", err.text);
    assert_int_equal(t.metrics.shuffle_write_rows, rows);
    assert_true(rows == 0 || t.metrics.shuffle_write_bytes > 0);
    end_task(&t);
    return rows;
}

/* Reads one range; every row must belong there, and seen counts it. */
static int64_t read_range(struct job *j, struct read_spec spec, uint8_t *seen)
{
    struct shuffle_reader *r;
    struct task t;
    struct batch b;
    struct err err = { 0 };
    struct arena texts = { 0 };
    enum next got;
    int64_t rows = 0;

    begin_task(j, &t, 1000);
    assert_int_equal(shuffle_reader_open(&r, j->shuffle, spec, &t, &err), ERR_OK);
    while ((got = shuffle_read(r, &b, &err)) == NEXT_ITEM) {
        assert_true(b.n_rows > 0 && b.n_rows <= BATCH_ROWS && !b.sel);
        arena_reset(&texts);
        for (uint32_t i = 0; i < b.n_rows; i++) {
            int64_t x = *(const int64_t *)vec_at(&b.columns[0], i);
            uint32_t to = reducer_of(x, j->n_reducers), map = (uint32_t)(x / j->rows);

            check_row(&b, i, &texts);
            if (to < spec.from || to >= spec.to || map < spec.map_from ||
                map >= spec.map_to)
                fail_msg("row %lld does not belong here", (long long)x);
            seen[x]++;
        }
        rows += b.n_rows;
    }
    if (got == NEXT_FAIL)
        fail_msg("%s", err.text);
    assert_int_equal(t.metrics.shuffle_read_rows, rows);
    shuffle_reader_close(r);
    arena_release(&texts);
    end_task(&t);
    return rows;
}

static void run_shape(struct job *j)
{
    int64_t all = j->rows * j->n_maps, written = 0, read = 0;
    uint8_t *seen = calloc((size_t)all + 1, 1);

    j->shuffle = shuffle_new(3, j->n_maps, j->n_reducers, types, N_COLUMNS, j->f->dir,
                             j->f->settings);
    for (uint32_t m = 0; m < j->n_maps; m++)
        written += write_map(j, m);
    for (uint32_t r = 0; r < j->n_reducers; r += 3)
        read += read_range(
            j,
            (struct read_spec){ r, r + 3 < j->n_reducers ? r + 3 : j->n_reducers, 0,
                                UINT32_MAX },
            seen);
    assert_int_equal(read, written);
    assert_int_equal(shuffle_rows(j->shuffle), written);
    for (int64_t x = 0; x < all; x++) {
        bool wanted = !j->select || x % j->rows % j->batch % 3;

        if (seen[x] != wanted)
            fail_msg("row %lld was seen %d times", (long long)x, seen[x]);
    }
    memset(seen, 0, (size_t)all + 1);
    read = 0;
    for (uint32_t m = 0; m < j->n_maps; m++)
        read += read_range(j, (struct read_spec){ 0, j->n_reducers, m, m + 1 }, seen);
    assert_int_equal(read, written);
    free(seen);
    shuffle_free(j->shuffle);
}

static void rows_come_back_once(void **state)
{
    static const struct job shapes[] = {
        { .n_maps = 1, .n_reducers = 1, .rows = 1, .batch = 1 },
        { .n_maps = 3, .n_reducers = 4, .rows = 100, .batch = 10 },
        { .n_maps = 2, .n_reducers = 200, .rows = 50, .batch = 50, .select = true },
        { .n_maps = 2, .n_reducers = 1, .rows = 30000, .batch = 2048 },
        { .n_maps = 2, .n_reducers = 7, .rows = 60000, .batch = 2000, .select = true },
        { .n_maps = 1, .n_reducers = 2500, .rows = 40000, .batch = 2048 },
        { .n_maps = 2, .n_reducers = 5, .rows = 0, .batch = 1 },
    };

    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        struct job j = shapes[i];

        j.f = *state;
        run_shape(&j);
    }
}

static void large_outputs_are_written_in_chunks(void **state)
{
    struct job j = {
        .f = *state, .n_maps = 1, .n_reducers = 20, .rows = 1200000, .batch = 2048
    };
    struct err err = { 0 };

    assert_int_equal(
        settings_put(j.f->settings, SV("spark.shuffle.compress"), SV("false"), &err),
        ERR_OK);
    run_shape(&j);
}

static void constants_and_dictionaries_arrive(void **state)
{
    struct fixture *f = *state;
    struct job j = { .f = f };
    uint32_t codes[] = { 1, 0, 9999,
                         1 }; /* the third is NULL: its code is not looked at */
    uint8_t valid[] = { 1, 1, 0, 1 };
    struct str words[] = { str_make("a", 1), str_make("a word of many letters", 22) };
    struct vec dict = { .type = types[1], .kind = VEC_FLAT, .data = words };
    int64_t five = 5;
    struct vec columns[] = {
        { .type = types[0], .kind = VEC_CONST, .data = &five },
        { .type = types[1],
          .kind = VEC_DICT,
          .codes = codes,
          .dict = &dict,
          .valid = valid },
    };
    struct batch b = { .n_rows = 4, .n_sel = 4, .n_columns = 2, .columns = columns };
    uint32_t to[] = { 0, 1, 1, 1 };
    struct err err = { 0 };
    struct shuffle *s = shuffle_new(0, 1, 2, types, 2, f->dir, f->settings);
    struct shuffle_writer *w;
    struct shuffle_reader *r;
    struct task t;

    begin_task(&j, &t, 0);
    assert_int_equal(shuffle_writer_open(&w, s, 0, &t, &err), ERR_OK);
    assert_int_equal(shuffle_write(w, &b, to, &err), ERR_OK);
    assert_int_equal(shuffle_writer_commit(w, &err), ERR_OK);
    struct read_spec second = { 1, 2, 0, UINT32_MAX };
    assert_int_equal(shuffle_reader_open(&r, s, second, &t, &err), ERR_OK);
    struct batch got;
    assert_int_equal(shuffle_read(r, &got, &err), NEXT_ITEM);
    assert_int_equal(got.n_rows, 3);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(*(const int64_t *)vec_at(&got.columns[0], i), 5);
    assert_true(sv_is(str_sv(vec_at(&got.columns[1], 0)), "a"));
    assert_true(vec_is_null(&got.columns[1], 1));
    assert_true(sv_is(str_sv(vec_at(&got.columns[1], 2)), "a word of many letters"));
    assert_int_equal(shuffle_read(r, &got, &err), NEXT_END);
    shuffle_reader_close(r);
    end_task(&t);
    shuffle_free(s);
}

static void sizes_are_sparks(void **state)
{
    static const struct {
        int64_t bytes;
        int packed;
        int64_t back;
    } cases[] = {
        { 0, 0, 0 },
        { 1, 1, 1 },
        { 2, 8, 2 },
        { 100, 49, 106 },
        { 1000, 73, 1051 },
        { 1 << 20, 146, 1104923 },
        { INT64_MAX, 255, 35903328718 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t packed = shuffle_size_pack(cases[i].bytes);

        if (packed != cases[i].packed || shuffle_size_unpack(packed) != cases[i].back)
            fail_msg("%lld: %d, %lld", (long long)cases[i].bytes, packed,
                     (long long)shuffle_size_unpack(packed));
    }
}

static void many_reducers_get_averages(void **state)
{
    struct job j = {
        .f = *state, .n_maps = 1, .n_reducers = 2100, .rows = 3000, .batch = 1000
    };
    const int64_t *const *by_map, *by_reducer;
    uint32_t maps, reducers;
    int64_t seen = 0;

    j.shuffle = shuffle_new(1, 1, 2100, types, N_COLUMNS, j.f->dir, j.f->settings);
    write_map(&j, 0);
    shuffle_stats(j.shuffle, &j.f->arena, &by_map, &by_reducer, &maps, &reducers);
    assert_int_equal(reducers, 2100);
    for (uint32_t r = 0; r < reducers; r++) {
        assert_int_equal(by_map[0][r], by_reducer[r]);
        if (by_reducer[r] && !seen)
            seen = by_reducer[r];
        if (by_reducer[r] && by_reducer[r] != seen)
            fail_msg("reducer %u: %lld", r, (long long)by_reducer[r]);
    }
    assert_true(seen > 0);
    shuffle_free(j.shuffle);
}

static void a_lost_output_is_a_fetch_failure(void **state)
{
    struct job j = { .f = *state, .n_maps = 2, .n_reducers = 3, .rows = 50, .batch = 50 };
    struct shuffle_reader *r;
    struct task t;
    struct err err = { 0 };

    j.shuffle = shuffle_new(9, 2, 3, types, N_COLUMNS, j.f->dir, j.f->settings);
    write_map(&j, 0); /* map 1 never comes */
    begin_task(&j, &t, 0);
    struct read_spec all = { 0, 3, 0, UINT32_MAX };
    assert_int_equal(shuffle_reader_open(&r, j.shuffle, all, &t, &err), ERR_OPEN);
    assert_true(sv_starts(sv(err.text), SV("FetchFailed: shuffle 9, map 1")));
    end_task(&t);
    shuffle_free(j.shuffle);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        T(rows_come_back_once),
        T(large_outputs_are_written_in_chunks),
        T(constants_and_dictionaries_arrive),
        cmocka_unit_test(sizes_are_sparks),
        T(many_reducers_get_averages),
        T(a_lost_output_is_a_fetch_failure),
    };

    return cmocka_run_group_tests(tests, setup_types, NULL);
}
