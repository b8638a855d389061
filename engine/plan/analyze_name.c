/* Columns by name.
 *
 * t.a means the column a of what is known as t; where t has more parts (a table is
 * spark_catalog.default.t), any number of the last ones may be given. Names are without
 * regard to case, and a column is called as the query wrote it. */
#include "engine/plan/analyze_int.h"

#include <stdlib.h>
#include <strings.h>

bool same_name(struct sv a, struct sv b)
{
    return a.len == b.len && (a.len == 0 || strncasecmp(a.p, b.p, a.len) == 0);
}

/* Do the n parts end the attribute's qualifier? */
static bool qualifies(const struct sv *parts, uint32_t n, const struct expr *attribute)
{
    if (n > attribute->n_parts)
        return false;
    for (uint32_t i = 0; i < n; i++)
        if (!same_name(parts[i], attribute->parts[attribute->n_parts - n + i]))
            return false;
    return true;
}

struct matches {
    struct exprs found; /* different ones */
};

static void add_match(struct analyzer *an, struct matches *m, struct expr *attribute)
{
    for (uint32_t i = 0; i < m->found.n; i++)
        if (m->found.at[i]->id == attribute->id)
            return;
    m->found = exprs_add(an->arena, &m->found, attribute);
}

static void match(struct analyzer *an, const struct exprs *columns, const struct expr *e,
                  struct matches *m)
{
    struct sv name = e->parts[e->n_parts - 1];

    for (uint32_t i = 0; columns && i < columns->n; i++)
        if (same_name(columns->at[i]->name, name) &&
            qualifies(e->parts, e->n_parts - 1, columns->at[i]))
            add_match(an, m, columns->at[i]);
}

struct expr *find_column(const struct exprs *columns, struct sv name, uint32_t *n)
{
    struct expr *found = NULL;

    *n = 0;
    for (uint32_t i = 0; i < columns->n; i++)
        if (same_name(columns->at[i]->name, name)) {
            found = columns->at[i];
            ++*n;
        }
    return found;
}

/* ---- errors ---- */

static void add_quoted(struct strbuf *out, const struct sv *parts, uint32_t n,
                       struct sv name)
{
    for (uint32_t i = 0; i < n; i++)
        strbuf_printf(out, "`%.*s`.", SV_FMT(parts[i]));
    strbuf_printf(out, "`%.*s`", SV_FMT(name));
}

struct candidate {
    struct sv text; /* quoted */
    struct expr *attribute;
    size_t distance;
};

static size_t edits(struct sv a, struct sv b)
{
    size_t row[256];

    if (b.len >= ARRAY_LEN(row))
        return SIZE_MAX;
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t before = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t change = before + (a.p[i - 1] != b.p[j - 1]);
            size_t least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;

            before = row[j];
            row[j] = change < least ? change : least;
        }
    }
    return row[b.len];
}

static int by_distance(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    int names = sv_cmp(x->attribute->name, y->attribute->name);

    if (x->distance != y->distance)
        return x->distance < y->distance ? -1 : 1;
    if (names)
        return names;
    return x->attribute->id < y->attribute->id ? -1 : x->attribute->id > y->attribute->id;
}

/* Do all have the same qualifier, up to `but` parts at its end? */
static bool same_qualifiers(const struct exprs *columns, uint32_t but)
{
    const struct expr *first = columns->n ? columns->at[0] : NULL;

    for (uint32_t i = 1; i < columns->n; i++) {
        const struct expr *e = columns->at[i];

        if (e->n_parts != first->n_parts)
            return false;
        for (uint32_t k = 0; k + but < e->n_parts; k++)
            if (!same_name(e->parts[k], first->parts[k]))
                return false;
    }
    return true;
}

/* The qualifier is shown where it tells columns apart or the query used one. */
static struct sv candidate_text(struct analyzer *an, const struct expr *attribute,
                                uint32_t parts)
{
    struct strbuf text = { 0 };
    uint32_t n = attribute->n_parts < parts ? attribute->n_parts : parts;
    struct sv copy;

    add_quoted(&text, attribute->parts + (attribute->n_parts - n), n, attribute->name);
    copy = arena_sv(an->arena, strbuf_sv(&text));
    strbuf_release(&text);
    return copy;
}

static struct sv name_as_written(struct analyzer *an, const struct expr *e)
{
    struct strbuf text = { 0 };
    struct sv copy;

