/* LIKE, ILIKE, RLIKE and the regexp_ functions.
 *
 * A LIKE pattern becomes the pieces between its % signs. The first and the last have
 * their places, each of the others is looked for behind the one before: the earliest
 * place is always good enough. An underscore stands in a piece as the byte 0xff, which
 * UTF-8 does not have.
 *
 * Regular expressions are PCRE2's, which takes nearly all of Java's; not taken: character
 * class intersection (&&), \p{javaLowerCase} and its like. A pattern is compiled when it
 * changes, so once where it is constant. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "engine/expr/func_list.h"
#include "engine/expr/text.h"

#include <assert.h>
#include <ctype.h>

/* ---- LIKE ---- */

enum { ANY_CHAR = 0xff };

struct piece {
    const char *p;
    size_t len;
    int64_t chars;
    bool any; /* has underscores */
};

struct like {
    struct arena memory;
    struct sv pattern; /* as compiled; absent: none yet */
    uint32_t escape;
    struct piece *pieces;
    uint32_t n;
    struct strbuf low, low_pattern; /* ILIKE: both sides in lower case */
};

static void like_release(void *state)
{
    struct like *l = state;

    arena_release(&l->memory);
    strbuf_release(&l->low);
    strbuf_release(&l->low_pattern);
}

static enum errc bad_escape(struct sv pattern, bool at_end, uint32_t escape,
                            struct err *err)
{
    if (at_end)
        return err_set(err, ERR_SYNTAX,
                       "[INVALID_FORMAT.ESC_AT_THE_END] The format is invalid: '%.*s'. "
                       "The escape character is not allowed to end with.",
                       SV_FMT(pattern));
    return err_set(
        err, ERR_SYNTAX,
        "[INVALID_FORMAT.ESC_IN_THE_MIDDLE] The format is invalid: '%.*s'. The "
        "escape character is not allowed to precede '%c'.",
        SV_FMT(pattern), (int)escape);
}

/* One character of the pattern, its escape undone; *wild: it was a bare % or _. */
static enum errc next_char(struct sv pattern, size_t *at, uint32_t escape, struct sv *ch,
                           bool *wild, struct err *err)
{
    size_t n;

    if (text_code(sv_from(pattern, *at), &n) == escape) {
        *at += n;
        if (*at >= pattern.len)
            return bad_escape(pattern, true, 0, err);
        uint32_t next = text_code(sv_from(pattern, *at), &n);
        if (next != '%' && next != '_' && next != escape)
            return bad_escape(pattern, false, next, err);
        *wild = false;
    } else {
        *wild = pattern.p[*at] == '%' || pattern.p[*at] == '_';
    }
    n = char_bytes(pattern.p + *at, pattern.len - *at);
    *ch = (struct sv){ pattern.p + *at, n };
    *at += n;
    return ERR_OK;
}

static enum errc like_compile(struct like *l, struct sv pattern, uint32_t escape,
                              struct err *err)
{
    char *bytes;
    size_t n = 0;
    struct piece *piece;

    if (l->pattern.p && l->escape == escape && sv_eq(l->pattern, pattern))
        return ERR_OK;
    arena_reset(&l->memory);
    l->pattern = (struct sv){ 0 };
    bytes = arena_bytes(&l->memory, pattern.len + 1);
    l->pieces = arena_array(&l->memory, pattern.len + 1, sizeof *l->pieces);
    l->n = 1;
    piece = &l->pieces[0];
    piece->p = bytes;
    for (size_t at = 0; at < pattern.len;) {
        struct sv ch = { 0 };
        bool wild = false;

        TRY(next_char(pattern, &at, escape, &ch, &wild, err));
        if (wild && ch.p[0] == '%') {
            piece = &l->pieces[l->n++];
            piece->p = bytes + n;
            continue;
        }
        piece->chars++;
        if (wild) {
            bytes[n++] = (char)ANY_CHAR;
            piece->len++;
            piece->any = true;
            continue;
        }
        memcpy(bytes + n, ch.p, ch.len);
        n += ch.len;
        piece->len += ch.len;
    }
    l->pattern = arena_sv(&l->memory, pattern);
    l->escape = escape;
    return ERR_OK;
}

