/* The event log's files: what is written in each codec and layout is read back, byte for
 * byte and in order, by the analyzer's readers; names and limits are Spark's. */
#include "analyzer/source.h"
#include "base/mem.h"
#include "engine/eventlog/log_codec.h"
#include "engine/eventlog/log_output.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct arena arena;
    struct settings *settings;
    char dir[64];
};

static void put(struct fixture *f, const char *key, const char *value)
{
    struct err err = { 0 };

    if (settings_put(f->settings, sv(key), sv(value), &err) != ERR_OK)
        fail_msg("%s: %s", key, err.text);
}

static int begin(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);

    f->settings = settings_new(&f->arena);
    snprintf(f->dir, sizeof f->dir, "/tmp/engine_log_output_XXXXXX");
    *state = f;
    return mkdtemp(f->dir) ? 0 : -1;
}

static void remove_all(const char *dir)
{
    DIR *d = opendir(dir);

    for (struct dirent *e; d && (e = readdir(d));) {
        char path[512];

        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (unlink(path))
            remove_all(path);
    }
    if (d)
        closedir(d);
    rmdir(dir);
}

static int end(void **state)
{
    struct fixture *f = *state;

    remove_all(f->dir);
    arena_release(&f->arena);
    free(f);
    return 0;
}

/* Lines as logs have them, with stretches that no codec can pack. */
static void some_lines(struct strbuf *out, size_t lines, size_t width)
{
    uint64_t seed = 88172645463325252U;

    for (size_t i = 0; i < lines; i++) {
        strbuf_printf(out, "{\"Event\":\"SparkListenerTaskEnd\",\"Index\":%zu,\"x\":\"",
                      i);
        for (size_t k = 0; k < width; k++) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            strbuf_addc(out, i % 3 == 0 ? (char)(' ' + seed % 90) : 'a');
        }
        strbuf_addz(out, "\"}\n");
    }
}

static void read_part(struct decoder *d, struct strbuf *out)
{
    static char buf[64 << 10];
    struct err err = { 0 };
    enum next next;
    size_t got;

    while ((next = decoder_read(d, buf, sizeof buf, &got, &err)) == NEXT_ITEM)
        strbuf_add(out, (struct sv){ buf, got });
    assert_int_equal(next, NEXT_END);
    assert_string_equal(decoder_damage(d)->text, "");
}

/* The log's parts, as the analyzer finds them. */
static struct log_input *found(struct fixture *f, struct log_list *list)
{
    struct err err = { 0 };

    *list = (struct log_list){ 0 };
    if (log_list_find(list, sv(f->dir), &f->arena, &err) != ERR_OK)
        fail_msg("%s", err.text);
    assert_int_equal(list->n, 1);
    return &list->logs[0];
}

static void read_log(const struct log_input *in, struct strbuf *out)
{
    struct err err = { 0 };
    struct decoder *d;

    for (size_t i = 0; i < in->n_parts; i++) {
        if (decoder_open(&d, &in->parts[i], &err) != ERR_OK)
            fail_msg("%s", err.text);
        read_part(d, out);
        decoder_close(d);
    }
}

static struct log_output *open_output(struct fixture *f, const char *app)
{
    struct log_output *o;
    struct err err = { 0 };

    if (log_output_open(&o, f->dir, sv(app), f->settings, &err) != ERR_OK)
        fail_msg("%s", err.text);
    return o;
}

static void close_output(struct log_output *o, bool finished)
{
    struct err err = { 0 };

    if (log_output_close(o, finished, &err) != ERR_OK)
        fail_msg("%s", err.text);
}

