/* Functions by name, and calls of them with types.
 *
 * The families each have a file and a list; here are lookup, arity and the binding that
 * most functions describe by a string (struct func.sig). Operators and functions with
 * rules of their own bring a bind hook. */
#include "engine/expr/func_list.h"

#include "base/nearest.h"
#include "engine/run/settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct func *const families[] = {
    arith_funcs,  compare_funcs, bit_funcs,    math_funcs,   string_funcs,
    search_funcs, pattern_funcs, format_funcs, digest_funcs, guard_funcs, url_funcs, moment_funcs,
    json_funcs,
    date_funcs,   clock_funcs,   misc_funcs,   window_funcs,
};

/* ---- lookup ---- */

const struct func *func_at(uint32_t i)
{
    for (size_t k = 0; k < ARRAY_LEN(families); k++)
        for (const struct func *f = families[k]; f->name; f++)
            if (i-- == 0)
                return f;
    return NULL;
}

static bool same_word(const char *word, size_t len, struct sv name)
{
    return len == name.len && strncasecmp(word, name.p, len) == 0;
}

/* Is the name among the blank-separated words? */
static bool in_words(const char *words, struct sv name)
{
    while (words && *words) {
        size_t len = strcspn(words, " ");

        if (same_word(words, len, name))
            return true;
        words += len;
        words += strspn(words, " ");
    }
    return false;
}

static bool func_is(const struct func *f, struct sv name)
{
    return same_word(f->name, strlen(f->name), name) || in_words(f->aliases, name) ||
           (f->symbol && same_word(f->symbol, strlen(f->symbol), name));
}

const struct func *func_find(struct sv name)
{
    for (size_t k = 0; k < ARRAY_LEN(families); k++)
        for (const struct func *f = families[k]; f->name; f++)
            if (func_is(f, name))
                return f;
    return NULL;
}

const struct func *func_of(enum func_id id)
{
    for (size_t k = 0; k < ARRAY_LEN(families); k++)
        for (const struct func *f = families[k]; f->name; f++)
            if (f->id == id)
                return f;
    return NULL;
}

static void try_words(struct nearest *n, const char *words)
{
    while (words && *words) {
        size_t len = strcspn(words, " ");

        nearest_try(n, (struct sv){ words, len });
        words += len;
        words += strspn(words, " ");
    }
}

struct sv func_nearest(struct sv name)
{
    struct nearest n = { .word = name };

    for (size_t k = 0; k < ARRAY_LEN(families); k++)
        for (const struct func *f = families[k]; f->name; f++) {
            if (isalpha((unsigned char)f->name[0]))
                nearest_try(&n, sv(f->name));
            try_words(&n, f->aliases);
        }
    for (uint32_t i = 0; agg_at(i); i++) {
        nearest_try(&n, sv(agg_at(i)->name));
        try_words(&n, agg_at(i)->aliases);
    }
    return n.best;
}

/* ---- errors ---- */

static void add_upper_type(struct strbuf *out, struct type t)
{
    size_t from = out->len;

    type_print(out, t);
    for (size_t i = from; i < out->len; i++)
        out->p[i] = (char)toupper((unsigned char)out->p[i]);
}

/* The call as it was written, for messages. */
static void add_call(struct strbuf *out, const struct func_bind *b)
{
    struct expr e = {
        .kind = EXPR_CALL, .func = b->func, .args = b->args, .n_args = b->n_args
    };

    expr_print(out, &e, PRINT_NAME);
}

static const char *ordinal(uint32_t i)
{
    static const char *const words[] = { "first", "second", "third",  "fourth",
                                         "fifth", "sixth",  "seventh" };

    return i < ARRAY_LEN(words) ? words[i] : "next";
}

enum errc func_refuse(const struct func_bind *b, uint32_t i, const char *wanted,
                      struct err *err)
{
    struct strbuf call = { 0 }, arg = { 0 }, type = { 0 };

    add_call(&call, b);
    expr_print(&arg, b->args[i], PRINT_NAME);
    add_upper_type(&type, b->args[i]->type);
    enum errc rc = err_set(
        err, ERR_SYNTAX,
        "[DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE] Cannot resolve \"%.*s\" due to data "
        "type mismatch: Parameter %u requires the %s type, however \"%.*s\" has the type "
        "\"%.*s\".",
        SV_FMT(strbuf_sv(&call)), i + 1, wanted, SV_FMT(strbuf_sv(&arg)),
        SV_FMT(strbuf_sv(&type)));
    strbuf_release(&call);
    strbuf_release(&arg);
    strbuf_release(&type);
    return rc;
}