/* Where the piece ends if it stands at `at`; SIZE_MAX: it does not. */
static size_t piece_at(const struct piece *p, struct sv s, size_t at)
{
    if (!p->any)
        return s.len - at >= p->len && memcmp(s.p + at, p->p, p->len) == 0 ? at + p->len
                                                                           : SIZE_MAX;
    for (size_t i = 0; i < p->len; i++) {
        if (at >= s.len)
            return SIZE_MAX;
        if ((unsigned char)p->p[i] == ANY_CHAR)
            at += char_bytes(s.p + at, s.len - at);
        else if (s.p[at++] != p->p[i])
            return SIZE_MAX;
    }
    return at;
}

static size_t piece_find(const struct piece *p, struct sv s, size_t from)
{
    if (!p->any) {
        size_t at = text_find(s, (struct sv){ p->p, p->len }, from);

        return at == SIZE_MAX ? SIZE_MAX : at + p->len;
    }
    for (size_t at = from; at <= s.len;) {
        size_t end = piece_at(p, s, at);

        if (end != SIZE_MAX)
            return end;
        at += at < s.len ? char_bytes(s.p + at, s.len - at) : 1;
    }
    return SIZE_MAX;
}

/* The piece at the very end, not before `from`. */
static bool piece_ends(const struct piece *p, struct sv s, size_t from)
{
    size_t at = s.len;

    if (!p->any)
        return s.len - from >= p->len && piece_at(p, s, s.len - p->len) == s.len;
    for (int64_t n = p->chars; n > 0; n--) {
        if (at == 0)
            return false;
        for (at--; at > 0 && ((unsigned char)s.p[at] & 0xc0) == 0x80;)
            at--;
    }
    return at >= from && piece_at(p, s, at) == s.len;
}

static bool like_matches(const struct like *l, struct sv s)
{
    size_t at = piece_at(&l->pieces[0], s, 0);

    if (at == SIZE_MAX || l->n == 1)
        return at == s.len;
    for (uint32_t i = 1; i + 1 < l->n; i++) {
        at = piece_find(&l->pieces[i], s, at);
        if (at == SIZE_MAX)
            return false;
    }
    return piece_ends(&l->pieces[l->n - 1], s, at);
}

static struct sv lowered(struct strbuf *to, struct sv s)
{
    size_t n;
    char bytes[4];

    strbuf_reset(to);
    for (size_t i = 0; i < s.len; i += n) {
        uint32_t code = text_code(sv_from(s, i), &n);

        strbuf_add(to, (struct sv){ bytes, text_encode(bytes, text_lower(code)) });
    }
    return strbuf_sv(to).p ? strbuf_sv(to) : SV("");
}

static enum errc like_rows(struct eval_call *c, bool fold, struct err *err)
{
    struct like *l = c->state;
    const struct vec *v = eval_flat(c, 0), *p = eval_flat(c, 1);
    const struct vec *e = c->n_args > 2 ? eval_flat(c, 2) : NULL;
    uint8_t *to = c->out->data;

    EACH_VALID_ROW(c, row)
    {
        struct sv s = arg_sv(v, row), pattern = arg_sv(p, row);
        struct sv escape = e ? arg_sv(e, row) : SV("\\");
        size_t n;

        if (count_chars(escape) != 1)
            return err_set(
                err, ERR_SYNTAX,
                "[INVALID_ESCAPE_CHAR] `EscapeChar` should be a string literal "
                "of length one, but got \"%.*s\".",
                SV_FMT(escape));
        TRY(like_compile(l, fold ? lowered(&l->low_pattern, pattern) : pattern,
                         text_code(escape, &n), err));
        to[row] = like_matches(l, fold ? lowered(&l->low, s) : s);
    }
    return ERR_OK;
}

