/* Values written in another way: hexadecimal, base 64, other bases, character sets,
 * formatted numbers, printf. */
#include "engine/column/number.h"
#include "engine/expr/func_list.h"
#include "engine/expr/text.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- hexadecimal, binary, other bases ---- */

/* Numbers as bigint, text and binary as they are. */
static enum errc bind_hex(struct func_bind *b, struct err *err)
{
    if (type_is_text(b->args[0]->type))
        b->type = type_of(TYPE_STRING);
    else
        return func_bind_sig(b, "l:s", err);
    return ERR_OK;
}

static enum errc run_hex(struct eval_call *c, struct err *err)
{
    static const char digits[] = "0123456789ABCDEF";
    const struct vec *v = eval_flat(c, 0);

    (void)err;
    EACH_VALID_ROW(c, row)
    {
        if (!type_is_text(v->type)) {
            char to[24];
            int n = snprintf(to, sizeof to, "%llX",
                             (unsigned long long)ARG_AT(int64_t, v, row));

            text_copy(c, row, (struct sv){ to, (size_t)n });
            continue;
        }
        struct sv s = arg_sv(v, row);
        char *to = text_room(c, s.len * 2);
        for (size_t i = 0; i < s.len; i++) {
            to[2 * i] = digits[(unsigned char)s.p[i] >> 4];
            to[2 * i + 1] = digits[s.p[i] & 15];
        }
        text_put(c, row, (struct sv){ to, s.len * 2 });
    }
    return ERR_OK;
}

/* An odd number of digits has a 0 before them. */
static enum errc run_unhex(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0);

    (void)err;
    EACH_VALID_ROW(c, row)
    {
        struct sv s = arg_sv(v, row);
        char *to = text_room(c, s.len / 2 + 1);
        size_t n = 0;
        int high = 0;

        for (size_t i = 0; i < s.len; i++) {
            int digit = hex_digit(s.p[i]);

            if (digit < 0)
                c->out->valid[row] = 0;
            if ((s.len - i) % 2 == 0)
                high = digit;
            else
                to[n++] = (char)((high & 15) << 4 | (digit & 15));
        }
        text_put(c, row, (struct sv){ to, n });
    }
    return ERR_OK;
}

static enum errc run_bin(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0);

    (void)err;
    EACH_VALID_ROW(c, row)
    {
        uint64_t x = (uint64_t)ARG_AT(int64_t, v, row);
        char to[64];
        size_t n = 64;

        do
            to[--n] = (char)('0' + (x & 1));
        while (x >>= 1);
        text_copy(c, row, (struct sv){ to + n, 64 - n });
    }
    return ERR_OK;
}

static int digit_of(char ch, int base)
{
    int d = isdigit((unsigned char)ch)   ? ch - '0'
            : isalpha((unsigned char)ch) ? (ch | 32) - 'a' + 10
                                         : 99;

    return d < base ? d : -1;
}

/* The digits that there are; beyond 64 bits all bits are set. */
static uint64_t read_digits(struct sv s, int base)
{
    uint64_t x = 0;

    for (size_t i = 0; i < s.len; i++) {
        int d = digit_of(s.p[i], base);

        if (d < 0)
            break;
        if (__builtin_mul_overflow(x, (uint64_t)base, &x) ||
            __builtin_add_overflow(x, (uint64_t)d, &x))
            return UINT64_MAX;
    }
    return x;
}

/* Negative target bases mean signed numbers. Returns the digits' number; 0: NULL. */
static size_t convert(struct sv s, int from, int to, char out[72])
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t n = 72;
    bool minus = false;

    while (s.len && s.p[0] == ' ')
        s = sv_from(s, 1);
    while (s.len && s.p[s.len - 1] == ' ')
        s.len--;
    if (!s.len || from < 2 || from > 36 || abs(to) < 2 || abs(to) > 36)
        return 0;
    if (s.p[0] == '-') {
        minus = true;
        s = sv_from(s, 1);
    }
    uint64_t x = read_digits(s, from);
    if (minus && to > 0)
        x = (int64_t)x < 0 ? UINT64_MAX : 0 - x;
    if (to < 0 && (int64_t)x < 0) {
        x = 0 - x;
        minus = true;
    }
    uint64_t base = (uint64_t)abs(to);
    do
        out[--n] = digits[x % base];
    while (x /= base);
    if (minus && to < 0)
        out[--n] = '-';
    memmove(out, out + n, 72 - n);
    return 72 - n;
}

