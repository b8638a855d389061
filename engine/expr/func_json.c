/* JSON in text: get_json_object() and json_array_length(). A path is walked as Hive walks
 * it, which Spark follows: what a wildcard finds is an array only where it is more than
 * one value, and two wildcards in a row flatten. */
#include "engine/expr/func_list.h"
#include "engine/expr/text.h"
#include "engine/store/json_scan.h"

enum step_kind { STEP_KEY, STEP_INDEX, STEP_ALL, STEP_NOTHING };

struct step {
    enum step_kind kind;
    struct sv key;
    int64_t index;
};

enum { MOST_STEPS = 256 };

struct path {
    struct sv text; /* that it was made of */
    bool good;
    uint32_t n;
    struct step *steps;
};

/* ---- paths ---- */

/* "[*]", "[12]", "['key']"; -> false: none of these. */
static bool bracket(struct sv *rest, struct step *step)
{
    struct sv in = sv_from(*rest, 1);
    size_t n = 0;

    if (in.len > 2 && in.p[0] == '\'') {
        for (n = 1; n < in.len && in.p[n] != '\'' && in.p[n] != '?';)
            n++;
        if (n == 1 || n + 1 >= in.len || in.p[n] != '\'' || in.p[n + 1] != ']')
            return false;
        *step = (struct step){ STEP_KEY, { in.p + 1, n - 1 }, 0 };
        if (sv_is(step->key, "*"))
            step->kind = STEP_NOTHING;
        *rest = sv_from(in, n + 2);
        return true;
    }
    if (in.len > 1 && in.p[0] == '*' && in.p[1] == ']') {
        *step = (struct step){ STEP_ALL, { 0 }, 0 };
        *rest = sv_from(in, 2);
        return true;
    }
    *step = (struct step){ STEP_INDEX, { 0 }, 0 };
    while (n < in.len && n < 18 && in.p[n] >= '0' && in.p[n] <= '9')
        step->index = step->index * 10 + (in.p[n++] - '0');
    if (n == 0 || n >= in.len || in.p[n] != ']')
        return false;
    *rest = sv_from(in, n + 1);
    return true;
}

/* ".key"; ".*" finds nothing. */
static bool dotted(struct sv *rest, struct step *step)
{
    struct sv in = sv_from(*rest, 1);
    size_t n = 0;

    if (in.len && in.p[0] == '*') {
        *step = (struct step){ STEP_NOTHING, { 0 }, 0 };
        *rest = sv_from(in, 1);
        return true;
    }
    while (n < in.len && in.p[n] != '.' && in.p[n] != '[')
        n++;
    *step = (struct step){ STEP_KEY, { in.p, n }, 0 };
    *rest = sv_from(in, n);
    return n > 0;
}

static bool parse_path(struct path *p, struct sv text)
{
    struct sv rest = sv_from(text, 1);

    p->n = 0;
    if (!text.len || text.p[0] != '$')
        return false;
    while (rest.len) {
        struct step *step = &p->steps[p->n];

        if (p->n == MOST_STEPS || !(rest.p[0] == '.'   ? dotted(&rest, step)
                                    : rest.p[0] == '[' ? bracket(&rest, step)
                                                       : false))
            return false;
        p->n++;
    }
    return true;
}

/* Most calls have one path for all rows. */
static const struct path *path_of(struct eval_call *c, struct sv text)
{
    struct path *p = c->state;

    if (!p->text.p || !sv_eq(p->text, text)) {
        p->text = arena_sv(c->keep, text.p ? text : SV(""));
        if (!p->steps)
            p->steps = arena_array(c->keep, MOST_STEPS, sizeof *p->steps);
        p->good = parse_path(p, p->text);
    }
    return p;
}

/* ---- walking ---- */

enum style { RAW, QUOTED, FLAT }; /* of the values that are found */

struct out { /* values, with commas between them inside an array */
    struct strbuf *text;
    bool in_array, any;
};

struct walk {
    struct json_in in;
    bool bad; /* what was read is no JSON */
};