static enum errc run_like(struct eval_call *c, struct err *err)
{
    return like_rows(c, false, err);
}

static enum errc run_ilike(struct eval_call *c, struct err *err)
{
    return like_rows(c, true, err);
}

/* ---- regular expressions ---- */

struct regex {
    pcre2_code *code;
    pcre2_match_data *match;
    struct strbuf pattern;
    bool compiled;
};

static void regex_release(void *state)
{
    struct regex *r = state;

    pcre2_match_data_free(r->match);
    pcre2_code_free(r->code);
    strbuf_release(&r->pattern);
}

static enum errc regex_compile(struct regex *r, struct sv pattern, const char *name,
                               struct err *err)
{
    int code;
    size_t at;

    if (r->compiled && sv_eq(strbuf_sv(&r->pattern), pattern))
        return ERR_OK;
    regex_release(r);
    *r = (struct regex){ 0 };
    r->code = pcre2_compile((PCRE2_SPTR)pattern.p, pattern.len,
                            PCRE2_UTF | PCRE2_MATCH_INVALID_UTF, &code, &at, NULL);
    if (!r->code) {
        char text[120];

        pcre2_get_error_message(code, (PCRE2_UCHAR *)text, sizeof text);
        return err_set(err, ERR_SYNTAX,
                       "[INVALID_PARAMETER_VALUE.PATTERN] The value of parameter(s) "
                       "`regexp` in `%s` is invalid: '%.*s': %s at %zu.",
                       name, SV_FMT(pattern), text, at);
    }
    (void)pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE); /* slower without */
    r->match = pcre2_match_data_create_from_pattern(r->code, NULL);
    strbuf_add(&r->pattern, pattern);
    r->compiled = true;
    return ERR_OK;
}

/* The next match at or behind `from`; its places are pcre2_get_ovector_pointer's. */
static bool regex_find(struct regex *r, struct sv s, size_t from)
{
    return from <= s.len && pcre2_match(r->code, (PCRE2_SPTR)(s.p ? s.p : ""), s.len,
                                        from, 0, r->match, NULL) > 0;
}

/* Where to look after a match: an empty one moves on by a character. */
static size_t regex_after(struct regex *r, struct sv s)
{
    const size_t *at = pcre2_get_ovector_pointer(r->match);

    if (at[1] > at[0])
        return at[1];
    return at[1] < s.len ? at[1] + char_bytes(s.p + at[1], s.len - at[1]) : s.len + 1;
}

static enum errc run_rlike(struct eval_call *c, struct err *err)
{
    const struct vec *v = eval_flat(c, 0), *p = eval_flat(c, 1);
    uint8_t *to = c->out->data;

    EACH_VALID_ROW(c, row)
    {
        TRY(regex_compile(c->state, arg_sv(p, row), "rlike", err));
        to[row] = regex_find(c->state, arg_sv(v, row), 0);
    }
    return ERR_OK;
}

static uint32_t group_count(const struct regex *r)
{
    uint32_t n = 0;

    pcre2_pattern_info(r->code, PCRE2_INFO_CAPTURECOUNT, &n);
    return n;
}

static struct sv group_text(struct regex *r, struct sv s, uint32_t group)
{
    const size_t *at = pcre2_get_ovector_pointer(r->match);

    if (at[2 * group] == PCRE2_UNSET)
        return SV("");
    return (struct sv){ s.p + at[2 * group], at[2 * group + 1] - at[2 * group] };
}

static enum errc run_extract(struct eval_call *c, struct err *err)
{
    struct regex *r = c->state;
    const struct vec *v = eval_flat(c, 0), *p = eval_flat(c, 1);
    const struct vec *g = c->n_args > 2 ? eval_flat(c, 2) : NULL;

