/* What the writers of the graph share: order and layers, bars, edge labels, XML. */
#include "ui/graph_draw.h"

#include "base/units.h"

#include <math.h>

const double graph_heat_cuts[GRAPH_HEAT_STEPS - 1] = { 0.005, 0.02, 0.10, 0.40 };

/* Light yellow over orange to dark red. Ink on fill has a contrast of at least 7:1;
 * black on the last step would have 2.4:1. */
const char *const graph_heat_fill[GRAPH_HEAT_STEPS] = { "#fffdf3", "#feecb4", "#fdc568",
                                                        "#f68e44", "#9e1414" };
const char *const graph_heat_ink[GRAPH_HEAT_STEPS] = { "#1a1a1a", "#1a1a1a", "#1a1a1a",
                                                       "#1a1a1a", "#ffffff" };

const char *const graph_heat_words[GRAPH_HEAT_STEPS] = { "below 0.5%", "0.5%", "2%",
                                                         "10%", "40% and more" };

/* Blue for faster, orange for slower, as far from each other for colour-blind eyes as
 * for others; "+" and "-" stand in the text as well. */
const double graph_change_cuts[GRAPH_CHANGE_STEPS - 1] = { 0.005, 0.02, 0.10 };
static const char *const faster_fill[GRAPH_CHANGE_STEPS] = { "#eeeeee", "#d6e6f7",
                                                             "#9cc4ee", "#1f5fa8" };
static const char *const slower_fill[GRAPH_CHANGE_STEPS] = { "#eeeeee", "#feecb4",
                                                             "#fdb462", "#b8480a" };
static const char *const change_ink[GRAPH_CHANGE_STEPS] = { "#1a1a1a", "#1a1a1a",
                                                            "#1a1a1a", "#ffffff" };

const char *graph_node_fill(const struct graph_node *n)
{
    if (n->shape == SHAPE_SKIPPED)
        return "#ffffff";
    switch (n->change) {
    case CHANGE_NONE:
        return graph_heat_fill[n->heat];
    case CHANGE_SAME:
    case CHANGE_SLOWER:
    case CHANGE_ADDED:
        return slower_fill[n->heat];
    case CHANGE_FASTER:
        return faster_fill[n->heat];
    case CHANGE_REMOVED:
        return "#ffffff";
    }
    return "#ffffff";
}

const char *graph_node_ink(const struct graph_node *n)
{
    if (n->shape == SHAPE_SKIPPED || n->change == CHANGE_REMOVED)
        return "#4a4a4a";
    return n->change == CHANGE_NONE ? graph_heat_ink[n->heat] : change_ink[n->heat];
}

size_t graph_scale(struct graph_scale_box boxes[GRAPH_SCALE_MOST], const struct graph *g)
{
    static const char *const words[] = {
        "faster by 10% and more", "2%", "0.5%",        "as before",
        "slower by 0.5%",         "2%", "10% and more"
    };
    const size_t middle = GRAPH_CHANGE_STEPS - 1;

    if (!g->is_diff) {
        for (size_t i = 0; i < GRAPH_HEAT_STEPS; i++)
            boxes[i] = (struct graph_scale_box){ graph_heat_fill[i], graph_heat_ink[i],
                                                 graph_heat_words[i] };
        return GRAPH_HEAT_STEPS;
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        size_t step = i < middle ? middle - i : i - middle;

        boxes[i] =
            (struct graph_scale_box){ i < middle ? faster_fill[step] : slower_fill[step],
                                      change_ink[step], words[i] };
    }
    return ARRAY_LEN(words);
}

/* --- order --------------------------------------------------------------------- */

/* A min-heap of node positions: among those whose sources are out, the first. */
struct ready {
    uint32_t *items, n;
};

