/* The graph as text, sources above what they feed.
 *
 *     SQL 0  count by key  .  12.3s  .  80% of the wall clock
 *     o    Stage 0.0            8 tasks    1.2s    4%  1.0 MiB in
 *     |      Scan parquet orders
 *     | *  Stage 1.0 (1)      200 tasks    9.8s   64%  SKEW 7.7x
 *     |-'    from 0: 12.0 MiB, 1.2M rows
 *
 * A lane of the gutter is a stage that is still to come: whoever feeds it joins
 * its lane. So there are as many lanes as there are open stages, not edges, and
 * where even those are too many the edge stands in the "from" line alone. */
#include "ui/graph_draw.h"

#include "base/units.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <string.h>

#define MOST_LANES 12
#define TEXT_COLUMNS 56 /* lanes leave at least so much */
#define PARENTS_NAMED 8

enum glyph {
    G_UP_DOWN,
    G_LEFT_RIGHT,
    G_FROM_LEFT,
    G_FROM_RIGHT,
    G_END_LEFT,
    G_END_RIGHT,
    G_END_BOTH,
    G_NEW_LEFT,
    G_NEW_RIGHT,
    G_NEW_BOTH,
    G_CROSS,
    G_NODE,
    G_CRITICAL,
    G_RULE,
    G_COUNT
};

static const char *const unicode[G_COUNT] = {
    "│", "─", "┤", "├", "╯", "╰", "┴", "╮", "╭", "┬", "┼", "○", "●", "──",
};
static const char *const plain[G_COUNT] = {
    "|", "-", "+", "+", "'", "'", "+", ".", ".", "+", "+", "o", "*", "--",
};

struct txt {
    struct strbuf *out; /* NULL: measuring */
    const struct graph *g;
    const char *const *glyph;
    uint32_t width, max_lanes, used_lanes;
    uint32_t lane[MOST_LANES]; /* the stage it leads to; IX_NONE: free */
    bool ascii;
    uint32_t sql_shown, job_shown; /* clusters whose title stands above */
    uint32_t *first, *out_edges;   /* edges by source */
    bool *done;
};

static void gutter(struct txt *t, uint32_t node_lane, const char *mark)
{
    if (!t->out)
        return;
    for (uint32_t i = 0; i < t->used_lanes; i++) {
        strbuf_addz(t->out, i == node_lane          ? mark
                            : t->lane[i] != IX_NONE ? t->glyph[G_UP_DOWN]
                                                    : " ");
        strbuf_addc(t->out, ' ');
    }
    if (node_lane == IX_NONE && *mark)
        strbuf_printf(t->out, "%s ", mark);
}

static void end_line(struct txt *t)
{
    while (t->out->len && t->out->p[t->out->len - 1] == ' ')
        t->out->p[--t->out->len] = '\0';
    strbuf_addc(t->out, '\n');
}

/* How many bytes of text go into `room` columns: whole items ("; ") or words where
 * there are several. */
static size_t fitting(struct sv text, size_t room)
{
    size_t take = 0, columns = 0, word = 0, item = 0;

    while (take < text.len) {
        size_t n = utf8_char(sv_from(text, take));
        size_t w = utf8_width((struct sv){ text.p + take, n });

        if (columns + w > room)
            break;
        columns += w;
        take += n;
        if (text.p[take - 1] != ' ')
            continue;
        word = take;
        if (take > 1 && text.p[take - 2] == ';')
            item = take;
    }
    if (take < text.len && (item || word))
        return item ? item : word;
    return take ? take : utf8_char(text); /* one character wider than the room */
}

/* text right of the gutter, in as many lines as it takes. */
static void wrapped(struct txt *t, const char *text, uint32_t lane, const char *mark)
{
    for (struct sv rest = sv(text); rest.len;) {
        size_t n = fitting(rest, t->width - 2 * t->used_lanes - 4);

        gutter(t, lane, mark);
        strbuf_fill(t->out, ' ', 4);
        strbuf_add(t->out, (struct sv){ rest.p, n });
        end_line(t);
        rest = sv_from(rest, n);
    }
}