static enum errc run_conv(struct eval_call *c, struct err *err)
{
    (void)err;
    flatten_all(c);
    EACH_VALID_ROW(c, row)
    {
        char to[72];
        size_t n = convert(arg_sv(&c->args[0], row), ARG_AT(int32_t, &c->args[1], row),
                           ARG_AT(int32_t, &c->args[2], row), to);

        if (n)
            text_copy(c, row, (struct sv){ to, n });
        else
            c->out->valid[row] = 0;
    }
    return ERR_OK;
}

/* ---- base 64 ---- */

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Lines of 76 characters, as MIME wants them. */
static enum errc run_base64(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0);

    (void)err;
    EACH_VALID_ROW(c, row)
    {
        struct sv s = arg_sv(v, row);
        size_t n = 0, groups = (s.len + 2) / 3;
        char *to = text_room(c, groups * 4 + groups / 19 * 2 + 2);

        for (size_t i = 0; i < s.len; i += 3) {
            size_t left = s.len - i;
            uint32_t x = (uint32_t)(unsigned char)s.p[i] << 16;

            x |= left > 1 ? (uint32_t)(unsigned char)s.p[i + 1] << 8 : 0;
            x |= left > 2 ? (uint32_t)(unsigned char)s.p[i + 2] : 0;
            if (i && i % 57 == 0) {
                to[n++] = '\r';
                to[n++] = '\n';
            }
            to[n++] = base64_digits[x >> 18];
            to[n++] = base64_digits[x >> 12 & 63];
            to[n++] = left > 1 ? base64_digits[x >> 6 & 63] : '=';
            to[n++] = left > 2 ? base64_digits[x & 63] : '=';
        }
        text_put(c, row, (struct sv){ to, n });
    }
    return ERR_OK;
}

/* What is no digit is passed over, as a MIME decoder does. False: the end is cut off. */
static bool decode64(struct sv s, char *to, size_t *len)
{
    uint32_t x = 0, bits = 0;
    size_t n = 0, digits = 0;

    for (size_t i = 0; i < s.len && s.p[i] != '='; i++) {
        const char *at = s.p[i] ? strchr(base64_digits, s.p[i]) : NULL;

        if (!at)
            continue;
        digits++;
        x = x << 6 | (uint32_t)(at - base64_digits);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            to[n++] = (char)(x >> bits);
        }
    }
    *len = n;
    return digits % 4 != 1;
}

static enum errc run_unbase64(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0);

    EACH_VALID_ROW(c, row)
    {
        struct sv s = arg_sv(v, row);
        char *to = text_room(c, s.len);
        size_t n;

        if (!decode64(s, to, &n))
            return err_set(err, ERR_SYNTAX,
                           "[CONVERSION_INVALID_INPUT] The value '%.*s' (\"STRING\") "
                           "cannot be converted to \"BINARY\" because it is malformed.",
                           SV_FMT(s));
        text_put(c, row, (struct sv){ to, n });
    }
    return ERR_OK;
}

/* ---- single characters ---- */

static enum errc run_ascii(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0);

    (void)err;
    EACH_VALID_ROW(c, row)
    {
        struct sv s = arg_sv(v, row);
        size_t n;

        ((int32_t *)c->out->data)[row] = s.len ? (int32_t)text_code(s, &n) : 0;
    }
    return ERR_OK;
}

/* The low byte as a character of Latin-1. */
static enum errc run_chr(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0);

    (void)err;
    EACH_VALID_ROW(c, row)
    {
        int64_t x = ARG_AT(int64_t, v, row);
        char to[4];

        text_put(c, row,
                 (struct sv){ to, x < 0 ? 0 : text_encode(to, (uint32_t)(x & 0xff)) });
    }
    return ERR_OK;
}