    EACH_VALID_ROW(c, row)
    {
        struct sv s = arg_sv(v, row);
        int64_t group = g ? ARG_AT(int32_t, g, row) : 1;

        TRY(regex_compile(r, arg_sv(p, row), "regexp_extract", err));
        if (group < 0 || group > group_count(r))
            return err_set(err, ERR_SYNTAX,
                           "[INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX] The value of "
                           "parameter(s) `idx` in `regexp_extract` is invalid: Expects "
                           "group index between 0 and %u, but got %d.",
                           group_count(r), (int)group);
        text_put(c, row,
                 regex_find(r, s, 0) ? group_text(r, s, (uint32_t)group) : SV(""));
    }
    return ERR_OK;
}

/* $1, ${name} and \x of a replacement. Digits are taken as long as there is such a group.
 */
static enum errc add_replacement(struct strbuf *out, struct regex *r, struct sv s,
                                 struct sv with, struct err *err)
{
    for (size_t i = 0; i < with.len; i++) {
        if (with.p[i] == '\\' && i + 1 < with.len) {
            strbuf_addc(out, with.p[++i]);
        } else if (with.p[i] != '$') {
            strbuf_addc(out, with.p[i]);
        } else if (i + 1 < with.len && isdigit((unsigned char)with.p[i + 1])) {
            uint32_t group = (uint32_t)(with.p[++i] - '0');

            if (group > group_count(r))
                return err_set(err, ERR_SYNTAX, "No group %u in the pattern", group);
            while (i + 1 < with.len && isdigit((unsigned char)with.p[i + 1]) &&
                   group * 10 + (uint32_t)(with.p[i + 1] - '0') <= group_count(r))
                group = group * 10 + (uint32_t)(with.p[++i] - '0');
            strbuf_add(out, group_text(r, s, group));
        } else {
            const char *end = memchr(with.p + i, '}', with.len - i);
            char name[64];
            size_t len = end ? (size_t)(end - (with.p + i)) : 0;

            if (len < 3 || len - 2 >= sizeof name || with.p[i + 1] != '{')
                return err_set(err, ERR_SYNTAX,
                               "Illegal group reference in the replacement");
            memcpy(name, with.p + i + 2, len - 2);
            name[len - 2] = 0;
            int group = pcre2_substring_number_from_name(r->code, (PCRE2_SPTR)name);
            if (group < 0)
                return err_set(err, ERR_SYNTAX, "No group with name {%s}", name);
            strbuf_add(out, group_text(r, s, (uint32_t)group));
            i += len;
        }
    }
    return ERR_OK;
}

static enum errc replace_all(struct strbuf *out, struct regex *r, struct sv s,
                             struct sv with, size_t from, struct err *err)
{
    size_t done = 0;

    for (size_t at = from; regex_find(r, s, at); at = regex_after(r, s)) {
        const size_t *place = pcre2_get_ovector_pointer(r->match);

        strbuf_add(out, (struct sv){ s.p + done, place[0] - done });
        TRY(add_replacement(out, r, s, with, err));
        done = place[1];
    }
    strbuf_add(out, sv_from(s, done));
    return ERR_OK;
}

static enum errc run_replace(struct eval_call *c, struct err *err)
{
    struct regex *r = c->state;

    for (uint32_t i = 0; i < c->n_args; i++)
        (void)eval_flat(c, i);
    EACH_VALID_ROW(c, row)
    {
        struct sv s = arg_sv(&c->args[0], row);
        int64_t pos = c->n_args > 3 ? ARG_AT(int32_t, &c->args[3], row) : 1;
        struct strbuf text = { 0 };

        if (pos < 1)
            return err_set(err, ERR_SYNTAX,
                           "[INVALID_PARAMETER_VALUE] `pos` in `regexp_replace` has to "
                           "be at least 1");
        TRY(regex_compile(r, arg_sv(&c->args[1], row), "regexp_replace", err));
        enum errc rc = replace_all(&text, r, s, arg_sv(&c->args[2], row),
                                   char_offset(s, pos - 1), err);
        if (rc == ERR_OK)
            text_copy(c, row, strbuf_sv(&text));
        strbuf_release(&text);
        TRY(rc);
    }
    return ERR_OK;
}

