/* Text by its characters: length, case, cutting, filling, trimming. */
#include "engine/expr/func_list.h"
#include "engine/expr/text.h"

#include "base/utf8.h"

#include <assert.h>
#include <locale.h>
#include <pthread.h>
#include <wctype.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* ---- characters ---- */

uint32_t text_code(struct sv s, size_t *bytes)
{
    size_t n = utf8_char(s);

    *bytes = n ? n : 1;
    return n ? utf8_code(s.p, n) : 0xfffd;
}

size_t text_encode(char *to, uint32_t code)
{
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (char)(0xc0 | code >> 6);
        to[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        to[0] = (char)(0xe0 | code >> 12);
        to[1] = (char)(0x80 | (code >> 6 & 0x3f));
        to[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | code >> 18);
    to[1] = (char)(0x80 | (code >> 12 & 0x3f));
    to[2] = (char)(0x80 | (code >> 6 & 0x3f));
    to[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

/* The C library has Unicode's tables in this locale, whatever the user's is. */
static locale_t unicode;

static void open_locale(void)
{
    unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

static locale_t unicode_locale(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, open_locale);
    return unicode;
}

uint32_t text_upper(uint32_t code)
{
    locale_t l = unicode_locale();

    return l ? (uint32_t)towupper_l((wint_t)code, l) : code;
}

uint32_t text_lower(uint32_t code)
{
    locale_t l = unicode_locale();

    return l ? (uint32_t)towlower_l((wint_t)code, l) : code;
}

#ifdef __SSE2__ /* what every x86-64 has */
/* Sixteen places at a time: where the needle's first and last byte are. The last step
 * overlaps the one before, so that nothing behind the end is read. There are at least 16
 * places, and the needle has two bytes or more. */
static size_t find_by_ends(const char *p, size_t len, struct sv needle)
{
    const __m128i first = _mm_set1_epi8(needle.p[0]);
    const __m128i last = _mm_set1_epi8(needle.p[needle.len - 1]);
    size_t places = len - needle.len + 1;

    for (size_t i = 0;;) {
        __m128i a = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i b =
            _mm_loadu_si128((const __m128i *)(const void *)(p + i + needle.len - 1));
        int both = _mm_movemask_epi8(
            _mm_and_si128(_mm_cmpeq_epi8(a, first), _mm_cmpeq_epi8(b, last)));

        for (; both; both &= both - 1) {
            size_t at = i + (size_t)__builtin_ctz((unsigned)both);

            if (memcmp(p + at + 1, needle.p + 1, needle.len - 2) == 0)
                return at;
        }
        if (i + 16 >= places)
            return SIZE_MAX;
        i = i + 32 <= places ? i + 16 : places - 16;
    }
}
#endif

size_t text_find(struct sv s, struct sv needle, size_t from)
{
    if (from > s.len)
        return SIZE_MAX;
    if (!needle.len)
        return from;
#ifdef __SSE2__
    if (needle.len >= 2 && s.len - from >= needle.len + 15) {
        size_t found = find_by_ends(s.p + from, s.len - from, needle);

        return found == SIZE_MAX ? SIZE_MAX : from + found;
    }
#endif
    const char *at = memmem(s.p + from, s.len - from, needle.p, needle.len);
    return at ? (size_t)(at - s.p) : SIZE_MAX;
}

/* ---- length ---- */

static enum errc bind_length(struct func_bind *b, struct err *err)
{
    TRY(func_bind_sig(b, "t:i", err));
    return ERR_OK;
}

static enum errc run_length(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0);
    int32_t *to = c->out->data;
    bool binary = v->type.id == TYPE_BINARY;

    (void)err;
    EACH_VALID_ROW(c, row)
    {
        struct sv s = arg_sv(v, row);

        to[row] = (int32_t)(binary ? (int64_t)s.len : count_chars(s));
    }
    return ERR_OK;
}

static enum errc run_octets(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0);

    (void)err;
    EACH_VALID_ROW(c, row)
    ((int32_t *)c->out->data)[row] = (int32_t)arg_sv(v, row).len;
    return ERR_OK;
}

static enum errc run_bits(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0);

    (void)err;
    EACH_VALID_ROW(c, row)
    ((int32_t *)c->out->data)[row] = (int32_t)arg_sv(v, row).len * 8;
    return ERR_OK;
}

