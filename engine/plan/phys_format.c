/* EXPLAIN FORMATTED: the tree with numbers, a block for each node, then the subqueries,
 * numbered on. Children have smaller numbers than their parents. */
#include "engine/plan/phys_print.h"

#include "engine/plan/adaptive.h"

#include <inttypes.h>

/* ---- numbers ---- */

static uint32_t number_of(const struct node_numbers *s, const struct phys *p)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (s->nodes[i] == p)
            return i + 1;
    return 0;
}

static void number_all(struct node_numbers *s, const struct phys *p)
{
    for (uint32_t i = 0; i < p->n_children && p->kind != PHYS_REUSED; i++)
        number_all(s, p->children[i]);
    if (p->kind == PHYS_ADAPTIVE && p->initial && p->initial != p->children[0])
        number_all(s, p->initial);
    if (number_of(s, p))
        return;
    if (s->n == s->cap) {
        uint32_t cap = s->cap ? s->cap * 2 : 32;
        const struct phys **more = arena_array(s->arena, cap, sizeof *more);

        if (s->n)
            memcpy(more, s->nodes, s->n * sizeof *more);
        s->nodes = more;
        s->cap = cap;
    }
    s->nodes[s->n++] = p;
}

/* ---- a node in the tree ---- */

/* As Java's BigDecimal prints a number rounded to three digits. */
static void print_rows(struct strbuf *out, int64_t rows)
{
    int64_t unit = 1;
    int zeros = 0;

    while (rows / unit >= 1000) {
        unit *= 10;
        zeros++;
    }
    rows = (rows + unit / 2) / unit;
    if (rows >= 1000) {
        rows /= 10;
        zeros++;
    }
    if (!zeros)
        strbuf_printf(out, "%" PRId64, rows);
    else
        strbuf_printf(out, "%" PRId64 ".%02" PRId64 "E+%d", rows / 100, rows % 100,
                      zeros + 2);
}

static void print_size(struct strbuf *out, int64_t bytes)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
    double size = (double)bytes;
    size_t i = 0;

    for (; i + 1 < ARRAY_LEN(units) && size >= 2048; i++)
        size /= 1024;
    strbuf_printf(out, "%.1f %s", size, units[i]);
}

void phys_print_numbered(struct strbuf *out, const struct phys *p,
                         const struct node_numbers *numbers)
{
    phys_node_name(out, p);
    switch (p->kind) {
    case PHYS_BROADCAST_HASH_JOIN:
    case PHYS_SHUFFLED_HASH_JOIN:
    case PHYS_BROADCAST_NL_JOIN:
    case PHYS_SORT_MERGE_JOIN:
    case PHYS_CARTESIAN:
        strbuf_addc(out, ' ');
        phys_print_join_type(out, p);
        if (p->kind != PHYS_SORT_MERGE_JOIN && p->kind != PHYS_CARTESIAN)
            strbuf_addz(out, p->build_left ? " BuildLeft" : " BuildRight");
        break;
    default:
        break;
    }
    strbuf_printf(out, " (%u)", number_of(numbers, p));
    if (p->kind == PHYS_STAGE && p->stage && p->stage->done) {
        strbuf_addz(out, ", Statistics(sizeInBytes=");
        print_size(out, p->stage->stats.data_bytes);
        strbuf_addz(out, ", rowCount=");
        print_rows(out, p->stage->stats.rows);
        strbuf_addc(out, ')');
    }
}

/* ---- blocks ---- */

static void field(struct strbuf *out, const char *name, const struct exprs *list)
{
    if (!list->n) {
        strbuf_printf(out, "%s: []\n", name);
        return;
    }
    strbuf_printf(out, "%s [%u]: ", name, list->n);
    plan_print_exprs(out, list, ", ");
    strbuf_addc(out, '\n');
}

static void arguments(struct strbuf *out, const struct phys *p)
{
    struct strbuf text = { 0 };

    phys_print_args(&text, p);
    if (text.len) {
        strbuf_addz(out, "Arguments: ");
        strbuf_add(out, strbuf_sv(&text));
        strbuf_addc(out, '\n');
    }
    strbuf_release(&text);
}

/* As the logical node has them. */
static void range_arguments(struct strbuf *out, const struct phys *p)
{
    bool given = p->logical && p->logical->kind == PLAN_RANGE && p->logical->n_partitions;

    strbuf_printf(out,
                  "Arguments: Range (%" PRId64 ", %" PRId64 ", step=%" PRId64 ", splits=",
                  p->range_start, p->range_end, p->range_step);
    if (given)
        strbuf_printf(out, "Some(%u))\n", p->n_partitions);
    else
        strbuf_addz(out, "None)\n");
}