/* --- lanes --------------------------------------------------------------------- */

static uint32_t lane_to(const struct txt *t, uint32_t node)
{
    for (uint32_t i = 0; i < t->max_lanes; i++)
        if (t->lane[i] == node)
            return i;
    return IX_NONE;
}

static uint32_t take_lane(struct txt *t, uint32_t node)
{
    uint32_t i = lane_to(t, IX_NONE);

    if (i == IX_NONE)
        return i;
    t->lane[i] = node;
    if (!t->out && i >= t->used_lanes)
        t->used_lanes = i + 1;
    return i;
}

#define WAS 1u  /* the lane was there above this row */
#define NEW 2u  /* it begins in this row */
#define JOIN 4u /* the node's edge meets it here */

/* The row in which the edges of the node at `from` reach their lanes. */
static void draw_row(struct txt *t, uint32_t from, bool goes_on, const uint8_t *mark)
{
    uint32_t low = from, high = from;

    for (uint32_t i = 0; i < t->used_lanes; i++) {
        if (mark[i] & JOIN) {
            low = i < low ? i : low;
            high = i > high ? i : high;
        }
    }
    for (uint32_t i = 0; i < t->used_lanes; i++) {
        bool left = i > low && i <= high, right = i >= low && i < high;
        enum glyph k = G_UP_DOWN;

        if (i == from && goes_on)
            k = left && right ? G_CROSS
                : left        ? G_FROM_LEFT
                : right       ? G_FROM_RIGHT
                              : G_UP_DOWN;
        else if (i == from)
            k = left && right ? G_END_BOTH : left ? G_END_LEFT : G_END_RIGHT;
        else if (mark[i] & JOIN && mark[i] & NEW)
            k = left && right ? G_NEW_BOTH : left ? G_NEW_LEFT : G_NEW_RIGHT;
        else if (mark[i] & JOIN)
            k = left && right ? G_CROSS : left ? G_FROM_LEFT : G_FROM_RIGHT;
        else if (!(mark[i] & WAS))
            k = left || right ? G_LEFT_RIGHT : G_COUNT;
        strbuf_addz(t->out, k == G_COUNT ? " " : t->glyph[k]);
        strbuf_addz(t->out, right ? t->glyph[G_LEFT_RIGHT] : " ");
    }
    end_line(t);
}

/* Sends the edges of node on: the first open target takes over the node's lane,
 * others get lanes of their own or are joined. */
static void leave(struct txt *t, uint32_t node, uint32_t mine)
{
    uint8_t mark[MOST_LANES] = { 0 };
    bool goes_on = false, joins = false;

    for (uint32_t i = 0; i < t->max_lanes; i++)
        mark[i] = t->lane[i] != IX_NONE ? WAS : 0;
    for (uint32_t k = t->first[node]; k < t->first[node + 1]; k++) {
        uint32_t to = t->g->edges[t->out_edges[k]].to, at = lane_to(t, to);

        if (t->done[to])
            continue; /* backwards, to a folded group: in the text only */
        if (at == IX_NONE && !goes_on) {
            t->lane[mine] = to;
            goes_on = true;
            continue;
        }
        if (at == mine)
            continue;
        if (at == IX_NONE) {
            if ((at = take_lane(t, to)) == IX_NONE)
                continue;
            mark[at] |= NEW;
        }
        mark[at] |= JOIN;
        joins = true;
    }
    if (joins && t->out)
        draw_row(t, mine, goes_on, mark);
    if (!goes_on)
        t->lane[mine] = IX_NONE;
}

/* --- lines --------------------------------------------------------------------- */

