/* Text in text: joining, finding, replacing, splitting. */
#include "engine/expr/func_list.h"
#include "engine/expr/text.h"

/* ---- concat ---- */

/* All binary stay binary, else text. */
static enum errc bind_concat(struct func_bind *b, struct err *err)
{
    bool binary = b->n_args > 0;

    for (uint32_t i = 0; i < b->n_args; i++)
        binary = binary && b->args[i]->type.id == TYPE_BINARY;
    b->type = type_of(binary ? TYPE_BINARY : TYPE_STRING);
    for (uint32_t i = 0; i < b->n_args; i++) {
        if (!type_eq(b->args[i]->type, b->type) &&
            !coerce_implicit(b->args[i]->type, b->type))
            return func_refuse(b, i, "\"STRING\"", err);
        b->want[i] = b->type;
    }
    return ERR_OK;
}

static enum errc run_concat(struct eval_call *c, struct err *err)
{
    (void)err;
    flatten_all(c);
    EACH_VALID_ROW(c, row)
    {
        size_t len = 0;

        for (uint32_t i = 0; i < c->n_args; i++)
            len += arg_sv(&c->args[i], row).len;
        char small[STR_INLINE], *to = len <= STR_INLINE ? small : text_room(c, len);
        char *at = to;
        for (uint32_t i = 0; i < c->n_args; i++) {
            struct sv s = arg_sv(&c->args[i], row);

            if (s.len)
                memcpy(at, s.p, s.len);
            at += s.len;
        }
        text_put(c, row, (struct sv){ to, len });
    }
    return ERR_OK;
}

/* NULLs are left out; only a NULL separator makes NULL. */
static enum errc run_concat_ws(struct eval_call *c, struct err *err)
{
    (void)err;
    flatten_all(c);
    EACH_ROW(c, row)
    {
        struct strbuf text = { 0 };
        bool first = true;

        if (vec_is_null(&c->args[0], row)) {
            c->out->valid[row] = 0;
            continue;
        }
        for (uint32_t i = 1; i < c->n_args; i++) {
            if (vec_is_null(&c->args[i], row))
                continue;
            if (!first)
                strbuf_add(&text, arg_sv(&c->args[0], row));
            first = false;
            strbuf_add(&text, arg_sv(&c->args[i], row));
        }
        text_copy(c, row, strbuf_sv(&text));
        strbuf_release(&text);
    }
    return ERR_OK;
}

/* ---- finding ---- */

#define TEST(name, X)                                                                    \
    static enum errc run_##name(struct eval_call *c, struct err *err)                    \
    {                                                                                    \
        const struct vec *a = eval_flat(c, 0), *b = eval_flat(c, 1);                     \
                                                                                         \
        (void)err;                                                                       \
        EACH_VALID_ROW(c, row)                                                           \
        {                                                                                \
            struct sv s = arg_sv(a, row), t = arg_sv(b, row);                            \
                                                                                         \
            ((uint8_t *)c->out->data)[row] = (X);                                        \
        }                                                                                \
        return ERR_OK;                                                                   \
    }

TEST(starts, sv_starts(s, t))
TEST(ends, sv_ends(s, t))
TEST(contains, text_find(s, t, 0) != SIZE_MAX)

/* Text, or binary if both are. */
static enum errc bind_test(struct func_bind *b, struct err *err)
{
    bool binary =
        b->args[0]->type.id == TYPE_BINARY && b->args[1]->type.id == TYPE_BINARY;

    return func_bind_sig(b, binary ? "xx:b" : "ss:b", err);
}

/* Character position of a byte offset, from 1. */
static int32_t position_of(struct sv s, size_t at)
{
    return at == SIZE_MAX ? 0 : (int32_t)count_chars((struct sv){ s.p, at }) + 1;
}

static enum errc run_instr(struct eval_call *c, struct err *err)
{
    const struct vec *a = eval_flat(c, 0), *b = eval_flat(c, 1);

    (void)err;
    EACH_VALID_ROW(c, row)
    {
        struct sv s = arg_sv(a, row);

        ((int32_t *)c->out->data)[row] = position_of(s, text_find(s, arg_sv(b, row), 0));
    }
    return ERR_OK;
}

/* locate(what, text [, start]): a NULL start finds nothing. */
static enum errc run_locate(struct eval_call *c, struct err *err)
{
    int32_t *to = c->out->data;

