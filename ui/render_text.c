/* The first screen: what happened, what to change, what to type next. For someone
 * woken at three: the verdict comes first, every number has a unit, the last line is
 * a command. A healthy run gets two lines. */
#include "ui/report.h"

#include <inttypes.h>

#define SHOWN 5          /* findings */
#define BAR_CELLS 20     /* of a whole bar */
#define LEAST_SHARE 0.01 /* ledger entries below are "other" */

#define LABEL "            " /* as wide as "Wall clock  " */

/* --- header and verdict
 * ------------------------------------------------------------------- */

static const char *cluster_text(struct arena *a, const struct app *app)
{
    int64_t executors = app->executors_peak, cores = app->cores_peak;

    if (cores == APP_NONE || cores <= 0)
        return executors > 0 ? text_plural(a, executors, "executor", "executors")
                             : "no executors";
    if (app->local_mode)
        return arena_printf(a, "local mode, %s", text_plural(a, cores, "core", "cores"));
    if (executors > 0 && cores % executors == 0)
        return arena_printf(a, "%s x %s",
                            text_plural(a, executors, "executor", "executors"),
                            text_plural(a, cores / executors, "core", "cores"));
    return arena_printf(a, "%s, %s", text_plural(a, executors, "executor", "executors"),
                        text_plural(a, cores, "core", "cores"));
}

/* Items two blanks apart; what does not fit goes to the next line. */
static void add_item(struct page *p, size_t *column, const char *item)
{
    size_t width = page_text_width(sv(item));

    if (*column + 2 + width > (size_t)p->width) {
        page_newline(p);
        *column = 0;
    }
    page_add(p, "  %s", item);
    *column += 2 + width;
}

static void header(struct page *p, struct report *r)
{
    const struct app *app = &r->a->app;
    struct arena *a = &r->arena;
    const char *id = app->id.len ? text_clean(a, app->id, 40) : "(no application id)";
    const char *items[5];
    size_t n = 0, taken = 0, column;

    items[n++] = app->attempt.len && !sv_is(app->attempt, "1")
                     ? arena_printf(a, "%s attempt %s", id, text_clean(a, app->attempt, 8))
                     : id;
    if (app->spark_version.len)
        items[n++] = arena_printf(a, "Spark %s", text_clean(a, app->spark_version, 30));
    items[n++] = cluster_text(a, app);
    items[n++] = text_ms(a, r->a->ledgers.wall_total_ms);
    items[n++] = arena_printf(a, "%s%s%s", r->lossy ? page_mark(p, STYLE_YELLOW) : "",
                              report_completeness(r),
                              r->lossy ? page_mark(p, STYLE_PLAIN) : "");
    for (size_t i = 0; i < n; i++)
        taken += 2 + page_text_width(sv(items[i]));
    /* the name gives way first; if even that does not help the line wraps */
    size_t room = (size_t)p->width > taken + 12 ? (size_t)p->width - taken : 40;
    const char *name = app->name.len ? text_clean(a, app->name, room) : "(no name)";

    page_add(p, "%s%s%s", page_mark(p, STYLE_BOLD), name, page_mark(p, STYLE_PLAIN));
    column = page_text_width(sv(name));
    for (size_t i = 0; i < n; i++)
        add_item(p, &column, items[i]);
    page_newline(p);
}

static size_t count_severity(const struct report *r, enum severity least)
{
    size_t n = 0;

    for (size_t i = 0; i < r->findings.n; i++)
        n += r->findings.items[i].severity >= least;
    return n;
}

/* The rules of the first few notes, each once. */
static const char *note_ids(struct report *r)
{
    enum { NAMED = 3 };
    struct strbuf text = { 0 };
    size_t n = 0;

    for (size_t i = 0; i < r->findings.n; i++) {
        bool before = r->findings.items[i].severity != SEVERITY_NOTE;

        for (size_t k = 0; k < i && !before; k++)
            before = r->findings.items[k].rule == r->findings.items[i].rule &&
                     r->findings.items[k].severity == SEVERITY_NOTE;
        if (before)
            continue;
        if (n++ < NAMED)
            strbuf_printf(&text, "%s%s", n > 1 ? ", " : "",
                          r->findings.items[i].rule->id);
    }
    if (n > NAMED)
        strbuf_printf(&text, " and %zu more", n - NAMED);
    const char *kept = arena_sv(&r->arena, strbuf_sv(&text)).p;
    strbuf_release(&text);
    return kept ? kept : "";
}

