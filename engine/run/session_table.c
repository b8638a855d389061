/* Statements about views and tables: CREATE, DROP, INSERT, TRUNCATE. */
#include "engine/run/session_int.h"
#include "engine/store/partition.h"

#include <stdlib.h>

static struct sv last_part(const struct statement *st)
{
    return st->name[st->n_name - 1];
}

static bool option_is(const struct statement *st, uint32_t i, const char *key)
{
    return sv_eq_nocase(st->option_keys[i], sv(key));
}

static struct sv without_file(struct sv path)
{
    if (sv_starts(path, SV("file://")))
        return sv_from(path, 7);
    return sv_starts(path, SV("file:")) ? sv_from(path, 5) : path;
}

static struct sv absolute(struct arena *a, struct sv path)
{
    path = without_file(path);
    if (path.len && path.p[0] == '/')
        return arena_sv(a, path);
    char *cwd = realpath(".", NULL);
    struct sv out = sv(arena_printf(a, "%s/%.*s", cwd ? cwd : "", SV_FMT(path)));
    free(cwd);
    return out;
}

static bool same_name(const struct running *r, struct sv a, struct sv b)
{
    return settings_bool(r->s->settings, SET_CASE_SENSITIVE) ? sv_eq(a, b)
                                                             : sv_eq_nocase(a, b);
}

static enum errc already_there(struct sv column, struct err *err)
{
    return err_set(err, ERR_SYNTAX,
                   "[COLUMN_ALREADY_EXISTS] The column `%.*s` already exists. Consider to "
                   "choose another name or rename the existing column.",
                   SV_FMT(column));
}

static enum errc declared_twice(const struct running *r, struct err *err)
{
    const struct statement *st = r->st;

    for (uint32_t i = 0; i < st->n_columns; i++)
        for (uint32_t k = 0; k < i; k++)
            if (same_name(r, st->columns[i].name, st->columns[k].name)) {
                *r->at = st->columns[i].place;
                return already_there(st->columns[i].name, err);
            }
    return ERR_OK;
}

static enum errc partitioned_twice(const struct running *r, struct err *err)
{
    const struct statement *st = r->st;

    for (uint32_t i = 0; i < st->n_partition_by; i++)
        for (uint32_t k = 0; k < i; k++)
            if (same_name(r, st->partition_by[i], st->partition_by[k]))
                return already_there(st->partition_by[i], err);
    return ERR_OK;
}

static enum errc all_partitions(const struct schema *data, const struct schema *partition,
                                struct err *err)
{
    return data->n || !partition->n
               ? ERR_OK
               : err_set(err, ERR_SYNTAX,
                         "[ALL_PARTITION_COLUMNS_NOT_ALLOWED] Cannot use all columns for "
                         "partition columns.");
}

static enum errc no_such_partition(struct sv table, struct sv column,
                                   const struct strbuf *names, struct err *err)
{
    return err_set(err, ERR_SYNTAX,
                   "[COLUMN_NOT_DEFINED_IN_TABLE] Partition column `%.*s` is not defined "
                   "in table `%.*s`, defined table columns are: %s.",
                   SV_FMT(column), SV_FMT(table), names->len ? names->p : "none");
}

/* Declared columns as a schema; those of PARTITIONED BY go to `partition`. */
static enum errc declared(const struct running *r, struct arena *a, struct schema *data,
                          struct schema *partition, struct err *err)
{
    const struct statement *st = r->st;

