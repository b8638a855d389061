/* Expressions for tests: from SQL text to a bound tree, without analysis. */
#ifndef TESTS_UNIT_ENGINE_EXPR_H
#define TESTS_UNIT_ENGINE_EXPR_H

#include "engine/expr/cast.h"
#include "engine/expr/eval.h"
#include "engine/expr/func.h"
#include "engine/sql/statement.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* The columns a text may name; position is the index. */
struct test_columns {
    const char *const *names;
    const struct type *types;
    uint32_t n;
};

static enum errc test_bind(struct arena *a, const struct test_columns *t, struct expr *e,
                           struct expr **out, struct err *err);

static enum errc test_cast_to(struct arena *a, struct expr *e, struct type to,
                              struct expr **out, struct err *err)
{
    if (!type_eq(e->type, to) && !cast_possible(e->type, to))
        return err_set(err, ERR_SYNTAX, "[DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION]");
    *out = type_eq(e->type, to) ? e : expr_cast(a, e, to);
    return ERR_OK;
}

/* Arguments from, from + step, ... get one type. */
static enum errc test_unify(struct arena *a, struct expr *e, uint32_t from, uint32_t step,
                            bool with_last, struct err *err)
{
    struct type t = e->args[from]->type;

    for (uint32_t i = from; i < e->n_args; i += step)
        if (!type_eq(t, e->args[i]->type) && !coerce_union(t, e->args[i]->type, &t))
            return err_set(err, ERR_SYNTAX, "[DATATYPE_MISMATCH.DATA_DIFF_TYPES]");
    struct expr *last = e->args[e->n_args - 1];
    if (with_last && !type_eq(t, last->type) && !coerce_union(t, last->type, &t))
        return err_set(err, ERR_SYNTAX, "[DATATYPE_MISMATCH.DATA_DIFF_TYPES]");
    for (uint32_t i = from; i < e->n_args; i += step)
        TRY(test_cast_to(a, e->args[i], t, &e->args[i], err));
    if (with_last)
        TRY(test_cast_to(a, last, t, &e->args[e->n_args - 1], err));
    return ERR_OK;
}

static enum errc test_bind_call(struct arena *a, struct expr *e, struct expr **out,
                                struct err *err)
{
    struct sv name = e->parts[e->n_parts - 1];
    const struct func *f = func_find(name);
    const struct agg *g = agg_find(name);

    if (f)
        return func_call(a, NULL, f, e->args, e->n_args, out, err);
    if (g)
        return agg_call(a, NULL, g, e->args, e->n_args, e->distinct, e->filter, out, err);
    return err_set(err, ERR_SYNTAX, "[UNRESOLVED_ROUTINE] %.*s", SV_FMT(name));
}

static enum errc test_bind_name(struct arena *a, const struct test_columns *t,
                                const struct expr *e, struct expr **out, struct err *err)
{
    for (uint32_t i = 0; t && i < t->n; i++)
        if (sv_is(e->parts[e->n_parts - 1], t->names[i])) {
            *out = expr_new(a, EXPR_BOUND, 0);
            (*out)->index = i;
            (*out)->type = t->types[i];
            (*out)->nullable = (*out)->resolved = true;
            (*out)->name = sv(t->names[i]);
            return ERR_OK;
        }
    return err_set(err, ERR_SYNTAX, "[UNRESOLVED_COLUMN] %.*s", SV_FMT(e->parts[0]));
}

static enum errc test_bind(struct arena *a, const struct test_columns *t, struct expr *e,
                           struct expr **out, struct err *err)
{
    if (e->kind == EXPR_NAME)
        return test_bind_name(a, t, e, out, err);
    if (e->kind == EXPR_LITERAL) {
        *out = e;
        return ERR_OK;
    }
    e = expr_copy(a, e);
    for (uint32_t i = 0; i < e->n_args; i++)
        TRY(test_bind(a, t, e->args[i], &e->args[i], err));
    if (e->filter)
        TRY(test_bind(a, t, e->filter, &e->filter, err));
    if (e->kind == EXPR_FUNCTION)
        return test_bind_call(a, e, out, err);
    if (e->kind == EXPR_CAST && !cast_possible(e->args[0]->type, e->type))
        return err_set(err, ERR_SYNTAX, "[DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION]");
    if (e->kind == EXPR_CASE)
        TRY(test_unify(a, e, 1, 2, e->n_args % 2, err));
    if (e->kind == EXPR_IN)
        TRY(test_unify(a, e, 0, 1, false, err));
    expr_settle(e);
    *out = e;
    return ERR_OK;
}

/* Of "1 + 2" the bound tree. */
static inline enum errc test_expr(struct arena *a, const struct test_columns *t,
                                  const char *text, struct expr **out, struct err *err)
{
    struct expr *parsed;

    TRY(sql_parse_expr(a, sv(text), &parsed, err));
    return test_bind(a, t, parsed, out, err);
}

/* As the case files have values: binary in hex, blanks escaped. */
static inline void test_print(struct strbuf *out, const struct value *x)
{
    struct strbuf text = { 0 };

    if (x->type.id == TYPE_BINARY && !x->null) {
        for (size_t i = 0; i < x->u.s.len; i++)
            strbuf_printf(out, "%02X", (unsigned char)x->u.s.p[i]);
        return;
    }
    value_print(&text, x, &zone_utc);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];

        if (c == '\t' || c == '\n' || c == '\r' || c == '\\')
            strbuf_printf(out, "\\%c",
                          c == '\t'   ? 't'
                          : c == '\n' ? 'n'
                          : c == '\r' ? 'r'
                                      : '\\');
        else
            strbuf_addc(out, c);
    }
    strbuf_release(&text);
}

/* A line of engine_expr_cases.txt, cut at its tabs (in place). */
struct test_case {
    char *text, *type, *value;
};

static inline struct test_case *test_cases(struct arena *a, const char *path, uint32_t *n)
{
    FILE *f = fopen(path, "r");
    struct test_case *cases = arena_array(a, 4096, sizeof *cases);
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;

    assert_non_null(f);
    *n = 0;
    while ((len = getline(&line, &cap, f)) > 0) {
        char *copy = arena_bytes(a, (size_t)len + 1);

        memcpy(copy, line, (size_t)len + 1);
        copy[len - 1] = 0;
        char *type = strchr(copy, '\t');
        char *value = type ? strchr(type + 1, '\t') : NULL;
        if (copy[0] == '#' || !value)
            continue;
        *type = *value = 0;
        assert_true(*n < 4096);
        cases[(*n)++] = (struct test_case){ copy, type + 1, value + 1 };
    }
    free(line);
    fclose(f);
    return cases;
}

#endif
