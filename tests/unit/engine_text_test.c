/* CSV and JSON lines against what real Spark reads from the same texts
 * (tests/data/engine/text), what is written against what Spark writes, shares of a file,
 * damage. */
#include "base/mem.h"
#include "engine/run/settings.h"
#include "engine/store/format.h"

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
    strcpy(f->dir, "/tmp/engine-text-XXXXXX");
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

static const char *put_file(struct fixture *f, const char *name, struct sv text)
{
    const char *path = arena_printf(&f->a, "%s/%s", f->dir, name);
    FILE *out = fopen(path, "wb");

    assert_non_null(out);
    fwrite(text.p, 1, text.len, out);
    fclose(out);
    return path;
}

/* ---- the data file ---- */

struct text_case {
    char format[8];
    struct sv text;
    struct schema declared;
    bool has_schema;
    struct sv keys[8], values[8];
    uint32_t n_options;
    const char *types;
    struct strbuf rows;
    int line;
};

static struct sv unescape(struct arena *a, const char *s)
{
    char *out = arena_bytes(a, strlen(s) + 1);
    size_t n = 0;

    for (; *s; s++) {
        if (*s != '\\') {
            out[n++] = *s;
            continue;
        }
        s++;
        out[n++] = *s == 'n' ? '\n' : *s == 'r' ? '\r' : *s == 't' ? '\t' : *s;
    }
    return (struct sv){ out, n };
}

/* "a int,b decimal(5,2)" */
static void parse_schema(struct fixture *f, struct text_case *c, const char *text)
{
    char *copy = (char *)(uintptr_t)arena_printf(&f->a, "%s", text);

    c->has_schema = true;
    c->declared =
        (struct schema){ .fields = arena_array(&f->a, 16, sizeof *c->declared.fields) };
    for (char *p = copy; *p;) {
        struct field *fd = &c->declared.fields[c->declared.n++];
        size_t name, len = 0;
        struct err err = { 0 };
        int depth = 0;

        p += strspn(p, " ");
        name = strcspn(p, " ");
        fd->name = (struct sv){ p, name };
        p += name + 1;
        while (p[len] && (p[len] != ',' || depth)) {
            depth += (p[len] == '(') - (p[len] == ')');
            len++;
        }
        assert_int_equal(type_parse((struct sv){ p, len }, &fd->type, &err), ERR_OK);
        fd->nullable = true;
        p += len + (p[len] == ',');
    }
}

static void print_row(struct strbuf *out, const struct batch *b, uint32_t row)
{
    for (uint32_t c = 0; c < b->n_columns; c++) {
        struct value v = value_at(&b->columns[c], row);

        strbuf_addz(out, c ? "|" : "");
        value_print(out, &v, &zone_utc);
    }
    strbuf_addc(out, '\n');
}

static void read_rows(struct fixture *f, const struct relation *r, int64_t step,
                      struct strbuf *out)
{
    uint32_t *columns = arena_array(&f->a, r->data.n + 1, sizeof *columns);
    struct scan_request req = { .relation = r,
                                .settings = f->settings,
                                .zone = &zone_utc,
                                .columns = columns,
                                .n_columns = r->data.n };
    struct err err = { 0 };

    for (uint32_t i = 0; i < r->data.n; i++)
        columns[i] = i;
    for (int64_t at = 0; at < r->files[0].bytes; at += step) {
        struct reader *rd;
        struct batch b;
        enum next got;

        if (r->format->open(&rd, &f->a, &req, &r->files[0], at, step, &err) != ERR_OK)
            fail_msg("%s", err.text);
        while ((got = r->format->next(rd, &b, &err)) == NEXT_ITEM)
            for (uint32_t row = 0; row < b.n_rows; row++)
                print_row(out, &b, row);
        r->format->close(rd);
        if (got == NEXT_FAIL)
            fail_msg("%s", err.text);
    }
}

