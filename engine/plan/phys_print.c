/* Physical plans as text: a node's line, the tree, as Spark 3.5's EXPLAIN has them.
 *
 *     AdaptiveSparkPlan isFinalPlan=false
 *     +- HashAggregate(keys=[k#1], functions=[sum(v#2L)])
 *        +- Exchange hashpartitioning(k#1, 200), ENSURE_REQUIREMENTS, [plan_id=12]
 *
 * Subqueries of a node stand before its children, indented twice. Nodes of a whole-stage
 * unit begin with its number, "*(2) "; in the FORMATTED tree with "* ", and end with
 * their own, "(7)". */
#include "engine/plan/phys_print.h"

#include "engine/expr/func.h"
#include "engine/plan/adaptive.h"

#include <inttypes.h>

enum { METADATA_LENGTH = 100 }; /* spark.sql.maxMetadataStringLength */

/* ---- names ---- */

static bool has_columns_name(const struct relation *r)
{
    return r->is_table && r->name.len;
}

void phys_node_name(struct strbuf *out, const struct phys *p)
{
    switch (p->kind) {
    case PHYS_SCAN:
        strbuf_printf(out, "Scan %s ",
                      p->relation->format ? p->relation->format->print : "");
        if (has_columns_name(p->relation))
            strbuf_printf(out, "spark_catalog.default.%.*s", SV_FMT(p->relation->name));
        break;
    case PHYS_STAGE:
        strbuf_addz(out,
                    phys_is_broadcast(p) ? "BroadcastQueryStage" : "ShuffleQueryStage");
        break;
    case PHYS_SORT_MERGE_JOIN:
        strbuf_addz(out, p->skew ? "SortMergeJoin(skew=true)" : "SortMergeJoin");
        break;
    case PHYS_SHUFFLED_HASH_JOIN:
        strbuf_addz(out, p->skew ? "ShuffledHashJoin(skew=true)" : "ShuffledHashJoin");
        break;
    case PHYS_COMMAND:
        strbuf_addz(out, "Execute ");
        strbuf_add(out, p->text);
        break;
    default:
        strbuf_addz(out, phys_classes[p->kind].name);
        break;
    }
}

bool phys_is_broadcast(const struct phys *p)
{
    while (p->kind == PHYS_STAGE || p->kind == PHYS_REUSED)
        p = p->kind == PHYS_STAGE ? p->children[0] : p->reused;
    return p->kind == PHYS_BROADCAST;
}

/* ---- arguments ---- */

/* One argument more: a blank before the first (none where the text starts), a comma
 * before others. */
struct args {
    struct strbuf *out;
    const char *first;
    uint32_t n;
};

static struct strbuf *next_arg(struct args *a)
{
    strbuf_addz(a->out, a->n++ ? ", " : a->first);
    return a->out;
}

static void arg_exprs(struct args *a, const struct exprs *list)
{
    if (list->n)
        plan_print_exprs(next_arg(a), list, ", ");
}

static void arg_text(struct args *a, const char *text)
{
    strbuf_addz(next_arg(a), text);
}

static void arg_int(struct args *a, int64_t i)
{
    strbuf_printf(next_arg(a), "%" PRId64, i);
}

void phys_print_join_type(struct strbuf *out, const struct phys *p)
{
    if (p->kind == PHYS_CARTESIAN) { /* of whatever inner kind */
        strbuf_addz(out, "Inner");
        return;
    }
    if (p->join_type != JOIN_EXISTENCE) {
        strbuf_addz(out, join_type_name(p->join_type));
        return;
    }
    strbuf_addz(out, "ExistenceJoin(");
    expr_print(out, p->output.at[p->output.n - 1], PRINT_PLAN);
    strbuf_addc(out, ')');
}

static void arg_condition(struct args *a, const struct phys *p)
{
    if (p->condition)
        expr_print(next_arg(a), p->condition, PRINT_PLAN);
}

