/* Expressions over batches: trees become nodes, nodes columns.
 *
 * Equal subtrees are one node. A run asks the roots; a node asks its arguments, computes
 * once, and keeps the result for whoever asks again in the same run.
 *
 * Scopes. CASE, AND and their like ask arguments for fewer rows. What was computed for
 * all rows serves there too, but not the other way round: each narrowing is a scope with
 * a number and a parent, and a node's result holds where its scope is the current one or
 * one around it.
 *
 * Constants (nothing varies below) are computed once, on a batch of one row, when first
 * asked for: an error in a branch that is never taken does not happen.
 *
 * Dictionaries. A node that depends on one column only is computed over the column's
 * dictionary, if that has one, and yields the same codes over the results. They are kept
 * while the dictionary's serial stays the same. The rows of a dictionary go through an
 * evaluator of their own, so that nothing of this one is overwritten.
 *
 * Buffers. A node writes into a buffer that is free again once its only parent is done:
 * a chain of operations stays in the same few pages of cache. Shared nodes and roots have
 * theirs to themselves. */
#include "engine/expr/eval_node.h"

#include "engine/expr/cast.h"
#include "engine/run/settings.h"

#include <assert.h>

/* ---- compiling ---- */

static struct node *build(struct eval *e, const struct expr *x);

static struct node *find_equal(struct eval *e, const struct expr *x)
{
    for (uint32_t i = 0; i < e->n_all; i++)
        if (!e->all[i]->varies && expr_eq(e->all[i]->expr, x))
            return e->all[i];
    return NULL;
}

static void remember(struct eval *e, struct node *n)
{
    if (e->n_all == e->cap_all) {
        uint32_t cap = e->cap_all ? e->cap_all * 2 : 16;
        struct node **all = arena_array(e->arena, cap, sizeof *all);

        if (e->n_all)
            memcpy(all, e->all, e->n_all * sizeof *all);
        e->all = all;
        e->cap_all = cap;
    }
    e->all[e->n_all++] = n;
}

static bool is_strict(const struct node *n)
{
    return n->kind == NODE_CAST ||
           (n->kind == NODE_CALL && (n->expr->func->flags & FUNC_NULL_INTOLERANT));
}

static enum node_kind kind_of(const struct expr *x)
{
    if (x->kind == EXPR_BOUND)
        return NODE_COLUMN;
    if (x->kind == EXPR_LITERAL || x->kind == EXPR_SUBQUERY_RESULT)
        return NODE_VALUE;
    if (x->kind == EXPR_CAST)
        return NODE_CAST;
    if (x->kind == EXPR_CASE)
        return NODE_CHOICE;
    if (x->kind == EXPR_IN)
        return NODE_IN;
    assert(x->kind == EXPR_CALL);
    switch (x->func->id) {
    case FUNC_AND:
    case FUNC_OR:
        return NODE_LOGIC;
    case FUNC_IF:
        return NODE_CHOICE;
    case FUNC_COALESCE:
        return NODE_COALESCE;
    default: /* everything with a kernel */
        assert(x->func->run);
        return NODE_CALL;
    }
}

static uint32_t own_cost(const struct node *n)
{
    bool text = type_is_text(n->expr->type);

    if (n->kind == NODE_COLUMN || n->kind == NODE_VALUE)
        return 0;
    for (uint32_t i = 0; i < n->n_args; i++)
        text = text || type_is_text(n->args[i]->expr->type);
    if (n->kind == NODE_CAST)
        return text ? 24 : 2;
    if (n->kind == NODE_CALL &&
        (n->expr->func->id == FUNC_IS_NOT_NULL || n->expr->func->id == FUNC_IS_NULL))
        return 0;
    if (n->kind == NODE_CALL && n->expr->func->state_bytes)
        return 40;
    return text ? 12 : n->kind == NODE_CALL ? 1 : 4;
}