    TRY(declared_twice(r, err));
    TRY(partitioned_twice(r, err));
    data->fields = arena_array(a, st->n_columns + 1, sizeof *data->fields);
    partition->fields = arena_array(a, st->n_partition_by + 1, sizeof *partition->fields);
    for (uint32_t i = 0; i < st->n_columns; i++) {
        bool is_partition = false;

        for (uint32_t k = 0; k < st->n_partition_by; k++)
            is_partition |= sv_eq_nocase(st->partition_by[k], st->columns[i].name);
        if (!is_partition)
            data->fields[data->n++] = (struct field){ arena_sv(a, st->columns[i].name),
                                                      st->columns[i].type, true };
    }
    for (uint32_t k = 0; k < st->n_partition_by; k++) {
        uint32_t i = 0;

        while (i < st->n_columns &&
               !sv_eq_nocase(st->partition_by[k], st->columns[i].name))
            i++;
        if (i == st->n_columns) {
            struct strbuf names = { 0 };

            for (i = 0; i < st->n_columns; i++)
                strbuf_printf(&names, "%s`%.*s`", i ? ", " : "",
                              SV_FMT(st->columns[i].name));
            enum errc rc =
                no_such_partition(last_part(st), st->partition_by[k], &names, err);
            strbuf_release(&names);
            return rc;
        }
        partition->fields[partition->n++] =
            (struct field){ arena_sv(a, st->columns[i].name), st->columns[i].type, true };
    }
    return all_partitions(data, partition, err);
}

/* --- views ------------------------------------------------------------------------ */

static enum errc view_using(struct running *r, struct err *err)
{
    const struct statement *st = r->st;
    struct arena *a = catalog_arena(r->s->catalog);
    struct sv *paths = arena_array(a, st->n_options + 1, sizeof *paths);
    struct schema data = { 0 }, partition = { 0 };
    struct relation_spec spec = { .format = st->format,
                                  .paths = paths,
                                  .option_keys = st->option_keys,
                                  .option_values = st->option_values,
                                  .n_options = st->n_options };
    const struct relation *relation;
    struct plan *plan;

    for (uint32_t i = 0; i < st->n_options; i++)
        if (option_is(st, i, "path"))
            paths[spec.n_paths++] = arena_sv(a, st->option_values[i]);
    if (st->location.len)
        paths[spec.n_paths++] = arena_sv(a, st->location);
    if (!spec.n_paths)
        return err_set(err, ERR_SYNTAX, "a view USING %.*s needs OPTIONS (path '...')",
                       SV_FMT(st->format));
    if (st->n_columns) {
        TRY(declared(r, a, &data, &partition, err));
        spec.data = &data;
    }
    TRY(relation_open(a, r->s->settings, &spec, &relation, err));
    plan = plan_of_relation(a, relation);
    return catalog_add_view(r->s->catalog, arena_sv(a, last_part(st)), plan,
                            plan_output(a, plan), st->replace, err);
}

static enum errc add_view(struct running *r, const struct statement *st, struct sv name,
                          bool replace, struct err *err)
{
    struct analysis_env env = r->analysis;
    struct sv *columns;

    env.arena = catalog_arena(r->s->catalog);
    columns = arena_array(env.arena, st->n_columns + 1, sizeof *columns);
    for (uint32_t i = 0; i < st->n_columns; i++)
        columns[i] = st->columns[i].name;
    return plan_create_view(&env, name, columns, st->n_columns, st->query, replace, r->at,
                            err);
}

static struct sv stored_name(struct running *r, struct sv name)
{
    return sv(arena_printf(catalog_arena(r->s->catalog), CATALOG_DEFAULT "%.*s",
                           SV_FMT(name)));
}

enum errc run_load_view(void *ctx, struct sv text, struct err *err)
{
    struct running *r = ctx;
    struct place at, *outer = r->at;
    struct script script;
    enum errc rc;

    TRY(sql_parse(catalog_arena(r->s->catalog), text, NULL, &script, err));
    if (script.n != 1 || script.statements[0].kind != STMT_CREATE_VIEW)
        return err_set(err, ERR_CORRUPT, "no view");
    r->at = &at;
    rc = add_view(r, &script.statements[0],
                  stored_name(r, last_part(&script.statements[0])), true, err);
    r->at = outer;
    return rc;
}