static void put(struct out *o, struct sv value)
{
    if (o->in_array && o->any)
        strbuf_addc(o->text, ',');
    o->any = true;
    strbuf_add(o->text, value);
}

static bool next_value(struct walk *w, struct sv *value, enum json_kind *kind)
{
    *kind = json_scan_value(&w->in, value);
    w->bad = w->bad || *kind == JSON_BAD;
    return !w->bad;
}

static char next_char(struct walk *w)
{
    json_scan_blanks(&w->in);
    return w->in.p < w->in.end ? *w->in.p : 0;
}

static bool skip(struct walk *w)
{
    struct sv value;
    enum json_kind kind;

    (void)next_value(w, &value, &kind);
    return false;
}

static bool find(struct walk *w, struct out *o, enum style style, const struct step *step,
                 uint32_t n);

/* Before an element of an array, after "[" (first) or an element. */
static bool another(struct walk *w, bool *first)
{
    char c = next_char(w);

    if (*first)
        w->in.p++; /* "[" */
    else if (c == ',')
        w->in.p++;
    if ((*first && next_char(w) == ']') || (!*first && c == ']')) {
        w->in.p++;
        return false;
    }
    w->bad = w->bad || (!*first && c != ',') || !next_char(w);
    *first = false;
    return !w->bad;
}

static bool whole(struct walk *w, struct out *o, enum style style)
{
    struct strbuf compact = { 0 };
    struct sv value;
    enum json_kind kind;
    bool first = true, any = false;
    const char *from;

    if (style == FLAT && next_char(w) == '[') {
        while (another(w, &first))
            any |= whole(w, o, style);
        return any;
    }
    json_scan_blanks(&w->in);
    from = w->in.p;
    if (!next_value(w, &value, &kind))
        return false;
    if (kind == JSON_TEXT && style == RAW) {
        put(o, value);
        return true;
    }
    json_scan_compact(&compact, (struct sv){ from, (size_t)(w->in.p - from) });
    put(o, strbuf_sv(&compact));
    strbuf_release(&compact);
    return true;
}

static bool in_object(struct walk *w, struct out *o, enum style style,
                      const struct step *step, uint32_t n)
{
    bool first = true, bad = false, found = false;
    struct sv key;

    (void)json_scan_open_object(&w->in);
    while (!w->bad && json_scan_next_key(&w->in, &first, &key, &bad)) {
        if (found || !sv_eq(key, step->key) || next_char(w) == 'n')
            (void)skip(w);
        else
            found = find(w, o, style, step + 1, n - 1);
    }
    w->bad = w->bad || bad;
    return found;
}

static bool at_index(struct walk *w, struct out *o, enum style style,
                     const struct step *step, uint32_t n)
{
    bool first = true, found = false;

    if (n > 1 && step[1].kind == STEP_ALL)
        style = QUOTED;
    for (int64_t i = 0; another(w, &first); i++)
        if (i == step->index)
            found = find(w, o, style, step + 1, n - 1);
        else
            (void)skip(w);
    return found;
}

/* Every element's values, in brackets. */
static uint32_t elements(struct walk *w, struct strbuf *text, enum style style,
                         const struct step *step, uint32_t n)
{
    struct out inner = { text, true, false };
    bool first = true;
    uint32_t found = 0;

    strbuf_addc(text, '[');
    while (another(w, &first))
        found += find(w, &inner, style, step, n);
    strbuf_addc(text, ']');
    return found;
}

static bool of_all(struct walk *w, struct out *o, enum style style,
                   const struct step *step, uint32_t n)
{
    struct strbuf text = { 0 };
    struct sv all;
    uint32_t found;
    bool always = true; /* an array, however many there are */

    if (n > 1 && step[1].kind == STEP_ALL) {
        found = elements(w, &text, FLAT, step + 2, n - 2);
    } else if (style == QUOTED) {
        found = elements(w, &text, QUOTED, step + 1, n - 1);
    } else {
        always = false;
        found = elements(w, &text, style == RAW ? QUOTED : FLAT, step + 1, n - 1);
    }
    all = strbuf_sv(&text);
    if (always || found > 1)
        put(o, all);
    else if (found == 1)
        put(o, (struct sv){ all.p + 1, all.len - 2 });
    strbuf_release(&text);
    return found > 0;
}