/* What holds of the node because of those below. */
static void settle_node(struct node *n)
{
    bool some_stays = false, all_stay = n->n_args > 0;

    n->column = n->kind == NODE_COLUMN ? (int32_t)n->expr->index : NO_COLUMN;
    n->varies =
        n->kind == NODE_CALL && (n->expr->func->flags & FUNC_NONDETERMINISTIC) != 0;
    n->constant = n->kind != NODE_COLUMN;
    n->cost = own_cost(n);
    for (uint32_t i = 0; i < n->n_args; i++) {
        const struct node *arg = n->args[i];

        n->cost += arg->cost;
        n->varies = n->varies || arg->varies;
        n->constant = n->constant && arg->constant;
        if (arg->column != NO_COLUMN)
            n->column = n->column == NO_COLUMN || n->column == arg->column ? arg->column
                                                                           : MANY_COLUMNS;
        some_stays = some_stays || arg->null_stays;
        all_stay = all_stay && arg->null_stays;
    }
    n->constant = n->constant && !n->varies;
    n->null_stays = n->kind == NODE_COLUMN || (is_strict(n) && some_stays) ||
                    (n->kind == NODE_IN && n->args[0]->null_stays) ||
                    (n->kind == NODE_LOGIC && all_stay);
}

static void set_call(struct eval *e, struct node *n)
{
    struct eval_call *c = &n->call;

    n->arg_vecs = arena_array(e->arena, n->n_args + 1, sizeof *n->arg_vecs);
    c->unpacked = arena_array(e->arena, n->n_args + 1, sizeof *c->unpacked);
    c->expr = n->expr;
    c->args = n->arg_vecs;
    c->n_args = n->n_args;
    c->out = &n->result;
    c->env = &e->env;
    c->text = &e->text;
    c->keep = &e->memory;
    if (n->kind == NODE_CALL && n->expr->func->state_bytes)
        c->state = arena_alloc(&e->memory, n->expr->func->state_bytes);
}

/* Nothing to compute: what shows through. */
static const struct expr *skip_names(const struct expr *x)
{
    for (;;) {
        bool plain = x->kind == EXPR_ALIAS || x->kind == EXPR_SORT_ORDER ||
                     (x->kind == EXPR_CAST && type_eq(x->type, x->args[0]->type));

        if (!plain)
            return x;
        x = x->args[0];
    }
}

/* Of an IN with literals only the tested value is a node: lists may be long. */
static uint32_t count_args(const struct expr *x, bool *literals)
{
    *literals = false;
    if (x->kind != EXPR_IN)
        return x->n_args;
    *literals = true;
    for (uint32_t i = 1; i < x->n_args; i++)
        *literals = *literals && x->args[i]->kind == EXPR_LITERAL;
    return *literals ? 1 : x->n_args;
}

static struct node *build(struct eval *e, const struct expr *x)
{
    struct node *n;
    bool literals;

    x = skip_names(x);
    if (x->kind == EXPR_CALL && x->func->replace)
        return build(e, x->func->replace(e->arena, e->env.settings, x));
    n = find_equal(e, x);
    if (n)
        return n;
    n = ARENA_NEW(e->arena, struct node);
    n->expr = x;
    n->kind = kind_of(x);
    n->n_args = count_args(x, &literals);
    n->args = arena_array(e->arena, n->n_args + 1, sizeof(struct node *));
    for (uint32_t i = 0; i < n->n_args; i++) {
        n->args[i] = build(e, x->args[i]);
        n->args[i]->n_parents++;
    }
    settle_node(n);
    set_call(e, n);
    remember(e, n);
    return n;
}

/* ---- buffers ---- */

static uint32_t width_class(size_t width)
{
    return (uint32_t)__builtin_ctzl(width);
}

static struct buffer *take_buffer(struct eval *e, size_t width)
{
    struct buffer **list = &e->free[width_class(width)];
    struct buffer *found = *list;

    if (found) {
        *list = found->next_free;
        return found;
    }
    found = ARENA_NEW(e->arena, struct buffer);
    found->width = (uint32_t)width;
    return found;
}

static void give_back(struct eval *e, struct node *n)
{
    if (!n->buffer || n->n_parents != 1)
        return;
    struct buffer **list = &e->free[width_class(n->buffer->width)];
    n->buffer->next_free = *list;
    *list = n->buffer;
}

/* In the order of evaluation. Lazy nodes write into their own buffer before they are done
 * with all arguments, and may hold several results at once. What is shared and first
 * computed
 * below one of them, for some rows, may be computed again later for all: buffers below
 * are kept. */