static void join_args(struct args *a, const struct phys *p)
{
    const char *side = p->build_left ? "BuildLeft" : "BuildRight";

    if (p->kind == PHYS_BROADCAST_NL_JOIN) {
        arg_text(a, side);
        phys_print_join_type(next_arg(a), p);
        arg_condition(a, p);
        return;
    }
    arg_exprs(a, &p->left_keys);
    arg_exprs(a, &p->right_keys);
    phys_print_join_type(next_arg(a), p);
    if (p->kind != PHYS_SORT_MERGE_JOIN)
        arg_text(a, side);
    arg_condition(a, p);
    if (p->kind == PHYS_BROADCAST_HASH_JOIN)
        arg_text(a, p->null_aware ? "true" : "false");
}

static void partitioning_text(struct strbuf *out, const struct partitioning *p)
{
    switch (p->kind) {
    case PART_SINGLE:
        strbuf_addz(out, "SinglePartition");
        break;
    case PART_HASH:
    case PART_RANGE:
        strbuf_addz(out,
                    p->kind == PART_HASH ? "hashpartitioning(" : "rangepartitioning(");
        expr_print_list(out, p->keys.at, p->keys.n, ", ", PRINT_PLAN);
        strbuf_printf(out, ", %u)", p->n);
        break;
    case PART_ROUND_ROBIN:
        strbuf_printf(out, "RoundRobinPartitioning(%u)", p->n);
        break;
    case PART_UNKNOWN:
    case PART_BROADCAST:
    case PART_COLLECTION:
        strbuf_printf(out, "UnknownPartitioning(%u)", p->n);
        break;
    }
}

static void exchange_args(struct args *a, const struct phys *p)
{
    static const char *const origins[] = {
        [ORIGIN_ENSURE_REQUIREMENTS] = "ENSURE_REQUIREMENTS",
        [ORIGIN_REPARTITION_BY_COL] = "REPARTITION_BY_COL",
        [ORIGIN_REPARTITION_BY_NUM] = "REPARTITION_BY_NUM",
        [ORIGIN_REBALANCE_BY_COL] = "REBALANCE_PARTITIONS_BY_COL",
        [ORIGIN_REBALANCE_BY_NONE] = "REBALANCE_PARTITIONS_BY_NONE",
    };

    partitioning_text(next_arg(a), &p->partitioning);
    arg_text(a, origins[p->origin]);
    strbuf_printf(next_arg(a), "[plan_id=%u]", p->plan_id);
}

static void broadcast_args(struct args *a, const struct phys *p)
{
    struct strbuf *out = next_arg(a);

    if (p->keys.n) {
        strbuf_addz(out, "HashedRelationBroadcastMode(List(");
        phys_print_packed_keys(out, &p->keys);
        strbuf_printf(out, "),%s)", p->null_aware ? "true" : "false");
    } else {
        strbuf_addz(out, "IdentityBroadcastMode");
    }
    strbuf_printf(next_arg(a), "[plan_id=%u]", p->plan_id);
}

static bool all_integral(const struct exprs *keys)
{
    int64_t bytes = 0;

    for (uint32_t i = 0; i < keys->n; i++) {
        if (!type_is_integral(keys->at[i]->type))
            return false;
        bytes += type_default_bytes(keys->at[i]->type);
    }
    return bytes <= 8;
}

static void as_long(struct strbuf *out, const struct expr *e)
{
    bool cast = e->type.id != TYPE_LONG;

    strbuf_addz(out, cast ? "cast(" : "");
    expr_print(out, e, PRINT_PLAN);
    strbuf_addz(out, cast ? " as bigint)" : "");
}

