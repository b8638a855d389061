/* Scans that read more than the query needs: partitions that a filter could have left
 * out, and text that is parsed whole for a few of its columns.
 *
 * A log names the columns that a scan puts out and those that it reads from files
 * (ReadSchema): what is only in the first list are partition columns. */
#include "rules/node.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>

/* Metadata of a scan, else what its line says after "KEY: ". p NULL: neither. */
static struct sv scan_says(const struct plan_node *scan, const char *key)
{
    struct sv value = kvs_get(&scan->metadata, key);

    if (value.p)
        return value;
    size_t at = sv_find(scan->detail, sv(key));

    if (at == SIZE_MAX)
        return (struct sv){ 0 };
    struct sv rest = sv_from(scan->detail, at + strlen(key));

    return sv_starts(rest, SV(": ")) ? sv_from(rest, 2) : (struct sv){ 0 };
}

/* --- partitions ------------------------------------------------------------------ */

enum { PART_MIN, PART_KEPT, PART_BLIND, PART_SHARE };

static const struct rule_param part_params[] = {
    [PART_MIN] = { "min-partitions", 8, "",
                   "folders read (files, where those are not counted)",
                   "fewer are no layout" },
    [PART_KEPT] = { "kept", 0.5, "", "share of the rows that pass the filter or join",
                    "above, most of the table is wanted" },
    [PART_BLIND] = { "kept-by-time", 0.1, "",
                     "the same where the filter is about a time in the files, not the "
                     "folders' column",
                     "that the folders go by that time is a guess: only a sharp filter "
                     "speaks" },
    [PART_SHARE] = { "stages-share", 0.005, "",
                     "of the wall time the stages accused take, together",
                     "SparkForensics" },
};

enum { P_KEPT, P_PARTITIONS, P_HOW, P_BYTES };
enum { HOW_FILTER, HOW_JOIN, HOW_TIME };

/* A conjunct besides isnotnull: partitions were left out, or will be at run time. */
static bool prunes(struct sv filters)
{
    size_t depth = 0;
    bool start = true;

    if (sv_starts(filters, SV("[")))
        filters = sv_from(filters, 1);
    for (size_t i = 0; i < filters.len; i++) {
        char ch = filters.p[i];

        if (depth == 0 && ch == ']')
            return false;
        if (start && ch != ' ') {
            if (!sv_starts(sv_from(filters, i), SV("isnotnull(")))
                return true;
            start = false;
        }
        depth += ch == '(';
        depth -= ch == ')' && depth > 0;
        start |= depth == 0 && ch == ',';
    }
    return false;
}

/* Text names the attribute ("day#12") itself, not day#123 or today#12. */
static bool mentions(struct sv text, struct sv attribute)
{
    for (;;) {
        size_t at = sv_find(text, attribute);

        if (at == SIZE_MAX)
            return false;
        struct sv after = sv_from(text, at + attribute.len);
        bool left =
            at == 0 || !(isalnum((unsigned char)text.p[at - 1]) || text.p[at - 1] == '_');

        if (left && (after.len == 0 || !isdigit((unsigned char)after.p[0])))
            return true;
        text = after;
    }
}

static bool in_schema(struct sv schema, struct sv name)
{
    for (size_t i = 0; i + name.len < schema.len; i++)
        if ((schema.p[i] == '<' || schema.p[i] == ',') &&
            sv_starts(sv_from(schema, i + 1), name) && i + 1 + name.len < schema.len &&
            schema.p[i + 1 + name.len] == ':')
            return true;
    return false;
}

/* The partition column of the scan that the text is about (text.p NULL: the first of
 * them); p NULL: none. Spark puts out all of a table's, used or not. */
static struct sv partition_column_in(const struct plan_node *scan, struct sv text)
{
    struct sv schema = scan_says(scan, "ReadSchema"), d = scan->detail;
    size_t at = sv_find(d, SV("["));