static void run_case(struct fixture *f, struct text_case *c)
{
    const char *path = put_file(f, "t.txt", c->text);
    struct sv root = sv(path);
    struct relation_spec spec = { .format = sv(c->format),
                                  .paths = &root,
                                  .n_paths = 1,
                                  .option_keys = c->keys,
                                  .option_values = c->values,
                                  .n_options = c->n_options,
                                  .data = c->has_schema ? &c->declared : NULL };
    const struct relation *r = NULL;
    struct strbuf types = { 0 }, rows = { 0 };
    struct err err = { 0 };

    if (relation_open(&f->a, f->settings, &spec, &r, &err) != ERR_OK)
        fail_msg("line %d: %s", c->line, err.text);
    for (uint32_t i = 0; i < r->data.n; i++) {
        strbuf_printf(&types, "%s%.*s ", i ? ";" : "", (int)r->data.fields[i].name.len,
                      r->data.fields[i].name.p);
        type_print(&types, r->data.fields[i].type);
    }
    if (strcmp(types.p, c->types) != 0)
        fail_msg("line %d: types %s, Spark has %s", c->line, types.p, c->types);
    read_rows(f, r, r->files[0].bytes, &rows);
    if (!sv_eq(strbuf_sv(&rows), strbuf_sv(&c->rows)))
        fail_msg("line %d: rows\n%sSpark has\n%s", c->line, rows.p ? rows.p : "",
                 c->rows.p ? c->rows.p : "");
    strbuf_release(&types);
    strbuf_release(&rows);
    unlink(path);
}

static void texts_are_read_as_spark_reads_them(void **state)
{
    struct fixture *f = *state;
    FILE *in = fopen("tests/data/engine/text/spark-3.5.9.txt", "r");
    struct text_case c = { 0 };
    static char buf[8192];
    int cases = 0;

    assert_non_null(in);
    for (int line = 1; fgets(buf, sizeof buf, in); line++) {
        char *rest = strchr(buf, ' ');

        buf[strcspn(buf, "\n")] = '\0';
        if (buf[0] == '#')
            continue;
        if (buf[0] == '\0') {
            if (c.types) {
                run_case(f, &c);
                cases++;
            }
            strbuf_release(&c.rows);
            c = (struct text_case){ 0 };
            continue;
        }
        rest = rest ? rest + 1 : buf + strlen(buf);
        if (strncmp(buf, "format ", 7) == 0) {
            strcpy(c.format, rest);
            c.line = line;
        } else if (strncmp(buf, "text ", 5) == 0) {
            c.text = unescape(&f->a, rest);
        } else if (strncmp(buf, "schema ", 7) == 0) {
            parse_schema(f, &c, rest);
        } else if (strncmp(buf, "option ", 7) == 0) {
            size_t key = strcspn(rest, " ");

            c.keys[c.n_options] = sv(arena_printf(&f->a, "%.*s", (int)key, rest));
            c.values[c.n_options++] = sv(arena_printf(&f->a, "%s", rest + key + 1));
        } else if (strncmp(buf, "types ", 6) == 0) {
            c.types = arena_printf(&f->a, "%s", rest);
        } else {
            strbuf_add(&c.rows, unescape(&f->a, rest));
            strbuf_addc(&c.rows, '\n');
        }
    }
    if (c.types) {
        run_case(f, &c);
        cases++;
    }
    strbuf_release(&c.rows);
    fclose(in);
    assert_true(cases > 25);
}

static void shares_of_a_file_hold_each_line_once(void **state)
{
    struct fixture *f = *state;
    struct strbuf text = { 0 }, want = { 0 };
    struct type string = type_of(TYPE_STRING), number = type_of(TYPE_INT);
    struct field fields[] = { { sv("n"), number, true }, { sv("s"), string, true } };
    struct schema schema = { fields, 2 };
    const struct relation *r = NULL;
    struct err err = { 0 };

    for (int i = 0; i < 3000; i++) {
        strbuf_printf(&text, "%d,%.*s%s", i, i % 23, "abcdefghijklmnopqrstuvw",
                      i % 5 ? "\n" : "\r\n");
        strbuf_printf(&want, "%d|%.*s\n", i, i % 23 ? i % 23 : 4,
                      i % 23 ? "abcdefghijklmnopqrstuvw" : "NULL");
    }
    struct sv root = sv(put_file(f, "t.csv", strbuf_sv(&text)));
    struct relation_spec spec = {
        .format = sv("csv"), .paths = &root, .n_paths = 1, .data = &schema
    };

    assert_int_equal(relation_open(&f->a, f->settings, &spec, &r, &err), ERR_OK);
    for (int64_t step = 1; step < r->files[0].bytes * 2;
         step = step * 3 + (step > 20 ? 1 : 40)) {
        struct strbuf got = { 0 };

        read_rows(f, r, step, &got);
        if (!sv_eq(strbuf_sv(&got), strbuf_sv(&want)))
            fail_msg("shares of %lld bytes differ", (long long)step);
        strbuf_release(&got);
    }
    strbuf_release(&text);
    strbuf_release(&want);
    unlink(root.p);
}

