/* Views of the session and tables of the warehouse.
 *
 * A table's entry is a text file of lines with tabs between fields; tabs, line ends and
 * backslashes inside a field are escaped:
 *
 *     format    parquet
 *     location  /data/t          only where it is not WAREHOUSE/name
 *     column    name  type  null|notnull
 *     partition name  type  null|notnull
 *     option    key   value
 *
 * A view's is the statement that made it. */
#include "engine/plan/catalog.h"

#include "base/file.h"
#include "base/nearest.h"
#include "engine/run/settings.h"
#include "engine/store/format.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

struct view {
    struct view *next; /* by name */
    struct sv name;
    struct plan *plan;
    struct exprs output;
};

struct catalog {
    struct arena *arena;
    struct view *views;
    catalog_load_fn load; /* NULL: views of the warehouse are not found */
    void *load_ctx;
    int loading;       /* views that name each other */
    struct err failed; /* why the last one could not be brought in */
};

struct catalog *catalog_new(struct arena *a)
{
    struct catalog *c = ARENA_NEW(a, struct catalog);

    c->arena = a;
    return c;
}

struct arena *catalog_arena(struct catalog *c)
{
    return c->arena;
}

static bool same_word(struct sv a, struct sv b)
{
    return a.len == b.len && strncasecmp(a.p, b.p, a.len) == 0;
}

static struct sv lower(struct arena *a, struct sv name)
{
    char *p = arena_bytes(a, name.len + 1);

    for (size_t i = 0; i < name.len; i++)
        p[i] = (char)(name.p[i] >= 'A' && name.p[i] <= 'Z' ? name.p[i] + 32 : name.p[i]);
    p[name.len] = 0;
    return (struct sv){ p, name.len };
}

/* ---- views ---- */

static struct view **find_view(struct catalog *c, struct sv name)
{
    struct view **at = &c->views;

    while (*at && !same_word((*at)->name, name))
        at = &(*at)->next;
    return at;
}

enum errc catalog_add_view(struct catalog *c, struct sv name, struct plan *plan,
                           const struct exprs *output, bool replace, struct err *err)
{
    struct view **at = find_view(c, name), *v;

    if (*at && !replace)
        return err_set(err, ERR_SYNTAX,
                       "[TEMP_TABLE_OR_VIEW_ALREADY_EXISTS] Cannot create the temporary "
                       "view `%.*s` because it already exists. Choose a different name, "
                       "drop or replace the existing view, or add the IF NOT EXISTS "
                       "clause to tolerate pre-existing views.",
                       SV_FMT(name));
    if (*at)
        *at = (*at)->next;
    v = ARENA_NEW(c->arena, struct view);
    v->name = lower(c->arena, name);
    v->plan = plan;
    v->output = exprs_copy(c->arena, output);
    for (at = &c->views; *at && sv_cmp((*at)->name, v->name) < 0;)
        at = &(*at)->next;
    v->next = *at;
    *at = v;
    return ERR_OK;
}

bool catalog_drop_view(struct catalog *c, struct sv name)
{
    struct view **at = find_view(c, name);

    if (!*at)
        return false;
    *at = (*at)->next;
    return true;
}

/* ---- entries of tables ---- */

static const char *warehouse(struct arena *a, const struct settings *s)
{
    struct sv dir = settings_text(s, SET_WAREHOUSE);
    char here[PATH_MAX];

    if (sv_starts(dir, SV("file:")))
        dir = sv_from(dir, 5);
    while (dir.len > 1 && dir.p[0] == '/' && dir.p[1] == '/')
        dir = sv_from(dir, 1);
    if (dir.len && dir.p[0] == '/')
        return arena_sv(a, dir).p;
    if (!getcwd(here, sizeof here))
        strcpy(here, ".");
    return arena_printf(a, "%s/%.*s", here, SV_FMT(dir));
}

static const char *entry_path(struct arena *a, const struct settings *s, struct sv name)
{
    return arena_printf(a, "%s/%.*s.table", warehouse(a, s), SV_FMT(name));
}

/* Names become folders: nothing that leads elsewhere. */
static bool name_is_safe(struct sv name)
{
    return name.len && name.len < 200 && name.p[0] != '.' && name.p[0] != '_' &&
           !memchr(name.p, '/', name.len) && !memchr(name.p, 0, name.len);
}

static void add_field(struct strbuf *out, struct sv text, char end)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];

        if (c == '\t' || c == '\n' || c == '\\') {
            strbuf_addc(out, '\\');
            c = c == '\t' ? 't' : c == '\n' ? 'n' : '\\';
        }
        strbuf_addc(out, c);
    }
    strbuf_addc(out, end);
}

