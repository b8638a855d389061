/* Parquet against another writer's files (tests/data/engine/parquet/make.py), and its own
 * files read back, for every type, with and without NULLs, over several pages and row
 * groups. */
#include "base/mem.h"
#include "engine/run/settings.h"
#include "engine/store/parquet.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct arena a;
    struct settings *settings;
    char dir[64];
};

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);

    f->settings = settings_new(&f->a);
    strcpy(f->dir, "/tmp/engine-parquet-XXXXXX");
    if (!mkdtemp(f->dir))
        return -1;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    rmdir(f->dir);
    arena_release(&f->a);
    free(f);
    return 0;
}

static const struct relation *open_file(struct fixture *f, const char *path)
{
    struct sv root = sv(path);
    struct relation_spec spec = { .format = sv("parquet"), .paths = &root, .n_paths = 1 };
    const struct relation *r = NULL;
    struct err err = { 0 };

    if (relation_open(&f->a, f->settings, &spec, &r, &err) != ERR_OK)
        fail_msg("%s", err.text);
    return r;
}

static struct reader *open_all(struct fixture *f, const struct relation *r,
                               const struct pushed *const *filters, uint32_t n_filters)
{
    struct scan_request *req = arena_alloc(&f->a, sizeof *req);
    uint32_t *columns = arena_array(&f->a, r->data.n + 1, sizeof *columns);
    struct reader *rd = NULL;
    struct err err = { 0 };

    for (uint32_t i = 0; i < r->data.n; i++)
        columns[i] = i;
    *req = (struct scan_request){ .relation = r,
                                  .settings = f->settings,
                                  .columns = columns,
                                  .n_columns = r->data.n,
                                  .filters = filters,
                                  .n_filters = n_filters };
    if (r->format->open(&rd, &f->a, req, &r->files[0], 0, r->files[0].bytes, &err) !=
        ERR_OK)
        fail_msg("%s", err.text);
    return rd;
}

static void print_i128(struct strbuf *out, i128 v)
{
    char digits[48];
    int n = 0;
    u128 u = v < 0 ? -(u128)v : (u128)v;

    do {
        digits[n++] = (char)('0' + (int)(u % 10));
    } while (u /= 10);
    if (v < 0)
        strbuf_addc(out, '-');
    while (n > 0)
        strbuf_addc(out, digits[--n]);
}

/* As it lies in memory: decimals unscaled, dates in days. */
static void print_raw(struct strbuf *out, const struct vec *v, uint32_t row)
{
    struct value x;

    if (vec_is_null(v, row)) {
        strbuf_addz(out, "NULL");
        return;
    }
    x = value_at(v, row);
    if (type_is_text(x.type))
        strbuf_add(out, x.u.s);
    else if (x.type.id == TYPE_DECIMAL)
        print_i128(out, x.u.dec);
    else if (x.type.id == TYPE_DOUBLE || x.type.id == TYPE_FLOAT)
        strbuf_printf(out, "%.17g", x.u.f);
    else if (x.type.id == TYPE_BOOLEAN)
        strbuf_addc(out, x.u.b ? '1' : '0');
    else
        strbuf_printf(out, "%lld", (long long)x.u.i);
}

/* All rows, a line each, cells with '|' between. */
static void print_file(struct fixture *f, const char *path, struct strbuf *out)
{
    const struct relation *r = open_file(f, path);
    struct reader *rd = open_all(f, r, NULL, 0);
    struct batch b;
    struct err err = { 0 };
    enum next got;

    while ((got = r->format->next(rd, &b, &err)) == NEXT_ITEM)
        for (uint32_t row = 0; row < b.n_rows; row++)
            for (uint32_t c = 0; c < b.n_columns; c++) {
                print_raw(out, &b.columns[c], row);
                strbuf_addc(out, c + 1 < b.n_columns ? '|' : '\n');
            }
    r->format->close(rd);
    if (got == NEXT_FAIL)
        fail_msg("%s", err.text);
}

static void assert_same_lines(const char *what, const char *got, const char *want)
{
    for (int line = 1; *got || *want; line++) {
        size_t a = strcspn(got, "\n"), b = strcspn(want, "\n");

        if (a != b || memcmp(got, want, a) != 0)
            fail_msg("%s, line %d:\n got %.*s\nwant %.*s", what, line, (int)a, got,
                     (int)b, want);
        got += a + (got[a] == '\n');
        want += b + (want[b] == '\n');
    }
}