/* What Spark 3.5.9 wrote of these rows, header on for CSV. */
static void rows_are_written_as_spark_writes_them(void **state)
{
    static const struct {
        const char *format, *want;
    } cases[] = {
        { "csv", "i,s,d,f,dt,ts,b\n1,\"a,b\",1.50,1.0E10,2020-01-02,2020-01-02T03:04:05."
                 "123Z,true\n2,\"q\\\"r\",-0.01,NaN,,2020-01-02T03:04:05.000Z,false\n"
                 "3,sp,,1.0,0001-01-01,,\n4,\"x\ny\",1.00,1.0E-5,,,\n5,\"\",,,,,\n" },
        { "json", "{\"i\":1,\"s\":\"a,b\",\"d\":1.50,\"f\":1.0E10,\"dt\":\"2020-01-02\","
                  "\"ts\":\"2020-01-02T03:04:05.123Z\",\"b\":true}\n"
                  "{\"i\":2,\"s\":\"q\\\"r\",\"d\":-0.01,\"f\":\"NaN\",\"ts\":\"2020-01-"
                  "02T03:04:05.000Z\",\"b\":false}\n"
                  "{\"i\":3,\"s\":\" sp "
                  "\",\"f\":1.0,\"dt\":\"0001-01-01\"}\n{\"i\":4,\"s\":\"x\\ny\",\"d\":1."
                  "00,\"f\":1.0E-5}\n{\"i\":5,\"s\":\"\"}\n" },
    };
    const struct field fields[] = { { sv("i"), type_of(TYPE_INT), true },
                                    { sv("s"), type_of(TYPE_STRING), true },
                                    { sv("d"), type_decimal(5, 2), true },
                                    { sv("f"), type_of(TYPE_DOUBLE), true },
                                    { sv("dt"), type_of(TYPE_DATE), true },
                                    { sv("ts"), type_of(TYPE_TIMESTAMP), true },
                                    { sv("b"), type_of(TYPE_BOOLEAN), true } };
    enum { N = 7, ROWS = 5 };
    const struct schema schema = { (struct field *)(uintptr_t)fields, N };
    struct fixture *f = *state;
    const int64_t day = 18263, ts = INT64_C(1577934245123456);
    struct vec v[N];
    struct batch b = { .n_rows = ROWS, .n_sel = ROWS, .n_columns = N, .columns = v };
    const char *texts[ROWS] = { "a,b", "q\"r", " sp ", "x\ny", "" };

    for (uint32_t c = 0; c < N; c++)
        v[c] = vec_flat(&f->a, fields[c].type, ROWS, true);
    for (uint32_t row = 0; row < ROWS; row++) {
        ((int32_t *)v[0].data)[row] = (int32_t)row + 1;
        ((struct str *)v[1].data)[row] = str_make(texts[row], strlen(texts[row]));
    }
    memcpy(v[2].data, (int64_t[]){ 150, -1, 0, 100, 0 }, ROWS * sizeof(int64_t));
    memcpy(v[3].data, (double[]){ 1e10, (double)__builtin_nan(""), 1, 1e-5, 0 },
           ROWS * sizeof(double));
    memcpy(v[4].data, (int32_t[]){ (int32_t)day, 0, -719162, 0, 0 },
           ROWS * sizeof(int32_t));
    memcpy(v[5].data, (int64_t[]){ ts, ts - 123456, 0, 0, 0 }, ROWS * sizeof(int64_t));
    memcpy(v[6].data, (uint8_t[]){ 1, 0, 0, 0, 0 }, ROWS);
    memcpy(v[2].valid, (uint8_t[]){ 1, 1, 0, 1, 0 }, ROWS);
    memcpy(v[3].valid, (uint8_t[]){ 1, 1, 1, 1, 0 }, ROWS);
    memcpy(v[4].valid, (uint8_t[]){ 1, 0, 1, 0, 0 }, ROWS);
    memcpy(v[5].valid, (uint8_t[]){ 1, 1, 0, 0, 0 }, ROWS);
    memcpy(v[6].valid, (uint8_t[]){ 1, 1, 0, 0, 0 }, ROWS);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct format *format = format_find(sv(cases[i].format));
        const struct sv keys[] = { sv("header") }, values[] = { sv("true") };
        const char *path = arena_printf(&f->a, "%s/out", f->dir);
        struct write_request req = { .schema = &schema,
                                     .settings = f->settings,
                                     .path = path,
                                     .option_keys = keys,
                                     .option_values = values,
                                     .n_options = 1 };
        static char got[4096];
        struct write_counts counts;
        struct writer *w;
        struct err err = { 0 };
        FILE *in;
        size_t n;

        assert_int_equal(format->create(&w, &f->a, &req, &err), ERR_OK);
        assert_int_equal(format->add(w, &b, &err), ERR_OK);
        assert_int_equal(format->finish(w, &counts, &err), ERR_OK);
        assert_int_equal(counts.rows, ROWS);
        in = fopen(path, "rb");
        n = fread(got, 1, sizeof got - 1, in);
        fclose(in);
        got[n] = '\0';
        assert_string_equal(got, cases[i].want);
        unlink(path);
    }
}

