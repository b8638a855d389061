/* The scanner accepts what cJSON accepts and nothing else. */
#include "tests/fuzz/scan_oracle.h"
#include "tests/unit/log_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void agree(const char *text, size_t len, const char *what)
{
    bool want = oracle_valid(text, len);

    for (size_t i = 0; decode_isas[i]; i++)
        if (decode_isas[i]->supported() && decode_isas[i]->valid(text, len) != want)
            fail_msg("%s: %s says %d of: %.*s", what, decode_isas[i]->name, !want,
                     (int)(len > 300 ? 300 : len), text);
}

static const struct nasty {
    const char *text;
    bool valid;
} nasties[] = {
    /* blanks */
    { "", false },
    { " ", false },
    { " \t\r\n1\x01\x1F ", true },
    { "1 \x7F", false },
    { "[1\x0B,\x0C 2]", true },
    /* numbers: what strtod takes whole */
    { "0", true },
    { "-0", true },
    { "007", true },
    { "1.", true },
    { "-.5", true },
    { ".5", false },
    { "+1", false },
    { "-", false },
    { "-.", false },
    { "--1", false },
    { "1e5", true },
    { "1E-5", true },
    { "1e+", false },
    { "1e", false },
    { "1.5.2", false },
    { "1-2", false },
    { "[1e5,2.5e-3]", true },
    { "0x10", false },
    { "1e999999999999999999999", true },
    { "1234567890123456", true },
    { "12345678901234567", true },
    { "123456789012345678901234567890123", true },
    { "1234567890123456789012345678901234567890123456789012345678901234567890", true },
    { "[1234567890123456789012345678901234567890123456789012345678901234567890x]",
      false },
    { "NaN", false },
    { "-Infinity", false },
    /* words */
    { "true", true },
    { "[true,false,null]", true },
    { "tru", false },
    { "truefalse", false },
    { "nulll", false },
    { "True", false },
    /* strings */
    { "\"\"", true },
    { "\"", false },
    { "\"a", false },
    { "\"\x01\x1F\t\"", true },
    { "\"\x80\xFF\"", true },
    { "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", true },
    { "\"\\x\"", false },
    { "\"\\", false },
    { "\"\\\"", false },
    { "\"\\u0041\\u00E9\\u20ac\"", true },
    { "\"\\uD83D\\uDE00\"", true },
    { "\"\\uD83D\"", false },
    { "\"\\uDE00\"", false },
    { "\"\\uD83D\\u0041\"", false },
    { "\"\\uD83Dx\"", false },
    { "\"\\u0000\"", true },
    /* four bytes that are no number are taken for U+0000 ... */
    { "\"\\uZZZZ\"", true },
    { "\"\\u12\\\"3\"", true },
    { "\"\\u12\\x3\"", true },
    { "\"\\u12\"", false },
    { "\"\\u\"", false },
    /* ... and may begin an escape that ends behind the string */
    { "\"\\u123\\\\\"", true },
    { "\"\\u123\\\\\",1", false },
    { "\"\\u12\\\\\"", true },
    { "\"\\uZZZ\\u0041\"", true },
    { "\"\\uZZZ\\\\u0041\"", true },
    { "\"\\uZZZ\\\\n\"", true },
    { "\"\\uZZZ\\\\x\"", false },
    /* 32 and more bytes, with the end, an escape or a control near the border */
    { "\"0123456789012345678901234567890\"", true },
    { "\"01234567890123456789012345678901\"", true },
    { "\"012345678901234567890123456789\\n\"", true },
    { "\"0123456789012345678901234567890\\n\"", true },
    { "\"01234567890123456789012345678901\\x\"", false },
    { "\"012345678901234567890123456789012345678901234567890123456789012\\\"\"", true },
    { "\"012345678901234567890123456789012345678901234567890123456789012\\\"", false },
    /* arrays and objects */
    { "[]", true },
    { "[ ]", true },
    { "[", false },
    { "]", false },
    { "[1", false },
    { "[1,", false },
    { "[1,]", false },
    { "[,1]", false },
    { "[1 2]", false },
    { "[1}", false },
    { "{}", true },
    { "{ }", true },
    { "{", false },
    { "{]", false },
    { "{\"a\"}", false },
    { "{\"a\":}", false },
    { "{\"a\":1", false },
    { "{\"a\":1,", false },
    { "{\"a\":1,}", false },
    { "{a:1}", false },
    { "{1:1}", false },
    { "{\"a\":1,\"a\":2}", true },
    { "{\"a\" : 1 , \"b\" : [ { } ] }", true },
    { "{\"a\":1 \"b\":2}", false },
    { "{\"a\"::1}", false },
    { "{} {}", false },
    { "[][]", false },
    /* byte order marks: only before five bytes and more */
    { "\xEF\xBB\xBF"
      "1",
      false },
    { "\xEF\xBB\xBF"
      "12",
      true },
    { "\xEF\xBB\xBF"
      "{}",
      true },
    { "\xEF\xBB\xBF\xEF\xBB\xBF{}", false },
    { " \xEF\xBB\xBF{}", false },
};