static void verdict(struct page *p, struct report *r, const struct cli *cli)
{
    struct arena *a = &r->arena;
    struct strbuf text = { 0 };
    size_t judged = 0, notes = r->findings.n - count_severity(r, SEVERITY_WARNING);
    const char *wall = text_ms(a, r->a->ledgers.wall_total_ms);

    for (const struct rule *const *rule = rules_all; *rule; rule++)
        judged++;
    judged -= r->findings.n_not_judged;
    if (r->facts.tasks == 0 && r->healthy) {
        strbuf_printf(&text, "%s%s in which no task ended: there is nothing to judge.",
                      page_mark(p, STYLE_BOLD), wall);
    } else if (r->healthy) {
        strbuf_printf(&text, "%sNothing worth changing%s: %s looked at it%s",
                      page_mark(p, STYLE_BOLD), page_mark(p, STYLE_PLAIN),
                      text_plural(a, (int64_t)judged, "rule", "rules"),
                      notes ? "" : " and found nothing");
        if (notes)
            strbuf_printf(&text, ", %s (%s)%s",
                          text_plural(a, (int64_t)notes, "note", "notes"), note_ids(r),
                          cli->verbose ? "" : notes == 1 ? "; --verbose shows it"
                                                       : "; --verbose shows them");
        if (r->findings.n_not_judged)
            strbuf_printf(&text, ", %zu lacked data", r->findings.n_not_judged);
        strbuf_addc(&text, '.');
    } else if (r->saving_ms > 0) {
        strbuf_printf(&text, "%s%s, of which up to about %s need not be%s.",
                      page_mark(p, STYLE_BOLD), wall, text_ms(a, r->saving_ms),
                      report_stream_words(r));
    } else {
        int64_t n = (int64_t)count_severity(r, SEVERITY_WARNING);

        strbuf_printf(&text, "%s%s, with no time to win, but %s a look.",
                      page_mark(p, STYLE_BOLD), wall,
                      text_plural(a, n, "finding needs", "findings need"));
    }
    strbuf_addz(&text, page_mark(p, STYLE_PLAIN));
    page_wrap(p, "", "", strbuf_sv(&text));
    strbuf_release(&text);
}

/* --- ledgers
 * -------------------------------------------------------------------------------- */

struct part {
    const char *name;
    int64_t ms;
};

/* Largest first; equal ones stay in the ledger's order. */
static void sort_parts(struct part *parts, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct part own = parts[i];
        size_t k = i;

        for (; k > 0 && parts[k - 1].ms < own.ms; k--)
            parts[k] = parts[k - 1];
        parts[k] = own;
    }
}

/* Entry and bar side by side, as many as fit on two lines; what is left is "other". */
static void wall_clock(struct page *p, struct report *r)
{
    const struct ledgers *l = &r->a->ledgers;
    struct part parts[WALL_COUNT];
    int64_t left = l->wall_total_ms;
    size_t column = sizeof LABEL - 1, line = 1;

    for (int e = 0; e < WALL_COUNT; e++)
        parts[e] = (struct part){ wall_entry_name((enum wall_entry)e), l->wall_ms[e] };
    sort_parts(parts, WALL_COUNT);
    page_add(p, "%sWall clock%s  ", page_mark(p, STYLE_DIM), page_mark(p, STYLE_PLAIN));
    for (size_t i = 0; i < WALL_COUNT + 1; i++) {
        struct strbuf cell = { 0 };
        bool other = i == WALL_COUNT;
        int64_t ms = other ? left : parts[i].ms;
        double share = (double)ms / (double)l->wall_total_ms;

        if (ms <= 0 || (!other && share < LEAST_SHARE))
            continue;
        strbuf_printf(&cell, "%s %s ", other ? "other" : parts[i].name,
                      text_share(&r->arena, share));
        strbuf_addz(&cell, page_mark(p, STYLE_BLUE));
        page_bar(&cell, share < 0.5 / BAR_CELLS && p->ascii ? 0.5 / BAR_CELLS : share,
                 BAR_CELLS, p->ascii);
        strbuf_addz(&cell, page_mark(p, STYLE_PLAIN));
        size_t width = page_text_width(strbuf_sv(&cell));
        size_t spare = other || line < 2 ? 0 : sizeof " other 9.9% #" - 1;
        if (column + width + spare > (size_t)p->width) {
            if (line == 2 && !other) {
                strbuf_release(&cell);
                continue; /* counted as other */
            }
            page_add(p, "\n" LABEL);
            column = sizeof LABEL - 1;
            line++;
        }
        strbuf_add(&p->text, strbuf_sv(&cell));
        strbuf_addc(&p->text, ' ');
        column += width + 1;
        left -= ms;
        strbuf_release(&cell);
    }
    page_newline(p);
}