static void cluster_titles(struct txt *t, const struct graph_node *n)
{
    const struct graph_cluster *clusters = t->g->clusters;
    uint32_t inner = n->cluster;
    uint32_t outer = inner == IX_NONE ? IX_NONE : clusters[inner].parent;
    uint32_t sql = outer != IX_NONE ? outer : inner,
             job = outer != IX_NONE ? inner : IX_NONE;

    if (sql != t->sql_shown && sql != IX_NONE) {
        if (!sv_ends(strbuf_sv(t->out), SV("\n\n"))) {
            gutter(t, IX_NONE, "");
            end_line(t);
        }
        gutter(t, IX_NONE, "");
        strbuf_printf(t->out, "%s ", t->glyph[G_RULE]);
        utf8_clean(t->out, sv(clusters[sql].title), t->width - 2 * t->used_lanes - 3);
        end_line(t);
    }
    if (job != IX_NONE && job != t->job_shown) {
        gutter(t, IX_NONE, "");
        strbuf_addz(t->out, "  ");
        utf8_clean(t->out, sv(clusters[job].title), t->width - 2 * t->used_lanes - 2);
        end_line(t);
    }
    t->sql_shown = sql;
    t->job_shown = job;
}

static void padded(struct strbuf *out, const char *text, size_t columns, bool right)
{
    size_t w = utf8_width(sv(text));

    if (right && w < columns)
        strbuf_fill(out, ' ', columns - w);
    strbuf_addz(out, text);
    if (!right && w < columns)
        strbuf_fill(out, ' ', columns - w);
}

static void badges_of(struct strbuf *out, const struct graph_node *n, bool ascii)
{
    for (uint32_t i = 0; i < n->n_badges; i++) {
        const char *sign = strstr(n->badges[i], "\xC3\x97");

        strbuf_addz(out, i ? "  " : "");
        if (ascii && sign)
            strbuf_printf(out, "%.*sx", (int)(sign - n->badges[i]), n->badges[i]);
        else
            strbuf_addz(out, n->badges[i]);
    }
    if (n->more_badges)
        strbuf_printf(out, "  +%" PRIu32, n->more_badges);
}

static void headline(struct txt *t, const struct graph_node *n, struct strbuf *line)
{
    struct strbuf part = { 0 };

    strbuf_addz(&part, n->name);
    if (n->step)
        strbuf_printf(&part, " (%" PRIu32 ")", n->step);
    padded(line, part.p, 17, false);
    strbuf_reset(&part);
    units_count(&part, n->tasks);
    strbuf_addz(&part, n->tasks == 1 ? " task " : " tasks");
    padded(line, part.p, 11, true);
    strbuf_reset(&part);
    units_ms(&part, n->wall_ms);
    padded(line, part.p, 8, true);
    strbuf_reset(&part);
    if (n->share > 0)
        units_share(&part, n->share);
    padded(line, part.len ? part.p : "-", 6, true);
    strbuf_reset(&part);
    if (t->width >= 2 * t->used_lanes + 52) {
        strbuf_addc(line, ' ');
        graph_bar(&part, n->share, 8, t->ascii);
        padded(line, part.len ? part.p : "", 8, false);
    }
    strbuf_release(&part);
}

static void parents_line(struct txt *t, uint32_t node, struct strbuf *line)
{
    const struct graph *g = t->g;
    size_t low = 0, high = g->n_edges;
    uint32_t named = 0, unnamed = 0;
    bool then = false;

    while (low < high) { /* edges are sorted by target */
        size_t mid = low + (high - low) / 2;

        if (g->edges[mid].to < node)
            low = mid + 1;
        else
            high = mid;
    }
    for (; low < g->n_edges && g->edges[low].to == node; low++) {
        const struct graph_edge *e = &g->edges[low];
        const struct graph_node *from = &g->nodes[e->from];
        struct strbuf text = { 0 };

        if (named == PARENTS_NAMED) {
            unnamed++;
            continue;
        }
        graph_edge_text(&text, e);
        strbuf_addz(line, named ? "; " : "");
        strbuf_addz(line, e->then ? "then after " : named && !then ? "" : "from ");
        then = e->then;
        named++;
        strbuf_addz(line, from->stage_ix != IX_NONE ? from->name + strlen("Stage ")
                                                    : from->name);
        if (!e->then && e->via != VIA_SHUFFLE)
            strbuf_printf(line, " (%s)", link_via_name(e->via));
        if (e->reused)
            strbuf_addz(line, " (reused)");
        if (text.len)
            strbuf_printf(line, ": %s", text.p);
        strbuf_release(&text);
    }
    if (unnamed)
        strbuf_printf(line, "; and %" PRIu32 " more", unnamed);
}