/* ---- character sets ---- */

enum charset { UTF8, ASCII, LATIN1, UTF16, UTF16BE, UTF16LE, NO_CHARSET };

static enum charset charset_of(struct sv name)
{
    static const char *const names[] = { "utf-8",  "us-ascii", "iso-8859-1",
                                         "utf-16", "utf-16be", "utf-16le" };
    enum charset k = UTF8;

    while (k < NO_CHARSET && !(name.len == strlen(names[k]) &&
                               strncasecmp(name.p, names[k], name.len) == 0))
        k++;
    return k;
}

static void add_unit(struct strbuf *out, uint32_t unit, bool little)
{
    char high = (char)(unit >> 8), low = (char)unit;

    strbuf_addc(out, little ? low : high);
    strbuf_addc(out, little ? high : low);
}

static void encode_text(struct strbuf *out, struct sv s, enum charset to)
{
    size_t n;

    if (to == UTF8) {
        strbuf_add(out, s);
        return;
    }
    if (to == UTF16 && s.len)
        add_unit(out, 0xfeff, false);
    for (size_t i = 0; i < s.len; i += n) {
        uint32_t code = text_code(sv_from(s, i), &n);

        if (to == ASCII || to == LATIN1) {
            strbuf_addc(out, code < (to == ASCII ? 0x80 : 0x100) ? (char)code : '?');
        } else if (code < 0x10000) {
            add_unit(out, code, to == UTF16LE);
        } else {
            add_unit(out, 0xd800 + ((code - 0x10000) >> 10), to == UTF16LE);
            add_unit(out, 0xdc00 + ((code - 0x10000) & 0x3ff), to == UTF16LE);
        }
    }
}

static void add_code(struct strbuf *out, uint32_t code)
{
    char bytes[4];

    strbuf_add(out, (struct sv){ bytes, text_encode(bytes, code) });
}

static void decode_utf16(struct strbuf *out, struct sv s, bool little)
{
    uint32_t high = 0;

    for (size_t i = 0; i + 1 < s.len; i += 2) {
        uint32_t a = (unsigned char)s.p[i], b = (unsigned char)s.p[i + 1];
        uint32_t unit = little ? b << 8 | a : a << 8 | b;

        if (unit >= 0xd800 && unit < 0xdc00) {
            high = unit;
        } else if (unit >= 0xdc00 && unit < 0xe000 && high) {
            add_code(out, 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00));
            high = 0;
        } else {
            add_code(out, unit);
        }
    }
}

static void decode_text(struct strbuf *out, struct sv s, enum charset from)
{
    size_t n;

    switch (from) {
    case UTF8:
        for (size_t i = 0; i < s.len; i += n)
            add_code(out, text_code(sv_from(s, i), &n));
        break;
    case ASCII:
    case LATIN1:
        for (size_t i = 0; i < s.len; i++) {
            unsigned char ch = (unsigned char)s.p[i];

            add_code(out, from == ASCII && ch >= 0x80 ? 0xfffd : ch);
        }
        break;
    case UTF16: {
        bool marked =
            s.len >= 2 && (((unsigned char)s.p[0] ^ (unsigned char)s.p[1]) == 1);
        bool little = marked && (unsigned char)s.p[0] == 0xff;

        decode_utf16(out, marked ? sv_from(s, 2) : s, little);
        break;
    }
    case UTF16BE:
    case UTF16LE:
        decode_utf16(out, s, from == UTF16LE);
        break;
    case NO_CHARSET:
        break;
    }
}

static enum errc recode_rows(struct eval_call *c, bool encode, struct err *err)
{
    const struct vec *v = eval_flat(c, 0), *n = eval_flat(c, 1);