static void round_trip(struct fixture *f, const char *codec, enum codec seen)
{
    struct strbuf lines = { 0 }, back = { 0 };
    struct log_output *o;
    struct log_list list;

    put(f, "spark.eventLog.compress", "true");
    put(f, "spark.eventLog.compression.codec", codec);
    some_lines(&lines, 3000, 120);
    o = open_output(f, "app-1");
    log_output_write(o, strbuf_sv(&lines));
    log_output_write(o, strbuf_sv(&lines));
    close_output(o, true);
    struct log_input *in = found(f, &list);
    struct decoder *d;
    struct err err = { 0 };
    assert_int_equal(decoder_open(&d, &in->parts[0], &err), ERR_OK);
    assert_int_equal(decoder_codec(d), seen);
    decoder_close(d);
    read_log(in, &back);
    assert_int_equal(back.len, 2 * lines.len);
    assert_memory_equal(back.p, lines.p, lines.len);
    assert_memory_equal(back.p + lines.len, lines.p, lines.len);
    assert_true((size_t)in->bytes < back.len * 3 / 4);
    strbuf_release(&lines);
    strbuf_release(&back);
}

static void zstd_is_read_back(void **state)
{
    round_trip(*state, "zstd", CODEC_ZSTD);
}

static void lz4_is_read_back(void **state)
{
    round_trip(*state, "lz4", CODEC_LZ4);
}

static void snappy_is_read_back(void **state)
{
    round_trip(*state, "org.apache.spark.io.SnappyCompressionCodec", CODEC_SNAPPY);
}

static void lzf_is_read_back(void **state)
{
    round_trip(*state, "LZF", CODEC_LZF);
}

/* Bytes of every size and kind through the packers alone: chunks end where blocks do. */
static void every_length_is_packed(void **state)
{
    static const enum log_codec codecs[] = { LOG_ZSTD, LOG_LZ4, LOG_SNAPPY, LOG_LZF };
    static const size_t lengths[] = { 1,     2,     3,     4,     5,     31,    32,
                                      33,    263,   264,   265,   266,   8191,  8192,
                                      8193,  8194,  32767, 32768, 32769, 65534, 65535,
                                      65536, 65537, 70000, 131070 };

    (void)state;
    for (size_t kind = 0; kind < 3; kind++)
        for (size_t l = 0; l < ARRAY_LEN(lengths); l++)
            for (size_t c = 0; c < ARRAY_LEN(codecs); c++) {
                struct strbuf packed = { 0 }, back = { 0 };
                size_t n = lengths[l];
                char *text = xmalloc(n);

                for (size_t i = 0; i < n; i++)
                    text[i] = kind == 0 ? 'x' : (char)(kind == 1 ? i % 251 : i * i >> 7);
                log_codec_head(codecs[c], &packed);
                log_codec_pack(codecs[c], (struct sv){ text, n }, &packed);
                log_codec_tail(codecs[c], &packed);
                struct decoder *d = decoder_open_memory(packed.p, packed.len);
                read_part(d, &back);
                decoder_close(d);
                if (back.len != n || memcmp(back.p, text, n) != 0)
                    fail_msg("%s, %zu bytes of kind %zu", log_codec_suffix(codecs[c]), n,
                             kind);
                free(text);
                strbuf_release(&packed);
                strbuf_release(&back);
            }
}

static void a_rolling_log_is_a_folder(void **state)
{
    struct fixture *f = *state;
    struct strbuf lines = { 0 }, back = { 0 };
    struct log_list list;
    struct log_output *o;
    struct stat st;
    char path[256];

    put(f, "spark.eventLog.rolling.enabled", "true");
    put(f, "spark.eventLog.rolling.maxFileSize", "10m");
    some_lines(&lines, 1000, 100000);
    o = open_output(f, "App-1.x");
    snprintf(path, sizeof path, "%s/eventlog_v2_app-1_x", f->dir);
    assert_string_equal(log_output_path(o), path);
    assert_string_equal(log_output_final_path(o), path);
    log_output_write(o, strbuf_sv(&lines));
    assert_true(found(f, &list)->in_progress);
    close_output(o, true);
    struct log_input *in = found(f, &list);
    assert_true(in->rolling);
    assert_false(in->in_progress);
    assert_int_equal(in->n_parts,
                     10); /* 1,000 lines of 100,051 bytes, 104 of them a file */
    assert_int_equal(in->n_missing, 0);
    for (size_t i = 0; i < in->n_parts; i++) {
        assert_true(in->parts[i].size <= 10 << 20);
        assert_true(i + 1 == in->n_parts || in->parts[i].size + 100060 > 10 << 20);
    }
    read_log(in, &back);
    assert_int_equal(back.len, lines.len);
    assert_memory_equal(back.p, lines.p, lines.len);
    snprintf(path, sizeof path, "%s/eventlog_v2_app-1_x/appstatus_app-1_x", f->dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 0);
    strbuf_release(&lines);
    strbuf_release(&back);
}