static void assign_buffers(struct eval *e, struct node *n, bool below_lazy, bool keep)
{
    bool lazy =
        n->kind != NODE_CALL && n->kind != NODE_CAST; /* IN compares one by one too */

    if (n->buffer || n->kind == NODE_COLUMN || n->kind == NODE_VALUE)
        return;
    keep = keep || (below_lazy && n->n_parents > 1);
    below_lazy = below_lazy || lazy;
    if (lazy)
        n->buffer = take_buffer(e, type_width(n->expr->type));
    for (uint32_t i = 0; i < n->n_args; i++) {
        assign_buffers(e, n->args[i], below_lazy, keep);
    }
    if (!lazy)
        n->buffer = take_buffer(e, type_width(n->expr->type));
    if (!keep)
        for (uint32_t i = 0; i < n->n_args; i++)
            give_back(e, n->args[i]);
}

struct vec node_out(struct eval *e, struct node *n, bool with_valid)
{
    struct buffer *f = n->buffer;

    if (!f->data)
        f->data = arena_alloc(&e->memory, (size_t)BATCH_ROWS * f->width + 64);
    if (with_valid) {
        if (!f->valid)
            f->valid = arena_alloc(&e->memory, BATCH_ROWS + 64);
        memset(f->valid, 1, BATCH_ROWS);
    }
    return (struct vec){ .type = n->expr->type,
                         .kind = VEC_FLAT,
                         .data = f->data,
                         .valid = with_valid ? f->valid : NULL };
}

uint32_t *node_sel(struct eval *e, struct node *n, uint32_t which)
{
    if (!n->sel[which])
        n->sel[which] = arena_array(&e->memory, BATCH_ROWS + 16, sizeof(uint32_t));
    return n->sel[which];
}

/* Room for v's rows as FLAT. */
static struct vec room_for(struct arena *keep, struct vec *room, const struct vec *v)
{
    bool with_valid = v->valid || (v->kind == VEC_DICT && v->dict->valid);
    struct vec flat = { .type = v->type };

    if (!room->data)
        room->data = arena_alloc(keep, (size_t)BATCH_ROWS * type_width(v->type) + 64);
    if (with_valid && !room->valid)
        room->valid = arena_alloc(keep, BATCH_ROWS + 64);
    flat.data = room->data;
    flat.valid = with_valid ? room->valid : NULL;
    return flat;
}

const struct vec *eval_flat(struct eval_call *c, uint32_t arg)
{
    struct vec *v = (struct vec *)(uintptr_t)&c->args[arg]; /* the evaluator's own */

    if (v->kind == VEC_DICT) {
        struct vec flat = room_for(c->keep, &c->unpacked[arg], v);

        vec_unpack(&flat, v, c->batch);
        *v = flat;
    }
    return v;
}

const struct vec *node_flat(struct eval *e, struct node *n, const struct batch *b)
{
    if (n->result.kind == VEC_DICT) {
        struct vec flat = room_for(&e->memory, &n->room, &n->result);

        vec_unpack(&flat, &n->result, b);
        n->result = flat;
    }
    return &n->result;
}

/* ---- scopes ---- */

static bool scope_holds(const struct eval *e, uint32_t scope)
{
    uint32_t s = e->scope;

    while (s > scope)
        s = e->scope_parents[s];
    return s == scope;
}

void narrow_enter(struct eval *e, struct narrow *s, const struct batch *b,
                  const uint32_t *sel, uint32_t n)
{
    if (e->n_scopes >= e->cap_scopes) { /* none yet: 0 is the batch's own */
        uint32_t cap = e->cap_scopes ? e->cap_scopes * 2 : 64;
        uint32_t *parents = arena_array(&e->memory, cap, sizeof *parents);

        if (e->cap_scopes)
            memcpy(parents, e->scope_parents, e->cap_scopes * sizeof *parents);
        e->scope_parents = parents;
        e->cap_scopes = cap;
    }
    s->batch = *b;
    s->batch.sel = sel;
    s->batch.n_sel = n;
    s->outer = e->scope;
    e->scope_parents[e->n_scopes] = e->scope;
    e->scope = e->n_scopes++;
}

void narrow_leave(struct eval *e, const struct narrow *s)
{
    e->scope = s->outer;
}

void node_start_run(struct eval *e)
{
    e->run++;
    e->scope = 0;
    e->n_scopes = 1; /* 0 is the batch itself */
    arena_reset(&e->text);
}

/* ---- calls ---- */

static void and_mask(uint8_t *restrict to, const uint8_t *restrict from, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        to[i] &= from[i];
}