/* A view that stays: its statement is kept in the warehouse. */
static enum errc create_stored_view(struct running *r, struct err *err)
{
    const struct statement *st = r->st;
    struct session *s = r->s;
    struct sv name = catalog_table_name(st->name, st->n_name);
    enum errc rc;

    if (!name.p)
        return err_set(err, ERR_SYNTAX, "there is one database, default");
    if (st->if_not_exists && (catalog_has_view(s->catalog, s->settings, name) ||
                              catalog_table(s->catalog, s->settings, name)))
        return ERR_OK;
    TRY(add_view(r, st, stored_name(r, name), true, err));
    rc = catalog_store_view(s->catalog, s->settings, name, st->text, st->replace, err);
    if (rc != ERR_OK) /* the one on disk counts, if there is one */
        (void)catalog_drop_view(s->catalog, stored_name(r, name));
    return rc;
}

enum errc run_create_view(struct running *r, struct err *err)
{
    const struct statement *st = r->st;
    struct sv name = last_part(st);

    if (!st->query)
        return view_using(r, err);
    if (!st->temporary)
        return create_stored_view(r, err);
    if (st->global)
        name = sv(arena_printf(catalog_arena(r->s->catalog), "global_temp.%.*s",
                               SV_FMT(name)));
    return add_view(r, st, name, st->replace, err);
}

enum errc run_drop(struct running *r, struct err *err)
{
    const struct statement *st = r->st;
    struct sv name = catalog_table_name(st->name, st->n_name);
    struct sv view = last_part(st);
    struct err ignored;
    enum errc rc;

    if (st->n_name == 2 && sv_eq_nocase(st->name[0], SV("global_temp")))
        view = sv(arena_printf(r->arena, "global_temp.%.*s", SV_FMT(view)));
    if (catalog_drop_view(r->s->catalog, view))
        return ERR_OK;
    if (st->is_view && name.p &&
        catalog_remove_view(r->s->catalog, r->s->settings, name))
        return ERR_OK;
    if (st->is_view && st->if_exists)
        return ERR_OK;
    if (st->is_view || !name.p)
        return err_set(err, ERR_SYNTAX,
                       "[TABLE_OR_VIEW_NOT_FOUND] The table or view `%.*s` cannot be "
                       "found.",
                       SV_FMT(view));
    rc = catalog_drop_table(r->s->catalog, r->s->settings, name,
                            st->if_exists ? &ignored : err);
    return st->if_exists ? ERR_OK : rc;
}

/* --- writing ---------------------------------------------------------------------- */

static const struct format *find_format(struct running *r, struct sv name,
                                        struct err *err)
{
    const struct format *f;

    if (!name.len)
        name = settings_text(r->s->settings, SET_DEFAULT_SOURCE);
    f = format_find(name);
    if (!f)
        err_set(err, ERR_USAGE,
                "[DATA_SOURCE_NOT_FOUND] Failed to find the data source: %.*s.",
                SV_FMT(name));
    return f;
}

static struct schema both(struct arena *a, const struct schema *data,
                          const struct schema *partition)
{
    struct schema s = { .n = data->n + partition->n };

    s.fields = arena_array(a, s.n + 1, sizeof *s.fields);
    if (data->n)
        memcpy(s.fields, data->fields, data->n * sizeof *s.fields);
    if (partition->n)
        memcpy(s.fields + data->n, partition->fields, partition->n * sizeof *s.fields);
    return s;
}

/* A query's columns as a table's: those of PARTITIONED BY last, as Spark puts them. */
static enum errc columns_of_query(struct running *r, const struct statement *st,
                                  struct plan **rows, struct schema *data,
                                  struct schema *partition, struct err *err)
{
    struct arena *a = r->arena;
    const struct exprs *out = plan_output(a, *rows);
    struct exprs list = exprs_new(a, out->n);
    uint32_t n = 0;