static void other_writers_files_are_read_value_by_value(void **state)
{
    static const char *const names[] = { "snappy-v1",  "gzip-v2-small-pages",
                                         "zstd-plain", "lz4-dictionary-full",
                                         "none-int96", "delta",
                                         "split" };
    static char want[1 << 20];
    FILE *in = fopen("tests/data/engine/parquet/expected.txt", "rb");
    size_t n;

    assert_non_null(in);
    n = fread(want, 1, sizeof want - 1, in);
    fclose(in);
    want[n] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct strbuf got = { 0 };

        print_file(*state,
                   arena_printf(&((struct fixture *)*state)->a,
                                "tests/data/engine/parquet/%s.parquet", names[i]),
                   &got);
        assert_same_lines(names[i], got.p, want);
        strbuf_release(&got);
    }
}

static void types_are_those_that_spark_reads(void **state)
{
    const struct relation *r =
        open_file(*state, "tests/data/engine/parquet/snappy-v1.parquet");
    struct strbuf s = { 0 };

    for (uint32_t i = 0; i < r->data.n; i++) {
        strbuf_printf(&s, "%.*s ", (int)r->data.fields[i].name.len,
                      r->data.fields[i].name.p);
        type_print(&s, r->data.fields[i].type);
        strbuf_addc(&s, ';');
    }
    assert_string_equal(
        s.p,
        "flag boolean;tiny tinyint;small smallint;int int;unsigned bigint;long "
        "bigint;few int;real float;"
        "double double;text string;word string;binary binary;date date;instant timestamp;"
        "local timestamp_ntz;dec9 decimal(9,2);dec15 decimal(15,2);dec38 "
        "decimal(38,10);");
    strbuf_release(&s);
}

/* ---- its own files ---- */

static const struct type all_types[] = {
    { .id = TYPE_BOOLEAN },
    { .id = TYPE_BYTE },
    { .id = TYPE_SHORT },
    { .id = TYPE_INT },
    { .id = TYPE_LONG },
    { .id = TYPE_FLOAT },
    { .id = TYPE_DOUBLE },
    { .id = TYPE_DECIMAL, .precision = 7, .scale = 2 },
    { .id = TYPE_DECIMAL, .precision = 18, .scale = 3 },
    { .id = TYPE_DECIMAL, .precision = 38, .scale = 10 },
    { .id = TYPE_STRING },
    { .id = TYPE_BINARY },
    { .id = TYPE_DATE },
    { .id = TYPE_TIMESTAMP },
    { .id = TYPE_TIMESTAMP_NTZ },
};
enum { N_TYPES = sizeof all_types / sizeof *all_types };

/* A value of the type from a number; text of 0 to 30 bytes. */
static struct value made(struct arena *a, struct type t, uint64_t seed, bool few)
{
    uint64_t x = few ? seed % 5 : seed * UINT64_C(0x9E3779B97F4A7C15);
    struct value v = { .type = t };

    switch ((enum type_id)t.id) {
    case TYPE_BOOLEAN:
        v.u.b = x & 1;
        break;
    case TYPE_BYTE:
        v.u.i = (int8_t)x;
        break;
    case TYPE_SHORT:
        v.u.i = (int16_t)x;
        break;
    case TYPE_INT:
        v.u.i = (int32_t)x;
        break;
    case TYPE_DATE:
        v.u.i = (int32_t)(x % 100000) - 50000;
        break;
    case TYPE_FLOAT:
    case TYPE_DOUBLE:
        v.u.f = (float)((int64_t)x >> 40);
        break;
    case TYPE_DECIMAL:
        v.u.dec = t.precision > 18 ? (i128)(int64_t)x * 1000003
                                   : (int64_t)(x % 9999999) - 5000000;
        break;
    case TYPE_STRING:
    case TYPE_BINARY:
        v.u.s = sv(arena_printf(a, "%.*s%llu", (int)(x >> 60), "abcdefghijklmno",
                                (unsigned long long)(x >> 20)));
        break;
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMP_NTZ:
        v.u.i = (int64_t)(x >> 8) - (INT64_C(1) << 55);
        break;
    default:
        v.u.i = (int64_t)x;
    }
    return v;
}