static void nasty_texts_are_judged_as_by_cjson(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(nasties); i++) {
        size_t len = strlen(nasties[i].text);
        char text[256];

        if (oracle_valid(nasties[i].text, len) != nasties[i].valid)
            fail_msg("cJSON thinks otherwise of %s", nasties[i].text);
        for (size_t at = 0; at < 64; at++) {
            memset(text, at % 2 ? '"' : '9', sizeof text);
            memcpy(text + at, nasties[i].text, len);
            agree(text + at, len, "nasty");
        }
    }
}

static void nuls_are_blanks_and_text(void **state)
{
    static const char blanks[] = "\0{\0\"a\0\":\0001\0}\0", word[] = "tr\0ue";

    (void)state;
    agree(blanks, sizeof blanks - 1, "NUL");
    agree(word, sizeof word - 1, "NUL");
    assert_true(decode_isa_best()->valid(blanks, sizeof blanks - 1));
    assert_false(decode_isa_best()->valid(word, sizeof word - 1));
}

static void nesting_ends_at_a_thousand(void **state)
{
    (void)state;
    for (size_t depth = 998; depth <= 1002; depth++) {
        for (int object = 0; object <= 1; object++) {
            struct strbuf text = { 0 };
            size_t len;

            for (size_t i = 0; i < depth; i++)
                strbuf_addz(&text, object ? "{\"\":" : "[");
            strbuf_addc(&text, '1');
            strbuf_fill(&text, object ? '}' : ']', depth);
            len = text.len;
            strbuf_fill(&text, ' ', DECODE_PADDING);
            agree(text.p, len, "nesting");
            assert_int_equal(decode_isa_best()->valid(text.p, len), depth <= 1000);
            strbuf_release(&text);
        }
    }
}

/* Every beginning of a line that uses all of the grammar. */
static void every_cut_is_judged_as_by_cjson(void **state)
{
    static const char line[] =
        " {\"a\":[1,-2.5e+3,true,false,null,{}],\"long enough a key to cross a block\":"
        "\"caf\xC3\xA9 \\u00e9 \\ud83d\\ude00 \\\\ \\\" \\/ \\b\\f\\n\\r\\t and on it "
        "goes\","
        "\"o\":{\"p\":{\"q\":[[],[[]]]}} , \"z\" : 12345678901234567890 }\r";
    char text[512];

    (void)state;
    for (size_t len = 0; len < sizeof line; len++) {
        memset(text, 'x', sizeof text);
        memcpy(text, line, len);
        agree(text, len, "cut");
    }
}

static void check_lines(const char *path, const char *text, size_t len)
{
    char *copy = NULL;
    size_t cap = 0, n = 0;

    for (const char *p = text, *end = text + len; p < end; n++) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        size_t line_len = (size_t)((nl ? nl : end) - p), at = n % 64;

        if (line_len + 64 + DECODE_PADDING > cap) {
            cap = (line_len + 64 + DECODE_PADDING) * 2;
            copy = xrealloc(copy, cap);
        }
        memcpy(copy + at, p, line_len);
        memset(copy + at + line_len, '"', DECODE_PADDING);
        agree(copy + at, line_len, path);
        if (line_len && n % 8 == 0) { /* broken somewhere */
            copy[at + (n * 7919) % line_len] ^= (char)(1 << n % 7);
            agree(copy + at, line_len, path);
            agree(copy + at, (n * 104729) % line_len, path);
        }
        p += line_len + (nl != NULL);
    }
    free(copy);
}

static void lines_of_real_logs_are_judged_as_by_cjson(void **state)
{
    (void)state;
    if (each_log(check_lines) == 0)
        skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nasty_texts_are_judged_as_by_cjson),
        cmocka_unit_test(nuls_are_blanks_and_text),
        cmocka_unit_test(nesting_ends_at_a_thousand),
        cmocka_unit_test(every_cut_is_judged_as_by_cjson),
        cmocka_unit_test(lines_of_real_logs_are_judged_as_by_cjson),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