    if (!schema.p || at == SIZE_MAX)
        return (struct sv){ 0 };
    for (size_t i = at + 1; i < d.len && d.p[i] != ']';) {
        size_t from = i, hash = 0;

        for (; i < d.len && d.p[i] != ',' && d.p[i] != ']'; i++)
            if (d.p[i] == '#')
                hash = i;
        size_t end = i;

        while (end > from && d.p[end - 1] == 'L')
            end--;
        struct sv attribute = { d.p + from, end - from };
        struct sv name = { d.p + from, hash > from ? hash - from : 0 };

        if (name.len && !in_schema(schema, name) &&
            (!text.p || mentions(text, attribute)))
            return name;
        i += i < d.len && d.p[i] == ',';
    }
    return (struct sv){ 0 };
}

/* A condition on dates or times that the folders may be named by. */
static bool speaks_of_time(struct sv text)
{
    static const char *const calls[] = { "date_format(", "to_date(",       "year(",
                                         "month(",       "date_trunc",     "as date)",
                                         "trunc(",       "from_unixtime(", "dayofmonth(",
                                         "gettimestamp(" };

    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        if (sv_has_nocase(text, calls[i]))
            return true;
    for (size_t i = 0; i + 10 <= text.len; i++) { /* 2026-01-31 */
        const char *p = text.p + i;

        if ((p[0] == '1' || p[0] == '2') && isdigit((unsigned char)p[1]) &&
            isdigit((unsigned char)p[2]) && isdigit((unsigned char)p[3]) && p[4] == '-' &&
            isdigit((unsigned char)p[5]) && isdigit((unsigned char)p[6]) && p[7] == '-')
            return true;
    }
    return false;
}

/* Folders that the scan read; where it does not count them, no more than the files. */
static int64_t folders(const struct spots *s, const struct plan_node *scan)
{
    int64_t n = node_metric(s->in->app, s->q, scan, "number of partitions read");

    return n > 0 ? n : node_metric(s->in->app, s->q, scan, "number of files read");
}

static bool is_partitioned(const struct plan_node *scan)
{
    return node_is_scan(scan) && partition_column_in(scan, (struct sv){ 0 }).p;
}

static bool reads_all_folders(const struct spots *s, const struct plan_node *scan)
{
    struct sv filters = scan_says(scan, "PartitionFilters");

    return filters.p && is_partitioned(scan) && !prunes(filters) &&
           (double)folders(s, scan) >= s->in->params[PART_MIN];
}

static void part_add(struct spots *s, const struct plan_node *scan, double kept, int how)
{
    struct spot *spot = spots_add(s, scan);

    if (!spot)
        return;
    spot->value[P_KEPT] = kept;
    spot->value[P_PARTITIONS] =
        (double)node_metric(s->in->app, s->q, scan, "number of partitions read");
    spot->value[P_HOW] = how;
    spot->value[P_BYTES] =
        (double)node_metric(s->in->app, s->q, scan, "size of files read");
}

/* Rows that pass the node of those that the scan put out. */
static double kept_by(const struct spots *s, const struct plan_node *node,
                      const struct plan_node *scan)
{
    double rows = (double)node_metric(s->in->app, s->q, scan, "number of output rows");
    double passed = (double)node_metric(s->in->app, s->q, node, "number of output rows");

    return rows > 0 && plan_metric(node, "number of output rows") ? passed / rows : 1;
}

static void part_visit(const struct plan_node *node, void *context)
{
    struct spots *s = context;
    const double *p = s->in->params;

    if (is_partitioned(node)) {
        s->kind = true;
        s->any |= folders(s, node) > 0;
    }
    if (sv_is(node->name, "Filter") && node->n_children == 1) {
        const struct plan_node *scan = node_source_scan(node->children[0]);

        if (!scan || !reads_all_folders(s, scan))
            return;
        double kept = kept_by(s, node, scan);

        if (partition_column_in(scan, node->detail).p && kept <= p[PART_KEPT])
            part_add(s, scan, kept, HOW_FILTER);
        else if (speaks_of_time(node->detail) && kept <= p[PART_BLIND])
            part_add(s, scan, kept, HOW_TIME);
    } else if (sv_has(node->name, "Join") && node->n_children == 2) {
        for (size_t i = 0; i < 2; i++) {
            const struct plan_node *scan = node_source_scan(node->children[i]);

            if (!scan || !reads_all_folders(s, scan) ||
                !partition_column_in(scan, node->detail).p)
                continue;
            double kept = kept_by(s, node, scan);

            if (kept <= p[PART_KEPT])
                part_add(s, scan, kept, HOW_JOIN);
        }
    }
}