void phys_print_packed_keys(struct strbuf *out, const struct exprs *keys)
{
    struct strbuf packed = { 0 }, next = { 0 };

    if (!all_integral(keys)) {
        expr_print_list(out, keys->at, keys->n, ", ", PRINT_PLAN);
        return;
    }
    as_long(&packed, keys->at[0]);
    for (uint32_t i = 1; i < keys->n; i++) {
        int64_t bits = type_default_bytes(keys->at[i]->type) * 8;

        strbuf_reset(&next);
        strbuf_addz(&next, "(shiftleft(");
        strbuf_add(&next, strbuf_sv(&packed));
        strbuf_printf(&next, ", %" PRId64 ") | (", bits);
        as_long(&next, keys->at[i]);
        strbuf_printf(&next, " & %" PRId64 "))", (INT64_C(1) << bits) - 1);
        strbuf_reset(&packed);
        strbuf_add(&packed, strbuf_sv(&next));
    }
    strbuf_add(out, strbuf_sv(&packed));
    strbuf_release(&packed);
    strbuf_release(&next);
}

static void expand_args(struct args *a, const struct phys *p)
{
    struct strbuf *out = next_arg(a);

    strbuf_addc(out, '[');
    for (uint32_t i = 0; i < p->n_projections; i++) {
        strbuf_addz(out, i ? ", " : "");
        plan_print_exprs(out, &p->projections[i], ", ");
    }
    strbuf_addc(out, ']');
    arg_exprs(a, &p->output);
}

static void generate_args(struct args *a, const struct phys *p)
{
    struct exprs kept, made;
    struct strbuf *out = next_arg(a);

    generate_parts(&p->list, &p->output, &kept, &made);
    plan_print_generator(out, &p->list);
    arg_exprs(a, &kept);
    arg_text(a, "false");
    arg_exprs(a, &made);
}

static void limit_args(struct args *a, const struct phys *p)
{
    arg_int(a, p->limit);
    if (p->kind == PHYS_GLOBAL_LIMIT || (p->kind == PHYS_COLLECT_LIMIT && p->offset))
        arg_int(a, p->offset);
}

static void range_args(struct args *a, const struct phys *p)
{
    strbuf_printf(next_arg(a), "(%" PRId64 ", %" PRId64 ", step=%" PRId64 ", splits=%u)",
                  p->range_start, p->range_end, p->range_step, p->n_partitions);
}

static void arg_double(struct args *a, double f)
{
    struct value v = value_double(f);

    value_print(next_arg(a), &v, &zone_utc);
}

static const char *read_name(enum aqe_read kind)
{
    switch (kind) {
    case AQE_COALESCED:
        return "coalesced";
    case AQE_LOCAL:
        return "local";
    case AQE_SKEWED:
        return "skewed";
    case AQE_COALESCED_SKEWED:
        return "coalesced and skewed";
    case AQE_WHOLE:
        break;
    }
    return "";
}

static void write_args(struct args *a, const struct phys *p)
{
    const struct write_job *w = p->write;
    struct strbuf *out = next_arg(a);

    strbuf_printf(out, "file:%.*s, ", SV_FMT(w->target));
    if (w->fixed.len) {
        strbuf_addc(out, '[');
        for (size_t i = 0; i < w->fixed.len; i++)
            if (w->fixed.p[i] == '/')
                strbuf_addz(out, ", ");
            else
                strbuf_addc(out, w->fixed.p[i]);
        strbuf_addz(out, "], ");
    }
    strbuf_addz(out, "false, ");
    if (w->partition.n) {
        const struct exprs *rows = &p->children[0]->output;
        struct exprs columns = { .at = rows->at + w->data.n, .n = w->partition.n };

        plan_print_exprs(out, &columns, ", ");
        strbuf_addz(out, ", ");
    }
    strbuf_printf(out, "%s, [", w->format ? w->format->print_long : "");
    for (uint32_t i = 0; i < w->n_options; i++)
        strbuf_printf(out, "%.*s=%.*s, ", SV_FMT(w->option_keys[i]),
                      SV_FMT(w->option_values[i]));
    strbuf_printf(out, "path=file:%.*s], %s", SV_FMT(w->target),
                  w->overwrite ? "Overwrite" : "Append");
    if (w->table.len)
        strbuf_printf(out,
                      ", `spark_catalog`.`default`.`%.*s`, "
                      "org.apache.spark.sql.execution.datasources.%s(file:%.*s)",
                      SV_FMT(w->table),
                      w->partition.n ? "CatalogFileIndex" : "InMemoryFileIndex",
                      SV_FMT(w->target));
    strbuf_addz(out, ", [");
    for (uint32_t i = 0; i < w->data.n + w->partition.n; i++) {
        const struct field *f =
            i < w->data.n ? &w->data.fields[i] : &w->partition.fields[i - w->data.n];

        strbuf_printf(out, "%s%.*s", i ? ", " : "", SV_FMT(f->name));
    }
    strbuf_addc(out, ']');
}

