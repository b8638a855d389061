/* See hash_join.h. */
#include "engine/exec/hash_join.h"

struct used {
    struct join_sides *j;
};

static bool mark_used(void *ctx, const struct expr *e)
{
    struct join_sides *j = ((struct used *)ctx)->j;

    if (e->kind != EXPR_BOUND)
        return false;
    if (e->index >= j->build_at && e->index < j->build_at + j->n_build)
        j->build_used[e->index - j->build_at] = true;
    else
        j->stream_used[e->index - j->stream_at] = true;
    return false;
}

void join_sides_open(struct op *op, struct join_sides *j, bool build_left)
{
    struct arena *a = &op->task->arena;
    const struct phys *p = op->node;
    const struct exprs *left = &p->children[0]->output, *right = &p->children[1]->output;
    enum join_type t = p->join_type;

    j->type = t;
    j->build = build_left ? 0 : 1;
    j->stream = 1 - j->build;
    j->n_stream = build_left ? right->n : left->n;
    j->n_build = build_left ? left->n : right->n;
    j->stream_at = build_left ? left->n : 0;
    j->build_at = build_left ? 0 : left->n;
    j->stream_outer = t == JOIN_FULL || t == (build_left ? JOIN_RIGHT : JOIN_LEFT);
    j->build_outer = t == JOIN_FULL || t == (build_left ? JOIN_LEFT : JOIN_RIGHT);
    j->only_stream = t == JOIN_SEMI || t == JOIN_ANTI || t == JOIN_EXISTENCE;
    j->only_build = j->only_stream && build_left;
    j->only_stream = j->only_stream && !build_left;
    j->stream_types = op_types(op, build_left ? right : left);
    j->build_types = op_types(op, build_left ? left : right);
    j->columns = arena_array(a, left->n + right->n + 1, sizeof *j->columns);
    j->nulls = arena_array(a, left->n + right->n + 1, sizeof *j->nulls);
    for (uint32_t c = 0; c < left->n + right->n; c++) {
        const struct expr *e = c < left->n ? left->at[c] : right->at[c - left->n];

        j->nulls[c] = vec_flat(a, e->type, 1, true);
        j->nulls[c].valid[0] = 0;
        j->nulls[c].kind = VEC_CONST;
    }
    if (!p->condition)
        return;
    struct exprs both = exprs_join(a, left, right);
    struct exprs one = { (struct expr **)(uintptr_t)&p->condition, 1 };
    struct expr **bound = op_bind(op, &one, &both);
    j->build_used = arena_array(a, j->n_build + 1, sizeof(bool));
    j->stream_used = arena_array(a, j->n_stream + 1, sizeof(bool));
    struct used used = { j };
    expr_any(bound[0], mark_used, &used);
    j->condition = op_eval(op, bound, 1);
}

void join_sides_close(struct join_sides *j)
{
    if (j->condition)
        eval_release(j->condition);
}

void join_null_side(struct join_sides *j, bool build)
{
    uint32_t at = build ? j->build_at : j->stream_at;
    uint32_t n = build ? j->n_build : j->n_stream;

    for (uint32_t c = at; c < at + n; c++)
        j->columns[c] = j->nulls[c];
}

void join_exists_column(struct op *op, struct join_sides *j, const struct batch *b,
                        const uint8_t *matched, uint8_t *room)
{
    (void)op;
    for (uint32_t i = 0; i < b->n_sel; i++)
        room[batch_row(b, i)] = matched[i];
    j->columns[j->n_stream] = (struct vec){ .type = type_of(TYPE_BOOLEAN), .data = room };
}
