/* SET, RESET, SHOW, DESCRIBE, EXPLAIN, CACHE, USE. */
#include "engine/run/session_int.h"

#include "engine/expr/func.h"

#include <stdlib.h>
#include <string.h>

/* --- SET and RESET ---------------------------------------------------------------- */

static void set_pair(void *ctx, struct sv key, struct sv value, struct sv meaning,
                     bool set)
{
    struct text_rows *t = ctx;
    struct sv cells[] = { key, value.p ? value : SV("<undefined>"), meaning, SV("") };

    (void)set;
    text_row(t, cells);
}

enum errc run_set(struct running *r, struct result *out, struct err *err)
{
    static const char *const columns[] = { "key", "value", "meaning", "Since version" };
    struct text_rows t = { .arena = r->arena, .columns = columns, .n_columns = 2 };
    const struct statement *st = r->st;
    struct settings *s = r->s->settings;
    const struct zone *zone;
    struct sv value;

    if (!st->key.len) {
        t.n_columns = st->verbose ? 4 : 2;
        settings_each(s, st->verbose, set_pair, &t);
        text_result(&t, out);
        return ERR_OK;
    }
    if (st->has_value) {
        TRY(settings_modifiable(st->key, err));
        if (sv_is(st->key, setting_key(SET_TIME_ZONE)))
            TRY(zone_open(r->arena, st->value, &zone, err));
        TRY(settings_put(s, st->key, st->value, err));
        value = st->value;
    } else if (!settings_find(s, st->key, &value)) {
        value = (struct sv){ 0 };
    }
    set_pair(&t, st->key, value, (struct sv){ 0 }, true);
    text_result(&t, out);
    return ERR_OK;
}

enum errc run_reset(struct running *r, struct err *err)
{
    if (r->st->key.len)
        TRY(settings_modifiable(r->st->key, err));
    settings_reset(r->s->settings, r->st->key);
    return ERR_OK;
}

/* --- SHOW ------------------------------------------------------------------------- */

/* Spark's patterns: "*" is any text, "|" stands between alternatives; no case. */
static bool like_one(struct sv pattern, struct sv name)
{
    while (pattern.len) {
        if (pattern.p[0] == '*') {
            pattern = sv_from(pattern, 1);
            for (size_t i = 0; i <= name.len; i++)
                if (like_one(pattern, sv_from(name, i)))
                    return true;
            return false;
        }
        if (!name.len ||
            !sv_eq_nocase((struct sv){ pattern.p, 1 }, (struct sv){ name.p, 1 }))
            return false;
        pattern = sv_from(pattern, 1);
        name = sv_from(name, 1);
    }
    return name.len == 0;
}

static bool like(const struct statement *st, struct sv name)
{
    struct sv left = st->value;

    if (!st->has_value)
        return true;
    for (;;) {
        size_t bar = sv_find(left, SV("|"));

        if (like_one(sv_trim((struct sv){ left.p, bar == SIZE_MAX ? left.len : bar }),
                     name))
            return true;
        if (bar == SIZE_MAX)
            return false;
        left = sv_from(left, bar + 1);
    }
}

struct showing {
    struct running *r;
    struct text_rows *t;
    bool views_only;
};

static void show_name(void *ctx, struct sv name, bool is_view)
{
    struct showing *s = ctx;
    bool stored = !is_view || sv_starts(name, SV(CATALOG_DEFAULT));

    if (sv_starts(name, SV("global_temp.")))
        return;
    if (is_view && stored)
        name = sv_from(name, strlen(CATALOG_DEFAULT));
    struct sv cells[] = { stored ? SV("default") : SV(""), name,
                          stored ? SV("false") : SV("true") };
    if ((is_view || !s->views_only) && like(s->r->st, name))
        text_row(s->t, cells);
}

static enum errc show_columns(struct running *r, struct text_rows *t, struct err *err)
{
    struct plan *plan;
    const struct exprs *columns;

    TRY(catalog_lookup(r->s->catalog, r->arena, r->s->settings, r->st->name,
                       r->st->n_name, &plan, err));
    TRY(run_analyze(r, plan, &plan, err));
    columns = plan_output(r->arena, plan);
    for (uint32_t i = 0; i < columns->n; i++)
        text_row(t, &columns->at[i]->name);
    return ERR_OK;
}