enum errc func_refuse_pair(const struct func_bind *b, struct err *err)
{
    struct strbuf call = { 0 }, left = { 0 }, right = { 0 };

    add_call(&call, b);
    add_upper_type(&left, b->args[0]->type);
    add_upper_type(&right, b->args[1]->type);
    enum errc rc = err_set(
        err, ERR_SYNTAX,
        "[DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES] Cannot resolve \"%.*s\" due to "
        "data type mismatch: the left and right operands of the binary operator "
        "have incompatible types (\"%.*s\" and \"%.*s\").",
        SV_FMT(strbuf_sv(&call)), SV_FMT(strbuf_sv(&left)), SV_FMT(strbuf_sv(&right)));
    strbuf_release(&call);
    strbuf_release(&left);
    strbuf_release(&right);
    return rc;
}

enum errc func_refuse_both(const struct func_bind *b, const char *wanted, struct err *err)
{
    struct strbuf call = { 0 }, type = { 0 };

    add_call(&call, b);
    add_upper_type(&type, b->args[b->args[0]->type.id == TYPE_NULL]->type);
    enum errc rc =
        err_set(err, ERR_SYNTAX,
                "[DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE] Cannot resolve \"%.*s\" due to "
                "data type mismatch: the binary operator requires the input type %s, "
                "not \"%.*s\".",
                SV_FMT(strbuf_sv(&call)), wanted, SV_FMT(strbuf_sv(&type)));
    strbuf_release(&call);
    strbuf_release(&type);
    return rc;
}

struct expr *func_must_call(struct arena *a, const struct settings *s, enum func_id id,
                            struct expr **args, uint32_t n)
{
    struct expr *e = NULL;
    struct err err;

    if (func_call(a, s, func_of(id), args, n, &e, &err) != ERR_OK)
        die("replacing a call that was bound: %s", err.text);
    return e;
}

static enum errc refuse_count(const char *name, uint32_t min, uint32_t max, uint32_t n,
                              struct err *err)
{
    char wanted[64];

    if (max == 255)
        snprintf(wanted, sizeof wanted, "> %d", (int)min - 1);
    else if (min == max)
        snprintf(wanted, sizeof wanted, "%u", min);
    else if (min + 1 == max)
        snprintf(wanted, sizeof wanted, "[%u, %u]", min, max);
    else
        snprintf(wanted, sizeof wanted, "[%u .. %u]", min, max);
    return err_set(err, ERR_SYNTAX,
                   "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `%s` requires %s parameters "
                   "but the actual number is %u.",
                   name, wanted, n);
}

/* ---- binding by signature ---- */

static const struct {
    char letter;
    uint8_t id;
    const char *wanted;
} classes[] = {
    { 'b', TYPE_BOOLEAN, "\"BOOLEAN\"" }, { 'i', TYPE_INT, "\"INT\"" },
    { 'l', TYPE_LONG, "\"BIGINT\"" },     { 'd', TYPE_DOUBLE, "\"DOUBLE\"" },
    { 's', TYPE_STRING, "\"STRING\"" },   { 'x', TYPE_BINARY, "\"BINARY\"" },
    { 'D', TYPE_DATE, "\"DATE\"" },       { 'T', TYPE_TIMESTAMP, "\"TIMESTAMP\"" },
};

static size_t class_of(char letter)
{
    size_t k = 0;

    while (k < ARRAY_LEN(classes) && classes[k].letter != letter)
        k++;
    return k;
}

enum errc func_unify(struct func_bind *b, uint32_t from, struct type *t, struct err *err)
{
    struct type common = b->args[from]->type;

    for (uint32_t i = from + 1; i < b->n_args; i++)
        if (!type_eq(common, b->args[i]->type) &&
            !coerce_union(common, b->args[i]->type, &common)) {
            struct strbuf call = { 0 };

            add_call(&call, b);
            enum errc rc =
                err_set(err, ERR_SYNTAX,
                        "[DATATYPE_MISMATCH.DATA_DIFF_TYPES] Cannot resolve \"%.*s\" due "
                        "to data type mismatch: Input to `%s` should all be the same "
                        "type, but the %s is not.",
                        SV_FMT(strbuf_sv(&call)), b->func->name, ordinal(i));
            strbuf_release(&call);
            return rc;
        }
    for (uint32_t i = from; i < b->n_args; i++)
        b->want[i] = common;
    *t = common;
    return ERR_OK;
}

static enum errc bind_letter(struct func_bind *b, uint32_t i, char letter,
                             struct err *err)
{
    struct type from = b->args[i]->type;
    size_t k = class_of(letter);