/* ---- case ---- */

enum letter_case { UPPER, LOWER, TITLE };

static void case_ascii(char *to, struct sv s, enum letter_case how)
{
    bool start = true;

    for (size_t i = 0; i < s.len; i++) {
        unsigned char ch = (unsigned char)s.p[i];
        bool up = how == UPPER || (how == TITLE && start);

        if (up && ch >= 'a' && ch <= 'z')
            ch = (unsigned char)(ch - 32);
        else if (!up && ch >= 'A' && ch <= 'Z')
            ch = (unsigned char)(ch + 32);
        to[i] = (char)ch;
        start = ch == ' ';
    }
}

/* One character may become longer: three times the bytes are room enough. */
static size_t case_unicode(char *to, struct sv s, enum letter_case how)
{
    size_t n = 0, bytes;
    bool start = true;

    for (size_t i = 0; i < s.len; i += bytes) {
        uint32_t code = text_code(sv_from(s, i), &bytes);
        bool up = how == UPPER || (how == TITLE && start);

        if (code == 0xdf && how == UPPER) { /* sharp s */
            memcpy(to + n, "SS", 2);
            n += 2;
        } else {
            n += text_encode(to + n, up ? text_upper(code) : text_lower(code));
        }
        start = code == ' ';
    }
    return n;
}

static enum errc case_rows(struct eval_call *c, enum letter_case how)
{
    const struct vec *v = eval_flat(c, 0);

    EACH_VALID_ROW(c, row)
    {
        struct sv s = arg_sv(v, row);
        bool ascii = is_ascii(s);
        char small[STR_INLINE];
        char *to = ascii && s.len <= STR_INLINE ? small
                                                : text_room(c, ascii ? s.len : s.len * 3);

        if (ascii)
            case_ascii(to, s, how);
        text_put(c, row, (struct sv){ to, ascii ? s.len : case_unicode(to, s, how) });
    }
    return ERR_OK;
}

static enum errc run_upper(struct eval_call *c, struct err *err)
{
    (void)err;
    return case_rows(c, UPPER);
}

static enum errc run_lower(struct eval_call *c, struct err *err)
{
    (void)err;
    return case_rows(c, LOWER);
}

static enum errc run_initcap(struct eval_call *c, struct err *err)
{
    (void)err;
    return case_rows(c, TITLE);
}

/* ---- substring ---- */

/* Positions count from 1, or from the end where negative; 0 is 1. */
static struct sv substring(struct sv s, int64_t pos, int64_t len)
{
    int64_t from = pos > 0 ? pos - 1 : pos < 0 ? count_chars(s) + pos : 0;

    return chars_between(s, from, from + len);
}

static struct sv subbytes(struct sv s, int64_t pos, int64_t len)
{
    int64_t n = (int64_t)s.len;
    int64_t from = pos > 0 ? pos - 1 : pos < 0 ? n + pos : 0;
    int64_t until = from + len;

    if (from < 0)
        from = 0;
    if (until > n)
        until = n;
    if (from >= until)
        return (struct sv){ s.p, 0 };
    return (struct sv){ s.p + from, (size_t)(until - from) };
}

static enum errc run_substring(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0), *p = eval_flat(c, 1);
    const struct vec *l = c->n_args > 2 ? eval_flat(c, 2) : NULL;
    bool binary = v->type.id == TYPE_BINARY;

    (void)err;
    EACH_VALID_ROW(c, row)
    {
        int64_t pos = ARG_AT(int32_t, p, row);
        int64_t len = l ? ARG_AT(int32_t, l, row) : INT32_MAX;
        struct sv s = arg_sv(v, row);

        text_put(c, row, binary ? subbytes(s, pos, len) : substring(s, pos, len));
    }
    return ERR_OK;
}

static enum errc run_left(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0), *n = eval_flat(c, 1);

    (void)err;
    EACH_VALID_ROW(c, row)
    text_put(c, row, substring(arg_sv(v, row), 1, ARG_AT(int32_t, n, row)));
    return ERR_OK;
}

static enum errc run_right(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0), *n = eval_flat(c, 1);

    (void)err;
    EACH_VALID_ROW(c, row)
    {
        int64_t k = ARG_AT(int32_t, n, row);
        struct sv s = arg_sv(v, row);

        text_put(c, row, k <= 0 ? sv_from(s, s.len) : substring(s, -k, INT32_MAX));
    }
    return ERR_OK;
}

