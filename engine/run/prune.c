/* Which files of a scan are read: those whose folders' values the partition filters say
 * yes to. */
#include "engine/run/query_run.h"

#include "engine/expr/eval.h"

struct kept { /* of the files, in order */
    const uint8_t *yes;
    const struct data_file *first;
};

static bool keep(void *ctx, const struct data_file *f)
{
    const struct kept *k = ctx;

    return k->yes[f - k->first];
}

/* Position in relation->partition of each of the scan's trailing columns. */
static const uint32_t *positions(struct arena *a, const struct phys *scan)
{
    const struct schema *have = &scan->relation->partition;
    uint32_t n = scan->output.n - scan->n_columns;
    uint32_t *at = arena_array(a, n + 1, sizeof *at);

    for (uint32_t i = 0; i < n; i++) {
        struct sv name = scan->output.at[scan->n_columns + i]->name;

        while (at[i] + 1 < have->n && !sv_eq_nocase(have->fields[at[i]].name, name))
            at[i]++;
    }
    return at;
}

/* A row a file. */
static struct batch folders(struct arena *a, const struct phys *scan, const uint32_t *at,
                            const struct data_file *files, uint32_t n)
{
    struct batch b = { .n_rows = n,
                       .n_sel = n,
                       .n_columns = scan->output.n - scan->n_columns };

    b.columns = arena_array(a, b.n_columns + 1, sizeof *b.columns);
    for (uint32_t c = 0; c < b.n_columns; c++) {
        struct type t = scan->output.at[scan->n_columns + c]->type;

        b.columns[c] = vec_flat(a, t, n, true);
        for (uint32_t i = 0; i < n; i++)
            value_store(&b.columns[c], i, &files[i].partition[at[c]]);
    }
    return b;
}

static struct expr *bound_filter(struct arena *a, const struct phys *scan)
{
    struct exprs columns = { .at = scan->output.at + scan->n_columns,
                             .n = scan->output.n - scan->n_columns };
    struct expr *all = expr_join_and(a, scan->partition_filters.at,
                                     scan->partition_filters.n);

    return phys_bind(a, all, &columns);
}

static enum errc ask(struct query_run *q, struct arena *a, const struct phys *scan,
                     uint8_t *yes, struct err *err)
{
    const struct relation *r = scan->relation;
    const uint32_t *at = positions(a, scan);
    uint32_t *sel = arena_array(a, BATCH_ROWS, sizeof *sel);
    struct eval *e = eval_new(a, bound_filter(a, scan), &q->eval);
    enum errc rc = ERR_OK;

    for (uint32_t from = 0; from < r->n_files && rc == ERR_OK; from += BATCH_ROWS) {
        uint32_t left = r->n_files - from, n = left < BATCH_ROWS ? left : BATCH_ROWS;
        struct batch b = folders(a, scan, at, r->files + from, n);
        uint32_t n_sel = 0;

        rc = eval_filter(e, &b, sel, &n_sel, err);
        for (uint32_t i = 0; i < n_sel; i++)
            yes[from + sel[i]] = 1;
    }
    eval_release(e);
    return rc;
}

enum errc scan_prune(struct query_run *q, const struct phys *scan,
                     const struct relation **out, struct err *err)
{
    const struct relation *r = scan->relation;
    struct arena scratch = { 0 };
    struct kept kept = { .first = r->files };
    uint8_t *yes;
    enum errc rc;

    *out = r;
    if (!scan->partition_filters.n || !r->n_files)
        return ERR_OK;
    kept.yes = yes = arena_array(&scratch, r->n_files, sizeof *yes);
    rc = ask(q, &scratch, scan, yes, err);
    if (rc == ERR_OK)
        *out = relation_keep(&q->arena, r, keep, &kept);
    arena_release(&scratch);
    return rc;
}