static void compressed_files_are_read_whole(void **state)
{
    struct fixture *f = *state;
    static const char *const codecs[][2] = { { "gzip", ".gz" }, { "zstd", ".zst" } };
    struct field field = { sv("n"), type_of(TYPE_LONG), true };
    struct schema schema = { &field, 1 };

    for (size_t k = 0; k < 2; k++) {
        const char *path = arena_printf(&f->a, "%s/t.csv%s", f->dir, codecs[k][1]);
        const struct sv keys[] = { sv("compression") }, values[] = { sv(codecs[k][0]) };
        struct write_request req = { .schema = &schema,
                                     .settings = f->settings,
                                     .path = path,
                                     .option_keys = keys,
                                     .option_values = values,
                                     .n_options = 1 };
        struct sv root = sv(path);
        struct relation_spec spec = {
            .format = sv("csv"), .paths = &root, .n_paths = 1, .data = &schema
        };
        struct vec v = vec_flat(&f->a, field.type, BATCH_ROWS, false);
        struct batch b = {
            .n_rows = BATCH_ROWS, .n_sel = BATCH_ROWS, .n_columns = 1, .columns = &v
        };
        struct strbuf got = { 0 }, want = { 0 };
        const struct relation *r = NULL;
        struct write_counts counts;
        struct writer *w;
        struct err err = { 0 };

        assert_int_equal(format_find(sv("csv"))->create(&w, &f->a, &req, &err), ERR_OK);
        for (int64_t i = 0; i < 400; i++) { /* several blocks */
            for (int64_t row = 0; row < BATCH_ROWS; row++) {
                ((int64_t *)v.data)[row] = i * BATCH_ROWS + row;
                if (i < 3)
                    strbuf_printf(&want, "%lld\n", (long long)(i * BATCH_ROWS + row));
            }
            assert_int_equal(format_find(sv("csv"))->add(w, &b, &err), ERR_OK);
        }
        assert_int_equal(format_find(sv("csv"))->finish(w, &counts, &err), ERR_OK);
        assert_int_equal(relation_open(&f->a, f->settings, &spec, &r, &err), ERR_OK);
        assert_false(r->format->splittable(r, r->files[0].path));
        read_rows(f, r, r->files[0].bytes, &got);
        assert_memory_equal(got.p, want.p, want.len);
        assert_int_equal(got.len, 5623290); /* 0 to 819199, a line each */
        strbuf_release(&got);
        strbuf_release(&want);
        unlink(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_read_as_spark_reads_them),
        cmocka_unit_test(shares_of_a_file_hold_each_line_once),
        cmocka_unit_test(rows_are_written_as_spark_writes_them),
        cmocka_unit_test(compressed_files_are_read_whole),
    };

    return cmocka_run_group_tests_name("engine_text", tests, setup, teardown);
}