static void add_columns(struct strbuf *out, const char *kind, const struct schema *s)
{
    for (uint32_t i = 0; i < s->n; i++) {
        strbuf_printf(out, "%s\t", kind);
        add_field(out, s->fields[i].name, '\t');
        type_print(out, s->fields[i].type);
        strbuf_addz(out, s->fields[i].nullable ? "\tnull\n" : "\tnotnull\n");
    }
}

static void add_entry(struct strbuf *out, const struct table *t)
{
    strbuf_addz(out, "format\t");
    add_field(out, t->format, '\n');
    if (t->location.len) {
        strbuf_addz(out, "location\t");
        add_field(out, t->location, '\n');
    }
    add_columns(out, "column", &t->data);
    add_columns(out, "partition", &t->partition);
    for (uint32_t i = 0; i < t->n_options; i++) {
        strbuf_addz(out, "option\t");
        add_field(out, t->option_keys[i], '\t');
        add_field(out, t->option_values[i], '\n');
    }
}

/* The text up to `end`, unescaped; *rest goes behind it. */
static struct sv take_field(struct arena *a, struct sv *rest)
{
    char *to = arena_bytes(a, rest->len + 1);
    size_t n = 0, i = 0;

    for (; i < rest->len && rest->p[i] != '\t' && rest->p[i] != '\n'; i++) {
        char c = rest->p[i];

        if (c == '\\' && i + 1 < rest->len) {
            c = rest->p[++i];
            c = c == 't' ? '\t' : c == 'n' ? '\n' : c;
        }
        to[n++] = c;
    }
    to[n] = 0;
    *rest = sv_from(*rest, i + (i < rest->len && rest->p[i] == '\t'));
    return (struct sv){ to, n };
}

static bool read_column(struct arena *a, struct sv rest, struct schema *to)
{
    struct field *more = arena_array(a, to->n + 1, sizeof *more);
    struct err ignored;
    struct field *f;

    if (to->n)
        memcpy(more, to->fields, to->n * sizeof *more);
    f = &more[to->n];
    f->name = take_field(a, &rest);
    if (type_parse(take_field(a, &rest), &f->type, &ignored) != ERR_OK)
        return false;
    f->nullable = !sv_is(take_field(a, &rest), "notnull");
    to->fields = more;
    to->n++;
    return true;
}

static void read_option(struct arena *a, struct sv rest, struct table *t)
{
    struct sv *keys = arena_array(a, t->n_options + 1, sizeof *keys);
    struct sv *values = arena_array(a, t->n_options + 1, sizeof *values);

    if (t->n_options) {
        memcpy(keys, t->option_keys, t->n_options * sizeof *keys);
        memcpy(values, t->option_values, t->n_options * sizeof *values);
    }
    keys[t->n_options] = take_field(a, &rest);
    values[t->n_options++] = take_field(a, &rest);
    t->option_keys = keys;
    t->option_values = values;
}

static bool read_line(struct arena *a, struct sv line, struct table *t)
{
    struct sv word = take_field(a, &line);

    if (sv_is(word, "format"))
        t->format = take_field(a, &line);
    else if (sv_is(word, "location"))
        t->location = take_field(a, &line);
    else if (sv_is(word, "column"))
        return read_column(a, line, &t->data);
    else if (sv_is(word, "partition"))
        return read_column(a, line, &t->partition);
    else if (sv_is(word, "option"))
        read_option(a, line, t);
    return true; /* lines of a later version are none of ours */
}

static bool read_file(const char *path, struct strbuf *out)
{
    FILE *f = fopen(path, "rb");
    char part[4096];
    size_t n;

    if (!f)
        return false;
    while ((n = fread(part, 1, sizeof part, f)) > 0)
        strbuf_add(out, (struct sv){ part, n });
    fclose(f);
    return true;
}

const struct table *catalog_table(struct catalog *c, const struct settings *s,
                                  struct sv name)
{
    struct arena *a = c->arena;
    struct table *t = ARENA_NEW(a, struct table);
    struct strbuf text = { 0 };
    struct sv rest;
    bool good;

    name = lower(a, name);
    if (!name_is_safe(name) || !read_file(entry_path(a, s, name), &text))
        return NULL;
    t->name = name;
    good = true;
    for (rest = strbuf_sv(&text); rest.len && good;) {
        struct sv line = sv_first_line(rest);

        good = read_line(a, line, t);
        rest = sv_from(rest, line.len + 1);
    }
    strbuf_release(&text);
    if (!t->location.len)
        t->location = sv(arena_printf(a, "%s/%.*s", warehouse(a, s), SV_FMT(name)));
    return good && t->format.len ? t : NULL;
}