    for (uint32_t i = 0; i < out->n; i++)
        for (uint32_t k = 0; k < i; k++)
            if (same_name(r, out->at[i]->name, out->at[k]->name))
                return already_there(out->at[i]->name, err);
    TRY(partitioned_twice(r, err));
    data->fields = arena_array(a, out->n + 1, sizeof *data->fields);
    partition->fields = arena_array(a, st->n_partition_by + 1, sizeof *partition->fields);
    for (uint32_t i = 0; i < out->n; i++) {
        struct expr *e = out->at[i];
        bool is_partition = false;

        for (uint32_t k = 0; k < st->n_partition_by; k++)
            is_partition |= sv_eq_nocase(st->partition_by[k], e->name);
        if (is_partition)
            continue;
        list.at[n++] = e;
        data->fields[data->n++] = (struct field){ e->name, e->type, true };
    }
    for (uint32_t k = 0; k < st->n_partition_by; k++) {
        uint32_t i = 0;

        while (i < out->n && !sv_eq_nocase(st->partition_by[k], out->at[i]->name))
            i++;
        if (i == out->n) {
            struct strbuf names = { 0 };

            for (i = 0; i < out->n; i++)
                strbuf_printf(&names, "%s`%.*s`", i ? ", " : "",
                              SV_FMT(out->at[i]->name));
            enum errc rc =
                no_such_partition(last_part(st), st->partition_by[k], &names, err);
            strbuf_release(&names);
            return rc;
        }
        list.at[n++] = out->at[i];
        partition->fields[partition->n++] =
            (struct field){ out->at[i]->name, out->at[i]->type, true };
    }
    TRY(all_partitions(data, partition, err));
    if (st->n_partition_by)
        *rows = plan_project(a, list, *rows);
    return ERR_OK;
}

static void take_options(struct write_job *job, const struct statement *st)
{
    job->option_keys = st->option_keys;
    job->option_values = st->option_values;
    job->n_options = st->n_options;
}

static enum errc directory_job(struct running *r, const struct statement *st,
                               struct plan *rows, struct write_job *job, struct err *err)
{
    const struct exprs *out = plan_output(r->arena, rows);

    job->format = find_format(r, st->format, err);
    if (!job->format)
        return err->code;
    job->target = absolute(r->arena, st->location);
    job->overwrite = true;
    job->data.n = out->n;
    job->data.fields = arena_array(r->arena, out->n + 1, sizeof *job->data.fields);
    for (uint32_t i = 0; i < out->n; i++)
        job->data.fields[i] = (struct field){ out->at[i]->name, out->at[i]->type, true };
    take_options(job, st);
    return ERR_OK;
}

/* The folder of PARTITION (y = 2020, m)'s values, which is what OVERWRITE replaces. The
 * rows have the values as constants under the table's columns. */
static enum errc fixed_folder(struct running *r, const struct table *t,
                              struct expr *const *fixed, struct plan *rows,
                              struct sv *out, struct err *err)
{
    struct strbuf folder = { 0 };
    enum errc rc = ERR_OK;

    for (uint32_t i = 0; i < t->partition.n && rc == ERR_OK; i++) {
        const struct expr *e = rows->list.at[t->data.n + i];
        struct value v;

        if (!fixed[t->data.n + i])
            continue;
        rc = eval_constant(r->arena, e->kind == EXPR_ALIAS ? e->args[0] : e, &r->eval, &v,
                           err);
        if (rc != ERR_OK)
            break;
        if (folder.len)
            strbuf_addc(&folder, '/');
        partition_folder(&folder, t->partition.fields[i].name, &v);
    }
    *out = arena_sv(r->arena, strbuf_sv(&folder));
    strbuf_release(&folder);
    return rc;
}

static bool reads_from(const struct plan *p, struct sv location)
{
    if (p->relation)
        for (uint32_t i = 0; i < p->relation->n_roots; i++)
            if (sv_eq(p->relation->roots[i], location))
                return true;
    for (uint32_t i = 0; i < p->n_children; i++)
        if (reads_from(p->children[i], location))
            return true;
    return false;
}

