/* Generate with replicaterows: each row as often as its first column says (INTERSECT ALL,
 * EXCEPT ALL). */
#include "engine/exec/list.h"
#include "engine/exec/rows.h"

struct generate {
    struct eval *eval;
    struct vec *list; /* how often, what a row is made of, the child's that stay */
    uint32_t n_made, n_kept;
    struct vec *columns; /* put out: those that stay, then what is made */
    struct scratch scratch;
    struct batch child;
    bool busy;
    uint32_t at;  /* of the child's rows that count */
    int64_t left; /* copies of that row to come; 0: it has not been looked at */
};

static enum errc generate_open(struct op *op, struct err *err)
{
    struct generate *g = op->state;
    const struct phys *node = op->node;
    struct arena *a = &op->task->arena;
    struct exprs kept, made, list;

    (void)err;
    generate_parts(&node->list, &node->output, &kept, &made);
    list = exprs_join(a, &node->list, &kept);
    g->n_made = made.n;
    g->n_kept = kept.n;
    g->list = arena_array(a, list.n + 1, sizeof *g->list);
    g->columns = arena_array(a, node->output.n + 1, sizeof *g->columns);
    g->eval = op_eval(op, op_bind(op, &list, &op->children[0]->node->output), list.n);
    scratch_init(&g->scratch, a, op_types(op, &node->output), node->output.n);
    return ERR_OK;
}

static int64_t copies(const struct generate *g, uint32_t row)
{
    const struct vec *v = &g->list[0];

    return vec_is_null(v, row) ? 0 : *(const int64_t *)vec_at(v, row);
}

/* The next rows to put out, by position in the child's batch. */
static uint32_t pick_rows(struct generate *g, uint32_t *pick)
{
    uint32_t n = 0;

    for (; g->at < g->child.n_sel; g->at++) {
        uint32_t row = batch_row(&g->child, g->at);

        if (g->left == 0)
            g->left = copies(g, row);
        for (; g->left > 0 && n < BATCH_ROWS; g->left--)
            pick[n++] = row;
        if (g->left > 0)
            break;
        g->left = 0;
    }
    return n;
}

static struct vec column_of(struct generate *g, uint32_t c, const uint32_t *pick,
                            uint32_t n)
{
    const struct vec *from =
        &g->list[c < g->n_kept ? 1 + g->n_made + c : 1 + c - g->n_kept];
    struct vec *room = scratch_column(&g->scratch, c), out = *room;

    if (from->kind == VEC_CONST)
        return *from;
    if (!vec_gather(from, pick, n, false, room, 0))
        out.valid = NULL;
    return out;
}

static enum op_step generate_next(struct op *op, struct batch *out, struct err *err)
{
    struct generate *g = op->state;
    uint32_t pick[BATCH_ROWS], n;

    for (;;) {
        if (!g->busy) {
            enum op_step step = op_next(op->children[0], &g->child, err);

            if (step != OP_BATCH)
                return step;
            if (eval_run_list(g->eval, &g->child, g->list, err) != ERR_OK)
                return OP_FAIL;
            g->busy = true;
            g->at = 0;
        }
        n = pick_rows(g, pick);
        g->busy = g->at < g->child.n_sel;
        if (n)
            break;
    }
    for (uint32_t c = 0; c < op->node->output.n; c++)
        g->columns[c] = column_of(g, c, pick, n);
    *out = (struct batch){ n, n, NULL, op->node->output.n, g->columns };
    return OP_BATCH;
}

static void generate_close(struct op *op)
{
    struct generate *g = op->state;

    if (g->eval)
        eval_release(g->eval);
}

const struct op_class op_generate = {
    .kind = PHYS_GENERATE,
    .state_size = sizeof(struct generate),
    .open = generate_open,
    .next = generate_next,
    .close = generate_close,
    .counts_rows = true,
};
