/* The session's names: temporary views, tables of the warehouse.
 *
 * Tables are folders under spark.sql.warehouse.dir with a small file beside the data that
 * says format, columns and partitioning; paths (parquet.`/x`) need no entry. */
#ifndef ENGINE_PLAN_CATALOG_H
#define ENGINE_PLAN_CATALOG_H

#include "engine/plan/plan.h"
#include "engine/store/relation.h"

struct catalog;

struct catalog *catalog_new(struct arena *a);
/* A view is its analysed plan; the catalog's arena outlives all queries. replace false:
 * ERR_SYNTAX TEMP_TABLE_OR_VIEW_ALREADY_EXISTS. */
enum errc catalog_add_view(struct catalog *c, struct sv name, struct plan *plan,
                           bool replace, struct err *err) MUST_CHECK;
bool catalog_drop_view(struct catalog *c, struct sv name);

struct table {
    struct sv name;
    struct sv format;
    struct sv location; /* absolute */
    struct schema data, partition;
    struct sv *option_keys, *option_values;
    uint32_t n_options;
};

enum errc catalog_create_table(struct catalog *c, const struct settings *s,
                               const struct table *t, struct err *err) MUST_CHECK;
enum errc catalog_drop_table(struct catalog *c, const struct settings *s, struct sv name,
                             struct err *err) MUST_CHECK;
const struct table *catalog_table(struct catalog *c, const struct settings *s,
                                  struct sv name);

/* The plan a name stands for: a view's plan (fresh expression ids), a table's or path's
 * PLAN_RELATION. ERR_SYNTAX TABLE_OR_VIEW_NOT_FOUND with the nearest name. */
enum errc catalog_lookup(struct catalog *c, struct arena *a, const struct settings *s,
                         const struct sv *parts, uint32_t n_parts, struct plan **out,
                         struct err *err) MUST_CHECK;
typedef void (*catalog_fn)(void *ctx, struct sv name, bool is_view);
void catalog_each(struct catalog *c, const struct settings *s, catalog_fn fn,
                  void *ctx); /* by name */

#endif