static void scan_block(struct strbuf *out, const struct phys *p)
{
    const struct relation *r = p->relation;

    field(out, "Output", &p->output);
    strbuf_printf(out, "Batched: %s\n",
                  r->format && r->format->columnar ? "true" : "false");
    strbuf_printf(out, "Location: %s [", phys_index_name(p));
    if (r->n_roots)
        strbuf_printf(out, "file:%.*s", SV_FMT(r->roots[0]));
    if (r->n_roots > 1)
        strbuf_printf(out, ", ... %u entries", r->n_roots - 1);
    strbuf_addz(out, "]\n");
    if (p->partition_filters.n) {
        strbuf_addz(out, "PartitionFilters: [");
        expr_print_list(out, p->partition_filters.at, p->partition_filters.n, ", ",
                        PRINT_PLAN);
        strbuf_addz(out, "]\n");
    }
    if (p->n_pushed) {
        strbuf_addz(out, "PushedFilters: ");
        phys_print_pushed(out, p);
        strbuf_addc(out, '\n');
    }
    strbuf_addz(out, "ReadSchema: ");
    phys_read_schema(out, p);
    strbuf_addc(out, '\n');
}

static void join_block(struct strbuf *out, const struct phys *p)
{
    if (p->left_keys.n) {
        field(out, "Left keys", &p->left_keys);
        field(out, "Right keys", &p->right_keys);
    }
    strbuf_addz(out, "Join type: ");
    phys_print_join_type(out, p);
    strbuf_addz(out, "\nJoin condition: ");
    if (p->condition)
        expr_print(out, p->condition, PRINT_PLAN);
    else
        strbuf_addz(out, "None");
    strbuf_addc(out, '\n');
}

static void node_body(struct strbuf *out, const struct phys *p)
{
    const struct exprs none = { 0 };
    bool has_input = p->n_children && p->kind != PHYS_WRITE; /* a command's is none */
    const struct exprs *input = has_input ? &p->children[0]->output : &none;

    switch (p->kind) {
    case PHYS_SCAN:
        scan_block(out, p);
        return;
    case PHYS_HASH_AGG:
    case PHYS_OBJECT_AGG:
    case PHYS_SORT_AGG:
        field(out, "Input", input);
        field(out, "Keys", &p->keys);
        field(out, "Functions", &p->aggs);
        field(out, "Aggregate Attributes", &p->agg_attributes);
        field(out, "Results", &p->list);
        return;
    case PHYS_BROADCAST_HASH_JOIN:
    case PHYS_SHUFFLED_HASH_JOIN:
    case PHYS_SORT_MERGE_JOIN:
    case PHYS_BROADCAST_NL_JOIN:
    case PHYS_CARTESIAN:
        join_block(out, p);
        return;
    case PHYS_FILTER:
        field(out, "Input", input);
        strbuf_addz(out, "Condition : ");
        expr_print(out, p->condition, PRINT_PLAN);
        strbuf_addc(out, '\n');
        return;
    case PHYS_PROJECT:
        field(out, "Output", &p->list);
        field(out, "Input", input);
        return;
    case PHYS_RANGE:
        field(out, "Output", &p->output);
        range_arguments(out, p);
        return;
    case PHYS_STAGE:
    case PHYS_ADAPTIVE:
        field(out, "Output", &p->output);
        arguments(out, p);
        return;
    case PHYS_REUSED:
        field(out, "Output", &p->output);
        return;
    case PHYS_UNION:
        return;
    default:
        if (p->n_children)
            field(out, "Input", input);
        else
            field(out, "Output", &p->output);
        arguments(out, p);
        return;
    }
}

static void node_block(struct strbuf *out, const struct phys *p,
                       const struct node_numbers *numbers)
{
    strbuf_printf(out, "(%u) ", number_of(numbers, p));
    phys_node_name(out, p);
    if (p->kind == PHYS_REUSED)
        strbuf_printf(out, " [Reuses operator id: %u]", number_of(numbers, p->reused));
    if (p->codegen)
        strbuf_printf(out, " [codegen id : %u]", p->codegen);
    strbuf_addc(out, '\n');
    node_body(out, p);
    strbuf_addc(out, '\n');
}

static void print_from(struct strbuf *out, const struct phys *p,
                       struct node_numbers *numbers)
{
    uint32_t first = numbers->n;

    number_all(numbers, p);
    phys_print_tree(out, p, numbers);
    strbuf_addz(out, "\n\n");
    for (uint32_t i = first; i < numbers->n; i++)
        node_block(out, numbers->nodes[i], numbers);
}

static bool heading(struct strbuf *out, bool *done)
{
    if (!*done)
        strbuf_addz(out, "===== Subqueries =====\n\n");
    *done = true;
    return true;
}

void phys_print_formatted(struct strbuf *out, const struct phys *p)
{
    struct arena arena = { 0 };
    struct node_numbers numbers = { .arena = &arena };
    uint32_t n_subqueries = 0;
    bool headed = false;

    print_from(out, p, &numbers);
    for (uint32_t i = 0; i < numbers.n; i++) { /* grows: subqueries of subqueries */
        struct subquery_list subs = phys_subqueries(&arena, numbers.nodes[i]);

        for (uint32_t k = 0; k < subs.n && heading(out, &headed); k++) {
            const struct phys *sub = subs.at[k]->phys;

            strbuf_printf(out,
                          "Subquery:%u Hosting operator id = %u Hosting Expression = ",
                          ++n_subqueries, i + 1);
            expr_print(out, subs.at[k], PRINT_PLAN);
            strbuf_addc(out, '\n');
            if (sub->kind == PHYS_SUBQUERY)
                print_from(out, sub->children[0], &numbers);
            else
                strbuf_addc(out, '\n');
        }
    }
    strbuf_addc(out, '\n');
    arena_release(&arena);
}