static enum errc run_count(struct eval_call *c, struct err *err)
{
    struct regex *r = c->state;
    const struct vec *v = eval_flat(c, 0), *p = eval_flat(c, 1);

    EACH_VALID_ROW(c, row)
    {
        struct sv s = arg_sv(v, row);
        int32_t n = 0;

        TRY(regex_compile(r, arg_sv(p, row), "regexp_count", err));
        for (size_t at = 0; regex_find(r, s, at); at = regex_after(r, s))
            n++;
        ((int32_t *)c->out->data)[row] = n;
    }
    return ERR_OK;
}

static enum errc run_substr(struct eval_call *c, struct err *err)
{
    struct regex *r = c->state;
    const struct vec *v = eval_flat(c, 0), *p = eval_flat(c, 1);

    EACH_VALID_ROW(c, row)
    {
        struct sv s = arg_sv(v, row);

        TRY(regex_compile(r, arg_sv(p, row), "regexp_substr", err));
        if (regex_find(r, s, 0) && group_text(r, s, 0).len)
            text_put(c, row, group_text(r, s, 0));
        else
            c->out->valid[row] = 0;
    }
    return ERR_OK;
}

static enum errc run_instr(struct eval_call *c, struct err *err)
{
    struct regex *r = c->state;
    const struct vec *v = eval_flat(c, 0), *p = eval_flat(c, 1);

    EACH_VALID_ROW(c, row)
    {
        struct sv s = arg_sv(v, row);
        int32_t at = 0;

        TRY(regex_compile(r, arg_sv(p, row), "regexp_instr", err));
        if (regex_find(r, s, 0))
            at = (int32_t)count_chars(
                     (struct sv){ s.p, pcre2_get_ovector_pointer(r->match)[0] }) +
                 1;
        ((int32_t *)c->out->data)[row] = at;
    }
    return ERR_OK;
}

/* lower(x) LIKE lower(pattern) */
static struct expr *replace_ilike(struct arena *a, const struct settings *s,
                                  const struct expr *e)
{
    struct expr *args[3], *out = NULL;
    struct err err;

    for (uint32_t i = 0; i < e->n_args; i++) {
        args[i] = e->args[i];
        if (i < 2 && func_call(a, s, func_find(SV("lower")), &e->args[i], 1, &args[i],
                               &err) != ERR_OK)
            args[i] = e->args[i];
    }
    enum errc rc = func_call(a, s, func_of(FUNC_LIKE), args, e->n_args, &out, &err);
    assert(rc == ERR_OK); /* arguments were bound before */
    (void)rc;
    return out;
}

/* ---- LIKE ANY, LIKE ALL ---- */

static void print_like_list(struct strbuf *out, const struct expr *e, enum expr_print how)
{
    strbuf_addz(out, e->func->name);
    strbuf_addc(out, '(');
    expr_print(out, e->args[0], how);
    strbuf_addc(out, ')');
}

/* A chain of LIKE: text and patterns are bound, so that no call can be refused. */
static struct expr *like_chain(struct arena *a, const struct settings *s,
                               const struct expr *e, bool negated, enum func_id link)
{
    struct expr *chain = NULL;

    for (uint32_t i = 1; i < e->n_args; i++) {
        struct expr *pair[2] = { e->args[0], e->args[i] };
        struct expr *one = func_must_call(a, s, FUNC_LIKE, pair, 2);

        if (negated)
            one = func_must_call(a, s, FUNC_NOT, &one, 1);
        pair[0] = chain;
        pair[1] = one;
        chain = chain ? func_must_call(a, s, link, pair, 2) : one;
    }
    return chain;
}

