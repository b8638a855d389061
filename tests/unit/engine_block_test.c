/* Batches as bytes, and bytes in frames. */
#include "engine/column/batch_codec.h"
#include "engine/store/block.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/unit/engine_rows.h"

static const struct type types[] = {
    { .id = TYPE_INT },
    { .id = TYPE_STRING },
    { .id = TYPE_LONG },
    { .id = TYPE_BOOLEAN },
    { .id = TYPE_DECIMAL, .precision = 30, .scale = 2 },
    { .id = TYPE_SHORT },
    { .id = TYPE_STRING },
    { .id = TYPE_DOUBLE },
};
enum { N_TYPES = ARRAY_LEN(types) };

static void assert_same(const struct batch *a, const struct batch *b)
{
    struct text_rows x = { 0 }, y = { 0 };

    text_rows_batch(&x, a);
    text_rows_batch(&y, b);
    assert_int_equal(x.n, y.n);
    for (size_t i = 0; i < x.n; i++)
        assert_string_equal(x.at[i], y.at[i]);
    text_rows_release(&x);
    text_rows_release(&y);
}

static void batches_come_back_as_they_were(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 60; round++) {
        struct arena a = { 0 };
        struct strbuf bytes = { 0 };
        struct err err = { 0 };
        struct batch b[2], back;
        size_t used = 0, at = 0;

        for (int k = 0; k < 2; k++) {
            b[k] = rnd_batch(&a, types, N_TYPES, rnd_below(round % 4 ? 300 : 2049),
                             round % 3 ? 20 : 3000, round % 2 ? 15 : 0, round > 5);
            batch_encode(&bytes, &b[k]);
        }
        for (int k = 0; k < 2; k++) {
            struct sv part = { bytes.p + at, bytes.len - at };

            assert_int_equal(batch_decode(&a, part, types, N_TYPES, &back, &used, &err),
                             ERR_OK);
            assert_null(back.sel);
            assert_same(&b[k], &back);
            at += used;
        }
        assert_int_equal(at, bytes.len);
        strbuf_release(&bytes);
        arena_release(&a);
    }
}

static void shared_text_stays_shared(void **state)
{
    struct arena a = { 0 };
    struct strbuf bytes = { 0 };
    struct err err = { 0 };
    struct vec v = rnd_vec(&a, types[1], VEC_DICT, 2000, 5, 0);
    struct batch b = { 2000, 2000, NULL, 1, &v }, back;
    size_t used;

    (void)state;
    batch_encode(&bytes, &b);
    assert_int_equal(
        batch_decode(&a, strbuf_sv(&bytes), &types[1], 1, &back, &used, &err), ERR_OK);
    assert_int_equal(back.columns[0].kind, VEC_DICT);
    assert_same(&b, &back);
    strbuf_release(&bytes);
    arena_release(&a);
}

static void cut_or_damaged_batches_are_refused_or_read_safely(void **state)
{
    struct arena a = { 0 };
    struct strbuf bytes = { 0 };
    struct err err = { 0 };
    struct batch back;
    size_t used;

    (void)state;
    struct batch b = rnd_batch(&a, types, N_TYPES, 100, 20, 10, true);
    b.sel = NULL;
    b.n_sel = b.n_rows;
    batch_encode(&bytes, &b);
    for (size_t n = 0; n < bytes.len; n += 1 + n / 50) {
        struct sv part = { bytes.p, n };

        if (batch_decode(&a, part, types, N_TYPES, &back, &used, &err) != ERR_CORRUPT)
            fail_msg("%zu of %zu bytes were taken", n, bytes.len);
    }
    for (int i = 0; i < 3000; i++) { /* ASan watches */
        char *copy = malloc(bytes.len);

        memcpy(copy, bytes.p, bytes.len);
        copy[rnd_below((uint32_t)bytes.len)] = (char)rnd();
        struct sv part = { copy, bytes.len };
        if (batch_decode(&a, part, types, N_TYPES, &back, &used, &err) == ERR_OK) {
            struct text_rows rows = { 0 };

            text_rows_batch(&rows, &back);
            text_rows_release(&rows);
        }
        free(copy);
        arena_reset(&a);
    }
    strbuf_release(&bytes);
    arena_release(&a);
}

static void frames_come_back(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 40; i++) {
        uint32_t n = i * i * 50;
        char *raw = malloc(n + 1), *back = malloc(n + 1);
        struct strbuf out = { 0 };
        struct err err = { 0 };
        size_t used = 0, want = 0, stored = 0;

        for (uint32_t k = 0; k < n; k++)
            raw[k] = (char)(i % 2 ? rnd() : k / 50);
        strbuf_addz(&out, "before");
        block_write(&out, (struct sv){ raw, n }, i % 3 != 0);
        struct sv frame = { out.p + 6, out.len - 6 };
        assert_int_equal(block_peek(frame, &want, &stored, &err), ERR_OK);
        assert_int_equal(want, n);
        assert_int_equal(stored + BLOCK_HEAD, frame.len);
        if (i % 3 && i % 2 == 0 && n > 1000)
            assert_true(stored < n / 2);
        assert_int_equal(block_read(frame, back, &used, &err), ERR_OK);
        assert_int_equal(used, frame.len);
        assert_memory_equal(back, raw, n);
        for (size_t k = 0; k < 50; k++) {
            size_t at = rnd_below((uint32_t)frame.len);
            char was = out.p[6 + at];

            out.p[6 + at] = (char)(was ^ (1 << rnd_below(8)));
            if (block_peek(frame, &want, &stored, &err) == ERR_OK && want <= n &&
                block_read(frame, back, &used, &err) == ERR_OK)
                fail_msg("byte %zu of %zu changed unnoticed", at, frame.len);
            out.p[6 + at] = was;
        }
        strbuf_release(&out);
        free(raw);
        free(back);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_come_back_as_they_were),
        cmocka_unit_test(shared_text_stays_shared),
        cmocka_unit_test(cut_or_damaged_batches_are_refused_or_read_safely),
        cmocka_unit_test(frames_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