/* Functions that only plans and syntax make. */
static bool is_internal(struct sv name)
{
    static const char *const names[] = {
        "extractansiintervaldays",
        "extractansiintervalminutes",
        "extractansiintervalmonths",
        "extractansiintervalyears",
        "knownfloatingpointnormalized",
        "likeall",
        "likeany",
        "makedecimal",
        "normalizenanandzero",
        "notlikeall",
        "notlikeany",
        "timestampadd",
        "timestampdiff",
        "unaryminus",
        "unscaledvalue",
        "yearofweek",
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (sv_is(name, names[i]))
            return true;
    return false;
}

struct names {
    struct arena *arena;
    struct sv *at;
    uint32_t n, cap;
};

static void add_name(struct names *to, const char *word, size_t len)
{
    struct sv name = { word, len };

    if (is_internal(name))
        return;
    if (to->n == to->cap) {
        struct sv *wider = arena_array(to->arena, to->cap * 2 + 256, sizeof *wider);

        if (to->n)
            memcpy(wider, to->at, to->n * sizeof *wider);
        to->at = wider;
        to->cap = to->cap * 2 + 256;
    }
    to->at[to->n++] = name;
}

static void add_names(struct names *to, const char *name, const char *aliases)
{
    add_name(to, name, strlen(name));
    while (aliases && *aliases) {
        size_t len = strcspn(aliases, " ");

        add_name(to, aliases, len);
        aliases += len;
        aliases += strspn(aliases, " ");
    }
}

static int by_name(const void *a, const void *b)
{
    return sv_cmp(*(const struct sv *)a, *(const struct sv *)b);
}

static void show_functions(struct running *r, struct text_rows *t)
{
    struct names names = { .arena = r->arena };

    for (uint32_t i = 0; func_at(i); i++)
        add_names(&names, func_at(i)->name, func_at(i)->aliases);
    for (uint32_t i = 0; agg_at(i); i++)
        add_names(&names, agg_at(i)->name, agg_at(i)->aliases);
    qsort(names.at, names.n, sizeof *names.at, by_name);
    for (uint32_t i = 0; i < names.n; i++)
        if ((!i || !sv_eq(names.at[i], names.at[i - 1])) && like(r->st, names.at[i]))
            text_row(t, &names.at[i]);
}

enum errc run_show(struct running *r, struct result *out, struct err *err)
{
    static const char *const tables[] = { "namespace", "tableName", "isTemporary" };
    static const char *const views[] = { "namespace", "viewName", "isTemporary" };
    static const char *const columns[] = { "col_name" };
    static const char *const databases[] = { "namespace" };
    static const char *const functions[] = { "function" };
    struct text_rows t = { .arena = r->arena };
    struct showing showing = { .r = r, .t = &t };
    struct sv what = r->st->key, one = SV("default");

    if (sv_is(what, "tables") || sv_is(what, "views")) {
        showing.views_only = sv_is(what, "views");
        t.columns = showing.views_only ? views : tables;
        t.n_columns = 3;
        t.last_is_boolean = true;
        catalog_each(r->s->catalog, r->s->settings, show_name, &showing);
    } else if (sv_is(what, "columns")) {
        t.columns = columns;
        t.n_columns = 1;
        TRY(show_columns(r, &t, err));
    } else if (sv_is(what, "databases")) {
        t.columns = databases;
        t.n_columns = 1;
        if (like(r->st, one))
            text_row(&t, &one);
    } else if (sv_is(what, "functions")) {
        t.columns = functions;
        t.n_columns = 1;
        show_functions(r, &t);
    } else {
        return err_set(err, ERR_USAGE, "SHOW %.*s is not supported", SV_FMT(what));
    }
    text_result(&t, out);
    return ERR_OK;
}

/* --- DESCRIBE --------------------------------------------------------------------- */

static void describe_column(struct text_rows *t, struct sv name, struct type type)
{
    struct sv cells[] = { name, text_type(t->arena, type), { 0 } };

    text_row(t, cells);
}

static void describe_partitions(struct text_rows *t, const struct table *table)
{
    struct sv head[] = { SV("# Partition Information"), SV(""), SV("") };
    struct sv names[] = { SV("# col_name"), SV("data_type"), SV("comment") };

    if (!table || !table->partition.n)
        return;
    text_row(t, head);
    text_row(t, names);
    for (uint32_t i = 0; i < table->partition.n; i++)
        describe_column(t, table->partition.fields[i].name,
                        table->partition.fields[i].type);
}

static void describe_more(struct text_rows *t, const struct table *table)
{
    struct sv blank[] = { SV(""), SV(""), SV("") };
    struct sv head[] = { SV("# Detailed Table Information"), SV(""), SV("") };
    struct sv rows[][3] = { { SV("Name"), table->name, SV("") },
                            { SV("Type"), SV("MANAGED"), SV("") },
                            { SV("Provider"), table->format, SV("") },
                            { SV("Location"), table->location, SV("") } };

    text_row(t, blank);
    text_row(t, head);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        text_row(t, rows[i]);
}

static enum errc describe_function(struct running *r, struct result *out, struct err *err)
{
    static const char *const columns[] = { "function_desc" };
    struct text_rows t = { .arena = r->arena, .columns = columns, .n_columns = 1 };
    struct sv name = r->st->name[r->st->n_name - 1], near = func_nearest(name);
    const struct func *f = func_find(name);
    const struct agg *g = f ? NULL : agg_find(name);
    const char *usage;

    if (!f && !g)
        return err_set(
            err, ERR_SYNTAX,
            "[UNRESOLVED_ROUTINE] Cannot resolve function `%.*s` on search path "
            "[`system`.`builtin`, `system`.`session`, "
            "`spark_catalog`.`default`].%s%.*s%s",
            SV_FMT(name), near.p ? " Did you mean `" : "", SV_FMT(near),
            near.p ? "`?" : "");
    usage = f ? f->usage : g->usage;
    struct sv rows[] = {
        sv(arena_printf(r->arena, "Function: %.*s", SV_FMT(name))),
        sv(arena_printf(r->arena, "Usage: %s", usage ? usage : "N/A.")),
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        text_row(&t, &rows[i]);
    text_result(&t, out);
    return ERR_OK;
}

enum errc run_describe(struct running *r, struct result *out, struct err *err)
{
    static const char *const columns[] = { "col_name", "data_type", "comment" };
    struct text_rows t = { .arena = r->arena, .columns = columns, .n_columns = 3 };
    const struct statement *st = r->st;
    struct plan *plan = st->query;
    const struct table *table = NULL;
    const struct exprs *list;

    if (st->is_function)
        return describe_function(r, out, err);
    if (!plan) {
        struct sv name = catalog_table_name(st->name, st->n_name);

        TRY(catalog_lookup(r->s->catalog, r->arena, r->s->settings, st->name, st->n_name,
                           &plan, err));
        if (name.p)
            table = catalog_table(r->s->catalog, r->s->settings, name);
    }
    TRY(run_analyze(r, plan, &plan, err));
    list = plan_output(r->arena, plan);
    for (uint32_t i = 0; i < list->n; i++)
        describe_column(&t, list->at[i]->name, list->at[i]->type);
    describe_partitions(&t, table);
    if (st->verbose && table)
        describe_more(&t, table);
    text_result(&t, out);
    return ERR_OK;
}

/* --- EXPLAIN ---------------------------------------------------------------------- */

static void add_plan(struct strbuf *text, const char *title, struct plan *p)
{
    strbuf_printf(text, "== %s ==\n", title);
    plan_print(text, p);
    strbuf_addc(text, '\n');
}

/* The optimised plan of a write has the command and WriteFiles on top. */
static void add_write(struct strbuf *text, const struct phys *write, struct plan *rows)
{
    static const char execute[] = "Execute ";
    struct strbuf below = { 0 }, node = { 0 };
    struct sv rest, line;

    phys_print_node(&node, write);
    plan_print(&below, rows);
    strbuf_addz(text, "== Optimized Logical Plan ==\n");
    strbuf_add(text, sv_from(strbuf_sv(&node), sizeof execute - 1));
    strbuf_addz(text, "\n+- WriteFiles\n");
    rest = strbuf_sv(&below);
    for (const char *branch = "   +- "; rest.len; branch = "      ") {
        size_t end = sv_find(rest, SV("\n"));

        line = (struct sv){ rest.p, end == SIZE_MAX ? rest.len : end };
        strbuf_addz(text, branch);
        strbuf_add(text, line);
        strbuf_addc(text, '\n');
        rest = sv_from(rest, line.len + (end != SIZE_MAX));
    }
    strbuf_addc(text, '\n');
    strbuf_release(&below);
    strbuf_release(&node);
}

static void add_output(struct arena *a, struct strbuf *text, struct plan *p)
{
    const struct exprs *columns = plan_output(a, p);

    for (uint32_t i = 0; i < columns->n; i++) {
        strbuf_addz(text, i ? ", " : "");
        strbuf_add(text, columns->at[i]->name);
        strbuf_addz(text, ": ");
        type_print(text, columns->at[i]->type);
    }
    strbuf_addc(text, '\n');
}

static void explain_logical(struct running *r, struct strbuf *text, struct plan *parsed,
                            struct plan *analyzed, struct plan *optimized,
                            const struct phys *write)
{
    add_plan(text, "Parsed Logical Plan", parsed);
    strbuf_addz(text, "== Analyzed Logical Plan ==\n");
    add_output(r->arena, text, analyzed);
    plan_print(text, analyzed);
    strbuf_addc(text, '\n');
    if (write)
        add_write(text, write, optimized);
    else
        add_plan(text, "Optimized Logical Plan", optimized);
}

enum errc run_explain(struct running *r, struct result *out, struct err *err)
{
    static const char *const columns[] = { "plan" };
    struct text_rows t = { .arena = r->arena, .columns = columns, .n_columns = 1 };
    const struct statement *st = r->st, *inner = st->inner ? st->inner : st;
    struct strbuf text = { 0 };
    struct plan *analyzed, *optimized;
    struct write_job *job = NULL;
    struct phys *phys;

    if (inner->kind == STMT_INSERT || (inner->kind == STMT_CREATE_TABLE && inner->query))
        TRY(run_insert_job(r, inner, &analyzed, &job, err));
    else if (inner->kind == STMT_QUERY)
        TRY(run_analyze(r, inner->query, &analyzed, err));
    else
        return err_set(err, ERR_USAGE, "EXPLAIN is for queries and INSERT");
    if (job) {
        TRY(run_plan_write(r, analyzed, job, &optimized, &phys, err));
    } else {
        TRY(run_optimize(r, analyzed, &optimized, err));
        TRY(run_plan(r, optimized, &phys, err));
    }
    if (st->explain == EXPLAIN_EXTENDED || st->explain == EXPLAIN_COST)
        explain_logical(r, &text, inner->query, analyzed, optimized, phys_write_of(phys));
    if (st->explain == EXPLAIN_EXTENDED || st->explain == EXPLAIN_COST)
        phys_print_verbose(&text, phys);
    else
        phys_print(&text, phys, st->explain == EXPLAIN_FORMATTED);
    struct sv cell = strbuf_sv(&text);
    text_row(&t, &cell);
    strbuf_release(&text);
    text_result(&t, out);
    return ERR_OK;
}

/* --- CACHE and USE ---------------------------------------------------------------- */

/* Rows are computed anew where a cached table is used; CACHE TABLE name AS makes the
 * name known. */
enum errc run_cache(struct running *r, struct err *err)
{
    const struct statement *st = r->st;
    struct plan *plan;

    if (!st->n_name || (st->negate && st->if_exists))
        return ERR_OK;
    if (st->query) {
        struct analysis_env env = r->analysis;

        env.arena = catalog_arena(r->s->catalog);
        return plan_create_view(&env, st->name[st->n_name - 1], NULL, 0, st->query, false,
                                r->at, err);
    }
    return catalog_lookup(r->s->catalog, r->arena, r->s->settings, st->name, st->n_name,
                          &plan, err);
}

enum errc run_use(struct running *r, struct err *err)
{
    const struct statement *st = r->st;

    if (st->n_name && sv_eq_nocase(st->name[st->n_name - 1], SV("default")))
        return ERR_OK;
    return err_set(err, ERR_SYNTAX,
                   "[SCHEMA_NOT_FOUND] The schema `%.*s` cannot be found: there is one, "
                   "default.",
                   SV_FMT(st->n_name ? st->name[st->n_name - 1] : SV("")));
}