static void a_long_line_has_a_file_of_its_own(void **state)
{
    struct fixture *f = *state;
    struct strbuf lines = { 0 };
    struct log_list list;
    struct log_output *o;

    put(f, "spark.eventLog.rolling.enabled", "true");
    put(f, "spark.eventLog.rolling.maxFileSize", "10m");
    some_lines(&lines, 2, 100);
    some_lines(&lines, 1, 12 << 20);
    some_lines(&lines, 2, 100);
    o = open_output(f, "long");
    log_output_write(o, strbuf_sv(&lines));
    close_output(o, false);
    struct log_input *in = found(f, &list);
    assert_true(in->in_progress);
    assert_int_equal(in->n_parts, 3);
    assert_true(in->parts[1].size > 12 << 20);
    strbuf_release(&lines);
}

static void a_running_log_can_be_read(void **state)
{
    struct fixture *f = *state;
    struct strbuf lines = { 0 }, back = { 0 };
    struct log_list list;
    struct log_output *o;

    put(f, "spark.eventLog.compress", "true");
    some_lines(&lines, 10, 100);
    o = open_output(f, "running");
    log_output_write(o, strbuf_sv(&lines));
    struct log_input *in = found(f, &list);
    assert_true(in->in_progress);
    read_log(in, &back);
    assert_int_equal(back.len, lines.len);
    close_output(o, false);
    assert_true(found(f, &list)->in_progress);
    strbuf_release(&lines);
    strbuf_release(&back);
}

static void what_spark_refuses_is_refused(void **state)
{
    struct fixture *f = *state;
    struct log_output *o;
    struct err err = { 0 };

    put(f, "spark.eventLog.rolling.enabled", "true");
    put(f, "spark.eventLog.rolling.maxFileSize", "9m");
    assert_int_equal(log_output_open(&o, f->dir, SV("a"), f->settings, &err), ERR_USAGE);
    assert_non_null(strstr(err.text, "spark.eventLog.rolling.maxFileSize"));
    put(f, "spark.eventLog.rolling.maxFileSize", "10m");
    put(f, "spark.eventLog.compress", "true");
    put(f, "spark.eventLog.compression.codec", "gzip");
    assert_int_equal(log_output_open(&o, f->dir, SV("a"), f->settings, &err), ERR_USAGE);
    assert_non_null(strstr(err.text, "lzf"));
    put(f, "spark.eventLog.compression.codec", "lz4");
    assert_int_equal(log_output_open(&o, "/dev/null/x", SV("a"), f->settings, &err),
                     ERR_OUTPUT);
    assert_non_null(strstr(err.text, "/dev/null"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(zstd_is_read_back, begin, end),
        cmocka_unit_test_setup_teardown(lz4_is_read_back, begin, end),
        cmocka_unit_test_setup_teardown(snappy_is_read_back, begin, end),
        cmocka_unit_test_setup_teardown(lzf_is_read_back, begin, end),
        cmocka_unit_test(every_length_is_packed),
        cmocka_unit_test_setup_teardown(a_rolling_log_is_a_folder, begin, end),
        cmocka_unit_test_setup_teardown(a_long_line_has_a_file_of_its_own, begin, end),
        cmocka_unit_test_setup_teardown(a_running_log_can_be_read, begin, end),
        cmocka_unit_test_setup_teardown(what_spark_refuses_is_refused, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