struct case_of_file {
    const char *name, *codec, *ts, *group_bytes;
    uint32_t rows;
    int null_of_16; /* of 16 values so many are NULL; 16: all */
    bool few;
};

static void write_file(struct fixture *f, const struct case_of_file *k, const char *path,
                       struct strbuf *want)
{
    struct schema schema = { .fields = arena_array(&f->a, N_TYPES, sizeof *schema.fields),
                             .n = N_TYPES };
    struct write_request req = { .schema = &schema,
                                 .settings = f->settings,
                                 .path = path };
    struct vec columns[N_TYPES];
    struct write_counts counts;
    struct err err = { 0 };
    struct writer *w = NULL;

    for (uint32_t i = 0; i < N_TYPES; i++)
        schema.fields[i] = (struct field){ .name = sv(arena_printf(&f->a, "c%u", i)),
                                           .type = all_types[i],
                                           .nullable = true };
    assert_int_equal(settings_put(f->settings, sv("spark.sql.parquet.compression.codec"),
                                  sv(k->codec), &err),
                     ERR_OK);
    assert_int_equal(settings_put(f->settings,
                                  sv("spark.sql.parquet.outputTimestampType"), sv(k->ts),
                                  &err),
                     ERR_OK);
    assert_int_equal(
        settings_put(f->settings, sv("parquet.block.size"), sv(k->group_bytes), &err),
        ERR_OK);
    assert_int_equal(
        f->settings ? format_parquet.create(&w, &f->a, &req, &err) : ERR_USAGE, ERR_OK);
    for (uint32_t done = 0; done < k->rows; done += BATCH_ROWS) {
        struct arena scratch = { 0 };
        uint32_t n = k->rows - done < BATCH_ROWS ? k->rows - done : BATCH_ROWS;
        struct batch b = {
            .n_rows = n, .n_sel = n, .n_columns = N_TYPES, .columns = columns
        };

        for (uint32_t c = 0; c < N_TYPES; c++) {
            columns[c] = vec_flat(&scratch, all_types[c], BATCH_ROWS, true);
            for (uint32_t row = 0; row < n; row++) {
                uint64_t seed = (uint64_t)(done + row) * N_TYPES + c;
                struct value v = made(&scratch, all_types[c], seed, k->few);

                if ((int)(seed * 2654435761 >> 7 & 15) < k->null_of_16)
                    v = value_null(all_types[c]);
                value_store(&columns[c], row, &v);
            }
        }
        for (uint32_t row = 0; row < n; row++)
            for (uint32_t c = 0; c < N_TYPES; c++) {
                print_raw(want, &columns[c], row);
                strbuf_addc(want, c + 1 < N_TYPES ? '|' : '\n');
            }
        if (format_parquet.add(w, &b, &err) != ERR_OK)
            fail_msg("%s", err.text);
        arena_release(&scratch);
    }
    if (format_parquet.finish(w, &counts, &err) != ERR_OK)
        fail_msg("%s", err.text);
    assert_int_equal(counts.rows, k->rows);
}

static void written_files_read_back_the_same(void **state)
{
    static const struct case_of_file cases[] = {
        { "few values", "snappy", "INT96", "134217728", 25000, 0, true },
        { "with NULLs", "zstd", "TIMESTAMP_MICROS", "134217728", 21000, 3, false },
        { "row groups", "gzip", "TIMESTAMP_MICROS", "100000", 9000, 1, false },
        { "all NULL", "none", "INT96", "134217728", 3000, 16, false },
        { "lz4", "lz4", "INT96", "134217728", 5000, 8, false },
        { "one row", "snappy", "INT96", "134217728", 1, 0, false },
        { "no row", "snappy", "INT96", "134217728", 0, 0, false },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct strbuf got = { 0 }, want = { 0 };
        const char *path = arena_printf(&f->a, "%s/t.parquet", f->dir);

        write_file(f, &cases[i], path, &want);
        print_file(f, path, &got);
        assert_same_lines(cases[i].name, got.p ? got.p : "", want.p ? want.p : "");
        strbuf_release(&got);
        strbuf_release(&want);
        unlink(path);
    }
}