/* ---- trim ---- */

static bool among(struct sv chars, const char *p, size_t len)
{
    size_t n;

    for (size_t i = 0; i < chars.len; i += n) {
        n = char_bytes(chars.p + i, chars.len - i);
        if (n == len && memcmp(chars.p + i, p, n) == 0)
            return true;
    }
    return false;
}

static struct sv trim_left(struct sv s, struct sv chars)
{
    while (s.len) {
        size_t n = char_bytes(s.p, s.len);

        if (!among(chars, s.p, n))
            break;
        s = sv_from(s, n);
    }
    return s;
}

static struct sv trim_right(struct sv s, struct sv chars)
{
    while (s.len) {
        size_t n = 1;

        while (n < s.len && n < 4 && ((unsigned char)s.p[s.len - n] & 0xc0) == 0x80)
            n++;
        if (!among(chars, s.p + s.len - n, n))
            break;
        s.len -= n;
    }
    return s;
}

enum { LEFT = 1, RIGHT = 2 };

/* Blanks only where nothing is said: tabs and newlines stay. */
static enum errc trim_rows(struct eval_call *c, int sides, uint32_t subject)
{
    const struct vec *v = eval_flat(c, c->n_args > 1 ? subject : 0);
    const struct vec *t = c->n_args > 1 ? eval_flat(c, 1 - subject) : NULL;

    EACH_VALID_ROW(c, row)
    {
        struct sv s = arg_sv(v, row), chars = t ? arg_sv(t, row) : SV(" ");

        if (sides & LEFT)
            s = trim_left(s, chars);
        if (sides & RIGHT)
            s = trim_right(s, chars);
        text_put(c, row, s);
    }
    return ERR_OK;
}

/* trim(characters, text), as TRIM(characters FROM text) is read. */
static enum errc run_trim(struct eval_call *c, struct err *err)
{
    (void)err;
    return trim_rows(c, LEFT | RIGHT, 1);
}

static enum errc run_ltrim(struct eval_call *c, struct err *err)
{
    (void)err;
    return trim_rows(c, LEFT, 1);
}

static enum errc run_rtrim(struct eval_call *c, struct err *err)
{
    (void)err;
    return trim_rows(c, RIGHT, 1);
}

static enum errc run_btrim(struct eval_call *c, struct err *err)
{
    (void)err;
    return trim_rows(c, LEFT | RIGHT, 0);
}

/* ---- filling ---- */

static enum errc pad_rows(struct eval_call *c, bool left)
{
    const struct vec *v = eval_flat(c, 0), *n = eval_flat(c, 1);
    const struct vec *f = c->n_args > 2 ? eval_flat(c, 2) : NULL;

    EACH_VALID_ROW(c, row)
    {
        struct sv s = arg_sv(v, row), fill = f ? arg_sv(f, row) : SV(" ");
        int64_t want = ARG_AT(int32_t, n, row), have = count_chars(s);

        if (want < 0)
            want = 0;
        if (have >= want || !fill.len) {
            text_put(c, row, chars_between(s, 0, want));
            continue;
        }
        int64_t missing = want - have, each = count_chars(fill);
        struct sv part = chars_between(fill, 0, missing % each);
        size_t bytes = (size_t)(missing / each) * fill.len + part.len;
        char *to = text_room(c, bytes + s.len), *at = to;

        if (!left) {
            memcpy(at, s.p, s.len);
            at += s.len;
        }
        for (int64_t i = 0; i < missing / each; i++, at += fill.len)
            memcpy(at, fill.p, fill.len);
        memcpy(at, part.p, part.len);
        if (left)
            memcpy(at + part.len, s.p, s.len);
        text_put(c, row, (struct sv){ to, bytes + s.len });
    }
    return ERR_OK;
}

static enum errc run_lpad(struct eval_call *c, struct err *err)
{
    (void)err;
    return pad_rows(c, true);
}

static enum errc run_rpad(struct eval_call *c, struct err *err)
{
    (void)err;
    return pad_rows(c, false);
}