static enum errc table_job(struct running *r, const struct statement *st,
                           struct plan **rows, struct write_job *job, struct err *err)
{
    struct arena *a = r->arena;
    struct sv name = catalog_table_name(st->name, st->n_name);
    const struct table *t =
        name.p ? catalog_table(r->s->catalog, r->s->settings, name) : NULL;
    struct sv *names = arena_array(a, st->n_columns + 1, sizeof *names);
    bool any_fixed = false, open = false;

    if (!t)
        return err_set(err, ERR_SYNTAX,
                       "[TABLE_OR_VIEW_NOT_FOUND] The table or view `%.*s` cannot be "
                       "found.",
                       SV_FMT(last_part(st)));
    struct schema all = both(a, &t->data, &t->partition);
    struct expr **fixed = arena_array(a, all.n + 1, sizeof *fixed);
    for (uint32_t k = 0; k < st->n_partition_by; k++) {
        uint32_t i = t->data.n;

        while (i < all.n && !sv_eq_nocase(all.fields[i].name, st->partition_by[k]))
            i++;
        if (i == all.n)
            return err_set(err, ERR_SYNTAX,
                           "[NON_PARTITION_COLUMN] PARTITION clause cannot contain the "
                           "non-partition column: `%.*s`.",
                           SV_FMT(st->partition_by[k]));
        fixed[i] = st->partition_values ? st->partition_values[k] : NULL;
        any_fixed |= fixed[i] != NULL;
    }
    for (uint32_t i = 0; i < st->n_columns; i++)
        names[i] = st->columns[i].name;
    TRY(plan_for_insert(&r->analysis, *rows, &all, t->name, names, st->n_columns,
                        any_fixed ? fixed : NULL, rows, r->at, err));
    job->format = find_format(r, t->format, err);
    if (!job->format)
        return err->code;
    job->target = t->location;
    job->data = t->data;
    job->partition = t->partition;
    job->overwrite = st->overwrite;
    for (uint32_t i = t->data.n; i < all.n; i++)
        open |= !fixed[i];
    job->dynamic = st->overwrite && open &&
                   settings_says(r->s->settings, SET_PARTITION_OVERWRITE, "dynamic");
    if (st->overwrite && !job->dynamic && reads_from(*rows, t->location))
        return err_set(err, ERR_SYNTAX,
                       "[UNSUPPORTED_OVERWRITE.TABLE] Can't overwrite the target that is "
                       "also being read from. The target table is "
                       "`spark_catalog`.`default`.`%.*s`.",
                       SV_FMT(t->name));
    if (any_fixed)
        TRY(fixed_folder(r, t, fixed, *rows, &job->fixed, err));
    if (st->overwrite && !job->dynamic)
        job->folder = job->fixed;
    job->table = t->name;
    job->option_keys = t->option_keys;
    job->option_values = t->option_values;
    job->n_options = t->n_options;
    return ERR_OK;
}

static enum errc columns_of_files(struct running *r, struct table *t, struct err *err)
{
    struct relation_spec spec = { .format = t->format,
                                  .paths = &t->location,
                                  .n_paths = 1,
                                  .option_keys = t->option_keys,
                                  .option_values = t->option_values,
                                  .n_options = t->n_options };
    const struct relation *found;

    TRY(relation_open(r->arena, r->s->settings, &spec, &found, err));
    t->data = found->data;
    t->partition = found->partition;
    return ERR_OK;
}

/* The table that CREATE TABLE .. AS makes. */
static enum errc new_table(struct running *r, const struct statement *st,
                           struct plan **rows, struct table *t, struct err *err)
{
    const struct format *f = find_format(r, st->format, err);