static void window_limit_args(struct args *a, const struct phys *p)
{
    arg_exprs(a, &p->keys);
    arg_exprs(a, &p->order);
    plan_print_rank(next_arg(a), p->condition, &p->order);
    arg_int(a, p->limit);
    arg_text(a, p->partial ? "Partial" : "Final");
}

static void print_args(struct args *a, const struct phys *p)
{
    switch (p->kind) {
    case PHYS_LOCAL_SCAN:
        if (!p->n_rows)
            arg_text(a, "<empty>");
        arg_exprs(a, &p->output);
        break;
    case PHYS_RANGE:
        range_args(a, p);
        break;
    case PHYS_FILTER:
        expr_print_condition(next_arg(a), p->condition);
        break;
    case PHYS_CARTESIAN:
        arg_condition(a, p);
        break;
    case PHYS_PROJECT:
        arg_exprs(a, &p->list);
        break;
    case PHYS_EXPAND:
        expand_args(a, p);
        break;
    case PHYS_GENERATE:
        generate_args(a, p);
        break;
    case PHYS_SORT:
        arg_exprs(a, &p->order);
        arg_text(a, p->global ? "true, 0" : "false, 0");
        break;
    case PHYS_SORT_MERGE_JOIN:
    case PHYS_BROADCAST_HASH_JOIN:
    case PHYS_SHUFFLED_HASH_JOIN:
    case PHYS_BROADCAST_NL_JOIN:
        join_args(a, p);
        break;
    case PHYS_EXCHANGE:
        exchange_args(a, p);
        break;
    case PHYS_BROADCAST:
        broadcast_args(a, p);
        break;
    case PHYS_AQE_READ:
        if (p->read_kind != AQE_WHOLE)
            arg_text(a, read_name(p->read_kind));
        break;
    case PHYS_STAGE:
        arg_int(a, p->stage ? p->stage->id : 0);
        break;
    case PHYS_WINDOW:
        arg_exprs(a, &p->list);
        arg_exprs(a, &p->keys);
        arg_exprs(a, &p->order);
        break;
    case PHYS_WINDOW_GROUP_LIMIT:
        window_limit_args(a, p);
        break;
    case PHYS_LOCAL_LIMIT:
    case PHYS_GLOBAL_LIMIT:
    case PHYS_COLLECT_LIMIT:
        limit_args(a, p);
        break;
    case PHYS_OFFSET:
        arg_int(a, -1);
        arg_int(a, p->offset);
        break;
    case PHYS_TAKE_ORDERED:
        arg_int(a, p->limit);
        arg_exprs(a, &p->order);
        arg_exprs(a, &p->list);
        if (p->offset)
            arg_int(a, p->offset);
        break;
    case PHYS_COALESCE:
        arg_int(a, p->n_partitions);
        break;
    case PHYS_SAMPLE:
        arg_double(a, p->lower);
        arg_double(a, p->upper);
        arg_text(a, "false");
        arg_int(a, p->seed);
        break;
    case PHYS_ADAPTIVE:
        arg_text(a, p->is_final_plan ? "isFinalPlan=true" : "isFinalPlan=false");
        break;
    case PHYS_WRITE:
        write_args(a, p);
        break;
    case PHYS_REUSED:
        plan_print_exprs(next_arg(a), &p->output, ", ");
        phys_print_node(next_arg(a), p->reused);
        break;
    case PHYS_SUBQUERY:
        strbuf_printf(next_arg(a), "%.*s#%u, [id=#%u]", SV_FMT(p->text), p->id,
                      p->plan_id);
        break;
    case PHYS_REUSED_SUBQUERY:
        phys_print_node(next_arg(a), p->reused);
        break;
    case PHYS_SCAN:
    case PHYS_ONE_ROW:
    case PHYS_HASH_AGG:
    case PHYS_OBJECT_AGG:
    case PHYS_SORT_AGG:
    case PHYS_UNION:
    case PHYS_COLUMNAR_TO_ROW:
    case PHYS_WRITE_FILES:
    case PHYS_COMMAND:
    case N_PHYS_KINDS:
        break;
    }
}