    EACH_VALID_ROW(c, row)
    {
        enum charset set = charset_of(arg_sv(n, row));
        struct strbuf text = { 0 };

        if (set == NO_CHARSET)
            return err_set(err, ERR_SYNTAX,
                           "[INVALID_PARAMETER_VALUE.CHARSET] The value of parameter(s) "
                           "`charset` in `%s` is invalid: '%.*s' is none of UTF-8, "
                           "US-ASCII, ISO-8859-1, UTF-16, UTF-16BE, UTF-16LE.",
                           encode ? "encode" : "decode", SV_FMT(arg_sv(n, row)));
        (encode ? encode_text : decode_text)(&text, arg_sv(v, row), set);
        text_copy(c, row, strbuf_sv(&text));
        strbuf_release(&text);
    }
    return ERR_OK;
}

static enum errc run_encode(struct eval_call *c, struct err *err)
{
    return recode_rows(c, true, err);
}

static enum errc run_decode(struct eval_call *c, struct err *err)
{
    return recode_rows(c, false, err);
}

/* decode(x, a, b, c, d, e) is CASE WHEN x <=> a THEN b WHEN x <=> c THEN d ELSE e. */
static bool decode_result(uint32_t i, uint32_t n)
{
    return i > 1 ? i % 2 == 0 || i + 1 == n : false;
}

static struct expr *replace_decode(struct arena *a, const struct settings *s,
                                   const struct expr *e)
{
    struct expr *to = expr_new(a, EXPR_CASE, e->n_args - 1);

    for (uint32_t i = 1; i < e->n_args; i++) {
        struct expr *pair[2] = { e->args[0], e->args[i] };

        to->args[i - 1] = decode_result(i, e->n_args)
                              ? e->args[i]
                              : func_must_call(a, s, FUNC_EQ_NULL_SAFE, pair, 2);
    }
    expr_settle(to);
    return to;
}

/* What decode() is with three arguments and more: a CASE. */
static const struct func decode_case = {
    .name = "decode",
    .min_args = 3,
    .max_args = 255,
    .flags = FUNC_MAYBE_NULL,
    .replace = replace_decode,
    .usage = "decode(expr, search, result [, search, result ...][, default])",
};

static enum errc bind_decode(struct func_bind *b, struct err *err)
{
    struct func_bind results = *b;
    struct expr *compared;
    uint32_t n = 0;

    if (b->n_args == 2)
        return func_bind_sig(b, "xs:s", err);
    results.args = arena_array(b->arena, b->n_args, sizeof *results.args);
    results.want = arena_array(b->arena, b->n_args, sizeof *results.want);
    for (uint32_t i = 1; i < b->n_args; i++) {
        struct expr *pair[2] = { b->args[0], b->args[i] };

        if (decode_result(i, b->n_args))
            results.args[n++] = b->args[i];
        else
            TRY(func_call(b->arena, b->settings, func_of(FUNC_EQ_NULL_SAFE), pair, 2,
                          &compared, err));
    }
    results.n_args = n;
    TRY(func_unify(&results, 0, &b->type, err));
    if (b->n_args % 2) /* the default that is missing is a NULL of text */
        (void)coerce_union(b->type, type_of(TYPE_STRING), &b->type);
    for (uint32_t i = 1; i < b->n_args; i++)
        if (decode_result(i, b->n_args))
            b->want[i] = b->type;
    b->func = &decode_case;
    return ERR_OK;
}

/* ---- format_number ---- */

/* What a pattern of DecimalFormat says: "#,##0.00". */
struct number_format {
    int min_whole, min_fraction, max_fraction, group;
};

static struct number_format read_pattern(struct sv p)
{
    struct number_format f = { 0 };
    bool fraction = false, comma = false;
    int since = 0;

    for (size_t i = 0; i < p.len; i++) {
        if (p.p[i] == '.') {
            fraction = true;
        } else if (p.p[i] == ',') {
            comma = true;
            since = 0;
        } else if (p.p[i] == '#' || p.p[i] == '0') {
            f.min_fraction += fraction && p.p[i] == '0';
            f.max_fraction += fraction;
            f.min_whole += !fraction && p.p[i] == '0';
            since += !fraction;
        }
    }
    f.group = comma ? since : 0;
    return f;
}