/* 0 where the argument is NULL. */
static void mask_argument(uint8_t *valid, const struct vec *v, const struct batch *b)
{
    if (v->type.id == TYPE_NULL || (v->kind == VEC_CONST && v->valid && !v->valid[0])) {
        memset(valid, 0, b->n_rows);
        return;
    }
    if (v->kind == VEC_CONST)
        return;
    if (v->valid)
        and_mask(valid, v->valid, b->n_rows);
    if (v->kind == VEC_DICT && v->dict->valid)
        for (uint32_t i = 0; i < b->n_sel; i++) {
            uint32_t row = batch_row(b, i);

            if (valid[row])
                valid[row] = v->dict->valid[v->codes[row]];
        }
}

static bool may_have_null(const struct vec *v)
{
    return v->valid || v->type.id == TYPE_NULL || (v->kind == VEC_DICT && v->dict->valid);
}

static bool writes_nulls(const struct expr *x)
{
    uint32_t flags = x->func->flags;

    return (flags & FUNC_MAYBE_NULL) ||
           ((flags & FUNC_DECIMAL_NULL) && x->type.id == TYPE_DECIMAL) ||
           !(flags & (FUNC_NULL_INTOLERANT | FUNC_NOT_NULL));
}

/* The result's mask before the kernel runs. True: no row is left to compute. */
static bool prepare_out(struct eval *e, struct node *n, const struct batch *b,
                        bool strict, bool writes)
{
    bool nulls = false;

    for (uint32_t i = 0; strict && i < n->n_args; i++)
        nulls = nulls || may_have_null(&n->arg_vecs[i]);
    n->result = node_out(e, n, nulls || writes);
    if (!nulls)
        return false;
    for (uint32_t i = 0; i < n->n_args; i++)
        mask_argument(n->result.valid, &n->arg_vecs[i], b);
    return !b->sel && !memchr(n->result.valid, 1, b->n_rows);
}

static void drop_idle_mask(struct vec *v, const struct batch *b)
{
    if (v->valid && !memchr(v->valid, 0, b->n_rows))
        v->valid = NULL;
}

static enum errc eval_call_node(struct eval *e, struct node *n, const struct batch *b,
                                struct err *err)
{
    static const struct batch one = { .n_rows = 1, .n_sel = 1 };
    bool cast = n->kind == NODE_CAST, strict = is_strict(n);
    bool same = n->n_args > 0 && !n->varies; /* all arguments constant: so is it */
    bool writes =
        cast ? cast_may_null(n->expr->args[0]->type, n->expr->type) || n->expr->try_cast
             : writes_nulls(n->expr);

    for (uint32_t i = 0; i < n->n_args; i++) {
        TRY(node_eval(e, n->args[i], b, err));
        n->arg_vecs[i] = n->args[i]->result;
        same = same && n->arg_vecs[i].kind == VEC_CONST;
    }
    n->call.batch = same ? &one : b;
    if (!prepare_out(e, n, n->call.batch, strict, writes)) {
        if (cast) {
            (void)eval_flat(&n->call, 0);
            TRY(cast_run(&n->call, err));
        } else {
            TRY(n->expr->func->run(&n->call, err));
        }
    }
    if (same)
        n->result.kind = VEC_CONST;
    else
        drop_idle_mask(&n->result, b);
    return ERR_OK;
}

/* ---- values and constants ---- */

/* A vec of one row that lives as long as the evaluator. */
static struct vec keep_constant(struct eval *e, const struct value *x)
{
    struct vec v = vec_flat(&e->memory, x->type, 1, true);
    struct value kept = *x;

    if (!x->null && type_is_text(x->type))
        kept.u.s = arena_sv(&e->memory, x->u.s);
    value_store(&v, 0, &kept);
    v.kind = VEC_CONST;
    if (!x->null && x->type.id != TYPE_NULL)
        v.valid = NULL;
    else
        v.valid[0] = 0;
    return v;
}

static enum errc eval_kind(struct eval *e, struct node *n, const struct batch *b,
                           struct err *err)
{
    switch (n->kind) {
    case NODE_COLUMN:
    case NODE_VALUE:
        break;
    case NODE_CALL:
    case NODE_CAST:
        return eval_call_node(e, n, b, err);
    case NODE_LOGIC:
        return node_eval_logic(e, n, b, err);
    case NODE_CHOICE:
        return node_eval_choice(e, n, b, err);
    case NODE_COALESCE:
        return node_eval_coalesce(e, n, b, err);
    case NODE_IN:
        return node_eval_in(e, n, b, err);
    }
    return ERR_OK;
}