void phys_print_args(struct strbuf *out, const struct phys *p)
{
    struct args a = { out, "", 0 };

    print_args(&a, p);
}

/* ---- scans ---- */

/* Text cut to what the metadata of a line may hold. */
static void add_abbreviated(struct strbuf *out, struct strbuf *text)
{
    struct sv whole = strbuf_sv(text);

    if (whole.len <= METADATA_LENGTH) {
        strbuf_add(out, whole);
    } else {
        strbuf_add(out, (struct sv){ whole.p, METADATA_LENGTH - 3 });
        strbuf_addz(out, "...");
    }
    strbuf_reset(text);
}

void phys_read_schema(struct strbuf *out, const struct phys *scan)
{
    strbuf_addz(out, "struct<");
    for (uint32_t i = 0; i < scan->n_columns; i++) {
        const struct field *f = &scan->relation->data.fields[scan->columns[i]];

        strbuf_printf(out, "%s%.*s:", i ? "," : "", SV_FMT(f->name));
        type_print(out, f->type);
    }
    strbuf_addc(out, '>');
}

static void print_list(struct strbuf *out, const struct exprs *list)
{
    strbuf_addc(out, '[');
    expr_print_list(out, list->at, list->n, ", ", PRINT_PLAN);
    strbuf_addc(out, ']');
}

void phys_print_pushed(struct strbuf *out, const struct phys *scan)
{
    strbuf_addc(out, '[');
    for (uint32_t i = 0; i < scan->n_pushed; i++) {
        strbuf_addz(out, i ? ", " : "");
        pushed_print(out, scan->pushed[i]);
    }
    strbuf_addc(out, ']');
}

const char *phys_index_name(const struct phys *scan)
{
    const struct relation *r = scan->relation;

    return r->is_table && r->partition.n && !scan->partition_filters.n
               ? "CatalogFileIndex"
               : "InMemoryFileIndex";
}

static void print_location(struct strbuf *out, const struct phys *scan)
{
    const struct relation *r = scan->relation;
    size_t start;
    uint32_t i;

    strbuf_addz(out, phys_index_name(scan));
    start = out->len;
    strbuf_printf(out, "(%u paths)[", r->n_roots);
    for (i = 0; i < r->n_roots && out->len - start < METADATA_LENGTH; i++)
        strbuf_printf(out, "%sfile:%.*s", i ? ", " : "", SV_FMT(r->roots[i]));
    if (i < r->n_roots)
        strbuf_printf(out, "%s...", i ? ", " : "");
    strbuf_addc(out, ']');
}