static void part_remedy(const struct rule_input *in, struct findings *out,
                        const struct spot *w)
{
    const char *dpp = "spark.sql.optimizer.dynamicPartitionPruning.enabled";
    const char *column =
        words_clean(out, partition_column_in(w->node, (struct sv){ 0 }), 60);

    if (w->value[P_HOW] == HOW_JOIN) {
        if (in->app->version_major >= 3 && !conf_bool(in->app, w->q, dpp, true))
            finding_set(out, dpp, "true");
        finding_code(out,
                     arena_printf(out->arena,
                                  "wanted = [r[0] for r in dim.select('%s').distinct()"
                                  ".collect()]\n"
                                  "fact.where(F.col('%s').isin(wanted)).join(dim, '%s')",
                                  column, column, column));
        finding_advice(
            out, "The partitions that matter are known only through the join. Give the "
                 "scan a literal predicate on the partition column as well, or a filter "
                 "on the other side that dynamic partition pruning can use.");
    } else if (w->value[P_HOW] == HOW_FILTER) {
        finding_code(out, arena_printf(out->arena,
                                       "WHERE %s >= DATE'2026-01-01' AND %s < "
                                       "DATE'2026-02-01'",
                                       column, column));
        finding_advice(
            out, "The filter is about the partition column but inside an expression "
                 "that cannot prune (a function of the user's, a cast): compare the "
                 "column itself with literals.");
    } else {
        finding_code(out, arena_printf(out->arena, "WHERE %s = ... AND ...", column));
        finding_advice(
            out,
            "The filter is about a time stored in the files; if the folders (%s) "
            "go by it, say it about that column as well: then the others are not "
            "read.",
            column);
    }
    finding_verify(out,
                   "The scan should show PartitionFilters on %s, and read fewer files.",
                   column);
}

/* Of the stage's task time, what its scan can have cost at most: reading slowly, a row a
 * microsecond. The rest is other operators'. */
#define SCAN_BYTES_PER_MS 20000.0 /* text: parsed at 20 MB/s and faster */
#define SCAN_ROWS_PER_MS 1000.0
#define SCAN_START_MS                                                                    \
    50.0 /* a task opens its file and compiles, however little it reads */

static double scan_share(const struct rule_input *in, uint32_t ix, double rows,
                         double bytes)
{
    double all = (double)in->shapes[ix].total_ms;
    double start = SCAN_START_MS * (double)in->shapes[ix].n;
    double scan = rows / SCAN_ROWS_PER_MS + bytes / SCAN_BYTES_PER_MS;

    return all > start ? fmin((all - start) / all, scan / all) : 0;
}

static enum rule_answer part_check(const struct rule_input *in, struct findings *out)
{
    struct spots spots = { .in = in, .arena = out->arena };

    spots_walk(&spots, part_visit);
    if (!spots_matter(&spots, in->params[PART_SHARE], 1))
        return spots_answer(&spots);
    const struct spot *w = spots_worst(&spots);
    const char *bytes = words_bytes(out, whole(w->value[P_BYTES]));

    const char *many = w->value[P_PARTITIONS] > 0
                           ? arena_printf(out->arena, "all %.0f ", w->value[P_PARTITIONS])
                           : "all ";

    finding_begin(out, in->rule, "A table is read whole, %s, for %.3g%% of its rows",
                  bytes, w->value[P_KEPT] * 100);
    finding_cause(out,
                  "SQL %" PRId64 " reads %spartitions, %s, and then drops %.3g%% of the "
                  "rows; no predicate on the partition column reaches the scan (%s).",
                  w->q->execution_id, many, bytes, 100 - w->value[P_KEPT] * 100,
                  words_clean(out, scan_says(w->node, "Location"), 100));
    spots_place(&spots, out);
    for (size_t i = 0; i < spots.n; i++) {
        const struct spot *s = &spots.items[i];
        double rest = 1 - s->value[P_KEPT];

        for (size_t k = 0; k < s->n_stages; k++)
            claim_work(in, out, s->stage_ixs[k], 0.3 * rest,
                       rest * scan_share(in, s->stage_ixs[k],
                                         (double)in->app->stages[s->stage_ixs[k]]
                                             .total[METRIC_INPUT_ROWS],
                                         s->value[P_BYTES]),
                       rest);
    }
    if (w->value[P_PARTITIONS] > 0)
        finding_number(out, "partitions_read", w->value[P_PARTITIONS]);
    finding_number(out, "bytes_read", w->value[P_BYTES]);
    finding_number(out, "rows_kept_share", w->value[P_KEPT]);
    part_remedy(in, out, w);
    if (w->value[P_HOW] == HOW_TIME)
        out->items[out->n - 1].confidence = CONFIDENCE_LOW;
    return RULE_JUDGED;
}

