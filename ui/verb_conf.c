/* spillway conf LOG: settings in effect. */
#include "ui/render_json.h"

/* "default, Spark 3.5", "set", "session, SQL 7" */
static void add_origin(struct table *t, const struct setting *s)
{
    const char *source =
        s->source == CONF_UNKNOWN ? "not known" : conf_source_name(s->source);
    bool plain = !s->scope.len || sv_is(s->scope, "application");

    table_cell(t, "%s%s%s", source, plain ? "" : ", ",
               plain ? "" : text_clean(t->arena, s->scope, 0));
}

/* Keys and values are there to be copied: values are cut only if there is no room, keys
 * never. What is not a default stands out. */
static void write_text(struct page *p, const struct setting_list *list,
                       struct arena *arena)
{
    static const struct table_column columns[] = {
        { "Setting", false, 0, 0 },
        { "Value", false, 16, 0 },
        { "From", false, 18, 0 },
    };
    struct table t;

    table_init(&t, arena, columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < list->n; i++) {
        const struct setting *s = &list->items[i];
        bool given = s->source == CONF_SET || s->source == CONF_SESSION;

        table_cell(&t, "%s%s%s", given ? page_mark(p, STYLE_BOLD) : "",
                   text_clean(arena, s->key, 0), given ? page_mark(p, STYLE_PLAIN) : "");
        table_text(&t, s->value);
        add_origin(&t, s);
    }
    table_print(&t, p, 0);
    table_release(&t);
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