static const char *core_minutes(struct arena *a, int64_t core_ms)
{
    int64_t minutes = core_ms / 60000;

    if (minutes >= 600)
        return arena_printf(a, "%s core-hours", text_exact(a, minutes / 60));
    if (minutes >= 10)
        return arena_printf(a, "%s core-minutes", text_exact(a, minutes));
    return arena_printf(a, "%s core-seconds", text_exact(a, core_ms / 1000));
}

static void core_time(struct page *p, struct report *r)
{
    const struct ledgers *l = &r->a->ledgers;
    struct part idle[CORE_COUNT];
    struct strbuf text = { 0 };
    int64_t used = 0;
    size_t n = 0;

    for (int e = 0; e < CORE_COUNT; e++) {
        if (e < CORE_FIRST_IDLE)
            used += l->core_ms[e];
        else
            idle[n++] =
                (struct part){ core_entry_name((enum core_entry)e), l->core_ms[e] };
    }
    sort_parts(idle, n);
    strbuf_printf(&text, "%s offered, %s used", core_minutes(&r->arena, l->core_total_ms),
                  text_share(&r->arena, (double)used / (double)l->core_total_ms));
    for (size_t i = 0; i < n && i < 3; i++) {
        double share = (double)idle[i].ms / (double)l->core_total_ms;
        const char *name = idle[i].name;

        if (share < LEAST_SHARE)
            break;
        if (strncmp(name, "idle: ", 6) == 0)
            name += 6;
        strbuf_printf(&text, "%s %s %s", i ? "," : "; idle:", name,
                      text_share(&r->arena, share));
    }
    const char *first = arena_printf(&r->arena, "%sCore time%s   ",
                                     page_mark(p, STYLE_DIM), page_mark(p, STYLE_PLAIN));
    page_wrap(p, first, LABEL, strbuf_sv(&text));
    strbuf_release(&text);
}

/* --- findings
 * --------------------------------------------------------------------------------- */

static enum style style_of(enum severity s)
{
    switch (s) {
    case SEVERITY_CRITICAL:
        return STYLE_RED;
    case SEVERITY_WARNING:
        return STYLE_YELLOW;
    case SEVERITY_NOTE:
        return STYLE_DIM;
    }
    return STYLE_PLAIN;
}

static size_t number_of(const struct report *r, const struct rule *rule)
{
    for (size_t number = 1; number <= r->findings.n; number++) {
        if (report_shown(r, number)->rule == rule)
            return number;
    }
    return 0;
}

static const char *saving_text(struct report *r, const struct finding *f)
{
    struct arena *a = &r->arena;

    if (!f->has_saving || f->expected_ms <= 0) {
        size_t n = f->follows ? number_of(r, f->follows) : 0;

        return n ? arena_printf(a, "goes away with %zu", n) : "no time to win here";
    }
    if (f->low_ms == f->high_ms)
        return arena_printf(a, "saves %s", text_ms(a, f->expected_ms));
    return arena_printf(a, "saves %s (%s to %s)", text_ms(a, f->expected_ms),
                        text_ms(a, f->low_ms), text_ms(a, f->high_ms));
}