static void print_scan(struct strbuf *out, const struct phys *p)
{
    const struct relation *r = p->relation;
    struct strbuf text = { 0 };

    strbuf_addz(out, "File");
    phys_node_name(out, p);
    plan_print_exprs(out, &p->output, ",");
    strbuf_printf(out, " Batched: %s, DataFilters: ",
                  r->format && r->format->columnar ? "true" : "false");
    print_list(&text, &p->data_filters);
    add_abbreviated(out, &text);
    strbuf_printf(out,
                  ", Format: %s, Location: ", r->format ? r->format->print_long : "");
    print_location(&text, p);
    strbuf_add(out, strbuf_sv(&text));
    strbuf_reset(&text);
    strbuf_addz(out, ", PartitionFilters: ");
    print_list(&text, &p->partition_filters);
    add_abbreviated(out, &text);
    strbuf_addz(out, ", PushedFilters: ");
    phys_print_pushed(&text, p);
    add_abbreviated(out, &text);
    strbuf_addz(out, ", ReadSchema: ");
    phys_read_schema(&text, p);
    add_abbreviated(out, &text);
    strbuf_release(&text);
}

/* ---- lines ---- */

static void print_aggregate(struct strbuf *out, const struct phys *p, bool verbose)
{
    phys_node_name(out, p);
    strbuf_addz(out, p->kind == PHYS_SORT_AGG ? "(key=" : "(keys=");
    plan_print_exprs(out, &p->keys, ", ");
    strbuf_addz(out, ", functions=");
    plan_print_exprs(out, &p->aggs, ", ");
    if (verbose) {
        strbuf_addz(out, ", output=");
        plan_print_exprs(out, &p->output, ", ");
    }
    strbuf_addc(out, ')');
}

static void print_take_ordered(struct strbuf *out, const struct phys *p)
{
    strbuf_printf(out, "TakeOrderedAndProject(limit=%" PRId64 ", orderBy=", p->limit);
    plan_print_exprs(out, &p->order, ",");
    strbuf_addz(out, ", output=");
    plan_print_exprs(out, &p->output, ",");
    strbuf_addc(out, ')');
}

void phys_print_node(struct strbuf *out, const struct phys *p)
{
    struct args a = { out, " ", 0 };

    switch (p->kind) {
    case PHYS_SCAN:
        print_scan(out, p);
        return;
    case PHYS_ONE_ROW:
        strbuf_addz(out, "Scan OneRowRelation[]");
        return;
    case PHYS_HASH_AGG:
    case PHYS_OBJECT_AGG:
    case PHYS_SORT_AGG:
        print_aggregate(out, p, false);
        return;
    case PHYS_TAKE_ORDERED:
        print_take_ordered(out, p);
        return;
    default:
        phys_node_name(out, p);
        print_args(&a, p);
        return;
    }
}

/* ---- trees ---- */

struct found {
    struct subquery_list *list;
    struct arena *arena;
};

static bool find_subquery(void *ctx, const struct expr *e)
{
    struct found *f = ctx;

    if (e->kind == EXPR_SUBQUERY_RESULT && e->phys) {
        const struct expr **at = arena_array(f->arena, f->list->n + 1, sizeof *at);

        if (f->list->n)
            memcpy(at, f->list->at, f->list->n * sizeof *at);
        at[f->list->n++] = e;
        f->list->at = at;
    }
    return false;
}

struct subquery_list phys_subqueries(struct arena *a, const struct phys *p)
{
    struct subquery_list out = { 0 };
    struct found f = { &out, a };
    struct phys copy = *p;
    struct exprs *lists[PHYS_LISTS];

    phys_lists(&copy, lists);
    for (size_t k = 0; k < PHYS_LISTS; k++)
        for (uint32_t i = 0; i < lists[k]->n; i++)
            (void)expr_any(lists[k]->at[i], find_subquery, &f);
    if (p->condition)
        (void)expr_any(p->condition, find_subquery, &f);
    return out;
}

enum { DEEPEST = 1000 };

/* Where in the tree: for every level, was it the last child? */
struct level {
    const struct level *above;
    bool last;
};

struct tree {
    struct strbuf *out;
    struct arena arena;
    const struct node_numbers *numbers; /* NULL: no numbers, not FORMATTED */
    bool verbose;
};