    if (!f)
        return err->code;
    *t = (struct table){ .name = catalog_table_name(st->name, st->n_name),
                         .format = sv(f->name),
                         .option_keys = st->option_keys,
                         .option_values = st->option_values,
                         .n_options = st->n_options };
    if (!t->name.p)
        return err_set(err, ERR_SYNTAX, "there is one database, default");
    if (st->location.len)
        t->location = absolute(r->arena, st->location);
    if (rows)
        return columns_of_query(r, st, rows, &t->data, &t->partition, err);
    if (!st->n_columns)
        return columns_of_files(r, t, err);
    return declared(r, r->arena, &t->data, &t->partition, err);
}

static void job_of_table(const struct table *t, struct sv location, struct write_job *job)
{
    *job = (struct write_job){ .target = location,
                               .format = format_find(t->format),
                               .data = t->data,
                               .partition = t->partition,
                               .overwrite = true,
                               .option_keys = t->option_keys,
                               .option_values = t->option_values,
                               .n_options = t->n_options };
}

enum errc run_insert_job(struct running *r, const struct statement *st,
                         struct plan **rows, struct write_job **job, struct err *err)
{
    *job = ARENA_NEW(r->arena, struct write_job);
    TRY(run_analyze(r, st->query, rows, err));
    if (st->kind == STMT_CREATE_TABLE) {
        struct table t;

        TRY(new_table(r, st, rows, &t, err));
        job_of_table(&t, t.location, *job);
        return ERR_OK;
    }
    if (st->is_directory)
        return directory_job(r, st, *rows, *job, err);
    return table_job(r, st, rows, *job, err);
}

enum errc run_insert(struct running *r, struct err *err)
{
    struct write_job *job;
    struct plan *rows;
    enum errc rc;

    TRY(run_insert_job(r, r->st, &rows, &job, err));
    if (!r->st->is_directory)
        return run_write(r, rows, job, err);
    r->root_execution = run_command_start(r, "InsertIntoDataSourceDirCommand");
    rc = run_write(r, rows, job, err);
    run_command_end(r, r->root_execution, rc, err);
    return rc;
}

enum errc run_create_table(struct running *r, struct err *err)
{
    const struct statement *st = r->st;
    struct session *s = r->s;
    struct plan *rows = NULL;
    struct write_job job;
    struct table t;
    struct err ignored;
    enum errc rc;

    struct sv name = catalog_table_name(st->name, st->n_name);
    if (name.p && st->if_not_exists && catalog_table(s->catalog, s->settings, name))
        return ERR_OK;
    if (st->query)
        TRY(run_analyze(r, st->query, &rows, err));
    else if (!st->n_columns && !st->location.len)
        return err_set(err, ERR_USAGE,
                       "CREATE TABLE needs columns, a LOCATION with files or AS query");
    TRY(new_table(r, st, rows ? &rows : NULL, &t, err));
    if (!rows)
        return catalog_create_table(s->catalog, s->settings, &t, err);
    r->root_execution = run_command_start(r, "CreateDataSourceTableAsSelectCommand");
    rc = catalog_create_table(s->catalog, s->settings, &t, err);
    if (rc != ERR_OK) {
        run_command_end(r, r->root_execution, rc, err);
        return rc;
    }
    job_of_table(&t, catalog_table(s->catalog, s->settings, t.name)->location, &job);
    rc = run_write(r, rows, &job, err);
    run_command_end(r, r->root_execution, rc, err);
    if (rc != ERR_OK)
        (void)!catalog_drop_table(s->catalog, s->settings, t.name, &ignored);
    return rc;
}

enum errc run_truncate(struct running *r, struct err *err)
{
    struct sv name = catalog_table_name(r->st->name, r->st->n_name);
    const struct table *t =
        name.p ? catalog_table(r->s->catalog, r->s->settings, name) : NULL;
    struct commit *c;

    if (!t)
        return err_set(err, ERR_SYNTAX,
                       "[TABLE_OR_VIEW_NOT_FOUND] The table or view `%.*s` cannot be "
                       "found.",
                       SV_FMT(last_part(r->st)));
    TRY(commit_begin(&c, r->arena, t->location, true, err));
    return commit_job(c, false, err);
}