const struct rule rule_missing_partition_filter = {
    .id = "missing-partition-filter",
    .title = "A partitioned table is read whole though few partitions matter",
    .question = QUESTION_MOVES,
    .what =
        "Scans of partitioned tables without a predicate that prunes, of which a filter "
        "or join on the partition column, or a filter on a time, keeps few rows.",
    .advice = "A literal predicate on the partition column.",
    .limits =
        "A filter on other columns may leave out partitions too; the log cannot tell. "
        "Whole reads that are wanted whole are left alone. Where the filter is about a "
        "time in the files, that the folders go by it is a guess (low confidence).",
    .params = part_params,
    .n_params = ARRAY_LEN(part_params),
    .check = part_check,
    .no_data_why = "no scan of a partitioned table in the log says what it read",
};

/* --- text formats ------------------------------------------------------------------ */

enum { ROW_BYTES, ROW_RATIO, ROW_TASKS, ROW_SHARE };

static const struct rule_param row_params[] = {
    [ROW_BYTES] = { "min-bytes", 20971520, "bytes", "read by the scan",
                    "less is parsed in a second" },
    [ROW_RATIO] = { "ratio", 4, "x",
                    "bytes of a row over what its columns read would take",
                    "a quarter read: Parquet would read a quarter, and not parse" },
    [ROW_TASKS] = { "min-task-time", 1000, "ms", "of the stages that scan",
                    "less is not worth a change" },
    [ROW_SHARE] = { "stages-share", 0.005, "",
                    "of the wall time the stages accused take, together",
                    "SparkForensics" },
};

enum { R_BYTES, R_ROWS, R_RATIO, R_COLUMNS };

/* What the columns of a ReadSchema take as text; the number of columns. Usual widths:
 * long text makes the estimate too low, and the ratio too high. */
static double text_width(struct sv schema, bool json, double *columns)
{
    size_t at = sv_find(schema, SV("struct<")), depth = 0;
    double width = 0;

    *columns = 0;
    if (at == SIZE_MAX)
        return 8;
    for (size_t i = at + 7, from = i; i < schema.len; i++) {
        char ch = schema.p[i];
        bool last = ch == '>' && depth == 0;

        depth += ch == '<' || ch == '(';
        if ((ch == '>' || ch == ')') && depth > 0)
            depth--;
        if (!last && !(ch == ',' && depth == 0))
            continue;
        struct sv column = { schema.p + from, i - from };
        size_t colon = sv_find(column, SV(":"));
        struct sv type = colon == SIZE_MAX ? column : sv_from(column, colon + 1);

        if (column.len) {
            *columns += 1;
            width += 1 + (sv_is(type, "string")           ? 40
                          : sv_starts(type, SV("time"))   ? 25
                          : type.len && sv_has(type, "<") ? 100
                                                          : 12);
            width += json && colon != SIZE_MAX ? (double)colon + 4 : 0;
        }
        from = i + 1;
        if (last)
            break;
    }
    return width > 8 ? width : 8;
}