static enum errc repeat_rows(struct eval_call *c, const struct vec *v,
                             const struct vec *n, struct err *err)
{
    EACH_VALID_ROW(c, row)
    {
        struct sv s = v ? arg_sv(v, row) : SV(" ");
        int64_t times = ARG_AT(int32_t, n, row);

        if (times <= 0 || !s.len) {
            text_put(c, row, sv_from(s, s.len));
            continue;
        }
        if ((size_t)times > INT32_MAX / s.len)
            return err_set(err, ERR_LIMIT, "a text of more than 2 GB was asked for");
        char *to = text_room(c, s.len * (size_t)times);

        for (int64_t i = 0; i < times; i++)
            memcpy(to + (size_t)i * s.len, s.p, s.len);
        text_put(c, row, (struct sv){ to, s.len * (size_t)times });
    }
    return ERR_OK;
}

static enum errc run_repeat(struct eval_call *c, struct err *err)
{
    return repeat_rows(c, eval_flat(c, 0), eval_flat(c, 1), err);
}

static enum errc run_space(struct eval_call *c, struct err *err)
{
    return repeat_rows(c, NULL, eval_flat(c, 0), err);
}

static enum errc run_reverse(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0);

    (void)err;
    EACH_VALID_ROW(c, row)
    {
        struct sv s = arg_sv(v, row);
        char *to = text_room(c, s.len), *at = to + s.len;
        size_t n;

        for (size_t i = 0; i < s.len; i += n) {
            n = char_bytes(s.p + i, s.len - i);
            at -= n;
            memcpy(at, s.p + i, n);
        }
        text_put(c, row, (struct sv){ to, s.len });
    }
    return ERR_OK;
}

/* ---- what stands for others ---- */

static struct expr *call(struct arena *a, const struct settings *s, struct sv name,
                         struct expr **args, uint32_t n)
{
    struct expr *out;
    struct err err;
    enum errc rc = func_call(a, s, func_find(name), args, n, &out, &err);

    assert(rc == ERR_OK); /* arguments were bound before */
    (void)rc;
    return out;
}

static struct expr *replace_left(struct arena *a, const struct settings *s,
                                 const struct expr *e)
{
    struct expr *args[3] = { e->args[0], expr_literal(a, value_int(1)), e->args[1] };

    return call(a, s, SV("substring"), args, 3);
}

/* IF(x IS NULL, NULL, IF(n <= 0, '', substring(x, -n))) */
static struct expr *replace_right(struct arena *a, const struct settings *s,
                                  const struct expr *e)
{
    struct expr *x = e->args[0], *n = e->args[1];
    struct expr *args[3] = { x, call(a, s, SV("unaryminus"), &n, 1), NULL };

    args[2] = call(a, s, SV("substring"), args, 2);
    args[0] = n;
    args[1] = expr_literal(a, value_int(0));
    args[0] = call(a, s, SV("<="), args, 2);
    args[1] = expr_literal(a, value_string(SV("")));
    args[2] = call(a, s, SV("if"), args, 3);
    args[0] = call(a, s, SV("isnull"), &x, 1);
    args[1] = expr_literal(a, value_null(type_of(TYPE_STRING)));
    return call(a, s, SV("if"), args, 3);
}

static struct expr *replace_btrim(struct arena *a, const struct settings *s,
                                  const struct expr *e)
{
    struct expr *args[2] = { e->args[e->n_args - 1], e->args[0] };

    return call(a, s, SV("trim"), args, e->n_args);
}

/* "trim(t#1, Some(x))", "TRIM(BOTH x FROM t)"; what is cut is the first argument. */
static void print_trim(struct strbuf *out, const struct expr *e, enum expr_print how)
{
    const char *name = e->func->name;

    if (how == PRINT_PLAN) {
        strbuf_printf(out, "%s(", name);
        expr_print(out, e->args[e->n_args - 1], how);
        strbuf_addz(out, e->n_args > 1 ? ", Some(" : ", None");
        if (e->n_args > 1)
            expr_print(out, e->args[0], how);
        strbuf_addz(out, e->n_args > 1 ? "))" : ")");
        return;
    }
    if (e->n_args == 1) {
        expr_print_call(out, sv(name), e, how);
        return;
    }
    strbuf_printf(out, "TRIM(%s ",
                  name[0] == 'l'   ? "LEADING"
                  : name[0] == 'r' ? "TRAILING"
                                   : "BOTH");
    expr_print(out, e->args[0], how);
    strbuf_addz(out, " FROM ");
    expr_print(out, e->args[1], how);
    strbuf_addc(out, ')');
}

