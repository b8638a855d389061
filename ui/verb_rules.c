/* spillway rules [ID]: what is checked, by the rules' own descriptors. */
#include "ui/json_writer.h"
#include "ui/page.h"

static void list_text(struct page *p, struct arena *arena)
{
    static const struct table_column columns[] = {
        { "Rule", false, 0, 0 },
        { "Question", false, 0, 1 },
        { "What it finds", false, 0, 0 },
    };
    struct table t;

    table_init(&t, arena, columns, ARRAY_LEN(columns));
    for (const struct rule *const *r = rules_all; *r; r++) {
        table_text(&t, sv((*r)->id));
        table_text(&t, sv(question_name((*r)->question)));
        table_text(&t, sv((*r)->title));
    }
    table_print(&t, p, 0);
    table_release(&t);
    page_add(p, "\n%sNext:%s spillway rules %s\n", page_mark(p, STYLE_BOLD),
             page_mark(p, STYLE_PLAIN), rules_all[0] ? rules_all[0]->id : "");
}

static void section(struct page *p, const char *title, const char *text)
{
    if (!text || !*text)
        return;
    page_add(p, "\n%s%s%s\n", page_mark(p, STYLE_BOLD), title, page_mark(p, STYLE_PLAIN));
    page_wrap(p, "  ", "  ", sv(text));
}

/* "4 x", "5s", "32.0 MiB" */
static const char *threshold(struct arena *a, const struct rule_param *param)
{
    bool whole = param->value >= -9e15 && param->value <= 9e15 &&
                 param->value == (double)(int64_t)param->value;

    if (strcmp(param->unit, "ms") == 0 && whole)
        return text_ms(a, (int64_t)param->value);
    if (strcmp(param->unit, "bytes") == 0 && whole)
        return text_bytes(a, (int64_t)param->value);
    return arena_printf(a, "%g%s%s", param->value, *param->unit ? " " : "", param->unit);
}

static void one_text(struct page *p, const struct rule *rule, struct arena *a)
{
    page_add(p, "%s%s%s  %s (question: %s)\n", page_mark(p, STYLE_BOLD), rule->id,
             page_mark(p, STYLE_PLAIN), rule->title, question_name(rule->question));
    section(p, "What it checks", rule->what);
    if (rule->n_params)
        page_add(p, "\n%sThresholds%s\n", page_mark(p, STYLE_BOLD),
                 page_mark(p, STYLE_PLAIN));
    for (size_t i = 0; i < rule->n_params; i++) {
        const struct rule_param *param = &rule->params[i];

        page_wrapf(p, "  ", "      ", "%s = %s: %s%s%s%s", param->name,
                   threshold(a, param), param->meaning, param->source ? " (" : "",
                   param->source ? param->source : "", param->source ? ")" : "");
    }
    section(p, "What to do about it", rule->advice);
    section(p, "Limits", rule->limits);
    if (rule->no_data_why)
        section(p, "Without data",
                arena_printf(a, "Not judged where %s%s%s.", rule->no_data_why,
                             rule->enable ? "; recorded with " : "",
                             rule->enable ? rule->enable : ""));
}

static void one_json(struct json_writer *w, const struct rule *rule)
{
    json_object(w);
    json_put_text(w, "id", sv(rule->id));
    json_put_text(w, "title", sv(rule->title));
    json_put_text(w, "question", sv(question_name(rule->question)));
    json_put_text(w, "what", sv(rule->what));
    json_put_text(w, "advice", sv(rule->advice));
    json_put_text(w, "limits", sv(rule->limits));
    json_key(w, "thresholds");
    json_array(w);
    for (size_t i = 0; i < rule->n_params; i++) {
        const struct rule_param *param = &rule->params[i];

        json_object(w);
        json_put_text(w, "name", sv(param->name));
        json_key(w, "value");
        json_double(w, param->value);
        json_put_text(w, "unit", sv(param->unit));
        json_put_text(w, "meaning", sv(param->meaning));
        json_put_text(w, "source", sv(param->source));
        json_object_end(w);
    }
    json_array_end(w);
    json_put_text(w, "enable", sv(rule->enable));
    json_object_end(w);
}

static void write_json(struct strbuf *out, const struct rule *only)
{
    struct json_writer w = { .out = out };

    json_object(&w);
    json_put_text(&w, "schema", sv("spillway/rules/1"));
    json_put_text(&w, "spillway", sv(SPILLWAY_VERSION));
    json_key(&w, "rules");
    json_array(&w);
    for (const struct rule *const *r = rules_all; *r; r++) {
        if (!only || only == *r)
            one_json(&w, *r);
    }
    json_array_end(&w);
    json_object_end(&w);
    strbuf_addc(out, '\n');
}

static void write_plain(struct strbuf *out, const struct rule *only)
{
    for (const struct rule *const *r = rules_all; *r; r++) {
        if (!only || only == *r)
            strbuf_printf(out, "%s\t%s\t%s\n", (*r)->id, question_name((*r)->question),
                          (*r)->title);
    }
}

static const struct rule *find_rule(const char *id)
{
    const struct rule *rule = rule_by_id(sv(id));
    const char *names[256];
    size_t n = 0;

    if (rule)
        return rule;
    for (const struct rule *const *r = rules_all; *r && n < ARRAY_LEN(names); r++)
        names[n++] = (*r)->id;
    const char *near = cli_nearest(id, names, n);
    if (near)
        cli_error("no rule %s; did you mean %s?", id, near);
    else
        cli_error("no rule %s; spillway rules lists them", id);
    return NULL;
}

int verb_rules(const struct cli *cli)
{
    const struct rule *only = NULL;
    struct arena arena = { 0 };
    struct page p;

    if (cli->n_inputs && !(only = find_rule(cli->inputs[0])))
        return EXIT_USAGE;
    page_init(&p, cli);
    if (cli_format(cli) == FORMAT_JSON)
        write_json(&p.text, only);
    else if (cli_format(cli) == FORMAT_PLAIN)
        write_plain(&p.text, only);
    else if (only)
        one_text(&p, only, &arena);
    else
        list_text(&p, &arena);
    bool text = cli_format(cli) == FORMAT_TEXT;
    int code = cli_write(cli, text ? page_finish(&p) : strbuf_sv(&p.text));
    page_release(&p);
    arena_release(&arena);
    return code;
}