static void row_visit(const struct plan_node *node, void *context)
{
    struct spots *s = context;
    const double *p = s->in->params;
    bool csv = sv_has_nocase(node->name, "csv") || sv_has(node->detail, "Format: CSV");
    bool json = sv_has_nocase(node->name, "json") || sv_has(node->detail, "Format: JSON");

    if (!node_is_scan(node) || !(csv || json))
        return;
    s->kind = true;
    double bytes = (double)node_metric(s->in->app, s->q, node, "size of files read");
    double rows = (double)node_metric(s->in->app, s->q, node, "number of output rows");
    struct sv schema = scan_says(node, "ReadSchema");
    double columns;

    s->any |= bytes > 0 && rows > 0;
    if (bytes < p[ROW_BYTES] || rows <= 0 || !schema.p)
        return;
    double ratio = bytes / rows / text_width(schema, json, &columns);

    if (ratio < p[ROW_RATIO])
        return;
    struct spot *spot = spots_add(s, node);
    int64_t task_ms = 0;

    if (!spot)
        return;
    spot->value[R_BYTES] = bytes;
    spot->value[R_ROWS] = rows;
    spot->value[R_RATIO] = ratio;
    spot->value[R_COLUMNS] = columns;
    for (size_t i = 0; i < spot->n_stages; i++)
        task_ms = add_sat(task_ms, s->in->shapes[spot->stage_ixs[i]].total_ms);
    if ((double)task_ms < p[ROW_TASKS])
        s->n--;
}

static enum rule_answer row_check(const struct rule_input *in, struct findings *out)
{
    struct spots spots = { .in = in, .arena = out->arena };

    spots_walk(&spots, row_visit);
    if (!spots_matter(&spots, in->params[ROW_SHARE], 1))
        return spots_answer(&spots);
    const struct spot *w = spots_worst(&spots);
    const char *bytes = words_bytes(out, whole(w->value[R_BYTES]));
    const char *name = words_clean(out, w->node->name, 20);

    finding_begin(out, in->rule, "%s of text are parsed for %.0f column%s", bytes,
                  w->value[R_COLUMNS], w->value[R_COLUMNS] == 1 ? "" : "s");
    finding_cause(
        out,
        "SQL %" PRId64 " (%s) reads %s to use %.0f column%s: a row has %.0f bytes, "
        "about %.0f times what is used (%s).",
        w->q->execution_id, name, bytes, w->value[R_COLUMNS],
        w->value[R_COLUMNS] == 1 ? "" : "s", w->value[R_BYTES] / w->value[R_ROWS],
        w->value[R_RATIO], words_clean(out, scan_says(w->node, "Location"), 100));
    spots_place(&spots, out);
    for (size_t i = 0; i < spots.n; i++) {
        const struct spot *s = &spots.items[i];
        double less = 1 - 1 / s->value[R_RATIO];

        for (size_t k = 0; k < s->n_stages; k++) {
            uint32_t ix = s->stage_ixs[k];
            double text = scan_share(in, ix, 0, s->value[R_BYTES]);
            double rows =
                s->value[R_ROWS] / SCAN_ROWS_PER_MS / (double)in->shapes[ix].total_ms;

            /* the rows of the columns that are used are read all the same */
            claim_work(in, out, ix, 0.2 * less,
                       fmax(fmin(text * less, 1 - rows), 0.2 * less), less);
        }
    }
    finding_number(out, "bytes_read", w->value[R_BYTES]);
    finding_number(out, "rows_read", w->value[R_ROWS]);
    finding_number(out, "columns_used", w->value[R_COLUMNS]);
    finding_number(out, "scans_affected", (double)spots.n);
    finding_code(
        out, "spark.read.csv(path).write.parquet(columnar)  # once, or where it lands");
    finding_advice(
        out, "Store the table as Parquet or ORC: only the columns that are used are "
             "read then, and nothing is parsed.");
    finding_risk(out, "Worth it where the text is read more than once, or its writer can "
                      "change: converting it costs one full read.");
    finding_verify(out, "The scan should read a small part of %s.", bytes);
    return RULE_JUDGED;
}

const struct rule rule_row_format_scan = {
    .id = "row-format-scan",
    .title = "Text is parsed whole for a few of its columns",
    .question = QUESTION_MOVES,
    .what = "Scans of CSV and JSON whose rows have many times the bytes that the columns "
            "used "
            "would take.",
    .advice = "A columnar format.",
    .limits =
        "How many columns there are is not in the log: it is judged by bytes of a row, "
        "with usual widths. Compressed text looks narrower than it is, long text columns "
        "look like many. Reads of RDDs do not show.",
    .params = row_params,
    .n_params = ARRAY_LEN(row_params),
    .check = row_check,
    .no_data_why = "no scan of text in the log says what it read",
};