/* ---- views of the warehouse ---- */

enum { MOST_LOADING = 32 };

static const char *view_path(struct arena *a, const struct settings *s, struct sv name)
{
    return arena_printf(a, "%s/%.*s.view", warehouse(a, s), SV_FMT(name));
}

static struct sv in_default(struct arena *a, struct sv name)
{
    return lower(a, sv(arena_printf(a, CATALOG_DEFAULT "%.*s", SV_FMT(name))));
}

void catalog_set_loader(struct catalog *c, catalog_load_fn load, void *ctx)
{
    c->load = load;
    c->load_ctx = ctx;
}

bool catalog_has_view(struct catalog *c, const struct settings *s, struct sv name)
{
    return name_is_safe(name) &&
           access(view_path(c->arena, s, lower(c->arena, name)), F_OK) == 0;
}

bool catalog_remove_view(struct catalog *c, const struct settings *s, struct sv name)
{
    (void)catalog_drop_view(c, in_default(c->arena, name));
    return catalog_has_view(c, s, name) &&
           unlink(view_path(c->arena, s, lower(c->arena, name))) == 0;
}

/* ---- making and dropping ---- */

static bool make_folders(const char *path)
{
    char part[PATH_MAX];

    if (strlen(path) >= sizeof part)
        return false;
    for (size_t i = 1; path[i - 1]; i++) {
        if (path[i] != '/' && path[i])
            continue;
        memcpy(part, path, i);
        part[i] = 0;
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return false;
    }
    return true;
}

static enum errc exists_already(struct sv name, struct err *err)
{
    return err_set(err, ERR_SYNTAX,
                   "[TABLE_OR_VIEW_ALREADY_EXISTS] Cannot create table or view "
                   "`default`.`%.*s` because it already exists. Choose a different "
                   "name, drop or replace the existing object, or add the IF NOT "
                   "EXISTS clause to tolerate pre-existing objects.",
                   SV_FMT(name));
}

enum errc catalog_store_view(struct catalog *c, const struct settings *s, struct sv name,
                             struct sv statement, bool replace, struct err *err)
{
    const char *path;

    name = lower(c->arena, name);
    if (!name_is_safe(name))
        return err_set(err, ERR_SYNTAX, "`%.*s` is not a valid name for views.",
                       SV_FMT(name));
    if (catalog_table(c, s, name) || (!replace && catalog_has_view(c, s, name)))
        return exists_already(name, err);
    path = warehouse(c->arena, s);
    if (!make_folders(path))
        return err_set(err, ERR_OUTPUT, "%s: %s", path, strerror(errno));
    return file_write(view_path(c->arena, s, name), statement, err);
}

enum errc catalog_create_table(struct catalog *c, const struct settings *s,
                               const struct table *t, struct err *err)
{
    struct sv name = lower(c->arena, t->name);
    struct strbuf text = { 0 };
    const char *folder;
    enum errc rc;

    if (!name_is_safe(name))
        return err_set(err, ERR_SYNTAX, "`%.*s` is not a valid name for tables.",
                       SV_FMT(t->name));
    if (catalog_table(c, s, name) || catalog_has_view(c, s, name))
        return exists_already(name, err);
    folder = t->location.len ? arena_sv(c->arena, t->location).p
                             : arena_printf(c->arena, "%s/%.*s", warehouse(c->arena, s),
                                            SV_FMT(name));
    if (!make_folders(warehouse(c->arena, s)) || !make_folders(folder))
        return err_set(err, ERR_OUTPUT, "%s: %s", folder, strerror(errno));
    add_entry(&text, t);
    rc = file_write(entry_path(c->arena, s, name), strbuf_sv(&text), err);
    strbuf_release(&text);
    return rc;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *w)
{
    (void)st;
    (void)flag;
    (void)w;
    return remove(path);
}

static enum errc not_found(struct catalog *c, const struct settings *s,
                           const struct sv *parts, uint32_t n, struct err *err);

enum errc catalog_drop_table(struct catalog *c, const struct settings *s, struct sv name,
                             struct err *err)
{
    const struct table *t = catalog_table(c, s, name);
    const char *own;