static enum errc eval_constant_node(struct eval *e, struct node *n, struct err *err)
{
    static const struct batch one = { .n_rows = 1, .n_sel = 1 };
    struct value x;

    if (n->kind == NODE_VALUE) {
        x = n->expr->kind == EXPR_LITERAL ? n->expr->value : *n->expr->slot;
        x.type = n->expr->type;
    } else {
        TRY(eval_kind(e, n, &one, err));
        x = value_at(&n->result, 0);
    }
    n->result = keep_constant(e, &x);
    n->computed = true;
    return ERR_OK;
}

/* ---- by dictionary ---- */

static bool worth_by_code(const struct eval *e, const struct node *n,
                          const struct batch *b)
{
    if (n->column < 0 || n->varies || e->ansi)
        return false;
    const struct vec *v = &b->columns[n->column];
    if (v->kind != VEC_DICT || !v->dict->n_values || (v->valid && !n->null_stays))
        return false;
    if (v->dict->serial && n->by_code && n->by_code->serial == v->dict->serial)
        return true;
    return v->dict->n_values <= (v->dict->serial ? 16 : 1) * (uint64_t)b->n_sel;
}

static struct by_code *by_code_new(struct eval *e, const struct node *n)
{
    struct by_code *c = ARENA_NEW(e->arena, struct by_code);

    c->eval = eval_new(e->arena, n->expr, &e->env);
    c->columns = arena_array(e->arena, (size_t)n->column + 1, sizeof *c->columns);
    return c;
}

static void by_code_reserve(struct by_code *c, struct type t, uint32_t n)
{
    if (n > c->cap) {
        arena_release(&c->memory);
        c->values = vec_flat(&c->memory, t, n, true);
        c->mask = c->values.valid;
        c->cap = n;
    }
    c->values.valid = c->mask;
    memset(c->mask, 1, n);
    arena_reset(&c->text);
}

/* Rows of a run into values from..from+n. */
static void by_code_keep(struct by_code *c, const struct vec *v, uint32_t from,
                         uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct value x = value_at(v, i);

        if (!x.null && type_is_text(x.type))
            x.u.s = arena_sv(&c->text, x.u.s);
        value_store(&c->values, from + i, &x);
    }
}

static enum errc by_code_fill(struct by_code *c, const struct node *n,
                              const struct vec *dict, struct err *err)
{
    size_t width = type_width(dict->type);

    c->serial = 0;
    by_code_reserve(c, n->expr->type, dict->n_values);
    for (uint32_t from = 0; from < dict->n_values; from += BATCH_ROWS) {
        uint32_t left = dict->n_values - from;
        struct batch b = { .n_rows = left < BATCH_ROWS ? left : BATCH_ROWS,
                           .columns = c->columns,
                           .n_columns = (uint32_t)n->column + 1 };
        struct vec out;

        b.n_sel = b.n_rows;
        c->columns[n->column] =
            (struct vec){ .type = dict->type,
                          .kind = VEC_FLAT,
                          .data = (char *)dict->data + from * width,
                          .valid = dict->valid ? dict->valid + from : NULL };
        TRY(eval_run(c->eval, &b, &out, err));
        by_code_keep(c, &out, from, b.n_rows);
    }
    c->serial = dict->serial;
    c->values.valid = memchr(c->mask, 0, dict->n_values) ? c->mask : NULL;
    c->values.n_values = dict->n_values;
    c->values.serial = vec_new_serial();
    return ERR_OK;
}

static enum errc eval_by_code(struct eval *e, struct node *n, const struct batch *b,
                              struct err *err)
{
    const struct vec *column = &b->columns[n->column];

    if (!n->by_code)
        n->by_code = by_code_new(e, n);
    if (!column->dict->serial || n->by_code->serial != column->dict->serial)
        TRY(by_code_fill(n->by_code, n, column->dict, err));
    n->result = (struct vec){ .type = n->expr->type,
                              .kind = VEC_DICT,
                              .valid = column->valid,
                              .codes = column->codes,
                              .dict = &n->by_code->values };
    return ERR_OK;
}

/* ---- running ---- */