    (void)err;
    flatten_all(c);
    EACH_ROW(c, row)
    {
        to[row] = 0;
        if (c->n_args > 2 && vec_is_null(&c->args[2], row))
            continue;
        if (vec_is_null(&c->args[0], row) || vec_is_null(&c->args[1], row)) {
            c->out->valid[row] = 0;
            continue;
        }
        struct sv what = arg_sv(&c->args[0], row), s = arg_sv(&c->args[1], row);
        int64_t start = c->n_args > 2 ? ARG_AT(int32_t, &c->args[2], row) : 1;

        if (start < 1)
            continue;
        if (!what.len) /* found at once, wherever the search begins */
            to[row] = 1;
        else
            to[row] = position_of(s, text_find(s, what, char_offset(s, start - 1)));
    }
    return ERR_OK;
}

static enum errc run_find_in_set(struct eval_call *c, struct err *err)
{
    const struct vec *a = eval_flat(c, 0), *b = eval_flat(c, 1);
    int32_t *to = c->out->data;

    (void)err;
    EACH_VALID_ROW(c, row)
    {
        struct sv word = arg_sv(a, row), list = arg_sv(b, row);
        int32_t n = 1;

        to[row] = 0;
        if (word.len && memchr(word.p, ',', word.len))
            continue;
        for (size_t from = 0;; n++) {
            const char *comma =
                from < list.len ? memchr(list.p + from, ',', list.len - from) : NULL;
            size_t end = comma ? (size_t)(comma - list.p) : list.len;

            if (sv_eq((struct sv){ list.p + from, end - from }, word)) {
                to[row] = n;
                break;
            }
            if (!comma)
                break;
            from = end + 1;
        }
    }
    return ERR_OK;
}

/* ---- replacing ---- */

static enum errc run_replace(struct eval_call *c, struct err *err)
{
    (void)err;
    flatten_all(c);
    EACH_VALID_ROW(c, row)
    {
        struct sv s = arg_sv(&c->args[0], row), what = arg_sv(&c->args[1], row);
        struct sv with = c->n_args > 2 ? arg_sv(&c->args[2], row) : SV("");
        size_t at = what.len ? text_find(s, what, 0) : SIZE_MAX, from = 0;
        struct strbuf text = { 0 };

        if (at == SIZE_MAX) {
            text_put(c, row, s);
            continue;
        }
        for (; at != SIZE_MAX; at = text_find(s, what, from)) {
            strbuf_add(&text, (struct sv){ s.p + from, at - from });
            strbuf_add(&text, with);
            from = at + what.len;
        }
        strbuf_add(&text, sv_from(s, from));
        text_copy(c, row, strbuf_sv(&text));
        strbuf_release(&text);
    }
    return ERR_OK;
}

/* Each character of `from` becomes the one at its place in `to`, or nothing. The first of
 * equal ones counts. */
static void translate(struct strbuf *out, struct sv s, struct sv from, struct sv to)
{
    size_t n, m;

    for (size_t i = 0; i < s.len; i += n) {
        int64_t index = 0;
        bool found = false;

        n = char_bytes(s.p + i, s.len - i);
        for (size_t k = 0; k < from.len && !found; k += m, index += !found) {
            m = char_bytes(from.p + k, from.len - k);
            found = m == n && memcmp(from.p + k, s.p + i, n) == 0;
        }
        if (found)
            strbuf_add(out, chars_between(to, index, index + 1));
        else
            strbuf_add(out, (struct sv){ s.p + i, n });
    }
}

static enum errc run_translate(struct eval_call *c, struct err *err)
{
    (void)err;
    flatten_all(c);
    EACH_VALID_ROW(c, row)
    {
        struct strbuf text = { 0 };

        translate(&text, arg_sv(&c->args[0], row), arg_sv(&c->args[1], row),
                  arg_sv(&c->args[2], row));
        text_copy(c, row, strbuf_sv(&text));
        strbuf_release(&text);
    }
    return ERR_OK;
}