    switch (letter) {
    case 'a':
    case 'u':
        return ERR_OK;
    case 't':
        if (type_is_text(from))
            return ERR_OK;
        k = class_of('s');
        break;
    case 'n':
        if (type_is_numeric(from))
            return ERR_OK;
        if (from.id != TYPE_NULL && from.id != TYPE_STRING)
            return func_refuse(b, i, "\"NUMERIC\"", err);
        b->want[i] = type_of(TYPE_DOUBLE);
        return ERR_OK;
    case 'g':
        if (type_is_integral(from))
            return ERR_OK;
        if (from.id != TYPE_NULL)
            return func_refuse(b, i, "\"INTEGRAL\"", err);
        b->want[i] = type_of(TYPE_INT);
        return ERR_OK;
    default:
        break;
    }
    struct type to = type_of((enum type_id)classes[k].id);
    if (!type_eq(from, to) && !coerce_implicit(from, to))
        return func_refuse(b, i, classes[k].wanted, err);
    b->want[i] = to;
    return ERR_OK;
}

enum errc func_bind_sig(struct func_bind *b, const char *sig, struct err *err)
{
    const char *colon = strchr(sig, ':'), *at = sig;
    uint32_t first_u = b->n_args;

    for (uint32_t i = 0; i < b->n_args; i++) {
        TRY(bind_letter(b, i, *at, err));
        if (*at == 'u' && first_u == b->n_args)
            first_u = i;
        if (at[1] != '*' && at + 1 < colon)
            at++;
    }
    if (first_u < b->n_args) {
        struct type t;

        TRY(func_unify(b, first_u, &t, err));
    }
    if (isdigit((unsigned char)colon[1]))
        b->type = b->want[colon[1] - '1'];
    else
        b->type = type_of((enum type_id)classes[class_of(colon[1])].id);
    return ERR_OK;
}

/* ---- types of operands ---- */

bool func_literal(const struct expr *e, struct value *out)
{
    if (e->kind != EXPR_LITERAL || e->value.null)
        return false;
    *out = e->value;
    return true;
}

struct type func_as_decimal(const struct expr *e)
{
    struct value v;
    int digits = 1;

    if (!func_literal(e, &v) || !type_is_integral(v.type))
        return decimal_for(e->type);
    for (int64_t i = v.u.i / 10; i; i /= 10)
        digits++;
    return type_decimal(digits, 0);
}

static struct type wider_integral(struct type a, struct type b)
{
    return a.id > b.id ? a : b;
}

static bool is_floating(struct type t)
{
    return t.id == TYPE_FLOAT || t.id == TYPE_DOUBLE;
}

/* Two numbers that are not both decimals. */
static struct type wider_number(const struct expr *x, const struct expr *y)
{
    struct type a = x->type, b = y->type;

    if (a.id == TYPE_DECIMAL || b.id == TYPE_DECIMAL) {
        if (is_floating(a) || is_floating(b))
            return type_of(TYPE_DOUBLE);
        return decimal_wider(func_as_decimal(x), func_as_decimal(y));
    }
    if (is_floating(a) || is_floating(b))
        return a.id == TYPE_DOUBLE || b.id == TYPE_DOUBLE ? type_of(TYPE_DOUBLE)
                                                          : type_of(TYPE_FLOAT);
    return wider_integral(a, b);
}

/* Text counts as double in arithmetic, NULL as the other operand. */
bool func_arith_types(struct func_bind *b, struct type *t)
{
    struct expr *x = b->args[0], *y = b->args[1];
    struct expr as_double = { .kind = EXPR_BOUND, .type = type_of(TYPE_DOUBLE) };

    if (x->type.id == TYPE_STRING)
        x = &as_double;
    if (y->type.id == TYPE_STRING)
        y = &as_double;
    if (x->type.id == TYPE_NULL)
        x = y->type.id == TYPE_NULL ? &as_double : y;
    if (y->type.id == TYPE_NULL)
        y = x;
    if (!type_is_numeric(x->type) || !type_is_numeric(y->type))
        return false;
    *t = wider_number(x, y);
    b->want[0] = t->id == TYPE_DECIMAL ? func_as_decimal(x) : *t;
    b->want[1] = t->id == TYPE_DECIMAL ? func_as_decimal(y) : *t;
    return true;
}

static bool is_moment(struct type t)
{
    return t.id == TYPE_DATE || t.id == TYPE_TIMESTAMP || t.id == TYPE_TIMESTAMP_NTZ;
}

/* Text meets the other side as that side's type; only decimals meet it as double. */
static bool compare_text_with(struct type other, struct type *t)
{
    if (other.id == TYPE_DECIMAL)
        *t = type_of(TYPE_DOUBLE);
    else
        *t = other;
    return other.id != TYPE_BINARY || (*t = type_of(TYPE_BINARY), true);
}