    if (!t)
        return not_found(c, s, &name, 1, err);
    own = arena_printf(c->arena, "%s/%.*s", warehouse(c->arena, s), SV_FMT(t->name));
    if (unlink(entry_path(c->arena, s, t->name)) != 0)
        return err_set(err, ERR_OUTPUT, "%s: %s", entry_path(c->arena, s, t->name),
                       strerror(errno));
    if (sv_is(t->location, own) && access(own, F_OK) == 0 &&
        nftw(own, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        return err_set(err, ERR_OUTPUT, "%s: %s", own, strerror(errno));
    return ERR_OK;
}

/* ---- lookup ---- */

struct sv catalog_table_name(const struct sv *parts, uint32_t n_parts)
{
    if (n_parts == 3 && !same_word(parts[0], SV("spark_catalog")))
        return (struct sv){ 0 };
    if (n_parts >= 2 && !same_word(parts[n_parts - 2], SV("default")))
        return (struct sv){ 0 };
    return n_parts >= 1 && n_parts <= 3 ? parts[n_parts - 1] : (struct sv){ 0 };
}

struct plan *plan_of_relation(struct arena *a, const struct relation *r)
{
    struct plan *p = plan_new(a, PLAN_RELATION, 0);
    uint32_t n = r->data.n + r->partition.n;

    p->relation = r;
    p->resolved = true;
    p->output = exprs_new(a, n);
    for (uint32_t i = 0; i < n; i++) {
        const struct field *f =
            i < r->data.n ? &r->data.fields[i] : &r->partition.fields[i - r->data.n];

        p->output.at[i] = expr_attribute(a, f->name, f->type, true, next_expr_id());
    }
    return p;
}

static struct plan *view_plan(struct arena *a, const struct view *v)
{
    bool is_relation = v->plan->kind == PLAN_RELATION;
    struct plan *below = is_relation ? plan_fresh(a, v->plan) : v->plan;
    struct plan *view = plan_unary(a, PLAN_VIEW, below);
    struct plan *alias = plan_unary(a, PLAN_SUBQUERY_ALIAS, view);

    view->name = alias->name = v->name;
    if (sv_starts(v->name, SV(CATALOG_DEFAULT))) {
        view->name = alias->name = sv_from(v->name, strlen(CATALOG_DEFAULT));
        alias->n_parts = 3;
        alias->parts = arena_array(a, 3, sizeof *alias->parts);
        alias->parts[0] = SV("spark_catalog");
        alias->parts[1] = SV("default");
        alias->parts[2] = alias->name;
    }
    if (is_relation) {
        view->output = below->output;
        return alias;
    }
    view->output = exprs_new(a, v->output.n);
    for (uint32_t i = 0; i < v->output.n; i++) {
        const struct expr *e = v->output.at[i];

        view->output.at[i] =
            expr_attribute(a, e->name, e->type, e->nullable, next_expr_id());
    }
    return alias;
}

static enum errc table_plan(struct arena *a, const struct settings *s,
                            const struct table *t, struct plan **out, struct err *err)
{
    struct relation_spec spec = {
        .format = t->format,
        .paths = &t->location,
        .n_paths = 1,
        .option_keys = t->option_keys,
        .option_values = t->option_values,
        .n_options = t->n_options,
        .data = &t->data,
        .partition = &t->partition,
        .table = t->name,
    };
    const struct relation *r;
    struct plan *alias;

    TRY(relation_open(a, s, &spec, &r, err));
    alias = plan_unary(a, PLAN_SUBQUERY_ALIAS, plan_of_relation(a, r));
    alias->n_parts = 3;
    alias->parts = arena_array(a, 3, sizeof *alias->parts);
    alias->parts[0] = SV("spark_catalog");
    alias->parts[1] = SV("default");
    alias->parts[2] = alias->name = t->name;
    *out = alias;
    return ERR_OK;
}

static enum errc path_plan(struct arena *a, const struct settings *s,
                           const struct sv *parts, struct plan **out, struct err *err)
{
    struct relation_spec spec = { .format = parts[0], .paths = &parts[1], .n_paths = 1 };
    const struct relation *r;

    TRY(relation_open(a, s, &spec, &r, err));
    *out = plan_of_relation(a, r);
    return ERR_OK;
}

struct suggesting {
    struct nearest nearest;
    struct arena names; /* outlive the listing */
};

static void suggest(void *ctx, struct sv name, bool is_view)
{
    struct suggesting *s = ctx;

    (void)is_view;
    if (sv_starts(name, SV(CATALOG_DEFAULT)))
        name = sv_from(name, strlen(CATALOG_DEFAULT));
    nearest_try(&s->nearest, arena_sv(&s->names, name));
}

static enum errc not_found(struct catalog *c, const struct settings *s,
                           const struct sv *parts, uint32_t n, struct err *err)
{
    struct suggesting sug = { .nearest = { .word = parts[n - 1] } };
    struct strbuf name = { 0 }, near = { 0 };
    enum errc rc;

    for (uint32_t i = 0; i < n; i++)
        strbuf_printf(&name, "%s`%.*s`", i ? "." : "", SV_FMT(parts[i]));
    catalog_each(c, s, suggest, &sug);
    if (sug.nearest.best.p)
        strbuf_printf(&near, " Did you mean `%.*s`?", SV_FMT(sug.nearest.best));
    rc = err_set(err, ERR_SYNTAX,
                 "[TABLE_OR_VIEW_NOT_FOUND] The table or view %.*s cannot be found. "
                 "Verify the spelling and correctness of the schema and catalog.%.*s",
                 SV_FMT(strbuf_sv(&name)), SV_FMT(strbuf_sv(&near)));
    strbuf_release(&name);
    strbuf_release(&near);
    arena_release(&sug.names);
    return rc;
}

/* The view of the warehouse, brought in where it was not yet. */
static struct view *stored_view(struct catalog *c, const struct settings *s,
                                struct sv name)
{
    struct sv full = in_default(c->arena, name);
    struct strbuf text = { 0 };

    c->failed.code = ERR_OK;
    if (!name_is_safe(name) || !catalog_has_view(c, s, name))
        return NULL;
    if (!*find_view(c, full) && c->load && c->loading < MOST_LOADING &&
        read_file(view_path(c->arena, s, lower(c->arena, name)), &text)) {
        struct err why = { 0 };

        c->loading++;
        if (c->load(c->load_ctx, arena_sv(c->arena, strbuf_sv(&text)), &why) != ERR_OK)
            err_prefix(&why, "view %.*s", SV_FMT(name));
        c->loading--;
        c->failed = why;
    }
    strbuf_release(&text);
    return *find_view(c, full);
}

static struct view *view_of(struct catalog *c, struct arena *a, const struct settings *s,
                            const struct sv *parts, uint32_t n)
{
    struct view *v = n == 1 ? *find_view(c, parts[0]) : NULL;
    struct sv name = catalog_table_name(parts, n);

    if (v)
        return v;
    if (name.p && (v = stored_view(c, s, name)) != NULL)
        return v;
    if (n == 2 && same_word(parts[0], SV("global_temp")))
        return *find_view(c, sv(arena_printf(a, "global_temp.%.*s", SV_FMT(parts[1]))));
    return NULL;
}

enum errc catalog_lookup(struct catalog *c, struct arena *a, const struct settings *s,
                         const struct sv *parts, uint32_t n_parts, struct plan **out,
                         struct err *err)
{
    const struct view *v = view_of(c, a, s, parts, n_parts);
    struct sv name = catalog_table_name(parts, n_parts);
    const struct table *t;

    if (v) {
        *out = view_plan(a, v);
        return ERR_OK;
    }
    if (c->failed.code != ERR_OK) {
        *err = c->failed;
        c->failed.code = ERR_OK;
        return err->code;
    }
    if (name.p && (t = catalog_table(c, s, name)) != NULL)
        return table_plan(a, s, t, out, err);
    if (n_parts == 2 && !name.p && format_find(parts[0]))
        return path_plan(a, s, parts, out, err);
    return not_found(c, s, parts, n_parts, err);
}

/* ---- listing ---- */

static int is_entry(const struct dirent *e)
{
    return sv_ends(sv(e->d_name), SV(".table")) && e->d_name[0] != '.';
}

static int is_view_entry(const struct dirent *e)
{
    return sv_ends(sv(e->d_name), SV(".view")) && e->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void each_entry(const char *dir, bool views, catalog_fn fn, void *ctx)
{
    struct dirent **entries = NULL;
    int n = scandir(dir, &entries, views ? is_view_entry : is_entry, by_name);
    char full[300];

    for (int i = 0; i < n; i++) {
        struct sv name = sv(entries[i]->d_name);

        name.len -= strlen(views ? ".view" : ".table");
        snprintf(full, sizeof full, CATALOG_DEFAULT "%.*s", SV_FMT(name));
        fn(ctx, views ? sv(full) : name, views);
        free(entries[i]);
    }
    free(entries);
}

void catalog_each(struct catalog *c, const struct settings *s, catalog_fn fn, void *ctx)
{
    struct arena scratch = { 0 };
    const char *dir = warehouse(&scratch, s);

    for (const struct view *v = c->views; v; v = v->next)
        if (!sv_starts(v->name, SV(CATALOG_DEFAULT)))
            fn(ctx, v->name, true);
    each_entry(dir, true, fn, ctx);
    each_entry(dir, false, fn, ctx);
    arena_release(&scratch);
}