#define STRICT FUNC_NULL_INTOLERANT

const struct func string_funcs[] = {
    { .name = "length",
      .aliases = "char_length character_length len",
      .id = FUNC_LENGTH,
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT,
      .bind = bind_length,
      .run = run_length,
      .usage = "length(expr) - Characters of a text, bytes of a binary." },
    { .name = "octet_length",
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT,
      .sig = "t:i",
      .run = run_octets,
      .usage = "octet_length(expr) - Bytes of a text or binary." },
    { .name = "bit_length",
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT,
      .sig = "t:i",
      .run = run_bits,
      .usage = "bit_length(expr) - Bits of a text or binary." },
    { .name = "upper",
      .aliases = "ucase",
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT,
      .sig = "s:s",
      .run = run_upper,
      .usage = "upper(str) - In upper case." },
    { .name = "lower",
      .aliases = "lcase",
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT,
      .sig = "s:s",
      .run = run_lower,
      .usage = "lower(str) - In lower case." },
    { .name = "initcap",
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT,
      .sig = "s:s",
      .run = run_initcap,
      .usage = "initcap(str) - First letters of words in upper case, others in lower." },
    { .name = "substring",
      .aliases = "substr",
      .min_args = 2,
      .max_args = 3,
      .flags = STRICT,
      .sig = "tii:1",
      .fill = "i2147483647",
      .run = run_substring,
      .usage = "substring(str, pos[, len]) - From position `pos`, counted from 1." },
    { .name = "left",
      .min_args = 2,
      .max_args = 2,
      .flags = STRICT,
      .sig = "si:s",
      .run = run_left,
      .replace = replace_left,
      .usage = "left(str, len) - The first `len` characters." },
    { .name = "right",
      .min_args = 2,
      .max_args = 2,
      .flags = STRICT,
      .sig = "si:s",
      .run = run_right,
      .replace = replace_right,
      .usage = "right(str, len) - The last `len` characters." },
    { .name = "trim",
      .min_args = 1,
      .max_args = 2,
      .flags = STRICT,
      .sig = "ss:s",
      .run = run_trim,
      .print = print_trim,
      .usage = "trim([chars FROM] str) - Without blanks, or chars, at both ends." },
    { .name = "ltrim",
      .min_args = 1,
      .max_args = 2,
      .flags = STRICT,
      .sig = "ss:s",
      .run = run_ltrim,
      .print = print_trim,
      .usage = "ltrim(str) - Without blanks at its beginning." },
    { .name = "rtrim",
      .min_args = 1,
      .max_args = 2,
      .flags = STRICT,
      .sig = "ss:s",
      .run = run_rtrim,
      .print = print_trim,
      .usage = "rtrim(str) - Without blanks at its end." },
    { .name = "btrim",
      .min_args = 1,
      .max_args = 2,
      .flags = STRICT,
      .sig = "ss:s",
      .run = run_btrim,
      .replace = replace_btrim,
      .usage = "btrim(str[, chars]) - Without blanks, or chars, at both ends." },
    { .name = "lpad",
      .min_args = 2,
      .max_args = 3,
      .flags = STRICT,
      .sig = "sis:s",
      .fill = "s ",
      .run = run_lpad,
      .usage = "lpad(str, len[, pad]) - Filled on the left, or cut, to `len`." },
    { .name = "rpad",
      .min_args = 2,
      .max_args = 3,
      .flags = STRICT,
      .sig = "sis:s",
      .fill = "s ",
      .run = run_rpad,
      .usage = "rpad(str, len[, pad]) - Filled on the right, or cut, to `len`." },
    { .name = "repeat",
      .min_args = 2,
      .max_args = 2,
      .flags = STRICT,
      .sig = "si:s",
      .run = run_repeat,
      .usage = "repeat(str, n) - n times after each other." },
    { .name = "space",
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT,
      .sig = "i:s",
      .run = run_space,
      .usage = "space(n) - n blanks." },
    { .name = "reverse",
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT,
      .sig = "s:s",
      .run = run_reverse,
      .usage = "reverse(str) - Its characters backwards." },
    { 0 },
};
