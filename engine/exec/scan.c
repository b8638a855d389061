/* Scan of files: the splits of this task one after another, with the columns that are
 * folders as constants. */
#include "engine/exec/list.h"
#include "engine/run/query.h"
#include "engine/store/format.h"

struct scan {
    const struct scan_partition *part;
    uint32_t next; /* split */
    struct reader *reader;
    const struct data_file *file;
    struct arena arena; /* the reader's */
    struct scan_request request;
    uint32_t *folders; /* positions of the trailing columns in relation->partition */
    struct vec *columns;
    struct scan_counts counted;
    int64_t *scan_ns;
};

static enum errc find_folders(struct op *op, struct scan *s, struct err *err)
{
    const struct phys *p = op->node;
    const struct schema *have = &s->request.relation->partition;
    uint32_t n = op->n_columns - p->n_columns;

    s->folders = arena_array(&op->task->arena, n + 1, sizeof *s->folders);
    for (uint32_t i = 0; i < n; i++) {
        struct sv name = p->output.at[p->n_columns + i]->name;
        uint32_t k = 0;

        while (k < have->n && !sv_eq_nocase(have->fields[k].name, name))
            k++;
        if (k == have->n)
            return err_set(err, ERR_USAGE, "no column %.*s in the files", SV_FMT(name));
        s->folders[i] = k;
    }
    return ERR_OK;
}

static enum errc scan_open(struct op *op, struct err *err)
{
    struct scan *s = op->state;
    const struct phys *p = op->node;

    s->part = query_scan(op->task->query, p, op->partition);
    s->request = (struct scan_request){
        .relation = query_scan_relation(op->task->query, p),
        .settings = op->task->settings,
        .zone = op->task->eval.zone,
        .columns = p->columns,
        .n_columns = p->n_columns,
        .filters = p->pushed,
        .n_filters = p->n_pushed,
    };
    s->columns = arena_array(&op->task->arena, op->n_columns + 1, sizeof *s->columns);
    s->scan_ns = op_metric(op, "scan_ms");
    return find_folders(op, s, err);
}

/* What the reader counted since the last look goes to the task's input. */
static void count_input(struct op *op, struct scan *s)
{
    struct scan_counts now = { 0 };

    s->request.relation->format->counts(s->reader, &now);
    op->task->metrics.input_bytes += now.bytes_read - s->counted.bytes_read;
    op->task->metrics.input_rows += now.rows_read - s->counted.rows_read;
    s->counted = now;
}

static void close_split(struct op *op, struct scan *s)
{
    if (!s->reader)
        return;
    count_input(op, s);
    s->request.relation->format->close(s->reader);
    s->reader = NULL;
    arena_reset(&s->arena);
}

static enum errc open_split(struct scan *s, struct err *err)
{
    const struct split *split = &s->part->splits[s->next++];

    s->file = &s->request.relation->files[split->file_ix];
    s->counted = (struct scan_counts){ 0 };
    return s->request.relation->format->open(&s->reader, &s->arena, &s->request, s->file,
                                             split->offset, split->length, err);
}

static void add_folders(struct op *op, struct scan *s)
{
    uint32_t n = op->node->n_columns;

    for (uint32_t i = 0; i < op->n_columns - n; i++) {
        const struct value *v = &s->file->partition[s->folders[i]];
        struct vec *to = &s->columns[n + i];

        *to = vec_flat(&s->arena, op->node->output.at[n + i]->type, 1, true);
        value_store(to, 0, v);
        if (!v->null)
            to->valid = NULL;
        to->kind = VEC_CONST;
    }
}

static enum op_step scan_step(struct op *op, struct batch *out, struct err *err)
{
    struct scan *s = op->state;

    while (s->part) {
        if (!s->reader) {
            if (s->next >= s->part->n)
                return OP_END;
            if (open_split(s, err) != ERR_OK)
                return OP_FAIL;
            add_folders(op, s);
        }
        enum next got = s->request.relation->format->next(s->reader, out, err);
        if (got == NEXT_FAIL)
            return OP_FAIL;
        if (got == NEXT_END) {
            close_split(op, s);
            continue;
        }
        if (out->n_sel == 0)
            continue;
        for (uint32_t c = 0; c < op->node->n_columns; c++)
            s->columns[c] = out->columns[c];
        out->columns = s->columns;
        out->n_columns = op->n_columns;
        return OP_BATCH;
    }
    return OP_END;
}

static enum op_step scan_next(struct op *op, struct batch *out, struct err *err)
{
    struct scan *s = op->state;
    int64_t from = op_now_ns();
    enum op_step step = scan_step(op, out, err);

    *s->scan_ns += op_now_ns() - from;
    return step;
}

static void scan_close(struct op *op)
{
    struct scan *s = op->state;

    close_split(op, s);
    arena_release(&s->arena);
}

const struct op_class op_scan = {
    .kind = PHYS_SCAN,
    .state_size = sizeof(struct scan),
    .open = scan_open,
    .next = scan_next,
    .close = scan_close,
    .counts_rows = true,
    .own_children = true,
};