static void row_groups_that_cannot_match_are_skipped(void **state)
{
    struct fixture *f = *state;
    const struct case_of_file k = {
        "groups", "snappy", "INT96", "60000", 20000, 0, false
    };
    const char *path = arena_printf(&f->a, "%s/t.parquet", f->dir);
    struct value low = { .type = type_of(TYPE_DATE), .u.i = -60000 };
    struct value word = value_string(sv("zzz"));
    struct pushed below = {
        .kind = PUSHED_LT, .column = sv("C12"), .values = &low, .n_values = 1
    };
    struct pushed prefix = {
        .kind = PUSHED_STARTS_WITH, .column = sv("c10"), .values = &word, .n_values = 1
    };
    struct pushed null = { .kind = PUSHED_IS_NULL, .column = sv("c4") };
    struct pushed not_null = { .kind = PUSHED_IS_NOT_NULL, .column = sv("c4") };
    struct pushed either = { .kind = PUSHED_OR, .left = &below, .right = &not_null };
    const struct {
        const struct pushed *p;
        bool skips;
    } cases[] = { { &below, true },
                  { &prefix, true },
                  { &null, true },
                  { &not_null, false },
                  { &either, false } };
    struct strbuf ignored = { 0 };
    const struct relation *r;

    write_file(f, &k, path, &ignored);
    strbuf_release(&ignored);
    r = open_file(f, path);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct reader *rd = open_all(f, r, &cases[i].p, 1);
        struct scan_counts counts;

        r->format->counts(rd, &counts);
        assert_true(counts.row_groups + counts.row_groups_skipped > 5);
        assert_int_equal(cases[i].skips ? counts.row_groups : counts.row_groups_skipped,
                         0);
        r->format->close(rd);
    }
    unlink(path);
}

static void splits_share_out_the_row_groups(void **state)
{
    struct fixture *f = *state;
    const struct case_of_file k = { "groups", "none", "INT96", "50000", 12000, 0, false };
    const char *path = arena_printf(&f->a, "%s/t.parquet", f->dir);
    struct strbuf ignored = { 0 };
    const struct relation *r;
    int64_t rows = 0, step;

    write_file(f, &k, path, &ignored);
    strbuf_release(&ignored);
    r = open_file(f, path);
    step = r->files[0].bytes / 7 + 1;
    for (int64_t at = 0; at < r->files[0].bytes; at += step) {
        struct scan_request req = { .relation = r, .settings = f->settings };
        struct reader *rd = NULL;
        struct batch b;
        struct err err = { 0 };

        assert_int_equal(r->format->open(&rd, &f->a, &req, &r->files[0], at, step, &err),
                         ERR_OK);
        while (r->format->next(rd, &b, &err) == NEXT_ITEM)
            rows += b.n_rows;
        r->format->close(rd);
    }
    assert_int_equal(rows, k.rows); /* no row twice, none left out; no column asked for */
    unlink(path);
}

static void damage_is_an_error_with_the_path(void **state)
{
    struct fixture *f = *state;
    const char *path = arena_printf(&f->a, "%s/t.parquet", f->dir);
    struct sv root = sv(path);
    struct relation_spec spec = { .format = sv("parquet"), .paths = &root, .n_paths = 1 };
    const struct relation *r = NULL;
    struct err err = { 0 };
    FILE *out = fopen(path, "wb");

    fputs("PAR1 this is not what it says it is PAR1", out);
    fclose(out);
    assert_int_equal(relation_open(&f->a, f->settings, &spec, &r, &err), ERR_CORRUPT);
    assert_non_null(strstr(err.text, path));
    assert_null(r);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_writers_files_are_read_value_by_value),
        cmocka_unit_test(types_are_those_that_spark_reads),
        cmocka_unit_test(written_files_read_back_the_same),
        cmocka_unit_test(row_groups_that_cannot_match_are_skipped),
        cmocka_unit_test(splits_share_out_the_row_groups),
        cmocka_unit_test(damage_is_an_error_with_the_path),
    };

    return cmocka_run_group_tests_name("engine_parquet", tests, setup, teardown);
}
