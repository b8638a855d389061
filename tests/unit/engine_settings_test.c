/* Settings: kinds, ranges and wording as Spark 3.5.9 answers SET; RESET; nearest keys. */
#include "engine/run/settings.h"

#include "base/nearest.h"
#include "base/strbuf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
// clang-format off
#include <cmocka.h>
// clang-format on

struct fixture {
    struct arena arena;
    struct settings *settings;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    f->settings = settings_new(&f->arena);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    arena_release(&f->arena);
    free(f);
    return 0;
}

static void put(struct settings *s, const char *key, const char *value)
{
    struct err err = { 0 };

    if (settings_put(s, sv(key), sv(value), &err) != ERR_OK)
        fail_msg("%s=%s: %s", key, value, err.text);
}

static void defaults_are_sparks(void **state)
{
    struct settings *s = ((struct fixture *)*state)->settings;

    assert_true(settings_bool(s, SET_ADAPTIVE));
    assert_int_equal(settings_int(s, SET_SHUFFLE_PARTITIONS), 200);
    assert_int_equal(settings_int(s, SET_BROADCAST_BYTES), 10485760);
    assert_int_equal(settings_int(s, SET_BROADCAST_TIMEOUT), 300000);
    assert_int_equal(settings_int(s, SET_DEFAULT_SIZE), INT64_MAX);
    assert_int_equal(settings_int(s, SET_EXECUTOR_MEMORY), INT64_C(1) << 30);
    assert_true(settings_double(s, SET_SKEW_FACTOR) == 5.0);
    assert_false(settings_is_set(s, SET_COALESCE_MIN_NUM));
    assert_int_equal(settings_int(s, SET_COALESCE_MIN_NUM), -1);
    assert_true(settings_says(s, SET_PARTITION_OVERWRITE, "STATIC"));
}

static void values_take_sparks_forms(void **state)
{
    struct settings *s = ((struct fixture *)*state)->settings;

    put(s, "spark.sql.adaptive.enabled", " False ");
    assert_false(settings_bool(s, SET_ADAPTIVE));
    assert_true(sv_is(settings_text(s, SET_ADAPTIVE), " False "));
    put(s, "spark.sql.autoBroadcastJoinThreshold", "-1");
    assert_int_equal(settings_int(s, SET_BROADCAST_BYTES), -1);
    put(s, "spark.sql.autoBroadcastJoinThreshold", "-10MB");
    assert_int_equal(settings_int(s, SET_BROADCAST_BYTES), -10485760);
    put(s, "spark.sql.broadcastTimeout", "5");
    assert_int_equal(settings_int(s, SET_BROADCAST_TIMEOUT), 5000);
    put(s, "spark.executor.memory", "512");
    assert_int_equal(settings_int(s, SET_EXECUTOR_MEMORY), INT64_C(512) << 20);
    put(s, "spark.memory.fraction", "0.25");
    assert_true(settings_double(s, SET_MEMORY_FRACTION) == 0.25);
    put(s, "spark.sql.sources.partitionOverwriteMode", "Dynamic");
    assert_true(settings_says(s, SET_PARTITION_OVERWRITE, "dynamic"));
}

static void bad_values_are_refused_in_sparks_words(void **state)
{
    static const struct {
        const char *key, *value, *text;
    } cases[] = {
        { "spark.sql.shuffle.partitions", "abc",
          "spark.sql.shuffle.partitions should be int, but was abc" },
        { "spark.sql.shuffle.partitions", "3000000000",
          "spark.sql.shuffle.partitions should be int, but was 3000000000" },
        { "spark.sql.shuffle.partitions", "-1",
          "'-1' in spark.sql.shuffle.partitions is invalid. The value of "
          "spark.sql.shuffle.partitions must be positive" },
        { "spark.sql.adaptive.enabled", "yes",
          "spark.sql.adaptive.enabled should be boolean, but was yes" },
        { "spark.sql.autoBroadcastJoinThreshold", "10x",
          "Size must be specified as bytes (b), kibibytes (k), mebibytes (m), gibibytes "
          "(g), tebibytes (t), or pebibytes(p). E.g. 50b, 100k, or 250m. Invalid suffix: "
          "\"x\"" },
        { "spark.sql.broadcastTimeout", "soon",
          "Time must be specified as seconds (s), milliseconds (ms), microseconds (us), "
          "minutes (m or min), hour (h), or day (d). E.g. 50s, 100ms, or 250us. Failed "
          "to "
          "parse time string: soon" },
        { "spark.sql.adaptive.skewJoin.skewedPartitionFactor", "-1",
          "'-1.0' in spark.sql.adaptive.skewJoin.skewedPartitionFactor is invalid. The "
          "skew factor cannot be negative." },
        { "spark.sql.sources.partitionOverwriteMode", "foo",
          "The value of spark.sql.sources.partitionOverwriteMode should be one of "
          "DYNAMIC, STATIC, but was FOO" },
        { "spark.sql.adaptive.advisoryPartitionSizeInBytes", "0",
          "'0' in spark.sql.adaptive.shuffle.targetPostShuffleInputSize is invalid. "
          "advisoryPartitionSizeInBytes must be positive" },
    };
    struct settings *s = ((struct fixture *)*state)->settings;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = { 0 };

        if (settings_put(s, sv(cases[i].key), sv(cases[i].value), &err) != ERR_USAGE)
            fail_msg("%s=%s was accepted", cases[i].key, cases[i].value);
        assert_string_equal(err.text, cases[i].text);
    }
    assert_int_equal(settings_int(s, SET_SHUFFLE_PARTITIONS), 200); /* untouched */
    assert_int_equal(settings_int(s, SET_BROADCAST_BYTES), 10485760);
}