/* Plain digits with a point into the format's shape. */
static void shape_number(struct strbuf *out, const char *digits,
                         const struct number_format *f)
{
    const char *point = strchr(digits, '.');
    bool minus = digits[0] == '-';
    const char *whole = digits + minus;
    int n = (int)(point ? (size_t)(point - whole) : strlen(whole));
    int fraction = point ? (int)strlen(point + 1) : 0;

    while (n > f->min_whole && n > 0 && whole[0] == '0') {
        whole++;
        n--;
    }
    while (fraction > f->min_fraction && point[fraction] == '0')
        fraction--;
    if (minus)
        strbuf_addc(out, '-');
    for (int i = n < f->min_whole ? f->min_whole : n; i > 0; i--) {
        strbuf_addc(out, i > n ? '0' : whole[n - i]);
        if (f->group && i > 1 && (i - 1) % f->group == 0)
            strbuf_addc(out, ',');
    }
    if (fraction)
        strbuf_addc(out, '.');
    for (int i = 1; i <= fraction; i++)
        strbuf_addc(out, point[i]);
}

/* Ties go to the even digit; doubles count with their exact value. */
static void format_value(struct strbuf *out, const struct vec *v, uint32_t row,
                         const struct number_format *f)
{
    char digits[512];

    if (v->type.id == TYPE_DECIMAL) {
        i128 x = decimal_at(v, row);
        int scale = f->max_fraction < v->type.scale ? f->max_fraction : v->type.scale;
        size_t n;

        if (!decimal_round(x, v->type.scale, scale, ROUND_HALF_EVEN, &x))
            return;
        n = decimal_format(digits, x, scale);
        if (scale == 0)
            digits[n++] = '.';
        for (int i = scale; i < f->min_fraction; i++)
            digits[n++] = '0';
        digits[n] = 0;
    } else if (v->type.id == TYPE_FLOAT || v->type.id == TYPE_DOUBLE) {
        struct value x = value_at(v, row);

        if (!isfinite(x.u.f)) {
            strbuf_addz(out, isnan(x.u.f) ? "NaN" : x.u.f < 0 ? "-\u221e" : "\u221e");
            return;
        }
        snprintf(digits, sizeof digits, "%.*f",
                 f->max_fraction > 100 ? 100 : f->max_fraction, x.u.f);
    } else {
        int n = snprintf(digits, sizeof digits, "%lld.", (long long)int_at(v, row));

        for (int i = 0; i < f->min_fraction && i < 400; i++)
            digits[n++] = '0';
        digits[n] = 0;
    }
    shape_number(out, digits, f);
}

static enum errc bind_format_number(struct func_bind *b, struct err *err)
{
    struct type t = b->args[1]->type;

    return func_bind_sig(b, type_is_text(t) ? "ns:s" : "ni:s", err);
}

static enum errc run_format_number(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0), *p = eval_flat(c, 1);
    bool pattern = type_is_text(p->type);

    (void)err;
    EACH_VALID_ROW(c, row)
    {
        struct number_format f = { .min_whole = 1, .group = 3 };
        struct strbuf text = { 0 };
        int32_t places = pattern ? 0 : ARG_AT(int32_t, p, row);

        if (places < 0) {
            c->out->valid[row] = 0;
            continue;
        }
        f.min_fraction = f.max_fraction = places > 300 ? 300 : places;
        if (pattern && arg_sv(p, row).len)
            f = read_pattern(arg_sv(p, row));
        format_value(&text, v, row, &f);
        text_copy(c, row, strbuf_sv(&text));
        strbuf_release(&text);
    }
    return ERR_OK;
}

/* ---- printf, by Java's rules ---- */

struct directive {
    bool left, zero, plus, blank, comma, paren, sharp;
    int width, precision; /* -1: none */
    int index;            /* argument, from 1; 0: the next */
    char kind;
};