enum errc node_eval(struct eval *e, struct node *n, const struct batch *b,
                    struct err *err)
{
    if (n->kind == NODE_COLUMN) {
        assert(n->expr->index < b->n_columns);
        n->result = b->columns[n->expr->index];
        return ERR_OK;
    }
    if (n->constant)
        return n->computed ? ERR_OK : eval_constant_node(e, n, err);
    if (n->run == e->run && scope_holds(e, n->scope))
        return ERR_OK;
    if (worth_by_code(e, n, b))
        TRY(eval_by_code(e, n, b, err));
    else
        TRY(eval_kind(e, n, b, err));
    n->run = e->run;
    n->scope = e->scope;
    return ERR_OK;
}

struct eval *eval_new_list(struct arena *a, struct expr *const *bound, uint32_t n,
                           const struct eval_env *env)
{
    struct eval *e = ARENA_NEW(a, struct eval);

    e->arena = a;
    if (env)
        e->env = *env;
    if (!e->env.zone)
        e->env.zone = &zone_utc;
    e->ansi = e->env.settings && settings_bool(e->env.settings, SET_ANSI);
    e->n_roots = n;
    e->roots = arena_array(a, n + 1, sizeof(struct node *));
    for (uint32_t i = 0; i < n; i++) {
        e->roots[i] = build(e, bound[i]);
        e->roots[i]->n_parents += 2; /* its result outlives the run */
    }
    for (uint32_t i = 0; i < n; i++)
        assign_buffers(e, e->roots[i], false, false);
    return e;
}

struct eval *eval_new(struct arena *a, const struct expr *bound,
                      const struct eval_env *env)
{
    struct expr *list[1] = { (struct expr *)(uintptr_t)bound };

    return eval_new_list(a, list, 1, env);
}

enum errc eval_run_list(struct eval *e, const struct batch *b, struct vec *out,
                        struct err *err)
{
    assert(b->n_rows <= BATCH_ROWS);
    node_start_run(e);
    for (uint32_t i = 0; i < e->n_roots; i++)
        TRY(node_eval(e, e->roots[i], b, err));
    for (uint32_t i = 0; i < e->n_roots; i++)
        out[i] = e->roots[i]->result;
    return ERR_OK;
}

enum errc eval_run(struct eval *e, const struct batch *b, struct vec *out,
                   struct err *err)
{
    assert(b->n_rows <= BATCH_ROWS);
    node_start_run(e);
    TRY(node_eval(e, e->roots[0], b, err));
    *out = e->roots[0]->result;
    return ERR_OK;
}

size_t eval_bytes(const struct eval *e)
{
    size_t bytes = e->memory.used_bytes + e->text.used_bytes;

    for (uint32_t i = 0; i < e->n_all; i++) {
        const struct by_code *c = e->all[i]->by_code;

        if (c)
            bytes += c->memory.used_bytes + c->text.used_bytes + eval_bytes(c->eval);
    }
    return bytes;
}

void eval_release(struct eval *e)
{
    if (!e)
        return;
    for (uint32_t i = 0; i < e->n_all; i++) {
        struct node *n = e->all[i];

        if (n->kind == NODE_CALL && n->expr->func->release)
            n->expr->func->release(n->call.state);
        if (n->by_code) {
            eval_release(n->by_code->eval);
            arena_release(&n->by_code->memory);
            arena_release(&n->by_code->text);
        }
        n->by_code = NULL;
    }
    e->n_all = e->n_roots = 0;
    arena_release(&e->memory);
    arena_release(&e->text);
}

bool eval_ansi(const struct eval_call *c)
{
    return c->env->settings && settings_bool(c->env->settings, SET_ANSI);
}

enum errc eval_constant(struct arena *a, const struct expr *x, const struct eval_env *env,
                        struct value *out, struct err *err)
{
    static const struct batch one = { .n_rows = 1, .n_sel = 1 };
    struct arena scratch = { 0 };
    struct eval *e = eval_new(&scratch, x, env);
    struct vec v;
    enum errc rc = eval_run(e, &one, &v, err);

    if (rc == ERR_OK) {
        struct value r = value_at(&v, 0);

        r.type = x->type;
        if (!r.null && type_is_text(r.type))
            r.u.s = arena_sv(a, r.u.s);
        *out = r;
    }
    eval_release(e);
    arena_release(&scratch);
    return rc;
}