    for (uint32_t i = 0; i < e->n_parts; i++) {
        if (i)
            strbuf_addc(&text, '.');
        strbuf_add(&text, e->parts[i]);
    }
    copy = arena_sv(an->arena, strbuf_sv(&text));
    strbuf_release(&text);
    return copy;
}

enum errc fail_unresolved(struct analyzer *an, struct expr *e,
                          const struct exprs *columns)
{
    uint32_t parts = same_qualifiers(columns, 0)   ? e->n_parts > 1
                     : same_qualifiers(columns, 1) ? 1
                                                   : UINT32_MAX;
    struct candidate *c = arena_array(an->arena, columns->n + 1, sizeof *c);
    struct strbuf name = { 0 }, list = { 0 };
    struct sv written = name_as_written(an, e);
    enum errc rc;

    add_quoted(&name, e->parts, e->n_parts - 1, e->parts[e->n_parts - 1]);
    for (uint32_t i = 0; i < columns->n; i++) {
        c[i].text = candidate_text(an, columns->at[i], parts);
        c[i].attribute = columns->at[i];
        c[i].distance = edits(c[i].text, written);
    }
    qsort(c, columns->n, sizeof *c, by_distance);
    for (uint32_t i = 0; i < columns->n && i < 5; i++)
        strbuf_printf(&list, "%s%.*s", i ? ", " : "", SV_FMT(c[i].text));
    if (columns->n)
        rc = analysis_fail(
            an, e->place,
            "[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column or function parameter "
            "with name %.*s cannot be resolved. Did you mean one of the "
            "following? [%.*s].",
            SV_FMT(strbuf_sv(&name)), SV_FMT(strbuf_sv(&list)));
    else
        rc = analysis_fail(an, e->place,
                           "[UNRESOLVED_COLUMN.WITHOUT_SUGGESTION] A column or function "
                           "parameter with name %.*s cannot be resolved.",
                           SV_FMT(strbuf_sv(&name)));
    strbuf_release(&name);
    strbuf_release(&list);
    return rc;
}

static enum errc fail_ambiguous(struct analyzer *an, const struct expr *e,
                                const struct exprs *found)
{
    struct strbuf name = { 0 }, list = { 0 };
    enum errc rc;

    add_quoted(&name, e->parts, e->n_parts - 1, e->parts[e->n_parts - 1]);
    for (uint32_t i = 0; i < found->n; i++) {
        if (i)
            strbuf_addz(&list, ", ");
        add_quoted(&list, found->at[i]->parts, found->at[i]->n_parts, found->at[i]->name);
    }
    rc = analysis_fail(
        an, e->place,
        "[AMBIGUOUS_REFERENCE] Reference %.*s is ambiguous, could be: [%.*s].",
        SV_FMT(strbuf_sv(&name)), SV_FMT(strbuf_sv(&list)));
    strbuf_release(&name);
    strbuf_release(&list);
    return rc;
}

/* ---- resolving ---- */

static struct expr *as_written(struct analyzer *an, const struct expr *e,
                               const struct expr *attribute)
{
    struct expr *copy = expr_copy(an->arena, attribute);

    copy->name = e->parts[e->n_parts - 1];
    copy->place = e->place;
    return copy;
}

/* One list of columns: NULL where the name is none of them. */
static enum errc resolve_in(struct analyzer *an, const struct exprs *columns,
                            struct expr *e, struct expr **out)
{
    struct matches m = { 0 };

    *out = NULL;
    match(an, columns, e, &m);
    if (m.found.n > 1)
        return fail_ambiguous(an, e, &m.found);
    if (m.found.n == 1)
        *out = as_written(an, e, m.found.at[0]);
    return ERR_OK;
}

static enum errc resolve_hidden(struct analyzer *an, const struct scope *s,
                                struct expr *e, struct expr **out)
{
    if (!s->hidden || e->n_parts < 2)
        return ERR_OK;
    TRY(resolve_in(an, s->hidden, e, out));
    if (*out && s->used_hidden)
        expr_set_add(an->arena, s->used_hidden, (*out)->id);
    return ERR_OK;
}

static enum errc resolve_here(struct analyzer *an, const struct scope *s, struct expr *e,
                              struct expr **out)
{
    TRY(resolve_in(an, s->columns, e, out));
    return *out ? ERR_OK : resolve_hidden(an, s, e, out);
}