static bool read_directive(struct sv s, size_t *at, struct directive *d)
{
    size_t i = *at;
    int number = 0;
    bool any = false;

    *d = (struct directive){ .width = -1, .precision = -1 };
    for (size_t k = i; k < s.len && isdigit((unsigned char)s.p[k]) && k < i + 6; k++) {
        number = number * 10 + (s.p[k] - '0');
        if (k + 1 < s.len && s.p[k + 1] == '$') {
            d->index = number;
            i = k + 2;
            break;
        }
    }
    for (; i < s.len && strchr("-0+ ,(#", s.p[i]) && s.p[i]; i++) {
        d->left |= s.p[i] == '-';
        d->zero |= s.p[i] == '0';
        d->plus |= s.p[i] == '+';
        d->blank |= s.p[i] == ' ';
        d->comma |= s.p[i] == ',';
        d->paren |= s.p[i] == '(';
        d->sharp |= s.p[i] == '#';
    }
    for (number = 0; i < s.len && isdigit((unsigned char)s.p[i]) && number < 100000;
         i++) {
        number = number * 10 + (s.p[i] - '0');
        any = true;
    }
    if (any)
        d->width = number;
    if (i < s.len && s.p[i] == '.') {
        for (number = 0, i++;
             i < s.len && isdigit((unsigned char)s.p[i]) && number < 1000; i++)
            number = number * 10 + (s.p[i] - '0');
        d->precision = number;
    }
    if (i >= s.len)
        return false;
    d->kind = s.p[i];
    *at = i + 1;
    return true;
}

static void add_padded(struct strbuf *out, struct sv text, const struct directive *d)
{
    int64_t missing = d->width - count_chars(text);

    if (missing > 0 && !d->left)
        strbuf_fill(out, ' ', (size_t)missing);
    strbuf_add(out, text);
    if (missing > 0 && d->left)
        strbuf_fill(out, ' ', (size_t)missing);
}

/* Sign, grouping and zeros around plain digits. */
static void add_number(struct strbuf *out, const char *digits, const struct directive *d)
{
    struct strbuf text = { 0 };
    struct number_format f = { .min_whole = 1, .group = d->comma ? 3 : 0 };
    bool minus = digits[0] == '-';
    const char *point = strchr(digits, '.');
    const char *before = minus      ? (d->paren ? "(" : "-")
                         : d->plus  ? "+"
                         : d->blank ? " "
                                    : "";

    f.max_fraction = f.min_fraction = point ? (int)strlen(point + 1) : 0;
    shape_number(&text, digits + minus, &f);
    size_t len = text.len + strlen(before) + (minus && d->paren);
    struct strbuf all = { 0 };
    strbuf_addz(&all, before);
    if (d->zero && d->width > (int)len)
        strbuf_fill(&all, '0', (size_t)d->width - len);
    strbuf_add(&all, strbuf_sv(&text));
    if (minus && d->paren)
        strbuf_addc(&all, ')');
    add_padded(out, strbuf_sv(&all), d);
    strbuf_release(&text);
    strbuf_release(&all);
}

static enum errc bad_format(char kind, const struct value *x, struct err *err)
{
    struct strbuf type = { 0 };

    type_print(&type, x->type);
    enum errc rc = err_set(err, ERR_SYNTAX, "format_string: %%%c does not take a %.*s",
                           kind, SV_FMT(strbuf_sv(&type)));
    strbuf_release(&type);
    return rc;
}