static void print_branch(struct strbuf *out, const struct level *l, bool own)
{
    if (!l)
        return;
    print_branch(out, l->above, false);
    if (own)
        strbuf_addz(out, l->last ? "+- " : ":- ");
    else
        strbuf_addz(out, l->last ? "   " : ":  ");
}

static void print_tree(struct tree *t, const struct phys *p, const struct level *at,
                       uint32_t indent, uint32_t depth);

static void print_line(struct tree *t, const struct phys *p)
{
    bool aggregate = p->kind == PHYS_HASH_AGG || p->kind == PHYS_OBJECT_AGG ||
                     p->kind == PHYS_SORT_AGG;

    if (t->verbose && aggregate)
        print_aggregate(t->out, p, true);
    else
        phys_print_node(t->out, p);
}

static void print_part(struct tree *t, const char *title, const struct phys *p,
                       uint32_t indent, uint32_t depth)
{
    strbuf_fill(t->out, ' ', (size_t)indent * 3);
    strbuf_printf(t->out, "+- == %s ==\n", title);
    print_tree(t, p, NULL, indent + 1, depth);
}

static void print_adaptive(struct tree *t, const struct phys *p, const struct level *at,
                           uint32_t indent, uint32_t depth)
{
    struct level below = { at, true };
    uint32_t levels = indent;

    if (!p->initial || p->initial == p->children[0]) {
        print_tree(t, p->children[0], &below, indent, depth);
        return;
    }
    for (; at; at = at->above)
        levels++;
    print_part(t, p->is_final_plan ? "Final Plan" : "Current Plan", p->children[0],
               levels, depth);
    print_part(t, "Initial Plan", p->initial, levels, depth);
}

static void print_tree(struct tree *t, const struct phys *p, const struct level *at,
                       uint32_t indent, uint32_t depth)
{
    struct subquery_list subs = { 0 };
    uint32_t n_children = p->kind == PHYS_REUSED ? 0 : p->n_children;

    if (depth > DEEPEST)
        return;
    strbuf_fill(t->out, ' ', (size_t)indent * 3);
    print_branch(t->out, at, true);
    if (t->numbers) {
        strbuf_addz(t->out, p->codegen ? "* " : "");
        phys_print_numbered(t->out, p, t->numbers);
    } else {
        if (p->codegen)
            strbuf_printf(t->out, "*(%u) ", p->codegen);
        print_line(t, p);
        subs = phys_subqueries(&t->arena, p);
    }
    strbuf_addc(t->out, '\n');
    for (uint32_t i = 0; i < subs.n; i++) {
        struct level outer = { at, n_children == 0 };
        struct level inner = { &outer, i + 1 == subs.n };

        print_tree(t, subs.at[i]->phys, &inner, indent, depth + 1);
    }
    if (p->kind == PHYS_ADAPTIVE) {
        print_adaptive(t, p, at, indent, depth + 1);
        return;
    }
    for (uint32_t i = 0; i < n_children; i++) {
        struct level below = { at, i + 1 == n_children };

        print_tree(t, p->children[i], &below, indent, depth + 1);
    }
}

void phys_print_tree(struct strbuf *out, const struct phys *p,
                     const struct node_numbers *numbers)
{
    struct tree t = { .out = out, .numbers = numbers };

    print_tree(&t, p, NULL, 0, 0);
    arena_release(&t.arena);
}

void phys_print(struct strbuf *out, const struct phys *p, bool formatted)
{
    strbuf_addz(out, "== Physical Plan ==\n");
    if (formatted) {
        phys_print_formatted(out, p);
        return;
    }
    phys_print_tree(out, p, NULL);
    strbuf_addc(out, '\n');
}

void phys_print_verbose(struct strbuf *out, const struct phys *p)
{
    struct tree t = { .out = out, .verbose = true };

    strbuf_addz(out, "== Physical Plan ==\n");
    print_tree(&t, p, NULL, 0, 0);
    arena_release(&t.arena);
    strbuf_addc(out, '\n');
}