/* Does the aggregate group by something that uses the column? */
static bool is_grouped(const struct scope *s, const struct expr *attribute)
{
    struct arena scratch = { 0 };
    bool is = false;

    for (uint32_t i = 0; s->groups && i < s->groups->n && !is; i++) {
        struct expr_set used = { 0 };

        expr_references(&scratch, s->groups->at[i], &used);
        is = expr_set_has(&used, attribute->id);
    }
    arena_release(&scratch);
    return is;
}

/* HAVING and ORDER BY over an aggregate: what it puts out, and what it works on. */
static enum errc resolve_two(struct analyzer *an, const struct scope *s, struct expr *e,
                             bool in_aggregate, struct expr **out)
{
    struct expr *below = NULL;
    bool first = in_aggregate && s->second_in_aggregates;

    if (s->second && (first || s->second_first)) {
        TRY(resolve_in(an, s->second, e, &below));
        if (below && (first || is_grouped(s, below))) {
            *out = below;
            return ERR_OK;
        }
    }
    TRY(resolve_here(an, s, e, out));
    if (*out || !s->second)
        return ERR_OK;
    if (below)
        *out = below;
    else
        TRY(resolve_in(an, s->second, e, out));
    return ERR_OK;
}

static enum errc resolve_lateral(struct analyzer *an, const struct scope *s,
                                 struct expr *e, bool in_aggregate, struct expr **out)
{
    struct expr *found = NULL;
    uint32_t n = 0;

    if (!s->aliases || e->n_parts != 1)
        return ERR_OK;
    for (uint32_t i = 0; i < s->aliases->n; i++) {
        struct expr *a = s->aliases->at[i];

        if (a->kind != EXPR_ALIAS || !same_name(a->name, e->parts[0]))
            continue;
        found = a;
        n++;
    }
    if (n > 1)
        return analysis_fail(
            an, e->place,
            "[AMBIGUOUS_LATERAL_COLUMN_ALIAS] Lateral column alias `%.*s` is "
            "ambiguous and has %u matches.",
            SV_FMT(e->parts[0]), n);
    if (!found)
        return ERR_OK;
    if (s->in_window)
        return analysis_fail(
            an, e->place,
            "[UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_WINDOW] The "
            "feature is not supported: Referencing a lateral column alias "
            "`%.*s` in a window expression.",
            SV_FMT(found->name));
    if (in_aggregate)
        return analysis_fail(
            an, e->place,
            "[UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_AGGREGATE_FUNC] "
            "The feature is not supported: Referencing a lateral column "
            "alias `%.*s` in an aggregate function.",
            SV_FMT(found->name));
    *out = expr_to_attribute(an->arena, found);
    (*out)->name =
        sv(arena_printf(an->arena, "lateralAliasReference(%.*s)", SV_FMT(found->name)));
    (*out)->place = e->place;
    return ERR_OK;
}

static enum errc resolve_outer(struct analyzer *an, const struct scope *s, struct expr *e,
                               struct expr **out)
{
    struct outer *o = an->outer;
    struct expr *attribute = NULL;

    if (!o || s->no_outer)
        return ERR_OK;
    TRY(resolve_two(an, o->scope, e, false, &attribute));
    if (!attribute)
        return ERR_OK;
    if (!exprs_find(&o->used, attribute->id))
        o->used = exprs_add(an->arena, &o->used, attribute);
    *out = expr_new(an->arena, EXPR_OUTER, 1);
    (*out)->args[0] = attribute;
    (*out)->place = e->place;
    expr_settle(*out);
    return ERR_OK;
}

/* current_date and its like need no brackets. */
static enum errc resolve_bare_function(struct analyzer *an, const struct expr *e,
                                       struct expr **out)
{
    static const char *const names[] = { "current_date",    "current_timestamp",
                                         "current_user",    "user",
                                         "current_catalog", "current_database" };

    for (size_t i = 0; i < ARRAY_LEN(names) && e->n_parts == 1; i++) {
        const struct func *f = func_find(sv(names[i]));

        if (!f || !same_name(e->parts[0], sv(names[i])))
            continue;
        return place_error(an, e->place,
                           func_call(an->arena, an->settings, f, NULL, 0, out, an->err));
    }
    return ERR_OK;
}

/* GROUP BY x, x being the alias of a select item: what it stands for. */
static void resolve_item(const struct scope *s, const struct expr *e, struct expr **out)
{
    for (uint32_t i = 0; s->items && e->n_parts == 1 && i < s->items->n && !*out; i++) {
        struct expr *item = s->items->at[i];

        if (same_name(item->name, e->parts[0]))
            *out = item->kind == EXPR_ALIAS ? item->args[0] : item;
    }
}