static void ready_put(struct ready *r, uint32_t node)
{
    uint32_t i = r->n++;

    while (i && r->items[(i - 1) / 2] > node) {
        r->items[i] = r->items[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    r->items[i] = node;
}

static uint32_t ready_take(struct ready *r)
{
    uint32_t top = r->items[0], last = r->items[--r->n], i = 0;

    for (;;) {
        uint32_t kid = 2 * i + 1;

        if (kid >= r->n)
            break;
        if (kid + 1 < r->n && r->items[kid + 1] < r->items[kid])
            kid++;
        if (r->items[kid] >= last)
            break;
        r->items[i] = r->items[kid];
        i = kid;
    }
    r->items[i] = last;
    return top;
}

uint32_t *graph_edges_out(const struct graph *g, bool with_then, struct arena *arena,
                          uint32_t **first)
{
    uint32_t *out = arena_array(arena, g->n_edges + 1, sizeof *out);
    uint32_t *at = arena_array(arena, g->n_nodes + 2, sizeof *at);

    for (size_t i = 0; i < g->n_edges; i++)
        if (with_then || !g->edges[i].then)
            at[g->edges[i].from + 2]++;
    for (size_t i = 2; i < g->n_nodes + 2; i++)
        at[i] += at[i - 1];
    for (size_t i = 0; i < g->n_edges; i++)
        if (with_then || !g->edges[i].then)
            out[at[g->edges[i].from + 1]++] = (uint32_t)i;
    *first = at;
    return out;
}

/* Kahn's order. Where folded groups make a circle and nothing is ready, the first
 * node that is left goes next. */
uint32_t *graph_order(const struct graph *g, struct arena *arena)
{
    uint32_t *order = arena_array(arena, g->n_nodes + 1, sizeof *order);
    uint32_t *waits = arena_array(arena, g->n_nodes + 1, sizeof *waits);
    bool *out = arena_array(arena, g->n_nodes + 1, sizeof *out);
    struct ready ready = { arena_array(arena, g->n_nodes + 1, sizeof *ready.items), 0 };
    uint32_t *first, *edges = graph_edges_out(g, false, arena, &first);
    uint32_t stuck = 0;

    for (size_t i = 0; i < g->n_edges; i++)
        if (!g->edges[i].then)
            waits[g->edges[i].to]++;
    for (uint32_t i = 0; i < g->n_nodes; i++)
        if (waits[i] == 0)
            ready_put(&ready, i);
    for (size_t n = 0; n < g->n_nodes; n++) {
        uint32_t node;

        if (ready.n) {
            node = ready_take(&ready);
        } else {
            while (out[stuck])
                stuck++;
            node = stuck;
        }
        out[node] = true;
        order[n] = node;
        for (uint32_t k = first[node]; k < first[node + 1]; k++) {
            uint32_t to = g->edges[edges[k]].to;

            if (--waits[to] == 0 && !out[to])
                ready_put(&ready, to);
        }
    }
    return order;
}

/* The longest way of data onward from each node, in edges. */
static uint32_t *heights(const struct graph *g, const uint32_t *order,
                         const uint32_t *place, struct arena *arena)
{
    uint32_t *height = arena_array(arena, g->n_nodes + 1, sizeof *height);
    uint32_t *first, *out = graph_edges_out(g, false, arena, &first);

    for (size_t i = g->n_nodes; i-- > 0;) {
        uint32_t node = order[i];

        for (uint32_t k = first[node]; k < first[node + 1]; k++) {
            uint32_t to = g->edges[out[k]].to;

            if (place[to] > i && height[to] + 1 > height[node])
                height[node] = height[to] + 1;
        }
    }
    return height;
}

/* In order, so that the column of a source is final when its targets are placed:
 * a driver's step may be taken if what follows its target still fits into the row. */
uint32_t *graph_layers(const struct graph *g, bool **drawn, struct arena *arena)
{
    uint32_t *layer = arena_array(arena, g->n_nodes + 1, sizeof *layer);
    uint32_t *place = arena_array(arena, g->n_nodes + 1, sizeof *place);
    uint32_t *order = graph_order(g, arena);
    uint32_t *first, *out = graph_edges_out(g, true, arena, &first);
    bool *draw = arena_array(arena, g->n_edges + 1, sizeof *draw);

    for (uint32_t i = 0; i < g->n_nodes; i++)
        place[order[i]] = i;
    uint32_t *height = heights(g, order, place, arena);
    for (uint32_t i = 0; i < g->n_nodes; i++) {
        uint32_t node = order[i];

        for (uint32_t k = first[node]; k < first[node + 1]; k++) {
            const struct graph_edge *e = &g->edges[out[k]];
            bool onward = place[e->to] > i;

            draw[out[k]] =
                !e->then || (onward && layer[node] + 1 + height[e->to] < GRAPH_ROW);
            if (draw[out[k]] && onward && layer[e->to] <= layer[node])
                layer[e->to] = layer[node] + 1;
        }
    }
    *drawn = draw;
    return layer;
}

uint32_t *graph_hidden_steps(const struct graph *g, const bool *drawn,
                             struct arena *arena)
{
    uint32_t *step = arena_array(arena, g->n_nodes + 1, sizeof *step);

    for (size_t i = 0; i < g->n_nodes; i++)
        step[i] = IX_NONE;
    for (uint32_t i = 0; i < g->n_edges; i++)
        if (!drawn[i] && step[g->edges[i].to] == IX_NONE)
            step[g->edges[i].to] = i;
    return step;
}

/* --- pieces of text ------------------------------------------------------------ */

/* "4.0 MiB"; of two runs "4.0 MiB -> 1.2 MiB" where they read differently. */
static void old_and_new(struct strbuf *out, const struct graph_edge *e, int64_t was,
                        int64_t now, void (*print)(struct strbuf *, int64_t))
{
    struct strbuf old_text = { 0 }, new_text = { 0 };

    if (now == APP_NONE)
        return;
    print(&new_text, now);
    if (e->change == CHANGE_SAME && was != APP_NONE)
        print(&old_text, was);
    if (old_text.len && !sv_eq(strbuf_sv(&old_text), strbuf_sv(&new_text)))
        strbuf_printf(out, "%s \xE2\x86\x92 ", old_text.p);
    else if (e->change == CHANGE_ADDED || e->change == CHANGE_REMOVED)
        strbuf_addz(out, e->change == CHANGE_ADDED ? "+ " : "\xE2\x88\x92 ");
    strbuf_add(out, strbuf_sv(&new_text));
    strbuf_release(&old_text);
    strbuf_release(&new_text);
}

void graph_edge_text(struct strbuf *out, const struct graph_edge *e)
{
    if (e->then) {
        bool driver = e->driver_ms >= e->wait_ms;

        if (e->driver_ms > 0 || e->wait_ms > 0) {
            strbuf_addz(out, driver ? "driver " : "wait ");
            units_ms(out, driver ? e->driver_ms : e->wait_ms);
        }
        return;
    }
    struct strbuf rows = { 0 };

    old_and_new(out, e, e->was_bytes, e->bytes, units_bytes);
    old_and_new(&rows, e, e->was_rows, e->rows, units_count);
    if (rows.len)
        strbuf_printf(out, "%s%s %s", out->len ? ", " : "", rows.p,
                      e->rows == 1 ? "row" : "rows");
    strbuf_release(&rows);
}

void graph_edge_tip(struct strbuf *out, const struct graph *g, const struct graph_edge *e)
{
    size_t before;

    strbuf_printf(out, "%s to %s: ", g->nodes[e->from].name, g->nodes[e->to].name);
    strbuf_addz(out, e->then ? "next on the critical path, " : link_via_name(e->via));
    if (!e->then)
        strbuf_addz(out, ", ");
    before = out->len;
    graph_edge_text(out, e);
    if (out->len == before) { /* nothing known: no comma either */
        out->len -= 2;
        out->p[out->len] = '\0';
    }
    if (e->reused)
        strbuf_addz(out, ", used by other stages too");
    if (e->critical && (e->driver_ms > 0 || e->wait_ms > 0)) {
        strbuf_addz(out, "; between them driver ");
        units_ms(out, e->driver_ms);
        strbuf_addz(out, ", waiting ");
        units_ms(out, e->wait_ms);
    }
}

/* Below it a line says "little" even if nothing else moves more. */
#define BROAD_BYTES (64 << 20)

double graph_edge_width(const struct graph_edge *e, int64_t most_bytes)
{
    most_bytes = max_i64(most_bytes, BROAD_BYTES);
    return e->bytes > 0 ? 1 + 7 * sqrt((double)e->bytes / (double)most_bytes) : 1;
}

int64_t graph_most_bytes(const struct graph *g)
{
    int64_t most = 0;

    for (size_t i = 0; i < g->n_edges; i++)
        most = max_i64(most, g->edges[i].bytes);
    return most;
}

void graph_badge_words(struct strbuf *out, const struct graph *g)
{
    for (size_t i = 0; i < g->n_badges; i++)
        strbuf_printf(out, "%s%s: %s", i ? ";  " : "", g->badges[i].text,
                      g->badges[i].meaning);
}

static const char *shape_class(enum graph_shape s)
{
    switch (s) {
    case SHAPE_RESULT:
        return "result";
    case SHAPE_SHUFFLE_MAP:
        return "map";
    case SHAPE_SCAN:
        return "scan";
    case SHAPE_BROADCAST:
        return "broadcast";
    case SHAPE_SKIPPED:
        return "skipped";
    case SHAPE_FOLDED:
        return "folded";
    }
    return "";
}

void graph_node_class(struct strbuf *out, const struct graph_node *n)
{
    static const char *const changes[] = { "",        " same",  " faster",
                                           " slower", " added", " removed" };

    strbuf_printf(out, "stage %s heat-%d%s%s%s%s%s", shape_class(n->shape), n->heat,
                  changes[n->change], n->critical ? " crit" : "",
                  n->failed ? " failed" : "", n->incomplete ? " incomplete" : "",
                  n->stage_ix != IX_NONE && n->attempts > 1 ? " retried" : "");
}

void graph_edge_class(struct strbuf *out, const struct graph_edge *e)
{
    strbuf_printf(out, "%s%s%s%s%s", e->then ? "then" : link_via_name(e->via),
                  e->change == CHANGE_ADDED     ? " added"
                  : e->change == CHANGE_REMOVED ? " removed"
                                                : "",
                  e->critical ? " crit" : "", e->reused ? " reused" : "",
                  e->folded ? " folded" : "");
}

void graph_edge_id(struct strbuf *out, const struct graph *g, const struct graph_edge *e)
{
    strbuf_printf(out, "edge_%s_%s_%s", g->nodes[e->from].id, g->nodes[e->to].id,
                  e->then ? "then" : link_via_name(e->via));
}

bool graph_link_allowed(struct sv url)
{
    size_t colon = sv_find(url, SV(":")), slash = sv_find(url, SV("/"));

    for (size_t i = 0; i < url.len; i++)
        if ((unsigned char)url.p[i] <= ' ' || (unsigned char)url.p[i] >= 0x7f || url.p[i] == '\\' ||
            url.p[i] == '"' || url.p[i] == '<' || url.p[i] == '>')
            return false;
    return url.len && (sv_starts(url, SV("http://")) || sv_starts(url, SV("https://")) ||
                       colon == SIZE_MAX || (slash != SIZE_MAX && slash < colon));
}

void graph_node_link(struct strbuf *out, const struct graph *g,
                     const struct graph_node *n)
{
    const char *p = g->link_base;
    bool filled = false;
    struct sv id;
    size_t dash;

    if (!p || n->stage_ix == IX_NONE)
        return;
    id = sv_from(sv(n->id), strlen("stage-"));
    dash = sv_find(id, SV("-"));
    while (*p) {
        struct sv rest = sv(p);

        if (sv_starts(rest, SV("{stage}"))) {
            strbuf_add(out, (struct sv){ id.p, dash });
            p += strlen("{stage}");
            filled = true;
        } else if (sv_starts(rest, SV("{attempt}"))) {
            strbuf_add(out, sv_from(id, dash + 1));
            p += strlen("{attempt}");
            filled = true;
        } else {
            strbuf_addc(out, *p++);
        }
    }
    if (!filled)
        strbuf_printf(out, "#stage-%.*s", (int)dash, id.p);
}

void graph_bar(struct strbuf *out, double share, uint32_t width, bool ascii)
{
    static const char *const parts[] = { "",
                                         "\xE2\x96\x8F",
                                         "\xE2\x96\x8E",
                                         "\xE2\x96\x8D",
                                         "\xE2\x96\x8C",
                                         "\xE2\x96\x8B",
                                         "\xE2\x96\x8A",
                                         "\xE2\x96\x89" };
    double eighths = share * width * 8;
    uint32_t n = eighths <= 0           ? 0
                 : eighths >= width * 8 ? width * 8
                                        : (uint32_t)(eighths + 0.5);

    if (n == 0 && share > 0)
        n = 1; /* something is not nothing */
    if (ascii) {
        strbuf_fill(out, '#', (n + 4) / 8);
        return;
    }
    for (uint32_t i = 0; i < n / 8; i++)
        strbuf_addz(out, "\xE2\x96\x88");
    strbuf_addz(out, parts[n % 8]);
}

void graph_xml(struct strbuf *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            strbuf_addz(out, "&amp;");
            break;
        case '<':
            strbuf_addz(out, "&lt;");
            break;
        case '>':
            strbuf_addz(out, "&gt;");
            break;
        case '"':
            strbuf_addz(out, "&quot;");
            break;
        case '\'':
            strbuf_addz(out, "&#39;");
            break;
        case '\n':
            strbuf_addz(out, "&#10;");
            break;
        default:
            strbuf_addc(out, *text);
        }
    }
}
