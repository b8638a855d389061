/* Generate with replicaterows: each row as often as its first column says (INTERSECT ALL,
 * EXCEPT ALL). */
#include "engine/exec/list.h"
#include "engine/exec/rows.h"

struct generate {
    struct eval *eval;
    struct vec *list; /* how often, then what a row is made of */
    uint32_t n_list;
    struct vec *columns; /* put out: the child's that stay, then list[1..] */
    uint32_t n_kept;
    uint32_t *kept; /* the child's columns that stay */
    struct scratch scratch;
    struct batch child;
    bool busy;
    uint32_t at;  /* of the child's rows that count */
    int64_t left; /* copies of that row to come, once it was begun */
    bool begun;
};

static uint32_t place_of(const struct exprs *list, const struct expr *e)
{
    uint32_t i = 0;

    while (i < list->n && list->at[i]->id != e->id)
        i++;
    return i;
}

static enum errc generate_open(struct op *op, struct err *err)
{
    struct generate *g = op->state;
    const struct phys *node = op->node;
    const struct exprs *input = &op->children[0]->node->output;
    struct arena *a = &op->task->arena;

    g->n_list = node->list.n;
    g->n_kept = node->output.n - (g->n_list - 1);
    g->list = arena_array(a, g->n_list + 1, sizeof *g->list);
    g->columns = arena_array(a, node->output.n + 1, sizeof *g->columns);
    g->kept = arena_array(a, g->n_kept + 1, sizeof *g->kept);
    for (uint32_t i = 0; i < g->n_kept; i++) {
        g->kept[i] = place_of(input, node->output.at[i]);
        if (g->kept[i] == input->n)
            return err_set(err, ERR_USAGE, "a column of Generate is not in its input");
    }
    g->eval = op_eval(op, op_bind(op, &node->list, input), g->n_list);
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

    while (n < BATCH_ROWS && g->at < g->child.n_sel) {
        uint32_t row = batch_row(&g->child, g->at);

        if (!g->begun)
            g->left = copies(g, row);
        g->begun = true;
        for (; g->left > 0 && n < BATCH_ROWS; g->left--)
            pick[n++] = row;
        if (g->left <= 0) {
            g->begun = false;
            g->at++;
        }
    }
    return n;
}

static struct vec column_of(struct generate *g, uint32_t c, const uint32_t *pick,
                            uint32_t n)
{
    const struct vec *from =
        c < g->n_kept ? &g->child.columns[g->kept[c]] : &g->list[c - g->n_kept + 1];
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
            g->begun = false;
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