/* overlay(text, with, position [, length]): the length is that of `with` by default. */
static enum errc run_overlay(struct eval_call *c, struct err *err)
{
    (void)err;
    flatten_all(c);
    EACH_VALID_ROW(c, row)
    {
        struct sv s = arg_sv(&c->args[0], row), with = arg_sv(&c->args[1], row);
        int64_t pos = ARG_AT(int32_t, &c->args[2], row);
        int64_t len = c->n_args > 3 ? ARG_AT(int32_t, &c->args[3], row) : -1;
        struct strbuf text = { 0 };

        if (len < 0)
            len = count_chars(with);
        strbuf_add(&text, chars_between(s, 0, pos - 1));
        strbuf_add(&text, with);
        strbuf_add(&text, chars_between(s, pos + len - 1, INT32_MAX));
        text_copy(c, row, strbuf_sv(&text));
        strbuf_release(&text);
    }
    return ERR_OK;
}

/* ---- splitting ---- */

/* The n-th part from 0; absent: there are fewer. */
static struct sv part_at(struct sv s, struct sv by, int64_t n)
{
    size_t from = 0;

    for (;; n--) {
        size_t at = by.len ? text_find(s, by, from) : SIZE_MAX;
        size_t end = at == SIZE_MAX ? s.len : at;

        if (n == 0)
            return (struct sv){ s.p + from, end - from };
        if (at == SIZE_MAX)
            return (struct sv){ 0 };
        from = at + by.len;
    }
}

static int64_t count_parts(struct sv s, struct sv by)
{
    int64_t n = 1;

    for (size_t at = by.len ? text_find(s, by, 0) : SIZE_MAX; at != SIZE_MAX;
         at = text_find(s, by, at + by.len))
        n++;
    return n;
}

static enum errc run_split_part(struct eval_call *c, struct err *err)
{
    flatten_all(c);
    EACH_VALID_ROW(c, row)
    {
        struct sv s = arg_sv(&c->args[0], row), by = arg_sv(&c->args[1], row);
        int64_t n = ARG_AT(int32_t, &c->args[2], row);

        if (n == 0)
            return err_set(err, ERR_SYNTAX,
                           "[INVALID_INDEX_OF_ZERO] The index 0 is invalid. An index "
                           "shall be either < 0 or > 0 (the first element has index 1).");
        int64_t index = n > 0 ? n - 1 : count_parts(s, by) + n;
        struct sv part = index < 0 ? (struct sv){ 0 } : part_at(s, by, index);
        text_put(c, row, part.p ? part : SV(""));
    }
    return ERR_OK;
}

/* Everything before the n-th delimiter, or behind the n-th from the end. */
static struct sv substring_index(struct sv s, struct sv by, int64_t n)
{
    int64_t parts;
    size_t at = 0;

    if (n == 0 || !by.len)
        return (struct sv){ s.p, 0 };
    if (n > 0) {
        for (; n > 0; n--) {
            size_t found = text_find(s, by, at);

            if (found == SIZE_MAX)
                return s;
            at = found + (n > 1 ? by.len : 0);
        }
        return (struct sv){ s.p, at };
    }
    /* from the end: the last ones, which may overlap others seen from the start */
    size_t end = s.len;
    for (parts = -n; parts > 0; parts--) {
        size_t found = SIZE_MAX;

        for (size_t k = end; k >= by.len && found == SIZE_MAX; k--)
            if (memcmp(s.p + k - by.len, by.p, by.len) == 0)
                found = k - by.len;
        if (found == SIZE_MAX)
            return s;
        at = found + by.len;
        end = found;
    }
    return sv_from(s, at);
}

static enum errc run_substring_index(struct eval_call *c, struct err *err)
{
    (void)err;
    flatten_all(c);
    EACH_VALID_ROW(c, row)
    text_put(c, row,
             substring_index(arg_sv(&c->args[0], row), arg_sv(&c->args[1], row),
                             ARG_AT(int32_t, &c->args[2], row)));
    return ERR_OK;
}

/* elt(n, first, second, ...) */
static enum errc bind_elt(struct func_bind *b, struct err *err)
{
    return func_bind_sig(b, "is*:s", err);
}

static enum errc run_elt(struct eval_call *c, struct err *err)
{
    bool ansi = eval_ansi(c);