bool func_compare_type(const struct settings *s, const struct expr *x,
                       const struct expr *y, struct type *t)
{
    struct type a = x->type, b = y->type;

    (void)s;
    *t = a;
    if (type_eq(a, b) || b.id == TYPE_NULL)
        return true;
    *t = b;
    if (a.id == TYPE_NULL)
        return true;
    if (type_is_numeric(a) && type_is_numeric(b)) {
        *t = wider_number(x, y);
        return true;
    }
    if (a.id == TYPE_STRING)
        return compare_text_with(b, t);
    if (b.id == TYPE_STRING)
        return compare_text_with(a, t);
    if (is_moment(a) && is_moment(b)) {
        bool zoned = a.id == TYPE_TIMESTAMP || b.id == TYPE_TIMESTAMP;

        *t = type_of(zoned ? TYPE_TIMESTAMP : TYPE_TIMESTAMP_NTZ);
        return true;
    }
    /* intervals of one kind compare whatever their fields; numbers with booleans: the
     * boolean becomes a number */
    if (a.id == b.id && (a.id == TYPE_INTERVAL_DAY || a.id == TYPE_INTERVAL_MONTH))
        return true;
    if (a.id == TYPE_BOOLEAN && type_is_numeric(b))
        return true;
    *t = a;
    return b.id == TYPE_BOOLEAN && type_is_numeric(a);
}

/* ---- calls ---- */

struct expr *func_filling(struct arena *a, const char *fill)
{
    switch (fill[0]) {
    case 'i':
        return expr_literal(a, value_int((int32_t)strtol(fill + 1, NULL, 10)));
    case 'b':
        return expr_literal(a, value_bool(fill[1] == 't'));
    default:
        return expr_literal(a, value_string(sv(fill + 1)));
    }
}

static enum errc bind_call(struct func_bind *b, struct err *err)
{
    const struct func *f = b->func;

    if (f->bind)
        return f->bind(b, err);
    if (f->sig)
        return func_bind_sig(b, f->sig, err);
    b->type = b->n_args ? b->args[0]->type : type_of(TYPE_NULL);
    return ERR_OK;
}

static struct expr *cast_argument(struct arena *a, struct expr *e, struct type to)
{
    if (type_eq(e->type, to))
        return e;
    struct expr *cast = expr_cast(a, e, to);
    cast->implicit = true;
    return cast;
}

bool func_nullable(const struct func *f, struct type result, struct expr *const *args,
                   uint32_t n)
{
    bool any = false, all = n > 0;

    for (uint32_t i = 0; i < n; i++) {
        any = any || args[i]->nullable;
        all = all && args[i]->nullable;
    }
    if (f->flags & FUNC_NOT_NULL)
        return false;
    if ((f->flags & FUNC_MAYBE_NULL) ||
        ((f->flags & FUNC_DECIMAL_NULL) && result.id == TYPE_DECIMAL))
        return true;
    if (f->flags & FUNC_ALL_NULL)
        return all;
    if (f->id == FUNC_IF)
        return args[1]->nullable || args[2]->nullable;
    return any;
}

enum errc func_call(struct arena *a, const struct settings *s, const struct func *f,
                    struct expr **args, uint32_t n, struct expr **out, struct err *err)
{
    struct func_bind b = { .arena = a, .settings = s, .n_args = n, .func = f };

    if (n < f->min_args || (f->max_args != 255 && n > f->max_args))
        return refuse_count(f->name, f->min_args, f->max_args, n, err);
    b.args = arena_array(a, n + 1, sizeof *b.args);
    b.want = arena_array(a, n + 1, sizeof *b.want);
    for (uint32_t i = 0; i < n; i++) {
        b.args[i] = args[i];
        b.want[i] = args[i]->type;
    }
    if (f->fill && n + 1 == f->max_args) {
        b.args[n] = func_filling(a, f->fill);
        b.want[n] = b.args[n]->type;
        b.n_args++;
    }
    TRY(bind_call(&b, err));
    if (b.done) {
        *out = b.done;
        return ERR_OK;
    }
    struct expr *e = expr_new(a, EXPR_CALL, b.n_args);
    e->func = b.func;
    e->type = b.type;
    e->resolved = true;
    for (uint32_t i = 0; i < b.n_args; i++) {
        e->args[i] = cast_argument(a, b.args[i], b.want[i]);
        e->resolved = e->resolved && e->args[i]->resolved;
    }
    e->nullable = func_nullable(b.func, b.type, e->args, b.n_args);
    if (n)
        e->place = args[0]->place;
    *out = e;
    return ERR_OK;
}