static struct expr *replace_likeany(struct arena *a, const struct settings *s,
                                    const struct expr *e)
{
    return like_chain(a, s, e, false, FUNC_OR);
}

static struct expr *replace_likeall(struct arena *a, const struct settings *s,
                                    const struct expr *e)
{
    return like_chain(a, s, e, false, FUNC_AND);
}

static struct expr *replace_notlikeany(struct arena *a, const struct settings *s,
                                       const struct expr *e)
{
    return like_chain(a, s, e, true, FUNC_OR);
}

static struct expr *replace_notlikeall(struct arena *a, const struct settings *s,
                                       const struct expr *e)
{
    return like_chain(a, s, e, true, FUNC_AND);
}

#define LIKE_LIST(text, words)                                                           \
    {                                                                                    \
        .name = #text, .min_args = 2, .max_args = 255, .flags = FUNC_MAYBE_NULL,         \
        .sig = "s*:b", .replace = replace_##text, .print = print_like_list,              \
        .usage = words                                                                   \
    }

#define STRICT FUNC_NULL_INTOLERANT
#define REGEX(text, more, min, max, filling, flag, signature, fn, words)                 \
    {                                                                                    \
        .name = text, .aliases = more, .min_args = min, .max_args = max,                 \
        .fill = filling, .flags = STRICT | flag, .sig = signature, .run = fn,            \
        .state_bytes = sizeof(struct regex), .release = regex_release, .usage = words    \
    }

const struct func pattern_funcs[] = {
    { .name = "like",
      .id = FUNC_LIKE,
      .min_args = 2,
      .max_args = 3,
      .flags = STRICT,
      .sig = "sss:b",
      .run = run_like,
      .state_bytes = sizeof(struct like),
      .release = like_release,
      .usage = "str like pattern[ ESCAPE escape] - % is any text, _ any character." },
    { .name = "ilike",
      .min_args = 2,
      .max_args = 3,
      .flags = STRICT,
      .sig = "sss:b",
      .run = run_ilike,
      .replace = replace_ilike,
      .state_bytes = sizeof(struct like),
      .release = like_release,
      .usage = "ilike(str, pattern[, escape]) - As like, whatever the case." },
    LIKE_LIST(likeany, "str like any (pattern, ...) - Like one of them."),
    LIKE_LIST(likeall, "str like all (pattern, ...) - Like each of them."),
    LIKE_LIST(notlikeany, "str not like any (pattern, ...) - Unlike one of them."),
    LIKE_LIST(notlikeall, "str not like all (pattern, ...) - Unlike each of them."),
    { .name = "rlike",
      .aliases = "regexp regexp_like",
      .id = FUNC_RLIKE,
      .min_args = 2,
      .max_args = 2,
      .flags = STRICT,
      .sig = "ss:b",
      .run = run_rlike,
      .state_bytes = sizeof(struct regex),
      .release = regex_release,
      .usage = "rlike(str, regexp) - Is a match of `regexp` found in `str`?" },
    REGEX("regexp_extract", NULL, 2, 3, "i1", 0, "ssi:s", run_extract,
          "regexp_extract(str, regexp[, idx]) - A group of the first match."),
    REGEX("regexp_replace", NULL, 3, 4, "i1", 0, "sssi:s", run_replace,
          "regexp_replace(str, regexp, rep[, position]) - All matches replaced."),
    REGEX("regexp_count", NULL, 2, 2, NULL, 0, "ss:i", run_count,
          "regexp_count(str, regexp) - How many matches there are."),
    REGEX("regexp_substr", NULL, 2, 2, NULL, FUNC_MAYBE_NULL, "ss:s", run_substr,
          "regexp_substr(str, regexp) - The first match, NULL if none."),
    REGEX("regexp_instr", NULL, 2, 3, "i0", 0, "ssi:i", run_instr,
          "regexp_instr(str, regexp) - Where the first match begins, 0 if none."),
    { 0 },
};