static void other_keys_are_kept_by_exact_name(void **state)
{
    struct fixture *f = *state;
    struct settings *s = f->settings;
    struct sv value = { 0 };

    put(s, "spark.foo.bar", "hello world");
    put(s, "SPARK.SQL.shuffle.partitions", "7");
    assert_int_equal(settings_int(s, SET_SHUFFLE_PARTITIONS), 200);
    assert_true(settings_find(s, SV("spark.foo.bar"), &value));
    assert_true(sv_is(value, "hello world"));
    assert_false(settings_find(s, SV("spark.foo.baz"), &value));
    assert_false(
        settings_find(s, SV("spark.sql.adaptive.coalescePartitions.minPartitionNum"),
                      &value)); /* known, without a default */
    struct settings *copy = settings_copy(&f->arena, s);
    put(s, "spark.foo.bar", "changed");
    assert_true(settings_find(copy, SV("spark.foo.bar"), &value));
    assert_true(sv_is(value, "hello world"));
}

static void reset_goes_back_to_the_start(void **state)
{
    struct settings *s = ((struct fixture *)*state)->settings;
    struct sv value;

    put(s, "spark.sql.shuffle.partitions", "8");
    put(s, "spark.mine", "1");
    settings_seal(s);
    put(s, "spark.sql.shuffle.partitions", "16");
    put(s, "spark.sql.ansi.enabled", "true");
    put(s, "spark.mine", "2");
    put(s, "spark.other", "3");
    settings_reset(s, SV("spark.sql.shuffle.partitions"));
    assert_int_equal(settings_int(s, SET_SHUFFLE_PARTITIONS), 8);
    assert_true(settings_bool(s, SET_ANSI));
    settings_reset(s, (struct sv){ 0 });
    assert_false(settings_bool(s, SET_ANSI));
    assert_true(settings_find(s, SV("spark.mine"), &value));
    assert_true(sv_is(value, "1"));
    assert_false(settings_find(s, SV("spark.other"), &value));
}

static void what_the_session_began_with_stays(void **state)
{
    struct err err = { 0 };

    (void)state;
    assert_int_equal(settings_modifiable(SV("spark.sql.shuffle.partitions"), &err), 0);
    assert_int_equal(settings_modifiable(SV("spark.local.dir"), &err), 0);
    assert_int_equal(settings_modifiable(SV("spark.unheard.of"), &err), 0);
    assert_int_equal(settings_modifiable(SV("spark.executor.memory"), &err), ERR_USAGE);
    assert_non_null(strstr(err.text, "[CANNOT_MODIFY_CONFIG]"));
    assert_int_equal(settings_modifiable(SV("spark.sql.warehouse.dir"), &err), ERR_USAGE);
    assert_string_equal(err.text, "Cannot modify the value of a static config: "
                                  "spark.sql.warehouse.dir.");
}

static void join_key(void *ctx, struct sv key, struct sv value, struct sv meaning,
                     bool set)
{
    (void)meaning;
    if (set)
        strbuf_printf(ctx, "%.*s=%.*s ", SV_FMT(key), SV_FMT(value));
}

static void listing_is_by_key(void **state)
{
    struct settings *s = ((struct fixture *)*state)->settings;
    struct strbuf out = { 0 };

    put(s, "zz", "1");
    put(s, "spark.sql.shuffle.partitions", "2");
    put(s, "aa", "3");
    put(s, "spark.sql.ansi.enabled", "true");
    settings_each(s, false, join_key, &out);
    assert_string_equal(out.p, "aa=3 spark.sql.ansi.enabled=true "
                               "spark.sql.shuffle.partitions=2 zz=1 ");
    strbuf_release(&out);
}

static void mistyped_keys_find_the_nearest(void **state)
{
    (void)state;
    assert_true(sv_is(settings_nearest(SV("spark.sql.shufle.partitions")),
                      "spark.sql.shuffle.partitions"));
    assert_true(sv_is(settings_nearest(SV("spark.sql.autoBroadcastJoinTreshold")),
                      "spark.sql.autoBroadcastJoinThreshold"));
    assert_null(settings_nearest(SV("something.else.entirely")).p);
    assert_int_equal(nearest_distance(SV("selcet"), SV("SELECT")), 1);
    assert_int_equal(nearest_distance(SV(""), SV("abc")), 3);
    assert_int_equal(nearest_distance(SV("kitten"), SV("sitting")), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(defaults_are_sparks, setup, teardown),
        cmocka_unit_test_setup_teardown(values_take_sparks_forms, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_values_are_refused_in_sparks_words, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(other_keys_are_kept_by_exact_name, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(reset_goes_back_to_the_start, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_session_began_with_stays, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(listing_is_by_key, setup, teardown),
        cmocka_unit_test(mistyped_keys_find_the_nearest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
