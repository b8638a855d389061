/* Text that is the same from run to run. */
#include "analyzer/pair.h"

#include "base/strbuf.h"

#include <string.h>

#define HEX_MIN 8 /* fewer hex digits may well be a word: "added", "face" */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (unsigned char)c >= 0x80;
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* 8-4-4-4-12 */
static bool is_uuid(struct sv s)
{
    if (s.len < 36)
        return false;
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? s.p[i] != '-' : !is_hex(s.p[i]))
            return false;
    }
    return s.len == 36 || !is_word(s.p[36]);
}

static bool is_hex_word(struct sv word)
{
    bool digit = false;

    for (size_t i = 0; i < word.len; i++) {
        if (!is_hex(word.p[i]))
            return false;
        digit |= is_digit(word.p[i]);
    }
    return digit && word.len >= HEX_MIN;
}

static void add_word(struct strbuf *out, struct sv word)
{
    for (size_t i = 0; i < word.len; i++) {
        if (!is_digit(word.p[i])) {
            strbuf_addc(out, word.p[i]);
            continue;
        }
        strbuf_addc(out, '#');
        while (i + 1 < word.len && is_digit(word.p[i + 1]))
            i++;
    }
}

void pair_normalise(struct strbuf *out, struct sv text)
{
    for (size_t i = 0; i < text.len;) {
        size_t end = i;

        while (end < text.len && is_word(text.p[end]))
            end++;
        struct sv word = { text.p + i, end - i };

        if (word.len == 0) {
            strbuf_addc(out, text.p[i++]);
            continue;
        }
        if (is_uuid(sv_from(text, i))) {
            strbuf_addc(out, '#');
            end = i + 36;
        } else if (i && text.p[i - 1] == '#' && is_digit(word.p[0])) {
            ; /* an expression id: "user_id#267L" is "user_id#" */
        } else if (i && text.p[i - 1] == '/' &&
                   (sv_starts(word, SV("tmp")) || sv_starts(word, SV("temp"))) &&
                   word.len > 4) {
            strbuf_addz(out, "tmp#");
        } else if (is_hex_word(word)) {
            strbuf_addc(out, '#');
        } else {
            add_word(out, word);
        }
        i = end;
    }
}
