/* spillway conf LOG: settings in effect. */
#include "ui/render_json.h"

#define GAP 2            /* between columns */
#define VALUE_COLUMNS 16 /* at least, where the page is narrow */
#define FROM_COLUMNS 8

/* One row of the table for people. */
struct row {
    const char *key, *value, *source,
        *scope; /* scope: where from exactly; "": no more to say */
    bool given; /* not a default */
};

struct widths {
    int key, value, from;
};

static int columns_of(const char *text)
{
    return (int)page_text_width(sv(text));
}

static int max_int(int a, int b)
{
    return a > b ? a : b;
}

/* That a default is of this Spark is said once, above. */
static struct row row_of(const struct setting *s, struct arena *a)
{
    bool said = sv_is(s->scope, "application") ||
                (s->source == CONF_DEFAULT && sv_starts(s->scope, SV("Spark ")));

    return (struct row){
        .key = text_clean(a, s->key, 0),
        .value = s->value.len ? text_clean(a, s->value, 0) : "-",
        .source = s->source == CONF_UNKNOWN ? "not known" : conf_source_name(s->source),
        .scope = said ? "" : text_clean(a, s->scope, 0),
        .given = s->source == CONF_SET || s->source == CONF_SESSION,
    };
}

static int from_columns(const struct row *r)
{
    return columns_of(r->source) + (r->scope[0] ? 2 + columns_of(r->scope) : 0);
}

/* As wide as the widest of each; where the page is too narrow, first values give, then
 * where they are from, then the keys. */
static struct widths fit(const struct row *rows, size_t n, int page_width)
{
    struct widths w = { columns_of("Setting"), columns_of("Value"), columns_of("From") };

    for (size_t i = 0; i < n; i++) {
        w.key = max_int(w.key, columns_of(rows[i].key));
        w.value = max_int(w.value, columns_of(rows[i].value));
        w.from = max_int(w.from, from_columns(&rows[i]));
    }
    int room = page_width - 2 * GAP;
    if (w.key + w.value + w.from > room)
        w.value = max_int(VALUE_COLUMNS, room - w.key - w.from);
    if (w.key + w.value + w.from > room)
        w.from = max_int(FROM_COLUMNS, room - w.key - w.value);
    if (w.key + w.value + w.from > room)
        w.key = max_int(8, room - w.value - w.from);
    return w;
}

/* Text padded to its column. */
static void add_column(struct page *p, const char *text, int width)
{
    page_add(p, "%s", text);
    strbuf_fill(&p->text, ' ', (size_t)max_int(0, width - columns_of(text) + GAP));
}

/* A key that is too long has a line of its own, and so has a long word on where a value
 * is from: both are there to be copied and read. A value is cut in the middle. Returns
 * whether it was. */
static bool write_row(struct page *p, const struct row *r, const struct widths *w)
{
    bool wide = columns_of(r->value) > w->value, inside = from_columns(r) <= w->from;
    struct strbuf value = { 0 };

    utf8_clean(&value, sv(r->value), (size_t)w->value);
    page_style(p, r->given ? STYLE_BOLD : STYLE_PLAIN);
    if (columns_of(r->key) > w->key) {
        page_add(p, "%s\n", r->key);
        add_column(p, "", w->key);
    } else {
        add_column(p, r->key, w->key);
    }
    page_style(p, STYLE_PLAIN);
    add_column(p, value.p, w->value);
    page_add(p, "%s%s%s\n", r->source, inside && r->scope[0] ? ", " : "",
             inside ? r->scope : "");
    if (!inside)
        page_wrap(p, "    ", "    ", sv(r->scope));
    strbuf_release(&value);
    return wide;
}

/* Of which Spark the defaults are: what the first default says. */
static const char *defaults_of(const struct setting_list *list, struct arena *a)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i].source == CONF_DEFAULT &&
            sv_starts(list->items[i].scope, SV("Spark ")))
            return text_clean(a, list->items[i].scope, 0);
    return NULL;
}

static void write_text(struct page *p, const struct setting_list *list,
                       struct arena *arena)
{
    struct row *rows = arena_array(arena, list->n, sizeof *rows);
    const char *spark = defaults_of(list, arena);
    bool cut = false;

    for (size_t i = 0; i < list->n; i++)
        rows[i] = row_of(&list->items[i], arena);
    struct widths w = fit(rows, list->n, p->width);
    if (spark)
        page_wrapf(p, "", "", "Settings in effect; defaults are those of %s.", spark);
    page_newline(p);
    page_style(p, STYLE_DIM);
    add_column(p, "Setting", w.key);
    add_column(p, "Value", w.value);
    page_add(p, "From");
    page_style(p, STYLE_PLAIN);
    page_newline(p);
    for (size_t i = 0; i < list->n; i++)
        cut |= write_row(p, &rows[i], &w);
    if (cut) {
        page_newline(p);
        page_wrap(
            p, "", "",
            SV("Long values are cut in the middle; --format plain has all of them."));
    }
}

static void write_plain(struct strbuf *out, const struct setting_list *list,
                        struct arena *a)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct setting *s = &list->items[i];

        strbuf_printf(out, "%s\t%s\t%s\t%s\n", text_clean(a, s->key, 0),
                      s->value.p ? text_clean(a, s->value, 0) : "-",
                      s->source == CONF_UNKNOWN ? "-" : conf_source_name(s->source),
                      s->scope.len ? text_clean(a, s->scope, 0) : "-");
    }
}

static void write_json(struct strbuf *out, const struct app *app,
                       const struct setting_list *list)
{
    struct json_writer w = { .out = out };

    json_object(&w);
    json_put_text(&w, "schema", sv("spillway/conf/1"));
    json_put_text(&w, "spillway", sv(SPILLWAY_VERSION));
    json_put_text(&w, "application_id", app->id);
    json_put_text(&w, "spark_version", app->spark_version);
    json_key(&w, "settings");
    json_array(&w);
    for (size_t i = 0; i < list->n; i++)
        json_setting(&w, &list->items[i]);
    json_array_end(&w);
    json_object_end(&w);
    strbuf_addc(out, '\n');
}

int verb_conf(const struct cli *cli)
{
    struct analysis a;
    struct setting_list list = { 0 };
    struct arena arena = { 0 };
    struct page p;
    int code = cli_load_one(cli, &a);

    if (code != EXIT_DONE)
        return code;
    page_init(&p, cli);
    conf_list(&a.app, &list, &arena);
    if (cli_format(cli) == FORMAT_JSON)
        write_json(&p.text, &a.app, &list);
    else if (cli_format(cli) == FORMAT_PLAIN)
        write_plain(&p.text, &list, &arena);
    else
        write_text(&p, &list, &arena);
    bool text = cli_format(cli) == FORMAT_TEXT;
    code = cli_write(cli, text ? page_finish(&p) : strbuf_sv(&p.text));
    page_release(&p);
    arena_release(&arena);
    analysis_release(&a);
    return code;
}