    flatten_all(c);
    EACH_ROW(c, row)
    {
        bool null = vec_is_null(&c->args[0], row);
        int64_t n = null ? 0 : ARG_AT(int32_t, &c->args[0], row);

        if (ansi && !null && (n < 1 || n >= (int64_t)c->n_args))
            return err_set(err, ERR_SYNTAX,
                           "[INVALID_ARRAY_INDEX] The index %lld is out of bounds. The "
                           "array has %u elements. Use the SQL function `get()` to "
                           "tolerate accessing element at invalid index and return NULL "
                           "instead. If necessary set \"spark.sql.ansi.enabled\" to "
                           "\"false\" to bypass this error.",
                           (long long)n, c->n_args - 1);

        if (n < 1 || n >= (int64_t)c->n_args || vec_is_null(&c->args[n], row))
            c->out->valid[row] = 0;
        else
            text_put(c, row, arg_sv(&c->args[n], row));
    }
    return ERR_OK;
}

/* ---- distances, sounds ---- */

/* Row by row over the second text; chars are compared as bytes of UTF-8. */
static int32_t levenshtein(struct sv a, struct sv b, int32_t limit)
{
    int64_t n = count_chars(a), m = count_chars(b);
    int32_t *line;
    int32_t result;
    size_t i = 0, step_a, step_b;

    if (!n || !m)
        return limit >= 0 && n + m > limit ? -1 : (int32_t)(n + m);
    struct arena scratch = { 0 };
    line = arena_array(&scratch, (size_t)m + 1, sizeof *line);
    for (int64_t k = 0; k <= m; k++)
        line[k] = (int32_t)k;
    for (int32_t row = 1; i < a.len; i += step_a, row++) {
        int32_t diagonal = line[0];
        int64_t k = 1;

        step_a = char_bytes(a.p + i, a.len - i);
        line[0] = row;
        for (size_t j = 0; j < b.len; j += step_b, k++) {
            step_b = char_bytes(b.p + j, b.len - j);
            bool same = step_a == step_b && memcmp(a.p + i, b.p + j, step_a) == 0;
            int32_t best = diagonal + !same;

            if (line[k] + 1 < best)
                best = line[k] + 1;
            if (line[k - 1] + 1 < best)
                best = line[k - 1] + 1;
            diagonal = line[k];
            line[k] = best;
        }
    }
    result = line[m];
    arena_release(&scratch);
    return limit >= 0 && result > limit ? -1 : result;
}

static enum errc run_levenshtein(struct eval_call *c, struct err *err)
{
    (void)err;
    flatten_all(c);
    EACH_VALID_ROW(c, row)
    ((int32_t *)c->out->data)[row] =
        levenshtein(arg_sv(&c->args[0], row), arg_sv(&c->args[1], row),
                    c->n_args > 2 ? ARG_AT(int32_t, &c->args[2], row) : -1);
    return ERR_OK;
}

/* A letter, then three digits of those that follow; H and W do not part equal ones. */
static size_t soundex(struct sv s, char *to)
{
    static const char codes[] = "01230120022455012623010202";
    char last;
    size_t n = 1;

    to[0] = s.p[0] >= 'a' && s.p[0] <= 'z' ? (char)(s.p[0] - 32) : s.p[0];
    if (to[0] < 'A' || to[0] > 'Z')
        return 0;
    last = codes[to[0] - 'A'];
    for (size_t i = 1; i < s.len && n < 4; i++) {
        char ch = s.p[i] >= 'a' && s.p[i] <= 'z' ? (char)(s.p[i] - 32) : s.p[i];

        if (ch < 'A' || ch > 'Z') {
            last = '0';
            continue;
        }
        char code = codes[ch - 'A'];
        if (ch == 'H' || ch == 'W')
            continue;
        if (code != '0' && code != last)
            to[n++] = code;
        last = code;
    }
    while (n < 4)
        to[n++] = '0';
    return 4;
}

static enum errc run_soundex(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0);

    (void)err;
    EACH_VALID_ROW(c, row)
    {
        struct sv s = arg_sv(v, row);
        char to[4];
        size_t n = s.len ? soundex(s, to) : 0;

        text_put(c, row, n ? (struct sv){ to, n } : s);
    }
    return ERR_OK;
}

#define STRICT FUNC_NULL_INTOLERANT
#define TESTING(text, func_id, fn, words)                                                \
    {                                                                                    \
        .name = text, .id = func_id, .min_args = 2, .max_args = 2, .flags = STRICT,      \
        .bind = bind_test, .run = run_##fn, .usage = words                               \
    }

static void print_levenshtein(struct strbuf *out, const struct expr *e,
                              enum expr_print how)
{
    bool plan = how == PRINT_PLAN, bounded = e->n_args > 2;