static enum errc add_floating(struct strbuf *out, const struct directive *d,
                              const struct value *x, struct err *err)
{
    int places = d->precision < 0 ? 6 : d->precision;
    char digits[512];
    i128 n;
    bool exact = false;

    if (x->type.id != TYPE_DECIMAL && x->type.id != TYPE_DOUBLE &&
        x->type.id != TYPE_FLOAT)
        return bad_format(d->kind, x, err);
    if (d->kind == 'f' && places <= 30) {
        if (x->type.id == TYPE_DECIMAL && places <= x->type.scale)
            exact = decimal_round(x->u.dec, x->type.scale, places, ROUND_HALF_UP, &n);
        else if (x->type.id != TYPE_DECIMAL)
            exact = decimal_from_double(x->u.f, type_decimal(38, places), &n);
    }
    if (exact) {
        digits[decimal_format(digits, n, places)] = 0;
    } else {
        double f = x->type.id == TYPE_DECIMAL ? decimal_to_double(x->u.dec, x->type.scale)
                                              : x->u.f;

        if (!isfinite(f)) {
            add_padded(out,
                       isnan(f) ? SV("NaN")
                       : f < 0  ? SV("-Infinity")
                                : SV("Infinity"),
                       d);
            return ERR_OK;
        }
        if (d->kind != 'f') {
            snprintf(digits, sizeof digits, d->kind == 'e' ? "%.*e" : "%.*g",
                     places > 100 ? 100 : places, f);
            add_padded(out, sv(digits), d);
            return ERR_OK;
        }
        snprintf(digits, sizeof digits, "%.*f", places > 100 ? 100 : places, f);
    }
    add_number(out, digits, d);
    return ERR_OK;
}

static enum errc add_integer(struct strbuf *out, const struct directive *d,
                             const struct value *x, struct err *err)
{
    char digits[32];
    uint64_t mask = UINT64_MAX >> (64 - 8 * type_width(x->type));

    if (!type_is_integral(x->type))
        return bad_format(d->kind, x, err);
    if (d->kind == 'd')
        snprintf(digits, sizeof digits, "%lld", (long long)x->u.i);
    else
        snprintf(digits, sizeof digits,
                 d->kind == 'x'   ? (d->sharp ? "%#llx" : "%llx")
                 : d->kind == 'X' ? (d->sharp ? "%#llX" : "%llX")
                                  : "%llo",
                 (unsigned long long)x->u.i & mask);
    add_number(out, digits, d);
    return ERR_OK;
}

static void upper_bytes(struct strbuf *b, size_t from)
{
    for (size_t i = from; i < b->len; i++)
        b->p[i] = (char)toupper((unsigned char)b->p[i]);
}

static enum errc add_directive(struct strbuf *out, const struct directive *d,
                               const struct value *x, struct err *err)
{
    struct strbuf text = { 0 };
    size_t from = out->len;
    struct directive low = *d;

    low.kind = (char)tolower((unsigned char)d->kind);
    if (x->null) {
        add_padded(out, low.kind == 'b' ? SV("false") : SV("null"), d);
    } else if (low.kind == 's') {
        value_print(&text, x, &zone_utc);
        struct sv s = strbuf_sv(&text).p ? strbuf_sv(&text) : SV("");
        add_padded(out, d->precision >= 0 ? chars_between(s, 0, d->precision) : s, d);
        strbuf_release(&text);
    } else if (low.kind == 'b') {
        add_padded(out, x->type.id != TYPE_BOOLEAN || x->u.b ? SV("true") : SV("false"),
                   d);
    } else if (low.kind == 'c' && type_is_integral(x->type)) {
        add_code(&text, (uint32_t)x->u.i);
        add_padded(out, strbuf_sv(&text), d);
        strbuf_release(&text);
    } else if (low.kind == 'd' || low.kind == 'x' || low.kind == 'o') {
        TRY(add_integer(out, d, x, err));
    } else if (low.kind == 'f' || low.kind == 'e' || low.kind == 'g') {
        TRY(add_floating(out, &low, x, err));
    } else {
        return bad_format(d->kind, x, err);
    }
    if (low.kind != d->kind)
        upper_bytes(out, from);
    return ERR_OK;
}

static enum errc format_row(struct eval_call *c, uint32_t row, struct strbuf *out,
                            struct err *err)
{
    struct sv f = arg_sv(&c->args[0], row);
    uint32_t next = 1;