/* What stands beside the gutter below the headline. */
static void node_lines(struct txt *t, uint32_t node, uint32_t lane, const char *mark,
                       const char *badges)
{
    const struct graph_node *n = &t->g->nodes[node];
    struct strbuf line = { 0 };

    if (n->was && n->was[0])
        wrapped(t, n->was, lane, mark);
    if (n->what[0]) {
        strbuf_addz(&line, n->what);
        if (n->cluster == IX_NONE && n->job_id != APP_NONE)
            strbuf_printf(&line, "  (job %" PRId64 ")", n->job_id);
        wrapped(t, line.p, lane, mark);
        strbuf_reset(&line);
    }
    parents_line(t, node, &line);
    if (line.len)
        wrapped(t, line.p, lane, mark);
    if (n->skipped[0])
        wrapped(t, n->skipped, lane, mark);
    strbuf_reset(&line);
    if (n->in_bytes) {
        strbuf_addz(&line, "in ");
        units_bytes(&line, n->in_bytes);
    }
    if (n->out_bytes) {
        strbuf_addz(&line, line.len ? ", out " : "out ");
        units_bytes(&line, n->out_bytes);
    }
    if (*badges)
        strbuf_printf(&line, "%s%s", line.len ? "   " : "", badges);
    if (line.len)
        wrapped(t, line.p, lane, mark);
    strbuf_release(&line);
}

static bool leads_on(const struct txt *t, uint32_t node)
{
    for (uint32_t k = t->first[node]; k < t->first[node + 1]; k++)
        if (!t->done[t->g->edges[t->out_edges[k]].to])
            return true;
    return false;
}

static void skipped_line(struct txt *t, const struct graph_node *n)
{
    struct strbuf line = { 0 };

    if (!t->out)
        return;
    strbuf_printf(&line, "%s%s%s", n->name, n->what[0] ? ", " : "", n->what);
    wrapped(t, line.p, IX_NONE, "");
    strbuf_release(&line);
}

static void write_node(struct txt *t, uint32_t node)
{
    const struct graph_node *n = &t->g->nodes[node];
    uint32_t lane = lane_to(t, node);

    if (t->out)
        cluster_titles(t, n);
    if (n->shape == SHAPE_SKIPPED) { /* nothing leads to it or from it */
        skipped_line(t, n);
        return;
    }
    if (lane == IX_NONE)
        lane = take_lane(t, node);
    t->done[node] = true;
    if (t->out) {
        struct strbuf line = { 0 }, badges = { 0 };
        const char *below = leads_on(t, node) ? t->glyph[G_UP_DOWN] : " ";

        gutter(t, lane, t->glyph[n->critical && n->step ? G_CRITICAL : G_NODE]);
        headline(t, n, &line);
        badges_of(&badges, n, t->ascii);
        strbuf_add(t->out, strbuf_sv(&line));
        if (badges.len && utf8_width(strbuf_sv(&line)) + utf8_width(strbuf_sv(&badges)) +
                                  2 + 2 * t->used_lanes <=
                              t->width) {
            strbuf_printf(t->out, "  %s", badges.p);
            strbuf_reset(&badges);
        }
        end_line(t);
        node_lines(t, node, lane, lane == IX_NONE ? "" : below,
                   badges.len ? badges.p : "");
        strbuf_release(&line);
        strbuf_release(&badges);
    }
    if (lane != IX_NONE)
        leave(t, node, lane);
}