static void finding_head(struct page *p, struct report *r, const struct finding *f,
                         size_t number)
{
    struct arena *a = &r->arena;
    const char *mark = page_mark(p, style_of(f->severity)),
               *plain = page_mark(p, STYLE_PLAIN);
    const char *head = arena_printf(a, "%zu %s%-8s%s  %s  %s%s%s", number, mark,
                                    severity_name(f->severity), plain, saving_text(r, f),
                                    page_mark(p, STYLE_BOLD), f->rule->id, plain);

    page_wrapf(p, "", "            ", "%s  %s", head, report_where(r, f, 30));
}

/* Lines under a label of seven columns, the first of them with it. */
static void labelled(struct page *p, struct report *r, const char *label,
                     const char *text)
{
    const char *first = arena_printf(&r->arena, "  %s%-6s%s ", page_mark(p, STYLE_DIM),
                                     label, page_mark(p, STYLE_PLAIN));

    if (text && *text)
        page_wrap(p, first, "         ", sv(text));
}

/* As it is to be pasted: never wrapped. */
static void verbatim(struct page *p, const char *prefix, const char *text)
{
    struct sv rest = sv(text);

    while (rest.len) {
        size_t end = sv_find(rest, SV("\n"));
        struct sv line = { rest.p, end == SIZE_MAX ? rest.len : end };

        page_add(p, "         %s%.*s\n", prefix, SV_FMT(line));
        rest = sv_from(rest, line.len + 1);
    }
}

static void remedy(struct page *p, struct report *r, const struct finding *f)
{
    labelled(p, r, "Do", f->text);
    for (size_t i = 0; i < f->settings.n; i++) {
        const struct kv *kv = &f->settings.items[i];

        page_add(p, "         --conf %s=%s\n", text_clean(&r->arena, kv->key, 0),
                 text_clean(&r->arena, kv->value, 0));
    }
    for (size_t i = 0; i < f->n_sql; i++)
        verbatim(p, "", f->sql[i]);
    for (size_t i = 0; i < f->n_code; i++)
        verbatim(p, "", f->code[i]);
}

static void evidence(struct page *p, struct report *r, const struct finding *f)
{
    struct strbuf text = { 0 };

    for (size_t i = 0; i < f->n_evidence; i++)
        strbuf_printf(&text, "%s%s=%s", i ? ", " : "", f->evidence[i].key,
                      evidence_text(&r->arena, &f->evidence[i]));
    labelled(p, r, "Found", text.p);
    strbuf_release(&text);
}

void render_finding(struct page *p, struct report *r, size_t number, bool all)
{
    const struct finding *f = report_shown(r, number);

    finding_head(p, r, f, number);
    size_t len = strlen(f->title);
    bool stop = len && strchr(".:!?", f->title[len - 1]);
    page_wrapf(p, "  ", "  ", "%s%s %s", f->title, stop ? "" : ".", f->cause);
    remedy(p, r, f);
    labelled(p, r, "Check", f->verify);
    if (all) {
        labelled(p, r, "Risk", f->risk);
        evidence(p, r, f);
        labelled(
            p, r, "Sure",
            arena_printf(&r->arena, "confidence %s, %s", confidence_name(f->confidence),
                         f->basis == BASIS_NONE
                             ? "no time claimed"
                             : arena_printf(&r->arena, "time %s", basis_name(f->basis))));
    }
}

/* --- the five questions
 * ------------------------------------------------------------------------ */

static void questions(struct page *p, struct report *r)
{
    static const struct {
        const char *label;
        enum question question;
    } all[] = { { "Moves", QUESTION_MOVES },
                { "Spills", QUESTION_SPILLS },
                { "Fails", QUESTION_FAILS },
                { "Scales", QUESTION_SCALES },
                { "Fit", QUESTION_FIT } };

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        const char *text = report_answer(r, all[i].question);
        const char *first = arena_printf(&r->arena, "%s%-7s%s ", page_mark(p, STYLE_DIM),
                                         all[i].label, page_mark(p, STYLE_PLAIN));

        /* that Spark fits is no news */
        if (*text && (all[i].question != QUESTION_FIT || report_fit(r)->instead))
            page_wrap(p, first, "        ", sv(text));
    }
}

/* --- what is missing
 * ------------------------------------------------------------------------------ */