    strbuf_addz(out, "levenshtein(");
    expr_print_list(out, e->args, plan ? 2 : e->n_args, ", ", how);
    if (plan && bounded)
        strbuf_addz(out, ", Some(");
    if (plan && bounded)
        expr_print(out, e->args[2], how);
    strbuf_addz(out, !plan ? ")" : bounded ? "))" : ", None)");
}

const struct func search_funcs[] = {
    { .name = "concat",
      .max_args = 255,
      .flags = STRICT,
      .bind = bind_concat,
      .run = run_concat,
      .usage = "concat(str1, str2, ...) - All after each other." },
    { .name = "concat_ws",
      .min_args = 1,
      .max_args = 255,
      .flags = FUNC_MAYBE_NULL,
      .sig = "s*:s",
      .run = run_concat_ws,
      .usage = "concat_ws(sep, str1, ...) - Those that are not NULL, with `sep`." },
    TESTING("startswith", FUNC_STARTS_WITH, starts,
            "startswith(left, right) - Does `left` begin with `right`?"),
    TESTING("endswith", FUNC_ENDS_WITH, ends,
            "endswith(left, right) - Does `left` end with `right`?"),
    TESTING("contains", FUNC_CONTAINS, contains,
            "contains(left, right) - Is `right` found in `left`?"),
    { .name = "instr",
      .min_args = 2,
      .max_args = 2,
      .flags = STRICT,
      .sig = "ss:i",
      .run = run_instr,
      .usage = "instr(str, substr) - Position of `substr` from 1, 0 if not there." },
    { .name = "locate",
      .aliases = "position",
      .min_args = 2,
      .max_args = 3,
      .flags = FUNC_MAYBE_NULL,
      .sig = "ssi:i",
      .fill = "i1",
      .run = run_locate,
      .usage = "locate(substr, str[, pos]) - Position of `substr` at or after `pos`." },
    { .name = "find_in_set",
      .min_args = 2,
      .max_args = 2,
      .flags = STRICT,
      .sig = "ss:i",
      .run = run_find_in_set,
      .usage = "find_in_set(str, list) - Which part of the comma-separated list." },
    { .name = "replace",
      .min_args = 2,
      .max_args = 3,
      .flags = STRICT,
      .sig = "sss:s",
      .fill = "s",
      .run = run_replace,
      .usage = "replace(str, search[, replace]) - Every `search` replaced." },
    { .name = "translate",
      .min_args = 3,
      .max_args = 3,
      .flags = STRICT,
      .sig = "sss:s",
      .run = run_translate,
      .usage = "translate(str, from, to) - Characters of `from` become those of `to`." },
    { .name = "overlay",
      .min_args = 3,
      .max_args = 4,
      .flags = STRICT,
      .sig = "ssii:s",
      .fill = "i-1",
      .run = run_overlay,
      .usage = "overlay(input, replace, pos[, len]) - `replace` put over `input`." },
    { .name = "split_part",
      .min_args = 3,
      .max_args = 3,
      .flags = STRICT,
      .sig = "ssi:s",
      .run = run_split_part,
      .usage = "split_part(str, delimiter, n) - The n-th part, from 1." },
    { .name = "substring_index",
      .min_args = 3,
      .max_args = 3,
      .flags = STRICT,
      .sig = "ssi:s",
      .run = run_substring_index,
      .usage = "substring_index(str, delim, count) - What comes before `count` delims." },
    { .name = "elt",
      .min_args = 2,
      .max_args = 255,
      .flags = FUNC_MAYBE_NULL,
      .bind = bind_elt,
      .run = run_elt,
      .plan_tail = "false",
      .usage = "elt(n, input1, input2, ...) - The n-th input." },
    { .name = "levenshtein",
      .min_args = 2,
      .max_args = 3,
      .flags = STRICT,
      .sig = "ssi:i",
      .run = run_levenshtein,
      .print = print_levenshtein,
      .usage = "levenshtein(str1, str2[, threshold]) - Edits from one to the other." },
    { .name = "soundex",
      .min_args = 1,
      .max_args = 1,
      .flags = STRICT,
      .sig = "s:s",
      .run = run_soundex,
      .usage = "soundex(str) - Its Soundex code." },
    { 0 },
};