enum errc resolve_name(struct analyzer *an, const struct scope *s, struct expr *e,
                       bool in_aggregate, struct expr **out)
{
    struct exprs seen;

    *out = NULL;
    TRY(resolve_two(an, s, e, in_aggregate, out));
    if (!*out)
        resolve_item(s, e, out);
    if (!*out)
        TRY(resolve_bare_function(an, e, out));
    if (!*out)
        TRY(resolve_lateral(an, s, e, in_aggregate, out));
    if (!*out)
        TRY(resolve_outer(an, s, e, out));
    if (*out)
        return ERR_OK;
    seen = s->columns ? *s->columns : (struct exprs){ 0 };
    return fail_unresolved(an, e, &seen);
}

/* ---- stars ---- */

enum errc expand_star(struct analyzer *an, const struct scope *s, struct expr *star,
                      struct exprs *out)
{
    struct strbuf name = { 0 }, list = { 0 };
    enum errc rc;

    *out = (struct exprs){ 0 };
    for (uint32_t i = 0; star->n_parts && s->hidden && i < s->hidden->n; i++)
        if (qualifies(star->parts, star->n_parts, s->hidden->at[i])) {
            *out = exprs_add(an->arena, out, s->hidden->at[i]);
            if (s->used_hidden)
                expr_set_add(an->arena, s->used_hidden, s->hidden->at[i]->id);
        }
    for (uint32_t i = 0; i < s->columns->n; i++)
        if (!star->n_parts || qualifies(star->parts, star->n_parts, s->columns->at[i]))
            *out = exprs_add(an->arena, out, s->columns->at[i]);
    if (out->n || !star->n_parts)
        return ERR_OK;
    add_quoted(&name, star->parts, star->n_parts - 1, star->parts[star->n_parts - 1]);
    for (uint32_t i = 0; i < s->columns->n; i++)
        strbuf_printf(&list, "%s`%.*s`", i ? ", " : "", SV_FMT(s->columns->at[i]->name));
    rc = analysis_fail(
        an, star->place,
        "[CANNOT_RESOLVE_STAR_EXPAND] Cannot resolve %.*s.* given input columns "
        "%.*s. Please check that the specified table or struct exists and is "
        "accessible in the input columns.",
        SV_FMT(strbuf_sv(&name)), SV_FMT(strbuf_sv(&list)));
    strbuf_release(&name);
    strbuf_release(&list);
    return rc;
}

/* ---- columns that USING merged ---- */

/* Nodes below a select that hand rows on as they are. */
static bool hands_on(const struct plan *p)
{
    return p->kind == PLAN_FILTER || p->kind == PLAN_SAMPLE || p->kind == PLAN_HINT;
}

struct exprs plan_hidden(struct arena *a, struct plan *p)
{
    if (p->kind == PLAN_PROJECT)
        return p->hidden;
    if (p->kind == PLAN_JOIN && p->join_type != JOIN_SEMI && p->join_type != JOIN_ANTI) {
        struct exprs l = plan_hidden(a, p->children[0]);
        struct exprs r = plan_hidden(a, p->children[1]);

        return exprs_join(a, &l, &r);
    }
    return hands_on(p) ? plan_hidden(a, p->children[0]) : (struct exprs){ 0 };
}

struct plan *show_hidden(struct arena *a, struct plan *p, const struct expr_set *ids)
{
    struct plan *to[2];

    if (!ids->n)
        return p;
    if (p->kind == PLAN_PROJECT) {
        struct plan *copy = p;

        if (!p->hidden.n)
            return p;
        to[0] = show_hidden(a, p->children[0], ids);
        copy = plan_with_children(a, p, to);

        for (uint32_t i = 0; i < p->hidden.n; i++) {
            if (!expr_set_has(ids, p->hidden.at[i]->id) ||
                exprs_find(plan_output(a, copy), p->hidden.at[i]->id))
                continue;
            copy = plan_copy(a, copy);
            copy->list = exprs_add(a, &copy->list, p->hidden.at[i]);
        }
        return copy;
    }
    if ((p->kind != PLAN_JOIN && !hands_on(p)) || p->n_children > ARRAY_LEN(to))
        return p;
    for (uint32_t i = 0; i < p->n_children; i++)
        to[i] = show_hidden(a, p->children[i], ids);
    return plan_with_children(a, p, to);
}