/* Rules that one setting would have fed stand together. */
static void not_judged(struct page *p, struct report *r, bool all)
{
    const struct findings *f = &r->findings;
    struct strbuf text = { 0 };

    for (size_t i = 0; i < f->n_not_judged; i++) {
        const struct not_judged *n = &f->not_judged[i];
        bool listed = false;

        for (size_t k = 0; k < i && !listed; k++)
            listed = f->not_judged[k].enable && n->enable &&
                     strcmp(f->not_judged[k].enable, n->enable) == 0 && !all;
        if (listed)
            continue;
        if (text.len)
            strbuf_addz(&text, "; ");
        strbuf_addz(&text, n->rule->id);
        for (size_t k = i + 1; k < f->n_not_judged && !all; k++) {
            const struct not_judged *other = &f->not_judged[k];

            if (other->enable && n->enable && strcmp(other->enable, n->enable) == 0)
                strbuf_printf(&text, ", %s", other->rule->id);
        }
        if (all && n->why)
            strbuf_printf(&text, ": %s", n->why);
        if (n->enable)
            strbuf_printf(&text, " (%s would record it)", n->enable);
    }
    if (text.len)
        page_wrapf(p, "", "        ", "%sNot judged for lack of data%s: %s",
                   page_mark(p, STYLE_DIM), page_mark(p, STYLE_PLAIN), text.p);
    strbuf_release(&text);
}

static void gaps(struct page *p, struct report *r)
{
    for (size_t i = 0; i < r->n_gaps; i++) {
        const struct gap *g = &r->gaps[i];
        enum style style = g->lossy ? STYLE_YELLOW : STYLE_DIM;
        const char *first = arena_printf(&r->arena, "%sLog%s     ", page_mark(p, style),
                                         page_mark(p, STYLE_PLAIN));

        page_wrap(p, first, "        ", sv(g->text));
    }
}

void render_next(struct page *p, const char *const *commands)
{
    size_t column = sizeof "Next: " - 1;

    if (!commands[0])
        return;
    page_add(p, "%sNext:%s %s", page_mark(p, STYLE_BOLD), page_mark(p, STYLE_PLAIN),
             commands[0]);
    column += page_text_width(sv(commands[0]));
    for (size_t i = 1; commands[i]; i++) {
        column += page_text_width(sv(commands[i])) + 7;
        if (column > (size_t)p->width)
            break; /* one command that can be copied beats two that wrap */
        page_add(p, "   |   %s", commands[i]);
    }
    page_newline(p);
}

/* --- the screen
 * -------------------------------------------------------------------------------------
 */

/* Findings above a note in full. Notes are not worth anybody's night: one line names
 * them, unless they are asked for. */
static void findings(struct page *p, struct report *r, const struct cli *cli)
{
    size_t worth = count_severity(r, SEVERITY_WARNING);
    size_t notes = r->findings.n - worth;
    size_t most = cli->top || cli->verbose ? r->findings.n : worth;
    size_t limit = cli->top ? (size_t)cli->top : cli->verbose ? r->findings.n : SHOWN;
    size_t number = 1;

    for (; number <= most && number <= limit; number++)
        render_finding(p, r, number, cli->verbose);
    if (number <= worth)
        page_wrapf(p, "", "", "%s (--verbose shows all)",
                   text_plural(&r->arena, (int64_t)(worth + 1 - number), "finding more",
                               "findings more"));
    if (notes && most == worth)
        page_wrapf(p, "", "", "%s (%s) not worth a change now; --verbose shows them",
                   text_plural(&r->arena, (int64_t)notes, "note", "notes"), note_ids(r));
}

void render_text(struct page *p, struct report *r, const struct cli *cli)
{
    bool brief = r->healthy && !cli->verbose;

    header(p, r);
    if (!brief)
        page_newline(p);
    verdict(p, r, cli);
    if (!brief) {
        page_newline(p);
        if (r->a->ledgers.wall_total_ms > 0)
            wall_clock(p, r);
        if (r->a->ledgers.core_total_ms > 0)
            core_time(p, r);
        page_newline(p);
        findings(p, r, cli);
        if (r->findings.n)
            page_newline(p);
        questions(p, r);
        not_judged(p, r, cli->verbose);
    }
    gaps(p, r);
    if (!r->healthy || r->lossy) {
        if (!brief)
            page_newline(p);
        render_next(p, report_next(r));
    }
}