static void write_all(struct txt *t, const uint32_t *order)
{
    memset(t->done, 0, t->g->n_nodes * sizeof *t->done);
    for (size_t i = 0; i < MOST_LANES; i++)
        t->lane[i] = IX_NONE;
    t->sql_shown = t->job_shown = IX_NONE;
    for (size_t i = 0; i < t->g->n_nodes; i++)
        write_node(t, order[i]);
}

/* Text with the few signs we use ourselves put into ASCII; what comes from the log
 * and is none becomes "?". */
static void to_ascii(struct strbuf *text)
{
    struct strbuf out = { 0 };
    struct sv s = strbuf_sv(text);

    while (s.len) {
        size_t n = utf8_char(s);

        n = n ? n : 1;
        if (n == 1)
            strbuf_addc(&out, *s.p);
        else if (sv_starts(s, SV("\xC2\xB7")))
            strbuf_addc(&out, '-');
        else if (sv_starts(s, SV("\xC3\x97")))
            strbuf_addc(&out, 'x');
        else if (sv_starts(s, SV("\xE2\x86\x92")))
            strbuf_addz(&out, "->");
        else if (sv_starts(s, SV("\xE2\x88\x92")))
            strbuf_addc(&out, '-');
        else
            strbuf_addc(&out, '?');
        s = sv_from(s, n);
    }
    strbuf_release(text);
    *text = out;
}

static void head_line(struct txt *t, const char *text)
{
    for (struct sv rest = sv(text); rest.len;) {
        size_t n = fitting(rest, t->width);

        strbuf_add(t->out, (struct sv){ rest.p, n });
        end_line(t);
        rest = sv_from(rest, n);
    }
}

static void write_foot(struct txt *t)
{
    const struct graph *g = t->g;

    struct strbuf line = { 0 };

    strbuf_addc(t->out, '\n');
    strbuf_printf(&line, "%% and bar: %s.", g->heat_label);
    head_line(t, line.p);
    strbuf_reset(&line);
    if (g->has_path) {
        strbuf_printf(&line, "%s on the critical path, in the order (1), (2) ...",
                      t->glyph[G_CRITICAL]);
        head_line(t, line.p);
        strbuf_reset(&line);
    }
    for (size_t i = 0; i < g->n_badges; i++) {
        strbuf_printf(&line, "%s: %s", g->badges[i].text, g->badges[i].meaning);
        head_line(t, line.p);
        strbuf_reset(&line);
    }
    strbuf_release(&line);
}

void graph_txt(struct strbuf *out, const struct graph *g, uint32_t width, bool ascii)
{
    struct arena arena = { 0 };
    struct strbuf made = { 0 };
    uint32_t *order = graph_order(g, &arena);
    struct txt t = {
        .g = g, .glyph = ascii ? plain : unicode, .width = width, .ascii = ascii
    };
    uint32_t spare = width > TEXT_COLUMNS ? (width - TEXT_COLUMNS) / 2 : 0;

    t.max_lanes = spare < MOST_LANES ? spare : MOST_LANES;
    t.done = arena_array(&arena, g->n_nodes + 1, sizeof *t.done);
    t.out_edges = graph_edges_out(g, false, &arena, &t.first);
    write_all(&t, order);
    t.max_lanes = t.used_lanes;
    t.out = &made;
    head_line(&t, g->title);
    head_line(&t, g->subtitle);
    head_line(&t, g->totals);
    if (g->folded)
        head_line(&t, g->folded);
    if (g->n_nodes == 0)
        head_line(&t, "No stage ran.");
    else
        strbuf_addc(&made, '\n');
    write_all(&t, order);
    if (g->n_nodes)
        write_foot(&t);
    if (ascii)
        to_ascii(&made);
    strbuf_add(out, strbuf_sv(&made));
    strbuf_release(&made);
    arena_release(&arena);
}