static bool find(struct walk *w, struct out *o, enum style style, const struct step *step,
                 uint32_t n)
{
    char c = next_char(w);

    if (w->bad)
        return false;
    if (n == 0)
        return whole(w, o, style);
    if (c == '{' && step->kind == STEP_KEY)
        return in_object(w, o, style, step, n);
    if (c == '[' && step->kind == STEP_INDEX)
        return at_index(w, o, style, step, n);
    if (c == '[' && step->kind == STEP_ALL)
        return of_all(w, o, style, step, n);
    return skip(w);
}

static enum errc run_get_json_object(struct eval_call *c, struct err *err)
{
    struct strbuf text = { 0 };
    struct arena scratch = { 0 };

    (void)err;
    flatten_all(c);
    EACH_VALID_ROW(c, row)
    {
        struct sv json = arg_sv(&c->args[0], row);
        const struct path *p = path_of(c, arg_sv(&c->args[1], row));
        struct walk w = { { json.p, json.p + json.len, &scratch, true }, false };
        struct out o = { &text, false, false };

        arena_reset(&scratch);
        text.len = 0;
        if (p->good && json.len && find(&w, &o, RAW, p->steps, p->n) && !w.bad)
            text_copy(c, row, text.len ? strbuf_sv(&text) : SV(""));
        else
            c->out->valid[row] = 0;
    }
    arena_release(&scratch);
    strbuf_release(&text);
    return ERR_OK;
}

/* ---- arrays ---- */

static enum errc run_json_array_length(struct eval_call *c, struct err *err)
{
    struct arena scratch = { 0 };
    int32_t *to = c->out->data;

    (void)err;
    flatten_all(c);
    EACH_VALID_ROW(c, row)
    {
        struct sv json = arg_sv(&c->args[0], row);
        struct walk w = { { json.p, json.p + json.len, &scratch, true }, false };
        bool first = true, is_array = json.len && next_char(&w) == '[';

        arena_reset(&scratch);
        to[row] = 0;
        while (is_array && another(&w, &first)) {
            (void)skip(&w);
            to[row]++;
        }
        c->out->valid[row] = is_array && !w.bad;
    }
    arena_release(&scratch);
    return ERR_OK;
}

/* Text as it is: nothing else is cast to it. */
static enum errc bind_text(struct func_bind *b, struct type result, struct err *err)
{
    for (uint32_t i = 0; i < b->n_args; i++) {
        b->want[i] = type_of(TYPE_STRING);
        if (b->args[i]->type.id != TYPE_STRING && b->args[i]->type.id != TYPE_NULL)
            return func_refuse(b, i, "\"STRING\"", err);
    }
    b->type = result;
    return ERR_OK;
}

static enum errc bind_get(struct func_bind *b, struct err *err)
{
    return bind_text(b, type_of(TYPE_STRING), err);
}

static enum errc bind_length(struct func_bind *b, struct err *err)
{
    return bind_text(b, type_of(TYPE_INT), err);
}

const struct func json_funcs[] = {
    { .name = "get_json_object",
      .min_args = 2,
      .max_args = 2,
      .flags = FUNC_NULL_INTOLERANT | FUNC_MAYBE_NULL,
      .bind = bind_get,
      .run = run_get_json_object,
      .state_bytes = sizeof(struct path),
      .usage = "get_json_object(json, path) - What stands at \"$.key[0].name\"." },
    { .name = "json_array_length",
      .min_args = 1,
      .max_args = 1,
      .flags = FUNC_NULL_INTOLERANT | FUNC_MAYBE_NULL,
      .bind = bind_length,
      .run = run_json_array_length,
      .usage = "json_array_length(json) - How many elements the outer array has." },
    { 0 },
};
