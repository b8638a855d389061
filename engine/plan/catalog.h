/* The session's names: temporary views, tables of the warehouse.
 *
 * Tables are folders under spark.sql.warehouse.dir, each with a small file NAME.table
 * beside it that says format, columns, partitioning and options; paths (parquet.`/x`)
 * need no entry. Names are without regard to case. */
#ifndef ENGINE_PLAN_CATALOG_H
#define ENGINE_PLAN_CATALOG_H

#include "engine/plan/plan.h"
#include "engine/store/relation.h"

struct catalog;

struct catalog *catalog_new(struct arena *a);
/* Where views live: who makes one parses and analyses it there. */
struct arena *catalog_arena(struct catalog *c);

/* A view is a plan that names bring in again: parsed, to be analysed where it is used; or
 * a PLAN_RELATION. `output`: its columns. replace false: ERR_SYNTAX
 * TEMP_TABLE_OR_VIEW_ALREADY_EXISTS. "global_temp.x" is such a name, too. */
enum errc catalog_add_view(struct catalog *c, struct sv name, struct plan *plan,
                           const struct exprs *output, bool replace,
                           struct err *err) MUST_CHECK;
bool catalog_drop_view(struct catalog *c, struct sv name);

/* --- views of the warehouse ---
 *
 * NAME.view holds the statement that made one. In the session such a view is called
 * "default.NAME"; what is there on disk is brought in when it is first named. */

#define CATALOG_DEFAULT "default."

/* ERR_SYNTAX TABLE_OR_VIEW_ALREADY_EXISTS, also of a table; ERR_OUTPUT. */
enum errc catalog_store_view(struct catalog *c, const struct settings *s, struct sv name,
                             struct sv statement, bool replace,
                             struct err *err) MUST_CHECK;
bool catalog_has_view(struct catalog *c, const struct settings *s, struct sv name);
/* False: there is none. */
bool catalog_remove_view(struct catalog *c, const struct settings *s, struct sv name);
/* Who parses the statement and adds the view; its error is that of the lookup. */
typedef enum errc (*catalog_load_fn)(void *ctx, struct sv statement, struct err *err);
void catalog_set_loader(struct catalog *c, catalog_load_fn load, void *ctx);

/* --- tables --- */

struct table {
    struct sv name;
    struct sv format;
    struct sv location; /* absolute; empty: the folder of its name in the warehouse */
    struct schema data, partition;
    struct sv *option_keys, *option_values;
    uint32_t n_options;
};

/* Makes folder and entry. ERR_SYNTAX TABLE_OR_VIEW_ALREADY_EXISTS. */
enum errc catalog_create_table(struct catalog *c, const struct settings *s,
                               const struct table *t, struct err *err) MUST_CHECK;
/* Takes its entry away, and its data unless it was given a location. ERR_SYNTAX
 * TABLE_OR_VIEW_NOT_FOUND. */
enum errc catalog_drop_table(struct catalog *c, const struct settings *s, struct sv name,
                             struct err *err) MUST_CHECK;
/* Read from its entry each time, into the catalog's arena. NULL: none. */
const struct table *catalog_table(struct catalog *c, const struct settings *s,
                                  struct sv name);
/* The one part of a table's name that counts: of t, default.t, spark_catalog.default.t;
 * absent: names nothing here. */
struct sv catalog_table_name(const struct sv *parts, uint32_t n_parts);

/* The plan a name stands for: PLAN_SUBQUERY_ALIAS over PLAN_VIEW (its plan as it was
 * added) or over a table's PLAN_RELATION; a path's PLAN_RELATION. New expression ids each
 * time. ERR_SYNTAX TABLE_OR_VIEW_NOT_FOUND with the nearest name. */
enum errc catalog_lookup(struct catalog *c, struct arena *a, const struct settings *s,
                         const struct sv *parts, uint32_t n_parts, struct plan **out,
                         struct err *err) MUST_CHECK;
/* The plan over a relation's columns: as tables, paths and views USING a format have it.
 */
struct plan *plan_of_relation(struct arena *a, const struct relation *r);

typedef void (*catalog_fn)(void *ctx, struct sv name, bool is_view);
/* By name, views first; those of the warehouse come as "default.NAME". */
void catalog_each(struct catalog *c, const struct settings *s, catalog_fn fn, void *ctx);

#endif
