/* Markdown for a ticket or a pull request: the verdict, a table of findings, then each
 * with cause, change and check. Log text cannot break out: what Markdown or HTML would
 * read as markup is escaped. */
#include "rules/chain.h"
#include "ui/report.h"

#define LEAST_SHARE 0.01

/* Text between markup. */
static const char *md(struct arena *a, struct sv text, size_t max)
{
    struct strbuf out = { 0 };
    const char *clean = text_clean(a, text, max);

    for (const char *p = clean; *p; p++) {
        if (*p == '<')
            strbuf_addz(&out, "&lt;");
        else if (*p == '&')
            strbuf_addz(&out, "&amp;");
        else if (strchr("\\`*_[]|#~!@$", *p))
            strbuf_printf(&out, "\\%c", *p);
        else
            strbuf_addc(&out, *p);
    }
    const char *kept = arena_sv(a, strbuf_sv(&out)).p;
    strbuf_release(&out);
    return kept ? kept : "";
}

/* Our own sentences: they quote names of the log, and hold no markup themselves. */
static const char *sentence(struct arena *a, const char *text)
{
    return text ? md(a, sv(text), 0) : "";
}

/* A fence longer than any run of backticks inside. */
static void fenced(struct page *p, const char *language, const char *text)
{
    size_t longest = 0, run = 0;

    for (const char *c = text; *c; c++) {
        run = *c == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    size_t ticks = longest < 3 ? 3 : longest + 1;
    strbuf_fill(&p->text, '`', ticks);
    page_add(p, "%s\n%s\n", language, text);
    strbuf_fill(&p->text, '`', ticks);
    page_add(p, "\n\n");
}

static void verdict(struct page *p, struct report *r)
{
    struct arena *a = &r->arena;
    const struct app *app = &r->a->app;
    const char *wall = text_ms(a, r->a->ledgers.wall_total_ms);

    page_add(p, "## %s\n\n", app->name.len ? md(a, app->name, 100) : "Spark application");
    page_add(p, "%s, Spark %s, %s, %s, %s.\n\n", md(a, app->id, 80),
             app->spark_version.len ? md(a, app->spark_version, 30)
                                    : "of an unknown version",
             app->executors_peak > 0
                 ? text_plural(a, app->executors_peak, "executor", "executors")
                 : "no executors",
             app->cores_peak > 0 ? text_plural(a, app->cores_peak, "core", "cores")
                                 : "no cores",
             report_completeness(r));
    if (r->saving_ms > 0 && !r->healthy)
        page_add(p, "**%s, of which up to about %s need not be%s.**\n\n", wall,
                 text_ms(a, r->saving_ms), report_stream_words(r));
    else if (r->healthy)
        page_add(p, "**%s. Nothing worth changing.**\n\n", wall);
    else
        page_add(p, "**%s, with no time to win, but see the findings.**\n\n", wall);
}

static const char *saving(struct arena *a, const struct finding *f)
{
    if (!f->has_saving || f->expected_ms <= 0)
        return "-";
    return arena_printf(a, "%s (%s to %s)", text_ms(a, f->expected_ms),
                        text_ms(a, f->low_ms), text_ms(a, f->high_ms));
}

static void overview(struct page *p, struct report *r)
{
    struct arena *a = &r->arena;

    page_add(p, "| # | Severity | Finding | Where | Saves |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < r->findings.n; i++) {
        const struct finding *f = report_shown(r, i + 1);

        page_add(p, "| %zu | %s | %s | %s | %s |\n", i + 1, severity_name(f->severity),
                 f->rule->id, sentence(a, report_where(r, f, 40)), saving(a, f));
    }
    page_newline(p);
}

static void finding(struct page *p, struct report *r, size_t i)
{
    const struct finding *f = report_shown(r, i + 1);
    struct arena *a = &r->arena;

    page_add(p, "### %zu. %s\n\n", i + 1, sentence(a, f->title));
    page_add(p, "`%s`, %s, %s. %s\n\n", f->rule->id, severity_name(f->severity),
             sentence(a, report_where(r, f, 60)), sentence(a, f->cause));
    if (f->text && *f->text)
        page_add(p, "**Do:** %s\n\n", sentence(a, f->text));
    if (f->settings.n) {
        struct strbuf lines = { 0 };

        for (size_t k = 0; k < f->settings.n; k++)
            strbuf_printf(&lines, "%s%s %s", k ? "\n" : "",
                          text_clean(a, f->settings.items[k].key, 0),
                          text_clean(a, f->settings.items[k].value, 0));
        fenced(p, "properties", lines.p);
        strbuf_release(&lines);
    }
    for (size_t k = 0; k < f->n_sql; k++)
        fenced(p, "sql", f->sql[k]);
    for (size_t k = 0; k < f->n_code; k++)
        fenced(p, "", f->code[k]);
    if (f->verify && *f->verify)
        page_add(p, "**Check:** %s\n\n", sentence(a, f->verify));
    if (f->risk && *f->risk)
        page_add(p, "**Risk:** %s\n\n", sentence(a, f->risk));
    if (f->n_chain) {
        page_add(p, "<details><summary>From the time to its cause</summary>\n\n");
        for (size_t k = 0; k < f->n_chain; k++)
            page_add(p, "- *%s*: %s\n", chain_name(f->chain[k].kind),
                     sentence(a, f->chain[k].text));
        page_add(p, "\n</details>\n\n");
    }
    if (f->n_evidence) {
        page_add(p,
                 "<details><summary>Evidence (confidence %s)</summary>\n\n"
                 "| Measured | Value |\n|---|---|\n",
                 confidence_name(f->confidence));
        for (size_t k = 0; k < f->n_evidence; k++)
            page_add(p, "| %s | %s |\n", sentence(a, f->evidence[k].key),
                     sentence(a, evidence_text(a, &f->evidence[k])));
        page_add(p, "\n</details>\n\n");
    }
}

static void row(struct page *p, struct report *r, const char *name, int64_t ms,
                int64_t total)
{
    if (ms > 0)
        page_add(p, "| %s | %s | %s |\n", name, text_ms(&r->arena, ms),
                 text_share(&r->arena, (double)ms / (double)total));
}

static bool worth_a_row(int64_t ms, int64_t total)
{
    return (double)ms >= LEAST_SHARE * (double)total;
}

/* Entries too small for a row of their own are one, so that the rows add up. */
static void ledger(struct page *p, struct report *r)
{
    const struct ledgers *l = &r->a->ledgers;
    int64_t other = 0;

    if (l->wall_total_ms <= 0)
        return;
    page_add(p, "<details><summary>Where the time went</summary>\n\n"
                "| Wall clock | Time | Share |\n|---|--:|--:|\n");
    for (int e = 0; e < WALL_COUNT; e++) {
        if (worth_a_row(l->wall_ms[e], l->wall_total_ms))
            row(p, r, wall_entry_name((enum wall_entry)e), l->wall_ms[e],
                l->wall_total_ms);
        else
            other += l->wall_ms[e];
    }
    row(p, r, "other", other, l->wall_total_ms);
    other = 0;
    if (l->core_total_ms > 0)
        page_add(p, "\n| Core time | Time | Share |\n|---|--:|--:|\n");
    for (int e = 0; e < CORE_COUNT && l->core_total_ms > 0; e++) {
        if (worth_a_row(l->core_ms[e], l->core_total_ms))
            row(p, r, core_entry_name((enum core_entry)e), l->core_ms[e],
                l->core_total_ms);
        else
            other += l->core_ms[e];
    }
    row(p, r, "other", other, l->core_total_ms);
    page_add(p, "\n</details>\n\n");
}

static void answers(struct page *p, struct report *r)
{
    static const struct {
        const char *label;
        enum question question;
    } all[] = { { "What moves", QUESTION_MOVES },
                { "What spills", QUESTION_SPILLS },
                { "What fails, or could", QUESTION_FAILS },
                { "How it scales", QUESTION_SCALES },
                { "Whether Spark fits", QUESTION_FIT } };
    bool any = false;

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        const char *text = report_answer(r, all[i].question);

        if (*text)
            page_add(p, "- **%s**: %s.\n", all[i].label, sentence(&r->arena, text));
        any = any || *text;
    }
    if (any)
        page_newline(p);
}

void render_md(struct page *p, struct report *r)
{
    verdict(p, r);
    if (r->findings.n)
        overview(p, r);
    for (size_t i = 0; i < r->findings.n; i++)
        finding(p, r, i);
    ledger(p, r);
    answers(p, r);
    if (r->findings.n_not_judged) {
        page_add(p, "Not judged for lack of data:\n\n");
        for (size_t i = 0; i < r->findings.n_not_judged; i++) {
            const struct not_judged *n = &r->findings.not_judged[i];

            page_add(p, "- %s: %s%s%s\n", n->rule->id, sentence(&r->arena, n->why),
                     n->enable ? "; would be recorded with " : "",
                     n->enable ? sentence(&r->arena, n->enable) : "");
        }
        page_newline(p);
    }
    if (r->n_gaps) {
        page_add(p, "The log:\n\n");
        for (size_t i = 0; i < r->n_gaps; i++)
            page_add(p, "- %s\n", sentence(&r->arena, r->gaps[i].text));
        page_newline(p);
    }
    page_add(p, "<sub>spillway " SPILLWAY_VERSION ", `%s`</sub>\n",
             text_clean(&r->arena, r->path, 0));
}
