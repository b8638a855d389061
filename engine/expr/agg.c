/* Aggregates by name, and calls of them with types. */
#include "engine/expr/agg_list.h"

#include <string.h>

static const struct agg *const families[] = { sum_aggs,    avg_aggs,        extreme_aggs,
                                              moment_aggs, percentile_aggs, sketch_aggs };

const struct agg *agg_at(uint32_t i)
{
    for (size_t k = 0; k < ARRAY_LEN(families); k++)
        for (const struct agg *g = families[k]; g->name; g++)
            if (i-- == 0)
                return g;
    return NULL;
}

static bool agg_is(const struct agg *g, struct sv name)
{
    const char *word = g->name, *more = g->aliases;

    for (;;) {
        size_t len = strcspn(word, " ");

        if (len == name.len && strncasecmp(word, name.p, len) == 0)
            return true;
        if (word[len]) {
            word += len + 1;
        } else if (more) {
            word = more;
            more = NULL;
        } else {
            return false;
        }
    }
}

const struct agg *agg_find(struct sv name)
{
    const struct agg *g;

    for (uint32_t i = 0; (g = agg_at(i)); i++)
        if (agg_is(g, name))
            return g;
    return NULL;
}

/* The same binding as that of functions. */
static struct func_bind as_func(const struct agg_bind *b, struct func *named)
{
    named->name = b->agg->name;
    return (struct func_bind){ .arena = b->arena,
                               .settings = b->settings,
                               .args = b->args,
                               .n_args = b->n_args,
                               .want = b->want,
                               .func = named };
}

enum errc agg_bind_sig(struct agg_bind *b, const char *sig, struct err *err)
{
    struct func named = { 0 };
    struct func_bind f = as_func(b, &named);

    TRY(func_bind_sig(&f, sig, err));
    b->type = f.type;
    return ERR_OK;
}

enum errc agg_refuse(const struct agg_bind *b, uint32_t i, const char *wanted,
                     struct err *err)
{
    struct func named = { 0 };
    struct func_bind f = as_func(b, &named);

    return func_refuse(&f, i, wanted, err);
}

static enum errc refuse_filter(const struct expr *filter, struct err *err)
{
    struct strbuf text = { 0 };

    expr_print(&text, filter, PRINT_NAME);
    enum errc rc = err_set(err, ERR_SYNTAX,
                           "[DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN] Filter expression "
                           "\"%.*s\" is not a boolean.",
                           SV_FMT(strbuf_sv(&text)));
    strbuf_release(&text);
    return rc;
}

/* DISTINCT of what is not the same each time. */
static enum errc refuse_random(const struct expr *e, struct err *err)
{
    struct strbuf text = { 0 };

    expr_print(&text, e, PRINT_NAME);
    enum errc rc =
        err_set(err, ERR_SYNTAX,
                "[AGGREGATE_FUNCTION_WITH_NONDETERMINISTIC_EXPRESSION] Non-deterministic "
                "expression \"%.*s\" should not appear in the arguments of an aggregate "
                "function.",
                SV_FMT(strbuf_sv(&text)));
    strbuf_release(&text);
    return rc;
}

enum errc agg_call(struct arena *a, const struct settings *s, const struct agg *g,
                   struct expr **args, uint32_t n, bool distinct, struct expr *filter,
                   struct expr **out, struct err *err)
{
    struct agg_bind b = {
        .arena = a, .settings = s, .n_args = n, .nullable = true, .agg = g
    };

    if (n < g->min_args || (g->max_args != 255 && n > g->max_args))
        return err_set(err, ERR_SYNTAX,
                       "[WRONG_NUM_ARGS.WITHOUT_SUGGESTION] The `%s` requires %s%u "
                       "parameters but the actual number is %u.",
                       g->name, g->max_args == g->min_args ? "" : "at least ",
                       g->min_args, n);
    if (filter && filter->resolved && filter->type.id != TYPE_BOOLEAN &&
        filter->type.id != TYPE_NULL)
        return refuse_filter(filter, err);
    b.args = arena_array(a, n + 1, sizeof *b.args);
    b.want = arena_array(a, n + 1, sizeof *b.want);
    for (uint32_t i = 0; i < n; i++) {
        b.args[i] = args[i];
        b.want[i] = args[i]->type;
    }
    if (g->fill && n + 1 == g->max_args) {
        b.args[n] = func_filling(a, g->fill);
        b.want[n] = b.args[n]->type;
        b.n_args++;
    }
    if (g->bind)
        TRY(g->bind(&b, err));
    else
        b.type = b.want[0];
    struct expr *e = expr_new(a, EXPR_AGGREGATE, b.n_args);
    e->agg = b.agg;
    e->type = b.type;
    e->nullable = b.nullable;
    e->distinct = distinct;
    e->filter = filter;
    e->mode = AGG_COMPLETE;
    e->resolved = !filter || filter->resolved;
    for (uint32_t i = 0; i < b.n_args; i++) {
        e->args[i] = b.args[i];
        if (!type_eq(b.args[i]->type, b.want[i])) {
            e->args[i] = expr_cast(a, b.args[i], b.want[i]);
            e->args[i]->implicit = true;
        }
        e->resolved = e->resolved && e->args[i]->resolved;
    }
    for (uint32_t i = 0; i < n; i++)
        if (distinct && args[i]->resolved && !expr_deterministic(args[i]))
            return refuse_random(e, err);
    if (n)
        e->place = args[0]->place;
    *out = e;
    return ERR_OK;
}

/* ---- slots ---- */

void slot_store(struct slot *s, const struct vec *v, uint32_t row, struct arena *heap)
{
    const void *at = vec_at(v, row);

    s->set = 1;
    s->null = 0;
    if (!type_is_text(v->type)) {
        memcpy(&s->u, at, type_width(v->type));
        return;
    }
    const struct str *from = at;
    char *own = s->cap ? (char *)(uintptr_t)s->u.s.u.p : NULL;
    if (from->len <= STR_INLINE) { /* what room there was is forgotten */
        s->u.s = *from;
        s->cap = 0;
        return;
    }
    if (s->cap < from->len) {
        own = arena_bytes(heap, from->len);
        s->cap = from->len;
    }
    memcpy(own, from->u.p, from->len);
    s->u.s = str_make(own, from->len);
}

void slot_put(const struct slot *s, struct vec *out, uint32_t row)
{
    size_t width = type_width(out->type);

    if (!s->set || s->null) {
        out->valid[row] = 0;
        return;
    }
    memcpy((char *)out->data + row * width, &s->u, width);
}