    for (size_t i = 0; i < f.len;) {
        struct directive d;

        if (f.p[i] != '%') {
            strbuf_addc(out, f.p[i++]);
            continue;
        }
        i++;
        if (!read_directive(f, &i, &d))
            return err_set(err, ERR_SYNTAX,
                           "format_string: '%%' at the end of the format");
        if (d.kind == '%' || d.kind == 'n') {
            add_padded(out, d.kind == 'n' ? SV("\n") : SV("%"), &d);
            continue;
        }
        uint32_t k = d.index ? (uint32_t)d.index : next++;
        if (k >= c->n_args)
            return err_set(err, ERR_SYNTAX,
                           "format_string: an argument for '%%%c' is "
                           "missing",
                           d.kind);
        struct value x = value_at(&c->args[k], row);
        TRY(add_directive(out, &d, &x, err));
    }
    return ERR_OK;
}

static enum errc bind_format_string(struct func_bind *b, struct err *err)
{
    return func_bind_sig(b, "sa*:s", err);
}

static enum errc run_format_string(struct eval_call *c, struct err *err)
{
    flatten_all(c);
    EACH_ROW(c, row)
    {
        struct strbuf text = { 0 };
        enum errc rc = ERR_OK;

        if (vec_is_null(&c->args[0], row)) {
            c->out->valid[row] = 0;
            continue;
        }
        rc = format_row(c, row, &text, err);
        if (rc == ERR_OK)
            text_copy(c, row, strbuf_sv(&text));
        strbuf_release(&text);
        TRY(rc);
    }
    return ERR_OK;
}

#define STRICT FUNC_NULL_INTOLERANT

const struct func format_funcs[] = {
    { .name = "hex",
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT,
      .bind = bind_hex,
      .run = run_hex,
      .usage = "hex(expr) - Hexadecimal digits of a number or bytes." },
    { .name = "unhex",
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT | FUNC_MAYBE_NULL,
      .sig = "s:x",
      .run = run_unhex,
      .usage = "unhex(expr) - Bytes of hexadecimal digits." },
    { .name = "bin",
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT,
      .sig = "l:s",
      .run = run_bin,
      .usage = "bin(expr) - Binary digits of a number." },
    { .name = "conv",
      .min_args = 3,
      .max_args = 3,
      .flags = STRICT | FUNC_MAYBE_NULL,
      .sig = "sii:s",
      .run = run_conv,
      .usage = "conv(num, from_base, to_base) - The number in another base." },
    { .name = "base64",
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT,
      .sig = "x:s",
      .run = run_base64,
      .usage = "base64(bin) - Bytes in base 64." },
    { .name = "unbase64",
      .plan_tail = "false",
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT,
      .sig = "s:x",
      .run = run_unbase64,
      .usage = "unbase64(str) - Bytes from base 64." },
    { .name = "ascii",
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT,
      .sig = "s:i",
      .run = run_ascii,
      .usage = "ascii(str) - Code of the first character." },
    { .name = "chr",
      .aliases = "char",
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT,
      .sig = "l:s",
      .run = run_chr,
      .usage = "chr(expr) - The character of a code." },
    { .name = "encode",
      .min_args = 2,
      .max_args = 2,
      .flags = STRICT,
      .sig = "ss:x",
      .run = run_encode,
      .usage = "encode(str, charset) - Its bytes in a character set." },
    { .name = "decode",
      .min_args = 2,
      .max_args = 255,
      .flags = STRICT,
      .bind = bind_decode,
      .run = run_decode,
      .usage = "decode(bin, charset) - Text from bytes; decode(expr, search, result "
               "[, search, result ...][, default]) - As CASE." },
    { .name = "format_number",
      .min_args = 2,
      .max_args = 2,
      .flags = STRICT | FUNC_MAYBE_NULL,
      .bind = bind_format_number,
      .run = run_format_number,
      .usage = "format_number(expr1, expr2) - Like '#,###.##', with `expr2` places." },
    { .name = "format_string",
      .aliases = "printf",
      .min_args = 1,
      .max_args = 255,
      .flags = FUNC_MAYBE_NULL,
      .bind = bind_format_string,
      .run = run_format_string,
      .usage = "format_string(strfmt, obj, ...) - In the style of printf." },
    { 0 },
};
