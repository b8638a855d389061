/* analyzer/failure: the telling line of a message, and which lines are alike. */
#include "analyzer/failure.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define TRACE "Traceback (most recent call last):\n"
#define FRAMES "  File \"worker.py\", line 1247, in main\n    process()\n    ^^^^^^^\n"

static void the_telling_line_is_found(void **state)
{
    static const struct {
        const char *message, *line;
    } cases[] = {
        { "", "" },
        { "disk is full", "disk is full" },
        { "disk is full\r\n\tat java.io.File.write", "disk is full" },
        { TRACE FRAMES "ZeroDivisionError: division by zero\n",
          "ZeroDivisionError: division by zero" },
        { TRACE FRAMES "KeyError: 'a'\n\n\tat org.apache.spark.api.python.Reader.read",
          "KeyError: 'a'" },
        { "failed 4 times: PythonException: " TRACE FRAMES "ValueError: x\n\n\tat org.A.b",
          "failed 4 times: PythonException: ValueError: x" },
        { "The worker threw.\n" TRACE FRAMES "ValueError: x", "The worker threw. ValueError: x" },
        /* of a chain the last one ended the task */
        { TRACE FRAMES "KeyError: 1\n\nDuring handling of the above exception, another "
                       "exception occurred:\n\n" TRACE FRAMES "RuntimeError: no such key\n",
          "RuntimeError: no such key" },
        /* of an error of several lines the first one names it */
        { TRACE FRAMES "Error: two\nlines\n", "Error: two" },
        /* cut off before the error */
        { TRACE FRAMES, "Traceback (most recent call last):" },
        { "Traceback (most recent call last):", "Traceback (most recent call last):" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena = { 0 };
        struct sv line = failure_line(sv(cases[i].message), &arena);

        if (!sv_is(line, cases[i].line))
            fail_msg("case %zu: \"%.*s\", not \"%s\"", i, SV_FMT(line), cases[i].line);
        arena_release(&arena);
    }
    assert_null(failure_line((struct sv){ 0 }, NULL).p);
}

static void what_differs_from_task_to_task_does_not_count(void **state)
{
    static const struct {
        const char *line, *key;
    } cases[] = {
        { "", "" },
        { "disk is full", "disk is full" },
        { "Lost task 1.2 in stage 4.0 (TID 10)", "Lost task # in stage # (TID #)" },
        { "File file:/tmp/_temporary/0/attempt_2026_0004_m_03.parquet exists",
          "File / exists" },
        { "no file s3a://bucket/a,/b/c", "no file /,/" },
        { "fetch from ip-10-0-1-7.local:7337", "fetch from ip-#.local:#" },
        { "fetch from 10.0.1.7:7337", "fetch from #" },
        { "block 3f2a9c1e-77aa-4c1b-beef-001122334455 lost", "block # lost" },
        { "application_1700000000000_0042 was killed", "application_# was killed" },
        { "column 'amount' is null", "column 'amount' is null" },
        { "int() with base 10: 'x9'", "int() with base #: '#'" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct strbuf key = { 0 };

        failure_key(sv(cases[i].line), &key);
        if (!sv_is(strbuf_sv(&key), cases[i].key))
            fail_msg("\"%s\" became \"%s\", not \"%s\"", cases[i].line, key.p, cases[i].key);
        strbuf_release(&key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_telling_line_is_found),
        cmocka_unit_test(what_differs_from_task_to_task_does_not_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
